/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Command contexts: a fixed pool taken at creation, and a command's first step, decoding. A context
 * is named in events by its index and generation. Dropping a command, at a reset or an Abort, means
 * advancing its generation: whatever was on its way for it no longer finds it.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"

/* Contexts for admin commands beside the ones that Abort needs (Abort Command Limit, 5.1). */
#define ADMIN_CONTEXTS 8u

static uint32_t admin_contexts(const struct ctrl *ctrl)
{
    return (uint32_t)ctrl->params.acl + 1 + ADMIN_CONTEXTS;
}

static void refill(struct ctrl *ctrl)
{
    ctrl->pool.free_first = NO_COMMAND;
    for (uint32_t i = ctrl->pool.count; i-- > 0;) {
        ctrl->pool.commands[i].next = ctrl->pool.free_first;
        ctrl->pool.free_first = i;
    }
    ctrl->pool.io_credits = ctrl->pool.io_credits_max = (int32_t)ctrl->params.contexts;
    ctrl->pool.admin_credits = (int32_t)admin_contexts(ctrl);
}

void commands_init(struct ctrl *ctrl)
{
    /* Held Asynchronous Event Requests give their credit back and keep their context; so do first
     * halves of fused operations, of which each I/O queue can hold one. */
    ctrl->pool.count = (uint32_t)ctrl->params.contexts + admin_contexts(ctrl) +
                       (uint32_t)ctrl->params.aerl + 1 + (uint32_t)ctrl->params.max_io_queues;
    ctrl->pool.commands = ctrl_allocate(ctrl->pool.count, sizeof *ctrl->pool.commands);
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        ctrl->pool.commands[i].index = i;
        pointers_init(&ctrl->pool.commands[i]);
    }
    refill(ctrl);
}

void commands_free(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        pointers_free(&ctrl->pool.commands[i]);
        free(ctrl->pool.commands[i].ranges);
    }
    free(ctrl->pool.commands);
}

void commands_drop_all(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        if (!ctrl->pool.commands[i].in_use)
            continue;
        ctrl->pool.commands[i].in_use = false;
        command_detach(&ctrl->pool.commands[i]);
    }
    ctrl->pool.fused_alone = 0;
    if (ctrl->health.busy)
        health_busy_ends(ctrl);
    refill(ctrl);
}

void command_detach(struct command *cmd)
{
    cmd->generation++;
}

void command_take_credit(struct ctrl *ctrl, struct command *cmd, enum command_credit credit)
{
    cmd->credit = (uint8_t)credit;
    if (credit == CREDIT_ADMIN)
        ctrl->pool.admin_credits--;
    else if (ctrl->pool.io_credits-- == ctrl->pool.io_credits_max)
        health_busy_begins(ctrl);
}

struct command *command_take(struct ctrl *ctrl, enum command_credit credit)
{
    struct command *cmd = &ctrl->pool.commands[ctrl->pool.free_first];

    ctrl->pool.free_first = cmd->next;
    command_take_credit(ctrl, cmd, credit);
    cmd->in_use = true;
    /* Until it is decoded it is nobody's that anything could end; its last use may have left both.
     */
    cmd->kind = COMMAND_PLAIN;
    cmd->abortable = false;
    return cmd;
}

void command_return_credit(struct ctrl *ctrl, struct command *cmd)
{
    if (cmd->credit == CREDIT_IO) {
        if (++ctrl->pool.io_credits == ctrl->pool.io_credits_max)
            health_busy_ends(ctrl);
    } else if (cmd->credit == CREDIT_ADMIN) {
        ctrl->pool.admin_credits++;
    } else {
        return;
    }
    cmd->credit = CREDIT_NONE;
    if (ctrl->fetch.lines_busy != 0)
        fetch_run(ctrl);
}

void command_release(struct ctrl *ctrl, struct command *cmd)
{
    command_detach(cmd);
    cmd->in_use = false;
    cmd->next = ctrl->pool.free_first;
    ctrl->pool.free_first = cmd->index;
    command_return_credit(ctrl, cmd);
}

struct command *command_find(struct ctrl *ctrl, uint64_t arg)
{
    struct command *cmd = &ctrl->pool.commands[(uint32_t)arg];

    return cmd->generation == arg >> 32 ? cmd : NULL;
}

uint16_t command_execute(struct ctrl *ctrl, struct command *cmd)
{
    return cmd->sqid == 0 ? admin_execute(ctrl, cmd) : nvm_execute(ctrl, cmd);
}

/* inline, like command_data_ready(): part of every command (see pcie_up_write() in pcie/port.c) */
inline void command_begin(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status;

    if (__builtin_expect((cmd->flags & SQE_PSDT_MASK) != 0, 0) && !sgl_is_allowed(ctrl, cmd)) {
        fused_refused(ctrl, cmd);
        status = STATUS_INVALID_FIELD;
    } else if ((cmd->flags & SQE_FUSE_MASK) != 0 || ctrl->pool.fused_alone != 0)
        status = fused_decoded(ctrl, cmd);
    else
        status = command_execute(ctrl, cmd);
    if (status != COMMAND_GOES_ON)
        complete_command(ctrl, cmd, status);
}

static void command_decoded(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return;
    if (ctrl->queues.watch_decode && !watch_decoded(ctrl, cmd))
        return;
    if (ctrl->faults.count == 0 || fault_decoded(ctrl, cmd))
        command_begin(ctrl, cmd);
}

/* Operands c and d of RECORD_COMMAND; only computed when somebody reads them. */
static void record_command(struct ctrl *ctrl, const struct command *cmd, uint64_t now_ps,
                           const uint8_t *sqe)
{
    bool has_range =
        cmd->sqid != 0 && cmd->opcode != NVM_FLUSH && cmd->opcode != NVM_DATASET_MANAGEMENT;
    uint64_t blocks = has_range ? (uint64_t)(cmd->cdw[2] & 0xffffu) + 1 : 0;
    uint64_t what = cmd->cdw[0];

    if (cmd->sqid != 0)
        what = has_range ? cmd->cdw[0] | (uint64_t)cmd->cdw[1] << 32 : 0;
    RECORD_EMIT_DATA(ctrl->stream, now_ps, ctrl->index, RECORD_COMMAND, cmd->opcode,
                     command_name(cmd), what, (uint64_t)cmd->nsid << 32 | blocks, sqe);
}

void command_arrived(struct ctrl *ctrl, struct command *cmd, const uint8_t *sqe)
{
    uint64_t now_ps = engine_now(ctrl->engine);
    uint64_t decoded_ps;

    cmd->opcode = sqe[SQE_OPCODE];
    cmd->flags = sqe[SQE_FLAGS];
    cmd->cid = wire_get16(sqe + SQE_CID);
    cmd->nsid = wire_get32(sqe + SQE_NSID);
    cmd->prp1 = wire_get64(sqe + SQE_PRP1);
    cmd->prp2 = wire_get64(sqe + SQE_PRP2);
    for (unsigned i = 0; i < 6; i++)
        cmd->cdw[i] = wire_get32(sqe + SQE_CDW10 + 4 * i);
    cmd->is_abort = false;
    cmd->dw0 = 0;
    cmd->slba = 0;
    cmd->blocks = 0;
    cmd->bytes = 0;
    cmd->data.count = 0;
    cmd->data.apart = cmd->data.mixed = false;
    cmd->step = cmd->step_count = 0;
    cmd->partner = NOT_FUSED;
    cmd->fault = NULL;
    if (cmd->sqid == 0)
        ctrl->stats.admin_commands++;
    else
        ctrl->stats.commands++;
    record_stage(ctrl, cmd, STAGE_DOORBELL, cmd->rung_ps);
    record_stage(ctrl, cmd, STAGE_FETCH, cmd->fetch_ps);
    if (stream_wants(ctrl->stream, RECORD_COMMAND))
        record_command(ctrl, cmd, now_ps, sqe);
    record_stage(ctrl, cmd, STAGE_DECODE, now_ps);

    decoded_ps =
        later(now_ps, ctrl->pool.decode_free_ps) + clock_cost(&ctrl->clock, ctrl->params.decode);
    ctrl->pool.decode_free_ps = decoded_ps;
    engine_at(ctrl->engine, decoded_ps, command_decoded, ctrl, command_arg(cmd));
}

inline void command_data_ready(struct ctrl *ctrl, struct command *cmd)
{
    switch ((enum command_kind)cmd->kind) {
    case COMMAND_READ:
    case COMMAND_COMPARE: /* what is there first: the host's data is compared as it comes */
        nvm_media_next(ctrl, cmd);
        break;
    case COMMAND_WRITE:
    case COMMAND_RANGES:
    case COMMAND_ADMIN_OUT:
        transfer_in_start(ctrl, cmd);
        break;
    case COMMAND_QUEUE_PAGES:
        complete_command(ctrl, cmd, admin_queue_pages_known(ctrl, cmd));
        break;
    default:
        transfer_out_start(ctrl, cmd);
        break;
    }
}
