/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells (NVMe 1.4 sections 5.7, 7.13): the command and its pages, the order of stores,
 * barriers and loads, the test against EventIdx, and the host's side of bugs that were found in
 * other implementations, each under its name. The test double asserts that the pages are zero,
 * distinct and aligned at the command, and that a register says what its shadow says.
 */
#include "shadow_rig.h"
#include "suites.h"

START_TEST(two_whole_pages_after_the_queues)
{
    const struct nvme_sqe *last;

    fake->config.io_queues = 3;
    shadow_start();
    ck_assert(nvme_get_info(fake->nvme)->shadow_doorbells);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], 1);
    last = &fake->admin_log[fake->admin_log_count - 1];
    while (fake_opcode(last) == NVME_ADMIN_ASYNC_EVENT)
        last--;
    ck_assert_uint_eq(fake_opcode(last), NVME_ADMIN_DOORBELL_BUFFERS);
    ck_assert_uint_eq(fake_opcode(last - 1), NVME_ADMIN_CREATE_SQ);
    ck_assert_uint_eq(last->prp2, last->prp1 + FAKE_PAGE);
}
END_TEST

/* B1: only where OACS says so, and only if asked for. */
START_TEST(not_asked_for_or_not_there)
{
    fake->oacs = _i ? 0 : 1u << 8;
    fake->config.shadow_doorbells = _i != 0;
    fake_start();
    shadow_begin();
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], 0);
    shadow_submit(0);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(shadow_writes(false), 1);
    ck_assert_uint_eq(fake->mbs, 0);
    ck_assert_uint_eq(fake_stats(shadow.queue).shadow_updates, 0);
}
END_TEST

static uint32_t mb_shadow_sq, mb_shadow_cq;
static uint64_t mb_entry;
static bool mb_published;

static void look_at_mb(void)
{
    const uint64_t *ring = fake_cpu(fake->queues[1].sq_bus, 64);

    mb_shadow_sq = fake_le32(*fake_shadow(1, false));
    mb_shadow_cq = fake_le32(*fake_shadow(1, true));
    mb_entry = fake_le64(ring[0]);
    mb_published = fake->log_count == 1 && fake->log[0].publish;
}

/* B3: entry, publish, shadow, full barrier; the register comes last. */
START_TEST(order_of_a_submission)
{
    shadow_start();
    fake->at_mb = look_at_mb;
    shadow_submit(0);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(fake->mbs, 1);
    ck_assert(mb_published);
    ck_assert_uint_eq(mb_entry & 0xFF, NVME_IO_READ);
    ck_assert_uint_eq(mb_shadow_sq, 1);
    ck_assert_uint_eq(fake->log_count, 2);
    ck_assert_uint_eq(fake->log[1].offset, fake_doorbell(1, false));
    ck_assert_uint_eq(fake->log[1].value, 1);
}
END_TEST

/* The loads of an entry come before its head is stored: a barrier of its own, unless loads are
 * ordered anyway. */
START_TEST(order_of_a_completion)
{
    fake->platform.flags |= _i ? NVME_PLATFORM_LOADS_ORDERED : 0;
    shadow_start();
    shadow_submit(0);
    nvme_ring(shadow.queue);
    fake_look(1);
    fake_run(1);
    fake->mbs = 0;
    fake->at_mb = look_at_mb;
    nvme_poll(shadow.queue, 0);
    ck_assert_uint_eq(fake->mbs, _i ? 1 : 2);
    ck_assert_uint_eq(mb_shadow_cq, 1);
}
END_TEST

static uint32_t arms_at;

static void device_goes_to_sleep(void)
{
    shadow_arm(false, arms_at);
}

/* Bug 1 (Linux 2018, SPDK 2019): no full barrier between the store of the doorbell and the load of
 * EventIdx. Given a device that arms EventIdx at the last moment before the barrier, when the host
 * has stored already and the device no longer looks, then the host sees it and rings. */
START_TEST(bug_1_store_to_load_barrier)
{
    shadow_start();
    shadow_arm(false, NEVER);
    for (uint32_t i = 0; i < 5; i++)
        shadow_submit(i);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(shadow_writes(false), 0);
    fake->at_mb = device_goes_to_sleep;
    arms_at = 5; /* all that the device has seen */
    shadow_submit(5);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(shadow_writes(false), 1);
    ck_assert_uint_eq(fake_last(fake_doorbell(1, false)), 6);
}
END_TEST

/* Bug 2 (Linux 0f0d2c876c96): the command failed and the doorbells still went to its pages. */
START_TEST(bug_2_refused_command_leaves_registers)
{
    fake->admin_fail_opcode = NVME_ADMIN_DOORBELL_BUFFERS;
    fake->admin_fail_status = 2;
    shadow_start();
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_OK);
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    for (uint32_t i = 0; i < 40; i++) {
        shadow_submit(i);
        nvme_ring(shadow.queue);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(shadow.queue, 0), 1);
    }
    ck_assert_uint_eq(shadow_writes(false), 40);
    ck_assert_uint_eq(shadow_writes(true), 40);
    ck_assert_uint_eq(fake->mbs, 0);
    /* It may have taken the addresses all the same: the test double asserts at dma_free that the
     * pages are given back with RDY = 0 only. */
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

/* Bugs 3 and 10 (Linux 58847f12fe78, SPDK 38736d99): pages that still said what was true before the
 * reset, or of the queue's predecessor. Sent anew, zeroed (asserted by the test double), and in
 * between nothing is written there. */
START_TEST(bugs_3_and_10_pages_are_zeroed_for_new_queues)
{
    uint64_t page;

    shadow_start();
    for (uint32_t i = 0; i < 21; i++)
        shadow_one(i);
    shadow_arm(false, NEVER);
    shadow_arm(true, NEVER);
    page = fake->shadow_bus;
    for (uint32_t round = 2; round < 5; round++) {
        ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
        ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], round);
        ck_assert_uint_eq(fake->shadow_bus, page); /* nothing is allocated for a reset */
        fake_forget();
        shadow_one(0); /* EventIdx 0: the first of all rings */
        ck_assert_uint_eq(shadow_writes(false), 1);
        ck_assert_uint_eq(shadow_writes(true), 1);
        shadow_arm(false, NEVER);
    }
}
END_TEST

/* The controller that a reset has brought back refuses: registers from then on. */
START_TEST(refused_after_a_reset)
{
    shadow_start();
    shadow_one(0);
    fake->admin_fail_opcode = NVME_ADMIN_DOORBELL_BUFFERS;
    fake->admin_fail_status = 6;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    fake->mbs = 0;
    fake_forget();
    shadow_submit(1);
    nvme_ring(shadow.queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(shadow.queue, 0), 1);
    ck_assert_uint_eq(shadow_writes(false) + shadow_writes(true), 2);
    ck_assert_uint_eq(fake->mbs, 0);
}
END_TEST

/* Bug 4 (Linux b5f96cb719d8): values in the machine's byte order. All bytes are looked at; run with
 * both orders. */
START_TEST(bug_4_little_endian_and_upper_half_zero)
{
    fake->cap |= 0xFFFF;
    fake->config.io_depth = 1024;
    fake->config.slots = 600;
    shadow_start();
    shadow_arm(false, NEVER);
    for (uint32_t i = 0; i < 0x0103; i++)
        shadow_submit(i);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(fake_le32(*fake_shadow(1, false)), 0x0103);
    ck_assert_uint_eq(shadow_writes(false), 0);
    shadow_arm(false, 0x0103); /* 0301h, if it were read the wrong way round */
    shadow_submit(0x0103);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(shadow_writes(false), 1);
    /* EventIdx is cut to 16 bits. */
    shadow_arm(false, 0x12340104);
    shadow_submit(0x0104);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(shadow_writes(false), 2);
}
END_TEST

/* Bug 6 was the device's: a head EventIdx that stays at 0. The host then writes the register once
 * in a lap, and keeps the shadow right. */
START_TEST(bug_6_device_that_never_writes_the_head_event)
{
    shadow_start();
    shadow_arm(false, NEVER);
    for (uint32_t i = 0; i < 32; i++)
        shadow_one(i);
    ck_assert_uint_eq(shadow_writes(true), 2);
    ck_assert_uint_eq(fake_le32(*fake_shadow(1, true)), 0);
    ck_assert_uint_eq(fake_stats(shadow.queue).cq_doorbells, 2);
    ck_assert_uint_eq(fake_stats(shadow.queue).cq_skipped, 30);
}
END_TEST

/* Bug 11, the host's half: a late interrupt, poll or ring of a queue whose pages are gone. */
START_TEST(bug_11_nothing_is_stored_after_stop)
{
    uint32_t mbs;

    shadow_start();
    shadow_one(0);
    shadow_submit(1);
    nvme_stop(fake->nvme);
    mbs = fake->mbs;
    nvme_ring(shadow.queue);
    nvme_poll(shadow.queue, 0);
    fake_settle(NVME_STATE_STOPPING, 1000000000);
    nvme_ring(shadow.queue);
    nvme_poll(shadow.queue, 0);
    ck_assert_uint_eq(fake->mbs, mbs);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

/* Bug 15: the same head written twice in a row. With nothing consumed neither shadow nor register
 * is touched. */
START_TEST(bug_15_no_head_without_news)
{
    shadow_start();
    shadow_one(0);
    fake->mbs = 0;
    fake_forget();
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(nvme_poll(shadow.queue, 0), 0);
        nvme_ring(shadow.queue);
    }
    ck_assert_uint_eq(fake->mbs, 0);
    ck_assert_uint_eq(fake->log_count, 0);
    ck_assert_uint_eq(fake_stats(shadow.queue).shadow_updates, 2);
}
END_TEST

Suite *suite_shadow(void)
{
    Suite *suite = suite_create("driver shadow doorbells");
    TCase *tcase = tcase_create("shadow");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, two_whole_pages_after_the_queues);
    tcase_add_loop_test(tcase, not_asked_for_or_not_there, 0, 2);
    tcase_add_test(tcase, order_of_a_submission);
    tcase_add_loop_test(tcase, order_of_a_completion, 0, 2);
    tcase_add_test(tcase, bug_1_store_to_load_barrier);
    tcase_add_test(tcase, bug_2_refused_command_leaves_registers);
    tcase_add_test(tcase, bugs_3_and_10_pages_are_zeroed_for_new_queues);
    tcase_add_test(tcase, refused_after_a_reset);
    tcase_add_test(tcase, bug_4_little_endian_and_upper_half_zero);
    tcase_add_test(tcase, bug_6_device_that_never_writes_the_head_event);
    tcase_add_test(tcase, bug_11_nothing_is_stored_after_stop);
    tcase_add_test(tcase, bug_15_no_head_without_news);
    suite_add_tcase(suite, tcase);
    return suite;
}
