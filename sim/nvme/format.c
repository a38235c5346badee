/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Format NVM (NVMe 1.4 section 5.23). After ctrl.format_delay the medium clears the namespaces one
 * after the other, piece by piece, and writes are made durable where there is a volatile cache;
 * then all of them change at once. Until then I/O commands to them, and other commands that would
 * change them, get Format In Progress. What the standard leaves open:
 * - a namespace with I/O commands being worked on is not formatted: Command Sequence Error;
 * - one Format NVM runs at a time; another one gets Format In Progress;
 * - a format that has begun is carried through, whatever resets come meanwhile; its command is gone
 *   then; after a loss of power it clears from the beginning again;
 * - both Secure Erase Settings 000b and 001b clear everything; cryptographic erase is not claimed
 *   (FNA bit 2) and is Invalid Field.
 */
#include "nvme/internal.h"

#define PIECE_BYTES (UINT64_C(64) << 20) /* one operation of the medium */
#define PERCENT     100u

static bool formats_all(const struct ctrl *ctrl)
{
    return ctrl->params.format_scope == FORMAT_SCOPE_SUBSYSTEM;
}

/* The scope (figure 327). */
static bool is_meant(const struct ctrl *ctrl, const struct namespace *ns, uint32_t nsid)
{
    if (formats_all(ctrl))
        return ns->allocated;
    return ns->attached && (nsid == NSID_ALL || nsid == ns->nsid);
}

static void finish(struct ctrl *ctrl)
{
    struct formatting *job = &ctrl->namespaces.formatting;
    struct command *cmd = command_find(ctrl, job->command);

    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        struct namespace *ns = &ctrl->namespaces.items[i];
        uint64_t blocks = ns->blocks;

        if (!ns->formatting)
            continue;
        rangeset_clear(&ns->uncorrectable);
        namespace_set_format(ns, job->block_log2);
        features_namespace_reset(ctrl, ns->nsid);
        ns->formatting = false;
        ns->usable = ns->attached;
        if (ns->attached && ns->blocks != blocks)
            namespace_has_changed(ctrl, ns);
    }
    job->running = false;
    if (cmd != NULL)
        complete_command(ctrl, cmd, STATUS_SUCCESS);
}

static void next_piece(struct ctrl *ctrl);

/* The operation that has ended was overtaken by a loss of power: from the first piece again. */
static bool begin_anew(struct ctrl *ctrl)
{
    struct formatting *job = &ctrl->namespaces.formatting;

    if (!job->anew)
        return false;
    job->anew = false;
    job->next = 0;
    job->at = job->done = 0;
    next_piece(ctrl);
    return true;
}

static void flushed(void *ctx, uint64_t arg)
{
    (void)arg;
    if (!begin_anew(ctx))
        finish(ctx);
}

static void piece_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct formatting *job = &ctrl->namespaces.formatting;

    (void)arg;
    if (begin_anew(ctrl))
        return;
    job->at += job->piece;
    job->done += job->piece;
    next_piece(ctrl);
}

static void next_piece(struct ctrl *ctrl)
{
    struct formatting *job = &ctrl->namespaces.formatting;
    uint64_t start_ps;

    for (; job->next < ctrl->namespaces.count; job->next++, job->at = 0) {
        struct namespace *ns = &ctrl->namespaces.items[job->next];
        uint64_t left = ns->media_bytes - job->at;

        if (!ns->formatting || left == 0)
            continue;
        job->piece = (uint32_t)(left < PIECE_BYTES ? left : PIECE_BYTES);
        namespace_clear(ns, job->at, job->piece);
        media_start(ctrl->media, MEDIA_ZERO, ns->media_at + job->at, job->piece, piece_done, ctrl,
                    0, &start_ps);
        return;
    }
    if (ctrl->params.vwc)
        media_start(ctrl->media, MEDIA_FLUSH, 0, 0, flushed, ctrl, 0, &start_ps);
    else
        finish(ctrl);
}

static void delay_over(void *ctx, uint64_t arg)
{
    (void)arg;
    if (!begin_anew(ctx))
        next_piece(ctx);
}

void format_power_lost(struct ctrl *ctrl)
{
    ctrl->namespaces.formatting.anew = ctrl->namespaces.formatting.running;
}

/* Nothing of the namespaces must be under way, and none must be smaller than a block. */
static uint16_t check_meant(const struct ctrl *ctrl, uint32_t nsid, uint8_t block_log2)
{
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        const struct namespace *ns = &ctrl->namespaces.items[i];

        if (!is_meant(ctrl, ns, nsid))
            continue;
        if (ns->bytes >> block_log2 == 0)
            return STATUS_INVALID_FORMAT;
        if (namespace_is_busy(ctrl, ns->nsid))
            return STATUS_COMMAND_SEQUENCE;
    }
    return STATUS_SUCCESS;
}

bool format_exists(const struct ctrl *ctrl)
{
    return ctrl->params.oacs_format;
}

bool format_is_of_one(const struct ctrl *ctrl)
{
    return format_exists(ctrl) && !formats_all(ctrl);
}

bool format_is_of_all(const struct ctrl *ctrl)
{
    return format_exists(ctrl) && formats_all(ctrl);
}

uint16_t format_execute(struct ctrl *ctrl, struct command *cmd)
{
    struct formatting *job = &ctrl->namespaces.formatting;
    uint32_t what = cmd->cdw[0];
    uint16_t status;
    uint8_t block_log2;

    if (cmd->nsid != NSID_ALL) {
        status = namespace_check_active(ctrl, cmd->nsid);
        if (status != STATUS_SUCCESS)
            return status;
    }
    /* MSET and PIL mean nothing without metadata and protection information. */
    if (FORMAT_LBAF(what) >= LBA_FORMATS || FORMAT_PI(what) != 0)
        return STATUS_INVALID_FORMAT;
    if (FORMAT_SES(what) > SES_USER_DATA)
        return STATUS_INVALID_FIELD;
    if (job->running)
        return STATUS_FORMAT_IN_PROGRESS;
    block_log2 = lba_format_log2((enum lba_format)FORMAT_LBAF(what));
    status = check_meant(ctrl, cmd->nsid, block_log2);
    if (status != STATUS_SUCCESS)
        return status;
    *job =
        (struct formatting){.running = true, .block_log2 = block_log2, .command = command_arg(cmd)};
    for (uint32_t i = 0; i < ctrl->namespaces.count; i++) {
        struct namespace *ns = &ctrl->namespaces.items[i];

        if (!is_meant(ctrl, ns, cmd->nsid))
            continue;
        ns->formatting = true;
        ns->usable = false;
        job->total += ns->media_bytes;
        selftest_namespace_gone(ctrl, ns->nsid, true);
    }
    engine_after(ctrl->engine, ctrl->params.format_delay, delay_over, ctrl, 0);
    return COMMAND_GOES_ON;
}

uint8_t format_percent_left(const struct ctrl *ctrl, const struct namespace *ns)
{
    const struct formatting *job = &ctrl->namespaces.formatting;
    uint64_t left = job->total - job->done;

    if (!ns->formatting)
        return 0;
    /* Not 0 before the end: rounded up, and the last flush is still to come. */
    return left == 0 ? 1 : (uint8_t)((left * PERCENT + job->total - 1) / job->total);
}
