/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The printers as specification: golden texts of table and CSV, JSON that another parser reads,
 * plots that gnuplot draws, and files that are never half-written.
 */
/* mkdtemp() and strdup() are of the X/Open part of POSIX. */
#define _XOPEN_SOURCE 700

#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/json.h"
#include "report/progress.h"
#include "report_fixture.h"

static struct fixture fixture;
static char directory[64];
static char message[REPORT_MESSAGE_MAX];

static void setup(void)
{
    fixture_make(&fixture, 2);
    snprintf(directory, sizeof(directory), "%s/doorbell-report-XXXXXX", P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    message[0] = '\0';
}

static const char *in_directory(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

/* Number of files in the directory, which is emptied. */
static unsigned empty_directory(const char *path)
{
    DIR *entries = opendir(path);
    struct dirent *entry;
    unsigned count = 0;

    ck_assert_ptr_nonnull(entries);
    while ((entry = readdir(entries)) != NULL) {
        char name[512];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        unlink(name);
        count++;
    }
    closedir(entries);
    return count;
}

static void teardown(void)
{
    empty_directory(directory);
    rmdir(directory);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(mean_of_the_passes)
{
    struct result result = {.passes = 2};

    ck_assert_double_eq(result_mib_per_s(&(struct result){0}), 0);
    result.pass_bytes[0] = 1048576;
    result.pass_ps[0] = UINT64_C(1000000000000);
    result.pass_bytes[1] = 3 * 1048576;
    result.pass_ps[1] = UINT64_C(500000000000);
    ck_assert_double_eq(result_mib_per_s(&result), 3.5);
}
END_TEST

START_TEST(table_golden)
{
    FILE *file = tmpfile();

    table_print(&fixture.report, file);
    char *text = fixture_text(file);
    const char *expected =
        "MixedRW70/30 on disk, host\n"
        "                                     drv-0                           drv-1\n"
        "block size       MiB/s  published    error       MiB/s  published    error   ratio\n"
        "     4 KiB       10.00          -        -       11.00          -        -   1.100\n"
        "    16 KiB       20.00          -        -       22.00          -        -   1.100\n"
        "    32 KiB       30.00          -        -       33.00          -        -   1.100\n"
        "    64 KiB       40.00      50.00  -20.0 %       44.00      40.00  +10.0 %   1.100\n"
        "   128 KiB       50.00          -        -       55.00          -        -   1.100\n"
        "   256 KiB       60.00          -        -       66.00          -        -   1.100\n"
        "     1 MiB       70.00          -        -       77.00          -        -   1.100\n"
        "     total      280.00          -        -      308.00     280.00  +10.0 %   1.100\n"
        "\n"
        "DailyGrind on disk, host\n"
        "                 drv-0       drv-1\n"
        "block size       MiB/s       MiB/s   ratio\n"
        "      none        3.00        3.00   1.000\n"
        "\n";
    ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "got:\n%s", text);
    char line[128];
    snprintf(line, sizeof(line), "\n%-50s%17s%17s\n", "I/O commands fetched by the controller",
             "2.000", "2.000");
    ck_assert_ptr_nonnull(strstr(text, line));
    snprintf(line, sizeof(line), "\n%-50s%17s%17s\n", "block requests at the driver", "80", "80");
    ck_assert_ptr_nonnull(strstr(text, line));
    const char *last = "\nblocks verified: 1600, mismatched: 0\n";
    ck_assert_str_eq(text + strlen(text) - strlen(last), last);
    free(text);
}
END_TEST

START_TEST(no_line_is_longer_than_120_columns)
{
    FILE *file = tmpfile();

    fixture_make(&fixture, 16);
    table_print(&fixture.report, file);
    char *text = fixture_text(file);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_uint_le(strcspn(line, "\n"), 120);
    ck_assert_ptr_nonnull(strstr(text, "drv-15"));
    ck_assert_ptr_null(strstr(text, "ratio"));
    free(text);
}
END_TEST

START_TEST(a_failed_run_is_shown_and_has_no_total)
{
    FILE *file = tmpfile();

    fixture.results[3].error = -6; /* drv-0 at 64 KiB */
    table_print(&fixture.report, file);
    char *text = fixture_text(file);
    ck_assert_ptr_nonnull(
        strstr(text, "    64 KiB      failed      50.00        -       44.00      40.00"));
    ck_assert_ptr_nonnull(
        strstr(text, "     total           -          -        -      308.00     280.00"));
    free(text);
}
END_TEST

START_TEST(csv_golden)
{
    FILE *file = tmpfile();

    snprintf(fixture.results[7].host, sizeof(fixture.results[7].host), "a \"b\", c");
    csv_print(&fixture.report, file);
    char *text = fixture_text(file);
    const char *expected =
        "suite,block_size_bytes,driver,drive,host,mib_per_s,published_mib_per_s,error_percent,"
        "requests,commands,sq_doorbells,cq_doorbells,other_register_writes,register_reads,"
        "bytes_copied,bounced,direct,lines_dirty,lines_clean,lines_absent,prp_lists,polls,"
        "interrupts,splits\n"
        "MixedRW70/30,4096,drv-0,disk,host,10.000,,,10,20,0,0,0,0,0,0,0,0,0,0,0,25,0,0\n"
        "MixedRW70/30,4096,drv-1,disk,host,11.000,,,10,20,0,0,0,0,0,0,0,0,0,0,0,26,0,0\n";
    ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "got:\n%s", text);
    ck_assert_ptr_nonnull(
        strstr(text, "\nMixedRW70/30,65536,drv-1,disk,host,44.000,40.000,10.000,"));
    ck_assert_ptr_nonnull(
        strstr(text, "\nMixedRW70/30,total,drv-1,disk,host,308.000,280.000,10.000,70,140,0,"));
    ck_assert_ptr_nonnull(strstr(text, "\nDailyGrind,none,drv-0,disk,\"a \"\"b\"\", c\",3.000,,,"));
    free(text);
}
END_TEST

START_TEST(a_part_of_the_sizes_has_no_total)
{
    FILE *file = tmpfile();

    fixture.report.count = 3;
    csv_print(&fixture.report, file);
    char *text = fixture_text(file);
    ck_assert_ptr_null(strstr(text, "total"));
    free(text);
}
END_TEST

START_TEST(json_strings_and_numbers)
{
    FILE *file = tmpfile();
    struct json json;

    json_begin(&json, file);
    json_array_begin(&json);
    json_text(&json, "\"\\\b\f\n\r\t\x01/");
    json_text(&json, "gr\xc3\xbc\xc3\x9f \xff \xc0\x80 \xed\xa0\x80 \xe2\x82");
    json_uint(&json, UINT64_MAX);
    json_int(&json, INT64_MIN);
    json_decimal(&json, 0.5, 3);
    json_decimal(&json, 1.0 / 0.0, 3);
    json_bool(&json, true);
    json_object_begin(&json);
    json_object_end(&json);
    json_array_end(&json);
    json_end(&json);
    char *text = fixture_text(file);
    ck_assert_str_eq(text, "[\n  \"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\",\n"
                           "  \"gr\xc3\xbc\xc3\x9f \\ufffd \\ufffd\\ufffd "
                           "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\",\n"
                           "  18446744073709551615,\n  -9223372036854775808,\n  0.500,\n  null,\n"
                           "  true,\n  {}\n]\n");
    free(text);
}
END_TEST

START_TEST(json_is_read_by_python)
{
    char command[1024];

    snprintf(fixture.results[0].host, sizeof(fixture.results[0].host), "h\"\\\t");
    ck_assert_int_eq(report_json_write(&fixture.report, in_directory("r.json"), message), 0);
    snprintf(command, sizeof(command),
             "python3 -c \"import json; r = json.load(open('%s')); "
             "assert r['seed'] == 1 and r['config_hash'] == '0123abcd'; "
             "assert len(r['runs']) == 16 and len(r['runs'][0]['passes']) == 2; "
             "assert r['runs'][0]['counters']['polls'] == 25; "
             "assert r['totals'][1]['error_percent'] == 10; "
             "assert r['blocks_verified'] == 1600 and r['blocks_mismatched'] == 0\"",
             in_directory("r.json"));
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(files_take_their_name_when_complete)
{
    struct outfile out;
    struct stat status;

    /* abandoned: nothing is left, and what was there stays */
    write_text(in_directory("a"), "old");
    ck_assert_int_eq(outfile_open(&out, in_directory("a"), message), 0);
    fputs("half", out.file);
    outfile_abandon(&out);
    ck_assert_int_eq(stat(in_directory("a"), &status), 0);
    ck_assert_int_eq(status.st_size, 3);
    ck_assert_uint_eq(empty_directory(directory), 1);
    /* a link keeps pointing where it does */
    write_text(in_directory("b"), "old");
    char link[256];
    snprintf(link, sizeof(link), "%s", in_directory("link"));
    ck_assert_int_eq(symlink("b", link), 0);
    ck_assert_int_eq(outfile_open(&out, link, message), 0);
    fputs("newer", out.file);
    ck_assert_int_eq(outfile_commit(&out, message), 0);
    ck_assert_int_eq(lstat(link, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(stat(in_directory("b"), &status), 0);
    ck_assert_int_eq(status.st_size, 5);
    ck_assert_uint_eq(empty_directory(directory), 2);
    /* devices are written in place */
    ck_assert_int_eq(csv_write(&fixture.report, "/dev/null", message), 0);
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

START_TEST(unwritable_output_is_said)
{
    ck_assert_int_eq(csv_write(&fixture.report, in_directory("no/such/x.csv"), message), -1);
    ck_assert_ptr_nonnull(strstr(message, "cannot write "));
    ck_assert_ptr_nonnull(strstr(message, "no/such/x.csv: No such file or directory"));
    ck_assert_int_eq(csv_write(&fixture.report, directory, message), -1);
    ck_assert_ptr_nonnull(strstr(message, "Is a directory"));
    if (access("/dev/full", W_OK) == 0) {
        ck_assert_int_eq(csv_write(&fixture.report, "/dev/full", message), -1);
        ck_assert_ptr_nonnull(strstr(message, "/dev/full: No space left"));
    }
    ck_assert_uint_eq(empty_directory(directory), 0);
}
END_TEST

#define HEADER "set,version,suite,block_size_bytes,mib_per_s,source\n"

static void expect_published_error(const char *text, const char *expected)
{
    struct published_table table;

    write_text(in_directory("p.csv"), text);
    ck_assert_int_eq(published_read(&table, in_directory("p.csv"), message), -1);
    ck_assert_msg(strstr(message, expected) != NULL, "got: %s", message);
    ck_assert_uint_eq(table.count, 0);
}

START_TEST(published_figures_are_read)
{
    struct published_table table;

    write_text(in_directory("p.csv"),
               HEADER "s,d,X,4096,1.5,\"a \"\"b\"\", c\"\r\ns,d,X,total,20,x\n"
                      "t,d,X,4096,2,x\n");
    ck_assert_int_eq(published_read(&table, in_directory("p.csv"), message), 0);
    ck_assert_uint_eq(table.count, 3);
    ck_assert_double_eq(published_find(&table, "s", "d", "X", 4096)->mib_per_s, 1.5);
    ck_assert_double_eq(published_find(&table, "s", "d", "X", PUBLISHED_TOTAL)->mib_per_s, 20);
    ck_assert_double_eq(published_find(&table, "t", "d", "X", 4096)->mib_per_s, 2);
    ck_assert_ptr_null(published_find(&table, "t", "d", "X", PUBLISHED_TOTAL));
    ck_assert_ptr_null(published_find(NULL, "t", "d", "X", 4096));
    published_free(&table);
}
END_TEST

START_TEST(published_errors)
{
    struct published_table table;

    expect_published_error("", "p.csv:0: the file is empty");
    expect_published_error("a,b\n", "p.csv:1: the first line must be set,version");
    expect_published_error(HEADER "s,d,X,4096,1.5\n", "p.csv:2: 5 fields; a line has 6");
    expect_published_error(HEADER "s,d,X,4096,1.5,x,y,z\n", "p.csv:2: 8 fields");
    expect_published_error(HEADER "s,d,X,4 KiB,1.5,x\n", "p.csv:2: block size \"4 KiB\"");
    expect_published_error(HEADER "s,d,X,0,1.5,x\n", "p.csv:2: block size \"0\"");
    expect_published_error(HEADER "s,d,X,4096,1e5,x\n", "p.csv:2: figure \"1e5\"");
    expect_published_error(HEADER "s,d,X,4096,-1,x\n", "p.csv:2: figure \"-1\"");
    expect_published_error(HEADER "s,d,X,4096,0,x\n", "p.csv:2: figure \"0\"");
    expect_published_error(HEADER "s,d,,4096,1,x\n", "p.csv:2: field 3 must have");
    expect_published_error(HEADER "s,d,X,4096,1,\n", "p.csv:2: no source");
    expect_published_error(HEADER "s,d,X,4096,1,\"x\n", "p.csv:2: a quoted field does not end");
    expect_published_error(HEADER "s,d,X,4096,1,x", "p.csv:2: the line is longer");
    expect_published_error(HEADER "s,d,X,4096,1,x\ns,d,X,4096,2,x\n", "p.csv:3: the same figure");
    ck_assert_int_eq(published_read(&table, in_directory("none"), message), -1);
    ck_assert_ptr_nonnull(strstr(message, "none: No such file"));
}
END_TEST

START_TEST(the_shipped_figures_are_good)
{
    struct published_table table;
    unsigned release = 0, earlier = 0;

    ck_assert_msg(published_read(&table, PUBLISHED_FILE, message) == 0, "%s", message);
    for (size_t i = 0; i < table.count; i++) {
        release += strcmp(table.figures[i].set, "release-1.65") == 0;
        earlier += strcmp(table.figures[i].set, "earlier") == 0;
    }
    ck_assert_uint_eq(release, 14 + 8);
    ck_assert_uint_eq(earlier, 7);
    ck_assert_double_eq(
        published_find(&table, "release-1.65", "amiga-1.65", "Random4K", 65536)->mib_per_s, 117);
    published_free(&table);
}
END_TEST

static bool exists(const char *name)
{
    struct stat status;

    return stat(in_directory(name), &status) == 0 && status.st_size > 1000;
}

START_TEST(plots_are_drawn)
{
    if (system("gnuplot --version > /dev/null 2>&1") != 0) {
        fprintf(stderr, "SKIPPED plots_are_drawn: gnuplot is not installed\n");
        return;
    }
    ck_assert_msg(plot_write(&fixture.report, directory, message) == 0, "%s", message);
    ck_assert(exists("mixedrw70-30.png"));
    ck_assert(exists("mixedrw70-30.svg"));
    ck_assert(exists("dailygrind.png"));
    ck_assert(exists("dailygrind.svg"));
    ck_assert_uint_eq(empty_directory(directory), 8); /* and .dat and .gp, nothing else */
    /* a suite whose runs all failed has no plot */
    for (size_t i = 0; i < fixture.report.count; i++)
        fixture.results[i].error = -6;
    ck_assert_int_eq(plot_write(&fixture.report, directory, message), 0);
    ck_assert_uint_eq(empty_directory(directory), 0);
}
END_TEST

START_TEST(one_size_and_sixteen_drivers_can_be_plotted)
{
    if (system("gnuplot --version > /dev/null 2>&1") != 0)
        return;
    fixture.report.count = 1;
    ck_assert_msg(plot_write(&fixture.report, directory, message) == 0, "%s", message);
    fixture_make(&fixture, 16);
    ck_assert_msg(plot_write(&fixture.report, directory, message) == 0, "%s", message);
}
END_TEST

START_TEST(missing_gnuplot_is_said)
{
    char *path = strdup(getenv("PATH"));

    setenv("PATH", directory, 1);
    ck_assert_int_eq(plot_write(&fixture.report, directory, message), -1);
    setenv("PATH", path, 1);
    free(path);
    ck_assert_ptr_nonnull(strstr(message, "plots need gnuplot"));
    ck_assert_uint_eq(empty_directory(directory), 2); /* data and script */
    ck_assert_int_eq(plot_write(&fixture.report, in_directory("no/such"), message), -1);
    ck_assert_ptr_nonnull(strstr(message, "cannot make directory"));
}
END_TEST

static uint64_t fake_ms;
static uint64_t fake_clock(void)
{
    return fake_ms;
}

START_TEST(progress_four_times_a_second_on_a_terminal_only)
{
    struct progress progress;
    FILE *file = tmpfile();

    progress_begin(&progress, file, PROGRESS_AUTO, 100);
    progress_update(&progress, 50, "x");
    progress_end(&progress);
    ck_assert_int_eq(ftell(file), 0); /* a file is no terminal */

    progress_begin(&progress, file, PROGRESS_ALWAYS, 100);
    progress.clock_ms = fake_clock;
    progress.start_ms = fake_ms = 1000;
    progress_update(&progress, 0, "HeavyLifter");
    const long one = ftell(file);
    fake_ms = 1249;
    progress_update(&progress, 10, "HeavyLifter");
    ck_assert_int_eq(ftell(file), one);
    fake_ms = 21000;
    progress_update(&progress, 25, "HeavyLifter");
    ck_assert_int_eq(ftell(file), 2 * one);
    progress_end(&progress);
    char *text = fixture_text(file);
    ck_assert_ptr_nonnull(strstr(text, "\r[..............................]   0 %  --:-- left"));
    ck_assert_ptr_nonnull(
        strstr(text, "\r[#######.......................]  25 %  01:00 left  HeavyLifter"));
    ck_assert_int_eq(text[strlen(text) - 1], '\r');
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tests = tcase_create("report");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, mean_of_the_passes);
    tcase_add_test(tests, table_golden);
    tcase_add_test(tests, no_line_is_longer_than_120_columns);
    tcase_add_test(tests, a_failed_run_is_shown_and_has_no_total);
    tcase_add_test(tests, csv_golden);
    tcase_add_test(tests, a_part_of_the_sizes_has_no_total);
    tcase_add_test(tests, json_strings_and_numbers);
    tcase_add_test(tests, json_is_read_by_python);
    tcase_add_test(tests, files_take_their_name_when_complete);
    tcase_add_test(tests, unwritable_output_is_said);
    tcase_add_test(tests, published_figures_are_read);
    tcase_add_test(tests, published_errors);
    tcase_add_test(tests, the_shipped_figures_are_good);
    tcase_add_test(tests, plots_are_drawn);
    tcase_add_test(tests, one_size_and_sixteen_drivers_can_be_plotted);
    tcase_add_test(tests, missing_gnuplot_is_said);
    tcase_add_test(tests, progress_four_times_a_second_on_a_terminal_only);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
