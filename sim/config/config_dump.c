/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration as text: the dump with origins, the plain one, its hash, and the list of
 * profiles. See config.h.
 */
#include "config/config_private.h"

#include <stdlib.h>
#include <string.h>

#include "config/text.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

static int at_least(int width, const char *text)
{
    int length = (int)text_columns(text, strlen(text));

    return length > width ? length : width;
}

static void print_origin(const char *origin, FILE *out)
{
    for (; *origin != '\0'; origin++) {
        fputc(text_is_control(*origin) ? '?' : *origin, out);
    }
}

/* The rows of one section, in columns. */
static void dump_section(const struct config *config, const char *section, FILE *out)
{
    char value[VALUE_TEXT_MAX];
    int key_width = 0;
    int value_width = 0;

    for (size_t i = 0; i < config->count; i++) {
        const struct config_entry *entry = &config->entries[i];
        if (strcmp(entry->row->section, section) == 0) {
            value_print(entry->row, &entry->value, value);
            key_width = at_least(key_width, entry->row->name);
            value_width = at_least(value_width, value);
        }
    }
    fprintf(out, "[%s]\n", section);
    for (size_t i = 0; i < config->count; i++) {
        const struct config_entry *entry = &config->entries[i];
        if (strcmp(entry->row->section, section) == 0) {
            value_print(entry->row, &entry->value, value);
            int blanks = value_width - (int)text_columns(value, strlen(value));
            fprintf(out, "%-*s = %s%*s ; ", key_width, entry->row->name, value, blanks, "");
            print_origin(entry->origin, out);
            fputc('\n', out);
        }
    }
}

void config_dump(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config->count; i++) {
        if (config_is_first_of_section(config, i)) {
            fputs(i > 0 ? "\n" : "", out);
            dump_section(config, config->entries[i].row->section, out);
        }
    }
}

/* Calls emit for each piece of the plain dump. */
static void emit_plain(const struct config *config, void (*emit)(void *ctx, const char *text),
                       void *ctx)
{
    char value[VALUE_TEXT_MAX];

    for (size_t i = 0; i < config->count; i++) {
        if (!config_is_first_of_section(config, i)) {
            continue;
        }
        const char *section = config->entries[i].row->section;
        emit(ctx, "[");
        emit(ctx, section);
        emit(ctx, "]\n");
        for (size_t j = i; j < config->count; j++) {
            const struct config_entry *entry = &config->entries[j];
            if (strcmp(entry->row->section, section) == 0) {
                value_print(entry->row, &entry->value, value);
                emit(ctx, entry->row->name);
                emit(ctx, " = ");
                emit(ctx, value);
                emit(ctx, "\n");
            }
        }
    }
}

static void emit_to_file(void *ctx, const char *text)
{
    fputs(text, (FILE *)ctx);
}

void config_dump_plain(const struct config *config, FILE *out)
{
    emit_plain(config, emit_to_file, out);
}

static void emit_to_hash(void *ctx, const char *text)
{
    uint64_t *hash = ctx;

    for (; *text != '\0'; text++) {
        *hash = (*hash ^ (unsigned char)*text) * FNV_PRIME;
    }
}

uint64_t config_hash(const struct config *config)
{
    uint64_t hash = FNV_OFFSET;

    emit_plain(config, emit_to_hash, &hash);
    return hash;
}

void config_list_profiles(const struct config *config, enum config_kind kind, config_profile_fn *fn,
                          void *ctx)
{
    size_t count = 0;
    struct search_name *names = search_names(&config->search, config_subdirectories[kind], &count);

    for (size_t i = 0; i < count; i++) {
        char *text = search_description(names[i].path);
        fn(ctx, names[i].name, text);
        free(text);
    }
    search_names_free(names, count);
}
