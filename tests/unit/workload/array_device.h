/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block device for tests: one generation number per 512 bytes, a simple clock, and a log of every
 * call. A read checks that every block it returns carries the generation that the last write gave
 * it.
 */
#ifndef TEST_ARRAY_DEVICE_H
#define TEST_ARRAY_DEVICE_H

#include "workload/block.h"
#include "workload/params.h"

/* What the clock charges. */
#define ARRAY_REQUEST_PS UINT64_C(1000000) /* 1 us per request */
#define ARRAY_BYTE_PS    UINT64_C(1)       /* and 1 ps per byte */

struct block_buffer {
    uint32_t bytes, align, id;
    uint64_t filled; /* bytes that the program filled */
};

struct array_call {
    enum block_op op;
    uint64_t offset, time_ps;
    uint32_t bytes, buffer_id, buffer_offset, buffer_bytes;
    bool timed;
};

struct array_device {
    struct block_device device;
    struct array_call *calls;
    size_t count, room;
    size_t *timed_calls; /* numbers of the timed ones */
    size_t timed_count;
    uint32_t *generation; /* of each 512 bytes */
    uint64_t now_ps;
    uint64_t spent_ps[16]; /* by use */
    uint32_t buffers_made, buffers_alive, fills;
    uint64_t filled_bytes;
    uint32_t last_align;
    bool timed;     /* set by the test's observer */
    size_t fail_at; /* call number that fails with -5; SIZE_MAX: none */
};

void array_device_init(struct array_device *array, uint64_t bytes, uint32_t block_bytes);
/* Asserts that no buffer is left. */
void array_device_destroy(struct array_device *array);
void array_device_forget(struct array_device *array); /* the log */
/* Calls logged of one kind, all or the timed ones. */
size_t array_device_count(const struct array_device *array, enum block_op op, bool timed_only);

/* Parameters in which every cost is 0 and every metadata count 0. */
struct fs_params test_fs_params(void);

#endif
