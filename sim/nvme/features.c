/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Get Features and Set Features (NVMe 1.4 sections 5.14 and 5.21): the features that a host needs
 * to bring a controller up. Nothing can be saved and only current values exist (ONCS bit 4 = 0), so
 * Save and every Select but 0 are refused. Interrupts are never coalesced: asking for it is refused
 * as Not Changeable, the value that means none is accepted. Other identifiers are Invalid Field.
 *
 * Turning the volatile write cache off flushes it: writes from then on are made durable one by one
 * (nvm.c), those before by the flush that the command waits for (5.21.1.6). Until that flush has
 * ended the cache may hold data although it is off, and Flush, FUA reads and a shutdown still mean
 * something. If the command is aborted the cache stays off and stays suspect.
 */
#include "nvme/internal.h"

#include <string.h>

#define SET_SAVE           UINT32_C(0x80000000)
#define GET_SELECT(cdw10)  ((cdw10) >> 8 & 7u)
#define NO_BURST_LIMIT     7u
#define ARBITRATION_BITS   UINT32_C(0xffffff07) /* AB and the three weights */
#define POWER_STATE_BITS   UINT32_C(0x1f)
#define TLER_BITS          UINT32_C(0xffff)
#define TLER_UNIT_PS       (100 * PS_PER_MS)
#define WCE                UINT32_C(1)
#define VECTOR_BITS        UINT32_C(0xffff)
#define COALESCING_DISABLE UINT32_C(0x10000) /* CD of Interrupt Vector Configuration */
#define ATOMICITY_BITS     UINT32_C(1)
#define ASYNC_BITS         UINT32_C(0xff) /* SMART critical warnings; OAES = 0 */
#define QUEUES_ALL         UINT32_C(0xffff)
/* Temperature Threshold (5.21.1.4): sensor 0 is the composite one; 15 in a Set means all. */
#define SENSOR(cdw11)    ((cdw11) >> 16 & 0xfu)
#define SENSOR_ALL       15u
#define THRESHOLD(cdw11) ((cdw11) >> 20 & 3u)
#define WARNING_KELVIN   343u

static void use_burst(struct ctrl *ctrl)
{
    uint32_t log2 = ctrl->features.value[FEATURE_ARBITRATION] & NO_BURST_LIMIT;

    ctrl->fetch.burst_max = log2 == NO_BURST_LIMIT ? UINT32_MAX : UINT32_C(1) << log2;
}

void features_reset(struct ctrl *ctrl)
{
    struct features *features = &ctrl->features;

    memset(features, 0, sizeof *features);
    features->value[FEATURE_ARBITRATION] = (uint32_t)ctrl->params.arbitration_burst;
    features->value[FEATURE_WRITE_CACHE] = ctrl->params.vwc ? WCE : 0;
    features->temperature[0] = WARNING_KELVIN;
    ctrl->queues.granted = (uint16_t)ctrl->params.max_io_queues;
    ctrl->features.cache_drain = NO_DRAIN;
    use_burst(ctrl);
}

bool features_cache_on(const struct ctrl *ctrl)
{
    return ctrl->features.value[FEATURE_WRITE_CACHE] != 0;
}

bool features_cache_may_hold(const struct ctrl *ctrl)
{
    return features_cache_on(ctrl) || ctrl->features.cache_drain != NO_DRAIN;
}

static uint16_t set_write_cache(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t value = cmd->cdw[1];
    bool may_hold = features_cache_may_hold(ctrl);

    if (!ctrl->params.vwc || (value & ~WCE) != 0)
        return STATUS_INVALID_FIELD;
    ctrl->features.value[FEATURE_WRITE_CACHE] = value;
    if (value != 0 || !may_hold)
        return STATUS_SUCCESS;
    ctrl->features.cache_drain = command_arg(cmd);
    nvm_start_media_flush(ctrl, cmd);
    return COMMAND_GOES_ON;
}

uint64_t features_recovery_limit_ps(const struct ctrl *ctrl)
{
    return (ctrl->features.value[FEATURE_ERROR_RECOVERY] & TLER_BITS) * TLER_UNIT_PS;
}

void features_cache_drained(struct ctrl *ctrl, const struct command *cmd)
{
    /* A later command may have begun another drain, with writes between the two. */
    if (ctrl->features.cache_drain == command_arg(cmd))
        ctrl->features.cache_drain = NO_DRAIN;
}

static uint32_t granted_dword(const struct ctrl *ctrl)
{
    uint32_t zero_based = ctrl->queues.granted - 1u;

    return zero_based | zero_based << 16;
}

/* 5.21.1.7. Both kinds get the same number: the smaller of the larger wish and what there is. */
static uint16_t set_queues(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t sqs = cmd->cdw[1] & QUEUES_ALL;
    uint32_t cqs = cmd->cdw[1] >> 16;
    uint32_t wish = (sqs > cqs ? sqs : cqs) + 1;

    if (ctrl->queues.alive > 0)
        return STATUS_COMMAND_SEQUENCE;
    if (sqs == QUEUES_ALL || cqs == QUEUES_ALL)
        return STATUS_INVALID_FIELD;
    ctrl->queues.granted =
        (uint16_t)(wish < ctrl->params.max_io_queues ? wish : ctrl->params.max_io_queues);
    cmd->dw0 = granted_dword(ctrl);
    return STATUS_SUCCESS;
}

static uint16_t set_temperature(struct ctrl *ctrl, uint32_t value)
{
    if ((SENSOR(value) != 0 && SENSOR(value) != SENSOR_ALL) ||
        THRESHOLD(value) >= TEMPERATURE_SLOTS)
        return STATUS_INVALID_FIELD;
    ctrl->features.temperature[THRESHOLD(value)] = (uint16_t)value;
    return STATUS_SUCCESS;
}

/* Interrupt Vector Configuration (5.21.1.9) for a vector that exists. */
static bool is_vector(const struct ctrl *ctrl, uint32_t vector)
{
    return vector < ctrl->interrupts.count;
}

static uint16_t store_if(struct ctrl *ctrl, uint32_t feature, uint32_t value, uint32_t allowed)
{
    if ((value & ~allowed) != 0)
        return STATUS_INVALID_FIELD;
    ctrl->features.value[feature] = value;
    return STATUS_SUCCESS;
}

/* Features of the controller as a whole: they cannot be set for one namespace (5.21). */
static bool is_controller_wide(uint32_t feature)
{
    switch (feature) {
    case FEATURE_ARBITRATION:
    case FEATURE_POWER:
    case FEATURE_TEMPERATURE:
    case FEATURE_WRITE_CACHE:
    case FEATURE_QUEUES:
    case FEATURE_COALESCING:
    case FEATURE_VECTOR:
    case FEATURE_ATOMICITY:
    case FEATURE_ASYNC_EVENT:
        return true;
    default:
        return false;
    }
}

uint16_t features_set(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t feature = cmd->cdw[0] & 0xffu;
    uint32_t value = cmd->cdw[1];

    if ((cmd->cdw[0] & SET_SAVE) != 0)
        return STATUS_FEATURE_NOT_SAVEABLE;
    if (cmd->nsid != 0 && cmd->nsid != NSID_ALL && is_controller_wide(feature))
        return STATUS_FEATURE_NOT_NAMESPACE_SPECIFIC;
    switch (feature) {
    case FEATURE_ARBITRATION:
        ctrl->features.value[feature] = value & ARBITRATION_BITS;
        use_burst(ctrl);
        return STATUS_SUCCESS;
    case FEATURE_POWER: /* there is one power state (NPSS = 0) */
        return (value & POWER_STATE_BITS) != 0 ? STATUS_INVALID_FIELD : STATUS_SUCCESS;
    case FEATURE_TEMPERATURE:
        return set_temperature(ctrl, value);
    case FEATURE_ERROR_RECOVERY: /* of a namespace (5.21.1.5) */
        if (cmd->nsid != NSID_ONLY && cmd->nsid != NSID_ALL)
            return STATUS_INVALID_NAMESPACE;
        return store_if(ctrl, feature, value, TLER_BITS);
    case FEATURE_WRITE_CACHE:
        return set_write_cache(ctrl, cmd);
    case FEATURE_QUEUES:
        return set_queues(ctrl, cmd);
    case FEATURE_COALESCING:
        return value == 0 ? STATUS_SUCCESS : STATUS_FEATURE_NOT_CHANGEABLE;
    case FEATURE_VECTOR:
        if (!is_vector(ctrl, value & VECTOR_BITS))
            return STATUS_INVALID_FIELD;
        return (value & COALESCING_DISABLE) != 0 ? STATUS_SUCCESS : STATUS_FEATURE_NOT_CHANGEABLE;
    case FEATURE_ATOMICITY:
        return store_if(ctrl, feature, value, ATOMICITY_BITS);
    case FEATURE_ASYNC_EVENT:
        return store_if(ctrl, feature, value, ASYNC_BITS);
    default:
        return STATUS_INVALID_FIELD;
    }
}

uint16_t features_get(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t feature = cmd->cdw[0] & 0xffu;
    uint32_t value = cmd->cdw[1];

    if (GET_SELECT(cmd->cdw[0]) != 0)
        return STATUS_INVALID_FIELD;
    switch (feature) {
    case FEATURE_WRITE_CACHE:
        if (!ctrl->params.vwc)
            return STATUS_INVALID_FIELD;
        break;
    case FEATURE_TEMPERATURE:
        if (SENSOR(value) != 0 || THRESHOLD(value) >= TEMPERATURE_SLOTS)
            return STATUS_INVALID_FIELD;
        cmd->dw0 = ctrl->features.temperature[THRESHOLD(value)];
        return STATUS_SUCCESS;
    case FEATURE_ERROR_RECOVERY:
        if (cmd->nsid != NSID_ONLY)
            return STATUS_INVALID_NAMESPACE;
        break;
    case FEATURE_QUEUES:
        cmd->dw0 = granted_dword(ctrl);
        return STATUS_SUCCESS;
    case FEATURE_VECTOR:
        if (!is_vector(ctrl, value & VECTOR_BITS))
            return STATUS_INVALID_FIELD;
        cmd->dw0 = (value & VECTOR_BITS) | COALESCING_DISABLE;
        return STATUS_SUCCESS;
    case FEATURE_ARBITRATION:
    case FEATURE_POWER:
    case FEATURE_COALESCING:
    case FEATURE_ATOMICITY:
    case FEATURE_ASYNC_EVENT:
        break;
    default:
        return STATUS_INVALID_FIELD;
    }
    cmd->dw0 = ctrl->features.value[feature];
    return STATUS_SUCCESS;
}
