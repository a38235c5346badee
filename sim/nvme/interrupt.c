/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts (NVMe 1.4 section 7.5). With MSI-X, an entry that becomes visible in a queue with
 * interrupts enabled leads to one message of the queue's vector after ctrl.interrupt; entries that
 * become visible while that message is prepared or on its way share it, since the host finds them
 * when the message arrives. A message whose entries were all consumed meanwhile is not sent; a
 * masked vector becomes pending, and is withdrawn when its entries are consumed (PCI Local
 * Bus 3.0, 6.8.3.5). Without MSI-X the pin is a level: asserted while a queue with interrupts
 * enabled and its vector's bit clear in INTMS holds unconsumed entries. Pin messages keep their
 * order on the link.
 */
#include "nvme/internal.h"

#define PIN_VECTORS 32u /* bits of INTMS */
#define MSI_BYTES   4u  /* a message is a memory write of one dword */
#define PIN_BYTES   0u  /* Assert_INTx, Deassert_INTx: messages without data */

void interrupt_init(struct ctrl *ctrl)
{
    ctrl->interrupts.count =
        ctrl->params.msix_vectors > 0 ? (uint32_t)ctrl->params.msix_vectors : 1;
    ctrl->interrupts.vectors =
        ctrl_allocate(ctrl->interrupts.count, sizeof *ctrl->interrupts.vectors);
}

void interrupt_reset(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->interrupts.count; i++) {
        ctrl->interrupts.vectors[i] = (struct vector){.active = 0};
        if (i < ctrl->msix.vectors)
            msix_withdraw(&ctrl->msix, i);
    }
    ctrl->interrupts.pin_causes = 0;
    ctrl->interrupts.pin_scheduled = false;
    interrupt_update_pin(ctrl);
}

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

static void message_due(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    uint32_t number = (uint32_t)arg;
    struct vector *vector = &ctrl->interrupts.vectors[number];
    uint64_t now_ps = engine_now(ctrl->engine);

    if (!epoch_is_current(ctrl, arg))
        return;
    if (vector->active == 0 || !ctrl->msix.enabled ||
        !msix_raise(&ctrl->msix, number, &vector->address, &vector->data)) {
        vector->scheduled = false;
        return;
    }
    ctrl->stats.interrupts++;
    RECORD_EMIT(ctrl->stream, now_ps, ctrl->index, RECORD_IRQ, number, 0, 0, 0);
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

/* A reset takes back what is on the way: the host sees a level that falls, but never one that rises
 * after the reset has ended. */
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
    uint64_t arrives_ps = pcie_up_write(ctrl->port, now_ps, PIN_BYTES);

    ctrl->interrupts.pin_sent = asserted;
    if (asserted) {
        ctrl->stats.interrupts++;
        RECORD_EMIT(ctrl->stream, now_ps, ctrl->index, RECORD_IRQ, 0, 0, 0, 0);
    }
    if (arrives_ps == now_ps)
        pin_arrives(ctrl, epoch_arg(ctrl, asserted));
    else
        engine_at(ctrl->engine, arrives_ps, pin_arrives, ctrl, epoch_arg(ctrl, asserted));
}

static bool pin_level(const struct ctrl *ctrl)
{
    return (ctrl->interrupts.pin_causes & ~ctrl->regs.intms) != 0 && !ctrl->msix.enabled;
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

void interrupt_update_pin(struct ctrl *ctrl)
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

void interrupt_cqe(struct ctrl *ctrl, struct cq *cq, bool was_empty)
{
    if (was_empty && ctrl->interrupts.vectors[cq->vector].active++ == 0 && cq->vector < PIN_VECTORS)
        ctrl->interrupts.pin_causes |= UINT32_C(1) << cq->vector;
    if (ctrl->msix.enabled)
        schedule_message(ctrl, cq->vector);
    else
        interrupt_update_pin(ctrl);
}

void interrupt_consumed(struct ctrl *ctrl, struct cq *cq)
{
    if (!cq->interrupts || --ctrl->interrupts.vectors[cq->vector].active > 0)
        return;
    if (cq->vector < PIN_VECTORS)
        ctrl->interrupts.pin_causes &= ~(UINT32_C(1) << cq->vector);
    if (cq->vector < ctrl->msix.vectors)
        msix_withdraw(&ctrl->msix, cq->vector);
    interrupt_update_pin(ctrl);
}
