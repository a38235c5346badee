/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shutdown (NVMe 1.4 section 7.6.2). After CC.SHN nothing more is fetched; commands in flight may
 * still complete until CSTS.SHST says complete, and are dropped then. A normal shutdown first lets
 * I/O commands end, so that no write comes behind the flush of the volatile write cache; one that
 * only waits for room in its completion queue has ended as far as the medium is concerned, and
 * holds nothing up.
 */
#include "nvme/internal.h"

bool shutdown_is_asked(uint32_t shn)
{
    return shn == SHN_NORMAL || shn == SHN_ABRUPT; /* 11b is reserved */
}

static void shutdown_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->life.shutdown_timer = 0;
    life_drop_work(ctrl);
    life_set_csts(ctrl, CSTS_SHST_MASK, CSTS_SHST_COMPLETE);
}

static void shutdown_flushed(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    if (!epoch_is_current(ctrl, arg))
        return; /* a reset came first */
    ctrl->life.shutdown_timer =
        engine_after(ctrl->engine, ctrl->params.shutdown_delay, shutdown_done, ctrl, 0);
}

/* I/O commands that may still reach the medium. Those without room for their completion entry may
 * stay so for ever, and are done with it. Only walked during a shutdown. */
static bool io_is_working(const struct ctrl *ctrl)
{
    uint64_t working = 0;

    for (uint32_t i = 1; i <= ctrl->params.max_io_queues; i++) {
        if (ctrl->queues.sqs[i].exists)
            working += ctrl->queues.sqs[i].in_flight;
        if (!ctrl->queues.cqs[i].exists)
            continue;
        for (uint32_t at = ctrl->queues.cqs[i].waiting_first; at != NO_COMMAND;
             at = ctrl->pool.commands[at].next)
            working--; /* counted, now or by a queue that follows */
    }
    return working != 0;
}

void shutdown_progress(struct ctrl *ctrl)
{
    uint64_t start_ps;

    if (!ctrl->life.shutdown_waits || io_is_working(ctrl))
        return;
    ctrl->life.shutdown_waits = false;
    media_start(ctrl->media, MEDIA_FLUSH, 0, 0, shutdown_flushed, ctrl, epoch_arg(ctrl, 0),
                &start_ps);
}

void shutdown_begin(struct ctrl *ctrl, uint32_t shn)
{
    life_set_csts(ctrl, CSTS_SHST_MASK, CSTS_SHST_OCCURING);
    for (uint32_t i = 1; i <= ctrl->params.max_io_queues; i++) {
        if (ctrl->queues.sqs[i].exists) /* nothing more is fetched: no second half will come */
            fused_abandon(ctrl, (uint16_t)i, STATUS_ABORTED_MISSING_FUSED);
    }
    if (shn != SHN_NORMAL || !features_cache_may_hold(ctrl)) {
        shutdown_flushed(ctrl, epoch_arg(ctrl, 0));
        return;
    }
    for (uint32_t i = 1; i <= ctrl->params.max_io_queues; i++)
        ctrl->queues.sqs[i].awaited = ctrl->queues.sqs[i].exists;
    ctrl->life.shutdown_waits = true;
    shutdown_progress(ctrl);
}
