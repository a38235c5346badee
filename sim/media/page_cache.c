/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The medium of an emulated drive: a file in the page cache of the emulator's host. An operation is
 * handed to a worker thread, which copies and hands back; workers run side by side and each copies
 * at its own bandwidth. Write zeroes is a hop without a copy. A flush keeps a worker in fdatasync,
 * which begins when every write that was started before it has ended. Called by media.c only.
 */
#include "engine/clock.h"
#include "media/model.h"

struct media_span media_page_cache_span(struct media *media, enum media_op op, uint32_t bytes,
                                        uint64_t now_ps)
{
    const struct media_params *params = &media->params;
    struct media_span span;

    span.start_ps = media_later(now_ps, servers_earliest(&media->servers));
    if (op == MEDIA_FLUSH)
        span.start_ps = media_later(span.start_ps, media->writes_end_ps);
    span.end_ps = span.start_ps + params->hop_latency;
    switch (op) {
    case MEDIA_READ:
        span.end_ps += clock_transfer_ps(bytes, params->cache_read_bandwidth);
        break;
    case MEDIA_WRITE:
        span.end_ps += clock_transfer_ps(bytes, params->cache_write_bandwidth);
        break;
    case MEDIA_FLUSH:
        span.end_ps += params->cache_flush_latency;
        break;
    case MEDIA_ZERO:
        break;
    }
    servers_occupy(&media->servers, span.end_ps);
    return span;
}
