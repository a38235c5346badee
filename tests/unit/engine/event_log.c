/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See event_log.h.
 */
#include "unit/engine/event_log.h"

struct engine *event_log_engine;
struct event_log_entry event_log[EVENT_LOG_LENGTH];
unsigned event_log_count;

void event_log_setup(void)
{
    event_log_engine = engine_create(7);
    event_log_count = 0;
}

void event_log_teardown(void)
{
    engine_destroy(event_log_engine);
}

void event_log_note(void *ctx, uint64_t arg)
{
    struct engine *on = ctx;
    ck_assert_uint_lt(event_log_count, EVENT_LOG_LENGTH);
    event_log[event_log_count].arg = arg;
    event_log[event_log_count++].time_ps = engine_now(on);
}

engine_handle event_log_at(uint64_t time_ps, uint64_t arg)
{
    return engine_at(event_log_engine, time_ps, event_log_note, event_log_engine, arg);
}

void event_log_expect(unsigned index, uint64_t arg, uint64_t time_ps)
{
    ck_assert_uint_lt(index, event_log_count);
    ck_assert_uint_eq(event_log[index].arg, arg);
    ck_assert_uint_eq(event_log[index].time_ps, time_ps);
}
