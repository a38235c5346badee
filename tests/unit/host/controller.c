/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tests' small controller; see controller.h. Registers: NVMe 1.4 section 3.1; queues: 4.1, 4.6;
 * bring-up: 7.6.1. Contiguous queues of one page, phase tags, no checks: the driver is not on
 * trial.
 */
#include "unit/host/controller.h"

#include <string.h>

#include <nvme/spec.h>

#define DEPTH_MOST 64u

struct controller_queue {
    uint64_t sq, cq; /* bus addresses */
    uint16_t sq_depth, cq_depth, sq_head, cq_tail;
    bool phase;
};

static struct {
    uint32_t cc;
    uint64_t asq, acq;
    uint32_t aqa;
    struct controller_queue queues[2];
    uint64_t answer_ps;
    bool message;
    uint32_t vector; /* of the I/O completion queue */
    unsigned commands;
} controller;

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | from[i];
    return value;
}

static void answer(unsigned qid, uint16_t cid, uint32_t result)
{
    struct controller_queue *queue = &controller.queues[qid];
    uint8_t cqe[16] = {0};
    put(cqe, result, 4);
    put(cqe + 8, queue->sq_head, 2);
    put(cqe + 10, qid, 2);
    put(cqe + 12, cid, 2);
    put(cqe + 14, queue->phase, 2);
    ck_assert_int_eq(pcie_dma_write(rig.port, queue->cq + queue->cq_tail * 16u, cqe, 16), PCIE_OK);
    if (++queue->cq_tail == queue->cq_depth) {
        queue->cq_tail = 0;
        queue->phase = !queue->phase;
    }
}

static void identify(const uint8_t *sqe)
{
    static uint8_t page[NVME_IDENTIFY_BYTES];
    memset(page, 0, sizeof page);
    switch (sqe[40]) {
    case NVME_CNS_CONTROLLER:
        page[NVME_IDC_MDTS] = 5;
        page[NVME_IDC_SQES] = 0x66;
        page[NVME_IDC_CQES] = 0x44;
        put(page + NVME_IDC_NN, 1, 4);
        break;
    case NVME_CNS_ACTIVE_LIST:
        put(page, 1, 4);
        break;
    default:
        put(page + NVME_IDN_NSZE, 1 << 20, 8);
        put(page + NVME_IDN_LBAF, 9 << 16, 4);
        break;
    }
    ck_assert_int_eq(pcie_dma_write(rig.port, get(sqe + 24, 8), page, sizeof page), PCIE_OK);
}

static void admin_command(const uint8_t *sqe)
{
    struct controller_queue *io = &controller.queues[1];
    uint16_t entries = (uint16_t)(get(sqe + 42, 2) + 1);
    uint64_t prp1 = get(sqe + 24, 8);
    switch (sqe[0]) {
    case NVME_ADMIN_IDENTIFY:
        identify(sqe);
        break;
    case NVME_ADMIN_CREATE_CQ:
        io->cq = prp1;
        io->cq_depth = entries;
        io->phase = true;
        controller.vector = (uint32_t)get(sqe + 46, 2);
        break;
    case NVME_ADMIN_CREATE_SQ:
        io->sq = prp1;
        io->sq_depth = entries;
        break;
    case NVME_ADMIN_ASYNC_EVENT:
        return; /* held */
    default:    /* Number of Queues: one of each; deletions: done */
        break;
    }
    answer(0, (uint16_t)get(sqe + 2, 2), 0);
}

static void io_done(void *ctx, uint64_t cid)
{
    (void)ctx;
    answer(1, (uint16_t)cid, 0);
    if (controller.message)
        pcie_msi(rig.port, UINT64_C(0xfee00000), controller.vector);
}

static void doorbell(unsigned qid, uint16_t tail)
{
    struct controller_queue *queue = &controller.queues[qid];
    while (queue->sq_head != tail) {
        uint8_t sqe[64];
        ck_assert_int_eq(pcie_dma_read(rig.port, queue->sq + queue->sq_head * 64u, sqe, 64),
                         PCIE_OK);
        if (++queue->sq_head == queue->sq_depth)
            queue->sq_head = 0;
        if (qid == 0) {
            admin_command(sqe);
            continue;
        }
        controller.commands++;
        if (controller.answer_ps != CONTROLLER_NEVER)
            engine_after(rig.engine, controller.answer_ps, io_done, NULL, get(sqe + 2, 2));
    }
}

static void configure(uint32_t cc)
{
    struct controller_queue *admin = &controller.queues[0];
    controller.cc = cc;
    memset(controller.queues, 0, sizeof controller.queues);
    *admin = (struct controller_queue){.sq = controller.asq,
                                       .cq = controller.acq,
                                       .sq_depth = (uint16_t)((controller.aqa & 0xfff) + 1),
                                       .cq_depth = (uint16_t)((controller.aqa >> 16 & 0xfff) + 1),
                                       .phase = true};
}

static void register_write(uint64_t offset, uint64_t value)
{
    switch (offset) {
    case NVME_REG_CC:
        if ((value ^ controller.cc) & NVME_CC_EN)
            configure((uint32_t)value);
        controller.cc = (uint32_t)value;
        break;
    case NVME_REG_AQA:
        controller.aqa = (uint32_t)value;
        break;
    case NVME_REG_ASQ:
        controller.asq = value;
        break;
    case NVME_REG_ACQ:
        controller.acq = value;
        break;
    case NVME_REG_DOORBELL: /* SQ 0, CQ 0, SQ 1, CQ 1 follow at 4 bytes (3.1.24) */
        doorbell(0, (uint16_t)value);
        break;
    case NVME_REG_DOORBELL + 8:
        doorbell(1, (uint16_t)value);
        break;
    default:
        break;
    }
}

static uint64_t register_read(uint64_t offset)
{
    switch (offset) {
    case NVME_REG_CAP: /* 64 entries, contiguous, 1 s, NVM command set */
        return (DEPTH_MOST - 1) | UINT64_C(1) << 16 | UINT64_C(2) << 24 | UINT64_C(1) << 37;
    case NVME_REG_VS:
        return 0x00010400;
    case NVME_REG_CC:
        return controller.cc;
    case NVME_REG_CSTS:
        return (controller.cc & NVME_CC_EN) |
               ((controller.cc & NVME_CC_SHN_MASK) != 0 ? NVME_CSTS_SHST_COMPLETE : 0);
    default:
        return 0;
    }
}

void controller_attach(void)
{
    memset(&controller, 0, sizeof controller);
    controller.answer_ps = CONTROLLER_NEVER;
    rig.device.on_write = register_write;
    rig.device.on_read = register_read;
}

void controller_answer_after(uint64_t ps, bool message)
{
    controller.answer_ps = ps;
    controller.message = message;
}

unsigned controller_commands(void)
{
    return controller.commands;
}
