/* SPDX-License-Identifier: BSD-2-Clause
 * Sets of blocks as ranges: against a plain array, and their shape. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rng.h"
#include "media/rangeset.h"

#define BLOCKS 96u

START_TEST(neighbours_merge)
{
    struct rangeset set = {0};
    uint64_t which = 0;

    rangeset_add(&set, 10, 5);
    rangeset_add(&set, 20, 5);
    ck_assert_uint_eq(set.count, 2);
    rangeset_add(&set, 15, 5); /* [10, 15) [15, 20) [20, 25) */
    ck_assert_uint_eq(set.count, 1);
    ck_assert(!rangeset_touches(&set, 0, 10, NULL));
    ck_assert(rangeset_touches(&set, 0, 11, &which));
    ck_assert_uint_eq(which, 10);
    ck_assert(rangeset_touches(&set, 24, 9, &which));
    ck_assert_uint_eq(which, 24);
    ck_assert(!rangeset_touches(&set, 25, 9, NULL));
    rangeset_remove(&set, 12, 1); /* a hole */
    ck_assert_uint_eq(set.count, 2);
    ck_assert(!rangeset_touches(&set, 12, 1, NULL));
    rangeset_add(&set, 0, 1);
    ck_assert(rangeset_touches(&set, 0, 1, &which));
    ck_assert_uint_eq(which, 0);
    rangeset_clear(&set);
    ck_assert(!rangeset_touches(&set, 0, UINT64_MAX, NULL));
    rangeset_free(&set);
}
END_TEST

START_TEST(agrees_with_an_array)
{
    struct rangeset set = {0};
    struct rng rng;
    bool held[BLOCKS] = {false};

    rng_init(&rng, (uint64_t)_i + 1, "rangeset");
    for (unsigned step = 0; step < 2000; step++) {
        uint64_t first = rng_below(&rng, BLOCKS);
        uint64_t count = 1 + rng_below(&rng, BLOCKS - first);
        uint64_t which, expected;
        bool touches = false;

        if (rng_below(&rng, 3) == 0)
            count = 1;
        if (rng_below(&rng, 2) == 0) {
            rangeset_add(&set, first, count);
            memset(held + first, true, count);
        } else {
            rangeset_remove(&set, first, count);
            memset(held + first, false, count);
        }
        first = rng_below(&rng, BLOCKS);
        count = 1 + rng_below(&rng, BLOCKS - first);
        for (expected = first; expected < first + count && !touches; expected++)
            touches = held[expected];
        ck_assert(rangeset_touches(&set, first, count, &which) == touches);
        if (touches)
            ck_assert_uint_eq(which, expected - 1);
        for (size_t i = 1; i < set.count; i++) /* in order, never adjacent */
            ck_assert_uint_lt(set.ranges[i - 1].end, set.ranges[i].first);
    }
    rangeset_free(&set);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rangeset");
    TCase *tc = tcase_create("rangeset");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, neighbours_merge);
    tcase_add_loop_test(tc, agrees_with_an_array, 0, 8);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
