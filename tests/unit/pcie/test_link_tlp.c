/* SPDX-License-Identifier: BSD-2-Clause
 *
 * link.detail = tlp: transfers of several streams take turns packet by packet, those of one stream
 * keep their order, and reads, tags, credits and register accesses find their place between
 * packets. On a wire on which a byte takes 4000 ps; the same calls at detail line beside it.
 */
#include "engine/rng.h"
#include "pcie/port.h"
#include "unit/pcie/suites.h"

#define B    SLOW_BYTE_PS
#define FULL ((256 + 24) * B) /* a full packet */
#define MOST 1024u

static struct engine *engine;
static struct link *link;
static struct link_params params;
static uint64_t arrival[MOST];
static unsigned arrivals;

static void arrive(void *ctx, uint64_t index)
{
    ck_assert_ptr_eq(ctx, engine);
    ck_assert_uint_lt(index, MOST);
    ck_assert_uint_eq(arrival[index], 0); /* once */
    arrival[index] = engine_now(engine);
    arrivals++;
}

static void open_link(void)
{
    engine = engine_create(1);
    link = link_create(&params);
    link_use_engine(link, engine);
    for (unsigned i = 0; i < MOST; i++)
        arrival[i] = 0;
    arrivals = 0;
}

static void setup(void)
{
    params = link_params_slow();
    params.detail = LINK_TLP;
    open_link();
}

static void teardown(void)
{
    link_destroy(link);
    engine_destroy(engine);
}

static void reopen(void)
{
    teardown();
    open_link();
}

static void up(unsigned index, unsigned stream, uint64_t ready_ps, uint32_t bytes)
{
    link_write_then(link, LINK_UP, stream, ready_ps, bytes, arrive, engine, index);
}

static void read(unsigned index, unsigned stream, uint32_t bytes)
{
    link_read_then(link, stream, engine_now(engine), bytes, arrive, engine, index);
}

static void run(void)
{
    while (engine_step(engine))
        ;
}

START_TEST(one_transfer_alone_takes_what_it_takes_at_detail_line)
{
    static const uint32_t sizes[] = {0, 4, 256, 257, 4096, 65536};
    params.propagation = 12345;
    params.memory_latency = 678;
    for (unsigned i = 0; i < 6; i++) {
        struct link *line = link_create(&params);
        reopen();
        up(0, 3, 0, sizes[i]);
        run();
        ck_assert_uint_eq(arrival[0], link_write(line, LINK_UP, 0, sizes[i]));
        link_destroy(line);
        line = link_create(&params);
        reopen();
        read(0, 3, sizes[i]);
        run();
        ck_assert_uint_eq(arrival[0], link_read_by_device(line, 0, sizes[i]));
        link_destroy(line);
    }
}
END_TEST

START_TEST(streams_take_turns)
{
    /* given 1 KiB in stream 0, 512 bytes in stream 1, 4 bytes in stream 2 */
    up(0, 0, 0, 1024);
    up(1, 1, 0, 512);
    up(2, 2, 0, 4);
    run();
    /* then packets go 0 1 2 0 1 0 0 */
    ck_assert_uint_eq(arrival[2], 2 * FULL + 28 * B);
    ck_assert_uint_eq(arrival[1], 4 * FULL + 28 * B);
    ck_assert_uint_eq(arrival[0], 6 * FULL + 28 * B);
}
END_TEST

START_TEST(at_detail_line_a_write_waits_for_a_long_one_unless_it_is_short)
{
    params.detail = LINK_LINE;
    reopen();
    up(0, 0, 0, 1024);
    up(1, 1, 0, 16);
    up(2, 2, FULL - 1, 4);
    run();
    ck_assert_uint_eq(arrival[0], 4 * FULL);
    ck_assert_uint_eq(arrival[1], 4 * FULL + 40 * B);
    ck_assert_uint_eq(arrival[2], FULL + (4 * FULL + 40 * B - FULL) % FULL + 28 * B);
}
END_TEST

START_TEST(a_stream_keeps_its_order)
{
    up(0, 5, 0, 1024);
    up(1, 5, 0, 4);
    up(2, 5 + LINK_STREAMS, 0, 4); /* the same stream */
    run();
    ck_assert_uint_eq(arrival[0], 4 * FULL);
    ck_assert_uint_eq(arrival[1], 4 * FULL + 28 * B);
    ck_assert_uint_eq(arrival[2], 4 * FULL + 56 * B);
}
END_TEST

START_TEST(what_comes_in_the_middle_gets_the_next_turn)
{
    /* given 1 KiB under way, and another stream's 4 bytes a picosecond before and at a boundary */
    up(0, 0, 0, 1024);
    engine_run_until(engine, FULL - 1);
    up(1, 1, FULL - 1, 4);
    run();
    ck_assert_uint_eq(arrival[1], FULL + 28 * B);
    ck_assert_uint_eq(arrival[0], 4 * FULL + 28 * B);
    reopen();
    up(0, 0, 0, 1024);
    engine_run_until(engine, FULL); /* the second packet has set out */
    up(1, 1, FULL, 4);
    run();
    ck_assert_uint_eq(arrival[1], 2 * FULL + 28 * B);
}
END_TEST

START_TEST(what_is_not_ready_yet_lets_others_go)
{
    /* given a write that will be ready at 3 packets' time, or a picosecond later */
    for (uint64_t late = 0; late < 2; late++) {
        reopen();
        up(0, 0, 3 * FULL + late, 4);
        up(1, 1, 0, 1024);
        run();
        ck_assert_uint_eq(arrival[0], (late == 0 ? 3 : 4) * FULL + 28 * B);
        ck_assert_uint_eq(arrival[1], 4 * FULL + (late == 0 ? 28 * B : 0));
    }
    /* and alone it goes when it is */
    reopen();
    up(0, 0, 12345, 4);
    run();
    ck_assert_uint_eq(arrival[0], 12345 + 28 * B);
}
END_TEST

START_TEST(a_stream_goes_by_readiness)
{
    /* given, in one stream, writes ready at 2, 0, 2, 1 and 0 packets' time */
    static const unsigned ready[] = {2, 0, 2, 1, 0};
    static const unsigned place[] = {4, 1, 5, 3, 2};
    for (unsigned i = 0; i < 5; i++)
        up(i, 7, ready[i] * FULL, 256);
    run();
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(arrival[i], place[i] * FULL);
    /* and one that is asked for at the very time at which an earlier one is ready goes behind it */
    reopen();
    up(0, 7, FULL, 4);
    engine_run_until(engine, FULL - 1);
    up(1, 7, FULL, 4);
    run();
    ck_assert_uint_eq(arrival[0], FULL + 28 * B);
    ck_assert_uint_eq(arrival[1], FULL + 56 * B);
}
END_TEST

START_TEST(every_stream_has_its_turn)
{
    /* given two packets in each of the streams, the last one first */
    for (unsigned i = LINK_STREAMS; i-- > 0;)
        up(i, i, FULL, 512);
    run();
    for (unsigned i = 0; i < LINK_STREAMS; i++)
        ck_assert_uint_eq(arrival[i], (1 + LINK_STREAMS + i + 1) * FULL);
}
END_TEST

START_TEST(a_register_access_goes_between_packets)
{
    /* given completions coming down, when a doorbell is rung in the middle of one */
    read(0, 0, 512);
    engine_run_until(engine, 24 * B + 84 * B + 1);
    ck_assert_uint_eq(link_write(link, LINK_DOWN, engine_now(engine), 4),
                      24 * B + 2 * 84 * B + 28 * B);
    run();
    ck_assert_uint_eq(arrival[0], (24 + 8 * 84 + 28) * B);
}
END_TEST

START_TEST(a_tag_is_held_until_the_last_completion)
{
    params.tags = 1;
    params.propagation = 1000000;
    reopen();
    uint64_t round = (24 + 512 + 8 * 20) * B + 2000000;
    read(0, 0, 1024);
    read(1, 1, 512);
    run();
    /* then requests go 0 1 0, a round trip each */
    ck_assert_uint_eq(arrival[1], 2 * round);
    ck_assert_uint_eq(arrival[0], 3 * round);
    /* and writes do not wait for a tag */
    reopen();
    read(0, 0, 1024);
    up(1, 1, 0, 4);
    run();
    ck_assert_uint_eq(arrival[1], (24 + 28) * B + 1000000);
}
END_TEST

START_TEST(a_request_waits_behind_a_write_of_its_stream)
{
    up(0, 0, 0, 512);
    read(1, 0, 64);
    run();
    ck_assert_uint_eq(arrival[1], 2 * FULL + (24 + 84) * B);
}
END_TEST

START_TEST(credits_hold_packets_up)
{
    params.posted_headers = 1;
    params.propagation = 1000000;
    params.credit_return = 1;
    reopen();
    up(0, 0, 0, 512);
    read(1, 1, 64); /* has credits of its own */
    run();
    ck_assert_uint_eq(arrival[0], 2 * FULL + 3 * 1000000 + 1);
    ck_assert_uint_eq(arrival[1], FULL + (24 + 84) * B + 2 * 1000000);
}
END_TEST

START_TEST(acks_fall_between_packets)
{
    /* given writes both ways, an Ack for each packet */
    params.ack_every = 1;
    reopen();
    up(0, 0, 0, 1024);
    link_write_then(link, LINK_DOWN, 0, 0, 1024, arrive, engine, 1);
    run();
    /* then each direction carries the other's four, less what falls behind its last packet */
    ck_assert_uint_ge(arrival[0], 4 * FULL + 3 * 8 * B);
    ck_assert_uint_le(arrival[0], 4 * FULL + 4 * 8 * B);
    ck_assert_uint_ge(arrival[1], 4 * FULL + 3 * 8 * B);
    ck_assert_uint_le(arrival[1], 4 * FULL + 4 * 8 * B);
}
END_TEST

START_TEST(nothing_is_lost_and_nothing_comes_twice)
{
    /* given random transfers in random streams, on a link that wants credits, tags and Acks */
    struct rng rng;
    struct link_stats stats;
    uint64_t written = 0, fetched = 0;
    rng_init(&rng, 1, "transfers");
    params = link_params_plain();
    params.detail = LINK_TLP;
    params.tags = 3;
    params.posted_headers = 4;
    params.posted_data = 20;
    params.completion_headers = 5;
    params.ack_every = 2;
    reopen();
    for (unsigned i = 0; i < MOST; i++) {
        uint32_t bytes = (uint32_t)rng_below(&rng, 5000);
        unsigned stream = (unsigned)rng_below(&rng, 40);
        uint64_t now = engine_now(engine);
        if (rng_below(&rng, 2) == 0) {
            up(i, stream, now + rng_below(&rng, 1000000), bytes);
            written += bytes;
        } else {
            read(i, stream, bytes);
            fetched += bytes;
        }
        engine_run_until(engine, now + rng_below(&rng, 2000000));
    }
    run();
    link_get_stats(link, &stats);
    ck_assert_uint_eq(arrivals, MOST);
    ck_assert_uint_eq(stats.up_bytes, written);
    ck_assert_uint_eq(stats.down_bytes, fetched);
}
END_TEST

START_TEST(an_emulated_link_still_takes_no_time)
{
    params.kind = LINK_EMULATED;
    reopen();
    engine_run_until(engine, 77);
    up(0, 0, 77, 4096);
    read(1, 1, 4096);
    run();
    ck_assert_uint_eq(arrival[0], 77);
    ck_assert_uint_eq(arrival[1], 77);
}
END_TEST

START_TEST(the_port_passes_streams_on)
{
    struct pcie_port *port = pcie_port_create(engine, &params);
    pcie_up_write_then(port, 0, 0, 1024, arrive, engine, 0);
    pcie_up_write_then(port, 1, 0, 4, arrive, engine, 1);
    pcie_up_read_then(port, 2, 0, 64, arrive, engine, 2);
    run();
    ck_assert_uint_eq(arrival[1], FULL + 28 * B);
    ck_assert_uint_eq(arrival[2], FULL + 28 * B + (24 + 84) * B);
    ck_assert_uint_eq(arrival[0], 4 * FULL + (28 + 24) * B);
    pcie_port_destroy(port);
}
END_TEST

Suite *suite_link_tlp(void)
{
    Suite *suite = suite_create("link tlp");
    TCase *tcase = tcase_create("packets");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_transfer_alone_takes_what_it_takes_at_detail_line);
    tcase_add_test(tcase, streams_take_turns);
    tcase_add_test(tcase, at_detail_line_a_write_waits_for_a_long_one_unless_it_is_short);
    tcase_add_test(tcase, a_stream_keeps_its_order);
    tcase_add_test(tcase, what_comes_in_the_middle_gets_the_next_turn);
    tcase_add_test(tcase, what_is_not_ready_yet_lets_others_go);
    tcase_add_test(tcase, a_stream_goes_by_readiness);
    tcase_add_test(tcase, every_stream_has_its_turn);
    tcase_add_test(tcase, a_register_access_goes_between_packets);
    tcase_add_test(tcase, a_tag_is_held_until_the_last_completion);
    tcase_add_test(tcase, a_request_waits_behind_a_write_of_its_stream);
    tcase_add_test(tcase, credits_hold_packets_up);
    tcase_add_test(tcase, acks_fall_between_packets);
    tcase_add_test(tcase, nothing_is_lost_and_nothing_comes_twice);
    tcase_add_test(tcase, an_emulated_link_still_takes_no_time);
    tcase_add_test(tcase, the_port_passes_streams_on);
    suite_add_tcase(suite, tcase);
    return suite;
}
