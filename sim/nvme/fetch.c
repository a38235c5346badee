/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetch of submission entries (NVMe 1.4 section 7.2.1), from the queue whose turn it is
 * (arbitration.c). Within a turn, entries are read by bursts of at most ctrl.fetch_burst, one DMA
 * read each, which never crosses the end of the ring (nor a page of a queue that is not
 * contiguous). ctrl.fetch_engines reads are issued at a time; entries of one queue arrive in order
 * whichever engine reads them. Contexts are reserved before entries are read; without one, a
 * command stays in its queue. Admin commands have contexts of their own, so that a completion queue
 * that nobody empties cannot lock the admin queue out.
 */
#include <stdlib.h>

#include "nvme/internal.h"

void fetch_init(struct ctrl *ctrl)
{
    ctrl->fetch.entries = ctrl_allocate(ctrl->params.fetch_burst, SQE_BYTES);
    ctrl->fetch.engines_ps =
        ctrl_allocate(ctrl->params.fetch_engines, sizeof *ctrl->fetch.engines_ps);
    for (unsigned line = 0; line < FETCH_LINES; line++)
        ctrl->fetch.lines[line] = (struct line){QUEUE_NONE, QUEUE_NONE};
}

void fetch_free(struct ctrl *ctrl)
{
    free(ctrl->fetch.entries);
    free(ctrl->fetch.engines_ps);
}

void fetch_reset(struct ctrl *ctrl)
{
    ctrl->fetch.scheduled = false;
    ctrl->fetch.undecoded = 0;
    ctrl->fetch.free_ps = 0;
    ctrl->fetch.engine = 0;
    for (uint32_t i = 0; i < ctrl->params.fetch_engines; i++)
        ctrl->fetch.engines_ps[i] = 0;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How many entries the next DMA read of this queue takes. */
static uint32_t burst_length(const struct ctrl *ctrl, const struct turn *turn)
{
    const struct sq *sq = &ctrl->queues.sqs[turn->sqid];
    uint32_t count = ring_distance(sq->next, sq->seen, sq->ring.size);

    count = smaller(count, (uint32_t)ctrl->params.fetch_burst);
    count = smaller(count, turn->most);
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
    if (sq->watched)
        watch_arrived(ctrl, sqid, (uint32_t)arg);
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
    ctrl->stats.fetch_bursts++;

    issued_ps = now_ps + clock_cost(&ctrl->clock, ctrl->params.fetch_setup);
    ctrl->fetch.free_ps = issued_ps;
    if (ctrl->fetch.issues_counted)
        watch_issued(ctrl, sq, count, issued_ps);
    arrives_ps = issued_ps;
    if (sq->ring.at_once) {
        arrives_ps = pcie_up_read(ctrl->port, issued_ps, count << SQE_LOG2);
    } else if (!sq->ring.local) {
        pcie_up_read_then(ctrl->port, stream_of(STREAM_UNIT, UNIT_FETCH), issued_ps,
                          count << SQE_LOG2, fetch_done, ctrl,
                          command_arg(&ctrl->pool.commands[first]));
        return;
    }
    arrives_ps = later(arrives_ps, sq->last_fetch_ps);
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

/* One DMA read for the queue whose turn it is. False if there is none. */
static bool fetch_one(struct ctrl *ctrl)
{
    struct turn turn;
    uint32_t count;

    if (!arbitration_pick(ctrl, &turn))
        return false;
    count = burst_length(ctrl, &turn);
    fetch_burst(ctrl, turn.sqid, count);
    arbitration_served(ctrl, &turn, count);
    return true;
}

void fetch_run(struct ctrl *ctrl)
{
    uint64_t now_ps = engine_now(ctrl->engine);

    if (ctrl->fetch.scheduled || !ctrl_is_running(ctrl))
        return;
    while (ctrl->fetch.lines_busy != 0) {
        if (ctrl->fetch.free_ps > now_ps) {
            ctrl->fetch.scheduled = true;
            engine_at(ctrl->engine, ctrl->fetch.free_ps, arbitrate, ctrl, epoch_arg(ctrl, 0));
            return;
        }
        if (!fetch_one(ctrl))
            return; /* a context that returns, or a decoded command, calls again */
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
        arbitration_join(ctrl, sqid);
    fetch_run(ctrl);
}
