/* SPDX-License-Identifier: BSD-2-Clause
 * The controller's records: complete, in order of time for each command, never ahead of the engine,
 * and without influence on the run. */
#include <string.h>

#include "unit/nvme/rig.h"

#define RECORDS_MAX 4096u

static struct rig rig;
static struct rig_params params;
static struct stream_record records[RECORDS_MAX];
static unsigned count;
static struct stream_reader reader;

static void on_record(void *ctx, const struct stream_record *record)
{
    (void)ctx;
    ck_assert_uint_lt(count, RECORDS_MAX);
    ck_assert_uint_eq(record->source, 3);
    ck_assert_uint_le(record->time_ps, engine_now(rig.engine));
    records[count++] = *record;
}

static void setup(void)
{
    rig_defaults(&params);
    params.link.kind = LINK_PCIE;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 50 * RIG_US;
    params.media.write_latency = 10 * RIG_US;
    params.media.flush_latency = 30 * RIG_US;
    params.media.units = 2;
    params.ctrl.doorbell_latency.amount = 20 * RIG_NS;
    params.ctrl.fetch_setup.amount = 20 * RIG_NS;
    params.ctrl.decode.amount = 50 * RIG_NS;
    params.ctrl.list_setup.amount = 20 * RIG_NS;
    params.ctrl.dma_setup.amount = 30 * RIG_NS;
    params.ctrl.completion.amount = 30 * RIG_NS;
    params.ctrl.interrupt.amount = 20 * RIG_NS;
    rig_open_on(&rig, &params, engine_create(1), 3);
    rig.owns_engine = true;
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    rig_settle(&rig);
    count = 0;
    reader = (struct stream_reader){.read = on_record, .kinds = UINT64_MAX};
    stream_add(engine_stream(rig.engine), &reader);
}

static void teardown(void)
{
    stream_remove(engine_stream(rig.engine), &reader);
    rig_close(&rig);
}

/* Times at which the command entered each stage, 0 if it did not; its CQE last. */
static void stages_of(uint64_t command, uint64_t times_ps[RECORD_STAGES + 1])
{
    memset(times_ps, 0, (RECORD_STAGES + 1) * sizeof times_ps[0]);
    for (unsigned i = 0; i < count; i++) {
        if (records[i].kind == RECORD_STAGE && records[i].b == command)
            times_ps[records[i].a] = records[i].time_ps;
        if (records[i].kind == RECORD_CQE && records[i].b == command)
            times_ps[RECORD_STAGES] = records[i].time_ps;
    }
}

static void put(uint8_t opcode, uint16_t cid, uint32_t blocks)
{
    for (unsigned i = 0; i < 31; i++)
        rig_put64(&rig, RIG_LISTS + 8 * i, RIG_DATA + 0x1000 * (i + 1));
    rig_put(&rig, 1,
            &(struct rig_cmd){.opcode = opcode,
                              .cid = cid,
                              .nsid = 1,
                              .prp1 = RIG_DATA,
                              .prp2 = blocks > 16 ? RIG_LISTS : RIG_DATA + 0x1000,
                              .cdw10 = 8,
                              .cdw12 = blocks - 1});
}

/* opcode, blocks, the stages in the order of time */
static const struct {
    uint8_t opcode;
    uint32_t blocks;
    int order[10];
} paths[] = {
    {2,
     8,
     {STAGE_DOORBELL, STAGE_FETCH, STAGE_DECODE, STAGE_MEDIA, STAGE_TRANSFER, STAGE_COMPLETE,
      STAGE_CQE, RECORD_STAGES, -1}},
    {2,
     256,
     {STAGE_DOORBELL, STAGE_FETCH, STAGE_DECODE, STAGE_LIST, STAGE_MEDIA, STAGE_TRANSFER,
      STAGE_COMPLETE, STAGE_CQE, RECORD_STAGES, -1}},
    {1,
     256,
     {STAGE_DOORBELL, STAGE_FETCH, STAGE_DECODE, STAGE_LIST, STAGE_TRANSFER, STAGE_MEDIA,
      STAGE_COMPLETE, STAGE_CQE, RECORD_STAGES, -1}},
    {0,
     1,
     {STAGE_DOORBELL, STAGE_FETCH, STAGE_DECODE, STAGE_MEDIA, STAGE_COMPLETE, STAGE_CQE,
      RECORD_STAGES, -1}},
    {8,
     64,
     {STAGE_DOORBELL, STAGE_FETCH, STAGE_DECODE, STAGE_MEDIA, STAGE_COMPLETE, STAGE_CQE,
      RECORD_STAGES, -1}},
    {99,
     1,
     {STAGE_DOORBELL, STAGE_FETCH, STAGE_DECODE, STAGE_COMPLETE, STAGE_CQE, RECORD_STAGES, -1}},
};

START_TEST(stages_are_complete_and_in_order)
{
    uint64_t times_ps[RECORD_STAGES + 1];
    uint64_t arrived_ps = 0;
    unsigned present = 0;

    rig_for(&rig, RIG_US);
    put(paths[_i].opcode, 0x44, paths[_i].blocks);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    for (unsigned i = 0; i < count; i++) {
        if (records[i].kind == RECORD_DOORBELL)
            arrived_ps = records[i].time_ps;
    }
    stages_of(1 << 16 | 0x44, times_ps);
    ck_assert_uint_eq(times_ps[STAGE_DOORBELL], arrived_ps);
    for (unsigned i = 0, last = 0; i < count; i++) { /* delivered in the order of their times */
        bool is_its_own = (records[i].kind == RECORD_DMA && records[i].d == (1 << 16 | 0x44)) ||
                          ((records[i].kind == RECORD_STAGE || records[i].kind == RECORD_CQE ||
                            records[i].kind == RECORD_COMMAND) &&
                           records[i].b == (1 << 16 | 0x44));

        if (!is_its_own)
            continue;
        ck_assert_uint_ge(records[i].time_ps, last == 0 ? 0 : records[last].time_ps);
        last = i;
    }
    for (unsigned i = 0; paths[_i].order[i] >= 0; i++) {
        ck_assert_uint_ne(times_ps[paths[_i].order[i]], 0);
        if (i > 0)
            ck_assert_uint_ge(times_ps[paths[_i].order[i]], times_ps[paths[_i].order[i - 1]]);
        present++;
    }
    for (unsigned i = 0; i <= RECORD_STAGES; i++)
        present -= times_ps[i] != 0;
    ck_assert_uint_eq(present, 0); /* and no others */
    ck_assert_uint_eq(times_ps[STAGE_FETCH] - times_ps[STAGE_DOORBELL], 20 * RIG_NS);
}
END_TEST

START_TEST(waiting_for_the_medium_is_a_stage)
{
    uint64_t times_ps[RECORD_STAGES + 1];

    for (uint16_t i = 0; i < 3; i++)
        put(2, i, 1);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    stages_of(1 << 16 | 1, times_ps);
    ck_assert_uint_eq(times_ps[STAGE_MEDIA_WAIT], 0);
    stages_of(1 << 16 | 2, times_ps);
    ck_assert_uint_gt(times_ps[STAGE_MEDIA], times_ps[STAGE_MEDIA_WAIT]);
    ck_assert_uint_ge(times_ps[STAGE_MEDIA_WAIT], times_ps[STAGE_DECODE]);
}
END_TEST

START_TEST(operands_say_what_happened)
{
    unsigned seen[RECORD_KINDS] = {0};
    uint64_t moved = 0;

    put(2, 9, 24);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    for (unsigned i = 0; i < count; i++) {
        const struct stream_record *r = &records[i];

        seen[r->kind]++;
        if (r->kind == RECORD_DOORBELL)
            ck_assert(r->a == 0 && r->b == 1 && r->c == 1);
        if (r->kind == RECORD_FETCH)
            ck_assert(r->a == 0 && r->b == 1 << 16);
        if (r->kind == RECORD_COMMAND)
            ck_assert(r->a == 2 && r->b == (1 << 16 | 9) && r->c == 8 &&
                      r->d == (UINT64_C(1) << 32 | 24));
        if (r->kind == RECORD_CQE)
            ck_assert(r->a == 1 << 16 && r->b == (1 << 16 | 9) && r->c == 0 && r->d == 1);
        if (r->kind == RECORD_DMA && r->a == 1)
            moved += r->c;
    }
    ck_assert_uint_eq(seen[RECORD_DOORBELL], 1);
    ck_assert_uint_eq(seen[RECORD_FETCH], 1);
    ck_assert_uint_eq(seen[RECORD_COMMAND], 1);
    ck_assert_uint_eq(seen[RECORD_CQE], 1);
    ck_assert_uint_eq(seen[RECORD_IRQ], 1);
    ck_assert_uint_eq(seen[RECORD_DMA], 1 + 1 + 3 + 1); /* entry, list, three pages, CQE */
    ck_assert_uint_eq(moved, 24 * 512 + 16);
}
END_TEST

START_TEST(status_changes_are_recorded)
{
    rig_write32(&rig, 0x14, 0x00464001);
    rig_settle(&rig);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    unsigned n = 0;
    static const uint64_t csts[] = {5, 9, 1, 0};
    for (unsigned i = 0; i < count; i++) {
        if (records[i].kind == RECORD_CSTS)
            ck_assert_uint_eq(records[i].c, csts[n++]);
    }
    ck_assert_uint_eq(n, 4);
}
END_TEST

START_TEST(nobody_reading_changes_nothing)
{
    uint64_t end_ps[2];

    for (unsigned way = 0; way < 2; way++) {
        for (uint16_t i = 0; i < 10; i++)
            put((uint8_t)(1 + i % 2), i, 1 + i * 20u);
        rig_ring(&rig, 1);
        rig_settle(&rig);
        end_ps[way] = rig_now(&rig);
        teardown();
        setup();
        if (way == 0)
            reader.kinds = 0;
        stream_remove(engine_stream(rig.engine), &reader);
        stream_add(engine_stream(rig.engine), &reader);
    }
    ck_assert_uint_eq(end_ps[0], end_ps[1]);
}
END_TEST

Suite *suite_records(void)
{
    Suite *suite = suite_create("nvme records");
    TCase *tc = tcase_create("records");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, stages_are_complete_and_in_order, 0, sizeof paths / sizeof paths[0]);
    tcase_add_test(tc, waiting_for_the_medium_is_a_stage);
    tcase_add_test(tc, operands_say_what_happened);
    tcase_add_test(tc, status_changes_are_recorded);
    tcase_add_test(tc, nobody_reading_changes_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}
