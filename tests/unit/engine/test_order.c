/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue as a specification: order, cancelling, limits of time, running up to a moment,
 * and running late what was held off. Each test has its own engine; events write what they see into
 * one log.
 * Thousands of them are in test_growth.c.
 */
#include "engine/engine.h"
#include "unit/engine/suites.h"

#define LOG_LENGTH 1024u

static struct engine *engine;
static struct {
    uint64_t arg, time_ps;
} seen[LOG_LENGTH];
static unsigned seen_count;

static void setup(void)
{
    engine = engine_create(7);
    seen_count = 0;
}

static void teardown(void)
{
    engine_destroy(engine);
}

static void note(void *ctx, uint64_t arg)
{
    struct engine *on = ctx;
    ck_assert_uint_lt(seen_count, LOG_LENGTH);
    seen[seen_count].arg = arg;
    seen[seen_count++].time_ps = engine_now(on);
}

static engine_handle note_at(uint64_t time_ps, uint64_t arg)
{
    return engine_at(engine, time_ps, note, engine, arg);
}

static void ck_seen(unsigned index, uint64_t arg, uint64_t time_ps)
{
    ck_assert_uint_lt(index, seen_count);
    ck_assert_uint_eq(seen[index].arg, arg);
    ck_assert_uint_eq(seen[index].time_ps, time_ps);
}

START_TEST(a_new_engine_is_empty)
{
    ck_assert_uint_eq(engine_now(engine), 0);
    ck_assert_uint_eq(engine_seed(engine), 7);
    ck_assert_uint_eq(engine_fired(engine), 0);
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
    ck_assert(!engine_step(engine));
    ck_assert_uint_eq(engine_now(engine), 0);
}
END_TEST

START_TEST(earlier_times_fire_first)
{
    /* given events scheduled out of order */
    note_at(30, 3);
    note_at(10, 1);
    note_at(20, 2);
    /* when run */
    engine_run_until(engine, 100);
    /* then they fire by time, each at its own */
    ck_assert_uint_eq(seen_count, 3);
    ck_seen(0, 1, 10);
    ck_seen(1, 2, 20);
    ck_seen(2, 3, 30);
    ck_assert_uint_eq(engine_now(engine), 100);
    ck_assert_uint_eq(engine_fired(engine), 3);
}
END_TEST

START_TEST(equal_times_fire_as_scheduled)
{
    /* given 500 events of one time, with others before and after among them */
    for (uint64_t i = 0; i < 500; i++) {
        note_at(50, i);
        if (i % 100 == 0)
            note_at(i % 200 == 0 ? 49 : 51, 1000 + i);
    }
    engine_run_until(engine, 51);
    ck_assert_uint_eq(seen_count, 505);
    for (unsigned i = 0; i < 3; i++)
        ck_seen(i, 1000 + 200 * i, 49);
    for (unsigned i = 0; i < 500; i++)
        ck_seen(3 + i, i, 50);
    ck_seen(503, 1100, 51);
    ck_seen(504, 1300, 51);
}
END_TEST

START_TEST(a_cancelled_event_does_not_fire)
{
    engine_handle second = note_at(20, 2);
    note_at(10, 1);
    note_at(30, 3);
    ck_assert_uint_ne(second, 0);
    ck_assert(engine_cancel(engine, second));
    ck_assert(!engine_cancel(engine, second)); /* twice */
    engine_run_until(engine, 30);
    ck_assert_uint_eq(seen_count, 2);
    ck_seen(1, 3, 30);
    ck_assert_uint_eq(engine_fired(engine), 2); /* a cancelled event is not counted */
    ck_assert(!engine_cancel(engine, second));  /* and still stale when its time has passed */
}
END_TEST

START_TEST(a_fired_event_cannot_be_cancelled)
{
    engine_handle handle = note_at(10, 1);
    engine_run_until(engine, 10);
    ck_assert(!engine_cancel(engine, handle));
    ck_assert_uint_eq(seen_count, 1);
}
END_TEST

START_TEST(a_stale_handle_does_not_reach_the_slot_s_next_event)
{
    /* given a fired event, whose slot the next event takes over */
    engine_handle old = note_at(10, 1);
    engine_run_until(engine, 10);
    engine_handle new = note_at(20, 2);
    ck_assert_uint_eq((uint32_t)old, (uint32_t) new); /* the same slot, or the test tests nothing */
    ck_assert_uint_ne(old, new);
    /* when the old handle is cancelled, then the new event fires all the same */
    ck_assert(!engine_cancel(engine, old));
    engine_run_until(engine, 20);
    ck_seen(1, 2, 20);
    /* and the same after a cancelled event has left the heap */
    engine_handle gone = note_at(30, 3);
    ck_assert(engine_cancel(engine, gone));
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
    note_at(40, 4);
    ck_assert(!engine_cancel(engine, gone));
    engine_run_until(engine, 40);
    ck_seen(2, 4, 40);
}
END_TEST

START_TEST(handles_of_nothing_are_refused)
{
    ck_assert(!engine_cancel(engine, 0));
    ck_assert(!engine_cancel(engine, 5));                        /* a slot never used */
    ck_assert(!engine_cancel(engine, UINT64_C(1) << 32 | 9999)); /* beyond the slots */
    ck_assert(!engine_cancel(engine, UINT64_MAX));
}
END_TEST

static engine_handle victim;

static void cancel_victim(void *ctx, uint64_t arg)
{
    (void)arg;
    ck_assert(engine_cancel(ctx, victim));
}

static engine_handle own;

static void cancel_self(void *ctx, uint64_t arg)
{
    (void)arg;
    ck_assert(!engine_cancel(ctx, own));
}

START_TEST(an_event_cancels_a_later_one_of_the_same_time)
{
    engine_at(engine, 10, cancel_victim, engine, 0);
    victim = note_at(10, 1);
    own = engine_at(engine, 10, cancel_self, engine, 0); /* itself: it has fired already */
    note_at(10, 2);
    engine_run_until(engine, 10);
    ck_assert_uint_eq(seen_count, 1);
    ck_seen(0, 2, 10);
}
END_TEST

START_TEST(next_time_skips_what_was_cancelled)
{
    engine_handle first = note_at(10, 1), second = note_at(20, 2);
    note_at(30, 3);
    ck_assert_uint_eq(engine_next_time(engine), 10);
    engine_cancel(engine, second);
    ck_assert_uint_eq(engine_next_time(engine), 10);
    engine_cancel(engine, first);
    ck_assert_uint_eq(engine_next_time(engine), 30);
    ck_assert(engine_step(engine));
    ck_seen(0, 3, 30);
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
    ck_assert(!engine_step(engine));
}
END_TEST

START_TEST(never_does_not_fire)
{
    ck_assert_uint_eq(note_at(ENGINE_NEVER, 1), 0); /* no handle, no event */
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
    ck_assert_uint_ne(note_at(ENGINE_NEVER - 1, 2), 0); /* the last moment that is one */
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER - 1);
    ck_assert(engine_step(engine));
    ck_seen(0, 2, ENGINE_NEVER - 1);
    ck_assert(!engine_step(engine));
}
END_TEST

START_TEST(delays_saturate)
{
    /* given now = 100 */
    engine_run_until(engine, 100);
    /* when a delay runs past the end of time, then nothing is scheduled */
    ck_assert_uint_eq(engine_after(engine, ENGINE_NEVER, note, engine, 1), 0);
    ck_assert_uint_eq(engine_after(engine, ENGINE_NEVER - 99, note, engine, 1), 0); /* wraps to 0 */
    ck_assert_uint_eq(engine_after(engine, ENGINE_NEVER - 100, note, engine, 1),
                      0); /* just never */
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
    /* and one less is the last moment */
    ck_assert_uint_ne(engine_after(engine, ENGINE_NEVER - 101, note, engine, 1), 0);
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER - 1);
    /* a delay of 0 is now */
    ck_assert_uint_ne(engine_after(engine, 0, note, engine, 2), 0);
    engine_run_until(engine, 100);
    ck_assert_uint_eq(seen_count, 1);
    ck_seen(0, 2, 100);
}
END_TEST

START_TEST(run_until_includes_its_moment)
{
    note_at(1000, 1);
    engine_run_until(engine, 999);
    ck_assert_uint_eq(seen_count, 0);
    ck_assert_uint_eq(engine_now(engine), 999);
    engine_run_until(engine, 1000);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_uint_eq(engine_now(engine), 1000);
    note_at(1001, 2);
    engine_run_until(engine, 1002);
    ck_seen(1, 2, 1001);
    ck_assert_uint_eq(engine_now(engine), 1002);
    engine_run_until(engine, 500); /* time does not go back */
    ck_assert_uint_eq(engine_now(engine), 1002);
}
END_TEST

static void chain(void *ctx, uint64_t arg)
{
    note(ctx, arg);
    if (arg > 0)
        engine_after(ctx, 10, chain, ctx, arg - 1);
}

START_TEST(run_until_runs_what_it_makes_due)
{
    /* given a chain of events 10 ps apart, when run to 35 */
    engine_at(engine, 10, chain, engine, 5);
    engine_run_until(engine, 35);
    /* then those at 10, 20, 30 fired and the one at 40 waits */
    ck_assert_uint_eq(seen_count, 3);
    ck_seen(2, 3, 30);
    ck_assert_uint_eq(engine_next_time(engine), 40);
}
END_TEST

static void rearm(void *ctx, uint64_t arg)
{
    note(ctx, arg);
    if (arg < 4)
        engine_after(ctx, 0, rearm, ctx, arg + 1);
}

START_TEST(an_event_that_rearms_itself_now_goes_behind_the_others)
{
    engine_at(engine, 10, rearm, engine, 0);
    note_at(10, 100);
    note_at(10, 101);
    note_at(11, 102);
    engine_run_until(engine, 11);
    static const uint64_t order[] = {0, 100, 101, 1, 2, 3, 4, 102};
    ck_assert_uint_eq(seen_count, 8);
    for (unsigned i = 0; i < 8; i++)
        ck_seen(i, order[i], i == 7 ? 11 : 10);
}
END_TEST

START_TEST(held_off_events_see_the_late_time)
{
    /* given events at 10, 20 and 101, held off until 100 */
    note_at(20, 2);
    note_at(10, 1);
    note_at(101, 4);
    note_at(100, 3);
    engine_run_held_off(engine, 100);
    /* then what was due fires in its order, and all of it at 100 */
    ck_assert_uint_eq(seen_count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_seen(i, i + 1, 100);
    ck_assert_uint_eq(engine_now(engine), 100);
    ck_assert_uint_eq(engine_next_time(engine), 101);
}
END_TEST

START_TEST(what_held_off_events_schedule_counts_from_the_late_time)
{
    engine_at(engine, 10, chain, engine, 2);
    engine_run_held_off(engine, 100);
    ck_assert_uint_eq(seen_count, 1);
    ck_seen(0, 2, 100);
    ck_assert_uint_eq(engine_next_time(engine), 110); /* not 20 */
    engine_run_held_off(engine, 109);
    ck_assert_uint_eq(seen_count, 1);
    engine_run_held_off(engine, 500);
    ck_seen(1, 1, 500);
    ck_assert_uint_eq(engine_next_time(engine), 510);
    engine_run_held_off(engine, 400); /* time does not go back */
    ck_assert_uint_eq(engine_now(engine), 500);
    /* but what is due at the late moment itself, without delay, runs in the same turn */
    engine_at(engine, 505, rearm, engine, 0);
    engine_run_held_off(engine, 509);
    ck_assert_uint_eq(seen_count, 7);
    ck_seen(6, 4, 509);
}
END_TEST

START_TEST(engines_are_independent)
{
    struct engine *other = engine_create(8);
    engine_at(other, 5, note, other, 50);
    note_at(10, 1);
    engine_run_until(engine, 10);
    ck_assert_uint_eq(engine_now(other), 0);
    ck_assert_uint_eq(engine_next_time(other), 5);
    engine_run_until(other, 5);
    ck_seen(1, 50, 5);
    engine_destroy(other); /* with nothing left; and below, with something left */
    note_at(99, 9);
    engine_destroy(NULL);
}
END_TEST

Suite *suite_order(void)
{
    Suite *suite = suite_create("event order");
    TCase *tcase = tcase_create("engine");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_new_engine_is_empty);
    tcase_add_test(tcase, earlier_times_fire_first);
    tcase_add_test(tcase, equal_times_fire_as_scheduled);
    tcase_add_test(tcase, a_cancelled_event_does_not_fire);
    tcase_add_test(tcase, a_fired_event_cannot_be_cancelled);
    tcase_add_test(tcase, a_stale_handle_does_not_reach_the_slot_s_next_event);
    tcase_add_test(tcase, handles_of_nothing_are_refused);
    tcase_add_test(tcase, an_event_cancels_a_later_one_of_the_same_time);
    tcase_add_test(tcase, next_time_skips_what_was_cancelled);
    tcase_add_test(tcase, never_does_not_fire);
    tcase_add_test(tcase, delays_saturate);
    tcase_add_test(tcase, run_until_includes_its_moment);
    tcase_add_test(tcase, run_until_runs_what_it_makes_due);
    tcase_add_test(tcase, an_event_that_rearms_itself_now_goes_behind_the_others);
    tcase_add_test(tcase, held_off_events_see_the_late_time);
    tcase_add_test(tcase, what_held_off_events_schedule_counts_from_the_late_time);
    tcase_add_test(tcase, engines_are_independent);
    suite_add_tcase(suite, tcase);
    return suite;
}
