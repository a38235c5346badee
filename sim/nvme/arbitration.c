/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arbitration: which submission queue has its turn (NVMe 1.4 section 4.13). Queues with something
 * to fetch stand in lines; the first one has its turn for a burst of commands (Arbitration Burst)
 * and then goes to the end of its line.
 *
 * Round robin has one line (4.13.1). Weighted round robin (4.13.2) serves the admin queue before
 * all others, then urgent queues, then high, medium and low, which have credits: a round gives each
 * as many commands as its weight says, and the next round begins when no line with something to
 * fetch has credits left. New weights and bursts count from the next round and the next turn on. A
 * turn is over when the burst, the credits or the entries are used up. A queue in an earlier line
 * interrupts the turn of one in a later line, which goes on where it was.
 *
 * A queue that may not be fetched from now (no context, fetch depth) is passed over and keeps its
 * place.
 */
#include "nvme/internal.h"

void arbitration_enable(struct ctrl *ctrl)
{
    ctrl->fetch.weighted = CC_AMS(ctrl->regs.cc) == AMS_WEIGHTED;
    for (unsigned line = 0; line < FETCH_LINES; line++)
        ctrl->fetch.credits[line] = 0;
}

void arbitration_join(struct ctrl *ctrl, uint16_t sqid)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];
    struct line *line = &ctrl->fetch.lines[sq->line];

    sq->queued = true;
    sq->burst_left = ctrl->fetch.burst_max;
    sq->ready_next = QUEUE_NONE;
    if (line->first == QUEUE_NONE) {
        line->first = sqid;
        ctrl->fetch.lines_busy |= UINT32_C(1) << sq->line;
    } else {
        ctrl->queues.sqs[line->last].ready_next = sqid;
    }
    line->last = sqid;
}

/* before: the queue that stands in front of it, QUEUE_NONE if it is the first. */
static void line_remove(struct ctrl *ctrl, uint16_t sqid, uint16_t before)
{
    struct sq *sq = &ctrl->queues.sqs[sqid];
    struct line *line = &ctrl->fetch.lines[sq->line];

    if (before == QUEUE_NONE)
        line->first = sq->ready_next;
    else
        ctrl->queues.sqs[before].ready_next = sq->ready_next;
    if (line->last == sqid)
        line->last = before;
    if (line->first == QUEUE_NONE)
        ctrl->fetch.lines_busy &= ~(UINT32_C(1) << sq->line);
    sq->queued = false;
}

void arbitration_leave(struct ctrl *ctrl, uint16_t sqid)
{
    const struct sq *sq = &ctrl->queues.sqs[sqid];
    uint16_t before = QUEUE_NONE;

    if (!sq->queued)
        return;
    for (uint16_t at = ctrl->fetch.lines[sq->line].first; at != sqid;
         at = ctrl->queues.sqs[at].ready_next)
        before = at;
    line_remove(ctrl, sqid, before);
}

/* Commands that may be fetched from this queue now; none if 0 or less. */
static int32_t room_for(const struct ctrl *ctrl, uint16_t sqid)
{
    int32_t room = sqid == 0 ? ctrl->pool.admin_credits : ctrl->pool.io_credits;

    if (ctrl->fetch.depth_limited) {
        int32_t depth = watch_room(ctrl, &ctrl->queues.sqs[sqid]);

        return depth < room ? depth : room;
    }
    return room;
}

/* The first queue in the line that may be fetched from. */
static bool pick_in(const struct ctrl *ctrl, unsigned line, struct turn *turn)
{
    uint16_t before = QUEUE_NONE;
    uint16_t sqid = ctrl->fetch.lines[line].first;
    int32_t room;

    while (sqid != QUEUE_NONE) {
        room = room_for(ctrl, sqid);
        if (room > 0) {
            uint32_t burst_left = ctrl->queues.sqs[sqid].burst_left;

            turn->sqid = sqid;
            turn->before = before;
            turn->most = burst_left < (uint32_t)room ? burst_left : (uint32_t)room;
            return true;
        }
        before = sqid;
        sqid = ctrl->queues.sqs[sqid].ready_next;
    }
    return false;
}

static void begin_round(struct ctrl *ctrl)
{
    struct feature_weights weights = features_weights(ctrl);

    ctrl->fetch.credits[LINE_HIGH] = weights.high;
    ctrl->fetch.credits[LINE_MEDIUM] = weights.medium;
    ctrl->fetch.credits[LINE_LOW] = weights.low;
}

static bool pick_weighted(struct ctrl *ctrl, struct turn *turn)
{
    unsigned line;

    if (pick_in(ctrl, LINE_FIRST, turn) || pick_in(ctrl, LINE_URGENT, turn))
        return true;
    for (line = LINE_HIGH; line < FETCH_LINES; line++) {
        if (ctrl->fetch.credits[line] > 0 && pick_in(ctrl, line, turn))
            break;
    }
    if (line == FETCH_LINES) { /* all that could be served have used up their credits */
        line = LINE_HIGH;
        while (line < FETCH_LINES && !pick_in(ctrl, line, turn))
            line++;
        if (line == FETCH_LINES)
            return false;
        begin_round(ctrl);
    }
    if (turn->most > ctrl->fetch.credits[line])
        turn->most = ctrl->fetch.credits[line];
    return true;
}

bool arbitration_pick(struct ctrl *ctrl, struct turn *turn)
{
    return ctrl->fetch.weighted ? pick_weighted(ctrl, turn) : pick_in(ctrl, LINE_FIRST, turn);
}

/* Credits of a round that is running; true if that ends the turn. */
static bool spend_credits(struct ctrl *ctrl, unsigned line, uint32_t count)
{
    if (line < LINE_HIGH)
        return false;
    ctrl->fetch.credits[line] -= count;
    return ctrl->fetch.credits[line] == 0;
}

void arbitration_served(struct ctrl *ctrl, const struct turn *turn, uint32_t count)
{
    struct sq *sq = &ctrl->queues.sqs[turn->sqid];
    bool is_over;

    sq->burst_left -= count;
    is_over = sq->next == sq->seen || sq->burst_left == 0;
    if (ctrl->fetch.weighted && spend_credits(ctrl, sq->line, count))
        is_over = true;
    if (!is_over)
        return;
    line_remove(ctrl, turn->sqid, turn->before);
    if (sq->next != sq->seen)
        arbitration_join(ctrl, turn->sqid);
}
