/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bring-up (NVMe 1.4 section 7.6.1): every way in which it can fail, each deadline at t - 1 and t.
 */
#include "fake.h"
#include "suites.h"

#define MS 1000000ull

/* Bring-up ends in FAILED for this reason. */
static void expect_failure(int error, uint16_t status)
{
    uint16_t seen = 0xFFFF;

    if (!fake->nvme)
        fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), error);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, &seen), error);
    ck_assert_uint_eq(seen, status);
    ck_assert_ptr_null(nvme_get_queue(fake->nvme, 0));
}

/* Given EN = 1 and RDY = 0 at start, and CAP.TO = 2 s: until then EN stays (3.1.5); then it is
 * cleared, because nothing else can bring the controller back. */
START_TEST(enabled_and_never_ready_is_disabled_after_its_time)
{
    uint64_t begin = fake->now_ns;

    fake->cc = NVME_CC_EN;
    fake->target_ready = true;
    fake->never_ready = true;
    fake_init();
    nvme_start(fake->nvme);
    nvme_step(fake->nvme, begin);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 2000 * MS - 1), NVME_STATE_STARTING);
    ck_assert_uint_eq(fake_writes(NVME_REG_CC), 0);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 2000 * MS), NVME_STATE_STARTING);
    ck_assert_uint_eq(fake_writes(NVME_REG_CC), 2); /* EN = 0, and EN = 1 again */
    fake->never_ready = _i == 0;
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 4000 * MS),
                     _i == 0 ? NVME_STATE_FAILED : NVME_STATE_READY);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), _i == 0 ? NVME_E_TIMEOUT : NVME_OK);
    fake->never_ready = false;
}
END_TEST

START_TEST(ready_never_comes)
{
    uint64_t begin = fake->now_ns;

    fake->never_ready = true;
    fake_init();
    ck_assert_int_eq(nvme_start(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_step(fake->nvme, begin), NVME_STATE_STARTING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 2000 * MS - 1),
                     NVME_STATE_STARTING); /* TO = 4 */
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 2000 * MS), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
    fake->never_ready = false;
}
END_TEST

START_TEST(ready_floor)
{
    uint64_t begin = fake->now_ns;

    fake->never_ready = true;
    fake->config.ready_min_ms = 5000;
    fake_init();
    nvme_start(fake->nvme);
    nvme_step(fake->nvme, begin);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 5000 * MS - 1), NVME_STATE_STARTING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 5000 * MS), NVME_STATE_FAILED);
    fake->never_ready = false;
}
END_TEST

START_TEST(registers_that_no_controller_has)
{
    static const struct {
        uint64_t cap;
        uint32_t vs;
        int error;
    } cases[] = {
        {0, 0x10400, NVME_E_DEVICE},
        {63 | 1ull << 37, 0, NVME_E_DEVICE},
        {1ull << 37, 0x10400, NVME_E_DEVICE},                                /* MQES 0 */
        {63 | 1ull << 37 | 2ull << 48 | 1ull << 52, 0x10400, NVME_E_DEVICE}, /* MPSMIN > MPSMAX */
        {63, 0x10400, NVME_E_UNSUPPORTED}, /* no NVM command set */
        {63 | 1ull << 37 | 5ull << 48 | 5ull << 52, 0x10400, NVME_E_UNSUPPORTED}};

    fake->cap = cases[_i].cap;
    fake->vs = cases[_i].vs;
    expect_failure(cases[_i].error, 0);
    ck_assert_uint_eq(fake->log_count, 0); /* nothing was written */
}
END_TEST

START_TEST(gone_from_the_start)
{
    fake->gone = true;
    expect_failure(NVME_E_GONE, 0);
    ck_assert_uint_eq(fake->log_count, 0);
}
END_TEST

START_TEST(fatal_status_while_waiting)
{
    fake->never_ready = true;
    fake_init();
    nvme_start(fake->nvme);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_STARTING);
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
    fake->never_ready = false;
    fake->csts = NVME_CSTS_RDY;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK); /* and it comes back */
}
END_TEST

START_TEST(entry_sizes)
{
    static const struct {
        uint8_t sqes, cqes;
    } cases[] = {{0x77, 0x44}, {0x55, 0x44}, {0x66, 0x55}, {0x00, 0x44}};

    fake->sqes = cases[_i].sqes;
    fake->cqes = cases[_i].cqes;
    expect_failure(NVME_E_UNSUPPORTED, 0);
}
END_TEST

START_TEST(active_list_out_of_order)
{
    fake->ns_count = 2;
    fake->ns[1] = (struct fake_ns){.nsid = 2, .blocks = 10, .lba_shift = 9};
    fake->unsorted_list = true;
    expect_failure(NVME_E_DEVICE, 0);
}
END_TEST

START_TEST(grant_reserved_value)
{
    fake->grant = 0xFFFF | (7u << 16);
    expect_failure(NVME_E_DEVICE, 0);
}
END_TEST

START_TEST(admin_error_status)
{
    static const uint8_t opcodes[] = {NVME_ADMIN_IDENTIFY, NVME_ADMIN_SET_FEATURES,
                                      NVME_ADMIN_CREATE_CQ, NVME_ADMIN_CREATE_SQ};

    fake->admin_fail_opcode = opcodes[_i];
    fake->admin_fail_status = 0x4102;
    expect_failure(NVME_E_STATUS, 0x4102);
    fake->admin_fail_opcode = UINT32_MAX;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
}
END_TEST

START_TEST(admin_deadline)
{
    uint64_t begin = fake->now_ns;

    fake->hold_admin = true;
    fake->config.admin_timeout_ms = 100;
    fake_init();
    nvme_start(fake->nvme);
    nvme_step(fake->nvme, begin);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 100 * MS - 1), NVME_STATE_STARTING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + 100 * MS), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
}
END_TEST

/* Given an admin command with a deadline in a minute, when the device goes away or reports a fatal
 * status, then the next step says so. */
START_TEST(gone_or_fatal_during_an_admin_command)
{
    fake->hold_admin = true;
    fake->config.admin_timeout_ms = 60000;
    fake_init();
    nvme_start(fake->nvme);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_STARTING);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns + 20 * MS), NVME_STATE_STARTING);
    if (_i == 0)
        fake->gone = true;
    else
        fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns + 21 * MS), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_GONE);
}
END_TEST

START_TEST(admin_unknown_identifier_is_ignored)
{
    struct nvme_admin_stats stats;

    fake->admin_cid_error = 5;
    fake->config.admin_timeout_ms = 10;
    expect_failure(NVME_E_TIMEOUT, 0);
    nvme_get_admin_stats(fake->nvme, &stats);
    ck_assert_uint_eq(stats.protocol_errors, 1);
}
END_TEST

START_TEST(admin_impossible_head)
{
    fake->admin_sqhd_error = 3;
    expect_failure(NVME_E_DEVICE, 0);
}
END_TEST

START_TEST(every_allocation_can_fail)
{
    uint32_t failures = 0;
    int error;

    fake->config.bounce_bytes = 8192;
    fake->config.slots = 2;
    fake_init();
    for (int i = 0;; i++) {
        fake->alloc_fail_after = i;
        error = nvme_start_blocking(fake->nvme);
        if (error == NVME_OK)
            break;
        ck_assert_int_eq(error, NVME_E_NO_MEMORY);
        ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_FAILED);
        failures++;
        ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
        ck_assert_uint_eq(fake->live_allocs, 0);
    }
    ck_assert_uint_eq(failures, 9); /* 3 admin, 2 rings, 2 slots with list and bounce */
}
END_TEST

Suite *suite_bringup_failures(void)
{
    Suite *suite = suite_create("driver bring-up failures");
    TCase *bad = tcase_create("failures");

    tcase_add_checked_fixture(bad, fake_create, fake_destroy);
    tcase_add_loop_test(bad, enabled_and_never_ready_is_disabled_after_its_time, 0, 2);
    tcase_add_test(bad, ready_never_comes);
    tcase_add_test(bad, ready_floor);
    tcase_add_loop_test(bad, registers_that_no_controller_has, 0, 6);
    tcase_add_test(bad, gone_from_the_start);
    tcase_add_test(bad, fatal_status_while_waiting);
    tcase_add_loop_test(bad, entry_sizes, 0, 4);
    tcase_add_test(bad, active_list_out_of_order);
    tcase_add_test(bad, grant_reserved_value);
    tcase_add_loop_test(bad, admin_error_status, 0, 4);
    tcase_add_test(bad, admin_deadline);
    tcase_add_loop_test(bad, gone_or_fatal_during_an_admin_command, 0, 2);
    tcase_add_test(bad, admin_unknown_identifier_is_ignored);
    tcase_add_test(bad, admin_impossible_head);
    tcase_add_test(bad, every_allocation_can_fail);
    suite_add_tcase(suite, bad);
    return suite;
}
