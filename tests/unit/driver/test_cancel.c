/* SPDX-License-Identifier: BSD-2-Clause
 *
 * nvme_cancel() and nvme_cancel_owner(): requests that wait, that are half issued, that the
 * controller has, and that have ended; from inside done(); and a client that is closed with I/O in
 * flight (NVMe 1.4 section 5.1).
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request requests[16];
static const int mine, theirs;

static void start(uint16_t slots)
{
    fake->config.slots = slots;
    fake->config.full = NVME_FULL_QUEUE;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static void send(uint32_t i, const int *owner)
{
    fake_registered(&requests[i], NVME_OP_READ, i * 8, 8, fake_buffer(4096, 4096, 0));
    requests[i].owner = owner;
    ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
}

static void step(void)
{
    fake->now_ns += 1000000;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
}

START_TEST(waiting)
{
    start(1);
    for (uint32_t i = 0; i < 3; i++)
        send(i, NULL);
    ck_assert_int_eq(nvme_cancel(queue, &requests[1]), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 0); /* not from here */
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[1].error, NVME_E_CANCELLED);
    ck_assert_uint_eq(fake->aborts, 0);
    ck_assert_int_eq(nvme_cancel(queue, &requests[1]), NVME_E_INVAL); /* it has ended */
    nvme_ring(queue);
    for (uint32_t i = 0; i < 2; i++) {
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 3);
    ck_assert_int_eq(requests[2].error, NVME_OK);
    ck_assert_uint_eq(fake_stats(queue).cancelled, 1);
}
END_TEST

START_TEST(in_flight)
{
    uint32_t cid;

    if (_i)
        fake_unlock();
    start(15);
    send(0, NULL);
    send(1, NULL);
    nvme_ring(queue);
    fake_fetch(1);
    cid = fake_cid(&fake->queues[1].fetched[1]);
    ck_assert_int_eq(nvme_cancel(queue, &requests[1]), NVME_OK);
    ck_assert_uint_eq(fake->aborts, 1); /* at once */
    ck_assert_uint_eq(fake->abort_what, 1 | cid << 16);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_ptr_eq(fake_ended[0], &requests[1]);
    ck_assert_int_eq(requests[1].error, NVME_E_CANCELLED);
    ck_assert_uint_eq(requests[1].status, NVME_STATUS_ABORTED);
    step();
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_int_eq(requests[0].error, NVME_OK);
    for (uint32_t i = 0; i < 15; i++)
        send(i, NULL);
    ck_assert_uint_eq(nvme_in_flight(queue), 15);
}
END_TEST

/* The Abort comes too late: the request ends with what its entry says. */
START_TEST(too_late)
{
    fake->abort = FAKE_REFUSES;
    fake->config.retries = 3; /* and a cancelled request is not tried again */
    start(1);
    send(0, NULL);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_int_eq(nvme_cancel(queue, &requests[0]), NVME_OK);
    if (_i & 1)
        step(); /* the answer before the entry, or after it */
    fake_complete(1, 0, _i & 2 ? 0x281 : 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, _i & 2 ? NVME_E_STATUS : NVME_OK);
    step();
    ck_assert_int_eq(nvme_cancel(queue, &requests[0]), NVME_E_INVAL);
    send(1, NULL);
    nvme_ring(queue);
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_int_eq(requests[1].error, NVME_OK);
    ck_assert_uint_eq(fake_stats(queue).protocol_errors, 0);
}
END_TEST

/* 512 blocks are two commands; there is one slot, or one piece at a time. */
START_TEST(half_issued)
{
    fake->config.split = _i ? NVME_SPLIT_SERIAL : NVME_SPLIT_PARALLEL;
    start(1);
    fake_request(&requests[0], NVME_OP_READ, 0, 512, fake_buffer(262144, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_int_eq(nvme_cancel(queue, &requests[0]), NVME_OK);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    step();
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 0); /* no second piece */
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_CANCELLED);
    ck_assert_uint_eq(fake->mapped, 0);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
}
END_TEST

START_TEST(never_submitted)
{
    start(15);
    fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_cancel(queue, &requests[0]), NVME_E_INVAL);
    ck_assert_uint_eq(fake->aborts, 0);
}
END_TEST

/* Owner and others, in flight and waiting; Aborts are few at a time. */
START_TEST(close_with_io_in_flight)
{
    unsigned left;

    fake->abort = _i ? FAKE_REFUSES : FAKE_OBEYS;
    start(8);
    for (uint32_t i = 0; i < 12; i++)
        send(i, i % 3 ? &mine : &theirs);
    nvme_ring(queue);
    fake_fetch(1);
    /* 1 2 4 5 7 in flight; 8 10 11 wait, which may end by the poll that follows */
    ck_assert_uint_eq(nvme_cancel_owner(queue, &mine), 8);
    for (uint32_t i = 0; (left = nvme_cancel_owner(queue, &mine)) != 0; i++) {
        ck_assert_uint_lt(i, 40);
        if (_i && i == 20)
            fake_run(1);
        nvme_poll(queue, 0);
        step();
    }
    for (uint32_t i = 0; i < 12; i++)
        ck_assert_uint_eq((uintptr_t)requests[i].user, i % 3 || (_i && i < 7));
    ck_assert_int_eq(requests[8].error, NVME_E_CANCELLED);
    ck_assert_int_eq(requests[1].error, _i ? NVME_OK : NVME_E_CANCELLED);
    ck_assert_uint_eq(fake_stats(queue).cancelled, 8);
    ck_assert_uint_eq(nvme_cancel_owner(queue, NULL), 0);
    for (uint32_t i = 0; i < 4; i++) {
        step();
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 12);
    ck_assert_int_eq(requests[9].error, NVME_OK);
}
END_TEST

static unsigned seen_inside;

static void cancel_others(struct nvme_request *request)
{
    request->user = (void *)((uintptr_t)request->user + 1);
    seen_inside = nvme_cancel_owner(queue, &mine);
}

/* From inside done() the answer is never 0: the poll may have others of them in its hands. */
START_TEST(from_inside_done)
{
    start(15);
    for (uint32_t i = 0; i < 3; i++)
        send(i, &mine);
    requests[0].done = cancel_others;
    nvme_ring(queue);
    fake_fetch(1);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0); /* 1 is in the same poll; 2 is in flight */
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_uint_eq(seen_inside, 2);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(nvme_cancel_owner(queue, &mine), 0);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq((uintptr_t)requests[i].user, 1);
    ck_assert_int_eq(requests[1].error, NVME_OK);
    ck_assert_int_eq(requests[2].error, NVME_E_CANCELLED);
}
END_TEST

Suite *suite_cancel(void)
{
    Suite *suite = suite_create("driver cancel");
    TCase *tcase = tcase_create("cancel");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, waiting);
    tcase_add_loop_test(tcase, in_flight, 0, 2);
    tcase_add_loop_test(tcase, too_late, 0, 4);
    tcase_add_loop_test(tcase, half_issued, 0, 2);
    tcase_add_test(tcase, never_submitted);
    tcase_add_loop_test(tcase, close_with_io_in_flight, 0, 2);
    tcase_add_test(tcase, from_inside_done);
    suite_add_tcase(suite, tcase);
    return suite;
}
