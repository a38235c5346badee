/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell bench drive`: curves of one or more drives, and the figures of their data sheets beside
 * the model's. What is measured is in drive_plan.c.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "cli/drive_plan.h"
#include "cli/load_tasks.h"
#include "cli/output.h"

#define FIGURES_FILE   "published/drives.csv"
#define DEFAULT_DRIVER "doorbell"
#define DEFAULT_HOST   "ideal"

struct drive_bench {
    const struct cli_settings *settings;
    struct cli_config configs[REPORT_DRIVERS_MAX]; /* one per drive */
    size_t config_count;
    bool wanted[CURVE_KINDS];
    bool named; /* curves were asked for by name */
    struct datasheet_table sheet;
    struct drive_plan plan;
};

static const char *curve_name(unsigned kind)
{
    return curve_kind_name((enum curve_kind)kind);
}

static int load_configs(struct drive_bench *bench)
{
    const struct cli_list *drives = &bench->settings->drives;
    const struct cli_list *drivers = &bench->settings->drivers;
    if (drives->count == 0) {
        cli_complain("bench drive: name at least one --drive; see doorbell list profiles");
        return CLI_USAGE;
    }
    if (drives->count > REPORT_DRIVERS_MAX || drivers->count > 1) {
        cli_complain("bench drive takes one --driver and up to %d drives", REPORT_DRIVERS_MAX);
        return CLI_USAGE;
    }
    for (size_t i = 0; i < drives->count; i++) {
        struct cli_settings settings = *bench->settings;
        struct cli_config *config = &bench->configs[i];
        settings.drive = drives->items[i];
        settings.host = settings.host == NULL ? DEFAULT_HOST : settings.host;
        int error = cli_config_load(
            &settings, drivers->count == 0 ? DEFAULT_DRIVER : drivers->items[0], config);
        if (error != CLI_OK)
            return error;
        bench->config_count++;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(bench->configs[j].drive, config->drive) == 0) {
                cli_complain("--drive %s: named twice", config->drive);
                return CLI_USAGE;
            }
        }
    }
    return CLI_OK;
}

static int load_sheet(struct drive_bench *bench)
{
    char message[REPORT_MESSAGE_MAX];
    char *path =
        bench->wanted[CURVE_SHEET] ? output_figures_path(bench->settings, FIGURES_FILE) : NULL;
    if (path == NULL)
        return CLI_OK;
    int error = datasheet_read(&bench->sheet, path, message);
    free(path);
    if (error == 0)
        return CLI_OK;
    cli_complain("%s", message);
    return CLI_INPUT;
}

static void cell_task(const void *ctx, size_t index, struct load_task *task)
{
    const struct drive_bench *bench = ctx;
    const struct drive_cell *cell = &bench->plan.cells[index];
    *task = (struct load_task){cell->config, drive_cell_params(cell), cell->job, ""};
    snprintf(task->label, sizeof task->label, "drive %s, %s, depth %llu, %llu bytes",
             cell->point.drive, cell->point.load.name, (unsigned long long)cell->point.depth,
             (unsigned long long)cell->point.block_bytes);
}

static struct load_tasks tasks_of(const struct drive_bench *bench)
{
    return (struct load_tasks){bench->settings, bench->plan.count, cell_task, bench};
}

static int make_plan(struct drive_bench *bench)
{
    const struct cli_settings *s = bench->settings;
    bench->plan.ios = (s->given & CLI_BIT(CLI_IOS)) != 0 ? s->ios : 0;
    bench->plan.footprint = (s->given & CLI_BIT(CLI_FOOTPRINT)) != 0 ? s->footprint : 0;
    for (size_t i = 0; i < bench->config_count; i++) {
        const struct cli_config *config = &bench->configs[i];
        for (unsigned kind = 0; kind < CURVE_KINDS; kind++) {
            size_t before = bench->plan.count;
            if (!bench->wanted[kind])
                continue;
            if (drive_plan_has(&config->params, (enum curve_kind)kind))
                drive_plan_add(&bench->plan, (enum curve_kind)kind, config, &bench->sheet);
            if (bench->plan.count == before && bench->named)
                cli_complain("note: drive %s has no curve '%s'", config->drive,
                             curve_kind_name((enum curve_kind)kind));
        }
    }
    if (bench->plan.count == 0) {
        cli_complain("bench drive: none of these drives has such a curve");
        return CLI_USAGE;
    }
    const struct load_tasks tasks = tasks_of(bench);
    return load_tasks_check(&tasks);
}

static int drive_report(const struct drive_bench *bench, const struct load_result *results)
{
    const char *drives[REPORT_DRIVERS_MAX];
    struct curve_point *points = calloc(bench->plan.count, sizeof *points);
    if (points == NULL)
        abort();
    for (size_t i = 0; i < bench->plan.count; i++) {
        points[i] = bench->plan.cells[i].point;
        points[i].result = results[i];
    }
    for (size_t i = 0; i < bench->config_count; i++)
        drives[i] = bench->configs[i].drive;
    const struct curves curves = {
        .points = points,
        .count = bench->plan.count,
        .drives = drives,
        .drive_count = bench->config_count,
        .driver = bench->configs[0].driver,
        .host = bench->configs[0].host,
        .seed = bench->settings->seed,
        .version = DOORBELL_VERSION,
        .config_hash = output_combined_hash(bench->configs, bench->config_count),
    };
    output_machine(bench->settings, bench->configs, bench->config_count);
    int error = output_curves(bench->settings, &curves);
    free(points);
    return error;
}

static int drive_measure(const struct drive_bench *bench)
{
    const struct load_tasks tasks = tasks_of(bench);
    struct load_result *results = calloc(bench->plan.count, sizeof *results);
    if (results == NULL)
        abort();
    int error = load_tasks_run(&tasks, results);
    if (error == CLI_OK)
        error = drive_report(bench, results);
    free(results);
    return error;
}

static int drive_bench_run(struct drive_bench *bench)
{
    int error = cli_refuse(bench->settings, "bench drive",
                           CLI_BIT(CLI_SETUP) | CLI_BIT(CLI_SUITE) | CLI_BIT(CLI_BLOCK_SIZE) |
                               CLI_BIT(CLI_DEPTH) | CLI_BIT(CLI_TRACE));
    if (error == CLI_OK)
        error = load_tasks_choose(bench->settings, curve_name, CURVE_KINDS, bench->wanted,
                                  &bench->named);
    if (error == CLI_OK)
        error = load_configs(bench);
    if (error != CLI_OK)
        return error;
    if (bench->settings->dump_config) {
        cli_config_dump(bench->configs, bench->config_count);
        return CLI_OK;
    }
    error = load_sheet(bench);
    if (error == CLI_OK)
        error = make_plan(bench);
    if (error == CLI_OK)
        error = output_check(bench->settings);
    return error != CLI_OK ? error : drive_measure(bench);
}

int cli_bench_drive(const struct cli_settings *settings)
{
    struct drive_bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL)
        abort();
    bench->settings = settings;
    int error = drive_bench_run(bench);
    for (size_t i = 0; i < bench->config_count; i++)
        cli_config_free(&bench->configs[i]);
    drive_plan_free(&bench->plan);
    datasheet_free(&bench->sheet);
    free(bench);
    return error;
}
