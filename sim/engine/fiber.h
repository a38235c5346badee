/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fibers: stacks on which simulated CPUs run ordinary C when there is more than one of them. The
 * only file pair of the simulator that needs ucontext; a platform without it (WebAssembly) has no
 * fibers, and fiber_create() returns NULL there: a host with one CPU never asks for one.
 */
#ifndef ENGINE_FIBER_H
#define ENGINE_FIBER_H

struct fiber;

/* A fiber that will run entry(ctx) on its own stack when first switched to. NULL if fibers are not
 * to be had. */
struct fiber *fiber_create(void (*entry)(void *ctx), void *ctx);
/* Only when it has returned from its entry, or was never switched to, or will never be again. */
void fiber_destroy(struct fiber *fiber);
/* From the main stack: run the fiber until it calls fiber_leave() or its entry returns. */
void fiber_enter(struct fiber *fiber);
/* From inside the fiber: back to where fiber_enter() was called, of this fiber or of the first one
 * of those that have switched among each other since. */
void fiber_leave(struct fiber *fiber);
/* From inside a fiber: let another one run, without a way through the main stack. */
void fiber_switch(struct fiber *from, struct fiber *to);

#endif
