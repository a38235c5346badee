/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plain statistics structures: a histogram with fio's log-linear buckets (64 per power of two, so a
 * value is off by at most 1/128 of itself) and running sums. They can be subtracted (end minus
 * begin gives a region of interest) and added (runs of several workers); printing is somebody
 * else's job.
 */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include <stdint.h>

#define STATS_SUB_BITS 6u
#define STATS_SUB      (1u << STATS_SUB_BITS)
#define STATS_GROUPS   (64u - STATS_SUB_BITS)
#define STATS_BUCKETS  (STATS_GROUPS * STATS_SUB + STATS_SUB)

struct stats_histogram {
    uint64_t count;
    uint64_t sum;              /* of the values, exact while it fits 64 bits */
    uint64_t minimum, maximum; /* of everything ever added; not subtractable */
    uint64_t buckets[STATS_BUCKETS];
};

void stats_histogram_init(struct stats_histogram *histogram);
void stats_histogram_add(struct stats_histogram *histogram, uint64_t value);
/* to += from */
void stats_histogram_merge(struct stats_histogram *to, const struct stats_histogram *from);
/* to -= from; from must be an earlier copy of to */
void stats_histogram_subtract(struct stats_histogram *to, const struct stats_histogram *from);
/* Smallest bucket middle such that at least `per_million` of the values lie at or below its bucket;
 * 0 if empty. */
uint64_t stats_histogram_percentile(const struct stats_histogram *histogram, uint32_t per_million);
uint32_t stats_bucket_of(uint64_t value);
uint64_t stats_bucket_middle(uint32_t bucket);

#endif
