/* SPDX-License-Identifier: BSD-2-Clause
 * Namespaces made, attached, formatted, detached and deleted in any order (NVMe 1.4 sections 5.19,
 * 5.20, 5.23, 8.12): after each step lists, sizes and unallocated capacity are those of a record
 * kept by the test, and no namespace has another one's data. */
#include <string.h>

#include "unit/nvme/rig_namespace.h"

enum { MIB = 1 << 20, NN = 6, CAPACITY_MIB = 24, STEPS = 400 };

static struct rig rig;

/* Of one NSID; mark: in its first and last block. */
struct record {
    bool allocated, attached, marked;
    uint32_t mib;
    unsigned lbaf;
    uint8_t mark;
};
static struct record records[NN + 1];
static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static uint64_t blocks_of(const struct record *record)
{
    return (uint64_t)record->mib * MIB >> (record->lbaf == 0 ? 9 : 12);
}

static void expect_mark(uint32_t nsid)
{
    const struct record *record = &records[nsid];
    uint64_t at[2] = {0, blocks_of(record) - 1};

    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(rig_block(&rig, 2, nsid, at[i], RIG_DATA), 0);
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 511), record->marked ? record->mark : 0);
    }
}

static void mark(uint32_t nsid)
{
    struct record *record = &records[nsid];

    expect_mark(nsid);
    record->mark = (uint8_t)(1 + draw(255));
    record->marked = true;
    memset(rig_at(&rig, RIG_DATA), record->mark, 4096);
    ck_assert_uint_eq(rig_block(&rig, 1, nsid, 0, RIG_DATA), 0);
    ck_assert_uint_eq(rig_block(&rig, 1, nsid, blocks_of(record) - 1, RIG_DATA), 0);
}

static void create(void)
{
    struct record new = {.allocated = true, .mib = 1 + draw(8), .lbaf = draw(2)};
    uint64_t blocks = blocks_of(&new);
    uint32_t nsid = 0, expected = 1, used = 0;
    uint16_t status = rig_ns_create(
        &rig, &(struct rig_ns){.nsze = blocks, .ncap = blocks, .flbas = (uint8_t) new.lbaf}, &nsid);

    while (expected <= NN && records[expected].allocated)
        expected++;
    for (uint32_t i = 1; i <= NN; i++)
        used += records[i].allocated ? records[i].mib : 0;
    if (status == 0x116) {
        ck_assert_uint_gt(expected, NN);
        return;
    }
    if (status == 0x115) { /* perhaps only for want of a contiguous place */
        ck_assert(used > 0);
        return;
    }
    ck_assert_uint_eq(status, 0);
    ck_assert_uint_eq(nsid, expected);
    ck_assert_uint_le(used + new.mib, CAPACITY_MIB);
    records[nsid] = new;
}

static void change(uint32_t nsid, uint32_t what)
{
    struct record *record = &records[nsid];
    unsigned lbaf = draw(2);
    uint16_t status;

    switch (what) {
    case 0:
        status = rig_ns_attach(&rig, nsid, 0);
        ck_assert_uint_eq(status, !record->allocated ? 0x002 : record->attached ? 0x118 : 0);
        record->attached = record->allocated;
        break;
    case 1:
        status = rig_ns_detach(&rig, nsid, 0);
        ck_assert_uint_eq(status, !record->allocated ? 0x002 : record->attached ? 0 : 0x11a);
        record->attached = false;
        break;
    case 2:
        status = rig_ns_delete(&rig, nsid);
        ck_assert_uint_eq(status, record->allocated ? 0 : 0x002);
        *record = (struct record){.allocated = false};
        break;
    case 3:
        status = rig_admin(&rig, 0x80, nsid, lbaf, 0, NULL);
        ck_assert_uint_eq(status, record->attached ? 0 : 0x002);
        if (status == 0) {
            record->lbaf = lbaf;
            record->marked = false;
        }
        break;
    default:
        if (record->attached)
            mark(nsid);
        break;
    }
}

static void expect_lists(void)
{
    for (uint32_t cns = 0x02; cns <= 0x10; cns += 0x0e) {
        unsigned at = 0;

        ck_assert_uint_eq(rig_identify(&rig, cns, 0), 0);
        for (uint32_t nsid = 1; nsid <= NN; nsid++) {
            if (cns == 0x02 ? records[nsid].attached : records[nsid].allocated)
                ck_assert_uint_eq(rig_field(&rig, 4 * at++, 4), nsid);
        }
        ck_assert(rig_rest_is_zero(&rig, 4 * at));
    }
}

static void expect_sizes(void)
{
    uint64_t used = 0;

    for (uint32_t nsid = 1; nsid <= NN; nsid++) {
        const struct record *record = &records[nsid];

        ck_assert_uint_eq(rig_identify(&rig, 0x11, nsid), 0);
        ck_assert_uint_eq(rig_field(&rig, 0, 8), record->allocated ? blocks_of(record) : 0);
        ck_assert_uint_eq(rig_field(&rig, 48, 8), (uint64_t)record->mib * MIB);
        used += (uint64_t)record->mib * MIB;
    }
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 280, 8), CAPACITY_MIB * MIB);
    ck_assert_uint_eq(rig_field(&rig, 296, 8), CAPACITY_MIB * MIB - used);
}

START_TEST(any_order)
{
    struct rig_params params;

    rig_defaults(&params);
    params.ctrl.namespace_size = 4 * MIB;
    params.ctrl.namespaces_max = NN;
    params.ctrl.capacity = CAPACITY_MIB * MIB;
    params.ctrl.oacs_ns_management = params.ctrl.oacs_format = 1;
    params.tags = _i % 2 == 1;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    memset(records, 0, sizeof records);
    records[1] = (struct record){.allocated = true, .attached = true, .mib = 4};
    seed = (uint32_t)_i;
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t what = draw(8);

        if (what >= 6)
            create();
        else
            change(1 + draw(NN), what);
        expect_lists();
        expect_sizes();
        for (uint32_t nsid = 1; nsid <= NN; nsid++) {
            if (records[nsid].attached)
                expect_mark(nsid);
            else
                ck_assert_uint_eq(rig_block(&rig, 2, nsid, 0, RIG_DATA), 0x002);
        }
    }
    rig_close(&rig);
}
END_TEST

Suite *suite_namespace_life(void)
{
    Suite *suite = suite_create("nvme namespaces in any order");
    TCase *tc = tcase_create("namespace life");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, any_order, 0, 8);
    suite_add_tcase(suite, tc);
    return suite;
}
