/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands that are late (config.io_timeout_ms, late): when that is noticed, the second look, Abort
 * (NVMe 1.4 section 5.1) in each of its outcomes, giving up, and the entry that comes after all.
 */
#include "fake.h"
#include "suites.h"

#define MS      1000000ull
#define TIMEOUT 100u /* ms; a quarter is 25 */

static struct nvme_queue *queue;
static struct nvme_request requests[16];

static void setup(void)
{
    fake_create();
    fake->config.io_timeout_ms = TIMEOUT;
    fake->config.abort_timeout_ms = 40;
    fake->config.bounce_bytes = 8192;
}

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake->now_ns = 1000 * MS;
    nvme_step(fake->nvme, fake->now_ns); /* a mark */
}

/* One read in flight and fetched. */
static uint32_t send(struct nvme_request *request, bool registered)
{
    uint8_t *buffer = fake_buffer(4096, 4096, 0);

    if (registered)
        fake_registered(request, NVME_OP_READ, 8, 8, buffer);
    else
        fake_request(request, NVME_OP_READ, 8, 8, buffer);
    ck_assert_int_eq(nvme_submit(queue, request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    return fake_cid(&fake->queues[1].fetched[fake->queues[1].in_flight - 1]);
}

static enum nvme_state step_at(uint64_t ms)
{
    fake->now_ns = ms * MS;
    return nvme_step(fake->nvme, fake->now_ns);
}

/* The reads' buffers are copied: the controller never has the caller's memory. */
static void give_up(void)
{
    fake->config.late = NVME_LATE_GIVE_UP;
    fake->config.read.direct_min_bytes = 65536;
}

START_TEST(late_from_the_time_out_on_and_not_before)
{
    fake->config.late = NVME_LATE_RESET;
    if (_i)
        fake_unlock();
    start();
    send(&requests[0], true);
    ck_assert_int_eq(step_at(1025), NVME_STATE_READY); /* the mark that covers it */
    fake->now_ns = 1125 * MS - 1;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_uint_eq(fake_stats(queue).timeouts, 0);
    ck_assert_int_eq(step_at(1125), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
    ck_assert_uint_eq(fake_stats(queue).timeouts, 1);
    ck_assert_uint_eq(fake_ended_count, 0); /* the controller may still write */
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_TIMEOUT);
}
END_TEST

/* Stepped every millisecond, at any time after the last mark. */
START_TEST(noticed_before_a_quarter_more)
{
    uint64_t sent = 1000 + (uint64_t)_i, at;

    fake->config.late = NVME_LATE_RESET;
    start();
    for (at = 1000; at <= sent; at++)
        step_at(at);
    send(&requests[0], false);
    while (step_at(at) == NVME_STATE_READY)
        at++;
    ck_assert_uint_ge(at - sent, TIMEOUT);
    ck_assert_uint_le(at - sent, TIMEOUT + TIMEOUT / 4 + 1);
}
END_TEST

START_TEST(without_a_time_out_nothing_is_late)
{
    fake->config.io_timeout_ms = 0;
    start();
    send(&requests[0], false);
    for (uint64_t at = 1000; at < 1000000; at += 50000)
        ck_assert_int_eq(step_at(at), NVME_STATE_READY);
    ck_assert_uint_eq(fake_stats(queue).timeouts, 0);
    ck_assert_uint_eq(fake->aborts, 0);
}
END_TEST

/* The interrupt was lost; the entry is there. */
START_TEST(second_look_finds_it)
{
    start();
    send(&requests[0], false);
    step_at(1025);
    fake_run(1);
    ck_assert_int_eq(step_at(1125), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_OK);
    ck_assert_uint_eq(fake_stats(queue).found_late, 1);
    ck_assert_uint_eq(fake_stats(queue).timeouts, 0);
    ck_assert_uint_eq(fake->aborts, 0);
}
END_TEST

START_TEST(aborted)
{
    uint32_t cid;

    if (_i)
        fake_unlock();
    start();
    cid = send(&requests[0], true);
    step_at(1025);
    ck_assert_int_eq(step_at(1125), NVME_STATE_READY);
    ck_assert_uint_eq(fake->aborts, 1);
    ck_assert_uint_eq(fake->abort_what, 1 | cid << 16);
    ck_assert_int_eq(step_at(1126), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_TIMEOUT);
    ck_assert_uint_eq(requests[0].status, NVME_STATUS_ABORTED);
    ck_assert_uint_eq(fake_stats(queue).timeouts, 1);
    ck_assert_uint_eq(fake_stats(queue).aborts, 1);
    ck_assert_uint_eq(fake_stats(queue).aborts_refused, 0);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    for (uint32_t i = 0; i < 15; i++) /* all identifiers are back */
        send(&requests[i], false);
}
END_TEST

/* An Abort that succeeds with bit 0 set has not aborted. */
START_TEST(refused_abort_leads_to_failure)
{
    fake->abort = FAKE_REFUSES;
    start();
    send(&requests[0], false);
    step_at(1025);
    ck_assert_int_eq(step_at(1125), NVME_STATE_READY);
    ck_assert_uint_eq(fake_stats(queue).aborts_refused, 1);
    ck_assert_int_eq(step_at(1126), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
}
END_TEST

/* Unless the command has ended meanwhile. */
START_TEST(refused_because_it_has_ended)
{
    fake->abort = FAKE_REFUSES;
    start();
    send(&requests[0], false);
    step_at(1025);
    ck_assert_int_eq(step_at(1125), NVME_STATE_READY);
    fake_run(1);
    for (uint64_t at = 1126; at < 1130; at++)
        ck_assert_int_eq(step_at(at), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_OK);
}
END_TEST

/* The Abort says that it has aborted, or nothing, and no entry comes. */
START_TEST(no_entry_until_the_aborts_time_out)
{
    fake->abort = _i ? FAKE_IGNORES : FAKE_FORGETS;
    start();
    send(&requests[0], false);
    step_at(1025);
    step_at(1125);
    fake->now_ns = 1165 * MS - 1;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_int_eq(step_at(1165), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake->aborts, 1);
}
END_TEST

/* Trap 5: given up, the request ends; its entry, when it comes, ends nothing and frees the
 * identifier, which was in no other command until then. */
START_TEST(late_completion_after_time_out)
{
    uint32_t cid, again;

    give_up();
    fake->config.slots = 2;
    fake->config.cid_generation = _i == 0;
    fake->abort = FAKE_FORGETS;
    start();
    memset(requests, 0, sizeof(requests));
    cid = send(&requests[0], false);
    step_at(1025);
    step_at(1125);
    ck_assert_int_eq(step_at(1165), NVME_STATE_READY);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_TIMEOUT);
    ck_assert_uint_eq(requests[0].status, 0);
    ck_assert_uint_eq(fake_stats(queue).quarantined, 1);
    ck_assert_uint_eq(nvme_in_flight(queue), 1);
    for (uint32_t i = 0; i < 5; i++) {
        again = send(&requests[1], false);
        ck_assert_uint_ne(again & 3, cid & 3); /* the other slot */
        fake_registered(&requests[2], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &requests[2]), NVME_E_BUSY);
        fake_complete(1, fake->queues[1].in_flight - 1, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
    ck_assert_uint_eq(fake_ended_count, 6);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 6);
    ck_assert_uint_eq(fake_stats(queue).late_entries, 1);
    ck_assert_uint_eq(fake_stats(queue).quarantined, 0);
    ck_assert_uint_eq(fake_stats(queue).protocol_errors, 0);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    fake_post(1, cid, 0, fake->queues[1].head, 1); /* once more is once too often */
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_stats(queue).protocol_errors, 1);
    send(&requests[1], false);
    send(&requests[2], false);
}
END_TEST

/* The controller could still write to the caller's buffer. */
START_TEST(memory_in_reach_is_not_given_up)
{
    fake->config.late = NVME_LATE_GIVE_UP;
    fake->abort = FAKE_REFUSES;
    start();
    send(&requests[0], _i == 0);
    for (uint64_t at = 1025; at < 1126; at++)
        ck_assert_int_eq(step_at(at), NVME_STATE_READY);
    ck_assert_int_eq(step_at(1126), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake_ended_count, 0);
}
END_TEST

/* Given up without an answer to the Abort: entry and answer must both come, in either order. */
START_TEST(identifier_waits_for_the_aborts_answer)
{
    give_up();
    fake->config.slots = 1;
    fake->abort = FAKE_IGNORES;
    start();
    send(&requests[0], false);
    for (uint64_t at = 1025; at < 1170; at++)
        step_at(at);
    ck_assert_uint_eq(fake_ended_count, 1);
    if (_i) {
        fake_complete(1, 0, 0);
        nvme_poll(queue, 0);
    } else {
        fake_admin_post(fake->abort_cid, 0, 1);
        step_at(1171);
    }
    fake_request(&requests[1], NVME_OP_FLUSH, 0, 0, NULL);
    ck_assert_int_eq(nvme_submit(queue, &requests[1]), NVME_E_BUSY);
    if (_i) {
        fake_admin_post(fake->abort_cid, 0, 1);
        step_at(1171);
    } else {
        fake_complete(1, 0, 0);
        nvme_poll(queue, 0);
    }
    ck_assert_int_eq(nvme_submit(queue, &requests[1]), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(fake_stats(queue).late_entries, 1);
}
END_TEST

/* The entry comes before the Abort's answer: the request ends, its identifier must wait, and
 * whoever waits for a slot goes on when the answer comes. */
START_TEST(no_reuse_before_the_aborts_answer)
{
    fake->config.slots = 1;
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.cid_generation = false;
    fake->abort = FAKE_IGNORES;
    start();
    send(&requests[0], false);
    step_at(1025);
    step_at(1125);
    fake_request(&requests[1], NVME_OP_FLUSH, 0, 0, NULL);
    ck_assert_int_eq(nvme_submit(queue, &requests[1]), NVME_OK);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 0);
    fake_admin_post(fake->abort_cid, 0, 1);
    step_at(1126);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 2);
    ck_assert_uint_eq(fake_stats(queue).aborts_refused, 0);
}
END_TEST

Suite *suite_timeout(void)
{
    Suite *suite = suite_create("driver time-outs");
    TCase *tcase = tcase_create("time-outs");

    tcase_add_checked_fixture(tcase, setup, fake_destroy);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, late_from_the_time_out_on_and_not_before, 0, 2);
    tcase_add_loop_test(tcase, noticed_before_a_quarter_more, 0, 26);
    tcase_add_test(tcase, without_a_time_out_nothing_is_late);
    tcase_add_test(tcase, second_look_finds_it);
    tcase_add_loop_test(tcase, aborted, 0, 2);
    tcase_add_test(tcase, refused_abort_leads_to_failure);
    tcase_add_test(tcase, refused_because_it_has_ended);
    tcase_add_loop_test(tcase, no_entry_until_the_aborts_time_out, 0, 2);
    tcase_add_loop_test(tcase, late_completion_after_time_out, 0, 2);
    tcase_add_loop_test(tcase, memory_in_reach_is_not_given_up, 0, 2);
    tcase_add_loop_test(tcase, identifier_waits_for_the_aborts_answer, 0, 2);
    tcase_add_test(tcase, no_reuse_before_the_aborts_answer);
    suite_add_tcase(suite, tcase);
    return suite;
}
