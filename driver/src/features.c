/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Optional features that bring-up sets where the configuration asks for them and the controller has
 * them: Host Behavior Support (NVMe 1.4, 5.21.1.22), arbitration (5.21.1.1, 4.13), interrupt
 * coalescing (coalescing.c) and the host
 * memory buffer (5.21.1.13, 8.9), which shutdown takes back. Called by controller.c as phases. A
 * feature that the controller refuses is not used, and that is all. What is not configured costs no
 * command.
 */
#include "internal.h"

#if !defined(NVME_NO_FEATURES)

#define BEHAVIOR_BYTES  512u
#define ARBITRATION_HPW 24
#define ARBITRATION_MPW 16
#define ARBITRATION_LPW 8
#define UNIT_SHIFT      12u       /* HMPRE, HMMIN and HMMINDS are in units of 4 KiB (5.15.2.2) */
#define MEMORY_ENABLE   (1u << 0) /* EHM */
#define MEMORY_RETURNED (1u << 1) /* MR: the contents are as the controller left them */

enum { FEATURE_BEHAVIOR, FEATURE_ARBITRATION, FEATURE_COALESCING, FEATURE_MEMORY, FEATURES };

/* ---- host memory buffer ---- */

/* A number of units of 4 KiB in bytes; what a 32-bit number cannot hold is as much as it can. */
static uint32_t units(const uint8_t *field)
{
    uint32_t count = nvme_get_le32(field);

    return (count < UINT32_MAX >> UNIT_SHIFT ? count : UINT32_MAX >> UNIT_SHIFT) << UNIT_SHIFT;
}

void nvme_host_memory_identify(struct nvme *nvme, const uint8_t *id)
{
    struct nvme_host_memory *memory = &nvme->host_memory;

    memory->preferred = units(id + NVME_IDC_HMPRE);
    memory->least = units(id + NVME_IDC_HMMIN);
    memory->least_piece = units(id + NVME_IDC_HMMINDS);
    memory->pieces_max = nvme_get_le16(id + NVME_IDC_HMMAXD);
}

/* Memory for the buffer, in as few pieces as the platform gives, and the list of descriptors. What
 * is held from before a reset stays as it is. Too little, or none, is no error. */
static void borrow(struct nvme *nvme)
{
    struct nvme_host_memory *memory = &nvme->host_memory;
    uint32_t page = nvme->info.page_bytes;
    uint32_t wanted = nvme->config.host_memory_bytes;
    uint32_t most = memory->pieces_max;
    uint32_t piece;
    uint64_t *entry;

    if (wanted > memory->preferred)
        wanted = memory->preferred;
    piece = wanted &= ~(page - 1);
    if (most == 0 || most > NVME_HOST_MEMORY_PIECES)
        most = NVME_HOST_MEMORY_PIECES;
    if (memory->count != 0 || wanted == 0 || wanted < memory->least ||
        nvme_dma_hold(nvme, &memory->list, page, NVME_DMA_HOST_MEMORY) != NVME_OK)
        return;
    entry = memory->list.cpu;
    while (memory->count < most && memory->bytes < wanted) {
        struct nvme_dma *dma = &memory->pieces[memory->count];

        if (piece > wanted - memory->bytes)
            piece = wanted - memory->bytes;
        if (piece < page || piece < memory->least_piece)
            return;
        if (nvme_dma_hold(nvme, dma, piece, NVME_DMA_HOST_MEMORY) != NVME_OK) {
            piece = (piece >> 1) & ~(page - 1);
            continue;
        }
        *entry++ = le64(dma->bus);                  /* BADD */
        *entry++ = le64(piece >> nvme->page_shift); /* BSIZE, and 4 bytes reserved */
        memory->bytes += piece;
        memory->count++;
    }
}

void nvme_host_memory_drop(struct nvme *nvme)
{
    struct nvme_host_memory *memory = &nvme->host_memory;

    while (memory->count != 0)
        nvme_dma_drop(nvme, &memory->pieces[--memory->count]);
    nvme_dma_drop(nvme, &memory->list);
    memory->bytes = 0;
    memory->lent = false;
}

/* Shutdown: the controller gives back what it was lent before its host goes on without it (8.9). A
 * refusal changes nothing: the reset that follows ends the loan. */
int nvme_phase_take_back(struct nvme *nvme)
{
    static const struct nvme_command command = {NVME_ADMIN_SET_FEATURES,
                                                .cdw10 = NVME_FEATURE_HOST_MEMORY};
    int outcome;

    if (nvme->info.host_memory_bytes == 0)
        return 1;
    outcome = nvme_admin_exchange(nvme, &command, 0);
    if (outcome == 0 || (outcome < 0 && outcome != NVME_E_STATUS))
        return outcome;
    nvme->info.host_memory_bytes = 0;
    return 1;
}

/* ---- each feature ---- */

/* Only then may CRD be other than zero (4.6.1), and only if there is a delay does it matter. */
static bool fill_behavior(struct nvme *nvme, struct nvme_command *command, uint64_t *prp1)
{
    const uint16_t *delays = nvme->info.retry_delay_100ms;
    struct nvme_dma *page = &nvme->admin.control;

    if (!nvme->config.host_behavior || nvme->info.version < NVME_VERSION_1_4 ||
        (delays[0] | delays[1] | delays[2]) == 0)
        return false;
    memset(page->cpu, 0, BEHAVIOR_BYTES);
    *(uint8_t *)page->cpu = 1; /* ACRE */
    nvme_dma_sync(nvme, page, BEHAVIOR_BYTES, NVME_SYNC_FOR_DEVICE);
    command->cdw10 = NVME_FEATURE_HOST_BEHAVIOR;
    *prp1 = page->bus;
    return true;
}

static bool fill_arbitration(struct nvme *nvme, struct nvme_command *command)
{
    const struct nvme_config *config = &nvme->config;

    if (!nvme_weighted(nvme))
        return false;
    command->cdw10 = NVME_FEATURE_ARBITRATION;
    command->cdw11 = config->burst_log2 | ((uint32_t)config->weights[0] << ARBITRATION_HPW) |
                     ((uint32_t)config->weights[1] << ARBITRATION_MPW) |
                     ((uint32_t)config->weights[2] << ARBITRATION_LPW);
    return true;
}

static bool fill_memory(struct nvme *nvme, struct nvme_command *command)
{
    struct nvme_host_memory *memory = &nvme->host_memory;

    if (nvme->config.host_memory_bytes == 0)
        return false;
    borrow(nvme);
    if (memory->bytes == 0 || memory->bytes < memory->least)
        return false;
    nvme_dma_sync(nvme, &memory->list, memory->count * 16u, NVME_SYNC_FOR_DEVICE);
    command->cdw10 = NVME_FEATURE_HOST_MEMORY;
    command->cdw11 = MEMORY_ENABLE | (memory->lent ? MEMORY_RETURNED : 0);
    command->cdw12 = memory->bytes >> nvme->page_shift;
    command->cdw13 = (uint32_t)memory->list.bus;
    command->cdw14 = (uint32_t)(memory->list.bus >> 32);
    command->cdw15 = memory->count;
    return true;
}

int nvme_phase_features(struct nvme *nvme)
{
    for (; nvme->feature < FEATURES; nvme->feature++) {
        struct nvme_command command = {NVME_ADMIN_SET_FEATURES, .nsid = 0};
        uint64_t prp1 = 0;
        int outcome;

        if (!nvme->entered &&
            !(nvme->feature == FEATURE_BEHAVIOR      ? fill_behavior(nvme, &command, &prp1)
              : nvme->feature == FEATURE_ARBITRATION ? fill_arbitration(nvme, &command)
              : nvme->feature == FEATURE_COALESCING  ? nvme_coalescing_begin(nvme, &command)
                                                     : fill_memory(nvme, &command)))
            continue;
        outcome = nvme_admin_exchange(nvme, &command, prp1);
        if (outcome == 0 || (outcome < 0 && outcome != NVME_E_STATUS))
            return outcome;
        if (outcome == 1 && nvme->feature == FEATURE_BEHAVIOR)
            nvme->info.retry_delays = true;
        if (outcome == 1 && nvme->feature == FEATURE_MEMORY) {
            nvme->host_memory.lent = true;
            nvme->info.host_memory_bytes = nvme->host_memory.bytes;
        }
    }
    return 1;
}

#endif
