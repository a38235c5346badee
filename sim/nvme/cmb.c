/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The controller memory buffer (NVMe 1.4 section 4.7). It lies in BAR0 behind everything else. With
 * version 1.4 the host says by CMBMSC at which of its addresses the controller finds the buffer
 * (3.1.16); before that it is where the BAR is. cmb_holds() (internal.h) is the only place that
 * tells the buffer's addresses from the host's. The controller reaches the buffer without the link,
 * in no time of its own, and without being bus master; the host's accesses pay for the link like
 * every register access (pcie/port.h). What the specification leaves open is decided here:
 * - the buffer keeps its contents over every reset, but not without power;
 * - the host may access it whether or not CMBMSC enables it.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"
#include "nvme/wire_cmb.h"

#define BAR_ADDRESS_MASK UINT64_C(0xfffffffffffffff0)

static bool has_memory_space(const struct ctrl *ctrl) /* CAP.CMBS */
{
    return ctrl->regs.vs >= VS_1_4;
}

void cmb_init(struct ctrl *ctrl)
{
    ctrl->cmb.size = ctrl->params.cmb_size;
    if (ctrl->cmb.size != 0)
        ctrl->cmb.bytes = ctrl_allocate(1, ctrl->cmb.size);
}

void cmb_free(struct ctrl *ctrl)
{
    free(ctrl->cmb.bytes);
}

static bool announces(const struct ctrl *ctrl)
{
    return ctrl->cmb.size != 0 &&
           (!has_memory_space(ctrl) || (ctrl->cmb.memory_space & CMBMSC_CRE) != 0);
}

static uint64_t bar_address(const struct ctrl *ctrl)
{
    uint64_t low = configspace_read(&ctrl->config, CONFIGSPACE_BAR0, 4);
    uint64_t high = configspace_read(&ctrl->config, CONFIGSPACE_BAR1, 4);

    return (high << 32 | low) & BAR_ADDRESS_MASK;
}

/* Where the host's addresses of the buffer lie now. */
static void open_window(struct ctrl *ctrl)
{
    struct cmb *cmb = &ctrl->cmb;
    uint64_t enables = CMBMSC_CRE | CMBMSC_CMSE;

    cmb->window = 0;
    cmb->status = 0;
    if (!has_memory_space(ctrl)) {
        cmb->bus = bar_address(ctrl) + cmb->offset;
        if (configspace_memory_enabled(&ctrl->config))
            cmb->window = cmb->size;
        return;
    }
    cmb->bus = cmb->memory_space & CMBMSC_CBA_MASK;
    if ((cmb->memory_space & enables) != enables)
        return;
    if (cmb->bus > UINT64_MAX - (cmb->size - 1)) /* would run over the end (3.1.17) */
        cmb->status = CMBSTS_CBAI;
    else
        cmb->window = cmb->size;
}

/* Queues in the buffer lie there as a whole, and are contiguous (CMBLOC.CQMMS = CQPDS = 0). */
void ring_placed(const struct ctrl *ctrl, struct ring *ring)
{
    ring->local = ring->pages == NULL && cmb_holds(ctrl, ring->base);
    ring->at_once = !ring->local && !ctrl->paced;
}

void cmb_update(struct ctrl *ctrl)
{
    if (ctrl->cmb.size == 0)
        return;
    open_window(ctrl);
    for (uint32_t i = 0; i <= ctrl->params.max_io_queues; i++) {
        ring_placed(ctrl, &ctrl->queues.sqs[i].ring);
        ring_placed(ctrl, &ctrl->queues.cqs[i].ring);
    }
}

void cmb_forget(struct ctrl *ctrl)
{
    ctrl->cmb.memory_space = 0;
}

void cmb_lose(struct ctrl *ctrl)
{
    cmb_free(ctrl);
    cmb_init(ctrl);
}

static uint32_t uses(const struct ctrl *ctrl)
{
    const struct ctrl_params *params = &ctrl->params;

    return (params->cmb_sqs ? CMBSZ_SQS : 0) | (params->cmb_cqs ? CMBSZ_CQS : 0) |
           (params->cmb_lists ? CMBSZ_LISTS : 0) | (params->cmb_rds ? CMBSZ_RDS : 0) |
           (params->cmb_wds ? CMBSZ_WDS : 0);
}

uint32_t cmb_register_read(const struct ctrl *ctrl, uint64_t offset)
{
    switch (offset) {
    case REG_CMBLOC:
        if (!announces(ctrl))
            return 0;
        /* Bits 8:3 are reserved before 1.4. */
        return (uint32_t)(ctrl->cmb.offset / CMB_UNIT << CMB_SHIFT) |
               (has_memory_space(ctrl) ? CMBLOC_CDPMLS | CMBLOC_CDPCILS : 0);
    case REG_CMBSZ:
        if (!announces(ctrl))
            return 0;
        return (uint32_t)(ctrl->cmb.size / CMB_UNIT << CMB_SHIFT) | uses(ctrl);
    case REG_CMBMSC:
        return (uint32_t)ctrl->cmb.memory_space;
    case REG_CMBMSC + 4:
        return (uint32_t)(ctrl->cmb.memory_space >> 32);
    default:
        return ctrl->cmb.status;
    }
}

void cmb_register_write(struct ctrl *ctrl, uint64_t offset, uint32_t value)
{
    uint64_t old = ctrl->cmb.memory_space;

    if (ctrl->cmb.size == 0 || !has_memory_space(ctrl))
        return;
    if (offset == REG_CMBMSC)
        old = (old & ~UINT64_C(0xffffffff)) | value;
    else if (offset == REG_CMBMSC + 4)
        old = (old & UINT64_C(0xffffffff)) | (uint64_t)value << 32;
    else
        return; /* the others are read only */
    ctrl->cmb.memory_space = old & (CMBMSC_CBA_MASK | CMBMSC_CRE | CMBMSC_CMSE);
    cmb_update(ctrl);
}

uint64_t cmb_bar_read(struct ctrl *ctrl, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i-- > 0;)
        value = value << 8 | ctrl->cmb.bytes[offset + i];
    ctrl->stats.cmb_reads++;
    return value;
}

void cmb_bar_write(struct ctrl *ctrl, uint64_t offset, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        ctrl->cmb.bytes[offset + i] = (uint8_t)(value >> 8 * i);
    ctrl->stats.cmb_writes++;
}

/* Is [bus, bus + bytes) inside, given that its start is? */
static bool ends_inside(const struct ctrl *ctrl, uint64_t bus, uint64_t bytes)
{
    return bytes <= ctrl->cmb.window - (bus - ctrl->cmb.bus);
}

/* An access that runs out of the buffer counts like one that the host refuses. */
static int refused(struct ctrl *ctrl)
{
    ctrl->stats.dma_errors++;
    return PCIE_E_ABORT;
}

int cmb_read(struct ctrl *ctrl, uint64_t bus, void *to, uint32_t bytes)
{
    if (!ends_inside(ctrl, bus, bytes))
        return refused(ctrl);
    memcpy(to, ctrl->cmb.bytes + (bus - ctrl->cmb.bus), bytes);
    return PCIE_OK;
}

int cmb_write(struct ctrl *ctrl, uint64_t bus, const void *from, uint32_t bytes)
{
    if (!ends_inside(ctrl, bus, bytes))
        return refused(ctrl);
    memcpy(ctrl->cmb.bytes + (bus - ctrl->cmb.bus), from, bytes);
    return PCIE_OK;
}

/* Does any byte of [bus, bus + bytes) lie in the buffer? */
static bool overlaps(const struct ctrl *ctrl, uint64_t bus, uint64_t bytes)
{
    return cmb_holds(ctrl, bus) || (ctrl->cmb.window != 0 && ctrl->cmb.bus - bus < bytes);
}

uint16_t cmb_check(const struct ctrl *ctrl, uint64_t bus, uint64_t bytes, uint32_t use)
{
    if (!overlaps(ctrl, bus, bytes) || (uses(ctrl) & use) != 0)
        return STATUS_SUCCESS;
    return STATUS_CMB_USE_INVALID;
}

uint16_t cmb_check_queue(const struct ctrl *ctrl, uint64_t bus, uint64_t bytes, uint32_t use)
{
    if (!overlaps(ctrl, bus, bytes))
        return STATUS_SUCCESS;
    if (!cmb_holds(ctrl, bus) || !ends_inside(ctrl, bus, bytes))
        return STATUS_CMB_USE_INVALID; /* CMBLOC.CQMMS = 0 */
    return cmb_check(ctrl, bus, bytes, use);
}

bool cmb_takes_admin_queues(const struct ctrl *ctrl)
{
    uint64_t sq_bytes = (uint64_t)(AQA_ASQS(ctrl->regs.aqa) + 1) << SQE_LOG2;
    uint64_t cq_bytes = (uint64_t)(AQA_ACQS(ctrl->regs.aqa) + 1) << CQE_LOG2;

    return cmb_check_queue(ctrl, ctrl->regs.asq, sq_bytes, CMBSZ_SQS) == STATUS_SUCCESS &&
           cmb_check_queue(ctrl, ctrl->regs.acq, cq_bytes, CMBSZ_CQS) == STATUS_SUCCESS;
}

static uint32_t use_of(const struct command *cmd)
{
    if (cmd->kind == COMMAND_QUEUE_PAGES)
        return 0; /* CMBLOC.CQPDS = 0: no page of a queue that is not contiguous */
    return command_data_to_host(cmd) ? CMBSZ_RDS : CMBSZ_WDS;
}

uint16_t cmb_check_data(const struct ctrl *ctrl, struct command *cmd)
{
    for (uint32_t i = 0; i < cmd->data.count; i++) {
        const struct pcie_segment *segment = &cmd->data.list[i];

        if (segment->bus == SEGMENT_DISCARDED || !overlaps(ctrl, segment->bus, segment->bytes))
            continue;
        if ((uses(ctrl) & use_of(cmd)) == 0)
            return STATUS_CMB_USE_INVALID;
        cmd->data.apart = cmd->data.mixed = true;
    }
    return STATUS_SUCCESS;
}
