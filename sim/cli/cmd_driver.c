/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell bench driver`: curves that show what a difference between drivers is worth. What is
 * measured, and on which machine, is in driver_plan.c.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "cli/driver_plan.h"
#include "cli/output.h"

#define CONFIGS_MAX (DRIVER_CURVE_KINDS * REPORT_DRIVERS_MAX)

struct driver_bench {
    const struct cli_settings *settings;
    struct cli_config configs[CONFIGS_MAX]; /* one per curve and driver */
    size_t config_count;
    bool wanted[DRIVER_CURVE_KINDS];
    struct driver_plan plan;
};

static int load_config(struct driver_bench *bench, enum driver_curve_kind kind, const char *driver)
{
    const struct driver_plan_machine *machine = driver_plan_machine(kind);
    struct cli_settings settings = *bench->settings;
    settings.drive = settings.drive == NULL ? machine->drive : settings.drive;
    settings.host = settings.host == NULL ? machine->host : settings.host;
    int error = cli_config_load(&settings, driver, &bench->configs[bench->config_count]);
    if (error == CLI_OK)
        bench->config_count++;
    return error;
}

static int load_curve(struct driver_bench *bench, enum driver_curve_kind kind)
{
    const struct driver_plan_machine *machine = driver_plan_machine(kind);
    const struct cli_list *drivers = &bench->settings->drivers;
    size_t first = bench->config_count;
    size_t count =
        drivers->count != 0 ? drivers->count : sizeof machine->drivers / sizeof machine->drivers[0];
    for (size_t i = 0; i < count; i++) {
        int error =
            load_config(bench, kind, drivers->count != 0 ? drivers->items[i] : machine->drivers[i]);
        if (error != CLI_OK)
            return error;
        const struct cli_config *config = &bench->configs[first + i];
        for (size_t j = first; j < first + i; j++) {
            if (strcmp(bench->configs[j].driver, config->driver) == 0) {
                cli_complain("--driver %s: named twice", config->driver);
                return CLI_USAGE;
            }
        }
        driver_plan_add(&bench->plan, kind, config);
    }
    return CLI_OK;
}

static int load_curves(struct driver_bench *bench)
{
    const struct cli_settings *s = bench->settings;
    if (s->drives.count > 1 || s->drivers.count > REPORT_DRIVERS_MAX) {
        cli_complain("bench driver takes one --drive and up to %d drivers", REPORT_DRIVERS_MAX);
        return CLI_USAGE;
    }
    bench->plan.ios = (s->given & CLI_BIT(CLI_IOS)) != 0 ? s->ios : 0;
    bench->plan.footprint = (s->given & CLI_BIT(CLI_FOOTPRINT)) != 0 ? s->footprint : 0;
    for (unsigned kind = 0; kind < DRIVER_CURVE_KINDS; kind++) {
        int error = bench->wanted[kind] ? load_curve(bench, (enum driver_curve_kind)kind) : CLI_OK;
        if (error != CLI_OK)
            return error;
    }
    return CLI_OK;
}

static void cell_task(const void *ctx, size_t index, struct load_task *task)
{
    const struct driver_bench *bench = ctx;
    const struct driver_cell *cell = &bench->plan.cells[index];
    *task = (struct load_task){cell->config, cell->config->params, cell->job, ""};
    task->params.machine.host.cpus = cell->point.cpus;
    snprintf(task->label, sizeof task->label,
             "driver %s, curve %s, %llu CPUs, depth %llu, %llu bytes", cell->point.driver,
             driver_curve_name(cell->point.kind), (unsigned long long)cell->point.cpus,
             (unsigned long long)cell->point.depth, (unsigned long long)cell->point.block_bytes);
}

static int driver_report(const struct driver_bench *bench, const struct load_result *results)
{
    struct driver_point *points = calloc(bench->plan.count, sizeof *points);
    if (points == NULL)
        abort();
    for (size_t i = 0; i < bench->plan.count; i++) {
        points[i] = bench->plan.cells[i].point;
        points[i].result = results[i];
    }
    const struct driver_curves curves = {
        .points = points,
        .count = bench->plan.count,
        .seed = bench->settings->seed,
        .version = DOORBELL_VERSION,
        .config_hash = output_combined_hash(bench->configs, bench->config_count),
    };
    int error = output_driver_curves(bench->settings, &curves);
    free(points);
    return error;
}

static int driver_measure(const struct driver_bench *bench)
{
    const struct load_tasks tasks = {bench->settings, bench->plan.count, cell_task, bench};
    int error = load_tasks_check(&tasks);
    if (error == CLI_OK)
        error = output_check(bench->settings);
    if (error != CLI_OK)
        return error;
    struct load_result *results = calloc(bench->plan.count, sizeof *results);
    if (results == NULL)
        abort();
    error = load_tasks_run(&tasks, results);
    if (error == CLI_OK)
        error = driver_report(bench, results);
    free(results);
    return error;
}

static int driver_bench_run(struct driver_bench *bench)
{
    bool named;
    int error = cli_refuse(bench->settings, "bench driver",
                           CLI_BIT(CLI_SETUP) | CLI_BIT(CLI_SUITE) | CLI_BIT(CLI_BLOCK_SIZE) |
                               CLI_BIT(CLI_DEPTH) | CLI_BIT(CLI_TRACE) | CLI_BIT(CLI_PUBLISHED));
    if (error == CLI_OK)
        error = load_tasks_choose(bench->settings, driver_curve_name, DRIVER_CURVE_KINDS,
                                  bench->wanted, &named);
    if (error == CLI_OK)
        error = load_curves(bench);
    if (error != CLI_OK)
        return error;
    if (bench->settings->dump_config) {
        cli_config_dump(bench->configs, bench->config_count);
        return CLI_OK;
    }
    return driver_measure(bench);
}

int cli_bench_driver(const struct cli_settings *settings)
{
    struct driver_bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL)
        abort();
    bench->settings = settings;
    int error = driver_bench_run(bench);
    for (size_t i = 0; i < bench->config_count; i++)
        cli_config_free(&bench->configs[i]);
    driver_plan_free(&bench->plan);
    free(bench);
    return error;
}
