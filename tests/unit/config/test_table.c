/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The check of a parameter table, each mistake by itself, and the reference made from it.
 */
#include "unit/config/sample.h"

#include <stdlib.h>
#include <string.h>

#include "config/reference.h"

/* Two good rows in one group, to be spoiled. */
static struct param_row rows[2];
static struct param_group groups[2];
static struct param_table table;

static void good_table(void)
{
    static const struct param_row good[2] = {
        {"a", "one", PARAM_COUNT, 0, "1", "1", "16", NULL, "text"},
        {"a", "two", PARAM_COST, 8, "1 ns", "0 ns|0 cycles", "1 us|10 cycles", NULL, "text"},
    };
    memcpy(rows, good, sizeof rows);
    groups[0] = (struct param_group){rows, 2, 0};
    groups[1] = (struct param_group){rows + 1, 1, 0};
    table = (struct param_table){groups, 1, 24};
}

static void setup_table(void)
{
    sample_setup();
    good_table();
}

static void expect(const char *messages)
{
    ck_assert(config_table_check(&table, CONFIG_SECTIONS_IN_ONE_GROUP, sample_diag) ==
              (messages[0] == '\0'));
    sample_expect(messages);
    sample_renew();
    good_table();
}

START_TEST(the_sample_table_is_good)
{
    ck_assert(config_table_check(&sample_table, CONFIG_SECTIONS_IN_ONE_GROUP, sample_diag));
    sample_expect("");
    expect("");
}
END_TEST

START_TEST(a_parameter_declared_twice)
{
    rows[1].name = "one";
    expect("a.one: declared twice\n");
}
END_TEST

START_TEST(a_section_in_two_groups)
{
    groups[0].count = 1;
    table.count = 2;
    ck_assert(config_table_check(&table, CONFIG_SECTIONS_ACROSS_GROUPS, sample_diag));
    expect("a.two: another group has declared this section already\n");
    groups[0].count = 1;
    table.count = 2;
    rows[1].name = "one";
    ck_assert(!config_table_check(&table, CONFIG_SECTIONS_ACROSS_GROUPS, sample_diag));
    sample_expect("a.one: declared twice\n");
}
END_TEST

START_TEST(defaults_outside_their_limits)
{
    rows[0].default_text = "17";
    expect("a.one: its default: 17 is above the maximum; allowed: 1 to 16\n");
    rows[0].default_text = "one";
    expect("a.one: its default: 'one' is not a number; allowed: 1 to 16\n");
    rows[0].default_text = NULL;
    expect("a.one: has no default\n");
    rows[1].default_text = "11 cycles";
    expect("a.two: its default: 11 cycles is above the maximum; allowed: 0 s to 1 us or 0 cycles "
           "to 10 cycles (ps, ns, us, ms, s or cycles)\n");
}
END_TEST

START_TEST(limits_that_make_no_sense)
{
    rows[0].min_text = "17";
    expect("a.one: its minimum is above its maximum\n");
    rows[0].max_text = NULL;
    expect("a.one: has no maximum\n");
    rows[0].min_text = "1 B";
    expect("a.one: its minimum: '1 B' is not a bare number\n");
    rows[1].max_text = "1 us|2 us";
    expect("a.two: its maximum is given twice\n");
}
END_TEST

START_TEST(choices_that_make_no_sense)
{
    rows[0] = (struct param_row){"a", "one", PARAM_ENUM, 0, "x", NULL, NULL, "x|y|x", "text"};
    expect("a.one: the choice 'x' is given twice\n");
    rows[0] = (struct param_row){"a", "one", PARAM_ENUM, 0, "x", NULL, NULL, "x|", "text"};
    expect("a.one: the choice '' is not a name\n");
    rows[0] = (struct param_row){"a", "one", PARAM_ENUM, 0, "x", NULL, NULL, "x|Y z", "text"};
    expect("a.one: the choice 'Y z' is not a name\n");
    rows[0] = (struct param_row){"a", "one", PARAM_ENUM, 0, "1.4", NULL, NULL, "1.3|1.4", "text"};
    expect("");
    rows[0] = (struct param_row){"a", "one", PARAM_ENUM, 0, "x", NULL, NULL, NULL, "text"};
    expect("a.one: has no choices\n");
    rows[0] = (struct param_row){"a", "one", PARAM_ENUM, 0, "z", NULL, NULL, "x|y", "text"};
    expect("a.one: its default: unknown choice 'z'; allowed: x or y\n");
}
END_TEST

START_TEST(names_and_texts)
{
    rows[0].name = "o ne";
    expect("a.o ne: not a name that a profile can spell, or one that is reserved\n");
    rows[0].name = NULL;
    expect("a.?: not a name that a profile can spell, or one that is reserved\n");
    rows[0].section = "setup";
    expect("setup.one: not a name that a profile can spell, or one that is reserved\n");
    rows[0].text = "";
    expect("a.one: has no text of one line\n");
    rows[0].text = "two\nlines";
    expect("a.one: has no text of one line\n");
}
END_TEST

START_TEST(fields_outside_the_whole_or_on_each_other)
{
    table.total = 23;
    expect("a.two: its field lies outside the whole\n");
    groups[0].base = SIZE_MAX;
    rows[0].offset = 2; /* would wrap */
    groups[0].count = 1;
    expect("a.one: its field lies outside the whole\n");
    rows[1].offset = 7;
    expect("a.two: its field lies on that of a.one\n");
}
END_TEST

static char *print(bool markdown, const char *section, bool *found)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (markdown) {
        reference_print_markdown(&sample_table, file);
    } else {
        *found = reference_print_text(&sample_table, section, file);
    }
    fclose(file);
    return text;
}

START_TEST(the_reference_as_text)
{
    bool found;
    char *text = print(false, "driver", &found);

    ck_assert(found);
    ck_assert_str_eq(text, "[driver]\n"
                           "  clock = 1 GHz\n"
                           "      of the CPU\n"
                           "      allowed: 1 MHz to 10 GHz (Hz, kHz, MHz or GHz)\n"
                           "  fetch = 45 cycles\n"
                           "      time or | cycles\n"
                           "      allowed: 0 s to 100 us or 0 cycles to 20000 cycles (ps, ns, us, "
                           "ms, s or cycles)\n"
                           "  slots = 0x20\n"
                           "      commands in flight\n"
                           "      allowed: 1 to 0xffff\n");
    free(text);
    text = print(false, "drive", &found);
    ck_assert(!found);
    ck_assert_str_eq(text, "");
    free(text);
    text = print(false, NULL, &found);
    ck_assert(found);
    ck_assert_ptr_nonnull(strstr(text, "[link]\n  kind = pcie\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n\n[media]\n"));
    ck_assert_ptr_nonnull(strstr(text, "  label = \"\"\n      what it is called\n"
                                       "      allowed: up to 511 bytes of printable text\n"));
    free(text);
}
END_TEST

START_TEST(the_reference_as_markdown)
{
    bool found;
    char *text = print(true, NULL, &found);

    ck_assert_ptr_nonnull(strstr(text, "| time | ps, ns, us, ms or s |\n"));
    ck_assert_ptr_nonnull(strstr(text, "## [driver]\n\n"
                                       "| Key | Kind | Default | Limits | Meaning |\n"
                                       "|---|---|---|---|---|\n"
                                       "| `clock` | frequency | 1 GHz | 1 MHz to 10 GHz | of the "
                                       "CPU |\n"));
    ck_assert_ptr_nonnull(strstr(text, "| time or \\| cycles |\n"));
    ck_assert_ptr_nonnull(strstr(text, "| `label` | text | (empty) |  | what it is called |\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "| `kind` | choice | pcie | pcie, emulated or none | what the link is |\n"));
    free(text);
}
END_TEST

Suite *suite_table(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");

    tcase_add_checked_fixture(tests, setup_table, sample_teardown);
    tcase_add_test(tests, the_sample_table_is_good);
    tcase_add_test(tests, a_parameter_declared_twice);
    tcase_add_test(tests, a_section_in_two_groups);
    tcase_add_test(tests, defaults_outside_their_limits);
    tcase_add_test(tests, limits_that_make_no_sense);
    tcase_add_test(tests, choices_that_make_no_sense);
    tcase_add_test(tests, names_and_texts);
    tcase_add_test(tests, fields_outside_the_whole_or_on_each_other);
    tcase_add_test(tests, the_reference_as_text);
    tcase_add_test(tests, the_reference_as_markdown);
    suite_add_tcase(suite, tests);
    return suite;
}
