/* SPDX-License-Identifier: BSD-2-Clause
 * The translation layer: what must always hold under random operations, write amplification and
 * what changes it, wear, preconditioning, memory, and the checks of parameters. */
#include <stdlib.h>
#include <string.h>

#include "unit/media/nand_rig.h"
#include "unit/media/suites.h"

/* Random operations on tiny drives of many shapes: map, reverse map and counts agree after each
 * round, and exactly what is written and not trimmed is mapped. */
START_TEST(random_operations_lose_nothing)
{
    enum { UNITS = 1024, ROUNDS = 40, OPERATIONS = 200 };
    static bool written[UNITS];
    struct rng random;

    rng_init(&random, (uint64_t)_i, "ftl");
    rig.params.nand_planes = 1 + rng_below(&random, 3);
    rig.params.nand_page_size = UNIT << rng_below(&random, 3);
    rig.params.nand_cell = rng_below(&random, 4);
    rig.params.nand_pages = 12;
    rig.params.nand_one_shot = rng_below(&random, 2);
    rig.params.nand_program = 300 * US;
    rig.params.buffer_size = 256 * UNIT;
    rig.params.buffer_destage = rng_below(&random, 2);
    rig.params.buffer_high = 500000;
    rig.params.ftl_gc_policy = rng_below(&random, 2);
    rig.params.ftl_separate = rng_below(&random, 2);
    rig.params.ftl_gc_low = 2 + rng_below(&random, 2);
    rig.params.ftl_over_provision = 1 + rng_below(&random, 300000);
    rig.params.ftl_wear_threshold = rng_below(&random, 3);
    rig.params.precondition = rng_below(&random, 3);
    nand_rig_open();
    for (uint32_t unit = 0; unit < UNITS; unit++)
        written[unit] = rig.params.precondition != 0;
    nand_check();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < OPERATIONS; i++) {
            uint32_t count = 1 + (uint32_t)rng_below(&random, 16);
            uint32_t unit = (uint32_t)rng_below(&random, UNITS - count + 1);
            uint32_t kind = (uint32_t)rng_below(&random, 100);

            if (round % 4 != 0 && kind < 90) /* most rounds have a hot quarter */
                unit = (uint32_t)rng_below(&random, UNITS / 4 - count);
            if (kind < 70) {
                nand_start(MEDIA_WRITE, unit * UNIT, count * UNIT, 0);
                memset(&written[unit], true, count);
            } else if (kind < 80) {
                nand_start(MEDIA_WRITE, unit * UNIT + 1024, 512, 0);
                written[unit] = true;
            } else if (kind < 92) {
                nand_start(MEDIA_READ, unit * UNIT, count * UNIT, 0);
            } else if (kind < 97) {
                nand_start(kind < 95 ? MEDIA_TRIM : MEDIA_ZERO, unit * UNIT, count * UNIT, 0);
                memset(&written[unit], false, count);
            } else if (kind < 99) {
                nand_start(MEDIA_FLUSH, 0, 0, 0);
            } else {
                nand_settle_down();
            }
            engine_run_until(rig.engine, engine_now(rig.engine) + rng_below(&random, 100 * US));
        }
        nand_check();
        for (uint32_t unit = 0; unit < UNITS; unit++)
            ck_assert(written[unit] == (table_get(&nand_layer()->map, unit) != FTL_NOWHERE));
    }
    nand_settle_down();
}
END_TEST

static void open_64_mib(uint64_t precondition, uint64_t over_provision)
{
    rig.capacity = 64 << 20;
    rig.params.nand_pages = 64;
    rig.params.precondition = precondition;
    rig.params.ftl_over_provision = over_provision;
    nand_rig_open();
}

enum { FRESH, SEQUENTIAL, RANDOM, WRITES = 8192 /* half of the drive */ };

/* GIVEN the steady state made directly WHEN the drive is overwritten at random for four times its
 * size THEN write amplification is the same in each half, within 3 %, and the same as after a
 * sequential fill and one and a half real overwrites. */
START_TEST(steady_state_is_steady)
{
    static const uint64_t over_provision[] = {70000, 140000, 280000};
    uint64_t first = 0, sum = 0, real = 0;
    struct rng random;

    rng_init(&random, 1, "overwrite");
    open_64_mib(RANDOM, over_provision[_i]);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t now = nand_overwrite(&random, WRITES);

        first = i == 0 ? now : first;
        ck_assert_uint_ge(now * 100, first * 97);
        ck_assert_uint_le(now * 100, first * 103);
        sum += now;
    }
    nand_check();
    nand_rig_teardown();
    open_64_mib(SEQUENTIAL, over_provision[_i]);
    for (unsigned i = 0; i < 3; i++)
        nand_overwrite(&random, WRITES);
    for (unsigned i = 0; i < 8; i++)
        real += nand_overwrite(&random, WRITES);
    ck_assert_uint_ge(sum * 100, real * 98);
    ck_assert_uint_le(sum * 100, real * 102);
}
END_TEST

/* Every unit is where it should be, and the collector is about to have work. */
START_TEST(preconditioning_fills_the_drive)
{
    rig.capacity = (64 << 20) - 512; /* the last unit is partial, too */
    rig.params.nand_pages = 64;
    rig.params.precondition = (uint64_t)_i;
    nand_rig_open();
    nand_check();
    for (uint32_t unit = 0; unit < nand_layer()->units; unit++)
        ck_assert_uint_ne(ftl_copy_of(nand_layer(), unit), FTL_NOWHERE);
    ck_assert_uint_eq(nand_stats().host_units, 0); /* nothing was simulated */
    if (_i == RANDOM)
        ck_assert_uint_eq(nand_stats().free_superblocks, rig.params.ftl_gc_low + 1);
    else
        ck_assert_uint_eq(nand_stats().free_superblocks, nand_stats().superblocks - 64);
}
END_TEST

/* GIVEN a fresh drive and the same in its steady state WHEN both are written at random as fast as
 * they can THEN the fresh one is faster by at least the other's write amplification: programs, and
 * the copies' reads and the erases besides. */
START_TEST(there_is_a_write_cliff)
{
    uint64_t took_ps[2], amplification = 0;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t begin_ps;
        struct rng random;

        rng_init(&random, 2, "cliff");
        open_64_mib(i == 0 ? FRESH : RANDOM, 140000);
        begin_ps = engine_now(rig.engine);
        amplification = nand_overwrite(&random, WRITES);
        nand_do(MEDIA_FLUSH, 0, 0);
        took_ps[i] = engine_now(rig.engine) - begin_ps;
        if (i == 0) {
            ck_assert_uint_eq(amplification, 1000);
            nand_rig_teardown();
        }
    }
    ck_assert_uint_ge(amplification, 5000);
    ck_assert_uint_ge(took_ps[1] * 1000, took_ps[0] * amplification);
    ck_assert_uint_le(took_ps[1] * 1000, took_ps[0] * amplification * 3 / 2);
}
END_TEST

START_TEST(trim_lowers_write_amplification)
{
    uint64_t full, trimmed;
    struct rng random;

    rng_init(&random, 3, "trim");
    open_64_mib(RANDOM, 70000);
    full = nand_overwrite(&random, WRITES);
    nand_do(MEDIA_TRIM, 0, rig.capacity / 4);
    for (unsigned i = 0; i < 4 * WRITES; i++) /* settle in the other three quarters */
        nand_do(MEDIA_WRITE, rig.capacity / 4 + rng_below(&random, 12288) * UNIT, UNIT);
    struct media_nand_stats before = nand_stats(), after;
    for (unsigned i = 0; i < WRITES; i++)
        nand_do(MEDIA_WRITE, rig.capacity / 4 + rng_below(&random, 12288) * UNIT, UNIT);
    after = nand_stats();
    trimmed = (WRITES + after.copied_units - before.copied_units) * 1000 / WRITES;
    ck_assert_uint_ge(full, 14000);   /* 1.07: about 16 */
    ck_assert_uint_le(trimmed, 3000); /* 1.43: about 2 */
    nand_check();
}
END_TEST

static uint64_t skewed_amplification(uint64_t policy, uint64_t separate)
{
    struct media_nand_stats before, after;
    struct rng random;

    rng_init(&random, 4, "skew");
    rig.params.ftl_gc_policy = policy;
    rig.params.ftl_separate = separate;
    open_64_mib(RANDOM, 140000);
    before = nand_stats();
    for (uint32_t i = 0; i < 12 * WRITES; i++) {
        uint64_t hot = rng_below(&random, 10) != 0; /* nine of ten writes to a tenth */

        if (i == 8 * WRITES)
            before = nand_stats();
        nand_do(MEDIA_WRITE, (hot ? rng_below(&random, 1638) : rng_below(&random, 16384)) * UNIT,
                UNIT);
    }
    after = nand_stats();
    nand_check();
    nand_rig_teardown();
    return (after.copied_units - before.copied_units) * 1000 / (4 * WRITES);
}

/* GIVEN writes that mostly go to a tenth of the drive THEN keeping the collector's copies apart,
 * and weighing the age of a superblock, make it copy less. */
START_TEST(separation_and_age_help_where_writes_are_skewed)
{
    uint64_t plain = skewed_amplification(0, 0);
    uint64_t separate = skewed_amplification(0, 1);

    ck_assert_uint_lt(separate * 100, plain * 95);
    ck_assert_uint_lt(skewed_amplification(1, 1), separate);
    nand_rig_open(); /* for the teardown */
}
END_TEST

/* GIVEN a drive of which three quarters never change WHEN the rest is written again and again THEN
 * erase counts stay together with levelling, and drift apart without. */
START_TEST(wear_stays_level)
{
    struct media_nand_stats stats;
    struct rng random;

    rng_init(&random, 5, "wear");
    rig.capacity = 16 << 20;
    rig.params.precondition = SEQUENTIAL;
    rig.params.ftl_over_provision = 200000;
    rig.params.ftl_wear_threshold = _i == 0 ? 0 : 10;
    nand_rig_open();
    for (unsigned i = 0; i < 200000; i++)
        nand_do(MEDIA_WRITE, rng_below(&random, 1024) * UNIT, UNIT);
    stats = nand_stats();
    if (_i == 0) {
        ck_assert_uint_ge(stats.wear_most - stats.wear_least, 50);
        ck_assert_uint_eq(stats.level_victims, 0);
    } else {
        ck_assert_uint_le(stats.wear_most - stats.wear_least, 14);
        ck_assert_uint_ge(stats.level_victims, 10);
    }
    nand_check();
}
END_TEST

/* A full drive with map and reverse map takes at most 24 bytes per 4 KiB, contents included; a
 * fresh one takes what is written, in runs of 4 MiB. */
START_TEST(memory_follows_the_footprint)
{
    rig.capacity = UINT64_C(1) << 30;
    rig.params.nand_pages = 256;
    rig.params.precondition = (uint64_t)_i;
    nand_rig_open();
    struct store *contents = store_create(rig.capacity);
    uint64_t touched = _i == FRESH ? 4096 : rig.capacity / UNIT;

    if (_i == FRESH)
        ck_assert_uint_eq(nand_stats().memory_bytes, 0);
    for (uint64_t unit = 0; unit < touched; unit++) {
        uint64_t tags[8];

        for (uint64_t i = 0; i < 8; i++)
            tags[i] = (unit + 1) << 32 | (unit * 8 + i);
        store_put_tags(contents, unit * 8, tags, 8);
        if (_i == FRESH)
            nand_do(MEDIA_WRITE, unit * UNIT, UNIT);
    }
    ck_assert_uint_le(nand_stats().memory_bytes + store_memory_bytes(contents), 24 * touched);
    ck_assert_uint_le(store_memory_bytes(contents), 16 * touched);
    store_destroy(contents);
}
END_TEST

START_TEST(bad_combinations_are_refused)
{
    static const struct {
        size_t offset;
        uint64_t value;
        const char *why;
    } bad[] = {
        {offsetof(struct media_params, nand_page_size), 6144, "media.nand_page_size"},
        {offsetof(struct media_params, nand_cell), 2, "media.nand_pages must be a multiple"},
        {offsetof(struct media_params, buffer_size), 5000, "media.buffer_size must be a multiple"},
        {offsetof(struct media_params, nand_planes), 9, "at least 72 KiB"},
        {offsetof(struct media_params, buffer_low), 1, "media.buffer_low must not be above"},
        {offsetof(struct media_params, ftl_map_cache), 1, "media.ftl_map_cache"},
        {offsetof(struct media_params, nand_blocks), 20, "media.nand_blocks must be at least 21"},
        {offsetof(struct media_params, nand_blocks), 1 << 26, "less than 2^32 units"},
    };

    nand_rig_open();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct media_params params = rig.params;
        const char *why;

        memcpy((char *)&params + bad[i].offset, &bad[i].value, sizeof bad[i].value);
        why = media_params_check(&params, rig.capacity);
        ck_assert_msg(why != NULL && strstr(why, bad[i].why) != NULL, "%zu: %s", i, why);
    }
    rig.params.nand_blocks = 21;
    ck_assert_ptr_null(media_params_check(&rig.params, rig.capacity));
    ck_assert_ptr_nonnull(media_params_check(&rig.params, rig.capacity + 1));
}
END_TEST

/* The least that is accepted works. */
START_TEST(the_smallest_reserve_is_enough)
{
    struct rng random;

    rng_init(&random, 6, "reserve");
    rig.params.nand_blocks = 21;
    rig.params.precondition = (uint64_t)_i;
    rig.params.ftl_wear_threshold = 1;
    nand_rig_open();
    nand_overwrite(&random, 20000);
    nand_check();
    for (uint64_t offset = 0; offset < rig.capacity; offset += 64 * UNIT)
        nand_do(MEDIA_WRITE, offset, 64 * UNIT);
    nand_check();
}
END_TEST

TCase *ftl_cases(void)
{
    TCase *ftl = tcase_create("translation layer");

    tcase_add_checked_fixture(ftl, nand_rig_setup, nand_rig_teardown);
    tcase_set_timeout(ftl, 120);
    tcase_add_loop_test(ftl, random_operations_lose_nothing, 0, 48);
    tcase_add_loop_test(ftl, steady_state_is_steady, 0, 3);
    tcase_add_loop_test(ftl, preconditioning_fills_the_drive, SEQUENTIAL, RANDOM + 1);
    tcase_add_test(ftl, there_is_a_write_cliff);
    tcase_add_test(ftl, trim_lowers_write_amplification);
    tcase_add_test(ftl, separation_and_age_help_where_writes_are_skewed);
    tcase_add_loop_test(ftl, wear_stays_level, 0, 2);
    tcase_add_loop_test(ftl, memory_follows_the_footprint, FRESH, RANDOM + 1);
    tcase_add_test(ftl, bad_combinations_are_refused);
    tcase_add_loop_test(ftl, the_smallest_reserve_is_enough, FRESH, RANDOM + 1);
    return ftl;
}
