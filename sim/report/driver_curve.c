/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The figures of drivers' curves, and what their printers ask; see driver_curve.h.
 */
#include "report/driver_curve.h"

#include <string.h>

static double requests(const struct driver_point *point)
{
    return (double)(point->result.reads + point->result.writes);
}

static double per_request(const struct driver_point *point, uint64_t total)
{
    return requests(point) > 0 ? (double)total / requests(point) : 0;
}

/* Of the time that all CPUs had. */
static double percent_of_time(const struct driver_point *point, uint64_t ps)
{
    double all = (double)point->result.window_ps * (double)point->cpus;

    return all > 0 ? (double)ps / all * 100 : 0;
}

static double kiops(const struct driver_point *point)
{
    return load_iops(&point->result) / 1e3;
}

static double mb_per_s(const struct driver_point *point)
{
    return load_mb_per_s(&point->result);
}

static double mean_us(const struct driver_point *point)
{
    return load_mean_latency_us(&point->result);
}

static double p50_us(const struct driver_point *point)
{
    return (double)point->result.p50_ps / 1e6;
}

static double p99_us(const struct driver_point *point)
{
    return (double)point->result.p99_ps / 1e6;
}

static double p999_us(const struct driver_point *point)
{
    return (double)point->result.p999_ps / 1e6;
}

static double cpu_use(const struct driver_point *point)
{
    return percent_of_time(point, point->result.cpu_busy_ps);
}

static double cpu_us(const struct driver_point *point)
{
    return per_request(point, point->result.cpu_busy_ps) / 1e6;
}

static double lock_wait(const struct driver_point *point)
{
    return percent_of_time(point, point->result.lock_wait_ps);
}

static double interrupts(const struct driver_point *point)
{
    return per_request(point, point->result.counters.interrupts);
}

static double copied(const struct driver_point *point)
{
    return per_request(point, point->result.counters.bytes_copied);
}

static double sq_doorbells(const struct driver_point *point)
{
    return per_request(point, point->result.counters.sq_doorbells);
}

static double cq_doorbells(const struct driver_point *point)
{
    return per_request(point, point->result.counters.cq_doorbells);
}

static double register_writes(const struct driver_point *point)
{
    const struct result_counters *counters = &point->result.counters;

    return per_request(point, counters->sq_doorbells + counters->cq_doorbells +
                                  counters->other_register_writes);
}

static double refused(const struct driver_point *point)
{
    double asked = requests(point) + (double)point->result.refused;

    return asked > 0 ? (double)point->result.refused / asked * 100 : 0;
}

static const struct driver_figure
    figure_kiops = {"kiops", "kIOPS", "1000 I/Os per second", 1, kiops},
    figure_mb_per_s = {"mb_per_s", "MB/s", "throughput, MB/s", 1, mb_per_s},
    figure_mean = {"mean_us", "mean us", "mean latency, us", 2, mean_us},
    figure_p50 = {"p50_us", "p50 us", "median latency, us", 2, p50_us},
    figure_p99 = {"p99_us", "p99 us", "99th percentile, us", 2, p99_us},
    figure_p999 = {"p999_us", "p99.9 us", "99.9th percentile, us", 2, p999_us},
    figure_cpu = {"cpu_percent", "CPU %", "CPU time used, %", 1, cpu_use},
    figure_cpu_us = {"cpu_us", "CPU us/IO", "CPU time per request, us", 2, cpu_us},
    figure_lock = {"lock_wait_percent", "lock %", "waiting for locks, % of CPU time", 1, lock_wait},
    figure_irq = {"interrupts", "irq/IO", "interrupts per request", 3, interrupts},
    figure_copied = {"copied_bytes", "copied B/IO", "bytes copied per request", 0, copied},
    figure_sq = {"sq_doorbells", "SQ db/IO", "SQ doorbell writes per request", 3, sq_doorbells},
    figure_cq = {"cq_doorbells", "CQ db/IO", "CQ doorbell writes per request", 3, cq_doorbells},
    figure_writes = {"register_writes", "writes/IO", "register writes per request", 3,
                     register_writes},
    figure_refused = {"refused_percent", "refused %", "requests refused, %", 1, refused};

const struct driver_figure *const driver_figures[] = {
    &figure_kiops, &figure_mb_per_s, &figure_mean,    &figure_p50, &figure_p99,    &figure_p999,
    &figure_cpu,   &figure_cpu_us,   &figure_lock,    &figure_irq, &figure_copied, &figure_sq,
    &figure_cq,    &figure_writes,   &figure_refused, NULL};

static const struct driver_curve curves_of[DRIVER_CURVE_KINDS] = {
    [DRIVER_CURVE_CPUS] = {"cpus",
                           "random 4 KiB reads over CPUs",
                           "cpus",
                           "CPUs",
                           false,
                           {&figure_kiops, &figure_lock, &figure_irq, &figure_cpu, &figure_cpu_us,
                            &figure_mean, &figure_p99},
                           2},
    [DRIVER_CURVE_COPIES] = {"copies",
                             "sequential reads over block size",
                             "block",
                             "block size",
                             true,
                             {&figure_mb_per_s, &figure_cpu_us, &figure_copied, &figure_cpu,
                              &figure_writes, &figure_mean},
                             2},
    [DRIVER_CURVE_DOORBELLS] = {"doorbells",
                                "random 4 KiB reads over depth",
                                "depth",
                                "requests in flight",
                                false,
                                {&figure_kiops, &figure_writes, &figure_sq, &figure_cq, &figure_irq,
                                 &figure_cpu, &figure_mean},
                                2},
    [DRIVER_CURVE_OVERLOAD] = {"overload",
                               "random 4 KiB reads in bursts",
                               "burst",
                               "requests of a burst",
                               false,
                               {&figure_refused, &figure_p99, &figure_kiops, &figure_mean,
                                &figure_p50, &figure_p999, &figure_cpu},
                               3},
};

const struct driver_curve *driver_curve_of(enum driver_curve_kind kind)
{
    return &curves_of[kind];
}

const char *driver_curve_name(unsigned kind)
{
    return curves_of[kind].name;
}

uint64_t driver_point_x(const struct driver_point *point)
{
    switch (point->kind) {
    case DRIVER_CURVE_CPUS:
        return point->cpus;
    case DRIVER_CURVE_COPIES:
        return point->block_bytes;
    case DRIVER_CURVE_DOORBELLS:
    case DRIVER_CURVE_OVERLOAD:
    case DRIVER_CURVE_KINDS:
        break;
    }
    return point->depth;
}

const struct driver_point *driver_curve_first(const struct driver_curves *curves,
                                              enum driver_curve_kind kind)
{
    for (size_t i = 0; i < curves->count; i++)
        if (curves->points[i].kind == kind)
            return &curves->points[i];
    return NULL;
}

const struct driver_point *driver_curve_end(const struct driver_curves *curves,
                                            const struct driver_point *point)
{
    const struct driver_point *end = curves->points + curves->count, *at = point;

    while (at < end && at->kind == point->kind && strcmp(at->driver, point->driver) == 0)
        at++;
    return at;
}

const struct driver_point *driver_curve_next(const struct driver_curves *curves,
                                             const struct driver_point *point)
{
    const struct driver_point *next = driver_curve_end(curves, point);

    return next < curves->points + curves->count && next->kind == point->kind ? next : NULL;
}

void driver_curve_blocks(const struct driver_curves *curves, uint64_t *verified,
                         uint64_t *mismatched)
{
    *verified = *mismatched = 0;
    for (size_t i = 0; i < curves->count; i++) {
        *verified += curves->points[i].result.blocks_verified;
        *mismatched += curves->points[i].result.blocks_mismatched;
    }
}
