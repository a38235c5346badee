/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue under load: far beyond its first capacity against a sorted reference, and slots
 * used again under churn. Random times, fixed seeds.
 */
#include <stdlib.h>

#include "engine/engine.h"
#include "engine/rng.h"
#include "unit/engine/event_log.h"
#include "unit/engine/suites.h"

struct expected {
    uint64_t time_ps, seq;
    bool cancelled;
};

static int expected_order(const void *x, const void *y)
{
    const struct expected *a = x, *b = y;
    if (a->time_ps != b->time_ps)
        return a->time_ps < b->time_ps ? -1 : 1;
    return a->seq < b->seq ? -1 : 1;
}

START_TEST(thousands_of_events_fire_in_the_order_of_a_sort)
{
    /* given 5000 events at random times (many equal), every seventh cancelled */
    enum { EVENTS = 5000 };
    static struct expected expected[EVENTS];
    static engine_handle handles[EVENTS];
    struct rng rng;
    rng_init(&rng, 1, "order");
    for (unsigned i = 0; i < EVENTS; i++) {
        expected[i] = (struct expected){rng_below(&rng, 1000), i, i % 7 == 3};
        handles[i] = event_log_at(expected[i].time_ps, i);
    }
    unsigned left = 0;
    for (unsigned i = 0; i < EVENTS; i++) {
        left += !expected[i].cancelled;
        if (expected[i].cancelled)
            ck_assert(engine_cancel(event_log_engine, handles[i]));
    }
    qsort(expected, EVENTS, sizeof expected[0], expected_order);
    /* when all are stepped through */
    while (engine_step(event_log_engine))
        ;
    /* then the order is that of the sort */
    ck_assert_uint_eq(event_log_count, left);
    ck_assert_uint_eq(engine_fired(event_log_engine), left);
    unsigned at = 0;
    for (unsigned i = 0; i < EVENTS; i++)
        if (!expected[i].cancelled)
            event_log_expect(at++, expected[i].seq, expected[i].time_ps);
}
END_TEST

START_TEST(slots_are_used_again_under_churn)
{
    /* given 3000 rounds in which random events are scheduled, cancelled and run, */
    enum { ROUNDS = 3000, MOST = 40 };
    engine_handle live[MOST] = {0};
    uint64_t scheduled = 0, cancelled = 0;
    struct rng rng;
    rng_init(&rng, 2, "churn");
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned at = (unsigned)rng_below(&rng, MOST);
        cancelled += engine_cancel(event_log_engine, live[at]);
        live[at] = engine_after(event_log_engine, rng_below(&rng, 50), event_log_note,
                                event_log_engine, round);
        scheduled++;
        if (round % 3 == 0)
            engine_run_until(event_log_engine, engine_now(event_log_engine) + rng_below(&rng, 20));
    }
    while (engine_step(event_log_engine))
        ;
    /* then every event either fired or was cancelled, in order of time, */
    ck_assert_uint_eq(engine_fired(event_log_engine) + cancelled, scheduled);
    ck_assert_uint_eq(event_log_count, scheduled - cancelled);
    ck_assert_uint_gt(cancelled, 100);
    for (unsigned i = 1; i < event_log_count; i++)
        ck_assert_uint_ge(event_log[i].time_ps, event_log[i - 1].time_ps);
    /* and all handles are stale */
    for (unsigned i = 0; i < MOST; i++)
        ck_assert(!engine_cancel(event_log_engine, live[i]));
}
END_TEST

Suite *suite_growth(void)
{
    Suite *suite = suite_create("event load");
    TCase *tcase = tcase_create("growth");
    tcase_add_checked_fixture(tcase, event_log_setup, event_log_teardown);
    tcase_add_test(tcase, thousands_of_events_fire_in_the_order_of_a_sort);
    tcase_add_test(tcase, slots_are_used_again_under_churn);
    suite_add_tcase(suite, tcase);
    return suite;
}
