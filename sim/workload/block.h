/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The block device as a workload sees it: the narrow line between workload (suites, file system,
 * traces) and machine. The machine implements it over host model and driver core; tests implement
 * it over an array.
 */
#ifndef WORKLOAD_BLOCK_H
#define WORKLOAD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deallocated blocks read as zeroes, like zeroed ones. */
enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_ZERO, BLOCK_DEALLOCATE };

/* A memory buffer of the program under test, in simulated memory. Opaque: contents are stamped and
 * checked by the device below, outside simulated time. */
struct block_buffer;

struct block_device {
    const struct block_device_ops *ops;
    void *ctx;
    uint32_t block_bytes; /* 512 or 4096 */
    uint64_t blocks;
};

struct block_device_ops {
    /* One synchronous request, as a file system issues it (DoIO). offset and bytes are multiples of
     * block_bytes; buffer_offset: where in the buffer the data is. Writes are stamped with a
     * pattern that names block and request before, reads are verified after, outside simulated
     * time. Returns 0, or a negative nvme_error. buffer is NULL for flush, zero and
     * deallocate. */
    int (*io)(void *ctx, enum block_op op, uint64_t offset, uint32_t bytes,
              struct block_buffer *buffer, uint32_t buffer_offset);
    /* CPU work of the program or its operating system: `use` is an enum record_cpu_use. */
    void (*spend)(void *ctx, unsigned use, uint64_t ps);
    /* Current simulated time, ps. */
    uint64_t (*now)(void *ctx);
    /* Buffers. align: power of two; the start is a multiple of it and of no larger power of two (so
     * that "aligned to 16" means unaligned to a page). Never NULL. */
    struct block_buffer *(*buffer_alloc)(void *ctx, uint32_t bytes, uint32_t align);
    void (*buffer_free)(void *ctx, struct block_buffer *buffer);
    /* The program fills [offset, offset+bytes) with CPU stores (memset): costs time and dirties the
     * cache. Contents as the workload sees them do not matter: io() stamps what is written. */
    void (*buffer_fill)(void *ctx, struct block_buffer *buffer, uint32_t offset, uint32_t bytes);
};

#endif
