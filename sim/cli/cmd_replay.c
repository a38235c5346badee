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
        cli_config_dump(&config);
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

#define OPTION(id) (UINT64_C(1) << (id))

const struct cli_command cli_replay_command = {
    .name = "replay",
    .arguments = "TRACE",
    .summary = "replay a block trace (fio iolog v2 or v3)",
    .text = "Runs every request of TRACE (- for standard input) in order, one at a time. Traces\n"
            "that --trace wrote give the same commands at the device in the same order as the\n"
            "run they were written from.\n\n"
            "Exit codes: 0 all is well; 1 data did not match or the run failed; 2 usage or\n"
            "configuration; 3 unreadable trace; 4 internal error.",
    .options = OPTION(CLI_DRIVER) | OPTION(CLI_DRIVE) | OPTION(CLI_HOST) | OPTION(CLI_SETUP) |
               OPTION(CLI_PROFILES) | OPTION(CLI_CONFIG) | OPTION(CLI_SET) | OPTION(CLI_SEED) |
               OPTION(CLI_CSV) | OPTION(CLI_JSON) | OPTION(CLI_TRACE) | OPTION(CLI_DUMP_CONFIG) |
               OPTION(CLI_QUIET) | OPTION(CLI_NO_VERIFY) | OPTION(CLI_PLAIN) | OPTION(CLI_TIMED) |
               OPTION(CLI_TRIM) | OPTION(CLI_HELP),
    .run = replay_main,
};
