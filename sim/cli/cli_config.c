/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to a resolved configuration: where profiles are, which sections each kind may set,
 * and the order in which they apply; see cli.h and config/config.h.
 */
#include "cli/cli.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/text.h"

static const char *const driver_sections[] = {"driver", NULL};
static const char *const drive_sections[] = {"link", "ctrl", "media", NULL};
static const char *const host_sections[] = {"host", "cache", "os", "fs", NULL};

/* The profiles beside the program: in an installed tree PREFIX/share/doorbell/profiles, in a build
 * tree build/PRESET/bin/doorbell and sim/profiles. */
const char *cli_profile_directory(void)
{
    static const char *const beside[] = {"../share/doorbell/profiles", "../../../sim/profiles"};
    static char path[PATH_MAX + 64];
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return NULL;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", program, beside[i]);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

struct config *cli_config_bare(const struct cli_settings *settings)
{
    struct config *config = config_create(run_param_table());
    config_allow(config, CONFIG_DRIVER, driver_sections);
    config_allow(config, CONFIG_DRIVE, drive_sections);
    config_allow(config, CONFIG_HOST, host_sections);
    config_add_search_path(config, settings->profiles, cli_profile_directory());
    return config;
}

static bool load_all(const struct cli_settings *settings, const char *driver, struct config *config,
                     struct diag *diag)
{
    const struct config_choice choice = {driver, settings->drive, settings->host};
    /* A drive and a host chosen together are a machine of the user's own: no setup, unless asked
     * for. */
    const char *setup = settings->setup;
    if (setup == NULL && (settings->drive == NULL || settings->host == NULL))
        setup = CLI_DEFAULT_SETUP;
    bool good = config_load_setup(config, setup, &choice, diag);
    if (settings->config != NULL)
        good &= config_load_file(config, settings->config, diag);
    good &= config_set_environment(config, diag);
    for (size_t i = 0; i < settings->sets.count; i++)
        good &= config_set(config, settings->sets.items[i], CONFIG_OPTION, diag);
    return good;
}

/* A profile's name in results: without directory and ending, so that no result depends on where a
 * file lies. */
static void name_of(char name[RESULT_NAME_MAX], const char *member)
{
    const char *base = member == NULL ? "built-in" : text_path_base(member);
    snprintf(name, RESULT_NAME_MAX, "%s", base);
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, ".ini") == 0)
        name[length - 4] = '\0';
}

/* may_fail: a combination that cannot be is no mistake. */
static int load(const struct cli_settings *settings, const char *driver, struct cli_config *c,
                bool may_fail)
{
    struct diag *diag = diag_create();
    memset(c, 0, sizeof *c);
    c->config = cli_config_bare(settings);
    bool good =
        load_all(settings, driver, c->config, diag) && config_apply(c->config, &c->params, diag);
    const char *wrong = good ? run_params_check(&c->params) : NULL;
    if (wrong != NULL && !may_fail)
        config_combination(c->config, wrong, diag);
    diag_print(diag, stderr);
    diag_destroy(diag);
    if (!good || wrong != NULL) {
        cli_config_free(c);
        return good && may_fail ? CLI_OK : CLI_USAGE;
    }
    name_of(c->driver, config_member(c->config, CONFIG_DRIVER));
    name_of(c->drive, config_member(c->config, CONFIG_DRIVE));
    name_of(c->host, config_member(c->config, CONFIG_HOST));
    snprintf(c->hash, sizeof c->hash, "%016llx", (unsigned long long)config_hash(c->config));
    return CLI_OK;
}

int cli_config_load(const struct cli_settings *settings, const char *driver, struct cli_config *c)
{
    return load(settings, driver, c, false);
}

int cli_config_try(const struct cli_settings *settings, const char *driver, struct cli_config *c)
{
    return load(settings, driver, c, true);
}

void cli_config_free(struct cli_config *c)
{
    config_destroy(c->config);
    c->config = NULL;
}

/* In one piece, so that those of several workers do not mix. */
static void told(const char *text)
{
    cli_complain("%s", text);
}

struct run_spec cli_run_spec(const struct cli_settings *settings, const struct cli_config *config)
{
    return (struct run_spec){.params = &config->params,
                             .driver = config->driver,
                             .drive = config->drive,
                             .host = config->host,
                             .rules = {.mode = settings->rules,
                                       .suppress = settings->suppress,
                                       .again = settings->again},
                             .told = told,
                             .options = {.seed = settings->seed,
                                         .form = settings->plain ? MEMORY_BYTES : MEMORY_TAGS,
                                         .verify = !settings->no_verify}};
}

void cli_config_dump(const struct cli_config *configs, size_t count)
{
    for (const struct cli_config *config = configs; config < configs + count; config++) {
        printf("; driver %s, drive %s, host %s; hash %s\n", config->driver, config->drive,
               config->host, config->hash);
        config_dump(config->config, stdout);
    }
}
