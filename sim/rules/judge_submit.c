/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of submission: rules S1 to S15 (NVMe 1.4 sections 4.1, 4.2, 7.2).
 */
#include "rules/judge.h"

#include <string.h>

static void submit_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register)
{
    (void)by_register;
    if (to >= sq->size)
        rules_complain(rules, RULE_S1, WHERE_QUEUE(rules_cpu(rules), sq->qid),
                       "less than the number of entries", "tail %u of a queue with %u entries", to,
                       sq->size);
}

/* What was stored after the fence may reach memory after the doorbell. */
static void judge_fence(struct rules *rules, struct picture_sq *sq,
                        const struct picture_command *command)
{
    const struct picture_slot *slot = &sq->slots[command->slot];
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    static const char allowed[] = "a write fence between the last store and the doorbell";
    if (!slot->published)
        rules_complain(rules, RULE_S9, where, allowed,
                       "slot %u handed over with no fence since it was last used", command->slot);
    else if (slot->readable && memcmp(slot->bytes, command->sqe, SQE_BYTES) != 0)
        rules_complain(rules, RULE_S9, where, allowed,
                       "slot %u was stored to after its fence, then handed over", command->slot);
    else if (slot->list_digest != command->data.list_digest)
        rules_complain(rules, RULE_S9, where, allowed,
                       "a list of slot %u was stored to after its fence, then handed over",
                       command->slot);
}

static void submit_rung(struct rules *rules, struct picture_sq *sq,
                        const struct picture_command *command)
{
    if (command->known)
        judge_fence(rules, sq, command);
}

const struct judge judge_submit = {
    .family = "S",
    .tail = submit_tail,
    .rung = submit_rung,
};
