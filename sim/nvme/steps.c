/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps of a command on the medium, one after the other, what each does to the namespace, and
 * blocks that cannot be read (NVMe 1.4 sections 6.9, 6.16; recovery: 5.21.1.5).
 */
#include "nvme/internal.h"

static void recovery_failed(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd != NULL)
        complete_command(ctrl, cmd, STATUS_UNRECOVERED_READ);
}

/* A block cannot be read. The controller tries for as long as its own recovery takes, the host's
 * Time Limited Error Recovery allows (5.21.1.5) and Limited Retry does not forbid (6.9). */
static void recover(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t effort_ps = ctrl->params.read_recovery;
    uint64_t limit_ps = features_recovery_limit_ps(ctrl, cmd->nsid);

    ctrl->stats.media_errors++;
    if (limit_ps != 0 && limit_ps < effort_ps)
        effort_ps = limit_ps;
    if ((cmd->cdw[2] & NVM_CDW12_LIMITED_RETRY) != 0)
        effort_ps = 0;
    cmd->abortable = true;
    engine_after(ctrl->engine, effort_ps, recovery_failed, ctrl, command_arg(cmd));
}

static void zero(struct command *cmd)
{
    store_zero(cmd->ns->store, namespace_unit(cmd->ns, cmd->slba),
               (uint64_t)cmd->blocks << cmd->ns->units_per_block_log2);
    namespace_made_readable(cmd->ns, cmd->slba, cmd->blocks);
}

/* What a step other than the reading one does to the namespace, now that it has ended. */
static void take_effect(struct command *cmd)
{
    switch ((enum command_kind)cmd->kind) {
    case COMMAND_ZERO:
    case COMMAND_RANGES:
        zero(cmd);
        break;
    case COMMAND_UNCORRECTABLE:
        rangeset_add(&cmd->ns->uncorrectable, cmd->slba, cmd->blocks);
        break;
    default:
        break;
    }
}

static void media_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);
    enum media_op op;

    if (cmd == NULL)
        return;
    cmd->abortable = false;
    if (cmd->media_start_ps > cmd->media_call_ps)
        record_stage(ctrl, cmd, STAGE_MEDIA_WAIT, cmd->media_call_ps);
    record_stage(ctrl, cmd, STAGE_MEDIA, cmd->media_start_ps);
    op = (enum media_op)cmd->steps[cmd->step - 1];
    if (op == MEDIA_READ || op == MEDIA_VERIFY) {
        if (cmd->ns->uncorrectable.count != 0 &&
            rangeset_touches(&cmd->ns->uncorrectable, cmd->slba, cmd->blocks, NULL)) {
            recover(ctrl, cmd);
            return;
        }
    } else if (op != MEDIA_FLUSH) {
        take_effect(cmd);
    }
    nvm_media_next(ctrl, cmd);
}

/* The medium has done all that it had to. */
static void steps_done(struct ctrl *ctrl, struct command *cmd)
{
    if (cmd->kind == COMMAND_READ) {
        transfer_out_start(ctrl, cmd);
        return;
    }
    if (cmd->kind == COMMAND_COMPARE) {
        transfer_in_start(ctrl, cmd);
        return;
    }
    if (cmd->sqid == 0) /* Set Features, the only admin command that uses the medium */
        features_cache_drained(ctrl, cmd);
    complete_command(ctrl, cmd, STATUS_SUCCESS);
}

void nvm_media_next(struct ctrl *ctrl, struct command *cmd)
{
    enum media_op op;
    uint64_t at;

    if (cmd->kind == COMMAND_RANGES && cmd->step == cmd->step_count &&
        deallocate_next(ctrl, cmd, &op)) {
        cmd->step = cmd->step_count = 0;
        command_add_step(cmd, op);
    }
    if (cmd->step == cmd->step_count) {
        steps_done(ctrl, cmd);
        return;
    }
    op = (enum media_op)cmd->steps[cmd->step++];
    at = op == MEDIA_FLUSH ? 0 : cmd->ns->media_at + (cmd->slba << cmd->ns->block_log2);
    cmd->media_call_ps = engine_now(ctrl->engine);
    cmd->abortable = true;
    media_start(ctrl->media, op, at, op == MEDIA_FLUSH ? 0 : cmd->bytes, media_done, ctrl,
                command_arg(cmd), &cmd->media_start_ps);
}
