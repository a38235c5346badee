/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Diagnostics: what is wrong with a configuration, where, and what would be allowed. Collected
 * while files are read, so that one run shows all mistakes, and printed at the end:
 *
 *     drives/x.ini:12:15: link.lanes: 17 is above the maximum; allowed: 1 to 16
 *         lanes = 17
 *                 ^
 *
 * Errors carry no tag; warnings say "warning: ". Called by this room and by whoever checks
 * combinations of values afterwards. Leaves exit codes to the caller.
 */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include <stddef.h>
#include <stdio.h>

#include "config/text.h"

#define DIAG_MAX 20 /* errors kept, and as many warnings; the rest is only counted */

struct diag_place {
    const char *file;   /* as a user would open it; or "-s"; NULL: no place */
    unsigned line;      /* from 1; 0: not a file */
    unsigned column;    /* from 1, in characters; 0: no caret */
    const char *source; /* the line itself, or NULL */
};

struct diag;

struct diag *diag_create(void);
void diag_destroy(struct diag *diag);

/* Everything is copied. place may be NULL. */
void diag_error(struct diag *diag, const struct diag_place *place, const char *format, ...)
    TEXT_PRINTF(3, 4);
void diag_warning(struct diag *diag, const struct diag_place *place, const char *format, ...)
    TEXT_PRINTF(3, 4);

size_t diag_errors(const struct diag *diag); /* all, also those beyond DIAG_MAX */
size_t diag_warnings(const struct diag *diag);

/* In the order in which they were found; control characters are shown as '?'. */
void diag_print(const struct diag *diag, FILE *out);

#endif
