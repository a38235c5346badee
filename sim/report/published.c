/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reader of the published figures; see published.h and csv_read.h.
 */
#include "report/published.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/csv_read.h"

#define HEADER "set,version,suite,block_size_bytes,mib_per_s,source"

enum column {
    COLUMN_SET,
    COLUMN_DRIVER,
    COLUMN_SUITE,
    COLUMN_BLOCK,
    COLUMN_MIB,
    COLUMN_SOURCE,
    COLUMNS
};

static bool parse_block(const char *text, uint64_t *block_bytes)
{
    if (strcmp(text, "total") == 0) {
        *block_bytes = PUBLISHED_TOTAL;
        return true;
    }
    return csv_read_count(text, block_bytes);
}

static int parse_figure(const struct csv_reader *reader, char *const *fields,
                        struct published_figure *figure)
{
    for (int i = COLUMN_SET; i <= COLUMN_SUITE; i++)
        if (!*fields[i] || strlen(fields[i]) >= RESULT_NAME_MAX)
            return csv_read_fail(reader, "field %d must have 1 to %d bytes", i + 1,
                                 RESULT_NAME_MAX - 1);
    if (!parse_block(fields[COLUMN_BLOCK], &figure->block_bytes))
        return csv_read_fail(reader, "block size \"%.40s\"; allowed are bytes, or total",
                             fields[COLUMN_BLOCK]);
    if (!csv_read_decimal(fields[COLUMN_MIB], &figure->mib_per_s))
        return csv_read_fail(reader,
                             "figure \"%.40s\"; allowed is a positive decimal number of MiB/s",
                             fields[COLUMN_MIB]);
    if (!*fields[COLUMN_SOURCE])
        return csv_read_fail(reader, "no source; every figure needs one");
    snprintf(figure->set, sizeof(figure->set), "%s", fields[COLUMN_SET]);
    snprintf(figure->driver, sizeof(figure->driver), "%s", fields[COLUMN_DRIVER]);
    snprintf(figure->suite, sizeof(figure->suite), "%s", fields[COLUMN_SUITE]);
    return 0;
}

static int read_figures(struct csv_reader *reader, struct published_table *table)
{
    char *fields[CSV_FIELDS_MAX];
    size_t room = 0;
    int got;

    while ((got = csv_read_next(reader, fields)) == 1) {
        if (table->count == room) {
            struct published_figure *figures;

            room = room ? room * 2 : 32;
            figures = realloc(table->figures, room * sizeof(*figures));
            if (!figures)
                return csv_read_fail(reader, "out of memory");
            table->figures = figures;
        }
        struct published_figure *figure = &table->figures[table->count];
        if (parse_figure(reader, fields, figure))
            return -1;
        if (published_find(table, figure->set, figure->driver, figure->suite, figure->block_bytes))
            return csv_read_fail(
                reader, "the same figure a second time; one per set, version, suite and size");
        table->count++;
    }
    return got;
}

int published_read(struct published_table *table, const char *path,
                   char message[REPORT_MESSAGE_MAX])
{
    struct csv_reader reader;

    *table = (struct published_table){NULL, 0};
    if (csv_read_open(&reader, path, HEADER, COLUMNS, message))
        return -1;
    const int error = read_figures(&reader, table);
    csv_read_close(&reader);
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
