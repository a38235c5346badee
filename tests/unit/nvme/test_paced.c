/* SPDX-License-Identifier: BSD-2-Clause
 * The controller on a link whose transfers take turns packet by packet (link.detail = tlp), beside
 * the same at detail line. On one lane on which a byte takes 4000 ps, so that data dominates.
 * Memory writes keep their order as far as somebody can see it (PCI Express Base 3.1, 2.4.1): an
 * entry is seen behind its data (7.2.3), entries of one queue in order (4.1), a message behind its
 * entry (7.5). */
#include <string.h>

#include "engine/rng.h"
#include "unit/nvme/rig_sgl.h"

#define BYTE_PS     UINT64_C(4000)
#define HEADER      24u /* of a write or a request; of a completion 20 */
#define ENTRY       16u
#define PROPAGATION UINT64_C(150000)
#define QUEUES      3u
#define SLOTS       16u
#define LONG_BLOCKS 1024u /* 512 KiB */

enum { WRITE = 0x01, READ = 0x02 };
#define LINE LINK_LINE
#define TLP  LINK_TLP

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.mdts = 0;
    params.ctrl.completion.amount = 100000;
    params.link = (struct link_params){.kind = LINK_PCIE,
                                       .detail = LINK_TLP,
                                       .generation = 1,
                                       .lanes = 1,
                                       .max_payload = 256,
                                       .max_read_request = 512,
                                       .completion_payload = 64,
                                       .completion_boundary = 64,
                                       .tags = 32,
                                       .propagation = PROPAGATION,
                                       .memory_latency = 120000,
                                       .packet_overhead = HEADER,
                                       .completion_overhead = 20,
                                       .dllp_bytes = 8};
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(unsigned detail)
{
    params.link.detail = detail;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 4);
    for (unsigned q = 1; q <= QUEUES; q++)
        rig_create_queue(&rig, q, SLOTS, (uint16_t)q);
    rig_settle(&rig);
}

static void reopen(unsigned detail)
{
    rig_close(&rig);
    open_rig(detail);
}

/* Pages of the data one behind the other, in the given 1 MiB of memory. */
static void put(unsigned queue, uint8_t opcode, uint16_t cid, uint32_t blocks, unsigned place)
{
    uint64_t data = RIG_DATA + ((uint64_t)place << 20);
    uint64_t list = RIG_LISTS + place * UINT64_C(0x1000);
    uint32_t pages = (blocks * 512 + 4095) / 4096;

    for (uint32_t i = 1; i < pages; i++)
        rig_put64(&rig, list + (i - 1) * UINT64_C(8), data + i * UINT64_C(4096));
    rig_put(&rig, queue,
            &(struct rig_cmd){.opcode = opcode,
                              .cid = cid,
                              .nsid = 1,
                              .prp1 = data,
                              .prp2 = pages == 2 ? data + 4096 : list,
                              .cdw12 = blocks - 1});
}

/* When queue's next completion is there, from now on. */
static uint64_t until_done(unsigned queue)
{
    uint64_t from = rig_now(&rig);
    struct rig_cqe cqe;

    while (!rig_take(&rig, queue, &cqe))
        ck_assert(engine_step(rig.engine));
    ck_assert_uint_eq(cqe.status, 0);
    return rig_now(&rig) - from;
}

static uint64_t time_of(unsigned detail, uint8_t opcode, uint32_t blocks)
{
    uint64_t ps;

    reopen(detail);
    put(1, opcode, 0, blocks, 0);
    rig_ring(&rig, 1);
    ps = until_done(1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.messages[1], 1);
    return ps;
}

/* ---- one command ---- */

START_TEST(alone_a_command_takes_what_it_takes_at_detail_line)
{
    static const uint32_t sizes[] = {1, 8, 9, 16, 17, 256, LONG_BLOCKS};

    open_rig(LINE);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert_uint_eq(time_of(TLP, READ, sizes[i]), time_of(LINE, READ, sizes[i]));
        ck_assert_uint_eq(time_of(TLP, WRITE, sizes[i]), time_of(LINE, WRITE, sizes[i]));
    }
}
END_TEST

START_TEST(the_way_of_one_read)
{
    /* doorbell down, request up, 64-byte completion down, two packets of data up, entry up */
    uint64_t doorbell = (HEADER + 4) * BYTE_PS + PROPAGATION;
    uint64_t fetch = (HEADER + 20 + 64) * BYTE_PS + 2 * PROPAGATION + 120000;
    uint64_t data = (512 + 2 * HEADER) * BYTE_PS;
    uint64_t entry = (ENTRY + HEADER) * BYTE_PS + PROPAGATION;

    open_rig(TLP);
    ck_assert_uint_eq(time_of(TLP, READ, 1), doorbell + fetch + data + entry);
}
END_TEST

START_TEST(an_engine_slower_than_the_link_sets_the_pace)
{
    uint64_t fast[2], slow[2];

    open_rig(LINE);
    for (unsigned w = 0; w < 2; w++)
        fast[w] = time_of(TLP, w != 0 ? WRITE : READ, 8);
    params.ctrl.dma_bandwidth = 10000000; /* 4 KiB in 409.6 us */
    for (unsigned w = 0; w < 2; w++) {
        slow[w] = time_of(TLP, w != 0 ? WRITE : READ, 8);
        ck_assert_uint_eq(slow[w], time_of(LINE, w != 0 ? WRITE : READ, 8));
        ck_assert_uint_gt(slow[w], UINT64_C(409600000));
        ck_assert_uint_lt(fast[w], UINT64_C(30000000));
    }
}
END_TEST

/* 4 KiB in five pieces (4.4), of which a read throws one away. */
static uint64_t time_of_pieces(unsigned detail, uint8_t opcode)
{
    static const uint32_t pieces[] = {512, 100, 4, 2968, 512};
    uint64_t at = RIG_LISTS, data = RIG_DATA;
    struct rig_cmd cmd;

    reopen(detail);
    for (unsigned i = 0; i < 5; i++) {
        bool is_bucket = opcode == READ && i == 1;

        at = rig_put_sgl(&rig, at, is_bucket ? RIG_BIT_BUCKET : RIG_DATA_BLOCK, data, pieces[i]);
        data += pieces[i] + 4;
    }
    cmd = rig_sgl_cmd(opcode, 0, 8, (struct rig_sgl){RIG_LISTS, 80, RIG_LAST_SEGMENT});
    rig_put(&rig, 1, &cmd);
    rig_ring(&rig, 1);
    return until_done(1);
}

START_TEST(all_parts_of_an_sgl_are_waited_for)
{
    params.ctrl.sgls = 1;
    params.ctrl.sgl_bit_bucket = true;
    open_rig(LINE);
    ck_assert_uint_eq(time_of_pieces(TLP, READ), time_of_pieces(LINE, READ));
    ck_assert_uint_eq(time_of_pieces(TLP, WRITE), time_of_pieces(LINE, WRITE));
}
END_TEST

/* ---- several ---- */

/* A long read in queue 1, and when it is under way, a short one in queue 2; when that is done. */
static uint64_t short_beside_long(unsigned detail, uint8_t opcode, uint64_t *long_ps)
{
    uint64_t from, short_ps;

    reopen(detail);
    put(1, opcode, 0, LONG_BLOCKS, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    from = rig_now(&rig);
    put(2, READ, 0, 8, 1);
    rig_ring(&rig, 2);
    short_ps = until_done(2);
    until_done(1);
    *long_ps = rig_now(&rig) - from;
    return short_ps;
}

START_TEST(a_short_read_does_not_wait_for_a_long_one)
{
    /* 512 KiB are 2048 packets of 1.12 us */
    uint64_t short_line, short_tlp, long_line, long_tlp;

    open_rig(LINE);
    short_line = short_beside_long(LINE, READ, &long_line);
    short_tlp = short_beside_long(TLP, READ, &long_tlp);
    /* its 16 packets and an entry take turns with as many of the long one's */
    ck_assert_uint_gt(short_tlp, 32 * 280 * BYTE_PS);
    ck_assert_uint_lt(short_tlp, 38 * 280 * BYTE_PS);
    /* at detail line its fetch already stands behind all of the long one */
    ck_assert_uint_gt(short_line, 2048 * 280 * BYTE_PS - 100 * RIG_US);
    /* and the long one pays for it with that much, and no more */
    ck_assert_uint_lt(long_tlp, long_line + 20 * 280 * BYTE_PS);
}
END_TEST

START_TEST(reads_do_not_wait_for_the_tags_of_writes)
{
    /* given requests of 512 KiB to be written, in the same queue, with one tag */
    uint64_t short_ps, long_ps;

    params.link.tags = 1;
    open_rig(TLP);
    put(1, WRITE, 0, LONG_BLOCKS, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    put(1, READ, 1, 8, 1);
    rig_ring(&rig, 1);
    short_ps = until_done(1);
    long_ps = short_ps + until_done(1);
    ck_assert_uint_lt(short_ps, 100 * RIG_US);
    ck_assert_uint_gt(long_ps, 2000 * RIG_US);
}
END_TEST

/* What was seen of each command, from the records. */
struct seen {
    struct stream_reader reader;
    uint64_t given_ps[QUEUES + 1][64]; /* by queue and CID: data given to the link */
    uint32_t bytes[QUEUES + 1][64];
    uint16_t slot[QUEUES + 1]; /* of the next entry */
    unsigned entries;
};

static uint64_t wire_ps(uint32_t bytes)
{
    return (bytes + (bytes + 255) / 256 * HEADER) * BYTE_PS;
}

static void see(void *ctx, const struct stream_record *record)
{
    struct seen *seen = ctx;
    uint32_t queue = (uint32_t)(record->b >> 16), cid = record->b & 63;

    if (record->kind == RECORD_STAGE && record->a == STAGE_TRANSFER) {
        seen->given_ps[queue][cid] = record->time_ps;
    } else if (record->kind == RECORD_CQE) {
        ck_assert_uint_eq(record->a, queue << 16 | seen->slot[queue]);
        seen->slot[queue] = (uint16_t)((seen->slot[queue] + 1) % SLOTS);
        ck_assert_uint_ge(record->time_ps, seen->given_ps[queue][cid] +
                                               wire_ps(seen->bytes[queue][cid]) + wire_ps(ENTRY) +
                                               PROPAGATION);
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
    open_rig(TLP);
    stream_add(engine_stream(rig.engine), &seen.reader);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned q = 1; q <= QUEUES; q++) {
            uint32_t n = 1 + (uint32_t)rng_below(&rng, 7);

            for (uint32_t i = 0; i < n; i++, count++) {
                uint16_t cid = (uint16_t)(round % 2 * 8 + i);
                uint32_t blocks = 1 + (uint32_t)rng_below(&rng, rng_below(&rng, 4) == 0 ? 256 : 3);

                seen.bytes[q][cid] = blocks * 512;
                put(q, READ, cid, blocks, q);
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

    open_rig(TLP);
    for (uint16_t i = 0; i < SLOTS - 1; i++)
        put(1, READ, i, i % 3 == 0 ? 16 : 1, 0);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    for (uint16_t i = 0; i < 8; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
    }
    /* eight more wait, since the heads were not told */
    for (uint16_t i = 0; i < 8; i++)
        put(1, READ, (uint16_t)(SLOTS - 1 + i), i % 3 == 0 ? 16 : 1, 0);
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
    open_rig(TLP);
    put(1, READ, 0, LONG_BLOCKS, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 100 * RIG_US);
    put(2, READ, 0, 1, 1);
    rig_ring(&rig, 2);
    until_done(2);
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
            put(q, READ, i, 1, 0);
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

    open_rig(LINE);
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
    open_rig(TLP);
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
    put(4, READ, 0x77, 16, 0);
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

START_TEST(a_limit_of_transfers_on_their_way_holds)
{
    /* given an engine for one transfer at a time: the second read begins when the first has ended
     */
    uint64_t one, two[2];

    open_rig(LINE);
    params.ctrl.dma_outstanding = 1;
    one = time_of(TLP, READ, 8);
    ck_assert_uint_eq(one, time_of(LINE, READ, 8));
    for (unsigned detail = LINE; detail <= TLP; detail++) {
        reopen(detail);
        put(1, READ, 0, 8, 0);
        put(1, READ, 1, 8, 0);
        rig_ring(&rig, 1);
        two[detail] = until_done(1);
        two[detail] += until_done(1);
    }
    ck_assert_uint_gt(two[TLP], one + (4096 + 16 * HEADER) * BYTE_PS);
    /* the first entry goes behind the second read's data, which was reserved as a whole before it
     */
    ck_assert_uint_ge(two[TLP], two[LINE]);
    ck_assert_uint_le(two[TLP], two[LINE] + wire_ps(ENTRY));
}
END_TEST

/* ---- resets ---- */

/* Commands of every kind on their way; none of their data arrives any more. */
static void begin_much(void)
{
    put(1, READ, 0, 256, 0);
    put(1, WRITE, 1, 256, 1);
    put(2, WRITE, 0, 256, 2);
    put(2, READ, 1, 17, 3);
    put(3, READ, 0, 1, 4);
    for (unsigned q = 1; q <= QUEUES; q++)
        rig_ring(&rig, q);
}

START_TEST(a_reset_leaves_nothing_of_what_was_on_its_way)
{
    /* given CC.EN cleared (7.3.2) after so many events */
    uint64_t writes;
    struct rig_cqe cqe;
    bool running = true;

    open_rig(TLP);
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
        put(1, READ, 7, 17, 0);
        ck_assert(!rig_take(&rig, 1, &cqe));
        rig_ring(&rig, 1);
        until_done(1);
        rig_settle(&rig);
        ck_assert(!rig_take(&rig, 1, &cqe));
    }
}
END_TEST

Suite *suite_paced(void)
{
    Suite *suite = suite_create("paced");
    TCase *tcase = tcase_create("paced");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, alone_a_command_takes_what_it_takes_at_detail_line);
    tcase_add_test(tcase, the_way_of_one_read);
    tcase_add_test(tcase, an_engine_slower_than_the_link_sets_the_pace);
    tcase_add_test(tcase, all_parts_of_an_sgl_are_waited_for);
    tcase_add_test(tcase, a_short_read_does_not_wait_for_a_long_one);
    tcase_add_test(tcase, reads_do_not_wait_for_the_tags_of_writes);
    tcase_add_loop_test(tcase, no_entry_comes_before_its_data_or_out_of_order, 0, 6);
    tcase_add_test(tcase, entries_that_waited_for_room_keep_their_order);
    tcase_add_test(tcase, a_message_comes_behind_its_entry);
    tcase_add_test(tcase, fetches_keep_the_order_of_arbitration);
    tcase_add_test(tcase, an_entry_in_the_controller_memory_buffer_comes_after_the_data_too);
    tcase_add_test(tcase, a_limit_of_transfers_on_their_way_holds);
    tcase_add_test(tcase, a_reset_leaves_nothing_of_what_was_on_its_way);
    suite_add_tcase(suite, tcase);
    return suite;
}
