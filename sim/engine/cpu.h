/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Simulated CPUs: ordinary C whose calls cost simulated time. A program on a CPU says what it
 * spends (cpu_spend) and waits (cpu_wait); the engine runs everything that is due before it goes
 * on. One CPU runs on the caller's own stack and never switches; several run on fibers, earliest
 * first, and stacks are switched only to let another CPU go on. Events never call programs: they
 * wake CPUs (cpu_wake), and a woken CPU goes on when its time has come.
 *
 * A CPU may hold devices off: the property of an emulator with one thread, where device work gets
 * the thread only when the guest leaves translated code. Then cpu_spend() lets only the CPU's clock
 * run ahead, and cpu_exit() or cpu_wait() let the devices catch up, late.
 */
#ifndef ENGINE_CPU_H
#define ENGINE_CPU_H

#include "engine/engine.h"

struct cpu;
struct cpu_set;

struct cpu_set *cpu_set_create(struct engine *engine);
void cpu_set_destroy(struct cpu_set *set);

/* Add a CPU whose program is main(ctx). Numbered from 0 in the order of calls. holds_devices: see
 * above; such a CPU must be the only one. */
struct cpu *cpu_add(struct cpu_set *set, void (*program)(void *ctx), void *ctx, bool holds_devices);
/* Another program than that given to cpu_add(). Not while cpu_set_run() runs. */
void cpu_set_program(struct cpu *cpu, void (*program)(void *ctx), void *ctx);
/* Called with the number of the CPU whose calls come next, whenever that changes: several CPUs
 * only. Before cpu_set_run() and after it, that is CPU 0. */
void cpu_set_on_switch(struct cpu_set *set, void (*on_switch)(void *ctx, unsigned number),
                       void *ctx);
/* Run all programs to their ends; may be called again for others. Outside of it CPU 0's calls may
 * be made on the caller's own stack, as if there were no others. Returns the number of CPUs that
 * did not reach theirs, because they wait and nothing is left that could wake them (0: all done);
 * -1 if fibers are needed and cannot be had. */
int cpu_set_run(struct cpu_set *set);
/* Stacks switched so far (0 with one CPU). */
uint64_t cpu_set_switches(const struct cpu_set *set);
/* Nothing is due any more but that CPUs go on: no device has anything left to do. */
bool cpu_set_is_quiet(const struct cpu_set *set);
/* Events fired so far that were not CPUs going on. */
uint64_t cpu_set_news(const struct cpu_set *set);

unsigned cpu_number(const struct cpu *cpu);
struct cpu_set *cpu_set_of(const struct cpu *cpu);
/* The CPU's own time, ps. Equal to the engine's, except while it holds devices off. */
uint64_t cpu_now(const struct cpu *cpu);
/* Time passes on this CPU. */
void cpu_spend(struct cpu *cpu, uint64_t ps);
void cpu_spend_until(struct cpu *cpu, uint64_t time_ps);
/* Devices held off catch up now. Does nothing on other CPUs. */
void cpu_exit(struct cpu *cpu);
/* Idle until somebody calls cpu_wake(), at the time of that call; returns at once if a wake-up has
 * come since the last wait. Returns false if nothing is left that could ever wake it (one CPU only;
 * with several, cpu_set_run() returns instead). */
bool cpu_wait(struct cpu *cpu);
/* From an event, or from another CPU. */
void cpu_wake(struct cpu *cpu);

#endif
