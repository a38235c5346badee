/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bench as CSV (RFC 4180, line ends LF): one line per suite, block size and driver, and a
 * `total` line per suite and driver where every block size was run. Counters are totals per run;
 * those of a total line are sums. A suite without block size has `none`. What is absent is empty.
 */
#include <inttypes.h>
#include <string.h>

#include "report/csv_text.h"
#include "report/report.h"

static void print_line(FILE *file, const struct result *result, const char *block,
                       struct report_figure figure, const struct result_counters *counters)
{
    double percent;

    csv_text(file, result->suite);
    fprintf(file, ",%s,", block);
    csv_text(file, result->driver);
    putc(',', file);
    csv_text(file, result->drive);
    putc(',', file);
    csv_text(file, result->host);
    putc(',', file);
    if (figure.mib_per_s >= 0)
        fprintf(file, "%.3f", figure.mib_per_s);
    putc(',', file);
    if (figure.published >= 0)
        fprintf(file, "%.3f", figure.published);
    putc(',', file);
    if (report_error_percent(figure, &percent))
        fprintf(file, "%.3f", percent);
    for (size_t i = 0; i < report_counter_count(); i++)
        fprintf(file, ",%" PRIu64, report_counter_value(counters, i));
    putc('\n', file);
}

static void print_total(const struct report *report, FILE *file, const char *suite,
                        const char *driver)
{
    const struct report_figure total = report_total(report, suite, driver);
    const struct result *any = NULL;
    struct result_counters sum = {0};

    if (total.mib_per_s < 0)
        return;
    for (size_t i = 0; i < report->block_size_count; i++) {
        any = report_find(report, suite, report->block_sizes[i], driver);
#define RESULT_ADD(name, text) sum.name += any->counters.name;
        RESULT_COUNTERS(RESULT_ADD)
#undef RESULT_ADD
    }
    print_line(file, any, "total", total, &sum);
}

void csv_print(const struct report *report, FILE *file)
{
    const struct result *first;

    fputs("suite,block_size_bytes,driver,drive,host,mib_per_s,published_mib_per_s,error_percent",
          file);
    for (size_t i = 0; i < report_counter_count(); i++)
        fprintf(file, ",%s", report_counter_name(i));
    putc('\n', file);
    for (size_t s = 0; (first = report_suite(report, s)) != NULL; s++) {
        uint64_t block_bytes;

        for (size_t b = 0; report_block_size(report, first->suite, b, &block_bytes); b++) {
            char block[REPORT_SIZE_TEXT] = "none";

            if (block_bytes)
                snprintf(block, sizeof(block), "%" PRIu64, block_bytes);
            for (size_t d = 0; d < report->driver_count; d++) {
                const struct result *result =
                    report_find(report, first->suite, block_bytes, report->drivers[d]);

                if (result)
                    print_line(file, result, block,
                               report_cell(report, first->suite, block_bytes, result->driver),
                               &result->counters);
            }
        }
        for (size_t d = 0; d < report->driver_count; d++)
            print_total(report, file, first->suite, report->drivers[d]);
    }
}

int csv_write(const struct report *report, const char *path, char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;

    if (outfile_open(&out, path, message))
        return -1;
    csv_print(report, out.file);
    return outfile_commit(&out, message);
}
