/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The AmigaDiskBench suites as specification: sizes, order, offsets, what is timed, buffers,
 * counts. The numbers from rand() were computed independently of this code.
 */
#include <check.h>
#include <stdlib.h>

#include "array_device.h"
#include "workload/adb.h"
#include "workload/fs.h"
#include "workload/rand.h"

#define MIB     (UINT64_C(1) << 20)
#define VOLUME  (512 * MIB)
#define ZONE    65536u
#define WARM_UP 32u /* requests: 16 writes, 16 reads */

static struct array_device array;
static struct fs_params fs_params;
static struct workload_params params;
static struct result result;
static unsigned begun, ended;

static void on_begin(void *ctx, unsigned pass)
{
    ck_assert_uint_eq(pass, begun++);
    ((struct array_device *)ctx)->timed = true;
}

static void on_end(void *ctx, unsigned pass)
{
    ck_assert_uint_eq(pass, ended++);
    ((struct array_device *)ctx)->timed = false;
}

static void setup(void)
{
    array_device_init(&array, VOLUME, 512);
    fs_params = test_fs_params();
    params =
        (struct workload_params){.passes = 3, .buffer_alignment = 16, .rand = WORKLOAD_RAND_NEWLIB};
    begun = ended = 0;
}

static void teardown(void)
{
    array_device_destroy(&array);
}

static int run(const char *name, uint64_t block_bytes)
{
    const struct adb_observer observer = {&array, on_begin, on_end};

    return adb_run(adb_find(name), &array.device, &fs_params, &params, block_bytes, 1, &observer,
                   &result);
}

/* Call number `index` of those that are timed. */
static const struct array_call *timed_call(size_t index)
{
    ck_assert_uint_lt(index, array.timed_count);
    return &array.calls[array.timed_calls[index]];
}

static void check_passes(uint64_t bytes, uint64_t ops)
{
    ck_assert_uint_eq(result.passes, 3);
    ck_assert_uint_eq(begun, 3);
    ck_assert_uint_eq(ended, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(result.pass_bytes[i], bytes);
        ck_assert_uint_eq(result.pass_ops[i], ops);
    }
}

START_TEST(rand_gives_the_known_numbers)
{
    static const uint32_t newlib[] = {1481765933, 1085377743, 1270216262, 1191391529};
    static const uint32_t xoshiro[] = {819328593, 1723271800, 1393819000, 362201977};
    struct workload_rand rand;

    workload_srand(&rand, WORKLOAD_RAND_NEWLIB, 1);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(workload_rand(&rand), newlib[i]);
    workload_srand(&rand, WORKLOAD_RAND_NEWLIB, 1985);
    ck_assert_uint_eq(workload_rand(&rand), 1400263486);
    workload_srand(&rand, WORKLOAD_RAND_XOSHIRO, 1);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(workload_rand(&rand), xoshiro[i]);
}
END_TEST

START_TEST(there_are_ten_suites_in_order)
{
    static const char *const names[] = {"Sprinter",     "HeavyLifter", "Legacy",   "DailyGrind",
                                        "Sequential",   "Random4K",    "Profiler", "SequentialRead",
                                        "Random4KRead", "MixedRW70/30"};
    size_t count, published = 0;
    const struct adb_suite *suites = adb_suites(&count);

    ck_assert_uint_eq(count, 10);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(suites[i].name, names[i]);
        published += suites[i].published;
    }
    ck_assert_uint_eq(published, 7);
    ck_assert_ptr_eq(adb_find("heavyLIFTER"), &suites[1]);
    ck_assert_ptr_eq(adb_find("mixedrw"), &suites[9]);
    ck_assert_ptr_eq(adb_find("mixedrw70/30"), &suites[9]);
    ck_assert_ptr_null(adb_find("Heavy"));
}
END_TEST

START_TEST(warm_up_comes_first_and_untimed)
{
    ck_assert_int_eq(run("Sprinter", 4096), 0);
    for (size_t i = 0; i < WARM_UP; i++) {
        ck_assert_int_eq(array.calls[i].op, i < 16 ? BLOCK_WRITE : BLOCK_READ);
        ck_assert_uint_eq(array.calls[i].offset, ZONE + i % 16 * 65536);
        ck_assert_uint_eq(array.calls[i].bytes, 65536);
        ck_assert(!array.calls[i].timed);
    }
    ck_assert(array.calls[WARM_UP].timed);
}
END_TEST

START_TEST(append_suites)
{
    static const struct {
        const char *name;
        uint64_t block, mib;
    } cases[] = {{"HeavyLifter", 131072, 50}, {"Legacy", 4096, 50}, {"Sequential", 1048576, 256}};

    for (size_t c = 0; c < 3; c++) {
        const uint64_t ops = cases[c].mib * MIB / cases[c].block;

        if (c) {
            teardown();
            setup();
        }
        fs_params.call_delete = 7;
        ck_assert_int_eq(run(cases[c].name, cases[c].block), 0);
        check_passes(cases[c].mib * MIB, ops);
        ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 3 * ops);
        ck_assert_uint_eq(array_device_count(&array, BLOCK_READ, true), 0);
        ck_assert_uint_eq(array.count, WARM_UP + 3 * ops);
        /* a fresh buffer per pass, the same within one, filled once */
        ck_assert_uint_ne(timed_call(0)->buffer_id, timed_call(ops)->buffer_id);
        ck_assert_uint_eq(timed_call(0)->buffer_id, timed_call(ops - 1)->buffer_id);
        ck_assert_uint_eq(array.filled_bytes, 65536 + 3 * cases[c].block);
        ck_assert_uint_eq(array.last_align, 16);
        /* every pass in the same place, in order; the delete is timed */
        for (uint64_t i = 0; i < 3 * ops; i += 97)
            ck_assert_uint_eq(timed_call(i)->offset, ZONE + i % ops * cases[c].block);
        ck_assert_uint_eq(result.pass_ps[0],
                          ops * (ARRAY_REQUEST_PS + cases[c].block * ARRAY_BYTE_PS) + 7);
    }
}
END_TEST

START_TEST(append_of_an_odd_block_size_ends_with_the_file)
{
    ck_assert_int_eq(run("HeavyLifter", 3 * MIB), 0);
    check_passes(50 * MIB, 16);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 3 * 17);
    ck_assert_uint_eq(timed_call(16)->bytes, 2 * MIB);
}
END_TEST

START_TEST(random_write)
{
    ck_assert_int_eq(run("Random4K", 4096), 0);
    check_passes(4096 * 4096, 4096);
    ck_assert_uint_eq(array.count, WARM_UP + 512 + 3 * 4096);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 3 * 4096);
    for (size_t i = WARM_UP; i < WARM_UP + 512; i++)
        ck_assert_uint_eq(array.calls[i].bytes, 131072);
    /* rand() goes on behind the 16,384 calls of the warm-up, and from pass to pass */
    ck_assert_uint_eq(timed_call(0)->offset, ZONE + 24655872);
    ck_assert_uint_eq(timed_call(1)->offset, ZONE + 20781568);
    ck_assert_uint_eq(timed_call(2)->offset, ZONE + 6834688);
    ck_assert_uint_eq(timed_call(3)->offset, ZONE + 59902976);
    ck_assert_uint_eq(timed_call(3 * 4096 - 1)->offset, ZONE + 34294272);
    /* one buffer for all passes, filled once */
    ck_assert_uint_eq(timed_call(0)->buffer_id, timed_call(3 * 4096 - 1)->buffer_id);
    ck_assert_uint_eq(array.filled_bytes, 65536 + 131072 + 4096);
    /* no open, close or delete inside */
    ck_assert_uint_eq(result.pass_ps[1], 4096 * (ARRAY_REQUEST_PS + 4096 * ARRAY_BYTE_PS));
}
END_TEST

START_TEST(random_read)
{
    ck_assert_int_eq(run("Random4KRead", 4096), 0);
    check_passes(4096 * 4096, 4096);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_READ, true), 3 * 4096);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 0);
    ck_assert_uint_eq(timed_call(0)->offset, ZONE + 24655872);
    /* the CPU never touches the buffer of the reads */
    ck_assert_uint_eq(array.filled_bytes, 65536 + 131072);
}
END_TEST

START_TEST(byte_counter_stops_at_32_bits)
{
    params.passes = 1;
    ck_assert_int_eq(run("Random4KRead", MIB), 0);
    ck_assert_uint_eq(result.passes, 1);
    ck_assert_uint_eq(result.pass_bytes[0], UINT32_MAX); /* 4096 MiB would be one more */
    ck_assert_uint_eq(result.pass_ops[0], 4096);
}
END_TEST

START_TEST(mixed)
{
    ck_assert_int_eq(run("MixedRW", 65536), 0);
    ck_assert_str_eq(result.suite, "MixedRW70/30");
    check_passes(2048 * 65536, 2048);
    ck_assert_uint_eq(timed_call(0)->offset, ZONE + 25454592);
    ck_assert_uint_eq(timed_call(1)->offset, ZONE + 6896128);
    ck_assert_uint_eq(timed_call(2)->offset, ZONE + 40463360);
    ck_assert_int_eq(timed_call(0)->op, BLOCK_READ);
    size_t reads = 0;
    for (size_t i = 0; i < 2048; i++)
        reads += timed_call(i)->op == BLOCK_READ;
    ck_assert_uint_eq(reads, 1420);
    ck_assert_uint_eq(timed_call(0)->buffer_id, timed_call(2047)->buffer_id);
}
END_TEST

START_TEST(sequential_read)
{
    ck_assert_int_eq(run("SequentialRead", 262144), 0);
    check_passes(256 * MIB, 1024);
    ck_assert_uint_eq(array.count, WARM_UP + 1024 + 3 * 1024);
    ck_assert_uint_eq(array.calls[WARM_UP].bytes, 262144); /* written with the same chunk */
    ck_assert_uint_eq(array_device_count(&array, BLOCK_READ, true), 3 * 1024);
    for (size_t i = 0; i < 3 * 1024; i += 31)
        ck_assert_uint_eq(timed_call(i)->offset, ZONE + i % 1024 * 262144);
    ck_assert_uint_eq(array.filled_bytes, 65536 + 262144);
}
END_TEST

START_TEST(sprinter)
{
    /* the block size is the buffer's; 4096 bytes are written whatever it is */
    ck_assert_int_eq(run("Sprinter", 65536), 0);
    check_passes(100 * 4096, 200);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 300);
    ck_assert_uint_eq(timed_call(299)->bytes, 4096);
    ck_assert_uint_eq(timed_call(299)->buffer_bytes, 65536);
    ck_assert_uint_eq(timed_call(299)->offset, ZONE); /* each file where the last one was */
}
END_TEST

START_TEST(daily_grind)
{
    ck_assert_int_eq(run("DailyGrind", 4096), 0);
    ck_assert_uint_eq(result.block_bytes, 0);
    check_passes(23495680, 90);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 3 * 4819);
    ck_assert_uint_eq(timed_call(0)->bytes, 16384);    /* file 0: 9 MiB in 16 KiB */
    ck_assert_uint_eq(timed_call(576)->bytes, 4096);   /* file 1: 3 MiB in 4 KiB */
    ck_assert_uint_eq(timed_call(4819)->bytes, 16384); /* every pass the same */
}
END_TEST

START_TEST(profiler)
{
    fs_params.call_delete = 1;
    fs_params.call_rename = 10000;
    fs_params.call_create_dir = 1000000;
    ck_assert_int_eq(run("Profiler", 0), 0);
    /* 50 directories, 500 files, 250 renames, 500 files deleted, 50 directories deleted */
    check_passes(1350 * 20, 1350);
    ck_assert_uint_eq(array_device_count(&array, BLOCK_WRITE, true), 3 * 500);
    ck_assert_uint_eq(timed_call(0)->bytes, 512);
    /* both names of each file are tried: 1000 deletes and 50 of directories; 1.5 us and 20 ns of
     * copying per file */
    ck_assert_uint_eq(result.pass_ps[0], 50 * 1000000 + 250 * 10000 + 1050 +
                                             500 * (ARRAY_REQUEST_PS + 512 + 20 * 1000));
}
END_TEST

START_TEST(default_block_sizes)
{
    params.passes = 1;
    ck_assert_int_eq(run("HeavyLifter", 0), 0);
    ck_assert_uint_eq(result.block_bytes, 131072);
    ck_assert_uint_eq(adb_find("Legacy")->default_block_bytes, 512);
    ck_assert_uint_eq(adb_find("Profiler")->default_block_bytes, 0);
}
END_TEST

START_TEST(impossible_block_sizes)
{
    ck_assert_int_eq(run("Random4K", 64 * MIB), ADB_E_BLOCK_SIZE);
    ck_assert_int_eq(result.error, ADB_E_BLOCK_SIZE);
    ck_assert_uint_eq(array.count, 0);
    ck_assert_ptr_nonnull(adb_block_size_check(adb_find("Random4K"), 64 * MIB));
    ck_assert_ptr_null(adb_block_size_check(adb_find("Random4K"), 64 * MIB - 512));
    ck_assert_ptr_nonnull(adb_block_size_check(adb_find("Legacy"), 4096 * MIB));
    params.buffer_alignment = 24;
    ck_assert_int_eq(run("Random4K", 4096), ADB_E_PARAMS);
}
END_TEST

START_TEST(errors_end_the_job_and_leave_nothing)
{
    array.fail_at = WARM_UP + 512 + 4096 + 10; /* in the second pass */
    ck_assert_int_eq(run("Random4K", 4096), -5);
    ck_assert_int_eq(result.error, -5);
    ck_assert_uint_eq(result.passes, 1);
    ck_assert_uint_eq(begun, ended);
}
END_TEST

START_TEST(the_seed_decides_and_jobs_are_independent)
{
    params.passes = 1;
    ck_assert_int_eq(run("Random4K", 4096), 0);
    const uint64_t first = timed_call(0)->offset;
    array_device_forget(&array);
    begun = ended = 0;
    ck_assert_int_eq(run("Random4K", 4096), 0);
    ck_assert_uint_eq(timed_call(0)->offset, first);
    array_device_forget(&array);
    ck_assert_int_eq(
        adb_run(adb_find("Random4K"), &array.device, &fs_params, &params, 4096, 2, NULL, &result),
        0);
    ck_assert_uint_ne(array.calls[WARM_UP + 512].offset, first);
    params.rand = WORKLOAD_RAND_XOSHIRO;
    array_device_forget(&array);
    begun = ended = 0;
    ck_assert_int_eq(run("Random4K", 4096), 0);
    ck_assert_uint_ne(timed_call(0)->offset, first);
}
END_TEST

START_TEST(volume_too_small)
{
    teardown();
    array_device_init(&array, 40 * MIB, 512);
    ck_assert_int_eq(run("HeavyLifter", 1048576), FS_E_FULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adb");
    TCase *tests = tcase_create("adb");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rand_gives_the_known_numbers);
    tcase_add_test(tests, there_are_ten_suites_in_order);
    tcase_add_test(tests, warm_up_comes_first_and_untimed);
    tcase_add_test(tests, append_suites);
    tcase_add_test(tests, append_of_an_odd_block_size_ends_with_the_file);
    tcase_add_test(tests, random_write);
    tcase_add_test(tests, random_read);
    tcase_add_test(tests, byte_counter_stops_at_32_bits);
    tcase_add_test(tests, mixed);
    tcase_add_test(tests, sequential_read);
    tcase_add_test(tests, sprinter);
    tcase_add_test(tests, daily_grind);
    tcase_add_test(tests, profiler);
    tcase_add_test(tests, default_block_sizes);
    tcase_add_test(tests, impossible_block_sizes);
    tcase_add_test(tests, errors_end_the_job_and_leave_nothing);
    tcase_add_test(tests, the_seed_decides_and_jobs_are_independent);
    tcase_add_test(tests, volume_too_small);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
