/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The contents of the namespaces: a directory of chunks, each with the words of its cells. See
 * store.h for what callers may rely on. The journal of what a loss of power would take back is in
 * journal.c.
 */
#include "media/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"
#include "media/cell.h"
#include "media/journal.h"
#include "media/memory.h"

/* 512 KiB of contents in 1 KiB of words: small enough for random single blocks on a large drive,
 * large enough that the directory stays small. */
#define CHUNK_CELLS 128u
#define CHUNK_UNITS (CHUNK_CELLS * CELL_UNITS)

struct chunk {
    uint64_t cells[CHUNK_CELLS];
};

struct store {
    struct chunk **chunks;
    uint64_t units;
    uint64_t chunk_count;
    struct cell_pool *pool;
    struct journal *journal; /* NULL: nothing is tracked */
    uint64_t memory_bytes;   /* of chunks */
};

struct store *store_create(uint64_t bytes)
{
    struct store *store = media_allocate(1, sizeof *store);

    store->units = bytes / PATTERN_BYTES;
    store->chunk_count = store->units / CHUNK_UNITS + (store->units % CHUNK_UNITS != 0);
    store->chunks =
        media_allocate(store->chunk_count > 0 ? store->chunk_count : 1, sizeof *store->chunks);
    store->pool = cell_pool_create();
    return store;
}

void store_destroy(struct store *store)
{
    if (store == NULL)
        return;
    journal_destroy(store->journal);
    for (uint64_t i = 0; i < store->chunk_count; i++)
        free(store->chunks[i]);
    cell_pool_destroy(store->pool);
    free(store->chunks);
    free(store);
}

uint64_t store_units(const struct store *store)
{
    return store->units;
}

uint64_t store_memory_bytes(const struct store *store)
{
    return store->memory_bytes + cell_pool_bytes(store->pool);
}

static void check_range(const struct store *store, uint64_t unit, uint64_t count)
{
    assert(unit <= store->units && count <= store->units - unit);
    (void)store, (void)unit, (void)count;
}

static struct chunk *chunk_for_writing(struct store *store, uint64_t index)
{
    if (store->chunks[index] == NULL) {
        store->chunks[index] = media_allocate(1, sizeof(struct chunk));
        store->memory_bytes += sizeof(struct chunk);
    }
    return store->chunks[index];
}

static void chunk_free(struct store *store, uint64_t index)
{
    struct chunk *chunk = store->chunks[index];

    if (chunk == NULL)
        return;
    for (uint32_t i = 0; i < CHUNK_CELLS; i++)
        cell_set(store->pool, &chunk->cells[i], CELL_ZERO);
    free(chunk);
    store->memory_bytes -= sizeof *chunk;
    store->chunks[index] = NULL;
}

/* How many of `left` units, from position `unit` on, lie in the same `room` units. */
static uint32_t run_in(uint32_t room, uint64_t unit, uint64_t left)
{
    uint32_t rest = room - (uint32_t)(unit % room);

    return left < rest ? (uint32_t)left : rest;
}

static uint64_t *cell_of(struct chunk *chunk, uint64_t unit)
{
    return &chunk->cells[unit / CELL_UNITS % CHUNK_CELLS];
}

/* ---- the journal's view: whole cells ---- */

static uint32_t units_of_cell(const struct store *store, uint64_t cell)
{
    return run_in(CELL_UNITS, cell * CELL_UNITS, store->units - cell * CELL_UNITS);
}

static void save(struct store *store, uint64_t cell)
{
    uint8_t bytes[CELL_UNITS * PATTERN_BYTES];
    uint64_t tags[CELL_UNITS] = {0};
    uint32_t units = units_of_cell(store, cell);

    if (store_get_tags(store, cell * CELL_UNITS, tags, units)) {
        journal_save_tags(store->journal, cell, tags);
    } else {
        store_get_bytes(store, cell * CELL_UNITS, bytes, units);
        journal_save_bytes(store->journal, cell, bytes, units * PATTERN_BYTES);
    }
}

static void restore(void *ctx, uint64_t cell, const uint64_t *tags, const uint8_t *bytes)
{
    struct store *store = ctx;
    uint32_t units = units_of_cell(store, cell);

    if (bytes == NULL)
        store_put_tags(store, cell * CELL_UNITS, tags, units);
    else
        store_put_bytes(store, cell * CELL_UNITS, bytes, units);
}

void store_track(struct store *store)
{
    if (store->journal == NULL)
        store->journal = journal_create();
}

uint64_t store_version(const struct store *store)
{
    return store->journal == NULL ? 0 : journal_version(store->journal);
}

void store_settle_all(struct store *store, uint64_t version)
{
    if (store->journal != NULL)
        journal_settle_all(store->journal, version);
}

void store_settle(struct store *store, uint64_t unit, uint64_t count, uint64_t version)
{
    check_range(store, unit, count);
    if (store->journal == NULL || count == 0)
        return;
    for (uint64_t cell = unit / CELL_UNITS; cell <= (unit + count - 1) / CELL_UNITS; cell++)
        journal_settle(store->journal, cell, version);
}

void store_revert(struct store *store)
{
    struct journal *journal = store->journal;

    if (journal == NULL)
        return;
    store->journal = NULL; /* what is put back is no change */
    journal_take_back(journal, restore, store);
    store->journal = journal;
}

uint64_t store_unsettled(const struct store *store)
{
    return store->journal == NULL ? 0 : journal_count(store->journal);
}

/* ---- contents ---- */

static void begin_change(struct store *store, uint64_t unit, uint64_t count)
{
    check_range(store, unit, count);
    if (store->journal == NULL || count == 0)
        return;
    journal_next_version(store->journal);
    for (uint64_t cell = unit / CELL_UNITS; cell <= (unit + count - 1) / CELL_UNITS; cell++)
        save(store, cell);
}

/* Zeroing changes nothing where nothing is, which can be most of a large range. */
static void begin_zero(struct store *store, uint64_t unit, uint64_t count)
{
    uint64_t cell = unit / CELL_UNITS, end = (unit + count + CELL_UNITS - 1) / CELL_UNITS;

    check_range(store, unit, count);
    if (store->journal == NULL || count == 0)
        return;
    journal_next_version(store->journal);
    while (cell < end) {
        struct chunk *chunk = store->chunks[cell / CHUNK_CELLS];

        if (chunk == NULL) {
            cell += run_in(CHUNK_CELLS, cell, end - cell);
            continue;
        }
        if (chunk->cells[cell % CHUNK_CELLS] != CELL_ZERO)
            save(store, cell);
        cell++;
    }
}

static void put_tags(struct store *store, uint64_t unit, const uint64_t *tags, uint32_t count)
{
    while (count > 0) {
        struct chunk *chunk = chunk_for_writing(store, unit / CHUNK_UNITS);
        uint32_t run = run_in(CELL_UNITS, unit, count);

        cell_put_tags(store->pool, cell_of(chunk, unit), (uint32_t)(unit % CELL_UNITS), tags, run);
        unit += run;
        tags += run;
        count -= run;
    }
}

void store_put_tags(struct store *store, uint64_t unit, const uint64_t *tags, uint32_t count)
{
    begin_change(store, unit, count);
    put_tags(store, unit, tags, count);
}

static uint64_t word_at(const struct store *store, uint64_t unit)
{
    struct chunk *chunk = store->chunks[unit / CHUNK_UNITS];

    return chunk == NULL ? CELL_ZERO : *cell_of(chunk, unit);
}

bool store_get_tags(const struct store *store, uint64_t unit, uint64_t *tags, uint32_t count)
{
    check_range(store, unit, count);
    while (count > 0) {
        uint64_t word = word_at(store, unit);
        uint32_t run = run_in(CELL_UNITS, unit, count);

        if (run == CELL_UNITS && !cell_is_expanded(word))
            cell_expand_run(word, tags);
        else if (!cell_get_tags(store->pool, word, (uint32_t)(unit % CELL_UNITS), tags, run))
            return false;
        unit += run;
        tags += run;
        count -= run;
    }
    return true;
}

void store_put_bytes(struct store *store, uint64_t unit, const uint8_t *bytes, uint32_t count)
{
    begin_change(store, unit, count);
    while (count > 0) {
        uint64_t tags[CELL_UNITS];
        uint32_t room = run_in(CELL_UNITS, unit, count);
        uint32_t run = 0;

        while (run < room && pattern_recognise(bytes + run * PATTERN_BYTES, &tags[run]))
            run++;
        if (run > 0) {
            put_tags(store, unit, tags, run);
        } else {
            struct chunk *chunk = chunk_for_writing(store, unit / CHUNK_UNITS);

            cell_put_bytes(store->pool, cell_of(chunk, unit), (uint32_t)(unit % CELL_UNITS), bytes);
            run = 1;
        }
        unit += run;
        bytes += run * PATTERN_BYTES;
        count -= run;
    }
}

void store_get_bytes(const struct store *store, uint64_t unit, uint8_t *bytes, uint32_t count)
{
    check_range(store, unit, count);
    for (uint32_t i = 0; i < count; i++, unit++, bytes += PATTERN_BYTES) {
        cell_get_bytes(store->pool, word_at(store, unit), (uint32_t)(unit % CELL_UNITS), bytes);
    }
}

void store_zero(struct store *store, uint64_t unit, uint64_t count)
{
    static const uint64_t zeroes[CELL_UNITS]; /* PATTERN_ZERO */

    begin_zero(store, unit, count);
    while (count > 0) {
        struct chunk *chunk = store->chunks[unit / CHUNK_UNITS];
        uint32_t run = run_in(CHUNK_UNITS, unit, count);

        if (run == CHUNK_UNITS) {
            chunk_free(store, unit / CHUNK_UNITS);
        } else if (chunk != NULL) {
            run = run_in(CELL_UNITS, unit, count);
            cell_put_tags(store->pool, cell_of(chunk, unit), (uint32_t)(unit % CELL_UNITS), zeroes,
                          run);
        }
        unit += run;
        count -= run;
    }
}
