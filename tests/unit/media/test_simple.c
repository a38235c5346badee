/* SPDX-License-Identifier: BSD-2-Clause
 * Media of fixed time and the page cache: exact times, and what a loss of power takes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rng.h"
#include "media/media.h"
#include "media/store.h"
#include "unit/media/suites.h"

#define US UINT64_C(1000000)

static struct engine *engine;
static struct media *media;
static struct media_params params;
static uint64_t done_ps[64];
static unsigned done_count;

static void on_done(void *ctx, uint64_t arg)
{
    (void)ctx;
    done_ps[arg] = engine_now(engine);
    done_count++;
}

static void setup(void)
{
    engine = engine_create(1);
    params = (struct media_params){.kind = MEDIA_FIXED,
                                   .read_latency = 80 * US,
                                   .write_latency = 20 * US,
                                   .flush_latency = 100 * US,
                                   .units = 2,
                                   .read_bandwidth = UINT64_C(4096000000), /* 4096 B/us */
                                   .write_bandwidth = UINT64_C(2048000000),
                                   .hop_latency = 30 * US,
                                   .workers = 2,
                                   .cache_read_bandwidth = UINT64_C(4096000000),
                                   .cache_write_bandwidth = UINT64_C(2048000000),
                                   .cache_flush_latency = 200 * US};
    media = NULL;
    done_count = 0;
    memset(done_ps, 0, sizeof done_ps);
}

static void teardown(void)
{
    media_destroy(media);
    engine_destroy(engine);
}

static void open_kind(enum media_kind kind)
{
    params.kind = kind;
    media = media_create(engine, &params, UINT64_C(1) << 30);
}

static uint64_t start(enum media_op op, uint32_t bytes, uint64_t arg)
{
    uint64_t start_ps;

    media_start(media, op, 0, bytes, on_done, NULL, arg, &start_ps);
    return start_ps;
}

static void settle(void)
{
    while (engine_step(engine)) {
    }
}

START_TEST(null_ends_now_but_by_event)
{
    open_kind(MEDIA_NULL);
    engine_run_until(engine, 77);
    ck_assert_uint_eq(start(MEDIA_READ, 4096, 1), 77);
    ck_assert_uint_eq(done_count, 0);
    settle();
    ck_assert_uint_eq(done_ps[1], 77);
    ck_assert_uint_eq(engine_fired(engine), 1);
}
END_TEST

START_TEST(fixed_latency_and_bandwidth)
{
    open_kind(MEDIA_FIXED);
    ck_assert_uint_eq(start(MEDIA_READ, 4096, 1), 0);
    ck_assert_uint_eq(start(MEDIA_WRITE, 4096, 2), 0);
    settle();
    ck_assert_uint_eq(done_ps[1], 81 * US);
    ck_assert_uint_eq(done_ps[2], 22 * US);
    ck_assert_uint_eq(engine_fired(engine), 2); /* one event per operation */
}
END_TEST

START_TEST(fixed_units_and_shared_line)
{
    open_kind(MEDIA_FIXED);
    ck_assert_uint_eq(start(MEDIA_READ, 8192, 0), 0);
    ck_assert_uint_eq(start(MEDIA_READ, 8192, 1), 0);
    ck_assert_uint_eq(start(MEDIA_READ, 8192, 2), 82 * US); /* the first unit that is free */
    ck_assert_uint_eq(start(MEDIA_READ, 8192, 3), 84 * US);
    settle();
    ck_assert_uint_eq(done_ps[0], 82 * US);
    ck_assert_uint_eq(done_ps[1], 84 * US); /* the line is shared */
    ck_assert_uint_eq(done_ps[2], 164 * US);
    ck_assert_uint_eq(done_ps[3], 166 * US);
}
END_TEST

START_TEST(fixed_zeroes_move_no_data_and_flush_waits_for_writes)
{
    struct media_stats stats;

    open_kind(MEDIA_FIXED);
    start(MEDIA_ZERO, 1 << 20, 0);
    start(MEDIA_WRITE, 2048, 1);
    ck_assert_uint_eq(start(MEDIA_FLUSH, 0, 2), 21 * US);
    start(MEDIA_WRITE, 2048, 3); /* started after: the flush does not wait for it */
    settle();
    ck_assert_uint_eq(done_ps[0], 20 * US);
    ck_assert_uint_eq(done_ps[1], 21 * US);
    ck_assert_uint_eq(done_ps[2], 121 * US);
    ck_assert_uint_eq(done_ps[3], 41 * US);
    media_get_stats(media, &stats);
    ck_assert_uint_eq(stats.zeroes, 1);
    ck_assert_uint_eq(stats.writes, 2);
    ck_assert_uint_eq(stats.flushes, 1);
    ck_assert_uint_eq(stats.bytes_written, 4096);
    ck_assert_uint_eq(stats.busy_ps, (20 + 21 + 100 + 21) * US);
}
END_TEST

START_TEST(page_cache_workers_copy_side_by_side)
{
    open_kind(MEDIA_PAGE_CACHE);
    ck_assert_uint_eq(start(MEDIA_READ, 8192, 0), 0);
    ck_assert_uint_eq(start(MEDIA_WRITE, 8192, 1), 0);
    ck_assert_uint_eq(start(MEDIA_READ, 0, 2), 32 * US);
    settle();
    ck_assert_uint_eq(done_ps[0], 32 * US);
    ck_assert_uint_eq(done_ps[1], 34 * US);
    ck_assert_uint_eq(done_ps[2], 62 * US);
}
END_TEST

START_TEST(page_cache_flush_takes_a_worker)
{
    open_kind(MEDIA_PAGE_CACHE);
    start(MEDIA_WRITE, 2048, 0);                          /* 31 us */
    ck_assert_uint_eq(start(MEDIA_FLUSH, 0, 1), 31 * US); /* 31 .. 261 us */
    ck_assert_uint_eq(start(MEDIA_ZERO, 4096, 2), 31 * US);
    settle();
    ck_assert_uint_eq(done_ps[1], 261 * US);
    ck_assert_uint_eq(done_ps[2], 61 * US);
}
END_TEST

START_TEST(many_units_are_taken_earliest_first)
{
    struct rng rng;
    uint64_t free_ps[7] = {0};

    params.units = 7;
    params.read_bandwidth = UINT64_C(1000000000000);
    open_kind(MEDIA_FIXED);
    rng_init(&rng, 5, "units");
    for (unsigned i = 0; i < 500; i++) {
        unsigned best = 0;
        uint64_t now_ps = engine_now(engine);

        for (unsigned u = 1; u < 7; u++) {
            if (free_ps[u] < free_ps[best])
                best = u;
        }
        uint64_t expected = free_ps[best] > now_ps ? free_ps[best] : now_ps;
        ck_assert_uint_eq(start(MEDIA_ZERO, 0, 0), expected);
        free_ps[best] = expected + 20 * US;
        engine_run_until(engine, now_ps + rng_below(&rng, 5 * US));
    }
}
END_TEST

START_TEST(trim_and_verify_move_no_data)
{
    struct media_stats stats;

    open_kind(MEDIA_FIXED);
    ck_assert_uint_eq(start(MEDIA_TRIM, 1 << 30, 0), 0);
    ck_assert_uint_eq(start(MEDIA_VERIFY, 1 << 20, 1), 0);
    settle();
    ck_assert_uint_eq(done_ps[0], 20 * US);
    ck_assert_uint_eq(done_ps[1], 80 * US);
    media_get_stats(media, &stats);
    ck_assert_uint_eq(stats.trims, 1);
    ck_assert_uint_eq(stats.verifies, 1);
    ck_assert_uint_eq(stats.bytes_read, 0);
}
END_TEST

/* GIVEN a medium without capacitor WHEN the power goes one picosecond before and at the end of a
 * flush THEN what was written before it is lost and kept, and what was written since is lost. */
START_TEST(power_loss_takes_what_no_flush_covered)
{
    struct store *store = store_create(1 << 20);
    const uint64_t first = 5, second = 6;
    uint64_t got;

    params.capacitor = 0;
    open_kind(MEDIA_FIXED);
    ck_assert(!media_is_protected(media));
    media_track_loss(media, store);
    store_put_tags(store, 0, &first, 1);
    start(MEDIA_WRITE, 2048, 0);          /* 21 us */
    start(MEDIA_FLUSH, 0, 1);             /* 121 us */
    store_put_tags(store, 9, &second, 1); /* no part of the flush */
    engine_run_until(engine, 121 * US - (_i == 0));
    media_power_loss(media);
    ck_assert(store_get_tags(store, 0, &got, 1));
    ck_assert_uint_eq(got, _i == 0 ? 0 : first);
    ck_assert(store_get_tags(store, 9, &got, 1));
    ck_assert_uint_eq(got, 0);
    ck_assert_uint_eq(start(MEDIA_READ, 0, 2), engine_now(engine)); /* nothing is under way */
    settle();
    store_destroy(store);
}
END_TEST

START_TEST(a_capacitor_saves_everything)
{
    struct store *store = store_create(1 << 20);
    uint64_t tag = 5;

    params.capacitor = 1;
    open_kind(_i == 0 ? MEDIA_FIXED : MEDIA_PAGE_CACHE);
    ck_assert(media_is_protected(media));
    media_track_loss(media, store);
    store_put_tags(store, 0, &tag, 1);
    start(MEDIA_WRITE, 512, 0);
    settle();
    media_power_loss(media);
    ck_assert(store_get_tags(store, 0, &tag, 1));
    ck_assert_uint_eq(tag, 5);
    store_destroy(store);
}
END_TEST

TCase *simple_cases(void)
{
    TCase *models = tcase_create("models");

    tcase_add_checked_fixture(models, setup, teardown);
    tcase_add_test(models, null_ends_now_but_by_event);
    tcase_add_test(models, fixed_latency_and_bandwidth);
    tcase_add_test(models, fixed_units_and_shared_line);
    tcase_add_test(models, fixed_zeroes_move_no_data_and_flush_waits_for_writes);
    tcase_add_test(models, page_cache_workers_copy_side_by_side);
    tcase_add_test(models, page_cache_flush_takes_a_worker);
    tcase_add_test(models, many_units_are_taken_earliest_first);
    tcase_add_test(models, trim_and_verify_move_no_data);
    tcase_add_loop_test(models, power_loss_takes_what_no_flush_covered, 0, 2);
    tcase_add_loop_test(models, a_capacitor_saves_everything, 0, 2);
    return models;
}
