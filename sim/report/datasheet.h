/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Figures of data sheets: a CSV file of the project (sim/profiles/published/drives.csv), read at
 * run time, with the columns drive, load, block_bytes, depth, value, unit, fitted, source. `fitted`
 * says whether the drive's profile was fitted to the figure; the others test it.
 */
#ifndef REPORT_DATASHEET_H
#define REPORT_DATASHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/outfile.h"
#include "report/result.h"

/* A kind of load: "rand-read", "rand-write", "rand-mixed" (70 % reads), "seq-read", "seq-write". */
struct datasheet_load {
    const char *name;
    uint64_t read_percent;
    bool sequential;
};

enum datasheet_unit {
    DATASHEET_IOPS,
    DATASHEET_MB_PER_S, /* 10^6 bytes */
    DATASHEET_MEAN_US,  /* mean latency */
    DATASHEET_UNITS
};

struct datasheet_figure {
    char drive[RESULT_NAME_MAX]; /* name of the drive profile */
    struct datasheet_load load;
    uint64_t block_bytes, depth;
    double value;
    enum datasheet_unit unit;
    bool fitted;
};

struct datasheet_table {
    struct datasheet_figure *figures;
    size_t count;
};

/* NULL if there is no such load. */
const struct datasheet_load *datasheet_load_find(const char *name);
const char *datasheet_unit_name(enum datasheet_unit unit);

/* 0, or -1 and "path:line: what is wrong; what is allowed" (then the table is empty). */
int datasheet_read(struct datasheet_table *table, const char *path,
                   char message[REPORT_MESSAGE_MAX]);
void datasheet_free(struct datasheet_table *table);

#endif
