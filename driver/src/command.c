/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a block request to submission queue entries, one at a time (NVMe 1.4 sections 4.2, 6.6 to
 * 6.9, 6.14, 6.15, 6.17): what may be asked for, how much of it one command takes, and the entry.
 * Called by io.c, under the queue lock. The data pointer is data.c's; plain reads and writes have a
 * way of their own in io.c.
 */
#include "internal.h"

#define REQUEST_FLAGS                                                                              \
    (NVME_REQ_REGISTERED | NVME_REQ_FUA | NVME_REQ_VECTOR | NVME_REQ_MORE | NVME_REQ_NO_DEALLOCATE)
#define NSID_ALL    UINT32_MAX
#define ONE_COMMAND (1u << NVME_OP_FLUSH | 1u << NVME_OP_DEALLOCATE | 1u << NVME_OP_RAW)

/* By enum nvme_op, but for raw. */
static const struct rule {
    uint8_t opcode;
    uint8_t data; /* whether blocks are transferred */
    uint8_t oncs; /* bits of ONCS that the controller must have (5.15.2.2) */
} rules[] = {[NVME_OP_READ] = {NVME_IO_READ, 1, 0},
             [NVME_OP_WRITE] = {NVME_IO_WRITE, 1, 0},
             [NVME_OP_FLUSH] = {NVME_IO_FLUSH, 0, 0},
             [NVME_OP_WRITE_ZEROES] = {NVME_IO_WRITE_ZEROES, 0, NVME_IDC_ONCS_ZEROES},
             [NVME_OP_COMPARE] = {NVME_IO_COMPARE, 1, NVME_IDC_ONCS_COMPARE},
             [NVME_OP_VERIFY] = {NVME_IO_VERIFY, 0, NVME_IDC_ONCS_VERIFY},
             [NVME_OP_DEALLOCATE] = {NVME_IO_DATASET, 0, NVME_IDC_ONCS_DATASET}};

static const struct nvme_ns *find_namespace(struct nvme_queue *queue, uint32_t nsid)
{
    const struct nvme *nvme = queue->nvme;

    if (nsid == 0) /* entries that are nobody's have it */
        return NULL;
    if (queue->ns->public.nsid == nsid)
        return queue->ns;
    for (uint32_t i = 0; i < nvme->ns_count; i++)
        if (nvme->ns[i].public.nsid == nsid) {
            nvme_queue_use_namespace(queue, &nvme->ns[i]);
            return queue->ns;
        }
    return NULL;
}

/* ---- checks ---- */

/* Whether the device could be led to this part of the data, at least through a bounce buffer. Bytes
 * apart, because a buffer in one piece may be longer than a part. */
static NOINLINE bool part_ok(const struct nvme *nvme, uint32_t flags,
                             const struct nvme_vector *part, uint64_t bytes)
{
    if (flags & NVME_REQ_REGISTERED)
        return ((part->bus | (part->bus + bytes - 1)) & nvme->unreachable) == 0 &&
               ((uint32_t)part->bus & nvme->dword_mask) == 0;
    return part->cpu &&
           (nvme->config.bounce_bytes || ((uintptr_t)part->cpu & nvme->dword_mask) == 0);
}

static int check_data(const struct nvme *nvme, const struct nvme_request *request, uint64_t bytes)
{
    const struct nvme_vector whole = {request->buffer, request->bus, 0};
    const struct nvme_vector *part = request->vector;

    if (!(request->flags & NVME_REQ_VECTOR))
        return part_ok(nvme, request->flags, &whole, bytes) ? NVME_OK : NVME_E_INVAL;
    for (uint32_t i = request->vector_count; i != 0; i--, part++) {
        if (part->bytes == 0 || part->bytes > bytes ||
            !part_ok(nvme, request->flags, part, part->bytes))
            return NVME_E_INVAL;
        bytes -= part->bytes;
    }
    return bytes == 0 ? NVME_OK : NVME_E_INVAL;
}

/* Several for a deallocate; else the one range lba, blocks. */
static int check_ranges(const struct nvme_ns *ns, const struct nvme_request *request)
{
    const struct nvme_range one = {request->lba, request->blocks};
    const struct nvme_range *range = &one;
    uint32_t count = 1;

    if (request->op == NVME_OP_DEALLOCATE && request->ranges) {
        range = request->ranges;
        count = request->vector_count;
        if (count == 0)
            return NVME_E_INVAL;
    }
    for (; count != 0; count--, range++) {
        if (range->blocks == 0)
            return NVME_E_INVAL;
        if (range->lba > ns->public.blocks || range->blocks > ns->public.blocks - range->lba)
            return NVME_E_RANGE;
    }
    return NVME_OK;
}

/* The opcode's two low bits (4.2): 1 to the device, 2 from it, 3 both. */
static uint32_t opcode_direction(enum nvme_dir dir)
{
    return (uint32_t)dir - NVME_TO_DEVICE + 1;
}

/* Only what could lead the device to memory that is not the request's, or leave it without. */
static int check_raw(struct nvme_queue *queue, const struct nvme_request *request)
{
    const struct nvme *nvme = queue->nvme;
    const struct nvme_raw *raw = request->raw;
    uint32_t nsid = raw->command.nsid;
    uint32_t direction = raw->command.opcode & NVME_OPCODE_DATA;
    bool vendor = raw->command.opcode >= NVME_OPCODE_VENDOR;
    bool known = (vendor && nsid == 0) ||
                 ((vendor || raw->command.opcode == NVME_IO_FLUSH) && nsid == NSID_ALL) ||
                 find_namespace(queue, nsid);

    for (uint32_t i = 0; direction == 0 && i < nvme->list_count; i++)
        known |= nvme->nsids[i] == nsid;
    if (!known || raw->bytes > nvme->info.max_transfer)
        return NVME_E_INVAL;
    if (raw->bytes == 0)
        return direction == 0 || vendor ? NVME_OK : NVME_E_INVAL;
    if (direction != opcode_direction(raw->dir))
        return NVME_E_INVAL;
    return check_data(nvme, request, raw->bytes);
}

int nvme_command_check(struct nvme_queue *queue, const struct nvme_request *request)
{
    const struct nvme *nvme = queue->nvme;
    const struct nvme_ns *ns;
    const struct rule *rule;
    int error;

    if ((unsigned)request->op > NVME_OP_RAW || (request->flags & ~REQUEST_FLAGS) != 0)
        return NVME_E_INVAL;
    if (request->op == NVME_OP_RAW)
        return check_raw(queue, request);
    rule = &rules[request->op];
    ns = find_namespace(queue, request->nsid);
    if (!ns)
        return NVME_E_INVAL;
    if (request->op == NVME_OP_FLUSH)
        return NVME_OK;
    if (rule->oncs & ~nvme->info.oncs)
        return NVME_E_UNSUPPORTED;
    error = check_ranges(ns, request);
    if (error != NVME_OK || !rule->data)
        return error;
    return check_data(nvme, request, (uint64_t)request->blocks * ns->public.block_bytes);
}

uint32_t nvme_command_units(const struct nvme_request *request)
{
    if (request->op == NVME_OP_DEALLOCATE && request->ranges)
        return request->vector_count;
    return (1u << request->op & ONE_COMMAND) != 0 ? 1 : request->blocks;
}

/* ---- entries ---- */

/* Blocks from here to the next optimal boundary. The remainder digit by digit, because there may be
 * no 64-bit division; boundary < 65536. */
static uint32_t to_boundary(uint64_t lba, uint32_t boundary)
{
    uint32_t rest = 0;

    for (unsigned digit = 0; digit < 4; digit++, lba <<= 16)
        rest = (rest << 16 | (uint32_t)(lba >> 48)) % boundary;
    return boundary - rest;
}

/* data->bytes of the request's data, of which the first `done` bytes are behind, become the
 * command's. See nvme_data_prepare(). */
static int point(struct nvme_queue *queue, struct nvme_slot_data *data,
                 struct nvme_request *request, uint64_t done, uint32_t unit, struct nvme_sqe *sqe)
{
    int error;

    data->vector = request->next_vector;
    data->offset = request->vector_offset;
    if (!(request->flags & NVME_REQ_VECTOR)) {
        data->whole = (struct nvme_vector){nvme_data_at(request->buffer, (size_t)done),
                                           request->bus + done, data->bytes};
        data->vector = &data->whole;
        data->offset = 0;
    }
    error = nvme_data_prepare(queue, data, (request->flags & NVME_REQ_REGISTERED) != 0, unit, sqe);
    if (error == NVME_OK)
        nvme_data_advance(data, request); /* of no interest if it is one buffer */
    return error;
}

static int build_raw(struct nvme_queue *queue, struct nvme_slot_data *data,
                     struct nvme_request *request, struct nvme_sqe *sqe)
{
    const struct nvme_command *c = &request->raw->command;

    sqe->command_nsid = c->opcode | (uint64_t)c->nsid << 32;
    sqe->cdw2_3 = c->cdw2 | (uint64_t)c->cdw3 << 32;
    sqe->cdw10_11 = c->cdw10 | (uint64_t)c->cdw11 << 32;
    sqe->cdw12_13 = c->cdw12 | (uint64_t)c->cdw13 << 32;
    sqe->cdw14_15 = c->cdw14 | (uint64_t)c->cdw15 << 32;
    data->bytes = request->raw->bytes;
    data->dir = request->raw->dir;
    return data->bytes ? point(queue, data, request, 0, 0, sqe) : NVME_OK;
}

/* Dataset Management (6.7). Returns the number of ranges in it. */
static uint32_t build_deallocate(const struct nvme *nvme, const struct nvme_dma *list,
                                 struct nvme_request *request, struct nvme_sqe *sqe)
{
    const struct nvme_range one = {request->lba, request->blocks};
    const struct nvme_range *range = request->ranges ? request->next_range : &one;
    uint64_t *at = list->cpu;
    uint32_t count =
        request->blocks_left < NVME_RANGES_MAX ? request->blocks_left : NVME_RANGES_MAX;

    for (uint32_t i = 0; i < count; i++, range++) {
        *at++ = le64((uint64_t)range->blocks << 32);
        *at++ = le64(range->lba);
    }
    nvme_dma_sync(nvme, list, count * NVME_RANGE_BYTES, NVME_SYNC_FOR_DEVICE);
    request->next_range = range;
    sqe->prp1 = list->bus;
    sqe->cdw10_11 = (count - 1) | (uint64_t)NVME_DATASET_AD << 32;
    return count;
}

/* A command on request->next_lba. *count: its blocks. */
static int build_blocks(struct nvme_queue *queue, struct nvme_slot_data *data,
                        struct nvme_request *request, struct nvme_sqe *sqe, uint32_t *count)
{
    const struct nvme_ns *ns = find_namespace(queue, request->nsid);
    bool has_data = rules[request->op].data;
    uint32_t blocks = has_data ? ns->max_blocks : NVME_RW_BLOCKS_MAX;
    uint32_t flags = request->flags & NVME_REQ_FUA ? NVME_RW_FUA : 0;

    if (has_data && queue->nvme->config.split_at_boundary && ns->public.optimal_boundary) {
        uint32_t before = to_boundary(request->next_lba, ns->public.optimal_boundary);

        if (blocks > before)
            blocks = before;
    }
    if (blocks > request->blocks_left)
        blocks = request->blocks_left;
    if (has_data) {
        int error;

        data->bytes = blocks << ns->shift;
        data->dir = request->op == NVME_OP_READ ? NVME_FROM_DEVICE : NVME_TO_DEVICE;
        error = point(queue, data, request,
                      (uint64_t)(request->blocks - request->blocks_left) * ns->public.block_bytes,
                      ns->public.block_bytes, sqe);
        if (error != NVME_OK)
            return error;
        blocks = data->bytes >> ns->shift;
        if (request->op <= NVME_OP_WRITE)
            queue->bytes[request->op] += data->bytes;
    }
    if (request->op == NVME_OP_WRITE_ZEROES && !(request->flags & NVME_REQ_NO_DEALLOCATE))
        flags |= ns->zero_flags;
    sqe->cdw10_11 = request->next_lba;
    sqe->cdw12_13 = (blocks - 1) | flags;
    request->next_lba += blocks;
    *count = blocks;
    return NVME_OK;
}

/* All words, as the short path does not. */
static void store(struct nvme_queue *queue, struct nvme_slot *slot, const struct nvme_sqe *sqe)
{
    const uint64_t *from = &sqe->command_nsid;
    uint64_t *to;

    if (sqe->cdw2_3 | sqe->cdw14_15) {
        /* Zero again once the entry that takes this one's place is stored. */
        queue->words_end = (uint32_t)queue->sequence + queue->depth;
        nvme_queue_gate(queue, queue->gate | GATE_WORDS);
    } else if ((queue->gate & GATE_WORDS) && (uint32_t)queue->sequence == queue->words_end) {
        nvme_queue_gate(queue, queue->gate & ~GATE_WORDS);
    }
    to = &sqe_take(queue, slot)->command_nsid;
    for (unsigned i = 0; i < sizeof(*sqe) / sizeof(*to); i++)
        to[i] = le64(from[i]);
}

/* NVME_E_BUSY: no slot, nothing has changed. */
int nvme_command_issue(struct nvme_queue *queue, struct nvme_request *request)
{
    struct nvme_slot *slot = queue->slot_ops->take(queue);
    struct nvme_sqe sqe = {0};
    struct nvme_slot_data *data;
    uint32_t count = 1;
    int error = NVME_OK;

    if (!slot)
        return NVME_E_BUSY;
    data = &queue->data[slot - queue->slots];
    data->bytes = 0;
    if (request->op == NVME_OP_RAW) {
        error = build_raw(queue, data, request, &sqe);
    } else {
        sqe.command_nsid = rules[request->op].opcode | (uint64_t)request->nsid << 32;
        if (request->op == NVME_OP_DEALLOCATE)
            count = build_deallocate(queue->nvme, &data->list, request, &sqe);
        else if (request->op != NVME_OP_FLUSH)
            error = build_blocks(queue, data, request, &sqe, &count);
    }
    if (error != NVME_OK) {
        queue->slot_ops->give(queue, slot);
        return error;
    }
    if (data->bytes == 0)
        queue->dataless++;
    slot->expect += queue->cid_step;
    sqe.command_nsid |= slot->expect + CID_ONE;
    data->request = request;
    store(queue, slot, &sqe);
    request->pieces_in_flight++;
    request->blocks_left -= count;
    if (request->blocks_left != 0 && !request->was_split) {
        request->was_split = true;
        queue->stats.splits++;
    }
    return sqe_turn_due(queue) ? queue->turn(queue) : NVME_OK;
}
