/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One report: all results of a bench and what they are compared with. The printers (table, CSV,
 * JSON, plots) read it through the few questions below, so that they always agree. Filled by the
 * command; nothing in it is owned.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/outfile.h"
#include "report/published.h"
#include "report/result.h"

#define REPORT_DRIVERS_MAX 16

struct report {
    const struct result *results; /* any order; at most one per suite, block size and driver */
    size_t count;
    const char *const *drivers;  /* in the order of the columns */
    size_t driver_count;         /* 1..REPORT_DRIVERS_MAX */
    const uint64_t *block_sizes; /* all that a total is made of, ascending */
    size_t block_size_count;
    const struct published_table *published; /* NULL: compare with nothing */
    const char *published_set;
    uint64_t seed;
    const char *version;     /* of the program */
    const char *config_hash; /* of everything that the results depend on */
};

/* A figure and what was published; absent ones are negative. */
struct report_figure {
    double mib_per_s;
    double published;
};

/* Suites in the order of their first result: the result that stands for suite number `index`, or
 * NULL after the last. */
const struct result *report_suite(const struct report *report, size_t index);
/* Block sizes of a suite, ascending: the index-th, or false after the last. 0 stands for "none". */
bool report_block_size(const struct report *report, const char *suite, size_t index,
                       uint64_t *block_bytes);
/* NULL if there is none. */
const struct result *report_find(const struct report *report, const char *suite,
                                 uint64_t block_bytes, const char *driver);
/* One cell. Absent if there is no such result or it ended with an error. */
struct report_figure report_cell(const struct report *report, const char *suite,
                                 uint64_t block_bytes, const char *driver);
/* The plain sum over report->block_sizes; absent unless every one of them is there. */
struct report_figure report_total(const struct report *report, const char *suite,
                                  const char *driver);
/* (figure / published - 1) in per cent. False if either is absent. */
bool report_error_percent(struct report_figure figure, double *percent);
/* Counters of one driver over all suites (driver NULL: of all drivers). */
struct result_counters report_counters(const struct report *report, const char *driver);
/* Of all results. */
void report_blocks(const struct report *report, uint64_t *verified, uint64_t *mismatched);

/* Counter number `index` in the order of RESULT_COUNTERS. */
size_t report_counter_count(void);
uint64_t report_counter_value(const struct result_counters *counters, size_t index);
const char *report_counter_name(size_t index);
const char *report_counter_text(size_t index);

/* "4 KiB", "1 MiB", "512 B", "none" for 0; into a buffer of 24 bytes, which is returned. */
#define REPORT_SIZE_TEXT 24
const char *report_size_text(uint64_t bytes, char text[REPORT_SIZE_TEXT]);

/* ---- the printers ---- */

/* The bench as text, for a terminal of 120 columns; ASCII. */
void table_print(const struct report *report, FILE *file);

/* One line per suite, block size and driver, and `total` lines. 0, or -1 and a message. */
int csv_write(const struct report *report, const char *path, char message[REPORT_MESSAGE_MAX]);
void csv_print(const struct report *report, FILE *file);

int report_json_write(const struct report *report, const char *path,
                      char message[REPORT_MESSAGE_MAX]);
void report_json_print(const struct report *report, FILE *file);

/* Into a directory, made if it is not there: per suite a .dat and a .gp file, and what gnuplot
 * makes of them, .png and .svg. */
int plot_write(const struct report *report, const char *directory,
               char message[REPORT_MESSAGE_MAX]);

#endif
