/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell bench`: benchmark programs on simulated machines, for one or more drivers, beside the
 * published figures.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/output.h"
#include "run/load.h"
#include "run/pool.h"

#define PUBLISHED_FILE "published/amiga.csv"
#define PUBLISHED_SET  "release-1.65"

struct cell {
    const struct adb_suite *suite;
    uint64_t block_bytes;
    const struct cli_config *config;
    char *trace; /* NULL: none */
};

struct cell_outcome {
    int error; /* a run_error */
    char message[RUN_MESSAGE_MAX];
    struct result result;
};
_Static_assert(sizeof(struct cell_outcome) <= POOL_OUTCOME_MAX, "an outcome must fit the pool");

struct bench {
    const struct cli_settings *settings;
    struct cli_config *configs; /* one per driver */
    size_t config_count;
    const struct adb_suite *suites[16];
    size_t suite_count;
    uint64_t block_sizes[CLI_LIST_MAX];
    size_t block_size_count;
    struct cell *cells;
    size_t cell_count;
    struct progress progress;
    struct published_table published; /* empty where there is nothing to compare with */
};

/* ---- what is to be run ---- */

static int choose_suites(struct bench *bench)
{
    const struct cli_list *wanted = &bench->settings->suites;
    size_t count;
    const struct adb_suite *all = adb_suites(&count);
    bool every = false;
    for (size_t i = 0; i < wanted->count; i++)
        every = every || strcasecmp(wanted->items[i], "all") == 0;
    if (wanted->count == 0 || every) {
        for (size_t i = 0; i < count; i++)
            if (every || all[i].published)
                bench->suites[bench->suite_count++] = &all[i];
        return CLI_OK;
    }
    for (size_t i = 0; i < count; i++) { /* in the suites' order, each once */
        for (size_t j = 0; j < wanted->count; j++) {
            if (adb_find(wanted->items[j]) == &all[i]) {
                bench->suites[bench->suite_count++] = &all[i];
                break;
            }
        }
    }
    for (size_t j = 0; j < wanted->count; j++) {
        if (adb_find(wanted->items[j]) == NULL) {
            output_unknown_suite(wanted->items[j]);
            return CLI_USAGE;
        }
    }
    return CLI_OK;
}

static int compare_sizes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int choose_block_sizes(struct bench *bench)
{
    const struct cli_list *wanted = &bench->settings->block_sizes;
    if (wanted->count == 0) {
        memcpy(bench->block_sizes, adb_block_sizes, sizeof adb_block_sizes);
        bench->block_size_count = ADB_BLOCK_SIZES;
        return CLI_OK;
    }
    for (size_t i = 0; i < wanted->count; i++) {
        uint64_t bytes;
        if (!cli_size("block-size", wanted->items[i], &bytes))
            return CLI_USAGE;
        if (bytes == 0) {
            cli_complain("--block-size %s: a block size is at least 512 bytes", wanted->items[i]);
            return CLI_USAGE;
        }
        for (size_t s = 0; s < bench->suite_count; s++) {
            const char *wrong = adb_block_size_check(bench->suites[s], bytes);
            if (wrong != NULL) {
                cli_complain("--block-size %s: %s: %s", wanted->items[i], bench->suites[s]->name,
                             wrong);
                return CLI_USAGE;
            }
        }
        bool known = false;
        for (size_t j = 0; j < bench->block_size_count; j++)
            known = known || bench->block_sizes[j] == bytes;
        if (!known)
            bench->block_sizes[bench->block_size_count++] = bytes;
    }
    qsort(bench->block_sizes, bench->block_size_count, sizeof bench->block_sizes[0], compare_sizes);
    return CLI_OK;
}

static int load_configs(struct bench *bench)
{
    const struct cli_list *drivers = &bench->settings->drivers;
    size_t count = drivers->count == 0 ? 1 : drivers->count;
    if (count > REPORT_DRIVERS_MAX) {
        cli_complain("--driver: given %zu times; at most %d drivers fit one report", count,
                     REPORT_DRIVERS_MAX);
        return CLI_USAGE;
    }
    bench->configs = calloc(count, sizeof *bench->configs);
    if (bench->configs == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct cli_config *config = &bench->configs[i];
        int error = cli_config_load(bench->settings, drivers->count == 0 ? NULL : drivers->items[i],
                                    config);
        if (error != CLI_OK)
            return error;
        bench->config_count++;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(bench->configs[j].driver, config->driver) == 0) {
                cli_complain("--driver %s: named twice", config->driver);
                return CLI_USAGE;
            }
        }
    }
    return CLI_OK;
}

static void make_cells(struct bench *bench)
{
    bench->cells = calloc(bench->suite_count * bench->block_size_count * bench->config_count,
                          sizeof *bench->cells);
    if (bench->cells == NULL)
        abort();
    for (size_t s = 0; s < bench->suite_count; s++) {
        size_t sizes = bench->suites[s]->default_block_bytes == 0 ? 1 : bench->block_size_count;
        for (size_t b = 0; b < sizes; b++)
            for (size_t c = 0; c < bench->config_count; c++)
                bench->cells[bench->cell_count++] = (struct cell){
                    .suite = bench->suites[s],
                    .block_bytes =
                        bench->suites[s]->default_block_bytes == 0 ? 0 : bench->block_sizes[b],
                    .config = &bench->configs[c]};
    }
    for (size_t i = 0; bench->settings->trace != NULL && i < bench->cell_count; i++) {
        const struct cell *cell = &bench->cells[i];
        bench->cells[i].trace =
            output_trace_name(bench->settings->trace, bench->cell_count > 1, cell->config->driver,
                              cell->suite->name, cell->block_bytes);
    }
}

/* ---- running ---- */

static void bench_work(void *ctx, size_t index, void *to)
{
    const struct bench *bench = ctx;
    struct cell_outcome *outcome = to;
    const struct cell *cell = &bench->cells[index];
    struct run_spec spec = cli_run_spec(bench->settings, cell->config);
    spec.trace = cell->trace;
    outcome->error =
        run_suite(&spec, cell->suite, cell->block_bytes, &outcome->result, outcome->message);
}

static void bench_finished(void *ctx, size_t done)
{
    struct bench *bench = ctx;
    progress_update(&bench->progress, done, NULL);
}

static int bench_run(struct bench *bench, struct cell_outcome *outcomes)
{
    char message[RUN_MESSAGE_MAX];
    progress_begin(&bench->progress, stderr, bench->settings->progress, bench->cell_count);
    int died = pool_run(bench->cell_count, (unsigned)bench->settings->jobs, bench_work,
                        bench_finished, bench, outcomes, sizeof *outcomes, message);
    progress_end(&bench->progress);
    if (died != 0) {
        cli_complain("%s", message);
        return CLI_INTERNAL;
    }
    int worst = CLI_OK;
    for (size_t i = 0; i < bench->cell_count; i++) {
        if (outcomes[i].error == RUN_OK)
            continue;
        bool said = false; /* the same cause stops many cells */
        for (size_t j = 0; j < i && !said; j++)
            said = strcmp(outcomes[i].message, outcomes[j].message) == 0;
        if (!said)
            cli_complain("%s", outcomes[i].message);
        int code = cli_exit_of(outcomes[i].error);
        worst = code > worst ? code : worst;
    }
    return worst;
}

/* ---- reporting ---- */

/* The published figures belong to one machine: another drive or host is compared with nothing,
 * unless figures for it are given. */
static int load_published(struct bench *bench)
{
    const struct cli_settings *s = bench->settings;
    bool published_machine = s->drive == NULL && s->host == NULL &&
                             (s->setup == NULL || strcmp(s->setup, CLI_DEFAULT_SETUP) == 0);
    if (!published_machine && s->published == NULL)
        return CLI_OK;
    return output_published(s, PUBLISHED_FILE, &bench->published);
}

static int bench_report(struct bench *bench, const struct cell_outcome *outcomes)
{
    struct result *results = calloc(bench->cell_count, sizeof *results);
    if (results == NULL)
        abort();
    for (size_t i = 0; i < bench->cell_count; i++)
        results[i] = outcomes[i].result;
    const char *names[REPORT_DRIVERS_MAX];
    for (size_t i = 0; i < bench->config_count; i++)
        names[i] = bench->configs[i].driver;
    const struct report report = {
        .results = results,
        .count = bench->cell_count,
        .drivers = names,
        .driver_count = bench->config_count,
        .block_sizes = adb_block_sizes,
        .block_size_count = ADB_BLOCK_SIZES,
        .published = bench->published.count > 0 ? &bench->published : NULL,
        .published_set = PUBLISHED_SET,
        .seed = bench->settings->seed,
        .version = DOORBELL_VERSION,
        .config_hash = output_combined_hash(bench->configs, bench->config_count),
    };
    output_machine(bench->settings, bench->configs, 1);
    int error = output_report(bench->settings, &report);
    free(results);
    return error;
}

static void bench_free(struct bench *bench)
{
    for (size_t i = 0; i < bench->cell_count; i++)
        free(bench->cells[i].trace);
    free(bench->cells);
    for (size_t i = 0; i < bench->config_count; i++)
        cli_config_free(&bench->configs[i]);
    free(bench->configs);
    published_free(&bench->published);
}

static int bench_amigadiskbench(struct bench *bench)
{
    int error = cli_refuse(bench->settings, "amigadiskbench",
                           CLI_BIT(CLI_DEPTH) | CLI_BIT(CLI_IOS) | CLI_BIT(CLI_FOOTPRINT) |
                               CLI_BIT(CLI_CURVE));
    if (error == CLI_OK)
        error = choose_suites(bench);
    if (error == CLI_OK)
        error = choose_block_sizes(bench);
    if (error == CLI_OK)
        error = load_configs(bench);
    if (error != CLI_OK)
        return error;
    if (bench->settings->dump_config) {
        cli_config_dump(bench->configs, bench->config_count);
        return CLI_OK;
    }
    error = output_check(bench->settings);
    if (error == CLI_OK)
        error = load_published(bench);
    if (error != CLI_OK)
        return error;
    make_cells(bench);
    struct cell_outcome *outcomes = calloc(bench->cell_count, sizeof *outcomes);
    if (outcomes == NULL)
        abort();
    error = bench_run(bench, outcomes);
    if (error == CLI_OK)
        error = bench_report(bench, outcomes);
    free(outcomes);
    return error;
}

/* Random reads: one machine, one line per figure. */
static int bench_random_read(struct bench *bench)
{
    const struct cli_settings *s = bench->settings;
    char message[RUN_MESSAGE_MAX];
    struct result result;
    struct run_random_read job = {s->ios, s->depth, 4096, s->footprint};
    if (s->block_sizes.count > 1) {
        cli_complain("--block-size: random-read takes one");
        return CLI_USAGE;
    }
    if (s->block_sizes.count == 1 &&
        !cli_size("block-size", s->block_sizes.items[0], &job.block_bytes))
        return CLI_USAGE;
    int error = cli_refuse(s, "random-read",
                           CLI_BIT(CLI_SUITE) | CLI_BIT(CLI_TRACE) | CLI_BIT(CLI_PLOT) |
                               CLI_BIT(CLI_PUBLISHED) | CLI_BIT(CLI_JOBS) | CLI_BIT(CLI_PROGRESS) |
                               CLI_BIT(CLI_CURVE));
    if (error == CLI_OK)
        error = load_configs(bench);
    if (error != CLI_OK)
        return error;
    if (bench->config_count != 1) {
        cli_complain("--driver: random-read takes one");
        return CLI_USAGE;
    }
    if (s->dump_config) {
        cli_config_dump(bench->configs, 1);
        return CLI_OK;
    }
    struct run_spec spec = cli_run_spec(s, &bench->configs[0]);
    if ((s->given & CLI_BIT(CLI_DEPTH)) == 0)
        job.depth = run_load_depth(spec.params, job.depth); /* must work on every driver */
    error = output_check(s);
    if (error != CLI_OK)
        return error;
    const char *wrong = run_random_read_check(spec.params, &job);
    if (wrong != NULL) {
        cli_complain("%s", wrong);
        return CLI_USAGE;
    }
    error = run_random_read(&spec, &job, &result, message);
    if (error != RUN_OK) {
        cli_complain("%s", message);
        return cli_exit_of(error);
    }
    return output_single(s, &result, bench->configs);
}

static int bench_main(struct cli_settings *settings)
{
    struct bench bench = {.settings = settings};
    int error;
    if (settings->arguments.count != 1) {
        cli_complain("bench: name one workload: amigadiskbench, random-read, drive or driver");
        return CLI_USAGE;
    }
    if (strcmp(settings->arguments.items[0], "amigadiskbench") == 0) {
        error = bench_amigadiskbench(&bench);
    } else if (strcmp(settings->arguments.items[0], "random-read") == 0) {
        error = bench_random_read(&bench);
    } else if (strcmp(settings->arguments.items[0], "drive") == 0) {
        error = cli_bench_drive(settings);
    } else if (strcmp(settings->arguments.items[0], "driver") == 0) {
        error = cli_bench_driver(settings);
    } else {
        cli_complain("bench: unknown workload '%s'; allowed: amigadiskbench, random-read, drive, "
                     "driver",
                     settings->arguments.items[0]);
        error = CLI_USAGE;
    }
    bench_free(&bench);
    return error;
}

const struct cli_command cli_bench_command = {
    .name = "bench",
    .arguments = "WORKLOAD",
    .summary = "run a benchmark program on simulated machines",
    .text =
        "WORKLOAD is\n"
        "  amigadiskbench   the AmigaDiskBench suites, each at seven block sizes, for every\n"
        "                   --driver, beside the published figures\n"
        "  random-read      random reads in closed loops, one on each CPU, without a file system\n"
        "                   (--depth, --ios, --block-size, --footprint)\n"
        "  drive            curves of one or more --drive: IOPS over depth, throughput over block\n"
        "                   size and over the link, random writes over time, and the figures of\n"
        "                   data sheets beside the model's (--curve); --host is ideal and\n"
        "                   --driver is doorbell unless they are given\n"
        "  driver           curves of drivers, each on a machine that shows the difference: CPUs,\n"
        "                   copies, doorbells, overload (--curve); --driver (repeatable), --drive\n"
        "                   and --host are the curve's own unless they are given\n\n"
        "Exit codes: 0 all is well; 1 data did not match or a run failed; 2 usage or\n"
        "configuration; 3 unreadable input; 4 internal error.",
    .options = CLI_BIT(CLI_DRIVER) | CLI_BIT(CLI_DRIVE) | CLI_BIT(CLI_HOST) | CLI_BIT(CLI_SETUP) |
               CLI_BIT(CLI_PROFILES) | CLI_BIT(CLI_CONFIG) | CLI_BIT(CLI_SET) | CLI_BIT(CLI_SEED) |
               CLI_BIT(CLI_JOBS) | CLI_BIT(CLI_SUITE) | CLI_BIT(CLI_BLOCK_SIZE) | CLI_BIT(CLI_CSV) |
               CLI_BIT(CLI_JSON) | CLI_BIT(CLI_TRACE) | CLI_BIT(CLI_PLOT) | CLI_BIT(CLI_PUBLISHED) |
               CLI_BIT(CLI_DUMP_CONFIG) | CLI_BIT(CLI_PROGRESS) | CLI_BIT(CLI_QUIET) |
               CLI_BIT(CLI_NO_VERIFY) | CLI_BIT(CLI_PLAIN) | CLI_BIT(CLI_DEPTH) | CLI_BIT(CLI_IOS) |
               CLI_BIT(CLI_FOOTPRINT) | CLI_BIT(CLI_CURVE) | CLI_RULES_BITS | CLI_BIT(CLI_HELP),
    .run = bench_main,
};
