/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stop and reset (NVMe 1.4 sections 7.6.2, 7.3.2), with and without I/O in flight: every request
 * ends exactly once, not before RDY = 0, and memory is given back or kept as promised.
 */
#include "fake.h"
#include "suites.h"

#define MS     1000000ull
#define FLIGHT 5u

static struct nvme_request requests[FAKE_REQUESTS];

/* FLIGHT reads through four ways: registered, direct, bounced, split. */
static struct nvme_queue *fill(void)
{
    struct nvme_queue *queue = nvme_get_queue(fake->nvme, 0);

    fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    fake_request(&requests[1], NVME_OP_READ, 8, 64, fake_buffer(32768, 4096, 0));
    fake_request(&requests[2], NVME_OP_READ, 99, 1, fake_buffer(512, 4096, 0));
    fake_request(&requests[3], NVME_OP_WRITE, 1000, 2000, fake_buffer(1024000, 4096, 0));
    memset(requests[3].buffer, 0x3C, 1024000);
    fake_request(&requests[4], NVME_OP_FLUSH, 0, 0, NULL);
    for (uint32_t i = 0; i < FLIGHT; i++)
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    nvme_ring(queue);
    ck_assert_uint_eq(nvme_in_flight(queue), 12); /* 2,000 blocks are eight commands */
    return queue;
}

static void setup(void)
{
    fake_create();
    fake->config.bounce_bytes = 8192;
    fake->config.read.direct_min_bytes = 4096;
    fake->config.write.direct_min_bytes = 4096;
}

static void all_ended_once(int error)
{
    ck_assert_uint_eq(fake_ended_count, FLIGHT);
    for (uint32_t i = 0; i < FLIGHT; i++) {
        ck_assert_uint_eq((uintptr_t)requests[i].user, 1);
        ck_assert_int_eq(requests[i].error, error);
    }
    ck_assert_uint_eq(fake->mapped, 0);
}

START_TEST(orderly_stop)
{
    fake->config.io_queues = 2;
    fake_start();
    fake->admin_log_count = 0;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->admin_log_count, 4);
    ck_assert_uint_eq(fake->admin_log[0].command_nsid & 0xFF, NVME_ADMIN_DELETE_SQ);
    ck_assert_uint_eq(fake->admin_log[0].cdw10_11, 1);
    ck_assert_uint_eq(fake->admin_log[1].cdw10_11, 2);
    ck_assert_uint_eq(fake->admin_log[2].command_nsid & 0xFF, NVME_ADMIN_DELETE_CQ);
    ck_assert_uint_eq(fake_writes(NVME_REG_CC), 2); /* SHN = 01b, then EN = 0 */
    ck_assert_uint_eq(fake->log[fake->log_count - 2].value, 0x00464001);
    ck_assert_uint_eq(fake->log[fake->log_count - 1].value, 0x00460000); /* SHN = 00b too */
    ck_assert_uint_eq(fake->live_allocs, 0);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK); /* and again */
}
END_TEST

START_TEST(stop_without_deletes)
{
    fake->config.delete_queues = false;
    fake_start();
    fake->admin_log_count = 0;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->admin_log_count, 0);
}
END_TEST

START_TEST(stop_from_off_is_nothing)
{
    fake_init();
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->log_count, 0);
}
END_TEST

START_TEST(stop_while_starting)
{
    fake->ready_reads = 5;
    fake_init();
    nvme_start(fake->nvme);
    nvme_step(fake->nvme, fake->now_ns);
    fake->ready_reads = 0;
    fake->pending_reads = 0;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

START_TEST(wrong_state)
{
    fake_init();
    ck_assert_int_eq(nvme_reset(fake->nvme), NVME_E_BUSY);
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_start(fake->nvme), NVME_E_BUSY);
    nvme_stop(fake->nvme);
    ck_assert_int_eq(nvme_reset(fake->nvme), NVME_E_BUSY);
    ck_assert_int_eq(nvme_start(fake->nvme), NVME_E_BUSY);
}
END_TEST

START_TEST(reset_with_io_in_flight)
{
    struct nvme_queue *queue;
    uint32_t allocs, seen = 0;

    fake_start();
    queue = fill();
    fake_fetch(1);
    allocs = fake->allocs;
    fake->ready_reads = 3;
    ck_assert_int_eq(nvme_reset(fake->nvme), NVME_OK);
    while (nvme_step(fake->nvme, fake->now_ns) == NVME_STATE_STARTING) {
        if (fake_ended_count == 0 && (fake->csts & NVME_CSTS_RDY))
            seen++; /* the device may still write: nothing has ended */
        if (!(fake->csts & NVME_CSTS_RDY) && !(fake->cc & NVME_CC_EN))
            ck_assert_uint_eq(fake_ended_count, FLIGHT);
        fake->now_ns += MS;
    }
    ck_assert_uint_gt(seen, 0);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
    all_ended_once(NVME_E_STATE);
    ck_assert_uint_eq(fake->allocs, allocs); /* memory was reused */
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    fill(); /* and everything works as before */
    for (uint32_t i = 0; i < 20 && nvme_in_flight(queue); i++) {
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 2 * FLIGHT);
    for (uint32_t i = 0; i < FLIGHT; i++)
        ck_assert_int_eq(requests[i].error, NVME_OK);
}
END_TEST

START_TEST(stop_with_io_in_flight)
{
    fake_start();
    fill();
    fake_fetch(1);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    all_ended_once(NVME_E_STATE);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

START_TEST(waiting_requests_end_too)
{
    struct nvme_queue *queue;

    fake->config.full = NVME_FULL_QUEUE;
    fake->config.slots = 2;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    for (uint32_t i = 0; i < FLIGHT; i++) {
        fake_registered(&requests[i], NVME_OP_READ, i * 1000, i == 1 ? 2000 : 8,
                        fake_buffer(1024000, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    all_ended_once(NVME_E_STATE);
}
END_TEST

START_TEST(no_submit_no_ring_no_reap_once_stopping)
{
    struct nvme_queue *queue;
    struct nvme_request late;
    uint32_t rings;

    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    nvme_stop(fake->nvme);
    rings = fake_writes(fake_doorbell(1, false));
    nvme_ring(queue);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), rings);
    fake_registered(&late, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &late), NVME_E_STATE);
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(fake_ended_count, 0);
}
END_TEST

START_TEST(gone_while_ready)
{
    fake_start();
    fill();
    fake->gone = true;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
    all_ended_once(NVME_E_GONE); /* a device that is gone writes nothing */
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_E_GONE); /* OFF, but not orderly */
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

START_TEST(fatal_status_while_ready)
{
    fake_start();
    fill();
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake_ended_count, 0); /* it may still write */
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    all_ended_once(NVME_E_STATE);
}
END_TEST

START_TEST(ready_stays_set)
{
    fake_start();
    fill();
    fake->never_unready = true;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_E_TIMEOUT);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake_ended_count, 0); /* requests and memory stay until it is safe */
    ck_assert_uint_gt(fake->live_allocs, 0);
    fake->gone = true; /* the port has switched the function off */
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_E_GONE);
    all_ended_once(NVME_E_STATE);
    ck_assert_uint_eq(fake->live_allocs, 0);
    fake->gone = false;
    fake->csts = fake->cc = 0;
}
END_TEST

START_TEST(shutdown_deadline)
{
    fake->config.shutdown_timeout_ms = 50;
    fake_start();
    fake->never_shut = true;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_E_TIMEOUT);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF); /* disabled all the same */
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

START_TEST(refused_delete_does_not_stop_the_stop)
{
    fake_start();
    fake->admin_fail_opcode = NVME_ADMIN_DELETE_SQ;
    fake->admin_fail_status = 0x10C;
    fake->queues[1].sq_exists = true;
    fake_forget();
    nvme_stop(fake->nvme);
    fake->queues[1].sq_exists = false; /* so that the device does not object to the CQ's deletion */
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 10000 * MS), NVME_STATE_OFF);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_OK);
}
END_TEST

START_TEST(silent_delete_does_not_stop_the_stop)
{
    fake_start();
    fake->hold_admin = true;
    fake->config.admin_timeout_ms = 1;
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_E_TIMEOUT);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
}
END_TEST

START_TEST(phases_start_over_after_reset)
{
    struct nvme_queue *queue;

    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    for (uint32_t lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < 21; i++) { /* 16 entries: ends inside a lap of phase 0 */
            fake_registered(&requests[0], NVME_OP_READ, i, 8, fake_buffer(4096, 4096, 0));
            ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
            nvme_ring(queue);
            fake_run(1);
            ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        }
        ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
        ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    }
    ck_assert_uint_eq(fake_ended_count, 63);
}
END_TEST

static void done_stops(struct nvme_request *request)
{
    fake_ended[fake_ended_count++] = request;
    ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
}

/* Given a reset with a request in flight, when its done() calls nvme_stop(), then the controller is
 * stopped, not brought up. */
START_TEST(stop_from_done_during_reset)
{
    fake_start();
    fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    requests[0].done = done_stops;
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &requests[0]), NVME_OK);
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    ck_assert_int_eq(nvme_reset(fake->nvme), NVME_OK);
    while (nvme_step(fake->nvme, fake->now_ns) == NVME_STATE_STARTING)
        fake->now_ns += MS;
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 10000 * MS), NVME_STATE_OFF);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(fake->cc & NVME_CC_EN, 0);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

/* Given ten minutes' deadline for admin commands, the stop of a device that was pulled out ends at
 * once. */
START_TEST(stop_of_a_device_that_is_gone)
{
    fake->config.admin_timeout_ms = 600000;
    fake_start();
    fill();
    fake->gone = true;
    ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_OFF);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
    all_ended_once(NVME_E_STATE);
}
END_TEST

static const struct {
    uint32_t vs, config_ms, rtd3e_us;
    uint64_t limit_ns;
} shutdowns[] = {
    {0x00010400, 50, 20000000, 20000 * MS}, /* the device asks for more */
    {0x00010400, 30000, 20000000, 30000 * MS},
    {0x00010200, 1, 1500, 1500000},
    {0x00010400, 50, 0, 50 * MS},             /* not stated */
    {0x00010400, 50, 0xFFFFFFFF, 60000 * MS}, /* 71 minutes: not believed */
    {0x00010100, 50, 20000000, 50 * MS},      /* reserved before 1.2 */
};

START_TEST(shutdown_takes_its_time)
{
    uint64_t begin;

    fake->vs = shutdowns[_i].vs;
    fake->rtd3e = shutdowns[_i].rtd3e_us;
    fake->config.shutdown_timeout_ms = shutdowns[_i].config_ms;
    fake->config.delete_queues = false;
    fake_start();
    fake->never_shut = true;
    nvme_stop(fake->nvme);
    begin = fake->now_ns;
    ck_assert_int_eq(nvme_step(fake->nvme, begin), NVME_STATE_STOPPING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + shutdowns[_i].limit_ns - 1),
                     NVME_STATE_STOPPING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + shutdowns[_i].limit_ns), NVME_STATE_OFF);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
}
END_TEST

Suite *suite_lifecycle(void)
{
    Suite *suite = suite_create("driver life");
    TCase *tcase = tcase_create("life");

    tcase_add_checked_fixture(tcase, setup, fake_destroy);
    tcase_add_test(tcase, orderly_stop);
    tcase_add_test(tcase, stop_without_deletes);
    tcase_add_test(tcase, stop_from_off_is_nothing);
    tcase_add_test(tcase, stop_while_starting);
    tcase_add_test(tcase, wrong_state);
    tcase_add_test(tcase, reset_with_io_in_flight);
    tcase_add_test(tcase, stop_with_io_in_flight);
    tcase_add_test(tcase, waiting_requests_end_too);
    tcase_add_test(tcase, no_submit_no_ring_no_reap_once_stopping);
    tcase_add_test(tcase, gone_while_ready);
    tcase_add_test(tcase, fatal_status_while_ready);
    tcase_add_test(tcase, ready_stays_set);
    tcase_add_test(tcase, shutdown_deadline);
    tcase_add_test(tcase, refused_delete_does_not_stop_the_stop);
    tcase_add_test(tcase, silent_delete_does_not_stop_the_stop);
    tcase_add_test(tcase, phases_start_over_after_reset);
    tcase_add_test(tcase, stop_from_done_during_reset);
    tcase_add_test(tcase, stop_of_a_device_that_is_gone);
    tcase_add_loop_test(tcase, shutdown_takes_its_time, 0,
                        sizeof(shutdowns) / sizeof(shutdowns[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
