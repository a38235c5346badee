/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The load generator on whole machines: Little's law, the shape of the curves, what is verified,
 * and that nothing depends on anything but configuration and seed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/load.h"
#include "scenario/fixture.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

static struct load_result load(struct fixture *f, const struct run_load *job)
{
    char message[RUN_MESSAGE_MAX] = "";
    struct load_result result;
    const char *wrong = run_load_check(&f->params, job);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    int error = run_load(&f->spec, job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    return result;
}

/* The window cuts through requests at both of its ends: twenty times the depth keeps that small. */
static struct run_load random_4k(uint64_t depth, uint64_t read_percent)
{
    return (struct run_load){.depth = depth,
                             .block_bytes = 4 * KIB,
                             .footprint = 8 * MIB,
                             .read_percent = read_percent,
                             .warm_ios = 2 * depth + 500,
                             .ios = 20 * depth + 2000};
}

/* ---- Little's law ---- */

static const char *const law_drives[] = {"fixed-latency", "optane-p4800x", "worst-case",
                                         "qemu-nvme"};
static const uint64_t law_depths[] = {1, 3, 32, 255, 300};
static const uint64_t law_reads[] = {100, 0, 70};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Given a closed loop at a depth, when throughput, mean latency and requests in flight are measured
 * each on its own, then L = lambda * W to 0.5 %, and on a host that costs nothing L is the depth.
 */
START_TEST(little_s_law_holds)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", law_drives[_i], "ideal");
    f.spec.options.verify = false; /* no figure depends on it, and it takes time */
    for (size_t d = 0; d < COUNT(law_depths); d++) {
        for (size_t r = 0; r < COUNT(law_reads); r++) {
            const struct run_load job = random_4k(law_depths[d], law_reads[r]);
            const struct load_result result = load(&f, &job);
            double error = load_little_error(&result);
            ck_assert_msg(error > -0.005 && error < 0.005,
                          "%s, depth %llu, %llu %% reads: off by %.3f %%", law_drives[_i],
                          (unsigned long long)law_depths[d], (unsigned long long)law_reads[r],
                          error * 100);
            ck_assert_double_eq_tol(load_mean_in_flight(&result), (double)law_depths[d],
                                    0.005 * (double)law_depths[d]);
        }
    }
    fixture_close(&f);
}
END_TEST

/* The same on a host that takes time: fewer requests are in flight than the loop would like, and
 * the law says how many. */
START_TEST(little_s_law_holds_where_the_host_is_slow)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, "os.submit=3 us");
    struct run_load job = random_4k(64, 100);
    job.ios = 20000;
    const struct load_result result = load(&f, &job);
    double error = load_little_error(&result);
    ck_assert_msg(error > -0.005 && error < 0.005, "off by %.3f %%", error * 100);
    ck_assert_double_lt(load_mean_in_flight(&result), 60);
    fixture_close(&f);
}
END_TEST

/* ---- exact figures ---- */

/* Given a medium of 80 us, one unit, nothing else that takes time, when one request is in flight,
 * then every latency is 80 us plus what the controller takes: constant. */
START_TEST(one_request_at_a_time_has_one_latency)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    fixture_set(&f, "link.kind=emulated");
    fixture_set(&f, "media.read_bandwidth=1 TB/s");
    fixture_set(&f, "ctrl.doorbell_latency=0 ns");
    fixture_set(&f, "ctrl.fetch_setup=0 ns");
    fixture_set(&f, "ctrl.decode=0 ns");
    fixture_set(&f, "ctrl.dma_setup=0 ns");
    fixture_set(&f, "ctrl.completion=0 ns");
    fixture_set(&f, "ctrl.interrupt=0 ns");
    struct run_load job = random_4k(1, 100);
    job.ios = 100;
    const struct load_result result = load(&f, &job);
    ck_assert_uint_eq(result.latency_least_ps, result.latency_most_ps);
    /* 4096 bytes at 1 TB/s; and 1 ps for the look that finds the entry. */
    ck_assert_uint_ge(result.latency_least_ps, UINT64_C(80004096));
    ck_assert_uint_le(result.latency_least_ps, UINT64_C(80004096) + 16);
    ck_assert_uint_eq(result.reads, 100);
    ck_assert_uint_eq(result.writes, 0);
    ck_assert_uint_eq(result.bytes, 100 * 4 * KIB);
    fixture_close(&f);
}
END_TEST

/* Given 32 units of 80 us, then throughput grows with the depth up to 32 and not beyond; latency
 * stays up to 32 and grows with the depth beyond. */
START_TEST(the_knee_is_where_the_units_are_busy)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    struct load_result at[3];
    static const uint64_t depths[] = {16, 32, 128};
    for (size_t i = 0; i < COUNT(depths); i++) {
        const struct run_load job = random_4k(depths[i], 100);
        at[i] = load(&f, &job);
    }
    ck_assert_double_eq_tol(load_iops(&at[1]) / load_iops(&at[0]), 2, 0.02);
    ck_assert_double_eq_tol(load_iops(&at[2]) / load_iops(&at[1]), 1, 0.06);
    ck_assert_double_le(load_iops(&at[2]), 32 / 80e-6);
    ck_assert_double_eq_tol(load_mean_latency_us(&at[2]) / load_mean_latency_us(&at[1]), 4, 0.25);
    fixture_close(&f);
}
END_TEST

/* Given a link that is slower than the medium, then sequential reads take all of it and no more. */
START_TEST(a_slow_link_is_used_up)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "optane-p4800x", "ideal");
    fixture_set(&f, "link.generation=2");
    fixture_set(&f, "link.lanes=1");
    const struct run_load job = {.depth = 32,
                                 .block_bytes = 128 * KIB,
                                 .footprint = 64 * MIB,
                                 .read_percent = 100,
                                 .sequential = true,
                                 .warm_ios = 100,
                                 .ios = 4000};
    const struct load_result result = load(&f, &job);
    ck_assert_double_ge(load_link_use(&result), 0.98);
    ck_assert_double_le(load_link_use(&result), 1.01);
    ck_assert_double_le(load_mb_per_s(&result), 500); /* 5 GT/s, 8b/10b */
    ck_assert_double_ge(load_mb_per_s(&result), 430);
    fixture_close(&f);
}
END_TEST

/* ---- what is counted and checked ---- */

/* Requests of the warm-up and of the drain are not counted, whatever the warm-up is. */
START_TEST(the_timed_part_has_as_many_requests_as_asked_for)
{
    static const uint64_t warms[] = {0, 1, 17, 1000};
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    struct run_load job = random_4k(16, 50);
    job.ios = 321;
    job.warm_ios = warms[_i];
    const struct load_result result = load(&f, &job);
    uint64_t in_series = 0;
    for (uint32_t i = 0; i < result.series.count; i++)
        in_series += result.series.ended[i];
    ck_assert_uint_eq(result.reads + result.writes, 321);
    ck_assert_uint_gt(result.reads, 100);
    ck_assert_uint_gt(result.writes, 100);
    ck_assert_uint_eq(in_series, 321);
    ck_assert_uint_eq(result.bytes, 321 * 4 * KIB);
    fixture_close(&f);
}
END_TEST

/* On the least footprint that is allowed, every request still has a place of its own, so every read
 * finds what the write before it left. */
START_TEST(requests_of_a_mix_never_overlap)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    struct run_load job = random_4k(16, 50);
    job.sequential = _i == 1;
    job.footprint = 2 * job.depth * job.block_bytes;
    job.ios = 5000;
    const struct load_result result = load(&f, &job);
    ck_assert_uint_gt(result.blocks_verified, 2000 * 8);
    job.footprint -= job.block_bytes;
    ck_assert_ptr_nonnull(run_load_check(&f.params, &job));
    fixture_close(&f);
}
END_TEST

/* A job that only writes reads its last blocks back. */
START_TEST(writes_are_read_back)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    const struct run_load job = random_4k(32, 0);
    const struct load_result result = load(&f, &job);
    ck_assert_uint_eq(result.reads, 0);
    ck_assert_uint_eq(result.blocks_verified, 32 * 8);
    f.spec.options.verify = false;
    const struct load_result unverified = load(&f, &job);
    ck_assert_uint_eq(unverified.blocks_verified, 0);
    ck_assert_uint_eq(unverified.window_ps, result.window_ps);
    fixture_close(&f);
}
END_TEST

/* Every driver and drive: a polling driver that refuses what it has no slot for, 512-byte and
 * split requests included. */
START_TEST(other_drivers_and_sizes_work_too)
{
    static const uint64_t sizes[] = {512, 4096, 64 * KIB, 2 * MIB};
    struct fixture f;
    fixture_open(&f, "amiga-pegasos2", "amiga-1.65", NULL, NULL);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const struct run_load job = {.depth = 16,
                                     .block_bytes = sizes[i],
                                     .footprint = 128 * MIB,
                                     .read_percent = 50,
                                     .sequential = i % 2 == 1,
                                     .warm_ios = 20,
                                     .ios = 200};
        const struct load_result result = load(&f, &job);
        ck_assert_uint_eq(result.reads + result.writes, 200);
    }
    struct run_load job = random_4k(17, 100);
    ck_assert_str_eq(run_load_check(&f.params, &job),
                     "--depth is above driver.slots, and driver.full = reject");
    fixture_close(&f);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bytes)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "optane-p4800x", "generic");
    const struct run_load job = random_4k(8, 70);
    const struct load_result first = load(&f, &job);
    f.spec.options.form = MEMORY_BYTES;
    const struct load_result again = load(&f, &job);
    ck_assert_mem_eq(&first, &again, sizeof first);
    f.spec.options.seed = 2;
    const struct load_result other = load(&f, &job);
    ck_assert_uint_ne(first.reads, other.reads);
    fixture_close(&f);
}
END_TEST

START_TEST(jobs_that_do_not_fit_are_refused)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    struct run_load good = random_4k(4, 100);
    good.footprint = 64 * MIB;
    struct run_load job = good;
    ck_assert_ptr_null(run_load_check(&f.params, &job));
    job.block_bytes = 0;
    ck_assert_ptr_nonnull(run_load_check(&f.params, &job));
    job.block_bytes = 513;
    ck_assert_ptr_nonnull(run_load_check(&f.params, &job));
    job.block_bytes = RUN_LOAD_BLOCK_MOST;
    ck_assert_ptr_null(run_load_check(&f.params, &job));
    job.block_bytes = RUN_LOAD_BLOCK_MOST + 512;
    ck_assert_ptr_nonnull(run_load_check(&f.params, &job));
    job = good;
    job.footprint = 16 * KIB * MIB; /* the whole namespace */
    ck_assert_ptr_null(run_load_check(&f.params, &job));
    job.footprint += 512;
    ck_assert_ptr_nonnull(run_load_check(&f.params, &job));
    fixture_set(&f, "ctrl.block_bytes=4096");
    job = good;
    job.block_bytes = 512;
    ck_assert_ptr_nonnull(run_load_check(&f.params, &job));
    fixture_close(&f);
}
END_TEST

Suite *load_suite(void);
/* ---- bursts, buffers, batches ---- */

/* Given a driver with 15 slots and bursts of 40 reads on a drive that is much slower than the host,
 * when it rejects what it has no slot for, then of every burst 15 are read and 25 refused, none is
 * slower than the 15 before it, and the data of those read is verified. */
START_TEST(of_a_burst_a_driver_that_rejects_takes_as_many_as_it_has_slots)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "worst-case", "generic");
    fixture_set(&f, "driver.slots=15");
    fixture_set(&f, "driver.full=reject");
    const struct run_load job = {.depth = 40,
                                 .block_bytes = 4 * KIB,
                                 .footprint = 8 * MIB,
                                 .read_percent = 100,
                                 .burst = true,
                                 .ordinary = true,
                                 .warm_ios = 15,
                                 .ios = 10 * 15};
    const struct load_result result = load(&f, &job);
    ck_assert_uint_eq(result.reads, 150);
    ck_assert_uint_eq(result.refused, 10 * 25);
    ck_assert_uint_gt(result.blocks_verified, 0);
    fixture_close(&f);
}
END_TEST

/* Given the same, when the driver lets them wait, then nothing is refused, and the slowest waits
 * for longer than a driver that rejects makes anybody wait. */
START_TEST(of_a_burst_a_driver_that_waits_takes_all)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "worst-case", "generic");
    fixture_set(&f, "driver.slots=15");
    struct run_load job = {.depth = 40,
                           .block_bytes = 4 * KIB,
                           .footprint = 8 * MIB,
                           .read_percent = 100,
                           .burst = true,
                           .warm_ios = 40,
                           .ios = 400};
    const struct load_result waits = load(&f, &job);
    ck_assert_uint_eq(waits.reads, 400);
    ck_assert_uint_eq(waits.refused, 0);
    fixture_set(&f, "driver.full=reject");
    const struct load_result rejects = load(&f, &job);
    ck_assert_uint_gt(waits.latency_most_ps, 2 * rejects.latency_most_ps);
    job.read_percent = 0;
    ck_assert_str_eq(run_load_check(&f.params, &job), "bursts are reads");
    fixture_close(&f);
}
END_TEST

/* Given ordinary buffers, when the driver bounces everything, then every byte is copied once; when
 * it is told that buffers are registered, none. */
START_TEST(ordinary_buffers_are_copied_where_the_driver_copies)
{
    struct fixture f;
    fixture_open(&f, NULL, "genode-slot", "fixed-latency", "generic");
    struct run_load job = random_4k(8, 100);
    job.ordinary = true;
    struct load_result result = load(&f, &job);
    ck_assert_uint_eq(result.counters.bytes_copied, result.bytes);
    ck_assert_uint_gt(result.cpu_busy_ps, 0);
    fixture_set(&f, "driver.registered_buffers=yes");
    result = load(&f, &job);
    ck_assert_uint_eq(result.counters.bytes_copied, 0);
    fixture_close(&f);
}
END_TEST

/* Given 16 reads in flight and a doorbell per batch, when each is submitted by itself, then each
 * has a doorbell. */
START_TEST(requests_by_themselves_have_a_doorbell_each)
{
    struct fixture f;
    fixture_open(&f, NULL, "linux", "fixed-latency", "generic");
    struct run_load job = random_4k(16, 100);
    job.single = true;
    const struct load_result result = load(&f, &job);
    ck_assert_uint_ge(result.counters.sq_doorbells + 16, result.reads);
    job.single = false;
    ck_assert_uint_lt(load(&f, &job).counters.sq_doorbells, result.counters.sq_doorbells);
    fixture_close(&f);
}
END_TEST

static struct result reads_at(struct fixture *f, uint64_t depth, uint64_t ios)
{
    const struct run_random_read job = {ios, depth, 4 * KIB, 8 * MIB};
    char message[RUN_MESSAGE_MAX] = "";
    struct result result;
    int error = run_random_read(&f->spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    return result;
}

/* Given adaptive coalescing of 8 entries or 500 us, when 128 reads are in flight, then interrupts
 * become fewer than half, and when there is one, its latency is what it is without, to 1 %. */
START_TEST(coalescing_adapts_to_the_load)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, "ctrl.msix_vectors=2");
    fixture_set(&f, "media.read_latency=200 us");
    fixture_set(&f, "media.units=1024");
    f.spec.options.verify = false;
    const struct result deep = reads_at(&f, 128, 40000), shallow = reads_at(&f, 1, 500);
    fixture_set(&f, "driver.coalescing=adaptive");
    fixture_set(&f, "driver.coalescing_entries=7");
    fixture_set(&f, "driver.coalescing_time=500 us");
    const struct result adapted = reads_at(&f, 128, 40000), alone = reads_at(&f, 1, 500);
    ck_assert_uint_lt(2 * adapted.counters.interrupts, deep.counters.interrupts);
    ck_assert_double_eq_tol((double)alone.pass_ps[0], (double)shallow.pass_ps[0],
                            0.01 * (double)shallow.pass_ps[0]);
    fixture_close(&f);
}
END_TEST

/* Given a drive of 80 us and one read at a time, when a polling driver sleeps for half the mean
 * latency, then the CPU idles for the better part of that half and the reads take no more than 5 %
 * longer; interrupts leave more of the CPU and take longer than that. */
START_TEST(sleeping_before_polling_frees_the_cpu)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    const struct run_load job = random_4k(1, 100);
    const struct load_result interrupts = load(&f, &job);
    fixture_set(&f, "driver.completion=poll");
    const struct load_result polls = load(&f, &job);
    fixture_set(&f, "driver.hybrid_sleep=yes");
    const struct load_result sleeps = load(&f, &job);
    ck_assert_uint_eq(polls.cpu_busy_ps, polls.window_ps);
    ck_assert_double_lt((double)sleeps.cpu_busy_ps, 0.6 * (double)sleeps.window_ps);
    ck_assert_double_gt((double)sleeps.cpu_busy_ps, 0.45 * (double)sleeps.window_ps);
    ck_assert_double_lt((double)sleeps.window_ps, 1.05 * (double)polls.window_ps);
    ck_assert_uint_lt(interrupts.cpu_busy_ps, sleeps.cpu_busy_ps);
    ck_assert_uint_gt(interrupts.window_ps, sleeps.window_ps);
    fixture_close(&f);
}
END_TEST

Suite *load_suite(void)
{
    Suite *suite = suite_create("load");
    TCase *law = tcase_create("little's law");
    tcase_set_timeout(law, 240);
    tcase_add_loop_test(law, little_s_law_holds, 0, COUNT(law_drives));
    tcase_add_test(law, little_s_law_holds_where_the_host_is_slow);
    suite_add_tcase(suite, law);
    TCase *figures = tcase_create("figures");
    tcase_set_timeout(figures, 120);
    tcase_add_test(figures, one_request_at_a_time_has_one_latency);
    tcase_add_test(figures, the_knee_is_where_the_units_are_busy);
    tcase_add_test(figures, a_slow_link_is_used_up);
    suite_add_tcase(suite, figures);
    TCase *checks = tcase_create("counts and checks");
    tcase_set_timeout(checks, 120);
    tcase_add_loop_test(checks, the_timed_part_has_as_many_requests_as_asked_for, 0, 4);
    tcase_add_loop_test(checks, requests_of_a_mix_never_overlap, 0, 2);
    tcase_add_test(checks, writes_are_read_back);
    tcase_add_test(checks, other_drivers_and_sizes_work_too);
    tcase_add_test(checks, the_same_seed_gives_the_same_bytes);
    tcase_add_test(checks, jobs_that_do_not_fit_are_refused);
    suite_add_tcase(suite, checks);
    TCase *kinds = tcase_create("bursts, buffers, batches");
    tcase_set_timeout(kinds, 120);
    tcase_add_test(kinds, of_a_burst_a_driver_that_rejects_takes_as_many_as_it_has_slots);
    tcase_add_test(kinds, of_a_burst_a_driver_that_waits_takes_all);
    tcase_add_test(kinds, ordinary_buffers_are_copied_where_the_driver_copies);
    tcase_add_test(kinds, requests_by_themselves_have_a_doorbell_each);
    tcase_add_test(kinds, coalescing_adapts_to_the_load);
    tcase_add_test(kinds, sleeping_before_polling_frees_the_cpu);
    suite_add_tcase(suite, kinds);
    return suite;
}
