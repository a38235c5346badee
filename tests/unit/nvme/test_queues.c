/* SPDX-License-Identifier: BSD-2-Clause
 * Rings: wrap, phase, SQHD, full completion queues, arbitration, doorbell stride (NVMe 1.4
 * sections 4.1, 4.6, 4.13, 8.6). */
#include <string.h>

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
}

static void put_read(unsigned queue, uint16_t cid)
{
    rig_put(&rig, queue, &(struct rig_cmd){.opcode = 2, .cid = cid, .nsid = 1, .prp1 = RIG_DATA});
}

/* Queue sizes: the smallest, one that is no power of two, and a larger one. */
static const uint16_t sizes[] = {2, 3, 5, 16, 33};

START_TEST(phase_and_sq_head_over_many_laps)
{
    uint16_t size = sizes[_i];
    uint16_t cid = 0;
    struct rig_cqe cqe;

    open_rig();
    rig_create_queue(&rig, 1, size, 0);
    for (unsigned round = 0; round < 40; round++) {
        unsigned count = 1 + round % (size - 1u);

        for (unsigned i = 0; i < count; i++)
            put_read(1, (uint16_t)(cid + i));
        rig_ring(&rig, 1);
        rig_settle(&rig);
        for (unsigned i = 0; i < count; i++) {
            ck_assert(rig_take(&rig, 1, &cqe)); /* finds it by its phase tag alone */
            ck_assert_uint_eq(cqe.cid, cid++);
            ck_assert_uint_eq(cqe.status, 0);
        }
        ck_assert(!rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.sqhd, rig.queue[1].tail);
        rig_ring_cq(&rig, 1);
    }
    ck_assert_uint_eq(rig_stats(&rig).commands, cid);
    ck_assert_uint_eq(rig_stats(&rig).same_value_doorbells, 0);
}
END_TEST

START_TEST(full_completion_queue_stalls_and_resumes)
{
    struct rig_cqe cqe;
    struct ctrl_stats stats;
    uint64_t full_since_ps;

    /* SQ of 16, CQ of 4: three entries fit */
    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    struct rig_cmd cq = {.opcode = 5, .prp1 = RIG_IO_CQ, .cdw10 = 3u << 16 | 1, .cdw11 = 3};
    struct rig_cmd sq = {
        .opcode = 1, .prp1 = RIG_IO_SQ, .cdw10 = 15u << 16 | 1, .cdw11 = 1u << 16 | 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    rig.queue[1] = (struct rig_queue){.sq = RIG_IO_SQ,
                                      .cq = RIG_IO_CQ,
                                      .sq_size = 16,
                                      .cq_size = 4,
                                      .qid = 1,
                                      .cqid = 1,
                                      .phase = true};
    for (uint16_t i = 0; i < 10; i++)
        put_read(1, i);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    full_since_ps = rig_now(&rig);
    for (uint16_t i = 0; i < 3; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
    }
    ck_assert(!rig_take(&rig, 1, &cqe));
    rig_for(&rig, 5 * RIG_US);
    /* admin commands are not held up */
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 7, 0, NULL), 0);
    rig_ring_cq(&rig, 1);
    rig_settle(&rig);
    stats = rig_stats(&rig);
    ck_assert_uint_eq(stats.cq_full_stalls, 3);
    ck_assert_uint_eq(stats.cq_full_ps, 3 * (rig_now(&rig) - full_since_ps));
    for (uint16_t i = 3; i < 10; i++) {
        if (!rig_take(&rig, 1, &cqe)) {
            rig_ring_cq(&rig, 1);
            rig_settle(&rig);
            ck_assert(rig_take(&rig, 1, &cqe));
        }
        ck_assert_uint_eq(cqe.cid, i); /* in order, none lost */
    }
    ck_assert_uint_eq(rig_stats(&rig).cq_full_stalls, 7);
}
END_TEST

START_TEST(few_contexts_only_slow_down)
{
    struct rig_cqe cqe;

    params.ctrl.contexts = 1;
    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    rig_create_queue(&rig, 2, 16, 0);
    for (uint16_t i = 0; i < 15; i++) {
        put_read(1, i);
        put_read(2, i);
    }
    rig_ring(&rig, 1);
    rig_ring(&rig, 2);
    rig_settle(&rig);
    for (unsigned q = 1; q <= 2; q++) {
        for (uint16_t i = 0; i < 15; i++) {
            ck_assert(rig_take(&rig, q, &cqe));
            ck_assert_uint_eq(cqe.cid, i);
        }
    }
    ck_assert_uint_eq(rig_stats(&rig).fetch_bursts, 30 + rig_stats(&rig).admin_commands);
}
END_TEST

/* Records which queues commands are fetched from. */
static unsigned fetched_from[64], fetched;

static void on_command(void *ctx, const struct stream_record *record)
{
    (void)ctx;
    if (record->b >> 16 != 0 && fetched < 64)
        fetched_from[fetched++] = (unsigned)(record->b >> 16);
}

/* arbitration burst as a power of two, and who is served */
static const struct {
    uint32_t burst_log2;
    unsigned order[12];
} turns[] = {
    {0, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}},
    {1, {1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2}},
    {7, {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2}},
};

START_TEST(round_robin_with_arbitration_burst) /* 4.13.1 */
{
    struct stream_reader reader = {.read = on_command, .kinds = UINT64_C(1) << RECORD_COMMAND};

    params.ctrl.fetch_setup.amount = 10 * RIG_NS;
    params.ctrl.doorbell_latency.amount = 10 * RIG_NS;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 1, turns[_i].burst_log2, NULL), 0);
    rig_create_queue(&rig, 1, 16, 0);
    rig_create_queue(&rig, 2, 16, 0);
    fetched = 0;
    stream_add(engine_stream(rig.engine), &reader);
    for (uint16_t i = 0; i < 6; i++) {
        put_read(1, i);
        put_read(2, i);
    }
    /* an admin command keeps the fetch unit busy until both queues stand in the line */
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_ring(&rig, 1);
    rig_ring(&rig, 2);
    rig_settle(&rig);
    stream_remove(engine_stream(rig.engine), &reader);
    ck_assert_uint_eq(fetched, 12);
    for (unsigned i = 0; i < 12; i++)
        ck_assert_uint_eq(fetched_from[i], turns[_i].order[i]);
}
END_TEST

START_TEST(bursts_do_not_cross_the_end_of_the_ring)
{
    uint64_t bursts;
    struct rig_cqe cqe;

    open_rig();
    rig_create_queue(&rig, 1, 8, 0);
    for (uint16_t i = 0; i < 6; i++)
        ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0);
    bursts = rig_stats(&rig).fetch_bursts;
    for (uint16_t i = 0; i < 7; i++) /* slots 6, 7 | 0, 1, 2, 3 | 4 */
        put_read(1, i);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).fetch_bursts - bursts, 3);
    for (uint16_t i = 0; i < 7; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
    }
}
END_TEST

START_TEST(fetch_burst_sets_entries_per_read)
{
    uint64_t bursts;

    params.ctrl.fetch_burst = 1 + (unsigned)_i;
    params.ctrl.arbitration_burst = 7;
    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    bursts = rig_stats(&rig).fetch_bursts;
    for (uint16_t i = 0; i < 12; i++)
        put_read(1, i);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).fetch_bursts - bursts, (12 + _i) / (1 + _i));
}
END_TEST

START_TEST(doorbell_stride)
{
    params.ctrl.cap_dstrd = (unsigned)_i;
    open_rig();
    rig_create_queue(&rig, 2, 8, 0);
    rig.queue[1] = rig.queue[2];
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0);
    if (_i > 0) { /* between two doorbells there is nothing */
        uint64_t doorbells = rig_stats(&rig).sq_doorbells;

        rig_write32(&rig, 0x1004, 1);
        rig_settle(&rig);
        ck_assert_uint_eq(rig_stats(&rig).sq_doorbells, doorbells);
    }
}
END_TEST

START_TEST(two_queues_share_a_completion_queue)
{
    struct rig_cqe cqe;
    unsigned seen[3] = {0};

    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    struct rig_cmd sq = {
        .opcode = 1, .prp1 = RIG_IO_SQ + 0x8000, .cdw10 = 7u << 16 | 2, .cdw11 = 1u << 16 | 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    rig.queue[2] = (struct rig_queue){.sq = sq.prp1, .sq_size = 8, .qid = 2, .cqid = 1};
    for (uint16_t i = 0; i < 5; i++) {
        put_read(1, i);
        put_read(2, i);
    }
    rig_ring(&rig, 1);
    rig_ring(&rig, 2);
    rig_settle(&rig);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, seen[cqe.sqid]++);
    }
    ck_assert_uint_eq(seen[1], 5);
    ck_assert_uint_eq(seen[2], 5);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0x10c); /* the second still uses it */
}
END_TEST

START_TEST(largest_queue)
{
    params.ctrl.cap_mqes = 65535;
    open_rig();
    struct rig_cmd cq = {.opcode = 5, .prp1 = RIG_DATA, .cdw10 = 0xffff0001, .cdw11 = 3};
    struct rig_cmd sq = {
        .opcode = 1, .prp1 = RIG_DATA + 0x100000, .cdw10 = 0xffff0001, .cdw11 = 1u << 16 | 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    /* all 65535 entries at once: flushes, zeroed otherwise */
    for (uint32_t i = 0; i < 65535; i++)
        rig_put64(&rig, sq.prp1 + i * 64u, UINT64_C(1) << 32 | (uint64_t)(i & 0xffff) << 16);
    rig_write32(&rig, 0x1008, 65535);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).flushes, 65535);
    ck_assert_uint_eq(*rig_at(&rig, cq.prp1 + 65534 * 16u + 14) & 1, 1);
    ck_assert_uint_eq(*rig_at(&rig, cq.prp1 + 65535 * 16u + 14) & 1, 0);
}
END_TEST

Suite *suite_queues(void)
{
    Suite *suite = suite_create("nvme queues");
    TCase *tc = tcase_create("queues");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, phase_and_sq_head_over_many_laps, 0, sizeof sizes / sizeof sizes[0]);
    tcase_add_test(tc, full_completion_queue_stalls_and_resumes);
    tcase_add_test(tc, few_contexts_only_slow_down);
    tcase_add_loop_test(tc, round_robin_with_arbitration_burst, 0, sizeof turns / sizeof turns[0]);
    tcase_add_test(tc, bursts_do_not_cross_the_end_of_the_ring);
    tcase_add_loop_test(tc, fetch_burst_sets_entries_per_read, 0, 5);
    tcase_add_loop_test(tc, doorbell_stride, 0, 16);
    tcase_add_test(tc, two_queues_share_a_completion_queue);
    tcase_add_test(tc, largest_queue);
    suite_add_tcase(suite, tc);
    return suite;
}
