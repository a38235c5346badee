/* SPDX-License-Identifier: BSD-2-Clause
 * Namespace Management (NVMe 1.4 section 5.20) and Namespace Attachment (5.19; 8.12): every status,
 * and what becomes of commands in flight. Four namespaces can be; number 1 takes 64 of 128 MiB. */
#include <string.h>

#include "unit/nvme/rig_namespace.h"

static struct rig rig;
static struct rig_params params;

enum { MIB = 1 << 20, BLOCKS_PER_MIB = 2048, DATA = 0x8000 };

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
}

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.oacs_ns_management = 1;
    params.ctrl.namespaces_max = 4;
    params.ctrl.capacity = 128 * MIB;
    open_rig();
}

static void teardown(void)
{
    rig_close(&rig);
}

/* Namespace of so many MiB with blocks of 512 bytes. */
static uint32_t make(uint32_t mib)
{
    uint32_t nsid;
    uint64_t blocks = (uint64_t)mib * BLOCKS_PER_MIB;

    ck_assert_uint_eq(rig_ns_create(&rig, &(struct rig_ns){.nsze = blocks, .ncap = blocks}, &nsid),
                      0);
    return nsid;
}

static uint64_t unallocated(void)
{
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    return rig_field(&rig, 296, 8);
}

/* 5.20: given what the host asks for, then this status. */
static const struct {
    struct rig_ns ns;
    uint16_t status;
} creations[] = {
    {{.nsze = 8, .ncap = 8}, 0},
    {{.nsze = 8, .ncap = 8, .flbas = 1}, 0},
    {{.nsze = 8, .ncap = 8, .nmic = 1}, 0},
    {{.nsze = 8, .ncap = 8, .flbas = 0x10}, 0}, /* metadata setting, without metadata */
    {{.nsze = 8, .ncap = 8, .flbas = 2}, 0x10a},
    {{.nsze = 8, .ncap = 8, .flbas = 15}, 0x10a},
    {{.nsze = 8, .ncap = 8, .dps = 1}, 0x10a}, /* protection information */
    {{.nsze = 8, .ncap = 8, .nmic = 2}, 0x002},
    {{.nsze = 8, .ncap = 8, .nvmsetid = 1}, 0x002},
    {{.nsze = 8, .ncap = 8, .anagrpid = 1}, 0x124},
    {{.nsze = 0, .ncap = 0}, 0x002},
    {{.nsze = 8, .ncap = 9}, 0x002},
    {{.nsze = 8, .ncap = 7}, 0x11b}, /* thin provisioning */
    {{.nsze = 8, .ncap = 0}, 0x11b},
    {{.nsze = 131072, .ncap = 131072}, 0}, /* all that is left: 64 MiB */
    {{.nsze = 16384, .ncap = 16384, .flbas = 1}, 0},
    {{.nsze = 131073, .ncap = 131073}, 0x115},
    {{.nsze = 16385, .ncap = 16385, .flbas = 1}, 0x115},
    {{.nsze = UINT64_MAX, .ncap = UINT64_MAX}, 0x115},
    {{.nsze = UINT64_MAX >> 9, .ncap = UINT64_MAX >> 9}, 0x115},
    {{.nsze = (uint64_t)1 << 55, .ncap = (uint64_t)1 << 55}, 0x115}, /* 2^64 bytes */
};

START_TEST(create_status)
{
    uint32_t nsid = 0;

    ck_assert_uint_eq(rig_ns_create(&rig, &creations[_i].ns, &nsid), creations[_i].status);
    ck_assert_uint_eq(nsid, creations[_i].status == 0 ? 2 : 0);
    ck_assert_uint_eq(unallocated(), creations[_i].status != 0    ? 64 * MIB
                                     : creations[_i].ns.nsze == 8 ? 63 * MIB
                                                                  : 0);
}
END_TEST

/* 6.1.4: allocated, but not active before it is attached. */
START_TEST(created_is_allocated_and_not_attached)
{
    const struct rig_ns ns = {.nsze = 100, .ncap = 100, .flbas = 1, .nmic = 1};
    uint32_t nsid, first, last;

    ck_assert_uint_eq(rig_ns_create(&rig, &ns, &nsid), 0);
    ck_assert_uint_eq(rig_list(&rig, 0x02, 0, &first, &last), 1);
    ck_assert_uint_eq(rig_list(&rig, 0x10, 0, &first, &last), 2);
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 2), 0);
    ck_assert(rig_rest_is_zero(&rig, 0));
    ck_assert_uint_eq(rig_identify(&rig, 0x11, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 100);
    ck_assert_uint_eq(rig_field(&rig, 26, 1), 1);
    ck_assert_uint_eq(rig_field(&rig, 30, 1), 1);
    ck_assert_uint_eq(rig_field(&rig, 48, 8), 1 * MIB);
    ck_assert_uint_eq(rig_identify(&rig, 0x12, 2), 0);
    ck_assert(rig_rest_is_zero(&rig, 0));
    ck_assert_uint_eq(rig_block(&rig, 2, 2, 0, RIG_DATA), 0x002);
    ck_assert_uint_eq(rig_ns_attach(&rig, 2, 0), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 2, 99, RIG_DATA), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 2, 100, RIG_DATA), 0x080);
    ck_assert_uint_eq(rig_identify(&rig, 0x12, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 4), 1);
    ck_assert_uint_eq(rig_ns_detach(&rig, 2, 0), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 2, 0, RIG_DATA), 0x002);
    ck_assert_uint_eq(rig_identify(&rig, 0x11, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 100);
}
END_TEST

/* The lowest free identifier; none left is NSID Unavailable (5.20). */
START_TEST(identifiers)
{
    uint32_t nsid;

    for (uint32_t expected = 2; expected <= 4; expected++)
        ck_assert_uint_eq(make(1), expected);
    ck_assert_uint_eq(rig_ns_create(&rig, &(struct rig_ns){.nsze = 1, .ncap = 1}, &nsid), 0x116);
    ck_assert_uint_eq(rig_ns_delete(&rig, 3), 0);
    ck_assert_uint_eq(make(1), 3);
    ck_assert_uint_eq(rig_ns_delete(&rig, 1), 0);
    ck_assert_uint_eq(make(1), 1);
}
END_TEST

/* A place is contiguous: two free ones do not make one (namespace.c). */
START_TEST(places_are_contiguous)
{
    uint32_t nsid;

    ck_assert_uint_eq(make(20), 2);
    ck_assert_uint_eq(make(20), 3);
    ck_assert_uint_eq(make(20), 4);
    ck_assert_uint_eq(rig_ns_delete(&rig, 2), 0);
    ck_assert_uint_eq(rig_ns_delete(&rig, 4), 0);
    ck_assert_uint_eq(unallocated(), 44 * MIB);
    ck_assert_uint_eq(rig_ns_create(&rig,
                                    &(struct rig_ns){.nsze = 24 * BLOCKS_PER_MIB + 1,
                                                     .ncap = 24 * BLOCKS_PER_MIB + 1},
                                    &nsid),
                      0x115);
    ck_assert_uint_eq(make(24), 2); /* behind number 3 */
    ck_assert_uint_eq(make(20), 4); /* in front of it */
    ck_assert_uint_eq(unallocated(), 0);
}
END_TEST

/* 5.20, Delete: which NSIDs it takes. */
START_TEST(delete_status)
{
    uint32_t first, last;

    ck_assert_uint_eq(rig_ns_delete(&rig, 0), 0x00b);
    ck_assert_uint_eq(rig_ns_delete(&rig, 5), 0x00b);
    ck_assert_uint_eq(rig_ns_delete(&rig, 0xfffffffe), 0x00b);
    ck_assert_uint_eq(rig_ns_delete(&rig, 2), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 0x0d, 1, 2, 0, NULL), 0x002); /* reserved SEL */
    ck_assert_uint_eq(rig_admin(&rig, 0x0d, 1, 15, 0, NULL), 0x002);
    make(1);
    make(2);
    ck_assert_uint_eq(rig_ns_delete(&rig, 3), 0);
    ck_assert_uint_eq(rig_ns_delete(&rig, 3), 0x002);
    ck_assert_uint_eq(rig_ns_delete(&rig, RIG_ALL), 0);
    ck_assert_uint_eq(rig_list(&rig, 0x10, 0, &first, &last), 0);
    ck_assert_uint_eq(rig_list(&rig, 0x02, 0, &first, &last), 0);
    ck_assert_uint_eq(unallocated(), 128 * MIB);
    ck_assert_uint_eq(rig_block(&rig, 2, 1, 0, RIG_DATA), 0x002);
    ck_assert_uint_eq(rig_ns_delete(&rig, RIG_ALL), 0); /* all of none */
}
END_TEST

/* Given a namespace with data, when it is deleted and made again, then it reads as zeroes and has
 * other identifiers (5.15.2.4). */
START_TEST(what_is_made_again_is_new)
{
    uint8_t uuid[16];

    memset(rig_at(&rig, RIG_DATA), 0x5a, 512);
    ck_assert_uint_eq(rig_block(&rig, 1, 1, 9, RIG_DATA), 0);
    ck_assert_uint_eq(rig_identify(&rig, 0x03, 1), 0);
    memcpy(uuid, rig_at(&rig, RIG_DATA + 4), 16);
    ck_assert_uint_eq(rig_ns_delete(&rig, 1), 0);
    ck_assert_uint_eq(make(64), 1);
    ck_assert_uint_eq(rig_ns_attach(&rig, 1, 0), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 1, 9, RIG_DATA), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
    ck_assert_uint_eq(rig_identify(&rig, 0x03, 1), 0);
    ck_assert_mem_ne(rig_at(&rig, RIG_DATA + 4), uuid, 16);
}
END_TEST

/* Nor does a loss of power bring back what a deleted one held. */
START_TEST(what_was_deleted_stays_so)
{
    rig_close(&rig);
    strcpy(params.ctrl.faults, "nth=1000000 : power-loss"); /* only to keep what could be lost */
    open_rig();
    memset(rig_at(&rig, RIG_DATA), 0x5a, 512);
    ck_assert_uint_eq(rig_block(&rig, 1, 1, 9, RIG_DATA), 0);
    ck_assert_uint_eq(rig_block(&rig, 0, 1, 0, RIG_DATA), 0); /* flush */
    ck_assert_uint_eq(rig_ns_delete(&rig, 1), 0);
    ctrl_power_cycle(rig.ctrl);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(make(64), 1);
    ck_assert_uint_eq(rig_ns_attach(&rig, 1, 0), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 1, 9, RIG_DATA), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
}
END_TEST

/* 5.19: given namespace 2, made and not attached, then this status. SEL, NSID, list. */
static const struct {
    uint32_t sel, nsid;
    uint16_t count, ids[3];
    uint16_t status;
} attachments[] = {
    {0, 2, 1, {0}, 0},           {1, 2, 1, {0}, 0x11a}, /* Not Attached */
    {1, 1, 1, {0}, 0},           {0, 1, 1, {0}, 0x118}, /* Already Attached */
    {0, 0, 1, {0}, 0x00b},       {0, 5, 1, {0}, 0x00b},
    {0, RIG_ALL, 1, {0}, 0x00b}, {0, 3, 1, {0}, 0x002},    /* unallocated */
    {1, 3, 1, {0}, 0x002},       {2, 2, 1, {0}, 0x002},    /* reserved SEL */
    {15, 2, 1, {0}, 0x002},      {0, 2, 0, {0}, 0x11c},    /* Controller List Invalid: empty */
    {0, 2, 1, {1}, 0x11c},                                 /* no such controller */
    {0, 2, 2, {0, 1}, 0x11c},    {0, 2, 2, {0, 0}, 0x11c}, /* not ascending */
    {0, 2, 2048, {0}, 0x11c},                              /* more than fit (4.9) */
    {0, 2, 0xffff, {0}, 0x11c},  {1, 2, 0, {0}, 0x11c},
};

START_TEST(attachment_status)
{
    make(1);
    ck_assert_uint_eq(rig_ns_attachment(&rig, attachments[_i].nsid, attachments[_i].sel,
                                        attachments[_i].count, attachments[_i].ids, 3),
                      attachments[_i].status);
}
END_TEST

/* 4.3, 4.6.1.2.1: data that cannot be fetched changes nothing. */
START_TEST(data_must_be_reachable)
{
    struct rig_cmd cmd = {.opcode = 0x0d, .cid = 1, .prp1 = 0x1000};
    uint32_t first, last;

    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x004);
    cmd.prp1 = RIG_DATA + 3;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x013);
    cmd = (struct rig_cmd){.opcode = 0x15, .cid = 1, .nsid = 1, .prp1 = 0x1000, .cdw10 = 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x004);
    ck_assert_uint_eq(rig_list(&rig, 0x02, 0, &first, &last), 1);
    ck_assert_uint_eq(rig_list(&rig, 0x10, 0, &first, &last), 1);
}
END_TEST

/* Resets of the controller do not touch namespaces (7.3.2). */
START_TEST(stays_over_a_reset)
{
    uint32_t first, last;

    make(1);
    ck_assert_uint_eq(rig_ns_attach(&rig, 2, 0), 0);
    make(1);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_list(&rig, 0x02, 0, &first, &last), 2);
    ck_assert_uint_eq(rig_list(&rig, 0x10, 0, &first, &last), 3);
}
END_TEST

/* ctrl.ns_management_delay: not complete at t - 1, complete at t; errors do not wait. */
START_TEST(delay)
{
    struct rig_cqe cqe;

    rig_close(&rig);
    params.ctrl.ns_management_delay = 7 * RIG_US;
    open_rig();
    for (unsigned round = 0; round < 2; round++) {
        rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x0d, .cid = 9, .nsid = 1, .cdw10 = 1});
        rig_ring(&rig, 0);
        if (round == 0) {
            rig_for(&rig, 7 * RIG_US - 1);
            ck_assert(!rig_take(&rig, 0, &cqe));
            rig_for(&rig, 1);
        } else {
            rig_for(&rig, 0);
        }
        ck_assert(rig_take(&rig, 0, &cqe));
        ck_assert_uint_eq(cqe.status, round == 0 ? 0 : 0x002);
        rig_ring_cq(&rig, 0);
        rig_settle(&rig);
    }
}
END_TEST

static void put_io(uint8_t opcode, uint16_t cid, uint32_t blocks)
{
    rig_put(&rig, 1,
            &(struct rig_cmd){.opcode = opcode,
                              .cid = cid,
                              .nsid = 1,
                              .prp1 = RIG_DATA + (uint64_t)cid * 0x2000,
                              .prp2 = RIG_DATA + (uint64_t)cid * 0x2000 + 0x1000,
                              .cdw12 = blocks - 1});
}

/* 5.19: what was submitted before and has not completed ends as if the namespace were inactive.
 * Given reads, a write, Write Zeroes and Flush at work, when the namespace is detached or deleted
 * at any moment, then each of them completes once, with success or with Invalid Field, and those
 * that had not ended do not end with success later. */
static void detach_at(uint64_t after_ps, bool delete, unsigned counts[2])
{
    static const uint8_t opcodes[] = {2, 1, 8, 0, 2};
    enum { COMMANDS = sizeof opcodes };
    bool seen[COMMANDS] = {false};
    struct rig_cqe cqe;
    uint64_t detached_ps = 0;

    open_rig();
    memset(rig_at(&rig, RIG_DATA), 0x3c, 0x20000);
    *rig_at(&rig, RIG_LISTS) = 1; /* a list of controller 0 */
    for (uint16_t i = 0; i < COMMANDS; i++)
        put_io(opcodes[i], i, 16);
    rig_ring(&rig, 1);
    rig_for(&rig, after_ps);
    rig_put(
        &rig, 0,
        &(struct rig_cmd){
            .opcode = delete ? 0x0d : 0x15, .cid = 99, .nsid = 1, .prp1 = RIG_LISTS, .cdw10 = 1});
    rig_ring(&rig, 0);
    while (!rig_take(&rig, 0, &cqe))
        ck_assert(engine_step(rig.engine));
    ck_assert_uint_eq(cqe.status, 0);
    detached_ps = rig_now(&rig);
    rig_settle(&rig);
    for (unsigned i = 0; i < COMMANDS; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_lt(cqe.cid, COMMANDS);
        ck_assert(!seen[cqe.cid]);
        seen[cqe.cid] = true;
        ck_assert(cqe.status == 0 || cqe.status == 0x002);
        counts[cqe.status == 0x002]++;
    }
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert_uint_le(detached_ps, rig_now(&rig));
    ck_assert_uint_eq(rig_block(&rig, 2, 1, 0, RIG_DATA), 0x002);
    rig_close(&rig);
}

START_TEST(commands_in_flight)
{
    enum { STEP_NS = 40, STEPS = 400 };
    unsigned counts[2] = {0, 0}, first[2] = {0, 0}, last[2] = {0, 0};

    rig_close(&rig);
    params.link.kind = LINK_PCIE;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 3 * RIG_US;
    params.media.write_latency = 2 * RIG_US;
    params.media.flush_latency = 1 * RIG_US;
    params.media.units = 2;
    params.tags = _i == 1;
    for (unsigned step = 0; step < STEPS; step++)
        detach_at(step * STEP_NS * RIG_NS, step % 2 == 1, counts);
    detach_at(0, true, first);
    detach_at(100 * RIG_US, false, last);
    ck_assert_uint_eq(first[0], 0); /* at once: none succeeds */
    ck_assert_uint_eq(last[1], 0);  /* late: all had */
    ck_assert_uint_gt(counts[0], STEPS / 10);
    ck_assert_uint_gt(counts[1], STEPS / 10);
    open_rig();
}
END_TEST

/* A read that waits for room in its completion queue has not completed either. */
START_TEST(commands_that_wait_for_room)
{
    struct rig_cqe cqe;
    unsigned inactive = 0;

    rig_close(&rig);
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 4, 0);
    rig.queue[1].sq_size = 4;
    for (uint16_t i = 0; i < 3; i++)
        put_io(2, i, 1);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    for (uint16_t i = 3; i < 5; i++) /* the queue has room for three, all of them taken */
        put_io(2, i, 1);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_ns_delete(&rig, 1), 0);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, i);
        inactive += cqe.status == 0x002;
        rig_ring_cq(&rig, 1);
        rig_settle(&rig);
    }
    ck_assert_uint_eq(inactive, 2);
}
END_TEST

Suite *suite_nsmgmt(void)
{
    Suite *suite = suite_create("nvme namespace management");
    TCase *tc = tcase_create("management");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, create_status, 0, sizeof creations / sizeof creations[0]);
    tcase_add_test(tc, created_is_allocated_and_not_attached);
    tcase_add_test(tc, identifiers);
    tcase_add_test(tc, places_are_contiguous);
    tcase_add_test(tc, delete_status);
    tcase_add_test(tc, what_is_made_again_is_new);
    tcase_add_test(tc, what_was_deleted_stays_so);
    tcase_add_loop_test(tc, attachment_status, 0, sizeof attachments / sizeof attachments[0]);
    tcase_add_test(tc, data_must_be_reachable);
    tcase_add_test(tc, stays_over_a_reset);
    tcase_add_test(tc, delay);
    tcase_add_loop_test(tc, commands_in_flight, 0, 2);
    tcase_add_test(tc, commands_that_wait_for_room);
    suite_add_tcase(suite, tc);
    return suite;
}
