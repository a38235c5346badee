/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of completion queues: rules C1 to C5 and C9 (NVMe 1.4 sections 4.1, 4.6).
 */
#include "rules/judge.h"

static void judge_head(struct rules *rules, const struct picture_cq *cq, uint32_t to,
                       struct where where)
{
    uint64_t released = (to + cq->size - cq->released % cq->size) % cq->size;
    if (cq->released + released > cq->posted)
        rules_complain(rules, RULE_C2, where, "entries that were posted",
                       "head moved from %u to %u, and %llu entries were posted since",
                       (unsigned)(cq->released % cq->size), to,
                       (unsigned long long)(cq->posted - cq->released));
    else if (!rules_setup(rules)->loads_ordered && cq->fenced < cq->released + released)
        rules_complain(rules, RULE_C4, where, "a read fence behind each new phase tag",
                       "head moved to %u over entries that were used without one", to);
}

static void complete_head(struct rules *rules, struct picture_cq *cq, uint32_t to, bool by_register)
{
    struct where where = WHERE_QUEUE(rules_cpu(rules), cq->qid);
    if (to >= cq->size)
        rules_complain(rules, RULE_C1, where, "less than the number of entries",
                       "head %u of a queue with %u entries", to, cq->size);
    else if (by_register && to == cq->released % cq->size && !rules_picture(rules)->shadow.on)
        rules_complain(rules, RULE_C3, where, "another value than the last",
                       "head %u written a second time", to);
    else
        judge_head(rules, cq, to, where);
}

/* A look at slot `slot`: how far behind the head is that, and may it be? */
static void judge_look(struct rules *rules, const struct stream_record *r)
{
    const struct picture_cq *cq = picture_cq(rules_picture(rules), r->a);
    if (cq == NULL || r->b >= cq->size || cq->seen - cq->released >= cq->size)
        return;
    uint64_t behind = (r->b + cq->size - cq->released % cq->size) % cq->size;
    uint64_t most = cq->seen - cq->released;
    /* the next one, which may not be there yet */ /* Nearer to the next one than to those that
                                                      were given back: the host runs ahead. */
    if (behind > most && behind - most <= (cq->size - most) / 2)
        rules_complain(rules, RULE_C2, WHERE_QUEUE(r->source, cq->qid),
                       "the next entry, until its phase tag is new",
                       "slot %u is read, and the next entry is that of slot %u", (unsigned)r->b,
                       (unsigned)(cq->seen % cq->size));
    else if (behind > most || (r->kind == RECORD_RMB && behind == most))
        rules_complain(
            rules, RULE_C5, WHERE_QUEUE(r->source, cq->qid), "entries that were not given back",
            "slot %u is read, head is %u and %llu entries were found behind it", (unsigned)r->b,
            (unsigned)(cq->released % cq->size), (unsigned long long)most);
}

/* A request has ended on the CPU that has just seen an entry: was there a fence in between? */
static void judge_use(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    if (rules_setup(rules)->loads_ordered || r->a != 0)
        return;
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        const struct picture_cq *cq = picture_cq(p, qid);
        if (cq != NULL && cq->seen_cpu == r->source && cq->fenced < cq->seen)
            rules_complain(rules, RULE_C4, WHERE_QUEUE(r->source, qid),
                           "a read fence behind the phase tag",
                           "a request has ended with an entry that was used without one");
    }
}

/* The model on itself: it may wait for room (counted), but never write where there is none. */
static void complete_posted(struct rules *rules, struct picture_cq *cq,
                            const struct picture_command *command, const uint8_t *cqe)
{
    (void)command;
    (void)cqe;
    if (cq->posted - cq->released >= cq->size)
        rules_complain(rules, RULE_C9, WHERE_QUEUE(-1, cq->qid),
                       "an entry only where there is room", "%llu entries lie in a queue of %u",
                       (unsigned long long)(cq->posted - cq->released), cq->size);
}

static void complete_record(struct rules *rules, const struct stream_record *r)
{
    switch (r->kind) {
    case RECORD_STALL:
        rules_note(rules, RULE_C9);
        break;
    case RECORD_ENDED:
        judge_use(rules, r);
        break;
    default:
        judge_look(rules, r);
        break;
    }
}

const struct judge judge_complete = {
    .id = JUDGE_COMPLETE,
    .kinds = UINT64_C(1) << RECORD_CQ_LOAD | UINT64_C(1) << RECORD_RMB |
             UINT64_C(1) << RECORD_ENDED | UINT64_C(1) << RECORD_STALL,
    .record = complete_record,
    .head = complete_head,
    .posted = complete_posted,
};
