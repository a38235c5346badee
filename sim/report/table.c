/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bench as text: per suite a table of throughput over block size, then counters per I/O, then
 * the verdict on the data. ASCII, at most 120 columns: more drivers than fit beside each other go
 * into further panels below.
 */
#include <inttypes.h>
#include <string.h>

#include "report/report.h"

#define SIZE_WIDTH      10
#define FIGURE_WIDTH    10
#define PUBLISHED_WIDTH 11
#define ERROR_WIDTH     9
#define RATIO_WIDTH     8
#define PANEL_DRIVERS   3 /* 10 + 3 * (10 + 11 + 9 + 2) columns */
#define LABEL_WIDTH     50
#define COUNTER_WIDTH   15
#define COUNTER_DRIVERS 4

struct panel {
    const struct report *report;
    FILE *file;
    const char *suite;
    size_t first, count; /* drivers */
    bool compares;       /* something was published */
    bool ratio;
};

/* A name cut to a width, its end kept: versions differ there. */
static void print_name(FILE *file, const char *name, int width)
{
    const int length = (int)strlen(name);

    if (length <= width)
        fprintf(file, "%*s", width, name);
    else
        fprintf(file, "..%s", name + length - width + 2);
}

static int group_width(const struct panel *panel)
{
    return FIGURE_WIDTH + (panel->compares ? PUBLISHED_WIDTH + ERROR_WIDTH : 0);
}

static void print_number(FILE *file, int width, double value, int decimals)
{
    if (value < 0)
        fprintf(file, "%*s", width, "-");
    else
        fprintf(file, "%*.*f", width, decimals, value);
}

static void print_group(const struct panel *panel, struct report_figure figure, bool failed)
{
    double percent;
    char text[32] = "-";

    fputs("  ", panel->file);
    if (failed)
        fprintf(panel->file, "%*s", FIGURE_WIDTH, "failed");
    else
        print_number(panel->file, FIGURE_WIDTH, figure.mib_per_s, 2);
    if (!panel->compares)
        return;
    print_number(panel->file, PUBLISHED_WIDTH, figure.published, 2);
    if (report_error_percent(figure, &percent))
        snprintf(text, sizeof(text), "%+.1f %%", percent);
    fprintf(panel->file, "%*s", ERROR_WIDTH, text);
}

static void print_ratio(const struct panel *panel, const struct report_figure *figures)
{
    if (!panel->ratio)
        return;
    if (figures[0].mib_per_s > 0 && figures[1].mib_per_s >= 0)
        print_number(panel->file, RATIO_WIDTH, figures[1].mib_per_s / figures[0].mib_per_s, 3);
    else
        fprintf(panel->file, "%*s", RATIO_WIDTH, "-");
}

static void print_head(const struct panel *panel)
{
    fprintf(panel->file, "%*s", SIZE_WIDTH, "");
    for (size_t d = 0; d < panel->count; d++) {
        fputs("  ", panel->file);
        print_name(panel->file, panel->report->drivers[panel->first + d], group_width(panel));
    }
    fprintf(panel->file, "\n%*s", SIZE_WIDTH, "block size");
    for (size_t d = 0; d < panel->count; d++) {
        fprintf(panel->file, "  %*s", FIGURE_WIDTH, "MiB/s");
        if (panel->compares)
            fprintf(panel->file, "%*s%*s", PUBLISHED_WIDTH, "published", ERROR_WIDTH, "error");
    }
    if (panel->ratio)
        fprintf(panel->file, "%*s", RATIO_WIDTH, "ratio");
    fputc('\n', panel->file);
}

static void print_rows(const struct panel *panel)
{
    const struct report *report = panel->report;
    struct report_figure figures[PANEL_DRIVERS];
    char text[REPORT_SIZE_TEXT];
    uint64_t block_bytes;
    bool total = false;

    for (size_t b = 0; report_block_size(report, panel->suite, b, &block_bytes); b++) {
        fprintf(panel->file, "%*s", SIZE_WIDTH, report_size_text(block_bytes, text));
        for (size_t d = 0; d < panel->count; d++) {
            const char *driver = report->drivers[panel->first + d];
            const struct result *result = report_find(report, panel->suite, block_bytes, driver);

            figures[d] = report_cell(report, panel->suite, block_bytes, driver);
            print_group(panel, figures[d], result && result->error);
        }
        print_ratio(panel, figures);
        fputc('\n', panel->file);
    }
    for (size_t d = 0; d < panel->count; d++) {
        figures[d] = report_total(report, panel->suite, report->drivers[panel->first + d]);
        total = total || figures[d].mib_per_s >= 0;
    }
    if (!total)
        return;
    fprintf(panel->file, "%*s", SIZE_WIDTH, "total");
    for (size_t d = 0; d < panel->count; d++)
        print_group(panel, figures[d], false);
    print_ratio(panel, figures);
    fputc('\n', panel->file);
}

/* Whether anything that this suite shows was published. */
static bool suite_compares(const struct report *report, const char *suite)
{
    for (size_t d = 0; d < report->driver_count; d++) {
        const struct report_figure total = report_total(report, suite, report->drivers[d]);
        uint64_t block_bytes;

        if (total.mib_per_s >= 0 && total.published >= 0)
            return true;
        for (size_t b = 0; report_block_size(report, suite, b, &block_bytes); b++)
            if (report_cell(report, suite, block_bytes, report->drivers[d]).published >= 0)
                return true;
    }
    return false;
}

static void print_suite(const struct report *report, FILE *file, const struct result *first)
{
    struct panel panel = {.report = report,
                          .file = file,
                          .suite = first->suite,
                          .compares = suite_compares(report, first->suite),
                          .ratio = report->driver_count == 2};

    fprintf(file, "%s on %s, %s\n", first->suite, first->drive, first->host);
    for (size_t d = 0; d < report->driver_count; d += PANEL_DRIVERS) {
        const size_t left = report->driver_count - d;

        panel.first = d;
        panel.count = left < PANEL_DRIVERS ? left : PANEL_DRIVERS;
        print_head(&panel);
        print_rows(&panel);
        fputc('\n', file);
    }
}

static void print_counters(const struct report *report, FILE *file, size_t first, size_t count)
{
    struct result_counters sums[COUNTER_DRIVERS];

    fprintf(file, "%-*s", LABEL_WIDTH, "per block request, timed parts, all suites");
    for (size_t d = 0; d < count; d++) {
        sums[d] = report_counters(report, report->drivers[first + d]);
        fputs("  ", file);
        print_name(file, report->drivers[first + d], COUNTER_WIDTH);
    }
    fputc('\n', file);
    for (size_t i = 0; i < report_counter_count(); i++) {
        fprintf(file, "%-*s", LABEL_WIDTH, report_counter_text(i));
        for (size_t d = 0; d < count; d++) {
            const uint64_t value = report_counter_value(&sums[d], i);

            if (i == 0) /* requests: the divisor of all the others */
                fprintf(file, "  %*" PRIu64, COUNTER_WIDTH, value);
            else if (sums[d].requests)
                fprintf(file, "  %*.3f", COUNTER_WIDTH, (double)value / (double)sums[d].requests);
            else
                fprintf(file, "  %*s", COUNTER_WIDTH, "-");
        }
        fputc('\n', file);
    }
    fputc('\n', file);
}

void table_print(const struct report *report, FILE *file)
{
    const struct result *first;
    uint64_t verified, mismatched;

    for (size_t s = 0; (first = report_suite(report, s)) != NULL; s++)
        print_suite(report, file, first);
    for (size_t d = 0; d < report->driver_count; d += COUNTER_DRIVERS) {
        const size_t left = report->driver_count - d;

        print_counters(report, file, d, left < COUNTER_DRIVERS ? left : COUNTER_DRIVERS);
    }
    report_blocks(report, &verified, &mismatched);
    fprintf(file, "blocks verified: %" PRIu64 ", mismatched: %" PRIu64 "\n", verified, mismatched);
}
