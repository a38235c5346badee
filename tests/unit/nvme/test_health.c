/* SPDX-License-Identifier: BSD-2-Clause
 * The SMART / Health log and its events (NVMe 1.4 sections 5.14.1.2, 5.2 and 5.21.1.11). */
#include <string.h>

#include "unit/nvme/rig_admin.h"

#define MINUTE (60000 * RIG_MS)

static struct rig rig;
static struct rig_params params;
static struct ctrl_health health;

static void setup(void)
{
    rig_defaults(&params);
    rig_open(&rig, &params);
    rig_enable(&rig);
    health = (struct ctrl_health){.temperature = 313, .spare_percent = 100};
}

static void teardown(void)
{
    rig_close(&rig);
}

static void become(uint16_t temperature)
{
    health.temperature = temperature;
    ctrl_set_health(rig.ctrl, &health);
}

static uint64_t smart(uint32_t offset, unsigned bytes)
{
    ck_assert_uint_eq(rig_log(&rig, 2, 0, 512, true), 0);
    return rig_field(&rig, offset, bytes);
}

START_TEST(what_a_new_drive_says)
{
    ck_assert_uint_eq(smart(0, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 1, 2), 313);
    ck_assert_uint_eq(rig_field(&rig, 3, 1), 100);
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 10);
    ck_assert_uint_eq(rig_field(&rig, 5, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 112, 8), 1); /* power cycles */
    ck_assert_uint_eq(rig_field(&rig, 144, 8), 0);
    ck_assert_uint_eq(rig_field(&rig, 504, 8), 0);
}
END_TEST

/* 5.21.1.4: at the threshold, not beyond it. */
START_TEST(temperature_crosses_the_threshold)
{
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 2), 0);
    rig_ask(&rig, 1);
    rig_ask(&rig, 2);
    become(342);
    rig_expect_nothing(&rig);
    become(343);
    rig_expect_event(&rig, 1, 0x00020101);
    become(344); /* it lasts: no other event */
    rig_expect_nothing(&rig);
    ck_assert_uint_eq(smart(0, 1), 2);
    ck_assert_uint_eq(rig_log(&rig, 2, 0, 512, false), 0);
    become(342);
    ck_assert_uint_eq(smart(0, 1), 0);
    become(343);
    rig_expect_event(&rig, 2, 0x00020101);
}
END_TEST

START_TEST(the_host_moves_the_threshold_to_the_temperature)
{
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 2), 0);
    rig_ask(&rig, 1);
    ck_assert_uint_eq(rig_set(&rig, 0, 4, 314), 0);
    rig_expect_nothing(&rig);
    ck_assert_uint_eq(rig_set(&rig, 0, 4, 1u << 20 | 312), 0); /* under */
    rig_expect_nothing(&rig);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 9, .cid = 9, .cdw10 = 4, .cdw11 = 1 << 20 | 313});
    rig_ring(&rig, 0);
    rig_expect_event(&rig, 1, 0x00020101);
    rig_expect_event(&rig, 9, 0); /* the completion of Set Features itself */
}
END_TEST

/* fault, bit of the warning, information of the event */
static const struct {
    struct ctrl_health health;
    uint32_t warning, event;
} faults[] = {
    {{.temperature = 313, .spare_percent = 9}, 0x01, 0x00020201},
    {{.temperature = 350, .spare_percent = 100}, 0x02, 0x00020101},
    {{.temperature = 313, .spare_percent = 100, .unreliable = true}, 0x04, 0x00020001},
    {{.temperature = 313, .spare_percent = 100, .read_only = true}, 0x08, 0x00020001},
    {{.temperature = 313, .spare_percent = 100, .backup_failed = true}, 0x10, 0x00020001},
};

START_TEST(each_warning_has_its_event_if_enabled)
{
    ck_assert_uint_eq(rig_set(&rig, 0, 11, faults[_i].warning), 0);
    rig_ask(&rig, 1);
    ctrl_set_health(rig.ctrl, &faults[_i].health);
    rig_expect_event(&rig, 1, faults[_i].event);
    ck_assert_uint_eq(smart(0, 1), faults[_i].warning);
}
END_TEST

START_TEST(and_none_if_not_enabled)
{
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 0x1fu & ~faults[_i].warning), 0);
    rig_ask(&rig, 1);
    ctrl_set_health(rig.ctrl, &faults[_i].health);
    rig_expect_nothing(&rig);
    ck_assert_uint_eq(smart(0, 1), faults[_i].warning);
}
END_TEST

START_TEST(types_do_not_mask_each_other) /* 5.2 */
{
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 0x1f), 0);
    become(350);
    health.spare_percent = 1;
    become(350);
    rig_write32(&rig, 0x1000 + 4 * 4, 1); /* SQ 2 does not exist */
    rig_ask(&rig, 1);
    rig_expect_event(&rig, 1, 0x00010000); /* errors first */
    rig_ask(&rig, 2);
    rig_expect_event(&rig, 2, 0x00020101);
    rig_ask(&rig, 3); /* spare waits behind temperature, of the same type */
    rig_expect_nothing(&rig);
    ck_assert_uint_eq(rig_log(&rig, 1, 0, 64, false), 0); /* another page */
    rig_expect_nothing(&rig);
    ck_assert_uint_eq(rig_log(&rig, 2, 0, 512, false), 0); /* answers what waited, too */
    rig_expect_nothing(&rig);
}
END_TEST

/* The threshold's default is below the temperature: the warning comes up in the reset, at which the
 * host has enabled nothing yet (5.21.1.11, 7.3.2). */
START_TEST(a_reset_leaves_no_event_behind)
{
    ck_assert_uint_eq(rig_set(&rig, 0, 4, 360), 0);
    become(350);
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 2), 0);
    ck_assert_uint_eq(smart(0, 1), 0);
    if (_i == 0) {
        rig_reset(&rig);
    } else {
        ctrl_conventional_reset(rig.ctrl);
        rig_enable(&rig);
    }
    rig_ask(&rig, 1);
    rig_expect_nothing(&rig);
    ck_assert_uint_eq(smart(0, 1), 2);
}
END_TEST

START_TEST(minutes_of_heat_and_hours_of_power)
{
    become(343);
    rig_for(&rig, 3 * MINUTE);
    become(358);
    rig_for(&rig, 2 * MINUTE);
    ck_assert_uint_eq(smart(192, 4), 3);
    ck_assert_uint_eq(rig_field(&rig, 196, 4), 2);
    rig_for(&rig, 56 * MINUTE);
    ck_assert_uint_eq(smart(128, 8), 1);
    ck_assert_uint_eq(rig_field(&rig, 196, 4), 58);
}
END_TEST

START_TEST(busy_time_is_that_with_commands)
{
    rig_close(&rig);
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 3 * MINUTE;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    for (uint16_t i = 0; i < 4; i++) /* four at once count once */
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .cid = i, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_for(&rig, 2 * MINUTE + RIG_MS);
    rig_put(&rig, 0,
            &(struct rig_cmd){.opcode = 2, .cid = 9, .prp1 = RIG_DATA, .cdw10 = 127u << 16 | 2});
    rig_ring(&rig, 0);
    rig_for(&rig, RIG_MS);
    ck_assert_uint_eq(rig_field(&rig, 96, 8), 2);
    rig_write32(&rig, 0x14, 0); /* a reset ends it */
    rig_settle(&rig);
    rig_for(&rig, 20 * MINUTE);
    rig_enable(&rig);
    ck_assert_uint_eq(smart(96, 8), 2);
}
END_TEST

/* 5.14.1.2: Compare and Verify read, Write Zeroes and Write Uncorrectable do not write. */
START_TEST(what_counts_as_read_and_written)
{
    static const struct {
        uint8_t opcode;
        uint64_t units_read, units_written, reads, writes;
    } steps[] = {{2, 1, 0, 1, 0}, {5, 1, 0, 2, 0}, {12, 1, 0, 2, 0}, {1, 1, 1, 2, 1},
                 {8, 1, 1, 2, 1}, {4, 1, 1, 2, 1}, {1, 1, 1, 2, 2},  {5, 2, 1, 3, 2}};

    rig_create_queue(&rig, 1, 8, 0);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        /* 16 blocks; before the last step 48 were read, then 951 more are verified one by one */
        for (unsigned n = 0; i == 7 && n < 951; n++)
            ck_assert_uint_eq(rig_io(&rig, 12, 0, 1, 0, 0), 0);
        memset(rig_at(&rig, RIG_DATA), 0, 0x2000);
        ck_assert_uint_eq(rig_io(&rig, steps[i].opcode, 0, 16, RIG_DATA, RIG_DATA + 0x1000), 0);
        ck_assert_uint_eq(smart(32, 8), steps[i].units_read);
        ck_assert_uint_eq(rig_field(&rig, 48, 8), steps[i].units_written);
        ck_assert_uint_eq(rig_field(&rig, 64, 8), steps[i].reads);
        ck_assert_uint_eq(rig_field(&rig, 80, 8), steps[i].writes);
    }
}
END_TEST

START_TEST(power_cycles_and_unsafe_shutdowns)
{
    ctrl_power_cycle(rig.ctrl);
    rig_enable(&rig);
    rig_write32(&rig, 0x14, params.cc | 1u << 14); /* normal shutdown */
    rig_settle(&rig);
    ctrl_power_cycle(rig.ctrl);
    rig_enable(&rig);
    ck_assert_uint_eq(smart(112, 8), 3);
    ck_assert_uint_eq(rig_field(&rig, 144, 8), 1);
}
END_TEST

Suite *suite_health(void)
{
    Suite *suite = suite_create("nvme health");
    TCase *tc = tcase_create("health");
    int count = sizeof faults / sizeof faults[0];

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_a_new_drive_says);
    tcase_add_test(tc, temperature_crosses_the_threshold);
    tcase_add_test(tc, the_host_moves_the_threshold_to_the_temperature);
    tcase_add_loop_test(tc, each_warning_has_its_event_if_enabled, 0, count);
    tcase_add_loop_test(tc, and_none_if_not_enabled, 0, count);
    tcase_add_test(tc, types_do_not_mask_each_other);
    tcase_add_loop_test(tc, a_reset_leaves_no_event_behind, 0, 2);
    tcase_add_test(tc, minutes_of_heat_and_hours_of_power);
    tcase_add_test(tc, busy_time_is_that_with_commands);
    tcase_add_test(tc, what_counts_as_read_and_written);
    tcase_add_test(tc, power_cycles_and_unsafe_shutdowns);
    suite_add_tcase(suite, tc);
    return suite;
}
