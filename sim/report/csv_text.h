/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A field of text in a CSV file (RFC 4180). Used by the CSV printers of this room.
 */
#ifndef REPORT_CSV_TEXT_H
#define REPORT_CSV_TEXT_H

#include <stdio.h>
#include <string.h>

/* In quotes where it needs them. */
static inline void csv_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

#endif
