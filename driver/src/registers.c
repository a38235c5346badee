/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Controller registers as bring-up needs them: what CAP and VS must say before anything is written,
 * and the writes that configure and enable (NVMe 1.4 sections 3.1 and 7.6.1). Called by
 * controller.c.
 */
#include "internal.h"

#define READY_UNIT_MS   500u /* CAP.TO (3.1.1) */
#define PAGE_SHIFT_MAX  16u  /* the largest alignment that a platform's dma_alloc must give */
#define MSI_VECTORS_MAX 32u

uint64_t nvme_read64(const struct nvme *nvme, uint32_t offset)
{
    uint32_t low, high;

    if (nvme->ops->read64)
        return nvme->ops->read64(nvme->ctx, offset);
    low = nvme->ops->read32(nvme->ctx, offset);
    high = nvme->ops->read32(nvme->ctx, offset + 4);
    return low | ((uint64_t)high << 32);
}

void nvme_write64(const struct nvme *nvme, uint32_t offset, uint64_t value)
{
    if (nvme->ops->write64) {
        nvme->ops->write64(nvme->ctx, offset, value);
        return;
    }
    nvme->ops->write32(nvme->ctx, offset, (uint32_t)value);
    nvme->ops->write32(nvme->ctx, offset + 4, (uint32_t)(value >> 32));
}

uint64_t nvme_ready_timeout_ns(const struct nvme *nvme)
{
    uint32_t to = NVME_CAP_TO(nvme->info.cap);
    uint32_t ms = (to ? to : 1) * READY_UNIT_MS;

    if (ms < nvme->config.ready_min_ms)
        ms = nvme->config.ready_min_ms;
    return (uint64_t)ms * NVME_NS_PER_MS;
}

uint32_t nvme_read_csts(struct nvme *nvme)
{
    uint32_t csts = nvme->ops->read32(nvme->ctx, NVME_REG_CSTS);

    if (csts == NVME_REGISTER_GONE)
        nvme->vanished = true;
    return csts;
}

/* INTMS and INTMC must not be touched while MSI-X is in use (3.1.3, 3.1.4). */
bool nvme_uses_masks(const struct nvme *nvme)
{
    return nvme->config.irq == NVME_IRQ_INTX || nvme->config.irq == NVME_IRQ_MSI;
}

bool nvme_weighted(const struct nvme *nvme)
{
    return nvme->config.weighted && NVME_CAP_AMS_WRR(nvme->info.cap);
}

/* Is there an NVMe controller that this core can drive? Reads only. */
int nvme_probe(struct nvme *nvme)
{
    uint64_t cap = nvme_read64(nvme, NVME_REG_CAP);
    uint32_t version;

    if (cap == UINT64_MAX) {
        nvme->vanished = true;
        return NVME_E_GONE;
    }
    version = nvme->ops->read32(nvme->ctx, NVME_REG_VS);
    if (version == NVME_REGISTER_GONE) {
        nvme->vanished = true;
        return NVME_E_GONE;
    }
    /* Fields that no controller may have: MQES is at least 1, the page range is not empty. */
    if (cap == 0 || version >> 16 == 0 || NVME_CAP_MQES(cap) == 0 ||
        NVME_CAP_MPSMIN(cap) > NVME_CAP_MPSMAX(cap))
        return NVME_E_DEVICE;
    if (!NVME_CAP_CSS_NVM(cap) || NVME_PAGE_SHIFT_MIN + NVME_CAP_MPSMIN(cap) > PAGE_SHIFT_MAX)
        return NVME_E_UNSUPPORTED;
    nvme->shutdown_ns = 0; /* until Identify says otherwise */
    nvme->info.cap = cap;
    nvme->info.version = version;
    nvme->page_shift = NVME_PAGE_SHIFT_MIN + NVME_CAP_MPSMIN(cap);
    nvme->info.page_bytes = 1u << nvme->page_shift;
    nvme->doorbell_stride = 4u << NVME_CAP_DSTRD(cap);
    nvme->info.io_depth = nvme->config.io_depth;
    if (nvme->info.io_depth > NVME_CAP_MQES(cap) + 1)
        nvme->info.io_depth = (uint16_t)(NVME_CAP_MQES(cap) + 1);
    nvme->info.slots = nvme->config.slots;
    if (nvme->info.slots > nvme->info.io_depth - 1)
        nvme->info.slots = (uint16_t)(nvme->info.io_depth - 1);
    return NVME_OK;
}

/* Route interrupts before the controller can raise any. */
static int setup_interrupts(struct nvme *nvme)
{
    unsigned wanted = nvme->config.io_queues + 1u;
    int granted;

    if (nvme->irq_on)
        return NVME_OK; /* a controller reset leaves the routing as it is */
    nvme->vectors = 1;
    if (nvme->config.completion != NVME_COMPLETION_INTERRUPT) {
        /* The admin queue interrupts whatever the I/O queues were created with (7.5.1): without
         * this the pin would stay asserted, which on a shared line is everybody's problem. Where
         * there is no irq_setup, bring-up masks instead. */
        if (nvme->ops->irq_setup)
            nvme->ops->irq_setup(nvme->ctx, NVME_IRQ_NONE, 0);
        return NVME_OK;
    }
    if (nvme->config.irq == NVME_IRQ_INTX)
        wanted = 1;
    if (nvme->config.irq == NVME_IRQ_MSI && wanted > MSI_VECTORS_MAX)
        wanted = MSI_VECTORS_MAX;
    granted = nvme->ops->irq_setup(nvme->ctx, nvme->config.irq, wanted);
    if (granted < 0)
        return granted;
    if (granted == 0 || (unsigned)granted > wanted)
        return NVME_E_INVAL;
    nvme->irq_on = true;
    nvme->vectors = (uint32_t)granted;
    return NVME_OK;
}

/* 7.6.1 steps 2 to 5; CC.EN and CSTS.RDY are 0. */
int nvme_enable(struct nvme *nvme)
{
    uint32_t depth = nvme->config.admin_depth;
    int error = nvme_memory_admin(nvme);

    if (error == NVME_OK)
        error = setup_interrupts(nvme);
    if (error != NVME_OK)
        return error;
    nvme_admin_reset(nvme);
    nvme->ops->write32(nvme->ctx, NVME_REG_AQA,
                       ((depth - 1) << NVME_AQA_ASQS_SHIFT) | ((depth - 1) << NVME_AQA_ACQS_SHIFT));
    nvme_write64(nvme, NVME_REG_ASQ, nvme->admin.sq.bus);
    nvme_write64(nvme, NVME_REG_ACQ, nvme->admin.cq.bus);
    nvme->ops->write32(
        nvme->ctx, NVME_REG_CC,
        NVME_CC_EN | NVME_CC_CSS_NVM | (nvme_weighted(nvme) ? NVME_CC_AMS_WRR : NVME_CC_AMS_RR) |
            ((nvme->page_shift - NVME_PAGE_SHIFT_MIN) << NVME_CC_MPS_SHIFT) |
            (NVME_SQE_LOG2 << NVME_CC_IOSQES_SHIFT) | (NVME_CQE_LOG2 << NVME_CC_IOCQES_SHIFT));
    return NVME_OK;
}
