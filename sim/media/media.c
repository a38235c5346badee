/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The medium as the controller sees it: choice of a kind, counters, the one event that each
 * operation costs, and what flushes make safe from a loss of power. Contents live in store.c; time
 * never depends on them.
 */
#include "media/media.h"

#include <assert.h>
#include <stdlib.h>

#include "media/flash.h"
#include "media/map_cache.h"
#include "media/memory.h"
#include "media/model.h"
#include "media/store.h"

static const struct media_model *const kinds[] = {
    [MEDIA_NULL] = &media_null,
    [MEDIA_FIXED] = &media_fixed,
    [MEDIA_PAGE_CACHE] = &media_page_cache,
    [MEDIA_NAND] = &media_nand,
};

struct media *media_create(struct engine *engine, const struct media_params *params,
                           uint64_t capacity)
{
    struct media *media = media_allocate(1, sizeof *media);

    media->engine = engine;
    media->params = *params;
    media->capacity = capacity;
    media->kind = kinds[params->kind];
    media->span = media->kind->span;
    media->model = media->kind->open(media);
    return media;
}

void media_destroy(struct media *media)
{
    if (media == NULL)
        return;
    media->kind->close(media->model);
    free(media->marks);
    free(media);
}

static void count(struct media_stats *stats, enum media_op op, uint64_t bytes)
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
    case MEDIA_TRIM:
        stats->trims++;
        break;
    case MEDIA_VERIFY:
        stats->verifies++;
        break;
    }
}

/* ---- what survives ---- */

static void settle(struct media *media)
{
    uint64_t now_ps = engine_now(media->engine);
    size_t kept = 0;

    for (size_t i = 0; i < media->mark_count; i++) {
        if (media->marks[i].end_ps <= now_ps)
            store_settle_all(media->contents, media->marks[i].version);
        else
            media->marks[kept++] = media->marks[i];
    }
    media->mark_count = kept;
    if (media->kind->settle != NULL)
        media->kind->settle(media->model, now_ps);
}

/* A flush makes safe, when it ends, every change that was made before it. */
static void mark_flush(struct media *media, uint64_t end_ps)
{
    settle(media);
    if (media->mark_count == media->mark_capacity) {
        media->mark_capacity = 2 * media->mark_capacity + 1;
        media->marks = media_reallocate(media->marks, media->mark_capacity * sizeof *media->marks);
    }
    media->marks[media->mark_count++] = (struct media_mark){end_ps, store_version(media->contents)};
}

bool media_is_protected(const struct media *media)
{
    return media->params.capacitor != 0;
}

void media_track_loss(struct media *media, struct store *contents)
{
    store_track(contents);
    media->contents = contents;
}

void media_power_loss(struct media *media)
{
    if (media->contents != NULL) {
        settle(media);
        if (media_is_protected(media))
            store_settle_all(media->contents, UINT64_MAX);
        store_revert(media->contents);
        media->mark_count = 0;
    }
    if (media->kind->power_loss != NULL)
        media->kind->power_loss(media->model, engine_now(media->engine));
}

/* ---- operations ---- */

void media_start(struct media *media, enum media_op op, uint64_t offset, uint64_t bytes,
                 engine_fn *done, void *ctx, uint64_t arg, uint64_t *start_ps)
{
    struct media_span span =
        media->span(media->model, op, offset, bytes, engine_now(media->engine));

    assert(offset <= media->capacity && bytes <= media->capacity - offset);
    count(&media->stats, op, bytes);
    media->stats.busy_ps += span.end_ps - span.start_ps;
    *start_ps = span.start_ps;
    if (media->contents != NULL && op == MEDIA_FLUSH)
        mark_flush(media, span.end_ps);
    engine_at(media->engine, span.end_ps, done, ctx, arg);
}

uint64_t media_flush_ps(const struct media *media)
{
    return media->kind->flush_ps(media->model);
}

void media_get_stats(const struct media *media, struct media_stats *stats)
{
    *stats = media->stats;
}

void media_set_host_buffer(struct media *media, uint64_t bytes)
{
    if (media->kind == &media_nand)
        nand_set_host_buffer(media->model, bytes);
}

uint64_t media_host_buffer_bytes(const struct media *media)
{
    uint64_t units = (media->capacity + FLASH_UNIT_BYTES - 1) / FLASH_UNIT_BYTES;

    if (media->kind != &media_nand || media->params.ftl_map_cache == 0)
        return 0;
    return (units + MAP_SEGMENT_UNITS - 1) / MAP_SEGMENT_UNITS * MAP_SEGMENT_BYTES;
}

bool media_get_nand_stats(const struct media *media, struct media_nand_stats *stats)
{
    if (media->kind != &media_nand)
        return false;
    nand_get_stats(media->model, stats);
    return true;
}

uint64_t media_die_busy_ps(const struct media *media, uint32_t die)
{
    return media->kind == &media_nand ? nand_die_busy_ps(media->model, die) : 0;
}
