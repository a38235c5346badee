/* SPDX-License-Identifier: BSD-2-Clause
 * Interrupt Coalescing (NVMe 1.4 section 5.21.1.8) and Interrupt Vector Configuration (5.21.1.9):
 * by count, by time, at t - 1 and t, and where it does not apply. */
#include "unit/nvme/rig.h"

#define READ 2u
#define TICK (100 * RIG_US) /* unit of TIME */

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

/* Queue 1 on vector 1, queue 2 on vector 2; vector v sends v. */
static void open_rig(uint32_t threshold, uint32_t time)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 4);
    rig_create_queue(&rig, 1, 64, 1);
    rig_create_queue(&rig, 2, 64, 2);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 8, time << 8 | threshold, NULL), 0);
    rig_settle(&rig);
}

static void put(unsigned queue)
{
    struct rig_cmd cmd = {.opcode = READ, .cid = 1, .nsid = 1, .prp1 = RIG_DATA};

    rig_put(&rig, queue, &cmd);
    rig_ring(&rig, queue);
    rig_for(&rig, 0);
}

static void consume(unsigned queue, unsigned count)
{
    struct rig_cqe cqe;

    for (unsigned i = 0; i < count; i++)
        ck_assert(rig_take(&rig, queue, &cqe));
    rig_ring_cq(&rig, queue);
}

START_TEST(by_count)
{
    open_rig(3, 255); /* 0's based: four */
    for (unsigned i = 1; i <= 12; i++) {
        put(1);
        ck_assert_uint_eq(rig.messages[1], i / 4);
    }
}
END_TEST

/* The time runs from the first completion that is kept back. */
START_TEST(by_time)
{
    open_rig(99, 3);
    put(1);
    rig_for(&rig, TICK);
    put(1);
    rig_for(&rig, 2 * TICK - 1);
    ck_assert_uint_eq(rig.messages[1], 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig.messages[1], 1);
    put(1);
    rig_for(&rig, 3 * TICK - 1);
    ck_assert_uint_eq(rig.messages[1], 1);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig.messages[1], 2);
}
END_TEST

START_TEST(off_means_at_once)
{
    static const uint32_t off[][2] = {{0, 0}, {0, 5}, {5, 0}};

    open_rig(off[_i][0], off[_i][1]);
    put(1);
    ck_assert_uint_eq(rig.messages[1], 1);
}
END_TEST

START_TEST(not_for_the_admin_queue_nor_where_it_is_disabled)
{
    uint32_t value = 0;

    open_rig(9, 9);
    uint32_t before = rig.messages[0];
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 9, 0x10002, NULL), 0); /* vector 2, CD = 1 */
    ck_assert_uint_eq(rig.messages[0], before + 1);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 9, 2, &value), 0);
    ck_assert_uint_eq(value, 0x10002);
    put(1);
    put(2);
    ck_assert_uint_eq(rig.messages[1], 0);
    ck_assert_uint_eq(rig.messages[2], 1);
}
END_TEST

/* Consumed by polling: no interrupt for what is not there any more, and a new count. */
START_TEST(polled_entries_do_not_count)
{
    open_rig(1, 2);
    put(1);
    consume(1, 1);
    rig_for(&rig, 5 * TICK);
    ck_assert_uint_eq(rig.messages[1], 0);
    put(1);
    ck_assert_uint_eq(rig.messages[1], 0);
    put(1);
    ck_assert_uint_eq(rig.messages[1], 1);
}
END_TEST

START_TEST(turned_off_with_one_kept_back)
{
    open_rig(9, 9);
    put(1);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 8, 0, NULL), 0);
    ck_assert_uint_eq(rig.messages[1], 1);
}
END_TEST

START_TEST(a_reset_forgets)
{
    open_rig(9, 9);
    put(1);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[1], 0);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 1);
    put(1);
    ck_assert_uint_eq(rig.messages[1], 1); /* the feature is at its default again */
}
END_TEST

START_TEST(the_pin_is_kept_back_too)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 64, 0);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 9, 0, NULL), 0); /* CD = 0 for vector 0 */
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 8, 2 << 8 | 1, NULL), 0);
    rig_settle(&rig);
    ck_assert(!rig.pin);
    put(1);
    ck_assert(!rig.pin);
    rig_for(&rig, 2 * TICK - 1);
    ck_assert(!rig.pin);
    rig_for(&rig, 1);
    ck_assert(rig.pin);
    consume(1, 1);
    rig_settle(&rig);
    ck_assert(!rig.pin);
    put(1);
    put(1);
    ck_assert(rig.pin);
}
END_TEST

Suite *suite_coalescing(void)
{
    Suite *suite = suite_create("nvme coalescing");
    TCase *tc = tcase_create("coalescing");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, by_count);
    tcase_add_test(tc, by_time);
    tcase_add_loop_test(tc, off_means_at_once, 0, 3);
    tcase_add_test(tc, not_for_the_admin_queue_nor_where_it_is_disabled);
    tcase_add_test(tc, polled_entries_do_not_count);
    tcase_add_test(tc, turned_off_with_one_kept_back);
    tcase_add_test(tc, a_reset_forgets);
    tcase_add_test(tc, the_pin_is_kept_back_too);
    suite_add_tcase(suite, tc);
    return suite;
}
