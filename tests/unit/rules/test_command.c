/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules S10 to S13: what an entry asks for (NVMe 1.4 sections 4.2, 4.12, 5, 6).
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

#define SERVES_ALL                                                                                 \
    {                                                                                              \
        .mdts = 0, .aerl = 2, .acl = 1, .fuses = 1, .oncs = 0xff                                   \
    }

static void identify(const struct rig_identity *identity)
{
    rig_identify(&rig, identity);
    rig_expect_none(&rig);
}

/* ---- S10 ---- */

START_TEST(s10_what_the_command_set_has_not_is_a_breach)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
    } wrong[] = {
        {0, 1, 0x03},        /* no such opcode */
        {1, 1, 0x04},        /* reserved bits beside FUSE */
        {1, 1, 0x03},        /* FUSE 3 */
        {4, 4, 0},           /* no namespace */
        {4, 4, 2},           /* beyond NN */
        {4, 4, 0xffffffff},  /* all of them, in a read */
        {48, 4, 0x00010000}, /* reserved, next to NLB: 65,537 blocks, cut */
    };
    const struct rig_identity identity = SERVES_ALL;
    identify(&identity);
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t *sqe = rig_build_io(&rig, NVM_OP_READ, 1, 0, 1, RIG_DATA, 0);
        rig_put(sqe + wrong[i].at, wrong[i].value, wrong[i].bytes);
        rig_hand_over(&rig, 1);
        rig_finish(&rig, 1);
        rig_expect(&rig, RULE_S10, i + 1);
    }
}
END_TEST

START_TEST(s10_an_optional_command_that_oncs_has_not_is_a_breach)
{
    const struct rig_identity identity = {.oncs = 0xff & ~0x08}; /* no Write Zeroes */
    identify(&identity);
    rig_build_io(&rig, NVM_OP_WRITE_ZEROES, 1, 0, 1, 0, 0);
    rig_hand_over(&rig, 1);
    rig_expect(&rig, RULE_S10, 1);
}
END_TEST

START_TEST(s10_fua_directives_and_optional_commands_are_none)
{
    const struct rig_identity identity = SERVES_ALL;
    identify(&identity);
    rig_put(rig_build_io(&rig, NVM_OP_WRITE, 1, 0, 1, RIG_DATA, 0) + 50, 0x4010, 2);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
    rig_put(rig_build_io(&rig, NVM_OP_WRITE_ZEROES, 1, 0, 1, 0, 0) + 50, 0x0200, 2); /* DEAC */
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
    rig_build(&rig, 1, NVM_OP_FLUSH, 1, 0xffffffff, 0, 0);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s10_an_admin_command_with_a_namespace_that_it_does_not_use_is_a_breach)
{
    rig_build(&rig, 0, ADMIN_ASYNC_EVENT, 1, 1, 0, 0);
    rig_hand_over(&rig, 0);
    rig_expect(&rig, RULE_S10, 1);
}
END_TEST

/* ---- S10: fused operations (4.12) ---- */

static void build_half(uint16_t cid, uint8_t opcode, uint8_t fuse)
{
    rig_build_io(&rig, opcode, cid, 0, 1, RIG_DATA + cid * 4096u, 0)[1] = fuse;
    rig_publish(&rig, 1);
    rig.sq_tail[1] = (rig.sq_tail[1] + 1) % RIG_DEPTH;
}

static void ring(void)
{
    rig_write(&rig, SPEC_DOORBELLS + 8, rig.sq_tail[1]);
}

START_TEST(s10_a_fused_pair_together_is_none)
{
    build_half(1, NVM_OP_COMPARE, 1);
    build_half(2, NVM_OP_WRITE, 2);
    ring();
    rig_expect_none(&rig);
}
END_TEST

START_TEST(s10_a_fused_pair_with_two_doorbells_is_a_breach)
{
    build_half(1, NVM_OP_COMPARE, 1);
    ring();
    build_half(2, NVM_OP_WRITE, 2);
    ring();
    rig_expect(&rig, RULE_S10, 1);
}
END_TEST

START_TEST(s10_a_second_half_alone_is_a_breach)
{
    build_half(1, NVM_OP_WRITE, 2);
    ring();
    rig_expect(&rig, RULE_S10, 1);
}
END_TEST

START_TEST(s10_a_command_between_the_halves_is_a_breach)
{
    build_half(1, NVM_OP_COMPARE, 1);
    build_half(2, NVM_OP_READ, 0);
    ring();
    rig_expect(&rig, RULE_S10, 1);
}
END_TEST

START_TEST(s10_a_fused_pair_that_fuses_has_not_is_a_breach)
{
    const struct rig_identity identity = {.oncs = 0xff};
    identify(&identity);
    build_half(1, NVM_OP_COMPARE, 1);
    build_half(2, NVM_OP_WRITE, 2);
    ring();
    rig_expect(&rig, RULE_S10, 2); /* each half */
}
END_TEST

/* ---- S11: the namespace has 1,000 blocks ---- */

START_TEST(s11_the_last_block_is_none_one_further_is_a_breach)
{
    rig_build_io(&rig, NVM_OP_READ, 1, 992, 8, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    rig_build_io(&rig, NVM_OP_READ, 1, 993, 8, RIG_DATA, 0);
    rig_hand_over(&rig, 1);
    rig_expect(&rig, RULE_S11, 1);
}
END_TEST

START_TEST(s11_an_end_that_overflows_is_a_breach)
{
    rig_build_io(&rig, NVM_OP_WRITE_ZEROES, 1, UINT64_MAX, 2, 0, 0);
    rig_hand_over(&rig, 1);
    rig_expect(&rig, RULE_S11, 1);
}
END_TEST

static void deallocate(uint64_t lba, uint32_t blocks)
{
    uint8_t *range = rig_at(&rig, RIG_CONTROL + 4096 + 16); /* the second of two */
    memset(range - 16, 0, 32);
    rig_put(range - 16 + 4, 1, 4);
    rig_put(range + 4, blocks, 4);
    rig_put(range + 8, lba, 8);
    uint8_t *sqe = rig_build(&rig, 1, NVM_OP_DATASET, 1, 1, RIG_CONTROL + 4096, 0);
    rig_put(sqe + 40, 1, 4); /* ranges, 0-based */
    rig_put(sqe + 44, 4, 4); /* AD */
    rig_hand_over(&rig, 1);
}

START_TEST(s11_each_range_of_a_deallocation_counts)
{
    deallocate(990, 10);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    deallocate(990, 11);
    rig_expect(&rig, RULE_S11, 1);
}
END_TEST

/* ---- S12 ---- */

START_TEST(s12_mdts_exactly_is_none_one_block_more_is_a_breach)
{
    const struct rig_identity identity = {.mdts = 1, .oncs = 0xff}; /* two pages */
    identify(&identity);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 16, RIG_DATA, RIG_DATA + 4096);
    rig_hand_over(&rig, 1);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 17, RIG_DATA, RIG_LISTS);
    rig_put(rig_at(&rig, RIG_LISTS), RIG_DATA + 4096, 8);
    rig_put(rig_at(&rig, RIG_LISTS + 8), RIG_DATA + 8192, 8);
    rig_hand_over(&rig, 1);
    rig_expect(&rig, RULE_S12, 1);
}
END_TEST

START_TEST(s12_mdts_0_is_no_limit)
{
    const struct rig_identity identity = {.mdts = 0, .oncs = 0xff};
    identify(&identity);
    rig_build_io(&rig, NVM_OP_READ, 1, 0, 17, RIG_DATA, RIG_LISTS);
    rig_put(rig_at(&rig, RIG_LISTS), RIG_DATA + 4096, 8);
    rig_put(rig_at(&rig, RIG_LISTS + 8), RIG_DATA + 8192, 8);
    rig_hand_over(&rig, 1);
    rig_expect_none(&rig);
}
END_TEST

/* ---- S13 ---- */

static void hand_in_event_request(uint16_t cid)
{
    rig_build(&rig, 0, ADMIN_ASYNC_EVENT, cid, 0, 0, 0);
    rig_hand_over(&rig, 0);
}

START_TEST(s13_as_many_events_as_aerl_and_one_are_none_one_more_is_a_breach)
{
    const struct rig_identity identity = {.aerl = 1};
    identify(&identity);
    hand_in_event_request(20);
    hand_in_event_request(21);
    rig_expect_none(&rig);
    hand_in_event_request(22);
    rig_expect(&rig, RULE_S13, 1);
}
END_TEST

START_TEST(s13_so_it_is_with_aborts_and_acl)
{
    const struct rig_identity identity = {.acl = 0, .aerl = 3};
    identify(&identity);
    rig_build(&rig, 0, ADMIN_ABORT, 20, 0, 0, 0);
    rig_hand_over(&rig, 0);
    rig_expect_none(&rig);
    rig_build(&rig, 0, ADMIN_ABORT, 21, 0, 0, 0);
    rig_hand_over(&rig, 0);
    rig_expect(&rig, RULE_S13, 1);
}
END_TEST

Suite *suite_command(void)
{
    Suite *suite = suite_create("command");
    TCase *tests = tcase_create("command");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, s10_what_the_command_set_has_not_is_a_breach);
    tcase_add_test(tests, s10_an_optional_command_that_oncs_has_not_is_a_breach);
    tcase_add_test(tests, s10_fua_directives_and_optional_commands_are_none);
    tcase_add_test(tests, s10_an_admin_command_with_a_namespace_that_it_does_not_use_is_a_breach);
    tcase_add_test(tests, s10_a_fused_pair_together_is_none);
    tcase_add_test(tests, s10_a_fused_pair_with_two_doorbells_is_a_breach);
    tcase_add_test(tests, s10_a_second_half_alone_is_a_breach);
    tcase_add_test(tests, s10_a_command_between_the_halves_is_a_breach);
    tcase_add_test(tests, s10_a_fused_pair_that_fuses_has_not_is_a_breach);
    tcase_add_test(tests, s11_the_last_block_is_none_one_further_is_a_breach);
    tcase_add_test(tests, s11_an_end_that_overflows_is_a_breach);
    tcase_add_test(tests, s11_each_range_of_a_deallocation_counts);
    tcase_add_test(tests, s12_mdts_exactly_is_none_one_block_more_is_a_breach);
    tcase_add_test(tests, s12_mdts_0_is_no_limit);
    tcase_add_test(tests, s13_as_many_events_as_aerl_and_one_are_none_one_more_is_a_breach);
    tcase_add_test(tests, s13_so_it_is_with_aborts_and_acl);
    suite_add_tcase(suite, tests);
    return suite;
}
