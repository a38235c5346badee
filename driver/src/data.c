/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data pointers: which way a command's data takes (bounce buffer, mapped, or registered), and the
 * PRP entries that describe it, with chained list pages (NVMe 1.4 section 4.3). Called by io.c
 * before a command is written and after it has ended, under the queue lock. nvme_prps_build() is a
 * pure function of its arguments. Left out: SGL and metadata.
 */
#include "internal.h"

#define PRP_BYTES  sizeof(uint64_t)
#define DWORD_MASK 3u /* PRP1 is dword aligned (4.3) */

/* The pages that a segment touches. */
static uint32_t pages_of(const struct nvme_segment *segment, uint32_t page_shift)
{
    uint64_t mask = ((uint64_t)1 << page_shift) - 1;
    uint32_t offset = (uint32_t)(segment->bus & mask);

    /* In 64 bits: offset + bytes may pass 4 GiB. */
    return (uint32_t)(((uint64_t)offset + segment->bytes + mask) >> page_shift);
}

/* The pages of all segments together; 0: they cannot be PRP entries. Only the first segment may
 * start inside a page, only the last may end inside one (4.3). */
static uint64_t count_pages(const struct nvme_segment *segments, unsigned count,
                            uint32_t page_shift)
{
    uint64_t mask = ((uint64_t)1 << page_shift) - 1;
    uint64_t pages = 0;

    if (count == 0 || (segments[0].bus & DWORD_MASK) != 0)
        return 0;
    for (unsigned i = 0; i < count; i++) {
        if (segments[i].bytes == 0 || (i > 0 && (segments[i].bus & mask) != 0))
            return 0;
        if (i + 1 < count && ((segments[i].bus + segments[i].bytes) & mask) != 0)
            return 0;
        pages += pages_of(&segments[i], page_shift);
    }
    return pages;
}

/* Entries for consecutive pages; four at a time, for long transfers consist of this. */
static void write_run(uint64_t *list, uint64_t bus, uint32_t pages, uint64_t page_bytes)
{
    for (; pages >= 4; pages -= 4) {
        list[0] = le64(bus);
        list[1] = le64(bus + page_bytes);
        list[2] = le64(bus + 2 * page_bytes);
        list[3] = le64(bus + 3 * page_bytes);
        list += 4;
        bus += 4 * page_bytes;
    }
    for (; pages != 0; pages--) {
        *list++ = le64(bus);
        bus += page_bytes;
    }
}

/* Write list entries; the last one of a page that is not the last page points to the next page. */
static void fill_list(struct nvme_prps *prps, const struct nvme_segment *segments)
{
    uint64_t page_bytes = (uint64_t)1 << prps->page_shift;
    uint32_t per_page = (uint32_t)(page_bytes / PRP_BYTES);
    uint32_t left = prps->entries;
    uint32_t at = 0; /* entry of all list pages taken together */
    /* PRP1 is the first page of all. */
    uint64_t bus = (segments->bus & ~(page_bytes - 1)) + page_bytes;
    uint32_t pages = pages_of(segments, prps->page_shift) - 1;

    prps->used_pages = 1;
    for (;;) {
        uint32_t room = per_page - (at & (per_page - 1)); /* in this list page */
        uint32_t run = left <= room ? left : room - 1;    /* all of it only if that is the end */

        if (run > pages)
            run = pages;
        write_run(&prps->list[at], bus, run, page_bytes);
        at += run;
        left -= run;
        if (left == 0)
            return;
        bus += run * page_bytes;
        pages -= run;
        if (pages == 0) {
            segments++;
            bus = segments->bus;
            pages = pages_of(segments, prps->page_shift);
        }
        if ((at & (per_page - 1)) == per_page - 1 && left > 1) {
            at++;
            prps->list[at - 1] = le64(prps->list_bus + (uint64_t)at * PRP_BYTES);
            prps->used_pages++;
        }
    }
}

int nvme_prps_build(struct nvme_prps *prps, const struct nvme_segment *segments, unsigned count)
{
    uint32_t per_page = (1u << prps->page_shift) / (uint32_t)PRP_BYTES;
    uint64_t page_mask = ((uint64_t)1 << prps->page_shift) - 1;
    uint64_t pages = count_pages(segments, count, prps->page_shift);

    if (pages == 0)
        return NVME_E_INVAL;
    prps->prp1 = segments[0].bus;
    prps->prp2 = 0;
    prps->entries = 0;
    prps->used_pages = 0;
    if (pages == 1)
        return NVME_OK;
    if (pages == 2) { /* PRP2 is the second page itself */
        prps->prp2 = count == 2 ? segments[1].bus : (segments[0].bus | page_mask) + 1;
        return NVME_OK;
    }
    if (prps->list_pages == 0 || pages - 1 > (uint64_t)prps->list_pages * (per_page - 1) + 1)
        return NVME_E_INVAL;
    prps->entries = (uint32_t)pages - 1;
    prps->prp2 = prps->list_bus;
    fill_list(prps, segments);
    return NVME_OK;
}

/* The rules stated at struct nvme_transfer_policy. */
bool nvme_data_bounces(const struct nvme_config *config, enum nvme_op op, uintptr_t address,
                       uint32_t bytes)
{
    const struct nvme_transfer_policy *policy = op == NVME_OP_READ ? &config->read : &config->write;

    if (config->bounce_bytes == 0 || bytes > config->bounce_bytes)
        return false;
    if ((address & DWORD_MASK) != 0 || bytes < policy->direct_min_bytes)
        return true;
    return (address & (policy->direct_align_bytes - 1)) != 0;
}

static enum nvme_dir direction(enum nvme_op op)
{
    return op == NVME_OP_READ ? NVME_FROM_DEVICE : NVME_TO_DEVICE;
}

static unsigned map_flags(const struct nvme *nvme)
{
    return nvme->config.dma_list == NVME_DMA_LIST_FRESH ? NVME_MAP_FRESH_LIST : 0;
}

int nvme_data_describe(struct nvme_queue *queue, const struct nvme_dma *list,
                       const struct nvme_segment *segments, unsigned count, uint64_t *prp1,
                       uint64_t *prp2)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_prps prps;
    int error;

    prps.list = list->cpu;
    prps.list_bus = list->bus;
    prps.list_pages = nvme->config.list_pages;
    prps.page_shift = nvme->page_shift;
    error = nvme_prps_build(&prps, segments, count);
    if (error != NVME_OK)
        return error;
    if (prps.used_pages) {
        queue->stats.prp_lists++;
        queue->stats.prp_list_pages += prps.used_pages;
        if (!nvme_coherent(nvme)) /* entries and chain pointers lie without gaps */
            nvme_dma_sync(nvme, list, (prps.entries + prps.used_pages - 1) * PRP_BYTES,
                          NVME_SYNC_FOR_DEVICE);
    }
    *prp1 = prps.prp1;
    *prp2 = prps.prp2;
    return NVME_OK;
}

static int prepare_bounced(struct nvme_queue *queue, struct nvme_slot *slot, enum nvme_op op,
                           uint64_t *prp1, uint64_t *prp2)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];
    struct nvme_segment segment = {data->bounce.bus, data->bytes};
    int error;

    if (op == NVME_OP_WRITE) {
        nvme->ops->copy(nvme->ctx, data->bounce.cpu, data->buffer, data->bytes, nvme->config.copy);
        queue->stats.bytes_bounced += data->bytes;
    }
    /* Before a read too: a line left dirty by an earlier write would fall on the device's data. */
    nvme_dma_sync(nvme, &data->bounce, data->bytes, NVME_SYNC_FOR_DEVICE);
    error = nvme_data_describe(queue, &data->list, &segment, 1, prp1, prp2);
    if (error == NVME_OK) {
        slot->flags = SLOT_BOUNCED;
        queue->stats.bounced++;
    }
    return error;
}

static int prepare_mapped(struct nvme_queue *queue, struct nvme_slot *slot, enum nvme_op op,
                          uint64_t *prp1, uint64_t *prp2)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];
    uint64_t total = 0;
    unsigned count = 0;
    int error = nvme->ops->map(nvme->ctx, data->buffer, data->bytes, direction(op), map_flags(nvme),
                               queue->segments, queue->segments_max, &count);

    if (error != NVME_OK)
        return error;
    for (unsigned i = 0; i < count && i < queue->segments_max; i++)
        total += queue->segments[i].bytes;
    error = total == data->bytes
                ? nvme_data_describe(queue, &data->list, queue->segments, count, prp1, prp2)
                : NVME_E_INVAL;
    if (error != NVME_OK) {
        nvme->ops->unmap(nvme->ctx, data->buffer, data->bytes, direction(op), map_flags(nvme));
        return error;
    }
    slot->flags = SLOT_MAPPED;
    return NVME_OK;
}

int nvme_data_prepare(struct nvme_queue *queue, struct nvme_slot *slot,
                      const struct nvme_request *request, uint64_t offset, uint32_t bytes,
                      uint64_t *prp1, uint64_t *prp2)
{
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];
    int error;

    if (request->flags & NVME_REQ_REGISTERED) {
        struct nvme_segment segment = {request->bus + offset, bytes};

        error = nvme_data_describe(queue, &data->list, &segment, 1, prp1, prp2);
    } else {
        data->buffer = (uint8_t *)request->buffer + offset;
        data->bytes = bytes;
        if (nvme_data_bounces(&queue->nvme->config, request->op, (uintptr_t)data->buffer, bytes))
            error = prepare_bounced(queue, slot, request->op, prp1, prp2);
        else
            error = prepare_mapped(queue, slot, request->op, prp1, prp2);
    }
    if (error == NVME_OK)
        queue->bytes[request->op] += bytes;
    return error;
}

void nvme_data_finish(struct nvme_queue *queue, const struct nvme_slot *slot, enum nvme_op op,
                      bool deliver)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];

    if (slot->flags & SLOT_MAPPED) {
        nvme->ops->unmap(nvme->ctx, data->buffer, data->bytes, direction(op), map_flags(nvme));
    } else if ((slot->flags & SLOT_BOUNCED) && op == NVME_OP_READ && deliver) {
        nvme_dma_sync(nvme, &data->bounce, data->bytes, NVME_SYNC_FOR_CPU);
        nvme->ops->copy(nvme->ctx, data->buffer, data->bounce.cpu, data->bytes, nvme->config.copy);
        queue->stats.bytes_bounced += data->bytes;
    }
}
