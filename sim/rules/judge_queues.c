/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of queue management: rules Q1 to Q10 (NVMe 1.4 sections 5.3 to 5.6, 5.21.1.7, 7.4).
 */
#include "rules/judge.h"

/* ---- doorbells ---- */

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

static void queues_tail(struct rules *rules, struct picture_sq *sq, uint32_t to, bool by_register)
{
    (void)by_register;
    if (sq->delete_rung)
        rules_complain(rules, RULE_Q10, WHERE_QUEUE(rules_cpu(rules), sq->qid),
                       "none once the Delete has been rung", "tail moved from %u to %u", sq->tail,
                       to);
}

/* ---- memory ---- */

static bool overlap(const struct stream_record *r, uint64_t bus, uint64_t bytes)
{
    return r->b < bus + bytes && bus < r->b + r->c;
}

static void judge_free(struct rules *rules, const struct stream_record *r)
{
    struct picture *p = rules_picture(rules);
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        const struct picture_sq *sq = picture_sq(p, qid);
        const struct picture_cq *cq = picture_cq(p, qid);
        bool of_sq = sq != NULL && overlap(r, sq->bus, (uint64_t)sq->size * SQE_BYTES);
        bool of_cq = cq != NULL && overlap(r, cq->bus, (uint64_t)cq->size * CQE_BYTES);
        if (of_sq || of_cq) {
            rules_complain(rules, RULE_Q8, WHERE_QUEUE(r->source, qid),
                           "after its Delete has completed, or a reset",
                           "the memory of %s %u is freed while it exists", of_sq ? "SQ" : "CQ",
                           qid);
            return;
        }
    }
    uint32_t after = 0;
    const struct picture_command *command = picture_touching(p, r->b, r->c, &after);
    if (command != NULL)
        rules_complain(rules, RULE_Q8, WHERE_COMMAND(r->source, command),
                       "after its completion has been seen, or a reset",
                       "lists or data of an outstanding command are freed");
}

static void queues_record(struct rules *rules, const struct stream_record *r)
{
    if (r->kind == RECORD_REG_WRITE)
        judge_doorbell(rules, r);
    else
        judge_free(rules, r);
}

/* ---- admin commands ---- */

/* A CQ's memory must hold no entry that looks new: its phase tags are 0. */
static void judge_phases(struct rules *rules, struct where where, uint64_t bus, uint32_t size)
{
    for (uint32_t slot = 0; slot < size; slot++) {
        uint8_t status[2];
        if (!rules_peek(rules, bus + (uint64_t)slot * CQE_BYTES + 14, status, sizeof status))
            return;
        if ((status[0] & 1u) != 0) {
            rules_complain(rules, RULE_Q6, where, "0 in every entry",
                           "the phase tag in slot %u of %u is 1", slot, size);
            return;
        }
    }
}

static void judge_identifier(struct rules *rules, struct where where, uint32_t qid,
                             uint32_t granted, bool in_use)
{
    if (qid == 0 || (granted != 0 && qid > granted) || in_use)
        rules_complain(rules, RULE_Q2, where, "1 to the number granted, not in use",
                       "queue %u is created, %u were granted%s", qid, granted,
                       in_use ? ", and it exists already" : "");
}

static void judge_shape(struct rules *rules, struct where where, const uint8_t *sqe)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    uint32_t qsize = SQE_CDW(sqe, 10) >> 16;
    bool contiguous = (SQE_CDW(sqe, 11) & 1u) != 0;
    if (qsize == 0 || qsize > CAP_MQES(c->cap))
        rules_complain(rules, RULE_Q3, where, "1 to CAP.MQES", "QSIZE %u, CAP.MQES is %u", qsize,
                       CAP_MQES(c->cap));
    if (SQE_PRP1(sqe) % CC_PAGE(c->cc) != 0 || SQE_PRP1(sqe) == 0)
        rules_complain(rules, RULE_Q4, where, "page aligned", "PRP1 is %llxh",
                       (unsigned long long)SQE_PRP1(sqe));
    else if (!contiguous && CAP_CQR(c->cap) != 0)
        rules_complain(rules, RULE_Q4, where, "PC = 1, since CAP.CQR is 1", "PC is 0");
}

static void judge_create_sq(struct rules *rules, struct where where, const uint8_t *sqe)
{
    struct picture *p = rules_picture(rules);
    uint32_t qid = SQE_CDW(sqe, 10) & 0xffff, cqid = SQE_CDW(sqe, 11) >> 16;
    judge_identifier(rules, where, qid, p->controller.granted_sqs, picture_sq(p, qid) != NULL);
    judge_shape(rules, where, sqe);
    if (cqid == 0 || picture_cq(p, cqid) == NULL)
        rules_complain(rules, RULE_Q5, where, "a completion queue that exists", "SQ %u names CQ %u",
                       qid, cqid);
}

static void judge_create_cq(struct rules *rules, struct where where, const uint8_t *sqe)
{
    struct picture *p = rules_picture(rules);
    const struct picture_controller *c = &p->controller;
    uint32_t qid = SQE_CDW(sqe, 10) & 0xffff, vector = SQE_CDW(sqe, 11) >> 16;
    bool interrupts = (SQE_CDW(sqe, 11) >> 1 & 1u) != 0;
    uint32_t vectors =
        c->irq_mode == RECORD_IRQ_MSIX || c->irq_mode == RECORD_IRQ_MSI ? c->vectors : 1;
    judge_identifier(rules, where, qid, c->granted_cqs, picture_cq(p, qid) != NULL);
    judge_shape(rules, where, sqe);
    if (interrupts && vector >= vectors)
        rules_complain(rules, RULE_Q5, where, "a vector that is set up",
                       "CQ %u has vector %u, and there are %u", qid, vector, vectors);
    if ((SQE_CDW(sqe, 11) & 1u) != 0)
        judge_phases(rules, where, SQE_PRP1(sqe), (SQE_CDW(sqe, 10) >> 16) + 1);
}

static void judge_delete_cq(struct rules *rules, struct where where, const uint8_t *sqe)
{
    struct picture_cq *cq = picture_cq(rules_picture(rules), SQE_CDW(sqe, 10) & 0xffff);
    if (cq != NULL && cq->attached > 0)
        rules_complain(rules, RULE_Q7, where, "after the Delete of its submission queues",
                       "CQ %u is deleted while %u submission queues complete to it", cq->qid,
                       (unsigned)cq->attached);
}

static bool has_io_queues(struct picture *p)
{
    for (uint32_t qid = 1; qid <= p->highest_qid; qid++) {
        if (picture_sq(p, qid) != NULL || picture_cq(p, qid) != NULL)
            return true;
    }
    return false;
}

static void judge_number(struct rules *rules, struct where where, const uint8_t *sqe)
{
    uint32_t wanted = SQE_CDW(sqe, 11);
    if ((SQE_CDW(sqe, 10) & 0xff) != FEATURE_QUEUES)
        return;
    if (has_io_queues(rules_picture(rules)))
        rules_complain(rules, RULE_Q1, where, "before the first I/O queue",
                       "Number of Queues is set while I/O queues exist");
    else if ((wanted & 0xffff) == 0xffff || wanted >> 16 == 0xffff)
        rules_complain(rules, RULE_Q1, where, "0 to FFFEh in both halves",
                       "Number of Queues asks for %xh", wanted);
}

static void queues_rung(struct rules *rules, struct picture_sq *sq,
                        const struct picture_command *command)
{
    struct where where = WHERE_COMMAND(rules_cpu(rules), command);
    if (sq->qid != 0 || !command->known)
        return;
    switch (SQE_OPCODE(command->sqe)) {
    case ADMIN_CREATE_SQ:
        judge_create_sq(rules, where, command->sqe);
        break;
    case ADMIN_CREATE_CQ:
        judge_create_cq(rules, where, command->sqe);
        break;
    case ADMIN_DELETE_CQ:
        judge_delete_cq(rules, where, command->sqe);
        break;
    case ADMIN_SET_FEATURES:
        judge_number(rules, where, command->sqe);
        break;
    default:
        break;
    }
}

/* The admin queue's memory is taken over when CC.EN is set. */
static void queues_enabled(struct rules *rules)
{
    const struct picture_controller *c = &rules_picture(rules)->controller;
    judge_phases(rules, WHERE_QUEUE(rules_cpu(rules), 0), c->acq & ~UINT64_C(0xfff),
                 (c->aqa >> 16 & 0xfff) + 1);
}

const struct judge judge_queues = {
    .id = JUDGE_QUEUES,
    .kinds = UINT64_C(1) << RECORD_REG_WRITE | UINT64_C(1) << RECORD_DMA_FREE,
    .record = queues_record,
    .tail = queues_tail,
    .rung = queues_rung,
    .enabled = queues_enabled,
};
