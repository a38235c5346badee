/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The raw host's shadow doorbells; see rig_shadow.h.
 */
#include "unit/nvme/rig_shadow.h"

#include <string.h>

static uint8_t *entry(struct rig *rig, uint64_t page, unsigned qid, unsigned is_cq)
{
    return rig_at(rig, page + (uint64_t)(2 * qid + is_cq) * (4u << rig->params.ctrl.cap_dstrd));
}

uint32_t rig_shadow_get(struct rig *rig, uint64_t page, unsigned qid, unsigned is_cq)
{
    const uint8_t *at = entry(rig, page, qid, is_cq);

    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void rig_shadow_set(struct rig *rig, uint64_t page, unsigned qid, unsigned is_cq, uint32_t value)
{
    uint8_t *at = entry(rig, page, qid, is_cq);

    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

uint16_t rig_shadow_configure(struct rig *rig)
{
    memset(rig_at(rig, RIG_SHADOW), 0, 4096);
    memset(rig_at(rig, RIG_EVENTIDX), 0, 4096);
    return rig_do(
        rig, 0, &(struct rig_cmd){.opcode = 0x7c, .prp1 = RIG_SHADOW, .prp2 = RIG_EVENTIDX}, NULL);
}

static bool passes(uint32_t eventidx, uint16_t value, uint16_t old)
{
    return (uint16_t)(value - eventidx - 1) < (uint16_t)(value - old);
}

static bool ring(struct rig *rig, unsigned qid, unsigned is_cq, uint16_t value)
{
    uint16_t old = (uint16_t)rig_shadow_get(rig, RIG_SHADOW, qid, is_cq);
    uint64_t stride = 4u << rig->params.ctrl.cap_dstrd;

    rig_shadow_set(rig, RIG_SHADOW, qid, is_cq, value);
    if (!passes(rig_shadow_get(rig, RIG_EVENTIDX, qid, is_cq), value, old))
        return false;
    rig_write32(rig, 0x1000 + (2 * qid + is_cq) * stride, value);
    return true;
}

bool rig_shadow_ring(struct rig *rig, unsigned queue)
{
    return ring(rig, rig->queue[queue].qid, 0, rig->queue[queue].tail);
}

bool rig_shadow_ring_cq(struct rig *rig, unsigned queue)
{
    return ring(rig, rig->queue[queue].cqid, 1, rig->queue[queue].head);
}
