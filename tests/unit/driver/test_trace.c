/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Trace points (nvme/trace.h): which events, in which order, with which numbers. This file is in
 * every runner of the driver core; where the core was compiled without NVME_TRACING nothing at all
 * may come. That nothing is left in the object code is tests/check/trace_free.sh.
 */
#include <nvme/trace.h>

#include "fake.h"
#include "suites.h"

#if defined(NVME_TRACING)
#define TRACING true
#else
#define TRACING false
#endif

static struct nvme_request requests[4];

static void forget(void)
{
    fake->trace_count = 0;
}

static void expect(uint32_t index, unsigned event, uint16_t qid, uint64_t a, uint64_t b)
{
    const struct fake_trace *trace = &fake->traces[index];

    ck_assert_uint_lt(index, fake->trace_count);
    ck_assert_uint_eq(trace->event, event);
    ck_assert_uint_eq(trace->qid, qid);
    ck_assert_uint_eq(trace->a, a);
    ck_assert_uint_eq(trace->b, b);
}

static uint32_t count(unsigned event)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < fake->trace_count; i++)
        found += fake->traces[i].event == event;
    return found;
}

/* Two reads, one with a status; on the short path (1) and on the general one (0). */
START_TEST(life_of_two_requests)
{
    struct nvme_queue *queue;
    uint32_t cids[2];

    if (_i)
        fake_unlock();
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    forget();
    for (uint32_t i = 0; i < 2; i++) {
        fake_registered(&requests[i], NVME_OP_READ, 40 + i, 1, fake_buffer(4096, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    fake_fetch(1);
    cids[0] = fake_cid(&fake->queues[1].fetched[0]);
    cids[1] = fake_cid(&fake->queues[1].fetched[1]);
    fake_complete(1, 0, 0);
    fake_complete(1, 0, 0x4080);
    nvme_interrupt(fake->nvme, 1);
    if (!TRACING) {
        ck_assert_uint_eq(fake->trace_count, 0);
        return;
    }
    expect(0, NVME_TRACE_SUBMIT, 1, NVME_OP_READ, 40);
    expect(1, NVME_TRACE_SUBMIT, 1, NVME_OP_READ, 41);
    expect(2, NVME_TRACE_RING, 1, 2, 2);
    expect(3, NVME_TRACE_ENTRY, 1, cids[0], 0);
    expect(4, NVME_TRACE_ENTRY, 1, cids[1], 0x4080);
    expect(5, NVME_TRACE_END, 1, 40, 0);
    expect(6, NVME_TRACE_END, 1, 41, 0x4080);
    expect(7, NVME_TRACE_INTERRUPT, 0, 1, 2);
    ck_assert_uint_eq(fake->trace_count, 8);
}
END_TEST

START_TEST(bring_up_and_reset)
{
    uint32_t phases;

    fake_start();
    if (!TRACING) {
        ck_assert_uint_eq(fake->trace_count, 0);
        return;
    }
    phases = count(NVME_TRACE_PHASE);
    ck_assert_uint_ge(phases, 10);
    ck_assert_uint_eq(count(NVME_TRACE_ADMIN_SEND), count(NVME_TRACE_ADMIN_END));
    ck_assert_uint_eq(fake->traces[0].event, NVME_TRACE_PHASE);
    for (uint32_t i = 0; i + 1 < fake->trace_count; i++)
        if (fake->traces[i].event == NVME_TRACE_ADMIN_SEND) {
            const struct fake_trace *end = &fake->traces[i + 1];

            ck_assert_uint_eq(end->event, NVME_TRACE_ADMIN_END);
            ck_assert_uint_eq(end->a, fake->traces[i].b);
            ck_assert_uint_eq(end->b, 0);
        }
    forget();
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    expect(0, NVME_TRACE_RESET, 0, 0, 0);
    ck_assert_uint_eq(count(NVME_TRACE_PHASE), phases);
    ck_assert_uint_eq(count(NVME_TRACE_FAILED), 0);
}
END_TEST

START_TEST(late_admin_command)
{
    fake->hold_admin = fake->admin_hold_ends_at_reset = true;
    fake->config.admin_timeout_ms = 20;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_E_TIMEOUT);
    ck_assert_uint_eq(count(NVME_TRACE_ADMIN_LATE), TRACING);
    ck_assert_uint_eq(count(NVME_TRACE_FAILED), TRACING);
    if (!TRACING)
        return;
    for (uint32_t i = 0; i < fake->trace_count; i++)
        if (fake->traces[i].event == NVME_TRACE_ADMIN_LATE) {
            expect(i, NVME_TRACE_ADMIN_LATE, 0, NVME_ADMIN_IDENTIFY, fake->traces[i].b);
            expect(i + 1, NVME_TRACE_FAILED, 0, (uint64_t)-NVME_E_TIMEOUT, 0);
        }
}
END_TEST

static enum nvme_state step_at(uint64_t ms)
{
    fake->now_ns = ms * 1000000u;
    return nvme_step(fake->nvme, fake->now_ns);
}

/* A read that never ends: late, aborted, the Abort refused, and the core resets the controller. */
START_TEST(late_command_aborted_then_recovered)
{
    struct nvme_admin_stats stats = {0};
    struct nvme_queue *queue;
    uint32_t cid;

    fake->config.io_timeout_ms = 100;
    fake->config.recovery = NVME_RECOVERY_RESET;
    fake->abort = FAKE_REFUSES;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    step_at(1000);
    fake_registered(&requests[0], NVME_OP_READ, 40, 1, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    cid = fake_cid(&fake->queues[1].fetched[0]);
    step_at(1025);
    forget();
    for (uint64_t ms = 1125; ms < 1200 && stats.resets == 0; ms++) {
        step_at(ms);
        nvme_get_admin_stats(fake->nvme, &stats);
    }
    ck_assert_uint_eq(stats.resets, 1);
    ck_assert_uint_eq(count(NVME_TRACE_LATE), TRACING);
    ck_assert_uint_eq(count(NVME_TRACE_ABORT), TRACING);
    ck_assert_uint_eq(count(NVME_TRACE_RECOVER), TRACING);
    for (uint32_t i = 0; i < fake->trace_count; i++) {
        if (fake->traces[i].event == NVME_TRACE_LATE)
            expect(i, NVME_TRACE_LATE, 1, cid, 0);
        if (fake->traces[i].event == NVME_TRACE_ABORT)
            expect(i, NVME_TRACE_ABORT, 1, cid, 0);
        if (fake->traces[i].event == NVME_TRACE_RECOVER)
            expect(i, NVME_TRACE_RECOVER, 0, (uint64_t)-NVME_E_TIMEOUT, 0);
    }
}
END_TEST

START_TEST(operation_may_be_missing)
{
    fake->ops.trace = NULL;
    fake_start();
    ck_assert_uint_eq(fake->trace_count, 0);
}
END_TEST

Suite *suite_trace(void)
{
    Suite *suite = suite_create("driver trace points");
    TCase *tcase = tcase_create("trace");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, life_of_two_requests, 0, 2);
    tcase_add_test(tcase, bring_up_and_reset);
    tcase_add_test(tcase, late_admin_command);
    tcase_add_test(tcase, late_command_aborted_then_recovered);
    tcase_add_test(tcase, operation_may_be_missing);
    suite_add_tcase(suite, tcase);
    return suite;
}
