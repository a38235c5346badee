/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arbitration and fetch of submission entries (NVMe 1.4 sections 4.13.1 and 7.2.1). Queues with
 * something to fetch stand in a line; the first one has its turn for a burst of commands and then
 * goes to the end of the line, which is round robin with arbitration burst. Within a turn, entries
 * are read by bursts of at most ctrl.fetch_burst, one DMA read each, which never crosses the end of
 * the ring (nor a page of a queue that is not contiguous). Contexts are reserved before entries are
 * read; without one, a command stays in its queue. Admin commands have contexts of their own, so
 * that a completion queue that nobody empties cannot lock the admin queue out.
 */
#include "nvme/internal.h"

static int32_t credits_of(const struct ctrl *ctrl, uint16_t sqid)
{
    return sqid == 0 ? ctrl->pool.admin_credits : ctrl->pool.io_credits;
}

static void line_append(struct ctrl *ctrl, uint16_t sqid)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];

    sq->queued = true;
    sq->burst_left = ctrl->fetch.burst_max;
    sq->ready_next = QUEUE_NONE;
    if (ctrl->fetch.ready_first == QUEUE_NONE)
        ctrl->fetch.ready_first = sqid;
    else
        ctrl->queues.sqs[ctrl->fetch.ready_last].ready_next = sqid;
    ctrl->fetch.ready_last = sqid;
}

/* before: the queue that stands in front of it, QUEUE_NONE if it is the first. */
static void line_remove(struct ctrl *ctrl, uint16_t sqid, uint16_t before)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];

    if (before == QUEUE_NONE)
        ctrl->fetch.ready_first = sq->ready_next;
    else
        ctrl->queues.sqs[before].ready_next = sq->ready_next;
    if (ctrl->fetch.ready_last == sqid)
        ctrl->fetch.ready_last = before;
    sq->queued = false;
}

void fetch_forget(struct ctrl *ctrl, uint16_t sqid)
{
    uint16_t before = QUEUE_NONE;

    if (!ctrl->queues.sqs[sqid].queued)
        return;
    for (uint16_t at = ctrl->fetch.ready_first; at != sqid; at = ctrl->queues.sqs[at].ready_next)
        before = at;
    line_remove(ctrl, sqid, before);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How many entries the next DMA read of this queue takes. */
static uint32_t burst_length(struct ctrl *ctrl, uint16_t sqid)
{
    const struct sq *sq = &ctrl->queues.sqs[sqid];
    uint32_t count = ring_distance(sq->next, sq->seen, sq->ring.size);

    count = smaller(count, (uint32_t)ctrl->params.fetch_burst);
    count = smaller(count, sq->burst_left);
    count = smaller(count, (uint32_t)credits_of(ctrl, sqid)); /* above 0: fetch_one() */
    count = smaller(count, sq->ring.size - sq->next);
    if (sq->ring.pages != NULL) {
        uint32_t per_page = UINT32_C(1) << (ctrl->page_log2 - SQE_LOG2);

        count = smaller(count, per_page - sq->next % per_page);
    }
    return count;
}

static void fetch_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);
    const uint8_t *sqe = ctrl->fetch.entries;
    uint32_t count = 0;
    uint32_t next;
    struct sq *sq;
    uint16_t sqid, slot;

    if (cmd == NULL)
        return;
    sqid = cmd->sqid;
    sq = &ctrl->queues.sqs[sqid];
    slot = sq->head;
    for (uint32_t i = cmd->index; i != NO_COMMAND; i = ctrl->pool.commands[i].next)
        count++;
    if (transfer_dma_read(ctrl, ring_address(ctrl, &sq->ring, slot), ctrl->fetch.entries,
                          count << SQE_LOG2, (uint64_t)sqid << 16) != PCIE_OK) {
        ctrl_fatal(ctrl);
        return;
    }
    sq->head = ring_advance(sq->head, count, sq->ring.size);
    for (uint32_t i = cmd->index; i != NO_COMMAND; i = next, sqe += SQE_BYTES) {
        cmd = &ctrl->pool.commands[i];
        next = cmd->next;
        cmd->rung_ps = sq->rung_ps[slot++]; /* a burst does not wrap */
        command_arrived(ctrl, cmd, sqe);
    }
}

static void fetch_burst(struct ctrl *ctrl, uint16_t sqid, uint32_t count)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];
    uint64_t now_ps = engine_now(ctrl->engine);
    uint32_t first = NO_COMMAND;
    uint64_t issued_ps, arrives_ps;

    /* The chain is built from its end, so that its first command is the first entry's. */
    for (uint32_t i = count; i-- > 0;) {
        struct command *cmd = command_take(ctrl, sqid == 0 ? CREDIT_ADMIN : CREDIT_IO);

        cmd->sqid = sqid;
        cmd->cqid = sq->cqid;
        cmd->fetch_ps = now_ps;
        cmd->next = first;
        first = cmd->index;
        RECORD_EMIT(ctrl->stream, now_ps, ctrl->index, RECORD_FETCH, sq->next + i,
                    (uint64_t)sqid << 16, 0, 0);
    }
    sq->next = ring_advance(sq->next, count, sq->ring.size);
    sq->in_flight += count;
    sq->burst_left -= count;
    ctrl->stats.fetch_bursts++;

    issued_ps = now_ps + clock_cost(&ctrl->clock, ctrl->params.fetch_setup);
    ctrl->fetch.free_ps = issued_ps;
    arrives_ps = later(pcie_up_read(ctrl->port, issued_ps, count << SQE_LOG2), sq->last_fetch_ps);
    sq->last_fetch_ps = arrives_ps;
    engine_at(ctrl->engine, arrives_ps, fetch_done, ctrl, command_arg(&ctrl->pool.commands[first]));
}

static void arbitrate(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    if (!epoch_is_current(ctrl, arg))
        return;
    ctrl->fetch.scheduled = false;
    fetch_run(ctrl);
}

/* One DMA read for the first queue in the line that has a context. False if there is none. */
static bool fetch_one(struct ctrl *ctrl)
{
    uint16_t before = QUEUE_NONE;
    uint16_t sqid = ctrl->fetch.ready_first;
    struct sq *sq;

    while (sqid != QUEUE_NONE && credits_of(ctrl, sqid) <= 0) {
        before = sqid;
        sqid = ctrl->queues.sqs[sqid].ready_next;
    }
    if (sqid == QUEUE_NONE)
        return false;
    sq = &ctrl->queues.sqs[sqid];
    fetch_burst(ctrl, sqid, burst_length(ctrl, sqid));
    if (sq->next == sq->seen || sq->burst_left == 0) {
        line_remove(ctrl, sqid, before);
        if (sq->next != sq->seen)
            line_append(ctrl, sqid);
    }
    return true;
}

void fetch_run(struct ctrl *ctrl)
{
    uint64_t now_ps = engine_now(ctrl->engine);

    if (ctrl->fetch.scheduled || !ctrl_is_running(ctrl))
        return;
    while (ctrl->fetch.ready_first != QUEUE_NONE) {
        if (ctrl->fetch.free_ps > now_ps) {
            ctrl->fetch.scheduled = true;
            engine_at(ctrl->engine, ctrl->fetch.free_ps, arbitrate, ctrl, epoch_arg(ctrl, 0));
            return;
        }
        if (!fetch_one(ctrl))
            return; /* a returning context calls again */
    }
}

void fetch_doorbell_seen(struct ctrl *ctrl, uint16_t sqid)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];
    uint64_t now_ps = engine_now(ctrl->engine);

    if (!sq->exists || sq->deleting)
        return;
    while (sq->seen != sq->tail &&
           sq->rung_ps[sq->seen] + ctrl->fetch.doorbell_latency_ps <= now_ps)
        sq->seen = ring_advance(sq->seen, 1, sq->ring.size);
    if (sq->seen == sq->next)
        return;
    if (!sq->queued)
        line_append(ctrl, sqid);
    fetch_run(ctrl);
}
