/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When the tail doorbell of a submission queue is rung (NVMe 1.4 section 3.1.24): the policies of
 * enum nvme_ring_policy. Called by io.c for each entry through queue->turn(), by reap.c before it
 * looks, and by the block layer. How a doorbell is rung, register or shadow (shadow.c), is bound to
 * the queue when it is made; the CQ head doorbell is reap.c's.
 */
#include "internal.h"

/* Entries first, then the doorbell: publish (3.1.24). The tail is read back from the queue, which
 * is cheaper than to keep it over the call. */
static inline void ring(struct nvme_queue *queue, uint16_t first, uint32_t count)
{
    NVME_TRACE(queue->nvme, NVME_TRACE_RING, queue->sq.qid, queue->rung_tail, count);
    queue->publish(queue->ctx, &queue->sq, first, (uint16_t)count);
    queue->bell(queue->bell_ctx, queue->sq_doorbell, queue->rung_tail);
}

/* One doorbell for all entries since the last. */
void nvme_queue_ring(struct nvme_queue *queue)
{
    uint32_t count = (uint32_t)(queue->sequence - queue->rung_sequence);
    uint16_t first = queue->rung_tail;

    if (count == 0)
        return;
    queue->rung_tail = (uint16_t)(queue->sq_next - (struct nvme_sqe *)queue->sq.entries);
    queue->rung_sequence = queue->sequence;
    queue->stats.sq_doorbells++;
    ring(queue, first, count);
}

void nvme_ring(struct nvme_queue *queue)
{
    if (LIKELY(!(queue->gate & (GATE_LOCKED | GATE_CLOSED)))) {
        nvme_queue_ring(queue);
        return;
    }
    nvme_queue_lock(queue);
    if (!(queue->gate & GATE_CLOSED))
        nvme_queue_ring(queue);
    nvme_queue_unlock(queue);
}

/* ---- what follows an entry ---- */

/* The SQE just filled was the ring's last one; nothing is rung: NVME_RING_PER_BATCH and
 * NVME_RING_AT_POLL. */
static int turn_wrap(struct nvme_queue *queue)
{
    queue->sq_next = queue->sq.entries;
    return NVME_OK;
}

/* NVME_RING_PER_COMMAND: every SQE comes here, so that the one just filled is the only one to ring.
 * The doorbells need no counter: they are as many as the SQEs that were rung. */
static int turn_ring(struct nvme_queue *queue)
{
    uint16_t first = queue->rung_tail;

    queue->sq_stop++;
    queue->rung_tail = (uint16_t)(first + 1);
    if (UNLIKELY(first + 1u == queue->depth)) {
        queue->sq_next = queue->sq.entries;
        queue->sq_stop = queue->sq_next + 1;
        queue->rung_tail = 0;
    }
    queue->rung_sequence++;
    ring(queue, first, 1);
    return NVME_OK;
}

/* NVME_RING_LAST: every SQE comes here. Rung unless more follow; and with the last free slot, since
 * the caller will get no further one and may have nothing left to say. */
static int turn_last(struct nvme_queue *queue)
{
    queue->sq_stop++;
    if (queue->sq_next == (struct nvme_sqe *)queue->sq.entries + queue->depth) {
        queue->sq_next = queue->sq.entries;
        queue->sq_stop = queue->sq_next + 1;
    }
    if (!queue->more || nvme_in_flight(queue) >= queue->slot_count)
        nvme_queue_ring(queue);
    return NVME_OK;
}

/* Once, from nvme_init(). */
void nvme_doorbell_bind(struct nvme_queue *queue)
{
    enum nvme_ring_policy policy = queue->nvme->config.ring;

    queue->turn = policy == NVME_RING_PER_COMMAND ? turn_ring
                  : policy == NVME_RING_LAST      ? turn_last
                                                  : turn_wrap;
    queue->ring_last = policy == NVME_RING_LAST;
    queue->ring_at_poll = policy == NVME_RING_AT_POLL;
}

/* The ring is empty and its doorbells are registers, as after creation. */
void nvme_doorbell_start(struct nvme_queue *queue)
{
    const struct nvme *nvme = queue->nvme;

    queue->sq_next = queue->sq.entries;
    queue->sq_stop = queue->sq_next + (queue->turn == turn_wrap ? queue->depth : 1);
    queue->rung_tail = 0;
    queue->rung_sequence = queue->sequence;
    queue->more = false;
    queue->sq_doorbell = NVME_REG_DOORBELL + 2u * queue->sq.qid * nvme->doorbell_stride;
    queue->cq_doorbell = queue->sq_doorbell + nvme->doorbell_stride;
    queue->bell = nvme->ops->write32;
    queue->bell_ctx = nvme->ctx;
}

/* SQ tail doorbells, rung so far. */
uint64_t nvme_doorbell_count(const struct nvme_queue *queue)
{
    return queue->turn == turn_ring ? queue->rung_sequence : queue->stats.sq_doorbells;
}
