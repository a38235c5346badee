/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A device that lies: identifiers that do not exist or are not in flight, a second completion,
 * heads that cannot be, another queue's entry, and a queue that seems full for ever. None may end a
 * request twice, touch foreign memory, or hold the caller (NVMe 1.4 sections 4.1, 4.6).
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request requests[16];

/* short_path: registered buffers go the short way, which a platform with locks rules out. */
static void start(bool short_path)
{
    if (short_path)
        fake_unlock();
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

/* count reads in flight, fetched. */
static void fill(uint32_t count, bool general)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *buffer = fake_buffer(4096, 4096, 0);

        if (general)
            fake_request(&requests[i], NVME_OP_READ, i, 8, buffer);
        else
            fake_registered(&requests[i], NVME_OP_READ, i, 8, buffer);
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    fake_fetch(1);
}

static uint64_t protocol_errors(void)
{
    struct nvme_queue_stats stats;

    nvme_get_queue_stats(queue, &stats);
    return stats.protocol_errors;
}

START_TEST(unknown_identifiers)
{
    static const uint32_t cids[] = {0, 2, 15, 16, 1000, 65535};

    fake->config.cid_generation = false;
    fake->config.cid_base = 1; /* 1 to 15 exist; 1 is in flight */
    start(_i == 0);
    fill(1, _i == 1);
    for (uint32_t i = 0; i < 6; i++) {
        fake_post(1, cids[i], 0, 1, 1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        ck_assert_uint_eq(fake_ended_count, 0);
        ck_assert_uint_eq(protocol_errors(), i + 1);
    }
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_OK);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
}
END_TEST

START_TEST(second_completion)
{
    uint32_t cid;

    start(_i == 0);
    fill(2, _i == 1);
    cid = fake_cid(&fake->queues[1].fetched[0]);
    fake_complete(1, 0, 0);
    fake_post(1, cid, 0, fake->queues[1].head, 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(protocol_errors(), 1);
    ck_assert_uint_eq(nvme_in_flight(queue), 1);
}
END_TEST

START_TEST(completion_of_a_command_that_was_not_rung)
{
    start(_i == 0);
    fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    fake_post(1, 0, 0, 0, 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(protocol_errors(), 1);
    nvme_ring(queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

START_TEST(another_queues_entry)
{
    start(_i == 0);
    fill(1, _i == 1);
    fake_post(1, 0, 0, 1, 2);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(protocol_errors(), 1);
}
END_TEST

/* 16 entries; commands 0 to 3 in flight: the head may be 1 to 4 for command 0. */
START_TEST(impossible_head)
{
    static const uint32_t heads[] = {16, 65535, 5, 15, 0};

    start((_i & 8) == 0);
    fill(4, (_i & 8) != 0);
    fake_post(1, 0, 0, heads[_i & 7], 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    /* The entry may not have been fetched: the device may still write to the buffer. */
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(protocol_errors(), 1);
    ck_assert_uint_eq(nvme_in_flight(queue), 4);
    ck_assert_uint_eq(fake->mapped, _i & 8 ? 4 : 0);
    /* The slot is taken, once, and the next step fails the controller. */
    for (uint32_t i = 4; i < 15; i++) {
        fake_registered(&requests[i], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    fake_registered(&requests[15], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[15]), NVME_E_BUSY);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_DEVICE);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 15);
    ck_assert_int_eq(requests[0].error, NVME_E_STATE);
    ck_assert_uint_eq((uintptr_t)requests[0].user, 1);
    ck_assert_uint_eq(fake->mapped, 0);
    fill(15, false); /* all slots are back */
}
END_TEST

/* The same when the head has already moved: 4 of 16 are fetched and known to be. */
START_TEST(impossible_head_later)
{
    static const uint32_t heads[] = {16, 65535, 5, 15};

    start((_i & 8) == 0);
    fill(4, (_i & 8) != 0);
    fake_post(1, 0, 0, 4, 1);
    fake_post(1, 1, 0, heads[_i & 7], 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_OK);
    ck_assert_uint_eq(nvme_in_flight(queue), 3);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 4);
    ck_assert_int_eq(requests[1].error, NVME_E_STATE);
}
END_TEST

/* Given an entry whose head says that the command was not fetched, when the device fetches it after
 * all and writes its data, then the buffer is still the request's. */
START_TEST(buffer_stays_the_requests_while_the_device_may_write)
{
    start(_i == 0);
    fake_request(&requests[0], NVME_OP_READ, 3, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    nvme_ring(queue);
    fake_post(1, 0, 0, 0, 1);
    fake_post(1, 0, 0, 0, 1); /* and once more: the slot is still taken only once */
    ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    ck_assert_uint_eq(protocol_errors(), 2);
    ck_assert_uint_eq(nvme_in_flight(queue), 1);
    fake_fetch(1);
    fake_execute(&fake->queues[1].fetched[0]);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(fake->mapped, 1);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[0].error, NVME_E_STATE);
}
END_TEST

START_TEST(possible_heads)
{
    start(_i == 0);
    fill(4, _i == 1);
    fake_post(1, 0, 0, 2, 1); /* fetched two when it was composed */
    fake_post(1, 3, 0, 4, 1);
    fake_post(1, 1, 0, 2, 1); /* composed earlier, posted later: older, but past its own entry */
    fake_post(1, 2, 0, 4, 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 4);
    ck_assert_uint_eq(fake_ended_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(requests[i].error, NVME_OK);
    ck_assert_uint_eq(protocol_errors(), 0);
}
END_TEST

/* Entries without end: every slot of the ring always looks new. */
START_TEST(a_liar_cannot_hold_the_caller)
{
    struct nvme_cqe *ring;

    start(true);
    ring = fake_cpu(fake->queues[1].cq_bus, 16 * 16);
    for (uint32_t lap = 0; lap < 3; lap++) {
        for (uint32_t i = 0; i < 16; i++)
            ring[i].cid_status = fake_le32(0xFFFF | 1u << 16);
        ck_assert_uint_le(nvme_poll(queue, 0), 15);
    }
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_gt(protocol_errors(), 15);
}
END_TEST

START_TEST(fifteen_at_most)
{
    start(true);
    for (uint32_t i = 0; i < 16; i++)
        fake_post(1, 0xFFFF, 0, 0, 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 15);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
}
END_TEST

/* Random entries, many laps: every request still ends exactly once. */
START_TEST(noise)
{
    uint32_t seed = 1 + (uint32_t)_i;
    uint32_t expected = 0;

    fake->config.cid = _i & 1 ? NVME_CID_LOWEST : NVME_CID_LIFO;
    if (_i & 4)
        fake->platform.flags |= NVME_PLATFORM_CQ_PLAIN | NVME_PLATFORM_LOADS_ORDERED;
    start((_i & 2) != 0);
    for (uint32_t round = 0; round < 200; round++) {
        fill(4, (round & 1) != 0);
        for (uint32_t i = 0; i < 4; i++) {
            seed = seed * 1664525u + 1013904223u;
            fake_post(1, (seed >> 8) % 3 ? 0xFFFF - (seed >> 28) : 20 + (seed >> 28), seed >> 30,
                      seed >> 16, (seed >> 10) & 3);
            fake_complete(1, (seed >> 4) % fake->queues[1].in_flight, 0);
            nvme_poll(queue, 0);
        }
        expected += 4;
        ck_assert_uint_eq(fake_ended_count, expected);
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_uint_eq((uintptr_t)requests[i].user, 1);
        fake->pool_used -= 4 * 4096;
    }
    ck_assert_uint_eq(protocol_errors(), 800);
}
END_TEST

Suite *suite_faults(void)
{
    Suite *suite = suite_create("driver faults");
    TCase *tcase = tcase_create("faults");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, unknown_identifiers, 0, 2);
    tcase_add_loop_test(tcase, second_completion, 0, 2);
    tcase_add_loop_test(tcase, completion_of_a_command_that_was_not_rung, 0, 2);
    tcase_add_loop_test(tcase, another_queues_entry, 0, 2);
    tcase_add_loop_test(tcase, impossible_head, 0, 5);
    tcase_add_loop_test(tcase, impossible_head, 8, 13);
    tcase_add_loop_test(tcase, impossible_head_later, 0, 4);
    tcase_add_loop_test(tcase, impossible_head_later, 8, 12);
    tcase_add_loop_test(tcase, buffer_stays_the_requests_while_the_device_may_write, 0, 2);
    tcase_add_loop_test(tcase, possible_heads, 0, 2);
    tcase_add_test(tcase, a_liar_cannot_hold_the_caller);
    tcase_add_test(tcase, fifteen_at_most);
    tcase_add_loop_test(tcase, noise, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
