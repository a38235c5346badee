/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plots of the bench: per suite a data file, a gnuplot script, and the PNG and SVG that gnuplot
 * makes of them. Throughput over block size (bars over drivers for a suite without block size), one
 * curve per driver, published cells as open circles of the same colour. The script names its files
 * without directory, so a reader can run it again where it lies. What all plots share is in
 * script.c.
 */
#include <inttypes.h>
#include <string.h>

#include "report/report.h"
#include "report/script.h"

struct plot {
    const struct report *report;
    const struct result *first;
    const char *directory;
    char slug[SCRIPT_SLUG_MAX];
    char *message;
    bool sizes; /* the suite has block sizes */
};

static void print_value(FILE *file, double value)
{
    if (value >= 0)
        fprintf(file, " %.3f", value);
    else
        fputs(" NaN", file);
}

/* Columns: x, size text, then per driver simulated and published. */
static int write_data(const struct plot *plot)
{
    const struct report *report = plot->report;
    char text[REPORT_SIZE_TEXT];
    struct outfile out;
    uint64_t block_bytes;

    if (script_open(&out, plot->directory, plot->slug, "dat", plot->message))
        return -1;
    fputs("# block_size_bytes size", out.file);
    for (size_t d = 0; d < report->driver_count; d++) {
        putc(' ', out.file);
        script_quote(out.file, report->drivers[d]);
        fputs(" published", out.file);
    }
    putc('\n', out.file);
    for (size_t b = 0; report_block_size(report, plot->first->suite, b, &block_bytes); b++) {
        fprintf(out.file, "%" PRIu64 " \"%s\"", block_bytes, report_size_text(block_bytes, text));
        for (size_t d = 0; d < report->driver_count; d++) {
            const struct report_figure figure =
                report_cell(report, plot->first->suite, block_bytes, report->drivers[d]);

            print_value(out.file, figure.mib_per_s);
            print_value(out.file, figure.published);
        }
        putc('\n', out.file);
    }
    return outfile_commit(&out, plot->message);
}

static bool driver_published(const struct plot *plot, const char *driver)
{
    uint64_t block_bytes;

    for (size_t b = 0; report_block_size(plot->report, plot->first->suite, b, &block_bytes); b++)
        if (report_cell(plot->report, plot->first->suite, block_bytes, driver).published >= 0)
            return true;
    return false;
}

static void write_axes(const struct plot *plot, FILE *file)
{
    uint64_t block_bytes;
    char text[REPORT_SIZE_TEXT];

    fputs("set ylabel \"throughput, MiB/s\"\nset yrange [0:*]\nset offsets 0, 0, graph 0.08, 0\n",
          file);
    if (!plot->sizes) {
        fprintf(file,
                "set xrange [-0.6:%zu.6]\nset style fill solid 0.85\nset boxwidth 0.4\n"
                "%sset xtics scale 0\nunset key\nset xtics (",
                plot->report->driver_count - 1,
                plot->report->driver_count > 4 ? "set xtics rotate by -20\n" : "");
        for (size_t d = 0; d < plot->report->driver_count; d++) {
            fputs(d ? ", " : "", file);
            script_quote(file, plot->report->drivers[d]);
            fprintf(file, " %zu", d);
        }
        fputs(")\n", file);
        return;
    }
    fputs("set xlabel \"block size\"\nset logscale x 2\n"
          "set key top left Left reverse samplen 3 spacing 1.2\nset xtics (",
          file);
    for (size_t b = 0; report_block_size(plot->report, plot->first->suite, b, &block_bytes); b++) {
        fputs(b ? ", " : "", file);
        script_quote(file, report_size_text(block_bytes, text));
        fprintf(file, " %" PRIu64, block_bytes);
    }
    fputs(")\n", file);
}

static void write_curves(const struct plot *plot, FILE *file)
{
    const struct report *report = plot->report;

    fputs("plot \\\n", file);
    for (size_t d = 0; d < report->driver_count; d++) {
        const char *colour = script_colour(d);
        const size_t column = 3 + 2 * d;

        if (d)
            fputs(", \\\n", file);
        if (!plot->sizes) {
            fprintf(file, "  data using (%zu):%zu with boxes linecolor rgb \"%s\"", d, column,
                    colour);
            continue;
        }
        fprintf(file,
                "  data using 1:%zu with linespoints linewidth 2.5 pointsize 1.1 dashtype %u "
                "pointtype %u linecolor rgb \"%s\" title ",
                column, script_dash(d), script_point(d), colour);
        script_quote(file, report->drivers[d]);
        if (!driver_published(plot, report->drivers[d]))
            continue;
        fprintf(file,
                ", \\\n  data using 1:%zu with points linewidth 3 pointsize 2.6 pointtype 6 "
                "linecolor rgb \"%s\" title ",
                column + 1, colour);
        char title[RESULT_NAME_MAX + 16];
        snprintf(title, sizeof(title), "%.*s, published", RESULT_NAME_MAX, report->drivers[d]);
        script_quote(file, title);
    }
    putc('\n', file);
}

static int write_script(const struct plot *plot)
{
    struct outfile out;
    char title[3 * RESULT_NAME_MAX + 16];

    if (script_open(&out, plot->directory, plot->slug, "gp", plot->message))
        return -1;
    snprintf(title, sizeof(title), "%s on %s, %s", plot->first->suite, plot->first->drive,
             plot->first->host);
    script_head(out.file, plot->slug, title);
    write_axes(plot, out.file);
    script_images(out.file, plot->slug);
    write_curves(plot, out.file);
    script_images_again(out.file, plot->slug);
    return outfile_commit(&out, plot->message);
}

/* False if every run of the suite failed: gnuplot cannot draw nothing. */
static bool has_figures(const struct plot *plot)
{
    for (size_t i = 0; i < plot->report->count; i++)
        if (strcmp(plot->report->results[i].suite, plot->first->suite) == 0 &&
            !plot->report->results[i].error)
            return true;
    return false;
}

static int plot_suite(struct plot *plot)
{
    uint64_t block_bytes = 0;

    if (!has_figures(plot))
        return 0;
    script_slug(plot->slug, plot->first->suite);
    plot->sizes =
        report_block_size(plot->report, plot->first->suite, 0, &block_bytes) && block_bytes != 0;
    if (write_data(plot) || write_script(plot))
        return -1;
    return script_run(plot->directory, plot->slug, plot->message);
}

int plot_write(const struct report *report, const char *directory, char message[REPORT_MESSAGE_MAX])
{
    struct plot plot = {.report = report, .directory = directory, .message = message};

    if (script_directory(directory, message))
        return -1;
    for (size_t s = 0; (plot.first = report_suite(report, s)) != NULL; s++)
        if (plot_suite(&plot))
            return -1;
    return 0;
}
