/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells (NVMe 1.4 sections 5.7, 7.13): the command and its pages, the order of stores,
 * barriers and loads, the test against EventIdx, and the host's side of bugs that were found in
 * other implementations, each under its name. The test double asserts that the pages are zero,
 * distinct and aligned at the command, and that a register says what its shadow says.
 */
#include "fake.h"
#include "suites.h"

#define NEVER 0xFFFFFFFFu

static struct nvme_queue *queue;
static struct nvme_request requests[FAKE_REQUESTS];
static uint8_t *buffer;

static void begin(void)
{
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(65536, 4096, 0);
    fake_forget();
}

static void start(void)
{
    fake->oacs = 1u << 8;
    fake->config.shadow_doorbells = true;
    fake_start();
    begin();
}

static void submit(uint32_t i)
{
    fake_registered(&requests[i], NVME_OP_READ, i, 1, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
}

static void arm(bool cq, uint32_t value)
{
    *fake_event_idx(1, cq) = fake_le32(value);
}

static uint32_t writes(bool cq)
{
    return fake_writes(fake_doorbell(1, cq));
}

/* One command: submit, ring, run, poll, the device taking the doorbells from the shadow. */
static void one(uint32_t i)
{
    submit(i);
    nvme_ring(queue);
    fake_look(1);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    fake_look(1);
}

START_TEST(two_whole_pages_after_the_queues)
{
    const struct nvme_sqe *last;

    fake->config.io_queues = 3;
    start();
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
    begin();
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], 0);
    submit(0);
    nvme_ring(queue);
    ck_assert_uint_eq(writes(false), 1);
    ck_assert_uint_eq(fake->mbs, 0);
    ck_assert_uint_eq(fake_stats(queue).shadow_updates, 0);
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
    start();
    fake->at_mb = look_at_mb;
    submit(0);
    nvme_ring(queue);
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
    start();
    submit(0);
    nvme_ring(queue);
    fake_look(1);
    fake_run(1);
    fake->mbs = 0;
    fake->at_mb = look_at_mb;
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake->mbs, _i ? 1 : 2);
    ck_assert_uint_eq(mb_shadow_cq, 1);
}
END_TEST

static uint32_t arms_at;

static void device_goes_to_sleep(void)
{
    arm(false, arms_at);
}

/* Bug 1 (Linux 2018, SPDK 2019): no full barrier between the store of the doorbell and the load of
 * EventIdx. Given a device that arms EventIdx at the last moment before the barrier, when the host
 * has stored already and the device no longer looks, then the host sees it and rings. */
START_TEST(bug_1_store_to_load_barrier)
{
    start();
    arm(false, NEVER);
    for (uint32_t i = 0; i < 5; i++)
        submit(i);
    nvme_ring(queue);
    ck_assert_uint_eq(writes(false), 0);
    fake->at_mb = device_goes_to_sleep;
    arms_at = 5; /* all that the device has seen */
    submit(5);
    nvme_ring(queue);
    ck_assert_uint_eq(writes(false), 1);
    ck_assert_uint_eq(fake_last(fake_doorbell(1, false)), 6);
}
END_TEST

/* Bug 2 (Linux 0f0d2c876c96): the command failed and the doorbells still went to its pages. */
START_TEST(bug_2_refused_command_leaves_registers)
{
    fake->admin_fail_opcode = NVME_ADMIN_DOORBELL_BUFFERS;
    fake->admin_fail_status = 2;
    start();
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_OK);
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    for (uint32_t i = 0; i < 40; i++) {
        submit(i);
        nvme_ring(queue);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
    ck_assert_uint_eq(writes(false), 40);
    ck_assert_uint_eq(writes(true), 40);
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

    start();
    for (uint32_t i = 0; i < 21; i++)
        one(i);
    arm(false, NEVER);
    arm(true, NEVER);
    page = fake->shadow_bus;
    for (uint32_t round = 2; round < 5; round++) {
        ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
        ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], round);
        ck_assert_uint_eq(fake->shadow_bus, page); /* nothing is allocated for a reset */
        fake_forget();
        one(0); /* EventIdx 0: the first of all rings */
        ck_assert_uint_eq(writes(false), 1);
        ck_assert_uint_eq(writes(true), 1);
        arm(false, NEVER);
    }
}
END_TEST

/* The controller that a reset has brought back refuses: registers from then on. */
START_TEST(refused_after_a_reset)
{
    start();
    one(0);
    fake->admin_fail_opcode = NVME_ADMIN_DOORBELL_BUFFERS;
    fake->admin_fail_status = 6;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    fake->mbs = 0;
    fake_forget();
    submit(1);
    nvme_ring(queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(writes(false) + writes(true), 2);
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
    start();
    arm(false, NEVER);
    for (uint32_t i = 0; i < 0x0103; i++)
        submit(i);
    nvme_ring(queue);
    ck_assert_uint_eq(fake_le32(*fake_shadow(1, false)), 0x0103);
    ck_assert_uint_eq(writes(false), 0);
    arm(false, 0x0103); /* 0301h, if it were read the wrong way round */
    submit(0x0103);
    nvme_ring(queue);
    ck_assert_uint_eq(writes(false), 1);
    /* EventIdx is cut to 16 bits. */
    arm(false, 0x12340104);
    submit(0x0104);
    nvme_ring(queue);
    ck_assert_uint_eq(writes(false), 2);
}
END_TEST

/* Bug 6 was the device's: a head EventIdx that stays at 0. The host then writes the register once
 * in a lap, and keeps the shadow right. */
START_TEST(bug_6_device_that_never_writes_the_head_event)
{
    start();
    arm(false, NEVER);
    for (uint32_t i = 0; i < 32; i++)
        one(i);
    ck_assert_uint_eq(writes(true), 2);
    ck_assert_uint_eq(fake_le32(*fake_shadow(1, true)), 0);
    ck_assert_uint_eq(fake_stats(queue).cq_doorbells, 2);
    ck_assert_uint_eq(fake_stats(queue).cq_skipped, 30);
}
END_TEST

/* Bug 11, the host's half: a late interrupt, poll or ring of a queue whose pages are gone. */
START_TEST(bug_11_nothing_is_stored_after_stop)
{
    uint32_t mbs;

    start();
    one(0);
    submit(1);
    nvme_stop(fake->nvme);
    mbs = fake->mbs;
    nvme_ring(queue);
    nvme_poll(queue, 0);
    fake_settle(NVME_STATE_STOPPING, 1000000000);
    nvme_ring(queue);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake->mbs, mbs);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

/* Bug 15: the same head written twice in a row. With nothing consumed neither shadow nor register
 * is touched. */
START_TEST(bug_15_no_head_without_news)
{
    start();
    one(0);
    fake->mbs = 0;
    fake_forget();
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(nvme_poll(queue, 0), 0);
        nvme_ring(queue);
    }
    ck_assert_uint_eq(fake->mbs, 0);
    ck_assert_uint_eq(fake->log_count, 0);
    ck_assert_uint_eq(fake_stats(queue).shadow_updates, 2);
}
END_TEST

/* B4, exhaustively for a ring of 16: at every position, for every batch that fits and every value
 * of EventIdx, the register is written exactly if the tail passes EventIdx on its way, which is
 * walked step by step here. */
START_TEST(register_exactly_if_event_idx_is_passed)
{
    uint32_t tail = 0, next = 0;

    start();
    for (uint32_t batch = 1; batch <= 15; batch++)
        for (uint32_t event = 0; event < 16; event++) {
            bool passed = false;

            arm(false, event);
            fake_forget();
            for (uint32_t i = 0; i < batch; i++, next++) {
                submit(next % FAKE_REQUESTS);
                passed |= (tail + i) % 16 == event;
            }
            nvme_ring(queue);
            tail = (tail + batch) % 16;
            ck_assert_uint_eq(writes(false), passed);
            fake_look(1);
            ck_assert_uint_eq(fake->queues[1].tail, tail);
            fake_ended_count = 0;
            fake_run(1);
            ck_assert_uint_eq(nvme_poll(queue, 0), batch);
        }
}
END_TEST

/* The device's policies (echo, idle-arm, never, one behind): register writes per lap. */
START_TEST(policies_of_the_device)
{
    static const uint32_t expected[] = {32, 2, 2, 0};

    start();
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t tail = i % 16;

        if (_i == 0)
            arm(false, tail); /* echo: what was fetched */
        else if (_i == 1 && tail == 0)
            arm(false, 0); /* idle once in a lap */
        else if (_i == 2)
            arm(false, NEVER); /* 65535 in 16 bits: passed where the ring wraps */
        else if (_i == 3)
            arm(false, (tail + 15) % 16);
        one(i);
    }
    ck_assert_uint_eq(writes(false), expected[_i]);
    ck_assert_uint_eq(fake_stats(queue).sq_doorbells, expected[_i]);
    ck_assert_uint_eq(fake_stats(queue).sq_skipped, 32 - expected[_i]);
    ck_assert_uint_eq(fake_stats(queue).shadow_updates, 64);
}
END_TEST

/* Doorbells per command and per entry lead to the shadow, too. */
START_TEST(every_policy_of_ringing_uses_the_shadow)
{
    fake->config.ring = (enum nvme_ring_policy)(_i & 3);
    fake->config.cq_ring = _i & 4 ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    if (_i & 8)
        fake_unlock();
    start();
    for (uint32_t i = 0; i < 60; i += 6) {
        arm(false, (i + 15) % 16);
        arm(true, (i + 15) % 16);
        for (uint32_t k = 0; k < 6; k++)
            submit(i + k);
        if ((_i & 3) == NVME_RING_PER_BATCH)
            nvme_ring(queue);
        nvme_poll(queue, 0);
        fake_look(1);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 6);
        fake_look(1);
        ck_assert_uint_eq(fake->queues[1].cq_head, (i + 6) % 16);
    }
    ck_assert_uint_eq(writes(false) + writes(true), 0);
    ck_assert_uint_eq(fake_ended_count, 60);
}
END_TEST

START_TEST(admin_queue_stays_with_its_registers)
{
    start();
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
    start();
    ck_assert_uint_eq(fake_doorbell(3, true), 0x1000 + 7 * 512);
    for (uint32_t qid = 3; qid <= 4; qid++) {
        queue = nvme_get_queue(fake->nvme, qid - 1);
        submit(qid);
        nvme_ring(queue);
        ck_assert_uint_eq(fake_stats(queue).shadow_updates, qid == 3);
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
    start();
    submit(0);
    fake_forget();
    nvme_ring(queue);
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

    start();
    held = (int)fake->live_allocs;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    fake->alloc_fail_after = held - 1; /* the last one is for the pages */
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(fake->alloc_fail_after, -1);
    ck_assert(!nvme_get_info(fake->nvme)->shadow_doorbells);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_DOORBELL_BUFFERS % 64], 1);
    begin();
    submit(0);
    nvme_ring(queue);
    ck_assert_uint_eq(writes(false), 1);
}
END_TEST

START_TEST(interrupts_with_shadows)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    start();
    arm(true, NEVER);
    submit(0);
    submit(1);
    nvme_ring(queue);
    fake_look(1);
    fake_run(1);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 1), 2);
    ck_assert_uint_eq(writes(true), 0);
    ck_assert_uint_eq(fake_le32(*fake_shadow(1, true)), 2);
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
