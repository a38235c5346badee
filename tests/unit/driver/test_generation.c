/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Command identifiers with a generation (config.cid_generation): the bits above a slot's number
 * count its uses, so that an entry of an earlier use is known as such (NVMe 1.4 section 4.2). What
 * happens to an entry that comes after a time-out is in test_timeout.c.
 */
#include "fake.h"
#include "internal.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request request, other;

static void start(bool short_path)
{
    if (short_path)
        fake_unlock();
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

/* A read in flight and fetched; its identifier. */
static uint32_t send(struct nvme_request *which, bool general)
{
    uint8_t *buffer = fake_buffer(4096, 4096, 0);

    if (general)
        fake_request(which, NVME_OP_READ, 8, 8, buffer);
    else
        fake_registered(which, NVME_OP_READ, 8, 8, buffer);
    ck_assert_int_eq(nvme_submit(queue, which), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    fake->pool_used -= 4096;
    return fake_cid(&fake->queues[1].fetched[fake->queues[1].in_flight - 1]);
}

static uint64_t protocol_errors(void)
{
    struct nvme_queue_stats stats;

    nvme_get_queue_stats(queue, &stats);
    return stats.protocol_errors;
}

START_TEST(each_use_of_a_slot_has_an_identifier_of_its_own)
{
    start(_i == 0); /* 15 slots: four bits for the slot, twelve for its uses */
    for (uint32_t i = 0; i < 16; i++)
        queue->slots[i].expect += 4080u << 20;
    for (uint32_t use = 4080; use < 4110; use++) {
        ck_assert_uint_eq(send(&request, _i == 1), use % 4096 * 16);
        fake_complete(1, 0, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        ck_assert_uint_eq(fake_ended_count, 1);
        fake_ended_count = 0;
        fake_forget();
    }
    ck_assert_uint_eq(protocol_errors(), 0);
}
END_TEST

START_TEST(without_generations_they_are_the_slots)
{
    fake->config.cid_generation = false;
    start(_i == 0);
    for (uint32_t use = 0; use < 40; use++) {
        ck_assert_uint_eq(send(&request, _i == 1), 0);
        fake_complete(1, 0, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
}
END_TEST

/* One slot for everything: the second command follows the first in it. */
START_TEST(entry_of_an_earlier_use_ends_nothing)
{
    static const uint16_t statuses[] = {0, 0x281, 0x7FFF};
    uint32_t first, second;

    fake->config.slots = 1;
    start((_i & 1) == 0);
    first = send(&request, (_i & 2) != 0);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    second = send(&other, (_i & 2) != 0);
    ck_assert_uint_ne(first, second);
    for (uint32_t i = 0; i < 3; i++) {
        fake_post(1, first, statuses[i], fake->queues[1].head, 1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
    fake_post(1, second + 2 * (second - first), 0, fake->queues[1].head, 1); /* nor a later one */
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(protocol_errors(), 4);
    ck_assert_uint_eq(nvme_in_flight(queue), 1);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 2);
    ck_assert_int_eq(other.error, NVME_OK);
}
END_TEST

START_TEST(a_reset_does_not_begin_anew)
{
    uint32_t before;

    start(_i == 0);
    before = send(&request, _i == 1);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(send(&other, _i == 1), before + 16);
    fake_post(1, before, 0, fake->queues[1].head, 1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1); /* by the reset */
    ck_assert_uint_eq(protocol_errors(), 1);
}
END_TEST

/* FFFFh is in no command (5.14.1.1): the last identifiers of a full queue before they begin anew.
 */
START_TEST(ffff_is_in_no_command)
{
    static struct nvme_request many[7];
    uint32_t highest = 0;

    fake->config.io_depth = 8;
    fake->config.slots = (uint16_t)(7 - _i); /* 7: one less than a power of two */
    start(true);
    for (uint32_t i = 0; i < 8; i++)
        queue->slots[i].expect += 0xFFF0u << 16; /* 8,190 uses ago */
    for (uint32_t lap = 0; lap < 4; lap++) {
        for (uint32_t i = 0; i < fake->config.slots; i++) {
            fake_registered(&many[i], NVME_OP_READ, 8, 8, fake_cpu(FAKE_BUS, 4096));
            ck_assert_int_eq(nvme_submit(queue, &many[i]), NVME_OK);
        }
        nvme_ring(queue);
        fake_fetch(1);
        for (uint32_t i = 0; i < fake->config.slots; i++)
            if (fake_cid(&fake->queues[1].fetched[i]) > highest)
                highest = fake_cid(&fake->queues[1].fetched[i]);
        while (fake->queues[1].in_flight)
            fake_complete(1, fake->queues[1].in_flight - 1, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), fake->config.slots);
        ck_assert_uint_eq(many[0].error, NVME_OK);
    }
    ck_assert_uint_eq(highest, 0xFFFE - _i);
    ck_assert_uint_eq(fake_ended_count, 4 * fake->config.slots);
    ck_assert_uint_eq(protocol_errors(), 0);
}
END_TEST

/* All 65,534 slots there can be: no bit is left for a generation. */
START_TEST(no_room_for_a_generation)
{
    fake->config.io_depth = 65535;
    fake->config.slots = 65534;
    start(true);
    ck_assert_uint_eq(send(&request, false), 0);
    fake_complete(1, 0, 0);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(send(&request, false), 0);
}
END_TEST

Suite *suite_generation(void)
{
    Suite *suite = suite_create("driver generations");
    TCase *tcase = tcase_create("generations");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, each_use_of_a_slot_has_an_identifier_of_its_own, 0, 2);
    tcase_add_loop_test(tcase, without_generations_they_are_the_slots, 0, 2);
    tcase_add_loop_test(tcase, entry_of_an_earlier_use_ends_nothing, 0, 4);
    tcase_add_test(tcase, a_reset_does_not_begin_anew);
    tcase_add_loop_test(tcase, ffff_is_in_no_command, 0, 2);
    tcase_add_test(tcase, no_room_for_a_generation);
    suite_add_tcase(suite, tcase);
    return suite;
}
