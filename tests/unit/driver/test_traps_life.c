/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Traps that published drivers fell into, by name and origin (docs/traps.md): bring-up, reset,
 * shutdown, and interrupt masks (NVMe 1.4 sections 3.1.3 to 3.1.6, 7.3.2, 7.5, 7.6).
 */
#include "fake.h"
#include "suites.h"

#define MS 1000000ull

static struct nvme_queue *queue;
static struct nvme_request requests[8];
static uint8_t *buffer;

static void start(void)
{
    fake_start();
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(4096, 4096, 0);
}

static void submit(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fake_registered(&requests[i], NVME_OP_READ, i, 1, buffer);
        ck_assert_int_eq(nvme_submit(queue, &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
}

/* ---- memory outlives what the device knows of it ---- */

static uint32_t deletes_before_free, frees;
static void (*give_back)(void *ctx, struct nvme_dma *dma);

static void watch_free(void *ctx, struct nvme_dma *dma)
{
    if (frees++ == 0)
        deletes_before_free =
            fake->admin_seen[NVME_ADMIN_DELETE_SQ] + fake->admin_seen[NVME_ADMIN_DELETE_CQ];
    for (uint32_t qid = 0; qid < FAKE_QUEUES; qid++)
        ck_assert(!fake->queues[qid].sq_exists && !fake->queues[qid].cq_exists);
    give_back(ctx, dma);
}

/* libvfn unmapped and freed a ring, and then sent the Delete command; Genode freed a session's
 * data, lists and all, with its commands in flight. Given two queues with reads in flight, when the
 * driver stops, then nothing is given back before all queues are deleted, or, where they are not
 * deleted, before RDY = 0, and what was in flight ends no earlier. */
START_TEST(memory_outlives_its_queues__peers_2__genode_3)
{
    give_back = fake->ops.dma_free;
    fake->ops.dma_free = watch_free;
    deletes_before_free = frees = 0;
    fake->config.io_queues = 2;
    fake->config.delete_queues = _i != 0;
    fake->config.bounce_bytes = 4096;
    fake->config.read.direct_min_bytes = 4096;
    start();
    for (uint32_t i = 0; i < 4; i++) {
        fake_request(&requests[i], NVME_OP_READ, i, i & 1 ? 1 : 8, buffer);
        ck_assert_int_eq(nvme_submit(nvme_get_queue(fake->nvme, i / 2), &requests[i]), NVME_OK);
    }
    nvme_ring(queue);
    nvme_ring(nvme_get_queue(fake->nvme, 1));
    ck_assert_uint_eq(fake->mapped, 2);
    fake->never_unready = true;
    ck_assert_int_eq(nvme_stop(fake->nvme), NVME_OK);
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 100 * MS), NVME_STATE_STOPPING);
    ck_assert_uint_eq(frees, 0);
    ck_assert_uint_eq(fake->mapped, 2);
    ck_assert_uint_eq(fake_ended_count, 0);
    fake->never_unready = false;
    ck_assert_int_eq(fake_settle(NVME_STATE_STOPPING, 100 * MS), NVME_STATE_OFF);
    ck_assert_uint_gt(frees, 0);
    ck_assert_uint_eq(deletes_before_free, _i ? 4 : 0);
    ck_assert_uint_eq(fake_ended_count, 4);
}
END_TEST

/* ---- waits end ---- */

/* OpenVMM's loops over RDY had no end, libvfn's and vroom's have none; its repair takes CAP.TO and
 * a floor for devices that say 0. Given TO = 0, when RDY never comes, then one unit of 500 ms is
 * waited (3.1.1), or the configured floor, and not a nanosecond longer. */
START_TEST(no_wait_for_ready_is_endless__peers_10)
{
    uint64_t begin = fake->now_ns, wait_ns = (_i ? 3000 : 500) * MS;

    fake->cap &= ~(UINT64_C(0xFF) << 24);
    fake->config.ready_min_ms = _i ? 3000 : 0;
    fake->never_ready = true;
    fake_init();
    ck_assert_int_eq(nvme_start(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_step(fake->nvme, begin), NVME_STATE_STARTING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + wait_ns - 1), NVME_STATE_STARTING);
    ck_assert_int_eq(nvme_step(fake->nvme, begin + wait_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, NULL), NVME_E_TIMEOUT);
    fake->never_ready = false;
}
END_TEST

/* sDDF's state machine stayed where it was when an admin command of bring-up failed. Given each of
 * those commands refused in its turn, then the state is FAILED with the status, at once; and a
 * device that has recovered is brought up by the next try. */
START_TEST(refused_admin_command_ends_bring_up__peers_11)
{
    static const uint32_t opcodes[] = {NVME_ADMIN_IDENTIFY, NVME_ADMIN_SET_FEATURES,
                                       NVME_ADMIN_CREATE_CQ, NVME_ADMIN_CREATE_SQ};
    uint16_t status = 0;

    fake->admin_fail_opcode = opcodes[_i];
    fake->admin_fail_status = 0x2006;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_E_STATUS);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_failure(fake->nvme, &status), NVME_E_STATUS);
    ck_assert_uint_eq(status, 0x2006);
    fake->admin_fail_opcode = UINT32_MAX;
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
}
END_TEST

/* ---- masks ---- */

static uint32_t chain;

/* done() hands its request in again; the command ends at once, in the mask window. */
static void again(struct nvme_request *request)
{
    fake_ended_count++;
    if (++chain >= 10)
        return;
    ck_assert_int_eq(nvme_submit(queue, request), NVME_OK);
    nvme_ring(queue);
    fake_run(1);
}

/* The level of the pin (7.5.1.1). */
static bool pin(void)
{
    const struct fake_queue *q = &fake->queues[1];

    return q->cq_tail != q->cq_head && !(fake->intms & 1);
}

/* Genode submitted from its handler while INTMS held the vector; what ended in that window raised
 * nothing afterwards, and the driver stopped. Given done() that does so ten times, then the pin is
 * up after the handler as long as an entry is left, and all ten end. */
START_TEST(entry_in_the_mask_window_is_not_lost__genode_2)
{
    uint32_t calls = 0;

    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = NVME_IRQ_INTX;
    start();
    chain = 0;
    fake_registered(&requests[0], NVME_OP_READ, 0, 1, buffer);
    requests[0].done = again;
    ck_assert_int_eq(nvme_submit(queue, &requests[0]), NVME_OK);
    nvme_ring(queue);
    fake_run(1);
    for (; pin(); calls++) {
        ck_assert_uint_lt(calls, 20);
        nvme_interrupt(fake->nvme, 0);
    }
    ck_assert_uint_eq(fake_ended_count, 10);
    ck_assert_uint_eq(nvme_in_flight(queue), 0);
}
END_TEST

/* The other two of Genode: all 32 bits masked and one unmasked; and masks at all with MSI-X, which
 * is undefined (3.1.3). Over bring-up, I/O, a reset, a failure and a stop, what is masked is
 * unmasked; and with MSI-X neither register is touched, even by a driver that unmasks at each poll.
 */
START_TEST(what_is_masked_is_unmasked__genode_2)
{
    bool touched;

    fake->config.completion = NVME_COMPLETION_INTERRUPT;
    fake->config.irq = (enum nvme_irq_mode)_i;
    fake->config.poll_unmasks = _i == NVME_IRQ_MSIX;
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    queue = nvme_get_queue(fake->nvme, 0);
    buffer = fake_buffer(4096, 4096, 0);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t vector = 0; vector < 2; vector++) {
            submit(1);
            fake_run(1);
            nvme_interrupt(fake->nvme, vector);
            nvme_poll(queue, 0);
        }
        ck_assert_uint_eq(fake->intms, 0);
        ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
        ck_assert_uint_eq(fake->intms, 0);
    }
    fake->csts |= NVME_CSTS_CFS;
    ck_assert_int_eq(nvme_step(fake->nvme, fake->now_ns), NVME_STATE_FAILED);
    ck_assert_int_eq(nvme_stop_blocking(fake->nvme), NVME_OK);
    touched = fake_writes(NVME_REG_INTMS) + fake_writes(NVME_REG_INTMC) != 0;
    ck_assert_int_eq(touched, _i != NVME_IRQ_MSIX);
}
END_TEST

/* nvme.device writes INTMC after each harvest and so lets the admin vector through that it had
 * masked for good. Given a driver that polls and does the same, when admin commands run after I/O,
 * then the function still cannot interrupt: it was silenced at its routing, and not with the mask.
 */
START_TEST(unmasking_after_io_lets_no_admin_interrupt_through__amiga_3)
{
    struct nvme_admin_request request;

    fake->config.poll_unmasks = true;
    fake->irq_mode = NVME_IRQ_INTX; /* as the firmware left it */
    start();
    submit(1);
    fake_run(1);
    ck_assert_uint_eq(nvme_poll(queue, 0), 1);
    ck_assert_uint_eq(fake_writes(NVME_REG_INTMC), 1);
    fake_admin_request(&request, FAKE_VENDOR_NONE, NULL, 0);
    ck_assert_int_eq(nvme_admin_blocking(fake->nvme, &request), NVME_OK);
    ck_assert_int_eq(fake->irq_mode, NVME_IRQ_NONE);
    ck_assert_int_eq(nvme_reset_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(fake->irq_mode, NVME_IRQ_NONE);
}
END_TEST

Suite *suite_traps_life(void)
{
    Suite *suite = suite_create("traps: life");
    TCase *tcase = tcase_create("life");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_loop_test(tcase, memory_outlives_its_queues__peers_2__genode_3, 0, 2);
    tcase_add_loop_test(tcase, no_wait_for_ready_is_endless__peers_10, 0, 2);
    tcase_add_loop_test(tcase, refused_admin_command_ends_bring_up__peers_11, 0, 4);
    tcase_add_test(tcase, entry_in_the_mask_window_is_not_lost__genode_2);
    tcase_add_loop_test(tcase, what_is_masked_is_unmasked__genode_2, NVME_IRQ_INTX,
                        NVME_IRQ_MSIX + 1);
    tcase_add_test(tcase, unmasking_after_io_lets_no_admin_interrupt_through__amiga_3);
    suite_add_tcase(suite, tcase);
    return suite;
}
