/* SPDX-License-Identifier: BSD-2-Clause
 * Dataset Management (NVMe 1.4 section 6.7), Verify (6.14), Write Uncorrectable (6.16) and Write
 * Zeroes (6.17); error recovery (5.21.1.5). */
#include <string.h>

#include "unit/nvme/rig.h"

#define WRITE         1u
#define READ          2u
#define UNCORRECTABLE 4u
#define COMPARE       5u
#define ZEROES        8u
#define DSM           9u
#define VERIFY        12u
#define BLOCKS        ((64u << 20) / 512)
#define RETRY_MS      50u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.read_recovery = RETRY_MS * RIG_MS;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    memset(rig_at(&rig, RIG_DATA), 0xa5, 0x10000);
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 8, RIG_DATA, 0), 0);
}

static void put_range(unsigned index, uint32_t blocks, uint64_t first)
{
    uint64_t at = RIG_DATA + 0x20000 + index * 16;

    rig_put64(&rig, at, (uint64_t)blocks << 32 | 0x123); /* with context attributes */
    rig_put64(&rig, at + 8, first);
}

static uint16_t manage(uint32_t ranges, uint32_t attributes)
{
    struct rig_cmd cmd = {.opcode = DSM,
                          .cid = 9,
                          .nsid = 1,
                          .prp1 = RIG_DATA + 0x20000,
                          .cdw10 = ranges - 1,
                          .cdw11 = attributes};

    return rig_do(&rig, 1, &cmd, NULL);
}

static uint8_t byte_of(uint64_t block)
{
    ck_assert_uint_eq(rig_io(&rig, READ, block, 1, RIG_DATA + 0x30000, 0), 0);
    return *rig_at(&rig, RIG_DATA + 0x30000);
}

START_TEST(deallocated_blocks_are_zero)
{
    open_rig();
    put_range(0, 2, 1);
    put_range(1, 0, 5); /* empty: allowed, nothing happens */
    put_range(2, 1, 7);
    ck_assert_uint_eq(manage(3, 0x4), 0);
    for (uint64_t block = 0; block < 8; block++)
        ck_assert_uint_eq(byte_of(block), block == 1 || block == 2 || block == 7 ? 0 : 0xa5);
    ck_assert_uint_eq(rig_stats(&rig).deallocates, 1);
}
END_TEST

/* Without Deallocate the ranges are only advice, but they are checked. */
START_TEST(hints_change_nothing)
{
    open_rig();
    put_range(0, 8, 0);
    ck_assert_uint_eq(manage(1, 0x3), 0);
    ck_assert_uint_eq(byte_of(0), 0xa5);
    put_range(0, 1, BLOCKS);
    ck_assert_uint_eq(manage(1, 0x3), 0x080);
}
END_TEST

START_TEST(a_wrong_range_deallocates_nothing)
{
    struct rig_cmd cmd = {.opcode = DSM, .cid = 1, .nsid = 2, .prp1 = RIG_DATA, .cdw11 = 4};

    open_rig();
    put_range(0, 8, 0);
    put_range(1, 2, BLOCKS - 1);
    ck_assert_uint_eq(manage(2, 0x4), 0x080);
    ck_assert_uint_eq(byte_of(0), 0xa5);
    put_range(1, 0xffffffff, UINT64_MAX);
    ck_assert_uint_eq(manage(2, 0x4), 0x080);
    put_range(1, 1, BLOCKS - 1); /* the last block can be */
    ck_assert_uint_eq(manage(2, 0x4), 0);
    ck_assert_uint_eq(byte_of(0), 0);
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x00b);
    cmd.nsid = 1;
    cmd.prp1 = 0x1000; /* the host refuses */
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x004);
    cmd.prp1 = RIG_DATA + 1;
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x013);
}
END_TEST

/* 256 ranges are 4 KiB and may cross a page; the whole namespace in one range is more than a step.
 */
START_TEST(as_many_and_as_long_as_can_be)
{
    struct rig_cmd cmd = {.opcode = DSM,
                          .cid = 1,
                          .nsid = 1,
                          .prp1 = RIG_DATA + 0x20000,
                          .prp2 = RIG_DATA + 0x21000,
                          .cdw10 = 255,
                          .cdw11 = 4};

    params.ctrl.namespace_size = UINT64_C(5) << 30;
    open_rig();
    for (unsigned i = 0; i < 256; i++)
        put_range(i, 1, 2 * i);
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0);
    for (uint64_t block = 0; block < 8; block++)
        ck_assert_uint_eq(byte_of(block), block % 2 == 0 ? 0 : 0xa5);
    put_range(0, (uint32_t)(params.ctrl.namespace_size / 512), 0);
    ck_assert_uint_eq(manage(1, 4), 0);
    ck_assert_uint_eq(byte_of(1), 0);
}
END_TEST

START_TEST(unreadable_blocks) /* 4.6.1.2.3 */
{
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, UNCORRECTABLE, 3, 2, 0, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 3, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 4, RIG_DATA, 0), 0x281);
    ck_assert_uint_eq(rig_io(&rig, VERIFY, 4, 1, 0, 0), 0x281);
    ck_assert_uint_eq(rig_io(&rig, COMPARE, 4, 2, RIG_DATA, 0), 0x281);
    ck_assert_uint_eq(rig_io(&rig, READ, 5, 1, RIG_DATA, 0), 0);
    /* written, zeroed, deallocated: readable again */
    ck_assert_uint_eq(rig_io(&rig, WRITE, 3, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, VERIFY, 3, 1, 0, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, VERIFY, 4, 1, 0, 0), 0x281);
    ck_assert_uint_eq(rig_io(&rig, ZEROES, 4, 1, 0, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, VERIFY, 0, 65536, 0, 0), 0); /* no data: no limit */
    ck_assert_uint_eq(rig_io(&rig, UNCORRECTABLE, 0, 65536, 0, 0), 0);
    put_range(0, 1, 9);
    ck_assert_uint_eq(manage(1, 4), 0);
    ck_assert_uint_eq(byte_of(9), 0);
    ck_assert_uint_eq(rig_io(&rig, READ, 8, 1, RIG_DATA, 0), 0x281);
    ck_assert_uint_eq(rig_stats(&rig).media_errors, 5);
}
END_TEST

START_TEST(range_checks)
{
    static const uint8_t opcodes[] = {UNCORRECTABLE, ZEROES, VERIFY};

    open_rig();
    for (unsigned i = 0; i < sizeof opcodes; i++) {
        struct rig_cmd cmd = {.opcode = opcodes[i], .cid = 1, .nsid = 2};

        ck_assert_uint_eq(rig_io(&rig, opcodes[i], BLOCKS - 1, 2, 0, 0), 0x080);
        ck_assert_uint_eq(rig_io(&rig, opcodes[i], UINT64_MAX, 1, 0, 0), 0x080);
        ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x00b);
    }
}
END_TEST

/* What is turned off is not there. */
START_TEST(optional_commands)
{
    params.ctrl.write_uncorrectable = params.ctrl.write_zeroes = 0;
    params.ctrl.dataset_management = params.ctrl.verify = 0;
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, UNCORRECTABLE, 0, 1, 0, 0), 0x001);
    ck_assert_uint_eq(rig_io(&rig, ZEROES, 0, 1, 0, 0), 0x001);
    ck_assert_uint_eq(rig_io(&rig, VERIFY, 0, 1, 0, 0), 0x001);
    ck_assert_uint_eq(manage(1, 4), 0x001);
    /* ONCS: Compare alone (5.15.2.2) */
    struct rig_cmd identify = {.opcode = 6, .cid = 1, .prp1 = RIG_DATA, .cdw10 = 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &identify, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 520) & 0x8f, 0x01);
}
END_TEST

/* TLER in units of 100 ms, Limited Retry; how long the failing read takes, ms */
static const struct {
    uint32_t tler, retry;
    uint64_t recovery_ms, expected_ms;
} efforts[] = {
    {0, 0, 50, 50},   {1, 0, 50, 50},        {1, 0, 99, 99},       {1, 0, 101, 100},
    {2, 0, 500, 200}, {0xffff, 0, 500, 500}, {0, 1u << 31, 50, 0}, {1, 1u << 31, 50, 0},
};

START_TEST(recovery_takes_as_long_as_allowed)
{
    struct rig_cmd cmd = {
        .opcode = READ, .cid = 1, .nsid = 1, .prp1 = RIG_DATA, .cdw12 = efforts[_i].retry};
    uint64_t before;

    params.ctrl.read_recovery = efforts[_i].recovery_ms * RIG_MS;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 9, 1, 5, efforts[_i].tler, NULL), 0);
    ck_assert_uint_eq(rig_io(&rig, UNCORRECTABLE, 0, 1, 0, 0), 0);
    before = rig_now(&rig);
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x281);
    ck_assert_uint_eq(rig_now(&rig) - before, efforts[_i].expected_ms * RIG_MS);
}
END_TEST

Suite *suite_media_commands(void)
{
    Suite *suite = suite_create("nvme media commands");
    TCase *tc = tcase_create("media commands");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, deallocated_blocks_are_zero);
    tcase_add_test(tc, hints_change_nothing);
    tcase_add_test(tc, a_wrong_range_deallocates_nothing);
    tcase_add_test(tc, as_many_and_as_long_as_can_be);
    tcase_add_test(tc, unreadable_blocks);
    tcase_add_test(tc, range_checks);
    tcase_add_test(tc, optional_commands);
    tcase_add_loop_test(tc, recovery_takes_as_long_as_allowed, 0,
                        sizeof efforts / sizeof efforts[0]);
    suite_add_tcase(suite, tc);
    return suite;
}
