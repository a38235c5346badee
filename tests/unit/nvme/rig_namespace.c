/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See rig_namespace.h.
 */
#include "unit/nvme/rig_namespace.h"

#include <string.h>

enum { PAGE = 4096 };

uint64_t rig_field(struct rig *rig, unsigned offset, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | rig_at(rig, RIG_DATA + offset)[i];
    return value;
}

bool rig_rest_is_zero(struct rig *rig, unsigned offset)
{
    for (; offset < PAGE; offset++) {
        if (*rig_at(rig, RIG_DATA + offset) != 0)
            return false;
    }
    return true;
}

uint16_t rig_identify(struct rig *rig, uint32_t cdw10, uint32_t nsid)
{
    memset(rig_at(rig, RIG_DATA), 0xa5, PAGE);
    return rig_admin(rig, 0x06, nsid, cdw10, 0, NULL);
}

static void put(struct rig *rig, unsigned offset, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *rig_at(rig, RIG_DATA + offset + i) = (uint8_t)(value >> 8 * i);
}

uint16_t rig_ns_create(struct rig *rig, const struct rig_ns *ns, uint32_t *nsid)
{
    memset(rig_at(rig, RIG_DATA), 0, PAGE);
    put(rig, 0, ns->nsze, 8);
    put(rig, 8, ns->ncap, 8);
    put(rig, 26, ns->flbas, 1);
    put(rig, 29, ns->dps, 1);
    put(rig, 30, ns->nmic, 1);
    put(rig, 92, ns->anagrpid, 4);
    put(rig, 100, ns->nvmsetid, 2);
    return rig_admin(rig, 0x0d, 0, 0, 0, nsid);
}

uint16_t rig_ns_delete(struct rig *rig, uint32_t nsid)
{
    return rig_admin(rig, 0x0d, nsid, 1, 0, NULL);
}

uint16_t rig_ns_attachment(struct rig *rig, uint32_t nsid, uint32_t sel, uint16_t count,
                           const uint16_t *ids, unsigned ids_count)
{
    memset(rig_at(rig, RIG_DATA), 0, PAGE);
    put(rig, 0, count, 2);
    for (unsigned i = 0; i < ids_count; i++)
        put(rig, 2 + 2 * i, ids[i], 2);
    return rig_admin(rig, 0x15, nsid, sel, 0, NULL);
}

uint16_t rig_ns_attach(struct rig *rig, uint32_t nsid, uint16_t cntlid)
{
    return rig_ns_attachment(rig, nsid, 0, 1, &cntlid, 1);
}

uint16_t rig_ns_detach(struct rig *rig, uint32_t nsid, uint16_t cntlid)
{
    return rig_ns_attachment(rig, nsid, 1, 1, &cntlid, 1);
}

unsigned rig_list(struct rig *rig, uint32_t cns, uint32_t above, uint32_t *first, uint32_t *last)
{
    unsigned count = 0;

    ck_assert_uint_eq(rig_identify(rig, cns, above), 0);
    *first = *last = (uint32_t)rig_field(rig, 0, 4);
    while (count < PAGE / 4 && rig_field(rig, 4 * count, 4) != 0) {
        *last = (uint32_t)rig_field(rig, 4 * count, 4);
        count++;
    }
    ck_assert(rig_rest_is_zero(rig, 4 * count));
    return count;
}

uint16_t rig_block(struct rig *rig, uint8_t opcode, uint32_t nsid, uint64_t slba, uint64_t prp1)
{
    return rig_do(rig, 1,
                  &(struct rig_cmd){.opcode = opcode,
                                    .cid = 0x77,
                                    .nsid = nsid,
                                    .prp1 = prp1,
                                    .cdw10 = (uint32_t)slba,
                                    .cdw11 = (uint32_t)(slba >> 32)},
                  NULL);
}
