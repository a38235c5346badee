/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of shadow doorbells: rules B1 to B8 (NVMe 1.4 sections 5.7, 7.13). A store to a shadow
 * doorbell is seen at the next fence, doorbell register or look of the device; which of these it is
 * says whether the fence was there.
 */
#include "rules/judge.h"

#include <inttypes.h>

#define OACS_DOORBELL_BUFFER (1u << 8) /* 5.15.2.1 */
#define NUMBERS              (2 * PICTURE_QUEUES)
#define WORD_BYTES           4u

struct pending {
    bool due; /* the register must be written */
    uint16_t cpu;
    uint32_t value, old, eventidx;
};

struct shadow_state {
    struct pending pending[NUMBERS];
    uint32_t pending_count;
    bool armed[NUMBERS]; /* EventIdx written, and the shadow doorbell not read since */
};

static struct shadow_state *state_of(struct rules *rules)
{
    return judge_state(rules, &judge_shadow);
}

static uint64_t word_at(const struct picture *p, uint64_t page, uint32_t number)
{
    return page + ((uint64_t)number * WORD_BYTES << CAP_DSTRD(p->controller.cap));
}

static bool peek_word(struct rules *rules, uint64_t page, uint32_t number, uint32_t *value)
{
    uint8_t raw[WORD_BYTES];
    if (!rules_peek(rules, word_at(rules_picture(rules), page, number), raw, sizeof raw))
        return false;
    *value = spec_get32(raw);
    return true;
}

/* ---- B1 and B2 ---- */

static void judge_zero(struct rules *rules, struct where where, uint64_t doorbells,
                       uint64_t eventidxs, uint32_t first, uint32_t last)
{
    for (uint32_t number = first; number <= last; number++) {
        uint32_t doorbell = 0, eventidx = 0;
        peek_word(rules, doorbells, number, &doorbell);
        peek_word(rules, eventidxs, number, &eventidx);
        if (doorbell == 0 && eventidx == 0)
            continue;
        rules_complain(rules, RULE_B2, where, "0 in both pages",
                       "doorbell %u starts with %xh, its EventIdx with %xh", number, doorbell,
                       eventidx);
        return;
    }
}

static void judge_config(struct rules *rules, struct where where, const uint8_t *sqe)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint64_t prp1 = SQE_PRP1(sqe), prp2 = SQE_PRP2(sqe), page = CC_PAGE(c->cc);
    uint32_t words = (uint32_t)(page / (WORD_BYTES << CAP_DSTRD(c->cap)));
    if (c->identified && (c->oacs & OACS_DOORBELL_BUFFER) == 0)
        rules_complain(rules, RULE_B1, where, "only with OACS bit 8",
                       "Doorbell Buffer Config sent, OACS is %xh", c->oacs);
    else if ((prp1 | prp2) % page != 0 || prp1 == prp2 || prp1 == 0 || prp2 == 0)
        rules_complain(rules, RULE_B1, where, "two different pages, each page aligned",
                       "PRP1 %" PRIx64 "h, PRP2 %" PRIx64 "h", prp1, prp2);
    else
        judge_zero(rules, where, prp1, prp2, 0, words < NUMBERS ? words - 1 : NUMBERS - 1);
}

static void shadow_rung(struct rules *rules, struct picture_sq *sq,
                        const struct picture_command *command)
{
    const struct picture *p = rules_picture(rules);
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    if (sq->qid != 0 || !command->known)
        return;
    uint8_t opcode = SQE_OPCODE(command->sqe);
    uint32_t qid = SQE_CDW(command->sqe, 10) & 0xffff;
    if (opcode == ADMIN_DOORBELL_BUFFER)
        judge_config(rules, where, command->sqe);
    if (!p->shadow.on || qid == 0 || qid >= PICTURE_QUEUES)
        return;
    if (opcode == ADMIN_CREATE_SQ)
        judge_zero(rules, where, p->shadow.doorbells, p->shadow.eventidxs, 2 * qid, 2 * qid);
    if (opcode == ADMIN_CREATE_CQ)
        judge_zero(rules, where, p->shadow.doorbells, p->shadow.eventidxs, 2 * qid + 1,
                   2 * qid + 1);
}

/* ---- B3 and B4: the shadow moves ---- */

/* 7.13: from old to value, does the doorbell pass EventIdx? 16-bit arithmetic. */
static bool passes(uint32_t value, uint32_t old, uint32_t eventidx)
{
    return (uint16_t)(value - eventidx - 1) < (uint16_t)(value - old);
}

static void shadow_moves(struct rules *rules, uint32_t number, uint32_t old, uint32_t to)
{
    struct shadow_state *state = state_of(rules);
    const struct picture *p = rules_picture(rules);
    int cpu = rules_cpu(rules);
    uint32_t eventidx;
    if (cpu < 0)
        return; /* the device has looked before the host's fence: the fence is still to come */
    if (rules_record(rules)->kind != RECORD_MB) {
        rules_complain(
            rules, RULE_B3, WHERE_QUEUE(cpu, number / 2), "a full fence behind the store",
            "%s shadow doorbell %u stored, and the next that comes is %s",
            number % 2 == 0 ? "SQ" : "CQ", number, record_kind_name(rules_record(rules)->kind));
        return;
    }
    if (!peek_word(rules, p->shadow.eventidxs, number, &eventidx) || !passes(to, old, eventidx))
        return;
    state->pending_count += !state->pending[number].due;
    state->pending[number] = (struct pending){true, (uint16_t)cpu, to, old, eventidx};
}

static void judge_register(struct rules *rules, uint32_t number, uint32_t value)
{
    struct shadow_state *state = state_of(rules);
    const struct picture *p = rules_picture(rules);
    uint32_t shadow;
    if (state->pending[number].due)
        state->pending_count--;
    state->pending[number].due = false;
    if (number < 2) {
        if (!peek_word(rules, p->shadow.doorbells, number, &shadow) || shadow != value)
            rules_note(rules, RULE_B7);
        return;
    }
    if (peek_word(rules, p->shadow.doorbells, number, &shadow) && shadow != value)
        rules_complain(rules, RULE_B5, WHERE_QUEUE(rules_cpu(rules), number / 2),
                       "the value of the shadow doorbell, 32 bits little endian",
                       "register written with %xh, the shadow doorbell is %xh", value, shadow);
}

static void moves(struct rules *rules, uint32_t number, uint32_t old, uint32_t to, bool by_register)
{
    const struct picture *p = rules_picture(rules);
    if (!p->shadow.on)
        return;
    if (by_register)
        judge_register(rules, number, to);
    else
        shadow_moves(rules, number, old, to);
}

static void shadow_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register)
{
    moves(rules, 2u * sq->qid, sq->tail, to, by_register);
}

static void shadow_head(struct rules *rules, struct picture_cq *cq, uint32_t to, bool by_register)
{
    moves(rules, 2u * cq->qid + 1, (uint32_t)(cq->released % cq->size), to, by_register);
}

/* The host has gone on to something else. The device may have got there by itself meanwhile. */
static void judge_pending(struct rules *rules, const struct stream_record *r)
{
    struct shadow_state *state = state_of(rules);
    const struct picture *p = rules_picture(rules);
    for (uint32_t number = 0; number < NUMBERS && state->pending_count > 0; number++) {
        struct pending *pending = &state->pending[number];
        uint32_t eventidx;
        if (!pending->due || pending->cpu != r->source)
            continue;
        pending->due = false;
        state->pending_count--;
        if (!peek_word(rules, p->shadow.eventidxs, number, &eventidx) ||
            eventidx != pending->eventidx)
            continue;
        rules_complain(rules, RULE_B4, WHERE_QUEUE(r->source, number / 2),
                       "the register, since EventIdx is passed",
                       "shadow doorbell %u moved from %u to %u, EventIdx is %u, and the register "
                       "was not written",
                       number, pending->old, pending->value, pending->eventidx);
    }
}

/* ---- B6 ---- */

static void judge_free(struct rules *rules, const struct stream_record *r)
{
    const struct picture *p = rules_picture(rules);
    uint64_t page = CC_PAGE(p->controller.cc);
    if (!p->shadow.on)
        return;
    if ((r->b < p->shadow.doorbells + page && p->shadow.doorbells < r->b + r->c) ||
        (r->b < p->shadow.eventidxs + page && p->shadow.eventidxs < r->b + r->c))
        rules_complain(rules, RULE_B6, WHERE_CPU(r->source), "after a reset",
                       "a page of the doorbell buffers is freed while the controller uses it");
}

/* Not enabled, or not any more: nobody looks at the shadow, and the host still stores there. */
static void judge_disabled(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    if (p->shadow.on || p->shadow.pending || p->shadow.doorbells == 0)
        return;
    for (uint32_t qid = 1; qid <= p->highest_qid; qid++) {
        const struct picture_sq *sq = picture_sq(p, qid);
        uint32_t value;
        if (sq == NULL || !peek_word(rules, p->shadow.doorbells, 2 * qid, &value) ||
            value == p->shadow.value[2 * qid])
            continue;
        rules_complain(rules, RULE_B6, WHERE_QUEUE(r->source, qid),
                       "registers alone until the buffers are configured anew",
                       "a shadow doorbell is stored (%xh) while the buffers are not in use", value);
        return;
    }
}

/* ---- B8 ---- */

static void note_device(struct shadow_state *state, const struct stream_record *r)
{
    if (r->b < NUMBERS)
        state->armed[r->b] = r->a == 1;
}

static void judge_sleep(struct rules *rules)
{
    const struct shadow_state *state = state_of(rules);
    struct picture *p = rules_picture(rules);
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        const struct picture_sq *sq = picture_sq(p, qid);
        if (sq != NULL && state->armed[2 * qid] && sq->fetched_head != sq->tail)
            rules_complain(rules, RULE_B8, WHERE_QUEUE(-1, qid),
                           "a look at the shadow doorbell after EventIdx was written",
                           "the controller sleeps at %u, and the shadow tail is %u",
                           sq->fetched_head, sq->tail);
    }
}

static void shadow_record(struct rules *rules, const struct stream_record *r)
{
    switch (r->kind) {
    case RECORD_SHADOW:
        note_device(state_of(rules), r);
        break;
    case RECORD_FORSAKEN:
        judge_pending(rules, r);
        judge_sleep(rules);
        break;
    case RECORD_DMA_FREE:
        judge_free(rules, r);
        break;
    case RECORD_PUBLISH:
        judge_disabled(rules, r);
        judge_pending(rules, r);
        break;
    default: /* SUBMITTED, MB, CQ_LOAD: whatever comes after the choice to ring or not */
        judge_pending(rules, r);
        break;
    }
}

static void shadow_reset(struct rules *rules)
{
    *state_of(rules) = (struct shadow_state){.pending_count = 0};
}

const struct judge judge_shadow = {
    .id = JUDGE_SHADOW,
    .state_bytes = sizeof(struct shadow_state),
    .kinds = UINT64_C(1) << RECORD_SHADOW | UINT64_C(1) << RECORD_FORSAKEN |
             UINT64_C(1) << RECORD_DMA_FREE | UINT64_C(1) << RECORD_PUBLISH |
             UINT64_C(1) << RECORD_SUBMITTED | UINT64_C(1) << RECORD_MB |
             UINT64_C(1) << RECORD_CQ_LOAD,
    .record = shadow_record,
    .tail = shadow_tail,
    .head = shadow_head,
    .rung = shadow_rung,
    .reset = shadow_reset,
};
