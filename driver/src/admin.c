/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The admin queue pair (NVMe 1.4 section 5): one synchronous command at a time for bring-up,
 * shutdown and housekeeping, sent and waited for without blocking, and the Asynchronous Event
 * Requests that the controller holds (5.2). Called by bringup.c and controller.c; nvme_admin_reap()
 * also by the interrupt handler, hence the lock of queue 0. Left out: abort (a command that is late
 * ends by reset).
 */
#include "internal.h"

#define CID_AER      0x8000u /* AER i has CID_AER + i; synchronous commands count below */
#define CID_SYNC_MAX 0x7FFFu
#define LOG_BYTES    512u /* reading the start of a log page is enough to re-arm its event (5.2) */

/* Rings as after CC.EN = 0: empty, and no phase bit set in the completion queue (4.6). */
void nvme_admin_reset(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    const struct nvme_config *config = &nvme->config;
    uint16_t depth = config->admin_depth;

    queue_lock(nvme, 0);
    memset(admin->sq_dma.cpu, 0, admin->sq_dma.bytes);
    memset(admin->cq_dma.cpu, 0, admin->cq_dma.bytes);
    nvme_dma_sync(nvme, &admin->sq_dma, admin->sq_dma.bytes, NVME_SYNC_FOR_DEVICE);
    nvme_dma_sync(nvme, &admin->cq_dma, admin->cq_dma.bytes, NVME_SYNC_FOR_DEVICE);
    admin->sq =
        (struct nvme_ring){admin->sq_dma.cpu, admin->sq_dma.bus, depth, 0, NVME_SQE_LOG2, false};
    admin->cq =
        (struct nvme_ring){admin->cq_dma.cpu, admin->cq_dma.bus, depth, 0, NVME_CQE_LOG2, true};
    admin->sq_tail = admin->sq_head = admin->cq_head = 0;
    admin->sequence = admin->head_sequence = 0;
    admin->cq_phase = NVME_CQE_PHASE;
    admin->sync = SYNC_IDLE;
    admin->aer_busy = admin->aer_owed = admin->log_owed = 0;
    admin->log_sent = admin->broken = false;
    admin->internal = NULL;
    queue_unlock(nvme, 0);
}

/* Under the lock: put the command at the tail. The ring has room: one synchronous command and
 * aer_count <= depth - 2 requests are all that can be outstanding. */
static void put(struct nvme_admin *admin, const struct nvme_sqe *command, uint32_t cid)
{
    struct nvme_sqe *sqe = (struct nvme_sqe *)admin->sq.entries + admin->sq_tail;

    sqe->command_nsid = le64(command->command_nsid | ((uint64_t)cid << NVME_SQE_CID_SHIFT));
    sqe->cdw2_3 = 0;
    sqe->metadata = 0;
    sqe->prp1 = le64(command->prp1);
    sqe->prp2 = 0;
    sqe->cdw10_11 = le64(command->cdw10_11);
    sqe->cdw12_13 = le64(command->cdw12_13);
    sqe->cdw14_15 = 0;
    admin->sq_tail = admin->sq_tail + 1 == admin->sq.depth ? 0 : admin->sq_tail + 1;
    admin->sequence++;
    admin->stats.commands++;
}

static void ring(struct nvme *nvme, uint32_t first, uint32_t count)
{
    struct nvme_admin *admin = &nvme->admin;

    nvme->ops->publish(nvme->ctx, &admin->sq, (uint16_t)first, (uint16_t)count);
    nvme->ops->write32(nvme->ctx, NVME_REG_DOORBELL, admin->sq_tail);
    admin->stats.doorbells++;
}

/* command: in CPU order, without CID. Its data, if any, is the control page. */
int nvme_admin_send(struct nvme *nvme, const struct nvme_sqe *command, uint64_t now_ns)
{
    struct nvme_admin *admin = &nvme->admin;
    uint32_t first;

    queue_lock(nvme, 0);
    if (admin->sync != SYNC_IDLE) {
        queue_unlock(nvme, 0);
        return NVME_E_BUSY;
    }
    admin->cid_counter = (uint16_t)((admin->cid_counter + 1u) & CID_SYNC_MAX);
    admin->sync_cid = admin->cid_counter;
    admin->sync = SYNC_SENT;
    admin->sync_deadline_ns = now_ns + (uint64_t)nvme->config.admin_timeout_ms * NVME_NS_PER_MS;
    first = admin->sq_tail;
    admin->sync_sequence = admin->sequence;
    put(admin, command, admin->sync_cid);
    ring(nvme, first, 1);
    queue_unlock(nvme, 0);
    return NVME_OK;
}

/* One of the core's own commands, without data, in the place of the synchronous one. */
int nvme_admin_send_internal(struct nvme *nvme, struct nvme_admin_request *request, uint64_t prp1)
{
    const struct nvme_command *c = &request->command;
    const struct nvme_sqe command = {.command_nsid = c->opcode | ((uint64_t)c->nsid << 32),
                                     .prp1 = prp1,
                                     .cdw10_11 = c->cdw10 | ((uint64_t)c->cdw11 << 32)};
    int error = nvme_admin_send(nvme, &command, nvme->ops->now_ns(nvme->ctx));

    if (error == NVME_OK)
        nvme->admin.internal = request;
    return error;
}

/* An asynchronous event (5.2.1), or the refusal to hold a request. */
static void take_event(struct nvme_admin *admin, uint32_t index, uint16_t status, uint32_t result)
{
    admin->aer_busy &= ~(1u << index);
    if (status != 0)
        return; /* limit exceeded, or queue deleted: not sent again */
    admin->stats.async_events++;
    admin->aer_owed |= 1u << index;
    admin->log_owed |= 1u << index;
    admin->log_pages[index] = (uint8_t)(result >> NVME_AER_LOG_SHIFT);
}

/* True: the SQ head can be, and is noted. An entry may have been composed before one that was
 * posted earlier: then its head is older, but past the command's own entry (as take_head() in
 * reap.c). */
static bool take_head(struct nvme_admin *admin, uint32_t sqhd, uint32_t sequence)
{
    uint32_t depth = admin->sq.depth;
    uint32_t forward = (sqhd + depth - admin->sq_head) % depth;
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
static void take_entry(struct nvme_admin *admin, const struct nvme_cqe *cqe, uint32_t dw3)
{
    uint32_t cid = dw3 & 0xFFFFu;
    uint16_t status = (uint16_t)(dw3 >> NVME_CQE_STATUS_SHIFT);
    uint32_t result = le32(cqe->result);
    uint32_t dw2 = le32(cqe->sqhd_sqid);
    bool sync = admin->sync == SYNC_SENT && cid == admin->sync_cid;
    uint32_t aer = cid - CID_AER;

    if (dw2 >> 16 != 0 || (!sync && (aer >= NVME_AER_MAX || !(admin->aer_busy & (1u << aer))))) {
        admin->stats.protocol_errors++;
        return;
    }
    if (!take_head(admin, dw2 & 0xFFFFu, sync ? admin->sync_sequence : admin->aer_sequence[aer])) {
        admin->stats.protocol_errors++;
        admin->broken = true;
        return;
    }
    if (sync) {
        admin->sync_status = status;
        admin->sync_result = result;
        admin->sync = SYNC_DONE;
    } else {
        take_event(admin, aer, status, result);
    }
}

/* Consume what is there; from a step or from the interrupt handler. */
unsigned nvme_admin_reap(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    unsigned count = 0;

    queue_lock(nvme, 0);
    while (admin->cq.depth != 0 && count + 1 < admin->cq.depth) {
        const struct nvme_cqe *cqe = (const struct nvme_cqe *)admin->cq.entries + admin->cq_head;
        uint32_t dw3 = le32(nvme->ops->cq_load(nvme->ctx, &admin->cq, (uint16_t)admin->cq_head));

        if ((dw3 & NVME_CQE_PHASE) != admin->cq_phase)
            break;
        if (!(nvme->platform->flags & NVME_PLATFORM_LOADS_ORDERED))
            nvme->ops->rmb(nvme->ctx, &admin->cq, (uint16_t)admin->cq_head);
        take_entry(admin, cqe, dw3);
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
    queue_unlock(nvme, 0);
    return count;
}

/* Nothing yet. Is the device still there? Asked at every look: admin commands may take a minute,
 * and a device that was pulled out shall not hold its caller that long. */
static int not_yet(struct nvme *nvme, uint64_t now_ns)
{
    uint32_t csts = nvme_read_csts(nvme);

    if (nvme->vanished || (csts & NVME_CSTS_CFS))
        return NVME_E_GONE;
    return now_ns >= nvme->admin.sync_deadline_ns ? NVME_E_TIMEOUT : 0;
}

int nvme_admin_wait(struct nvme *nvme, uint64_t now_ns, uint32_t *result)
{
    struct nvme_admin *admin = &nvme->admin;
    int outcome = 0;

    nvme_admin_reap(nvme);
    queue_lock(nvme, 0);
    if (admin->broken) {
        outcome = NVME_E_DEVICE;
    } else if (admin->sync == SYNC_DONE) {
        admin->sync = SYNC_IDLE;
        nvme->failure_status = admin->sync_status;
        if (result)
            *result = admin->sync_result;
        outcome = admin->sync_status ? NVME_E_STATUS : 1;
    }
    queue_unlock(nvme, 0);
    return outcome != 0 ? outcome : not_yet(nvme, now_ns);
}

/* Send the Asynchronous Event Requests that are owed, with one doorbell; not those whose event's
 * log page is unread, which a second event would displace. */
void nvme_admin_arm(struct nvme *nvme)
{
    static const struct nvme_sqe request = {.command_nsid = NVME_ADMIN_ASYNC_EVENT};
    struct nvme_admin *admin = &nvme->admin;
    uint32_t first, send, count = 0;

    queue_lock(nvme, 0);
    first = admin->sq_tail;
    send = admin->aer_owed & ~admin->log_owed;
    for (uint32_t i = 0; i < NVME_AER_MAX; i++) {
        if (!(send & (1u << i)))
            continue;
        admin->aer_sequence[i] = admin->sequence;
        put(admin, &request, CID_AER + i);
        admin->aer_busy |= 1u << i;
        count++;
    }
    admin->aer_owed &= ~send;
    if (count)
        ring(nvme, first, count);
    queue_unlock(nvme, 0);
}

/* One log page that is owed, taken off the list. False: none. */
static bool next_log(struct nvme *nvme, uint8_t *page)
{
    struct nvme_admin *admin = &nvme->admin;
    bool found = false;

    queue_lock(nvme, 0);
    for (uint32_t i = 0; !found && i < NVME_AER_MAX; i++)
        if (admin->log_owed & (1u << i)) {
            admin->log_owed &= ~(1u << i);
            *page = admin->log_pages[i];
            found = true;
        }
    queue_unlock(nvme, 0);
    return found;
}

/* While READY: collect events, read the log page that each event names (until then the controller
 * keeps silent about that type, 5.2), one per step, and when none is left hand the requests back.
 * NVME_OK or why the controller has failed. */
int nvme_admin_housekeep(struct nvme *nvme, uint64_t now_ns)
{
    struct nvme_admin *admin = &nvme->admin;
    uint8_t page;
    int outcome;

    if (admin->log_sent || admin->internal) {
        struct nvme_admin_request *internal = admin->internal;

        outcome = nvme_admin_wait(nvme, now_ns, internal ? &internal->result : NULL);
        if (outcome == 0)
            return NVME_OK;
        if (outcome < 0 && outcome != NVME_E_STATUS)
            return outcome;
        if (internal) {
            admin->internal = NULL;
            internal->error = outcome < 0 ? outcome : NVME_OK;
            internal->done(internal);
            return NVME_OK;
        }
        admin->log_sent = false; /* a log page that the controller does not have is no failure */
        nvme->failure_status = 0;
    } else {
        nvme_admin_reap(nvme);
    }
    if (admin->broken)
        return NVME_E_DEVICE;
    if (next_log(nvme, &page)) {
        const struct nvme_sqe command = {
            .command_nsid = NVME_ADMIN_GET_LOG_PAGE | ((uint64_t)UINT32_MAX << 32),
            .prp1 = admin->control.bus,
            .cdw10_11 = page | ((LOG_BYTES / 4 - 1) << NVME_LOG_NUMDL_SHIFT)};

        outcome = nvme_admin_send(nvme, &command, now_ns);
        if (outcome != NVME_OK)
            return outcome;
        admin->log_sent = true;
        return NVME_OK;
    }
    if (admin->aer_owed)
        nvme_admin_arm(nvme);
    return NVME_OK;
}
