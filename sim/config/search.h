/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where profiles are: a list of directories, the first that has a name wins. Each has one
 * subdirectory per kind (drivers, drives, hosts, setups) with files name.ini. Called by chain.c and
 * config_load.c; the order of the directories is config.h's business.
 */
#ifndef CONFIG_SEARCH_H
#define CONFIG_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

struct search {
    char **directories;
    size_t count;
};

void search_add(struct search *search, const char *directory);
/* "a:b:c"; empty parts and NULL are skipped. */
void search_add_list(struct search *search, const char *list);
void search_clear(struct search *search);

/* Whether what a user gave is the path of a file (has a '/' or ends in ".ini") and not a name. */
bool search_is_path(const char *name);

/* The path of profile `name` of a kind, and what origins call it ("drives/name.ini"). Both are the
 * caller's to free. False if there is none. */
bool search_find(const struct search *search, const char *subdirectory, const char *name,
                 char **path, char **shown);

/* Every name of a kind once, sorted, with the path of the file that search_find would give. */
struct search_name {
    char *name;
    char *path;
};
struct search_name *search_names(const struct search *search, const char *subdirectory,
                                 size_t *count);
void search_names_free(struct search_name *names, size_t count);

/* "; did you mean 'x'?", or "; allowed: a, b, c", or that there is none. The caller frees it. */
char *search_hint(const struct search *search, const char *subdirectory, const char *name);

/* The first comment line of a file (an SPDX line does not count), trimmed; "" if there is none. The
 * caller frees it. */
char *search_description(const char *path);

#endif
