/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which tracker takes which record into the picture; see picture.h.
 */
#include <stdlib.h>

#include "rules/internal.h"

#define KIND(kind) (UINT64_C(1) << (kind))

const uint64_t picture_kinds =
    KIND(RECORD_REG_READ) | KIND(RECORD_REG_WRITE) | KIND(RECORD_PUBLISH) | KIND(RECORD_MB) |
    KIND(RECORD_CQ_LOAD) | KIND(RECORD_RMB) | KIND(RECORD_MAP) | KIND(RECORD_UNMAP) |
    KIND(RECORD_DMA_ALLOC) | KIND(RECORD_DMA_FREE) | KIND(RECORD_IRQ_SETUP) | KIND(RECORD_SUBMIT) |
    KIND(RECORD_SUBMITTED) | KIND(RECORD_ENDED) | KIND(RECORD_FETCH) | KIND(RECORD_COMMAND) |
    KIND(RECORD_CQE) | KIND(RECORD_CSTS) | KIND(RECORD_CONFIG) | KIND(RECORD_SHADOW) |
    KIND(RECORD_RESET);

static void take_fence(struct picture *p, const struct stream_record *r)
{
    struct picture_cq *cq = picture_cq(p, r->a);
    if (cq != NULL)
        cq->fenced = cq->seen;
}

/* The entries of a burst are told from the last to the first. */
static void take_fetch(struct picture *p, const struct stream_record *r)
{
    struct picture_sq *sq = picture_sq(p, (uint32_t)(r->b >> 16));
    if (sq == NULL)
        return;
    uint32_t head = (r->a % sq->size + 1) % sq->size;
    uint32_t moves = (head + sq->size - sq->fetched_head) % sq->size;
    if (moves <= (sq->tail + sq->size - sq->fetched_head) % sq->size)
        sq->fetched_head = head;
}

void picture_take(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = &rules->picture;
    switch (r->kind) {
    case RECORD_REG_READ:
        picture_register_read(rules, r);
        break;
    case RECORD_REG_WRITE:
        picture_register_write(rules, r);
        break;
    case RECORD_CONFIG:
        picture_config_write(p, r);
        break;
    case RECORD_CSTS:
        p->controller.csts = (uint32_t)r->c;
        break;
    case RECORD_IRQ_SETUP:
        p->controller.irq_mode = r->a;
        p->controller.vectors = (uint32_t)r->b;
        break;
    case RECORD_PUBLISH:
        picture_shadow_look(rules);
        picture_publish(rules, r);
        break;
    case RECORD_MB:
        picture_shadow_look(rules);
        break;
    case RECORD_SHADOW:
        picture_shadow_record(rules, r);
        break;
    case RECORD_CQ_LOAD:
        picture_looked(rules, r);
        break;
    case RECORD_RMB:
        take_fence(p, r);
        break;
    case RECORD_FETCH:
        take_fetch(p, r);
        break;
    case RECORD_COMMAND:
        picture_fetched(rules, r);
        break;
    case RECORD_CQE:
        picture_posted(rules, r);
        break;
    case RECORD_RESET:
        if (r->a == 0)
            picture_reset(rules);
        break;
    case RECORD_MAP:
    case RECORD_UNMAP:
    case RECORD_DMA_ALLOC:
    case RECORD_DMA_FREE:
        picture_memory_record(p, r);
        break;
    case RECORD_SUBMIT:
    case RECORD_SUBMITTED:
    case RECORD_ENDED:
        picture_request_record(p, r);
        break;
    default:
        break;
    }
}

bool picture_is_doorbell(const struct picture *picture, uint64_t offset, uint32_t *number)
{
    uint64_t stride = UINT64_C(4) << CAP_DSTRD(picture->controller.cap);
    if (offset < SPEC_DOORBELLS || (offset - SPEC_DOORBELLS) % stride != 0)
        return false;
    uint64_t found = (offset - SPEC_DOORBELLS) / stride;
    *number = (uint32_t)found;
    return found <= UINT32_MAX;
}

void *picture_grow(void *array, uint32_t *room, uint32_t wanted, size_t bytes)
{
    if (wanted <= *room)
        return array;
    uint32_t larger = *room == 0 ? 16 : *room;
    while (larger < wanted)
        larger *= 2;
    array = realloc(array, larger * bytes);
    if (array == NULL)
        abort();
    *room = larger;
    return array;
}
