/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules D1 to D5 and D10: PRPs and SGLs (NVMe 1.4 sections 4.2, 4.3, 4.4). Pages have 4,096 bytes,
 * blocks 512.
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

#define PAGE 4096u

/* Entry `at` of the list that begins there. */
static void entry(uint64_t list, unsigned at, uint64_t value)
{
    rig_put(rig_at(&rig, list + 8 * at), value, 8);
}

static void go(uint8_t opcode, uint32_t blocks, uint64_t prp1, uint64_t prp2)
{
    rig_build_io(&rig, opcode, 1, 0, blocks, prp1, prp2);
    rig_hand_over(&rig, 1);
}

START_TEST(d1_an_offset_of_dwords_is_none_any_other_is_a_breach)
{
    go(NVM_OP_READ, 1, RIG_DATA + 4, 0);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    go(NVM_OP_READ, 1, RIG_DATA + 6, 0);
    rig_expect(&rig, RULE_D1, 1);
}
END_TEST

START_TEST(d2_a_second_page_with_an_offset_is_a_breach)
{
    go(NVM_OP_READ, 9, RIG_DATA, RIG_DATA + PAGE);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    go(NVM_OP_READ, 9, RIG_DATA + 512, RIG_DATA + PAGE + 512);
    rig_expect(&rig, RULE_D2, 1);
}
END_TEST

START_TEST(d2_so_is_a_list_entry_with_one)
{
    entry(RIG_LISTS, 0, RIG_DATA + PAGE);
    entry(RIG_LISTS, 1, RIG_DATA + 2 * PAGE + 4);
    go(NVM_OP_READ, 17, RIG_DATA, RIG_LISTS);
    rig_expect(&rig, RULE_D2, 1);
}
END_TEST

START_TEST(d3_a_left_over_prp2_is_told_when_the_run_is_over)
{
    go(NVM_OP_READ, 8, RIG_DATA, RIG_DATA + PAGE); /* one page exactly */
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    rules_conclude(rig.rules);
    rig_expect(&rig, RULE_D3, 1);
}
END_TEST

START_TEST(d3_a_prp2_for_the_last_block_is_none)
{
    go(NVM_OP_READ, 8, RIG_DATA + 512, RIG_DATA + PAGE); /* 512 bytes of a second page */
    rig_finish(&rig, 1);
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d4_a_list_may_begin_at_eight_bytes_but_not_at_four)
{
    entry(RIG_LISTS + 8, 0, RIG_DATA + PAGE);
    entry(RIG_LISTS + 8, 1, RIG_DATA + 2 * PAGE);
    go(NVM_OP_READ, 17, RIG_DATA, RIG_LISTS + 8);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    go(NVM_OP_READ, 17, RIG_DATA, RIG_LISTS + 4);
    rig_expect(&rig, RULE_D4, 1);
}
END_TEST

/* A list that begins with its page's last two places. */
#define SHORT_LIST (RIG_LISTS + PAGE - 16)

START_TEST(d4_a_list_that_ends_with_its_page_needs_no_chain)
{
    entry(SHORT_LIST, 0, RIG_DATA + PAGE);
    entry(SHORT_LIST, 1, RIG_DATA + 2 * PAGE);
    go(NVM_OP_READ, 24, RIG_DATA, SHORT_LIST);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d4_one_entry_more_needs_one)
{
    entry(SHORT_LIST, 0, RIG_DATA + PAGE);
    entry(SHORT_LIST, 1, RIG_LISTS + PAGE);
    entry(RIG_LISTS + PAGE, 0, RIG_DATA + 2 * PAGE);
    entry(RIG_LISTS + PAGE, 1, RIG_DATA + 3 * PAGE);
    go(NVM_OP_READ, 25, RIG_DATA, SHORT_LIST);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d4_a_chain_that_is_zero_or_has_an_offset_is_a_breach)
{
    entry(SHORT_LIST, 0, RIG_DATA + PAGE);
    entry(SHORT_LIST, 1, 0);
    go(NVM_OP_READ, 25, RIG_DATA, SHORT_LIST);
    rig_finish(&rig, 1);
    rig_expect(&rig, RULE_D4, 1);
    entry(SHORT_LIST, 1, RIG_LISTS + PAGE + 8);
    go(NVM_OP_READ, 25, RIG_DATA, SHORT_LIST);
    rig_expect(&rig, RULE_D4, 2);
}
END_TEST

START_TEST(d4_a_chain_where_data_belongs_is_a_breach)
{
    entry(SHORT_LIST, 0, RIG_DATA + PAGE);
    entry(SHORT_LIST, 1, RIG_LISTS + PAGE);
    go(NVM_OP_READ, 24, RIG_DATA, SHORT_LIST);
    rig_expect(&rig, RULE_D4, 1);
}
END_TEST

START_TEST(d4_data_where_a_chain_belongs_is_a_breach)
{
    rig_emit(&rig, RECORD_MAP, 1, RIG_DATA, 4 * PAGE, 0, NULL);
    for (unsigned i = 0; i < 8; i++)
        entry(RIG_DATA + 2 * PAGE, i, RIG_DATA + 3 * PAGE + i * PAGE); /* looks like a list */
    entry(SHORT_LIST, 0, RIG_DATA + PAGE);
    entry(SHORT_LIST, 1, RIG_DATA + 2 * PAGE);
    go(NVM_OP_READ, 25, RIG_DATA, SHORT_LIST);
    rig_expect(&rig, RULE_D4, 1);
}
END_TEST

START_TEST(d5_an_entry_that_is_missing_is_a_breach)
{
    go(NVM_OP_READ, 9, RIG_DATA, 0); /* PRP2 */
    rig_finish(&rig, 1);
    rig_expect(&rig, RULE_D5, 1);
    go(NVM_OP_READ, 17, RIG_DATA, 0); /* the list */
    rig_finish(&rig, 1);
    rig_expect(&rig, RULE_D5, 2);
    entry(RIG_LISTS, 0, RIG_DATA + PAGE);
    entry(RIG_LISTS, 1, RIG_DATA + 2 * PAGE);
    entry(RIG_LISTS, 2, 0);
    go(NVM_OP_READ, 25, RIG_DATA, RIG_LISTS); /* the last one */
    rig_finish(&rig, 1);
    rig_expect(&rig, RULE_D5, 3);
    go(NVM_OP_READ, 24, RIG_DATA, RIG_LISTS); /* not needed */
    rig_expect(&rig, RULE_D5, 3);
}
END_TEST

START_TEST(d5_an_entry_twice_is_a_breach_where_the_device_writes)
{
    entry(RIG_LISTS, 0, RIG_DATA + PAGE);
    entry(RIG_LISTS, 1, RIG_DATA + PAGE);
    go(NVM_OP_WRITE, 24, RIG_DATA, RIG_LISTS); /* one page of zeroes, say, many times */
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    go(NVM_OP_READ, 24, RIG_DATA, RIG_LISTS);
    rig_expect(&rig, RULE_D5, 1);
}
END_TEST

/* ---- D10 ---- */

#define DATA_BLOCK   0x00u
#define SEGMENT      0x20u
#define LAST_SEGMENT 0x30u

static void descriptor(uint8_t *to, uint64_t bus, uint32_t bytes, uint8_t type)
{
    memset(to, 0, 16);
    rig_put(to, bus, 8);
    rig_put(to + 8, bytes, 4);
    to[15] = type;
}

static void go_sgl(uint32_t blocks, uint64_t bus, uint32_t bytes, uint8_t type)
{
    uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 0, blocks, 0, 0);
    sqe[1] = 1 << 6; /* PSDT */
    descriptor(sqe + 24, bus, bytes, type);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
}

static void allow_sgls(uint32_t sgls)
{
    const struct rig_identity identity = {.oncs = 0xff, .sgls = sgls};
    rig_identify(&rig, &identity);
}

START_TEST(d10_one_data_block_is_none)
{
    allow_sgls(1);
    go_sgl(8, RIG_DATA + 1, 4096, DATA_BLOCK);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d10_an_sgl_without_sgls_is_a_breach)
{
    allow_sgls(0);
    go_sgl(8, RIG_DATA, 4096, DATA_BLOCK);
    rig_expect(&rig, RULE_D10, 1);
}
END_TEST

START_TEST(d10_lengths_that_do_not_add_up_are_a_breach)
{
    allow_sgls(1);
    go_sgl(8, RIG_DATA, 4095, DATA_BLOCK);
    rig_expect(&rig, RULE_D10, 1);
    go_sgl(8, RIG_DATA, 4097, DATA_BLOCK);
    rig_expect(&rig, RULE_D10, 2);
    go_sgl(8, RIG_LISTS, 0, DATA_BLOCK); /* a pointer to descriptors, and no length */
    rig_expect(&rig, RULE_D10, 3);
    allow_sgls(1 | 1u << 18);
    go_sgl(8, RIG_DATA, 4097, DATA_BLOCK); /* longer, where that is allowed */
    rig_expect(&rig, RULE_D10, 3);
}
END_TEST

START_TEST(d10_segments_that_lead_to_the_data_are_none)
{
    allow_sgls(1);
    descriptor(rig_at(&rig, RIG_LISTS), RIG_DATA, 2048, DATA_BLOCK);
    descriptor(rig_at(&rig, RIG_LISTS + 16), RIG_LISTS + PAGE, 32, LAST_SEGMENT);
    descriptor(rig_at(&rig, RIG_LISTS + PAGE), RIG_DATA + 8192, 1024, DATA_BLOCK);
    descriptor(rig_at(&rig, RIG_LISTS + PAGE + 16), RIG_DATA + 12288, 1024, DATA_BLOCK);
    go_sgl(8, RIG_LISTS, 32, SEGMENT);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(d10_what_a_descriptor_may_not_be_is_a_breach)
{
    allow_sgls(1);
    descriptor(rig_at(&rig, RIG_LISTS), RIG_DATA, 4096, DATA_BLOCK);
    descriptor(rig_at(&rig, RIG_LISTS + 16), RIG_LISTS + PAGE, 16, LAST_SEGMENT);
    go_sgl(8, RIG_DATA, 4096, 0x40); /* keyed: not over PCI Express */
    rig_expect(&rig, RULE_D10, 1);
    go_sgl(8, RIG_DATA, 4096, 0x0f); /* subtype */
    rig_expect(&rig, RULE_D10, 2);
    go_sgl(8, RIG_LISTS, 0, LAST_SEGMENT);
    rig_expect(&rig, RULE_D10, 3);
    go_sgl(8, RIG_LISTS, 24, LAST_SEGMENT); /* one and a half */
    rig_expect(&rig, RULE_D10, 4);
    go_sgl(8, RIG_LISTS + 4, 16, LAST_SEGMENT);
    rig_expect(&rig, RULE_D10, 5);
    go_sgl(8, RIG_LISTS, 32, LAST_SEGMENT); /* that leads on */
    rig_expect(&rig, RULE_D10, 6);
    go_sgl(8, RIG_LISTS, 16, SEGMENT); /* that does not */
    rig_expect(&rig, RULE_D10, 7);
}
END_TEST

START_TEST(d10_psdt_3_and_an_sgl_in_an_admin_command_are_breaches)
{
    allow_sgls(1);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 1, RIG_DATA, 0)[1] = 3 << 6;
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
    rig_expect(&rig, RULE_D10, 1);
    rig_build(&rig, 0, ADMIN_GET_FEATURES, 8, 0, 0, 0)[1] = 1 << 6;
    rig_hand_over(&rig, 0);
    rig_expect(&rig, RULE_D10, 2);
}
END_TEST

Suite *suite_lists(void)
{
    Suite *suite = suite_create("lists");
    TCase *tests = tcase_create("lists");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, d1_an_offset_of_dwords_is_none_any_other_is_a_breach);
    tcase_add_test(tests, d2_a_second_page_with_an_offset_is_a_breach);
    tcase_add_test(tests, d2_so_is_a_list_entry_with_one);
    tcase_add_test(tests, d3_a_left_over_prp2_is_told_when_the_run_is_over);
    tcase_add_test(tests, d3_a_prp2_for_the_last_block_is_none);
    tcase_add_test(tests, d4_a_list_may_begin_at_eight_bytes_but_not_at_four);
    tcase_add_test(tests, d4_a_list_that_ends_with_its_page_needs_no_chain);
    tcase_add_test(tests, d4_one_entry_more_needs_one);
    tcase_add_test(tests, d4_a_chain_that_is_zero_or_has_an_offset_is_a_breach);
    tcase_add_test(tests, d4_a_chain_where_data_belongs_is_a_breach);
    tcase_add_test(tests, d4_data_where_a_chain_belongs_is_a_breach);
    tcase_add_test(tests, d5_an_entry_that_is_missing_is_a_breach);
    tcase_add_test(tests, d5_an_entry_twice_is_a_breach_where_the_device_writes);
    tcase_add_test(tests, d10_one_data_block_is_none);
    tcase_add_test(tests, d10_an_sgl_without_sgls_is_a_breach);
    tcase_add_test(tests, d10_lengths_that_do_not_add_up_are_a_breach);
    tcase_add_test(tests, d10_segments_that_lead_to_the_data_are_none);
    tcase_add_test(tests, d10_what_a_descriptor_may_not_be_is_a_breach);
    tcase_add_test(tests, d10_psdt_3_and_an_sgl_in_an_admin_command_are_breaches);
    suite_add_tcase(suite, tests);
    return suite;
}
