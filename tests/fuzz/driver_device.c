/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An honest controller for the core to talk to, as small as it can be: registers, queues, Identify,
 * and answers without a medium behind them (NVMe 1.4 sections 3.1, 4.1, 4.2, 4.6, 5). It judges
 * what it is given: doorbells must be new and in range, identifiers not in use; admin commands
 * are executed by driver_admin.c, pointers followed by driver_pointers.c. What is dishonest is done
 * to it by driver_hostile.c. See driver.h.
 */
#include "fuzz/driver.h"

#include <string.h>

#define CQE_BYTES   16u
#define SQE_BYTES   64u
#define CC_ENABLE   1u
#define CSTS_READY  1u
#define CSTS_FATAL  2u
#define CSTS_SHUT   8u
#define LOW(value)  ((uint32_t)(value))
#define HIGH(value) ((uint32_t)((value) >> 32))

void hostile_device_init(struct hostile *h)
{
    /* MQES 63, RDY within 1 s, weighted round robin, the NVM command set (3.1.1) */
    h->cap = 63 | UINT64_C(1) << 16 | UINT64_C(1) << 17 | UINT64_C(2) << 24 | UINT64_C(1) << 37;
    h->vs = NVME_VERSION_1_4;
    h->grant = 7 | 7u << 16;
    h->auto_admin = h->auto_io = true;
}

/* ---- registers ---- */

void hostile_disable(struct hostile *h)
{
    memset(h->sq, 0, sizeof h->sq);
    memset(h->cq, 0, sizeof h->cq);
    memset(h->commands, 0, sizeof h->commands);
    h->stray_count = 0;
    h->shadow = h->event_index = 0;
    h->csts = 0;
    h->cfs = false;
    h->wild = false;
}

static void enable(struct hostile *h)
{
    h->csts = CSTS_READY;
    h->lost = false;
    h->sq[0] = (struct hostile_sq){true, h->asq, (h->aqa & 0xFFF) + 1, 0, 0, 0};
    h->cq[0] = (struct hostile_cq){true, h->acq, (h->aqa >> 16 & 0xFFF) + 1, 0, 0, 1};
}

static void write_cc(struct hostile *h, uint32_t value)
{
    if ((value & CC_ENABLE) && !(h->cc & CC_ENABLE)) {
        h->cc = value; /* the page size counts */
        enable(h);
    } else if (!(value & CC_ENABLE) && (h->cc & CC_ENABLE)) {
        hostile_disable(h);
    } else if (value >> 14 & 3) {
        h->csts |= CSTS_SHUT;
    }
    if (!(value >> 14 & 3))
        h->csts &= ~CSTS_SHUT;
    h->cc = value;
}

static uint32_t read_csts(struct hostile *h)
{
    uint32_t value = h->csts;

    if (h->gone != 0) {
        h->gone--;
        return UINT32_MAX;
    }
    if (h->ready_delay != 0) {
        h->ready_delay--;
        value &= ~CSTS_READY;
    }
    if (h->ready_stuck != 0) {
        h->ready_stuck--;
        value |= CSTS_READY;
    }
    if (h->shut_stuck)
        value &= ~CSTS_SHUT;
    return value | (h->cfs ? CSTS_FATAL : 0);
}

uint32_t hostile_read(struct hostile *h, uint32_t offset)
{
    if (h->gone != 0 && offset != NVME_REG_CSTS)
        return UINT32_MAX;
    switch (offset) {
    case NVME_REG_CAP:
        return LOW(h->cap);
    case NVME_REG_CAP + 4:
        return HIGH(h->cap);
    case NVME_REG_VS:
        return h->vs;
    case NVME_REG_CC:
        return h->cc;
    case NVME_REG_CSTS:
        return read_csts(h);
    default:
        hostile_fail("register %02xh is read", offset);
    }
}

static void ring(struct hostile *h, uint32_t index, uint32_t value)
{
    uint32_t qid = index / 2;

    if (h->lost)
        return;
    if (!(h->cc & CC_ENABLE))
        hostile_fail("a doorbell of queue %u while CC.EN is 0", qid);
    if (qid >= HOSTILE_QUEUES || !(index & 1 ? h->cq[qid].exists : h->sq[qid].exists))
        hostile_fail("a doorbell of queue %u, which does not exist", qid);
    if (index & 1) {
        struct hostile_cq *cq = &h->cq[qid];

        if (value >= cq->size || (value == cq->head && !h->shadow))
            hostile_fail("CQ %u head doorbell: %u after %u, of %u", qid, value, cq->head, cq->size);
        cq->head = value;
    } else {
        struct hostile_sq *sq = &h->sq[qid];

        if (value >= sq->size || (value == sq->tail && !h->shadow))
            hostile_fail("SQ %u tail doorbell: %u after %u, of %u", qid, value, sq->tail, sq->size);
        sq->tail = value;
        hostile_fetch(h);
    }
}

void hostile_write(struct hostile *h, uint32_t offset, uint32_t value)
{
    uint32_t stride = 4u << NVME_CAP_DSTRD(h->cap);

    if (offset >= NVME_REG_DOORBELL) {
        if ((offset - NVME_REG_DOORBELL) % stride != 0)
            hostile_fail("a write between doorbells, at %xh", offset);
        if (h->gone == 0)
            ring(h, (offset - NVME_REG_DOORBELL) / stride, value);
        return;
    }
    if (h->gone != 0)
        return;
    if (offset >= NVME_REG_AQA && (h->cc & CC_ENABLE))
        hostile_fail("register %02xh is written while CC.EN is 1 (3.1.8)", offset);
    switch (offset) {
    case NVME_REG_INTMS:
    case NVME_REG_INTMC:
        if (h->config.irq == NVME_IRQ_MSIX)
            hostile_fail("interrupt masks are written while MSI-X is in use (3.1.3)");
        return;
    case NVME_REG_CC:
        write_cc(h, value);
        return;
    case NVME_REG_AQA:
        h->aqa = value;
        return;
    case NVME_REG_ASQ:
        h->asq = (h->asq & ~(uint64_t)UINT32_MAX) | value;
        return;
    case NVME_REG_ASQ + 4:
        h->asq = LOW(h->asq) | (uint64_t)value << 32;
        return;
    case NVME_REG_ACQ:
        h->acq = (h->acq & ~(uint64_t)UINT32_MAX) | value;
        return;
    case NVME_REG_ACQ + 4:
        h->acq = LOW(h->acq) | (uint64_t)value << 32;
        return;
    default:
        hostile_fail("register %02xh is written", offset);
    }
}

/* ---- fetching ---- */

struct hostile_command *hostile_lookup(struct hostile *h, unsigned qid, uint32_t cid)
{
    for (uint32_t i = 0; i < HOSTILE_COMMANDS; i++)
        if (h->commands[i].held && h->commands[i].qid == qid && h->commands[i].cid == cid)
            return &h->commands[i];
    return NULL;
}

/* The request that a command belongs to, as far as its LBA tells. */
static struct hostile_request *owner(struct hostile *h, const struct hostile_command *command)
{
    uint64_t lba = command->sqe.cdw10_11;
    uint8_t *at;

    if (command->qid == 0)
        return NULL;
    if ((uint8_t)command->sqe.command_nsid == NVME_IO_DATASET &&
        HIGH(command->sqe.cdw14_15) >> 8 != HOSTILE_RAW_TAG) {
        if (!hostile_resolve(h, command->sqe.prp1, NVME_RANGE_BYTES, false, &at) || !at)
            return NULL;
        memcpy(&lba, at + 8, sizeof lba);
    }
    return hostile_find(h, lba >> HOSTILE_LBA_SHIFT);
}

static void credit(struct hostile *h, struct hostile_command *command, bool good)
{
    struct hostile_request *request;

    command->answered = true;
    if (!good || command->good)
        return;
    command->good = true;
    request = owner(h, command);
    if (request) {
        request->good_commands++;
        request->good_blocks += (command->sqe.cdw12_13 & 0xFFFF) + 1;
    }
}

/* How many the device takes at a time, it has said (5.15.2.2, ACL and AERL). */
static void check_limit(const struct hostile *h, uint8_t opcode, uint32_t limit)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < HOSTILE_COMMANDS; i++)
        count += h->commands[i].held && !h->commands[i].answered && h->commands[i].qid == 0 &&
                 (uint8_t)h->commands[i].sqe.command_nsid == opcode;
    if (count > limit && !h->wild)
        hostile_fail("%u admin commands %02xh at a time, of %u", count, opcode, limit);
}

/* False: the device does not take it yet. */
static bool take(struct hostile *h, unsigned qid, const uint8_t *entry)
{
    struct hostile_command *command = NULL, *old;
    struct nvme_sqe sqe;
    uint16_t cid;

    memcpy(&sqe, entry, sizeof sqe);
    cid = (uint16_t)(sqe.command_nsid >> NVME_SQE_CID_SHIFT);
    old = hostile_lookup(h, qid, cid);
    if (old && !old->answered && !h->wild)
        hostile_fail("identifier %04xh of queue %u is used twice (4.2)", cid, qid);
    for (uint32_t i = 0; i < HOSTILE_COMMANDS && !command; i++)
        if (!h->commands[i].held)
            command = &h->commands[i];
    if (old)
        command = old;
    if (!command)
        return false;
    *command = (struct hostile_command){.sqe = sqe, .qid = (uint16_t)qid, .cid = cid, .held = true};
    hostile_move_data(h, command, true);
    check_limit(h, NVME_ADMIN_ABORT, h->acl + 1u);
    check_limit(h, NVME_ADMIN_ASYNC_EVENT, h->aerl + 1u);
    for (uint32_t i = 0; i < h->stray_count; i++)
        if (h->strays[i].qid == qid && h->strays[i].cid == cid)
            credit(h, command, h->strays[i].good);
    return true;
}

/* Doorbells in memory (7.13). */
static void look_at_shadows(struct hostile *h, unsigned qid)
{
    uint32_t stride = 4u << NVME_CAP_DSTRD(h->cap);
    uint64_t at = h->shadow + (uint64_t)2 * qid * stride;
    uint8_t *tail, *head;

    if (!h->shadow || qid == 0 || !hostile_resolve(h, at, 4, false, &tail) ||
        !hostile_resolve(h, at + stride, 4, false, &head) || !tail || !head)
        return;
    memcpy(&h->sq[qid].tail, tail, sizeof h->sq[qid].tail);
    memcpy(&h->cq[qid].head, head, sizeof h->cq[qid].head);
    if (h->cq[qid].exists && h->cq[qid].head >= h->cq[qid].size)
        hostile_fail("CQ %u head is %u, of %u", qid, h->cq[qid].head, h->cq[qid].size);
}

void hostile_fetch(struct hostile *h)
{
    for (unsigned qid = 0; qid < HOSTILE_QUEUES && h->gone == 0; qid++) {
        struct hostile_sq *sq = &h->sq[qid];
        uint8_t *at;

        if (!sq->exists)
            continue;
        look_at_shadows(h, qid);
        if (sq->tail >= sq->size)
            hostile_fail("SQ %u tail is %u, of %u", qid, sq->tail, sq->size);
        while (sq->head != sq->tail) {
            if (!hostile_resolve(h, sq->bus + sq->head * SQE_BYTES, SQE_BYTES, false, &at) || !at)
                hostile_fail("the memory of SQ %u is gone", qid);
            if (!take(h, qid, at))
                return;
            sq->head = sq->head + 1 == sq->size ? 0 : sq->head + 1;
        }
    }
}

/* ---- answers ---- */

static void stray(struct hostile *h, unsigned qid, uint32_t cid, bool good)
{
    if (h->stray_count == HOSTILE_STRAYS) {
        h->wild = true;
        return;
    }
    h->strays[h->stray_count].qid = (uint16_t)qid;
    h->strays[h->stray_count].cid = (uint16_t)cid;
    h->strays[h->stray_count++].good = good;
}

void hostile_post(struct hostile *h, unsigned cqid, uint32_t result, uint32_t dw2, uint32_t dw3,
                  bool right_phase)
{
    struct hostile_cq *cq = &h->cq[cqid];
    bool good = (dw3 >> NVME_CQE_STATUS_SHIFT) == 0;
    struct hostile_command *command;
    uint32_t words[4] = {result, 0, dw2, 0};
    uint8_t *at;

    if (!cq->exists || h->gone != 0 ||
        !hostile_resolve(h, cq->bus + cq->tail * CQE_BYTES, CQE_BYTES, true, &at) || !at)
        return;
    hostile_fetch(h);
    command = hostile_lookup(h, cqid, dw3 & 0xFFFF);
    if (command)
        credit(h, command, good);
    if (!command || !right_phase)
        stray(h, cqid, dw3 & 0xFFFF, good);
    words[3] = (dw3 & ~NVME_CQE_PHASE) | ((cq->phase ^ !right_phase) ? NVME_CQE_PHASE : 0);
    memcpy(at, words, sizeof words);
    if (++cq->tail == cq->size) {
        cq->tail = 0;
        cq->phase ^= 1;
    }
}

uint32_t hostile_sqhd(const struct hostile *h, unsigned qid)
{
    return h->sq[qid].head | qid << 16;
}

void hostile_answer(struct hostile *h, struct hostile_command *command, uint16_t status)
{
    unsigned qid = command->qid;
    uint32_t result = 0;

    if (status == 0 && !command->answered) {
        if (qid == 0)
            result = hostile_execute(h, command);
        else
            hostile_move_data(h, command, false);
    }
    hostile_post(h, qid, result, hostile_sqhd(h, qid),
                 command->cid | (uint32_t)status << NVME_CQE_STATUS_SHIFT, true);
    command->held = false;
}

static bool is_event_request(const struct hostile_command *command)
{
    return command->qid == 0 && (uint8_t)command->sqe.command_nsid == NVME_ADMIN_ASYNC_EVENT;
}

struct hostile_command *hostile_held(struct hostile *h, uint32_t index, bool admin)
{
    struct hostile_command *found = NULL;

    for (uint32_t i = 0; i < HOSTILE_COMMANDS; i++) {
        struct hostile_command *command = &h->commands[i];

        if (!command->held || (command->qid == 0) != admin || is_event_request(command))
            continue;
        found = command;
        if (index-- == 0)
            break;
    }
    return found;
}

void hostile_raise(struct hostile *h, uint32_t result)
{
    for (uint32_t i = 0; i < HOSTILE_COMMANDS; i++) {
        struct hostile_command *command = &h->commands[i];

        if (!command->held || !is_event_request(command))
            continue;
        hostile_post(h, 0, result, hostile_sqhd(h, 0), command->cid, true);
        command->held = false;
        return;
    }
}

void hostile_run_device(struct hostile *h)
{
    if (h->gone != 0 || h->cfs || !(h->cc & CC_ENABLE))
        return;
    hostile_fetch(h);
    for (uint32_t n = 0; n < HOSTILE_COMMANDS; n++) {
        uint32_t i = h->backwards ? HOSTILE_COMMANDS - 1 - n : n;
        struct hostile_command *command = &h->commands[i];
        const struct hostile_cq *cq = &h->cq[command->qid];

        if (!command->held || is_event_request(command) ||
            !(command->qid == 0 ? h->auto_admin : h->auto_io) || !cq->exists ||
            (cq->tail + 1) % cq->size == cq->head)
            continue;
        hostile_answer(h, command, 0);
    }
}
