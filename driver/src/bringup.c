/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What bring-up and shutdown ask of a controller through the admin queue: Identify, number of
 * queues, creation and deletion of I/O queues (NVMe 1.4 sections 7.6.1, 5.15, 5.21.1.7, 5.3
 * to 5.6). One function per phase, called by controller.c until it returns something other than 0.
 * Whatever the controller answers is checked before it is used. Left out: namespaces with metadata
 * or end-to-end protection, and blocks larger than a page; they are not offered.
 */
#include "internal.h"

#define LBA_SHIFT_MIN 9u        /* 512 bytes (5.15.2.1, LBADS) */
#define RTD3E_MAX_US  60000000u /* longer is not believed: the 32 bits hold 71 minutes */
#define NS_PER_US     1000u

/* Send once, then wait; `entered` says which. */
static int exchange(struct nvme *nvme, const struct nvme_sqe *command, uint64_t now_ns,
                    uint32_t *result)
{
    int outcome;

    if (!nvme->entered) {
        outcome = nvme_admin_send(nvme, command, now_ns);
        if (outcome != NVME_OK)
            return outcome;
        nvme->entered = true;
    }
    outcome = nvme_admin_wait(nvme, now_ns, result);
    if (outcome != 0)
        nvme->entered = false;
    return outcome;
}

/* Identify into the control page. */
static int identify(struct nvme *nvme, enum nvme_identify_cns cns, uint32_t nsid, uint64_t now_ns)
{
    struct nvme_dma *page = &nvme->admin.control;
    const struct nvme_sqe command = {.command_nsid = NVME_ADMIN_IDENTIFY | ((uint64_t)nsid << 32),
                                     .prp1 = page->bus,
                                     .cdw10_11 = (uint64_t)cns};
    int outcome;

    if (!nvme->entered) {
        memset(page->cpu, 0, NVME_IDENTIFY_BYTES);
        nvme_dma_sync(nvme, page, NVME_IDENTIFY_BYTES, NVME_SYNC_FOR_DEVICE);
    }
    outcome = exchange(nvme, &command, now_ns, NULL);
    if (outcome == 1)
        nvme_dma_sync(nvme, page, NVME_IDENTIFY_BYTES, NVME_SYNC_FOR_CPU);
    return outcome;
}

/* An ASCII field, blank padded: without the blanks at the end, and with nothing unprintable. */
static void copy_text(char *to, const uint8_t *from, unsigned bytes)
{
    unsigned used = 0;

    for (unsigned i = 0; i < bytes; i++) {
        to[i] = from[i] >= ' ' && from[i] <= '~' ? (char)from[i] : ' ';
        if (to[i] != ' ')
            used = i + 1;
    }
    to[used] = '\0';
}

/* The longest command with data: MDTS (5.15.2.2), what the PRP lists describe at the worst offset,
 * what the scratch for segments holds, and the configured caps. */
static uint32_t longest_transfer(const struct nvme *nvme, uint32_t mdts)
{
    const struct nvme_config *config = &nvme->config;
    uint32_t per_page = nvme->info.page_bytes / (uint32_t)sizeof(uint64_t);
    uint32_t entries = config->list_pages * (per_page - 1) + 1;
    uint32_t segments = nvme_segments_max(config) - 1;
    uint32_t most = entries < segments ? entries : segments;
    uint32_t unit_shift = NVME_PAGE_SHIFT_MIN + NVME_CAP_MPSMIN(nvme->info.cap);

    most <<= nvme->page_shift;
    if (config->transfer_cap && most > config->transfer_cap)
        most = config->transfer_cap;
    if (mdts == 0 && config->transfer_no_mdts && most > config->transfer_no_mdts)
        most = config->transfer_no_mdts;
    if (mdts != 0 && mdts + unit_shift < 32 && most > 1u << (mdts + unit_shift))
        most = 1u << (mdts + unit_shift);
    return most;
}

/* How long a shutdown may take, as the device says (RTD3E, 5.15.2.2). */
static uint64_t shutdown_time_ns(const struct nvme *nvme, const uint8_t *id)
{
    uint32_t us = get_le32(id + NVME_IDC_RTD3E);

    if (nvme->info.version < NVME_VERSION_1_2)
        return 0;
    return (uint64_t)(us < RTD3E_MAX_US ? us : RTD3E_MAX_US) * NS_PER_US;
}

/* A field of two nibbles: required and largest entry size, log2. */
static bool entry_size_ok(uint8_t field, uint32_t log2)
{
    return (field & 0xFu) <= log2 && log2 <= (uint32_t)(field >> 4);
}

int nvme_phase_identify(struct nvme *nvme, uint64_t now_ns)
{
    const struct nvme_config *config = &nvme->config;
    const uint8_t *id = nvme->admin.control.cpu;
    uint32_t aers, room, nn;
    int outcome = identify(nvme, NVME_CNS_CONTROLLER, 0, now_ns);

    if (outcome != 1)
        return outcome;
    if (!entry_size_ok(id[NVME_IDC_SQES], NVME_SQE_LOG2) ||
        !entry_size_ok(id[NVME_IDC_CQES], NVME_CQE_LOG2))
        return NVME_E_UNSUPPORTED;
    copy_text(nvme->info.serial, id + NVME_IDC_SN, sizeof(nvme->info.serial) - 1);
    copy_text(nvme->info.model, id + NVME_IDC_MN, sizeof(nvme->info.model) - 1);
    copy_text(nvme->info.firmware, id + NVME_IDC_FR, sizeof(nvme->info.firmware) - 1);
    nvme->info.max_transfer = longest_transfer(nvme, id[NVME_IDC_MDTS]);
    nvme->shutdown_ns = shutdown_time_ns(nvme, id);
    nvme->info.volatile_write_cache = (id[NVME_IDC_VWC] & NVME_IDC_VWC_PRESENT) != 0;
    nvme->can_write_zeroes = (get_le16(id + NVME_IDC_ONCS) & NVME_IDC_ONCS_ZEROES) != 0;
    aers = id[NVME_IDC_AERL] + 1u;
    if (aers > config->aer_count)
        aers = config->aer_count;
    room = config->admin_depth - 2u; /* one entry stays empty, one is for the synchronous command */
    if (aers > room)
        aers = room;
    nvme->admin.aer_count = (uint16_t)aers;
    nvme->list_count = nvme->list_next = nvme->ns_count = 0;
    if (nvme->info.version < NVME_VERSION_1_1) { /* no active list: identifiers are 1..NN */
        nn = get_le32(id + NVME_IDC_NN);
        for (; nvme->list_count < nn && nvme->list_count < NVME_NAMESPACES_MAX; nvme->list_count++)
            nvme->nsids[nvme->list_count] = nvme->list_count + 1;
    }
    return 1;
}

/* Which namespaces are active (5.15.2.3). NVME_NAMESPACES_MAX are kept, so that the first list, of
 * up to 1,024, is always enough. */
int nvme_phase_active_list(struct nvme *nvme, uint64_t now_ns)
{
    const uint8_t *list = nvme->admin.control.cpu;
    uint32_t before = 0;
    int outcome;

    if (nvme->info.version < NVME_VERSION_1_1)
        return 1;
    outcome = identify(nvme, NVME_CNS_ACTIVE_LIST, 0, now_ns);
    if (outcome != 1)
        return outcome;
    for (uint32_t i = 0; i < NVME_NAMESPACES_MAX; i++) {
        uint32_t nsid = get_le32(list + i * sizeof(uint32_t));

        if (nsid == 0)
            break;
        if (nsid <= before || nsid > NVME_NSID_MAX)
            return NVME_E_DEVICE; /* "in increasing order" */
        nvme->nsids[nvme->list_count++] = before = nsid;
    }
    return 1;
}

/* Offer the namespace described in the control page, if the core can use it. */
static void add_namespace(struct nvme *nvme, uint32_t nsid)
{
    const uint8_t *id = nvme->admin.control.cpu;
    uint32_t format = id[NVME_IDN_FLBAS] & NVME_IDN_FLBAS_MASK;
    uint32_t lbaf = get_le32(id + NVME_IDN_LBAF + format * NVME_IDN_LBAF_BYTES);
    uint32_t shift = (lbaf >> 16) & 0xFFu;
    uint64_t blocks = get_le64(id + NVME_IDN_NSZE);
    struct nvme_ns *ns = &nvme->ns[nvme->ns_count];

    if (blocks == 0 || format > id[NVME_IDN_NLBAF] || (lbaf & 0xFFFFu) != 0 ||
        (id[NVME_IDN_DPS] & NVME_IDN_DPS_MASK) != 0 || shift < LBA_SHIFT_MIN ||
        shift > nvme->page_shift || nvme->info.max_transfer >> shift == 0)
        return;
    ns->public.nsid = nsid;
    ns->public.block_bytes = 1u << shift;
    ns->public.blocks = blocks;
    ns->shift = (uint8_t)shift;
    ns->max_blocks = nvme->info.max_transfer >> shift;
    if (ns->max_blocks > NVME_RW_BLOCKS_MAX)
        ns->max_blocks = NVME_RW_BLOCKS_MAX;
    ns->short_blocks = nvme->info.page_bytes >> shift;
    if (ns->short_blocks > ns->max_blocks)
        ns->short_blocks = ns->max_blocks;
    if (ns->short_blocks > blocks)
        ns->short_blocks = 0;
    ns->short_lba = blocks - ns->short_blocks;
    nvme->ns_count++;
}

/* A namespace that the controller lists and then does not describe is not offered; the others are.
 */
int nvme_phase_namespace(struct nvme *nvme, uint64_t now_ns)
{
    while (nvme->list_next < nvme->list_count) {
        uint32_t nsid = nvme->nsids[nvme->list_next];
        int outcome = identify(nvme, NVME_CNS_NAMESPACE, nsid, now_ns);

        if (outcome != 1 && outcome != NVME_E_STATUS)
            return outcome;
        if (outcome == 1)
            add_namespace(nvme, nsid);
        nvme->list_next++;
    }
    return 1;
}

int nvme_phase_queue_count(struct nvme *nvme, uint64_t now_ns)
{
    uint32_t wanted = nvme->config.io_queues;
    const struct nvme_sqe command = {
        .command_nsid = NVME_ADMIN_SET_FEATURES,
        .cdw10_11 = NVME_FEATURE_QUEUES | ((uint64_t)((wanted - 1) | ((wanted - 1) << 16)) << 32)};
    uint32_t granted, result, cqs;
    int outcome;

    nvme->queues_wanted = (uint16_t)wanted;
    nvme->queue_index = 0;
    if (!nvme->config.negotiate_queues)
        return 1;
    outcome = exchange(nvme, &command, now_ns, &result);
    if (outcome != 1)
        return outcome;
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
int nvme_phase_create_cq(struct nvme *nvme, uint64_t now_ns)
{
    while (nvme->queue_index < nvme->queues_wanted) {
        struct nvme_queue *queue = &nvme->queues[nvme->queue_index];
        uint32_t cdw11 = NVME_CREATE_PC;
        struct nvme_sqe command;
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
            cdw11 |= NVME_CREATE_CQ_IEN | ((uint32_t)queue->vector << NVME_CREATE_CQ_IV_SHIFT);
        command = (struct nvme_sqe){.command_nsid = NVME_ADMIN_CREATE_CQ,
                                    .prp1 = queue->cq.bus,
                                    .cdw10_11 = queue->cq.qid | ((queue->cq.depth - 1u) << 16) |
                                                ((uint64_t)cdw11 << 32)};
        outcome = exchange(nvme, &command, now_ns, NULL);
        if (outcome != 1)
            return outcome;
        queue->cq_created = true;
        nvme->queue_index++;
    }
    nvme->queue_index = 0;
    return 1;
}

int nvme_phase_create_sq(struct nvme *nvme, uint64_t now_ns)
{
    while (nvme->queue_index < nvme->queues_wanted) {
        struct nvme_queue *queue = &nvme->queues[nvme->queue_index];
        uint32_t cdw11 = NVME_CREATE_PC |
                         ((uint32_t)nvme->config.sq_priority << NVME_CREATE_SQ_QPRIO_SHIFT) |
                         ((uint32_t)queue->cq.qid << NVME_CREATE_SQ_CQID_SHIFT);
        const struct nvme_sqe command = {
            .command_nsid = NVME_ADMIN_CREATE_SQ,
            .prp1 = queue->sq.bus,
            .cdw10_11 = queue->sq.qid | ((queue->sq.depth - 1u) << 16) | ((uint64_t)cdw11 << 32)};
        int outcome = exchange(nvme, &command, now_ns, NULL);

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
static int delete_queues(struct nvme *nvme, bool sq, uint64_t now_ns)
{
    if (nvme->admin.log_sent || nvme->admin.internal) { /* housekeeping's command goes first */
        int earlier = nvme_admin_wait(nvme, now_ns, NULL);

        if (earlier == 0 || (earlier < 0 && earlier != NVME_E_STATUS))
            return earlier;
        nvme->admin.log_sent = false;
        nvme->admin.internal = NULL;
    }
    for (; nvme->queue_index < nvme->config.io_queues; nvme->queue_index++) {
        struct nvme_queue *queue = &nvme->queues[nvme->queue_index];
        bool *created = sq ? &queue->sq_created : &queue->cq_created;
        const struct nvme_sqe command = {.command_nsid =
                                             sq ? NVME_ADMIN_DELETE_SQ : NVME_ADMIN_DELETE_CQ,
                                         .cdw10_11 = queue->sq.qid};
        int outcome;

        if (!*created)
            continue;
        outcome = exchange(nvme, &command, now_ns, NULL);
        if (outcome == 0 || (outcome < 0 && outcome != NVME_E_STATUS))
            return outcome;
        *created = false;
    }
    nvme->queue_index = 0;
    return 1;
}

int nvme_phase_delete_sq(struct nvme *nvme, uint64_t now_ns)
{
    return delete_queues(nvme, true, now_ns);
}

int nvme_phase_delete_cq(struct nvme *nvme, uint64_t now_ns)
{
    return delete_queues(nvme, false, now_ns);
}
