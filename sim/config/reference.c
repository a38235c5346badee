/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parameter reference: see reference.h.
 */
#include "config/reference.h"

#include <string.h>

#include "config/units.h"
#include "config/value.h"

const char *reference_kind_name(enum param_kind kind)
{
    switch (kind) {
    case PARAM_TIME:
        return "time";
    case PARAM_COST:
        return "time or cycles";
    case PARAM_SIZE:
        return "size";
    case PARAM_RATE:
        return "rate";
    case PARAM_FREQ:
        return "frequency";
    case PARAM_COUNT:
        return "count";
    case PARAM_RATIO:
        return "percentage";
    case PARAM_BOOL:
        return "yes or no";
    case PARAM_ENUM:
        return "choice";
    case PARAM_TEXT:
        break;
    }
    return "text";
}

/* Goes through the rows by section, in the order in which sections first appear. */
struct walk {
    const struct param_table *table;
    const char *section;
    size_t group;
    size_t row;
};

static const struct param_row *next_row(struct walk *walk)
{
    for (; walk->group < walk->table->count; walk->group++, walk->row = 0) {
        const struct param_group *group = &walk->table->groups[walk->group];
        while (walk->row < group->count) {
            const struct param_row *row = &group->rows[walk->row++];
            if (walk->section == NULL || strcmp(row->section, walk->section) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

static bool is_first_of_section(const struct param_table *table, const struct param_row *row)
{
    struct walk walk = {table, row->section, 0, 0};

    return next_row(&walk) == row;
}

static void print_text_row(const struct param_row *row, FILE *out)
{
    char allowed[VALUE_MESSAGE_MAX];

    value_allowed(row, allowed, sizeof allowed);
    fprintf(out, "  %s = %s\n      %s\n      allowed: %s\n", row->name,
            row->default_text[0] != '\0' ? row->default_text : "\"\"", row->text, allowed);
}

bool reference_print_text(const struct param_table *table, const char *section, FILE *out)
{
    struct walk all = {table, section, 0, 0};
    const struct param_row *row;
    bool any = false;

    while ((row = next_row(&all)) != NULL) {
        if (!is_first_of_section(table, row)) {
            continue;
        }
        struct walk own = {table, row->section, 0, 0};
        fprintf(out, "%s[%s]\n", any ? "\n" : "", row->section);
        while ((row = next_row(&own)) != NULL) {
            print_text_row(row, out);
        }
        any = true;
    }
    return any;
}

/* A cell of a Markdown table: '|' would end it. */
static void print_cell(const char *text, FILE *out)
{
    fputs(" ", out);
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<' || *text == '*') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
    fputs(" |", out);
}

static void print_markdown_row(const struct param_row *row, FILE *out)
{
    char limits[VALUE_MESSAGE_MAX];

    value_limits(row, limits, sizeof limits);
    fprintf(out, "| `%s` |", row->name);
    print_cell(reference_kind_name(row->kind), out);
    print_cell(row->default_text[0] != '\0' ? row->default_text : "(empty)", out);
    print_cell(limits, out);
    print_cell(row->text, out);
    fputc('\n', out);
}

static void print_markdown_units(FILE *out)
{
    static const enum param_kind kinds[] = {PARAM_TIME, PARAM_COST,  PARAM_SIZE,  PARAM_RATE,
                                            PARAM_FREQ, PARAM_COUNT, PARAM_RATIO, PARAM_BOOL,
                                            PARAM_ENUM, PARAM_TEXT};
    char names[VALUE_TEXT_MAX];

    fputs("| Kind | Units |\n|---|---|\n", out);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        units_names(kinds[i], names, sizeof names);
        fprintf(out, "| %s | %s |\n", reference_kind_name(kinds[i]),
                names[0] != '\0'            ? names
                : units_is_number(kinds[i]) ? "none; decimal, or hexadecimal with 0x"
                                            : "none");
    }
}

void reference_print_markdown(const struct param_table *table, FILE *out)
{
    struct walk all = {table, NULL, 0, 0};
    const struct param_row *row;

    fputs("# Parameters\n\n"
          "Made from the parameter table by `doorbell list parameters-markdown`; do not edit.\n\n",
          out);
    print_markdown_units(out);
    while ((row = next_row(&all)) != NULL) {
        if (!is_first_of_section(table, row)) {
            continue;
        }
        struct walk own = {table, row->section, 0, 0};
        fprintf(out, "\n## [%s]\n\n", row->section);
        fputs("| Key | Kind | Default | Limits | Meaning |\n|---|---|---|---|---|\n", out);
        while ((row = next_row(&own)) != NULL) {
            print_markdown_row(row, out);
        }
    }
}
