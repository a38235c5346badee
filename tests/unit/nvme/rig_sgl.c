/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SGLs of the rig; see rig_sgl.h.
 */
#include "unit/nvme/rig_sgl.h"

static uint64_t second_qword(uint8_t identifier, uint32_t length)
{
    return length | (uint64_t)identifier << 56;
}

uint64_t rig_put_sgl(struct rig *rig, uint64_t bus, uint8_t identifier, uint64_t address,
                     uint32_t length)
{
    rig_put64(rig, bus, address);
    rig_put64(rig, bus + 8, second_qword(identifier, length));
    return bus + 16;
}

struct rig_cmd rig_sgl_cmd(uint8_t opcode, uint64_t slba, uint32_t blocks, struct rig_sgl sgl)
{
    return (struct rig_cmd){.opcode = opcode,
                            .flags = 0x40,
                            .cid = 9,
                            .nsid = 1,
                            .prp1 = sgl.address,
                            .prp2 = second_qword(sgl.identifier, sgl.length),
                            .cdw10 = (uint32_t)slba,
                            .cdw11 = (uint32_t)(slba >> 32),
                            .cdw12 = blocks - 1};
}

uint16_t rig_io_sgl(struct rig *rig, uint8_t opcode, uint64_t slba, uint32_t blocks,
                    struct rig_sgl sgl)
{
    struct rig_cmd cmd = rig_sgl_cmd(opcode, slba, blocks, sgl);

    return rig_do(rig, 1, &cmd, NULL);
}

static void listen(void *ctx, const struct stream_record *record)
{
    struct rig_trace *trace = ctx;

    if (record->kind != RECORD_DMA)
        return;
    if (trace->count < RIG_ACCESSES)
        trace->accesses[trace->count] =
            (struct rig_access){record->b, (uint32_t)record->c, record->a != 0};
    trace->count++;
}

void rig_trace_begin(struct rig *rig, struct rig_trace *trace)
{
    trace->reader = (struct stream_reader){listen, trace, UINT64_MAX, NULL};
    trace->count = 0;
    stream_add(engine_stream(rig->engine), &trace->reader);
}
