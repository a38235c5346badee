/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operations beside read, write and flush: the entry that each builds, what is refused, and what
 * becomes several commands (NVMe 1.4 sections 4.2, 6.6, 6.7, 6.14, 6.17); raw commands, and the
 * words of an entry that only they use.
 */
#include "fake.h"
#include "suites.h"

#define ONCS_ALL (1u << 0 | 1u << 2 | 1u << 3 | 1u << 7)

static struct nvme_queue *queue;
static struct nvme_request request;
static struct nvme_raw raw;

static void start(void)
{
    fake->oncs = ONCS_ALL;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static const struct nvme_sqe *submit(uint32_t commands)
{
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, commands);
    return fake->queues[1].fetched;
}

static void finish(void)
{
    do
        fake_run(1);
    while (nvme_poll(queue, 0) != 0);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    ck_assert_uint_eq((uintptr_t)request.user, 1);
}

static void raw_request(uint8_t opcode, uint32_t nsid, uint32_t bytes, enum nvme_dir dir)
{
    fake_request(&request, NVME_OP_RAW, 0, 0, fake_buffer(8192, 4096, 0));
    raw = (struct nvme_raw){.command = {.opcode = opcode, .nsid = nsid}, bytes, dir};
    request.raw = &raw;
    request.nsid = 77; /* not looked at */
}

START_TEST(compare_moves_data_to_the_controller_and_reports_a_difference)
{
    uint8_t *buffer;
    const struct nvme_sqe *sqe;
    struct nvme_queue_stats stats;

    start();
    buffer = fake_buffer(4096, 4096, 0);
    memcpy(buffer, fake_disk + 8 * 512, 4096);
    fake_request(&request, NVME_OP_COMPARE, 8, 8, buffer);
    sqe = submit(1);
    ck_assert_uint_eq(sqe->command_nsid & 0xFF, 0x05);
    ck_assert_uint_eq(sqe->cdw10_11, 8);
    ck_assert_uint_eq(sqe->cdw12_13, 7);
    ck_assert_int_eq(fake->map_dir, NVME_TO_DEVICE);
    finish();
    ck_assert_int_eq(request.error, NVME_OK);
    buffer[4095] ^= 1;
    fake_request(&request, NVME_OP_COMPARE, 8, 8, buffer);
    submit(1);
    finish();
    ck_assert_int_eq(request.error, NVME_E_STATUS);
    ck_assert_uint_eq(request.status, 0x285); /* Compare Failure (4.6.1.2.3) */
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.bytes_read + stats.bytes_written, 0);
    ck_assert_uint_eq(stats.direct, 2);
}
END_TEST

START_TEST(compare_by_bounce_copies_before_and_not_after)
{
    fake->config.bounce_bytes = 4096;
    fake->config.write.direct_min_bytes = 4097;
    start();
    fake_request(&request, NVME_OP_COMPARE, 0, 8, fake_buffer(4096, 4096, 0));
    memcpy(request.buffer, fake_disk, 4096);
    submit(1);
    ck_assert_uint_eq(fake->copies, 1);
    finish();
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq(fake->copies, 1);
}
END_TEST

START_TEST(verify_moves_no_data_and_has_no_limit_but_its_field)
{
    const struct nvme_sqe *sqe;
    struct nvme_queue_stats stats;

    fake->ns[0].blocks = 1u << 20;
    start();
    fake_request(&request, NVME_OP_VERIFY, 1, 65537, NULL);
    sqe = submit(2);
    ck_assert_uint_eq(sqe[0].command_nsid & 0xFF, 0x0C);
    ck_assert_uint_eq(sqe[0].prp1 | sqe[0].prp2, 0);
    ck_assert_uint_eq(sqe[0].cdw12_13, 65535);
    ck_assert_uint_eq(sqe[1].cdw10_11, 65537);
    ck_assert_uint_eq(sqe[1].cdw12_13, 0);
    finish();
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.direct + stats.bounced, 0);
    ck_assert_uint_eq(stats.splits, 1);
}
END_TEST

START_TEST(deallocate_without_ranges_is_the_one_range)
{
    const struct nvme_sqe *sqe;
    const uint64_t *range;

    start();
    fake_request(&request, NVME_OP_DEALLOCATE, FAKE_BLOCKS - 9, 9, NULL);
    sqe = submit(1);
    ck_assert_uint_eq(sqe->command_nsid & 0xC0FF, 0x09); /* PRP */
    ck_assert_uint_eq(sqe->cdw10_11, 4ull << 32);        /* one range, AD */
    range = fake_cpu(sqe->prp1, 16);
    ck_assert_uint_eq(fake_le64(range[0]), 9ull << 32);
    ck_assert_uint_eq(fake_le64(range[1]), FAKE_BLOCKS - 9);
    memset(fake_disk + (FAKE_BLOCKS - 10) * 512, 0xAB, 10 * 512);
    finish();
    ck_assert_uint_eq(fake_disk[(FAKE_BLOCKS - 9) * 512 - 1], 0xAB);
    ck_assert_uint_eq(fake_disk[(FAKE_BLOCKS - 9) * 512], 0);
    ck_assert_uint_eq(fake_disk[FAKE_BLOCKS * 512 - 1], 0);
}
END_TEST

/* Genode's driver cut such a count down and reported success (facts: failure mode 8). */
START_TEST(a_count_of_32_bits_is_never_truncated)
{
    const struct nvme_sqe *sqe;
    struct nvme_range range = {5, 0xFFFFFFFFu};

    fake->ns[0].blocks = 1ull << 40;
    fake->config.slots = 63;
    fake->config.io_depth = 64;
    start();
    fake_request(&request, NVME_OP_DEALLOCATE, 0, 0, NULL);
    request.ranges = &range;
    request.vector_count = 1;
    sqe = submit(1);
    ck_assert_uint_eq(fake_le64(((uint64_t *)fake_cpu(sqe->prp1, 16))[0]), 0xFFFFFFFFull << 32);
    fake_complete(1, 0, 0);
    nvme_poll(queue, 0);
    fake_request(&request, NVME_OP_WRITE_ZEROES, 7, 65536 * 3 + 1, NULL); /* NLB has 16 bits */
    sqe = submit(4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(sqe[i].cdw10_11, 7 + 65536ull * i);
        ck_assert_uint_eq(sqe[i].cdw12_13 & 0xFFFF, i < 3 ? 65535 : 0);
    }
}
END_TEST

/* At the limit of one command and past it. */
START_TEST(ranges_are_256_to_a_command)
{
    static const uint32_t counts[] = {1, 255, 256, 257, 512, 600};
    static struct nvme_range ranges[600];
    uint32_t count = counts[_i], commands = (count + 255) / 256;
    const struct nvme_sqe *sqe;
    uint32_t seen = 0;

    fake->platform.flags = 0;
    start();
    for (uint32_t i = 0; i < count; i++)
        ranges[i] = (struct nvme_range){i * 3, 1 + i % 2};
    fake_request(&request, NVME_OP_DEALLOCATE, 0, 0, NULL);
    request.ranges = ranges;
    request.vector_count = (uint16_t)count;
    sqe = submit(commands);
    ck_assert_uint_eq(fake->sync_count, commands); /* each list, for the device */
    for (uint32_t c = 0; c < commands; c++) {
        uint32_t here = (uint32_t)(sqe[c].cdw10_11 & 0xFFFFFFFF) + 1;
        const uint64_t *list = fake_cpu(sqe[c].prp1, here * 16);

        ck_assert_uint_eq(here, count - seen < 256 ? count - seen : 256);
        ck_assert_ptr_eq(fake->syncs[c].cpu, list);
        ck_assert_uint_eq(fake->syncs[c].bytes, here * 16);
        ck_assert_int_eq(fake->syncs[c].what, NVME_SYNC_FOR_DEVICE);
        for (uint32_t i = 0; i < here; i++, seen++) {
            ck_assert_uint_eq(fake_le64(list[2 * i]), (uint64_t)ranges[seen].blocks << 32);
            ck_assert_uint_eq(fake_le64(list[2 * i + 1]), ranges[seen].lba);
        }
    }
    ck_assert_uint_eq(seen, count);
    finish();
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq(fake_disk[0] | (count > 1 ? fake_disk[3 * 512] : 0), 0);
}
END_TEST

START_TEST(ranges_are_checked_one_by_one)
{
    struct nvme_range ranges[3] = {{0, 1}, {FAKE_BLOCKS - 1, 1}, {2, 2}};

    start();
    fake_request(&request, NVME_OP_DEALLOCATE, 0, 0, NULL);
    request.ranges = ranges;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL); /* none */
    request.vector_count = 3;
    ranges[1].blocks = 2;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_RANGE);
    ranges[1] = (struct nvme_range){UINT64_MAX, 1};
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_RANGE);
    ranges[1] = (struct nvme_range){1, 0};
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);
    ranges[1].blocks = 1;
    submit(1);
}
END_TEST

/* DEAC where the namespace has it and the caller does not mind (6.17). */
START_TEST(zeroes_may_deallocate_where_the_namespace_says_so)
{
    static const uint32_t expected[] = {7, 7, 7 | 1u << 25, 7};

    fake->ns[0].dlfeat = _i & 2 ? 1u << 3 | 1 : 1;
    start();
    fake_request(&request, NVME_OP_WRITE_ZEROES, 0, 8, NULL);
    request.flags = _i & 1 ? NVME_REQ_NO_DEALLOCATE : 0;
    ck_assert_uint_eq(submit(1)->cdw12_13, expected[_i]);
    finish();
    fake_request(&request, NVME_OP_WRITE_ZEROES, 0, 8, NULL);
    request.flags = (_i & 1 ? NVME_REQ_NO_DEALLOCATE : 0) | NVME_REQ_FUA;
    ck_assert_uint_eq(submit(1)->cdw12_13, expected[_i] | 1u << 30);
}
END_TEST

START_TEST(what_the_controller_lacks_is_unsupported)
{
    static const struct {
        enum nvme_op op;
        uint32_t bit;
    } ops[] = {{NVME_OP_COMPARE, 0},
               {NVME_OP_DEALLOCATE, 2},
               {NVME_OP_WRITE_ZEROES, 3},
               {NVME_OP_VERIFY, 7}};

    fake->oncs = (uint16_t)(ONCS_ALL & ~(1u << ops[_i].bit));
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    for (uint32_t i = 0; i < 4; i++) {
        fake_request(&request, ops[i].op, 0, 1, fake_buffer(512, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &request),
                         i == (uint32_t)_i ? NVME_E_UNSUPPORTED : NVME_OK);
        nvme_ring(queue);
        fake_run(1);
        nvme_poll(queue, 0);
    }
}
END_TEST

/* ---- raw ---- */

START_TEST(raw_words_reach_the_controller)
{
    const struct nvme_sqe *sqe;

    fake->any_words = true;
    fake->config.cid_generation = false;
    fake->config.cid_base = 3;
    start();
    raw_request(0x81, 1, 4096, NVME_TO_DEVICE);
    raw.command.cdw2 = 2;
    raw.command.cdw3 = 3;
    raw.command.cdw10 = 10;
    raw.command.cdw11 = 11;
    raw.command.cdw12 = 12;
    raw.command.cdw13 = 13;
    raw.command.cdw14 = 14;
    raw.command.cdw15 = 15;
    sqe = submit(1);
    ck_assert_uint_eq(sqe->command_nsid, 1ull << 32 | 3u << 16 | 0x81);
    ck_assert_uint_eq(sqe->cdw2_3, 3ull << 32 | 2);
    ck_assert_uint_eq(sqe->metadata, 0);
    ck_assert_uint_eq(sqe->prp1, fake_bus(request.buffer));
    ck_assert_uint_eq(sqe->cdw10_11, 11ull << 32 | 10);
    ck_assert_uint_eq(sqe->cdw12_13, 13ull << 32 | 12);
    ck_assert_uint_eq(sqe->cdw14_15, 15ull << 32 | 14);
    ck_assert_int_eq(fake->map_dir, NVME_TO_DEVICE);
    finish();
}
END_TEST

START_TEST(a_raw_read_delivers_its_data)
{
    fake->config.bounce_bytes = _i ? 8192 : 0;
    fake->config.read.direct_min_bytes = 8193;
    start();
    raw_request(NVME_IO_READ, 1, 8192, NVME_FROM_DEVICE);
    raw.command.cdw10 = 100;
    raw.command.cdw12 = 15;
    submit(1);
    finish();
    ck_assert_mem_eq(request.buffer, fake_disk + 100 * 512, 8192);
    ck_assert_uint_eq(fake->copies, (uint32_t)_i);
    ck_assert_uint_eq(fake->maps, 1 - (uint32_t)_i);
}
END_TEST

START_TEST(raw_commands_name_a_namespace_that_exists)
{
    static const struct {
        uint8_t opcode;
        uint32_t nsid;
        int error;
    } cases[] = {
        {NVME_IO_FLUSH, 1, NVME_OK},
        {NVME_IO_FLUSH, 5, NVME_OK}, /* active, and not offered */
        {NVME_IO_FLUSH, 2, NVME_E_INVAL},
        {NVME_IO_FLUSH, 0, NVME_E_INVAL},
        {NVME_IO_FLUSH, 0xFFFFFFFF, NVME_OK}, /* 6.8 */
        {0x04, 0xFFFFFFFF, NVME_E_INVAL},     /* Write Uncorrectable has no such thing */
        {0x80, 0xFFFFFFFF, NVME_OK},          /* vendor specific */
        {0x80, 0, NVME_OK},
        {0x80, 2, NVME_E_INVAL},
        {0x7F, 0, NVME_E_INVAL},
    };

    fake->ns_count = 2;
    fake->ns[1] = (struct fake_ns){.nsid = 5, .blocks = 100, .lba_shift = 9, .metadata = 8};
    start();
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 1);
    raw_request(cases[_i].opcode, cases[_i].nsid, 0, NVME_TO_DEVICE);
    ck_assert_int_eq(nvme_submit(queue, &request), cases[_i].error);
    if (cases[_i].error == NVME_OK) {
        nvme_ring(queue);
        fake_fetch(1);
        ck_assert_uint_eq(fake->queues[1].fetched[0].command_nsid >> 32, cases[_i].nsid);
    }
    ck_assert_uint_eq(nvme_in_flight(queue), cases[_i].error == NVME_OK);
}
END_TEST

/* What would lead the controller to memory that is not the request's. */
START_TEST(raw_data_must_be_what_the_opcode_says)
{
    start();
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        raw_request(NVME_IO_READ, 1, 4096, NVME_FROM_DEVICE);                                      \
        change;                                                                                    \
        ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);                              \
    } while (0)
    REFUSED(raw.bytes = 0);
    REFUSED(raw.dir = NVME_TO_DEVICE);
    REFUSED(raw.dir = NVME_BOTH_WAYS);
    REFUSED(raw.dir = (enum nvme_dir)3);
    REFUSED(raw.command.opcode = NVME_IO_FLUSH);
    REFUSED(raw.bytes = 131076); /* MDTS: 128 KiB */
    REFUSED(request.buffer = NULL);
    REFUSED(raw.command.nsid = 0xFFFFFFFF);
    ck_assert_uint_eq(fake->maps, 0);
    raw_request(NVME_IO_READ, 1, 4096, NVME_FROM_DEVICE);
    submit(1);
}
END_TEST

START_TEST(a_raw_command_is_never_split)
{
    start();
    raw_request(NVME_IO_READ, 1, 131072, NVME_FROM_DEVICE);
    request.buffer = fake_buffer(131072, 4096, 512);
    submit(1);
    fake_complete(1, 0, 0);
    nvme_poll(queue, 0);
    raw_request(NVME_IO_READ, 1, 4096, NVME_FROM_DEVICE);
    request.buffer = (uint8_t *)request.buffer + 1; /* nothing can carry it */
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);
    ck_assert_uint_eq(fake->mapped, 0);
}
END_TEST

/* The short path stores five words of eight: after a command with others it must wait until the
 * ring has gone round. Every entry of the two laps after it is looked at, at every place in the
 * ring. */
START_TEST(words_of_a_raw_command_do_not_come_back_a_lap_later)
{
    static struct nvme_request plain;
    uint8_t *buffer;
    uint64_t laps = 0;

    fake_unlock();
    fake->any_words = true;
    fake->config.ring = _i ? NVME_RING_PER_COMMAND : NVME_RING_PER_BATCH;
    start();
    buffer = fake_buffer(4096, 4096, 0);
    for (uint32_t place = 0; place < 17; place++) {
        raw_request(0x80, 1, 0, NVME_TO_DEVICE);
        raw.command.cdw2 = 0x22222222;
        raw.command.cdw15 = 0x15151515;
        ck_assert_uint_eq(submit(1)->cdw14_15, 0x15151515ull << 32);
        finish();
        for (uint32_t i = 0; i < 2 * 16 + place; i++) {
            const struct nvme_sqe *sqe = fake->queues[1].fetched;

            fake_registered(&plain, NVME_OP_READ, i, 8, buffer);
            ck_assert_int_eq(nvme_submit(queue, &plain), NVME_OK);
            nvme_ring(queue);
            fake_fetch(1);
            ck_assert_uint_eq(sqe->cdw2_3 | sqe->metadata | sqe->cdw14_15, 0);
            ck_assert_uint_eq(sqe->cdw10_11, i);
            fake_complete(1, 0, 0);
            ck_assert_uint_eq(nvme_poll(queue, 0), 1);
            laps++;
        }
    }
    ck_assert_uint_gt(laps, 600);
}
END_TEST

Suite *suite_ops(void)
{
    Suite *suite = suite_create("driver operations");
    TCase *ops = tcase_create("operations");

    tcase_add_checked_fixture(ops, fake_create, fake_destroy);
    tcase_set_timeout(ops, 60);
    tcase_add_test(ops, compare_moves_data_to_the_controller_and_reports_a_difference);
    tcase_add_test(ops, compare_by_bounce_copies_before_and_not_after);
    tcase_add_test(ops, verify_moves_no_data_and_has_no_limit_but_its_field);
    tcase_add_test(ops, deallocate_without_ranges_is_the_one_range);
    tcase_add_test(ops, a_count_of_32_bits_is_never_truncated);
    tcase_add_loop_test(ops, ranges_are_256_to_a_command, 0, 6);
    tcase_add_test(ops, ranges_are_checked_one_by_one);
    tcase_add_loop_test(ops, zeroes_may_deallocate_where_the_namespace_says_so, 0, 4);
    tcase_add_loop_test(ops, what_the_controller_lacks_is_unsupported, 0, 4);
    tcase_add_test(ops, raw_words_reach_the_controller);
    tcase_add_loop_test(ops, a_raw_read_delivers_its_data, 0, 2);
    tcase_add_loop_test(ops, raw_commands_name_a_namespace_that_exists, 0, 10);
    tcase_add_test(ops, raw_data_must_be_what_the_opcode_says);
    tcase_add_test(ops, a_raw_command_is_never_split);
    tcase_add_loop_test(ops, words_of_a_raw_command_do_not_come_back_a_lap_later, 0, 2);
    suite_add_tcase(suite, ops);
    return suite;
}
