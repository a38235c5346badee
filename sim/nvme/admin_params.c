/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What single limits of ctrl_admin.def cannot say.
 */
#include "engine/clock.h"
#include "nvme/admin_commands.h"
#include "nvme/controller.h"

#define HUNDRED_MS (100 * PS_PER_MS) /* unit of KAS and CRDT (5.15.2.2) */
#define UNIT_BYTES 4096u             /* of HMPRE, HMMIN and FWUG */

const char *ctrl_admin_params_check(const struct ctrl_params *params)
{
    if (params->keep_alive % HUNDRED_MS != 0)
        return "ctrl.keep_alive must be a multiple of 100 ms";
    if (params->retry_delay1 % HUNDRED_MS != 0 || params->retry_delay2 % HUNDRED_MS != 0 ||
        params->retry_delay3 % HUNDRED_MS != 0)
        return "ctrl.retry_delay1, retry_delay2 and retry_delay3 must be multiples of 100 ms";
    if (params->hmb_preferred % UNIT_BYTES != 0 || params->hmb_min % UNIT_BYTES != 0)
        return "ctrl.hmb_preferred and ctrl.hmb_min must be multiples of 4 KiB";
    if (params->hmb_min > params->hmb_preferred)
        return "ctrl.hmb_min must not be larger than ctrl.hmb_preferred";
    if (params->firmware_granularity % UNIT_BYTES != 0)
        return "ctrl.firmware_granularity must be a multiple of 4 KiB";
    if (params->critical_temperature < params->warning_temperature)
        return "ctrl.critical_temperature must not be lower than ctrl.warning_temperature";
    return NULL;
}
