/* SPDX-License-Identifier: BSD-2-Clause
 * Asynchronous events for wrong doorbells, and the log pages (NVMe 1.4 sections 5.2 and 5.14). */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.aerl = 1; /* two requests */
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void ask(uint16_t cid)
{
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 12, .cid = cid});
    rig_ring(&rig, 0);
    rig_settle(&rig);
}

/* The next admin completion must be this. */
static void expect(uint16_t cid, uint16_t status, uint32_t dw0)
{
    struct rig_cqe cqe;

    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, status);
    ck_assert_uint_eq(cqe.dw0, dw0);
    rig_ring_cq(&rig, 0);
}

static void expect_nothing(void)
{
    struct rig_cqe cqe;

    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 0, &cqe));
}

static void read_error_log(uint32_t retain)
{
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 15u << 16 | retain << 15 | 1, 0, NULL), 0);
}

START_TEST(held_until_something_happens)
{
    ask(1);
    ask(2);
    expect_nothing();
    ask(3); /* AERL + 1 are held */
    expect(3, 0x105, 0);
    rig_write32(&rig, 0x1000 + 4 * 4, 1); /* SQ 2 does not exist */
    rig_settle(&rig);
    expect(1, 0, 0x00010000);
    expect_nothing();
}
END_TEST

START_TEST(type_stays_quiet_until_the_log_is_read)
{
    ask(1);
    ask(2);
    rig_write32(&rig, 0x1000 + 4 * 5, 1); /* CQ 2 does not exist */
    rig_settle(&rig);
    expect(1, 0, 0x00010000);
    rig_write32(&rig, 0x1008, 8); /* SQ 1 has 8 entries */
    expect_nothing();
    read_error_log(1); /* retain: still quiet */
    expect_nothing();
    read_error_log(0);
    expect_nothing(); /* reading has cleared what waited */
    rig_write32(&rig, 0x1008, 8);
    rig_settle(&rig);
    expect(2, 0, 0x00010100);
}
END_TEST

START_TEST(event_waits_for_a_request)
{
    rig_write32(&rig, 0x1008, 100);
    rig_write32(&rig, 0x1008, 101);
    rig_settle(&rig);
    ask(1);
    expect(1, 0, 0x00010100);
    ask(2);
    expect_nothing();
}
END_TEST

/* Doorbell values that cannot be: offset, value. Queue 1 has 8 entries, three commands are done and
 * not consumed, so SQ tail = head = 3, CQ head = 0, posted = 3. */
static const struct {
    uint64_t offset;
    uint32_t value;
    bool invalid;
} doorbells[] = {
    {0x1008, 8, true},          {0x1008, 0xffffffff, true}, {0x1008, 0x10004, true},
    {0x1008, 3, false},         {0x1008, 2, false},         {0x100c, 4, true},
    {0x100c, 7, true},          {0x100c, 8, true},          {0x100c, 0x10001, true},
    {0x100c, 0, false},         {0x100c, 3, false},         {0x1010, 0, true},
    {0x1000 + 4 * 9, 0, true},                              /* CQ 4 */
    {0x1000 + 4 * 10, 1, true},                             /* SQ 5: queues are 0 to 4 */
    {0x1000 + 4 * 11, 0, true}, {0x1ffc, 0xffffffff, true}, /* the MSI-X table follows */
    {0x2000, 0, false},
};

START_TEST(wrong_doorbells_raise_an_event_and_change_nothing) /* 3.1.24, 3.1.25 */
{
    struct rig_cqe cqe;

    for (uint16_t i = 0; i < 3; i++)
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = 0, .cid = i, .nsid = 1});
    rig_ring(&rig, 1);
    rig_settle(&rig);
    ask(1);
    rig_write32(&rig, doorbells[_i].offset, doorbells[_i].value);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe) == doorbells[_i].invalid);
    if (!doorbells[_i].invalid)
        return;
    rig_ring_cq(&rig, 0);
    ck_assert_uint_eq(cqe.dw0, doorbells[_i].offset >= 0x1010 ? 0x00010000 : 0x00010100);
    for (uint16_t i = 0; i < 3; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
    rig_ring_cq(&rig, 1);
    ck_assert_uint_eq(rig_io(&rig, 0, 0, 1, 0, 0), 0);
}
END_TEST

START_TEST(without_msix_doorbells_go_to_the_end_of_the_bar)
{
    rig_close(&rig);
    params.ctrl.msix_vectors = 0;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ask(1);
    rig_write32(&rig, 0x3ffc, 1); /* CQ 1535 */
    rig_settle(&rig);
    expect(1, 0, 0x00010000);
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 15u << 16 | 1, 0, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 8), 1535 & 0xff);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 9), 1535 >> 8);
}
END_TEST

START_TEST(more_entries_than_free_slots)
{
    struct rig_cqe cqe;

    /* with one context and a slow medium the queue stays full: head 1, tail 7 */
    rig_close(&rig);
    params.ctrl.contexts = 1;
    params.media.kind = MEDIA_FIXED;
    params.media.flush_latency = RIG_MS;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    for (uint16_t i = 0; i < 7; i++)
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = 0, .cid = i, .nsid = 1});
    rig_ring(&rig, 1);
    rig_for(&rig, RIG_US);
    ask(1);
    rig_settle(&rig);
    for (uint16_t i = 0; i < 7; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
    rig_ring_cq(&rig, 1);
    for (uint16_t i = 0; i < 7; i++)
        rig_put(&rig, 1, &(struct rig_cmd){.opcode = 0, .cid = i, .nsid = 1});
    rig_ring(&rig, 1); /* tail 14 mod 8 = 6 */
    rig_for(&rig, RIG_US);
    rig_write32(&rig, 0x1008, 7); /* slot 6 is free: head has moved by one */
    rig_write32(&rig, 0x1008, 1); /* two more are not */
    rig_settle(&rig);
    expect(1, 0, 0x00010100);
}
END_TEST

START_TEST(same_value_is_counted_only)
{
    ask(1);
    rig_write32(&rig, 0x1008, 0);
    rig_write32(&rig, 0x100c, 0);
    expect_nothing();
    ck_assert_uint_eq(rig_stats(&rig).same_value_doorbells, 2);
}
END_TEST

START_TEST(abort_of_a_held_request)
{
    uint32_t dw0;

    ask(7);
    ask(8);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 8, .cid = 20, .cdw10 = 7u << 16});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    expect(7, 0x007, 0);
    expect(20, 0, 0);
    ck_assert_uint_eq(rig_admin(&rig, 8, 0, 7u << 16, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 1); /* gone */
    ask(9);
    expect_nothing(); /* its place is free again */
}
END_TEST

START_TEST(error_log_entries) /* 5.14.1.1 */
{
    const uint8_t *entry = rig_at(&rig, RIG_DATA);

    rig_write32(&rig, 0x1010, 1);
    rig_write32(&rig, 0x1008, 9);
    read_error_log(0);
    ck_assert_uint_eq(entry[0], 2); /* newest first */
    ck_assert_uint_eq(entry[8], 1);
    ck_assert_uint_eq(entry[10], 0xff);
    ck_assert_uint_eq(entry[64], 0); /* only 64 bytes were asked for */
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 31u << 16 | 1, 0, NULL), 0);
    ck_assert_uint_eq(entry[64], 1);
    ck_assert_uint_eq(entry[64 + 8], 2);
}
END_TEST

START_TEST(log_page_errors_and_other_pages)
{
    struct rig_cmd cmd = {.opcode = 2, .cid = 1, .prp1 = RIG_DATA};

    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 15u << 16, 0, NULL), 0x109);
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 15u << 16 | 4, 0, NULL), 0x109);
    ck_assert_uint_eq(rig_admin(&rig, 2, 1, 15u << 16 | 2, 0, NULL), 0x002);
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 127u << 16 | 2, 1, NULL), 0x002); /* above MDTS */
    cmd.cdw10 = 127u << 16 | 2;
    cmd.cdw12 = 2;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x002); /* offset no dword */
    cmd.cdw12 = 512;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x002); /* offset at the end */
    cmd.cdw12 = 0;
    cmd.cdw13 = 1;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x002);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, RIG_DATA + 0x1000, 0), 0);
    ck_assert_uint_eq(rig_admin(&rig, 2, 0xffffffff, 127u << 16 | 2, 0, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 1), 313 & 0xff);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 32), 1); /* data units read, rounded up */
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 64), 1); /* read commands */
    cmd.cdw10 = 127u << 16 | 3;
    cmd.cdw12 = 8; /* from an offset */
    cmd.cdw13 = 0;
    ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA), "FW      ", 8);
}
END_TEST

Suite *suite_async(void)
{
    Suite *suite = suite_create("nvme asynchronous events");
    TCase *tc = tcase_create("async");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, held_until_something_happens);
    tcase_add_test(tc, type_stays_quiet_until_the_log_is_read);
    tcase_add_test(tc, event_waits_for_a_request);
    tcase_add_loop_test(tc, wrong_doorbells_raise_an_event_and_change_nothing, 0,
                        sizeof doorbells / sizeof doorbells[0]);
    tcase_add_test(tc, without_msix_doorbells_go_to_the_end_of_the_bar);
    tcase_add_test(tc, more_entries_than_free_slots);
    tcase_add_test(tc, same_value_is_counted_only);
    tcase_add_test(tc, abort_of_a_held_request);
    tcase_add_test(tc, error_log_entries);
    tcase_add_test(tc, log_page_errors_and_other_pages);
    suite_add_tcase(suite, tc);
    return suite;
}
