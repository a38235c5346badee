/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles: where they are found, what they may say, and how extends and include put them together.
 */
#include "unit/config/sample.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool load_drive(const char *name)
{
    return config_load_profile(sample_config, CONFIG_DRIVE, name, sample_diag);
}

START_TEST(a_profile_is_found_by_name)
{
    sample_drive("fast", "[link]\nlanes = 8\n");
    ck_assert(load_drive("fast"));
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; drives/fast.ini:2");
    sample_expect("");
}
END_TEST

START_TEST(a_profile_is_found_by_path)
{
    sample_write("mine.ini", "[link]\nlanes = 8\n");
    sample_write("dir/odd.txt", "[link]\nlanes = 2\n");
    ck_assert(load_drive("mine.ini"));
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; mine.ini:2");
    ck_assert(load_drive("dir/odd.txt"));
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; dir/odd.txt:2");
}
END_TEST

START_TEST(the_first_directory_that_has_it_wins)
{
    config_add_directory(sample_config, "second");
    sample_drive("a", "[link]\nlanes = 8\n");
    sample_write("second/drives/a.ini", "[link]\nlanes = 2\n");
    sample_write("second/drives/b.ini", "[link]\nlanes = 1\n");
    ck_assert(load_drive("a"));
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; drives/a.ini:2");
    ck_assert(load_drive("b"));
    ck_assert_str_eq(sample_get("link", "lanes"), "1 ; drives/b.ini:2");
}
END_TEST

START_TEST(an_unknown_profile_gets_a_suggestion)
{
    ck_assert(!load_drive("qemu"));
    sample_expect("drive: unknown profile 'qemu'; there is no drives/*.ini in the search path\n");
    sample_renew();
    sample_drive("qemu-nvme", "");
    sample_drive("p5800x", "");
    ck_assert(!load_drive("qemu-nvm"));
    ck_assert(!load_drive("zzz"));
    ck_assert(!load_drive(""));
    sample_expect("drive: unknown profile 'qemu-nvm'; did you mean 'qemu-nvme'?\n"
                  "drive: unknown profile 'zzz'; allowed: p5800x, qemu-nvme\n"
                  "drive: unknown profile ''; allowed: p5800x, qemu-nvme\n");
}
END_TEST

START_TEST(an_unreadable_profile_says_so)
{
    sample_write("profiles/drives/a.ini/x", "");
    ck_assert(!load_drive("a"));
    ck_assert(!load_drive("./gone.ini"));
    sample_expect("drive: cannot read 'profiles/drives/a.ini': Is a directory\n"
                  "drive: cannot open './gone.ini': No such file or directory\n");
}
END_TEST

START_TEST(a_kind_may_set_only_its_own_sections)
{
    static const char *const sections[] = {"link", "media", NULL};

    config_allow(sample_config, CONFIG_DRIVE, sections);
    sample_drive("a", "[link]\nlanes = 8\n[driver]\nslots = x\n[setup]\ndriver = x\n[medai]\n");
    ck_assert(!load_drive("a"));
    sample_expect("profiles/drives/a.ini:3:2: driver: not a section of a drive profile; "
                  "allowed: link, media\n"
                  "    [driver]\n"
                  "     ^\n"
                  "profiles/drives/a.ini:5:2: setup: only a setup profile has this section; "
                  "allowed: link, media\n"
                  "    [setup]\n"
                  "     ^\n"
                  "profiles/drives/a.ini:7:2: medai: unknown section; allowed: link, media; "
                  "did you mean 'media'?\n"
                  "    [medai]\n"
                  "     ^\n");
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; drives/a.ini:2");
    ck_assert_str_eq(sample_get("driver", "slots"), "32 ; built-in");
}
END_TEST

START_TEST(extends_starts_from_another_profile)
{
    sample_drive("base", "[link]\nlanes = 8\npayload = 512 B\n");
    sample_drive("middle", "extends = base\n[link]\nlanes = 2\n");
    sample_drive("top", "extends = middle ; and so on\n[link]\npropagation = 2 ns\n");
    ck_assert(load_drive("top"));
    ck_assert_str_eq(sample_get("link", "payload"), "512 B ; drives/base.ini:3");
    ck_assert_str_eq(sample_get("link", "lanes"), "2 ; drives/middle.ini:3");
    ck_assert_str_eq(sample_get("link", "propagation"), "2 ns ; drives/top.ini:3");
    sample_expect(""); /* the same key in two files is no duplicate */
}
END_TEST

START_TEST(extends_looks_in_the_directory_of_its_kind)
{
    sample_write("profiles/hosts/base.ini", "[link]\nlanes = 8\n");
    sample_drive("bass", "[link]\nlanes = 1\n");
    sample_drive("top", "extends = base\n");
    sample_drive("path", "extends = ../x.ini\n");
    sample_drive("two", "extends = bass\nextends = bass\n");
    ck_assert(!load_drive("top"));
    ck_assert(!load_drive("path"));
    ck_assert(!load_drive("two"));
    sample_expect("profiles/drives/top.ini:1:11: extends: unknown drive profile 'base'; "
                  "did you mean 'bass'?\n"
                  "    extends = base\n"
                  "              ^\n"
                  "profiles/drives/path.ini:1:11: extends: '../x.ini' is a path; allowed: the name "
                  "of a drive profile (include takes paths)\n"
                  "    extends = ../x.ini\n"
                  "              ^\n"
                  "profiles/drives/two.ini:2:1: extends: given twice, first in line 1; allowed: "
                  "one per file\n"
                  "    extends = bass\n"
                  "    ^\n");
}
END_TEST

START_TEST(a_plain_file_cannot_extend)
{
    sample_write("x.ini", "extends = a\n");
    ck_assert(!config_load_file(sample_config, "x.ini", sample_diag));
    sample_expect("x.ini:1:1: extends: only a profile can extend a profile; allowed here: "
                  "include\n"
                  "    extends = a\n"
                  "    ^\n");
}
END_TEST

START_TEST(include_is_relative_to_its_file)
{
    sample_write("profiles/base/gen4.ini", "include = more/x8.ini\n[link]\npayload = 512 B\n");
    sample_write("profiles/base/more/x8.ini", "[link]\nlanes = 8\npayload = 128 B\n");
    sample_drive("a", "include = ../base/gen4.ini\n[link]\npropagation = 1 us\n");
    ck_assert(load_drive("a"));
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; base/more/x8.ini:2");
    ck_assert_str_eq(sample_get("link", "payload"), "512 B ; base/gen4.ini:3");
    ck_assert_str_eq(sample_get("link", "propagation"), "1 us ; drives/a.ini:3");
}
END_TEST

START_TEST(what_comes_later_overrides_and_the_file_itself_comes_last)
{
    sample_drive("a", "[link]\nlanes = 1\npayload = 128 B\n[media]\nlabel = a\n");
    sample_write("profiles/drives/i1", "[link]\nlanes = 2\npayload = 256 B\n");
    sample_write("profiles/drives/i2", "[link]\nlanes = 3\n");
    sample_drive("top", "extends = a\ninclude = i1\ninclude = i2\n[media]\nlabel = top\n");
    ck_assert(load_drive("top"));
    ck_assert_str_eq(sample_get("link", "lanes"), "3 ; drives/i2:2");
    ck_assert_str_eq(sample_get("link", "payload"), "256 B ; drives/i1:3");
    ck_assert_str_eq(sample_get("media", "label"), "top ; drives/top.ini:5");
}
END_TEST

START_TEST(one_file_may_be_included_by_two)
{
    sample_write("profiles/drives/common", "[link]\nlanes = 2\n");
    sample_write("profiles/drives/i1", "include = common\n");
    sample_write("profiles/drives/i2", "include = common\n");
    sample_drive("top", "include = i1\ninclude = i2\n");
    ck_assert(load_drive("top"));
    sample_expect("");
}
END_TEST

START_TEST(bad_includes)
{
    sample_drive("a", "include = gone.ini\ninclude = /etc/passwd\ninclude =\n");
    ck_assert(!load_drive("a"));
    sample_expect("profiles/drives/a.ini:1:11: include: cannot open 'profiles/drives/gone.ini': No "
                  "such file or directory\n"
                  "    include = gone.ini\n"
                  "              ^\n"
                  "profiles/drives/a.ini:2:11: include: '/etc/passwd' is no relative path; "
                  "allowed: a path from this file's directory\n"
                  "    include = /etc/passwd\n"
                  "              ^\n"
                  "profiles/drives/a.ini:3:10: include: '' is no relative path; allowed: a path "
                  "from this file's directory\n"
                  "    include =\n"
                  "             ^\n");
}
END_TEST

START_TEST(an_extends_loop_is_printed_as_a_chain)
{
    sample_drive("top", "extends = a\n");
    sample_drive("a", "extends = b\n");
    sample_drive("b", "extends = c\n");
    sample_drive("c", "extends = a\n");
    ck_assert(!load_drive("top"));
    sample_expect("profiles/drives/c.ini:1:11: extends: loop: drives/a.ini -> drives/b.ini -> "
                  "drives/c.ini -> drives/a.ini\n"
                  "    extends = a\n"
                  "              ^\n");
    sample_renew();
    sample_drive("self", "extends = self\n");
    ck_assert(!load_drive("self"));
    sample_expect("profiles/drives/self.ini:1:11: extends: loop: drives/self.ini -> "
                  "drives/self.ini\n"
                  "    extends = self\n"
                  "              ^\n");
}
END_TEST

START_TEST(an_include_loop_is_printed_as_a_chain)
{
    sample_drive("a", "include = ../x/b\n");
    sample_write("profiles/x/b", "include = ./../drives/../drives/a.ini\n");
    ck_assert(!load_drive("a"));
    sample_expect("profiles/x/b:1:11: include: loop: drives/a.ini -> x/b -> drives/a.ini\n"
                  "    include = ./../drives/../drives/a.ini\n"
                  "              ^\n");
}
END_TEST

START_TEST(a_profile_of_more_than_64_files_is_refused)
{
    char text[1100] = "";

    /* 63 includes and the file itself */
    sample_write("profiles/drives/i", "");
    for (unsigned i = 0; i < 63; i++) {
        strcat(text, "include = i\n");
    }
    sample_drive("a", text);
    ck_assert(load_drive("a"));
    strcat(text, "include = i\ninclude = i\n");
    sample_drive("a", text);
    ck_assert(!load_drive("a"));
    sample_expect("profiles/drives/a.ini:64:11: include: more than 64 files for one profile\n"
                  "    include = i\n"
                  "              ^\n");
}
END_TEST

START_TEST(the_usual_search_path)
{
    sample_write("given1/drives/a.ini", "[link]\nlanes = 1\n");
    sample_write("given2/drives/a.ini", "[link]\nlanes = 2\n");
    sample_write("given2/drives/b.ini", "[link]\nlanes = 2\n");
    sample_write("path/drives/b.ini", "[link]\nlanes = 3\n");
    sample_write("path/drives/c.ini", "[link]\nlanes = 3\n");
    sample_write("home/.config/doorbell/drives/c.ini", "[link]\nlanes = 4\n");
    sample_write("home/.config/doorbell/drives/d.ini", "[link]\nlanes = 4\n");
    sample_write("installed/drives/d.ini", "[link]\nlanes = 5\n");
    sample_write("installed/drives/e.ini", "[link]\nlanes = 5\n");
    setenv("DOORBELL_PATH", "nowhere::path:", 1);
    setenv("XDG_CONFIG_HOME", "relative", 1); /* void, says the XDG specification */
    setenv("HOME", "home", 1);
    config_add_search_path(sample_config, "given1:given2", "installed");
    static const char *const expected[] = {"1 ; drives/a.ini:2", "2 ; drives/b.ini:2",
                                           "3 ; drives/c.ini:2", "4 ; drives/d.ini:2",
                                           "5 ; drives/e.ini:2"};
    for (unsigned i = 0; i < 5; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        ck_assert(load_drive(name));
        ck_assert_str_eq(sample_get("link", "lanes"), expected[i]);
    }
    unsetenv("DOORBELL_PATH");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    sample_renew();
    config_add_search_path(sample_config, NULL, NULL);
    ck_assert(!load_drive("a"));
}
END_TEST

START_TEST(an_absolute_path_does_not_show_in_origins)
{
    char here[4096];
    char path[4200];

    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    sample_write("profiles/drives/x.ini", "include = ../i\n[link]\nlanes = 8\n");
    sample_write("profiles/i", "[link]\npayload = 128 B\n");
    snprintf(path, sizeof path, "%s/profiles/drives/x.ini", here);
    ck_assert(load_drive(path));
    ck_assert_str_eq(sample_get("link", "lanes"), "8 ; x.ini:3");
    ck_assert_str_eq(sample_get("link", "payload"), "128 B ; ../i:2");
}
END_TEST

static void collect(void *ctx, const char *name, const char *text)
{
    char *list = ctx;

    sprintf(list + strlen(list), "%s: %s\n", name, text);
}

START_TEST(profiles_are_listed_once_and_sorted)
{
    char list[500] = "";

    config_add_directory(sample_config, "second");
    sample_drive("zeta", "; SPDX-License-Identifier: BSD-2-Clause\n;\n;; The last one.  \r\n");
    sample_drive("alpha", "# The first one\n; and more\n");
    sample_drive("bare", "[link]\n; too late\n");
    sample_drive("empty", "");
    sample_drive(".hidden", "; not shown\n");
    sample_write("profiles/drives/readme.txt", "; not shown\n");
    sample_write("second/drives/alpha.ini", "; shadowed\n");
    sample_write("second/drives/beta.ini", "; from the second \x1b directory\n");
    config_list_profiles(sample_config, CONFIG_DRIVE, collect, list);
    ck_assert_str_eq(list, "alpha: The first one\n"
                           "bare: \n"
                           "beta: from the second ? directory\n"
                           "empty: \n"
                           "zeta: The last one.\n");
    list[0] = '\0';
    config_list_profiles(sample_config, CONFIG_HOST, collect, list);
    ck_assert_str_eq(list, "");
}
END_TEST

Suite *suite_profiles(void)
{
    Suite *suite = suite_create("profiles");
    TCase *tests = tcase_create("profiles");

    tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
    tcase_add_test(tests, a_profile_is_found_by_name);
    tcase_add_test(tests, a_profile_is_found_by_path);
    tcase_add_test(tests, the_first_directory_that_has_it_wins);
    tcase_add_test(tests, an_unknown_profile_gets_a_suggestion);
    tcase_add_test(tests, an_unreadable_profile_says_so);
    tcase_add_test(tests, a_kind_may_set_only_its_own_sections);
    tcase_add_test(tests, extends_starts_from_another_profile);
    tcase_add_test(tests, extends_looks_in_the_directory_of_its_kind);
    tcase_add_test(tests, a_plain_file_cannot_extend);
    tcase_add_test(tests, include_is_relative_to_its_file);
    tcase_add_test(tests, what_comes_later_overrides_and_the_file_itself_comes_last);
    tcase_add_test(tests, one_file_may_be_included_by_two);
    tcase_add_test(tests, bad_includes);
    tcase_add_test(tests, an_extends_loop_is_printed_as_a_chain);
    tcase_add_test(tests, an_include_loop_is_printed_as_a_chain);
    tcase_add_test(tests, a_profile_of_more_than_64_files_is_refused);
    tcase_add_test(tests, the_usual_search_path);
    tcase_add_test(tests, an_absolute_path_does_not_show_in_origins);
    tcase_add_test(tests, profiles_are_listed_once_and_sorted);
    suite_add_tcase(suite, tests);
    return suite;
}
