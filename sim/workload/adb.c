/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of suites and the life of a job: warm-up, set-up, timed passes, clean-up. The suites
 * themselves are in adb_append.c, adb_random.c and adb_small.c.
 */
#include "workload/adb_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WARM_UP_BYTES ADB_MIB
#define WARM_UP_CHUNK (64 * ADB_KIB)
#define WARM_UP_WORD  4u /* the buffer is filled by one rand() per 32-bit word */

const uint64_t adb_block_sizes[ADB_BLOCK_SIZES] = {4096,   16384,  32768,  65536,
                                                   131072, 262144, 1048576};

static const struct adb_suite suites[] = {
    {"Sprinter", "create, write and delete 100 files of 4 KiB", false, 4096, &adb_sprinter},
    {"HeavyLifter", "append a file of 50 MiB", true, 131072, &adb_heavy_lifter},
    {"Legacy", "append a file of 50 MiB", true, 512, &adb_legacy},
    {"DailyGrind", "45 files of random size in chunks of random size", false, 0, &adb_daily_grind},
    {"Sequential", "append a file of 256 MiB", true, 1048576, &adb_sequential},
    {"Random4K", "4096 random writes in 64 MiB", true, 4096, &adb_random_write},
    {"Profiler", "50 directories of 10 files: create, rename, delete", false, 0, &adb_profiler},
    {"SequentialRead", "read a file of 256 MiB", true, 1048576, &adb_sequential_read},
    {"Random4KRead", "4096 random reads in 64 MiB", true, 4096, &adb_random_read},
    {"MixedRW70/30", "2048 random reads (70 %) and writes in 64 MiB", true, 4096, &adb_mixed},
};

const struct adb_suite *adb_suites(size_t *count)
{
    *count = sizeof(suites) / sizeof(suites[0]);
    return suites;
}

const struct adb_suite *adb_find(const char *name)
{
    if (strcasecmp(name, "MixedRW") == 0)
        name = "MixedRW70/30";
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
        if (strcasecmp(suites[i].name, name) == 0)
            return &suites[i];
    return NULL;
}

const char *adb_error_text(int error)
{
    switch (error) {
    case ADB_E_BLOCK_SIZE:
        return "the suite cannot run with this block size";
    case ADB_E_PARAMS:
        return "the parameters of the workload contradict each other";
    default:
        return fs_error_text(error);
    }
}

/* The smallest that AmigaDiskBench offers (Legacy's default); below it every write is a read, a
 * change and a write of a whole block. */
#define ADB_BLOCK_LEAST 512u

const char *adb_block_size_check(const struct adb_suite *suite, uint64_t block_bytes)
{
    if (suite->default_block_bytes == 0 || block_bytes == 0)
        return NULL;
    if (suite->work->max_block_bytes && block_bytes > suite->work->max_block_bytes)
        return suite->work->max_text;
    if (block_bytes > UINT32_MAX)
        return "a block size is less than 4 GiB";
    if (block_bytes < ADB_BLOCK_LEAST)
        return "a block size is at least 512 bytes";
    return NULL;
}

struct block_buffer *adb_buffer(struct adb_job *job, uint32_t bytes)
{
    return job->device->ops->buffer_alloc(job->device->ctx, bytes,
                                          (uint32_t)job->params->buffer_alignment);
}

void adb_buffer_free(struct adb_job *job, struct block_buffer *buffer)
{
    if (buffer)
        job->device->ops->buffer_free(job->device->ctx, buffer);
}

int adb_write_file(struct adb_job *job, const char *name, uint64_t bytes, uint32_t chunk)
{
    struct fs_file *file;
    int error = fs_open_new(job->fs, name, &file);

    if (error)
        return error;
    struct block_buffer *buffer = adb_buffer(job, chunk);
    job->device->ops->buffer_fill(job->device->ctx, buffer, 0, chunk);
    for (uint64_t written = 0; written < bytes && !error; written += chunk)
        error =
            fs_write(file, buffer, bytes - written < chunk ? (uint32_t)(bytes - written) : chunk);
    adb_buffer_free(job, buffer);
    const int close_error = fs_close(file);
    return error ? error : close_error;
}

/* 1 MiB in 16 x 64 KiB written, read back, deleted; before that 16,384 calls of rand(). */
static int warm_up(struct adb_job *job)
{
    const char *name = "warmup.tmp";
    struct fs_file *file;
    struct block_buffer *buffer = adb_buffer(job, WARM_UP_CHUNK);

    for (uint32_t i = 0; i < WARM_UP_CHUNK / WARM_UP_WORD; i++)
        (void)workload_rand(&job->rand);
    job->device->ops->buffer_fill(job->device->ctx, buffer, 0, WARM_UP_CHUNK);
    int error = fs_open_new(job->fs, name, &file);
    for (uint32_t at = 0; at < WARM_UP_BYTES && !error; at += WARM_UP_CHUNK)
        error = fs_write(file, buffer, WARM_UP_CHUNK);
    if (!error)
        error = fs_close(file);
    if (!error)
        error = fs_open_old(job->fs, name, &file);
    for (uint32_t at = 0; at < WARM_UP_BYTES && !error; at += WARM_UP_CHUNK)
        error = fs_read(file, buffer, WARM_UP_CHUNK, NULL);
    if (!error)
        error = fs_close(file);
    if (!error)
        error = fs_delete(job->fs, name);
    adb_buffer_free(job, buffer);
    return error;
}

static int run_passes(struct adb_job *job, const struct adb_observer *observer,
                      struct result *result)
{
    const struct block_device *device = job->device;

    for (uint32_t pass = 0; pass < job->params->passes; pass++) {
        struct adb_score score = {0, 0};

        if (observer && observer->timed_begin)
            observer->timed_begin(observer->ctx, pass);
        const uint64_t begin_ps = device->ops->now(device->ctx);
        const int error = job->work->run(job, &score);
        const uint64_t end_ps = device->ops->now(device->ctx);
        if (observer && observer->timed_end)
            observer->timed_end(observer->ctx, pass);
        if (error)
            return error;
        result->pass_bytes[pass] = score.bytes;
        result->pass_ops[pass] = score.ops;
        result->pass_ps[pass] = end_ps - begin_ps;
        result->passes = pass + 1;
    }
    return 0;
}

static int run_job(struct adb_job *job, const struct adb_observer *observer, struct result *result)
{
    int error = warm_up(job);

    if (error)
        return error;
    if (job->work->setup)
        error = job->work->setup(job);
    if (!error)
        error = run_passes(job, observer, result);
    if (job->work->cleanup) {
        const int cleanup_error = job->work->cleanup(job);

        error = error ? error : cleanup_error;
    }
    return error;
}

int adb_run(const struct adb_suite *suite, struct block_device *device,
            const struct fs_params *fs_params, const struct workload_params *params,
            uint64_t block_bytes, uint64_t seed, const struct adb_observer *observer,
            struct result *result)
{
    struct adb_job job = {.device = device, .params = params, .work = suite->work};

    if (suite->default_block_bytes == 0)
        block_bytes = 0;
    else if (block_bytes == 0)
        block_bytes = suite->default_block_bytes;
    snprintf(result->suite, sizeof(result->suite), "%s", suite->name);
    result->block_bytes = block_bytes;
    result->passes = 0;
    memset(result->pass_bytes, 0, sizeof(result->pass_bytes));
    memset(result->pass_ps, 0, sizeof(result->pass_ps));
    memset(result->pass_ops, 0, sizeof(result->pass_ops));
    if (adb_block_size_check(suite, block_bytes))
        return result->error = ADB_E_BLOCK_SIZE;
    if (workload_params_check(params) || params->passes > RESULT_PASSES_MAX)
        return result->error = ADB_E_PARAMS;

    job.block_bytes = (uint32_t)block_bytes;
    workload_srand(&job.rand, (enum workload_rand_kind)params->rand, seed);
    result->error = fs_create(&job.fs, device, fs_params);
    if (!result->error)
        result->error = run_job(&job, observer, result);
    fs_destroy(job.fs);
    return result->error;
}
