/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An I/O queue pair's life: initial state, rings as after creation, opening and closing for
 * submission, the end of everything in flight, and its statistics (NVMe 1.4 sections 4.1, 4.6).
 * Called by controller.c and bringup.c. Doorbells are in doorbell.c.
 */
#include "internal.h"

/* Once, from nvme_init(). What differs between policies is bound here. */
void nvme_queue_init(struct nvme *nvme, struct nvme_queue *queue, uint16_t qid)
{
    const struct nvme_config *config = &nvme->config;

    queue->nvme = nvme;
    queue->ctx = nvme->ctx;
    queue->publish = nvme->ops->publish;
    queue->cq_load = nvme->ops->cq_load;
    queue->ns = &nvme->ns[NVME_NAMESPACES_MAX];
    nvme_queue_gate(queue, GATE_CLOSED);
    nvme_doorbell_bind(queue);
    queue->slot_ops = config->cid == NVME_CID_LIFO ? &nvme_slots_lifo : &nvme_slots_lowest;
    nvme_slots_init(queue);
    queue->sq.qid = queue->cq.qid = qid;
    nvme_reap_bind(queue);
    list_init(&queue->waiting);
    list_init(&queue->ended_list);
    list_init(&queue->delayed);
    list_init(&queue->done);
    list_init(&queue->resume);
}

/* Memory is held and the device does not know the queue (yet, or any more). */
void nvme_queue_start(struct nvme_queue *queue)
{
    const struct nvme *nvme = queue->nvme;
    uint16_t qid = queue->sq.qid;
    uint16_t depth = nvme->info.io_depth;

    nvme_queue_lock(queue);
    nvme_memory_ring(nvme, &queue->sq, &queue->sq_dma, depth, qid, false);
    nvme_memory_ring(nvme, &queue->cq, &queue->cq_dma, depth, qid, true);
    queue->depth = depth;
    queue->drain_limit = depth - 1u;
    if (nvme->config.drain_most && nvme->config.drain_most < queue->drain_limit)
        queue->drain_limit = nvme->config.drain_most;
    nvme_doorbell_start(queue);
    queue->cq_head = 0;
    queue->cq_phase = NVME_CQE_PHASE;
    queue->head_sequence = queue->ended = queue->sequence;
    queue->sqhd_sqid = (uint32_t)qid << 16;
    queue->slot_count = nvme->info.slots;
    queue->slot_ops->reset(queue);
    queue->impossible = 0;
    nvme_watch_start(queue);
    nvme_queue_unlock(queue);
}

/* The platform's locks, if it has any. Not inline: there are dozens of calls. */
void nvme_queue_lock(const struct nvme_queue *queue)
{
    const struct nvme_platform_ops *ops = queue->nvme->ops;

    if (ops->lock)
        ops->lock(queue->ctx, queue->sq.qid);
}

void nvme_queue_unlock(const struct nvme_queue *queue)
{
    const struct nvme_platform_ops *ops = queue->nvme->ops;

    if (ops->unlock)
        ops->unlock(queue->ctx, queue->sq.qid);
}

void nvme_admin_lock(const struct nvme *nvme)
{
    if (nvme->ops->lock)
        nvme->ops->lock(nvme->ctx, 0);
}

void nvme_admin_unlock(const struct nvme *nvme)
{
    if (nvme->ops->unlock)
        nvme->ops->unlock(nvme->ctx, 0);
}

/* The short path's numbers, from the namespace and the gates. What has been counted in blocks of
 * the namespace so far becomes bytes. */
static void bind_short_path(struct nvme_queue *queue)
{
    const struct nvme_ns *ns = queue->ns;
    uint64_t nsid = (uint64_t)ns->public.nsid << 32;

    for (unsigned op = 0; op < 2; op++)
        queue->bytes[op] += queue->plain.moved[op] << queue->plain.shift;
    queue->plain = (struct nvme_short){
        .nsid = ns->public.nsid,
        .blocks = queue->gate ? 0 : ns->short_blocks,
        .lba = ns->short_lba,
        .page_mask = queue->nvme->info.page_bytes - 1,
        .shift = ns->shift,
        .command = {[NVME_OP_READ] = NVME_IO_READ | nsid, [NVME_OP_WRITE] = NVME_IO_WRITE | nsid}};
}

void nvme_queue_gate(struct nvme_queue *queue, uint32_t gate)
{
    queue->gate = gate;
    bind_short_path(queue);
}

void nvme_queue_use_namespace(struct nvme_queue *queue, const struct nvme_ns *ns)
{
    queue->ns = ns;
    bind_short_path(queue);
}

void nvme_queue_open(struct nvme_queue *queue)
{
    const struct nvme *nvme = queue->nvme;

    nvme_queue_lock(queue);
    queue->ns = nvme->ns_count ? &nvme->ns[0] : &nvme->ns[NVME_NAMESPACES_MAX];
    nvme_queue_gate(
        queue, (nvme->ops->lock ? GATE_LOCKED : 0) |
                   (nvme->config.cid == NVME_CID_LOWEST ? GATE_LOWEST : 0) |
                   (queue->waiting.first ? GATE_WAITING : 0) |
                   (nvme->sgl_by_size || nvme->boundaries || nvme->unreachable ? GATE_POLICY : 0));
    nvme_recover_check_waiting(queue);
    nvme_queue_unlock(queue);
}

void nvme_queue_close(struct nvme_queue *queue, uint32_t gate)
{
    nvme_queue_lock(queue);
    nvme_queue_gate(queue, (queue->gate & ~GATE_RECOVERING) | GATE_CLOSED | gate);
    nvme_queue_unlock(queue);
}

void nvme_call_done(struct nvme_request *first)
{
    struct nvme_request *next = first;

    while (LIKELY((first = next) != NULL)) {
        next = first->next; /* before done(), which may hand the request in again */
        first->done(first);
    }
}

/* The controller cannot touch memory any more and the queue is closed: everything ends. */
void nvme_queue_abort(struct nvme_queue *queue, int error)
{
    struct nvme_request *request;

    nvme_queue_lock(queue);
    note_peak(queue);
    list_join(&queue->ended_list, &queue->delayed);
    while ((request = list_take(&queue->waiting))) {
        nvme_io_fail(request, error, 0);
        if (--request->pieces_in_flight == 0)
            list_append(&queue->ended_list, request);
    }
    for (uint32_t i = 0; i <= queue->slot_mask; i++) {
        struct nvme_slot *slot = &queue->slots[i];

        request = nvme_io_owner(queue, slot);
        if (request) {
            nvme_data_finish(queue, &queue->data[i], false);
            nvme_io_fail(request, slot->trouble & SLOT_LATE ? NVME_E_TIMEOUT : error, 0);
            if (--request->pieces_in_flight == 0)
                list_append(&queue->ended_list, request);
        }
        queue->data[i].request = NULL;
        slot->trouble = 0;
    }
    queue->stats.quarantined = 0;
    queue->ended = queue->sequence; /* the slots are given back when the queue starts again */
    nvme_queue_unlock(queue);
    nvme_reap_settle(queue, 0);
}

unsigned nvme_in_flight(const struct nvme_queue *queue)
{
    return (unsigned)(queue->sequence - queue->ended);
}

void nvme_get_queue_stats(const struct nvme_queue *queue, struct nvme_queue_stats *stats)
{
    uint32_t busy = nvme_in_flight(queue);

    *stats = queue->stats;
    stats->commands = queue->sequence;
    stats->sq_doorbells = nvme_doorbell_count(queue) - stats->sq_skipped;
    stats->cq_doorbells -= stats->cq_skipped;
    stats->bytes_read =
        queue->bytes[NVME_OP_READ] + (queue->plain.moved[NVME_OP_READ] << queue->plain.shift);
    stats->bytes_written =
        queue->bytes[NVME_OP_WRITE] + (queue->plain.moved[NVME_OP_WRITE] << queue->plain.shift);
    stats->direct = queue->sequence - queue->dataless - stats->bounced;
    if (busy > stats->in_flight_peak)
        stats->in_flight_peak = busy;
}
