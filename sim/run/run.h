/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One run: a machine is built from parameters, one workload runs on it, and plain numbers come
 * back. Runs share nothing, so they can go to worker processes in any order (pool.h). Used by the
 * command.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "report/result.h"
#include "machine/machine.h"
#include "run/judged.h"
#include "run/params.h"
#include "workload/adb.h"
#include "workload/replay.h"

#define RUN_MESSAGE_MAX 1024

/* What is the same for every kind of run. */
struct run_spec {
    const struct run_params *params;
    const char *driver, *drive, *host; /* names for the result */
    struct machine_options options;
    struct judged_options rules; /* RUN_E_RULES if a violation ends the run */
    /* RULES_REPORT: called with the text of the first violation when the run is over. May be NULL.
     */
    void (*told)(const char *text);
    const char *trace; /* write the block requests there as fio iolog v3; NULL: do not */
    /* Read the event stream of the run: observe is called before the machine is started, unobserve
     * before it is taken down. Either may be NULL. */
    void (*observe)(void *ctx, struct machine *machine);
    void (*unobserve)(void *ctx, struct machine *machine);
    /* The workload is over, and the driver still runs. May be NULL. */
    void (*ending)(void *ctx, struct machine *machine);
    /* The timed part of a pass begins, or has ended. May be NULL. */
    void (*timed)(void *ctx, bool begins);
    void *observe_ctx;
};

enum run_error {
    RUN_OK = 0,
    RUN_E_START = -200,    /* the machine did not come up */
    RUN_E_WORKLOAD = -201, /* the workload ended early: message and result->error */
    RUN_E_OUTPUT = -202,   /* a file could not be written */
    RUN_E_TRACE = -203,    /* a trace could not be read, or holds what the device cannot do */
    RUN_E_RULES = -204     /* the host has broken a rule: the message is the checker's */
};

/* All return a run_error, with a sentence in message when it is not RUN_OK, and leave nothing
 * behind but the result (and the trace, if all went well). */
int run_suite(const struct run_spec *spec, const struct adb_suite *suite, uint64_t block_bytes,
              struct result *result, char message[RUN_MESSAGE_MAX]);

int run_replay(const struct run_spec *spec, const char *trace, const struct replay_options *options,
               struct result *result, char message[RUN_MESSAGE_MAX]);

/* Random reads in a closed loop on every CPU: `depth` requests of each are always on their way. */
struct run_random_read {
    uint64_t ios;
    uint64_t depth;       /* >= 1 */
    uint64_t block_bytes; /* a multiple of the device's block */
    uint64_t
        footprint; /* bytes at the start of the device that are read; multiple of block_bytes */
};
/* NULL if the job fits the parameters, else one sentence. */
const char *run_random_read_check(const struct run_params *params,
                                  const struct run_random_read *job);
int run_random_read(const struct run_spec *spec, const struct run_random_read *job,
                    struct result *result, char message[RUN_MESSAGE_MAX]);

#endif
