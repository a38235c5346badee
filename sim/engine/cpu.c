/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Simulated CPUs; see cpu.h. With one CPU everything happens in the program's own calls:
 * cpu_spend() runs the engine to the new time and returns. With several, a CPU whose time would
 * pass something that is due schedules its own return and fires what comes before on its own
 * stack, whatever it is; the stack is switched only when what has come due is another CPU.
 */
#include "engine/cpu.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/fiber.h"

struct cpu {
    struct cpu_set *set;
    struct cpu *next;
    void (*program)(void *ctx);
    void *ctx;
    struct fiber *fiber; /* only while cpu_set_run() runs several */
    uint64_t now_ps;
    unsigned number;
    bool holds_devices;
    bool wake_pending;
    bool waiting;
};

struct cpu_set {
    struct engine *engine;
    struct cpu *first, *last;
    unsigned count;
    unsigned unfinished;    /* programs that have not returned */
    struct cpu *due;        /* the CPU whose turn has come; NULL between turns */
    struct cpu *running;    /* the CPU whose calls these are */
    uint64_t turns_pending; /* of the engine's events: CPUs that go on */
    uint64_t turns_fired;
    uint64_t switches;
    void (*on_switch)(void *ctx, unsigned number);
    void *on_switch_ctx;
};

static void *cpu_memory(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

struct cpu_set *cpu_set_create(struct engine *engine)
{
    struct cpu_set *set = cpu_memory(sizeof *set);
    set->engine = engine;
    return set;
}

static void drop_fibers(struct cpu_set *set)
{
    for (struct cpu *cpu = set->first; cpu != NULL; cpu = cpu->next) {
        fiber_destroy(cpu->fiber);
        cpu->fiber = NULL;
    }
}

void cpu_set_destroy(struct cpu_set *set)
{
    if (set == NULL)
        return;
    drop_fibers(set);
    while (set->first != NULL) {
        struct cpu *cpu = set->first;
        set->first = cpu->next;
        free(cpu);
    }
    free(set);
}

struct cpu *cpu_add(struct cpu_set *set, void (*program)(void *ctx), void *ctx, bool holds_devices)
{
    struct cpu *cpu = cpu_memory(sizeof *cpu);
    *cpu = (struct cpu){.set = set,
                        .program = program,
                        .ctx = ctx,
                        .number = set->count++,
                        .now_ps = engine_now(set->engine),
                        .holds_devices = holds_devices};
    if (set->last != NULL)
        set->last->next = cpu;
    else
        set->first = set->running = cpu;
    set->last = cpu;
    assert(set->count == 1 || !set->first->holds_devices);
    return cpu;
}

void cpu_set_program(struct cpu *cpu, void (*program)(void *ctx), void *ctx)
{
    assert(cpu->fiber == NULL);
    cpu->program = program;
    cpu->ctx = ctx;
}

void cpu_set_on_switch(struct cpu_set *set, void (*on_switch)(void *ctx, unsigned number),
                       void *ctx)
{
    set->on_switch = on_switch;
    set->on_switch_ctx = ctx;
}

/* ---- several CPUs ---- */

static void run_as(struct cpu_set *set, struct cpu *cpu)
{
    if (set->running == cpu)
        return;
    set->running = cpu;
    if (set->on_switch != NULL)
        set->on_switch(set->on_switch_ctx, cpu->number);
}

/* The event at which a CPU goes on. It only says so: whose stack it fires on does not matter. */
static void cpu_turn(void *ctx, uint64_t arg)
{
    struct cpu *cpu = ctx;
    (void)arg;
    cpu->now_ps = engine_now(cpu->set->engine);
    cpu->waiting = false;
    cpu->set->due = cpu;
    cpu->set->turns_pending--;
    cpu->set->turns_fired++;
}

static void cpu_turn_at(struct cpu *cpu, uint64_t time_ps)
{
    cpu->set->turns_pending++;
    engine_at(cpu->set->engine, time_ps, cpu_turn, cpu, 0);
}

/* Fire events until it is some CPU's turn. NULL if there are none left. */
static struct cpu *next_turn(struct cpu_set *set)
{
    while (set->due == NULL)
        if (!engine_step(set->engine))
            return NULL;
    struct cpu *cpu = set->due;
    set->due = NULL;
    return cpu;
}

/* On the CPU's own stack: let everybody else go on until its own turn comes. */
static void cpu_give_way(struct cpu *cpu)
{
    struct cpu *other = next_turn(cpu->set);
    if (other == cpu)
        return;
    if (other == NULL) {
        fiber_leave(cpu->fiber); /* for good: cpu_set_run() finds nothing left to do either */
        return;
    }
    cpu->set->switches++;
    run_as(cpu->set, other);
    fiber_switch(cpu->fiber, other->fiber);
}

static void cpu_fiber_main(void *ctx)
{
    struct cpu *cpu = ctx;
    cpu->program(cpu->ctx);
    cpu->set->unfinished--;
}

static int run_several(struct cpu_set *set)
{
    for (struct cpu *cpu = set->first; cpu != NULL; cpu = cpu->next) {
        cpu->fiber = fiber_create(cpu_fiber_main, cpu);
        if (cpu->fiber == NULL) {
            drop_fibers(set);
            return -1;
        }
    }
    set->unfinished = set->count;
    for (struct cpu *cpu = set->first; cpu != NULL; cpu = cpu->next)
        cpu_turn_at(cpu, engine_now(set->engine));
    struct cpu *cpu;
    while (set->unfinished > 0 && (cpu = next_turn(set)) != NULL) {
        set->switches++;
        run_as(set, cpu);
        fiber_enter(cpu->fiber); /* until a program has ended, or nothing is left to happen */
    }
    drop_fibers(set);
    for (cpu = set->first; cpu != NULL; cpu = cpu->next) {
        cpu->now_ps = engine_now(set->engine);
        cpu->waiting = false;
    }
    run_as(set, set->first);
    return (int)set->unfinished;
}

int cpu_set_run(struct cpu_set *set)
{
    if (set->count > 1)
        return run_several(set);
    if (set->first != NULL)
        set->first->program(set->first->ctx);
    return 0;
}

uint64_t cpu_set_switches(const struct cpu_set *set)
{
    return set->switches;
}

bool cpu_set_is_quiet(const struct cpu_set *set)
{
    return set->turns_pending == 0 ? engine_next_time(set->engine) == ENGINE_NEVER
                                   : engine_pending(set->engine) == set->turns_pending;
}

uint64_t cpu_set_news(const struct cpu_set *set)
{
    return engine_fired(set->engine) - set->turns_fired;
}

/* ---- one CPU's time ---- */

unsigned cpu_number(const struct cpu *cpu)
{
    return cpu->number;
}

struct cpu_set *cpu_set_of(const struct cpu *cpu)
{
    return cpu->set;
}

uint64_t cpu_now(const struct cpu *cpu)
{
    return cpu->now_ps;
}

/* The CPU is one of several: if anything is due by then, let it go on first. Apart, so that one CPU
 * alone passes it by quickly. */
static __attribute__((noinline)) bool cpu_takes_turns(struct cpu *cpu, uint64_t time_ps)
{
    if (engine_next_time(cpu->set->engine) > time_ps)
        return false;
    cpu_turn_at(cpu, time_ps);
    cpu_give_way(cpu);
    return true;
}

static inline void cpu_pass(struct cpu *cpu, uint64_t time_ps)
{
    if (cpu->fiber != NULL && cpu_takes_turns(cpu, time_ps))
        return;
    cpu->now_ps = time_ps;
    if (!cpu->holds_devices)
        engine_run_until(cpu->set->engine, time_ps);
}

void cpu_spend(struct cpu *cpu, uint64_t ps)
{
    cpu_pass(cpu, cpu->now_ps + ps);
}

void cpu_spend_until(struct cpu *cpu, uint64_t time_ps)
{
    if (time_ps >= cpu->now_ps)
        cpu_pass(cpu, time_ps);
}

void cpu_exit(struct cpu *cpu)
{
    if (cpu->holds_devices)
        engine_run_held_off(cpu->set->engine, cpu->now_ps);
}

static __attribute__((noinline)) bool cpu_wait_turns(struct cpu *cpu)
{
    if (!cpu->wake_pending) {
        cpu->waiting = true;
        cpu_give_way(cpu);
    }
    cpu->wake_pending = false;
    return true;
}

bool cpu_wait(struct cpu *cpu)
{
    struct engine *engine = cpu->set->engine;
    cpu_exit(cpu);
    if (cpu->fiber != NULL)
        return cpu_wait_turns(cpu);
    bool alive = true;
    while (!cpu->wake_pending && alive)
        alive = engine_step(engine);
    cpu->now_ps = engine_now(engine); /* what happened meanwhile took its time, woken or not */
    if (!cpu->wake_pending)
        return false;
    cpu->wake_pending = false;
    return true;
}

void cpu_wake(struct cpu *cpu)
{
    cpu->wake_pending = true;
    if (cpu->fiber != NULL && cpu->waiting) {
        cpu->waiting = false; /* one turn is enough, however many wake-ups come */
        cpu_turn_at(cpu, engine_now(cpu->set->engine));
    }
}
