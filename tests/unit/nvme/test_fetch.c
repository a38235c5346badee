/* SPDX-License-Identifier: BSD-2-Clause
 * Fetch engines, fetch depth, and reads of entries at the ends of pages and rings (NVMe 1.4
 * sections 4.1, 4.3, 5.4, 7.2.1). */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;
static struct stream_reader reader;
static unsigned fetched;

static void on_fetch(void *ctx, const struct stream_record *record)
{
    (void)ctx, (void)record;
    fetched++;
}

static void setup(void)
{
    rig_defaults(&params);
    reader = (struct stream_reader){.read = on_fetch, .kinds = UINT64_C(1) << RECORD_FETCH};
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(unsigned queues)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    for (unsigned q = 1; q <= queues; q++)
        rig_create_queue(&rig, q, 32, 0);
    fetched = 0;
    stream_add(engine_stream(rig.engine), &reader);
}

static void put(unsigned queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        rig_put(&rig, queue, &(struct rig_cmd){.opcode = 0, .cid = (uint16_t)i, .nsid = 1});
}

static unsigned taken(unsigned queue)
{
    struct rig_cqe cqe;
    unsigned count = 0;

    while (rig_take(&rig, queue, &cqe))
        ck_assert_uint_eq(cqe.cid, count++); /* in order, whichever engine read it */
    return count;
}

/* 8 reads of one entry at 100 ns each: n engines issue n of them at a time. */
START_TEST(engines_issue_at_the_same_time)
{
    unsigned engines = 1u << _i;

    params.ctrl.fetch_setup.amount = 100 * RIG_NS;
    params.ctrl.fetch_burst = 1;
    params.ctrl.fetch_engines = engines;
    open_rig(1);
    put(1, 8);
    rig_ring(&rig, 1);
    rig_for(&rig, 8 / engines * 100 * RIG_NS - 1);
    ck_assert_uint_eq(taken(1), 8 - engines);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig_stats(&rig).commands, 8);
}
END_TEST

/* A third engine is of no use to two reads; an engine that is free early is taken first. */
START_TEST(the_engine_that_is_free_first_is_next)
{
    params.ctrl.fetch_setup.amount = 100 * RIG_NS;
    params.ctrl.fetch_burst = 1;
    params.ctrl.fetch_engines = 2;
    open_rig(1);
    put(1, 1);
    rig_ring(&rig, 1); /* engine 0 until 100 */
    rig_for(&rig, 40 * RIG_NS);
    put(1, 1);
    rig_ring(&rig, 1); /* engine 1 until 140 */
    put(1, 2);
    rig_ring(&rig, 1); /* 0 again until 200, 1 again until 240 */
    rig_for(&rig, 60 * RIG_NS - 1);
    ck_assert_uint_eq(rig_stats(&rig).commands, 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig_stats(&rig).commands, 1);
    rig_for(&rig, 40 * RIG_NS);
    ck_assert_uint_eq(rig_stats(&rig).commands, 2);
    rig_for(&rig, 60 * RIG_NS - 1);
    ck_assert_uint_eq(rig_stats(&rig).commands, 2);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig_stats(&rig).commands, 3);
    rig_for(&rig, 40 * RIG_NS);
    ck_assert_uint_eq(rig_stats(&rig).commands, 4);
}
END_TEST

START_TEST(engines_begin_anew_after_a_reset)
{
    params.ctrl.fetch_setup.amount = 5 * RIG_US;
    params.ctrl.fetch_engines = 3;
    open_rig(1);
    put(1, 9);
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_US);
    rig_write32(&rig, 0x14, 0);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0);
}
END_TEST

/* depth, total: entries fetched of two queues with 8 each at once, and after one was decoded */
static const struct {
    uint32_t depth, total;
    unsigned at_once, after_one;
} depths[] = {{0, 0, 16, 16}, {1, 0, 2, 3},    {3, 0, 6, 7}, {8, 0, 16, 16}, {0, 1, 1, 2},
              {0, 5, 5, 6},   {0, 16, 16, 16}, {2, 3, 3, 4}, {4, 100, 8, 9}};

START_TEST(depth_limits_what_is_fetched_ahead)
{
    params.ctrl.decode.amount = 100 * RIG_NS;
    params.ctrl.fetch_depth = depths[_i].depth;
    params.ctrl.fetch_depth_total = depths[_i].total;
    open_rig(2);
    put(1, 8);
    put(2, 8);
    rig_ring(&rig, 1);
    rig_ring(&rig, 2);
    rig_for(&rig, 100 * RIG_NS - 1);
    ck_assert_uint_eq(fetched, depths[_i].at_once);
    rig_for(&rig, 1);
    ck_assert_uint_eq(fetched, depths[_i].after_one);
    rig_settle(&rig);
    ck_assert_uint_eq(fetched, 16);
    ck_assert_uint_eq(taken(1), 8);
    ck_assert_uint_eq(taken(2), 8);
}
END_TEST

START_TEST(depth_begins_anew_after_a_reset_and_with_a_new_queue)
{
    params.ctrl.decode.amount = RIG_US;
    params.ctrl.fetch_depth = 2;
    params.ctrl.fetch_depth_total = 2;
    open_rig(1);
    for (unsigned round = 0; round < 3; round++) {
        put(1, 5);
        rig_ring(&rig, 1);
        rig_for(&rig, RIG_US / 2);
        rig_write32(&rig, 0x14, 0);
        rig_settle(&rig);
        rig_enable(&rig);
        rig_create_queue(&rig, 1, 32, 0);
    }
    put(1, 5);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(taken(1), 5);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    rig_create_queue(&rig, 1, 32, 0);
    put(1, 5);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(taken(1), 5);
}
END_TEST

/* Sizes around the ends of a page of entries (64 in a SQ, 256 in a CQ), contiguous or by a list of
 * pages (4.3, CAP.CQR = 0): every entry is found, on several laps. */
static const uint16_t sizes[] = {2, 3, 63, 64, 65, 127, 128, 129, 255, 256};

static void create(unsigned size, bool contiguous)
{
    struct rig_cmd cq = {.opcode = 5, .cid = 1, .prp1 = RIG_IO_CQ, .cdw10 = (size - 1u) << 16 | 1};
    struct rig_cmd sq = {.opcode = 1, .cid = 2, .prp1 = RIG_IO_SQ, .cdw10 = (size - 1u) << 16 | 1};

    cq.cdw11 = 2 | contiguous;
    sq.cdw11 = 1u << 16 | contiguous;
    for (unsigned i = 0; i < 4; i++) {
        rig_put64(&rig, RIG_LISTS + 8 * i, RIG_IO_CQ + 0x1000 * i);
        rig_put64(&rig, RIG_LISTS + 0x1000 + 8 * i, RIG_IO_SQ + 0x1000 * i);
    }
    if (!contiguous) {
        cq.prp1 = RIG_LISTS;
        sq.prp1 = RIG_LISTS + 0x1000;
    }
    ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    rig.queue[1] = (struct rig_queue){.sq = RIG_IO_SQ,
                                      .cq = RIG_IO_CQ,
                                      .sq_size = (uint16_t)size,
                                      .cq_size = (uint16_t)size,
                                      .qid = 1,
                                      .cqid = 1,
                                      .phase = true};
}

START_TEST(every_size_wraps)
{
    unsigned size = sizes[_i / 2];
    uint16_t cid = 0;
    struct rig_cqe cqe;

    params.ctrl.cap_cqr = 0;
    params.ctrl.fetch_burst = 16;
    params.ctrl.arbitration_burst = 7;
    open_rig(0);
    create(size, _i % 2 != 0);
    for (unsigned done = 0; done < 3 * size;) {
        unsigned count = 1 + done * 7 % (size - 1u);

        for (unsigned i = 0; i < count; i++)
            rig_put(&rig, 1, &(struct rig_cmd){.cid = (uint16_t)(cid + i), .nsid = 1});
        rig_ring(&rig, 1);
        rig_settle(&rig);
        for (unsigned i = 0; i < count; i++) {
            ck_assert(rig_take(&rig, 1, &cqe));
            ck_assert_uint_eq(cqe.cid, cid++);
            ck_assert_uint_eq(cqe.status, 0);
            ck_assert_uint_lt(cqe.sqhd, size);
        }
        ck_assert_uint_eq(cqe.sqhd, rig.queue[1].tail);
        rig_ring_cq(&rig, 1);
        done += count;
    }
}
END_TEST

/* 60 entries done, then 8: one read if the queue is contiguous, two at the end of a page. */
START_TEST(a_read_of_entries_ends_with_the_page_of_a_list)
{
    uint64_t bursts;

    params.ctrl.cap_cqr = 0;
    params.ctrl.fetch_burst = 64;
    params.ctrl.arbitration_burst = 7;
    open_rig(0);
    create(256, _i != 0);
    put(1, 60);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    bursts = rig_stats(&rig).fetch_bursts;
    put(1, 8);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).fetch_bursts - bursts, _i != 0 ? 1 : 2);
    ck_assert_uint_eq(rig_stats(&rig).flushes, 68);
}
END_TEST

Suite *suite_fetch(void)
{
    Suite *suite = suite_create("nvme fetch");
    TCase *tc = tcase_create("fetch");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, engines_issue_at_the_same_time, 0, 4);
    tcase_add_test(tc, the_engine_that_is_free_first_is_next);
    tcase_add_test(tc, engines_begin_anew_after_a_reset);
    tcase_add_loop_test(tc, depth_limits_what_is_fetched_ahead, 0,
                        sizeof depths / sizeof depths[0]);
    tcase_add_test(tc, depth_begins_anew_after_a_reset_and_with_a_new_queue);
    tcase_add_loop_test(tc, every_size_wraps, 0, 2 * sizeof sizes / sizeof sizes[0]);
    tcase_add_loop_test(tc, a_read_of_entries_ends_with_the_page_of_a_list, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
