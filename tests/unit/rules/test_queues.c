/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules Q1 to Q10: queues come and go (NVMe 1.4 sections 5.3 to 5.6, 5.21.1.7, 7.4). CAP.MQES is
 * 63, two queues of each kind are granted.
 */
#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

#define PC     1u
#define IEN    2u
#define GRANT2 0x00010001u

static struct rig rig;

/* The answer to Number of Queues has a dword of its own. */
static void set_number(uint32_t wanted, uint32_t granted)
{
    uint32_t slot = rig.sq_tail[0];
    uint8_t *sqe = rig_build(&rig, 0, ADMIN_SET_FEATURES, 7, 0, 0, 0);
    rig_put(sqe + 40, FEATURE_QUEUES, 4);
    rig_put(sqe + 44, wanted, 4);
    rig_publish(&rig, 0);
    rig_ring(&rig, 0);
    rig_fetch(&rig, 0, sqe, slot);
    rig_complete(&rig, 0, 7, 0, (uint16_t)rig.sq_tail[0], granted);
    rig_look(&rig, 0);
    rig_fence(&rig, 0);
    rig_release(&rig, 0);
}

static void open_rig(void)
{
    rig_open(&rig);
    rig_start(&rig);
    rig_ready(&rig);
    rig_emit(&rig, RECORD_IRQ_SETUP, RECORD_IRQ_MSIX, 2, 0, 0, NULL);
    set_number(GRANT2, GRANT2);
}

static void close_rig(void)
{
    rig_close(&rig);
}

static void create_cq(uint32_t qid, uint32_t qsize, uint64_t at, uint32_t flags)
{
    rig_command(&rig, 0, ADMIN_CREATE_CQ, 2, 0, at, 0, qsize << 16 | qid, flags, 0);
}

static void create_sq(uint32_t qid, uint32_t qsize, uint64_t at, uint32_t cqid)
{
    rig_command(&rig, 0, ADMIN_CREATE_SQ, 3, 0, at, 0, qsize << 16 | qid, cqid << 16 | PC, 0);
}

static void remove_queue(uint8_t opcode, uint32_t qid)
{
    rig_command(&rig, 0, opcode, 4, 0, 0, 0, qid, 0, 0);
}

static void create_pair(void)
{
    create_cq(1, 3, RIG_CQ, PC);
    create_sq(1, 3, RIG_SQ, 1);
}

START_TEST(a_pair_that_comes_and_goes_in_order_is_no_breach)
{
    create_pair();
    remove_queue(ADMIN_DELETE_SQ, 1);
    remove_queue(ADMIN_DELETE_CQ, 1);
    rig_emit(&rig, RECORD_DMA_FREE, 0, RIG_SQ, 4096, 0, NULL);
    rig_emit(&rig, RECORD_DMA_FREE, 0, RIG_CQ, 4096, 0, NULL);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(q1_ffffh_is_no_number)
{
    set_number(0xfffeu, GRANT2);
    rig_expect_none(&rig);
    set_number(0xffffu, GRANT2);
    rig_expect(&rig, RULE_Q1, 1);
}
END_TEST

START_TEST(q1_not_once_there_are_queues)
{
    create_cq(1, 3, RIG_CQ, PC);
    set_number(GRANT2, GRANT2);
    rig_expect(&rig, RULE_Q1, 1);
}
END_TEST

START_TEST(q2_the_last_one_granted_and_the_next)
{
    create_cq(2, 3, RIG_CQ, PC);
    rig_expect_none(&rig);
    create_cq(3, 3, RIG_LISTS, PC);
    rig_expect(&rig, RULE_Q2, 1);
}
END_TEST

START_TEST(q2_zero_and_one_that_is_in_use)
{
    create_cq(0, 3, RIG_LISTS, PC);
    rig_expect(&rig, RULE_Q2, 1);
    create_cq(1, 3, RIG_CQ, PC);
    create_cq(1, 3, RIG_CQ, PC);
    rig_expect(&rig, RULE_Q2, 2);
}
END_TEST

START_TEST(q3_two_entries_to_as_many_as_mqes_says)
{
    create_cq(1, 63, RIG_CQ, PC);
    create_cq(2, 1, RIG_LISTS, PC);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    create_cq(1, 64, RIG_CQ, PC);
    create_cq(2, 0, RIG_LISTS, PC);
    rig_expect(&rig, RULE_Q3, 2);
}
END_TEST

START_TEST(q4_memory_that_is_not_aligned_and_a_queue_in_pieces)
{
    create_cq(1, 3, RIG_CQ + 64, PC);
    rig_expect(&rig, RULE_Q4, 1);
    create_cq(2, 3, RIG_LISTS, 0); /* CAP.CQR is 1 */
    rig_expect(&rig, RULE_Q4, 2);
}
END_TEST

START_TEST(q5_no_such_cq)
{
    create_cq(1, 3, RIG_CQ, PC);
    create_sq(1, 3, RIG_SQ, 2);
    rig_expect(&rig, RULE_Q5, 1);
}
END_TEST

START_TEST(q5_the_last_vector_and_the_next)
{
    create_cq(1, 3, RIG_CQ, 1u << 16 | IEN | PC);
    rig_expect_none(&rig);
    create_cq(2, 3, RIG_LISTS, 2u << 16 | IEN | PC);
    rig_expect(&rig, RULE_Q5, 1);
}
END_TEST

START_TEST(q6_the_last_phase_tag_is_1)
{
    rig_at(&rig, RIG_CQ + 3 * CQE_BYTES + 14)[0] = 1;
    create_cq(1, 3, RIG_CQ, PC);
    rig_expect(&rig, RULE_Q6, 1);
}
END_TEST

START_TEST(q6_one_behind_the_queue_is_nobodys)
{
    rig_at(&rig, RIG_CQ + 4 * CQE_BYTES + 14)[0] = 1;
    create_cq(1, 3, RIG_CQ, PC);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(q7_the_cq_goes_first)
{
    create_pair();
    remove_queue(ADMIN_DELETE_CQ, 1);
    rig_expect(&rig, RULE_Q7, 1);
}
END_TEST

START_TEST(q8_the_memory_of_a_queue_that_exists)
{
    create_pair();
    rig_emit(&rig, RECORD_DMA_FREE, 0, RIG_SQ, 4096, 0, NULL);
    rig_expect(&rig, RULE_Q8, 1);
}
END_TEST

START_TEST(q9_no_such_queue)
{
    rig_write(&rig, SPEC_DOORBELLS + 8, 1);
    rig_expect(&rig, RULE_Q9, 1);
}
END_TEST

START_TEST(q9_between_two_doorbells)
{
    close_rig();
    rig_open(&rig);
    rig_start(&rig);
    rig_ready(&rig);
    /* DSTRD 1: eight bytes from one to the next */
    rig_emit(&rig, RECORD_REG_READ, 4, SPEC_CAP + 4, 1u << 5 | 1, 0, NULL);
    rig_write(&rig, SPEC_DOORBELLS + 4, 0);
    rig_expect(&rig, RULE_Q9, 1);
}
END_TEST

START_TEST(q10_rung_once_more)
{
    create_pair();
    uint8_t *sqe = rig_build(&rig, 0, ADMIN_DELETE_SQ, 4, 0, 0, 0);
    rig_put(sqe + 40, 1, 4);
    rig_publish(&rig, 0);
    rig_ring(&rig, 0);
    rig_build(&rig, 1, NVM_OP_FLUSH, 0, 1, 0, 0);
    rig_publish(&rig, 1);
    rig_ring(&rig, 1);
    rig_expect(&rig, RULE_Q10, 1);
}
END_TEST

Suite *suite_queues(void)
{
    Suite *suite = suite_create("queues");
    TCase *tests = tcase_create("queues");
    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, a_pair_that_comes_and_goes_in_order_is_no_breach);
    tcase_add_test(tests, q1_ffffh_is_no_number);
    tcase_add_test(tests, q1_not_once_there_are_queues);
    tcase_add_test(tests, q2_the_last_one_granted_and_the_next);
    tcase_add_test(tests, q2_zero_and_one_that_is_in_use);
    tcase_add_test(tests, q3_two_entries_to_as_many_as_mqes_says);
    tcase_add_test(tests, q4_memory_that_is_not_aligned_and_a_queue_in_pieces);
    tcase_add_test(tests, q5_no_such_cq);
    tcase_add_test(tests, q5_the_last_vector_and_the_next);
    tcase_add_test(tests, q6_the_last_phase_tag_is_1);
    tcase_add_test(tests, q6_one_behind_the_queue_is_nobodys);
    tcase_add_test(tests, q7_the_cq_goes_first);
    tcase_add_test(tests, q8_the_memory_of_a_queue_that_exists);
    tcase_add_test(tests, q9_no_such_queue);
    tcase_add_test(tests, q9_between_two_doorbells);
    tcase_add_test(tests, q10_rung_once_more);
    suite_add_tcase(suite, tests);
    return suite;
}
