/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Following extends and include: see chain.h.
 */
#include "config/chain.h"

#include <stdlib.h>
#include <string.h>

#include "config/text.h"

/* The files being read, innermost first: the way on which a loop is found. */
struct link_back {
    const struct link_back *outer;
    const char *path;
    const char *shown;
};

struct walk {
    struct chain *chain;
    const struct chain_source *source;
    struct diag *diag;
};

static bool walk_file(struct walk *walk, const char *path, const char *shown, const char *what,
                      const struct diag_place *from, const struct link_back *outer);

/* "a.ini -> b.ini -> a.ini", from the file that closes the loop on. */
static char *loop_text(const struct link_back *inner, const char *path, const char *shown)
{
    char *text = text_copy(shown);

    for (const struct link_back *at = inner; at != NULL; at = at->outer) {
        char *longer = text_format("%s -> %s", at->shown, text);
        free(text);
        text = longer;
        if (strcmp(at->path, path) == 0) {
            break;
        }
    }
    return text;
}

static bool is_open(const struct link_back *inner, const char *path)
{
    for (const struct link_back *at = inner; at != NULL; at = at->outer) {
        if (strcmp(at->path, path) == 0) {
            return true;
        }
    }
    return false;
}

static bool follow_include(struct walk *walk, const struct ini_file *file,
                           const struct ini_entry *entry, const struct link_back *here)
{
    struct diag_place place = ini_value_place(file, entry, 0);
    const char *value = entry->value;

    if (value[0] == '\0' || value[0] == '/') {
        diag_error(walk->diag, &place,
                   "include: '%s' is no relative path; allowed: a path from this file's directory",
                   value);
        return false;
    }
    char *path = text_path_beside(file->path, value);
    char *shown = text_path_beside(file->shown, value);
    bool good = walk_file(walk, path, shown, "include", &place, here);
    free(path);
    free(shown);
    return good;
}

static bool follow_extends(struct walk *walk, const struct ini_file *file,
                           const struct ini_entry *entry, const struct link_back *here)
{
    const struct chain_source *source = walk->source;
    struct diag_place place = ini_value_place(file, entry, 0);
    char *path = NULL;
    char *shown = NULL;

    if (source->subdirectory == NULL) {
        place = ini_key_place(file, entry);
        diag_error(walk->diag, &place,
                   "extends: only a profile can extend a profile; allowed here: include");
        return false;
    }
    if (search_is_path(entry->value)) {
        diag_error(
            walk->diag, &place,
            "extends: '%s' is a path; allowed: the name of a %s profile (include takes paths)",
            entry->value, source->kind);
        return false;
    }
    if (!search_find(source->search, source->subdirectory, entry->value, &path, &shown)) {
        char *hint = search_hint(source->search, source->subdirectory, entry->value);
        diag_error(walk->diag, &place, "extends: unknown %s profile '%s'%s", source->kind,
                   entry->value, hint);
        free(hint);
        return false;
    }
    bool good = walk_file(walk, path, shown, "extends", &place, here);
    free(path);
    free(shown);
    return good;
}

/* The lines before the first section. */
static bool follow_directives(struct walk *walk, const struct ini_file *file,
                              const struct link_back *here)
{
    const struct ini_entry *extends = NULL;
    bool good = true;

    for (size_t i = 0; i < file->count && file->entries[i].section[0] == '\0'; i++) {
        const struct ini_entry *entry = &file->entries[i];
        struct diag_place place = ini_key_place(file, entry);

        if (strcmp(entry->key, "include") == 0) {
            good = follow_include(walk, file, entry, here) && good;
        } else if (strcmp(entry->key, "extends") != 0) {
            struct text_nearest nearest;
            text_nearest_start(&nearest, entry->key);
            text_nearest_try(&nearest, "extends");
            text_nearest_try(&nearest, "include");
            diag_error(walk->diag, &place,
                       "%s: stands before the first section; allowed there: extends, include%s%s%s",
                       entry->key, nearest.best != NULL ? "; did you mean '" : "",
                       nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "'?" : "");
            good = false;
        } else if (extends != NULL) {
            diag_error(walk->diag, &place,
                       "extends: given twice, first in line %u; allowed: one per file",
                       extends->line);
            good = false;
        } else {
            extends = entry;
            good = follow_extends(walk, file, entry, here) && good;
        }
    }
    return good;
}

static bool walk_file(struct walk *walk, const char *path, const char *shown, const char *what,
                      const struct diag_place *from, const struct link_back *outer)
{
    struct link_back here = {outer, path, shown};
    struct chain *chain = walk->chain;
    bool good = true;

    if (is_open(outer, path)) {
        char *loop = loop_text(outer, path, shown);
        diag_error(walk->diag, from, "%s: loop: %s", what, loop);
        free(loop);
        return false;
    }
    if (chain->opened == CHAIN_FILES_MAX) {
        diag_error(walk->diag, from, "%s: more than %d files for one profile", what,
                   CHAIN_FILES_MAX);
        chain->opened++; /* said once */
        return false;
    }
    if (chain->opened > CHAIN_FILES_MAX) {
        return false;
    }
    chain->opened++;
    struct ini_file *file = ini_read(path, shown, what, from, walk->diag, &good);
    good = follow_directives(walk, file, &here) && good;
    chain->files = text_grow(chain->files, chain->count, sizeof *chain->files);
    chain->files[chain->count++] = file;
    return good;
}

bool chain_load(struct chain *chain, const struct chain_source *source, const char *path,
                const char *shown, struct diag *diag)
{
    struct walk walk = {chain, source, diag};

    memset(chain, 0, sizeof *chain);
    return walk_file(&walk, path, shown, source->kind, NULL, NULL);
}

void chain_clear(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        ini_free(chain->files[i]);
    }
    free(chain->files);
    memset(chain, 0, sizeof *chain);
}
