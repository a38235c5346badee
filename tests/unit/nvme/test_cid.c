/* SPDX-License-Identifier: BSD-2-Clause
 * Command identifiers that are used twice (NVMe 1.4 sections 4.2, 4.6.1.2.1: Command ID Conflict),
 * with ctrl.cid_check and without. */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;
static struct rig_cqe cqe;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.cid_check = 1;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 10 * RIG_US;
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
    rig_create_queue(&rig, 2, 16, 0);
}

static void put_read(unsigned queue, uint16_t cid)
{
    rig_put(&rig, queue, &(struct rig_cmd){.opcode = 2, .cid = cid, .nsid = 1, .prp1 = RIG_DATA});
}

static void expect(unsigned queue, uint16_t cid, uint16_t status)
{
    ck_assert(rig_take(&rig, queue, &cqe));
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, status);
    ck_assert(!cqe.dnr);
}

/* The lowest, the highest, and both sides of a word of the bitmap. */
static const uint16_t cids[] = {0, 1, 63, 64, 0x7fff, 0x8000, 0xffff};

START_TEST(the_second_use_ends_with_conflict)
{
    open_rig();
    put_read(1, cids[_i]);
    put_read(1, cids[_i]);
    put_read(1, cids[_i] ^ 64);
    put_read(1, cids[_i]);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, cids[_i], 0x003);
    expect(1, cids[_i], 0x003);
    expect(1, cids[_i], 0); /* the first one is none the worse */
    expect(1, cids[_i] ^ 64, 0);
    rig_ring_cq(&rig, 1);
    put_read(1, cids[_i]); /* and its identifier is free again */
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, cids[_i], 0);
    ck_assert_uint_eq(rig_stats(&rig).reads, 3);
}
END_TEST

/* A fused operation whose second half cannot be is over for the first half as well. */
START_TEST(behind_a_first_half)
{
    struct rig_cmd cmd = {.opcode = 5, .flags = 1, .cid = 9, .nsid = 1, .prp1 = RIG_DATA};

    open_rig();
    rig_put(&rig, 1, &cmd);
    cmd.opcode = 1;
    cmd.flags = 2;
    rig_put(&rig, 1, &cmd);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 9, 0x009);
    expect(1, 9, 0x003);
}
END_TEST

START_TEST(another_queue_may_use_it)
{
    open_rig();
    put_read(1, 5);
    put_read(2, 5);
    rig_ring(&rig, 1);
    rig_ring(&rig, 2);
    rig_settle(&rig);
    expect(1, 5, 0);
    expect(2, 5, 0);
}
END_TEST

/* In use until the entry is visible, free from then on. */
START_TEST(free_when_the_entry_is_visible)
{
    params.ctrl.completion.amount = RIG_US;
    open_rig();
    put_read(1, 5);
    rig_ring(&rig, 1);
    rig_for(&rig, 10 * RIG_US + RIG_US - 1);
    put_read(1, 5);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 5, 0);
    expect(1, 5, 0x003);
    put_read(1, 5);
    rig_ring(&rig, 1);
    while (!rig_take(&rig, 1, &cqe))
        ck_assert(engine_step(rig.engine));
    put_read(1, 5);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 5, 0);
}
END_TEST

START_TEST(held_event_requests_are_outstanding)
{
    open_rig();
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 12, .cid = 77});
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 12, .cid = 77});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    expect(0, 77, 0x003);
    ck_assert(!rig_take(&rig, 0, &cqe));
}
END_TEST

START_TEST(deleting_and_resetting_forget_identifiers)
{
    open_rig();
    put_read(1, 5);
    rig_ring(&rig, 1);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    rig_create_queue(&rig, 1, 16, 0);
    put_read(1, 5);
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_US);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    put_read(1, 5);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 5, 0);
}
END_TEST

START_TEST(without_the_check_nobody_minds)
{
    params.ctrl.cid_check = 0;
    open_rig();
    put_read(1, 5);
    put_read(1, 5);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 5, 0);
    expect(1, 5, 0);
}
END_TEST

Suite *suite_cid(void)
{
    Suite *suite = suite_create("nvme command identifiers");
    TCase *tc = tcase_create("cid");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, the_second_use_ends_with_conflict, 0, sizeof cids / sizeof cids[0]);
    tcase_add_test(tc, behind_a_first_half);
    tcase_add_test(tc, another_queue_may_use_it);
    tcase_add_test(tc, free_when_the_entry_is_visible);
    tcase_add_test(tc, held_event_requests_are_outstanding);
    tcase_add_test(tc, deleting_and_resetting_forget_identifiers);
    tcase_add_test(tc, without_the_check_nobody_minds);
    suite_add_tcase(suite, tc);
    return suite;
}
