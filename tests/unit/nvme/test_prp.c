/* SPDX-License-Identifier: BSD-2-Clause
 * PRP entries and lists (NVMe 1.4 section 4.3): every offset rule, chains, and random geometry
 * against a walk written down a second time here. */
#include <string.h>

#include "engine/rng.h"
#include "unit/nvme/rig.h"

#define PAGES 700u /* pages of RIG_DATA that geometry draws from */

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.mdts = 9; /* 2 MiB of 4 KiB pages: 513 entries, a chain of two lists and more */
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
}

START_TEST(offset_rules)
{
    open_rig();
    rig_put64(&rig, RIG_LISTS, RIG_DATA + 0x1000);
    rig_put64(&rig, RIG_LISTS + 8, RIG_DATA + 0x2000);
    rig_put64(&rig, RIG_LISTS + 16, RIG_DATA + 0x3004);
    /* PRP1: any dword */
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA + 4, 0), 0);
    for (unsigned low = 1; low < 4; low++)
        ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA + low, 0), 0x013);
    /* PRP2 as a page: no offset; unused: anything */
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 9, RIG_DATA, RIG_DATA + 0x1004), 0x013);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, RIG_DATA, RIG_DATA + 0x1007), 0);
    /* PRP2 as a list: any qword */
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, RIG_LISTS), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, RIG_LISTS + 4), 0x013);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, RIG_LISTS + 1), 0x013);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, RIG_LISTS + 8), 0x013); /* bad entry */
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, 0x8000), 0x004);        /* no memory */
    ck_assert_uint_eq(rig_stats(&rig).prp_lists, 3);
    ck_assert_uint_eq(rig_stats(&rig).prp_list_pages, 2);
}
END_TEST

START_TEST(offset_in_prp1_shifts_the_need_for_prp2)
{
    open_rig();
    /* 4096 bytes at offset 4: a second page of 4 bytes */
    memset(rig_at(&rig, RIG_DATA), 0xee, 0x3000);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, RIG_DATA + 4, RIG_DATA + 0x2000), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 3), 0xee);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 4), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0xfff), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), 0xee);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x2003), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x2004), 0xee);
}
END_TEST

/* A list that begins at the last entry of a page, or with exactly as many entries as the page has
 * left: then the last entry is data, with one more needed it is a chain. */
START_TEST(last_entry_is_data_or_chain)
{
    uint64_t list = RIG_LISTS + 0x1000 - 16;

    open_rig();
    rig_put64(&rig, list, RIG_DATA + 0x1000);
    rig_put64(&rig, list + 8, RIG_DATA + 0x2000);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, list), 0);
    ck_assert_uint_eq(rig_stats(&rig).prp_list_pages, 1);
    rig_put64(&rig, list + 8, RIG_LISTS + 0x2000);
    rig_put64(&rig, RIG_LISTS + 0x2000, RIG_DATA + 0x2000);
    rig_put64(&rig, RIG_LISTS + 0x2008, RIG_DATA + 0x3000);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 32, RIG_DATA, list), 0);
    ck_assert_uint_eq(rig_stats(&rig).prp_list_pages, 3);
    /* only a chain pointer in the first page */
    rig_put64(&rig, list + 8, RIG_LISTS + 0x2000);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, list + 8), 0);
    /* a chain pointer with an offset, and one that leads nowhere */
    rig_put64(&rig, list + 8, RIG_LISTS + 0x2008);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 32, RIG_DATA, list), 0x013);
    rig_put64(&rig, list + 8, 0x7000);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 32, RIG_DATA, list), 0x004);
}
END_TEST

/* Builds a list for `pages` scattered pages, chained, starting at `list`. */
static void build_list(struct rng *rng, uint64_t list, const uint64_t *pages, uint32_t count,
                       uint64_t page_bytes)
{
    uint64_t spare = (list / page_bytes + 1) * page_bytes;

    for (uint32_t i = 0; i < count; i++) {
        bool last_of_page = (list + 8) % page_bytes == 0;

        if (last_of_page && i + 1 < count) {
            spare += page_bytes * rng_below(rng, 2);
            rig_put64(&rig, list, spare);
            list = spare;
            spare += page_bytes;
        }
        rig_put64(&rig, list, pages[i]);
        list += 8;
    }
}

static uint8_t *rig_at_quick(uint64_t bus)
{
    return rig.memory + (bus - RIG_BASE);
}

/* Data written from one random geometry comes back into another, byte by byte, and nothing beside
 * it is touched. */
START_TEST(random_geometry)
{
    static uint64_t pages[2][PAGES];
    struct rng rng;
    uint64_t page_log2 = 12 + (uint64_t)_i % 2;
    uint64_t page = UINT64_C(1) << page_log2;
    uint32_t available = PAGES / 2u / (uint32_t)(page / 4096);

    params.tags = _i % 3 == 0;
    params.cc = 0x00460001 | (uint32_t)(page_log2 - 12) << 7;
    open_rig();
    rng_init(&rng, (uint64_t)_i, "prp geometry");
    for (unsigned round = 0; round < 30; round++) {
        uint32_t blocks = (uint32_t)(1 + rng_below(&rng, round % 3 == 0 ? 2400 : 40));
        uint64_t bytes = (uint64_t)blocks * 512;
        uint64_t offset[2], prp2[2];
        uint32_t needed[2];

        for (unsigned side = 0; side < 2; side++) {
            uint64_t first_page = RIG_DATA + side * (PAGES / 2) * 4096;

            offset[side] = rng_below(&rng, page / 4) * 4;
            needed[side] = (uint32_t)((offset[side] + bytes + page - 1) / page);
            for (uint32_t i = 0; i < available; i++)
                pages[side][i] = first_page + i * page;
            for (uint32_t i = 0; i < needed[side]; i++) { /* shuffle */
                uint32_t other = i + (uint32_t)rng_below(&rng, available - i);
                uint64_t swap = pages[side][i];

                pages[side][i] = pages[side][other];
                pages[side][other] = swap;
            }
            prp2[side] = needed[side] == 2 ? pages[side][1] : 0;
            if (needed[side] > 2) {
                prp2[side] = RIG_LISTS + side * 0x40000 / 2 + rng_below(&rng, page / 8) * 8;
                build_list(&rng, prp2[side], pages[side] + 1, needed[side] - 1, page);
            }
            memset(rig_at(&rig, first_page), (int)(0x40 + side), (size_t)available * page);
        }
        for (uint64_t i = 0; i < bytes; i++)
            *rig_at_quick(pages[0][(offset[0] + i) / page] + (offset[0] + i) % page) =
                (uint8_t)(i * 7 + (i >> 9) + round);
        ck_assert_uint_eq(rig_io(&rig, 1, 77, blocks, pages[0][0] + offset[0], prp2[0]), 0);
        ck_assert_uint_eq(rig_io(&rig, 2, 77, blocks, pages[1][0] + offset[1], prp2[1]), 0);
        /* Counted, not asserted byte by byte: Check pays for every assertion. */
        uint64_t wrong = 0;

        for (uint64_t i = 0; i < bytes; i++) {
            uint8_t *at = rig_at_quick(pages[1][(offset[1] + i) / page] + (offset[1] + i) % page);

            wrong += *at != (uint8_t)(i * 7 + (i >> 9) + round);
            *at = 0x41;
        }
        for (uint64_t i = 0; i < (uint64_t)available * page; i++)
            wrong += *rig_at_quick(RIG_DATA + (PAGES / 2) * 4096 + i) != 0x41;
        ck_assert_uint_eq(wrong, 0);
    }
}
END_TEST

/* Admin data in two pages (4.3): Identify at every kind of offset that PRP1 may have; a PRP2 that
 * is a page has no offset, one that is not needed may be anything. */
START_TEST(admin_data_across_a_page)
{
    static const uint32_t offsets[] = {0, 4, 2048, 4092};
    struct rig_cmd identify = {.opcode = 6, .cdw10 = 1, .prp2 = RIG_DATA + 0x3000};

    open_rig();
    identify.prp1 = RIG_DATA + offsets[_i];
    memset(rig_at(&rig, RIG_DATA), 0xee, 0x5000);
    ck_assert_uint_eq(rig_do(&rig, 0, &identify, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, identify.prp1), 0x36); /* VID 1b36h */
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), 0xee);
    /* the last byte of the page of data, and the first behind it */
    if (_i != 0)
        ck_assert_uint_eq(*rig_at(&rig, identify.prp2 + offsets[_i] - 1), 0);
    ck_assert_uint_eq(*rig_at(&rig, identify.prp2 + offsets[_i]), 0xee);
    identify.prp2 += 4;
    ck_assert_uint_eq(rig_do(&rig, 0, &identify, NULL), _i == 0 ? 0 : 0x013);
    identify.prp1 += 2;
    ck_assert_uint_eq(rig_do(&rig, 0, &identify, NULL), 0x013);
}
END_TEST

/* CC.MPS from 4 to 64 KiB (3.1.5): whether the same data needs a second page, or a list. */
START_TEST(page_sizes)
{
    uint64_t page = UINT64_C(4096) << _i;
    struct rig_cqe cqe;
    struct rig_cmd read = {.opcode = 2, .nsid = 1, .prp1 = RIG_DATA, .prp2 = RIG_DATA + 0x8004};

    params.cc = 0x00460001 | (uint32_t)_i << 7;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_put64(&rig, RIG_IO_CQ, 0);
    ck_assert_uint_eq(
        rig_do(&rig, 0,
               &(struct rig_cmd){.opcode = 5, .prp1 = RIG_IO_CQ, .cdw10 = 7 << 16 | 1, .cdw11 = 1},
               &cqe),
        0);
    ck_assert_uint_eq(
        rig_do(&rig, 0,
               &(struct rig_cmd){
                   .opcode = 1, .prp1 = RIG_IO_SQ, .cdw10 = 7 << 16 | 1, .cdw11 = 1 << 16 | 1},
               &cqe),
        0);
    rig.queue[1] = (struct rig_queue){.sq = RIG_IO_SQ,
                                      .cq = RIG_IO_CQ,
                                      .sq_size = 8,
                                      .cq_size = 8,
                                      .qid = 1,
                                      .cqid = 1,
                                      .phase = true};
    /* just a page; a block more; just two pages; a block more, for which PRP2 is a list */
    read.cdw12 = (uint32_t)(page / 512 - 1);
    ck_assert_uint_eq(rig_do(&rig, 1, &read, NULL), 0);
    read.cdw12++;
    ck_assert_uint_eq(rig_do(&rig, 1, &read, NULL), 0x013);
    read.prp2 = RIG_DATA + 0x100000;
    ck_assert_uint_eq(rig_do(&rig, 1, &read, NULL), 0);
    read.cdw12 = (uint32_t)(2 * page / 512 - 1);
    ck_assert_uint_eq(rig_do(&rig, 1, &read, NULL), 0);
    read.cdw12++;
    read.prp2 = RIG_LISTS + page - 8; /* a list that is one chain pointer */
    rig_put64(&rig, RIG_LISTS + page - 8, RIG_LISTS + 0x20000);
    rig_put64(&rig, RIG_LISTS + 0x20000, RIG_DATA + 0x100000);
    rig_put64(&rig, RIG_LISTS + 0x20008, RIG_DATA + 0x200000);
    ck_assert_uint_eq(rig_stats(&rig).list_reads, 0);
    ck_assert_uint_eq(rig_do(&rig, 1, &read, NULL), 0);
    ck_assert_uint_eq(rig_stats(&rig).list_reads, 2);
}
END_TEST

START_TEST(no_limit_takes_the_largest_transfer)
{
    uint64_t list = RIG_LISTS;

    params.ctrl.mdts = 0;
    params.ctrl.cap_mpsmax = 15;
    params.cc = 0x00460001;
    open_rig();
    /* 65536 blocks are 32 MiB: 8191 entries in 17 list pages, all of them the same page */
    for (unsigned p = 0; p < 17; p++) {
        for (unsigned i = 0; i < 511; i++)
            rig_put64(&rig, list + i * 8, RIG_DATA);
        rig_put64(&rig, list + 4088, list + 4096);
        list += 4096;
    }
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 65536, RIG_DATA, RIG_LISTS), 0);
    ck_assert_uint_eq(rig_stats(&rig).prp_list_pages, 17);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 65536, RIG_DATA, RIG_LISTS), 0);
}
END_TEST

Suite *suite_prp(void)
{
    Suite *suite = suite_create("nvme data pointers");
    TCase *tc = tcase_create("prp");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, offset_rules);
    tcase_add_test(tc, offset_in_prp1_shifts_the_need_for_prp2);
    tcase_add_test(tc, last_entry_is_data_or_chain);
    tcase_add_loop_test(tc, admin_data_across_a_page, 0, 4);
    tcase_add_loop_test(tc, page_sizes, 0, 5);
    tcase_add_loop_test(tc, random_geometry, 0, 6);
    tcase_add_test(tc, no_limit_takes_the_largest_transfer);
    suite_add_tcase(suite, tc);
    return suite;
}
