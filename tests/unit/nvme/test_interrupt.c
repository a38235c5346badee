/* SPDX-License-Identifier: BSD-2-Clause
 * MSI-X messages, masks and pending bits; the INTx level (NVMe 1.4 sections 2.4, 7.5). */
#include "unit/nvme/rig.h"

#define TABLE   0x2000u /* of the rig's controller; test_registers.c checks it */
#define PENDING 0x3000u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void put_reads(unsigned queue, unsigned count)
{
    for (uint16_t i = 0; i < count; i++)
        rig_put(&rig, queue, &(struct rig_cmd){.opcode = 2, .cid = i, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, queue);
    rig_settle(&rig);
}

static void take(unsigned queue, unsigned count)
{
    struct rig_cqe cqe;

    while (count-- > 0)
        ck_assert(rig_take(&rig, queue, &cqe));
    rig_ring_cq(&rig, queue);
}

START_TEST(each_queue_has_its_vector)
{
    rig_msix_enable(&rig, 5);
    rig_create_queue(&rig, 1, 8, 3);
    rig_create_queue(&rig, 2, 8, 4);
    ck_assert_uint_eq(rig.messages[0], 4);
    put_reads(1, 1);
    put_reads(2, 1);
    put_reads(2, 1);
    ck_assert_uint_eq(rig.messages[3], 1);
    ck_assert_uint_eq(rig.messages[4], 2); /* a new entry, a new message, consumed or not */
    ck_assert_uint_eq(rig_stats(&rig).interrupts, 7);
    ck_assert(!rig.pin);
}
END_TEST

START_TEST(entries_that_come_together_share_a_message)
{
    rig_close(&rig);
    params.ctrl.interrupt.amount = RIG_US;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 5);
    rig_create_queue(&rig, 1, 8, 1);
    put_reads(1, 7);
    ck_assert_uint_eq(rig.messages[1], 1);
    /* consumed while the message was being prepared: it is not sent */
    take(1, 7);
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_US - 1);
    take(1, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[1], 1);
}
END_TEST

START_TEST(masked_vector_is_pending_until_unmasked)
{
    rig_msix_enable(&rig, 5);
    rig_create_queue(&rig, 1, 8, 2);
    rig_write32(&rig, TABLE + 2 * 16 + 12, 1);
    put_reads(1, 2);
    ck_assert_uint_eq(rig.messages[2], 0);
    ck_assert_uint_eq(rig_read64(&rig, PENDING), 4);
    rig_write32(&rig, PENDING, 0); /* read only */
    ck_assert_uint_eq(rig_read32(&rig, PENDING), 4);
    rig_write32(&rig, TABLE + 2 * 16 + 12, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[2], 1);
    ck_assert_uint_eq(rig_read64(&rig, PENDING), 0);
    /* consuming everything by polling withdraws it */
    rig_write32(&rig, TABLE + 2 * 16 + 12, 1);
    put_reads(1, 1);
    ck_assert_uint_eq(rig_read64(&rig, PENDING), 4);
    take(1, 3);
    ck_assert_uint_eq(rig_read64(&rig, PENDING), 0);
    rig_write32(&rig, TABLE + 2 * 16 + 12, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[2], 1);
}
END_TEST

START_TEST(function_mask_holds_all_vectors)
{
    rig_msix_enable(&rig, 5);
    rig_create_queue(&rig, 1, 8, 1);
    rig_create_queue(&rig, 2, 8, 2);
    pcie_port_config_write(rig.port, 0x82, 2, 0xc000);
    put_reads(1, 1);
    put_reads(2, 1);
    ck_assert_uint_eq(rig_read64(&rig, PENDING), 6);
    pcie_port_config_write(rig.port, 0x82, 2, 0x8000);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[1], 1);
    ck_assert_uint_eq(rig.messages[2], 1);
    ck_assert_uint_eq(rig_read64(&rig, PENDING), 0);
}
END_TEST

START_TEST(table_accesses)
{
    ck_assert_uint_eq(rig_read32(&rig, TABLE + 12), 1); /* masked after reset */
    rig_write32(&rig, TABLE, 0xffffffff);
    rig_write32(&rig, TABLE + 4, 0x12345678);
    ck_assert_uint_eq(rig_read64(&rig, TABLE), UINT64_C(0x12345678fffffffc));
    rig_write64(&rig, TABLE + 8, UINT64_C(0xfffffffe00000099));
    ck_assert_uint_eq(rig_read64(&rig, TABLE + 8), 0x99);
    rig_write32(&rig, TABLE + 5 * 16, 7); /* behind the last vector */
    ck_assert_uint_eq(rig_read32(&rig, TABLE + 5 * 16), 0);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, TABLE, 2), 0xffff);
    pcie_port_bar_write(rig.port, 0, 0, TABLE + 8, 1, 1);
    ck_assert_uint_eq(rig_read32(&rig, TABLE + 8), 0x99);
}
END_TEST

START_TEST(no_message_without_interrupts_enabled_or_bus_master)
{
    rig_msix_enable(&rig, 5);
    struct rig_cmd cq = {
        .opcode = 5, .prp1 = RIG_IO_CQ + RIG_STEP, .cdw10 = 7u << 16 | 1, .cdw11 = 1u << 16 | 1};
    struct rig_cmd sq = {
        .opcode = 1, .prp1 = RIG_IO_SQ + RIG_STEP, .cdw10 = 7u << 16 | 1, .cdw11 = 1u << 16 | 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    rig.queue[1] = (struct rig_queue){.sq = sq.prp1,
                                      .cq = cq.prp1,
                                      .sq_size = 8,
                                      .cq_size = 8,
                                      .qid = 1,
                                      .cqid = 1,
                                      .phase = true};
    put_reads(1, 3);
    ck_assert_uint_eq(rig.messages[1], 0);
    take(1, 3);
    rig_create_queue(&rig, 2, 8, 2);
    rig_write32(&rig, TABLE + 2 * 16 + 12, 1);
    put_reads(2, 1);
    pcie_port_config_write(rig.port, 4, 2, 0x2);
    rig_write32(&rig, TABLE + 2 * 16 + 12, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[2], 0);
    ck_assert_uint_eq(rig_stats(&rig).dma_errors, 1);
}
END_TEST

START_TEST(pin_is_a_level)
{
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert(!rig.pin);
    put_reads(1, 2);
    ck_assert(rig.pin);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 6, 2) & 8, 8);
    take(1, 1);
    ck_assert(rig.pin); /* one entry is left */
    rig_write32(&rig, 0x0c, 1);
    ck_assert(!rig.pin);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 6, 2) & 8, 0);
    rig_write32(&rig, 0x10, 1);
    rig_settle(&rig);
    ck_assert(rig.pin);
    take(1, 1);
    ck_assert(!rig.pin);
    /* masked all along: entries come and the pin stays low until INTMC */
    rig_write32(&rig, 0x0c, 1);
    put_reads(1, 1);
    ck_assert(!rig.pin);
    rig_write32(&rig, 0x10, 1);
    rig_settle(&rig);
    ck_assert(rig.pin);
}
END_TEST

START_TEST(pin_can_be_disabled_and_ends_with_reset)
{
    rig_create_queue(&rig, 1, 8, 0);
    pcie_port_config_write(rig.port, 4, 2, 0x406);
    put_reads(1, 1);
    ck_assert(!rig.pin);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 6, 2) & 8, 8); /* pending inside */
    pcie_port_config_write(rig.port, 4, 2, 0x006);
    rig_settle(&rig);
    ck_assert(rig.pin);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert(!rig.pin);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 6, 2) & 8, 0);
}
END_TEST

START_TEST(enabling_msix_takes_the_pin_down)
{
    rig_create_queue(&rig, 1, 8, 0);
    put_reads(1, 1);
    ck_assert(rig.pin);
    rig_msix_enable(&rig, 5);
    ck_assert(!rig.pin);
    put_reads(1, 1);
    ck_assert(!rig.pin);
    ck_assert_uint_eq(rig.messages[0], 1);
}
END_TEST

START_TEST(deleting_a_queue_with_entries_lowers_the_pin)
{
    rig_create_queue(&rig, 1, 8, 0);
    put_reads(1, 2);
    ck_assert(rig.pin);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert(rig.pin);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    ck_assert(!rig.pin);
}
END_TEST

START_TEST(pin_messages_keep_their_order_on_a_link)
{
    rig_close(&rig);
    params.link.kind = LINK_PCIE;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    put_reads(1, 1);
    ck_assert(rig.pin);
    for (unsigned i = 0; i < 5; i++) {
        rig_write32(&rig, 0x0c, 1);
        rig_write32(&rig, 0x10, 1);
    }
    rig_settle(&rig); /* host_intx checks that changes alternate */
    ck_assert(rig.pin);
    take(1, 1);
    rig_settle(&rig);
    ck_assert(!rig.pin);
}
END_TEST

Suite *suite_interrupt(void)
{
    Suite *suite = suite_create("nvme interrupts");
    TCase *tc = tcase_create("interrupt");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, each_queue_has_its_vector);
    tcase_add_test(tc, entries_that_come_together_share_a_message);
    tcase_add_test(tc, masked_vector_is_pending_until_unmasked);
    tcase_add_test(tc, function_mask_holds_all_vectors);
    tcase_add_test(tc, table_accesses);
    tcase_add_test(tc, no_message_without_interrupts_enabled_or_bus_master);
    tcase_add_test(tc, pin_is_a_level);
    tcase_add_test(tc, pin_can_be_disabled_and_ends_with_reset);
    tcase_add_test(tc, enabling_msix_takes_the_pin_down);
    tcase_add_test(tc, deleting_a_queue_with_entries_lowers_the_pin);
    tcase_add_test(tc, pin_messages_keep_their_order_on_a_link);
    suite_add_tcase(suite, tc);
    return suite;
}
