/* SPDX-License-Identifier: BSD-2-Clause
 * Flash: the exact time of each operation and of what stands in its way. Each end is probed one
 * picosecond before and at its time. Units of the drive that is filled in order: unit u is on die u
 * % 4, dies 0 and 2 on channel 0, 1 and 3 on channel 1. */
#include <stdlib.h>
#include <string.h>

#include "unit/media/nand_rig.h"
#include "unit/media/suites.h"

static void expect_end(uint32_t arg, uint64_t at_ps)
{
    engine_run_until(rig.engine, at_ps - 1);
    ck_assert_uint_eq(rig.end_ps[arg], 0);
    engine_run_until(rig.engine, at_ps);
    ck_assert_uint_eq(rig.end_ps[arg], at_ps);
}

static void open_filled(void)
{
    rig.params.precondition = 1;
    nand_rig_open();
}

START_TEST(a_read_senses_and_then_passes_the_channel)
{
    rig.params.nand_command = 300000;
    open_filled();
    ck_assert_uint_eq(nand_start(MEDIA_READ, 0, UNIT, 1), 0);
    expect_end(1, 44 * US + 300000);
    ck_assert_uint_eq(media_die_busy_ps(rig.media, 0), 40 * US);
}
END_TEST

START_TEST(reads_of_one_die_overlap_with_the_channel_only_if_cached)
{
    rig.params.nand_cached = (uint64_t)_i;
    open_filled();
    nand_start(MEDIA_READ, 0, UNIT, 1);
    ck_assert_uint_eq(nand_start(MEDIA_VERIFY, 4 * UNIT, UNIT, 2), _i == 0 ? 44 * US : 40 * US);
    expect_end(1, 44 * US);
    expect_end(2, _i == 0 ? 88 * US : 84 * US);
}
END_TEST

START_TEST(dies_sense_together_and_share_their_channel)
{
    open_filled();
    nand_start(MEDIA_READ, 0, UNIT, 1);        /* die 0, channel 0 */
    nand_start(MEDIA_READ, 2 * UNIT, UNIT, 2); /* die 2, channel 0 */
    nand_start(MEDIA_READ, 1 * UNIT, UNIT, 3); /* die 1, channel 1 */
    expect_end(3, 44 * US);
    ck_assert_uint_eq(rig.end_ps[1], 44 * US);
    expect_end(2, 48 * US);
}
END_TEST

START_TEST(a_large_read_is_striped)
{
    open_filled();
    nand_start(MEDIA_READ, 0, 8 * UNIT, 1); /* two senses on each die, four transfers a channel */
    expect_end(1, 88 * US);
    ck_assert_uint_eq(nand_stats().busy_ps, 8 * 40 * US);
}
END_TEST

START_TEST(units_of_one_page_are_sensed_once)
{
    rig.params.nand_page_size = 4 * UNIT;
    rig.params.buffer_size = 64 * UNIT;
    open_filled();
    nand_start(MEDIA_READ, 0, 3 * UNIT, 1);
    expect_end(1, (40 + 3 * 4) * US);
    nand_start(MEDIA_READ, 3 * UNIT, 512, 2); /* a part of a unit is a unit */
    expect_end(2, (52 + 44) * US);
}
END_TEST

/* Cell bits of the pages of a block, by turns; where one operation programs all bits of a cell,
 * they follow each other in it. */
START_TEST(pages_of_each_bit_have_their_time)
{
    static const uint64_t us[] = {40, 50, 60, 70};
    uint32_t bits = (uint32_t)_i % 4 + 1;
    bool one_shot = _i >= 4;

    rig.params.nand_cell = bits - 1;
    rig.params.nand_pages = 12;
    rig.params.nand_one_shot = one_shot;
    rig.params.nand_read_second = 50 * US;
    rig.params.nand_read_third = 60 * US;
    rig.params.nand_read_fourth = 70 * US;
    open_filled();
    for (uint64_t unit = 0; unit < 48; unit++) {
        uint64_t bit = one_shot ? unit % bits : unit / 4 % bits;

        ck_assert_uint_eq(nand_do(MEDIA_READ, unit * UNIT, UNIT), (us[bit] + 4) * US);
    }
}
END_TEST

START_TEST(programs_of_each_bit_have_their_time)
{
    static const uint64_t us[] = {200, 300, 400, 500};
    bool one_shot = _i != 0;

    rig.params.nand_cell = 3;
    rig.params.nand_one_shot = one_shot;
    rig.params.nand_program = 900 * US;
    rig.params.nand_program_second = 300 * US;
    rig.params.nand_program_third = 400 * US;
    rig.params.nand_program_fourth = 500 * US;
    rig.params.nand_command = 1 * US;
    nand_rig_open();
    for (uint64_t row = 0; row < 4; row++) {
        for (uint64_t die = 0; die < 4; die++) { /* one page, or four, on each die; then drained */
            uint64_t bytes = one_shot ? 4 * UNIT : UNIT, begin_ps = engine_now(rig.engine);

            nand_do(MEDIA_WRITE, (row * 4 + die) * bytes, bytes);
            nand_do(MEDIA_FLUSH, 0, 0);
            ck_assert_uint_eq(engine_now(rig.engine) - begin_ps,
                              one_shot ? (4 * 5 + 900) * US : (5 + us[row]) * US);
        }
    }
    nand_check();
}
END_TEST

START_TEST(planes_are_programmed_together)
{
    rig.params.nand_planes = 2;
    nand_rig_open();
    nand_start(MEDIA_WRITE, 0, 2 * UNIT, 0);
    nand_start(MEDIA_FLUSH, 0, 0, 1);
    expect_end(1, 208 * US);
}
END_TEST

/* A read overtakes what waits, waits for what has begun, and is not held off by it again and again:
 * after nand_defer it is the other way round. */
START_TEST(reads_overtake_programs_that_wait)
{
    open_filled();
    nand_do(MEDIA_FLUSH, 0, 0);
    for (uint32_t i = 0; i < 12; i++) /* three on each die: 4..204, 204..404, 404..604 us */
        nand_start(MEDIA_WRITE, i * UNIT, UNIT, 100 + i);
    engine_run_until(rig.engine, 10 * US);
    ck_assert_uint_eq(nand_start(MEDIA_READ, 400 * UNIT, UNIT, 1), 204 * US);
    expect_end(1, 248 * US);
}
END_TEST

START_TEST(a_program_that_waits_too_long_goes_first)
{
    rig.params.nand_defer = 30 * US;
    open_filled();
    for (uint32_t i = 0; i < 8; i++) /* two on each die, the second promised to begin at 204 us */
        nand_start(MEDIA_WRITE, i * UNIT, UNIT, 100 + i);
    engine_run_until(rig.engine, 200 * US);
    ck_assert_uint_eq(nand_start(MEDIA_READ, 400 * UNIT, UNIT, 1), 204 * US); /* overtakes */
    engine_run_until(rig.engine, 234 * US - (_i == 0));
    /* the second begins at 244 us, or its time of 30 us is over and this read waits for it */
    ck_assert_uint_eq(nand_start(MEDIA_READ, 404 * UNIT, UNIT, 2), _i == 0 ? 244 * US : 444 * US);
}
END_TEST

START_TEST(a_read_suspends_a_program)
{
    rig.params.nand_suspend = 1;
    rig.params.nand_suspend_latency = 10 * US;
    open_filled();
    nand_start(MEDIA_WRITE, 0, UNIT, 0); /* 4 .. 204 us on die 0 */
    engine_run_until(rig.engine, 50 * US);
    ck_assert_uint_eq(nand_start(MEDIA_READ, 400 * UNIT, UNIT, 1), 60 * US);
    expect_end(1, 104 * US);
    /* the program goes on at 100 us and ends at 254 us: nothing is suspended at its end */
    engine_run_until(rig.engine, 254 * US - (_i == 0));
    ck_assert_uint_eq(nand_start(MEDIA_READ, 404 * UNIT, UNIT, 2),
                      _i == 0 ? 264 * US - 1 : 254 * US);
}
END_TEST

START_TEST(suspending_has_its_limit)
{
    rig.params.nand_suspend = 1;
    rig.params.nand_suspend_latency = 10 * US;
    rig.params.nand_defer = 54 * US - (_i == 0);
    open_filled();
    nand_start(MEDIA_WRITE, 0, UNIT, 0);
    engine_run_until(rig.engine, 50 * US);
    ck_assert_uint_eq(nand_start(MEDIA_READ, 400 * UNIT, UNIT, 1), _i == 0 ? 204 * US : 60 * US);
}
END_TEST

START_TEST(reads_can_be_drawn_from_a_table)
{
    memcpy(rig.params.read_latency_table, "0:50us 100:70us", 16);
    open_filled();
    for (unsigned i = 0; i < 100; i++) {
        uint64_t took_ps = nand_do(MEDIA_READ, 0, UNIT);

        ck_assert_uint_ge(took_ps, 54 * US);
        ck_assert_uint_lt(took_ps, 74 * US);
    }
}
END_TEST

/* What was never written, and what was trimmed, comes from no flash. */
START_TEST(nothing_is_read_where_nothing_is)
{
    rig.params.buffer_latency = 3 * US;
    rig.params.buffer_bandwidth = UINT64_C(4096000000); /* 1 us for 4 KiB */
    rig.params.ftl_trim_latency = 7 * US;
    open_filled();
    ck_assert_uint_eq(nand_do(MEDIA_TRIM, 0, 2 * UNIT), 7 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, 2 * UNIT), 5 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, 3 * UNIT), 44 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, 0), 3 * US);
    ck_assert_uint_eq(nand_do(MEDIA_TRIM, 4 * UNIT + 512, 2 * UNIT), 7 * US); /* one whole unit */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 4 * UNIT, UNIT), 44 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 5 * UNIT, UNIT), 4 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 6 * UNIT, UNIT), 44 * US);
    ck_assert_uint_eq(nand_stats().trimmed_units, 3);
    nand_check();
}
END_TEST

/* A drive that keeps one segment of its map reads the others from the flash, or from the host. */
START_TEST(the_map_can_be_elsewhere)
{
    rig.capacity = 16 << 20; /* four segments */
    rig.params.ftl_map_cache = UNIT;
    rig.params.ftl_hmb_latency = 5 * US;
    open_filled();
    ck_assert_uint_eq(media_host_buffer_bytes(rig.media), 4 * UNIT);
    /* segment 0 from die 0, then unit 1 from die 1 */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1 * UNIT, UNIT), 88 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1 * UNIT, UNIT), 44 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1025 * UNIT, UNIT), 88 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1 * UNIT, UNIT), 88 * US); /* it was thrown out */
    media_set_host_buffer(rig.media, 4 * UNIT);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1025 * UNIT, UNIT), 88 * US); /* now the host has it */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1 * UNIT, UNIT), 88 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1025 * UNIT, UNIT), 49 * US);
    ck_assert_uint_eq(nand_stats().map_misses, 6);
    ck_assert_uint_eq(nand_stats().host_map_hits, 1);
    media_set_host_buffer(rig.media, 0);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 1 * UNIT, UNIT), 88 * US);
}
END_TEST

/* ---- the flash alone ---- */

static void begin_flash(struct flash *flash)
{
    nand_rig_open(); /* for the teardown */
    flash_init(flash, &rig.params, 1);
}

START_TEST(an_erase_keeps_its_die)
{
    struct flash flash;
    uint64_t start_ps;

    begin_flash(&flash);
    ck_assert_uint_eq(flash_erase(&flash, 0, 0), 1000 * US);
    ck_assert_uint_eq(flash_erase(&flash, 0, 0), 2000 * US);
    ck_assert_uint_eq(flash_erase(&flash, 1, 7), 1000 * US + 7); /* another die; not before 7 */
    flash.now_ps = 1000 * US - (_i == 0);
    /* at its end the next one has begun, and a read waits for that */
    ck_assert_uint_eq(flash_read(&flash, 0, 0, 1, flash.now_ps, &start_ps),
                      (_i == 0 ? 1044 : 2044) * US);
    ck_assert_uint_eq(start_ps, (_i == 0 ? 1000 : 2000) * US);
    flash_free(&flash);
}
END_TEST

/* Reads for copies go before programs that wait, and wait for each other; what is promised after
 * them is later by as much, what was promised before them is not. */
START_TEST(a_copy_goes_before_programs_that_wait)
{
    struct flash flash;

    begin_flash(&flash);
    ck_assert_uint_eq(flash_program(&flash, 0, 0, 0), 204 * US);
    ck_assert_uint_eq(flash_program(&flash, 0, 1, 0), 404 * US);
    flash.now_ps = 10 * US;
    ck_assert_uint_eq(flash_copy_read(&flash, 0, 0, 1, 10 * US), 248 * US);
    ck_assert_uint_eq(flash_copy_read(&flash, 0, 0, 1, 10 * US), 288 * US);
    ck_assert_uint_eq(flash_program(&flash, 0, 2, 10 * US), 684 * US);
    flash_free(&flash);
}
END_TEST

/* GIVEN programs that keep a die busy and reads that come all the time WHEN the reads take more
 * than the die has THEN programs are held off, but none ends later than nand_defer and one program
 * and one read after its promise. */
START_TEST(reads_do_not_starve_programs)
{
    struct flash flash;
    uint64_t promised_ps = 0, start_ps;

    rig.params.nand_defer = 1000 * US;
    begin_flash(&flash);
    for (uint32_t i = 0; i < 50; i++)
        promised_ps = flash_program(&flash, 0, i, 0);
    while (flash.dies[0].programs.count > 0) {
        flash.now_ps += 30 * US;
        flash_read(&flash, 0, 0, 1, flash.now_ps, &start_ps);
    }
    ck_assert_uint_ge(flash.dies[0].working_ps, promised_ps);
    ck_assert_uint_le(flash.now_ps, promised_ps + (1000 + 200 + 40) * US);
    flash_free(&flash);
}
END_TEST

TCase *flash_cases(void)
{
    TCase *flash = tcase_create("flash");

    tcase_add_checked_fixture(flash, nand_rig_setup, nand_rig_teardown);
    tcase_add_test(flash, a_read_senses_and_then_passes_the_channel);
    tcase_add_loop_test(flash, reads_of_one_die_overlap_with_the_channel_only_if_cached, 0, 2);
    tcase_add_test(flash, dies_sense_together_and_share_their_channel);
    tcase_add_test(flash, a_large_read_is_striped);
    tcase_add_test(flash, units_of_one_page_are_sensed_once);
    tcase_add_loop_test(flash, pages_of_each_bit_have_their_time, 0, 8);
    tcase_add_loop_test(flash, programs_of_each_bit_have_their_time, 0, 2);
    tcase_add_test(flash, planes_are_programmed_together);
    tcase_add_test(flash, reads_overtake_programs_that_wait);
    tcase_add_loop_test(flash, a_program_that_waits_too_long_goes_first, 0, 2);
    tcase_add_loop_test(flash, a_read_suspends_a_program, 0, 2);
    tcase_add_loop_test(flash, suspending_has_its_limit, 0, 2);
    tcase_add_loop_test(flash, an_erase_keeps_its_die, 0, 2);
    tcase_add_test(flash, a_copy_goes_before_programs_that_wait);
    tcase_add_test(flash, reads_do_not_starve_programs);
    tcase_add_test(flash, reads_can_be_drawn_from_a_table);
    tcase_add_test(flash, nothing_is_read_where_nothing_is);
    tcase_add_test(flash, the_map_can_be_elsewhere);
    return flash;
}
