/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration of a run: every parameter of the table (param.h) with its value and where that
 * came from. The caller creates one, says where profiles are, loads profiles, adds overrides, and
 * lets config_apply() fill the structures that the rooms read:
 *
 *     struct config *config = config_create(&machine_params);
 *     config_allow(config, CONFIG_DRIVER, driver_sections);
 *     config_add_search_path(config, NULL, installed_profiles);
 *     config_load_setup(config, "amiga-1.65", NULL, diag);
 *     config_set_environment(config, diag);
 *     config_set(config, "link.lanes=2", CONFIG_OPTION, diag);
 *     config_apply(config, &whole, diag);
 *
 * Values are checked when they are read, so that errors have a place. Precedence is by level, not
 * by the order of the calls; within one level the last one wins. Combinations of values are checked
 * by whoever knows what they mean. Strings returned live as long as the configuration, unchanged
 * until the next call that loads or sets.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/diag.h"
#include "config/param.h"

enum config_kind {
    CONFIG_DRIVER, /* drivers/name.ini */
    CONFIG_DRIVE,  /* drives/name.ini */
    CONFIG_HOST,   /* hosts/name.ini */
    CONFIG_SETUP,  /* setups/name.ini: names one of each in [setup], and may set anything */
    CONFIG_KINDS
};

enum config_level { /* lowest precedence first */
                    CONFIG_BUILT_IN,
                    CONFIG_PROFILE,
                    CONFIG_FILE, /* a file of the user's, such as the output of config_dump() */
                    CONFIG_ENVIRONMENT, /* DOORBELL_SET */
                    CONFIG_OPTION       /* -s */
};

struct config;

/* The table must outlive the configuration. Never NULL. */
struct config *config_create(const struct param_table *table);
void config_destroy(struct config *config);

/* "driver", "drive", "host", "setup". */
const char *config_kind_name(enum config_kind kind);

/* Profiles of the kind may set these sections and no others; the list ends with NULL and must
 * outlive the configuration. NULL instead of a list: any section, as without this call. */
void config_allow(struct config *config, enum config_kind kind, const char *const *sections);

/* A directory with subdirectories drivers, drives, hosts and setups, searched after those before.
 */
void config_add_directory(struct config *config, const char *directory);
/* The usual list: given (--profiles, ':' separated), $DOORBELL_PATH, $XDG_CONFIG_HOME/doorbell or
 * $HOME/.config/doorbell, installed. given and installed may be NULL. */
void config_add_search_path(struct config *config, const char *given, const char *installed);

/* A profile by name, or by path if the name has a '/' or ends in ".ini". False if anything was
 * wrong; the good values are set all the same, so that one run finds all mistakes. A setup's
 * [setup] is read, but the profiles it names are not loaded: see config_load_setup. */
bool config_load_profile(struct config *config, enum config_kind kind, const char *name,
                         struct diag *diag);

/* What to use instead of what the setup names; NULL or NULL fields: as the setup says. */
struct config_choice {
    const char *driver;
    const char *drive;
    const char *host;
};
/* The whole job: the profiles of drive, host and driver, then the setup's own values on top. name
 * may be NULL: no setup, only what is chosen. A kind that neither names stays built-in. */
bool config_load_setup(struct config *config, const char *name, const struct config_choice *choice,
                       struct diag *diag);
/* The profile in use after config_load_setup; NULL if there is none. */
const char *config_member(const struct config *config, enum config_kind kind);
/* The same by the key in [setup]: "driver", "drive" or "host". NULL for anything else too. */
const char *config_setup_member(const struct config *config, const char *key);

/* A file at level CONFIG_FILE; any section, include but not extends. */
bool config_load_file(struct config *config, const char *path, struct diag *diag);

/* "section.key=value", blanks around the parts allowed. level: CONFIG_ENVIRONMENT or CONFIG_OPTION.
 */
bool config_set(struct config *config, const char *assignment, enum config_level level,
                struct diag *diag);
/* Several, separated by ';' outside quotes; empty ones are skipped. */
bool config_set_list(struct config *config, const char *assignments, enum config_level level,
                     struct diag *diag);
/* What $DOORBELL_SET holds, if it is set. */
bool config_set_environment(struct config *config, struct diag *diag);

/* Fills every field that the table names inside the whole (table->total bytes). False, and nothing
 * written, if anything failed before; the errors are in the diag that was given then. */
bool config_apply(const struct config *config, void *whole, struct diag *diag);

/* Where the value came from ("built-in", "drives/x.ini:12", "-s", "DOORBELL_SET"); NULL if there is
 * no such key. */
const char *config_origin(const struct config *config, const char *section, const char *key);

/* An error about values that do not go together: a sentence that names their keys ("link.lanes = 3:
 * ..."). The place is where the first of them came from; the others' follow in brackets. */
void config_combination(const struct config *config, const char *sentence, struct diag *diag);

/* The resolved configuration as valid input, every value with its origin as a comment. */
void config_dump(const struct config *config, FILE *out);
/* The same without origins and alignment: equal for equal configurations. */
void config_dump_plain(const struct config *config, FILE *out);
/* FNV-1a, 64 bits, of what config_dump_plain prints. */
uint64_t config_hash(const struct config *config);

/* Every profile of a kind once, sorted by name; text: the first comment line of the file. */
typedef void config_profile_fn(void *ctx, const char *name, const char *text);
void config_list_profiles(const struct config *config, enum config_kind kind, config_profile_fn *fn,
                          void *ctx);

/* ---- the table itself (table.c) ----------------------------------------------------------------
 */

enum config_table_options {
    CONFIG_SECTIONS_IN_ONE_GROUP = 0,   /* a section that two groups declare is an error */
    CONFIG_SECTIONS_ACROSS_GROUPS = 1u, /* it is not */
};

/* What a test asks of the table: no parameter twice, defaults within their limits, limits in order,
 * names that a profile can spell, fields inside the whole and not on top of each other. */
bool config_table_check(const struct param_table *table, unsigned options, struct diag *diag);

#endif
