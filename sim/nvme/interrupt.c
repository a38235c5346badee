/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts (NVMe 1.4 section 7.5). With MSI-X, an entry that becomes visible in a queue with
 * interrupts enabled leads to one message of the queue's vector after ctrl.interrupt; entries that
 * become visible while that message is prepared or on its way share it, since the host finds them
 * when the message arrives. A message whose entries were all consumed meanwhile is not sent; a
 * masked vector becomes pending, and is withdrawn when its entries are consumed (PCI Local
 * Bus 3.0, 6.8.3.5).
 *
 * Without MSI-X there is the interrupt status register of section 7.5.1: a bit per vector, set
 * while a queue with interrupts enabled holds unconsumed entries and its bit in INTMS is clear. The
 * pin is asserted while any is set. With MSI, a bit that becomes set sends a message; so does a
 * doorbell that leaves entries unconsumed, or a host that looked just before one came would wait
 * for ever. Pin messages keep their order on the link.
 *
 * Coalescing (5.21.1.8) keeps an interrupt back until so many completions have come, or the first
 * of them is so old. Never for the admin queue, nor for a vector that has it turned off (5.21.1.9).
 */
#include "nvme/internal.h"

#define STATUS_VECTORS 32u /* bits of INTMS */
#define MSI_BYTES      4u  /* a message is a memory write of one dword */
#define PIN_BYTES      0u  /* Assert_INTx, Deassert_INTx: messages without data */

void interrupt_init(struct ctrl *ctrl)
{
    uint64_t count = ctrl->params.msix_vectors;

    if (count < ctrl->params.msi_vectors)
        count = ctrl->params.msi_vectors;
    ctrl->interrupts.count = count > 0 ? (uint32_t)count : 1;
    ctrl->interrupts.vectors =
        ctrl_allocate(ctrl->interrupts.count, sizeof *ctrl->interrupts.vectors);
}

static void let_go(struct ctrl *ctrl, struct vector *vector)
{
    if (vector->held == 0)
        return;
    engine_cancel(ctrl->engine, vector->timer);
    vector->timer = 0;
    vector->held = 0;
}

static void withdraw(struct ctrl *ctrl, uint32_t number)
{
    if (number < ctrl->msix.vectors)
        msix_withdraw(&ctrl->msix, number);
    if (ctrl->msi.enabled)
        msi_withdraw(&ctrl->msi, number);
}

void interrupt_reset(struct ctrl *ctrl)
{
    struct interrupts *interrupts = &ctrl->interrupts;

    for (uint32_t i = 0; i < interrupts->count; i++) {
        let_go(ctrl, &interrupts->vectors[i]);
        interrupts->vectors[i] = (struct vector){.active = 0};
        withdraw(ctrl, i);
    }
    interrupts->causes = 0;
    interrupts->signalled = 0;
    interrupts->pin_scheduled = false;
    interrupt_update(ctrl);
}

uint32_t interrupt_vectors(const struct ctrl *ctrl)
{
    if (ctrl->msix.enabled)
        return ctrl->msix.vectors;
    return ctrl->msi.enabled ? msi_granted(&ctrl->msi) : 1; /* the pin is vector 0 */
}

/* ---- messages ---- */

static void message_arrives(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct vector *vector = &ctrl->interrupts.vectors[(uint32_t)arg];

    if (!epoch_is_current(ctrl, arg))
        return;
    vector->scheduled = false;
    /* A message is a memory write: without bus mastering there is none. */
    if (!configspace_bus_master(&ctrl->config)) {
        ctrl->stats.dma_errors++;
        return;
    }
    pcie_msi(ctrl->port, vector->address, vector->data);
}

/* May the vector's message be sent now? If not, it has become pending or nobody wants it. */
static bool may_send(struct ctrl *ctrl, uint32_t number, struct vector *vector)
{
    if (vector->active == 0)
        return false;
    /* A queue may have its vector from MSI, which can have more of them. */
    if (ctrl->msix.enabled)
        return number < ctrl->msix.vectors &&
               msix_raise(&ctrl->msix, number, &vector->address, &vector->data);
    return ctrl->msi.enabled && msi_raise(&ctrl->msi, number, &vector->address, &vector->data);
}

static void message_due(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    uint32_t number = (uint32_t)arg;
    struct vector *vector = &ctrl->interrupts.vectors[number];
    uint64_t now_ps = engine_now(ctrl->engine);

    if (!epoch_is_current(ctrl, arg))
        return;
    if (!may_send(ctrl, number, vector)) {
        vector->scheduled = false;
        return;
    }
    ctrl->stats.interrupts++;
    RECORD_EMIT(ctrl->stream, now_ps, ctrl->index, RECORD_IRQ, number, 0, 0, 0);
    if (ctrl->paced)
        pcie_up_write_then(ctrl->port, stream_of(STREAM_UNIT, UNIT_MESSAGE), now_ps, MSI_BYTES,
                           message_arrives, ctrl, epoch_arg(ctrl, number));
    else
        engine_at(ctrl->engine, pcie_up_write(ctrl->port, now_ps, MSI_BYTES), message_arrives, ctrl,
                  epoch_arg(ctrl, number));
}

static void schedule_message(struct ctrl *ctrl, uint32_t number)
{
    uint64_t cost_ps;

    if (ctrl->interrupts.vectors[number].scheduled)
        return;
    if (ctrl->faults.count != 0 && fault_drops_interrupt(ctrl, number))
        return;
    ctrl->interrupts.vectors[number].scheduled = true;
    cost_ps = clock_cost(&ctrl->clock, ctrl->params.interrupt);
    if (cost_ps == 0)
        message_due(ctrl, epoch_arg(ctrl, number));
    else
        engine_after(ctrl->engine, cost_ps, message_due, ctrl, epoch_arg(ctrl, number));
}

void interrupt_vector_due(void *ctx, unsigned vector)
{
    schedule_message(ctx, vector);
}

/* ---- the pin ---- */

static void pin_arrives(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    bool asserted = (uint32_t)arg != 0;

    if (asserted == ctrl->interrupts.pin_seen || (asserted && !epoch_is_current(ctrl, arg)))
        return;
    ctrl->interrupts.pin_seen = asserted;
    pcie_intx(ctrl->port, asserted);
}

static void send_pin(struct ctrl *ctrl, bool asserted)
{
    uint64_t now_ps = engine_now(ctrl->engine);
    uint64_t arrives_ps;

    ctrl->interrupts.pin_sent = asserted;
    if (asserted) {
        ctrl->stats.interrupts++;
        RECORD_EMIT(ctrl->stream, now_ps, ctrl->index, RECORD_IRQ, 0, 0, 0, 0);
    }
    if (ctrl->paced) {
        pcie_up_write_then(ctrl->port, stream_of(STREAM_UNIT, UNIT_MESSAGE), now_ps, PIN_BYTES,
                           pin_arrives, ctrl, epoch_arg(ctrl, asserted));
        return;
    }
    arrives_ps = pcie_up_write(ctrl->port, now_ps, PIN_BYTES);
    if (arrives_ps == now_ps)
        pin_arrives(ctrl, epoch_arg(ctrl, asserted));
    else
        engine_at(ctrl->engine, arrives_ps, pin_arrives, ctrl, epoch_arg(ctrl, asserted));
}

static uint32_t status(const struct ctrl *ctrl)
{
    return ctrl->interrupts.causes & ~ctrl->regs.intms;
}

static bool pin_level(const struct ctrl *ctrl)
{
    return status(ctrl) != 0 && !ctrl->msix.enabled && !ctrl->msi.enabled;
}

static void pin_due(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    if (!epoch_is_current(ctrl, arg))
        return;
    ctrl->interrupts.pin_scheduled = false;
    if (ctrl->faults.count != 0 && fault_drops_interrupt(ctrl, 0))
        return;
    if (pin_level(ctrl) && !configspace_intx_disabled(&ctrl->config) && !ctrl->interrupts.pin_sent)
        send_pin(ctrl, true);
}

static void update_pin(struct ctrl *ctrl)
{
    bool pending = pin_level(ctrl);
    bool level = pending && !configspace_intx_disabled(&ctrl->config);

    configspace_set_intx_pending(&ctrl->config, pending);
    if (level == ctrl->interrupts.pin_sent)
        return;
    if (!level) {
        send_pin(ctrl, false);
    } else if (!ctrl->interrupts.pin_scheduled) {
        ctrl->interrupts.pin_scheduled = true;
        engine_after(ctrl->engine, clock_cost(&ctrl->clock, ctrl->params.interrupt), pin_due, ctrl,
                     epoch_arg(ctrl, 0));
    }
}

/* Bits of the status register that have become set each send a message. */
static void update_msi(struct ctrl *ctrl)
{
    uint32_t now = ctrl->msi.enabled && !ctrl->msix.enabled ? status(ctrl) : 0;
    uint32_t rising = now & ~ctrl->interrupts.signalled;

    ctrl->interrupts.signalled = now;
    for (uint32_t i = 0; rising != 0; i++, rising >>= 1) {
        if ((rising & 1u) != 0)
            schedule_message(ctrl, i);
    }
}

void interrupt_update(struct ctrl *ctrl)
{
    update_pin(ctrl);
    update_msi(ctrl);
}

/* ---- completions ---- */

static void raise(struct ctrl *ctrl, uint32_t number)
{
    if (number < STATUS_VECTORS)
        ctrl->interrupts.causes |= UINT32_C(1) << number;
    if (ctrl->msix.enabled)
        schedule_message(ctrl, number);
    else
        interrupt_update(ctrl);
}

static void aggregation_ends(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct vector *vector = &ctrl->interrupts.vectors[arg];

    vector->timer = 0;
    vector->held = 0;
    raise(ctrl, (uint32_t)arg);
}

/* Does coalescing keep this completion's interrupt back? */
static bool keeps_back(struct ctrl *ctrl, const struct cq *cq)
{
    struct vector *vector = &ctrl->interrupts.vectors[cq->vector];

    if (cq == &ctrl->queues.cqs[0] || vector->scheduled ||
        !features_vector_coalesces(ctrl, cq->vector))
        return false;
    if (++vector->held >= ctrl->interrupts.threshold) {
        let_go(ctrl, vector);
        return false;
    }
    if (vector->held == 1)
        vector->timer = engine_after(ctrl->engine, ctrl->interrupts.time_ps, aggregation_ends, ctrl,
                                     cq->vector);
    return true;
}

void interrupt_cqe(struct ctrl *ctrl, struct cq *cq, bool was_empty)
{
    if (was_empty)
        ctrl->interrupts.vectors[cq->vector].active++;
    if (ctrl->interrupts.coalescing && keeps_back(ctrl, cq))
        return;
    raise(ctrl, cq->vector);
}

void interrupt_consumed(struct ctrl *ctrl, struct cq *cq)
{
    struct vector *vector = &ctrl->interrupts.vectors[cq->vector];

    if (!cq->interrupts)
        return;
    if (--vector->active > 0) { /* in other queues of the vector, where one may just have come */
        interrupt_left(ctrl, cq);
        return;
    }
    if (cq->vector < STATUS_VECTORS)
        ctrl->interrupts.causes &= ~(UINT32_C(1) << cq->vector);
    let_go(ctrl, vector);
    withdraw(ctrl, cq->vector);
    interrupt_update(ctrl);
}

void interrupt_left(struct ctrl *ctrl, const struct cq *cq)
{
    if (!cq->interrupts || !ctrl->msi.enabled || cq->vector >= STATUS_VECTORS)
        return;
    ctrl->interrupts.signalled &= ~(UINT32_C(1) << cq->vector);
    update_msi(ctrl);
}

void interrupt_coalescing_changed(struct ctrl *ctrl)
{
    struct feature_coalescing wish = features_coalescing(ctrl);

    ctrl->interrupts.threshold = wish.threshold;
    ctrl->interrupts.time_ps = wish.time_ps;
    ctrl->interrupts.coalescing = wish.threshold > 1 && wish.time_ps > 0;
    for (uint32_t i = 0; i < ctrl->interrupts.count && !ctrl->interrupts.coalescing; i++) {
        if (ctrl->interrupts.vectors[i].held > 0) {
            let_go(ctrl, &ctrl->interrupts.vectors[i]);
            raise(ctrl, i);
        }
    }
}
