/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The admin queue pair (NVMe 1.4 section 5): every admin command is put, reaped and judged here,
 * whoever asks for it: bring-up and shutdown (bringup.c), other files of the core
 * (nvme_admin_send_internal()), the controller's owner (nvme_admin_submit()), and the requests for
 * asynchronous events of events.c. nvme_admin_reap() is called by nvme_step() and by the interrupt
 * handler, hence the lock of queue 0. A command that is late has no end but that of the controller.
 *
 * Slots: 0 is the core's own, so that the core is never kept waiting by its owner; 1..user_slots
 * are the owner's, and the core's when they are free; from NVME_ADMIN_AER on, the requests for
 * events. A slot's page of the control memory holds its PRP list or its bounced data; page 0 is for
 * the data of the core's own commands.
 */
#include "internal.h"

#define CID_INDEX_BITS 6u /* of a command identifier; above: a count of all commands */
#define CID_MASK       0xFFFFu
#define DWORD_MASK     3u
#define SQE_PAIRS      (sizeof(struct nvme_sqe) / sizeof(uint64_t))

#define DATA_BOUNCED 1u
#define DATA_MAPPED  2u

/* As after CC.EN = 0; nothing is in flight. */
void nvme_admin_reset(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    uint16_t depth = nvme->config.admin_depth;

    nvme_admin_lock(nvme);
    nvme_memory_ring(nvme, &admin->sq, &admin->sq_dma, depth, 0, false);
    nvme_memory_ring(nvme, &admin->cq, &admin->cq_dma, depth, 0, true);
    admin->sq_tail = admin->sq_head = admin->cq_head = 0;
    admin->sequence = admin->head_sequence = 0;
    admin->cq_phase = NVME_CQE_PHASE;
    admin->user_slots = 0; /* until Identify has said how many events there are */
    admin->aer_owed = admin->log_owed = 0;
    admin->log_sent = admin->broken = false;
    nvme_admin_unlock(nvme);
}

/* Under the lock: put the request's command at the tail. The ring has room: the slots and events
 * that may be in use together are admin_depth - 1 at most (bringup.c). */
void nvme_admin_put(struct nvme_admin *admin, struct nvme_admin_request *request, uint32_t index,
                    uint64_t prp1, uint64_t prp2)
{
    struct nvme_admin_slot *slot = &admin->slots[index];
    uint64_t *sqe = (uint64_t *)admin->sq.entries + admin->sq_tail * SQE_PAIRS;
    uint32_t dwords[2 * SQE_PAIRS];

    slot->request = request;
    slot->sequence = admin->sequence++;
    slot->cid = (uint16_t)(index | (slot->sequence << CID_INDEX_BITS));
    /* 4.2: CDW0, NSID, CDW2, CDW3, metadata, data pointer, CDW10 to CDW15 */
    dwords[0] = request->command.opcode | ((uint32_t)slot->cid << NVME_SQE_CID_SHIFT);
    dwords[1] = request->command.nsid;
    dwords[2] = request->command.cdw2;
    dwords[3] = request->command.cdw3;
    dwords[4] = dwords[5] = 0;
    dwords[6] = (uint32_t)prp1;
    dwords[7] = (uint32_t)(prp1 >> 32);
    dwords[8] = (uint32_t)prp2;
    dwords[9] = (uint32_t)(prp2 >> 32);
    dwords[10] = request->command.cdw10;
    dwords[11] = request->command.cdw11;
    dwords[12] = request->command.cdw12;
    dwords[13] = request->command.cdw13;
    dwords[14] = request->command.cdw14;
    dwords[15] = request->command.cdw15;
    for (uint32_t i = 0; i < SQE_PAIRS; i++)
        sqe[i] = le64(dwords[2 * i] | ((uint64_t)dwords[2 * i + 1] << 32));
    admin->sq_tail = admin->sq_tail + 1 == admin->sq.depth ? 0 : admin->sq_tail + 1;
    admin->stats.commands++;
}

void nvme_admin_ring(struct nvme *nvme, uint32_t first, uint32_t count)
{
    struct nvme_admin *admin = &nvme->admin;

    nvme->ops->publish(nvme->ctx, &admin->sq, (uint16_t)first, (uint16_t)count);
    nvme->ops->write32(nvme->ctx, NVME_REG_DOORBELL, admin->sq_tail);
    admin->stats.doorbells++;
}

/* ---- data ---- */

static size_t page_offset(const struct nvme *nvme, uint32_t index)
{
    return (size_t)index << nvme->page_shift;
}

static void sync_page(struct nvme *nvme, uint32_t index, uint32_t bytes, enum nvme_sync what)
{
    if (!nvme_coherent(nvme))
        nvme->ops->sync(nvme->ctx, &nvme->admin.control, page_offset(nvme, index), bytes, what);
}

static void unmap_data(struct nvme *nvme, const struct nvme_admin_request *request)
{
    nvme->ops->unmap(nvme->ctx, request->buffer, request->bytes, request->dir, 0);
}

static int prepare_mapped(struct nvme *nvme, const struct nvme_admin_request *request,
                          uint32_t index, struct nvme_dptr *prps)
{
    struct nvme_admin *admin = &nvme->admin;
    uint32_t left = request->bytes;
    unsigned count = 0;
    int error;

    if (((uintptr_t)request->buffer & DWORD_MASK) != 0)
        return NVME_E_INVAL;
    error = nvme->ops->map(nvme->ctx, request->buffer, request->bytes, request->dir, 0,
                           admin->segments, admin->segments_max, &count);
    if (error != NVME_OK)
        return error;
    for (unsigned i = 0; i < count && i < admin->segments_max; i++)
        left -= admin->segments[i].bytes;
    error = left ? NVME_E_INVAL : nvme_prps_build(prps, admin->segments, count);
    if (error != NVME_OK) {
        unmap_data(nvme, request);
        return error;
    }
    if (prps->entries)
        sync_page(nvme, index, prps->entries * (uint32_t)sizeof(uint64_t), NVME_SYNC_FOR_DEVICE);
    admin->slots[index].data = DATA_MAPPED;
    return NVME_OK;
}

/* Under the lock: the request's data becomes reachable for the device. What cannot be mapped is
 * copied through the slot's page, if it fits. */
static int prepare(struct nvme *nvme, const struct nvme_admin_request *request, uint32_t index,
                   struct nvme_dptr *prps)
{
    struct nvme_admin *admin = &nvme->admin;
    uint8_t *page = (uint8_t *)admin->control.cpu + page_offset(nvme, index);

    prps->list = (uint64_t *)(void *)page;
    prps->list_bus = admin->control.bus + page_offset(nvme, index);
    prps->list_pages = 1;
    prps->page_shift = nvme->page_shift;
    if (prepare_mapped(nvme, request, index, prps) == NVME_OK)
        return NVME_OK;
    if (request->bytes > nvme->info.page_bytes)
        return NVME_E_INVAL;
    if (request->dir != NVME_FROM_DEVICE)
        nvme->ops->copy(nvme->ctx, page, request->buffer, request->bytes, nvme->config.copy);
    sync_page(nvme, index, request->bytes, NVME_SYNC_FOR_DEVICE);
    prps->prp1 = prps->list_bus;
    prps->prp2 = 0;
    admin->slots[index].data = DATA_BOUNCED;
    return NVME_OK;
}

/* Under the lock: the command in this slot is over and `error` says how; its status and result are
 * in place. Appended to the list if somebody wants to hear of it. */
static void end(struct nvme *nvme, uint32_t index, int error, struct nvme_admin_request ***last)
{
    struct nvme_admin_slot *slot = &nvme->admin.slots[index];
    struct nvme_admin_request *request = slot->request;

    NVME_TRACE(nvme, NVME_TRACE_ADMIN_END, 0, slot->cid, request->status);
    if (slot->data == DATA_MAPPED) {
        unmap_data(nvme, request);
    } else if (slot->data == DATA_BOUNCED && request->dir != NVME_TO_DEVICE && error == NVME_OK) {
        sync_page(nvme, index, request->bytes, NVME_SYNC_FOR_CPU);
        nvme->ops->copy(nvme->ctx, request->buffer,
                        (uint8_t *)nvme->admin.control.cpu + page_offset(nvme, index),
                        request->bytes, nvme->config.copy);
    }
    slot->request = NULL;
    slot->data = 0;
    request->error = error;
    if (request->done) { /* others look at `error`, and may send the request again at once */
        **last = request;
        *last = &request->next;
    }
}

static void call_done(struct nvme_admin_request *first)
{
    while (first) {
        struct nvme_admin_request *request = first;

        first = request->next; /* before done(), which may hand the request in again */
        request->done(request);
    }
}

/* ---- sending ---- */

/* own: of the core; its data, if any, lies at prp1. */
static int send(struct nvme *nvme, struct nvme_admin_request *request, bool own, uint64_t prp1)
{
    struct nvme_admin *admin = &nvme->admin;
    struct nvme_dptr prps = {.prp1 = prp1};
    uint64_t now_ns = own ? nvme->now_ns : nvme->ops->now_ns(nvme->ctx);
    uint32_t ms = request->timeout_ms ? request->timeout_ms : nvme->config.admin_timeout_ms;
    uint32_t index = own ? 0 : 1;
    int error = NVME_OK;

    nvme_admin_lock(nvme);
    while (index <= admin->user_slots && admin->slots[index].request)
        index++;
    if (!own && !admin->open)
        error = NVME_E_STATE;
    else if (index > admin->user_slots)
        error = admin->user_slots || own ? NVME_E_BUSY : NVME_E_UNSUPPORTED;
    else if (request->command.opcode == NVME_ADMIN_DOORBELL_BUFFERS)
        prps.prp2 = prp1 + nvme->info.page_bytes; /* two pages, not a page of data (5.7) */
    else if (!own && request->bytes)
        error = prepare(nvme, request, index, &prps);
    if (error == NVME_OK) {
        uint32_t first = admin->sq_tail;

        request->status = 0;
        request->result = 0;
        request->error = NVME_ADMIN_PENDING;
        request->deadline_ns = now_ns + (uint64_t)ms * NVME_NS_PER_MS;
        nvme_admin_put(admin, request, index, prps.prp1, prps.prp2);
        NVME_TRACE(nvme, NVME_TRACE_ADMIN_SEND, 0, request->command.opcode,
                   admin->slots[index].cid);
        nvme_admin_ring(nvme, first, 1);
    }
    nvme_admin_unlock(nvme);
    return error;
}

int nvme_admin_send_internal(struct nvme *nvme, struct nvme_admin_request *request, uint64_t prp1)
{
    return send(nvme, request, true, prp1);
}

/* Commands whose effects the core has to know of, or whose operands only it knows. */
static bool core_owns(uint8_t opcode)
{
    switch (opcode) {
    case NVME_ADMIN_DELETE_SQ:
    case NVME_ADMIN_CREATE_SQ:
    case NVME_ADMIN_DELETE_CQ:
    case NVME_ADMIN_CREATE_CQ:
    case NVME_ADMIN_ABORT:
    case NVME_ADMIN_ASYNC_EVENT:
    case NVME_ADMIN_DOORBELL_BUFFERS:
        return true;
    default:
        return false;
    }
}

int nvme_admin_submit(struct nvme *nvme, struct nvme_admin_request *request)
{
    if (core_owns(request->command.opcode) || (request->bytes & DWORD_MASK) != 0 ||
        request->bytes > nvme->info.max_transfer || (request->bytes != 0 && !request->buffer) ||
        !request->done || (unsigned)request->dir > NVME_BOTH_WAYS)
        return NVME_E_INVAL;
    return send(nvme, request, false, 0);
}

/* Who may send: with false only the core itself. */
void nvme_admin_open(struct nvme *nvme, bool open)
{
    nvme_admin_lock(nvme);
    nvme->admin.open = open;
    nvme_admin_unlock(nvme);
}

/* ---- completion ---- */

/* True: the SQ head can be, and is noted. An entry may have been composed before one that was
 * posted earlier: then its head is older, but past the command's own entry (as take_head() in
 * reap.c). */
static bool take_head(struct nvme_admin *admin, uint32_t sqhd, uint32_t sequence)
{
    uint32_t depth = admin->sq.depth;
    uint32_t forward =
        sqhd >= admin->sq_head ? sqhd - admin->sq_head : sqhd + depth - admin->sq_head;
    uint32_t back = depth - forward;

    if (sqhd >= depth)
        return false;
    if (forward <= admin->sequence - admin->head_sequence) {
        admin->head_sequence += forward;
        admin->sq_head = sqhd;
        return true;
    }
    return (int32_t)(sequence - (admin->head_sequence - back)) < 0;
}

/* A new entry at the head. Everything in it is the device's word: believed only where it can be
 * true. */
static void take_entry(struct nvme *nvme, const struct nvme_cqe *cqe, uint32_t dw3,
                       struct nvme_admin_request ***last)
{
    struct nvme_admin *admin = &nvme->admin;
    uint32_t cid = dw3 & CID_MASK;
    uint32_t index = cid & ((1u << CID_INDEX_BITS) - 1);
    uint16_t status = (uint16_t)(dw3 >> NVME_CQE_STATUS_SHIFT);
    uint32_t result = le32(cqe->result);
    uint32_t dw2 = le32(cqe->sqhd_sqid);
    struct nvme_admin_slot *slot = index < NVME_ADMIN_SLOTS ? &admin->slots[index] : NULL;
    bool known;

    known = dw2 >> 16 == 0 && slot && slot->request && slot->cid == cid;
    if (!known || !take_head(admin, dw2 & 0xFFFFu, slot->sequence)) {
        admin->stats.protocol_errors++;
        admin->broken |= known;
        return;
    }
    if (index >= NVME_ADMIN_AER) {
        slot->request = NULL;
        nvme_event_take(admin, index - NVME_ADMIN_AER, status, result);
        return;
    }
    slot->request->status = status;
    slot->request->result = result;
    end(nvme, index, status ? NVME_E_STATUS : NVME_OK, last);
}

/* Consume what is there; from a step or from the interrupt handler. */
unsigned nvme_admin_reap(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    struct nvme_admin_request *done = NULL, **last = &done;
    unsigned count = 0;

    nvme_admin_lock(nvme);
    while (admin->cq.depth != 0 && count + 1 < admin->cq.depth) {
        const struct nvme_cqe *cqe = (const struct nvme_cqe *)admin->cq.entries + admin->cq_head;
        uint32_t dw3 = le32(nvme->ops->cq_load(nvme->ctx, &admin->cq, (uint16_t)admin->cq_head));

        if ((dw3 & NVME_CQE_PHASE) != admin->cq_phase)
            break;
        if (!(nvme->platform->flags & NVME_PLATFORM_LOADS_ORDERED))
            nvme->ops->rmb(nvme->ctx, &admin->cq, (uint16_t)admin->cq_head);
        take_entry(nvme, cqe, dw3, &last);
        admin->stats.completions++;
        count++;
        if (++admin->cq_head == admin->cq.depth) {
            admin->cq_head = 0;
            admin->cq_phase ^= NVME_CQE_PHASE;
        }
    }
    if (count) {
        nvme->ops->write32(nvme->ctx, NVME_REG_DOORBELL + nvme->doorbell_stride, admin->cq_head);
        admin->stats.doorbells++;
    }
    *last = NULL;
    nvme_admin_unlock(nvme);
    call_done(done);
    return count;
}

/* The device can no longer reach memory: everything ends. What was late has ended with a time-out
 * before (nvme_admin_overdue()). */
void nvme_admin_abort(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    struct nvme_admin_request *done = NULL, **last = &done;

    nvme_admin_lock(nvme);
    for (uint32_t i = 0; i < NVME_ADMIN_SLOTS; i++) {
        struct nvme_admin_request *request = admin->slots[i].request;

        if (request && i < NVME_ADMIN_AER)
            end(nvme, i,
                request->error != NVME_ADMIN_PENDING ? request->error
                : nvme->vanished                     ? NVME_E_GONE
                                                     : NVME_E_STATE,
                &last);
        admin->slots[i].request = NULL;
    }
    *last = NULL;
    nvme_admin_unlock(nvme);
    call_done(done);
}

/* After a look at the queue: NVME_OK, or why the controller has failed. A command that is late is
 * marked as such, and stays in its slot: the device may still write to its memory. */
int nvme_admin_overdue(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    int error = NVME_OK;

    nvme_admin_lock(nvme);
    for (uint32_t i = 0; i < NVME_ADMIN_AER; i++) {
        struct nvme_admin_request *request = admin->slots[i].request;

        if (request && nvme->now_ns >= request->deadline_ns) {
            NVME_TRACE(nvme, NVME_TRACE_ADMIN_LATE, 0, request->command.opcode,
                       admin->slots[i].cid);
            request->error = error = NVME_E_TIMEOUT;
        }
    }
    if (admin->broken)
        error = NVME_E_DEVICE;
    nvme_admin_unlock(nvme);
    return error;
}
