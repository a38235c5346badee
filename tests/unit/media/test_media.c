/* SPDX-License-Identifier: BSD-2-Clause
 * Media: exact times of each model and the contents of a namespace. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"
#include "engine/rng.h"
#include "media/media.h"
#include "media/store.h"

#define NS UINT64_C(1000)
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
    media = media_create(engine, &params);
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

#define UNITS 5000u /* a store of five chunks, the last one partial */

/* The store against an array of bytes, every way of putting and getting mixed at random. */
START_TEST(store_means_the_same_whichever_way)
{
    static uint8_t model[UNITS * 512], bytes[3000 * 512];
    static uint64_t tags[3000];
    struct store *store = store_create(UNITS * 512 + 100);
    struct rng rng;

    rng_init(&rng, (uint64_t)_i, "store");
    memset(model, 0, sizeof model);
    ck_assert_uint_eq(store_units(store), UNITS);
    for (unsigned round = 0; round < 300; round++) {
        uint32_t count = (uint32_t)(1 + rng_below(&rng, round % 10 == 0 ? 3000 : 20));
        uint64_t unit = rng_below(&rng, UNITS - count + 1);

        switch (rng_below(&rng, 5)) {
        case 0: /* tags */
            for (uint32_t i = 0; i < count; i++) {
                tags[i] = rng_below(&rng, 4) == 0 ? PATTERN_ZERO : rng_next(&rng);
                pattern_expand(tags[i], model + (unit + i) * 512);
            }
            store_put_tags(store, unit, tags, count);
            break;
        case 1: /* bytes: patterns, zeroes, and anything */
            for (uint32_t i = 0; i < count; i++) {
                uint8_t *at = model + (unit + i) * 512;

                pattern_expand(rng_below(&rng, 2) ? rng_next(&rng) : PATTERN_ZERO, at);
                if (rng_below(&rng, 3) == 0)
                    at[rng_below(&rng, 512)] ^= 1;
            }
            memcpy(bytes, model + unit * 512, count * 512u);
            store_put_bytes(store, unit, bytes, count);
            break;
        case 2:
            store_zero(store, unit, count);
            memset(model + unit * 512, 0, count * 512u);
            break;
        case 3:
            store_get_bytes(store, unit, bytes, count);
            ck_assert_mem_eq(bytes, model + unit * 512, count * 512u);
            break;
        default: {
            bool all = true;

            for (uint32_t i = 0; i < count; i++)
                all = pattern_recognise(model + (unit + i) * 512, &tags[i]) && all;
            static uint64_t got[3000];
            ck_assert(store_get_tags(store, unit, got, count) == all);
            if (all)
                ck_assert_mem_eq(got, tags, count * sizeof tags[0]);
            break;
        }
        }
    }
    store_zero(store, 0, UNITS);
    ck_assert_uint_le(store_memory_bytes(store), 2 * 1024 * (8 + 8) + 64);
    store_destroy(store);
}
END_TEST

START_TEST(store_memory_follows_the_footprint)
{
    struct store *store = store_create(UINT64_C(16) << 40); /* 16 TiB */
    uint64_t tag = 7, got;
    uint8_t bytes[512] = {1};
    uint64_t memory;

    ck_assert_uint_eq(store_memory_bytes(store), 0);
    ck_assert(store_get_tags(store, store_units(store) - 1, &got, 1));
    ck_assert_uint_eq(got, 0);
    ck_assert_uint_eq(store_memory_bytes(store), 0); /* reading takes none */
    store_put_tags(store, store_units(store) - 1, &tag, 1);
    store_put_bytes(store, 0, bytes, 1);
    memory = store_memory_bytes(store);
    ck_assert_uint_le(memory, 64 * 1024);
    for (unsigned i = 0; i < 100000; i++) { /* overwriting takes none */
        store_put_tags(store, 0, &tag, 1);
        store_put_bytes(store, 0, bytes, 1);
    }
    ck_assert_uint_eq(store_memory_bytes(store), memory);
    store_zero(store, 0, store_units(store));
    ck_assert(store_get_tags(store, store_units(store) - 1, &got, 1));
    ck_assert_uint_eq(got, 0);
    ck_assert_uint_eq(store_memory_bytes(store), 0);
    store_destroy(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media");
    TCase *models = tcase_create("models");
    TCase *store = tcase_create("store");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(models, setup, teardown);
    tcase_add_test(models, null_ends_now_but_by_event);
    tcase_add_test(models, fixed_latency_and_bandwidth);
    tcase_add_test(models, fixed_units_and_shared_line);
    tcase_add_test(models, fixed_zeroes_move_no_data_and_flush_waits_for_writes);
    tcase_add_test(models, page_cache_workers_copy_side_by_side);
    tcase_add_test(models, page_cache_flush_takes_a_worker);
    tcase_add_test(models, many_units_are_taken_earliest_first);
    suite_add_tcase(suite, models);
    tcase_add_loop_test(store, store_means_the_same_whichever_way, 0, 8);
    tcase_add_test(store, store_memory_follows_the_footprint);
    tcase_set_timeout(store, 60);
    suite_add_tcase(suite, store);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
