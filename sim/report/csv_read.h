/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reader of the project's own tables of figures: CSV after RFC 4180, one record per line (no line
 * breaks inside quotes), a header that must be there word for word. Used by published.c and
 * datasheet.c.
 */
#ifndef REPORT_CSV_READ_H
#define REPORT_CSV_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/outfile.h"

#define CSV_FIELDS_MAX 16
#define CSV_LINE_MAX   4096

struct csv_reader {
    const char *path;
    const char *header; /* the columns' names, separated by commas */
    int columns;
    char *message; /* REPORT_MESSAGE_MAX bytes */
    FILE *file;
    unsigned line;
    char text[CSV_LINE_MAX];
};

/* 0, or -1 with a message. The strings must live as long as the reader. */
int csv_read_open(struct csv_reader *reader, const char *path, const char *header, int columns,
                  char message[REPORT_MESSAGE_MAX]);
/* The next record's fields, `columns` of them, valid until the next call: 1; 0 at the end of the
 * file; -1 with a message. */
int csv_read_next(struct csv_reader *reader, char *fields[CSV_FIELDS_MAX]);
void csv_read_close(struct csv_reader *reader);
/* "path:line: ..." into the reader's message; returns -1. */
int csv_read_fail(const struct csv_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Digits only, above 0. */
bool csv_read_count(const char *text, uint64_t *value);
/* Digits, at most one point, above 0. */
bool csv_read_decimal(const char *text, double *value);

#endif
