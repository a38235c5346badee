/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What bring-up learns of a controller and its namespaces (NVMe 1.4 sections 5.15.2.1, 5.15.2.2),
 * optional features that it sets (5.21.1.1, 5.21.1.13, 5.21.1.22), and namespaces that change while
 * the controller runs.
 */
#include "fake.h"
#include "suites.h"

#define NAMESPACE  0u
#define CONTROLLER 1u

#define AMS_WEIGHTED (1ull << 17) /* CAP.AMS (3.1.1) */
#define CC_AMS(cc)   ((cc) >> 11 & 7)

START_TEST(controller_fields)
{
    const struct nvme_info *info;

    fake_patch(CONTROLLER, 256, 2, 0x010E); /* OACS */
    fake_patch(CONTROLLER, 258, 1, 255);    /* ACL */
    fake_patch(CONTROLLER, 520, 2, 0x0085); /* ONCS: Compare, Dataset Management, Verify */
    fake_patch(CONTROLLER, 536, 4, 2);      /* SGLS */
    fake_patch(CONTROLLER, 128, 6, 0x000300020001);
    fake_start();
    info = nvme_get_info(fake->nvme);
    ck_assert_uint_eq(info->oacs, 0x010E);
    ck_assert_uint_eq(info->oncs, 0x0085);
    ck_assert_uint_eq(info->abort_limit, 255); /* 256 does not fit */
    ck_assert(info->compare && info->deallocate && info->verify && !info->write_zeroes);
    ck_assert(info->sgl);
    ck_assert_uint_eq(info->retry_delay_100ms[0], 1);
    ck_assert_uint_eq(info->retry_delay_100ms[1], 2);
    ck_assert_uint_eq(info->retry_delay_100ms[2], 3);
    ck_assert(!info->retry_delays); /* nobody asked */
    ck_assert_uint_eq(fake->behavior, UINT32_MAX);
    ck_assert_uint_eq(info->namespaces_max, 1);
}
END_TEST

/* Without NSFEAT a namespace has the controller's atomic units and states no preferences. */
START_TEST(namespace_fields)
{
    const struct nvme_namespace *ns;

    fake_patch(CONTROLLER, 526, 2, 7); /* AWUN */
    fake_patch(CONTROLLER, 528, 2, 0); /* AWUPF */
    fake_patch(NAMESPACE, 24, 1, _i ? 0x12 : 0);
    fake_patch(NAMESPACE, 34, 2, 63);   /* NAWUN */
    fake_patch(NAMESPACE, 36, 2, 31);   /* NAWUPF */
    fake_patch(NAMESPACE, 38, 2, 127);  /* NABSN */
    fake_patch(NAMESPACE, 46, 2, 256);  /* NOIOB: not 0-based */
    fake_patch(NAMESPACE, 64, 2, 7);    /* NPWG */
    fake_patch(NAMESPACE, 66, 2, 15);   /* NPWA */
    fake_patch(NAMESPACE, 68, 2, 2047); /* NPDG */
    fake_start();
    ns = nvme_get_namespace(fake->nvme, 0);
    ck_assert_uint_eq(ns->atomic_blocks, _i ? 64 : 8);
    ck_assert_uint_eq(ns->atomic_power_fail, _i ? 32 : 1);
    ck_assert_uint_eq(ns->atomic_boundary, 128);
    ck_assert_uint_eq(ns->optimal_boundary, 256);
    ck_assert_uint_eq(ns->preferred_write_granularity, _i ? 8 : 0);
    ck_assert_uint_eq(ns->preferred_write_alignment, _i ? 16 : 0);
    ck_assert_uint_eq(ns->preferred_deallocate_granularity, _i ? 2048 : 0);
    ck_assert_uint_eq(ns->format, 0);
    ck_assert_uint_eq(ns->max_blocks, 256); /* MDTS: 128 KiB */
}
END_TEST

/* Neither wanted nor there: not a command more than before. */
START_TEST(nothing_configured_costs_no_command)
{
    fake->cap |= AMS_WEIGHTED;
    fake_patch(CONTROLLER, 272, 4, 256);
    fake_patch(CONTROLLER, 128, 2, 1);
    fake_start();
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_SET_FEATURES], 1); /* Number of Queues */
    ck_assert_uint_eq(CC_AMS(fake->cc), 0);
}
END_TEST

static const struct {
    uint32_t version;
    uint16_t delay;
    bool refused, sent, on;
} behaviors[] = {{0x00010400, 5, false, true, true},
                 {0x00010400, 0, false, false, false},
                 {0x00010300, 5, false, false, false},
                 {0x00010400, 5, true, true, false}};

START_TEST(host_behavior)
{
    fake->config.host_behavior = true;
    fake->vs = behaviors[_i].version;
    fake_patch(CONTROLLER, 130, 2, behaviors[_i].delay); /* CRDT2 */
    if (behaviors[_i].refused) {
        fake->admin_fail_feature = 0x16;
        fake->admin_fail_status = 0x2;
    }
    fake_start();
    ck_assert_uint_eq(fake->admin_seen[NVME_ADMIN_SET_FEATURES], 1u + behaviors[_i].sent);
    ck_assert_int_eq(nvme_get_info(fake->nvme)->retry_delays, behaviors[_i].on);
    ck_assert_uint_eq(fake->behavior, behaviors[_i].on ? 1 : UINT32_MAX);
}
END_TEST

START_TEST(weighted_round_robin)
{
    bool has = _i == 1;

    fake->config.weighted = true;
    fake->config.burst_log2 = 4;
    fake->config.weights[0] = 31;
    fake->config.weights[1] = 7;
    fake->config.weights[2] = 1;
    fake->config.io_queues = 3;
    if (has)
        fake->cap |= AMS_WEIGHTED;
    fake_init();
    ck_assert_int_eq(nvme_set_priority(fake->nvme, 1, 0), NVME_OK);
    ck_assert_int_eq(nvme_set_priority(fake->nvme, 2, 3), NVME_OK);
    ck_assert_int_eq(nvme_set_priority(fake->nvme, 2, 4), NVME_E_INVAL);
    ck_assert_int_eq(nvme_set_priority(fake->nvme, 3, 0), NVME_E_INVAL);
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(CC_AMS(fake->cc), has);
    ck_assert_uint_eq(fake->arbitration, has ? 0x1F070104 : 0);
    ck_assert_uint_eq(fake->priorities[1], 2);
    ck_assert_uint_eq(fake->priorities[2], 0);
    ck_assert_uint_eq(fake->priorities[3], 3);
}
END_TEST

/* ---- host memory buffer ---- */

#define KIB 1024u

static const struct {
    uint32_t config_kib, preferred, least, least_piece, pieces_max; /* of 4 KiB */
    uint32_t alloc_limit_kib;
    uint32_t got_kib, pieces;
} lent[] = {
    {1024, 64, 0, 0, 0, 0, 256, 1},          /* as much as it wants */
    {100, 64, 0, 0, 0, 0, 100, 1},           /* as much as there is */
    {1024, 64, 65, 0, 0, 0, 0, 0},           /* wants less than it needs: not used */
    {100, 64, 26, 0, 0, 0, 0, 0},            /* needs more than there is */
    {100, 64, 25, 0, 0, 0, 100, 1},          /* just enough */
    {3, 64, 0, 0, 0, 0, 0, 0},               /* not a page */
    {1024, 0, 0, 0, 0, 0, 0, 0},             /* does not want any */
    {1024, 64, 0, 0, 0, 64, 256, 4},         /* the platform has pieces of 64 KiB only */
    {1024, 64, 0, 0, 3, 64, 192, 3},         /* and the device takes three */
    {1024, 64, 49, 0, 3, 64, 0, 0},          /* which is not enough */
    {1024, 64, 0, 17, 0, 64, 0, 0},          /* each of them too small */
    {1024, 64, 0, 16, 0, 64, 256, 4},        /* each just large enough */
    {1024, 0xFFFFFFFF, 0, 0, 0, 0, 1024, 1}, /* more than 32 bits of bytes */
    {2048, 256, 0, 0, 0, 32, 512, 16},       /* the core holds 16 at most */
};

START_TEST(host_memory_is_lent)
{
    fake->config.host_memory_bytes = lent[_i].config_kib * KIB;
    fake_patch(CONTROLLER, 272, 4, lent[_i].preferred);
    fake_patch(CONTROLLER, 276, 4, lent[_i].least);
    fake_patch(CONTROLLER, 332, 4, lent[_i].least_piece);
    fake_patch(CONTROLLER, 336, 2, lent[_i].pieces_max);
    fake->alloc_limit = lent[_i].alloc_limit_kib * KIB;
    fake_start();
    ck_assert_uint_eq(fake->host_memory.bytes, lent[_i].got_kib * KIB);
    ck_assert_uint_eq(fake->host_memory.pieces, lent[_i].pieces);
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->host_memory_bytes, lent[_i].got_kib * KIB);
}
END_TEST

/* Given back before the shutdown notification, with or without deletion of queues. */
START_TEST(host_memory_is_taken_back)
{
    fake->config.host_memory_bytes = 256 * KIB;
    fake->config.delete_queues = _i == 0;
    fake_patch(CONTROLLER, 272, 4, 64);
    fake_start();
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->host_memory.disables, 1);
    ck_assert_uint_eq(fake->shut_while_lent, 0);
    ck_assert_uint_eq(fake->live_allocs, 0);
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK); /* other memory: nothing returned */
    ck_assert_uint_eq(fake->host_memory.enables, 2);
    ck_assert_uint_eq(fake->host_memory.returned, 0);
}
END_TEST

/* After a reset the same memory, untouched, is said to be so (MR). */
START_TEST(host_memory_is_returned_after_a_reset)
{
    uint32_t allocs;

    fake->config.host_memory_bytes = 256 * KIB;
    fake_patch(CONTROLLER, 272, 4, 64);
    fake->alloc_limit = 64 * KIB;
    fake_start();
    allocs = fake->allocs;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->allocs, allocs);
    ck_assert_uint_eq(fake->host_memory.enables, 2);
    ck_assert_uint_eq(fake->host_memory.returned, 1);
    ck_assert_uint_eq(fake->host_memory.bytes, 256 * KIB);
    ck_assert_uint_eq(fake->host_memory.disables, 0);
}
END_TEST

/* A refusal is no error, whether of the loan or of its end, and an unanswered one delays the stop
 * by its time-out, no longer. */
START_TEST(host_memory_refused)
{
    fake->config.host_memory_bytes = 256 * KIB;
    fake->config.admin_timeout_ms = 50;
    fake_patch(CONTROLLER, 272, 4, 64);
    fake->admin_fail_status = 0x2;
    if (_i == 0)
        fake->admin_fail_feature = 0x0D;
    fake_start();
    ck_assert_uint_eq(nvme_get_info(fake->nvme)->host_memory_bytes, _i == 0 ? 0 : 256 * KIB);
    if (_i == 1)
        fake->admin_fail_feature = 0x0D;
    if (_i == 2) {
        fake->hold_admin = true;
        fake->config.delete_queues = false;
    }
    ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 500000000), NVME_STATE_OFF);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), _i == 2 ? NVME_E_TIMEOUT : NVME_OK);
    ck_assert_uint_eq(fake->live_allocs, 0);
}
END_TEST

/* ---- namespaces that change ---- */

static uint8_t page[4096];

static void describe(uint64_t blocks, uint8_t lba_shift)
{
    memset(page, 0, sizeof(page));
    for (unsigned i = 0; i < 8; i++)
        page[i] = (uint8_t)(blocks >> 8 * i);
    page[130] = lba_shift;
}

static int read_blocks(uint32_t nsid, uint64_t lba, uint32_t blocks, void *buffer)
{
    static struct nvme_request request;

    fake_registered(&request, NVME_OP_READ, lba, blocks, buffer);
    request.nsid = nsid;
    return nvme_submit(nvme_get_queue(fake->nvme, 0), &request);
}

/* A format changes the block size: from then on requests are judged by the new one, on the short
 * path and on the general one. */
START_TEST(reformatted_namespace)
{
    const struct nvme_namespace *ns;
    void *buffer;

    if (_i == 0)
        fake_unlock();
    fake_start();
    ns = nvme_get_namespace(fake->nvme, 0);
    buffer = fake_buffer(8192, 4096, 0);
    ck_assert_int_eq(read_blocks(1, FAKE_BLOCKS - 1, 1, buffer), NVME_OK);
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    fake_run(1);
    nvme_poll(nvme_get_queue(fake->nvme, 0), 0);
    describe(FAKE_BLOCKS / 8, 12);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 1, page), NVME_OK);
    ck_assert_ptr_eq(nvme_get_namespace(fake->nvme, 0), ns);
    ck_assert_uint_eq(ns->block_bytes, 4096);
    ck_assert_uint_eq(ns->blocks, FAKE_BLOCKS / 8);
    ck_assert_int_eq(read_blocks(1, FAKE_BLOCKS / 8, 1, buffer), NVME_E_RANGE);
    ck_assert_int_eq(read_blocks(1, FAKE_BLOCKS / 8 - 1, 1, buffer), NVME_OK);
    ck_assert_int_eq(read_blocks(1, 0, 33, buffer), NVME_OK); /* two commands: 128 KiB, 4 KiB */
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    fake_fetch(1);
    ck_assert_uint_eq(fake->queues[1].in_flight, 3);
    ck_assert_uint_eq(fake->queues[1].fetched[1].cdw12_13, 31);
    while (fake->queues[1].in_flight != 0)
        fake_complete(1, 0, 0);
    nvme_poll(nvme_get_queue(fake->nvme, 0), 0);
}
END_TEST

START_TEST(deleted_and_new_namespaces)
{
    void *buffer;

    fake_start();
    buffer = fake_buffer(4096, 4096, 0);
    describe(100, 9);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 7, page), NVME_OK);
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 2);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 1)->nsid, 7);
    describe(0, 0);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 1, page), NVME_E_UNSUPPORTED);
    ck_assert_ptr_null(nvme_get_namespace(fake->nvme, 0));
    ck_assert_int_eq(read_blocks(1, 0, 1, buffer), NVME_E_INVAL);
    ck_assert_int_eq(read_blocks(0, 0, 1, buffer), NVME_E_INVAL);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 1, page), NVME_E_UNSUPPORTED); /* again */
    describe(200, 9);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 9, page), NVME_OK); /* in its place */
    ck_assert_uint_eq(nvme_namespace_count(fake->nvme), 2);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->nsid, 9);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 0, page), NVME_E_INVAL);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 0xFFFFFFFF, page), NVME_E_INVAL);
    for (uint32_t nsid = 10; nsid < 10 + 126; nsid++)
        ck_assert_int_eq(nvme_update_namespace(fake->nvme, nsid, page), NVME_OK);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 1000, page), NVME_E_NO_MEMORY);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_update_namespace(fake->nvme, 7, page), NVME_E_STATE);
}
END_TEST

Suite *suite_features(void)
{
    Suite *suite = suite_create("driver features");
    TCase *tcase = tcase_create("features");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, controller_fields);
    tcase_add_loop_test(tcase, namespace_fields, 0, 2);
    tcase_add_test(tcase, nothing_configured_costs_no_command);
    tcase_add_loop_test(tcase, host_behavior, 0, 4);
    tcase_add_loop_test(tcase, weighted_round_robin, 0, 2);
    tcase_add_loop_test(tcase, host_memory_is_lent, 0, sizeof(lent) / sizeof(lent[0]));
    tcase_add_loop_test(tcase, host_memory_is_taken_back, 0, 2);
    tcase_add_test(tcase, host_memory_is_returned_after_a_reset);
    tcase_add_loop_test(tcase, host_memory_refused, 0, 3);
    tcase_add_loop_test(tcase, reformatted_namespace, 0, 2);
    tcase_add_test(tcase, deleted_and_new_namespaces);
    suite_add_tcase(suite, tcase);
    return suite;
}
