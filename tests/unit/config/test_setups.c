/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Setups: a whole machine by one name, with a driver, drive and host of its own or of the caller's
 * choice.
 */
#include "unit/config/sample.h"

#include <string.h>

static void write_machine(void)
{
    sample_drive("d1", "[media]\nlabel = d1\nverify = no\n");
    sample_drive("d2", "[media]\nlabel = d2\n");
    sample_write("profiles/hosts/h1.ini", "[link]\nlanes = 1\npayload = 512 B\n");
    sample_write("profiles/drivers/v1.ini", "[driver]\nslots = 1\n");
    sample_write("profiles/drivers/v2.ini", "[driver]\nslots = 2\n");
    sample_write("profiles/setups/s.ini", "; a machine\n"
                                          "[setup]\n"
                                          "driver = v1 ; published\n"
                                          "drive = d1\n"
                                          "host = h1\n"
                                          "[link]\n"
                                          "lanes = 2\n");
}

START_TEST(a_setup_loads_its_members_and_then_its_own_values)
{
    write_machine();
    ck_assert(config_load_setup(sample_config, "s", NULL, sample_diag));
    sample_expect("");
    ck_assert_str_eq(sample_get("driver", "slots"), "1 ; drivers/v1.ini:2");
    ck_assert_str_eq(sample_get("media", "label"), "d1 ; drives/d1.ini:2");
    ck_assert_str_eq(sample_get("link", "payload"), "512 B ; hosts/h1.ini:3");
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; setups/s.ini:7");
    ck_assert_str_eq(config_member(sample_config, CONFIG_DRIVER), "v1");
    ck_assert_str_eq(config_member(sample_config, CONFIG_SETUP), "s");
    ck_assert_str_eq(config_setup_member(sample_config, "driver"), "v1");
    ck_assert_str_eq(config_setup_member(sample_config, "drive"), "d1");
    ck_assert_str_eq(config_setup_member(sample_config, "host"), "h1");
    ck_assert_ptr_null(config_setup_member(sample_config, "setup"));
    ck_assert_ptr_null(config_setup_member(sample_config, "colour"));
}
END_TEST

START_TEST(a_choice_replaces_a_member)
{
    struct config_choice choice = {"v2", "d2", NULL};

    write_machine();
    ck_assert(config_load_setup(sample_config, "s", &choice, sample_diag));
    ck_assert_str_eq(sample_get("driver", "slots"), "2 ; drivers/v2.ini:2");
    ck_assert_str_eq(sample_get("media", "label"), "d2 ; drives/d2.ini:2");
    /* d1 has not been read at all */
    ck_assert_str_eq(sample_get("media", "verify"), "yes ; built-in");
    ck_assert_str_eq(config_setup_member(sample_config, "driver"), "v2");
    ck_assert_str_eq(config_setup_member(sample_config, "host"), "h1");
}
END_TEST

START_TEST(a_choice_may_be_a_path)
{
    struct config_choice choice = {NULL, "my/drive.ini", NULL};

    write_machine();
    sample_write("my/drive.ini", "[media]\nlabel = mine\n");
    ck_assert(config_load_setup(sample_config, "s", &choice, sample_diag));
    ck_assert_str_eq(sample_get("media", "label"), "mine ; my/drive.ini:2");
}
END_TEST

START_TEST(a_choice_needs_no_setup)
{
    struct config_choice choice = {"v2", NULL, NULL};

    write_machine();
    ck_assert(config_load_setup(sample_config, NULL, &choice, sample_diag));
    ck_assert_str_eq(sample_get("driver", "slots"), "2 ; drivers/v2.ini:2");
    ck_assert_str_eq(sample_get("link", "lanes"), "4 ; built-in");
    ck_assert_ptr_null(config_setup_member(sample_config, "drive"));
    ck_assert_ptr_null(config_member(sample_config, CONFIG_SETUP));
}
END_TEST

START_TEST(a_setup_can_extend_another)
{
    write_machine();
    sample_write("profiles/setups/t.ini",
                 "extends = s\n[setup]\ndriver = v2\n[link]\nkind = none\n");
    ck_assert(config_load_setup(sample_config, "t", NULL, sample_diag));
    ck_assert_str_eq(config_setup_member(sample_config, "driver"), "v2");
    ck_assert_str_eq(config_setup_member(sample_config, "drive"), "d1");
    ck_assert_str_eq(sample_get("driver", "slots"), "2 ; drivers/v2.ini:2");
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; setups/s.ini:7");
    ck_assert_str_eq(sample_get("link", "kind"), "none ; setups/t.ini:5");
}
END_TEST

START_TEST(mistakes_in_a_setup_are_reported_once)
{
    struct sample whole;

    write_machine();
    sample_write("profiles/setups/bad.ini", "[setup]\n"
                                            "drver = v1\n"
                                            "drive = ../d1.ini\n"
                                            "host = h2\n"
                                            "[link]\n"
                                            "lanes = 99\n"
                                            "nonsense\n");
    ck_assert(!config_load_setup(sample_config, "bad", NULL, sample_diag));
    sample_expect("profiles/setups/bad.ini:7:1: expected 'key = value', '[section]' or a comment\n"
                  "    nonsense\n"
                  "    ^\n"
                  "profiles/setups/bad.ini:2:1: setup.drver: unknown key; allowed: driver, drive, "
                  "host; did you mean 'setup.driver'?\n"
                  "    drver = v1\n"
                  "    ^\n"
                  "profiles/setups/bad.ini:3:9: setup.drive: '../d1.ini' is not a name; allowed: "
                  "the name of a drive profile\n"
                  "    drive = ../d1.ini\n"
                  "            ^\n"
                  "host: unknown profile 'h2'; did you mean 'h1'?\n"
                  "profiles/setups/bad.ini:6:9: link.lanes: 99 is above the maximum; allowed: "
                  "1 to 16\n"
                  "    lanes = 99\n"
                  "            ^\n");
    ck_assert(!config_apply(sample_config, &whole, sample_diag));
}
END_TEST

START_TEST(an_unknown_setup_is_one_error)
{
    write_machine();
    ck_assert(!config_load_setup(sample_config, "ss", NULL, sample_diag));
    sample_expect("setup: unknown profile 'ss'; did you mean 's'?\n");
}
END_TEST

START_TEST(a_setup_may_set_what_its_members_may_not)
{
    static const char *const drive_sections[] = {"media", NULL};
    static const char *const driver_sections[] = {"driver", NULL};
    static const char *const host_sections[] = {"link", NULL};

    write_machine();
    config_allow(sample_config, CONFIG_DRIVE, drive_sections);
    config_allow(sample_config, CONFIG_DRIVER, driver_sections);
    config_allow(sample_config, CONFIG_HOST, host_sections);
    ck_assert(config_load_setup(sample_config, "s", NULL, sample_diag));
    sample_expect("");
}
END_TEST

Suite *suite_setups(void)
{
    Suite *suite = suite_create("setups");
    TCase *tests = tcase_create("setups");

    tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
    tcase_add_test(tests, a_setup_loads_its_members_and_then_its_own_values);
    tcase_add_test(tests, a_choice_replaces_a_member);
    tcase_add_test(tests, a_choice_may_be_a_path);
    tcase_add_test(tests, a_choice_needs_no_setup);
    tcase_add_test(tests, a_setup_can_extend_another);
    tcase_add_test(tests, mistakes_in_a_setup_are_reported_once);
    tcase_add_test(tests, an_unknown_setup_is_one_error);
    tcase_add_test(tests, a_setup_may_set_what_its_members_may_not);
    suite_add_tcase(suite, tests);
    return suite;
}
