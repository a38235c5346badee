/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A drive with flash: splits operations into units of 4 KiB and pages, and puts together write
 * buffer, translation layer and flash. docs/media.md tells how it works and what it leaves out.
 * Called by media.c only.
 */
#include <stdlib.h>

#include "engine/clock.h"
#include "media/buffer.h"
#include "media/map_cache.h"
#include "media/memory.h"
#include "media/model.h"
#include "media/readahead.h"

#define BLOCK_BYTES 512u

struct nand {
    struct media *media;
    const struct media_params *params;
    struct ftl ftl;
    struct write_buffer buffer;
    uint64_t buffer_line_free_ps;
    bool map_cached; /* the map is not all in memory */
    struct map_cache map_cache, host_map;
    struct read_ahead *ahead; /* NULL: no read buffer */
    struct media_nand_stats stats;
};

static void *nand_open(struct media *media)
{
    struct nand *nand = media_allocate(1, sizeof *nand);

    nand->media = media;
    nand->params = &media->params;
    ftl_init(&nand->ftl, nand->params, media->capacity, engine_seed(media->engine));
    buffer_init(&nand->buffer, &nand->ftl);
    nand->ftl.buffer = &nand->buffer;
    ftl_precondition(&nand->ftl, engine_seed(media->engine));
    nand->map_cached = nand->params->ftl_map_cache != 0;
    map_cache_init(&nand->map_cache, nand->params->ftl_map_cache);
    nand->ahead = read_ahead_open(&nand->ftl);
    return nand;
}

static void nand_close(void *model)
{
    struct nand *nand = model;

    map_cache_free(&nand->map_cache);
    map_cache_free(&nand->host_map);
    read_ahead_close(nand->ahead);
    buffer_free(&nand->buffer);
    ftl_free(&nand->ftl);
    free(nand);
}

void nand_set_host_buffer(void *model, uint64_t bytes)
{
    struct nand *nand = model;

    map_cache_free(&nand->host_map);
    map_cache_init(&nand->host_map, bytes);
}

/* ---- parts of an operation ---- */

/* From when on the map's segment can be used. Segments on the flash are spread over the dies; they
 * are read as a cell's first bit. */
static uint64_t map_ready_ps(struct nand *nand, uint32_t unit, uint64_t now_ps)
{
    uint32_t segment = unit / MAP_SEGMENT_UNITS;
    uint64_t start_ps;

    if (map_cache_use(&nand->map_cache, segment))
        return now_ps;
    nand->stats.map_misses++;
    if (map_cache_use(&nand->host_map, segment)) {
        nand->stats.host_map_hits++;
        return now_ps + nand->params->ftl_hmb_latency;
    }
    return flash_read(&nand->ftl.flash, segment % nand->ftl.flash.geometry.dies, 0, 1, now_ps,
                      &start_ps);
}

/* The buffer's memory moves bytes, from ready_ps on. */
static uint64_t move_ps(struct nand *nand, uint64_t bytes, uint64_t ready_ps)
{
    nand->buffer_line_free_ps = media_later(ready_ps, nand->buffer_line_free_ps) +
                                clock_transfer_ps(bytes, nand->params->buffer_bandwidth);
    return nand->buffer_line_free_ps;
}

/* Units of the page at `position` that follow each other from `unit` on. */
static uint32_t run_in_page(const struct nand *nand, uint32_t unit, uint32_t last,
                            uint32_t position)
{
    uint32_t run = 1;

    while (unit + run <= last && table_get(&nand->ftl.map, unit + run) == position + run &&
           ftl_same_page(&nand->ftl, position, position + run))
        run++;
    return run;
}

/* Bytes of [offset, offset + bytes) in `units` from `unit` on. */
static uint64_t bytes_of(uint32_t unit, uint32_t units, uint64_t offset, uint64_t bytes)
{
    uint64_t begin = (uint64_t)unit * FLASH_UNIT_BYTES, end = begin + units * FLASH_UNIT_BYTES;

    return (end < offset + bytes ? end : offset + bytes) - media_later(begin, offset);
}

/* Read on if this was a stream's: whole pages, as long as there is room for them. */
static void read_on(struct nand *nand, uint64_t offset, uint64_t bytes, uint64_t now_ps)
{
    struct read_ahead_want want = read_ahead_want(nand->ahead, offset, offset + bytes);
    uint32_t unit = want.first;

    while (unit < want.end) {
        uint64_t ready_ps = nand->map_cached ? map_ready_ps(nand, unit, now_ps) : now_ps;
        uint32_t position = table_get(&nand->ftl.map, unit), run = 1;

        if (position != FTL_NOWHERE && !buffer_is_slot(&nand->buffer, position)) {
            run = run_in_page(nand, unit, nand->ftl.units - 1, position);
            if (!read_ahead_fetch(nand->ahead, position, run, ready_ps))
                break;
        }
        unit += run;
    }
    if (unit > want.first)
        read_ahead_reached(want.stream, unit);
}

static struct media_span read_units(struct nand *nand, uint64_t offset, uint64_t bytes,
                                    uint64_t now_ps)
{
    struct ftl *ftl = &nand->ftl;
    uint32_t unit = (uint32_t)(offset / FLASH_UNIT_BYTES);
    uint32_t last = (uint32_t)((offset + bytes - 1) / FLASH_UNIT_BYTES);
    struct media_span span = {UINT64_MAX, now_ps};
    uint64_t memory_units = 0, map_ps = now_ps;

    while (unit <= last) {
        uint64_t ready_ps = nand->map_cached ? map_ready_ps(nand, unit, now_ps) : now_ps;
        uint32_t entry = table_get(&ftl->map, unit), position = entry, run = 1;
        uint64_t start_ps, end_ps;

        map_ps = media_later(map_ps, ready_ps);
        if (buffer_is_slot(&nand->buffer, entry)) {
            const struct buffer_slot *slot = buffer_slot(&nand->buffer, entry);

            nand->stats.buffer_hits++;
            position = buffer_is_whole(slot) ? FTL_NOWHERE : slot->copy;
        }
        if (position == FTL_NOWHERE) {
            memory_units++;
            unit++;
            continue;
        }
        if (unit < last)
            run = run_in_page(nand, unit, last, position);
        if (nand->ahead == NULL)
            end_ps = flash_read(&ftl->flash, ftl_die(ftl, position), ftl_bit(ftl, position), run,
                                ready_ps, &start_ps);
        else
            end_ps = read_ahead_read(nand->ahead, position, run, bytes_of(unit, run, offset, bytes),
                                     ready_ps, &start_ps);
        span.end_ps = media_later(span.end_ps, end_ps);
        if (start_ps < span.start_ps)
            span.start_ps = start_ps;
        unit += run;
    }
    if (memory_units > 0) {
        span.start_ps = now_ps;
        span.end_ps = media_later(span.end_ps, move_ps(nand, memory_units * FLASH_UNIT_BYTES,
                                                       map_ps + nand->params->buffer_latency));
    }
    if (nand->ahead != NULL)
        read_on(nand, offset, bytes, now_ps);
    return span;
}

/* Which 512-byte blocks of a unit lie in [offset, offset + bytes). */
static uint8_t blocks_of(uint32_t unit, uint64_t offset, uint64_t bytes)
{
    uint64_t begin = (uint64_t)unit * FLASH_UNIT_BYTES, end = begin + FLASH_UNIT_BYTES;
    uint64_t from = offset > begin ? offset : begin;
    uint64_t to = offset + bytes < end ? offset + bytes : end;
    uint32_t first = (uint32_t)((from - begin) / BLOCK_BYTES);
    uint32_t after = (uint32_t)((to - begin + BLOCK_BYTES - 1) / BLOCK_BYTES);

    return (uint8_t)(((1u << after) - 1) & ~((1u << first) - 1));
}

static void write_unit(struct nand *nand, uint32_t unit, uint8_t blocks, uint64_t now_ps,
                       struct media_span *span)
{
    uint64_t when_ps = nand->map_cached ? map_ready_ps(nand, unit, now_ps) : now_ps;

    when_ps = buffer_write(&nand->buffer, unit, blocks, when_ps);
    if (when_ps < span->start_ps)
        span->start_ps = when_ps;
    span->end_ps = media_later(span->end_ps, when_ps);
}

static struct media_span write_units(struct nand *nand, uint64_t offset, uint64_t bytes,
                                     uint64_t now_ps)
{
    uint32_t unit = (uint32_t)(offset / FLASH_UNIT_BYTES);
    uint32_t last = (uint32_t)((offset + bytes - 1) / FLASH_UNIT_BYTES);
    struct media_span span = {UINT64_MAX, now_ps};

    for (; unit <= last; unit++)
        write_unit(nand, unit, blocks_of(unit, offset, bytes), now_ps, &span);
    span.end_ps = move_ps(nand, bytes, span.end_ps + nand->params->buffer_latency);
    return span;
}

/* Forget a range of whole units. Where nothing is mapped, nothing is looked at. */
static void unmap(struct nand *nand, uint32_t unit, uint32_t end)
{
    struct ftl *ftl = &nand->ftl;

    while (unit < end) {
        uint32_t entry;

        if (ftl->map.chunks[unit / TABLE_CHUNK] == NULL) {
            uint64_t next = ((uint64_t)unit / TABLE_CHUNK + 1) * TABLE_CHUNK;

            unit = next < end ? (uint32_t)next : end;
            continue;
        }
        entry = table_get(&ftl->map, unit);
        if (entry != FTL_NOWHERE) {
            ftl_invalidate(ftl, ftl_copy_of(ftl, unit));
            if (buffer_is_slot(&nand->buffer, entry))
                buffer_drop(&nand->buffer, entry);
            table_set(&ftl->map, unit, FTL_NOWHERE);
            nand->stats.trimmed_units++;
        }
        unit++;
    }
}

/* Trim forgets whole units and leaves the rest alone; write zeroes writes the rest. */
static struct media_span drop_units(struct nand *nand, uint64_t offset, uint64_t bytes, bool zero,
                                    uint64_t now_ps)
{
    uint64_t end = offset + bytes;
    uint64_t first = (offset + FLASH_UNIT_BYTES - 1) / FLASH_UNIT_BYTES;
    /* The medium's last unit may be a partial one, and is whole to whoever reaches its end. */
    uint64_t after = end == nand->media->capacity ? nand->ftl.units : end / FLASH_UNIT_BYTES;
    struct media_span span = {now_ps, now_ps}, edges = {UINT64_MAX, now_ps};

    if (first < after)
        unmap(nand, (uint32_t)first, (uint32_t)after);
    if (zero) {
        uint32_t last = (uint32_t)((end - 1) / FLASH_UNIT_BYTES);

        for (uint64_t unit = offset / FLASH_UNIT_BYTES; unit <= last; unit++) {
            if (unit >= first && unit < after)
                unit = after - 1; /* done above */
            else
                write_unit(nand, (uint32_t)unit, blocks_of((uint32_t)unit, offset, bytes), now_ps,
                           &edges);
        }
    }
    span.end_ps = edges.end_ps + nand->params->ftl_trim_latency;
    return span;
}

static struct media_span nand_span(void *model, enum media_op op, uint64_t offset, uint64_t bytes,
                                   uint64_t now_ps)
{
    struct nand *nand = model;
    struct media_span span = {now_ps, now_ps + nand->params->buffer_latency};

    nand->ftl.flash.now_ps = now_ps;
    buffer_release(&nand->buffer, now_ps);
    nand->buffer.contents = nand->media->contents;
    if (op == MEDIA_FLUSH) {
        span.end_ps = now_ps;
        if (nand->params->capacitor == 0)
            span.end_ps = buffer_drain(&nand->buffer, now_ps);
        span.end_ps += nand->params->flush_latency;
        return span;
    }
    if (bytes == 0)
        return span;
    switch (op) {
    case MEDIA_READ:
    case MEDIA_VERIFY:
        return read_units(nand, offset, bytes, now_ps);
    case MEDIA_WRITE:
        return write_units(nand, offset, bytes, now_ps);
    case MEDIA_ZERO:
    case MEDIA_TRIM:
        return drop_units(nand, offset, bytes, op == MEDIA_ZERO, now_ps);
    case MEDIA_FLUSH:
        break;
    }
    return span;
}

/* A full buffer, written in turn to all dies, each of which may have to erase and, for each program
 * operation, may have the collector's share to do as well. */
static uint64_t nand_flush_ps(const void *model)
{
    const struct nand *nand = model;
    const struct flash *flash = &nand->ftl.flash;
    const struct flash_geometry *g = &flash->geometry;
    uint64_t operations = (nand->buffer.slot_count + g->group_units - 1) / g->group_units + 1;
    uint64_t turns = (operations + g->dies - 1) / g->dies;
    uint64_t ways = g->dies / g->channels;
    uint64_t most_ps = flash_program_most_ps(flash);
    uint64_t data_ps = g->group_pages * flash->command_ps + g->group_units * flash->unit_ps;

    if (nand->params->capacitor != 0)
        return nand->params->flush_latency;
    return 2 * turns * (most_ps + (ways - 1) * data_ps) + flash->erase_ps +
           nand->params->flush_latency;
}

static void nand_settle(void *model, uint64_t now_ps)
{
    struct nand *nand = model;

    nand->buffer.contents = nand->media->contents;
    buffer_settle(&nand->buffer, now_ps);
}

static void nand_power_loss(void *model, uint64_t now_ps)
{
    struct nand *nand = model;

    nand->buffer.contents = NULL;
    nand->ftl.flash.now_ps = now_ps;
    if (nand->params->capacitor != 0)
        buffer_drain(&nand->buffer, now_ps);
    buffer_power_loss(&nand->buffer);
    flash_reset(&nand->ftl.flash);
    nand->buffer_line_free_ps = 0;
    if (nand->ahead != NULL)
        read_ahead_reset(nand->ahead);
    nand_set_host_buffer(nand, 0); /* the host gives it anew */
    map_cache_free(&nand->map_cache);
    map_cache_init(&nand->map_cache, nand->params->ftl_map_cache);
}

/* ---- what has happened ---- */

void nand_get_stats(const void *model, struct media_nand_stats *stats)
{
    const struct nand *nand = model;
    const struct ftl *ftl = &nand->ftl;

    *stats = nand->stats;
    stats->unit_bytes = FLASH_UNIT_BYTES;
    stats->host_units = ftl->stats.host_units;
    stats->copied_units = ftl->stats.copied_units;
    stats->padding_units = ftl->stats.padding_units;
    stats->erases = ftl->stats.erases;
    stats->level_victims = ftl->stats.level_victims;
    stats->free_superblocks = ftl->free_count;
    stats->superblocks = ftl->superblock_count;
    stats->dies = ftl->flash.geometry.dies;
    stats->busy_ps = 0;
    for (uint32_t die = 0; die < stats->dies; die++)
        stats->busy_ps += ftl->flash.dies[die].busy_ps;
    if (nand->ahead != NULL) {
        stats->read_hits = nand->ahead->stats.hit_units;
        stats->register_units = nand->ahead->stats.register_units;
        stats->ahead_units = nand->ahead->stats.ahead_units;
    }
    ftl_wear(ftl, &stats->wear_least, &stats->wear_most);
    stats->memory_bytes = ftl->map.memory_bytes + ftl->reverse.memory_bytes;
}

uint64_t nand_die_busy_ps(const void *model, uint32_t die)
{
    const struct nand *nand = model;

    return die < nand->ftl.flash.geometry.dies ? nand->ftl.flash.dies[die].busy_ps : 0;
}

const struct ftl *nand_ftl(const void *model)
{
    return &((const struct nand *)model)->ftl;
}

const struct media_model media_nand = {.open = nand_open,
                                       .close = nand_close,
                                       .span = nand_span,
                                       .flush_ps = nand_flush_ps,
                                       .settle = nand_settle,
                                       .power_loss = nand_power_loss};
