/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs of AmigaDiskBench suites and of traces; see run.h.
 */
#include "run/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void suite_timed_begin(void *ctx, unsigned pass)
{
    (void)pass;
    run_timed_begin(ctx);
}

static void suite_timed_end(void *ctx, unsigned pass)
{
    (void)pass;
    run_timed_end(ctx);
}

struct suite_call {
    struct run *run;
    const struct adb_suite *suite;
    uint64_t block_bytes;
    int ended;
};

static void suite_main(void *ctx)
{
    struct suite_call *call = ctx;
    const struct run_spec *spec = call->run->spec;
    const struct adb_observer observer = {call->run, suite_timed_begin, suite_timed_end};
    call->ended =
        adb_run(call->suite, call->run->device, &spec->params->fs, &spec->params->workload,
                call->block_bytes, spec->options.seed, &observer, call->run->result);
}

int run_suite(const struct run_spec *spec, const struct adb_suite *suite, uint64_t block_bytes,
              struct result *result, char message[RUN_MESSAGE_MAX])
{
    struct run run;
    int error = run_begin(&run, spec, result, message);
    /* Also for a machine that does not start: whose result this is. */
    snprintf(result->suite, sizeof result->suite, "%s", suite->name);
    result->block_bytes = suite->default_block_bytes == 0 ? 0 : block_bytes;
    if (error != RUN_OK)
        return error;
    struct suite_call call = {&run, suite, block_bytes, 0};
    int ended = run_on_first(&run, suite_main, &call);
    if (ended == NVME_OK)
        ended = call.ended;
    if (ended != 0) {
        const char *text = ended >= NVME_E_RANGE ? nvme_error_text(ended) : adb_error_text(ended);
        snprintf(message, RUN_MESSAGE_MAX, "%s with %s ended early: %s", suite->name,
                 result->driver, text);
        error = RUN_E_WORKLOAD;
    }
    return run_end(&run, error);
}

struct replay_call {
    struct run *run;
    struct iolog_reader *reader;
    const struct replay_options *options;
    char *why;
    int ended;
};

static void replay_main(void *ctx)
{
    struct replay_call *call = ctx;
    run_timed_begin(call->run);
    call->ended =
        replay_run(call->reader, call->run->device, call->options, call->run->result, call->why);
    run_timed_end(call->run);
}

static int replay_file(struct run *run, FILE *file, const char *name,
                       const struct replay_options *options)
{
    char why[IOLOG_MESSAGE_MAX];
    struct iolog_reader *reader = iolog_reader_create(file, name);
    struct replay_call call = {run, reader, options, why, 0};
    int error = run_on_first(run, replay_main, &call);
    iolog_reader_destroy(reader);
    if (error != NVME_OK) {
        snprintf(run->message, RUN_MESSAGE_MAX, "replay ended early: %s", nvme_error_text(error));
        return RUN_E_WORKLOAD;
    }
    int ended = call.ended;
    if (ended == 0)
        return RUN_OK;
    snprintf(run->message, RUN_MESSAGE_MAX, "%s", why);
    return ended == REPLAY_E_DEVICE ? RUN_E_WORKLOAD : RUN_E_TRACE;
}

int run_replay(const struct run_spec *spec, const char *trace, const struct replay_options *options,
               struct result *result, char message[RUN_MESSAGE_MAX])
{
    struct run run;
    bool standard_input = strcmp(trace, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(trace, "r");
    if (file == NULL) {
        snprintf(message, RUN_MESSAGE_MAX, "%s: cannot be read: %s", trace, strerror(errno));
        return RUN_E_TRACE;
    }
    int error = run_begin(&run, spec, result, message);
    if (error == RUN_OK) {
        snprintf(result->suite, sizeof result->suite, "replay");
        error = run_end(
            &run, replay_file(&run, file, standard_input ? "standard input" : trace, options));
    }
    if (!standard_input)
        fclose(file);
    return error;
}
