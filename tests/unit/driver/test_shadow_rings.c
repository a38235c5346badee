/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells (NVMe 1.4 sections 5.7, 7.13): when the register is written after all, whatever
 * the device does with EventIdx and however the driver rings; and machines that are not the usual
 * one: wide doorbells, memory to be synchronised, none left for the pages, interrupts.
 */
#include "shadow_rig.h"
#include "suites.h"

/* B4, exhaustively for a ring of 16: at every position, for every batch that fits and every value
 * of EventIdx, the register is written exactly if the tail passes EventIdx on its way, which is
 * walked step by step here. */
START_TEST(register_exactly_if_event_idx_is_passed)
{
    uint32_t tail = 0, next = 0;

    shadow_start();
    for (uint32_t batch = 1; batch <= 15; batch++)
        for (uint32_t event = 0; event < 16; event++) {
            bool passed = false;

            shadow_arm(false, event);
            fake_forget();
            for (uint32_t i = 0; i < batch; i++, next++) {
                shadow_submit(next % FAKE_REQUESTS);
                passed |= (tail + i) % 16 == event;
            }
            nvme_ring(shadow.queue);
            tail = (tail + batch) % 16;
            ck_assert_uint_eq(shadow_writes(false), passed);
            fake_look(1);
            ck_assert_uint_eq(fake->queues[1].tail, tail);
            fake_ended_count = 0;
            fake_run(1);
            ck_assert_uint_eq(nvme_poll(shadow.queue, 0), batch);
        }
}
END_TEST

/* The device's policies (echo, idle-arm, never, one behind): register writes per lap. */
START_TEST(policies_of_the_device)
{
    static const uint32_t expected[] = {32, 2, 2, 0};

    shadow_start();
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t tail = i % 16;

        if (_i == 0)
            shadow_arm(false, tail); /* echo: what was fetched */
        else if (_i == 1 && tail == 0)
            shadow_arm(false, 0); /* idle once in a lap */
        else if (_i == 2)
            shadow_arm(false, NEVER); /* 65535 in 16 bits: passed where the ring wraps */
        else if (_i == 3)
            shadow_arm(false, (tail + 15) % 16);
        shadow_one(i);
    }
    ck_assert_uint_eq(shadow_writes(false), expected[_i]);
    ck_assert_uint_eq(fake_stats(shadow.queue).sq_doorbells, expected[_i]);
    ck_assert_uint_eq(fake_stats(shadow.queue).sq_skipped, 32 - expected[_i]);
    ck_assert_uint_eq(fake_stats(shadow.queue).shadow_updates, 64);
}
END_TEST

/* Doorbells per command and per entry lead to the shadow, too. */
START_TEST(every_policy_of_ringing_uses_the_shadow)
{
    fake->config.ring = (enum nvme_ring_policy)(_i & 3);
    fake->config.cq_ring = _i & 4 ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    if (_i & 8)
        fake_unlock();
    shadow_start();
    for (uint32_t i = 0; i < 60; i += 6) {
        shadow_arm(false, (i + 15) % 16);
        shadow_arm(true, (i + 15) % 16);
        for (uint32_t k = 0; k < 6; k++)
            shadow_submit(i + k);
        if ((_i & 3) == NVME_RING_PER_BATCH)
            nvme_ring(shadow.queue);
        nvme_poll(shadow.queue, 0);
        fake_look(1);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(shadow.queue, 0), 6);
        fake_look(1);
        ck_assert_uint_eq(fake->queues[1].cq_head, (i + 6) % 16);
    }
    ck_assert_uint_eq(shadow_writes(false) + shadow_writes(true), 0);
    ck_assert_uint_eq(fake_ended_count, 60);
}
END_TEST

START_TEST(admin_queue_stays_with_its_registers)
{
    shadow_start();
    for (uint32_t i = 0; i < 3; i++)
        nvme_step(fake->nvme, fake->now_ns);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(*fake_shadow(0, false), 0);
    ck_assert_uint_eq(*fake_shadow(0, true), 0);
    ck_assert_uint_gt(fake_writes(fake_doorbell(0, false)), 0);
}
END_TEST

/* With a stride of 512 bytes the page ends after queue 3: queue 4 goes on with registers. */
START_TEST(wide_stride)
{
    fake->cap |= 7ull << 32;
    fake->config.io_queues = 4;
    shadow_start();
    ck_assert_uint_eq(fake_doorbell(3, true), 0x1000 + 7 * 512);
    for (uint32_t qid = 3; qid <= 4; qid++) {
        shadow.queue = nvme_get_queue(fake->nvme, qid - 1);
        shadow_submit(qid);
        nvme_ring(shadow.queue);
        ck_assert_uint_eq(fake_stats(shadow.queue).shadow_updates, qid == 3);
        ck_assert_uint_eq(fake_writes(fake_doorbell(qid, false)), 1);
    }
    ck_assert_uint_eq(fake_le32(*fake_shadow(3, false)), 1);
}
END_TEST

/* Where memory is not coherent: the doorbell is made visible, and EventIdx looked up in memory. */
START_TEST(sync_of_both_pages)
{
    const struct fake_sync *sync;

    fake->platform.flags &= ~(unsigned)NVME_PLATFORM_COHERENT;
    shadow_start();
    shadow_submit(0);
    fake_forget();
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(fake->sync_count, 2);
    sync = fake->syncs;
    ck_assert_ptr_eq(sync[0].cpu, fake_shadow(1, false));
    ck_assert_uint_eq(sync[0].bytes, 4);
    ck_assert_int_eq(sync[0].what, NVME_SYNC_FOR_DEVICE);
    ck_assert_ptr_eq(sync[1].cpu, fake_event_idx(1, false));
    ck_assert_uint_eq(sync[1].bytes, 4);
    ck_assert_int_eq(sync[1].what, NVME_SYNC_FOR_CPU);
}
END_TEST

/* Without memory for the pages the controller runs by its registers. */
START_TEST(no_memory_for_the_pages)
{
    int held;

    shadow_start();
    held = (int)fake->live_allocs;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    fake->alloc_fail_after = held - 1; /* the last one is for the pages */
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(fake->alloc_fail_after, -1);
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], 1);
    shadow_begin();
    shadow_submit(0);
    nvme_ring(shadow.queue);
    ck_assert_uint_eq(shadow_writes(false), 1);
}
END_TEST

START_TEST(interrupts_with_shadows)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    shadow_start();
    shadow_arm(true, NEVER);
    shadow_submit(0);
    shadow_submit(1);
    nvme_ring(shadow.queue);
    fake_look(1);
    fake_run(1);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 1), 2);
    ck_assert_uint_eq(shadow_writes(true), 0);
    ck_assert_uint_eq(fake_le32(*fake_shadow(1, true)), 2);
}
END_TEST

Suite *suite_shadow_rings(void)
{
    Suite *suite = suite_create("driver shadow doorbells: rings");
    TCase *tcase = tcase_create("shadow rings");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, register_exactly_if_event_idx_is_passed);
    tcase_add_loop_test(tcase, policies_of_the_device, 0, 4);
    tcase_add_loop_test(tcase, every_policy_of_ringing_uses_the_shadow, 0, 16);
    tcase_add_test(tcase, admin_queue_stays_with_its_registers);
    tcase_add_test(tcase, wide_stride);
    tcase_add_test(tcase, sync_of_both_pages);
    tcase_add_test(tcase, no_memory_for_the_pages);
    tcase_add_test(tcase, interrupts_with_shadows);
    suite_add_tcase(suite, tcase);
    return suite;
}
