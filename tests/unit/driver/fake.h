/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A platform and a scripted NVMe device for the driver core's tests: registers in plain memory, DMA
 * memory in one pool behind a bus offset above 4 GiB, a small disk, and a log of everything that
 * the core does. The device works only when a test (or an admin doorbell) tells it to, and
 * misbehaves as told. It is independent of sim/nvme: a test double, not a model.
 */
#ifndef TEST_DRIVER_FAKE_H
#define TEST_DRIVER_FAKE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <nvme/nvme.h>
#include <nvme/spec.h>

#define FAKE_BUS        0x300000000ull /* bus address of the pool's first byte */
#define FAKE_POOL       (16u << 20)
#define FAKE_PAGE       4096u
#define FAKE_BLOCK      512u
#define FAKE_BLOCKS     32768u
#define FAKE_LOG        8192u
#define FAKE_QUEUES     9u
#define FAKE_FETCHED    1024u
#define FAKE_NAMESPACES 130u
#define FAKE_MAPS       4096u

/* Memory shared with the core, in its byte order. With NVME_BIG_ENDIAN=1 core and double both take
 * the machine for the other kind, so that a swap that the core forgets shows on any machine. */
#ifndef NVME_BIG_ENDIAN
#define NVME_BIG_ENDIAN 0
#endif
uint32_t fake_le32(uint32_t value);
uint64_t fake_le64(uint64_t value);

struct fake_write { /* a register write, or a publish */
    bool publish;
    uint32_t offset; /* of a publish: the queue */
    uint64_t value;  /* of a publish: first << 16 | count */
};

struct fake_map { /* what is mapped */
    void *buffer;
    size_t bytes;
    enum nvme_dir dir;
};

struct fake_sync {
    void *cpu;
    size_t bytes;
    enum nvme_sync what;
};

struct fake_queue {
    uint64_t sq_bus, cq_bus;
    uint32_t depth, head, tail, cq_tail, cq_head, cq_depth;
    uint32_t phase;
    uint32_t cq_flags; /* CDW11 of Create I/O CQ */
    bool sq_exists, cq_exists;
    struct nvme_sqe fetched[FAKE_FETCHED]; /* in flight, in the order of fetching */
    uint32_t in_flight;
};

/* Bytes of an Identify page that are other than what fake_device.c puts there. */
struct fake_patch {
    uint32_t cns, offset, bytes;
    uint64_t value;
};

/* The host memory buffer as the device got it. */
struct fake_host_memory {
    bool enabled;
    uint32_t enables, returned, disables, pieces, bytes, largest, smallest;
};

struct fake_ns {
    uint32_t nsid;
    uint64_t blocks;
    uint8_t lba_shift, flbas, nlbaf, dps, dlfeat;
    uint16_t metadata, noiob;
};

struct fake {
    struct nvme_platform platform;
    struct nvme_platform_ops ops;
    struct nvme_config config;
    struct nvme *nvme;
    void *memory;
    uint64_t now_ns;
    /* registers */
    uint64_t cap, asq, acq;
    uint32_t vs, cc, csts, aqa, intms;
    /* how it behaves */
    bool gone; /* all registers read as all ones */
    bool never_ready, never_unready, never_shut;
    uint32_t ready_reads; /* reads of CSTS before a change of RDY shows */
    uint32_t pending_reads;
    bool target_ready;
    bool hold_admin; /* admin commands are not executed */
    bool admin_hold_ends_at_reset;
    uint32_t admin_fail_opcode; /* this opcode ends with admin_fail_status */
    uint16_t admin_fail_status;
    uint32_t admin_fail_feature; /* Set Features of this one does */
    struct fake_patch patches[24];
    uint32_t patch_count;
    uint32_t alloc_limit; /* dma_alloc of more bytes than that fails; 0 = none */
    uint8_t log_fill;     /* every byte of a log page */
    uint32_t grant;       /* DW0 of Number of Queues */
    uint32_t admin_sqhd_error, admin_cid_error;
    uint32_t refuse_nsid; /* Identify of this namespace ends with admin_fail_status */
    uint32_t rtd3e;       /* microseconds */
    enum fake_abort { FAKE_OBEYS, FAKE_REFUSES, FAKE_FORGETS, FAKE_IGNORES } abort;
    uint8_t mdts, sqes, cqes, vwc, aerl;
    uint16_t oncs, oacs;
    uint32_t sgls;
    bool any_words; /* entries may use the words that the core itself leaves zero */
    uint32_t ns_count;
    struct fake_ns ns[FAKE_NAMESPACES];
    bool unsorted_list;
    int alloc_fail_after; /* -1: never */
    int map_fail_after;   /* -1: never */
    int irq_grant;        /* 0: as asked */
    bool split_segments;  /* map gives one segment per page */
    bool bad_segments;
    const uint8_t *beyond; /* map cannot reach buffers from here on; NULL: it can reach all */
    /* what happened */
    struct fake_write log[FAKE_LOG];
    uint32_t log_count;
    struct fake_sync syncs[FAKE_LOG];
    uint32_t sync_count;
    uint32_t admin_seen[64];
    struct nvme_sqe admin_log[256]; /* those executed */
    uint32_t admin_log_count;
    uint32_t aborts;              /* Abort commands seen */
    uint32_t abort_cid;           /* of the last one: the Abort's own identifier */
    uint32_t abort_what;          /* and what it was to abort: CDW10 */
    uint8_t admin_data[2u << 20]; /* what vendor commands transfer */
    uint16_t aer_cids[16];
    uint32_t aer_held;
    uint32_t allocs, live_allocs, mapped, maps, unmaps, map_flags, copies, copied_bytes;
    struct fake_map live_maps[FAKE_MAPS];
    enum nvme_dir map_dir;
    enum nvme_copy_routine copy_routine;
    uint32_t cq_loads, rmbs, relaxes, locks;
    int lock_depth;
    enum nvme_irq_mode irq_mode;
    unsigned irq_vectors;
    uint32_t irq_calls;
    int irq_move_error;
    unsigned moved_vector, moved_cpu;
    uint32_t irq_moves;
    uint64_t shadow_bus,
        event_bus; /* of the last Doorbell Buffer Config; 0: none since the reset */
    uint32_t mbs;
    struct fake_trace {
        unsigned event;
        uint16_t qid;
        uint64_t a, b;
    } traces[FAKE_LOG];
    uint32_t trace_count;
    void (*at_mb)(void);
    void (*before_write)(uint32_t offset); /* what happens while a register write is on its way */

    struct fake_host_memory host_memory;
    uint32_t shut_while_lent;         /* shutdowns while the host memory buffer was enabled */
    uint32_t behavior;                /* ACRE of Host Behavior Support; UINT32_MAX: never set */
    uint32_t arbitration;             /* CDW11 of Arbitration */
    uint32_t priorities[FAKE_QUEUES]; /* QPRIO */
    uint32_t pool_used;
    struct fake_queue queues[FAKE_QUEUES];
};

extern struct fake *fake;
extern uint8_t fake_disk[FAKE_BLOCKS * FAKE_BLOCK];

/* Once per process: every block different from its neighbours. */
void fake_disk_create(void);
/* Without lock and unlock the core may take its short path. */
void fake_unlock(void);
/* Set-up and teardown of every test: defaults, then nvme_init() by fake_init() once config is
 * right. */
void fake_create(void);
void fake_destroy(void);
void fake_init(void);
void fake_start(void); /* init, and up to READY (asserted) */
enum nvme_state fake_settle(enum nvme_state passing, uint64_t limit_ns);

struct nvme_queue_stats fake_stats(const struct nvme_queue *queue);
void *fake_buffer(size_t bytes, size_t align, size_t offset); /* in the pool */
uint64_t fake_bus(const void *cpu);
void *fake_cpu(uint64_t bus, size_t bytes);

/* The device: take what was rung; end commands. */
void fake_fetch(uint32_t qid);
void fake_admin_post(uint32_t cid, uint16_t status, uint32_t result);
uint16_t
fake_execute(const struct nvme_sqe *sqe); /* moves data; the status: Compare Failure or 0 */
void fake_post(uint32_t qid, uint32_t cid, uint16_t status, uint32_t sqhd, uint32_t sqid);
void fake_complete(uint32_t qid, uint32_t index, uint16_t status); /* of fetched[] */
void fake_run(uint32_t qid); /* fetch, execute, complete all */
uint32_t fake_cid(const struct nvme_sqe *sqe);
uint32_t fake_opcode(const struct nvme_sqe *sqe);
/* Walks the PRPs of `bytes` (or the SGL, if the entry says so) and puts each page's part (or each
 * data block) into out[]; returns the number of parts. */
uint32_t fake_walk(const struct nvme_sqe *sqe, uint32_t bytes, struct nvme_segment *out,
                   uint32_t max);

/* Entries of the two pages of Doorbell Buffer Config (5.7), as they lie in memory. */
uint32_t *fake_shadow(uint32_t qid, bool cq);
uint32_t *fake_event_idx(uint32_t qid, bool cq);
void fake_look(uint32_t qid); /* the device takes both doorbells from the shadow */
void fake_patch(uint32_t cns, uint32_t offset, uint32_t bytes, uint64_t value);

/* The log: writes to a register since fake_forget(). */
void fake_forget(void);
uint32_t fake_writes(uint32_t offset);
uint64_t fake_last(uint32_t offset);
uint32_t fake_doorbell(uint32_t qid, bool cq);

/* Vendor specific admin commands (5, opcode bits 1:0 are the direction): CDW10 bytes to or from
 * admin_data. */
#define FAKE_VENDOR_NONE 0xC0u
#define FAKE_VENDOR_OUT  0xC1u
#define FAKE_VENDOR_IN   0xC2u

/* An admin request for one of them; counts its ends in user, as fake_request() does. */
void fake_admin_request(struct nvme_admin_request *request, uint8_t opcode, void *buffer,
                        uint32_t bytes);

/* Requests whose end is recorded. */
#define FAKE_REQUESTS 600u
extern struct nvme_request *fake_ended[FAKE_REQUESTS * 4];
extern uint32_t fake_ended_count;
void fake_request(struct nvme_request *request, enum nvme_op op, uint64_t lba, uint32_t blocks,
                  void *buffer);
void fake_registered(struct nvme_request *request, enum nvme_op op, uint64_t lba, uint32_t blocks,
                     void *buffer);

#endif
