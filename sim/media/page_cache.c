/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The medium of an emulated drive: a file in the page cache of the emulator's host. An operation is
 * handed to a worker thread, which copies and hands back; workers run side by side and each copies
 * at its own bandwidth. Write zeroes and trim are a hop without a copy; verify copies as a read
 * does. A flush keeps a worker in fdatasync, which begins when every write that was started before
 * it has ended. Called by media.c only.
 */
#include <stdlib.h>

#include "engine/clock.h"
#include "media/memory.h"
#include "media/model.h"
#include "media/servers.h"

struct page_cache {
    const struct media_params *params;
    struct servers workers;
    uint64_t writes_end_ps; /* when every write started so far has ended */
};

static void *page_cache_open(struct media *media)
{
    struct page_cache *cache = media_allocate(1, sizeof *cache);

    cache->params = &media->params;
    servers_init(&cache->workers, media->params.workers);
    return cache;
}

static void page_cache_close(void *model)
{
    struct page_cache *cache = model;

    servers_free(&cache->workers);
    free(cache);
}

static struct media_span page_cache_span(void *model, enum media_op op, uint64_t offset,
                                         uint64_t bytes, uint64_t now_ps)
{
    struct page_cache *cache = model;
    const struct media_params *params = cache->params;
    struct media_span span;

    (void)offset;
    span.start_ps = media_later(now_ps, servers_earliest(&cache->workers));
    if (op == MEDIA_FLUSH)
        span.start_ps = media_later(span.start_ps, cache->writes_end_ps);
    span.end_ps = span.start_ps + params->hop_latency;
    switch (op) {
    case MEDIA_READ:
    case MEDIA_VERIFY:
        span.end_ps += clock_transfer_ps(bytes, params->cache_read_bandwidth);
        break;
    case MEDIA_WRITE:
        span.end_ps += clock_transfer_ps(bytes, params->cache_write_bandwidth);
        break;
    case MEDIA_FLUSH:
        span.end_ps += params->cache_flush_latency;
        break;
    case MEDIA_ZERO:
    case MEDIA_TRIM:
        break;
    }
    if (op == MEDIA_WRITE || op == MEDIA_ZERO || op == MEDIA_TRIM)
        cache->writes_end_ps = media_later(cache->writes_end_ps, span.end_ps);
    servers_occupy(&cache->workers, span.end_ps);
    return span;
}

static uint64_t page_cache_flush_ps(const void *model)
{
    const struct media_params *params = ((const struct page_cache *)model)->params;

    return params->hop_latency + params->cache_flush_latency;
}

static void page_cache_power_loss(void *model, uint64_t now_ps)
{
    struct page_cache *cache = model;

    (void)now_ps;
    servers_reset(&cache->workers);
    cache->writes_end_ps = 0;
}

const struct media_model media_page_cache = {.open = page_cache_open,
                                             .close = page_cache_close,
                                             .span = page_cache_span,
                                             .flush_ps = page_cache_flush_ps,
                                             .power_loss = page_cache_power_loss};
