/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts in two halves (NVMe 1.4 sections 7.5, 3.1.3, 3.1.4): what each half touches, the
 * window between the last look and the unmask, vectors that several queues share, portions, and
 * vectors that move to another CPU.
 */
#include "fake.h"
#include "suites.h"

static struct nvme_request requests[64];
static uint32_t posted; /* entries of queue 1 that come while INTMC is on its way */

static void start(enum nvme_irq_mode mode, uint16_t queues)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = mode;
    fake->config.io_queues = queues;
    fake_start();
    posted = 0;
}

static struct nvme_queue *queue(unsigned qid)
{
    return nvme_get_queue(fake->nvme, qid - 1);
}

/* Reads `from`..`from + count - 1` of the test, rung and fetched. */
static void submit(unsigned qid, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        fake_registered(&requests[i], NVME_OP_READ, i, 8, fake_buffer(4096, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue(qid), &requests[i]), NVME_OK);
    }
    nvme_ring(queue(qid));
    fake_fetch(qid);
}

static struct nvme_queue_stats stats(unsigned qid)
{
    struct nvme_queue_stats s;

    nvme_get_queue_stats(queue(qid), &s);
    return s;
}

/* The interrupt status register of 7.5.1, as far as it is not masked: what raises the pin, and
 * whose rise sends a message. */
static uint32_t status(void)
{
    uint32_t bits = 0;

    for (uint32_t qid = 0; qid < FAKE_QUEUES; qid++)
        if (fake->queues[qid].cq_exists && fake->queues[qid].cq_head != fake->queues[qid].cq_tail)
            bits |= 1u << (qid ? fake->queues[qid].cq_flags >> 16 : 0);
    return bits & ~fake->intms;
}

START_TEST(hard_half_masks_and_touches_nothing_else)
{
    uint32_t locks, loads;

    start(_i ? NVME_IRQ_MSI : NVME_IRQ_INTX, 1);
    submit(1, 0, 3);
    fake_run(1);
    locks = fake->locks;
    loads = fake->cq_loads;
    fake_forget();
    ck_assert(nvme_interrupt_claim(fake->nvme, (unsigned)_i));
    ck_assert_uint_eq(fake->log_count, 1);
    ck_assert_uint_eq(fake->log[0].offset, NVME_REG_INTMS);
    ck_assert_uint_eq(fake->log[0].value, 1u << _i);
    ck_assert_uint_eq(fake->locks, locks);
    ck_assert_uint_eq(fake->cq_loads, loads);
    ck_assert_uint_eq(fake_ended_count, 0);
    ck_assert_uint_eq(status(), 0); /* the line is quiet until the soft half has run */

    ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, (unsigned)_i), 3);
    ck_assert_uint_eq(fake_ended_count, 3);
    ck_assert_uint_eq(fake->log_count, 3);
    ck_assert_uint_eq(fake->log[1].offset, fake_doorbell(1, true));
    ck_assert_uint_eq(fake->log[2].offset, NVME_REG_INTMC);
    ck_assert_uint_eq(fake->log[2].value, 1u << _i);
}
END_TEST

/* R10 of the host rules: INTMS and INTMC are undefined with MSI-X (3.1.3). */
START_TEST(msix_never_touches_the_mask_registers)
{
    start(NVME_IRQ_MSIX, 2);
    for (uint32_t i = 0; i < 3; i++) {
        submit(2, i, 1);
        fake_run(2);
        ck_assert(nvme_interrupt_claim(fake->nvme, 2));
        ck_assert(nvme_interrupt_claim(fake->nvme, 2)); /* another message: the half runs again */
        ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, 2), 1);
        ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, 2), 0);
    }
    ck_assert(nvme_interrupt_claim(fake->nvme, 0));
    nvme_interrupt_work(fake->nvme, 0);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMS) + fake_writes(NVME_REG_INTMC), 0);
}
END_TEST

static void post_behind_the_last_look(uint32_t offset)
{
    if (offset != NVME_REG_INTMC || posted == 0)
        return;
    posted--;
    fake_complete(1, 0, 0);
}

/* Given an entry that is posted after the soft half's last look and before its unmask, then the
 * unmask raises the interrupt for it, as often as that happens, and nothing is left behind. */
START_TEST(entry_in_the_mask_window_interrupts_again)
{
    uint32_t rounds = 0;

    start(_i ? NVME_IRQ_MSI : NVME_IRQ_INTX, 1);
    submit(1, 0, 5);
    fake_complete(1, 0, 0);
    fake->before_write = post_behind_the_last_look;
    posted = 4;
    for (; status() & (1u << _i); rounds++) {
        ck_assert_uint_lt(rounds, 5);
        ck_assert(nvme_interrupt_claim(fake->nvme, (unsigned)_i));
        ck_assert_uint_eq(status(), 0);
        ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, (unsigned)_i), 1);
    }
    ck_assert_uint_eq(rounds, 5);
    ck_assert_uint_eq(fake_ended_count, 5);
    ck_assert_uint_eq(fake->intms, 0);
}
END_TEST

START_TEST(entry_between_the_halves_is_reaped_by_the_soft_one)
{
    start(NVME_IRQ_INTX, 1);
    submit(1, 0, 2);
    fake_complete(1, 0, 0);
    ck_assert(nvme_interrupt_claim(fake->nvme, 0));
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, 0), 2);
    ck_assert_uint_eq(status(), 0);
}
END_TEST

/* Two messages for seven queues: 0 is the admin queue's, 1 that of all others; all are drained. */
START_TEST(several_queues_on_one_message)
{
    fake->irq_grant = 2;
    start(NVME_IRQ_MSI, 7);
    for (unsigned qid = 1; qid <= 7; qid++) {
        ck_assert_uint_eq(fake->queues[qid].cq_flags >> 16, 1);
        submit(qid, 4 * qid, qid % 2 ? 4 : 0);
        fake_run(qid);
    }
    ck_assert(nvme_interrupt_claim(fake->nvme, 1));
    ck_assert_uint_eq(fake->intms, 2);
    ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, 1), 16);
    ck_assert_uint_eq(fake->intms, 0);
    ck_assert_uint_eq(stats(1).interrupts, 1);
    ck_assert_uint_eq(stats(1).empty_interrupts, 0);
    ck_assert_uint_eq(stats(2).interrupts, 1);
    ck_assert_uint_eq(stats(2).empty_interrupts, 1);
}
END_TEST

START_TEST(off_claims_nothing)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_INTX;
    fake_init();
    ck_assert(!nvme_interrupt_claim(fake->nvme, 0));
    ck_assert_uint_eq(nvme_interrupt_work(fake->nvme, 0), 0);
    ck_assert_uint_eq(fake->log_count, 0);
}
END_TEST

/* Given a hard half, when the controller is stopped or reset before the soft one runs, then that
 * does not unmask (the pin would stay up for ever) and writes no doorbell. */
START_TEST(soft_half_after_a_stop_leaves_the_vector_masked)
{
    start(NVME_IRQ_INTX, 1);
    submit(1, 0, 1);
    fake_complete(1, 0, 0);
    fake->ready_reads = 2;
    ck_assert(nvme_interrupt_claim(fake->nvme, 0));
    if (_i)
        nvme_reset(fake->nvme);
    else
        nvme_stop(fake->nvme);
    nvme_step(fake->nvme, fake->now_ns);
    fake_forget();
    nvme_interrupt_work(fake->nvme, 0);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMC), 0);
    ck_assert_uint_eq(fake_writes(fake_doorbell(1, true)), 0);
    fake_settle(_i ? NVME_STATE_STARTING : NVME_STATE_STOPPING, 1000000000);
    ck_assert_int_eq(nvme_state(fake->nvme), _i ? NVME_STATE_READY : NVME_STATE_OFF);
    ck_assert_uint_eq(fake_ended_count, 1);
    if (_i)
        ck_assert_uint_eq(fake->intms, 0);
}
END_TEST

/* drain_most: two queues on one vector take turns of four entries, each with its doorbell; the
 * interrupt ends when both are empty. */
START_TEST(portions_take_turns)
{
    static const uint32_t heads[] = {4, 4, 8, 8, 10};

    fake->config.drain_most = 4;
    start(NVME_IRQ_INTX, 2);
    submit(1, 0, 10);
    submit(2, 10, 8);
    fake_run(1);
    fake_run(2);
    fake_forget();
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 18);
    ck_assert_uint_eq(fake->log_count, 7);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(fake->log[i + 1].offset, fake_doorbell(1 + i % 2, true));
        ck_assert_uint_eq(fake->log[i + 1].value, heads[i]);
    }
    ck_assert_uint_eq(stats(1).interrupts, 1);
    ck_assert_uint_eq(stats(1).cq_doorbells, 3);
}
END_TEST

START_TEST(poll_takes_one_portion)
{
    fake->config.drain_most = 4;
    fake_start();
    submit(1, 0, 9);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue(1), 0), 4);
    ck_assert_uint_eq(nvme_poll(queue(1), 3), 3);
    ck_assert_uint_eq(nvme_poll(queue(1), 9), 2);
    ck_assert_uint_eq(nvme_poll(queue(1), 0), 0);
}
END_TEST

/* A portion of one that is nonsense does not hide the entry behind it, for which no message comes;
 * a device that posts nothing but nonsense does not hold the handler. */
START_TEST(nonsense_in_portions)
{
    fake->config.drain_most = 1;
    start(NVME_IRQ_MSIX, 1);
    submit(1, 0, 1);
    fake_post(1, 999, 0, fake->queues[1].head, 1);
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 1), 2);
    ck_assert_uint_eq(fake_ended_count, 1);
    for (uint32_t i = 0; i < 15; i++)
        fake_post(1, 999, 0, fake->queues[1].head, 1);
    ck_assert_uint_le(nvme_interrupt(fake->nvme, 1), 15);
    ck_assert_uint_ge(stats(1).protocol_errors, 2);
}
END_TEST

START_TEST(queue_moves_to_another_cpu)
{
    fake->irq_grant = 3;
    start(NVME_IRQ_MSIX, 3);
    ck_assert_int_eq(nvme_queue_set_cpu(queue(3), 5), NVME_OK);
    ck_assert_uint_eq(fake->irq_moves, 1);
    ck_assert_uint_eq(fake->moved_vector, 2); /* shared with queue 2 */
    ck_assert_uint_eq(fake->moved_cpu, 5);
    fake->irq_move_error = NVME_E_INVAL;
    ck_assert_int_eq(nvme_queue_set_cpu(queue(1), 99), NVME_E_INVAL);
}
END_TEST

START_TEST(queue_cannot_move)
{
    struct nvme_queue *first;

    fake->ops.irq_move = _i ? fake->ops.irq_move : NULL;
    if (_i)
        fake_start(); /* polls: there is nothing to move */
    else
        start(NVME_IRQ_MSIX, 1);
    first = queue(1);
    ck_assert_int_eq(nvme_queue_set_cpu(first, 1), NVME_E_UNSUPPORTED);
    nvme_reset(fake->nvme);
    ck_assert_int_eq(nvme_queue_set_cpu(first, 1), NVME_E_STATE);
    ck_assert_uint_eq(fake->irq_moves, 0);
}
END_TEST

Suite *suite_halves(void)
{
    Suite *suite = suite_create("driver interrupts in halves");
    TCase *tcase = tcase_create("halves");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, hard_half_masks_and_touches_nothing_else, 0, 2);
    tcase_add_test(tcase, msix_never_touches_the_mask_registers);
    tcase_add_loop_test(tcase, entry_in_the_mask_window_interrupts_again, 0, 2);
    tcase_add_test(tcase, entry_between_the_halves_is_reaped_by_the_soft_one);
    tcase_add_test(tcase, several_queues_on_one_message);
    tcase_add_test(tcase, off_claims_nothing);
    tcase_add_loop_test(tcase, soft_half_after_a_stop_leaves_the_vector_masked, 0, 2);
    tcase_add_test(tcase, portions_take_turns);
    tcase_add_test(tcase, poll_takes_one_portion);
    tcase_add_test(tcase, nonsense_in_portions);
    tcase_add_test(tcase, queue_moves_to_another_cpu);
    tcase_add_loop_test(tcase, queue_cannot_move, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
