/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Features whose value is a data structure: LBA Range Type (NVMe 1.4 section 5.21.1.3), Timestamp
 * (5.21.1.14), Host Behavior Support (5.21.1.22), Host Identifier (5.21.1.26).
 */
#include "nvme/feature_hooks.h"
#include "nvme/internal.h"

/* LBA Range Type: NUM is 0's based; entries of 64 bytes (figure 274). */
enum { RANGE_TYPE = 0, RANGE_ATTRIBUTES = 1, RANGE_SLBA = 16, RANGE_NLB = 24, RANGE_BYTES = 64 };
#define RANGE_NUM_BITS       UINT32_C(0x3f)
#define RANGE_MAY_BE_WRITTEN 0x01u /* attribute bit 0: it may be overwritten */

/* Timestamp (figure 294): milliseconds, 48 bits, then Synch and Timestamp Origin. */
#define TIMESTAMP_BITS   UINT64_C(0xffffffffffff)
#define TIMESTAMP_ORIGIN 6u
#define ORIGIN_SET       0x02u /* origin 001b in bits 3:1: Set Features */

/* Host Behavior Support (figure 303). */
#define ACRE_AT 0u

#define HOST_IDENTIFIER_SHORT 8u

/* ---- LBA range type ---- */

uint32_t lba_range_initial(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    const struct namespace *ns = namespace_valid(ctrl, slot + 1);

    if (data == NULL || !ns->allocated)
        return 0;
    /* One range of type 0 that covers the namespace; NLB is 0's based. */
    data[RANGE_ATTRIBUTES] = RANGE_MAY_BE_WRITTEN;
    wire_put64(data + RANGE_NLB, ns->blocks - 1);
    return 0;
}

static uint64_t range_first(const uint8_t *data, uint32_t i)
{
    return wire_get64(data + i * RANGE_BYTES + RANGE_SLBA);
}

static uint64_t range_last(const uint8_t *data, uint32_t i)
{
    return range_first(data, i) + wire_get64(data + i * RANGE_BYTES + RANGE_NLB);
}

uint16_t lba_range_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                         uint32_t *dword, const uint8_t *data)
{
    const struct namespace *ns = namespace_valid(ctrl, slot + 1);
    uint32_t count;

    (void)cmd;
    *dword &= RANGE_NUM_BITS;
    count = *dword + 1;
    for (uint32_t i = 0; i < count; i++) {
        /* The last block may lie beyond the end of all numbers. */
        if (range_last(data, i) < range_first(data, i) || range_last(data, i) >= ns->blocks)
            return STATUS_LBA_OUT_OF_RANGE;
        for (uint32_t k = 0; k < i; k++) {
            if (range_first(data, i) <= range_last(data, k) &&
                range_first(data, k) <= range_last(data, i))
                return STATUS_OVERLAPPING_RANGE;
        }
    }
    return STATUS_SUCCESS;
}

/* ---- timestamp ---- */

bool timestamp_exists(const struct ctrl *ctrl)
{
    return ctrl->params.timestamp;
}

void timestamp_apply(struct ctrl *ctrl)
{
    ctrl->features.timestamp_ps = engine_now(ctrl->engine);
}

/* It counts from what the host has set, or from 0 since the last reset; it never stops (Synch is
 * 0). */
uint32_t timestamp_current(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    const struct feature_value *value = &ctrl->features.current[ROW_TIMESTAMP][slot];
    uint64_t ms = (engine_now(ctrl->engine) - ctrl->features.timestamp_ps) / PS_PER_MS;

    if (data == NULL)
        return 0;
    if (value->is_set)
        ms += wire_get64(value->data) & TIMESTAMP_BITS;
    wire_put64(data, ms & TIMESTAMP_BITS);
    data[TIMESTAMP_ORIGIN] = value->is_set ? ORIGIN_SET : 0;
    return 0;
}

/* ---- host behavior support ---- */

#define RETRY_DELAYS 3u

uint64_t features_retry_delay_ps(const struct ctrl *ctrl, unsigned delay)
{
    const uint64_t delays[RETRY_DELAYS] = {ctrl->params.retry_delay1, ctrl->params.retry_delay2,
                                           ctrl->params.retry_delay3};

    return delay >= 1 && delay <= RETRY_DELAYS ? delays[delay - 1] : 0;
}

bool host_behavior_exists(const struct ctrl *ctrl)
{
    return ctrl->regs.vs >= VS_1_4;
}

/* ACRE is the one behavior that there is; what the host says about others is of no effect. */
uint16_t host_behavior_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                             uint32_t *dword, const uint8_t *data)
{
    (void)ctrl;
    (void)cmd;
    (void)slot;
    (void)dword;
    return data[ACRE_AT] > 1 ? STATUS_INVALID_FIELD : STATUS_SUCCESS;
}

uint16_t features_retry_delay(const struct ctrl *ctrl, unsigned delay)
{
    const struct feature_value *value = &ctrl->features.current[ROW_HOST_BEHAVIOR][0];

    if (!value->is_set || value->data[ACRE_AT] == 0 || features_retry_delay_ps(ctrl, delay) == 0)
        return 0;
    return (uint16_t)(delay << STATUS_CRD_SHIFT);
}

/* ---- host identifier: without reservations nothing depends on it ---- */

uint32_t host_identifier_bytes(const struct command *cmd)
{
    return (cmd->cdw[1] & HOST_IDENTIFIER_EXTENDED) != 0 ? HOST_IDENTIFIER_BYTES
                                                         : HOST_IDENTIFIER_SHORT;
}
