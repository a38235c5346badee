/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Traps that published drivers fell into, by name and origin (docs/traps.md): rings, command
 * identifiers and doorbells (NVMe 1.4 sections 4.1, 4.2, 3.1.24, 3.1.25). Each test gives the core
 * what made that driver fail. Traps that other files cover are found through the page.
 */
#include "fake.h"
#include "suites.h"

#define MOST 1023u /* requests: a ring of 1,024 entries */

static struct nvme_queue *queue;
static struct nvme_request requests[MOST];
static uint8_t *buffer;

static void start(uint32_t mqes)
{
    fake->cap = (fake->cap & ~(uint64_t)0xFFFF) | mqes;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(4096, 4096, 0);
}

static int submit(uint32_t i)
{
    fake_registered(&requests[i], NVME_OP_READ, i, 1, buffer);
    return nvme_submit(queue, &requests[i]);
}

/* AROS counted identifiers modulo 16 with no look at what was in flight. Given a ring of 1,024 that
 * is full, when the oldest end one by one and others take their place, then no identifier is given
 * out twice (fake_fetch() compares all in flight), and each entry ends the request of its own
 * command. */
START_TEST(cid_is_never_reused_while_outstanding__aros_1)
{
    fake->config.io_depth = MOST + 1;
    fake->config.slots = MOST;
    fake->config.cid = _i & 1 ? NVME_CID_LOWEST : NVME_CID_LIFO;
    fake->config.cid_generation = (_i & 2) != 0;
    start(MOST);
    for (uint32_t i = 0; i < MOST; i++)
        ck_assert_int_eq(submit(i), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, MOST);
    for (uint32_t i = 0; i < 600; i++) {
        fake_complete(1, 0, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        ck_assert_ptr_eq(fake_ended[i], &requests[i]);
        ck_assert_int_eq(submit(i), NVME_OK);
        nvme_ring(queue);
        fake_fetch(1);
        ck_assert_uint_eq(fake->queues[1].in_flight, MOST);
    }
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), MOST);
}
END_TEST

/* AROS moved the tail on whatever the head was. Given rings of 8 entries (CAP.MQES = 7) and a
 * device that fetches nothing, when more is asked for, then the tail stops one entry behind the
 * head (4.1.2) and goes on by exactly what has ended. Its repair ended what did not fit with an
 * error: here the rest waits, and everything ends well. */
START_TEST(tail_never_passes_the_head__aros_2)
{
    const struct fake_queue *q = &fake->queues[1];

    fake->config.io_depth = 64;
    fake->config.slots = 63;
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.ring = _i ? NVME_RING_PER_COMMAND : NVME_RING_PER_BATCH;
    start(7);
    for (uint32_t i = 0; i < 20; i++)
        ck_assert_int_eq(submit(i), NVME_OK);
    nvme_ring(queue);
    ck_assert_uint_eq(q->tail, 7);
    ck_assert_uint_eq(nvme_in_flight(queue), 7);
    fake_fetch(1);
    ck_assert_uint_eq(q->in_flight, 7);
    /* All are fetched, so that their entries are free; but none has ended, so that none is told. */
    nvme_poll(queue, 0);
    ck_assert_uint_eq(q->tail, 7);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_uint_eq(q->tail, 1); /* 7, 0 */
    ck_assert_uint_eq(nvme_in_flight(queue), 7);
    for (uint32_t i = 0; i < 4; i++) {
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 20);
    for (uint32_t i = 0; i < 20; i++)
        ck_assert_int_eq(requests[i].error, NVME_OK);
}
END_TEST

/* ---- entries before doorbells ---- */

static struct nvme_sqe published[64];
static uint32_t published_from, published_count, rung;
static void (*device_write)(void *ctx, uint32_t offset, uint32_t value);

/* What the device is sure to see: the ring as it is now. */
static void publish(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count)
{
    (void)ctx;
    if (sq->qid != 1)
        return;
    memcpy(published, sq->entries, sizeof(published[0]) * sq->depth);
    published_from = first;
    published_count = count;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
    if (offset == fake_doorbell(1, false)) {
        const struct fake_queue *q = &fake->queues[1];
        const struct nvme_sqe *ring = fake_cpu(q->sq_bus, q->depth * 64u);

        ck_assert_uint_eq(published_from, q->tail);
        ck_assert_uint_eq((q->tail + published_count) % q->depth, value);
        ck_assert_mem_eq(published, ring, q->depth * 64u);
        published_count = 0;
        rung++;
    }
    device_write(ctx, offset, value);
}

/* AROS copied entries into the ring and stored the doorbell with nothing in between. Given every
 * policy of ringing, when the doorbell is written, then exactly the entries that it tells of have
 * been published, and no store to the ring came later. */
START_TEST(no_doorbell_without_its_entries_published__aros_6)
{
    device_write = fake->ops.write32;
    fake->ops.write32 = write32;
    fake->ops.publish = publish;
    fake->config.io_depth = 13;
    fake->config.slots = 12;
    fake->config.ring = (enum nvme_ring_policy)(_i / 2);
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.split = _i & 1 ? NVME_SPLIT_SERIAL : NVME_SPLIT_PARALLEL;
    published_count = rung = 0;
    start(63);
    buffer = fake_buffer(1024 * FAKE_BLOCK, 4096, 0);
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t count = i % 20 + 1; /* of them some wait inside the core, and some are split */

        for (uint32_t j = 0; j < count; j++) {
            fake_registered(&requests[j], NVME_OP_READ, j, j % 5 == 4 ? 600 : 1, buffer);
            ck_assert_int_eq(nvme_submit(queue, &requests[j]), NVME_OK);
        }
        nvme_ring(queue);
        for (fake_ended_count = 0; fake_ended_count < count; nvme_poll(queue, 0))
            fake_run(1);
    }
    ck_assert_uint_ge(rung, 50);
}
END_TEST

/* Genode masked with entries - 1 in one place and divided by entries in another. Given CAP.MQES =
 * 99 and so 100 entries, when the ring is filled and emptied for many laps, then 99 are in flight
 * each time, and all end. */
START_TEST(depth_need_not_be_a_power_of_two__genode_6)
{
    fake->config.io_depth = 512;
    fake->config.slots = 511;
    start(99);
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->io_depth, 100);
    for (uint32_t round = 1; round <= 10; round++) {
        for (uint32_t i = 0; i < 99; i++)
            ck_assert_int_eq(submit(i), NVME_OK);
        ck_assert_int_eq(submit(99), NVME_E_BUSY);
        nvme_ring(queue);
        ck_assert_uint_eq(fake->queues[1].tail, round * 99 % 100);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 99);
        ck_assert_uint_eq(fake_ended_count, round * 99);
    }
}
END_TEST

/* Genode lost a slot when the command could not be built after its list was taken. Given a platform
 * that cannot map, when 100 submits fail, then all 15 slots are still there. */
START_TEST(failed_submit_gives_its_slot_back__genode_9)
{
    fake->config.cid = _i ? NVME_CID_LOWEST : NVME_CID_LIFO;
    start(63);
    for (uint32_t i = 0; i < 100; i++) {
        fake_request(&requests[0], NVME_OP_READ, 0, 8, buffer);
        fake->map_fail_after = 0;
        ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_NO_MEMORY);
    }
    fake->map_fail_after = -1;
    for (uint32_t i = 0; i < 15; i++)
        ck_assert_int_eq(submit(i), NVME_OK);
    ck_assert_int_eq(submit(15), NVME_E_BUSY);
    nvme_ring(queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 15);
}
END_TEST

/* Genode keeps one flag for all queues: has anything been submitted? Given requests on two queues,
 * when one is rung, then the other is not, and what it owes is not forgotten. */
START_TEST(each_queue_knows_what_it_has_to_ring__genode_11)
{
    struct nvme_queue *other;

    fake->config.io_queues = 2;
    start(63);
    other = nvme_get_queue(fake->nvme, 1);
    ck_assert_int_eq(submit(0), NVME_OK);
    fake_registered(&requests[1], NVME_OP_READ, 1, 1, buffer);
    ck_assert_int_eq(nvme_submit(other, &requests[1]), NVME_OK);
    nvme_ring(queue);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 1);
    ck_assert_uint_eq(fake_writes(fake_doorbell(2, false)), 0);
    nvme_ring(queue);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 1);
    nvme_ring(other);
    ck_assert_uint_eq(fake_writes(fake_doorbell(2, false)), 1);
}
END_TEST

/* ---- the CQ doorbell ---- */

/* AROS writes it at every look, found or not: up to 4,096 times for each request. Genode's shared
 * queue does so in each turn of its loop. */
START_TEST(empty_poll_writes_no_doorbell__aros_12__genode_10)
{
    fake->config.cq_ring = _i ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    start(63);
    ck_assert_int_eq(submit(0), NVME_OK);
    nvme_ring(queue);
    for (uint32_t i = 0; i < 4096; i++)
        ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), 0);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    for (uint32_t i = 0; i < 4096; i++)
        ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), 1);
}
END_TEST

/* AROS wrote the admin CQ's head, 0 where it was 0, once the controller was ready: a value that is
 * not new (3.1.25). Here nothing is written to a CQ's doorbell before its first entry has come. */
START_TEST(ready_is_no_reason_to_write_a_cq_doorbell__aros_13)
{
    fake->hold_admin = true;
    fake_init();
    ck_assert_int_eq(nvme_start(fake->nvme), NVME_OK);
    ck_assert_int_eq(fake_settle(NVME_STATE_STARTING, 100000000), NVME_STATE_STARTING);
    ck_assert(fake->csts & NVME_CSTS_RDY);
    ck_assert_uint_eq(fake_writes(fake_doorbell(0, false)), 1);
    ck_assert_uint_eq(fake_writes(fake_doorbell(0, true)), 0);
    fake->hold_admin = false;
    fake_run(0);
    ck_assert_int_eq(fake_settle(NVME_STATE_STARTING, 100000000), NVME_STATE_READY);
    ck_assert_uint_eq(fake_writes(fake_doorbell(0, true)), fake->admin_log_count - 2); /* events */
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), 0);
}
END_TEST

/* ---- a drain inside a drain ---- */

static bool by_interrupt;
static uint32_t nested;

static unsigned drain(void)
{
    return by_interrupt ? nvme_interrupt(fake->nvme, 1) : nvme_poll(queue, 0);
}

/* Two more entries come while done() runs, and done() looks for them. */
static void drain_inside(struct nvme_request *request)
{
    ck_assert_int_eq(fake->lock_depth, 0);
    fake_ended[fake_ended_count++] = request;
    if (fake->queues[1].in_flight == 0)
        return;
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0);
    nested += drain();
}

/* NetBSD lets go of the lock for each callback while it holds a pointer into the ring; another
 * walker then ends the drain, and the first writes the CQ doorbell once more with the same value,
 * as QEMU's own driver did until a real drive stalled. Given done() that drains in its turn, by
 * polling or in an interrupt, then each entry is taken once and each value of the doorbell is new
 * (the double asserts that). */
START_TEST(drain_inside_a_drain_takes_each_entry_once__netbsd_4__linux_15)
{
    fake->config.cq_ring = _i & 1 ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    by_interrupt = (_i & 2) != 0;
    if (by_interrupt) {
        fake->config.completion = NVME_COMPLETION_INTERRUPT;
        fake->config.irq = NVME_IRQ_MSIX;
    }
    nested = 0;
    start(63);
    for (uint32_t i = 0; i < 6; i++) {
        fake_registered(&requests[i], NVME_OP_READ, i, 1, buffer);
        requests[i].done = drain_inside;
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    fake_fetch(1);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(drain(), 2);
    ck_assert_uint_eq(nested, 4);
    ck_assert_uint_eq(fake_ended_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t times = 0;

        for (uint32_t j = 0; j < 6; j++)
            times += fake_ended[j] == &requests[i];
        ck_assert_uint_eq(times, 1);
        ck_assert_int_eq(requests[i].error, NVME_OK);
    }
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), _i & 1 ? 6 : 3);
    ck_assert_uint_eq(fake_last(fake_doorbell(1, true)), 6);
}
END_TEST

Suite *suite_traps_rings(void)
{
    Suite *suite = suite_create("traps: rings");
    TCase *tcase = tcase_create("rings");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, cid_is_never_reused_while_outstanding__aros_1, 0, 4);
    tcase_add_loop_test(tcase, tail_never_passes_the_head__aros_2, 0, 2);
    tcase_add_loop_test(tcase, no_doorbell_without_its_entries_published__aros_6, 0, 8);
    tcase_add_test(tcase, depth_need_not_be_a_power_of_two__genode_6);
    tcase_add_loop_test(tcase, failed_submit_gives_its_slot_back__genode_9, 0, 2);
    tcase_add_test(tcase, each_queue_knows_what_it_has_to_ring__genode_11);
    tcase_add_loop_test(tcase, empty_poll_writes_no_doorbell__aros_12__genode_10, 0, 2);
    tcase_add_test(tcase, ready_is_no_reason_to_write_a_cq_doorbell__aros_13);
    tcase_add_loop_test(tcase, drain_inside_a_drain_takes_each_entry_once__netbsd_4__linux_15, 0,
                        4);
    suite_add_tcase(suite, tcase);
    return suite;
}
