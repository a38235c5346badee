/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Traps that published drivers fell into, by name and origin (docs/traps.md): data pointers, their
 * lists and their memory (NVMe 1.4 sections 4.3, 6.9).
 */
#include "fake.h"
#include "suites.h"

static struct nvme_queue *queue;
static struct nvme_request requests[20];

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static struct nvme_sqe *submit(uint32_t i)
{
    ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    return &fake->queues[1].fetched[fake->queues[1].in_flight - 1];
}

static void finish(uint32_t count)
{
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), count);
}

static uint64_t list_entry(uint64_t list, uint32_t index)
{
    uint64_t entry;

    memcpy(&entry, fake_cpu(list + index * 8, 8), 8);
    return fake_le64(entry);
}

/* Zephyr counted pages by length alone. Given 8 KiB that begin 512 bytes into a page, when they are
 * read, then three pages are touched: PRP2 is a list of two, and not the second page. */
START_TEST(offset_of_the_first_page_counts__peers_4)
{
    uint8_t *buffer;
    struct nvme_sqe *sqe;

    start();
    buffer = fake_buffer(8192, 4096, 512);
    if (_i)
        fake_registered(&requests[0], NVME_OP_READ, 7, 16, buffer);
    else
        fake_request(&requests[0], NVME_OP_READ, 7, 16, buffer);
    sqe = submit(0);
    ck_assert_uint_eq(sqe->prp1, fake_bus(buffer));
    ck_assert(sqe->prp2 < fake_bus(buffer) || sqe->prp2 >= fake_bus(buffer) + 8192);
    ck_assert_uint_eq(list_entry(sqe->prp2, 0), fake_bus(buffer) + 4096 - 512);
    ck_assert_uint_eq(list_entry(sqe->prp2, 1), fake_bus(buffer) + 8192 - 512);
    finish(1);
    ck_assert_mem_eq(buffer, fake_disk + 7 * FAKE_BLOCK, 8192);
}
END_TEST

/* Genode added page sizes to a base that was not aligned, so that PRP2 and its list kept the low
 * bits. Given buffers at every multiple of 4 in a page, for one, two and more pages, when they are
 * read, then only PRP1 has an offset (fake_walk() asserts it), and the bytes lie where they belong.
 */
START_TEST(only_prp1_has_an_offset__genode_1)
{
    static const uint32_t blocks[] = {1, 8, 9, 16, 17, 100};
    uint8_t *memory;

    start();
    memory = fake_buffer(128 * FAKE_BLOCK, 4096, 0);
    for (uint32_t b = 0; b < 6; b++)
        for (uint32_t offset = 0; offset < 4096; offset += 4) {
            uint8_t *buffer = memory + offset;

            if (_i)
                fake_registered(&requests[0], NVME_OP_READ, b, blocks[b], buffer);
            else
                fake_request(&requests[0], NVME_OP_READ, b, blocks[b], buffer);
            fake_ended_count = 0;
            fake_forget();
            submit(0);
            finish(1);
            ck_assert_mem_eq(buffer, fake_disk + b * FAKE_BLOCK, blocks[b] * FAKE_BLOCK);
        }
}
END_TEST

/* AROS filled PRPs with addresses of the CPU, and later cut those of its lists to 32 bits. Given
 * bus addresses above 4 GiB that no pointer resembles, when a list of two pages is needed, then
 * each address in it is a bus address with all its bits: data, list, and the pointer from page to
 * page. */
START_TEST(lists_hold_whole_bus_addresses__aros_4)
{
    uint8_t *buffer;
    struct nvme_sqe *sqe;

    fake->mdts = 0;
    fake->config.list_pages = 2;
    start();
    buffer = fake_buffer(600 * 4096, 4096, 0);
    fake_request(&requests[0], NVME_OP_READ, 0, 600 * 8, buffer);
    sqe = submit(0);
    ck_assert_uint_eq(sqe->prp1, fake_bus(buffer));
    ck_assert_uint_eq(sqe->prp2 >> 32, FAKE_BUS >> 32);
    for (uint32_t i = 0; i < 511; i++)
        ck_assert_uint_eq(list_entry(sqe->prp2, i), fake_bus(buffer) + (i + 1) * 4096ull);
    ck_assert_uint_eq(list_entry(sqe->prp2, 511), sqe->prp2 + 4096);
    for (uint32_t i = 511; i < 599; i++)
        ck_assert_uint_eq(list_entry(sqe->prp2 + 4096, i - 511),
                          fake_bus(buffer) + (i + 1) * 4096ull);
    finish(1);
}
END_TEST

/* AROS allocates and frees a list for each request, in the interrupt handler too. Given requests of
 * every path, when they run, wait and end, then no DMA memory is taken or given back. */
START_TEST(no_memory_is_allocated_for_io__aros_8)
{
    uint32_t allocs, live;
    uint8_t *buffer;

    fake->config.bounce_bytes = 8192;
    fake->config.read.direct_min_bytes = fake->config.write.direct_min_bytes = 4096;
    fake->config.full = NVME_FULL_QUEUE;
    fake->config.list_pages = 2;
    fake->config.slots = 4;
    start();
    buffer = fake_buffer(1024 * FAKE_BLOCK, 4096, 0);
    allocs = fake->allocs;
    live = fake->live_allocs;
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < 20; i++) {
            static const uint32_t blocks[] = {1, 8, 16, 100, 600};

            fake_request(&requests[i], i & 1 ? NVME_OP_WRITE : NVME_OP_READ, i, blocks[i % 5],
                         buffer);
            ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
        }
        nvme_ring(queue);
        for (fake_ended_count = 0; fake_ended_count < 20; nvme_poll(queue, 0))
            fake_run(1);
    }
    ck_assert_uint_eq(fake->allocs, allocs);
    ck_assert_uint_eq(fake->live_allocs, live);
}
END_TEST

/* NetBSD cut list memory into strides that may cross a page; libvfn ran over into the next
 * request's. Given every slot with the longest command that its lists can say, when all are in
 * flight at once, then no list touches another's pages, and all data arrives. */
START_TEST(every_slot_has_list_pages_of_its_own__netbsd_5__peers_3)
{
    const uint32_t pages = _i != 0 ? 2 : 1;
    const uint32_t bytes = (pages * 511 + 1) * 4096; /* and a page more, with the offset */
    uint64_t lists[3];

    fake->mdts = 0;
    fake->config.list_pages = (uint16_t)pages;
    fake->config.slots = 3;
    start();
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->max_transfer, bytes);
    for (uint32_t i = 0; i < 3; i++) {
        requests[i].buffer = fake_buffer(bytes, 4096, 2048);
        fake_request(&requests[i], NVME_OP_READ, i * 1000, bytes / FAKE_BLOCK, requests[i].buffer);
        lists[i] = submit(i)->prp2;
        ck_assert_uint_eq(lists[i] % 4096, 0);
        for (uint32_t j = 0; j < i; j++)
            ck_assert(lists[i] >= lists[j] + pages * 4096ull ||
                      lists[j] >= lists[i] + pages * 4096ull);
    }
    finish(3);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_mem_eq(requests[i].buffer, fake_disk + i * 1000 * FAKE_BLOCK, bytes);
}
END_TEST

/* nvme.device dropped the high word of the offset of some commands. Given a drive of 2^40 blocks,
 * when block 123456789h and the last are named, then the entry names them, on every path
 * (6.9, 6.15, 6.17).
 */
START_TEST(block_numbers_have_64_bits__amiga_2)
{
    static const uint64_t lbas[] = {0x123456789, (UINT64_C(1) << 40) - 8, UINT64_C(1) << 32};
    static const enum nvme_op ops[] = {NVME_OP_READ, NVME_OP_WRITE, NVME_OP_WRITE_ZEROES};
    uint8_t *buffer;

    fake->ns[0].blocks = UINT64_C(1) << 40;
    if (_i)
        fake_unlock();
    start();
    buffer = fake_buffer(4096, 4096, 0);
    for (uint32_t l = 0; l < 3; l++)
        for (uint32_t o = 0; o < 3; o++) {
            if (ops[o] != NVME_OP_WRITE_ZEROES && _i)
                fake_registered(&requests[0], ops[o], lbas[l], 8, buffer);
            else
                fake_request(&requests[0], ops[o], lbas[l], 8, buffer);
            ck_assert_uint_eq(submit(0)->cdw10_11, lbas[l]);
            fake_complete(1, 0, 0);
            ck_assert_uint_eq(nvme_poll(queue, 0), 1);
        }
}
END_TEST

/* nvme.device's RefreshSMART cleared the page that all admin commands share before it had the lock.
 * Given two commands in flight at once, then each has a page of its own, and each its own data. */
START_TEST(admin_commands_do_not_share_a_page__amiga_4)
{
    struct nvme_admin_request first, second;
    struct fake_queue *q = &fake->queues[0];
    uint8_t *data[2];

    start();
    fake->hold_admin = true;
    for (uint32_t i = 0; i < 2; i++) {
        data[i] = fake_buffer(512, 4, 2); /* not even aligned: through the command's own page */
        memset(data[i], 0, 512);
    }
    fake_admin_request(&first, FAKE_VENDOR_IN, data[0], 512);
    fake_admin_request(&second, FAKE_VENDOR_IN, data[1], 512);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &first), NVME_OK);
    ck_assert_int_eq(nvme_admin_submit(fake->nvme, &second), NVME_OK);
    fake_fetch(0);
    ck_assert_uint_eq(q->in_flight, 2);
    ck_assert_uint_ne(q->fetched[0].prp1 / 4096, q->fetched[1].prp1 / 4096);
    memset(fake_cpu(q->fetched[0].prp1, 512), 0x11, 512);
    memset(fake_cpu(q->fetched[1].prp1, 512), 0x22, 512);
    fake_complete(0, 1, 0);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    ck_assert_uint_eq((uintptr_t)second.user, 1);
    fake_complete(0, 0, 0);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_READY);
    for (uint32_t i = 0; i < 512; i++) {
        ck_assert_uint_eq(data[0][i], 0x11);
        ck_assert_uint_eq(data[1][i], 0x22);
    }
    fake->hold_admin = false;
}
END_TEST

/* nvme.device's loop over the pieces of a long request took other requests off the port and lost
 * them. Given a split of three pieces and 5 more requests, one slot, and everything waiting inside
 * the core, then each ends once, in the order in which it came. */
START_TEST(split_swallows_no_other_request__amiga_5)
{
    uint8_t *buffer;

    fake->config.full = NVME_FULL_QUEUE;
    fake->config.slots = 1;
    fake->config.split = _i ? NVME_SPLIT_SERIAL : NVME_SPLIT_PARALLEL;
    start();
    buffer = fake_buffer(600 * FAKE_BLOCK, 4096, 0);
    fake_request(&requests[0], NVME_OP_READ, 0, 600, buffer);
    for (uint32_t i = 1; i < 6; i++)
        fake_request(&requests[i], NVME_OP_READ, i, 1, buffer);
    for (uint32_t i = 0; i < 6; i++)
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    nvme_ring(queue);
    for (uint32_t i = 0; i < 3 + 5; i++)
        finish(1);
    ck_assert_uint_eq(fake_ended_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_uint_eq((uintptr_t)requests[i].user, 1);
        ck_assert_int_eq(requests[i].error, NVME_OK);
    }
}
END_TEST

Suite *suite_traps_data(void)
{
    Suite *suite = suite_create("traps: data");
    TCase *tcase = tcase_create("data");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, offset_of_the_first_page_counts__peers_4, 0, 2);
    tcase_add_loop_test(tcase, only_prp1_has_an_offset__genode_1, 0, 2);
    tcase_add_test(tcase, lists_hold_whole_bus_addresses__aros_4);
    tcase_add_test(tcase, no_memory_is_allocated_for_io__aros_8);
    tcase_add_loop_test(tcase, every_slot_has_list_pages_of_its_own__netbsd_5__peers_3, 0, 2);
    tcase_add_loop_test(tcase, block_numbers_have_64_bits__amiga_2, 0, 2);
    tcase_add_test(tcase, admin_commands_do_not_share_a_page__amiga_4);
    tcase_add_loop_test(tcase, split_swallows_no_other_request__amiga_5, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
