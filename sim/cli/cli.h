/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line: what every command shares. A command is a row (name, summary, the options it
 * takes, a function); parsing, --help and completion of messages come from the rows. Exit codes are
 * part of the interface and documented in docs/reference.md.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/progress.h"
#include "report/report.h"
#include "run/run.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_CHECK_FAILED = 1, /* the run ended, but data did not match or a run failed */
    CLI_USAGE = 2,        /* command line or configuration */
    CLI_INPUT = 3,        /* a trace or data file could not be read */
    CLI_INTERNAL = 4      /* the program's own fault, or the machine's (no memory, a worker died) */
};

enum cli_option_id {
    CLI_DRIVER,
    CLI_DRIVE,
    CLI_HOST,
    CLI_SETUP,
    CLI_PROFILES,
    CLI_CONFIG,
    CLI_SET,
    CLI_SEED,
    CLI_JOBS,
    CLI_SUITE,
    CLI_BLOCK_SIZE,
    CLI_CSV,
    CLI_JSON,
    CLI_TRACE,
    CLI_PLOT,
    CLI_PUBLISHED,
    CLI_DUMP_CONFIG,
    CLI_PROGRESS,
    CLI_QUIET,
    CLI_NO_VERIFY,
    CLI_PLAIN,
    CLI_DEPTH,
    CLI_IOS,
    CLI_FOOTPRINT,
    CLI_CURVE,
    CLI_TIMED,
    CLI_TRIM,
    CLI_REQUEST,
    CLI_BASELINE,
    CLI_UPDATE,
    CLI_JUNIT,
    CLI_RULES,
    CLI_RULES_FILE,
    CLI_HELP,
    CLI_OPTIONS
};

/* An option in a set of options. */
#define CLI_BIT(id) (UINT64_C(1) << (id))

#define CLI_LIST_MAX  64
#define CLI_AGAIN_MAX 400

/* What every command takes that runs a machine. */
#define CLI_RULES_BITS (CLI_BIT(CLI_RULES) | CLI_BIT(CLI_RULES_FILE))

struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t count;
};

/* What the options said. Zero means "not given", except where noted. */
struct cli_settings {
    struct cli_list drivers, drives, suites, block_sizes, sets, curves;
    const char *drive; /* the last one */
    const char *host, *setup, *profiles, *config;
    const char *csv, *json, *trace, *plot, *published, *baseline, *junit;
    uint64_t seed; /* 1 if not given */
    uint64_t jobs; /* number of processors if not given */
    uint64_t depth, ios, footprint, request;
    enum progress_mode progress;
    enum replay_trim trim;
    enum rules_mode rules;
    struct rules_suppressions *suppress; /* NULL: none; main frees it */
    char again[CLI_AGAIN_MAX];           /* the command line, to be typed again */
    bool update;
    bool dump_config, quiet, no_verify, plain, timed, help;
    uint64_t given;            /* bit per option that was there */
    struct cli_list arguments; /* what is no option */
};

struct cli_command {
    const char *name;
    const char *arguments; /* "WORKLOAD", for the usage line */
    const char *summary;   /* one line */
    const char *text;      /* a paragraph or two for its --help */
    uint64_t options;      /* bit per cli_option_id */
    int (*run)(struct cli_settings *settings);
};

/* `bench drive` (cmd_drive.c). */
int cli_bench_drive(const struct cli_settings *settings);
/* `bench driver` (cmd_driver.c). */
int cli_bench_driver(const struct cli_settings *settings);

extern const struct cli_command cli_bench_command, cli_replay_command, cli_explain_command,
    cli_stats_command, cli_list_command, cli_explain_rule_command, cli_regress_command;

/* argv[0] is the command's name. CLI_OK, or CLI_USAGE with a message printed. */
int cli_parse(const struct cli_command *command, int argc, char **argv,
              struct cli_settings *settings);
void cli_print_help(const struct cli_command *command, FILE *file);

/* CLI_USAGE with a message if one of these options (bits) was given: `what` does not take it. */
int cli_refuse(const struct cli_settings *settings, const char *what, uint64_t options);

/* A size with a unit ("64 KiB", "64KiB"), or a bare number of bytes; complains if it is neither. */
bool cli_size(const char *option, const char *text, uint64_t *value);

/* "doorbell: " message, to standard error. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The exit code that belongs to a run_error. */
int cli_exit_of(int run_error);

/* ---- configurations (cli_config.c) ---- */

/* The machine of the published figures. */
#define CLI_DEFAULT_SETUP "amiga-pegasos2"

/* One resolved configuration, for one driver. */
struct cli_config {
    struct config *config;
    struct run_params params;
    char driver[RESULT_NAME_MAX], drive[RESULT_NAME_MAX], host[RESULT_NAME_MAX]; /* for results */
    char hash[17];
};

/* Resolves setup, profiles, files, environment and -s for driver `name` (NULL: the setup's).
 * CLI_OK, or CLI_USAGE after printing what is wrong. */
int cli_config_load(const struct cli_settings *settings, const char *driver,
                    struct cli_config *config);
/* The same, where a combination that cannot be is no mistake: CLI_OK with config NULL then, and
 * nothing printed. */
int cli_config_try(const struct cli_settings *settings, const char *driver,
                   struct cli_config *config);
void cli_config_free(struct cli_config *config);
/* Directory of the profiles that ship with the program (sim/profiles, or installed). */
const char *cli_profile_directory(void);
struct config *cli_config_bare(const struct cli_settings *settings);

/* Prints configurations with origins, for --dump-config. */
void cli_config_dump(const struct cli_config *configs, size_t count);

/* A run as the settings want it. */
struct run_spec cli_run_spec(const struct cli_settings *settings, const struct cli_config *config);

#endif
