/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of waiting and interrupts: rules C7 and C8 (NVMe 1.4 sections 7.5, 7.5.1).
 */
#include "rules/judge.h"

#define IOS_LEAST       100u /* fewer say nothing about a rate */
#define INTERRUPTS_MOST 2u   /* for each I/O command */
#define HELD_PART       2u   /* of a CPU's time, one part in so many */

struct waiting_state {
    uint64_t interrupts;
    uint32_t holds[PICTURE_CPUS]; /* locks held */
    uint64_t since_ps[PICTURE_CPUS];
    uint64_t held_ps[PICTURE_CPUS];
    uint64_t began_ps; /* the controller was up */
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

static void note_lock(struct waiting_state *waiting, const struct stream_record *r)
{
    uint32_t cpu = r->source % PICTURE_CPUS;
    if (r->b == 1) {
        if (waiting->holds[cpu]++ == 0)
            waiting->since_ps[cpu] = r->time_ps;
    } else if (waiting->holds[cpu] > 0 && --waiting->holds[cpu] == 0) {
        waiting->held_ps[cpu] += r->time_ps - waiting->since_ps[cpu];
    }
}

static void waiting_record(struct rules *rules, const struct stream_record *r)
{
    struct waiting_state *waiting = judge_state(rules, &judge_waiting);
    if (r->kind == RECORD_FORSAKEN)
        judge_forsaken(rules, r);
    else if (r->kind == RECORD_BROUGHT_UP)
        *waiting = (struct waiting_state){.began_ps = r->time_ps};
    else if (r->kind == RECORD_INTERRUPT)
        waiting->interrupts += r->b == 0;
    else
        note_lock(waiting, r);
}

static void waiting_concluded(struct rules *rules)
{
    const struct waiting_state *waiting = judge_state(rules, &judge_waiting);
    uint64_t ios = rules_picture(rules)->ios;
    if (!rules_setup(rules)->performance || ios < IOS_LEAST)
        return;
    if (waiting->interrupts > INTERRUPTS_MOST * ios)
        rules_complain(rules, RULE_C8, WHERE_CPU(-1), "2 for each I/O command",
                       "%llu interrupts for %llu I/O commands",
                       (unsigned long long)waiting->interrupts, (unsigned long long)ios);
    uint64_t whole_ps = rules_picture(rules)->now_ps - waiting->began_ps;
    for (unsigned cpu = 0; cpu < PICTURE_CPUS; cpu++) {
        if (waiting->held_ps[cpu] > whole_ps / HELD_PART)
            rules_complain(rules, RULE_C8, WHERE_CPU(cpu), "at most half of a CPU's time",
                           "interrupts held back for %llu %% of the time",
                           (unsigned long long)(100 * waiting->held_ps[cpu] / whole_ps));
    }
}

const struct judge judge_waiting = {
    .id = JUDGE_WAITING,
    .state_bytes = sizeof(struct waiting_state),
    .kinds = UINT64_C(1) << RECORD_FORSAKEN | UINT64_C(1) << RECORD_BROUGHT_UP |
             UINT64_C(1) << RECORD_INTERRUPT | UINT64_C(1) << RECORD_LOCK,
    .record = waiting_record,
    .concluded = waiting_concluded,
};
