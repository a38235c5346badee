/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Histograms (bucket edges, error of a bucket's middle, percentiles of known sets, adding and
 * subtracting) and the event stream (who is told what, in which order).
 */
#include <stdlib.h>
#include <string.h>

#include "engine/rng.h"
#include "engine/stats.h"
#include "engine/stream.h"
#include "unit/engine/suites.h"

static struct stats_histogram *histogram_new(void)
{
    struct stats_histogram *histogram = malloc(sizeof *histogram);
    ck_assert_ptr_nonnull(histogram);
    stats_histogram_init(histogram);
    return histogram;
}

START_TEST(small_values_have_a_bucket_each)
{
    for (uint64_t value = 0; value < 2 * STATS_SUB; value++) {
        ck_assert_uint_eq(stats_bucket_of(value), value);
        ck_assert_uint_eq(stats_bucket_middle((uint32_t)value), value);
    }
}
END_TEST

START_TEST(buckets_meet_without_gap_or_overlap)
{
    /* 128 and 129 share a bucket, 130 begins the next; the last value has the last bucket */
    ck_assert_uint_eq(stats_bucket_of(128), 128);
    ck_assert_uint_eq(stats_bucket_of(129), 128);
    ck_assert_uint_eq(stats_bucket_of(130), 129);
    ck_assert_uint_eq(stats_bucket_of(255), 191);
    ck_assert_uint_eq(stats_bucket_of(256), 192);
    ck_assert_uint_eq(stats_bucket_of(UINT64_MAX), STATS_BUCKETS - 1);
    /* each power of two has 64 buckets; its first value begins one, and the value before ends one
     */
    for (uint32_t power = 7; power < 64; power++) {
        uint64_t low = UINT64_C(1) << power, width = low >> STATS_SUB_BITS;
        for (uint32_t sub = 0; sub < STATS_SUB; sub++) {
            uint32_t bucket = (power - STATS_SUB_BITS + 1) * STATS_SUB + sub;
            uint64_t first = low + sub * width;
            ck_assert_uint_eq(stats_bucket_of(first), bucket);
            ck_assert_uint_eq(stats_bucket_of(first - 1), bucket - 1);
            ck_assert_uint_eq(stats_bucket_of(first + (width - 1)), bucket);
        }
    }
}
END_TEST

START_TEST(the_middle_is_within_a_128th_of_the_value)
{
    struct rng rng;
    rng_init(&rng, 9, "middle");
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t value = rng_next(&rng) >> rng_below(&rng, 64);
        uint32_t bucket = stats_bucket_of(value);
        ck_assert_uint_lt(bucket, STATS_BUCKETS);
        uint64_t middle = stats_bucket_middle(bucket);
        ck_assert_uint_eq(stats_bucket_of(middle), bucket);
        uint64_t error = middle > value ? middle - value : value - middle;
        ck_assert_uint_le(error, value / 128 + (value % 128 != 0));
    }
}
END_TEST

START_TEST(a_new_histogram_is_empty)
{
    struct stats_histogram *histogram = histogram_new();
    ck_assert_uint_eq(histogram->count, 0);
    ck_assert_uint_eq(histogram->minimum, UINT64_MAX);
    ck_assert_uint_eq(histogram->maximum, 0);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 500000), 0);
    free(histogram);
}
END_TEST

START_TEST(percentiles_of_one_to_a_hundred)
{
    struct stats_histogram *histogram = histogram_new();
    for (uint64_t value = 100; value >= 1; value--)
        stats_histogram_add(histogram, value);
    ck_assert_uint_eq(histogram->count, 100);
    ck_assert_uint_eq(histogram->sum, 5050);
    ck_assert_uint_eq(histogram->minimum, 1);
    ck_assert_uint_eq(histogram->maximum, 100);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 0), 1);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 1), 1);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 10000), 1); /* 1 % */
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 10001), 2); /* and a bit */
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 500000), 50);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 990000), 99);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 990001), 100);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 1000000), 100);
    free(histogram);
}
END_TEST

START_TEST(percentiles_of_two_far_apart)
{
    /* 999,999 times 10 and once 2^40: the tail begins right behind 99.9999 % */
    struct stats_histogram *histogram = histogram_new();
    for (unsigned i = 0; i < 999999; i++)
        stats_histogram_add(histogram, 10);
    stats_histogram_add(histogram, UINT64_C(1) << 40);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 999999), 10);
    ck_assert_uint_eq(stats_histogram_percentile(histogram, 1000000),
                      (UINT64_C(1) << 40) + (UINT64_C(1) << 33)); /* middle of its bucket */
    /* extremes have a bucket as well */
    stats_histogram_add(histogram, UINT64_MAX);
    ck_assert_uint_eq(histogram->maximum, UINT64_MAX);
    ck_assert_uint_eq(histogram->buckets[STATS_BUCKETS - 1], 1);
    free(histogram);
}
END_TEST

START_TEST(merging_is_adding_together)
{
    struct stats_histogram *left = histogram_new(), *right = histogram_new();
    struct stats_histogram *both = histogram_new(), *empty = histogram_new();
    struct rng rng;
    rng_init(&rng, 10, "merge");
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t value = rng_below(&rng, 1000000);
        stats_histogram_add(i % 3 == 0 ? left : right, value);
        stats_histogram_add(both, value);
    }
    stats_histogram_merge(left, right);
    ck_assert_mem_eq(left, both, sizeof *both);
    stats_histogram_merge(left, empty); /* nothing changes, the minimum neither */
    ck_assert_mem_eq(left, both, sizeof *both);
    stats_histogram_merge(empty, both);
    ck_assert_mem_eq(empty, both, sizeof *both);
    free(left);
    free(right);
    free(both);
    free(empty);
}
END_TEST

START_TEST(end_minus_begin_is_the_region_between)
{
    struct stats_histogram *run = histogram_new(), *begin = histogram_new();
    struct stats_histogram *region = histogram_new();
    for (uint64_t i = 0; i < 500; i++)
        stats_histogram_add(run, i * 7);
    *begin = *run;
    for (uint64_t i = 0; i < 300; i++) {
        stats_histogram_add(run, 5000 + i);
        stats_histogram_add(region, 5000 + i);
    }
    stats_histogram_subtract(run, begin);
    ck_assert_uint_eq(run->count, 300);
    ck_assert_uint_eq(run->sum, region->sum);
    ck_assert_mem_eq(run->buckets, region->buckets, sizeof run->buckets);
    ck_assert_uint_eq(stats_histogram_percentile(run, 1), stats_histogram_percentile(region, 1));
    free(run);
    free(begin);
    free(region);
}
END_TEST

/* ---- stream ---- */

struct listener {
    struct stream_reader reader;
    struct stream *stream;
    char name;
    bool leaves;
};

static char heard[64];
static unsigned heard_count;

static void hear(void *ctx, const struct stream_record *record)
{
    struct listener *listener = ctx;
    ck_assert_uint_lt(heard_count + 1, sizeof heard);
    heard[heard_count++] = listener->name;
    heard[heard_count] = '\0';
    ck_assert_uint_eq(record->a, 5);
    if (listener->leaves)
        stream_remove(listener->stream, &listener->reader);
}

static void listen(struct stream *stream, struct listener *listener, char name, uint64_t kinds)
{
    *listener = (struct listener){{hear, listener, kinds, NULL}, stream, name, false};
    stream_add(stream, &listener->reader);
}

static const char *say(struct stream *stream, uint16_t kind)
{
    struct stream_record record = {.kind = kind, .a = 5};
    heard_count = 0;
    heard[0] = '\0';
    stream_deliver(stream, &record);
    return heard;
}

START_TEST(a_stream_without_readers_wants_nothing)
{
    struct stream stream = {0, NULL};
    struct listener listener;
    for (unsigned kind = 0; kind < 64; kind++)
        ck_assert(!stream_wants(&stream, kind));
    ck_assert_str_eq(say(&stream, 3), "");
    listen(&stream, &listener, 'a', UINT64_C(1) << 3 | UINT64_C(1) << 63);
    for (unsigned kind = 0; kind < 64; kind++)
        ck_assert(stream_wants(&stream, kind) == (kind == 3 || kind == 63));
    ck_assert_str_eq(say(&stream, 63), "a");
    stream_remove(&stream, &listener.reader);
    ck_assert(!stream_wants(&stream, 3));
    stream_remove(&stream, &listener.reader); /* not there any more: nothing happens */
    ck_assert_str_eq(say(&stream, 3), "");
}
END_TEST

START_TEST(readers_are_told_in_order_and_only_their_kinds)
{
    struct stream stream = {0, NULL};
    struct listener a, b, c;
    listen(&stream, &a, 'a', 1u << 1 | 1u << 2);
    listen(&stream, &b, 'b', 1u << 2);
    listen(&stream, &c, 'c', 1u << 1 | 1u << 2 | 1u << 5);
    ck_assert_str_eq(say(&stream, 2), "abc");
    ck_assert_str_eq(say(&stream, 1), "ac");
    ck_assert_str_eq(say(&stream, 5), "c");
    ck_assert_str_eq(say(&stream, 0), "");
    stream_remove(&stream, &b.reader);
    ck_assert_str_eq(say(&stream, 2), "ac");
    stream_remove(&stream, &c.reader); /* the union of kinds shrinks with it */
    ck_assert(!stream_wants(&stream, 5));
    ck_assert(stream_wants(&stream, 1));
    stream_add(&stream, &b.reader);
    ck_assert_str_eq(say(&stream, 2), "ab");
}
END_TEST

START_TEST(a_reader_may_leave_while_it_is_told)
{
    /* first, middle, last: the others hear the record and the next one all the same */
    for (unsigned leaver = 0; leaver < 3; leaver++) {
        static const char *const left[] = {"bc", "ac", "ab"};
        struct stream stream = {0, NULL};
        struct listener listeners[3];
        for (unsigned i = 0; i < 3; i++)
            listen(&stream, &listeners[i], (char)('a' + i), 1);
        listeners[leaver].leaves = true;
        ck_assert_str_eq(say(&stream, 0), "abc");
        ck_assert_str_eq(say(&stream, 0), left[leaver]);
    }
}
END_TEST

Suite *suite_stats(void)
{
    Suite *suite = suite_create("statistics and stream");
    TCase *stats = tcase_create("histogram");
    tcase_add_test(stats, small_values_have_a_bucket_each);
    tcase_add_test(stats, buckets_meet_without_gap_or_overlap);
    tcase_add_test(stats, the_middle_is_within_a_128th_of_the_value);
    tcase_add_test(stats, a_new_histogram_is_empty);
    tcase_add_test(stats, percentiles_of_one_to_a_hundred);
    tcase_add_test(stats, percentiles_of_two_far_apart);
    tcase_add_test(stats, merging_is_adding_together);
    tcase_add_test(stats, end_minus_begin_is_the_region_between);
    suite_add_tcase(suite, stats);
    TCase *stream = tcase_create("stream");
    tcase_add_test(stream, a_stream_without_readers_wants_nothing);
    tcase_add_test(stream, readers_are_told_in_order_and_only_their_kinds);
    tcase_add_test(stream, a_reader_may_leave_while_it_is_told);
    suite_add_tcase(suite, stream);
    return suite;
}
