/* SPDX-License-Identifier: BSD-2-Clause
 * MSI (NVMe 1.4 sections 2.3 and 7.5.1; PCI Local Bus 3.0, 6.8.1): a message for each bit of the
 * interrupt status that becomes set, and for entries that a doorbell leaves. Capability at A0h. */
#include "unit/nvme/rig.h"

#define CONTROL 0xa2u
#define ADDRESS 0xa4u
#define DATA    0xacu
#define MASK    0xb0u
#define PENDING 0xb4u
#define READ    2u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.msi_vectors = 8;
}

static void teardown(void)
{
    rig_close(&rig);
}

/* 1 << granted_log2 messages, message data 10h + vector; queue q has vector q. */
static void open_rig(unsigned granted_log2)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig.msi_address = 0xfee01000;
    pcie_port_config_write(rig.port, ADDRESS, 4, 0xfee01000);
    pcie_port_config_write(rig.port, ADDRESS + 4, 4, 0);
    pcie_port_config_write(rig.port, DATA, 2, 0x10);
    pcie_port_config_write(rig.port, CONTROL, 2, 1 | granted_log2 << 4);
}

static void put(unsigned queue, unsigned count)
{
    struct rig_cmd cmd = {.opcode = READ, .nsid = 1, .prp1 = RIG_DATA};

    for (unsigned i = 0; i < count; i++) {
        cmd.cid = (uint16_t)i;
        rig_put(&rig, queue, &cmd);
    }
    rig_ring(&rig, queue);
    rig_settle(&rig);
}

static void consume(unsigned queue, unsigned count)
{
    struct rig_cqe cqe;

    for (unsigned i = 0; i < count; i++)
        ck_assert(rig_take(&rig, queue, &cqe));
    rig_ring_cq(&rig, queue);
    rig_settle(&rig);
}

START_TEST(a_message_per_vector)
{
    open_rig(2);
    rig_create_queue(&rig, 1, 16, 1);
    rig_create_queue(&rig, 2, 16, 3);
    uint32_t admin = rig.messages[0x10];
    put(1, 3);
    put(2, 1);
    ck_assert_uint_eq(rig.messages[0x10], admin);
    ck_assert_uint_eq(rig.messages[0x11], 1); /* one for all three: the bit was set already */
    ck_assert_uint_eq(rig.messages[0x13], 1);
    ck_assert(!rig.pin);
    consume(2, 1);
    put(2, 1);
    ck_assert_uint_eq(rig.messages[0x13], 2);
}
END_TEST

/* A doorbell that leaves entries behind brings another message: none is forgotten. */
START_TEST(entries_left_bring_another_message)
{
    open_rig(1);
    rig_create_queue(&rig, 1, 16, 1);
    put(1, 3);
    consume(1, 2);
    ck_assert_uint_eq(rig.messages[0x11], 2);
    consume(1, 1);
    ck_assert_uint_eq(rig.messages[0x11], 2);
}
END_TEST

START_TEST(intms_masks_and_intmc_sends)
{
    open_rig(1);
    rig_create_queue(&rig, 1, 16, 1);
    rig_write32(&rig, 0x0c, 2); /* INTMS */
    put(1, 1);
    ck_assert_uint_eq(rig.messages[0x11], 0);
    rig_write32(&rig, 0x10, 2); /* INTMC */
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[0x11], 1);
    rig_write32(&rig, 0x0c, 2);
    rig_write32(&rig, 0x10, 2); /* the usual way of a handler that was left behind */
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[0x11], 2);
}
END_TEST

START_TEST(mask_bits_hold_messages_back)
{
    open_rig(1);
    rig_create_queue(&rig, 1, 16, 1);
    pcie_port_config_write(rig.port, MASK, 4, 2);
    put(1, 1);
    ck_assert_uint_eq(rig.messages[0x11], 0);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, PENDING, 4), 2);
    pcie_port_config_write(rig.port, MASK, 4, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[0x11], 1);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, PENDING, 4), 0);
    consume(1, 1);
    pcie_port_config_write(rig.port, MASK, 4, 2);
    put(1, 1);
    consume(1, 1); /* polled: the reason has gone */
    ck_assert_uint_eq(pcie_port_config_read(rig.port, PENDING, 4), 0);
    pcie_port_config_write(rig.port, MASK, 4, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[0x11], 1);
}
END_TEST

/* Vectors below the number of messages granted can be named (5.3). */
START_TEST(vectors_that_can_be_named)
{
    const uint32_t cqid = 15u << 16 | 1;
    struct rig_cmd cmd = {.opcode = 5, .cid = 1, .prp1 = RIG_IO_CQ, .cdw10 = cqid};

    open_rig((unsigned)_i);
    cmd.cdw11 = (1u << _i) << 16 | 3;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x108);
    cmd.cdw11 = ((1u << _i) - 1) << 16 | 3;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0);
}
END_TEST

START_TEST(the_pin_while_msi_is_off)
{
    open_rig(0);
    pcie_port_config_write(rig.port, CONTROL, 2, 0);
    rig_create_queue(&rig, 1, 16, 0);
    put(1, 1);
    ck_assert(rig.pin);
    pcie_port_config_write(rig.port, CONTROL, 2, 1); /* the pin goes, a message comes */
    rig_settle(&rig);
    ck_assert(!rig.pin);
    ck_assert_uint_eq(rig.messages[0x10], 1);
}
END_TEST

/* MSI-X has the last word (PCI Local Bus 3.0, 6.8.2: only one may be enabled). */
START_TEST(msix_wins)
{
    open_rig(1);
    rig_msix_enable(&rig, 3);
    rig_create_queue(&rig, 1, 16, 1);
    put(1, 1);
    ck_assert_uint_eq(rig.messages[1], 1);
    ck_assert_uint_eq(rig.messages[0x11], 0);
}
END_TEST

START_TEST(power_states_reset_or_do_not)
{
    params.ctrl.pm_soft_reset = _i == 0;
    open_rig(0);
    pcie_port_config_write(rig.port, 0x94, 2, 3); /* PMCSR: D3hot */
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff);
    pcie_port_config_write(rig.port, 0x94, 2, 0); /* D0 */
    if (_i == 0) {
        ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff); /* memory space is off */
        pcie_port_config_write(rig.port, 4, 2, 6);
        ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
    } else {
        ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1);
    }
}
END_TEST

START_TEST(numbers_of_messages_that_can_be)
{
    for (params.ctrl.msi_vectors = 0; params.ctrl.msi_vectors <= 32; params.ctrl.msi_vectors++) {
        uint64_t n = params.ctrl.msi_vectors;

        ck_assert((ctrl_params_check(&params.ctrl) == NULL) == ((n & (n - 1)) == 0));
    }
    params.ctrl.msi_vectors = 0;
    open_rig(0);
    rig_create_queue(&rig, 1, 16, 0);
    put(1, 1);
    ck_assert(rig.pin); /* there is no capability at A0h */
}
END_TEST

Suite *suite_msi(void)
{
    Suite *suite = suite_create("nvme msi");
    TCase *tc = tcase_create("msi");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_message_per_vector);
    tcase_add_test(tc, entries_left_bring_another_message);
    tcase_add_test(tc, intms_masks_and_intmc_sends);
    tcase_add_test(tc, mask_bits_hold_messages_back);
    tcase_add_loop_test(tc, vectors_that_can_be_named, 0, 4);
    tcase_add_test(tc, the_pin_while_msi_is_off);
    tcase_add_test(tc, msix_wins);
    tcase_add_loop_test(tc, power_states_reset_or_do_not, 0, 2);
    tcase_add_test(tc, numbers_of_messages_that_can_be);
    suite_add_tcase(suite, tc);
    return suite;
}
