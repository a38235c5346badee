/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Then and now: differences of figures, for people and for continuous integration; see baseline.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/baseline.h"

struct changes {
    struct baseline_change *list;
    size_t count, room;
};

static void add(struct changes *changes, const struct baseline_change *change)
{
    if (changes->count == changes->room) {
        changes->room = changes->room == 0 ? 64 : 2 * changes->room;
        changes->list = realloc(changes->list, changes->room * sizeof *changes->list);
        if (changes->list == NULL)
            abort();
    }
    changes->list[changes->count++] = *change;
}

static double tolerance_of(const struct baseline *stored, const char *name)
{
    for (unsigned i = 0; i < stored->tolerance_count; i++)
        if (strcmp(stored->tolerances[i].name, name) == 0)
            return stored->tolerances[i].percent;
    return 0;
}

static const struct baseline_cell *find_cell(const struct baseline *in,
                                             const struct baseline_cell *like)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct baseline_cell *cell = &in->cells[i];
        if (strcmp(cell->driver, like->driver) == 0 && strcmp(cell->drive, like->drive) == 0 &&
            strcmp(cell->workload, like->workload) == 0)
            return cell;
    }
    return NULL;
}

static const struct baseline_figure *find_figure(const struct baseline_cell *cell, const char *name)
{
    for (unsigned i = 0; i < cell->count; i++)
        if (strcmp(cell->figures[i].name, name) == 0)
            return &cell->figures[i];
    return NULL;
}

static double percent_of(uint64_t then, uint64_t now)
{
    double difference = now >= then ? (double)(now - then) : -(double)(then - now);
    return then == 0 ? (now == 0 ? 0 : (double)INFINITY) : 100 * difference / (double)then;
}

static void compare_cells(struct changes *changes, const struct baseline *stored,
                          const struct baseline_cell *then, const struct baseline_cell *now)
{
    for (unsigned i = 0; i < now->count; i++) {
        const struct baseline_figure *figure = &now->figures[i];
        const struct baseline_figure *old = find_figure(then, figure->name);
        double percent = old == NULL ? (double)INFINITY : percent_of(old->value, figure->value);
        if (fabs(percent) > tolerance_of(stored, figure->name))
            add(changes, &(struct baseline_change){now, figure->name, old, figure, percent});
    }
    for (unsigned i = 0; i < then->count; i++)
        if (find_figure(now, then->figures[i].name) == NULL)
            add(changes, &(struct baseline_change){now, then->figures[i].name, &then->figures[i],
                                                   NULL, (double)INFINITY});
}

static int worse_first(const void *a, const void *b)
{
    const struct baseline_change *x = a, *y = b;
    double p = fabs(x->percent), q = fabs(y->percent);
    if (p != q)
        return p > q ? -1 : 1;
    return x->cell != y->cell ? (x->cell < y->cell ? -1 : 1) : strcmp(x->name, y->name);
}

size_t baseline_compare(const struct baseline *stored, const struct baseline *now,
                        struct baseline_change **list)
{
    struct changes changes = {NULL, 0, 0};
    for (size_t i = 0; i < now->count; i++) {
        const struct baseline_cell *cell = &now->cells[i], *then = find_cell(stored, cell);
        if (cell->failed)
            continue;
        if (then == NULL)
            add(&changes,
                &(struct baseline_change){cell, "", NULL, &cell->figures[0], (double)INFINITY});
        else
            compare_cells(&changes, stored, then, cell);
    }
    for (size_t i = 0; i < stored->count; i++)
        if (find_cell(now, &stored->cells[i]) == NULL)
            add(&changes,
                &(struct baseline_change){&stored->cells[i], "", &stored->cells[i].figures[0], NULL,
                                          (double)INFINITY});
    if (changes.count > 1)
        qsort(changes.list, changes.count, sizeof *changes.list, worse_first);
    *list = changes.list;
    return changes.count;
}

/* ---- showing ---- */

static void print_value(const struct baseline_figure *figure, char text[24])
{
    if (figure == NULL)
        snprintf(text, 24, "-");
    else
        snprintf(text, 24, "%" PRIu64, figure->value);
}

void baseline_print_changes(const struct baseline_change *changes, size_t count, FILE *file)
{
    for (size_t i = 0; i < count; i++) {
        const struct baseline_change *change = &changes[i];
        char then[24], now[24], percent[16] = "";
        print_value(change->then, then);
        print_value(change->now, now);
        if (change->name[0] == '\0') {
            fprintf(file, "%-22s %-18s %-16s %s\n", change->cell->driver, change->cell->drive,
                    change->cell->workload,
                    change->then == NULL ? "is new" : "was not run, or cannot be");
            continue;
        }
        if (isfinite(change->percent))
            snprintf(percent, sizeof percent, "%+.2f %%", change->percent);
        fprintf(file, "%-22s %-18s %-16s %-18s %16s -> %-16s %s\n", change->cell->driver,
                change->cell->drive, change->cell->workload, change->name, then, now, percent);
    }
}

static void xml(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fputs("&lt;", file);
        else if (*text == '&')
            fputs("&amp;", file);
        else if (*text == '"')
            fputs("&quot;", file);
        else if ((unsigned char)*text >= ' ' || *text == '\n')
            putc(*text, file);
    }
}

static size_t changes_of(const struct baseline_cell *cell, const struct baseline_change *changes,
                         size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += changes[i].cell == cell;
    return found;
}

static void junit_case(const struct baseline_cell *cell, const struct baseline_change *changes,
                       size_t count, FILE *file)
{
    fprintf(file, "  <testcase classname=\"%s.%s\" name=\"%s\">", cell->driver, cell->drive,
            cell->workload);
    if (cell->failed) {
        fputs("\n    <failure message=\"", file);
        xml(file, cell->message);
        fputs("\"/>\n  ", file);
    }
    for (size_t i = 0; i < count; i++) {
        char then[24], now[24];
        if (changes[i].cell != cell)
            continue;
        print_value(changes[i].then, then);
        print_value(changes[i].now, now);
        fprintf(file, "\n    <failure message=\"%s: %s, was %s\"/>\n  ",
                changes[i].name[0] == '\0' ? "cell" : changes[i].name, now, then);
    }
    fputs("</testcase>\n", file);
}

void baseline_junit(const struct baseline *now, const struct baseline_change *changes, size_t count,
                    FILE *file)
{
    size_t failures = 0;
    for (size_t i = 0; i < now->count; i++)
        failures += now->cells[i].failed || changes_of(&now->cells[i], changes, count) != 0;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", file);
    fprintf(file, "<testsuite name=\"doorbell regress\" tests=\"%zu\" failures=\"%zu\">\n",
            now->count, failures);
    for (size_t i = 0; i < now->count; i++)
        junit_case(&now->cells[i], changes, count, file);
    fputs("</testsuite>\n", file);
}
