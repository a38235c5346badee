/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Admin commands (NVMe 1.4 section 5): dispatch, and Abort. Queues are in queue_admin.c, features,
 * identify pages, log pages, asynchronous events, firmware, self-test and keep alive in files of
 * their own. Opcodes without a row, or whose row this controller has not, are Invalid Opcode.
 */
#include "nvme/feature_hooks.h"
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

/* Opcode, effects (5.14.1.5), supported, run, data to the host, data from the host. */
const struct opcode_row admin_rows[] = {
    {ADMIN_DELETE_SQ, 0, NULL, queue_admin_execute, NULL, NULL},
    {ADMIN_CREATE_SQ, 0, NULL, queue_admin_execute, NULL, NULL},
    {ADMIN_GET_LOG_PAGE, 0, NULL, log_start, log_fill, NULL},
    {ADMIN_DELETE_CQ, 0, NULL, queue_admin_execute, NULL, NULL},
    {ADMIN_CREATE_CQ, 0, NULL, queue_admin_execute, NULL, NULL},
    {ADMIN_IDENTIFY, 0, NULL, identify_start, identify_fill, NULL},
    {ADMIN_ABORT, 0, NULL, abort_command, NULL, NULL},
    {ADMIN_SET_FEATURES, EFFECT_CONTROLLER, NULL, features_set, NULL, features_take},
    {ADMIN_GET_FEATURES, 0, NULL, features_get, features_fill, NULL},
    {ADMIN_ASYNC_EVENT, 0, NULL, async_request, NULL, NULL},
    {ADMIN_NS_MANAGEMENT, EFFECT_NAMESPACE_LIST | EFFECT_ALONE, nsmgmt_exists, nsmgmt_execute, NULL,
     nsmgmt_data_arrived},
    {ADMIN_FIRMWARE_COMMIT, EFFECT_CONTROLLER, firmware_is_updatable, firmware_commit, NULL, NULL},
    {ADMIN_FIRMWARE_DOWNLOAD, 0, firmware_is_updatable, firmware_download, NULL, firmware_take},
    {ADMIN_SELF_TEST, 0, selftest_exists, selftest_execute, NULL, NULL},
    {ADMIN_NS_ATTACHMENT, EFFECT_NAMESPACE_LIST | EFFECT_ALONE, nsmgmt_exists, nsmgmt_execute, NULL,
     nsmgmt_data_arrived},
    {ADMIN_KEEP_ALIVE, 0, keep_alive_exists, keep_alive_execute, NULL, NULL},
    {ADMIN_DOORBELL_BUFFER, 0, shadow_exists, shadow_configure, NULL, NULL},
    {ADMIN_FORMAT_NVM, EFFECT_LOGICAL_BLOCKS | EFFECT_NAMESPACE | EFFECT_ALONE_IN_NAMESPACE,
     format_is_of_one, format_execute, NULL, NULL},
    {ADMIN_FORMAT_NVM, EFFECT_LOGICAL_BLOCKS | EFFECT_NAMESPACE | EFFECT_ALONE, format_is_of_all,
     format_execute, NULL, NULL},
};
const size_t admin_row_count = sizeof admin_rows / sizeof admin_rows[0];

uint16_t admin_execute(struct ctrl *ctrl, struct command *cmd)
{
    const struct opcode_row *row = ctrl->opcodes.admin[cmd->opcode];

    return row == NULL ? STATUS_INVALID_OPCODE : row->run(ctrl, cmd);
}

void admin_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes)
{
    ctrl->opcodes.admin[cmd->opcode]->fill(ctrl, cmd, bytes);
}

void admin_sent(struct ctrl *ctrl, const struct command *cmd)
{
    if (cmd->opcode == ADMIN_GET_LOG_PAGE)
        log_sent(ctrl, cmd);
}

void admin_data_arrived(struct ctrl *ctrl, struct command *cmd)
{
    struct transfer_data data;
    uint16_t status = transfer_in_take(ctrl, cmd, &data);

    if (status == STATUS_SUCCESS)
        status = ctrl->opcodes.admin[cmd->opcode]->take(ctrl, cmd, data.bytes);
    if (status != COMMAND_GOES_ON)
        complete_command(ctrl, cmd, status);
}
