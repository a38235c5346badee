/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings: distances between names, paths, columns, and how diagnostics are printed.
 */
#include "unit/config/sample.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"

START_TEST(distance_counts_single_mistakes)
{
    ck_assert_uint_eq(text_distance("lanes", "lanes"), 0);
    ck_assert_uint_eq(text_distance("lanes", "LANES"), 0);
    ck_assert_uint_eq(text_distance("lanes", "lane"), 1);
    ck_assert_uint_eq(text_distance("lanes", "lanees"), 1);
    ck_assert_uint_eq(text_distance("lanes", "lamse"), 2);
    ck_assert_uint_eq(text_distance("lanes", "alnes"), 1); /* exchanged neighbours */
    ck_assert_uint_eq(text_distance("", "lanes"), 5);
    ck_assert_uint_eq(text_distance("", ""), 0);
}
END_TEST

START_TEST(distance_gives_up_on_long_names)
{
    char name[TEXT_NAME_MAX + 2];

    memset(name, 'a', sizeof name);
    name[TEXT_NAME_MAX] = '\0';
    ck_assert_uint_eq(text_distance(name, "a"), TEXT_NAME_MAX - 1);
    name[TEXT_NAME_MAX] = 'a';
    name[TEXT_NAME_MAX + 1] = '\0';
    ck_assert_uint_eq(text_distance(name, "a"), SIZE_MAX);
}
END_TEST

START_TEST(the_nearest_name_wins_and_the_first_of_equals)
{
    struct text_nearest nearest;

    text_nearest_start(&nearest, "lanse");
    text_nearest_try(&nearest, "lance");
    text_nearest_try(&nearest, "lanes");
    ck_assert_str_eq(nearest.best, "lance");
    text_nearest_start(&nearest, "read_latncy");
    text_nearest_try(&nearest, "write_latency");
    text_nearest_try(&nearest, "read_latency");
    ck_assert_str_eq(nearest.best, "read_latency");
    text_nearest_start(&nearest, "xyz");
    text_nearest_try(&nearest, "abc");
    ck_assert_ptr_null(nearest.best);
}
END_TEST

static void beside(const char *from, const char *relative, const char *expected)
{
    char *path = text_path_beside(from, relative);

    ck_assert_str_eq(path, expected);
    free(path);
}

START_TEST(paths_are_folded_by_text)
{
    beside("drives/a.ini", "b.ini", "drives/b.ini");
    beside("drives/a.ini", "../base/pcie.ini", "base/pcie.ini");
    beside("a.ini", "b.ini", "b.ini");
    beside("a.ini", "../b.ini", "../b.ini");
    beside("x/a.ini", "../../b.ini", "../b.ini");
    beside("../../x/a.ini", "../../b.ini", "../../../b.ini");
    beside("/x/a.ini", "../../../b.ini", "/b.ini");
    beside("/x/a.ini", "./y//z/./b.ini", "/x/y/z/b.ini");
    beside("x/a.ini", "..", "");
    beside("x/y/a.ini", "..", "x/");
    beside("x/a.ini", "..b/c", "x/..b/c");
}
END_TEST

START_TEST(columns_are_characters)
{
    ck_assert_uint_eq(text_columns("abc", 2), 2);
    ck_assert_uint_eq(text_columns("\xc3\xa4\xe2\x82\xac"
                                   "b",
                                   5),
                      2);
    ck_assert_uint_eq(text_columns("", 0), 0);
}
END_TEST

START_TEST(long_values_are_clipped_between_characters)
{
    char out[TEXT_CLIP_MAX];
    char text[101];

    memset(text, 'x', 100);
    text[100] = '\0';
    ck_assert_str_eq(text_clip(out, "short"), "short");
    ck_assert_uint_eq(strlen(text_clip(out, text)), TEXT_CLIP_MAX - 1);
    memcpy(text + TEXT_CLIP_MAX - 5, "\xc3\xa4", 2);
    ck_assert_uint_eq(strlen(text_clip(out, text)), TEXT_CLIP_MAX - 2);
}
END_TEST

START_TEST(a_caret_stands_under_its_column)
{
    struct diag_place place = {"x.ini", 3, 10, "\ta = \xc3\xa4\xc3\xb6 \x1b!"};

    diag_error(sample_diag, &place, "a.b: wrong");
    diag_warning(sample_diag, NULL, "no place \x1b[2J");
    sample_expect("x.ini:3:10: a.b: wrong\n"
                  "     a = \xc3\xa4\xc3\xb6 ?!\n"
                  "             ^\n"
                  "warning: no place ?[2J\n");
}
END_TEST

START_TEST(a_long_line_is_shown_around_the_caret)
{
    char line[301];
    struct diag_place place = {"x.ini", 1, 201, line};
    char expected[400] = "x.ini:1:201: wrong\n    ...";

    memset(line, 'a', 300);
    line[300] = '\0';
    line[200] = 'X';
    diag_error(sample_diag, &place, "wrong");
    memset(expected + strlen(expected), 'a', 60);
    strcat(expected, "X");
    memset(expected + strlen(expected), 'a', 39);
    strcat(expected, "...\n       ");
    memset(expected + strlen(expected), ' ', 60);
    strcat(expected, "^\n");
    sample_expect(expected);
}
END_TEST

START_TEST(twenty_errors_are_kept_and_the_rest_counted)
{
    for (unsigned i = 1; i <= DIAG_MAX; i++) {
        diag_error(sample_diag, NULL, "error %u", i);
    }
    ck_assert_ptr_nonnull(strstr(sample_messages(), "error 20\n"));
    ck_assert_ptr_null(strstr(sample_messages(), "more"));
    diag_error(sample_diag, NULL, "error 21");
    ck_assert_ptr_null(strstr(sample_messages(), "error 21"));
    ck_assert_ptr_nonnull(strstr(sample_messages(), "error 20\nand 1 more error\n"));
    diag_warning(sample_diag, NULL, "still shown");
    diag_error(sample_diag, NULL, "error 22");
    ck_assert_ptr_nonnull(strstr(sample_messages(), "warning: still shown\nand 2 more errors\n"));
    ck_assert_uint_eq(diag_errors(sample_diag), 22);
    ck_assert_uint_eq(diag_warnings(sample_diag), 1);
}
END_TEST

Suite *suite_text(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");

    tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
    tcase_add_test(tests, distance_counts_single_mistakes);
    tcase_add_test(tests, distance_gives_up_on_long_names);
    tcase_add_test(tests, the_nearest_name_wins_and_the_first_of_equals);
    tcase_add_test(tests, paths_are_folded_by_text);
    tcase_add_test(tests, columns_are_characters);
    tcase_add_test(tests, long_values_are_clipped_between_characters);
    tcase_add_test(tests, a_caret_stands_under_its_column);
    tcase_add_test(tests, a_long_line_is_shown_around_the_caret);
    tcase_add_test(tests, twenty_errors_are_kept_and_the_rest_counted);
    suite_add_tcase(suite, tests);
    return suite;
}
