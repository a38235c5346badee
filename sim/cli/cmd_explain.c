/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell explain`: where the time of one block request of a suite went.
 */
#include "cli/cli.h"

#include <inttypes.h>
#include <string.h>

#include "cli/output.h"
#include "report/ledger.h"

/* First run: which request is the last of the largest of the timed part? */
struct finder {
    struct stream_reader reader;
    uint64_t request, bytes;
    bool timed;
};

static void finder_read(void *ctx, const struct stream_record *record)
{
    struct finder *finder = ctx;
    if (finder->timed && record->d >= finder->bytes) {
        finder->bytes = record->d;
        finder->request = record->b;
    }
}

static void finder_begin(void *ctx, struct machine *machine)
{
    struct finder *finder = ctx;
    finder->reader =
        (struct stream_reader){finder_read, finder, UINT64_C(1) << RECORD_REQUEST, NULL};
    stream_add(engine_stream(machine_engine(machine)), &finder->reader);
}

static void finder_timed(void *ctx, bool begins)
{
    struct finder *finder = ctx;
    finder->timed = begins;
}

/* Second run: the ledger of one request. */
struct watch {
    uint64_t request;
    uint32_t block_bytes; /* of the namespace */
    struct ledger_reader *reader;
    struct ledger ledger;
};

static void watch_begin(void *ctx, struct machine *machine)
{
    struct watch *watch = ctx;
    watch->reader =
        ledger_attach(engine_stream(machine_engine(machine)), watch->request, watch->block_bytes);
}

static void watch_end(void *ctx, struct machine *machine)
{
    struct watch *watch = ctx;
    (void)machine;
    ledger_detach(watch->reader, &watch->ledger);
}

static void ledger_print(const struct ledger *ledger, const struct result *result, uint64_t request)
{
    static const char *const ops[] = {"read", "write", "flush", "write zeroes"};
    static const char *const wheres[] = {"CPU", "bus", "device"};
    printf("%s, driver %s, drive %s, host %s\n", result->suite, result->driver, result->drive,
           result->host);
    printf("request %" PRIu64 ": %s of %" PRIu64 " bytes at %" PRIu64 ", %u command%s\n", request,
           ops[ledger->op & 3], ledger->bytes, ledger->offset, ledger->commands,
           ledger->commands == 1 ? "" : "s");
    printf("\n  %-34s %-7s %16s %8s\n", "stage", "where", "ns", "share");
    for (unsigned i = 0; i < ledger->count; i++) {
        const struct ledger_line *line = &ledger->lines[i];
        printf("  %-34s %-7s %12" PRIu64 ".%03" PRIu64 " %7.2f%%\n", line->name,
               wheres[line->where], line->ps / 1000, line->ps % 1000,
               100.0 * (double)line->ps / (double)ledger->latency_ps);
    }
    printf("  %-34s %-7s %12" PRIu64 ".%03" PRIu64 "\n", "sum", "", ledger->total_ps / 1000,
           ledger->total_ps % 1000);
    printf("  %-34s %-7s %12" PRIu64 ".%03" PRIu64 "\n", "latency", "", ledger->latency_ps / 1000,
           ledger->latency_ps % 1000);
}

static int explain_run(const struct cli_settings *settings, const struct cli_config *config,
                       const struct adb_suite *suite, uint64_t block_bytes)
{
    struct run_spec spec = cli_run_spec(settings, config);
    struct finder finder = {.request = 0};
    struct watch watch = {.request = settings->request};
    struct result result;
    char message[RUN_MESSAGE_MAX];
    spec.observe = finder_begin;
    spec.timed = finder_timed;
    spec.observe_ctx = &finder;
    int error = run_suite(&spec, suite, block_bytes, &result, message);
    watch.block_bytes = result.device.block_bytes;
    if (watch.request == 0)
        watch.request = finder.request;
    if (error == RUN_OK) {
        spec.timed = NULL;
        spec.observe = watch_begin;
        spec.unobserve = watch_end;
        spec.observe_ctx = &watch;
        error = run_suite(&spec, suite, block_bytes, &result, message);
    }
    if (error != RUN_OK) {
        cli_complain("%s", message);
        return cli_exit_of(error);
    }
    if (!watch.ledger.complete) {
        cli_complain("--request: %s has requests 1 to %" PRIu64, suite->name,
                     result.requests_total);
        return CLI_USAGE;
    }
    ledger_print(&watch.ledger, &result, watch.request);
    return watch.ledger.total_ps == watch.ledger.latency_ps ? CLI_OK : CLI_CHECK_FAILED;
}

static int explain_main(struct cli_settings *settings)
{
    struct cli_config config;
    uint64_t block_bytes = 4096;
    if (settings->arguments.count != 1 || settings->drivers.count > 1 ||
        settings->block_sizes.count > 1) {
        cli_complain("explain: name one suite, and at most one --driver and --block-size");
        return CLI_USAGE;
    }
    const struct adb_suite *suite = adb_find(settings->arguments.items[0]);
    if (suite == NULL) {
        output_unknown_suite(settings->arguments.items[0]);
        return CLI_USAGE;
    }
    if (settings->block_sizes.count == 1 &&
        !cli_size("block-size", settings->block_sizes.items[0], &block_bytes))
        return CLI_USAGE;
    const char *wrong = adb_block_size_check(suite, block_bytes);
    if (wrong != NULL) {
        cli_complain("--block-size: %s: %s", suite->name, wrong);
        return CLI_USAGE;
    }
    int error = cli_config_load(
        settings, settings->drivers.count == 0 ? NULL : settings->drivers.items[0], &config);
    if (error != CLI_OK)
        return error;
    config.params.workload.passes = 1;
    error = explain_run(settings, &config, suite, block_bytes);
    cli_config_free(&config);
    return error;
}

const struct cli_command cli_explain_command = {
    .name = "explain",
    .arguments = "SUITE",
    .summary = "show where the time of one block request went, stage by stage",
    .text = "Runs one pass of an AmigaDiskBench suite and prints the ledger of one block request:\n"
            "what the CPU, the bus and the device spent on it, in ns. The stages add up to the\n"
            "latency exactly; exit code 1 if they do not.",
    .options = CLI_BIT(CLI_DRIVER) | CLI_BIT(CLI_DRIVE) | CLI_BIT(CLI_HOST) | CLI_BIT(CLI_SETUP) |
               CLI_BIT(CLI_PROFILES) | CLI_BIT(CLI_CONFIG) | CLI_BIT(CLI_SET) | CLI_BIT(CLI_SEED) |
               CLI_BIT(CLI_BLOCK_SIZE) | CLI_BIT(CLI_REQUEST) | CLI_BIT(CLI_NO_VERIFY) |
               CLI_RULES_BITS | CLI_BIT(CLI_HELP),
    .run = explain_main,
};
