/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The life of the controller: enable, ready, every kind of reset (NVMe 1.4 sections 7.3.1, 7.3.2),
 * fatal status. What the specification leaves open is decided here:
 * - an illegal CC at the change of EN from 0 to 1 (page size, command set, arbitration, entry
 * sizes), or an admin queue that cannot be, sets CSTS.CFS at once and the controller stays not
 * ready;
 * - CC.EN = 1 written while a reset still runs takes effect when the reset has ended;
 * - CC.SHN that is written together with EN = 1 begins a shutdown at once;
 * - a reset leaves CC at zero, whatever was written beside EN = 0 (only AQA, ASQ and ACQ stay).
 */
#include "nvme/internal.h"

bool ctrl_is_running(const struct ctrl *ctrl)
{
    return ctrl->life.state == LIFE_READY && (ctrl->regs.csts & (CSTS_CFS | CSTS_SHST_MASK)) == 0;
}

void ctrl_record_csts(struct ctrl *ctrl)
{
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_CSTS, 0, 0,
                ctrl->regs.csts, 0);
}

void life_set_csts(struct ctrl *ctrl, uint32_t clear, uint32_t set)
{
    uint32_t csts = (ctrl->regs.csts & ~clear) | set;

    if (csts == ctrl->regs.csts)
        return;
    ctrl->regs.csts = csts;
    ctrl_record_csts(ctrl);
}

/* Everything in flight is dropped; nothing of it will complete or interrupt. */
void life_drop_work(struct ctrl *ctrl)
{
    ctrl->epoch++;
    commands_drop_all(ctrl);
    async_reset(ctrl);
    shadow_reset(ctrl);
    ctrl->life.shutdown_waits = false;
    ctrl->pool.aborts_running = 0;
    queues_close_all(ctrl);
    interrupt_reset(ctrl);
    fetch_reset(ctrl);
    dma_reset(ctrl);
    ctrl->pool.decode_free_ps = 0;
    ctrl->completion_free_ps = 0;
}

static void record_reset(struct ctrl *ctrl, bool fatal)
{
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_RESET, fatal, 0, 0, 0);
}

void ctrl_fatal(struct ctrl *ctrl)
{
    record_reset(ctrl, true);
    life_drop_work(ctrl);
    life_set_csts(ctrl, 0, CSTS_CFS);
}

static bool cc_is_legal(const struct ctrl *ctrl)
{
    uint32_t cc = ctrl->regs.cc;
    uint64_t mps = CC_MPS(cc);
    uint32_t css = CC_CSS(cc);
    bool admin_only = (ctrl->regs.cap >> CAP_CSS & CAP_CSS_ADMIN_ONLY) != 0;
    bool weighted = (ctrl->regs.cap >> CAP_AMS & CAP_AMS_WEIGHTED) != 0;

    if (mps < ctrl->params.cap_mpsmin || mps > ctrl->params.cap_mpsmax)
        return false;
    if (css != CSS_NVM && !(css == CSS_ADMIN_ONLY && admin_only))
        return false;
    if (CC_AMS(cc) != AMS_ROUND_ROBIN && !(CC_AMS(cc) == AMS_WEIGHTED && weighted))
        return false;
    /* Entry sizes may still be zero at enable: they count when I/O queues are created (3.1.5). */
    return (CC_IOSQES(cc) == 0 || CC_IOSQES(cc) == SQE_LOG2) &&
           (CC_IOCQES(cc) == 0 || CC_IOCQES(cc) == CQE_LOG2);
}

/* Entries of the admin queues: 2 to 4096 (3.1.8); bases aligned to the memory page (3.1.9, 3.1.10).
 */
static bool admin_queues_are_legal(const struct ctrl *ctrl)
{
    uint64_t offsets = (UINT64_C(1) << (PAGE_SHIFT_MIN + CC_MPS(ctrl->regs.cc))) - 1;

    return AQA_ASQS(ctrl->regs.aqa) >= 1 && AQA_ACQS(ctrl->regs.aqa) >= 1 &&
           (ctrl->regs.asq & offsets) == 0 && (ctrl->regs.acq & offsets) == 0 &&
           cmb_takes_admin_queues(ctrl);
}

static void become_ready(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->life.timer = 0;
    ctrl->life.state = LIFE_READY;
    life_set_csts(ctrl, 0, CSTS_RDY);
}

static void enable(struct ctrl *ctrl)
{
    struct ring sq = {
        .base = ctrl->regs.asq, .size = AQA_ASQS(ctrl->regs.aqa) + 1, .entry_log2 = SQE_LOG2};
    struct ring cq = {
        .base = ctrl->regs.acq, .size = AQA_ACQS(ctrl->regs.aqa) + 1, .entry_log2 = CQE_LOG2};

    uint64_t longer_ps;

    if (!cc_is_legal(ctrl) || !admin_queues_are_legal(ctrl)) {
        ctrl_fatal(ctrl);
        return;
    }
    /* A shutdown that was asked for while disabled ends here, done or not. */
    engine_cancel(ctrl->engine, ctrl->life.shutdown_timer);
    ctrl->life.shutdown_timer = 0;
    ctrl->epoch++;
    life_set_csts(ctrl, CSTS_SHST_MASK, 0);
    ctrl->page_log2 = (uint8_t)(PAGE_SHIFT_MIN + CC_MPS(ctrl->regs.cc));
    ctrl->page_mask = (UINT64_C(1) << ctrl->page_log2) - 1;
    ctrl->life.admin_only = CC_CSS(ctrl->regs.cc) == CSS_ADMIN_ONLY;
    arbitration_enable(ctrl);
    cq_open(ctrl, 0, 0, true, cq);
    sq_open(ctrl, 0, 0, sq);
    ctrl->life.state = LIFE_ENABLING;
    longer_ps = fault_ready_delay(ctrl);
    if (longer_ps < FAULT_FOR_EVER - ctrl->params.ready_delay)
        ctrl->life.timer =
            engine_after(ctrl->engine, ctrl->params.ready_delay + longer_ps, become_ready, ctrl, 0);
    if (shutdown_is_asked(CC_SHN(ctrl->regs.cc)))
        shutdown_begin(ctrl, CC_SHN(ctrl->regs.cc));
}

static void reset_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->life.timer = 0;
    ctrl->life.state = LIFE_OFF;
    life_set_csts(ctrl, CSTS_RDY, 0);
    if ((ctrl->regs.cc & CC_EN) != 0)
        enable(ctrl);
}

void life_cancel_timers(struct ctrl *ctrl)
{
    engine_cancel(ctrl->engine, ctrl->life.timer);
    engine_cancel(ctrl->engine, ctrl->life.shutdown_timer);
    ctrl->life.timer = 0;
    ctrl->life.shutdown_timer = 0;
}

/* What every kind of controller level reset does (7.3.2). AQA, ASQ and ACQ stay. */
static void level_reset(struct ctrl *ctrl)
{
    life_cancel_timers(ctrl);
    ctrl->life.state = LIFE_OFF; /* nothing that follows is the host's to hear of */
    ctrl->regs.cc = 0;
    ctrl->regs.intms = 0;
    record_reset(ctrl, false);
    life_drop_work(ctrl);
    selftest_reset(ctrl);
    features_reset(ctrl);
    life_set_csts(ctrl, CSTS_CFS | CSTS_SHST_MASK, 0);
}

static void disable(struct ctrl *ctrl)
{
    level_reset(ctrl);
    firmware_reset(ctrl, RESET_CONTROLLER);
    ctrl->life.state = LIFE_RESETTING;
    if ((ctrl->regs.csts & CSTS_RDY) != 0)
        ctrl->life.timer =
            engine_after(ctrl->engine, ctrl->params.reset_delay, reset_done, ctrl, 0);
    else
        reset_done(ctrl, 0); /* was not ready yet: nothing to wait for */
}

void ctrl_set_link_sizes(struct ctrl *ctrl)
{
    pcie_set_sizes(ctrl->port, configspace_payload_bytes(&ctrl->config),
                   configspace_request_bytes(&ctrl->config), configspace_tags(&ctrl->config));
}

/* The registers that a change of EN keeps, and the PCI side: both resets below take the function
 * down as a whole. */
static void reset_everything(struct ctrl *ctrl, uint32_t csts,
                             void (*reset_config)(struct configspace *config))
{
    level_reset(ctrl);
    ctrl->regs.aqa = 0;
    ctrl->regs.asq = ctrl->regs.acq = 0;
    life_set_csts(ctrl, UINT32_MAX, csts);
    reset_config(&ctrl->config);
    ctrl_set_link_sizes(ctrl);
    msi_reset(&ctrl->msi);
    cmb_update(ctrl);
    msix_reset(&ctrl->msix);
    interrupt_update(ctrl);
}

/* What goes farther than the function: CMBMSC, too, which a function level reset keeps (7.3.2). */
static void reset_device(struct ctrl *ctrl, uint32_t csts)
{
    cmb_forget(ctrl);
    reset_everything(ctrl, csts, configspace_reset);
}

/* The link goes down and comes up again (7.3.1). */
void ctrl_subsystem_reset(struct ctrl *ctrl)
{
    reset_device(ctrl, CSTS_NSSRO);
    firmware_reset(ctrl, RESET_SUBSYSTEM);
}

void ctrl_function_reset(struct ctrl *ctrl)
{
    reset_everything(ctrl, 0, configspace_function_reset);
    firmware_reset(ctrl, RESET_CONTROLLER);
}

void ctrl_power_cycle(struct ctrl *ctrl)
{
    bool was_used = ctrl->life.state != LIFE_OFF;
    bool was_shut_down = (ctrl->regs.csts & CSTS_SHST_MASK) == CSTS_SHST_COMPLETE;

    health_power_cycle(ctrl, was_used && !was_shut_down);
    media_power_loss(ctrl->media);
    format_power_lost(ctrl);
    cmb_lose(ctrl);
    reset_device(ctrl, 0);
    firmware_reset(ctrl, RESET_SUBSYSTEM);
}

void ctrl_conventional_reset(struct ctrl *ctrl)
{
    reset_device(ctrl, 0);
    firmware_reset(ctrl, RESET_CONVENTIONAL);
}

void ctrl_write_cc(struct ctrl *ctrl, uint32_t value)
{
    uint32_t old = ctrl->regs.cc;
    uint32_t shn;

    ctrl->regs.cc = value & CC_WRITABLE;
    shn = CC_SHN(ctrl->regs.cc);
    if ((old & CC_EN) != 0 && (ctrl->regs.cc & CC_EN) == 0) {
        disable(ctrl);
        return;
    }
    if ((old & CC_EN) == 0 && (ctrl->regs.cc & CC_EN) != 0) {
        if (ctrl->life.state == LIFE_OFF)
            enable(ctrl); /* else reset_done() will */
        return;
    }
    if (shutdown_is_asked(shn) && shn != CC_SHN(old) && (ctrl->regs.csts & CSTS_SHST_MASK) == 0)
        shutdown_begin(ctrl, shn);
}
