/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The NVM commands Read, Write, Flush and Write Zeroes (NVMe 1.4 section 6): checks in the order
 * opcode, namespace, length, range, and then the steps on the medium. With a volatile write cache
 * that is on, Flush reaches the medium, a FUA write is followed and a FUA read preceded by a flush;
 * with the cache turned off (5.21.1.6) every write that reaches the medium from then on is followed
 * by one, and Flush by none once the cache is known to be empty; without a cache (VWC = 0)
 * neither Flush nor FUA mean anything. Data of a write is in the store once it has arrived: until
 * its completion, a read of the same blocks may return old or new data, as the standard allows.
 */
#include "nvme/internal.h"

static void add_step(struct command *cmd, enum media_op op)
{
    cmd->steps[cmd->step_count++] = (uint8_t)op;
}

static uint16_t check_range(const struct ctrl *ctrl, struct command *cmd)
{
    const struct namespace *ns = cmd->ns = namespace_find(ctrl, cmd->nsid);

    if (ns == NULL)
        return STATUS_INVALID_NAMESPACE;
    cmd->slba = cmd->cdw[0] | (uint64_t)cmd->cdw[1] << 32;
    cmd->blocks = (cmd->cdw[2] & 0xffffu) + 1;
    cmd->bytes = cmd->blocks << ns->block_log2;
    /* MDTS bounds commands that transfer data (5.15.2.1). */
    if (cmd->opcode != NVM_WRITE_ZEROES && ctrl->transfer.max_bytes != 0 &&
        cmd->bytes > ctrl->transfer.max_bytes)
        return STATUS_INVALID_FIELD;
    if (cmd->slba > ns->blocks || cmd->blocks > ns->blocks - cmd->slba)
        return STATUS_LBA_OUT_OF_RANGE;
    return STATUS_SUCCESS;
}

/* Is this write on non-volatile media only after a flush? */
static bool needs_flush(const struct ctrl *ctrl, const struct command *cmd)
{
    if (!ctrl->params.vwc)
        return false;
    return (cmd->cdw[2] & NVM_CDW12_FUA) != 0 || !features_cache_on(ctrl);
}

static uint16_t start_read(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.reads++;
    ctrl->stats.bytes_read += cmd->bytes;
    cmd->kind = COMMAND_READ;
    if ((cmd->cdw[2] & NVM_CDW12_FUA) != 0 && features_cache_may_hold(ctrl))
        add_step(cmd, MEDIA_FLUSH);
    add_step(cmd, MEDIA_READ);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

static uint16_t start_write(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.writes++;
    ctrl->stats.bytes_written += cmd->bytes;
    cmd->kind = COMMAND_WRITE;
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

/* The cache may have been turned off while the data was on its way; the flush of that Set Features
 * covers only writes that the medium knew before it. */
void nvm_write_data_arrived(struct ctrl *ctrl, struct command *cmd)
{
    add_step(cmd, MEDIA_WRITE);
    if (needs_flush(ctrl, cmd))
        add_step(cmd, MEDIA_FLUSH);
    nvm_media_next(ctrl, cmd);
}

static uint16_t start_write_zeroes(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.write_zeroes++;
    cmd->kind = COMMAND_ZERO;
    add_step(cmd, MEDIA_ZERO);
    if (needs_flush(ctrl, cmd))
        add_step(cmd, MEDIA_FLUSH);
    nvm_media_next(ctrl, cmd);
    return COMMAND_GOES_ON;
}

bool nvm_flush_takes_all(const struct ctrl *ctrl)
{
    return ctrl->regs.vs >= VS_1_4;
}

void nvm_start_media_flush(struct ctrl *ctrl, struct command *cmd)
{
    cmd->kind = COMMAND_FLUSH;
    add_step(cmd, MEDIA_FLUSH);
    nvm_media_next(ctrl, cmd);
}

static uint16_t start_flush(struct ctrl *ctrl, struct command *cmd)
{
    /* Identify VWC bits 2:1 say whether Flush takes the broadcast value (6.8). */
    if (namespace_find(ctrl, cmd->nsid) == NULL &&
        !(cmd->nsid == NSID_ALL && nvm_flush_takes_all(ctrl)))
        return STATUS_INVALID_NAMESPACE;
    ctrl->stats.flushes++;
    if (!features_cache_may_hold(ctrl))
        return STATUS_SUCCESS;
    nvm_start_media_flush(ctrl, cmd);
    return COMMAND_GOES_ON;
}

uint16_t nvm_execute(struct ctrl *ctrl, struct command *cmd)
{
    if (ctrl->life.admin_only) /* CC.CSS = 111b: no I/O command set (3.1.5) */
        return STATUS_INVALID_OPCODE;
    switch (cmd->opcode) {
    case NVM_FLUSH:
        return start_flush(ctrl, cmd);
    case NVM_WRITE:
        return start_write(ctrl, cmd);
    case NVM_READ:
        return start_read(ctrl, cmd);
    case NVM_WRITE_ZEROES:
        return start_write_zeroes(ctrl, cmd);
    default:
        return STATUS_INVALID_OPCODE;
    }
}

static void media_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return;
    cmd->abortable = false;
    if (cmd->media_start_ps > cmd->media_call_ps)
        record_stage(ctrl, cmd, STAGE_MEDIA_WAIT, cmd->media_call_ps);
    record_stage(ctrl, cmd, STAGE_MEDIA, cmd->media_start_ps);
    if (cmd->steps[cmd->step - 1] == MEDIA_ZERO)
        store_zero(cmd->ns->store, cmd->slba << cmd->ns->units_per_block_log2,
                   (uint64_t)cmd->blocks << cmd->ns->units_per_block_log2);
    nvm_media_next(ctrl, cmd);
}

void nvm_media_next(struct ctrl *ctrl, struct command *cmd)
{
    enum media_op op;
    uint64_t at;

    if (cmd->step == cmd->step_count) {
        if (cmd->kind == COMMAND_READ) {
            transfer_out_start(ctrl, cmd);
            return;
        }
        if (cmd->sqid == 0) /* Set Features, the only admin command that uses the medium */
            features_cache_drained(ctrl, cmd);
        complete_command(ctrl, cmd, STATUS_SUCCESS);
        return;
    }
    op = (enum media_op)cmd->steps[cmd->step++];
    cmd->media_call_ps = engine_now(ctrl->engine);
    cmd->abortable = true;
    at = op == MEDIA_FLUSH ? 0 : cmd->ns->media_at + (cmd->slba << cmd->ns->block_log2);
    media_start(ctrl->media, op, at, op == MEDIA_FLUSH ? 0 : cmd->bytes, media_done, ctrl,
                command_arg(cmd), &cmd->media_start_ps);
}
