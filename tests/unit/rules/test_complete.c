/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules C1 to C5 and C7 to C9: heads, phase tags, fences, waiting (NVMe 1.4
 * sections 4.1, 4.6, 7.5). The queue has four entries.
 */
#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

#define HEAD_1 (SPEC_DOORBELLS + 8 + 4)
#define MS     UINT64_C(1000000000) /* ps */

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

/* A read, up to its completion entry in memory. */
static void post(uint16_t cid)
{
    rig_build_io(&rig, NVM_OP_READ, cid, cid, 1, RIG_DATA + cid % 4 * 4096u, 0);
    rig_hand_over(&rig, 1);
    uint32_t slot = (rig.sq_tail[1] + RIG_DEPTH - 1) % RIG_DEPTH;
    rig_fetch(&rig, 1, rig_at(&rig, RIG_SQ + slot * SQE_BYTES), slot);
    rig_complete(&rig, 1, cid, 0, (uint16_t)rig.sq_tail[1], 0);
}

static void take(void)
{
    rig_look(&rig, 1);
    rig_fence(&rig, 1);
}

START_TEST(c1_a_head_of_as_much_as_the_size_is_a_breach)
{
    rig_write(&rig, HEAD_1, RIG_DEPTH);
    rig_expect(&rig, RULE_C1, 1);
}
END_TEST

START_TEST(c1_c2_the_last_slot_is_a_head_once_that_many_were_posted)
{
    for (uint16_t cid = 0; cid < RIG_DEPTH - 1; cid++) {
        post(cid);
        take();
    }
    rig_write(&rig, HEAD_1, RIG_DEPTH - 1);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(c2_one_more_than_was_posted_is_a_breach)
{
    post(0);
    take();
    rig_write(&rig, HEAD_1, 2);
    rig_expect(&rig, RULE_C2, 1);
}
END_TEST

START_TEST(c2_a_look_ahead_of_the_next_entry_is_a_breach)
{
    rig_emit(&rig, RECORD_CQ_LOAD, 1, 1, 0, 0, NULL); /* the next one is in slot 0 */
    rig_expect(&rig, RULE_C2, 1);
}
END_TEST

START_TEST(c3_the_same_head_twice_is_a_breach)
{
    post(0);
    take();
    rig_write(&rig, HEAD_1, 1);
    rig_expect_none(&rig);
    rig_write(&rig, HEAD_1, 1);
    rig_expect(&rig, RULE_C3, 1);
}
END_TEST

START_TEST(c4_released_without_a_fence)
{
    post(0);
    rig_look(&rig, 1);
    rig_release(&rig, 1);
    rig_expect(&rig, RULE_C4, 1);
}
END_TEST

START_TEST(c4_one_fence_serves_all_entries_seen_before_it)
{
    post(0);
    post(1);
    rig_look(&rig, 1);
    rig_look(&rig, 1);
    rig_fence(&rig, 1);
    rig_write(&rig, HEAD_1, 2);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(c4_a_request_that_ends_before_the_fence)
{
    int request = 0;
    rig_request(&rig, &request, RECORD_OP_READ, 0, 1, RIG_DATA, RIG_REGISTERED);
    post(0);
    rig_look(&rig, 1);
    rig_end(&rig, &request, 0);
    rig_expect(&rig, RULE_C4, 1);
}
END_TEST

START_TEST(c4_is_not_asked_where_loads_are_ordered)
{
    rig_close(&rig);
    rig_open(&rig);
    rig.setup.loads_ordered = true;
    rig_start(&rig);
    rig_io(&rig);
    post(0);
    rig_look(&rig, 1);
    rig_release(&rig, 1);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(c5_an_entry_that_was_released_is_read)
{
    post(0);
    take();
    rig_release(&rig, 1);
    rig_emit(&rig, RECORD_CQ_LOAD, 1, 0, 0, 0, NULL);
    rig_expect(&rig, RULE_C5, 1);
}
END_TEST

START_TEST(c5_one_that_was_seen_and_not_released_may_be_read_again)
{
    post(0);
    take();
    rig_emit(&rig, RECORD_CQ_LOAD, 1, 0, 0, 0, NULL);
    rig_emit(&rig, RECORD_RMB, 1, 0, 0, 0, NULL);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(c7_nobody_comes_for_a_completion)
{
    post(0);
    rig_emit(&rig, RECORD_FORSAKEN, 1, 0, 0, 0, NULL);
    rig_expect(&rig, RULE_C7, 1);
}
END_TEST

START_TEST(c7_an_entry_was_never_rung)
{
    rig_build_io(&rig, NVM_OP_READ, 0, 0, 1, RIG_DATA, 0);
    rig_publish(&rig, 1);
    rig_emit(&rig, RECORD_FORSAKEN, 1, 0, 0, 0, NULL);
    rig_expect(&rig, RULE_C7, 1);
}
END_TEST

START_TEST(c7_a_completion_that_never_came_is_the_devices_fault)
{
    rig_build_io(&rig, NVM_OP_READ, 0, 0, 1, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_fetch(&rig, 1, rig_at(&rig, RIG_SQ), 0);
    rig_emit(&rig, RECORD_FORSAKEN, 1, 0, 0, 0, NULL);
    rig_expect_none(&rig);
}
END_TEST

/* 100 commands and the four of rig_io(), and so many interrupts. */
static void interrupt_so_often(unsigned times)
{
    for (uint16_t cid = 0; cid < 100; cid++) {
        post(cid);
        take();
        rig_release(&rig, 1);
    }
    for (unsigned i = 0; i < times; i++)
        rig_emit(&rig, RECORD_INTERRUPT, 0, 0, 0, 0, NULL);
    rules_conclude(rig.rules);
}

START_TEST(c8_two_interrupts_for_each_completion_are_in_measure)
{
    rig_close(&rig);
    rig_open(&rig);
    rig.setup.performance = true;
    rig_start(&rig);
    rig_io(&rig);
    interrupt_so_often(208);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(c8_one_more_is_not)
{
    interrupt_so_often(209);
    rig_expect(&rig, RULE_C8, 1);
}
END_TEST

START_TEST(c8_ten_milliseconds_at_a_time_are_in_measure_and_a_bit_more_is_not)
{
    rig_emit(&rig, RECORD_LOCK, 1, 10 * MS, 0, 0, NULL);
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    rig_emit(&rig, RECORD_LOCK, 1, 10 * MS + 1, 0, 0, NULL);
    rules_conclude(rig.rules);
    rig_expect(&rig, RULE_C8, 1);
}
END_TEST

START_TEST(c9_a_stall_is_counted_and_no_breach)
{
    rig_emit(&rig, RECORD_STALL, 1, 1u << 16, 0, 0, NULL);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_C9], 1);
    ck_assert_uint_eq(rig_verdict(&rig)->violations, 0);
}
END_TEST

START_TEST(c9_an_entry_where_there_is_no_room)
{
    for (uint16_t i = 0; i < RIG_DEPTH; i++) /* three fill it */
        rig_complete(&rig, 1, i, 0, 0, 0);
    rig_expect(&rig, RULE_C9, 1);
}
END_TEST

Suite *suite_complete(void)
{
    Suite *suite = suite_create("complete");
    TCase *tests = tcase_create("complete");
    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, c1_a_head_of_as_much_as_the_size_is_a_breach);
    tcase_add_test(tests, c1_c2_the_last_slot_is_a_head_once_that_many_were_posted);
    tcase_add_test(tests, c2_one_more_than_was_posted_is_a_breach);
    tcase_add_test(tests, c2_a_look_ahead_of_the_next_entry_is_a_breach);
    tcase_add_test(tests, c3_the_same_head_twice_is_a_breach);
    tcase_add_test(tests, c4_released_without_a_fence);
    tcase_add_test(tests, c4_one_fence_serves_all_entries_seen_before_it);
    tcase_add_test(tests, c4_a_request_that_ends_before_the_fence);
    tcase_add_test(tests, c4_is_not_asked_where_loads_are_ordered);
    tcase_add_test(tests, c5_an_entry_that_was_released_is_read);
    tcase_add_test(tests, c5_one_that_was_seen_and_not_released_may_be_read_again);
    tcase_add_test(tests, c7_nobody_comes_for_a_completion);
    tcase_add_test(tests, c7_an_entry_was_never_rung);
    tcase_add_test(tests, c7_a_completion_that_never_came_is_the_devices_fault);
    tcase_add_test(tests, c8_two_interrupts_for_each_completion_are_in_measure);
    tcase_add_test(tests, c8_one_more_is_not);
    tcase_add_test(tests, c8_ten_milliseconds_at_a_time_are_in_measure_and_a_bit_more_is_not);
    tcase_add_test(tests, c9_a_stall_is_counted_and_no_breach);
    tcase_add_test(tests, c9_an_entry_where_there_is_no_room);
    suite_add_tcase(suite, tests);
    return suite;
}
