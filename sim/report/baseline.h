/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `doorbell regress` compares: figures of cells (driver, drive, workload), now and in a file.
 * The file is text, a line for each figure in a fixed order, so that version control shows what has
 * changed:
 *
 *     doorbell baseline 1
 *     tolerance latency_p99_ps 2
 *     linux fixed-latency random-read-4k interrupts 5000
 *
 * A tolerance is in per cent of the stored value; without one a figure must be exactly the same,
 * since runs are deterministic.
 */
#ifndef REPORT_BASELINE_H
#define REPORT_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/outfile.h"
#include "report/result.h"

#define BASELINE_NAME_MAX    RESULT_NAME_MAX
#define BASELINE_FIGURES_MAX 24

struct baseline_figure {
    const char *name; /* lives as long as the program, or in the file's own text */
    uint64_t value;
};

struct baseline_cell {
    char driver[BASELINE_NAME_MAX], drive[BASELINE_NAME_MAX], workload[BASELINE_NAME_MAX];
    struct baseline_figure figures[BASELINE_FIGURES_MAX];
    unsigned count;
    bool failed;                      /* a rule was broken, data did not match, or the run failed */
    char message[REPORT_MESSAGE_MAX]; /* then what was said */
};

struct baseline {
    struct baseline_cell *cells;
    size_t count;
    struct {
        char name[BASELINE_NAME_MAX];
        double percent;
    } tolerances[BASELINE_FIGURES_MAX];
    unsigned tolerance_count;
    char *text; /* a file's own */
};

/* 0, or -1 and "path:line: what is wrong; what is allowed" (then it is empty). */
int baseline_read(struct baseline *baseline, const char *path, char message[REPORT_MESSAGE_MAX]);
/* Cells that failed have no figures and are left out. Tolerances are kept. 0, or -1 and a message.
 */
int baseline_write(const struct baseline *baseline, const char *path,
                   char message[REPORT_MESSAGE_MAX]);
void baseline_free(struct baseline *baseline);

/* One difference; `then` or `now` NULL: a cell (name "") or figure that only the other has. */
struct baseline_change {
    const struct baseline_cell *cell;
    const char *name;
    const struct baseline_figure *then, *now;
    double percent; /* of the stored value; infinite where it was 0 or is not there */
};

/* All differences outside the tolerances of `stored`, worst first; the caller frees *changes.
 * `now`'s failed cells are no changes. */
size_t baseline_compare(const struct baseline *stored, const struct baseline *now,
                        struct baseline_change **changes);
void baseline_print_changes(const struct baseline_change *changes, size_t count, FILE *file);
/* A test case for each cell of `now`, as continuous integration reads them. */
void baseline_junit(const struct baseline *now, const struct baseline_change *changes, size_t count,
                    FILE *file);

#endif
