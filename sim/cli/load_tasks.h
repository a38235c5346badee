/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many runs of the load generator, for the commands that draw curves: all of them are checked
 * first, then they run in worker processes. Used by cmd_drive.c and cmd_driver.c.
 */
#ifndef CLI_LOAD_TASKS_H
#define CLI_LOAD_TASKS_H

#include "cli/cli.h"
#include "run/load.h"

#define LOAD_TASK_LABEL_MAX 160

struct load_task {
    const struct cli_config *config;
    struct run_params params; /* the configuration's, with what the task changes */
    struct run_load job;
    char label[LOAD_TASK_LABEL_MAX]; /* before a complaint */
};

struct load_tasks {
    const struct cli_settings *settings;
    size_t count;
    void (*get)(const void *ctx, size_t index, struct load_task *task);
    const void *ctx;
};

/* CLI_OK, or CLI_USAGE after saying of the first task that cannot run why not. */
int load_tasks_check(const struct load_tasks *tasks);
/* One result for each. CLI_OK, or a cli_exit after printing what is wrong. */
int load_tasks_run(const struct load_tasks *tasks, struct load_result *results);

/* --curve: which of `kinds` curves are wanted, by name; all if none was named. *named: some were.
 * CLI_OK, or CLI_USAGE with a message. */
int load_tasks_choose(const struct cli_settings *settings, const char *(*name_of)(unsigned kind),
                      unsigned kinds, bool *wanted, bool *named);

#endif
