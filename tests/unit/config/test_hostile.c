/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hostile input: a good profile damaged at random. Whatever comes, nothing crashes (the sanitizers
 * look on), no error goes unreported, and what is accepted survives a dump.
 */
#include "unit/config/sample.h"

#include <string.h>

static const char good[] = "; description\n"
                           "include = part\n"
                           "[link]\n"
                           "kind = emulated\n"
                           "lanes = 8 ; lanes\n"
                           "propagation = 1.5 us\n"
                           "overhead = 12.5 %\n"
                           "[media]\n"
                           "bandwidth = 3.2 GB/s\n"
                           "label = \"a ; \\\" b\"\n"
                           "verify = no\n"
                           "[driver]\n"
                           "fetch = 45 cycles\n"
                           "slots = 0x40\n";

static uint64_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((random_state >> 33) % limit);
}

/* One to four damages: a byte changed to any or to a telling one, a piece cut out, a piece doubled.
 */
static size_t damage(char *text, size_t length)
{
    static const char telling[] = "\n\r\t \"\\;#[]=.%0x9-\x80\xff\x1b";

    for (unsigned n = 1 + random_below(4); n > 0; n--) {
        size_t at = random_below((unsigned)length);
        size_t piece = 1 + random_below(20);
        piece = piece > length - at ? length - at : piece;
        switch (random_below(4)) {
        case 0:
            text[at] = (char)random_below(256);
            break;
        case 1:
            text[at] = telling[random_below(sizeof telling)];
            break;
        case 2:
            if (length > piece) {
                memmove(text + at, text + at + piece, length - at - piece);
                length -= piece;
            }
            break;
        default:
            memmove(text + at + piece, text + at, length - at);
            length += piece;
            break;
        }
    }
    return length;
}

START_TEST(damaged_profiles)
{
    char text[sizeof good + 100];

    sample_write("part", "[link]\npayload = 512 B\n");
    for (unsigned run = 0; run < 3000; run++) {
        random_state = run;
        memcpy(text, good, sizeof good);
        sample_write_bytes("x.ini", text, damage(text, sizeof good - 1));
        sample_renew();
        bool accepted = config_load_file(sample_config, "x.ini", sample_diag);
        ck_assert(accepted == (diag_errors(sample_diag) == 0));
        for (const char *c = sample_messages(); *c != '\0'; c++) {
            ck_assert(*c == '\n' || (unsigned char)*c >= 0x20);
        }
        uint64_t hash = config_hash(sample_config);
        sample_write("dump.ini", sample_dump());
        sample_renew();
        ck_assert(config_load_file(sample_config, "dump.ini", sample_diag));
        ck_assert_uint_eq(config_hash(sample_config), hash);
    }
}
END_TEST

START_TEST(damaged_assignments)
{
    static const char assignment[] = "media.label=\"a ; b\";link.propagation=1.5 us;link.lanes=2";
    char text[sizeof assignment + 100];

    for (unsigned run = 0; run < 3000; run++) {
        random_state = run;
        memcpy(text, assignment, sizeof assignment);
        text[damage(text, sizeof assignment - 1)] = '\0';
        sample_renew();
        bool accepted = config_set_list(sample_config, text, CONFIG_ENVIRONMENT, sample_diag);
        ck_assert(accepted == (diag_errors(sample_diag) == 0));
    }
}
END_TEST

START_TEST(a_file_of_errors_only_is_bounded)
{
    static char text[200000];

    for (size_t i = 0; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "x\n", 2);
    }
    sample_write("x.ini", text);
    ck_assert(!config_load_file(sample_config, "x.ini", sample_diag));
    ck_assert_uint_eq(diag_errors(sample_diag), 99999);
    ck_assert_ptr_nonnull(strstr(sample_messages(), "and 99979 more errors\n"));
}
END_TEST

Suite *suite_hostile(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = tcase_create("hostile");

    tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, damaged_profiles);
    tcase_add_test(tests, damaged_assignments);
    tcase_add_test(tests, a_file_of_errors_only_is_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}
