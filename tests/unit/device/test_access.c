/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Accesses: sizes, timed and functional, what a reset does to them, statistics.
 */
#include "unit/device/suites.h"

#include "raw/host.h"

static struct doorbell_world *world;
static struct raw_host host;

static const char *const quick[] = {"ctrl.namespace_size=1MiB", "ctrl.max_io_queues=2",
                                    "ctrl.msix_vectors=4", "ctrl.ready_delay=5us",
                                    "link.propagation=150ns"};

static void setup(void)
{
    world = doorbell_world_create(1);
    raw_open(&host, world, 0, quick, 5);
    raw_config_set(&host, 4, 2, 6);
}

static void teardown(void)
{
    raw_close(&host);
    doorbell_world_destroy(world);
}

static uint64_t peek(uint64_t offset, unsigned size)
{
    uint64_t value;

    ck_assert_int_eq(doorbell_bar_peek(host.device, 0, offset, size, &value), DOORBELL_OK);
    return value;
}

START_TEST(configuration_space_is_read_in_1_2_and_4_bytes)
{
    ck_assert_uint_eq(raw_config(&host, 0, 4), 0x00101b36); /* device, vendor */
    ck_assert_uint_eq(raw_config(&host, 2, 2), 0x0010);
    ck_assert_uint_eq(raw_config(&host, 1, 1), 0x1b);
    ck_assert_uint_eq(raw_config(&host, 9, 1), 0x02); /* programming interface: NVMe (2.1.5) */
    raw_config_set(&host, 0x3c, 1, 0x5a);
    ck_assert_uint_eq(raw_config(&host, 0x3c, 2), 0x015a); /* line, and pin A (PCI 3.0, 6.2.4) */
    raw_config(&host, 4092, 4);
}
END_TEST

START_TEST(accesses_that_cannot_be_are_refused)
{
    uint32_t word;
    uint64_t value;

    ck_assert_int_eq(doorbell_config_read(host.device, 0, 8, &word), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_config_read(host.device, 0, 3, &word), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_config_read(host.device, 0, 0, &word), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_config_read(host.device, 2, 4, &word), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_config_read(host.device, 4096, 4, &word), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_config_read(host.device, 0, 4, NULL), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_config_write(host.device, 4, 2, 0x10000), DOORBELL_E_INVAL);
    ck_assert_str_eq(doorbell_error_text(world), "value 10000h does not fit 2 bytes");
    ck_assert_int_eq(doorbell_bar_write(host.device, 6, 0, 4, 0), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_write(host.device, 0, 0x12, 4, 0), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_write(host.device, 0, 0x10, 16, 0), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_poke(host.device, 0, 0x14, 4, UINT64_C(1) << 32),
                     DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_read(host.device, 0, 4, 8, &value), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_read(host.device, 0, 0, 8, NULL), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_peek(host.device, 0, 0, 8, NULL), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_read_request(host.device, NULL), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_read_reply(host.device, 4, NULL), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_bar_read_reply(host.device, 5, &value), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_device_stats(host.device, NULL), DOORBELL_E_INVAL);
    ck_assert_uint_eq(doorbell_next_event(world), DOORBELL_NEVER); /* nothing was sent */
}
END_TEST

START_TEST(registers_are_read_in_4_and_8_bytes_and_nothing_reads_as_ones)
{
    ck_assert_uint_eq(peek(0, 8), peek(4, 4) << 32 | peek(0, 4));
    ck_assert_uint_eq(peek(0, 1), 0xff);
    ck_assert_uint_eq(peek(0, 2), 0xffff);
    ck_assert_uint_eq(peek(UINT64_C(1) << 40, 8), UINT64_MAX);
    raw_config_set(&host, 4, 2, 0); /* memory space off */
    ck_assert_uint_eq(peek(8, 4), 0xffffffff);
}
END_TEST

START_TEST(a_timed_write_takes_effect_when_it_arrives)
{
    uint64_t arrives_ps;

    raw_write(&host, 0x24, 4, 0x00070007);
    arrives_ps = doorbell_next_event(world);
    ck_assert_uint_gt(arrives_ps, 150 * RAW_NS);
    ck_assert_int_eq(doorbell_run_until(world, arrives_ps - 1), DOORBELL_OK);
    ck_assert_uint_eq(peek(0x24, 4), 0);
    ck_assert_int_eq(doorbell_run_until(world, arrives_ps), DOORBELL_OK);
    ck_assert_uint_eq(peek(0x24, 4), 0x00070007);
}
END_TEST

START_TEST(a_functional_write_overtakes_one_that_travels)
{
    raw_write(&host, 0x24, 4, 0x00070007);
    ck_assert_int_eq(doorbell_bar_poke(host.device, 0, 0x24, 4, 0x00010001), DOORBELL_OK);
    ck_assert_uint_eq(peek(0x24, 4), 0x00010001);
    raw_for(&host, RAW_US);
    ck_assert_uint_eq(peek(0x24, 4), 0x00070007);
}
END_TEST

START_TEST(a_timed_read_takes_a_round_trip_and_sees_the_writes_before_it)
{
    uint64_t value, arrives_ps, done_ps, start_ps;

    raw_write(&host, 0x24, 4, 0x00070007);
    ck_assert_int_eq(doorbell_bar_read(host.device, 0, 0x24, 4, &value), DOORBELL_OK);
    ck_assert_uint_eq(value, 0x00070007);
    ck_assert_uint_gt(doorbell_now(world), 300 * RAW_NS);

    /* its parts give the same time, once the link is idle */
    raw_for(&host, RAW_US);
    start_ps = doorbell_now(world);
    ck_assert_int_eq(doorbell_bar_read_request(host.device, &arrives_ps), DOORBELL_OK);
    ck_assert_uint_eq(doorbell_now(world), start_ps);
    ck_assert_int_eq(doorbell_run_until(world, arrives_ps), DOORBELL_OK);
    ck_assert_uint_eq(peek(0x24, 4), 0x00070007);
    ck_assert_int_eq(doorbell_bar_read_reply(host.device, 4, &done_ps), DOORBELL_OK);
    ck_assert_int_eq(doorbell_run_until(world, done_ps + RAW_US), DOORBELL_OK);
    uint64_t took_ps = done_ps - start_ps;

    start_ps = doorbell_now(world);
    ck_assert_int_eq(doorbell_bar_read(host.device, 0, 0x24, 4, &value), DOORBELL_OK);
    ck_assert_uint_eq(doorbell_now(world) - start_ps, took_ps);
}
END_TEST

START_TEST(a_conventional_reset_loses_writes_on_the_link_and_keeps_the_medium)
{
    raw_enable(&host);
    raw_create_queue(&host, 1, 0);
    raw_verify(&host, 1, 3, 8, 99);
    raw_write(&host, 0x0c, 4, 0x1); /* INTMS */
    ck_assert_int_eq(doorbell_device_reset(host.device), DOORBELL_OK);
    ck_assert_uint_eq(raw_config(&host, 4, 2), 0);
    raw_config_set(&host, 4, 2, 6);
    raw_for(&host, RAW_MS);
    ck_assert_uint_eq(peek(0x0c, 4), 0); /* it never came */
    ck_assert_uint_eq(peek(0x14, 4), 0);
    ck_assert_uint_eq(peek(0x24, 4), 0);
    raw_enable(&host);
    raw_create_queue(&host, 1, 0);
    struct raw_cmd cmd = raw_io(0x02, 3, 8, RAW_DATA + 0x4000);

    raw_do(&host, 1, &cmd, 0);
    ck_assert_mem_eq(host.memory + RAW_DATA + 0x4000, host.memory + RAW_DATA, 8 * 512);
}
END_TEST

START_TEST(writes_after_a_reset_arrive_although_lost_ones_came_before)
{
    raw_write(&host, 0x24, 4, 0x00030003);
    ck_assert_int_eq(doorbell_device_reset(host.device), DOORBELL_OK);
    raw_config_set(&host, 4, 2, 6);
    raw_write(&host, 0x28, 8, 0x5000);
    raw_for(&host, RAW_US);
    ck_assert_uint_eq(peek(0x24, 4), 0);
    ck_assert_uint_eq(peek(0x28, 8), 0x5000);
}
END_TEST

START_TEST(statistics_count_what_was_done)
{
    struct doorbell_stats stats;

    raw_enable(&host);
    raw_create_queue(&host, 1, 0);
    raw_verify(&host, 1, 3, 8, 99);
    ck_assert_int_eq(doorbell_device_stats(host.device, &stats), DOORBELL_OK);
    ck_assert_uint_eq(stats.admin_commands, 2);
    ck_assert_uint_eq(stats.commands, 2);
    ck_assert_uint_eq(stats.reads, 1);
    ck_assert_uint_eq(stats.writes, 1);
    ck_assert_uint_eq(stats.bytes_read, 8 * 512);
    ck_assert_uint_eq(stats.bytes_written, 8 * 512);
    ck_assert_uint_eq(stats.completions, 4);
    ck_assert_uint_eq(stats.errors, 0);
    ck_assert_uint_eq(stats.sq_doorbells, 4);
    ck_assert_uint_eq(stats.link_up_bytes >= 8 * 512 + 4 * 16, 1);
    ck_assert_uint_gt(stats.media_busy_ps, 0);
}
END_TEST

Suite *suite_access(void)
{
    Suite *suite = suite_create("accesses");
    TCase *tc = tcase_create("accesses");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, configuration_space_is_read_in_1_2_and_4_bytes);
    tcase_add_test(tc, accesses_that_cannot_be_are_refused);
    tcase_add_test(tc, registers_are_read_in_4_and_8_bytes_and_nothing_reads_as_ones);
    tcase_add_test(tc, a_timed_write_takes_effect_when_it_arrives);
    tcase_add_test(tc, a_functional_write_overtakes_one_that_travels);
    tcase_add_test(tc, a_timed_read_takes_a_round_trip_and_sees_the_writes_before_it);
    tcase_add_test(tc, a_conventional_reset_loses_writes_on_the_link_and_keeps_the_medium);
    tcase_add_test(tc, writes_after_a_reset_arrive_although_lost_ones_came_before);
    tcase_add_test(tc, statistics_count_what_was_done);
    suite_add_tcase(suite, tc);
    return suite;
}
