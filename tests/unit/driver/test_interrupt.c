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

START_TEST(polling_with_a_pin_masks_it_for_good)
{
    fake->config.irq = NVME_IRQ_INTX;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMS), 1);
    ck_assert_uint_eq(fake->intms, UINT32_MAX);
    ck_assert_uint_eq(fake->irq_calls, 0);
    ck_assert_uint_eq(fake->queues[1].cq_flags, 1); /* PC, no IEN */
}
END_TEST

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
    tcase_add_test(tcase, polling_with_a_pin_masks_it_for_good);
    tcase_add_test(tcase, admin_completions_by_interrupt);
    tcase_add_test(tcase, interrupt_while_starting);
    tcase_add_test(tcase, interrupt_while_stopping);
    tcase_add_test(tcase, nothing_is_left_behind);
    tcase_add_test(tcase, flush_without_cache_still_interrupts);
    tcase_add_test(tcase, routing_is_kept_over_reset_and_undone_at_stop);
    tcase_add_loop_test(tcase, irq_setup_fails, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
