/* SPDX-License-Identifier: BSD-2-Clause
 * Firmware Image Download, Firmware Commit and the Firmware Slot log (NVMe 1.4 sections 5.12, 5.11,
 * 5.14.1.3 and 8.1). */
#include <string.h>

#include "unit/nvme/rig_admin.h"

#define PIECE 4096u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.firmware_slots = 3;
    params.ctrl.firmware_granularity = PIECE;
    params.ctrl.firmware_activation = 500 * RIG_MS;
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

static uint16_t send(uint32_t offset, uint32_t bytes)
{
    return rig_admin(&rig, 0x11, 0, bytes / 4 - 1, offset / 4, NULL);
}

/* An image of two pieces; needs: what activation needs. */
static void download(const char *revision, uint8_t needs)
{
    uint32_t sum = 0;

    memset(rig_at(&rig, RIG_DATA), 0, 2 * PIECE);
    memcpy(rig_at(&rig, RIG_DATA), "DOORBELL", 8);
    memcpy(rig_at(&rig, RIG_DATA + 8), revision, 8);
    rig_put_field(&rig, 16, 4, 2 * PIECE - 4);
    rig_put_field(&rig, 24, 1, needs);
    rig_put_field(&rig, 5000, 4, 0x12345678);
    for (uint32_t i = 0; i < 2 * PIECE - 4; i += 4)
        sum += (uint32_t)rig_field(&rig, i, 4);
    rig_put_field(&rig, 20, 4, (uint32_t)(0 - sum));
    ck_assert_uint_eq(send(0, 2 * PIECE), 0);
}

static uint16_t commit(uint32_t slot, uint32_t action)
{
    return rig_admin(&rig, 0x10, 0, action << 3 | slot, 0, NULL);
}

static void expect(uint8_t slots, const char *active)
{
    ck_assert_uint_eq(rig_log(&rig, 3, 0, 512, true), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 1), slots);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 64), active, 8);
}

START_TEST(what_identify_says) /* OACS bit 2, FRMW, FWUG, MTFA, OAES bit 9 (5.15.2.2) */
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 256, 2) & 4, 4);
    ck_assert_uint_eq(rig_field(&rig, 260, 1), 0x17); /* three slots, the first is read-only */
    ck_assert_uint_eq(rig_field(&rig, 319, 1), 1);
    ck_assert_uint_eq(rig_field(&rig, 270, 2), 5);
    ck_assert_uint_eq(rig_field(&rig, 92, 4) & 0x200, 0x200);
}
END_TEST

START_TEST(store_then_pend_then_reset) /* commit actions 000b and 010b */
{
    expect(0x01, "FW      ");
    download("TWO     ", 0);
    ck_assert_uint_eq(commit(2, 0), 0);
    expect(0x01, "FW      ");
    ck_assert_uint_eq(rig_log(&rig, 3, 0, 512, true), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 8), "FW      TWO     \0\0\0\0\0\0\0\0", 24);
    ck_assert_uint_eq(commit(2, 2), 0);
    expect(0x21, "FW      ");
    rig_reset(&rig);
    expect(0x02, "TWO     ");
    ck_assert_uint_eq(commit(1, 2), 0); /* and back to what it came with */
    ctrl_power_cycle(rig.ctrl);
    rig_enable(&rig);
    expect(0x01, "FW      ");
}
END_TEST

START_TEST(the_controller_chooses_a_slot) /* 001b with slot 0 */
{
    download("AUTO    ", 0);
    ck_assert_uint_eq(commit(0, 1), 0);
    rig_reset(&rig);
    expect(0x02, "AUTO    ");
    download("NEXT    ", 0);
    ck_assert_uint_eq(commit(0, 1), 0);
    rig_reset(&rig);
    expect(0x03, "NEXT    ");
}
END_TEST

START_TEST(activation_without_a_reset_takes_its_time) /* 011b */
{
    struct rig_cqe cqe;
    uint64_t start_ps;

    ck_assert_uint_eq(rig_set(&rig, 0, 11, 0x200), 0);
    rig_ask(&rig, 1);
    download("NOW     ", 0);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x10, .cid = 2, .cdw10 = 3u << 3 | 2});
    start_ps = rig_now(&rig);
    rig_ring(&rig, 0);
    rig_expect_event(&rig, 1, 0x00030102); /* activation starting; log page 03h */
    while (!rig_take(&rig, 0, &cqe))
        ck_assert(engine_step(rig.engine));
    rig_ring_cq(&rig, 0);
    ck_assert_uint_eq(cqe.cid, 2);
    ck_assert_uint_eq(cqe.status, 0);
    ck_assert_uint_ge(rig_now(&rig) - start_ps, 500 * RIG_MS);
    ck_assert_uint_lt(rig_now(&rig) - start_ps, 501 * RIG_MS);
    expect(0x02, "NOW     ");
    ck_assert_uint_eq(commit(1, 3), 0); /* an old image, nothing downloaded */
    expect(0x01, "FW      ");
}
END_TEST

/* What an image needs; status of 001b and of 011b; the reset that activates it. */
static const struct {
    uint8_t needs;
    uint16_t pend, activate;
} needs[] = {{1, 0, 0x111}, {2, 0x10b, 0x10b}, {3, 0x110, 0x110}};

START_TEST(images_that_need_a_certain_reset) /* 5.11.1 */
{
    for (uint32_t action = 1; action <= 3; action += 2) {
        download("NEEDS   ", needs[_i].needs);
        ck_assert_uint_eq(commit(2, action), action == 1 ? needs[_i].pend : needs[_i].activate);
        expect(0x21, "FW      ");
        rig_reset(&rig);
        if (needs[_i].needs > 1) {
            expect(0x21, "FW      ");
            ctrl_conventional_reset(rig.ctrl);
            rig_enable(&rig);
        }
        if (needs[_i].needs > 2) {
            expect(0x21, "FW      ");
            ctrl_power_cycle(rig.ctrl);
            rig_enable(&rig);
        }
        expect(0x02, "NEEDS   ");
        ck_assert_uint_eq(commit(1, 2), 0);
        rig_reset(&rig);
    }
}
END_TEST

START_TEST(pieces_and_their_places) /* 5.12.1 */
{
    memset(rig_at(&rig, RIG_DATA), 0, 2 * PIECE);
    ck_assert_uint_eq(send(0, PIECE - 4), 0x002); /* FWUG */
    ck_assert_uint_eq(send(4, PIECE), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 0x11, 0, 0xffffffff, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 0x11, 0, 1023, 0xfffffc00, NULL), 0x002);
    ck_assert_uint_eq(send(256 * 1024, PIECE), 0x002); /* larger than images can be */
    ck_assert_uint_eq(send(256 * 1024 - PIECE, PIECE), 0);
    ck_assert_uint_eq(send(PIECE, PIECE), 0);
    ck_assert_uint_eq(send(0, 2 * PIECE), 0x114); /* overlaps */
    ck_assert_uint_eq(commit(2, 0), 0x107);       /* with holes in it */
    ck_assert_uint_eq(send(PIECE, PIECE), 0);     /* a new image */
}
END_TEST

START_TEST(wrong_images)
{
    ck_assert_uint_eq(commit(2, 0), 0x107); /* nothing was downloaded */
    ck_assert_uint_eq(commit(2, 2), 0x107); /* and the slot is empty */
    ck_assert_uint_eq(commit(2, 3), 0x107);
    download("WRONG   ", 4);
    ck_assert_uint_eq(commit(2, 0), 0x107);
    download("BELL\007   ", 0);
    ck_assert_uint_eq(commit(2, 0), 0x107);
    download("GOOD    ", 0);
    ck_assert_uint_eq(send(3 * PIECE, PIECE), 0); /* what lies behind its length does not count */
    ck_assert_uint_eq(commit(2, 0), 0);
    download("SUM     ", 0);
    rig_reset(&rig); /* a reset forgets it (8.1) */
    ck_assert_uint_eq(commit(2, 0), 0x107);
    rig_put_field(&rig, 100, 1, 1);
    ck_assert_uint_eq(send(0, 2 * PIECE), 0);
    ck_assert_uint_eq(commit(2, 0), 0x107); /* one bit is wrong */
}
END_TEST

START_TEST(wrong_slots_and_actions)
{
    download("SLOTS   ", 0);
    ck_assert_uint_eq(commit(1, 0), 0x106); /* read-only */
    ck_assert_uint_eq(commit(4, 0), 0x106);
    ck_assert_uint_eq(commit(7, 1), 0x106);
    ck_assert_uint_eq(commit(0, 2), 0x106);
    for (uint32_t action = 4; action < 8; action++)
        ck_assert_uint_eq(commit(2, action), 0x002);
    ck_assert_uint_eq(commit(2, 0), 0); /* it is still there */
}
END_TEST

/* Identify tells what runs, not what has come to lie in its slot since (5.11, 5.15.2.2 FR). */
START_TEST(an_image_over_the_active_one_does_not_run_yet)
{
    download("OLD     ", 0);
    ck_assert_uint_eq(commit(2, 3), 0);
    download("NEW     ", 0);
    ck_assert_uint_eq(commit(2, 0), 0);
    expect(0x02, "OLD     ");
    ck_assert_uint_eq(rig_log(&rig, 3, 0, 512, true), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 16), "NEW     ", 8);
    rig_reset(&rig); /* nothing is pending */
    expect(0x02, "OLD     ");
    ctrl_power_cycle(rig.ctrl); /* but the old one is nowhere any more */
    rig_enable(&rig);
    expect(0x02, "NEW     ");
}
END_TEST

/* 8.1: one update at a time. The first one is not disturbed. */
START_TEST(a_commit_during_an_activation_is_out_of_sequence)
{
    static const uint32_t second[] = {3u << 3 | 1, 2u << 3 | 1, 3u << 3 | 2, 0u << 3 | 3};
    struct rig_cqe cqe;

    download("ONE     ", 0);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x10, .cid = 1, .cdw10 = 3u << 3 | 2});
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x10, .cid = 2, .cdw10 = second[_i]});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, 2);
    ck_assert_uint_eq(cqe.status, 0x00c);
    ck_assert(!cqe.dnr);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, 1);
    ck_assert_uint_eq(cqe.status, 0);
    rig_ring_cq(&rig, 0);
    expect(0x02, "ONE     ");
    ck_assert_uint_eq(commit(1, 3), 0); /* it is over */
    expect(0x01, "FW      ");
}
END_TEST

/* ctrl.firmware_activation: under way at t - 1, complete at t. */
START_TEST(activation_takes_its_time)
{
    struct rig_cqe cqe;

    download("ONE     ", 0);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x10, .cid = 1, .cdw10 = 3u << 3 | 2});
    rig_ring(&rig, 0);
    rig_for(&rig, 500 * RIG_MS - 1);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_for(&rig, 1);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.status, 0);
}
END_TEST

START_TEST(a_reset_ends_an_activation)
{
    download("ONE     ", 0);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x10, .cid = 1, .cdw10 = 3u << 3 | 2});
    rig_ring(&rig, 0);
    rig_for(&rig, 100 * RIG_MS);
    rig_reset(&rig);
    expect(0x02, "ONE     ");
    ck_assert_uint_eq(commit(1, 3), 0);
    rig_settle(&rig);
    expect(0x01, "FW      ");
}
END_TEST

START_TEST(with_one_slot_there_is_no_download)
{
    rig_close(&rig);
    params.ctrl.firmware_slots = 1;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(send(0, PIECE), 0x001);
    ck_assert_uint_eq(commit(1, 2), 0x001);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 256, 2) & 4, 0);
    ck_assert_uint_eq(rig_field(&rig, 260, 1), 0x03);
    ck_assert_uint_eq(rig_field(&rig, 92, 4), 0);
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 0x200), 0x002);
}
END_TEST

Suite *suite_firmware(void)
{
    Suite *suite = suite_create("nvme firmware");
    TCase *tc = tcase_create("firmware");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_identify_says);
    tcase_add_test(tc, store_then_pend_then_reset);
    tcase_add_test(tc, the_controller_chooses_a_slot);
    tcase_add_test(tc, activation_without_a_reset_takes_its_time);
    tcase_add_loop_test(tc, images_that_need_a_certain_reset, 0, sizeof needs / sizeof needs[0]);
    tcase_add_test(tc, pieces_and_their_places);
    tcase_add_test(tc, wrong_images);
    tcase_add_test(tc, wrong_slots_and_actions);
    tcase_add_test(tc, an_image_over_the_active_one_does_not_run_yet);
    tcase_add_loop_test(tc, a_commit_during_an_activation_is_out_of_sequence, 0, 4);
    tcase_add_test(tc, activation_takes_its_time);
    tcase_add_test(tc, a_reset_ends_an_activation);
    tcase_add_test(tc, with_one_slot_there_is_no_download);
    suite_add_tcase(suite, tc);
    return suite;
}
