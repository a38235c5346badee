/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The order of events: a queue of (time, sequence number, slot), earliest first, for engine.c only.
 * The events that come next, 64 at most, stand in a sorted window. Nearly every new event belongs
 * near one of its ends: what a command does next is due soon, and what the medium does is due last.
 * So it goes in from the nearer end, past two others on average, and taking out the next event
 * costs nothing. What comes after a full window waits in a heap.
 */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_SLOT_BITS 24u                                     /* slots: 16 million */
#define QUEUE_SEQ_MAX   (UINT64_C(1) << (64 - QUEUE_SLOT_BITS)) /* events in all: 10^12 */
#define QUEUE_WINDOW    64u
#define QUEUE_BUFFER                                                                               \
    (4 * QUEUE_WINDOW)           /* the window drifts in it and is moved back now and then         \
                                  */
#define QUEUE_IDLE_PS UINT64_MAX /* later than any event */

/* 16 bytes, so that one move carries an entry. Sequence numbers never repeat, so the slot below
 * them never decides. */
struct queue_entry {
    uint64_t time_ps;
    uint64_t seq_and_slot;
};

struct queue {
    /* The window, sorted; every entry of it comes before every entry of the heap. It is empty only
     * if the heap is, too. *end is QUEUE_IDLE_PS: who asks whether anything is due need not ask
     * first whether there is anything. */
    struct queue_entry *first, *end;
    struct queue_entry *heap; /* the caller's, with room for all entries there can be */
    uint32_t heap_count;
    struct queue_entry buffer[QUEUE_BUFFER];
};

/* The queue must not be moved afterwards. */
void queue_init(struct queue *queue);

static inline bool queue_is_empty(const struct queue *queue)
{
    return queue->first == queue->end;
}

static inline uint64_t queue_count(const struct queue *queue)
{
    return (uint64_t)(queue->end - queue->first) + queue->heap_count;
}

static inline struct queue_entry queue_entry_of(uint64_t time_ps, uint64_t seq, uint32_t slot)
{
    return (struct queue_entry){time_ps, seq << QUEUE_SLOT_BITS | slot};
}

static inline uint32_t queue_entry_slot(const struct queue_entry *entry)
{
    return (uint32_t)entry->seq_and_slot & ((1u << QUEUE_SLOT_BITS) - 1);
}

/* The window is empty and the heap is not. */
void queue_refill(struct queue *queue);

/* Take out the first entry; there must be one. */
static inline void queue_drop_first(struct queue *queue)
{
    if (++queue->first == queue->end && queue->heap_count > 0)
        queue_refill(queue);
}

/* Put in an entry whose sequence number is above all others: it goes behind its equals in time. Its
 * time is below QUEUE_IDLE_PS. */
void queue_put(struct queue *queue, struct queue_entry entry);

#endif
