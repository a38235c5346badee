/* SPDX-License-Identifier: BSD-2-Clause
 * Doorbell Buffer Config and shadow doorbells (NVMe 1.4 sections 5.7, 7.13): statuses, what each
 * policy writes to EventIdx, register writes per I/O, values that cannot be, timing. Lost wake-ups
 * are in test_shadow_race.c. */
#include <string.h>

#include "unit/nvme/rig_shadow.h"

#define NEVER 0xffffffffu

static struct rig rig;
static struct rig_params params;
static struct rig_cqe cqe;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.shadow_doorbells = 1;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 5);
}

static void open_shadowed(unsigned policy, uint16_t size)
{
    params.ctrl.shadow_policy = policy;
    open_rig();
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    rig_create_queue(&rig, 1, size, 1);
}

static uint16_t configure(uint64_t prp1, uint64_t prp2)
{
    return rig_do(&rig, 0, &(struct rig_cmd){.opcode = 0x7c, .prp1 = prp1, .prp2 = prp2}, NULL);
}

static void put_read(unsigned queue, uint16_t cid)
{
    rig_put(&rig, queue, &(struct rig_cmd){.opcode = 2, .cid = cid, .nsid = 1, .prp1 = RIG_DATA});
}

static uint32_t eventidx(unsigned qid, unsigned is_cq)
{
    return rig_shadow_get(&rig, RIG_EVENTIDX, qid, is_cq);
}

/* 5.15.2.2: OACS bit 8 says whether the command is there. */
START_TEST(claimed_if_and_only_if_it_works)
{
    params.ctrl.shadow_doorbells = (unsigned)_i;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 257) & 1, (unsigned)_i);
    ck_assert_uint_eq(rig_shadow_configure(&rig), _i != 0 ? 0 : 0x001);
}
END_TEST

/* 5.7: both buffers start at a memory page; 0 is taken for a forgotten pointer. */
START_TEST(buffers_must_be_pages_within_reach)
{
    open_rig();
    ck_assert_uint_eq(configure(RIG_SHADOW + 4, RIG_EVENTIDX), 0x002);
    ck_assert_uint_eq(configure(RIG_SHADOW, RIG_EVENTIDX + 0x800), 0x002);
    ck_assert_uint_eq(configure(0, RIG_EVENTIDX), 0x002);
    ck_assert_uint_eq(configure(RIG_SHADOW, 0), 0x002);
    ck_assert_uint_eq(configure(0x1000, RIG_EVENTIDX), 0x004);
    ck_assert_uint_eq(configure(RIG_SHADOW, 0x1000), 0x004);
    ck_assert_uint_eq(rig_stats(&rig).shadow_reads, 0); /* none of these is in force */
    ck_assert_uint_eq(configure(RIG_SHADOW, RIG_EVENTIDX), 0);
    rig_create_queue(&rig, 1, 8, 1);
    ck_assert_uint_eq(configure(RIG_SHADOW, 0x1000), 0x004); /* and the good one stays */
    put_read(1, 3);
    rig_shadow_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* With CC.MPS = 1 a page is 8 KiB. */
START_TEST(alignment_is_that_of_cc_mps)
{
    params.cc = 0x00460081;
    open_rig();
    ck_assert_uint_eq(configure(RIG_SHADOW + 0x1000, RIG_EVENTIDX), 0x002);
    ck_assert_uint_eq(configure(RIG_SHADOW, RIG_EVENTIDX), 0);
}
END_TEST

/* What EventIdx says of a new queue of 8, and after three commands came to rest. */
static const struct {
    uint32_t sq, cq, sq_after, cq_after;
} rest[POLICIES] = {
    [POLICY_ECHO] = {0, 0, 3, 0},
    [POLICY_IDLE_ARM] = {0, NEVER, 3, NEVER},
    [POLICY_NEVER] = {NEVER, NEVER, 3, NEVER},
    [POLICY_ONE_BEHIND] = {7, 7, 3, 7},
};

START_TEST(eventidx_follows_the_policy)
{
    unsigned policy = (unsigned)_i;

    params.ctrl.shadow_policy = policy;
    open_rig();
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    struct rig_cmd cq = {.opcode = 5, .prp1 = RIG_IO_CQ, .cdw10 = 7u << 16 | 1, .cdw11 = 3};
    struct rig_cmd sq = {
        .opcode = 1, .prp1 = RIG_IO_SQ, .cdw10 = 7u << 16 | 1, .cdw11 = 1u << 16 | 1};
    ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    rig_put(&rig, 0, &sq);
    rig_ring(&rig, 0);
    rig_for(&rig, RIG_US);
    ck_assert_uint_eq(eventidx(1, 0), rest[policy].sq);
    ck_assert_uint_eq(eventidx(1, 1), rest[policy].cq);
    rig.queue[1] = (struct rig_queue){.sq = RIG_IO_SQ,
                                      .cq = RIG_IO_CQ,
                                      .sq_size = 8,
                                      .cq_size = 8,
                                      .qid = 1,
                                      .cqid = 1,
                                      .phase = true};
    for (uint16_t i = 0; i < 3; i++)
        put_read(1, i);
    ck_assert(rig_shadow_ring(&rig, 1) == (policy <= POLICY_IDLE_ARM));
    rig_for(&rig, 2 * RIG_US);
    if (policy == POLICY_ONE_BEHIND) /* while it polls */
        ck_assert_uint_eq(eventidx(1, 0), 2);
    rig_settle(&rig);
    ck_assert_uint_eq(eventidx(1, 0), rest[policy].sq_after);
    ck_assert_uint_eq(eventidx(1, 1), rest[policy].cq_after);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* Register writes of `ios` reads of 10 us each, `depth` at a time, submitted when completed; SQ and
 * CQ are rung once per look, as Linux does with a batch. */
static void run(unsigned depth, unsigned ios, unsigned *sq_writes, unsigned *cq_writes)
{
    unsigned submitted = 0, done = 0;

    *sq_writes = *cq_writes = 0;
    while (done < ios) {
        unsigned found = 0;

        while (rig_take(&rig, 1, &cqe))
            found++;
        done += found;
        if (found > 0)
            *cq_writes += rig_shadow_ring_cq(&rig, 1);
        if (submitted < ios && submitted - done < depth) {
            while (submitted < ios && submitted - done < depth)
                put_read(1, (uint16_t)submitted++);
            *sq_writes += rig_shadow_ring(&rig, 1);
        }
        if (done < ios)
            ck_assert(engine_step(rig.engine)); /* else something was lost */
    }
}

/* 160 reads in a queue of 16: ten laps. FFFFFFFFh is passed once in a lap. A controller that polls
 * has gone to sleep behind the creation of the queue and is woken by one write. */
static const struct {
    unsigned policy, depth, sq_writes, cq_writes;
} counts[] = {
    {POLICY_ECHO, 1, 160, 160},   {POLICY_IDLE_ARM, 1, 160, 10}, {POLICY_NEVER, 1, 11, 10},
    {POLICY_ONE_BEHIND, 1, 1, 0}, {POLICY_NEVER, 4, 11, 10},     {POLICY_ONE_BEHIND, 4, 1, 0},
};

START_TEST(register_writes_per_io)
{
    unsigned sq_writes, cq_writes;

    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 10 * RIG_US;
    open_shadowed(counts[_i].policy, 16);
    run(counts[_i].depth, 160, &sq_writes, &cq_writes);
    ck_assert_uint_eq(sq_writes, counts[_i].sq_writes);
    ck_assert_uint_eq(cq_writes, counts[_i].cq_writes);
}
END_TEST

/* Without shadow doorbells each of the two is written each time; with them, the deeper the queue
 * the fewer, as long as the controller is busy with a fetch. */
START_TEST(a_busy_controller_is_rung_less_often)
{
    unsigned policy = (unsigned)_i, writes[2], cq_writes;

    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 10 * RIG_US;
    params.media.units = 1;
    params.ctrl.fetch_setup.amount = 3 * RIG_US;
    params.ctrl.fetch_burst = 1;
    open_shadowed(policy, 64);
    run(1, 200, &writes[0], &cq_writes);
    run(32, 200, &writes[1], &cq_writes);
    ck_assert_uint_eq(writes[0], 200);
    ck_assert_uint_lt(writes[1], 200);
}
END_TEST

/* The engine comes to rest whatever the policy, ctrl.shadow_poll_time after the last news. */
START_TEST(polling_ends_without_news)
{
    uint64_t reads, since_ps;

    params.ctrl.shadow_poll = 2 * RIG_US;
    params.ctrl.shadow_poll_time = 10 * RIG_US;
    open_shadowed(POLICY_NEVER + (unsigned)_i, 8);
    rig_settle(&rig);
    put_read(1, 1);
    ck_assert(rig_shadow_ring(&rig, 1)); /* it slept */
    reads = rig_stats(&rig).shadow_reads;
    since_ps = rig_now(&rig);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(rig_now(&rig) - since_ps, 10 * RIG_US);
    /* at 2, 4, 6, 8 and 10 us, then behind the EventIdx that asks for the register; one-behind also
     * looks at the head when the entry is posted */
    ck_assert_uint_eq(rig_stats(&rig).shadow_reads - reads, 6 + (unsigned)_i);
    put_read(1, 2);
    ck_assert(rig_shadow_ring(&rig, 1));
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* ctrl.shadow_poll: found at the next look, not a picosecond earlier. */
START_TEST(found_at_the_next_look)
{
    params.ctrl.shadow_poll = 2 * RIG_US;
    params.ctrl.shadow_poll_time = RIG_MS;
    open_shadowed(POLICY_ONE_BEHIND, 8);
    rig_settle(&rig);
    put_read(1, 1);
    rig_shadow_ring(&rig, 1); /* from here on it polls every 2 us */
    rig_for(&rig, 3 * RIG_US);
    put_read(1, 2);
    ck_assert(!rig_shadow_ring(&rig, 1));
    ck_assert(rig_take(&rig, 1, &cqe));
    rig_for(&rig, RIG_US - 1);
    ck_assert(!rig_take(&rig, 1, &cqe));
    rig_for(&rig, 1);
    ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* ctrl.shadow_access: a doorbell leads to a look, which is issued at t. */
START_TEST(looks_take_their_time)
{
    params.ctrl.shadow_access.amount = 700;
    open_shadowed(POLICY_IDLE_ARM, 8);
    rig_settle(&rig);
    put_read(1, 1);
    ck_assert(rig_shadow_ring(&rig, 1));
    rig_for(&rig, 699);
    ck_assert(!rig_take(&rig, 1, &cqe));
    rig_for(&rig, 1);
    ck_assert(rig_take(&rig, 1, &cqe));
}
END_TEST

/* A shadow value is checked as a register's is: one event, no effect, until it is another. */
static const uint32_t wrong[] = {8, 0x10001, 0xffffffff, 7};

START_TEST(values_that_cannot_be_raise_an_event)
{
    uint32_t dw0;
    uint16_t tail;

    open_shadowed((unsigned)_i % POLICIES, 8);
    for (uint16_t i = 0; i < 5; i++) { /* three entries that are not fetched keep 7 impossible */
        put_read(1, i);
        rig_shadow_ring(&rig, 1);
        rig_settle(&rig);
        ck_assert(rig_take(&rig, 1, &cqe));
        rig_shadow_ring_cq(&rig, 1);
    }
    rig_settle(&rig);
    tail = rig.queue[1].tail;
    if (wrong[_i / POLICIES] == 7) /* a head that passes what was posted */
        rig_shadow_set(&rig, RIG_SHADOW, 1, 1, 7);
    else
        rig_shadow_set(&rig, RIG_SHADOW, 1, 0, wrong[_i / POLICIES]);
    for (unsigned i = 0; i < 3; i++) { /* the bell alone, three times */
        rig_write32(&rig, wrong[_i / POLICIES] == 7 ? 0x100c : 0x1008, tail);
        rig_for(&rig, RIG_US);
    }
    ck_assert_uint_eq(rig_stats(&rig).commands, 5);
    rig_shadow_set(&rig, RIG_SHADOW, 1, 1, rig.queue[1].head);
    rig_shadow_set(&rig, RIG_SHADOW, 1, 0, tail);
    put_read(1, 9);
    rig_shadow_ring(&rig, 1);
    rig_settle(&rig);
    ck_assert(rig_take(&rig, 1, &cqe));
    ck_assert_uint_eq(cqe.cid, 9);
    ck_assert_uint_eq(rig_admin(&rig, 12, 0, 0, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00010100); /* Invalid Doorbell Write Value */
}
END_TEST

/* While nobody else rings, polling over a wrong value raises one event and not one per look. */
START_TEST(polling_over_a_wrong_value_raises_one_event)
{
    params.ctrl.shadow_poll_time = 100 * RIG_US;
    open_shadowed(POLICY_NEVER, 8);
    rig_shadow_set(&rig, RIG_SHADOW, 1, 0, 1000);
    rig_write32(&rig, 0x1008, 0);
    rig_settle(&rig);
    ck_assert_uint_gt(rig_stats(&rig).shadow_reads, 100);
    ck_assert_uint_eq(rig_admin(&rig, 2, 0, 1 | 15u << 16, 0, NULL), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA), 1); /* error count of the newest entry */
}
END_TEST

/* The register of a shadowed queue is only a bell, but its value must still be possible. */
START_TEST(the_register_is_a_bell)
{
    uint32_t dw0;

    open_shadowed((unsigned)_i, 8);
    for (uint16_t i = 0; i < 3; i++)
        put_read(1, i);
    rig_shadow_set(&rig, RIG_SHADOW, 1, 0, 3);
    rig_write32(&rig, 0x1008, 3);
    rig_write32(&rig, 0x1008, 1); /* overtaken on its way: not seven new entries */
    rig_settle(&rig);
    ck_assert_uint_eq(rig_stats(&rig).commands, 3);
    rig_write32(&rig, 0x1008, 8);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_admin(&rig, 12, 0, 0, 0, &dw0), 0);
    ck_assert_uint_eq(dw0, 0x00010100);
}
END_TEST

Suite *suite_shadow(void)
{
    Suite *suite = suite_create("nvme shadow doorbells");
    TCase *tc = tcase_create("shadow");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, claimed_if_and_only_if_it_works, 0, 2);
    tcase_add_test(tc, buffers_must_be_pages_within_reach);
    tcase_add_test(tc, alignment_is_that_of_cc_mps);
    tcase_add_loop_test(tc, eventidx_follows_the_policy, 0, POLICIES);
    tcase_add_loop_test(tc, register_writes_per_io, 0, sizeof counts / sizeof counts[0]);
    tcase_add_loop_test(tc, a_busy_controller_is_rung_less_often, 0, 2);
    tcase_add_loop_test(tc, polling_ends_without_news, 0, 2);
    tcase_add_test(tc, found_at_the_next_look);
    tcase_add_test(tc, looks_take_their_time);
    tcase_add_loop_test(tc, values_that_cannot_be_raise_an_event, 0,
                        POLICIES * sizeof wrong / sizeof wrong[0]);
    tcase_add_test(tc, polling_over_a_wrong_value_raises_one_event);
    tcase_add_loop_test(tc, the_register_is_a_bell, 0, POLICIES);
    suite_add_tcase(suite, tc);
    return suite;
}
