/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A medium of fixed access time: `units` operations are worked on at once, each for the latency of
 * its kind, and then its data passes a line that all units share, one for each direction. Write
 * zeroes and trim take the latency of a write and move no data; verify takes a read's and moves
 * none either. A flush begins when every write that was started before it has ended; it belongs to
 * the device as a whole and takes no unit. It is equally fast everywhere. Called by media.c only.
 */
#include <stdlib.h>

#include "engine/clock.h"
#include "media/latency.h"
#include "media/memory.h"
#include "media/model.h"
#include "media/servers.h"

struct fixed {
    const struct media_params *params;
    struct servers servers;
    uint64_t read_line_free_ps, write_line_free_ps; /* shared bandwidth: time lines */
    uint64_t writes_end_ps;                         /* when every write started so far has ended */
    struct latency_table read_table, write_table;   /* empty: the latency is constant */
    struct rng read_rng, write_rng;
};

static void *fixed_open(struct media *media)
{
    struct fixed *fixed = media_allocate(1, sizeof *fixed);

    fixed->params = &media->params;
    servers_init(&fixed->servers, media->params.units);
    latency_parse(media->params.read_latency_table, &fixed->read_table);
    latency_parse(media->params.write_latency_table, &fixed->write_table);
    rng_init(&fixed->read_rng, engine_seed(media->engine), "media read latency");
    rng_init(&fixed->write_rng, engine_seed(media->engine), "media write latency");
    return fixed;
}

static void fixed_close(void *model)
{
    struct fixed *fixed = model;

    servers_free(&fixed->servers);
    free(fixed);
}

static inline uint64_t read_ps(struct fixed *fixed)
{
    if (fixed->read_table.count == 0)
        return fixed->params->read_latency;
    return latency_draw(&fixed->read_table, &fixed->read_rng);
}

static inline uint64_t write_ps(struct fixed *fixed)
{
    if (fixed->write_table.count == 0)
        return fixed->params->write_latency;
    return latency_draw(&fixed->write_table, &fixed->write_rng);
}

static struct media_span fixed_span(void *model, enum media_op op, uint64_t offset, uint64_t bytes,
                                    uint64_t now_ps)
{
    struct fixed *fixed = model;
    const struct media_params *params = fixed->params;
    struct media_span span;

    (void)offset;
    if (op == MEDIA_FLUSH) {
        span.start_ps = media_later(now_ps, fixed->writes_end_ps);
        span.end_ps = span.start_ps + params->flush_latency;
        return span;
    }
    /* Starts never go back from one call to the next, so first come is first served on the lines as
     * well, and a line is never held for somebody who is not there yet. */
    span.start_ps = media_later(now_ps, servers_earliest(&fixed->servers));
    if (op == MEDIA_READ) {
        span.end_ps = media_later(span.start_ps + read_ps(fixed), fixed->read_line_free_ps) +
                      clock_transfer_ps(bytes, params->read_bandwidth);
        fixed->read_line_free_ps = span.end_ps;
    } else if (op == MEDIA_VERIFY) {
        span.end_ps = span.start_ps + read_ps(fixed);
    } else {
        span.end_ps = span.start_ps + write_ps(fixed);
        if (op == MEDIA_WRITE) {
            span.end_ps = media_later(span.end_ps, fixed->write_line_free_ps) +
                          clock_transfer_ps(bytes, params->write_bandwidth);
            fixed->write_line_free_ps = span.end_ps;
        }
        fixed->writes_end_ps = media_later(fixed->writes_end_ps, span.end_ps);
    }
    servers_occupy(&fixed->servers, span.end_ps);
    return span;
}

static uint64_t fixed_flush_ps(const void *model)
{
    return ((const struct fixed *)model)->params->flush_latency;
}

static void fixed_power_loss(void *model, uint64_t now_ps)
{
    struct fixed *fixed = model;

    (void)now_ps;
    servers_reset(&fixed->servers);
    fixed->read_line_free_ps = fixed->write_line_free_ps = fixed->writes_end_ps = 0;
}

const struct media_model media_fixed = {.open = fixed_open,
                                        .close = fixed_close,
                                        .span = fixed_span,
                                        .flush_ps = fixed_flush_ps,
                                        .power_loss = fixed_power_loss};
