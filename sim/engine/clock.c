/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Clock domains and transfer times; see clock.h.
 */
#include "engine/clock.h"

#include <assert.h>

void clock_init(struct clock_domain *clock, uint64_t hz)
{
    assert(hz >= 1 && hz <= PS_PER_SECOND);
    clock->hz = hz;
    clock->ps_whole = PS_PER_SECOND / hz;
    clock->rest = PS_PER_SECOND % hz;
    clock->carry = 0;
}

uint64_t clock_advance_long(struct clock_domain *clock, uint64_t cycles)
{
    /* Long division in two digits of 16 bits: every product stays below 2^57. */
    assert(cycles >> 32 == 0);
    uint64_t high = (cycles >> 16) * clock->rest;
    uint64_t low =
        (high % clock->hz << 16) + (cycles & UINT64_C(0xffff)) * clock->rest + clock->carry;
    clock->carry = low % clock->hz;
    return (high / clock->hz << 16) + low / clock->hz;
}

#define RATE_MOST UINT64_C(10000000000000) /* times 10^6 still fits 64 bits */

uint64_t clock_transfer_ps(uint64_t bytes, uint64_t bytes_per_second)
{
    assert(bytes < UINT64_C(1) << 40 && bytes_per_second >= 1 && bytes_per_second <= RATE_MOST);
    /* bytes * 10^12 does not fit 64 bits: take whole seconds first, then two steps of 10^6. */
    uint64_t seconds = bytes / bytes_per_second;
    uint64_t left = bytes % bytes_per_second;
    if (left <= (UINT64_MAX - bytes_per_second) / PS_PER_SECOND)
        return seconds * PS_PER_SECOND +
               (left * PS_PER_SECOND + bytes_per_second - 1) / bytes_per_second;
    uint64_t us = left * PS_PER_US / bytes_per_second;
    uint64_t rest = left * PS_PER_US % bytes_per_second;
    return seconds * PS_PER_SECOND + us * PS_PER_US +
           (rest * PS_PER_US + bytes_per_second - 1) / bytes_per_second;
}
