/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver holds: DMA memory and mappings; see picture.h. The requests of its callers are in
 * picture_requests.c.
 */
#include "rules/internal.h"

#define PAGE_LOG2 12u

/* Where the block that begins on this page may be found: a number to try first, plus 1. */
static uint32_t *hint(struct picture *p, uint64_t bus)
{
    return &p->block_hints[(bus >> PAGE_LOG2) % PICTURE_BUSY];
}

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
        p->blocks[p->blocks_count++] =
            (struct picture_block){.bus = r->b,
                                   .bytes = r->c,
                                   .use = r->kind == RECORD_MAP ? PICTURE_MAPPED + r->a : r->a};
        *hint(p, r->b) = p->blocks_count;
        return;
    }
    for (uint32_t i = p->blocks_count; i-- > 0;) { /* mappings are short-lived: from the end */
        if (is_of(&p->blocks[i], r)) {
            p->blocks[i] = p->blocks[--p->blocks_count];
            *hint(p, p->blocks[i].bus) = i + 1;
            return;
        }
    }
}

static bool holds(const struct picture_block *block, uint64_t bus, uint64_t bytes)
{
    return bus >= block->bus && bytes <= block->bytes && bus - block->bus <= block->bytes - bytes;
}

const struct picture_block *picture_holding(const struct picture *p, uint64_t bus, uint64_t bytes)
{
    uint32_t first = p->block_hints[(bus >> PAGE_LOG2) % PICTURE_BUSY];
    if (first != 0 && first <= p->blocks_count && holds(&p->blocks[first - 1], bus, bytes))
        return &p->blocks[first - 1];
    for (uint32_t i = 0; i < p->blocks_count; i++) {
        if (holds(&p->blocks[i], bus, bytes))
            return &p->blocks[i];
    }
    return NULL;
}

uint32_t picture_holders(const struct picture *p, uint64_t bus, uint64_t bytes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->blocks_count; i++)
        count += holds(&p->blocks[i], bus, bytes);
    return count;
}

bool picture_is_held(const struct picture *p, uint64_t bus, uint64_t bytes)
{
    uint64_t left = bytes;
    while (left > 0) {
        const struct picture_block *block = picture_holding(p, bus, 1);
        if (block == NULL)
            return false;
        uint64_t here = block->bytes - (bus - block->bus);
        bus += here;
        left -= here < left ? here : left;
    }
    return true;
}
