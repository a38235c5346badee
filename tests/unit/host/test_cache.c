/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The cache model, line by line, on a cache small enough to count in: level 1 has 4 sets of 2 ways
 * (512 bytes), level 2 has 8 sets of 2 ways (1 KiB), lines are 64 bytes. Times are exact sums.
 */
#include "host/cache.h"
#include "unit/host/suites.h"

#define HIT2   UINT64_C(6000)
#define MISS   UINT64_C(80000)
#define BACK   UINT64_C(40000)
#define CALL   UINT64_C(50000)
#define DIRTY  UINT64_C(61000)
#define CLEAN  UINT64_C(5000)
#define ABSENT UINT64_C(4000)
#define LINE   UINT64_C(64)

static struct clock_domain clock;
static struct cache *cache;
static struct cache_lines lines;

static struct cache_params small(void)
{
    return (struct cache_params){.enabled = 1,
                                 .line = LINE,
                                 .l1_size = 512,
                                 .l1_ways = 2,
                                 .l2_size = 1024,
                                 .l2_ways = 2,
                                 .l2_hit = {HIT2, false},
                                 .miss = {MISS, false},
                                 .write_back = {BACK, false},
                                 .maintain_call = {CALL, false},
                                 .maintain_dirty = {DIRTY, false},
                                 .maintain_clean = {CLEAN, false},
                                 .maintain_absent = {ABSENT, false}};
}

static void setup(void)
{
    struct cache_params params = small();
    clock_init(&clock, 1000000000);
    cache = cache_create(&params, &clock);
    lines = (struct cache_lines){0, 0, 0};
}

static void teardown(void)
{
    cache_destroy(cache);
}

/* Line n of set 0 of both levels: 8 lines apart. */
#define SET0(n) ((n)*8 * LINE)

static void ck_state(uint64_t address, enum cache_state state)
{
    ck_assert_int_eq(cache_line_state(cache, address), state);
}

static uint64_t load(uint64_t address)
{
    return cache_access(cache, address, 1, false);
}

static uint64_t store(uint64_t address)
{
    return cache_access(cache, address, 1, true);
}

START_TEST(the_first_access_misses_and_the_second_hits)
{
    ck_state(0, CACHE_ABSENT);
    ck_assert_uint_eq(load(0), MISS);
    ck_state(0, CACHE_IS_CLEAN);
    ck_assert_uint_eq(load(63), 0); /* the same line */
    ck_assert_uint_eq(load(64), MISS);
    ck_assert_uint_eq(store(0), 0);
    ck_state(0, CACHE_IS_DIRTY);
    ck_assert_uint_eq(load(0), 0); /* a load does not clean it */
    ck_state(0, CACHE_IS_DIRTY);
    ck_assert_uint_eq(store(128), MISS); /* a store allocates */
    ck_state(128, CACHE_IS_DIRTY);
}
END_TEST

START_TEST(an_access_touches_every_line_of_its_range)
{
    ck_assert_uint_eq(cache_access(cache, 0, 0, true), 0);
    ck_state(0, CACHE_ABSENT);
    ck_assert_uint_eq(cache_access(cache, 63, 2, false), 2 * MISS);
    ck_state(0, CACHE_IS_CLEAN);
    ck_state(64, CACHE_IS_CLEAN);
    ck_state(128, CACHE_ABSENT);
    ck_assert_uint_eq(cache_access(cache, 0, 256, true), 2 * MISS); /* two of four are there */
    for (uint64_t line = 0; line < 4; line++)
        ck_state(line * LINE, CACHE_IS_DIRTY);
}
END_TEST

START_TEST(the_least_recently_used_way_goes)
{
    /* given two lines of one set, the older one used again, when a third comes */
    load(SET0(0));
    load(SET0(1));
    load(SET0(0));
    ck_assert_uint_eq(load(SET0(2)), MISS);
    /* then level 1 keeps 0, which was used last, and 1 is left in level 2 only, which has not seen
     * the hit above it: there 0 was the older one */
    ck_assert_uint_eq(load(SET0(0)), 0);
    ck_assert_uint_eq(load(SET0(1)), HIT2);
}
END_TEST

START_TEST(a_line_that_left_level_1_hits_level_2)
{
    /* sets of level 1 are 4 lines apart: 0, 4 and 8 share one; in level 2, 4 is in another */
    load(0 * LINE);
    load(4 * LINE);
    ck_assert_uint_eq(load(8 * LINE), MISS); /* 0 leaves level 1 */
    ck_assert_uint_eq(load(0 * LINE), HIT2);
    ck_assert_uint_eq(load(0 * LINE), 0);
    ck_assert_uint_eq(load(4 * LINE), HIT2);
    ck_state(0, CACHE_IS_CLEAN);
}
END_TEST

START_TEST(a_dirty_line_moves_down_and_stays_dirty)
{
    store(0 * LINE);
    load(4 * LINE);
    ck_assert_uint_eq(load(8 * LINE), MISS); /* 0 goes down, where it still is: no cost */
    ck_state(0, CACHE_IS_DIRTY);
    ck_assert_uint_eq(load(0 * LINE), HIT2);
    ck_state(0, CACHE_IS_DIRTY);
}
END_TEST

START_TEST(a_dirty_line_that_leaves_level_2_is_written_back)
{
    /* given a dirty line that is in level 2 only, and oldest there */
    store(SET0(0));
    load(4 * LINE);
    load(12 * LINE); /* level 1 has 4 and 12 now; 0 is dirty below */
    load(SET0(1));   /* set 0 of level 2: 0 and 1 */
    ck_assert_uint_eq(load(SET0(2)), MISS + BACK);
    ck_state(SET0(0), CACHE_ABSENT);
    ck_assert_uint_eq(load(SET0(3)), MISS); /* 1 was clean */
}
END_TEST

START_TEST(a_dirty_line_may_have_to_make_room_below)
{
    /* given 0 dirty in level 1, gone from level 2 (clean there), where 1 is dirty and older than 2,
     * when 0 must leave level 1, then it takes 1's place, which is written back */
    store(SET0(0));
    store(SET0(1)); /* level 1: 1, 0; level 2: 1, 0 */
    load(SET0(0));  /* level 1: 0, 1 */
    load(SET0(2));  /* level 2: 2, 1 (0 went, clean there); level 1: 2, 0; 1 dirty below */
    ck_assert_uint_eq(load(4 * LINE), MISS + BACK); /* 0 leaves level 1 for level 2 */
    ck_state(SET0(0), CACHE_IS_DIRTY);
    ck_state(SET0(1), CACHE_ABSENT);
}
END_TEST

START_TEST(sets_do_not_disturb_each_other)
{
    for (uint64_t line = 0; line < 8; line++)
        load(line * LINE); /* fills level 1 exactly */
    for (uint64_t line = 0; line < 8; line++)
        ck_assert_uint_eq(load(line * LINE), 0);
    for (uint64_t line = 8; line < 16; line++)
        ck_assert_uint_eq(load(line * LINE), MISS); /* fills level 2 exactly */
    for (uint64_t line = 0; line < 16; line++)
        ck_state(line * LINE, CACHE_IS_CLEAN);
}
END_TEST

/* ---- maintenance ---- */

/* Lines 0 dirty, 1 clean, 2 absent, 3 dirty below only. */
static void prepare(void)
{
    store(3 * LINE);
    load(7 * LINE);
    load(11 * LINE);
    store(0 * LINE);
    load(1 * LINE);
    ck_state(3 * LINE, CACHE_IS_DIRTY);
}

static void ck_lines(uint64_t dirty, uint64_t clean, uint64_t absent)
{
    ck_assert_uint_eq(lines.dirty, dirty);
    ck_assert_uint_eq(lines.clean, clean);
    ck_assert_uint_eq(lines.absent, absent);
}

START_TEST(clean_writes_back_and_leaves_lines)
{
    prepare();
    ck_assert_uint_eq(cache_maintain(cache, CACHE_CLEAN, 0, 4 * LINE, &lines),
                      CALL + 2 * DIRTY + CLEAN + ABSENT);
    ck_lines(2, 1, 1);
    ck_state(0 * LINE, CACHE_IS_CLEAN);
    ck_state(1 * LINE, CACHE_IS_CLEAN);
    ck_state(2 * LINE, CACHE_ABSENT);
    ck_state(3 * LINE, CACHE_IS_CLEAN);
    ck_assert_uint_eq(load(0), 0);
    /* a second time everything is clean, and the counts add up */
    ck_assert_uint_eq(cache_maintain(cache, CACHE_CLEAN, 0, 4 * LINE, &lines),
                      CALL + 3 * CLEAN + ABSENT);
    ck_lines(2, 4, 2);
}
END_TEST

START_TEST(flush_writes_back_and_drops)
{
    prepare();
    ck_assert_uint_eq(cache_maintain(cache, CACHE_FLUSH, 0, 4 * LINE, &lines),
                      CALL + 2 * DIRTY + CLEAN + ABSENT);
    ck_lines(2, 1, 1);
    for (uint64_t line = 0; line < 4; line++)
        ck_state(line * LINE, CACHE_ABSENT);
    ck_assert_uint_eq(load(0), MISS);
}
END_TEST

START_TEST(invalidate_drops_without_writing_back)
{
    prepare();
    ck_assert_uint_eq(cache_maintain(cache, CACHE_INVALIDATE, 0, 4 * LINE, &lines),
                      CALL + 3 * CLEAN + ABSENT);
    ck_lines(2, 1, 1);
    for (uint64_t line = 0; line < 4; line++)
        ck_state(line * LINE, CACHE_ABSENT);
    ck_state(7 * LINE, CACHE_IS_CLEAN); /* and nothing else */
}
END_TEST

START_TEST(unaligned_ranges_count_every_line_they_touch)
{
    static const struct {
        uint64_t address, bytes, lines;
    } known[] = {{0, 1, 1},  {63, 1, 1},     {63, 2, 2},    {0, 64, 1},       {0, 65, 2},
                 {1, 64, 2}, {32, 4096, 65}, {0, 4096, 64}, {4095, 4098, 66}, {60, 8, 2}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        lines = (struct cache_lines){0, 0, 0};
        ck_assert_uint_eq(
            cache_maintain(cache, CACHE_FLUSH, known[i].address, known[i].bytes, &lines),
            CALL + known[i].lines * ABSENT);
        ck_lines(0, 0, known[i].lines);
    }
}
END_TEST

START_TEST(a_hole_is_filled_before_a_line_has_to_go)
{
    load(SET0(0));
    load(SET0(1));
    cache_maintain(cache, CACHE_INVALIDATE, SET0(1), 1, &lines);
    ck_assert_uint_eq(load(SET0(2)), MISS);
    ck_assert_uint_eq(load(SET0(0)), 0);
    ck_assert_uint_eq(load(SET0(2)), 0);
}
END_TEST

START_TEST(a_snooped_write_drops_lines)
{
    prepare();
    cache_snoop_write(cache, 0, 0); /* nothing */
    ck_state(0, CACHE_IS_DIRTY);
    cache_snoop_write(cache, 63, 2); /* lines 0 and 1 */
    ck_state(0 * LINE, CACHE_ABSENT);
    ck_state(1 * LINE, CACHE_ABSENT);
    ck_state(3 * LINE, CACHE_IS_DIRTY);
    cache_snoop_write(cache, 3 * LINE, LINE);
    ck_state(3 * LINE, CACHE_ABSENT);
}
END_TEST

START_TEST(a_cache_that_is_not_modelled_costs_nothing_and_holds_nothing)
{
    struct cache_params params = small();
    params.enabled = 0;
    struct cache *none = cache_create(&params, &clock);
    ck_assert_uint_eq(cache_access(none, 0, 4096, true), 0);
    ck_assert_int_eq(cache_line_state(none, 0), CACHE_ABSENT);
    for (unsigned what = CACHE_CLEAN; what <= CACHE_FLUSH; what++)
        ck_assert_uint_eq(cache_maintain(none, (enum cache_maintenance)what, 1, 4096, &lines),
                          CALL + 65 * ABSENT);
    ck_lines(0, 0, 3 * 65);
    cache_snoop_write(none, 0, 4096);
    cache_destroy(none);
    cache_destroy(NULL);
}
END_TEST

START_TEST(costs_may_be_cycles)
{
    /* 3 GHz: a cycle is 333 1/3 ps, and no third gets lost */
    struct cache_params params = small();
    struct clock_domain fast;
    clock_init(&fast, 3000000000);
    params.miss = (struct param_cost){1, true};
    params.maintain_call = (struct param_cost){1, true};
    params.maintain_absent = (struct param_cost){1, true};
    struct cache *cycles = cache_create(&params, &fast);
    uint64_t sum = cache_access(cycles, 0, 3 * LINE, false); /* 3 cycles */
    ck_assert_uint_eq(sum, 1000);
    sum = cache_maintain(cycles, CACHE_CLEAN, SET0(100), 5 * LINE, &lines); /* 6 cycles */
    ck_assert_uint_eq(sum, 2000);
    cache_destroy(cycles);
}
END_TEST

START_TEST(geometry_is_checked)
{
    struct cache_params params = small();
    ck_assert_ptr_null(cache_params_check(&params));
    params.line = 48;
    ck_assert_ptr_nonnull(cache_params_check(&params));
    params = small();
    params.l1_ways = 3; /* 512 / 192 */
    ck_assert_ptr_nonnull(cache_params_check(&params));
    params = small();
    params.l1_size = 768; /* 6 sets */
    ck_assert_ptr_nonnull(cache_params_check(&params));
    params = small();
    params.l2_ways = 16;
    params.line = 128; /* not even one set */
    ck_assert_ptr_nonnull(cache_params_check(&params));
    params = small();
    params.l2_size = 1536;
    ck_assert_ptr_nonnull(cache_params_check(&params));
    params = small();
    params.l1_size = 192; /* one set of three ways */
    params.l1_ways = 3;
    ck_assert_ptr_null(cache_params_check(&params));
}
END_TEST

Suite *suite_cache(void)
{
    Suite *suite = suite_create("cache");
    TCase *tcase = tcase_create("cache");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_first_access_misses_and_the_second_hits);
    tcase_add_test(tcase, an_access_touches_every_line_of_its_range);
    tcase_add_test(tcase, the_least_recently_used_way_goes);
    tcase_add_test(tcase, a_line_that_left_level_1_hits_level_2);
    tcase_add_test(tcase, a_dirty_line_moves_down_and_stays_dirty);
    tcase_add_test(tcase, a_dirty_line_that_leaves_level_2_is_written_back);
    tcase_add_test(tcase, a_dirty_line_may_have_to_make_room_below);
    tcase_add_test(tcase, sets_do_not_disturb_each_other);
    tcase_add_test(tcase, clean_writes_back_and_leaves_lines);
    tcase_add_test(tcase, flush_writes_back_and_drops);
    tcase_add_test(tcase, invalidate_drops_without_writing_back);
    tcase_add_test(tcase, unaligned_ranges_count_every_line_they_touch);
    tcase_add_test(tcase, a_hole_is_filled_before_a_line_has_to_go);
    tcase_add_test(tcase, a_snooped_write_drops_lines);
    tcase_add_test(tcase, a_cache_that_is_not_modelled_costs_nothing_and_holds_nothing);
    tcase_add_test(tcase, costs_may_be_cycles);
    tcase_add_test(tcase, geometry_is_checked);
    suite_add_tcase(suite, tcase);
    return suite;
}
