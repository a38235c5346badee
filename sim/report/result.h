/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one run of one suite at one block size with one driver yields: plain numbers that worker
 * processes hand over and that every printer (table, CSV, JSON, plot) reads.
 */
#ifndef REPORT_RESULT_H
#define REPORT_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/usage.h"

#define RESULT_NAME_MAX   40
#define RESULT_PASSES_MAX 20

/* Per-run counters, totals over the timed passes (set-up and warm-up excluded). The rows of the
 * table and the columns of the CSV come from RESULT_COUNTERS, in this order: X(name, text). */
#define RESULT_COUNTERS(X)                                                                         \
    X(requests, "block requests at the driver")                                                    \
    X(commands, "I/O commands fetched by the controller")                                          \
    X(sq_doorbells, "SQ tail doorbell writes")                                                     \
    X(cq_doorbells, "CQ head doorbell writes")                                                     \
    X(other_register_writes, "register writes that are no doorbells")                              \
    X(register_reads, "register reads")                                                            \
    X(bytes_copied, "bytes copied by the CPU")                                                     \
    X(bounced, "commands through a bounce buffer")                                                 \
    X(direct, "commands with direct DMA")                                                          \
    X(lines_dirty, "cache lines maintained that were dirty")                                       \
    X(lines_clean, "cache lines maintained that were clean")                                       \
    X(lines_absent, "cache lines maintained that were not in the cache")                           \
    X(prp_lists, "commands with a PRP list")                                                       \
    X(polls, "looks at a completion queue by polling")                                             \
    X(interrupts, "interrupts delivered")                                                          \
    X(splits, "requests split into several commands")

struct result_counters {
#define RESULT_FIELD(name, text) uint64_t name;
    RESULT_COUNTERS(RESULT_FIELD)
#undef RESULT_FIELD
};

/* The controller as the driver found it, and what bring-up and shutdown took. */
struct result_device {
    char serial[21], model[41], firmware[9]; /* NVMe 1.4 section 5.15.2.1 */
    uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
    uint64_t cap;     /* CAP register */
    uint32_t version; /* VS register */
    uint32_t block_bytes;
    uint64_t blocks;
    uint32_t max_transfer; /* bytes per command that the driver uses */
    uint16_t io_queues, io_depth, slots;
    uint16_t volatile_write_cache; /* 0 or 1 */
    uint64_t bring_up_ps, shutdown_ps;
    uint64_t admin_commands;
};

/* What the checker of protocol rules says (sim/rules). */
struct result_rules {
    uint32_t judged; /* 0: it was off */
    uint32_t violations, suppressed;
};

struct result {
    char suite[RESULT_NAME_MAX];
    char driver[RESULT_NAME_MAX];
    char drive[RESULT_NAME_MAX];
    char host[RESULT_NAME_MAX];
    uint64_t block_bytes; /* 0: the suite has no block size */
    uint32_t passes;
    uint64_t pass_bytes[RESULT_PASSES_MAX];      /* as the suite reports them */
    uint64_t pass_ps[RESULT_PASSES_MAX];         /* simulated duration */
    uint64_t pass_ops[RESULT_PASSES_MAX];        /* operations as the suite counts them */
    uint64_t blocks_verified, blocks_mismatched; /* over the whole run, set-up included */
    uint64_t requests_total;                     /* over the whole run, set-up included */
    struct result_counters counters;
    struct usage usage; /* as the counters */
    struct result_device device;
    struct result_rules rules;
    int error; /* 0, or the nvme_error that ended the run early */
};

/* Arithmetic mean over the passes of bytes / 2^20 / seconds. 0 if there are none. */
double result_mib_per_s(const struct result *result);

#endif
