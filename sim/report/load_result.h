/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one run of the load generator (run/load.h) yields: plain numbers that worker processes hand
 * over and that the printers of curves read. All of them belong to the timed part (warm-up and
 * drain excluded) unless they say otherwise.
 */
#ifndef REPORT_LOAD_RESULT_H
#define REPORT_LOAD_RESULT_H

#include "report/result.h"

/* Points of the time series: an even number, see load_series_add(). */
#define LOAD_INTERVALS 256u

/* Completions over time, in intervals of equal length. When the last one is over, each two become
 * one of twice the length, so a series of any duration has between half and all of the points. */
struct load_series {
    uint64_t interval_ps; /* 0: not yet begun */
    uint32_t count;       /* intervals in use, the last one incomplete */
    uint32_t ended[LOAD_INTERVALS];
};

struct load_result {
    uint64_t reads, writes; /* requests that ended */
    uint64_t bytes;
    uint64_t window_ps;         /* duration of the timed part */
    uint64_t latency_sum_ps;    /* from the host's call to its completion callback */
    uint64_t in_flight_area_ps; /* integral of the number of requests in flight over time */
    uint64_t latency_least_ps, latency_most_ps;
    uint64_t p50_ps, p99_ps, p999_ps;            /* off by at most 1/128 (engine/stats.h) */
    uint64_t link_down_busy_ps, link_up_busy_ps; /* towards the device; towards the host */
    uint64_t refused;                            /* requests that the driver took no more of */
    uint64_t cpu_busy_ps, lock_wait_ps;          /* of all CPUs; waiting is busy, too */
    struct result_counters counters;
    struct load_series series;
    uint64_t blocks_verified, blocks_mismatched; /* over the whole run */
};

void load_series_begin(struct load_series *series, uint64_t interval_ps);
/* A completion at `at_ps` after the beginning. Times never go back. */
void load_series_add(struct load_series *series, uint64_t at_ps);

/* 0 where nothing ended. */
double load_iops(const struct load_result *result);
double load_mb_per_s(const struct load_result *result); /* 10^6 bytes, as data sheets count */
double load_mean_latency_us(const struct load_result *result);
double load_mean_in_flight(const struct load_result *result);
/* (in flight - throughput * latency) / in flight: 0 if Little's law holds exactly. */
double load_little_error(const struct load_result *result);
/* Share of the time in which the busier direction of the link carried something, 0..1. */
double load_link_use(const struct load_result *result);

#endif
