/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters are declared once. Each room of the simulator has a `.def` file with one PARAM or
 * PARAM_ENUM line per parameter; from it come the structure that the room reads, the table row that
 * the profile parser, the command line, --help, --dump-config and the reference page use, and the
 * limits that are checked. Nothing else in the project names a default or a limit.
 *
 * In a .def file:
 *     PARAM(section, name, KIND, "default", "minimum", "maximum", "one line of text")
 *     PARAM_ENUM(section, name, "default", "choice|choice|choice", "one line of text")
 *     PARAM_TEXT(section, name, "default", "one line of text")
 * Defaults and limits are written as a profile would write them, with units. Limits of a COST can
 * be given in both forms: "100 us|20000 cycles" (config/value.h says what holds when one is
 * missing).
 *
 * To make the structure:                      To make the rows:
 *     #define PARAM_AS_STRUCT                     #define PARAM_AS_ROWS struct link_params
 *     #include "config/param_begin.h"             #include "config/param_begin.h"
 *     struct link_params {                        const struct param_row link_rows[] = {
 *     #include "pcie/link.def"                    #include "pcie/link.def"
 *     };                                          };
 *     #include "config/param_end.h"               #include "config/param_end.h"
 */
#ifndef CONFIG_PARAM_H
#define CONFIG_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_kind {
    PARAM_TIME,  /* "350 ns", "2 us", "90 s": uint64_t picoseconds */
    PARAM_COST,  /* a time, or "45 cycles" of the room's clock: struct param_cost */
    PARAM_SIZE,  /* "512 B", "128 KiB", "2 GB": uint64_t bytes */
    PARAM_RATE,  /* "3.2 GB/s", "200 MiB/s": uint64_t bytes per second */
    PARAM_FREQ,  /* "1 GHz": uint64_t Hz */
    PARAM_COUNT, /* a bare number, decimal or 0x: uint64_t */
    PARAM_RATIO, /* "12.5 %": uint64_t parts per million */
    PARAM_BOOL,  /* "yes" or "no": uint64_t 0 or 1 */
    PARAM_ENUM,  /* one of the row's choices: uint64_t index of the choice */
    PARAM_TEXT   /* free text up to PARAM_TEXT_MAX - 1 bytes: char[PARAM_TEXT_MAX] */
};

#define PARAM_TEXT_MAX 512

/* A cost in time or in cycles of the clock of whoever pays it. */
struct param_cost {
    uint64_t amount; /* ps, or cycles */
    bool cycles;
};

struct param_row {
    const char *section;
    const char *name;
    enum param_kind kind;
    size_t offset; /* into the room's structure */
    const char *default_text;
    const char *min_text; /* NULL for BOOL, ENUM, TEXT */
    const char *max_text;
    const char *choices; /* "a|b|c" for ENUM, else NULL */
    const char *text;    /* one line */
};

/* One room's rows and where its structure lies inside the whole (machine/params.h). */
struct param_group {
    const struct param_row *rows;
    size_t count;
    size_t base; /* offset of the room's structure in the whole */
};

struct param_table {
    const struct param_group *groups;
    size_t count;
    size_t total; /* size of the whole */
};

#endif
