/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the configuration (config.c, config_load.c, config_dump.c) share, and nobody
 * else includes.
 */
#ifndef CONFIG_CONFIG_PRIVATE_H
#define CONFIG_CONFIG_PRIVATE_H

#include "config/config.h"
#include "config/ini.h"
#include "config/search.h"
#include "config/value.h"

/* One parameter of the table, resolved. */
struct config_entry {
    const struct param_row *row;
    size_t base; /* of the row's structure in the whole */
    struct value value;
    enum config_level level;
    char *origin;
    const struct ini_file *seen_in; /* the file that set it last, while its profile is being read */
    unsigned seen_line;
};

struct config {
    const struct param_table *table;
    struct config_entry *entries; /* in the order of the table */
    size_t count;
    struct search search;
    const char *const *allowed[CONFIG_KINDS];
    char *members[CONFIG_KINDS];
    bool failed; /* something was wrong since creation */
};

extern const char *const config_subdirectories[CONFIG_KINDS];

/* NULL if there is none. */
struct config_entry *config_find(const struct config *config, const char *section, const char *key);
bool config_has_section(const struct config *config, const char *section);
/* Number of different sections before entry i, or SIZE_MAX if i's section was seen before. */
bool config_is_first_of_section(const struct config *config, size_t i);

/* Gives the entry a value unless one of a higher level is there. origin is copied. */
void config_assign(struct config_entry *entry, const struct value *value, enum config_level level,
                   const char *origin);

/* "; did you mean 'link.lanes'?" or where to look; the caller frees it. */
char *config_key_hint(const struct config *config, const char *section, const char *key);
/* "; did you mean 'link'?" or the list, of all sections or of `allowed`; the caller frees it. */
char *config_section_hint(const struct config *config, const char *section,
                          const char *const *allowed);

#endif
