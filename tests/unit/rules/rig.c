/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host and a controller that do as they should, record by record; see rig.h.
 */
#include "rig.h"

#include <string.h>

#include "rules/spec.h"

#define RIG_BLOCKS 1000u

static bool peek(void *ctx, uint64_t bus, void *to, size_t bytes)
{
    struct rig *rig = ctx;
    if (bus < RIG_MEMORY || bus - RIG_MEMORY > RIG_BYTES || bytes > RIG_BYTES - (bus - RIG_MEMORY))
        return false;
    memcpy(to, rig->memory + (bus - RIG_MEMORY), bytes);
    return true;
}

static uint64_t digest(void *ctx, uint64_t bus, size_t bytes)
{
    struct rig *rig = ctx;
    uint64_t sum = 1;
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = 0;
        peek(rig, bus + i, &byte, 1);
        sum = sum * 31 + byte;
    }
    return sum;
}

static void tripped(void *ctx)
{
    struct rig *rig = ctx;
    rig->tripped++;
}

void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->setup = (struct rules_setup){.stream = &rig->stream,
                                      .peek = peek,
                                      .digest = digest,
                                      .tripped = tripped,
                                      .ctx = rig,
                                      .mode = RULES_REPORT,
                                      .coherent = true,
                                      .performance = true};
}

void rig_start(struct rig *rig)
{
    rig->rules = rules_create(&rig->setup);
}

void rig_close(struct rig *rig)
{
    rules_destroy(rig->rules);
    rig->rules = NULL;
}

const struct rules_verdict *rig_verdict(const struct rig *rig)
{
    return rules_get_verdict(rig->rules);
}

void rig_expect(const struct rig *rig, enum rule_id rule, unsigned times)
{
    const struct rules_verdict *verdict = rig_verdict(rig);
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        if (i == RULE_B7) /* only counted, and in everybody's way */
            continue;
        ck_assert_msg(verdict->count[i] == (i == rule ? times : 0), "%s: %u times; first: %s",
                      rule_get((enum rule_id)i)->id, verdict->count[i], verdict->text);
    }
}

void rig_expect_none(const struct rig *rig)
{
    ck_assert_msg(rig_verdict(rig)->violations == 0, "%s", rig_verdict(rig)->text);
}

void rig_emit(struct rig *rig, enum record_kind kind, uint32_t a, uint64_t b, uint64_t c,
              uint64_t d, const void *data)
{
    rig->now_ps += 1000;
    RECORD_EMIT_DATA(&rig->stream, rig->now_ps, 0, kind, a, b, c, d, data);
}

void rig_write(struct rig *rig, uint32_t offset, uint32_t value)
{
    rig_emit(rig, RECORD_REG_WRITE, 4, offset, value, 0, NULL);
}

uint8_t *rig_at(struct rig *rig, uint64_t bus)
{
    ck_assert(bus >= RIG_MEMORY && bus - RIG_MEMORY < RIG_BYTES);
    return rig->memory + (bus - RIG_MEMORY);
}

void rig_put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* ---- bring-up ---- */

void rig_ready(struct rig *rig)
{
    /* MQES 63, CQR, TO 2 (1 s), DSTRD 0, CSS NVM, MPSMIN 0, MPSMAX 4 */
    uint64_t cap = 63u | 1u << 16 | 2u << 24 | UINT64_C(1) << 37 | UINT64_C(4) << 52;
    rig_emit(rig, RECORD_CONFIG, 2, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0, NULL);
    rig_emit(rig, RECORD_REG_READ, 8, SPEC_CAP, cap, 0, NULL);
    rig_emit(rig, RECORD_DMA_ALLOC, RECORD_MEMORY_SQ, RIG_ASQ, 4096, 0, NULL);
    rig_emit(rig, RECORD_DMA_ALLOC, RECORD_MEMORY_CQ, RIG_ACQ, 4096, 0, NULL);
    rig_write(rig, SPEC_AQA, (RIG_DEPTH - 1) << 16 | (RIG_DEPTH - 1));
    rig_emit(rig, RECORD_REG_WRITE, 8, SPEC_ASQ, RIG_ASQ, 0, NULL);
    rig_emit(rig, RECORD_REG_WRITE, 8, SPEC_ACQ, RIG_ACQ, 0, NULL);
    rig->cc = 6u << 16 | 4u << 20 | 1u; /* entries of 64 and 16 bytes, pages of 4 KiB */
    rig_write(rig, SPEC_CC, rig->cc);
    rig_emit(rig, RECORD_CSTS, 0, 0, 1, 0, NULL);
}

static void fill_namespace(struct rig *rig)
{
    uint8_t *page = rig_at(rig, RIG_CONTROL);
    memset(page, 0, 4096);
    rig_put(page, RIG_BLOCKS, 8);
    page[128 + 2] = 9; /* blocks of 512 bytes */
}

void rig_io(struct rig *rig)
{
    rig_ready(rig);
    rig_emit(rig, RECORD_DMA_ALLOC, RECORD_MEMORY_CONTROL, RIG_CONTROL, 0x4000, 0, NULL);
    rig_emit(rig, RECORD_DMA_ALLOC, RECORD_MEMORY_SQ, RIG_SQ, 4096, 0, NULL);
    rig_emit(rig, RECORD_DMA_ALLOC, RECORD_MEMORY_CQ, RIG_CQ, 4096, 0, NULL);
    rig_emit(rig, RECORD_DMA_ALLOC, RECORD_MEMORY_LIST, RIG_LISTS, 0x8000, 0, NULL);
    fill_namespace(rig);
    rig_command(rig, 0, ADMIN_IDENTIFY, 0, 1, RIG_CONTROL, 0, 0, 0, 0);
    rig_command(rig, 0, ADMIN_SET_FEATURES, 1, 0, 0, 0, FEATURE_QUEUES, 0, 0);
    rig_command(rig, 0, ADMIN_CREATE_CQ, 2, 0, RIG_CQ, 0, (RIG_DEPTH - 1) << 16 | 1, 3, 0);
    rig_command(rig, 0, ADMIN_CREATE_SQ, 3, 0, RIG_SQ, 0, (RIG_DEPTH - 1) << 16 | 1, 1u << 16 | 1,
                0);
    rig_expect_none(rig);
}

/* ---- commands ---- */

static uint64_t sq_entry(unsigned qid, uint32_t slot)
{
    return (qid == 0 ? RIG_ASQ : RIG_SQ) + slot * SQE_BYTES;
}

uint8_t *rig_build(struct rig *rig, unsigned qid, uint8_t opcode, uint16_t cid, uint32_t nsid,
                   uint64_t prp1, uint64_t prp2)
{
    uint8_t *sqe = rig_at(rig, sq_entry(qid, rig->sq_tail[qid]));
    memset(sqe, 0, SQE_BYTES);
    sqe[0] = opcode;
    rig_put(sqe + 2, cid, 2);
    rig_put(sqe + 4, nsid, 4);
    rig_put(sqe + 24, prp1, 8);
    rig_put(sqe + 32, prp2, 8);
    return sqe;
}

void rig_publish(struct rig *rig, unsigned qid)
{
    rig_emit(rig, RECORD_PUBLISH, qid, rig->sq_tail[qid], 1, 0, NULL);
}

void rig_ring(struct rig *rig, unsigned qid)
{
    rig->sq_tail[qid] = (rig->sq_tail[qid] + 1) % RIG_DEPTH;
    rig_write(rig, SPEC_DOORBELLS + 8 * qid, rig->sq_tail[qid]);
}

void rig_fetch(struct rig *rig, unsigned qid, const uint8_t *sqe, uint32_t slot)
{
    uint8_t entry[SQE_BYTES];
    memcpy(entry, sqe, sizeof entry);
    rig_emit(rig, RECORD_FETCH, slot, (uint64_t)qid << 16, 0, 0, NULL);
    rig_emit(rig, RECORD_COMMAND, sqe[0], (uint64_t)qid << 16 | SQE_CID(sqe), 0, 0, entry);
}

void rig_complete(struct rig *rig, unsigned qid, uint16_t cid, uint16_t status, uint16_t sqhd,
                  uint32_t dword0)
{
    uint32_t slot = rig->posted[qid] % RIG_DEPTH, phase = rig->posted[qid] / RIG_DEPTH % 2 == 0;
    uint8_t *cqe = rig_at(rig, (qid == 0 ? RIG_ACQ : RIG_CQ) + slot * CQE_BYTES);
    memset(cqe, 0, CQE_BYTES);
    rig_put(cqe, dword0, 4);
    rig_put(cqe + 8, sqhd, 2);
    rig_put(cqe + 10, qid, 2);
    rig_put(cqe + 12, cid, 2);
    rig_put(cqe + 14, (uint32_t)status << 1 | phase, 2);
    rig->posted[qid]++;
    rig_emit(rig, RECORD_CQE, qid << 16 | slot, (uint64_t)qid << 16 | cid, status, sqhd, cqe);
}

void rig_look(struct rig *rig, unsigned qid)
{
    uint32_t slot = rig->cq_seen[qid] % RIG_DEPTH, word;
    memcpy(&word, rig_at(rig, (qid == 0 ? RIG_ACQ : RIG_CQ) + slot * CQE_BYTES + 12), sizeof word);
    rig_emit(rig, RECORD_CQ_LOAD, qid, slot, word, 0, NULL);
    if (rig->cq_seen[qid] < rig->posted[qid])
        rig->cq_seen[qid]++;
}

void rig_fence(struct rig *rig, unsigned qid)
{
    rig_emit(rig, RECORD_RMB, qid, (rig->cq_seen[qid] + RIG_DEPTH - 1) % RIG_DEPTH, 0, 0, NULL);
}

void rig_release(struct rig *rig, unsigned qid)
{
    rig->cq_head[qid] = (rig->cq_head[qid] + 1) % RIG_DEPTH;
    rig_write(rig, SPEC_DOORBELLS + 8 * qid + 4, rig->cq_head[qid]);
}

void rig_command(struct rig *rig, unsigned qid, uint8_t opcode, uint16_t cid, uint32_t nsid,
                 uint64_t prp1, uint64_t prp2, uint32_t cdw10, uint32_t cdw11, uint32_t cdw12)
{
    uint32_t slot = rig->sq_tail[qid];
    uint8_t *sqe = rig_build(rig, qid, opcode, cid, nsid, prp1, prp2);
    rig_put(sqe + 40, cdw10, 4);
    rig_put(sqe + 44, cdw11, 4);
    rig_put(sqe + 48, cdw12, 4);
    rig_publish(rig, qid);
    rig_ring(rig, qid);
    rig_fetch(rig, qid, sqe, slot);
    rig_complete(rig, qid, cid, 0, (uint16_t)rig->sq_tail[qid], 0);
    rig_look(rig, qid);
    rig_fence(rig, qid);
    rig_release(rig, qid);
}

uint8_t *rig_build_io(struct rig *rig, uint8_t opcode, uint16_t cid, uint64_t slba, uint32_t blocks,
                      uint64_t prp1, uint64_t prp2)
{
    uint8_t *sqe = rig_build(rig, 1, opcode, cid, 1, prp1, prp2);
    rig_put(sqe + 40, slba, 8);
    rig_put(sqe + 48, blocks - 1, 2);
    return sqe;
}

void rig_hand_over(struct rig *rig, unsigned qid)
{
    rig_publish(rig, qid);
    rig_ring(rig, qid);
}

void rig_finish(struct rig *rig, unsigned qid)
{
    uint32_t slot = (rig->sq_tail[qid] + RIG_DEPTH - 1) % RIG_DEPTH;
    const uint8_t *sqe = rig_at(rig, sq_entry(qid, slot));
    rig_fetch(rig, qid, sqe, slot);
    rig_complete(rig, qid, SQE_CID(sqe), 0, (uint16_t)rig->sq_tail[qid], 0);
    rig_look(rig, qid);
    rig_fence(rig, qid);
    rig_release(rig, qid);
}

void rig_identify(struct rig *rig, const struct rig_identity *identity)
{
    uint8_t *page = rig_at(rig, RIG_CONTROL);
    memset(page, 0, 4096);
    page[77] = identity->mdts; /* 5.15.2.2 */
    rig_put(page + 256, identity->oacs, 2);
    page[258] = identity->acl;
    page[259] = identity->aerl;
    rig_put(page + 516, 1, 4); /* NN */
    rig_put(page + 520, identity->oncs, 2);
    rig_put(page + 522, identity->fuses, 2);
    page[525] = identity->vwc;
    rig_put(page + 536, identity->sgls, 4);
    rig_command(rig, 0, ADMIN_IDENTIFY, 9, 0, RIG_CONTROL, 0, 1, 0, 0);
}

void rig_request(struct rig *rig, const void *identity, enum record_op op, uint64_t lba,
                 uint32_t blocks, uint64_t bus, unsigned flags)
{
    const struct record_submit more = {.identity = identity,
                                       .nsid = 1,
                                       .blocks = blocks,
                                       .lba = lba,
                                       .registered = (flags & RIG_REGISTERED) != 0,
                                       .fua = (flags & RIG_FUA) != 0};
    rig_emit(rig, RECORD_SUBMIT, op, bus, blocks * 512u, 0, &more);
    rig_emit(rig, RECORD_SUBMITTED, 0, 0, 0, 0, identity);
}

void rig_end(struct rig *rig, const void *identity, int error)
{
    rig_emit(rig, RECORD_ENDED, (uint32_t)error, 0, 0, 0, identity);
}
