/* SPDX-License-Identifier: BSD-2-Clause
 * Shutdown in detail: the time that Identify promises for it, completion queues while it runs, what
 * it waits for, and SHN beside EN (NVMe 1.4 sections 3.1.5, 5.15.2.2, 7.3.2, 7.6.2). */
#include "unit/nvme/rig.h"

#define CC_NORMAL 0x00464001u
#define CC_ABRUPT 0x00468001u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.ready_delay = 5 * RIG_MS;
    params.ctrl.reset_delay = 2 * RIG_MS;
    params.ctrl.shutdown_delay = 3 * RIG_MS;
    params.media.kind = MEDIA_FIXED;
    params.media.units = 4;
    params.media.write_latency = 200 * RIG_US;
    params.media.flush_latency = 700 * RIG_US;
    params.media.hop_latency = 30 * RIG_US;
    params.media.cache_flush_latency = 200 * RIG_US;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(uint16_t queue_size)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, queue_size, 0);
}

static uint32_t csts(void)
{
    return rig_read32(&rig, 0x1c);
}

static uint64_t flushes(void)
{
    struct media_stats stats;

    media_get_stats(rig.media, &stats);
    return stats.flushes;
}

static void start_writes(uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = 1, .cid = i, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
}

/* Runs until the shutdown is complete; returns how long that took. */
static uint64_t until_complete(void)
{
    uint64_t from_ps = rig_now(&rig);

    while ((csts() & 0xc) != 0x8)
        ck_assert(engine_step(rig.engine));
    return rig_now(&rig) - from_ps;
}

/* medium, cache, shutdown delay, RTD3E in us */
static const struct {
    uint64_t kind, vwc, delay_ps;
    uint32_t promised_us;
} promises[] = {
    {MEDIA_FIXED, 1, 3 * RIG_MS, 3700},      {MEDIA_FIXED, 0, 3 * RIG_MS, 3000},
    {MEDIA_FIXED, 1, 3 * RIG_MS + 1, 3701},  {MEDIA_FIXED, 0, 999, 1},
    {MEDIA_PAGE_CACHE, 1, 3 * RIG_MS, 3230}, {MEDIA_NULL, 1, 3 * RIG_MS, 3000},
};

START_TEST(a_shutdown_takes_what_identify_promises)
{
    const uint8_t *page;
    uint64_t took_ps;

    /* given a medium, a cache and a delay */
    params.media.kind = promises[_i].kind;
    params.ctrl.vwc = promises[_i].vwc;
    params.ctrl.shutdown_delay = promises[_i].delay_ps;
    params.ctrl.ready_delay = 5 * RIG_MS + 1;
    open_rig(8);
    /* when the host reads RTD3R and RTD3E, and shuts down */
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    page = rig_at(&rig, RIG_DATA);
    rig_write32(&rig, 0x14, CC_NORMAL);
    took_ps = until_complete();
    /* then both are whole microseconds, rounded up, and the shutdown is not longer */
    ck_assert_uint_eq(page[84] | page[85] << 8, 5001);
    ck_assert_uint_eq(page[88] | page[89] << 8, promises[_i].promised_us);
    ck_assert_uint_eq((took_ps + RIG_US - 1) / RIG_US, promises[_i].promised_us);
}
END_TEST

START_TEST(entries_may_be_consumed_while_a_shutdown_occurs)
{
    struct rig_cqe cqe;

    /* given an entry that nobody has consumed yet */
    open_rig(8);
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 1, .cid = 1, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_MS);
    ck_assert(rig.pin);
    /* when the host shuts down, takes the entry and rings the completion queue */
    rig_write32(&rig, 0x14, CC_ABRUPT);
    ck_assert(rig_take(&rig, 1, &cqe));
    rig_ring_cq(&rig, 1);
    rig_for(&rig, RIG_US);
    /* then the pin falls, though the shutdown still runs */
    ck_assert_uint_eq(csts(), 0x5);
    ck_assert(!rig.pin);
    /* and a doorbell after its end is nobody's mistake: no error is logged */
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0x9);
    rig_ring_cq(&rig, 1);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 15u << 16 | 1, 0, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA), 0);
}
END_TEST

START_TEST(a_stalled_entry_comes_when_there_is_room)
{
    struct rig_cqe cqe;

    /* given a completion queue for one entry, shared by two submission queues with a write each */
    open_rig(2);
    ck_assert_uint_eq(rig_do(&rig, 0,
                             &(struct rig_cmd){.opcode = 1,
                                               .cid = 3,
                                               .prp1 = RIG_IO_SQ + 2 * RIG_STEP,
                                               .cdw10 = 1u << 16 | 2,
                                               .cdw11 = 1u << 16 | 1},
                             NULL),
                      0);
    rig.queue[2] = (struct rig_queue){.sq = RIG_IO_SQ + 2 * RIG_STEP, .sq_size = 2, .qid = 2};
    start_writes(1);
    rig_put(&rig, 2, &(struct rig_cmd){.opcode = 1, .cid = 9, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 2);
    rig_for(&rig, 100 * RIG_US);
    /* when a normal shutdown begins before they end, and the host never consumes */
    rig_write32(&rig, 0x14, CC_NORMAL);
    rig_for(&rig, 200 * RIG_US);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(!rig_take(&rig, 1, &cqe));
    /* then the flush does not wait for the second entry: it is done with the medium */
    ck_assert_uint_eq(flushes(), 1);
    /* and the entry appears when the host makes room */
    rig_ring_cq(&rig, 1);
    rig_for(&rig, 10 * RIG_US);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.cid, 9);
    ck_assert_uint_eq(csts(), 0x5);
    ck_assert_uint_le(until_complete(), 3700 * RIG_US);
}
END_TEST

START_TEST(the_flush_comes_behind_the_last_write)
{
    struct rig_cqe cqe;

    /* given a write that still has 400 us of DMA set-up before it reaches the medium */
    params.ctrl.dma_setup.amount = 500 * RIG_US;
    open_rig(8);
    start_writes(1);
    rig_for(&rig, 100 * RIG_US);
    /* when a normal shutdown begins */
    rig_write32(&rig, 0x14, CC_NORMAL);
    while (!rig_take(&rig, 1, &cqe)) {
        ck_assert_uint_eq(flushes(), 0);
        ck_assert(engine_step(rig.engine));
    }
    /* then the flush begins with the write's completion and covers it */
    ck_assert_uint_eq(cqe.status, 0);
    ck_assert_uint_eq(flushes(), 1);
    ck_assert_uint_eq(until_complete(), 3700 * RIG_US);
    ck_assert_uint_eq(flushes(), 1);
}
END_TEST

START_TEST(a_reset_while_the_flush_waits_forgets_it)
{
    params.ctrl.dma_setup.amount = 500 * RIG_US;
    open_rig(8);
    start_writes(1);
    rig_for(&rig, 100 * RIG_US);
    rig_write32(&rig, 0x14, CC_NORMAL);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0);
    ck_assert_uint_eq(flushes(), 0);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(flushes(), 0);
}
END_TEST

START_TEST(a_reset_clears_cc_so_that_shn_is_noticed_again)
{
    /* given a shutdown, and EN taken away with SHN and everything else left as it was */
    open_rig(8);
    rig_write32(&rig, 0x14, CC_NORMAL);
    rig_settle(&rig);
    rig_write32(&rig, 0x14, CC_NORMAL & ~1u);
    ck_assert_uint_eq(rig_read32(&rig, 0x14), 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x14), 0);
    ck_assert_uint_eq(csts(), 0);
    ck_assert_uint_eq(rig_read64(&rig, 0x28), RIG_ADMIN_SQ);
    /* when the controller is enabled and the same SHN is written */
    rig_enable(&rig);
    ck_assert_uint_eq(csts(), 0x1);
    rig_write32(&rig, 0x14, CC_NORMAL);
    /* then it shuts down */
    ck_assert_uint_eq(csts(), 0x5);
    ck_assert_uint_eq(until_complete(), 3700 * RIG_US);
}
END_TEST

/* EN with SHN from rest, and while a reset still runs. */
START_TEST(shn_beside_en_shuts_down)
{
    struct rig_cqe cqe;

    open_rig(8);
    rig_write32(&rig, 0x14, 0);
    if (_i == 0)
        rig_settle(&rig);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, CC_NORMAL);
    ck_assert_uint_eq(csts(), _i == 0 ? 0x4 : 0x1); /* or RDY of before the reset */
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0x9);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = 1, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    ck_assert_uint_eq(csts(), 0x1);
}
END_TEST

Suite *suite_shutdown(void)
{
    Suite *suite = suite_create("nvme shutdown");
    TCase *tc = tcase_create("shutdown");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_shutdown_takes_what_identify_promises, 0,
                        sizeof promises / sizeof promises[0]);
    tcase_add_test(tc, entries_may_be_consumed_while_a_shutdown_occurs);
    tcase_add_test(tc, a_stalled_entry_comes_when_there_is_room);
    tcase_add_test(tc, the_flush_comes_behind_the_last_write);
    tcase_add_test(tc, a_reset_while_the_flush_waits_forgets_it);
    tcase_add_test(tc, a_reset_clears_cc_so_that_shn_is_noticed_again);
    tcase_add_loop_test(tc, shn_beside_en_shuts_down, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
