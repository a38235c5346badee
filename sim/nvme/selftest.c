/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Device Self-test (NVMe 1.4 sections 5.8, 5.14.1.6, 8.11) as far as a host can see it: one at a
 * time, its progress over simulated time, its end, its results. A test takes its time and finds
 * nothing. A controller level reset aborts a short test and leaves an extended one running (8.11).
 */
#include "nvme/internal.h"

enum selftest_kind { TEST_NONE = 0, TEST_SHORT = 1, TEST_EXTENDED = 2 };
#define TEST_ABORT 0xfu

/* Device Self-test Result (figure 206). */
enum selftest_outcome {
    OUTCOME_PASSED = 0x0,
    OUTCOME_ABORTED = 0x1, /* by a Device Self-test command */
    OUTCOME_RESET = 0x2,   /* by a controller level reset */
    OUTCOME_NAMESPACE = 0x3,
    OUTCOME_FORMAT = 0x4,
    OUTCOME_UNUSED = 0xf
};

/* Log page 06h (figures 204 and 205). */
enum { TEST_CURRENT = 0, TEST_COMPLETION = 1, TEST_RESULTS_AT = 4, TEST_RESULT_BYTES = 28 };
enum { RESULT_STATUS = 0, RESULT_VALID = 2, RESULT_HOURS = 4, RESULT_NSID = 12 };
#define RESULT_NSID_VALID 0x01u
#define PS_PER_MINUTE     (60 * PS_PER_SECOND)

bool selftest_exists(const struct ctrl *ctrl)
{
    return ctrl->params.self_test_extended > 0;
}

static void end(struct ctrl *ctrl, enum selftest_outcome outcome)
{
    struct selftest *test = &ctrl->selftest;

    test->results[test->count++ % SELF_TEST_RESULTS] =
        (struct selftest_result){.kind = test->kind,
                                 .outcome = (uint8_t)outcome,
                                 .nsid = test->nsid,
                                 .hours = health_power_on_hours(ctrl)};
    selftest_stop(ctrl);
}

static void passed(void *ctx, uint64_t arg)
{
    (void)arg;
    end(ctx, OUTCOME_PASSED);
}

static uint16_t start(struct ctrl *ctrl, const struct command *cmd, enum selftest_kind kind)
{
    struct selftest *test = &ctrl->selftest;

    if (cmd->nsid != 0 && cmd->nsid != NSID_ALL) {
        uint16_t status = namespace_check_active(ctrl, cmd->nsid);

        if (status != STATUS_SUCCESS)
            return status;
    }
    if (test->kind != TEST_NONE)
        return STATUS_SELF_TEST_IN_PROGRESS;
    test->kind = (uint8_t)kind;
    test->nsid = cmd->nsid;
    test->started_ps = engine_now(ctrl->engine);
    test->duration_ps =
        kind == TEST_SHORT ? ctrl->params.self_test_short : ctrl->params.self_test_extended;
    test->timer = engine_after(ctrl->engine, test->duration_ps, passed, ctrl, 0);
    return STATUS_SUCCESS;
}

uint16_t selftest_execute(struct ctrl *ctrl, struct command *cmd)
{
    switch (cmd->cdw[0] & 0xfu) {
    case TEST_SHORT:
        return start(ctrl, cmd, TEST_SHORT);
    case TEST_EXTENDED:
        return start(ctrl, cmd, TEST_EXTENDED);
    case TEST_ABORT: /* without a test under way it has no effect (5.8) */
        if (ctrl->selftest.kind != TEST_NONE)
            end(ctrl, OUTCOME_ABORTED);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_FIELD;
    }
}

void selftest_reset(struct ctrl *ctrl)
{
    if (ctrl->selftest.kind == TEST_SHORT)
        end(ctrl, OUTCOME_RESET);
}

void selftest_stop(struct ctrl *ctrl)
{
    engine_cancel(ctrl->engine, ctrl->selftest.timer);
    ctrl->selftest.timer = 0;
    ctrl->selftest.kind = TEST_NONE;
}

void selftest_namespace_gone(struct ctrl *ctrl, uint32_t nsid, bool formatted)
{
    const struct selftest *test = &ctrl->selftest;

    if (test->kind == TEST_NONE || test->nsid == 0)
        return;
    if (test->nsid == nsid || test->nsid == NSID_ALL || nsid == NSID_ALL)
        end(ctrl, formatted ? OUTCOME_FORMAT : OUTCOME_NAMESPACE);
}

uint16_t selftest_minutes(const struct ctrl *ctrl)
{
    return (uint16_t)((ctrl->params.self_test_extended + PS_PER_MINUTE - 1) / PS_PER_MINUTE);
}

/* Percent of the running test; a hundredth of the duration first, so that nothing overflows. */
static uint8_t completion(const struct ctrl *ctrl)
{
    const struct selftest *test = &ctrl->selftest;
    uint64_t ran_ps = engine_now(ctrl->engine) - test->started_ps;
    uint64_t step_ps = test->duration_ps / 100;
    uint64_t percent = step_ps == 0 ? 0 : ran_ps / step_ps;

    return (uint8_t)(percent > 100 ? 100 : percent);
}

void selftest_fill(struct ctrl *ctrl, uint8_t *page)
{
    const struct selftest *test = &ctrl->selftest;

    page[TEST_CURRENT] = test->kind;
    if (test->kind != TEST_NONE)
        page[TEST_COMPLETION] = completion(ctrl);
    for (uint64_t i = 0; i < SELF_TEST_RESULTS; i++) {
        uint8_t *at = page + TEST_RESULTS_AT + i * TEST_RESULT_BYTES;
        const struct selftest_result *result;

        if (i >= test->count) {
            at[RESULT_STATUS] = OUTCOME_UNUSED;
            continue;
        }
        result = &test->results[(test->count - 1 - i) % SELF_TEST_RESULTS];
        at[RESULT_STATUS] = (uint8_t)(result->outcome | result->kind << 4);
        wire_put64(at + RESULT_HOURS, result->hours);
        if (result->nsid != 0) {
            at[RESULT_VALID] = RESULT_NSID_VALID;
            wire_put32(at + RESULT_NSID, result->nsid);
        }
    }
}
