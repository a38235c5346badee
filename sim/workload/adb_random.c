/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The suites that work inside an existing file: Random4K, Random4KRead, MixedRW70/30 and
 * SequentialRead. Set-up (untimed) writes the file, opens it and takes one buffer for all passes;
 * only the loop of seeks and transfers is timed. Random offsets are multiples of 512 bytes whatever
 * the block size; the name "4K" is historical.
 */
#include "workload/adb_internal.h"

#define RANDOM_FILE_BYTES (64 * ADB_MIB)
#define RANDOM_FILL_CHUNK (128 * ADB_KIB)
#define RANDOM_OPS        4096u
#define MIXED_OPS         2048u
#define MIXED_READ_SHARE  70u /* of 100 */
#define SECTOR_MASK       511u
#define READ_FILE_BYTES   (256 * ADB_MIB)
#define COUNTER_MAX       UINT32_MAX /* the benchmark's byte counter has 32 bits and stops there */

#define RANDOM_NAME "bench_random.tmp"
#define READ_NAME   "bench_seq_read.tmp"

static int setup_file(struct adb_job *job, const char *name, uint64_t bytes, uint32_t chunk,
                      bool fill)
{
    int error = adb_write_file(job, name, bytes, chunk);

    if (!error)
        error = fs_open_old(job->fs, name, &job->file);
    if (error)
        return error;
    job->buffer = adb_buffer(job, job->block_bytes);
    if (fill)
        job->device->ops->buffer_fill(job->device->ctx, job->buffer, 0, job->block_bytes);
    return 0;
}

static int cleanup_file(struct adb_job *job, const char *name)
{
    if (!job->file)
        return 0;
    const int error = fs_close(job->file);
    adb_buffer_free(job, job->buffer);
    job->file = NULL;
    job->buffer = NULL;
    const int delete_error = fs_delete(job->fs, name);
    return error ? error : delete_error;
}

static int setup_random_filled(struct adb_job *job)
{
    return setup_file(job, RANDOM_NAME, RANDOM_FILE_BYTES, RANDOM_FILL_CHUNK, true);
}

/* The buffer of the read suites is never touched by the CPU. */
static int setup_random_untouched(struct adb_job *job)
{
    return setup_file(job, RANDOM_NAME, RANDOM_FILE_BYTES, RANDOM_FILL_CHUNK, false);
}

static int cleanup_random(struct adb_job *job)
{
    return cleanup_file(job, RANDOM_NAME);
}

static uint32_t random_offset(struct adb_job *job)
{
    return workload_rand(&job->rand) % (RANDOM_FILE_BYTES - job->block_bytes) & ~SECTOR_MASK;
}

static void set_score(struct adb_score *score, uint64_t bytes, uint64_t ops)
{
    score->bytes = bytes < COUNTER_MAX ? bytes : COUNTER_MAX;
    score->ops = ops;
}

static int run_random_write(struct adb_job *job, struct adb_score *score)
{
    for (uint32_t i = 0; i < RANDOM_OPS; i++) {
        int error = fs_seek(job->file, random_offset(job));

        if (!error)
            error = fs_write(job->file, job->buffer, job->block_bytes);
        if (error)
            return error;
    }
    set_score(score, (uint64_t)RANDOM_OPS * job->block_bytes, RANDOM_OPS);
    return 0;
}

static int run_random_read(struct adb_job *job, struct adb_score *score)
{
    for (uint32_t i = 0; i < RANDOM_OPS; i++) {
        int error = fs_seek(job->file, random_offset(job));

        if (!error)
            error = fs_read(job->file, job->buffer, job->block_bytes, NULL);
        if (error)
            return error;
    }
    set_score(score, (uint64_t)RANDOM_OPS * job->block_bytes, RANDOM_OPS);
    return 0;
}

/* Two rand() per operation: the offset, then the kind. One buffer for both kinds. */
static int run_mixed(struct adb_job *job, struct adb_score *score)
{
    for (uint32_t i = 0; i < MIXED_OPS; i++) {
        const uint32_t offset = random_offset(job);
        const bool reads = workload_rand(&job->rand) % 100 < MIXED_READ_SHARE;
        int error = fs_seek(job->file, offset);

        if (!error && reads)
            error = fs_read(job->file, job->buffer, job->block_bytes, NULL);
        else if (!error)
            error = fs_write(job->file, job->buffer, job->block_bytes);
        if (error)
            return error;
    }
    set_score(score, (uint64_t)MIXED_OPS * job->block_bytes, MIXED_OPS);
    return 0;
}

static int setup_sequential_read(struct adb_job *job)
{
    return setup_file(job, READ_NAME, READ_FILE_BYTES, job->block_bytes, false);
}

static int run_sequential_read(struct adb_job *job, struct adb_score *score)
{
    uint64_t total = 0;
    int error = fs_seek(job->file, 0);

    while (!error && total < READ_FILE_BYTES) {
        const uint64_t left = READ_FILE_BYTES - total;
        uint32_t done = 0;

        error = fs_read(job->file, job->buffer,
                        left < job->block_bytes ? (uint32_t)left : job->block_bytes, &done);
        total += done;
    }
    set_score(score, total, total / job->block_bytes);
    return error;
}

static int cleanup_sequential_read(struct adb_job *job)
{
    return cleanup_file(job, READ_NAME);
}

/* rand() % (file - block) needs a block smaller than the file. */
#define RANDOM_LIMITS                                                                              \
    .max_block_bytes = RANDOM_FILE_BYTES - 1,                                                      \
    .max_text = "the suite works in a file of 64 MiB: the block size must be smaller"

const struct adb_workload adb_random_write = {.setup = setup_random_filled,
                                              .run = run_random_write,
                                              .cleanup = cleanup_random,
                                              RANDOM_LIMITS};
const struct adb_workload adb_random_read = {.setup = setup_random_untouched,
                                             .run = run_random_read,
                                             .cleanup = cleanup_random,
                                             RANDOM_LIMITS};
const struct adb_workload adb_mixed = {
    .setup = setup_random_filled, .run = run_mixed, .cleanup = cleanup_random, RANDOM_LIMITS};
const struct adb_workload adb_sequential_read = {
    .setup = setup_sequential_read, .run = run_sequential_read, .cleanup = cleanup_sequential_read};
