/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The raw host's side of shadow doorbells (NVMe 1.4 sections 5.7, 7.13): store the value, look at
 * EventIdx, write the register if the value passes it. Comparison in 16 bits, as Linux does.
 */
#ifndef TESTS_NVME_RIG_SHADOW_H
#define TESTS_NVME_RIG_SHADOW_H

#include "unit/nvme/rig.h"

#define RIG_SHADOW   (RIG_BASE + 0xa0000)
#define RIG_EVENTIDX (RIG_BASE + 0xb0000)

enum { POLICY_ECHO, POLICY_IDLE_ARM, POLICY_NEVER, POLICY_ONE_BEHIND, POLICIES };

/* Zeroes both pages and sends Doorbell Buffer Config. Returns its status. */
uint16_t rig_shadow_configure(struct rig *rig);
uint32_t rig_shadow_get(struct rig *rig, uint64_t page, unsigned qid, unsigned is_cq);
void rig_shadow_set(struct rig *rig, uint64_t page, unsigned qid, unsigned is_cq, uint32_t value);
/* The queue's tail, or head, by way of the shadow. True: the register was written. */
bool rig_shadow_ring(struct rig *rig, unsigned queue);
bool rig_shadow_ring_cq(struct rig *rig, unsigned queue);

#endif
