/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Completions: reading new entries by their phase tag, judging them, ending requests, the CQ head
 * doorbell, polling (NVMe 1.4 sections 4.1, 4.6, 7.2.1, 3.1.25). An entry is the device's word: its
 * identifiers are checked against what is in flight, and its SQ head against what was rung, before
 * anything is believed. Order within a poll: entries, CQ doorbell, commands that follow (so that no
 * command identifier is used again before its entry is released), unlock, done(). Interrupts are in
 * interrupt.c.
 */
#include "internal.h"

/* DW2 differs from the last entry's. True: believable, and noted. */
static bool take_head(struct nvme_queue *queue, const struct nvme_slot *slot, uint32_t dw2)
{
    uint32_t sqhd = dw2 & 0xFFFFu;
    uint32_t before = queue->sqhd_sqid & 0xFFFFu;
    uint32_t forward, back;

    if (sqhd >= queue->depth)
        return false;
    forward = sqhd >= before ? sqhd - before : sqhd + queue->depth - before;
    if (forward <= queue->rung_sequence - queue->head_sequence) {
        queue->head_sequence += forward;
        queue->sqhd_sqid = dw2;
        return true;
    }
    /* An entry may have been composed before one that was posted earlier: an older head, but one
     * that is past this command's own entry. */
    back = queue->depth - forward;
    return (int32_t)(slot->sequence - ((uint32_t)queue->head_sequence - back)) < 0;
}

/* What of a completion a slot can expect: the identifier in the upper half, as slots have it; below
 * it the status, and the phase tag unless it is as it should be. */
static inline uint32_t identity(uint32_t dw3)
{
    return dw3 << 16 | dw3 >> 16;
}

#define STALE 1u /* in identity(): the phase tag says that the entry is not new */

/* A new entry that is not plain success of a short-path command, or says something new of the SQ
 * head. found: identity() of its dword 3. The caller counts it as the end of a command. */
static NOINLINE void judge(struct nvme_queue *queue, uint32_t found, uint32_t head)
{
    uint32_t dw3 = identity(found);
    const struct nvme *nvme = queue->nvme;
    const struct nvme_cqe *cqe = (const struct nvme_cqe *)queue->cq.entries + head;
    uint32_t index = dw3 & queue->slot_mask;
    uint16_t status = (uint16_t)(dw3 >> NVME_CQE_STATUS_SHIFT);
    struct nvme_slot *slot = &queue->slots[index];
    int error = status ? NVME_E_STATUS : NVME_OK;
    uint32_t cid = dw3 << NVME_SQE_CID_SHIFT;
    struct nvme_request *request;
    uint32_t result, dw2;
    bool known;

    /* The caller has done it before it looked at more than dword 3. */
    if (slot->expect != found && !(nvme->platform->flags & NVME_PLATFORM_LOADS_ORDERED))
        nvme->ops->rmb(queue->ctx, &queue->cq, (uint16_t)head);
    result = le32(cqe->result);
    dw2 = le32(cqe->sqhd_sqid);
    NVME_TRACE(nvme, NVME_TRACE_ENTRY, queue->cq.qid, dw3 & 0xFFFFu, status);

    /* Otherwise: no such command, none in flight, another queue's, or one that was not even rung:
     * the entry is consumed and nothing else happens. */
    known =
        (slot->expect == cid || (slot->expect + CID_ONE == cid &&
                                 (queue->data[index].request || (slot->trouble & SLOT_GAVE_UP)))) &&
        dw2 >> 16 == queue->sq.qid &&
        (int32_t)(slot->sequence - (uint32_t)queue->rung_sequence) < 0;
    if (!known || !((dw2 == queue->sqhd_sqid || take_head(queue, slot, dw2)) &&
                    (int32_t)(slot->sequence - (uint32_t)queue->head_sequence) < 0)) {
        /* If it is known: the command is said to have ended, with its entry not fetched or fetched
         * from nowhere, and the device may fetch it yet and write to its memory. So the request
         * stays in its slot, which is not used again, until a reset has seen RDY = 0 (7.3.2);
         * nvme_step() fails the controller. */
        queue->stats.protocol_errors++;
        queue->ended--;
        queue->impossible += known;
        return;
    }
    queue->stats.status_errors += status != 0;
    if (status == 0 && slot->expect == cid) {
        slot->expect -= CID_ONE;
        request = slot->request;
        request->error = NVME_OK;
        request->status = 0;
        request->pieces_in_flight = 0;
        request->result = result;
        list_append(&queue->done, request);
        queue->slot_ops->give(queue, slot);
        return;
    }
    request = nvme_io_owner(queue, slot);
    if (!request) { /* it was given up, and its request has ended long ago */
        queue->stats.late_entries++;
        queue->stats.quarantined--;
        slot->trouble &= SLOT_ABORT_SENT;
    } else {
        if ((status & NVME_STATUS_SCT_SC) == NVME_STATUS_ABORTED) {
            if (request->cancelled)
                error = NVME_E_CANCELLED;
            else if (slot->trouble & SLOT_LATE)
                error = NVME_E_TIMEOUT;
        }
        nvme_io_piece_done(queue, slot, error, status, result);
    }
    if (slot->trouble == 0) /* else when the Abort's answer comes (watch.c) */
        queue->slot_ops->give(queue, slot);
}

/* In what queues differ. The combinations that are common get a loop of their own, in which the
 * kind is a constant; for the others it is looked up at each entry. A compiler that is told to
 * optimise for size (__OPTIMIZE_SIZE__) makes one loop for all. */
#define REAP_RING_EACH (1u << 0) /* NVME_CQ_RING_PER_ENTRY */
#define REAP_RMB       (1u << 1) /* the platform may reorder loads */
#define REAP_LOWEST    (1u << 2) /* NVME_CID_LOWEST */
#define REAP_PLAIN     (1u << 3) /* NVME_PLATFORM_CQ_PLAIN */
#define REAP_KINDS     (1u << 4)

/* Dword 3 of the entry, CPU order. */
static inline uint32_t load_dw3(const struct nvme_queue *queue, const struct nvme_cqe *cqe,
                                uint32_t head, unsigned kind)
{
    if (kind & REAP_PLAIN)
        return le32(*(const volatile uint32_t *)&cqe->cid_status);
    return le32(queue->cq_load(queue->ctx, &queue->cq, (uint16_t)head));
}

/* Once per poll and after each judgement: commands are not written while entries are reaped. */
static inline void note_trusted(struct nvme_queue *queue)
{
    queue->trusted_dw2 = queue->head_sequence == queue->sequence ? queue->sqhd_sqid : UINT64_MAX;
}

/* Up to `limit` entries, 1..depth-1, with the CQ doorbell (3.1.25), never twice the same value.
 * Returns how many. kind: REAP_* bits, a constant wherever this is used. */
TEMPLATE unsigned reap(struct nvme_queue *queue, unsigned limit, const unsigned kind)
{
    const uint32_t start = queue->cq_head;
    const struct nvme_cqe *cqe = (const struct nvme_cqe *)queue->cq.entries + start;
    struct nvme_request **last = queue->done.last;
    struct nvme_slot *free = queue->free;
    uint32_t head = start;
    /* Where the ring or the limit ends, whichever comes first. */
    uint32_t stop = limit < queue->depth - start ? start + limit : queue->depth;
    unsigned count;

    note_trusted(queue);
    for (;;) {
        /* Phase tag, status, and identifier with its generation in one comparison. */
        uint32_t dw3 = load_dw3(queue, cqe, head, kind) ^ queue->cq_phase;
        uint32_t found = identity(dw3);
        struct nvme_slot *slot = &queue->slots[dw3 & queue->slot_mask];
        bool plain = slot->expect == found;

        if ((kind & REAP_RMB) && plain)
            queue->nvme->ops->rmb(queue->ctx, &queue->cq, (uint16_t)head);
        if (LIKELY(plain && le32(cqe->sqhd_sqid) == queue->trusted_dw2)) {
            struct nvme_request *request = slot->request;

            NVME_TRACE(queue->nvme, NVME_TRACE_ENTRY, queue->cq.qid, dw3 & 0xFFFFu, 0);
            slot->expect = found - CID_ONE;
            if (kind & REAP_LOWEST) {
                queue->slot_ops->give(queue, slot);
            } else {
                slot->next_free = free;
                free = slot;
            }
            request->error = NVME_OK;
            request->status = 0;
            request->pieces_in_flight = 0;
            request->result = le32(cqe->result);
            *last = request;
            last = &request->next;
        } else {
            if (found & STALE)
                break;
            queue->done.last = last;
            queue->free = free;
            judge(queue, found, head);
            free = queue->free;
            last = queue->done.last;
            note_trusted(queue);
        }
        cqe++;
        if (UNLIKELY(++head == stop)) {
            if (head == queue->depth) {
                head = 0;
                cqe = queue->cq.entries;
                queue->cq_phase ^= NVME_CQE_PHASE;
                stop = start + limit - queue->depth;
            }
            if (head == stop) {
                if (kind & REAP_RING_EACH)
                    queue->bell(queue->bell_ctx, queue->cq_doorbell, head);
                break;
            }
        }
        if (kind & REAP_RING_EACH)
            queue->bell(queue->bell_ctx, queue->cq_doorbell, head);
    }
    queue->done.last = last;
    queue->free = free;
    queue->cq_head = head;
    count = head >= start ? head - start : head + queue->depth - start;
    queue->ended += count;
    if (kind & REAP_RING_EACH) {
        queue->stats.cq_doorbells += count;
    } else if (count != 0) {
        queue->stats.cq_doorbells++;
        queue->bell(queue->bell_ctx, queue->cq_doorbell, head);
    }
    return count;
}

#if !defined(__OPTIMIZE_SIZE__)
static unsigned reap_plain(struct nvme_queue *queue, unsigned limit)
{
    return reap(queue, limit, REAP_PLAIN);
}

static unsigned reap_plain_each(struct nvme_queue *queue, unsigned limit)
{
    return reap(queue, limit, REAP_PLAIN | REAP_RING_EACH);
}

static unsigned reap_call(struct nvme_queue *queue, unsigned limit)
{
    return reap(queue, limit, 0);
}

static unsigned reap_call_each(struct nvme_queue *queue, unsigned limit)
{
    return reap(queue, limit, REAP_RING_EACH);
}

static unsigned reap_lowest(struct nvme_queue *queue, unsigned limit)
{
    return reap(queue, limit, REAP_LOWEST);
}

static unsigned (*const special_loops[REAP_KINDS])(struct nvme_queue *, unsigned) = {
    [REAP_PLAIN] = reap_plain,
    [REAP_PLAIN | REAP_RING_EACH] = reap_plain_each,
    [0] = reap_call,
    [REAP_RING_EACH] = reap_call_each,
    [REAP_LOWEST] = reap_lowest};
#endif

static unsigned reap_any(struct nvme_queue *queue, unsigned limit)
{
    return reap(queue, limit, queue->reap_kind);
}

/* Choose the loop, once, at init. */
void nvme_reap_bind(struct nvme_queue *queue)
{
    const struct nvme *nvme = queue->nvme;
    unsigned kind = 0;

    if (nvme->config.cq_ring == NVME_CQ_RING_PER_ENTRY)
        kind |= REAP_RING_EACH;
    if (!(nvme->platform->flags & NVME_PLATFORM_LOADS_ORDERED))
        kind |= REAP_RMB;
    if (nvme->config.cid == NVME_CID_LOWEST)
        kind |= REAP_LOWEST;
    if (nvme->platform->flags & NVME_PLATFORM_CQ_PLAIN)
        kind |= REAP_PLAIN;
    queue->reap_kind = kind;
    queue->reap = reap_any;
#if !defined(__OPTIMIZE_SIZE__)
    if (special_loops[kind])
        queue->reap = special_loops[kind];
#endif
}

/* Commands that follow: with one doorbell, which nvme_io_resume() rings. */
static NOINLINE void resume(struct nvme_queue *queue)
{
    queue->more = true;
    nvme_io_resume(queue);
    queue->more = false;
}

/* For every poll: no call where there is no lock. */
static inline void lock(const struct nvme_queue *queue)
{
    if (queue->nvme->ops->lock)
        nvme_queue_lock(queue);
}

static inline void unlock(const struct nvme_queue *queue)
{
    if (queue->nvme->ops->unlock)
        nvme_queue_unlock(queue);
}

/* Under the lock: let go of it, and of all requests that have ended. */
static void deliver(struct nvme_queue *queue)
{
    struct nvme_request *first;

    if (UNLIKELY(queue->ended_list.first))
        list_join(&queue->done, &queue->ended_list);
    *queue->done.last = NULL;
    first = queue->done.first;
    list_init(&queue->done);
    queue->delivering += first != NULL;
    NVME_TRACE_ENDS(queue->nvme, queue->cq.qid, first);
    unlock(queue);
    if (first) {
        nvme_call_done(first);
        lock(queue);
        queue->delivering--;
        unlock(queue);
    }
}

/* Whatever a poll does besides looking for entries, for when something else than an entry has
 * changed things: an Abort's answer, a recovery, the time. */
void nvme_reap_settle(struct nvme_queue *queue, uint64_t now_ns)
{
    nvme_queue_lock(queue);
    if (!(queue->gate & GATE_CLOSED)) {
        nvme_retry_due(queue, now_ns);
        resume(queue);
    }
    deliver(queue);
}

/* Entries, CQ doorbell, and what follows from them, under the lock; then the requests' done(). */
static unsigned drain(struct nvme_queue *queue, unsigned max)
{
    unsigned limit = queue->drain_limit;
    unsigned count = 0;

    lock(queue);
    queue->stats.polls++;
    note_peak(queue);
    if (max != 0 && max < limit)
        limit = max;
    if (LIKELY(!(queue->gate & GATE_CLOSED))) {
        if (UNLIKELY(queue->ring_at_poll))
            nvme_queue_ring(queue);
        count = queue->reap(queue, limit);
    }
    queue->stats.completions += count;
    queue->stats.empty_polls += count == 0;
    if (UNLIKELY(queue->delayed.first) && !(queue->gate & GATE_CLOSED)) {
        nvme_retry_due(queue, queue->nvme->ops->now_ns(queue->ctx));
        resume(queue);
    } else if (UNLIKELY(queue->resume.first || (count != 0 && (queue->gate & GATE_WAITING)))) {
        resume(queue);
    }
    deliver(queue);
    return count;
}

unsigned nvme_poll_quiet(struct nvme_queue *queue, unsigned max)
{
    return drain(queue, max);
}

unsigned nvme_poll(struct nvme_queue *queue, unsigned max)
{
    const struct nvme *nvme = queue->nvme;
    unsigned count = drain(queue, max);

    /* INTMC must not be touched while MSI-X is in use (3.1.4). */
    if (nvme->config.poll_unmasks && nvme->config.irq != NVME_IRQ_MSIX &&
        !(queue->gate & GATE_CLOSED)) {
        queue->stats.unmask_writes++;
        nvme->ops->write32(nvme->ctx, NVME_REG_INTMC, 1);
    }
    return count;
}
