/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One simulated CPU: no stack is ever switched, events that are due run inside the CPU's own calls,
 * waiting and waking, and devices held off. Several CPUs are in test_fiber.c.
 */
#include <string.h>

#include "engine/cpu.h"
#include "unit/engine/suites.h"

#define MOST 64u

static struct engine *engine;
static struct cpu_set *set;
static struct cpu *cpu;

/* What events and the program saw: name, engine time, CPU time. */
static struct {
    char name;
    uint64_t engine_ps, cpu_ps;
} seen[MOST];
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

static void note(char name)
{
    ck_assert_uint_lt(seen_count, MOST);
    seen[seen_count].name = name;
    seen[seen_count].engine_ps = engine_now(engine);
    seen[seen_count++].cpu_ps = cpu_now(cpu);
}

static void ck_seen(unsigned index, char name, uint64_t engine_ps, uint64_t cpu_ps)
{
    ck_assert_uint_lt(index, seen_count);
    ck_assert_int_eq(seen[index].name, name);
    ck_assert_uint_eq(seen[index].engine_ps, engine_ps);
    ck_assert_uint_eq(seen[index].cpu_ps, cpu_ps);
}

static void event(void *ctx, uint64_t arg)
{
    (void)ctx;
    note((char)arg);
}

static void event_wakes(void *ctx, uint64_t arg)
{
    note((char)arg);
    cpu_wake(ctx);
}

/* ---- a CPU with a program ---- */

static void program_spends(void *ctx)
{
    ck_assert_ptr_eq(ctx, &seen_count);
    note('p');
    cpu_spend(cpu, 999);
    note('p');
    cpu_spend(cpu, 1);
    note('p');
    cpu_spend(cpu, 0);
    cpu_spend_until(cpu, 1500);
    note('p');
    cpu_spend_until(cpu, 1500); /* there already */
    cpu_spend_until(cpu, 100);  /* and past it */
    note('p');
}

START_TEST(one_cpu_runs_what_is_due_in_its_own_calls)
{
    /* given events at 1000 and 1200 and a program that spends 999, 1 and 500 ps */
    cpu = cpu_add(set, program_spends, &seen_count, false);
    engine_at(engine, 1000, event, NULL, 'a');
    engine_at(engine, 1200, event, NULL, 'b');
    engine_at(engine, 1501, event, NULL, 'c');
    ck_assert_int_eq(cpu_set_run(set), 0);
    /* then each event ran at its own time inside the call that reached it */
    static const struct {
        char name;
        uint64_t engine_ps;
    } expected[] = {{'p', 0},    {'p', 999},  {'a', 1000}, {'p', 1000},
                    {'b', 1200}, {'p', 1500}, {'p', 1500}};
    ck_assert_uint_eq(seen_count, 7);
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_int_eq(seen[i].name, expected[i].name);
        ck_assert_uint_eq(seen[i].engine_ps, expected[i].engine_ps);
    }
    ck_assert_uint_eq(cpu_now(cpu), 1500);
    ck_assert_uint_eq(engine_now(engine), 1500);
    /* and no stack was switched */
    ck_assert_uint_eq(cpu_set_switches(set), 0);
    ck_assert_uint_eq(cpu_number(cpu), 0);
}
END_TEST

/* ---- calls made directly, without cpu_set_run ---- */

START_TEST(a_cpu_without_program_is_used_directly)
{
    cpu = cpu_add(set, NULL, NULL, false);
    engine_at(engine, 100, event, NULL, 'a');
    cpu_spend(cpu, 99);
    ck_assert_uint_eq(seen_count, 0);
    cpu_spend(cpu, 1);
    ck_assert_uint_eq(seen_count, 1);
    engine_at(engine, 300, event_wakes, cpu, 'w');
    ck_assert(cpu_wait(cpu));
    ck_assert_uint_eq(cpu_now(cpu), 300);
    ck_assert_uint_eq(cpu_set_switches(set), 0);
}
END_TEST

START_TEST(a_cpu_starts_at_the_engine_s_time)
{
    engine_run_until(engine, 777);
    cpu = cpu_add(set, NULL, NULL, false);
    ck_assert_uint_eq(cpu_now(cpu), 777);
}
END_TEST

START_TEST(waiting_ends_at_the_time_of_the_wake_up)
{
    /* given an event at 50 that does nothing and one at 70 that wakes, and one at 90 */
    cpu = cpu_add(set, NULL, NULL, false);
    engine_at(engine, 50, event, NULL, 'a');
    engine_at(engine, 70, event_wakes, cpu, 'w');
    engine_at(engine, 90, event, NULL, 'b');
    ck_assert(cpu_wait(cpu));
    ck_assert_uint_eq(cpu_now(cpu), 70);
    ck_assert_uint_eq(engine_now(engine), 70);
    ck_assert_uint_eq(seen_count, 2);
}
END_TEST

START_TEST(a_wake_up_before_the_wait_ends_it_at_once)
{
    cpu = cpu_add(set, NULL, NULL, false);
    engine_at(engine, 10, event_wakes, cpu, 'w');
    engine_at(engine, 30, event, NULL, 'a');
    cpu_spend(cpu, 20);
    ck_assert(cpu_wait(cpu)); /* at once: nothing more runs */
    ck_assert_uint_eq(cpu_now(cpu), 20);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert(!cpu_wait(cpu)); /* and it is used up */
}
END_TEST

START_TEST(two_wake_ups_end_one_wait)
{
    cpu = cpu_add(set, NULL, NULL, false);
    cpu_wake(cpu);
    cpu_wake(cpu);
    ck_assert(cpu_wait(cpu));
    ck_assert(!cpu_wait(cpu));
    /* two in one event time: the first one ends the wait, the second stays for the next */
    engine_at(engine, 10, event_wakes, cpu, 'w');
    engine_at(engine, 10, event_wakes, cpu, 'x');
    ck_assert(cpu_wait(cpu));
    ck_assert_uint_eq(seen_count, 1);
    ck_assert(cpu_wait(cpu));
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_eq(cpu_now(cpu), 10);
}
END_TEST

START_TEST(waiting_for_ever_is_noticed)
{
    /* given events that wake nobody, when the CPU waits */
    cpu = cpu_add(set, NULL, NULL, false);
    engine_at(engine, 50, event, NULL, 'a');
    engine_at(engine, 60, event, NULL, 'b');
    ck_assert(!cpu_wait(cpu));
    /* then they have run, their time has passed, and the CPU can go on from there */
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_eq(engine_now(engine), 60);
    ck_assert_uint_eq(cpu_now(cpu), 60);
    cpu_spend(cpu, 5);
    ck_assert_uint_eq(cpu_now(cpu), 65);
    ck_assert_uint_eq(engine_now(engine), 65);
}
END_TEST

static bool wait_result;

static void program_waits(void *ctx)
{
    (void)ctx;
    wait_result = cpu_wait(cpu);
}

START_TEST(a_single_program_that_waits_for_ever_still_ends)
{
    cpu = cpu_add(set, program_waits, NULL, false);
    wait_result = true;
    ck_assert_int_eq(cpu_set_run(set), 0); /* its cpu_wait() said so, and it returned */
    ck_assert(!wait_result);
}
END_TEST

/* ---- devices held off ---- */

START_TEST(spending_holds_devices_off)
{
    /* given events at 100 and 200 */
    cpu = cpu_add(set, NULL, NULL, true);
    engine_at(engine, 100, event, NULL, 'a');
    engine_at(engine, 200, event, NULL, 'b');
    /* when the CPU runs to 150 in two steps, then nothing has happened but its own time */
    cpu_spend(cpu, 120);
    cpu_spend_until(cpu, 150);
    ck_assert_uint_eq(seen_count, 0);
    ck_assert_uint_eq(cpu_now(cpu), 150);
    ck_assert_uint_eq(engine_now(engine), 0);
    /* when it lets go, then what was due runs, late */
    cpu_exit(cpu);
    ck_assert_uint_eq(seen_count, 1);
    ck_seen(0, 'a', 150, 150);
    ck_assert_uint_eq(engine_now(engine), 150);
    cpu_exit(cpu); /* nothing more is due */
    ck_assert_uint_eq(seen_count, 1);
    cpu_spend(cpu, 49);
    cpu_exit(cpu);
    ck_assert_uint_eq(seen_count, 1); /* 199 */
    cpu_spend(cpu, 1);
    cpu_exit(cpu);
    ck_seen(1, 'b', 200, 200);
    ck_assert_uint_eq(cpu_set_switches(set), 0);
}
END_TEST

START_TEST(waiting_lets_devices_catch_up)
{
    /* given a wake-up that was due at 100, when a CPU that holds devices off waits at 150 */
    cpu = cpu_add(set, NULL, NULL, true);
    engine_at(engine, 100, event_wakes, cpu, 'w');
    cpu_spend(cpu, 150);
    ck_assert(cpu_wait(cpu));
    /* then it is woken at once, by the late event */
    ck_assert_uint_eq(cpu_now(cpu), 150);
    ck_seen(0, 'w', 150, 150);
    /* and while it idles, devices keep their times */
    engine_at(engine, 180, event, NULL, 'a');
    engine_at(engine, 190, event_wakes, cpu, 'w');
    ck_assert(cpu_wait(cpu));
    ck_assert_uint_eq(cpu_now(cpu), 190);
    ck_assert_uint_eq(seen[1].engine_ps, 180);
    ck_assert(!cpu_wait(cpu));
}
END_TEST

START_TEST(exit_means_nothing_to_a_cpu_that_holds_nothing)
{
    cpu = cpu_add(set, NULL, NULL, false);
    cpu_spend(cpu, 10);
    engine_at(engine, 10, event, NULL, 'a');
    cpu_exit(cpu);
    ck_assert_uint_eq(seen_count, 0);
    cpu_spend(cpu, 0); /* but time that does not pass is a chance for what is due now */
    ck_assert_uint_eq(seen_count, 1);
}
END_TEST

START_TEST(an_empty_set_is_done)
{
    ck_assert_int_eq(cpu_set_run(set), 0);
    cpu_set_destroy(NULL);
}
END_TEST

Suite *suite_cpu(void)
{
    Suite *suite = suite_create("one CPU");
    TCase *tcase = tcase_create("cpu");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_cpu_runs_what_is_due_in_its_own_calls);
    tcase_add_test(tcase, a_cpu_without_program_is_used_directly);
    tcase_add_test(tcase, a_cpu_starts_at_the_engine_s_time);
    tcase_add_test(tcase, waiting_ends_at_the_time_of_the_wake_up);
    tcase_add_test(tcase, a_wake_up_before_the_wait_ends_it_at_once);
    tcase_add_test(tcase, two_wake_ups_end_one_wait);
    tcase_add_test(tcase, waiting_for_ever_is_noticed);
    tcase_add_test(tcase, a_single_program_that_waits_for_ever_still_ends);
    tcase_add_test(tcase, spending_holds_devices_off);
    tcase_add_test(tcase, waiting_lets_devices_catch_up);
    tcase_add_test(tcase, exit_means_nothing_to_a_cpu_that_holds_nothing);
    tcase_add_test(tcase, an_empty_set_is_done);
    suite_add_tcase(suite, tcase);
    return suite;
}
