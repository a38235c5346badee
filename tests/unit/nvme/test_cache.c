/* SPDX-License-Identifier: BSD-2-Clause
 * Turning the volatile write cache off and on, and what Identify VWC says of Flush (NVMe 1.4
 * sections 5.15.2.2, 5.21.1.6, 6.8). */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.shutdown_delay = 3 * RIG_MS;
    params.media.kind = MEDIA_FIXED;
    params.media.write_latency = 200 * RIG_US;
    params.media.flush_latency = 700 * RIG_US;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
}

static uint64_t flushes(void)
{
    struct media_stats stats;

    media_get_stats(rig.media, &stats);
    return stats.flushes;
}

static uint16_t flush(uint32_t nsid)
{
    return rig_do(&rig, 1, &(struct rig_cmd){.opcode = 0, .cid = 5, .nsid = nsid}, NULL);
}

/* Set Features, Volatile Write Cache: rung and not waited for. */
static void start_set_cache(uint16_t cid, uint32_t on)
{
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 9, .cid = cid, .cdw10 = 6, .cdw11 = on});
    rig_ring(&rig, 0);
}

/* What FUA reads is on the medium for good before it is looked at: Read, Verify and Compare (6.6,
 * 6.9, 6.14). */
START_TEST(reading_with_fua_flushes_first)
{
    const uint8_t opcodes[] = {2, 5, 12};
    struct rig_cmd cmd = {.opcode = opcodes[_i], .cid = 3, .nsid = 1, .prp1 = RIG_DATA};

    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0);
    ck_assert_uint_eq(flushes(), 0);
    cmd.cdw12 = 1u << 30;
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0);
    ck_assert_uint_eq(flushes(), 1);
}
END_TEST

START_TEST(turning_it_off_flushes_first)
{
    struct rig_cqe cqe;
    uint64_t start_ps;

    /* given a write in the cache */
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(flushes(), 0);
    /* when the cache is turned off, then the command ends behind a flush of 700 us */
    start_set_cache(1, 0);
    rig_for(&rig, 700 * RIG_US - 1);
    ck_assert(!rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(flushes(), 1);
    rig_for(&rig, 1);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.status, 0);
    rig_ring_cq(&rig, 0);
    /* and a Flush, turning it off again, or a shutdown find nothing left to flush */
    ck_assert_uint_eq(flush(1), 0);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 0, NULL), 0);
    start_ps = rig_now(&rig);
    rig_write32(&rig, 0x14, 0x00464001);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0x9);
    ck_assert_uint_eq(rig_now(&rig) - start_ps, 3 * RIG_MS);
    ck_assert_uint_eq(flushes(), 1);
}
END_TEST

START_TEST(on_and_off_again_flushes_again)
{
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 1, NULL), 0);
    ck_assert_uint_eq(flushes(), 1);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 0, NULL), 0);
    ck_assert_uint_eq(flushes(), 2);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 2, NULL), 0x002); /* refused: nothing changes */
    ck_assert_uint_eq(flushes(), 2);
}
END_TEST

START_TEST(a_flush_meanwhile_is_a_flush)
{
    struct rig_cqe cqe;

    /* given a cache that is being turned off */
    open_rig();
    start_set_cache(1, 0);
    rig_for(&rig, 100 * RIG_US);
    /* when the host sends a Flush, then it takes its 700 us, since the data is not safe yet */
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 0, .cid = 2, .nsid = 1});
    rig_ring(&rig, 1);
    rig_for(&rig, 700 * RIG_US - 1);
    ck_assert(!rig_take(&rig, 1, &cqe));
    rig_for(&rig, 1);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(flushes(), 2);
}
END_TEST

/* Off, on, off: the first drain's end says nothing of a write between the two. */
START_TEST(the_last_drain_counts)
{
    open_rig();
    start_set_cache(1, 0);
    rig_for(&rig, 100 * RIG_US);
    start_set_cache(2, 1);
    start_set_cache(3, 0);
    rig_for(&rig, 650 * RIG_US); /* the first has ended, the second has not */
    ck_assert_uint_eq(flushes(), 2);
    ck_assert_uint_eq(flush(1), 0);
    ck_assert_uint_eq(flushes(), 3);
    ck_assert_uint_eq(flush(1), 0); /* by now everything has ended */
    ck_assert_uint_eq(flushes(), 3);
}
END_TEST

START_TEST(a_write_on_its_way_is_flushed_by_itself)
{
    /* given a write whose data arrives 500 us from now */
    params.ctrl.dma_setup.amount = 500 * RIG_US;
    open_rig();
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 1, .cid = 1, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    /* when the cache is turned off before that */
    start_set_cache(1, 0);
    rig_for(&rig, 100 * RIG_US);
    ck_assert_uint_eq(flushes(), 1);
    /* then the write, which that flush could not cover, has one of its own */
    rig_settle(&rig);
    ck_assert_uint_eq(flushes(), 2);
}
END_TEST

START_TEST(an_abort_leaves_the_cache_suspect)
{
    struct rig_cqe cqe;
    uint32_t dw0;

    open_rig();
    start_set_cache(1, 0);
    rig_for(&rig, 100 * RIG_US);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 8, .cid = 2, .cdw10 = 1u << 16});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.status, 0x007);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.dw0, 0);
    rig_ring_cq(&rig, 0);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 6, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0);
    ck_assert_uint_eq(flush(1), 0);
    ck_assert_uint_eq(flushes(), 2); /* not skipped */
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 0, NULL), 0);
    ck_assert_uint_eq(flushes(), 3);
    ck_assert_uint_eq(flush(1), 0);
    ck_assert_uint_eq(flushes(), 3);
}
END_TEST

/* version (0: 1.3), cache, VWC, status of a Flush of all namespaces */
static const struct {
    uint64_t version, vwc;
    uint8_t said;
    uint16_t status;
} versions[] = {{0, 1, 0x01, 0x00b}, {0, 0, 0x00, 0x00b}, {1, 1, 0x07, 0}, {1, 0, 0x06, 0}};

START_TEST(broadcast_flush_is_new_in_1_4)
{
    params.ctrl.version = versions[_i].version;
    params.ctrl.vwc = versions[_i].vwc;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 525), versions[_i].said);
    ck_assert_uint_eq(flush(0xffffffff), versions[_i].status);
    ck_assert_uint_eq(flush(1), 0);
}
END_TEST

/* A reset brings back what was saved, and does not flush: what is in the cache is still there. */
START_TEST(a_reset_that_turns_it_off_leaves_it_suspect)
{
    params.ctrl.save_features = 1;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 0x80000000u | 6, 0, NULL), 0); /* off, and saved */
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 1, NULL), 0);               /* on for now */
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(flushes(), 1);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(flush(1), 0);
    ck_assert_uint_eq(flushes(), 2);
}
END_TEST

START_TEST(an_empty_cache_that_stays_off_needs_no_flush)
{
    params.ctrl.save_features = 1;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 0x80000000u | 6, 0, NULL), 0); /* off, and saved */
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(flush(1), 0);
    ck_assert_uint_eq(flushes(), 1);
}
END_TEST

Suite *suite_cache(void)
{
    Suite *suite = suite_create("nvme write cache");
    TCase *tc = tcase_create("cache");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, reading_with_fua_flushes_first, 0, 3);
    tcase_add_test(tc, turning_it_off_flushes_first);
    tcase_add_test(tc, on_and_off_again_flushes_again);
    tcase_add_test(tc, a_flush_meanwhile_is_a_flush);
    tcase_add_test(tc, the_last_drain_counts);
    tcase_add_test(tc, a_write_on_its_way_is_flushed_by_itself);
    tcase_add_test(tc, an_abort_leaves_the_cache_suspect);
    tcase_add_loop_test(tc, broadcast_flush_is_new_in_1_4, 0, sizeof versions / sizeof versions[0]);
    tcase_add_test(tc, a_reset_that_turns_it_off_leaves_it_suspect);
    tcase_add_test(tc, an_empty_cache_that_stays_off_needs_no_flush);
    suite_add_tcase(suite, tc);
    return suite;
}
