/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the pages of Identify mean for the core (NVMe 1.4 section 5.15): the controller's, at
 * bring-up, and a namespace's, at bring-up and when its owner says that it has changed. Called by
 * bringup.c and by the owner. Nothing here talks to the device. Left out: namespaces with metadata
 * or end-to-end protection, and blocks larger than a page; they are not offered.
 */
#include "internal.h"

#define LBA_SHIFT_MIN 9u        /* 512 bytes (5.15.2.1, LBADS) */
#define RTD3E_MAX_US  60000000u /* longer is not believed: the 32 bits hold 71 minutes */
#define NS_PER_US     1000u

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
    uint32_t us = nvme_get_le32(id + NVME_IDC_RTD3E);

    if (nvme->info.version < NVME_VERSION_1_2)
        return 0;
    return (uint64_t)(us < RTD3E_MAX_US ? us : RTD3E_MAX_US) * NS_PER_US;
}

/* A field of two nibbles: required and largest entry size, log2. */
static bool entry_size_ok(uint8_t field, uint32_t log2)
{
    return (field & 0xFu) <= log2 && log2 <= (uint32_t)(field >> 4);
}

/* Whether and how SGLs are used (5.15.2.2, SGLS). */
static void take_sgls(struct nvme *nvme, uint32_t sgls)
{
    nvme->info.sgl = sgls == NVME_IDC_SGLS_BYTE || sgls == NVME_IDC_SGLS_DWORD;
    nvme->sgl = nvme->info.sgl && nvme->config.sgl != NVME_SGL_NEVER;
    nvme->sgl_by_size = nvme->sgl && nvme->config.sgl == NVME_SGL_BY_SIZE;
    nvme->dword_mask = nvme->sgl && sgls == NVME_IDC_SGLS_BYTE ? 0 : 3;
    nvme->boundaries = false;
}

/* 1, or NVME_E_UNSUPPORTED. */
int nvme_identify_controller(struct nvme *nvme, const uint8_t *id)
{
    struct nvme_info *info = &nvme->info;

    if (!entry_size_ok(id[NVME_IDC_SQES], NVME_SQE_LOG2) ||
        !entry_size_ok(id[NVME_IDC_CQES], NVME_CQE_LOG2))
        return NVME_E_UNSUPPORTED;
    copy_text(info->serial, id + NVME_IDC_SN, sizeof(info->serial) - 1);
    copy_text(info->model, id + NVME_IDC_MN, sizeof(info->model) - 1);
    copy_text(info->firmware, id + NVME_IDC_FR, sizeof(info->firmware) - 1);
    info->max_transfer = longest_transfer(nvme, id[NVME_IDC_MDTS]);
    nvme->shutdown_ns = shutdown_time_ns(nvme, id);
    info->volatile_write_cache = (id[NVME_IDC_VWC] & NVME_IDC_VWC_PRESENT) != 0;
    info->oacs = (uint16_t)nvme_get_le16(id + NVME_IDC_OACS);
    info->oncs = (uint16_t)nvme_get_le16(id + NVME_IDC_ONCS);
    info->compare = (info->oncs & NVME_IDC_ONCS_COMPARE) != 0;
    info->deallocate = (info->oncs & NVME_IDC_ONCS_DATASET) != 0;
    info->write_zeroes = (info->oncs & NVME_IDC_ONCS_ZEROES) != 0;
    info->verify = (info->oncs & NVME_IDC_ONCS_VERIFY) != 0;
    take_sgls(nvme, id[NVME_IDC_SGLS] & NVME_IDC_SGLS_MASK);
    info->abort_limit = (uint8_t)(id[NVME_IDC_ACL] < UINT8_MAX ? id[NVME_IDC_ACL] + 1 : UINT8_MAX);
    info->namespaces_max = nvme_get_le32(id + NVME_IDC_NN);
    for (unsigned i = 0; i < 3; i++)
        info->retry_delay_100ms[i] = (uint16_t)nvme_get_le16(id + NVME_IDC_CRDT1 + 2 * i);
    info->retry_delays = false; /* until features.c has switched them on */
    info->host_memory_bytes = 0;
    nvme->atomic_normal = nvme_get_le16(id + NVME_IDC_AWUN);
    nvme->atomic_power_fail = nvme_get_le16(id + NVME_IDC_AWUPF);
    nvme_host_memory_identify(nvme, id);
    return 1;
}

/* A field that is 0-based where something says that it is stated at all. */
static uint32_t stated(bool is, const uint8_t *field)
{
    return is ? nvme_get_le16(field) + 1 : 0;
}

/* True: the core can use this namespace, and *ns describes it. False: *ns is as nobody's. */
bool nvme_identify_namespace(struct nvme *nvme, struct nvme_ns *ns, uint32_t nsid,
                             const uint8_t *id)
{
    struct nvme_namespace *public = &ns->public;
    uint32_t format = id[NVME_IDN_FLBAS] & NVME_IDN_FLBAS_MASK;
    uint32_t lbaf = nvme_get_le32(id + NVME_IDN_LBAF + format * NVME_IDN_LBAF_BYTES);
    uint32_t shift = (lbaf >> 16) & 0xFFu;
    uint64_t blocks = nvme_get_le64(id + NVME_IDN_NSZE);
    bool own_atomics = (id[NVME_IDN_NSFEAT] & NVME_IDN_NSFEAT_ATOMICS) != 0;
    bool preferences = (id[NVME_IDN_NSFEAT] & NVME_IDN_NSFEAT_OPTIMAL) != 0;

    memset(ns, 0, sizeof(*ns));
    if (blocks == 0 || format > id[NVME_IDN_NLBAF] || (lbaf & 0xFFFFu) != 0 ||
        (id[NVME_IDN_DPS] & NVME_IDN_DPS_MASK) != 0 || shift < LBA_SHIFT_MIN ||
        shift > nvme->page_shift || nvme->info.max_transfer >> shift == 0)
        return false;
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
    public->block_bytes = 1u << shift;
    public->blocks = blocks;
    public->format = (uint8_t)format;
    public->max_blocks = ns->max_blocks;
    public->optimal_boundary = nvme_get_le16(id + NVME_IDN_NOIOB);
    nvme->boundaries |= nvme->config.split_at_boundary && public->optimal_boundary != 0;
    ns->zero_flags = id[NVME_IDN_DLFEAT] & NVME_IDN_DLFEAT_DEAC ? NVME_ZEROES_DEAC : 0;
    public->atomic_blocks =
        own_atomics ? nvme_get_le16(id + NVME_IDN_NAWUN) + 1 : nvme->atomic_normal + 1;
    public->atomic_power_fail =
        own_atomics ? nvme_get_le16(id + NVME_IDN_NAWUPF) + 1 : nvme->atomic_power_fail + 1;
    public->atomic_boundary = stated(nvme_get_le16(id + NVME_IDN_NABSN) != 0, id + NVME_IDN_NABSN);
    public->preferred_write_granularity = stated(preferences, id + NVME_IDN_NPWG);
    public->preferred_write_alignment = stated(preferences, id + NVME_IDN_NPWA);
    public->preferred_deallocate_granularity = stated(preferences, id + NVME_IDN_NPDG);
    public->nsid = nsid;
    return true;
}

/* No queue looks at the entry any more: it finds it by nsid, or still has it from the last request.
 */
static void forget(struct nvme *nvme, struct nvme_ns *ns)
{
    ns->public.nsid = 0;
    for (uint32_t i = 0; i < nvme->info.io_queues; i++) {
        struct nvme_queue *queue = &nvme->queues[i];

        nvme_queue_lock(queue);
        if (queue->ns == ns)
            nvme_queue_use_namespace(queue, &nvme->ns[NVME_NAMESPACES_MAX]);
        nvme_queue_unlock(queue);
    }
}

int nvme_update_namespace(struct nvme *nvme, uint32_t nsid, const void *identify)
{
    struct nvme_ns described, *ns = NULL;
    bool usable;

    if (nvme->state != NVME_STATE_READY)
        return NVME_E_STATE;
    if (nsid == 0 || nsid > NVME_NSID_MAX)
        return NVME_E_INVAL;
    for (uint32_t i = 0; i < nvme->ns_count; i++)
        if (nvme->ns[i].public.nsid == nsid || (!ns && nvme->ns[i].public.nsid == 0))
            ns = &nvme->ns[i];
    usable = nvme_identify_namespace(nvme, &described, nsid, identify);
    if (ns)
        forget(nvme, ns);
    if (!usable)
        return NVME_E_UNSUPPORTED;
    if (!ns) {
        if (nvme->ns_count == NVME_NAMESPACES_MAX)
            return NVME_E_NO_MEMORY;
        ns = &nvme->ns[nvme->ns_count];
    }
    described.public.nsid = 0; /* until the rest is there */
    *ns = described;
    forget(nvme, ns); /* locks: what was written is seen before the identifier */
    ns->public.nsid = nsid;
    if (ns == &nvme->ns[nvme->ns_count])
        nvme->ns_count++;
    return NVME_OK;
}
