/* SPDX-License-Identifier: BSD-2-Clause
 * Injected faults of more than one command: fatal status, link, power, readiness, interrupts, the
 * admin queue, and fused commands of which one half fails (nvme/fault.h). */
#include <stdio.h>
#include <string.h>

#include "nvme/fault.h"
#include "unit/nvme/rig_fault.h"

static void works_after_a_reset(void)
{
    rig_write32(&rig_fault, 0x14, 0);
    rig_settle(&rig_fault);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 0);
    rig_enable(&rig_fault);
    rig_create_queue(&rig_fault, 1, 16, 0);
    ck_assert_uint_eq(rig_fault_read(0), 0);
}

START_TEST(fatal_status)
{
    rig_fault_open("nth=2 : cfs");
    ck_assert_uint_eq(rig_fault_read(0), 0);
    rig_fault_put(READ, 7, 0, 1);
    rig_settle(&rig_fault);
    rig_fault_expect_none();
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 3);
    works_after_a_reset();
}
END_TEST

START_TEST(fatal_status_at_a_time)
{
    snprintf(rig_fault_params.ctrl.faults, sizeof rig_fault_params.ctrl.faults, "at=40ms : cfs");
    rig_open(&rig_fault, &rig_fault_params);
    rig_setup_admin(&rig_fault);
    rig_write32(&rig_fault, 0x14, rig_fault_params.cc);
    rig_for(&rig_fault, 40 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 1);
    rig_for(&rig_fault, 1);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 3);
    works_after_a_reset();
}
END_TEST

/* All ones everywhere; afterwards the function has to be set up anew. */
START_TEST(link_down)
{
    rig_fault_open(_i == 0 ? "nth=1 : link-down 3ms" : "nth=1 : link-down");
    rig_fault_put(READ, 7, 0, 1);
    rig_for(&rig_fault, 3 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 0xffffffff);
    ck_assert_uint_eq(pcie_port_config_read(rig_fault.port, 0, 4), 0xffffffff);
    pcie_port_config_write(rig_fault.port, 4, 2, 6);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 0xffffffff);
    rig_for(&rig_fault, RIG_MS);
    if (_i == 1) {
        ck_assert_uint_eq(pcie_port_config_read(rig_fault.port, 0, 4), 0xffffffff);
        return;
    }
    ck_assert_uint_eq(pcie_port_config_read(rig_fault.port, 0, 2), 0x1b36);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 0xffffffff); /* memory space is off */
    rig_enable(&rig_fault);
    rig_create_queue(&rig_fault, 1, 16, 0);
    ck_assert_uint_eq(rig_fault_read(0), 0);
    rig_fault_expect_none();
}
END_TEST

/* What was not flushed is what it was before; what was, or was written with FUA, stays (6.8, 6.15).
 */
START_TEST(power_loss)
{
    struct rig_cmd fua = {.opcode = WRITE, .cid = 1, .nsid = 1, .prp1 = RIG_DATA, .cdw10 = 2};

    rig_fault_params.media.kind = MEDIA_FIXED;
    rig_fault_params.media.capacitor = _i == 0;
    rig_fault_open("opcode=verify : power-loss 1ms");
    fua.cdw12 = 1u << 30;
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig_fault, 0, 0, 1, 0, 0), 0); /* flush */
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 1, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_do(&rig_fault, 1, &fua, NULL), 0); /* flushes what came before, too */
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 3, 1, RIG_DATA, 0), 0);
    rig_fault_put(12, 7, 0, 1);
    rig_settle(&rig_fault);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 0xffffffff);
    rig_enable(&rig_fault);
    rig_create_queue(&rig_fault, 1, 16, 0);
    for (unsigned block = 0; block < 4; block++) {
        ck_assert_uint_eq(rig_fault_read(block), 0);
        ck_assert_uint_eq(*rig_at(&rig_fault, RIG_DATA + 0x1000), _i == 0 || block < 3 ? 0x3c : 0);
    }
}
END_TEST

START_TEST(not_ready_in_time)
{
    snprintf(rig_fault_params.ctrl.faults, sizeof rig_fault_params.ctrl.faults, "%s",
             _i == 0 ? "nth=1 : not-ready 8s" : "nth=1 : not-ready");
    rig_open(&rig_fault, &rig_fault_params);
    rig_setup_admin(&rig_fault);
    rig_write32(&rig_fault, 0x14, rig_fault_params.cc);
    rig_for(&rig_fault, 8000 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), 0);
    rig_for(&rig_fault, 1);
    ck_assert_uint_eq(rig_read32(&rig_fault, 0x1c), _i == 0);
    rig_write32(&rig_fault, 0x14, 0);
    rig_settle(&rig_fault);
    rig_enable(&rig_fault); /* the second time all is well */
}
END_TEST

START_TEST(dropped_interrupt)
{
    rig_fault_open("vector=1 nth=2 : drop-interrupt");
    rig_msix_enable(&rig_fault, 3);
    rig_create_queue(&rig_fault, 2, 16, 1);
    for (unsigned i = 1; i <= 3; i++) {
        struct rig_cmd cmd = {.opcode = READ, .cid = 1, .nsid = 1, .prp1 = RIG_DATA};

        ck_assert_uint_eq(rig_do(&rig_fault, 2, &cmd, NULL), 0);
        ck_assert_uint_eq(rig_fault.messages[1], i < 2 ? i : i - 1);
    }
}
END_TEST

/* Admin commands only where the rule says queue 0. */
START_TEST(admin_commands)
{
    rig_fault_open("queue=0 opcode=0x06 : status 0x006; queue=0 opcode=0x0a nth=2 : status 0x281");
    ck_assert_uint_eq(rig_admin(&rig_fault, 6, 0, 1, 0, NULL), 0x006);
    ck_assert_uint_eq(rig_admin(&rig_fault, 10, 0, 7, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig_fault, 10, 0, 7, 0, NULL), 0x281);
    ck_assert_uint_eq(rig_fault_read(0), 0);
}
END_TEST

/* A fault on one half of a fused pair takes the other with it (6.2). */
START_TEST(a_fused_half)
{
    rig_fault_open("opcode=compare : status 0x281");
    struct rig_cmd cmd = {.opcode = COMPARE, .flags = 1, .cid = 1, .nsid = 1, .prp1 = RIG_DATA};
    rig_put(&rig_fault, 1, &cmd);
    cmd.opcode = WRITE;
    cmd.flags = 2;
    cmd.cid = 2;
    rig_put(&rig_fault, 1, &cmd);
    rig_ring(&rig_fault, 1);
    rig_settle(&rig_fault);
    rig_fault_expect(1, 0x281);
    rig_fault_expect(2, 0x00a);
}
END_TEST

/* Given a first half that waits, when what comes behind it ends or hangs before it is even looked
 * at, then the first half ends as well, in front of it (4.12); also with PSDT = 11b (4.2). */
static const struct {
    const char *faults;
    uint8_t opcode, flags;
    uint16_t first, second; /* statuses; 0xffff: no completion */
} behind_first[] = {
    {"opcode=write : status 0x281", WRITE, 2, 0x009, 0x281},
    {"opcode=read : status 0x281", READ, 0, 0x00a, 0x281},
    {"opcode=write : stuck", WRITE, 2, 0x009, 0xffff},
    {"opcode=read : stuck", READ, 0, 0x00a, 0xffff},
    {"", WRITE, 0xc2, 0x009, 0x002},
    {"", READ, 0xc0, 0x00a, 0x002},
    {"opcode=write : slow 1ms", WRITE, 2, 0, 0},
    {"opcode=compare : slow 1ms", WRITE, 2, 0, 0},
};

START_TEST(behind_a_first_half)
{
    struct rig_cmd cmd = {.opcode = COMPARE, .flags = 1, .cid = 1, .nsid = 1, .prp1 = RIG_DATA};
    struct rig_cqe cqe;
    uint16_t found[2] = {0xffff, 0xffff};

    rig_fault_open(behind_first[_i].faults);
    memset(rig_at(&rig_fault, RIG_DATA), 0, 512);
    rig_put(&rig_fault, 1, &cmd);
    cmd.opcode = behind_first[_i].opcode;
    cmd.flags = behind_first[_i].flags;
    cmd.cid = 2;
    rig_put(&rig_fault, 1, &cmd);
    rig_ring(&rig_fault, 1);
    rig_settle(&rig_fault);
    while (rig_take(&rig_fault, 1, &cqe)) {
        ck_assert(cqe.cid == 1 || cqe.cid == 2);
        ck_assert_uint_eq(found[cqe.cid - 1], 0xffff);
        if (cqe.cid == 1 && behind_first[_i].second != 0)
            ck_assert_uint_eq(found[1], 0xffff);
        found[cqe.cid - 1] = cqe.status;
    }
    ck_assert_uint_eq(found[0], behind_first[_i].first);
    ck_assert_uint_eq(found[1], behind_first[_i].second);
}
END_TEST

Suite *suite_fault_controller(void)
{
    Suite *suite = suite_create("nvme faults of the controller");
    TCase *tc = tcase_create("controller");

    tcase_add_checked_fixture(tc, rig_fault_setup, rig_fault_teardown);
    tcase_add_test(tc, fatal_status);
    tcase_add_test(tc, fatal_status_at_a_time);
    tcase_add_loop_test(tc, link_down, 0, 2);
    tcase_add_loop_test(tc, power_loss, 0, 2);
    tcase_add_loop_test(tc, not_ready_in_time, 0, 2);
    tcase_add_test(tc, dropped_interrupt);
    tcase_add_test(tc, admin_commands);
    tcase_add_test(tc, a_fused_half);
    tcase_add_loop_test(tc, behind_a_first_half, 0,
                        (int)(sizeof behind_first / sizeof behind_first[0]));
    suite_add_tcase(suite, tc);
    return suite;
}
