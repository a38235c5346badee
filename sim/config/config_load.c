/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Loading profiles and files into a configuration: what a profile may say, where it is looked for,
 * and how a setup is put together. See config.h; reading the files is chain.c's and ini.c's work.
 */
#include "config/config_private.h"

#include <stdlib.h>
#include <string.h>

#include "config/chain.h"
#include "config/text.h"

static const char *const kind_names[CONFIG_KINDS] = {"driver", "drive", "host", "setup"};
const char *const config_subdirectories[CONFIG_KINDS] = {"drivers", "drives", "hosts", "setups"};
static const char setup_section[] = "setup";

/* What is being loaded: a profile of a kind, or a file of the user's. */
struct load {
    struct config *config;
    enum config_level level;
    enum config_kind kind; /* CONFIG_KINDS: a file */
    const char *name;      /* of the kind, for messages */
    struct diag *diag;
    bool setup_only; /* read [setup] and nothing else, silently; or everything but [setup] */
};

const char *config_kind_name(enum config_kind kind)
{
    return kind_names[kind];
}

void config_add_directory(struct config *config, const char *directory)
{
    search_add(&config->search, directory);
}

void config_add_search_path(struct config *config, const char *given, const char *installed)
{
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char *own = NULL;

    search_add_list(&config->search, given);
    search_add_list(&config->search, getenv("DOORBELL_PATH"));
    if (xdg != NULL &&
        xdg[0] == '/') { /* XDG Base Directory Specification: a relative one is void */
        own = text_format("%s/doorbell", xdg);
    } else if (home != NULL && home[0] != '\0') {
        own = text_format("%s/.config/doorbell", home);
    }
    if (own != NULL) {
        search_add(&config->search, own);
    }
    free(own);
    if (installed != NULL) {
        search_add(&config->search, installed);
    }
}

static bool in_list(const char *const *list, const char *name)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_setup_section(const struct load *load, const char *section)
{
    return load->kind == CONFIG_SETUP && strcmp(section, setup_section) == 0;
}

static const char *const *allowed_sections(const struct load *load)
{
    return load->kind < CONFIG_KINDS ? load->config->allowed[load->kind] : NULL;
}

static bool section_is_good(const struct load *load, const char *section)
{
    const char *const *allowed = allowed_sections(load);

    return config_has_section(load->config, section) &&
           (allowed == NULL || in_list(allowed, section));
}

static bool take_header(const struct load *load, const struct ini_file *file,
                        const struct ini_entry *entry)
{
    struct diag_place place = ini_key_place(file, entry);

    if (is_setup_section(load, entry->section) || section_is_good(load, entry->section)) {
        return true;
    }
    char *hint = config_section_hint(load->config, entry->section, allowed_sections(load));
    if (config_has_section(load->config, entry->section)) {
        diag_error(load->diag, &place, "%s: not a section of a %s profile%s", entry->section,
                   load->name, hint);
    } else if (strcmp(entry->section, setup_section) == 0) {
        diag_error(load->diag, &place, "%s: only a setup profile has this section%s",
                   entry->section, hint);
    } else {
        diag_error(load->diag, &place, "%s: unknown section%s", entry->section, hint);
    }
    free(hint);
    return false;
}

/* A key of [setup]. */
static bool take_member(const struct load *load, const struct ini_file *file,
                        const struct ini_entry *entry)
{
    struct diag_place place = ini_key_place(file, entry);
    struct text_nearest nearest;

    text_nearest_start(&nearest, entry->key);
    for (size_t kind = 0; kind < CONFIG_SETUP; kind++) {
        if (strcmp(entry->key, kind_names[kind]) == 0) {
            if (entry->value[0] == '\0' || search_is_path(entry->value)) {
                place = ini_value_place(file, entry, 0);
                diag_error(load->diag, &place,
                           "setup.%s: '%s' is not a name; allowed: the name of a %s profile",
                           entry->key, entry->value, entry->key);
                return false;
            }
            free(load->config->members[kind]);
            load->config->members[kind] = text_copy(entry->value);
            return true;
        }
        text_nearest_try(&nearest, kind_names[kind]);
    }
    diag_error(load->diag, &place, "setup.%s: unknown key; allowed: driver, drive, host%s%s%s",
               entry->key, nearest.best != NULL ? "; did you mean 'setup." : "",
               nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "'?" : "");
    return false;
}

static bool take_value(const struct load *load, const struct ini_file *file,
                       const struct ini_entry *entry)
{
    struct diag_place place = ini_key_place(file, entry);
    struct value_fault fault;
    struct value value;

    struct config_entry *target = config_find(load->config, entry->section, entry->key);
    if (target == NULL) {
        char *hint = config_key_hint(load->config, entry->section, entry->key);
        diag_error(load->diag, &place, "%s.%s: unknown key%s", entry->section, entry->key, hint);
        free(hint);
        return false;
    }
    if (target->seen_in == file) {
        diag_warning(load->diag, &place,
                     "%s.%s: given twice in this file, first in %s:%u; the last one counts",
                     entry->section, entry->key, file->path, target->seen_line);
    }
    target->seen_in = file;
    target->seen_line = entry->line;
    if (!value_parse(target->row, entry->value, &value, &fault)) {
        place = ini_value_place(file, entry, fault.offset);
        diag_error(load->diag, &place, "%s.%s: %s", entry->section, entry->key, fault.message);
        return false;
    }
    char *origin = text_format("%s:%u", file->shown, entry->line);
    config_assign(target, &value, load->level, origin);
    free(origin);
    return true;
}

static bool take_file(const struct load *load, const struct ini_file *file)
{
    bool good = true;

    for (size_t i = 0; i < file->count; i++) {
        const struct ini_entry *entry = &file->entries[i];
        bool of_setup = is_setup_section(load, entry->section);

        if (entry->section[0] == '\0' || of_setup != load->setup_only) {
            continue; /* a directive, which chain.c has followed; or the other half's */
        }
        if (entry->key == NULL) {
            good = take_header(load, file, entry) && good;
        } else if (of_setup) {
            good = take_member(load, file, entry) && good;
        } else if (section_is_good(load, entry->section)) {
            good = take_value(load, file, entry) && good;
        } /* else the section's header has been reported */
    }
    return good;
}

static bool take_chain(const struct load *load, const struct chain *chain)
{
    struct config *config = load->config;
    bool good = true;

    for (size_t i = 0; i < chain->count; i++) {
        good = take_file(load, chain->files[i]) && good;
    }
    for (size_t i = 0; i < config->count; i++) {
        config->entries[i].seen_in = NULL; /* the files are about to go */
    }
    return good;
}

static bool open_chain(const struct load *load, const char *name, struct chain *chain)
{
    bool is_profile = load->kind < CONFIG_KINDS;
    struct chain_source source = {&load->config->search, load->name,
                                  is_profile ? config_subdirectories[load->kind] : NULL};
    char *path = NULL;
    char *shown = NULL;

    memset(chain, 0, sizeof *chain);
    if (!is_profile || search_is_path(name)) {
        path = text_copy(name);
        /* An absolute path would make the dump depend on the machine. */
        shown = text_copy(name[0] == '/' ? text_path_base(name) : name);
    } else if (!search_find(&load->config->search, source.subdirectory, name, &path, &shown)) {
        char *hint = search_hint(&load->config->search, source.subdirectory, name);
        diag_error(load->diag, NULL, "%s: unknown profile '%s'%s", load->name, name, hint);
        free(hint);
        return false;
    }
    bool good = chain_load(chain, &source, path, shown, load->diag);
    free(path);
    free(shown);
    return good;
}

static bool run_load(struct load *load, const char *name)
{
    struct chain chain;
    bool good = open_chain(load, name, &chain);

    if (load->kind == CONFIG_SETUP) {
        load->setup_only = true;
        good = take_chain(load, &chain) && good;
        load->setup_only = false;
    }
    good = take_chain(load, &chain) && good;
    chain_clear(&chain);
    load->config->failed = load->config->failed || !good;
    return good;
}

bool config_load_profile(struct config *config, enum config_kind kind, const char *name,
                         struct diag *diag)
{
    struct load load = {config, CONFIG_PROFILE, kind, kind_names[kind], diag, false};

    return run_load(&load, name);
}

bool config_load_file(struct config *config, const char *path, struct diag *diag)
{
    struct load load = {config, CONFIG_FILE, CONFIG_KINDS, "configuration", diag, false};

    return run_load(&load, path);
}

bool config_load_setup(struct config *config, const char *name, const struct config_choice *choice,
                       struct diag *diag)
{
    /* The driver comes last of the three, though none may set what another sets. */
    static const enum config_kind order[] = {CONFIG_DRIVE, CONFIG_HOST, CONFIG_DRIVER};
    struct load load = {config, CONFIG_PROFILE, CONFIG_SETUP, setup_section, diag, true};
    const char *chosen[CONFIG_KINDS] = {NULL};
    struct chain chain;
    bool good = true;

    memset(&chain, 0, sizeof chain);
    if (choice != NULL) {
        chosen[CONFIG_DRIVER] = choice->driver;
        chosen[CONFIG_DRIVE] = choice->drive;
        chosen[CONFIG_HOST] = choice->host;
    }
    if (name != NULL) {
        good = open_chain(&load, name, &chain);
        good = take_chain(&load, &chain) && good;
        free(config->members[CONFIG_SETUP]);
        config->members[CONFIG_SETUP] = text_copy(name);
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        enum config_kind kind = order[i];
        if (chosen[kind] != NULL) {
            free(config->members[kind]);
            config->members[kind] = text_copy(chosen[kind]);
        }
        if (config->members[kind] != NULL) {
            good = config_load_profile(config, kind, config->members[kind], diag) && good;
        }
    }
    load.setup_only = false;
    good = take_chain(&load, &chain) && good;
    chain_clear(&chain);
    config->failed = config->failed || !good;
    return good;
}

const char *config_member(const struct config *config, enum config_kind kind)
{
    return config->members[kind];
}

const char *config_setup_member(const struct config *config, const char *key)
{
    for (size_t kind = 0; kind < CONFIG_SETUP; kind++) {
        if (strcmp(kind_names[kind], key) == 0) {
            return config->members[kind];
        }
    }
    return NULL;
}
