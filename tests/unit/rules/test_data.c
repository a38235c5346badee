/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules D6 to D8, D11 and D12: the memory that commands use (NVMe 1.4 sections 4.3, 4.4, 7.2.1).
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

static const int a; /* an identity */

static void request(enum record_op op, unsigned flags)
{
    rig_request(&rig, &a, op, 0, 8, RIG_DATA, flags);
}

static void go(uint8_t opcode, uint64_t prp1)
{
    rig_build_io(&rig, opcode, 1, 0, 8, prp1, 0);
    rig_hand_over(&rig, 1);
}

static void fetch(void)
{
    rig_fetch(&rig, 1, rig_at(&rig, RIG_SQ), 0);
}

static void map(unsigned direction)
{
    rig_emit(&rig, RECORD_MAP, direction, RIG_DATA, 4096, 0, NULL);
}

static void unmap(unsigned direction)
{
    rig_emit(&rig, RECORD_UNMAP, direction, RIG_DATA, 4096, 0, NULL);
}

static void store(uint64_t bus, uint64_t bytes)
{
    rig_emit(&rig, RECORD_STORE, 0, bus, bytes, 0, NULL);
}

/* ---- D6 ---- */

START_TEST(d6_an_access_that_was_refused_is_a_breach)
{
    rig_emit(&rig, RECORD_REFUSED, 1, RIG_DATA, 512, 0, NULL);
    rig_expect(&rig, RULE_D6, 1);
}
END_TEST

START_TEST(d6_memory_that_is_not_mapped_is_a_breach_when_it_is_handed_over)
{
    request(RECORD_OP_READ, 0);
    go(NVM_OP_READ, RIG_DATA);
    rig_expect(&rig, RULE_D6, 1);
}
END_TEST

START_TEST(d6_mapped_memory_is_none)
{
    request(RECORD_OP_READ, 0);
    map(1);
    go(NVM_OP_READ, RIG_DATA);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d6_memory_mapped_for_the_other_way_is_a_breach)
{
    request(RECORD_OP_READ, 0);
    map(0);
    go(NVM_OP_READ, RIG_DATA);
    rig_expect(&rig, RULE_D6, 1);
}
END_TEST

START_TEST(d6_a_registered_buffer_is_none_one_block_beside_it_is_a_breach)
{
    request(RECORD_OP_READ, RIG_REGISTERED);
    go(NVM_OP_READ, RIG_DATA);
    rig_finish(&rig, 1);
    rig_end(&rig, &a, 0);
    rig_expect_none(&rig);
    request(RECORD_OP_READ, RIG_REGISTERED);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 8, RIG_DATA + 512, RIG_DATA + 4096);
    rig_hand_over(&rig, 1);
    rig_expect(&rig, RULE_D6, 1);
}
END_TEST

START_TEST(d6_two_blocks_side_by_side_hold_what_crosses_them)
{
    request(RECORD_OP_READ, 0);
    rig_emit(&rig, RECORD_MAP, 1, RIG_DATA, 2048, 0, NULL);
    rig_emit(&rig, RECORD_MAP, 1, RIG_DATA + 2048, 2048, 0, NULL);
    go(NVM_OP_READ, RIG_DATA);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d6_to_unmap_what_the_device_reads_is_a_breach)
{
    map(0);
    go(NVM_OP_WRITE, RIG_DATA);
    unmap(0);
    rig_expect(&rig, RULE_D6, 1);
}
END_TEST

/* ---- D7 ---- */

START_TEST(d7_a_store_to_data_of_a_write_is_a_breach)
{
    go(NVM_OP_WRITE, RIG_DATA);
    store(RIG_DATA + 4096, 512); /* beside it */
    rig_expect_none(&rig);
    store(RIG_DATA + 4095, 1);
    rig_expect(&rig, RULE_D7, 1);
}
END_TEST

START_TEST(d7_it_is_none_once_the_completion_is_posted)
{
    go(NVM_OP_WRITE, RIG_DATA);
    fetch();
    rig_complete(&rig, 1, 1, 0, 1, 0);
    store(RIG_DATA, 4096);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d7_data_that_has_changed_by_the_completion_is_a_breach)
{
    go(NVM_OP_WRITE, RIG_DATA);
    fetch();
    rig_at(&rig, RIG_DATA)[4095] ^= 1;
    rig_complete(&rig, 1, 1, 0, 1, 0);
    rig_expect(&rig, RULE_D7, 1);
}
END_TEST

static void go_with_list(void)
{
    rig_put(rig_at(&rig, RIG_LISTS), RIG_DATA + 4096, 8);
    rig_put(rig_at(&rig, RIG_LISTS + 8), RIG_DATA + 8192, 8);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 24, RIG_DATA, RIG_LISTS);
    rig_hand_over(&rig, 1);
    fetch();
}

START_TEST(d7_a_list_that_has_changed_by_the_completion_is_a_breach)
{
    go_with_list();
    rig_put(rig_at(&rig, RIG_LISTS + 8), RIG_DATA + 12288, 8);
    rig_complete(&rig, 1, 1, 0, 1, 0);
    rig_expect(&rig, RULE_D7, 1);
}
END_TEST

START_TEST(d7_a_list_is_free_behind_its_end_and_after_its_command)
{
    go_with_list();
    rig_put(rig_at(&rig, RIG_LISTS + 16), 1, 8);
    rig_complete(&rig, 1, 1, 0, 1, 0);
    rig_look(&rig, 1);
    rig_put(rig_at(&rig, RIG_LISTS), 1, 8);
    rig_expect_none(&rig);
}
END_TEST

/* ---- D8 ---- */

START_TEST(d8_a_store_to_the_buffer_of_a_read_is_a_breach_until_its_completion_is_seen)
{
    go(NVM_OP_READ, RIG_DATA);
    fetch();
    rig_complete(&rig, 1, 1, 0, 1, 0);
    store(RIG_DATA, 512);
    rig_expect(&rig, RULE_D8, 1);
    rig_look(&rig, 1);
    store(RIG_DATA, 512);
    rig_expect(&rig, RULE_D8, 1);
}
END_TEST

START_TEST(d8_so_is_unmapping_it)
{
    map(1);
    go(NVM_OP_READ, RIG_DATA);
    unmap(1);
    rig_expect(&rig, RULE_D8, 1);
}
END_TEST

START_TEST(d8_unless_it_is_mapped_once_more)
{
    map(1);
    map(1);
    go(NVM_OP_READ, RIG_DATA);
    unmap(1);
    rig_expect_none(&rig);
}
END_TEST

/* ---- D12 ---- */

START_TEST(d12_a_buffer_that_stays_mapped_is_told_when_the_run_is_over)
{
    rig_emit(&rig, RECORD_MAP, 0, RIG_DATA, 4096, 0, NULL);
    rig_expect_none(&rig);
    rules_conclude(rig.rules);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_D12], 1);
}
END_TEST

START_TEST(d12_one_that_is_given_back_is_none)
{
    rig_emit(&rig, RECORD_MAP, 0, RIG_DATA, 4096, 0, NULL);
    rig_emit(&rig, RECORD_UNMAP, 0, RIG_DATA, 4096, 0, NULL);
    rules_conclude(rig.rules);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_D12], 0);
}
END_TEST

/* ---- D11 ---- */

static void allocate(void)
{
    rig_emit(&rig, RECORD_DMA_ALLOC, RECORD_MEMORY_LIST, RIG_DATA + 0x20000, 4096, 0, NULL);
}

START_TEST(d11_memory_that_is_allocated_while_it_runs_is_told_when_the_run_is_over)
{
    rig_emit(&rig, RECORD_BROUGHT_UP, 0, 0, 0, 0, NULL);
    allocate();
    rig_expect_none(&rig);
    rules_conclude(rig.rules);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_D11], 1);
}
END_TEST

START_TEST(d11_memory_for_bring_up_is_none)
{
    allocate();
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
}
END_TEST

Suite *suite_data(void)
{
    Suite *suite = suite_create("data");
    TCase *tests = tcase_create("data");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, d6_an_access_that_was_refused_is_a_breach);
    tcase_add_test(tests, d6_memory_that_is_not_mapped_is_a_breach_when_it_is_handed_over);
    tcase_add_test(tests, d6_mapped_memory_is_none);
    tcase_add_test(tests, d6_memory_mapped_for_the_other_way_is_a_breach);
    tcase_add_test(tests, d6_a_registered_buffer_is_none_one_block_beside_it_is_a_breach);
    tcase_add_test(tests, d6_two_blocks_side_by_side_hold_what_crosses_them);
    tcase_add_test(tests, d6_to_unmap_what_the_device_reads_is_a_breach);
    tcase_add_test(tests, d7_a_store_to_data_of_a_write_is_a_breach);
    tcase_add_test(tests, d7_it_is_none_once_the_completion_is_posted);
    tcase_add_test(tests, d7_data_that_has_changed_by_the_completion_is_a_breach);
    tcase_add_test(tests, d7_a_list_that_has_changed_by_the_completion_is_a_breach);
    tcase_add_test(tests, d7_a_list_is_free_behind_its_end_and_after_its_command);
    tcase_add_test(tests,
                   d8_a_store_to_the_buffer_of_a_read_is_a_breach_until_its_completion_is_seen);
    tcase_add_test(tests, d8_so_is_unmapping_it);
    tcase_add_test(tests, d8_unless_it_is_mapped_once_more);
    tcase_add_test(tests, d12_a_buffer_that_stays_mapped_is_told_when_the_run_is_over);
    tcase_add_test(tests, d12_one_that_is_given_back_is_none);
    tcase_add_test(tests, d11_memory_that_is_allocated_while_it_runs_is_told_when_the_run_is_over);
    tcase_add_test(tests, d11_memory_for_bring_up_is_none);
    suite_add_tcase(suite, tests);
    return suite;
}
