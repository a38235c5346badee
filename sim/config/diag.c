/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Diagnostics: see diag.h.
 */
#include "config/diag.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIAG_INDENT = 4,        /* of the source line and its caret */
    DIAG_WINDOW = 100,      /* widest piece of a source line that is shown, in characters */
    DIAG_WINDOW_BEFORE = 60 /* of these, before the caret */
};

struct diag_entry {
    bool warning;
    char *file;
    unsigned line;
    unsigned column;
    char *source;
    char *message;
};

struct diag {
    struct diag_entry *entries;
    size_t count;
    size_t errors;
    size_t warnings;
};

struct diag *diag_create(void)
{
    return text_alloc(sizeof(struct diag));
}

void diag_destroy(struct diag *diag)
{
    if (diag == NULL) {
        return;
    }
    for (size_t i = 0; i < diag->count; i++) {
        free(diag->entries[i].file);
        free(diag->entries[i].source);
        free(diag->entries[i].message);
    }
    free(diag->entries);
    free(diag);
}

static void add(struct diag *diag, bool warning, const struct diag_place *place, const char *format,
                va_list arguments)
{
    size_t *counter = warning ? &diag->warnings : &diag->errors;

    (*counter)++;
    if (*counter > DIAG_MAX) {
        return;
    }
    diag->entries = text_grow(diag->entries, diag->count, sizeof *diag->entries);
    struct diag_entry *entry = &diag->entries[diag->count++];
    memset(entry, 0, sizeof *entry);
    entry->warning = warning;
    entry->message = text_format_list(format, arguments);
    if (place != NULL && place->file != NULL) {
        entry->file = text_copy(place->file);
        entry->line = place->line;
        entry->column = place->column;
        entry->source = place->source != NULL ? text_copy(place->source) : NULL;
    }
}

void diag_error(struct diag *diag, const struct diag_place *place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diag, false, place, format, arguments);
    va_end(arguments);
}

void diag_warning(struct diag *diag, const struct diag_place *place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(diag, true, place, format, arguments);
    va_end(arguments);
}

size_t diag_errors(const struct diag *diag)
{
    return diag->errors;
}

size_t diag_warnings(const struct diag *diag)
{
    return diag->warnings;
}

/* A file's contents must not be able to steer the terminal. */
static void print_clean(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        fputc(text_is_control(*text) ? '?' : *text, out);
    }
}

/* Bytes of the character at text. */
static size_t character(const char *text)
{
    size_t bytes = 1;

    while (text[bytes] != '\0' && text_columns(text + bytes, 1) == 0) {
        bytes++;
    }
    return bytes;
}

/* The source line, or the piece of a long one around the caret, and the caret under it. Tabs become
 * one space each, so that the caret stands right whatever the terminal makes of tabs. */
static void print_source(const struct diag_entry *entry, FILE *out)
{
    static const char dots[] = "...";
    size_t total = text_columns(entry->source, strlen(entry->source));
    size_t caret = entry->column > 0 ? entry->column - 1 : 0;
    size_t first = 0;

    if (total > DIAG_WINDOW && caret > DIAG_WINDOW_BEFORE) {
        first = caret - DIAG_WINDOW_BEFORE;
    }
    fprintf(out, "%*s%s", DIAG_INDENT, "", first > 0 ? dots : "");
    const char *text = entry->source;
    for (size_t at = 0; *text != '\0' && at < first + DIAG_WINDOW; at++) {
        size_t bytes = character(text);
        if (at >= first) {
            if (*text == '\t') {
                fputc(' ', out);
            } else if (text_is_control(*text)) {
                fputc('?', out);
            } else {
                fwrite(text, 1, bytes, out);
            }
        }
        text += bytes;
    }
    fprintf(out, "%s\n", *text != '\0' ? dots : "");
    if (entry->column > 0) {
        size_t blanks = caret - first + (first > 0 ? sizeof dots - 1 : 0);
        fprintf(out, "%*s%*s^\n", DIAG_INDENT, "", (int)blanks, "");
    }
}

static void print_entry(const struct diag_entry *entry, FILE *out)
{
    if (entry->file != NULL) {
        print_clean(entry->file, out);
        if (entry->line > 0) {
            fprintf(out, ":%u:%u", entry->line, entry->column);
        }
        fputs(": ", out);
    }
    if (entry->warning) {
        fputs("warning: ", out);
    }
    print_clean(entry->message, out);
    fputc('\n', out);
    if (entry->source != NULL) {
        print_source(entry, out);
    }
}

static void print_rest(size_t count, const char *what, FILE *out)
{
    if (count > DIAG_MAX) {
        fprintf(out, "and %zu more %s%s\n", count - DIAG_MAX, what,
                count - DIAG_MAX == 1 ? "" : "s");
    }
}

void diag_print(const struct diag *diag, FILE *out)
{
    for (size_t i = 0; i < diag->count; i++) {
        print_entry(&diag->entries[i], out);
    }
    print_rest(diag->errors, "error", out);
    print_rest(diag->warnings, "warning", out);
}
