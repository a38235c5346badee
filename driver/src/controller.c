/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The life of a controller: start, stop, reset, as one state machine that nvme_step() advances
 * without ever waiting. Called by the operating system's glue. Follows NVMe 1.4 sections 7.6.1
 * (initialization), 7.6.2 (shutdown) and 7.3.2 (controller level reset). Left out: NVM subsystem
 * reset and PCI resets; those belong to the port.
 *
 *              nvme_start                                  nvme_stop
 *   OFF ──────────────────┐                        ┌─────────────────────── READY
 *                         ▼                        ▼
 *   READY ─ nvme_reset ─► PROBE   CAP, VS          DELETE_SQ ► DELETE_CQ    (delete_queues)
 *   FAILED ─ nvme_reset ─►  │                            │
 *                           │                        TAKE_BACK  host memory buffer, if lent
 *                           │                            ▼
 *                           │                      SHUTDOWN   CC.SHN=01b, wait SHST=10b
 *                           ▼                            │   ◄─ nvme_stop from STARTING, FAILED
 *                         SETTLE   EN=1: wait RDY=1 (or CAP.TO), then EN=0 ◄┘
 *                           ▼
 *                         DISABLE  wait RDY=0; requests in flight end here
 *              stopping ┌───┴───────────────┐ starting
 *                       ▼                   ▼
 *            OFF, memory given back      ENABLE   AQA, ASQ, ACQ, CC.EN=1, wait RDY=1
 *                                           ▼
 *     IDENTIFY ► ACTIVE_LIST ► NAMESPACE ► FEATURES ► QUEUE_COUNT ► CREATE_CQ ► CREATE_SQ ►
 *     SHADOW ► RUNNING (READY)
 *     RUNNING (READY) ───────────────────────────────────────────────────┐
 *   RECOVERING (recover.c): PROBE ◄── config.recovery, on any error ──────┘
 *     ... SETTLE ► DISABLE ► ENABLE ... RUNNING   the same phases; an error in them: PROBE again,
 *                    │                            until reset_limit; requests are sent again or end
 *                    ▼                            after DISABLE
 *                  FAILED                         reset_limit is reached: requests end
 *
 * Without config.recovery any error leads to FAILED. Requests then stay with the core until a reset
 * or a stop has seen RDY=0: before that the device may still write to their memory. Registers that
 * read as all ones lead to FAILED from everywhere, and requests end at once.
 */
#include "internal.h"

void nvme_enter(struct nvme *nvme, enum nvme_phase phase)
{
    NVME_TRACE(nvme, NVME_TRACE_PHASE, 0, phase, 0);
    nvme->phase = phase;
    nvme->entered = false;
}

static void close_queues(struct nvme *nvme)
{
    nvme_admin_open(nvme, false);
    for (uint32_t i = 0; i < nvme->config.io_queues; i++)
        nvme_queue_close(&nvme->queues[i], 0);
}

/* The device can no longer reach memory: every request ends, exactly once. */
void nvme_end_everything(struct nvme *nvme, int error)
{
    for (uint32_t i = 0; i < nvme->config.io_queues; i++) {
        nvme->queues[i].sq_created = nvme->queues[i].cq_created = false;
        nvme_queue_abort(&nvme->queues[i], error);
    }
    nvme_admin_abort(nvme);
}

static void drop_interrupts(struct nvme *nvme)
{
    if (nvme->irq_on)
        nvme->ops->irq_setup(nvme->ctx, NVME_IRQ_NONE, 0);
    nvme->irq_on = false;
}

static void fail(struct nvme *nvme, int error)
{
    NVME_TRACE(nvme, NVME_TRACE_FAILED, 0, -error, 0);
    close_queues(nvme);
    /* Of a row of resets the first failure is the one to tell. */
    if (nvme->state != NVME_STATE_RECOVERING || nvme->vanished) {
        nvme->failure = error;
        if (error != NVME_E_STATUS)
            nvme->failure_status = 0;
    }
    nvme_enter(nvme, PHASE_NONE);
    nvme->state = NVME_STATE_FAILED;
    if (nvme->vanished) {
        drop_interrupts(nvme); /* what comes back, if anything does, has lost its routing */
        nvme_end_everything(nvme, NVME_E_GONE);
    }
}

static void finish_stop(struct nvme *nvme)
{
    nvme_end_everything(nvme, NVME_E_STATE);
    drop_interrupts(nvme);
    nvme->admin.cq.depth = 0; /* a late interrupt finds nothing to look at */
    nvme_memory_release(nvme);
    nvme_enter(nvme, PHASE_NONE);
    nvme->stopping = false;
    nvme->state = NVME_STATE_OFF;
}

static void start_deadline(struct nvme *nvme, uint64_t now_ns, uint64_t limit_ns)
{
    nvme->deadline_ns = now_ns + limit_ns;
    nvme->entered = true;
}

/* ---- phases that look at registers: 1 when done, 0 to wait, or an nvme_error ---- */

/* EN must not go from 1 to 0 before RDY is 1 (3.1.5), unless the controller has failed fatally. One
 * that has not become ready in the time that it states itself has failed too, whatever it says:
 * nothing else can bring it back. SHN goes with EN, or the next enable would find it set. */
static int phase_settle(struct nvme *nvme, uint64_t now_ns)
{
    uint32_t cc = nvme->ops->read32(nvme->ctx, NVME_REG_CC);
    uint32_t csts = nvme_read_csts(nvme);

    if (nvme->vanished)
        return NVME_E_GONE;
    if (!(cc & NVME_CC_EN))
        return 1;
    if (!nvme->entered)
        start_deadline(nvme, now_ns, nvme_ready_timeout_ns(nvme));
    if (!(csts & (NVME_CSTS_RDY | NVME_CSTS_CFS)) && now_ns < nvme->deadline_ns)
        return 0;
    nvme->ops->write32(nvme->ctx, NVME_REG_CC, cc & ~(NVME_CC_EN | NVME_CC_SHN_MASK));
    return 1;
}

/* CFS may stay set until the reset is complete: only RDY counts here. */
static int phase_disable(struct nvme *nvme, uint64_t now_ns)
{
    uint32_t csts = nvme_read_csts(nvme);

    if (nvme->vanished)
        return NVME_E_GONE;
    if (!nvme->entered)
        start_deadline(nvme, now_ns, nvme_ready_timeout_ns(nvme));
    if (!(csts & NVME_CSTS_RDY))
        return 1;
    return now_ns >= nvme->deadline_ns ? NVME_E_TIMEOUT : 0;
}

static int phase_enable(struct nvme *nvme, uint64_t now_ns)
{
    uint32_t csts;
    int error;

    if (!nvme->entered) {
        error = nvme_enable(nvme);
        if (error != NVME_OK)
            return error;
        start_deadline(nvme, now_ns, nvme_ready_timeout_ns(nvme));
    }
    csts = nvme_read_csts(nvme);
    if (nvme->vanished || (csts & NVME_CSTS_CFS))
        return NVME_E_GONE;
    if (!(csts & NVME_CSTS_RDY))
        return now_ns >= nvme->deadline_ns ? NVME_E_TIMEOUT : 0;
    /* The admin queue always interrupts (7.5.1); where nobody listens and the platform cannot
     * silence the function (registers.c), its vectors are masked. */
    if (nvme->config.completion == NVME_COMPLETION_POLL && !nvme->ops->irq_setup &&
        nvme->config.irq != NVME_IRQ_MSIX)
        nvme->ops->write32(nvme->ctx, NVME_REG_INTMS, UINT32_MAX);
    return 1;
}

static int phase_running(struct nvme *nvme)
{
    bool recovered = nvme->state == NVME_STATE_RECOVERING;
    uint32_t csts;
    int error;

    if (!nvme->entered) {
        nvme->entered = true;
        nvme->state = NVME_STATE_READY;
        nvme->failure_status = 0;
        /* An interrupt before IDENTIFY has left its vector masked (interrupt.c). */
        if (nvme_uses_masks(nvme) && nvme->config.completion == NVME_COMPLETION_INTERRUPT)
            nvme->ops->write32(nvme->ctx, NVME_REG_INTMC, UINT32_MAX);
        nvme->admin.aer_owed = (1u << nvme->admin.aer_count) - 1;
        nvme_event_arm(nvme); /* before the queues open: bring-up ends here */
        for (uint32_t i = 0; i < nvme->info.io_queues; i++)
            nvme_queue_open(&nvme->queues[i]);
        nvme_admin_open(nvme, true);
        if (recovered)
            nvme_recover_done(nvme);
        return 0;
    }
    csts = nvme_read_csts(nvme);
    if (nvme->vanished || (csts & NVME_CSTS_CFS))
        return NVME_E_GONE;
    for (uint32_t i = 0; i < nvme->info.io_queues; i++)
        if (nvme->queues[i].impossible)
            return NVME_E_DEVICE;
    error = nvme_watch(nvme);
    if (nvme->phase != PHASE_RUNNING)
        return 0; /* a done() has stopped or reset the controller */
    nvme_coalescing_look(nvme);
    if (error != NVME_OK)
        return error;
    nvme_admin_reap(nvme);
    if (nvme->phase != PHASE_RUNNING)
        return 0;
    error = nvme_admin_overdue(nvme);
    if (error == NVME_OK)
        nvme_event_look(nvme);
    return error;
}

/* Normal shutdown notification (3.1.5 CC.SHN). A controller that is not running needs none. The
 * wait is the longer one of what the caller grants and what the device asks for (7.6.2). */
static int phase_shutdown(struct nvme *nvme, uint64_t now_ns)
{
    uint64_t limit_ns = (uint64_t)nvme->config.shutdown_timeout_ms * NVME_NS_PER_MS;
    uint32_t csts = nvme_read_csts(nvme);
    uint32_t cc;

    if (nvme->vanished)
        return NVME_E_GONE;
    if (csts & NVME_CSTS_CFS)
        return 1;
    if (!nvme->entered) {
        cc = nvme->ops->read32(nvme->ctx, NVME_REG_CC);
        if (!(cc & NVME_CC_EN) || !(csts & NVME_CSTS_RDY))
            return 1;
        nvme->ops->write32(nvme->ctx, NVME_REG_CC, (cc & ~NVME_CC_SHN_MASK) | NVME_CC_SHN_NORMAL);
        start_deadline(nvme, now_ns, limit_ns > nvme->shutdown_ns ? limit_ns : nvme->shutdown_ns);
        return 0;
    }
    if ((csts & NVME_CSTS_SHST_MASK) == NVME_CSTS_SHST_COMPLETE)
        return 1;
    return now_ns >= nvme->deadline_ns ? NVME_E_TIMEOUT : 0;
}

static int phase_probe(struct nvme *nvme)
{
    int error = nvme_probe(nvme);

    return error == NVME_OK ? 1 : error;
}

static int run_phase(struct nvme *nvme, uint64_t now_ns)
{
    switch (nvme->phase) {
    case PHASE_PROBE:
        return phase_probe(nvme);
    case PHASE_SETTLE:
        return phase_settle(nvme, now_ns);
    case PHASE_DISABLE:
        return phase_disable(nvme, now_ns);
    case PHASE_ENABLE:
        return phase_enable(nvme, now_ns);
    case PHASE_IDENTIFY:
        return nvme_phase_identify(nvme);
    case PHASE_ACTIVE_LIST:
        return nvme_phase_active_list(nvme);
    case PHASE_NAMESPACE:
        return nvme_phase_namespace(nvme);
    case PHASE_FEATURES:
        return nvme_phase_features(nvme);
    case PHASE_QUEUE_COUNT:
        return nvme_phase_queue_count(nvme);
    case PHASE_CREATE_CQ:
        return nvme_phase_create_cq(nvme);
    case PHASE_CREATE_SQ:
        return nvme_phase_create_sq(nvme);
    case PHASE_SHADOW:
        return nvme_phase_shadow(nvme);
    case PHASE_RUNNING:
        return phase_running(nvme);
    case PHASE_DELETE_SQ:
        return nvme_phase_delete_sq(nvme);
    case PHASE_DELETE_CQ:
        return nvme_phase_delete_cq(nvme);
    case PHASE_TAKE_BACK:
        return nvme_phase_take_back(nvme);
    case PHASE_SHUTDOWN:
        return phase_shutdown(nvme, now_ns);
    case PHASE_NONE:
        break;
    }
    return 0;
}

/* Where a phase leads once it is done. */
static void advance(struct nvme *nvme)
{
    switch (nvme->phase) {
    case PHASE_SHUTDOWN:
        nvme_enter(nvme, PHASE_SETTLE);
        return;
    case PHASE_DISABLE:
        if (nvme->stopping) {
            finish_stop(nvme);
            return;
        }
        if (nvme->state == NVME_STATE_RECOVERING) {
            nvme_recover_disabled(nvme);
            return;
        }
        nvme_enter(nvme,
                   PHASE_ENABLE); /* first: a done() may call nvme_stop(), which shall count */
        nvme_end_everything(nvme, NVME_E_STATE);
        return;
    default: /* bring-up, and the way down to SHUTDOWN, are in the order of the enumeration */
        nvme_enter(nvme, (enum nvme_phase)(nvme->phase + 1));
        return;
    }
}

/* An error. On the way down a device that is gone, or one that does not answer its last commands,
 * still leads to OFF, with the failure on record; only a controller that stays RDY keeps its
 * memory. */
static void stumble(struct nvme *nvme, int error)
{
    if (nvme->stopping && nvme->vanished) {
        nvme->failure = NVME_E_GONE;
        finish_stop(nvme);
    } else if (nvme->stopping && nvme->phase >= PHASE_DELETE_SQ && nvme->phase < PHASE_SHUTDOWN) {
        nvme->failure = error;
        nvme_enter(nvme, PHASE_SHUTDOWN);
    } else if (nvme->stopping && nvme->phase == PHASE_SHUTDOWN) {
        nvme->failure = error;
        nvme_enter(nvme, PHASE_SETTLE);
    } else if (!nvme_recover(nvme, error)) {
        fail(nvme, error);
    }
}

enum nvme_state nvme_step(struct nvme *nvme, uint64_t now_ns)
{
    int outcome = 1;

    nvme->now_ns = now_ns;
    while (outcome != 0 && nvme->phase != PHASE_NONE) {
        outcome = run_phase(nvme, now_ns);
        if (outcome > 0)
            advance(nvme);
        else if (outcome < 0)
            stumble(nvme, outcome);
    }
    return nvme->state;
}

int nvme_start(struct nvme *nvme)
{
    if (nvme->state != NVME_STATE_OFF)
        return NVME_E_BUSY;
    nvme->stopping = nvme->vanished = false;
    nvme->failure = NVME_OK;
    nvme->failure_status = 0;
    nvme->state = NVME_STATE_STARTING;
    nvme_enter(nvme, PHASE_PROBE);
    return NVME_OK;
}

int nvme_reset(struct nvme *nvme)
{
    if (nvme->state != NVME_STATE_READY && nvme->state != NVME_STATE_FAILED)
        return NVME_E_BUSY;
    NVME_TRACE(nvme, NVME_TRACE_RESET, 0, 0, 0);
    close_queues(nvme);
    nvme->stopping = nvme->vanished = false;
    nvme->failure = NVME_OK;
    nvme->failure_status = 0;
    nvme->state = NVME_STATE_STARTING;
    nvme_enter(nvme, PHASE_PROBE);
    return NVME_OK;
}

int nvme_stop(struct nvme *nvme)
{
    bool was_ready = nvme->state == NVME_STATE_READY;

    if (nvme->state == NVME_STATE_OFF || nvme->state == NVME_STATE_STOPPING)
        return NVME_OK;
    close_queues(nvme);
    nvme->stopping = true;
    nvme->vanished = false;
    nvme->failure = NVME_OK;
    nvme->failure_status = 0;
    nvme->state = NVME_STATE_STOPPING;
    nvme->queue_index = 0;
    nvme_enter(nvme, !was_ready                   ? PHASE_SHUTDOWN
                     : nvme->config.delete_queues ? PHASE_DELETE_SQ
                                                  : PHASE_TAKE_BACK);
    return NVME_OK;
}
