/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replays a trace (iolog.h) on a block device: synchronously, in order, one request at a time, as
 * the benchmark programs work. Called by the machine for `doorbell replay`. Only one line of the
 * trace and one buffer are held in memory, however long the trace.
 *
 * Traces written here have `trim` for Write Zeroes, and foreign ones for Deallocate: what a trim
 * line shall mean must be said, or it is an error.
 */
#ifndef WORKLOAD_REPLAY_H
#define WORKLOAD_REPLAY_H

#include "report/result.h"
#include "workload/block.h"
#include "workload/iolog.h"

enum replay_trim {
    REPLAY_TRIM_ERROR,     /* refuse it */
    REPLAY_TRIM_SKIP,      /* leave it out */
    REPLAY_TRIM_ZERO,      /* BLOCK_ZERO: what traces of our own mean */
    REPLAY_TRIM_DEALLOCATE /* BLOCK_DEALLOCATE: what traces of others mean */
};

struct replay_options {
    bool timed; /* no request starts before its time stamp, counted from the start */
    enum replay_trim trim;
    uint32_t buffer_alignment; /* workload.buffer_alignment */
};

/* Longest request that is replayed: one buffer of this size is the most that is allocated. */
#define REPLAY_REQUEST_MAX (UINT32_C(256) << 20)

enum replay_error {
    REPLAY_E_REQUEST = -140, /* a request that the device cannot take: see the message */
    REPLAY_E_DEVICE = -141   /* the device failed it: result->error says how */
};

/* Runs the trace to its end. Fills block_bytes (0), passes (1), pass_bytes (read and written),
 * pass_ops (requests of every kind), pass_ps and error of the result. Returns 0, an iolog_error or
 * a replay_error, with a message "name:line: what, what is allowed". */
int replay_run(struct iolog_reader *reader, struct block_device *device,
               const struct replay_options *options, struct result *result,
               char message[IOLOG_MESSAGE_MAX]);

#endif
