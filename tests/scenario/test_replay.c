/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Given a trace that a workload left, when it is replayed on the same machine, then the controller
 * sees the same I/O commands in the same order as it did under the workload itself.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcie/record.h"
#include "scenario/fixture.h"

struct command {
    uint32_t opcode;
    uint64_t slba, blocks;
};

/* Every I/O command that the controller fetches. */
struct log {
    struct stream_reader reader;
    struct command *commands;
    size_t count, capacity;
};

static void log_read(void *ctx, const struct stream_record *record)
{
    struct log *log = ctx;
    if (record->b >> 16 == 0)
        return; /* admin queue */
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 4096 : log->capacity * 2;
        log->commands = realloc(log->commands, log->capacity * sizeof *log->commands);
        ck_assert_ptr_nonnull(log->commands);
    }
    log->commands[log->count++] = (struct command){record->a, record->c, record->d & UINT32_MAX};
}

static void log_observe(void *ctx, struct machine *machine)
{
    struct log *log = ctx;
    log->reader = (struct stream_reader){log_read, log, UINT64_C(1) << RECORD_COMMAND, NULL};
    stream_add(engine_stream(machine_engine(machine)), &log->reader);
}

START_TEST(a_trace_gives_the_commands_of_its_workload)
{
    size_t suites;
    const struct adb_suite *suite = &adb_suites(&suites)[_i / 2];
    const char *driver = _i % 2 == 0 ? "amiga-1.61" : "amiga-1.65";
    char path[] = "replay-XXXXXX";
    struct log from_workload, from_trace;
    struct fixture f;
    struct result result;
    char message[RUN_MESSAGE_MAX] = "";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);

    fixture_open(&f, "amiga-pegasos2", driver, NULL, NULL);
    fixture_set(&f, "workload.passes=1");
    memset(&from_workload, 0, sizeof from_workload);
    memset(&from_trace, 0, sizeof from_trace);
    f.spec.observe = log_observe;
    f.spec.observe_ctx = &from_workload;
    f.spec.trace = path;
    /* 1 MiB: every request of the large suites is split at MDTS. */
    fixture_suite(&f, suite->name, suite->default_block_bytes == 0 ? 0 : 1048576);

    f.spec.trace = NULL;
    f.spec.observe_ctx = &from_trace;
    const struct replay_options options = {.buffer_alignment = 16};
    int error = run_replay(&f.spec, path, &options, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.blocks_mismatched, 0);

    ck_assert_uint_gt(from_workload.count, 0);
    ck_assert_uint_eq(from_trace.count, from_workload.count);
    for (size_t i = 0; i < from_trace.count; i++) {
        ck_assert_uint_eq(from_trace.commands[i].opcode, from_workload.commands[i].opcode);
        ck_assert_uint_eq(from_trace.commands[i].slba, from_workload.commands[i].slba);
        ck_assert_uint_eq(from_trace.commands[i].blocks, from_workload.commands[i].blocks);
    }
    free(from_workload.commands);
    free(from_trace.commands);
    fixture_close(&f);
    unlink(path);
}
END_TEST

Suite *replay_suite(void);
Suite *replay_suite(void)
{
    Suite *suite = suite_create("replay");
    TCase *tcase = tcase_create("traces");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_trace_gives_the_commands_of_its_workload, 0, 2 * 10);
    suite_add_tcase(suite, tcase);
    return suite;
}
