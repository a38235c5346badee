/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts (NVMe 1.4 section 7.5): vectors of queues, mask and unmask with pin and MSI and never
 * with MSI-X, admin completions, and nothing lost.
 */
#include "fake.h"
#include "suites.h"

static struct nvme_request requests[16];

static void start(enum nvme_irq_mode mode, uint16_t queues)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = mode;
    fake->config.io_queues = queues;
    fake_start();
}

static void submit(unsigned index, uint32_t count)
{
    struct nvme_queue *queue = nvme_get_queue(fake->nvme, index);

    for (uint32_t i = 0; i < count; i++) {
        fake_registered(&requests[i], NVME_OP_READ, i, 8, fake_buffer(4096, 4096, 0));
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    fake_run(index + 1);
}

START_TEST(msix_one_vector_per_queue)
{
    start(NVME_IRQ_MSIX, 3);
    ck_assert_uint_eq(fake->irq_vectors, 4);
    for (uint32_t qid = 1; qid <= 3; qid++)
        ck_assert_uint_eq(fake->queues[qid].cq_flags, (qid << 16) | 3); /* IV, IEN, PC */
    submit(1, 4);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 1), 0); /* spurious */
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 2), 4);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 2), 0);
    ck_assert_uint_eq(fake_ended_count, 4);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMS) + fake_writes(NVME_REG_INTMC), 0);
}
END_TEST

START_TEST(fewer_vectors_than_queues)
{
    fake->irq_grant = 2;
    start(NVME_IRQ_MSIX, 3);
    for (uint32_t qid = 1; qid <= 3; qid++)
        ck_assert_uint_eq(fake->queues[qid].cq_flags >> 16, 1);
    submit(2, 1);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 1), 1);
}
END_TEST

START_TEST(pin_masks_drains_unmasks)
{
    uint32_t before;

    start(NVME_IRQ_INTX, 2);
    ck_assert_uint_eq(fake->irq_vectors, 1);
    ck_assert_uint_eq(fake->queues[2].cq_flags, 3); /* vector 0 */
    submit(0, 2);
    submit(1, 3);
    before = fake->log_count;
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 5);
    ck_assert_uint_eq(fake->log[before].offset, NVME_REG_INTMS);
    ck_assert_uint_eq(fake->log[before].value, 1);
    ck_assert_uint_eq(fake->log[before + 1].offset, fake_doorbell(1, true));
    ck_assert_uint_eq(fake->log[before + 2].offset, fake_doorbell(2, true));
    ck_assert_uint_eq(fake->log[before + 3].offset, NVME_REG_INTMC);
    ck_assert_uint_eq(fake->log_count, before + 4);
    ck_assert_uint_eq(fake->intms, 0);
}
END_TEST

START_TEST(msi_masks_its_vector)
{
    start(NVME_IRQ_MSI, 40 > FAKE_QUEUES ? 7 : 40);
    submit(2, 1);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 3), 1);
    ck_assert_uint_eq(fake_last(NVME_REG_INTMS), 8);
    ck_assert_uint_eq(fake_last(NVME_REG_INTMC), 8);
}
END_TEST

/* The admin queue interrupts even when the I/O queues do not (7.5.1): given a platform that can,
 * the function is silenced at every bring-up, whatever `irq` says. */
START_TEST(polling_silences_the_function)
{
    fake->config.irq = (enum nvme_irq_mode)_i;
    fake->irq_mode = NVME_IRQ_INTX; /* as the firmware left it */
    fake->irq_vectors = 1;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->irq_calls, 1);
    ck_assert_int_eq(fake->irq_mode, NVME_IRQ_NONE);
    ck_assert_uint_eq(fake->irq_vectors, 0);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMS), 0);
    ck_assert_uint_eq(fake->queues[1].cq_flags, 1); /* PC, no IEN */
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->irq_calls, 2);
}
END_TEST

/* Given a platform that cannot, every vector is masked, once; but never with MSI-X (3.1.3). */
START_TEST(polling_without_routing_masks)
{
    fake->config.irq = (enum nvme_irq_mode)_i;
    fake->ops.irq_setup = NULL;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMS), _i == NVME_IRQ_MSIX ? 0 : 1);
    ck_assert_uint_eq(fake->intms, _i == NVME_IRQ_MSIX ? 0 : UINT32_MAX);
}
END_TEST

/* The level of the pin (7.5.1.1): an entry that the host has not acknowledged, and no mask. */
static bool pin(void)
{
    bool level = false;

    for (uint32_t qid = 0; qid < FAKE_QUEUES; qid++) {
        const struct fake_queue *q = &fake->queues[qid];

        level |= q->cq_exists && q->cq_tail != q->cq_head && (qid == 0 || (q->cq_flags & 2));
    }
    return level && !(fake->intms & 1);
}

/* As a CPU does: the handler runs for as long as the pin is up. Returns how often. */
static uint32_t deliver(void)
{
    uint32_t calls = 0;

    for (; pin() && calls < 100; calls++)
        nvme_interrupt(fake->nvme, 0);
    return calls;
}

/* Given a read in flight at a stop, a reset or a failure, when it completes afterwards, then the
 * pin calls the handler once, and steps get their turn. Afterwards interrupts work as before. */
START_TEST(pin_of_a_closed_queue)
{
    start(NVME_IRQ_INTX, 1);
    fake_registered(&requests[15], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &requests[15]), NVME_OK);
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    fake_fetch(1);
    if (_i == 0) {
        nvme_stop(fake->nvme);
    } else if (_i == 1) {
        nvme_reset(fake->nvme);
    } else {
        fake->csts |= NVME_CSTS_CFS;
        ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    }
    fake_complete(1, 0, 0);
    ck_assert_uint_eq(deliver(), 1);
    ck_assert_uint_eq(fake->intms, 1);
    if (_i == 2)
        nvme_reset(fake->nvme);
    while (nvme_step(fake->nvme, fake->now_ns) == (_i ? NVME_STATE_STARTING : NVME_STATE_STOPPING))
        ck_assert_uint_le(deliver(), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
    ck_assert_int_eq(requests[15].error, NVME_E_STATE);
    if (_i == 0)
        ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
    ck_assert_uint_eq(fake->intms, 0);
    submit(0, 2);
    ck_assert_uint_eq(deliver(), 1);
    ck_assert_uint_eq(fake_ended_count, 3);
}
END_TEST

/* An interrupt before the controller is ready (a shared line) leaves the vector masked; being ready
 * unmasks it. */
START_TEST(ready_unmasks)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = _i ? NVME_IRQ_MSI : NVME_IRQ_INTX;
    fake->ready_reads = 3;
    fake_init();
    nvme_start(fake->nvme);
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_STARTING);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, (unsigned)_i), 0);
    ck_assert_uint_eq(fake->intms, 1u << _i);
    ck_assert_int_eq(fake_settle(NVME_STATE_STARTING, 1000000000), NVME_STATE_READY);
    ck_assert_uint_eq(fake->intms, 0);
}
END_TEST

static void done_stops(struct nvme_request *request)
{
    (void)request;
    nvme_stop(fake->nvme);
}

START_TEST(stop_from_done_leaves_the_vector_masked)
{
    start(NVME_IRQ_INTX, 1);
    fake_registered(&requests[0], NVME_OP_READ, 0, 8, fake_buffer(4096, 4096, 0));
    requests[0].done = done_stops;
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &requests[0]), NVME_OK);
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    fake_run(1);
    ck_assert_uint_eq(deliver(), 1);
    ck_assert_uint_eq(fake->intms, 1);
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 1000000000), NVME_STATE_OFF);
}
END_TEST

#if !defined(NVME_NO_EVENTS)
START_TEST(admin_completions_by_interrupt)
{
    struct nvme_admin_stats stats;

    start(NVME_IRQ_MSIX, 1);
    fake_post(0, fake->aer_cids[0], 0, fake->queues[0].head, 0);
    fake->aer_held--;
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 1);
    nvme_get_admin_stats(fake->nvme, &stats);
    ck_assert_uint_eq(stats.async_events, 1);
    for (int i = 0; i < 3; i++)
        nvme_step(fake->nvme, fake->now_ns);
    ck_assert_uint_eq(fake->aer_held, 2);
}
END_TEST
#endif

/* An interrupt during bring-up finds the admin completion; the step finds it done. */
START_TEST(interrupt_while_starting)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_INTX;
    fake->hold_admin = true;
    fake_init();
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 0); /* OFF: touches nothing */
    ck_assert_uint_eq(fake->log_count, 0);
    nvme_start(fake->nvme);
    for (uint32_t i = 0; i < 20; i++) {
        nvme_step(fake->nvme, fake->now_ns);
        fake_run(0);
        nvme_interrupt(fake->nvme, 0);
    }
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
}
END_TEST

/* A late interrupt during shutdown, disable and after: no doorbell, which the device would object
 * to. */
START_TEST(interrupt_while_stopping)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    fake->config.delete_queues = false;
    fake_start();
    fake_post(0, fake->aer_cids[0], 0, fake->queues[0].head, 0);
    fake->ready_reads = 3;
    nvme_stop(fake->nvme);
    while (nvme_step(fake->nvme, fake->now_ns) == NVME_STATE_STOPPING)
        ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 0);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 0), 0);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
}
END_TEST

static uint32_t again;

static void resubmit(struct nvme_request *request)
{
    fake_ended_count++;
    if (again && --again) {
        ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), request), NVME_OK);
        nvme_ring(nvme_get_queue(fake->nvme, 0));
        fake_run(1); /* a device that is faster than the handler */
    }
}

/* A full drain stops at depth - 1; what was posted meanwhile is not left behind. */
START_TEST(nothing_is_left_behind)
{
    start(NVME_IRQ_MSIX, 1);
    again = 40;
    for (uint32_t i = 0; i < 15; i++) {
        fake_registered(&requests[i], NVME_OP_READ, i, 8, fake_buffer(4096, 4096, 0));
        requests[i].done = resubmit;
        ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &requests[i]), NVME_OK);
    }
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    fake_run(1);
    nvme_interrupt(fake->nvme, 1);
    ck_assert_uint_eq(nvme_in_flight(nvme_get_queue(fake->nvme, 0)), 0);
    ck_assert_uint_eq(fake_ended_count, 15 + 39);
}
END_TEST

START_TEST(flush_without_cache_still_interrupts)
{
    fake->vwc = 0; /* nobody polls: a command is sent, whose completion interrupts */
    start(NVME_IRQ_MSIX, 1);
    fake_request(&requests[0], NVME_OP_FLUSH, 0, 0, NULL);
    ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, 0), &requests[0]), NVME_OK);
    nvme_ring(nvme_get_queue(fake->nvme, 0));
    fake_run(1);
    ck_assert_uint_eq(nvme_interrupt(fake->nvme, 1), 1);
    ck_assert_uint_eq(fake_ended_count, 1);
}
END_TEST

START_TEST(routing_is_kept_over_reset_and_undone_at_stop)
{
    start(NVME_IRQ_MSIX, 1);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->irq_calls, 1);
    ck_assert_uint_eq(fake->queues[1].cq_flags >> 16, 1);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->irq_calls, 2);
    ck_assert_int_eq(fake->irq_mode, NVME_IRQ_NONE);
}
END_TEST

/* Routing is lost with the device: undone when it is gone, made anew when it is back. */
START_TEST(routing_of_a_device_that_went_and_came)
{
    start(NVME_IRQ_MSIX, 1);
    fake->gone = true;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_uint_eq(fake->irq_calls, 2);
    ck_assert_int_eq(fake->irq_mode, NVME_IRQ_NONE);
    fake->gone = false;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake->irq_calls, 3);
    ck_assert_int_eq(fake->irq_mode, NVME_IRQ_MSIX);
    ck_assert_uint_eq(fake->queues[1].cq_flags >> 16, 1);
}
END_TEST

START_TEST(irq_setup_fails)
{
    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_MSIX;
    fake->irq_grant = _i ? 3 : NVME_E_UNSUPPORTED; /* more than asked for, or an error */
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), _i ? NVME_E_INVAL : NVME_E_UNSUPPORTED);
}
END_TEST

Suite *suite_interrupt(void)
{
    Suite *suite = suite_create("driver interrupts");
    TCase *tcase = tcase_create("interrupts");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, msix_one_vector_per_queue);
    tcase_add_test(tcase, fewer_vectors_than_queues);
    tcase_add_test(tcase, pin_masks_drains_unmasks);
    tcase_add_test(tcase, msi_masks_its_vector);
    tcase_add_loop_test(tcase, polling_silences_the_function, NVME_IRQ_NONE, NVME_IRQ_MSIX + 1);
    tcase_add_loop_test(tcase, polling_without_routing_masks, NVME_IRQ_NONE, NVME_IRQ_MSIX + 1);
    tcase_add_loop_test(tcase, pin_of_a_closed_queue, 0, 3);
    tcase_add_loop_test(tcase, ready_unmasks, 0, 2);
    tcase_add_test(tcase, stop_from_done_leaves_the_vector_masked);
#if !defined(NVME_NO_EVENTS)
    tcase_add_test(tcase, admin_completions_by_interrupt);
#endif
    tcase_add_test(tcase, interrupt_while_starting);
    tcase_add_test(tcase, interrupt_while_stopping);
    tcase_add_test(tcase, nothing_is_left_behind);
    tcase_add_test(tcase, flush_without_cache_still_interrupts);
    tcase_add_test(tcase, routing_is_kept_over_reset_and_undone_at_stop);
    tcase_add_test(tcase, routing_of_a_device_that_went_and_came);
    tcase_add_loop_test(tcase, irq_setup_fails, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
