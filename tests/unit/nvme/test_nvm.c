/* SPDX-License-Identifier: BSD-2-Clause
 * Read, Write, Flush, Write Zeroes: data, checks, durability (NVMe 1.4 section 6). */
#include <string.h>

#include "engine/pattern.h"
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
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

static void fill(uint64_t bus, uint32_t bytes, uint32_t seed)
{
    uint8_t *at = rig_at(&rig, bus);

    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)((i * 2654435761u + seed) >> 13);
}

/* host with tags or without, block size */
static const struct {
    bool tags;
    uint64_t block_choice;
    uint32_t block;
} media[] = {{false, 0, 512}, {true, 0, 512}, {false, 1, 4096}, {true, 1, 4096}};

START_TEST(data_comes_back)
{
    uint32_t block = media[_i].block;

    params.tags = media[_i].tags;
    params.ctrl.block_bytes = media[_i].block_choice;
    open_rig();
    /* bytes that are no pattern, not aligned in memory, over two pages */
    fill(RIG_DATA + 0x410, 4096, 1);
    ck_assert_uint_eq(rig_io(&rig, 1, 5, 4096 / block, RIG_DATA + 0x410, RIG_DATA + 0x1000), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 5, 4096 / block, RIG_DATA + 0x10000, 0), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 0x10000), rig_at(&rig, RIG_DATA + 0x410), 4096);
    /* patterns */
    for (uint32_t i = 0; i < 8; i++)
        pattern_expand(pattern_tag(9, i), rig_at(&rig, RIG_DATA + 0x20000 + i * 512));
    ck_assert_uint_eq(rig_io(&rig, 1, 100, 4096 / block, RIG_DATA + 0x20000, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 100, 4096 / block, RIG_DATA + 0x30000, 0), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 0x30000), rig_at(&rig, RIG_DATA + 0x20000), 4096);
    ck_assert((rig.tag_moves > 0) == media[_i].tags);
    /* blocks that were never written are zero */
    fill(RIG_DATA, 4096, 3);
    ck_assert_uint_eq(rig_io(&rig, 2, 300, 4096 / block, RIG_DATA, 0), 0);
    for (uint32_t i = 0; i < 4096; i++)
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + i), 0);
}
END_TEST

/* Written one way, read the other: every mix of tags and bytes gives the same contents and time. */
START_TEST(tags_and_bytes_are_the_same)
{
    uint64_t end_ps[2];

    for (unsigned way = 0; way < 2; way++) {
        params.tags = way != 0;
        open_rig();
        for (uint32_t i = 0; i < 8; i++)
            pattern_expand(pattern_tag(1, i), rig_at(&rig, RIG_DATA + i * 512));
        memset(rig_at(&rig, RIG_DATA + 1024), 0x55, 512); /* one unit is no pattern */
        memset(rig_at(&rig, RIG_DATA + 2048), 0, 512);    /* one is zero */
        ck_assert_uint_eq(rig_io(&rig, 1, 0, 8, RIG_DATA, 0), 0);
        rig.params.tags = way == 0;
        for (uint64_t i = 0; i < 8; i++)
            ck_assert_uint_eq(rig_io(&rig, 2, i, 1, RIG_DATA + 0x1000 + i * 512, 0), 0);
        ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 0x1000), rig_at(&rig, RIG_DATA), 4096);
        end_ps[way] = rig_now(&rig);
        if (way == 0)
            rig_close(&rig);
    }
    ck_assert_uint_eq(end_ps[0], end_ps[1]);
}
END_TEST

START_TEST(range_checks)
{
    uint64_t blocks = (UINT64_C(64) << 20) / 512;

    open_rig();
    for (uint8_t opcode = 1; opcode <= 8; opcode++) {
        if (opcode > 2 && opcode < 8)
            continue;
        ck_assert_uint_eq(rig_io(&rig, opcode, blocks - 1, 1, RIG_DATA, 0), 0);
        ck_assert_uint_eq(rig_io(&rig, opcode, blocks, 1, RIG_DATA, 0), 0x080);
        ck_assert_uint_eq(rig_io(&rig, opcode, blocks - 1, 2, RIG_DATA, 0), 0x080);
        ck_assert_uint_eq(rig_io(&rig, opcode, UINT64_MAX, 1, RIG_DATA, 0), 0x080);
        ck_assert_uint_eq(rig_io(&rig, opcode, UINT64_MAX - 6, 8, RIG_DATA, 0), 0x080);
    }
}
END_TEST

START_TEST(namespace_checks)
{
    static const uint32_t wrong[] = {0, 2, 0xfffffffe, 0xffffffff};

    open_rig();
    for (unsigned i = 0; i < 4; i++) {
        for (uint8_t opcode = 0; opcode <= 8; opcode++) {
            struct rig_cmd cmd = {.opcode = opcode, .cid = 1, .nsid = wrong[i], .prp1 = RIG_DATA};

            if (opcode > 2 && opcode < 8)
                continue;
            ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL),
                              opcode == 0 && wrong[i] == 0xffffffff ? 0 : 0x00b);
        }
    }
}
END_TEST

START_TEST(unknown_opcodes)
{
    open_rig();
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        bool known =
            opcode <= 2 || opcode == 4 || opcode == 5 || opcode == 8 || opcode == 9 || opcode == 12;

        if (!known)
            ck_assert_uint_eq(rig_io(&rig, (uint8_t)opcode, 0, 1, RIG_DATA, 0), 0x001);
    }
    struct rig_cmd sgl = {.opcode = 2, .cid = 1, .flags = 0x40, .nsid = 1, .prp1 = RIG_DATA};
    ck_assert_uint_eq(rig_do(&rig, 1, &sgl, NULL), 0x002);
}
END_TEST

START_TEST(mdts_is_enforced)
{
    params.ctrl.mdts = 1; /* 8 KiB */
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 16, RIG_DATA, RIG_DATA + 0x1000), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 17, RIG_DATA, RIG_LISTS), 0x002);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 17, RIG_DATA, RIG_LISTS), 0x002);
    ck_assert_uint_eq(rig_io(&rig, 8, 0, 65536, 0, 0), 0); /* no data: no limit */
    ck_assert_uint_eq(rig_io(&rig, 8, 0, 17, 0, 0), 0);
}
END_TEST

START_TEST(mdts_counts_smallest_pages)
{
    params.ctrl.mdts = 1;
    params.ctrl.cap_mpsmin = 1;       /* 16 KiB */
    params.cc = 0x00460001 | 2u << 7; /* host uses 16 KiB pages */
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 32, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 33, RIG_DATA, RIG_DATA + 0x4000), 0x002);
}
END_TEST

START_TEST(write_zeroes_and_overwrites)
{
    open_rig();
    fill(RIG_DATA, 4096, 9);
    ck_assert_uint_eq(rig_io(&rig, 1, 16, 8, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 8, 18, 3, 0, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 16, 8, RIG_DATA + 0x1000, 0), 0);
    memset(rig_at(&rig, RIG_DATA + 2 * 512), 0, 3 * 512);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 0x1000), rig_at(&rig, RIG_DATA), 4096);
    ck_assert_uint_eq(rig_stats(&rig).write_zeroes, 1);
}
END_TEST

START_TEST(refused_data_dma_is_a_transfer_error)
{
    struct rig_cqe cqe;
    struct rig_cmd cmd = {.opcode = 1, .cid = 1, .nsid = 1, .prp1 = RIG_DATA, .cdw12 = 15};

    params.tags = _i != 0;
    open_rig();
    fill(RIG_DATA, 8192, 4);
    cmd.prp2 = RIG_DATA + 0x1000;
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0);
    cmd.prp2 = 0x2000; /* the second page is out of reach: nothing is written */
    fill(RIG_DATA, 4096, 5);
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, &cqe), 0x004);
    ck_assert(!cqe.dnr);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, RIG_DATA + 0x4000, 0), 0);
    fill(RIG_DATA, 4096, 4);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 0x4000), rig_at(&rig, RIG_DATA), 4096);
    cmd.opcode = 2;
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x004);
    ck_assert_uint_eq(rig_stats(&rig).errors, 2);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1); /* not fatal */
}
END_TEST

/* Where flushes come from. vwc, cache on, opcode, cdw12, media flushes */
static const struct {
    uint64_t vwc;
    uint32_t cache;
    uint8_t opcode;
    uint32_t fua;
    uint64_t flushes;
} durable[] = {
    {1, 1, 0, 0, 1}, {1, 1, 1, 0, 0}, {1, 1, 1, 1, 1}, {1, 1, 2, 0, 0},
    {1, 1, 2, 1, 1}, {1, 1, 8, 0, 0}, {1, 1, 8, 1, 1}, {1, 0, 0, 0, 0},
    {1, 0, 1, 0, 1}, {1, 0, 1, 1, 1}, {1, 0, 2, 1, 0}, {1, 0, 8, 0, 1},
    {0, 0, 0, 0, 0}, {0, 0, 1, 1, 0}, {0, 0, 2, 1, 0}, {0, 0, 8, 1, 0},
};

START_TEST(flush_fua_and_write_cache)
{
    struct media_stats before, stats;
    struct rig_cmd cmd = {.opcode = durable[_i].opcode,
                          .cid = 1,
                          .nsid = 1,
                          .prp1 = RIG_DATA,
                          .cdw12 = durable[_i].fua << 30};

    params.ctrl.vwc = durable[_i].vwc;
    open_rig();
    if (durable[_i].vwc)
        ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, durable[_i].cache, NULL), 0);
    media_get_stats(rig.media, &before); /* turning the cache off flushes, too */
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0);
    media_get_stats(rig.media, &stats);
    ck_assert_uint_eq(stats.flushes - before.flushes, durable[_i].flushes);
}
END_TEST

START_TEST(statistics_count_commands_and_blocks)
{
    struct ctrl_stats stats;

    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 3, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 0, 0, 1, 0, 0), 0);
    stats = rig_stats(&rig);
    ck_assert_uint_eq(stats.commands, 3);
    ck_assert_uint_eq(stats.admin_commands, 2);
    ck_assert_uint_eq(stats.reads, 1);
    ck_assert_uint_eq(stats.bytes_read, 8 * 512);
    ck_assert_uint_eq(stats.writes, 1);
    ck_assert_uint_eq(stats.bytes_written, 3 * 512);
    ck_assert_uint_eq(stats.flushes, 1);
    ck_assert_uint_eq(stats.completions, 5);
    ck_assert_uint_eq(stats.sq_doorbells, 5);
    ck_assert_uint_eq(stats.cq_doorbells, 5);
    ck_assert_uint_eq(stats.errors, 0);
}
END_TEST

Suite *suite_nvm(void)
{
    Suite *suite = suite_create("nvme nvm commands");
    TCase *tc = tcase_create("nvm");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, data_comes_back, 0, sizeof media / sizeof media[0]);
    tcase_add_test(tc, tags_and_bytes_are_the_same);
    tcase_add_test(tc, range_checks);
    tcase_add_test(tc, namespace_checks);
    tcase_add_test(tc, unknown_opcodes);
    tcase_add_test(tc, mdts_is_enforced);
    tcase_add_test(tc, mdts_counts_smallest_pages);
    tcase_add_test(tc, write_zeroes_and_overwrites);
    tcase_add_loop_test(tc, refused_data_dma_is_a_transfer_error, 0, 2);
    tcase_add_loop_test(tc, flush_fua_and_write_cache, 0, sizeof durable / sizeof durable[0]);
    tcase_add_test(tc, statistics_count_commands_and_blocks);
    suite_add_tcase(suite, tc);
    return suite;
}
