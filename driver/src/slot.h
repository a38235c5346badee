/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Slots and submission queue entries, as the hot path handles them: in line, and a few instructions
 * each. Included by internal.h.
 */
#ifndef NVME_SRC_SLOT_H
#define NVME_SRC_SLOT_H

#include "byteorder.h"
#include "compiler.h"
#include "state.h"

/* The i-th of slot_count. */
static inline uint32_t slot_position(const struct nvme_queue *queue, uint32_t i)
{
    return (i + queue->cid_base) & queue->slot_mask;
}

/* A short-path command is in flight: slot->request is valid. */
static inline bool slot_armed(const struct nvme_queue *queue, const struct nvme_slot *slot)
{
    return ((slot->expect >> NVME_SQE_CID_SHIFT ^ (uint32_t)(slot - queue->slots)) &
            queue->slot_mask) == 0;
}

/* The stack of NVME_CID_LIFO. */
static inline struct nvme_slot *slot_pop(struct nvme_queue *queue)
{
    struct nvme_slot *slot = queue->free;

    if (LIKELY(slot != NULL))
        queue->free = slot->next_free;
    return slot;
}

static inline void slot_push(struct nvme_queue *queue, struct nvme_slot *slot)
{
    slot->next_free = queue->free;
    queue->free = slot;
}

/* The next SQE of the ring belongs to this slot; the caller fills it in place. Then the caller
 * looks whether turn() is due. */
static inline struct nvme_sqe *sqe_take(struct nvme_queue *queue, struct nvme_slot *slot)
{
    struct nvme_sqe *sqe = queue->sq_next;

    queue->sq_next = sqe + 1;
    slot->sequence = (uint32_t)queue->sequence;
    queue->sequence++;
    return sqe;
}

/* End of the ring, or a doorbell per command? One comparison in the common case for both. */
static inline bool sqe_turn_due(const struct nvme_queue *queue)
{
    return queue->sq_next == queue->sq_stop;
}

/* What the short path stores. The other words of an SQE are zero: nvme_queue_start() left them so,
 * and a command that uses them holds GATE_WORDS until the ring has gone round (command.c). */
static inline void sqe_fill(struct nvme_sqe *sqe, uint64_t command_nsid, uint64_t prp1,
                            uint64_t prp2, uint64_t lba, uint64_t cdw12)
{
    sqe->command_nsid = le64(command_nsid);
    sqe->prp1 = le64(prp1);
    sqe->prp2 = le64(prp2);
    sqe->cdw10_11 = le64(lba);
    sqe->cdw12_13 = le64(cdw12);
}

/* To be noted before the number falls. */
static inline void note_peak(struct nvme_queue *queue)
{
    uint64_t busy = queue->sequence - queue->ended;

    if (UNLIKELY(busy > queue->stats.in_flight_peak))
        queue->stats.in_flight_peak = busy;
}

#endif
