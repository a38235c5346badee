/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Clock domains (no drift, however the cycles are taken) and transfer times (rounded up, never off
 * by more than their rounding), against arithmetic in 128 bits that the model does not use.
 */
#include "engine/clock.h"
#include "engine/rng.h"
#include "unit/engine/suites.h"

/* Not in C11; the tests' reference only. */
__extension__ typedef unsigned __int128 wide;

START_TEST(whole_cycles_take_whole_time)
{
    struct clock_domain clock;
    clock_init(&clock, 1000000000); /* 1 GHz: 1000 ps */
    ck_assert_uint_eq(clock_advance(&clock, 1), 1000);
    ck_assert_uint_eq(clock_advance(&clock, 0), 0);
    ck_assert_uint_eq(clock_advance(&clock, 12345), 12345000);
    clock_init(&clock, PS_PER_SECOND); /* the fastest: 1 ps */
    ck_assert_uint_eq(clock_advance(&clock, UINT32_MAX), UINT32_MAX);
    clock_init(&clock, 1); /* the slowest: 1 s */
    ck_assert_uint_eq(clock_advance(&clock, 3), 3 * PS_PER_SECOND);
}
END_TEST

START_TEST(the_fraction_of_a_picosecond_is_carried)
{
    /* 3 GHz: a cycle is 333 1/3 ps */
    struct clock_domain clock;
    clock_init(&clock, 3000000000);
    ck_assert_uint_eq(clock_advance(&clock, 1), 333);
    ck_assert_uint_eq(clock_advance(&clock, 1), 333);
    ck_assert_uint_eq(clock_advance(&clock, 1), 334);
    ck_assert_uint_eq(clock_advance(&clock, 2), 666);
    ck_assert_uint_eq(clock_advance(&clock, 1), 334);
}
END_TEST

START_TEST(a_million_single_cycles_are_one_step_of_a_million)
{
    struct clock_domain single, once;
    clock_init(&single, 733000000);
    clock_init(&once, 733000000);
    uint64_t sum = 0;
    for (unsigned i = 0; i < 1000000; i++)
        sum += clock_advance(&single, 1);
    ck_assert_uint_eq(sum, clock_advance(&once, 1000000));
    ck_assert_uint_eq(sum, UINT64_C(1364256480)); /* floor(10^18 / 733*10^6) */
    ck_assert_uint_eq(single.carry, once.carry);
    /* and after 733 million cycles exactly a second is over, without remainder */
    for (unsigned i = 0; i < 732; i++)
        sum += clock_advance(&single, 1000000);
    ck_assert_uint_eq(sum, PS_PER_SECOND);
    ck_assert_uint_eq(single.carry, 0);
}
END_TEST

START_TEST(any_clock_in_any_steps_agrees_with_128_bits)
{
    /* clocks with large remainders, and steps up to the limit of 2^32 - 1 cycles */
    static const uint64_t clocks[] = {
        733000000,    1000000007,   3000000000,   9900990100, 9999999999, UINT64_C(66666666667),
        999999999999, 501000000001, 600000000000, 1000001,
    };
    struct rng rng;
    rng_init(&rng, 3, "clock");
    for (unsigned c = 0; c < sizeof clocks / sizeof clocks[0]; c++) {
        struct clock_domain clock;
        clock_init(&clock, clocks[c]);
        wide cycles = 0, ps = 0;
        for (unsigned i = 0; i < 2000; i++) {
            uint64_t most = i % 3 == 0 ? UINT64_C(1) << 32 : i % 3 == 1 ? UINT64_C(1) << 20 : 100;
            uint64_t step = i == 7    ? UINT32_MAX
                            : i == 8  ? (UINT64_C(1) << 20) - 1
                            : i == 9  ? UINT64_C(1) << 20
                            : i == 10 ? (UINT64_C(1) << 20) + 1
                                      : rng_below(&rng, most);
            cycles += step;
            ps += clock_advance(&clock, step);
            ck_assert_msg(ps == cycles * PS_PER_SECOND / clocks[c],
                          "%llu Hz is off after step %u of %llu cycles",
                          (unsigned long long)clocks[c], i, (unsigned long long)step);
        }
    }
}
END_TEST

START_TEST(a_cost_is_a_time_or_cycles)
{
    struct clock_domain clock;
    clock_init(&clock, 3000000000);
    ck_assert_uint_eq(clock_cost(&clock, (struct param_cost){1234, false}), 1234);
    ck_assert_uint_eq(clock_cost(&clock, (struct param_cost){4, true}), 1333);
    ck_assert_uint_eq(clock_cost(&clock, (struct param_cost){4, false}), 4); /* no carry in it */
    ck_assert_uint_eq(clock_cost(&clock, (struct param_cost){2, true}), 667);
}
END_TEST

static uint64_t reference(uint64_t bytes, uint64_t rate)
{
    return (uint64_t)(((wide)bytes * PS_PER_SECOND + rate - 1) / rate);
}

START_TEST(transfers_round_up)
{
    ck_assert_uint_eq(clock_transfer_ps(0, 1), 0);
    ck_assert_uint_eq(clock_transfer_ps(1, PS_PER_SECOND), 1);
    ck_assert_uint_eq(clock_transfer_ps(1, PS_PER_SECOND - 1), 2);
    ck_assert_uint_eq(clock_transfer_ps(1, 3), UINT64_C(333333333334));
    ck_assert_uint_eq(clock_transfer_ps(3, 3), PS_PER_SECOND);
    ck_assert_uint_eq(clock_transfer_ps(1, UINT64_C(10000000000000)), 1); /* a tenth of a ps */
    ck_assert_uint_eq(clock_transfer_ps(4096, 1000000000), 4096000);
    ck_assert_uint_eq(clock_transfer_ps((UINT64_C(1) << 40) - 1, 1000000000),
                      UINT64_C(1099511627775000));
}
END_TEST

START_TEST(transfers_agree_with_128_bits)
{
    /* the edge at which bytes * 10^12 no longer fits 64 bits, at rates on both sides of it */
    static const uint64_t rates[] = {1000,
                                     200000000,
                                     1000000000,
                                     73709551615,
                                     73709551616,
                                     73709551617,
                                     999999999999,
                                     1000000000000,
                                     7,
                                     18446744,
                                     3200000000000,
                                     8000000000001,
                                     UINT64_C(9999999999999),
                                     UINT64_C(10000000000000)};
    for (unsigned r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (uint64_t bytes = 18446740; bytes < 18446750; bytes++)
            if (rates[r] >= 1000)
                ck_assert_uint_eq(clock_transfer_ps(bytes, rates[r]), reference(bytes, rates[r]));
    /* and anywhere, wherever the result fits 64 bits */
    struct rng rng;
    rng_init(&rng, 4, "transfer");
    unsigned tried = 0;
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t bytes = rng_next(&rng) >> (24 + rng_below(&rng, 40));
        uint64_t rate = 1 + (rng_next(&rng) >> (21 + rng_below(&rng, 43))) % 10000000000000u;
        if ((wide)bytes * PS_PER_SECOND / rate >= UINT64_MAX / 2)
            continue;
        tried++;
        ck_assert_uint_eq(clock_transfer_ps(bytes, rate), reference(bytes, rate));
    }
    ck_assert_uint_gt(tried, 50000);
}
END_TEST

Suite *suite_clock(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    tcase_add_test(tcase, whole_cycles_take_whole_time);
    tcase_add_test(tcase, the_fraction_of_a_picosecond_is_carried);
    tcase_add_test(tcase, a_million_single_cycles_are_one_step_of_a_million);
    tcase_add_test(tcase, any_clock_in_any_steps_agrees_with_128_bits);
    tcase_add_test(tcase, a_cost_is_a_time_or_cycles);
    tcase_add_test(tcase, transfers_round_up);
    tcase_add_test(tcase, transfers_agree_with_128_bits);
    suite_add_tcase(suite, tcase);
    return suite;
}
