/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a submission queue's commands are watched for, each only if a parameter asks for it, so that
 * the way of a command without them stays short:
 * - ctrl.fetch_engines: the engine that issues a read;
 * - ctrl.fetch_depth and ctrl.fetch_depth_total: entries that are fetched, or on their way, and not
 *   decoded yet; the controller's command queue in front of the decoder has no more places;
 * - ctrl.cid_check: a command identifier that another command of the same queue still uses ends
 *   with Command ID Conflict (4.2; 4.6.1.2.1). An identifier is free again once the completion
 *   entry is visible; those of held Asynchronous Event Requests are in use.
 */
#include "nvme/internal.h"

#define CID_WORDS (65536u / 64)

void watch_init(struct ctrl *ctrl)
{
    ctrl->fetch.depth_limited =
        ctrl->params.fetch_depth != 0 || ctrl->params.fetch_depth_total != 0;
    ctrl->fetch.issues_counted = ctrl->fetch.depth_limited || ctrl->params.fetch_engines > 1;
    ctrl->queues.watch_decode = ctrl->fetch.issues_counted || ctrl->params.cid_check;
}

void watch_sq_open(struct ctrl *ctrl, struct sq *sq)
{
    if (!ctrl->params.cid_check)
        return;
    sq->cids = ctrl_allocate(CID_WORDS, sizeof *sq->cids);
    sq->watched = true;
    sq->awaited = true;
}

/* The engine that was free has issued its read; the next one is the one that is free first. */
static void engine_issued(struct fetcher *fetch, uint32_t engines, uint64_t issued_ps)
{
    uint32_t first = 0;

    fetch->engines_ps[fetch->engine] = issued_ps;
    for (uint32_t i = 1; i < engines; i++) {
        if (fetch->engines_ps[i] < fetch->engines_ps[first])
            first = i;
    }
    fetch->engine = first;
    fetch->free_ps = fetch->engines_ps[first];
}

void watch_issued(struct ctrl *ctrl, struct sq *sq, uint32_t count, uint64_t issued_ps)
{
    sq->undecoded += count;
    ctrl->fetch.undecoded += count;
    engine_issued(&ctrl->fetch, (uint32_t)ctrl->params.fetch_engines, issued_ps);
}

static int32_t places(uint64_t limit, uint32_t used)
{
    return limit == 0 ? INT32_MAX : (int32_t)limit - (int32_t)used;
}

int32_t watch_room(const struct ctrl *ctrl, const struct sq *sq)
{
    int32_t of_queue = places(ctrl->params.fetch_depth, sq->undecoded);
    int32_t of_all = places(ctrl->params.fetch_depth_total, ctrl->fetch.undecoded);

    return of_queue < of_all ? of_queue : of_all;
}

static void cid_arrived(struct sq *sq, struct command *cmd)
{
    uint64_t bit = UINT64_C(1) << cmd->cid % 64;

    cmd->cid_conflict = (sq->cids[cmd->cid / 64] & bit) != 0;
    sq->cids[cmd->cid / 64] |= bit;
}

void watch_arrived(struct ctrl *ctrl, uint16_t sqid, uint32_t first)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];

    for (uint32_t i = first; sq->cids != NULL && i != NO_COMMAND; i = ctrl->pool.commands[i].next)
        cid_arrived(sq, &ctrl->pool.commands[i]);
    if (ctrl->shadow.on)
        shadow_fetched(ctrl, sqid);
}

void watch_cid_ended(struct sq *sq, const struct command *cmd)
{
    if (!cmd->cid_conflict) /* else it is still the other one's */
        sq->cids[cmd->cid / 64] &= ~(UINT64_C(1) << cmd->cid % 64);
}

bool watch_decoded(struct ctrl *ctrl, struct command *cmd)
{
    if (ctrl->fetch.issues_counted) {
        ctrl->queues.sqs[cmd->sqid].undecoded--;
        ctrl->fetch.undecoded--;
        if (ctrl->fetch.lines_busy != 0)
            fetch_run(ctrl);
    }
    if (!ctrl->params.cid_check || !cmd->cid_conflict)
        return true;
    fused_refused(ctrl, cmd);
    complete_command(ctrl, cmd, STATUS_CID_CONFLICT);
    return false;
}
