/* SPDX-License-Identifier: BSD-2-Clause
 * Format NVM (NVMe 1.4 section 5.23): every status, what it changes, what it keeps off, how long it
 * takes. Namespaces: 64 MiB/512, 32 MiB/4096, one block of 512 bytes. */
#include <string.h>

#include "media/store.h"
#include "unit/nvme/rig_namespace.h"

static struct rig rig;
static struct rig_params params;

enum { MIB = 1 << 20 };

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
}

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.oacs_format = 1;
    params.ctrl.namespaces_max = 4;
    strcpy(params.ctrl.more_namespaces, "32 MiB/4096, 512 B/512");
    open_rig();
}

static void teardown(void)
{
    rig_close(&rig);
}

static void again(void)
{
    rig_close(&rig);
    open_rig();
}

static uint16_t format(uint32_t nsid, uint32_t cdw10)
{
    return rig_admin(&rig, 0x80, nsid, cdw10, 0, NULL);
}

static void fill(uint32_t nsid, uint64_t slba)
{
    memset(rig_at(&rig, RIG_DATA), 0x77, 4096);
    ck_assert_uint_eq(rig_block(&rig, 1, nsid, slba, RIG_DATA), 0);
}

/* First bytes of a block. */
static uint64_t look(uint32_t nsid, uint64_t slba)
{
    ck_assert_uint_eq(rig_block(&rig, 2, nsid, slba, RIG_DATA), 0);
    return rig_field(&rig, 0, 8);
}

static void expect_format(uint32_t nsid, uint64_t blocks, unsigned lbaf)
{
    ck_assert_uint_eq(rig_identify(&rig, 0x00, nsid), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), blocks);
    ck_assert_uint_eq(rig_field(&rig, 8, 8), blocks);
    ck_assert_uint_eq(rig_field(&rig, 16, 8), blocks);
    ck_assert_uint_eq(rig_field(&rig, 26, 1), lbaf);
}

/* NSID, dword 10 (LBAF 3:0, MSET 4, PI 7:5, PIL 8, SES 11:9), status */
static const struct {
    uint32_t nsid, cdw10;
    uint16_t status;
} formats[] = {
    {1, 0x000, 0},       {1, 0x001, 0},
    {1, 0x200, 0},                          /* user data erase */
    {1, 0x400, 0x002},                      /* cryptographic erase: FNA bit 2 is 0 */
    {1, 0x600, 0x002},                      /* reserved */
    {1, 0xe00, 0x002},   {1, 0x002, 0x10a}, /* beyond NLBAF */
    {1, 0x00f, 0x10a},   {1, 0x020, 0x10a}, /* protection information */
    {1, 0x0e0, 0x10a},   {1, 0x110, 0},     /* MSET, PIL: nothing to set */
    {3, 0x001, 0x10a},                      /* would have no block */
    {3, 0x000, 0},       {0, 0x000, 0x00b},
    {4, 0x000, 0x002}, /* inactive (6.1.5) */
    {5, 0x000, 0x00b},   {0xfffffffe, 0x000, 0x00b},
    {RIG_ALL, 0x000, 0}, {RIG_ALL, 0x001, 0x10a}, /* number 3 among them */
};

START_TEST(status)
{
    ck_assert_uint_eq(format(formats[_i].nsid, formats[_i].cdw10), formats[_i].status);
}
END_TEST

/* Given flushed data, when the power goes right behind a format (_i 0), in its midst (_i 1: it goes
 * on and ends), or right behind a deletion (_i 2), then the data is gone for good: none of them
 * waits for a Flush (5.20, 5.23). */
START_TEST(power_loss_brings_nothing_back)
{
    uint64_t unit;
    uint8_t block[512];

    params.media.kind = MEDIA_FIXED;
    params.media.write_latency = RIG_MS;
    params.ctrl.oacs_ns_management = 1;
    again();
    media_track_loss(rig.media, ctrl_contents(rig.ctrl, 1, &unit));
    fill(1, 0);
    ck_assert_uint_eq(rig_block(&rig, 0, 1, 0, 0), 0); /* flush */
    if (_i == 0)
        ck_assert_uint_eq(format(1, 0), 0);
    if (_i == 1) {
        rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x80, .nsid = 1});
        rig_ring(&rig, 0);
        rig_for(&rig, RIG_MS / 2);
    }
    if (_i == 2) {
        ck_assert_uint_eq(rig_ns_detach(&rig, 1, 0), 0);
        ck_assert_uint_eq(rig_ns_delete(&rig, 1), 0);
    }
    ctrl_power_cycle(rig.ctrl);
    rig_settle(&rig);
    store_get_bytes(ctrl_contents(rig.ctrl, 2, &unit), 0, block, 1);
    for (unsigned i = 0; i < sizeof block; i++)
        ck_assert_uint_eq(block[i], 0);
}
END_TEST

/* Given data in two namespaces, when one is formatted, then it has the new format and reads as
 * zeroes, and the other has its data. */
START_TEST(one_namespace)
{
    fill(1, 0);
    fill(1, 131071);
    fill(2, 5);
    ck_assert_uint_eq(format(1, 1), 0);
    expect_format(1, 16384, 1);
    ck_assert_uint_eq(look(1, 0), 0);
    ck_assert_uint_eq(look(1, 16383), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 1, 16384, RIG_DATA), 0x080);
    expect_format(2, 8192, 1);
    ck_assert_uint_ne(look(2, 5), 0);
    fill(1, 16383);
    ck_assert_uint_eq(format(1, 0x200), 0); /* and back */
    expect_format(1, 131072, 0);
    ck_assert_uint_eq(look(1, 131071), 0);
}
END_TEST

/* A size that is not whole blocks of 4096 bytes loses its end, and gets it back. */
START_TEST(sizes_that_do_not_divide)
{
    params.ctrl.namespace_size = MIB + 7 * 512;
    again();
    expect_format(1, 2055, 0);
    ck_assert_uint_eq(format(1, 1), 0);
    expect_format(1, 256, 1);
    ck_assert_uint_eq(format(1, 0), 0);
    expect_format(1, 2055, 0);
}
END_TEST

/* 5.23, figure 327: the broadcast value means all that are attached; with FNA bits 0 and 1, any
 * NSID means all that there are. */
START_TEST(scope)
{
    for (unsigned subsystem = 0; subsystem < 2; subsystem++) {
        params.ctrl.format_scope = subsystem;
        params.ctrl.oacs_ns_management = 1;
        strcpy(params.ctrl.more_namespaces, "32 MiB/4096, 1 MiB/512");
        again();
        ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
        ck_assert_uint_eq(rig_field(&rig, 524, 1), subsystem ? 3 : 0);
        fill(2, 0);
        fill(3, 0);
        ck_assert_uint_eq(rig_ns_detach(&rig, 3, 0), 0);
        ck_assert_uint_eq(format(subsystem ? 1 : RIG_ALL, 0), 0);
        ck_assert_uint_eq(rig_block(&rig, 2, 3, 0, RIG_DATA), 0x002); /* still not attached */
        ck_assert_uint_eq(rig_ns_attach(&rig, 3, 0), 0);
        expect_format(2, 65536, 0);
        ck_assert_uint_eq(look(2, 0), 0);
        ck_assert_uint_eq(look(3, 0) == 0, subsystem == 1);
    }
}
END_TEST

/* 5.23: the broadcast value with no namespace is no error. */
START_TEST(all_of_none)
{
    params.ctrl.oacs_ns_management = 1;
    again();
    ck_assert_uint_eq(rig_ns_delete(&rig, RIG_ALL), 0);
    ck_assert_uint_eq(format(RIG_ALL, 0), 0);
    ck_assert_uint_eq(format(1, 0), 0x002);
}
END_TEST

static void start(uint32_t nsid, uint32_t cdw10)
{
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x80, .cid = 0xf0, .nsid = nsid, .cdw10 = cdw10});
    rig_ring(&rig, 0);
}

/* ctrl.format_delay, one operation of the medium for each 64 MiB, and its flush, one behind the
 * other: not complete at t - 1, complete at t. */
START_TEST(time)
{
    static const struct {
        uint32_t nsid;
        uint64_t operations;
        bool vwc;
    } cases[] = {{1, 2, true}, {2, 1, true}, {2, 1, false}, {RIG_ALL, 4, true}};
    struct rig_cqe cqe;

    params.ctrl.format_delay = 100 * RIG_US;
    params.ctrl.namespace_size = 65 * MIB;
    params.media.kind = MEDIA_FIXED;
    params.media.write_latency = 20 * RIG_US;
    params.media.flush_latency = 3 * RIG_US;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t time_ps = (100 + cases[i].operations * 20 + (cases[i].vwc ? 3 : 0)) * RIG_US;

        params.ctrl.vwc = cases[i].vwc;
        again();
        start(cases[i].nsid, 0);
        rig_for(&rig, time_ps - 1);
        ck_assert(!rig_take(&rig, 0, &cqe));
        rig_for(&rig, 1);
        ck_assert(rig_take(&rig, 0, &cqe));
        ck_assert_uint_eq(cqe.status, 0);
    }
}
END_TEST

static void slow(void)
{
    params.ctrl.format_delay = 1 * RIG_MS;
    params.ctrl.oacs_ns_management = 1;
    params.media.kind = MEDIA_FIXED;
    params.media.write_latency = 1 * RIG_MS;
    params.ctrl.namespace_size = 256 * (uint64_t)MIB;
    again();
}

/* The next completion of a queue, which must come within a microsecond. */
static struct rig_cqe soon(unsigned queue)
{
    struct rig_cqe cqe;

    rig_ring(&rig, queue);
    rig_for(&rig, RIG_US);
    ck_assert(rig_take(&rig, queue, &cqe));
    rig_ring_cq(&rig, queue);
    return cqe;
}

/* While it runs (4.6.1.2.1, Format in Progress; may be retried): I/O to the namespace, another
 * format, and what would take the namespace away. */
START_TEST(keeps_others_off)
{
    static const struct rig_cmd admin[] = {
        {.opcode = 0x80, .cid = 1, .nsid = 1},
        {.opcode = 0x80, .cid = 1, .nsid = 2},
        {.opcode = 0x0d, .cid = 1, .nsid = 1, .cdw10 = 1},
        {.opcode = 0x0d, .cid = 1, .nsid = RIG_ALL, .cdw10 = 1},
        {.opcode = 0x15, .cid = 1, .nsid = 1, .prp1 = RIG_DATA, .cdw10 = 1},
    };
    static const uint8_t io[] = {0, 1, 2, 8};
    struct rig_cqe cqe;

    slow();
    memset(rig_at(&rig, RIG_DATA), 0, 4096);
    *rig_at(&rig, RIG_DATA) = 1; /* a list of controller 0 */
    start(1, 1);
    rig_for(&rig, RIG_US);
    for (unsigned i = 0; i < sizeof admin / sizeof admin[0]; i++) {
        rig_put(&rig, 0, &admin[i]);
        cqe = soon(0);
        ck_assert_uint_eq(cqe.status, 0x084);
        ck_assert(!cqe.dnr);
    }
    for (unsigned i = 0; i < sizeof io; i++) {
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = io[i], .nsid = 1, .prp1 = RIG_DATA});
        cqe = soon(1);
        ck_assert_uint_eq(cqe.status, 0x084);
        ck_assert(!cqe.dnr);
    }
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .nsid = 2, .prp1 = RIG_DATA});
    ck_assert_uint_eq(soon(1).status, 0);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, 0xf0);
    ck_assert_uint_eq(cqe.status, 0);
}
END_TEST

/* FPI (5.15.2.1): what remains, of four pieces; the old format until the end. */
START_TEST(progress)
{
    static const uint8_t left[] = {100, 100, 75, 50, 25, 0};

    slow();
    start(1, 1);
    rig_for(&rig, RIG_US);
    for (unsigned i = 0; i < sizeof left; i++) {
        rig_put(&rig, 0, &(struct rig_cmd){.opcode = 6, .nsid = 1, .prp1 = RIG_DATA});
        soon(0); /* the last one is the format's own completion */
        rig_for(&rig, RIG_US);
        ck_assert_uint_eq(rig_field(&rig, 32, 1), 0x80 | left[i]);
        ck_assert_uint_eq(rig_field(&rig, 26, 1), left[i] == 0);
        rig_for(&rig, RIG_MS - 2 * RIG_US);
    }
}
END_TEST

/* What was cleared and not flushed comes back when the power goes: the format begins anew, in the
 * middle of its pieces, and in its last flush. */
START_TEST(a_loss_of_power_brings_nothing_back)
{
    static const uint64_t after_us[] = {3500, 5500};

    params.media.flush_latency = 1 * RIG_MS;
    strcpy(params.ctrl.faults, "nth=1000000 : power-loss"); /* only to keep what could be lost */
    slow();
    fill(1, 0);
    ck_assert_uint_eq(rig_block(&rig, 0, 1, 0, RIG_DATA), 0);
    start(1, 1);
    rig_for(&rig, after_us[_i] * RIG_US);
    ctrl_power_cycle(rig.ctrl);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    expect_format(1, 256 * (uint64_t)MIB / 4096, 1);
    ck_assert_uint_eq(look(1, 0), 0);
    ctrl_power_cycle(rig.ctrl); /* and it was made durable */
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(look(1, 0), 0);
}
END_TEST

/* 5.23: a namespace with a command at work is not formatted; others may be. */
START_TEST(not_while_commands_are_at_work)
{
    struct rig_cqe cqe;

    slow();
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 8, .cid = 3, .nsid = 1});
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_US);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x80, .nsid = 1});
    cqe = soon(0);
    ck_assert_uint_eq(cqe.status, 0x00c);
    ck_assert(!cqe.dnr); /* once they have ended it may */
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0x80, .nsid = RIG_ALL});
    ck_assert_uint_eq(soon(0).status, 0x00c);
    start(2, 0);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.status, 0);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.status, 0);
}
END_TEST

/* Given a format that has begun, when the controller is reset at any moment of it, then the format
 * is carried through without its command. */
START_TEST(resets_do_not_stop_it)
{
    for (uint64_t after_us = 0; after_us < 5500; after_us += 250) {
        struct rig_cqe cqe;

        slow();
        fill(1, 7);
        start(1, 1);
        rig_for(&rig, after_us * RIG_US + 1);
        rig_write32(&rig, 0x14, 0);
        rig_settle(&rig);
        rig_enable(&rig);
        ck_assert(!rig_take(&rig, 0, &cqe));
        rig_create_queue(&rig, 1, 16, 0);
        expect_format(1, 65536, 1);
        ck_assert_uint_eq(look(1, 0), 0);
        ck_assert_uint_eq(format(1, 0), 0); /* none is running */
    }
}
END_TEST

Suite *suite_format(void)
{
    Suite *suite = suite_create("nvme format");
    TCase *tc = tcase_create("format");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, power_loss_brings_nothing_back, 0, 3);
    tcase_add_loop_test(tc, status, 0, sizeof formats / sizeof formats[0]);
    tcase_add_test(tc, one_namespace);
    tcase_add_test(tc, sizes_that_do_not_divide);
    tcase_add_test(tc, scope);
    tcase_add_test(tc, all_of_none);
    tcase_add_test(tc, time);
    tcase_add_test(tc, keeps_others_off);
    tcase_add_test(tc, progress);
    tcase_add_loop_test(tc, a_loss_of_power_brings_nothing_back, 0, 2);
    tcase_add_test(tc, not_while_commands_are_at_work);
    tcase_add_test(tc, resets_do_not_stop_it);
    suite_add_tcase(suite, tc);
    return suite;
}
