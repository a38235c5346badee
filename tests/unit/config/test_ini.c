/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The INI dialect, read as a user's file: what is accepted, and the exact place and text of what is
 * not.
 */
#include "unit/config/sample.h"

#include <string.h>

static bool load(const char *text)
{
    sample_write("x.ini", text);
    return config_load_file(sample_config, "x.ini", sample_diag);
}

START_TEST(sections_keys_and_comments)
{
    ck_assert(load("; a comment: Gr\xc3\xbc\xc3\x9f"
                   "e\n"
                   "# another [link]\n"
                   "\n"
                   "  [ link ]  ; behind a section\n"
                   "lanes=2\n"
                   "\tpropagation =  1.5 us\t; behind a value\n"
                   "overhead = 1 % # also this\n"
                   "[media]#directly\n"
                   "label = x\n"));
    sample_expect("");
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; x.ini:5");
    ck_assert_str_eq(sample_get("link", "propagation"), "1.5 us ; x.ini:6");
    ck_assert_str_eq(sample_get("link", "overhead"), "1 % ; x.ini:7");
    ck_assert_str_eq(sample_get("media", "label"), "x ; x.ini:9");
}
END_TEST

START_TEST(values_end_where_comments_begin)
{
    ck_assert(load("[media]\nlabel = a;b#c # d ; e\n[link]\nlanes = 2 ;3\n"));
    ck_assert_str_eq(sample_get("media", "label"), "a;b#c ; x.ini:2");
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; x.ini:4");
    ck_assert(load("[media]\nlabel = ; nothing\n"));
    ck_assert_str_eq(sample_get("media", "label"), " ; x.ini:2");
    ck_assert(load("[media]\nlabel =;x\n"));
    ck_assert_str_eq(sample_get("media", "label"), "\";x\" ; x.ini:2");
    ck_assert(load("[media]\nlabel = \"a ; b\" ; c\n"));
    ck_assert_str_eq(sample_get("media", "label"), "\"a ; b\" ; x.ini:2");
    ck_assert(load("[media]\nlabel = a = b\n"));
    ck_assert_str_eq(sample_get("media", "label"), "a = b ; x.ini:2");
    ck_assert(load("[media]\nlabel =\n"));
    ck_assert_str_eq(sample_get("media", "label"), " ; x.ini:2");
    sample_expect("");
}
END_TEST

START_TEST(line_ends_may_be_of_any_kind)
{
    ck_assert(load("\xef\xbb\xbf[link]\r\nlanes = 2\r\n; x\r\n[media]\r\nlabel = z"));
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; x.ini:2");
    ck_assert_str_eq(sample_get("media", "label"), "z ; x.ini:5");
    ck_assert(load(""));
    ck_assert(load("\n\r\n\n"));
    sample_expect("");
}
END_TEST

START_TEST(a_section_can_be_opened_again)
{
    ck_assert(load("[link]\nlanes = 2\n[media]\nverify = no\n[link]\nkind = none\n"));
    ck_assert_str_eq(sample_get("link", "kind"), "none ; x.ini:6");
    sample_expect("");
}
END_TEST

START_TEST(lines_that_are_nothing)
{
    ck_assert(!load("[link]\nlanes 2\n  = 3\nla nes = 4\n"));
    sample_expect("x.ini:2:1: expected 'key = value', '[section]' or a comment\n"
                  "    lanes 2\n"
                  "    ^\n"
                  "x.ini:3:3: expected 'key = value', '[section]' or a comment\n"
                  "      = 3\n"
                  "      ^\n"
                  "x.ini:4:1: expected 'key = value', '[section]' or a comment\n"
                  "    la nes = 4\n"
                  "    ^\n");
}
END_TEST

START_TEST(headers_that_are_wrong)
{
    /* Keys below a broken header belong to nobody: they add no errors of their own. */
    ck_assert(!load("[link\nlanes = 2\n[]\nx = 1\n[li nk]\n[link] lanes = 2\n"));
    sample_expect("x.ini:1:6: the section's name has no closing ']'\n"
                  "    [link\n"
                  "         ^\n"
                  "x.ini:3:2: expected the name of a section: letters, digits, '_', '-' and '.'\n"
                  "    []\n"
                  "     ^\n"
                  "x.ini:5:2: expected the name of a section: letters, digits, '_', '-' and '.'\n"
                  "    [li nk]\n"
                  "     ^\n"
                  "x.ini:6:8: something follows the section's ']'\n"
                  "    [link] lanes = 2\n"
                  "           ^\n");
    ck_assert_str_eq(sample_get("link", "lanes"), "4 ; built-in");
}
END_TEST

START_TEST(unknown_sections_get_a_suggestion)
{
    ck_assert(!load("[lnik]\nlanes = 2\n\n[usb]\nspeed = 3\n"));
    sample_expect("x.ini:1:2: lnik: unknown section; allowed: link, media, driver; "
                  "did you mean 'link'?\n"
                  "    [lnik]\n"
                  "     ^\n"
                  "x.ini:4:2: usb: unknown section; allowed: link, media, driver\n"
                  "    [usb]\n"
                  "     ^\n");
}
END_TEST

START_TEST(unknown_keys_get_a_suggestion)
{
    ck_assert(!load("[link]\n  lane = 2\nbandwidth = 3 GB/s\ncolour = red\n"));
    sample_expect("x.ini:2:3: link.lane: unknown key; did you mean 'link.lanes'?\n"
                  "      lane = 2\n"
                  "      ^\n"
                  "x.ini:3:1: link.bandwidth: unknown key; did you mean 'media.bandwidth'?\n"
                  "    bandwidth = 3 GB/s\n"
                  "    ^\n"
                  "x.ini:4:1: link.colour: unknown key; see 'doorbell list parameters'\n"
                  "    colour = red\n"
                  "    ^\n");
}
END_TEST

START_TEST(bad_values_are_shown_where_they_are_bad)
{
    ck_assert(!load("[link]\nlanes = 17\npropagation = 5 nss ; slow\noverhead =\n"));
    sample_expect("x.ini:2:9: link.lanes: 17 is above the maximum; allowed: 1 to 16\n"
                  "    lanes = 17\n"
                  "            ^\n"
                  "x.ini:3:17: link.propagation: unknown unit 'nss'; allowed: 1 ns to 100 us "
                  "(ps, ns, us, ms or s); did you mean 'ns'?\n"
                  "    propagation = 5 nss ; slow\n"
                  "                    ^\n"
                  "x.ini:4:11: link.overhead: no value; allowed: 0 % to 50 % (%)\n"
                  "    overhead =\n"
                  "              ^\n");
}
END_TEST

START_TEST(a_missing_unit_names_the_units)
{
    ck_assert(!load("[link]\npropagation = 150\n"));
    sample_expect("x.ini:2:15: link.propagation: '150' has no unit; allowed: 1 ns to 100 us "
                  "(ps, ns, us, ms or s)\n"
                  "    propagation = 150\n"
                  "                  ^\n");
}
END_TEST

START_TEST(columns_count_characters_not_bytes)
{
    ck_assert(!load("[media]\nlabel = \"\xc3\xa4\xc3\xb6\" x\n"));
    sample_expect(
        "x.ini:2:13: media.label: something follows the closing quote; allowed: up to 511 "
        "bytes of printable text\n"
        "    label = \"\xc3\xa4\xc3\xb6\" x\n"
        "                ^\n");
}
END_TEST

START_TEST(a_key_given_twice_is_a_warning)
{
    ck_assert(load("[link]\nlanes = 2\n[media]\n[link]\nlanes = 8\n"));
    sample_expect("x.ini:5:1: warning: link.lanes: given twice in this file, first in x.ini:2; "
                  "the last one counts\n"
                  "    lanes = 8\n"
                  "    ^\n");
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; x.ini:5");
}
END_TEST

START_TEST(keys_before_the_first_section)
{
    ck_assert(!load("lanes = 2\nextend = y\n[link]\nextends = y\n"));
    sample_expect(
        "x.ini:1:1: lanes: stands before the first section; allowed there: extends, include\n"
        "    lanes = 2\n"
        "    ^\n"
        "x.ini:2:1: extend: stands before the first section; allowed there: extends, include; "
        "did you mean 'extends'?\n"
        "    extend = y\n"
        "    ^\n"
        "x.ini:4:1: link.extends: unknown key; see 'doorbell list parameters'\n"
        "    extends = y\n"
        "    ^\n");
}
END_TEST

START_TEST(a_nul_byte_ends_the_reading)
{
    static const char bytes[] = "[link]\nla\0nes = 2\nnonsense\n";

    sample_write_bytes("x.ini", bytes, sizeof bytes - 1);
    ck_assert(!config_load_file(sample_config, "x.ini", sample_diag));
    sample_expect("x.ini:2:3: a NUL byte: this is not a text file\n"
                  "    la\n"
                  "      ^\n");
}
END_TEST

/* A file of one comment line of `length` bytes and a good section. */
static bool load_long(size_t length)
{
    static char text[5000];

    memset(text, 'x', length);
    text[0] = ';';
    strcpy(text + length, "\n[link]\nlanes = 2\n");
    return load(text);
}

START_TEST(a_line_of_4096_bytes_is_the_longest)
{
    ck_assert(load_long(4096));
    sample_expect("");
    ck_assert(!load_long(4097));
    ck_assert_ptr_nonnull(
        strstr(sample_messages(), "x.ini:1:4097: the line is longer than 4096 bytes\n"));
    ck_assert_uint_eq(diag_errors(sample_diag), 1);
    /* the lines behind it are read all the same */
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; x.ini:3");
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    ck_assert(!config_load_file(sample_config, "nowhere.ini", sample_diag));
    sample_expect("configuration: cannot open 'nowhere.ini': No such file or directory\n");
    sample_renew();
    sample_write("directory.ini/x", "");
    ck_assert(!config_load_file(sample_config, "directory.ini", sample_diag));
    sample_expect("configuration: cannot read 'directory.ini': Is a directory\n");
}
END_TEST

START_TEST(a_file_of_one_mebibyte_is_the_longest)
{
    static char text[(1u << 20) + 1];

    memset(text, '\n', sizeof text);
    sample_write_bytes("x.ini", text, sizeof text - 1);
    ck_assert(config_load_file(sample_config, "x.ini", sample_diag));
    sample_write_bytes("x.ini", text, sizeof text);
    ck_assert(!config_load_file(sample_config, "x.ini", sample_diag));
    sample_expect("configuration: 'x.ini' is longer than 1 MiB\n");
}
END_TEST

START_TEST(all_mistakes_are_found_in_one_reading)
{
    ck_assert(!load("[link]\nlanes = x\n[lin]\n[media]\nbroken\nlabel = good\nverify = maybe\n"));
    ck_assert_uint_eq(diag_errors(sample_diag), 4);
    ck_assert_str_eq(sample_get("media", "label"), "good ; x.ini:6");
}
END_TEST

Suite *suite_ini(void)
{
    Suite *suite = suite_create("ini");
    TCase *tests = tcase_create("ini");

    tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
    tcase_add_test(tests, sections_keys_and_comments);
    tcase_add_test(tests, values_end_where_comments_begin);
    tcase_add_test(tests, line_ends_may_be_of_any_kind);
    tcase_add_test(tests, a_section_can_be_opened_again);
    tcase_add_test(tests, lines_that_are_nothing);
    tcase_add_test(tests, headers_that_are_wrong);
    tcase_add_test(tests, unknown_sections_get_a_suggestion);
    tcase_add_test(tests, unknown_keys_get_a_suggestion);
    tcase_add_test(tests, bad_values_are_shown_where_they_are_bad);
    tcase_add_test(tests, a_missing_unit_names_the_units);
    tcase_add_test(tests, columns_count_characters_not_bytes);
    tcase_add_test(tests, a_key_given_twice_is_a_warning);
    tcase_add_test(tests, keys_before_the_first_section);
    tcase_add_test(tests, a_nul_byte_ends_the_reading);
    tcase_add_test(tests, a_line_of_4096_bytes_is_the_longest);
    tcase_add_test(tests, files_that_cannot_be_read);
    tcase_add_test(tests, a_file_of_one_mebibyte_is_the_longest);
    tcase_add_test(tests, all_mistakes_are_found_in_one_reading);
    suite_add_tcase(suite, tests);
    return suite;
}
