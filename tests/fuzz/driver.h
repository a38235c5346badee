/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hostile device: an input is a configuration of the driver core, and a program of what its
 * owner and its device do.
 *
 *   driver_config.c    reads the configuration and the platform's properties
 *   driver_platform.c  memory, mappings, registers, locks, time: everything that the core is given
 *   driver_device.c    an honest controller behind it
 *   driver_hostile.c   the ways in which it is not honest
 *   driver_host.c      what the owner does: requests, polls, steps, resets
 *   driver_program.c   runs an input, and what must hold at its end
 *
 * What is demanded: no crash (the sanitizers watch; everything that the core is given is a heap
 * block of its own), no endless loop, no command that names memory which nothing gave, no
 * identifier used twice at a time, done() once per request, no success that the device did not
 * report, and everything given back by a stop. Stands on the driver core alone: nothing of sim/ is
 * in it.
 */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include <nvme/nvme.h>
#include <nvme/spec.h>

#if defined(__GNUC__)
#define HOSTILE_PRINTF __attribute__((format(printf, 1, 2), noreturn))
#else
#define HOSTILE_PRINTF
#endif

#define HOSTILE_QUEUES     65u /* with the admin queue */
#define HOSTILE_COMMANDS   256u
#define HOSTILE_STRAYS     128u
#define HOSTILE_ARMED      8u
#define HOSTILE_MUTATIONS  16u
#define HOSTILE_LBA_SHIFT  24 /* a request's blocks begin at its serial number, shifted */
#define HOSTILE_RAW_TAG    UINT32_C(0x7A57E5)
#define HOSTILE_CALLS_MAX  400000u /* of the platform, within one call of the core */
#define HOSTILE_MEMORY_MAX (4u << 20)
#define HOSTILE_VECTORS    8u

/* One operation of an input; HOSTILE_RECORD_BYTES of it, little endian. */
struct hostile_record {
    uint8_t code, a;
    uint16_t b;
    uint32_t c;
};
#define HOSTILE_RECORD_BYTES 8u

struct hostile_input {
    const uint8_t *at, *end;
};
uint64_t hostile_take(struct hostile_input *input, unsigned bytes); /* zeroes behind the end */

struct hostile_block { /* from dma_alloc */
    struct hostile_block *next;
    uint8_t *cpu;
    uint64_t bus;
    size_t bytes;
    enum nvme_dma_use use;
};

struct hostile_map {
    struct hostile_map *next;
    uint8_t *buffer;
    size_t bytes;
    enum nvme_dir dir;
    unsigned flags;
    uint64_t bus;   /* page aligned, of the first page */
    uint32_t page;  /* CC.MPS when it was mapped */
    uint32_t pages; /* they lie in falling order, with gaps; 0: they are contiguous */
};

struct hostile_request { /* freed in done() */
    struct nvme_request request;
    struct hostile_request *next;
    uint64_t serial;
    uint64_t good_blocks; /* of its commands that the device has called successful */
    uint32_t good_commands;
    bool tracked; /* its commands can be told by their LBA */
    uint8_t then; /* what done() does: driver_host.c */
    uint8_t *memory;
    struct nvme_vector *vector;
    struct nvme_range *ranges;
    struct nvme_raw raw;
};

struct hostile_admin { /* freed in done(); of nvme_admin_blocking() at the end */
    struct nvme_admin_request request;
    struct hostile_admin *next;
    uint8_t *memory;
};

/* A command as the device has fetched it. */
struct hostile_command {
    struct nvme_sqe sqe;
    uint16_t qid, cid;
    bool held;     /* this entry is in use */
    bool answered; /* an entry with its identifier was posted */
    bool good;     /* one that says success */
};

struct hostile_sq {
    bool exists;
    uint64_t bus;
    uint32_t size, head, tail;
    uint16_t cqid;
};
struct hostile_cq {
    bool exists;
    uint64_t bus;
    uint32_t size, head, tail;
    uint32_t phase; /* of the next entry */
};

struct hostile {
    /* configuration */
    struct nvme_config config;
    struct nvme_platform_ops ops;
    struct nvme_platform platform;
    struct nvme *nvme;
    void *arena;
    bool scatter; /* mapped pages are not contiguous for the device */
    unsigned vectors;

    /* the platform */
    uint64_t now_ns;
    uint64_t relax_ns;
    uint32_t calls;                    /* within this call of the core */
    uint32_t refuse_alloc, refuse_map; /* countdowns; 0: never */
    uint64_t next_block, next_map;
    size_t block_bytes;
    struct hostile_block *blocks;
    struct hostile_map *maps;
    uint8_t locked[HOSTILE_QUEUES];
    unsigned locks;
    bool irq_on;
    bool nested; /* in an interrupt between two operations of the platform */

    /* the device */
    uint64_t cap;
    uint32_t vs, cc, csts, aqa;
    uint64_t asq, acq;
    uint32_t gone, ready_stuck, ready_delay; /* countdowns in reads of CSTS */
    bool shut_stuck, cfs;
    bool lost;         /* it was gone, and has forgotten all; the core may not know yet */
    uint8_t acl, aerl; /* as it said last */
    bool auto_admin, auto_io, backwards;
    uint32_t grant; /* result of Set Features, Number of Queues */
    struct hostile_sq sq[HOSTILE_QUEUES];
    struct hostile_cq cq[HOSTILE_QUEUES];
    uint64_t shadow, event_index; /* 0: none */
    struct hostile_command commands[HOSTILE_COMMANDS];
    struct {
        uint16_t qid, cid;
        bool good;
    } strays[HOSTILE_STRAYS]; /* entries posted for what was not with the device */
    uint32_t stray_count;
    bool wild; /* entries were made that nobody keeps track of */
    struct {
        uint16_t page, at;
        uint8_t value;
    } mutations[HOSTILE_MUTATIONS]; /* of Identify and log pages */
    uint32_t mutation_count;

    /* the program */
    struct {
        struct hostile_record record;
        uint32_t countdown; /* calls of the platform; 0: free */
    } armed[HOSTILE_ARMED];
    struct hostile_request *requests; /* with the core */
    struct hostile_admin *admins, *blocking;
    uint64_t serial;
    bool in_call; /* of nvme_admin_blocking(): the state is its */
    bool ending;
};

/* Prints why and aborts: a finding. */
void hostile_fail(const char *format, ...) HOSTILE_PRINTF;

/* driver_config.c */
void hostile_configure(struct hostile *h, struct hostile_input *input);

/* driver_platform.c */
extern const struct nvme_platform_ops hostile_ops;
void hostile_platform_init(struct hostile *h); /* configured */
void *hostile_alloc(size_t bytes);             /* zeroes; never NULL */
uint8_t *hostile_buffer(size_t bytes,
                        unsigned offset);   /* at this offset from a page; poison around */
void hostile_begin_call(struct hostile *h); /* the owner is about to call the core */
/* What the device means by a bus address: false if nothing gave it these bytes. *at: NULL where
 * there is no memory behind it (registered buffers). write: the device stores. */
bool hostile_resolve(struct hostile *h, uint64_t bus, size_t bytes, bool write, uint8_t **at);
uint64_t hostile_registered_bus(const struct hostile *h, uint32_t page, uint32_t offset);
void hostile_platform_end(struct hostile *h);

/* driver_device.c */
void hostile_device_init(struct hostile *h);
uint32_t hostile_read(struct hostile *h, uint32_t offset);
void hostile_write(struct hostile *h, uint32_t offset, uint32_t value);
void hostile_disable(struct hostile *h);    /* as CC.EN = 0 does */
void hostile_fetch(struct hostile *h);      /* whatever was rung */
void hostile_run_device(struct hostile *h); /* fetch, and answer as auto_admin and auto_io say */
struct hostile_command *hostile_held(struct hostile *h, uint32_t index, bool admin); /* or NULL */
/* Do what the command says, and post its entry; an honest device does not where there is no room.
 */
void hostile_answer(struct hostile *h, struct hostile_command *command, uint16_t status);
/* dw3 without the phase tag, which is right or wrong. */
void hostile_post(struct hostile *h, unsigned cqid, uint32_t result, uint32_t dw2, uint32_t dw3,
                  bool right_phase);
void hostile_raise(struct hostile *h, uint32_t result); /* an asynchronous event, if one is held */
uint32_t hostile_sqhd(const struct hostile *h, unsigned qid); /* DW2 of an honest entry */

/* driver_hostile.c */
bool hostile_do_device(struct hostile *h, const struct hostile_record *record); /* false: unknown */
void hostile_honest(struct hostile *h);                                         /* from now on */

/* driver_host.c */
void hostile_do_host(struct hostile *h, const struct hostile_record *record);

/* ---- driver_requests.c ---- */
/* One of those that were created; NULL if none has been yet. */
struct nvme_queue *hostile_queue_of(struct hostile *h, unsigned a);
void hostile_submit(struct hostile *h, const struct hostile_record *r);

/* ---- driver_admin.c ---- */
/* What a successful admin command does; dword 0 of its entry. */
uint32_t hostile_execute(struct hostile *h, struct hostile_command *command);
/* Held by the device under this identifier; NULL if none is (driver_device.c). */
struct hostile_command *hostile_lookup(struct hostile *h, unsigned qid, uint32_t cid);

/* ---- driver_pointers.c ---- */
/* True: all of the command's data is there. strict: it has to be. */
bool hostile_move_data(struct hostile *h, const struct hostile_command *command, bool strict);
void hostile_step(struct hostile *h);
void hostile_nested_interrupt(struct hostile *h, unsigned vector);
struct hostile_request *hostile_find(struct hostile *h, uint64_t serial);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
