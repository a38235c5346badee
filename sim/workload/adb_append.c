/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The append suites: HeavyLifter, Legacy (the same work under another name) and Sequential (the
 * same with a bigger file). Everything is timed: open, buffer, one fill, all writes, close, delete.
 * Each pass takes a fresh buffer and uses it for all of its writes.
 */
#include "pcie/record.h"
#include "workload/adb_internal.h"

#define SMALL_FILE_BYTES (50 * ADB_MIB)
#define LARGE_FILE_BYTES (256 * ADB_MIB)

static int run_append(struct adb_job *job, const char *name, uint64_t bytes,
                      struct adb_score *score)
{
    const int error = adb_write_file(job, name, bytes, job->block_bytes);

    job->device->ops->spend(job->device->ctx, CPU_OS, job->params->append_overhead);
    score->bytes = bytes;
    score->ops = bytes / job->block_bytes;
    return error ? error : fs_delete(job->fs, name);
}

static int run_heavy_lifter(struct adb_job *job, struct adb_score *score)
{
    return run_append(job, "bench_heavy.tmp", SMALL_FILE_BYTES, score);
}

static int run_legacy(struct adb_job *job, struct adb_score *score)
{
    return run_append(job, "bench_legacy.tmp", SMALL_FILE_BYTES, score);
}

static int run_sequential(struct adb_job *job, struct adb_score *score)
{
    return run_append(job, "bench_seq.tmp", LARGE_FILE_BYTES, score);
}

const struct adb_workload adb_heavy_lifter = {.run = run_heavy_lifter};
const struct adb_workload adb_legacy = {.run = run_legacy};
const struct adb_workload adb_sequential = {.run = run_sequential};
