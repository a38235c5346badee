/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules S14 to S16, C6 and C10: what a caller asked for and what was done (NVMe 1.4 sections 6.6
 * to 6.9, 6.14, 6.15, 6.17).
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

static const int a, b; /* identities */

static void do_io(uint8_t opcode, uint16_t cid, uint64_t lba, uint32_t blocks, uint64_t bus)
{
    uint64_t second = bus % 4096 + blocks * 512 > 4096 ? (bus | 4095) + 1 : 0;
    rig_build_io(&rig, opcode, cid, lba, blocks, bus, second);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
}

static void flush(void)
{
    rig_build(&rig, 1, NVM_OP_FLUSH, 1, 1, 0, 0);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
}

/* ---- C6 and C10 ---- */

/* A read of block 0, rung and fetched. */
static void start(void)
{
    rig_request(&rig, &a, RECORD_OP_READ, 0, 1, RIG_DATA, RIG_REGISTERED);
    rig_build_io(&rig, NVM_OP_READ, 3, 0, 1, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_fetch(&rig, 1, rig_at(&rig, RIG_SQ), 0);
}

static void complete(uint16_t cid, uint16_t status)
{
    rig_complete(&rig, 1, cid, status, (uint16_t)rig.sq_tail[1], 0);
    rig_look(&rig, 1);
    rig_fence(&rig, 1);
    rig_release(&rig, 1);
}

START_TEST(c6_an_end_before_the_completion)
{
    start();
    rig_end(&rig, &a, 0);
    rig_expect(&rig, RULE_C6, 1);
}
END_TEST

START_TEST(c6_an_error_may_come_before_it)
{
    start();
    rig_end(&rig, &a, -6); /* given up */
    rig_expect_none(&rig);
}
END_TEST

START_TEST(c6_ended_twice)
{
    start();
    complete(3, 0);
    rig_end(&rig, &a, 0);
    rig_end(&rig, &a, 0);
    rig_expect(&rig, RULE_C6, 1);
}
END_TEST

START_TEST(c6_ended_well_with_a_command_that_failed)
{
    start();
    complete(3, 0x281);
    rig_end(&rig, &a, 0);
    rig_expect(&rig, RULE_C6, 1);
}
END_TEST

START_TEST(c6_completed_and_never_ended)
{
    start();
    complete(3, 0);
    rig_emit(&rig, RECORD_FORSAKEN, 1, 0, 0, 0, NULL);
    rig_expect(&rig, RULE_C6, 1);
}
END_TEST

START_TEST(c7_taken_and_never_sent)
{
    rig_request(&rig, &a, RECORD_OP_READ, 0, 1, RIG_DATA, RIG_REGISTERED);
    rig_emit(&rig, RECORD_FORSAKEN, 1, 0, 0, 0, NULL);
    rig_expect(&rig, RULE_C7, 1);
}
END_TEST

START_TEST(c10_ended_by_an_entry_of_nobodys)
{
    start();
    complete(0x8003, 0);
    rig_end(&rig, &a, 0);
    rig_expect(&rig, RULE_C10, 1);
}
END_TEST

START_TEST(c10_an_entry_of_nobodys_that_is_passed_over_is_none)
{
    start();
    complete(0x8003, 0);
    complete(3, 0);
    rig_end(&rig, &a, 0);
    rig_expect_none(&rig);
}
END_TEST

/* ---- S14 ---- */

START_TEST(s14_a_flush_that_sends_nothing_is_a_breach_where_there_is_a_cache)
{
    const struct rig_identity identity = {.vwc = 1};
    rig_identify(&rig, &identity);
    rig_request(&rig, &a, RECORD_OP_FLUSH, 0, 0, 0, 0);
    rig_end(&rig, &a, 0);
    rig_expect(&rig, RULE_S14, 1);
}
END_TEST

START_TEST(s14_a_flush_that_sends_flush_is_none)
{
    const struct rig_identity identity = {.vwc = 1};
    rig_identify(&rig, &identity);
    rig_request(&rig, &a, RECORD_OP_FLUSH, 0, 0, 0, 0);
    flush();
    rig_end(&rig, &a, 0);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s14_nor_is_nothing_where_there_is_no_cache_or_the_flush_has_failed)
{
    const struct rig_identity identity = {.vwc = 0}, cache = {.vwc = 1};
    rig_identify(&rig, &identity);
    rig_request(&rig, &a, RECORD_OP_FLUSH, 0, 0, 0, 0);
    rig_end(&rig, &a, 0);
    rig_identify(&rig, &cache);
    rig_request(&rig, &a, RECORD_OP_FLUSH, 0, 0, 0, 0);
    rig_end(&rig, &a, -4);
    rig_expect_none(&rig);
}
END_TEST

/* ---- S15 ---- */

static void answer(const void *identity, int error, bool busy)
{
    const struct record_submit more = {
        .identity = identity, .nsid = 1, .blocks = 8, .lba = 16, .registered = true};
    rig_emit(&rig, RECORD_SUBMIT, RECORD_OP_READ, RIG_DATA + 4096, 4096, 0, &more);
    rig_emit(&rig, RECORD_SUBMITTED, (uint32_t)error, busy, 0, 0, identity);
}

static void fill(void)
{
    rig_request(&rig, &a, RECORD_OP_READ, 0, 8, RIG_DATA, RIG_REGISTERED);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 8, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
}

START_TEST(s15_an_error_for_an_answer_when_full_is_told_when_the_run_is_over)
{
    fill();
    answer(&b, -4, false);
    rig_expect_none(&rig);
    rules_conclude(rig.rules);
    rig_expect(&rig, RULE_S15, 1);
}
END_TEST

START_TEST(s15_an_end_for_lack_of_room_too)
{
    fill();
    rig_request(&rig, &b, RECORD_OP_READ, 16, 8, RIG_DATA + 4096, RIG_REGISTERED);
    rig_emit(&rig, RECORD_ENDED, (uint32_t)-3, 1, 0, 0, &b);
    rules_conclude(rig.rules);
    rig_expect(&rig, RULE_S15, 1);
}
END_TEST

START_TEST(s15_busy_is_none_nor_an_error_when_there_is_room)
{
    fill();
    answer(&b, -3, true);
    rig_finish(&rig, 1);
    rig_end(&rig, &a, 0);
    answer(&b, -4, false);
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
}
END_TEST

/* ---- S16 ---- */

START_TEST(s16_commands_that_cover_the_request_are_none)
{
    rig_request(&rig, &a, RECORD_OP_READ, 100, 12, RIG_DATA, RIG_REGISTERED);
    do_io(NVM_OP_READ, 1, 100, 8, RIG_DATA);
    do_io(NVM_OP_READ, 1, 108, 4, RIG_DATA + 4096);
    rig_end(&rig, &a, 0);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s16_another_block_another_operation_or_one_block_more_is_a_breach)
{
    static const struct {
        uint8_t opcode;
        uint64_t lba;
        uint32_t blocks;
    } wrong[] = {
        {NVM_OP_READ, 101, 8}, {NVM_OP_READ, 99, 8}, {NVM_OP_WRITE, 100, 8}, {NVM_OP_READ, 100, 9}};
    rig_request(&rig, &a, RECORD_OP_READ, 100, 8, 0, 0);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        do_io(wrong[i].opcode, 1, wrong[i].lba, wrong[i].blocks, RIG_DATA);
        rig_expect(&rig, RULE_S16, i + 1);
    }
}
END_TEST

START_TEST(s16_an_end_with_a_block_left_is_a_breach)
{
    rig_request(&rig, &a, RECORD_OP_READ, 100, 8, RIG_DATA, RIG_REGISTERED);
    do_io(NVM_OP_READ, 1, 100, 7, RIG_DATA);
    rig_end(&rig, &a, 0);
    rig_expect(&rig, RULE_S16, 1);
}
END_TEST

START_TEST(s16_a_piece_sent_twice_is_a_breach)
{
    rig_request(&rig, &a, RECORD_OP_READ, 100, 8, RIG_DATA, RIG_REGISTERED);
    do_io(NVM_OP_READ, 1, 100, 4, RIG_DATA);
    do_io(NVM_OP_READ, 1, 100, 4, RIG_DATA);
    rig_expect(&rig, RULE_S16, 1);
}
END_TEST

START_TEST(s16_a_piece_sent_again_after_a_failure_is_none)
{
    rig_request(&rig, &a, RECORD_OP_READ, 100, 8, RIG_DATA, RIG_REGISTERED);
    do_io(NVM_OP_READ, 1, 100, 4, RIG_DATA);
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 2, 104, 4, RIG_DATA + 2048, 0);
    rig_hand_over(&rig, 1);
    rig_fetch(&rig, 1, sqe, 1);
    rig_complete(&rig, 1, 2, 0x281, 2, 0);
    rig_look(&rig, 1);
    rig_fence(&rig, 1);
    rig_release(&rig, 1);
    do_io(NVM_OP_READ, 3, 100, 4, RIG_DATA);
    do_io(NVM_OP_READ, 3, 104, 4, RIG_DATA + 2048);
    rig_end(&rig, &a, 0);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s16_two_requests_for_the_same_blocks_are_told_apart_by_their_buffers)
{
    rig_request(&rig, &a, RECORD_OP_READ, 100, 8, RIG_DATA, RIG_REGISTERED);
    rig_request(&rig, &b, RECORD_OP_READ, 100, 8, RIG_DATA + 4096, RIG_REGISTERED);
    do_io(NVM_OP_READ, 1, 100, 8, RIG_DATA);
    rig_end(&rig, &a, 0);
    do_io(NVM_OP_READ, 2, 100, 8, RIG_DATA + 4096);
    rig_end(&rig, &b, 0);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s16_where_buffers_do_not_tell_nothing_is_said)
{
    rig_request(&rig, &a, RECORD_OP_WRITE_ZEROES, 100, 8, 0, 0);
    rig_request(&rig, &b, RECORD_OP_WRITE_ZEROES, 100, 8, 0, 0);
    do_io(NVM_OP_WRITE_ZEROES, 1, 100, 8, 0);
    rig_end(&rig, &a, 0);
    do_io(NVM_OP_WRITE_ZEROES, 2, 100, 8, 0);
    rig_end(&rig, &b, 0);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s16_fua_that_is_left_out_is_a_breach)
{
    rig_request(&rig, &a, RECORD_OP_WRITE, 100, 8, RIG_DATA, RIG_REGISTERED | RIG_FUA);
    do_io(NVM_OP_WRITE, 1, 100, 8, RIG_DATA);
    rig_expect(&rig, RULE_S16, 1);
}
END_TEST

START_TEST(s16_raw_commands_are_their_callers_business)
{
    rig_request(&rig, &a, RECORD_OP_RAW, 0, 0, 0, 0);
    do_io(NVM_OP_READ, 1, 100, 8, RIG_DATA);
    rig_end(&rig, &a, 0);
    rig_expect_none(&rig);
}
END_TEST

Suite *suite_request(void)
{
    Suite *suite = suite_create("request");
    TCase *tests = tcase_create("request");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, c6_an_end_before_the_completion);
    tcase_add_test(tests, c6_an_error_may_come_before_it);
    tcase_add_test(tests, c6_ended_twice);
    tcase_add_test(tests, c6_ended_well_with_a_command_that_failed);
    tcase_add_test(tests, c6_completed_and_never_ended);
    tcase_add_test(tests, c7_taken_and_never_sent);
    tcase_add_test(tests, c10_ended_by_an_entry_of_nobodys);
    tcase_add_test(tests, c10_an_entry_of_nobodys_that_is_passed_over_is_none);
    tcase_add_test(tests, s14_a_flush_that_sends_nothing_is_a_breach_where_there_is_a_cache);
    tcase_add_test(tests, s14_a_flush_that_sends_flush_is_none);
    tcase_add_test(tests, s14_nor_is_nothing_where_there_is_no_cache_or_the_flush_has_failed);
    tcase_add_test(tests, s15_an_error_for_an_answer_when_full_is_told_when_the_run_is_over);
    tcase_add_test(tests, s15_an_end_for_lack_of_room_too);
    tcase_add_test(tests, s15_busy_is_none_nor_an_error_when_there_is_room);
    tcase_add_test(tests, s16_commands_that_cover_the_request_are_none);
    tcase_add_test(tests, s16_another_block_another_operation_or_one_block_more_is_a_breach);
    tcase_add_test(tests, s16_an_end_with_a_block_left_is_a_breach);
    tcase_add_test(tests, s16_a_piece_sent_twice_is_a_breach);
    tcase_add_test(tests, s16_a_piece_sent_again_after_a_failure_is_none);
    tcase_add_test(tests, s16_two_requests_for_the_same_blocks_are_told_apart_by_their_buffers);
    tcase_add_test(tests, s16_where_buffers_do_not_tell_nothing_is_said);
    tcase_add_test(tests, s16_fua_that_is_left_out_is_a_breach);
    tcase_add_test(tests, s16_raw_commands_are_their_callers_business);
    suite_add_tcase(suite, tests);
    return suite;
}
