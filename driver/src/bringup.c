/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What bring-up and shutdown ask of a controller through the admin queue: Identify, number of
 * queues, creation and deletion of I/O queues (NVMe 1.4 sections 7.6.1, 5.15, 5.21.1.7, 5.3
 * to 5.6). One function per phase, called by controller.c until it returns something other than 0.
 * Whatever the controller answers is checked before it is used. What the pages of Identify say is
 * in identify.c, optional features are in features.c.
 */
#include "internal.h"

/* One command of bring-up or shutdown, sent once and then waited for; `entered` says which. 1:
 * completed with success, the result is in admin.own; 0: not yet; NVME_E_STATUS, NVME_E_TIMEOUT,
 * NVME_E_GONE, NVME_E_DEVICE. */
int nvme_admin_exchange(struct nvme *nvme, const struct nvme_command *command, uint64_t prp1)
{
    struct nvme_admin_request *own = &nvme->admin.own;
    uint32_t csts;
    int outcome = NVME_OK;

    if (!nvme->entered) {
        own->command = *command;
        nvme->entered = nvme_admin_send_internal(nvme, own, prp1) == NVME_OK; /* or BUSY */
    }
    nvme_admin_reap(nvme);
    if (nvme->admin.broken)
        outcome = NVME_E_DEVICE;
    else if (nvme->entered && own->error != NVME_ADMIN_PENDING) {
        nvme->failure_status = own->status;
        outcome = own->error == NVME_OK ? 1 : own->error;
    } else {
        /* Is the device still there? Asked at every look: admin commands may take a minute, and a
         * device that was pulled out shall not hold its caller that long. */
        csts = nvme_read_csts(nvme);
        outcome = nvme->vanished || (csts & NVME_CSTS_CFS) ? NVME_E_GONE : nvme_admin_overdue(nvme);
    }
    if (outcome != 0)
        nvme->entered = false;
    return outcome;
}

/* Identify into the control page. */
static int identify(struct nvme *nvme, enum nvme_identify_cns cns, uint32_t nsid)
{
    const struct nvme_command command = {NVME_ADMIN_IDENTIFY, .nsid = nsid, .cdw10 = cns};
    struct nvme_dma *page = &nvme->admin.control;
    int outcome;

    if (!nvme->entered) {
        memset(page->cpu, 0, NVME_IDENTIFY_BYTES);
        nvme_dma_sync(nvme, page, NVME_IDENTIFY_BYTES, NVME_SYNC_FOR_DEVICE);
    }
    outcome = nvme_admin_exchange(nvme, &command, page->bus);
    if (outcome == 1)
        nvme_dma_sync(nvme, page, NVME_IDENTIFY_BYTES, NVME_SYNC_FOR_CPU);
    return outcome;
}

/* What follows from Identify Controller for the admin queue and the list of namespaces. */
int nvme_phase_identify(struct nvme *nvme)
{
    const struct nvme_config *config = &nvme->config;
    const uint8_t *id = nvme->admin.control.cpu;
    uint32_t aers, room;
    int outcome = identify(nvme, NVME_CNS_CONTROLLER, 0);

    if (outcome == 1)
        outcome = nvme_identify_controller(nvme, id);
    if (outcome != 1)
        return outcome;
    aers = id[NVME_IDC_AERL] + 1u;
    if (aers > config->aer_count)
        aers = config->aer_count;
    room = config->admin_depth - 2u; /* one entry stays empty, one is for the core's own command */
    if (aers > room)
        aers = room;
    nvme->admin.aer_count = (uint16_t)aers;
    room -= aers;
    nvme->admin.user_slots = room < config->admin_requests ? room : config->admin_requests;
    nvme->feature = nvme->list_count = nvme->list_next = nvme->ns_count = 0;
    if (nvme->info.version < NVME_VERSION_1_1) /* no active list: identifiers are 1..NN */
        for (;
             nvme->list_count < nvme->info.namespaces_max && nvme->list_count < NVME_NAMESPACES_MAX;
             nvme->list_count++)
            nvme->nsids[nvme->list_count] = nvme->list_count + 1;
    return 1;
}

/* Which namespaces are active (5.15.2.3). NVME_NAMESPACES_MAX are kept, so that the first list, of
 * up to 1,024, is always enough. */
int nvme_phase_active_list(struct nvme *nvme)
{
    const uint8_t *list = nvme->admin.control.cpu;
    uint32_t before = 0;
    int outcome;

    if (nvme->info.version < NVME_VERSION_1_1)
        return 1;
    outcome = identify(nvme, NVME_CNS_ACTIVE_LIST, 0);
    if (outcome != 1)
        return outcome;
    for (uint32_t i = 0; i < NVME_NAMESPACES_MAX; i++) {
        uint32_t nsid = nvme_get_le32(list + i * sizeof(uint32_t));

        if (nsid == 0)
            break;
        if (nsid <= before || nsid > NVME_NSID_MAX)
            return NVME_E_DEVICE; /* "in increasing order" */
        nvme->nsids[nvme->list_count++] = before = nsid;
    }
    return 1;
}

/* A namespace that the controller lists and then does not describe is not offered; the others are.
 */
int nvme_phase_namespace(struct nvme *nvme)
{
    while (nvme->list_next < nvme->list_count) {
        uint32_t nsid = nvme->nsids[nvme->list_next];
        int outcome = identify(nvme, NVME_CNS_NAMESPACE, nsid);

        if (outcome != 1 && outcome != NVME_E_STATUS)
            return outcome;
        if (outcome == 1 &&
            nvme_identify_namespace(nvme, &nvme->ns[nvme->ns_count], nsid, nvme->admin.control.cpu))
            nvme->ns_count++;
        nvme->list_next++;
    }
    return 1;
}

int nvme_phase_queue_count(struct nvme *nvme)
{
    uint32_t wanted = nvme->config.io_queues;
    const struct nvme_command command = {NVME_ADMIN_SET_FEATURES, .cdw10 = NVME_FEATURE_QUEUES,
                                         .cdw11 = (wanted - 1) | ((wanted - 1) << 16)};
    uint32_t granted, result, cqs;
    int outcome;

    nvme->queues_wanted = (uint16_t)wanted;
    nvme->queue_index = 0;
    if (!nvme->config.negotiate_queues)
        return 1;
    outcome = nvme_admin_exchange(nvme, &command, 0);
    if (outcome != 1)
        return outcome;
    result = nvme->admin.own.result;
    granted = (result & 0xFFFFu) + 1;
    cqs = (result >> 16) + 1;
    if (granted > cqs)
        granted = cqs;
    if ((result & 0xFFFFu) == 0xFFFFu || result >> 16 == 0xFFFFu)
        return NVME_E_DEVICE; /* 65,536 queues: reserved value */
    if (granted < wanted)
        nvme->queues_wanted = (uint16_t)granted;
    return 1;
}

/* Completion queues first: a submission queue names one that exists (5.4). */
int nvme_phase_create_cq(struct nvme *nvme)
{
    while (nvme->queue_index < nvme->queues_wanted) {
        struct nvme_queue *queue = &nvme->queues[nvme->queue_index];
        struct nvme_command command = {NVME_ADMIN_CREATE_CQ, .cdw11 = NVME_CREATE_PC};
        int outcome;

        if (!nvme->entered) {
            outcome = nvme_memory_queue(nvme, queue);
            if (outcome != NVME_OK)
                return outcome;
            queue->vector = 0;
            if (nvme->config.completion == NVME_COMPLETION_INTERRUPT)
                queue->vector =
                    (uint16_t)(queue->cq.qid < nvme->vectors ? queue->cq.qid : nvme->vectors - 1);
            nvme_queue_start(queue);
        }
        if (nvme->config.completion == NVME_COMPLETION_INTERRUPT)
            command.cdw11 |=
                NVME_CREATE_CQ_IEN | ((uint32_t)queue->vector << NVME_CREATE_CQ_IV_SHIFT);
        command.cdw10 = queue->cq.qid | ((queue->cq.depth - 1u) << 16);
        outcome = nvme_admin_exchange(nvme, &command, queue->cq.bus);
        if (outcome != 1)
            return outcome;
        queue->cq_created = true;
        nvme->queue_index++;
    }
    nvme->queue_index = 0;
    return 1;
}

int nvme_phase_create_sq(struct nvme *nvme)
{
    while (nvme->queue_index < nvme->queues_wanted) {
        struct nvme_queue *queue = &nvme->queues[nvme->queue_index];
        const struct nvme_command command = {
            NVME_ADMIN_CREATE_SQ, .cdw10 = queue->sq.qid | ((queue->sq.depth - 1u) << 16),
            .cdw11 = NVME_CREATE_PC | ((uint32_t)queue->priority << NVME_CREATE_SQ_QPRIO_SHIFT) |
                     ((uint32_t)queue->cq.qid << NVME_CREATE_SQ_CQID_SHIFT)};
        int outcome = nvme_admin_exchange(nvme, &command, queue->sq.bus);

        if (outcome != 1)
            return outcome;
        queue->sq_created = true;
        nvme->queue_index++;
    }
    nvme->info.io_queues = nvme->queues_wanted;
    return 1;
}

/* Shutdown: submission queues before the completion queues that they post to (5.5). A controller
 * that refuses is shut down all the same. */
static int delete_queues(struct nvme *nvme, bool sq)
{
    for (; nvme->queue_index < nvme->config.io_queues; nvme->queue_index++) {
        struct nvme_queue *queue = &nvme->queues[nvme->queue_index];
        bool *created = sq ? &queue->sq_created : &queue->cq_created;
        const struct nvme_command command = {sq ? NVME_ADMIN_DELETE_SQ : NVME_ADMIN_DELETE_CQ,
                                             .cdw10 = queue->sq.qid};
        int outcome;

        if (!*created)
            continue;
        outcome = nvme_admin_exchange(nvme, &command, 0);
        if (outcome == 0 || (outcome < 0 && outcome != NVME_E_STATUS))
            return outcome;
        *created = false;
    }
    nvme->queue_index = 0;
    return 1;
}

int nvme_phase_delete_sq(struct nvme *nvme)
{
    return delete_queues(nvme, true);
}

int nvme_phase_delete_cq(struct nvme *nvme)
{
    return delete_queues(nvme, false);
}
