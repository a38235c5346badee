/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Simulated CPUs; see cpu.h. With one CPU everything happens in the program's own calls:
 * cpu_spend() runs the engine to the new time and returns. With several, a CPU whose time would
 * pass something that is due goes back to the main loop, which lets events and CPUs go on in order
 * of time.
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
    struct fiber *fiber;
    uint64_t now_ps;
    unsigned number;
    bool holds_devices;
    bool wake_pending;
    bool waiting;
    bool finished;
};

struct cpu_set {
    struct engine *engine;
    struct cpu *first, *last;
    unsigned count;
    uint64_t switches;
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

void cpu_set_destroy(struct cpu_set *set)
{
    if (set == NULL)
        return;
    while (set->first != NULL) {
        struct cpu *cpu = set->first;
        set->first = cpu->next;
        fiber_destroy(cpu->fiber);
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
        set->first = cpu;
    set->last = cpu;
    assert(set->count == 1 || !set->first->holds_devices);
    return cpu;
}

static void cpu_resume(void *ctx, uint64_t arg)
{
    struct cpu *cpu = ctx;
    (void)arg;
    cpu->now_ps = engine_now(cpu->set->engine);
    cpu->waiting = false;
    cpu->set->switches++;
    fiber_enter(cpu->fiber);
}

static void cpu_fiber_main(void *ctx)
{
    struct cpu *cpu = ctx;
    cpu->program(cpu->ctx);
    cpu->finished = true;
}

int cpu_set_run(struct cpu_set *set)
{
    if (set->count == 1) {
        set->first->program(set->first->ctx);
        set->first->finished = true;
        return 0;
    }
    for (struct cpu *cpu = set->first; cpu != NULL; cpu = cpu->next) {
        cpu->fiber = fiber_create(cpu_fiber_main, cpu);
        if (cpu->fiber == NULL)
            return -1;
        engine_at(set->engine, engine_now(set->engine), cpu_resume, cpu, 0);
    }
    int left;
    do {
        left = 0;
        for (const struct cpu *cpu = set->first; cpu != NULL; cpu = cpu->next)
            left += !cpu->finished;
    } while (left > 0 && engine_step(set->engine));
    return left;
}

uint64_t cpu_set_switches(const struct cpu_set *set)
{
    return set->switches;
}

unsigned cpu_number(const struct cpu *cpu)
{
    return cpu->number;
}

uint64_t cpu_now(const struct cpu *cpu)
{
    return cpu->now_ps;
}

void cpu_spend(struct cpu *cpu, uint64_t ps)
{
    cpu_spend_until(cpu, cpu->now_ps + ps);
}

void cpu_spend_until(struct cpu *cpu, uint64_t time_ps)
{
    struct engine *engine = cpu->set->engine;
    if (time_ps < cpu->now_ps)
        return;
    if (cpu->fiber != NULL && engine_next_time(engine) <= time_ps) {
        engine_at(engine, time_ps, cpu_resume, cpu, 0);
        fiber_leave(cpu->fiber);
        return;
    }
    cpu->now_ps = time_ps;
    if (!cpu->holds_devices)
        engine_run_until(engine, time_ps);
}

void cpu_exit(struct cpu *cpu)
{
    if (cpu->holds_devices)
        engine_run_held_off(cpu->set->engine, cpu->now_ps);
}

bool cpu_wait(struct cpu *cpu)
{
    struct engine *engine = cpu->set->engine;
    cpu_exit(cpu);
    if (cpu->fiber != NULL) {
        if (!cpu->wake_pending) {
            cpu->waiting = true;
            fiber_leave(cpu->fiber);
        }
    } else {
        bool alive = true;
        while (!cpu->wake_pending && alive)
            alive = engine_step(engine);
        cpu->now_ps = engine_now(engine); /* what happened meanwhile took its time, woken or not */
        if (!cpu->wake_pending)
            return false;
    }
    cpu->wake_pending = false;
    return true;
}

void cpu_wake(struct cpu *cpu)
{
    cpu->wake_pending = true;
    if (cpu->fiber != NULL && cpu->waiting) {
        cpu->waiting = false; /* one resume event is enough, however many wake-ups come */
        engine_at(cpu->set->engine, engine_now(cpu->set->engine), cpu_resume, cpu, 0);
    }
}
