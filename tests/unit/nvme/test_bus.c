/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the host writes into power management and PCI Express capabilities has its effect on the
 * controller (NVMe 1.4 sections 2.2 and 2.5): D3hot, payload and read request size, and what resets
 * put back.
 */
#include "unit/nvme/rig.h"

static struct rig rig;

static void setup(void)
{
    struct rig_params params;

    rig_defaults(&params);
    params.link.kind = LINK_PCIE;
    params.link.max_read_request = 1024;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
}

static void teardown(void)
{
    rig_close(&rig);
}

static struct link_stats stats(void)
{
    struct link_stats now;

    link_get_stats(pcie_port_link(rig.port), &now);
    return now;
}

/* Packets up that an I/O command of 4 KiB takes: 2 = read, 1 = write. */
static uint64_t packets_up(uint8_t opcode)
{
    uint64_t before = stats().up_packets;

    ck_assert_uint_eq(rig_io(&rig, opcode, 0, 8, RIG_DATA, 0), 0);
    return stats().up_packets - before;
}

START_TEST(asleep_there_are_no_registers_and_no_dma)
{
    uint64_t before;

    pcie_port_config_write(rig.port, 0x94, 2, 3);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff);
    rig_write32(&rig, 0x14, 0); /* would disable it */
    rig_settle(&rig);
    pcie_port_config_write(rig.port, 0x94, 2, 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1); /* No_Soft_Reset: as it was */
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, RIG_DATA, 0), 0);
    /* and a doorbell that finds it asleep is lost */
    before = rig.dma_reads;
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .cid = 9, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    pcie_port_config_write(rig.port, 0x94, 2, 3);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.dma_reads, before);
}
END_TEST

START_TEST(device_control_sets_the_size_of_packets)
{
    /* handed over with 256 and 1024: 16 packets of data; 4 requests for it (2.5.4) */
    uint64_t read = packets_up(2), write = packets_up(1);

    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x48, 2) & 0x70e0, 0x3020);
    /* when the host says 128 and 256 (PCI Express Base 3.1, 7.8.4) */
    pcie_port_config_write(rig.port, 0x48, 2, 0x1000);
    ck_assert_uint_eq(packets_up(2), read + 16);
    ck_assert_uint_eq(packets_up(1), write + 12);
    /* more than the link has means what it has */
    pcie_port_config_write(rig.port, 0x48, 2, 0x50a0);
    ck_assert_uint_eq(packets_up(2), read);
    ck_assert_uint_eq(packets_up(1), write);
}
END_TEST

START_TEST(resets_put_back_the_sizes)
{
    uint64_t read = packets_up(2), write = packets_up(1);

    /* a function level reset: requests of 512 bytes, the payload stays (Express Base, 6.6.2) */
    pcie_port_config_write(rig.port, 0x48, 2, 0xb020);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(packets_up(2), read);
    ck_assert_uint_eq(packets_up(1), write + 4);
}
END_TEST

START_TEST(the_capability_tells_the_link)
{
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x52, 2), 0x1043); /* generation 3, x4 */
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x44, 4) & 7, 1);  /* 256 bytes */
}
END_TEST

Suite *suite_bus(void)
{
    Suite *suite = suite_create("nvme bus");
    TCase *tcase = tcase_create("bus");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, asleep_there_are_no_registers_and_no_dma);
    tcase_add_test(tcase, device_control_sets_the_size_of_packets);
    tcase_add_test(tcase, resets_put_back_the_sizes);
    tcase_add_test(tcase, the_capability_tells_the_link);
    return suite;
}
