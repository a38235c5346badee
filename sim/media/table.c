/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arrays by chunks; see table.h.
 */
#include "media/table.h"

#include <stdlib.h>
#include <string.h>

#include "media/memory.h"

void table_init(struct table *table, uint64_t count)
{
    table->chunk_count = (count + TABLE_CHUNK - 1) / TABLE_CHUNK;
    table->chunks = media_allocate(table->chunk_count, sizeof *table->chunks);
    table->memory_bytes = 0;
}

void table_free(struct table *table)
{
    for (uint64_t i = 0; i < table->chunk_count; i++)
        free(table->chunks[i]);
    free(table->chunks);
}

void table_add_chunk(struct table *table, uint64_t chunk)
{
    size_t bytes = TABLE_CHUNK * sizeof(uint32_t);

    table->chunks[chunk] = media_allocate(1, bytes);
    memset(table->chunks[chunk], 0xff, bytes); /* TABLE_EMPTY */
    table->memory_bytes += bytes;
}
