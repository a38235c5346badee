/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The admin engine: commands of the controller's owner, several at a time, with data by every way
 * (NVMe 1.4 sections 5, 4.3), and how each of them ends, once: by its entry, by a reset or a stop,
 * by removal, or late.
 */
#include "fake.h"
#include "suites.h"

#define MS 1000000ull

static uintptr_t ends(const struct nvme_admin_request *request)
{
    return (uintptr_t)request->user;
}

static void step(enum nvme_state expected)
{
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), expected);
}

static const struct nvme_sqe *last_command(void)
{
    return &fake->admin_log[fake->admin_log_count - 1];
}

START_TEST(every_dword_of_a_raw_command_arrives)
{
    struct nvme_admin_request request;

    fake_start();
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    request.command =
        (struct nvme_command){FAKE_VENDOR_NONE, 0xFFFFFFFF, 0x22222222, 0x33333333, 0xAAAAAAA0,
                              0xBBBBBBB1,       0xCCCCCCC2, 0xDDDDDDD3, 0xEEEEEEE4, 0xFFFFFFF5};
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_OK);
    ck_assert_uint_eq(ends(&request), 0);
    step(NVME_STATE_READY);
    ck_assert_uint_eq(ends(&request), 1);
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq(last_command()->command_nsid >> 32, 0xFFFFFFFF);
    ck_assert_uint_eq(last_command()->cdw2_3, 0x3333333322222222);
    ck_assert_uint_eq(last_command()->prp1, 0);
    ck_assert_uint_eq(last_command()->cdw10_11, 0xBBBBBBB1AAAAAAA0);
    ck_assert_uint_eq(last_command()->cdw12_13, 0xDDDDDDD3CCCCCCC2);
    ck_assert_uint_eq(last_command()->cdw14_15, 0xFFFFFFF5EEEEEEE4);
}
END_TEST

START_TEST(status_and_result_reach_the_owner)
{
    struct nvme_admin_request request;

    fake_start();
    fake->admin_fail_opcode = FAKE_VENDOR_IN;
    fake->admin_fail_status = 0x4002; /* Invalid Field, Do Not Retry */
    fake_admin_request(&request, FAKE_VENDOR_IN, fake_buffer(512, 4096, 0), 512);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_E_STATUS);
    ck_assert_uint_eq(request.status, 0x4002);
    fake->admin_fail_opcode = UINT32_MAX;
    fake_admin_request(&request, FAKE_VENDOR_IN, fake_buffer(512, 4096, 0), 512);
    request.command.cdw15 = 0x12345678;
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    ck_assert_uint_eq(request.result, 0x12345678);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_OK);
}
END_TEST

static const struct {
    uint32_t bytes, offset;
    bool mapped;
} ways[] = {{4, 0, true},         {4, 1, false},    {512, 4, true},      {4096, 2, false},
            {4096, 0, true},      {4096, 4, true},  {8192, 4096, true},  {8196, 4092, true},
            {128 << 10, 0, true}, {8192, 3, false}, {128 << 10, 8, true}};

/* Dword-aligned buffers are mapped, others go through a page of the core's, and what fits neither
 * way is refused; the device sees the same bytes. */
START_TEST(data_goes_there_and_back)
{
    uint32_t bytes = ways[_i].bytes;
    uint8_t *buffer;
    struct nvme_admin_request request;
    bool refused = !ways[_i].mapped && bytes > FAKE_PAGE;

    fake->split_segments = true;
    fake_start();
    buffer = fake_buffer(bytes, FAKE_PAGE, ways[_i].offset);
    for (uint32_t i = 0; i < bytes; i++)
        buffer[i] = (uint8_t)(i ^ (i >> 8) ^ 0x5A);
    fake_admin_request(&request, FAKE_VENDOR_OUT, buffer, bytes);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), refused ? NVME_E_INVAL : NVME_OK);
    if (refused)
        return;
    step(NVME_STATE_READY);
    ck_assert_uint_eq(ends(&request), 1);
    ck_assert_mem_eq(fake->admin_data, buffer, bytes);
    ck_assert_uint_eq(fake->maps, ways[_i].mapped);
    memset(buffer, 0, bytes);
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, bytes);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    ck_assert_mem_eq(fake->admin_data, buffer, bytes);
    ck_assert_uint_eq(fake->maps, 2 * ways[_i].mapped);
    ck_assert_uint_eq(fake->copies, 2 * !ways[_i].mapped);
    ck_assert_uint_eq(fake->mapped, 0);
}
END_TEST

START_TEST(what_cannot_be_mapped_is_bounced)
{
    struct nvme_admin_request request;
    uint8_t *buffer;

    fake_start();
    buffer = fake_buffer(8192, 4096, 0);
    fake->admin_data[4095] = 77;
    fake->map_fail_after = 0;
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 4096);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    ck_assert_uint_eq(buffer[4095], 77);
    fake->map_fail_after = 0;
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 4100);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    fake->bad_segments = true; /* the platform's segments are not the buffer */
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 8192);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    ck_assert_uint_eq(fake->mapped, 0);
}
END_TEST

/* Not coherent: bounced data and lists change hands, and nothing of other slots with them. */
START_TEST(pages_of_slots_are_synchronised)
{
    struct nvme_admin_request request;
    uint8_t *buffer;

    fake->platform.flags = 0;
    fake->split_segments = true;
    fake_start();
    buffer = fake_buffer(5 * 4096, 4096, 1);
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 100);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    ck_assert_uint_eq(fake->sync_count, 2);
    ck_assert_int_eq(fake->syncs[0].what, NVME_SYNC_FOR_DEVICE);
    ck_assert_uint_eq(fake->syncs[0].bytes, 100);
    ck_assert_int_eq(fake->syncs[1].what, NVME_SYNC_FOR_CPU);
    ck_assert_ptr_eq(fake->syncs[1].cpu, fake->syncs[0].cpu);
    fake_forget();
    fake_admin_request(&request, FAKE_VENDOR_OUT, buffer - 1, 4 * 4096);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    ck_assert_uint_eq(fake->sync_count, 1); /* the list of three entries */
    ck_assert_uint_eq(fake->syncs[0].bytes, 24);
}
END_TEST

START_TEST(refused_before_anything_happens)
{
    static const uint8_t owned[] = {0x00, 0x01, 0x04, 0x05, 0x08, 0x0C, 0x7C};
    struct nvme_admin_request request;
    void *buffer;

    fake_init();
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_STATE);
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    fake_forget();
    buffer = fake_buffer(256 << 10, 4096, 0);
    for (unsigned i = 0; i < sizeof(owned); i++) {
        fake_admin_request(&request, owned[i], NULL, 0);
        ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    }
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 6);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    fake_admin_request(&request, FAKE_VENDOR_IN, NULL, 4);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, (128 << 10) + 4); /* MDTS */
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 4);
    request.dir = (enum nvme_dir)3;
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    fake_admin_request(&request, FAKE_VENDOR_IN, buffer, 4);
    request.done = NULL;
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_INVAL);
    ck_assert_uint_eq(fake->log_count, 0);
    ck_assert_uint_eq(fake->maps, 0);
}
END_TEST

/* As many as configured, ended in any order, and the next one is refused until then. */
START_TEST(several_in_flight_end_in_any_order)
{
    struct nvme_admin_request requests[17];
    uint32_t most = (uint32_t)_i;

    fake->config.admin_requests = (uint8_t)most;
    fake_start();
    fake->hold_admin = true;
    for (uint32_t i = 0; i <= most; i++) {
        fake_admin_request(&requests[i], FAKE_VENDOR_NONE, NULL, 0);
        ck_assert_int_eq(nvme_admin_submit(fake->nvme, &requests[i]),
                         i < most ? NVME_OK : NVME_E_BUSY);
    }
    fake_fetch(0);
    ck_assert_uint_eq(fake->queues[0].in_flight, most);
    for (uint32_t left = most; left != 0; left--)
        fake_complete(0, left / 2 < left - 1 ? left / 2 : left - 1, (uint16_t)left);
    step(NVME_STATE_READY);
    for (uint32_t i = 0; i < most; i++)
        ck_assert_uint_eq(ends(&requests[i]), 1);
    fake->hold_admin = false;
    for (uint32_t i = 0; i < 70;
         i++) { /* the ring goes round; identifiers are not reused at once */
        fake_admin_request(&requests[0], FAKE_VENDOR_NONE, NULL, 0);
        ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &requests[0]), NVME_OK);
        if (i != 0)
            ck_assert_uint_ne(fake_cid(last_command()), fake_cid(last_command() - 1));
    }
}
END_TEST

/* One entry stays empty and one is the core's; events come before the owner's commands. */
START_TEST(depth_limits_how_many)
{
    struct nvme_admin_request requests[4];
    static const uint32_t room[] = {0, 0, 0, 1, 2}; /* two events */

    fake->config.admin_depth = (uint16_t)(_i + 2);
    fake_start();
    fake->hold_admin = true;
    for (uint32_t i = 0; i <= room[_i]; i++) {
        fake_admin_request(&requests[i], FAKE_VENDOR_NONE, NULL, 0);
        ck_assert_int_eq(nvme_admin_submit(fake->nvme, &requests[i]), i < room[_i] ? NVME_OK
                                                                      : room[_i] == 0
                                                                          ? NVME_E_UNSUPPORTED
                                                                          : NVME_E_BUSY);
    }
    fake->hold_admin = false;
    fake_run(0);
    step(NVME_STATE_READY);
}
END_TEST

/* An entry of an earlier use of the slot, and one for a slot that is free: errors of the protocol,
 * and nothing ends. */
START_TEST(stale_identifiers_end_nothing)
{
    struct nvme_admin_request first, second;
    struct nvme_admin_stats stats;
    uint32_t cid;

    fake_start();
    fake_admin_request(&first, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &first), NVME_OK);
    cid = fake_cid(last_command());
    fake->hold_admin = true;
    fake_admin_request(&second, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &second), NVME_OK);
    fake_fetch(0);
    ck_assert_uint_eq(fake_cid(&fake->queues[0].fetched[0]) & 63, cid & 63); /* the same slot */
    fake_post(0, cid, 0, fake->queues[0].head, 0);
    fake_post(0, cid + 1, 0, fake->queues[0].head, 0);
    fake_post(0, 63, 0, fake->queues[0].head, 0);
    fake_post(0, 0xFFFF, 0, fake->queues[0].head, 0);
    step(NVME_STATE_READY);
    ck_assert_uint_eq(ends(&second), 0);
    nvme_get_admin_stats(fake->nvme, &stats);
    ck_assert_uint_eq(stats.protocol_errors, 4);
    fake_complete(0, 0, 0);
    step(NVME_STATE_READY);
    ck_assert_uint_eq(ends(&second), 1);
}
END_TEST

/* t-1: nothing; t: the controller has failed, and the request ends, once, when RDY is 0. */
START_TEST(late_command_fails_the_controller)
{
    struct nvme_admin_request late, other;
    uint64_t start;

    fake_start();
    fake->hold_admin = true;
    start = fake->now_ns;
    fake_admin_request(&late, FAKE_VENDOR_IN, fake_buffer(512, 4, 0), 512);
    late.timeout_ms = 7;
    fake_admin_request(&other, FAKE_VENDOR_IN, fake_buffer(512, 4, 1), 512);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &late), NVME_OK);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &other), NVME_OK);
    fake->now_ns = start + 7 * MS - 1;
    step(NVME_STATE_READY);
    fake->now_ns++;
    step(NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
    ck_assert_uint_eq(ends(&late), 0);
    ck_assert_uint_eq(fake->mapped, 1); /* the device may still write there */
    fake->hold_admin = false;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(ends(&late), 1);
    ck_assert_int_eq(late.error, NVME_E_TIMEOUT);
    ck_assert_uint_eq(ends(&other), 1);
    ck_assert_int_eq(other.error, NVME_E_STATE);
    ck_assert_uint_eq(fake->mapped, 0);
}
END_TEST

/* A lost interrupt is no reason: the queue is looked at first. */
START_TEST(completed_in_time_and_seen_late_is_no_timeout)
{
    struct nvme_admin_request request;

    fake_start();
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_OK);
    fake->now_ns += 61000 * MS;
    step(NVME_STATE_READY);
    ck_assert_uint_eq(ends(&request), 1);
    ck_assert_int_eq(request.error, NVME_OK);
}
END_TEST

START_TEST(blocking_resets_what_does_not_answer)
{
    struct nvme_admin_request request;

    fake_start();
    fake->hold_admin = true;
    fake->config.admin_timeout_ms = 1; /* the core has its own copy: no effect */
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    request.timeout_ms = 20;
    fake->never_unready = true; /* and a reset that fails, too: the request stays with the core */
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_E_TIMEOUT);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_FAILED);
    ck_assert_ptr_null(request.user);
    fake->hold_admin = fake->never_unready = false;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_ptr_eq(request.user, &request);
    ck_assert_int_eq(request.error, NVME_E_TIMEOUT);

    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    request.timeout_ms = 20;
    fake->hold_admin = true;
    fake->admin_hold_ends_at_reset = true;
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_E_TIMEOUT);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
}
END_TEST

/* 0: reset; 1: stop; 2: the device is pulled out; 3: fatal status, then stop. */
START_TEST(ends_once_whatever_happens)
{
    struct nvme_admin_request requests[3];

    fake_start();
    fake->hold_admin = true;
    for (unsigned i = 0; i < 3; i++) {
        fake_admin_request(&requests[i], FAKE_VENDOR_IN, fake_buffer(64, 4, i), 64);
        ck_assert_int_eq(nvme_admin_submit(fake->nvme, &requests[i]), NVME_OK);
    }
    if (_i == 2) {
        fake->gone = true;
        step(NVME_STATE_FAILED);
    } else if (_i == 3) {
        fake->csts |= NVME_CSTS_CFS;
        step(NVME_STATE_FAILED);
        ck_assert_uint_eq(ends(&requests[0]), 0);
    }
    fake->hold_admin = false;
    if (_i == 0)
        ck_assert_int_eq(nvme_reset(fake->nvme), NVME_OK);
    else if (_i != 2)
        ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
    fake_settle(_i == 0 ? NVME_STATE_STARTING : NVME_STATE_STOPPING, 60000 * MS);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(ends(&requests[i]), 1);
        if (_i == 1) /* Delete I/O Submission Queue's doorbell made the device see them */
            ck_assert_int_eq(requests[i].error, NVME_OK);
        else
            ck_assert_int_eq(requests[i].error, _i == 2 ? NVME_E_GONE : NVME_E_STATE);
    }
    ck_assert_uint_eq(fake->mapped, 0);
    fake->gone = false;
}
END_TEST

/* Nothing is sent for the owner once a stop or a reset has begun. */
START_TEST(closed_from_the_moment_of_stop_or_reset)
{
    struct nvme_admin_request request;

    fake_start();
    ck_assert_int_eq(_i ? nvme_stop(fake->nvme) : nvme_reset(fake->nvme), NVME_OK);
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_E_STATE);
    fake_settle(nvme_state(fake->nvme), 60000 * MS);
}
END_TEST

static void stop_it(struct nvme_admin_request *request)
{
    request->user = (void *)((uintptr_t)request->user + 1);
    ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
}

START_TEST(done_may_stop_the_controller)
{
    struct nvme_admin_request request;

    fake_start();
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    request.done = stop_it;
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_OK);
    step(NVME_STATE_STOPPING);
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 60000 * MS), NVME_STATE_OFF);
    ck_assert_uint_eq(ends(&request), 1);
    ck_assert_uint_eq(fake->queues[1].sq_exists, false);
}
END_TEST

/* The interrupt handler of vector 0 ends admin requests, too. */
START_TEST(interrupt_ends_requests)
{
    struct nvme_admin_request request;

    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    fake_start();
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &request), NVME_OK);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 1);
    ck_assert_uint_eq(ends(&request), 1);
}
END_TEST

Suite *suite_admin(void)
{
    Suite *suite = suite_create("driver admin commands");
    TCase *tcase = tcase_create("admin");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, every_dword_of_a_raw_command_arrives);
    tcase_add_test(tcase, status_and_result_reach_the_owner);
    tcase_add_loop_test(tcase, data_goes_there_and_back, 0, sizeof(ways) / sizeof(ways[0]));
    tcase_add_test(tcase, what_cannot_be_mapped_is_bounced);
    tcase_add_test(tcase, pages_of_slots_are_synchronised);
    tcase_add_test(tcase, refused_before_anything_happens);
    tcase_add_loop_test(tcase, several_in_flight_end_in_any_order, 1, 17);
    tcase_add_loop_test(tcase, depth_limits_how_many, 0, 5);
    tcase_add_test(tcase, stale_identifiers_end_nothing);
    tcase_add_test(tcase, late_command_fails_the_controller);
    tcase_add_test(tcase, completed_in_time_and_seen_late_is_no_timeout);
    tcase_add_test(tcase, blocking_resets_what_does_not_answer);
    tcase_add_loop_test(tcase, ends_once_whatever_happens, 0, 4);
    tcase_add_loop_test(tcase, closed_from_the_moment_of_stop_or_reset, 0, 2);
    tcase_add_test(tcase, done_may_stop_the_controller);
    tcase_add_test(tcase, interrupt_ends_requests);
    suite_add_tcase(suite, tcase);
    return suite;
}
