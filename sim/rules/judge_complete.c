/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of completion and interrupts: rules C1 to C10 (NVMe 1.4 sections 4.1, 4.6, 7.5).
 */
#include "rules/judge.h"

static void complete_head(struct rules *rules, struct picture_cq *cq, uint32_t to, bool by_register)
{
    (void)by_register;
    if (to >= cq->size)
        rules_complain(rules, RULE_C1, WHERE_QUEUE(rules_cpu(rules), cq->qid),
                       "less than the number of entries", "head %u of a queue with %u entries", to,
                       cq->size);
}

const struct judge judge_complete = {
    .family = "C",
    .head = complete_head,
};
