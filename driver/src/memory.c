/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DMA memory: rings, PRP lists, bounce buffers and the control page. Taken during bring-up, kept
 * over resets (a reset must work when memory is short), given back when a stop is complete: never
 * while the controller could still write to it (NVMe 1.4 sections 7.3.2 and 7.4.3). Called by
 * controller.c, admin.c and registers.c.
 */
#include "internal.h"

/* Have at least `bytes`, page aligned, in whole pages. What is held already and large enough stays,
 * with its contents. */
int nvme_dma_hold(struct nvme *nvme, struct nvme_dma *dma, size_t bytes, enum nvme_dma_use use)
{
    size_t page = (size_t)1 << nvme->page_shift;
    size_t whole = (bytes + page - 1) & ~(page - 1);
    int error;

    if (dma->cpu && dma->bytes >= whole)
        return NVME_OK;
    nvme_dma_drop(nvme, dma);
    error = nvme->ops->dma_alloc(nvme->ctx, whole, page, use, dma);
    if (error != NVME_OK) {
        memset(dma, 0, sizeof(*dma));
        return error;
    }
    return NVME_OK;
}

void nvme_dma_drop(struct nvme *nvme, struct nvme_dma *dma)
{
    if (dma->cpu)
        nvme->ops->dma_free(nvme->ctx, dma);
    memset(dma, 0, sizeof(*dma));
}

void nvme_dma_sync(const struct nvme *nvme, const struct nvme_dma *dma, size_t bytes,
                   enum nvme_sync what)
{
    if (!nvme_coherent(nvme))
        nvme->ops->sync(nvme->ctx, dma, 0, bytes, what);
}

/* A ring as after its creation, or after CC.EN = 0: empty, and no phase bit set (4.6). */
void nvme_memory_ring(const struct nvme *nvme, struct nvme_ring *ring, const struct nvme_dma *dma,
                      uint16_t depth, uint16_t qid, bool is_cq)
{
    memset(dma->cpu, 0, dma->bytes);
    nvme_dma_sync(nvme, dma, dma->bytes, NVME_SYNC_FOR_DEVICE);
    ring->entries = dma->cpu;
    ring->bus = dma->bus;
    ring->depth = depth;
    ring->qid = qid;
    ring->entry_log2 = is_cq ? NVME_CQE_LOG2 : NVME_SQE_LOG2;
    ring->is_cq = is_cq;
}

int nvme_memory_admin(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    size_t depth = nvme->config.admin_depth;
    int error;

    if (nvme->held_page_shift && nvme->held_page_shift != nvme->page_shift)
        nvme_memory_release(nvme); /* other alignment than before the reset */
    nvme->held_page_shift = nvme->page_shift;
    error = nvme_dma_hold(nvme, &admin->sq_dma, depth << NVME_SQE_LOG2, NVME_DMA_SQ);
    if (error == NVME_OK)
        error = nvme_dma_hold(nvme, &admin->cq_dma, depth << NVME_CQE_LOG2, NVME_DMA_CQ);
    if (error == NVME_OK)
        error = nvme_dma_hold(nvme, &admin->control,
                              (size_t)(1u + nvme->config.admin_requests) << nvme->page_shift,
                              NVME_DMA_CONTROL);
    return error;
}

int nvme_memory_queue(struct nvme *nvme, struct nvme_queue *queue)
{
    const struct nvme_config *config = &nvme->config;
    size_t depth = nvme->info.io_depth;
    int error = nvme_dma_hold(nvme, &queue->sq_dma, depth << NVME_SQE_LOG2, NVME_DMA_SQ);

    if (error == NVME_OK)
        error = nvme_dma_hold(nvme, &queue->cq_dma, depth << NVME_CQE_LOG2, NVME_DMA_CQ);
    for (uint32_t i = 0; error == NVME_OK && i < nvme->info.slots; i++) {
        struct nvme_slot_data *data = &queue->data[slot_position(queue, i)];

        error = nvme_dma_hold(nvme, &data->list, (size_t)config->list_pages << nvme->page_shift,
                              NVME_DMA_LIST);
        if (error == NVME_OK && config->bounce_bytes)
            error = nvme_dma_hold(nvme, &data->bounce, config->bounce_bytes, NVME_DMA_BOUNCE);
    }
    return error;
}

void nvme_memory_release(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;

    for (uint32_t i = 0; i < nvme->config.io_queues; i++) {
        struct nvme_queue *queue = &nvme->queues[i];

        for (uint32_t s = queue->slot_mask + 1; s-- > 0;) {
            nvme_dma_drop(nvme, &queue->data[s].bounce);
            nvme_dma_drop(nvme, &queue->data[s].list);
        }
        nvme_dma_drop(nvme, &queue->cq_dma);
        nvme_dma_drop(nvme, &queue->sq_dma);
    }
    nvme_dma_drop(nvme, &nvme->shadow);
    nvme_host_memory_drop(nvme);
    nvme_dma_drop(nvme, &admin->control);
    nvme_dma_drop(nvme, &admin->cq_dma);
    nvme_dma_drop(nvme, &admin->sq_dma);
    nvme->held_page_shift = 0;
}
