/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The check of the parameter table itself, which a test runs: mistakes in a .def file that the
 * compiler cannot see. See config_table_check in config.h.
 */
#include "config/config.h"

#include <string.h>

#include "config/text.h"
#include "config/units.h"
#include "config/value.h"

struct check {
    const struct param_table *table;
    unsigned options;
    struct diag *diag;
    bool good;
};

static void complain(struct check *check, const struct param_row *row, const char *format, ...)
    TEXT_PRINTF(3, 4);

static void complain(struct check *check, const struct param_row *row, const char *format, ...)
{
    char what[VALUE_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    diag_error(check->diag, NULL, "%s.%s: %s", row->section != NULL ? row->section : "?",
               row->name != NULL ? row->name : "?", what);
    check->good = false;
}

static bool is_of(const char *name, const char *letters)
{
    return name != NULL && name[0] != '\0' && strlen(name) < TEXT_NAME_MAX &&
           name[strspn(name, letters)] == '\0';
}

static bool is_name(const char *name)
{
    return is_of(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

/* A choice may also be a version ("1.4"). */
static bool is_choice(const char *name)
{
    return is_of(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.");
}

/* One limit, in each of its forms (a COST can have two). */
static bool limit_is_good(struct check *check, const struct param_row *row, const char *which,
                          const char *limit)
{
    char part[VALUE_TEXT_MAX];
    bool seen[2] = {false, false};

    if (limit == NULL) {
        complain(check, row, "has no %s", which);
        return false;
    }
    for (size_t i = 0; value_choice(limit, i, part, sizeof part); i++) {
        struct param_cost number;
        struct units_fault fault;
        if (!units_parse(row->kind, part, &number, &fault)) {
            complain(check, row, "its %s: %s", which, fault.message);
            return false;
        }
        if (seen[number.cycles]) {
            complain(check, row, "its %s is given twice", which);
            return false;
        }
        seen[number.cycles] = true;
    }
    return true;
}

static void check_number(struct check *check, const struct param_row *row)
{
    bool low = limit_is_good(check, row, "minimum", row->min_text);
    bool high = limit_is_good(check, row, "maximum", row->max_text);
    char part[VALUE_TEXT_MAX];

    /* The limits are in order if each form of the maximum passes both limits. */
    for (size_t i = 0; low && high && value_choice(row->max_text, i, part, sizeof part); i++) {
        struct value value;
        struct value_fault fault;
        if (!value_parse(row, part, &value, &fault)) {
            complain(check, row, "its minimum is above its maximum");
        }
    }
}

static void check_choices(struct check *check, const struct param_row *row)
{
    char a[VALUE_TEXT_MAX];
    char b[VALUE_TEXT_MAX];

    if (row->choices == NULL) {
        complain(check, row, "has no choices");
        return;
    }
    for (size_t i = 0; value_choice(row->choices, i, a, sizeof a); i++) {
        if (!is_choice(a)) {
            complain(check, row, "the choice '%s' is not a name", a);
        }
        for (size_t j = 0; j < i; j++) {
            if (value_choice(row->choices, j, b, sizeof b) && strcmp(a, b) == 0) {
                complain(check, row, "the choice '%s' is given twice", a);
            }
        }
    }
}

static void check_row(struct check *check, const struct param_group *group,
                      const struct param_row *row)
{
    struct value value;
    struct value_fault fault;

    if (!is_name(row->section) || strcmp(row->section, "setup") == 0 || !is_name(row->name)) {
        complain(check, row, "not a name that a profile can spell, or one that is reserved");
        return;
    }
    if (row->text == NULL || row->text[0] == '\0' || strchr(row->text, '\n') != NULL) {
        complain(check, row, "has no text of one line");
    }
    if (group->base > check->table->total || row->offset > check->table->total - group->base ||
        value_bytes(row->kind) > check->table->total - group->base - row->offset) {
        complain(check, row, "its field lies outside the whole");
    }
    bool before = check->good;
    check->good = true;
    if (row->kind == PARAM_ENUM) {
        check_choices(check, row);
    } else if (units_is_number(row->kind)) {
        check_number(check, row);
    }
    bool usable = check->good;
    check->good = before && usable;
    if (usable && row->default_text == NULL) {
        complain(check, row, "has no default");
    } else if (usable && !value_parse(row, row->default_text, &value, &fault)) {
        complain(check, row, "its default: %s", fault.message);
    }
}

static void check_pair(struct check *check, const struct param_group *group,
                       const struct param_row *row, const struct param_group *other_group,
                       const struct param_row *other)
{
    size_t start = group->base + row->offset;
    size_t other_start = other_group->base + other->offset;
    bool same_section =
        row->section != NULL && other->section != NULL && strcmp(row->section, other->section) == 0;

    if (same_section && row->name != NULL && other->name != NULL &&
        strcmp(row->name, other->name) == 0) {
        complain(check, row, "declared twice");
    } else if (same_section && group != other_group &&
               (check->options & CONFIG_SECTIONS_ACROSS_GROUPS) == 0) {
        complain(check, row, "another group has declared this section already");
    }
    if (start < other_start + value_bytes(other->kind) &&
        other_start < start + value_bytes(row->kind)) {
        complain(check, row, "its field lies on that of %s.%s", other->section, other->name);
    }
}

bool config_table_check(const struct param_table *table, unsigned options, struct diag *diag)
{
    struct check check = {table, options, diag, true};

    for (size_t g = 0; g < table->count; g++) {
        const struct param_group *group = &table->groups[g];
        for (size_t r = 0; r < group->count; r++) {
            check_row(&check, group, &group->rows[r]);
            for (size_t before = 0; before <= g; before++) {
                const struct param_group *other = &table->groups[before];
                size_t count = before == g ? r : other->count;
                for (size_t i = 0; i < count; i++) {
                    check_pair(&check, group, &group->rows[r], other, &other->rows[i]);
                }
            }
        }
    }
    return check.good;
}
