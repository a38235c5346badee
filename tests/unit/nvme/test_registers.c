/* SPDX-License-Identifier: BSD-2-Clause
 * Registers and configuration space, one by one (NVMe 1.4 sections 2 and 3.1). */
#include "unit/nvme/rig.h"

static struct rig rig;

static void open_with(void (*change)(struct rig_params *))
{
    struct rig_params params;

    rig_defaults(&params);
    if (change != NULL)
        change(&params);
    rig_open(&rig, &params);
    pcie_port_config_write(rig.port, 4, 2, 0x6);
}

static void setup(void)
{
    open_with(NULL);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void every_cap_field(struct rig_params *params)
{
    params->ctrl.cap_mqes = 0x1234;
    params->ctrl.cap_cqr = 0;
    params->ctrl.cap_to = 0xab;
    params->ctrl.cap_dstrd = 3;
    params->ctrl.cap_nssrs = 1;
    params->ctrl.cap_css = 1;
    params->ctrl.cap_mpsmin = 2;
    params->ctrl.cap_mpsmax = 9;
    params->ctrl.version = 0;
}

START_TEST(cap_and_vs_come_from_parameters) /* 3.1.1, 3.1.2 */
{
    ck_assert_uint_eq(rig_read64(&rig, 0x00), UINT64_C(0x004000200f0100ff));
    ck_assert_uint_eq(rig_read32(&rig, 0x00), 0x0f0100ff);
    ck_assert_uint_eq(rig_read32(&rig, 0x04), 0x00400020);
    ck_assert_uint_eq(rig_read32(&rig, 0x08), 0x00010400);
    rig_close(&rig);
    open_with(every_cap_field);
    ck_assert_uint_eq(rig_read64(&rig, 0x00), UINT64_C(0x00921033ab001234));
    ck_assert_uint_eq(rig_read32(&rig, 0x08), 0x00010300);
}
END_TEST

START_TEST(read_only_registers_ignore_writes)
{
    rig_write64(&rig, 0x00, 0);
    rig_write32(&rig, 0x08, 0);
    rig_write32(&rig, 0x1c, 0xffffffff);
    rig_write32(&rig, 0x38, 0xffffffff);
    ck_assert_uint_eq(rig_read64(&rig, 0x00), UINT64_C(0x004000200f0100ff));
    ck_assert_uint_eq(rig_read32(&rig, 0x08), 0x00010400);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
    for (uint64_t offset = 0x38; offset < 0x1000; offset += 4)
        ck_assert_uint_eq(rig_read32(&rig, offset), 0);
    ck_assert_uint_eq(rig_stats(&rig).register_writes, 5 - 1);
}
END_TEST

START_TEST(intms_sets_and_intmc_clears) /* 3.1.3, 3.1.4 */
{
    rig_write32(&rig, 0x0c, 0x81);
    rig_write32(&rig, 0x0c, 0x02);
    ck_assert_uint_eq(rig_read32(&rig, 0x0c), 0x83);
    ck_assert_uint_eq(rig_read32(&rig, 0x10), 0x83);
    rig_write32(&rig, 0x10, 0x01);
    ck_assert_uint_eq(rig_read32(&rig, 0x10), 0x82);
    ck_assert_uint_eq(rig_stats(&rig).mask_writes, 2);
    ck_assert_uint_eq(rig_stats(&rig).unmask_writes, 1);
    ck_assert_uint_eq(rig_stats(&rig).register_writes, 3);
    ck_assert_uint_eq(rig_stats(&rig).register_reads, 3);
}
END_TEST

START_TEST(admin_queue_registers_keep_only_defined_bits) /* 3.1.8 to 3.1.10 */
{
    rig_write32(&rig, 0x24, 0xffffffff);
    ck_assert_uint_eq(rig_read32(&rig, 0x24), 0x0fff0fff);
    rig_write64(&rig, 0x28, UINT64_MAX);
    ck_assert_uint_eq(rig_read64(&rig, 0x28), UINT64_C(0xfffffffffffff000));
    rig_write32(&rig, 0x30, 0x12345fff);
    rig_write32(&rig, 0x34, 0xabcdef01);
    ck_assert_uint_eq(rig_read64(&rig, 0x30), UINT64_C(0xabcdef0112345000));
    rig_write32(&rig, 0x34, 0);
    ck_assert_uint_eq(rig_read64(&rig, 0x30), UINT64_C(0x12345000));
    ck_assert_uint_eq(rig_read32(&rig, 0x2c), 0xffffffff);
}
END_TEST

START_TEST(cc_keeps_only_defined_bits) /* 3.1.5 */
{
    rig_write32(&rig, 0x14, 0xfffffffe & ~UINT32_C(0xc000));
    ck_assert_uint_eq(rig_read32(&rig, 0x14), 0x00ff3ff0);
}
END_TEST

START_TEST(short_and_misaligned_accesses_do_nothing)
{
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, 0x08, 1), 0xff);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, 0x08, 2), 0xffff);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, 0x0a, 4), 0xffffffff);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, 0x0c, 8), UINT64_MAX);
    pcie_port_bar_write(rig.port, 0, 0, 0x0c, 1, 0xff);
    pcie_port_bar_write(rig.port, 0, 0, 0x0c, 2, 0xff);
    pcie_port_bar_write(rig.port, 0, 0, 0x0c, 8, 0xff);
    ck_assert_uint_eq(rig_read32(&rig, 0x0c), 0);
    /* eight bytes at a pair of 32-bit registers are both of them */
    ck_assert_uint_eq(rig_read64(&rig, 0x08), 0x00010400);
}
END_TEST

START_TEST(memory_space_off_means_no_registers)
{
    pcie_port_config_write(rig.port, 4, 2, 0x4);
    ck_assert_uint_eq(rig_read32(&rig, 0x08), 0xffffffff);
    ck_assert_uint_eq(rig_read64(&rig, 0x00), UINT64_MAX);
    rig_write32(&rig, 0x0c, 1);
    pcie_port_config_write(rig.port, 4, 2, 0x6);
    ck_assert_uint_eq(rig_read32(&rig, 0x0c), 0);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 2, 0x08, 4), 0xffffffff);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, UINT64_C(1) << 40, 4), 0xffffffff);
    ck_assert_uint_eq(rig_stats(&rig).register_writes, 0);
}
END_TEST

START_TEST(header_names_an_nvme_controller) /* 2.1 */
{
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x00, 4), 0x00101b36);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x08, 4), 0x01080200);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x0b, 1), 0x01);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x2c, 4), 0x11001af4);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x3d, 1), 1);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x06, 2) & 0x10, 0x10);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x100, 4), 0);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x01, 2), 0xffffffff);
    pcie_port_config_write(rig.port, 0x00, 4, 0);
    pcie_port_config_write(rig.port, 0x3c, 1, 0x2b);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x00, 4), 0x00101b36);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x3c, 1), 0x2b);
}
END_TEST

START_TEST(bar_is_64_bit_and_tells_its_size)
{
    /* doorbells end at 1028h, MSI-X table at 2000h, pending bits at 3000h: 16 KiB */
    pcie_port_config_write(rig.port, 0x10, 4, 0xffffffff);
    pcie_port_config_write(rig.port, 0x14, 4, 0xffffffff);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x10, 4), 0xffffc004);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x14, 4), 0xffffffff);
    pcie_port_config_write(rig.port, 0x10, 4, 0x80001234);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x10, 4), 0x80000004);
    pcie_port_config_write(rig.port, 0x18, 4, 0xffffffff);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x18, 4), 0);
}
END_TEST

static void widest_stride(struct rig_params *params)
{
    params->ctrl.cap_dstrd = 15;
    params->ctrl.max_io_queues = 1024;
    params->ctrl.msix_vectors = 2048;
}

START_TEST(bar_grows_with_the_stride)
{
    rig_close(&rig);
    open_with(widest_stride);
    /* 2050 doorbells, 128 KiB apart, and the MSI-X structures: 512 MiB */
    pcie_port_config_write(rig.port, 0x10, 4, 0xffffffff);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x10, 4), 0xe0000004);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x84, 4), 0x10041000);
    rig_write32(&rig, 0x10041000 + 2047 * 16 + 8, 77);
    ck_assert_uint_eq(rig_read32(&rig, 0x10041000 + 2047 * 16 + 8), 77);
}
END_TEST

static void no_msix(struct rig_params *params)
{
    params->ctrl.msix_vectors = 0;
}

START_TEST(capabilities_are_a_list)
{
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x34, 1), 0x90);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x90, 2), 0x8001);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x80, 2), 0x4011);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x40, 2), 0x0010);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x82, 2), 4); /* five vectors */
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x84, 4), 0x2000);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x88, 4), 0x3000);
    pcie_port_config_write(rig.port, 0x82, 2, 0xffff);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x82, 2), 0xc004);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x44, 4) >> 28 & 1, 1); /* FLR */
    rig_close(&rig);
    open_with(no_msix);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x90, 2), 0x4001);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x80, 4), 0);
}
END_TEST

static void nssr_supported(struct rig_params *params)
{
    params->ctrl.cap_nssrs = 1;
}

START_TEST(subsystem_reset_only_with_its_key_and_support) /* 3.1.7 */
{
    rig_write32(&rig, 0x24, 0x000f000f);
    rig_write32(&rig, 0x20, 0x4e564d65);
    ck_assert_uint_eq(rig_read32(&rig, 0x24), 0x000f000f);
    rig_close(&rig);
    open_with(nssr_supported);
    rig_enable(&rig);
    rig_write32(&rig, 0x20, 0x4e564d64);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1);
    rig_msix_enable(&rig, 5);
    pcie_port_config_write(rig.port, 0x10, 4, 0x80000000);
    rig_write64(&rig, 0x20, UINT64_C(0x000f000f4e564d65)); /* AQA's half finds nobody */
    /* the link went down: command register, BAR and MSI-X are as after power on (7.3.1) */
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 4, 2), 0);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x10, 4), 0x00000004);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x82, 2), 4);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff);
    pcie_port_config_write(rig.port, 4, 2, 0x6);
    ck_assert_uint_eq(rig_read32(&rig, 0x200c), 1);  /* vector masked */
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0x10); /* NSSRO, not ready */
    ck_assert_uint_eq(rig_read32(&rig, 0x14), 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x24), 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x20), 0);
    rig_write32(&rig, 0x1c, 0x10);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
}
END_TEST

START_TEST(function_level_reset_starts_over)
{
    rig_enable(&rig);
    rig_msix_enable(&rig, 5);
    rig_write32(&rig, 0x0c, 1);
    pcie_port_config_write(rig.port, 0x48, 2, 0x8000);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 4, 2), 0);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0x82, 2), 4);
    pcie_port_config_write(rig.port, 4, 2, 0x6);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x14), 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x0c), 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x200c), 1); /* vector masked */
    rig_enable(&rig);
}
END_TEST

START_TEST(parameter_combinations_are_checked)
{
    struct rig_params p;

    rig_defaults(&p);
    ck_assert_ptr_null(ctrl_params_check(&p.ctrl));
    p.ctrl.cap_mpsmin = 5;
    ck_assert_ptr_nonnull(ctrl_params_check(&p.ctrl));
    rig_defaults(&p);
    p.ctrl.block_bytes = 1;
    p.ctrl.namespace_size = 4096 * 1000 + 512;
    ck_assert_ptr_nonnull(ctrl_params_check(&p.ctrl));
    rig_defaults(&p);
    p.ctrl.ready_delay = 7500 * RIG_MS;
    ck_assert_ptr_null(ctrl_params_check(&p.ctrl));
    p.ctrl.ready_delay++;
    ck_assert_ptr_nonnull(ctrl_params_check(&p.ctrl));
    rig_defaults(&p);
    p.ctrl.firmware[8] = p.ctrl.firmware[2] = 'x';
    p.ctrl.firmware[3] = '\n';
    ck_assert_ptr_nonnull(ctrl_params_check(&p.ctrl));
}
END_TEST

Suite *suite_registers(void)
{
    Suite *suite = suite_create("nvme registers");
    TCase *tc = tcase_create("registers");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, cap_and_vs_come_from_parameters);
    tcase_add_test(tc, read_only_registers_ignore_writes);
    tcase_add_test(tc, intms_sets_and_intmc_clears);
    tcase_add_test(tc, admin_queue_registers_keep_only_defined_bits);
    tcase_add_test(tc, cc_keeps_only_defined_bits);
    tcase_add_test(tc, short_and_misaligned_accesses_do_nothing);
    tcase_add_test(tc, memory_space_off_means_no_registers);
    tcase_add_test(tc, header_names_an_nvme_controller);
    tcase_add_test(tc, bar_is_64_bit_and_tells_its_size);
    tcase_add_test(tc, bar_grows_with_the_stride);
    tcase_add_test(tc, capabilities_are_a_list);
    tcase_add_test(tc, subsystem_reset_only_with_its_key_and_support);
    tcase_add_test(tc, function_level_reset_starts_over);
    tcase_add_test(tc, parameter_combinations_are_checked);
    suite_add_tcase(suite, tc);
    return suite;
}
