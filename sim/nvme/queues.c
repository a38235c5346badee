/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queues as rings in host memory, and their doorbells (NVMe 1.4 sections 3.1.24, 3.1.25, 4.1, 8.6).
 * A doorbell of a queue that does not exist, or with a value that cannot be, changes nothing and
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
    watch_sq_open(ctrl, &ctrl->queues.sqs[sqid]);
    ring_placed(ctrl, &ctrl->queues.sqs[sqid].ring);
    ctrl->queues.cqs[cqid].users++;
    if (ctrl->shadow.on)
        shadow_open(ctrl, sqid, false);
    if (sqid != 0)
        ctrl->queues.alive++;
}

void sq_close(struct ctrl *ctrl, uint16_t sqid)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];

    if (!sq->exists)
        return;
    arbitration_leave(ctrl, sqid);
    if (ctrl->shadow.on)
        shadow_close(ctrl, sqid, false);
    free(sq->rung_ps);
    free(sq->cids);
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
    ring_placed(ctrl, &ctrl->queues.cqs[cqid].ring);
    if (ctrl->shadow.on)
        shadow_open(ctrl, cqid, true);
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
    if (ctrl->shadow.on)
        shadow_close(ctrl, cqid, true);
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

static inline enum ring_move move_tail(struct ctrl *ctrl, uint16_t sqid, uint32_t value)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];
    uint32_t size = sq->ring.size;
    uint64_t now_ps = engine_now(ctrl->engine);

    if (value == sq->tail)
        return RING_SAME;
    if (value >= size || ring_distance(sq->tail, (uint16_t)value, size) >
                             size - 1 - ring_distance(sq->head, sq->tail, size))
        return RING_INVALID;
    for (uint16_t slot = sq->tail; slot != value; slot = ring_advance(slot, 1, size))
        sq->rung_ps[slot] = now_ps;
    sq->tail = (uint16_t)value;
    if (ctrl->fetch.doorbell_latency_ps == 0)
        fetch_doorbell_seen(ctrl, sqid);
    else
        engine_at(ctrl->engine, now_ps + ctrl->fetch.doorbell_latency_ps, doorbell_seen, ctrl,
                  epoch_arg(ctrl, sqid));
    return RING_MOVED;
}

static inline enum ring_move move_head(struct ctrl *ctrl, uint16_t cqid, uint32_t value)
{
    struct cq *cq = &ctrl->queues.cqs[cqid];
    uint32_t size = cq->ring.size;

    if (value == cq->head)
        return RING_SAME;
    if (value >= size ||
        ring_distance(cq->head, (uint16_t)value, size) > ring_distance(cq->head, cq->visible, size))
        return RING_INVALID;
    cq->head = (uint16_t)value;
    if (cq->head == cq->visible)
        interrupt_consumed(ctrl, cq);
    else
        interrupt_left(ctrl, cq);
    if (cq->waiting_first != NO_COMMAND)
        complete_waiting(ctrl, cq);
    return RING_MOVED;
}

enum ring_move sq_move_tail(struct ctrl *ctrl, uint16_t sqid, uint32_t value)
{
    return move_tail(ctrl, sqid, value);
}

enum ring_move cq_move_head(struct ctrl *ctrl, uint16_t cqid, uint32_t value)
{
    return move_head(ctrl, cqid, value);
}

static bool takes_doorbells(const struct ctrl *ctrl, uint16_t qid, bool is_cq)
{
    if (qid > ctrl->params.max_io_queues) /* the arrays end there */
        return false;
    return is_cq ? ctrl->queues.cqs[qid].exists
                 : ctrl->queues.sqs[qid].exists && !ctrl->queues.sqs[qid].deleting;
}

bool queues_take_heads(const struct ctrl *ctrl)
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
    enum ring_move move;

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
    if (is_cq ? !queues_take_heads(ctrl) : !ctrl_is_running(ctrl))
        return;
    if (!takes_doorbells(ctrl, qid, is_cq)) {
        async_error(ctrl, EVENT_INVALID_DOORBELL_REGISTER, qid);
        return;
    }
    if (ctrl->shadow.on && shadow_takes_register(ctrl, qid, is_cq, value))
        return;
    move = is_cq ? move_head(ctrl, qid, value) : move_tail(ctrl, qid, value);
    if (move == RING_SAME)
        ctrl->stats.same_value_doorbells++;
    else if (move == RING_INVALID)
        async_error(ctrl, EVENT_INVALID_DOORBELL_VALUE, qid);
}
