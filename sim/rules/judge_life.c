/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of the controller's life: bring-up, shutdown and reset, rules R7 and R12 to R14 (NVMe 1.4
 * sections 7.3.2, 7.6).
 */
#include <stdlib.h>

#include "rules/judge.h"

#define MILLISECOND UINT64_C(1000000000)
#define SECOND      (1000 * MILLISECOND)
#define MICROSECOND UINT64_C(1000000)
#define SHST_DONE   2u
#define HELD_MOST   4096u /* ranges; more of them are not watched */

struct held {
    uint64_t bus, bytes;
};

struct life_state {
    bool up;      /* has been brought up */
    bool asked;   /* CC.SHN since CC.EN was set */
    bool done;    /* and CSTS.SHST has said that it is complete */
    bool orderly; /* so it was when CC.EN was last cleared */
    uint64_t asked_ps;
    bool resetting;              /* CC.EN cleared, RDY still 1 */
    struct held held[HELD_MOST]; /* what the commands in flight then held */
    uint32_t held_count;
};

static struct life_state *state_of(struct rules *rules)
{
    return judge_state(rules, &judge_life);
}

/* ---- reset ---- */

static void hold(struct life_state *life, uint64_t bus, uint64_t bytes)
{
    if (bytes != 0 && life->held_count < HELD_MOST)
        life->held[life->held_count++] = (struct held){bus, bytes};
}

static void hold_all(struct rules *rules, struct life_state *life)
{
    struct picture *p = rules_picture(rules);
    life->held_count = 0;
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        const struct picture_sq *sq = picture_sq(p, qid);
        const struct picture_cq *cq = picture_cq(p, qid);
        if (sq != NULL && sq->pages == NULL)
            hold(life, sq->bus, (uint64_t)sq->size * SQE_BYTES);
        if (cq != NULL && cq->pages == NULL)
            hold(life, cq->bus, (uint64_t)cq->size * CQE_BYTES);
    }
    for (uint32_t i = 0; i < p->commands_count; i++) {
        const struct picture_command *command = &p->commands[i];
        if (command->next != i || command->state == COMMAND_POSTED)
            continue;
        for (uint32_t k = 0; k < command->data.count; k++)
            hold(life, command->data.ranges[k].bus, command->data.ranges[k].bytes);
    }
}

static void judge_release(struct rules *rules, const struct stream_record *r)
{
    const struct life_state *life = state_of(rules);
    for (uint32_t i = 0; life->resetting && i < life->held_count; i++) {
        if (r->b < life->held[i].bus + life->held[i].bytes && life->held[i].bus < r->b + r->c) {
            rules_complain(rules, RULE_R14, WHERE_CPU(r->source), "only after CSTS.RDY is 0",
                           "%llu bytes at %llxh, which the controller may still use, are %s while "
                           "it resets",
                           (unsigned long long)r->c, (unsigned long long)r->b,
                           r->kind == RECORD_UNMAP ? "unmapped" : "freed");
            return;
        }
    }
}

/* ---- shutdown ---- */

static uint64_t shutdown_limit(const struct picture_controller *c)
{
    return c->rtd3e_us == 0 ? SECOND : c->rtd3e_us * MICROSECOND;
}

static void judge_disable(struct rules *rules, const struct stream_record *r)
{
    struct life_state *life = state_of(rules);
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint64_t waited = r->time_ps - life->asked_ps;
    if (life->asked && !life->done && waited < shutdown_limit(c) && !CSTS_IS_FATAL(c->csts))
        rules_complain(rules, RULE_R12, WHERE_CPU(r->source),
                       "after CSTS.SHST = 10b, or the time of RTD3E",
                       "CC.EN cleared %llu us after CC.SHN was set, CSTS is %xh",
                       (unsigned long long)(waited / MICROSECOND), c->csts);
    life->orderly = life->asked;
    life->resetting = CSTS_IS_READY(c->csts);
    hold_all(rules, life);
}

static void judge_cc(struct rules *rules, const struct stream_record *r)
{
    struct life_state *life = state_of(rules);
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint32_t value = (uint32_t)r->c;
    if (CC_IS_ENABLED(c->cc) && !CC_IS_ENABLED(value))
        judge_disable(rules, r);
    if (CC_IS_ENABLED(value) && !CC_IS_ENABLED(c->cc)) {
        life->asked = life->done = life->resetting = false;
    }
    if (CC_IS_ENABLED(value) && CC_SHN(value) != 0 && CC_SHN(c->cc) == 0) {
        life->asked = true;
        life->asked_ps = r->time_ps;
    }
}

static void life_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register)
{
    (void)to;
    (void)by_register;
    if (rules_picture(rules)->controller.shutdown_begun)
        rules_complain(rules, RULE_R13, WHERE_QUEUE(rules_cpu(rules), sq->qid),
                       "nothing until the next reset", "tail moved after CC.SHN was set");
}

static void life_concluded(struct rules *rules)
{
    const struct life_state *life = state_of(rules);
    const struct picture_controller *c = &rules_picture(rules)->controller;
    bool alive = !CSTS_IS_FATAL(c->csts);
    bool asked = CC_IS_ENABLED(c->cc) ? life->asked : life->orderly;
    if (life->up && alive && !asked && rules_setup(rules)->performance)
        rules_complain(rules, RULE_R12, WHERE_CPU(-1), "CC.SHN before the controller is left",
                       "the run has ended without a shutdown");
}

/* ---- bring-up ---- */

static void judge_bring_up(struct rules *rules, const struct stream_record *r)
{
    struct life_state *life = state_of(rules);
    const struct picture *p = rules_picture(rules);
    const struct picture_controller *c = &p->controller;
    uint64_t limit = CAP_TO(c->cap) * 500 * MILLISECOND;
    life->up |= r->a == 0;
    if (r->a == 0 || !CC_IS_ENABLED(c->cc) || (c->csts & 3u) != 0 ||
        r->time_ps - c->enabled_ps >= limit)
        return;
    rules_complain(rules, RULE_R7, WHERE_CPU(r->source), "not before CAP.TO * 500 ms",
                   "given up %llu ms after CC.EN was set; CAP.TO says %llu ms",
                   (unsigned long long)((r->time_ps - c->enabled_ps) / MILLISECOND),
                   (unsigned long long)(limit / MILLISECOND));
}

static void life_record(struct rules *rules, const struct stream_record *r)
{
    struct life_state *life = state_of(rules);
    switch (r->kind) {
    case RECORD_REG_WRITE:
        if (r->b == SPEC_CC)
            judge_cc(rules, r);
        break;
    case RECORD_CSTS:
        life->done |= life->asked && CSTS_SHST((uint32_t)r->c) == SHST_DONE;
        life->resetting = life->resetting && CSTS_IS_READY((uint32_t)r->c);
        break;
    case RECORD_BROUGHT_UP:
        judge_bring_up(rules, r);
        break;
    default:
        judge_release(rules, r);
        break;
    }
}

const struct judge judge_life = {
    .id = JUDGE_LIFE,
    .state_bytes = sizeof(struct life_state),
    .kinds = UINT64_C(1) << RECORD_REG_WRITE | UINT64_C(1) << RECORD_CSTS |
             UINT64_C(1) << RECORD_BROUGHT_UP | UINT64_C(1) << RECORD_DMA_FREE |
             UINT64_C(1) << RECORD_UNMAP,
    .record = life_record,
    .tail = life_tail,
    .concluded = life_concluded,
};
