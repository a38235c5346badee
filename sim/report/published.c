/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reader of the published figures: CSV after RFC 4180, one record per line (no line breaks inside
 * quotes). See published.h.
 */
#include "report/published.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define HEADER         "set,version,suite,block_size_bytes,mib_per_s,source"

enum column {
    COLUMN_SET,
    COLUMN_DRIVER,
    COLUMN_SUITE,
    COLUMN_BLOCK,
    COLUMN_MIB,
    COLUMN_SOURCE,
    COLUMNS
};

struct reader {
    const char *path;
    char *message;
    unsigned line;
};

static int fail(const struct reader *reader, const char *format, ...)
{
    va_list arguments;
    const int at =
        snprintf(reader->message, REPORT_MESSAGE_MAX, "%.700s:%u: ", reader->path, reader->line);

    va_start(arguments, format);
    vsnprintf(reader->message + at, REPORT_MESSAGE_MAX - (size_t)at, format, arguments);
    va_end(arguments);
    return -1;
}

/* Cuts `text` in place. Number of fields, or -1 for a quote that does not end or is misplaced. */
static int split(char *text, char *fields[COLUMNS + 1])
{
    int count = 0;

    for (;;) {
        char *to = text;

        if (count <= COLUMNS)
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

static bool parse_block(const char *text, uint64_t *block_bytes)
{
    char *end;

    if (strcmp(text, "total") == 0) {
        *block_bytes = PUBLISHED_TOTAL;
        return true;
    }
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *block_bytes = strtoull(text, &end, 10);
    return !errno && !*end && *block_bytes > 0;
}

/* Digits, at most one point. */
static bool parse_decimal(const char *text, double *value)
{
    if (strspn(text, "0123456789.") != strlen(text) || strchr(text, '.') != strrchr(text, '.') ||
        *text < '0' || *text > '9')
        return false;
    *value = strtod(text, NULL);
    return *value > 0;
}

static int parse_figure(const struct reader *reader, char *line, struct published_figure *figure)
{
    char *fields[COLUMNS + 1];
    const int count = split(line, fields);

    if (count < 0)
        return fail(reader, "a quoted field does not end; quotes inside are doubled");
    if (count != COLUMNS)
        return fail(reader, "%d fields; a line has %d: %s", count, COLUMNS, HEADER);
    for (int i = COLUMN_SET; i <= COLUMN_SUITE; i++)
        if (!*fields[i] || strlen(fields[i]) >= RESULT_NAME_MAX)
            return fail(reader, "field %d must have 1 to %d bytes", i + 1, RESULT_NAME_MAX - 1);
    if (!parse_block(fields[COLUMN_BLOCK], &figure->block_bytes))
        return fail(reader, "block size \"%.40s\"; allowed are bytes, or total",
                    fields[COLUMN_BLOCK]);
    if (!parse_decimal(fields[COLUMN_MIB], &figure->mib_per_s))
        return fail(reader, "figure \"%.40s\"; allowed is a positive decimal number of MiB/s",
                    fields[COLUMN_MIB]);
    if (!*fields[COLUMN_SOURCE])
        return fail(reader, "no source; every figure needs one");
    snprintf(figure->set, sizeof(figure->set), "%s", fields[COLUMN_SET]);
    snprintf(figure->driver, sizeof(figure->driver), "%s", fields[COLUMN_DRIVER]);
    snprintf(figure->suite, sizeof(figure->suite), "%s", fields[COLUMN_SUITE]);
    return 0;
}

static int read_lines(struct reader *reader, FILE *file, struct published_table *table)
{
    char line[LINE_MAX_BYTES];
    size_t room = 0;

    while (fgets(line, sizeof(line), file)) {
        const size_t length = strlen(line);

        reader->line++;
        if (!length || line[length - 1] != '\n')
            return fail(reader, "the line is longer than %d bytes, or the file is cut off",
                        LINE_MAX_BYTES - 2);
        line[length - 1] = '\0';
        if (length > 1 && line[length - 2] == '\r')
            line[length - 2] = '\0';
        if (reader->line == 1) {
            if (strcmp(line, HEADER) != 0)
                return fail(reader, "the first line must be %s", HEADER);
            continue;
        }
        if (table->count == room) {
            struct published_figure *figures;

            room = room ? room * 2 : 32;
            figures = realloc(table->figures, room * sizeof(*figures));
            if (!figures)
                return fail(reader, "out of memory");
            table->figures = figures;
        }
        struct published_figure *figure = &table->figures[table->count];
        if (parse_figure(reader, line, figure))
            return -1;
        if (published_find(table, figure->set, figure->driver, figure->suite, figure->block_bytes))
            return fail(reader,
                        "the same figure a second time; one per set, version, suite and size");
        table->count++;
    }
    if (ferror(file))
        return fail(reader, "cannot read on");
    if (reader->line == 0)
        return fail(reader, "the file is empty; the first line must be %s", HEADER);
    return 0;
}

int published_read(struct published_table *table, const char *path,
                   char message[REPORT_MESSAGE_MAX])
{
    struct reader reader = {path, message, 0};
    FILE *file = fopen(path, "r");

    *table = (struct published_table){NULL, 0};
    if (!file) {
        snprintf(message, REPORT_MESSAGE_MAX, "cannot read %.900s: %s", path, strerror(errno));
        return -1;
    }
    const int error = read_lines(&reader, file, table);
    fclose(file);
    if (error)
        published_free(table);
    return error;
}

void published_free(struct published_table *table)
{
    free(table->figures);
    *table = (struct published_table){NULL, 0};
}

const struct published_figure *published_find(const struct published_table *table, const char *set,
                                              const char *driver, const char *suite,
                                              uint64_t block_bytes)
{
    for (size_t i = 0; table && set && i < table->count; i++) {
        const struct published_figure *figure = &table->figures[i];

        if (figure->block_bytes == block_bytes && strcmp(figure->suite, suite) == 0 &&
            strcmp(figure->driver, driver) == 0 && strcmp(figure->set, set) == 0)
            return figure;
    }
    return NULL;
}
