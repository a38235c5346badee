/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell list`: profiles, suites, rules, parameters.
 */
#include "cli/cli.h"

#include <string.h>

#include "config/config.h"
#include "config/reference.h"

static void print_profile(void *ctx, const char *name, const char *text)
{
    (void)ctx;
    printf("  %-22s %s\n", name, text);
}

static int list_profiles(const struct cli_settings *settings)
{
    static const struct {
        enum config_kind kind;
        const char *title;
    } kinds[] = {{CONFIG_DRIVER, "drivers (--driver)"},
                 {CONFIG_DRIVE, "drives (--drive)"},
                 {CONFIG_HOST, "hosts (--host)"},
                 {CONFIG_SETUP, "set-ups (--setup)"}};
    struct config *config = cli_config_bare(settings);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        printf("%s\n", kinds[i].title);
        config_list_profiles(config, kinds[i].kind, print_profile, NULL);
    }
    config_destroy(config);
    return CLI_OK;
}

static int list_suites(void)
{
    size_t count;
    const struct adb_suite *suites = adb_suites(&count);
    for (size_t i = 0; i < count; i++)
        printf("  %-14s %s%s\n", suites[i].name, suites[i].text,
               suites[i].published ? "" : " (only with --suite)");
    return CLI_OK;
}

static int list_rules(void)
{
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = rule_get((enum rule_id)i);
        printf("  %-4s %-15s %-42s %s\n", rule->id, rule_class_name(rule->class), rule->name,
               rule->section);
    }
    return CLI_OK;
}

static int list_main(struct cli_settings *settings)
{
    size_t count = settings->arguments.count;
    const char *what = count > 0 ? settings->arguments.items[0] : "";
    const char *section = count > 1 ? settings->arguments.items[1] : NULL;
    if (strcmp(what, "parameters") == 0 && count <= 2) {
        if (reference_print_text(run_param_table(), section, stdout))
            return CLI_OK;
        cli_complain("list parameters: no section '%s'", section);
        return CLI_USAGE;
    }
    if (strcmp(what, "parameters-markdown") == 0 && count == 1) {
        reference_print_markdown(run_param_table(), stdout);
        return CLI_OK;
    }
    if (strcmp(what, "profiles") == 0 && count == 1)
        return list_profiles(settings);
    if (strcmp(what, "rules") == 0 && count == 1)
        return list_rules();
    if (strcmp(what, "suites") == 0 && count == 1)
        return list_suites();
    cli_complain("list: say what: profiles, suites, rules, parameters [SECTION], "
                 "parameters-markdown");
    return CLI_USAGE;
}

const struct cli_command cli_list_command = {
    .name = "list",
    .arguments = "profiles|suites|rules|parameters",
    .summary = "list profiles, suites, rules or parameters",
    .text = "profiles             driver, drive, host and set-up profiles that are found\n"
            "suites               AmigaDiskBench suites\n"
            "rules                rules for the host's behaviour; see explain-rule\n"
            "parameters [SECTION] every parameter with unit, default and limits\n"
            "parameters-markdown  the same, as docs/parameters.md has it",
    .options = CLI_BIT(CLI_PROFILES) | CLI_BIT(CLI_HELP),
    .run = list_main,
};
