/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules B1 to B8: shadow doorbells (NVMe 1.4 sections 5.7, 7.13). The pages are the second and
 * third of the control memory.
 */
#include <string.h>

#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

#define DOORBELLS (RIG_CONTROL + 0x1000)
#define EVENTIDXS (RIG_CONTROL + 0x2000)
#define SUPPORTED 0x100u /* OACS bit 8 */

static struct rig rig;

static void open_rig(void)
{
    const struct rig_identity identity = {.oacs = SUPPORTED, .aerl = 3, .acl = 3};
    rig_open(&rig);
    rig_start(&rig);
    rig_io(&rig);
    rig_identify(&rig, &identity);
}

static void close_rig(void)
{
    rig_close(&rig);
}

static void configure(uint64_t prp1, uint64_t prp2)
{
    rig_command(&rig, 0, ADMIN_DOORBELL_BUFFER, 9, 0, prp1, prp2, 0, 0, 0);
}

static void store(uint64_t page, unsigned number, uint32_t value)
{
    rig_put(rig_at(&rig, page + 4u * number), value, 4);
}

/* The host's next entry is published and its shadow tail stored; no fence yet. */
static void move_tail(void)
{
    rig_build_io(&rig, NVM_OP_READ, 0, 0, 1, RIG_DATA, 0);
    rig_publish(&rig, 1);
    rig.sq_tail[1]++;
    store(DOORBELLS, 2, rig.sq_tail[1]);
}

static void fence(void)
{
    rig_emit(&rig, RECORD_MB, 0, 0, 0, 0, NULL);
}

START_TEST(b1_not_supported)
{
    const struct rig_identity identity = {.oacs = 0, .aerl = 3, .acl = 3};
    rig_identify(&rig, &identity);
    configure(DOORBELLS, EVENTIDXS);
    rig_expect(&rig, RULE_B1, 1);
}
END_TEST

START_TEST(b1_two_pages_that_are_one_or_not_aligned)
{
    configure(DOORBELLS, DOORBELLS);
    rig_expect(&rig, RULE_B1, 1);
    configure(DOORBELLS, EVENTIDXS + 64);
    rig_expect(&rig, RULE_B1, 2);
}
END_TEST

START_TEST(b2_a_page_that_is_not_zero)
{
    store(EVENTIDXS, 3, 1);
    configure(DOORBELLS, EVENTIDXS);
    rig_expect(&rig, RULE_B2, 1);
}
END_TEST

START_TEST(b2_a_queues_words_when_it_is_created)
{
    configure(DOORBELLS, EVENTIDXS);
    store(EVENTIDXS, 4, 7); /* of SQ 2 */
    rig_command(&rig, 0, ADMIN_SET_FEATURES, 1, 0, 0, 0, 0x0b, 0, 0);
    rig_command(&rig, 0, ADMIN_CREATE_SQ, 3, 0, RIG_LISTS, 0, (RIG_DEPTH - 1) << 16 | 2,
                1u << 16 | 1, 0);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_B2], 1);
}
END_TEST

START_TEST(b3_a_store_with_its_fence_is_none)
{
    configure(DOORBELLS, EVENTIDXS);
    store(EVENTIDXS, 2, 3); /* nothing is asked for */
    move_tail();
    fence();
    rig_emit(&rig, RECORD_SUBMITTED, 0, 0, 0, 0, NULL);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(b3_a_register_write_comes_first)
{
    configure(DOORBELLS, EVENTIDXS);
    move_tail();
    rig_write(&rig, SPEC_DOORBELLS + 8, rig.sq_tail[1]);
    rig_expect(&rig, RULE_B3, 1);
}
END_TEST

START_TEST(b3_the_device_that_looks_first_is_no_breach)
{
    configure(DOORBELLS, EVENTIDXS);
    store(EVENTIDXS, 2, 3);
    move_tail();
    rig_emit(&rig, RECORD_SHADOW, 0, 2, rig.sq_tail[1], 0, NULL);
    fence();
    rig_expect_none(&rig);
}
END_TEST

START_TEST(b4_eventidx_is_passed_and_nobody_rings)
{
    configure(DOORBELLS, EVENTIDXS); /* EventIdx 0: the move from 0 to 1 passes it */
    move_tail();
    fence();
    rig_emit(&rig, RECORD_SUBMITTED, 0, 0, 0, 0, NULL);
    rig_expect(&rig, RULE_B4, 1);
}
END_TEST

START_TEST(b4_b5_the_register_is_written_with_the_same_value)
{
    configure(DOORBELLS, EVENTIDXS);
    move_tail();
    fence();
    rig_write(&rig, SPEC_DOORBELLS + 8, rig.sq_tail[1]);
    rig_emit(&rig, RECORD_SUBMITTED, 0, 0, 0, 0, NULL);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(b4_not_where_the_new_value_is_eventidx)
{
    configure(DOORBELLS, EVENTIDXS);
    store(EVENTIDXS, 2, 1); /* 0 to 1 does not pass 1 */
    move_tail();
    fence();
    rig_emit(&rig, RECORD_SUBMITTED, 0, 0, 0, 0, NULL);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(b5_another_value)
{
    configure(DOORBELLS, EVENTIDXS);
    move_tail();
    fence();
    rig_write(&rig, SPEC_DOORBELLS + 8, 0); /* the tail goes back, with what follows from that */
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_B5], 1);
    ck_assert_int_eq(strncmp(rig_verdict(&rig)->text, "rule B5 ", 8), 0);
}
END_TEST

START_TEST(b6_a_page_is_freed_while_it_is_used)
{
    configure(DOORBELLS, EVENTIDXS);
    rig_emit(&rig, RECORD_DMA_FREE, 0, DOORBELLS, 0x2000, 0, NULL);
    rig_expect(&rig, RULE_B6, 1);
}
END_TEST

START_TEST(b6_a_shadow_is_stored_that_nobody_looks_at)
{
    uint8_t *sqe = rig_build(&rig, 0, ADMIN_DOORBELL_BUFFER, 9, 0, DOORBELLS, EVENTIDXS);
    rig_publish(&rig, 0);
    uint32_t slot = rig.sq_tail[0];
    rig_ring(&rig, 0);
    rig_fetch(&rig, 0, sqe, slot);
    rig_complete(&rig, 0, 9, 6, (uint16_t)rig.sq_tail[0], 0); /* Internal Error */
    rig_look(&rig, 0);
    rig_fence(&rig, 0);
    rig_release(&rig, 0);
    move_tail();
    rig_build_io(&rig, NVM_OP_READ, 1, 1, 1, RIG_DATA, 0);
    rig_publish(&rig, 1);
    rig_expect(&rig, RULE_B6, 1);
}
END_TEST

START_TEST(b7_the_admin_register_alone_is_counted_and_no_breach)
{
    configure(DOORBELLS, EVENTIDXS);
    rig_command(&rig, 0, ADMIN_SET_FEATURES, 1, 0, 0, 0, 0x0b, 0, 0);
    ck_assert_uint_ge(rig_verdict(&rig)->count[RULE_B7], 1);
    ck_assert_uint_eq(rig_verdict(&rig)->violations, 0);
}
END_TEST

/* The device arms EventIdx and goes to sleep at 0; the host has moved on to 1. */
static void sleep_at(bool looks_again)
{
    configure(DOORBELLS, EVENTIDXS);
    move_tail();
    store(EVENTIDXS, 2, 3);
    fence();
    rig_emit(&rig, RECORD_SHADOW, 1, 2, 3, 0, NULL);
    if (looks_again)
        rig_emit(&rig, RECORD_SHADOW, 0, 2, 1, 0, NULL);
    rig_emit(&rig, RECORD_FORSAKEN, 1, 0, 0, 0, NULL);
}

START_TEST(b8_a_device_that_does_not_look_again)
{
    sleep_at(false);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_B8], 1);
}
END_TEST

START_TEST(b8_not_if_it_has_looked)
{
    sleep_at(true);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_B8], 0);
}
END_TEST

Suite *suite_shadow(void)
{
    Suite *suite = suite_create("shadow");
    TCase *tests = tcase_create("shadow");
    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, b1_not_supported);
    tcase_add_test(tests, b1_two_pages_that_are_one_or_not_aligned);
    tcase_add_test(tests, b2_a_page_that_is_not_zero);
    tcase_add_test(tests, b2_a_queues_words_when_it_is_created);
    tcase_add_test(tests, b3_a_store_with_its_fence_is_none);
    tcase_add_test(tests, b3_a_register_write_comes_first);
    tcase_add_test(tests, b3_the_device_that_looks_first_is_no_breach);
    tcase_add_test(tests, b4_eventidx_is_passed_and_nobody_rings);
    tcase_add_test(tests, b4_b5_the_register_is_written_with_the_same_value);
    tcase_add_test(tests, b4_not_where_the_new_value_is_eventidx);
    tcase_add_test(tests, b5_another_value);
    tcase_add_test(tests, b6_a_page_is_freed_while_it_is_used);
    tcase_add_test(tests, b6_a_shadow_is_stored_that_nobody_looks_at);
    tcase_add_test(tests, b7_the_admin_register_alone_is_counted_and_no_breach);
    tcase_add_test(tests, b8_a_device_that_does_not_look_again);
    tcase_add_test(tests, b8_not_if_it_has_looked);
    suite_add_tcase(suite, tests);
    return suite;
}
