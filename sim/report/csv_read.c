/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See csv_read.h.
 */
#include "report/csv_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int csv_read_fail(const struct csv_reader *reader, const char *format, ...)
{
    va_list arguments;
    const int at =
        snprintf(reader->message, REPORT_MESSAGE_MAX, "%.700s:%u: ", reader->path, reader->line);

    va_start(arguments, format);
    vsnprintf(reader->message + at, REPORT_MESSAGE_MAX - (size_t)at, format, arguments);
    va_end(arguments);
    return -1;
}

int csv_read_open(struct csv_reader *reader, const char *path, const char *header, int columns,
                  char message[REPORT_MESSAGE_MAX])
{
    reader->path = path;
    reader->header = header;
    reader->columns = columns;
    reader->message = message;
    reader->line = 0;
    reader->file = fopen(path, "r");
    if (reader->file)
        return 0;
    snprintf(message, REPORT_MESSAGE_MAX, "cannot read %.900s: %s", path, strerror(errno));
    return -1;
}

void csv_read_close(struct csv_reader *reader)
{
    fclose(reader->file);
}

/* Cuts `text` in place. Number of fields, or -1 for a quote that does not end or is misplaced. */
static int split(char *text, char *fields[CSV_FIELDS_MAX], int room)
{
    int count = 0;

    for (;;) {
        char *to = text;

        if (count < room)
            fields[count] = text;
        count++;
        if (*text == '"') {
            for (text++; *text != '"' || text[1] == '"'; text++) {
                if (!*text)
                    return -1;
                text += *text == '"';
                *to++ = *text;
            }
            text++;
            if (*text && *text != ',')
                return -1;
        } else {
            text += strcspn(text, ",");
            to = text;
        }
        const bool more = *text == ',';
        *to = '\0';
        if (!more)
            return count;
        text++;
    }
}

/* 1: a line, without its end; 0: no more; -1: a message. */
static int next_line(struct csv_reader *reader)
{
    if (!fgets(reader->text, sizeof(reader->text), reader->file)) {
        if (ferror(reader->file))
            return csv_read_fail(reader, "cannot read on");
        if (reader->line == 0)
            return csv_read_fail(reader, "the file is empty; the first line must be %s",
                                 reader->header);
        return 0;
    }
    const size_t length = strlen(reader->text);
    reader->line++;
    if (!length || reader->text[length - 1] != '\n')
        return csv_read_fail(reader, "the line is longer than %d bytes, or the file is cut off",
                             CSV_LINE_MAX - 2);
    reader->text[length - 1] = '\0';
    if (length > 1 && reader->text[length - 2] == '\r')
        reader->text[length - 2] = '\0';
    return 1;
}

int csv_read_next(struct csv_reader *reader, char *fields[CSV_FIELDS_MAX])
{
    int got = next_line(reader);

    if (got == 1 && reader->line == 1) {
        if (strcmp(reader->text, reader->header) != 0)
            return csv_read_fail(reader, "the first line must be %s", reader->header);
        got = next_line(reader);
    }
    if (got != 1)
        return got;
    const int count = split(reader->text, fields, reader->columns);
    if (count < 0)
        return csv_read_fail(reader, "a quoted field does not end; quotes inside are doubled");
    if (count != reader->columns)
        return csv_read_fail(reader, "%d fields; a line has %d: %s", count, reader->columns,
                             reader->header);
    return 1;
}

bool csv_read_count(const char *text, uint64_t *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return !errno && !*end && *value > 0;
}

bool csv_read_decimal(const char *text, double *value)
{
    if (strspn(text, "0123456789.") != strlen(text) || strchr(text, '.') != strrchr(text, '.') ||
        *text < '0' || *text > '9')
        return false;
    *value = strtod(text, NULL);
    return *value > 0;
}
