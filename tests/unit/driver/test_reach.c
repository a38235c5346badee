/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory that the device cannot reach, and where commands end: bouncing by address width, in one
 * command or several; the limit of registered addresses; optimal boundaries (NOIOB, NVMe 1.4
 * section 5.15.2.1); PRP traps of other drivers by name (4.3).
 */
#include "fake.h"
#include "suites.h"

#define MASK_34 ((1ull << 34) - 1) /* the double's memory lies below */

static struct nvme_queue *queue;
static struct nvme_request request;

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static void drain(void)
{
    nvme_ring(queue);
    do
        fake_run(1);
    while (nvme_poll(queue, 0) != 0);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    ck_assert_uint_eq(fake->mapped, 0);
}

static void run(enum nvme_op op, uint64_t lba, uint32_t blocks, uint8_t *buffer)
{
    fake_request(&request, op, lba, blocks, buffer);
    for (uint32_t i = 0; op == NVME_OP_WRITE && i < blocks * 512; i++)
        buffer[i] = (uint8_t)(i * 13 + i / 512 + lba);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    drain();
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_mem_eq(buffer, fake_disk + lba * 512, blocks * 512);
}

/* ---- memory beyond the device's reach ---- */

START_TEST(beyond_reach_is_bounced)
{
    uint8_t *buffer;

    fake->config.bounce_bytes = 8192;
    start();
    buffer = fake_buffer(65536, 4096, 0);
    fake->beyond = buffer;
    run(NVME_OP_READ, 50, 16, buffer); /* fits */
    ck_assert_uint_eq(fake_stats(queue).commands, 1);
    ck_assert_uint_eq(fake_stats(queue).bounced, 1);
    run(NVME_OP_WRITE, 50, 17, buffer); /* one block more: in two */
    ck_assert_uint_eq(fake_stats(queue).commands, 3);
    run(NVME_OP_READ, 9, 128, buffer); /* eight */
    ck_assert_uint_eq(fake_stats(queue).commands, 11);
    ck_assert_uint_eq(fake_stats(queue).bounced, 11);
    ck_assert_uint_eq(fake_stats(queue).splits, 2);
    ck_assert_uint_eq(fake->maps, 0);
}
END_TEST

START_TEST(beyond_reach_without_bounce_memory_is_unsupported)
{
    start();
    fake->beyond = fake_buffer(4096, 4096, 0);
    fake_request(&request, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_UNSUPPORTED);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
}
END_TEST

START_TEST(one_piece_beyond_reach_bounces_all_of_its_command)
{
    struct nvme_vector parts[2];
    uint8_t *buffer;

    fake->config.bounce_bytes = 8192;
    start();
    buffer = fake_buffer(8192, 4096, 0);
    fake->beyond = buffer + 4096;
    parts[0] = (struct nvme_vector){buffer, 0, 4096}; /* mapped, and unmapped again */
    parts[1] = (struct nvme_vector){buffer + 4096, 0, 4096};
    fake_request(&request, NVME_OP_READ, 3, 16, NULL);
    request.flags = NVME_REQ_VECTOR;
    request.vector = parts;
    request.vector_count = 2;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    ck_assert_uint_eq(fake->maps, 1);
    ck_assert_uint_eq(fake->unmaps, 1);
    drain();
    ck_assert_mem_eq(buffer, fake_disk + 3 * 512, 8192);
    ck_assert_uint_eq(fake->copies, 2);
}
END_TEST

/* The device writes to the bounce buffer in between: it changes hands before and after. */
START_TEST(a_gathered_bounce_is_synchronised_whole)
{
    struct nvme_vector parts[3];
    uint8_t *buffer;

    fake->platform.flags = 0;
    fake->config.bounce_bytes = 4096;
    start();
    buffer = fake_buffer(8192, 4096, 0);
    for (uint32_t i = 0; i < 3; i++)
        parts[i] = (struct nvme_vector){buffer + i * 2000, 0, i < 2 ? 100 : 312};
    fake_request(&request, _i ? NVME_OP_WRITE : NVME_OP_READ, 77, 1, NULL);
    request.flags = NVME_REQ_VECTOR;
    request.vector = parts;
    request.vector_count = 3;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    ck_assert_uint_eq(fake->sync_count, 1);
    ck_assert_int_eq(fake->syncs[0].what, NVME_SYNC_FOR_DEVICE);
    ck_assert_uint_eq(fake->syncs[0].bytes, 512);
    if (_i) /* copied before the cache was cleaned */
        ck_assert_mem_eq((uint8_t *)fake->syncs[0].cpu + 200, parts[2].cpu, 312);
    drain();
    ck_assert_uint_eq(fake->sync_count, _i ? 1 : 2);
    if (!_i) {
        ck_assert_int_eq(fake->syncs[1].what, NVME_SYNC_FOR_CPU);
        ck_assert_ptr_eq(fake->syncs[1].cpu, fake->syncs[0].cpu);
        ck_assert_uint_eq(fake->syncs[1].bytes, 512);
        ck_assert_mem_eq(parts[1].cpu, fake_disk + 77 * 512 + 100, 100);
    }
    ck_assert_uint_eq(fake->copies, 3);
}
END_TEST

/* dma_mask is the last address: t, and t + 1, of short, long and scattered buffers. */
START_TEST(registered_buffers_end_at_the_mask)
{
    static const uint32_t blocks[] = {8, 64};
    struct nvme_vector part;

    fake->platform.dma_mask = MASK_34;
    if (_i & 1)
        fake_unlock();
    start();
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t bytes = blocks[i] * 512;
        uint64_t last = MASK_34 + 1 - bytes;

        for (uint64_t past = 0; past <= 4096; past += 4096) {
            int expected = past ? NVME_E_INVAL : NVME_OK;

            fake_request(&request, NVME_OP_READ, 0, blocks[i], NULL);
            request.flags = NVME_REQ_REGISTERED;
            request.bus = last + past;
            if (_i & 2) {
                part = (struct nvme_vector){NULL, last + past, bytes};
                request.flags |= NVME_REQ_VECTOR;
                request.vector = &part;
                request.vector_count = 1;
            }
            ck_assert_int_eq(nvme_submit(queue, &request), expected);
            if (past)
                continue;
            nvme_ring(queue);
            fake_fetch(1);
            ck_assert_uint_eq(fake->queues[1].fetched[0].prp1, last);
            fake_complete(1, 0, 0);
            nvme_poll(queue, 0);
        }
    }
    request.flags = NVME_REQ_REGISTERED;
    request.bus = UINT64_MAX - 4095; /* and the end wraps */
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);
}
END_TEST

/* ---- boundaries ---- */

static void entries(uint64_t lba, uint32_t blocks, const uint32_t *lengths, uint32_t count)
{
    const struct nvme_sqe *sqe = fake->queues[1].fetched;

    fake_registered(&request, NVME_OP_READ, lba, blocks, fake_buffer(blocks * 512, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, count);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(sqe[i].cdw10_11, lba);
        ck_assert_uint_eq(sqe[i].cdw12_13 + 1, lengths[i]);
        lba += lengths[i];
    }
    while (fake->queues[1].in_flight)
        fake_complete(1, 0, 0);
    while (nvme_poll(queue, 0) != 0)
        ;
    ck_assert_int_eq(request.error, NVME_OK);
}

/* 48 is no power of two, and the block numbers pass 32 bits. */
START_TEST(no_command_crosses_the_optimal_boundary)
{
    const uint64_t high = 0x300000000000ull * 3; /* a multiple of 48 */

    fake->ns[0].blocks = UINT64_MAX / 2;
    fake->ns[0].noiob = 48;
    fake->config.split_at_boundary = true;
    if (_i)
        fake_unlock();
    start();
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->optimal_boundary, 48);
    entries(0, 48, (uint32_t[]){48}, 1);
    entries(0, 49, (uint32_t[]){48, 1}, 2);
    entries(47, 2, (uint32_t[]){1, 1}, 2);
    entries(40, 8, (uint32_t[]){8}, 1);
    entries(10, 100, (uint32_t[]){38, 48, 14}, 3);
    entries(high, 48, (uint32_t[]){48}, 1);
    entries(high - 1, 50, (uint32_t[]){1, 48, 1}, 3);
    entries(high + 47, 8, (uint32_t[]){1, 7}, 2);
    fake_request(&request, NVME_OP_WRITE_ZEROES, 40, 100, NULL); /* no data: no boundary */
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    drain();
    ck_assert(!request.was_split);
}
END_TEST

START_TEST(boundaries_are_left_alone_unless_asked)
{
    fake->ns[0].noiob = 65535;
    start();
    entries(65535 / 4, 100, (uint32_t[]){100}, 1);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->optimal_boundary, 65535);
}
END_TEST

/* Serial: the next piece goes when the one before has ended. */
START_TEST(pieces_at_boundaries_go_by_policy)
{
    fake->ns[0].noiob = 8;
    fake->config.split_at_boundary = true;
    fake->config.split = NVME_SPLIT_SERIAL;
    start();
    fake_request(&request, NVME_OP_READ, 4, 16, fake_buffer(8192, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    for (uint32_t i = 0; i < 3; i++) {
        fake_fetch(1);
        ck_assert_uint_eq(fake->queues[1].in_flight, 1);
        ck_assert_uint_eq(fake_ended_count, 0);
        fake_execute(&fake->queues[1].fetched[0]);
        fake_complete(1, 0, 0);
        nvme_poll(queue, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_mem_eq(request.buffer, fake_disk + 4 * 512, 8192);
}
END_TEST

/* ---- traps of other drivers ---- */

/* libvfn needed three tries at chaining: it overran into the next request's page, then chained a
 * page that was not needed, 2047 KiB at 512-byte blocks (docs/traps.md, peers-3). AROS lost the
 * upper half of the list's address (aros-4). The double's memory lies above 4 GiB, and each list is
 * followed by another slot's. */
START_TEST(trap_lists_end_where_their_pages_end)
{
    static struct nvme_segment out[600];
    const struct nvme_sqe *sqe = fake->queues[1].fetched;
    static const uint32_t kib[] = {2044, 2047, 2049, 2053};
    static const uint32_t pages[] = {1, 1, 1, 2};

    fake->mdts = 0;
    fake->config.list_pages = 2;
    start();
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t before = fake_stats(queue).prp_list_pages;
        uint8_t *buffer = fake_buffer(kib[i] * 1024, 4096, 0);
        uint32_t used = fake->pool_used;

        fake_request(&request, NVME_OP_READ, 0, kib[i] * 2, buffer);
        ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
        nvme_ring(queue);
        fake_fetch(1);
        ck_assert_uint_eq(fake->queues[1].in_flight, 1);
        ck_assert_uint_gt(sqe->prp2, 1ull << 32);
        ck_assert_uint_eq(sqe->prp2 % 4096, 0);
        ck_assert_uint_eq(fake_walk(sqe, kib[i] * 1024, out, 600), (kib[i] + 3) / 4);
        ck_assert_uint_eq(fake_stats(queue).prp_list_pages - before, pages[i]);
        drain();
        ck_assert_mem_eq(buffer, fake_disk, kib[i] * 1024);
        fake->pool_used = used - kib[i] * 1024;
    }
}
END_TEST

/* libvfn's wait for one request dropped the entries of others (docs/traps.md, peers-3). */
START_TEST(trap_waiting_for_one_loses_no_other)
{
    static struct nvme_request others[6];

    start();
    for (uint32_t i = 0; i < 6; i++) {
        fake_request(&others[i], NVME_OP_READ, i, 1, fake_buffer(512, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &others[i]), NVME_OK);
    }
    nvme_ring(queue);
    fake_fetch(1);
    for (uint32_t i = 6; i-- > 0;) { /* the first one last */
        fake_execute(&fake->queues[1].fetched[i]);
        fake_complete(1, i, 0);
    }
    while ((uintptr_t)others[0].user == 0)
        ck_assert_uint_eq(nvme_poll(queue, 1), 1);
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_uint_eq((uintptr_t)others[i].user, 1);
        ck_assert_mem_eq(others[i].buffer, fake_disk + i * 512, 512);
    }
}
END_TEST

Suite *suite_reach(void)
{
    Suite *suite = suite_create("driver reach");
    TCase *reach = tcase_create("reach");

    tcase_add_checked_fixture(reach, fake_create, fake_destroy);
    tcase_set_timeout(reach, 120);
    tcase_add_test(reach, beyond_reach_is_bounced);
    tcase_add_test(reach, beyond_reach_without_bounce_memory_is_unsupported);
    tcase_add_test(reach, one_piece_beyond_reach_bounces_all_of_its_command);
    tcase_add_loop_test(reach, a_gathered_bounce_is_synchronised_whole, 0, 2);
    tcase_add_loop_test(reach, registered_buffers_end_at_the_mask, 0, 4);
    tcase_add_loop_test(reach, no_command_crosses_the_optimal_boundary, 0, 2);
    tcase_add_test(reach, boundaries_are_left_alone_unless_asked);
    tcase_add_test(reach, pieces_at_boundaries_go_by_policy);
    tcase_add_test(reach, trap_lists_end_where_their_pages_end);
    tcase_add_test(reach, trap_waiting_for_one_loses_no_other);
    suite_add_tcase(suite, reach);
    return suite;
}
