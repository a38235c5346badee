/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block request's life: submission, its commands one after the other or together, waiting for a
 * slot, and its end (NVMe 1.4 sections 4.2, 6.8, 6.9, 6.15). nvme_submit() has a short path for
 * what is common (a registered buffer, one page, a free slot) and a general one for everything,
 * whose commands are built by command.c; the doorbell is left to nvme_queue_ring(). Completion
 * entries are reap.c's.
 */
#include "internal.h"

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

/* Without a volatile write cache there is nothing to flush (6.8). The request still ends in a poll;
 * where only interrupts lead to one, the command is sent all the same. */
static bool flush_is_void(const struct nvme *nvme)
{
    return !nvme->info.volatile_write_cache && !nvme->config.flush_always &&
           nvme->config.completion == NVME_COMPLETION_POLL;
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
    request->pieces_in_flight = 0;
    request->next_lba = request->lba;
    request->blocks_left = nvme_command_units(request);
    request->next_vector = request->vector; /* or ranges */
    request->vector_offset = 0;
    request->was_split = false;
}

struct nvme_request *nvme_io_owner(struct nvme_queue *queue, struct nvme_slot *slot)
{
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];
    struct nvme_request *request = slot->request;

    if (slot_armed(queue, slot)) { /* the short path leaves all this to whoever needs it */
        slot->expect -= CID_ONE;
        data->request = request;
        data->bytes = request->blocks; /* not 0; nothing of it will have to be undone */
        rewind_request(request);
        request->blocks_left = 0;
        request->pieces_in_flight = 1;
        request->retries_used = 0;
        request->cancelled = false;
    }
    return data->request;
}

/* The pieces of a split request after the first, as far as there are slots. */
static void issue_rest(struct nvme_queue *queue, struct nvme_request *request)
{
    while (request->blocks_left != 0) {
        int error = nvme_command_issue(queue, request);

        if (error == NVME_E_BUSY) {
            wait_at(queue, request, false);
            return;
        }
        nvme_io_fail(request, error, 0); /* the pieces already issued decide when it ends */
    }
}

int nvme_io_begin(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme *nvme = queue->nvme;
    int error = NVME_E_BUSY;

    rewind_request(request);
    if (!(queue->gate & GATE_CLOSED) && request->op == NVME_OP_FLUSH && flush_is_void(nvme)) {
        list_append(&queue->ended_list, request);
        return NVME_OK;
    }
    if (!(queue->gate & (GATE_WAITING | GATE_CLOSED)))
        error = nvme_command_issue(queue, request);
    if (error == NVME_E_BUSY) {
        if (nvme->config.full == NVME_FULL_REJECT) {
            queue->stats.busy_rejects++;
            return NVME_E_BUSY;
        }
        queue->stats.waits++;
        wait_at(queue, request, false);
        return NVME_OK;
    }
    if (error != NVME_OK || request->blocks_left == 0)
        return error;
    if (nvme->config.split == NVME_SPLIT_SERIAL)
        nvme_queue_ring(queue); /* each piece is rung at once */
    else
        issue_rest(queue, request);
    return NVME_OK;
}

#if !defined(__OPTIMIZE_SIZE__)
/* A checked read or write in one command from a registered buffer: nothing will have to be undone
 * when it ends, and the slot points to the request itself. The slot is the stack's top. */
static inline int issue_plain(struct nvme_queue *queue, struct nvme_request *request,
                              struct nvme_slot *slot, uint64_t prp1, uint64_t prp2)
{
    struct nvme_short *plain = &queue->plain;

    NVME_TRACE(queue->nvme, NVME_TRACE_SUBMIT, queue->sq.qid, request->op, request->lba);
    queue->free = slot->next_free;
    slot->request = request;
    slot->expect += queue->cid_arm;
    plain->moved[request->op] += request->blocks;
    sqe_fill(sqe_take(queue, slot), plain->command[request->op] | slot->expect, prp1, prp2,
             request->lba, (uint64_t)request->blocks - 1);
    return UNLIKELY(sqe_turn_due(queue)) ? queue->turn(queue) : NVME_OK;
}

/* The short path under the lock. False: the request is not plain, and nothing has happened. */
static bool submit_plain(struct nvme_queue *queue, struct nvme_request *request, int *error)
{
    const struct nvme_ns *ns = queue->ns;

    if (queue->gate != GATE_LOCKED || queue->ring_last || !queue->free ||
        (uint32_t)request->op > NVME_OP_WRITE || request->flags != NVME_REQ_REGISTERED ||
        request->nsid != ns->public.nsid || (uint64_t)request->blocks - 1 >= ns->short_blocks ||
        request->lba > ns->short_lba || (request->bus & queue->plain.page_mask) != 0)
        return false;
    *error = issue_plain(queue, request, queue->free, request->bus, 0);
    return true;
}
#else
/* A compiler that is told to optimise for size makes one path for all. */
static inline bool submit_plain(struct nvme_queue *queue, struct nvme_request *request, int *error)
{
    (void)queue, (void)request, (void)error;
    return false;
}
#endif

static NOINLINE int submit_locked(struct nvme_queue *queue, struct nvme_request *request)
{
    int error;

    nvme_queue_lock(queue);
    if (submit_plain(queue, request, &error)) {
        nvme_queue_unlock(queue);
        return error;
    }
    request->retries_used = 0;
    request->cancelled = false;
    queue->more = true; /* one doorbell for all pieces; and for those before a request that fails */
    if (!(queue->gate & GATE_CLOSED))
        error = nvme_command_check(queue, request);
    else if (!(queue->gate & GATE_RECOVERING))
        error = NVME_E_STATE;
    else /* the rest is checked when the namespaces are known again */
        error = (unsigned)request->op <= NVME_OP_RAW ? NVME_OK : NVME_E_INVAL;
    if (error == NVME_OK)
        error = nvme_io_begin(queue, request);
    queue->more = false;
    if (error == NVME_OK)
        NVME_TRACE(queue->nvme, NVME_TRACE_SUBMIT, queue->sq.qid, request->op, request->lba);
    if (queue->ring_last && !(queue->gate & GATE_CLOSED) &&
        (error != NVME_OK || !(request->flags & NVME_REQ_MORE)))
        nvme_queue_ring(queue);
    nvme_queue_unlock(queue);
    return error;
}

#if defined(__OPTIMIZE_SIZE__)
int nvme_submit(struct nvme_queue *queue, struct nvme_request *request)
{
    return submit_locked(queue, request);
}
#else
/* Gates open, buffer registered, not within one page; perhaps still for one command. */
static NOINLINE int submit_long(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme_ns *ns = queue->ns;
    struct nvme_slot *slot = queue->free;
    struct nvme_segment segment;
    struct nvme_dptr prps;

    if (!slot || request->op > NVME_OP_WRITE || request->nsid != ns->public.nsid ||
        request->blocks - 1 >= ns->max_blocks || request->lba > ns->public.blocks ||
        request->blocks > ns->public.blocks - request->lba)
        return submit_locked(queue, request);
    segment.bus = request->bus;
    segment.bytes = request->blocks << ns->shift;
    if (nvme_data_describe(queue, &queue->data[slot - queue->slots].list, &segment, 1, &prps) !=
        NVME_OK)
        return submit_locked(queue, request);
    request->was_split = false;
    return issue_plain(queue, request, slot, prps.prp1, prps.prp2);
}

static NOINLINE int submit_more(struct nvme_queue *queue, struct nvme_request *request)
{
    int error;

    if (queue->gate != 0 || request->flags != (NVME_REQ_REGISTERED | NVME_REQ_MORE))
        return submit_locked(queue, request);
    queue->more = true;
    error = submit_long(queue, request);
    queue->more = false;
    return error;
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
                   : submit_more(queue, request);
    return issue_plain(queue, request, slot, request->bus, 0);
}
#endif

/* ---- the way back, from reap.c ---- */

/* A command of the general path has ended; its slot is still taken. */
void nvme_io_piece_done(struct nvme_queue *queue, struct nvme_slot *slot, int error,
                        uint16_t status, uint32_t result)
{
    struct nvme_slot_data *data = &queue->data[slot - queue->slots];
    struct nvme_request *request = data->request;

    data->request = NULL;
    nvme_data_finish(queue, data, error == NVME_OK);
    slot->trouble &= SLOT_ABORT_SENT;
    request->result = result;
    nvme_io_fail(request, error, status);
    if (--request->pieces_in_flight != 0)
        return;
    if (request->blocks_left)
        list_append(&queue->resume, request);
    else if (!nvme_retry(queue, request))
        list_append(&queue->done, request);
}

#if !defined(NVME_NO_RECOVERY)
/* Once more, from its beginning, after those that wait already. */
void nvme_io_again(struct nvme_queue *queue, struct nvme_request *request)
{
    rewind_request(request);
    wait_at(queue, request, false);
}
#endif

/* After entries were consumed and the CQ doorbell was rung: the next piece of serial splits, then
 * those that wait, in their order. */
void nvme_io_resume(struct nvme_queue *queue)
{
    struct nvme_request *request;
    int error;

    while ((request = list_take(&queue->resume))) {
        error = nvme_command_issue(queue, request);
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
            error = nvme_command_issue(queue, request);
            if (error == NVME_E_BUSY)
                break;
            nvme_io_fail(request, error, 0);
            if (request->blocks_left != 0 && queue->nvme->config.split == NVME_SPLIT_PARALLEL)
                continue;
        }
        list_take(&queue->waiting);
        /* A piece may have failed while the rest waited; what is retried waits at the end. */
        if (--request->pieces_in_flight == 0 && !nvme_retry(queue, request))
            list_append(&queue->done, request);
    }
    if (!queue->waiting.first && (queue->gate & GATE_WAITING))
        nvme_queue_gate(queue, queue->gate & ~GATE_WAITING);
    nvme_queue_ring(queue);
}
