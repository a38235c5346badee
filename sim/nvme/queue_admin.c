/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Create and Delete I/O Submission and Completion Queue (NVMe 1.4 sections 5.3 to 5.6). Checks run
 * in the order of the fields: identifiers, size, entry size in CC, contiguity, address, vector.
 * Deleting a submission queue drops entries that were not fetched; commands in flight complete, or
 * with ctrl.delete_sq = abort those that wait for a list or the medium end at once with Command
 * Aborted due to SQ Deletion; then the Delete command completes itself (5.6, 7.4.3). A queue that
 * is not physically contiguous has its page list read, and is checked again when the list is there.
 */
#include "nvme/internal.h"
#include "nvme/wire_cmb.h"

#define CDW11_PC           UINT32_C(1)
#define CDW11_IEN          UINT32_C(2)
#define CDW11_QPRIO(cdw11) ((cdw11) >> 1 & 3u) /* 0 urgent to 3 low (5.4) */

static uint16_t create_qid(const struct command *cmd)
{
    return (uint16_t)cmd->cdw[0];
}
static uint32_t create_size(const struct command *cmd)
{
    return (cmd->cdw[0] >> 16) + 1; /* QSIZE is 0's based */
}
static uint16_t create_word1(const struct command *cmd) /* CQID of a SQ, vector of a CQ */
{
    return (uint16_t)(cmd->cdw[1] >> 16);
}

static bool creates_cq(const struct command *cmd)
{
    return cmd->opcode == ADMIN_CREATE_CQ;
}

static bool is_granted(const struct ctrl *ctrl, uint32_t qid)
{
    return qid >= 1 && qid <= ctrl->queues.granted;
}

static uint16_t check_shape(const struct ctrl *ctrl, const struct command *cmd,
                            uint32_t entry_log2_in_cc, uint32_t entry_log2)
{
    if (create_size(cmd) < 2 || create_size(cmd) - 1 > ctrl->params.cap_mqes)
        return STATUS_QSIZE_INVALID;
    if (entry_log2_in_cc == 0) /* not initialized yet: also Invalid Queue Size (5.3, 5.4) */
        return STATUS_QSIZE_INVALID;
    if (entry_log2_in_cc != entry_log2)
        return STATUS_INVALID_FIELD;
    if ((cmd->cdw[1] & CDW11_PC) == 0 && ctrl->params.cap_cqr)
        return STATUS_INVALID_FIELD;
    /* The queue itself, or the list of its pages: from the start of a page. */
    if ((cmd->prp1 & ctrl->page_mask) != 0)
        return STATUS_PRP_OFFSET_INVALID;
    if ((cmd->cdw[1] & CDW11_PC) == 0) /* its pages are checked when they are known */
        return STATUS_SUCCESS;
    return cmb_check_queue(ctrl, cmd->prp1, (uint64_t)create_size(cmd) << entry_log2,
                           creates_cq(cmd) ? CMBSZ_CQS : CMBSZ_SQS);
}

static uint16_t check_cq(const struct ctrl *ctrl, const struct command *cmd)
{
    uint16_t qid = create_qid(cmd);
    uint32_t vectors = interrupt_vectors(ctrl);
    uint16_t status;

    if (!is_granted(ctrl, qid) || ctrl->queues.cqs[qid].exists)
        return STATUS_QID_INVALID;
    status = check_shape(ctrl, cmd, CC_IOCQES(ctrl->regs.cc), CQE_LOG2);
    if (status != STATUS_SUCCESS)
        return status;
    return create_word1(cmd) >= vectors ? STATUS_VECTOR_INVALID : STATUS_SUCCESS;
}

static uint16_t check_sq(const struct ctrl *ctrl, const struct command *cmd)
{
    uint16_t qid = create_qid(cmd);
    uint16_t cqid = create_word1(cmd);

    if (!is_granted(ctrl, qid) || ctrl->queues.sqs[qid].exists || !is_granted(ctrl, cqid))
        return STATUS_QID_INVALID;
    if (!ctrl->queues.cqs[cqid].exists)
        return STATUS_CQ_INVALID;
    return check_shape(ctrl, cmd, CC_IOSQES(ctrl->regs.cc), SQE_LOG2);
}

static void open_queue(struct ctrl *ctrl, const struct command *cmd, struct ring ring)
{
    if (creates_cq(cmd))
        cq_open(ctrl, create_qid(cmd), create_word1(cmd), (cmd->cdw[1] & CDW11_IEN) != 0, ring);
    else
        sq_open(ctrl, create_qid(cmd), create_word1(cmd), ring);
    if (!creates_cq(cmd) && ctrl->fetch.weighted) /* else QPRIO means nothing (5.4) */
        ctrl->queues.sqs[create_qid(cmd)].line = (uint8_t)(LINE_URGENT + CDW11_QPRIO(cmd->cdw[1]));
}

static uint16_t create(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = creates_cq(cmd) ? check_cq(ctrl, cmd) : check_sq(ctrl, cmd);
    struct ring ring = {
        .base = cmd->prp1,
        .size = create_size(cmd),
        .entry_log2 = creates_cq(cmd) ? CQE_LOG2 : SQE_LOG2,
    };

    if (status != STATUS_SUCCESS)
        return status;
    if ((cmd->cdw[1] & CDW11_PC) == 0) {
        cmd->kind = COMMAND_QUEUE_PAGES;
        pointers_read_queue_pages(
            ctrl, cmd,
            (uint32_t)((((uint64_t)ring.size << ring.entry_log2) + ctrl->page_mask) >>
                       ctrl->page_log2));
        return COMMAND_GOES_ON;
    }
    open_queue(ctrl, cmd, ring);
    return STATUS_SUCCESS;
}

uint16_t admin_queue_pages_known(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = creates_cq(cmd) ? check_cq(ctrl, cmd) : check_sq(ctrl, cmd);
    struct ring ring = {
        .size = create_size(cmd),
        .entry_log2 = creates_cq(cmd) ? CQE_LOG2 : SQE_LOG2,
    };

    if (status != STATUS_SUCCESS)
        return status;
    ring.pages = ctrl_allocate(cmd->data.count, sizeof *ring.pages);
    for (uint32_t i = 0; i < cmd->data.count; i++)
        ring.pages[i] = cmd->data.list[i].bus;
    open_queue(ctrl, cmd, ring);
    return STATUS_SUCCESS;
}

static void abort_in_flight(struct ctrl *ctrl, uint16_t sqid)
{
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        struct command *cmd = &ctrl->pool.commands[i];

        if (!cmd->in_use || !cmd->abortable || cmd->sqid != sqid)
            continue;
        command_end_early(ctrl, cmd, STATUS_ABORTED_SQ_DELETION);
    }
}

static uint16_t delete_sq(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t qid = (uint16_t)cmd->cdw[0];
    struct sq *sq;

    if (!is_granted(ctrl, qid) || !ctrl->queues.sqs[qid].exists || ctrl->queues.sqs[qid].deleting)
        return STATUS_QID_INVALID;
    sq = &ctrl->queues.sqs[qid];
    fused_abandon(ctrl, qid, STATUS_ABORTED_SQ_DELETION);
    if (sq->in_flight == 0) {
        sq_close(ctrl, qid);
        return STATUS_SUCCESS;
    }
    arbitration_leave(ctrl, qid);
    if (ctrl->shadow.on)
        shadow_close(ctrl, qid, false);
    sq->deleting = true;
    sq->awaited = true;
    sq->delete_command = cmd->index;
    if (ctrl->params.delete_sq == DELETE_CHOICE_ABORT)
        abort_in_flight(ctrl, qid);
    complete_awaited(ctrl, qid);
    return COMMAND_GOES_ON;
}

static uint16_t delete_cq(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t qid = (uint16_t)cmd->cdw[0];

    if (!is_granted(ctrl, qid) || !ctrl->queues.cqs[qid].exists)
        return STATUS_QID_INVALID;
    if (ctrl->queues.cqs[qid].users > 0)
        return STATUS_QUEUE_DELETION_INVALID;
    cq_close(ctrl, qid);
    return STATUS_SUCCESS;
}

uint16_t queue_admin_execute(struct ctrl *ctrl, struct command *cmd)
{
    switch (cmd->opcode) {
    case ADMIN_DELETE_SQ:
        return delete_sq(ctrl, cmd);
    case ADMIN_DELETE_CQ:
        return delete_cq(ctrl, cmd);
    default:
        return create(ctrl, cmd);
    }
}
