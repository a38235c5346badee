/* SPDX-License-Identifier: BSD-2-Clause
 * Device Self-test (NVMe 1.4 sections 5.8, 5.14.1.6 and 8.11). */
#include "unit/nvme/rig_admin.h"

#define SECOND (1000 * RIG_MS)

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.self_test_extended = 90 * SECOND;
    params.ctrl.self_test_short = 10 * SECOND;
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

/* One that does not wait for the end of the test. */
static uint16_t command(uint8_t opcode, uint32_t nsid, uint32_t cdw10)
{
    struct rig_cqe cqe;

    rig_put(&rig, 0,
            &(struct rig_cmd){
                .opcode = opcode, .cid = 1, .nsid = nsid, .prp1 = RIG_DATA, .cdw10 = cdw10});
    rig_ring(&rig, 0);
    while (!rig_take(&rig, 0, &cqe))
        ck_assert(engine_step(rig.engine));
    rig_ring_cq(&rig, 0);
    return cqe.status;
}

static void read_log(void)
{
    ck_assert_uint_eq(command(2, 0, 140u << 16 | 6), 0);
}

START_TEST(what_identify_says) /* OACS bit 4, EDSTT, DSTO (5.15.2.2) */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 256, 2) & 0x10, 0x10);
    ck_assert_uint_eq(rig_field(&rig, 316, 2), 2); /* minutes, rounded up */
    ck_assert_uint_eq(rig_field(&rig, 318, 1), 1);
}
END_TEST

START_TEST(progress_and_result)
{
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 2), 0);
    for (uint32_t i = 0; i < 20; i++)
        ck_assert_uint_eq(rig_field(&rig, 4 + 28 * i, 1), 0x0f);
    ck_assert_uint_eq(command(0x14, 0xffffffff, 2), 0);
    rig_for(&rig, 45 * SECOND);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 2);
    ck_assert_uint_eq(rig_field(&rig, 1, 1), 50);
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0x0f);
    rig_for(&rig, 45 * SECOND - 1);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 2);
    ck_assert_uint_eq(rig_field(&rig, 1, 1), 99);
    rig_for(&rig, 1);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0x20); /* extended, passed */
    ck_assert_uint_eq(rig_field(&rig, 6, 1), 1);
    ck_assert_uint_eq(rig_field(&rig, 16, 4), 0xffffffff);
}
END_TEST

/* ctrl.self_test_short: under way at t - 1, over at t. */
START_TEST(a_short_one_takes_its_time)
{
    ck_assert_uint_eq(command(0x14, 0, 1), 0);
    rig_for(&rig, 10 * SECOND - 1);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 1);
    rig_for(&rig, 1);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0x10); /* short, passed */
}
END_TEST

START_TEST(one_at_a_time_and_abort)
{
    ck_assert_uint_eq(command(0x14, 0, 0xf), 0); /* nothing to abort */
    ck_assert_uint_eq(command(0x14, 0, 1), 0);
    ck_assert_uint_eq(command(0x14, 1, 1), 0x11d);
    ck_assert_uint_eq(command(0x14, 1, 2), 0x11d);
    ck_assert_uint_eq(command(0x14, 0, 0xf), 0);
    ck_assert_uint_eq(command(0x14, 1, 1), 0);
    rig_settle(&rig);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0x10);      /* the newest passed */
    ck_assert_uint_eq(rig_field(&rig, 16, 4), 1);        /* on namespace 1 */
    ck_assert_uint_eq(rig_field(&rig, 4 + 28, 1), 0x11); /* the one before was aborted */
    ck_assert_uint_eq(rig_field(&rig, 4 + 28 + 2, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 4 + 56, 1), 0x0f);
}
END_TEST

START_TEST(a_later_one_may_succeed) /* 4.6.1, Do Not Retry */
{
    struct rig_cqe cqe;

    ck_assert_uint_eq(command(0x14, 0, 1), 0);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x14, .cid = 2, .cdw10 = 1});
    rig_ring(&rig, 0);
    rig_for(&rig, RIG_MS);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.status, 0x11d);
    ck_assert(!cqe.dnr);
}
END_TEST

START_TEST(wrong_codes_and_namespaces)
{
    ck_assert_uint_eq(command(0x14, 0, 0), 0x002);
    ck_assert_uint_eq(command(0x14, 0, 3), 0x002);
    ck_assert_uint_eq(command(0x14, 0, 0xe), 0x002);
    ck_assert_uint_eq(command(0x14, 2, 1), 0x00b);
}
END_TEST

START_TEST(reset_ends_a_short_one_and_not_an_extended_one)
{
    ck_assert_uint_eq(command(0x14, 0, 1), 0);
    rig_write32(&rig, 0x14, 0);
    rig_for(&rig, RIG_MS);
    rig_enable(&rig);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0x12);
    ck_assert_uint_eq(command(0x14, 0, 2), 0);
    rig_write32(&rig, 0x14, 0);
    rig_for(&rig, 30 * SECOND);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, params.cc);
    rig_for(&rig, RIG_MS);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 2);
    ck_assert_uint_eq(rig_field(&rig, 1, 1), 33);
    rig_settle(&rig);
    read_log();
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0x20);
}
END_TEST

/* 8.11: what ends with its namespace: the log says so while the other command is still at work. */
START_TEST(format_and_deletion_end_it)
{
    static const struct {
        uint32_t nsid;
        uint8_t opcode;
        uint32_t cdw10;
        uint8_t running, result;
    } cases[] = {
        {1, 0x80, 0, 0, 0x24}, {0xffffffff, 0x80, 0, 0, 0x24}, {1, 0x0d, 1, 0, 0x23},
        {0, 0x80, 0, 2, 0x0f}, {0, 0x0d, 1, 2, 0x0f},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_close(&rig);
        params.ctrl.oacs_format = params.ctrl.oacs_ns_management = 1;
        params.ctrl.format_delay = params.ctrl.ns_management_delay = 20 * SECOND;
        rig_open(&rig, &params);
        rig_enable(&rig);
        ck_assert_uint_eq(command(0x14, cases[i].nsid, 2), 0);
        rig_put(&rig, 0,
                &(struct rig_cmd){
                    .opcode = cases[i].opcode, .cid = 2, .nsid = 1, .cdw10 = cases[i].cdw10});
        rig_ring(&rig, 0);
        rig_for(&rig, SECOND);
        read_log();
        ck_assert_uint_eq(rig_field(&rig, 0, 1), cases[i].running);
        ck_assert_uint_eq(rig_field(&rig, 4, 1), cases[i].result);
    }
}
END_TEST

START_TEST(twenty_results_are_kept)
{
    for (unsigned i = 0; i < 21; i++) {
        ck_assert_uint_eq(command(0x14, 0, 1), 0);
        if (i > 0)
            rig_settle(&rig);
        else
            ck_assert_uint_eq(command(0x14, 0, 0xf), 0);
    }
    read_log();
    for (uint32_t i = 0; i < 20; i++)
        ck_assert_uint_eq(rig_field(&rig, 4 + 28 * i, 1), 0x10);
}
END_TEST

START_TEST(without_the_capability_there_is_none)
{
    rig_close(&rig);
    params.ctrl.self_test_extended = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(command(0x14, 0, 1), 0x001);
    ck_assert_uint_eq(command(2, 0, 140u << 16 | 6), 0x109);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 256, 2) & 0x10, 0);
    ck_assert_uint_eq(rig_field(&rig, 316, 3), 0);
}
END_TEST

Suite *suite_selftest(void)
{
    Suite *suite = suite_create("nvme device self-test");
    TCase *tc = tcase_create("self-test");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_identify_says);
    tcase_add_test(tc, progress_and_result);
    tcase_add_test(tc, a_short_one_takes_its_time);
    tcase_add_test(tc, one_at_a_time_and_abort);
    tcase_add_test(tc, a_later_one_may_succeed);
    tcase_add_test(tc, wrong_codes_and_namespaces);
    tcase_add_test(tc, reset_ends_a_short_one_and_not_an_extended_one);
    tcase_add_test(tc, format_and_deletion_end_it);
    tcase_add_test(tc, twenty_results_are_kept);
    tcase_add_test(tc, without_the_capability_there_is_none);
    suite_add_tcase(suite, tc);
    return suite;
}
