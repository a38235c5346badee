/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells (NVMe 1.4 sections 5.7 and 7.13): the host moves tails and heads by storing to
 * memory. Such a store cannot be seen itself; what it has changed is found at the next fence, the
 * next doorbell register, or when the device looks.
 */
#include "rules/internal.h"

/* The SQ's entry of a queue is 2 * qid strides into the page, the CQ's one further. */
static uint64_t entry_at(const struct picture *p, uint64_t page, uint32_t number)
{
    return page + ((uint64_t)number * 4 << CAP_DSTRD(p->controller.cap));
}

static void note(struct rules *rules, uint32_t number, uint32_t value)
{
    struct picture *p = &rules->picture;
    struct picture_sq *sq = picture_sq(p, number / 2);
    struct picture_cq *cq = picture_cq(p, number / 2);
    if (value == p->shadow.value[number])
        return;
    p->shadow.value[number] = value;
    /* Controllers copy what the admin queue's registers get (rule B7). */
    if (number == 0 && sq != NULL && value == sq->tail)
        return;
    if (number == 1 && cq != NULL && value == cq->released % cq->size)
        return;
    if (number % 2 == 0 && sq != NULL)
        picture_move_tail(rules, sq, value, false);
    else if (number % 2 != 0 && cq != NULL)
        picture_move_head(rules, cq, value, false);
}

static void look_at(struct rules *rules, uint32_t number)
{
    uint8_t raw[4];
    const struct picture *p = &rules->picture;
    if (rules_peek(rules, entry_at(p, p->shadow.doorbells, number), raw, sizeof raw))
        note(rules, number, spec_get32(raw));
}

void picture_shadow_look(struct rules *rules)
{
    struct picture *p = &rules->picture;
    if (!p->shadow.on)
        return;
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        if (picture_cq(p, qid) != NULL)
            look_at(rules, 2 * qid + 1);
        if (picture_sq(p, qid) != NULL)
            look_at(rules, 2 * qid);
    }
}

void picture_shadow_command(struct picture *p, const uint8_t *sqe)
{
    if (SQE_OPCODE(sqe) != ADMIN_DOORBELL_BUFFER)
        return;
    p->shadow = (struct picture_shadow){
        .pending = true, .doorbells = SQE_PRP1(sqe), .eventidxs = SQE_PRP2(sqe)};
}

void picture_shadow_record(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = &rules->picture;
    if (r->b >= 2 * PICTURE_QUEUES)
        return;
    if (r->a == 1)
        p->shadow.eventidx[r->b] = (uint32_t)r->c;
    else if (p->shadow.on)
        note(rules, (uint32_t)r->b, (uint32_t)r->c);
}
