/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keep Alive (NVMe 1.4 sections 5.16, 5.21.1.15, 7.12): the host sets a time, and has to send the
 * command within it, again and again. If it does not, the controller logs that, stops and reports
 * fatal status. Other commands do not restart the timer (CTRATT bit 6 = 0). A controller that is
 * not running has nothing to expire.
 */
#include "nvme/feature_hooks.h"
#include "nvme/internal.h"

#define KAS_UNIT_PS (100 * PS_PER_MS)

bool keep_alive_exists(const struct ctrl *ctrl)
{
    return ctrl->params.keep_alive > 0;
}

uint16_t keep_alive_kas(const struct ctrl *ctrl)
{
    return (uint16_t)(ctrl->params.keep_alive / KAS_UNIT_PS);
}

/* KATO is in milliseconds and rounded up to the granularity (5.21.1.15). */
uint16_t keep_alive_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                          uint32_t *dword, const uint8_t *data)
{
    uint64_t unit_ms = ctrl->params.keep_alive / PS_PER_MS;
    uint64_t ms = (*dword + unit_ms - 1) / unit_ms * unit_ms;

    (void)cmd;
    (void)slot;
    (void)data;
    *dword = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
    return STATUS_SUCCESS;
}

static void expired(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->features.keep_alive = 0;
    if (!ctrl_is_running(ctrl))
        return;
    errorlog_event(ctrl, 0, STATUS_KEEP_ALIVE_EXPIRED);
    ctrl_fatal(ctrl);
}

void keep_alive_apply(struct ctrl *ctrl)
{
    uint32_t ms = features_dword(ctrl, ROW_KEEP_ALIVE, 0);

    engine_cancel(ctrl->engine, ctrl->features.keep_alive);
    ctrl->features.keep_alive =
        ms == 0 ? 0 : engine_after(ctrl->engine, ms * PS_PER_MS, expired, ctrl, 0);
}

uint16_t keep_alive_execute(struct ctrl *ctrl, struct command *cmd)
{
    (void)cmd;
    keep_alive_apply(ctrl);
    return STATUS_SUCCESS;
}
