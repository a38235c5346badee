/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data through the driver: that the bytes arrive by every way, counters of each way, chained lists,
 * cache synchronisation, and mapping failures (NVMe 1.4 section 4.3).
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request request;

static void start(bool v161)
{
    fake->config.bounce_bytes = 65536;
    fake->config.read.direct_min_bytes = v161 ? 65537 : 8192;
    fake->config.read.direct_align_bytes = v161 ? 1 : 4096;
    fake->config.write = fake->config.read;
    fake->config.copy = v161 ? NVME_COPY_BYTES : NVME_COPY_OPTIMISED;
    fake->config.dma_list = v161 ? NVME_DMA_LIST_FRESH : NVME_DMA_LIST_POOL;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static void transfer(enum nvme_op op, uint64_t lba, uint32_t blocks, uint8_t *buffer)
{
    uint32_t bytes = blocks * 512;

    if (op == NVME_OP_WRITE)
        for (uint32_t i = 0; i < bytes; i++)
            buffer[i] = (uint8_t)(i * 7 + (i >> 8) + lba);
    fake_request(&request, op, lba, blocks, buffer);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_run(1);
    while (nvme_poll(queue, 0) != 0)
        fake_run(1);
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq((uintptr_t)request.user, 1);
    ck_assert_mem_eq(buffer, fake_disk + lba * 512, bytes);
}

/* Both configurations, both directions, sizes from one block to several commands, any alignment. */
START_TEST(bytes_arrive)
{
    static const uint32_t blocks[] = {1, 7, 8, 9, 15, 16, 17, 127, 128, 129, 256, 257, 700};
    static const uint32_t offsets[] = {0, 4, 16, 512, 4092};
    struct nvme_queue_stats stats;

    fake->split_segments = (_i & 1) != 0;
    start((_i & 2) != 0);
    for (uint32_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++)
        for (uint32_t o = 0; o < 5; o++) {
            uint32_t used = fake->pool_used;
            uint8_t *buffer = fake_buffer(blocks[b] * 512, 4096, offsets[o]);

            transfer(NVME_OP_READ, b * 31 + o, blocks[b], buffer);
            transfer(NVME_OP_WRITE, 1000 + b * 31 + o, blocks[b], buffer);
            fake->pool_used = used;
        }
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.bytes_bounced, fake->copied_bytes);
    ck_assert_uint_eq(stats.bounced, fake->copies);
    ck_assert_uint_eq(stats.direct, fake->maps);
    ck_assert_uint_eq(fake->maps, fake->unmaps);
    ck_assert_uint_eq(fake->map_flags, _i & 2 ? NVME_MAP_FRESH_LIST : 0);
    ck_assert_int_eq(fake->copy_routine, _i & 2 ? NVME_COPY_BYTES : NVME_COPY_OPTIMISED);
}
END_TEST

START_TEST(each_piece_takes_its_own_way)
{
    struct nvme_queue_stats stats;

    start(false);
    /* 264 blocks: 128 KiB direct, and 4 KiB, which is below the limit: bounced */
    transfer(NVME_OP_READ, 0, 264, fake_buffer(264 * 512, 4096, 0));
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.splits, 1);
    ck_assert_uint_eq(stats.direct, 1);
    ck_assert_uint_eq(stats.bounced, 1);
    ck_assert_uint_eq(stats.bytes_bounced, 4096);
    ck_assert_uint_eq(stats.prp_lists, 1);
    ck_assert_uint_eq(stats.prp_list_pages, 1);
}
END_TEST

START_TEST(unaligned_address_bounces_or_is_refused)
{
    struct nvme_queue_stats stats;

    start(false);
    transfer(NVME_OP_READ, 0, 128, fake_buffer(65536, 4096, 1));
    ck_assert_uint_eq(fake->maps, 0);
    /* longer than the bounce buffer: as much as goes into one, and the rest */
    transfer(NVME_OP_READ, 0, 129, fake_buffer(129 * 512, 4096, 2));
    transfer(NVME_OP_WRITE, 0, 129, fake_buffer(129 * 512, 4096, 2));
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.commands, 5);
    ck_assert_uint_eq(stats.bounced, 5);
    ck_assert_uint_eq(stats.splits, 2);
    ck_assert_uint_eq(stats.bytes_bounced, 65536 + 2 * 129 * 512);
    ck_assert_uint_eq(fake->mapped, 0);
}
END_TEST

START_TEST(unaligned_address_without_bounce_buffers_is_refused)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_request(&request, NVME_OP_READ, 0, 1, fake_buffer(512, 4096, 2));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);
    ck_assert_uint_eq(fake->maps, 0);
}
END_TEST

START_TEST(chained_lists)
{
    uint8_t *buffer;
    struct nvme_queue_stats stats;

    fake->mdts = 0;
    fake->config.list_pages = 4;
    fake->split_segments = true;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(9u << 20, 4096, 512);
    transfer(NVME_OP_READ, 1, 16000, buffer); /* 2,001 pages */
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.commands, 1);
    ck_assert_uint_eq(stats.prp_list_pages, 4);
}
END_TEST

START_TEST(failing_map_fails_the_submit)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_request(&request, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    fake->map_fail_after = 0;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_NO_MEMORY);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
    fake->map_fail_after = -1;
    fake->bad_segments = true; /* the platform says something that is not the buffer */
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);
    ck_assert_uint_eq(fake->mapped, 0);
    fake->bad_segments = false;
    transfer(NVME_OP_READ, 0, 8, request.buffer);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

START_TEST(map_fails_in_the_middle_of_a_split)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    fake_request(&request, NVME_OP_READ, 0, 600, fake_buffer(600 * 512, 4096, 0));
    fake->map_fail_after = 1;
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK); /* the first piece is on its way */
    nvme_ring(queue);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_E_NO_MEMORY);
}
END_TEST

/* Memory that is not coherent changes hands at the right places, in the right direction. */
START_TEST(synchronisation)
{
    struct fake_sync *list, *bounce;

    fake->platform.flags = 0;
    start(false);
    fake_request(&request, NVME_OP_WRITE, 0, 17, fake_buffer(17 * 512, 4096, 512));
    memset(request.buffer, 0x3C, 17 * 512);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    ck_assert_uint_eq(fake->sync_count, 2);
    bounce = &fake->syncs[0];
    list = &fake->syncs[1];
    ck_assert_int_eq(bounce->what, NVME_SYNC_FOR_DEVICE);
    ck_assert_uint_eq(bounce->bytes, 17 * 512);
    ck_assert_mem_eq(bounce->cpu, request.buffer, 17 * 512); /* copied before, not after */
    ck_assert_int_eq(list->what, NVME_SYNC_FOR_DEVICE);
    ck_assert_uint_eq(list->bytes, 16); /* two entries */
    nvme_ring(queue);
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_uint_eq(fake->sync_count, 2); /* nothing comes back from a write */
    fake_forget();
    transfer(NVME_OP_READ, 50, 1, fake_buffer(512, 4096, 512));
    ck_assert_uint_eq(fake->sync_count, 2);
    ck_assert_int_eq(fake->syncs[0].what, NVME_SYNC_FOR_DEVICE); /* no dirty line over its data */
    ck_assert_uint_eq(fake->syncs[0].bytes, 512);
    ck_assert_int_eq(fake->syncs[1].what, NVME_SYNC_FOR_CPU);
    ck_assert_uint_eq(fake->syncs[1].bytes, 512);
    ck_assert_ptr_eq(fake->syncs[0].cpu, fake->syncs[1].cpu);
}
END_TEST

START_TEST(rings_are_synchronised_at_creation)
{
    uint32_t rings = 0;

    fake->platform.flags = 0;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    for (uint32_t i = 0; i < fake->sync_count; i++)
        rings += fake->syncs[i].what == NVME_SYNC_FOR_DEVICE &&
                 (fake_bus(fake->syncs[i].cpu) == fake->queues[0].cq_bus ||
                  fake_bus(fake->syncs[i].cpu) == fake->queues[0].sq_bus ||
                  fake_bus(fake->syncs[i].cpu) == fake->queues[1].cq_bus ||
                  fake_bus(fake->syncs[i].cpu) == fake->queues[1].sq_bus);
    ck_assert_uint_eq(rings, 4);
}
END_TEST

Suite *suite_data(void)
{
    Suite *suite = suite_create("driver data");
    TCase *paths = tcase_create("paths");

    tcase_add_checked_fixture(paths, fake_create, fake_destroy);
    tcase_set_timeout(paths, 60);
    tcase_add_loop_test(paths, bytes_arrive, 0, 4);
    tcase_add_test(paths, each_piece_takes_its_own_way);
    tcase_add_test(paths, unaligned_address_bounces_or_is_refused);
    tcase_add_test(paths, unaligned_address_without_bounce_buffers_is_refused);
    tcase_add_test(paths, chained_lists);
    tcase_add_test(paths, failing_map_fails_the_submit);
    tcase_add_test(paths, map_fails_in_the_middle_of_a_split);
    tcase_add_test(paths, synchronisation);
    tcase_add_test(paths, rings_are_synchronised_at_creation);
    suite_add_tcase(suite, paths);
    return suite;
}
