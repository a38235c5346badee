/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The contents of a namespace: a directory of chunks, each with the tags of its units and, only
 * where needed, pointers to real bytes. See store.h for what callers may rely on.
 */
#include "media/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"

/* 512 KiB of contents in 8 KiB of tags: small enough for random single blocks on a large drive,
 * large enough that the directory stays small. */
#define CHUNK_UNITS 1024u

/* The bytes of one unit that is no pattern. While free, linked through `next`. */
union raw_unit {
    uint8_t bytes[PATTERN_BYTES];
    union raw_unit *next;
};

struct chunk {
    uint64_t tags[CHUNK_UNITS];
    union raw_unit **raw; /* NULL: every unit is a tag; else raw[i] overrides tags[i] unless NULL */
};

struct store {
    struct chunk **chunks;
    uint64_t units;
    uint64_t chunk_count;
    union raw_unit
        *free_raw; /* kept for the next odd unit, so that overwriting does not allocate */
    uint64_t memory_bytes;
};

static void *must_allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);

    if (memory == NULL) {
        fprintf(stderr, "doorbell: out of memory for the contents of a namespace\n");
        exit(4);
    }
    return memory;
}

struct store *store_create(uint64_t bytes)
{
    struct store *store = must_allocate(1, sizeof *store);

    store->units = bytes / PATTERN_BYTES;
    store->chunk_count = store->units / CHUNK_UNITS + (store->units % CHUNK_UNITS != 0);
    store->chunks =
        must_allocate(store->chunk_count > 0 ? store->chunk_count : 1, sizeof *store->chunks);
    return store;
}

/* Give back the bytes that override tags of [first, first + count), if any do. */
static void drop_raw(struct store *store, struct chunk *chunk, uint32_t first, uint32_t count)
{
    if (chunk->raw == NULL)
        return;
    for (uint32_t i = first; i < first + count; i++) {
        union raw_unit *unit = chunk->raw[i];

        if (unit == NULL)
            continue;
        chunk->raw[i] = NULL;
        unit->next = store->free_raw;
        store->free_raw = unit;
        store->memory_bytes -= sizeof *unit;
    }
}

static void chunk_free(struct store *store, uint64_t index)
{
    struct chunk *chunk = store->chunks[index];

    if (chunk == NULL)
        return;
    drop_raw(store, chunk, 0, CHUNK_UNITS);
    if (chunk->raw != NULL)
        store->memory_bytes -= CHUNK_UNITS * sizeof *chunk->raw;
    free(chunk->raw);
    free(chunk);
    store->memory_bytes -= sizeof *chunk;
    store->chunks[index] = NULL;
}

void store_destroy(struct store *store)
{
    if (store == NULL)
        return;
    for (uint64_t i = 0; i < store->chunk_count; i++)
        chunk_free(store, i);
    while (store->free_raw != NULL) {
        union raw_unit *unit = store->free_raw;

        store->free_raw = unit->next;
        free(unit);
    }
    free(store->chunks);
    free(store);
}

uint64_t store_units(const struct store *store)
{
    return store->units;
}

uint64_t store_memory_bytes(const struct store *store)
{
    return store->memory_bytes;
}

static void check_range(const struct store *store, uint64_t unit, uint64_t count)
{
    assert(unit <= store->units && count <= store->units - unit);
    (void)store, (void)unit, (void)count;
}

static struct chunk *chunk_for_writing(struct store *store, uint64_t index)
{
    if (store->chunks[index] == NULL) {
        store->chunks[index] = must_allocate(1, sizeof(struct chunk));
        store->memory_bytes += sizeof(struct chunk);
    }
    return store->chunks[index];
}

/* How many of `left` units, from position `unit` on, lie in the same chunk. */
static uint32_t run_in_chunk(uint64_t unit, uint64_t left)
{
    uint32_t room = CHUNK_UNITS - (uint32_t)(unit % CHUNK_UNITS);

    return left < room ? (uint32_t)left : room;
}

void store_put_tags(struct store *store, uint64_t unit, const uint64_t *tags, uint32_t count)
{
    check_range(store, unit, count);
    while (count > 0) {
        struct chunk *chunk = chunk_for_writing(store, unit / CHUNK_UNITS);
        uint32_t at = (uint32_t)(unit % CHUNK_UNITS);
        uint32_t run = run_in_chunk(unit, count);

        drop_raw(store, chunk, at, run);
        memcpy(&chunk->tags[at], tags, run * sizeof *tags);
        unit += run;
        tags += run;
        count -= run;
    }
}

bool store_get_tags(const struct store *store, uint64_t unit, uint64_t *tags, uint32_t count)
{
    check_range(store, unit, count);
    while (count > 0) {
        const struct chunk *chunk = store->chunks[unit / CHUNK_UNITS];
        uint32_t at = (uint32_t)(unit % CHUNK_UNITS);
        uint32_t run = run_in_chunk(unit, count);

        if (chunk == NULL) {
            for (uint32_t i = 0; i < run; i++)
                tags[i] = PATTERN_ZERO;
        } else {
            for (uint32_t i = 0; chunk->raw != NULL && i < run; i++) {
                if (chunk->raw[at + i] != NULL)
                    return false;
            }
            memcpy(tags, &chunk->tags[at], run * sizeof *tags);
        }
        unit += run;
        tags += run;
        count -= run;
    }
    return true;
}

static void put_raw(struct store *store, struct chunk *chunk, uint32_t at, const uint8_t *bytes)
{
    if (chunk->raw == NULL) {
        chunk->raw = must_allocate(CHUNK_UNITS, sizeof *chunk->raw);
        store->memory_bytes += CHUNK_UNITS * sizeof *chunk->raw;
    }
    if (chunk->raw[at] == NULL) {
        union raw_unit *unit = store->free_raw;

        if (unit != NULL)
            store->free_raw = unit->next;
        else
            unit = must_allocate(1, sizeof *unit);
        chunk->raw[at] = unit;
        store->memory_bytes += sizeof *unit;
    }
    memcpy(chunk->raw[at]->bytes, bytes, PATTERN_BYTES);
}

void store_put_bytes(struct store *store, uint64_t unit, const uint8_t *bytes, uint32_t count)
{
    check_range(store, unit, count);
    for (uint32_t i = 0; i < count; i++, unit++, bytes += PATTERN_BYTES) {
        struct chunk *chunk;
        uint32_t at = (uint32_t)(unit % CHUNK_UNITS);
        uint64_t tag;

        if (pattern_recognise(bytes, &tag)) {
            store_put_tags(store, unit, &tag, 1);
            continue;
        }
        chunk = chunk_for_writing(store, unit / CHUNK_UNITS);
        put_raw(store, chunk, at, bytes);
    }
}

void store_get_bytes(const struct store *store, uint64_t unit, uint8_t *bytes, uint32_t count)
{
    check_range(store, unit, count);
    for (uint32_t i = 0; i < count; i++, unit++, bytes += PATTERN_BYTES) {
        const struct chunk *chunk = store->chunks[unit / CHUNK_UNITS];
        uint32_t at = (uint32_t)(unit % CHUNK_UNITS);

        if (chunk != NULL && chunk->raw != NULL && chunk->raw[at] != NULL)
            memcpy(bytes, chunk->raw[at]->bytes, PATTERN_BYTES);
        else
            pattern_expand(chunk == NULL ? PATTERN_ZERO : chunk->tags[at], bytes);
    }
}

void store_zero(struct store *store, uint64_t unit, uint64_t count)
{
    check_range(store, unit, count);
    while (count > 0) {
        struct chunk *chunk = store->chunks[unit / CHUNK_UNITS];
        uint32_t at = (uint32_t)(unit % CHUNK_UNITS);
        uint32_t run = run_in_chunk(unit, count);

        if (run == CHUNK_UNITS) {
            chunk_free(store, unit / CHUNK_UNITS);
        } else if (chunk != NULL) {
            drop_raw(store, chunk, at, run);
            memset(&chunk->tags[at], 0, run * sizeof chunk->tags[0]);
        }
        unit += run;
        count -= run;
    }
}
