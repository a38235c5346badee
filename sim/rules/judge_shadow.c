/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of shadow doorbells: rules B1 to B8 (NVMe 1.4 sections 5.7, 7.13).
 */
#include "rules/judge.h"

#include <inttypes.h>

#define OACS_DOORBELL_BUFFER (1u << 8) /* 5.15.2.1 */

static void shadow_rung(struct rules *rules, struct picture_sq *sq,
                        const struct picture_command *command)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    if (sq->qid != 0 || !command->known || SQE_OPCODE(command->sqe) != ADMIN_DOORBELL_BUFFER)
        return;
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    uint64_t prp1 = SQE_PRP1(command->sqe), prp2 = SQE_PRP2(command->sqe);
    if (c->identified && (c->oacs & OACS_DOORBELL_BUFFER) == 0)
        rules_complain(rules, RULE_B1, where, "only with OACS bit 8",
                       "Doorbell Buffer Config sent, OACS is %xh", c->oacs);
    else if ((prp1 | prp2) % CC_PAGE(c->cc) != 0 || prp1 == prp2)
        rules_complain(rules, RULE_B1, where, "two different pages, each page aligned",
                       "PRP1 %" PRIx64 "h, PRP2 %" PRIx64 "h", prp1, prp2);
}

const struct judge judge_shadow = {
    .family = "B",
    .rung = shadow_rung,
};
