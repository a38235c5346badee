/* SPDX-License-Identifier: BSD-2-Clause
 * Compare (NVMe 1.4 section 6.6) and fused Compare and Write (4.12, 6.2). */
#include <string.h>

#include "engine/pattern.h"
#include "unit/nvme/rig.h"

#define WRITE   1u
#define READ    2u
#define COMPARE 5u
#define FIRST   1u
#define SECOND  2u
#define OLD     RIG_DATA
#define NEW     (RIG_DATA + 0x10000)
#define BACK    (RIG_DATA + 0x20000)

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

/* Blocks 0 to 7 are on the medium as OLD says; NEW is different. */
static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    for (uint32_t i = 0; i < 8; i++) {
        pattern_expand(pattern_tag(1, i), rig_at(&rig, OLD + i * 512));
        pattern_expand(pattern_tag(2, i), rig_at(&rig, NEW + i * 512));
    }
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 8, OLD, 0), 0);
}

static void put(uint8_t opcode, uint8_t fuse, uint16_t cid, uint32_t slba, uint32_t blocks,
                uint64_t prp1)
{
    struct rig_cmd cmd = {.opcode = opcode,
                          .flags = fuse,
                          .cid = cid,
                          .nsid = 1,
                          .prp1 = prp1,
                          .cdw10 = slba,
                          .cdw12 = blocks - 1};

    rig_put(&rig, 1, &cmd);
}

/* The next completion is this command's, with this status. */
static void expect(uint16_t cid, uint16_t status)
{
    struct rig_cqe cqe;

    ck_assert_msg(rig_take(&rig, 1, &cqe), "no completion of command %u", cid);
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, status);
}

static void expect_none(void)
{
    struct rig_cqe cqe;

    ck_assert(!rig_take(&rig, 1, &cqe));
}

static void ring(void)
{
    rig_ring(&rig, 1);
    rig_settle(&rig);
}

/* What blocks 0 to 7 hold now. */
static void holds(uint64_t bus)
{
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 8, BACK, 0), 0);
    ck_assert_mem_eq(rig_at(&rig, BACK), rig_at(&rig, bus), 4096);
}

/* Patterns and plain bytes, host with tags and without: one wrong byte anywhere is found (6.6). */
START_TEST(compare_finds_one_wrong_byte)
{
    params.tags = (_i & 1) != 0;
    open_rig();
    if ((_i & 2) != 0) {
        memset(rig_at(&rig, OLD + 100), 0x77, 4000);
        ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 8, OLD, 0), 0);
    }
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 8, OLD, 0), 0);
    for (uint32_t at = 0; at < 4096; at += 585) { /* one in each block */
        *rig_at(&rig, OLD + at) ^= 0x10;
        ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 8, OLD, 0), 0x285);
        *rig_at(&rig, OLD + at) ^= 0x10;
    }
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 8, OLD, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 8, 8, OLD, 0), 0x285); /* never written: zeroes */
    memset(rig_at(&rig, NEW), 0, 4096);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 8, 8, NEW, 0), 0);
    ck_assert_uint_eq(rig_stats(&rig).compares, 12);
    holds(OLD);
}
END_TEST

START_TEST(compare_checks_like_a_read)
{
    params.ctrl.mdts = 1; /* 8 KiB */
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 16, OLD, OLD + 0x1000), 0);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 17, OLD, RIG_LISTS), 0x002);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, (64u << 20) / 512, 1, OLD, 0), 0x080);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 16, OLD, OLD + 0x1010), 0x013);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 8, 0x1000, 0), 0x004); /* the host refuses */
}
END_TEST

START_TEST(what_is_not_supported_says_so)
{
    params.ctrl.compare = 0;
    params.ctrl.fused = 0;
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 0, 8, OLD, 0), 0x001);
    put(COMPARE, FIRST, 1, 0, 8, OLD);
    put(WRITE, SECOND, 2, 0, 8, NEW);
    ring();
    expect(1, 0x002);
    expect(2, 0x002);
    holds(OLD);
}
END_TEST

/* Given equal data, when both halves are rung, then the write happens and both succeed in order. */
START_TEST(fused_pair_writes_if_equal)
{
    params.tags = _i != 0;
    open_rig();
    put(COMPARE, FIRST, 1, 0, 8, OLD);
    put(WRITE, SECOND, 2, 0, 8, NEW);
    ring();
    expect(1, 0);
    expect(2, 0);
    expect_none();
    holds(NEW);
}
END_TEST

START_TEST(fused_pair_does_not_write_if_different)
{
    open_rig();
    put(COMPARE, FIRST, 1, 0, 8, NEW);
    put(WRITE, SECOND, 2, 0, 8, NEW);
    ring();
    expect(1, 0x285);
    expect(2, 0x009);
    expect_none();
    holds(OLD);
}
END_TEST

/* Two hosts' worth of pairs on two queues for the same block: exactly one wins (6.2: atomic). With
 * fewer contexts than halves, no first half keeps its second from being fetched. */
START_TEST(fused_pairs_are_atomic)
{
    static const uint64_t contexts[] = {64, 2, 1};

    params.ctrl.contexts = contexts[_i];
    open_rig();
    rig_create_queue(&rig, 2, 16, 0);
    for (unsigned queue = 1; queue <= 2; queue++) {
        struct rig_cmd cmd = {.opcode = COMPARE,
                              .flags = FIRST,
                              .cid = (uint16_t)(queue * 2),
                              .nsid = 1,
                              .prp1 = OLD,
                              .cdw12 = 7};

        rig_put(&rig, queue, &cmd);
        cmd.opcode = WRITE;
        cmd.flags = SECOND;
        cmd.cid++;
        cmd.prp1 = NEW;
        rig_put(&rig, queue, &cmd);
    }
    rig_ring(&rig, 1);
    rig_ring(&rig, 2);
    rig_settle(&rig);
    unsigned winners = 0;
    for (unsigned queue = 1; queue <= 2; queue++) {
        struct rig_cqe first, second;

        ck_assert(rig_take(&rig, queue, &first) && rig_take(&rig, queue, &second));
        winners += first.status == 0 && second.status == 0;
        if (first.status != 0) {
            ck_assert_uint_eq(first.status, 0x285);
            ck_assert_uint_eq(second.status, 0x009);
        }
    }
    ck_assert_uint_eq(winners, 1);
    holds(NEW);
}
END_TEST

/* A first half whose second never comes costs no context: everything else goes on, as often as
 * halves are held and ended by an Abort (5.1), a reset or the next command (4.12). */
START_TEST(a_first_half_holds_nobody_up)
{
    static const uint64_t contexts[] = {1, 2, 64};
    struct rig_cmd flush = {.nsid = 1};
    struct rig_cqe cqe;

    params.ctrl.contexts = contexts[_i];
    open_rig();
    rig_create_queue(&rig, 2, 16, 0);
    for (unsigned round = 0; round < 5; round++) {
        put(COMPARE, FIRST, 1, 0, 8, OLD);
        ring();
        expect_none();
        ck_assert_uint_eq(rig_do(&rig, 2, &flush, &cqe), 0);
        put(COMPARE, FIRST, 2, 0, 8, OLD); /* ends the one before */
        ring();
        expect(1, 0x00a);
        ck_assert_uint_eq(rig_do(&rig, 2, &flush, &cqe), 0);
        ck_assert_uint_eq(rig_admin(&rig, 0x08, 0, 2 << 16 | 1, 0, NULL), 0);
        expect(2, 0x007);
        rig_ring_cq(&rig, 1);
        ck_assert_uint_eq(rig_do(&rig, 2, &flush, &cqe), 0);
    }
}
END_TEST

START_TEST(halves_that_are_missing)
{
    open_rig();
    put(COMPARE, FIRST, 1, 0, 8, OLD); /* followed by another command */
    put(READ, 0, 2, 0, 8, BACK);
    put(WRITE, SECOND, 3, 0, 8, NEW); /* behind no first half */
    ring();
    expect(1, 0x00a);
    expect(3, 0x00a); /* nothing to wait for, and the read has data on its way */
    expect(2, 0);
    put(COMPARE, FIRST, 4, 0, 8, OLD); /* two first halves */
    put(COMPARE, FIRST, 5, 0, 8, OLD);
    put(WRITE, SECOND, 6, 0, 8, NEW);
    ring();
    expect(4, 0x00a);
    expect(5, 0);
    expect(6, 0);
    put(COMPARE, 3, 7, 0, 8, OLD); /* reserved value of FUSE */
    ring();
    expect(7, 0x002);
    holds(NEW);
}
END_TEST

/* second opcode, slba, blocks, first prp1, second prp1; statuses of both */
static const struct {
    uint8_t first, second;
    uint32_t slba, blocks;
    uint64_t first_prp, second_prp;
    uint16_t first_status, second_status;
} misfits[] = {
    {COMPARE, READ, 0, 8, OLD, NEW, 0x002, 0x002},
    {WRITE, WRITE, 0, 8, OLD, NEW, 0x002, 0x002},
    {COMPARE, WRITE, 1, 8, OLD, NEW, 0x002, 0x002},
    {COMPARE, WRITE, 0, 7, OLD, NEW, 0x002, 0x002},
    {COMPARE, WRITE, 0, 8, OLD + 2, NEW, 0x013, 0x009},
    {COMPARE, WRITE, 0, 8, OLD, NEW + 2, 0x009, 0x013},
    {COMPARE, WRITE, 0, 8, 0x1000, NEW, 0x004, 0x009},
    {COMPARE, WRITE, 0, 8, OLD, 0x1000, 0x009, 0x004},
};

START_TEST(halves_that_fail)
{
    open_rig();
    put(misfits[_i].first, FIRST, 1, 0, 8, misfits[_i].first_prp);
    put(misfits[_i].second, SECOND, 2, misfits[_i].slba, misfits[_i].blocks,
        misfits[_i].second_prp);
    ring();
    expect(1, misfits[_i].first_status);
    expect(2, misfits[_i].second_status);
    expect_none();
    holds(OLD);
}
END_TEST

/* The first half alone waits: until the second is rung, the queue is deleted, it is aborted, the
 * controller shuts down or is reset. */
START_TEST(a_lone_first_half_waits)
{
    uint32_t dw0 = 1;

    open_rig();
    put(COMPARE, FIRST, 1, 0, 8, OLD);
    ring();
    expect_none();
    put(WRITE, SECOND, 2, 0, 8, NEW);
    ring();
    expect(1, 0);
    expect(2, 0);
    put(COMPARE, FIRST, 3, 0, 8, NEW);
    ring();
    ck_assert_uint_eq(rig_admin(&rig, 8, 0, 3u << 16 | 1, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0); /* aborted */
    expect(3, 0x007);
    put(WRITE, SECOND, 4, 0, 8, OLD);
    ring();
    expect(4, 0x00a);
    put(COMPARE, FIRST, 5, 0, 8, NEW);
    ring();
    if (_i == 0) {
        ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
        expect(5, 0x008);
    } else if (_i == 1) {
        rig_write32(&rig, 0x14, 0x00464001); /* CC.SHN */
        rig_settle(&rig);
        ck_assert_uint_eq(rig_read32(&rig, 0x1c) & 0xc, 8);
        expect(5, 0x00a);
    } else {
        rig_write32(&rig, 0x14, 0);
        rig_settle(&rig);
        rig_enable(&rig);
        rig_create_queue(&rig, 1, 16, 0);
        put(READ, 0, 6, 0, 8, BACK);
        ring();
        expect(6, 0);
        expect_none();
    }
}
END_TEST

Suite *suite_compare(void)
{
    Suite *suite = suite_create("nvme compare");
    TCase *tc = tcase_create("compare");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, compare_finds_one_wrong_byte, 0, 4);
    tcase_add_test(tc, compare_checks_like_a_read);
    tcase_add_test(tc, what_is_not_supported_says_so);
    tcase_add_loop_test(tc, fused_pair_writes_if_equal, 0, 2);
    tcase_add_test(tc, fused_pair_does_not_write_if_different);
    tcase_add_loop_test(tc, fused_pairs_are_atomic, 0, 3);
    tcase_add_loop_test(tc, a_first_half_holds_nobody_up, 0, 3);
    tcase_add_test(tc, halves_that_are_missing);
    tcase_add_loop_test(tc, halves_that_fail, 0, sizeof misfits / sizeof misfits[0]);
    tcase_add_loop_test(tc, a_lone_first_half_waits, 0, 3);
    suite_add_tcase(suite, tc);
    return suite;
}
