/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs of the load generator in worker processes; see load_tasks.h.
 */
#include "cli/load_tasks.h"

#include <stdlib.h>
#include <string.h>

#include "run/pool.h"

struct task_outcome {
    int error; /* a run_error */
    char message[RUN_MESSAGE_MAX];
    struct load_result result;
};
_Static_assert(sizeof(struct task_outcome) <= POOL_OUTCOME_MAX, "an outcome must fit the pool");

struct task_run {
    const struct load_tasks *tasks;
    struct progress progress;
};

int load_tasks_choose(const struct cli_settings *settings, const char *(*name_of)(unsigned kind),
                      unsigned kinds, bool *wanted, bool *named)
{
    const struct cli_list *list = &settings->curves;
    bool every = list->count == 0;
    for (size_t i = 0; i < list->count; i++) {
        bool known = strcmp(list->items[i], "all") == 0;
        every = every || known;
        for (unsigned kind = 0; kind < kinds; kind++)
            if (strcmp(list->items[i], name_of(kind)) == 0)
                known = wanted[kind] = true;
        if (!known) {
            char allowed[128] = "";
            for (unsigned kind = 0; kind < kinds; kind++) {
                strncat(allowed, name_of(kind), sizeof allowed - strlen(allowed) - 1);
                strncat(allowed, ", ", sizeof allowed - strlen(allowed) - 1);
            }
            cli_complain("--curve: unknown curve '%s'; allowed: %sall", list->items[i], allowed);
            return CLI_USAGE;
        }
    }
    *named = !every;
    for (unsigned kind = 0; every && kind < kinds; kind++)
        wanted[kind] = true;
    return CLI_OK;
}

int load_tasks_check(const struct load_tasks *tasks)
{
    for (size_t i = 0; i < tasks->count; i++) {
        struct load_task task;
        tasks->get(tasks->ctx, i, &task);
        const char *wrong = run_params_check(&task.params);
        if (wrong == NULL)
            wrong = run_load_check(&task.params, &task.job);
        if (wrong != NULL) {
            cli_complain("%s: %s", task.label, wrong);
            return CLI_USAGE;
        }
    }
    return CLI_OK;
}

static void task_work(void *ctx, size_t index, void *to)
{
    const struct task_run *run = ctx;
    struct task_outcome *outcome = to;
    struct load_task task;
    run->tasks->get(run->tasks->ctx, index, &task);
    struct run_spec spec = cli_run_spec(run->tasks->settings, task.config);
    spec.params = &task.params;
    outcome->error = run_load(&spec, &task.job, &outcome->result, outcome->message);
}

static void task_finished(void *ctx, size_t done)
{
    struct task_run *run = ctx;
    progress_update(&run->progress, done, NULL);
}

static int run_all(struct task_run *run, struct task_outcome *outcomes)
{
    const struct cli_settings *settings = run->tasks->settings;
    size_t count = run->tasks->count;
    char message[RUN_MESSAGE_MAX];
    progress_begin(&run->progress, stderr, settings->progress, count);
    int died = pool_run(count, (unsigned)settings->jobs, task_work, task_finished, run, outcomes,
                        sizeof *outcomes, message);
    progress_end(&run->progress);
    if (died != 0) {
        cli_complain("%s", message);
        return CLI_INTERNAL;
    }
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i].error != RUN_OK) {
            cli_complain("%s", outcomes[i].message);
            return cli_exit_of(outcomes[i].error);
        }
    }
    return CLI_OK;
}

int load_tasks_run(const struct load_tasks *tasks, struct load_result *results)
{
    struct task_run run = {.tasks = tasks};
    struct task_outcome *outcomes = calloc(tasks->count, sizeof *outcomes);
    if (outcomes == NULL)
        abort();
    int error = run_all(&run, outcomes);
    for (size_t i = 0; error == CLI_OK && i < tasks->count; i++)
        results[i] = outcomes[i].result;
    free(outcomes);
    return error;
}
