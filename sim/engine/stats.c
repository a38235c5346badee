/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Histogram; see stats.h.
 */
#include "engine/stats.h"

#include <string.h>

void stats_histogram_init(struct stats_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
    histogram->minimum = UINT64_MAX;
}

/* Values below 2 * STATS_SUB have a bucket each; above, the STATS_SUB_BITS bits below the leading
 * one choose the bucket inside its power of two. */
uint32_t stats_bucket_of(uint64_t value)
{
    uint32_t msb = 0;
    for (uint64_t v = value; v > 1; v >>= 1)
        msb++;
    if (msb <= STATS_SUB_BITS)
        return (uint32_t)value;
    uint32_t shift = msb - STATS_SUB_BITS;
    return (shift << STATS_SUB_BITS) + (uint32_t)(value >> shift);
}

uint64_t stats_bucket_middle(uint32_t bucket)
{
    if (bucket < 2 * STATS_SUB)
        return bucket;
    uint32_t shift = (bucket >> STATS_SUB_BITS) - 1;
    uint64_t low = (uint64_t)(STATS_SUB + (bucket & (STATS_SUB - 1))) << shift;
    return low + (UINT64_C(1) << shift >> 1);
}

void stats_histogram_add(struct stats_histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    if (value < histogram->minimum)
        histogram->minimum = value;
    if (value > histogram->maximum)
        histogram->maximum = value;
    histogram->buckets[stats_bucket_of(value)]++;
}

void stats_histogram_merge(struct stats_histogram *to, const struct stats_histogram *from)
{
    to->count += from->count;
    to->sum += from->sum;
    if (from->minimum < to->minimum)
        to->minimum = from->minimum;
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
    for (uint32_t i = 0; i < STATS_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
}

void stats_histogram_subtract(struct stats_histogram *to, const struct stats_histogram *from)
{
    to->count -= from->count;
    to->sum -= from->sum;
    for (uint32_t i = 0; i < STATS_BUCKETS; i++)
        to->buckets[i] -= from->buckets[i];
}

uint64_t stats_histogram_percentile(const struct stats_histogram *histogram, uint32_t per_million)
{
    if (histogram->count == 0)
        return 0;
    /* ceil(count * per_million / 10^6), at least one value; split so that it cannot overflow */
    uint64_t whole = histogram->count / 1000000, rest = histogram->count % 1000000;
    uint64_t want = whole * per_million + (rest * per_million + 999999) / 1000000;
    if (want == 0)
        want = 1;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < STATS_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= want)
            return stats_bucket_middle(i);
    }
    return histogram->maximum;
}
