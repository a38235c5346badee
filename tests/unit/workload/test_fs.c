/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The modelled file system as specification: which calls become which requests at which cost.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "array_device.h"
#include "pcie/record.h"
#include "workload/fs.h"

#define VOLUME (8u << 20)
#define ZONE   65536u /* where data begins */

static struct array_device array;
static struct fs_params params;
static struct fs *fs;
static struct block_buffer *buffer;

static void begin(uint64_t bytes, uint32_t device_block)
{
    array_device_init(&array, bytes, device_block);
    ck_assert_int_eq(fs_create(&fs, &array.device, &params), FS_OK);
    buffer = array.device.ops->buffer_alloc(array.device.ctx, 1u << 20, 16);
}

static void setup(void)
{
    params = test_fs_params();
}

static void finish(void)
{
    array.device.ops->buffer_free(array.device.ctx, buffer);
    fs_destroy(fs);
    array_device_destroy(&array);
}

static struct fs_file *create(const char *name, uint32_t bytes)
{
    struct fs_file *file;

    ck_assert_int_eq(fs_open_new(fs, name, &file), FS_OK);
    ck_assert_int_eq(fs_write(file, buffer, bytes), FS_OK);
    return file;
}

static void check_call(size_t index, enum block_op op, uint64_t offset, uint32_t bytes,
                       uint32_t buffer_offset)
{
    ck_assert_uint_lt(index, array.count);
    ck_assert_int_eq(array.calls[index].op, op);
    ck_assert_uint_eq(array.calls[index].offset, offset);
    ck_assert_uint_eq(array.calls[index].bytes, bytes);
    ck_assert_uint_eq(array.calls[index].buffer_offset, buffer_offset);
}

START_TEST(whole_buffer_is_one_request)
{
    begin(VOLUME, 512);
    struct fs_file *file = create("a", 1u << 20);
    ck_assert_int_eq(fs_write(file, buffer, 65536), FS_OK);
    ck_assert_uint_eq(array.count, 2);
    check_call(0, BLOCK_WRITE, ZONE, 1u << 20, 0);
    check_call(1, BLOCK_WRITE, ZONE + (1u << 20), 65536, 0);
    ck_assert_uint_eq(fs_size(file), (1u << 20) + 65536);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(unaligned_write_reads_changes_and_writes)
{
    struct fs_stats stats;

    /* given a file of 16 KiB on blocks of 4 KiB, when 8 KiB are written at 512 */
    params.block_size = 4096;
    begin(VOLUME, 512);
    struct fs_file *file = create("a", 16384);
    array_device_forget(&array);
    ck_assert_int_eq(fs_seek(file, 512), FS_OK);
    ck_assert_int_eq(fs_write(file, buffer, 8192), FS_OK);
    /* then head: read, write; middle: one block; tail: read, write */
    ck_assert_uint_eq(array.count, 5);
    check_call(0, BLOCK_READ, ZONE, 4096, 0);
    check_call(1, BLOCK_WRITE, ZONE, 4096, 0);
    check_call(2, BLOCK_WRITE, ZONE + 4096, 4096, 3584);
    check_call(3, BLOCK_READ, ZONE + 8192, 4096, 0);
    check_call(4, BLOCK_WRITE, ZONE + 8192, 4096, 0);
    /* and 4096 bytes were copied at 1 GB/s */
    ck_assert_uint_eq(array.spent_ps[CPU_OS], UINT64_C(4096000));
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.partial_reads, 2);
    ck_assert_uint_eq(stats.partial_writes, 2);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(unaligned_read_goes_through_the_block)
{
    params.block_size = 4096;
    begin(VOLUME, 512);
    struct fs_file *file = create("a", 16384);
    array_device_forget(&array);
    ck_assert_int_eq(fs_seek(file, 1024), FS_OK);
    ck_assert_int_eq(fs_read(file, buffer, 4096, NULL), FS_OK);
    ck_assert_uint_eq(array.count, 2);
    check_call(0, BLOCK_READ, ZONE, 4096, 0);
    check_call(1, BLOCK_READ, ZONE + 4096, 4096, 0);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(short_new_file_needs_no_read)
{
    /* 20 bytes: one block written; 20 more: the block holds valid bytes and is read first */
    begin(VOLUME, 512);
    struct fs_file *file = create("a", 20);
    ck_assert_uint_eq(array.count, 1);
    check_call(0, BLOCK_WRITE, ZONE, 512, 0);
    ck_assert_int_eq(fs_write(file, buffer, 20), FS_OK);
    ck_assert_uint_eq(array.count, 3);
    check_call(1, BLOCK_READ, ZONE, 512, 0);
    ck_assert_uint_eq(fs_size(file), 40);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(odd_start_goes_through_the_block)
{
    /* given 3 bytes, when 1536 follow, then the user address is never a multiple of 4: no direct
     * I/O */
    struct fs_stats stats;

    begin(VOLUME, 512);
    struct fs_file *file = create("a", 3);
    ck_assert_int_eq(fs_write(file, buffer, 1536), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.data_writes, 0);
    ck_assert_uint_eq(stats.partial_writes, 1 + 4);
    ck_assert_uint_eq(stats.partial_reads, 1);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(device_block_raises_the_block_size)
{
    begin(VOLUME, 4096);
    struct fs_file *file = create("a", 512);
    check_call(0, BLOCK_WRITE, ZONE, 4096, 0);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(reads_end_with_the_file)
{
    uint32_t done;

    begin(VOLUME, 512);
    struct fs_file *file = create("a", 1024);
    ck_assert_int_eq(fs_seek(file, 1025), FS_E_RANGE);
    ck_assert_int_eq(fs_seek(file, 512), FS_OK);
    ck_assert_int_eq(fs_read(file, buffer, 4096, &done), FS_OK);
    ck_assert_uint_eq(done, 512);
    ck_assert_int_eq(fs_read(file, buffer, 4096, &done), FS_OK);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(fs_write(file, buffer, 0), FS_OK);
    ck_assert_uint_eq(array.count, 2);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(every_call_has_its_cost)
{
    struct fs_file *file;

    params.call_open = 1;
    params.call_close = 10;
    params.call_read = 100;
    params.call_write = 1000;
    params.call_seek = 10000;
    params.call_delete = 100000;
    params.call_rename = 1000000;
    params.call_create_dir = 10000000;
    begin(VOLUME, 512);
    ck_assert_int_eq(fs_open_new(fs, "a", &file), FS_OK);
    ck_assert_int_eq(fs_write(file, buffer, 512), FS_OK);
    ck_assert_int_eq(fs_seek(file, 0), FS_OK);
    ck_assert_int_eq(fs_read(file, buffer, 512, NULL), FS_OK);
    ck_assert_int_eq(fs_close(file), FS_OK);
    ck_assert_int_eq(fs_make_directory(fs, "d/"), FS_OK);
    ck_assert_int_eq(fs_rename(fs, "a", "d/b"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "d/b"), FS_OK);
    ck_assert_uint_eq(array.spent_ps[CPU_OS], 11111111);
    /* failing costs as much */
    ck_assert_int_eq(fs_delete(fs, "d/b"), FS_E_NOT_FOUND);
    ck_assert_uint_eq(array.spent_ps[CPU_OS], 11211111);
    finish();
}
END_TEST

START_TEST(growth_costs_in_proportion)
{
    /* 3 ps per 64 KiB: 16 appends of 4 KiB cost 3 ps, no fraction is lost; overwriting costs
     * nothing */
    params.extend_cost = 3;
    params.extend_writes = 2;
    begin(VOLUME, 512);
    struct fs_file *file = create("a", 4096);
    for (int i = 1; i < 16; i++)
        ck_assert_int_eq(fs_write(file, buffer, 4096), FS_OK);
    ck_assert_uint_eq(array.spent_ps[CPU_OS], 3);
    ck_assert_uint_eq(array.count, 16 + 2); /* one unit begun: two metadata blocks */
    ck_assert_int_eq(fs_write(file, buffer, 512), FS_OK);
    ck_assert_uint_eq(array.count, 18 + 3); /* the second unit */
    ck_assert_int_eq(fs_seek(file, 0), FS_OK);
    ck_assert_int_eq(fs_write(file, buffer, 65536), FS_OK);
    ck_assert_uint_eq(array.count, 22);
    ck_assert_uint_eq(array.spent_ps[CPU_OS], 3);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(metadata_writes_by_kind_of_call)
{
    struct fs_stats stats;
    struct fs_file *file;

    params.create_writes = 5;
    params.close_writes = 1;
    params.delete_writes = 2;
    params.rename_writes = 3;
    params.create_dir_writes = 4;
    begin(VOLUME, 512);
    ck_assert_int_eq(fs_open_new(fs, "a", &file), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.metadata_writes, 5);
    /* node 1: object node, directory of the root, bitmap, extent, object node; quarters of 16 KiB
     */
    check_call(0, BLOCK_WRITE, 512, 512, 0);
    check_call(1, BLOCK_WRITE, 16384, 512, 0);
    check_call(2, BLOCK_WRITE, 32768, 512, 0);
    check_call(3, BLOCK_WRITE, 49152 + 512, 512, 0);
    check_call(4, BLOCK_WRITE, 512, 512, 0);
    ck_assert_uint_eq(array.filled_bytes, 5 * 512);
    ck_assert_int_eq(fs_close(file), FS_OK);
    ck_assert_int_eq(fs_open_old(fs, "a", &file), FS_OK);
    ck_assert_int_eq(fs_close(file), FS_OK); /* nothing changed: nothing written */
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.metadata_writes, 6);
    ck_assert_int_eq(fs_make_directory(fs, "d"), FS_OK);
    ck_assert_int_eq(fs_rename(fs, "a", "d/a"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "d/a"), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.metadata_writes, 6 + 4 + 3 + 2);
    finish();
}
END_TEST

START_TEST(full_volume_takes_nothing)
{
    struct fs_stats stats;

    begin(ZONE + 4096, 512);
    struct fs_file *file = create("a", 4096 - 512);
    ck_assert_int_eq(fs_write(file, buffer, 1024), FS_E_FULL);
    ck_assert_uint_eq(fs_size(file), 3584);
    ck_assert_int_eq(fs_write(file, buffer, 512), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.free_bytes, 0);
    ck_assert_int_eq(fs_write(file, buffer, 1), FS_E_FULL);
    ck_assert_int_eq(fs_close(file), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "a"), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.free_bytes, 4096);
    finish();
}
END_TEST

START_TEST(freed_space_is_merged_and_used_again)
{
    struct fs_stats stats;

    begin(VOLUME, 512);
    for (char name[2] = "a"; *name <= 'c'; ++*name)
        ck_assert_int_eq(fs_close(create(name, 4096)), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "a"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "c"), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.free_runs, 2);
    /* 8 KiB do not fit where a was */
    ck_assert_int_eq(fs_close(create("d", 8192)), FS_OK);
    check_call(3, BLOCK_WRITE, ZONE + 8192, 8192, 0);
    ck_assert_int_eq(fs_delete(fs, "b"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "d"), FS_OK);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.free_runs, 1);
    ck_assert_uint_eq(stats.free_bytes, VOLUME - ZONE);
    ck_assert_int_eq(fs_close(create("e", 8192)), FS_OK);
    check_call(4, BLOCK_WRITE, ZONE, 8192, 0);
    finish();
}
END_TEST

START_TEST(fragments_become_several_requests)
{
    begin(ZONE + 12288, 512);
    for (char name[2] = "a"; *name <= 'c'; ++*name)
        ck_assert_int_eq(fs_close(create(name, 4096)), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "a"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "c"), FS_OK);
    array_device_forget(&array);
    struct fs_file *file = create("d", 8192);
    ck_assert_uint_eq(array.count, 2);
    check_call(0, BLOCK_WRITE, ZONE, 4096, 0);
    check_call(1, BLOCK_WRITE, ZONE + 8192, 4096, 4096);
    ck_assert_int_eq(fs_seek(file, 0), FS_OK);
    ck_assert_int_eq(fs_read(file, buffer, 8192, NULL), FS_OK);
    check_call(2, BLOCK_READ, ZONE, 4096, 0);
    check_call(3, BLOCK_READ, ZONE + 8192, 4096, 4096);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(names_and_their_errors)
{
    char long_name[FS_NAME_MAX + 2];
    struct fs_file *file, *other;

    begin(VOLUME, 512);
    ck_assert_int_eq(fs_open_old(fs, "a", &file), FS_E_NOT_FOUND);
    ck_assert_int_eq(fs_open_new(fs, "", &file), FS_E_NAME);
    ck_assert_int_eq(fs_open_new(fs, "/a", &file), FS_E_NAME);
    ck_assert_int_eq(fs_open_new(fs, "no/a", &file), FS_E_NOT_FOUND);
    snprintf(long_name, sizeof(long_name), "%0*d", (int)FS_NAME_MAX + 1, 0);
    ck_assert_int_eq(fs_open_new(fs, long_name, &file), FS_E_NAME);
    ck_assert_int_eq(fs_open_new(fs, long_name + 1, &file), FS_OK);
    ck_assert_int_eq(fs_close(file), FS_OK);
    file = create("a", 512);
    ck_assert_int_eq(fs_open_new(fs, "a", &other), FS_E_IN_USE);
    ck_assert_int_eq(fs_delete(fs, "a"), FS_E_IN_USE);
    ck_assert_int_eq(fs_open_new(fs, "a/b", &other), FS_E_TYPE);
    ck_assert_int_eq(fs_make_directory(fs, "a"), FS_E_EXISTS);
    ck_assert_int_eq(fs_make_directory(fs, "d"), FS_OK);
    ck_assert_int_eq(fs_make_directory(fs, "d/e"), FS_OK);
    ck_assert_int_eq(fs_open_new(fs, "d", &other), FS_E_TYPE);
    ck_assert_int_eq(fs_open_old(fs, "d", &other), FS_E_TYPE);
    ck_assert_int_eq(fs_rename(fs, "a", "d"), FS_E_EXISTS);
    ck_assert_int_eq(fs_rename(fs, "d", "d/e/f"), FS_E_NAME);
    ck_assert_int_eq(fs_rename(fs, "x", "y"), FS_E_NOT_FOUND);
    ck_assert_int_eq(fs_delete(fs, "d"), FS_E_NOT_EMPTY);
    ck_assert_int_eq(fs_rename(fs, "a", "d/e/f"), FS_OK);
    ck_assert_int_eq(fs_close(file), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "d/e"), FS_E_NOT_EMPTY);
    ck_assert_int_eq(fs_delete(fs, "d/e/f"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "d/e/"), FS_OK);
    ck_assert_int_eq(fs_delete(fs, "d"), FS_OK);
    for (int error = FS_E_PARAMS; error <= FS_E_NOT_FOUND; error++)
        ck_assert_str_ne(fs_error_text(error), "device error");
    finish();
}
END_TEST

START_TEST(new_file_loses_old_contents)
{
    struct fs_file *file;
    struct fs_stats stats;

    begin(VOLUME, 512);
    ck_assert_int_eq(fs_close(create("a", 4096)), FS_OK);
    ck_assert_int_eq(fs_open_new(fs, "a", &file), FS_OK);
    ck_assert_uint_eq(fs_size(file), 0);
    fs_get_stats(fs, &stats);
    ck_assert_uint_eq(stats.free_bytes, VOLUME - ZONE);
    fs_destroy(fs); /* an open handle does not leak */
    ck_assert_int_eq(fs_create(&fs, &array.device, &params), FS_OK);
    finish();
}
END_TEST

START_TEST(device_errors_come_through)
{
    struct fs_file *file;

    begin(VOLUME, 512);
    file = create("a", 512);
    array.fail_at = array.count;
    ck_assert_int_eq(fs_write(file, buffer, 512), -5);
    ck_assert_uint_eq(fs_size(file), 512);
    ck_assert_int_eq(fs_write(file, buffer, 512), FS_OK);
    ck_assert_int_eq(fs_close(file), FS_OK);
    finish();
}
END_TEST

START_TEST(bad_parameters_and_volumes)
{
    struct fs *none;

    array_device_init(&array, ZONE, 512);
    ck_assert_int_eq(fs_create(&none, &array.device, &params), FS_E_RANGE);
    params.block_size = 768;
    ck_assert_int_eq(fs_create(&none, &array.device, &params), FS_E_PARAMS);
    ck_assert_ptr_null(none);
    array_device_destroy(&array);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fs");
    TCase *tests = tcase_create("fs");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, whole_buffer_is_one_request);
    tcase_add_test(tests, unaligned_write_reads_changes_and_writes);
    tcase_add_test(tests, unaligned_read_goes_through_the_block);
    tcase_add_test(tests, short_new_file_needs_no_read);
    tcase_add_test(tests, odd_start_goes_through_the_block);
    tcase_add_test(tests, device_block_raises_the_block_size);
    tcase_add_test(tests, reads_end_with_the_file);
    tcase_add_test(tests, every_call_has_its_cost);
    tcase_add_test(tests, growth_costs_in_proportion);
    tcase_add_test(tests, metadata_writes_by_kind_of_call);
    tcase_add_test(tests, full_volume_takes_nothing);
    tcase_add_test(tests, freed_space_is_merged_and_used_again);
    tcase_add_test(tests, fragments_become_several_requests);
    tcase_add_test(tests, names_and_their_errors);
    tcase_add_test(tests, new_file_loses_old_contents);
    tcase_add_test(tests, device_errors_come_through);
    tcase_add_test(tests, bad_parameters_and_volumes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
