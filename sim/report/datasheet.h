/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Figures of data sheets: a CSV file of the project (sim/profiles/published/drives.csv), read at
 * run time, with the columns drive, load, block_bytes, depth, state, value, unit, fitted, source.
 * `state` is what the drive has been through before; `fitted` says whether the drive's profile was
 * fitted to the figure; the others test it.
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

/* What a drive has been through before it is measured. All but the last are the choices of
 * media.precondition, in its order. */
enum drive_state {
    DRIVE_FRESH,  /* never written */
    DRIVE_FILLED, /* written once, in order */
    DRIVE_STEADY, /* written at random for long */
    DRIVE_AS_IS,  /* its medium does not care, or what the profile says */
    DRIVE_STATES
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
    enum drive_state state;
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
/* "fresh", "filled", "steady"; "-" for DRIVE_AS_IS. */
const char *drive_state_name(enum drive_state state);

/* 0, or -1 and "path:line: what is wrong; what is allowed" (then the table is empty). */
int datasheet_read(struct datasheet_table *table, const char *path,
                   char message[REPORT_MESSAGE_MAX]);
void datasheet_free(struct datasheet_table *table);

#endif
