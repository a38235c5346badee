/* SPDX-License-Identifier: BSD-2-Clause
 * Injected faults of commands: when they strike and what they do (nvme/fault.h). */
#include <stdio.h>
#include <string.h>

#include "nvme/fault.h"
#include "unit/nvme/rig_fault.h"

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

    rig_fault_open(conditions[_i].rule);
    for (unsigned block = 0; block < 8; block++)
        fails |= (unsigned)(rig_fault_read(block) == 0x281) << block;
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
            rig_close(&rig_fault);
        rig_fault_open(cases[i].rule);
        rig_do(&rig_fault, 1, &cmd, &cqe);
        ck_assert_msg(cqe.dnr == cases[i].dnr, "%s", cases[i].rule);
    }
}
END_TEST

/* A window in time: one picosecond decides. */
START_TEST(after_and_before_are_exact)
{
    uint64_t decoded_ps;

    rig_fault_open("");
    decoded_ps = rig_now(&rig_fault);
    for (unsigned early = 0; early < 2; early++) {
        char rule[64];

        rig_close(&rig_fault);
        snprintf(rule, sizeof rule, "after=%llups : status 0x281",
                 (unsigned long long)(decoded_ps + early));
        rig_fault_open(rule);
        ck_assert_uint_eq(rig_now(&rig_fault), decoded_ps);
        ck_assert_uint_eq(rig_fault_read(0), early ? 0 : 0x281);
        rig_close(&rig_fault);
        snprintf(rule, sizeof rule, "before=%llups : status 0x281",
                 (unsigned long long)(decoded_ps + early));
        rig_fault_open(rule);
        ck_assert_uint_eq(rig_fault_read(0), early ? 0x281 : 0);
    }
}
END_TEST

/* The same seed strikes the same commands, and about as often as it should. */
START_TEST(chance_is_repeatable_and_fair)
{
    unsigned strikes[2] = {0, 0};

    for (unsigned run = 0; run < 2; run++) {
        if (run > 0)
            rig_close(&rig_fault);
        rig_fault_open("chance=1/4 : status 0x281");
        for (unsigned i = 0; i < 400; i++)
            strikes[run] += rig_fault_read(0) == 0x281;
        ck_assert_uint_eq(rig_stats(&rig_fault).faults, strikes[run]);
    }
    ck_assert_uint_eq(strikes[0], strikes[1]);
    ck_assert_uint_ge(strikes[0], 70);
    ck_assert_uint_le(strikes[0], 130);
}
END_TEST

START_TEST(a_refused_write_writes_nothing)
{
    rig_fault_open("opcode=write nth=2 : status 0x080");
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 0, 1, RIG_DATA, 0), 0);
    memset(rig_at(&rig_fault, RIG_DATA), 0x11, 512);
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 0, 1, RIG_DATA, 0), 0x080);
    ck_assert_uint_eq(rig_fault_read(0), 0);
    ck_assert_uint_eq(*rig_at(&rig_fault, RIG_DATA + 0x1000), 0x3c);
}
END_TEST

START_TEST(a_lost_completion)
{
    rig_fault_open("opcode=write : lose");
    rig_fault_put(WRITE, 7, 0, 1);
    rig_settle(&rig_fault);
    rig_fault_expect_none();
    ck_assert_uint_eq(rig_fault_read(0), 0); /* it was done */
    ck_assert_uint_eq(*rig_at(&rig_fault, RIG_DATA + 0x1000), 0x3c);
    /* the controller has forgotten it: its queue can go */
    ck_assert_uint_eq(rig_admin(&rig_fault, 0, 0, 1, 0, NULL), 0);
}
END_TEST

START_TEST(a_duplicate_completion)
{
    rig_fault_open("nth=1 : duplicate");
    rig_fault_put(READ, 7, 0, 1);
    rig_settle(&rig_fault);
    rig_fault_expect(7, 0);
    rig_fault_expect(7, 0);
    rig_fault_expect_none();
    ck_assert_uint_eq(rig_fault_read(0), 0);
}
END_TEST

START_TEST(a_wrong_command_identifier)
{
    rig_fault_open("nth=1 : wrong-cid 0x8001");
    rig_fault_put(READ, 7, 0, 1);
    rig_settle(&rig_fault);
    rig_fault_expect(0x8006, 0);
    ck_assert_uint_eq(rig_fault_read(0), 0);
}
END_TEST

/* late: done in time, told late; slow: not begun, and can be aborted */
START_TEST(late_and_slow)
{
    uint64_t begin_ps;
    uint32_t dw0 = 1;

    rig_fault_open(_i == 0 ? "nth=1 : late 5ms" : "nth=1 : slow 5ms");
    begin_ps = rig_now(&rig_fault);
    rig_fault_put(WRITE, 7, 0, 1);
    rig_for(&rig_fault, 5 * RIG_MS - 1);
    rig_fault_expect_none();
    rig_for(&rig_fault, 1);
    rig_fault_expect(7, 0);
    ck_assert_uint_eq(rig_now(&rig_fault), begin_ps + 5 * RIG_MS);
    rig_close(&rig_fault);

    rig_fault_open(_i == 0 ? "nth=1 : late 5ms" : "nth=1 : slow 5ms");
    rig_fault_put(WRITE, 7, 0, 1);
    rig_for(&rig_fault, RIG_MS);
    struct rig_cmd abort_it = {.opcode = 8, .cid = 1, .cdw10 = 7u << 16 | 1};
    struct rig_cqe cqe;
    rig_put(&rig_fault, 0, &abort_it);
    rig_ring(&rig_fault, 0);
    rig_for(&rig_fault, RIG_MS);
    ck_assert(rig_take(&rig_fault, 0, &cqe));
    dw0 = cqe.dw0;
    ck_assert_uint_eq(dw0, _i == 0); /* 1: not aborted */
    rig_settle(&rig_fault);
    rig_fault_expect(7, _i == 0 ? 0 : 0x007);
}
END_TEST

START_TEST(stuck_until_reset)
{
    uint32_t dw0 = 0;

    rig_fault_open("nth=1 : stuck");
    rig_fault_put(READ, 7, 0, 1);
    rig_settle(&rig_fault);
    rig_fault_expect_none();
    ck_assert_uint_eq(rig_admin(&rig_fault, 8, 0, 7u << 16 | 1, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 1);
    ck_assert_uint_eq(rig_fault_read(0), 0); /* others are served */
    rig_write32(&rig_fault, 0x14, 0);
    rig_settle(&rig_fault);
    rig_enable(&rig_fault);
    rig_create_queue(&rig_fault, 1, 16, 0);
    ck_assert_uint_eq(rig_fault_read(0), 0);
    rig_fault_expect_none();
}
END_TEST

START_TEST(corrupted_data)
{
    rig_fault_params.tags = (_i & 1) != 0;
    rig_fault_open((_i & 2) != 0 ? "opcode=read nth=1 : corrupt" : "opcode=write : corrupt");
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 0, 2, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig_fault, READ, 0, 2, RIG_DATA + 0x1000, 0), 0);
    ck_assert_uint_eq(*rig_at(&rig_fault, RIG_DATA + 0x1000), 0x3d);
    ck_assert_mem_eq(rig_at(&rig_fault, RIG_DATA + 0x1001), rig_at(&rig_fault, RIG_DATA + 1), 1023);
    ck_assert_uint_eq(rig_io(&rig_fault, READ, 0, 2, RIG_DATA + 0x1000, 0), 0);
    ck_assert_uint_eq(*rig_at(&rig_fault, RIG_DATA + 0x1000), (_i & 2) != 0 ? 0x3c : 0x3d);
}
END_TEST

START_TEST(unreadable_from_now_on)
{
    rig_fault_open("opcode=read lba=4 times=1 : unreadable");
    ck_assert_uint_eq(rig_io(&rig_fault, READ, 0, 4, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig_fault, READ, 3, 3, RIG_DATA, 0), 0x281);
    ck_assert_uint_eq(rig_fault_read(5), 0x281);
    ck_assert_uint_eq(rig_io(&rig_fault, WRITE, 3, 3, RIG_DATA, 0), 0);
    ck_assert_uint_eq(rig_fault_read(5), 0);
}
END_TEST

Suite *suite_fault(void)
{
    Suite *suite = suite_create("nvme faults");
    TCase *tc = tcase_create("faults");

    tcase_add_checked_fixture(tc, rig_fault_setup, rig_fault_teardown);
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
    suite_add_tcase(suite, tc);
    return suite;
}
