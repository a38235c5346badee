/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Eight units of a store, 4 KiB of contents, in one 64-bit word. What one request wrote there is a
 * run of tags that count up, so the first tag stands for all of them; zeroes are the word 0. Any
 * other mixture (parts written by different requests, bytes that are no pattern) lives in a pool of
 * expanded cells, and the word is its number. Called by store.c only.
 */
#ifndef MEDIA_CELL_H
#define MEDIA_CELL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CELL_UNITS 8u
#define CELL_ZERO  UINT64_C(0)

struct cell_pool;

struct cell_pool *cell_pool_create(void); /* never NULL: exits with a message if out of memory */
void cell_pool_destroy(struct cell_pool *pool);
/* Bytes of memory in use for expanded cells now. */
uint64_t cell_pool_bytes(const struct cell_pool *pool);

/* Each works on units [at, at + count) of a cell, 1 <= count, at + count <= CELL_UNITS. */
void cell_put_tags(struct cell_pool *pool, uint64_t *cell, uint32_t at, const uint64_t *tags,
                   uint32_t count);
void cell_put_bytes(struct cell_pool *pool, uint64_t *cell, uint32_t at, const uint8_t *bytes);
/* False if a unit of the range holds bytes that no tag stands for; `tags` is undefined then. */
bool cell_get_tags(const struct cell_pool *pool, uint64_t cell, uint32_t at, uint64_t *tags,
                   uint32_t count);
/* 512 bytes of unit `at`. */
void cell_get_bytes(const struct cell_pool *pool, uint64_t cell, uint32_t at, uint8_t *bytes);
/* The whole cell becomes `word`, which must not be an expanded cell's; an expanded one is given
 * back. */
void cell_set(struct cell_pool *pool, uint64_t *cell, uint64_t word);

/* High half of the word of an expanded cell. No workload's request has this number, but any tag is
 * allowed: a run that would begin in this range is kept expanded. */
#define CELL_EXPANDED UINT32_C(0xffffffff)

static inline bool cell_is_expanded(uint64_t cell)
{
    return (uint32_t)(cell >> 32) == CELL_EXPANDED;
}

/* Do these eight tags fit one word? */
static inline bool cell_is_run(const uint64_t *tags)
{
    uint64_t first = tags[0], step = first == CELL_ZERO ? 0 : 1, differs = 0;

    for (uint32_t i = 1; i < CELL_UNITS; i++)
        differs |= tags[i] ^ (first + i * step);
    return differs == 0 && !cell_is_expanded(first);
}

/* The eight tags of a word that is no expanded cell. */
static inline void cell_expand_run(uint64_t word, uint64_t *tags)
{
    if (word == CELL_ZERO) {
        memset(tags, 0, CELL_UNITS * sizeof *tags);
        return;
    }
    for (uint32_t i = 0; i < CELL_UNITS; i++)
        tags[i] = word + i;
}

#endif
