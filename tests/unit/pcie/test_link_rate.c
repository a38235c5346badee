/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The link's bandwidth against the closed form, over generations, widths, payloads and sizes, to
 * 1 %: lane rate and line coding of PCI Express Base 5.0 section 4.2, payload ÷ (payload +
 * overhead) per packet, less the share for flow control; and where tags set the pace, tags ×
 * request ÷ round trip. The closed form is computed here in floating point from the standard's
 * figures, apart from the model's integers.
 */
#include "unit/pcie/suites.h"

/* Transfers per second of one lane, and the share of them that the line coding leaves (4.2). */
static const double lane_transfers[] = {2.5e9, 5e9, 8e9, 16e9, 32e9};
static const double lane_coding[] = {8. / 10, 8. / 10, 128. / 130, 128. / 130, 128. / 130};
static const uint64_t widths[] = {1, 2, 4, 8, 16};
static const uint32_t sizes[] = {4,    64,    128,    129,    512,     4096,
                                 4100, 65536, 131072, 524288, 1048576, 2097152};
#define SIZES (sizeof sizes / sizeof sizes[0])

static double bytes_per_ps(const struct link_params *p)
{
    return lane_transfers[p->generation - 1] * lane_coding[p->generation - 1] / 8 *
           (double)p->lanes * (1 - (double)p->flow_overhead / 1e6) / 1e12;
}

static double packets(double bytes, double payload)
{
    return (double)(uint64_t)((bytes + payload - 1) / payload);
}

static void ck_within(double got, double want, double share, const struct link_params *p,
                      uint32_t bytes)
{
    double error = (got - want) / want;
    ck_assert_msg(error < share && error > -share,
                  "generation %u x%u, payload %u, %u bytes: %.0f ps, closed form %.0f ps",
                  (unsigned)p->generation, (unsigned)p->lanes, (unsigned)p->max_payload, bytes, got,
                  want);
}

/* Calls check for every generation, width, payload and size. */
static void sweep(struct link_params params,
                  void (*check)(const struct link_params *p, uint32_t bytes))
{
    for (params.generation = 1; params.generation <= 5; params.generation++)
        for (unsigned w = 0; w < 5; w++)
            for (params.max_payload = 128; params.max_payload <= 512; params.max_payload *= 2)
                for (unsigned s = 0; s < SIZES; s++) {
                    params.lanes = widths[w];
                    check(&params, sizes[s]);
                }
}

#define TIMES 10 /* transfers in a row, so that the rate shows and not only one transfer */

static void check_writes(const struct link_params *p, uint32_t bytes)
{
    for (unsigned direction = 0; direction < 2; direction++) {
        struct link *link = link_create(p);
        uint64_t arrival = 0;
        for (unsigned i = 0; i < TIMES; i++)
            arrival = link_write(link, direction == 0 ? LINK_DOWN : LINK_UP, 0, bytes);
        double wire = bytes + packets(bytes, (double)p->max_payload) * (double)p->packet_overhead;
        ck_within((double)(arrival - p->propagation), TIMES * wire / bytes_per_ps(p), 0.01, p,
                  bytes);
        link_destroy(link);
    }
}

START_TEST(writes_run_at_the_closed_form_s_rate)
{
    sweep(link_params_plain(), check_writes);
    struct link_params params = link_params_plain();
    params.flow_overhead = 500000;
    params.packet_overhead = 12;
    sweep(params, check_writes);
}
END_TEST

static void check_reads(const struct link_params *p, uint32_t bytes)
{
    struct link *link = link_create(p);
    uint64_t arrival = 0;
    for (unsigned i = 0; i < TIMES; i++)
        arrival = link_read_by_device(link, 0, bytes);
    double completion = (double)p->completion_payload, rate = bytes_per_ps(p);
    double wire = bytes + packets(bytes, completion) * (double)p->completion_overhead;
    double request = (double)p->packet_overhead;
    double requests = packets(bytes, (double)p->max_read_request);
    double data = TIMES * wire / rate + request / rate;
    /* a read of 4 bytes is more request than answer: then the way up sets the pace */
    double asking = TIMES * requests * request / rate + wire / requests / rate;
    double want =
        (data > asking ? data : asking) + 2. * (double)p->propagation + (double)p->memory_latency;
    ck_within((double)arrival, want, 0.01, p, bytes);
    link_destroy(link);
}

START_TEST(reads_run_at_the_closed_form_s_rate)
{
    struct link_params params = link_params_plain();
    params.tags = 1024;
    params.propagation = 0; /* nothing but the wire */
    params.memory_latency = 0;
    sweep(params, check_reads);
    params.completion_payload = 128;
    params.propagation = 5000;
    params.memory_latency = 3000;
    sweep(params, check_reads);
}
END_TEST

#define FAR_PS UINT64_C(20000000) /* 20 us one way, so that few tags never fill the wire */

static void check_few_tags(const struct link_params *p, uint32_t bytes)
{
    struct link *link = link_create(p);
    uint64_t arrival = 0;
    for (unsigned i = 0; i < TIMES; i++)
        arrival = link_read_by_device(link, 0, bytes);
    /* tags × request ÷ round trip is the rate, so rounds × round trip is the time */
    double requests = TIMES * packets(bytes, (double)p->max_read_request);
    double rounds = packets(requests, (double)p->tags);
    double one = bytes / packets(bytes, (double)p->max_read_request);
    double wire = (double)p->packet_overhead + one +
                  packets(one, (double)p->completion_payload) * (double)p->completion_overhead;
    double trip = 2. * (double)p->propagation + (double)p->memory_latency + wire / bytes_per_ps(p);
    /* on the slowest lanes the answers of one round follow each other for a little */
    double spread = rounds == 1 || p->lanes * p->generation > 2 ? 0.01 : 0.06;
    ck_within((double)arrival, rounds * trip, rounds == 1 ? 0.5 : spread, p, bytes);
    link_destroy(link);
}

START_TEST(few_tags_set_the_pace)
{
    struct link_params params = link_params_plain();
    params.propagation = FAR_PS;
    for (params.tags = 1; params.tags <= 4; params.tags *= 2)
        sweep(params, check_few_tags);
}
END_TEST

START_TEST(tags_and_wire_meet_where_the_closed_form_says)
{
    /* given 2 MiB on generation 3 x4 with a round trip of 2.12 us */
    struct link_params params = link_params_plain();
    params.propagation = 1000000;
    double rate = bytes_per_ps(&params), wire = 2097152. * (64 + 20) / 64 / rate;
    double trip = 2120000 + (24 + 512 + 8 * 20) / rate;
    /* when tags are doubled from 1 to 1024, then the time is the longer of the two */
    for (params.tags = 1; params.tags <= 1024; params.tags *= 2) {
        struct link *link = link_create(&params);
        double paced = 4096 / (double)params.tags * trip, alone = wire + 2120000 + 24 / rate;
        ck_within((double)link_read_by_device(link, 0, 2097152), paced > alone ? paced : alone,
                  0.01, &params, 2097152);
        link_destroy(link);
    }
}
END_TEST

START_TEST(the_longest_transfer_does_not_overflow)
{
    struct link_params params = link_params_slow();
    params.flow_overhead = 500000; /* 8000 ps per byte */
    params.max_payload = 128;
    params.packet_overhead = 64;
    struct link *link = link_create(&params);
    uint64_t wire = UINT32_MAX + (UINT64_C(1) << 25) * 64;
    ck_assert_uint_eq(link_write(link, LINK_UP, 0, UINT32_MAX), wire * 8000);
    link_destroy(link);
}
END_TEST

START_TEST(a_byte_takes_what_the_standard_says)
{
    /* 2.5 GT/s with 8b/10b is 4 ns a byte; every next figure exact to a part in ten million */
    for (unsigned generation = 1; generation <= 5; generation++)
        for (unsigned w = 0; w < 5; w++) {
            struct link_params params = link_params_slow();
            params.generation = generation;
            params.lanes = widths[w];
            params.max_payload = 4096;
            struct link *link = link_create(&params);
            double want = (4096 + 24) * 4096. / bytes_per_ps(&params);
            ck_within((double)link_write(link, LINK_DOWN, 0, 4096 * 4096), want, 1e-7, &params,
                      4096 * 4096);
            link_destroy(link);
        }
}
END_TEST

Suite *suite_link_rate(void)
{
    Suite *suite = suite_create("link bandwidth");
    TCase *tcase = tcase_create("closed form");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_byte_takes_what_the_standard_says);
    tcase_add_test(tcase, writes_run_at_the_closed_form_s_rate);
    tcase_add_test(tcase, reads_run_at_the_closed_form_s_rate);
    tcase_add_test(tcase, few_tags_set_the_pace);
    tcase_add_test(tcase, tags_and_wire_meet_where_the_closed_form_says);
    tcase_add_test(tcase, the_longest_transfer_does_not_overflow);
    suite_add_tcase(suite, tcase);
    return suite;
}
