/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scenarios of whole machines: contents as tags or as bytes, data that was damaged, emulation on
 * one thread, interrupts against polling, a controller that never answers, worker processes.
 */
#include <check.h>
#include <string.h>

#include "media/store.h"
#include "run/pool.h"
#include "scenario/fixture.h"

/* ---- contents ---- */

static void check_same(const struct result *a, const struct result *b)
{
    ck_assert_uint_eq(a->passes, b->passes);
    for (unsigned i = 0; i < a->passes; i++) {
        ck_assert_uint_eq(a->pass_ps[i], b->pass_ps[i]);
        ck_assert_uint_eq(a->pass_bytes[i], b->pass_bytes[i]);
        ck_assert_uint_eq(a->pass_ops[i], b->pass_ops[i]);
    }
    ck_assert_mem_eq(&a->counters, &b->counters, sizeof a->counters);
    ck_assert_uint_eq(a->blocks_verified, b->blocks_verified);
    ck_assert_uint_eq(a->blocks_mismatched, b->blocks_mismatched);
    ck_assert_uint_eq(a->requests_total, b->requests_total);
}

static const struct {
    const char *suite;
    uint64_t block_bytes;
    const char *alignment;
} contents_runs[] = {
    {"HeavyLifter", 65536, "workload.buffer_alignment=16 B"},
    {"Random4K", 16384, "workload.buffer_alignment=4 KiB"},
    {"MixedRW", 32768, "workload.buffer_alignment=16 B"},
    {"SequentialRead", 1048576, "workload.buffer_alignment=4 B"},
    {"Sprinter", 4096, "workload.buffer_alignment=16 B"},
    {"DailyGrind", 0, "workload.buffer_alignment=16 B"},
};
#define CONTENTS_RUNS (sizeof contents_runs / sizeof contents_runs[0])

START_TEST(tags_and_bytes_give_the_same_run)
{
    struct fixture f;
    fixture_open(&f, "amiga-pegasos2", _i % 2 == 0 ? "amiga-1.65" : "amiga-1.61", NULL, NULL);
    fixture_set(&f, "workload.passes=1");
    fixture_set(&f, contents_runs[_i].alignment);
    struct result tags = fixture_suite(&f, contents_runs[_i].suite, contents_runs[_i].block_bytes);
    f.spec.options.form = MEMORY_BYTES;
    struct result bytes = fixture_suite(&f, contents_runs[_i].suite, contents_runs[_i].block_bytes);
    check_same(&tags, &bytes);
    ck_assert_uint_eq(tags.blocks_mismatched, 0);
    ck_assert(tags.blocks_verified > 0);
    fixture_close(&f);
}
END_TEST

/* Writes 64 KiB, lets `damage` change the drive, and reads it back. */
static struct machine_verdict read_back_after(void (*damage)(struct store *store),
                                              enum memory_form form)
{
    struct fixture f;
    const char *why = "";
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    f.spec.options.form = form;
    struct machine *machine = machine_create(&f.params.machine, &f.spec.options);
    ck_assert_msg(machine_start(machine, &why) == NVME_OK, "%s", why);
    struct block_device *device = machine_device(machine);
    struct block_buffer *buffer = device->ops->buffer_alloc(device->ctx, 65536, 4096);
    ck_assert_int_eq(device->ops->io(device->ctx, BLOCK_WRITE, 65536, 65536, buffer, 0), 0);
    uint64_t first_unit;
    damage(ctrl_contents(machine_ctrl(machine), 1, &first_unit));
    ck_assert_uint_eq(first_unit, 0);
    ck_assert_int_eq(device->ops->io(device->ctx, BLOCK_READ, 65536, 65536, buffer, 0), 0);
    struct machine_verdict verdict = *machine_verdict(machine);
    device->ops->buffer_free(device->ctx, buffer);
    machine_destroy(machine);
    fixture_close(&f);
    return verdict;
}

static void no_damage(struct store *store)
{
    (void)store;
}

static void one_byte(struct store *store)
{
    uint8_t block[512];
    store_get_bytes(store, 130, block, 1);
    block[511] ^= 1;
    store_put_bytes(store, 130, block, 1);
}

static void old_block(struct store *store)
{
    const uint64_t zero = 0;
    store_put_tags(store, 255, &zero, 1);
}

static void swapped_blocks(struct store *store)
{
    uint64_t tags[2], swapped[2];
    ck_assert(store_get_tags(store, 140, tags, 2));
    swapped[0] = tags[1];
    swapped[1] = tags[0];
    store_put_tags(store, 140, swapped, 2);
}

START_TEST(damaged_data_is_found)
{
    enum memory_form form = _i == 0 ? MEMORY_TAGS : MEMORY_BYTES;
    struct machine_verdict verdict = read_back_after(no_damage, form);
    ck_assert_uint_eq(verdict.blocks_verified, 128);
    ck_assert_uint_eq(verdict.blocks_mismatched, 0);
    verdict = read_back_after(one_byte, form);
    ck_assert_uint_eq(verdict.blocks_verified, 128);
    ck_assert_uint_eq(verdict.blocks_mismatched, 1);
    ck_assert_uint_eq(verdict.first_offset, 130 * 512);
    verdict = read_back_after(old_block, form);
    ck_assert_uint_eq(verdict.blocks_mismatched, 1);
    ck_assert_uint_eq(verdict.first_offset, 255 * 512);
    ck_assert_uint_eq(verdict.first_found, 0);
    verdict = read_back_after(swapped_blocks, form);
    ck_assert_uint_eq(verdict.blocks_mismatched, 2);
}
END_TEST

/* ---- emulation on one thread ---- */

static double reads_with_spins(const char *spins, const char *emulation)
{
    struct fixture f;
    fixture_open(&f, "amiga-pegasos2", "amiga-1.65", NULL, NULL);
    fixture_set(&f, "workload.passes=1");
    fixture_set(&f, spins);
    fixture_set(&f, emulation);
    struct result result = fixture_suite(&f, "Random4KRead", 4096);
    fixture_close(&f);
    /* us per request */
    return (double)result.pass_ps[0] / 1e6 / (double)result.pass_ops[0];
}

START_TEST(a_spin_over_memory_holds_an_emulated_device_off)
{
    /* Given an emulator with one thread, when a driver looks at memory 512 times after the
     * doorbell, then every read waits for the whole spin (512 * 175 ns = 89.6 us) before the device
     * begins. */
    double plain = reads_with_spins("driver.hybrid_spins=0", "host.emulation=single-thread");
    double hybrid = reads_with_spins("driver.hybrid_spins=512", "host.emulation=single-thread");
    ck_assert_double_gt(hybrid - plain, 80.0);
    ck_assert_double_lt(hybrid - plain, 100.0);
    /* Given a device that runs by itself, the same spin loses nothing to speak of. */
    plain = reads_with_spins("driver.hybrid_spins=0", "host.emulation=none");
    hybrid = reads_with_spins("driver.hybrid_spins=512", "host.emulation=none");
    ck_assert_double_lt(hybrid - plain, 3.0);
}
END_TEST

/* ---- completion ---- */

static const char *const completions[][2] = {
    {"driver.completion=poll", "driver.irq=msix"},
    {"driver.completion=interrupt", "driver.irq=msix"},
    {"driver.completion=interrupt", "driver.irq=intx"},
};

START_TEST(every_way_of_completing_moves_the_same_data)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, completions[_i][0]);
    fixture_set(&f, completions[_i][1]);
    fixture_set(&f, "workload.passes=1");
    struct result result = fixture_suite(&f, "MixedRW", 16384);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    if (_i == 0) {
        ck_assert_uint_eq(result.counters.interrupts, 0);
        ck_assert_uint_gt(result.counters.polls, result.counters.commands);
    } else {
        ck_assert_uint_eq(result.counters.interrupts, result.counters.commands);
        /* INTx is masked and unmasked for each interrupt (7.5.1.1): two writes; MSI-X never. */
        ck_assert_uint_eq(result.counters.other_register_writes,
                          _i == 2 ? 2 * result.counters.interrupts : 0);
    }
    fixture_close(&f);
}
END_TEST

START_TEST(random_reads_at_depth_are_verified)
{
    struct fixture f;
    struct result result;
    char message[RUN_MESSAGE_MAX] = "";
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, completions[_i][0]);
    fixture_set(&f, completions[_i][1]);
    const struct run_random_read job = {10000, 32, 4096, UINT64_C(64) << 20};
    ck_assert_ptr_null(run_random_read_check(&f.params, &job));
    int error = run_random_read(&f.spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.pass_ops[0], 10000);
    ck_assert_uint_eq(result.blocks_verified, 80000); /* 8 blocks of 512 bytes each */
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    ck_assert_uint_eq(result.counters.commands, 10000);
    /* Little's law at the closed loop: 32 in flight of at least 80 us each. */
    ck_assert_uint_ge(result.pass_ps[0], UINT64_C(10000) / 32 * 80000000);
    fixture_close(&f);
}
END_TEST

START_TEST(interrupts_during_bring_up_are_handled)
{
    /* Given interrupts from the first admin command on, however long the driver's waits are, when
     * the machine starts, then it comes up and works. */
    static const char *const kinds[] = {"driver.irq=intx", "driver.irq=msix"};
    static const char *const links[] = {"link.kind=pcie", "link.kind=emulated"};
    static const char *const relaxes[] = {"host.relax=10 ns", "host.relax=1 us", "host.relax=1 ms"};
    struct fixture f;
    struct result result;
    char message[RUN_MESSAGE_MAX] = "";
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, kinds[_i % 2]);
    fixture_set(&f, links[_i / 2 % 2]);
    fixture_set(&f, relaxes[_i / 4]);
    const struct run_random_read job = {64, 4, 4096, UINT64_C(1) << 20};
    int error = run_random_read(&f.spec, &job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    fixture_close(&f);
}
END_TEST

/* ---- failure ---- */

static void check_start_fails(const char *one, const char *other, int expected)
{
    struct fixture f;
    struct result result;
    char message[RUN_MESSAGE_MAX] = "";
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    fixture_set(&f, one);
    fixture_set(&f, other);
    int error = run_suite(&f.spec, adb_find("Sprinter"), 4096, &result, message);
    ck_assert_int_eq(error, RUN_E_START);
    ck_assert_ptr_nonnull(strstr(message, "bring-up failed"));
    ck_assert_int_eq(result.error, expected);
    fixture_close(&f);
}

START_TEST(an_admin_command_that_takes_too_long_is_reported)
{
    check_start_fails("driver.admin_timeout=1 ms", "ctrl.decode=1 ms", NVME_E_TIMEOUT);
}
END_TEST

START_TEST(a_drive_without_what_the_driver_needs_is_refused)
{
    struct fixture f;
    fixture_open(&f, NULL, "doorbell", "fixed-latency", "generic");
    ck_assert_ptr_null(run_params_check(&f.params));
    f.params.machine.ctrl.msix_vectors = 0;
    ck_assert_ptr_nonnull(run_params_check(&f.params));
    fixture_set(&f, "driver.irq=intx");
    f.params.machine.ctrl.msix_vectors = 0;
    ck_assert_ptr_null(run_params_check(&f.params));
    fixture_close(&f);
}
END_TEST

/* ---- worker processes ---- */

struct pool_job {
    struct fixture *fixture;
};

struct pool_outcome {
    int error;
    char message[RUN_MESSAGE_MAX];
    struct result result;
};

static void pool_work(void *ctx, size_t index, void *to)
{
    struct pool_job *job = ctx;
    struct pool_outcome *outcome = to;
    outcome->error =
        run_suite(&job->fixture->spec, adb_find("Sprinter"),
                  adb_block_sizes[index % ADB_BLOCK_SIZES], &outcome->result, outcome->message);
}

static void pool_finished(void *ctx, size_t done)
{
    (void)ctx;
    (void)done;
}

START_TEST(any_number_of_workers_gives_the_same_results)
{
    static struct pool_outcome one[7], several[7];
    struct fixture f;
    char message[RUN_MESSAGE_MAX];
    fixture_open(&f, "amiga-pegasos2", "amiga-1.65", NULL, NULL);
    struct pool_job job = {&f};
    ck_assert_int_eq(pool_run(7, 1, pool_work, pool_finished, &job, one, sizeof one[0], message),
                     0);
    ck_assert_int_eq(
        pool_run(7, 3, pool_work, pool_finished, &job, several, sizeof several[0], message), 0);
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_int_eq(one[i].error, RUN_OK);
        ck_assert_mem_eq(&one[i].result, &several[i].result, sizeof one[i].result);
    }
    fixture_close(&f);
}
END_TEST

Suite *machine_suite(void);
Suite *machine_suite(void)
{
    Suite *suite = suite_create("machine");
    TCase *tcase = tcase_create("whole machines");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, tags_and_bytes_give_the_same_run, 0, CONTENTS_RUNS);
    tcase_add_loop_test(tcase, damaged_data_is_found, 0, 2);
    tcase_add_test(tcase, a_spin_over_memory_holds_an_emulated_device_off);
    tcase_add_loop_test(tcase, every_way_of_completing_moves_the_same_data, 0, 3);
    tcase_add_loop_test(tcase, random_reads_at_depth_are_verified, 0, 3);
    tcase_add_loop_test(tcase, interrupts_during_bring_up_are_handled, 0, 12);
    tcase_add_test(tcase, an_admin_command_that_takes_too_long_is_reported);
    tcase_add_test(tcase, a_drive_without_what_the_driver_needs_is_refused);
    tcase_add_test(tcase, any_number_of_workers_gives_the_same_results);
    suite_add_tcase(suite, tcase);
    return suite;
}
