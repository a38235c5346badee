/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reader of the data sheets' figures; see datasheet.h and csv_read.h.
 */
#include "report/datasheet.h"

#include <stdlib.h>
#include <string.h>

#include "report/csv_read.h"

#define HEADER "drive,load,block_bytes,depth,state,value,unit,fitted,source"

enum column {
    COLUMN_DRIVE,
    COLUMN_LOAD,
    COLUMN_BLOCK,
    COLUMN_DEPTH,
    COLUMN_STATE,
    COLUMN_VALUE,
    COLUMN_UNIT,
    COLUMN_FITTED,
    COLUMN_SOURCE,
    COLUMNS
};

static const struct datasheet_load loads[] = {
    {"rand-read", 100, false}, {"rand-write", 0, false}, {"rand-mixed", 70, false},
    {"seq-read", 100, true},   {"seq-write", 0, true},
};
#define LOADS (sizeof(loads) / sizeof(loads[0]))

static const char *const states[DRIVE_STATES] = {"fresh", "filled", "steady", "-"};
static const char *const units[DATASHEET_UNITS] = {"IOPS", "MB/s", "us"};

const struct datasheet_load *datasheet_load_find(const char *name)
{
    for (size_t i = 0; i < LOADS; i++)
        if (strcmp(loads[i].name, name) == 0)
            return &loads[i];
    return NULL;
}

const char *datasheet_unit_name(enum datasheet_unit unit)
{
    return units[unit];
}

const char *drive_state_name(enum drive_state state)
{
    return states[state];
}

static bool parse_state(const char *text, enum drive_state *state)
{
    for (unsigned i = 0; i < DRIVE_STATES; i++) {
        if (strcmp(states[i], text) == 0) {
            *state = (enum drive_state)i;
            return true;
        }
    }
    return false;
}

static bool parse_unit(const char *text, enum datasheet_unit *unit)
{
    for (unsigned i = 0; i < DATASHEET_UNITS; i++) {
        if (strcmp(units[i], text) == 0) {
            *unit = (enum datasheet_unit)i;
            return true;
        }
    }
    return false;
}

static int parse_figure(const struct csv_reader *reader, char *const *fields,
                        struct datasheet_figure *figure)
{
    const struct datasheet_load *load = datasheet_load_find(fields[COLUMN_LOAD]);

    if (!*fields[COLUMN_DRIVE] || strlen(fields[COLUMN_DRIVE]) >= RESULT_NAME_MAX)
        return csv_read_fail(reader, "the drive's name must have 1 to %d bytes",
                             RESULT_NAME_MAX - 1);
    if (!load)
        return csv_read_fail(reader,
                             "load \"%.40s\"; allowed are rand-read, rand-write, rand-mixed, "
                             "seq-read, seq-write",
                             fields[COLUMN_LOAD]);
    if (!csv_read_count(fields[COLUMN_BLOCK], &figure->block_bytes))
        return csv_read_fail(reader, "block size \"%.40s\"; allowed are bytes",
                             fields[COLUMN_BLOCK]);
    if (!csv_read_count(fields[COLUMN_DEPTH], &figure->depth))
        return csv_read_fail(reader, "depth \"%.40s\"; allowed is a number of requests",
                             fields[COLUMN_DEPTH]);
    if (!parse_state(fields[COLUMN_STATE], &figure->state))
        return csv_read_fail(reader, "state \"%.40s\"; allowed are fresh, filled, steady, -",
                             fields[COLUMN_STATE]);
    if (!csv_read_decimal(fields[COLUMN_VALUE], &figure->value))
        return csv_read_fail(reader, "value \"%.40s\"; allowed is a positive decimal number",
                             fields[COLUMN_VALUE]);
    if (!parse_unit(fields[COLUMN_UNIT], &figure->unit))
        return csv_read_fail(reader, "unit \"%.40s\"; allowed are IOPS, MB/s, us",
                             fields[COLUMN_UNIT]);
    figure->fitted = strcmp(fields[COLUMN_FITTED], "yes") == 0;
    if (!figure->fitted && strcmp(fields[COLUMN_FITTED], "no") != 0)
        return csv_read_fail(reader, "fitted \"%.40s\"; allowed are yes, no",
                             fields[COLUMN_FITTED]);
    if (!*fields[COLUMN_SOURCE])
        return csv_read_fail(reader, "no source; every figure needs one");
    snprintf(figure->drive, sizeof(figure->drive), "%s", fields[COLUMN_DRIVE]);
    figure->load = *load;
    return 0;
}

static bool is_known(const struct datasheet_table *table, const struct datasheet_figure *figure)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct datasheet_figure *other = &table->figures[i];

        if (strcmp(other->drive, figure->drive) == 0 && other->load.name == figure->load.name &&
            other->block_bytes == figure->block_bytes && other->depth == figure->depth &&
            other->state == figure->state && other->unit == figure->unit)
            return true;
    }
    return false;
}

static int read_figures(struct csv_reader *reader, struct datasheet_table *table)
{
    char *fields[CSV_FIELDS_MAX];
    size_t room = 0;
    int got;

    while ((got = csv_read_next(reader, fields)) == 1) {
        if (table->count == room) {
            struct datasheet_figure *figures;

            room = room ? room * 2 : 32;
            figures = realloc(table->figures, room * sizeof(*figures));
            if (!figures)
                return csv_read_fail(reader, "out of memory");
            table->figures = figures;
        }
        struct datasheet_figure *figure = &table->figures[table->count];
        if (parse_figure(reader, fields, figure))
            return -1;
        if (is_known(table, figure))
            return csv_read_fail(reader, "the same figure a second time; one per drive, load, "
                                         "block size, depth, state and unit");
        table->count++;
    }
    return got;
}

int datasheet_read(struct datasheet_table *table, const char *path,
                   char message[REPORT_MESSAGE_MAX])
{
    struct csv_reader reader;

    *table = (struct datasheet_table){NULL, 0};
    if (csv_read_open(&reader, path, HEADER, COLUMNS, message))
        return -1;
    const int error = read_figures(&reader, table);
    csv_read_close(&reader);
    if (error)
        datasheet_free(table);
    return error;
}

void datasheet_free(struct datasheet_table *table)
{
    free(table->figures);
    *table = (struct datasheet_table){NULL, 0};
}
