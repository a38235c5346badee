/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The platform's registers, rings and time: what each operation costs the CPU, when an access is at
 * the device, and emulation on one thread, where devices get the thread only when the guest leaves
 * translated code. Memory and mapping are in test_mapping.c.
 */
#include <string.h>

#include "unit/host/rig.h"
#include "unit/host/suites.h"

static void remake(const struct rig_options *options)
{
    rig_teardown();
    rig_make(options);
}

static void ck_write(unsigned index, uint64_t time_ps, uint64_t offset, unsigned size,
                     uint64_t value)
{
    ck_assert_uint_lt(index, rig.device.count);
    ck_assert_uint_eq(rig.device.writes[index].bar, 0);
    ck_assert_uint_eq(rig.device.writes[index].time_ps, time_ps);
    ck_assert_uint_eq(rig.device.writes[index].offset, offset);
    ck_assert_uint_eq(rig.device.writes[index].size, size);
    ck_assert_uint_eq(rig.device.writes[index].value, value);
}

/* ---- registers ---- */

START_TEST(a_write_to_an_emulated_device_is_there_at_once)
{
    host_spend_ps(rig.host, CPU_WORKLOAD, 500);
    ck_takes(101 * NS, rig.ops->write32(rig.ctx, 0x1000, 7));
    ck_write(0, 500, 0x1000, 4, 7);
    ck_takes(101 * NS, rig.ops->write64(rig.ctx, 0x28, UINT64_C(0x123456789abcdef0)));
    ck_write(1, 500 + 101 * NS, 0x28, 8, UINT64_C(0x123456789abcdef0));
    ck_assert_uint_eq(host_get_stats(rig.host)->register_writes, 2);
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_REGISTER], 202 * NS);
}
END_TEST

START_TEST(a_read_of_an_emulated_device_costs_the_cpu_only)
{
    rig.device.read_value = UINT64_C(0xfedcba9876543210);
    uint64_t value = 0;
    ck_takes(53 * NS, value = rig.ops->read64(rig.ctx, 0));
    ck_assert_uint_eq(value, UINT64_C(0xfedcba9876543210));
    ck_assert_uint_eq(rig.device.read_size, 8);
    ck_assert_uint_eq(rig.device.read_time_ps, 53 * NS);
    ck_takes(53 * NS, value = rig.ops->read32(rig.ctx, 0x1c));
    ck_assert_uint_eq(value, 0x76543210);
    ck_assert_uint_eq(rig.device.read_size, 4);
    ck_assert_uint_eq(rig.device.read_offset, 0x1c);
    ck_assert_uint_eq(host_get_stats(rig.host)->register_reads, 2);
}
END_TEST

START_TEST(a_write_on_a_bus_is_posted)
{
    struct rig_options options = rig_options();
    rig_use_pcie(&options);
    remake(&options);
    /* the CPU goes on after its own cost; the device has it a way later, to the picosecond */
    uint64_t arrives = (4 + RIG_HEADER) * RIG_BYTE_PS + RIG_WAY_PS;
    ck_takes(101 * NS, rig.ops->write32(rig.ctx, 0x1000, 7));
    host_spend_ps(rig.host, CPU_WORKLOAD, arrives - 101 * NS - 1);
    ck_assert_uint_eq(rig.device.count, 0);
    host_spend_ps(rig.host, CPU_WORKLOAD, 1);
    ck_write(0, arrives, 0x1000, 4, 7);
}
END_TEST

START_TEST(a_read_on_a_bus_waits_for_the_round_trip)
{
    struct rig_options options = rig_options();
    rig_use_pcie(&options);
    remake(&options);
    rig.device.read_value = 1;
    uint64_t there = RIG_HEADER * RIG_BYTE_PS + RIG_WAY_PS;
    uint64_t back = (4 + RIG_REPLY_HEADER) * RIG_BYTE_PS + RIG_WAY_PS;
    uint32_t value = 0;
    ck_takes(53 * NS + there + back, value = rig.ops->read32(rig.ctx, 0x1c));
    ck_assert_uint_eq(value, 1);
    ck_assert_uint_eq(rig.device.read_time_ps, 53 * NS + there);
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_REGISTER], 53 * NS + there + back);
}
END_TEST

START_TEST(a_read_finds_all_writes_before_it_done)
{
    struct rig_options options = rig_options();
    rig_use_pcie(&options);
    options.host.register_write = (struct param_cost){0, false};
    options.host.register_read = (struct param_cost){0, false};
    remake(&options);
    for (unsigned i = 0; i < 100; i++)
        rig.ops->write32(rig.ctx, 0x1000, i);
    rig.ops->read32(rig.ctx, 0x1c);
    ck_assert_uint_eq(rig.device.writes_at_read, 100);
    ck_assert_uint_eq(rig.device.read_time_ps,
                      (100 * (4 + RIG_HEADER) + RIG_HEADER) * RIG_BYTE_PS + RIG_WAY_PS);
}
END_TEST

START_TEST(costs_in_cycles_are_of_the_cpu_clock)
{
    struct rig_options options = rig_options();
    options.host.cpu_clock = 3000000000;
    options.host.register_write = (struct param_cost){1, true};
    options.host.entry_build = (struct param_cost){7, true};
    options.host.publish = (struct param_cost){0, true};
    remake(&options);
    struct nvme_ring ring = {.depth = 64, .qid = 1, .entry_log2 = 6};
    for (unsigned i = 0; i < 3; i++)
        rig.ops->write32(rig.ctx, 0x1000, i);
    ck_assert_uint_eq(host_now(rig.host), 1000); /* three thirds */
    ck_takes(7000, rig.ops->publish(rig.ctx, &ring, 0, 3));
}
END_TEST

/* ---- rings ---- */

START_TEST(publishing_costs_the_entries_and_a_fence)
{
    struct nvme_ring ring = {.depth = 64, .qid = 1, .entry_log2 = 6};
    ck_takes((31 + 11) * NS, rig.ops->publish(rig.ctx, &ring, 0, 1));
    ck_takes((63 * 31 + 11) * NS, rig.ops->publish(rig.ctx, &ring, 10, 63));
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_BUILD], (64 * 31 + 22) * NS);
    ck_takes(11 * NS, rig.ops->mb(rig.ctx));
}
END_TEST

#define DEPTH 4u

static uint8_t entries[DEPTH * 16];

static void entry_write(unsigned slot, uint16_t cid, bool phase)
{
    uint8_t *dw3 = entries + slot * 16 + 12;
    dw3[0] = (uint8_t)cid;
    dw3[1] = (uint8_t)(cid >> 8);
    dw3[2] = phase;
    dw3[3] = 0;
}

static unsigned records[RECORD_KINDS];

static void count_record(void *ctx, const struct stream_record *record)
{
    (void)ctx;
    records[record->kind]++;
}

START_TEST(only_a_new_entry_costs_its_handling)
{
    struct nvme_ring ring = {
        .entries = entries, .depth = DEPTH, .qid = 3, .entry_log2 = 4, .is_cq = true};
    struct stream_reader reader = {count_record, NULL, UINT64_MAX, NULL};
    memset(records, 0, sizeof records);
    memset(entries, 0, sizeof entries);
    stream_add(engine_stream(rig.engine), &reader);
    /* given an empty queue, looks at it cost a look each, over two laps with their phases */
    for (unsigned lap = 0; lap < 4; lap++)
        for (uint16_t slot = 0; slot < DEPTH; slot++) {
            uint32_t word = 0;
            for (unsigned i = 0; i < 3; i++)
                ck_takes(7 * NS, rig.ops->cq_load(rig.ctx, &ring, slot));
            entry_write(slot, (uint16_t)(0x100 * lap + slot), lap % 2 == 0);
            ck_takes((7 + 23) * NS, word = rig.ops->cq_load(rig.ctx, &ring, slot));
            ck_assert_mem_eq(&word, entries + slot * 16 + 12, 4);     /* as it lies in memory */
            ck_takes(7 * NS, rig.ops->cq_load(rig.ctx, &ring, slot)); /* not new any more */
        }
    const struct host_stats *stats = host_get_stats(rig.host);
    ck_assert_uint_eq(stats->entry_looks, 4 * DEPTH * 5);
    ck_assert_uint_eq(stats->spent_ps[CPU_POLL], 4 * DEPTH * 5 * 7 * NS);
    ck_assert_uint_eq(stats->spent_ps[CPU_COMPLETE], 4 * DEPTH * 23 * NS);
    ck_assert_uint_eq(records[RECORD_CQE_SEEN], 4 * DEPTH);
    stream_remove(engine_stream(rig.engine), &reader);
}
END_TEST

START_TEST(disabling_the_controller_begins_rings_anew)
{
    struct nvme_ring ring = {
        .entries = entries, .depth = DEPTH, .qid = 3, .entry_log2 = 4, .is_cq = true};
    memset(entries, 0, sizeof entries);
    entry_write(0, 1, true);
    ck_takes((7 + 23) * NS, rig.ops->cq_load(rig.ctx, &ring, 0));
    rig.ops->write32(rig.ctx, 0x14, 0x00460001); /* CC.EN stays 1 */
    ck_takes(7 * NS, rig.ops->cq_load(rig.ctx, &ring, 0));
    rig.ops->write32(rig.ctx, 0x14, 0x00460000);
    ck_takes((7 + 23) * NS, rig.ops->cq_load(rig.ctx, &ring, 0));
}
END_TEST

START_TEST(the_read_barrier_and_the_clock)
{
    struct nvme_ring ring = {.entries = entries, .depth = DEPTH, .qid = 1, .entry_log2 = 4};
    ck_takes(5 * NS, rig.ops->rmb(rig.ctx, &ring, 0));
    ck_takes(103 * NS, rig.ops->relax(rig.ctx));
    ck_takes(13 * NS, host_spin(rig.host));
    ck_takes(0, ck_assert_uint_eq(rig.ops->now_ns(rig.ctx), 121));
    host_spend_ps(rig.host, CPU_WORKLOAD, 999);
    ck_assert_uint_eq(rig.ops->now_ns(rig.ctx), 121); /* whole nanoseconds */
    host_spend_ps(rig.host, CPU_WORKLOAD, 1);
    ck_assert_uint_eq(rig.ops->now_ns(rig.ctx), 122);
}
END_TEST

START_TEST(the_platform_says_what_the_host_is)
{
    ck_assert_uint_eq(host_platform(rig.host)->flags,
                      NVME_PLATFORM_COHERENT | NVME_PLATFORM_LOADS_ORDERED);
    struct rig_options options = rig_options();
    options.host.loads_ordered = 0;
    remake(&options);
    ck_assert_uint_eq(host_platform(rig.host)->flags, NVME_PLATFORM_COHERENT);
}
END_TEST

/* ---- one thread ---- */

static uint64_t work_time_ps;
static unsigned work_count, writes_at_work;

static void device_work(void *ctx, uint64_t arg)
{
    (void)ctx;
    (void)arg;
    work_time_ps = engine_now(rig.engine);
    writes_at_work = rig.device.count;
    work_count++;
}

/* A doorbell gives the device 10 us of work. */
static void doorbell(uint64_t offset, uint64_t value)
{
    (void)value;
    if (offset == 0x1000)
        engine_after(rig.engine, 10000 * NS, device_work, NULL, 0);
}

static void single_thread(void)
{
    struct rig_options options = rig_options();
    options.host.emulation = HOST_EMULATION_SINGLE_THREAD;
    remake(&options);
    rig.device.on_write = doorbell;
    work_count = 0;
}

START_TEST(a_loop_over_memory_holds_devices_off)
{
    single_thread();
    struct nvme_ring ring = {.entries = entries, .depth = DEPTH, .qid = 1, .entry_log2 = 4};
    memset(entries, 0, sizeof entries);
    rig.ops->write32(rig.ctx, 0x1000, 1);
    ck_write(0, 101 * NS, 0x1000, 4, 1); /* after the exit's cost */
    /* when the guest looks at memory for 100 us, */
    for (unsigned i = 0; i < 5000; i++) {
        host_spin(rig.host);
        rig.ops->cq_load(rig.ctx, &ring, 0);
    }
    ck_assert_uint_eq(host_now(rig.host), (101 + 5000 * 20) * NS);
    ck_assert_uint_eq(work_count, 0); /* then the device has not done its 10 us of work, */
    ck_takes(101 * NS, rig.ops->write32(rig.ctx, 0x0c, 1));
    ck_assert_uint_eq(work_count, 1); /* and does it at the next register access, late */
    ck_assert_uint_eq(work_time_ps, (2 * 101 + 5000 * 20) * NS);
    ck_assert_uint_eq(writes_at_work, 1); /* before that access */
    ck_write(1, work_time_ps, 0x0c, 4, 1);
}
END_TEST

START_TEST(what_lets_devices_run_and_what_does_not)
{
    struct nvme_ring ring = {.entries = entries, .depth = DEPTH, .qid = 1, .entry_log2 = 4};
    single_thread();
    struct memory_area *area = memory_alloc(host_memory(rig.host), 65536, 512, true, false);
    struct nvme_segment segment;
    unsigned segments;
    rig.ops->write32(rig.ctx, 0x1000, 1);
    host_spend_ps(rig.host, CPU_WORKLOAD, 20000 * NS);
    rig.ops->publish(rig.ctx, &ring, 0, 1);
    rig.ops->rmb(rig.ctx, &ring, 0);
    rig.ops->mb(rig.ctx);
    rig.ops->map(rig.ctx, memory_pointer(area), 512, NVME_TO_DEVICE, 0, &segment, 1, &segments);
    rig.ops->unmap(rig.ctx, memory_pointer(area), 512, NVME_TO_DEVICE, 0);
    rig.ops->copy(rig.ctx, memory_pointer(area), (char *)memory_pointer(area) + 4096, 512,
                  NVME_COPY_BYTES);
    host_fill(rig.host, area, 0, 512);
    ck_assert_uint_eq(work_count, 0);
    rig.ops->relax(rig.ctx); /* a wait that gives way */
    ck_assert_uint_eq(work_count, 1);
    rig.ops->write32(rig.ctx, 0x1000, 1);
    host_spend_ps(rig.host, CPU_WORKLOAD, 20000 * NS);
    rig.ops->read32(rig.ctx, 0x1c);
    ck_assert_uint_eq(work_count, 2);
    ck_assert_uint_eq(work_time_ps, host_now(rig.host));
    rig.ops->write32(rig.ctx, 0x1000, 1);
    ck_assert(!host_idle(rig.host)); /* nothing interrupts, but the device had the thread */
    ck_assert_uint_eq(work_count, 3);
}
END_TEST

START_TEST(work_that_is_not_due_yet_waits_for_its_time)
{
    /* given work due 10 us after the doorbell's arrival at 101 ns; a register write exits to the
     * device at the end of its own 101 ns */
    single_thread();
    rig.ops->write32(rig.ctx, 0x1000, 1);
    host_spend_ps(rig.host, CPU_WORKLOAD, 10000 * NS - 101 * NS - 1);
    rig.ops->write32(rig.ctx, 0x0c, 1);
    ck_assert_uint_eq(work_count, 0); /* t - 1 */
    single_thread();
    rig.ops->write32(rig.ctx, 0x1000, 1);
    host_spend_ps(rig.host, CPU_WORKLOAD, 10000 * NS - 101 * NS);
    rig.ops->write32(rig.ctx, 0x0c, 1);
    ck_assert_uint_eq(work_count, 1); /* t */
    ck_assert_uint_eq(work_time_ps, 10101 * NS);
}
END_TEST

START_TEST(the_guest_s_timer_bounds_how_long_devices_are_held_off)
{
    /* given a tick of 50 us and work due after 10, when the guest has looked at memory for 50 us */
    struct rig_options options = rig_options();
    options.host.emulation = HOST_EMULATION_SINGLE_THREAD;
    options.host.emulation_tick = 50000 * NS;
    remake(&options);
    rig.device.on_write = doorbell;
    work_count = 0;
    rig.ops->write32(rig.ctx, 0x1000, 1);
    host_spend_ps(rig.host, CPU_WORKLOAD, 50000 * NS);
    ck_assert_uint_eq(work_count, 0); /* t */
    host_spend_ps(rig.host, CPU_WORKLOAD, 1);
    ck_assert_uint_eq(work_count, 1); /* t + 1: the timer's exit lets the device run */
    ck_assert_uint_eq(work_time_ps, 50101 * NS + 1);
}
END_TEST

START_TEST(without_emulation_spinning_lets_time_pass_for_all)
{
    rig.device.on_write = doorbell;
    work_count = 0;
    rig.ops->write32(rig.ctx, 0x1000, 1);
    for (unsigned i = 0; i < 1000; i++)
        host_spin(rig.host);
    ck_assert_uint_eq(work_count, 1);
    ck_assert_uint_eq(work_time_ps, 10000 * NS);
}
END_TEST

Suite *suite_platform(void)
{
    Suite *suite = suite_create("platform");
    TCase *tcase = tcase_create("platform");
    tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
    tcase_add_test(tcase, a_write_to_an_emulated_device_is_there_at_once);
    tcase_add_test(tcase, a_read_of_an_emulated_device_costs_the_cpu_only);
    tcase_add_test(tcase, a_write_on_a_bus_is_posted);
    tcase_add_test(tcase, a_read_on_a_bus_waits_for_the_round_trip);
    tcase_add_test(tcase, a_read_finds_all_writes_before_it_done);
    tcase_add_test(tcase, costs_in_cycles_are_of_the_cpu_clock);
    tcase_add_test(tcase, publishing_costs_the_entries_and_a_fence);
    tcase_add_test(tcase, only_a_new_entry_costs_its_handling);
    tcase_add_test(tcase, disabling_the_controller_begins_rings_anew);
    tcase_add_test(tcase, the_read_barrier_and_the_clock);
    tcase_add_test(tcase, the_platform_says_what_the_host_is);
    tcase_add_test(tcase, a_loop_over_memory_holds_devices_off);
    tcase_add_test(tcase, what_lets_devices_run_and_what_does_not);
    tcase_add_test(tcase, work_that_is_not_due_yet_waits_for_its_time);
    tcase_add_test(tcase, the_guest_s_timer_bounds_how_long_devices_are_held_off);
    tcase_add_test(tcase, without_emulation_spinning_lets_time_pass_for_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
