/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue: sorted window and binary heap; see queue.h.
 */
#include "engine/queue.h"

#include <stddef.h>
#include <string.h>

/* ---- the heap of what comes after the window ---- */

static inline bool entry_before(const struct queue_entry *x, const struct queue_entry *y)
{
    return x->time_ps < y->time_ps ||
           (x->time_ps == y->time_ps && x->seq_and_slot < y->seq_and_slot);
}

/* Put an entry at a vacant place and let it rise to where it belongs. */
static void heap_rise(struct queue_entry *heap, uint32_t at, struct queue_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!entry_before(&entry, &heap[parent]))
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

static void heap_push(struct queue *queue, struct queue_entry entry)
{
    heap_rise(queue->heap, queue->heap_count++, entry);
}

/* The last entry fills the place at the top. It belongs near the bottom nearly always, so the
 * vacancy sinks all the way without comparing, and the entry rises from there. */
static struct queue_entry heap_pop(struct queue *queue)
{
    struct queue_entry *heap = queue->heap;
    struct queue_entry top = heap[0];
    uint32_t count = --queue->heap_count, at = 0, child = 1;
    for (; child + 1 < count; child = at * 2 + 1) {
        child += entry_before(&heap[child + 1], &heap[child]);
        heap[at] = heap[child];
        at = child;
    }
    if (child < count) { /* an only child */
        heap[at] = heap[child];
        at = child;
    }
    if (count > 0)
        heap_rise(heap, at, heap[count]);
    return top;
}

/* ---- the window ---- */

void queue_init(struct queue *queue)
{
    queue->first = queue->end = queue->buffer + QUEUE_BUFFER / 2;
    queue->end->time_ps = QUEUE_IDLE_PS;
    queue->heap_count = 0;
}

static void window_to_middle(struct queue *queue)
{
    size_t count = (size_t)(queue->end - queue->first);
    struct queue_entry *middle = queue->buffer + (QUEUE_BUFFER - count) / 2;
    memmove(middle, queue->first, (count + 1) * sizeof *middle); /* with *end */
    queue->first = middle;
    queue->end = middle + count;
}

/* Half a window, so that there is room for what is due between these entries. */
void queue_refill(struct queue *queue)
{
    queue->first = queue->end = queue->buffer + QUEUE_BUFFER / 2;
    for (unsigned i = 0; i < QUEUE_WINDOW / 2 && queue->heap_count > 0; i++)
        *queue->end++ = heap_pop(queue);
    queue->end->time_ps = QUEUE_IDLE_PS;
}

/* Into the window, which has room, also at both ends of its buffer. */
static inline void put_in_window(struct queue *queue, struct queue_entry entry)
{
    size_t count = (size_t)(queue->end - queue->first);
    struct queue_entry *at;
    /* The one in the middle ends the search in either direction; in an empty window, *end does. */
    if (entry.time_ps < queue->first[count / 2].time_ps) {
        for (at = queue->first--; at->time_ps <= entry.time_ps; at++)
            at[-1] = *at;
        at[-1] = entry;
    } else {
        at = queue->end++;
        queue->end->time_ps = QUEUE_IDLE_PS;
        for (; at[-1].time_ps > entry.time_ps; at--)
            *at = at[-1];
        *at = entry;
    }
}

/* May an entry go into the window without more ado? */
static inline bool window_is_ready(const struct queue *queue)
{
    return queue->heap_count == 0 && queue->end - queue->first < QUEUE_WINDOW &&
           queue->first != queue->buffer && queue->end != queue->buffer + QUEUE_BUFFER - 1;
}

/* It may not: see what is in the way. Apart, so that the usual way need keep nothing across a call.
 */
static __attribute__((noinline, cold)) void put_with_care(struct queue *queue,
                                                          struct queue_entry entry)
{
    bool full = queue->end - queue->first == QUEUE_WINDOW;
    if ((queue->heap_count > 0 || full) && entry.time_ps >= queue->end[-1].time_ps) {
        heap_push(queue, entry);
        return;
    }
    if (full) {
        heap_push(queue, *--queue->end);
        queue->end->time_ps = QUEUE_IDLE_PS;
    }
    if (queue->first == queue->buffer || queue->end == queue->buffer + QUEUE_BUFFER - 1)
        window_to_middle(queue);
    put_in_window(queue, entry);
}

void queue_put(struct queue *queue, struct queue_entry entry)
{
    if (window_is_ready(queue))
        put_in_window(queue, entry);
    else
        put_with_care(queue, entry);
}
