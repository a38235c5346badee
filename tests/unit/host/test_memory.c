/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory areas: where they are placed, how they are found, what is granted, and that contents held
 * as tags and contents held as bytes are the same contents under any operations. The device's
 * accesses are in test_dma.c.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"
#include "engine/rng.h"
#include "host/memory.h"
#include "unit/host/suites.h"

#define BASE UINT64_C(0x100000000)
#define PAGE 4096u

static struct memory *memory;

static void setup(void)
{
    memory = memory_create(BASE, MEMORY_BYTES);
}

static void teardown(void)
{
    memory_destroy(memory);
}

/* ---- places ---- */

START_TEST(addresses_have_the_alignment_asked_for_and_no_more)
{
    /* given any alignment from 1 to 64 KiB, and bases that have little of their own */
    static const uint64_t bases[] = {BASE, 0x100000, 0x101000, 0x102000, UINT64_C(0xffffffff00000)};
    for (unsigned b = 0; b < 5; b++) {
        struct memory *on = memory_create(bases[b], MEMORY_BYTES);
        for (size_t align = 1; align <= 65536; align *= 2)
            for (size_t bytes = 1; bytes <= 100000; bytes = bytes * 7 + 3) {
                struct memory_area *area = memory_alloc(on, bytes, align, false, false);
                uint64_t bus = memory_bus(area);
                uintptr_t pointer = (uintptr_t)memory_pointer(area);
                ck_assert_uint_ge(bus, bases[b]);
                ck_assert_uint_eq(bus % align, 0);
                ck_assert_uint_eq(pointer % align, 0);
                if (align < PAGE) { /* exactly so much */
                    ck_assert_uint_eq(bus % (2 * align), align);
                    ck_assert_uint_eq(pointer % (2 * align), align);
                }
                ck_assert_uint_eq(bus % 65536, pointer % 65536);
                ck_assert_uint_eq(memory_bytes(area), bytes);
            }
        memory_destroy(on);
    }
}
END_TEST

START_TEST(areas_lie_a_guard_page_apart)
{
    /* given areas of many sizes, some freed and allocated anew */
    enum { AREAS = 200 };
    struct memory_area *areas[AREAS];
    struct rng rng;
    rng_init(&rng, 1, "areas");
    for (unsigned i = 0; i < AREAS; i++)
        areas[i] = memory_alloc(memory, 1 + rng_below(&rng, 200000),
                                (size_t)1 << rng_below(&rng, 17), false, false);
    for (unsigned i = 0; i < AREAS; i += 3) {
        memory_free(memory, areas[i]);
        areas[i] = memory_alloc(memory, 1 + rng_below(&rng, 100000),
                                (size_t)1 << rng_below(&rng, 17), false, false);
    }
    for (unsigned i = 0; i < AREAS; i++)
        for (unsigned j = 0; j < AREAS; j++) {
            uint64_t a = memory_bus(areas[i]), b = memory_bus(areas[j]);
            if (a < b)
                ck_assert_uint_ge(b - a, memory_bytes(areas[i]) + PAGE);
        }
}
END_TEST

START_TEST(bus_addresses_depend_on_nothing_but_the_calls)
{
    /* given two memories and the same calls, with other allocations in between in one of them */
    struct memory *other = memory_create(BASE, MEMORY_TAGS);
    struct memory_area *a[100] = {NULL}, *b[100] = {NULL};
    void *noise[400] = {NULL};
    struct rng rng;
    rng_init(&rng, 2, "calls");
    for (unsigned i = 0; i < 400; i++) {
        unsigned at = (unsigned)rng_below(&rng, 100);
        size_t bytes = 512 * (1 + rng_below(&rng, 300)), align = (size_t)1 << rng_below(&rng, 17);
        noise[i] = malloc(1 + i * 37);
        memory_free(memory, a[at]);
        memory_free(other, b[at]);
        a[at] = memory_alloc(memory, bytes, align, true, false);
        b[at] = memory_alloc(other, bytes, align, true, false);
        ck_assert_uint_eq(memory_bus(a[at]), memory_bus(b[at]));
    }
    for (unsigned i = 0; i < 400; i++)
        free(noise[i]);
    memory_destroy(other);
}
END_TEST

START_TEST(freed_addresses_are_used_again)
{
    struct memory_area *first = memory_alloc(memory, 5000, 64, false, false);
    memory_alloc(memory, 100, 64, false, false);
    uint64_t bus = memory_bus(first);
    memory_free(memory, first);
    ck_assert_uint_eq(memory_bus(memory_alloc(memory, 5000, 64, false, false)), bus);
    memory_free(memory, NULL);
    memory_destroy(NULL);
}
END_TEST

START_TEST(fresh_memory_is_zero)
{
    static const uint8_t zero[512];
    struct memory *tags = memory_create(BASE, MEMORY_TAGS);
    for (unsigned i = 0; i < 4; i++) {
        struct memory_area *area = memory_alloc(tags, 2048, 512, true, false);
        uint64_t tag = 1;
        ck_assert(memory_get_tag(area, 512 * i, &tag));
        ck_assert_uint_eq(tag, PATTERN_ZERO);
        memory_set_tag(area, 512 * i, 77);
        memory_free(tags, area); /* and when the addresses come back, zero again */
    }
    ck_assert_mem_eq(memory_pointer(memory_alloc(memory, 512, 1, false, false)), zero, 512);
    memory_destroy(tags);
}
END_TEST

START_TEST(an_area_says_whether_it_is_cached)
{
    ck_assert(memory_is_uncached(memory_alloc(memory, 1, 1, true, true)));
    ck_assert(!memory_is_uncached(memory_alloc(memory, 1, 1, true, false)));
}
END_TEST

/* ---- finding ---- */

START_TEST(a_pointer_finds_its_area_from_end_to_end)
{
    struct memory_area *areas[50];
    for (unsigned i = 0; i < 50; i++)
        areas[i] = memory_alloc(memory, 1000 + i, 16, false, false);
    for (unsigned i = 0; i < 50; i++) {
        char *start = memory_pointer(areas[i]);
        size_t bytes = 1000 + i, offset = 99;
        ck_assert_ptr_eq(memory_find(memory, start, bytes, &offset), areas[i]);
        ck_assert_uint_eq(offset, 0);
        ck_assert_ptr_eq(memory_find(memory, start + bytes - 1, 1, &offset), areas[i]);
        ck_assert_uint_eq(offset, bytes - 1);
        ck_assert_ptr_null(memory_find(memory, start, bytes + 1, &offset)); /* too long */
        ck_assert_ptr_null(memory_find(memory, start + bytes - 1, 2, &offset));
        ck_assert_ptr_null(memory_find(memory, start + bytes, 1, &offset)); /* past the end */
        ck_assert_ptr_null(memory_find(memory, start, SIZE_MAX, &offset));
    }
    size_t offset;
    ck_assert_ptr_null(memory_find(memory, &offset, 1, &offset)); /* not simulated memory */
    ck_assert_ptr_null(memory_find(memory, NULL, 1, &offset));
}
END_TEST

START_TEST(a_freed_area_is_not_found)
{
    size_t offset;
    struct memory_area *gone = memory_alloc(memory, 512, 512, false, false);
    void *pointer = memory_pointer(gone);
    ck_assert_ptr_eq(memory_find(memory, pointer, 1, &offset), gone);
    memory_free(memory, gone);
    ck_assert_ptr_null(memory_find(memory, pointer, 1, &offset));
}
END_TEST

/* ---- grants ---- */

START_TEST(grants_are_revoked_with_the_same_values)
{
    struct memory_area *area = memory_alloc(memory, 4096, 512, true, false);
    ck_assert_uint_eq(memory_grants(area), 0);
    for (unsigned i = 0; i < 10; i++) /* more than there is room for at first, and equal ones */
        memory_grant(area, 512 * (i / 2), 512, MEMORY_TO_DEVICE);
    ck_assert_uint_eq(memory_grants(area), 10);
    ck_assert(!memory_revoke(area, 0, 513, MEMORY_TO_DEVICE));
    ck_assert(!memory_revoke(area, 1, 512, MEMORY_TO_DEVICE));
    ck_assert(!memory_revoke(area, 0, 512, MEMORY_FROM_DEVICE));
    ck_assert(!memory_revoke(area, 0, 512, MEMORY_BOTH_WAYS));
    ck_assert_uint_eq(memory_grants(area), 10);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(memory_revoke(area, 512 * (i % 5), 512, MEMORY_TO_DEVICE));
    ck_assert(!memory_revoke(area, 0, 512, MEMORY_TO_DEVICE));
    ck_assert_uint_eq(memory_grants(area), 0);
}
END_TEST

/* ---- contents: tags and bytes are the same ---- */

#define AREA_BYTES 16384u
#define UNITS      (AREA_BYTES / 512)

struct twin {
    struct memory *memory;
    struct memory_area *area[2];
};

static void twin_make(struct twin *twin, enum memory_form form)
{
    twin->memory = memory_create(BASE, form);
    for (unsigned i = 0; i < 2; i++) {
        twin->area[i] = memory_alloc(twin->memory, AREA_BYTES, 512, true, false);
        memory_grant(twin->area[i], 0, AREA_BYTES, MEMORY_BOTH_WAYS);
    }
}

static void twin_contents(struct twin *twin, unsigned area, uint8_t *bytes)
{
    /* by tags first, so that looking does not turn everything into bytes */
    for (unsigned unit = 0; unit < UNITS; unit++) {
        uint64_t tag;
        uint64_t bus = memory_bus(twin->area[area]) + unit * 512;
        struct pcie_segment segment = {bus, 512};
        if (memory_dma_read_tags(twin->memory, &segment, 1, &tag, 1))
            pattern_expand(tag, bytes + unit * 512);
        else
            ck_assert_int_eq(memory_dma_read(twin->memory, bus, bytes + unit * 512, 512), PCIE_OK);
    }
}

static void twin_operation(struct twin *twin, struct rng *rng, bool whole)
{
    unsigned to = (unsigned)rng_below(rng, 2), from = (unsigned)rng_below(rng, 2);
    uint64_t bytes = whole ? 512 * (1 + rng_below(rng, 8)) : 1 + rng_below(rng, 3000);
    uint64_t at = rng_below(rng, AREA_BYTES - bytes), source = rng_below(rng, AREA_BYTES - bytes);
    if (whole) {
        at -= at % 512;
        source -= source % 512;
    }
    uint64_t value = rng_next(rng);
    uint8_t data[4096];
    uint64_t tags[8];
    struct pcie_segment run = {memory_bus(twin->area[to]) + at, (uint32_t)bytes};
    switch (rng_below(rng, 4)) {
    case 0:
        memory_copy(twin->area[to], at, twin->area[from], source, bytes);
        break;
    case 1:
        memory_set_tag(twin->area[to], at - at % 512, value);
        break;
    case 2: /* a device's write, as tags where they are taken, else as bytes */
        for (unsigned i = 0; i < 8; i++)
            tags[i] = value + i;
        for (unsigned i = 0; i < 8; i++)
            pattern_expand(tags[i], data + i * 512);
        if (bytes % 512 != 0 ||
            !memory_dma_write_tags(twin->memory, &run, 1, tags, (uint32_t)(bytes / 512)))
            ck_assert_int_eq(memory_dma_write(twin->memory, run.bus, data, (uint32_t)bytes),
                             PCIE_OK);
        break;
    default: /* bytes that are no pattern at all, rarely */
        if (whole && value % 16 != 0)
            break;
        memset(data, (int)(value & 0xff), sizeof data);
        ck_assert_int_eq(memory_dma_write(twin->memory, run.bus, data, (uint32_t)bytes), PCIE_OK);
    }
}

START_TEST(tags_and_bytes_are_the_same_contents)
{
    /* given the same operations on a memory that holds tags and on one that holds bytes: first of
     * whole blocks, so that tags live long, then of any bytes */
    struct twin tags, bytes;
    struct rng left, right;
    twin_make(&tags, MEMORY_TAGS);
    twin_make(&bytes, MEMORY_BYTES);
    rng_init(&left, (uint64_t)_i, "twins");
    rng_init(&right, (uint64_t)_i, "twins");
    static uint8_t seen[2][AREA_BYTES];
    for (unsigned i = 0; i < 200; i++) {
        bool whole = i < 150;
        twin_operation(&tags, &left, whole);
        twin_operation(&bytes, &right, whole);
        if (i % 5 != 0)
            continue;
        for (unsigned area = 0; area < 2; area++) {
            twin_contents(&tags, area, seen[0]);
            twin_contents(&bytes, area, seen[1]);
            ck_assert_mem_eq(seen[0], seen[1], AREA_BYTES);
        }
        for (unsigned unit = 0; unit < UNITS; unit++) { /* and tags are told alike */
            uint64_t a = 1, b = 1;
            bool found = memory_get_tag(tags.area[0], unit * 512, &a);
            ck_assert(memory_get_tag(bytes.area[0], unit * 512, &b) == found);
            ck_assert_uint_eq(a, b);
        }
    }
    memory_destroy(tags.memory);
    memory_destroy(bytes.memory);
}
END_TEST

START_TEST(tags_are_filled_and_compared_many_at_a_time)
{
    for (unsigned form = 0; form < 2; form++) {
        /* given an area of which the middle is filled, as bytes or as tags */
        struct memory *on = memory_create(BASE, form == 0 ? MEMORY_BYTES : MEMORY_TAGS);
        struct memory_area *area = memory_alloc(on, 8 * 512, 512, true, false);
        memory_fill_tag(area, 512, 55, 6);
        memory_fill_tag(area, 0, 99, 0);
        uint64_t filled[] = {0, 55, 55, 55, 55, 55, 55, 0};
        for (unsigned i = 0; i < 8; i++) {
            uint64_t tag = 1;
            ck_assert(memory_get_tag(area, i * 512, &tag));
            ck_assert_uint_eq(tag, filled[i]);
        }
        /* then it holds these tags if it holds tags at all, and not others */
        ck_assert_int_eq(memory_holds_tags(area, 0, filled, 8), form == 1);
        ck_assert_int_eq(memory_holds_tags(area, 7 * 512, filled, 1), form == 1);
        filled[7] = 1;
        ck_assert(!memory_holds_tags(area, 0, filled, 8));
        memory_destroy(on);
    }
}
END_TEST

START_TEST(a_copy_within_an_area_may_overlap)
{
    for (unsigned form = 0; form < 2; form++) {
        struct memory *on = memory_create(BASE, form == 0 ? MEMORY_BYTES : MEMORY_TAGS);
        struct memory_area *area = memory_alloc(on, 8 * 512, 512, true, false);
        for (unsigned i = 0; i < 8; i++)
            memory_set_tag(area, i * 512, 100 + i);
        memory_copy(area, 512, area, 0, 5 * 512);
        static const uint64_t moved[] = {100, 100, 101, 102, 103, 104, 106, 107};
        for (unsigned i = 0; i < 8; i++) {
            uint64_t tag = 0;
            ck_assert(memory_get_tag(area, i * 512, &tag));
            ck_assert_uint_eq(tag, moved[i]);
        }
        memory_destroy(on);
    }
}
END_TEST

Suite *suite_memory(void)
{
    Suite *suite = suite_create("host memory");
    TCase *tcase = tcase_create("areas");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, addresses_have_the_alignment_asked_for_and_no_more);
    tcase_add_test(tcase, areas_lie_a_guard_page_apart);
    tcase_add_test(tcase, bus_addresses_depend_on_nothing_but_the_calls);
    tcase_add_test(tcase, freed_addresses_are_used_again);
    tcase_add_test(tcase, fresh_memory_is_zero);
    tcase_add_test(tcase, an_area_says_whether_it_is_cached);
    tcase_add_test(tcase, a_pointer_finds_its_area_from_end_to_end);
    tcase_add_test(tcase, a_freed_area_is_not_found);
    tcase_add_test(tcase, grants_are_revoked_with_the_same_values);
    tcase_add_loop_test(tcase, tags_and_bytes_are_the_same_contents, 0, 10);
    tcase_add_test(tcase, tags_are_filled_and_compared_many_at_a_time);
    tcase_add_test(tcase, a_copy_within_an_area_may_overlap);
    suite_add_tcase(suite, tcase);
    return suite;
}
