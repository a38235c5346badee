/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drives: what `doorbell bench drive` has measured, point by point, and the printers that
 * read it. Filled by the command; nothing in it is owned.
 */
#ifndef REPORT_CURVE_H
#define REPORT_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "report/datasheet.h"
#include "report/load_result.h"
#include "report/outfile.h"
#include "report/result.h"

enum curve_kind {
    CURVE_DEPTH, /* random 4 KiB requests over the number in flight */
    CURVE_BLOCK, /* sequential requests over their size */
    CURVE_LINK,  /* one load over the link in front of the drive */
    CURVE_CLIFF, /* random writes over time: one point from a fresh drive on, one in steady state */
    CURVE_SHEET, /* the loads of a data sheet's figures */
    CURVE_KINDS
};

/* The link of a point, where it is not the drive's own. */
struct curve_link {
    unsigned generation, lanes; /* 0, 0: no link at all, host and drive share memory */
};

struct curve_point {
    enum curve_kind kind;
    const char *drive;
    struct datasheet_load load;
    uint64_t depth, block_bytes;
    enum drive_state state;                /* in which the drive was when the run began */
    struct curve_link link;                /* CURVE_LINK only */
    const struct datasheet_figure *figure; /* CURVE_SHEET only */
    struct load_result result;
};

struct curves {
    const struct curve_point *points; /* in the order in which they are shown */
    size_t count;
    const char *const *drives;
    size_t drive_count;
    const char *driver, *host;
    uint64_t seed;
    const char *version;     /* of the program */
    const char *config_hash; /* of everything that the results depend on */
};

/* "depth", ..., as --curve takes them. */
const char *curve_kind_name(enum curve_kind kind);
/* "PCIe 3.0 x4", "no link"; into a buffer, which is returned. */
#define CURVE_LINK_TEXT 24
const char *curve_link_text(struct curve_link link, char text[CURVE_LINK_TEXT]);

/* The point of the same drive and load without a link, NULL if it was not measured. */
const struct curve_point *curve_unlinked(const struct curves *curves,
                                         const struct curve_point *point);
/* What holds a point of CURVE_LINK back: "link" where the drive alone, on the same load, is faster
 * by more than CURVE_LINK_LOSS per cent; otherwise "drive". "-" if that was not measured. */
#define CURVE_LINK_LOSS 2
const char *curve_limit(const struct curves *curves, const struct curve_point *point);
/* A data sheet's figure as the model has it, in the figure's unit, and its error in per cent. */
double curve_sheet_value(const struct curve_point *point);
double curve_sheet_error(const struct curve_point *point);
/* Of all points. */
void curve_blocks(const struct curves *curves, uint64_t *verified, uint64_t *mismatched);

/* ---- the printers ---- */

/* For a terminal of 120 columns; ASCII. */
void curve_table_print(const struct curves *curves, FILE *file);
/* One line per point; the time series is in the JSON file only. 0, or -1 and a message. */
int curve_csv_write(const struct curves *curves, const char *path,
                    char message[REPORT_MESSAGE_MAX]);
int curve_json_write(const struct curves *curves, const char *path,
                     char message[REPORT_MESSAGE_MAX]);
/* Into a directory, made if it is not there: per graph .dat, .gp, .png and .svg. */
int curve_plot_write(const struct curves *curves, const char *directory,
                     char message[REPORT_MESSAGE_MAX]);

#endif
