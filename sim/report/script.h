/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all plots share: names, colours, and the frame of a gnuplot script that makes a PNG and an
 * SVG of one graph. The script names its files without directory, so a reader can run it again
 * where it lies. Used by the plots of this room only.
 */
#ifndef REPORT_SCRIPT_H
#define REPORT_SCRIPT_H

#include <stddef.h>
#include <stdio.h>

#include "report/outfile.h"
#include "report/result.h"

#define SCRIPT_SLUG_MAX (RESULT_NAME_MAX + 40)

/* "MixedRW70/30" -> "mixedrw70-30"; the name of a plot's files. */
void script_slug(char slug[SCRIPT_SLUG_MAX], const char *name);
/* Make the directory if it is not there (its parent must be). 0, or -1 and a message. */
int script_directory(const char *directory, char message[REPORT_MESSAGE_MAX]);
/* Open DIRECTORY/SLUG.EXTENSION. 0, or -1 and a message. */
int script_open(struct outfile *out, const char *directory, const char *slug, const char *extension,
                char message[REPORT_MESSAGE_MAX]);
/* Text inside gnuplot's double quotes, enhanced mode off. */
void script_quote(FILE *file, const char *text);

/* Curve number i: its colour, and the dash type and point type that tell it from the others. */
const char *script_colour(size_t i);
unsigned script_dash(size_t i);
unsigned script_point(size_t i);

/* The script's beginning: `data` is SLUG.dat, title, borders, grid. */
void script_head(FILE *file, const char *slug, const char *title);
/* A logarithmic x axis, with room at its ends and above. */
void script_log_axis(FILE *file);
/* One line of the plot command: curve number i, which is block i of the data. with: how it is
 * drawn. */
void script_curve(FILE *file, size_t i, const char *with, const char *title);
/* Before the plot command, and after it. */
void script_images(FILE *file, const char *slug);
void script_images_again(FILE *file, const char *slug);
/* Let gnuplot make the images of a script that is complete. 0, or -1 and a message. */
int script_run(const char *directory, const char *slug, char message[REPORT_MESSAGE_MAX]);

#endif
