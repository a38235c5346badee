/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A medium of fixed access time: `units` operations are worked on at once, each for the latency of
 * its kind, and then its data passes a line that all units share, one for each direction. Write
 * zeroes takes the latency of a write and moves no data. A flush begins when every write that was
 * started before it has ended; it belongs to the device as a whole and takes no unit. Called by
 * media.c only.
 */
#include "engine/clock.h"
#include "media/model.h"

struct media_span media_fixed_span(struct media *media, enum media_op op, uint32_t bytes,
                                   uint64_t now_ps)
{
    const struct media_params *params = &media->params;
    struct media_span span;
    uint64_t *line_free_ps;
    uint64_t rate;

    if (op == MEDIA_FLUSH) {
        span.start_ps = media_later(now_ps, media->writes_end_ps);
        span.end_ps = span.start_ps + params->flush_latency;
        return span;
    }
    span.start_ps = media_later(now_ps, servers_earliest(&media->servers));
    if (op == MEDIA_READ) {
        span.end_ps = span.start_ps + params->read_latency;
        line_free_ps = &media->read_line_free_ps;
        rate = params->read_bandwidth;
    } else {
        span.end_ps = span.start_ps + params->write_latency;
        line_free_ps = &media->write_line_free_ps;
        rate = params->write_bandwidth;
    }
    if (op != MEDIA_ZERO) {
        /* Starts never go back from one call to the next, so first come is first served on the line
         * as well, and the line is never held for somebody who is not there yet. */
        span.end_ps = media_later(span.end_ps, *line_free_ps) + clock_transfer_ps(bytes, rate);
        *line_free_ps = span.end_ps;
    }
    servers_occupy(&media->servers, span.end_ps);
    return span;
}
