/* SPDX-License-Identifier: BSD-2-Clause
 * Reading lists of pointers (NVMe 1.4 sections 4.3 and 4.4): how much a read brings, how many are
 * on their way at once, what is kept and for how long. */
#include "unit/nvme/rig_sgl.h"

#define LIST(n) (RIG_LISTS + 0x1000 * (n))

static struct rig rig;
static struct rig_params params;
static struct rig_trace trace;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.mdts = 0;
    params.ctrl.sgls = 1;
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
    for (unsigned i = 0; i < 512; i++)
        rig_put64(&rig, RIG_LISTS + 8 * i, RIG_DATA + 0x1000 * (i % 64));
}

static uint64_t reads_of_lists(void)
{
    return rig_stats(&rig).list_reads;
}

/* Time of a read whose list has this many entries from `list` on, ps. */
static uint64_t time_of(uint32_t entries, uint64_t list)
{
    struct rig_cqe cqe;
    uint64_t from = rig_now(&rig);

    rig_put(&rig, 1,
            &(struct rig_cmd){.opcode = 2,
                              .nsid = 1,
                              .prp1 = RIG_DATA,
                              .prp2 = list,
                              .cdw12 = 8 * (entries + 1) - 1});
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.status, 0);
    rig_ring_cq(&rig, 1);
    return rig_now(&rig) - from;
}

/* Given lines of 64 bytes and no latency but the set-up: one set-up per line that holds entries. */
START_TEST(one_set_up_per_line)
{
    params.ctrl.list_setup.amount = 7 * RIG_NS;
    params.ctrl.list_fetch_bytes = 64;
    open_rig();
    ck_assert_uint_eq(time_of(2, RIG_LISTS), 7 * RIG_NS);
    ck_assert_uint_eq(time_of(8, RIG_LISTS), 7 * RIG_NS);
    ck_assert_uint_eq(time_of(9, RIG_LISTS), 14 * RIG_NS);
    ck_assert_uint_eq(time_of(8, RIG_LISTS + 8), 14 * RIG_NS); /* does not begin on a line */
    ck_assert_uint_eq(time_of(65, RIG_LISTS), 63 * RIG_NS);
    ck_assert_uint_eq(time_of(512, RIG_LISTS), 448 * RIG_NS);
    ck_assert_uint_eq(rig_stats(&rig).prp_list_pages, 6);
}
END_TEST

/* Given a list in the last line of the address space, whether it ends there or before, then that
 * line is asked for and cannot be read. */
START_TEST(the_end_of_the_address_space)
{
    struct rig_cqe cqe;

    params.ctrl.list_fetch_bytes = 64;
    params.ctrl.list_cache_entries = (uint64_t)_i;
    open_rig();
    for (uint32_t entries = 2; entries <= 16; entries += 7) {
        ck_assert_uint_eq(rig_do(&rig, 1,
                                 &(struct rig_cmd){.opcode = 2,
                                                   .nsid = 1,
                                                   .prp1 = RIG_DATA,
                                                   .prp2 = UINT64_MAX - 8 * 16 + 1,
                                                   .cdw12 = 8 * (entries + 1) - 1},
                                 &cqe),
                          0x004);
        ck_assert(!cqe.dnr);
        ck_assert_uint_eq(rig_do(&rig, 1,
                                 &(struct rig_cmd){.opcode = 2,
                                                   .nsid = 1,
                                                   .prp1 = RIG_DATA,
                                                   .prp2 = UINT64_MAX - 63,
                                                   .cdw12 = 8 * (entries + 1) - 1},
                                 &cqe),
                          0x004);
    }
}
END_TEST

/* Nothing at t - 1, there at t. */
START_TEST(not_before_its_time)
{
    struct rig_cqe cqe;

    params.ctrl.list_setup.amount = 7 * RIG_NS;
    params.ctrl.list_fetch_bytes = 64;
    params.ctrl.list_cache_entries = (uint64_t)_i;
    open_rig();
    rig_settle(&rig);
    rig_put(&rig, 1,
            &(struct rig_cmd){
                .opcode = 2, .nsid = 1, .prp1 = RIG_DATA, .prp2 = RIG_LISTS, .cdw12 = 8 * 25 - 1});
    rig_ring(&rig, 1);
    rig_for(&rig, 21 * RIG_NS - 1); /* three lines: 24 entries */
    ck_assert(!rig_take(&rig, 1, &cqe));
    rig_for(&rig, 1);
    ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* Over a link, each further line costs a round trip with one place; with more, lines are asked for
 * by groups of as many, and within a group only the set-up comes between two. A set-up longer than
 * the packets' time on the wire makes that exact. */
START_TEST(places_hide_the_round_trip)
{
    uint64_t setup_ps = RIG_US, round_trip, alone;

    params.ctrl.list_setup.amount = setup_ps;
    params.ctrl.list_fetch_bytes = 64;
    params.ctrl.list_cache_entries = (uint64_t)_i;
    params.link.kind = LINK_PCIE;
    open_rig();
    rig_settle(&rig);
    alone = time_of(2, RIG_LISTS);
    /* 8 entries in two lines and in one */
    round_trip = time_of(8, RIG_LISTS + 32) - time_of(8, RIG_LISTS);
    if (_i == 1)
        ck_assert_uint_gt(round_trip, setup_ps + 2 * 150 * RIG_NS + 120 * RIG_NS);
    else
        ck_assert_uint_eq(round_trip, setup_ps);
    ck_assert_uint_gt(alone, setup_ps);
    /* 28 entries in four lines, wherever in the first they begin */
    ck_assert_uint_eq(time_of(28, RIG_LISTS + 32), time_of(28, RIG_LISTS + 24));
    /* 24 entries in four lines and in three */
    round_trip = time_of(24, RIG_LISTS + 8) - time_of(24, RIG_LISTS);
    /* the fourth line comes with the others of its group (of 2, of 4), or by itself */
    if (_i % 2 == 0)
        ck_assert_uint_eq(round_trip, setup_ps);
    else
        ck_assert_uint_gt(round_trip, setup_ps + 2 * 150 * RIG_NS + 120 * RIG_NS);
}
END_TEST

/* Whole lines, aligned, whatever of them is needed; without lines, just what is needed. */
START_TEST(what_is_read)
{
    params.ctrl.list_fetch_bytes = _i == 0 ? 0 : 128;
    params.ctrl.list_cache_entries = _i == 0 ? 1 : 2;
    open_rig();
    rig_trace_begin(&rig, &trace);
    time_of(20, RIG_LISTS + 0x68);
    ck_assert_uint_ge(trace.count, 4);
    if (_i == 0) {
        ck_assert_uint_eq(trace.accesses[1].bus, RIG_LISTS + 0x68); /* [0] is the command */
        ck_assert_uint_eq(trace.accesses[1].bytes, 160);
        ck_assert(trace.accesses[2].writes);
    } else {
        ck_assert_uint_eq(trace.accesses[1].bus, RIG_LISTS);
        ck_assert_uint_eq(trace.accesses[2].bus, RIG_LISTS + 128);
        ck_assert_uint_eq(trace.accesses[3].bus, RIG_LISTS + 256);
        for (unsigned i = 1; i < 4; i++) {
            ck_assert_uint_eq(trace.accesses[i].bytes, 128);
            ck_assert(!trace.accesses[i].writes);
        }
    }
}
END_TEST

/* A chain of segments of one descriptor each; which lines they lie in is up to the test. */
static uint16_t read_chain(const uint64_t *segments, unsigned count)
{
    for (unsigned i = 0; i + 1 < count; i++)
        rig_put_sgl(&rig, segments[i], i + 2 < count ? RIG_SEGMENT : RIG_LAST_SEGMENT,
                    segments[i + 1], 16);
    rig_put_sgl(&rig, segments[count - 1], RIG_DATA_BLOCK, RIG_DATA, 512);
    return rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){segments[0], 16, RIG_SEGMENT});
}

START_TEST(a_line_that_is_there_is_not_read_again)
{
    const uint64_t same[] = {LIST(0), LIST(0) + 16, LIST(0) + 48};

    params.ctrl.list_fetch_bytes = 64;
    open_rig();
    ck_assert_uint_eq(read_chain(same, 3), 0);
    ck_assert_uint_eq(reads_of_lists(), 1);
    /* the next command reads it anew, and so sees what the host has made of it */
    rig_put_sgl(&rig, LIST(0) + 48, RIG_DATA_BLOCK, RIG_DATA, 511);
    ck_assert_uint_eq(rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){LIST(0), 16, RIG_SEGMENT}), 0x00f);
    ck_assert_uint_eq(reads_of_lists(), 2);
}
END_TEST

/* The oldest line goes first: a, b, c and a again are four reads with two places, three with three.
 */
START_TEST(the_oldest_goes_first)
{
    const uint64_t lines[] = {LIST(0), LIST(1), LIST(2), LIST(0) + 16};

    params.ctrl.list_fetch_bytes = 64;
    params.ctrl.list_cache_entries = (uint64_t)_i;
    open_rig();
    ck_assert_uint_eq(read_chain(lines, 4), 0);
    ck_assert_uint_eq(reads_of_lists(), _i < 3 ? 4 : 3);
}
END_TEST

/* Without lines nothing is kept. */
START_TEST(no_lines_no_cache)
{
    const uint64_t same[] = {LIST(0), LIST(0) + 16, LIST(0) + 48};

    open_rig();
    ck_assert_uint_eq(read_chain(same, 3), 0);
    ck_assert_uint_eq(reads_of_lists(), 3);
}
END_TEST

START_TEST(values_that_cannot_be)
{
    params.ctrl.list_fetch_bytes = 96;
    ck_assert_ptr_nonnull(ctrl_params_check(&params.ctrl));
    params.ctrl.list_fetch_bytes = 8;
    ck_assert_ptr_nonnull(ctrl_params_check(&params.ctrl));
    params.ctrl.list_fetch_bytes = 0;
    params.ctrl.list_cache_entries = 2;
    ck_assert_ptr_nonnull(ctrl_params_check(&params.ctrl));
    params.ctrl.list_fetch_bytes = 16;
    ck_assert_ptr_null(ctrl_params_check(&params.ctrl));
    open_rig();
}
END_TEST

Suite *suite_lists(void)
{
    Suite *suite = suite_create("nvme lists of pointers");
    TCase *tc = tcase_create("lists");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, the_end_of_the_address_space, 1, 4);
    tcase_add_test(tc, one_set_up_per_line);
    tcase_add_loop_test(tc, not_before_its_time, 1, 5);
    tcase_add_loop_test(tc, places_hide_the_round_trip, 1, 5);
    tcase_add_loop_test(tc, what_is_read, 0, 2);
    tcase_add_test(tc, a_line_that_is_there_is_not_read_again);
    tcase_add_loop_test(tc, the_oldest_goes_first, 1, 5);
    tcase_add_test(tc, no_lines_no_cache);
    tcase_add_test(tc, values_that_cannot_be);
    suite_add_tcase(suite, tc);
    return suite;
}
