/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Another try for a request whose status allows it (config.retries, NVMe 1.4 section 4.6.1): which
 * statuses, how often, and after which delay.
 */
#include "fake.h"
#include "internal.h"
#include "suites.h"

#define MS  1000000ull
#define DNR 0x4000u

static struct nvme_queue *queue;
static struct nvme_request request;

static void start(bool short_path, uint32_t retries)
{
    fake->config.retries = (uint8_t)retries;
    if (short_path)
        fake_unlock();
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_registered(&request, NVME_OP_READ, 8, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
}

static void answer(uint16_t status)
{
    fake_complete(1, 0, status);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    fake_fetch(1);
}

static uint64_t retries(void)
{
    struct nvme_queue_stats stats;

    nvme_get_queue_stats(queue, &stats);
    return stats.retries;
}

START_TEST(which_statuses)
{
    static const struct {
        uint16_t status;
        bool again;
    } cases[] = {{0x004, true},  {0x006, true},  {0x021, true},        {0x022, true},
                 {0x082, true},  {0x281, true},  {0x280, true},        {0x370, true},
                 {0x001, false}, {0x002, false}, {0x080, false},       {0x083, false},
                 {0x182, false}, {0x285, false}, {0x286, false},       {0x7C0, false},
                 {0x020, false}, {0x05, false},  {0x281 | DNR, false}, {0x006 | DNR, false}};

    start((_i & 1) == 0, 1);
    answer(cases[_i / 2].status);
    ck_assert_uint_eq(fake_ended_count, !cases[_i / 2].again);
    ck_assert_uint_eq(retries(), cases[_i / 2].again);
    ck_assert_uint_eq(fake->queues[1].in_flight, cases[_i / 2].again);
    if (cases[_i / 2].again) {
        ck_assert_uint_eq(fake->queues[1].fetched[0].cdw10_11, 8);
        answer(0);
        ck_assert_int_eq(request.error, NVME_OK);
        ck_assert_uint_eq(request.status, 0);
    } else {
        ck_assert_int_eq(request.error, NVME_E_STATUS);
        ck_assert_uint_eq(request.status, cases[_i / 2].status);
    }
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

START_TEST(as_often_as_configured)
{
    start(true, (uint32_t)_i);
    for (int i = 0; i < _i; i++) {
        answer(0x281);
        ck_assert_uint_eq(fake_ended_count, 0);
    }
    answer(0x281);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_E_STATUS);
    ck_assert_uint_eq(request.status, 0x281);
    ck_assert_uint_eq(retries(), (uint64_t)_i);
}
END_TEST

/* One piece fails: the whole request begins again, once the other piece has ended. */
START_TEST(split_request_is_sent_whole)
{
    fake->config.retries = 1;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_request(&request, NVME_OP_READ, 0, 512, fake_buffer(262144, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    answer(0x281);
    ck_assert_uint_eq(fake->queues[1].in_flight, 1);
    answer(0);
    ck_assert_uint_eq(fake->queues[1].in_flight, 2);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_mem_eq(request.buffer, fake_disk, 262144);
}
END_TEST

/* The same where the other piece still waits for a slot. */
START_TEST(split_request_of_which_a_piece_waits_is_sent_whole)
{
    fake->config.retries = 1;
    fake->config.slots = 1;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_request(&request, NVME_OP_READ, 0, 512, fake_buffer(262144, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    answer(0x281);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(retries(), 1);
    answer(0);
    answer(0);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq(request.status, 0);
}
END_TEST

/* CRD names one of three delays, in 100 ms (5.15.2.2), if both sides have agreed on it. */
START_TEST(after_the_delay_that_the_controller_names)
{
    start(true, 1);
    fake->nvme->info.retry_delays = _i != 2;
    fake->nvme->info.retry_delay_100ms[1] = 3;
    fake->now_ns = 5000 * MS;
    answer(0x281 | 2u << 11);
    if (_i == 2) {
        ck_assert_uint_eq(fake->queues[1].in_flight, 1);
        return;
    }
    fake->now_ns = 5300 * MS - 1;
    nvme_poll(queue, 0);
    nvme_step(fake->nvme, fake->now_ns);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 0);
    ck_assert_uint_eq(fake_ended_count, 0);
    fake->now_ns++;
    if (_i)
        nvme_poll(queue, 0);
    else
        nvme_step(fake->nvme, fake->now_ns);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 1);
    answer(0);
    ck_assert_int_eq(request.error, NVME_OK);
}
END_TEST

/* What stops the controller ends those that wait, with the status that they had. */
START_TEST(status_survives_a_stop)
{
    start(true, 1);
    fake->nvme->info.retry_delays = true;
    fake->nvme->info.retry_delay_100ms[0] = 3;
    answer(0x281 | 1u << 11);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_E_STATUS);
    ck_assert_uint_eq(request.status, 0x281 | 1u << 11);
}
END_TEST

Suite *suite_retry(void)
{
    Suite *suite = suite_create("driver retries");
    TCase *tcase = tcase_create("retries");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, which_statuses, 0, 40);
    tcase_add_loop_test(tcase, as_often_as_configured, 0, 4);
    tcase_add_test(tcase, split_request_is_sent_whole);
    tcase_add_test(tcase, split_request_of_which_a_piece_waits_is_sent_whole);
    tcase_add_loop_test(tcase, after_the_delay_that_the_controller_names, 0, 3);
    tcase_add_test(tcase, status_survives_a_stop);
    suite_add_tcase(suite, tcase);
    return suite;
}
