/* SPDX-License-Identifier: BSD-2-Clause
 * Enable, reset, shutdown and fatal status (NVMe 1.4 sections 3.1.5, 3.1.6, 7.3.2, 7.6). */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.ready_delay = 5 * RIG_MS;
    params.ctrl.reset_delay = 2 * RIG_MS;
    params.ctrl.shutdown_delay = 3 * RIG_MS;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 100 * RIG_US;
    params.media.flush_latency = 700 * RIG_US;
}

static void teardown(void)
{
    rig_close(&rig);
}

static uint32_t csts(void)
{
    return rig_read32(&rig, 0x1c);
}

START_TEST(ready_exactly_after_the_delay)
{
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, 0x00460001);
    rig_for(&rig, 5 * RIG_MS - 1);
    ck_assert_uint_eq(csts(), 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(csts(), 1);
    rig_write32(&rig, 0x14, 0x00460000);
    rig_for(&rig, 2 * RIG_MS - 1);
    ck_assert_uint_eq(csts(), 1);
    rig_for(&rig, 1);
    ck_assert_uint_eq(csts(), 0);
}
END_TEST

START_TEST(enable_during_reset_waits_for_its_end)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_write32(&rig, 0x14, 0);
    rig_for(&rig, RIG_MS);
    rig_write32(&rig, 0x14, 0x00460001);
    rig_for(&rig, RIG_MS);
    ck_assert_uint_eq(csts(), 0);
    rig_for(&rig, 5 * RIG_MS - 1);
    ck_assert_uint_eq(csts(), 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(csts(), 1);
}
END_TEST

START_TEST(disable_before_ready_ends_at_once)
{
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, 0x00460001);
    rig_for(&rig, RIG_MS);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0);
    rig_enable(&rig);
}
END_TEST

/* What CC may not say when EN rises: each leads to CFS, and a reset takes it away. */
static const struct {
    uint32_t cc, aqa;
    uint64_t asq, acq;
} illegal[] = {
    {0x00460001 | 5u << 7, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},          /* MPS above MPSMAX */
    {0x00460001 | 1u << 4, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},          /* CSS reserved */
    {0x00460001 | 7u << 4, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},          /* CSS not offered */
    {0x00460001 | 1u << 11, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},         /* AMS not offered */
    {0x00450001, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},                    /* IOSQES 5 */
    {0x00560001, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},                    /* IOCQES 5 */
    {0x00460001, 0x000f0000, RIG_ADMIN_SQ, RIG_ADMIN_CQ},                    /* one SQ entry */
    {0x00460001, 0x0000000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ},                    /* one CQ entry */
    {0x00460001 | 1u << 7, 0x000f000f, RIG_ADMIN_SQ + 0x1000, RIG_ADMIN_CQ}, /* 4 KiB in 8 KiB */
    {0x00460001 | 1u << 7, 0x000f000f, RIG_ADMIN_SQ, RIG_ADMIN_CQ + 0x1000},
};

START_TEST(illegal_configuration_is_fatal)
{
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x24, illegal[_i].aqa);
    rig_write64(&rig, 0x28, illegal[_i].asq);
    rig_write64(&rig, 0x30, illegal[_i].acq);
    rig_write32(&rig, 0x14, illegal[_i].cc);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 2);
    rig_write32(&rig, 0x1000, 1); /* a doorbell does nothing now */
    rig_settle(&rig);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0);
    rig_enable(&rig);
}
END_TEST

START_TEST(mps_below_minimum_is_fatal)
{
    params.ctrl.cap_mpsmin = 1;
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, 0x00460001);
    ck_assert_uint_eq(csts(), 2);
}
END_TEST

START_TEST(admin_only_command_set)
{
    params.ctrl.cap_css = 1;
    params.cc = 0x00460071;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, RIG_DATA, 0), 0x001);
    ck_assert_uint_eq(rig_io(&rig, 0, 0, 1, RIG_DATA, 0), 0x001);
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
}
END_TEST

static void start_reads(unsigned count)
{
    rig_create_queue(&rig, 1, 16, 0);
    for (uint16_t i = 0; i < count; i++)
        rig_put(&rig, 1,
                &(struct rig_cmd){
                    .opcode = 2, .cid = i, .nsid = 1, .prp1 = RIG_DATA + i * 4096u, .cdw12 = 7});
    rig_ring(&rig, 1);
}

START_TEST(reset_drops_commands_in_flight)
{
    struct rig_cqe cqe;

    rig_open(&rig, &params);
    rig_enable(&rig);
    start_reads(8);
    rig_for(&rig, 50 * RIG_US); /* all of them are on the medium */
    ck_assert_uint_eq(rig_stats(&rig).reads, 8);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert(!rig.pin);
    ck_assert_uint_eq(csts(), 0);
    /* and everything works again, with as many contexts as before */
    rig_enable(&rig);
    start_reads(15);
    rig_settle(&rig);
    for (unsigned i = 0; i < 15; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

START_TEST(reset_keeps_admin_queue_registers_and_clears_the_rest)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 9, 0, 6, 0, NULL), 0); /* cache off */
    rig_write32(&rig, 0x0c, 5);
    rig_write32(&rig, 0x14, 0x00460000);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x24), 0x000f000f);
    ck_assert_uint_eq(rig_read64(&rig, 0x28), RIG_ADMIN_SQ);
    ck_assert_uint_eq(rig_read64(&rig, 0x30), RIG_ADMIN_CQ);
    ck_assert_uint_eq(rig_read32(&rig, 0x0c), 0);
    ck_assert_uint_eq(rig_read32(&rig, 0x14), 0);
    rig_enable(&rig);
    uint32_t dw0;
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 6, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 1);
}
END_TEST

START_TEST(doorbells_before_ready_do_nothing)
{
    struct rig_cqe cqe;

    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, 0x00460001);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = 1, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 1);
    ck_assert(!rig_take(&rig, 0, &cqe));
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 0, &cqe));
    ck_assert_uint_eq(rig_stats(&rig).sq_doorbells, 2);
}
END_TEST

/* SHN, flush time that comes before the delay */
static const struct {
    uint32_t shn;
    uint64_t vwc;
    uint64_t flush_ps;
} shutdowns[] = {{1u << 14, 1, 700 * RIG_US}, {1u << 14, 0, 0}, {2u << 14, 1, 0}};

START_TEST(shutdown_takes_its_time)
{
    struct rig_cqe cqe;

    params.ctrl.vwc = shutdowns[_i].vwc;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_write32(&rig, 0x14, 0x00460001 | shutdowns[_i].shn);
    ck_assert_uint_eq(csts(), 0x5);
    /* a command rung now is never fetched */
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = 1, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_for(&rig, shutdowns[_i].flush_ps + 3 * RIG_MS - 1);
    ck_assert_uint_eq(csts(), 0x5);
    rig_for(&rig, 1);
    ck_assert_uint_eq(csts(), 0x9);
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert(!rig_take(&rig, 0, &cqe));
    /* a controller level reset is the way back */
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 10, 0, 7, 0, NULL), 0);
}
END_TEST

START_TEST(commands_in_flight_complete_until_shutdown_is_done)
{
    struct rig_cqe cqe;

    params.ctrl.shutdown_delay = 60 * RIG_US;
    params.ctrl.vwc = 0;
    params.media.units = 4; /* the second four end after 200 us */
    rig_open(&rig, &params);
    rig_enable(&rig);
    start_reads(8);
    rig_for(&rig, 50 * RIG_US);
    rig_write32(&rig, 0x14, 0x00464001);
    rig_settle(&rig);
    for (unsigned i = 0; i < 4; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(!rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(csts(), 0x9);
}
END_TEST

START_TEST(shutdown_while_disabled_and_reset_during_shutdown)
{
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, 1u << 14);
    ck_assert_uint_eq(csts(), 0x4);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0x8);
    rig_enable(&rig);
    rig_write32(&rig, 0x14, 0x00464001);
    rig_for(&rig, RIG_MS);
    rig_write32(&rig, 0x14, 0x00460000);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0);
}
END_TEST

START_TEST(queue_memory_out_of_reach_is_fatal)
{
    /* submission queue */
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write64(&rig, 0x28, 0x1000);
    rig_write32(&rig, 0x14, 0x00460001);
    rig_settle(&rig);
    rig_write32(&rig, 0x1000, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0x3);
    ck_assert_uint_eq(rig_stats(&rig).dma_errors, 1);
    rig_close(&rig);
    /* completion queue */
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write64(&rig, 0x30, 0x1000);
    rig_write32(&rig, 0x14, 0x00460001);
    rig_settle(&rig);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = 1, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(csts(), 0x3);
    ck_assert_uint_eq(rig_stats(&rig).completions, 0);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    rig_enable(&rig);
}
END_TEST

START_TEST(without_bus_master_there_is_no_dma)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    pcie_port_config_write(rig.port, 4, 2, 0x2);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 10, .cid = 1, .cdw10 = 7});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.dma_reads, 0);
    ck_assert_uint_eq(rig_stats(&rig).dma_errors, 1);
    ck_assert_uint_eq(csts(), 0x3);
}
END_TEST

START_TEST(two_controllers_share_an_engine)
{
    static struct rig other;
    struct rig_cqe cqe;

    rig_open(&rig, &params);
    rig_open_on(&other, &params, rig.engine, 1);
    rig_enable(&rig);
    rig_enable(&other);
    rig_create_queue(&rig, 1, 8, 0);
    rig_create_queue(&other, 1, 8, 0);
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 2, .cid = 1, .nsid = 1, .prp1 = RIG_DATA});
    rig_put(&other, 1, &(struct rig_cmd){.opcode = 2, .cid = 2, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 1);
    rig_ring(&other, 1);
    rig_write32(&other, 0x14, 0); /* resetting one does not touch the other */
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert(!rig_take(&other, 1, &cqe));
    rig_close(&other);
}
END_TEST

Suite *suite_life(void)
{
    Suite *suite = suite_create("nvme life cycle");
    TCase *tc = tcase_create("life");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, ready_exactly_after_the_delay);
    tcase_add_test(tc, enable_during_reset_waits_for_its_end);
    tcase_add_test(tc, disable_before_ready_ends_at_once);
    tcase_add_loop_test(tc, illegal_configuration_is_fatal, 0, sizeof illegal / sizeof illegal[0]);
    tcase_add_test(tc, mps_below_minimum_is_fatal);
    tcase_add_test(tc, admin_only_command_set);
    tcase_add_test(tc, reset_drops_commands_in_flight);
    tcase_add_test(tc, reset_keeps_admin_queue_registers_and_clears_the_rest);
    tcase_add_test(tc, doorbells_before_ready_do_nothing);
    tcase_add_loop_test(tc, shutdown_takes_its_time, 0, sizeof shutdowns / sizeof shutdowns[0]);
    tcase_add_test(tc, commands_in_flight_complete_until_shutdown_is_done);
    tcase_add_test(tc, shutdown_while_disabled_and_reset_during_shutdown);
    tcase_add_test(tc, queue_memory_out_of_reach_is_fatal);
    tcase_add_test(tc, without_bus_master_there_is_no_dma);
    tcase_add_test(tc, two_controllers_share_an_engine);
    suite_add_tcase(suite, tc);
    return suite;
}
