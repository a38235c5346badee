/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The medium as the controller sees it: choice of a timing model, counters, and the one event that
 * each operation costs. Also the null model, which takes no time, and the servers that the other
 * models share. Contents live in store.c; time never depends on them.
 */
#include "media/media.h"

#include <stdio.h>
#include <stdlib.h>

#include "media/model.h"

#define PARAM_AS_ROWS struct media_params
#include "config/param_begin.h"
const struct param_row media_rows[] = {
#include "media/media.def"
};
#include "config/param_end.h"
const size_t media_row_count = sizeof media_rows / sizeof media_rows[0];

static void *must_allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);

    if (memory == NULL) {
        fprintf(stderr, "doorbell: out of memory for a medium\n");
        exit(4);
    }
    return memory;
}

void servers_init(struct servers *servers, uint64_t count)
{
    servers->count = (uint32_t)count;
    servers->free_ps = must_allocate(count, sizeof *servers->free_ps);
}

void servers_free(struct servers *servers)
{
    free(servers->free_ps);
}

uint64_t servers_earliest(const struct servers *servers)
{
    return servers->free_ps[0];
}

void servers_occupy(struct servers *servers, uint64_t until_ps)
{
    uint64_t *heap = servers->free_ps;
    uint32_t count = servers->count;
    uint32_t at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= count)
            break;
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= until_ps)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = until_ps;
}

struct media_span media_null_span(struct media *media, enum media_op op, uint32_t bytes,
                                  uint64_t now_ps)
{
    (void)media, (void)op, (void)bytes;
    return (struct media_span){now_ps, now_ps};
}

struct media *media_create(struct engine *engine, const struct media_params *params)
{
    struct media *media = must_allocate(1, sizeof *media);
    uint64_t servers = 1;

    media->engine = engine;
    media->params = *params;
    switch ((enum media_kind)params->kind) {
    case MEDIA_NULL:
        media->span = media_null_span;
        break;
    case MEDIA_FIXED:
        media->span = media_fixed_span;
        servers = params->units;
        break;
    case MEDIA_PAGE_CACHE:
        media->span = media_page_cache_span;
        servers = params->workers;
        break;
    }
    servers_init(&media->servers, servers);
    return media;
}

void media_destroy(struct media *media)
{
    if (media == NULL)
        return;
    servers_free(&media->servers);
    free(media);
}

static void count(struct media_stats *stats, enum media_op op, uint32_t bytes)
{
    switch (op) {
    case MEDIA_READ:
        stats->reads++;
        stats->bytes_read += bytes;
        break;
    case MEDIA_WRITE:
        stats->writes++;
        stats->bytes_written += bytes;
        break;
    case MEDIA_FLUSH:
        stats->flushes++;
        break;
    case MEDIA_ZERO:
        stats->zeroes++;
        break;
    }
}

void media_start(struct media *media, enum media_op op, uint64_t offset, uint32_t bytes,
                 engine_fn *done, void *ctx, uint64_t arg, uint64_t *start_ps)
{
    struct media_span span = media->span(media, op, bytes, engine_now(media->engine));

    (void)offset; /* these media are equally fast everywhere */
    if (op == MEDIA_WRITE || op == MEDIA_ZERO)
        media->writes_end_ps = media_later(media->writes_end_ps, span.end_ps);
    count(&media->stats, op, bytes);
    media->stats.busy_ps += span.end_ps - span.start_ps;
    *start_ps = span.start_ps;
    engine_at(media->engine, span.end_ps, done, ctx, arg);
}

uint64_t media_flush_ps(const struct media *media)
{
    const struct media_params *params = &media->params;

    switch ((enum media_kind)params->kind) {
    case MEDIA_FIXED:
        return params->flush_latency;
    case MEDIA_PAGE_CACHE:
        return params->hop_latency + params->cache_flush_latency;
    case MEDIA_NULL:
        break;
    }
    return 0;
}

void media_get_stats(const struct media *media, struct media_stats *stats)
{
    *stats = media->stats;
}
