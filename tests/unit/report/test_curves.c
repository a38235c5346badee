/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Figures of load runs and their time series, figures of data sheets, and the printers of curves.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/curve.h"

#define SECOND UINT64_C(1000000000000)

static char message[REPORT_MESSAGE_MAX];

/* ---- figures ---- */

/* 100 requests of 4 KiB in 2 ms, each of 80 us: 50,000 IOPS, 4 in flight. */
static struct load_result made_result(uint64_t window_ps)
{
    struct load_result result = {.reads = 60,
                                 .writes = 40,
                                 .bytes = 100 * 4096,
                                 .window_ps = window_ps,
                                 .latency_sum_ps = 100 * UINT64_C(80000000),
                                 .in_flight_area_ps = 100 * UINT64_C(80000000),
                                 .latency_least_ps = 80000000,
                                 .latency_most_ps = 80000000,
                                 .p50_ps = 80000000,
                                 .p99_ps = 80000000,
                                 .p999_ps = 80000000,
                                 .link_up_busy_ps = window_ps / 4,
                                 .link_down_busy_ps = window_ps / 8,
                                 .blocks_verified = 480};
    load_series_begin(&result.series, window_ps / 8);
    for (unsigned i = 0; i < 100; i++)
        load_series_add(&result.series, window_ps / 100 * i);
    return result;
}

START_TEST(figures_of_a_run)
{
    const struct load_result result = made_result(SECOND / 500);
    ck_assert_double_eq_tol(load_iops(&result), 50000, 1e-6);
    ck_assert_double_eq_tol(load_mb_per_s(&result), 204.8, 1e-9);
    ck_assert_double_eq_tol(load_mean_latency_us(&result), 80, 1e-9);
    ck_assert_double_eq_tol(load_mean_in_flight(&result), 4, 1e-9);
    ck_assert_double_eq_tol(load_little_error(&result), 0, 1e-9);
    ck_assert_double_eq_tol(load_link_use(&result), 0.25, 1e-9);
}
END_TEST

/* A check that could not fail would be none: one request too few in the integral shows. */
START_TEST(little_s_law_can_be_broken)
{
    struct load_result result = made_result(SECOND / 500);
    result.in_flight_area_ps -= UINT64_C(80000000);
    ck_assert_double_lt(load_little_error(&result), -0.01);
}
END_TEST

START_TEST(nothing_ended_is_no_division_by_zero)
{
    const struct load_result result = {0};
    ck_assert_double_eq(load_iops(&result), 0);
    ck_assert_double_eq(load_mb_per_s(&result), 0);
    ck_assert_double_eq(load_mean_latency_us(&result), 0);
    ck_assert_double_eq(load_mean_in_flight(&result), 0);
    ck_assert_double_eq(load_little_error(&result), 0);
    ck_assert_double_eq(load_link_use(&result), 0);
}
END_TEST

/* ---- time series ---- */

START_TEST(a_completion_belongs_to_the_interval_it_begins)
{
    struct load_series series;
    load_series_begin(&series, 10);
    load_series_add(&series, 0);
    load_series_add(&series, 9);
    load_series_add(&series, 10);
    ck_assert_uint_eq(series.count, 2);
    ck_assert_uint_eq(series.ended[0], 2);
    ck_assert_uint_eq(series.ended[1], 1);
}
END_TEST

/* The last interval that fits, and the first time that does not: intervals become twice as long. */
START_TEST(a_full_series_doubles_its_intervals)
{
    struct load_series series;
    load_series_begin(&series, 10);
    for (uint64_t i = 0; i < LOAD_INTERVALS; i++)
        load_series_add(&series, 10 * i);
    load_series_add(&series, 10 * LOAD_INTERVALS - 1);
    ck_assert_uint_eq(series.interval_ps, 10);
    ck_assert_uint_eq(series.count, LOAD_INTERVALS);
    load_series_add(&series, 10 * LOAD_INTERVALS);
    ck_assert_uint_eq(series.interval_ps, 20);
    ck_assert_uint_eq(series.count, LOAD_INTERVALS / 2 + 1);
    ck_assert_uint_eq(series.ended[0], 2);
    ck_assert_uint_eq(series.ended[LOAD_INTERVALS / 2 - 1], 3);
    ck_assert_uint_eq(series.ended[LOAD_INTERVALS / 2], 1);
}
END_TEST

/* However far the next completion is, nothing is lost and it lands in the series. */
START_TEST(a_late_completion_doubles_several_times)
{
    struct load_series series;
    uint64_t sum = 0;
    load_series_begin(&series, 1);
    for (uint64_t i = 0; i < LOAD_INTERVALS; i++)
        load_series_add(&series, i);
    load_series_add(&series, UINT64_C(1000000));
    for (uint32_t i = 0; i < LOAD_INTERVALS; i++)
        sum += series.ended[i];
    ck_assert_uint_eq(sum, LOAD_INTERVALS + 1);
    ck_assert_uint_eq(series.interval_ps, 4096);
    ck_assert_uint_eq(series.ended[0], LOAD_INTERVALS);
    ck_assert_uint_eq(series.ended[1000000 / 4096], 1);
    ck_assert_uint_eq(series.count, 1000000 / 4096 + 1);
}
END_TEST

/* ---- data sheets ---- */

#define HEADER "drive,load,block_bytes,depth,state,value,unit,fitted,source\n"

static int read_text(const char *text, struct datasheet_table *table)
{
    char path[] = "doorbell-sheet.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int error = datasheet_read(table, path, message);
    unlink(path);
    return error;
}

START_TEST(figures_of_data_sheets_are_read)
{
    struct datasheet_table table;
    ck_assert_int_eq(read_text(HEADER "a,rand-mixed,4096,32,steady,12.5,us,yes,\"book, page 1\"\n"
                                      "a,seq-write,131072,1,-,3000,MB/s,no,x\n",
                               &table),
                     0);
    ck_assert_uint_eq(table.count, 2);
    ck_assert_str_eq(table.figures[0].drive, "a");
    ck_assert_uint_eq(table.figures[0].load.read_percent, 70);
    ck_assert_uint_eq(table.figures[0].block_bytes, 4096);
    ck_assert_uint_eq(table.figures[0].depth, 32);
    ck_assert_int_eq(table.figures[0].state, DRIVE_STEADY);
    ck_assert_int_eq(table.figures[1].state, DRIVE_AS_IS);
    ck_assert_double_eq_tol(table.figures[0].value, 12.5, 1e-12);
    ck_assert_int_eq(table.figures[0].unit, DATASHEET_MEAN_US);
    ck_assert(table.figures[0].fitted);
    ck_assert(table.figures[1].load.sequential);
    ck_assert(!table.figures[1].fitted);
    datasheet_free(&table);
}
END_TEST

static const struct {
    const char *text, *says;
} bad_sheets[] = {
    {"", ":0: the file is empty"},
    {"drive\n", ":1: the first line must be drive,load"},
    {HEADER "a,rand-read,4096,1,-,1,us,yes\n", ":2: 8 fields; a line has 9"},
    {HEADER ",rand-read,4096,1,-,1,us,yes,x\n", "the drive's name"},
    {HEADER "a,read,4096,1,-,1,us,yes,x\n", "load \"read\""},
    {HEADER "a,rand-read,0,1,-,1,us,yes,x\n", "block size \"0\""},
    {HEADER "a,rand-read,4k,1,-,1,us,yes,x\n", "block size \"4k\""},
    {HEADER "a,rand-read,4096,-1,-,1,us,yes,x\n", "depth \"-1\""},
    {HEADER "a,rand-read,4096,1,-,1.2.3,us,yes,x\n", "value \"1.2.3\""},
    {HEADER "a,rand-read,4096,1,-,0,us,yes,x\n", "value \"0\""},
    {HEADER "a,rand-read,4096,1,-,1,ms,yes,x\n", "unit \"ms\""},
    {HEADER "a,rand-read,4096,1,-,1,us,maybe,x\n", "fitted \"maybe\""},
    {HEADER "a,rand-read,4096,1,-,1,us,no,\n", "no source"},
    {HEADER "a,rand-read,4096,1,-,1,us,no,\"x\n", "a quoted field does not end"},
    {HEADER "a,rand-read,4096,1,new,1,us,no,x\n", "state \"new\""},
    {HEADER "a,rand-read,4096,1,-,1,us,no,x\na,rand-read,4096,1,-,2,us,no,x\n",
     ":3: the same figure a second time"},
    {HEADER "a,rand-read,4096,1,-,1,us,no,x", "cut off"},
};

START_TEST(bad_data_sheets_are_refused)
{
    struct datasheet_table table;
    ck_assert_int_eq(read_text(bad_sheets[_i].text, &table), -1);
    ck_assert_msg(strstr(message, bad_sheets[_i].says) != NULL, "'%s' does not say '%s'", message,
                  bad_sheets[_i].says);
    ck_assert_uint_eq(table.count, 0);
}
END_TEST

START_TEST(the_shipped_data_sheets_are_good)
{
    struct datasheet_table table;
    ck_assert_msg(datasheet_read(&table, DRIVES_FILE, message) == 0, "%s", message);
    ck_assert_uint_ge(table.count, 7);
    datasheet_free(&table);
}
END_TEST

/* ---- curves ---- */

static struct datasheet_figure figure;

static struct curve_point point(enum curve_kind kind, const char *drive, struct curve_link link,
                                uint64_t window_ps)
{
    return (struct curve_point){.kind = kind,
                                .drive = drive,
                                .load = *datasheet_load_find("rand-read"),
                                .depth = 4,
                                .block_bytes = 4096,
                                .state = DRIVE_AS_IS,
                                .link = link,
                                .figure = kind == CURVE_SHEET ? &figure : NULL,
                                .result = made_result(window_ps)};
}

#define POINTS 8
static const char *const drives[] = {"one", "two"};
static struct curve_point points[POINTS];
static struct curves curves;

static void setup(void)
{
    const struct curve_link none = {0, 0}, slow = {2, 1}, fast = {5, 4};
    figure = (struct datasheet_figure){
        .load = *datasheet_load_find("rand-read"), .value = 40000, .unit = DATASHEET_IOPS};
    points[0] = point(CURVE_DEPTH, "one", none, SECOND / 500);
    points[1] = point(CURVE_BLOCK, "one", none, SECOND / 500);
    points[2] = point(CURVE_LINK, "one", slow, SECOND / 100);
    points[3] = point(CURVE_LINK, "one", fast, SECOND / 495);
    points[4] = point(CURVE_LINK, "one", none, SECOND / 500);
    points[5] = point(CURVE_SHEET, "one", none, SECOND / 500);
    points[6] = point(CURVE_CLIFF, "two", none, SECOND / 500);
    points[6].state = DRIVE_FRESH;
    points[7] = point(CURVE_CLIFF, "two", none, SECOND / 100);
    points[7].state = DRIVE_STEADY;
    curves = (struct curves){.points = points,
                             .count = POINTS,
                             .drives = drives,
                             .drive_count = 2,
                             .driver = "drv",
                             .host = "host, fast",
                             .seed = 1,
                             .version = "0",
                             .config_hash = "0123"};
}

START_TEST(the_link_limits_where_the_drive_alone_is_faster)
{
    ck_assert_str_eq(curve_limit(&curves, &points[2]), "link");
    ck_assert_str_eq(curve_limit(&curves, &points[3]), "drive"); /* 1 % slower */
    ck_assert_str_eq(curve_limit(&curves, &points[4]), "-");
    curves.count = 4; /* the drive alone was not measured */
    ck_assert_str_eq(curve_limit(&curves, &points[2]), "-");
}
END_TEST

START_TEST(errors_are_relative_to_what_was_published)
{
    ck_assert_double_eq_tol(curve_sheet_value(&points[5]), 50000, 1e-6);
    ck_assert_double_eq_tol(curve_sheet_error(&points[5]), 25, 1e-9);
    figure.unit = DATASHEET_MEAN_US;
    ck_assert_double_eq_tol(curve_sheet_value(&points[5]), 80, 1e-9);
    figure.unit = DATASHEET_MB_PER_S;
    ck_assert_double_eq_tol(curve_sheet_value(&points[5]), 204.8, 1e-9);
}
END_TEST

static char *text_of(void (*print)(const struct curves *curves, FILE *file))
{
    static char text[16384];
    FILE *file = tmpfile();
    print(&curves, file);
    rewind(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

START_TEST(the_table_has_every_curve_and_fits_the_terminal)
{
    char *text = text_of(curve_table_print);
    static const char *const parts[] = {
        "requests of 4 KiB over depth: drive one, driver drv, host host, fast\n",
        "rand-read        4       50000      204.8      80.00      80.00      80.00      80.00 "
        "      4.00   25.0 %\n",
        "PCIe 2.0 x1         10000       41.0      80.00   25.0 %  link\n",
        "no link             50000      204.8      80.00   25.0 %  -\n",
        "predicted  rand-read       4    4 KiB -           40000.0      50000.0 IOPS     +25.0 %\n",
        "random writes over time: drive two",
        "fresh        0.000          0.1        52000\n", /* 13 of 100 requests in 250 us */
        "steady                                 10000\n",
        "blocks verified: 3840, mismatched: 0\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "no '%s' in\n%s", parts[i], text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 120, "%zu columns: %s", strlen(line), line);
}
END_TEST

static unsigned commas(const char *line)
{
    unsigned count = 0;
    bool quoted = false;
    for (; *line != '\0' && *line != '\n'; line++) {
        quoted ^= *line == '"';
        count += *line == ',' && !quoted;
    }
    return count;
}

START_TEST(every_line_of_the_csv_has_the_columns_of_its_header)
{
    char path[] = "doorbell-curves.XXXXXX";
    char line[1024], header[1024];
    unsigned lines = 0;
    close(mkstemp(path));
    ck_assert_int_eq(curve_csv_write(&curves, path, message), 0);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(header, sizeof header, file));
    while (fgets(line, sizeof line, file) != NULL) {
        ck_assert_uint_eq(commas(line), commas(header));
        lines++;
    }
    ck_assert_uint_eq(lines, POINTS);
    fclose(file);
    unlink(path);
}
END_TEST

START_TEST(json_and_csv_that_cannot_be_written_are_said)
{
    ck_assert_int_eq(curve_csv_write(&curves, "no/such/file", message), -1);
    ck_assert_int_eq(curve_json_write(&curves, "no/such/file", message), -1);
    ck_assert_int_eq(curve_plot_write(&curves, "no/such/directory", message), -1);
    ck_assert_ptr_nonnull(strstr(message, "cannot make directory"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("curves");
    TCase *tests = tcase_create("curves");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, figures_of_a_run);
    tcase_add_test(tests, little_s_law_can_be_broken);
    tcase_add_test(tests, nothing_ended_is_no_division_by_zero);
    tcase_add_test(tests, a_completion_belongs_to_the_interval_it_begins);
    tcase_add_test(tests, a_full_series_doubles_its_intervals);
    tcase_add_test(tests, a_late_completion_doubles_several_times);
    tcase_add_test(tests, figures_of_data_sheets_are_read);
    tcase_add_loop_test(tests, bad_data_sheets_are_refused, 0,
                        sizeof bad_sheets / sizeof bad_sheets[0]);
    tcase_add_test(tests, the_shipped_data_sheets_are_good);
    tcase_add_test(tests, the_link_limits_where_the_drive_alone_is_faster);
    tcase_add_test(tests, errors_are_relative_to_what_was_published);
    tcase_add_test(tests, the_table_has_every_curve_and_fits_the_terminal);
    tcase_add_test(tests, every_line_of_the_csv_has_the_columns_of_its_header);
    tcase_add_test(tests, json_and_csv_that_cannot_be_written_are_said);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
