/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts (NVMe 1.4 section 7.5): whole handlers and handlers in two halves, masks of pin and
 * MSI (3.1.3, 3.1.4), and the CPU of a vector. Called by the port. Reaping itself is in reap.c and
 * admin.c; coalescing in coalescing.c.
 *
 * With pin or MSI the vector is masked while its queues are drained and unmasked afterwards. An
 * entry posted after the last look and before the unmask is not lost: its bit of the interrupt
 * status is set by then, so that the unmask raises the pin, or sends the message (7.5.1). MSI-X has
 * no such registers, and must not see these used; every entry posted after the last look brings a
 * message of its own.
 *
 * Once the queues are closed (stop, reset, FAILED) nobody drains them and the pin, a level, would
 * rise again at every unmask, for ever: the vector stays masked then. Steps poll the admin queue,
 * and bring-up unmasks before it opens the queues (controller.c).
 */
#include "internal.h"

#define MASK_BITS 32u /* vectors that INTMS and INTMC know */

static bool masks(const struct nvme *nvme, unsigned vector)
{
    return nvme_uses_masks(nvme) && vector < MASK_BITS;
}

bool nvme_interrupt_claim(struct nvme *nvme, unsigned vector)
{
    if (nvme->state == NVME_STATE_OFF)
        return false;
    if (masks(nvme, vector))
        nvme->ops->write32(nvme->ctx, NVME_REG_INTMS, 1u << vector);
    return true;
}

/* One portion of every queue of the vector. True: a portion was full, so that the queue may have
 * entries left for which no further message comes. first: of this interrupt. */
static bool drain_portions(struct nvme *nvme, unsigned vector, bool first, unsigned *count,
                           uint64_t *errors)
{
    bool more = false;

    for (uint32_t i = 0; i < nvme->info.io_queues; i++) {
        struct nvme_queue *queue = &nvme->queues[i];
        uint64_t before = queue->stats.protocol_errors;
        unsigned consumed;

        if (queue->vector != vector || (queue->gate & GATE_CLOSED))
            continue;
        consumed = nvme_poll_quiet(queue, 0);
        if (first) {
            queue->stats.interrupts++;
            queue->stats.empty_interrupts += consumed == 0;
        }
        *count += consumed;
        *errors += queue->stats.protocol_errors - before;
        more |= consumed == queue->drain_limit;
    }
    return more;
}

unsigned nvme_interrupt_work(struct nvme *nvme, unsigned vector)
{
    unsigned count = 0;
    uint64_t errors = 0;
    bool first = true, more;

    /* Not while the controller is disabled or shutting down: no doorbell may be written then. */
    if (vector == 0 && nvme->phase >= PHASE_IDENTIFY && nvme->phase < PHASE_SHUTDOWN)
        count = nvme_admin_reap(nvme);
    do {
        more = drain_portions(nvme, vector, first, &count, &errors);
        first = false;
        /* A device that posts nonsense shall not hold the handler for ever. */
    } while (more && errors + 1 < nvme->info.io_depth);
    NVME_TRACE(nvme, NVME_TRACE_INTERRUPT, 0, vector, count);
    /* The phase as it is now: a done() may have stopped or reset the controller. */
    if (masks(nvme, vector) && nvme->phase >= PHASE_IDENTIFY && nvme->phase <= PHASE_RUNNING)
        nvme->ops->write32(nvme->ctx, NVME_REG_INTMC, 1u << vector);
    return count;
}

unsigned nvme_interrupt(struct nvme *nvme, unsigned vector)
{
    return nvme_interrupt_claim(nvme, vector) ? nvme_interrupt_work(nvme, vector) : 0;
}

int nvme_queue_set_cpu(struct nvme_queue *queue, unsigned cpu)
{
    const struct nvme *nvme = queue->nvme;

    if (nvme->state != NVME_STATE_READY)
        return NVME_E_STATE;
    if (!nvme->irq_on || !nvme->ops->irq_move)
        return NVME_E_UNSUPPORTED;
    return nvme->ops->irq_move(nvme->ctx, queue->vector, cpu);
}
