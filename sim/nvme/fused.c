/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fused operations (NVMe 1.4 sections 4.12 and 6.2): Compare and Write, two neighbours of one
 * submission queue. The first half waits, decoded, until the next command of its queue is decoded;
 * then both go their ways until the host's data of both is there, and at that moment the comparison
 * is made and the write takes effect: nothing comes between. What ends one half ends the other:
 * - no second half behind a first: the first ends with Missing Fused Command, and so does a second
 *   half without a first;
 * - halves that do not fit each other (other opcodes, other ranges) both end with Invalid Field;
 * - a half that fails, or is aborted, ends the other with Failed Fused Command;
 * - a first half that is decoded when its queue is being deleted or the controller shut down does
 *   not wait: nobody will fetch a second one;
 * - the completion of the first half is always in front of the second's.
 */
#include "nvme/internal.h"

static struct command *partner_of(struct ctrl *ctrl, const struct command *cmd)
{
    return &ctrl->pool.commands[cmd->partner];
}

static uint32_t fuse(const struct command *cmd)
{
    return cmd->flags & SQE_FUSE_MASK;
}

void fused_abandon(struct ctrl *ctrl, uint16_t sqid, uint16_t status)
{
    uint32_t first = ctrl->queues.sqs[sqid].fused_first;

    if (first != NO_COMMAND)
        complete_command(ctrl, &ctrl->pool.commands[first], status);
}

void fused_refused(struct ctrl *ctrl, const struct command *cmd)
{
    if (ctrl->pool.fused_alone != 0)
        fused_abandon(ctrl, cmd->sqid,
                      fuse(cmd) == FUSE_SECOND ? STATUS_ABORTED_FAILED_FUSED
                                               : STATUS_ABORTED_MISSING_FUSED);
}

static uint16_t hold_first(struct ctrl *ctrl, struct command *cmd)
{
    if (ctrl->queues.sqs[cmd->sqid].deleting)
        return STATUS_ABORTED_SQ_DELETION;
    if (!ctrl_is_running(ctrl))
        return STATUS_ABORTED_MISSING_FUSED;
    ctrl->queues.sqs[cmd->sqid].fused_first = cmd->index;
    ctrl->pool.fused_alone++;
    cmd->partner = FUSED_ALONE;
    cmd->abortable = true;
    /* What waits for another command must not keep that from being fetched. */
    command_return_credit(ctrl, cmd);
    return COMMAND_GOES_ON;
}

static void release_first(struct ctrl *ctrl, struct command *first)
{
    ctrl->queues.sqs[first->sqid].fused_first = NO_COMMAND;
    ctrl->pool.fused_alone--;
    first->partner = NOT_FUSED;
    first->abortable = false;
    /* It works again, and counts, even if that is one too many for now. */
    command_take_credit(ctrl, first, CREDIT_IO);
}

static bool fit(const struct command *first, const struct command *second)
{
    const uint32_t length = 0xffff;

    return first->opcode == NVM_COMPARE && second->opcode == NVM_WRITE &&
           first->nsid == second->nsid && first->cdw[0] == second->cdw[0] &&
           first->cdw[1] == second->cdw[1] && (first->cdw[2] & length) == (second->cdw[2] & length);
}

/* first has been held: both halves are there. */
static uint16_t start_pair(struct ctrl *ctrl, struct command *first, struct command *second)
{
    uint64_t first_arg = command_arg(first);
    uint64_t second_arg = command_arg(second);
    uint16_t status;

    if (!fit(first, second)) {
        complete_command(ctrl, first, STATUS_INVALID_FIELD);
        return STATUS_INVALID_FIELD;
    }
    first->partner = second->index;
    second->partner = first->index;
    first->fused_ready = second->fused_ready = false;
    status = command_execute(ctrl, first);
    if (status != COMMAND_GOES_ON)
        complete_command(ctrl, first, status);
    /* That, or a data pointer that cannot be, has ended both. */
    if (command_find(ctrl, first_arg) == NULL || command_find(ctrl, second_arg) == NULL ||
        second->partner == NOT_FUSED)
        return COMMAND_GOES_ON;
    return command_execute(ctrl, second);
}

uint16_t fused_decoded(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t held = ctrl->queues.sqs[cmd->sqid].fused_first;
    struct command *first = held == NO_COMMAND ? NULL : &ctrl->pool.commands[held];

    if (first != NULL && fuse(cmd) != FUSE_SECOND) {
        complete_command(ctrl, first, STATUS_ABORTED_MISSING_FUSED);
        first = NULL;
    }
    switch (fuse(cmd)) {
    case FUSE_NONE:
        return command_execute(ctrl, cmd);
    case FUSE_FIRST:
        if (cmd->sqid == 0 || !ctrl->params.fused)
            return STATUS_INVALID_FIELD;
        return hold_first(ctrl, cmd);
    case FUSE_SECOND:
        if (cmd->sqid == 0 || !ctrl->params.fused)
            return STATUS_INVALID_FIELD;
        if (first == NULL)
            return STATUS_ABORTED_MISSING_FUSED;
        release_first(ctrl, first);
        return start_pair(ctrl, first, cmd);
    default:
        return STATUS_INVALID_FIELD;
    }
}

void fused_data_arrived(struct ctrl *ctrl, struct command *cmd)
{
    struct command *other = partner_of(ctrl, cmd);
    struct command *first = fuse(cmd) == FUSE_FIRST ? cmd : other;
    struct command *second = first == cmd ? other : cmd;
    uint16_t status;

    cmd->fused_ready = true;
    if (!other->fused_ready)
        return;
    status = compare_take(ctrl, first);
    if (status != STATUS_SUCCESS) {
        complete_command(ctrl, first, status);
        return;
    }
    status = nvm_write_take(ctrl, second);
    if (status != STATUS_SUCCESS) {
        complete_command(ctrl, second, status);
        return;
    }
    first->partner = second->partner = NOT_FUSED;
    complete_command(ctrl, first, STATUS_SUCCESS);
    nvm_media_next(ctrl, second);
}

void fused_end(struct ctrl *ctrl, struct command *cmd, uint16_t status)
{
    struct command *other;

    if (cmd->partner == FUSED_ALONE) {
        release_first(ctrl, cmd);
        complete_command(ctrl, cmd, status);
        return;
    }
    other = partner_of(ctrl, cmd);
    cmd->partner = other->partner = NOT_FUSED;
    command_detach(other);
    if (fuse(cmd) == FUSE_FIRST) {
        complete_command(ctrl, cmd, status);
        complete_command(ctrl, other, STATUS_ABORTED_FAILED_FUSED);
    } else {
        complete_command(ctrl, other, STATUS_ABORTED_FAILED_FUSED);
        complete_command(ctrl, cmd, status);
    }
}
