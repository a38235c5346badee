/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device's accesses to host memory: what is refused, and scatter lists of block tags.
 */
#include <string.h>

#include "engine/pattern.h"
#include "host/memory.h"
#include "unit/host/suites.h"

#define BASE UINT64_C(0x100000000)

static struct memory *memory;
static struct memory_area *area;
static uint64_t bus;
static uint8_t data[65536];

static void setup(void)
{
    memory = memory_create(BASE, MEMORY_TAGS);
    area = memory_alloc(memory, 16384, 512, true, false);
    bus = memory_bus(area);
    memset(data, 0x5a, sizeof data);
}

static void teardown(void)
{
    memory_destroy(memory);
}

static void ck_refused(uint64_t at, uint32_t bytes)
{
    uint64_t before = memory_refused(memory);
    ck_assert_int_eq(memory_dma_read(memory, at, data, bytes), PCIE_E_ABORT);
    ck_assert_int_eq(memory_dma_write(memory, at, data, bytes), PCIE_E_ABORT);
    ck_assert_uint_eq(memory_refused(memory), before + 2);
}

static void ck_reached(uint64_t at, uint32_t bytes)
{
    uint64_t before = memory_refused(memory);
    ck_assert_int_eq(memory_dma_write(memory, at, data, bytes), PCIE_OK);
    ck_assert_int_eq(memory_dma_read(memory, at, data, bytes), PCIE_OK);
    ck_assert_uint_eq(memory_refused(memory), before);
}

START_TEST(nothing_is_reached_without_a_grant)
{
    ck_refused(bus, 1);
    ck_refused(bus, 16384);
}
END_TEST

START_TEST(a_grant_is_reached_from_end_to_end_and_no_further)
{
    memory_grant(area, 1024, 2048, MEMORY_BOTH_WAYS);
    ck_reached(bus + 1024, 2048);
    ck_reached(bus + 1024, 1);
    ck_reached(bus + 3071, 1);
    ck_refused(bus + 1023, 1);    /* before */
    ck_refused(bus + 1023, 2048); /* into it */
    ck_refused(bus + 3072, 1);    /* behind */
    ck_refused(bus + 3071, 2);    /* out of it */
    ck_refused(bus + 1024, 2049);
    ck_refused(bus + 1024, UINT32_MAX);
}
END_TEST

START_TEST(addresses_of_nothing_are_refused)
{
    memory_grant(area, 0, 16384, MEMORY_BOTH_WAYS);
    ck_refused(0, 1);
    ck_refused(BASE - 1, 1);
    ck_refused(bus - 1, 1);
    ck_refused(bus - 1, 2);
    ck_refused(bus + 16384, 1); /* the guard page */
    ck_refused(bus + 16383, 2);
    ck_refused(bus + 65536, 1);
    ck_refused(UINT64_MAX, 1);
    ck_refused(UINT64_MAX - 3, 8);                            /* wraps */
    ck_refused(bus & UINT32_MAX, 1);                          /* truncated to 32 bits */
    ck_refused((uint64_t)(uintptr_t)memory_pointer(area), 1); /* a pointer is no bus address */
}
END_TEST

START_TEST(a_direction_is_a_direction)
{
    memory_grant(area, 0, 512, MEMORY_TO_DEVICE);
    memory_grant(area, 512, 512, MEMORY_FROM_DEVICE);
    ck_assert_int_eq(memory_dma_read(memory, bus, data, 512), PCIE_OK);
    ck_assert_int_eq(memory_dma_write(memory, bus, data, 512), PCIE_E_ABORT);
    ck_assert_int_eq(memory_dma_write(memory, bus + 512, data, 512), PCIE_OK);
    ck_assert_int_eq(memory_dma_read(memory, bus + 512, data, 512), PCIE_E_ABORT);
}
END_TEST

START_TEST(overlapping_grants_live_and_end_apart)
{
    memory_grant(area, 0, 1024, MEMORY_BOTH_WAYS);
    memory_grant(area, 512, 1024, MEMORY_BOTH_WAYS);
    memory_grant(area, 0, 1024, MEMORY_BOTH_WAYS);
    ck_reached(bus, 1024);
    ck_reached(bus + 512, 1024);
    ck_reached(bus, 1536); /* over both */
    ck_refused(bus, 1537);
    memory_revoke(area, 0, 1024, MEMORY_BOTH_WAYS);
    ck_reached(bus, 1024); /* granted twice */
    memory_revoke(area, 0, 1024, MEMORY_BOTH_WAYS);
    ck_refused(bus, 1024);
    ck_refused(bus, 512);
    ck_reached(bus + 512, 1024);
    memory_revoke(area, 512, 1024, MEMORY_BOTH_WAYS);
    ck_refused(bus + 512, 1);
}
END_TEST

/* Pieces of a buffer that were mapped one by one are one piece to the device. */
START_TEST(grants_that_meet_are_one_and_grants_apart_are_not)
{
    memory_grant(area, 512, 512, MEMORY_BOTH_WAYS);
    memory_grant(area, 0, 512, MEMORY_FROM_DEVICE);
    memory_grant(area, 1025, 511, MEMORY_BOTH_WAYS);
    ck_assert_int_eq(memory_dma_write(memory, bus, data, 1024), PCIE_OK);
    ck_assert_int_eq(memory_dma_read(memory, bus, data, 1024), PCIE_E_ABORT);
    ck_assert_int_eq(memory_dma_write(memory, bus, data, 1026), PCIE_E_ABORT);
    memory_grant(area, 1024, 1, MEMORY_FROM_DEVICE);
    ck_assert_int_eq(memory_dma_write(memory, bus, data, 1536), PCIE_OK);
}
END_TEST

START_TEST(a_freed_area_is_stale)
{
    memory_grant(area, 0, 16384, MEMORY_BOTH_WAYS);
    ck_reached(bus, 512);
    memory_free(memory, area);
    ck_refused(bus, 512);
    /* and when its address is used again, the old grant does not come with it */
    area = memory_alloc(memory, 16384, 512, true, false);
    ck_assert_uint_eq(memory_bus(area), bus);
    ck_refused(bus, 512);
}
END_TEST

START_TEST(a_refused_access_changes_nothing)
{
    memory_set_tag(area, 0, 123);
    memory_grant(area, 0, 512, MEMORY_TO_DEVICE);
    ck_assert_int_eq(memory_dma_write(memory, bus, data, 512), PCIE_E_ABORT);
    uint64_t tag = 0;
    ck_assert(memory_get_tag(area, 0, &tag));
    ck_assert_uint_eq(tag, 123);
    uint8_t before[512];
    memset(before, 0x77, sizeof before);
    ck_assert_int_eq(memory_dma_read(memory, bus + 512, before, 512), PCIE_E_ABORT);
    for (unsigned i = 0; i < 512; i++)
        ck_assert_uint_eq(before[i], 0x77);
}
END_TEST

/* ---- scatter lists ---- */

#define TAGS 8u
static const uint64_t eight[TAGS] = {11, 12, 13, 14, 15, 16, 17, 18};

static void ck_tags(unsigned first, unsigned count, const uint64_t *expected)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t tag = 1;
        ck_assert(memory_get_tag(area, (first + i) * 512, &tag));
        ck_assert_uint_eq(tag, expected == NULL ? PATTERN_ZERO : expected[i]);
    }
}

static bool write_tags(const struct pcie_segment *segments, unsigned count, uint32_t ntags)
{
    return memory_dma_write_tags(memory, segments, count, eight, ntags);
}

START_TEST(a_scatter_list_carries_tags_in_its_order)
{
    memory_grant(area, 0, 16384, MEMORY_BOTH_WAYS);
    const struct pcie_segment segments[] = {{bus + 4096, 1024}, {bus, 512}, {bus + 512, 2560}};
    uint64_t back[TAGS] = {0};
    ck_assert(write_tags(segments, 3, TAGS));
    ck_tags(8, 2, eight);
    ck_tags(0, 6, eight + 2);
    ck_assert(memory_dma_read_tags(memory, segments, 3, back, TAGS));
    ck_assert_mem_eq(back, eight, sizeof eight);
    ck_assert(write_tags(segments, 0, 0)); /* nothing of nothing */
}
END_TEST

START_TEST(tags_can_be_placed_in_an_area)
{
    memory_grant(area, 512, 1024, MEMORY_FROM_DEVICE);
    memory_grant(area, 4096, 1024, MEMORY_TO_DEVICE);
    uint64_t *place = memory_dma_place_tags(memory, bus + 512, 1024);
    ck_assert_ptr_nonnull(place);
    memcpy(place, eight, 2 * sizeof *eight);
    ck_tags(0, 1, NULL);
    ck_tags(1, 2, eight);
    ck_tags(3, 1, NULL);
    ck_assert_ptr_null(memory_dma_place_tags(memory, bus, 512)); /* not granted */
    ck_assert_ptr_null(memory_dma_place_tags(memory, bus + 512, 1536));
    ck_assert_ptr_null(memory_dma_place_tags(memory, bus + 4096, 1024)); /* only to be read */
    ck_assert_ptr_null(memory_dma_place_tags(memory, bus + 513, 512));   /* no whole blocks */
    ck_assert_ptr_null(memory_dma_place_tags(memory, bus + 512, 511));
    ck_assert_ptr_null(memory_dma_place_tags(memory, UINT64_MAX, 512)); /* nothing there */
    /* a byte makes it an area of bytes, which has no such place */
    ck_assert_int_eq(memory_dma_write(memory, bus + 512, data, 1), PCIE_OK);
    ck_assert_ptr_null(memory_dma_place_tags(memory, bus + 512, 1024));
}
END_TEST

START_TEST(neighbouring_segments_may_cut_a_block)
{
    /* given pages of a buffer that starts 256 bytes into a page, but at a block of its area */
    memory_grant(area, 0, 16384, MEMORY_BOTH_WAYS);
    const struct pcie_segment joined[] = {{bus, 256}, {bus + 256, 3584}, {bus + 3840, 256}};
    uint64_t back[TAGS] = {0};
    ck_assert(write_tags(joined, 3, TAGS));
    ck_tags(0, TAGS, eight);
    ck_assert(memory_dma_read_tags(memory, joined, 3, back, TAGS));
    ck_assert_mem_eq(back, eight, sizeof eight);
}
END_TEST

START_TEST(segments_apart_that_cut_a_block_are_left_to_bytes)
{
    memory_grant(area, 0, 16384, MEMORY_BOTH_WAYS);
    const struct pcie_segment cut[] = {{bus, 256}, {bus + 4096, 256}};
    const struct pcie_segment shifted[] = {{bus + 4, 512}};
    uint64_t back[TAGS];
    ck_assert(!write_tags(cut, 2, 1));
    ck_assert(!write_tags(shifted, 1, 1));
    ck_assert(!memory_dma_read_tags(memory, cut, 2, back, 1));
    ck_assert(!memory_dma_read_tags(memory, shifted, 1, back, 1));
    ck_tags(0, 32, NULL);
    /* which does it: half a block here, half a block there */
    pattern_expand(99, data);
    ck_assert_int_eq(memory_dma_write(memory, bus, data, 256), PCIE_OK);
    ck_assert_int_eq(memory_dma_write(memory, bus + 4096, data + 256, 256), PCIE_OK);
    memory_copy(area, 256, area, 4096, 256);
    uint64_t tag = 0;
    ck_assert(memory_get_tag(area, 0, &tag));
    ck_assert_uint_eq(tag, 99);
    /* and from then on the area is bytes, and tags are not taken */
    const struct pcie_segment whole[] = {{bus, 512}};
    ck_assert(!write_tags(whole, 1, 1));
}
END_TEST

START_TEST(tags_are_written_all_or_not_at_all)
{
    memory_grant(area, 0, 4096, MEMORY_BOTH_WAYS);
    memory_grant(area, 8192, 512, MEMORY_TO_DEVICE);
    const struct pcie_segment refused[] = {{bus, 1024}, {bus + 12288, 512}};
    const struct pcie_segment direction[] = {{bus, 1024}, {bus + 8192, 512}};
    const struct pcie_segment cut[] = {{bus, 1024}, {bus + 2048, 500}};
    const struct pcie_segment good[] = {{bus, 1024}, {bus + 2048, 512}};
    const struct pcie_segment one[] = {{bus, 1024}};
    ck_assert(!write_tags(refused, 2, 3));
    ck_assert(!write_tags(direction, 2, 3));
    ck_assert(!write_tags(cut, 2, 3));
    ck_assert(!write_tags(good, 2, 2)); /* more memory than tags, */
    ck_assert(!write_tags(good, 2, 4)); /* and more tags than memory */
    ck_assert(!write_tags(one, 1, 1));
    ck_assert(!write_tags(one, 1, 3));
    ck_assert(!write_tags(one, 1, 0));
    ck_tags(0, 32, NULL);
    ck_assert_uint_eq(memory_refused(memory), 0); /* the bytes' way reports errors */
    ck_assert(write_tags(good, 2, 3));
    ck_tags(0, 2, eight);
    ck_tags(4, 1, eight + 2);
}
END_TEST

START_TEST(areas_that_hold_no_tags_do_not_take_any)
{
    struct memory_area *ring = memory_alloc(memory, 4096, 4096, false, false);
    struct memory_area *odd = memory_alloc(memory, 4100, 4, true, false);
    memory_grant(ring, 0, 4096, MEMORY_BOTH_WAYS);
    memory_grant(odd, 0, 4100, MEMORY_BOTH_WAYS);
    const struct pcie_segment in_ring = {memory_bus(ring), 512}, in_odd = {memory_bus(odd), 512};
    uint64_t tag;
    ck_assert(!write_tags(&in_ring, 1, 1));
    ck_assert(!memory_dma_read_tags(memory, &in_ring, 1, &tag, 1));
    ck_assert(!write_tags(&in_odd, 1, 1));
}
END_TEST

START_TEST(a_read_of_bytes_sees_what_tags_stand_for)
{
    memory_grant(area, 0, 16384, MEMORY_BOTH_WAYS);
    const struct pcie_segment all = {bus, 4096};
    uint8_t expected[1024], seen[1000];
    ck_assert(write_tags(&all, 1, TAGS));
    pattern_expand(12, expected);
    pattern_expand(13, expected + 512);
    ck_assert_int_eq(memory_dma_read(memory, bus + 512 + 7, seen, 1000), PCIE_OK);
    ck_assert_mem_eq(seen, expected + 7, 1000);
    ck_tags(0, TAGS, eight); /* still the same contents */
}
END_TEST

Suite *suite_dma(void)
{
    Suite *suite = suite_create("DMA");
    TCase *tcase = tcase_create("dma");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_is_reached_without_a_grant);
    tcase_add_test(tcase, a_grant_is_reached_from_end_to_end_and_no_further);
    tcase_add_test(tcase, addresses_of_nothing_are_refused);
    tcase_add_test(tcase, a_direction_is_a_direction);
    tcase_add_test(tcase, overlapping_grants_live_and_end_apart);
    tcase_add_test(tcase, grants_that_meet_are_one_and_grants_apart_are_not);
    tcase_add_test(tcase, a_freed_area_is_stale);
    tcase_add_test(tcase, a_refused_access_changes_nothing);
    tcase_add_test(tcase, a_scatter_list_carries_tags_in_its_order);
    tcase_add_test(tcase, tags_can_be_placed_in_an_area);
    tcase_add_test(tcase, neighbouring_segments_may_cut_a_block);
    tcase_add_test(tcase, segments_apart_that_cut_a_block_are_left_to_bytes);
    tcase_add_test(tcase, tags_are_written_all_or_not_at_all);
    tcase_add_test(tcase, areas_that_hold_no_tags_do_not_take_any);
    tcase_add_test(tcase, a_read_of_bytes_sees_what_tags_stand_for);
    suite_add_tcase(suite, tcase);
    return suite;
}
