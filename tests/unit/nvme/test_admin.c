/* SPDX-License-Identifier: BSD-2-Clause
 * Admin commands and each of their error statuses (NVMe 1.4 section 5). */
#include <string.h>

#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void teardown(void)
{
    rig_close(&rig);
}

static const uint8_t *page(void)
{
    return rig_at(&rig, RIG_DATA);
}

static uint64_t field(unsigned offset, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | page()[offset + i];
    return value;
}

START_TEST(identify_controller)
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(field(0, 2), 0x1b36);
    ck_assert_uint_eq(field(2, 2), 0x1af4);
    ck_assert_mem_eq(page() + 4, "SERIAL              ", 20); /* padded (1.5) */
    ck_assert_mem_eq(page() + 24, "MODEL                                   ", 40);
    ck_assert_mem_eq(page() + 64, "FW      ", 8);
    ck_assert_uint_eq(field(72, 1), 3);
    ck_assert_uint_eq(field(77, 1), 5);
    ck_assert_uint_eq(field(80, 4), 0x00010400);
    ck_assert_uint_eq(field(111, 1), 1);
    ck_assert_uint_eq(field(258, 1), 3);
    ck_assert_uint_eq(field(259, 1), 3);
    ck_assert_uint_eq(field(512, 1), 0x66);
    ck_assert_uint_eq(field(513, 1), 0x44);
    ck_assert_uint_eq(field(516, 4), 1);
    ck_assert_uint_eq(field(520, 2), 0x8f);
    ck_assert_uint_eq(field(522, 2), 1);
    ck_assert_uint_eq(field(525, 1), 0x07);
    /* SUBNQN (7.9) */
    ck_assert_mem_eq(page() + 768, "nqn.2014.08.org.nvmexpress:1b361af4SERIAL", 41);
    ck_assert_uint_eq(field(4094, 2), 0);
}
END_TEST

START_TEST(identify_namespace)
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 1, 0, 0, NULL), 0);
    ck_assert_uint_eq(field(0, 8), (64u << 20) / 512);
    ck_assert_uint_eq(field(8, 8), (64u << 20) / 512);
    ck_assert_uint_eq(field(16, 8), (64u << 20) / 512);
    ck_assert_uint_eq(field(25, 1), 1); /* NLBAF: 512 and 4096 */
    ck_assert_uint_eq(field(26, 1), 0);
    ck_assert_uint_eq(field(128, 4), 9u << 16);
    ck_assert_uint_eq(field(132, 4), 12u << 16);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 0, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_admin(&rig, 6, 2, 0, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0xffffffff, 0, 0, NULL), 0x00b);
}
END_TEST

START_TEST(identify_lists)
{
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 2, 0, NULL), 0);
    ck_assert_uint_eq(field(0, 8), 1);
    ck_assert_uint_eq(rig_admin(&rig, 6, 1, 2, 0, NULL), 0);
    ck_assert_uint_eq(field(0, 8), 0);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0xfffffffe, 2, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_admin(&rig, 6, 1, 3, 0, NULL), 0);
    ck_assert_uint_eq(field(0, 4), 0x1003); /* UUID, 16 bytes */
    ck_assert_uint_ne(field(4, 8), 0);
    ck_assert_uint_eq(field(20, 8), 0);
    ck_assert_uint_eq(rig_admin(&rig, 6, 2, 3, 0, NULL), 0x00b);
    ck_assert_uint_eq(rig_admin(&rig, 6, 1, 4, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 6, 1, 0xff, 0, NULL), 0x002);
}
END_TEST

START_TEST(identify_data_may_be_split_and_must_be_reachable)
{
    struct rig_cmd cmd = {
        .opcode = 6, .cid = 9, .prp1 = RIG_DATA + 0x804, .prp2 = RIG_DATA + 0x3000, .cdw10 = 1};

    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0);
    ck_assert_uint_eq(field(0x804, 2), 0x1b36);
    ck_assert_uint_eq(field(0x3000 + 2048 - 0x7fc, 2), 500); /* PSD0 */
    cmd.prp2 = RIG_DATA + 0x3010;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x013);
    cmd.prp1 = RIG_DATA + 2;
    cmd.prp2 = RIG_DATA + 0x3000;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x013);
    cmd.prp1 = 0x1000;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x004);
    ck_assert_uint_eq(rig_stats(&rig).dma_errors, 1);
}
END_TEST

START_TEST(unknown_opcodes_psdt_and_fuse)
{
    static const uint8_t supported[] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12};
    struct rig_cqe cqe;

    for (unsigned opcode = 0; opcode < 256; opcode++) {
        if (memchr(supported, (int)opcode, sizeof supported) == NULL)
            ck_assert_uint_eq(rig_admin(&rig, (uint8_t)opcode, 0, 0, 0, NULL), 0x001);
    }
    for (unsigned flags = 1; flags < 256; flags <<= 1) {
        struct rig_cmd cmd = {.opcode = 10, .cid = 3, .flags = (uint8_t)flags, .cdw10 = 7};
        bool refused = (flags & 0xc3) != 0;

        ck_assert_uint_eq(rig_do(&rig, 0, &cmd, &cqe), refused ? 0x002 : 0);
        ck_assert(cqe.dnr == refused);
    }
}
END_TEST

START_TEST(number_of_queues)
{
    uint32_t dw0;

    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 7, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00030003);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 7, 0x00010000, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00010001);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 7, 0x00630063, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00030003);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 7, 0xffff0000, &dw0), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 7, 0x0000ffff, &dw0), 0x002);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 7, 0, &dw0), 0x00c);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 7, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00030003);
}
END_TEST

/* feature, nsid, value set, status, value got afterwards */
static const struct {
    uint32_t feature, nsid, value, status, got;
} features[] = {
    {1, 0, 0x01020305, 0, 0x01020305},
    {2, 0, 0, 0, 0},
    {2, 0, 1, 0x002, 0},
    {4, 0, 0x00000140, 0, 0x140},
    {4, 0, 0x00010140, 0x002, 343},
    {4, 0, 0x00200140, 0x002, 343},
    {5, 1, 0x1234, 0, 0x1234},
    {5, 1, 0x10000, 0x002, 0},
    {5, 9, 0, 0x00b, 0},
    {6, 0, 0, 0, 0},
    {6, 0, 1, 0, 1},
    {6, 0, 2, 0x002, 1},
    {8, 0, 0, 0, 0},
    {8, 0, 0x0102, 0, 0x0102},
    {9, 0, 0x10000, 0, 0x10000},
    {9, 0, 0x00000, 0, 0x00000},
    {10, 0, 1, 0, 1},
    {10, 0, 2, 0x002, 0},
    {11, 0, 0x1f, 0, 0x1f},
    {11, 0, 0x100, 0x002, 0},
    /* of the controller: one namespace cannot have its own, all of them can */
    {1, 1, 0x01020305, 0x10f, 3},
    {2, 1, 0, 0x10f, 0},
    {4, 1, 0x140, 0x10f, 343},
    {6, 1, 0, 0x10f, 1},
    {7, 1, 0, 0x10f, 0x00030003},
    {8, 1, 0, 0x10f, 0},
    {9, 77, 0x10000, 0x10f, 0},
    {10, 0xfffffffe, 1, 0x10f, 0},
    {11, 1, 0x1f, 0x10f, 0},
    {1, 0xffffffff, 0x01020305, 0, 0x01020305},
};

START_TEST(feature_set_and_get)
{
    uint32_t dw0;
    uint32_t nsid = features[_i].feature == 5 ? 1 : 0;

    ck_assert_uint_eq(
        rig_admin(&rig, 9, features[_i].nsid, features[_i].feature, features[_i].value, NULL),
        features[_i].status);
    ck_assert_uint_eq(rig_admin(&rig, 10, nsid, features[_i].feature, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, features[_i].got);
}
END_TEST

START_TEST(features_that_do_not_exist)
{
    uint32_t dw0;

    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 0, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 0, 0, NULL), 0x002);
    for (uint32_t feature = 12; feature < 256; feature++) {
        if (feature == 0x16 || feature == 0x80 || feature == 0x81)
            continue; /* test_features.c */
        ck_assert_uint_eq(rig_admin(&rig, 9, 0, feature, 0, NULL), 0x002);
        ck_assert_uint_eq(rig_admin(&rig, 10, 0, feature, 0, NULL), 0x002);
    }
    ck_assert_uint_eq(rig_admin(&rig, 9, 1, 12, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 0x80000006, 0, NULL), 0x10d); /* save */
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 0x106, 0, NULL), 0x002);     /* select */
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 9, 5, NULL), 0x002);         /* no such vector */
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 9, 4, &dw0), 0);
    ck_assert_uint_eq(dw0, 4);
    rig_close(&rig);
    params.ctrl.vwc = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 1, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 6, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(field(525, 1), 0x06);
}
END_TEST

static uint16_t create(uint8_t opcode, uint32_t qid, uint32_t size, uint32_t cdw11, uint64_t prp1)
{
    return rig_do(&rig, 0,
                  &(struct rig_cmd){.opcode = opcode,
                                    .cid = 4,
                                    .prp1 = prp1,
                                    .cdw10 = (size - 1) << 16 | qid,
                                    .cdw11 = cdw11},
                  NULL);
}

START_TEST(create_completion_queue_errors)
{
    ck_assert_uint_eq(create(5, 0, 8, 1, RIG_IO_CQ), 0x101); /* 4.6.1.2.2 */
    ck_assert_uint_eq(create(5, 5, 8, 1, RIG_IO_CQ), 0x101);
    ck_assert_uint_eq(create(5, 0xffff, 8, 1, RIG_IO_CQ), 0x101);
    ck_assert_uint_eq(create(5, 1, 1, 1, RIG_IO_CQ), 0x102);
    ck_assert_uint_eq(create(5, 1, 257, 1, RIG_IO_CQ), 0x102);
    ck_assert_uint_eq(create(5, 1, 8, 0, RIG_IO_CQ), 0x002);
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ + 0x800), 0x013);
    ck_assert_uint_eq(create(5, 1, 8, 1 | 1u << 16, RIG_IO_CQ), 0x108); /* pin: vector 0 only */
    rig_msix_enable(&rig, 5);
    ck_assert_uint_eq(create(5, 1, 8, 1 | 5u << 16, RIG_IO_CQ), 0x108);
    ck_assert_uint_eq(create(5, 1, 256, 1 | 4u << 16, RIG_IO_CQ), 0);
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ), 0x101); /* exists */
    ck_assert_uint_eq(create(5, 4, 2, 1, RIG_IO_CQ), 0);
}
END_TEST

START_TEST(create_submission_queue_errors)
{
    ck_assert_uint_eq(create(1, 1, 8, 1 | 1u << 16, RIG_IO_SQ), 0x100); /* no such CQ */
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ), 0);
    ck_assert_uint_eq(create(1, 0, 8, 1 | 1u << 16, RIG_IO_SQ), 0x101);
    ck_assert_uint_eq(create(1, 5, 8, 1 | 1u << 16, RIG_IO_SQ), 0x101);
    ck_assert_uint_eq(create(1, 1, 8, 1, RIG_IO_SQ), 0x101);            /* CQID 0 */
    ck_assert_uint_eq(create(1, 1, 8, 1 | 5u << 16, RIG_IO_SQ), 0x101); /* CQID too large */
    ck_assert_uint_eq(create(1, 1, 1, 1 | 1u << 16, RIG_IO_SQ), 0x102);
    ck_assert_uint_eq(create(1, 1, 257, 1 | 1u << 16, RIG_IO_SQ), 0x102);
    ck_assert_uint_eq(create(1, 1, 8, 0 | 1u << 16, RIG_IO_SQ), 0x002);
    ck_assert_uint_eq(create(1, 1, 8, 1 | 1u << 16, RIG_IO_SQ + 64), 0x013);
    ck_assert_uint_eq(create(1, 1, 8, 1 | 1u << 16, RIG_IO_SQ), 0);
    ck_assert_uint_eq(create(1, 1, 8, 1 | 1u << 16, RIG_IO_SQ), 0x101);
    ck_assert_uint_eq(create(1, 2, 8, 1 | 1u << 16, RIG_IO_SQ), 0); /* shares the CQ */
}
END_TEST

START_TEST(entry_sizes_must_be_set_before_io_queues)
{
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ), 0x102);
    rig_write32(&rig, 0x14, 0x00500001); /* neither zero nor right */
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ), 0x002);
    rig_write32(&rig, 0x14, 0x00400001);
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ), 0);
    ck_assert_uint_eq(create(1, 1, 8, 1 | 1u << 16, RIG_IO_SQ), 0x102);
    rig_write32(&rig, 0x14, 0x00460001);
    ck_assert_uint_eq(create(1, 1, 8, 1 | 1u << 16, RIG_IO_SQ), 0);
}
END_TEST

START_TEST(grant_limits_queue_identifiers)
{
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 7, 0, NULL), 0);
    ck_assert_uint_eq(create(5, 2, 8, 1, RIG_IO_CQ), 0x101);
    ck_assert_uint_eq(create(5, 1, 8, 1, RIG_IO_CQ), 0);
}
END_TEST

START_TEST(delete_queue_errors_and_order)
{
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 0, 0, NULL), 0x101);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0x101);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 0, 0, NULL), 0x101);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0x101);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 0xffff, 0, NULL), 0x101);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0x10c);
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 4, 0, 1, 0, NULL), 0);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0);
}
END_TEST

START_TEST(delete_waits_for_commands_in_flight)
{
    struct rig_cqe cqe;

    rig_close(&rig);
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 100 * RIG_US;
    params.ctrl.contexts = 3;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    for (uint16_t i = 0; i < 5; i++)
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .cid = i, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_for(&rig, 10 * RIG_US);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0, .cid = 40, .cdw10 = 1});
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0, .cid = 41, .cdw10 = 1});
    rig_ring(&rig, 0);
    rig_for(&rig, 10 * RIG_US);
    ck_assert(rig_take(&rig, 0, &cqe)); /* the second finds the queue going */
    ck_assert_uint_eq(cqe.cid, 41);
    ck_assert_uint_eq(cqe.status, 0x101);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, 40);
    ck_assert_uint_eq(cqe.status, 0);
    /* three were in flight and completed; two were never fetched */
    for (unsigned i = 0; i < 3; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(!rig_take(&rig, 1, &cqe));
}
END_TEST

/* PC = 0 needs a list of the queue's pages (5.3); 256 SQ entries are four pages, in odd order here.
 */
START_TEST(queues_that_are_not_contiguous)
{
    static const uint64_t offsets[4] = {0x3000, 0x0000, 0x2000, 0x1000};
    struct rig_cqe cqe;

    rig_close(&rig);
    params.ctrl.cap_cqr = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    for (unsigned i = 0; i < 4; i++)
        rig_put64(&rig, RIG_LISTS + 8 * i, RIG_IO_SQ + offsets[i]);
    ck_assert_uint_eq(create(5, 1, 256, 3, RIG_IO_CQ), 0);
    ck_assert_uint_eq(create(1, 1, 256, 0 | 1u << 16, RIG_LISTS + 8), 0x013);
    rig_put64(&rig, RIG_LISTS + 24, RIG_IO_SQ + 0x1008);
    ck_assert_uint_eq(create(1, 1, 256, 0 | 1u << 16, RIG_LISTS), 0x013);
    ck_assert_uint_eq(create(1, 1, 256, 0 | 1u << 16, 0x1000), 0x004);
    rig_put64(&rig, RIG_LISTS + 24, RIG_IO_SQ + 0x1000);
    ck_assert_uint_eq(create(1, 1, 256, 0 | 1u << 16, RIG_LISTS), 0);
    rig.queue[1] = (struct rig_queue){
        .sq_size = 256, .cq_size = 256, .cq = RIG_IO_CQ, .qid = 1, .cqid = 1, .phase = true};
    for (unsigned i = 0; i < 255; i++) {
        /* rig_put writes at sq + tail * 64: aim it at the right page */
        rig.queue[1].sq = RIG_IO_SQ + offsets[i / 64] - (i / 64) * 0x1000;
        rig_put(&rig, 1,
                &(struct rig_cmd){
                    .opcode = 2, .cid = (uint16_t)i, .nsid = 1, .prp1 = RIG_DATA, .cdw10 = i});
    }
    rig_ring(&rig, 1);
    rig_settle(&rig);
    for (unsigned i = 0; i < 255; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
        ck_assert_uint_eq(cqe.status, 0);
    }
}
END_TEST

Suite *suite_admin(void)
{
    Suite *suite = suite_create("nvme admin commands");
    TCase *tc = tcase_create("admin");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, identify_controller);
    tcase_add_test(tc, identify_namespace);
    tcase_add_test(tc, identify_lists);
    tcase_add_test(tc, identify_data_may_be_split_and_must_be_reachable);
    tcase_add_test(tc, unknown_opcodes_psdt_and_fuse);
    tcase_add_test(tc, number_of_queues);
    tcase_add_loop_test(tc, feature_set_and_get, 0, sizeof features / sizeof features[0]);
    tcase_add_test(tc, features_that_do_not_exist);
    tcase_add_test(tc, create_completion_queue_errors);
    tcase_add_test(tc, create_submission_queue_errors);
    tcase_add_test(tc, entry_sizes_must_be_set_before_io_queues);
    tcase_add_test(tc, grant_limits_queue_identifiers);
    tcase_add_test(tc, delete_queue_errors_and_order);
    tcase_add_test(tc, delete_waits_for_commands_in_flight);
    tcase_add_test(tc, queues_that_are_not_contiguous);
    suite_add_tcase(suite, tc);
    return suite;
}
