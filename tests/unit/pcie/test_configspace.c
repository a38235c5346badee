/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration space as enumeration code goes through it: header, BARs sized by all ones, the list
 * of capabilities, power states, the Express registers of link and sizes, resets, and accesses that
 * are not allowed. Sections without a name are of PCI Local Bus 3.0. MSI has test_msi.c; the
 * controller's own space is tested beside it (tests/unit/nvme/test_registers.c).
 */
#include "pcie/configspace.h"
#include "unit/pcie/suites.h"

static struct configspace config;

static const struct configspace_identity whole = {
    .vendor = 0x1b36,
    .device = 0x0010,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .class_code = 0x010802,
    .revision = 3,
    .bar0_bytes = 0x4000,
    .cmb_bytes = UINT64_C(1) << 33,
    .msix_vectors = 5,
    .msix_table = 0x2000,
    .msix_pending = 0x3000,
    .msi_vectors = 32,
    .link_generation = 4,
    .link_lanes = 4,
    .payload_bytes = 512,
    .request_bytes = 4096,
    .tags = 256,
};

static void make(struct configspace_identity identity)
{
    configspace_init(&config, &identity);
}

static void setup(void)
{
    make(whole);
}

static uint32_t get(unsigned offset, unsigned size)
{
    return configspace_read(&config, (uint16_t)offset, size);
}

static unsigned put(unsigned offset, unsigned size, uint32_t value)
{
    return configspace_write(&config, (uint16_t)offset, size, value);
}

/* Offset of a capability, found as software does; 0 = not in the list. */
static unsigned find(unsigned id)
{
    unsigned at = get(0x34, 1), steps = 0;
    while (at != 0 && get(at, 1) != id) {
        ck_assert_uint_lt(steps++, 48); /* no loop */
        ck_assert_uint_ge(at, 0x40);
        ck_assert_uint_eq(at & 3, 0);
        at = get(at + 1, 1);
    }
    return at;
}

START_TEST(both_bars_tell_their_size)
{
    put(0x10, 4, 0xffffffff);
    put(0x14, 4, 0xffffffff);
    ck_assert_uint_eq(get(0x10, 4), 0xffffc004);
    ck_assert_uint_eq(get(0x14, 4), 0xffffffff);
    /* 8 GiB, prefetchable: no bit of the lower half can be written (6.2.5.1) */
    put(0x18, 4, 0xffffffff);
    put(0x1c, 4, 0xffffffff);
    ck_assert_uint_eq(get(0x18, 4), 0x0000000c);
    ck_assert_uint_eq(get(0x1c, 4), 0xfffffffe);
    /* the other two BARs and the expansion ROM are not there */
    for (unsigned at = 0x20; at <= 0x30; at += at == 0x24 ? 12 : 4) {
        put(at, 4, 0xffffffff);
        ck_assert_uint_eq(get(at, 4), 0);
    }
}
END_TEST

START_TEST(without_a_buffer_there_is_one_bar)
{
    struct configspace_identity identity = whole;
    identity.cmb_bytes = 0;
    make(identity);
    put(0x18, 4, 0xffffffff);
    put(0x1c, 4, 0xffffffff);
    ck_assert_uint_eq(get(0x18, 4), 0);
    ck_assert_uint_eq(get(0x1c, 4), 0);
}
END_TEST

START_TEST(the_header_is_read_in_any_size)
{
    ck_assert_uint_eq(get(0x00, 4), 0x00101b36);
    ck_assert_uint_eq(get(0x02, 2), 0x0010);
    ck_assert_uint_eq(get(0x01, 1), 0x1b);
    ck_assert_uint_eq(get(0x08, 4), 0x01080203);
    ck_assert_uint_eq(get(0x0e, 1), 0); /* one function, type 0 */
    ck_assert_uint_eq(get(0x06, 2), 0x0010);
    put(0x06, 2, 0xffff);
    ck_assert_uint_eq(get(0x06, 2), 0x0010);
    put(0x04, 2, 0xffff);
    ck_assert_uint_eq(get(0x04, 2), 0x0546);
    put(0x0c, 4, 0xffffffff);
    ck_assert_uint_eq(get(0x0c, 4), 0x000000ff); /* cache line size alone is kept */
}
END_TEST

START_TEST(command_bits_have_an_effect)
{
    ck_assert(!configspace_memory_enabled(&config) && !configspace_bus_master(&config));
    ck_assert_uint_eq(put(0x04, 2, 0x2), CONFIGSPACE_CHANGED_COMMAND);
    ck_assert(configspace_memory_enabled(&config) && !configspace_bus_master(&config));
    put(0x04, 1, 0x4);
    ck_assert(!configspace_memory_enabled(&config) && configspace_bus_master(&config));
    ck_assert(!configspace_intx_disabled(&config));
    put(0x05, 1, 0x4);
    ck_assert(configspace_intx_disabled(&config));
    ck_assert_uint_eq(configspace_command(&config), 0x404);
}
END_TEST

START_TEST(capabilities_come_in_the_standard_s_order)
{
    /* power management, MSI, MSI-X, Express (NVMe 1.4 section 2) */
    ck_assert_uint_eq(get(0x34, 1), 0x90);
    ck_assert_uint_eq(get(0x90, 2), 0xa001);
    ck_assert_uint_eq(get(0xa0, 2), 0x8005);
    ck_assert_uint_eq(get(0x80, 2), 0x4011);
    ck_assert_uint_eq(get(0x40, 2), 0x0010);
    for (unsigned has = 0; has < 4; has++) {
        struct configspace_identity identity = whole;
        if ((has & 1) == 0)
            identity.msi_vectors = 0;
        if ((has & 2) == 0)
            identity.msix_vectors = 0;
        make(identity);
        ck_assert_uint_eq(find(0x01), 0x90);
        ck_assert_uint_eq(find(0x05), (has & 1) != 0 ? 0xa0 : 0);
        ck_assert_uint_eq(find(0x11), (has & 2) != 0 ? 0x80 : 0);
        ck_assert_uint_eq(find(0x10), 0x40);
        ck_assert_uint_eq(find(0x13), 0);
    }
}
END_TEST

START_TEST(asleep_nothing_but_configuration_is_left)
{
    put(0x04, 2, 0x6);
    ck_assert_uint_eq(get(0x92, 2), 0x0003); /* version 3, no D1, D2, PME */
    ck_assert_uint_eq(get(0x94, 4), 0x0008); /* D0, No_Soft_Reset */
    /* when it goes to D3hot (Power Management 1.2, 5.4.1) */
    ck_assert_uint_eq(put(0x94, 2, 3), CONFIGSPACE_CHANGED_COMMAND);
    ck_assert_uint_eq(get(0x94, 2), 0x000b);
    ck_assert(configspace_asleep(&config));
    ck_assert(!configspace_memory_enabled(&config) && !configspace_bus_master(&config));
    ck_assert(configspace_intx_disabled(&config));
    ck_assert_uint_eq(configspace_command(&config), 0x6); /* the register keeps its value */
    ck_assert_uint_eq(put(0x04, 2, 0x6), CONFIGSPACE_CHANGED_COMMAND);
    ck_assert(!configspace_memory_enabled(&config));
    /* when it wakes, then everything is as it was */
    ck_assert_uint_eq(put(0x94, 1, 0), CONFIGSPACE_CHANGED_COMMAND);
    ck_assert(configspace_memory_enabled(&config) && configspace_bus_master(&config));
    ck_assert(!configspace_intx_disabled(&config) && !configspace_asleep(&config));
}
END_TEST

START_TEST(a_power_state_that_is_not_there_is_not_entered)
{
    /* the write completes, the data is discarded (Power Management 1.2, 3.2.4) */
    for (uint32_t state = 1; state <= 2; state++) {
        ck_assert_uint_eq(put(0x94, 2, state), 0);
        ck_assert_uint_eq(get(0x94, 2), 0x0008);
    }
    put(0x94, 2, 3);
    ck_assert_uint_eq(put(0x94, 2, 1), 0);
    ck_assert_uint_eq(get(0x94, 2), 0x000b);
    ck_assert_uint_eq(put(0x94, 2, 3), 0);
    ck_assert(configspace_asleep(&config));
}
END_TEST

START_TEST(a_function_that_loses_its_state_asks_for_a_reset_when_it_wakes)
{
    struct configspace_identity identity = whole;
    identity.soft_reset = true;
    make(identity);
    put(0x04, 2, 0x6);
    ck_assert_uint_eq(get(0x94, 2), 0);
    ck_assert_uint_eq(put(0x94, 2, 3), CONFIGSPACE_CHANGED_COMMAND);
    ck_assert_uint_eq(put(0x94, 2, 0), CONFIGSPACE_CHANGED_COMMAND | CONFIGSPACE_POWER_RESET);
    configspace_reset(&config);
    ck_assert_uint_eq(get(0x04, 2), 0);
    ck_assert(!configspace_asleep(&config));
}
END_TEST

START_TEST(a_reset_wakes)
{
    put(0x94, 2, 3);
    ck_assert_uint_eq(put(0x48, 2, 0x8000) & CONFIGSPACE_FUNCTION_RESET,
                      CONFIGSPACE_FUNCTION_RESET);
    configspace_function_reset(&config);
    ck_assert_uint_eq(get(0x94, 2), 0x0008);
    put(0x04, 2, 0x6);
    ck_assert(configspace_memory_enabled(&config));
}
END_TEST

START_TEST(the_link_registers_tell_the_link)
{
    /* speed 4, width 4, ASPM optionality (PCI Express Base 3.1, 7.8.6), slot clock (7.8.8) */
    ck_assert_uint_eq(get(0x4c, 4), 0x00400044);
    ck_assert_uint_eq(get(0x52, 2), 0x1044);
    ck_assert_uint_eq(get(0x6c, 4), 0x1e); /* speeds 1 to 4 (7.8.18) */
    ck_assert_uint_eq(get(0x70, 4), 0x001e0004);
    put(0x50, 2, 0xffff);
    put(0x70, 2, 0xfff2);
    ck_assert_uint_eq(get(0x50, 2), 0x00c8);
    ck_assert_uint_eq(get(0x70, 2), 0x0002);
    struct configspace_identity identity = whole;
    identity.link_generation = 5;
    identity.link_lanes = 16;
    make(identity);
    ck_assert_uint_eq(get(0x4c, 4), 0x00400105);
    ck_assert_uint_eq(get(0x6c, 4), 0x3e);
    identity.link_generation = identity.link_lanes = 0;
    make(identity);
    ck_assert_uint_eq(get(0x4c, 4), 0x00400011);
    ck_assert_uint_eq(get(0x72, 2), 0); /* nothing to equalise at 2.5 GT/s */
}
END_TEST

START_TEST(device_control_sets_payload_and_request)
{
    /* 512-byte payloads supported, extended tags, role-based errors, FLR (7.8.3) */
    ck_assert_uint_eq(get(0x44, 4), 0x10008022);
    /* handed over with the largest of both (7.8.4) */
    ck_assert_uint_eq(get(0x48, 2), 0x5950);
    ck_assert_uint_eq(configspace_payload_bytes(&config), 512);
    ck_assert_uint_eq(configspace_request_bytes(&config), 4096);
    for (uint32_t field = 0; field < 8; field++) {
        ck_assert_uint_eq(put(0x48, 2, field << 5 | field << 12), CONFIGSPACE_CHANGED_SIZES);
        ck_assert_uint_eq(get(0x48, 2), field << 5 | field << 12);
        ck_assert_uint_eq(configspace_payload_bytes(&config), field < 2 ? 128u << field : 512);
        ck_assert_uint_eq(configspace_request_bytes(&config), field < 5 ? 128u << field : 4096);
    }
    put(0x49, 1, 0x10); /* the upper byte alone */
    ck_assert_uint_eq(configspace_request_bytes(&config), 256);
}
END_TEST

START_TEST(tags_are_as_many_as_are_enabled)
{
    ck_assert_uint_eq(configspace_tags(&config), 256);
    put(0x48, 2, 0x5850);
    ck_assert_uint_eq(configspace_tags(&config), 32); /* five bits (2.2.6.2) */
    /* given tags of ten bits, they have a capability and a control of their own (4.0, 7.5.3.15) */
    struct configspace_identity identity = whole;
    identity.tags = 1024;
    make(identity);
    ck_assert_uint_eq(get(0x64, 4), 0x00020010);
    ck_assert_uint_eq(configspace_tags(&config), 1024);
    ck_assert_uint_eq(put(0x68, 2, 0), CONFIGSPACE_CHANGED_SIZES);
    ck_assert_uint_eq(configspace_tags(&config), 256);
    put(0x68, 2, 0x1000);
    ck_assert_uint_eq(configspace_tags(&config), 1024);
    /* given no more than 32, there is nothing to enable */
    identity.tags = 32;
    make(identity);
    put(0x48, 2, 0xffff & ~0x8000u);
    ck_assert_uint_eq(get(0x44, 4) & 0x20, 0);
    ck_assert_uint_eq(get(0x48, 2) & 0x100, 0);
    ck_assert_uint_eq(configspace_tags(&config), 32);
    identity.tags = 4;
    make(identity);
    ck_assert_uint_eq(configspace_tags(&config), 4);
}
END_TEST

START_TEST(resets_put_back_what_the_standard_says)
{
    put(0x10, 4, 0x80000000);
    put(0x50, 2, 0x48);
    /* a function level reset keeps payload size and link controls (6.6.2) */
    configspace_function_reset(&config);
    ck_assert_uint_eq(get(0x10, 4), 0x00000004);
    ck_assert_uint_eq(get(0x50, 2), 0x48);
    ck_assert_uint_eq(configspace_payload_bytes(&config), 512);
    ck_assert_uint_eq(configspace_request_bytes(&config), 512);
    /* a conventional one does not */
    configspace_reset(&config);
    ck_assert_uint_eq(get(0x50, 2), 0);
    ck_assert_uint_eq(get(0x48, 2), 0x2910);
    ck_assert_uint_eq(configspace_payload_bytes(&config), 128);
    ck_assert_uint_eq(configspace_request_bytes(&config), 512);
    /* a function that asks for 256 bytes at most says so after a reset as well */
    struct configspace_identity identity = whole;
    identity.request_bytes = 256;
    make(identity);
    configspace_reset(&config);
    ck_assert_uint_eq(get(0x48, 2), 0x1910);
}
END_TEST

START_TEST(illegal_accesses_are_defined)
{
    ck_assert_uint_eq(get(0x00, 8), 0xffffffff);
    ck_assert_uint_eq(get(0x00, 0), 0xffffffff);
    ck_assert_uint_eq(get(0x00, 3), 0xffffffff);
    ck_assert_uint_eq(get(0x02, 4), 0xffffffff);
    ck_assert_uint_eq(get(0x03, 2), 0xffffffff);
    /* 4096 bytes can be addressed; the extended ones say that there is no capability */
    ck_assert_uint_eq(get(0x100, 4), 0);
    ck_assert_uint_eq(get(0xffc, 4), 0);
    ck_assert_uint_eq(get(0x1000, 4), 0xffffffff);
    ck_assert_uint_eq(get(0xfffc, 4), 0xffffffff);
    struct configspace before = config;
    ck_assert_uint_eq(put(0x05, 2, 0xffff), 0);
    ck_assert_uint_eq(put(0x04, 8, 0xffff), 0);
    ck_assert_uint_eq(put(0x100, 4, 0xffffffff), 0);
    ck_assert_uint_eq(put(0x1004, 2, 0xffff), 0);
    ck_assert_mem_eq(before.bytes, config.bytes, sizeof config.bytes);
}
END_TEST

START_TEST(all_ones_everywhere_change_no_read_only_bit)
{
    /* but not the function reset, which is bit 15 of Device Control */
    struct configspace before = config;
    for (unsigned at = 0; at < 256; at += 4)
        put(at, 4, at == 0x48 ? 0xffff7fff : 0xffffffff);
    for (unsigned at = 0; at < 256; at++)
        ck_assert_uint_eq((before.bytes[at] ^ config.bytes[at]) & ~before.writable[at], 0);
    ck_assert_uint_eq(find(0x10), 0x40);
}
END_TEST

Suite *suite_configspace(void)
{
    Suite *suite = suite_create("configuration space");
    TCase *tcase = tcase_create("registers");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, both_bars_tell_their_size);
    tcase_add_test(tcase, without_a_buffer_there_is_one_bar);
    tcase_add_test(tcase, the_header_is_read_in_any_size);
    tcase_add_test(tcase, command_bits_have_an_effect);
    tcase_add_test(tcase, capabilities_come_in_the_standard_s_order);
    tcase_add_test(tcase, asleep_nothing_but_configuration_is_left);
    tcase_add_test(tcase, a_power_state_that_is_not_there_is_not_entered);
    tcase_add_test(tcase, a_function_that_loses_its_state_asks_for_a_reset_when_it_wakes);
    tcase_add_test(tcase, a_reset_wakes);
    tcase_add_test(tcase, the_link_registers_tell_the_link);
    tcase_add_test(tcase, device_control_sets_payload_and_request);
    tcase_add_test(tcase, tags_are_as_many_as_are_enabled);
    tcase_add_test(tcase, resets_put_back_what_the_standard_says);
    tcase_add_test(tcase, illegal_accesses_are_defined);
    tcase_add_test(tcase, all_ones_everywhere_change_no_read_only_bit);
    suite_add_tcase(suite, tcase);
    return suite;
}
