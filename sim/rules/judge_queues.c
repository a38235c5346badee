/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of queue management: rules Q1 to Q10 (NVMe 1.4 sections 5.3 to 5.6, 7.4).
 */
#include "rules/judge.h"

static void judge_doorbell(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    uint32_t number;
    if (r->b < SPEC_DOORBELLS)
        return;
    if (!picture_is_doorbell(p, r->b, &number)) {
        rules_complain(rules, RULE_Q9, WHERE_CPU(r->source),
                       "1000h + (2y + is CQ) * (4 << CAP.DSTRD)",
                       "offset %xh written, which is no doorbell (CAP.DSTRD %u)", (unsigned)r->b,
                       CAP_DSTRD(p->controller.cap));
        return;
    }
    uint32_t qid = number / 2;
    bool is_cq = number % 2 != 0;
    if (qid < PICTURE_QUEUES && (is_cq ? picture_cq(p, qid) == NULL : picture_sq(p, qid) == NULL))
        rules_complain(rules, RULE_Q9, WHERE_QUEUE(r->source, qid), "a queue that exists",
                       "%s doorbell written (offset %xh), and there is no such queue",
                       is_cq ? "CQ head" : "SQ tail", (unsigned)r->b);
}

const struct judge judge_queues = {
    .family = "Q",
    .kinds = UINT64_C(1) << RECORD_REG_WRITE,
    .record = judge_doorbell,
};
