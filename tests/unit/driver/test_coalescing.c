/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupt coalescing (NVMe 1.4 section 5.21.1.8): what bring-up sets, and when steps switch it on
 * and off. Loads are played by hand: entries, then the interrupt that a controller would send.
 */
#include "fake.h"
#include "suites.h"

#define MS       1000000u
#define ENTRIES  4u /* coalescing_entries + 1 */
#define DEEP     12u
#define COALESCE 0x08u /* feature identifier */
#define ON       (3u | (2u << 8))

static struct nvme_request requests[FAKE_REQUESTS];
static uint8_t *buffer;
static uint32_t sets[64]; /* CDW11 of the feature's commands, in their order */
static uint32_t set_count;

/* What the controller was told since the last call. */
static uint32_t collect(void)
{
    set_count = 0;
    for (uint32_t i = 0; i < fake->admin_log_count; i++) {
        const struct nvme_sqe *sqe = &fake->admin_log[i];

        if (fake_opcode(sqe) == NVME_ADMIN_SET_FEATURES && (sqe->cdw10_11 & 0xFF) == COALESCE)
            sets[set_count++ % 64] = (uint32_t)(sqe->cdw10_11 >> 32);
    }
    fake->admin_log_count = 0;
    return set_count;
}

static void start(enum nvme_coalescing_policy policy, uint16_t queues)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    fake->config.io_queues = queues;
    fake->config.coalescing = policy;
    fake->config.coalescing_entries = ENTRIES - 1;
    fake->config.coalescing_time_100us = 2;
    fake_start();
    buffer = fake_buffer(4096, 4096, 0);
}

/* `rounds` rounds of `depth` reads in flight, of which `each` end with an interrupt. */
static void load(unsigned qid, uint32_t depth, uint32_t each, uint32_t rounds)
{
    struct nvme_queue *queue = nvme_get_queue(fake->nvme, qid - 1);

    for (uint32_t r = 0; r < rounds; r++) {
        fake_forget();
        while (nvme_in_flight(queue) < depth) {
            struct nvme_request *request = requests;

            while (request->next_lba == 1) /* a mark of ours: on its way */
                request++;
            fake_registered(request, NVME_OP_READ, 0, 1, buffer);
            ck_assert_int_eq(nvme_submit(queue, request), NVME_OK);
            request->next_lba = 1;
        }
        nvme_ring(queue);
        fake_fetch(qid);
        for (uint32_t i = 0; i < each && fake->queues[qid].in_flight != 0; i++)
            fake_complete(qid, 0, 0);
        fake_ended_count = 0;
        nvme_interrupt(fake->nvme, qid);
        for (uint32_t i = 0; i < fake_ended_count; i++)
            fake_ended[i]->next_lba = 0;
    }
}

static void step(uint32_t ms)
{
    fake->now_ns += (uint64_t)ms * MS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
}

/* 2,000 entries in 10 ms: 40 in 200 us. */
static void deep_look(unsigned qid)
{
    load(qid, DEEP, 1, 2000);
    step(10);
}

START_TEST(off_touches_nothing)
{
    start(NVME_COALESCING_OFF, 1);
    deep_look(1);
    deep_look(1);
    deep_look(1);
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

START_TEST(fixed_is_set_at_every_bring_up)
{
    start(NVME_COALESCING_FIXED, 1);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], ON);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], ON);
    load(1, 1, 1, 100);
    step(10);
    step(10);
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

START_TEST(who_polls_needs_none)
{
    fake->config.coalescing = _i ? NVME_COALESCING_FIXED : NVME_COALESCING_ADAPTIVE;
    fake->config.coalescing_entries = 3;
    fake->config.coalescing_time_100us = 1;
    fake_start();
    step(100);
    step(100);
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

/* The controller may have come up with a saved value (5.21): off is set, not assumed. */
START_TEST(adaptive_begins_off)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], 0);
}
END_TEST

START_TEST(deep_load_turns_it_on_at_the_second_look)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    collect();
    deep_look(1);
    ck_assert_uint_eq(collect(), 0);
    deep_look(1);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], ON);
    for (uint32_t i = 0; i < 5; i++) { /* interrupts come by number now: it stays */
        load(1, DEEP, ENTRIES, 500);
        step(10);
    }
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

/* Limits of on: in flight, 8 but not 7; entries in the coalescing time, 8 but not 7 (400 in 10 ms
 * are 8 in 200 us). */
START_TEST(limits_of_turning_on)
{
    static const struct {
        uint32_t depth, entries;
        bool on;
    } cases[] = {{8, 400, true}, {7, 400, false}, {8, 399, false}, {9, 401, true}};

    start(NVME_COALESCING_ADAPTIVE, 1);
    collect();
    for (uint32_t i = 0; i < 2; i++) {
        load(1, cases[_i].depth, 1, cases[_i].entries);
        load(1, cases[_i].depth, 0, 1); /* full at the look */
        step(10);
    }
    ck_assert_uint_eq(collect() == 1, cases[_i].on);
}
END_TEST

/* A load of depth 1 pays the time for two looks at most: 20 ms, and the command. */
START_TEST(shallow_load_turns_it_off_in_bounded_time)
{
    uint64_t since;

    start(NVME_COALESCING_ADAPTIVE, 1);
    deep_look(1);
    deep_look(1);
    load(1, DEEP, ENTRIES, 500);
    collect();
    load(1, 0, DEEP, 1); /* the deep load ends just behind a look */
    since = fake->now_ns;
    while (collect() == 0) {
        load(1, 1, 1, 5); /* 200 us each */
        step(1);
        ck_assert_uint_le(fake->now_ns - since, 21u * MS);
    }
    ck_assert_uint_eq(sets[0], 0);
    for (uint32_t i = 0; i < 10; i++) { /* fast again, one at a time: it stays off */
        load(1, 1, 1, 1000);
        step(10);
    }
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

START_TEST(idle_turns_it_off)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    deep_look(1);
    deep_look(1);
    load(1, 0, DEEP, 1);
    step(10);
    collect();
    step(10);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], 0);
    step(10);
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

/* The feature is one for all queues: a shallow one has it kept off, or switched off. */
START_TEST(weakest_queue_decides)
{
    start(NVME_COALESCING_ADAPTIVE, 2);
    collect();
    for (uint32_t i = 0; i < 4; i++) {
        load(2, 1, 1, 50);
        deep_look(1);
    }
    ck_assert_uint_eq(collect(), 0);
    deep_look(1);
    deep_look(1);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], ON);
    load(2, 1, 1, 50);
    load(1, DEEP, ENTRIES, 500);
    step(10);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], 0);
}
END_TEST

/* A load that swings at every look does not make the feature swing with it. */
START_TEST(hysteresis)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    collect();
    for (uint32_t i = 0; i < 10; i++) {
        deep_look(1);
        load(1, 0, DEEP, 1);
        load(1, 1, 1, 100);
        step(10);
    }
    ck_assert_uint_eq(collect(), 0);
}
END_TEST

START_TEST(one_command_in_flight_at_most)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    collect();
    fake->hold_admin = true;
    deep_look(1);
    deep_look(1);
    for (uint32_t i = 0; i < 5; i++) {
        load(1, 0, DEEP, 1);
        step(10);
    }
    fake_fetch(0);
    ck_assert_uint_eq(fake->queues[0].in_flight, 1);
    fake->hold_admin = false;
    fake_run(0);
    step(10); /* the command has ended */
    step(10); /* what has come since the look that sent it was still a good load */
    step(10);
    ck_assert_uint_eq(collect(), 2);
    ck_assert_uint_eq(sets[0], ON);
    ck_assert_uint_eq(sets[1], 0);
}
END_TEST

START_TEST(refused_once_is_not_asked_again)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    collect();
    fake->admin_fail_opcode = NVME_ADMIN_SET_FEATURES;
    fake->admin_fail_status = 2;
    for (uint32_t i = 0; i < 6; i++)
        deep_look(1);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
}
END_TEST

/* A reset with the command in flight: off again, and the state knows it. */
START_TEST(reset_begins_off)
{
    start(NVME_COALESCING_ADAPTIVE, 1);
    deep_look(1);
    deep_look(1);
    collect();
    load(1, 0, DEEP, 1);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], 0);
    deep_look(1);
    deep_look(1);
    ck_assert_uint_eq(collect(), 1);
    ck_assert_uint_eq(sets[0], ON);
}
END_TEST

Suite *suite_coalescing(void)
{
    Suite *suite = suite_create("driver coalescing");
    TCase *tcase = tcase_create("coalescing");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, off_touches_nothing);
    tcase_add_test(tcase, fixed_is_set_at_every_bring_up);
    tcase_add_loop_test(tcase, who_polls_needs_none, 0, 2);
    tcase_add_test(tcase, adaptive_begins_off);
    tcase_add_test(tcase, deep_load_turns_it_on_at_the_second_look);
    tcase_add_loop_test(tcase, limits_of_turning_on, 0, 4);
    tcase_add_test(tcase, shallow_load_turns_it_off_in_bounded_time);
    tcase_add_test(tcase, idle_turns_it_off);
    tcase_add_test(tcase, weakest_queue_decides);
    tcase_add_test(tcase, hysteresis);
    tcase_add_test(tcase, one_command_in_flight_at_most);
    tcase_add_test(tcase, refused_once_is_not_asked_again);
    tcase_add_test(tcase, reset_begins_off);
    suite_add_tcase(suite, tcase);
    return suite;
}
