/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell stats`: every counter of driver core, host and controller for the timed part of a
 * workload, as a table, as CSV or as JSON.
 */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "report/json.h"
#include "report/outfile.h"
#include "run/counters.h"

static const char *const sides[COUNTER_SIDES] = {"driver", "admin", "host", "controller"};

static double per_request(const struct counters *counters, uint64_t value)
{
    return counters->requests == 0 ? 0 : (double)value / (double)counters->requests;
}

static uint64_t highest_peak(const struct counters *counters)
{
    uint64_t peak = 0;
    for (unsigned q = 0; q < counters->queues; q++)
        if (counters->peak[q] > peak)
            peak = counters->peak[q];
    return peak;
}

static void print_table(const struct counters *counters, const struct result *result)
{
    unsigned queues = counters->queues > 1 ? counters->queues : 0;
    printf("%s, driver %s, drive %s, host %s\n", result->suite, result->driver, result->drive,
           result->host);
    printf("%" PRIu64 " block requests in the timed part; at most %" PRIu64
           " commands of a queue in flight\n",
           counters->requests, highest_peak(counters));
    for (size_t row = 0; row < counter_row_count; row++) {
        const struct counter_row *r = &counter_rows[row];
        if (row == 0 || r->side != counter_rows[row - 1].side) {
            printf("\n  %-44s %14s %12s", sides[r->side], "total", "per request");
            for (unsigned q = 0; q < queues && r->side == COUNTER_DRIVER; q++)
                printf("      queue %2u", q + 1);
            putchar('\n');
        }
        printf("  %-44s %14" PRIu64 " %12.3f", r->text, counters->total[row],
               per_request(counters, counters->total[row]));
        for (unsigned q = 0; q < queues && r->side == COUNTER_DRIVER; q++)
            printf(" %13" PRIu64, counters->of_queue[row][q]);
        putchar('\n');
    }
    printf("\n  %-44s %14s\n", "health (SMART)", "at the end");
    for (size_t row = 0; row < COUNTERS_SMART_ROWS; row++)
        printf("  %-44s %14" PRIu64 "\n", counter_smart_rows[row].text, counters->smart[row]);
}

static void print_csv(FILE *file, const struct counters *counters)
{
    fprintf(file, "side,counter,queue,value,per_request\n");
    for (size_t row = 0; row < counter_row_count; row++) {
        const struct counter_row *r = &counter_rows[row];
        fprintf(file, "%s,%s,all,%" PRIu64 ",%.6f\n", sides[r->side], r->name, counters->total[row],
                per_request(counters, counters->total[row]));
        for (unsigned q = 0; q < counters->queues && r->side == COUNTER_DRIVER; q++)
            fprintf(file, "%s,%s,%u,%" PRIu64 ",%.6f\n", sides[r->side], r->name, q + 1,
                    counters->of_queue[row][q], per_request(counters, counters->of_queue[row][q]));
    }
    for (unsigned q = 0; q < counters->queues; q++)
        fprintf(file, "driver,in_flight_peak,%u,%" PRIu64 ",\n", q + 1, counters->peak[q]);
    for (size_t row = 0; row < COUNTERS_SMART_ROWS; row++)
        fprintf(file, "smart,%s,all,%" PRIu64 ",\n", counter_smart_rows[row].name,
                counters->smart[row]);
}

static void json_side(struct json *json, const struct counters *counters, enum counter_side side)
{
    json_key(json, sides[side]);
    json_object_begin(json);
    for (size_t row = 0; row < counter_row_count; row++)
        if (counter_rows[row].side == side)
            json_member_uint(json, counter_rows[row].name, counters->total[row]);
    json_object_end(json);
}

static void print_json(FILE *file, const struct counters *counters, const struct result *result)
{
    struct json json;
    json_begin(&json, file);
    json_object_begin(&json);
    json_member_text(&json, "workload", result->suite);
    json_member_text(&json, "driver_profile", result->driver);
    json_member_text(&json, "drive_profile", result->drive);
    json_member_text(&json, "host_profile", result->host);
    json_member_uint(&json, "requests", counters->requests);
    for (unsigned side = 0; side < COUNTER_SIDES; side++)
        json_side(&json, counters, (enum counter_side)side);
    json_key(&json, "smart");
    json_object_begin(&json);
    for (size_t row = 0; row < COUNTERS_SMART_ROWS; row++)
        json_member_uint(&json, counter_smart_rows[row].name, counters->smart[row]);
    json_object_end(&json);
    json_key(&json, "queues");
    json_array_begin(&json);
    for (unsigned q = 0; q < counters->queues; q++) {
        json_object_begin(&json);
        for (size_t row = 0; row < counter_row_count; row++)
            if (counter_rows[row].side == COUNTER_DRIVER)
                json_member_uint(&json, counter_rows[row].name, counters->of_queue[row][q]);
        json_member_uint(&json, "in_flight_peak", counters->peak[q]);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    json_end(&json);
}

/* path NULL: not asked for. */
static int write_file(const char *path, const struct counters *counters,
                      const struct result *result, bool as_json)
{
    char why[REPORT_MESSAGE_MAX];
    struct outfile out;
    if (path == NULL)
        return CLI_OK;
    if (outfile_open(&out, path, why) != 0) {
        cli_complain("%s", why);
        return CLI_USAGE;
    }
    if (as_json)
        print_json(out.file, counters, result);
    else
        print_csv(out.file, counters);
    if (outfile_commit(&out, why) != 0) {
        cli_complain("%s", why);
        return CLI_USAGE;
    }
    return CLI_OK;
}

/* The workload: a suite, or random-read. */
static int run(const struct cli_settings *settings, const struct cli_config *config,
               const char *workload, struct counters *counters, struct result *result)
{
    struct run_spec spec = cli_run_spec(settings, config);
    const struct adb_suite *suite = adb_find(workload);
    char message[RUN_MESSAGE_MAX];
    uint64_t bytes = 4096;
    const char *wrong;
    int error;
    if (suite == NULL && strcmp(workload, "random-read") != 0) {
        output_unknown_suite(workload);
        return CLI_USAGE;
    }
    if (settings->block_sizes.count == 1 &&
        !cli_size("block-size", settings->block_sizes.items[0], &bytes))
        return CLI_USAGE;
    counters_watch(counters, &spec);
    if (suite != NULL) {
        error = cli_refuse(settings, suite->name,
                           CLI_BIT(CLI_DEPTH) | CLI_BIT(CLI_IOS) | CLI_BIT(CLI_FOOTPRINT));
        if (error != CLI_OK)
            return error;
        wrong = adb_block_size_check(suite, bytes);
        if (wrong != NULL) {
            cli_complain("--block-size: %s: %s", suite->name, wrong);
            return CLI_USAGE;
        }
        error = run_suite(&spec, suite, bytes, result, message);
    } else {
        const struct run_random_read job = {.ios = settings->ios,
                                            .depth = settings->depth,
                                            .block_bytes = bytes,
                                            .footprint = settings->footprint};
        wrong = run_random_read_check(&config->params, &job);
        if (wrong != NULL) {
            cli_complain("%s", wrong);
            return CLI_USAGE;
        }
        error = run_random_read(&spec, &job, result, message);
    }
    if (error != RUN_OK) {
        cli_complain("%s", message);
        return cli_exit_of(error);
    }
    if (counters->smart_error != NVME_OK) {
        cli_complain("the SMART log cannot be read: %s", nvme_error_text(counters->smart_error));
        return CLI_CHECK_FAILED;
    }
    return CLI_OK;
}

static int stats_main(struct cli_settings *settings)
{
    struct cli_config config;
    struct counters *counters;
    struct result result;
    int error;
    if (settings->arguments.count != 1 || settings->drivers.count > 1 ||
        settings->block_sizes.count > 1) {
        cli_complain("stats: name one suite or random-read, and at most one --driver and "
                     "--block-size");
        return CLI_USAGE;
    }
    error = output_check(settings);
    if (error != CLI_OK)
        return error;
    error = cli_config_load(
        settings, settings->drivers.count == 0 ? NULL : settings->drivers.items[0], &config);
    if (error != CLI_OK)
        return error;
    counters = calloc(1, sizeof *counters);
    if (counters == NULL)
        abort();
    error = run(settings, &config, settings->arguments.items[0], counters, &result);
    if (error == CLI_OK) {
        if (output_table_wanted(settings))
            print_table(counters, &result);
        error = write_file(settings->csv, counters, &result, false);
    }
    if (error == CLI_OK)
        error = write_file(settings->json, counters, &result, true);
    if (error == CLI_OK && result.blocks_mismatched != 0)
        error = CLI_CHECK_FAILED;
    free(counters);
    cli_config_free(&config);
    return error;
}

const struct cli_command cli_stats_command = {
    .name = "stats",
    .arguments = "WORKLOAD",
    .summary = "count what driver, host and controller do in a workload",
    .text =
        "Runs an AmigaDiskBench suite or random-read and prints every counter of the driver core\n"
        "(in sum and for each queue), of the host and of the controller for the timed part, each\n"
        "also by block request, and the drive's health (SMART) at the end.",
    .options = CLI_BIT(CLI_DRIVER) | CLI_BIT(CLI_DRIVE) | CLI_BIT(CLI_HOST) | CLI_BIT(CLI_SETUP) |
               CLI_BIT(CLI_PROFILES) | CLI_BIT(CLI_CONFIG) | CLI_BIT(CLI_SET) | CLI_BIT(CLI_SEED) |
               CLI_BIT(CLI_BLOCK_SIZE) | CLI_BIT(CLI_DEPTH) | CLI_BIT(CLI_IOS) |
               CLI_BIT(CLI_FOOTPRINT) | CLI_BIT(CLI_CSV) | CLI_BIT(CLI_JSON) | CLI_BIT(CLI_QUIET) |
               CLI_BIT(CLI_NO_VERIFY) | CLI_BIT(CLI_PLAIN) | CLI_RULES_BITS | CLI_BIT(CLI_HELP),
    .run = stats_main,
};
