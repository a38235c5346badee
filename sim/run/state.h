/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the runners share; for the files of sim/run only.
 */
#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "report/outfile.h"
#include "run/run.h"
#include "workload/iolog.h"

struct run {
    const struct run_spec *spec;
    struct machine *machine;
    struct rules *rules;
    struct block_device *device; /* the machine's, or the tap in front of it */
    struct result *result;
    char *message;
    struct result_counters before; /* at the begin of the timed part */
    struct usage usage_before;
    /* tracing */
    struct outfile out;
    struct iolog_writer writer;
    struct iolog_tap tap;
    bool tracing;
};

/* Build and start the machine, open the trace. On error everything is taken down again. */
int run_begin(struct run *run, const struct run_spec *spec, struct result *result, char *message);
/* Shut down, complete or abandon the trace, fill the totals of the result. error: what the workload
 * ended with (RUN_OK or a run_error with its message set). Returns the run's run_error. */
int run_end(struct run *run, int error);

void run_counters(const struct machine *machine, struct result_counters *counters);
/* What was counted in between is added to the sum. */
void run_counters_add(struct result_counters *sum, const struct result_counters *before,
                      const struct result_counters *after);
void run_usage(struct machine *machine, struct usage *usage);
void run_usage_add(struct usage *sum, const struct usage *before, const struct usage *after);
/* Run the program on CPU 0 and nothing on the others. NVME_OK, or an error of host_run(). */
int run_on_first(struct run *run, void (*program)(void *ctx), void *ctx);
/* The timed part begins; ends: add what was counted in between to the result. */
void run_timed_begin(struct run *run);
void run_timed_end(struct run *run);

#endif
