/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The NVM commands (NVMe 1.4 section 6): checks in the order opcode, namespace, length, range, and
 * then the steps on the medium. With a volatile write cache that is on, Flush reaches the medium, a
 * FUA write is followed and a FUA read preceded by a flush; with the cache turned off (5.21.1.6)
 * every write that reaches the medium from then on is followed by one, and Flush by none once the
 * cache is known to be empty; without a cache (VWC = 0) neither Flush nor FUA mean anything. Data
 * of a write is in the store once it has arrived: until its completion, a read of the same blocks
 * may return old or new data, as the standard allows. Blocks that Write Uncorrectable marked cannot
 * be read until they are written, zeroed or deallocated. Compare, fused operations and Dataset
 * Management are in files of their own.
 */
#include "engine/pattern.h"
#include "nvme/internal.h"

/* MDTS bounds commands that transfer data of blocks (5.15.2.2). */
static bool transfers(uint8_t opcode)
{
    return opcode == NVM_READ || opcode == NVM_WRITE || opcode == NVM_COMPARE;
}

uint16_t nvm_check_range(const struct ctrl *ctrl, struct command *cmd)
{
    const struct namespace *ns = cmd->ns = namespace_find(ctrl, cmd->nsid);

    if (ns == NULL)
        return namespace_missing(ctrl, cmd->nsid);
    cmd->slba = cmd->cdw[0] | (uint64_t)cmd->cdw[1] << 32;
    cmd->blocks = (cmd->cdw[2] & 0xffffu) + 1;
    cmd->bytes = cmd->blocks << ns->block_log2;
    if (transfers(cmd->opcode) && ctrl->transfer.max_bytes != 0 &&
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

/* FUA: what is read is on non-volatile media (6.6, 6.9, 6.14). */
void nvm_add_read_steps(const struct ctrl *ctrl, struct command *cmd, enum media_op op)
{
    if ((cmd->cdw[2] & NVM_CDW12_FUA) != 0 && features_cache_may_hold(ctrl))
        command_add_step(cmd, MEDIA_FLUSH);
    command_add_step(cmd, op);
}

static uint16_t start_read(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = nvm_check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.reads++;
    ctrl->stats.bytes_read += cmd->bytes;
    cmd->kind = COMMAND_READ;
    nvm_add_read_steps(ctrl, cmd, MEDIA_READ);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

static uint16_t start_write(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = nvm_check_range(ctrl, cmd);

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
static void add_write_steps(struct ctrl *ctrl, struct command *cmd, enum media_op op)
{
    command_add_step(cmd, op);
    if (needs_flush(ctrl, cmd))
        command_add_step(cmd, MEDIA_FLUSH);
}

/* One bit of the first block is wrong. */
static void damage(struct store *store, uint64_t unit)
{
    uint8_t bytes[PATTERN_BYTES];

    store_get_bytes(store, unit, bytes, 1);
    bytes[0] ^= 1;
    store_put_bytes(store, unit, bytes, 1);
}

uint16_t nvm_write_take(struct ctrl *ctrl, struct command *cmd)
{
    struct transfer_data data;
    uint64_t unit = namespace_unit(cmd->ns, cmd->slba);
    uint32_t units = cmd->blocks << cmd->ns->units_per_block_log2;
    uint16_t status = transfer_in_take(ctrl, cmd, &data);

    if (status != STATUS_SUCCESS)
        return status;
    if (data.tags != NULL)
        store_put_tags(cmd->ns->store, unit, data.tags, units);
    else
        store_put_bytes(cmd->ns->store, unit, data.bytes, units);
    if (fault_corrupts(cmd))
        damage(cmd->ns->store, unit);
    namespace_made_readable(cmd->ns, cmd->slba, cmd->blocks);
    add_write_steps(ctrl, cmd, MEDIA_WRITE);
    return STATUS_SUCCESS;
}

void nvm_data_arrived(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status;

    if (cmd->partner != NOT_FUSED) {
        fused_data_arrived(ctrl, cmd);
        return;
    }
    switch ((enum command_kind)cmd->kind) {
    case COMMAND_COMPARE:
        status = compare_take(ctrl, cmd);
        break;
    case COMMAND_RANGES:
        status = deallocate_ranges_arrived(ctrl, cmd);
        break;
    default:
        status = nvm_write_take(ctrl, cmd);
        if (status == STATUS_SUCCESS) {
            nvm_media_next(ctrl, cmd);
            return;
        }
        break;
    }
    if (status != COMMAND_GOES_ON)
        complete_command(ctrl, cmd, status);
}

/* Write Zeroes, with or without leave to deallocate (6.17). */
static uint16_t start_write_zeroes(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = nvm_check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.write_zeroes++;
    cmd->kind = COMMAND_ZERO;
    add_write_steps(ctrl, cmd, (cmd->cdw[2] & NVM_CDW12_DEALLOCATE) != 0 ? MEDIA_TRIM : MEDIA_ZERO);
    nvm_media_next(ctrl, cmd);
    return COMMAND_GOES_ON;
}

/* Verify (6.14): the blocks are read and go nowhere. */
static uint16_t start_verify(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = nvm_check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.verifies++;
    ctrl->stats.bytes_verified += cmd->bytes;
    cmd->kind = COMMAND_VERIFY;
    nvm_add_read_steps(ctrl, cmd, MEDIA_VERIFY);
    nvm_media_next(ctrl, cmd);
    return COMMAND_GOES_ON;
}

/* Write Uncorrectable (6.16): costs what a write of no data costs. */
static uint16_t start_write_uncorrectable(struct ctrl *ctrl, struct command *cmd)
{
    uint16_t status = nvm_check_range(ctrl, cmd);

    if (status != STATUS_SUCCESS)
        return status;
    ctrl->stats.write_uncorrectables++;
    cmd->kind = COMMAND_UNCORRECTABLE;
    command_add_step(cmd, MEDIA_ZERO);
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
    command_add_step(cmd, MEDIA_FLUSH);
    nvm_media_next(ctrl, cmd);
}

static uint16_t start_flush(struct ctrl *ctrl, struct command *cmd)
{
    /* Identify VWC bits 2:1 say whether Flush takes the broadcast value (6.8). */
    if (namespace_find(ctrl, cmd->nsid) == NULL &&
        !(cmd->nsid == NSID_ALL && nvm_flush_takes_all(ctrl)))
        return namespace_missing(ctrl, cmd->nsid);
    ctrl->stats.flushes++;
    if (!features_cache_may_hold(ctrl))
        return STATUS_SUCCESS;
    nvm_start_media_flush(ctrl, cmd);
    return COMMAND_GOES_ON;
}

static bool has_write_uncorrectable(const struct ctrl *ctrl)
{
    return ctrl->params.write_uncorrectable;
}

static bool has_compare(const struct ctrl *ctrl)
{
    return ctrl->params.compare;
}

static bool has_write_zeroes(const struct ctrl *ctrl)
{
    return ctrl->params.write_zeroes;
}

static bool has_dataset_management(const struct ctrl *ctrl)
{
    return ctrl->params.dataset_management;
}

static bool has_verify(const struct ctrl *ctrl)
{
    return ctrl->params.verify;
}

/* Opcode, effects (5.14.1.5), supported, run. */
const struct opcode_row nvm_rows[] = {
    {NVM_FLUSH, 0, NULL, start_flush, NULL, NULL},
    {NVM_WRITE, EFFECT_LOGICAL_BLOCKS, NULL, start_write, NULL, NULL},
    {NVM_READ, 0, NULL, start_read, NULL, NULL},
    {NVM_WRITE_UNCORRECTABLE, EFFECT_LOGICAL_BLOCKS, has_write_uncorrectable,
     start_write_uncorrectable, NULL, NULL},
    {NVM_COMPARE, 0, has_compare, compare_start, NULL, NULL},
    {NVM_WRITE_ZEROES, EFFECT_LOGICAL_BLOCKS, has_write_zeroes, start_write_zeroes, NULL, NULL},
    {NVM_DATASET_MANAGEMENT, EFFECT_LOGICAL_BLOCKS, has_dataset_management, deallocate_start, NULL,
     NULL},
    {NVM_VERIFY, 0, has_verify, start_verify, NULL, NULL},
};
const size_t nvm_row_count = sizeof nvm_rows / sizeof nvm_rows[0];

uint16_t nvm_execute(struct ctrl *ctrl, struct command *cmd)
{
    const struct opcode_row *row = ctrl->opcodes.nvm[cmd->opcode];

    /* CC.CSS = 111b: no I/O command set (3.1.5) */
    if (row == NULL || ctrl->life.admin_only)
        return STATUS_INVALID_OPCODE;
    return row->run(ctrl, cmd);
}
