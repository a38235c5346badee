/* SPDX-License-Identifier: BSD-2-Clause
 * Abort: what it finds, what it says, how many at a time (NVMe 1.4 section 5.1). */
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

START_TEST(abort_says_what_it_did)
{
    uint32_t dw0;
    struct rig_cqe cqe;

    rig_close(&rig);
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 100 * RIG_MS;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(rig_admin(&rig, 8, 0, 5u << 16 | 1, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 1); /* no such command */
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .cid = 5, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_US);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 8, .cid = 1, .cdw10 = 5u << 16 | 1});
    rig_ring(&rig, 0);
    rig_for(&rig, RIG_US);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.dw0, 0);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.status, 0x007);
    ck_assert(!cqe.dnr);
    rig_settle(&rig); /* the medium ends; nothing completes twice */
    ck_assert(!rig_take(&rig, 1, &cqe));
}
END_TEST

/* A context that was on the medium when a reset came is used again: while its new command is still
 * being fetched, the old command's name must not be found. */
START_TEST(abort_does_not_find_what_a_reset_dropped)
{
    uint32_t not_aborted = 1;
    struct rig_cqe cqe;

    rig_close(&rig);
    params.link.kind = LINK_PCIE;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = RIG_MS;
    rig_open(&rig, &params);
    rig_enable(&rig);
    for (unsigned round = 0; round < 2; round++) {
        uint16_t first = round == 0 ? 0 : 10;

        rig_create_queue(&rig, 1, 16, 0);
        if (round == 1) {
            rig_put(&rig, 0, &(struct rig_cmd){.opcode = 8, .cid = 1, .cdw10 = 1u << 16 | 1});
            rig_ring(&rig, 0);
        }
        for (uint16_t i = 0; i < 3; i++)
            rig_put(&rig, 1,
                    &(struct rig_cmd){.opcode = 2, .cid = first + i, .nsid = 1, .prp1 = RIG_DATA});
        rig_ring(&rig, 1);
        if (round == 0) {
            rig_for(&rig, 10 * RIG_US);
            rig_write32(&rig, 0x14, 0);
            rig_settle(&rig);
            rig_enable(&rig);
        }
    }
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.dw0, not_aborted);
    for (uint16_t i = 0; i < 3; i++) {
        ck_assert(rig_take(&rig, 1, &cqe));
        ck_assert_uint_eq(cqe.cid, 10 + i);
        ck_assert_uint_eq(cqe.status, 0);
    }
}
END_TEST

START_TEST(abort_limit)
{
    struct rig_cqe cqe;
    unsigned refused = 0;

    rig_close(&rig);
    params.ctrl.acl = 1;
    params.ctrl.fetch_burst = 8;
    params.ctrl.completion.amount = 10 * RIG_US; /* they stay while they wait for their CQE */
    rig_open(&rig, &params);
    rig_enable(&rig);
    for (uint16_t i = 0; i < 5; i++)
        rig_put(&rig, 0, &(struct rig_cmd){.opcode = 8, .cid = i, .cdw10 = 77u << 16});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    for (uint16_t i = 0; i < 5; i++) {
        ck_assert(rig_take(&rig, 0, &cqe));
        refused += cqe.status == 0x103;
    }
    ck_assert_uint_eq(refused, 3);
    rig_ring_cq(&rig, 0);
    ck_assert_uint_eq(rig_admin(&rig, 8, 0, 1u << 16, 0, NULL), 0);
}
END_TEST

Suite *suite_abort(void)
{
    Suite *suite = suite_create("nvme abort");
    TCase *tc = tcase_create("abort");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, abort_says_what_it_did);
    tcase_add_test(tc, abort_does_not_find_what_a_reset_dropped);
    tcase_add_test(tc, abort_limit);
    suite_add_tcase(suite, tc);
    return suite;
}
