/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The load generator: reads, writes or a mix, random or sequential, at a given depth and block size
 * in a closed loop or in bursts, on the machine's driver core. It measures throughput, latency and
 * the number of requests in flight, each on its own, so that Little's law can be held against them.
 * Used by `doorbell bench drive` and by tests.
 */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include "report/load_result.h"
#include "run/run.h"

struct run_load {
    uint64_t depth;        /* requests in flight of each CPU, 1..65534 */
    uint64_t block_bytes;  /* multiple of the drive's block, at most RUN_LOAD_BLOCK_MOST */
    uint64_t footprint;    /* bytes at the start of the namespace that are accessed; a job that
                            * writes needs room for twice `depth` blocks for each CPU */
    uint64_t read_percent; /* 0..100 */
    bool sequential;
    bool ordinary; /* buffers as any program has them: mapped or copied as the driver does it. They
                    * are registered all the same where the driver does that (registered_buffers);
                    * otherwise they always are */
    bool burst;    /* `depth` requests at once, and again when the last has ended; what the driver
                    * refuses is counted and given up, nothing of it read back */
    uint64_t warm_ios; /* requests that end before the timed part begins; may be 0 */
    uint64_t ios;      /* requests of the timed part, >= 1 */
};

#define RUN_LOAD_BLOCK_MOST (UINT64_C(16) << 20)

/* The smallest block of such a job: the drive's own. */
uint64_t run_load_least_block(const struct run_params *params);
/* As many requests in flight of each CPU, at most `depth`, as the driver takes if it refuses what
 * it has no slot for; at least 1. */
uint64_t run_load_depth(const struct run_params *params, uint64_t depth);
/* NULL if the job fits the parameters, else one sentence (valid until the next call). */
const char *run_load_check(const struct run_params *params, const struct run_load *job);

/* A run_error, as run_suite(). spec->trace must be NULL. Where spec says that data is verified, a
 * job that only reads does so on a filled footprint, a job that writes reads its last blocks back
 * after the timed part. The time integral of the requests in flight must stay below 2^64 ps
 * (depth 1: 213 days; depth 65534: 4.6 minutes). */
int run_load(const struct run_spec *spec, const struct run_load *job, struct load_result *result,
             char message[RUN_MESSAGE_MAX]);

#endif
