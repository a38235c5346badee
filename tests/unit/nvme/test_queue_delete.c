/* SPDX-License-Identifier: BSD-2-Clause
 * Deleting queues that are not empty (NVMe 1.4 sections 5.5, 5.6, 7.4.3): commands in flight
 * complete or are aborted, completions without room do not hold the Delete command up. */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;
static struct rig_cqe cqe;

static void setup(void)
{
    rig_defaults(&params);
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 100 * RIG_US;
    params.ctrl.contexts = 6;
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

/* SQ `qid` of 16 entries on CQ 1, which has cq_size. */
static void create_on_one(unsigned qid, uint16_t cq_size)
{
    struct rig_cmd cq = {
        .opcode = 5, .prp1 = RIG_IO_CQ, .cdw10 = (cq_size - 1u) << 16 | 1, .cdw11 = 3};
    struct rig_cmd sq = {.opcode = 1,
                         .prp1 = RIG_IO_SQ + qid * RIG_STEP,
                         .cdw10 = 15u << 16 | qid,
                         .cdw11 = 1u << 16 | 1};

    if (qid == 1)
        ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    rig.queue[qid] = (struct rig_queue){.sq = sq.prp1,
                                        .cq = RIG_IO_CQ,
                                        .sq_size = 16,
                                        .cq_size = cq_size,
                                        .qid = (uint16_t)qid,
                                        .cqid = 1,
                                        .phase = true};
}

static void read_some(unsigned queue, unsigned count, uint16_t cid)
{
    for (unsigned i = 0; i < count; i++)
        rig_put(&rig, queue,
                &(struct rig_cmd){
                    .opcode = 2, .cid = (uint16_t)(cid + i), .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, queue);
}

static void ask_delete_sq(unsigned qid)
{
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0, .cid = 40, .cdw10 = qid});
    rig_ring(&rig, 0);
}

static void expect_deleted(void)
{
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, 40);
    ck_assert_uint_eq(cqe.status, 0);
}

/* 5.6: Command Aborted due to SQ Deletion; what the medium does goes on without effect. */
START_TEST(commands_in_flight_can_be_aborted)
{
    params.ctrl.delete_sq = 1;
    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    read_some(1, 9, 0); /* six are fetched */
    rig_for(&rig, 10 * RIG_US);
    ask_delete_sq(1);
    rig_for(&rig, 1);
    expect_deleted();
    for (unsigned i = 0; i < 6; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.status, 0x008);
        ck_assert(!cqe.dnr);
    }
    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0);
}
END_TEST

/* A data transfer is not stopped: that command completes, and Delete waits for it. */
START_TEST(what_cannot_be_aborted_completes)
{
    params.ctrl.delete_sq = 1;
    params.media.read_latency = RIG_US;
    params.ctrl.dma_setup.amount = 20 * RIG_US;
    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    read_some(1, 1, 7);
    rig_for(&rig, 5 * RIG_US);
    ask_delete_sq(1);
    rig_for(&rig, 10 * RIG_US);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.status, 0);
    expect_deleted();
}
END_TEST

/* A host that empties its CQ no more gets its Delete command done all the same; nothing is written
 * for the queue after that. With both ways to delete. */
START_TEST(a_full_completion_queue_does_not_hold_it_up)
{
    params.ctrl.delete_sq = (unsigned)_i;
    params.media.read_latency = RIG_US;
    open_rig();
    create_on_one(1, 2); /* one entry fits */
    read_some(1, 9, 0);
    rig_settle(&rig);
    ask_delete_sq(1);
    rig_settle(&rig);
    expect_deleted();
    ck_assert(rig_take(&rig, 1, &cqe));
    rig_ring_cq(&rig, 1);
    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    /* all contexts are back: six reads at a time */
    rig_create_queue(&rig, 1, 16, 0);
    read_some(1, 6, 0);
    rig_for(&rig, RIG_US + 6 * 512);
    for (unsigned i = 0; i < 6; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* It waits for those on the medium, and for no room once they have ended, too. */
START_TEST(it_ends_when_the_last_one_stalls)
{
    open_rig();
    create_on_one(1, 2);
    read_some(1, 4, 0);
    rig_for(&rig, 99 * RIG_US);
    ask_delete_sq(1);
    rig_for(&rig, RIG_US / 2);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_settle(&rig);
    expect_deleted();
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(!rig_take(&rig, 1, &cqe));
}
END_TEST

/* Entries of another queue that wait in the same CQ keep their places. */
START_TEST(others_in_the_same_completion_queue_stay)
{
    params.media.read_latency = RIG_US;
    open_rig();
    create_on_one(1, 2);
    create_on_one(2, 2);
    read_some(1, 2, 10);
    rig_settle(&rig);
    read_some(2, 1, 20);
    rig_settle(&rig);
    read_some(1, 1, 12);
    rig_settle(&rig);
    read_some(2, 2, 21);
    rig_settle(&rig);
    ask_delete_sq(1 + (unsigned)_i);
    rig_settle(&rig);
    expect_deleted();
    static const uint16_t left[2][5] = {{10, 20, 21, 22, 0}, {10, 11, 12, 0, 0}};
    for (unsigned i = 0; left[_i][i] != 0; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, left[_i][i]);
        rig_ring_cq(&rig, 1);
        rig_settle(&rig);
    }
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0x10c); /* the other still uses it */
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 2 - (unsigned)_i, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
}
END_TEST

/* 5.6 and 5.2.1: a queue that is going takes no doorbell any more, nor do its entries count. */
START_TEST(a_queue_that_is_going_takes_no_doorbell)
{
    uint32_t dw0;

    open_rig();
    rig_create_queue(&rig, 1, 16, 0);
    read_some(1, 1, 1);
    rig_for(&rig, RIG_US);
    ask_delete_sq(1);
    rig_for(&rig, RIG_US);
    read_some(1, 1, 2);
    rig_settle(&rig);
    expect_deleted();
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(rig_admin(&rig, 12, 0, 0, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00010000); /* Invalid Doorbell Register, error log */
}
END_TEST

Suite *suite_queue_delete(void)
{
    Suite *suite = suite_create("nvme queue deletion");
    TCase *tc = tcase_create("delete");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, commands_in_flight_can_be_aborted);
    tcase_add_test(tc, what_cannot_be_aborted_completes);
    tcase_add_loop_test(tc, a_full_completion_queue_does_not_hold_it_up, 0, 2);
    tcase_add_test(tc, it_ends_when_the_last_one_stalls);
    tcase_add_loop_test(tc, others_in_the_same_completion_queue_stay, 0, 2);
    tcase_add_test(tc, a_queue_that_is_going_takes_no_doorbell);
    suite_add_tcase(suite, tc);
    return suite;
}
