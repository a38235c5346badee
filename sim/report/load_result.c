/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Figures of a load run, and its time series; see load_result.h.
 */
#include "report/load_result.h"

#include <assert.h>

#include "engine/clock.h"

void load_series_begin(struct load_series *series, uint64_t interval_ps)
{
    *series = (struct load_series){.interval_ps = interval_ps};
}

static void fold(struct load_series *series)
{
    for (uint32_t i = 0; i < LOAD_INTERVALS / 2; i++)
        series->ended[i] = series->ended[2 * i] + series->ended[2 * i + 1];
    for (uint32_t i = LOAD_INTERVALS / 2; i < LOAD_INTERVALS; i++)
        series->ended[i] = 0;
    series->interval_ps *= 2;
    series->count = LOAD_INTERVALS / 2;
}

void load_series_add(struct load_series *series, uint64_t at_ps)
{
    assert(series->interval_ps != 0);
    while (at_ps / series->interval_ps >= LOAD_INTERVALS)
        fold(series);
    uint32_t interval = (uint32_t)(at_ps / series->interval_ps);
    series->ended[interval]++;
    if (series->count <= interval)
        series->count = interval + 1;
}

static double seconds(const struct load_result *result)
{
    return (double)result->window_ps / (double)PS_PER_SECOND;
}

static uint64_t requests(const struct load_result *result)
{
    return result->reads + result->writes;
}

double load_iops(const struct load_result *result)
{
    return result->window_ps == 0 ? 0 : (double)requests(result) / seconds(result);
}

double load_mb_per_s(const struct load_result *result)
{
    return result->window_ps == 0 ? 0 : (double)result->bytes / 1e6 / seconds(result);
}

double load_mean_latency_us(const struct load_result *result)
{
    return requests(result) == 0 ? 0
                                 : (double)result->latency_sum_ps / (double)requests(result) / 1e6;
}

double load_mean_in_flight(const struct load_result *result)
{
    return result->window_ps == 0 ? 0
                                  : (double)result->in_flight_area_ps / (double)result->window_ps;
}

double load_little_error(const struct load_result *result)
{
    double in_flight = load_mean_in_flight(result);
    if (in_flight <= 0)
        return 0;
    return (in_flight - load_iops(result) * load_mean_latency_us(result) / 1e6) / in_flight;
}

double load_link_use(const struct load_result *result)
{
    uint64_t busy = result->link_up_busy_ps > result->link_down_busy_ps ? result->link_up_busy_ps
                                                                        : result->link_down_busy_ps;
    return result->window_ps == 0 ? 0 : (double)busy / (double)result->window_ps;
}
