/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules R1 to R14: registers, initialisation, shutdown (NVMe 1.4 sections 2.1.1, 3.1, 7.3.2, 7.6).
 */
#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

#define SHN_NORMAL (1u << 14)
#define SHST_DONE  0x8u
#define MS         UINT64_C(1000000000) /* ps */
#define RDY        1u

static struct rig rig;

static void open_rig(void)
{
    rig_open(&rig);
    rig_start(&rig);
}

static void close_rig(void)
{
    rig_close(&rig);
}

static void set_csts(uint32_t csts)
{
    rig_emit(&rig, RECORD_CSTS, 0, 0, csts, 0, NULL);
}

/* As rig_ready(), with other values, up to CC. */
static void enable_with(uint32_t aqa, uint64_t asq, uint32_t cc)
{
    uint64_t cap = 63u | 1u << 16 | 2u << 24 | UINT64_C(1) << 37 | UINT64_C(4) << 52;
    rig_emit(&rig, RECORD_CONFIG, 2, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0, NULL);
    rig_emit(&rig, RECORD_REG_READ, 8, SPEC_CAP, cap, 0, NULL);
    rig_write(&rig, SPEC_AQA, aqa);
    rig_emit(&rig, RECORD_REG_WRITE, 8, SPEC_ASQ, asq, 0, NULL);
    rig_emit(&rig, RECORD_REG_WRITE, 8, SPEC_ACQ, RIG_ACQ, 0, NULL);
    rig.cc = cc;
    rig_write(&rig, SPEC_CC, cc);
}

#define AQA_GOOD ((RIG_DEPTH - 1) << 16 | (RIG_DEPTH - 1))
#define CC_GOOD  (6u << 16 | 4u << 20 | 1u)

START_TEST(r1_cleared_before_it_was_ready)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD);
    rig_write(&rig, SPEC_CC, CC_GOOD & ~1u);
    rig_expect(&rig, RULE_R1, 1);
}
END_TEST

START_TEST(r1_not_once_it_is_overdue)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD);
    rig.now_ps += 1000 * MS; /* CAP.TO 2: one second */
    rig_write(&rig, SPEC_CC, CC_GOOD & ~1u);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(r1_not_if_it_has_failed)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD);
    set_csts(2); /* CFS */
    rig_write(&rig, SPEC_CC, CC_GOOD & ~1u);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(r1_set_while_still_ready)
{
    set_csts(RDY);
    rig_emit(&rig, RECORD_CONFIG, 2, PCI_COMMAND, 6, 0, NULL);
    rig_write(&rig, SPEC_CC, CC_GOOD);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_R1], 1);
}
END_TEST

START_TEST(r2_while_enabled)
{
    rig_ready(&rig);
    rig_write(&rig, SPEC_AQA, AQA_GOOD);
    rig_expect(&rig, RULE_R2, 1);
}
END_TEST

START_TEST(r3_two_entries_are_enough_and_one_is_not)
{
    enable_with(1u << 16 | 1, RIG_ASQ, CC_GOOD);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    enable_with(1u << 16 | 0, RIG_ASQ, CC_GOOD);
    rig_expect(&rig, RULE_R3, 1);
}
END_TEST

START_TEST(r3_a_base_that_is_not_aligned)
{
    enable_with(AQA_GOOD, RIG_ASQ + 64, CC_GOOD);
    rig_expect(&rig, RULE_R3, 1);
}
END_TEST

START_TEST(r4_the_largest_page_and_the_next)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD | 4u << 7);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD | 5u << 7);
    rig_expect(&rig, RULE_R4, 1);
}
END_TEST

START_TEST(r4_command_set_and_arbitration_that_are_not_there)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD | 1u << 4);
    rig_expect(&rig, RULE_R4, 1);
    close_rig();
    open_rig();
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD | 1u << 11); /* weighted; CAP.AMS is 0 */
    rig_expect(&rig, RULE_R4, 1);
}
END_TEST

START_TEST(r4_changed_while_enabled)
{
    rig_ready(&rig);
    rig_write(&rig, SPEC_CC, CC_GOOD | 1u << 7);
    rig_expect(&rig, RULE_R4, 1);
}
END_TEST

START_TEST(r5_a_queue_without_entry_sizes)
{
    enable_with(AQA_GOOD, RIG_ASQ, 1u);
    set_csts(RDY);
    rig_command(&rig, 0, ADMIN_CREATE_CQ, 2, 0, RIG_CQ, 0, (RIG_DEPTH - 1) << 16 | 1, 1, 0);
    rig_expect(&rig, RULE_R5, 1);
}
END_TEST

START_TEST(r5_changed_with_queues)
{
    rig_io(&rig);
    rig_write(&rig, SPEC_CC, 1u);
    rig_expect(&rig, RULE_R5, 1);
}
END_TEST

START_TEST(r6_a_doorbell_before_ready)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD);
    rig_build(&rig, 0, ADMIN_IDENTIFY, 0, 0, RIG_CONTROL, 0);
    rig_publish(&rig, 0);
    rig_ring(&rig, 0);
    ck_assert_uint_eq(rig_verdict(&rig)->count[RULE_R6], 1);
}
END_TEST

static void give_up_after(uint64_t ps)
{
    enable_with(AQA_GOOD, RIG_ASQ, CC_GOOD);
    rig.now_ps += ps;
    rig_emit(&rig, RECORD_BROUGHT_UP, 0xffffffffu, 0, 0, 0, NULL);
}

START_TEST(r7_one_second_is_patient_and_less_is_not)
{
    give_up_after(1000 * MS);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    give_up_after(1000 * MS - 2000); /* the record itself is 1 ns later */
    rig_expect(&rig, RULE_R7, 1);
}
END_TEST

START_TEST(r8_sizes_and_alignments)
{
    rig_ready(&rig);
    rig_emit(&rig, RECORD_REG_READ, 4, SPEC_CSTS, 1, 0, NULL);
    rig_emit(&rig, RECORD_REG_READ, 8, SPEC_ASQ, 0, 0, NULL);
    rig_expect_none(&rig);
    rig_emit(&rig, RECORD_REG_READ, 1, SPEC_CSTS, 1, 0, NULL);
    rig_emit(&rig, RECORD_REG_READ, 2, SPEC_CSTS, 1, 0, NULL);
    rig_emit(&rig, RECORD_REG_READ, 4, SPEC_CSTS + 2, 1, 0, NULL);
    rig_emit(&rig, RECORD_REG_READ, 8, SPEC_CSTS, 1, 0, NULL); /* 1Ch is no multiple of 8 */
    rig_expect(&rig, RULE_R8, 4);
}
END_TEST

START_TEST(r9_a_doorbell_is_read)
{
    rig_ready(&rig);
    rig_emit(&rig, RECORD_REG_READ, 4, SPEC_DOORBELLS, 0, 0, NULL);
    rig_expect(&rig, RULE_R9, 1);
}
END_TEST

START_TEST(r10_masks_with_msix_and_with_the_pin)
{
    rig_ready(&rig);
    rig_emit(&rig, RECORD_IRQ_SETUP, RECORD_IRQ_INTX, 1, 0, 0, NULL);
    rig_write(&rig, SPEC_INTMS, 1);
    rig_expect_none(&rig);
    rig_emit(&rig, RECORD_IRQ_SETUP, RECORD_IRQ_MSIX, 2, 0, 0, NULL);
    rig_write(&rig, SPEC_INTMS, 1);
    rig_write(&rig, SPEC_INTMC, 1);
    rig_expect(&rig, RULE_R10, 2);
}
END_TEST

START_TEST(r11_no_memory_space)
{
    rig_write(&rig, SPEC_AQA, AQA_GOOD);
    rig_expect(&rig, RULE_R11, 1);
}
END_TEST

START_TEST(r11_no_bus_master)
{
    rig_ready(&rig);
    rig_emit(&rig, RECORD_CONFIG, 2, PCI_COMMAND, PCI_COMMAND_MEMORY, 0, NULL);
    rig_build(&rig, 0, ADMIN_ABORT, 0, 0, RIG_CONTROL, 0);
    rig_publish(&rig, 0);
    rig_ring(&rig, 0);
    rig_expect(&rig, RULE_R11, 1);
}
END_TEST

static void bring_up(void)
{
    rig_ready(&rig);
    rig_emit(&rig, RECORD_BROUGHT_UP, 0, 0, 0, 0, NULL);
}

START_TEST(r12_an_orderly_stop_is_none)
{
    bring_up();
    rig_write(&rig, SPEC_CC, CC_GOOD | SHN_NORMAL);
    set_csts(RDY | SHST_DONE);
    rig_write(&rig, SPEC_CC, CC_GOOD & ~1u);
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
}
END_TEST

START_TEST(r12_left_without_a_shutdown)
{
    bring_up();
    rules_conclude(rig.rules);
    rig_expect(&rig, RULE_R12, 1);
}
END_TEST

static void cut_off_after(uint64_t ps)
{
    bring_up();
    rig_write(&rig, SPEC_CC, CC_GOOD | SHN_NORMAL);
    rig.now_ps += ps;
    rig_write(&rig, SPEC_CC, CC_GOOD & ~1u);
}

START_TEST(r12_cut_off_after_less_than_a_second)
{
    cut_off_after(1000 * MS);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    cut_off_after(1000 * MS - 2000);
    rig_expect(&rig, RULE_R12, 1);
}
END_TEST

START_TEST(r13_a_command_after_shutdown)
{
    rig_ready(&rig);
    rig_write(&rig, SPEC_CC, CC_GOOD | SHN_NORMAL);
    rig_build(&rig, 0, ADMIN_ABORT, 0, 0, RIG_CONTROL, 0);
    rig_publish(&rig, 0);
    rig_ring(&rig, 0);
    rig_expect(&rig, RULE_R13, 1);
}
END_TEST

/* The admin queue is freed while the controller resets, or when it has. */
static void free_after_reset(bool has_reset)
{
    rig_ready(&rig);
    rig_write(&rig, SPEC_CC, CC_GOOD & ~1u);
    rig_emit(&rig, RECORD_RESET, 0, 0, 0, 0, NULL);
    if (has_reset)
        set_csts(0);
    rig_emit(&rig, RECORD_DMA_FREE, 0, RIG_ASQ, 4096, 0, NULL);
}

START_TEST(r14_memory_is_freed_before_ready_is_0)
{
    free_after_reset(true);
    rig_expect_none(&rig);
    close_rig();
    open_rig();
    free_after_reset(false);
    rig_expect(&rig, RULE_R14, 1);
}
END_TEST

Suite *suite_registers(void)
{
    Suite *suite = suite_create("registers");
    TCase *tests = tcase_create("registers");
    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, r1_cleared_before_it_was_ready);
    tcase_add_test(tests, r1_not_once_it_is_overdue);
    tcase_add_test(tests, r1_not_if_it_has_failed);
    tcase_add_test(tests, r1_set_while_still_ready);
    tcase_add_test(tests, r2_while_enabled);
    tcase_add_test(tests, r3_two_entries_are_enough_and_one_is_not);
    tcase_add_test(tests, r3_a_base_that_is_not_aligned);
    tcase_add_test(tests, r4_the_largest_page_and_the_next);
    tcase_add_test(tests, r4_command_set_and_arbitration_that_are_not_there);
    tcase_add_test(tests, r4_changed_while_enabled);
    tcase_add_test(tests, r5_a_queue_without_entry_sizes);
    tcase_add_test(tests, r5_changed_with_queues);
    tcase_add_test(tests, r6_a_doorbell_before_ready);
    tcase_add_test(tests, r7_one_second_is_patient_and_less_is_not);
    tcase_add_test(tests, r8_sizes_and_alignments);
    tcase_add_test(tests, r9_a_doorbell_is_read);
    tcase_add_test(tests, r10_masks_with_msix_and_with_the_pin);
    tcase_add_test(tests, r11_no_memory_space);
    tcase_add_test(tests, r11_no_bus_master);
    tcase_add_test(tests, r12_an_orderly_stop_is_none);
    tcase_add_test(tests, r12_left_without_a_shutdown);
    tcase_add_test(tests, r12_cut_off_after_less_than_a_second);
    tcase_add_test(tests, r13_a_command_after_shutdown);
    tcase_add_test(tests, r14_memory_is_freed_before_ready_is_0);
    suite_add_tcase(suite, tests);
    return suite;
}
