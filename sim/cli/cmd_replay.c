/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doorbell replay`: a block trace on a simulated machine.
 */
#include "cli/cli.h"
#include "cli/output.h"

static int replay_main(struct cli_settings *settings)
{
    struct cli_config config;
    struct result result;
    char message[RUN_MESSAGE_MAX];
    if (settings->arguments.count != 1 && !settings->dump_config) {
        cli_complain("replay: name one trace file (fio iolog v2 or v3), or - for standard input");
        return CLI_USAGE;
    }
    if (settings->drivers.count > 1) {
        cli_complain("--driver: replay takes one");
        return CLI_USAGE;
    }
    int error = cli_config_load(
        settings, settings->drivers.count == 0 ? NULL : settings->drivers.items[0], &config);
    if (error != CLI_OK)
        return error;
    if (settings->dump_config) {
        cli_config_dump(&config, 1);
        cli_config_free(&config);
        return CLI_OK;
    }
    error = output_check(settings);
    if (error == CLI_OK) {
        struct run_spec spec = cli_run_spec(settings, &config);
        spec.trace = settings->trace;
        const struct replay_options options = {
            .timed = settings->timed,
            .trim = settings->trim,
            .buffer_alignment = (uint32_t)config.params.workload.buffer_alignment};
        int run = run_replay(&spec, settings->arguments.items[0], &options, &result, message);
        if (run != RUN_OK) {
            cli_complain("%s", message);
            error = cli_exit_of(run);
        } else {
            error = output_single(settings, &result, &config);
        }
    }
    cli_config_free(&config);
    return error;
}

const struct cli_command cli_replay_command = {
    .name = "replay",
    .arguments = "TRACE",
    .summary = "replay a block trace (fio iolog v2 or v3)",
    .text = "Runs every request of TRACE (- for standard input) in order, one at a time. Traces\n"
            "that --trace wrote give the same commands at the device in the same order as the\n"
            "run they were written from.\n\n"
            "Exit codes: 0 all is well; 1 data did not match or the run failed; 2 usage or\n"
            "configuration; 3 unreadable trace; 4 internal error.",
    .options = CLI_BIT(CLI_DRIVER) | CLI_BIT(CLI_DRIVE) | CLI_BIT(CLI_HOST) | CLI_BIT(CLI_SETUP) |
               CLI_BIT(CLI_PROFILES) | CLI_BIT(CLI_CONFIG) | CLI_BIT(CLI_SET) | CLI_BIT(CLI_SEED) |
               CLI_BIT(CLI_CSV) | CLI_BIT(CLI_JSON) | CLI_BIT(CLI_TRACE) |
               CLI_BIT(CLI_DUMP_CONFIG) | CLI_BIT(CLI_QUIET) | CLI_BIT(CLI_NO_VERIFY) |
               CLI_BIT(CLI_PLAIN) | CLI_BIT(CLI_TIMED) | CLI_BIT(CLI_TRIM) | CLI_RULES_BITS |
               CLI_BIT(CLI_HELP),
    .run = replay_main,
};
