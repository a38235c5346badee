/* SPDX-License-Identifier: BSD-2-Clause
 * The controller on a link whose transfers take turns packet by packet (link.detail = tlp), beside
 * the same at detail line: what a command takes alone, and beside others. */
#include "unit/nvme/rig_paced.h"

#define LONG_BLOCKS 2048u /* 1 MiB */

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_paced_defaults(&params);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void reopen(unsigned detail)
{
    rig_close(&rig);
    rig_paced_open(&rig, &params, detail);
}

static uint64_t time_of(unsigned detail, uint8_t opcode, uint32_t blocks)
{
    uint64_t ps;

    reopen(detail);
    rig_paced_put(&rig, 1, opcode, 0, blocks, 0);
    rig_ring(&rig, 1);
    ps = rig_paced_until_done(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[1], 1);
    return ps;
}

/* ---- one command ---- */

START_TEST(alone_a_command_takes_what_it_takes_at_detail_line)
{
    static const uint32_t sizes[] = {1, 8, 9, 16, 17, 256, LONG_BLOCKS};

    rig_paced_open(&rig, &params, LINE);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert_uint_eq(time_of(TLP, READ, sizes[i]), time_of(LINE, READ, sizes[i]));
        ck_assert_uint_eq(time_of(TLP, WRITE, sizes[i]), time_of(LINE, WRITE, sizes[i]));
    }
}
END_TEST

START_TEST(the_way_of_one_read)
{
    /* doorbell down, request up, 64-byte completion down, two packets of data up, entry up */
    uint64_t doorbell = (HEADER + 4) * BYTE_PS + PROPAGATION;
    uint64_t fetch = (HEADER + 20 + 64) * BYTE_PS + 2 * PROPAGATION + 120000;
    uint64_t data = (512 + 2 * HEADER) * BYTE_PS;
    uint64_t entry = (ENTRY + HEADER) * BYTE_PS + PROPAGATION;

    rig_paced_open(&rig, &params, TLP);
    ck_assert_uint_eq(time_of(TLP, READ, 1), doorbell + fetch + data + entry);
}
END_TEST

START_TEST(an_engine_slower_than_the_link_sets_the_pace)
{
    uint64_t fast[2], slow[2];

    rig_paced_open(&rig, &params, LINE);
    for (unsigned w = 0; w < 2; w++)
        fast[w] = time_of(TLP, w != 0 ? WRITE : READ, 8);
    params.ctrl.dma_bandwidth = 10000000; /* 4 KiB in 409.6 us */
    for (unsigned w = 0; w < 2; w++) {
        slow[w] = time_of(TLP, w != 0 ? WRITE : READ, 8);
        ck_assert_uint_eq(slow[w], time_of(LINE, w != 0 ? WRITE : READ, 8));
        ck_assert_uint_gt(slow[w], UINT64_C(409600000));
        ck_assert_uint_lt(fast[w], UINT64_C(30000000));
    }
}
END_TEST

/* 4 KiB in five pieces (4.4), of which a read throws one away. */
static uint64_t time_of_pieces(unsigned detail, uint8_t opcode)
{
    static const uint32_t pieces[] = {512, 100, 4, 2968, 512};
    uint64_t at = RIG_LISTS, data = RIG_DATA;
    struct rig_cmd cmd;

    reopen(detail);
    for (unsigned i = 0; i < 5; i++) {
        bool is_bucket = opcode == READ && i == 1;

        at = rig_put_sgl(&rig, at, is_bucket ? RIG_BIT_BUCKET : RIG_DATA_BLOCK, data, pieces[i]);
        data += pieces[i] + 4;
    }
    cmd = rig_sgl_cmd(opcode, 0, 8, (struct rig_sgl){RIG_LISTS, 80, RIG_LAST_SEGMENT});
    rig_put(&rig, 1, &cmd);
    rig_ring(&rig, 1);
    return rig_paced_until_done(&rig, 1);
}

START_TEST(all_parts_of_an_sgl_are_waited_for)
{
    params.ctrl.sgls = 1;
    params.ctrl.sgl_bit_bucket = true;
    rig_paced_open(&rig, &params, LINE);
    ck_assert_uint_eq(time_of_pieces(TLP, READ), time_of_pieces(LINE, READ));
    ck_assert_uint_eq(time_of_pieces(TLP, WRITE), time_of_pieces(LINE, WRITE));
}
END_TEST

/* ---- several ---- */

/* A long read in queue 1, and when it is under way, a short one in queue 2; when that is done. */
static uint64_t short_beside_long(unsigned detail, uint8_t opcode, uint64_t *long_ps)
{
    uint64_t from, short_ps;

    reopen(detail);
    rig_paced_put(&rig, 1, opcode, 0, LONG_BLOCKS, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    from = rig_now(&rig);
    rig_paced_put(&rig, 2, READ, 0, 8, 1);
    rig_ring(&rig, 2);
    short_ps = rig_paced_until_done(&rig, 2);
    rig_paced_until_done(&rig, 1);
    *long_ps = rig_now(&rig) - from;
    return short_ps;
}

START_TEST(a_short_read_does_not_wait_for_a_long_one)
{
    /* 1 MiB is 4096 packets of 1.12 us */
    uint64_t short_line, short_tlp, long_line, long_tlp;

    rig_paced_open(&rig, &params, LINE);
    short_line = short_beside_long(LINE, READ, &long_line);
    short_tlp = short_beside_long(TLP, READ, &long_tlp);
    /* at detail line its data stands behind all of the long one: it ends last */
    ck_assert_uint_eq(short_line, UINT64_C(4518356000));
    ck_assert_uint_eq(long_line, short_line);
    /* its 16 packets and an entry, which take turns with as many of the long one's */
    ck_assert_uint_eq(short_tlp, UINT64_C(38196000));
    ck_assert_uint_eq(long_tlp, UINT64_C(4518468000));
}
END_TEST

START_TEST(reads_do_not_wait_for_the_tags_of_writes)
{
    /* given requests of 1 MiB to be written, in the same queue, with one tag */
    uint64_t short_ps, long_ps;

    params.link.tags = 1;
    rig_paced_open(&rig, &params, TLP);
    rig_paced_put(&rig, 1, WRITE, 0, LONG_BLOCKS, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    rig_paced_put(&rig, 1, READ, 1, 8, 1);
    rig_ring(&rig, 1);
    short_ps = rig_paced_until_done(&rig, 1);
    long_ps = short_ps + rig_paced_until_done(&rig, 1);
    ck_assert_uint_lt(short_ps, 100 * RIG_US);
    ck_assert_uint_gt(long_ps, 2000 * RIG_US);
}
END_TEST

START_TEST(a_limit_of_transfers_on_their_way_holds)
{
    /* given an engine for one transfer at a time: the second read begins when the first has ended
     */
    uint64_t one, two[2];

    rig_paced_open(&rig, &params, LINE);
    params.ctrl.dma_outstanding = 1;
    one = time_of(TLP, READ, 8);
    ck_assert_uint_eq(one, time_of(LINE, READ, 8));
    for (unsigned detail = LINE; detail <= TLP; detail++) {
        reopen(detail);
        rig_paced_put(&rig, 1, READ, 0, 8, 0);
        rig_paced_put(&rig, 1, READ, 1, 8, 0);
        rig_ring(&rig, 1);
        two[detail] = rig_paced_until_done(&rig, 1);
        two[detail] += rig_paced_until_done(&rig, 1);
    }
    ck_assert_uint_gt(two[TLP], one + (4096 + 16 * HEADER) * BYTE_PS);
    /* the first entry goes behind the second read's data, which was reserved as a whole before it
     */
    ck_assert_uint_ge(two[TLP], two[LINE]);
    ck_assert_uint_le(two[TLP], two[LINE] + rig_paced_wire_ps(ENTRY));
}
END_TEST

Suite *suite_paced(void)
{
    Suite *suite = suite_create("paced");
    TCase *tcase = tcase_create("paced");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, alone_a_command_takes_what_it_takes_at_detail_line);
    tcase_add_test(tcase, the_way_of_one_read);
    tcase_add_test(tcase, an_engine_slower_than_the_link_sets_the_pace);
    tcase_add_test(tcase, all_parts_of_an_sgl_are_waited_for);
    tcase_add_test(tcase, a_short_read_does_not_wait_for_a_long_one);
    tcase_add_test(tcase, reads_do_not_wait_for_the_tags_of_writes);
    tcase_add_test(tcase, a_limit_of_transfers_on_their_way_holds);
    suite_add_tcase(suite, tcase);
    return suite;
}
