/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A large array of 32-bit numbers that takes memory where something was set, by chunks.
 */
#ifndef MEDIA_TABLE_H
#define MEDIA_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_CHUNK UINT32_C(1024)
#define TABLE_EMPTY UINT32_MAX /* what was never set */

struct table {
    uint32_t **chunks;
    uint64_t chunk_count;
    uint64_t memory_bytes; /* of chunks */
};

void table_init(struct table *table, uint64_t count);
void table_free(struct table *table);
void table_add_chunk(struct table *table, uint64_t chunk);

static inline uint32_t table_get(const struct table *table, uint32_t at)
{
    const uint32_t *chunk = table->chunks[at / TABLE_CHUNK];

    return chunk == NULL ? TABLE_EMPTY : chunk[at % TABLE_CHUNK];
}

static inline void table_set(struct table *table, uint32_t at, uint32_t value)
{
    if (table->chunks[at / TABLE_CHUNK] == NULL)
        table_add_chunk(table, at / TABLE_CHUNK);
    table->chunks[at / TABLE_CHUNK][at % TABLE_CHUNK] = value;
}

#endif
