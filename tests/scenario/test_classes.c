/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weighted round robin (NVMe 1.4, 4.13.2) from the driver's parameters to the controller: whose
 * commands are fetched when CPUs of several classes want more than the drive takes. Every CPU has a
 * queue of its own and keeps it full; the drive works on few commands at a time.
 */
#include <check.h>
#include <string.h>

#include "engine/stream.h"
#include "machine/machine.h"
#include "run/run.h"
#include "scenario/fixture.h"

#define KIB      UINT64_C(1024)
#define MIB      (KIB * KIB)
#define CPUS     4
#define SKIPPED  400  /* commands until every CPU has its queue full */
#define RECORDED 2496 /* 192 rounds of 13, 78 of four full turns */

static struct fixture f;

/* Submission queue of each command, in the order in which they were fetched. */
static struct {
    struct stream_reader reader;
    unsigned count;
    uint8_t queue[SKIPPED + RECORDED];
} order;

static void fetched(void *ctx, const struct stream_record *record)
{
    uint8_t queue = (uint8_t)(record->b >> 16);
    (void)ctx;
    if (record->kind == RECORD_FETCH && queue != 0 && order.count < SKIPPED + RECORDED)
        order.queue[order.count++] = queue;
}

static void observe(void *ctx, struct machine *machine)
{
    (void)ctx;
    order.count = 0;
    order.reader = (struct stream_reader){fetched, NULL, UINT64_MAX, NULL};
    stream_add(engine_stream(machine_engine(machine)), &order.reader);
}

static void setup(void)
{
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, "ctrl.cap_ams=weighted");
    fixture_set(&f, "ctrl.contexts=4");
    fixture_set(&f, "host.cpus=4");
    fixture_set(&f, "driver.io_queues=4");
    fixture_set(&f, "driver.weighted=yes");
    f.spec.observe = observe;
}

static void teardown(void)
{
    fixture_close(&f);
}

static void run(void)
{
    const struct run_random_read job = {SKIPPED + RECORDED + 400, 32, 4 * KIB, 16 * MIB};
    char message[RUN_MESSAGE_MAX] = "";
    struct result result;
    int error = run_random_read(&f.spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(order.count, SKIPPED + RECORDED);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
}

/* Commands of queues 1 to 4 among the recorded ones. */
static void expect_served(unsigned first, unsigned second, unsigned third, unsigned fourth)
{
    const unsigned wanted[CPUS] = {first, second, third, fourth};
    unsigned count[CPUS + 1] = {0};
    for (unsigned i = SKIPPED; i < order.count; i++)
        count[order.queue[i]]++;
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_msg(count[i + 1] == wanted[i], "%u %u %u %u", count[1], count[2], count[3],
                      count[4]);
}

/* Given weights 8, 4 and 1, when a queue of each class and a second low one are always full, then
 * 192 rounds of 13 serve 1536, 768, and 192 of both low ones together, who take turns. */
START_TEST(weights_say_how_many_commands_of_each_class_are_served)
{
    fixture_set(&f, "driver.priorities=high, medium, low, low");
    fixture_set(&f, "driver.weight_high=8");
    fixture_set(&f, "driver.weight_medium=4");
    fixture_set(&f, "driver.weight_low=1");
    run();
    expect_served(1536, 768, 96, 96);
}
END_TEST

/* The list of classes begins again: two of four queues are high, and take turns of 4: one of them
 * has 8 of a round's 12, and the other of the next. */
START_TEST(a_short_list_of_classes_begins_again)
{
    fixture_set(&f, "driver.priorities=high,low");
    fixture_set(&f, "driver.weight_high=12");
    fixture_set(&f, "driver.arbitration_burst=2");
    run();
    expect_served(1152, 96, 1152, 96);
}
END_TEST

/* Urgent commands come before all others, whatever the weights, and leave them nothing. */
START_TEST(an_urgent_queue_that_is_never_empty_is_served_alone)
{
    fixture_set(&f, "driver.priorities=high,medium,urgent,low");
    fixture_set(&f, "driver.weight_high=256");
    run();
    expect_served(0, 0, 2496, 0);
}
END_TEST

/* Without the classes, or with all alike, all are served alike. */
START_TEST(without_weights_priorities_mean_nothing)
{
    fixture_set(&f, "driver.priorities=urgent,high,medium,low");
    fixture_set(&f, _i == 0 ? "driver.weighted=no" : "ctrl.cap_ams=round-robin");
    run();
    expect_served(624, 624, 624, 624);
}
END_TEST

/* A turn is a burst: the queue changes after every 1, 2, 4 and 8 commands. The weight, a multiple
 * of each, cuts none short. */
START_TEST(a_turn_is_as_long_as_the_burst)
{
    const char *const bursts[] = {"driver.arbitration_burst=0", "driver.arbitration_burst=1",
                                  "driver.arbitration_burst=2", "driver.arbitration_burst=3"};
    unsigned turns = 1;
    fixture_set(&f, "driver.priorities=low");
    fixture_set(&f, "driver.weight_low=64");
    fixture_set(&f, bursts[_i]);
    run();
    for (unsigned i = SKIPPED + 1; i < order.count; i++)
        turns += order.queue[i] != order.queue[i - 1];
    ck_assert_uint_eq(turns, (unsigned)RECORDED >> _i);
}
END_TEST

Suite *classes_suite(void);

Suite *classes_suite(void)
{
    Suite *suite = suite_create("priority classes");
    TCase *tcase = tcase_create("classes");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, weights_say_how_many_commands_of_each_class_are_served);
    tcase_add_test(tcase, a_short_list_of_classes_begins_again);
    tcase_add_test(tcase, an_urgent_queue_that_is_never_empty_is_served_alone);
    tcase_add_loop_test(tcase, without_weights_priorities_mean_nothing, 0, 2);
    tcase_add_loop_test(tcase, a_turn_is_as_long_as_the_burst, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
