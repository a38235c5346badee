/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hostile host: an input is a program of operations on one controller, some proper, some not.
 *
 *   program.c  reads an input and runs it: bring-up, commands, poisoned entries, lists, doorbells,
 *              configuration space, resets, power states
 *   memory.c   the host's memory, and the oracle: what the controller may touch and complete
 *   sane.c     afterwards: the controller must come up and work
 *   replay.c   a main that runs files, where there is no libFuzzer
 *
 * What is demanded: no crash (the sanitizers watch), no endless chain of events, no access to
 * memory that nothing has named, no completion without a command, nothing after a reset has ended,
 * and a controller that a reset brings back. Uses <doorbell/device.h> and nothing else.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <doorbell/device.h>

#define FUZZ_BUS        UINT64_C(0x100000000)
#define FUZZ_BYTES      0x40000u
#define FUZZ_GRANULE    64u /* of the oracle's map */
#define FUZZ_QUEUES     4u
#define FUZZ_ENTRIES    8u
#define FUZZ_SQ(q)      (0x2000u * (q)) /* offsets in memory */
#define FUZZ_CQ(q)      (0x2000u * (q) + 0x1000u)
#define FUZZ_LISTS      0x8000u /* 4 pages */
#define FUZZ_DATA       0x10000u
#define FUZZ_DATA_PAGES 32u
/* Memory from here on is named by wild pointers only. */
#define FUZZ_NEVER      (FUZZ_DATA + FUZZ_DATA_PAGES * 0x1000u)
#define FUZZ_CIDS       256u    /* commands that the program makes have CIDs below this */
#define FUZZ_DATA_CID   0xffffu /* what payload looks like, read as an entry */
#define FUZZ_EVENTS_MAX 500000u /* in all of an input; an honest one needs a few thousand */

struct fuzz_queue {
    unsigned tail, head, size;
    bool phase;
};

struct fuzz {
    struct doorbell_world *world;
    struct doorbell_device *device;
    uint64_t doorbell_stride;
    struct fuzz_queue queue[FUZZ_QUEUES];
    unsigned next_cid;
    uint64_t events;     /* happened so far */
    unsigned wild_reads; /* register reads, so that they are not optimised away */

    uint8_t memory[FUZZ_BYTES];
    uint8_t named[FUZZ_BYTES / FUZZ_GRANULE];     /* the controller may touch it */
    uint8_t cq_memory[FUZZ_BYTES / FUZZ_GRANULE]; /* completion entries go here */
    uint32_t aqa;                                 /* registers as last written */
    uint64_t asq, acq;
    unsigned page_log2; /* largest memory page that was ever chosen */
    bool sgl;           /* an entry with SGLs was read */
    bool wild;          /* a pointer that may hit anything was made: completions are not counted */
    bool dead;          /* a reset has ended, and nothing has enabled the controller since */
    bool hole;          /* the host refuses accesses to its data pages */
    uint32_t fetched[FUZZ_CIDS], completed[FUZZ_CIDS]; /* since the last reset */
};

/* The bytes of an input; zeroes behind its end. */
struct fuzz_input {
    const uint8_t *at, *end;
};
uint64_t fuzz_take(struct fuzz_input *input, unsigned bytes); /* little-endian */

/* Prints why and aborts: a finding. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2), noreturn))
#endif
void fuzz_fail(const char *format, ...);
void fuzz_check(const struct fuzz *fuzz, int result); /* of a call of the library */

/* memory.c */
extern const struct doorbell_host fuzz_host;
void fuzz_memory_init(struct fuzz *fuzz);
void fuzz_put(struct fuzz *fuzz, uint32_t offset, uint64_t value, unsigned bytes);
uint64_t fuzz_get(const struct fuzz *fuzz, uint32_t offset, unsigned bytes);
/* The host has written this register: queue bases and page sizes name memory. */
void fuzz_register_written(struct fuzz *fuzz, uint64_t offset, unsigned size, uint64_t value);
/* Everything of the life before has ended: nothing of it may be completed any more. */
void fuzz_new_life(struct fuzz *fuzz);

/* program.c */
void fuzz_program(struct fuzz *fuzz, struct fuzz_input *input);
bool fuzz_step(struct fuzz *fuzz); /* one event; false if there is none */
void fuzz_write(struct fuzz *fuzz, uint64_t offset, unsigned size, uint64_t value, bool timed);
uint64_t fuzz_read(struct fuzz *fuzz, uint64_t offset, unsigned size);
void fuzz_config_write(struct fuzz *fuzz, unsigned offset, unsigned size, uint32_t value);
unsigned fuzz_capability(struct fuzz *fuzz, uint8_t id); /* 0: none */
/* Bus mastering on, registers and CC written; then at most `steps` events until CSTS.RDY. */
bool fuzz_bring_up(struct fuzz *fuzz, unsigned admin_entries, unsigned mps, unsigned steps);
/* An entry of zeroes with opcode and a CID at the tail of the queue; its offset in memory. */
uint32_t fuzz_entry(struct fuzz *fuzz, unsigned queue, uint8_t opcode);
void fuzz_ring(struct fuzz *fuzz, unsigned queue);
/* The next completion: false if there is none. *status without the phase tag. */
bool fuzz_reap(struct fuzz *fuzz, unsigned queue, uint32_t *status);
void fuzz_put_create(struct fuzz *fuzz, unsigned queue); /* both entries; the queue is reset */

/* sane.c */
void fuzz_sane(struct fuzz *fuzz);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
