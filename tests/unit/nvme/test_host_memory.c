/* SPDX-License-Identifier: BSD-2-Clause
 * Host Memory Buffer (NVMe 1.4 sections 5.21.1.13 and 8.9). */
#include <string.h>

#include "unit/nvme/rig_admin.h"

#define LIST   (RIG_LISTS + 0x10)
#define BUFFER (RIG_BASE + 0x200000)

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.hmb_preferred = 64u << 12;
    params.ctrl.hmb_min = 4u << 12;
    params.ctrl.hmb_descriptors = 4;
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void put_extent(uint32_t i, uint64_t bus, uint32_t pages)
{
    rig_put64(&rig, LIST + 16 * i, bus);
    rig_put64(&rig, LIST + 16 * i + 8, pages);
}

static uint16_t lend(uint32_t dword11, uint32_t pages, uint64_t list, uint32_t entries)
{
    return rig_do(&rig, 0,
                  &(struct rig_cmd){.opcode = 9,
                                    .cid = 1,
                                    .cdw10 = 13,
                                    .cdw11 = dword11,
                                    .cdw12 = pages,
                                    .cdw13 = (uint32_t)list,
                                    .cdw14 = (uint32_t)(list >> 32),
                                    .cdw15 = entries},
                  NULL);
}

START_TEST(what_identify_says) /* HMPRE, HMMIN, HMMAXD (5.15.2.2) */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 272, 4), 64);
    ck_assert_uint_eq(rig_field(&rig, 276, 4), 4);
    ck_assert_uint_eq(rig_field(&rig, 336, 2), 4);
}
END_TEST

START_TEST(enable_get_and_disable)
{
    put_extent(0, BUFFER, 3);
    put_extent(1, BUFFER + 0x10000, 0); /* an entry of nothing */
    put_extent(2, BUFFER + 0x20000, 5);
    memset(rig_at(&rig, BUFFER), 0x5a, 0x30000);
    ck_assert_uint_eq(rig_get(&rig, 0, 13, 0), 0);
    ck_assert_uint_eq(lend(1, 8, LIST, 3), 0);
    ck_assert_uint_eq(rig_get(&rig, 0, 13, 0), 1);
    ck_assert_uint_eq(rig_field(&rig, 0, 4), 8);
    ck_assert_uint_eq(rig_field(&rig, 4, 8), LIST);
    ck_assert_uint_eq(rig_field(&rig, 12, 4), 3);
    ck_assert_uint_eq(lend(1, 8, LIST, 3), 0x00c); /* it is enabled */
    ck_assert_uint_eq(lend(0, 0, 0, 0), 0);
    ck_assert_uint_eq(rig_get(&rig, 0, 13, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
    ck_assert_uint_eq(lend(3, 8, LIST, 3), 0); /* the same memory, returned */
    for (uint32_t i = 0; i < 0x30000; i += 0x1000)
        ck_assert_uint_eq(*rig_at(&rig, BUFFER + i), 0x5a); /* nothing uses it yet */
}
END_TEST

START_TEST(sizes_addresses_and_counts)
{
    put_extent(0, BUFFER, 8);
    ck_assert_uint_eq(lend(1, 0, LIST, 1), 0x002);
    ck_assert_uint_eq(lend(1, 3, LIST, 1), 0x002); /* below HMMIN */
    ck_assert_uint_eq(lend(1, 4, LIST, 0), 0x002);
    ck_assert_uint_eq(lend(1, 4, LIST, 5), 0x002); /* above HMMAXD */
    ck_assert_uint_eq(lend(1, 4, LIST, 0xffffffff), 0x002);
    ck_assert_uint_eq(lend(1, 4, LIST + 8, 1), 0x002); /* the list is aligned to 16 bytes */
    ck_assert_uint_eq(lend(1, 9, LIST, 1), 0x002);     /* more than there is in the list */
    ck_assert_uint_eq(lend(1, 4, 0x1000, 1), 0x004);
    put_extent(0, BUFFER + 0x800, 8);
    ck_assert_uint_eq(lend(1, 4, LIST, 1), 0x002);
    ck_assert_uint_eq(rig_get(&rig, 0, 13, 0), 0);
    put_extent(0, BUFFER, 8);
    ck_assert_uint_eq(lend(1, 4, LIST, 1), 0); /* and none of that has left anything behind */
    ck_assert_uint_eq(rig_set(&rig, 0, 13 | SAVE, 1), 0x10d);
    ck_assert_uint_eq(rig_set(&rig, 1, 13, 1), 0x10f);
}
END_TEST

START_TEST(units_are_memory_pages) /* CC.MPS */
{
    rig_close(&rig);
    params.cc = 0x00460081; /* 8 KiB */
    rig_open(&rig, &params);
    rig_enable(&rig);
    put_extent(0, BUFFER, 2);
    ck_assert_uint_eq(lend(1, 1, LIST, 1), 0x002);
    ck_assert_uint_eq(lend(1, 2, LIST, 1), 0);
    ck_assert_uint_eq(lend(0, 0, 0, 0), 0);
    put_extent(0, BUFFER + 0x1000, 2);
    ck_assert_uint_eq(lend(1, 2, LIST, 1), 0x002);
}
END_TEST

START_TEST(reset_gives_it_back_even_while_the_list_is_read)
{
    put_extent(0, BUFFER, 8);
    ck_assert_uint_eq(lend(1, 8, LIST, 1), 0);
    rig_reset(&rig);
    ck_assert_uint_eq(rig_get(&rig, 0, 13, 0), 0);
    rig_put(&rig, 0,
            &(struct rig_cmd){.opcode = 9,
                              .cid = 3,
                              .cdw10 = 13,
                              .cdw11 = 1,
                              .cdw12 = 8,
                              .cdw13 = (uint32_t)LIST,
                              .cdw14 = (uint32_t)(LIST >> 32),
                              .cdw15 = 1});
    rig_ring(&rig, 0);
    while (rig_stats(&rig).admin_commands < 3)
        ck_assert(engine_step(rig.engine));
    rig_reset(&rig);
    ck_assert_uint_eq(rig_get(&rig, 0, 13, 0), 0);
    ck_assert_uint_eq(lend(1, 8, LIST, 1), 0);
}
END_TEST

START_TEST(without_the_capability_there_is_no_feature)
{
    rig_close(&rig);
    params.ctrl.hmb_preferred = params.ctrl.hmb_min = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(lend(1, 8, LIST, 1), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 13, 0, NULL), 0x002);
}
END_TEST

Suite *suite_host_memory(void)
{
    Suite *suite = suite_create("nvme host memory buffer");
    TCase *tc = tcase_create("host memory");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_identify_says);
    tcase_add_test(tc, enable_get_and_disable);
    tcase_add_test(tc, sizes_addresses_and_counts);
    tcase_add_test(tc, units_are_memory_pages);
    tcase_add_test(tc, reset_gives_it_back_even_while_the_list_is_read);
    tcase_add_test(tc, without_the_capability_there_is_no_feature);
    suite_add_tcase(suite, tc);
    return suite;
}
