/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The platform's memory: DMA allocations and what the device may do with each kind, mapping with
 * its costs and cache maintenance, copies at their four rates, and how the device's writes and the
 * cache meet.
 */
#include <string.h>

#include "unit/host/rig.h"
#include "unit/host/suites.h"

static struct memory_area *area;
static char *buffer;
static struct nvme_segment segments[4];
static unsigned count;

static void begin(const struct rig_options *options)
{
    rig_make(options);
    area = memory_alloc(host_memory(rig.host), 65536, 4096, true, false);
    buffer = memory_pointer(area);
    memset(segments, 0, sizeof segments);
    count = 99;
}

static void setup(void)
{
    struct rig_options options = rig_options();
    begin(&options);
}

static void again(const struct rig_options *options)
{
    rig_teardown();
    begin(options);
}

static int map(size_t offset, size_t bytes, enum nvme_dir dir, unsigned flags)
{
    return rig.ops->map(rig.ctx, buffer + offset, bytes, dir, flags, segments, 4, &count);
}

static void unmap(size_t offset, size_t bytes, enum nvme_dir dir)
{
    rig.ops->unmap(rig.ctx, buffer + offset, bytes, dir, 0);
}

/* ---- allocation ---- */

START_TEST(each_use_of_dma_memory_has_its_direction)
{
    static const struct {
        enum nvme_dma_use use;
        bool device_reads, device_writes;
    } uses[] = {{NVME_DMA_SQ, true, false},
                {NVME_DMA_CQ, false, true},
                {NVME_DMA_LIST, true, false},
                {NVME_DMA_BOUNCE, true, true},
                {NVME_DMA_CONTROL, true, true}};
    static const uint8_t zero[4096];
    uint8_t bytes[16] = {1};
    for (unsigned i = 0; i < 5; i++) {
        struct nvme_dma dma;
        ck_takes(0, ck_assert_int_eq(rig.ops->dma_alloc(rig.ctx, 4096, 4096, uses[i].use, &dma),
                                     NVME_OK));
        ck_assert_uint_eq(dma.bus % 4096, 0);
        ck_assert_uint_eq(dma.bytes, 4096);
        ck_assert_mem_eq(dma.cpu, zero, 4096);
        ck_assert(memory_bus(dma.platform) == dma.bus && memory_pointer(dma.platform) == dma.cpu);
        ck_assert((pcie_dma_read(rig.port, dma.bus, bytes, 16) == PCIE_OK) == uses[i].device_reads);
        ck_assert((pcie_dma_write(rig.port, dma.bus, bytes, 16) == PCIE_OK) ==
                  uses[i].device_writes);
        uint64_t bus = dma.bus;
        rig.ops->dma_free(rig.ctx, &dma);
        ck_assert_ptr_null(dma.cpu);
        ck_assert_int_eq(pcie_dma_read(rig.port, bus, bytes, 16), PCIE_E_ABORT); /* stale */
        ck_assert_int_eq(pcie_dma_write(rig.port, bus, bytes, 16), PCIE_E_ABORT);
    }
}
END_TEST

START_TEST(bounce_memory_may_be_uncached)
{
    struct rig_options options = rig_options();
    struct nvme_dma bounce, control;
    for (unsigned uncached = 0; uncached < 2; uncached++) {
        options.host.bounce_memory = uncached ? HOST_BOUNCE_UNCACHED : HOST_BOUNCE_CACHED;
        again(&options);
        rig.ops->dma_alloc(rig.ctx, 8192, 512, NVME_DMA_BOUNCE, &bounce);
        rig.ops->dma_alloc(rig.ctx, 4096, 512, NVME_DMA_CONTROL, &control);
        ck_assert(memory_is_uncached(bounce.platform) == (uncached == 1));
        ck_assert(!memory_is_uncached(control.platform));
    }
}
END_TEST

/* ---- mapping ---- */

START_TEST(mapping_costs_a_fixed_part_and_the_pages)
{
    static const struct {
        size_t offset, bytes, pages;
    } known[] = {{0, 1, 1},      {0, 4096, 1},   {0, 4097, 2},   {4095, 1, 1},    {4095, 2, 2},
                 {512, 4096, 2}, {0, 65536, 16}, {4, 65532, 16}, {4092, 4104, 3}, {4096, 8192, 2}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        ck_takes(
            (59 + 3 * known[i].pages) * NS,
            ck_assert_int_eq(map(known[i].offset, known[i].bytes, NVME_TO_DEVICE, 0), NVME_OK));
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(segments[0].bus, memory_bus(area) + known[i].offset);
        ck_assert_uint_eq(segments[0].bytes, known[i].bytes);
        ck_assert_uint_eq(memory_grants(area), 1);
        ck_takes(37 * NS, unmap(known[i].offset, known[i].bytes, NVME_TO_DEVICE));
        ck_assert_uint_eq(memory_grants(area), 0);
    }
    const struct host_stats *stats = host_get_stats(rig.host);
    ck_assert_uint_eq(stats->maps, 10);
    ck_assert_uint_eq(stats->unmaps, 10);
    ck_assert_uint_eq(stats->fresh_lists, 0);
    /* coherent: nothing was maintained */
    ck_assert_uint_eq(stats->lines.dirty + stats->lines.clean + stats->lines.absent, 0);
    ck_assert_uint_eq(stats->spent_ps[CPU_CACHE], 0);
}
END_TEST

START_TEST(a_fresh_list_is_paid_for)
{
    ck_takes((59 + 3 + 211) * NS, map(0, 512, NVME_FROM_DEVICE, NVME_MAP_FRESH_LIST));
    ck_takes(37 * NS, rig.ops->unmap(rig.ctx, buffer, 512, NVME_FROM_DEVICE, NVME_MAP_FRESH_LIST));
    ck_assert_uint_eq(host_get_stats(rig.host)->fresh_lists, 1);
}
END_TEST

START_TEST(a_mapping_lets_the_device_in_one_direction_until_unmap)
{
    uint8_t bytes[512] = {0};
    uint64_t bus = memory_bus(area);
    map(0, 512, NVME_TO_DEVICE, 0);
    map(512, 512, NVME_FROM_DEVICE, 0);
    ck_assert_int_eq(pcie_dma_read(rig.port, bus, bytes, 512), PCIE_OK);
    ck_assert_int_eq(pcie_dma_write(rig.port, bus, bytes, 512), PCIE_E_ABORT);
    ck_assert_int_eq(pcie_dma_write(rig.port, bus + 512, bytes, 512), PCIE_OK);
    ck_assert_int_eq(pcie_dma_read(rig.port, bus + 512, bytes, 512), PCIE_E_ABORT);
    unmap(0, 512, NVME_TO_DEVICE);
    ck_assert_int_eq(pcie_dma_read(rig.port, bus, bytes, 512), PCIE_E_ABORT);
    ck_assert_int_eq(pcie_dma_write(rig.port, bus + 512, bytes, 512), PCIE_OK);
    ck_assert_uint_eq(memory_refused(host_memory(rig.host)), 3);
}
END_TEST

START_TEST(what_cannot_be_mapped_is_refused_and_costs_nothing)
{
    char outside[16];
    unsigned n;
    ck_takes(
        0, ck_assert_int_eq(rig.ops->map(rig.ctx, outside, 16, NVME_TO_DEVICE, 0, segments, 4, &n),
                            NVME_E_INVAL));
    ck_takes(0, ck_assert_int_eq(map(65535, 2, NVME_TO_DEVICE, 0), NVME_E_INVAL));
    ck_takes(
        0, ck_assert_int_eq(rig.ops->map(rig.ctx, buffer, 512, NVME_TO_DEVICE, 0, segments, 0, &n),
                            NVME_E_INVAL));
    ck_takes(0, unmap(0, 512, NVME_TO_DEVICE)); /* never mapped */
    ck_assert_uint_eq(host_get_stats(rig.host)->maps, 0);
    ck_assert_uint_eq(host_get_stats(rig.host)->unmaps, 0);
    ck_assert_uint_eq(memory_grants(area), 0);
}
END_TEST

/* ---- maintenance ---- */

static void ck_lines(uint64_t dirty, uint64_t clean, uint64_t absent)
{
    const struct cache_lines *lines = &host_get_stats(rig.host)->lines;
    ck_assert_uint_eq(lines->dirty, dirty);
    ck_assert_uint_eq(lines->clean, clean);
    ck_assert_uint_eq(lines->absent, absent);
}

START_TEST(without_a_cache_every_line_is_absent_and_paid_for)
{
    /* 4096 bytes from 32 on touch 65 lines; reads are maintained at both ends */
    struct rig_options options = rig_options();
    options.host.coherent = 0;
    again(&options);
    ck_takes((59 + 6 + 50 + 65 * 4) * NS, map(32, 4096, NVME_TO_DEVICE, 0));
    ck_takes(37 * NS, unmap(32, 4096, NVME_TO_DEVICE));
    ck_lines(0, 0, 65);
    ck_takes((59 + 6 + 50 + 65 * 4) * NS, map(32, 4096, NVME_FROM_DEVICE, 0));
    ck_takes((37 + 50 + 65 * 4) * NS, unmap(32, 4096, NVME_FROM_DEVICE));
    ck_lines(0, 0, 195);
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_CACHE], 3 * (50 + 65 * 4) * NS);
}
END_TEST

static void with_cache(bool coherent)
{
    struct rig_options options = rig_options();
    options.host.coherent = coherent;
    options.cache.enabled = 1;
    again(&options);
}

START_TEST(a_write_buffer_is_cleaned_and_stays)
{
    with_cache(false);
    host_fill(rig.host, area, 0, 512); /* 8 dirty lines */
    ck_takes((59 + 3 + 50 + 8 * 61 + 8 * 4) * NS, map(0, 1024, NVME_TO_DEVICE, 0));
    ck_lines(8, 0, 8);
    ck_takes(37 * NS, unmap(0, 1024, NVME_TO_DEVICE)); /* nothing to do */
    ck_takes((59 + 3 + 50 + 8 * 5 + 8 * 4) * NS, map(0, 1024, NVME_TO_DEVICE, 0));
    ck_lines(8, 8, 16); /* they stayed, clean */
}
END_TEST

START_TEST(a_read_buffer_is_flushed_and_invalidated)
{
    with_cache(false);
    host_fill(rig.host, area, 0, 512);
    ck_takes((59 + 3 + 50 + 8 * 61 + 8 * 4) * NS, map(0, 1024, NVME_FROM_DEVICE, 0));
    ck_lines(8, 0, 8);
    ck_takes((37 + 50 + 16 * 4) * NS, unmap(0, 1024, NVME_FROM_DEVICE)); /* they were dropped */
    ck_lines(8, 0, 24);
    /* what the CPU took in meanwhile (prefetched, say) is dropped at unmap, unwritten */
    map(0, 512, NVME_FROM_DEVICE, 0);
    host_fill(rig.host, area, 0, 64);
    ck_takes((37 + 50 + 5 + 7 * 4) * NS, unmap(0, 512, NVME_FROM_DEVICE));
    ck_lines(9, 0, 24 + 8 + 7);
}
END_TEST

START_TEST(both_ways_is_maintained_as_a_read)
{
    with_cache(false);
    host_fill(rig.host, area, 0, 64);
    ck_takes((59 + 3 + 50 + 61) * NS, map(0, 64, NVME_BOTH_WAYS, 0));
    ck_takes((37 + 50 + 4) * NS, unmap(0, 64, NVME_BOTH_WAYS));
}
END_TEST

START_TEST(sync_cleans_for_the_device_and_invalidates_for_the_cpu)
{
    with_cache(false);
    struct nvme_dma dma = {buffer, memory_bus(area), 65536, area};
    host_fill(rig.host, area, 4096, 128);
    ck_takes((50 + 2 * 61) * NS, rig.ops->sync(rig.ctx, &dma, 4096, 128, NVME_SYNC_FOR_DEVICE));
    ck_takes((50 + 2 * 5) * NS, rig.ops->sync(rig.ctx, &dma, 4096, 128, NVME_SYNC_FOR_CPU));
    ck_takes((50 + 2 * 4) * NS, rig.ops->sync(rig.ctx, &dma, 4096, 128, NVME_SYNC_FOR_CPU));
    ck_lines(2, 2, 2);
}
END_TEST

START_TEST(uncached_memory_needs_no_sync)
{
    struct rig_options options = rig_options();
    options.host.coherent = 0;
    options.host.bounce_memory = HOST_BOUNCE_CACHED;
    again(&options);
    struct nvme_dma ring, bounce;
    rig.ops->dma_alloc(rig.ctx, 4096, 4096, NVME_DMA_SQ, &ring);
    rig.ops->dma_alloc(rig.ctx, 4096, 4096, NVME_DMA_BOUNCE, &bounce);
    /* Where DMA is not coherent rings are uncached; cached bounce memory is maintained. */
    ck_takes(0, rig.ops->sync(rig.ctx, &ring, 0, 4096, NVME_SYNC_FOR_DEVICE));
    uint64_t before = host_now(rig.host);
    rig.ops->sync(rig.ctx, &bounce, 0, 4096, NVME_SYNC_FOR_DEVICE);
    ck_assert_uint_gt(host_now(rig.host), before);
    ck_assert_uint_eq(host_platform(rig.host)->flags & NVME_PLATFORM_COHERENT, 0);
    options.host.bounce_memory = HOST_BOUNCE_UNCACHED;
    again(&options);
    ck_assert_uint_ne(host_platform(rig.host)->flags & NVME_PLATFORM_COHERENT, 0);
}
END_TEST

/* ---- copies ---- */

START_TEST(copies_run_at_four_rates)
{
    struct rig_options options = rig_options();
    options.host.bounce_memory = HOST_BOUNCE_UNCACHED;
    again(&options);
    struct nvme_dma bounce;
    rig.ops->dma_alloc(rig.ctx, 8192, 512, NVME_DMA_BOUNCE, &bounce);
    char *other = buffer + 32768;
    ck_takes(17 * NS + 1000 * 1000, rig.ops->copy(rig.ctx, other, buffer, 1000, NVME_COPY_BYTES));
    ck_takes(17 * NS + 1000 * 100,
             rig.ops->copy(rig.ctx, other, buffer, 1000, NVME_COPY_OPTIMISED));
    /* one side uncached, either one */
    ck_takes(17 * NS + 1000 * 10000,
             rig.ops->copy(rig.ctx, bounce.cpu, buffer, 1000, NVME_COPY_BYTES));
    ck_takes(17 * NS + 1000 * 10000,
             rig.ops->copy(rig.ctx, buffer, bounce.cpu, 1000, NVME_COPY_BYTES));
    ck_takes(17 * NS + 1000 * 2500,
             rig.ops->copy(rig.ctx, bounce.cpu, buffer, 1000, NVME_COPY_OPTIMISED));
    ck_takes(17 * NS + 1000 * 2500,
             rig.ops->copy(rig.ctx, buffer, bounce.cpu, 1000, NVME_COPY_OPTIMISED));
    ck_takes(17 * NS + 1000, rig.ops->copy(rig.ctx, other, buffer, 1, NVME_COPY_BYTES));
    const struct host_stats *stats = host_get_stats(rig.host);
    ck_assert_uint_eq(stats->copies, 7);
    ck_assert_uint_eq(stats->bytes_copied, 6001);
    ck_assert_uint_eq(stats->spent_ps[CPU_COPY], host_now(rig.host));
}
END_TEST

START_TEST(a_copy_moves_the_bytes)
{
    for (unsigned i = 0; i < 5; i++)
        memory_set_tag(area, i * 512, 40 + i);
    rig.ops->copy(rig.ctx, buffer + 8192, buffer, 5 * 512, NVME_COPY_BYTES);
    for (unsigned i = 0; i < 5; i++) {
        uint64_t tag = 0;
        ck_assert(memory_get_tag(area, 8192 + i * 512, &tag));
        ck_assert_uint_eq(tag, 40 + i);
    }
    /* to or from what is not simulated memory: nothing */
    char outside[16] = "unchanged";
    ck_takes(0, rig.ops->copy(rig.ctx, outside, buffer, 16, NVME_COPY_BYTES));
    ck_takes(0, rig.ops->copy(rig.ctx, buffer, outside, 16, NVME_COPY_BYTES));
    ck_assert_str_eq(outside, "unchanged");
}
END_TEST

START_TEST(copies_go_through_the_cache)
{
    /* one line from memory, one to allocate; a second time both are there, and the target dirty */
    with_cache(true);
    ck_takes(17 * NS + 64 * 100 + 160 * NS,
             rig.ops->copy(rig.ctx, buffer + 4096 + 64, buffer, 64, NVME_COPY_OPTIMISED));
    ck_takes(17 * NS + 64 * 100,
             rig.ops->copy(rig.ctx, buffer + 4096 + 64, buffer, 64, NVME_COPY_OPTIMISED));
}
END_TEST

START_TEST(filling_costs_its_rate_and_the_misses)
{
    ck_takes(17 * NS + 4096 * 50, host_fill(rig.host, area, 0, 4096));
    with_cache(true);
    ck_takes(17 * NS + 128 * 50 + 160 * NS, host_fill(rig.host, area, 0, 128));
    ck_takes(17 * NS + 128 * 50, host_fill(rig.host, area, 0, 128));
}
END_TEST

START_TEST(a_coherent_device_s_write_drops_lines_and_a_refused_one_does_not)
{
    static const uint8_t bytes[64];
    with_cache(true);
    map(0, 64, NVME_FROM_DEVICE, 0);
    host_fill(rig.host, area, 0, 128);
    ck_assert_int_eq(pcie_dma_write(rig.port, memory_bus(area), bytes, 64), PCIE_OK);
    ck_assert_int_eq(pcie_dma_write(rig.port, memory_bus(area) + 64, bytes, 64), PCIE_E_ABORT);
    ck_takes(17 * NS + 128 * 50 + 80 * NS, host_fill(rig.host, area, 0, 128)); /* one is gone */
}
END_TEST

Suite *suite_mapping(void)
{
    Suite *suite = suite_create("platform memory");
    TCase *tcase = tcase_create("mapping");
    tcase_add_checked_fixture(tcase, setup, rig_teardown);
    tcase_add_test(tcase, each_use_of_dma_memory_has_its_direction);
    tcase_add_test(tcase, bounce_memory_may_be_uncached);
    tcase_add_test(tcase, mapping_costs_a_fixed_part_and_the_pages);
    tcase_add_test(tcase, a_fresh_list_is_paid_for);
    tcase_add_test(tcase, a_mapping_lets_the_device_in_one_direction_until_unmap);
    tcase_add_test(tcase, what_cannot_be_mapped_is_refused_and_costs_nothing);
    tcase_add_test(tcase, without_a_cache_every_line_is_absent_and_paid_for);
    tcase_add_test(tcase, a_write_buffer_is_cleaned_and_stays);
    tcase_add_test(tcase, a_read_buffer_is_flushed_and_invalidated);
    tcase_add_test(tcase, both_ways_is_maintained_as_a_read);
    tcase_add_test(tcase, sync_cleans_for_the_device_and_invalidates_for_the_cpu);
    tcase_add_test(tcase, uncached_memory_needs_no_sync);
    tcase_add_test(tcase, copies_run_at_four_rates);
    tcase_add_test(tcase, a_copy_moves_the_bytes);
    tcase_add_test(tcase, copies_go_through_the_cache);
    tcase_add_test(tcase, filling_costs_its_rate_and_the_misses);
    tcase_add_test(tcase, a_coherent_device_s_write_drops_lines_and_a_refused_one_does_not);
    suite_add_tcase(suite, tcase);
    return suite;
}
