/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queues as rings in host memory, and their doorbells (NVMe 1.4 sections 3.1.24, 3.1.25, 4.1). A
 * doorbell of a queue that does not exist, or with a value that cannot be, changes nothing and
 * raises the asynchronous event of section 5.2 (Invalid Doorbell Register, Invalid Doorbell Write
 * Value). A value cannot be when it is not below the size, adds more entries than there are free
 * slots, or consumes entries that were never posted. The value that is already there is counted and
 * otherwise without effect: the standard lists it as a possible cause of the event, real
 * controllers let it pass. While the controller does not run, doorbells are counted and do nothing;
 * but entries that are posted while a shutdown occurs may be consumed (7.6.2), so doorbells of
 * completion queues count until it is complete.
 */
#include <stdlib.h>

#include "nvme/internal.h"

uint64_t ring_address(const struct ctrl *ctrl, const struct ring *ring, uint16_t slot)
{
    uint64_t offset = (uint64_t)slot << ring->entry_log2;

    if (ring->pages == NULL)
        return ring->base + offset;
    return ring->pages[offset >> ctrl->page_log2] + (offset & ctrl->page_mask);
}

void sq_open(struct ctrl *ctrl, uint16_t sqid, uint16_t cqid, struct ring ring)
{
    ctrl->queues.sqs[sqid] = (struct sq){
        .ring = ring,
        .exists = true,
        .cqid = cqid,
        .delete_command = NO_COMMAND,
        .fused_first = NO_COMMAND,
        .rung_ps = ctrl_allocate(ring.size, sizeof(uint64_t)),
    };
    ctrl->queues.cqs[cqid].users++;
    if (sqid != 0)
        ctrl->queues.alive++;
}

void sq_close(struct ctrl *ctrl, uint16_t sqid)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];

    if (!sq->exists)
        return;
    fetch_forget(ctrl, sqid);
    free(sq->rung_ps);
    free(sq->ring.pages);
    ctrl->queues.cqs[sq->cqid].users--;
    *sq = (struct sq){.exists = false};
    if (sqid != 0)
        ctrl->queues.alive--;
}

void cq_open(struct ctrl *ctrl, uint16_t cqid, uint16_t vector, bool interrupts, struct ring ring)
{
    ctrl->queues.cqs[cqid] = (struct cq){
        .ring = ring,
        .exists = true,
        .interrupts = interrupts,
        .phase = true, /* the first lap writes 1 (4.6) */
        .vector = vector,
        .waiting_first = NO_COMMAND,
        .waiting_last = NO_COMMAND,
    };
    if (cqid != 0)
        ctrl->queues.alive++;
}

void cq_close(struct ctrl *ctrl, uint16_t cqid)
{
    struct cq *cq = &ctrl->queues.cqs[cqid];

    if (!cq->exists)
        return;
    if (cq->head != cq->visible) /* entries that nobody will consume now */
        interrupt_consumed(ctrl, cq);
    free(cq->ring.pages);
    *cq = (struct cq){.exists = false};
    if (cqid != 0)
        ctrl->queues.alive--;
}

void queues_close_all(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i <= ctrl->params.max_io_queues; i++)
        sq_close(ctrl, (uint16_t)i);
    for (uint32_t i = 0; i <= ctrl->params.max_io_queues; i++)
        cq_close(ctrl, (uint16_t)i);
}

static void doorbell_seen(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    if (epoch_is_current(ctrl, arg))
        fetch_doorbell_seen(ctrl, (uint16_t)arg);
}

static void sq_doorbell(struct ctrl *ctrl, uint16_t sqid, uint32_t value)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];
    uint32_t size = sq->ring.size;
    uint64_t now_ps = engine_now(ctrl->engine);

    if (!sq->exists || sq->deleting) {
        async_error(ctrl, EVENT_INVALID_DOORBELL_REGISTER, sqid);
        return;
    }
    if (value == sq->tail) {
        ctrl->stats.same_value_doorbells++;
        return;
    }
    if (value >= size || ring_distance(sq->tail, (uint16_t)value, size) >
                             size - 1 - ring_distance(sq->head, sq->tail, size)) {
        async_error(ctrl, EVENT_INVALID_DOORBELL_VALUE, sqid);
        return;
    }
    for (uint16_t slot = sq->tail; slot != value; slot = ring_advance(slot, 1, size))
        sq->rung_ps[slot] = now_ps;
    sq->tail = (uint16_t)value;
    if (ctrl->fetch.doorbell_latency_ps == 0)
        fetch_doorbell_seen(ctrl, sqid);
    else
        engine_at(ctrl->engine, now_ps + ctrl->fetch.doorbell_latency_ps, doorbell_seen, ctrl,
                  epoch_arg(ctrl, sqid));
}

static void cq_doorbell(struct ctrl *ctrl, uint16_t cqid, uint32_t value)
{
    struct cq *cq = &ctrl->queues.cqs[cqid];
    uint32_t size = cq->ring.size;

    if (!cq->exists) {
        async_error(ctrl, EVENT_INVALID_DOORBELL_REGISTER, cqid);
        return;
    }
    if (value == cq->head) {
        ctrl->stats.same_value_doorbells++;
        return;
    }
    if (value >= size || ring_distance(cq->head, (uint16_t)value, size) >
                             ring_distance(cq->head, cq->visible, size)) {
        async_error(ctrl, EVENT_INVALID_DOORBELL_VALUE, cqid);
        return;
    }
    cq->head = (uint16_t)value;
    if (cq->head == cq->visible)
        interrupt_consumed(ctrl, cq);
    if (cq->waiting_first != NO_COMMAND)
        complete_waiting(ctrl, cq);
}

static bool takes_cq_doorbells(const struct ctrl *ctrl)
{
    return ctrl->life.state == LIFE_READY &&
           (ctrl->regs.csts & (CSTS_CFS | CSTS_SHST_COMPLETE)) == 0;
}

void queues_doorbell(struct ctrl *ctrl, uint64_t offset, uint32_t value)
{
    uint64_t stride_log2 = 2 + ctrl->params.cap_dstrd;
    uint64_t number = offset >> stride_log2;
    uint16_t qid = (uint16_t)(number / 2);
    bool is_cq = number % 2 != 0;

    if ((offset & ((UINT64_C(1) << stride_log2) - 1)) != 0) {
        ctrl->stats.register_writes++; /* reserved space between two doorbells */
        return;
    }
    if (is_cq)
        ctrl->stats.cq_doorbells++;
    else
        ctrl->stats.sq_doorbells++;
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_DOORBELL, is_cq, qid,
                value, 0);
    if (is_cq ? !takes_cq_doorbells(ctrl) : !ctrl_is_running(ctrl))
        return;
    if (qid > ctrl->params.max_io_queues) /* before the arrays, which end there */
        async_error(ctrl, EVENT_INVALID_DOORBELL_REGISTER, qid);
    else if (is_cq)
        cq_doorbell(ctrl, qid, value);
    else
        sq_doorbell(ctrl, qid, value);
}
