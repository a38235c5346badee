/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Creation, and the life of the controller: enable, ready, controller level reset (NVMe 1.4 section
 * 7.3.2), shutdown (7.6.2), fatal status. What the specification leaves open is decided here:
 * - an illegal CC at the change of EN from 0 to 1 (page size, command set, arbitration, entry
 * sizes), or an admin queue that cannot be, sets CSTS.CFS at once and the controller stays not
 * ready;
 * - CC.EN = 1 written while a reset still runs takes effect when the reset has ended;
 * - CC.SHN that is written together with EN = 1 begins a shutdown at once;
 * - a reset leaves CC at zero, whatever was written beside EN = 0 (only AQA, ASQ and ACQ stay);
 * - after CC.SHN nothing more is fetched; commands in flight may still complete until CSTS.SHST
 * says complete, and are dropped then. A normal shutdown first lets I/O commands end, so that no
 * write comes behind the flush of the volatile write cache; one that only waits for room in its
 * completion queue has ended as far as the medium is concerned, and holds nothing up.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nvme/internal.h"

void *ctrl_allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count > 0 ? count : 1, bytes);

    if (memory == NULL) {
        fprintf(stderr, "doorbell: out of memory for an NVMe controller\n");
        exit(4);
    }
    return memory;
}

void *ctrl_grow(void *memory, size_t count, size_t bytes)
{
    void *bigger = count <= SIZE_MAX / bytes ? realloc(memory, count * bytes) : NULL;

    if (bigger == NULL) {
        fprintf(stderr, "doorbell: out of memory for an NVMe controller\n");
        exit(4);
    }
    return bigger;
}

bool ctrl_is_running(const struct ctrl *ctrl)
{
    return ctrl->life.state == LIFE_READY && (ctrl->regs.csts & (CSTS_CFS | CSTS_SHST_MASK)) == 0;
}

void ctrl_record_csts(struct ctrl *ctrl)
{
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_CSTS, 0, 0,
                ctrl->regs.csts, 0);
}

static void set_csts(struct ctrl *ctrl, uint32_t clear, uint32_t set)
{
    uint32_t csts = (ctrl->regs.csts & ~clear) | set;

    if (csts == ctrl->regs.csts)
        return;
    ctrl->regs.csts = csts;
    ctrl_record_csts(ctrl);
}

/* Everything in flight is dropped; nothing of it will complete or interrupt. */
static void drop_work(struct ctrl *ctrl)
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

void ctrl_fatal(struct ctrl *ctrl)
{
    drop_work(ctrl);
    set_csts(ctrl, 0, CSTS_CFS);
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
    set_csts(ctrl, 0, CSTS_RDY);
}

static void begin_shutdown(struct ctrl *ctrl, uint32_t shn);

static bool is_shutdown(uint32_t shn)
{
    return shn == SHN_NORMAL || shn == SHN_ABRUPT; /* 11b is reserved */
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
    set_csts(ctrl, CSTS_SHST_MASK, 0);
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
    if (is_shutdown(CC_SHN(ctrl->regs.cc)))
        begin_shutdown(ctrl, CC_SHN(ctrl->regs.cc));
}

static void reset_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->life.timer = 0;
    ctrl->life.state = LIFE_OFF;
    set_csts(ctrl, CSTS_RDY, 0);
    if ((ctrl->regs.cc & CC_EN) != 0)
        enable(ctrl);
}

static void cancel_timers(struct ctrl *ctrl)
{
    engine_cancel(ctrl->engine, ctrl->life.timer);
    engine_cancel(ctrl->engine, ctrl->life.shutdown_timer);
    ctrl->life.timer = 0;
    ctrl->life.shutdown_timer = 0;
}

/* What every kind of controller level reset does (7.3.2). AQA, ASQ and ACQ stay. */
static void level_reset(struct ctrl *ctrl)
{
    cancel_timers(ctrl);
    ctrl->life.state = LIFE_OFF; /* nothing that follows is the host's to hear of */
    ctrl->regs.cc = 0;
    ctrl->regs.intms = 0;
    drop_work(ctrl);
    selftest_reset(ctrl);
    features_reset(ctrl);
    set_csts(ctrl, CSTS_CFS | CSTS_SHST_MASK, 0);
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
    set_csts(ctrl, UINT32_MAX, csts);
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

static void shutdown_done(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->life.shutdown_timer = 0;
    drop_work(ctrl);
    set_csts(ctrl, CSTS_SHST_MASK, CSTS_SHST_COMPLETE);
}

static void shutdown_flushed(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    if (!epoch_is_current(ctrl, arg))
        return; /* a reset came first */
    ctrl->life.shutdown_timer =
        engine_after(ctrl->engine, ctrl->params.shutdown_delay, shutdown_done, ctrl, 0);
}

/* I/O commands that may still reach the medium. Those without room for their completion entry may
 * stay so for ever, and are done with it. Only walked during a shutdown. */
static bool io_is_working(const struct ctrl *ctrl)
{
    uint64_t working = 0;

    for (uint32_t i = 1; i <= ctrl->params.max_io_queues; i++) {
        if (ctrl->queues.sqs[i].exists)
            working += ctrl->queues.sqs[i].in_flight;
        if (!ctrl->queues.cqs[i].exists)
            continue;
        for (uint32_t at = ctrl->queues.cqs[i].waiting_first; at != NO_COMMAND;
             at = ctrl->pool.commands[at].next)
            working--; /* counted, now or by a queue that follows */
    }
    return working != 0;
}

void ctrl_shutdown_progress(struct ctrl *ctrl)
{
    uint64_t start_ps;

    if (!ctrl->life.shutdown_waits || io_is_working(ctrl))
        return;
    ctrl->life.shutdown_waits = false;
    media_start(ctrl->media, MEDIA_FLUSH, 0, 0, shutdown_flushed, ctrl, epoch_arg(ctrl, 0),
                &start_ps);
}

static void begin_shutdown(struct ctrl *ctrl, uint32_t shn)
{
    set_csts(ctrl, CSTS_SHST_MASK, CSTS_SHST_OCCURING);
    for (uint32_t i = 1; i <= ctrl->params.max_io_queues; i++) {
        if (ctrl->queues.sqs[i].exists) /* nothing more is fetched: no second half will come */
            fused_abandon(ctrl, (uint16_t)i, STATUS_ABORTED_MISSING_FUSED);
    }
    if (shn != SHN_NORMAL || !features_cache_may_hold(ctrl)) {
        shutdown_flushed(ctrl, epoch_arg(ctrl, 0));
        return;
    }
    for (uint32_t i = 1; i <= ctrl->params.max_io_queues; i++)
        ctrl->queues.sqs[i].awaited = ctrl->queues.sqs[i].exists;
    ctrl->life.shutdown_waits = true;
    ctrl_shutdown_progress(ctrl);
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
    if (is_shutdown(shn) && shn != CC_SHN(old) && (ctrl->regs.csts & CSTS_SHST_MASK) == 0)
        begin_shutdown(ctrl, shn);
}

struct ctrl *ctrl_create(struct engine *engine, struct pcie_port *port, struct media *media,
                         const struct ctrl_params *params, unsigned index)
{
    struct ctrl *ctrl = ctrl_allocate(1, sizeof *ctrl);
    size_t queues = (size_t)params->max_io_queues + 1;
    struct pcie_link_identity link = pcie_link_identity(port);
    struct configspace_identity identity = {
        .vendor = (uint16_t)params->vendor_id,
        .device = (uint16_t)params->device_id,
        .subsystem_vendor = (uint16_t)params->subsystem_vendor_id,
        .subsystem = (uint16_t)params->subsystem_id,
        .class_code = CLASS_NVME,
        .msi_vectors = (uint8_t)params->msi_vectors,
        .msix_vectors = (uint16_t)params->msix_vectors,
        .soft_reset = params->pm_soft_reset,
    };

    ctrl->engine = engine;
    ctrl->stream = engine_stream(engine);
    ctrl->port = port;
    ctrl->paced = pcie_is_paced(port);
    ctrl->media = media;
    ctrl->params = *params;
    ctrl->index = index;
    ctrl_derive(ctrl);
    identity.link_generation = link.generation;
    identity.link_lanes = link.lanes;
    identity.payload_bytes = link.payload_bytes;
    identity.request_bytes = link.request_bytes;
    identity.tags = link.tags;
    identity.bar0_bytes = ctrl->bar.bytes;
    identity.msix_table = (uint32_t)ctrl->bar.msix_table_at;
    identity.msix_pending = (uint32_t)ctrl->bar.msix_pending_at;
    configspace_init(&ctrl->config, &identity);
    msi_init(&ctrl->msi, &ctrl->config, interrupt_vector_due, ctrl);
    msix_init(&ctrl->msix, (unsigned)params->msix_vectors, interrupt_vector_due, ctrl);
    namespaces_init(ctrl);
    ctrl->queues.sqs = ctrl_allocate(queues, sizeof *ctrl->queues.sqs);
    ctrl->queues.cqs = ctrl_allocate(queues, sizeof *ctrl->queues.cqs);
    fetch_init(ctrl);
    watch_init(ctrl);
    shadow_init(ctrl);
    commands_init(ctrl);
    dma_init(ctrl);
    cmb_init(ctrl);
    interrupt_init(ctrl);
    opcodes_bind(ctrl);
    firmware_init(ctrl);
    features_init(ctrl);
    health_init(ctrl);
    faults_init(ctrl);
    pcie_port_attach_device(port, &ctrl_device_ops, ctrl);
    return ctrl;
}

void ctrl_destroy(struct ctrl *ctrl)
{
    if (ctrl == NULL)
        return;
    cancel_timers(ctrl);
    selftest_stop(ctrl);
    queues_close_all(ctrl);
    features_free(ctrl);
    firmware_free(ctrl);
    commands_free(ctrl);
    msix_free(&ctrl->msix);
    namespaces_free(ctrl);
    transfer_free(ctrl);
    cmb_free(ctrl);
    free(ctrl->queues.sqs);
    free(ctrl->queues.cqs);
    fetch_free(ctrl);
    shadow_free(ctrl);
    free(ctrl->interrupts.vectors);
    free(ctrl);
}

void ctrl_get_stats(const struct ctrl *ctrl, struct ctrl_stats *stats)
{
    *stats = ctrl->stats;
}

struct store *ctrl_contents(struct ctrl *ctrl, uint32_t nsid, uint64_t *first_unit)
{
    struct namespace *ns = namespace_find(ctrl, nsid);

    if (ns == NULL)
        return NULL;
    *first_unit = ns->first_unit;
    return ns->store;
}
