/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a block request to commands in the ring: checks, splitting, waiting for a slot (NVMe 1.4
 * sections 4.2, 6.8, 6.9, 6.15, 6.17). nvme_submit() has a short path for what is common (a
 * registered buffer, one page, a free slot) and a general one for everything; both build the entry
 * in the ring slot and leave the doorbell to nvme_queue_ring(). Completion is in reap.c.
 */
#include "internal.h"

#define DWORD_MASK    3u
#define REQUEST_FLAGS (NVME_REQ_REGISTERED | NVME_REQ_FUA)

static const struct nvme_ns *find_namespace(struct nvme_queue *queue, uint32_t nsid)
{
    const struct nvme *nvme = queue->nvme;

    if (queue->ns->public.nsid == nsid && nsid != 0)
        return queue->ns;
    for (uint32_t i = 0; i < nvme->ns_count; i++)
        if (nvme->ns[i].public.nsid == nsid) {
            nvme_queue_use_namespace(queue, &nvme->ns[i]);
            return queue->ns;
        }
    return NULL;
}

static bool has_data(enum nvme_op op)
{
    return op == NVME_OP_READ || op == NVME_OP_WRITE;
}

static uint32_t longest_command(const struct nvme_ns *ns, enum nvme_op op)
{
    return has_data(op) ? ns->max_blocks : NVME_RW_BLOCKS_MAX;
}

static uint32_t opcode(enum nvme_op op)
{
    static const uint8_t opcodes[] = {[NVME_OP_READ] = NVME_IO_READ,
                                      [NVME_OP_WRITE] = NVME_IO_WRITE,
                                      [NVME_OP_FLUSH] = NVME_IO_FLUSH,
                                      [NVME_OP_WRITE_ZEROES] = NVME_IO_WRITE_ZEROES};

    return opcodes[op];
}

void nvme_io_fail(struct nvme_request *request, int error, uint16_t status)
{
    if (request->error == NVME_OK && error != NVME_OK) { /* the first one counts */
        request->error = error;
        request->status = status;
    }
    if (request->error != NVME_OK)
        request->blocks_left = 0; /* no further pieces */
}

/* Nothing of it has been issued. */
static void rewind_request(struct nvme_request *request)
{
    request->error = NVME_OK;
    request->status = 0;
    request->result = 0;
    request->next_lba = request->lba;
    request->blocks_left = request->op == NVME_OP_FLUSH ? 1 : request->blocks;
    request->pieces_in_flight = 0;
}

struct nvme_request *nvme_io_owner(struct nvme_queue *queue, struct nvme_slot *slot)
{
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];

    if (slot_armed(queue, slot)) { /* the short path leaves all this to whoever needs it */
        slot->expect -= CID_ONE;
        data->request = slot->request;
        rewind_request(data->request);
        data->request->blocks_left = 0;
        data->request->pieces_in_flight = 1;
        data->request->retries_used = 0;
        data->request->cancelled = false;
    }
    return data->request;
}

/* The next command of a checked request. NVME_E_BUSY: no slot, nothing has changed. */
int nvme_io_issue(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme_ns *ns = find_namespace(queue, request->nsid);
    uint32_t limit = longest_command(ns, request->op);
    uint32_t blocks = request->blocks_left < limit ? request->blocks_left : limit;
    uint64_t prp1 = 0, prp2 = 0;
    uint32_t cdw12 = 0;
    struct nvme_slot *slot = queue->slot_ops->take(queue);
    int error;

    if (!slot)
        return NVME_E_BUSY;
    if (has_data(request->op)) {
        uint64_t offset =
            (uint64_t)(request->blocks - request->blocks_left) * ns->public.block_bytes;

        error = nvme_data_prepare(queue, slot, request, offset, blocks << ns->shift, &prp1, &prp2);
        if (error != NVME_OK) {
            queue->slot_ops->give(queue, slot);
            return error;
        }
    } else {
        queue->dataless++;
    }
    if (request->op != NVME_OP_FLUSH)
        cdw12 = (blocks - 1) | (request->flags & NVME_REQ_FUA ? NVME_RW_FUA : 0);
    queue->data[slot - queue->slots].request = request;
    slot->expect += queue->cid_step;
    sqe_fill(sqe_take(queue, slot),
             opcode(request->op) | (slot->expect + CID_ONE) | (uint64_t)request->nsid << 32, prp1,
             prp2, request->op == NVME_OP_FLUSH ? 0 : request->next_lba, cdw12);
    request->pieces_in_flight++;
    request->next_lba += blocks;
    request->blocks_left -= blocks;
    return sqe_turn_due(queue) ? queue->turn(queue) : NVME_OK;
}

/* While a request is in the waiting list it counts as one more piece in flight, so that it cannot
 * end under the list's feet. */
static void wait_at(struct nvme_queue *queue, struct nvme_request *request, bool front)
{
    request->pieces_in_flight++;
    if (front)
        list_prepend(&queue->waiting, request);
    else
        list_append(&queue->waiting, request);
    nvme_queue_gate(queue, queue->gate | GATE_WAITING);
}

static int check_data(const struct nvme_queue *queue, const struct nvme_ns *ns,
                      const struct nvme_request *request)
{
    const struct nvme_config *config = &queue->nvme->config;
    uint32_t blocks = request->blocks < ns->max_blocks ? request->blocks : ns->max_blocks;

    if (request->flags & NVME_REQ_REGISTERED)
        return request->bus & DWORD_MASK ? NVME_E_INVAL : NVME_OK;
    if (!request->buffer)
        return NVME_E_INVAL;
    if (((uintptr_t)request->buffer & DWORD_MASK) && blocks << ns->shift > config->bounce_bytes)
        return NVME_E_INVAL;
    return NVME_OK;
}

static int check(struct nvme_queue *queue, const struct nvme_request *request,
                 const struct nvme_ns **out)
{
    const struct nvme_ns *ns;

    if ((unsigned)request->op > NVME_OP_WRITE_ZEROES || (request->flags & ~REQUEST_FLAGS) != 0)
        return NVME_E_INVAL;
    ns = find_namespace(queue, request->nsid);
    if (!ns)
        return NVME_E_INVAL;
    *out = ns;
    if (request->op == NVME_OP_FLUSH)
        return NVME_OK;
    if (request->blocks == 0)
        return NVME_E_INVAL;
    if (request->lba > ns->public.blocks || request->blocks > ns->public.blocks - request->lba)
        return NVME_E_RANGE;
    if (request->op == NVME_OP_WRITE_ZEROES)
        return queue->nvme->can_write_zeroes ? NVME_OK : NVME_E_UNSUPPORTED;
    return check_data(queue, ns, request);
}

/* Without a volatile write cache there is nothing to flush (6.8). The request still ends in a poll;
 * where only interrupts lead to one, the command is sent all the same. */
static bool flush_is_void(const struct nvme *nvme)
{
    return !nvme->info.volatile_write_cache && !nvme->config.flush_always &&
           nvme->config.completion == NVME_COMPLETION_POLL;
}

/* The pieces of a split request after the first, as far as there are slots. */
static void issue_rest(struct nvme_queue *queue, struct nvme_request *request)
{
    while (request->blocks_left != 0) {
        int error = nvme_io_issue(queue, request);

        if (error == NVME_E_BUSY) {
            wait_at(queue, request, false);
            return;
        }
        nvme_io_fail(request, error, 0); /* the pieces already issued decide when it ends */
    }
}

static int submit_general(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme *nvme = queue->nvme;
    const struct nvme_ns *ns = NULL;
    int error = NVME_E_BUSY;

    rewind_request(request);
    request->retries_used = 0;
    request->cancelled = request->was_split = false;
    if (!(queue->gate & GATE_CLOSED)) {
        error = check(queue, request, &ns);
        if (error != NVME_OK)
            return error;
        request->was_split = request->blocks_left > longest_command(ns, request->op);
        if (request->op == NVME_OP_FLUSH && flush_is_void(nvme)) {
            list_append(&queue->ended_list, request);
            return NVME_OK;
        }
        error = queue->gate & GATE_WAITING ? NVME_E_BUSY : nvme_io_issue(queue, request);
    } else if (!(queue->gate & GATE_RECOVERING)) {
        return NVME_E_STATE;
    }
    if (error == NVME_E_BUSY && nvme->config.full == NVME_FULL_QUEUE) {
        queue->stats.splits += request->was_split;
        queue->stats.waits++;
        wait_at(queue, request, false);
        return NVME_OK;
    }
    queue->stats.busy_rejects += error == NVME_E_BUSY;
    if (error != NVME_OK)
        return error;
    if (request->was_split) {
        queue->stats.splits++;
        if (nvme->config.split == NVME_SPLIT_SERIAL)
            nvme_queue_ring(queue); /* each piece is rung at once */
        else
            issue_rest(queue, request);
    }
    return NVME_OK;
}

static NOINLINE int submit_locked(struct nvme_queue *queue, struct nvme_request *request)
{
    int error;

    queue_lock(queue->nvme, queue->sq.qid);
    error = submit_general(queue, request);
    queue_unlock(queue->nvme, queue->sq.qid);
    return error;
}

/* A checked read or write in one command from a registered buffer: nothing will have to be undone
 * when it ends, and the slot points to the request itself. The slot is the stack's top. */
static inline int issue_plain(struct nvme_queue *queue, struct nvme_request *request,
                              struct nvme_slot *slot, uint64_t prp1, uint64_t prp2)
{
    struct nvme_short *plain = &queue->plain;

    queue->free = slot->next_free;
    slot->request = request;
    slot->expect += queue->cid_arm;
    plain->moved[request->op] += request->blocks;
    sqe_fill(sqe_take(queue, slot), plain->command[request->op] | slot->expect, prp1, prp2,
             request->lba, (uint64_t)request->blocks - 1);
    return UNLIKELY(sqe_turn_due(queue)) ? queue->turn(queue) : NVME_OK;
}

/* Gates open, buffer registered, not within one page; perhaps still for one command. */
static NOINLINE int submit_long(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme_ns *ns = queue->ns;
    struct nvme_slot *slot = queue->free;
    struct nvme_segment segment;
    uint64_t prp1, prp2;

    if (!slot || !has_data(request->op) || request->nsid != ns->public.nsid ||
        request->blocks - 1 >= ns->max_blocks || request->lba > ns->public.blocks ||
        request->blocks > ns->public.blocks - request->lba)
        return submit_locked(queue, request);
    segment.bus = request->bus;
    segment.bytes = request->blocks << ns->shift;
    if (nvme_data_describe(queue, &queue->data[slot - queue->slots].list, &segment, 1, &prp1,
                           &prp2) != NVME_OK)
        return submit_locked(queue, request);
    request->was_split = false;
    return issue_plain(queue, request, slot, prp1, prp2);
}

int nvme_submit(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme_short *plain = &queue->plain;
    struct nvme_slot *slot = queue->free;
    uint64_t nlb = (uint64_t)request->blocks - 1; /* 0-based (6.9); huge for no blocks at all */

    /* Whatever is not plain goes another way, errors included. A page-aligned buffer of at most one
     * page needs PRP1 only (4.3). */
    if (UNLIKELY((uint32_t)request->op > NVME_OP_WRITE || request->flags != NVME_REQ_REGISTERED ||
                 request->nsid != plain->nsid || nlb >= plain->blocks ||
                 request->lba > plain->lba || (request->bus & plain->page_mask) != 0 || !slot))
        return queue->gate == 0 && request->flags == NVME_REQ_REGISTERED
                   ? submit_long(queue, request)
                   : submit_locked(queue, request);
    return issue_plain(queue, request, slot, request->bus, 0);
}

/* ---- the way back, from reap.c ---- */

/* A command of the general path has ended; its slot is still taken. */
void nvme_io_piece_done(struct nvme_queue *queue, struct nvme_slot *slot, int error,
                        uint16_t status, uint32_t result)
{
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];
    struct nvme_request *request = data->request;

    data->request = NULL;
    nvme_data_finish(queue, slot, request->op, error == NVME_OK);
    slot->flags &= SLOT_ABORT_SENT;
    request->result = result;
    nvme_io_fail(request, error, status);
    if (--request->pieces_in_flight != 0)
        return;
    if (request->blocks_left)
        list_append(&queue->resume, request);
    else if (!nvme_retry(queue, request))
        list_append(&queue->done, request);
}

/* Once more, from its beginning, after those that wait already. */
void nvme_io_again(struct nvme_queue *queue, struct nvme_request *request)
{
    rewind_request(request);
    wait_at(queue, request, false);
}

/* After a recovery: requests were taken in without a look, or for namespaces as they were. None of
 * them has a command in flight. */
void nvme_io_check_waiting(struct nvme_queue *queue)
{
    struct nvme_list all = queue->waiting;
    struct nvme_request *request;
    const struct nvme_ns *ns;

    if (!all.first)
        return;
    list_init(&queue->waiting);
    while ((request = list_take(&all))) {
        int error = check(queue, request, &ns);

        if (error == NVME_OK) {
            request->was_split = request->blocks_left > longest_command(ns, request->op);
            list_append(&queue->waiting, request);
        } else {
            nvme_io_fail(request, error, 0);
            list_append(&queue->ended_list, request);
        }
    }
}

/* After entries were consumed and the CQ doorbell was rung: the next piece of serial splits, then
 * those that wait, in their order. */
void nvme_io_resume(struct nvme_queue *queue)
{
    struct nvme_request *request;
    int error;

    while ((request = list_take(&queue->resume))) {
        error = nvme_io_issue(queue, request);
        if (error == NVME_OK) {
            nvme_queue_ring(queue);
        } else if (error == NVME_E_BUSY) {
            wait_at(queue, request, true);
        } else {
            nvme_io_fail(request, error, 0);
            list_append(&queue->done, request);
        }
    }
    while ((request = queue->waiting.first)) {
        if (request->blocks_left != 0) {
            error = nvme_io_issue(queue, request);
            if (error == NVME_E_BUSY)
                break;
            if (error != NVME_OK) {
                nvme_io_fail(request, error, 0);
            } else if (request->blocks_left != 0 &&
                       queue->nvme->config.split == NVME_SPLIT_PARALLEL) {
                continue;
            }
        }
        list_take(&queue->waiting);
        if (--request->pieces_in_flight == 0)
            list_append(&queue->done, request);
    }
    if (!queue->waiting.first && (queue->gate & GATE_WAITING))
        nvme_queue_gate(queue, queue->gate & ~GATE_WAITING);
    nvme_queue_ring(queue);
}
