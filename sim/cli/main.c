/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The `doorbell` command: finds the subcommand, and nothing else.
 */
#include "cli/cli.h"

#include <signal.h>
#include <string.h>

#include "config/text.h"

static const struct cli_command *const commands[] = {
    &cli_bench_command, &cli_replay_command,       &cli_explain_command, &cli_stats_command,
    &cli_list_command,  &cli_explain_rule_command, &cli_regress_command};
#define COMMANDS (sizeof commands / sizeof commands[0])

int cli_exit_of(int run_error)
{
    switch (run_error) {
    case RUN_OK:
        return CLI_OK;
    case RUN_E_TRACE:
        return CLI_INPUT;
    case RUN_E_OUTPUT:
        return CLI_USAGE;
    case RUN_E_START:
    case RUN_E_WORKLOAD:
    case RUN_E_RULES:
        return CLI_CHECK_FAILED;
    default:
        return CLI_INTERNAL;
    }
}

static void print_help(FILE *file)
{
    fprintf(file, "usage: doorbell COMMAND [options]\n\n"
                  "A cycle-level simulator of an NVMe controller and its host, with a portable\n"
                  "NVMe driver core running on it.\n\ncommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(file, "  %-12s %s\n", "help", "show the help of a command");
    fprintf(file,
            "\noptions:\n  -h, --help     show this help\n  -V, --version  show the version\n\n"
            "exit codes: 0 ok; 1 a check failed; 2 usage or configuration; 3 unreadable input;\n"
            "4 internal error\n");
}

static const struct cli_command *find(const char *name)
{
    struct text_nearest nearest;
    text_nearest_start(&nearest, name);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        text_nearest_try(&nearest, commands[i]->name);
    }
    if (nearest.best != NULL)
        cli_complain("unknown command '%s'; did you mean '%s'?", name, nearest.best);
    else
        cli_complain("unknown command '%s'; see doorbell --help", name);
    return NULL;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct cli_settings settings;
    int error = cli_parse(command, argc, argv, &settings);
    if (error != CLI_OK)
        return error;
    if (settings.help) {
        cli_print_help(command, stdout);
        return CLI_OK;
    }
    error = command->run(&settings);
    rules_suppressions_free(settings.suppress);
    return error;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stdout);
        return CLI_OK;
    }
    const struct cli_command *command = find(argv[1]);
    if (command == NULL)
        return CLI_USAGE;
    cli_print_help(command, stdout);
    return CLI_OK;
}

/* Output that did not reach its destination is a failure, whatever came before. */
static int finish(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_complain("cannot write to standard output");
        return code != CLI_OK ? code : CLI_USAGE;
    }
    return code;
}

/* Interrupted: leave no temporary file behind, and die of the signal as anybody would. */
static void interrupted(int number)
{
    outfile_remove_pending();
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    signal(SIGPIPE, interrupted); /* the reader has seen enough */
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return finish(CLI_OK);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("doorbell %s\nBSD-2-Clause licence\n", DOORBELL_VERSION);
        return finish(CLI_OK);
    }
    if (strcmp(argv[1], "help") == 0)
        return finish(help(argc - 1, argv + 1));
    const struct cli_command *command = find(argv[1]);
    if (command == NULL)
        return CLI_USAGE;
    return finish(run(command, argc - 1, argv + 1));
}
