/* SPDX-License-Identifier: BSD-2-Clause
 * Features with a data structure: LBA Range Type, Timestamp, Host Behavior Support, Host Identifier
 * (NVMe 1.4 sections 5.21.1.3, 5.21.1.14, 5.21.1.22, 5.21.1.26). */
#include <string.h>

#include "unit/nvme/rig_admin.h"

static struct rig rig;
static struct rig_params params;

#define BLOCKS (UINT64_C(64) << 20 >> 9)

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.save_features = 1;
    params.ctrl.timestamp = 1;
    params.ctrl.retry_delay1 = 300 * RIG_MS;
    rig_open(&rig, &params);
    rig_enable(&rig);
    memset(rig_at(&rig, RIG_DATA), 0, 0x2000);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void put_range(uint32_t i, uint64_t slba, uint64_t blocks)
{
    rig_put_field(&rig, i * 64, 1, 2); /* type: RAID */
    rig_put_field(&rig, i * 64 + 16, 8, slba);
    rig_put_field(&rig, i * 64 + 24, 8, blocks - 1);
}

START_TEST(lba_ranges_default_to_one_that_is_all)
{
    memset(rig_at(&rig, RIG_DATA), 0xff, 0x2000);
    ck_assert_uint_eq(rig_get(&rig, 1, 3, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 1, 1), 1);
    ck_assert_uint_eq(rig_field(&rig, 16, 8), 0);
    ck_assert_uint_eq(rig_field(&rig, 24, 8), BLOCKS - 1);
    ck_assert_uint_eq(rig_field(&rig, 4088, 8), 0);
    ck_assert_uint_eq(rig_field(&rig, 4096, 1), 0xff); /* 4096 bytes and no more */
}
END_TEST

START_TEST(lba_ranges_are_kept_over_resets)
{
    put_range(0, 0, 100);
    put_range(1, 100, BLOCKS - 100);
    ck_assert_uint_eq(rig_set(&rig, 1, 3, 1), 0);
    rig_reset(&rig);
    memset(rig_at(&rig, RIG_DATA), 0xff, 0x2000);
    ck_assert_uint_eq(rig_get(&rig, 1, 3, 0), 1);
    ck_assert_uint_eq(rig_field(&rig, 64, 1), 2);
    ck_assert_uint_eq(rig_field(&rig, 64 + 16, 8), 100);
    ck_assert_uint_eq(rig_get(&rig, 1, 3 | DEFAULT, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 24, 8), BLOCKS - 1);
}
END_TEST

START_TEST(lba_ranges_must_fit_and_not_overlap)
{
    put_range(0, 0, 101);
    put_range(1, 100, 8);
    ck_assert_uint_eq(rig_set(&rig, 1, 3, 1), 0x114);
    ck_assert_uint_eq(rig_set(&rig, 1, 3, 0), 0); /* the second is not looked at */
    put_range(0, 0, BLOCKS + 1);
    ck_assert_uint_eq(rig_set(&rig, 1, 3, 0), 0x080);
    put_range(0, UINT64_MAX, 2);
    ck_assert_uint_eq(rig_set(&rig, 1, 3, 0), 0x080);
    for (uint32_t i = 0; i < 64; i++)
        put_range(i, (63 - i) * 10, 10);
    ck_assert_uint_eq(rig_set(&rig, 1, 3, 63), 0);
    ck_assert_uint_eq(rig_set(&rig, 0, 3, 0), 0x00b);
    ck_assert_uint_eq(rig_set(&rig, 0xffffffff, 3, 63), 0);
}
END_TEST

START_TEST(timestamp_counts_simulated_time)
{
    uint64_t before;

    ck_assert_uint_eq(rig_get(&rig, 0, 14, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 6, 2), 0); /* origin: reset; Synch: never stopped */
    ck_assert_uint_eq(rig_field(&rig, 0, 6), rig_now(&rig) / RIG_MS);
    rig_put_field(&rig, 0, 8, UINT64_C(1700000000000));
    ck_assert_uint_eq(rig_set(&rig, 0, 14, 0), 0);
    before = rig_now(&rig);
    rig_for(&rig, 5000 * RIG_MS);
    ck_assert_uint_eq(rig_get(&rig, 0, 14, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 6),
                      UINT64_C(1700000000000) + (rig_now(&rig) - before) / RIG_MS);
    ck_assert_uint_eq(rig_field(&rig, 6, 2), 2); /* origin: Set Features */
    rig_reset(&rig);
    rig_get(&rig, 0, 14, 0);
    ck_assert_uint_lt(rig_field(&rig, 0, 6), 100);
    ck_assert_uint_eq(rig_field(&rig, 6, 2), 0);
    ck_assert_uint_eq(rig_set(&rig, 0, 14 | SAVE, 0), 0x10d);
}
END_TEST

START_TEST(timestamp_is_optional) /* ONCS bit 6 */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 520, 2) & 0x40, 0x40);
    rig_close(&rig);
    params.ctrl.timestamp = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 520, 2) & 0x40, 0);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 14, 0, NULL), 0x002);
}
END_TEST

START_TEST(data_must_be_reachable)
{
    struct rig_cmd cmd = {.opcode = 9, .cid = 1, .prp1 = 0x1000, .cdw10 = 14};

    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x004);
    cmd.opcode = 10;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x004);
    cmd.prp1 = RIG_DATA + 2;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x013);
}
END_TEST

/* A command that fails with Data Transfer Error may be retried. */
static struct rig_cqe failed_command(void)
{
    struct rig_cmd cmd = {.opcode = 6, .cid = 1, .prp1 = 0x1000, .cdw10 = 1};
    struct rig_cqe cqe;

    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, &cqe), 0x004);
    ck_assert(!cqe.dnr);
    return cqe;
}

START_TEST(retry_delay_is_reported_to_hosts_that_know_it) /* 4.6.1, CRD */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 128, 2), 3); /* CRDT1: 300 ms */
    ck_assert_uint_eq(failed_command().retry_delay, 0);
    memset(rig_at(&rig, RIG_DATA), 0, 512);
    rig_put_field(&rig, 0, 1, 2);
    ck_assert_uint_eq(rig_set(&rig, 0, 0x16, 0), 0x002); /* ACRE is 0 or 1 */
    rig_put_field(&rig, 0, 1, 1);
    ck_assert_uint_eq(rig_set(&rig, 0, 0x16, 0), 0);
    ck_assert_uint_eq(failed_command().retry_delay, 1);
    ck_assert_uint_eq(rig_get(&rig, 0, 0x16, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 1), 1);
    rig_reset(&rig);
    ck_assert_uint_eq(failed_command().retry_delay, 0);
}
END_TEST

START_TEST(host_behavior_came_with_1_4)
{
    rig_close(&rig);
    params.ctrl.version = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 0x16, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 128, 2), 0);
}
END_TEST

START_TEST(host_identifier_in_both_forms) /* CTRATT bit 0 */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 96, 4) & 1, 1);
    rig_put_field(&rig, 0, 8, UINT64_C(0x1122334455667788));
    rig_put_field(&rig, 8, 8, UINT64_C(0x99aabbccddeeff00));
    ck_assert_uint_eq(rig_set(&rig, 0, 0x81, 0), 0);
    memset(rig_at(&rig, RIG_DATA), 0xee, 32);
    ck_assert_uint_eq(rig_get(&rig, 0, 0x81, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), UINT64_C(0x1122334455667788));
    ck_assert_uint_eq(rig_field(&rig, 8, 8), UINT64_C(0xeeeeeeeeeeeeeeee)); /* 8 bytes only */
    rig_put_field(&rig, 8, 8, UINT64_C(0x99aabbccddeeff00));
    ck_assert_uint_eq(rig_set(&rig, 0, 0x81, 1), 0);
    memset(rig_at(&rig, RIG_DATA), 0, 32);
    ck_assert_uint_eq(rig_get(&rig, 0, 0x81, 1), 1);
    ck_assert_uint_eq(rig_field(&rig, 8, 8), UINT64_C(0x99aabbccddeeff00));
    rig_reset(&rig);
    rig_get(&rig, 0, 0x81, 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
}
END_TEST

Suite *suite_feature_data(void)
{
    Suite *suite = suite_create("nvme features with data");
    TCase *tc = tcase_create("feature data");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, lba_ranges_default_to_one_that_is_all);
    tcase_add_test(tc, lba_ranges_are_kept_over_resets);
    tcase_add_test(tc, lba_ranges_must_fit_and_not_overlap);
    tcase_add_test(tc, timestamp_counts_simulated_time);
    tcase_add_test(tc, timestamp_is_optional);
    tcase_add_test(tc, data_must_be_reachable);
    tcase_add_test(tc, retry_delay_is_reported_to_hosts_that_know_it);
    tcase_add_test(tc, host_behavior_came_with_1_4);
    tcase_add_test(tc, host_identifier_in_both_forms);
    suite_add_tcase(suite, tc);
    return suite;
}
