/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolved configuration: assignments, precedence, what the structures get, dump and hash.
 */
#include "unit/config/sample.h"

#include <stdlib.h>
#include <string.h>

static bool set(const char *assignment)
{
    return config_set(sample_config, assignment, CONFIG_OPTION, sample_diag);
}

START_TEST(defaults_reach_the_structures)
{
    struct sample whole;

    memset(&whole, 0xff, sizeof whole);
    ck_assert(config_apply(sample_config, &whole, sample_diag));
    ck_assert_uint_eq(whole.before, UINT64_MAX); /* not ours */
    ck_assert_uint_eq(whole.io.kind, SAMPLE_PCIE);
    ck_assert_uint_eq(whole.io.lanes, 4);
    ck_assert_uint_eq(whole.io.propagation, 150000);
    ck_assert_uint_eq(whole.io.overhead, 20000);
    ck_assert_uint_eq(whole.io.payload, 256);
    ck_assert_uint_eq(whole.io.bandwidth, UINT64_C(3000000000));
    ck_assert_uint_eq(whole.io.verify, 1);
    ck_assert_str_eq(whole.io.label, "");
    ck_assert_uint_eq(whole.driver.clock, 1000000000);
    ck_assert_uint_eq(whole.driver.fetch.amount, 45);
    ck_assert(whole.driver.fetch.cycles);
    ck_assert_uint_eq(whole.driver.slots, 32);
}
END_TEST

START_TEST(assignments_reach_the_structures)
{
    struct sample whole;

    ck_assert(set("link.kind=none"));
    ck_assert(set(" link . lanes = 0x10 "));
    ck_assert(set("media.verify=no"));
    ck_assert(set("media.label=a ; b")); /* no comments on the command line */
    ck_assert(set("driver.fetch=0.74 ns"));
    ck_assert(config_apply(sample_config, &whole, sample_diag));
    ck_assert_uint_eq(whole.io.kind, SAMPLE_NONE);
    ck_assert_uint_eq(whole.io.lanes, 16);
    ck_assert_uint_eq(whole.io.verify, 0);
    ck_assert_str_eq(whole.io.label, "a ; b");
    ck_assert_uint_eq(whole.driver.fetch.amount, 740);
    ck_assert(!whole.driver.fetch.cycles);
    ck_assert_str_eq(sample_get("link", "lanes"), "16 ; -s");
}
END_TEST

START_TEST(bad_assignments)
{
    ck_assert(!set("link.lanes"));
    ck_assert(!set("lanes=4"));
    ck_assert(!set(""));
    ck_assert(!set("link.lanes=99"));
    ck_assert(!set("link.lnes=2"));
    ck_assert(!set("lnk.lanes=2"));
    ck_assert(!set("link.propagation= 5 nss"));
    ck_assert(!set("setup.driver=x"));
    sample_expect(
        "-s: 'link.lanes' is no assignment; allowed: section.key=value\n"
        "    link.lanes\n"
        "    ^\n"
        "-s: 'lanes=4' is no assignment; allowed: section.key=value\n"
        "    lanes=4\n"
        "    ^\n"
        "-s: '' is no assignment; allowed: section.key=value\n"
        "    \n"
        "    ^\n"
        "-s: link.lanes: 99 is above the maximum; allowed: 1 to 16\n"
        "    link.lanes=99\n"
        "               ^\n"
        "-s: link.lnes: unknown key; did you mean 'link.lanes'?\n"
        "    link.lnes=2\n"
        "         ^\n"
        "-s: lnk: unknown section; allowed: link, media, driver; did you mean 'link'?\n"
        "    lnk.lanes=2\n"
        "    ^\n"
        "-s: link.propagation: unknown unit 'nss'; allowed: 1 ns to 100 us (ps, ns, us, ms or s); "
        "did you mean 'ns'?\n"
        "    link.propagation= 5 nss\n"
        "                        ^\n"
        "-s: setup: unknown section; allowed: link, media, driver\n"
        "    setup.driver=x\n"
        "    ^\n");
}
END_TEST

START_TEST(after_an_error_nothing_is_applied)
{
    struct sample whole;
    struct sample untouched;

    memset(&whole, 0x5a, sizeof whole);
    memcpy(&untouched, &whole, sizeof whole);
    ck_assert(!set("link.lanes=99"));
    ck_assert(set("link.lanes=8"));
    ck_assert(!config_apply(sample_config, &whole, sample_diag));
    ck_assert_mem_eq(&whole, &untouched, sizeof whole);
    ck_assert_uint_eq(diag_errors(sample_diag), 1);
}
END_TEST

START_TEST(a_wrong_combination_says_where_each_of_its_values_came_from)
{
    ck_assert(set("link.lanes=3"));
    config_combination(
        sample_config,
        "link.lanes = 3: not with driver.slots = 32, nor link.lanes = 5; see x.lanes", sample_diag);
    config_combination(sample_config, "nothing goes together", sample_diag);
    config_combination(sample_config, "link.kind is the only one.", sample_diag);
    sample_expect("-s: link.lanes = 3: not with driver.slots = 32, nor link.lanes = 5; see x.lanes "
                  "(driver.slots: built-in)\n"
                  "nothing goes together\n"
                  "built-in: link.kind is the only one.\n");
}
END_TEST

START_TEST(the_environment_separates_with_semicolons)
{
    unsetenv("DOORBELL_SET");
    ck_assert(config_set_environment(sample_config, sample_diag));
    setenv("DOORBELL_SET", "; link.lanes=8 ;;media.label=\"a;b\\\";c\";driver.slots=9;", 1);
    ck_assert(config_set_environment(sample_config, sample_diag));
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; DOORBELL_SET");
    ck_assert_str_eq(sample_get("media", "label"), "a;b\";c ; DOORBELL_SET");
    ck_assert_str_eq(sample_get("driver", "slots"), "9 ; DOORBELL_SET");
    setenv("DOORBELL_SET", "link.lanes=2;link.lanes=x", 1);
    ck_assert(!config_set_environment(sample_config, sample_diag));
    sample_expect("DOORBELL_SET: link.lanes: 'x' is not a number; allowed: 1 to 16\n"
                  "    link.lanes=x\n"
                  "               ^\n");
    unsetenv("DOORBELL_SET");
}
END_TEST

/* Every level sets lanes to its own number; the calls come in the given order. */
static void set_level(enum config_level level)
{
    switch (level) {
    case CONFIG_BUILT_IN:
        break;
    case CONFIG_PROFILE:
        ck_assert(config_load_profile(sample_config, CONFIG_DRIVE, "p", sample_diag));
        break;
    case CONFIG_FILE:
        ck_assert(config_load_file(sample_config, "f.ini", sample_diag));
        break;
    case CONFIG_ENVIRONMENT:
        ck_assert(config_set(sample_config, "link.lanes=3", level, sample_diag));
        break;
    case CONFIG_OPTION:
        ck_assert(config_set(sample_config, "link.lanes=4", level, sample_diag));
        break;
    }
}

START_TEST(precedence_is_by_level_whatever_the_order)
{
    static const char *const expected[] = {"4 ; built-in", "1 ; drives/p.ini:2", "2 ; f.ini:2",
                                           "3 ; DOORBELL_SET", "4 ; -s"};

    sample_drive("p", "[link]\nlanes = 1\n");
    sample_write("f.ini", "[link]\nlanes = 2\n");
    for (unsigned high = CONFIG_BUILT_IN; high <= CONFIG_OPTION; high++) {
        for (unsigned low = CONFIG_BUILT_IN; low <= high; low++) {
            sample_renew();
            set_level((enum config_level)low);
            set_level((enum config_level)high);
            ck_assert_str_eq(sample_get("link", "lanes"), expected[high]);
            sample_renew();
            set_level((enum config_level)high);
            set_level((enum config_level)low);
            ck_assert_str_eq(sample_get("link", "lanes"), expected[high]);
        }
    }
}
END_TEST

START_TEST(within_a_level_the_last_one_wins)
{
    ck_assert(set("link.lanes=1"));
    ck_assert(set("link.lanes=2"));
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; -s");
    sample_drive("a", "[link]\npayload = 128 B\n");
    sample_drive("b", "[link]\npayload = 1 KiB\n");
    ck_assert(config_load_profile(sample_config, CONFIG_DRIVE, "b", sample_diag));
    ck_assert(config_load_profile(sample_config, CONFIG_DRIVE, "a", sample_diag));
    ck_assert_str_eq(sample_get("link", "payload"), "128 B ; drives/a.ini:2");
}
END_TEST

START_TEST(the_dump_shows_every_value_with_its_origin)
{
    sample_drive("p", "[link]\nlanes = 16\n");
    ck_assert(config_load_profile(sample_config, CONFIG_DRIVE, "p", sample_diag));
    ck_assert(set("media.label=two ; words"));
    ck_assert_str_eq(sample_dump(), "[link]\n"
                                    "kind        = pcie   ; built-in\n"
                                    "lanes       = 16     ; drives/p.ini:2\n"
                                    "propagation = 150 ns ; built-in\n"
                                    "overhead    = 2 %    ; built-in\n"
                                    "payload     = 256 B  ; built-in\n"
                                    "\n"
                                    "[media]\n"
                                    "bandwidth = 3 GB/s        ; built-in\n"
                                    "verify    = yes           ; built-in\n"
                                    "label     = \"two ; words\" ; -s\n"
                                    "\n"
                                    "[driver]\n"
                                    "clock = 1 GHz     ; built-in\n"
                                    "fetch = 45 cycles ; built-in\n"
                                    "slots = 32        ; built-in\n");
}
END_TEST

START_TEST(a_dump_loads_to_the_same_configuration)
{
    char *first;
    uint64_t hash;

    ck_assert(set("link.kind=emulated"));
    ck_assert(set("link.propagation=1500 ps"));
    ck_assert(set("media.label=\" \\\\ ; # \\\" \""));
    ck_assert(set("media.bandwidth=1234567 B/s"));
    ck_assert(set("driver.fetch=1 cycle"));
    sample_write("dump.ini", sample_dump());
    first = strdup(sample_dump_plain());
    hash = config_hash(sample_config);
    sample_renew();
    ck_assert_uint_ne(config_hash(sample_config), hash);
    ck_assert(config_load_file(sample_config, "dump.ini", sample_diag));
    sample_expect("");
    ck_assert_str_eq(sample_dump_plain(), first);
    ck_assert_uint_eq(config_hash(sample_config), hash);
    free(first);
}
END_TEST

START_TEST(the_hash_is_of_values_and_not_of_origins)
{
    uint64_t hash = config_hash(sample_config);

    ck_assert(set("link.propagation=0.15 us")); /* the default, spelled otherwise */
    ck_assert_uint_eq(config_hash(sample_config), hash);
    ck_assert(set("link.propagation=151 ns"));
    ck_assert_uint_ne(config_hash(sample_config), hash);
}
END_TEST

START_TEST(the_hash_is_fnv_1a_of_the_plain_dump)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *c = sample_dump_plain(); *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    ck_assert_uint_eq(config_hash(sample_config), hash);
}
END_TEST

START_TEST(origins_can_be_asked_for)
{
    ck_assert_str_eq(config_origin(sample_config, "link", "lanes"), "built-in");
    ck_assert_ptr_null(config_origin(sample_config, "link", "lane"));
    ck_assert_ptr_null(config_origin(sample_config, "lin", "lanes"));
}
END_TEST

START_TEST(a_bad_default_is_reported_when_applied)
{
    static const struct param_row rows[] = {
        {"a", "b", PARAM_COUNT, 0, "17", "1", "16", NULL, "text"}};
    static const struct param_group groups[] = {{rows, 1, 0}};
    static const struct param_table table = {groups, 1, sizeof(uint64_t)};
    struct config *config = config_create(&table);
    uint64_t whole[PARAM_TEXT_MAX / sizeof(uint64_t)] = {5}; /* room for a value of any kind */

    ck_assert(!config_apply(config, whole, sample_diag));
    sample_expect("built-in: a.b: 17 is above the maximum; allowed: 1 to 16\n");
    ck_assert_uint_eq(whole[0], 5);
    config_destroy(config);
}
END_TEST

Suite *suite_config(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");

    tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
    tcase_add_test(tests, defaults_reach_the_structures);
    tcase_add_test(tests, assignments_reach_the_structures);
    tcase_add_test(tests, bad_assignments);
    tcase_add_test(tests, after_an_error_nothing_is_applied);
    tcase_add_test(tests, a_wrong_combination_says_where_each_of_its_values_came_from);
    tcase_add_test(tests, the_environment_separates_with_semicolons);
    tcase_add_test(tests, precedence_is_by_level_whatever_the_order);
    tcase_add_test(tests, within_a_level_the_last_one_wins);
    tcase_add_test(tests, the_dump_shows_every_value_with_its_origin);
    tcase_add_test(tests, a_dump_loads_to_the_same_configuration);
    tcase_add_test(tests, the_hash_is_of_values_and_not_of_origins);
    tcase_add_test(tests, the_hash_is_fnv_1a_of_the_plain_dump);
    tcase_add_test(tests, origins_can_be_asked_for);
    tcase_add_test(tests, a_bad_default_is_reported_when_applied);
    suite_add_tcase(suite, tests);
    return suite;
}
