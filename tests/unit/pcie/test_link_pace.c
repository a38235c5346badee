/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What may hold a packet up beside the wire, to the picosecond: flow-control credits and their way
 * back (PCI Express Base 3.1, 2.6.1), Ack and UpdateFC packets of the other direction (3.5), and
 * what changes packets: ECRC (2.7), the Read Completion Boundary (2.3.1.1), and the sizes and tags
 * that the host sets (7.8.4). On a wire on which a byte takes 4000 ps.
 */
#include "unit/pcie/suites.h"

#define B     SLOW_BYTE_PS
#define P     UINT64_C(7000000) /* one way: more than any packet here */
#define EMPTY (24 * B)          /* a packet without data */

static struct link *link;
static struct link_params params;

static void make(void)
{
    link_destroy(link);
    link = link_create(&params);
}

static void setup(void)
{
    params = link_params_slow();
    params.propagation = P;
}

static void teardown(void)
{
    link_destroy(link);
    link = NULL;
}

START_TEST(the_write_without_a_credit_waits_until_one_is_back)
{
    /* given two header credits, and their UpdateFC 5000 ps after a packet has come */
    params.posted_headers = 2;
    params.credit_return = 5000;
    make();
    uint64_t first = link_write(link, LINK_UP, 0, 4), back = first + 5000 + P;
    ck_assert_uint_eq(first, 28 * B + P);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 4), 2 * 28 * B + P);
    /* then the third goes when the first one's is back, and the fourth with the second's */
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 4), back + 28 * B + P);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 4), back + 2 * 28 * B + P);
    /* a picosecond before and at the moment at which the third one's is back */
    uint64_t third = back + 28 * B + 2 * P + 5000;
    ck_assert_uint_eq(link_write(link, LINK_UP, third - 1, 4), third + 28 * B + P);
    make();
    for (unsigned i = 0; i < 4; i++)
        link_write(link, LINK_UP, 0, 4);
    ck_assert_uint_eq(link_write(link, LINK_UP, third + 1, 4), third + 1 + 28 * B + P);
    /* the other direction has credits of its own */
    ck_assert_uint_eq(link_write(link, LINK_DOWN, 0, 4), 28 * B + P);
}
END_TEST

START_TEST(every_picosecond_of_the_credits_way_back_shows)
{
    params.posted_headers = 1;
    for (params.credit_return = 0; params.credit_return < 3; params.credit_return++) {
        make();
        link_write(link, LINK_UP, 0, 4);
        ck_assert_uint_eq(link_write(link, LINK_UP, 0, 4),
                          28 * B + 2 * P + params.credit_return + 28 * B + P);
    }
}
END_TEST

START_TEST(data_takes_a_credit_per_16_bytes)
{
    /* given 17 data credits: 256 bytes and 16 fit, 256 and 17 do not */
    params.posted_data = 17;
    make();
    link_write(link, LINK_UP, 0, 256);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 16), (280 + 40) * B + P);
    make();
    link_write(link, LINK_UP, 0, 256);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 17), 280 * B + 2 * P + 41 * B + P);
    /* a packet without data takes none */
    make();
    link_write(link, LINK_UP, 0, 256);
    link_write(link, LINK_UP, 0, 16);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 0), (280 + 40 + 24) * B + P);
    /* with the fewest that are allowed, each full packet is a round trip */
    params.posted_data = 16;
    make();
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 1024), 3 * (280 * B + 2 * P) + 280 * B + P);
}
END_TEST

START_TEST(requests_have_credits_of_their_own)
{
    params.nonposted_headers = 1;
    params.posted_headers = 1;
    make();
    link_write(link, LINK_UP, 0, 4);
    /* a request does not wait for a write's credit, but for a request's */
    ck_assert_uint_eq(link_read_by_device(link, 0, 4), 28 * B + EMPTY + P + 24 * B + P);
    ck_assert_uint_eq(link_read_by_device(link, 0, 4),
                      28 * B + EMPTY + 2 * P + EMPTY + P + 24 * B + P);
    uint64_t request = link_register_request(link, 0);
    ck_assert_uint_eq(link_register_request(link, 0), request + P + EMPTY + P);
}
END_TEST

START_TEST(completions_have_credits_of_their_own)
{
    /* given a read of 512 bytes, 8 completions of 84 bytes on the wire */
    uint64_t start = EMPTY + P;
    params.completion_headers = 7;
    make();
    ck_assert_uint_eq(link_read_by_device(link, 0, 512), start + 84 * B + 2 * P + 84 * B + P);
    params.completion_headers = 8;
    make();
    ck_assert_uint_eq(link_read_by_device(link, 0, 512), start + 8 * 84 * B + P);
    params.completion_headers = 0;
    params.completion_data = 31; /* four each */
    make();
    ck_assert_uint_eq(link_read_by_device(link, 0, 512), start + 84 * B + 2 * P + 84 * B + P);
    params.completion_data = 32;
    make();
    ck_assert_uint_eq(link_read_by_device(link, 0, 512), start + 8 * 84 * B + P);
    /* a register's completion as well */
    params.completion_data = 0;
    params.completion_headers = 1;
    make();
    uint64_t reply = link_register_reply(link, 0, 4);
    ck_assert_uint_eq(link_register_reply(link, 0, 4), reply + P + 24 * B + P);
}
END_TEST

/* Packets down, then a write up behind one that keeps the way up busy: how much later it is. */
static uint64_t held_up_by(unsigned packets)
{
    make();
    link_write(link, LINK_UP, 0, 256);
    for (unsigned i = 0; i < packets; i++)
        link_write(link, LINK_DOWN, 0, 4);
    return link_write(link, LINK_UP, 0, 256) - (2 * 280 * B + P);
}

START_TEST(an_ack_takes_time_of_the_other_direction)
{
    params.ack_every = 3;
    ck_assert_uint_eq(held_up_by(2), 0);
    ck_assert_uint_eq(held_up_by(3), 8 * B);
    ck_assert_uint_eq(held_up_by(5), 8 * B);
    ck_assert_uint_eq(held_up_by(6), 16 * B);
    params.update_every = 2;
    ck_assert_uint_eq(held_up_by(1), 0);
    ck_assert_uint_eq(held_up_by(2), 8 * B);
    ck_assert_uint_eq(held_up_by(6), (2 + 3) * 8 * B);
    params.dllp_bytes = 9;
    ck_assert_uint_eq(held_up_by(6), (2 + 3) * 9 * B);
    params.ack_every = params.update_every = 0;
    ck_assert_uint_eq(held_up_by(6), 0);
}
END_TEST

START_TEST(an_idle_direction_carries_acks_for_nothing)
{
    params.ack_every = 1;
    make();
    for (unsigned i = 0; i < 10; i++)
        link_write(link, LINK_DOWN, 1000 * B, 4);
    ck_assert_uint_eq(link_write(link, LINK_UP, 1000 * B, 4), 1028 * B + P);
}
END_TEST

START_TEST(a_digest_is_four_bytes_per_packet)
{
    params.ecrc = 1;
    make();
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 512), (512 + 2 * 28) * B + P);
    ck_assert_uint_eq(link_read_by_device(link, 1000 * B, 128),
                      (1000 + 28 + 128 + 2 * 24) * B + 2 * P);
}
END_TEST

START_TEST(no_completion_is_split_below_the_boundary)
{
    struct link_stats stats;
    params.completion_boundary = 128;
    make();
    ck_assert_uint_eq(link_read_by_device(link, 0, 512), (24 + 512 + 4 * 20) * B + 2 * P);
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.down_packets, 4);
    /* larger completions keep their size */
    params.completion_payload = 256;
    make();
    ck_assert_uint_eq(link_read_by_device(link, 0, 512), (24 + 512 + 2 * 20) * B + 2 * P);
}
END_TEST

START_TEST(the_host_sets_sizes_up_to_what_there_is)
{
    struct link_stats stats;
    make();
    link_set_sizes(link, 128, 128, 1);
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, 256), (256 + 2 * 24) * B + P);
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.up_packets, 2);
    /* one tag, two requests: two round trips */
    make();
    link_set_sizes(link, 128, 128, 1);
    ck_assert_uint_eq(link_read_by_device(link, 0, 256), 2 * ((24 + 128 + 40) * B + 2 * P));
    /* more than there is stays what there is, and what was taken away comes back */
    link_set_sizes(link, 4096, 4096, 1024);
    uint64_t at = UINT64_C(1) << 40;
    ck_assert_uint_eq(link_read_by_device(link, at, 1024), at + (24 + 1024 + 16 * 20) * B + 2 * P);
    link_get_stats(link, &stats);
    ck_assert_uint_eq(stats.up_packets, 4);
    ck_assert_uint_eq(link_limits(link)->max_payload, 256);
}
END_TEST

START_TEST(generous_credits_change_nothing)
{
    /* given a plain link, and one that counts credits but never runs out of them */
    struct link_params plain = link_params_plain(), counted = plain;
    counted.posted_headers = counted.nonposted_headers = counted.completion_headers = 127;
    counted.posted_data = counted.completion_data = 2047;
    struct link *left = link_create(&plain), *right = link_create(&counted);
    uint64_t now = 0;
    for (uint32_t bytes = 1; bytes < 8192; bytes = bytes * 3 + 1, now += UINT64_C(100000000)) {
        uint64_t a = link_write(left, LINK_UP, now, bytes);
        uint64_t b = link_write(right, LINK_UP, now, bytes);
        ck_assert_uint_le(a - b + 32, 64); /* rounding of each packet's time, down to the ps */
        a = link_write(left, LINK_DOWN, now, bytes);
        b = link_write(right, LINK_DOWN, now, bytes);
        ck_assert_uint_le(a - b + 32, 64);
    }
    link_destroy(left);
    link_destroy(right);
}
END_TEST

Suite *suite_link_pace(void)
{
    Suite *suite = suite_create("link pace");
    TCase *tcase = tcase_create("credits, acknowledgements, sizes");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_write_without_a_credit_waits_until_one_is_back);
    tcase_add_test(tcase, every_picosecond_of_the_credits_way_back_shows);
    tcase_add_test(tcase, data_takes_a_credit_per_16_bytes);
    tcase_add_test(tcase, requests_have_credits_of_their_own);
    tcase_add_test(tcase, completions_have_credits_of_their_own);
    tcase_add_test(tcase, an_ack_takes_time_of_the_other_direction);
    tcase_add_test(tcase, an_idle_direction_carries_acks_for_nothing);
    tcase_add_test(tcase, a_digest_is_four_bytes_per_packet);
    tcase_add_test(tcase, no_completion_is_split_below_the_boundary);
    tcase_add_test(tcase, the_host_sets_sizes_up_to_what_there_is);
    tcase_add_test(tcase, generous_credits_change_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
