/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file of stored figures; see baseline.h.
 */
#include "report/baseline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HEADER    "doorbell baseline 1"
#define FIELDS    5
#define FILE_MOST (64u << 20)

struct reader {
    struct baseline *baseline;
    const char *path;
    unsigned line;
    size_t room;
    char *message;
};

static int fail(const struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(const struct reader *reader, const char *format, ...)
{
    va_list arguments;
    int at = snprintf(reader->message, REPORT_MESSAGE_MAX, "%s:%u: ", reader->path, reader->line);
    va_start(arguments, format);
    vsnprintf(reader->message + at, REPORT_MESSAGE_MAX - (size_t)at, format, arguments);
    va_end(arguments);
    return -1;
}

/* ---- reading ---- */

static int split(char *line, char *fields[FIELDS + 1])
{
    int count = 0;
    for (char *at = strtok(line, " \t"); at != NULL && count <= FIELDS; at = strtok(NULL, " \t"))
        fields[count++] = at;
    return count;
}

static int take_tolerance(const struct reader *reader, char *const *fields, int count)
{
    struct baseline *b = reader->baseline;
    char *end;
    double percent = count == 3 ? strtod(fields[2], &end) : -1;
    if (count != 3 || *end != '\0' || !(percent >= 0 && percent <= 100) ||
        strlen(fields[1]) >= BASELINE_NAME_MAX)
        return fail(reader, "allowed is: tolerance FIGURE PERCENT, 0 to 100");
    if (b->tolerance_count == BASELINE_FIGURES_MAX)
        return fail(reader, "more than %d tolerances", BASELINE_FIGURES_MAX);
    strcpy(b->tolerances[b->tolerance_count].name, fields[1]);
    b->tolerances[b->tolerance_count++].percent = percent;
    return 0;
}

static bool is_of(const struct baseline_cell *cell, char *const *fields)
{
    return strcmp(cell->driver, fields[0]) == 0 && strcmp(cell->drive, fields[1]) == 0 &&
           strcmp(cell->workload, fields[2]) == 0;
}

static struct baseline_cell *add_cell(struct reader *reader, char *const *fields)
{
    struct baseline *b = reader->baseline;
    if (b->count == reader->room) {
        reader->room = reader->room == 0 ? 64 : 2 * reader->room;
        b->cells = realloc(b->cells, reader->room * sizeof *b->cells);
        if (b->cells == NULL)
            abort();
    }
    struct baseline_cell *cell = &b->cells[b->count++];
    memset(cell, 0, sizeof *cell);
    strcpy(cell->driver, fields[0]);
    strcpy(cell->drive, fields[1]);
    strcpy(cell->workload, fields[2]);
    return cell;
}

/* The figures of a cell stand together. */
static int take_figure(struct reader *reader, char *const *fields, int count)
{
    struct baseline *b = reader->baseline;
    struct baseline_cell *cell = b->count == 0 ? NULL : &b->cells[b->count - 1];
    char *end;
    if (count != FIELDS)
        return fail(reader, "allowed is: DRIVER DRIVE WORKLOAD FIGURE VALUE");
    for (int i = 0; i < 3; i++)
        if (strlen(fields[i]) >= BASELINE_NAME_MAX)
            return fail(reader, "'%.40s' is too long for a name", fields[i]);
    errno = 0;
    uint64_t value = strtoull(fields[4], &end, 10);
    if (*fields[4] < '0' || *fields[4] > '9' || *end != '\0' || errno != 0)
        return fail(reader, "'%.40s' is no number", fields[4]);
    if (cell == NULL || !is_of(cell, fields)) {
        for (size_t i = 0; i < b->count; i++)
            if (is_of(&b->cells[i], fields))
                return fail(reader, "the figures of a cell must stand together");
        cell = add_cell(reader, fields);
    }
    if (cell->count == BASELINE_FIGURES_MAX)
        return fail(reader, "more than %d figures of one cell", BASELINE_FIGURES_MAX);
    cell->figures[cell->count++] = (struct baseline_figure){fields[3], value};
    return 0;
}

static int take_line(struct reader *reader, char *line)
{
    char *fields[FIELDS + 1];
    if (reader->line == 1)
        return strcmp(line, HEADER) == 0 ? 0 : fail(reader, "the first line must be: " HEADER);
    int count = split(line, fields);
    if (count == 0 || fields[0][0] == '#')
        return 0;
    return strcmp(fields[0], "tolerance") == 0 ? take_tolerance(reader, fields, count)
                                               : take_figure(reader, fields, count);
}

static int read_text(struct reader *reader)
{
    FILE *file = fopen(reader->path, "r");
    if (file == NULL) {
        snprintf(reader->message, REPORT_MESSAGE_MAX, "%s: cannot be read: %s; --update makes it",
                 reader->path, strerror(errno));
        return -1;
    }
    size_t room = 0, length = 0, got;
    do {
        room += 1u << 16;
        reader->baseline->text = realloc(reader->baseline->text, room + 1);
        if (reader->baseline->text == NULL)
            abort();
        got = fread(reader->baseline->text + length, 1, room - length, file);
        length += got;
    } while (got != 0 && length < FILE_MOST);
    bool bad = ferror(file) != 0;
    fclose(file);
    reader->baseline->text[length] = '\0';
    if (!bad)
        return 0;
    snprintf(reader->message, REPORT_MESSAGE_MAX, "%s: cannot be read", reader->path);
    return -1;
}

int baseline_read(struct baseline *baseline, const char *path, char message[REPORT_MESSAGE_MAX])
{
    struct reader reader = {.baseline = baseline, .path = path, .message = message};
    *baseline = (struct baseline){.cells = NULL};
    int error = read_text(&reader);
    for (char *line = baseline->text, *next; error == 0 && line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        reader.line++;
        error = take_line(&reader, line);
    }
    if (error != 0)
        baseline_free(baseline);
    return error;
}

void baseline_free(struct baseline *baseline)
{
    free(baseline->cells);
    free(baseline->text);
    *baseline = (struct baseline){.cells = NULL};
}

/* ---- writing ---- */

int baseline_write(const struct baseline *baseline, const char *path,
                   char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;
    if (outfile_open(&out, path, message) != 0)
        return -1;
    fputs(HEADER "\n", out.file);
    for (unsigned i = 0; i < baseline->tolerance_count; i++)
        fprintf(out.file, "tolerance %s %g\n", baseline->tolerances[i].name,
                baseline->tolerances[i].percent);
    for (size_t i = 0; i < baseline->count; i++) {
        const struct baseline_cell *cell = &baseline->cells[i];
        for (unsigned k = 0; !cell->failed && k < cell->count; k++)
            fprintf(out.file, "%s %s %s %s %" PRIu64 "\n", cell->driver, cell->drive,
                    cell->workload, cell->figures[k].name, cell->figures[k].value);
    }
    return outfile_commit(&out, message);
}
