/* SPDX-License-Identifier: BSD-2-Clause
 * Data pointers at random (NVMe 1.4 sections 4.3 and 4.4): SGLs that the test builds put every byte
 * where they say; lists of random bytes never make the controller read what they do not name. */
#include <stdlib.h>
#include <string.h>

#include "engine/rng.h"
#include "unit/nvme/rig_sgl.h"

#define PARTS       48u
#define BUFFER      (UINT64_C(1) << 20)
#define LISTS_BYTES UINT64_C(0x40000)
#define NAMES       65536u

static struct rig rig;
static struct rig_params params;
static struct rig_trace trace;
static struct rng rng;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.mdts = 9;
    params.ctrl.sgls = 1;
    params.ctrl.sgl_bit_bucket = 1;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(int seed)
{
    params.cc = 0x00460001 | (uint32_t)(seed % 3) << 7; /* pages of 4, 8, 16 KiB */
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    rng_init(&rng, (uint64_t)seed, "random pointers");
}

struct part {
    uint64_t at; /* 0: discarded */
    uint32_t bytes;
};

/* Cuts `bytes` into parts at increasing places of the buffer, with gaps. */
static unsigned cut(struct part *parts, uint64_t buffer, uint32_t bytes, bool buckets)
{
    uint64_t at = buffer + rng_below(&rng, 64);
    unsigned n = 0;

    while (bytes > 0) {
        uint32_t most = n + 1 == PARTS ? bytes : 1 + bytes / (1 + (uint32_t)rng_below(&rng, 8));
        uint32_t part = n + 1 == PARTS ? bytes : (uint32_t)rng_below(&rng, most + 1);
        bool bucket = buckets && rng_below(&rng, 4) == 0;

        if (part > bytes)
            part = bytes;
        parts[n++] = (struct part){bucket ? 0 : at, part};
        at += part + rng_below(&rng, 3) * rng_below(&rng, 200);
        bytes -= part;
    }
    return n;
}

/* Lays the parts out as segments at random places; the descriptor that leads to the first. */
static struct rig_sgl build(const struct part *parts, unsigned n, uint64_t lists)
{
    struct rig_sgl first = {0};
    uint64_t link = 0, at = lists;
    unsigned done = 0;

    while (done < n) {
        unsigned here = 1 + (unsigned)rng_below(&rng, n - done);
        bool last = done + here == n;
        struct rig_sgl leads;

        at += 8 * rng_below(&rng, 600);
        leads = (struct rig_sgl){at, 16 * (here + !last), last ? RIG_LAST_SEGMENT : RIG_SEGMENT};
        if (link == 0)
            first = leads;
        else
            rig_put_sgl(&rig, link, leads.identifier, leads.address, leads.length);
        for (unsigned i = 0; i < here; i++, done++)
            at = rig_put_sgl(&rig, at, parts[done].at == 0 ? RIG_BIT_BUCKET : RIG_DATA_BLOCK,
                             parts[done].at, parts[done].bytes);
        link = at;
        at += 16;
        ck_assert_uint_lt(at, lists + LISTS_BYTES);
    }
    return first;
}

static uint8_t content(uint32_t i, unsigned round)
{
    return (uint8_t)(i * 7 + (i >> 9) + round + 1);
}

START_TEST(decode_equals_build)
{
    static struct part from[PARTS], to[PARTS];
    static const uint64_t lines[] = {0, 16, 64, 256, 4096};
    uint64_t out = RIG_DATA, back = RIG_DATA + BUFFER;

    params.tags = _i % 2 == 0;
    params.ctrl.sgl_longer = (uint64_t)_i % 2;
    params.ctrl.list_fetch_bytes = lines[_i % 5];
    params.ctrl.list_cache_entries = _i % 5 == 0 ? 1 : 1 + (uint64_t)_i % 3;
    open_rig(_i);
    for (unsigned round = 0; round < 12; round++) {
        uint32_t blocks = 1 + (uint32_t)rng_below(&rng, round % 3 == 0 ? 1200 : 20);
        unsigned n = cut(from, out, blocks * 512, false);
        unsigned m = cut(to, back, blocks * 512, true);
        uint64_t wrong = 0;
        uint32_t at = 0;

        memset(rig_at(&rig, back), 0x5a, BUFFER);
        for (unsigned i = 0; i < n; i++) {
            for (uint32_t j = 0; j < from[i].bytes; j++)
                *rig_at(&rig, from[i].at + j) = content(at++, round);
        }
        ck_assert_uint_eq(rig_io_sgl(&rig, 1, 77, blocks, build(from, n, RIG_LISTS)), 0);
        ck_assert_uint_eq(
            rig_io_sgl(&rig, 2, 77, blocks, build(to, m, RIG_LISTS + LISTS_BYTES / 2)), 0);
        at = 0;
        for (unsigned i = 0; i < m; at += to[i++].bytes) {
            for (uint32_t j = 0; j < to[i].bytes && to[i].at != 0; j++) {
                uint8_t *byte = rig_at(&rig, to[i].at + j);

                wrong += *byte != content(at + j, round);
                *byte = 0x5a;
            }
        }
        for (uint64_t i = 0; i < BUFFER; i++)
            wrong += rig.memory[back - RIG_BASE + i] != 0x5a;
        ck_assert_uint_eq(wrong, 0);
    }
}
END_TEST

/* ---- hostile lists: what they name ---- */

static struct {
    uint64_t from, to;
} names[NAMES];
static uint32_t name_count;

static void name(uint64_t from, uint64_t bytes)
{
    if (bytes == 0 || name_count == NAMES)
        return;
    names[name_count].from = from;
    names[name_count++].to = from + bytes < from ? UINT64_MAX : from + bytes;
}

static bool is_named(uint64_t bus, uint64_t bytes)
{
    for (uint32_t i = 0; i < name_count; i++) {
        if (bus >= names[i].from && bus + bytes <= names[i].to)
            return true;
    }
    return false;
}

static uint64_t qword_at(const uint8_t *memory, uint64_t bus)
{
    uint64_t value = 0;

    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | memory[bus - RIG_BASE + i];
    return value;
}

/* What a list says, taken as SGL descriptors on any qword, or as PRP entries. `memory`: as it was
 * when the command began; its data may have gone over the list since. */
static void name_what_it_says(const uint8_t *memory, const struct rig_access *list, bool sgl,
                              uint64_t page)
{
    uint64_t end = list->bus + list->bytes;

    if (list->bus < RIG_BASE || end > RIG_BASE + RIG_BYTES)
        return;
    for (uint64_t at = list->bus; at + 8 <= end; at += 8) {
        if (!sgl)
            name(qword_at(memory, at), page);
        else if (at + 16 <= end)
            name(qword_at(memory, at), qword_at(memory, at + 8) & 0xffffffff);
    }
}

/* A pointer that is likely to lead somewhere: to lists, to data, rarely anywhere. */
static uint64_t random_pointer(uint64_t page, bool aligned)
{
    uint64_t base = rng_below(&rng, 2) == 0 ? RIG_LISTS : RIG_DATA;

    if (rng_below(&rng, 50) == 0)
        return rng_next(&rng);
    return base + rng_below(&rng, LISTS_BYTES / page) * page +
           (aligned ? 0 : rng_below(&rng, page / 8) * 8);
}

static void fill_lists(bool sgl, uint64_t page)
{
    /* Mostly data, so that some SGLs are good by chance. */
    static const uint8_t kinds[] = {RIG_SEGMENT, RIG_LAST_SEGMENT, RIG_BIT_BUCKET, RIG_DATA_BLOCK};

    for (uint64_t at = RIG_LISTS; at < RIG_LISTS + LISTS_BYTES; at += 16) {
        if (sgl) {
            uint64_t kind = rng_below(&rng, 9);

            rig_put_sgl(&rig, at, kinds[kind < 3 ? kind : 3], random_pointer(page, false),
                        (uint32_t)(16 * rng_below(&rng, 32)));
        } else {
            rig_put64(&rig, at, random_pointer(page, true));
            rig_put64(&rig, at + 8, random_pointer(page, true));
        }
    }
}

static struct rig_cmd hostile(uint8_t opcode, bool sgl, uint64_t page)
{
    uint32_t blocks = 1 + (uint32_t)rng_below(&rng, sgl ? 1 : 200);
    uint64_t prp1 = random_pointer(page, false), prp2 = random_pointer(page, false);
    struct rig_sgl first = {prp1, 16 * (uint32_t)(1 + rng_below(&rng, 8)), RIG_SEGMENT};
    struct rig_cmd cmd = {
        .opcode = opcode, .nsid = 1, .prp1 = prp1, .prp2 = prp2, .cdw12 = blocks - 1};

    if (sgl) {
        name(first.address, first.length);
        return rig_sgl_cmd(opcode, 0, blocks, first);
    }
    name(prp1, page - prp1 % page);
    name(prp2, page - prp2 % page);
    return cmd;
}

/* Lists are read exactly (no lines), so that every access can be held against what the command or a
 * list that was read before it names. */
START_TEST(nothing_is_touched_that_is_not_named)
{
    bool sgl = _i % 2 == 0;
    uint64_t page = UINT64_C(4096) << _i % 3;
    uint8_t *before = malloc(RIG_BYTES);
    unsigned succeeded = 0;

    ck_assert_ptr_nonnull(before);
    params.ctrl.sgl_descriptors = 200;
    params.ctrl.sgl_longer = 1;
    open_rig(_i);
    rig_trace_begin(&rig, &trace);
    for (unsigned round = 0; round < 100; round++) {
        struct rig_cmd cmd;

        fill_lists(sgl, page);
        memcpy(before, rig.memory, RIG_BYTES);
        name_count = 0;
        name(rig.queue[1].sq, 16 * 64);
        name(rig.queue[1].cq, 16 * 16);
        cmd = hostile((uint8_t)(1 + round % 2), sgl, page);
        trace.count = 0;
        succeeded += rig_do(&rig, 1, &cmd, NULL) == 0;
        ck_assert_uint_lt(trace.count, RIG_ACCESSES);
        for (uint32_t i = 0; i < trace.count; i++) {
            const struct rig_access *access = &trace.accesses[i];

            if (!is_named(access->bus, access->bytes))
                ck_abort_msg("round %u: %u bytes at %llx", round, access->bytes,
                             (unsigned long long)access->bus);
            if (!access->writes && access->bus - rig.queue[1].sq >= 16 * 64)
                name_what_it_says(before, access, sgl, page);
        }
    }
    ck_assert_uint_gt(succeeded, 0);
    free(before);
}
END_TEST

Suite *suite_pointers_random(void)
{
    Suite *suite = suite_create("nvme data pointers at random");
    TCase *tc = tcase_create("random");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, decode_equals_build, 0, 10);
    tcase_add_loop_test(tc, nothing_is_touched_that_is_not_named, 0, 6);
    suite_add_tcase(suite, tc);
    return suite;
}
