/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands that do not end: which are late, without a clock on the way of a command, and what is
 * done about them (config.late): look again, Abort (NVMe 1.4 section 5.1), give up, or say that the
 * controller has failed, which is recover.c's. Called by nvme_step() while READY, and by cancel.c,
 * which wants Aborts, too.
 *
 * Time: the queue notes now and then how many commands it has seen, in marks a quarter of
 * io_timeout apart. A command numbered below a mark that is io_timeout old is late.
 */
#include "internal.h"

#if !defined(NVME_NO_RECOVERY)

#define NS_PER_QUARTER_MS (NVME_NS_PER_MS / 4u)
#define NOT_ABORTED       1u /* dword 0 of Abort's entry (5.1.1) */
#define ANY_ABORT         (SLOT_ABORT_OWED | SLOT_ABORT_SENT | SLOT_ABORTED)

void nvme_watch_start(struct nvme_queue *queue)
{
    for (unsigned i = 0; i < MARKS; i++)
        queue->marks[i] = (struct nvme_mark){0, queue->sequence};
    queue->scanned = (uint32_t)queue->sequence;
    queue->watching = false;
}

/* Set and read the marks. Commands below the result are late. */
static uint32_t late_below(struct nvme_queue *queue, uint64_t now_ns)
{
    uint64_t quarter_ns = (uint64_t)queue->nvme->config.io_timeout_ms * NS_PER_QUARTER_MS;
    struct nvme_mark *marks = queue->marks;
    unsigned i = 0;

    if (now_ns - marks[0].time_ns >= quarter_ns) {
        memmove(marks + 1, marks, (MARKS - 1) * sizeof(*marks));
        marks[0] = (struct nvme_mark){now_ns, queue->sequence};
    }
    while (i < MARKS - 1 && now_ns - marks[i].time_ns < 4 * quarter_ns)
        i++;
    return (uint32_t)marks[i].sequence;
}

static bool is_late(const struct nvme_slot *slot, uint32_t below)
{
    return (int32_t)(slot->sequence - below) < 0;
}

static bool in_flight(const struct nvme_queue *queue, const struct nvme_slot *slot)
{
    return slot_armed(queue, slot) || queue->data[slot - queue->slots].request;
}

/* Late ones of which that was not known. */
static uint32_t count_late(const struct nvme_queue *queue, uint32_t below)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i <= queue->slot_mask; i++) {
        const struct nvme_slot *slot = &queue->slots[i];

        count += in_flight(queue, slot) && is_late(slot, below) && !(slot->trouble & SLOT_LATE);
    }
    return count;
}

/* The controller has nothing of the caller's to touch. */
static bool out_of_reach(const struct nvme_slot_data *data)
{
    return data->bytes == 0 || (data->flags & SLOT_BOUNCED);
}

/* A late command that an Abort has not ended. */
static int last_resort(struct nvme_queue *queue, struct nvme_slot *slot)
{
    if (queue->nvme->config.late != NVME_LATE_GIVE_UP ||
        !out_of_reach(&queue->data[slot - queue->slots]))
        return NVME_E_TIMEOUT;
    nvme_io_piece_done(queue, slot, NVME_E_TIMEOUT, 0, 0);
    slot->trouble |= SLOT_GAVE_UP;
    queue->stats.quarantined++;
    return NVME_OK;
}

/* Each command that is late or was told to end, one step further. */
static int treat(struct nvme_queue *queue, uint32_t below, uint64_t now_ns)
{
    int outcome = NVME_OK;

    queue->watching = false;
    queue->scanned = below;
    for (uint32_t i = 0; i <= queue->slot_mask; i++) {
        struct nvme_slot *slot = &queue->slots[i];

        if (!in_flight(queue, slot) || !(is_late(slot, below) || (slot->trouble & ANY_ABORT)))
            continue;
        queue->watching = true;
        if (!is_late(slot, below))
            continue;
        nvme_io_owner(queue, slot);
        if (!(slot->trouble & SLOT_LATE)) {
            queue->stats.timeouts++;
            NVME_TRACE(queue->nvme, NVME_TRACE_LATE, queue->sq.qid,
                       (slot->expect + CID_ONE) >> NVME_SQE_CID_SHIFT, 0);
        }
        slot->trouble |= SLOT_LATE;
        if (queue->nvme->config.late == NVME_LATE_RESET)
            outcome = NVME_E_TIMEOUT;
        else if (!(slot->trouble & ANY_ABORT))
            slot->trouble |= SLOT_ABORT_OWED;
        else if ((slot->trouble & SLOT_REFUSED) ||
                 ((slot->trouble & SLOT_ABORTED) && now_ns >= queue->data[i].abort_deadline_ns))
            outcome = last_resort(queue, slot) == NVME_OK ? outcome : NVME_E_TIMEOUT;
    }
    return outcome;
}

static int watch_queue(struct nvme_queue *queue, uint64_t now_ns)
{
    const struct nvme *nvme = queue->nvme;
    uint32_t late = 0, below = queue->scanned;
    int outcome = NVME_OK;

    if (nvme->config.io_timeout_ms != 0) {
        nvme_queue_lock(queue);
        below = late_below(queue, now_ns);
        if (below != queue->scanned)
            late = count_late(queue, below);
        if (late == 0)
            queue->scanned = below;
        nvme_queue_unlock(queue);
    }
    if (late != 0 || queue->watching) {
        nvme_poll_quiet(queue, 0); /* an interrupt may have been lost; and lateness is no proof */
        nvme_queue_lock(queue);
        if (!(queue->gate & GATE_CLOSED)) { /* by a done() */
            queue->stats.found_late += late - count_late(queue, below);
            outcome = treat(queue, below, now_ns);
        }
        nvme_queue_unlock(queue);
        if (outcome == NVME_OK)
            nvme_watch_abort(queue);
    }
    if (outcome == NVME_OK &&
        (queue->ended_list.first || queue->done.first || queue->delayed.first))
        nvme_reap_settle(queue, now_ns);
    return outcome;
}

int nvme_watch(struct nvme *nvme)
{
    int outcome = NVME_OK;

    for (uint32_t i = 0; i < nvme->info.io_queues && outcome == NVME_OK; i++)
        outcome = watch_queue(&nvme->queues[i], nvme->now_ns);
    return outcome;
}

/* ---- Abort ---- */

/* The command may have ended meanwhile: then its slot has waited for this. */
static void settle_abort(struct nvme_abort *abort, uint32_t clear, uint32_t set)
{
    struct nvme_queue *queue = abort->queue;
    struct nvme_slot *slot = abort->slot;

    nvme_queue_lock(queue);
    if (slot->trouble & SLOT_ABORT_SENT) { /* else a reset has been here */
        slot->trouble &= ~clear;
        if (queue->data[slot - queue->slots].request || (slot->trouble & SLOT_GAVE_UP)) {
            slot->trouble |= set;
            queue->stats.aborts_refused += (set & SLOT_REFUSED) != 0;
        } else {
            slot->trouble = 0;
            queue->slot_ops->give(queue, slot);
        }
    }
    nvme_queue_unlock(queue);
    abort->queue = NULL;
}

/* What the controller says of the command's end is that command's own entry; an Abort that succeeds
 * says no more than that it will come, or that it will not (5.1.1). */
static void answered(struct nvme_admin_request *request)
{
    struct nvme_abort *abort = request->user;
    struct nvme_queue *queue = abort->queue;
    bool refused = request->error != NVME_OK || (request->result & NOT_ABORTED);

    settle_abort(abort, SLOT_ABORT_SENT, refused ? SLOT_REFUSED : 0);
    nvme_reap_settle(queue, queue->nvme->ops->now_ns(queue->ctx));
    nvme_watch_abort(queue);
}

/* One of as many as the controller takes at a time (ACL, 5.15.2.2), for this queue. */
static struct nvme_abort *claim(struct nvme_queue *queue)
{
    struct nvme *nvme = queue->nvme;
    struct nvme_abort *found = NULL;

    nvme_admin_lock(nvme);
    for (uint32_t i = 0; !found && i < NVME_ABORTS_MAX && i < nvme->info.abort_limit; i++)
        if (!nvme->aborts[i].queue)
            found = &nvme->aborts[i];
    if (found)
        found->queue = queue;
    nvme_admin_unlock(nvme);
    return found;
}

/* The next command to abort becomes this Abort's. */
static bool take_owed(struct nvme_queue *queue, struct nvme_abort *abort)
{
    uint64_t limit_ns = (uint64_t)queue->nvme->config.abort_timeout_ms * NVME_NS_PER_MS;
    bool found = false;

    nvme_queue_lock(queue);
    for (uint32_t i = 0; !found && !(queue->gate & GATE_CLOSED) && i <= queue->slot_mask; i++) {
        struct nvme_slot *slot = &queue->slots[i];
        uint32_t cid = slot->expect + CID_ONE;

        if (!(slot->trouble & SLOT_ABORT_OWED) || !queue->data[i].request)
            continue;
        slot->trouble ^= SLOT_ABORT_OWED | SLOT_ABORT_SENT | SLOT_ABORTED;
        queue->data[i].abort_deadline_ns = queue->nvme->ops->now_ns(queue->ctx) + limit_ns;
        abort->slot = slot;
        NVME_TRACE(queue->nvme, NVME_TRACE_ABORT, queue->sq.qid, cid >> NVME_SQE_CID_SHIFT, 0);
        abort->request.command =
            (struct nvme_command){.opcode = NVME_ADMIN_ABORT, .cdw10 = queue->sq.qid | cid};
        found = true;
    }
    queue->stats.aborts += found;
    nvme_queue_unlock(queue);
    return found;
}

void nvme_watch_abort(struct nvme_queue *queue)
{
    struct nvme_abort *abort;

    while (queue->watching && (abort = claim(queue)) != NULL) {
        if (!take_owed(queue, abort)) {
            abort->queue = NULL;
            return;
        }
        abort->request.done = answered;
        abort->request.user = abort;
        if (nvme_admin_send_internal(queue->nvme, &abort->request, 0) != NVME_OK) {
            queue->stats.aborts--;
            settle_abort(abort, SLOT_ABORT_SENT | SLOT_ABORTED, SLOT_ABORT_OWED);
            return; /* the next step tries again */
        }
    }
}

#endif
