/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of parameters: limits at the last good and the first bad value, choices, truth values,
 * texts with quotes, and the exact messages.
 */
#include "unit/config/sample.h"

#include <string.h>

#include "config/value.h"

static struct value parse(const char *section, const char *key, const char *text)
{
    struct value value;
    struct value_fault fault;

    if (!value_parse(sample_row(section, key), text, &value, &fault)) {
        ck_abort_msg("%s.%s = %s: %s", section, key, text, fault.message);
    }
    return value;
}

static void refuse(const char *section, const char *key, const char *text, const char *message)
{
    struct value value;
    struct value_fault fault;

    memset(&value, 0x5a, sizeof value);
    ck_assert(!value_parse(sample_row(section, key), text, &value, &fault));
    ck_assert_str_eq(fault.message, message);
    ck_assert_uint_eq(value.amount, UINT64_C(0x5a5a5a5a5a5a5a5a)); /* left alone */
}

START_TEST(limits_hold_at_both_ends)
{
    ck_assert_uint_eq(parse("link", "lanes", "1").amount, 1);
    ck_assert_uint_eq(parse("link", "lanes", "16").amount, 16);
    refuse("link", "lanes", "0", "0 is below the minimum; allowed: 1 to 16");
    refuse("link", "lanes", "17", "17 is above the maximum; allowed: 1 to 16");
    ck_assert_uint_eq(parse("link", "propagation", "100 us").amount, 100000000);
    ck_assert_uint_eq(parse("link", "propagation", "1 ns").amount, 1000);
    refuse("link", "propagation", "999 ps",
           "999 ps is below the minimum; allowed: 1 ns to 100 us (ps, ns, us, ms or s)");
    refuse("link", "propagation", "100.000001 us",
           "100.000001 us is above the maximum; allowed: 1 ns to 100 us (ps, ns, us, ms or s)");
}
END_TEST

START_TEST(a_cost_has_limits_in_both_forms)
{
    static const char allowed[] = "allowed: 0 s to 100 us or 0 cycles to 20000 cycles "
                                  "(ps, ns, us, ms, s or cycles)";
    char message[VALUE_MESSAGE_MAX];

    ck_assert_uint_eq(parse("driver", "fetch", "100 us").amount, 100000000);
    ck_assert_uint_eq(parse("driver", "fetch", "20000 cycles").amount, 20000);
    snprintf(message, sizeof message, "20001 cycles is above the maximum; %s", allowed);
    refuse("driver", "fetch", "20001 cycles", message);
    snprintf(message, sizeof message, "101 us is above the maximum; %s", allowed);
    refuse("driver", "fetch", "101 us", message);
    snprintf(message, sizeof message, "'45' has no unit; %s", allowed);
    refuse("driver", "fetch", "45", message);
}
END_TEST

START_TEST(a_cost_limited_in_one_form_is_bounded_in_the_other)
{
    struct param_row row = {"a", "b", PARAM_COST, 0, "1 ns", "0 ns", "1 us", NULL, "text"};
    struct value value;
    struct value_fault fault;

    ck_assert(value_parse(&row, "1000000000 cycles", &value, &fault));
    ck_assert(!value_parse(&row, "1000000001 cycles", &value, &fault));
    ck_assert_str_eq(fault.message,
                     "1000000001 cycles is above the maximum; allowed: 0 s to 1 us or 0 cycles to "
                     "1000000000 cycles (ps, ns, us, ms, s or cycles)");
    row.min_text = "1 cycle";
    row.max_text = "10 cycles";
    ck_assert(value_parse(&row, "1000 s", &value, &fault));
    ck_assert(!value_parse(&row, "1000.000000000001 s", &value, &fault));
    ck_assert(!value_parse(&row, "0 cycles", &value, &fault));
    /* not nothing in one form: not nothing in the other */
    ck_assert(!value_parse(&row, "0 s", &value, &fault));
    ck_assert(value_parse(&row, "1 ps", &value, &fault));
    row.min_text = "0 ns";
    row.max_text = "1 us";
    ck_assert(value_parse(&row, "0 cycles", &value, &fault));
}
END_TEST

START_TEST(choices_are_spelled_exactly)
{
    ck_assert_uint_eq(parse("link", "kind", "pcie").amount, SAMPLE_PCIE);
    ck_assert_uint_eq(parse("link", "kind", " none ").amount, SAMPLE_NONE);
    refuse("link", "kind", "emulate",
           "unknown choice 'emulate'; allowed: pcie, emulated or none; did you mean 'emulated'?");
    refuse("link", "kind", "PCIe",
           "unknown choice 'PCIe'; allowed: pcie, emulated or none; did you mean 'pcie'?");
    refuse("link", "kind", "usb", "unknown choice 'usb'; allowed: pcie, emulated or none");
    refuse("link", "kind", "pcie|emulated",
           "unknown choice 'pcie|emulated'; allowed: pcie, emulated or none");
    refuse("link", "kind", "", "no value; allowed: pcie, emulated or none");
}
END_TEST

START_TEST(truth_has_two_spellings_each)
{
    ck_assert_uint_eq(parse("media", "verify", "yes").amount, 1);
    ck_assert_uint_eq(parse("media", "verify", "true").amount, 1);
    ck_assert_uint_eq(parse("media", "verify", "no").amount, 0);
    ck_assert_uint_eq(parse("media", "verify", "false").amount, 0);
    refuse("media", "verify", "1", "'1' is neither yes nor no; allowed: yes or no");
    refuse("media", "verify", "Yes",
           "'Yes' is neither yes nor no; allowed: yes or no; did you mean 'yes'?");
    refuse("media", "verify", "", "no value; allowed: yes or no");
}
END_TEST

#define TEXT_64  "1234567890123456789012345678901234567890123456789012345678901234"
#define TEXT_448 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64
#define LONGEST  TEXT_448 "123456789012345678901234567890123456789012345678901234567890123"

START_TEST(texts_are_limited_and_can_be_quoted)
{
    static const char allowed[] = "allowed: up to 511 bytes of printable text";
    char message[VALUE_MESSAGE_MAX];

    ck_assert_str_eq(parse("media", "label", "").text, "");
    ck_assert_str_eq(parse("media", "label", "  two words ").text, "two words");
    ck_assert_str_eq(parse("media", "label", "\"  a ; b \"").text, "  a ; b ");
    ck_assert_str_eq(parse("media", "label", "\"q\\\"\\\\\\n\"").text, "q\"\\\\n");
    ck_assert_str_eq(parse("media", "label", "back\\slash").text, "back\\slash");
    ck_assert_str_eq(parse("media", "label",
                           "Gr\xc3\xb6\xc3\x9f"
                           "e")
                         .text,
                     "Gr\xc3\xb6\xc3\x9f"
                     "e");
    ck_assert_str_eq(parse("media", "label", LONGEST).text, LONGEST);
    snprintf(message, sizeof message, "the text is too long; %s", allowed);
    refuse("media", "label", LONGEST "4", message);
    snprintf(message, sizeof message, "no closing quote; %s", allowed);
    refuse("media", "label", "\"open", message);
    refuse("media", "label", "\"", message);
    refuse("media", "label", "\"open\\\"", message);
    snprintf(message, sizeof message, "something follows the closing quote; %s", allowed);
    refuse("media", "label", "\"a\" b", message);
    snprintf(message, sizeof message, "a control character; %s", allowed);
    refuse("media", "label", "a\x1b[2Jb", message);
}
END_TEST

START_TEST(texts_read_back_as_printed)
{
    static const char *const texts[] = {"",       "plain", " edge", "edge ", "a ;b",   "a;b",
                                        "; a",    "# a",   "\"",    "\"q\"", "\\",     "a\\b",
                                        " \\\" ", "a\"b",  LONGEST, " ",     "a = [b]"};
    const struct param_row *row = sample_row("media", "label");

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct value value;
        struct value again;
        struct value_fault fault;
        char printed[VALUE_TEXT_MAX];
        memset(&value, 0, sizeof value);
        strcpy(value.text, texts[i]);
        value_print(row, &value, printed);
        ck_assert(value_parse(row, printed, &again, &fault));
        ck_assert_str_eq(again.text, texts[i]);
    }
}
END_TEST

START_TEST(the_offset_of_a_fault_points_into_the_text)
{
    struct value value;
    struct value_fault fault;

    ck_assert(!value_parse(sample_row("link", "propagation"), "  5 parsec", &value, &fault));
    ck_assert_uint_eq(fault.offset, 4);
    ck_assert(!value_parse(sample_row("link", "lanes"), "  99", &value, &fault));
    ck_assert_uint_eq(fault.offset, 2);
    ck_assert(!value_parse(sample_row("media", "label"), " \"a\" b", &value, &fault));
    ck_assert_uint_eq(fault.offset, 4);
}
END_TEST

Suite *suite_values(void)
{
    Suite *suite = suite_create("values");
    TCase *tests = tcase_create("values");

    tcase_add_test(tests, limits_hold_at_both_ends);
    tcase_add_test(tests, a_cost_has_limits_in_both_forms);
    tcase_add_test(tests, a_cost_limited_in_one_form_is_bounded_in_the_other);
    tcase_add_test(tests, choices_are_spelled_exactly);
    tcase_add_test(tests, truth_has_two_spellings_each);
    tcase_add_test(tests, texts_are_limited_and_can_be_quoted);
    tcase_add_test(tests, texts_read_back_as_printed);
    tcase_add_test(tests, the_offset_of_a_fault_points_into_the_text);
    suite_add_tcase(suite, tests);
    return suite;
}
