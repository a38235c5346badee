/* SPDX-License-Identifier: BSD-2-Clause
 * The write buffer of a drive with flash: acceptance, back-pressure, destaging, flushes, and what a
 * loss of power takes. The buffer has 16 slots and a program operation takes one; 64 KiB fill it.
 */
#include <stdlib.h>

#include "unit/media/nand_rig.h"
#include "unit/media/suites.h"

START_TEST(a_write_ends_in_the_buffer)
{
    rig.params.buffer_latency = 3 * US;
    rig.params.buffer_bandwidth = UINT64_C(4096000000); /* 1 us for 4 KiB */
    nand_rig_open();
    ck_assert_uint_eq(nand_do(MEDIA_WRITE, 0, UNIT), 4 * US);
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), 4 * US); /* and is read from it */
    ck_assert_uint_eq(nand_stats().buffer_hits, 1);
    ck_assert_uint_eq(nand_do(MEDIA_WRITE, UNIT, 4 * UNIT), 7 * US);
    nand_start(MEDIA_READ, 0, UNIT, 1); /* both share the memory */
    nand_start(MEDIA_WRITE, 8 * UNIT, UNIT, 2);
    nand_settle_down();
    ck_assert_uint_eq(rig.end_ps[2] - rig.end_ps[1], 1 * US);
}
END_TEST

/* Unit 0 is on its way to the flash from 0 to 204 us; until then it is read from the buffer. */
START_TEST(it_is_read_from_there_until_it_is_programmed)
{
    nand_rig_open();
    nand_start(MEDIA_WRITE, 0, UNIT, 0);
    engine_run_until(rig.engine, 204 * US - (_i == 0));
    nand_do(MEDIA_READ, 0, UNIT);
    ck_assert_uint_eq(nand_stats().buffer_hits, _i == 0 ? 1 : 0);
}
END_TEST

/* GIVEN 16 slots and four dies WHEN 20 units are written at once THEN the 17th to 20th wait for the
 * first four programs, which end at 204 us (first of its channel) and 208 us. */
START_TEST(a_full_buffer_makes_writes_wait)
{
    nand_rig_open();
    for (uint32_t i = 0; i < 20; i++) {
        uint64_t start_ps = nand_start(MEDIA_WRITE, i * UNIT, UNIT, i);

        ck_assert_uint_eq(start_ps, i < 16 ? 0 : i < 18 ? 204 * US : 208 * US);
    }
    nand_settle_down();
    ck_assert_uint_ge(rig.end_ps[16], 204 * US);
    ck_assert_uint_ge(rig.end_ps[19], 208 * US);
    nand_check();
}
END_TEST

START_TEST(a_write_larger_than_the_buffer_streams_through)
{
    nand_rig_open();
    /* 64 units, 48 of them wait: the last slot comes free when the 48th program ends, which is the
     * twelfth of its die. */
    uint64_t took_ps = nand_do(MEDIA_WRITE, 0, 64 * UNIT);
    ck_assert_uint_ge(took_ps, 12 * 200 * US);
    ck_assert_uint_le(took_ps, 12 * 200 * US + 10 * US);
    nand_check();
}
END_TEST

/* GIVEN 4 slots and programs of two WHEN a fifth unit waits for the first program, which ends at
 * 208 us, THEN neither a flush nor writing the unit once more gets it to the flash any sooner. */
START_TEST(what_waits_for_room_is_not_programmed_before)
{
    rig.params.nand_planes = 2;
    rig.params.buffer_size = 4 * UNIT;
    nand_rig_open();
    for (uint32_t i = 0; i < 5; i++)
        ck_assert_uint_eq(nand_start(MEDIA_WRITE, i * UNIT, UNIT, i), i < 4 ? 0 : 208 * US);
    if (_i == 1)
        ck_assert_uint_eq(nand_start(MEDIA_WRITE, 4 * UNIT, UNIT, 5), 208 * US);
    ck_assert_uint_eq(nand_do(MEDIA_FLUSH, 0, 0), (208 + 208) * US);
    nand_check();
}
END_TEST

START_TEST(writing_again_before_the_program_costs_nothing)
{
    rig.params.buffer_destage = 1; /* watermark: at 12 slots, down to 4 */
    rig.params.buffer_high = 750000;
    rig.params.buffer_low = 250000;
    nand_rig_open();
    for (uint32_t i = 0; i < 100; i++)
        nand_do(MEDIA_WRITE, i % 11 * UNIT, UNIT);
    ck_assert_uint_eq(nand_stats().host_units, 0);
    nand_do(MEDIA_WRITE, 11 * UNIT, UNIT); /* the twelfth */
    ck_assert_uint_eq(nand_stats().host_units, 8);
    nand_do(MEDIA_FLUSH, 0, 0);
    ck_assert_uint_eq(nand_stats().host_units, 12);
    nand_check();
}
END_TEST

START_TEST(a_flush_waits_for_the_buffer)
{
    rig.params.flush_latency = 10 * US;
    nand_rig_open();
    ck_assert_uint_eq(nand_do(MEDIA_FLUSH, 0, 0), 10 * US);
    nand_start(MEDIA_WRITE, 0, 8 * UNIT, 0); /* two programs on each die, data during the first */
    ck_assert_uint_eq(nand_do(MEDIA_FLUSH, 0, 0), (208 + 200 + 10) * US);
    ck_assert_uint_le(418 * US, media_flush_ps(rig.media));
    nand_check();
}
END_TEST

START_TEST(with_a_capacitor_a_flush_waits_for_nothing)
{
    rig.params.flush_latency = 10 * US;
    rig.params.capacitor = 1;
    nand_rig_open();
    nand_start(MEDIA_WRITE, 0, 8 * UNIT, 0);
    ck_assert_uint_eq(nand_do(MEDIA_FLUSH, 0, 0), 10 * US);
    ck_assert_uint_eq(media_flush_ps(rig.media), 10 * US);
}
END_TEST

START_TEST(a_flush_pads_what_is_no_whole_program)
{
    rig.params.nand_planes = 4;
    nand_rig_open();
    nand_do(MEDIA_WRITE, 0, UNIT);
    ck_assert_uint_eq(nand_stats().host_units, 0); /* waits for three more */
    nand_do(MEDIA_FLUSH, 0, 0);
    ck_assert_uint_eq(nand_stats().host_units, 1);
    ck_assert_uint_eq(nand_stats().padding_units, 3);
    nand_check();
}
END_TEST

/* GIVEN a unit on the flash WHEN a part of it is written THEN its program waits for the rest to be
 * read: 40 us and 4 us on the channel, then 4 us and 200 us. A unit written in parts needs none. */
START_TEST(a_part_of_a_unit_is_merged)
{
    rig.params.precondition = 1;
    rig.params.nand_planes = 2; /* it stays in the buffer until the flush */
    rig.params.ftl_over_provision = 1000000;
    nand_rig_open();
    nand_start(MEDIA_WRITE, 512, 512, 0);
    /* the other blocks of it are on the flash */
    ck_assert_uint_eq(nand_do(MEDIA_READ, 0, UNIT), 44 * US);
    uint64_t took_ps = nand_do(MEDIA_FLUSH, 0, 0);
    ck_assert_uint_ge(took_ps, (44 + 8 + 200) * US);
    ck_assert_uint_le(took_ps, (44 + 8 + 200 + 1) * US);
    for (uint64_t block = 0; block < 8; block++)
        nand_do(MEDIA_WRITE, 8 * UNIT + block * 512, 512);
    ck_assert_uint_eq(nand_do(MEDIA_FLUSH, 0, 0), 208 * US);
    nand_check();
}
END_TEST

/* ---- loss of power ---- */

static struct store *contents;

static void write_tag(uint64_t unit, uint64_t tag, uint32_t arg)
{
    store_put_tags(contents, unit * 8, &tag, 1);
    nand_start(MEDIA_WRITE, unit * UNIT, UNIT, arg);
}

static uint64_t read_tag(uint64_t unit)
{
    uint64_t tag;

    ck_assert(store_get_tags(contents, unit * 8, &tag, 1));
    return tag;
}

static void open_watched(void)
{
    nand_rig_open();
    contents = store_create(rig.capacity);
    media_track_loss(rig.media, contents);
}

/* Unit 0 is programmed from 4 to 204 us, and unit 4 after it on the same die until 404 us. */
START_TEST(a_loss_takes_exactly_what_is_not_programmed)
{
    open_watched();
    for (uint64_t unit = 0; unit < 5; unit++)
        write_tag(unit, 100 + unit, (uint32_t)unit);
    engine_run_until(rig.engine, 204 * US - (_i == 0));
    media_power_loss(rig.media);
    ck_assert_uint_eq(read_tag(0), _i == 0 ? 0 : 100);
    ck_assert_uint_eq(read_tag(4), 0);
    nand_check();
    ck_assert_uint_eq(nand_start(MEDIA_FLUSH, 0, 0, 9), engine_now(rig.engine));
    nand_settle_down();
    store_destroy(contents);
}
END_TEST

START_TEST(a_loss_takes_the_newer_and_leaves_the_older)
{
    open_watched();
    write_tag(0, 1, 0);
    nand_do(MEDIA_FLUSH, 0, 0);
    write_tag(0, 2, 0);
    engine_run_until(rig.engine, engine_now(rig.engine) + 10 * US);
    write_tag(0, 3, 0); /* while version 2 is being programmed: on die 1, until 408 us */
    ck_assert_uint_eq(read_tag(0), 3);
    engine_run_until(rig.engine, 408 * US);
    media_power_loss(rig.media);
    ck_assert_uint_eq(read_tag(0), 2);
    nand_check();
    store_destroy(contents);
}
END_TEST

START_TEST(what_was_flushed_or_has_a_capacitor_stays)
{
    rig.params.capacitor = _i == 0 ? 0 : 1;
    rig.params.nand_planes = 2;
    open_watched();
    for (uint64_t unit = 0; unit < 9; unit++)
        write_tag(unit, 100 + unit, (uint32_t)unit);
    if (_i == 0)
        nand_do(MEDIA_FLUSH, 0, 0);
    media_power_loss(rig.media);
    for (uint64_t unit = 0; unit < 9; unit++)
        ck_assert_uint_eq(read_tag(unit), 100 + unit);
    nand_check();
    store_destroy(contents);
}
END_TEST

/* Random writes, flushes and losses of power; after each loss, every unit is what it
 * was at the last flush or any later version of it. */
START_TEST(no_loss_takes_what_a_flush_covered)
{
    enum { UNITS = 64, ROUNDS = 4000 };
    static uint64_t flushed[UNITS], version;
    struct rng random;

    rig.params.nand_planes = 2;
    rng_init(&random, (uint64_t)_i, "loss");
    open_watched();
    for (uint32_t unit = 0; unit < UNITS; unit++)
        flushed[unit] = 0;
    version = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        switch (rng_below(&random, 40)) {
        case 0:
            nand_do(MEDIA_FLUSH, 0, 0);
            for (uint32_t unit = 0; unit < UNITS; unit++)
                flushed[unit] = read_tag(unit);
            break;
        case 1: {
            uint64_t before[UNITS];

            for (uint32_t unit = 0; unit < UNITS; unit++)
                before[unit] = read_tag(unit);
            media_power_loss(rig.media);
            for (uint32_t unit = 0; unit < UNITS; unit++) {
                uint64_t tag = read_tag(unit);

                ck_assert_uint_ge(tag, flushed[unit]);
                ck_assert_uint_le(tag, before[unit]);
                flushed[unit] = tag; /* nothing is under way any more */
            }
            nand_check();
            break;
        }
        default:
            write_tag(rng_below(&random, UNITS), ++version, 0);
            engine_run_until(rig.engine, engine_now(rig.engine) + rng_below(&random, 60 * US));
            break;
        }
    }
    store_destroy(contents);
}
END_TEST

TCase *buffer_cases(void)
{
    TCase *buffer = tcase_create("buffer");

    tcase_add_checked_fixture(buffer, nand_rig_setup, nand_rig_teardown);
    tcase_add_test(buffer, a_write_ends_in_the_buffer);
    tcase_add_loop_test(buffer, it_is_read_from_there_until_it_is_programmed, 0, 2);
    tcase_add_test(buffer, a_full_buffer_makes_writes_wait);
    tcase_add_loop_test(buffer, what_waits_for_room_is_not_programmed_before, 0, 2);
    tcase_add_test(buffer, a_write_larger_than_the_buffer_streams_through);
    tcase_add_test(buffer, writing_again_before_the_program_costs_nothing);
    tcase_add_test(buffer, a_flush_waits_for_the_buffer);
    tcase_add_test(buffer, with_a_capacitor_a_flush_waits_for_nothing);
    tcase_add_test(buffer, a_flush_pads_what_is_no_whole_program);
    tcase_add_test(buffer, a_part_of_a_unit_is_merged);
    tcase_add_loop_test(buffer, a_loss_takes_exactly_what_is_not_programmed, 0, 2);
    tcase_add_test(buffer, a_loss_takes_the_newer_and_leaves_the_older);
    tcase_add_loop_test(buffer, what_was_flushed_or_has_a_capacitor_stays, 0, 2);
    tcase_add_loop_test(buffer, no_loss_takes_what_a_flush_covered, 0, 4);
    return buffer;
}
