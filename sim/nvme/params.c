/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The controller's parameters: their rows, the checks of combinations, and what follows from them
 * (CAP, sizes, where the MSI-X structures lie in BAR0). Called at creation only.
 */
#include <string.h>

#include "nvme/internal.h"
#include "nvme/wire_cmb.h"

#define PARAM_AS_ROWS struct ctrl_params
#include "config/param_begin.h"
const struct param_row ctrl_rows[] = {
#include "nvme/ctrl.def"
};
#include "config/param_end.h"
const size_t ctrl_row_count = sizeof ctrl_rows / sizeof ctrl_rows[0];

#define SERIAL_MAX          20u
#define MODEL_MAX           40u
#define FIRMWARE_MAX        8u
#define CAP_TO_UNIT_PS      (500 * PS_PER_MS)
#define BAR_STRUCTURE_ALIGN UINT64_C(4096) /* MSI-X structures in pages of their own */
#define BAR_BYTES_MIN       UINT64_C(0x4000)
#define LIST_LINE_MIN       16u /* holds an SGL descriptor */
#define DMA_BANDWIDTH_MIN   1000u

static bool is_power_of_two(uint64_t value)
{
    return (value & (value - 1)) == 0;
}

static bool is_printable(const char *text, size_t max)
{
    size_t length = strlen(text);

    if (length > max)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return true;
}

/* Valid until the next call. */
static const char *faults_check(const char *text)
{
    static char message[400];
    struct faults faults;

    return fault_parse(text, &faults, message, sizeof message) ? NULL : message;
}

static bool is_power_of_two_or_zero(uint64_t value)
{
    return (value & (value - 1)) == 0;
}

const char *ctrl_params_check(const struct ctrl_params *params)
{
    const char *wrong;

    if (!is_power_of_two_or_zero(params->msi_vectors))
        return "ctrl.msi_vectors must be 0, 1, 2, 4, 8, 16 or 32";
    if (params->cap_mpsmin > params->cap_mpsmax)
        return "ctrl.cap_mpsmin must not be larger than ctrl.cap_mpsmax";
    if (params->ready_delay > params->cap_to * CAP_TO_UNIT_PS)
        return "ctrl.ready_delay must not be longer than ctrl.cap_to times 500 ms";
    if (params->reset_delay > params->cap_to * CAP_TO_UNIT_PS)
        return "ctrl.reset_delay must not be longer than ctrl.cap_to times 500 ms";
    if (params->list_fetch_bytes != 0 &&
        (params->list_fetch_bytes < LIST_LINE_MIN || !is_power_of_two(params->list_fetch_bytes)))
        return "ctrl.list_fetch_bytes must be 0 or a power of two from 16 on";
    if (params->list_fetch_bytes == 0 && params->list_cache_entries > 1)
        return "ctrl.list_cache_entries needs ctrl.list_fetch_bytes";
    if (params->dma_bandwidth != 0 && params->dma_bandwidth < DMA_BANDWIDTH_MIN)
        return "ctrl.dma_bandwidth must be 0 or at least 1 kB/s";
    if (params->cmb_size % CMB_UNIT != 0)
        return "ctrl.cmb_size must be a multiple of 4 KiB";
    if (!is_printable(params->serial, SERIAL_MAX))
        return "ctrl.serial must be at most 20 printable ASCII characters";
    if (!is_printable(params->model, MODEL_MAX))
        return "ctrl.model must be at most 40 printable ASCII characters";
    if (!is_printable(params->firmware, FIRMWARE_MAX))
        return "ctrl.firmware must be at most 8 printable ASCII characters";
    wrong = namespace_params_check(params);
    if (wrong == NULL)
        wrong = ctrl_admin_params_check(params);
    return wrong != NULL ? wrong : faults_check(params->faults);
}

/* Without a volatile write cache nothing that is written may be lost (5.15.2.1, VWC). */
const char *ctrl_media_params_check(const struct ctrl_params *params,
                                    const struct media_params *media)
{
    if (params->vwc == 0 && media->capacitor == 0)
        return "ctrl.vwc = no needs media.capacitor = yes: without it, what is written is volatile";
    return media_params_check(media, ctrl_params_capacity(params));
}

static uint64_t make_cap(const struct ctrl_params *params)
{
    uint64_t css = CAP_CSS_NVM;
    bool has_cmbs = params->cmb_size != 0 && params->version != VERSION_1_3;

    if (params->cap_css == CSS_CHOICE_NVM_AND_ADMIN_ONLY)
        css |= CAP_CSS_ADMIN_ONLY;
    return params->cap_mqes | (uint64_t)(params->cap_ams == AMS_CHOICE_WEIGHTED) << CAP_AMS |
           params->cap_cqr << CAP_CQR | params->cap_to << CAP_TO | params->cap_dstrd << CAP_DSTRD |
           params->cap_nssrs << CAP_NSSRS | css << CAP_CSS | params->cap_mpsmin << CAP_MPSMIN |
           params->cap_mpsmax << CAP_MPSMAX | (uint64_t)has_cmbs << CAP_CMBS;
}

static uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) / align * align;
}

static void lay_out_bar(struct ctrl *ctrl)
{
    const struct ctrl_params *params = &ctrl->params;
    uint64_t doorbells = 2 * (params->max_io_queues + 1);
    uint64_t doorbells_end = REG_DOORBELLS + (doorbells << (2 + params->cap_dstrd));
    uint64_t end;

    ctrl->bar.msix_table_at = align_up(doorbells_end, BAR_STRUCTURE_ALIGN);
    ctrl->bar.msix_pending_at = align_up(
        ctrl->bar.msix_table_at + params->msix_vectors * MSIX_ENTRY_BYTES, BAR_STRUCTURE_ALIGN);
    end =
        params->msix_vectors > 0 ? ctrl->bar.msix_pending_at + BAR_STRUCTURE_ALIGN : doorbells_end;
    if (params->cmb_size != 0) {
        ctrl->cmb.offset = align_up(end, CMB_UNIT);
        end = ctrl->cmb.offset + params->cmb_size;
    }
    ctrl->bar.bytes = BAR_BYTES_MIN;
    while (ctrl->bar.bytes < end)
        ctrl->bar.bytes *= 2;
    /* What lies between the last queue's doorbells and the next structure are doorbells, too: of
     * queues that cannot be (5.2.1). */
    ctrl->bar.registers_end = params->cmb_size != 0 ? ctrl->cmb.offset : ctrl->bar.bytes;
    ctrl->bar.doorbells_end =
        params->msix_vectors > 0 ? ctrl->bar.msix_table_at : ctrl->bar.registers_end;
}

void ctrl_derive(struct ctrl *ctrl)
{
    const struct ctrl_params *params = &ctrl->params;

    clock_init(&ctrl->clock, params->clock);
    ctrl->transfer.max_bytes =
        params->mdts == 0 ? 0 : UINT64_C(1) << (PAGE_SHIFT_MIN + params->cap_mpsmin + params->mdts);
    /* Entries of one queue become eligible by comparing times, so this cost is converted once. */
    ctrl->fetch.doorbell_latency_ps = clock_cost(&ctrl->clock, params->doorbell_latency);
    clock_init(&ctrl->clock, params->clock); /* forget the fraction of that conversion */
    ctrl->regs.cap = make_cap(params);
    ctrl->regs.vs = params->version == VERSION_1_3 ? VS_1_3 : VS_1_4;
    lay_out_bar(ctrl);
}
