/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One job in as many closed loops (loop.h) as the machine has CPUs, each on its own CPU and through
 * that CPU's path. They count together, so the job is over for all at the same time. With one CPU
 * this is one loop, called where it stands. For the files of sim/run only.
 */
#ifndef RUN_LOOPS_H
#define RUN_LOOPS_H

#include "run/loop.h"
#include "run/params.h"

struct loops {
    struct machine *machine;
    struct loop_counts counts;
    unsigned count;
    struct loop *loop; /* of each CPU */
};

/* How deep each loop may be where the driver refuses what it has no slot for; UINT64_MAX where it
 * does not. */
uint64_t loops_most_depth(const struct run_params *params);
/* NULL if the machine's CPUs can run the job, else one sentence (valid until the next call). */
const char *loops_check(const struct run_params *params, const struct loop_job *job);

/* As loop_create(); job->depth is that of each loop. */
void loops_create(struct loops *loops, struct machine *machine, const struct loop_job *job,
                  const struct loop_meter *meter, const char *name);
void loops_destroy(struct loops *loops);

/* The same as for one loop, on all CPUs at once; the nvme_error of the first that has one. */
int loops_run(struct loops *loops, uint64_t ended, uint64_t limit);
int loops_drain(struct loops *loops);
int loops_read_back(struct loops *loops);

#endif
