/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell regress`: a fixed matrix of drivers, drives and workloads, held against stored figures.
 * What a driver writer puts into continuous integration.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "config/config.h"
#include "report/baseline.h"
#include "run/load.h"
#include "run/pool.h"

#define HOST      "generic"
#define FOOTPRINT (UINT64_C(64) << 20)
#define MISMATCH  "data that was read back is not what was written"

/* Short loads, of which each shows something: what one request costs; batches and full queues;
 * lists, splits and bounce buffers; writes and reads together. */
static const struct workload {
    const char *name;
    struct run_load job;
} workloads[] = {
    {"read-4k-qd1", {.depth = 1, .block_bytes = 4096, .read_percent = 100, .ios = 300}},
    {"read-4k-qd16",
     {.depth = 16, .block_bytes = 4096, .read_percent = 100, .ordinary = true, .ios = 1500}},
    {"write-64k-qd4", {.depth = 4, .block_bytes = 65536, .ordinary = true, .ios = 300}},
    {"mixed-1m-qd2",
     {.depth = 2, .block_bytes = 1u << 20, .read_percent = 50, .ordinary = true, .ios = 60}},
};
#define WORKLOADS (sizeof workloads / sizeof workloads[0])

/* Without a real link and medium, with both, with shadow doorbells. */
static const char *const drives[] = {"fixed-latency", "samsung-pm9a3", "qemu-nvme-dbbuf"};
#define DRIVES (sizeof drives / sizeof drives[0])

#define DRIVERS_MAX 64

struct regress {
    const struct cli_settings *settings;
    char drivers[DRIVERS_MAX][RESULT_NAME_MAX];
    size_t driver_count;
    struct cli_config *configs; /* driver by driver, drive by drive; config NULL: cannot be */
    struct baseline now;
    const struct cli_config **machines; /* of each cell */
    const struct workload **loads;
    struct progress progress;
};

struct regress_outcome {
    int error; /* a run_error */
    char message[RUN_MESSAGE_MAX];
    struct load_result result;
};
_Static_assert(sizeof(struct regress_outcome) <= POOL_OUTCOME_MAX, "an outcome must fit the pool");

/* ---- the matrix ---- */

static void note_driver(void *ctx, const char *name, const char *text)
{
    struct regress *regress = ctx;
    (void)text;
    if (regress->driver_count < DRIVERS_MAX)
        snprintf(regress->drivers[regress->driver_count++], RESULT_NAME_MAX, "%s", name);
}

static void choose_drivers(struct regress *regress)
{
    const struct cli_list *wanted = &regress->settings->drivers;
    for (size_t i = 0; i < wanted->count; i++)
        note_driver(regress, wanted->items[i], NULL);
    if (wanted->count != 0)
        return;
    struct config *config = cli_config_bare(regress->settings);
    config_list_profiles(config, CONFIG_DRIVER, note_driver, regress);
    config_destroy(config);
}

/* Not every driver runs on every machine: MSI without MSI. Such a pair is no cell. */
static int load_pair(const struct regress *regress, const char *driver, const char *drive,
                     struct cli_config *pair)
{
    struct cli_settings settings = *regress->settings;
    settings.drive = drive;
    if (settings.host == NULL)
        settings.host = HOST;
    return cli_config_try(&settings, driver, pair);
}

static void add_cell(struct regress *regress, const struct cli_config *pair,
                     const struct workload *load)
{
    struct run_load job = load->job;
    job.footprint = FOOTPRINT;
    job.depth = run_load_depth(&pair->params, job.depth);
    if (run_load_check(&pair->params, &job) != NULL)
        return;
    struct baseline_cell *cell = &regress->now.cells[regress->now.count];
    snprintf(cell->driver, sizeof cell->driver, "%s", pair->driver);
    snprintf(cell->drive, sizeof cell->drive, "%s", pair->drive);
    snprintf(cell->workload, sizeof cell->workload, "%s", load->name);
    regress->machines[regress->now.count] = pair;
    regress->loads[regress->now.count++] = load;
}

static void *get(size_t count, size_t bytes)
{
    void *memory = calloc(count + 1, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

static int make_matrix(struct regress *regress)
{
    size_t pairs = regress->driver_count * DRIVES;
    regress->configs = get(pairs, sizeof *regress->configs);
    regress->now.cells = get(pairs * WORKLOADS, sizeof *regress->now.cells);
    regress->machines = get(pairs * WORKLOADS, sizeof *regress->machines);
    regress->loads = get(pairs * WORKLOADS, sizeof *regress->loads);
    for (size_t i = 0; i < pairs; i++) {
        struct cli_config *pair = &regress->configs[i];
        int error = load_pair(regress, regress->drivers[i / DRIVES], drives[i % DRIVES], pair);
        if (error == CLI_USAGE)
            return error;
        for (size_t k = 0; pair->config != NULL && k < WORKLOADS; k++)
            add_cell(regress, pair, &workloads[k]);
    }
    return CLI_OK;
}

/* ---- running ---- */

static void regress_work(void *ctx, size_t index, void *to)
{
    const struct regress *regress = ctx;
    struct regress_outcome *outcome = to;
    const struct cli_config *pair = regress->machines[index];
    struct run_spec spec = cli_run_spec(regress->settings, pair);
    struct run_load job = regress->loads[index]->job;
    job.footprint = FOOTPRINT;
    job.depth = run_load_depth(&pair->params, job.depth);
    job.warm_ios = 2 * job.depth;
    outcome->error = run_load(&spec, &job, &outcome->result, outcome->message);
}

static void regress_finished(void *ctx, size_t done)
{
    struct regress *regress = ctx;
    progress_update(&regress->progress, done, NULL);
}

static void figure(struct baseline_cell *cell, const char *name, uint64_t value)
{
    cell->figures[cell->count++] = (struct baseline_figure){name, value};
}

/* Counters as they are; times in ps, as exact as the model has them. */
static void take_outcome(struct baseline_cell *cell, const struct regress_outcome *outcome)
{
    const struct load_result *result = &outcome->result;
    cell->failed = outcome->error != RUN_OK || result->blocks_mismatched != 0;
    if (outcome->error != RUN_OK)
        snprintf(cell->message, sizeof cell->message, "%s", outcome->message);
    else if (cell->failed)
        snprintf(cell->message, sizeof cell->message, "%s", MISMATCH);
    if (cell->failed)
        return;
    figure(cell, "window_ps", result->window_ps);
    figure(cell, "latency_p50_ps", result->p50_ps);
    figure(cell, "latency_p99_ps", result->p99_ps);
    figure(cell, "latency_most_ps", result->latency_most_ps);
#define TAKE_COUNTER(name, text) figure(cell, #name, result->counters.name);
    RESULT_COUNTERS(TAKE_COUNTER)
#undef TAKE_COUNTER
}

static int run_matrix(struct regress *regress)
{
    size_t count = regress->now.count;
    char message[RUN_MESSAGE_MAX];
    struct regress_outcome *outcomes = get(count, sizeof *outcomes);
    progress_begin(&regress->progress, stderr, regress->settings->progress, count);
    int died = pool_run(count, (unsigned)regress->settings->jobs, regress_work, regress_finished,
                        regress, outcomes, sizeof *outcomes, message);
    progress_end(&regress->progress);
    for (size_t i = 0; died == 0 && i < count; i++)
        take_outcome(&regress->now.cells[i], &outcomes[i]);
    free(outcomes);
    if (died == 0)
        return CLI_OK;
    cli_complain("%s", message);
    return CLI_INTERNAL;
}

/* ---- the verdict ---- */

static size_t print_failures(const struct baseline *now)
{
    size_t failures = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct baseline_cell *cell = &now->cells[i];
        if (!cell->failed)
            continue;
        failures++;
        printf("%s, %s, %s: %s\n", cell->driver, cell->drive, cell->workload, cell->message);
    }
    return failures;
}

static int write_junit(const struct regress *regress, const struct baseline_change *changes,
                       size_t count)
{
    struct outfile out;
    char message[REPORT_MESSAGE_MAX];
    if (regress->settings->junit == NULL)
        return CLI_OK;
    if (outfile_open(&out, regress->settings->junit, message) == 0) {
        baseline_junit(&regress->now, changes, count, out.file);
        if (outfile_commit(&out, message) == 0)
            return CLI_OK;
    }
    cli_complain("%s", message);
    return CLI_USAGE;
}

static int store(struct regress *regress, struct baseline *stored, bool there)
{
    char message[REPORT_MESSAGE_MAX];
    if (there) { /* what was allowed stays allowed */
        memcpy(regress->now.tolerances, stored->tolerances, sizeof stored->tolerances);
        regress->now.tolerance_count = stored->tolerance_count;
    }
    if (baseline_write(&regress->now, regress->settings->baseline, message) == 0)
        return CLI_OK;
    cli_complain("%s", message);
    return CLI_USAGE;
}

static bool is_chosen(const struct regress *regress, const char *driver)
{
    for (size_t i = 0; i < regress->driver_count; i++)
        if (strcmp(regress->drivers[i], driver) == 0)
            return true;
    return false;
}

/* Some drivers were named: nothing is said of the others. */
static void forget_others(const struct regress *regress, struct baseline *stored)
{
    size_t kept = 0;
    for (size_t i = 0; i < stored->count; i++)
        if (is_chosen(regress, stored->cells[i].driver))
            stored->cells[kept++] = stored->cells[i];
    stored->count = kept;
}

static int conclude(struct regress *regress, struct baseline *stored, bool there)
{
    struct baseline_change *changes = NULL;
    if (regress->settings->drivers.count != 0)
        forget_others(regress, stored);
    size_t failures = print_failures(&regress->now);
    size_t count = there ? baseline_compare(stored, &regress->now, &changes) : 0;
    if (!regress->settings->quiet)
        baseline_print_changes(changes, count, stdout);
    int error = write_junit(regress, changes, count);
    printf("%zu cells, %zu failed, %zu figures changed%s\n", regress->now.count, failures, count,
           regress->settings->update && failures == 0 ? ", stored" : "");
    free(changes);
    if (error == CLI_OK && failures == 0 && regress->settings->update)
        return store(regress, stored, there);
    if (error != CLI_OK)
        return error;
    return failures == 0 && count == 0 ? CLI_OK : CLI_CHECK_FAILED;
}

static int regress_main(struct cli_settings *settings)
{
    struct regress regress = {.settings = settings};
    struct baseline stored = {.cells = NULL};
    char message[REPORT_MESSAGE_MAX];
    if (settings->arguments.count != 0 || settings->baseline == NULL) {
        cli_complain("regress: takes no argument, and needs --baseline FILE");
        return CLI_USAGE;
    }
    if (settings->update && settings->drivers.count != 0) {
        cli_complain("--update: stores the whole matrix; leave --driver out");
        return CLI_USAGE;
    }
    bool there = baseline_read(&stored, settings->baseline, message) == 0;
    if (!there && !settings->update) {
        cli_complain("%s", message);
        return CLI_INPUT;
    }
    choose_drivers(&regress);
    int error = make_matrix(&regress);
    if (error == CLI_OK)
        error = run_matrix(&regress);
    if (error == CLI_OK)
        error = conclude(&regress, &stored, there);
    baseline_free(&stored);
    for (size_t i = 0; regress.configs != NULL && i < regress.driver_count * DRIVES; i++)
        cli_config_free(&regress.configs[i]);
    free(regress.configs);
    free(regress.machines);
    free(regress.loads);
    baseline_free(&regress.now);
    return error;
}

const struct cli_command cli_regress_command = {
    .name = "regress",
    .arguments = "--baseline FILE",
    .summary = "run a fixed matrix and compare every figure with a stored one",
    .text =
        "Runs short workloads for every driver profile (or those named) on three drives, under\n"
        "the rules and with the data verified, and compares counters, times and latencies with\n"
        "FILE, exactly, or within the tolerances that FILE states (`tolerance FIGURE PERCENT`).\n"
        "Differences are shown worst first. --update stores what came out, if nothing failed.\n\n"
        "Exit codes: 0 nothing has changed (or it was stored); 1 a figure has changed, a rule\n"
        "was broken, data did not match or a run failed; 2 usage or configuration; 3 unreadable\n"
        "baseline; 4 internal error.",
    .options = CLI_BIT(CLI_DRIVER) | CLI_BIT(CLI_HOST) | CLI_BIT(CLI_PROFILES) | CLI_BIT(CLI_SET) |
               CLI_BIT(CLI_SEED) | CLI_BIT(CLI_JOBS) | CLI_BIT(CLI_PROGRESS) | CLI_BIT(CLI_QUIET) |
               CLI_BIT(CLI_BASELINE) | CLI_BIT(CLI_UPDATE) | CLI_BIT(CLI_JUNIT) | CLI_RULES_BITS |
               CLI_BIT(CLI_HELP),
    .run = regress_main,
};
