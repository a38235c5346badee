/* SPDX-License-Identifier: BSD-2-Clause
 * Contents of the namespaces: both forms mean the same, memory follows the footprint, and a loss of
 * power takes back what is not settled. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"
#include "engine/rng.h"
#include "media/store.h"
#include "unit/media/suites.h"

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
    ck_assert_uint_le(store_memory_bytes(store), 1024); /* the last chunk, which is partial */
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

#define KIB_4 8u /* units */

/* GIVEN whole 4 KiB writes of one request each WHEN they fill 64 MiB THEN the contents take 8 bytes
 * per 4 KiB; at most 16 are allowed. */
START_TEST(store_takes_eight_bytes_per_4_kib)
{
    enum { CELLS = 16384 };
    struct store *store = store_create(UINT64_C(16) << 30);
    uint64_t tags[KIB_4];

    for (uint32_t cell = 0; cell < CELLS; cell++) {
        for (uint32_t i = 0; i < KIB_4; i++)
            tags[i] = pattern_tag(cell + 1, cell * KIB_4 + i);
        store_put_tags(store, cell * KIB_4, tags, KIB_4);
    }
    ck_assert_uint_eq(store_memory_bytes(store), CELLS * 8);
    store_destroy(store);
}
END_TEST

/* GIVEN a cell WHEN one of its units is written by another request THEN it takes more until one
 * request has written all of it again. */
START_TEST(store_expands_a_cell_only_while_it_is_mixed)
{
    struct store *store = store_create(1 << 20);
    uint64_t tags[KIB_4], got[KIB_4];

    for (uint32_t i = 0; i < KIB_4; i++)
        tags[i] = pattern_tag(1, i);
    store_put_tags(store, 0, tags, KIB_4);
    ck_assert_uint_eq(store_memory_bytes(store), 1024);
    tags[3] = pattern_tag(2, 3);
    store_put_tags(store, 3, &tags[3], 1);
    ck_assert_uint_gt(store_memory_bytes(store), 1024);
    ck_assert(store_get_tags(store, 0, got, KIB_4));
    ck_assert_mem_eq(got, tags, sizeof tags);
    for (uint32_t i = 0; i < KIB_4; i++) { /* piece by piece */
        tags[i] = pattern_tag(3, i);
        store_put_tags(store, i, &tags[i], 1);
    }
    ck_assert_uint_eq(store_memory_bytes(store), 1024);
    ck_assert(store_get_tags(store, 0, got, KIB_4));
    ck_assert_mem_eq(got, tags, sizeof tags);
    store_destroy(store);
}
END_TEST

/* Tags that a word could mistake for something else: the mark of an expanded cell, a run that
 * begins at zero, one that wraps. */
START_TEST(store_keeps_awkward_tags)
{
    static const uint64_t first[] = {UINT64_MAX,
                                     UINT64_MAX - 7,
                                     UINT64_C(0xffffffff00000000),
                                     PATTERN_ZERO,
                                     1,
                                     UINT64_C(0xfffffffefffffffc),
                                     UINT64_MAX - 6,
                                     UINT64_MAX - 8};
    struct store *store = store_create(1 << 20);

    for (unsigned k = 0; k < sizeof first / sizeof first[0]; k++) {
        uint64_t tags[KIB_4], got[KIB_4];

        for (uint64_t i = 0; i < KIB_4; i++)
            tags[i] = first[k] + i;
        store_put_tags(store, KIB_4 * k, tags, KIB_4);
        ck_assert(store_get_tags(store, KIB_4 * k, got, KIB_4));
        ck_assert_mem_eq(got, tags, sizeof tags);
    }
    store_destroy(store);
}
END_TEST

/* ---- settled and unsettled changes ---- */

static void put(struct store *store, uint64_t unit, uint64_t tag)
{
    store_put_tags(store, unit, &tag, 1);
}

static uint64_t get(struct store *store, uint64_t unit)
{
    uint64_t tag;

    ck_assert(store_get_tags(store, unit, &tag, 1));
    return tag;
}

START_TEST(revert_takes_back_to_the_last_settled_change)
{
    struct store *store = store_create(1 << 20);

    put(store, 0, 5); /* before anything is tracked: safe */
    store_track(store);
    ck_assert_uint_eq(store_version(store), 0);
    put(store, 0, 10);
    put(store, 0, 11);
    store_settle_all(store, 1);
    put(store, 9, 12);
    ck_assert_uint_eq(store_version(store), 3);
    ck_assert_uint_eq(store_unsettled(store), 2);
    store_revert(store);
    ck_assert_uint_eq(get(store, 0), 10);
    ck_assert_uint_eq(get(store, 9), 0);
    ck_assert_uint_eq(store_unsettled(store), 0);
    store_revert(store); /* nothing is left */
    ck_assert_uint_eq(get(store, 0), 10);
    store_destroy(store);
}
END_TEST

START_TEST(settling_a_cell_leaves_the_others)
{
    struct store *store = store_create(1 << 20);

    store_track(store);
    for (uint64_t cell = 0; cell < 4; cell++)
        put(store, cell * KIB_4 + cell, 20 + cell); /* versions 1 to 4 */
    store_settle(store, 1 * KIB_4, KIB_4, 2);
    store_settle(store, 2 * KIB_4, KIB_4, 2); /* its change is number 3 */
    store_revert(store);
    ck_assert_uint_eq(get(store, 0), 0);
    ck_assert_uint_eq(get(store, KIB_4 + 1), 21);
    ck_assert_uint_eq(get(store, 2 * KIB_4 + 2), 0);
    store_destroy(store);
}
END_TEST

START_TEST(revert_restores_bytes_and_zeroes)
{
    struct store *store = store_create((1 << 20) + 512); /* the last cell has one unit */
    uint8_t bytes[512] = {1, 2, 3}, got[512];
    uint64_t last = store_units(store) - 1;

    store_put_bytes(store, 1, bytes, 1);
    store_put_bytes(store, last, bytes, 1);
    put(store, 2, 9);
    store_track(store);
    put(store, 1, 7);
    store_zero(store, 0, store_units(store));
    ck_assert_uint_eq(get(store, last), 0);
    ck_assert_uint_le(store_unsettled(store), 3); /* nothing is kept of what was empty */
    store_revert(store);
    store_get_bytes(store, 1, got, 1);
    ck_assert_mem_eq(got, bytes, sizeof bytes);
    store_get_bytes(store, last, got, 1);
    ck_assert_mem_eq(got, bytes, sizeof bytes);
    ck_assert_uint_eq(get(store, 2), 9);
    store_destroy(store);
}
END_TEST

/* Random puts and settles over many cells, against a list of every version of every cell. */
START_TEST(revert_agrees_with_a_list_of_all_versions)
{
    enum { CELLS = 3000, CHANGES = 20000 };
    static uint64_t safe[CELLS], versions[CHANGES + 1];
    static uint32_t cells[CHANGES + 1];
    struct store *store = store_create(CELLS * 4096);
    struct rng rng;

    rng_init(&rng, (uint64_t)_i, "journal");
    store_track(store);
    memset(safe, 0, sizeof safe);
    for (uint32_t change = 1; change <= CHANGES; change++) {
        cells[change] = (uint32_t)rng_below(&rng, CELLS);
        versions[change] = rng_next(&rng) >> 1 | 1;
        put(store, cells[change] * KIB_4, versions[change]);
        if (rng_below(&rng, 10) == 0) { /* settle one cell up to some version */
            uint32_t up_to = (uint32_t)(1 + rng_below(&rng, change));
            uint32_t cell = cells[1 + rng_below(&rng, change)];

            store_settle(store, (uint64_t)cell * KIB_4, KIB_4, up_to);
            for (uint32_t i = up_to; i > 0; i--) {
                if (cells[i] == cell) {
                    if (versions[i] != 0)
                        safe[cell] = versions[i];
                    break;
                }
            }
            for (uint32_t i = 1; i <= up_to; i++) {
                if (cells[i] == cell)
                    versions[i] = 0; /* an older one must not be taken for safe later */
            }
        }
    }
    store_revert(store);
    for (uint32_t cell = 0; cell < CELLS; cell++)
        ck_assert_uint_eq(get(store, cell * KIB_4), safe[cell]);
    store_destroy(store);
}
END_TEST

TCase *store_cases(void)
{
    TCase *store = tcase_create("store");

    tcase_add_loop_test(store, store_means_the_same_whichever_way, 0, 8);
    tcase_add_test(store, store_memory_follows_the_footprint);
    tcase_add_test(store, store_takes_eight_bytes_per_4_kib);
    tcase_add_test(store, store_expands_a_cell_only_while_it_is_mixed);
    tcase_add_test(store, store_keeps_awkward_tags);
    tcase_add_test(store, revert_takes_back_to_the_last_settled_change);
    tcase_add_test(store, settling_a_cell_leaves_the_others);
    tcase_add_test(store, revert_restores_bytes_and_zeroes);
    tcase_add_loop_test(store, revert_agrees_with_a_list_of_all_versions, 0, 4);
    tcase_set_timeout(store, 60);
    return store;
}
