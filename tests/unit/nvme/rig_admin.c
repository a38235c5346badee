/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/nvme/rig_admin.h"

#include <string.h>

uint16_t rig_set(struct rig *rig, uint32_t nsid, uint32_t feature, uint32_t value)
{
    return rig_admin(rig, 9, nsid, feature, value, NULL);
}

uint32_t rig_get(struct rig *rig, uint32_t nsid, uint32_t feature, uint32_t cdw11)
{
    uint32_t dw0;

    ck_assert_uint_eq(rig_admin(rig, 10, nsid, feature, cdw11, &dw0), 0);
    return dw0;
}

uint16_t rig_log(struct rig *rig, uint8_t page, uint32_t offset, uint32_t bytes, bool retain)
{
    struct rig_cmd cmd = {.opcode = 2,
                          .cid = 0x77,
                          .prp1 = RIG_DATA,
                          .prp2 = RIG_DATA + 0x1000,
                          .cdw10 = (bytes / 4 - 1) << 16 | (uint32_t)retain << 15 | page,
                          .cdw11 = (bytes / 4 - 1) >> 16,
                          .cdw12 = offset};

    memset(rig_at(rig, RIG_DATA), 0xee, 0x2000);
    return rig_do(rig, 0, &cmd, NULL);
}

void rig_put_field(struct rig *rig, uint32_t offset, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        *rig_at(rig, RIG_DATA + offset + i) = (uint8_t)(value >> 8 * i);
}

void rig_ask(struct rig *rig, uint16_t cid)
{
    rig_put(rig, 0, &(struct rig_cmd){.opcode = 12, .cid = cid});
    rig_ring(rig, 0);
    rig_for(rig, RIG_MS);
}

void rig_expect_event(struct rig *rig, uint16_t cid, uint32_t dw0)
{
    struct rig_cqe cqe;

    rig_for(rig, RIG_MS);
    ck_assert(rig_take(rig, 0, &cqe));
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, 0);
    ck_assert_uint_eq(cqe.dw0, dw0);
    rig_ring_cq(rig, 0);
    rig_for(rig, RIG_MS);
}

void rig_expect_nothing(struct rig *rig)
{
    struct rig_cqe cqe;

    rig_for(rig, RIG_MS);
    ck_assert(!rig_take(rig, 0, &cqe));
}

void rig_reset(struct rig *rig)
{
    rig_write32(rig, 0x14, 0);
    rig_settle(rig);
    rig_enable(rig);
}
