/* SPDX-License-Identifier: BSD-2-Clause
 * Injected faults: when they strike and what they do (nvme/fault.h). */
#include <stdio.h>
#include <string.h>

#include "nvme/fault.h"
#include "unit/nvme/rig.h"

#define WRITE   1u
#define READ    2u
#define COMPARE 5u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(const char *faults)
{
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "%s", faults);
    ck_assert_ptr_null(ctrl_params_check(&params.ctrl));
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    memset(rig_at(&rig, RIG_DATA), 0x3c, 4096);
}

static void put(uint8_t opcode, uint16_t cid, uint32_t slba, uint32_t blocks)
{
    struct rig_cmd cmd = {.opcode = opcode,
                          .cid = cid,
                          .nsid = 1,
                          .prp1 = RIG_DATA,
                          .cdw10 = slba,
                          .cdw12 = blocks - 1};

    rig_put(&rig, 1, &cmd);
    rig_ring(&rig, 1);
}

static void expect(uint16_t cid, uint16_t status)
{
    struct rig_cqe cqe;

    ck_assert_msg(rig_take(&rig, 1, &cqe), "no completion of command %u", cid);
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, status);
    rig_ring_cq(&rig, 1);
}

static void expect_none(void)
{
    struct rig_cqe cqe;

    ck_assert(!rig_take(&rig, 1, &cqe));
}

static uint16_t read_block(uint64_t block)
{
    return rig_io(&rig, READ, block, 1, RIG_DATA + 0x1000, 0);
}

/* Conditions: rule, and which of reads of blocks 0 to 7, one after the other, fail. */
static const struct {
    const char *rule;
    unsigned fails; /* bit per block */
} conditions[] = {
    {"", 0x00},
    {" ; ;", 0x00},
    {": status 0x281", 0xff},
    {"opcode=read : status 0x281", 0xff},
    {"opcode=0x02:status 0x281", 0xff},
    {"opcode=write : status 0x281", 0x00},
    {"nsid=1 : status 0x281", 0xff},
    {"nsid=2 : status 0x281", 0x00},
    {"queue=1 : status 0x281", 0xff},
    {"queue=2 : status 0x281", 0x00},
    {"lba=3 : status 0x281", 0x08},
    {"lba=3-5 : status 0x281", 0x38},
    {"nth=3 : status 0x281", 0x04},
    {"every=3 : status 0x281", 0x24},
    {"times=2 : status 0x281", 0x03},
    {"every=2 times=2 : status 0x281", 0x0a},
    {"lba=3-5 nth=2 : status 0x281", 0x10},
    {"after=1s : status 0x281", 0x00},
    {"before=1s : status 0x281", 0xff},
    {"chance=0/1 : status 0x281", 0x00},
    {"chance=1/1 : status 0x281", 0xff},
    {"lba=1 : status 0x281; lba=6 : status 0x281", 0x42},
    {"lba=1 : status 0x281; lba=0-2 : status 0x080", 0x02},
};

START_TEST(it_strikes_when_its_conditions_hold)
{
    unsigned fails = 0;

    open_rig(conditions[_i].rule);
    for (unsigned block = 0; block < 8; block++)
        fails |= (unsigned)(read_block(block) == 0x281) << block;
    ck_assert_msg(fails == conditions[_i].fails, "%s: %#x", conditions[_i].rule, fails);
}
END_TEST

/* Statuses that say themselves that a later attempt may succeed (4.6.1, Do Not Retry). */
START_TEST(do_not_retry_follows_the_status)
{
    static const struct {
        const char *rule;
        bool dnr;
    } cases[] = {{": status 0x006", false}, {": status 0x021", false}, {": status 0x022", false},
                 {": status 0x082", false}, {": status 0x005", false}, {": status 0x371", false},
                 {": status 0x400", true},  {": status 0x281", true},  {": status 0x020", true}};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig_cmd cmd = {.opcode = READ, .nsid = 1, .prp1 = RIG_DATA};
        struct rig_cqe cqe;

        if (i > 0)
            rig_close(&rig);
        open_rig(cases[i].rule);
        rig_do(&rig, 1, &cmd, &cqe);
        ck_assert_msg(cqe.dnr == cases[i].dnr, "%s", cases[i].rule);
    }
}
END_TEST

/* A window in time: one picosecond decides. */
START_TEST(after_and_before_are_exact)
{
    uint64_t decoded_ps;

    open_rig("");
    decoded_ps = rig_now(&rig);
    for (unsigned early = 0; early < 2; early++) {
        char rule[64];

        rig_close(&rig);
        snprintf(rule, sizeof rule, "after=%llups : status 0x281",
                 (unsigned long long)(decoded_ps + early));
        open_rig(rule);
        ck_assert_uint_eq(rig_now(&rig), decoded_ps);
        ck_assert_uint_eq(read_block(0), early ? 0 : 0x281);
        rig_close(&rig);
        snprintf(rule, sizeof rule, "before=%llups : status 0x281",
                 (unsigned long long)(decoded_ps + early));
        open_rig(rule);
        ck_assert_uint_eq(read_block(0), early ? 0x281 : 0);
    }
}
END_TEST

/* The same seed strikes the same commands, and about as often as it should. */
START_TEST(chance_is_repeatable_and_fair)
{
    unsigned strikes[2] = {0, 0};

    for (unsigned run = 0; run < 2; run++) {
        if (run > 0)
            rig_close(&rig);
        open_rig("chance=1/4 : status 0x281");
        for (unsigned i = 0; i < 400; i++)
            strikes[run] += read_block(0) == 0x281;
        ck_assert_uint_eq(rig_stats(&rig).faults, strikes[run]);
    }
    ck_assert_uint_eq(strikes[0], strikes[1]);
    ck_assert_uint_ge(strikes[0], 70);
    ck_assert_uint_le(strikes[0], 130);
}
END_TEST

START_TEST(a_refused_write_writes_nothing)
{
    open_rig("opcode=write nth=2 : status 0x080");
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 1, RIG_DATA, 0), 0);
    memset(rig_at(&rig, RIG_DATA), 0x11, 512);
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 1, RIG_DATA, 0), 0x080);
    ck_assert_uint_eq(read_block(0), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), 0x3c);
}
END_TEST

START_TEST(a_lost_completion)
{
    open_rig("opcode=write : lose");
    put(WRITE, 7, 0, 1);
    rig_settle(&rig);
    expect_none();
    ck_assert_uint_eq(read_block(0), 0); /* it was done */
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), 0x3c);
    /* the controller has forgotten it: its queue can go */
    ck_assert_uint_eq(rig_admin(&rig, 0, 0, 1, 0, NULL), 0);
}
END_TEST

START_TEST(a_duplicate_completion)
{
    open_rig("nth=1 : duplicate");
    put(READ, 7, 0, 1);
    rig_settle(&rig);
    expect(7, 0);
    expect(7, 0);
    expect_none();
    ck_assert_uint_eq(read_block(0), 0);
}
END_TEST

START_TEST(a_wrong_command_identifier)
{
    open_rig("nth=1 : wrong-cid 0x8001");
    put(READ, 7, 0, 1);
    rig_settle(&rig);
    expect(0x8006, 0);
    ck_assert_uint_eq(read_block(0), 0);
}
END_TEST

/* late: done in time, told late; slow: not begun, and can be aborted */
START_TEST(late_and_slow)
{
    uint64_t begin_ps;
    uint32_t dw0 = 1;

    open_rig(_i == 0 ? "nth=1 : late 5ms" : "nth=1 : slow 5ms");
    begin_ps = rig_now(&rig);
    put(WRITE, 7, 0, 1);
    rig_for(&rig, 5 * RIG_MS - 1);
    expect_none();
    rig_for(&rig, 1);
    expect(7, 0);
    ck_assert_uint_eq(rig_now(&rig), begin_ps + 5 * RIG_MS);
    rig_close(&rig);

    open_rig(_i == 0 ? "nth=1 : late 5ms" : "nth=1 : slow 5ms");
    put(WRITE, 7, 0, 1);
    rig_for(&rig, RIG_MS);
    struct rig_cmd abort_it = {.opcode = 8, .cid = 1, .cdw10 = 7u << 16 | 1};
    struct rig_cqe cqe;
    rig_put(&rig, 0, &abort_it);
    rig_ring(&rig, 0);
    rig_for(&rig, RIG_MS);
    ck_assert(rig_take(&rig, 0, &cqe));
    dw0 = cqe.dw0;
    ck_assert_uint_eq(dw0, _i == 0); /* 1: not aborted */
    rig_settle(&rig);
    expect(7, _i == 0 ? 0 : 0x007);
}
END_TEST

START_TEST(stuck_until_reset)
{
    uint32_t dw0 = 0;

    open_rig("nth=1 : stuck");
    put(READ, 7, 0, 1);
    rig_settle(&rig);
    expect_none();
    ck_assert_uint_eq(rig_admin(&rig, 8, 0, 7u << 16 | 1, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 1);
    ck_assert_uint_eq(read_block(0), 0); /* others are served */
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(read_block(0), 0);
    expect_none();
}
END_TEST

START_TEST(corrupted_data)
{
    params.tags = (_i & 1) != 0;
    open_rig((_i & 2) != 0 ? "opcode=read nth=1 : corrupt" : "opcode=write : corrupt");
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 2, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 2, RIG_DATA + 0x1000, 0), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), 0x3d);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 0x1001), rig_at(&rig, RIG_DATA + 1), 1023);
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 2, RIG_DATA + 0x1000, 0), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), (_i & 2) != 0 ? 0x3c : 0x3d);
}
END_TEST

START_TEST(unreadable_from_now_on)
{
    open_rig("opcode=read lba=4 times=1 : unreadable");
    ck_assert_uint_eq(rig_io(&rig, READ, 0, 4, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, READ, 3, 3, RIG_DATA, 0), 0x281);
    ck_assert_uint_eq(read_block(5), 0x281);
    ck_assert_uint_eq(rig_io(&rig, WRITE, 3, 3, RIG_DATA, 0), 0);
    ck_assert_uint_eq(read_block(5), 0);
}
END_TEST

static void works_after_a_reset(void)
{
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(read_block(0), 0);
}

START_TEST(fatal_status)
{
    open_rig("nth=2 : cfs");
    ck_assert_uint_eq(read_block(0), 0);
    put(READ, 7, 0, 1);
    rig_settle(&rig);
    expect_none();
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 3);
    works_after_a_reset();
}
END_TEST

START_TEST(fatal_status_at_a_time)
{
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "at=40ms : cfs");
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, params.cc);
    rig_for(&rig, 40 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 1);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 3);
    works_after_a_reset();
}
END_TEST

/* All ones everywhere; afterwards the function has to be set up anew. */
START_TEST(link_down)
{
    open_rig(_i == 0 ? "nth=1 : link-down 3ms" : "nth=1 : link-down");
    put(READ, 7, 0, 1);
    rig_for(&rig, 3 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0, 4), 0xffffffff);
    pcie_port_config_write(rig.port, 4, 2, 6);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff);
    rig_for(&rig, RIG_MS);
    if (_i == 1) {
        ck_assert_uint_eq(pcie_port_config_read(rig.port, 0, 4), 0xffffffff);
        return;
    }
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0, 2), 0x1b36);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff); /* memory space is off */
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    ck_assert_uint_eq(read_block(0), 0);
    expect_none();
}
END_TEST

/* What was not flushed is what it was before; what was, or was written with FUA, stays (6.8, 6.15).
 */
START_TEST(power_loss)
{
    struct rig_cmd fua = {.opcode = WRITE, .cid = 1, .nsid = 1, .prp1 = RIG_DATA, .cdw10 = 2};

    params.media.kind = MEDIA_FIXED;
    params.media.capacitor = _i == 0;
    open_rig("opcode=verify : power-loss 1ms");
    fua.cdw12 = 1u << 30;
    ck_assert_uint_eq(rig_io(&rig, WRITE, 0, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 0, 0, 1, 0, 0), 0); /* flush */
    ck_assert_uint_eq(rig_io(&rig, WRITE, 1, 1, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_do(&rig, 1, &fua, NULL), 0); /* flushes what came before, too */
    ck_assert_uint_eq(rig_io(&rig, WRITE, 3, 1, RIG_DATA, 0), 0);
    put(12, 7, 0, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0xffffffff);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    for (unsigned block = 0; block < 4; block++) {
        ck_assert_uint_eq(read_block(block), 0);
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 0x1000), _i == 0 || block < 3 ? 0x3c : 0);
    }
}
END_TEST

START_TEST(not_ready_in_time)
{
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "%s",
             _i == 0 ? "nth=1 : not-ready 8s" : "nth=1 : not-ready");
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, params.cc);
    rig_for(&rig, 8000 * RIG_MS - 1);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), _i == 0);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig); /* the second time all is well */
}
END_TEST

START_TEST(dropped_interrupt)
{
    open_rig("vector=1 nth=2 : drop-interrupt");
    rig_msix_enable(&rig, 3);
    rig_create_queue(&rig, 2, 16, 1);
    for (unsigned i = 1; i <= 3; i++) {
        struct rig_cmd cmd = {.opcode = READ, .cid = 1, .nsid = 1, .prp1 = RIG_DATA};

        ck_assert_uint_eq(rig_do(&rig, 2, &cmd, NULL), 0);
        ck_assert_uint_eq(rig.messages[1], i < 2 ? i : i - 1);
    }
}
END_TEST

/* Admin commands only where the rule says queue 0. */
START_TEST(admin_commands)
{
    open_rig("queue=0 opcode=0x06 : status 0x006; queue=0 opcode=0x0a nth=2 : status 0x281");
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0x006);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 7, 0, NULL), 0);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 7, 0, NULL), 0x281);
    ck_assert_uint_eq(read_block(0), 0);
}
END_TEST

/* A fault on one half of a fused pair takes the other with it (6.2). */
START_TEST(a_fused_half)
{
    open_rig("opcode=compare : status 0x281");
    struct rig_cmd cmd = {.opcode = COMPARE, .flags = 1, .cid = 1, .nsid = 1, .prp1 = RIG_DATA};
    rig_put(&rig, 1, &cmd);
    cmd.opcode = WRITE;
    cmd.flags = 2;
    cmd.cid = 2;
    rig_put(&rig, 1, &cmd);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 0x281);
    expect(2, 0x00a);
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

    open_rig(behind_first[_i].faults);
    memset(rig_at(&rig, RIG_DATA), 0, 512);
    rig_put(&rig, 1, &cmd);
    cmd.opcode = behind_first[_i].opcode;
    cmd.flags = behind_first[_i].flags;
    cmd.cid = 2;
    rig_put(&rig, 1, &cmd);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    while (rig_take(&rig, 1, &cqe)) {
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

Suite *suite_fault(void)
{
    Suite *suite = suite_create("nvme faults");
    TCase *tc = tcase_create("faults");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, do_not_retry_follows_the_status);
    tcase_add_loop_test(tc, it_strikes_when_its_conditions_hold, 0,
                        sizeof conditions / sizeof conditions[0]);
    tcase_add_test(tc, after_and_before_are_exact);
    tcase_add_test(tc, chance_is_repeatable_and_fair);
    tcase_add_test(tc, a_refused_write_writes_nothing);
    tcase_add_test(tc, a_lost_completion);
    tcase_add_test(tc, a_duplicate_completion);
    tcase_add_test(tc, a_wrong_command_identifier);
    tcase_add_loop_test(tc, late_and_slow, 0, 2);
    tcase_add_test(tc, stuck_until_reset);
    tcase_add_loop_test(tc, corrupted_data, 0, 4);
    tcase_add_test(tc, unreadable_from_now_on);
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
