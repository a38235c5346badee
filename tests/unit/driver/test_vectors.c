/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scattered buffers: that the bytes arrive whatever the pieces are and whatever can carry them,
 * where requests are split, what is refused, and that what is mapped is unmapped once, in every
 * order of failure (NVMe 1.4 sections 4.3, 4.4).
 */
#include "fake.h"
#include "suites.h"

#define PARTS 700u

static struct nvme_queue *queue;
static struct nvme_request request;
static struct nvme_vector parts[PARTS];
static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % limit);
}

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

static void vector_request(enum nvme_op op, uint64_t lba, uint32_t blocks, uint32_t count,
                           bool registered)
{
    fake_request(&request, op, lba, blocks, NULL);
    request.flags = NVME_REQ_VECTOR;
    request.vector = parts;
    request.vector_count = (uint16_t)count;
    for (uint32_t i = 0; registered && i < count; i++) {
        parts[i].bus = fake_bus(parts[i].cpu);
        request.flags |= NVME_REQ_REGISTERED;
    }
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

/* Writes or reads, and compares every byte with the disk. */
static void transfer(enum nvme_op op, uint64_t lba, uint32_t blocks, uint32_t count,
                     bool registered)
{
    const uint8_t *disk = fake_disk + lba * 512;

    vector_request(op, lba, blocks, count, registered);
    if (op == NVME_OP_WRITE)
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t b = 0; b < parts[i].bytes; b++)
                ((uint8_t *)parts[i].cpu)[b] = (uint8_t)random_below(256);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    drain();
    ck_assert_int_eq(request.error, NVME_OK);
    ck_assert_uint_eq((uintptr_t)request.user, 1);
    for (uint32_t i = 0; i < count; disk += parts[i++].bytes)
        ck_assert_mem_eq(parts[i].cpu, disk, parts[i].bytes);
    ck_assert_ptr_eq(disk, fake_disk + (lba + blocks) * 512);
}

/* `blocks` in pieces of random lengths, multiples of grain, at random multiples of it. */
static uint32_t scatter(uint32_t blocks, uint32_t grain)
{
    uint32_t left = blocks * 512, count = 0;

    while (left != 0) {
        uint32_t most = random_below(3) == 0 ? 20000 : 3000;
        uint32_t bytes = grain * (1 + random_below(most / grain));

        if (bytes > left || count + 1 == PARTS)
            bytes = left;
        parts[count++] = (struct nvme_vector){
            fake_buffer(bytes, 4096, random_below(4096 / grain) * grain), 0, bytes};
        left -= bytes;
    }
    return count;
}

static const struct carrier {
    uint32_t sgls;
    enum nvme_sgl_policy policy;
    uint32_t bounce, grain;
    bool registered;
    enum nvme_split_policy split;
} carriers[] = {
    {0, NVME_SGL_NEVER, 65536, 1, false, NVME_SPLIT_PARALLEL}, /* all bounced, gathered */
    {0, NVME_SGL_NEVER, 4096, 4, false, NVME_SPLIT_SERIAL},
    {0, NVME_SGL_NEVER, 0, 512, true, NVME_SPLIT_PARALLEL}, /* split where PRPs break */
    {0, NVME_SGL_NEVER, 0, 512, false, NVME_SPLIT_SERIAL},
    {1, NVME_SGL_WHERE_NEEDED, 0, 1, false, NVME_SPLIT_PARALLEL},
    {1, NVME_SGL_BY_SIZE, 0, 1, true, NVME_SPLIT_PARALLEL},
    {2, NVME_SGL_WHERE_NEEDED, 0, 4, true, NVME_SPLIT_SERIAL},
    {2, NVME_SGL_BY_SIZE, 8192, 2, false, NVME_SPLIT_PARALLEL}, /* some must be bounced */
};

START_TEST(bytes_arrive_whatever_carries_them)
{
    const struct carrier *c = &carriers[_i];

    seed = 88172645463325252ull + (uint64_t)_i;
    fake->sgls = c->sgls;
    fake->config.sgl = c->policy;
    fake->config.sgl_min_bytes = 2048;
    fake->config.bounce_bytes = c->bounce;
    fake->config.split = c->split;
    fake->config.full = NVME_FULL_QUEUE;
    fake->platform.flags = 0;
    start();
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t used = fake->pool_used, blocks = 1 + random_below(700);
        uint64_t lba = random_below(FAKE_BLOCKS - blocks);
        uint32_t count;

        fake->split_segments = round % 2 != 0;
        count = scatter(blocks, c->grain);
        transfer(round % 3 ? NVME_OP_READ : NVME_OP_WRITE, lba, blocks, count, c->registered);
        fake->pool_used = used;
        fake_forget();
    }
    ck_assert_uint_eq(fake->maps, fake->unmaps);
    ck_assert_uint_eq(fake_stats(queue).bytes_bounced, fake->copied_bytes);
    ck_assert(c->sgls == 0 || fake_stats(queue).sgls > 0);
    ck_assert(c->registered || c->bounce == 0 || fake_stats(queue).bounced > 0);
}
END_TEST

START_TEST(pieces_that_are_pages_are_one_prp_list)
{
    uint8_t *buffer;
    struct nvme_segment out[8];

    start();
    buffer = fake_buffer(65536, 4096, 0);
    parts[0] = (struct nvme_vector){buffer + 4096 - 512, 0, 512};
    parts[1] = (struct nvme_vector){buffer + 16384, 0, 8192};
    parts[2] = (struct nvme_vector){buffer + 40960, 0, 1024};
    vector_request(NVME_OP_READ, 0, 19, 3, _i != 0);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 1);
    ck_assert_uint_eq(fake_walk(&fake->queues[1].fetched[0], 19 * 512, out, 8), 4);
    ck_assert_uint_eq(out[0].bus, fake_bus(buffer) + 3584);
    ck_assert_uint_eq(out[1].bus, fake_bus(buffer) + 16384);
    ck_assert_uint_eq(out[2].bus, fake_bus(buffer) + 20480);
    ck_assert_uint_eq(out[3].bus, fake_bus(buffer) + 40960);
    ck_assert_uint_eq(fake->maps, _i ? 0 : 3);
    drain();
    ck_assert_uint_eq(fake->unmaps, _i ? 0 : 3);
}
END_TEST

START_TEST(neighbours_become_one)
{
    uint8_t *buffer;

    start();
    buffer = fake_buffer(8192, 4096, 0);
    for (uint32_t i = 0; i < 16; i++)
        parts[i] = (struct nvme_vector){buffer + i * 512, 0, 512};
    transfer(NVME_OP_READ, 0, 16, 16, _i != 0);
    ck_assert_uint_eq(fake_stats(queue).commands, 1);
}
END_TEST

/* No SGL, nothing to bounce with: commands end where PRPs would break. */
START_TEST(split_where_prps_break)
{
    static const uint32_t lengths[] = {1024, 1536, 4096, 512};
    static const uint32_t offsets[] = {0, 2560, 0, 512};
    const struct nvme_sqe *sqe = fake->queues[1].fetched;

    start();
    for (uint32_t i = 0; i < 4; i++)
        parts[i] = (struct nvme_vector){fake_buffer(lengths[i], 4096, offsets[i]), 0, lengths[i]};
    vector_request(NVME_OP_READ, 100, 14, 4, _i != 0);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    /* 1024 | 1536 to the end of its page, and the whole page after it | 512 */
    ck_assert_uint_eq(fake->queues[1].in_flight, 3);
    ck_assert_uint_eq(sqe[0].cdw10_11, 100);
    ck_assert_uint_eq(sqe[0].cdw12_13, 1);
    ck_assert_uint_eq(sqe[1].cdw10_11, 102);
    ck_assert_uint_eq(sqe[1].cdw12_13, 10);
    ck_assert_uint_eq(sqe[1].prp1, fake_bus(parts[1].cpu));
    ck_assert_uint_eq(sqe[1].prp2, fake_bus(parts[2].cpu));
    ck_assert_uint_eq(sqe[2].cdw10_11, 113);
    ck_assert_uint_eq(sqe[2].cdw12_13, 0);
    drain();
    ck_assert_uint_eq(fake_stats(queue).splits, 1);
    ck_assert(request.was_split);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_OK);
}
END_TEST

/* A block that lies in two pieces cannot be split: refused, or bounced if there is a way. */
START_TEST(a_block_in_two_pieces_is_bounced_or_refused)
{
    static const int errors[] = {NVME_E_INVAL, NVME_E_INVAL, NVME_OK, NVME_E_INVAL};
    bool registered = (_i & 1) != 0;

    fake->config.bounce_bytes = _i & 2 ? 4096 : 0;
    start();
    parts[0] = (struct nvme_vector){fake_buffer(256, 4096, 0), 0, 256};
    parts[1] = (struct nvme_vector){fake_buffer(256, 4096, 0), 0, 256};
    vector_request(NVME_OP_READ, 0, 1, 2, registered);
    ck_assert_int_eq(nvme_submit(queue, &request), errors[_i]);
    drain();
    if (errors[_i] == NVME_OK) {
        ck_assert_uint_eq(fake->copies, 2);
        ck_assert_mem_eq(parts[1].cpu, fake_disk + 256, 256);
    }
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
}
END_TEST

/* Direct as far as PRPs go, bounced where a block is torn. */
START_TEST(only_what_is_torn_is_bounced)
{
    fake->config.bounce_bytes = 4096;
    start();
    parts[0] = (struct nvme_vector){fake_buffer(65536 + 256, 4096, 0), 0, 65536 + 256};
    parts[1] = (struct nvme_vector){fake_buffer(256, 4096, 0), 0, 256};
    transfer(NVME_OP_READ, 7, 129, 2, false);
    ck_assert_uint_eq(fake_stats(queue).commands, 2);
    ck_assert_uint_eq(fake_stats(queue).bounced, 1);
    ck_assert_uint_eq(fake_stats(queue).bytes_bounced, 512);
}
END_TEST

START_TEST(mdts_cuts_across_pieces)
{
    const struct nvme_sqe *sqe = fake->queues[1].fetched;

    fake->mdts = 1; /* 8 KiB */
    start();
    parts[0] = (struct nvme_vector){fake_buffer(12288, 4096, 0), 0, 12288};
    parts[1] = (struct nvme_vector){fake_buffer(8192, 4096, 0), 0, 8192};
    vector_request(NVME_OP_READ, 0, 40, 2, true);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 3);
    ck_assert_uint_eq(sqe[1].prp1, parts[0].bus + 8192);
    ck_assert_uint_eq(sqe[1].prp2, parts[1].bus);
    ck_assert_uint_eq(sqe[2].prp1, parts[1].bus + 4096);
    ck_assert_uint_eq(sqe[2].cdw12_13, 7);
    drain();
    transfer(NVME_OP_WRITE, 4, 40, 2, false);
}
END_TEST

/* More pieces than one command's list has room for. */
START_TEST(more_pieces_than_segments)
{
    uint8_t *buffer;

    fake->mdts = 0;
    fake->config.full = NVME_FULL_QUEUE;
    start();
    buffer = fake_buffer(PARTS * 1024, 4096, 0);
    for (uint32_t i = 0; i < PARTS; i++)
        parts[i] = (struct nvme_vector){buffer + i * 1024, 0, 512};
    transfer(NVME_OP_READ, 0, PARTS, PARTS, _i != 0);
    ck_assert_uint_eq(fake_stats(queue).commands, PARTS); /* no two of them go together */
}
END_TEST

START_TEST(vectors_are_checked)
{
    uint8_t *buffer;

    start();
    buffer = fake_buffer(8192, 4096, 0);
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        parts[0] = (struct nvme_vector){buffer, 0, 4096};                                          \
        parts[1] = (struct nvme_vector){buffer + 4096, 0, 4096};                                   \
        vector_request(NVME_OP_WRITE, 0, 16, 2, false);                                            \
        change;                                                                                    \
        ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);                              \
    } while (0)
    REFUSED(request.vector_count = 0);
    REFUSED(request.vector_count = 1);
    REFUSED(request.blocks = 15);
    REFUSED(request.blocks = 17);
    REFUSED(parts[0].bytes = 0);
    REFUSED(parts[1].cpu = NULL);
    REFUSED(parts[1].cpu = buffer + 4098);
    REFUSED((parts[0].bytes = UINT32_MAX, parts[1].bytes = 8193)); /* the sum wraps to 8192 */
    REFUSED((request.flags |= NVME_REQ_REGISTERED, parts[1].bus = 2));
    ck_assert_uint_eq(fake->maps, 0);
}
END_TEST

/* The k-th mapping of a request fails, for every k: before, in the first command and in later ones.
 * What was mapped is unmapped (the double knows each mapping), and the request ends once. */
START_TEST(a_map_that_fails_leaves_nothing_mapped)
{
    seed = 12345;
    fake->config.split = _i ? NVME_SPLIT_SERIAL : NVME_SPLIT_PARALLEL;
    start();
    /* Each command maps one piece too many before it knows where PRPs end, and begins again: 5 + 4,
     * 5 + 4, 4. */
    for (int k = 0; k <= 22; k++) {
        int error;

        for (uint32_t i = 0; i < 12; i++) /* three commands of four pages */
            parts[i] = (struct nvme_vector){fake_buffer(4096, 4096, i % 4 ? 0 : 512), 0,
                                            i % 4 ? 4096 : 3584};
        parts[11].bytes = 512;
        fake->map_fail_after = k;
        vector_request(NVME_OP_READ, 0, (3 * 3584 + 8 * 4096 + 512) / 512, 12, false);
        error = nvme_submit(queue, &request);
        if (k < 9) {
            ck_assert_int_eq(error, NVME_E_NO_MEMORY);
            ck_assert_uint_eq(nvme_in_flight(queue), 0);
            ck_assert_uint_eq(fake->mapped, 0);
            continue;
        }
        ck_assert_int_eq(error, NVME_OK);
        drain();
        ck_assert_uint_eq((uintptr_t)request.user, 1);
        ck_assert_int_eq(request.error, k < 22 ? NVME_E_NO_MEMORY : NVME_OK);
    }
    ck_assert_uint_eq(fake->maps, fake->unmaps);
}
END_TEST

/* A reset with vectors in flight unmaps them too. */
START_TEST(a_reset_unmaps_what_was_in_flight)
{
    start();
    for (uint32_t i = 0; i < 4; i++)
        parts[i] = (struct nvme_vector){fake_buffer(4096, 4096, 0), 0, 4096};
    vector_request(NVME_OP_WRITE, 0, 32, 4, false);
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    ck_assert_uint_eq(fake->mapped, 4);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->mapped, 0);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(request.error, NVME_E_STATE);
}
END_TEST

Suite *suite_vectors(void)
{
    Suite *suite = suite_create("driver vectors");
    TCase *vectors = tcase_create("vectors");

    tcase_add_checked_fixture(vectors, fake_create, fake_destroy);
    tcase_set_timeout(vectors, 120);
    tcase_add_loop_test(vectors, bytes_arrive_whatever_carries_them, 0,
                        sizeof(carriers) / sizeof(carriers[0]));
    tcase_add_loop_test(vectors, pieces_that_are_pages_are_one_prp_list, 0, 2);
    tcase_add_loop_test(vectors, neighbours_become_one, 0, 2);
    tcase_add_loop_test(vectors, split_where_prps_break, 0, 2);
    tcase_add_loop_test(vectors, a_block_in_two_pieces_is_bounced_or_refused, 0, 4);
    tcase_add_test(vectors, only_what_is_torn_is_bounced);
    tcase_add_test(vectors, mdts_cuts_across_pieces);
    tcase_add_loop_test(vectors, more_pieces_than_segments, 0, 2);
    tcase_add_test(vectors, vectors_are_checked);
    tcase_add_loop_test(vectors, a_map_that_fails_leaves_nothing_mapped, 0, 2);
    tcase_add_test(vectors, a_reset_unmaps_what_was_in_flight);
    suite_add_tcase(suite, vectors);
    return suite;
}
