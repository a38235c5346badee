/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ten workloads of AmigaDiskBench, as its source defines them (derfsss/AmigaDiskBench, commit
 * 9bba7f8): file sizes, order of calls, offsets, what is timed, how buffers are used again, what is
 * counted. Called by the machine, once per suite, block size and driver.
 *
 * A job is a warm-up, a set-up, the passes and a clean-up; only the passes are timed. Every job has
 * a fresh volume and starts rand() from the seed. AmigaDiskBench never seeds its generator (so the
 * seed is 1) and lets the sequence run on from job to job; here a job does not depend on which jobs
 * ran before it, so that any subset, in any order, on any number of worker processes gives the same
 * figures. For the same reason the warm-up is never skipped (AmigaDiskBench skips it when the last
 * one ended less than 5 s ago).
 *
 * Left out: the smaller sizes for a RAM disk, the cost of AllocVec and FreeVec, the other two ways
 * of averaging (trimmed mean, median), the microsecond resolution of the clock.
 */
#ifndef WORKLOAD_ADB_H
#define WORKLOAD_ADB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/result.h"
#include "workload/block.h"
#include "workload/params.h"

struct adb_workload;

struct adb_suite {
    const char *name;             /* as in AmigaDiskBench's CSV */
    const char *text;             /* one line */
    bool published;               /* figures of it were published for the two drivers */
    uint64_t default_block_bytes; /* 0: the suite has no block size */
    const struct adb_workload *work;
};

/* In the order in which AmigaDiskBench runs them. */
const struct adb_suite *adb_suites(size_t *count);
/* By name, in any case; "MixedRW" stands for "MixedRW70/30". NULL if there is none. */
const struct adb_suite *adb_find(const char *name);

/* The block sizes of "run all", ascending. */
#define ADB_BLOCK_SIZES 7
extern const uint64_t adb_block_sizes[ADB_BLOCK_SIZES];

/* Called at the two ends of each timed part, outside simulated time. Either may be NULL. */
struct adb_observer {
    void *ctx;
    void (*timed_begin)(void *ctx, unsigned pass);
    void (*timed_end)(void *ctx, unsigned pass);
};

enum adb_error {
    ADB_E_BLOCK_SIZE = -120, /* not possible for this suite: see adb_block_size_check() */
    ADB_E_PARAMS = -121      /* workload_params_check() or fs_params_check() objects */
};
/* One line for any error that adb_run() returns; "device error" for the device's own. Never NULL.
 */
const char *adb_error_text(int error);
/* NULL if the suite can run with this block size, else one sentence: what is allowed. */
const char *adb_block_size_check(const struct adb_suite *suite, uint64_t block_bytes);

/* Run one job. block_bytes 0 means the suite's default and is ignored by suites without a block
 * size. observer may be NULL. Fills suite, block_bytes, passes, pass_*, error of the result; the
 * rest stays as it is. Returns 0, or the error that ended the job (then passes says how many were
 * completed). */
int adb_run(const struct adb_suite *suite, struct block_device *device,
            const struct fs_params *fs_params, const struct workload_params *params,
            uint64_t block_bytes, uint64_t seed, const struct adb_observer *observer,
            struct result *result);

#endif
