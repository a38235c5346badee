/* SPDX-License-Identifier: BSD-2-Clause
 * Read buffer and read-ahead: exact times of hits, of waiting for a page on its way, and of what is
 * left in a die's register; what makes a page stale; which requests are a stream. Pages of 16 KiB
 * in order: unit u is in page u / 4, which is on die u / 4 % 4; a page is sensed in 40 us, a unit
 * passes the channel in 4 us; a hit takes 5 us, and 1 us for each 4 KiB. */
#include <stdlib.h>

#include "unit/media/nand_rig.h"
#include "unit/media/suites.h"

#define PAGE (4 * UNIT)
#define HIT  (6 * US) /* a unit that is in the buffer */

static void setup(void)
{
    nand_rig_setup();
    rig.params.nand_page_size = PAGE;
    rig.params.buffer_size = 16 * PAGE;
    rig.params.buffer_latency = 5 * US;
    rig.params.buffer_bandwidth = UINT64_C(4096000000);
    rig.params.precondition = 1;
    rig.params.read_buffer = 8 * PAGE;
    rig.params.read_streams = 2;
    rig.params.read_trigger = 2;
}

static void expect_end(uint32_t arg, uint64_t at_ps)
{
    engine_run_until(rig.engine, at_ps - 1);
    ck_assert_uint_eq(rig.end_ps[arg], 0);
    engine_run_until(rig.engine, at_ps);
    ck_assert_uint_eq(rig.end_ps[arg], at_ps);
}

START_TEST(a_unit_read_again_is_a_hit)
{
    nand_rig_open();
    ck_assert_uint_eq(nand_do(MEDIA_READ, 5 * UNIT, 512), 44 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 5 * UNIT, UNIT), HIT);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 5 * UNIT + 512, 2048), 5 * US + US / 2);
    ck_assert_uint_eq(nand_stats().read_hits, 2);
    ck_assert_uint_eq(nand_stats().busy_ps, 40 * US);
}
END_TEST

START_TEST(without_a_buffer_everything_is_read_anew)
{
    rig.params.read_buffer = 0;
    nand_rig_open();
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(nand_do(MEDIA_READ, i * 512, 512), 44 * US);
    ck_assert_uint_eq(nand_stats().busy_ps, 3 * 40 * US);
    ck_assert_uint_eq(nand_stats().read_hits, 0);
}
END_TEST

START_TEST(a_page_on_its_way_is_waited_for_and_not_read_twice)
{
    nand_rig_open();
    nand_start(MEDIA_READ, UNIT, UNIT, 1);
    engine_run_until(rig.engine, 10 * US);
    nand_start(MEDIA_READ, UNIT, 2048, 2);
    expect_end(1, 44 * US);
    expect_end(2, 44 * US + US / 2);
    ck_assert_uint_eq(nand_stats().busy_ps, 40 * US);
}
END_TEST

/* Its latency runs while the page arrives: at 39 us both are over at the same time, and one
 * picosecond later it is the latency that is waited for. */
START_TEST(a_hit_takes_its_latency_or_what_is_left_of_the_way)
{
    nand_rig_open();
    nand_start(MEDIA_READ, UNIT, UNIT, 1);
    engine_run_until(rig.engine, 39 * US + (uint64_t)_i);
    nand_start(MEDIA_READ, UNIT, UNIT, 2);
    expect_end(2, 45 * US + (uint64_t)_i);
}
END_TEST

START_TEST(the_rest_of_a_page_is_in_the_register_until_the_die_does_something_else)
{
    rig.params.nand_cached = (uint64_t)_i;
    nand_rig_open();
    nand_do(MEDIA_READ, 3 * UNIT, UNIT);
    ck_assert_uint_eq(nand_do(MEDIA_READ, UNIT, UNIT), 4 * US);
    ck_assert_uint_eq(nand_stats().register_units, 1);
    nand_do(MEDIA_READ, 16 * UNIT, UNIT); /* another page of the die */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), 44 * US);
    ck_assert_uint_eq(nand_stats().register_units, 1);
}
END_TEST

START_TEST(a_page_being_sensed_is_sensed_once)
{
    nand_rig_open();
    nand_start(MEDIA_READ, 0, UNIT, 1);
    nand_start(MEDIA_READ, 2 * UNIT, UNIT, 2);
    expect_end(1, 44 * US);
    expect_end(2, 48 * US);
    ck_assert_uint_eq(nand_stats().busy_ps, 40 * US);
}
END_TEST

START_TEST(the_page_that_was_not_used_for_longest_goes_first)
{
    rig.params.read_buffer = 2 * PAGE;
    nand_rig_open();
    nand_do(MEDIA_READ, 0, UNIT);
    nand_do(MEDIA_READ, 4 * UNIT, UNIT);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), HIT);
    nand_do(MEDIA_READ, 20 * UNIT, UNIT); /* takes the place of page 1 */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), HIT);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 4 * UNIT, UNIT), 44 * US);
}
END_TEST

/* Room that data is on its way to cannot be given away: the third page is read all the same, and
 * not kept. */
START_TEST(room_is_not_taken_from_a_page_on_its_way)
{
    rig.params.read_buffer = 2 * PAGE;
    nand_rig_open();
    nand_start(MEDIA_READ, 0, UNIT, 1);
    nand_start(MEDIA_READ, 4 * UNIT, UNIT, 2);
    nand_start(MEDIA_READ, 8 * UNIT, UNIT, 3);
    nand_settle_down();
    nand_do(MEDIA_READ, 9 * UNIT, UNIT); /* in the register, and kept now: page 0 goes */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 4 * UNIT, UNIT), HIT);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 8 * UNIT, UNIT), 4 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), 4 * US);
}
END_TEST

/* ---- what makes a page stale ---- */

START_TEST(what_is_written_comes_from_where_it_was_written)
{
    nand_rig_open();
    nand_do(MEDIA_READ, 0, PAGE);
    nand_do(MEDIA_WRITE, UNIT, UNIT);
    nand_do(MEDIA_READ, UNIT, UNIT);
    ck_assert_uint_eq(nand_stats().buffer_hits, 1);
    ck_assert_uint_eq(nand_stats().read_hits, 0);
    nand_do(MEDIA_FLUSH, 0, 0);
    nand_settle_down();
    ck_assert_uint_eq(nand_do(MEDIA_READ, UNIT, UNIT), 44 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), HIT); /* its neighbour is where it was */
}
END_TEST

START_TEST(what_is_trimmed_or_zeroed_is_nowhere)
{
    nand_rig_open();
    nand_do(MEDIA_READ, 0, PAGE);
    nand_do(_i == 0 ? MEDIA_TRIM : MEDIA_ZERO, 0, PAGE);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), HIT); /* nothing to read, from memory */
    ck_assert_uint_eq(nand_stats().read_hits, 0);
}
END_TEST

/* Superblocks are erased and written again many times while their pages are read: whatever is
 * answered from the buffer was read after the last erase, so a hit is never stale. The check is
 * against the drive without a buffer: every first read after a write senses. */
START_TEST(a_page_written_after_an_erase_is_another_one)
{
    struct rng random;

    rig.params.read_buffer = 256 * PAGE;
    nand_rig_open();
    rng_init(&random, 1, "erased");
    for (uint32_t round = 0; round < 2000; round++) {
        uint64_t unit = rng_below(&random, rig.capacity / UNIT);

        nand_do(MEDIA_WRITE, unit * UNIT, UNIT);
        if (round % 16 == 15) {
            struct media_nand_stats before;

            nand_do(MEDIA_FLUSH, 0, 0);
            nand_settle_down();
            before = nand_stats();
            ck_assert_uint_ge(nand_do(MEDIA_READ, unit * UNIT, UNIT), 4 * US);
            ck_assert_uint_eq(nand_stats().read_hits, before.read_hits);
        }
    }
    ck_assert_uint_gt(nand_stats().erases, 10);
    nand_check();
}
END_TEST

START_TEST(a_loss_of_power_empties_the_buffer)
{
    nand_rig_open();
    nand_do(MEDIA_READ, 0, UNIT);
    media_power_loss(rig.media);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), 44 * US);
}
END_TEST

/* ---- streams ---- */

START_TEST(the_second_request_of_a_stream_reads_ahead)
{
    rig.params.read_ahead = 2 * PAGE;
    nand_rig_open();
    nand_do(MEDIA_READ, 0, UNIT);
    ck_assert_uint_eq(nand_stats().ahead_units, 0);
    nand_do(MEDIA_READ, UNIT, UNIT);
    /* The rest of its page and two whole ones: the window ends inside the second. */
    ck_assert_uint_eq(nand_stats().ahead_units, 2 + 4 + 4);
    nand_settle_down();
    engine_run_until(rig.engine, engine_now(rig.engine) + 100 * US);
    for (uint32_t unit = 2; unit < 12; unit++)
        ck_assert_uint_eq(nand_do(MEDIA_READ, unit * UNIT, UNIT), HIT);
    ck_assert_uint_eq(nand_stats().read_hits, 10);
}
END_TEST

START_TEST(a_stream_begins_at_its_trigger)
{
    rig.params.read_ahead = PAGE;
    rig.params.read_trigger = 4;
    nand_rig_open();
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(nand_stats().ahead_units, 0);
        nand_do(MEDIA_READ, i * 512, 512);
    }
    ck_assert_uint_gt(nand_stats().ahead_units, 0);
}
END_TEST

START_TEST(streams_are_told_apart_up_to_their_number)
{
    uint32_t streams = _i == 0 ? 2 : 3;

    rig.params.read_ahead = PAGE;
    nand_rig_open();
    for (uint32_t i = 0; i < 8; i++)
        for (uint32_t stream = 0; stream < streams; stream++)
            nand_do(MEDIA_READ, (stream * 256 + i) * UNIT, UNIT);
    if (_i == 0) {
        /* Each: two units that made it a stream, the rest from the buffer; a page sensed by each
         * of the two, as the other stream's was sensed by the same die in between, and two more. */
        ck_assert_uint_eq(nand_stats().read_hits, 2 * 6);
        ck_assert_uint_eq(nand_stats().busy_ps, 2 * (2 + 2) * 40 * US);
    } else {
        ck_assert_uint_eq(nand_stats().ahead_units, 0);
    }
}
END_TEST

START_TEST(random_reads_are_no_stream)
{
    rig.params.read_ahead = 4 * PAGE;
    nand_rig_open();
    for (uint32_t i = 0; i < 256; i++) /* each page once, in no order, and each another time */
        ck_assert_uint_eq(nand_do(MEDIA_READ, i * 89 % 256 * PAGE, UNIT), 44 * US);
    ck_assert_uint_eq(nand_stats().ahead_units, 0);
    ck_assert_uint_eq(nand_stats().read_hits, 0);
    ck_assert_uint_eq(nand_stats().register_units, 0);
}
END_TEST

START_TEST(reading_ahead_ends_with_the_medium_and_skips_what_is_not_on_flash)
{
    uint64_t last = rig.capacity / UNIT;

    rig.params.read_ahead = 4 * PAGE;
    nand_rig_open();
    nand_do(MEDIA_TRIM, (last - 4) * UNIT, 2 * UNIT);
    nand_do(MEDIA_READ, (last - 8) * UNIT, UNIT);
    nand_do(MEDIA_READ, (last - 7) * UNIT, UNIT);
    ck_assert_uint_eq(nand_stats().ahead_units, 2 + 2);
    nand_do(MEDIA_READ, (last - 6) * UNIT, 6 * UNIT);
    ck_assert_uint_eq(nand_stats().ahead_units, 2 + 2);
}
END_TEST

START_TEST(parameters_that_cannot_work_are_refused)
{
    rig.params.read_buffer = PAGE - 1;
    ck_assert_ptr_nonnull(media_params_check(&rig.params, rig.capacity));
    rig.params.read_buffer = PAGE;
    rig.params.read_ahead = PAGE;
    ck_assert_ptr_null(media_params_check(&rig.params, rig.capacity));
    rig.params.read_ahead = PAGE + 1;
    ck_assert_ptr_nonnull(media_params_check(&rig.params, rig.capacity));
    rig.params.read_buffer = 0;
    ck_assert_ptr_null(media_params_check(&rig.params, rig.capacity));
    nand_rig_open(); /* for the teardown */
}
END_TEST

TCase *readahead_cases(void)
{
    TCase *cases = tcase_create("read-ahead");

    tcase_add_checked_fixture(cases, setup, nand_rig_teardown);
    tcase_add_test(cases, a_unit_read_again_is_a_hit);
    tcase_add_test(cases, without_a_buffer_everything_is_read_anew);
    tcase_add_test(cases, a_page_on_its_way_is_waited_for_and_not_read_twice);
    tcase_add_loop_test(cases, a_hit_takes_its_latency_or_what_is_left_of_the_way, 0, 2);
    tcase_add_loop_test(
        cases, the_rest_of_a_page_is_in_the_register_until_the_die_does_something_else, 0, 2);
    tcase_add_test(cases, a_page_being_sensed_is_sensed_once);
    tcase_add_test(cases, the_page_that_was_not_used_for_longest_goes_first);
    tcase_add_test(cases, room_is_not_taken_from_a_page_on_its_way);
    tcase_add_test(cases, what_is_written_comes_from_where_it_was_written);
    tcase_add_loop_test(cases, what_is_trimmed_or_zeroed_is_nowhere, 0, 2);
    tcase_add_test(cases, a_page_written_after_an_erase_is_another_one);
    tcase_add_test(cases, a_loss_of_power_empties_the_buffer);
    tcase_add_test(cases, the_second_request_of_a_stream_reads_ahead);
    tcase_add_test(cases, a_stream_begins_at_its_trigger);
    tcase_add_loop_test(cases, streams_are_told_apart_up_to_their_number, 0, 2);
    tcase_add_test(cases, random_reads_are_no_stream);
    tcase_add_test(cases, reading_ahead_ends_with_the_medium_and_skips_what_is_not_on_flash);
    tcase_add_test(cases, parameters_that_cannot_work_are_refused);
    return cases;
}
