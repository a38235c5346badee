/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration of a run: creation, single assignments, and what the rooms get. See config.h;
 * profiles are loaded in config_load.c, printing is in config_dump.c.
 */
#include "config/config_private.h"

#include <stdlib.h>
#include <string.h>

#include "config/text.h"

#define COMBINATION_KEYS_MAX 6 /* whose origins one message gives */

static const char built_in[] = "built-in";

struct config *config_create(const struct param_table *table)
{
    struct config *config = text_alloc(sizeof *config);
    struct value_fault fault;

    config->table = table;
    for (size_t g = 0; g < table->count; g++) {
        config->count += table->groups[g].count;
    }
    config->entries = text_alloc(config->count * sizeof *config->entries);
    struct config_entry *entry = config->entries;
    for (size_t g = 0; g < table->count; g++) {
        const struct param_group *group = &table->groups[g];
        for (size_t r = 0; r < group->count; r++, entry++) {
            entry->row = &group->rows[r];
            entry->base = group->base;
            entry->level = CONFIG_BUILT_IN;
            entry->origin = text_copy(built_in);
            /* A default that is no value is a mistake in the table: config_apply() says so. */
            (void)value_parse(entry->row, entry->row->default_text, &entry->value, &fault);
        }
    }
    return config;
}

void config_destroy(struct config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->count; i++) {
        free(config->entries[i].origin);
    }
    for (size_t kind = 0; kind < CONFIG_KINDS; kind++) {
        free(config->members[kind]);
    }
    search_clear(&config->search);
    free(config->entries);
    free(config);
}

void config_allow(struct config *config, enum config_kind kind, const char *const *sections)
{
    config->allowed[kind] = sections;
}

struct config_entry *config_find(const struct config *config, const char *section, const char *key)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct param_row *row = config->entries[i].row;
        if (strcmp(row->section, section) == 0 && strcmp(row->name, key) == 0) {
            return &config->entries[i];
        }
    }
    return NULL;
}

bool config_has_section(const struct config *config, const char *section)
{
    for (size_t i = 0; i < config->count; i++) {
        if (strcmp(config->entries[i].row->section, section) == 0) {
            return true;
        }
    }
    return false;
}

bool config_is_first_of_section(const struct config *config, size_t i)
{
    for (size_t before = 0; before < i; before++) {
        if (strcmp(config->entries[before].row->section, config->entries[i].row->section) == 0) {
            return false;
        }
    }
    return true;
}

void config_assign(struct config_entry *entry, const struct value *value, enum config_level level,
                   const char *origin)
{
    if (level < entry->level) {
        return;
    }
    entry->value = *value;
    entry->level = level;
    free(entry->origin);
    entry->origin = text_copy(origin);
}

char *config_key_hint(const struct config *config, const char *section, const char *key)
{
    struct text_nearest nearest;
    const struct param_row *best = NULL;

    /* First the section's own keys; then the same key in another section. */
    text_nearest_start(&nearest, key);
    for (size_t i = 0; i < config->count; i++) {
        const struct param_row *row = config->entries[i].row;
        const char *before = nearest.best;
        if (strcmp(row->section, section) == 0) {
            text_nearest_try(&nearest, row->name);
        }
        best = nearest.best != before ? row : best;
    }
    for (size_t i = 0; best == NULL && i < config->count; i++) {
        if (strcmp(config->entries[i].row->name, key) == 0) {
            best = config->entries[i].row;
        }
    }
    if (best == NULL) {
        return text_copy("; see 'doorbell list parameters'");
    }
    return text_format("; did you mean '%s.%s'?", best->section, best->name);
}

static void join(char **list, const char *name)
{
    char *longer = text_format("%s%s%s", *list, (*list)[0] != '\0' ? ", " : "", name);

    free(*list);
    *list = longer;
}

char *config_section_hint(const struct config *config, const char *section,
                          const char *const *allowed)
{
    struct text_nearest nearest;
    char *list = text_copy("");
    char *hint;

    text_nearest_start(&nearest, section);
    for (size_t i = 0; allowed == NULL && i < config->count; i++) {
        if (config_is_first_of_section(config, i)) {
            text_nearest_try(&nearest, config->entries[i].row->section);
            join(&list, config->entries[i].row->section);
        }
    }
    for (size_t i = 0; allowed != NULL && allowed[i] != NULL; i++) {
        text_nearest_try(&nearest, allowed[i]);
        join(&list, allowed[i]);
    }
    if (nearest.best != NULL) {
        hint = text_format("; allowed: %s; did you mean '%s'?", list, nearest.best);
    } else {
        hint = text_format("; allowed: %s", list);
    }
    free(list);
    return hint;
}

static const char *level_origin(enum config_level level)
{
    return level == CONFIG_ENVIRONMENT ? "DOORBELL_SET" : "-s";
}

/* The first column of `text` that is no blank, and text without blanks at its end. */
static char *trimmed_part(const char *text, size_t *start, size_t end)
{
    while (*start < end && text_is_blank(text[*start])) {
        (*start)++;
    }
    while (end > *start && text_is_blank(text[end - 1])) {
        end--;
    }
    return text_copy_part(text + *start, end - *start);
}

struct assignment {
    const char *text;
    char *section;
    char *key;
    size_t section_at, key_at, value_at;
};

static struct diag_place place_in(const struct assignment *assignment, enum config_level level,
                                  size_t offset)
{
    struct diag_place place = {level_origin(level), 0,
                               (unsigned)text_columns(assignment->text, offset) + 1,
                               assignment->text};
    return place;
}

static bool set_parsed(struct config *config, const struct assignment *a, enum config_level level,
                       struct diag *diag)
{
    struct diag_place place = place_in(a, level, a->key_at);
    struct value_fault fault;
    struct value value;

    struct config_entry *entry = config_find(config, a->section, a->key);
    if (entry == NULL && !config_has_section(config, a->section)) {
        char *hint = config_section_hint(config, a->section, NULL);
        place = place_in(a, level, a->section_at);
        diag_error(diag, &place, "%s: unknown section%s", a->section, hint);
        free(hint);
        return false;
    }
    if (entry == NULL) {
        char *hint = config_key_hint(config, a->section, a->key);
        diag_error(diag, &place, "%s.%s: unknown key%s", a->section, a->key, hint);
        free(hint);
        return false;
    }
    if (!value_parse(entry->row, a->text + a->value_at, &value, &fault)) {
        place = place_in(a, level, a->value_at + fault.offset);
        diag_error(diag, &place, "%s.%s: %s", a->section, a->key, fault.message);
        return false;
    }
    config_assign(entry, &value, level, level_origin(level));
    return true;
}

bool config_set(struct config *config, const char *assignment, enum config_level level,
                struct diag *diag)
{
    struct assignment a = {assignment, NULL, NULL, 0, 0, 0};
    size_t equals = strcspn(assignment, "=");
    size_t dot = strcspn(assignment, ".=");
    bool good = assignment[equals] == '=' && assignment[dot] == '.';

    if (good) {
        a.key_at = dot + 1;
        a.value_at = equals + 1;
        a.section = trimmed_part(assignment, &a.section_at, dot);
        a.key = trimmed_part(assignment, &a.key_at, equals);
        good = set_parsed(config, &a, level, diag);
        free(a.section);
        free(a.key);
    } else {
        struct diag_place place = place_in(&a, level, 0);
        char clip[TEXT_CLIP_MAX];
        diag_error(diag, &place, "'%s' is no assignment; allowed: section.key=value",
                   text_clip(clip, assignment));
    }
    config->failed = config->failed || !good;
    return good;
}

bool config_set_list(struct config *config, const char *assignments, enum config_level level,
                     struct diag *diag)
{
    bool good = true;

    while (*assignments != '\0') {
        size_t length = 0;
        size_t start = 0;
        bool quoted = false;
        while (assignments[length] != '\0' && (quoted || assignments[length] != ';')) {
            if (quoted && assignments[length] == '\\' && assignments[length + 1] != '\0') {
                length++;
            } else if (assignments[length] == '"') {
                quoted = !quoted;
            }
            length++;
        }
        char *one = trimmed_part(assignments, &start, length);
        if (one[0] != '\0') {
            good = config_set(config, one, level, diag) && good;
        }
        free(one);
        assignments += length + (assignments[length] == ';' ? 1 : 0);
    }
    return good;
}

bool config_set_environment(struct config *config, struct diag *diag)
{
    const char *assignments = getenv("DOORBELL_SET");

    return assignments == NULL || config_set_list(config, assignments, CONFIG_ENVIRONMENT, diag);
}

static bool defaults_are_good(const struct config *config, struct diag *diag)
{
    struct value_fault fault;
    struct value value;
    bool good = true;

    for (size_t i = 0; i < config->count; i++) {
        const struct param_row *row = config->entries[i].row;
        if (!value_parse(row, row->default_text, &value, &fault)) {
            diag_error(diag, NULL, "%s: %s.%s: %s", built_in, row->section, row->name,
                       fault.message);
            good = false;
        }
    }
    return good;
}

bool config_apply(const struct config *config, void *whole, struct diag *diag)
{
    if (!defaults_are_good(config, diag) || config->failed) {
        return false;
    }
    for (size_t i = 0; i < config->count; i++) {
        const struct config_entry *entry = &config->entries[i];
        value_store(entry->row, &entry->value, (unsigned char *)whole + entry->base);
    }
    return true;
}

const char *config_origin(const struct config *config, const char *section, const char *key)
{
    const struct config_entry *entry = config_find(config, section, key);

    return entry != NULL ? entry->origin : NULL;
}

/* The next "section.key" of the table in the text, whole words only; NULL at the end. */
static const struct config_entry *next_key(const struct config *config, const char **text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    for (const char *at = *text; *at != '\0';) {
        size_t section = strspn(at, name);
        size_t key = section > 0 && at[section] == '.' ? strspn(at + section + 1, name) : 0;
        const struct config_entry *entry = NULL;
        if (key > 0) {
            char *words[] = {text_copy_part(at, section), text_copy_part(at + section + 1, key)};
            entry = config_find(config, words[0], words[1]);
            free(words[0]);
            free(words[1]);
        }
        at += key > 0 ? section + 1 + key : section > 0 ? section : 1;
        *text = at;
        if (entry != NULL) {
            return entry;
        }
    }
    return NULL;
}

void config_combination(const struct config *config, const char *sentence, struct diag *diag)
{
    const struct config_entry *named[COMBINATION_KEYS_MAX];
    const struct config_entry *entry;
    const char *text = sentence;
    char *origins = text_copy("");
    size_t count = 0;

    while (count < COMBINATION_KEYS_MAX && (entry = next_key(config, &text)) != NULL) {
        size_t seen = 0;
        while (seen < count && named[seen] != entry) {
            seen++;
        }
        if (seen < count) {
            continue;
        }
        named[count++] = entry;
        if (count > 1) {
            char *longer = text_format("%s%s%s.%s: %s", origins, count > 2 ? "; " : "",
                                       entry->row->section, entry->row->name, entry->origin);
            free(origins);
            origins = longer;
        }
    }
    struct diag_place place = {.file = count > 0 ? named[0]->origin : NULL};
    diag_error(diag, &place, count > 1 ? "%s (%s)" : "%s%s", sentence, origins);
    free(origins);
}
