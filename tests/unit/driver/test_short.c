/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The short paths of submission and completion, which only platforms without locks see: same
 * entries, same checks and same statistics as the general path, with every way of loading a
 * completion entry (NVMe 1.4 sections 4.1, 4.2, 4.3, 4.6).
 */
#include "fake.h"
#include "suites.h"

#define LARGE_BYTES 131072u
#define LARGE_PARTS 33u

static struct nvme_queue *queue;
static struct nvme_request requests[16];

static void start(void)
{
    fake_unlock();
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

/* The entry of one request, which then ends with success. */
static struct nvme_sqe run(struct nvme_request *request)
{
    struct nvme_sqe sqe;

    ck_assert_int_eq(nvme_submit(queue, request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    sqe = fake->queues[1].fetched[0];
    fake_execute(&sqe);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    return sqe;
}

/* 128 KiB that touch 33 pages: PRP1, and a list of 32 (4.3). */
START_TEST(long_registered_request)
{
    struct nvme_segment parts[LARGE_PARTS + 1];
    struct nvme_sqe sqe;
    uint8_t *buffer;

    fake->mdts = 0;
    start();
    buffer = fake_buffer(LARGE_BYTES, 4096, 512);
    memset(buffer, 0, LARGE_BYTES);
    fake_registered(&requests[0], _i ? NVME_OP_WRITE : NVME_OP_READ, 100, 256, buffer);
    requests[0].was_split = true; /* whatever was there before */
    if (_i)
        memcpy(buffer, fake_disk + 100 * 512, LARGE_BYTES);
    sqe = run(&requests[0]);
    ck_assert_uint_eq(sqe.prp1, fake_bus(buffer));
    ck_assert_uint_eq(sqe.cdw10_11, 100);
    ck_assert_uint_eq(sqe.cdw12_13, 255);
    ck_assert_uint_eq(fake_walk(&sqe, LARGE_BYTES, parts, LARGE_PARTS + 1), LARGE_PARTS);
    for (uint32_t i = 1; i < LARGE_PARTS; i++)
        ck_assert_uint_eq(parts[i].bus, fake_bus(buffer) - 512 + i * 4096);
    ck_assert_mem_eq(buffer, fake_disk + 100 * 512, LARGE_BYTES);
    ck_assert_int_eq(requests[0].error, NVME_OK);
    ck_assert(!requests[0].was_split);
    ck_assert_uint_eq(fake_stats(queue).prp_lists, 1);
    ck_assert_uint_eq(fake_stats(queue).prp_list_pages, 1);
    ck_assert_uint_eq(fake_stats(queue).direct, 1);
    ck_assert_uint_eq(_i ? fake_stats(queue).bytes_written : fake_stats(queue).bytes_read,
                      LARGE_BYTES);
    ck_assert_uint_eq(_i ? fake_stats(queue).bytes_read : fake_stats(queue).bytes_written, 0);
}
END_TEST

/* Two pages need no list: PRP2 is the second one (4.3). */
START_TEST(two_pages)
{
    struct nvme_sqe sqe;
    uint8_t *buffer;

    start();
    buffer = fake_buffer(8192, 4096, 4);
    fake_registered(&requests[0], NVME_OP_READ, 0, 8, buffer);
    sqe = run(&requests[0]);
    ck_assert_uint_eq(sqe.prp1, fake_bus(buffer));
    ck_assert_uint_eq(sqe.prp2, fake_bus(buffer) - 4 + 4096);
    ck_assert_uint_eq(fake_stats(queue).prp_lists, 0);
    /* The entry after it, a lap later too, has no PRP2 again. */
    for (uint32_t i = 0; i < 20; i++) {
        fake_registered(&requests[0], NVME_OP_READ, 0, 8, buffer - 4);
        ck_assert_uint_eq(run(&requests[0]).prp2, 0);
    }
}
END_TEST

START_TEST(long_requests_are_checked)
{
    uint8_t *buffer;

    start();
    buffer = fake_buffer(65536, 4096, 0);
    fake_registered(&requests[0], NVME_OP_READ, FAKE_BLOCKS - 15, 16, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_RANGE);
    fake_registered(&requests[0], NVME_OP_READ, UINT64_MAX, 16, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_RANGE);
    fake_registered(&requests[0], NVME_OP_READ, 0, UINT32_MAX, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_RANGE);
    fake_registered(&requests[0], NVME_OP_READ, 0, 0, buffer);
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_INVAL);
    fake_registered(&requests[0], NVME_OP_READ, 0, 16, buffer);
    requests[0].bus += 2;
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_INVAL);
    requests[0].bus -= 2;
    requests[0].nsid = 2;
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_E_INVAL);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    fake_registered(&requests[0], NVME_OP_READ, FAKE_BLOCKS - 16, 16, buffer);
    run(&requests[0]);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

/* Bytes are counted in blocks on the way: of the right namespace. */
START_TEST(bytes_of_two_namespaces)
{
    uint8_t *buffer;

    fake->ns_count = 2;
    fake->ns[1] = (struct fake_ns){.nsid = 7, .blocks = 10, .lba_shift = 12};
    start();
    buffer = fake_buffer(4096, 4096, 0);
    for (uint32_t round = 1; round <= 3; round++) {
        fake_registered(&requests[0], NVME_OP_READ, 0, 3, buffer);
        run(&requests[0]);
        ck_assert_uint_eq(fake_stats(queue).bytes_read, round * 1536 + (round - 1) * 4096);
        fake_registered(&requests[0], NVME_OP_READ, 9, 1, buffer);
        requests[0].nsid = 7;
        ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
        nvme_ring(queue);
        fake_fetch(1);
        fake_complete(1, 0, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        ck_assert_uint_eq(fake_stats(queue).bytes_read, round * (1536 + 4096));
    }
    ck_assert_uint_eq(fake_stats(queue).bytes_written, 0);
}
END_TEST

/* I/O entries are loaded by the platform exactly where it does not say that they are plain. */
START_TEST(who_loads_entries)
{
    uint8_t *buffer;
    uint32_t loads;

    fake->platform.flags |= _i ? NVME_PLATFORM_CQ_PLAIN : 0;
    start();
    buffer = fake_buffer(4096, 4096, 0);
    loads = fake->cq_loads;
    for (uint32_t i = 0; i < 40; i++) {
        fake_registered(&requests[0], NVME_OP_READ, i, 1, buffer);
        run(&requests[0]);
    }
    ck_assert_uint_eq(nvme_poll(queue, 0), 0);
    /* One entry and one look at the next per poll. */
    ck_assert_uint_eq(fake->cq_loads - loads, _i ? 0 : 81);
    ck_assert_uint_eq(fake_ended_count, 40);
}
END_TEST

/* Phase tag, status and identifier are judged in one comparison: none may make up for another. */
START_TEST(one_comparison_for_three_fields)
{
    static const struct {
        uint32_t cid;
        uint16_t status;
    } entries[] = {{0, 0},      {15, 0},     {16, 0},     {0xFFFF, 0}, {0, 1},
                   {9, 1},      {25, 1},     {0xFFFF, 1}, {9, 0x7FFF}, {0xFFFF, 0x7FFF},
                   {8, 0x7FFF}, {0x8009, 0}, {0, 0x4000}, {25, 0}};
    uint64_t errors = 0;

    fake->config.cid_generation = false;
    fake->config.cid_base = 10; /* 10 to 24 exist, 10 is in flight */
    fake->platform.flags |= _i & 1 ? NVME_PLATFORM_CQ_PLAIN | NVME_PLATFORM_LOADS_ORDERED : 0;
    start();
    for (uint32_t lap = 0; lap < 3; lap++) { /* both phases */
        fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
        nvme_ring(queue);
        fake_fetch(1);
        for (uint32_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
            fake_post(1, entries[i].cid, entries[i].status, fake->queues[1].head, 1);
            ck_assert_uint_eq(nvme_poll(queue, 0), 1);
            ck_assert_uint_eq(nvme_poll(queue, 0), 0);
            ck_assert_uint_eq(fake_stats(queue).protocol_errors, errors + (entries[i].cid != 10));
            errors = fake_stats(queue).protocol_errors;
            ck_assert_uint_eq(nvme_in_flight(queue), 1);
        }
        ck_assert_uint_eq(fake_ended_count, lap);
        fake_complete(1, 0, 0);
        ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        ck_assert_uint_eq(fake_ended_count, lap + 1);
        ck_assert_int_eq(requests[0].error, NVME_OK);
    }
}
END_TEST

Suite *suite_short(void)
{
    Suite *suite = suite_create("driver short paths");
    TCase *tcase = tcase_create("short");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, long_registered_request, 0, 2);
    tcase_add_test(tcase, two_pages);
    tcase_add_test(tcase, long_requests_are_checked);
    tcase_add_test(tcase, bytes_of_two_namespaces);
    tcase_add_loop_test(tcase, who_loads_entries, 0, 2);
    tcase_add_loop_test(tcase, one_comparison_for_three_fields, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
