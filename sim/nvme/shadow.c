/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells: when the controller looks at them, and what it writes to EventIdx (NVMe 1.4
 * sections 5.7, 7.13). The host writes a register only if its value passes EventIdx, so the
 * controller must either look often enough or set EventIdx to the value that it knows ("arm")
 * before it stops looking. Whoever arms must look once more behind the EventIdx: what the host
 * stored between the last look and the arming rings no bell (ctrl.shadow_reread = no shows it).
 * Policies for submission queues (ctrl.shadow_policy):
 * - echo: armed after each fetch;
 * - idle-arm: looks when all it knew of is fetched, and is armed when that brings nothing;
 * - never, one-behind: looks every ctrl.shadow_poll, with EventIdx at a value that is not passed
 *   (FFFFFFFFh, which hosts that compare 16 bits pass once in a lap; the slot behind the tail).
 *   Polling ends after ctrl.shadow_poll_time without news; then the queue is armed until the
 *   register is written. So a controller with nothing to do comes to rest.
 * Heads of completion queues matter when there is no room: all policies look then, and poll until
 * there is. echo also arms and looks at each entry posted, as every policy does with the pin, whose
 * level follows the head; one-behind looks at each entry posted, to stay behind. Otherwise EventIdx
 * stays at a value that is not passed, and is armed when polling for room ends.
 * ctrl.shadow_cq_eventidx = no leaves it unwritten for ever.
 *
 * While a doorbell has a shadow its register is a bell, not a value: a write that was overtaken by
 * a look would be taken for a lap of new entries. Until the host was seen to use the shadow entry,
 * the register counts: hosts leave the admin queues out, and others write registers until they have
 * seen the completion of Doorbell Buffer Config. The controller writes current values into both
 * buffers at that command and when a queue is created, so that what an earlier queue left there is
 * not taken for entries. Values are checked as registers are; a wrong one raises one event until
 * the host writes another.
 */
#include "nvme/internal.h"

#define EVENTIDX_NEVER UINT32_MAX
#define NOTHING        UINT64_MAX /* no value */

static bool is_cq(const struct shadow_slot *slot)
{
    return slot->number % 2 != 0;
}
static uint16_t qid_of(const struct shadow_slot *slot)
{
    return (uint16_t)(slot->number / 2);
}
static struct shadow_slot *slot_of(struct ctrl *ctrl, uint16_t qid, bool of_cq)
{
    return &ctrl->shadow.slots[2u * qid + of_cq];
}
static struct sq *sq_of(const struct shadow_slot *slot)
{
    return &slot->ctrl->queues.sqs[qid_of(slot)];
}
static struct cq *cq_of(const struct shadow_slot *slot)
{
    return &slot->ctrl->queues.cqs[qid_of(slot)];
}
static enum shadow_policy policy_of(const struct ctrl *ctrl)
{
    return (enum shadow_policy)ctrl->params.shadow_policy;
}

/* The doorbell's value as the controller knows it, and entries of the ring. */
static uint16_t known(const struct shadow_slot *slot)
{
    return is_cq(slot) ? cq_of(slot)->head : sq_of(slot)->tail;
}
static uint32_t size_of(const struct shadow_slot *slot)
{
    return is_cq(slot) ? cq_of(slot)->ring.size : sq_of(slot)->ring.size;
}

static bool polls(const struct shadow_slot *slot)
{
    return is_cq(slot) || policy_of(slot->ctrl) == SHADOW_NEVER ||
           policy_of(slot->ctrl) == SHADOW_ONE_BEHIND;
}

/* Armed whenever its queue moves, and not only when polling ends. */
static bool echoes(const struct shadow_slot *slot)
{
    const struct ctrl *ctrl = slot->ctrl;

    return policy_of(ctrl) == SHADOW_ECHO ||
           (is_cq(slot) && cq_of(slot)->interrupts && !ctrl->msix.enabled);
}

static bool writes_eventidx(const struct shadow_slot *slot)
{
    return !is_cq(slot) || slot->ctrl->params.shadow_cq_eventidx;
}

/* The EventIdx of a doorbell that is looked at anyway. */
static uint32_t quiet_value(const struct shadow_slot *slot)
{
    uint32_t size = size_of(slot);

    if (policy_of(slot->ctrl) == SHADOW_ONE_BEHIND)
        return ring_advance(known(slot), size - 1, size);
    return EVENTIDX_NEVER;
}

static bool is_quiet(const struct shadow_slot *slot)
{
    return !echoes(slot) && polls(slot);
}

static void write_quiet(struct shadow_slot *slot)
{
    slot->armed = false;
    if (writes_eventidx(slot))
        shadow_write_eventidx(slot, quiet_value(slot));
}

static void look(struct shadow_slot *slot, enum shadow_state state)
{
    engine_cancel(slot->ctrl->engine, slot->poll);
    slot->poll = 0;
    slot->again = false;
    slot->state = (uint8_t)state;
    shadow_look(slot);
}

static void write_armed(struct shadow_slot *slot)
{
    slot->armed = true;
    if (writes_eventidx(slot))
        shadow_write_eventidx(slot, known(slot));
}

/* Ask for a register write from the known value on; behind that, look once more. */
static void arm(struct shadow_slot *slot)
{
    write_armed(slot);
    if (slot->ctrl->params.shadow_reread)
        look(slot, SHADOW_LOOK_ARMED);
}

/* An entry was posted: look, and arm before or behind that. */
static void echo(struct shadow_slot *slot)
{
    if (slot->ctrl->params.shadow_reread)
        arm(slot);
    else
        look(slot, SHADOW_LOOK);
}

static bool is_drained(const struct shadow_slot *slot)
{
    return sq_of(slot)->next == sq_of(slot)->tail;
}
static bool wants_room(const struct shadow_slot *slot)
{
    return cq_of(slot)->waiting_first != NO_COMMAND;
}

/* Nobody takes what could be found: the controller is going down. */
static bool is_useless(const struct shadow_slot *slot)
{
    return is_cq(slot) ? !queues_take_heads(slot->ctrl) : !ctrl_is_running(slot->ctrl);
}

static void poll_due(void *ctx, uint64_t arg)
{
    struct shadow_slot *slot = ctx;

    if (!slot->open || slot->generation != arg)
        return;
    slot->poll = 0;
    slot->state = SHADOW_REST;
    if (!is_useless(slot))
        look(slot, SHADOW_LOOK);
}

static void poll_on(struct shadow_slot *slot, bool moved)
{
    struct engine *engine = slot->ctrl->engine;
    uint64_t now_ps = engine_now(engine);

    if (slot->again) { /* the bell rang during the look */
        look(slot, SHADOW_LOOK);
        return;
    }
    if (moved)
        slot->news_ps = now_ps;
    if (now_ps - slot->news_ps >= slot->ctrl->params.shadow_poll_time) {
        if (!slot->armed || moved)
            arm(slot);
        return;
    }
    if (is_quiet(slot) && (slot->armed || (moved && policy_of(slot->ctrl) == SHADOW_ONE_BEHIND)))
        write_quiet(slot);
    slot->state = SHADOW_WAIT;
    slot->poll =
        engine_after(engine, slot->ctrl->params.shadow_poll, poll_due, slot, slot->generation);
}

static void sq_looked(struct shadow_slot *slot, bool moved, bool was_armed)
{
    if (echoes(slot)) { /* the fetch of what was found arms */
        if (slot->again && slot->ctrl->params.shadow_reread)
            arm(slot);
        else if (slot->again)
            look(slot, SHADOW_LOOK);
        return;
    }
    if (polls(slot)) {
        poll_on(slot, moved);
        return;
    }
    /* idle-arm: what is fetched now looks again when it is fetched */
    if (slot->again)
        look(slot, SHADOW_LOOK);
    else if (!moved && !was_armed && is_drained(slot))
        arm(slot);
}

static void cq_looked(struct shadow_slot *slot, bool moved, bool was_armed)
{
    if (echoes(slot)) {
        if (!was_armed && !slot->ctrl->params.shadow_reread)
            write_armed(slot);
        if (slot->again)
            echo(slot);
        return;
    }
    if (wants_room(slot)) {
        poll_on(slot, moved);
        return;
    }
    if (slot->again)
        look(slot, SHADOW_LOOK);
    if (slot->armed || (moved && policy_of(slot->ctrl) == SHADOW_ONE_BEHIND))
        write_quiet(slot);
}

/* The value that counts: the shadow's, or the register's as long as the host uses only that. */
static uint32_t value_that_counts(struct shadow_slot *slot, uint32_t value)
{
    if (value != slot->seen)
        slot->host_writes = true;
    slot->seen = value;
    return slot->host_writes ? value : slot->in_register;
}

void shadow_looked(struct shadow_slot *slot, uint32_t value)
{
    struct ctrl *ctrl = slot->ctrl;
    bool was_armed = slot->state == SHADOW_LOOK_ARMED;
    uint32_t generation = slot->generation;
    enum ring_move move;

    slot->state = SHADOW_REST;
    if (is_useless(slot))
        return;
    value = value_that_counts(slot, value);
    move = is_cq(slot) ? cq_move_head(ctrl, qid_of(slot), value)
                       : sq_move_tail(ctrl, qid_of(slot), value);
    if (move != RING_INVALID) {
        slot->reported = NOTHING;
    } else if (slot->reported != value) {
        slot->reported = value;
        async_error(ctrl, EVENT_INVALID_DOORBELL_VALUE, qid_of(slot));
    }
    if (slot->generation != generation || slot->state != SHADOW_REST)
        return; /* what moved has begun the next look already */
    if (is_cq(slot))
        cq_looked(slot, move == RING_MOVED, was_armed);
    else
        sq_looked(slot, move == RING_MOVED, was_armed);
}

static bool is_looking(const struct shadow_slot *slot)
{
    return slot->state == SHADOW_LOOK || slot->state == SHADOW_LOOK_ARMED;
}

/* Something to look for, now or behind the look that is under way. */
static void wake(struct shadow_slot *slot)
{
    if (is_looking(slot))
        slot->again = true;
    else if (is_cq(slot) && echoes(slot))
        echo(slot);
    else
        look(slot, SHADOW_LOOK);
}

bool shadow_takes_register(struct ctrl *ctrl, uint16_t qid, bool of_cq, uint32_t value)
{
    struct shadow_slot *slot = slot_of(ctrl, qid, of_cq);

    if (!slot->open)
        return false;
    if (value >= size_of(slot)) {
        async_error(ctrl, EVENT_INVALID_DOORBELL_VALUE, qid);
        return true;
    }
    slot->in_register = value;
    slot->reported = NOTHING;
    slot->news_ps = engine_now(ctrl->engine);
    wake(slot);
    return true;
}

void shadow_fetched(struct ctrl *ctrl, uint16_t sqid)
{
    struct shadow_slot *slot = slot_of(ctrl, sqid, false);

    if (!slot->open)
        return;
    if (!echoes(slot)) {
        if (!polls(slot) && is_drained(slot))
            wake(slot);
    } else if (!ctrl->params.shadow_reread) {
        write_armed(slot); /* with the tail that was found before the fetch */
    } else if (is_looking(slot)) {
        slot->again = true;
    } else {
        arm(slot);
    }
}

void shadow_posted(struct ctrl *ctrl, uint16_t cqid)
{
    struct shadow_slot *slot = slot_of(ctrl, cqid, true);

    if (slot->open && (echoes(slot) || policy_of(ctrl) == SHADOW_ONE_BEHIND))
        wake(slot);
}

void shadow_stalled(struct ctrl *ctrl, uint16_t cqid)
{
    struct shadow_slot *slot = slot_of(ctrl, cqid, true);

    if (!slot->open || slot->state != SHADOW_REST)
        return;
    slot->news_ps = engine_now(ctrl->engine);
    wake(slot);
}

void shadow_open(struct ctrl *ctrl, uint16_t qid, bool of_cq)
{
    struct shadow_slot *slot = slot_of(ctrl, qid, of_cq);
    uint32_t number = 2u * qid + of_cq;

    if ((qid == 0 && !ctrl->params.shadow_admin) || !shadow_has_place(ctrl, number))
        return;
    engine_cancel(ctrl->engine, slot->poll);
    *slot = (struct shadow_slot){.ctrl = ctrl,
                                 .number = number,
                                 .generation = slot->generation + 1,
                                 .open = true,
                                 .reported = NOTHING,
                                 .news_ps = engine_now(ctrl->engine)};
    if (!of_cq)
        sq_of(slot)->watched = true;
    slot->seen = slot->in_register = known(slot);
    shadow_write_doorbell(slot, known(slot));
    if (is_quiet(slot))
        write_quiet(slot);
    else
        write_armed(slot);
    if (!of_cq && polls(slot))
        look(slot, SHADOW_LOOK);
}

void shadow_close(struct ctrl *ctrl, uint16_t qid, bool of_cq)
{
    struct shadow_slot *slot = slot_of(ctrl, qid, of_cq);

    engine_cancel(ctrl->engine, slot->poll);
    slot->poll = 0;
    slot->open = false;
    slot->generation++;
}
