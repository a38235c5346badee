/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Locks among several CPUs: who has one when, what waiting and fetching the line cost, interrupts
 * meanwhile. And waking: what another CPU's sleep costs both.
 */
#include <string.h>

#include "unit/host/rig.h"
#include "unit/host/suites.h"

#define TRANSFER    (43 * NS)
#define IPI         (401 * NS)
#define IDLE_EXIT   (307 * NS)
#define MSI_CPU1    UINT64_C(0xfee01000)
#define MOST_EVENTS 1024u

static struct {
    unsigned cpu;
    uint64_t time_ps;
} had[MOST_EVENTS];
static unsigned had_count, inside;

/* What each CPU does: when it asks, for which queue, how long it holds. */
static struct plan {
    uint64_t ask_ps, hold_ps;
    uint16_t qid;
    unsigned times;
} plans[64];

static void remake(unsigned cpus)
{
    struct rig_options options = rig_options();
    options.host.cpus = cpus;
    rig_teardown();
    rig_make(&options);
    had_count = inside = 0;
    memset(plans, 0, sizeof plans);
}

static void spend(uint64_t ps)
{
    host_spend_ps(rig.host, CPU_WORKLOAD, ps);
}

static void note(void)
{
    ck_assert_uint_lt(had_count, MOST_EVENTS);
    had[had_count].cpu = host_here(rig.host);
    had[had_count++].time_ps = host_now(rig.host);
}

static void ck_had(unsigned index, unsigned cpu, uint64_t time_ps)
{
    ck_assert_uint_lt(index, had_count);
    ck_assert_uint_eq(had[index].cpu, cpu);
    ck_assert_uint_eq(had[index].time_ps, time_ps);
}

static void follow_plan(void *ctx)
{
    const struct plan *plan = ctx;
    spend(plan->ask_ps);
    for (unsigned i = 0; i < plan->times; i++) {
        rig.ops->lock(rig.ctx, plan->qid);
        ck_assert_uint_eq(plan->qid == 1 ? inside++ : 0, 0); /* alone */
        note();
        spend(plan->hold_ps);
        inside -= plan->qid == 1;
        rig.ops->unlock(rig.ctx, plan->qid);
    }
}

static void run_plans(unsigned cpus)
{
    struct host_program programs[64];
    for (unsigned i = 0; i < cpus; i++)
        programs[i] = (struct host_program){follow_plan, &plans[i]};
    ck_assert_int_eq(host_run(rig.host, programs), NVME_OK);
}

/* ---- one CPU ---- */

START_TEST(on_one_cpu_a_lock_costs_nothing_unless_it_should)
{
    ck_takes(0, rig.ops->lock(rig.ctx, 1));
    ck_takes(0, rig.ops->unlock(rig.ctx, 1));
    ck_assert_uint_eq(host_get_stats(rig.host)->lock_takes, 1);
    struct rig_options options = rig_options();
    options.host.lock = (struct param_cost){17 * NS, false};
    rig_teardown();
    rig_make(&options);
    ck_takes(17 * NS, rig.ops->lock(rig.ctx, 1));
    ck_takes(0, rig.ops->unlock(rig.ctx, 1));
    ck_takes(17 * NS, rig.ops->lock(rig.ctx, 1)); /* the line is here */
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_LOCK], 34 * NS);
}
END_TEST

/* ---- several ---- */

START_TEST(a_lock_is_had_in_the_order_of_asking)
{
    /* given CPU 0 that holds for 1000 ns, while 3, 1 and 2 ask, in this order */
    remake(4);
    plans[0] = (struct plan){0, 1000 * NS, 1, 1};
    plans[3] = (struct plan){10 * NS, 100 * NS, 1, 1};
    plans[1] = (struct plan){20 * NS, 100 * NS, 1, 1};
    plans[2] = (struct plan){30 * NS, 100 * NS, 1, 1};
    run_plans(4);
    /* then each has it when the one before lets go, and fetches its line first */
    ck_assert_uint_eq(had_count, 4);
    ck_had(0, 0, 0);
    ck_had(1, 3, 1000 * NS + TRANSFER);
    ck_had(2, 1, 1100 * NS + 2 * TRANSFER);
    ck_had(3, 2, 1200 * NS + 3 * TRANSFER);
    const struct host_stats *stats = host_get_stats(rig.host);
    uint64_t waited = 990 * NS + (1080 * NS + TRANSFER) + (1170 * NS + 2 * TRANSFER);
    ck_assert_uint_eq(stats->lock_takes, 4);
    ck_assert_uint_eq(stats->lock_waits, 3);
    ck_assert_uint_eq(stats->lock_wait_ps, waited);
    ck_assert_uint_eq(stats->spent_ps[CPU_LOCK], waited + 3 * TRANSFER);
    struct host_cpu_stats one;
    host_get_cpu_stats(rig.host, 3, &one);
    ck_assert_uint_eq(one.spent_ps[CPU_LOCK], 990 * NS + TRANSFER);
}
END_TEST

/* A picosecond before the release, and one after it. */
START_TEST(who_asks_before_the_release_waits_and_who_asks_after_it_does_not)
{
    remake(2);
    plans[0] = (struct plan){0, 100 * NS, 1, 1};
    plans[1] = (struct plan){100 * NS - 1 + 2 * (uint64_t)_i, NS, 1, 1};
    run_plans(2);
    ck_had(1, 1, (_i == 0 ? 100 * NS : 100 * NS + 1) + TRANSFER);
    ck_assert_uint_eq(host_get_stats(rig.host)->lock_waits, _i == 0);
    ck_assert_uint_eq(host_get_stats(rig.host)->lock_wait_ps, _i == 0);
}
END_TEST

START_TEST(locks_of_different_queues_are_different_locks)
{
    remake(2);
    plans[0] = (struct plan){0, 1000 * NS, 2, 1};
    plans[1] = (struct plan){10 * NS, NS, 64, 1};
    run_plans(2);
    ck_had(1, 1, 10 * NS); /* nobody had its line before */
    ck_assert_uint_eq(host_get_stats(rig.host)->lock_waits, 0);
}
END_TEST

START_TEST(sixty_four_cpus_take_turns)
{
    /* given 64 CPUs that take a lock ten times each */
    enum { CPUS = 64, TIMES = 10 };
    remake(CPUS);
    for (unsigned i = 0; i < CPUS; i++)
        plans[i] = (struct plan){i, 5 * NS, 1, TIMES};
    run_plans(CPUS);
    /* then each is served once in a round (follow_plan() looks that nobody else is inside) */
    ck_assert_uint_eq(had_count, CPUS * TIMES);
    for (unsigned i = 0; i < had_count; i++)
        ck_assert_uint_eq(had[i].cpu, i % CPUS);
    ck_assert_uint_eq(host_get_stats(rig.host)->lock_takes, CPUS * TIMES);
}
END_TEST

START_TEST(a_long_wait_takes_no_events)
{
    remake(2);
    plans[0] = (struct plan){0, UINT64_C(1000000000000), 1, 1}; /* a second */
    plans[1] = (struct plan){10, NS, 1, 1};
    run_plans(2);
    ck_assert_uint_lt(engine_fired(rig.engine), 16);
}
END_TEST

static void note_handler(void *ctx, unsigned vector)
{
    (void)ctx;
    (void)vector;
    note();
}

static void msi_event(void *ctx, uint64_t vector)
{
    (void)ctx;
    pcie_msi(rig.port, MSI_CPU1, (uint32_t)vector);
}

START_TEST(who_waits_for_a_lock_takes_no_interrupts)
{
    /* given an interrupt for CPU 1 while it waits for the lock that CPU 0 holds */
    remake(2);
    host_set_interrupt_handler(rig.host, note_handler, NULL);
    engine_at(rig.engine, 500 * NS, msi_event, NULL, 3);
    plans[0] = (struct plan){0, 1000 * NS, 1, 1};
    plans[1] = (struct plan){10 * NS, 100 * NS, 1, 1};
    run_plans(2);
    /* then it has the lock at the time it would have had, and handles it when it lets go */
    ck_assert_uint_eq(had_count, 3);
    ck_had(1, 1, 1000 * NS + TRANSFER);
    ck_had(2, 1, 1100 * NS + TRANSFER + 503 * NS);
}
END_TEST

static void hold_for_ever(void *ctx)
{
    (void)ctx;
    rig.ops->lock(rig.ctx, 1);
    host_idle(rig.host);
}

START_TEST(cpus_that_wait_for_ever_end_the_run_and_leave_nothing_locked)
{
    remake(2);
    struct host_program programs[] = {{hold_for_ever, NULL}, {hold_for_ever, NULL}};
    ck_assert_int_eq(host_run(rig.host, programs), NVME_E_TIMEOUT);
    ck_takes(0, rig.ops->lock(rig.ctx, 1)); /* CPU 0's calls, on this stack */
    ck_takes(0, rig.ops->unlock(rig.ctx, 1));
}
END_TEST

/* ---- waking ---- */

static void sleep_once(void *ctx)
{
    (void)ctx;
    ck_assert(host_idle(rig.host));
    note();
}

static void wake_at_1000(void *ctx)
{
    (void)ctx;
    spend(1000 * NS);
    ck_takes(IPI, host_wake(rig.host, 1));
    note();
    ck_takes(0, host_wake(rig.host, 1)); /* it is awake */
    ck_takes(0, host_wake(rig.host, 0)); /* so is this one */
}

START_TEST(waking_a_cpu_costs_the_one_that_does_it_and_the_one_that_wakes)
{
    remake(2);
    struct host_program programs[] = {{wake_at_1000, NULL}, {sleep_once, NULL}};
    ck_assert_int_eq(host_run(rig.host, programs), NVME_OK);
    ck_assert_uint_eq(had_count, 2);
    ck_had(0, 0, 1000 * NS + IPI);
    ck_had(1, 1, 1000 * NS + IPI + IDLE_EXIT);
    ck_assert_uint_eq(host_get_stats(rig.host)->wakes, 1);
    struct host_cpu_stats one;
    host_get_cpu_stats(rig.host, 1, &one);
    ck_assert_uint_eq(one.spent_ps[CPU_IDLE], 1000 * NS + IPI);
}
END_TEST

Suite *suite_lock(void)
{
    Suite *suite = suite_create("locks among CPUs");
    TCase *tcase = tcase_create("locks");
    tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
    tcase_add_test(tcase, on_one_cpu_a_lock_costs_nothing_unless_it_should);
    tcase_add_test(tcase, a_lock_is_had_in_the_order_of_asking);
    tcase_add_loop_test(tcase, who_asks_before_the_release_waits_and_who_asks_after_it_does_not, 0,
                        2);
    tcase_add_test(tcase, locks_of_different_queues_are_different_locks);
    tcase_add_test(tcase, sixty_four_cpus_take_turns);
    tcase_add_test(tcase, a_long_wait_takes_no_events);
    tcase_add_test(tcase, who_waits_for_a_lock_takes_no_interrupts);
    tcase_add_test(tcase, cpus_that_wait_for_ever_end_the_run_and_leave_nothing_locked);
    tcase_add_test(tcase, waking_a_cpu_costs_the_one_that_does_it_and_the_one_that_wakes);
    suite_add_tcase(suite, tcase);
    return suite;
}
