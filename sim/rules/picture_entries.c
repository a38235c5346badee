/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way of an entry: published, rung, fetched; posted, seen, released (NVMe 1.4
 * sections 4.1, 4.2, 4.6, 7.2). The heart of the picture.
 */
#include <string.h>

#include "rules/internal.h"

/* ---- submission ---- */

static bool read_entry(const struct rules *rules, const struct picture_sq *sq, uint32_t slot,
                       uint8_t *bytes)
{
    return rules_peek(rules, picture_slot_bus(&rules->picture, sq, slot), bytes, SQE_BYTES);
}

void picture_publish(struct rules *rules, const struct stream_record *r)
{
    struct picture_sq *sq = picture_sq(&rules->picture, r->a);
    if (sq == NULL)
        return;
    uint32_t count = r->c < sq->size ? (uint32_t)r->c : sq->size;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)((r->b + i) % sq->size);
        struct picture_slot *slot = &sq->slots[at];
        slot->readable = read_entry(rules, sq, at, slot->bytes);
        slot->published = true;
        slot->list_digest = slot->readable ? picture_lists_of(rules, sq->qid, slot->bytes) : 0;
    }
}

/* The delete commands matter from their ring on: nothing may be rung after. */
static void note_delete(struct picture *p, const struct picture_command *command)
{
    uint32_t qid = SQE_CDW(command->sqe, 10) & 0xffff;
    struct picture_sq *sq = picture_sq(p, qid);
    struct picture_cq *cq = picture_cq(p, qid);
    if (command->sqid != 0 || !command->known || qid == 0)
        return;
    if (SQE_OPCODE(command->sqe) == ADMIN_DELETE_SQ && sq != NULL)
        sq->delete_rung = true;
    if (SQE_OPCODE(command->sqe) == ADMIN_DELETE_CQ && cq != NULL)
        cq->delete_rung = true;
}

static void ring_slot(struct rules *rules, struct picture_sq *sq, uint32_t at)
{
    struct picture *p = &rules->picture;
    struct picture_slot *slot = &sq->slots[at];
    struct picture_command *command = picture_new_command(p);
    uint32_t index = (uint32_t)(command - p->commands);
    command->sqid = sq->qid;
    command->slot = at;
    command->rung_ps = p->now_ps;
    command->cpu = rules->current->source;
    command->known = read_entry(rules, sq, at, command->sqe);
    if (command->known) {
        command->cid = SQE_CID(command->sqe);
        picture_follow(rules, sq->qid, command->sqe, &command->data);
        if (command->data.to_device)
            command->data_digest = rules_data_digest(rules, &command->data);
    }
    if (command->known && sq->qid != 0)
        picture_attribute(p, command);
    RULES_TELL(rung, rules, sq, command);
    slot->published = false;
    slot->rung_count++;
    slot->command = index;
    picture_busy(p, &command->data, true);
    sq->rung++;
    if (++sq->outstanding > sq->peak)
        sq->peak = sq->outstanding;
    if (!command->known)
        return; /* it gets its name when it is fetched */
    if (sq->by_cid[command->cid] != NO_COMMAND)
        picture_end_command(p, &p->commands[sq->by_cid[command->cid]]);
    sq->by_cid[command->cid] = index;
    note_delete(p, command);
}

void picture_move_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register)
{
    RULES_TELL(tail, rules, sq, to, by_register);
    if (to >= sq->size)
        return;
    while (sq->tail != to) {
        ring_slot(rules, sq, sq->tail);
        sq->tail = sq->tail + 1 == sq->size ? 0 : sq->tail + 1;
    }
    if (by_register)
        sq->bell_rung = sq->rung;
}

/* The command whose entry the device has fetched. Entries arrive in the order of their slots. */
static struct picture_command *find_fetched(struct picture *p, struct picture_sq *sq, uint32_t cid)
{
    uint32_t index = sq->slots[sq->arriving].command;
    struct picture_command *command;
    sq->arriving = sq->arriving + 1 == sq->size ? 0 : sq->arriving + 1;
    if (index == NO_COMMAND || p->commands[index].state != COMMAND_RUNG)
        return picture_find_command(p, sq->qid, cid);
    command = &p->commands[index];
    if (!command->known) { /* it could not be read when it was rung */
        command->cid = (uint16_t)cid;
        sq->by_cid[cid] = index;
    }
    return command;
}

void picture_fetched(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = &rules->picture;
    struct picture_sq *sq = picture_sq(p, (uint32_t)(r->b >> 16));
    const uint8_t *sqe = r->data;
    if (sq == NULL || sqe == NULL)
        return;
    struct picture_command *command = find_fetched(p, sq, SQE_CID(sqe));
    RULES_TELL(fetched, rules, sq, command, sqe);
    if (sq->qid != 0)
        p->ios++;
    if (command != NULL) {
        command->state = COMMAND_FETCHED;
        if (!command->known) {
            picture_follow(rules, sq->qid, sqe, &command->data);
            picture_busy(p, &command->data, true);
        }
        memcpy(command->sqe, sqe, SQE_BYTES);
        command->known = true;
    }
    if (sq->qid == 0) {
        picture_admin_started(rules, sqe);
        picture_shadow_command(p, sqe);
    }
}

/* ---- completion ---- */

void picture_posted(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = &rules->picture;
    struct picture_cq *cq = picture_cq(p, r->a >> 16);
    const uint8_t *cqe = r->data;
    if (cq == NULL || cqe == NULL)
        return;
    uint32_t slot = (uint32_t)(cq->posted % cq->size);
    struct picture_command *command =
        picture_find_command(p, CQE_SQID(cqe), CQE_CID(cqe)); /* as the host reads it */
    memcpy(cq->entries + (size_t)slot * CQE_BYTES, cqe, CQE_BYTES);
    cq->commands[slot] = command == NULL ? NO_COMMAND : (uint32_t)(command - p->commands);
    cq->posted++;
    RULES_TELL(posted, rules, cq, command, cqe);
    if (command == NULL)
        return;
    command->state = COMMAND_POSTED;
    if (command->sqid == 0)
        picture_admin_ended(rules, command, cqe);
}

/* The host has found the next entry. */
static void see(struct rules *rules, struct picture_cq *cq)
{
    struct picture *p = &rules->picture;
    uint32_t slot = (uint32_t)(cq->seen % cq->size), index = cq->commands[slot];
    const uint8_t *cqe = cq->entries + (size_t)slot * CQE_BYTES;
    struct picture_command *command =
        index != NO_COMMAND && p->commands[index].next == index ? &p->commands[index] : NULL;
    struct picture_sq *sq = picture_sq(p, CQE_SQID(cqe));
    cq->seen++;
    cq->seen_cpu = rules->current->source;
    cq->commands[slot] = NO_COMMAND;
    if (command != NULL)
        picture_unattribute(p, command, (CQE_STATUS(cqe) & CQE_STATUS_CODE) == 0);
    RULES_TELL(seen, rules, cq, command, cqe);
    if (sq != NULL && CQE_SQHD(cqe) < sq->size)
        sq->known_head = CQE_SQHD(cqe);
    if (command != NULL)
        picture_end_command(p, command);
}

void picture_looked(struct rules *rules, const struct stream_record *r)
{
    struct picture_cq *cq = picture_cq(&rules->picture, r->a);
    if (cq == NULL || cq->seen == cq->posted || r->b != cq->seen % cq->size)
        return;
    uint32_t word = (uint32_t)r->c; /* as it lies in memory */
    bool phase = (((const uint8_t *)&word)[2] & 1u) != 0;
    if (phase == (cq->seen / cq->size % 2 == 0)) /* 4.6: the first pass writes ones */
        see(rules, cq);
}

void picture_move_head(struct rules *rules, struct picture_cq *cq, uint32_t to, bool by_register)
{
    RULES_TELL(head, rules, cq, to, by_register);
    if (to >= cq->size)
        return;
    uint64_t count = (to + cq->size - cq->released % cq->size) % cq->size;
    while (cq->seen < cq->released + count && cq->seen < cq->posted)
        see(rules, cq); /* read without a look that the platform could show */
    cq->released = cq->released + count < cq->posted ? cq->released + count : cq->posted;
}
