/* SPDX-License-Identifier: BSD-2-Clause
 * What must keep its order at link.detail = tlp. Memory writes do as far as somebody can see it
 * (PCI Express Base 3.1, 2.4.1): an entry is seen behind its data (7.2.3), entries of one queue in
 * order (4.1), a message behind its entry (7.5). And what a reset leaves of it: nothing. */
#include <string.h>

#include "engine/rng.h"
#include "unit/nvme/rig_paced.h"

#define LONG_BLOCKS 2048u /* 1 MiB */

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_paced_defaults(&params);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void reopen(unsigned detail)
{
    rig_close(&rig);
    rig_paced_open(&rig, &params, detail);
}

/* What was seen of each command, from the records. */
struct seen {
    struct stream_reader reader;
    uint64_t given_ps[QUEUES + 1][64]; /* by queue and CID: data given to the link */
    uint64_t last_ps[QUEUES + 1][64];  /* its last record, which none precedes */
    uint32_t bytes[QUEUES + 1][64];
    uint16_t slot[QUEUES + 1]; /* of the next entry */
    unsigned entries;
};

static void see(void *ctx, const struct stream_record *record)
{
    struct seen *seen = ctx;
    uint32_t queue = (uint32_t)(record->b >> 16), cid = record->b & 63;

    if (record->kind != RECORD_STAGE || record->a != STAGE_DOORBELL)
        ck_assert_uint_ge(record->time_ps, seen->last_ps[queue][cid]);
    seen->last_ps[queue][cid] = record->time_ps;
    if (record->kind == RECORD_STAGE && record->a == STAGE_TRANSFER) {
        seen->given_ps[queue][cid] = record->time_ps;
    } else if (record->kind == RECORD_CQE) {
        ck_assert_uint_eq(record->a, queue << 16 | seen->slot[queue]);
        seen->slot[queue] = (uint16_t)((seen->slot[queue] + 1) % SLOTS);
        ck_assert_uint_ge(record->time_ps, seen->given_ps[queue][cid] +
                                               rig_paced_wire_ps(seen->bytes[queue][cid]) +
                                               rig_paced_wire_ps(ENTRY) + PROPAGATION);
        seen->entries++;
    }
}

START_TEST(no_entry_comes_before_its_data_or_out_of_order)
{
    /* given reads of random sizes in three queues, none of them empty for long */
    struct seen seen = {
        .reader = {.read = see,
                   .ctx = &seen,
                   .kinds = UINT64_C(1) << RECORD_STAGE | UINT64_C(1) << RECORD_CQE}};
    unsigned count = 0;
    struct rng rng;

    rng_init(&rng, 1 + (uint64_t)_i, "sizes");
    params.ctrl.completion.amount = _i % 2 != 0 ? 0 : 100000; /* entries ready with their data */
    rig_paced_open(&rig, &params, TLP);
    stream_add(engine_stream(rig.engine), &seen.reader);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned q = 1; q <= QUEUES; q++) {
            uint32_t n = 1 + (uint32_t)rng_below(&rng, 7);

            for (uint32_t i = 0; i < n; i++, count++) {
                uint16_t cid = (uint16_t)(round % 2 * 8 + i);
                uint32_t blocks = 1 + (uint32_t)rng_below(&rng, rng_below(&rng, 4) == 0 ? 256 : 3);

                seen.bytes[q][cid] = blocks * 512;
                rig_paced_put(&rig, q, READ, cid, blocks, q);
            }
            rig_ring(&rig, q);
            rig_for(&rig, rng_below(&rng, 20 * RIG_US));
        }
        rig_settle(&rig);
        for (unsigned q = 1; q <= QUEUES; q++) {
            struct rig_cqe cqe;

            while (rig_take(&rig, q, &cqe))
                ck_assert_uint_eq(cqe.status, 0);
            rig_ring_cq(&rig, q);
        }
    }
    rig_settle(&rig);
    ck_assert_uint_eq(seen.entries, count);
    stream_remove(engine_stream(rig.engine), &seen.reader);
}
END_TEST

START_TEST(entries_that_waited_for_room_keep_their_order)
{
    /* given more reads than the completion queue has room for (4.1.2) */
    struct rig_cqe cqe;

    rig_paced_open(&rig, &params, TLP);
    for (uint16_t i = 0; i < SLOTS - 1; i++)
        rig_paced_put(&rig, 1, READ, i, i % 3 == 0 ? 16 : 1, 0);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    for (uint16_t i = 0; i < 8; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
    }
    /* eight more wait, since the heads were not told */
    for (uint16_t i = 0; i < 8; i++)
        rig_paced_put(&rig, 1, READ, (uint16_t)(SLOTS - 1 + i), i % 3 == 0 ? 16 : 1, 0);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    rig_ring_cq(&rig, 1);
    rig_settle(&rig);
    for (uint16_t i = 8; i < SLOTS - 1 + 8; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
    }
}
END_TEST

START_TEST(a_message_comes_behind_its_entry)
{
    /* given a long read in another queue, whose packets are on the way in front of it */
    rig_paced_open(&rig, &params, TLP);
    rig_paced_put(&rig, 1, READ, 0, LONG_BLOCKS, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    rig_paced_put(&rig, 2, READ, 0, 1, 1);
    rig_ring(&rig, 2);
    rig_paced_until_done(&rig, 2);
    ck_assert_uint_eq(rig.messages[2], 0);
    /* one packet of the long one at most goes before the message */
    rig_for(&rig, (280 + HEADER + 4) * BYTE_PS + PROPAGATION);
    ck_assert_uint_eq(rig.messages[2], 1);
    ck_assert_uint_eq(rig.messages[1], 0);
}
END_TEST

/* Queue numbers in the order in which commands come to the decoder. */
struct order {
    struct stream_reader reader;
    char queues[64];
    unsigned count;
};

static void note(void *ctx, const struct stream_record *record)
{
    struct order *order = ctx;

    order->queues[order->count++] = (char)('0' + (record->b >> 16));
}

static void order_of(unsigned detail, struct order *order)
{
    *order = (struct order){.reader = {.read = note, .ctx = order}};
    order->reader.kinds = UINT64_C(1) << RECORD_COMMAND;
    reopen(detail);
    for (unsigned q = 1; q <= QUEUES; q++) {
        for (uint16_t i = 0; i < 10; i++)
            rig_paced_put(&rig, q, READ, i, 1, 0);
        rig_ring(&rig, q);
    }
    stream_add(engine_stream(rig.engine), &order->reader);
    rig_settle(&rig);
    stream_remove(engine_stream(rig.engine), &order->reader);
}

START_TEST(fetches_keep_the_order_of_arbitration)
{
    /* given three queues with turns of up to eight commands, read four by four (4.13.1) */
    struct order line, tlp;

    rig_paced_open(&rig, &params, LINE);
    order_of(LINE, &line);
    order_of(TLP, &tlp);
    ck_assert_uint_eq(tlp.count, 30);
    ck_assert_str_eq(tlp.queues, line.queues);
    ck_assert_ptr_nonnull(strstr(tlp.queues, "2222222233333333"));
}
END_TEST

START_TEST(an_entry_in_the_controller_memory_buffer_comes_after_the_data_too)
{
    /* given a completion queue that no link leads to (4.7), and reads by a host of the buffer */
    const uint64_t cba = UINT64_C(0x7700000000), at = cba + 0x1000;
    uint64_t given_ps, offset;
    uint32_t dword = 0;

    params.ctrl.cmb_size = 0x40000;
    params.ctrl.cmb_cqs = params.ctrl.cmb_sqs = 1;
    rig_paced_open(&rig, &params, TLP);
    rig_write64(&rig, 0x50, cba | 3); /* CMBMSC */
    rig_settle(&rig);
    offset = (uint64_t)(rig_read32(&rig, 0x38) >> 12) * 4096 + 0x1000;
    rig_put(&rig, 0,
            &(struct rig_cmd){.opcode = 5, .prp1 = at, .cdw10 = 15u << 16 | 4, .cdw11 = 1});
    rig_put(&rig, 0,
            &(struct rig_cmd){.opcode = 1,
                              .prp1 = RIG_IO_SQ + 4 * RIG_STEP,
                              .cdw10 = 15u << 16 | 4,
                              .cdw11 = 4u << 16 | 1});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    rig.queue[4] = (struct rig_queue){.sq = RIG_IO_SQ + 4 * RIG_STEP, .sq_size = 16, .qid = 4};
    rig_paced_put(&rig, 4, READ, 0x77, 16, 0);
    given_ps = rig_now(&rig);
    rig_ring(&rig, 4);
    while ((dword >> 16 & 1) == 0) { /* the phase tag */
        ck_assert(engine_step(rig.engine));
        dword = rig_read32(&rig, offset + 12);
    }
    ck_assert_uint_eq(dword, 0x10077);
    ck_assert_uint_gt(rig_now(&rig) - given_ps, (8192 + 32 * HEADER) * BYTE_PS + PROPAGATION);
}
END_TEST

/* ---- resets ---- */

/* Commands of every kind on their way; none of their data arrives any more. */
static void begin_much(void)
{
    rig_paced_put(&rig, 1, READ, 0, 256, 0);
    rig_paced_put(&rig, 1, WRITE, 1, 256, 1);
    rig_paced_put(&rig, 2, WRITE, 0, 256, 2);
    rig_paced_put(&rig, 2, READ, 1, 17, 3);
    rig_paced_put(&rig, 3, READ, 0, 1, 4);
    for (unsigned q = 1; q <= QUEUES; q++)
        rig_ring(&rig, q);
}

START_TEST(a_reset_leaves_nothing_of_what_was_on_its_way)
{
    /* given CC.EN cleared (7.3.2) after so many events */
    uint64_t writes;
    struct rig_cqe cqe;
    bool running = true;

    rig_paced_open(&rig, &params, TLP);
    for (unsigned events = 0; running; events += events < 60 ? 1 : 97) {
        reopen(TLP);
        begin_much();
        for (unsigned i = 0; i < events && running; i++)
            running = engine_step(rig.engine);
        rig_write32(&rig, 0x14, params.cc & ~1u);
        rig_for(&rig, 1000000); /* the write has arrived */
        writes = rig.dma_writes;
        rig_settle(&rig);
        ck_assert_uint_eq(rig.dma_writes, writes);
        memset(rig.memory, 0, 0x100000);
        rig_enable(&rig);
        rig_msix_enable(&rig, 4);
        rig_create_queue(&rig, 1, SLOTS, 1);
        rig_paced_put(&rig, 1, READ, 7, 17, 0);
        ck_assert(!rig_take(&rig, 1, &cqe));
        rig_ring(&rig, 1);
        rig_paced_until_done(&rig, 1);
        rig_settle(&rig);
        ck_assert(!rig_take(&rig, 1, &cqe));
    }
}
END_TEST

Suite *suite_paced_order(void)
{
    Suite *suite = suite_create("paced order");
    TCase *tcase = tcase_create("paced order");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, no_entry_comes_before_its_data_or_out_of_order, 0, 6);
    tcase_add_test(tcase, entries_that_waited_for_room_keep_their_order);
    tcase_add_test(tcase, a_message_comes_behind_its_entry);
    tcase_add_test(tcase, fetches_keep_the_order_of_arbitration);
    tcase_add_test(tcase, an_entry_in_the_controller_memory_buffer_comes_after_the_data_too);
    tcase_add_test(tcase, a_reset_leaves_nothing_of_what_was_on_its_way);
    suite_add_tcase(suite, tcase);
    return suite;
}
