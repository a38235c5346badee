/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rig on a slow link; see rig_paced.h.
 */
#include "unit/nvme/rig_paced.h"

void rig_paced_defaults(struct rig_params *params)
{
    rig_defaults(params);
    params->ctrl.mdts = 0;
    params->ctrl.completion.amount = 100000;
    params->link = (struct link_params){.kind = LINK_PCIE,
                                        .detail = LINK_TLP,
                                        .generation = 1,
                                        .lanes = 1,
                                        .max_payload = 256,
                                        .max_read_request = 512,
                                        .completion_payload = 64,
                                        .completion_boundary = 64,
                                        .tags = 32,
                                        .propagation = PROPAGATION,
                                        .memory_latency = 120000,
                                        .packet_overhead = HEADER,
                                        .completion_overhead = 20,
                                        .dllp_bytes = 8};
}

void rig_paced_open(struct rig *rig, struct rig_params *params, unsigned detail)
{
    params->link.detail = detail;
    rig_open(rig, params);
    rig_enable(rig);
    rig_msix_enable(rig, 4);
    for (unsigned q = 1; q <= QUEUES; q++)
        rig_create_queue(rig, q, SLOTS, (uint16_t)q);
    rig_settle(rig);
}

void rig_paced_put(struct rig *rig, unsigned queue, uint8_t opcode, uint16_t cid, uint32_t blocks,
                   unsigned place)
{
    uint64_t data = RIG_DATA + ((uint64_t)place << 20);
    uint64_t list = RIG_LISTS + place * UINT64_C(0x1000);
    uint32_t pages = (blocks * 512 + 4095) / 4096;

    for (uint32_t i = 1; i < pages; i++)
        rig_put64(rig, list + (i - 1) * UINT64_C(8), data + i * UINT64_C(4096));
    rig_put(rig, queue,
            &(struct rig_cmd){.opcode = opcode,
                              .cid = cid,
                              .nsid = 1,
                              .prp1 = data,
                              .prp2 = pages == 2 ? data + 4096 : list,
                              .cdw12 = blocks - 1});
}

uint64_t rig_paced_until_done(struct rig *rig, unsigned queue)
{
    uint64_t from = rig_now(rig);
    struct rig_cqe cqe;

    while (!rig_take(rig, queue, &cqe))
        ck_assert(engine_step(rig->engine));
    ck_assert_uint_eq(cqe.status, 0);
    return rig_now(rig) - from;
}

uint64_t rig_paced_wire_ps(uint32_t bytes)
{
    return (bytes + (bytes + 255) / 256 * HEADER) * BYTE_PS;
}
