/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The features, one row each (NVMe 1.4 section 5.21.1), and the hooks of those that are one dword.
 * Not here, and refused as Invalid Field: Autonomous Power State Transition and everything else
 * that needs more than one power state, thermal management, sanitize, reservations, and what
 * belongs to NVM sets and endurance groups.
 *
 * Turning the volatile write cache off flushes it: writes from then on are made durable one by one
 * (nvm.c), those before by the flush that the command waits for (5.21.1.6). Until that flush has
 * ended the cache may hold data although it is off, and Flush, FUA reads and a shutdown still mean
 * something. If the command is aborted the cache stays off and stays suspect;
 * so it does after a reset that brings back a saved "off".
 */
#include "nvme/feature_hooks.h"
#include "nvme/internal.h"

/* Arbitration (5.21.1.1): AB and three weights, each 0's based. */
#define NO_BURST_LIMIT   7u
#define ARBITRATION_BITS UINT32_C(0xffffff07)
#define LOW_WEIGHT(v)    (((v) >> 8 & 0xffu) + 1)
#define MEDIUM_WEIGHT(v) (((v) >> 16 & 0xffu) + 1)
#define HIGH_WEIGHT(v)   (((v) >> 24) + 1)
/* Power Management (5.21.1.2): PS and the workload hint. */
#define POWER_STATE_BITS UINT32_C(0x1f)
#define POWER_BITS       UINT32_C(0xff)
/* Temperature Threshold (5.21.1.4): sensor 0 is the composite one; 15 in a Set means all. */
#define SENSOR(cdw11)        ((cdw11) >> 16 & 0xfu)
#define SENSOR_ALL           15u
#define THRESHOLD(cdw11)     ((cdw11) >> 20 & 3u)
#define TEMPERATURE_BITS     UINT32_C(0xffff)
#define TLER_BITS            UINT32_C(0xffff)
#define TLER_UNIT_PS         (100 * PS_PER_MS)
#define WCE                  UINT32_C(1)
#define QUEUES_ALL           UINT32_C(0xffff)
#define COALESCING_BITS      UINT32_C(0xffff)
#define COALESCING_TIME_UNIT (100 * PS_PER_US)
#define VECTOR_BITS          UINT32_C(0xffff)
#define COALESCING_DISABLE   UINT32_C(0x10000) /* CD of Interrupt Vector Configuration */
#define ATOMICITY_BITS       UINT32_C(1)       /* DN (5.21.1.10) */
#define ASYNC_WARNINGS       UINT32_C(0xff)    /* the critical warnings of 5.14.1.2 */
#define PROGRESS_MARKER_BITS UINT32_C(0xff)

/* ---- arbitration ---- */

static uint32_t arbitration_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    (void)slot;
    (void)data;
    return (uint32_t)ctrl->params.arbitration_burst;
}

static void arbitration_apply(struct ctrl *ctrl)
{
    uint32_t log2 = features_dword(ctrl, ROW_ARBITRATION, 0) & NO_BURST_LIMIT;

    ctrl->fetch.burst_max = log2 == NO_BURST_LIMIT ? UINT32_MAX : UINT32_C(1) << log2;
}

struct feature_weights features_weights(const struct ctrl *ctrl)
{
    uint32_t value = features_dword(ctrl, ROW_ARBITRATION, 0);

    return (struct feature_weights){
        .high = HIGH_WEIGHT(value), .medium = MEDIUM_WEIGHT(value), .low = LOW_WEIGHT(value)};
}

/* ---- temperature ---- */

static uint32_t temperature_slots(const struct ctrl *ctrl)
{
    (void)ctrl;
    return TEMPERATURE_SLOTS;
}

static bool temperature_find(const struct ctrl *ctrl, bool is_set, uint32_t cdw11, uint32_t *slot)
{
    (void)ctrl;
    *slot = THRESHOLD(cdw11);
    return (SENSOR(cdw11) == 0 || (is_set && SENSOR(cdw11) == SENSOR_ALL)) &&
           *slot < TEMPERATURE_SLOTS;
}

static uint32_t temperature_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    (void)data;
    return slot == TEMPERATURE_OVER ? (uint32_t)ctrl->params.warning_temperature : 0;
}

/* ---- error recovery ---- */

uint64_t features_recovery_limit_ps(const struct ctrl *ctrl, uint32_t nsid)
{
    return features_dword(ctrl, ROW_ERROR_RECOVERY, nsid - 1) * TLER_UNIT_PS;
}

/* ---- volatile write cache ---- */

static bool cache_exists(const struct ctrl *ctrl)
{
    return ctrl->params.vwc;
}

static uint32_t cache_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    (void)slot;
    (void)data;
    return ctrl->params.vwc ? WCE : 0;
}

static void cache_apply(struct ctrl *ctrl)
{
    ctrl->features.cache_on = features_dword(ctrl, ROW_WRITE_CACHE, 0) != 0;
}

static uint16_t cache_then(struct ctrl *ctrl, struct command *cmd)
{
    bool may_hold = features_cache_may_hold(ctrl);

    cache_apply(ctrl);
    if (features_cache_on(ctrl) || !may_hold)
        return STATUS_SUCCESS;
    ctrl->features.cache_drain = command_arg(cmd);
    nvm_start_media_flush(ctrl, cmd);
    return COMMAND_GOES_ON;
}

bool features_cache_on(const struct ctrl *ctrl)
{
    return ctrl->features.cache_on;
}

bool features_cache_may_hold(const struct ctrl *ctrl)
{
    return features_cache_on(ctrl) || ctrl->features.cache_drain != NO_DRAIN;
}

void features_cache_drained(struct ctrl *ctrl, const struct command *cmd)
{
    /* A later command may have begun another drain, with writes between the two. */
    if (ctrl->features.cache_drain == command_arg(cmd))
        ctrl->features.cache_drain = NO_DRAIN;
}

/* ---- number of queues ---- */

static uint32_t queues_dword(uint32_t count)
{
    uint32_t zero_based = count - 1;

    return zero_based | zero_based << 16;
}

static uint32_t queues_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    (void)slot;
    (void)data;
    return queues_dword((uint32_t)ctrl->params.max_io_queues);
}

static uint16_t queues_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                             uint32_t *dword, const uint8_t *data)
{
    uint32_t sqs = *dword & QUEUES_ALL;
    uint32_t cqs = *dword >> 16;
    uint32_t wish = (sqs > cqs ? sqs : cqs) + 1;

    (void)cmd;
    (void)slot;
    (void)data;
    if (ctrl->queues.alive > 0)
        return STATUS_COMMAND_SEQUENCE;
    if (sqs == QUEUES_ALL || cqs == QUEUES_ALL)
        return STATUS_INVALID_FIELD;
    /* 5.21.1.7. Both kinds get the same: the smaller of the larger wish and what there is. */
    *dword = queues_dword(wish < ctrl->params.max_io_queues ? wish
                                                            : (uint32_t)ctrl->params.max_io_queues);
    return STATUS_SUCCESS;
}

static void queues_apply(struct ctrl *ctrl)
{
    ctrl->queues.granted = (uint16_t)((features_dword(ctrl, ROW_QUEUES, 0) & QUEUES_ALL) + 1);
}

static uint16_t queues_then(struct ctrl *ctrl, struct command *cmd)
{
    queues_apply(ctrl);
    cmd->dw0 = features_dword(ctrl, ROW_QUEUES, 0);
    return STATUS_SUCCESS;
}

/* ---- interrupts ---- */

static uint32_t vector_slots(const struct ctrl *ctrl)
{
    return ctrl->interrupts.count;
}

static bool vector_find(const struct ctrl *ctrl, bool is_set, uint32_t cdw11, uint32_t *slot)
{
    (void)is_set;
    *slot = cdw11 & VECTOR_BITS;
    return *slot < ctrl->interrupts.count;
}

static uint32_t vector_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    (void)ctrl;
    (void)data;
    return slot;
}

struct feature_coalescing features_coalescing(const struct ctrl *ctrl)
{
    uint32_t value = features_dword(ctrl, ROW_COALESCING, 0);

    return (struct feature_coalescing){.threshold = (value & 0xffu) + 1,
                                       .time_ps = (value >> 8 & 0xffu) * COALESCING_TIME_UNIT};
}

bool features_vector_coalesces(const struct ctrl *ctrl, uint32_t vector)
{
    return (features_dword(ctrl, ROW_VECTOR, vector) & COALESCING_DISABLE) == 0;
}

/* ---- the rest ---- */

static uint16_t async_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                            uint32_t *dword, const uint8_t *data)
{
    (void)cmd;
    (void)slot;
    (void)data;
    return (*dword & ~(ASYNC_WARNINGS | async_oaes_bits(ctrl))) == 0 ? STATUS_SUCCESS
                                                                     : STATUS_INVALID_FIELD;
}

const struct feature feature_table[FEATURE_ROWS] = {
    [ROW_ARBITRATION] = {.id = FEATURE_ARBITRATION,
                         .saveable = true,
                         .initial = arbitration_initial,
                         .keep = ARBITRATION_BITS,
                         .apply = arbitration_apply},
    /* there is one power state (NPSS = 0; 8.4) */
    [ROW_POWER] = {.id = FEATURE_POWER, .keep = POWER_BITS, .refuse = POWER_STATE_BITS},
    [ROW_LBA_RANGE] = {.id = FEATURE_LBA_RANGE,
                       .scope = SCOPE_NAMESPACE,
                       .persistent = true,
                       .set_bytes = LBA_RANGES_BYTES,
                       .get_bytes = LBA_RANGES_BYTES,
                       .initial = lba_range_initial,
                       .check = lba_range_check},
    [ROW_TEMPERATURE] = {.id = FEATURE_TEMPERATURE,
                         .saveable = true,
                         .slots = temperature_slots,
                         .find_slot = temperature_find,
                         .initial = temperature_initial,
                         .keep = TEMPERATURE_BITS,
                         .apply = health_check},
    /* no namespace reports deallocated blocks, so DULBE is refused (5.21.1.5) */
    [ROW_ERROR_RECOVERY] = {.id = FEATURE_ERROR_RECOVERY,
                            .scope = SCOPE_NAMESPACE,
                            .saveable = true,
                            .refuse = ~TLER_BITS},
    [ROW_WRITE_CACHE] = {.id = FEATURE_WRITE_CACHE,
                         .saveable = true,
                         .exists = cache_exists,
                         .refuse = ~WCE,
                         .initial = cache_initial,
                         .apply = cache_apply,
                         .then = cache_then},
    [ROW_QUEUES] = {.id = FEATURE_QUEUES,
                    .initial = queues_initial,
                    .check = queues_check,
                    .apply = queues_apply,
                    .then = queues_then},
    [ROW_COALESCING] = {.id = FEATURE_COALESCING,
                        .saveable = true,
                        .keep = COALESCING_BITS,
                        .apply = interrupt_coalescing_changed},
    [ROW_VECTOR] = {.id = FEATURE_VECTOR,
                    .saveable = true,
                    .slots = vector_slots,
                    .find_slot = vector_find,
                    .initial = vector_initial,
                    .keep = VECTOR_BITS | COALESCING_DISABLE},
    [ROW_ATOMICITY] = {.id = FEATURE_ATOMICITY, .saveable = true, .refuse = ~ATOMICITY_BITS},
    [ROW_ASYNC_EVENT] = {.id = FEATURE_ASYNC_EVENT, .saveable = true, .check = async_check},
    [ROW_HOST_MEMORY] = {.id = FEATURE_HOST_MEMORY,
                         .get_bytes = HOST_MEMORY_BYTES,
                         .exists = host_memory_exists,
                         .current = host_memory_current,
                         .check = host_memory_check,
                         .then = host_memory_then,
                         .apply = host_memory_apply},
    [ROW_TIMESTAMP] = {.id = FEATURE_TIMESTAMP,
                       .set_bytes = TIMESTAMP_BYTES,
                       .get_bytes = TIMESTAMP_BYTES,
                       .exists = timestamp_exists,
                       .current = timestamp_current,
                       .apply = timestamp_apply},
    [ROW_KEEP_ALIVE] = {.id = FEATURE_KEEP_ALIVE,
                        .exists = keep_alive_exists,
                        .check = keep_alive_check,
                        .apply = keep_alive_apply},
    [ROW_HOST_BEHAVIOR] = {.id = FEATURE_HOST_BEHAVIOR,
                           .set_bytes = HOST_BEHAVIOR_BYTES,
                           .get_bytes = HOST_BEHAVIOR_BYTES,
                           .exists = host_behavior_exists,
                           .check = host_behavior_check},
    /* the host's own (5.21.1.25) */
    [ROW_PROGRESS_MARKER] = {.id = FEATURE_PROGRESS_MARKER,
                             .persistent = true,
                             .keep = PROGRESS_MARKER_BITS},
    [ROW_HOST_IDENTIFIER] = {.id = FEATURE_HOST_IDENTIFIER,
                             .set_bytes = HOST_IDENTIFIER_BYTES,
                             .get_bytes = HOST_IDENTIFIER_BYTES,
                             .bytes = host_identifier_bytes,
                             .keep = HOST_IDENTIFIER_EXTENDED},
};
