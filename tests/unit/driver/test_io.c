/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests: the entry that each kind builds (NVMe 1.4 sections 4.2, 6.8, 6.9, 6.15, 6.17), what is
 * refused, splitting in both ways, flush without a cache, and errors of single pieces.
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request request;

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static struct nvme_sqe *submit_one(void)
{
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 1);
    return &fake->queues[1].fetched[0];
}

START_TEST(read_entry)
{
    uint8_t *buffer;
    const struct nvme_sqe *sqe;

    fake->config.cid_generation = false;
    fake->config.cid_base = 1;
    start();
    buffer = fake_buffer(4096, 4096, 0);
    fake_registered(&request, NVME_OP_READ, 0x1234, 8, buffer);
    sqe = submit_one();
    ck_assert_uint_eq(sqe->command_nsid, 0x0000000100010002ull); /* NSID 1, CID 1, Read */
    ck_assert_uint_eq(sqe->prp1, fake_bus(buffer));
    ck_assert_uint_eq(sqe->prp2, 0);
    ck_assert_uint_eq(sqe->cdw10_11, 0x1234);
    ck_assert_uint_eq(sqe->cdw12_13, 7);
    fake_execute(sqe);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_mem_eq(buffer, fake_disk + 0x1234 * 512, 4096);
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq(request.status, 0);
}
END_TEST

START_TEST(short_and_general_path_build_the_same)
{
    static const enum nvme_op ops[] = {NVME_OP_READ, NVME_OP_WRITE};
    uint8_t *buffer;
    struct nvme_sqe first;

    fake->config.cid_generation = false;
    fake_unlock();
    start();
    buffer = fake_buffer(4096, 4096, 0);
    fake_registered(&request, ops[_i], FAKE_BLOCKS - 8, 8, buffer); /* the last blocks */
    first = *submit_one();
    fake_complete(1, 0, 0);
    nvme_poll(queue, 0);
    fake_request(&request, ops[_i], FAKE_BLOCKS - 8, 8, buffer); /* mapped: general */
    ck_assert_mem_eq(submit_one(), &first, sizeof(first));
}
END_TEST

START_TEST(fua)
{
    start();
    fake_registered(&request, _i ? NVME_OP_WRITE : NVME_OP_READ, 5, 3, fake_buffer(4096, 4096, 0));
    request.flags |= NVME_REQ_FUA;
    ck_assert_uint_eq(submit_one()->cdw12_13, 0x40000002);
}
END_TEST

START_TEST(write_zeroes_entry)
{
    const struct nvme_sqe *sqe;

    start();
    fake_request(&request, NVME_OP_WRITE_ZEROES, 77, 32000, NULL); /* beyond MDTS: no data moves */
    sqe = submit_one();
    ck_assert_uint_eq(fake_opcode(sqe), NVME_IO_WRITE_ZEROES);
    ck_assert_uint_eq(sqe->prp1 | sqe->prp2, 0);
    ck_assert_uint_eq(sqe->cdw10_11, 77);
    ck_assert_uint_eq(sqe->cdw12_13, 31999);
}
END_TEST

START_TEST(write_zeroes_splits_at_65536_blocks)
{
    fake->ns[0].blocks = 1u << 20;
    start();
    fake_request(&request, NVME_OP_WRITE_ZEROES, 0, 65537, NULL);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 2);
    ck_assert_uint_eq(fake->queues[1].fetched[0].cdw12_13, 65535);
    ck_assert_uint_eq(fake->queues[1].fetched[1].cdw12_13, 0);
    ck_assert_uint_eq(fake->queues[1].fetched[1].cdw10_11, 65536);
}
END_TEST

START_TEST(write_zeroes_unsupported)
{
    fake->oncs = 0;
    start();
    fake_request(&request, NVME_OP_WRITE_ZEROES, 0, 1, NULL);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_UNSUPPORTED);
}
END_TEST

START_TEST(flush_entry)
{
    const struct nvme_sqe *sqe;

    start();
    fake_request(&request, NVME_OP_FLUSH, 99, 99, NULL); /* lba and blocks are ignored */
    sqe = submit_one();
    ck_assert_uint_eq(fake_opcode(sqe), NVME_IO_FLUSH);
    ck_assert_uint_eq(sqe->command_nsid >> 32, 1);
    ck_assert_uint_eq(sqe->prp1 | sqe->prp2 | sqe->cdw10_11 | sqe->cdw12_13, 0);
}
END_TEST

START_TEST(flush_without_cache_needs_no_command)
{
    fake->vwc = 0;
    start();
    fake_request(&request, NVME_OP_FLUSH, 0, 0, NULL);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    ck_assert_uint_eq(fake_ended_count, 0); /* never from submit */
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_OK);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

START_TEST(flush_always)
{
    fake->vwc = 0;
    fake->config.flush_always = true;
    start();
    fake_request(&request, NVME_OP_FLUSH, 0, 0, NULL);
    ck_assert_uint_eq(fake_opcode(submit_one()), NVME_IO_FLUSH);
}
END_TEST

START_TEST(refused)
{
    static struct nvme_request last_blocks; /* ends after this function does */
    uint8_t *buffer;

    if (_i) /* the short path must leave all of these to the general one */
        fake_unlock();
    start();
    buffer = fake_buffer(1u << 20, 4096, 0);
#define SUBMIT(error_, change)                                                                     \
    do {                                                                                           \
        fake_registered(&request, NVME_OP_READ, 0, 8, buffer);                                     \
        request.buffer = buffer;                                                                   \
        change;                                                                                    \
        ck_assert_int_eq(nvme_submit(queue, &request), error_);                                    \
    } while (0)
    SUBMIT(NVME_E_INVAL, request.op = (enum nvme_op)(NVME_OP_RAW + 1));
    SUBMIT(NVME_E_UNSUPPORTED, request.op = NVME_OP_COMPARE); /* not in ONCS here */
    SUBMIT(NVME_E_INVAL, request.op = (enum nvme_op) - 1);
    SUBMIT(NVME_E_INVAL, request.flags |= 32);
    SUBMIT(NVME_E_INVAL, request.nsid = 0);
    SUBMIT(NVME_E_INVAL, request.nsid = 2);
    SUBMIT(NVME_E_INVAL, request.nsid = 0xFFFFFFFF);
    SUBMIT(NVME_E_INVAL, request.blocks = 0);
    SUBMIT(NVME_E_INVAL, request.bus += 2);
    SUBMIT(NVME_E_INVAL, (request.flags = 0, request.buffer = NULL));
    SUBMIT(NVME_E_INVAL, (request.flags = 0, request.buffer = buffer + 1)); /* no bounce buffers */
    SUBMIT(NVME_E_RANGE, request.lba = FAKE_BLOCKS - 7);
    SUBMIT(NVME_E_RANGE, request.lba = FAKE_BLOCKS);
    SUBMIT(NVME_E_RANGE, request.lba = UINT64_MAX);
    SUBMIT(NVME_E_RANGE, request.lba = UINT64_MAX - 7);
    SUBMIT(NVME_E_RANGE, request.blocks = UINT32_MAX);
    SUBMIT(NVME_E_RANGE, request.blocks = FAKE_BLOCKS + 1);
    SUBMIT(NVME_OK, request.lba = FAKE_BLOCKS - 8); /* just inside */
    fake_registered(&last_blocks, NVME_OP_READ, FAKE_BLOCKS - 1, 1, buffer);
    ck_assert_int_eq(nvme_submit(queue, &last_blocks), NVME_OK);
    ck_assert_uint_eq(nvme_in_flight(queue), 2);
    ck_assert_uint_eq(fake_ended_count, 0);
}
END_TEST

START_TEST(second_namespace)
{
    fake->ns_count = 2;
    fake->ns[1] = (struct fake_ns){.nsid = 7, .blocks = 10, .lba_shift = 12};
    start();
    fake_registered(&request, NVME_OP_READ, 9, 1, fake_buffer(4096, 4096, 0));
    request.nsid = 7;
    ck_assert_uint_eq(submit_one()->command_nsid >> 32, 7);
    request.lba = 10;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_RANGE);
}
END_TEST

START_TEST(error_status_travels)
{
    struct nvme_queue_stats stats;

    if (_i)
        fake_unlock();
    start();
    if (_i)
        fake_registered(&request, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    else
        fake_request(&request, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    submit_one();
    fake_complete(1, 0, 0x4281); /* do not retry, unrecovered read error */
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_int_eq(request.error, NVME_E_STATUS);
    ck_assert_uint_eq(request.status, 0x4281);
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.status_errors, 1);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
}
END_TEST

/* 600 blocks at 256 per command: 256, 256, 88. */
START_TEST(split_parallel)
{
    struct nvme_queue_stats stats;
    uint8_t *buffer;

    start();
    buffer = fake_buffer(600 * 512, 4096, 0);
    fake_registered(&request, NVME_OP_READ, 10, 600, buffer);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 0); /* a batch: the caller rings */
    nvme_ring(queue);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 1);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 3);
    ck_assert_uint_eq(fake->queues[1].fetched[2].cdw10_11, 522);
    ck_assert_uint_eq(fake->queues[1].fetched[2].cdw12_13, 87);
    for (uint32_t i = 0; i < 3; i++) { /* out of order; it ends with the last */
        fake_execute(&fake->queues[1].fetched[2 - i]);
        fake_complete(1, 2 - i, 0);
        ck_assert_uint_eq(fake_ended_count, 0);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_mem_eq(buffer, fake_disk + 10 * 512, 600 * 512);
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.splits, 1);
    ck_assert_uint_eq(stats.commands, 3);
    ck_assert_uint_eq(stats.direct, 3);
    ck_assert_uint_eq(stats.bytes_read, 600 * 512);
}
END_TEST

START_TEST(split_serial)
{
    uint8_t *buffer;

    fake->config.split = NVME_SPLIT_SERIAL;
    start();
    buffer = fake_buffer(600 * 512, 4096, 0);
    fake_request(&request, NVME_OP_READ, 10, 600, buffer);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    for (uint32_t piece = 0; piece < 3; piece++) { /* one at a time, each rung at once */
        ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), piece + 1);
        fake_fetch(1);
        ck_assert_uint_eq(fake->queues[1].in_flight, 1);
        ck_assert_uint_eq(fake->queues[1].fetched[0].cdw10_11, 10 + piece * 256);
        ck_assert_uint_eq(fake_ended_count, 0);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    }
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, false)), 3);
    ck_assert_mem_eq(buffer, fake_disk + 10 * 512, 600 * 512);
}
END_TEST

START_TEST(split_at_the_limit)
{
    struct nvme_queue_stats stats;

    start();
    fake_registered(&request, NVME_OP_READ, 0, 256 + (uint32_t)_i, fake_buffer(1u << 18, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    ck_assert_uint_eq(nvme_in_flight(queue), 1 + (uint32_t)_i);
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.splits, (uint32_t)_i);
}
END_TEST

START_TEST(split_serial_stops_at_an_error)
{
    fake->config.split = NVME_SPLIT_SERIAL;
    start();
    fake_registered(&request, NVME_OP_READ, 0, 600, fake_buffer(600 * 512, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    fake_run(1);
    nvme_poll(queue, 0);
    fake_fetch(1);
    fake_complete(1, 0, 0x0281);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_uint_eq(request.status, 0x0281);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 0); /* the third piece was never sent */
}
END_TEST

START_TEST(split_parallel_keeps_the_first_error)
{
    start();
    fake_registered(&request, NVME_OP_READ, 0, 600, fake_buffer(600 * 512, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    fake_complete(1, 1, 0x0281);
    fake_complete(1, 1, 0x0004);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_ended_count, 0);
    fake_complete(1, 0, 0);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_E_STATUS);
    ck_assert_uint_eq(request.status, 0x0281);
}
END_TEST

START_TEST(split_with_fewer_slots_than_pieces)
{
    uint8_t *buffer;

    fake->config.slots = 2; /* and full = reject: only whole requests are rejected */
    start();
    buffer = fake_buffer(2000 * 512, 4096, 0);
    fake_registered(&request, NVME_OP_READ, 3, 2000, buffer);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(fake_ended_count, 0);
        fake_run(1);
        ck_assert_uint_eq(nvme_poll(queue, 0), 2);
    }
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_mem_eq(buffer, fake_disk + 3 * 512, 2000 * 512);
}
END_TEST

START_TEST(failed_split_leaves_the_waiting_list)
{
    static struct nvme_request other; /* ends in the teardown */

    fake->config.slots = 2;
    start();
    fake_registered(&request, NVME_OP_READ, 0, 2000, fake_buffer(2000 * 512, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    fake_complete(1, 0, 0x0281); /* no further piece; one is still in flight */
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 0);
    fake_registered(&other, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &other), NVME_OK);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_ptr_eq(fake_ended[0], &request);
    ck_assert_uint_eq(request.status, 0x0281);
}
END_TEST

Suite *suite_io(void)
{
    Suite *suite = suite_create("driver requests");
    TCase *tcase = tcase_create("requests");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, read_entry);
    tcase_add_loop_test(tcase, short_and_general_path_build_the_same, 0, 2);
    tcase_add_loop_test(tcase, fua, 0, 2);
    tcase_add_test(tcase, write_zeroes_entry);
    tcase_add_test(tcase, write_zeroes_splits_at_65536_blocks);
    tcase_add_test(tcase, write_zeroes_unsupported);
    tcase_add_test(tcase, flush_entry);
    tcase_add_test(tcase, flush_without_cache_needs_no_command);
    tcase_add_test(tcase, flush_always);
    tcase_add_loop_test(tcase, refused, 0, 2);
    tcase_add_test(tcase, second_namespace);
    tcase_add_loop_test(tcase, error_status_travels, 0, 2);
    tcase_add_test(tcase, split_parallel);
    tcase_add_test(tcase, split_serial);
    tcase_add_loop_test(tcase, split_at_the_limit, 0, 2);
    tcase_add_test(tcase, split_serial_stops_at_an_error);
    tcase_add_test(tcase, split_parallel_keeps_the_first_error);
    tcase_add_test(tcase, split_with_fewer_slots_than_pieces);
    tcase_add_test(tcase, failed_split_leaves_the_waiting_list);
    suite_add_tcase(suite, tcase);
    return suite;
}
