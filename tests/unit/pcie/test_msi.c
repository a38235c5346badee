/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MSI (PCI Local Bus 3.0, 6.8.1 and 6.8.3): the capability's registers as the host sees them, how
 * many messages it grants, and when a message goes out, stays pending, or becomes due.
 */
#include "pcie/configspace.h"
#include "pcie/msi.h"
#include "unit/pcie/suites.h"

static struct configspace config;
static struct msi msi;
static unsigned due[64], dues;

static void message_due(void *ctx, unsigned message)
{
    ck_assert_ptr_eq(ctx, &config);
    ck_assert_uint_lt(dues, 64);
    due[dues++] = message;
}

static void make(unsigned messages)
{
    struct configspace_identity identity = {
        .vendor = 1, .device = 2, .bar0_bytes = 16384, .msi_vectors = (uint8_t)messages};
    dues = 0;
    configspace_init(&config, &identity);
    msi_init(&msi, &config, message_due, &config);
}

static void setup(void)
{
    make(8);
}

/* Write a register of the capability and tell msi, as the device does. */
static void put(unsigned offset, unsigned size, uint32_t value)
{
    unsigned changed = configspace_write(&config, (uint16_t)(0xa0 + offset), size, value);
    ck_assert_uint_eq(changed, offset < 0x14 ? CONFIGSPACE_CHANGED_MSI : 0);
    msi_registers_written(&msi);
}

static uint32_t get(unsigned offset, unsigned size)
{
    return configspace_read(&config, (uint16_t)(0xa0 + offset), size);
}

/* Enable with 2^log2 messages at fee00000h, data 4100h. */
static void enable(unsigned log2)
{
    put(4, 4, 0xfee00000);
    put(8, 4, 0x12);
    put(12, 2, 0x4107);
    put(2, 2, 1 | log2 << 4);
}

START_TEST(the_capability_tells_its_messages)
{
    /* 64-bit address, masks per vector, log2 of the messages; nothing granted (6.8.1.3) */
    for (unsigned log2 = 0; log2 <= 5; log2++) {
        make(1u << log2);
        ck_assert_uint_eq(get(0, 1), 5);
        ck_assert_uint_eq(get(2, 2), 0x180 | log2 << 1);
        ck_assert(!msi.enabled);
        ck_assert_uint_eq(msi_granted(&msi), 1);
        put(16, 4, 0xffffffff);
        ck_assert_uint_eq(get(16, 4), UINT32_MAX >> (32 - (1u << log2)));
    }
}
END_TEST

START_TEST(registers_keep_what_can_be_written)
{
    put(4, 4, 0xffffffff);
    put(8, 4, 0xffffffff);
    put(12, 4, 0xffffffff);
    put(2, 2, 0xffff);
    put(20, 4, 0xffffffff);
    ck_assert_uint_eq(get(4, 4), 0xfffffffc); /* dword aligned (6.8.1.4) */
    ck_assert_uint_eq(get(8, 4), 0xffffffff);
    ck_assert_uint_eq(get(12, 4), 0x0000ffff);
    ck_assert_uint_eq(get(2, 2), 0x01f7);
    ck_assert_uint_eq(get(20, 4), 0); /* pending bits are read-only (6.8.1.8) */
}
END_TEST

START_TEST(the_host_grants_no_more_than_there_are)
{
    static const unsigned granted[] = {1, 2, 4, 8, 8, 8, 8, 8}; /* 110b, 111b are reserved */
    for (unsigned field = 0; field < 8; field++) {
        enable(field);
        ck_assert_uint_eq(msi_granted(&msi), granted[field]);
    }
}
END_TEST

START_TEST(a_message_carries_its_number_in_the_low_bits)
{
    uint64_t address = 0;
    uint32_t data = 0;
    enable(3);
    for (unsigned vector = 0; vector < 8; vector++) {
        ck_assert(msi_raise(&msi, vector, &address, &data));
        ck_assert_uint_eq(address, UINT64_C(0x12fee00000));
        ck_assert_uint_eq(data, 0x4100 + vector);
    }
    /* given two messages of eight, then odd vectors share the second */
    enable(1);
    ck_assert(msi_raise(&msi, 5, &address, &data));
    ck_assert_uint_eq(data, 0x4107);
    ck_assert(msi_raise(&msi, 4, &address, &data));
    ck_assert_uint_eq(data, 0x4106);
    /* given one, its data is the host's */
    enable(0);
    ck_assert(msi_raise(&msi, 7, &address, &data));
    ck_assert_uint_eq(data, 0x4107);
}
END_TEST

START_TEST(a_masked_message_stays_pending_until_unmasked)
{
    uint64_t address;
    uint32_t data;
    enable(3);
    put(16, 4, 0x05);
    ck_assert(!msi_raise(&msi, 0, &address, &data));
    ck_assert(msi_raise(&msi, 1, &address, &data));
    ck_assert(!msi_raise(&msi, 2, &address, &data));
    ck_assert(!msi_raise(&msi, 2, &address, &data)); /* twice is once */
    ck_assert_uint_eq(get(20, 4), 0x05);
    /* when one mask is lifted, then that message alone becomes due, once */
    put(16, 4, 0x01);
    ck_assert_uint_eq(dues, 1);
    ck_assert_uint_eq(due[0], 2);
    ck_assert_uint_eq(get(20, 4), 0x01);
    put(16, 4, 0x01);
    ck_assert_uint_eq(dues, 1);
    put(16, 1, 0x00);
    ck_assert_uint_eq(dues, 2);
    ck_assert_uint_eq(due[1], 0);
    ck_assert_uint_eq(get(20, 4), 0);
}
END_TEST

START_TEST(a_withdrawn_message_is_never_due)
{
    uint64_t address;
    uint32_t data;
    enable(3);
    put(16, 4, 0xff);
    msi_raise(&msi, 3, &address, &data);
    msi_raise(&msi, 4, &address, &data);
    msi_withdraw(&msi, 3); /* its reason has gone (6.8.3.5) */
    ck_assert_uint_eq(get(20, 4), 0x10);
    put(16, 4, 0);
    ck_assert_uint_eq(dues, 1);
    ck_assert_uint_eq(due[0], 4);
}
END_TEST

START_TEST(nothing_is_due_while_disabled)
{
    uint64_t address;
    uint32_t data;
    enable(3);
    put(16, 4, 1);
    msi_raise(&msi, 0, &address, &data);
    put(2, 2, 0x30);
    put(16, 4, 0);
    ck_assert_uint_eq(dues, 0);
    put(2, 2, 0x31);
    ck_assert_uint_eq(dues, 1);
}
END_TEST

START_TEST(a_reset_forgets_it_all)
{
    uint64_t address;
    uint32_t data;
    enable(3);
    put(16, 4, 0xff);
    msi_raise(&msi, 6, &address, &data);
    configspace_reset(&config);
    msi_reset(&msi);
    ck_assert(!msi.enabled);
    ck_assert_uint_eq(get(2, 2), 0x186);
    ck_assert_uint_eq(get(16, 4), 0);
    ck_assert_uint_eq(get(20, 4), 0);
    enable(3);
    ck_assert_uint_eq(dues, 0);
}
END_TEST

START_TEST(without_the_capability_it_is_never_enabled)
{
    make(0);
    ck_assert_uint_eq(configspace_write(&config, 0xa2, 2, 0xffff), 0);
    msi_registers_written(&msi);
    ck_assert(!msi.enabled);
    ck_assert_uint_eq(configspace_read(&config, 0xa0, 4), 0);
    ck_assert_uint_eq(msi_granted(&msi), 1);
}
END_TEST

Suite *suite_msi(void)
{
    Suite *suite = suite_create("msi");
    TCase *tcase = tcase_create("messages");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, the_capability_tells_its_messages);
    tcase_add_test(tcase, registers_keep_what_can_be_written);
    tcase_add_test(tcase, the_host_grants_no_more_than_there_are);
    tcase_add_test(tcase, a_message_carries_its_number_in_the_low_bits);
    tcase_add_test(tcase, a_masked_message_stays_pending_until_unmasked);
    tcase_add_test(tcase, a_withdrawn_message_is_never_due);
    tcase_add_test(tcase, nothing_is_due_while_disabled);
    tcase_add_test(tcase, a_reset_forgets_it_all);
    tcase_add_test(tcase, without_the_capability_it_is_never_enabled);
    suite_add_tcase(suite, tcase);
    return suite;
}
