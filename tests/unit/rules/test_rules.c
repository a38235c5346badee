/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checker itself: modes, suppressions, the text of a violation, and that a host which does as
 * it should is left alone. The rules have tests of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

static struct rig rig;

static void open_rig(void)
{
    rig_open(&rig);
}

static void close_rig(void)
{
    rig_close(&rig);
}

START_TEST(a_host_that_keeps_the_rules_hears_nothing)
{
    rig_start(&rig);
    rig_io(&rig);
    for (uint16_t i = 0; i < 3 * RIG_DEPTH; i++) /* both rings wrap several times */
        rig_command(&rig, 1, NVM_OP_READ, i, 1, RIG_DATA, 0, i, 0, 0);
    rules_conclude(rig.rules);
    rig_expect_none(&rig);
    ck_assert_str_eq(rig_verdict(&rig)->text, "");
}
END_TEST

START_TEST(report_counts_every_violation_and_tells_the_first)
{
    rig.setup.again = "doorbell bench this";
    rig.setup.seed = 42;
    rig_start(&rig);
    rig_io(&rig);
    for (uint16_t i = 0; i < 2; i++) { /* no publish */
        rig_build(&rig, 1, NVM_OP_READ, i, 1, RIG_DATA + i * 4096u, 0);
        rig_ring(&rig, 1);
    }
    rig_expect(&rig, RULE_S9, 2);
    ck_assert_uint_eq(rig.tripped, 0);
    const char *text = rig_verdict(&rig)->text;
    ck_assert_ptr_nonnull(strstr(text, "rule S9 (fence before the doorbell), ordering: at "));
    ck_assert_ptr_nonnull(strstr(text, ", CPU 0, queue 1, CID 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "observed: slot 0 handed over with no fence"));
    ck_assert_ptr_nonnull(strstr(text, "\n  seed 42, again: doorbell bench this"));
}
END_TEST

START_TEST(fatal_ends_with_the_first_violation)
{
    rig.setup.mode = RULES_FATAL;
    rig_start(&rig);
    rig_io(&rig);
    rig_build(&rig, 1, NVM_OP_READ, 0, 1, RIG_DATA, 0);
    rig_ring(&rig, 1);
    rig_build(&rig, 1, NVM_OP_READ, 1, 1, RIG_DATA, 0);
    rig_ring(&rig, 1);
    rig_write(&rig, SPEC_DOORBELLS + 8, 99);
    rig_expect(&rig, RULE_S9, 1);
    ck_assert_uint_eq(rig.tripped, 1);
    ck_assert_uint_eq(rig.stream.wanted, 0); /* and listens no more */
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(a_suppressed_rule_is_counted_apart_with_its_reason)
{
    char why[RULES_TEXT_MAX];
    write_file("suppress.txt", "# known\n\n  s9\tthis bus orders stores \n");
    struct rules_suppressions *suppressions = rules_suppressions_read("suppress.txt", why);
    unlink("suppress.txt");
    ck_assert_ptr_nonnull(suppressions);
    ck_assert_str_eq(rules_suppressed(suppressions, RULE_S9), "this bus orders stores");
    ck_assert_ptr_null(rules_suppressed(suppressions, RULE_S1));
    rig.setup.mode = RULES_FATAL;
    rig.setup.suppress = suppressions;
    rig_start(&rig);
    rig_io(&rig);
    rig_build(&rig, 1, NVM_OP_READ, 0, 1, RIG_DATA, 0);
    rig_ring(&rig, 1);
    rig_expect_none(&rig);
    ck_assert_uint_eq(rig_verdict(&rig)->suppressed, 1);
    rules_suppressions_free(suppressions);
}
END_TEST

START_TEST(a_bad_suppression_is_refused_with_its_line)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"S9 fine\nX1 because\n", "suppress.txt:2: 'X1' is no rule"},
        {"S9\n", "suppress.txt:1: 'S9' is suppressed without a reason"},
        {"S9   \n", "suppress.txt:1: 'S9' is suppressed without a reason"},
        {"S9 one\nS9 two\n", "suppress.txt:2: 'S9' is suppressed twice"},
    };
    char why[RULES_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file("suppress.txt", cases[i].text);
        ck_assert_ptr_null(rules_suppressions_read("suppress.txt", why));
        ck_assert_msg(strncmp(why, cases[i].why, strlen(cases[i].why)) == 0, "%s", why);
    }
    unlink("suppress.txt");
    ck_assert_ptr_null(rules_suppressions_read("suppress.txt", why));
    ck_assert_ptr_nonnull(strstr(why, "suppress.txt: cannot be read"));
}
END_TEST

START_TEST(every_rule_says_what_it_is)
{
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_get((enum rule_id)i);
        ck_assert_uint_eq(rule_find(rule->id), i);
        ck_assert_uint_gt(strlen(rule->name), 4);
        ck_assert_uint_le(strlen(rule->name), 42); /* the column of `doorbell list rules` */
        ck_assert_uint_gt(strlen(rule->section), 2);
        ck_assert_msg(strlen(rule->text) > 80, "%s explains too little", rule->id);
        ck_assert_msg(strlen(rule->fix) > 40, "%s helps too little", rule->id);
    }
    ck_assert_uint_eq(rule_find("S99"), RULE_COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rules");
    TCase *tests = tcase_create("rules");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, a_host_that_keeps_the_rules_hears_nothing);
    tcase_add_test(tests, report_counts_every_violation_and_tells_the_first);
    tcase_add_test(tests, fatal_ends_with_the_first_violation);
    tcase_add_test(tests, a_suppressed_rule_is_counted_apart_with_its_reason);
    tcase_add_test(tests, a_bad_suppression_is_refused_with_its_line);
    tcase_add_test(tests, every_rule_says_what_it_is);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_add_suite(runner, suite_submit());
    srunner_add_suite(runner, suite_command());
    srunner_add_suite(runner, suite_request());
    srunner_add_suite(runner, suite_data());
    srunner_add_suite(runner, suite_lists());
    srunner_add_suite(runner, suite_cache());
    srunner_add_suite(runner, suite_complete());
    srunner_add_suite(runner, suite_shadow());
    srunner_add_suite(runner, suite_registers());
    srunner_add_suite(runner, suite_queues());
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
