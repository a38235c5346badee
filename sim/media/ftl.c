/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Map, superblocks and where writes go; see ftl.h. The collector is in collector.c.
 */
#include "media/ftl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/buffer.h"
#include "media/memory.h"
#include "media/readahead.h"

#define PARTS_PER_MILLION UINT64_C(1000000)
/* Superblocks that never hold data all at once: the two open ones, and one that the collector can
 * always open. */
#define SUPERBLOCKS_SPARE UINT64_C(3)

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t superblock_units(const struct media_params *params)
{
    return params->nand_channels * params->nand_ways * params->nand_dies * params->nand_planes *
           params->nand_pages * (params->nand_page_size / FLASH_UNIT_BYTES);
}

static uint64_t superblocks_least(const struct media_params *params, uint64_t capacity)
{
    return divide_up(divide_up(capacity, FLASH_UNIT_BYTES), superblock_units(params)) +
           params->ftl_gc_low + SUPERBLOCKS_SPARE;
}

uint64_t ftl_superblocks(const struct media_params *params, uint64_t capacity)
{
    uint64_t units = divide_up(capacity, FLASH_UNIT_BYTES);
    uint64_t least = superblocks_least(params, capacity), wanted;

    if (params->nand_blocks != 0)
        return params->nand_blocks;
    wanted =
        divide_up(units + units / PARTS_PER_MILLION * params->ftl_over_provision +
                      units % PARTS_PER_MILLION * params->ftl_over_provision / PARTS_PER_MILLION,
                  superblock_units(params));
    return wanted > least ? wanted : least;
}

const char *ftl_params_check(const struct media_params *params, uint64_t capacity)
{
    static char message[200];
    struct flash_geometry geometry;
    uint64_t superblocks, buffer_units = params->buffer_size / FLASH_UNIT_BYTES;

    if (params->nand_page_size % FLASH_UNIT_BYTES != 0)
        return "media.nand_page_size must be a multiple of 4 KiB";
    flash_geometry(&geometry, params);
    if (params->nand_pages % geometry.bits != 0)
        return "media.nand_pages must be a multiple of the bits of media.nand_cell";
    if (params->buffer_size % FLASH_UNIT_BYTES != 0)
        return "media.buffer_size must be a multiple of 4 KiB";
    if (buffer_units < 2 * geometry.group_units) {
        snprintf(message, sizeof message,
                 "media.buffer_size must hold two program operations of a die: at least %u KiB",
                 2 * geometry.group_units * (FLASH_UNIT_BYTES / 1024));
        return message;
    }
    if (params->buffer_low > params->buffer_high)
        return "media.buffer_low must not be above media.buffer_high";
    if (params->ftl_map_cache % FLASH_UNIT_BYTES != 0)
        return "media.ftl_map_cache must be a multiple of 4 KiB";
    if (read_ahead_check(params) != NULL)
        return read_ahead_check(params);
    superblocks = superblocks_least(params, capacity);
    if (params->nand_blocks != 0 && params->nand_blocks < superblocks) {
        snprintf(message, sizeof message,
                 "media.nand_blocks must be at least %llu for this capacity, geometry and "
                 "media.ftl_gc_low, or 0",
                 (unsigned long long)superblocks);
        return message;
    }
    superblocks = ftl_superblocks(params, capacity);
    /* Positions and slots of the buffer share 32 bits. */
    if (superblocks >= (UINT32_MAX - buffer_units) / superblock_units(params))
        return "media.kind = nand holds less than 2^32 units of 4 KiB: less capacity, or fewer "
               "media.nand_blocks, nand_pages or dies";
    return NULL;
}

void ftl_init(struct ftl *ftl, const struct media_params *params, uint64_t capacity, uint64_t seed)
{
    memset(ftl, 0, sizeof *ftl);
    ftl->params = params;
    flash_init(&ftl->flash, params, seed);
    ftl->units = (uint32_t)divide_up(capacity, FLASH_UNIT_BYTES);
    ftl->superblock_units = (uint32_t)superblock_units(params);
    ftl->superblock_count = (uint32_t)ftl_superblocks(params, capacity);
    ftl->free_count = ftl->superblock_count;
    table_init(&ftl->map, ftl->units);
    table_init(&ftl->reverse, (uint64_t)ftl->superblock_units * ftl->superblock_count);
    ftl->superblocks = media_allocate(ftl->superblock_count, sizeof *ftl->superblocks);
    ftl->host.superblock = ftl->copies.superblock = ftl->collector.victim = FTL_NOWHERE;
    ftl->collector.base = FTL_NOWHERE;
}

void ftl_free(struct ftl *ftl)
{
    flash_free(&ftl->flash);
    table_free(&ftl->map);
    table_free(&ftl->reverse);
    free(ftl->superblocks);
}

uint32_t ftl_bit(const struct ftl *ftl, uint32_t position)
{
    const struct flash_geometry *g = &ftl->flash.geometry;

    if (g->bits == 1)
        return 0;
    if (!ftl->flash.one_shot)
        return ftl_row(ftl, position) % g->bits;
    return position % g->group_units / (g->group_units / g->bits);
}

uint32_t ftl_copy_of(const struct ftl *ftl, uint32_t unit)
{
    uint32_t entry = table_get(&ftl->map, unit);

    return buffer_is_slot(ftl->buffer, entry) ? buffer_copy_of(ftl->buffer, entry) : entry;
}

void ftl_invalidate(struct ftl *ftl, uint32_t position)
{
    struct superblock *superblock;

    if (position == FTL_NOWHERE)
        return;
    superblock = &ftl->superblocks[position / ftl->superblock_units];
    assert(superblock->valid > 0);
    superblock->valid--;
}

void ftl_place(struct ftl *ftl, uint32_t unit, uint32_t position, uint32_t old)
{
    ftl_invalidate(ftl, old);
    table_set(&ftl->reverse, position, unit);
    ftl->superblocks[position / ftl->superblock_units].valid++;
}

static void open_superblock(struct ftl *ftl, struct ftl_stream *stream)
{
    uint32_t least, most;
    bool worn;

    ftl_wear(ftl, &least, &most);
    /* What the collector keeps is still: it rests best where the wear is. */
    worn = stream == &ftl->copies && ftl->params->ftl_wear_threshold != 0 &&
           most - least > ftl->params->ftl_wear_threshold;
    stream->superblock = ftl_free_superblock(ftl, worn);
    stream->fill = 0;
    ftl->superblocks[stream->superblock].state = SUPERBLOCK_OPEN;
    ftl->free_count--;
}

uint32_t ftl_allocate(struct ftl *ftl, struct ftl_stream *stream)
{
    uint32_t position;

    if (stream->superblock == FTL_NOWHERE)
        open_superblock(ftl, stream);
    position = stream->superblock * ftl->superblock_units + stream->fill;
    stream->fill += ftl->flash.geometry.group_units;
    ftl->programs++;
    if (stream->fill == ftl->superblock_units) {
        ftl->superblocks[stream->superblock].state = SUPERBLOCK_FULL;
        ftl->superblocks[stream->superblock].closed = ftl->programs;
        stream->superblock = FTL_NOWHERE;
    }
    return position;
}

uint32_t ftl_allocate_for_host(struct ftl *ftl, uint64_t ready_ps)
{
    /* The last free one is the collector's: with it, it can always empty another. (Where streams
     * are not separate, the collector may open the host's.) */
    while (ftl->host.superblock == FTL_NOWHERE && ftl->free_count <= 1)
        ftl_collect_one(ftl, ready_ps);
    return ftl_allocate(ftl, &ftl->host);
}
