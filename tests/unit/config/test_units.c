/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers with units: what reads as what, what is refused and why, and that everything printed
 * reads back as the same number.
 */
#include "unit/config/sample.h"

#include <string.h>

#include "config/units.h"

static const enum param_kind kinds[] = {PARAM_TIME, PARAM_COST,  PARAM_SIZE, PARAM_RATE,
                                        PARAM_FREQ, PARAM_COUNT, PARAM_RATIO};

static uint64_t parse(enum param_kind kind, const char *text)
{
    struct param_cost value;
    struct units_fault fault;

    if (!units_parse(kind, text, &value, &fault)) {
        ck_abort_msg("'%s': %s", text, fault.message);
    }
    ck_assert(!value.cycles);
    return value.amount;
}

static void refuse(enum param_kind kind, const char *text, size_t offset, const char *message)
{
    struct param_cost value;
    struct units_fault fault;

    ck_assert(!units_parse(kind, text, &value, &fault));
    ck_assert_str_eq(fault.message, message);
    ck_assert_uint_eq(fault.offset, offset);
}

START_TEST(every_unit_has_its_factor)
{
    static const struct {
        enum param_kind kind;
        const char *text;
        uint64_t amount;
    } cases[] = {
        {PARAM_TIME, "1 ps", 1},
        {PARAM_TIME, "1 ns", 1000},
        {PARAM_TIME, "1 us", 1000000},
        {PARAM_TIME, "1 ms", 1000000000},
        {PARAM_TIME, "1 s", UINT64_C(1000000000000)},
        {PARAM_SIZE, "1 B", 1},
        {PARAM_SIZE, "1 kB", 1000},
        {PARAM_SIZE, "1 KB", 1000},
        {PARAM_SIZE, "1 MB", 1000000},
        {PARAM_SIZE, "1 GB", 1000000000},
        {PARAM_SIZE, "1 TB", UINT64_C(1000000000000)},
        {PARAM_SIZE, "1 KiB", 1024},
        {PARAM_SIZE, "1 MiB", 1048576},
        {PARAM_SIZE, "1 GiB", 1073741824},
        {PARAM_SIZE, "1 TiB", UINT64_C(1099511627776)},
        {PARAM_RATE, "1 B/s", 1},
        {PARAM_RATE, "3.2 GB/s", UINT64_C(3200000000)},
        {PARAM_RATE, "200 MiB/s", 209715200},
        {PARAM_FREQ, "1 Hz", 1},
        {PARAM_FREQ, "33.333 kHz", 33333},
        {PARAM_FREQ, "7.14 MHz", 7140000},
        {PARAM_FREQ, "1 GHz", 1000000000},
        {PARAM_RATIO, "12.5 %", 125000},
        {PARAM_RATIO, "100 %", 1000000},
        {PARAM_COUNT, "64", 64},
        {PARAM_COUNT, "0x40", 64},
        {PARAM_COUNT, "0XfF", 255},
        {PARAM_COUNT, "007", 7},
        {PARAM_COST, "0.74 ns", 740},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_uint_eq(parse(cases[i].kind, cases[i].text), cases[i].amount);
    }
}
END_TEST

START_TEST(cycles_are_not_time)
{
    struct param_cost value;
    struct units_fault fault;

    ck_assert(units_parse(PARAM_COST, "45 cycles", &value, &fault));
    ck_assert_uint_eq(value.amount, 45);
    ck_assert(value.cycles);
    ck_assert(units_parse(PARAM_COST, "1 cycle", &value, &fault));
    ck_assert(value.cycles);
    refuse(PARAM_TIME, "45 cycles", 3, "unknown unit 'cycles'");
    refuse(PARAM_COST, "0.5 cycles", 0, "'0.5 cycles' is not a whole number of cycles");
}
END_TEST

START_TEST(blanks_do_not_matter_around_number_and_unit)
{
    ck_assert_uint_eq(parse(PARAM_TIME, "350ns"), 350000);
    ck_assert_uint_eq(parse(PARAM_TIME, " \t350 \t ns\t "), 350000);
    refuse(PARAM_TIME, "3 50 ns", 2, "unknown unit '50 ns'");
}
END_TEST

START_TEST(fractions_are_exact_or_refused)
{
    ck_assert_uint_eq(parse(PARAM_TIME, "0.001 ns"), 1);
    refuse(PARAM_TIME, "0.0001 ns", 0, "'0.0001 ns' is not a whole number of ps");
    refuse(PARAM_TIME, "0.0001 ps", 0, "'0.0001 ps' is not a whole number of ps");
    ck_assert_uint_eq(parse(PARAM_TIME, "1.000000000000000000000000000000 ps"), 1);
    ck_assert_uint_eq(parse(PARAM_SIZE, "0.5 KiB"), 512);
    ck_assert_uint_eq(parse(PARAM_SIZE, "0.0009765625 KiB"), 1);
    refuse(PARAM_SIZE, "0.00048828125 KiB", 0, "'0.00048828125 KiB' is not a whole number of B");
    refuse(PARAM_SIZE, "0.1 KiB", 0, "'0.1 KiB' is not a whole number of B");
    ck_assert_uint_eq(parse(PARAM_RATIO, "0.0001 %"), 1);
    refuse(PARAM_RATIO, "0.00001 %", 0, "'0.00001 %' is not a whole number of millionths");
    refuse(PARAM_COUNT, "1.5", 0, "'1.5' is not a whole number");
    refuse(PARAM_TIME, "1.0000000000000000000000000001 s", 0,
           "'1.0000000000000000000000000001 s' is not a whole number of ps");
}
END_TEST

START_TEST(the_largest_number_fits_and_the_next_does_not)
{
    ck_assert_uint_eq(parse(PARAM_COUNT, "18446744073709551615"), UINT64_MAX);
    refuse(PARAM_COUNT, "18446744073709551616", 0, "'18446744073709551616' is too large");
    ck_assert_uint_eq(parse(PARAM_COUNT, "0xffffffffffffffff"), UINT64_MAX);
    refuse(PARAM_COUNT, "0x10000000000000000", 0, "'0x10000000000000000' is too large");
    ck_assert_uint_eq(parse(PARAM_TIME, "18446744.073709551615 s"), UINT64_MAX);
    refuse(PARAM_TIME, "18446744.073709551616 s", 0,
           "'18446744.073709551616 s' is not a whole "
           "number of ps");
    refuse(PARAM_TIME, "18446745 s", 0, "'18446745 s' is too large");
    ck_assert_uint_eq(parse(PARAM_SIZE, "16777215 TiB"), UINT64_C(16777215) << 40);
    refuse(PARAM_SIZE, "16777216 TiB", 0, "'16777216 TiB' is too large");
    refuse(PARAM_TIME, "99999999999999999999999999 ps", 0,
           "'99999999999999999999999999 ps' is too large");
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
    refuse(PARAM_TIME, "", 0, "no value");
    refuse(PARAM_TIME, "  ", 2, "no value");
    refuse(PARAM_TIME, "fast", 0, "'fast' is not a number");
    refuse(PARAM_TIME, ".5 ns", 0, "'.5 ns' is not a number");
    refuse(PARAM_TIME, "5. ns", 0, "'5. ns' is not a number");
    refuse(PARAM_TIME, "-5 ns", 0, "'-5 ns' is negative");
    refuse(PARAM_TIME, "+5 ns", 0, "'+5 ns' is not a number");
    refuse(PARAM_TIME, "1e3 ns", 1, "unknown unit 'e3 ns'");
    refuse(PARAM_COUNT, "0x", 0, "'0x' is not a hexadecimal number");
    refuse(PARAM_COUNT, "0x4g", 0, "'0x4g' is not a hexadecimal number");
    refuse(PARAM_COUNT, "64 KiB", 3, "'64 KiB' is not a bare number");
    refuse(PARAM_SIZE, "0x40 B", 1, "unknown unit 'x40 B'");
    refuse(PARAM_COUNT, "1,000", 1, "'1,000' is not a bare number");
}
END_TEST

START_TEST(a_number_with_dimension_needs_its_unit)
{
    refuse(PARAM_TIME, "350", 0, "'350' has no unit");
    refuse(PARAM_COST, "45", 0, "'45' has no unit");
    refuse(PARAM_SIZE, "0", 0, "'0' has no unit");
    refuse(PARAM_RATIO, "12.5 ", 0, "'12.5' has no unit");
    refuse(PARAM_RATE, "3 GB", 2, "unknown unit 'GB'");
    refuse(PARAM_SIZE, "3 GB/s", 2, "unknown unit 'GB/s'");
    refuse(PARAM_FREQ, "1 KHz", 2, "unknown unit 'KHz'");
}
END_TEST

START_TEST(a_mistyped_unit_gets_a_suggestion)
{
    struct param_cost value;
    struct units_fault fault;

    ck_assert(!units_parse(PARAM_SIZE, "4 kib", &value, &fault));
    ck_assert_str_eq(fault.suggestion, "KiB");
    ck_assert(!units_parse(PARAM_FREQ, "1 Mhz", &value, &fault));
    ck_assert_str_eq(fault.suggestion, "MHz");
    ck_assert(!units_parse(PARAM_TIME, "1 fortnight", &value, &fault));
    ck_assert_ptr_null(fault.suggestion);
}
END_TEST

static const char *print(enum param_kind kind, uint64_t amount)
{
    static char text[UNITS_TEXT_MAX];
    struct param_cost value = {amount, false};

    units_print(kind, &value, text);
    return text;
}

START_TEST(printing_takes_the_shortest_exact_form)
{
    struct param_cost cycles = {45, true};
    char text[UNITS_TEXT_MAX];

    ck_assert_str_eq(print(PARAM_TIME, 350000), "350 ns");
    ck_assert_str_eq(print(PARAM_TIME, 1500), "1.5 ns");
    ck_assert_str_eq(print(PARAM_TIME, 740), "740 ps");
    ck_assert_str_eq(print(PARAM_TIME, UINT64_C(300000000000)), "300 ms");
    ck_assert_str_eq(print(PARAM_TIME, UINT64_C(7500000000000)), "7.5 s");
    ck_assert_str_eq(print(PARAM_TIME, 1000001), "1000001 ps");
    ck_assert_str_eq(print(PARAM_SIZE, 512), "512 B");
    ck_assert_str_eq(print(PARAM_SIZE, 131072), "128 KiB");
    ck_assert_str_eq(print(PARAM_SIZE, 1536), "1536 B");
    ck_assert_str_eq(print(PARAM_SIZE, 2000000000), "2 GB");
    ck_assert_str_eq(print(PARAM_SIZE, UINT64_C(3) << 40), "3 TiB");
    ck_assert_str_eq(print(PARAM_RATE, UINT64_C(3200000000)), "3.2 GB/s");
    ck_assert_str_eq(print(PARAM_RATIO, 125000), "12.5 %");
    ck_assert_str_eq(print(PARAM_RATIO, 1), "0.0001 %");
    ck_assert_str_eq(print(PARAM_COUNT, 64), "64");
    ck_assert_str_eq(print(PARAM_TIME, 0), "0 s");
    ck_assert_str_eq(print(PARAM_SIZE, 0), "0 B");
    ck_assert_str_eq(print(PARAM_COUNT, UINT64_MAX), "18446744073709551615");
    units_print(PARAM_COST, &cycles, text);
    ck_assert_str_eq(text, "45 cycles");
    cycles.amount = 1;
    units_print(PARAM_COST, &cycles, text);
    ck_assert_str_eq(text, "1 cycle");
}
END_TEST

static void round_trip(enum param_kind kind, uint64_t amount, bool cycles)
{
    struct param_cost value = {amount, cycles};
    struct param_cost again;
    struct units_fault fault;
    char text[UNITS_TEXT_MAX];

    units_print(kind, &value, text);
    if (!units_parse(kind, text, &again, &fault) || again.amount != amount ||
        again.cycles != cycles) {
        ck_abort_msg("kind %d: %s does not read back", (int)kind, text);
    }
}

START_TEST(everything_printed_reads_back)
{
    static const uint64_t steps[] = {1, 10, 1000, 1024, 1000000, 1048576, 1000000000, 1073741824};
    uint64_t random = 1;

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            round_trip(kinds[k], (UINT64_C(1) << bit) - 1, false);
            round_trip(kinds[k], UINT64_C(1) << bit, false);
        }
        round_trip(kinds[k], UINT64_MAX, false);
        for (unsigned n = 0; n < 20000; n++) {
            /* a linear congruential generator (Knuth's MMIX constants), cut to all magnitudes */
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t amount = (random >> 8) >> (random & 63u);
            uint64_t step = steps[(random >> 40) % (sizeof steps / sizeof steps[0])];
            round_trip(kinds[k], amount, false);
            round_trip(kinds[k], amount - amount % step, false);
        }
    }
    for (uint64_t amount = 0; amount < 2000; amount++) {
        round_trip(PARAM_COST, amount, true);
    }
    round_trip(PARAM_COST, UINT64_MAX, true);
}
END_TEST

START_TEST(unit_names_are_listed)
{
    char text[80];

    units_names(PARAM_TIME, text, sizeof text);
    ck_assert_str_eq(text, "ps, ns, us, ms or s");
    units_names(PARAM_COST, text, sizeof text);
    ck_assert_str_eq(text, "ps, ns, us, ms, s or cycles");
    units_names(PARAM_SIZE, text, sizeof text);
    ck_assert_str_eq(text, "B, kB, MB, GB, TB, KiB, MiB, GiB or TiB");
    units_names(PARAM_RATIO, text, sizeof text);
    ck_assert_str_eq(text, "%");
    units_names(PARAM_COUNT, text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

Suite *suite_units(void)
{
    Suite *suite = suite_create("units");
    TCase *tests = tcase_create("units");

    tcase_add_test(tests, every_unit_has_its_factor);
    tcase_add_test(tests, cycles_are_not_time);
    tcase_add_test(tests, blanks_do_not_matter_around_number_and_unit);
    tcase_add_test(tests, fractions_are_exact_or_refused);
    tcase_add_test(tests, the_largest_number_fits_and_the_next_does_not);
    tcase_add_test(tests, what_is_no_number_is_refused);
    tcase_add_test(tests, a_number_with_dimension_needs_its_unit);
    tcase_add_test(tests, a_mistyped_unit_gets_a_suggestion);
    tcase_add_test(tests, printing_takes_the_shortest_exact_form);
    tcase_add_test(tests, everything_printed_reads_back);
    tcase_add_test(tests, unit_names_are_listed);
    suite_add_tcase(suite, tests);
    return suite;
}
