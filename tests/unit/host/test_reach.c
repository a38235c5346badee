/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A device whose bus addresses are narrower than the host's memory is high: where memory lies that
 * it must reach, and that it reaches nothing above.
 */
#include "unit/host/rig.h"
#include "unit/host/suites.h"

#define BASE UINT64_C(0x100000000)

START_TEST(what_lies_above_the_reach_cannot_be_granted)
{
    struct memory *memory = memory_create(BASE, MEMORY_BYTES);
    memory_limit_reach(memory, UINT32_MAX);
    struct memory_area *high = memory_alloc(memory, 4096, 4096, false, false);
    struct memory_area *low = memory_alloc_reachable(memory, 4096, 4096, false, false);
    uint8_t byte = 0;
    ck_assert_uint_eq(memory_bus(high), BASE);
    ck_assert(!memory_is_reachable(high));
    ck_assert_uint_le(memory_bus(low) + 4095, UINT32_MAX);
    ck_assert(memory_is_reachable(low));
    memory_grant(high, 0, 4096, MEMORY_BOTH_WAYS);
    memory_grant(low, 0, 4096, MEMORY_BOTH_WAYS);
    ck_assert_int_eq(memory_dma_read(memory, memory_bus(high), &byte, 1), PCIE_E_ABORT);
    ck_assert_int_eq(memory_dma_read(memory, memory_bus(low), &byte, 1), PCIE_OK);
    ck_assert(!memory_revoke(high, 0, 4096, MEMORY_BOTH_WAYS));
    memory_destroy(memory);
}
END_TEST

START_TEST(areas_of_both_zones_are_found_and_their_places_used_again)
{
    struct memory *memory = memory_create(BASE, MEMORY_BYTES);
    memory_limit_reach(memory, UINT32_MAX);
    struct memory_area *areas[8];
    for (unsigned i = 0; i < 8; i++)
        areas[i] = i % 2 == 0 ? memory_alloc(memory, 100000, 4096, false, false)
                              : memory_alloc_reachable(memory, 100000, 4096, false, false);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned j = 0; j < i; j++)
            ck_assert(memory_bus(areas[i]) + 100000 + 4096 <= memory_bus(areas[j]) ||
                      memory_bus(areas[j]) + 100000 + 4096 <= memory_bus(areas[i]));
    for (unsigned i = 0; i < 8; i++) {
        size_t offset;
        ck_assert_ptr_eq(memory_find(memory, memory_pointer(areas[i]), 100000, &offset), areas[i]);
    }
    uint64_t low = memory_bus(areas[3]), high = memory_bus(areas[4]);
    memory_free(memory, areas[3]);
    memory_free(memory, areas[4]);
    ck_assert_uint_eq(memory_bus(memory_alloc_reachable(memory, 10, 8, false, false)), low + 8);
    ck_assert_uint_eq(memory_bus(memory_alloc(memory, 10, 8, false, false)), high + 8);
    memory_destroy(memory);
}
END_TEST

/* One byte below the end of the reach, and one above it, with memory that begins below it. */
START_TEST(an_area_across_the_end_of_the_reach_is_above_it)
{
    struct memory *memory = memory_create(UINT64_C(0xffff0000), MEMORY_BYTES);
    memory_limit_reach(memory, UINT32_MAX);
    struct memory_area *area = memory_alloc(memory, 65536, 4096, false, false);
    ck_assert(memory_is_reachable(area));
    memory_free(memory, area);
    area = memory_alloc(memory, 65537, 4096, false, false);
    ck_assert(!memory_is_reachable(area));
    struct memory_area *below = memory_alloc_reachable(memory, 1, 1, false, false);
    ck_assert_uint_lt(memory_bus(below), UINT64_C(0xe0000000));
    memory_destroy(memory);
}
END_TEST

START_TEST(what_fits_nowhere_below_the_reach_is_not_given)
{
    struct memory *memory = memory_create(UINT64_C(0xffff0000), MEMORY_BYTES);
    memory_limit_reach(memory, UINT32_MAX);
    ck_assert_ptr_null(memory_alloc_reachable(memory, 0xe0000000, 4096, false, false));
    memory_destroy(memory);
}
END_TEST

START_TEST(the_platform_says_how_far_the_device_reaches)
{
    struct rig_options options = rig_options();
    options.host.dma_bits = 36;
    options.host.memory_base = UINT64_C(1) << 36;
    rig_make(&options);
    ck_assert_uint_eq(host_platform(rig.host)->dma_mask, UINT64_C(0xfffffffff));
    struct nvme_dma dma;
    ck_assert_int_eq(rig.ops->dma_alloc(rig.ctx, 8192, 4096, NVME_DMA_SQ, &dma), NVME_OK);
    ck_assert_uint_lt(dma.bus, UINT64_C(1) << 36);
    struct memory_area *area = memory_alloc(host_memory(rig.host), 4096, 4096, true, false);
    struct nvme_segment segment;
    unsigned count;
    ck_takes(0, ck_assert_int_eq(rig.ops->map(rig.ctx, memory_pointer(area), 4096, NVME_TO_DEVICE,
                                              0, &segment, 1, &count),
                                 NVME_E_UNSUPPORTED));
    rig_teardown();
    rig_setup();
    ck_assert_uint_eq(host_platform(rig.host)->dma_mask, 0);
    rig_teardown();
}
END_TEST

Suite *suite_reach(void)
{
    Suite *suite = suite_create("reach of the device");
    TCase *tcase = tcase_create("reach");
    tcase_add_test(tcase, what_lies_above_the_reach_cannot_be_granted);
    tcase_add_test(tcase, areas_of_both_zones_are_found_and_their_places_used_again);
    tcase_add_test(tcase, an_area_across_the_end_of_the_reach_is_above_it);
    tcase_add_test(tcase, what_fits_nowhere_below_the_reach_is_not_given);
    tcase_add_test(tcase, the_platform_says_how_far_the_device_reaches);
    suite_add_tcase(suite, tcase);
    return suite;
}
