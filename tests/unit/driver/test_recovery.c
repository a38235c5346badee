/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The core resets a controller that has failed (config.recovery, NVMe 1.4 section 7.3.2): requests
 * end or are sent again, each exactly once and in their order; the number of resets is bounded; a
 * device that is gone is not reset.
 */
#include "fake.h"
#include "suites.h"

#define MS 1000000ull

static struct nvme_queue *queue;
static struct nvme_request requests[16];

static void setup(void)
{
    fake_create();
    fake->config.recovery = NVME_RECOVERY_RESET;
    fake->config.after_reset = NVME_AFTER_RESET_REISSUE;
    fake->config.full = NVME_FULL_QUEUE;
    fake->ready_reads = 3;
}

static void start(bool short_path)
{
    if (short_path)
        fake_unlock();
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static void send(uint32_t i, bool registered)
{
    uint8_t *buffer = fake_buffer(4096, 4096, 0);

    if (registered)
        fake_registered(&requests[i], NVME_OP_READ, i * 8, 8, buffer);
    else
        fake_request(&requests[i], NVME_OP_READ, i * 8, 8, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
}

static uint64_t resets(void)
{
    struct nvme_admin_stats s;

    nvme_get_admin_stats(fake->nvme, &s);
    return s.resets;
}

static void run_out(uint32_t expected)
{
    for (uint32_t i = 0; i < 40 && fake_ended_count < expected; i++) {
        fake_run(1);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, expected);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    for (uint32_t i = 0; i < expected; i++)
        ck_assert_uint_eq((uintptr_t)requests[i].user, 1);
}

/* CFS with requests in flight, of both paths, one split, more than there are slots. */
START_TEST(everything_is_sent_again_in_its_order)
{
    static const uint64_t lbas[] = {0, 8, 16, 1000, 1256, 32, 40, 48};
    uint32_t allocs;

    fake->config.slots = 8;
    start(_i == 0);
    for (uint32_t i = 0; i < 15; i++)
        if (i == 3) {
            fake_request(&requests[3], NVME_OP_READ, 1000, 512, fake_buffer(262144, 4096, 0));
            ck_assert_int_eq(nvme_submit(queue, &requests[3]), NVME_OK);
        } else {
            send(i, (i & 1) != 0);
        }
    nvme_ring(queue);
    fake_fetch(1);
    fake_complete(1, 4, 0); /* half of the split one has ended */
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 0);
    allocs = fake->allocs;
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_OK);
    ck_assert_uint_eq(fake->allocs, allocs);
    ck_assert_uint_eq(fake_ended_count, 0);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 8);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_uint_eq(fake->queues[1].fetched[i].cdw10_11, lbas[i]);
    run_out(15);
    for (uint32_t i = 0; i < 15; i++)
        ck_assert_int_eq(requests[i].error, NVME_OK);
    ck_assert_mem_eq(fake_cpu(requests[5].bus, 4096), fake_disk + 40 * 512, 4096);
    ck_assert_mem_eq(requests[3].buffer, fake_disk + 1000 * 512, 262144);
    ck_assert_uint_eq(fake->mapped, 0);
    ck_assert_uint_eq(resets(), 1);
    ck_assert_uint_eq(fake_stats(queue).reissued, 8); /* and one has followed the half */
}
END_TEST

START_TEST(or_everything_ends)
{
    fake->config.after_reset = NVME_AFTER_RESET_FAIL;
    start(_i == 0);
    for (uint32_t i = 0; i < 4; i++)
        send(i, i < 2);
    nvme_ring(queue);
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(requests[i].error, NVME_E_STATE);
    ck_assert_uint_eq(fake_stats(queue).reissued, 0);
}
END_TEST

START_TEST(nothing_ends_while_the_device_may_write)
{
    fake->config.after_reset = NVME_AFTER_RESET_FAIL;
    start(false);
    send(0, false);
    nvme_ring(queue);
    fake_fetch(1);
    fake->csts |= NVME_CSTS_CFS;
    fake->never_unready = true;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    /* CAP.TO is 2 s: three resets, and the last disable. */
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 8100 * MS), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
    fake->never_unready = false;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

START_TEST(submit_while_recovering)
{
    fake->config.full = _i ? NVME_FULL_REJECT : NVME_FULL_QUEUE;
    start(true);
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    fake_registered(&requests[0], NVME_OP_READ, 8, 8, fake_buffer(4096, 4096, 0));
    if (_i) {
        ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_BUSY);
        return;
    }
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    fake_registered(&requests[1], NVME_OP_READ, FAKE_BLOCKS, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[1]), NVME_OK); /* checked afterwards */
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[1].error, NVME_E_RANGE);
    run_out(2);
    ck_assert_int_eq(requests[0].error, NVME_OK);
}
END_TEST

/* NVME_RING_LAST: what waits to be rung waits for the controller, too. */
START_TEST(the_last_of_a_batch_rings_nothing_while_recovering)
{
    fake->config.ring = NVME_RING_LAST;
    start(false);
    fake_request(&requests[0], NVME_OP_READ, 8, 8, fake_buffer(4096, 4096, 0));
    requests[0].flags |= NVME_REQ_MORE;
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    fake_forget();
    send(1, false);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 0);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    run_out(2);
    ck_assert_int_eq(requests[0].error, NVME_OK);
    ck_assert_int_eq(requests[1].error, NVME_OK);
}
END_TEST

/* The namespace has shrunk meanwhile. */
START_TEST(namespaces_may_have_changed)
{
    start(true);
    send(0, true);
    send(1, true);
    nvme_ring(queue);
    fake->csts |= NVME_CSTS_CFS;
    fake->ns[0].blocks = 8;
    nvme_step(fake->nvme, fake->now_ns);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[1].error, NVME_E_RANGE);
    run_out(2);
    ck_assert_int_eq(requests[0].error, NVME_OK);
}
END_TEST

START_TEST(resets_in_a_row_are_bounded)
{
    fake->config.reset_limit = 2;
    start(true);
    send(0, true);
    nvme_ring(queue);
    for (uint32_t i = 0; i < 2; i++) {
        fake->csts |= NVME_CSTS_CFS;
        ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
        ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    }
    ck_assert_uint_eq(fake_ended_count, 0);
    fake->csts |= NVME_CSTS_CFS;
    nvme_step(fake->nvme, fake->now_ns);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_FAILED);
    ck_assert_uint_eq(resets(), 2);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_STATE);
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_STATE);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK); /* the caller may try */
}
END_TEST

START_TEST(a_completed_command_makes_the_row_new)
{
    fake->config.reset_limit = 1;
    start(true);
    for (uint32_t i = 0; i < 4; i++) {
        send(i, true);
        nvme_ring(queue);
        run_out(i + 1);
        fake->csts |= NVME_CSTS_CFS;
        nvme_step(fake->nvme, fake->now_ns);
        ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    }
    ck_assert_uint_eq(resets(), 4);
}
END_TEST

START_TEST(removal_ends_everything_at_once)
{
    start(_i == 0);
    for (uint32_t i = 0; i < 4; i++)
        send(i, i < 2);
    nvme_ring(queue);
    if (_i == 2) { /* in the middle of a recovery */
        fake->csts |= NVME_CSTS_CFS;
        ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    }
    fake->gone = true;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake_ended_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(requests[i].error, NVME_E_GONE);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_uint_eq(resets(), _i == 2);
}
END_TEST

/* An entry that cannot be true is a failure like others, and its request is sent again. */
START_TEST(impossible_entry)
{
    start(true);
    send(0, true);
    nvme_ring(queue);
    fake_fetch(1);
    fake_post(1, 0, 0, 9, 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_DEVICE);
    ck_assert_int_eq(fake_settle(NVME_STATE_RECOVERING, 10000 * MS), NVME_STATE_READY);
    run_out(1);
    ck_assert_int_eq(requests[0].error, NVME_OK);
}
END_TEST

/* A command that is late again and again ends after as many tries as resets are allowed. */
START_TEST(late_ones_are_not_sent_for_ever)
{
    uint32_t others = 0;

    fake->config.io_timeout_ms = 100;
    fake->config.late = NVME_LATE_RESET;
    fake->config.reset_limit = 2;
    start(false);
    send(0, false);
    nvme_ring(queue);
    for (uint32_t ms = 0; ms < 2000 && (uintptr_t)requests[0].user == 0; ms++) {
        if (ms % 20 == 0 && nvme_state(fake->nvme) == NVME_STATE_READY) {
            fake_request(&requests[1], NVME_OP_FLUSH, 0, 0, NULL); /* others do end */
            ck_assert_int_eq(nvme_submit(queue, &requests[1]), NVME_OK);
            nvme_ring(queue);
            fake_fetch(1);
            fake_complete(1, fake->queues[1].in_flight - 1, 0);
            nvme_poll(queue, 0);
            others++;
        }
        fake->now_ns += MS;
        nvme_step(fake->nvme, fake->now_ns);
    }
    ck_assert_int_eq(requests[0].error, NVME_E_TIMEOUT);
    ck_assert_uint_eq(fake_ended_count, others + 1);
    ck_assert_uint_eq(resets(), 3);
    ck_assert_uint_eq(fake_stats(queue).reissued, 2);
}
END_TEST

START_TEST(stop_while_recovering)
{
    start(true);
    send(0, true);
    nvme_ring(queue);
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_RECOVERING);
    ck_assert_int_eq(nvme_reset(fake->nvme), NVME_E_BUSY);
    nvme_stop_blocking(fake->nvme);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_STATE);
}
END_TEST

Suite *suite_recovery(void)
{
    Suite *suite = suite_create("driver recovery");
    TCase *tcase = tcase_create("recovery");

    tcase_add_checked_fixture(tcase, setup, fake_destroy);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, everything_is_sent_again_in_its_order, 0, 2);
    tcase_add_loop_test(tcase, or_everything_ends, 0, 2);
    tcase_add_test(tcase, nothing_ends_while_the_device_may_write);
    tcase_add_loop_test(tcase, submit_while_recovering, 0, 2);
    tcase_add_test(tcase, the_last_of_a_batch_rings_nothing_while_recovering);
    tcase_add_test(tcase, namespaces_may_have_changed);
    tcase_add_test(tcase, resets_in_a_row_are_bounded);
    tcase_add_test(tcase, a_completed_command_makes_the_row_new);
    tcase_add_loop_test(tcase, removal_ends_everything_at_once, 0, 3);
    tcase_add_test(tcase, impossible_entry);
    tcase_add_test(tcase, late_ones_are_not_sent_for_ever);
    tcase_add_test(tcase, stop_while_recovering);
    suite_add_tcase(suite, tcase);
    return suite;
}
