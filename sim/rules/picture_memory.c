/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver holds: DMA memory, mappings, and requests of its callers; see picture.h.
 */
#include <stdlib.h>

#include "rules/internal.h"

/* ---- blocks ---- */

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

/* ---- requests: a table with linear probing ---- */

static uint32_t place_of(const struct picture *p, const void *identity)
{
    return (uint32_t)(((uintptr_t)identity >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) &
           (p->requests_room - 1);
}

struct picture_request *picture_find_request(struct picture *p, const void *identity)
{
    if (p->requests_room == 0)
        return NULL;
    for (uint32_t at = place_of(p, identity); p->requests[at].identity != NULL;
         at = (at + 1) & (p->requests_room - 1)) {
        if (p->requests[at].identity == identity)
            return &p->requests[at];
    }
    return NULL;
}

static void put(struct picture *p, const struct picture_request *request)
{
    uint32_t at = place_of(p, request->identity);
    while (p->requests[at].identity != NULL && p->requests[at].identity != request->identity)
        at = (at + 1) & (p->requests_room - 1);
    if (p->requests[at].identity == NULL)
        p->requests_count++;
    p->requests[at] = *request;
}

static void enlarge(struct picture *p)
{
    struct picture_request *old = p->requests;
    uint32_t room = p->requests_room;
    p->requests_room = room == 0 ? 64 : 2 * room;
    p->requests_count = 0;
    p->requests = calloc(p->requests_room, sizeof *p->requests);
    if (p->requests == NULL)
        abort();
    for (uint32_t i = 0; i < room; i++) {
        if (old[i].identity != NULL)
            put(p, &old[i]);
    }
    free(old);
}

/* Those behind it move up, so that a search never meets a hole too early. */
static void take_out(struct picture *p, const struct picture_request *request)
{
    uint32_t mask = p->requests_room - 1, hole = (uint32_t)(request - p->requests);
    p->requests_count--;
    p->requests[hole].identity = NULL;
    for (uint32_t at = (hole + 1) & mask; p->requests[at].identity != NULL; at = (at + 1) & mask) {
        uint32_t home = place_of(p, p->requests[at].identity);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        p->requests[hole] = p->requests[at];
        p->requests[at].identity = NULL;
        hole = at;
    }
}

static void submit(struct picture *p, const struct stream_record *r)
{
    const struct record_submit *more = r->data;
    if (2 * (p->requests_count + 1) > p->requests_room)
        enlarge(p);
    const struct picture_request request = {.identity = more->identity,
                                            .op = r->a,
                                            .nsid = more->nsid,
                                            .blocks = more->blocks,
                                            .lba = more->lba,
                                            .bus = r->b,
                                            .bytes = r->c,
                                            .registered = more->registered,
                                            .fua = more->fua,
                                            .cpu = r->source,
                                            .submitted_ps = r->time_ps};
    put(p, &request);
}

void picture_request_record(struct picture *p, const struct stream_record *r)
{
    if (r->kind == RECORD_SUBMIT) {
        submit(p, r);
        return;
    }
    struct picture_request *request = picture_find_request(p, r->data);
    if (request == NULL)
        return;
    if (r->kind == RECORD_SUBMITTED && r->a == 0)
        request->taken = true;
    else
        take_out(p, request);
}
