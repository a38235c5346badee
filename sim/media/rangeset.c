/* SPDX-License-Identifier: BSD-2-Clause */
#include "media/rangeset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rangeset_free(struct rangeset *set)
{
    free(set->ranges);
    *set = (struct rangeset){.ranges = NULL};
}

void rangeset_clear(struct rangeset *set)
{
    set->count = 0;
}

/* The first range that ends behind `block`: the one that holds it, or the next. */
static size_t lookup(const struct rangeset *set, uint64_t block)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->ranges[middle].end <= block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Ranges [at, at + gone) become the `count` given ones. */
static void replace(struct rangeset *set, size_t at, size_t gone, const struct range *by,
                    size_t count)
{
    size_t size = set->count - gone + count;

    if (size > set->capacity) {
        size_t capacity = size < 8 ? 8 : size * 2;
        struct range *bigger = realloc(set->ranges, capacity * sizeof *bigger);

        if (bigger == NULL) {
            fprintf(stderr, "doorbell: out of memory for a medium\n");
            exit(4);
        }
        set->ranges = bigger;
        set->capacity = capacity;
    }
    if (set->count > at + gone)
        memmove(&set->ranges[at + count], &set->ranges[at + gone],
                (set->count - at - gone) * sizeof set->ranges[0]);
    if (count > 0)
        memcpy(&set->ranges[at], by, count * sizeof set->ranges[0]);
    set->count = size;
}

void rangeset_add(struct rangeset *set, uint64_t first, uint64_t count)
{
    struct range merged = {first, first + count};
    /* One that ends just before is a neighbour, too. */
    size_t at = lookup(set, first == 0 ? 0 : first - 1);
    size_t end = at;

    while (end < set->count && set->ranges[end].first <= merged.end) {
        if (set->ranges[end].first < merged.first)
            merged.first = set->ranges[end].first;
        if (set->ranges[end].end > merged.end)
            merged.end = set->ranges[end].end;
        end++;
    }
    replace(set, at, end - at, &merged, 1);
}

void rangeset_remove(struct rangeset *set, uint64_t first, uint64_t count)
{
    uint64_t behind = first + count;
    size_t at = lookup(set, first);
    size_t end = at;
    struct range left[2];
    size_t kept = 0;

    while (end < set->count && set->ranges[end].first < behind) {
        const struct range *range = &set->ranges[end++];

        if (range->first < first)
            left[kept++] = (struct range){range->first, first};
        if (range->end > behind)
            left[kept++] = (struct range){behind, range->end};
    }
    replace(set, at, end - at, left, kept);
}

bool rangeset_touches(const struct rangeset *set, uint64_t first, uint64_t count, uint64_t *which)
{
    size_t at;

    if (set->count == 0)
        return false;
    at = lookup(set, first);
    if (at == set->count || set->ranges[at].first >= first + count)
        return false;
    if (which != NULL)
        *which = set->ranges[at].first > first ? set->ranges[at].first : first;
    return true;
}
