/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rings (NVMe 1.4 sections 4.1, 4.6): full and empty, wrap and phase over several laps, command
 * identifiers, doorbell counts of every policy, waiting requests, and locks.
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request requests[FAKE_REQUESTS];
static uint8_t *buffer;

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(4096, 4096, 0);
}

static int submit(uint32_t i)
{
    fake_registered(&requests[i], NVME_OP_READ, i, 1, buffer);
    return nvme_submit(queue, &requests[i]);
}

START_TEST(full_ring_rejects)
{
    start();
    for (uint32_t i = 0; i < 15; i++)
        ck_assert_int_eq(submit(i), NVME_OK);
    ck_assert_int_eq(submit(15), NVME_E_BUSY);
    ck_assert_uint_eq(fake_stats(queue).busy_rejects, 1);
    nvme_ring(queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 15);
    ck_assert_int_eq(submit(15), NVME_OK);
    ck_assert_uint_eq(fake_stats(queue).in_flight_peak, 15);
}
END_TEST

START_TEST(smallest_ring)
{
    fake->config.io_depth = 2;
    fake->config.slots = 1;
    start();
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_int_eq(submit(i), NVME_OK);
        ck_assert_int_eq(submit(i + 1), NVME_E_BUSY);
        nvme_ring(queue);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
    ck_assert_uint_eq(fake_ended_count, 100);
}
END_TEST

/* Batches of every size, for several laps of both phases, on a ring that is no power of two. */
START_TEST(laps)
{
    uint32_t next = 0;

    fake->config.io_depth = 13;
    fake->config.slots = 12;
    fake->config.cid = _i & 1 ? NVME_CID_LOWEST : NVME_CID_LIFO;
    fake->config.cq_ring = _i & 2 ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    fake->platform.flags |= _i & 4 ? NVME_PLATFORM_LOADS_ORDERED : 0;
    if (_i & 8)
        fake_unlock();
    fake->platform.flags |= _i & 16 ? NVME_PLATFORM_CQ_PLAIN : 0;
    start();
    for (uint32_t batch = 1; next + batch < FAKE_REQUESTS; batch = batch % 12 + 1) {
        for (uint32_t i = 0; i < batch; i++)
            ck_assert_int_eq(submit(next + i), NVME_OK);
        nvme_ring(queue);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), batch);
        ck_assert_uint_eq(nvme_poll(queue, 0), 0);
        for (uint32_t i = 0; i < batch; i++)
            ck_assert_ptr_eq(fake_ended[next + i], &requests[next + i]);
        next += batch;
    }
    ck_assert_uint_eq(fake_ended_count, next);
    ck_assert_uint_eq(fake_stats(queue).commands, next);
    ck_assert_uint_eq(fake_stats(queue).completions, next);
    ck_assert_uint_eq(fake_stats(queue).protocol_errors, 0);
    if (_i & 4)
        ck_assert_uint_lt(fake->rmbs, next);
    else
        ck_assert_uint_ge(fake->rmbs, next); /* once per entry, admin entries included */
}
END_TEST

START_TEST(identifiers_lowest)
{
    static const uint32_t expected[] = {0, 1, 2, 3, 1, 3};

    fake->config.cid = NVME_CID_LOWEST;
    fake->config.cid_generation = false;
    fake->config.slots = 4;
    start();
    for (uint32_t i = 0; i < 4; i++)
        submit(i);
    nvme_ring(queue);
    fake_fetch(1);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[i]), expected[i]);
    fake_complete(1, 3, 0); /* identifier 3, then 1 */
    fake_complete(1, 1, 0);
    nvme_poll(queue, 0);
    submit(4);
    submit(5);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[2]), expected[4]);
    ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[3]), expected[5]);
}
END_TEST

START_TEST(identifiers_lifo)
{
    fake->config.slots = 4;
    fake->config.cid_generation = false;
    fake->config.cid_base = 1023;
    start();
    for (uint32_t i = 0; i < 4; i++)
        submit(i);
    nvme_ring(queue);
    fake_fetch(1);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[i]), 1023 + i);
    fake_complete(1, 3, 0);
    fake_complete(1, 1, 0);
    nvme_poll(queue, 0);
    submit(4);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[2]), 1024); /* the last to be freed */
}
END_TEST

/* More slots than one word, and one level, of the bitmap: all are handed out, lowest first. */
START_TEST(identifiers_lowest_of_many)
{
    fake->cap |= 0xFFFF;
    fake->config.cid = NVME_CID_LOWEST;
    fake->config.cid_generation = false;
    fake->config.io_depth = 602;
    fake->config.slots = 599;
    start();
    for (uint32_t lap = 0; lap < 2; lap++) {
        for (uint32_t i = 0; i < 599; i++)
            ck_assert_int_eq(submit(i), NVME_OK);
        ck_assert_int_eq(submit(599), NVME_E_BUSY);
        nvme_ring(queue);
        fake_fetch(1);
        for (uint32_t i = 0; i < 599; i++)
            ck_assert_uint_eq(fake_cid(&fake->queues[1].fetched[i]), i);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 599);
    }
}
END_TEST

START_TEST(doorbells_per_batch)
{
    start();
    for (uint32_t i = 0; i < 10; i++)
        submit(i);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 0);
    nvme_ring(queue);
    nvme_ring(queue); /* nothing new: no write */
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 1);
    ck_assert_uint_eq(fake_last(fake_doorbell(1, false)), 10);
    ck_assert(fake->log[0].publish && fake->log[0].value == 10); /* entries 0 to 9 */
    fake_run(1);
    nvme_poll(queue, 0);
    for (uint32_t i = 0; i < 10; i++)
        submit(i);
    nvme_ring(queue);
    ck_assert_uint_eq(fake->log[fake->log_count - 2].value, (10u << 16) | 10); /* over the end */
    ck_assert_uint_eq(fake_last(fake_doorbell(1, false)), 4);
    ck_assert_uint_eq(fake_stats(queue).sq_doorbells, 2);
}
END_TEST

START_TEST(doorbells_per_command)
{
    fake->config.ring = NVME_RING_PER_COMMAND;
    if (_i)
        fake_unlock();
    start();
    for (uint32_t i = 0; i < 10; i++) {
        submit(i);
        ck_assert_uint_eq(fake_last(fake_doorbell(1, false)), i + 1);
    }
    nvme_ring(queue);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 10);
    ck_assert_uint_eq(fake_stats(queue).sq_doorbells, 10);
}
END_TEST

START_TEST(completion_doorbells)
{
    bool each = _i == 1;

    fake->config.cq_ring = each ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    start();
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), 0); /* found nothing: no write */
    for (uint32_t i = 0; i < 10; i++)
        submit(i);
    nvme_ring(queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 4), 4); /* up to max */
    ck_assert_uint_eq(fake_last(fake_doorbell(1, true)), 4);
    ck_assert_uint_eq(nvme_poll(queue, 0), 6);
    ck_assert_uint_eq(fake_last(fake_doorbell(1, true)), 10);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), each ? 10 : 2);
    ck_assert_uint_eq(fake_stats(queue).cq_doorbells, each ? 10 : 2);
    ck_assert_uint_eq(fake_stats(queue).polls, 3);
    ck_assert_uint_eq(fake_stats(queue).empty_polls, 1);
}
END_TEST

START_TEST(poll_unmasks)
{
    fake->config.poll_unmasks = true;
    fake->config.irq = (enum nvme_irq_mode)_i;
    start();
    submit(0);
    nvme_ring(queue);
    nvme_poll(queue, 0);
    fake_run(1);
    nvme_poll(queue, 0);
    nvme_poll_quiet(queue, 0);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMC), _i == NVME_IRQ_MSIX ? 0 : 2);
    ck_assert_uint_eq(fake_stats(queue).unmask_writes, _i == NVME_IRQ_MSIX ? 0 : 2);
    if (_i != NVME_IRQ_MSIX) { /* the last thing of a poll */
        ck_assert_uint_eq(fake->log[fake->log_count - 1].offset, NVME_REG_INTMC);
        ck_assert_uint_eq(fake->log[fake->log_count - 1].value, 1);
    }
}
END_TEST

START_TEST(waiting_in_order)
{
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.slots = 3;
    start();
    for (uint32_t i = 0; i < 10; i++)
        ck_assert_int_eq(submit(i), NVME_OK);
    ck_assert_uint_eq(fake_stats(queue).waits, 7);
    ck_assert_uint_eq(nvme_in_flight(queue), 3);
    nvme_ring(queue);
    fake_fetch(1);
    fake_complete(1, 1, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1); /* a slot is free: request 3 goes, and is rung */
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 3);
    ck_assert_uint_eq(fake->queues[1].fetched[2].cdw10_11, 3);
    ck_assert_int_eq(submit(10), NVME_OK); /* no overtaking */
    for (uint32_t i = 0; i < 10; i++) {
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 11);
    ck_assert_ptr_eq(fake_ended[0], &requests[1]);
    for (uint32_t i = 3; i < 11; i++)
        ck_assert_ptr_eq(fake_ended[i], &requests[i]);
    ck_assert_uint_eq(fake_stats(queue).in_flight_peak, 3);
}
END_TEST

/* A waiting request for which the platform has no mapping ends by itself. */
START_TEST(waiting_request_fails_to_map)
{
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.slots = 1;
    start();
    submit(0);
    fake_request(&requests[1], NVME_OP_READ, 0, 8, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[1]), NVME_OK);
    submit(2);
    nvme_ring(queue);
    fake->map_fail_after = 0;
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 2);
    ck_assert_int_eq(requests[1].error, NVME_E_NO_MEMORY);
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_ended_count, 3);
}
END_TEST

static void resubmit(struct nvme_request *request)
{
    ck_assert_int_eq(fake->lock_depth, 0);
    fake_ended_count++;
    if (fake_ended_count < 50) {
        ck_assert_int_eq(nvme_submit(queue, request), NVME_OK);
        nvme_ring(queue);
    }
}

START_TEST(done_may_submit)
{
    fake->config.slots = 1; /* its own slot is free again by then */
    fake->config.cq_ring = _i ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    start();
    fake_registered(&requests[0], NVME_OP_READ, 0, 1, buffer);
    requests[0].done = resubmit;
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    nvme_ring(queue);
    for (uint32_t i = 0; i < 60; i++) {
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 50);
    ck_assert_uint_eq(fake_stats(queue).commands, 50);
}
END_TEST

/* The identifier is used again only after the CQ doorbell has released its entry (host rule S7). */
START_TEST(cq_doorbell_comes_before_the_next_piece)
{
    fake->config.split = NVME_SPLIT_SERIAL;
    start();
    fake_registered(&requests[0], NVME_OP_READ, 0, 512, fake_buffer(512 * 512, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    fake_run(1);
    fake_forget();
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake->log_count, 3);
    ck_assert_uint_eq(fake->log[0].offset, fake_doorbell(1, true));
    ck_assert(fake->log[1].publish);
    ck_assert_uint_eq(fake->log[2].offset, fake_doorbell(1, false));
}
END_TEST

START_TEST(without_locks_the_short_path_is_taken)
{
    fake_unlock();
    start();
    for (uint32_t lap = 0; lap < 5; lap++) {
        for (uint32_t i = 0; i < 15; i++)
            ck_assert_int_eq(submit(lap * 15 + i), NVME_OK);
        ck_assert_int_eq(submit(75), NVME_E_BUSY);
        nvme_ring(queue);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 15);
    }
    ck_assert_uint_eq(fake_ended_count, 75);
    ck_assert_uint_eq(fake_stats(queue).bytes_read, 75 * 512);
    ck_assert_uint_eq(fake_stats(queue).direct, 75);
    ck_assert_uint_eq(fake_stats(queue).busy_rejects, 5);
    submit(0); /* and what is in flight there ends at a reset */
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 76);
    ck_assert_int_eq(requests[0].error, NVME_E_STATE);
}
END_TEST

START_TEST(queues_are_independent)
{
    struct nvme_queue *second;

    fake->config.io_queues = 2;
    start();
    second = nvme_get_queue(fake->nvme, 1);
    submit(0);
    fake_registered(&requests[1], NVME_OP_READ, 1, 1, buffer);
    ck_assert_int_eq(nvme_submit(second, &requests[1]), NVME_OK);
    nvme_ring(second);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 0);
    ck_assert_uint_eq(fake_writes(fake_doorbell(2, false)), 1);
    fake_run(2);
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(nvme_poll(second, 0), 1);
    ck_assert_ptr_eq(fake_ended[0], &requests[1]);
}
END_TEST

Suite *suite_queue(void)
{
    Suite *suite = suite_create("driver queues");
    TCase *tcase = tcase_create("queues");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, full_ring_rejects);
    tcase_add_test(tcase, smallest_ring);
    tcase_add_loop_test(tcase, laps, 0, 32);
    tcase_add_test(tcase, identifiers_lowest);
    tcase_add_test(tcase, identifiers_lifo);
    tcase_add_test(tcase, identifiers_lowest_of_many);
    tcase_add_test(tcase, doorbells_per_batch);
    tcase_add_loop_test(tcase, doorbells_per_command, 0, 2);
    tcase_add_loop_test(tcase, completion_doorbells, 0, 2);
    tcase_add_loop_test(tcase, poll_unmasks, NVME_IRQ_NONE, NVME_IRQ_MSIX + 1);
    tcase_add_test(tcase, waiting_in_order);
    tcase_add_test(tcase, waiting_request_fails_to_map);
    tcase_add_loop_test(tcase, done_may_submit, 0, 2);
    tcase_add_test(tcase, cq_doorbell_comes_before_the_next_piece);
    tcase_add_test(tcase, without_locks_the_short_path_is_taken);
    tcase_add_test(tcase, queues_are_independent);
    suite_add_tcase(suite, tcase);
    return suite;
}
