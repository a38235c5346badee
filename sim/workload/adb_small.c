/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The suites of small files: Sprinter, DailyGrind and Profiler. Everything in them is timed. Their
 * figures depend on the file system more than on the driver; none were published.
 */
#include "workload/adb_internal.h"

#include <stdio.h>

#define NAME_BYTES 64

#define SPRINTER_FILES      100u
#define SPRINTER_FILE_BYTES 4096u

#define GRIND_SEED        1985u
#define GRIND_FILES       45u
#define GRIND_LARGE_FILES 5u

#define PROFILER_DIRECTORIES 50u
#define PROFILER_FILES       10u /* per directory */
#define PROFILER_BYTES       20u /* per file, and counted per operation */

/* The block size is that of the buffer only: 4 KiB are written whatever it is, in several calls if
 * it is smaller. */
static int run_sprinter(struct adb_job *job, struct adb_score *score)
{
    char name[NAME_BYTES];

    for (uint32_t i = 0; i < SPRINTER_FILES; i++) {
        snprintf(name, sizeof(name), "bench_sprinter_%u.tmp", (unsigned)i);
        int error = adb_write_file(job, name, SPRINTER_FILE_BYTES, job->block_bytes);
        if (!error)
            error = fs_delete(job->fs, name);
        if (error)
            return error;
        score->bytes += SPRINTER_FILE_BYTES;
        score->ops += 2; /* one write, one delete */
    }
    return 0;
}

static int run_daily_grind(struct adb_job *job, struct adb_score *score)
{
    char name[NAME_BYTES];

    /* Every pass the same files, whatever the job's seed. */
    workload_srand(&job->rand, job->rand.kind, GRIND_SEED);
    for (uint32_t i = 0; i < GRIND_FILES; i++) {
        const uint32_t size_rand = workload_rand(&job->rand);
        const uint32_t bytes =
            i < GRIND_LARGE_FILES ? (2 + size_rand % 9) * ADB_MIB : (1 + size_rand % 64) * ADB_KIB;
        const uint32_t chunk = UINT32_C(512) << workload_rand(&job->rand) % 7;

        snprintf(name, sizeof(name), "bench_grind_%u.tmp", (unsigned)i);
        int error = adb_write_file(job, name, bytes, chunk);
        if (!error)
            error = fs_delete(job->fs, name);
        if (error)
            return error;
        score->bytes += bytes;
        score->ops += 2;
    }
    return 0;
}

static void directory_name(char name[NAME_BYTES], uint32_t directory)
{
    snprintf(name, NAME_BYTES, "prof_dir_%u/", (unsigned)directory);
}

static void file_name(char name[NAME_BYTES], uint32_t directory, uint32_t file, const char *suffix)
{
    snprintf(name, NAME_BYTES, "prof_dir_%u/file_%u%s.tmp", (unsigned)directory, (unsigned)file,
             suffix);
}

static int profile_create(struct adb_job *job, struct block_buffer *text, uint32_t directory,
                          uint32_t index, struct adb_score *score)
{
    char name[NAME_BYTES], new_name[NAME_BYTES];
    struct fs_file *file;

    file_name(name, directory, index, "");
    int error = fs_open_new(job->fs, name, &file);
    if (error)
        return error;
    error = fs_write(file, text, PROFILER_BYTES);
    const int close_error = fs_close(file);
    if (error || close_error)
        return error ? error : close_error;
    score->ops++;
    if (index % 2 == 0) {
        file_name(new_name, directory, index, "_renamed");
        error = fs_rename(job->fs, name, new_name);
        score->ops++;
    }
    return error;
}

/* Both names of every file are tried, so half of the deletes find nothing and count for nothing. */
static int profile_delete(struct adb_job *job, uint32_t directory, struct adb_score *score)
{
    static const char *const suffixes[] = {"", "_renamed"};
    char name[NAME_BYTES];

    for (uint32_t index = 0; index < PROFILER_FILES; index++) {
        for (unsigned i = 0; i < 2; i++) {
            file_name(name, directory, index, suffixes[i]);
            const int error = fs_delete(job->fs, name);
            if (error && error != FS_E_NOT_FOUND)
                return error;
        }
        score->ops++;
    }
    directory_name(name, directory);
    score->ops++;
    return fs_delete(job->fs, name);
}

static int run_profiler(struct adb_job *job, struct adb_score *score)
{
    char name[NAME_BYTES];
    int error = 0;

    /* The text is a constant of the program, written by nobody while it runs. */
    struct block_buffer *text = adb_buffer(job, PROFILER_BYTES);
    for (uint32_t d = 0; d < PROFILER_DIRECTORIES && !error; d++) {
        directory_name(name, d);
        error = fs_make_directory(job->fs, name);
        score->ops++;
        for (uint32_t f = 0; f < PROFILER_FILES && !error; f++)
            error = profile_create(job, text, d, f, score);
    }
    for (uint32_t d = 0; d < PROFILER_DIRECTORIES && !error; d++)
        error = profile_delete(job, d, score);
    adb_buffer_free(job, text);
    score->bytes = score->ops * PROFILER_BYTES;
    return error;
}

const struct adb_workload adb_sprinter = {.run = run_sprinter};
const struct adb_workload adb_daily_grind = {.run = run_daily_grind};
const struct adb_workload adb_profiler = {.run = run_profiler};
