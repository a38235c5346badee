/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Completion (NVMe 1.4 sections 4.6 and 7.2.1): the entry is built, waits for room in its queue
 * (4.1.2: a full completion queue stalls, it is never an error), and is written behind the data of
 * its command. The entry follows the data on the link without waiting for it to arrive: posted
 * writes keep their order. The records show the critical path: work that is hidden behind the
 * data's time on the link does not appear. Data and entry become visible in one event.
 */
#include "nvme/internal.h"

#define STATUS_PHASE_BITS 1u
#define RETRY_DELAY       1u /* of the three that Identify has, the one that CRD names */

/* Errors that a retry of the same command would meet again (4.6.1, Do Not Retry). Those of the path
 * are about the way here and not about the command (4.6.1.2.4). */
static uint16_t with_do_not_retry(uint16_t status)
{
    if ((status & STATUS_TYPE_MASK) == STATUS_TYPE_PATH)
        return status;
    switch (status) {
    case STATUS_DATA_TRANSFER_ERROR:
    case STATUS_CID_CONFLICT: /* the other one will have ended by then */
    case STATUS_ABORT_REQUESTED:
    case STATUS_ABORTED_SQ_DELETION:
    case STATUS_ABORTED_FAILED_FUSED:
    case STATUS_ABORTED_MISSING_FUSED:
    case STATUS_ABORT_LIMIT:
    case STATUS_ASYNC_LIMIT:
    case STATUS_FORMAT_IN_PROGRESS:
    case STATUS_SELF_TEST_IN_PROGRESS:
    case STATUS_COMMAND_SEQUENCE: /* what it was too early or too late for may change */
    case STATUS_POWER_LOSS:       /* this one and the next four: injected faults only */
    case STATUS_INTERNAL_ERROR:
    case STATUS_COMMAND_INTERRUPTED:
    case STATUS_TRANSPORT_ERROR:
    case STATUS_NAMESPACE_NOT_READY:
        return status;
    default:
        return status | STATUS_DNR;
    }
}

/* Status field of a completion with an error: what the host is told beside the code. */
static uint16_t failure_status(struct ctrl *ctrl, const struct command *cmd)
{
    uint16_t status = with_do_not_retry(cmd->status);

    ctrl->stats.errors++;
    if ((status & STATUS_DNR) == 0)
        status |= features_retry_delay(ctrl, RETRY_DELAY);
    return errorlog_command(ctrl, cmd, status);
}

static void write_cqe(struct ctrl *ctrl, struct command *cmd, struct cq *cq, struct sq *sq)
{
    uint8_t cqe[CQE_BYTES] = {0};
    uint16_t status = cmd->status == STATUS_SUCCESS ? STATUS_SUCCESS : failure_status(ctrl, cmd);

    wire_put32(cqe + CQE_DW0, cmd->dw0);
    wire_put16(cqe + CQE_SQHD, sq->head);
    wire_put16(cqe + CQE_SQID, cmd->sqid);
    wire_put16(cqe + CQE_CID, fault_cid(cmd));
    wire_put16(cqe + CQE_STATUS, (uint16_t)(status << STATUS_PHASE_BITS | cmd->phase));
    if (transfer_dma_write(ctrl, ring_address(ctrl, &cq->ring, cmd->cq_slot), cqe, CQE_BYTES,
                           command_name(cmd)) != PCIE_OK) {
        ctrl_fatal(ctrl);
        return;
    }
    ctrl->stats.completions++;
    RECORD_EMIT_DATA(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_CQE,
                     (uint32_t)cmd->cqid << 16 | cmd->cq_slot, command_name(cmd), status, sq->head,
                     cqe);
}

/* Completions of this queue that have no room end without an entry. */
static void drop_stalled(struct ctrl *ctrl, struct cq *cq, uint16_t sqid)
{
    uint32_t *link = &cq->waiting_first;
    struct command *cmd;

    cq->waiting_last = NO_COMMAND;
    while (*link != NO_COMMAND) {
        cmd = &ctrl->pool.commands[*link];
        if (cmd->sqid != sqid) {
            cq->waiting_last = *link;
            link = &cmd->next;
            continue;
        }
        *link = cmd->next;
        command_release(ctrl, cmd);
    }
}

/* The last command of a queue that is being deleted has ended, or only waits for room in its
 * completion queue, which may never come: that one counts as implicitly completed (5.6). So the
 * Delete command ends, too. */
static void finish_delete(struct ctrl *ctrl, uint16_t sqid)
{
    const struct sq *sq = &ctrl->queues.sqs[sqid];
    struct command *cmd = &ctrl->pool.commands[sq->delete_command];

    if (sq->stalled > 0)
        drop_stalled(ctrl, &ctrl->queues.cqs[sq->cqid], sqid);
    sq_close(ctrl, sqid);
    complete_command(ctrl, cmd, STATUS_SUCCESS);
}

void complete_awaited(struct ctrl *ctrl, uint16_t sqid)
{
    const struct sq *sq = &ctrl->queues.sqs[sqid];

    if (sq->deleting && sq->in_flight == sq->stalled)
        finish_delete(ctrl, sqid);
    shutdown_progress(ctrl);
}

static void command_ended(struct ctrl *ctrl, struct sq *sq, const struct command *cmd)
{
    if (sq->cids != NULL)
        watch_cid_ended(sq, cmd);
    complete_awaited(ctrl, cmd->sqid);
}

void command_over(struct ctrl *ctrl, struct command *cmd)
{
    struct sq *sq = &ctrl->queues.sqs[cmd->sqid];

    if (cmd->is_abort)
        ctrl->pool.aborts_running--;
    sq->in_flight--;
    if (sq->awaited)
        command_ended(ctrl, sq, cmd);
    command_release(ctrl, cmd);
}

void complete_visible(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);
    struct cq *cq;
    struct sq *sq;
    bool has_data, was_empty;

    if (cmd == NULL)
        return;
    sq = &ctrl->queues.sqs[cmd->sqid];
    cq = &ctrl->queues.cqs[cmd->cqid];
    has_data = command_data_to_host(cmd);
    if (has_data)
        record_stage(ctrl, cmd, STAGE_TRANSFER, cmd->transfer_ps);
    record_stage(ctrl, cmd, STAGE_COMPLETE, cmd->complete_ps);
    record_stage(ctrl, cmd, STAGE_CQE, cmd->cqe_ps);
    if (has_data)
        cmd->status = transfer_out_move(ctrl, cmd);
    write_cqe(ctrl, cmd, cq, sq);
    if ((ctrl->regs.csts & CSTS_CFS) != 0)
        return; /* everything was dropped, this command too */

    was_empty = cq->head == cq->visible;
    cq->visible = ring_advance(cmd->cq_slot, 1, cq->ring.size);
    if (cq->interrupts)
        interrupt_cqe(ctrl, cq, was_empty);
    if (cmd->fault == NULL || fault_completed(ctrl, cmd))
        command_over(ctrl, cmd);
}

/* Take the next slot of the queue and send the entry at given_ps. */
static void post(struct ctrl *ctrl, struct cq *cq, struct command *cmd, uint64_t given_ps)
{
    uint64_t visible_ps;

    cmd->cq_slot = cq->tail;
    cmd->phase = cq->phase;
    cq->tail = ring_advance(cq->tail, 1, cq->ring.size);
    if (cq->tail == 0)
        cq->phase = !cq->phase;
    cmd->cqe_ps = later(given_ps, cmd->complete_ps);
    visible_ps = cmd->cqe_ps;
    if (cq->ring.at_once) {
        visible_ps = later(pcie_up_write(ctrl->port, given_ps, CQE_BYTES), visible_ps);
    } else if (!cq->ring.local) {
        paced_entry(ctrl, cmd, given_ps);
        return;
    }
    visible_ps = later(visible_ps, cq->last_visible_ps);
    cq->last_visible_ps = visible_ps;
    if (ctrl->shadow.on)
        shadow_posted(ctrl, cmd->cqid);
    engine_at(ctrl->engine, visible_ps, complete_visible, ctrl, command_arg(cmd));
}

static bool is_full(const struct cq *cq)
{
    return ring_advance(cq->tail, 1, cq->ring.size) == cq->head;
}

static void wait_for_room(struct ctrl *ctrl, struct cq *cq, struct command *cmd)
{
    cmd->next = NO_COMMAND;
    if (cq->waiting_first == NO_COMMAND)
        cq->waiting_first = cmd->index;
    else
        ctrl->pool.commands[cq->waiting_last].next = cmd->index;
    cq->waiting_last = cmd->index;
    ctrl->queues.sqs[cmd->sqid].stalled++;
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_STALL, cmd->cqid,
                command_name(cmd), 0, 0);
    if (ctrl->shadow.on)
        shadow_stalled(ctrl, cmd->cqid);
    complete_awaited(ctrl, cmd->sqid);
}

/* cmd->complete_ps and ready_ps are set: post, or wait for room. */
static void post_or_wait(struct ctrl *ctrl, struct command *cmd)
{
    struct cq *cq = &ctrl->queues.cqs[cmd->cqid];

    if (cmd->fault != NULL && !fault_completing(ctrl, cmd))
        return;
    if (cq->waiting_first == NO_COMMAND && !is_full(cq))
        post(ctrl, cq, cmd, cmd->ready_ps);
    else
        wait_for_room(ctrl, cq, cmd);
}

void complete_waiting(struct ctrl *ctrl, struct cq *cq)
{
    uint64_t now_ps = engine_now(ctrl->engine);

    while (cq->waiting_first != NO_COMMAND && !is_full(cq)) {
        struct command *cmd = &ctrl->pool.commands[cq->waiting_first];

        cq->waiting_first = cmd->next;
        ctrl->queues.sqs[cmd->sqid].stalled--;
        /* Room may have come before the entry was even built: that is no stall. */
        if (now_ps > cmd->ready_ps) {
            ctrl->stats.cq_full_stalls++;
            ctrl->stats.cq_full_ps += now_ps - cmd->ready_ps;
        }
        post(ctrl, cq, cmd, later(now_ps, cmd->ready_ps));
    }
}

/* The completion unit's work on one entry, begun at from_ps or when the unit is free. */
static uint64_t build(struct ctrl *ctrl, uint64_t from_ps)
{
    uint64_t built_ps = later(from_ps, ctrl->completion_free_ps) +
                        clock_cost(&ctrl->clock, ctrl->params.completion);

    ctrl->completion_free_ps = built_ps;
    return built_ps;
}

void complete_again(struct ctrl *ctrl, struct command *cmd)
{
    cmd->complete_ps = engine_now(ctrl->engine);
    cmd->ready_ps = build(ctrl, cmd->complete_ps);
    post_or_wait(ctrl, cmd);
}

void complete_command(struct ctrl *ctrl, struct command *cmd, uint16_t status)
{
    if (cmd->partner != NOT_FUSED) {
        fused_end(ctrl, cmd, status);
        return;
    }
    cmd->abortable = false;
    cmd->kind = COMMAND_PLAIN; /* no data any more */
    cmd->status = status;
    complete_again(ctrl, cmd);
}

void complete_after_data(struct ctrl *ctrl, struct command *cmd, uint64_t given_ps,
                         uint64_t arrived_ps)
{
    cmd->abortable = false;
    cmd->status = STATUS_SUCCESS;
    cmd->complete_ps = arrived_ps;
    cmd->ready_ps = build(ctrl, given_ps);
    post_or_wait(ctrl, cmd);
}

void command_end_early(struct ctrl *ctrl, struct command *cmd, uint16_t status)
{
    /* A read that waits for nothing more has a place in its completion queue, or in the line for
     * one. */
    if (cmd->kind == COMMAND_READ && !cmd->abortable) {
        cmd->kind = COMMAND_PLAIN;
        cmd->status = status;
        return;
    }
    command_detach(cmd);
    complete_command(ctrl, cmd, status);
}
