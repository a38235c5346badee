/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When the tail doorbell is rung (NVMe 1.4 section 3.1.24) by the policies "last" and "at poll":
 * every path of submission, full queues, refused requests, and the poll that may not forget. The
 * policies "per command" and "per batch" are in test_queue.c. That no value is written twice in a
 * row is asserted by the test double at every doorbell.
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request requests[FAKE_REQUESTS];
static uint8_t *buffer;

static void start(enum nvme_ring_policy policy)
{
    fake->config.ring = policy;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(65536, 4096, 0);
}

static int submit(uint32_t i, uint32_t flags)
{
    fake_registered(&requests[i], NVME_OP_READ, i, 1, buffer);
    requests[i].flags |= flags;
    return nvme_submit(queue, &requests[i]);
}

static uint32_t rings(void)
{
    return fake_writes(fake_doorbell(1, false));
}

static uint64_t rung(void)
{
    return fake_last(fake_doorbell(1, false));
}

/* Given requests that are all marked MORE but the last, then one doorbell, on the short path and on
 * the general one, with locks and without. */
START_TEST(last_rings_once_for_a_batch)
{
    if (_i & 1)
        fake_unlock();
    fake->config.cid = _i & 2 ? NVME_CID_LOWEST : NVME_CID_LIFO;
    start(NVME_RING_LAST);
    for (uint32_t i = 0; i < 7; i++)
        ck_assert_int_eq(submit(i, NVME_REQ_MORE), NVME_OK);
    ck_assert_uint_eq(rings(), 0);
    ck_assert_int_eq(submit(7, 0), NVME_OK);
    ck_assert_uint_eq(rings(), 1);
    ck_assert_uint_eq(rung(), 8);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 8);
    nvme_ring(queue);
    ck_assert_uint_eq(rings(), 1);
}
END_TEST

START_TEST(last_rings_every_request_that_stands_alone)
{
    struct nvme_queue_stats stats;

    if (_i & 1)
        fake_unlock();
    start(NVME_RING_LAST);
    for (uint32_t i = 0; i < 40; i++) { /* over the end of the ring, which has 16 entries */
        ck_assert_int_eq(submit(i, 0), NVME_OK);
        ck_assert_uint_eq(rings(), i + 1);
        ck_assert_uint_eq(rung(), (i + 1) % 16);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.sq_doorbells, 40);
}
END_TEST

/* Batches of 5 with MORE over several laps: the ring's last entry is never its own doorbell. */
START_TEST(last_wraps_within_a_batch)
{
    if (_i & 1)
        fake_unlock();
    start(NVME_RING_LAST);
    for (uint32_t i = 0; i < 80; i++) {
        ck_assert_int_eq(submit(i, i % 5 == 4 ? 0 : NVME_REQ_MORE), NVME_OK);
        ck_assert_uint_eq(rings(), (i + 1) / 5);
        if (i % 5 != 4)
            continue;
        ck_assert_uint_eq(rung(), (i + 1) % 16);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 5);
    }
}
END_TEST

/* A caller whose request takes the last slot gets no further one: what it promised to follow with
 * MORE cannot come, and nobody else would ring. */
START_TEST(last_rings_with_the_last_slot)
{
    if (_i & 1)
        fake_unlock();
    fake->config.slots = _i & 2 ? 4 : 15;
    start(NVME_RING_LAST);
    for (uint32_t i = 0; i < fake->config.slots; i++) {
        ck_assert_uint_eq(rings(), 0);
        ck_assert_int_eq(submit(i, NVME_REQ_MORE), NVME_OK);
    }
    ck_assert_uint_eq(rings(), 1);
    ck_assert_uint_eq(rung(), fake->config.slots);
    ck_assert_int_eq(submit(100, NVME_REQ_MORE), NVME_E_BUSY);
    ck_assert_uint_eq(rings(), 1);
}
END_TEST

/* A request that is refused may have been the last: what came before it is rung, as Linux's error
 * paths do (commit_rqs). */
START_TEST(last_rings_what_came_before_a_refusal)
{
    if (_i & 1)
        fake_unlock();
    start(NVME_RING_LAST);
    ck_assert_int_eq(submit(0, NVME_REQ_MORE), NVME_OK);
    ck_assert_int_eq(submit(1, NVME_REQ_MORE), NVME_OK);
    ck_assert_uint_eq(rings(), 0);
    fake_registered(&requests[2], NVME_OP_READ, FAKE_BLOCKS, 1, buffer);
    requests[2].flags |= _i & 2 ? NVME_REQ_MORE : 0;
    ck_assert_int_eq(nvme_submit(queue, &requests[2]), NVME_E_RANGE);
    ck_assert_uint_eq(rings(), 1);
    ck_assert_uint_eq(rung(), 2);
}
END_TEST

/* One doorbell for a request that becomes several commands; none before them with MORE. */
START_TEST(last_rings_once_for_a_split)
{
    fake->config.transfer_cap = 8192;
    start(NVME_RING_LAST);
    fake_registered(&requests[0], NVME_OP_READ, 0, 80, buffer);
    requests[0].flags |= _i ? NVME_REQ_MORE : 0;
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    ck_assert_uint_eq(nvme_in_flight(queue), 5);
    ck_assert_uint_eq(rings(), _i ? 0 : 1);
    if (_i)
        nvme_ring(queue);
    ck_assert_uint_eq(rung(), 5);
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

/* Requests that wait inside the core are issued by a poll, with one doorbell. */
START_TEST(last_rings_once_for_those_that_waited)
{
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.slots = 6;
    start(NVME_RING_LAST);
    for (uint32_t i = 0; i < 10; i++)
        ck_assert_int_eq(submit(i, i == 9 ? 0 : NVME_REQ_MORE), NVME_OK);
    ck_assert_uint_eq(rings(), 1);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 6);
    ck_assert_uint_eq(rings(), 2);
    ck_assert_uint_eq(rung(), 10);
}
END_TEST

/* MORE means nothing to the other policies. */
START_TEST(more_is_a_hint_for_last_alone)
{
    fake_unlock();
    start(_i ? NVME_RING_PER_COMMAND : NVME_RING_PER_BATCH);
    ck_assert_int_eq(submit(0, NVME_REQ_MORE), NVME_OK);
    ck_assert_int_eq(submit(1, 0), NVME_OK);
    ck_assert_uint_eq(rings(), _i ? 2 : 0);
}
END_TEST

/* Given entries of any path, then the next look, whichever function, rings before it looks. */
START_TEST(poll_rings_what_was_deferred)
{
    uint32_t before;

    if (_i & 1)
        fake_unlock();
    start(NVME_RING_AT_POLL);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(submit(i, NVME_REQ_MORE), NVME_OK);
    fake_request(&requests[3], NVME_OP_FLUSH, 0, 0, NULL);
    ck_assert_int_eq(nvme_submit(queue, &requests[3]), NVME_OK);
    ck_assert_uint_eq(fake->log_count, 0);
    before = fake->cq_loads;
    ck_assert_uint_eq(_i & 2 ? nvme_poll_quiet(queue, 0) : nvme_poll(queue, 1), 0);
    ck_assert_uint_eq(fake->cq_loads, before + 1);
    ck_assert_uint_eq(fake->log_count, 2);
    ck_assert(fake->log[0].publish);
    ck_assert_uint_eq(rung(), 4);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 4);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(rings(), 1); /* nothing new, nothing rung */
}
END_TEST

/* Bug 14 of the shadow doorbell list: a state that suppressed the deferred ring. Commands of every
 * kind, of requests that wait, of splits in pieces, full queues: after one poll nothing is unrung,
 * and everything ends. */
START_TEST(nothing_suppresses_the_deferred_ring)
{
    uint32_t ended = 0, next = 0, rounds = 0;

    fake->config.full = NVME_FULL_QUEUE;
    fake->config.split = _i & 1 ? NVME_SPLIT_SERIAL : NVME_SPLIT_PARALLEL;
    fake->config.transfer_cap = 4096;
    fake->config.slots = 5;
    start(NVME_RING_AT_POLL);
    while (ended < 60) {
        for (uint32_t i = 0; i < 3 && next < 60; i++, next++) {
            fake_registered(&requests[next], next % 3 ? NVME_OP_READ : NVME_OP_WRITE, next,
                            1 + next % 29, buffer);
            requests[next].flags |= next % 2 ? NVME_REQ_MORE : 0;
            ck_assert_int_eq(nvme_submit(queue, &requests[next]), NVME_OK);
        }
        nvme_poll(queue, 0);
        ck_assert_uint_eq(fake->queues[1].tail, rung());
        fake_fetch(1);
        ck_assert_uint_eq(fake->queues[1].in_flight, nvme_in_flight(queue));
        fake_run(1);
        ended = fake_ended_count;
        ck_assert_uint_lt(rounds++, 400);
    }
}
END_TEST

START_TEST(deferred_ring_can_be_had_earlier)
{
    start(NVME_RING_AT_POLL);
    ck_assert_int_eq(submit(0, 0), NVME_OK);
    nvme_ring(queue);
    ck_assert_uint_eq(rings(), 1);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(rings(), 1);
}
END_TEST

/* A queue that was closed with entries unrung rings nothing, and begins anew. */
START_TEST(closed_queue_is_not_rung)
{
    start(_i ? NVME_RING_LAST : NVME_RING_AT_POLL);
    ck_assert_int_eq(submit(0, NVME_REQ_MORE), NVME_OK);
    nvme_reset(fake->nvme);
    fake_forget();
    nvme_poll(queue, 0);
    nvme_ring(queue);
    ck_assert_int_eq(submit(1, 0), NVME_E_STATE);
    ck_assert_uint_eq(fake->log_count, 0);
    ck_assert_int_eq(fake_settle(NVME_STATE_STARTING, 1000000000), NVME_STATE_READY);
    ck_assert_int_eq(requests[0].error, NVME_E_STATE);
    ck_assert_int_eq(submit(2, 0), NVME_OK);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(rung(), 1);
}
END_TEST

START_TEST(at_poll_needs_polls)
{
    const char *field = NULL;

    fake->config.ring = NVME_RING_AT_POLL;
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    ck_assert_int_eq(nvme_config_check(&fake->config, &field), NVME_E_INVAL);
    ck_assert_str_eq(field, "ring");
}
END_TEST

Suite *suite_doorbell(void)
{
    Suite *suite = suite_create("driver doorbells");
    TCase *tcase = tcase_create("doorbells");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, last_rings_once_for_a_batch, 0, 4);
    tcase_add_loop_test(tcase, last_rings_every_request_that_stands_alone, 0, 2);
    tcase_add_loop_test(tcase, last_wraps_within_a_batch, 0, 2);
    tcase_add_loop_test(tcase, last_rings_with_the_last_slot, 0, 4);
    tcase_add_loop_test(tcase, last_rings_what_came_before_a_refusal, 0, 4);
    tcase_add_loop_test(tcase, last_rings_once_for_a_split, 0, 2);
    tcase_add_test(tcase, last_rings_once_for_those_that_waited);
    tcase_add_loop_test(tcase, more_is_a_hint_for_last_alone, 0, 2);
    tcase_add_loop_test(tcase, poll_rings_what_was_deferred, 0, 4);
    tcase_add_loop_test(tcase, nothing_suppresses_the_deferred_ring, 0, 2);
    tcase_add_test(tcase, deferred_ring_can_be_had_earlier);
    tcase_add_loop_test(tcase, closed_queue_is_not_rung, 0, 2);
    tcase_add_test(tcase, at_poll_needs_polls);
    suite_add_tcase(suite, tcase);
    return suite;
}
