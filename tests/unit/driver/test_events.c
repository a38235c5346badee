/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asynchronous events (NVMe 1.4 section 5.2): every log page that an event names is read, because
 * until then the controller keeps silent about that type, and every request is handed back.
 */
#include "fake.h"
#include "suites.h"

/* The controller reports an event: the request's number, DW0, and the SQ head it knew of. */
static void post_event(uint32_t held, uint32_t result, uint32_t head)
{
    struct fake_queue *q = &fake->queues[0];
    uint16_t cid = fake->aer_cids[held];

    ((struct nvme_cqe *)fake_cpu(q->cq_bus, 16))[q->cq_tail].result = fake_le32(result);
    fake->aer_held--;
    memmove(&fake->aer_cids[held], &fake->aer_cids[held + 1],
            (fake->aer_held - held) * sizeof(cid));
    fake_post(0, cid, 0, head, 0);
}

static void step(uint32_t count)
{
    while (count-- != 0)
        ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
}

static void expect_command(uint32_t at, uint8_t opcode, uint64_t cdw10)
{
    ck_assert_uint_eq(fake_opcode(&fake->admin_log[at]), opcode);
    ck_assert_uint_eq(fake->admin_log[at].cdw10_11, cdw10);
}

START_TEST(event_is_read_and_handed_back)
{
    struct nvme_admin_stats stats;

    fake_start();
    post_event(1, 0x00020101, fake->queues[0].head); /* SMART: temperature; log page 02h */
    step(3);
    nvme_get_admin_stats(fake->nvme, &stats);
    ck_assert_uint_eq(stats.async_events, 1);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_GET_LOG_PAGE], 1);
    ck_assert_uint_eq(fake->admin_log[fake->admin_log_count - 2].cdw10_11, 0x007F0002);
    ck_assert_uint_eq(fake->aer_held, 2); /* held again, once */
}
END_TEST

START_TEST(refused_event_request_is_not_sent_again)
{
    fake_start();
    fake_post(0, fake->aer_cids[0], 0x105, fake->queues[0].head, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_ASYNC_EVENT], 2);
}
END_TEST

/* Given two events of different types before one step, then both log pages are read, one per step,
 * before a request is handed back. */
START_TEST(two_types_are_two_logs)
{
    fake->config.aer_count = 3;
    fake_start();
    fake->admin_log_count = 0;
    post_event(0, 0x00010000, fake->queues[0].head); /* error: log page 01h */
    post_event(0, 0x00020101, fake->queues[0].head); /* SMART: log page 02h */
    step(1);
    ck_assert_uint_eq(fake->admin_log_count, 1);
    step(1);
    ck_assert_uint_eq(fake->admin_log_count, 2);
    step(3);
    ck_assert_uint_eq(fake->admin_log_count, 4);
    expect_command(0, NVME_ADMIN_GET_LOG_PAGE, 0x007F0001);
    expect_command(1, NVME_ADMIN_GET_LOG_PAGE, 0x007F0002);
    expect_command(2, NVME_ADMIN_ASYNC_EVENT, 0);
    expect_command(3, NVME_ADMIN_ASYNC_EVENT, 0);
    ck_assert_uint_eq(fake->aer_held, 3);
}
END_TEST

/* The second event comes while the first one's log page is being read. */
START_TEST(event_during_a_log)
{
    fake->config.aer_count = 2;
    fake_start();
    fake->admin_log_count = 0;
    fake->hold_admin = true;
    post_event(1, 0x00010000, fake->queues[0].head);
    step(1);
    post_event(0, 0x00020101, fake->queues[0].head);
    step(1);
    fake->hold_admin = false;
    fake_run(0);
    step(2);
    ck_assert_uint_eq(fake->admin_log_count, 4);
    expect_command(0, NVME_ADMIN_GET_LOG_PAGE, 0x007F0001);
    expect_command(1, NVME_ADMIN_GET_LOG_PAGE, 0x007F0002);
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST

static void (*real_lock)(void *ctx, uint16_t qid);
static uint32_t locks_left;

/* An interrupt just before the lock is taken for the last time counted. */
static void lock_after_interrupt(void *ctx, uint16_t qid)
{
    if (locks_left != 0 && --locks_left == 0) {
        post_event(0, 0x00020101, fake->queues[0].head);
        ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 1);
    }
    real_lock(ctx, qid);
}

/* Given an event that an interrupt collects after a step has found no log page owed and before it
 * hands requests back, then its request waits for its log page like any other. */
START_TEST(event_between_last_log_and_requests)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    real_lock = fake->ops.lock;
    fake->ops.lock = lock_after_interrupt;
    fake_start();
    fake->admin_log_count = 0;
    post_event(0, 0x00010000, fake->queues[0].head);
    step(1);
    locks_left = 4; /* reap, result, log pages, and that of the requests */
    step(1);
    ck_assert_uint_eq(locks_left, 0);
    ck_assert_uint_eq(fake->admin_log_count, 2);
    expect_command(1, NVME_ADMIN_ASYNC_EVENT, 0);
    ck_assert_uint_eq(fake->aer_held, 1);
    step(2);
    ck_assert_uint_eq(fake->admin_log_count, 4);
    expect_command(2, NVME_ADMIN_GET_LOG_PAGE, 0x007F0002);
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST

/* Given an event that was composed before a log page's command was fetched and is posted after that
 * command's completion, its head is older than the last one, and still possible. */
START_TEST(older_head)
{
    struct nvme_admin_stats stats;
    uint32_t before;

    fake_start();
    post_event(0, 0x00010000, fake->queues[0].head);
    before = fake->queues[0].head;
    fake->hold_admin = true;
    step(1); /* sends Get Log Page */
    fake->hold_admin = false;
    fake_run(0);
    ck_assert_uint_eq(fake->queues[0].head, before + 1);
    post_event(0, 0x00020101, before);
    step(4);
    nvme_get_admin_stats(fake->nvme, &stats);
    ck_assert_uint_eq(stats.protocol_errors, 0);
    ck_assert_uint_eq(stats.async_events, 2);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_GET_LOG_PAGE], 2);
}
END_TEST

/* A head that is beyond what was rung, or beyond the ring, stays a failure. */
START_TEST(impossible_head)
{
    fake_start();
    post_event(0, 0x00010000, _i == 0 ? fake->queues[0].depth : fake->queues[0].head + 1);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_DEVICE);
}
END_TEST

static struct {
    uint32_t count, result, bytes;
    uint8_t first;
    bool log;
} told;

static void hear(void *ctx, uint32_t result, const void *log, uint32_t bytes)
{
    ck_assert_int_eq(fake->lock_depth, 0);
    ck_assert_ptr_eq(ctx, &told);
    told.count++;
    told.result = result;
    told.bytes = bytes;
    told.log = log != NULL;
    told.first = log ? *(const uint8_t *)log : 0;
}

/* The owner hears of an event once its log page is read, and gets the page; of changed namespaces
 * (5.14.1.4) the whole list. */
START_TEST(owner_is_told_with_the_page)
{
    static const struct {
        uint32_t result, bytes;
        uint64_t cdw10;
    } events[] = {{0x00020101, 512, 0x007F0002}, {0x00040002, 4096, 0x03FF0004}};

    memset(&told, 0, sizeof(told));
    fake_start();
    nvme_set_event_handler(fake->nvme, hear, &told);
    fake->log_fill = 0x77;
    post_event(0, events[_i].result, fake->queues[0].head);
    step(1);
    ck_assert_uint_eq(told.count, 0);
    step(2);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_eq(told.result, events[_i].result);
    ck_assert_uint_eq(told.bytes, events[_i].bytes);
    ck_assert_uint_eq(told.first, 0x77);
    expect_command(fake->admin_log_count - 2, NVME_ADMIN_GET_LOG_PAGE, events[_i].cdw10);
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST

START_TEST(owner_is_told_without_a_page_that_cannot_be_read)
{
    memset(&told, 0, sizeof(told));
    fake_start();
    nvme_set_event_handler(fake->nvme, hear, &told);
    fake->admin_fail_opcode = NVME_ADMIN_GET_LOG_PAGE;
    fake->admin_fail_status = 0x109; /* Invalid Log Page */
    post_event(0, 0x00C00007, fake->queues[0].head);
    step(3);
    ck_assert_uint_eq(told.count, 1);
    ck_assert(!told.log);
    ck_assert_uint_eq(told.bytes, 0);
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST

static void stop_at_event(void *ctx, uint32_t result, const void *log, uint32_t bytes)
{
    (void)ctx;
    (void)result;
    (void)log;
    (void)bytes;
    ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
}

START_TEST(handler_may_stop_the_controller)
{
    fake_start();
    nvme_set_event_handler(fake->nvme, stop_at_event, NULL);
    post_event(0, 0x00020101, fake->queues[0].head);
    step(1);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_STOPPING);
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, UINT64_MAX / 2), NVME_STATE_OFF);
}
END_TEST

/* Given that the owner's commands and the core's own fill all slots, then a log page is read when
 * one is free again, and its event is not lost. */
START_TEST(log_waits_for_a_slot)
{
    struct nvme_admin_request requests[4];

    fake->config.admin_depth = 5; /* two events, one of the owner's, one of the core's */
    fake_start();
    fake->hold_admin = true;
    post_event(0, 0x00010000, fake->queues[0].head);
    post_event(0, 0x00020101, fake->queues[0].head);
    step(1); /* the first log page has the core's own slot */
    fake_admin_request(&requests[0], FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &requests[0]), NVME_OK);
    step(3);
    ck_assert_uint_eq(fake->queues[0].in_flight, 0);
    fake->hold_admin = false;
    fake_run(0);
    step(4);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_GET_LOG_PAGE], 2);
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST

Suite *suite_events(void)
{
    Suite *suite = suite_create("driver events");
    TCase *tcase = tcase_create("events");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, event_is_read_and_handed_back);
    tcase_add_test(tcase, refused_event_request_is_not_sent_again);
    tcase_add_test(tcase, two_types_are_two_logs);
    tcase_add_test(tcase, event_during_a_log);
    tcase_add_test(tcase, event_between_last_log_and_requests);
    tcase_add_test(tcase, older_head);
    tcase_add_loop_test(tcase, impossible_head, 0, 2);
    tcase_add_loop_test(tcase, owner_is_told_with_the_page, 0, 2);
    tcase_add_test(tcase, owner_is_told_without_a_page_that_cannot_be_read);
    tcase_add_test(tcase, handler_may_stop_the_controller);
    tcase_add_test(tcase, log_waits_for_a_slot);
    suite_add_tcase(suite, tcase);
    return suite;
}
