/* SPDX-License-Identifier: BSD-2-Clause
 * DMA engines: how many, how fast, how many transfers on their way (no section of the standard says
 * anything of them). */
#include "unit/nvme/rig_sgl.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.fetch_burst = 16;
    params.ctrl.arbitration_burst = 7;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    rig_settle(&rig);
}

/* Rings for n commands of this many blocks at once. */
static void start(uint8_t opcode, unsigned n, uint32_t blocks)
{
    for (unsigned i = 0; i < n; i++)
        rig_put(&rig, 1,
                &(struct rig_cmd){.opcode = opcode,
                                  .cid = (uint16_t)i,
                                  .nsid = 1,
                                  .prp1 = RIG_DATA,
                                  .prp2 = RIG_DATA + 0x1000,
                                  .cdw12 = blocks - 1});
    rig_ring(&rig, 1);
}

static unsigned done(void)
{
    struct rig_cqe cqe;
    unsigned n = 0;

    while (rig_take(&rig, 1, &cqe)) {
        ck_assert_uint_eq(cqe.status, 0);
        n++;
    }
    return n;
}

/* Nothing at t - 1, `n` at t; times count from the last call. */
static void expect(uint64_t ps, unsigned n)
{
    rig_for(&rig, ps - 1);
    ck_assert_uint_eq(done(), 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(done(), n);
}

/* Time from the bell until everything is done. */
static uint64_t time_of(uint8_t opcode, unsigned n, uint32_t blocks)
{
    uint64_t from;

    rig_settle(&rig);
    from = rig_now(&rig);
    start(opcode, n, blocks);
    rig_settle(&rig);
    ck_assert_uint_eq(done(), n);
    rig_ring_cq(&rig, 1);
    return rig_now(&rig) - from;
}

/* Five transfers of one set-up each. */
START_TEST(engines_are_set_up_side_by_side)
{
    uint64_t ps = 10 * RIG_US;

    params.ctrl.dma_setup.amount = ps;
    params.ctrl.dma_engines = (uint64_t)_i;
    open_rig();
    start(_i % 2 == 0 ? 1 : 2, 5, 1);
    for (unsigned left = 5; left > 0;) {
        unsigned n = left < (unsigned)_i ? left : (unsigned)_i;

        expect(ps, n);
        left -= n;
    }
}
END_TEST

/* 4096 bytes at 1 GB/s are 4096 ns, and the engine is busy for as long. */
START_TEST(an_engine_has_a_data_rate)
{
    params.ctrl.dma_setup.amount = 100 * RIG_NS;
    params.ctrl.dma_bandwidth = 1000000000;
    params.ctrl.dma_engines = (uint64_t)_i;
    open_rig();
    start(2, 2, 8);
    if (_i == 1) {
        expect(4196 * RIG_NS, 1);
        expect(4196 * RIG_NS, 1);
    } else {
        expect(4196 * RIG_NS, 2);
    }
}
END_TEST

/* A data rate above the link's changes only when the engine is free again. */
START_TEST(the_slower_of_link_and_engine)
{
    uint64_t link_alone, both;

    params.link.kind = LINK_PCIE;
    open_rig();
    link_alone = time_of(2, 1, 8);
    rig_close(&rig);
    params.ctrl.dma_bandwidth = UINT64_C(1000000000000);
    open_rig();
    both = time_of(2, 1, 8);
    ck_assert_uint_eq(both, link_alone);
}
END_TEST

/* With one transfer on its way at a time, the second is set up when the first has arrived: twice
 * the time of one. With more it is set up behind the other's set-up. */
START_TEST(transfers_on_their_way)
{
    uint64_t one, setup_ps = RIG_US;

    params.link.kind = LINK_PCIE;
    params.ctrl.dma_setup.amount = setup_ps;
    params.ctrl.dma_outstanding = (uint64_t)_i;
    open_rig();
    one = time_of(1, 1, 1);
    ck_assert_uint_gt(one, setup_ps + 420 * RIG_NS);
    if (_i == 1) /* the fetch of two commands is a packet longer, the rest is twice as long */
        ck_assert_uint_gt(time_of(1, 2, 1), one + setup_ps + 420 * RIG_NS);
    else
        ck_assert_uint_lt(time_of(1, 2, 1), one + setup_ps + 420 * RIG_NS);
}
END_TEST

/* The same to the picosecond, where the engine's own data rate is the only time there is. */
START_TEST(the_oldest_must_end_first)
{
    params.ctrl.dma_setup.amount = 100 * RIG_NS;
    params.ctrl.dma_bandwidth = 1000000000; /* 512 bytes: 512 ns */
    params.ctrl.dma_outstanding = (uint64_t)_i;
    open_rig();
    start(1, 3, 1);
    for (unsigned i = 0; i < 3; i++)
        expect(612 * RIG_NS, 1);
}
END_TEST

/* Blocks of an SGL are transfers of their own (NVMe 1.4 section 4.4): two halves of a packet cost
 * two packets' overhead. */
START_TEST(blocks_of_an_sgl_are_packets_of_their_own)
{
    struct link_stats before, after;

    params.ctrl.sgls = 1;
    params.link.kind = LINK_PCIE;
    open_rig();
    rig_put_sgl(&rig, rig_put_sgl(&rig, RIG_LISTS, 0, RIG_DATA, 100), 0, RIG_DATA + 100, 412);
    link_get_stats(pcie_port_link(rig.port), &before);
    ck_assert_uint_eq(rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){RIG_LISTS, 32, RIG_LAST_SEGMENT}),
                      0);
    link_get_stats(pcie_port_link(rig.port), &after);
    /* requests for entry and list; 100 bytes: 1 packet, 412: 2; the completion entry; the pin up
     * and down */
    ck_assert_uint_eq(after.up_packets - before.up_packets, 2 + 1 + 2 + 1 + 2);
    ck_assert_uint_eq(after.up_bytes - before.up_bytes, 512 + 16);
}
END_TEST

Suite *suite_engines(void)
{
    Suite *suite = suite_create("nvme dma engines");
    TCase *tc = tcase_create("engines");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, engines_are_set_up_side_by_side, 1, 7);
    tcase_add_loop_test(tc, an_engine_has_a_data_rate, 1, 3);
    tcase_add_test(tc, the_slower_of_link_and_engine);
    tcase_add_loop_test(tc, transfers_on_their_way, 1, 3);
    tcase_add_loop_test(tc, the_oldest_must_end_first, 0, 3);
    tcase_add_test(tc, blocks_of_an_sgl_are_packets_of_their_own);
    suite_add_tcase(suite, tc);
    return suite;
}
