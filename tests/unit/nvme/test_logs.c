/* SPDX-License-Identifier: BSD-2-Clause
 * Get Log Page: offsets and lengths, the Error Information log and the Commands Supported and
 * Effects log (NVMe 1.4 sections 5.14, 5.14.1.1, 5.14.1.5). */
#include <string.h>

#include "unit/nvme/rig_admin.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
}

static void teardown(void)
{
    rig_close(&rig);
}

START_TEST(errors_of_commands_are_logged_and_say_so) /* 4.6.1, More */
{
    struct rig_cqe cqe;

    rig_do(&rig, 0, &(struct rig_cmd){.opcode = 0x55, .cid = 0x1234, .nsid = 9}, &cqe);
    ck_assert_uint_eq(cqe.status, 0x001);
    ck_assert(cqe.more && cqe.dnr);
    rig_do(&rig, 1,
           &(struct rig_cmd){.opcode = 2,
                             .cid = 0x4321,
                             .nsid = 1,
                             .prp1 = RIG_DATA,
                             .cdw10 = 0x11111111,
                             .cdw11 = 0x2222},
           &cqe);
    ck_assert_uint_eq(cqe.status, 0x080);
    ck_assert(cqe.more);
    ck_assert_uint_eq(rig_log(&rig, 1, 0, 128, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 2); /* newest first */
    ck_assert_uint_eq(rig_field(&rig, 8, 2), 1);
    ck_assert_uint_eq(rig_field(&rig, 10, 2), 0x4321);
    ck_assert_uint_eq(rig_field(&rig, 12, 2), (0x6000 | 0x080) << 1); /* DNR, M */
    ck_assert_uint_eq(rig_field(&rig, 14, 2), 40);                    /* byte of SLBA */
    ck_assert_uint_eq(rig_field(&rig, 16, 8), UINT64_C(0x222211111111));
    ck_assert_uint_eq(rig_field(&rig, 24, 4), 1);
    ck_assert_uint_eq(rig_field(&rig, 64, 8), 1);
    ck_assert_uint_eq(rig_field(&rig, 64 + 8, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 64 + 10, 2), 0x1234);
    ck_assert_uint_eq(rig_field(&rig, 64 + 14, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 64 + 24, 4), 9);
}
END_TEST

START_TEST(success_and_aborts_are_not_logged)
{
    struct rig_cqe cqe;

    rig_do(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = 1, .cdw10 = 7}, &cqe);
    ck_assert(!cqe.more && !cqe.dnr);
    rig_ask(&rig, 5);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 8, .cid = 6, .cdw10 = 5u << 16});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.status, 0x007);
    ck_assert(!cqe.more);
    ck_assert(rig_take(&rig, 0, &cqe));
    rig_ring_cq(&rig, 0);
    ck_assert_uint_eq(rig_log(&rig, 1, 0, 64, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
}
END_TEST

START_TEST(the_log_keeps_the_last_sixteen_over_resets)
{
    for (unsigned i = 0; i < 20; i++)
        ck_assert_uint_eq(rig_admin(&rig, 0x55, i, 0, 0, NULL), 0x001);
    rig_reset(&rig);
    ck_assert_uint_eq(rig_log(&rig, 1, 0, 1024, false), 0);
    for (uint32_t i = 0; i < 16; i++) {
        ck_assert_uint_eq(rig_field(&rig, 64 * i, 8), 20 - i);
        ck_assert_uint_eq(rig_field(&rig, 64 * i + 24, 4), 19 - i);
    }
    ck_assert_uint_eq(rig_log(&rig, 2, 0, 512, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 176, 8), 20);
}
END_TEST

/* page, length */
static const struct {
    uint8_t page;
    uint32_t bytes;
} pages[] = {{1, 1024}, {2, 512}, {3, 512}, {5, 4096}};

START_TEST(offset_and_length) /* 5.14: LPOL, NUMD */
{
    uint32_t bytes = pages[_i].bytes;
    uint8_t whole[4096];

    ck_assert_uint_eq(rig_log(&rig, pages[_i].page, 0, bytes, true), 0);
    memcpy(whole, rig_at(&rig, RIG_DATA), bytes);
    ck_assert_uint_eq(rig_log(&rig, pages[_i].page, bytes - 4, 4, true), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA), whole + bytes - 4, 4);
    ck_assert_uint_eq(rig_field(&rig, 4, 1), 0xee);
    ck_assert_uint_eq(rig_log(&rig, pages[_i].page, 60, 2 * bytes, true), 0); /* beyond the end */
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA), whole + 60, bytes - 60);
    ck_assert_uint_eq(rig_field(&rig, bytes - 60, 4), 0xeeeeeeee);
    ck_assert_uint_eq(rig_log(&rig, pages[_i].page, bytes, 4, true), 0x002);
    ck_assert_uint_eq(rig_log(&rig, pages[_i].page, 2, 4, true), 0x002);
}
END_TEST

START_TEST(pages_that_do_not_exist)
{
    for (unsigned page = 0; page < 256; page++) {
        if (page == 0 || page == 6 || page > 6)
            ck_assert_uint_eq(rig_log(&rig, (uint8_t)page, 0, 64, true), 0x109);
    }
    ck_assert_uint_eq(rig_admin(&rig, 2, 1, 15u << 16 | 2, 0, NULL), 0x002); /* LPA bit 0 = 0 */
}
END_TEST

/* Every opcode that is claimed runs, every other one is Invalid Opcode. */
START_TEST(effects_log_tells_the_truth)
{
    uint32_t admin[256], io[256];

    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(rig_field(&rig, 261, 1) & 2, 2); /* LPA */
    ck_assert_uint_eq(rig_log(&rig, 5, 0, 4096, true), 0);
    for (uint32_t i = 0; i < 256; i++) {
        admin[i] = (uint32_t)rig_field(&rig, 4 * i, 4);
        io[i] = (uint32_t)rig_field(&rig, 1024 + 4 * i, 4);
    }
    ck_assert_uint_eq(rig_field(&rig, 2048, 8), 0);
    ck_assert_uint_eq(admin[6], 1);
    ck_assert_uint_eq(admin[9], 0x11);
    ck_assert_uint_eq(io[1], 3);
    ck_assert_uint_eq(io[2], 1);
    for (uint32_t i = 0; i < 256; i++) {
        struct rig_cmd cmd = {.opcode = (uint8_t)i, .cid = 1, .nsid = 77, .prp1 = RIG_DATA + 1};

        if (admin[i] == 0)
            ck_assert_uint_eq(rig_do(&rig, 0, &cmd, NULL), 0x001);
        else if (i != 0x0c) /* Asynchronous Event Request is held */
            ck_assert_uint_ne(rig_do(&rig, 0, &cmd, NULL), 0x001);
        ck_assert((io[i] == 0) == (rig_do(&rig, 1, &cmd, NULL) == 0x001));
    }
}
END_TEST

/* A Format NVM that touches all namespaces wants to be alone (5.14.1.5, CSE). */
START_TEST(effects_of_a_format_follow_its_scope)
{
    for (uint32_t scope = 0; scope < 2; scope++) {
        rig_close(&rig);
        params.ctrl.oacs_format = 1;
        params.ctrl.format_scope = scope;
        rig_open(&rig, &params);
        rig_enable(&rig);
        ck_assert_uint_eq(rig_log(&rig, 5, 0x80 * 4, 4, true), 0);
        ck_assert_uint_eq(rig_field(&rig, 0, 4), scope == 0 ? 0x10007 : 0x20007);
    }
}
END_TEST

/* 5.2.1, Namespace Attribute Changed; 5.14.1.4; OAES bit 8. */
START_TEST(changed_namespaces_are_noticed)
{
    rig_close(&rig);
    params.ctrl.oacs_ns_management = 1;
    params.ctrl.namespaces_max = 3;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_identify(&rig, 1, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 92, 4), 0x100);
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 0x100), 0);
    ck_assert_uint_eq(rig_set(&rig, 0xffffffff, 5, 7), 0);
    rig_ask(&rig, 1);
    rig_put(&rig, 0,
            &(struct rig_cmd){.opcode = 0x0d, .cid = 2, .nsid = 1, .cdw10 = 1}); /* delete */
    rig_ring(&rig, 0);
    rig_settle(&rig);
    rig_expect_event(&rig, 1, 0x00040002);
    rig_expect_event(&rig, 2, 0); /* the completion of the command itself */
    ck_assert_uint_eq(rig_admin(&rig, 10, 1, 5, 0, NULL), 0x002); /* an inactive namespace */
    ck_assert_uint_eq(rig_log(&rig, 4, 0, 4096, true), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 1);
    ck_assert_uint_eq(rig_log(&rig, 4, 0, 4096, false), 0); /* retained, and now forgotten */
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 1);
    ck_assert_uint_eq(rig_log(&rig, 4, 0, 4096, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
}
END_TEST

/* A page that does not reach the host has not been read: its event stays quiet, and what the page
 * tells only once is still there (5.2, 5.14.1.4). */
START_TEST(a_page_that_is_lost_clears_nothing)
{
    struct rig_cqe cqe;

    rig_close(&rig);
    params.ctrl.oacs_ns_management = 1;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_set(&rig, 0, 11, 0x100), 0);
    ck_assert_uint_eq(rig_ns_detach(&rig, 1, 0), 0);
    rig_ask(&rig, 1);
    rig_expect_event(&rig, 1, 0x00040002);
    ck_assert_uint_eq(rig_ns_attach(&rig, 1, 0), 0);
    rig_ask(&rig, 2); /* waits behind the first one */
    rig_put(&rig, 0,
            &(struct rig_cmd){.opcode = 2, .cid = 3, .prp1 = 0x1000, .cdw10 = 1023u << 16 | 4});
    rig_ring(&rig, 0);
    rig_for(&rig, RIG_MS);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, 3);
    ck_assert_uint_eq(cqe.status, 0x004);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_ring_cq(&rig, 0);
    ck_assert_uint_eq(rig_log(&rig, 4, 0, 4096, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 1);
    ck_assert_uint_eq(rig_log(&rig, 4, 0, 4096, false), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
}
END_TEST

Suite *suite_logs(void)
{
    Suite *suite = suite_create("nvme log pages");
    TCase *tc = tcase_create("logs");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, errors_of_commands_are_logged_and_say_so);
    tcase_add_test(tc, success_and_aborts_are_not_logged);
    tcase_add_test(tc, the_log_keeps_the_last_sixteen_over_resets);
    tcase_add_loop_test(tc, offset_and_length, 0, sizeof pages / sizeof pages[0]);
    tcase_add_test(tc, pages_that_do_not_exist);
    tcase_add_test(tc, effects_log_tells_the_truth);
    tcase_add_test(tc, effects_of_a_format_follow_its_scope);
    tcase_add_test(tc, a_page_that_is_lost_clears_nothing);
    tcase_add_test(tc, changed_namespaces_are_noticed);
    suite_add_tcase(suite, tc);
    return suite;
}
