/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's time-outs, Aborts, resets and retries against the controller model, made by
 * injected faults (docs/faults.md): what becomes of the request, what it took, and that all data
 * are right afterwards. With one slot, so that an identifier that did not come back would be
 * missed at once.
 */
#include <check.h>

#include "scenario/fixture.h"

#define REQUESTS 16u
#define BYTES    65536u

struct outcome {
    int errors[REQUESTS]; /* of each write */
    unsigned failed;      /* of them, and of the reads */
    enum nvme_state state;
    struct nvme_queue_stats queue;
    struct nvme_admin_stats admin;
    struct machine_verdict verdict;
    unsigned in_flight;
};

/* Writes, then reads of what was written, each at a place of its own. Settings end with NULL. */
static struct outcome run(const char *const *settings, bool polled)
{
    struct fixture f;
    const char *why = "";
    struct outcome outcome = {.failed = 0};
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, "driver.slots=1");
    fixture_set(&f, "driver.io_timeout=20 ms");
    fixture_set(&f, "driver.abort_timeout=20 ms");
    fixture_set(&f, "driver.recovery=reset");
    fixture_set(&f, "driver.after_reset=reissue");
    if (polled)
        fixture_set(&f, "driver.completion=poll");
    for (; *settings != NULL; settings++)
        fixture_set(&f, *settings);
    struct machine *machine = machine_create(&f.params.machine, &f.spec.options);
    ck_assert_msg(machine_start(machine, &why) == NVME_OK, "%s", why);
    struct block_device *device = machine_device(machine);
    struct block_buffer *buffer = device->ops->buffer_alloc(device->ctx, BYTES, 4096);
    for (unsigned i = 0; i < REQUESTS; i++) {
        outcome.errors[i] =
            device->ops->io(device->ctx, BLOCK_WRITE, (uint64_t)i * BYTES, BYTES, buffer, 0);
        outcome.failed += outcome.errors[i] != NVME_OK;
    }
    for (unsigned i = 0; i < REQUESTS; i++)
        if (outcome.errors[i] == NVME_OK)
            outcome.failed += device->ops->io(device->ctx, BLOCK_READ, (uint64_t)i * BYTES, BYTES,
                                              buffer, 0) != NVME_OK;
    outcome.state = nvme_state(machine_nvme(machine));
    outcome.in_flight = nvme_in_flight(machine_queue(machine, 0));
    nvme_get_queue_stats(machine_queue(machine, 0), &outcome.queue);
    nvme_get_admin_stats(machine_nvme(machine), &outcome.admin);
    outcome.verdict = *machine_verdict(machine);
    device->ops->buffer_free(device->ctx, buffer);
    machine_destroy(machine);
    fixture_close(&f);
    ck_assert_uint_eq(outcome.verdict.blocks_mismatched, 0);
    return outcome;
}

/* Every request has succeeded, and all was read back. */
static void all_well(const struct outcome *o)
{
    ck_assert_uint_eq(o->failed, 0);
    ck_assert_int_eq(o->state, NVME_STATE_READY);
    ck_assert_uint_eq(o->in_flight, 0);
    ck_assert_uint_eq(o->queue.quarantined, 0);
    ck_assert_uint_gt(o->verdict.blocks_verified, 0);
    ck_assert_uint_eq(o->verdict.blocks_verified % REQUESTS, 0);
}

/* The command was executed, its entry is lost, and the Abort finds nothing to abort (5.1). */
START_TEST(lost_completion)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : lose", NULL};
    struct outcome o = run(settings, _i == 1);
    all_well(&o);
    ck_assert_uint_eq(o.queue.timeouts, 1);
    ck_assert_uint_eq(o.queue.aborts, 1);
    ck_assert_uint_eq(o.queue.aborts_refused, 1);
    ck_assert_uint_eq(o.admin.resets, 1);
    ck_assert_uint_eq(o.queue.reissued, 1);
}
END_TEST

/* The controller obeys: no reset, and the request is tried again. */
START_TEST(stuck_command_that_can_be_aborted)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : slow 10s", "driver.retries=1",
                                    NULL};
    struct outcome o = run(settings, _i == 1);
    all_well(&o);
    ck_assert_uint_eq(o.queue.aborts, 1);
    ck_assert_uint_eq(o.queue.aborts_refused, 0);
    ck_assert_uint_eq(o.queue.retries, 1);
    ck_assert_uint_eq(o.admin.resets, 0);
}
END_TEST

START_TEST(without_a_retry_its_caller_is_told)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : slow 10s", NULL};
    struct outcome o = run(settings, _i == 1);
    ck_assert_uint_eq(o.failed, 1);
    ck_assert_int_eq(o.errors[2], NVME_E_TIMEOUT);
    ck_assert_uint_eq(o.admin.resets, 0);
    ck_assert_uint_eq(o.in_flight, 0);
}
END_TEST

START_TEST(stuck_command_that_cannot)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : stuck", NULL};
    struct outcome o = run(settings, _i == 1);
    all_well(&o);
    ck_assert_uint_eq(o.queue.aborts, 1);
    ck_assert_uint_eq(o.admin.resets, 1);
    ck_assert_uint_eq(o.queue.reissued, 1);
}
END_TEST

START_TEST(stuck_again_and_again)
{
    const char *const settings[] = {"ctrl.faults=opcode=write lba=256-383 : stuck",
                                    "driver.reset_limit=2", NULL};
    struct outcome o = run(settings, _i == 1);
    ck_assert_int_eq(o.state, NVME_STATE_FAILED);
    ck_assert_uint_eq(o.admin.resets, 2);
    ck_assert_int_eq(o.errors[1], NVME_OK);
    ck_assert_int_eq(o.errors[2], NVME_E_TIMEOUT);
    ck_assert_int_eq(o.errors[3], NVME_E_STATE);
    ck_assert_uint_eq(o.in_flight, 0);
}
END_TEST

START_TEST(fatal_status)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : cfs", NULL};
    struct outcome o = run(settings, _i == 1);
    all_well(&o);
    ck_assert_uint_eq(o.admin.resets, 1);
    ck_assert_uint_eq(o.queue.reissued, 1);
}
END_TEST

START_TEST(surprise_removal)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : link-down", NULL};
    struct outcome o = run(settings, _i == 1);
    ck_assert_int_eq(o.state, NVME_STATE_FAILED);
    ck_assert_int_eq(o.errors[2], NVME_E_GONE);
    ck_assert_int_eq(o.errors[3], NVME_E_STATE);
    ck_assert_uint_eq(o.failed, REQUESTS - 2 + 2); /* and the reads of the first two */
    ck_assert_uint_eq(o.admin.resets, 0);
    ck_assert_uint_eq(o.in_flight, 0);
}
END_TEST

/* The interrupt is lost, the entry is there: no Abort is sent. */
START_TEST(lost_interrupt)
{
    const char *const settings[] = {"ctrl.faults=vector=1 nth=3 : drop-interrupt", NULL};
    struct outcome o = run(settings, false);
    all_well(&o);
    ck_assert_uint_eq(o.queue.found_late, 1);
    ck_assert_uint_eq(o.queue.timeouts, 0);
    ck_assert_uint_eq(o.queue.aborts, 0);
}
END_TEST

/* Bounced data: the request is given up, its identifier is not. The entry comes when others are in
 * flight, and ends none of them. */
START_TEST(entry_that_comes_after_all)
{
    const char *const settings[] = {"ctrl.faults=opcode=write nth=3 : late 60ms",
                                    "driver.slots=2",
                                    "driver.late=give-up",
                                    "driver.bounce_bytes=64 KiB",
                                    "driver.write_direct_min=1 MiB",
                                    "media.write_latency=5 ms",
                                    NULL};
    const char *const *used = settings;
    struct outcome o = run(used, _i == 1);
    ck_assert_int_eq(o.errors[2], NVME_E_TIMEOUT);
    ck_assert_uint_eq(o.failed, 1);
    ck_assert_uint_eq(o.admin.resets, 0);
    ck_assert_uint_eq(o.queue.late_entries, 1);
    ck_assert_uint_eq(o.queue.quarantined, 0);
    ck_assert_uint_eq(o.queue.protocol_errors, 0);
    ck_assert_uint_eq(o.in_flight, 0);
}
END_TEST

Suite *driver_recovery_suite(void);
Suite *driver_recovery_suite(void)
{
    Suite *suite = suite_create("driver recovery");
    TCase *tcase = tcase_create("driver recovery");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, lost_completion, 0, 2);
    tcase_add_loop_test(tcase, stuck_command_that_can_be_aborted, 0, 2);
    tcase_add_loop_test(tcase, without_a_retry_its_caller_is_told, 0, 2);
    tcase_add_loop_test(tcase, stuck_command_that_cannot, 0, 2);
    tcase_add_loop_test(tcase, stuck_again_and_again, 0, 2);
    tcase_add_loop_test(tcase, fatal_status, 0, 2);
    tcase_add_loop_test(tcase, surprise_removal, 0, 2);
    tcase_add_test(tcase, lost_interrupt);
    tcase_add_loop_test(tcase, entry_that_comes_after_all, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
