/* SPDX-License-Identifier: BSD-2-Clause
 * Shadow doorbells as queues and the controller come and go (NVMe 1.4 sections 5.7, 7.13): queues
 * created again, resets, shutdowns, the admin queue, pages that are too short or out of reach. */
#include <string.h>

#include "unit/nvme/rig_shadow.h"

static struct rig rig;
static struct rig_params params;
static struct rig_cqe cqe;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.shadow_doorbells = 1;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 5);
}

static void open_shadowed(unsigned policy, uint16_t size)
{
    params.ctrl.shadow_policy = policy;
    open_rig();
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    rig_create_queue(&rig, 1, size, 1);
}

static void put_read(unsigned queue, uint16_t cid)
{
    rig_put(&rig, queue, &(struct rig_cmd){.opcode = 2, .cid = cid, .nsid = 1, .prp1 = RIG_DATA});
}

static uint32_t eventidx(unsigned qid, unsigned is_cq)
{
    return rig_shadow_get(&rig, RIG_EVENTIDX, qid, is_cq);
}

/* A queue that is created again begins at 0, whatever the host left in the shadow. */
START_TEST(an_old_value_is_not_taken_for_entries)
{
    open_shadowed((unsigned)_i, 8);
    for (uint16_t i = 0; i < 5; i++)
        put_read(1, i);
    rig_shadow_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).commands, 5);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_shadow_get(&rig, RIG_SHADOW, 1, 0), 5);
    rig_create_queue(&rig, 1, 8, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).commands, 5);
    put_read(1, 20);
    rig_shadow_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.cid, 20);
}
END_TEST

/* 5.7: not kept over a reset. The pages are the host's again. */
START_TEST(a_reset_ends_it)
{
    uint64_t reads;

    open_shadowed((unsigned)_i, 8);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    reads = rig_stats(&rig).shadow_reads;
    memset(rig_at(&rig, RIG_EVENTIDX), 0x77, 4096);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 1);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0); /* by registers */
    ck_assert_uint_eq(rig_stats(&rig).shadow_reads, reads);
    ck_assert_uint_eq(eventidx(0, 0), 0x77777777);
    ck_assert_uint_eq(eventidx(1, 0), 0x77777777);
}
END_TEST

/* Queues that exist when the command comes go on, and registers written meanwhile count. */
START_TEST(queues_that_exist_go_on)
{
    params.ctrl.shadow_policy = (unsigned)_i;
    open_rig();
    rig_create_queue(&rig, 1, 8, 1);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    ck_assert_uint_eq(rig_shadow_get(&rig, RIG_SHADOW, 1, 0), 1);
    ck_assert_uint_eq(rig_shadow_get(&rig, RIG_SHADOW, 1, 1), 1);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0); /* does not know of it yet */
    rig_shadow_set(&rig, RIG_SHADOW, 1, 0, rig.queue[1].tail);
    for (uint16_t i = 0; i < 20; i++) {
        put_read(1, i);
        rig_shadow_ring(&rig, 1);
        rig_settle(&rig);
        ck_assert(rig_take(&rig, 1, &cqe));
        rig_shadow_ring_cq(&rig, 1);
    }
}
END_TEST

/* 7.13: the admin queue has a shadow, too; hosts like Linux leave it out. */
START_TEST(admin_queue_by_register_or_by_shadow)
{
    bool by_shadow = _i % 2 != 0;

    params.ctrl.shadow_policy = (unsigned)_i / 4;
    params.ctrl.shadow_admin = by_shadow || _i / 2 % 2 != 0;
    open_rig();
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    for (uint16_t i = 0; i < 40; i++) {
        rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = i, .cdw10 = 7});
        if (by_shadow)
            rig_shadow_ring(&rig, 0);
        else
            rig_ring(&rig, 0);
        rig_settle(&rig);
        ck_assert(rig_take(&rig, 0, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
        if (by_shadow)
            rig_shadow_ring_cq(&rig, 0);
        else
            rig_ring_cq(&rig, 0);
    }
}
END_TEST

/* 5.7: one page. With a large stride, queues beyond it have only registers. */
START_TEST(queues_beyond_the_page_have_no_shadow)
{
    params.ctrl.cap_dstrd = 8; /* 1 KiB per doorbell: queues 0 and 1 */
    open_rig();
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    rig_create_queue(&rig, 1, 8, 1);
    rig_create_queue(&rig, 2, 8, 2);
    put_read(1, 5);
    ck_assert(rig_shadow_ring(&rig, 1));
    put_read(2, 6);
    rig_ring(&rig, 2);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(rig_take(&rig, 2, &cqe));
    ck_assert_uint_eq(cqe.cid, 6);
}
END_TEST

/* Pages that can be reached no more end as queue memory does. */
START_TEST(pages_out_of_reach_are_fatal)
{
    open_shadowed((unsigned)_i, 8);
    rig_settle(&rig);
    put_read(1, 1);
    rig_shadow_set(&rig, RIG_SHADOW, 1, 0, 1);
    rig_write32(&rig, 0x1008, 1);
    pcie_port_config_write(rig.port, 4, 2, 0x2); /* bus master off */
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c) & 2, 2);
    pcie_port_config_write(rig.port, 4, 2, 0x6);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
}
END_TEST

/* The pin's level follows the head, so the head must be known without room being short. */
START_TEST(the_pin_falls_when_entries_are_consumed)
{
    params.ctrl.shadow_policy = (unsigned)_i;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    rig_create_queue(&rig, 1, 8, 0);
    for (uint16_t i = 0; i < 20; i++) {
        put_read(1, i);
        rig_shadow_ring(&rig, 1);
        rig_settle(&rig);
        ck_assert(rig.pin);
        ck_assert(rig_take(&rig, 1, &cqe));
        rig_shadow_ring_cq(&rig, 1);
        rig_settle(&rig);
        ck_assert(!rig.pin);
    }
}
END_TEST

/* 7.6.2: a shutdown ends polling, and what the host puts there later is not looked at. */
START_TEST(a_shutdown_ends_polling)
{
    uint64_t reads;

    params.ctrl.shadow_poll_time = RIG_MS;
    params.ctrl.shutdown_delay = 10 * RIG_US;
    open_shadowed((unsigned)_i, 8);
    rig_write32(&rig, 0x14, 0x00464001);
    rig_for(&rig, 20 * RIG_US);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c) & 0xc, 8);
    reads = rig_stats(&rig).shadow_reads;
    put_read(1, 1);
    rig_shadow_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).shadow_reads, reads);
    ck_assert(!rig_take(&rig, 1, &cqe));
}
END_TEST

Suite *suite_shadow_life(void)
{
    Suite *suite = suite_create("nvme shadow doorbell life");
    TCase *tc = tcase_create("life");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, an_old_value_is_not_taken_for_entries, 0, POLICIES);
    tcase_add_loop_test(tc, a_reset_ends_it, 0, POLICIES);
    tcase_add_loop_test(tc, queues_that_exist_go_on, 0, POLICIES);
    tcase_add_loop_test(tc, admin_queue_by_register_or_by_shadow, 0, 4 * POLICIES);
    tcase_add_test(tc, queues_beyond_the_page_have_no_shadow);
    tcase_add_loop_test(tc, pages_out_of_reach_are_fatal, 0, POLICIES);
    tcase_add_loop_test(tc, the_pin_falls_when_entries_are_consumed, 0, POLICIES);
    tcase_add_loop_test(tc, a_shutdown_ends_polling, 0, POLICIES);
    suite_add_tcase(suite, tc);
    return suite;
}
