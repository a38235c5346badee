/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random streams against values computed elsewhere (an independent Python program; the sequence
 * from the state 1, 2, 3, 4 is also the published one of xoshiro256**), and the block pattern:
 * every tag comes back, and no damage passes for a pattern.
 */
#include <string.h>

#include "engine/pattern.h"
#include "engine/rng.h"
#include "unit/engine/suites.h"

START_TEST(the_generator_gives_the_published_sequence)
{
    struct rng rng = {{1, 2, 3, 4}};
    static const uint64_t known[] = {UINT64_C(11520),
                                     UINT64_C(0),
                                     UINT64_C(1509978240),
                                     UINT64_C(1215971899390074240),
                                     UINT64_C(1216172134540287360),
                                     UINT64_C(607988272756665600),
                                     UINT64_C(16172922978634559625),
                                     UINT64_C(8476171486693032832),
                                     UINT64_C(10595114339597558777),
                                     UINT64_C(2904607092377533576)};
    for (unsigned i = 0; i < 10; i++)
        ck_assert_uint_eq(rng_next(&rng), known[i]);
}
END_TEST

START_TEST(seed_and_name_give_known_streams)
{
    static const struct {
        uint64_t seed;
        const char *name;
        uint64_t values[5];
    } known[] = {
        {0,
         "",
         {UINT64_C(0x21382ef092ed7068), UINT64_C(0x5b54c052757adf62), UINT64_C(0xa64cb2cf68795072),
          UINT64_C(0xd35c15d5962035af), UINT64_C(0xeffd4881bf12f828)}},
        {42,
         "media",
         {UINT64_C(0x58b29096aa935ed5), UINT64_C(0x44f7a4ca4a0b53df), UINT64_C(0x8ce5896f82a65b29),
          UINT64_C(0x4704572861ffff66), UINT64_C(0x19209212d8a2dcf8)}},
        {42,
         "workload",
         {UINT64_C(0x65cd59f7a45395d5), UINT64_C(0x82148552960492e6), UINT64_C(0xc31bb156f2eedc15),
          UINT64_C(0x7c8f335fdd17b723), UINT64_C(0x2ab3b07924f94165)}},
        {UINT64_MAX,
         "media",
         {UINT64_C(0xe0b8ec77a9833e6a), UINT64_C(0xb60da0b3df4125b8), UINT64_C(0x25af382674ae1d1a),
          UINT64_C(0x7a20dbaa0479c17d), UINT64_C(0x5742b38c4516df61)}},
    };
    for (unsigned k = 0; k < sizeof known / sizeof known[0]; k++) {
        struct rng rng;
        rng_init(&rng, known[k].seed, known[k].name);
        for (unsigned i = 0; i < 5; i++)
            ck_assert_uint_eq(rng_next(&rng), known[k].values[i]);
    }
}
END_TEST

START_TEST(draws_of_one_stream_do_not_move_another)
{
    struct rng media, alone, workload;
    rng_init(&alone, 42, "media");
    rng_init(&media, 42, "media");
    rng_init(&workload, 42, "workload");
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned j = 0; j < i % 5; j++)
            rng_next(&workload);
        ck_assert_uint_eq(rng_next(&media), rng_next(&alone));
    }
}
END_TEST

START_TEST(below_keeps_its_bounds)
{
    struct rng rng;
    rng_init(&rng, 5, "bounds");
    /* powers of two, one beside them, and bounds whose last interval is nearly half of all */
    static const uint64_t bounds[] = {1,
                                      2,
                                      3,
                                      255,
                                      256,
                                      257,
                                      UINT64_C(1) << 32,
                                      (UINT64_C(1) << 63) - 1,
                                      UINT64_C(1) << 63,
                                      (UINT64_C(1) << 63) + 1,
                                      UINT64_MAX - 1,
                                      UINT64_MAX};
    for (unsigned b = 0; b < sizeof bounds / sizeof bounds[0]; b++)
        for (unsigned i = 0; i < 1000; i++)
            ck_assert_uint_lt(rng_below(&rng, bounds[b]), bounds[b]);
}
END_TEST

START_TEST(below_takes_no_value_from_the_incomplete_interval)
{
    /* given a generator whose next value is known, when the bound makes it fall into the incomplete
     * interval, then it is drawn again: bound 2^63 + 1 refuses everything from 2^63 + 1 on */
    struct rng plain, bounded;
    uint64_t bound = (UINT64_C(1) << 63) + 1;
    rng_init(&plain, 6, "interval");
    rng_init(&bounded, 6, "interval");
    unsigned refused = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t expected;
        while ((expected = rng_next(&plain)) >= bound)
            refused++;
        ck_assert_uint_eq(rng_below(&bounded, bound), expected);
    }
    ck_assert_uint_gt(refused, 900); /* about as many as were taken */
    ck_assert_uint_lt(refused, 1100);
}
END_TEST

START_TEST(below_is_uniform)
{
    enum { BINS = 6, DRAWS = 60000 };
    unsigned bins[BINS] = {0};
    struct rng rng;
    rng_init(&rng, 7, "uniform");
    for (unsigned i = 0; i < DRAWS; i++)
        bins[rng_below(&rng, BINS)]++;
    for (unsigned b = 0; b < BINS; b++) { /* 4.5 standard deviations of a fair die */
        ck_assert_uint_gt(bins[b], DRAWS / BINS - 410);
        ck_assert_uint_lt(bins[b], DRAWS / BINS + 410);
    }
}
END_TEST

/* ---- pattern ---- */

START_TEST(a_tag_names_block_and_request)
{
    uint64_t tag = pattern_tag(0xfedcba98u, 0x01234567u);
    ck_assert_uint_eq(tag, UINT64_C(0xfedcba9801234567));
    ck_assert_uint_eq(pattern_request(tag), 0xfedcba98u);
    ck_assert_uint_eq(pattern_block(tag), 0x01234567u);
}
END_TEST

START_TEST(every_tag_comes_back)
{
    uint8_t bytes[PATTERN_BYTES];
    uint64_t found;
    struct rng rng;
    rng_init(&rng, 8, "tags");
    static const uint64_t edges[] = {0, 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t tag = i < 5 ? edges[i] : rng_next(&rng);
        pattern_expand(tag, bytes);
        found = ~tag;
        ck_assert(pattern_recognise(bytes, &found));
        ck_assert_uint_eq(found, tag);
    }
}
END_TEST

START_TEST(bytes_are_little_endian_words)
{
    /* the first word is the tag itself, lowest byte first, on any machine */
    static const uint8_t first[8] = {0x67, 0x45, 0x23, 0x01, 0x98, 0xba, 0xdc, 0xfe};
    uint8_t bytes[PATTERN_BYTES];
    pattern_expand(UINT64_C(0xfedcba9801234567), bytes);
    ck_assert_mem_eq(bytes, first, 8);
}
END_TEST

START_TEST(zero_is_all_zeroes)
{
    static const uint8_t zero[PATTERN_BYTES];
    uint8_t bytes[PATTERN_BYTES];
    uint64_t tag = 1;
    memset(bytes, 0xff, sizeof bytes);
    pattern_expand(PATTERN_ZERO, bytes);
    ck_assert_mem_eq(bytes, zero, sizeof bytes);
    ck_assert(pattern_recognise(zero, &tag));
    ck_assert_uint_eq(tag, PATTERN_ZERO);
}
END_TEST

START_TEST(damage_at_any_byte_is_recognised)
{
    static const uint64_t tags[] = {PATTERN_ZERO, 1, UINT64_C(0x0000000500000007), UINT64_MAX};
    uint8_t bytes[PATTERN_BYTES];
    uint64_t found = 99;
    for (unsigned t = 0; t < 4; t++) {
        pattern_expand(tags[t], bytes);
        for (unsigned at = 0; at < PATTERN_BYTES; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[at] ^= (uint8_t)(1u << bit);
                ck_assert_msg(!pattern_recognise(bytes, &found), "tag %u byte %u bit %u", t, at,
                              bit);
                bytes[at] ^= (uint8_t)(1u << bit);
            }
    }
    ck_assert_uint_eq(found, 99); /* and no tag was handed out */
}
END_TEST

START_TEST(shifted_torn_and_mixed_blocks_are_damaged)
{
    uint8_t bytes[2 * PATTERN_BYTES], mixed[PATTERN_BYTES];
    uint64_t tag;
    /* given two neighbouring blocks of one request */
    pattern_expand(pattern_tag(3, 10), bytes);
    pattern_expand(pattern_tag(3, 11), bytes + PATTERN_BYTES);
    /* every shift by less than a block is damage */
    for (unsigned shift = 1; shift < PATTERN_BYTES; shift++)
        ck_assert(!pattern_recognise(bytes + shift, &tag));
    ck_assert(pattern_recognise(bytes + PATTERN_BYTES, &tag));
    ck_assert_uint_eq(tag, pattern_tag(3, 11));
    /* half an old generation and half a new one is damage, wherever the cut is */
    uint8_t old[PATTERN_BYTES];
    pattern_expand(pattern_tag(2, 10), old);
    for (unsigned cut = 5; cut < PATTERN_BYTES; cut++) { /* the first 4 bytes are the same */
        memcpy(mixed, bytes, cut);
        memcpy(mixed + cut, old + cut, PATTERN_BYTES - cut);
        ck_assert(!pattern_recognise(mixed, &tag));
    }
    /* and so is a block of which only the beginning arrived in fresh memory */
    for (unsigned cut = 1; cut < PATTERN_BYTES; cut++) {
        memset(mixed, 0, sizeof mixed);
        memcpy(mixed, bytes, cut);
        ck_assert(!pattern_recognise(mixed, &tag));
    }
}
END_TEST

Suite *suite_random(void)
{
    Suite *suite = suite_create("random and pattern");
    TCase *rng = tcase_create("rng");
    tcase_add_test(rng, the_generator_gives_the_published_sequence);
    tcase_add_test(rng, seed_and_name_give_known_streams);
    tcase_add_test(rng, draws_of_one_stream_do_not_move_another);
    tcase_add_test(rng, below_keeps_its_bounds);
    tcase_add_test(rng, below_takes_no_value_from_the_incomplete_interval);
    tcase_add_test(rng, below_is_uniform);
    suite_add_tcase(suite, rng);
    TCase *pattern = tcase_create("pattern");
    tcase_add_test(pattern, a_tag_names_block_and_request);
    tcase_add_test(pattern, every_tag_comes_back);
    tcase_add_test(pattern, bytes_are_little_endian_words);
    tcase_add_test(pattern, zero_is_all_zeroes);
    tcase_add_test(pattern, damage_at_any_byte_is_recognised);
    tcase_add_test(pattern, shifted_torn_and_mixed_blocks_are_damaged);
    suite_add_tcase(suite, pattern);
    return suite;
}
