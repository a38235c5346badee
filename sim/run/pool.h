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

/* An outcome is a plain structure of the caller's, of at most so many bytes. */
#define POOL_OUTCOME_MAX 4000

/* Runs work(ctx, index, outcome) for every index below count in up to `workers` processes (1: in
 * this one) and calls finished(ctx, done) after each. `outcome` is zeroed before; outcomes is an
 * array of count structures of outcome_bytes bytes each. Returns 0, or -1 if a worker died or could
 * not be made (the message says which): then outcomes are incomplete. */
int pool_run(size_t count, unsigned workers, void (*work)(void *ctx, size_t index, void *outcome),
             void (*finished)(void *ctx, size_t done), void *ctx, void *outcomes,
             size_t outcome_bytes, char message[RUN_MESSAGE_MAX]);

#endif
