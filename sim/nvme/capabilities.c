/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The fields of Identify Controller that say what works; see capabilities.h. Numbers in comments
 * are bits of the field (NVMe 1.4, figure 247). A bit is set here only if what it claims is there.
 */
#include "nvme/capabilities.h"

#include "nvme/feature_hooks.h"
#include "nvme/internal.h"

#define FUSES_COMPARE_AND_WRITE 0x01u
#define VWC_PRESENT             0x01u
#define VWC_FLUSH_TAKES_ALL     0x06u /* bits 2:1 since 1.4: NSID FFFFFFFFh is supported */
#define OACS_FIRMWARE           0x04u
#define OACS_SELF_TEST          0x10u
#define DSTO_ONE_AT_ONCE        0x01u /* one self-test in the NVM subsystem at a time */
#define HMB_UNIT                4096u
#define CRDT_UNIT_PS            (100 * PS_PER_MS)

uint64_t ctrl_oaes(const struct ctrl *ctrl)
{
    return async_oaes_bits(ctrl);
}

uint64_t ctrl_ctratt(const struct ctrl *ctrl)
{
    uint64_t bits = features_ctratt_bits(ctrl);

    if (identify_has_granularity(ctrl))
        bits |= CTRATT_NS_GRANULARITY;
    return bits;
}

uint64_t ctrl_oacs(const struct ctrl *ctrl)
{
    uint64_t bits = 0;

    if (ctrl->params.oacs_format)
        bits |= OACS_FORMAT;
    if (ctrl->params.oacs_ns_management)
        bits |= OACS_NS_MANAGEMENT;
    if (ctrl->params.shadow_doorbells)
        bits |= OACS_DOORBELL_BUFFER;
    if (firmware_is_updatable(ctrl))
        bits |= OACS_FIRMWARE;
    if (selftest_exists(ctrl))
        bits |= OACS_SELF_TEST;
    return bits;
}

uint64_t ctrl_oncs(const struct ctrl *ctrl)
{
    const struct ctrl_params *params = &ctrl->params;

    return params->compare | params->write_uncorrectable << 1 | params->dataset_management << 2 |
           params->write_zeroes << 3 | params->verify << 7 | features_oncs_bits(ctrl);
}

uint64_t ctrl_fuses(const struct ctrl *ctrl)
{
    return ctrl->params.fused ? FUSES_COMPARE_AND_WRITE : 0;
}

uint64_t ctrl_fna(const struct ctrl *ctrl)
{
    if (!ctrl->params.oacs_format || ctrl->params.format_scope != FORMAT_SCOPE_SUBSYSTEM)
        return 0;
    return FNA_FORMAT_ALL | FNA_ERASE_ALL;
}

uint64_t ctrl_vwc(const struct ctrl *ctrl)
{
    uint64_t bits = ctrl->params.vwc ? VWC_PRESENT : 0;

    return nvm_flush_takes_all(ctrl) ? bits | VWC_FLUSH_TAKES_ALL : bits;
}

uint64_t ctrl_frmw(const struct ctrl *ctrl)
{
    return firmware_frmw_bits(ctrl);
}

uint64_t ctrl_fwug(const struct ctrl *ctrl)
{
    return firmware_fwug(ctrl);
}

uint64_t ctrl_mtfa(const struct ctrl *ctrl)
{
    return firmware_mtfa(ctrl);
}

uint64_t ctrl_edstt(const struct ctrl *ctrl)
{
    return selftest_minutes(ctrl);
}

uint64_t ctrl_dsto(const struct ctrl *ctrl)
{
    return selftest_exists(ctrl) ? DSTO_ONE_AT_ONCE : 0;
}

uint64_t ctrl_wctemp(const struct ctrl *ctrl)
{
    return ctrl->params.warning_temperature;
}

uint64_t ctrl_cctemp(const struct ctrl *ctrl)
{
    return ctrl->params.critical_temperature;
}

uint64_t ctrl_hmpre(const struct ctrl *ctrl)
{
    return ctrl->params.hmb_preferred / HMB_UNIT;
}

uint64_t ctrl_hmmin(const struct ctrl *ctrl)
{
    return ctrl->params.hmb_min / HMB_UNIT;
}

uint64_t ctrl_hmmaxd(const struct ctrl *ctrl)
{
    return host_memory_exists(ctrl) && ctrl->regs.vs >= VS_1_4 ? ctrl->params.hmb_descriptors : 0;
}

uint64_t ctrl_lpa(const struct ctrl *ctrl)
{
    return log_lpa_bits(ctrl);
}

/* One block each: the least that the standard knows (6.4). */
uint64_t ctrl_awun(const struct ctrl *ctrl)
{
    (void)ctrl;
    return 0;
}

uint64_t ctrl_awupf(const struct ctrl *ctrl)
{
    (void)ctrl;
    return 0;
}

uint64_t ctrl_acwu(const struct ctrl *ctrl)
{
    (void)ctrl;
    return 0;
}

uint64_t ctrl_sgls(const struct ctrl *ctrl)
{
    return sgl_support(ctrl);
}

uint64_t ctrl_kas(const struct ctrl *ctrl)
{
    return keep_alive_kas(ctrl);
}

uint64_t ctrl_tnvmcap(const struct ctrl *ctrl)
{
    return ctrl->params.oacs_ns_management ? ctrl->namespaces.capacity : 0;
}

uint64_t ctrl_unvmcap(const struct ctrl *ctrl)
{
    return ctrl->params.oacs_ns_management ? namespaces_unallocated(ctrl) : 0;
}

uint64_t ctrl_crdt(const struct ctrl *ctrl, unsigned index)
{
    return host_behavior_exists(ctrl) ? features_retry_delay_ps(ctrl, index + 1) / CRDT_UNIT_PS : 0;
}
