/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random reads in a closed loop, straight on the operating system's path: no file system, buffers
 * registered once. The workload of the speed benchmarks; see run.h.
 */
#include "run/loops.h"
#include "run/state.h"

#include <stdio.h>

#define BLOCK_MOST (UINT64_C(1) << 30)

static struct loop_job reads_of(const struct run_random_read *job)
{
    return (struct loop_job){.depth = job->depth,
                             .block_bytes = job->block_bytes,
                             .footprint = job->footprint,
                             .read_percent = 100};
}

const char *run_random_read_check(const struct run_params *params,
                                  const struct run_random_read *job)
{
    if (job->block_bytes == 0 || job->block_bytes % 4096 != 0 || job->block_bytes > BLOCK_MOST)
        return "--block-size: random-read takes multiples of 4 KiB up to 1 GiB";
    if (job->footprint < job->block_bytes || job->footprint > params->machine.ctrl.namespace_size)
        return "--footprint: allowed: from one block to the whole namespace "
               "(ctrl.namespace_size)";
    const struct loop_job reads = reads_of(job);
    return loops_check(params, &reads);
}

int run_random_read(const struct run_spec *spec, const struct run_random_read *job,
                    struct result *result, char message[RUN_MESSAGE_MAX])
{
    struct run run;
    int error = run_begin(&run, spec, result, message);
    if (error != RUN_OK)
        return error;
    struct loop_job reads = reads_of(job);
    reads.verify = spec->options.verify;
    struct loops loops;
    if (spec->options.verify)
        machine_prefill(run.machine, job->footprint);
    loops_create(&loops, run.machine, &reads, NULL, "random-read");
    snprintf(result->suite, sizeof result->suite, "random-read");
    result->block_bytes = job->block_bytes;
    uint64_t from = host_now(machine_host(run.machine));
    run_timed_begin(&run);
    result->error = loops_run(&loops, job->ios, job->ios);
    run_timed_end(&run);
    if (result->error != NVME_OK) {
        snprintf(message, RUN_MESSAGE_MAX, "random-read ended early: %s",
                 nvme_error_text(result->error));
        error = RUN_E_WORKLOAD;
    }
    result->passes = 1;
    result->pass_ps[0] = host_now(machine_host(run.machine)) - from;
    result->pass_ops[0] = loops.counts.ended;
    result->pass_bytes[0] = loops.counts.ended * job->block_bytes;
    error = run_end(&run, error);
    loops_destroy(&loops);
    return error;
}
