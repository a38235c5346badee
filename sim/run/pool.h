/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worker processes for runs that share nothing. Results come back in the order of the jobs,
 * whatever the number of workers and whichever finished first.
 */
#ifndef RUN_POOL_H
#define RUN_POOL_H

#include <stddef.h>

#include "run/run.h"

/* The most jobs that one call takes. */
#define POOL_JOBS_MAX 16384

struct pool_outcome {
    int error; /* a run_error */
    char message[RUN_MESSAGE_MAX];
    struct result result;
};

/* Runs work(ctx, index, outcome) for every index below count in up to `workers` processes (1: in
 * this one) and calls finished(ctx, done) after each. Returns 0, or -1 if a worker died or could
 * not be made (the message says which): then outcomes are incomplete. */
int pool_run(size_t count, unsigned workers,
             void (*work)(void *ctx, size_t index, struct pool_outcome *outcome),
             void (*finished)(void *ctx, size_t done), void *ctx, struct pool_outcome *outcomes,
             char message[RUN_MESSAGE_MAX]);

#endif
