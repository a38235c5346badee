/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SGLs (NVMe 1.4 section 4.4): the builder alone, as a property (decode(build(x)) = x), at the
 * limits of its list pages, and its flags in the entry; when one is taken, by policy.
 */
#include "fake.h"
#include "suites.h"

#include "internal.h"

#define PAGES    5u
#define SEGMENTS 1400u
#define LIST_BUS 0x712345000ull

static uint64_t lists[PAGES * 2048];
static struct nvme_segment input[SEGMENTS];
static struct nvme_queue *queue;
static struct nvme_request request;
static uint64_t seed = 88172645463325252ull;

static uint32_t random_below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % limit);
}

static int build(struct nvme_dptr *sgl, uint32_t count, uint32_t shift, uint32_t mask)
{
    memset(lists, 0xEE, sizeof(lists));
    *sgl = (struct nvme_dptr){
        .list = lists, .list_bus = LIST_BUS, .list_pages = PAGES, .page_shift = shift};
    return nvme_sgl_build(sgl, input, count, mask);
}

/* Every descriptor is the next of input[]; returns how many lie in the list. */
static uint32_t decode(const struct nvme_dptr *sgl, uint32_t count, uint32_t page)
{
    uint64_t bus = sgl->prp1, word = sgl->prp2;
    uint32_t at = 0, used = 0;

    if (word >> 60 == 0) { /* a data block by itself */
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(bus, input[0].bus);
        ck_assert_uint_eq(word, input[0].bytes);
        return 0;
    }
    for (;;) {
        uint32_t type = (uint32_t)(word >> 60), here = (uint32_t)word / 16;
        const uint64_t *list = &lists[(bus - LIST_BUS) / 8];

        ck_assert(type == 2 || type == 3); /* segment, last segment */
        ck_assert_uint_eq((word >> 32) & 0x0FFFFFFF, 0);
        ck_assert_uint_eq((uint32_t)word % 16, 0);
        ck_assert_uint_eq((bus - LIST_BUS) % page, 0);
        ck_assert_uint_ge(here, 1);
        ck_assert_uint_le(here * 16, page);
        used += here;
        for (uint32_t i = 0; i < here; i++) {
            bus = fake_le64(list[2 * i]);
            word = fake_le64(list[2 * i + 1]);
            if (type == 2 && i + 1 == here)
                break;
            ck_assert_uint_lt(at, count);
            ck_assert_uint_eq(bus, input[at].bus);
            ck_assert_uint_eq(word, input[at].bytes); /* type 0, subtype 0 */
            at++;
        }
        if (type == 3)
            break;
    }
    ck_assert_uint_eq(at, count);
    return used;
}

START_TEST(decoding_gives_what_was_built)
{
    static const uint32_t counts[] = {1,   2,   3,   255, 256,  257,  510, 511,
                                      512, 765, 766, 767, 1021, 1022, 1276};
    struct nvme_dptr sgl;

    for (uint32_t shift = 12; shift < 14; shift++)
        for (uint32_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
            uint32_t count = counts[c], per_page = (1u << shift) / 16;
            /* each page but the last gives one descriptor to the chain */
            uint32_t pages = count <= per_page ? 1 : (count - 2) / (per_page - 1) + 1;

            for (uint32_t i = 0; i < count; i++)
                input[i] = (struct nvme_segment){(uint64_t)random_below(UINT32_MAX) << 8 |
                                                     random_below(256),
                                                 1 + random_below(UINT32_MAX - 1)};
            ck_assert_int_eq(build(&sgl, count, shift, 0), NVME_OK);
            ck_assert_uint_eq(decode(&sgl, count, 1u << shift), sgl.entries);
            ck_assert_uint_eq(sgl.entries, count == 1 ? 0 : count + pages - 1);
            for (uint32_t i = sgl.entries * 2; i < PAGES * 2048; i++) /* and not beyond */
                ck_assert_uint_eq(lists[i], 0xEEEEEEEEEEEEEEEEull);
        }
}
END_TEST

START_TEST(the_list_pages_are_the_limit)
{
    struct nvme_dptr sgl;

    for (uint32_t i = 0; i < SEGMENTS; i++)
        input[i] = (struct nvme_segment){i * 8192ull, 4};
    ck_assert_int_eq(build(&sgl, 4 * 255 + 256, 12, 3), NVME_OK);
    ck_assert_int_eq(build(&sgl, 4 * 255 + 257, 12, 3), NVME_E_INVAL);
    ck_assert_int_eq(build(&sgl, 0, 12, 3), NVME_E_INVAL);
}
END_TEST

START_TEST(dwords_where_the_controller_wants_them)
{
    struct nvme_dptr sgl;

    input[0] = (struct nvme_segment){0x1000, 4};
    input[1] = (struct nvme_segment){0x2001, 4};
    ck_assert_int_eq(build(&sgl, 2, 12, 0), NVME_OK);
    ck_assert_int_eq(build(&sgl, 2, 12, 3), NVME_E_INVAL);
    input[1] = (struct nvme_segment){0x2000, 5};
    ck_assert_int_eq(build(&sgl, 2, 12, 3), NVME_E_INVAL);
    input[1].bytes = 8;
    ck_assert_int_eq(build(&sgl, 2, 12, 3), NVME_OK);
    input[0].bus = 0x1002;
    ck_assert_int_eq(build(&sgl, 1, 12, 3), NVME_E_INVAL);
}
END_TEST

/* ---- when ---- */

static void start(enum nvme_sgl_policy policy, uint32_t sgls)
{
    fake->config.sgl = policy;
    fake->config.sgl_min_bytes = 4096;
    fake->sgls = sgls;
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
}

/* PSDT of the one command that the request is. */
static uint32_t psdt(void)
{
    const struct nvme_sqe *sqe = fake->queues[1].fetched;
    uint32_t bits;

    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 1);
    bits = (uint32_t)(sqe->command_nsid >> 14) & 3;
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_int_eq(request.error, NVME_OK);
    return bits;
}

/* libvfn left PSDT at 0 for one segment, so that its length passed for a PRP list (facts: trap 1).
 */
START_TEST(one_segment_is_inline_and_says_so)
{
    const struct nvme_sqe *sqe = fake->queues[1].fetched;

    start(NVME_SGL_BY_SIZE, 1);
    fake_registered(&request, NVME_OP_READ, 0, 32, fake_buffer(16384, 4096, 0));
    ck_assert_int_eq(nvme_submit(queue, &request), NVME_OK);
    nvme_ring(queue);
    fake_fetch(1);
    ck_assert_uint_eq(sqe->command_nsid & 0xFFFF, 0x4002); /* PSDT 01b, no fused bits, Read */
    ck_assert_uint_eq(sqe->prp1, request.bus);
    ck_assert_uint_eq(sqe->prp2, 16384); /* data block */
    fake_run(1);
    nvme_poll(queue, 0);
    ck_assert_mem_eq(fake_cpu(request.bus, 16384), fake_disk, 16384);
}
END_TEST

START_TEST(by_size_counts_the_mean_of_the_pieces)
{
    struct nvme_vector parts[2];
    uint8_t *buffer;
    struct nvme_queue_stats stats;

    start(NVME_SGL_BY_SIZE, 2);
    buffer = fake_buffer(32768, 4096, 0);
    fake_request(&request, NVME_OP_READ, 0, 8, buffer);
    ck_assert_uint_eq(psdt(), 1); /* 4096 of 4096 */
    fake_request(&request, NVME_OP_READ, 0, 7, buffer);
    ck_assert_uint_eq(psdt(), 0); /* less: PRP */
    parts[0] = (struct nvme_vector){buffer, 0, 4096};
    parts[1] = (struct nvme_vector){buffer + 8192, 0, 4096};
    fake_request(&request, NVME_OP_READ, 0, 16, NULL);
    request.flags = NVME_REQ_VECTOR;
    request.vector = parts;
    request.vector_count = 2;
    ck_assert_uint_eq(psdt(), 1);
    parts[1].bytes = 3584;
    request.blocks = 15;
    ck_assert_uint_eq(psdt(), 0);
    nvme_get_queue_stats(queue, &stats);
    ck_assert_uint_eq(stats.sgls, 2);
}
END_TEST

START_TEST(never_where_the_controller_or_the_policy_does_not_want_it)
{
    static const struct {
        enum nvme_sgl_policy policy;
        uint32_t sgls;
        uint32_t contiguous;
    } cases[] = {{NVME_SGL_NEVER, 1, 0},
                 {NVME_SGL_WHERE_NEEDED, 1, 0},
                 {NVME_SGL_BY_SIZE, 0, 0},
                 {NVME_SGL_BY_SIZE, 3, 0}, /* reserved value (5.15.2.2) */
                 {NVME_SGL_BY_SIZE, 1, 1}};

    start(cases[_i].policy, cases[_i].sgls);
    ck_assert_int_eq(nvme_get_info(fake->nvme)->sgl, cases[_i].sgls == 1);
    fake_request(&request, NVME_OP_READ, 0, 64, fake_buffer(32768, 4096, 0));
    ck_assert_uint_eq(psdt(), cases[_i].contiguous);
    for (uint32_t i = 0; i < fake->admin_log_count; i++) /* never for admin commands (4.2) */
        ck_assert_uint_eq((fake->admin_log[i].command_nsid >> 14) & 3, 0);
}
END_TEST

/* The short path builds PRPs: by size it must not be taken. */
START_TEST(short_and_general_path_decide_alike)
{
    fake_unlock();
    start(NVME_SGL_BY_SIZE, 1);
    fake_registered(&request, NVME_OP_READ, 0, 8, fake_buffer(8192, 4096, 0));
    ck_assert_uint_eq(psdt(), 1);
    fake_registered(&request, NVME_OP_READ, 0, 16, fake_buffer(8192, 4096, 0));
    ck_assert_uint_eq(psdt(), 1);
}
END_TEST

START_TEST(any_byte_needs_no_bounce_buffer)
{
    start(NVME_SGL_WHERE_NEEDED, _i ? 2 : 1);
    fake_request(&request, NVME_OP_READ, 3, 8, fake_buffer(4096, 4096, 1));
    if (_i) { /* dwords only, and nothing to bounce with */
        ck_assert_int_eq(nvme_submit(queue, &request), NVME_E_INVAL);
        return;
    }
    ck_assert_uint_eq(psdt(), 1);
    ck_assert_mem_eq(request.buffer, fake_disk + 3 * 512, 4096);
}
END_TEST

START_TEST(segments_are_synchronised_as_far_as_they_go)
{
    static struct nvme_vector parts[300];
    uint8_t *buffer;

    fake->platform.flags = 0;
    fake->config.list_pages = 2;
    fake->mdts = 0;
    start(NVME_SGL_WHERE_NEEDED, 2);
    buffer = fake_buffer(300 * 1024, 4096, 0);
    for (uint32_t i = 0; i < 300; i++)
        parts[i] = (struct nvme_vector){buffer + i * 1024, 0, 512};
    fake_request(&request, NVME_OP_WRITE, 64, 300, NULL);
    request.flags = NVME_REQ_VECTOR;
    request.vector = parts;
    request.vector_count = 300;
    for (uint32_t i = 0; i < 300 * 1024; i++)
        buffer[i] = (uint8_t)(i * 11 + i / 1024);
    ck_assert_uint_eq(psdt(), 1);
    ck_assert_uint_eq(fake->sync_count, 1);
    ck_assert_uint_eq(fake->syncs[0].bytes, 301 * 16); /* one leads on */
    ck_assert_int_eq(fake->syncs[0].what, NVME_SYNC_FOR_DEVICE);
    ck_assert_uint_eq(fake->maps, 300);
    ck_assert_uint_eq(fake->unmaps, 300);
    for (uint32_t i = 0; i < 300; i++)
        ck_assert_mem_eq(fake_disk + (64 + i) * 512, parts[i].cpu, 512);
}
END_TEST

Suite *suite_sgl(void)
{
    Suite *suite = suite_create("driver sgl");
    TCase *alone = tcase_create("builder");
    TCase *policy = tcase_create("policy");

    tcase_set_timeout(alone, 60);
    tcase_add_test(alone, decoding_gives_what_was_built);
    tcase_add_test(alone, the_list_pages_are_the_limit);
    tcase_add_test(alone, dwords_where_the_controller_wants_them);
    suite_add_tcase(suite, alone);
    tcase_add_checked_fixture(policy, fake_create, fake_destroy);
    tcase_set_timeout(policy, 60);
    tcase_add_test(policy, one_segment_is_inline_and_says_so);
    tcase_add_test(policy, by_size_counts_the_mean_of_the_pieces);
    tcase_add_loop_test(policy, never_where_the_controller_or_the_policy_does_not_want_it, 0, 5);
    tcase_add_test(policy, short_and_general_path_decide_alike);
    tcase_add_loop_test(policy, any_byte_needs_no_bounce_buffer, 0, 2);
    tcase_add_test(policy, segments_are_synchronised_as_far_as_they_go);
    suite_add_tcase(suite, policy);
    return suite;
}
