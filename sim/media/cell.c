/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pool of expanded cells; see cell.h. Expanded cells come from slabs and are linked through
 * their first value while free; bytes of units that are no pattern are allocated one by one and
 * kept for the next such unit, so that overwriting does not allocate.
 */
#include "media/cell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"
#include "media/memory.h"

#define SLAB_CELLS 64u
#define NO_CELL    UINT32_MAX

/* The bytes of one unit that is no pattern. While free, linked through `next`. */
union raw_unit {
    uint8_t bytes[PATTERN_BYTES];
    union raw_unit *next;
};

union value {
    uint64_t tag;
    union raw_unit *raw;
    uint32_t next; /* of a free cell: the next one's number */
};

struct expanded {
    union value unit[CELL_UNITS];
    uint32_t raw_mask; /* bit i: unit[i] is raw */
};

struct cell_pool {
    struct expanded **slabs;
    uint32_t slab_count;
    uint32_t first_free;
    union raw_unit *free_raw;
    uint64_t bytes;
};

struct cell_pool *cell_pool_create(void)
{
    struct cell_pool *pool = media_allocate(1, sizeof *pool);

    pool->first_free = NO_CELL;
    return pool;
}

static struct expanded *find(const struct cell_pool *pool, uint64_t cell)
{
    uint32_t number = (uint32_t)cell;

    return &pool->slabs[number / SLAB_CELLS][number % SLAB_CELLS];
}

static void add_slab(struct cell_pool *pool)
{
    struct expanded *slab = media_allocate(SLAB_CELLS, sizeof *slab);

    pool->slabs =
        media_reallocate(pool->slabs, (pool->slab_count + UINT64_C(1)) * sizeof(struct expanded *));
    pool->slabs[pool->slab_count] = slab;
    for (uint32_t i = SLAB_CELLS; i-- > 0;) {
        slab[i].unit[0].next = pool->first_free;
        pool->first_free = pool->slab_count * SLAB_CELLS + i;
    }
    pool->slab_count++;
}

static void drop_raw(struct cell_pool *pool, struct expanded *cell, uint32_t at)
{
    union raw_unit *raw;

    if ((cell->raw_mask >> at & 1) == 0)
        return;
    raw = cell->unit[at].raw;
    raw->next = pool->free_raw;
    pool->free_raw = raw;
    cell->raw_mask &= ~(UINT32_C(1) << at);
    pool->bytes -= sizeof *raw;
}

void cell_set(struct cell_pool *pool, uint64_t *cell, uint64_t word)
{
    if (cell_is_expanded(*cell)) {
        struct expanded *old = find(pool, *cell);

        for (uint32_t i = 0; i < CELL_UNITS; i++)
            drop_raw(pool, old, i);
        old->unit[0].next = pool->first_free;
        pool->first_free = (uint32_t)*cell;
        pool->bytes -= sizeof *old;
    }
    *cell = word;
}

static struct expanded *expand(struct cell_pool *pool, uint64_t *cell)
{
    struct expanded *expanded;
    uint64_t first = *cell, step = first == CELL_ZERO ? 0 : 1;

    if (cell_is_expanded(first))
        return find(pool, first);
    if (pool->first_free == NO_CELL)
        add_slab(pool);
    *cell = (uint64_t)CELL_EXPANDED << 32 | pool->first_free;
    expanded = find(pool, *cell);
    pool->first_free = expanded->unit[0].next;
    pool->bytes += sizeof *expanded;
    expanded->raw_mask = 0;
    for (uint32_t i = 0; i < CELL_UNITS; i++)
        expanded->unit[i].tag = first + i * step;
    return expanded;
}

void cell_put_tags(struct cell_pool *pool, uint64_t *cell, uint32_t at, const uint64_t *tags,
                   uint32_t count)
{
    uint64_t all[CELL_UNITS];
    struct expanded *expanded;

    if (count == CELL_UNITS && cell_is_run(tags)) {
        cell_set(pool, cell, tags[0]);
        return;
    }
    expanded = expand(pool, cell);
    for (uint32_t i = 0; i < count; i++) {
        drop_raw(pool, expanded, at + i);
        expanded->unit[at + i].tag = tags[i];
    }
    if (expanded->raw_mask != 0)
        return;
    for (uint32_t i = 0; i < CELL_UNITS; i++)
        all[i] = expanded->unit[i].tag;
    if (cell_is_run(all))
        cell_set(pool, cell, all[0]);
}

void cell_put_bytes(struct cell_pool *pool, uint64_t *cell, uint32_t at, const uint8_t *bytes)
{
    struct expanded *expanded = expand(pool, cell);

    if ((expanded->raw_mask >> at & 1) == 0) {
        union raw_unit *raw = pool->free_raw;

        if (raw != NULL)
            pool->free_raw = raw->next;
        else
            raw = media_allocate(1, sizeof *raw);
        expanded->unit[at].raw = raw;
        expanded->raw_mask |= UINT32_C(1) << at;
        pool->bytes += sizeof *raw;
    }
    memcpy(expanded->unit[at].raw->bytes, bytes, PATTERN_BYTES);
}

bool cell_get_tags(const struct cell_pool *pool, uint64_t cell, uint32_t at, uint64_t *tags,
                   uint32_t count)
{
    const struct expanded *expanded;

    if (!cell_is_expanded(cell)) {
        uint64_t step = cell == CELL_ZERO ? 0 : 1;

        for (uint32_t i = 0; i < count; i++)
            tags[i] = cell + (at + i) * step;
        return true;
    }
    expanded = find(pool, cell);
    if ((expanded->raw_mask >> at & ((UINT32_C(1) << count) - 1)) != 0)
        return false;
    for (uint32_t i = 0; i < count; i++)
        tags[i] = expanded->unit[at + i].tag;
    return true;
}

void cell_get_bytes(const struct cell_pool *pool, uint64_t cell, uint32_t at, uint8_t *bytes)
{
    uint64_t tag;

    if (cell_get_tags(pool, cell, at, &tag, 1))
        pattern_expand(tag, bytes);
    else
        memcpy(bytes, find(pool, cell)->unit[at].raw->bytes, PATTERN_BYTES);
}

uint64_t cell_pool_bytes(const struct cell_pool *pool)
{
    return pool->bytes;
}

void cell_pool_destroy(struct cell_pool *pool)
{
    uint64_t count = (uint64_t)pool->slab_count * SLAB_CELLS;

    /* Free cells have an empty mask: cell_set() and expand() see to it. */
    for (uint64_t i = 0; i < count; i++) {
        struct expanded *cell = &pool->slabs[i / SLAB_CELLS][i % SLAB_CELLS];

        for (uint32_t at = 0; at < CELL_UNITS; at++)
            drop_raw(pool, cell, at);
    }
    while (pool->free_raw != NULL) {
        union raw_unit *raw = pool->free_raw;

        pool->free_raw = raw->next;
        free(raw);
    }
    for (uint32_t i = 0; i < pool->slab_count; i++)
        free(pool->slabs[i]);
    free(pool->slabs);
    free(pool);
}
