/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shadow doorbells (NVMe 1.4 sections 5.7, 7.13): doorbell values in memory, beside them the values
 * (EventIdx) at which the controller wants its register written, for controllers made of software,
 * to which every register access is an expensive trap. One phase of bring-up, called by
 * controller.c, asks for them; then the doorbells of the I/O queues lead here instead of to the
 * platform's write32. Two pages, laid out as the doorbell registers are.
 *
 * Doorbell Buffer Config comes after the creation of the queues, as with Linux, the one host that
 * every such controller was tried with; nothing is in their doorbells by then. It does not survive
 * a reset of the controller: queues begin with registers, the pages are cleared and the command
 * sent anew. A controller that refuses it is driven by registers; the pages stay until a stop has
 * seen RDY = 0, because nobody knows what such a controller does with their addresses.
 *
 * Left out: the admin queue, which 5.7 covers too. Its doorbells are registers, as with Linux;
 * controllers know that.
 */
#include "internal.h"

#if !defined(NVME_NO_SHADOW)

/* Move a doorbell. Before an SQ tail publish() has made the entries visible; before a CQ head all
 * loads of the entries that it gives back must be done, which only ordered loads are by themselves.
 * The full barrier between the store and the load of EventIdx is what a controller that goes to
 * sleep relies on: it stores EventIdx, and looks at the shadow once more; one of us sees the other.
 *
 * The register is written if the value passes EventIdx, old <= EventIdx < value, in 16-bit
 * arithmetic, which also holds where the ring wraps. (SPDK's host takes EventIdx = value in, which
 * writes more often and is harmless.) EventIdx is the device's word, and decides nothing else. */
static void move(void *ctx, uint32_t offset, uint32_t value)
{
    struct nvme_queue *queue = ctx;
    const struct nvme *nvme = queue->nvme;
    const struct nvme_dma *pages = &nvme->shadow;
    size_t at = offset - NVME_REG_DOORBELL;
    volatile uint32_t *doorbell = (volatile uint32_t *)pages->cpu + at / sizeof(uint32_t);
    const volatile uint32_t *event_idx = doorbell + nvme->info.page_bytes / sizeof(uint32_t);
    bool is_cq = offset == queue->cq_doorbell;
    uint32_t old = le32(*doorbell);
    uint32_t event;

    if (is_cq && !(nvme->platform->flags & NVME_PLATFORM_LOADS_ORDERED))
        nvme->ops->mb(nvme->ctx);
    *doorbell = le32(value);
    if (!nvme_coherent(nvme))
        nvme->ops->sync(nvme->ctx, pages, at, sizeof(*doorbell), NVME_SYNC_FOR_DEVICE);
    nvme->ops->mb(nvme->ctx);
    if (!nvme_coherent(nvme))
        nvme->ops->sync(nvme->ctx, pages, at + nvme->info.page_bytes, sizeof(*event_idx),
                        NVME_SYNC_FOR_CPU);
    event = le32(*event_idx);
    queue->stats.shadow_updates++;
    if ((uint16_t)(value - event - 1) < (uint16_t)(value - old))
        nvme->ops->write32(nvme->ctx, offset, value);
    else if (is_cq)
        queue->stats.cq_skipped++;
    else
        queue->stats.sq_skipped++;
}

/* A phase of bring-up: 1 when done, 0 to wait, or an nvme_error. */
int nvme_phase_shadow(struct nvme *nvme)
{
    static const struct nvme_command command = {NVME_ADMIN_DOORBELL_BUFFERS, .nsid = 0};
    uint32_t bytes = 2 * nvme->info.page_bytes;
    int outcome;

    if (!nvme->entered) {
        nvme->info.shadow_doorbells = false;
        if (!nvme->config.shadow_doorbells || !(nvme->info.oacs & NVME_IDC_OACS_SHADOW) ||
            nvme_dma_hold(nvme, &nvme->shadow, bytes, NVME_DMA_CONTROL) != NVME_OK)
            return 1;
        memset(nvme->shadow.cpu, 0, bytes);
        nvme_dma_sync(nvme, &nvme->shadow, bytes, NVME_SYNC_FOR_DEVICE);
    }
    outcome = nvme_admin_exchange(nvme, &command, nvme->shadow.bus);
    if (outcome == NVME_E_STATUS)
        return 1;
    if (outcome != 1)
        return outcome;
    nvme->info.shadow_doorbells = true;
    for (uint32_t i = 0; i < nvme->info.io_queues; i++) {
        struct nvme_queue *queue = &nvme->queues[i];

        /* With a wide stride (CAP.DSTRD) the page may end before the last queues. */
        if (queue->cq_doorbell + sizeof(uint32_t) <= NVME_REG_DOORBELL + nvme->info.page_bytes) {
            queue->bell = move;
            queue->bell_ctx = queue;
        }
    }
    return 1;
}

#endif
