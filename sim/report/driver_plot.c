/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drivers as graphs: per curve one for each of its first figures, with a line per driver;
 * see driver_curve.h. A data file has one block per driver (gnuplot's `index`).
 */
#include <inttypes.h>

#include "report/driver_curve.h"
#include "report/report.h"
#include "report/script.h"

struct graph {
    const struct driver_curves *curves;
    const struct driver_curve *curve;
    const struct driver_figure *figure;
    const struct driver_point *first;
    char slug[SCRIPT_SLUG_MAX];
};

static int write_data(const struct graph *graph, const char *directory, char *message)
{
    struct outfile out;

    if (script_open(&out, directory, graph->slug, "dat", message))
        return -1;
    for (const struct driver_point *line = graph->first; line;
         line = driver_curve_next(graph->curves, line)) {
        fprintf(out.file, "# %s\n", line->driver);
        for (const struct driver_point *at = line; at < driver_curve_end(graph->curves, line); at++)
            fprintf(out.file, "%" PRIu64 " %.6f\n", driver_point_x(at), graph->figure->value(at));
        fputs("\n\n", out.file);
    }
    return outfile_commit(&out, message);
}

/* A mark at every x value of the first driver, all of them powers of two or near. */
static void write_axes(const struct graph *graph, FILE *file)
{
    char text[REPORT_SIZE_TEXT];

    fprintf(file, "set ylabel \"%s\"\nset yrange [0:*]\n", graph->figure->axis);
    fprintf(file, "set xlabel \"%s\"\nset key top left Left reverse samplen 3 spacing 1.2\n",
            graph->curve->x_axis);
    script_log_axis(file);
    fputs("set xtics (", file);
    for (const struct driver_point *at = graph->first;
         at < driver_curve_end(graph->curves, graph->first); at++) {
        fputs(at == graph->first ? "" : ", ", file);
        if (graph->curve->x_is_size)
            fprintf(file, "\"%s\" ", report_size_text(driver_point_x(at), text));
        fprintf(file, "%" PRIu64, driver_point_x(at));
    }
    fputs(")\n", file);
}

static int write_script(const struct graph *graph, const char *directory, char *message)
{
    struct outfile out;
    char title[4 * RESULT_NAME_MAX];
    size_t i = 0;

    if (script_open(&out, directory, graph->slug, "gp", message))
        return -1;
    snprintf(title, sizeof title, "%s, %s, %s", graph->curve->title, graph->first->drive,
             graph->first->host);
    script_head(out.file, graph->slug, title);
    write_axes(graph, out.file);
    script_images(out.file, graph->slug);
    fputs("plot \\\n", out.file);
    for (const struct driver_point *line = graph->first; line;
         line = driver_curve_next(graph->curves, line))
        script_curve(out.file, i++, "linespoints", line->driver);
    putc('\n', out.file);
    script_images_again(out.file, graph->slug);
    return outfile_commit(&out, message);
}

int driver_plot_write(const struct driver_curves *curves, const char *directory,
                      char message[REPORT_MESSAGE_MAX])
{
    if (script_directory(directory, message))
        return -1;
    for (unsigned kind = 0; kind < DRIVER_CURVE_KINDS; kind++) {
        struct graph graph = {.curves = curves,
                              .curve = driver_curve_of((enum driver_curve_kind)kind),
                              .first = driver_curve_first(curves, (enum driver_curve_kind)kind)};

        for (unsigned i = 0; graph.first && i < graph.curve->graphs; i++) {
            char name[SCRIPT_SLUG_MAX];

            graph.figure = graph.curve->figures[i];
            snprintf(name, sizeof name, "drivers-%s-%s", graph.curve->name, graph.figure->name);
            script_slug(graph.slug, name);
            if (write_data(&graph, directory, message) ||
                write_script(&graph, directory, message) ||
                script_run(directory, graph.slug, message))
                return -1;
        }
    }
    return 0;
}
