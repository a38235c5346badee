/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reader of one file in the INI dialect: see ini.h.
 */
#include "config/ini.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"

struct reader {
    struct ini_file *file;
    struct diag *diag;
    const char *line; /* the current one, NUL at its end */
    unsigned number;
    char *section;
    bool good;
};

static void complain(struct reader *reader, size_t offset, const char *what)
{
    struct diag_place place = {reader->file->path, reader->number,
                               (unsigned)text_columns(reader->line, offset) + 1, reader->line};

    diag_error(reader->diag, &place, "%s", what);
    reader->good = false;
}

static struct ini_entry *add_entry(struct reader *reader, size_t offset)
{
    struct ini_file *file = reader->file;

    file->entries = text_grow(file->entries, file->count, sizeof *file->entries);
    struct ini_entry *entry = &file->entries[file->count++];
    memset(entry, 0, sizeof *entry);
    entry->section = text_copy(reader->section);
    entry->line = reader->number;
    entry->column = (unsigned)text_columns(reader->line, offset) + 1;
    entry->source = text_copy(reader->line);
    return entry;
}

static bool is_name(const char *text, size_t length)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    return length > 0 && strspn(text, letters) >= length;
}

/* Where the value starting at `text` ends: before a comment, and without blanks behind it. A
 * comment starts at ';' or '#' behind a blank (or at the very start if something blank went
 * before), outside quotes. */
static size_t value_length(const char *text)
{
    size_t i = 0;
    size_t end = 0;

    if (text[0] == '"') {
        size_t close = 1;
        while (text[close] != '\0' && text[close] != '"') {
            bool escape =
                text[close] == '\\' && (text[close + 1] == '"' || text[close + 1] == '\\');
            close += escape ? 2 : 1;
        }
        if (text[close] == '"') {
            i = close + 1;
            end = i;
        }
    }
    for (; text[i] != '\0'; i++) {
        if ((text[i] == ';' || text[i] == '#') && i > 0 && text_is_blank(text[i - 1])) {
            break;
        }
        if (!text_is_blank(text[i])) {
            end = i + 1;
        }
    }
    return end;
}

static size_t skip_blanks(const char *line, size_t at)
{
    while (text_is_blank(line[at])) {
        at++;
    }
    return at;
}

static bool is_end_or_comment(char c)
{
    return c == '\0' || c == ';' || c == '#';
}

static void read_header(struct reader *reader, size_t at)
{
    const char *line = reader->line;
    size_t name = skip_blanks(line, at + 1);
    size_t close = name + strcspn(line + name, "]");
    size_t end = close;

    while (end > name && text_is_blank(line[end - 1])) {
        end--;
    }
    /* The lines up to the next header are read as a section without name, which nobody looks at. */
    free(reader->section);
    reader->section = text_copy("]");
    if (line[close] == '\0') {
        complain(reader, close, "the section's name has no closing ']'");
    } else if (!is_name(line + name, end - name)) {
        complain(reader, name, "expected the name of a section: letters, digits, '_', '-' and '.'");
    } else if (!is_end_or_comment(line[skip_blanks(line, close + 1)])) {
        complain(reader, skip_blanks(line, close + 1), "something follows the section's ']'");
    } else {
        free(reader->section);
        reader->section = text_copy_part(line + name, end - name);
        (void)add_entry(reader, name);
    }
}

static void read_line(struct reader *reader)
{
    const char *line = reader->line;
    size_t at = skip_blanks(line, 0);

    if (is_end_or_comment(line[at])) {
        return;
    }
    if (line[at] == '[') {
        read_header(reader, at);
        return;
    }
    size_t equals = at + strcspn(line + at, "=");
    size_t end = equals;
    while (end > at && text_is_blank(line[end - 1])) {
        end--;
    }
    if (line[equals] == '\0' || !is_name(line + at, end - at)) {
        complain(reader, at, "expected 'key = value', '[section]' or a comment");
        return;
    }
    size_t value = skip_blanks(line, equals + 1);
    struct ini_entry *entry = add_entry(reader, at);
    entry->key = text_copy_part(line + at, end - at);
    entry->value_offset = (unsigned)value;
    bool comment = value > equals + 1 && is_end_or_comment(line[value]);
    entry->value = text_copy_part(line + value, comment ? 0 : value_length(line + value));
}

/* Everything in the stream, NUL-terminated; false if it cannot be read. */
static bool read_all(FILE *stream, char **contents, size_t *bytes)
{
    *contents = text_alloc(INI_FILE_MAX + 2);
    errno = 0;
    *bytes = fread(*contents, 1, INI_FILE_MAX + 1, stream);
    return !ferror(stream);
}

static void read_lines(struct reader *reader, char *contents, size_t bytes)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    char *at = contents;
    char *end = contents + bytes;

    if (bytes >= 3 && memcmp(at, byte_order_mark, 3) == 0) {
        at += 3;
    }
    while (at < end) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline != NULL ? newline : end;
        char *next = newline != NULL ? newline + 1 : end;
        size_t length = (size_t)(stop - at);

        if (newline != NULL && length > 0 && stop[-1] == '\r') {
            length--;
        }
        reader->number++;
        reader->line = at;
        at[length] = '\0';
        if (strlen(at) < length) {
            complain(reader, strlen(at), "a NUL byte: this is not a text file");
            return;
        }
        if (length > INI_LINE_MAX) {
            at[INI_LINE_MAX] = '\0';
            complain(reader, INI_LINE_MAX, "the line is longer than 4096 bytes");
        } else {
            read_line(reader);
        }
        at = next;
    }
}

struct ini_file *ini_read(const char *path, const char *shown, const char *what,
                          const struct diag_place *opened_from, struct diag *diag, bool *good)
{
    struct ini_file *file = text_alloc(sizeof *file);
    struct reader reader = {file, diag, "", 0, text_copy(""), true};
    char *contents = NULL;
    size_t bytes = 0;

    file->path = text_copy(path);
    file->shown = text_copy(shown);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        diag_error(diag, opened_from, "%s: cannot open '%s': %s", what, path, strerror(errno));
        reader.good = false;
    } else if (!read_all(stream, &contents, &bytes)) {
        diag_error(diag, opened_from, "%s: cannot read '%s': %s", what, path, strerror(errno));
        reader.good = false;
    } else if (bytes > INI_FILE_MAX) {
        diag_error(diag, opened_from, "%s: '%s' is longer than 1 MiB", what, path);
        reader.good = false;
    } else {
        read_lines(&reader, contents, bytes);
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
    free(contents);
    free(reader.section);
    *good = reader.good;
    return file;
}

void ini_free(struct ini_file *file)
{
    if (file == NULL) {
        return;
    }
    for (size_t i = 0; i < file->count; i++) {
        free(file->entries[i].section);
        free(file->entries[i].key);
        free(file->entries[i].value);
        free(file->entries[i].source);
    }
    free(file->entries);
    free(file->path);
    free(file->shown);
    free(file);
}

struct diag_place ini_key_place(const struct ini_file *file, const struct ini_entry *entry)
{
    struct diag_place place = {file->path, entry->line, entry->column, entry->source};

    return place;
}

struct diag_place ini_value_place(const struct ini_file *file, const struct ini_entry *entry,
                                  size_t offset)
{
    struct diag_place place = {file->path, entry->line, 0, entry->source};

    place.column = (unsigned)text_columns(entry->source, entry->value_offset + offset) + 1;
    return place;
}
