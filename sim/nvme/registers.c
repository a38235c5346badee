/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bus interface: configuration space, and BAR0 with the registers of NVMe 1.4 section 3.1, the
 * doorbells and the MSI-X structures. What the specification leaves undefined is defined here:
 * - accesses of 1 or 2 bytes, or not aligned to their size: reads give all ones, writes do nothing;
 * - 8 bytes at a pair of 32-bit registers act on both, the lower first; at doorbells they do
 * nothing;
 * - reserved offsets and optional registers that are not there (boot partition, persistent memory;
 *   the CMB's without one) read as zero, as do the doorbells, which are write-only;
 * - AQA, ASQ and ACQ can be written at any time and count at the next change of EN from 0 to 1;
 * - INTMS and INTMC work at any time but only mask the pin, never MSI-X;
 * - with memory space off, or outside BAR0, reads give all ones and writes do nothing, uncounted.
 */
#include "nvme/internal.h"
#include "nvme/wire_cmb.h"

#define BAR_REGISTERS 0u

static uint64_t all_ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

static uint32_t read_dword(const struct ctrl *ctrl, uint64_t offset)
{
    switch (offset) {
    case REG_CAP:
        return (uint32_t)ctrl->regs.cap;
    case REG_CAP + 4:
        return (uint32_t)(ctrl->regs.cap >> 32);
    case REG_VS:
        return ctrl->regs.vs;
    case REG_INTMS:
    case REG_INTMC:
        return ctrl->regs.intms;
    case REG_CC:
        return ctrl->regs.cc;
    case REG_CSTS:
        return ctrl->regs.csts;
    case REG_AQA:
        return ctrl->regs.aqa;
    case REG_ASQ:
        return (uint32_t)ctrl->regs.asq;
    case REG_ASQ + 4:
        return (uint32_t)(ctrl->regs.asq >> 32);
    case REG_ACQ:
        return (uint32_t)ctrl->regs.acq;
    case REG_ACQ + 4:
        return (uint32_t)(ctrl->regs.acq >> 32);
    case REG_CMBLOC:
    case REG_CMBSZ:
    case REG_CMBMSC:
    case REG_CMBMSC + 4:
    case REG_CMBSTS:
        return cmb_register_read(ctrl, offset);
    default: /* NSSR reads as zero (3.1.7) */
        return 0;
    }
}

/* One half of a 64-bit queue base. */
static uint64_t with_half(uint64_t old, uint64_t offset, uint32_t value)
{
    uint64_t merged = offset % 8 == 0 ? (old & ~UINT64_C(0xffffffff)) | value
                                      : (old & UINT64_C(0xffffffff)) | (uint64_t)value << 32;

    return merged & QUEUE_BASE_WRITABLE;
}

static void write_dword(struct ctrl *ctrl, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case REG_INTMS:
        ctrl->stats.mask_writes++;
        ctrl->regs.intms |= value;
        interrupt_update(ctrl);
        break;
    case REG_INTMC:
        ctrl->stats.unmask_writes++;
        ctrl->regs.intms &= ~value;
        interrupt_update(ctrl);
        break;
    case REG_CC:
        ctrl_write_cc(ctrl, value);
        break;
    case REG_CSTS: /* NSSRO is the only bit that a write clears (3.1.6) */
        if ((value & ctrl->regs.csts & CSTS_NSSRO) != 0) {
            ctrl->regs.csts &= ~CSTS_NSSRO;
            ctrl_record_csts(ctrl);
        }
        break;
    case REG_NSSR:
        if (ctrl->params.cap_nssrs && value == NSSR_KEY)
            ctrl_subsystem_reset(ctrl);
        break;
    case REG_AQA:
        ctrl->regs.aqa = value & AQA_WRITABLE;
        break;
    case REG_ASQ:
    case REG_ASQ + 4:
        ctrl->regs.asq = with_half(ctrl->regs.asq, offset, value);
        break;
    case REG_ACQ:
    case REG_ACQ + 4:
        ctrl->regs.acq = with_half(ctrl->regs.acq, offset, value);
        break;
    case REG_CMBMSC:
    case REG_CMBMSC + 4:
        cmb_register_write(ctrl, offset, value);
        break;
    default:
        break;
    }
}

static bool has_msix(const struct ctrl *ctrl)
{
    return ctrl->params.msix_vectors > 0;
}

static bool is_msix_table(const struct ctrl *ctrl, uint64_t offset)
{
    return has_msix(ctrl) && offset >= ctrl->bar.msix_table_at &&
           offset < ctrl->bar.msix_pending_at;
}

/* Behind the registers there is the controller memory buffer, or nothing. */
static bool is_cmb(const struct ctrl *ctrl, unsigned bar, uint64_t offset)
{
    return bar == BAR_REGISTERS && offset - ctrl->cmb.offset < ctrl->cmb.size &&
           configspace_memory_enabled(&ctrl->config);
}

static uint64_t read_beyond(struct ctrl *ctrl, unsigned bar, uint64_t offset, unsigned size)
{
    return is_cmb(ctrl, bar, offset) ? cmb_bar_read(ctrl, offset - ctrl->cmb.offset, size)
                                     : all_ones(size);
}

static void write_beyond(struct ctrl *ctrl, unsigned bar, uint64_t offset, unsigned size,
                         uint64_t value)
{
    if (is_cmb(ctrl, bar, offset))
        cmb_bar_write(ctrl, offset - ctrl->cmb.offset, size, value);
}

static uint64_t bar_read(void *ctx, unsigned bar, uint64_t offset, unsigned size)
{
    struct ctrl *ctrl = ctx;
    uint64_t value;

    if (bar != BAR_REGISTERS || offset >= ctrl->bar.registers_end ||
        !configspace_memory_enabled(&ctrl->config))
        return read_beyond(ctrl, bar, offset, size);
    ctrl->stats.register_reads++;
    if (is_msix_table(ctrl, offset))
        return msix_table_read(&ctrl->msix, offset - ctrl->bar.msix_table_at, size);
    if (has_msix(ctrl) && offset >= ctrl->bar.msix_pending_at)
        return msix_pending_read(&ctrl->msix, offset - ctrl->bar.msix_pending_at, size);
    if ((size != 4 && size != 8) || offset % size != 0)
        return all_ones(size);
    value = read_dword(ctrl, offset);
    if (size == 8)
        value |= (uint64_t)read_dword(ctrl, offset + 4) << 32;
    return value;
}

static void bar_write(void *ctx, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    struct ctrl *ctrl = ctx;

    if (bar != BAR_REGISTERS || offset >= ctrl->bar.registers_end ||
        !configspace_memory_enabled(&ctrl->config)) {
        write_beyond(ctrl, bar, offset, size, value);
        return;
    }
    if (offset >= REG_DOORBELLS && offset < ctrl->bar.doorbells_end && size == 4 &&
        offset % 4 == 0) {
        queues_doorbell(ctrl, offset - REG_DOORBELLS, (uint32_t)value);
        return;
    }
    ctrl->stats.register_writes++;
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_REGISTER, size, offset,
                value, 0);
    if (is_msix_table(ctrl, offset)) {
        msix_table_write(&ctrl->msix, offset - ctrl->bar.msix_table_at, size, value);
        return;
    }
    if (offset >= REG_DOORBELLS || (size != 4 && size != 8) || offset % size != 0)
        return;
    write_dword(ctrl, offset, (uint32_t)value);
    /* The first half may have been the key of NSSR: then nobody is here to take the second. */
    if (size == 8 && configspace_memory_enabled(&ctrl->config))
        write_dword(ctrl, offset + 4, (uint32_t)(value >> 32));
}

static uint32_t config_read(void *ctx, uint16_t offset, unsigned size)
{
    struct ctrl *ctrl = ctx;

    if (ctrl->faults.link_down)
        return (uint32_t)all_ones(size);
    return configspace_read(&ctrl->config, offset, size);
}

static void config_write(void *ctx, uint16_t offset, unsigned size, uint32_t value)
{
    struct ctrl *ctrl = ctx;
    unsigned changed;

    if (ctrl->faults.link_down)
        return;
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_CONFIG, size, offset,
                value, 0);
    changed = configspace_write(&ctrl->config, offset, size, value);
    if ((changed & CONFIGSPACE_FUNCTION_RESET) != 0) {
        ctrl_function_reset(ctrl);
        return;
    }
    if ((changed & CONFIGSPACE_POWER_RESET) != 0) {
        ctrl_conventional_reset(ctrl);
        return;
    }
    if ((changed & CONFIGSPACE_CHANGED_MSIX) != 0) {
        uint16_t control = configspace_msix_control(&ctrl->config);

        msix_set_control(&ctrl->msix, (control & CONFIGSPACE_MSIX_ENABLE) != 0,
                         (control & CONFIGSPACE_MSIX_FUNCTION_MASK) != 0);
    }
    if ((changed & CONFIGSPACE_CHANGED_MSI) != 0)
        msi_registers_written(&ctrl->msi);
    cmb_update(ctrl); /* a BAR may have moved */
    if ((changed & CONFIGSPACE_CHANGED_SIZES) != 0)
        ctrl_set_link_sizes(ctrl);
    if (changed != 0)
        interrupt_update(ctrl);
}

const struct pcie_device_ops ctrl_device_ops = {
    .config_read = config_read,
    .config_write = config_write,
    .bar_read = bar_read,
    .bar_write = bar_write,
};
