/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event queue under load: far beyond its first capacity against a sorted reference, and slots
 * used again under churn. Random times, fixed seeds.
 */
#include <stdlib.h>

#include "engine/engine.h"
#include "engine/rng.h"
#include "unit/engine/suites.h"

#define LOG_LENGTH 8192u

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
        handles[i] = note_at(expected[i].time_ps, i);
    }
    unsigned left = 0;
    for (unsigned i = 0; i < EVENTS; i++) {
        left += !expected[i].cancelled;
        if (expected[i].cancelled)
            ck_assert(engine_cancel(engine, handles[i]));
    }
    qsort(expected, EVENTS, sizeof expected[0], expected_order);
    /* when all are stepped through */
    while (engine_step(engine))
        ;
    /* then the order is that of the sort */
    ck_assert_uint_eq(seen_count, left);
    ck_assert_uint_eq(engine_fired(engine), left);
    unsigned at = 0;
    for (unsigned i = 0; i < EVENTS; i++)
        if (!expected[i].cancelled)
            ck_seen(at++, expected[i].seq, expected[i].time_ps);
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
        cancelled += engine_cancel(engine, live[at]);
        live[at] = engine_after(engine, rng_below(&rng, 50), note, engine, round);
        scheduled++;
        if (round % 3 == 0)
            engine_run_until(engine, engine_now(engine) + rng_below(&rng, 20));
    }
    while (engine_step(engine))
        ;
    /* then every event either fired or was cancelled, in order of time, */
    ck_assert_uint_eq(engine_fired(engine) + cancelled, scheduled);
    ck_assert_uint_eq(seen_count, scheduled - cancelled);
    ck_assert_uint_gt(cancelled, 100);
    for (unsigned i = 1; i < seen_count; i++)
        ck_assert_uint_ge(seen[i].time_ps, seen[i - 1].time_ps);
    /* and all handles are stale */
    for (unsigned i = 0; i < MOST; i++)
        ck_assert(!engine_cancel(engine, live[i]));
}
END_TEST

Suite *suite_growth(void)
{
    Suite *suite = suite_create("event load");
    TCase *tcase = tcase_create("growth");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, thousands_of_events_fire_in_the_order_of_a_sort);
    tcase_add_test(tcase, slots_are_used_again_under_churn);
    suite_add_tcase(suite, tcase);
    return suite;
}
