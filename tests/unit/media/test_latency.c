/* SPDX-License-Identifier: BSD-2-Clause
 * Distributions of a latency: reading, exact points, and a real one through a simulated medium. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "media/latency.h"
#include "media/media.h"
#include "unit/media/suites.h"

#define US UINT64_C(1000000)

START_TEST(a_table_goes_through_its_points)
{
    struct latency_table table;

    ck_assert_ptr_null(latency_parse(" 0:40us  50:54.3us 99.5:92.6us 100:300us ", &table));
    ck_assert_uint_eq(table.count, 4);
    ck_assert_uint_eq(latency_at(&table, 0), 40 * US);
    ck_assert_uint_eq(latency_at(&table, 25 * LATENCY_PERCENT), 47150000);
    ck_assert_uint_eq(latency_at(&table, 50 * LATENCY_PERCENT), 54300000);
    ck_assert_uint_eq(latency_at(&table, 99 * LATENCY_PERCENT + LATENCY_PERCENT / 2), 92600000);
    ck_assert_uint_eq(latency_at(&table, LATENCY_WHOLE), 300 * US);
    ck_assert_uint_lt(latency_at(&table, LATENCY_WHOLE - 1), 300 * US);
    ck_assert_ptr_null(latency_parse("0:0ns 100:10s", &table)); /* the widest */
    ck_assert_uint_eq(latency_at(&table, LATENCY_WHOLE - 1), UINT64_C(9999999900000));
    ck_assert_ptr_null(latency_parse("", &table));
    ck_assert_uint_eq(table.count, 0);
}
END_TEST

START_TEST(a_bad_table_is_refused_with_a_reason)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"1:40us 100:50us", "begin with percentile 0"},
        {"0:40us 99:50us", "end with percentile 100"},
        {"0:40us", "end with percentile 100"},
        {"0:40us 50:45us 50:46us 100:50us", "increase"},
        {"0:40us 50:39us 100:50us", "do not decrease"},
        {"0:40 100:50us", "after each colon"},
        {"0:40us 100:11s", "at most 10 s"},
        {"0:40us 101:50us", "percentiles from 0 to 100"},
        {"0:40us 100.000001:50us", "percentiles from 0 to 100"},
        {"0:40us 99.1234567:41us 100:50us", "six decimals"},
        {"0:40us 99999999999:50us", "percentiles from 0 to 100"},
        {"0:40us x", "points like"},
        {"0:40us 100", "points like"},
        {"0:40us,100:50us", "after each colon"},
        {"0:0s 1:0s 2:0s 3:0s 4:0s 5:0s 6:0s 7:0s 8:0s 9:0s 10:0s 11:0s 100:0s", "12 points"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct latency_table table;
        const char *why = latency_parse(bad[i].text, &table);

        ck_assert_msg(why != NULL && strstr(why, bad[i].why) != NULL, "'%s': %s", bad[i].text, why);
    }
}
END_TEST

START_TEST(the_check_names_the_parameter)
{
    struct media_params params = {.kind = MEDIA_FIXED, .read_latency_table = "5"};

    ck_assert_ptr_nonnull(strstr(media_params_check(&params, 4096), "media.read_latency_table"));
    params.read_latency_table[0] = '\0';
    ck_assert_ptr_null(media_params_check(&params, 4096));
    memcpy(params.write_latency_table, "5", 2);
    ck_assert_ptr_nonnull(strstr(media_params_check(&params, 4096), "media.write_latency_table"));
}
END_TEST

static void ended(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg; /* the test reads the clock itself */
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* GIVEN a real drive's summary (963 reads of 4 KiB at depth 1: minimum 52.5 us, median 54.3 us,
 * 99th percentile 92.6 us, maximum 102.5 us) WHEN 20,000 reads are simulated from a table of it
 * THEN median, 99th percentile and the ends come out again. */
START_TEST(a_measured_distribution_comes_out_again)
{
    enum { READS = 20000 };
    static uint64_t latency[READS];
    struct media_params params = {.kind = MEDIA_FIXED,
                                  .read_latency_table = "0:52.5us 50:54.3us 99:92.6us 100:102.5us",
                                  .units = 1,
                                  .read_bandwidth = UINT64_C(1000000000000)};
    struct engine *engine = engine_create(7);
    struct media *media = media_create(engine, &params, 1 << 20);

    for (uint64_t i = 0; i < READS; i++) {
        uint64_t begin_ps = engine_now(engine), start_ps;

        media_start(media, MEDIA_READ, 0, 0, ended, NULL, i, &start_ps);
        ck_assert(engine_step(engine));
        latency[i] = engine_now(engine) - begin_ps;
    }
    qsort(latency, READS, sizeof latency[0], by_size);
    ck_assert_uint_ge(latency[0], 52500000);
    ck_assert_uint_le(latency[0], 52600000);
    ck_assert_uint_ge(latency[READS / 2], 54200000); /* 54.3 us */
    ck_assert_uint_le(latency[READS / 2], 54700000);
    ck_assert_uint_ge(latency[READS / 100 * 99], 91700000); /* 92.6 us, 1 % */
    ck_assert_uint_le(latency[READS / 100 * 99], 93500000);
    ck_assert_uint_le(latency[READS - 1], 102500000);
    ck_assert_uint_ge(latency[READS - 1], 101500000);
    media_destroy(media);
    engine_destroy(engine);
}
END_TEST

TCase *latency_cases(void)
{
    TCase *latency = tcase_create("latency");

    tcase_add_test(latency, a_table_goes_through_its_points);
    tcase_add_test(latency, a_bad_table_is_refused_with_a_reason);
    tcase_add_test(latency, the_check_names_the_parameter);
    tcase_add_test(latency, a_measured_distribution_comes_out_again);
    return latency;
}
