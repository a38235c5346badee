/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Helpers of the rig for Identify, Namespace Management and Attachment, and Format NVM. Each gives
 * the command on the admin queue and returns its status.
 */
#ifndef TESTS_NVME_RIG_NAMESPACE_H
#define TESTS_NVME_RIG_NAMESPACE_H

#include "unit/nvme/rig.h"

#define RIG_ALL 0xffffffffu

/* Little-endian field of what the last command put into memory at RIG_DATA. */
uint64_t rig_field(struct rig *rig, unsigned offset, unsigned bytes);
/* cdw10 = CNTID << 16 | CNS. The page is poisoned before. */
uint16_t rig_identify(struct rig *rig, uint32_t cdw10, uint32_t nsid);
/* Is the page of the last command all zeroes from this offset on? */
bool rig_rest_is_zero(struct rig *rig, unsigned offset);

/* The host's structure of Namespace Management, Create (5.20). */
struct rig_ns {
    uint64_t nsze, ncap;
    uint8_t flbas, dps, nmic;
    uint32_t anagrpid;
    uint16_t nvmsetid;
};
uint16_t rig_ns_create(struct rig *rig, const struct rig_ns *ns, uint32_t *nsid);
uint16_t rig_ns_delete(struct rig *rig, uint32_t nsid);
/* Attach or detach for a list of one controller. */
uint16_t rig_ns_attach(struct rig *rig, uint32_t nsid, uint16_t cntlid);
uint16_t rig_ns_detach(struct rig *rig, uint32_t nsid, uint16_t cntlid);
/* SEL 0: attach; ids must fit the list. count is written as it is. */
uint16_t rig_ns_attachment(struct rig *rig, uint32_t nsid, uint32_t sel, uint16_t count,
                           const uint16_t *ids, unsigned ids_count);
/* NSIDs of an Identify list page, up to the first 0. */
unsigned rig_list(struct rig *rig, uint32_t cns, uint32_t above, uint32_t *first, uint32_t *last);
/* One block of I/O queue 1: opcode 1 writes, 2 reads. */
uint16_t rig_block(struct rig *rig, uint8_t opcode, uint32_t nsid, uint64_t slba, uint64_t prp1);

#endif
