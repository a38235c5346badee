/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way that a command's data takes: copied through the slot's bounce buffer, mapped piece by
 * piece, or registered; and how it is described, by PRPs (NVMe 1.4 section 4.3, prp.c) or an SGL
 * (4.4, sgl.c). Called by command.c before a command is written and by io.c and queue.c after it
 * has ended, under the queue lock. What is mapped here is unmapped exactly once: here if the
 * command does not come about, else by nvme_data_finish(). Left out: metadata.
 */
#include "internal.h"

/* The parts of a command's data, one after the other. */
struct walk {
    const struct nvme_vector *at;
    uint32_t offset, left;
};

/* `bytes`: of the data, from its start. */
static void walk_start(struct walk *walk, const struct nvme_slot_data *data, uint32_t bytes)
{
    walk->at = data->vector;
    walk->offset = data->offset;
    walk->left = bytes;
}

static bool walk_next(struct walk *walk, struct nvme_vector *part)
{
    if (walk->left == 0)
        return false;
    part->cpu = nvme_data_at(walk->at->cpu, walk->offset);
    part->bus = walk->at->bus + walk->offset;
    part->bytes = walk->at->bytes - walk->offset;
    if (part->bytes > walk->left) {
        part->bytes = walk->left;
        walk->offset += part->bytes;
    } else {
        walk->at++;
        walk->offset = 0;
    }
    walk->left -= part->bytes;
    return true;
}

void nvme_data_advance(const struct nvme_slot_data *data, struct nvme_request *request)
{
    struct nvme_vector part;
    struct walk walk;

    walk_start(&walk, data, data->bytes);
    while (walk_next(&walk, &part))
        ;
    request->next_vector = walk.at;
    request->vector_offset = walk.offset;
}

/* The rules stated at struct nvme_transfer_policy. address: of all parts, or-ed; dword_mask: bits
 * of it that must be zero for the device. */
bool nvme_data_bounces(const struct nvme_config *config, enum nvme_dir dir, uintptr_t address,
                       uint32_t bytes, uint32_t dword_mask)
{
    const struct nvme_transfer_policy *policy =
        dir == NVME_FROM_DEVICE ? &config->read : &config->write;

    if (config->bounce_bytes == 0 || bytes > config->bounce_bytes)
        return false;
    return bytes < policy->direct_min_bytes ||
           (address & ((policy->direct_align_bytes - 1) | dword_mask)) != 0;
}

static uintptr_t address_bits(const struct nvme_slot_data *data)
{
    struct nvme_vector part;
    struct walk walk;
    uintptr_t bits = 0;

    walk_start(&walk, data, data->bytes);
    while (walk_next(&walk, &part))
        bits |= (uintptr_t)part.cpu;
    return bits;
}

/* ---- descriptions ---- */

static void use_list(const struct nvme *nvme, const struct nvme_dma *list, struct nvme_dptr *dptr)
{
    dptr->list = list->cpu;
    dptr->list_bus = list->bus;
    dptr->list_pages = nvme->config.list_pages;
    dptr->page_shift = nvme->page_shift;
}

int nvme_data_describe(struct nvme_queue *queue, const struct nvme_dma *list,
                       const struct nvme_segment *segments, unsigned count, struct nvme_dptr *dptr)
{
    const struct nvme *nvme = queue->nvme;
    int error;

    use_list(nvme, list, dptr);
    error = nvme_prps_build(dptr, segments, count);
    if (error == NVME_OK && dptr->used_pages) {
        queue->stats.prp_lists++;
        queue->stats.prp_list_pages += dptr->used_pages;
        if (!nvme_coherent(nvme)) /* entries and chain pointers lie without gaps */
            nvme_dma_sync(nvme, list, (dptr->entries + dptr->used_pages - 1) * sizeof(uint64_t),
                          NVME_SYNC_FOR_DEVICE);
    }
    return error;
}

static bool describe_by_sgl(struct nvme_queue *queue, const struct nvme_slot_data *data,
                            unsigned count, struct nvme_dptr *dptr, struct nvme_sqe *sqe)
{
    const struct nvme *nvme = queue->nvme;

    use_list(nvme, &data->list, dptr);
    if (nvme_sgl_build(dptr, queue->segments, count, nvme->dword_mask) != NVME_OK)
        return false;
    if (dptr->entries)
        nvme_dma_sync(nvme, &data->list, dptr->entries * NVME_SGL_BYTES, NVME_SYNC_FOR_DEVICE);
    sqe->command_nsid |= NVME_SQE_PSDT_SGL;
    queue->stats.sgls++;
    return true;
}

/* What lies in queue->segments, as config.sgl has it. *fits: how much of it PRPs can describe. */
static int describe(struct nvme_queue *queue, const struct nvme_slot_data *data, unsigned count,
                    struct nvme_sqe *sqe, uint32_t *fits)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_dptr dptr;
    int error = NVME_OK;

    if (!IF_SGL(nvme->sgl_by_size) || data->bytes < (uint64_t)nvme->config.sgl_min_bytes * count ||
        !describe_by_sgl(queue, data, count, &dptr, sqe)) {
        error = nvme_data_describe(queue, &data->list, queue->segments, count, &dptr);
        *fits = dptr.fits;
        if (error != NVME_OK && IF_SGL(nvme->sgl) &&
            describe_by_sgl(queue, data, count, &dptr, sqe))
            error = NVME_OK;
    }
    sqe->prp1 = dptr.prp1;
    sqe->prp2 = dptr.prp2;
    return error;
}

/* ---- bounced ---- */

static void copy(struct nvme_queue *queue, const struct nvme_slot_data *data, bool to_device)
{
    const struct nvme *nvme = queue->nvme;
    uint8_t *bounce = data->bounce.cpu;
    struct nvme_vector part;
    struct walk walk;

    walk_start(&walk, data, data->bytes);
    for (; walk_next(&walk, &part); bounce += part.bytes)
        nvme->ops->copy(nvme->ctx, to_device ? bounce : part.cpu, to_device ? part.cpu : bounce,
                        part.bytes, nvme->config.copy);
    queue->stats.bytes_bounced += data->bytes;
}

static int prepare_bounced(struct nvme_queue *queue, struct nvme_slot_data *data,
                           struct nvme_sqe *sqe)
{
    uint32_t fits;
    int error;

    if (data->dir != NVME_FROM_DEVICE)
        copy(queue, data, true);
    /* Before a read too: a line left dirty by an earlier write would fall on the device's data. */
    nvme_dma_sync(queue->nvme, &data->bounce, data->bytes, NVME_SYNC_FOR_DEVICE);
    queue->segments[0] = (struct nvme_segment){data->bounce.bus, data->bytes};
    error = describe(queue, data, 1, sqe, &fits);
    if (error == NVME_OK) {
        data->flags = SLOT_BOUNCED;
        queue->stats.bounced++;
    }
    return error;
}

/* ---- direct ---- */

static unsigned map_flags(const struct nvme *nvme)
{
    return nvme->config.dma_list == NVME_DMA_LIST_FRESH ? NVME_MAP_FRESH_LIST : 0;
}

/* The parts within the first `bytes`, which are whole parts. */
static void unmap(const struct nvme *nvme, const struct nvme_slot_data *data, uint32_t bytes)
{
    struct nvme_vector part;
    struct walk walk;

    walk_start(&walk, data, bytes);
    while (walk_next(&walk, &part))
        nvme->ops->unmap(nvme->ctx, part.cpu, part.bytes, data->dir, map_flags(nvme));
}

/* Map all parts, or take them as they are, into queue->segments; neighbours become one. only_prps:
 * stop where PRPs do. *mapped, *count and *fits: bytes mapped, segments, and bytes in these, as far
 * as it came if it fails. */
static int collect(struct nvme_queue *queue, const struct nvme_slot_data *data, bool registered,
                   bool only_prps, uint32_t *mapped, unsigned *count, uint32_t *fits)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_vector part;
    struct walk walk;

    *mapped = *count = *fits = 0;
    walk_start(&walk, data, data->bytes);
    while (walk_next(&walk, &part)) {
        struct nvme_segment *to = &queue->segments[*count];
        unsigned room = queue->segments_max - *count;
        unsigned found = 1;

        if (room == 0)
            return NVME_E_INVAL;
        if (registered) {
            *to = (struct nvme_segment){part.bus, part.bytes};
        } else {
            int error = nvme->ops->map(nvme->ctx, part.cpu, part.bytes, data->dir, map_flags(nvme),
                                       to, room, &found);

            if (error != NVME_OK)
                return error;
            *mapped += part.bytes;
        }
        for (; found != 0 && room != 0; found--, room--, to++) {
            struct nvme_segment *next = &queue->segments[*count];
            uint64_t end = *count != 0 ? next[-1].bus + next[-1].bytes : 0;

            if (*count != 0 && end == to->bus) {
                next[-1].bytes += to->bytes;
            } else {
                if (only_prps && *count != 0 &&
                    (((uint32_t)end | (uint32_t)to->bus) & (nvme->info.page_bytes - 1)) != 0)
                    return NVME_E_INVAL;
                *next = *to;
                ++*count;
            }
            *fits += to->bytes;
        }
    }
    return *fits == data->bytes ? NVME_OK : NVME_E_INVAL;
}

static int prepare_direct(struct nvme_queue *queue, struct nvme_slot_data *data, bool registered,
                          bool only_prps, struct nvme_sqe *sqe, uint32_t *fits)
{
    uint32_t mapped;
    unsigned count;
    int error = collect(queue, data, registered, only_prps, &mapped, &count, fits);

    if (error == NVME_OK)
        error = describe(queue, data, count, sqe, fits);
    if (error != NVME_OK)
        unmap(queue->nvme, data, mapped);
    else if (!registered)
        data->flags = SLOT_MAPPED;
    return error;
}

/* Directly if it can be; else copied whole, or as much as PRPs describe, or as much as a bounce
 * buffer takes. */
int nvme_data_prepare(struct nvme_queue *queue, struct nvme_slot_data *data, bool registered,
                      uint32_t unit, struct nvme_sqe *sqe)
{
    const struct nvme *nvme = queue->nvme;
    uint32_t room = registered ? 0 : nvme->config.bounce_bytes;
    uint32_t fits;
    int error;

    if (room != 0 && nvme_data_bounces(&nvme->config, data->dir, address_bits(data), data->bytes,
                                       nvme->dword_mask))
        return prepare_bounced(queue, data, sqe);
    for (;;) {
        error = prepare_direct(queue, data, registered, !IF_SGL(nvme->sgl) && data->bytes > room,
                               sqe, &fits);
        if (error != NVME_E_INVAL && error != NVME_E_UNSUPPORTED)
            return error;
        if (data->bytes <= room)
            return prepare_bounced(queue, data, sqe);
        fits &= 0u - unit;
        if (fits == 0 || fits >= data->bytes)
            break;
        data->bytes = fits;
    }
    data->bytes = room & (0u - unit);
    return data->bytes ? prepare_bounced(queue, data, sqe) : error;
}

void nvme_data_finish(struct nvme_queue *queue, struct nvme_slot_data *data, bool deliver)
{
    const struct nvme *nvme = queue->nvme;

    if (data->flags & SLOT_MAPPED) {
        unmap(nvme, data, data->bytes);
    } else if ((data->flags & SLOT_BOUNCED) && data->dir != NVME_TO_DEVICE && deliver) {
        nvme_dma_sync(nvme, &data->bounce, data->bytes, NVME_SYNC_FOR_CPU);
        copy(queue, data, false);
    }
    data->flags = 0;
}
