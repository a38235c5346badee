/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dataset Management (NVMe 1.4 section 6.7). All ranges are checked before any is deallocated, so a
 * command that fails has changed nothing. Deallocated blocks read as zeroes (Identify DLFEAT). The
 * hints about access, and commands without the Deallocate attribute, have no effect.
 */
#include "nvme/internal.h"

/* One step on the medium takes at most so many bytes. */
#define STEP_BYTES_MAX (UINT64_C(1) << 30)

uint16_t deallocate_start(struct ctrl *ctrl, struct command *cmd)
{
    cmd->ns = namespace_find(ctrl, cmd->nsid);
    if (cmd->ns == NULL)
        return namespace_missing(ctrl, cmd->nsid);
    ctrl->stats.deallocates++;
    cmd->kind = COMMAND_RANGES;
    cmd->range_count = DSM_RANGES(cmd->cdw[0]);
    cmd->range_at = 0;
    cmd->bytes = cmd->range_count * DSM_RANGE_BYTES;
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

uint16_t deallocate_ranges_arrived(struct ctrl *ctrl, struct command *cmd)
{
    const uint64_t blocks = cmd->ns->blocks;
    struct transfer_data data;
    uint16_t status = transfer_in_take(ctrl, cmd, &data);

    if (status != STATUS_SUCCESS)
        return status;
    if (cmd->ranges == NULL)
        cmd->ranges = ctrl_allocate(DSM_RANGES(0xff), sizeof *cmd->ranges);
    for (uint32_t i = 0; i < cmd->range_count; i++) {
        const uint8_t *at = data.bytes + (size_t)i * DSM_RANGE_BYTES;
        struct block_range *range = &cmd->ranges[i];

        /* 6.7: context attributes, length in blocks (not 0's based), first block */
        range->count = wire_get32(at + 4);
        range->first = wire_get64(at + 8);
        if (range->first > blocks || range->count > blocks - range->first)
            return STATUS_LBA_OUT_OF_RANGE;
    }
    if ((cmd->cdw[1] & DSM_CDW11_DEALLOCATE) == 0)
        return STATUS_SUCCESS;
    nvm_media_next(ctrl, cmd);
    return COMMAND_GOES_ON;
}

/* The blocks must stay deallocated (6.7.1.1): with the cache off, one flush comes behind the last
 * range. */
static bool flush_is_left(const struct ctrl *ctrl, struct command *cmd)
{
    if (cmd->range_at > cmd->range_count || !ctrl->params.vwc || features_cache_on(ctrl))
        return false;
    cmd->range_at = cmd->range_count + 1;
    return true;
}

bool deallocate_next(const struct ctrl *ctrl, struct command *cmd, enum media_op *op)
{
    uint64_t most = STEP_BYTES_MAX >> cmd->ns->block_log2;

    *op = MEDIA_TRIM;

    while (cmd->range_at < cmd->range_count) {
        struct block_range *range = &cmd->ranges[cmd->range_at];

        if (range->count == 0) {
            cmd->range_at++;
            continue;
        }
        cmd->slba = range->first;
        cmd->blocks = (uint32_t)(range->count < most ? range->count : most);
        cmd->bytes = cmd->blocks << cmd->ns->block_log2;
        range->first += cmd->blocks;
        range->count -= cmd->blocks;
        return true;
    }
    *op = MEDIA_FLUSH;
    return flush_is_left(ctrl, cmd);
}
