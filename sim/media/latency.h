/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Distributions of a latency as data: points of the inverse cumulative distribution, (percentile,
 * time), with straight lines in between, drawn from a random stream. Integers only.
 */
#ifndef MEDIA_LATENCY_H
#define MEDIA_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/rng.h"

#define LATENCY_POINTS_MAX 12u
/* Percentiles are counted in millionths of a percent. */
#define LATENCY_PERCENT UINT32_C(1000000)
#define LATENCY_WHOLE   (100 * LATENCY_PERCENT)

struct latency_point {
    uint32_t at; /* 0 .. LATENCY_WHOLE */
    uint64_t ps;
};

struct latency_table {
    struct latency_point points[LATENCY_POINTS_MAX];
    uint32_t count; /* 0: there is no table */
};

/* Reads "0:40us 50:54.3us 99:92.6us 100:300us": percentile, colon, time; percentiles from 0 to 100
 * increase, times do not decrease and are at most 10 s. An empty text is no table. NULL if it is
 * good, else what is wrong, as the end of a sentence about the parameter. */
const char *latency_parse(const char *text, struct latency_table *table);

/* The time at `at` of the distribution, ps. The table is not empty. */
uint64_t latency_at(const struct latency_table *table, uint32_t at);

/* A draw, ps. */
static inline uint64_t latency_draw(const struct latency_table *table, struct rng *rng)
{
    /* Uniform below LATENCY_WHOLE up to one part in 2^32 / 10^8. */
    return latency_at(table, (uint32_t)((rng_next(rng) >> 32) * LATENCY_WHOLE >> 32));
}

#endif
