/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings: see text.h.
 */
#include "config/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_EXIT_NO_MEMORY = 4, TEXT_GROW_FIRST = 8 };

static void *need(void *memory)
{
    if (memory == NULL) {
        fputs("doorbell: out of memory while reading the configuration\n", stderr);
        exit(TEXT_EXIT_NO_MEMORY);
    }
    return memory;
}

void *text_alloc(size_t bytes)
{
    return need(calloc(1, bytes > 0 ? bytes : 1));
}

void *text_grow(void *elements, size_t count, size_t element_bytes)
{
    /* Full exactly at the powers of two from TEXT_GROW_FIRST on, so no capacity need be kept. */
    if (count == 0) {
        return need(realloc(elements, TEXT_GROW_FIRST * element_bytes));
    }
    if (count < TEXT_GROW_FIRST || (count & (count - 1)) != 0) {
        return elements;
    }
    if (count > SIZE_MAX / 2 / element_bytes) {
        return need(NULL);
    }
    return need(realloc(elements, count * 2 * element_bytes));
}

char *text_copy_part(const char *text, size_t bytes)
{
    char *copy = text_alloc(bytes + 1);

    memcpy(copy, text, bytes);
    return copy;
}

char *text_copy(const char *text)
{
    return text_copy_part(text, strlen(text));
}

char *text_format_list(const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        return text_copy("");
    }
    char *text = text_alloc((size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

char *text_format(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = text_format_list(format, arguments);
    va_end(arguments);
    return text;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0u) == 0x80u; /* UTF-8: 10xxxxxx */
}

const char *text_clip(char out[TEXT_CLIP_MAX], const char *text)
{
    static const char dots[] = "...";
    size_t length = strlen(text);

    if (length < TEXT_CLIP_MAX) {
        memcpy(out, text, length + 1);
        return out;
    }
    size_t keep = TEXT_CLIP_MAX - sizeof dots;
    while (keep > 0 && is_continuation(text[keep])) {
        keep--;
    }
    memcpy(out, text, keep);
    memcpy(out + keep, dots, sizeof dots);
    return out;
}

bool text_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool text_is_control(char c)
{
    unsigned char u = (unsigned char)c;

    return u < 0x20u || u == 0x7fu;
}

size_t text_columns(const char *text, size_t bytes)
{
    size_t columns = 0;

    for (size_t i = 0; i < bytes; i++) {
        if (!is_continuation(text[i])) {
            columns++;
        }
    }
    return columns;
}

const char *text_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Removes "." and "name/.." in place, by text alone: the file system is not asked, so that the same
 * profile gives the same names on every machine. A ".." that has nothing to remove stays. */
static void fold_dots(char *path)
{
    bool absolute = path[0] == '/';
    char *root = absolute ? path + 1 : path;
    char *end = root; /* where the next component goes */
    const char *from = root;

    while (*from != '\0') {
        size_t length = strcspn(from, "/");
        const char *next = from + length + (from[length] == '/' ? 1 : 0);
        bool up = length == 2 && from[0] == '.' && from[1] == '.';

        if (length == 0 || (length == 1 && from[0] == '.')) {
            from = next;
            continue;
        }
        if (up && end > root) {
            char *last = end - 1; /* on the slash behind the component to remove */
            while (last > root && last[-1] != '/') {
                last--;
            }
            bool removable = !(end - last == 3 && last[0] == '.' && last[1] == '.');
            if (removable) {
                end = last;
                from = next;
                continue;
            }
        }
        if (up && absolute && end == root) {
            from = next; /* above the root is the root */
            continue;
        }
        bool more = from[length] != '\0';
        memmove(end, from, length);
        end += length;
        if (!more) {
            break;
        }
        *end++ = '/';
        from = next;
    }
    *end = '\0';
}

char *text_path_beside(const char *from, const char *relative)
{
    size_t directory = (size_t)(text_path_base(from) - from);
    char *path = text_format("%.*s%s", (int)directory, from, relative);

    fold_dots(path);
    return path;
}

static int lower(char c)
{
    return tolower((unsigned char)c);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
    size_t rows[3][TEXT_NAME_MAX + 1];
    size_t alength = strlen(a);
    size_t blength = strlen(b);

    if (alength > TEXT_NAME_MAX || blength > TEXT_NAME_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= blength; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= alength; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= blength; j++) {
            size_t change = above[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]) ? 1 : 0);
            row[j] = smaller(change, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = smaller(row[j], rows[(i - 2) % 3][j - 2] + 1);
            }
        }
    }
    return rows[alength % 3][blength];
}

void text_nearest_start(struct text_nearest *nearest, const char *wanted)
{
    nearest->wanted = wanted;
    nearest->best = NULL;
    nearest->distance = SIZE_MAX;
}

void text_nearest_try(struct text_nearest *nearest, const char *candidate)
{
    /* A third of the letters may be wrong, but never all of a short name. */
    size_t length = strlen(nearest->wanted);
    size_t limit = length < 2 ? 0 : length < 6 ? 1 : length / 3;
    size_t distance = text_distance(nearest->wanted, candidate);

    if (distance <= limit && distance < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}
