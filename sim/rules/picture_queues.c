/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queues come and go: the admin pair when the controller is enabled (NVMe 1.4 section 7.6.1), the
 * others by admin commands (5.3 to 5.6). And what admin commands tell the host about the
 * controller: Identify (5.15), Number of Queues (5.21.1.7).
 */
#include <stdlib.h>
#include <string.h>

#include "rules/internal.h"

#define CIDS           65536u
#define IDENTIFY_BYTES 4096u

static void *get(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

/* ---- one queue ---- */

/* The pages of a queue that is not contiguous; its list is as long as it needs to be. NULL if it
 * cannot be read. */
static uint64_t *read_pages(const struct rules *rules, uint64_t list, uint64_t bytes)
{
    uint64_t page = CC_PAGE(rules->picture.controller.cc);
    uint64_t count = (bytes + page - 1) / page;
    uint64_t *pages = get(count, sizeof *pages);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t raw[8];
        if (!rules_peek(rules, list + i * sizeof raw, raw, sizeof raw)) {
            free(pages);
            return NULL;
        }
        pages[i] = spec_get64(raw);
    }
    return pages;
}

static struct picture_sq *make_sq(struct rules *rules, uint32_t qid, uint32_t cqid, uint32_t size,
                                  uint64_t bus, bool contiguous)
{
    struct picture_sq *sq = rules->picture.sqs[qid];
    if (sq == NULL) {
        sq = get(1, sizeof *sq);
        sq->by_cid = get(CIDS, sizeof *sq->by_cid);
        rules->picture.sqs[qid] = sq;
    }
    uint32_t *by_cid = sq->by_cid;
    free(sq->slots);
    free(sq->pages);
    *sq = (struct picture_sq){.exists = true,
                              .qid = (uint16_t)qid,
                              .cqid = (uint16_t)cqid,
                              .size = size,
                              .bus = bus,
                              .by_cid = by_cid,
                              .slots = get(size, sizeof *sq->slots)};
    if (!contiguous)
        sq->pages = read_pages(rules, bus, (uint64_t)size * SQE_BYTES);
    memset(by_cid, 0xff, CIDS * sizeof *by_cid); /* NO_COMMAND */
    for (uint32_t i = 0; i < size; i++)
        sq->slots[i].command = NO_COMMAND;
    if (qid > rules->picture.highest_qid)
        rules->picture.highest_qid = qid;
    return sq;
}

static struct picture_cq *make_cq(struct rules *rules, uint32_t qid, uint32_t size, uint64_t bus,
                                  bool contiguous)
{
    struct picture_cq *cq = rules->picture.cqs[qid];
    if (cq == NULL)
        cq = rules->picture.cqs[qid] = get(1, sizeof *cq);
    free(cq->entries);
    free(cq->commands);
    free(cq->pages);
    *cq = (struct picture_cq){.exists = true,
                              .qid = (uint16_t)qid,
                              .size = size,
                              .bus = bus,
                              .entries = get(size, CQE_BYTES),
                              .commands = get(size, sizeof *cq->commands)};
    if (!contiguous)
        cq->pages = read_pages(rules, bus, (uint64_t)size * CQE_BYTES);
    memset(cq->commands, 0xff, size * sizeof *cq->commands);
    if (qid > rules->picture.highest_qid)
        rules->picture.highest_qid = qid;
    return cq;
}

uint64_t picture_sq_entry(const struct picture *picture, const struct picture_sq *sq, uint32_t slot)
{
    uint64_t at = (uint64_t)slot * SQE_BYTES, page = CC_PAGE(picture->controller.cc);
    return sq->pages == NULL ? sq->bus + at : sq->pages[at / page] + at % page;
}

void picture_admin_queue(struct rules *rules)
{
    const struct picture_controller *c = &rules->picture.controller;
    make_sq(rules, 0, 0, (c->aqa & 0xfff) + 1, c->asq & ~UINT64_C(0xfff), true);
    struct picture_cq *cq =
        make_cq(rules, 0, (c->aqa >> 16 & 0xfff) + 1, c->acq & ~UINT64_C(0xfff), true);
    cq->interrupts = true;
    cq->attached = 1;
    RULES_TELL(enabled, rules);
}

/* ---- all of them ---- */

void picture_reset(struct rules *rules)
{
    struct picture *p = &rules->picture;
    RULES_TELL(reset, rules);
    for (uint32_t qid = 0; qid <= p->highest_qid; qid++) {
        if (p->sqs[qid] != NULL)
            p->sqs[qid]->exists = false;
        if (p->cqs[qid] != NULL)
            p->cqs[qid]->exists = false;
    }
    for (uint32_t i = 0; i < p->commands_count; i++) {
        if (p->commands[i].next == i)
            picture_end_command(p, &p->commands[i]);
    }
    p->shadow.on = false;
    p->shadow.pending = false;
    p->controller.resets++;
}

void picture_free(struct picture *picture)
{
    for (unsigned qid = 0; qid < PICTURE_QUEUES; qid++) {
        struct picture_sq *sq = picture->sqs[qid];
        struct picture_cq *cq = picture->cqs[qid];
        if (sq != NULL) {
            free(sq->slots);
            free(sq->pages);
            free(sq->by_cid);
        }
        if (cq != NULL) {
            free(cq->entries);
            free(cq->commands);
            free(cq->pages);
        }
        free(sq);
        free(cq);
    }
    for (uint32_t i = 0; i < picture->commands_count; i++)
        free(picture->commands[i].data.ranges);
    free(picture->scratch.ranges);
    free(picture->commands);
    free(picture->blocks);
    free(picture->requests);
}

/* ---- admin commands ---- */

static void start_create_sq(struct rules *rules, const uint8_t *sqe)
{
    uint32_t qid = SQE_CDW(sqe, 10) & 0xffff, size = (SQE_CDW(sqe, 10) >> 16) + 1;
    uint32_t cqid = SQE_CDW(sqe, 11) >> 16;
    if (qid == 0 || qid >= PICTURE_QUEUES || picture_sq(&rules->picture, qid) != NULL)
        return;
    make_sq(rules, qid, cqid, size, SQE_PRP1(sqe), (SQE_CDW(sqe, 11) & 1u) != 0);
    struct picture_cq *cq = picture_cq(&rules->picture, cqid);
    if (cq != NULL)
        cq->attached++;
}

static void start_create_cq(struct rules *rules, const uint8_t *sqe)
{
    uint32_t qid = SQE_CDW(sqe, 10) & 0xffff, size = (SQE_CDW(sqe, 10) >> 16) + 1;
    if (qid == 0 || qid >= PICTURE_QUEUES || picture_cq(&rules->picture, qid) != NULL)
        return;
    struct picture_cq *cq = make_cq(rules, qid, size, SQE_PRP1(sqe), (SQE_CDW(sqe, 11) & 1u) != 0);
    cq->interrupts = (SQE_CDW(sqe, 11) >> 1 & 1u) != 0;
    cq->vector = (uint16_t)(SQE_CDW(sqe, 11) >> 16);
}

void picture_admin_started(struct rules *rules, const uint8_t *sqe)
{
    if (SQE_OPCODE(sqe) == ADMIN_CREATE_SQ)
        start_create_sq(rules, sqe);
    else if (SQE_OPCODE(sqe) == ADMIN_CREATE_CQ)
        start_create_cq(rules, sqe);
}

static void forget_sq(struct picture *p, uint32_t qid)
{
    struct picture_sq *sq = picture_sq(p, qid);
    if (sq == NULL)
        return;
    struct picture_cq *cq = picture_cq(p, sq->cqid);
    if (cq != NULL && cq->attached > 0)
        cq->attached--;
    for (uint32_t cid = 0; cid < CIDS && sq->outstanding > 0; cid++) {
        if (sq->by_cid[cid] != NO_COMMAND)
            picture_end_command(p, &p->commands[sq->by_cid[cid]]);
    }
    sq->exists = false;
}

static void end_queue_command(struct picture *p, const uint8_t *sqe, bool good)
{
    uint32_t qid = SQE_CDW(sqe, 10) & 0xffff;
    struct picture_sq *sq = picture_sq(p, qid);
    struct picture_cq *cq = picture_cq(p, qid);
    uint8_t opcode = SQE_OPCODE(sqe);
    if (qid == 0)
        return;
    if (opcode == ADMIN_CREATE_SQ && !good)
        forget_sq(p, qid);
    else if (opcode == ADMIN_CREATE_CQ && !good && cq != NULL)
        cq->exists = false;
    else if (opcode == ADMIN_DELETE_SQ && good)
        forget_sq(p, qid);
    else if (opcode == ADMIN_DELETE_CQ && good && cq != NULL)
        cq->exists = false;
    else if (opcode == ADMIN_DELETE_SQ && sq != NULL)
        sq->delete_rung = false;
    else if (opcode == ADMIN_DELETE_CQ && cq != NULL)
        cq->delete_rung = false;
}

/* ---- what the device says of itself ---- */

static void learn_controller(struct picture_controller *c, const uint8_t *page)
{
    c->identified = true; /* 5.15.2.1, figure 247: bytes of each field */
    c->mdts = page[77];
    c->oacs = spec_get16(page + 256);
    c->acl = page[258];
    c->aerl = page[259];
    c->nn = spec_get32(page + 516);
    c->oncs = spec_get16(page + 520);
    c->fuses = (uint8_t)spec_get16(page + 522);
    c->vwc = page[525];
    c->rtd3e_us = spec_get32(page + 88);
    c->sgls = spec_get32(page + 536);
}

static void learn_namespace(struct picture_controller *c, uint32_t nsid, const uint8_t *page)
{
    if (nsid == 0 || nsid >= PICTURE_NAMESPACES)
        return;
    const uint8_t *format = page + 128 + 4 * (page[26] & 0xfu); /* 5.15.2.2, figure 249 */
    c->namespaces[nsid] =
        (struct picture_namespace){.known = spec_get64(page) != 0,
                                   .blocks = spec_get64(page),
                                   .block_bytes = format[2] < 32 ? 1u << format[2] : 0,
                                   .metadata_bytes = spec_get16(format),
                                   .extended = (page[26] >> 4 & 1u) != 0};
}

/* The page that Identify has filled lies in one piece, or in two at a page boundary (4.3). */
static bool read_identified(const struct rules *rules, const uint8_t *sqe, uint8_t *page)
{
    uint64_t memory_page = CC_PAGE(rules->picture.controller.cc);
    uint64_t first = memory_page - SQE_PRP1(sqe) % memory_page;
    if (first > IDENTIFY_BYTES)
        first = IDENTIFY_BYTES;
    return SQE_PSDT(sqe) == 0 && rules_peek(rules, SQE_PRP1(sqe), page, first) &&
           (first == IDENTIFY_BYTES ||
            rules_peek(rules, SQE_PRP2(sqe), page + first, IDENTIFY_BYTES - first));
}

static void end_identify(struct rules *rules, const uint8_t *sqe)
{
    uint8_t page[IDENTIFY_BYTES];
    uint32_t cns = SQE_CDW(sqe, 10) & 0xff;
    if (cns > 1 || !read_identified(rules, sqe, page))
        return;
    if (cns == 1)
        learn_controller(&rules->picture.controller, page);
    else
        learn_namespace(&rules->picture.controller, SQE_NSID(sqe), page);
}

void picture_admin_ended(struct rules *rules, const struct picture_command *command,
                         const uint8_t *cqe)
{
    struct picture *p = &rules->picture;
    const uint8_t *sqe = command->sqe;
    bool good = CQE_STATUS(cqe) == 0;
    switch (SQE_OPCODE(sqe)) {
    case ADMIN_CREATE_SQ:
    case ADMIN_CREATE_CQ:
    case ADMIN_DELETE_SQ:
    case ADMIN_DELETE_CQ:
        end_queue_command(p, sqe, good);
        break;
    case ADMIN_IDENTIFY:
        if (good)
            end_identify(rules, sqe);
        break;
    case ADMIN_SET_FEATURES:
        if (good && (SQE_CDW(sqe, 10) & 0xff) == FEATURE_QUEUES) {
            p->controller.granted_sqs = spec_get16(cqe) + 1u;
            p->controller.granted_cqs = spec_get16(cqe + 2) + 1u;
        }
        break;
    case ADMIN_DOORBELL_BUFFER:
        p->shadow.pending = false;
        p->shadow.on = good;
        break;
    default:
        break;
    }
}
