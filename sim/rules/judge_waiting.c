/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of waiting and interrupts: rules C7 and C8 (NVMe 1.4 sections 7.5, 7.5.1).
 */
#include "rules/judge.h"

#define COMMANDS_LEAST  100u /* fewer say nothing about a rate */
#define INTERRUPTS_MOST 2u   /* for each completion */
#define PS_PER_US       UINT64_C(1000000)
#define HELD_MOST_PS    (10000 * PS_PER_US) /* a copy of a megabyte on a slow machine is 3 ms */

struct waiting_state {
    uint64_t interrupts;
    uint64_t longest_ps; /* for which a CPU held interrupts back at a time */
    uint32_t cpu;        /* that did */
};

/* ---- C7 ---- */

static void judge_forsaken(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    static const char allowed[] = "something that makes the host look, or ring";
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        const struct picture_cq *cq = picture_cq(p, qid);
        if (cq != NULL && cq->posted > cq->seen) {
            rules_complain(rules, RULE_C7, WHERE_QUEUE(r->source, qid), allowed,
                           "%llu completions lie unseen, and no interrupt or poll will come",
                           (unsigned long long)(cq->posted - cq->seen));
            return;
        }
    }
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        const struct picture_sq *sq = picture_sq(p, qid);
        for (uint32_t slot = 0; sq != NULL && slot < sq->size; slot++) {
            if (!sq->slots[slot].published)
                continue;
            rules_complain(rules, RULE_C7, WHERE_QUEUE(r->source, qid), allowed,
                           "the entry in slot %u was never rung", slot);
            return;
        }
        if (sq != NULL && sq->fetched_head != sq->tail && p->shadow.on) {
            rules_complain(rules, RULE_C7, WHERE_QUEUE(r->source, qid), allowed,
                           "the controller sleeps at %u, and the shadow tail is %u",
                           sq->fetched_head, sq->tail);
            return;
        }
    }
}

/* ---- C8 ---- */

static void note_longest(struct waiting_state *waiting, const struct stream_record *r)
{
    waiting->longest_ps = r->b;
    waiting->cpu = r->source;
}

static void waiting_record(struct rules *rules, const struct stream_record *r)
{
    struct waiting_state *waiting = judge_state(rules, &judge_waiting);
    if (r->kind == RECORD_FORSAKEN)
        judge_forsaken(rules, r);
    else if (r->kind == RECORD_INTERRUPT)
        waiting->interrupts += r->b == 0;
    else if (r->b > waiting->longest_ps)
        note_longest(waiting, r);
}

/* Of all queues, in their last life. */
static uint64_t completions_of(const struct picture *p)
{
    uint64_t count = 0;
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++)
        count += p->cqs[qid] == NULL ? 0 : p->cqs[qid]->seen;
    return count;
}

static void waiting_concluded(struct rules *rules)
{
    const struct waiting_state *waiting = judge_state(rules, &judge_waiting);
    uint64_t completions = completions_of(rules_picture(rules));
    if (!rules_setup(rules)->performance)
        return;
    if (completions >= COMMANDS_LEAST && waiting->interrupts > INTERRUPTS_MOST * completions)
        rules_complain(rules, RULE_C8, WHERE_CPU(-1), "2 for each completion",
                       "%llu interrupts for %llu completions",
                       (unsigned long long)waiting->interrupts, (unsigned long long)completions);
    if (waiting->longest_ps > HELD_MOST_PS)
        rules_complain(rules, RULE_C8, WHERE_CPU(waiting->cpu), "10 ms at a time",
                       "interrupts held back for %llu us at a time",
                       (unsigned long long)(waiting->longest_ps / PS_PER_US));
}

const struct judge judge_waiting = {
    .id = JUDGE_WAITING,
    .state_bytes = sizeof(struct waiting_state),
    .kinds = UINT64_C(1) << RECORD_FORSAKEN | UINT64_C(1) << RECORD_INTERRUPT |
             UINT64_C(1) << RECORD_LOCK,
    .record = waiting_record,
    .concluded = waiting_concluded,
};
