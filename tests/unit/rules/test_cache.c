/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rule D9: caches, where the device does not look into them.
 */
#include <string.h>

#include "rig.h"
#include "rules/spec.h"
#include "suites.h"

static struct rig rig;

static void close_rig(void)
{
    rig_close(&rig);
}

#define BOUNCE RIG_DATA

/* Cached memory of the driver's. */
static void open_rig(void)
{
    rig_open(&rig);
    rig.setup.coherent = false;
    rig_start(&rig);
    rig_io(&rig);
    rig_emit(&rig, RECORD_DMA_ALLOC, RECORD_MEMORY_BOUNCE, BOUNCE, 8192, 1, NULL);
}

static void store(uint64_t bus, uint64_t bytes)
{
    rig_emit(&rig, RECORD_STORE, 0, bus, bytes, 0, NULL);
}

static void sync(unsigned for_cpu, uint64_t bus, uint64_t bytes)
{
    rig_emit(&rig, RECORD_SYNC, for_cpu, bus, bytes, 0, NULL);
}

static void go(uint8_t opcode)
{
    rig_build_io(&rig, opcode, 1, 0, 8, BOUNCE, 0);
    rig_hand_over(&rig, 1);
}

static void read_back(uint64_t bus)
{
    rig_emit(&rig, RECORD_COPY, 0, 512, bus, 0, NULL);
}

static void device_writes(void)
{
    rig_emit(&rig, RECORD_DMA, 1, BOUNCE, 4096, 1u << 16 | 1, NULL);
}

START_TEST(d9_data_that_lies_dirty_at_the_doorbell_is_a_breach)
{
    store(BOUNCE, 4096);
    go(NVM_OP_WRITE);
    rig_expect(&rig, RULE_D9, 1);
}
END_TEST

START_TEST(d9_synced_data_is_none_but_all_of_it_must_be)
{
    store(BOUNCE, 4096);
    sync(0, BOUNCE, 4096);
    go(NVM_OP_WRITE);
    rig_finish(&rig, 1);
    rig_expect_none(&rig);
    store(BOUNCE, 4096);
    sync(0, BOUNCE, 4095);
    go(NVM_OP_WRITE);
    rig_expect(&rig, RULE_D9, 1);
}
END_TEST

START_TEST(d9_a_dirty_line_would_fall_on_what_the_device_writes_too)
{
    store(BOUNCE + 4095, 1);
    go(NVM_OP_READ);
    rig_expect(&rig, RULE_D9, 1);
}
END_TEST

START_TEST(d9_a_sync_for_the_other_side_does_not_count)
{
    store(BOUNCE, 4096);
    sync(1, BOUNCE, 4096);
    go(NVM_OP_WRITE);
    rig_expect(&rig, RULE_D9, 1);
}
END_TEST

START_TEST(d9_reading_what_the_device_has_written_needs_a_sync)
{
    go(NVM_OP_READ);
    device_writes();
    read_back(BOUNCE + 4096); /* beside it */
    rig_expect_none(&rig);
    read_back(BOUNCE + 3584);
    rig_expect(&rig, RULE_D9, 1);
    sync(1, BOUNCE, 4096);
    read_back(BOUNCE);
    rig_expect(&rig, RULE_D9, 1);
}
END_TEST

START_TEST(d9_memory_that_is_not_cached_and_machines_that_are_coherent_need_none)
{
    rig_emit(&rig, RECORD_DMA_ALLOC, RECORD_MEMORY_BOUNCE, BOUNCE + 0x4000, 4096, 0, NULL);
    store(BOUNCE + 0x4000, 4096);
    rig_build_io(&rig, NVM_OP_WRITE, 1, 0, 8, BOUNCE + 0x4000, 0);
    rig_hand_over(&rig, 1);
    rig_expect_none(&rig);
    rig_close(&rig);
    rig_open(&rig);
    rig_start(&rig);
    rig_io(&rig);
    rig_emit(&rig, RECORD_DMA_ALLOC, RECORD_MEMORY_BOUNCE, BOUNCE, 8192, 0, NULL);
    store(BOUNCE, 4096);
    go(NVM_OP_WRITE);
    rig_expect_none(&rig);
}
END_TEST

Suite *suite_cache(void)
{
    Suite *suite = suite_create("cache");
    TCase *tests = tcase_create("cache");

    tcase_add_checked_fixture(tests, open_rig, close_rig);
    tcase_add_test(tests, d9_data_that_lies_dirty_at_the_doorbell_is_a_breach);
    tcase_add_test(tests, d9_synced_data_is_none_but_all_of_it_must_be);
    tcase_add_test(tests, d9_a_dirty_line_would_fall_on_what_the_device_writes_too);
    tcase_add_test(tests, d9_a_sync_for_the_other_side_does_not_count);
    tcase_add_test(tests, d9_reading_what_the_device_has_written_needs_a_sync);
    tcase_add_test(tests, d9_memory_that_is_not_cached_and_machines_that_are_coherent_need_none);
    suite_add_tcase(suite, tests);
    return suite;
}
