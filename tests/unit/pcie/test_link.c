/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The link packet by packet, on a wire on which a byte takes 4000 ps: who waits for whom, what each
 * direction carries, read requests and their tags, and what every parameter of link.def does when
 * it is moved by one step. Rates are in test_link_rate.c.
 */
#include "engine/rng.h"
#include "unit/pcie/suites.h"

#define B SLOW_BYTE_PS

static struct link *link;

static void make(struct link_params params)
{
    link = link_create(&params);
}

static void setup(void)
{
    make(link_params_slow());
}

static void teardown(void)
{
    link_destroy(link);
    link = NULL;
}

START_TEST(a_write_takes_its_bytes_and_a_header_per_packet)
{
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 0, 4), (4 + 24) * B);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 256), (256 + 24) * B);
    uint64_t at = UINT64_C(1) << 40;
    ck_assert_uint_eq(link_write(link, LINK_UP, at, 257), at + (257 + 2 * 24) * B);
    at *= 2;
    ck_assert_uint_eq(link_write(link, LINK_UP, at, 4096), at + (4096 + 16 * 24) * B);
    at *= 2;
    ck_assert_uint_eq(link_write(link, LINK_UP, at, 0), at + 24 * B); /* a packet without data */
}
END_TEST

START_TEST(a_direction_is_first_come_first_served)
{
    /* given two writes at once and one a little later, then each waits for the one before */
    ck_assert_uint_eq(link_write(link, LINK_UP, 1000, 64), 1000 + 88 * B);
    ck_assert_uint_eq(link_write(link, LINK_UP, 1000, 64), 1000 + 2 * 88 * B);
    ck_assert_uint_eq(link_write(link, LINK_UP, 1000 + B, 4), 1000 + (2 * 88 + 28) * B);
    /* one at the moment at which the wire becomes free, and one a picosecond before, meet it */
    ck_assert_uint_eq(link_write(link, LINK_UP, 1000 + 204 * B, 4), 1000 + 232 * B);
    ck_assert_uint_eq(link_write(link, LINK_UP, 999 + 232 * B, 4), 1000 + 260 * B);
    ck_assert_uint_eq(link_write(link, LINK_UP, 1001 + 260 * B, 4), 1001 + 288 * B);
}
END_TEST

START_TEST(a_reservation_in_the_future_leaves_the_line_open_until_then)
{
    /* given a write that will be there to be sent at 1 us */
    const uint64_t later = 1000000 * B;
    ck_assert_uint_eq(link_write_later(link, LINK_UP, 0, later, 64), later + 88 * B);
    /* then one that is there now does not wait for it */
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 4), (88 + 28) * B);
    /* and another for the same time does */
    ck_assert_uint_eq(link_write_later(link, LINK_UP, 0, later, 64), later + 2 * 88 * B);
    ck_assert_uint_eq(link_write_later(link, LINK_UP, 0, later - B, 4), later + (2 * 88 + 28) * B);
    /* but a line that is asked for more than it can send is late for everybody */
    ck_assert_uint_gt(link_write_later(link, LINK_UP, 0, 0, 1 << 20), (UINT64_C(1) << 20) * B);
}
END_TEST

START_TEST(a_doorbell_does_not_wait_for_the_memory_behind_a_fetch)
{
    /* given the fetch of an entry, whose completion comes down after the memory latency */
    struct link_params params = link_params_slow();
    params.memory_latency = 1000 * 88 * B;
    link_destroy(link);
    make(params);
    link_read_by_device(link, 0, 64);
    /* when a doorbell is rung meanwhile, then it goes at once */
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 88 * B, 4), (88 + 28) * B);
}
END_TEST

START_TEST(directions_do_not_wait_for_each_other)
{
    link_write(link, LINK_UP, 0, 1 << 20);
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 0, 4), 28 * B);
    link_write(link, LINK_DOWN, 0, 1 << 20);
    struct link_stats stats;
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.up_bytes, 1 << 20);
    ck_assert_uint_eq(stats.up_packets, 4096);
    ck_assert_uint_eq(stats.up_busy_ps, ((1 << 20) + 4096 * 24) * B);
    ck_assert_uint_eq(stats.down_bytes, (1 << 20) + 4);
    ck_assert_uint_eq(stats.down_packets, 4097);
    ck_assert_uint_eq(stats.down_busy_ps, ((1 << 20) + 4 + 4097 * 24) * B);
}
END_TEST

START_TEST(propagation_is_added_once_per_way_and_occupies_nothing)
{
    teardown();
    struct link_params params = link_params_slow();
    params.propagation = 150000;
    make(params);
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 0, 4), 28 * B + 150000);
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 0, 4), 56 * B + 150000);
    ck_assert_uint_eq(link_register_reply(link, 0, 4), 24 * B + 150000);
}
END_TEST

START_TEST(a_register_read_is_a_request_down_and_a_completion_up)
{
    /* behind a posted write, and its reply behind a DMA write */
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 0, 4), 28 * B);
    ck_assert_uint_eq(link_register_request(link, 0), (28 + 24) * B);
    ck_assert_uint_eq(link_write(link, LINK_UP, 52 * B, 64), (52 + 88) * B);
    ck_assert_uint_eq(link_register_reply(link, 52 * B, 8), (52 + 88 + 28) * B);
    struct link_stats stats;
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.down_packets, 2);
    ck_assert_uint_eq(stats.down_bytes, 4); /* the request has no data */
    ck_assert_uint_eq(stats.up_packets, 2);
    ck_assert_uint_eq(stats.up_bytes, 72);
}
END_TEST

START_TEST(a_read_by_the_device_is_requests_up_and_completions_down)
{
    teardown();
    struct link_params params = link_params_slow();
    params.propagation = 1000000;
    params.memory_latency = 7000;
    make(params);
    /* an SQE: one request, one completion of 64 bytes */
    ck_assert_uint_eq(link_read_by_device(link, 0, 64), (24 + 84) * B + 2000000 + 7000);
    struct link_stats stats;
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.up_packets, 1);
    ck_assert_uint_eq(stats.up_bytes, 0);
    ck_assert_uint_eq(stats.down_packets, 1);
    ck_assert_uint_eq(stats.down_bytes, 64);
    /* 4 KiB: 8 requests, 64 completions, which begin when the first request is answered */
    uint64_t at = UINT64_C(1) << 40;
    ck_assert_uint_eq(link_read_by_device(link, at, 4096),
                      at + (24 + 64 * 84) * B + 2000000 + 7000);
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.up_packets, 9);
    ck_assert_uint_eq(stats.down_packets, 65);
    /* the requests occupy the way up */
    ck_assert_uint_eq(link_write(link, LINK_UP, at, 4), at + (8 * 24 + 28) * B + 1000000);
}
END_TEST

START_TEST(a_completion_answers_one_request_and_keeps_to_the_payload)
{
    /* given completions of up to 4 KiB, but requests of 128 bytes: 32 completions (2.3.1.1) */
    struct link_stats stats;
    struct link_params params = link_params_slow();
    teardown();
    params.completion_payload = 4096;
    params.max_read_request = 128;
    params.max_payload = 256;
    make(params);
    link_read_by_device(link, 0, 4096);
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.down_packets, 32);
    /* given requests of 4 KiB, but a Max_Payload_Size of 256: 16 completions (2.2.2) */
    teardown();
    params.max_read_request = 4096;
    make(params);
    ck_assert_uint_eq(link_read_by_device(link, 0, 4096), (24 + 4096 + 16 * 20) * B);
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.down_packets, 16);
}
END_TEST

/* ---- tags ---- */

#define RTT UINT64_C(100000000) /* 100 us there and back: the wire is nothing beside it */

static void make_far(uint64_t tags)
{
    teardown();
    struct link_params params = link_params_slow();
    params.propagation = RTT / 2;
    params.tags = tags;
    make(params);
}

/* One request of 512 bytes, its 8 completions, and the way. */
#define ROUND (RTT + (24 + 512 + 8 * 20) * B)

START_TEST(a_read_within_the_tags_takes_one_round_trip)
{
    make_far(8);
    ck_assert_uint_eq(link_read_by_device(link, 0, 8 * 512), RTT + (24 + 8 * (512 + 160)) * B);
}
END_TEST

START_TEST(a_ninth_request_waits_for_the_first_of_eight_tags)
{
    make_far(8);
    /* given 9 requests: the last one sets out when the first is answered */
    uint64_t answered = link_read_by_device(link, 0, 9 * 512);
    ck_assert_uint_eq(answered, 2 * ROUND);
}
END_TEST

START_TEST(rounds_of_requests_follow_each_other)
{
    /* given 8 tags and 24 requests: three rounds */
    make_far(8);
    uint64_t answered = link_read_by_device(link, 0, 24 * 512);
    ck_assert_uint_ge(answered, 3 * ROUND);
    ck_assert_uint_le(answered, 3 * ROUND + 8 * (512 + 160) * B);
    /* with one tag every request is a round of its own */
    make_far(1);
    ck_assert_uint_eq(link_read_by_device(link, 0, 24 * 512), 24 * ROUND);
}
END_TEST

START_TEST(reads_share_the_tags)
{
    /* given 8 tags and three reads of 8 requests at once */
    make_far(8);
    uint64_t first = link_read_by_device(link, 0, 8 * 512);
    uint64_t second = link_read_by_device(link, 0, 8 * 512);
    uint64_t third = link_read_by_device(link, 0, 8 * 512);
    ck_assert_uint_ge(second, first + RTT);
    ck_assert_uint_ge(third, second + RTT);
    ck_assert_uint_le(third, 3 * ROUND + 8 * (512 + 160) * B);
    /* with 24 tags all three take the same round trip */
    make_far(24);
    link_read_by_device(link, 0, 8 * 512);
    link_read_by_device(link, 0, 8 * 512);
    ck_assert_uint_eq(link_read_by_device(link, 0, 8 * 512), RTT + (24 + 24 * (512 + 160)) * B);
    /* a tag whose answer has come is free */
    make_far(8);
    first = link_read_by_device(link, 0, 8 * 512);
    ck_assert_uint_eq(link_read_by_device(link, first, 8 * 512), 2 * first);
}
END_TEST

START_TEST(one_tag_more_saves_a_round)
{
    /* given 128 requests: 63 tags take three rounds, 64 take two, 127 two, 128 one */
    static const struct {
        uint64_t tags, rounds;
    } known[] = {{42, 4}, {43, 3}, {63, 3}, {64, 2}, {127, 2}, {128, 1}, {1024, 1}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        teardown();
        struct link_params params = link_params_slow();
        params.lanes = 16;
        params.propagation = RTT / 2;
        params.tags = known[i].tags;
        make(params);
        ck_assert_uint_eq(link_read_by_device(link, 0, 128 * 512) / RTT, known[i].rounds);
    }
}
END_TEST

START_TEST(the_way_up_is_free_while_requests_wait_for_tags)
{
    make_far(1);
    link_read_by_device(link, 0, 100 * 512);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 16), (100 * 24 + 40) * B + RTT / 2);
}
END_TEST

/* ---- emulated ---- */

START_TEST(an_emulated_link_takes_no_time)
{
    teardown();
    struct link_params params = link_params_plain();
    params.kind = LINK_EMULATED;
    make(params);
    struct link_stats stats;
    for (uint64_t now = 0; now < 3; now++) {
        ck_assert_uint_eq(link_write(link, LINK_DOWN, now, 1 << 20), now);
        ck_assert_uint_eq(link_write(link, LINK_UP, now, 1 << 20), now);
        ck_assert_uint_eq(link_read_by_device(link, now, 1 << 20), now);
        ck_assert_uint_eq(link_register_request(link, now), now);
        ck_assert_uint_eq(link_register_reply(link, now, 8), now);
    }
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.up_packets + stats.down_packets + stats.up_busy_ps, 0);
    link_destroy(NULL);
}
END_TEST

/* Between the packets of 4 KiB: behind the one on the wire, at t - 1 and t; what comes later is
 * sent so much later, and the line's time is the same. */
START_TEST(short_packets_pass_what_is_reserved)
{
    teardown();
    struct link_params params = link_params_slow();
    make(params);
    uint64_t data_ps = link_write(link, LINK_UP, 0, 4096);
    uint64_t packet_ps = (data_ps - params.propagation) / 16;
    link_destroy(link);
    make(params);
    uint64_t short_ps = link_write(link, LINK_UP, 0, 4) - params.propagation;

    link_destroy(link);
    make(params);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 4096), data_ps);
    /* one picosecond into the second packet: behind it */
    ck_assert_uint_eq(link_write(link, LINK_UP, packet_ps + 1, 4),
                      2 * packet_ps + short_ps + params.propagation);
    /* asked for while that one is sent: right behind it */
    ck_assert_uint_eq(link_write(link, LINK_UP, 2 * packet_ps + short_ps - 1, 4),
                      2 * packet_ps + 2 * short_ps + params.propagation);
    /* 8 bytes pass, 9 do not */
    ck_assert_uint_lt(link_write(link, LINK_UP, 4 * packet_ps, 8), data_ps);
    ck_assert_uint_gt(link_write(link, LINK_UP, 4 * packet_ps, 9), data_ps);
}
END_TEST

START_TEST(arrivals_of_a_direction_keep_their_order)
{
    teardown();
    make(link_params_plain());
    struct rng rng;
    rng_init(&rng, 1, "arrivals");
    uint64_t now = 0, last[2][2] = {{0, 0}, {0, 0}}; /* data, and what is short and passes it */
    for (unsigned i = 0; i < 10000; i++) {
        enum link_direction direction = rng_below(&rng, 2) == 0 ? LINK_DOWN : LINK_UP;
        now += rng_below(&rng, 50000);
        uint32_t bytes = (uint32_t)(rng_below(&rng, 2) == 0 ? rng_below(&rng, 600) : 4);
        bool is_short = bytes <= 8;
        uint64_t arrival = link_write(link, direction, now, bytes);
        ck_assert_uint_ge(arrival, now + 150000);
        ck_assert_uint_gt(arrival, last[direction][is_short]);
        last[direction][is_short] = arrival;
        if (i % 10 == 0)
            link_read_by_device(link, now, 4096);
    }
}
END_TEST

/* ---- every parameter ---- */

static void arrive(void *ctx, uint64_t arg)
{
    struct engine *engine = ctx;
    *(uint64_t *)(uintptr_t)arg += engine_now(engine);
}

/* A short write that is asked for behind a long one of another stream. */
static uint64_t measure_streams(const struct link_params *params)
{
    struct engine *engine = engine_create(1);
    struct link *both = link_create(params);
    uint64_t sum = 0, *at = &sum;
    link_use_engine(both, engine);
    link_write_then(both, LINK_UP, 0, 0, 64 << 10, arrive, engine, (uintptr_t)at);
    link_write_then(both, LINK_UP, 1, 0, 16, arrive, engine, (uintptr_t)at);
    while (engine_step(engine))
        ;
    link_destroy(both);
    engine_destroy(engine);
    return sum;
}

/* Everything that a link does, as one number that grows with every delay. */
static uint64_t measure(const struct link_params *params)
{
    struct link *reader = link_create(params), *writer = link_create(params);
    uint64_t sum = link_read_by_device(reader, 0, 256 << 10) +
                   link_write(reader, LINK_UP, 0, 4096) +
                   link_write(writer, LINK_DOWN, 0, 2 << 20) + link_register_request(writer, 0) +
                   link_register_reply(writer, 0, 4);
    link_destroy(reader);
    link_destroy(writer);
    return sum + measure_streams(params);
}

struct knob {
    const char *name;
    size_t offset;
    bool faster; /* a larger value makes the link faster */
    uint64_t values[7];
};

#define KNOB(name_, faster_, ...)                                                                  \
    {                                                                                              \
#name_, offsetof(struct link_params, name_), faster_,                                      \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct knob knobs[] = {
    KNOB(detail, true, LINK_LINE, LINK_TLP),
    KNOB(generation, true, 1, 2, 3, 4, 5),
    KNOB(lanes, true, 1, 2, 4, 8, 16),
    KNOB(max_payload, true, 128, 256, 512, 1024, 2048, 4096),
    KNOB(max_read_request, true, 128, 256, 512, 1024, 2048, 4096),
    KNOB(completion_payload, true, 64, 128, 256),
    KNOB(completion_boundary, true, 64, 128),
    KNOB(tags, true, 1, 2, 3),
    KNOB(propagation, false, 0, 1, 149999, 150000, 150001, 100000000),
    KNOB(memory_latency, false, 0, 1, 119999, 120000, 120001, 100000000),
    KNOB(packet_overhead, false, 12, 13, 23, 24, 25, 64),
    KNOB(completion_overhead, false, 12, 13, 19, 20, 21, 64),
    KNOB(ecrc, false, 0, 1),
    KNOB(flow_overhead, false, 0, 1, 19999, 20000, 20001, 499999, 500000),
    KNOB(dllp_bytes, false, 6, 7, 8, 9, 16),
    KNOB(ack_every, true, 1, 2, 3, 4, 1024),
    KNOB(update_every, true, 1, 2, 3, 4, 1024),
    KNOB(posted_headers, true, 1, 2, 3, 4),
    KNOB(posted_data, true, 16, 32, 48),
    KNOB(nonposted_headers, true, 1, 2),
    KNOB(completion_headers, true, 1, 2, 3),
    KNOB(completion_data, true, 4, 8, 12),
    KNOB(credit_return, false, 0, 1, 2, 199999, 200000, 200001),
};

START_TEST(every_step_of_every_parameter_shows)
{
    const struct knob *knob = &knobs[_i];
    uint64_t before = 0;
    for (unsigned i = 0; i < 7 && (i == 0 || knob->values[i] != 0); i++) {
        struct link_params params = link_params_plain();
        if (knob->offset == offsetof(struct link_params, credit_return))
            params.posted_headers = params.nonposted_headers = 1;
        if (knob->offset == offsetof(struct link_params, dllp_bytes))
            params.ack_every = 4;
        *(uint64_t *)((char *)&params + knob->offset) = knob->values[i];
        uint64_t now = measure(&params);
        if (i > 0)
            ck_assert_msg(knob->faster ? now < before : now > before,
                          "link.%s from %llu to %llu: %llu ps, then %llu ps", knob->name,
                          (unsigned long long)knob->values[i - 1],
                          (unsigned long long)knob->values[i], (unsigned long long)before,
                          (unsigned long long)now);
        before = now;
    }
}
END_TEST

#define KNOBS ((int)(sizeof knobs / sizeof knobs[0]))

START_TEST(no_parameter_is_forgotten_here)
{
    ck_assert_uint_eq(link_row_count, KNOBS + 1); /* and kind */
    ck_assert_str_eq(link_rows[0].name, "kind");
    for (int i = 0; i < KNOBS; i++) {
        ck_assert_str_eq(link_rows[i + 1].name, knobs[i].name);
        ck_assert_uint_eq(link_rows[i + 1].offset, knobs[i].offset);
    }
}
END_TEST

Suite *suite_link(void)
{
    Suite *suite = suite_create("link");
    TCase *tcase = tcase_create("packets");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_write_takes_its_bytes_and_a_header_per_packet);
    tcase_add_test(tcase, a_direction_is_first_come_first_served);
    tcase_add_test(tcase, a_reservation_in_the_future_leaves_the_line_open_until_then);
    tcase_add_test(tcase, a_doorbell_does_not_wait_for_the_memory_behind_a_fetch);
    tcase_add_test(tcase, directions_do_not_wait_for_each_other);
    tcase_add_test(tcase, propagation_is_added_once_per_way_and_occupies_nothing);
    tcase_add_test(tcase, a_register_read_is_a_request_down_and_a_completion_up);
    tcase_add_test(tcase, a_read_by_the_device_is_requests_up_and_completions_down);
    tcase_add_test(tcase, a_completion_answers_one_request_and_keeps_to_the_payload);
    tcase_add_test(tcase, a_read_within_the_tags_takes_one_round_trip);
    tcase_add_test(tcase, a_ninth_request_waits_for_the_first_of_eight_tags);
    tcase_add_test(tcase, rounds_of_requests_follow_each_other);
    tcase_add_test(tcase, reads_share_the_tags);
    tcase_add_test(tcase, one_tag_more_saves_a_round);
    tcase_add_test(tcase, the_way_up_is_free_while_requests_wait_for_tags);
    tcase_add_test(tcase, an_emulated_link_takes_no_time);
    tcase_add_test(tcase, arrivals_of_a_direction_keep_their_order);
    tcase_add_test(tcase, short_packets_pass_what_is_reserved);
    suite_add_tcase(suite, tcase);
    TCase *parameters = tcase_create("parameters");
    tcase_add_loop_test(parameters, every_step_of_every_parameter_shows, 0, KNOBS);
    tcase_add_test(parameters, no_parameter_is_forgotten_here);
    suite_add_tcase(suite, parameters);
    return suite;
}
