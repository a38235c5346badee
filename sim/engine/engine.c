/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue: a binary array heap whose entries hold the whole key (time, sequence number), so
 * that comparing never follows a pointer; actions live in a pool of slots that the entries name. No
 * allocation per event. Cancelling leaves the entry in the heap and marks its slot dead; it is
 * dropped when it reaches the top. While an event fires, its place at the top stays vacant: most
 * events schedule exactly one other, which then goes there and saves taking out and putting in.
 */
#include "engine/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_WAYS   2u
#define FIRST_SLOTS 64u
#define SLOT_BITS   32

/* 16 bytes, so that one move carries an entry: the order is (time, sequence number, slot), and
 * since sequence numbers never repeat, the slot below them never decides. */
struct heap_entry {
    uint64_t time_ps;
    uint64_t seq_and_slot;
};

#define HEAP_SLOT_BITS 24u /* events pending at a time: 16 million */
#define HEAP_SEQ_MAX   (UINT64_C(1) << (64 - HEAP_SLOT_BITS)) /* events in all: 10^12 */

static inline uint32_t entry_slot(const struct heap_entry *entry)
{
    return (uint32_t)entry->seq_and_slot & ((1u << HEAP_SLOT_BITS) - 1);
}

struct event_slot {
    engine_fn *fn; /* NULL: free, or cancelled and still in the heap */
    void *ctx;
    uint64_t arg;
    uint32_t generation; /* odd while scheduled */
    uint32_t next_free;
};

struct engine {
    uint64_t now_ps;
    uint64_t seq;
    uint64_t fired;
    uint64_t seed;
    struct heap_entry *heap;
    struct event_slot *slots;
    uint32_t heap_count; /* with the vacant top */
    bool vacant;         /* heap[0] is the event that is firing */
    uint32_t capacity;
    uint32_t free_head; /* index + 1; 0 = none */
    struct stream stream;
};

static void *must_realloc(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes);
    if (grown == NULL) {
        fprintf(stderr, "doorbell: out of memory (%zu bytes)\n", bytes);
        exit(4);
    }
    return grown;
}

static void engine_grow(struct engine *engine, uint32_t capacity)
{
    engine->heap = must_realloc(engine->heap, capacity * sizeof *engine->heap);
    engine->slots = must_realloc(engine->slots, capacity * sizeof *engine->slots);
    for (uint32_t i = capacity; i-- > engine->capacity;) {
        engine->slots[i] = (struct event_slot){.next_free = engine->free_head};
        engine->free_head = i + 1;
    }
    engine->capacity = capacity;
}

struct engine *engine_create(uint64_t seed)
{
    struct engine *engine = must_realloc(NULL, sizeof *engine);
    memset(engine, 0, sizeof *engine);
    engine->seed = seed;
    engine_grow(engine, FIRST_SLOTS);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    free(engine->heap);
    free(engine->slots);
    free(engine);
}

uint64_t engine_now(const struct engine *engine)
{
    return engine->now_ps;
}

uint64_t engine_seed(const struct engine *engine)
{
    return engine->seed;
}

uint64_t engine_fired(const struct engine *engine)
{
    return engine->fired;
}

struct stream *engine_stream(struct engine *engine)
{
    return &engine->stream;
}

static inline bool entry_before(const struct heap_entry *x, const struct heap_entry *y)
{
    return x->time_ps < y->time_ps ||
           (x->time_ps == y->time_ps && x->seq_and_slot < y->seq_and_slot);
}

/* Put an entry at a vacant place and let it rise to where it belongs. */
static inline void heap_rise(struct heap_entry *heap, uint32_t at, struct heap_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / HEAP_WAYS;
        if (!entry_before(&entry, &heap[parent]))
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

/* Fill the vacant top with an entry. What comes here belongs near the bottom nearly always (the
 * last entry, or something newly scheduled), so the vacancy sinks all the way without comparing,
 * and the entry rises from there. */
static void heap_fill(struct engine *engine, struct heap_entry entry)
{
    struct heap_entry *heap = engine->heap;
    uint32_t count = engine->heap_count, at = 0, child = 1;
    for (; child + 1 < count; child = at * HEAP_WAYS + 1) {
        child += entry_before(&heap[child + 1], &heap[child]);
        heap[at] = heap[child];
        at = child;
    }
    if (child < count) { /* an only child, and the last entry of all */
        heap[at] = heap[child];
        at = child;
    }
    heap_rise(heap, at, entry);
}

/* Take the top out. */
static void heap_pop(struct engine *engine)
{
    uint32_t count = --engine->heap_count;
    if (count > 0)
        heap_fill(engine, engine->heap[count]);
}

static void slot_release(struct engine *engine, uint32_t index)
{
    struct event_slot *slot = &engine->slots[index];
    slot->next_free = engine->free_head;
    engine->free_head = index + 1;
}

engine_handle engine_at(struct engine *engine, uint64_t time_ps, engine_fn *fn, void *ctx,
                        uint64_t arg)
{
    assert(fn != NULL);
    assert(time_ps >= engine->now_ps);
    if (time_ps == ENGINE_NEVER)
        return 0;
    assert(engine->seq < HEAP_SEQ_MAX);
    if (engine->free_head == 0) {
        assert(engine->capacity < 1u << HEAP_SLOT_BITS);
        engine_grow(engine, engine->capacity * 2);
    }
    uint32_t index = engine->free_head - 1;
    struct event_slot *slot = &engine->slots[index];
    engine->free_head = slot->next_free;
    slot->fn = fn;
    slot->ctx = ctx;
    slot->arg = arg;
    slot->generation++;
    struct heap_entry entry = {time_ps, engine->seq++ << HEAP_SLOT_BITS | index};
    if (engine->vacant) {
        engine->vacant = false;
        heap_fill(engine, entry);
    } else {
        heap_rise(engine->heap, engine->heap_count++, entry);
    }
    return (uint64_t)slot->generation << SLOT_BITS | index;
}

engine_handle engine_after(struct engine *engine, uint64_t delay_ps, engine_fn *fn, void *ctx,
                           uint64_t arg)
{
    uint64_t time_ps = engine->now_ps + delay_ps;
    return engine_at(engine, time_ps < delay_ps ? ENGINE_NEVER : time_ps, fn, ctx, arg);
}

bool engine_cancel(struct engine *engine, engine_handle handle)
{
    uint32_t index = (uint32_t)handle;
    uint32_t generation = (uint32_t)(handle >> SLOT_BITS);
    if (handle == 0 || index >= engine->capacity)
        return false;
    struct event_slot *slot = &engine->slots[index];
    if (slot->generation != generation || slot->fn == NULL)
        return false;
    slot->fn = NULL;
    return true;
}

/* Drop cancelled events from the top, so that the top is something that will fire. */
static inline bool engine_settle(struct engine *engine)
{
    if (engine->vacant) {
        engine->vacant = false;
        heap_pop(engine);
    }
    while (engine->heap_count > 0) {
        uint32_t index = entry_slot(&engine->heap[0]);
        if (engine->slots[index].fn != NULL)
            return true;
        heap_pop(engine);
        engine->slots[index].generation++;
        slot_release(engine, index);
    }
    return false;
}

uint64_t engine_next_time(const struct engine *engine)
{
    /* Settling changes nothing that a caller can see, so the engine stays const in the interface.
     */
    struct engine *mutable_engine;
    memcpy(&mutable_engine, &engine, sizeof engine);
    return engine_settle(mutable_engine) ? engine->heap[0].time_ps : ENGINE_NEVER;
}

static void engine_fire_top(struct engine *engine)
{
    uint32_t index = entry_slot(&engine->heap[0]);
    struct event_slot *slot = &engine->slots[index];
    engine_fn *fn = slot->fn;
    void *ctx = slot->ctx;
    uint64_t arg = slot->arg;
    engine->vacant = true;
    slot->fn = NULL;
    slot->generation++;
    slot_release(engine, index);
    engine->fired++;
    fn(ctx, arg);
}

bool engine_step(struct engine *engine)
{
    if (!engine_settle(engine))
        return false;
    if (engine->heap[0].time_ps > engine->now_ps)
        engine->now_ps = engine->heap[0].time_ps;
    engine_fire_top(engine);
    return true;
}

void engine_run_until(struct engine *engine, uint64_t time_ps)
{
    /* Nothing due, not even something cancelled: the usual case while a CPU works. */
    if (!engine->vacant && (engine->heap_count == 0 || engine->heap[0].time_ps > time_ps)) {
        if (time_ps > engine->now_ps)
            engine->now_ps = time_ps;
        return;
    }
    while (engine_settle(engine) && engine->heap[0].time_ps <= time_ps) {
        if (engine->heap[0].time_ps > engine->now_ps)
            engine->now_ps = engine->heap[0].time_ps;
        engine_fire_top(engine);
    }
    if (time_ps > engine->now_ps)
        engine->now_ps = time_ps;
}

void engine_run_held_off(struct engine *engine, uint64_t time_ps)
{
    if (time_ps > engine->now_ps)
        engine->now_ps = time_ps;
    while (engine_settle(engine) && engine->heap[0].time_ps <= engine->now_ps)
        engine_fire_top(engine);
}
