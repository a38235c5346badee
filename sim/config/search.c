/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where profiles are: see search.h.
 */
#include "config/search.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/ini.h"
#include "config/text.h"

static const char suffix[] = ".ini";

enum { SEARCH_HINT_MAX = 12 }; /* names listed when none is near */

void search_add(struct search *search, const char *directory)
{
    search->directories =
        text_grow(search->directories, search->count, sizeof *search->directories);
    search->directories[search->count++] = text_copy(directory);
}

void search_add_list(struct search *search, const char *list)
{
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ":");
        if (length > 0) {
            char *directory = text_copy_part(list, length);
            search_add(search, directory);
            free(directory);
        }
        list += length + (list[length] == ':' ? 1 : 0);
    }
}

void search_clear(struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        free(search->directories[i]);
    }
    free(search->directories);
    search->directories = NULL;
    search->count = 0;
}

static bool has_suffix(const char *name)
{
    size_t length = strlen(name);

    return length >= sizeof suffix - 1 && strcmp(name + length - (sizeof suffix - 1), suffix) == 0;
}

bool search_is_path(const char *name)
{
    return strchr(name, '/') != NULL || has_suffix(name);
}

bool search_find(const struct search *search, const char *subdirectory, const char *name,
                 char **path, char **shown)
{
    for (size_t i = 0; name[0] != '\0' && i < search->count; i++) {
        char *try = text_format("%s/%s/%s%s", search->directories[i], subdirectory, name, suffix);
        /* One that exists but cannot be read is found: reading it will say why it cannot. */
        if (access(try, F_OK) == 0) {
            *path = try;
            *shown = text_format("%s/%s%s", subdirectory, name, suffix);
            return true;
        }
        free(try);
    }
    return false;
}

static bool is_known(const struct search_name *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct search_name *x = a;
    const struct search_name *y = b;

    return strcmp(x->name, y->name);
}

struct search_name *search_names(const struct search *search, const char *subdirectory,
                                 size_t *count)
{
    struct search_name *names = NULL;
    const struct dirent *item;

    *count = 0;
    for (size_t i = 0; i < search->count; i++) {
        char *directory = text_format("%s/%s", search->directories[i], subdirectory);
        DIR *stream = opendir(directory);
        while (stream != NULL && (item = readdir(stream)) != NULL) {
            size_t length = strlen(item->d_name);
            if (item->d_name[0] == '.' || !has_suffix(item->d_name)) {
                continue;
            }
            char *name = text_copy_part(item->d_name, length - (sizeof suffix - 1));
            if (is_known(names, *count, name)) {
                free(name);
                continue;
            }
            names = text_grow(names, *count, sizeof *names);
            names[*count].name = name;
            names[*count].path = text_format("%s/%s", directory, item->d_name);
            (*count)++;
        }
        if (stream != NULL) {
            (void)closedir(stream);
        }
        free(directory);
    }
    if (*count > 0) {
        qsort(names, *count, sizeof *names, by_name);
    }
    return names;
}

void search_names_free(struct search_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i].name);
        free(names[i].path);
    }
    free(names);
}

char *search_hint(const struct search *search, const char *subdirectory, const char *name)
{
    struct text_nearest nearest;
    size_t count = 0;
    struct search_name *names = search_names(search, subdirectory, &count);
    char *hint;

    text_nearest_start(&nearest, name);
    for (size_t i = 0; i < count; i++) {
        text_nearest_try(&nearest, names[i].name);
    }
    if (nearest.best != NULL) {
        hint = text_format("; did you mean '%s'?", nearest.best);
    } else if (count == 0) {
        hint = text_format("; there is no %s/*.ini in the search path", subdirectory);
    } else {
        hint = text_copy("; allowed:");
        for (size_t i = 0; i < count && i <= SEARCH_HINT_MAX; i++) {
            bool more = i == SEARCH_HINT_MAX;
            char *longer =
                text_format("%s%s %s", hint, i > 0 ? "," : "", more ? "..." : names[i].name);
            free(hint);
            hint = longer;
        }
    }
    search_names_free(names, count);
    return hint;
}

char *search_description(const char *path)
{
    static const char licence[] = "SPDX-";
    char line[INI_LINE_MAX];
    char *description = NULL;
    FILE *file = fopen(path, "rb");

    while (file != NULL && description == NULL && fgets(line, sizeof line, file) != NULL) {
        const char *text = line + strspn(line, "; #\t");
        bool comment = line[0] == ';' || line[0] == '#';
        size_t length = strcspn(text, "\r\n");

        if (!comment && length > 0) {
            break; /* the file's contents start without a description */
        }
        if (comment && length > 0 && strncmp(text, licence, sizeof licence - 1) != 0) {
            while (length > 0 && text_is_blank(text[length - 1])) {
                length--;
            }
            description = text_copy_part(text, length);
            for (char *c = description; *c != '\0'; c++) {
                *c = text_is_control(*c) ? '?' : *c;
            }
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return description != NULL ? description : text_copy("");
}
