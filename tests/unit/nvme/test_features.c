/* SPDX-License-Identifier: BSD-2-Clause
 * Get and Set Features: Select, Save, scope, and what a reset leaves (NVMe 1.4 sections 5.13, 5.21
 * and 7.8). Values of single features: test_admin.c, test_feature_data.c. */
#include "unit/nvme/rig_admin.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.save_features = 1;
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

START_TEST(save_and_select_are_claimed) /* ONCS bit 4 (5.15.2.2) */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 520, 2) & 0x10, 0x10);
}
END_TEST

/* 5.21.1 (Write Atomicity: 5.21.1.10): the features that there are, and what each supports: 1
 * saveable, 2 of a namespace, 4 changeable. */
static const struct {
    uint32_t feature, supports;
} capabilities[] = {
    {1, 5}, {2, 4}, {3, 6},  {4, 5},  {5, 7},    {6, 5},    {7, 4},
    {8, 5}, {9, 5}, {10, 5}, {11, 5}, {0x16, 4}, {0x80, 4}, {0x81, 4},
};

START_TEST(supported_capabilities) /* 5.13, Select 011b */
{
    ck_assert_uint_eq(rig_get(&rig, 0, capabilities[_i].feature | SUPPORTS, 0),
                      capabilities[_i].supports);
}
END_TEST

START_TEST(save_is_refused_where_it_is_not_supported) /* 5.21: Feature Identifier Not Saveable */
{
    if ((capabilities[_i].supports & 1) == 0)
        ck_assert_uint_eq(rig_set(&rig, 0, capabilities[_i].feature | SAVE, 0), 0x10d);
}
END_TEST

START_TEST(reserved_select_and_unknown_features)
{
    for (uint32_t select = 4; select < 8; select++)
        ck_assert_uint_eq(rig_admin(&rig, 10, 0, 1 | select << 8, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 0x0c | SUPPORTS, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_set(&rig, 0, 0x0c | SAVE, 0), 0x002);
}
END_TEST

/* feature, nsid, default, value that is saved, value that is set after it */
static const struct {
    uint32_t feature, nsid, initial, saved, current;
} saveable[] = {
    {1, 0, 3, 0x03020104, 0x01010102},
    {4, 0, 343, 340, 330},
    {5, 1, 0, 0x1234, 0x4321},
    {6, 0, 1, 0, 1},
    {8, 0, 0, 0x0203, 0x0405},
    {9, 0, 0, 0x10000, 0},
    {10, 0, 0, 1, 0},
    {11, 0, 0, 0x02, 0x01},
};

START_TEST(current_default_and_saved_values) /* 5.13, Select 000b to 010b; 7.8 */
{
    uint32_t feature = saveable[_i].feature, nsid = saveable[_i].nsid;

    ck_assert_uint_eq(rig_get(&rig, nsid, feature, 0), saveable[_i].initial);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature | SAVED, 0), saveable[_i].initial);
    ck_assert_uint_eq(rig_set(&rig, nsid, feature | SAVE, saveable[_i].saved), 0);
    ck_assert_uint_eq(rig_set(&rig, nsid, feature, saveable[_i].current), 0);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature, 0), saveable[_i].current);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature | DEFAULT, 0), saveable[_i].initial);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature | SAVED, 0), saveable[_i].saved);
}
END_TEST

START_TEST(saved_values_come_back_after_every_reset) /* 7.8 */
{
    uint32_t feature = saveable[_i].feature, nsid = saveable[_i].nsid;

    ck_assert_uint_eq(rig_set(&rig, nsid, feature | SAVE, saveable[_i].saved), 0);
    ck_assert_uint_eq(rig_set(&rig, nsid, feature, saveable[_i].current), 0);
    rig_reset(&rig);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature, 0), saveable[_i].saved);
    ctrl_power_cycle(rig.ctrl);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature, 0), saveable[_i].saved);
}
END_TEST

START_TEST(values_that_are_not_saved_are_default_after_a_reset)
{
    uint32_t feature = saveable[_i].feature, nsid = saveable[_i].nsid;

    ck_assert_uint_eq(rig_set(&rig, nsid, feature, saveable[_i].saved), 0);
    rig_reset(&rig);
    ck_assert_uint_eq(rig_get(&rig, nsid, feature, 0), saveable[_i].initial);
}
END_TEST

START_TEST(without_the_capability_only_current_values) /* ONCS bit 4 = 0 */
{
    rig_close(&rig);
    params.ctrl.save_features = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_set(&rig, 0, 6 | SAVE, 0), 0x10d);
    for (uint32_t select = 1; select < 8; select++)
        ck_assert_uint_eq(rig_admin(&rig, 10, 0, 6 | select << 8, 0, NULL), 0x002);
}
END_TEST

START_TEST(namespace_scope) /* 7.8, 6.1.4, 6.1.5 */
{
    ck_assert_uint_eq(rig_set(&rig, 0xffffffff, 5, 0x77), 0); /* all of them */
    ck_assert_uint_eq(rig_get(&rig, 1, 5, 0), 0x77);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0xffffffff, 5, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 5, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_admin(&rig, 10, 2, 5, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_set(&rig, 0, 5, 0), 0x00b);
    ck_assert_uint_eq(rig_set(&rig, 0xffffffff, 5, 0x10000), 0x002); /* DULBE (5.21.1.5) */
    ck_assert_uint_eq(rig_get(&rig, 1, 5, 0), 0x77);
}
END_TEST

START_TEST(thresholds_are_kept_apart) /* 5.21.1.4 */
{
    ck_assert_uint_eq(rig_set(&rig, 0, 4, 1u << 20 | 270), 0);
    ck_assert_uint_eq(rig_set(&rig, 0, 4, 15u << 16 | 350), 0); /* all sensors */
    ck_assert_uint_eq(rig_get(&rig, 0, 4, 1u << 20), 270);
    ck_assert_uint_eq(rig_get(&rig, 0, 4, 0), 350);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 4, 15u << 16, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 4, 2u << 20, NULL), 0x002);
}
END_TEST

START_TEST(vectors_are_kept_apart) /* 5.21.1.9 */
{
    ck_assert_uint_eq(rig_set(&rig, 0, 9, 0x10003), 0);
    ck_assert_uint_eq(rig_get(&rig, 0, 9, 3), 0x10003);
    ck_assert_uint_eq(rig_get(&rig, 0, 9, 2), 2);
    ck_assert_uint_eq(rig_set(&rig, 0, 9, 5), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 9, 5, NULL), 0x002);
}
END_TEST

START_TEST(progress_marker_outlives_resets) /* 5.21.1.25 */
{
    ck_assert_uint_eq(rig_set(&rig, 0, 0x80, 9), 0);
    rig_reset(&rig);
    ctrl_power_cycle(rig.ctrl);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_get(&rig, 0, 0x80, 0), 9);
}
END_TEST

START_TEST(reset_gives_all_queues_again) /* 5.21.1.7 */
{
    ck_assert_uint_eq(rig_set(&rig, 0, 7, 0), 0);
    ck_assert_uint_eq(rig_get(&rig, 0, 7, 0), 0);
    ck_assert_uint_eq(rig_get(&rig, 0, 7 | DEFAULT, 0), 0x00030003);
    rig_reset(&rig);
    ck_assert_uint_eq(rig_get(&rig, 0, 7, 0), 0x00030003);
}
END_TEST

Suite *suite_features(void)
{
    Suite *suite = suite_create("nvme features");
    TCase *tc = tcase_create("features");
    int all = sizeof capabilities / sizeof capabilities[0];
    int saves = sizeof saveable / sizeof saveable[0];

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, save_and_select_are_claimed);
    tcase_add_loop_test(tc, supported_capabilities, 0, all);
    tcase_add_loop_test(tc, save_is_refused_where_it_is_not_supported, 0, all);
    tcase_add_test(tc, reserved_select_and_unknown_features);
    tcase_add_loop_test(tc, current_default_and_saved_values, 0, saves);
    tcase_add_loop_test(tc, saved_values_come_back_after_every_reset, 0, saves);
    tcase_add_loop_test(tc, values_that_are_not_saved_are_default_after_a_reset, 0, saves);
    tcase_add_test(tc, without_the_capability_only_current_values);
    tcase_add_test(tc, namespace_scope);
    tcase_add_test(tc, thresholds_are_kept_apart);
    tcase_add_test(tc, vectors_are_kept_apart);
    tcase_add_test(tc, progress_marker_outlives_resets);
    tcase_add_test(tc, reset_gives_all_queues_again);
    suite_add_tcase(suite, tc);
    return suite;
}
