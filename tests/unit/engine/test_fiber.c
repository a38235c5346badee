/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Several simulated CPUs on fibers: exact interleaving by time, waiting and waking among them, and
 * CPUs that never reach their end. Fibers by themselves as well. Meant to be run under
 * AddressSanitizer too, with CK_FORK=no.
 */
#include <string.h>

#include "engine/cpu.h"
#include "engine/fiber.h"
#include "engine/rng.h"
#include "unit/engine/suites.h"

#define MOST_CPUS 64u
#define MOST_SEEN 8192u

static struct engine *engine;
static struct cpu_set *set;
static struct cpu *cpus[MOST_CPUS];

static struct {
    unsigned who;
    uint64_t time_ps;
} seen[MOST_SEEN];
static unsigned seen_count;

static void setup(void)
{
    engine = engine_create(1);
    set = cpu_set_create(engine);
    seen_count = 0;
}

static void teardown(void)
{
    cpu_set_destroy(set);
    engine_destroy(engine);
}

static void note(unsigned who)
{
    ck_assert_uint_lt(seen_count, MOST_SEEN);
    seen[seen_count].who = who;
    seen[seen_count++].time_ps = engine_now(engine);
}

static void ck_seen(unsigned index, unsigned who, uint64_t time_ps)
{
    ck_assert_uint_lt(index, seen_count);
    ck_assert_uint_eq(seen[index].who, who);
    ck_assert_uint_eq(seen[index].time_ps, time_ps);
}

/* ---- fibers alone ---- */

static struct fiber *fibers[2];
static char steps[16];
static unsigned step_count;

static void fiber_entry(void *ctx)
{
    unsigned index = *(const unsigned *)ctx;
    for (unsigned i = 0; i < 3; i++) {
        steps[step_count++] = (char)('a' + index);
        fiber_leave(fibers[index]);
    }
    steps[step_count++] = (char)('A' + index);
}

START_TEST(fibers_go_on_where_they_left)
{
    static const unsigned indices[] = {0, 1};
    step_count = 0;
    memset(steps, 0, sizeof steps);
    unsigned copies[] = {indices[0], indices[1]};
    for (unsigned i = 0; i < 2; i++) {
        fibers[i] = fiber_create(fiber_entry, &copies[i]);
        ck_assert_ptr_nonnull(fibers[i]);
    }
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < 2; i++)
            fiber_enter(fibers[i]);
    ck_assert_str_eq(steps, "abababAB");
    fiber_destroy(fibers[0]);
    fiber_destroy(fibers[1]);
    fiber_destroy(fiber_create(fiber_entry, &copies[0])); /* never entered */
    fiber_destroy(NULL);
}
END_TEST

static void fiber_hands_over(void *ctx)
{
    unsigned index = *(const unsigned *)ctx;
    for (unsigned i = 0; i < 2; i++) {
        steps[step_count++] = (char)('a' + index);
        fiber_switch(fibers[index], fibers[1 - index]);
    }
    steps[step_count++] = (char)('A' + index);
}

START_TEST(fibers_switch_among_each_other_and_the_last_one_returns)
{
    step_count = 0;
    memset(steps, 0, sizeof steps);
    unsigned copies[] = {0, 1};
    for (unsigned i = 0; i < 2; i++)
        fibers[i] = fiber_create(fiber_hands_over, &copies[i]);
    /* when the first is entered, they take turns without the main stack until one ends, */
    fiber_enter(fibers[0]);
    ck_assert_str_eq(steps, "ababA");
    /* and the other goes on where it was */
    fiber_enter(fibers[1]);
    ck_assert_str_eq(steps, "ababAB");
    fiber_destroy(fibers[0]);
    fiber_destroy(fibers[1]);
}
END_TEST

/* ---- interleaving ---- */

static void program_steps(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    uint64_t step = cpu_number(cpu) == 0 ? 10 : 15;
    for (unsigned i = 0; i < 4; i++) {
        note(cpu_number(cpu));
        ck_assert_uint_eq(cpu_now(cpu), engine_now(engine));
        cpu_spend(cpu, step);
    }
}

START_TEST(two_cpus_take_turns_by_time)
{
    /* given two CPUs that spend 10 and 15 ps per step */
    for (unsigned i = 0; i < 2; i++)
        cpus[i] = cpu_add(set, program_steps, &cpus[i], false);
    ck_assert_int_eq(cpu_set_run(set), 0);
    /* then they appear by time; at 30 the one that set out for it first, at 15, comes first */
    static const struct {
        unsigned who;
        uint64_t time_ps;
    } expected[] = {{0, 0}, {1, 0}, {0, 10}, {1, 15}, {0, 20}, {1, 30}, {0, 30}, {1, 45}};
    ck_assert_uint_eq(seen_count, 8);
    for (unsigned i = 0; i < 8; i++)
        ck_seen(i, expected[i].who, expected[i].time_ps);
    ck_assert_uint_eq(cpu_now(cpus[0]), 60); /* it had ended at 40, and time went on */
    ck_assert_uint_eq(cpu_now(cpus[1]), 60);
    ck_assert_uint_eq(engine_now(engine), 60);
    ck_assert_uint_gt(cpu_set_switches(set), 0);
}
END_TEST

#define RANDOM_STEPS 100u

static uint64_t random_step(unsigned who, unsigned step)
{
    struct rng rng;
    rng_init(&rng, who * 1000u + step, "step");
    return rng_below(&rng, 40);
}

static void program_random(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    for (unsigned i = 0; i < RANDOM_STEPS; i++) {
        note(cpu_number(cpu));
        cpu_spend(cpu, random_step(cpu_number(cpu), i));
    }
}

/* The order as (time, when it was set out for), by looking at all CPUs for each step. */
static void ck_random_order(unsigned count)
{
    uint64_t time_ps[MOST_CPUS] = {0}, order[MOST_CPUS], next = count;
    unsigned step[MOST_CPUS] = {0};
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    ck_assert_uint_eq(seen_count, count * RANDOM_STEPS);
    for (unsigned at = 0; at < seen_count;) {
        unsigned best = count;
        for (unsigned i = 0; i < count; i++)
            if (step[i] <= RANDOM_STEPS &&
                (best == count || time_ps[i] < time_ps[best] ||
                 (time_ps[i] == time_ps[best] && order[i] < order[best])))
                best = i;
        if (step[best] < RANDOM_STEPS) {
            ck_seen(at++, best, time_ps[best]);
            time_ps[best] += random_step(best, step[best]);
            order[best] = next++;
        }
        step[best]++;
    }
}

START_TEST(many_cpus_interleave_exactly)
{
    static const unsigned counts[] = {2, 4, 64};
    unsigned count = counts[_i];
    for (unsigned i = 0; i < count; i++) {
        cpus[i] = cpu_add(set, program_random, &cpus[i], false);
        ck_assert_uint_eq(cpu_number(cpus[i]), i);
    }
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_random_order(count);
}
END_TEST

static void event(void *ctx, uint64_t arg)
{
    (void)ctx;
    note((unsigned)arg);
}

static void program_long(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    cpu_spend(cpu, 100);
    note(cpu_number(cpu));
}

START_TEST(events_keep_their_times_among_cpus)
{
    for (unsigned i = 0; i < 2; i++)
        cpus[i] = cpu_add(set, program_long, &cpus[i], false);
    engine_at(engine, 99, event, NULL, 10);
    engine_at(engine, 100, event, NULL, 11); /* scheduled before the CPUs set out for 100 */
    engine_at(engine, 101, event, NULL, 12);
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_assert_uint_eq(seen_count, 4); /* the one at 101 is nobody's business any more */
    ck_seen(0, 10, 99);
    ck_seen(1, 11, 100);
    ck_seen(2, 0, 100);
    ck_seen(3, 1, 100);
    ck_assert_uint_eq(engine_next_time(engine), 101);
}
END_TEST

/* ---- waiting and waking ---- */

static void program_waits_twice(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    for (unsigned i = 0; i < 2; i++) {
        bool woken = cpu_wait(cpu);
        ck_assert(woken);
        note(cpu_number(cpu));
        ck_assert_uint_eq(cpu_now(cpu), engine_now(engine));
    }
}

static void program_wakes_other(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    cpu_spend(cpu, 50);
    cpu_wake(cpus[0]);
    cpu_wake(cpus[0]); /* the same wake-up: the CPU has not gone on yet */
    note(1);
    cpu_spend(cpu, 20);
    note(1);
    cpu_wake(cpus[0]);
}

START_TEST(a_cpu_wakes_another)
{
    cpus[0] = cpu_add(set, program_waits_twice, &cpus[0], false);
    cpus[1] = cpu_add(set, program_wakes_other, &cpus[1], false);
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_assert_uint_eq(seen_count, 4);
    ck_seen(0, 1, 50);
    ck_seen(1, 0, 50); /* at the time of the call, after what its caller does at that time */
    ck_seen(2, 1, 70);
    ck_seen(3, 0, 70);
}
END_TEST

static void program_busy_then_waits(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    cpu_spend(cpu, 200);
    bool woken = cpu_wait(cpu); /* woken at 50 and 70 already */
    ck_assert(woken);
    note(0);
    cpu_wait(cpu); /* two wake-ups before a wait are one: for ever */
    note(99);
}

START_TEST(wake_ups_before_the_wait_end_it_at_once)
{
    cpus[0] = cpu_add(set, program_busy_then_waits, &cpus[0], false);
    cpus[1] = cpu_add(set, program_wakes_other, &cpus[1], false);
    ck_assert_int_eq(cpu_set_run(set), 1); /* CPU 0 waits for ever */
    ck_assert_uint_eq(seen_count, 3);
    ck_seen(2, 0, 200);
}
END_TEST

static void event_wakes(void *ctx, uint64_t arg)
{
    note((unsigned)arg);
    cpu_wake(ctx);
}

START_TEST(an_event_wakes_a_cpu)
{
    cpus[0] = cpu_add(set, program_waits_twice, &cpus[0], false);
    cpus[1] = cpu_add(set, program_long, &cpus[1], false);
    engine_at(engine, 30, event_wakes, cpus[0], 10);
    engine_at(engine, 130, event_wakes, cpus[0], 11);
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_assert_uint_eq(seen_count, 5);
    ck_seen(0, 10, 30);
    ck_seen(1, 0, 30);
    ck_seen(2, 1, 100);
    ck_seen(3, 11, 130);
    ck_seen(4, 0, 130);
    cpu_wake(cpus[0]); /* a CPU that has ended is not to be woken, and nothing comes of it */
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
}
END_TEST

static unsigned quiet_at_130;
static uint64_t news_at_130;

static void program_looks(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    cpu_spend(cpu, 100);
    ck_assert(!cpu_set_is_quiet(set)); /* the event at 120 */
    ck_assert_uint_eq(cpu_set_news(set), 0);
    cpu_spend(cpu, 30);
    quiet_at_130 += cpu_set_is_quiet(set); /* whatever the other CPU is about to do */
    news_at_130 = cpu_set_news(set);
}

START_TEST(a_set_is_quiet_when_only_cpus_go_on)
{
    for (unsigned i = 0; i < 2; i++)
        cpus[i] = cpu_add(set, program_looks, &cpus[i], false);
    engine_handle cancelled = engine_at(engine, 500, event_wakes, cpus[0], 10);
    engine_at(engine, 120, event_wakes, cpus[0], 10);
    engine_cancel(engine, cancelled);
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_assert_uint_eq(quiet_at_130, 2);
    ck_assert_uint_eq(news_at_130, 1); /* turns of CPUs are none */
    ck_assert(cpu_set_is_quiet(set));
}
END_TEST

static char switched_to[16];

static void note_switch(void *ctx, unsigned number)
{
    (void)ctx;
    switched_to[strlen(switched_to)] = (char)('0' + number);
}

START_TEST(every_switch_is_announced_and_a_set_runs_again)
{
    memset(switched_to, 0, sizeof switched_to);
    cpu_set_on_switch(set, note_switch, NULL);
    for (unsigned i = 0; i < 2; i++)
        cpus[i] = cpu_add(set, program_long, &cpus[i], false);
    ck_assert_int_eq(cpu_set_run(set), 0);
    /* CPU 0 begins, being the one that runs anyway; 1 until it waits for its time; each to its end;
     * and the caller is CPU 0 again */
    ck_assert_str_eq(switched_to, "1010");
    uint64_t now = engine_now(engine);
    cpu_spend(cpus[0], 7); /* on this stack, now */
    ck_assert_uint_eq(engine_now(engine), now + 7);
    for (unsigned i = 0; i < 2; i++)
        cpu_set_program(cpus[i], program_steps, &cpus[i]);
    seen_count = 0;
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_seen(0, 0, now + 7);
    ck_seen(7, 1, now + 7 + 45);
}
END_TEST

static void program_waits(void *ctx)
{
    cpu_wait(*(struct cpu **)ctx);
    note(99);
}

START_TEST(cpus_that_wait_for_ever_are_counted)
{
    for (unsigned i = 0; i < 5; i++)
        cpus[i] = cpu_add(set, i < 3 ? program_waits : program_long, &cpus[i], false);
    ck_assert_int_eq(cpu_set_run(set), 3);
    ck_assert_uint_eq(seen_count, 2); /* the two others */
    ck_assert_uint_eq(engine_now(engine), 100);
}
END_TEST

/* A ring of CPUs that hand a token on by waking the next. */
#define RING 64u
static unsigned token_hops;

static void program_ring(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    unsigned number = cpu_number(cpu);
    for (unsigned lap = 0; lap < 3; lap++) {
        if (number != 0 || lap != 0)
            cpu_wait(cpu);
        ck_assert_uint_eq(token_hops++, lap * RING + number);
        cpu_spend(cpu, 7);
        cpu_wake(cpus[(number + 1) % RING]);
    }
}

START_TEST(a_token_goes_round_64_cpus)
{
    token_hops = 0;
    for (unsigned i = 0; i < RING; i++)
        cpus[i] = cpu_add(set, program_ring, &cpus[i], false);
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_assert_uint_eq(token_hops, 3 * RING);
    ck_assert_uint_eq(engine_now(engine), 3 * RING * 7);
}
END_TEST

/* Enough stack for what runs on it. */
static unsigned deep(unsigned level)
{
    volatile uint8_t frame[1024];
    frame[level % sizeof frame] = (uint8_t)level;
    return level == 0 ? frame[0] : deep(level - 1) + frame[level % sizeof frame];
}

static void program_deep(void *ctx)
{
    struct cpu *cpu = *(struct cpu **)ctx;
    ck_assert_uint_gt(deep(64), 0);
    cpu_spend(cpu, 1);
    ck_assert_uint_gt(deep(64), 0);
    note(cpu_number(cpu));
}

START_TEST(stacks_are_deep_enough)
{
    for (unsigned i = 0; i < 4; i++)
        cpus[i] = cpu_add(set, program_deep, &cpus[i], false);
    ck_assert_int_eq(cpu_set_run(set), 0);
    ck_assert_uint_eq(seen_count, 4);
}
END_TEST

Suite *suite_fiber(void)
{
    Suite *suite = suite_create("several CPUs");
    TCase *tcase = tcase_create("fibers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, fibers_go_on_where_they_left);
    tcase_add_test(tcase, fibers_switch_among_each_other_and_the_last_one_returns);
    tcase_add_test(tcase, a_set_is_quiet_when_only_cpus_go_on);
    tcase_add_test(tcase, every_switch_is_announced_and_a_set_runs_again);
    tcase_add_test(tcase, two_cpus_take_turns_by_time);
    tcase_add_loop_test(tcase, many_cpus_interleave_exactly, 0, 3);
    tcase_add_test(tcase, events_keep_their_times_among_cpus);
    tcase_add_test(tcase, a_cpu_wakes_another);
    tcase_add_test(tcase, wake_ups_before_the_wait_end_it_at_once);
    tcase_add_test(tcase, an_event_wakes_a_cpu);
    tcase_add_test(tcase, cpus_that_wait_for_ever_are_counted);
    tcase_add_test(tcase, a_token_goes_round_64_cpus);
    tcase_add_test(tcase, stacks_are_deep_enough);
    suite_add_tcase(suite, tcase);
    return suite;
}
