/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of the event stream's vocabulary; see record.h.
 */
#include "pcie/record.h"

static const char *const kind_names[RECORD_KINDS] = {
    [RECORD_CPU_TIME] = "cpu-time",
    [RECORD_REQUEST] = "request",
    [RECORD_REQUEST_DONE] = "request-done",
    [RECORD_REG_WRITE] = "register-write",
    [RECORD_REG_READ] = "register-read",
    [RECORD_PUBLISH] = "publish",
    [RECORD_CQE_SEEN] = "cqe-seen",
    [RECORD_MAP] = "map",
    [RECORD_UNMAP] = "unmap",
    [RECORD_COPY] = "copy",
    [RECORD_CACHE] = "cache",
    [RECORD_INTERRUPT] = "interrupt",
    [RECORD_CQ_LOAD] = "cq-load",
    [RECORD_RMB] = "read-fence",
    [RECORD_MB] = "full-fence",
    [RECORD_SYNC] = "sync",
    [RECORD_DMA_ALLOC] = "dma-alloc",
    [RECORD_DMA_FREE] = "dma-free",
    [RECORD_STORE] = "store",
    [RECORD_REFUSED] = "refused",
    [RECORD_LOCK] = "lock",
    [RECORD_IRQ_SETUP] = "irq-setup",
    [RECORD_SUBMIT] = "submit",
    [RECORD_SUBMITTED] = "submitted",
    [RECORD_ENDED] = "ended",
    [RECORD_BROUGHT_UP] = "brought-up",
    [RECORD_FORSAKEN] = "forsaken",
    [RECORD_DOORBELL] = "doorbell",
    [RECORD_FETCH] = "fetch",
    [RECORD_COMMAND] = "command",
    [RECORD_STAGE] = "stage",
    [RECORD_DMA] = "dma",
    [RECORD_CQE] = "cqe",
    [RECORD_IRQ] = "irq",
    [RECORD_CSTS] = "csts",
    [RECORD_REGISTER] = "register-arrived",
    [RECORD_CONFIG] = "config-write",
    [RECORD_SHADOW] = "shadow",
    [RECORD_RESET] = "reset",
    [RECORD_STALL] = "stall",
};

static const char *const use_names[CPU_USES] = {
    [CPU_WORKLOAD] = "workload", [CPU_OS] = "os",     [CPU_MAP] = "map",
    [CPU_CACHE] = "cache",       [CPU_COPY] = "copy", [CPU_BUILD] = "build",
    [CPU_REGISTER] = "register", [CPU_POLL] = "poll", [CPU_INTERRUPT] = "interrupt",
    [CPU_COMPLETE] = "complete", [CPU_LOCK] = "lock", [CPU_IDLE] = "idle",
};

static const char *const stage_names[RECORD_STAGES] = {
    [STAGE_DOORBELL] = "wait for fetch", [STAGE_FETCH] = "SQE fetch",
    [STAGE_DECODE] = "decode",           [STAGE_LIST] = "PRP list fetch",
    [STAGE_MEDIA_WAIT] = "media queue",  [STAGE_MEDIA] = "media",
    [STAGE_TRANSFER] = "data transfer",  [STAGE_COMPLETE] = "build CQE",
    [STAGE_CQE] = "CQE write",
};

const char *record_kind_name(unsigned kind)
{
    return kind < RECORD_KINDS ? kind_names[kind] : "?";
}

const char *record_cpu_use_name(unsigned use)
{
    return use < CPU_USES ? use_names[use] : "?";
}

const char *record_stage_name(unsigned stage)
{
    return stage < RECORD_STAGES ? stage_names[stage] : "?";
}
