/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Results on their way out; see output.h.
 */
#include "cli/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/text.h"
#include "engine/clock.h"

/* A directory that is there, or can be made. */
static int check_directory(const char *path)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (there && !S_ISDIR(status.st_mode)) {
        cli_complain("--plot %s: is not a directory", path);
        return CLI_USAGE;
    }
    if (!there && mkdir(path, 0777) != 0) {
        cli_complain("--plot %s: cannot be made: %s", path, strerror(errno));
        return CLI_USAGE;
    }
    if (!there)
        rmdir(path);
    return CLI_OK;
}

int output_check(const struct cli_settings *settings)
{
    const char *const paths[] = {settings->csv, settings->json, settings->trace};
    char message[REPORT_MESSAGE_MAX];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (size_t j = 0; j < i; j++) {
            if (paths[i] != NULL && paths[j] != NULL && strcmp(paths[i], paths[j]) == 0) {
                cli_complain("%s: two outputs cannot go to the same file", paths[i]);
                return CLI_USAGE;
            }
        }
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] != NULL && outfile_check(paths[i], message) != 0) {
            cli_complain("%s", message);
            return CLI_USAGE;
        }
    }
    return settings->plot == NULL ? CLI_OK : check_directory(settings->plot);
}

bool output_table_wanted(const struct cli_settings *settings)
{
    return !settings->quiet && !(settings->csv != NULL && strcmp(settings->csv, "-") == 0) &&
           !(settings->json != NULL && strcmp(settings->json, "-") == 0);
}

struct description {
    const char *what, *name;
};

static void print_description(void *ctx, const char *name, const char *text)
{
    const struct description *wanted = ctx;
    if (strcmp(name, wanted->name) == 0)
        printf("%s %s: %s\n", wanted->what, name, text);
}

void output_machine(const struct cli_settings *settings, const struct cli_config *configs,
                    size_t count)
{
    if (!output_table_wanted(settings))
        return;
    for (size_t i = 0; i < count; i++) {
        struct description drive = {"drive", configs[i].drive};
        config_list_profiles(configs[i].config, CONFIG_DRIVE, print_description, &drive);
    }
    struct description host = {"host", configs[0].host};
    config_list_profiles(configs[0].config, CONFIG_HOST, print_description, &host);
    printf("\n");
}

static int write_files(const struct cli_settings *settings, const struct report *report)
{
    char message[REPORT_MESSAGE_MAX];
    if ((settings->csv != NULL && csv_write(report, settings->csv, message) != 0) ||
        (settings->json != NULL && report_json_write(report, settings->json, message) != 0) ||
        (settings->plot != NULL && plot_write(report, settings->plot, message) != 0)) {
        cli_complain("%s", message);
        return CLI_USAGE;
    }
    return CLI_OK;
}

static int verdict_of(uint64_t verified, uint64_t mismatched)
{
    if (mismatched == 0)
        return CLI_OK;
    cli_complain("%" PRIu64 " of %" PRIu64 " blocks read back did not hold what was written",
                 mismatched, verified);
    return CLI_CHECK_FAILED;
}

static int verdict(const struct report *report)
{
    uint64_t verified, mismatched;
    report_blocks(report, &verified, &mismatched);
    return verdict_of(verified, mismatched);
}

int output_report(const struct cli_settings *settings, const struct report *report)
{
    if (output_table_wanted(settings))
        table_print(report, stdout);
    int error = write_files(settings, report);
    return error != CLI_OK ? error : verdict(report);
}

/* What has become of the files: 0, or -1 and a message; and of the data. */
static int outcome(int error, const char *message, uint64_t verified, uint64_t mismatched)
{
    if (error == 0)
        return verdict_of(verified, mismatched);
    cli_complain("%s", message);
    return CLI_USAGE;
}

int output_curves(const struct cli_settings *settings, const struct curves *curves)
{
    char message[REPORT_MESSAGE_MAX];
    uint64_t verified, mismatched;
    int error = 0;
    if (output_table_wanted(settings))
        curve_table_print(curves, stdout);
    if (settings->csv != NULL)
        error = curve_csv_write(curves, settings->csv, message);
    if (error == 0 && settings->json != NULL)
        error = curve_json_write(curves, settings->json, message);
    if (error == 0 && settings->plot != NULL)
        error = curve_plot_write(curves, settings->plot, message);
    curve_blocks(curves, &verified, &mismatched);
    return outcome(error, message, verified, mismatched);
}

int output_driver_curves(const struct cli_settings *settings, const struct driver_curves *curves)
{
    char message[REPORT_MESSAGE_MAX];
    uint64_t verified, mismatched;
    int error = 0;
    if (output_table_wanted(settings))
        driver_table_print(curves, stdout);
    if (settings->csv != NULL)
        error = driver_csv_write(curves, settings->csv, message);
    if (error == 0 && settings->json != NULL)
        error = driver_json_write(curves, settings->json, message);
    if (error == 0 && settings->plot != NULL)
        error = driver_plot_write(curves, settings->plot, message);
    driver_curve_blocks(curves, &verified, &mismatched);
    return outcome(error, message, verified, mismatched);
}

static void print_single(const struct result *result)
{
    double seconds = (double)result->pass_ps[0] / (double)PS_PER_SECOND;
    printf("%s: driver %s, drive %s, host %s\n", result->suite, result->driver, result->drive,
           result->host);
    printf("  operations   %" PRIu64 "\n  bytes        %" PRIu64 "\n", result->pass_ops[0],
           result->pass_bytes[0]);
    printf("  time         %.9f s (simulated)\n", seconds);
    if (seconds > 0)
        printf("  throughput   %.2f MiB/s, %.0f operations per second\n", result_mib_per_s(result),
               (double)result->pass_ops[0] / seconds);
    printf("counters per operation\n");
    for (size_t i = 0; i < report_counter_count(); i++)
        printf("  %-22s %14.3f   %s\n", report_counter_name(i),
               result->pass_ops[0] == 0 ? 0.0
                                        : (double)report_counter_value(&result->counters, i) /
                                              (double)result->pass_ops[0],
               report_counter_text(i));
    printf("blocks verified: %" PRIu64 ", mismatched: %" PRIu64 "\n", result->blocks_verified,
           result->blocks_mismatched);
}

int output_single(const struct cli_settings *settings, const struct result *result,
                  const struct cli_config *config)
{
    const char *const drivers[] = {result->driver};
    const struct report report = {.results = result,
                                  .count = 1,
                                  .drivers = drivers,
                                  .driver_count = 1,
                                  .block_sizes = &result->block_bytes,
                                  .block_size_count = 1,
                                  .seed = settings->seed,
                                  .version = DOORBELL_VERSION,
                                  .config_hash = config->hash};
    if (output_table_wanted(settings))
        print_single(result);
    if (table_wanted(settings) && result->usage.cpus > 1)
        usage_print(stdout, &result->usage);
    int error = write_files(settings, &report);
    return error != CLI_OK ? error : verdict(&report);
}

/* Where profiles are, in order: --profiles, DOORBELL_PATH, beside the program. NULL if no directory
 * of them has the file. The caller frees it. */
static char *find_shipped(const struct cli_settings *settings, const char *shipped)
{
    const char *const lists[] = {settings->profiles, getenv("DOORBELL_PATH"),
                                 cli_profile_directory()};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const char *at = lists[i]; at != NULL && *at != '\0';) {
            size_t length = strcspn(at, ":");
            char *path = text_format("%.*s/%s", (int)length, at, shipped);
            if (length > 0 && access(path, R_OK) == 0)
                return path;
            free(path);
            at += length + (at[length] == ':');
        }
    }
    return NULL;
}

char *output_figures_path(const struct cli_settings *settings, const char *shipped)
{
    char *path = settings->published != NULL ? text_copy(settings->published)
                                             : find_shipped(settings, shipped);
    if (path == NULL)
        cli_complain("note: no %s beside the profiles: nothing to compare with", shipped);
    return path;
}

int output_published(const struct cli_settings *settings, const char *shipped,
                     struct published_table *table)
{
    char message[REPORT_MESSAGE_MAX];
    char *path = output_figures_path(settings, shipped);
    if (path == NULL)
        return CLI_OK;
    int error = published_read(table, path, message);
    free(path);
    if (error == 0)
        return CLI_OK;
    cli_complain("%s", message);
    return CLI_INPUT;
}

const char *output_combined_hash(const struct cli_config *configs, size_t count)
{
    /* FNV-1a over the single hashes; one configuration keeps its own. */
    static char text[17];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (count == 1)
        return configs[0].hash;
    for (size_t i = 0; i < count; i++)
        for (const char *c = configs[i].hash; *c != '\0'; c++)
            hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    return text;
}

char *output_trace_name(const char *file, bool several, const char *driver, const char *suite,
                        uint64_t block_bytes)
{
    if (!several)
        return text_copy(file);
    const char *base = text_path_base(file);
    const char *dot = strrchr(base, '.');
    size_t stem = dot != NULL && dot != base ? (size_t)(dot - file) : strlen(file);
    char *name = text_format("%.*s.%s.%s.%" PRIu64 "%s", (int)stem, file, driver, suite,
                             block_bytes, file + stem);
    for (char *c = name + (base - file); *c != '\0'; c++)
        if (*c == '/') /* MixedRW70/30 */
            *c = '-';
    return name;
}

void output_unknown_suite(const char *name)
{
    struct text_nearest nearest;
    size_t count;
    const struct adb_suite *suites = adb_suites(&count);
    text_nearest_start(&nearest, name);
    for (size_t i = 0; i < count; i++)
        text_nearest_try(&nearest, suites[i].name);
    if (nearest.best != NULL)
        cli_complain("--suite: unknown suite '%s'; did you mean '%s'?", name, nearest.best);
    else
        cli_complain("--suite: unknown suite '%s'; see doorbell list suites", name);
}
