/* SPDX-License-Identifier: BSD-2-Clause
 * Each timing parameter alone: nothing at t - 1, there at t. Then their sum, units that serve one
 * at a time, and the link. */
#include "unit/nvme/rig.h"

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.mdts = 0;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 2);
    rig_create_queue(&rig, 1, 16, 1);
}

static void put(uint8_t opcode, uint32_t blocks, uint64_t prp2)
{
    rig_put(&rig, 1,
            &(struct rig_cmd){
                .opcode = opcode, .nsid = 1, .prp1 = RIG_DATA, .prp2 = prp2, .cdw12 = blocks - 1});
}

static bool is_done(void)
{
    struct rig_cqe cqe;

    return rig_take(&rig, 1, &cqe);
}

static void expect_after(uint64_t ps)
{
    rig_ring(&rig, 1);
    rig_for(&rig, ps - 1);
    ck_assert(!is_done());
    rig_for(&rig, 1);
    ck_assert(is_done());
}

/* The costs that one 512-byte read pays once each; the offset of the parameter. */
static const size_t costs[] = {
    offsetof(struct ctrl_params, doorbell_latency), offsetof(struct ctrl_params, fetch_setup),
    offsetof(struct ctrl_params, decode), offsetof(struct ctrl_params, dma_setup),
    offsetof(struct ctrl_params, completion)};

static struct param_cost *cost(size_t index)
{
    return (struct param_cost *)(void *)((char *)&params.ctrl + costs[index]);
}

START_TEST(each_cost_alone)
{
    cost((size_t)_i)->amount = 12345;
    open_rig();
    put(2, 1, 0);
    expect_after(12345);
}
END_TEST

START_TEST(each_cost_alone_in_cycles)
{
    params.ctrl.clock = 300000000; /* 3333.33 ps */
    *cost((size_t)_i) = (struct param_cost){.amount = 1, .cycles = true};
    open_rig(); /* five admin commands have used the clock: the fraction is carried */
    put(2, 1, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 3332);
    ck_assert(!is_done());
    rig_for(&rig, 2);
    ck_assert(is_done());
}
END_TEST

START_TEST(all_costs_add_up)
{
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
        cost(i)->amount = 1000 << i;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 80 * RIG_US;
    open_rig();
    put(2, 1, 0);
    expect_after(31 * RIG_NS + 80 * RIG_US + 512);
}
END_TEST

START_TEST(writes_transfer_before_the_medium)
{
    params.ctrl.dma_setup.amount = 10 * RIG_NS;
    params.ctrl.completion.amount = 5 * RIG_NS;
    params.media.kind = MEDIA_FIXED;
    params.media.write_latency = 20 * RIG_US;
    open_rig();
    put(1, 1, 0);
    expect_after(15 * RIG_NS + 20 * RIG_US + 512);
}
END_TEST

START_TEST(one_list_set_up_per_list_page)
{
    uint64_t list = RIG_LISTS + 0x1000 - 8 * (2 - (uint64_t)_i);

    params.ctrl.list_setup.amount = 7 * RIG_NS;
    open_rig();
    /* three pages: two entries. _i = 0: in one list page, 1: a chain of two */
    rig_put64(&rig, RIG_LISTS + 0xff0, RIG_DATA + 0x1000);
    rig_put64(&rig, RIG_LISTS + 0xff8, _i == 0 ? RIG_DATA + 0x2000 : RIG_LISTS + 0x1000);
    rig_put64(&rig, RIG_LISTS + 0x1000, RIG_DATA + 0x1000);
    rig_put64(&rig, RIG_LISTS + 0x1008, RIG_DATA + 0x2000);
    put(2, 24, list);
    expect_after((uint64_t)(_i + 1) * 7 * RIG_NS);
}
END_TEST

START_TEST(interrupt_after_its_cost)
{
    params.ctrl.interrupt.amount = 900;
    open_rig();
    rig_settle(&rig);
    put(2, 1, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 899);
    ck_assert(is_done());
    ck_assert_uint_eq(rig.messages[1], 0);
    rig_for(&rig, 1);
    ck_assert_uint_eq(rig.messages[1], 1);
}
END_TEST

START_TEST(pin_after_its_cost)
{
    params.ctrl.interrupt.amount = 900;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    put(2, 1, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 899);
    ck_assert(!rig.pin);
    rig_for(&rig, 1);
    ck_assert(rig.pin);
}
END_TEST

/* Units that serve one at a time make n commands take n times as long; set-up of fetches counts per
 * burst (ctrl.fetch_burst = 4), latency of the doorbell once. 8 commands. */
static const unsigned times[] = {1, 2, 8, 8, 8};

START_TEST(serial_units_queue_up)
{
    cost((size_t)_i)->amount = 10 * RIG_NS;
    open_rig();
    for (unsigned i = 0; i < 8; i++)
        put(2, 1, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, times[_i] * 10 * RIG_NS - 1);
    for (unsigned i = 0; i < 7; i++) {
        if (times[_i] == 8)
            ck_assert(is_done());
    }
    if (times[_i] == 8)
        ck_assert(!is_done());
    rig_for(&rig, 1);
    ck_assert(is_done());
    ck_assert_uint_eq(rig_stats(&rig).reads, 8);
}
END_TEST

START_TEST(doorbell_latency_counts_from_each_doorbell)
{
    params.ctrl.doorbell_latency.amount = 100 * RIG_NS;
    open_rig();
    put(2, 1, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 40 * RIG_NS);
    put(2, 1, 0);
    rig_ring(&rig, 1);
    rig_for(&rig, 60 * RIG_NS);
    ck_assert(is_done());
    rig_for(&rig, 40 * RIG_NS - 1);
    ck_assert(!is_done());
    rig_for(&rig, 1);
    ck_assert(is_done());
}
END_TEST

START_TEST(contexts_limit_what_overlaps)
{
    params.ctrl.contexts = 2;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 10 * RIG_US;
    params.media.read_bandwidth = UINT64_C(1000000000000);
    open_rig();
    for (unsigned i = 0; i < 6; i++)
        put(2, 1, 0);
    rig_ring(&rig, 1);
    for (unsigned i = 0; i < 3; i++) {
        rig_for(&rig, 10 * RIG_US + 2048);
        ck_assert(is_done());
        ck_assert(is_done());
        ck_assert(!is_done());
    }
}
END_TEST

START_TEST(link_time_is_in_every_step)
{
    struct link *link;
    uint64_t now_ps, end_ps, data_ps;

    params.link.kind = LINK_PCIE;
    params.ctrl.completion.amount = 30 * RIG_NS;
    open_rig();
    rig_settle(&rig);
    rig_for(&rig, RIG_MS);
    put(2, 8, 0);
    link = link_create(&params.link);
    now_ps = rig_now(&rig);
    end_ps = link_write(link, LINK_DOWN, now_ps, 4);              /* doorbell */
    end_ps = link_read_by_device(link, end_ps, 64);               /* entry */
    data_ps = link_write(link, LINK_UP, end_ps, 4096);            /* data */
    end_ps = link_write(link, LINK_UP, end_ps + 30 * RIG_NS, 16); /* CQE right behind */
    link_destroy(link);
    ck_assert_uint_gt(end_ps, data_ps);
    expect_after(end_ps - now_ps);
}
END_TEST

Suite *suite_timing(void)
{
    Suite *suite = suite_create("nvme timing");
    TCase *tc = tcase_create("timing");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, each_cost_alone, 0, sizeof costs / sizeof costs[0]);
    tcase_add_loop_test(tc, each_cost_alone_in_cycles, 0, sizeof costs / sizeof costs[0]);
    tcase_add_test(tc, all_costs_add_up);
    tcase_add_test(tc, writes_transfer_before_the_medium);
    tcase_add_loop_test(tc, one_list_set_up_per_list_page, 0, 2);
    tcase_add_test(tc, interrupt_after_its_cost);
    tcase_add_test(tc, pin_after_its_cost);
    tcase_add_loop_test(tc, serial_units_queue_up, 0, sizeof times / sizeof times[0]);
    tcase_add_test(tc, doorbell_latency_counts_from_each_doorbell);
    tcase_add_test(tc, contexts_limit_what_overlaps);
    tcase_add_test(tc, link_time_is_in_every_step);
    suite_add_tcase(suite, tc);
    return suite;
}
