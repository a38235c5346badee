/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of submission: tails, fences, slots and identifiers, rules S1 to S9 (NVMe 1.4 sections 4.1,
 * 4.2, 7.2).
 */
#include "rules/judge.h"

#include <string.h>

#define CID_RESERVED 0xffffu

struct submit_state {
    uint32_t reserved_cids;
};

/* ---- tails ---- */

static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
    return (to + size - from) % size;
}

static void judge_room(struct rules *rules, const struct picture_sq *sq, uint32_t to)
{
    struct where where = WHERE_QUEUE(rules_cpu(rules), sq->qid);
    uint32_t added = distance(sq->tail, to, sq->size);
    uint32_t unfetched = distance(sq->fetched_head, sq->tail, sq->size);
    uint32_t unreleased = distance(sq->known_head, sq->tail, sq->size);
    if (added > sq->size - 1 - unfetched)
        rules_complain(rules, RULE_S2, where, "what is free by the controller's own head",
                       "%u entries added, %u of %u are not even fetched", added, unfetched,
                       sq->size - 1);
    else if (added > sq->size - 1 - unreleased)
        rules_complain(rules, RULE_S3, where, "what is free by the SQHD of a completion seen",
                       "%u entries added, and by SQHD %u there are %u of %u in use", added,
                       sq->known_head, unreleased, sq->size - 1);
}

static void submit_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register)
{
    struct where where = WHERE_QUEUE(rules_cpu(rules), sq->qid);
    if (to >= sq->size)
        rules_complain(rules, RULE_S1, where, "less than the number of entries",
                       "tail %u of a queue with %u entries", to, sq->size);
    else if (by_register && to != sq->tail && sq->qid != 0 && rules_picture(rules)->shadow.on)
        return; /* not what the shadow doorbell says: B5 */
    else if (to == sq->tail && by_register && sq->rung == sq->bell_rung)
        rules_complain(rules, RULE_S4, where, "another value than the last",
                       "tail %u written, and it is %u", to, to);
    else
        judge_room(rules, sq, to);
}

/* A batch of a whole lap or more, whose tail alone does not show it. */
static void judge_batch(struct rules *rules, const struct stream_record *r)
{
    const struct picture_sq *sq = picture_sq(rules_picture(rules), r->a);
    if (sq != NULL && r->c >= sq->size)
        rules_complain(
            rules, RULE_S2, WHERE_QUEUE(r->source, sq->qid), "as many entries as the queue holds",
            "%u entries stored at once, and the queue holds %u", (unsigned)r->c, sq->size - 1);
}

/* ---- slots ---- */

/* What was stored after the fence may reach memory after the doorbell. */
static void judge_fence(struct rules *rules, const struct picture_sq *sq,
                        const struct picture_command *command)
{
    const struct picture_slot *slot = &sq->slots[command->slot];
    if (slot->published && slot->readable && slot->list_digest == command->data.list_digest &&
        memcmp(slot->bytes, command->sqe, SQE_BYTES) == 0)
        return;
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    static const char allowed[] = "a write fence between the last store and the doorbell";
    if (!slot->published)
        rules_complain(rules, RULE_S9, where, allowed,
                       "slot %u handed over with no fence since it was last used", command->slot);
    else if (slot->readable && memcmp(slot->bytes, command->sqe, SQE_BYTES) != 0)
        rules_complain(rules, RULE_S9, where, allowed,
                       "slot %u was stored to after its fence, then handed over", command->slot);
    else if (slot->readable && slot->list_digest != command->data.list_digest)
        rules_complain(rules, RULE_S9, where, allowed,
                       "a list of slot %u was stored to after its fence, then handed over",
                       command->slot);
}

static void judge_identifier(struct rules *rules, const struct picture_sq *sq,
                             const struct picture_command *command)
{
    struct picture *p = rules_picture(rules);
    const struct picture_command *other = picture_find_command(p, sq->qid, command->cid);
    if (command->cid == CID_RESERVED) {
        struct submit_state *state = judge_state(rules, &judge_submit);
        state->reserved_cids++;
    }
    if (other == NULL)
        return;
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    if (other->state == COMMAND_POSTED)
        rules_complain(rules, RULE_S7, where, "only after its completion has been seen",
                       "CID %u is used again, and its completion lies unseen in the queue",
                       command->cid);
    else
        rules_complain(rules, RULE_S6, where, "one that is not outstanding",
                       "CID %u is used again while the command in slot %u has it", command->cid,
                       other->slot);
}

static void submit_rung(struct rules *rules, struct picture_sq *sq,
                        const struct picture_command *command)
{
    if (!command->known)
        return;
    judge_fence(rules, sq, command); /* first: what was not built has a left-over identifier */
    judge_identifier(rules, sq, command);
}

/* Whether the host's own memory has it still as it was rung: then the device has got something old,
 * which is a matter of fences and caches. */
static bool is_as_rung(const struct rules *rules, const struct picture *p,
                       const struct picture_sq *sq, const struct picture_command *command)
{
    uint8_t now[SQE_BYTES];
    return rules_peek(rules, picture_slot_bus(p, sq, command->slot), now, sizeof now) &&
           memcmp(now, command->sqe, SQE_BYTES) == 0;
}

static void submit_fetched(struct rules *rules, struct picture_sq *sq,
                           const struct picture_command *command, const uint8_t *sqe)
{
    if (command == NULL) {
        rules_complain(rules, RULE_S5, WHERE_QUEUE(-1, sq->qid), "the entry as it was rung",
                       "the controller has fetched CID %u, which was never rung", SQE_CID(sqe));
        return;
    }
    if (command->known && memcmp(command->sqe, sqe, SQE_BYTES) != 0 &&
        !is_as_rung(rules, rules_picture(rules), sq, command))
        rules_complain(rules, RULE_S5, WHERE_COMMAND(-1, command), "the entry as it was rung",
                       "slot %u was stored to between its doorbell and its fetch", command->slot);
}

static void submit_concluded(struct rules *rules)
{
    const struct submit_state *state = judge_state(rules, &judge_submit);
    if (state->reserved_cids > 0 && rules_setup(rules)->performance)
        rules_complain(rules, RULE_S8, WHERE_CPU(-1), "0 to FFFEh", "CID FFFFh was used %u times",
                       state->reserved_cids);
}

const struct judge judge_submit = {
    .id = JUDGE_SUBMIT,
    .state_bytes = sizeof(struct submit_state),
    .kinds = UINT64_C(1) << RECORD_PUBLISH,
    .record = judge_batch,
    .tail = submit_tail,
    .rung = submit_rung,
    .fetched = submit_fetched,
    .concluded = submit_concluded,
};
