/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Clock domains: cycles of a CPU, controller or link clock as simulated time, exactly and without
 * drift: the fraction of a picosecond that a conversion leaves over is carried to the next one, so
 * any number of cycles in any number of steps ends at the same time as in one step.
 */
#ifndef ENGINE_CLOCK_H
#define ENGINE_CLOCK_H

#include "config/param.h"

#define PS_PER_SECOND UINT64_C(1000000000000)
#define PS_PER_NS     UINT64_C(1000)
#define PS_PER_US     UINT64_C(1000000)
#define PS_PER_MS     UINT64_C(1000000000)

struct clock_domain {
    uint64_t hz;
    uint64_t ps_whole; /* whole picoseconds of a cycle */
    uint64_t rest;     /* and the rest, in 1/hz of a picosecond */
    uint64_t carry;    /* left over so far, in 1/hz of a picosecond */
};

/* hz: 1 .. 10^12. */
void clock_init(struct clock_domain *clock, uint64_t hz);

/* The fraction of `cycles` cycles of a clock whose cycle is no whole number of picoseconds, where
 * the product with `rest` need not fit 64 bits. */
uint64_t clock_advance_long(struct clock_domain *clock, uint64_t cycles);

#define CLOCK_SHORT_CYCLES (UINT64_C(1) << 20) /* below this, cycles * rest (< 2^40) fits */

/* Duration of the next `cycles` cycles, ps. cycles < 2^32, and the result must fit 64 bits. */
static inline uint64_t clock_advance(struct clock_domain *clock, uint64_t cycles)
{
    uint64_t ps = cycles * clock->ps_whole;
    if (clock->rest != 0) {
        if (cycles >= CLOCK_SHORT_CYCLES)
            return ps + clock_advance_long(clock, cycles);
        clock->carry += cycles * clock->rest;
        ps += clock->carry / clock->hz;
        clock->carry %= clock->hz;
    }
    return ps;
}

/* A cost as a duration in ps: a time as it is, cycles by this clock. */
static inline uint64_t clock_cost(struct clock_domain *clock, struct param_cost cost)
{
    return cost.cycles ? clock_advance(clock, cost.amount) : cost.amount;
}

/* Time that `bytes` take at `bytes_per_second`, ps, rounded up; no drift to speak of: at most 1 ps
 * per transfer. bytes < 2^40, rate 1 .. 10^13, and the result must fit 64 bits (213 days). */
uint64_t clock_transfer_ps(uint64_t bytes, uint64_t bytes_per_second);

#endif
