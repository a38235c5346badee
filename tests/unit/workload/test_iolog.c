/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Traces as specification: what is read, what is refused and where, what is written, and that a
 * replay repeats what was recorded.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "array_device.h"
#include "pcie/record.h"
#include "workload/adb.h"
#include "workload/replay.h"

#define V3   "fio version 3 iolog\n"
#define V2   "fio version 2 iolog\n"
#define OPEN "0 f add\n0 f open\n"

static struct array_device array;

static FILE *file_of(const char *text, size_t bytes)
{
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
    rewind(file);
    return file;
}

static void expect_error(const char *text, const char *message)
{
    FILE *file = file_of(text, strlen(text));
    struct iolog_reader *reader = iolog_reader_create(file, "t");
    struct iolog_entry entry;
    int got;

    while ((got = iolog_reader_next(reader, &entry)) == 1)
        continue;
    ck_assert_int_eq(got, IOLOG_E_FORMAT);
    ck_assert_msg(strncmp(iolog_reader_message(reader), message, strlen(message)) == 0, "got: %s",
                  iolog_reader_message(reader));
    ck_assert_int_eq(iolog_reader_next(reader, &entry), IOLOG_E_FORMAT);
    iolog_reader_destroy(reader);
    fclose(file);
}

static void expect_entry(struct iolog_reader *reader, enum iolog_action action, uint64_t time_us,
                         uint64_t offset, uint64_t bytes, uint64_t line)
{
    struct iolog_entry entry;

    ck_assert_int_eq(iolog_reader_next(reader, &entry), 1);
    ck_assert_int_eq(entry.action, action);
    ck_assert_uint_eq(entry.time_us, time_us);
    ck_assert_uint_eq(entry.offset, offset);
    ck_assert_uint_eq(entry.bytes, bytes);
    ck_assert_uint_eq(entry.line, line);
}

START_TEST(version_3_is_read)
{
    const char *text = V3 "1 /dev/x add\r\n2 /dev/x open\r\n3 /dev/x write 0 4096\r\n"
                          "3 /dev/x read 4096 512\n9 /dev/x sync\n9 /dev/x datasync 0 0\n"
                          "18446744073709551615 /dev/x trim 18446744073709551103 512\n"
                          "18446744073709551615 /dev/x close\n";
    FILE *file = file_of(text, strlen(text));
    struct iolog_reader *reader = iolog_reader_create(file, "t");
    struct iolog_entry entry;

    expect_entry(reader, IOLOG_WRITE, 3, 0, 4096, 4);
    expect_entry(reader, IOLOG_READ, 3, 4096, 512, 5);
    expect_entry(reader, IOLOG_SYNC, 9, 0, 0, 6);
    expect_entry(reader, IOLOG_DATASYNC, 9, 0, 0, 7);
    expect_entry(reader, IOLOG_TRIM, UINT64_MAX, UINT64_MAX - 512, 512, 8);
    ck_assert_int_eq(iolog_reader_next(reader, &entry), 0);
    ck_assert_int_eq(iolog_reader_next(reader, &entry), 0);
    ck_assert_str_eq(iolog_reader_message(reader), "");
    iolog_reader_destroy(reader);
    fclose(file);
}
END_TEST

START_TEST(version_2_waits_add_up)
{
    const char *text = V2 "f add\nf open\nf wait 150 0\nf read 0 512\nf wait 100 0\nf wait 50\n"
                          "f write 512 512\nf close\n";
    FILE *file = file_of(text, strlen(text));
    struct iolog_reader *reader = iolog_reader_create(file, "t");
    struct iolog_entry entry;

    expect_entry(reader, IOLOG_READ, 150, 0, 512, 5);
    expect_entry(reader, IOLOG_WRITE, 300, 512, 512, 8);
    ck_assert_int_eq(iolog_reader_next(reader, &entry), 0);
    iolog_reader_destroy(reader);
    fclose(file);
}
END_TEST

START_TEST(what_is_refused)
{
    char line[IOLOG_LINE_MAX + 64];

    expect_error("", "t:1: the file is empty");
    expect_error("hello\n", "t:1: this is no fio iolog");
    expect_error("fio version 4 iolog\n", "t:1: this is no fio iolog");
    expect_error(V3 OPEN "5 f read 0 512", "t:4: the last line has no end");
    expect_error(V3 OPEN "5 f read 0 512\n4 f read 0 512\n", "t:5: time 4 us after 5 us");
    expect_error(V3 OPEN "x f read 0 512\n", "t:4: \"x\" is no time");
    expect_error(V3 OPEN "-1 f read 0 512\n", "t:4: \"-1\" is no time");
    expect_error(V3 OPEN "18446744073709551616 f read 0 512\n", "t:4: \"18446744073709551616\"");
    expect_error(V3 "0 f add\n0 g add\n", "t:3: a second file, g, beside f");
    expect_error(V3 "0 f open\n", "t:2: f has no add line");
    expect_error(V3 "0 f add\n0 f read 0 512\n", "t:3: read on f, which is not open");
    expect_error(V3 OPEN "0 f open\n", "t:4: f is open already");
    expect_error(V3 OPEN "0 f close\n0 f close\n", "t:5: f is not open");
    expect_error(V3 OPEN "0 f close\n0 f read 0 512\n", "t:5: read on f, which is not open");
    expect_error(V3 OPEN "0 f close now\n", "t:4: nothing may follow close");
    expect_error(V3 OPEN "0 f erase 0 512\n", "t:4: unknown action \"erase\"");
    expect_error(V3 OPEN "0 f read 0\n",
                 "t:4: a read line is: MICROSECONDS FILE read OFFSET LENGTH");
    expect_error(V3 OPEN "0 f read 0 512 7\n", "t:4: a read line is");
    expect_error(V3 OPEN "0 f read 0 0x200\n", "t:4: a read line is");
    expect_error(V3 OPEN "0 f read 18446744073709551614 1\n" OPEN, "t:6: f is open already");
    expect_error(V3 OPEN "0 f read 18446744073709551615 2\n", "t:4: offset and length");
    expect_error(V3 OPEN "0 f wait 100 0\n", "t:4: wait exists in version 2 only");
    expect_error(V2 "f add\nf open\nf wait\n", "t:4: a wait line is");
    expect_error(V2 "f add\nf open\nf wait 18446744073709551615 0\nf wait 1 0\n", "t:5: the waits");
    expect_error(V3 OPEN "\n", "t:4: a blank line");
    expect_error(V3 OPEN "7 f\n", "t:4: too few fields");
    memset(line, 'x', sizeof(line));
    memcpy(line, V3, strlen(V3));
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    expect_error(line, "t:2: the line is longer than 4095 bytes");
}
END_TEST

START_TEST(a_zero_byte_is_refused)
{
    static const char text[] = V3 "0 f\0add\n";
    FILE *file = file_of(text, sizeof(text) - 1);
    struct iolog_reader *reader = iolog_reader_create(file, "t");
    struct iolog_entry entry;

    ck_assert_int_eq(iolog_reader_next(reader, &entry), IOLOG_E_FORMAT);
    ck_assert_str_eq(iolog_reader_message(reader), "t:2: a zero byte; a trace is plain text");
    iolog_reader_destroy(reader);
    fclose(file);
}
END_TEST

START_TEST(writer_golden)
{
    char text[512];
    FILE *file = tmpfile();
    struct iolog_writer writer;

    iolog_writer_begin(&writer, file, "/dev/nvme0n1", UINT64_C(5000000));
    iolog_writer_request(&writer, UINT64_C(5999999), BLOCK_WRITE, 512, 4096);
    iolog_writer_request(&writer, UINT64_C(6000000), BLOCK_READ, 0, 512);
    iolog_writer_request(&writer, UINT64_C(7000000), BLOCK_FLUSH, 1, 1);
    iolog_writer_request(&writer, UINT64_C(8000000), BLOCK_ZERO, 1024, 2048);
    iolog_writer_end(&writer, UINT64_C(9000000));
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    ck_assert_str_eq(text, V3 "0 /dev/nvme0n1 add\n0 /dev/nvme0n1 open\n"
                              "0 /dev/nvme0n1 write 512 4096\n1 /dev/nvme0n1 read 0 512\n"
                              "2 /dev/nvme0n1 sync 0 0\n3 /dev/nvme0n1 trim 1024 2048\n"
                              "4 /dev/nvme0n1 close\n");
    fclose(file);
}
END_TEST

static int replay(const char *text, bool timed, enum replay_trim trim, struct result *result,
                  char message[IOLOG_MESSAGE_MAX])
{
    const struct replay_options options = {timed, trim, 16};
    FILE *file = file_of(text, strlen(text));
    struct iolog_reader *reader = iolog_reader_create(file, "t");
    const int error = replay_run(reader, &array.device, &options, result, message);

    iolog_reader_destroy(reader);
    fclose(file);
    return error;
}

START_TEST(replay_repeats_a_recorded_suite)
{
    struct array_device again;
    struct iolog_writer writer;
    struct iolog_tap tap;
    struct fs_params fs_params = test_fs_params();
    const struct workload_params params = {.passes = 1, .buffer_alignment = 16};
    const struct replay_options options = {false, REPLAY_TRIM_ERROR, 16};
    struct result result = {0};
    char message[IOLOG_MESSAGE_MAX];
    FILE *file = tmpfile();

    fs_params.create_writes = 2;
    fs_params.block_size = 4096;
    array_device_init(&array, UINT64_C(128) << 20, 512);
    array_device_init(&again, UINT64_C(128) << 20, 512);
    iolog_writer_begin(&writer, file, "nvme0n1", 0);
    iolog_tap_init(&tap, &array.device, &writer);
    ck_assert_int_eq(
        adb_run(adb_find("MixedRW"), &tap.device, &fs_params, &params, 4096, 1, NULL, &result), 0);
    iolog_writer_end(&writer, array.now_ps);
    rewind(file);
    struct iolog_reader *reader = iolog_reader_create(file, "t");
    ck_assert_int_eq(replay_run(reader, &again.device, &options, &result, message), 0);
    iolog_reader_destroy(reader);
    fclose(file);
    ck_assert_uint_eq(again.count, array.count);
    ck_assert_uint_eq(result.pass_ops[0], array.count);
    for (size_t i = 0; i < array.count; i++) {
        ck_assert_int_eq(again.calls[i].op, array.calls[i].op);
        ck_assert_uint_eq(again.calls[i].offset, array.calls[i].offset);
        ck_assert_uint_eq(again.calls[i].bytes, array.calls[i].bytes);
    }
    array_device_destroy(&again);
    array_device_destroy(&array);
}
END_TEST

START_TEST(replay_counts_and_waits)
{
    struct result result = {0};
    char message[IOLOG_MESSAGE_MAX];
    const char *text = V3 OPEN "0 f write 0 4096\n100 f read 0 512\n100 f sync\n101 f close\n";

    array_device_init(&array, 1u << 20, 512);
    ck_assert_int_eq(replay(text, false, REPLAY_TRIM_ERROR, &result, message), 0);
    ck_assert_uint_eq(result.passes, 1);
    ck_assert_uint_eq(result.pass_ops[0], 3);
    ck_assert_uint_eq(result.pass_bytes[0], 4608);
    ck_assert_uint_eq(result.pass_ps[0], 3 * ARRAY_REQUEST_PS + 4608 * ARRAY_BYTE_PS);
    ck_assert_uint_eq(array.spent_ps[CPU_IDLE], 0);
    /* timed: the read starts 100 us after the start, the sync when the read has ended */
    array_device_forget(&array);
    const uint64_t start = array.now_ps;
    ck_assert_int_eq(replay(text, true, REPLAY_TRIM_ERROR, &result, message), 0);
    ck_assert_uint_eq(array.calls[0].time_ps, start);
    ck_assert_uint_eq(array.calls[1].time_ps, start + UINT64_C(100000000));
    ck_assert_uint_eq(array.calls[2].time_ps,
                      start + UINT64_C(100000000) + ARRAY_REQUEST_PS + 512 * ARRAY_BYTE_PS);
    array_device_destroy(&array);
}
END_TEST

START_TEST(replay_refuses_what_the_device_cannot_do)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"0 f write 256 512\n", "t:4: write of 512 bytes at 256: offset and length must be"},
        {"0 f write 0 100\n", "t:4: write of 100 bytes at 0: offset and length must be"},
        {"0 f write 0 0\n", "t:4: write of 0 bytes at 0: offset and length must be"},
        {"0 f read 1048576 512\n", "t:4: read of 512 bytes at 1048576: the device ends at 1048576"},
        {"0 f read 1048064 1024\n", "t:4: read of 1024 bytes at 1048064: the device ends at"},
        {"0 f trim 0 512\n", "t:4: trim of 512 bytes at 0: what trim means must be said"},
        {"0 f write 0 512\n1 f read x 1\n", "t:5: a read line is"},
    };
    struct result result = {0};
    char message[IOLOG_MESSAGE_MAX], text[256];

    array_device_init(&array, 1u << 20, 512);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), V3 OPEN "%s", cases[i].line);
        ck_assert_int_lt(replay(text, false, REPLAY_TRIM_ERROR, &result, message), 0);
        ck_assert_msg(strncmp(message, cases[i].message, strlen(cases[i].message)) == 0, "got: %s",
                      message);
        ck_assert_int_ne(result.error, 0);
    }
    array.fail_at = array.count;
    ck_assert_int_eq(
        replay(V3 OPEN "0 f write 0 512\n", false, REPLAY_TRIM_ERROR, &result, message),
        REPLAY_E_DEVICE);
    ck_assert_int_eq(result.error, -5);
    array_device_destroy(&array);
    array_device_init(&array, UINT64_C(1) << 30, 512);
    ck_assert_int_eq(
        replay(V3 OPEN "0 f write 0 268435968\n", false, REPLAY_TRIM_ERROR, &result, message),
        REPLAY_E_REQUEST);
    array_device_destroy(&array);
}
END_TEST

START_TEST(replay_of_trims)
{
    struct result result = {0};
    char message[IOLOG_MESSAGE_MAX];
    const char *text = V3 OPEN "0 f trim 0 1024\n0 f write 0 512\n";

    array_device_init(&array, 1u << 20, 512);
    ck_assert_int_eq(replay(text, false, REPLAY_TRIM_SKIP, &result, message), 0);
    ck_assert_uint_eq(result.pass_ops[0], 1);
    ck_assert_int_eq(replay(text, false, REPLAY_TRIM_ZERO, &result, message), 0);
    ck_assert_int_eq(array.calls[1].op, BLOCK_ZERO);
    ck_assert_uint_eq(array.calls[1].bytes, 1024);
    ck_assert_int_eq(replay(text, false, REPLAY_TRIM_DEALLOCATE, &result, message), 0);
    ck_assert_int_eq(array.calls[3].op, BLOCK_DEALLOCATE);
    ck_assert_uint_eq(array.calls[3].bytes, 1024);
    array_device_destroy(&array);
}
END_TEST

START_TEST(the_buffer_grows_with_the_requests)
{
    struct result result = {0};
    char message[IOLOG_MESSAGE_MAX];

    array_device_init(&array, 1u << 20, 512);
    ck_assert_int_eq(replay(V3 OPEN "0 f write 0 4096\n0 f write 0 512\n0 f write 0 8192\n", false,
                            REPLAY_TRIM_ERROR, &result, message),
                     0);
    ck_assert_uint_eq(array.buffers_made, 2);
    ck_assert_uint_eq(array.calls[1].buffer_bytes, 4096);
    ck_assert_uint_eq(array.last_align, 16);
    array_device_destroy(&array);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iolog");
    TCase *tests = tcase_create("iolog");

    tcase_add_test(tests, version_3_is_read);
    tcase_add_test(tests, version_2_waits_add_up);
    tcase_add_test(tests, what_is_refused);
    tcase_add_test(tests, a_zero_byte_is_refused);
    tcase_add_test(tests, writer_golden);
    tcase_add_test(tests, replay_repeats_a_recorded_suite);
    tcase_add_test(tests, replay_counts_and_waits);
    tcase_add_test(tests, replay_refuses_what_the_device_cannot_do);
    tcase_add_test(tests, replay_of_trims);
    tcase_add_test(tests, the_buffer_grows_with_the_requests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
