/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event engine: simulated time in picoseconds and a queue of things that are due. Every model
 * part gets the engine it runs on at creation; several engines can exist in one process. Events
 * fire in the order (time, sequence number), so equal times keep the order in which they were
 * scheduled, and the same inputs give the same run on every machine. The engine knows nothing of
 * NVMe, of hosts, or of what its events mean.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/stream.h"

struct engine;

#define ENGINE_NEVER UINT64_MAX /* later than any event */

/* An event's action. arg is the value given when it was scheduled. */
typedef void engine_fn(void *ctx, uint64_t arg);

/* Names a scheduled event for engine_cancel(). 0 is never a valid handle. A handle whose event has
 * fired or was cancelled is stale: cancelling it again does nothing and returns false. */
typedef uint64_t engine_handle;

struct engine *engine_create(uint64_t seed); /* never NULL: exits with a message if out of memory */
void engine_destroy(struct engine *engine);

uint64_t engine_now(const struct engine *engine);  /* ps */
uint64_t engine_seed(const struct engine *engine); /* as given */
struct stream *engine_stream(struct engine *engine);

/* Schedule fn(ctx, arg) at time_ps, which must not lie in the past (asserted). */
engine_handle engine_at(struct engine *engine, uint64_t time_ps, engine_fn *fn, void *ctx,
                        uint64_t arg);
/* The same, delay_ps from now; saturates at ENGINE_NEVER, which never fires. */
engine_handle engine_after(struct engine *engine, uint64_t delay_ps, engine_fn *fn, void *ctx,
                           uint64_t arg);
bool engine_cancel(struct engine *engine, engine_handle handle);

/* Time of the earliest event, ENGINE_NEVER if there is none. */
uint64_t engine_next_time(const struct engine *engine);
/* Fire everything due at or before time_ps, each at its own time, then set now to time_ps. */
void engine_run_until(struct engine *engine, uint64_t time_ps);
/* Set now to time_ps, then fire everything that was due by then, at that late time: what becomes of
 * device work that was held off while somebody else kept the only thread. */
void engine_run_held_off(struct engine *engine, uint64_t time_ps);
/* Fire the earliest event. False if there is none. */
bool engine_step(struct engine *engine);
/* Events scheduled and not cancelled. */
uint64_t engine_pending(const struct engine *engine);
/* Events fired so far. */
uint64_t engine_fired(const struct engine *engine);

#endif
