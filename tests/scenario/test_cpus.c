/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Machines with several CPUs: that data is right and nothing is lost whichever CPU submits and
 * whichever reaps, that runs repeat, and what CPUs, queues and interrupts do to throughput.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "run/load.h"
#include "run/loops.h"
#include "scenario/fixture.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

static struct fixture f;

static void setup(void)
{
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
}

static void teardown(void)
{
    fixture_close(&f);
}

static void set(const char *key, uint64_t value)
{
    char text[64];
    snprintf(text, sizeof text, "%s=%llu", key, (unsigned long long)value);
    fixture_set(&f, text);
}

static void set_all(const char *assignments)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", assignments);
    for (char *at = strtok(copy, ";"); at != NULL; at = strtok(NULL, ";"))
        fixture_set(&f, at);
}

static struct result reads(uint64_t ios, uint64_t depth)
{
    const struct run_random_read job = {ios, depth, 4 * KIB, 16 * MIB};
    char message[RUN_MESSAGE_MAX] = "";
    struct result result;
    const char *wrong = run_random_read_check(&f.params, &job);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    int error = run_random_read(&f.spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    ck_assert_uint_eq(result.pass_ops[0], ios);
    return result;
}

static struct load_result mixed(uint64_t depth)
{
    const struct run_load job = {.depth = depth,
                                 .block_bytes = 4 * KIB,
                                 .footprint = 16 * MIB,
                                 .read_percent = 50,
                                 .warm_ios = 100,
                                 .ios = 1500};
    char message[RUN_MESSAGE_MAX] = "";
    struct load_result result;
    const char *wrong = run_load_check(&f.params, &job);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    int error = run_load(&f.spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    return result;
}

static double iops(const struct result *result)
{
    return (double)result->pass_ops[0] / (double)result->pass_ps[0] * 1e12;
}

/* ---- data ---- */

/* Every way to choose a queue, with every way to be told. */
static const char *const ways[] = {
    "driver.io_queues=64",
    "driver.io_queues=3",
    "driver.queue_choice=first",
    "driver.io_queues=4;driver.queue_choice=steal;driver.slots=4",
    "driver.io_queues=8;driver.irq=intx",
    "driver.io_queues=8;driver.irq=intx;driver.deferred=yes",
    "driver.io_queues=7;driver.irq=msi",
    "driver.io_queues=7;driver.irq=msi;driver.deferred=yes;host.softirq_latency=2 us",
    "driver.io_queues=8;driver.deferred=yes",
    "driver.io_queues=16;driver.completion=poll",
    "driver.io_queues=4;driver.completion=poll",
    "driver.io_queues=4;driver.completion=poll;driver.queue_choice=steal;driver.slots=4",
    "driver.io_queues=3;driver.hybrid_spins=20;driver.cid=lowest",
    "driver.io_queues=3;host.lock=200 ns;host.lock_transfer=1 us;driver.ring=per-command",
    "link.detail=tlp;driver.io_queues=8",
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As many CPUs as there can be; a few under sanitizers, where they would take half an hour. */
#if defined(__SANITIZE_ADDRESS__)
#define MANY 6
#else
#define MANY 64
#endif

/* Given 4 and 64 CPUs that write and read places of their own, then every block holds what was
 * written last, and each request ends once (the loop would not come to its end otherwise). */
START_TEST(data_is_right_whoever_submits_and_whoever_reaps)
{
    set_all(ways[_i / 2]);
    set("host.cpus", _i % 2 == 0 ? 4 : MANY);
    struct load_result result = mixed(6);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    ck_assert_uint_gt(result.blocks_verified, 1500 * 8 / 2); /* reads, and what is read back */
    ck_assert_uint_eq(result.reads + result.writes, 1500);
}
END_TEST

START_TEST(the_same_run_twice_is_the_same_to_the_byte)
{
    set_all(ways[_i]);
    set("host.cpus", 5);
    struct result first = reads(1000, 7), second = reads(1000, 7);
    ck_assert_mem_eq(&first, &second, sizeof first);
    struct load_result one = mixed(5), two = mixed(5);
    ck_assert_mem_eq(&one, &two, sizeof one);
    f.spec.options.form = MEMORY_BYTES; /* and held as bytes */
    struct result plain = reads(1000, 7);
    ck_assert_mem_eq(&first, &plain, sizeof first);
}
END_TEST

/* ---- throughput ---- */

/* A drive that never limits, so that CPUs do. */
static void fast_drive(void)
{
    set_all("media.read_latency=1 us;media.units=1024;media.read_bandwidth=1 TB/s;"
            "link.kind=emulated;ctrl.fetch_setup=0 ns;ctrl.decode=1 ns;ctrl.dma_setup=0 ns;"
            "ctrl.completion=0 ns");
}

/* Given a drive that CPUs cannot exhaust, when each has a queue, then twice the CPUs do twice the
 * work, to 2 %; */
START_TEST(queues_of_their_own_scale_with_the_cpus)
{
    fast_drive();
    set("driver.io_queues", 8);
    struct result one = reads(4000, 16);
    for (uint64_t cpus = 2; cpus <= 8; cpus *= 2) {
        set("host.cpus", cpus);
        struct result result = reads(4000 * cpus, 16);
        ck_assert_double_eq_tol(iops(&result) / iops(&one), (double)cpus, 0.02 * (double)cpus);
        ck_assert_uint_eq(result.usage.lock_waits, 0);
        for (unsigned i = 0; i < cpus; i++)
            ck_assert_double_gt(usage_busy(&result.usage, i), 0.9);
    }
}
END_TEST

/* when they share one, they wait for its lock, and the more they are the less each does. */
START_TEST(one_queue_for_all_does_not_scale)
{
    fast_drive();
    fixture_set(&f, "driver.queue_choice=first");
    struct result one = reads(4000, 4);
    double before = 1.0001;
    for (uint64_t cpus = 2; cpus <= 8; cpus *= 2) {
        set("host.cpus", cpus);
        struct result result = reads(4000 * cpus, 4);
        double each = iops(&result) / iops(&one) / (double)cpus;
        ck_assert_double_lt(each, before);
        before = each;
        ck_assert_uint_gt(result.usage.lock_waits, 0);
        ck_assert_uint_gt(result.usage.spent_ps[CPU_LOCK], result.usage.lock_wait_ps);
    }
    ck_assert_double_lt(before, 0.5);
}
END_TEST

/* With messages every CPU is interrupted for its own requests; the pin and MSI interrupt CPU 0 for
 * everybody's, which then has to wake the others. */
START_TEST(the_pin_and_msi_interrupt_cpu_0_for_all)
{
    set_all("host.cpus=4;driver.io_queues=4");
    struct result msix = reads(4000, 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_gt(msix.usage.cpu[i].interrupts, 0);
    ck_assert_uint_eq(msix.usage.wakes, 0);
    static const char *const kinds[] = {"driver.irq=intx", "driver.irq=msi"};
    for (unsigned kind = 0; kind < 2; kind++) {
        fixture_set(&f, kinds[kind]);
        struct result result = reads(4000, 4);
        ck_assert_uint_gt(result.usage.cpu[0].interrupts, 0);
        for (unsigned i = 1; i < 4; i++)
            ck_assert_uint_eq(result.usage.cpu[i].interrupts, 0);
        ck_assert_uint_gt(result.usage.wakes, 0);
    }
}
END_TEST

/* So it is CPU 0 that bounds them, however many there are. */
START_TEST(interrupts_for_all_do_not_scale)
{
    fast_drive();
    set_all("host.cpus=8;driver.io_queues=8");
    struct result msix = reads(16000, 16);
    fixture_set(&f, "driver.irq=intx");
    struct result intx = reads(16000, 16);
    ck_assert_double_gt(iops(&msix), 2 * iops(&intx));
    ck_assert_double_gt(usage_busy(&intx.usage, 0), 0.99);
    ck_assert_double_lt(usage_busy(&intx.usage, 7), 0.8);
}
END_TEST

/* ---- the rest of the machine ---- */

/* A vector that another CPU handles does not matter to who waits. */
static void move_vector(void *ctx, bool begins)
{
    struct machine *machine = *(struct machine **)ctx;
    const struct nvme_platform *platform = host_platform(machine_host(machine));
    if (begins)
        ck_assert_int_eq(platform->ops->irq_move(platform->ctx, 1, 3), NVME_OK);
}

static struct machine *moved;

static void observe(void *ctx, struct machine *machine)
{
    *(struct machine **)ctx = machine;
}

START_TEST(suites_run_on_cpu_0_whoever_takes_the_interrupts)
{
    set_all("host.cpus=4;driver.io_queues=4");
    struct result own = fixture_suite(&f, "Random4KRead", 4 * KIB);
    ck_assert_uint_eq(own.blocks_mismatched, 0);
    ck_assert_uint_eq(own.usage.wakes, 0);
    f.spec.observe = observe;
    f.spec.timed = move_vector;
    f.spec.observe_ctx = &moved;
    struct result other = fixture_suite(&f, "Random4KRead", 4 * KIB);
    ck_assert_uint_eq(other.blocks_mismatched, 0);
    ck_assert_uint_eq(other.usage.cpu[0].interrupts, 0);
    ck_assert_uint_eq(other.usage.cpu[3].interrupts, own.usage.cpu[0].interrupts);
    ck_assert_uint_gt(other.usage.wakes, 0);
    ck_assert_double_lt(result_mib_per_s(&other), result_mib_per_s(&own));
}
END_TEST

START_TEST(what_does_not_go_together_is_refused)
{
    set("host.cpus", 2);
    struct run_params params = f.params;
    params.machine.link.kind = LINK_EMULATED;
    params.machine.host.emulation = HOST_EMULATION_SINGLE_THREAD;
    ck_assert_str_eq(
        run_params_check(&params),
        "host.emulation = single-thread needs host.cpus = 1: its one thread runs one CPU");
    params = f.params;
    params.machine.driver.irq = 1;
    params.machine.ctrl.msi_vectors = 0;
    ck_assert_str_eq(run_params_check(&params), "driver.irq = msi needs ctrl.msi_vectors above 0 "
                                                "(this machine: driver.irq = intx or msix)");
    params = f.params;
    params.machine.driver.full = NVME_FULL_REJECT;
    params.machine.driver.slots = 63;
    params.machine.host.cpus = 2;
    params.machine.driver.io_queues = 1;
    struct run_random_read job = {10, 31, 4 * KIB, MIB};
    ck_assert_uint_eq(loops_most_depth(&params), 31);
    ck_assert_ptr_null(run_random_read_check(&params, &job));
    job.depth = 32;
    ck_assert_str_eq(run_random_read_check(&params, &job),
                     "--depth (of each CPU) is above its share of driver.slots, and driver.full = "
                     "reject");
    struct run_load load = {.depth = 8, .block_bytes = 4 * KIB, .footprint = 128 * KIB, .ios = 1};
    ck_assert_ptr_null(run_load_check(&f.params, &load)); /* 32 places, 16 for each CPU */
    load.footprint -= 4 * KIB;
    ck_assert_str_eq(run_load_check(&f.params, &load),
                     "--footprint: writes need room for twice as many blocks as are in flight");
}
END_TEST

Suite *cpus_suite(void);

Suite *cpus_suite(void)
{
    Suite *suite = suite_create("several CPUs");
    TCase *tcase = tcase_create("cpus");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, data_is_right_whoever_submits_and_whoever_reaps, 0,
                        2 * (int)COUNT(ways));
    tcase_add_loop_test(tcase, the_same_run_twice_is_the_same_to_the_byte, 0, (int)COUNT(ways));
    tcase_add_test(tcase, queues_of_their_own_scale_with_the_cpus);
    tcase_add_test(tcase, one_queue_for_all_does_not_scale);
    tcase_add_test(tcase, the_pin_and_msi_interrupt_cpu_0_for_all);
    tcase_add_test(tcase, interrupts_for_all_do_not_scale);
    tcase_add_test(tcase, suites_run_on_cpu_0_whoever_takes_the_interrupts);
    tcase_add_test(tcase, what_does_not_go_together_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
