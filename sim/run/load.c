/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The load generator's meter and its runs; see load.h. The loop itself is loop.c.
 */
#include "run/load.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/stats.h"
#include "run/loops.h"
#include "run/state.h"

/* The time series begins with intervals that are shorter than any useful one; it doubles them. */
#define FIRST_INTERVAL_PS UINT64_C(1000000)

/* In-flight requests are integrated over the whole run; the window is cut out of that. */
struct load_meter {
    struct machine *machine;
    struct load_result *result;
    uint64_t block_bytes;
    uint64_t warm, last; /* the window begins with end number `warm` and ends with number `last` */
    uint64_t ended;
    uint64_t in_flight, changed_ps, area_ps;
    uint64_t began_ps;
    struct link_stats began_link;
    struct usage began_usage;
    struct result_counters began_counters;
    struct stats_histogram latency;
};

static void meter_integrate(struct load_meter *meter, uint64_t now_ps)
{
    meter->area_ps += meter->in_flight * (now_ps - meter->changed_ps);
    meter->changed_ps = now_ps;
}

static void window_begin(struct load_meter *meter, uint64_t now_ps)
{
    meter_integrate(meter, now_ps);
    meter->began_ps = now_ps;
    meter->area_ps = 0;
    link_get_stats(machine_link(meter->machine), &meter->began_link);
    run_usage(meter->machine, &meter->began_usage);
    run_counters(meter->machine, &meter->began_counters);
    load_series_begin(&meter->result->series, FIRST_INTERVAL_PS);
}

/* What the host did in the window. */
static void window_costs(struct load_meter *meter)
{
    struct load_result *result = meter->result;
    struct usage now, spent = {0};
    run_usage(meter->machine, &now);
    run_usage_add(&spent, &meter->began_usage, &now);
    for (unsigned cpu = 0; cpu < spent.cpus; cpu++)
        result->cpu_busy_ps += spent.cpu[cpu].busy_ps;
    result->lock_wait_ps = spent.lock_wait_ps;
    struct result_counters counters;
    run_counters(meter->machine, &counters);
    run_counters_add(&result->counters, &meter->began_counters, &counters);
}

static void window_end(struct load_meter *meter, uint64_t now_ps)
{
    struct load_result *result = meter->result;
    struct link_stats link;
    link_get_stats(machine_link(meter->machine), &link);
    window_costs(meter);
    result->window_ps = now_ps - meter->began_ps;
    result->in_flight_area_ps = meter->area_ps;
    result->latency_sum_ps = meter->latency.sum;
    result->latency_least_ps = meter->latency.minimum;
    result->latency_most_ps = meter->latency.maximum;
    result->p50_ps = stats_histogram_percentile(&meter->latency, 500000);
    result->p99_ps = stats_histogram_percentile(&meter->latency, 990000);
    result->p999_ps = stats_histogram_percentile(&meter->latency, 999000);
    result->link_up_busy_ps = link.up_busy_ps - meter->began_link.up_busy_ps;
    result->link_down_busy_ps = link.down_busy_ps - meter->began_link.down_busy_ps;
    result->bytes = (result->reads + result->writes) * meter->block_bytes;
}

static void meter_started(void *ctx, uint64_t now_ps)
{
    struct load_meter *meter = ctx;
    meter_integrate(meter, now_ps);
    meter->in_flight++;
}

static void meter_ended(void *ctx, const struct loop_slot *slot, uint64_t now_ps)
{
    struct load_meter *meter = ctx;
    struct load_result *result = meter->result;
    meter_integrate(meter, now_ps);
    meter->in_flight--;
    meter->ended++;
    if (meter->ended > meter->warm && meter->ended <= meter->last) {
        if (slot->request.op == NVME_OP_READ)
            result->reads++;
        else
            result->writes++;
        stats_histogram_add(&meter->latency, now_ps - slot->started_ps);
        load_series_add(&result->series, now_ps - meter->began_ps);
    }
    if (meter->ended == meter->warm)
        window_begin(meter, now_ps);
    if (meter->ended == meter->last)
        window_end(meter, now_ps);
}

static void meter_refused(void *ctx, uint64_t now_ps)
{
    struct load_meter *meter = ctx;
    meter_integrate(meter, now_ps);
    meter->in_flight--;
    if (meter->ended >= meter->warm && meter->ended < meter->last)
        meter->result->refused++;
}

uint64_t run_load_least_block(const struct run_params *params)
{
    static const uint64_t bytes[] = {512, 4096}; /* in the order of ctrl.block_bytes' choices */
    return bytes[params->machine.ctrl.block_bytes];
}

static struct loop_job loop_job_of(const struct run_load *job)
{
    return (struct loop_job){.depth = job->depth,
                             .block_bytes = job->block_bytes,
                             .footprint = job->footprint,
                             .read_percent = job->read_percent,
                             .sequential = job->sequential,
                             .burst = job->burst};
}

uint64_t run_load_depth(const struct run_params *params, uint64_t depth)
{
    uint64_t most = loops_most_depth(params);
    if (depth <= most)
        return depth;
    return most == 0 ? 1 : most;
}

const char *run_load_check(const struct run_params *params, const struct run_load *job)
{
    const struct machine_params *machine = &params->machine;
    if (job->block_bytes == 0 || job->block_bytes % run_load_least_block(params) != 0 ||
        job->block_bytes > RUN_LOAD_BLOCK_MOST)
        return "the block size must be a multiple of the drive's block, at most 16 MiB";
    if (job->footprint < job->block_bytes || job->footprint > machine->ctrl.namespace_size)
        return "--footprint: allowed: from one block to the whole namespace "
               "(ctrl.namespace_size)";
    if (job->burst && job->read_percent < 100)
        return "bursts are reads";
    const struct loop_job loops = loop_job_of(job);
    return loops_check(params, &loops);
}

static int load_timed(struct run *run, struct loops *loops, struct load_meter *meter,
                      const struct run_load *job)
{
    int error = NVME_OK;
    if (job->warm_ios == 0)
        window_begin(meter, host_now(machine_host(run->machine)));
    error = loops_run(loops, meter->last, UINT64_MAX);
    if (error == NVME_OK)
        error = loops_drain(loops);
    if (error == NVME_OK && run->spec->options.verify && !job->burst)
        error = loops_read_back(loops);
    return error;
}

int run_load(const struct run_spec *spec, const struct run_load *job, struct load_result *result,
             char message[RUN_MESSAGE_MAX])
{
    struct result unused; /* begin and end of a run fill one in; a curve has other figures */
    struct run run;
    *result = (struct load_result){0};
    int error = run_begin(&run, spec, &unused, message);
    if (error != RUN_OK)
        return error;
    struct loop_job loop_job = loop_job_of(job);
    loop_job.verify = spec->options.verify;
    loop_job.ordinary = job->ordinary && !spec->params->machine.driver.registered_buffers;
    struct load_meter *meter = calloc(1, sizeof *meter);
    struct loops loops;
    if (meter == NULL)
        abort();
    *meter = (struct load_meter){.machine = run.machine,
                                 .result = result,
                                 .block_bytes = job->block_bytes,
                                 .warm = job->warm_ios,
                                 .last = job->warm_ios + job->ios};
    stats_histogram_init(&meter->latency);
    const struct loop_meter hooks = {meter_started, meter_ended, meter_refused, meter};
    if (spec->options.verify && job->read_percent == 100)
        machine_prefill(run.machine, job->footprint);
    loops_create(&loops, run.machine, &loop_job, &hooks, "load");
    int ended = load_timed(&run, &loops, meter, job);
    if (ended != NVME_OK) {
        snprintf(message, RUN_MESSAGE_MAX, "driver %s, drive %s: the load ended early: %s",
                 spec->driver, spec->drive, nvme_error_text(ended));
        error = RUN_E_WORKLOAD;
    }
    error = run_end(&run, error);
    result->blocks_verified = unused.blocks_verified;
    result->blocks_mismatched = unused.blocks_mismatched;
    loops_destroy(&loops);
    free(meter);
    return error;
}
