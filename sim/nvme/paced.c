/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data and completion entries on a link whose transfers take turns packet by packet (link.detail =
 * tlp): when they arrive is known when they do, and not when they are given to the link. A
 * completion entry goes into the stream of its data, behind it, as entries of one queue go into one
 * stream: so nobody sees an entry before its data, or entries out of order. At detail line
 * transfer.c and complete.c know all times at once, and nothing here is called.
 *
 * Reserved as a whole at this level, too: data of a command whose completion queue lies in the
 * controller memory buffer, since its entry takes no link that would keep it behind the data; and
 * data with ctrl.dma_outstanding, because an engine must know then when it has ended.
 */
#include "nvme/internal.h"

/* Gives the data of a command to the link; fn is called for each of the returned number of
 * transfers. Parts in the controller memory buffer and discarded ones are none. */
static uint32_t give(struct ctrl *ctrl, const struct command *cmd, uint64_t given_ps, engine_fn *fn)
{
    bool to_host = command_data_to_host(cmd);
    unsigned stream = to_host ? stream_of(STREAM_OUT, cmd->cqid) : stream_of(STREAM_IN, cmd->sqid);
    uint64_t arg = command_arg(cmd);
    uint32_t given = 0;

    for (uint32_t i = 0; i < (cmd->data.apart ? cmd->data.count : 1); i++) {
        uint64_t bus = cmd->data.list[i].bus;
        uint32_t bytes = cmd->data.apart ? cmd->data.list[i].bytes : cmd->bytes;

        if (cmd->data.apart && (bus == SEGMENT_DISCARDED || cmb_holds(ctrl, bus)))
            continue;
        if (to_host)
            pcie_up_write_then(ctrl->port, stream, given_ps, bytes, fn, ctrl, arg);
        else
            pcie_up_read_then(ctrl->port, stream, given_ps, bytes, fn, ctrl, arg);
        given++;
    }
    return given;
}

/* ---- data from the host ---- */

static void part_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL || --cmd->on_way > 0)
        return;
    if (cmd->complete_ps > engine_now(ctrl->engine)) /* the engine is slower than the link */
        engine_at(ctrl->engine, cmd->complete_ps, transfer_data_arrived, ctrl, arg);
    else
        transfer_data_arrived(ctrl, arg);
}

void paced_in(struct ctrl *ctrl, struct command *cmd, uint64_t given_ps, uint64_t engine_ps)
{
    cmd->complete_ps = engine_ps;
    cmd->on_way = give(ctrl, cmd, given_ps, part_arrived);
    if (cmd->on_way == 0)
        engine_at(ctrl->engine, engine_ps, transfer_data_arrived, ctrl, command_arg(cmd));
}

/* ---- data to the host, and what follows it ---- */

static void out_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd != NULL)
        cmd->complete_ps = later(engine_now(ctrl->engine), cmd->complete_ps);
}

void paced_out(struct ctrl *ctrl, const struct command *cmd, uint64_t given_ps)
{
    give(ctrl, cmd, given_ps, out_arrived);
}

/* Behind its data by its place in the stream; the engine may need longer. */
static void entry_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);
    uint64_t now_ps = engine_now(ctrl->engine), visible_ps;
    struct cq *cq;

    if (cmd == NULL)
        return;
    cq = &ctrl->queues.cqs[cmd->cqid];
    cmd->cqe_ps = later(cmd->cqe_ps, cmd->complete_ps);
    visible_ps = later(later(now_ps, cmd->cqe_ps), cq->last_visible_ps);
    cq->last_visible_ps = visible_ps;
    if (visible_ps > now_ps)
        engine_at(ctrl->engine, visible_ps, complete_visible, ctrl, arg);
    else
        complete_visible(ctrl, arg);
}

void paced_entry(struct ctrl *ctrl, const struct command *cmd, uint64_t given_ps)
{
    pcie_up_write_then(ctrl->port, stream_of(STREAM_OUT, cmd->cqid), given_ps, CQE_BYTES,
                       entry_arrived, ctrl, command_arg(cmd));
    if (ctrl->shadow.on)
        shadow_posted(ctrl, cmd->cqid);
}
