/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drivers: what `doorbell bench driver` has measured, point by point, and the printers
 * that read it. Filled by the command; nothing in it is owned. Which figures belong to a curve, and
 * how each is made from a run's result, is one table (driver_curve.c) that all printers follow.
 */
#ifndef REPORT_DRIVER_CURVE_H
#define REPORT_DRIVER_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "report/load_result.h"
#include "report/outfile.h"

enum driver_curve_kind {
    DRIVER_CURVE_CPUS,      /* random 4 KiB reads over the number of CPUs */
    DRIVER_CURVE_COPIES,    /* sequential reads over their size */
    DRIVER_CURVE_DOORBELLS, /* random 4 KiB reads over the number in flight */
    DRIVER_CURVE_OVERLOAD,  /* random 4 KiB reads in bursts, over the requests of one */
    DRIVER_CURVE_KINDS
};

struct driver_point {
    enum driver_curve_kind kind;
    const char *driver, *drive, *host;
    uint64_t cpus, block_bytes;
    uint64_t depth; /* requests in flight of each CPU, or in a burst */
    struct load_result result;
};

/* One figure of a point. */
struct driver_figure {
    const char *name;    /* in CSV and JSON, and in the names of graphs */
    const char *heading; /* of its column */
    const char *axis;    /* of its graph */
    unsigned decimals;   /* in the table */
    double (*value)(const struct driver_point *point);
};

#define DRIVER_FIGURES_MAX 8

struct driver_curve {
    const char *name; /* as --curve takes it */
    const char *title;
    const char *x_name, *x_axis;
    bool x_is_size;
    const struct driver_figure *figures[DRIVER_FIGURES_MAX]; /* up to the first NULL */
    unsigned graphs; /* so many of them, from the first on, are drawn */
};

struct driver_curves {
    const struct driver_point *points; /* of a curve together, driver by driver, x ascending */
    size_t count;
    uint64_t seed;
    const char *version;     /* of the program */
    const char *config_hash; /* of everything that the results depend on */
};

const struct driver_curve *driver_curve_of(enum driver_curve_kind kind);
const char *driver_curve_name(unsigned kind);
uint64_t driver_point_x(const struct driver_point *point);
/* All figures of all curves, each once; NULL ends. */
extern const struct driver_figure *const driver_figures[];
/* The first point of a curve, or NULL; the first point of the next driver on the same curve, or
 * NULL. */
const struct driver_point *driver_curve_first(const struct driver_curves *curves,
                                              enum driver_curve_kind kind);
const struct driver_point *driver_curve_next(const struct driver_curves *curves,
                                             const struct driver_point *point);
/* One behind the last point of the driver that this one is the first of. */
const struct driver_point *driver_curve_end(const struct driver_curves *curves,
                                            const struct driver_point *point);
/* Of all points. */
void driver_curve_blocks(const struct driver_curves *curves, uint64_t *verified,
                         uint64_t *mismatched);

/* ---- the printers ---- */

/* For a terminal of 120 columns; ASCII. */
void driver_table_print(const struct driver_curves *curves, FILE *file);
/* One line per point. 0, or -1 and a message. */
int driver_csv_write(const struct driver_curves *curves, const char *path,
                     char message[REPORT_MESSAGE_MAX]);
int driver_json_write(const struct driver_curves *curves, const char *path,
                      char message[REPORT_MESSAGE_MAX]);
/* Into a directory, made if it is not there: per graph .dat, .gp, .png and .svg. */
int driver_plot_write(const struct driver_curves *curves, const char *directory,
                      char message[REPORT_MESSAGE_MAX]);

#endif
