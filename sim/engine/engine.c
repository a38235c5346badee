/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event engine: the queue (queue.h) holds entries with the whole key (time, sequence number),
 * so that comparing never follows a pointer; actions live in a pool of slots that the entries name.
 * No allocation per event. Cancelling leaves the entry in the queue and marks its slot dead; it is
 * dropped when its turn comes.
 */
#include "engine/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/queue.h"

#define FIRST_SLOTS 64u
#define SLOT_BITS   32
#define SLOT_NONE   UINT32_MAX

struct event_slot {
    engine_fn *fn; /* NULL: free, or cancelled and still in the queue */
    void *ctx;
    uint64_t arg;
    uint32_t generation; /* odd while scheduled */
    uint32_t next_free;
};

struct engine {
    uint64_t now_ps;
    uint64_t seq;
    uint64_t fired;
    uint64_t cancelled; /* of the entries in the queue */
    uint64_t seed;
    struct event_slot *slots;
    uint32_t capacity;
    uint32_t free_first; /* SLOT_NONE: all are in use */
    struct stream stream;
    struct queue queue;
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

static __attribute__((noinline, cold)) void engine_grow(struct engine *engine, uint32_t capacity)
{
    engine->queue.heap = must_realloc(engine->queue.heap, capacity * sizeof *engine->queue.heap);
    engine->slots = must_realloc(engine->slots, capacity * sizeof *engine->slots);
    for (uint32_t i = capacity; i-- > engine->capacity;) {
        engine->slots[i] = (struct event_slot){.next_free = engine->free_first};
        engine->free_first = i;
    }
    engine->capacity = capacity;
}

struct engine *engine_create(uint64_t seed)
{
    struct engine *engine = must_realloc(NULL, sizeof *engine);
    memset(engine, 0, sizeof *engine);
    engine->seed = seed;
    queue_init(&engine->queue);
    engine->free_first = SLOT_NONE;
    engine_grow(engine, FIRST_SLOTS);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    free(engine->queue.heap);
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

uint64_t engine_pending(const struct engine *engine)
{
    return queue_count(&engine->queue) - engine->cancelled;
}

struct stream *engine_stream(struct engine *engine)
{
    return &engine->stream;
}

/* Every slot is in use. Apart, and in engine_at() the last that is done, so that its usual way need
 * keep nothing across a call. */
static __attribute__((noinline, cold)) engine_handle
engine_at_grown(struct engine *engine, uint64_t time_ps, engine_fn *fn, void *ctx, uint64_t arg)
{
    assert(engine->capacity < 1u << QUEUE_SLOT_BITS);
    engine_grow(engine, engine->capacity * 2);
    return engine_at(engine, time_ps, fn, ctx, arg);
}

engine_handle engine_at(struct engine *engine, uint64_t time_ps, engine_fn *fn, void *ctx,
                        uint64_t arg)
{
    assert(fn != NULL);
    assert(time_ps >= engine->now_ps);
    if (time_ps == ENGINE_NEVER)
        return 0;
    assert(engine->seq < QUEUE_SEQ_MAX);
    if (engine->free_first == SLOT_NONE)
        return engine_at_grown(engine, time_ps, fn, ctx, arg);
    uint32_t index = engine->free_first;
    struct event_slot *slot = &engine->slots[index];
    engine->free_first = slot->next_free;
    slot->fn = fn;
    slot->ctx = ctx;
    slot->arg = arg;
    engine_handle handle = (uint64_t)++slot->generation << SLOT_BITS | index;
    queue_put(&engine->queue, queue_entry_of(time_ps, engine->seq++, index));
    return handle;
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
    engine->cancelled++;
    return true;
}

/* Take the first event out and fire it. False if it was cancelled: then nothing happens. */
static inline bool engine_fire_first(struct engine *engine)
{
    uint64_t time_ps = engine->queue.first->time_ps;
    uint32_t index = queue_entry_slot(engine->queue.first);
    struct event_slot *slot = &engine->slots[index];
    engine_fn *fn = slot->fn;
    queue_drop_first(&engine->queue);
    slot->fn = NULL;
    slot->generation++;
    slot->next_free = engine->free_first;
    engine->free_first = index;
    if (fn == NULL) {
        engine->cancelled--;
        return false;
    }
    if (time_ps > engine->now_ps)
        engine->now_ps = time_ps;
    engine->fired++;
    fn(slot->ctx, slot->arg);
    return true;
}

uint64_t engine_next_time(const struct engine *engine)
{
    /* Dropping what was cancelled changes nothing that a caller can see, so the engine stays const
     * in the interface. */
    struct engine *e;
    memcpy(&e, &engine, sizeof engine);
    while (!queue_is_empty(&e->queue) && e->slots[queue_entry_slot(e->queue.first)].fn == NULL)
        engine_fire_first(e);
    return e->queue.first->time_ps; /* ENGINE_NEVER behind the last */
}

bool engine_step(struct engine *engine)
{
    while (!queue_is_empty(&engine->queue))
        if (engine_fire_first(engine))
            return true;
    return false;
}

/* Fire everything due at or before time_ps. Apart from the question whether anything is, which is
 * all that most calls of the two below come to. */
static __attribute__((noinline)) void engine_catch_up(struct engine *engine, uint64_t time_ps)
{
    while (engine->queue.first->time_ps <= time_ps && !queue_is_empty(&engine->queue))
        engine_fire_first(engine);
}

void engine_run_until(struct engine *engine, uint64_t time_ps)
{
    if (engine->queue.first->time_ps <= time_ps)
        engine_catch_up(engine, time_ps);
    if (time_ps > engine->now_ps)
        engine->now_ps = time_ps;
}

void engine_run_held_off(struct engine *engine, uint64_t time_ps)
{
    if (time_ps > engine->now_ps)
        engine->now_ps = time_ps;
    engine_catch_up(engine, engine->now_ps);
}
