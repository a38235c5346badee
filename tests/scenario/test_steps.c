/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Four CPUs, and which of them calls nvme_step(): docs/porting.md allows any, one at a time. Each
 * CPU runs a program that writes and reads places of its own, through a queue of its own or one
 * that all share, on a drive that loses commands; CPU 0 may have no program at all.
 */
#include <check.h>
#include <string.h>

#include "host/memory.h"
#include "host/os.h"
#include "machine/machine.h"
#include "scenario/fixture.h"

#define CPUS     4u
#define BYTES    4096u
#define REQUESTS 40u /* writes of each CPU, and as many reads */

static struct fixture f;
static struct machine *machine;

struct program {
    unsigned cpu;
    struct memory_area *area;
    struct nvme_request request;
    unsigned good;
    int error; /* the last one */
};
static struct program programs[CPUS];

static int transfer(struct program *program, enum nvme_op op, uint64_t offset)
{
    uint32_t number = machine_next_request(machine);

    program->request = (struct nvme_request){.op = op,
                                             .nsid = 1,
                                             .lba = offset / 512,
                                             .blocks = BYTES / 512,
                                             .buffer = memory_pointer(program->area)};
    if (op == NVME_OP_WRITE)
        machine_stamp(machine, program->area, 0, offset, BYTES, number);
    else
        machine_poison(machine, program->area, 0, BYTES);
    int error = os_io(machine_os(machine, program->cpu), &program->request);
    if (error == NVME_OK && op == NVME_OP_WRITE)
        machine_written(machine, offset, BYTES, number);
    else if (error == NVME_OK)
        machine_check(machine, program->area, 0, offset, BYTES);
    return error;
}

static void work(void *ctx)
{
    struct program *program = ctx;

    for (unsigned i = 0; i < 2 * REQUESTS; i++) {
        uint64_t place = program->cpu * REQUESTS + i % REQUESTS;
        int error = transfer(program, i < REQUESTS ? NVME_OP_WRITE : NVME_OP_READ, place * BYTES);

        program->good += error == NVME_OK;
        if (error != NVME_OK)
            program->error = error;
        if (error == NVME_E_TIMEOUT && os_in_flight(machine_os(machine, program->cpu)) != 0)
            return; /* nobody will ever end it */
    }
}

/* Programs on CPUs `first` to 3. */
static int run(unsigned first)
{
    struct host_program on_cpu[CPUS] = {{0}};
    const char *why = "";

    machine = machine_create(&f.params.machine, &f.spec.options);
    ck_assert_msg(machine_start(machine, &why) == NVME_OK, "%s", why);
    for (unsigned i = 0; i < CPUS; i++) {
        programs[i] = (struct program){
            .cpu = i,
            .area = memory_alloc(host_memory(machine_host(machine)), BYTES, 4096, true, false)};
        if (i >= first)
            on_cpu[i] = (struct host_program){work, &programs[i]};
    }
    int error = host_run(machine_host(machine), on_cpu);
    ck_assert_uint_eq(machine_verdict(machine)->blocks_mismatched, 0);
    return error;
}

static struct nvme_queue_stats queues(void)
{
    struct machine_snapshot snapshot;

    machine_snapshot(machine, &snapshot);
    return snapshot.queue;
}

static uint64_t resets(void)
{
    struct nvme_admin_stats stats;

    nvme_get_admin_stats(machine_nvme(machine), &stats);
    return stats.resets;
}

static void setup(void)
{
    static const char *const settings[] = {
        "host.cpus=4",           "driver.io_queues=4",         "driver.io_timeout=8 ms",
        "driver.retries=2",      "driver.abort_timeout=8 ms",  "driver.recovery=reset",
        "driver.stepper=any",    "driver.after_reset=reissue", "ctrl.ready_delay=100 us",
        "ctrl.reset_delay=10 us"};

    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        fixture_set(&f, settings[i]);
}

static void teardown(void)
{
    machine_destroy(machine);
    fixture_close(&f);
}

/* Interrupts, polling, a soft interrupt; each with a queue for each CPU, and with one for all. */
static const char *const ways[] = {"driver.completion=interrupt", "driver.completion=poll",
                                   "driver.deferred=yes"};
#define WAYS ((int)(2 * sizeof ways / sizeof ways[0]))

static void choose_way(int number)
{
    fixture_set(&f, ways[number / 2]);
    if (number % 2 == 1)
        fixture_set(&f, "driver.queue_choice=first");
}

static void expect_all_good(unsigned first)
{
    for (unsigned i = first; i < CPUS; i++) {
        ck_assert_msg(programs[i].good == 2 * REQUESTS, "CPU %u: %u, %s", i, programs[i].good,
                      nvme_error_text(programs[i].error));
        ck_assert_uint_eq(os_in_flight(machine_os(machine, i)), 0);
    }
    for (unsigned i = 0; i < machine_queues(machine); i++)
        ck_assert_uint_eq(nvme_in_flight(machine_queue(machine, i)), 0);
}

/* Given programs on CPUs 1 to 3 only, when a command is lost, then these CPUs step, find it late,
 * reset, and send it again: every request ends well. */
START_TEST(cpus_step_though_the_first_one_has_nothing_to_do)
{
    choose_way(_i);
    fixture_set(&f, "ctrl.faults=opcode=write nth=50 : lose");
    ck_assert_int_eq(run(1), NVME_OK);
    expect_all_good(1);
    ck_assert_uint_eq(machine_steps(machine, 0), 0);
    ck_assert_uint_gt(
        machine_steps(machine, 1) + machine_steps(machine, 2) + machine_steps(machine, 3), 0);
    ck_assert_uint_eq(queues().timeouts, 1);
    ck_assert_uint_eq(resets(), 1);
}
END_TEST

/* With the first CPU alone to step, and nothing to do for it, nobody does, and its owner waits for
 * the lost command until nothing is left that could happen. */
START_TEST(where_only_the_first_steps_it_must_have_a_reason_to_wait)
{
    fixture_set(&f, "driver.stepper=first");
    fixture_set(&f, "ctrl.faults=opcode=write nth=50 : lose");
    ck_assert_int_eq(run(1), NVME_E_TIMEOUT);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_uint_eq(machine_steps(machine, i), 0);
    ck_assert_uint_eq(queues().timeouts, 0);
}
END_TEST

/* Given four CPUs that wait alike, when commands are lost, late, slow and stuck, and the controller
 * fails, then several CPUs have stepped, all requests end well, and so they do again to the byte.
 */
START_TEST(any_cpu_steps_while_the_others_submit_and_reap)
{
    uint64_t steps[2][CPUS], ended[2];

    choose_way(_i);
    fixture_set(&f, "ctrl.faults=nth=30 : lose; nth=70 : late 20ms; nth=110 : slow 1s; "
                    "nth=150 : stuck; nth=200 : cfs; every=90 : status 0x006");
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned stepped = 0;

        if (turn == 1)
            machine_destroy(machine);
        ck_assert_int_eq(run(0), NVME_OK);
        expect_all_good(0);
        for (unsigned i = 0; i < CPUS; i++) {
            steps[turn][i] = machine_steps(machine, i);
            stepped += steps[turn][i] != 0;
        }
        ended[turn] = host_now(machine_host(machine));
        ck_assert_uint_ge(stepped, 2);
        ck_assert_uint_eq(resets(), 2);
        ck_assert_uint_eq(queues().aborts, 3);
        ck_assert_uint_eq(queues().aborts_refused, 2);
        ck_assert_uint_gt(queues().retries, 0);
    }
    ck_assert_mem_eq(steps[0], steps[1], sizeof steps[0]);
    ck_assert_uint_eq(ended[0], ended[1]);
}
END_TEST

/* A shared queue of four CPUs without any fault: each request ends once and with its own data, and
 * it is the lock that they wait for. */
START_TEST(four_cpus_share_one_queue)
{
    fixture_set(&f, "driver.queue_choice=first");
    fixture_set(&f, "driver.ring=per-command");
    fixture_set(&f, _i == 0 ? "driver.completion=interrupt" : "driver.completion=poll");
    ck_assert_int_eq(run(0), NVME_OK);
    expect_all_good(0);
    struct machine_snapshot snapshot;
    machine_snapshot(machine, &snapshot);
    ck_assert_uint_eq(snapshot.queue.commands, CPUS * 2 * REQUESTS);
    ck_assert_uint_eq(snapshot.queue.completions, CPUS * 2 * REQUESTS);
    ck_assert_uint_eq(snapshot.queue.protocol_errors, 0);
    ck_assert_uint_gt(snapshot.host.lock_waits, 0);
    struct nvme_queue_stats first;
    nvme_get_queue_stats(machine_queue(machine, 0), &first);
    ck_assert_uint_eq(first.commands, CPUS * 2 * REQUESTS);
    ck_assert_uint_le(first.in_flight_peak, CPUS);
    ck_assert_uint_ge(first.in_flight_peak, 2);
}
END_TEST

Suite *steps_suite(void);

Suite *steps_suite(void)
{
    Suite *suite = suite_create("who steps");
    TCase *tcase = tcase_create("steps");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, cpus_step_though_the_first_one_has_nothing_to_do, 0, WAYS);
    tcase_add_test(tcase, where_only_the_first_steps_it_must_have_a_reason_to_wait);
    tcase_add_loop_test(tcase, any_cpu_steps_while_the_others_submit_and_reap, 0, WAYS);
    tcase_add_loop_test(tcase, four_cpus_share_one_queue, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
