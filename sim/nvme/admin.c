/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Admin commands (NVMe 1.4 section 5): dispatch, and Abort. Queues are in queue_admin.c, features,
 * identify pages, log pages and asynchronous events in files of their own. All other opcodes are
 * not supported and say so.
 */
#include "nvme/internal.h"

#define ABORT_NOT_ABORTED 1u /* dword 0 bit 0 (5.1.1) */

/* An I/O command that waits for a PRP list or the medium can be ended early; what the medium does
 * for it goes on without effect. Rare enough for a walk over the contexts. */
static struct command *find_abortable(struct ctrl *ctrl, uint16_t sqid, uint16_t cid)
{
    for (uint32_t i = 0; i < ctrl->pool.count; i++) {
        struct command *cmd = &ctrl->pool.commands[i];

        if (cmd->in_use && cmd->abortable && cmd->sqid == sqid && cmd->cid == cid)
            return cmd;
    }
    return NULL;
}

static uint16_t abort_command(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t sqid = (uint16_t)cmd->cdw[0];
    uint16_t cid = (uint16_t)(cmd->cdw[0] >> 16);
    struct command *victim;

    if (ctrl->pool.aborts_running > ctrl->params.acl)
        return STATUS_ABORT_LIMIT;
    ctrl->pool.aborts_running++;
    cmd->is_abort = true;
    cmd->dw0 = 0;
    if (sqid == 0 && async_abort(ctrl, cid))
        return STATUS_SUCCESS;
    victim = find_abortable(ctrl, sqid, cid);
    if (victim == NULL) {
        cmd->dw0 = ABORT_NOT_ABORTED;
        return STATUS_SUCCESS;
    }
    command_detach(victim);
    complete_command(ctrl, victim, STATUS_ABORT_REQUESTED);
    return STATUS_SUCCESS;
}

uint16_t admin_execute(struct ctrl *ctrl, struct command *cmd)
{
    switch (cmd->opcode) {
    case ADMIN_DELETE_SQ:
    case ADMIN_CREATE_SQ:
    case ADMIN_DELETE_CQ:
    case ADMIN_CREATE_CQ:
        return queue_admin_execute(ctrl, cmd);
    case ADMIN_GET_LOG_PAGE:
        return log_start(ctrl, cmd);
    case ADMIN_IDENTIFY:
        return identify_start(ctrl, cmd);
    case ADMIN_ABORT:
        return abort_command(ctrl, cmd);
    case ADMIN_SET_FEATURES:
        return features_set(ctrl, cmd);
    case ADMIN_GET_FEATURES:
        return features_get(ctrl, cmd);
    case ADMIN_ASYNC_EVENT:
        return async_request(ctrl, cmd);
    case ADMIN_NS_MANAGEMENT:
    case ADMIN_NS_ATTACHMENT:
        return nsmgmt_execute(ctrl, cmd);
    case ADMIN_FORMAT_NVM:
        return format_execute(ctrl, cmd);
    case ADMIN_DOORBELL_BUFFER:
        return shadow_configure(ctrl, cmd);
    default:
        return STATUS_INVALID_OPCODE;
    }
}

void admin_data_arrived(struct ctrl *ctrl, struct command *cmd)
{
    struct transfer_data data;
    uint16_t status = transfer_in_take(ctrl, cmd, &data);

    if (status == STATUS_SUCCESS) {
        switch (cmd->opcode) {
        case ADMIN_NS_MANAGEMENT:
        case ADMIN_NS_ATTACHMENT:
            status = nsmgmt_data_arrived(ctrl, cmd, data.bytes);
            break;
        default:
            status = STATUS_INVALID_OPCODE;
            break;
        }
    }
    if (status != COMMAND_GOES_ON)
        complete_command(ctrl, cmd, status);
}
