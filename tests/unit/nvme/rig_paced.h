/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rig on a link that sets the pace: one lane on which a byte takes 4000 ps, three queues, and
 * data of any length.
 */
#ifndef TESTS_NVME_RIG_PACED_H
#define TESTS_NVME_RIG_PACED_H

#include "unit/nvme/rig_sgl.h"

#define BYTE_PS     UINT64_C(4000)
#define HEADER      24u /* of a write or a request; of a completion 20 */
#define ENTRY       16u
#define PROPAGATION UINT64_C(150000)
#define QUEUES      3u
#define SLOTS       16u

enum { WRITE = 0x01, READ = 0x02 };
#define LINE LINK_LINE
#define TLP  LINK_TLP

void rig_paced_defaults(struct rig_params *params);
/* At this link.detail; the queues have SLOTS entries, and each has the vector of its number. */
void rig_paced_open(struct rig *rig, struct rig_params *params, unsigned detail);
/* Pages of the data one behind the other, in the given 1 MiB of memory, at most one list page. */
void rig_paced_put(struct rig *rig, unsigned queue, uint8_t opcode, uint16_t cid, uint32_t blocks,
                   unsigned place);
/* When the queue's next completion is there, from now on; it must be a success. */
uint64_t rig_paced_until_done(struct rig *rig, unsigned queue);
/* On the way: packets of at most 256 bytes. */
uint64_t rig_paced_wire_ps(uint32_t bytes);

#endif
