/* SPDX-License-Identifier: BSD-2-Clause
 * Shadow doorbells and the host's stores at every moment (NVMe 1.4 section 7.13): whatever the
 * policy, nothing is lost as long as the controller looks once more behind the EventIdx that asks
 * for a register write. Without that look, and without EventIdx of completion queues, the loss that
 * emulators have had is there. */
#include "unit/nvme/rig_shadow.h"

static struct rig rig;
static struct rig_params params;
static struct rig_cqe cqe;

#define STEP_PS  (10 * RIG_NS)
#define POLL_FOR (4 * RIG_US)

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.shadow_doorbells = 1;
    params.ctrl.shadow_access.amount = 70 * RIG_NS;
    params.ctrl.shadow_poll = 500 * RIG_NS;
    params.ctrl.shadow_poll_time = POLL_FOR;
    params.ctrl.fetch_setup.amount = 50 * RIG_NS;
    params.ctrl.doorbell_latency.amount = 20 * RIG_NS;
    params.ctrl.decode.amount = 30 * RIG_NS;
}

static void open_rig(uint16_t sq_size, uint16_t cq_size)
{
    struct rig_cmd cq = {
        .opcode = 5, .prp1 = RIG_IO_CQ, .cdw10 = (cq_size - 1u) << 16 | 1, .cdw11 = 3};
    struct rig_cmd sq = {
        .opcode = 1, .prp1 = RIG_IO_SQ, .cdw10 = (sq_size - 1u) << 16 | 1, .cdw11 = 1u << 16 | 1};

    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_msix_enable(&rig, 5);
    ck_assert_uint_eq(rig_shadow_configure(&rig), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &sq, NULL), 0);
    rig.queue[1] = (struct rig_queue){.sq = RIG_IO_SQ,
                                      .cq = RIG_IO_CQ,
                                      .sq_size = sq_size,
                                      .cq_size = cq_size,
                                      .qid = 1,
                                      .cqid = 1,
                                      .phase = true};
}

static void submit(uint16_t cid)
{
    rig_put(&rig, 1, &(struct rig_cmd){.opcode = 0, .cid = cid, .nsid = 1});
    rig_shadow_ring(&rig, 1);
}

static unsigned take_all(void)
{
    unsigned count = 0;

    while (rig_take(&rig, 1, &cqe))
        count++;
    return count;
}

/* Two commands, the second delay_ps behind the first. Returns how many completed. */
static unsigned two_commands(uint64_t delay_ps)
{
    unsigned done;

    open_rig(8, 8);
    submit(1);
    rig_for(&rig, delay_ps);
    submit(2);
    rig_settle(&rig);
    done = take_all();
    rig_close(&rig);
    return done;
}

/* Of all delays up to a little more than polling lasts. */
static unsigned delays_that_lose(unsigned (*run)(uint64_t delay_ps), unsigned all)
{
    unsigned lost = 0;

    for (uint64_t delay_ps = 0; delay_ps < POLL_FOR + 2 * RIG_US; delay_ps += STEP_PS)
        lost += run(delay_ps) != all;
    return lost;
}

START_TEST(no_command_is_lost)
{
    params.ctrl.shadow_reread = 1;
    params.ctrl.shadow_policy = (unsigned)_i % POLICIES;
    params.link.kind = _i / POLICIES == 0 ? LINK_EMULATED : LINK_PCIE;
    ck_assert_uint_eq(delays_that_lose(two_commands, 2), 0);
}
END_TEST

/* What is stored between the look and the arrival of the EventIdx rings no bell and is not found:
 * 70 ns for ctrl.shadow_access, and with echo the 70 ns of doorbell latency and fetch before that.
 * A link makes the window wider. */
static const unsigned windows[POLICIES] = {14, 7, 7, 7};

START_TEST(without_the_second_look_commands_are_lost)
{
    params.ctrl.shadow_reread = 0;
    params.ctrl.shadow_policy = (unsigned)_i % POLICIES;
    params.link.kind = _i / POLICIES == 0 ? LINK_EMULATED : LINK_PCIE;
    if (params.link.kind == LINK_EMULATED)
        ck_assert_uint_eq(delays_that_lose(two_commands, 2), windows[_i % POLICIES]);
    else
        ck_assert_uint_gt(delays_that_lose(two_commands, 2), windows[_i % POLICIES]);
}
END_TEST

/* Six commands into a completion queue with room for three; the host takes those after delay_ps,
 * then what came, until nothing comes any more. */
static unsigned six_into_three(uint64_t delay_ps)
{
    unsigned done = 0, found;

    open_rig(16, 4);
    for (uint16_t i = 0; i < 6; i++)
        submit(i);
    rig_for(&rig, delay_ps);
    do {
        found = take_all();
        if (found > 0)
            rig_shadow_ring_cq(&rig, 1);
        done += found;
        rig_settle(&rig);
    } while (found > 0 || done == 0);
    rig_close(&rig);
    return done;
}

START_TEST(no_completion_is_lost)
{
    params.ctrl.shadow_reread = 1;
    params.ctrl.shadow_cq_eventidx = 1;
    params.ctrl.shadow_policy = (unsigned)_i % POLICIES;
    params.link.kind = _i / POLICIES == 0 ? LINK_EMULATED : LINK_PCIE;
    ck_assert_uint_eq(delays_that_lose(six_into_three, 6), 0);
}
END_TEST

/* EventIdx of the completion queue is never written: the host rightly writes no register, and a
 * controller that does not look any more believes the queue full for ever. echo never looks by
 * itself; the others have given up when the host comes late. */
START_TEST(without_cq_eventidx_the_queue_stays_full)
{
    rig_defaults(&params);
    params.ctrl.shadow_doorbells = 1;
    params.ctrl.shadow_cq_eventidx = 0;
    params.ctrl.shadow_policy = (unsigned)_i;
    params.ctrl.shadow_poll_time = POLL_FOR;
    open_rig(16, 4);
    rig_shadow_set(&rig, RIG_EVENTIDX, 1, 1, 9); /* of an earlier queue; not passed */
    for (uint16_t i = 0; i < 6; i++)
        submit(i);
    rig_settle(&rig);
    ck_assert_uint_eq(take_all(), 3);
    ck_assert(!rig_shadow_ring_cq(&rig, 1));
    rig_settle(&rig);
    ck_assert_uint_eq(take_all(), 0);
    rig_write32(&rig, 0x100c, rig.queue[1].head); /* any write would have helped */
    rig_settle(&rig);
    ck_assert_uint_eq(take_all(), 3);
    rig_close(&rig);
}
END_TEST

Suite *suite_shadow_race(void)
{
    Suite *suite = suite_create("nvme shadow doorbell races");
    TCase *tc = tcase_create("race");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, no_command_is_lost, 0, 2 * POLICIES);
    tcase_add_loop_test(tc, without_the_second_look_commands_are_lost, 0, 2 * POLICIES);
    tcase_add_loop_test(tc, no_completion_is_lost, 0, 2 * POLICIES);
    tcase_add_loop_test(tc, without_cq_eventidx_the_queue_stays_full, 0, POLICIES);
    suite_add_tcase(suite, tc);
    return suite;
}
