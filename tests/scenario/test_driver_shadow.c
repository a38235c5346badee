/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's doorbells against the modelled controller: shadow doorbells (NVMe 1.4 sections
 * 5.7, 7.13) with every policy of EventIdx, polled and by interrupt, shallow and deep; the ring
 * policies "last" and "at poll". Data is verified in every run, and the register writes per request
 * are what the policies promise.
 */
#include <check.h>
#include <string.h>

#include "scenario/fixture.h"

#define IOS 2000u

static struct result reads(struct fixture *f, uint64_t depth)
{
    struct result result;
    char message[RUN_MESSAGE_MAX];
    const struct run_random_read job = {
        .ios = IOS, .depth = depth, .block_bytes = 4096, .footprint = UINT64_C(16) << 20};
    memset(&result, 0, sizeof result);
    f->spec.options.verify = true;
    int error = run_random_read(&f->spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    ck_assert_uint_ge(result.blocks_verified, IOS);
    ck_assert_uint_eq(result.pass_ops[0], IOS);
    return result;
}

static const char *const policies[] = {"ctrl.shadow_policy=echo", "ctrl.shadow_policy=idle-arm",
                                       "ctrl.shadow_policy=never", "ctrl.shadow_policy=one-behind"};

static void open_shadow(struct fixture *f, int policy, bool polls)
{
    fixture_open(f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(f, "driver.shadow_doorbells=yes");
    fixture_set(f, "ctrl.shadow_doorbells=yes");
    fixture_set(f, policies[policy]);
    fixture_set(f, polls ? "driver.completion=poll" : "driver.completion=interrupt");
}

/* Register writes while 2,000 reads run, at the controller. One SQ write is that of the admin
 * queue, whose event request bring-up sends last. The ring has 256 entries, so there are 7 whole
 * laps: where EventIdx is FFFFFFFFh, or never written, the register is written once in each.
 *
 * One at a time everything follows from the policy. echo: the tail is asked for after each fetch
 * and the head after each entry; idle-arm: the tail whenever all is fetched, as every read finds
 * it; never, one behind: nothing is asked for while the controller looks. */
static const uint64_t alone[4][2] = {{2001, 2000}, {2001, 7}, {8, 7}, {1, 0}};

/* _i: policy, and 4 for polls instead of interrupts. */
START_TEST(one_at_a_time_each_policy_keeps_its_promise)
{
    struct fixture f;
    open_shadow(&f, _i % 4, _i / 4 != 0);
    struct result result = reads(&f, 1);
    ck_assert_uint_eq(result.counters.sq_doorbells, alone[_i % 4][0]);
    ck_assert_uint_eq(result.counters.cq_doorbells, alone[_i % 4][1]);
    fixture_close(&f);
}
END_TEST

/* At depth 32 the controller is busy more often than not: policies that ask only when idle save
 * most, and no policy asks for more than registers alone would need. */
START_TEST(deep_each_policy_saves_writes)
{
    struct fixture f;
    open_shadow(&f, _i % 4, _i / 4 != 0);
    struct result shadow = reads(&f, 32);
    fixture_set(&f, "driver.shadow_doorbells=no");
    struct result registers = reads(&f, 32);
    ck_assert_uint_le(shadow.counters.sq_doorbells, registers.counters.sq_doorbells);
    ck_assert_uint_le(shadow.counters.cq_doorbells, registers.counters.cq_doorbells);
    if (_i % 4 != 0)
        ck_assert_uint_eq(shadow.counters.cq_doorbells, alone[_i % 4][1]);
    if (_i % 4 >= 2)
        ck_assert_uint_eq(shadow.counters.sq_doorbells, alone[_i % 4][0]);
    fixture_close(&f);
}
END_TEST

/* Reads and writes of a file system, verified, for every policy; and without the second look of
 * B8, which loses nothing where the host polls on. */
START_TEST(written_data_comes_back)
{
    struct fixture f;
    open_shadow(&f, _i % 4, _i / 4 != 0);
    fixture_set(&f, "workload.passes=1");
    struct result result = fixture_suite(&f, "MixedRW", 16384);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    ck_assert_uint_gt(result.blocks_verified, 0);
    fixture_close(&f);
}
END_TEST

/* ---- ring policies ---- */

static struct result ring_reads(const char *ring, uint64_t depth)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, "driver.completion=poll");
    fixture_set(&f, ring);
    struct result result = reads(&f, depth);
    fixture_close(&f);
    return result;
}

/* The last of a batch rings for all: as many doorbells as one per batch, fewer than one each; one
 * at a time it is one each. */
START_TEST(last_rings_as_often_as_there_are_batches)
{
    uint64_t last = ring_reads("driver.ring=last", 32).counters.sq_doorbells;
    uint64_t batch = ring_reads("driver.ring=per-batch", 32).counters.sq_doorbells;
    uint64_t each = ring_reads("driver.ring=per-command", 32).counters.sq_doorbells;
    ck_assert_uint_le(last, batch + batch / 10);
    ck_assert_uint_lt(last, each);
    ck_assert_uint_eq(each, IOS + 1);
    ck_assert_uint_eq(ring_reads("driver.ring=last", 1).counters.sq_doorbells, IOS + 1);
}
END_TEST

START_TEST(at_poll_rings_at_every_depth)
{
    static const uint64_t depths[] = {1, 2, 32};
    uint64_t writes = ring_reads("driver.ring=at-poll", depths[_i]).counters.sq_doorbells;
    ck_assert_uint_le(writes, IOS + 1);
    ck_assert_uint_ge(writes, IOS / depths[_i]);
}
END_TEST

Suite *driver_shadow_suite(void);
Suite *driver_shadow_suite(void)
{
    Suite *suite = suite_create("driver shadow");
    TCase *tcase = tcase_create("shadow");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, one_at_a_time_each_policy_keeps_its_promise, 0, 8);
    tcase_add_loop_test(tcase, deep_each_policy_saves_writes, 0, 8);
    tcase_add_loop_test(tcase, written_data_comes_back, 0, 8);
    tcase_add_test(tcase, last_rings_as_often_as_there_are_batches);
    tcase_add_loop_test(tcase, at_poll_rings_at_every_depth, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
