/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue as a specification: order, cancelling, limits of time, running up to a moment,
 * and running late what was held off. Each test has its own event_log_engine; events write what
 * they see into one log. Thousands of them are in test_growth.c.
 */
#include "engine/engine.h"
#include "unit/engine/event_log.h"
#include "unit/engine/suites.h"

START_TEST(a_new_engine_is_empty)
{
    ck_assert_uint_eq(engine_now(event_log_engine), 0);
    ck_assert_uint_eq(engine_seed(event_log_engine), 7);
    ck_assert_uint_eq(engine_fired(event_log_engine), 0);
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER);
    ck_assert(!engine_step(event_log_engine));
    ck_assert_uint_eq(engine_now(event_log_engine), 0);
}
END_TEST

START_TEST(earlier_times_fire_first)
{
    /* given events scheduled out of order */
    event_log_at(30, 3);
    event_log_at(10, 1);
    event_log_at(20, 2);
    /* when run */
    engine_run_until(event_log_engine, 100);
    /* then they fire by time, each at its own */
    ck_assert_uint_eq(event_log_count, 3);
    event_log_expect(0, 1, 10);
    event_log_expect(1, 2, 20);
    event_log_expect(2, 3, 30);
    ck_assert_uint_eq(engine_now(event_log_engine), 100);
    ck_assert_uint_eq(engine_fired(event_log_engine), 3);
}
END_TEST

START_TEST(equal_times_fire_as_scheduled)
{
    /* given 500 events of one time, with others before and after among them */
    for (uint64_t i = 0; i < 500; i++) {
        event_log_at(50, i);
        if (i % 100 == 0)
            event_log_at(i % 200 == 0 ? 49 : 51, 1000 + i);
    }
    engine_run_until(event_log_engine, 51);
    ck_assert_uint_eq(event_log_count, 505);
    for (unsigned i = 0; i < 3; i++)
        event_log_expect(i, 1000 + 200 * i, 49);
    for (unsigned i = 0; i < 500; i++)
        event_log_expect(3 + i, i, 50);
    event_log_expect(503, 1100, 51);
    event_log_expect(504, 1300, 51);
}
END_TEST

START_TEST(a_cancelled_event_does_not_fire)
{
    engine_handle second = event_log_at(20, 2);
    event_log_at(10, 1);
    event_log_at(30, 3);
    ck_assert_uint_ne(second, 0);
    ck_assert(engine_cancel(event_log_engine, second));
    ck_assert(!engine_cancel(event_log_engine, second)); /* twice */
    engine_run_until(event_log_engine, 30);
    ck_assert_uint_eq(event_log_count, 2);
    event_log_expect(1, 3, 30);
    ck_assert_uint_eq(engine_fired(event_log_engine), 2); /* a cancelled event is not counted */
    ck_assert(
        !engine_cancel(event_log_engine, second)); /* and still stale when its time has passed */
}
END_TEST

START_TEST(a_fired_event_cannot_be_cancelled)
{
    engine_handle handle = event_log_at(10, 1);
    engine_run_until(event_log_engine, 10);
    ck_assert(!engine_cancel(event_log_engine, handle));
    ck_assert_uint_eq(event_log_count, 1);
}
END_TEST

START_TEST(a_stale_handle_does_not_reach_the_slot_s_next_event)
{
    /* given a fired event, whose slot the next event takes over */
    engine_handle old = event_log_at(10, 1);
    engine_run_until(event_log_engine, 10);
    engine_handle new = event_log_at(20, 2);
    ck_assert_uint_eq((uint32_t)old, (uint32_t) new); /* the same slot, or the test tests nothing */
    ck_assert_uint_ne(old, new);
    /* when the old handle is cancelled, then the new event fires all the same */
    ck_assert(!engine_cancel(event_log_engine, old));
    engine_run_until(event_log_engine, 20);
    event_log_expect(1, 2, 20);
    /* and the same after a cancelled event has left the heap */
    engine_handle gone = event_log_at(30, 3);
    ck_assert(engine_cancel(event_log_engine, gone));
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER);
    event_log_at(40, 4);
    ck_assert(!engine_cancel(event_log_engine, gone));
    engine_run_until(event_log_engine, 40);
    event_log_expect(2, 4, 40);
}
END_TEST

START_TEST(handles_of_nothing_are_refused)
{
    ck_assert(!engine_cancel(event_log_engine, 0));
    ck_assert(!engine_cancel(event_log_engine, 5));                        /* a slot never used */
    ck_assert(!engine_cancel(event_log_engine, UINT64_C(1) << 32 | 9999)); /* beyond the slots */
    ck_assert(!engine_cancel(event_log_engine, UINT64_MAX));
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
    engine_at(event_log_engine, 10, cancel_victim, event_log_engine, 0);
    victim = event_log_at(10, 1);
    own = engine_at(event_log_engine, 10, cancel_self, event_log_engine,
                    0); /* itself: it has fired already */
    event_log_at(10, 2);
    engine_run_until(event_log_engine, 10);
    ck_assert_uint_eq(event_log_count, 1);
    event_log_expect(0, 2, 10);
}
END_TEST

START_TEST(next_time_skips_what_was_cancelled)
{
    engine_handle first = event_log_at(10, 1), second = event_log_at(20, 2);
    event_log_at(30, 3);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 10);
    engine_cancel(event_log_engine, second);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 10);
    engine_cancel(event_log_engine, first);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 30);
    ck_assert(engine_step(event_log_engine));
    event_log_expect(0, 3, 30);
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER);
    ck_assert(!engine_step(event_log_engine));
}
END_TEST

START_TEST(never_does_not_fire)
{
    ck_assert_uint_eq(event_log_at(ENGINE_NEVER, 1), 0); /* no handle, no event */
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER);
    ck_assert_uint_ne(event_log_at(ENGINE_NEVER - 1, 2), 0); /* the last moment that is one */
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER - 1);
    ck_assert(engine_step(event_log_engine));
    event_log_expect(0, 2, ENGINE_NEVER - 1);
    ck_assert(!engine_step(event_log_engine));
}
END_TEST

START_TEST(delays_saturate)
{
    /* given now = 100 */
    engine_run_until(event_log_engine, 100);
    /* when a delay runs past the end of time, then nothing is scheduled */
    ck_assert_uint_eq(
        engine_after(event_log_engine, ENGINE_NEVER, event_log_note, event_log_engine, 1), 0);
    ck_assert_uint_eq(
        engine_after(event_log_engine, ENGINE_NEVER - 99, event_log_note, event_log_engine, 1),
        0); /* wraps to 0 */
    ck_assert_uint_eq(
        engine_after(event_log_engine, ENGINE_NEVER - 100, event_log_note, event_log_engine, 1),
        0); /* just never */
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER);
    /* and one less is the last moment */
    ck_assert_uint_ne(
        engine_after(event_log_engine, ENGINE_NEVER - 101, event_log_note, event_log_engine, 1), 0);
    ck_assert_uint_eq(engine_next_time(event_log_engine), ENGINE_NEVER - 1);
    /* a delay of 0 is now */
    ck_assert_uint_ne(engine_after(event_log_engine, 0, event_log_note, event_log_engine, 2), 0);
    engine_run_until(event_log_engine, 100);
    ck_assert_uint_eq(event_log_count, 1);
    event_log_expect(0, 2, 100);
}
END_TEST

START_TEST(run_until_includes_its_moment)
{
    event_log_at(1000, 1);
    engine_run_until(event_log_engine, 999);
    ck_assert_uint_eq(event_log_count, 0);
    ck_assert_uint_eq(engine_now(event_log_engine), 999);
    engine_run_until(event_log_engine, 1000);
    ck_assert_uint_eq(event_log_count, 1);
    ck_assert_uint_eq(engine_now(event_log_engine), 1000);
    event_log_at(1001, 2);
    engine_run_until(event_log_engine, 1002);
    event_log_expect(1, 2, 1001);
    ck_assert_uint_eq(engine_now(event_log_engine), 1002);
    engine_run_until(event_log_engine, 500); /* time does not go back */
    ck_assert_uint_eq(engine_now(event_log_engine), 1002);
}
END_TEST

static void chain(void *ctx, uint64_t arg)
{
    event_log_note(ctx, arg);
    if (arg > 0)
        engine_after(ctx, 10, chain, ctx, arg - 1);
}

START_TEST(run_until_runs_what_it_makes_due)
{
    /* given a chain of events 10 ps apart, when run to 35 */
    engine_at(event_log_engine, 10, chain, event_log_engine, 5);
    engine_run_until(event_log_engine, 35);
    /* then those at 10, 20, 30 fired and the one at 40 waits */
    ck_assert_uint_eq(event_log_count, 3);
    event_log_expect(2, 3, 30);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 40);
}
END_TEST

static void rearm(void *ctx, uint64_t arg)
{
    event_log_note(ctx, arg);
    if (arg < 4)
        engine_after(ctx, 0, rearm, ctx, arg + 1);
}

START_TEST(an_event_that_rearms_itself_now_goes_behind_the_others)
{
    engine_at(event_log_engine, 10, rearm, event_log_engine, 0);
    event_log_at(10, 100);
    event_log_at(10, 101);
    event_log_at(11, 102);
    engine_run_until(event_log_engine, 11);
    static const uint64_t order[] = {0, 100, 101, 1, 2, 3, 4, 102};
    ck_assert_uint_eq(event_log_count, 8);
    for (unsigned i = 0; i < 8; i++)
        event_log_expect(i, order[i], i == 7 ? 11 : 10);
}
END_TEST

START_TEST(held_off_events_see_the_late_time)
{
    /* given events at 10, 20 and 101, held off until 100 */
    event_log_at(20, 2);
    event_log_at(10, 1);
    event_log_at(101, 4);
    event_log_at(100, 3);
    engine_run_held_off(event_log_engine, 100);
    /* then what was due fires in its order, and all of it at 100 */
    ck_assert_uint_eq(event_log_count, 3);
    for (unsigned i = 0; i < 3; i++)
        event_log_expect(i, i + 1, 100);
    ck_assert_uint_eq(engine_now(event_log_engine), 100);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 101);
}
END_TEST

START_TEST(what_held_off_events_schedule_counts_from_the_late_time)
{
    engine_at(event_log_engine, 10, chain, event_log_engine, 2);
    engine_run_held_off(event_log_engine, 100);
    ck_assert_uint_eq(event_log_count, 1);
    event_log_expect(0, 2, 100);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 110); /* not 20 */
    engine_run_held_off(event_log_engine, 109);
    ck_assert_uint_eq(event_log_count, 1);
    engine_run_held_off(event_log_engine, 500);
    event_log_expect(1, 1, 500);
    ck_assert_uint_eq(engine_next_time(event_log_engine), 510);
    engine_run_held_off(event_log_engine, 400); /* time does not go back */
    ck_assert_uint_eq(engine_now(event_log_engine), 500);
    /* but what is due at the late moment itself, without delay, runs in the same turn */
    engine_at(event_log_engine, 505, rearm, event_log_engine, 0);
    engine_run_held_off(event_log_engine, 509);
    ck_assert_uint_eq(event_log_count, 7);
    event_log_expect(6, 4, 509);
}
END_TEST

START_TEST(engines_are_independent)
{
    struct engine *other = engine_create(8);
    engine_at(other, 5, event_log_note, other, 50);
    event_log_at(10, 1);
    engine_run_until(event_log_engine, 10);
    ck_assert_uint_eq(engine_now(other), 0);
    ck_assert_uint_eq(engine_next_time(other), 5);
    engine_run_until(other, 5);
    event_log_expect(1, 50, 5);
    engine_destroy(other); /* with nothing left; and below, with something left */
    event_log_at(99, 9);
    engine_destroy(NULL);
}
END_TEST

Suite *suite_order(void)
{
    Suite *suite = suite_create("event order");
    TCase *tcase = tcase_create("engine");
    tcase_add_checked_fixture(tcase, event_log_setup, event_log_teardown);
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
