/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine and a log of the events that it fired: what test_order.c and test_growth.c share.
 */
#ifndef TESTS_ENGINE_EVENT_LOG_H
#define TESTS_ENGINE_EVENT_LOG_H

#include <check.h>

#include "engine/engine.h"

#define EVENT_LOG_LENGTH 8192u

extern struct engine *event_log_engine;
extern struct event_log_entry {
    uint64_t arg, time_ps;
} event_log[EVENT_LOG_LENGTH];
extern unsigned event_log_count;

/* Fixture: a fresh engine, an empty log. */
void event_log_setup(void);
void event_log_teardown(void);

/* An engine_fn whose ctx is the engine it runs on. */
void event_log_note(void *ctx, uint64_t arg);
engine_handle event_log_at(uint64_t time_ps, uint64_t arg);
void event_log_expect(unsigned index, uint64_t arg, uint64_t time_ps);

#endif
