/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the host's PCI code makes of a configuration space, good and hostile (PCI Local Bus 3.0
 * chapter 6), and how it sets
 * up interrupts there.
 */
#include <string.h>

#include "unit/host/rig.h"
#include "unit/host/suites.h"

static void setup(void)
{
    rig_setup();
    rig_config_nvme();
}

static void ck_fails(int error)
{
    const char *why = NULL;
    ck_assert_int_eq(host_enumerate(rig.host, &why), error);
    ck_assert_ptr_nonnull(why);
    ck_assert_uint_eq(rig_config_get(0x04, 2) & 6, 0); /* and the device was not let loose */
}

static void ck_works(void)
{
    const char *why = NULL;
    ck_assert_int_eq(host_enumerate(rig.host, &why), NVME_OK);
    ck_assert_uint_eq(rig_config_get(0x04, 2), 6); /* memory space, bus master */
}

static int msix_vectors(void)
{
    return rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 64);
}

START_TEST(a_good_function_is_placed_and_let_loose)
{
    ck_works();
    uint64_t place = (uint64_t)rig_config_get(0x14, 4) << 32 | (rig_config_get(0x10, 4) & ~0xfu);
    ck_assert_uint_ne(place, 0);
    ck_assert_uint_eq(place % 0x4000, 0); /* 6.2.5.1: at a multiple of its size */
    ck_assert_uint_eq(rig_config_get(0x10, 4) & 0xf, 4);
    ck_assert_int_eq(msix_vectors(), 8);
    ck_works(); /* again, as after a reset */
    ck_assert_uint_eq(host_now(rig.host), 0);
}
END_TEST

START_TEST(no_device_is_gone)
{
    memset(rig.device.config, 0xff, sizeof rig.device.config);
    const char *why = NULL;
    ck_assert_int_eq(host_enumerate(rig.host, &why), NVME_E_GONE);
    ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(another_class_is_refused)
{
    static const uint32_t classes[] = {0x01080100, 0x01060100, 0x02080200, 0, 0x01080300};
    for (unsigned i = 0; i < 5; i++) {
        rig_config_set(0x08, 4, classes[i]);
        ck_fails(NVME_E_UNSUPPORTED);
    }
    rig_config_set(0x08, 4, 0x010802ff); /* any revision */
    ck_works();
}
END_TEST

START_TEST(bar0_may_be_narrow_wide_or_prefetchable)
{
    static const struct {
        uint32_t flags;
        uint64_t mask;
        uint64_t size;
    } bars[] = {{0x4, ~UINT64_C(0xfff), 4096},
                {0xc, ~UINT64_C(0x3fff), 0x4000}, /* prefetchable, 64 bits */
                {0x0, UINT64_C(0xffffc000), 0x4000},
                {0x8, UINT64_C(0xfff00000), 0x100000},
                {0x4, ~UINT64_C(0xffffffffff), UINT64_C(1) << 40}};
    for (unsigned i = 0; i < 5; i++) {
        rig_config_nvme();
        rig_config_set(0x10, 4, bars[i].flags);
        rig_config_set(0x14, 4, 0);
        rig.device.bar0_mask = bars[i].mask;
        ck_works();
        uint64_t place =
            (uint64_t)rig_config_get(0x14, 4) << 32 | (rig_config_get(0x10, 4) & ~0xfu);
        ck_assert_uint_ne(place, 0);
        ck_assert_uint_eq(place % bars[i].size, 0);
        ck_assert_uint_eq(place & ~bars[i].mask, 0);
    }
}
END_TEST

START_TEST(a_bar0_that_is_no_use_is_refused)
{
    static const struct {
        uint32_t flags;
        uint64_t mask;
    } bars[] = {{0x4, 0},                    /* no bit can be written */
                {0x0, 0},                    /* the same, 32 bits */
                {0x0, UINT64_C(0xfffff800)}, /* 2 KiB */
                {0x4, ~UINT64_C(0x7ff)},
                {0x1, UINT64_C(0xfffff000)},  /* I/O space */
                {0x0, UINT64_C(0x80000000)}}; /* 2 GiB: no room in a 32-bit window */
    for (unsigned i = 0; i < 6; i++) {
        rig_config_nvme();
        rig_config_set(0x10, 4, bars[i].flags);
        rig.device.bar0_mask = bars[i].mask;
        ck_fails(NVME_E_DEVICE);
    }
}
END_TEST

START_TEST(without_msix_there_are_no_vectors)
{
    rig_config_set(0x06, 2, 0); /* no capability list at all */
    ck_works();
    ck_assert_int_eq(msix_vectors(), NVME_E_UNSUPPORTED);
    rig_config_nvme();
    rig_config_set(0x34, 1, 0); /* an empty one */
    ck_works();
    ck_assert_int_eq(msix_vectors(), NVME_E_UNSUPPORTED);
    rig_config_nvme();
    rig_config_set(0x40, 2, 0x0001); /* power management only */
    ck_works();
    ck_assert_int_eq(msix_vectors(), NVME_E_UNSUPPORTED);
}
END_TEST

START_TEST(msix_is_found_anywhere_in_the_list)
{
    /* power management at 40h, PCI Express at 60h, MSI-X at fch - 12, with a table in BAR 2 */
    rig_config_set(0x40, 2, 0x6001);
    rig_config_set(0x60, 2, 0xf010);
    rig_config_set(0xf0, 2, 0x0011);
    rig_config_set(0xf2, 2, 3);
    rig_config_set(0xf4, 4, 0x1002);
    rig_config_set(0x34, 1, 0x43); /* the low two bits are reserved and masked (6.7) */
    ck_works();
    ck_assert_int_eq(msix_vectors(), 4);
    ck_assert_uint_eq(rig.device.count, 16);
    ck_assert_uint_eq(rig.device.writes[0].bar, 2);
    ck_assert_uint_eq(rig.device.writes[0].offset, 0x1000);
    ck_assert_uint_eq(rig_config_get(0xf2, 2), 0x8003);
}
END_TEST

START_TEST(a_loop_in_the_list_ends)
{
    rig_config_set(0x40, 2, 0x5001);
    rig_config_set(0x50, 2, 0x4010); /* back to 40h */
    ck_works();
    ck_assert_int_eq(msix_vectors(), NVME_E_UNSUPPORTED);
    rig_config_set(0x40, 2, 0x4001); /* to itself */
    ck_works();
    rig_config_set(0x40, 2, 0x4011); /* MSI-X, for ever */
    ck_works();
    ck_assert_int_eq(msix_vectors(), 8);
}
END_TEST

/* ---- interrupts: MSI-X (6.8.2) and the INTx disable bit (6.2.2) ---- */

#define CONTROL 0x42u
#define COMMAND 0x04u

START_TEST(msix_vectors_are_routed_to_themselves)
{
    ck_works();
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 3), 3);
    ck_assert_uint_eq(rig.device.count, 12);
    for (unsigned v = 0; v < 3; v++) {
        const uint64_t entry[] = {UINT64_C(0xfee00000), 0, v, 0}; /* address, data, not masked */
        for (unsigned i = 0; i < 4; i++) {
            ck_assert_uint_eq(rig.device.writes[4 * v + i].offset, 0x2000 + 16 * v + 4 * i);
            ck_assert_uint_eq(rig.device.writes[4 * v + i].value, entry[i]);
            ck_assert_uint_eq(rig.device.writes[4 * v + i].size, 4);
        }
    }
    ck_assert_uint_eq(rig_config_get(CONTROL, 2), 0x8007); /* enabled, the rest untouched */
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_NONE, 0), 0);
    ck_assert_uint_eq(rig_config_get(CONTROL, 2), 0x0007);
    ck_assert_uint_eq(rig_config_get(COMMAND, 2) & 0x400, 0x400);
    /* INTx takes the disable bit back, and MSI-X stays off */
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_INTX, 1), 1);
    ck_assert_uint_eq(rig_config_get(COMMAND, 2) & 0x400, 0);
    ck_assert_uint_eq(rig_config_get(CONTROL, 2), 0x0007);
}
END_TEST

START_TEST(no_more_vectors_are_granted_than_there_are)
{
    ck_works();
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 9), 8);
    rig_config_set(CONTROL, 2, 0x7ff); /* 2048: the host has 64 */
    rig.device.count = 0;
    ck_works();
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 1000), 64);
    ck_assert_uint_eq(rig.device.count, RIG_WRITES);
}
END_TEST

START_TEST(what_the_device_cannot_do_is_refused)
{
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 1), NVME_E_UNSUPPORTED);
    ck_works();
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSI, 1), NVME_E_UNSUPPORTED);
    ck_assert_uint_eq(rig.device.count, 0);
}
END_TEST

Suite *suite_enumerate(void)
{
    Suite *suite = suite_create("enumeration");
    TCase *tcase = tcase_create("enumeration");
    tcase_add_checked_fixture(tcase, setup, rig_teardown);
    tcase_add_test(tcase, a_good_function_is_placed_and_let_loose);
    tcase_add_test(tcase, no_device_is_gone);
    tcase_add_test(tcase, another_class_is_refused);
    tcase_add_test(tcase, bar0_may_be_narrow_wide_or_prefetchable);
    tcase_add_test(tcase, a_bar0_that_is_no_use_is_refused);
    tcase_add_test(tcase, without_msix_there_are_no_vectors);
    tcase_add_test(tcase, msix_is_found_anywhere_in_the_list);
    tcase_add_test(tcase, a_loop_in_the_list_ends);
    tcase_add_test(tcase, msix_vectors_are_routed_to_themselves);
    tcase_add_test(tcase, no_more_vectors_are_granted_than_there_are);
    tcase_add_test(tcase, what_the_device_cannot_do_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
