/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bring-up (NVMe 1.4 section 7.6.1): order and values of register writes, what Identify leads to,
 * and every way in which it can fail.
 */
#include "fake.h"
#include "suites.h"

START_TEST(registers_in_order)
{
    uint32_t aqa = 0, asq = 0, acq = 0, cc = 0, first_doorbell = 0;

    fake->config.admin_depth = 32;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    for (uint32_t i = 0; i < fake->log_count; i++) {
        const struct fake_write *w = &fake->log[i];

        if (w->publish)
            continue;
        aqa = w->offset == NVME_REG_AQA ? i + 1 : aqa;
        asq = w->offset == NVME_REG_ASQ + 4 ? i + 1 : asq;
        acq = w->offset == NVME_REG_ACQ + 4 ? i + 1 : acq;
        cc = w->offset == NVME_REG_CC ? i + 1 : cc;
        if (w->offset == NVME_REG_DOORBELL && first_doorbell == 0)
            first_doorbell = i + 1;
    }
    ck_assert(aqa && aqa < asq && asq < acq && acq < cc && cc < first_doorbell);
    ck_assert_uint_eq(fake_last(NVME_REG_AQA), 0x001F001F);
    ck_assert_uint_eq(fake_last(NVME_REG_CC),
                      0x00460001); /* EN, MPS 0, CSS 0, AMS 0, 64 and 16 bytes */
    ck_assert_uint_eq(fake->asq % 4096, 0);
    ck_assert_uint_eq(fake->asq >> 32, FAKE_BUS >> 32);
    ck_assert_uint_eq(fake_writes(NVME_REG_CC), 1);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMS) + fake_writes(NVME_REG_INTMC), 0);
}
END_TEST

START_TEST(publish_comes_before_every_doorbell)
{
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    for (uint32_t i = 0; i < fake->log_count; i++)
        if (!fake->log[i].publish && fake->log[i].offset == NVME_REG_DOORBELL)
            ck_assert(i > 0 && fake->log[i - 1].publish && fake->log[i - 1].offset == 0);
}
END_TEST

START_TEST(commands_in_order)
{
    static const uint8_t expected[] = {NVME_ADMIN_IDENTIFY,    NVME_ADMIN_IDENTIFY,
                                       NVME_ADMIN_IDENTIFY,    NVME_ADMIN_SET_FEATURES,
                                       NVME_ADMIN_CREATE_CQ,   NVME_ADMIN_CREATE_CQ,
                                       NVME_ADMIN_CREATE_SQ,   NVME_ADMIN_CREATE_SQ,
                                       NVME_ADMIN_ASYNC_EVENT, NVME_ADMIN_ASYNC_EVENT};

    fake->config.io_queues = 2;
    fake->config.sq_priority = 3;
    fake_start();
    ck_assert_uint_le(fake->config.aer_count, 2); /* none where events are left out */
    ck_assert_uint_eq(fake->admin_log_count, sizeof(expected) - 2 + fake->config.aer_count);
    for (uint32_t i = 0; i < fake->admin_log_count; i++)
        ck_assert_uint_eq(fake_opcode(&fake->admin_log[i]), expected[i]);
    ck_assert_uint_eq(fake->admin_log[0].cdw10_11, 1); /* CNS: controller, active list, namespace */
    ck_assert_uint_eq(fake->admin_log[1].cdw10_11, 2);
    ck_assert_uint_eq(fake->admin_log[2].cdw10_11, 0);
    ck_assert_uint_eq(fake->admin_log[2].command_nsid >> 32, 1);
    ck_assert_uint_eq(fake->admin_log[3].cdw10_11, 0x0001000100000007ull);
    ck_assert_uint_eq(fake->admin_log[5].cdw10_11,
                      0x00000001000F0002ull); /* PC, 16 entries, queue 2 */
    ck_assert_uint_eq(fake->admin_log[7].cdw10_11, 0x00020007000F0002ull); /* CQ 2, low, PC */
    ck_assert_uint_eq(fake->aer_held, fake->config.aer_count);
}
END_TEST

START_TEST(what_identify_says)
{
    const struct nvme_info *info;

    fake_start();
    info = nvme_get_info(fake->nvme);
    ck_assert_str_eq(info->serial, "SERIAL-1");
    ck_assert_str_eq(info->model, "Fake Drive"); /* the tab is not printable */
    ck_assert_str_eq(info->firmware, "1.0");
    ck_assert_uint_eq(info->cap, fake->cap);
    ck_assert_uint_eq(info->version, 0x00010400);
    ck_assert_uint_eq(info->page_bytes, 4096);
    ck_assert_uint_eq(info->max_transfer, 131072);
    ck_assert_uint_eq(info->io_queues, 1);
    ck_assert_uint_eq(info->io_depth, 16);
    ck_assert_uint_eq(info->slots, 15);
    ck_assert(info->volatile_write_cache);
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 1);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->blocks, FAKE_BLOCKS);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->block_bytes, 512);
    ck_assert_ptr_null(nvme_get_namespace(fake->nvme, 1));
    ck_assert_ptr_null(nvme_get_queue(fake->nvme, 1));
}
END_TEST

START_TEST(depth_is_lowered_to_mqes)
{
    fake->cap = (fake->cap & ~0xFFFFull) | 7;
    fake_start();
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->io_depth, 8);
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->slots, 7);
}
END_TEST

static const struct {
    uint8_t mdts;
    uint32_t cap, no_mdts, expected;
    uint16_t list_pages;
} transfers[] = {
    {5, 0, 0, 131072, 1},          {1, 0, 0, 8192, 1},
    {9, 0, 0, 2097152, 1},  /* 2 MiB: just what one list page holds */
    {10, 0, 0, 2097152, 1}, /* 4 MiB: one list page has 512 entries */
    {10, 0, 0, 4190208, 2}, /* two pages: 511 entries, a pointer, 512 entries */
    {0, 0, 0, 2097152, 1},         {0, 0, 1048576, 1048576, 1},
    {0, 65536, 1048576, 65536, 1}, {9, 65536, 4096, 65536, 1},
    {255, 0, 0, 2097152, 1},       {20, 4096, 0, 4096, 1},
};

START_TEST(longest_transfer)
{
    fake->mdts = transfers[_i].mdts;
    fake->config.transfer_cap = transfers[_i].cap;
    fake->config.transfer_no_mdts = transfers[_i].no_mdts;
    fake->config.list_pages = transfers[_i].list_pages;
    fake_start();
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->max_transfer, transfers[_i].expected);
}
END_TEST

START_TEST(larger_pages)
{
    fake->cap |= 1ull << 48 | 4ull << 52; /* MPSMIN 8 KiB, MPSMAX 64 KiB */
    fake_start();
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->page_bytes, 8192);
    ck_assert_uint_eq((fake->cc >> 7) & 0xF, 1);
    ck_assert_uint_eq(fake->asq % 8192, 0);
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->max_transfer, 8192u << 5); /* MDTS counts MPSMIN */
}
END_TEST

START_TEST(doorbell_stride)
{
    struct nvme_request r;

    fake->cap |= 3ull << 32 | 5ull << 20; /* DSTRD 3 = 32 bytes; CAP[23:20] means nothing */
    fake_start();
    fake_registered(&r, NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &r), NVME_OK);
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    ck_assert_uint_eq(fake_writes(0x1000 + 2 * 32), 1);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(nvme_get_queue(fake->nvme, 0), 0), 1);
    ck_assert_uint_eq(fake_writes(0x1000 + 3 * 32), 1);
}
END_TEST

START_TEST(namespaces_that_cannot_be_used_are_not_offered)
{
    static const struct fake_ns list[] = {
        {.nsid = 2, .blocks = 100, .lba_shift = 12},
        {.nsid = 3, .blocks = 0, .lba_shift = 9},    /* inactive */
        {.nsid = 4, .blocks = 100, .lba_shift = 8},  /* 256 bytes */
        {.nsid = 5, .blocks = 100, .lba_shift = 13}, /* longer than a page */
        {.nsid = 6, .blocks = 100, .lba_shift = 9, .metadata = 8},
        {.nsid = 7, .blocks = 100, .lba_shift = 9, .dps = 1},
        {.nsid = 8, .blocks = 100, .lba_shift = 9, .flbas = 3}, /* format 3 of one */
        {.nsid = 9, .blocks = 100, .lba_shift = 255},
        {.nsid = 0xFFFFFFFE, .blocks = 7, .lba_shift = 9, .flbas = 1, .nlbaf = 1}};

    memcpy(fake->ns, list, sizeof(list));
    fake->ns_count = sizeof(list) / sizeof(list[0]);
    fake_start();
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 2);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->nsid, 2);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->block_bytes, 4096);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 1)->nsid, 0xFFFFFFFE);
}
END_TEST

START_TEST(namespace_that_is_not_described_is_skipped)
{
    fake->ns_count = 3;
    fake->ns[1] = (struct fake_ns){.nsid = 2, .blocks = 10, .lba_shift = 9};
    fake->ns[2] = (struct fake_ns){.nsid = 7, .blocks = 20, .lba_shift = 9};
    fake->refuse_nsid = 2;
    fake->admin_fail_status = 0x4002;
    fake_start();
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 2);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->nsid, 1);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 1)->nsid, 7);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 1)->blocks, 20);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_OK);
}
END_TEST

START_TEST(at_most_128_namespaces)
{
    fake->ns_count = 130;
    for (uint32_t i = 0; i < 130; i++)
        fake->ns[i] = (struct fake_ns){.nsid = i + 1, .blocks = 1000 + i, .lba_shift = 9};
    fake_start();
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 128);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 127)->blocks, 1127);
}
END_TEST

START_TEST(no_namespace_is_no_failure)
{
    struct nvme_request r;

    fake->ns_count = 0;
    fake_start();
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 0);
    fake_registered(&r, NVME_OP_READ, 0, 1, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &r), NVME_E_INVAL);
    r.nsid = 0;
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &r), NVME_E_INVAL);
}
END_TEST

START_TEST(version_1_0_has_no_active_list)
{
    fake->vs = 0x00010000;
    fake->ns_count = 2;
    fake->ns[1] = (struct fake_ns){.nsid = 2, .blocks = 10, .lba_shift = 9};
    fake_start();
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 2);
    ck_assert_uint_eq(fake->admin_log[1].cdw10_11 & 0xFF, NVME_CNS_NAMESPACE);
}
END_TEST

START_TEST(grant_is_respected)
{
    fake->config.io_queues = 4;
    fake->grant = _i ? 1 | (5u << 16) : 5 | (1u << 16); /* fewer SQs, or fewer CQs */
    fake_start();
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->io_queues, 2);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_CREATE_CQ], 2);
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_CREATE_SQ], 2);
}
END_TEST

START_TEST(grant_is_not_asked_for)
{
    fake->config.io_queues = 4;
    fake->config.negotiate_queues = false;
    fake_start();
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_SET_FEATURES], 0);
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->io_queues, 4);
}
END_TEST

#if !defined(NVME_NO_EVENTS)
START_TEST(event_requests_have_three_limits)
{
    fake->config.aer_count = 16;
    fake->aerl = 15;
    fake->config.admin_depth = _i == 0 ? 32 : (uint16_t)(_i + 1); /* 32, 2, 3, 4 */
    fake_start();
    ck_assert_uint_eq(fake->aer_held, _i == 0 ? 16 : (uint32_t)_i - 1);
}
END_TEST

START_TEST(event_requests_leave_room)
{
    fake->config.aer_count = 3;
    fake->config.admin_depth = 4; /* three commands at a time: one is kept for the others */
    fake_start();
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST
#endif

START_TEST(enabled_at_start_is_disabled_first)
{
    fake->cc = NVME_CC_EN | 0x00460000;
    fake->target_ready = true;
    fake->ready_reads = 0;
    fake->pending_reads = 3; /* RDY = 1 comes late: EN stays until then (asserted by the device) */
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_writes(NVME_REG_CC), 2);
}
END_TEST

START_TEST(registers_64_bits_wide)
{
    /* Given a platform without read64 and write64, two accesses, the low word first. */
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    for (uint32_t i = 1; i < fake->log_count; i++)
        if (!fake->log[i].publish && fake->log[i].offset == NVME_REG_ASQ + 4)
            ck_assert_uint_eq(fake->log[i - 1].offset, NVME_REG_ASQ);
}
END_TEST

Suite *suite_bringup(void)
{
    Suite *suite = suite_create("driver bring-up");
    TCase *good = tcase_create("good");

    tcase_add_checked_fixture(good, fake_create, fake_destroy);
    tcase_add_test(good, registers_in_order);
    tcase_add_test(good, publish_comes_before_every_doorbell);
    tcase_add_test(good, commands_in_order);
    tcase_add_test(good, what_identify_says);
    tcase_add_test(good, depth_is_lowered_to_mqes);
    tcase_add_loop_test(good, longest_transfer, 0, sizeof(transfers) / sizeof(transfers[0]));
    tcase_add_test(good, larger_pages);
    tcase_add_test(good, doorbell_stride);
    tcase_add_test(good, namespaces_that_cannot_be_used_are_not_offered);
    tcase_add_test(good, namespace_that_is_not_described_is_skipped);
    tcase_add_test(good, at_most_128_namespaces);
    tcase_add_test(good, no_namespace_is_no_failure);
    tcase_add_test(good, version_1_0_has_no_active_list);
    tcase_add_loop_test(good, grant_is_respected, 0, 2);
    tcase_add_test(good, grant_is_not_asked_for);
#if !defined(NVME_NO_EVENTS)
    tcase_add_loop_test(good, event_requests_have_three_limits, 0, 4);
    tcase_add_test(good, event_requests_leave_room);
#endif
    tcase_add_test(good, enabled_at_start_is_disabled_first);
    tcase_add_test(good, registers_64_bits_wide);
    suite_add_tcase(suite, good);
    return suite;
}
