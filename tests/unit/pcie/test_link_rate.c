/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The link's rate where it must be exact: a byte at every generation and width (lane rate and line
 * coding of PCI Express Base 5.0 section 4.2), the number of tags at which they no longer set the
 * pace, and the longest transfer. Throughput over generations, widths, payloads and sizes is
 * compared with the closed form by the test link-closed-form (scripts/link_closed_form.py).
 */
#include "unit/pcie/suites.h"

/* Transfers per second of one lane, and the share of them that the line coding leaves (4.2). */
static const double lane_transfers[] = {2.5e9, 5e9, 8e9, 16e9, 32e9};
static const double lane_coding[] = {8. / 10, 8. / 10, 128. / 130, 128. / 130, 128. / 130};
static const uint64_t widths[] = {1, 2, 4, 8, 16};

static double bytes_per_ps(const struct link_params *p)
{
    return lane_transfers[p->generation - 1] * lane_coding[p->generation - 1] / 8 *
           (double)p->lanes * (1 - (double)p->flow_overhead / 1e6) / 1e12;
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
    tcase_add_test(tcase, a_byte_takes_what_the_standard_says);
    tcase_add_test(tcase, tags_and_wire_meet_where_the_closed_form_says);
    tcase_add_test(tcase, the_longest_transfer_does_not_overflow);
    suite_add_tcase(suite, tcase);
    return suite;
}
