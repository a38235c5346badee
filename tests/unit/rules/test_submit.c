/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules S1 to S9: tails, slots, identifiers and fences (NVMe 1.4 sections 4.1, 4.2, 7.2.1). The
 * queue has four entries, so it holds three commands.
 */
#include <string.h>

#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

static struct rig rig;

static void open_rig(void)
{
    rig_open(&rig);
    rig_start(&rig);
    rig_io(&rig);
}

static void close_rig(void)
{
    rig_close(&rig);
}

/* Behind those that are built already; nothing is rung. */
static void add(uint16_t cid)
{
    rig_build_io(&rig, NVM_OP_READ, cid, cid % 8, 1, RIG_DATA, 0);
    rig_publish(&rig, 1);
    rig.sq_tail[1] = (rig.sq_tail[1] + 1) % RIG_DEPTH;
}

static void ring(void)
{
    rig_write(&rig, SPEC_DOORBELLS + 8, rig.sq_tail[1]);
}

static void fill(void)
{
    for (uint16_t cid = 0; cid < RIG_DEPTH - 1; cid++)
        add(cid);
    ring();
}

static void fetch(uint32_t slot)
{
    rig_fetch(&rig, 1, rig_at(&rig, RIG_SQ + slot * SQE_BYTES), slot);
}

START_TEST(s1_a_tail_of_as_much_as_the_size_is_a_breach)
{
    rig_write(&rig, SPEC_DOORBELLS + 8, RIG_DEPTH);
    rig_expect(&rig, RULE_S1, 1);
}
END_TEST

START_TEST(s1_s2_s3_a_tail_of_the_size_less_one_fills_the_queue_and_is_none)
{
    fill();
    ck_assert_uint_eq(rig.sq_tail[1], RIG_DEPTH - 1);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s2_one_more_than_the_controller_has_room_for_is_a_breach)
{
    fill();
    add(3);
    ring();
    rig_expect(&rig, RULE_S2, 1);
}
END_TEST

START_TEST(s2_a_batch_of_a_whole_lap_is_a_breach_one_less_is_none)
{
    rig_emit(&rig, RECORD_PUBLISH, 1, 0, RIG_DEPTH - 1, 0, NULL);
    rig_expect_none(&rig);
    rig_emit(&rig, RECORD_PUBLISH, 1, 0, RIG_DEPTH, 0, NULL);
    rig_expect(&rig, RULE_S2, 1);
}
END_TEST

START_TEST(s3_room_that_no_completion_has_told_of_is_a_breach)
{
    fill();
    fetch(0);
    add(3);
    ring();
    rig_expect(&rig, RULE_S3, 1);
}
END_TEST

START_TEST(s3_room_is_known_once_the_completion_is_seen)
{
    fill();
    fetch(0);
    rig_complete(&rig, 1, 0, 0, 1, 0);
    rig_look(&rig, 1);
    rig_fence(&rig, 1);
    add(3);
    ring();
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s4_the_same_tail_again_is_a_breach)
{
    add(0);
    ring();
    ring();
    rig_expect(&rig, RULE_S4, 1);
}
END_TEST

START_TEST(s4_so_is_0_before_there_was_anything)
{
    rig_write(&rig, SPEC_DOORBELLS + 8, 0);
    rig_expect(&rig, RULE_S4, 1);
}
END_TEST

START_TEST(s4_the_same_tail_after_a_lap_is_none)
{
    for (uint16_t cid = 0; cid < RIG_DEPTH; cid++) {
        add(cid);
        if (cid == RIG_DEPTH - 1)
            ring(); /* 0, as the register had it at first */
        else
            rig_write(&rig, SPEC_DOORBELLS + 8, rig.sq_tail[1]);
        rig_finish(&rig, 1);
    }
    ck_assert_uint_eq(rig.sq_tail[1], 0);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s5_a_store_between_doorbell_and_fetch_is_a_breach)
{
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_put(sqe + 40, 6, 8);
    rig_fetch(&rig, 1, sqe, 0);
    rig_expect(&rig, RULE_S5, 1);
}
END_TEST

START_TEST(s5_a_store_to_the_identifier_too)
{
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_put(sqe + 2, 7, 2);
    rig_fetch(&rig, 1, sqe, 0);
    rig_expect(&rig, RULE_S5, 1);
}
END_TEST

START_TEST(s5_a_store_after_the_fetch_is_none)
{
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_fetch(&rig, 1, sqe, 0);
    rig_put(sqe + 40, 6, 8);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s5_what_the_controller_gets_too_early_is_no_store)
{
    uint8_t old[SQE_BYTES] = {0};
    rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_fetch(&rig, 1, old, 0); /* a matter of fences, not of hands */
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s6_an_identifier_that_is_outstanding_is_a_breach)
{
    add(1);
    ring();
    add(1);
    ring();
    rig_expect(&rig, RULE_S6, 1);
}
END_TEST

START_TEST(s6_twice_with_one_doorbell_too)
{
    add(1);
    add(1);
    ring();
    rig_expect(&rig, RULE_S6, 1);
}
END_TEST

START_TEST(s6_the_same_identifier_in_the_admin_queue_is_none)
{
    rig_build(&rig, 0, ADMIN_GET_FEATURES, 1, 0, 0, 0);
    rig_hand_over(&rig, 0);
    add(1);
    ring();
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s7_an_identifier_whose_completion_is_not_seen_is_a_breach)
{
    add(1);
    ring();
    fetch(0);
    rig_complete(&rig, 1, 1, 0, 1, 0);
    add(1);
    ring();
    rig_expect(&rig, RULE_S7, 1);
}
END_TEST

START_TEST(s7_seen_is_enough_the_head_doorbell_may_come_later)
{
    add(1);
    ring();
    fetch(0);
    rig_complete(&rig, 1, 1, 0, 1, 0);
    rig_look(&rig, 1);
    rig_fence(&rig, 1);
    add(1);
    ring();
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s8_identifier_ffffh_is_told_when_the_run_is_over)
{
    rig_command(&rig, 1, NVM_OP_READ, 0xffff, 1, RIG_DATA, 0, 0, 0, 0);
    rig_expect_none(&rig);
    rules_conclude(rig.rules);
    rig_expect(&rig, RULE_S8, 1);
}
END_TEST

START_TEST(s8_identifier_fffeh_is_none)
{
    rig_command(&rig, 1, NVM_OP_READ, 0xfffe, 1, RIG_DATA, 0, 0, 0, 0);
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s9_an_entry_without_a_fence_is_a_breach)
{
    rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_ring(&rig, 1);
    rig_expect(&rig, RULE_S9, 1);
}
END_TEST

START_TEST(s9_an_entry_stored_to_behind_its_fence_is_a_breach)
{
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_publish(&rig, 1);
    rig_put(sqe + 40, 6, 8);
    rig_ring(&rig, 1);
    rig_expect(&rig, RULE_S9, 1);
}
END_TEST

START_TEST(s9_a_list_stored_to_behind_the_fence_is_a_breach)
{
    rig_put(rig_at(&rig, RIG_LISTS), RIG_DATA + 4096, 8);
    rig_put(rig_at(&rig, RIG_LISTS + 8), RIG_DATA + 8192, 8);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 24, RIG_DATA, RIG_LISTS);
    rig_publish(&rig, 1);
    rig_put(rig_at(&rig, RIG_LISTS + 8), RIG_DATA + 12288, 8);
    rig_ring(&rig, 1);
    rig_expect(&rig, RULE_S9, 1);
}
END_TEST

START_TEST(s9_the_last_fence_counts)
{
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 5, 1, RIG_DATA, 0);
    rig_publish(&rig, 1);
    rig_put(sqe + 40, 6, 8);
    rig_publish(&rig, 1);
    rig_ring(&rig, 1);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s9_a_fence_for_the_slots_last_use_is_not_enough)
{
    for (uint16_t cid = 0; cid < RIG_DEPTH; cid++)
        rig_command(&rig, 1, NVM_OP_READ, cid, 1, RIG_DATA, 0, 0, 0, 0);
    rig_build_io(&rig, NVM_OP_READ, 9, 5, 1, RIG_DATA, 0);
    rig_ring(&rig, 1);
    rig_expect(&rig, RULE_S9, 1);
}
END_TEST

Suite *suite_submit(void)
{
    Suite *suite = suite_create("submit");
    TCase *tests = tcase_create("submit");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, s1_a_tail_of_as_much_as_the_size_is_a_breach);
    tcase_add_test(tests, s1_s2_s3_a_tail_of_the_size_less_one_fills_the_queue_and_is_none);
    tcase_add_test(tests, s2_one_more_than_the_controller_has_room_for_is_a_breach);
    tcase_add_test(tests, s2_a_batch_of_a_whole_lap_is_a_breach_one_less_is_none);
    tcase_add_test(tests, s3_room_that_no_completion_has_told_of_is_a_breach);
    tcase_add_test(tests, s3_room_is_known_once_the_completion_is_seen);
    tcase_add_test(tests, s4_the_same_tail_again_is_a_breach);
    tcase_add_test(tests, s4_so_is_0_before_there_was_anything);
    tcase_add_test(tests, s4_the_same_tail_after_a_lap_is_none);
    tcase_add_test(tests, s5_a_store_between_doorbell_and_fetch_is_a_breach);
    tcase_add_test(tests, s5_a_store_to_the_identifier_too);
    tcase_add_test(tests, s5_a_store_after_the_fetch_is_none);
    tcase_add_test(tests, s5_what_the_controller_gets_too_early_is_no_store);
    tcase_add_test(tests, s6_an_identifier_that_is_outstanding_is_a_breach);
    tcase_add_test(tests, s6_twice_with_one_doorbell_too);
    tcase_add_test(tests, s6_the_same_identifier_in_the_admin_queue_is_none);
    tcase_add_test(tests, s7_an_identifier_whose_completion_is_not_seen_is_a_breach);
    tcase_add_test(tests, s7_seen_is_enough_the_head_doorbell_may_come_later);
    tcase_add_test(tests, s8_identifier_ffffh_is_told_when_the_run_is_over);
    tcase_add_test(tests, s8_identifier_fffeh_is_none);
    tcase_add_test(tests, s9_an_entry_without_a_fence_is_a_breach);
    tcase_add_test(tests, s9_an_entry_stored_to_behind_its_fence_is_a_breach);
    tcase_add_test(tests, s9_a_list_stored_to_behind_the_fence_is_a_breach);
    tcase_add_test(tests, s9_the_last_fence_counts);
    tcase_add_test(tests, s9_a_fence_for_the_slots_last_use_is_not_enough);
    suite_add_tcase(suite, tests);
    return suite;
}
