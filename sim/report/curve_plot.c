/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drives as graphs: per load, IOPS over depth and throughput over block size with a
 * curve per drive; per drive, throughput over links with a curve per load, and IOPS over time from
 * a fresh drive on, with the steady state as a line. A data file has one block per curve (gnuplot's
 * `index`), since curves need not have the same x values.
 */
#include <inttypes.h>
#include <string.h>

#include "report/curve.h"
#include "report/report.h"
#include "report/script.h"

/* What one graph shows: the points of a kind that have the load (or the drive) given. */
struct graph {
    const struct curves *curves;
    enum curve_kind kind;
    const char *load;  /* NULL: every load (or state), a curve each */
    const char *drive; /* NULL: every drive, a curve each */
    char slug[SCRIPT_SLUG_MAX];
    char title[4 * RESULT_NAME_MAX];
};

static bool shows(const struct graph *graph, const struct curve_point *point)
{
    return point->kind == graph->kind &&
           (!graph->load || strcmp(graph->load, point->load.name) == 0) &&
           (!graph->drive || strcmp(graph->drive, point->drive) == 0);
}

/* The name of the curve that a point lies on. */
static const char *curve_of(const struct graph *graph, const struct curve_point *point)
{
    return graph->drive ? point->load.name : point->drive;
}

/* A drive's cliff and its steady state are a curve each. */
static bool on_one_curve(const struct graph *graph, const struct curve_point *a,
                         const struct curve_point *b)
{
    return strcmp(curve_of(graph, a), curve_of(graph, b)) == 0 &&
           (graph->kind != CURVE_CLIFF || a->state == b->state);
}

/* The first point of each curve, in order: the one after `previous` (NULL: the first of all). */
static const struct curve_point *next_curve(const struct graph *graph,
                                            const struct curve_point *previous)
{
    const struct curve_point *points = graph->curves->points;
    const struct curve_point *end = points + graph->curves->count;

    for (const struct curve_point *at = previous ? previous + 1 : points; at < end; at++) {
        bool new = shows(graph, at);

        for (const struct curve_point *before = points; before < at && new; before++)
            new = !shows(graph, before) || !on_one_curve(graph, before, at);
        if (new)
            return at;
    }
    return NULL;
}

static void print_series(FILE *file, const struct load_series *series)
{
    const double interval = (double)series->interval_ps / 1e12;

    /* The last interval is not over. */
    for (uint32_t i = 0; i + 1 < series->count; i++)
        fprintf(file, "%.6f %.3f\n", ((double)i + 0.5) * interval,
                (double)series->ended[i] / interval);
}

/* The steady state as a line over the time that the same drive's cliff takes. */
static void print_level(FILE *file, const struct graph *graph, const struct curve_point *point)
{
    double until = (double)point->result.window_ps / 1e12;

    for (size_t i = 0; i < graph->curves->count; i++) {
        const struct curve_point *other = &graph->curves->points[i];

        if (shows(graph, other) && strcmp(other->drive, point->drive) == 0 &&
            other->state != DRIVE_STEADY)
            until = (double)other->result.window_ps / 1e12;
    }
    fprintf(file, "0 %.3f\n%.6f %.3f\n", load_iops(&point->result), until,
            load_iops(&point->result));
}

static void print_point(FILE *file, const struct graph *graph, const struct curve_point *point,
                        unsigned number)
{
    switch (graph->kind) {
    case CURVE_DEPTH:
        fprintf(file, "%" PRIu64 " %.3f\n", point->depth, load_iops(&point->result));
        break;
    case CURVE_BLOCK:
        fprintf(file, "%" PRIu64 " %.3f\n", point->block_bytes, load_mb_per_s(&point->result));
        break;
    case CURVE_LINK:
        fprintf(file, "%u %.3f\n", number, load_mb_per_s(&point->result));
        break;
    case CURVE_CLIFF:
        if (point->state == DRIVE_STEADY)
            print_level(file, graph, point);
        else
            print_series(file, &point->result.series);
        break;
    case CURVE_SHEET:
    case CURVE_KINDS:
        break;
    }
}

static const char *title_of(const struct graph *graph, const struct curve_point *curve)
{
    return graph->kind == CURVE_CLIFF ? drive_state_name(curve->state) : curve_of(graph, curve);
}

static int write_data(const struct graph *graph, const char *directory, char *message)
{
    struct outfile out;

    if (script_open(&out, directory, graph->slug, "dat", message))
        return -1;
    for (const struct curve_point *curve = next_curve(graph, NULL); curve;
         curve = next_curve(graph, curve)) {
        unsigned number = 0;

        fprintf(out.file, "# %s\n", title_of(graph, curve));
        for (size_t i = 0; i < graph->curves->count; i++) {
            const struct curve_point *point = &graph->curves->points[i];

            if (shows(graph, point) && on_one_curve(graph, point, curve))
                print_point(out.file, graph, point, number++);
        }
        fputs("\n\n", out.file);
    }
    return outfile_commit(&out, message);
}

/* A mark at every x value of the first curve. */
static void write_marks(const struct graph *graph, FILE *file)
{
    const struct curve_point *first = next_curve(graph, NULL);
    char text[REPORT_SIZE_TEXT > CURVE_LINK_TEXT ? REPORT_SIZE_TEXT : CURVE_LINK_TEXT];
    unsigned number = 0;

    fputs("set xtics (", file);
    for (size_t i = 0; i < graph->curves->count; i++) {
        const struct curve_point *point = &graph->curves->points[i];

        if (!shows(graph, point) || !on_one_curve(graph, point, first))
            continue;
        fputs(number ? ", " : "", file);
        if (graph->kind == CURVE_DEPTH)
            fprintf(file, "\"%" PRIu64 "\" %" PRIu64, point->depth, point->depth);
        else if (graph->kind == CURVE_BLOCK)
            fprintf(file, "\"%s\" %" PRIu64, report_size_text(point->block_bytes, text),
                    point->block_bytes);
        else
            fprintf(file, "\"%s\" %u", curve_link_text(point->link, text), number);
        number++;
    }
    fputs(")\n", file);
}

static void write_axes(const struct graph *graph, FILE *file)
{
    static const char *const x[CURVE_KINDS] = {"requests in flight", "block size", "", "time, s",
                                               ""};

    fprintf(file, "set ylabel \"%s\"\nset yrange [0:*]\nset offsets 0, 0, graph 0.08, 0\n",
            graph->kind == CURVE_DEPTH || graph->kind == CURVE_CLIFF ? "IOPS" : "throughput, MB/s");
    fprintf(file, "set xlabel \"%s\"\nset key top left Left reverse samplen 3 spacing 1.2\n",
            x[graph->kind]);
    if (graph->kind == CURVE_CLIFF) {
        fputs("set key top right\n", file);
        return;
    }
    if (graph->kind == CURVE_DEPTH || graph->kind == CURVE_BLOCK)
        script_log_axis(file);
    write_marks(graph, file);
}

static void write_curves(const struct graph *graph, FILE *file)
{
    size_t i = 0;

    fputs("plot \\\n", file);
    for (const struct curve_point *curve = next_curve(graph, NULL); curve;
         curve = next_curve(graph, curve))
        script_curve(file, i++, graph->kind == CURVE_CLIFF ? "lines" : "linespoints",
                     title_of(graph, curve));
    putc('\n', file);
}

static int write_script(const struct graph *graph, const char *directory, char *message)
{
    struct outfile out;

    if (script_open(&out, directory, graph->slug, "gp", message))
        return -1;
    script_head(out.file, graph->slug, graph->title);
    write_axes(graph, out.file);
    script_images(out.file, graph->slug);
    write_curves(graph, out.file);
    script_images_again(out.file, graph->slug);
    return outfile_commit(&out, message);
}

static int plot(struct graph *graph, const char *name, const char *what, const char *directory,
                char *message)
{
    script_slug(graph->slug, name);
    snprintf(graph->title, sizeof(graph->title), "%s, %s", what, graph->curves->host);
    if (write_data(graph, directory, message) || write_script(graph, directory, message))
        return -1;
    return script_run(directory, graph->slug, message);
}

static int plot_load(struct graph *graph, const struct curve_point *first, const char *directory,
                     char *message)
{
    static const char *const names[CURVE_KINDS] = {"iops-over-depth", "throughput-over-block"};
    char name[SCRIPT_SLUG_MAX], what[2 * RESULT_NAME_MAX], size[REPORT_SIZE_TEXT];

    graph->load = first->load.name;
    graph->drive = NULL;
    snprintf(name, sizeof(name), "%s-%s", names[graph->kind], first->load.name);
    if (graph->kind == CURVE_BLOCK)
        snprintf(what, sizeof(what), "%s at depth %" PRIu64, first->load.name, first->depth);
    else
        snprintf(what, sizeof(what), "%s of %s", first->load.name,
                 report_size_text(first->block_bytes, size));
    return plot(graph, name, what, directory, message);
}

static int plot_drive(struct graph *graph, const char *directory, char *message)
{
    const bool cliff = graph->kind == CURVE_CLIFF;
    char name[SCRIPT_SLUG_MAX], what[2 * RESULT_NAME_MAX];

    snprintf(name, sizeof(name), "%s-%s", cliff ? "iops-over-time" : "link", graph->drive);
    snprintf(what, sizeof(what), "%s%s", graph->drive,
             cliff ? ", rand-write of 4 KiB" : " behind other links");
    return plot(graph, name, what, directory, message);
}

static bool is_first_of_load(const struct curves *curves, size_t index)
{
    const struct curve_point *point = &curves->points[index];

    for (size_t i = 0; i < index; i++)
        if (curves->points[i].kind == point->kind &&
            strcmp(curves->points[i].load.name, point->load.name) == 0)
            return false;
    return true;
}

/* A graph for every load that the kind was measured with. */
static int plot_loads(const struct curves *curves, enum curve_kind kind, const char *directory,
                      char *message)
{
    struct graph graph = {.curves = curves, .kind = kind};

    for (size_t i = 0; i < curves->count; i++)
        if (curves->points[i].kind == kind && is_first_of_load(curves, i) &&
            plot_load(&graph, &curves->points[i], directory, message))
            return -1;
    return 0;
}

/* A graph for every drive that the kind was measured on. */
static int plot_drives(const struct curves *curves, enum curve_kind kind, const char *directory,
                       char *message)
{
    struct graph graph = {.curves = curves, .kind = kind};

    for (size_t d = 0; d < curves->drive_count; d++) {
        graph.drive = curves->drives[d];
        if (next_curve(&graph, NULL) && plot_drive(&graph, directory, message))
            return -1;
    }
    return 0;
}

int curve_plot_write(const struct curves *curves, const char *directory,
                     char message[REPORT_MESSAGE_MAX])
{
    if (script_directory(directory, message) ||
        plot_loads(curves, CURVE_DEPTH, directory, message) ||
        plot_loads(curves, CURVE_BLOCK, directory, message) ||
        plot_drives(curves, CURVE_LINK, directory, message) ||
        plot_drives(curves, CURVE_CLIFF, directory, message))
        return -1;
    return 0;
}
