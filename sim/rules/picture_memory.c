/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver holds: DMA memory and mappings; see picture.h.
 */
#include "rules/internal.h"

static bool begins(const struct stream_record *r)
{
    return r->kind == RECORD_DMA_ALLOC || r->kind == RECORD_MAP;
}

static bool is_of(const struct picture_block *block, const struct stream_record *r)
{
    bool mapped = block->use >= PICTURE_MAPPED;
    return block->bus == r->b && block->bytes == r->c && mapped == (r->kind == RECORD_UNMAP) &&
           (!mapped || block->use == PICTURE_MAPPED + r->a);
}

void picture_memory_record(struct picture *p, const struct stream_record *r)
{
    if (begins(r)) {
        p->blocks =
            picture_grow(p->blocks, &p->blocks_room, p->blocks_count + 1, sizeof *p->blocks);
        p->blocks[p->blocks_count++] = (struct picture_block){
            r->b, r->c, r->kind == RECORD_MAP ? PICTURE_MAPPED + r->a : r->a};
        return;
    }
    for (uint32_t i = p->blocks_count; i-- > 0;) { /* mappings are short-lived: from the end */
        if (is_of(&p->blocks[i], r)) {
            p->blocks[i] = p->blocks[--p->blocks_count];
            return;
        }
    }
}

const struct picture_block *picture_holding(const struct picture *p, uint64_t bus, uint64_t bytes)
{
    for (uint32_t i = 0; i < p->blocks_count; i++) {
        const struct picture_block *block = &p->blocks[i];
        if (bus >= block->bus && bytes <= block->bytes && bus - block->bus <= block->bytes - bytes)
            return block;
    }
    return NULL;
}
