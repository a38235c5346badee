/* SPDX-License-Identifier: BSD-2-Clause
 * Keep Alive (NVMe 1.4 sections 5.16, 5.21.1.15 and 7.12). */
#include "unit/nvme/rig_admin.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.keep_alive = 200 * RIG_MS;
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

/* Without waiting until nothing is scheduled: the timer is. */
static uint16_t command(uint8_t opcode, uint32_t cdw10, uint32_t cdw11, uint32_t *dw0)
{
    struct rig_cqe cqe;

    rig_put(&rig, 0, &(struct rig_cmd){.opcode = opcode, .cid = 1, .cdw10 = cdw10, .cdw11 = cdw11});
    rig_ring(&rig, 0);
    while (!rig_take(&rig, 0, &cqe))
        ck_assert(engine_step(rig.engine));
    rig_ring_cq(&rig, 0);
    if (dw0 != NULL)
        *dw0 = cqe.dw0;
    return cqe.status;
}

static void run_until_from(uint64_t from_ps, uint64_t ps)
{
    engine_run_until(rig.engine, from_ps + ps);
}

START_TEST(granularity_is_claimed_and_rounded_up_to) /* KAS (5.15.2.2) */
{
    uint32_t dw0;

    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 320, 2), 2);
    ck_assert_uint_eq(command(9, 15, 401, NULL), 0);
    ck_assert_uint_eq(command(10, 15, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 600);
    ck_assert_uint_eq(command(9, 15, 0xffffffff, NULL), 0);
    ck_assert_uint_eq(command(10, 15, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0xffffffff);
    ck_assert_uint_eq(command(9, 15, 0, NULL), 0); /* off */
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1);
}
END_TEST

START_TEST(silence_ends_in_fatal_status)
{
    uint64_t last_ps;

    ck_assert_uint_eq(command(9, 15, 200, NULL), 0);
    rig_for(&rig, 150 * RIG_MS);
    ck_assert_uint_eq(command(0x18, 0, 0, NULL), 0);
    last_ps = rig_now(&rig);
    run_until_from(last_ps, 150 * RIG_MS);
    ck_assert_uint_eq(command(10, 7, 0, NULL), 0); /* other commands do not count */
    run_until_from(last_ps, 200 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1);
    run_until_from(last_ps, 200 * RIG_MS);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 3);
    /* The next life finds it in the log, and no timer. */
    rig_reset(&rig);
    ck_assert_uint_eq(rig_log(&rig, 1, 0, 64, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 12, 2) >> 1 & 0x7ff, 0x019);
    ck_assert_uint_eq(rig_field(&rig, 10, 2), 0xffff);
    ck_assert_uint_eq(rig_get(&rig, 0, 15, 0), 0);
}
END_TEST

START_TEST(reset_and_shutdown_stop_it)
{
    ck_assert_uint_eq(command(9, 15, 200, NULL), 0);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
    rig_enable(&rig);
    ck_assert_uint_eq(command(9, 15, 200, NULL), 0);
    rig_write32(&rig, 0x14, params.cc | 1u << 14);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 9);
}
END_TEST

START_TEST(without_the_capability_there_is_none)
{
    rig_close(&rig);
    params.ctrl.keep_alive = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 0x18, 0, 0, 0, NULL), 0x001);
    ck_assert_uint_eq(rig_set(&rig, 0, 15, 100), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 15, 0, NULL), 0x002);
}
END_TEST

Suite *suite_keep_alive(void)
{
    Suite *suite = suite_create("nvme keep alive");
    TCase *tc = tcase_create("keep alive");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, granularity_is_claimed_and_rounded_up_to);
    tcase_add_test(tc, silence_ends_in_fatal_status);
    tcase_add_test(tc, reset_and_shutdown_stop_it);
    tcase_add_test(tc, without_the_capability_there_is_none);
    suite_add_tcase(suite, tc);
    return suite;
}
