/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the suites of AmigaDiskBench share: the job's state, the three steps that each suite
 * provides, and the writer that all of them use. Included by the adb_*.c files only.
 */
#ifndef WORKLOAD_ADB_INTERNAL_H
#define WORKLOAD_ADB_INTERNAL_H

#include "workload/adb.h"
#include "workload/fs.h"
#include "workload/rand.h"

#define ADB_KIB UINT32_C(1024)
#define ADB_MIB (UINT32_C(1024) * ADB_KIB)

struct adb_job {
    struct fs *fs;
    struct block_device *device;
    const struct workload_params *params;
    const struct adb_workload *work;
    struct workload_rand rand;
    uint32_t block_bytes;
    /* from set-up to clean-up, for the suites that keep a file open */
    struct fs_file *file;
    struct block_buffer *buffer;
};

/* What a pass reports. */
struct adb_score {
    uint64_t bytes, ops;
};

struct adb_workload {
    int (*setup)(struct adb_job *job);                        /* untimed; NULL: nothing */
    int (*run)(struct adb_job *job, struct adb_score *score); /* one pass, timed */
    int (*cleanup)(struct adb_job *job); /* untimed, also after an error; NULL: nothing */
    uint64_t max_block_bytes;            /* 0: no limit but the type's */
    const char *max_text;                /* what is allowed, if there is a limit */
};

extern const struct adb_workload adb_heavy_lifter, adb_legacy, adb_sequential;
extern const struct adb_workload adb_random_write, adb_random_read, adb_mixed, adb_sequential_read;
extern const struct adb_workload adb_sprinter, adb_daily_grind, adb_profiler;

struct block_buffer *adb_buffer(struct adb_job *job, uint32_t bytes);
void adb_buffer_free(struct adb_job *job, struct block_buffer *buffer);

/* Open a new file, take a buffer of `chunk` bytes and set all of it once, write it until the file
 * has `bytes` bytes, free the buffer, close. */
int adb_write_file(struct adb_job *job, const char *name, uint64_t bytes, uint32_t chunk);

#endif
