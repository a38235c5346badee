/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A time line that many share and that is asked for ahead of time: a channel of the flash. What is
 * reserved for a time that has not come counts against the capacity at once but leaves the line
 * open until then, so what is ready earlier may still go before it.
 */
#ifndef MEDIA_LINE_H
#define MEDIA_LINE_H

#include <stdint.h>

struct media_line {
    uint64_t free_ps;                        /* when all work known so far could be done */
    uint64_t latest_start_ps, latest_end_ps; /* the stretch that is taken furthest ahead */
};

/* Take duration_ps of the line, from ready_ps (>= now_ps) on; returns the end. */
static inline uint64_t line_take(struct media_line *line, uint64_t now_ps, uint64_t ready_ps,
                                 uint64_t duration_ps)
{
    uint64_t free_ps = line->free_ps > now_ps ? line->free_ps : now_ps;
    uint64_t start = free_ps > ready_ps ? free_ps : ready_ps;

    if (start < line->latest_end_ps && start + duration_ps > line->latest_start_ps)
        start = line->latest_end_ps;
    if (start > line->latest_end_ps)
        line->latest_start_ps = start;
    if (start >= line->latest_end_ps)
        line->latest_end_ps = start + duration_ps;
    line->free_ps = free_ps + duration_ps;
    return start + duration_ps;
}

#endif
