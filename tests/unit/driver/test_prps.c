/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pure functions of the data path: PRPs as a property (decode(build(x)) = x for random offsets,
 * lengths, pages and segmentations, NVMe 1.4 section 4.3), and the bounce rules at their limits for
 * both published configurations.
 */
#include "fake.h"
#include "suites.h"

#include "internal.h"

#define LIST_PAGES 64u

/* ---- PRPs alone ---- */

static uint64_t lists[LIST_PAGES * 8192];
static struct nvme_segment input[40000];
static struct nvme_segment output[70000];
static uint64_t seed = 88172645463325252ull;

static uint32_t random_below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % limit);
}

/* What a controller reads from PRP1, PRP2 and the list: parts of at most a page. */
static uint32_t decode(const struct nvme_dptr *prps, uint64_t bytes)
{
    uint64_t page = 1ull << prps->page_shift;
    uint64_t part = page - (prps->prp1 & (page - 1));
    uint32_t count = 0;
    uint64_t at = prps->prp2;

    part = part < bytes ? part : bytes;
    output[count++] = (struct nvme_segment){prps->prp1, (uint32_t)part};
    bytes -= part;
    if (bytes == 0)
        ck_assert_uint_eq(prps->prp2, 0);
    if (bytes != 0 && bytes <= page) {
        ck_assert_uint_eq(prps->prp2 & (page - 1), 0);
        output[count++] = (struct nvme_segment){prps->prp2, (uint32_t)bytes};
        return count;
    }
    while (bytes != 0) {
        uint64_t entry = fake_le64(lists[(at - prps->list_bus) / 8]);
        uint64_t in_page = at & (page - 1);

        ck_assert_uint_lt(at - prps->list_bus, (uint64_t)prps->list_pages << prps->page_shift);
        ck_assert_uint_eq(entry & (page - 1), 0);
        if (in_page == page - 8 && bytes > page) {
            at = entry;
            continue;
        }
        part = bytes < page ? bytes : page;
        output[count++] = (struct nvme_segment){entry, (uint32_t)part};
        bytes -= part;
        at += 8;
    }
    return count;
}

/* Every byte is where it was meant to be. */
static void compare(const struct nvme_dptr *prps, uint32_t segments, uint64_t bytes)
{
    uint32_t parts = decode(prps, bytes);
    uint32_t part = 0;

    for (uint32_t i = 0; i < segments; i++) {
        uint64_t bus = input[i].bus;
        uint32_t left = input[i].bytes;

        for (; left != 0; part++) {
            ck_assert_uint_lt(part, parts);
            ck_assert_uint_eq(output[part].bus, bus);
            ck_assert_uint_le(output[part].bytes, left);
            bus += output[part].bytes;
            left -= output[part].bytes;
        }
    }
    ck_assert_uint_eq(part, parts);
}

static int build(struct nvme_dptr *prps, uint32_t segments)
{
    memset(lists, 0xEE, sizeof(lists));
    return nvme_prps_build(prps, input, segments);
}

/* One segment of every length around every boundary, on 4 KiB pages. */
START_TEST(prps_of_one_segment)
{
    static const uint32_t pages[] = {1,    2,    3,    511,  512,  513, 514,
                                     1023, 1024, 1025, 1535, 1536, 2046};
    static const int32_t around[] = {-4, 0, 4, 512};
    static const uint32_t offsets[] = {0, 4, 512, 2048, 4092};

    for (uint32_t p = 0; p < sizeof(pages) / sizeof(pages[0]); p++)
        for (uint32_t a = 0; a < 4; a++)
            for (uint32_t o = 0; o < 5; o++) {
                struct nvme_dptr prps = {lists, 0x700000000ull, 5, 12, 1, 1, 0, 0, 0};
                uint32_t bytes = (uint32_t)((int32_t)(pages[p] * 4096) + around[a]);
                uint32_t touched = (offsets[o] + bytes + 4095) / 4096;

                input[0] = (struct nvme_segment){0x123456000ull + offsets[o], bytes};
                ck_assert_int_eq(build(&prps, 1), NVME_OK);
                ck_assert_uint_eq(prps.entries, touched > 2 ? touched - 1 : 0);
                /* n entries need ceil((n - 1) / 511) pages: each but the last gives one away */
                ck_assert_uint_eq(prps.used_pages, touched > 2 ? (touched - 2 + 510) / 511 : 0);
                compare(&prps, 1, bytes);
            }
}
END_TEST

START_TEST(prps_of_random_segments)
{
    for (uint32_t round = 0; round < 400; round++) {
        uint32_t shift = 12 + random_below(3);
        uint32_t page = 1u << shift;
        uint32_t count = 1 + random_below(round % 10 ? 6 : 1500);
        struct nvme_dptr prps = {lists, 0x500000000ull, LIST_PAGES, shift, 1, 1, 0, 0, 0};
        uint64_t bytes = 0;

        for (uint32_t i = 0; i < count; i++) {
            uint32_t offset = i == 0 ? random_below(page / 4) * 4 : 0;
            uint32_t size = (1 + random_below(9)) * page - offset;

            if (i + 1 == count)
                size = 1 + random_below(size);
            input[i] =
                (struct nvme_segment){((uint64_t)random_below(1u << 30) << shift) + offset, size};
            bytes += size;
        }
        ck_assert_int_eq(build(&prps, count), NVME_OK);
        compare(&prps, count, bytes);
    }
}
END_TEST

START_TEST(prps_room)
{
    struct nvme_dptr prps = {lists, 0x500000000ull, 2, 12, 0, 0, 0, 0, 0};

    input[0] = (struct nvme_segment){0x1000, 1024 * 4096}; /* 511 + 512 entries after PRP1 */
    ck_assert_int_eq(build(&prps, 1), NVME_OK);
    ck_assert_uint_eq(prps.used_pages, 2);
    compare(&prps, 1, 1024 * 4096);
    input[0].bytes += 4;
    ck_assert_int_eq(build(&prps, 1), NVME_E_INVAL);
    prps.list_pages = 0;
    input[0].bytes = 8192;
    ck_assert_int_eq(build(&prps, 1), NVME_OK); /* two pages need no list */
    input[0].bytes = 8196;
    ck_assert_int_eq(build(&prps, 1), NVME_E_INVAL);
}
END_TEST

START_TEST(prps_refuse_what_they_cannot_say)
{
    struct nvme_dptr prps = {lists, 0x500000000ull, 2, 12, 0, 0, 0, 0, 0};

    ck_assert_int_eq(build(&prps, 0), NVME_E_INVAL);
    input[0] = (struct nvme_segment){0x1002, 512}; /* PRP1 is dword aligned */
    ck_assert_int_eq(build(&prps, 1), NVME_E_INVAL);
    input[0] = (struct nvme_segment){0x1000, 0};
    ck_assert_int_eq(build(&prps, 1), NVME_E_INVAL);
    input[0] = (struct nvme_segment){0x1000, 512}; /* ends inside a page, but is not the last */
    input[1] = (struct nvme_segment){0x2000, 512};
    ck_assert_int_eq(build(&prps, 2), NVME_E_INVAL);
    input[0] = (struct nvme_segment){0x1000, 4096}; /* starts inside a page, but is not the first */
    input[1] = (struct nvme_segment){0x2200, 512};
    ck_assert_int_eq(build(&prps, 2), NVME_E_INVAL);
    input[0] = (struct nvme_segment){0x1E00, 512};
    input[1] = (struct nvme_segment){0x9000, 512};
    ck_assert_int_eq(build(&prps, 2), NVME_OK);
    ck_assert_uint_eq(prps.prp2, 0x9000);
    input[0] = (struct nvme_segment){0x1E00, 1024}; /* one segment over a page boundary */
    ck_assert_int_eq(build(&prps, 1), NVME_OK);
    ck_assert_uint_eq(prps.prp2, 0x2000);
    input[0] = (struct nvme_segment){0x1004, UINT32_MAX}; /* no overflow of 32 bits */
    ck_assert_int_eq(build(&prps, 1), NVME_E_INVAL);
}
END_TEST

/* ---- the rules ---- */

/* offset from a page boundary, bytes, bounced by 1.61 (all up to 64 KiB), by 1.65 (8 KiB and page)
 */
static const struct {
    uint32_t offset, bytes;
    bool v161, v165;
} rules[] = {
    {0, 512, true, true},     {0, 4095, true, true},     {0, 4096, true, true},
    {0, 8191, true, true},    {0, 8192, true, false},    {0, 8193, true, false},
    {512, 8192, true, true},  {2048, 65536, true, true}, {0, 65536, true, false},
    {0, 65537, false, false}, {16, 65536, true, true},   {16, 65537, false, false},
    {4, 8191, true, true},    {0, 131072, false, false},
};

START_TEST(rules_at_their_limits)
{
    struct nvme_config v161 = {.bounce_bytes = 65536}, v165 = {.bounce_bytes = 65536};
    enum nvme_dir dir = _i ? NVME_TO_DEVICE : NVME_FROM_DEVICE;

    v161.read = v161.write = (struct nvme_transfer_policy){65537, 1};
    v165.read = v165.write = (struct nvme_transfer_policy){8192, 4096};
    for (uint32_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        ck_assert_int_eq(
            nvme_data_bounces(&v161, dir, 0x10000 + rules[i].offset, rules[i].bytes, 3),
            rules[i].v161);
        ck_assert_int_eq(
            nvme_data_bounces(&v165, dir, 0x10000 + rules[i].offset, rules[i].bytes, 3),
            rules[i].v165);
    }
    v165.bounce_bytes = 0; /* nothing to bounce with */
    ck_assert(!nvme_data_bounces(&v165, dir, 0x10001, 512, 3));
}
END_TEST

START_TEST(rules_by_direction)
{
    struct nvme_config config = {.bounce_bytes = 8192, .read = {4096, 1}, .write = {0, 4096}};

    ck_assert(nvme_data_bounces(&config, NVME_FROM_DEVICE, 0x1004, 4092, 3));
    ck_assert(!nvme_data_bounces(&config, NVME_FROM_DEVICE, 0x1004, 4096, 3));
    ck_assert(nvme_data_bounces(&config, NVME_TO_DEVICE, 0x1004, 4096, 3));
    ck_assert(!nvme_data_bounces(&config, NVME_TO_DEVICE, 0x1000, 512, 3));
    ck_assert(
        nvme_data_bounces(&config, NVME_FROM_DEVICE, 0x1002, 8192, 3)); /* not a dword's address */
    ck_assert(!nvme_data_bounces(&config, NVME_FROM_DEVICE, 0x1002, 8192, 0)); /* SGLs: any byte */
}
END_TEST

Suite *suite_prps(void)
{
    Suite *suite = suite_create("driver prps");
    TCase *prps = tcase_create("prps");

    tcase_set_timeout(prps, 60);
    tcase_add_test(prps, prps_of_one_segment);
    tcase_add_test(prps, prps_of_random_segments);
    tcase_add_test(prps, prps_room);
    tcase_add_test(prps, prps_refuse_what_they_cannot_say);
    tcase_add_loop_test(prps, rules_at_their_limits, 0, 2);
    tcase_add_test(prps, rules_by_direction);
    suite_add_tcase(suite, prps);
    return suite;
}
