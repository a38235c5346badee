/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SGLs of the rig, spelled out by hand (NVMe 1.4 section 4.4), and a record of what the controller
 * reads and writes over the bus.
 */
#ifndef TESTS_NVME_RIG_SGL_H
#define TESTS_NVME_RIG_SGL_H

#include "unit/nvme/rig.h"

/* Identifier byte: type in bits 7:4, subtype in bits 3:0. */
enum { RIG_DATA_BLOCK = 0x00, RIG_BIT_BUCKET = 0x10, RIG_SEGMENT = 0x20, RIG_LAST_SEGMENT = 0x30 };

struct rig_sgl {
    uint64_t address;
    uint32_t length;
    uint8_t identifier;
};

/* Writes a descriptor to memory; returns the address behind it. */
uint64_t rig_put_sgl(struct rig *rig, uint64_t bus, uint8_t identifier, uint64_t address,
                     uint32_t length);
/* The command with SGL1 = this descriptor; PSDT = 01b. */
struct rig_cmd rig_sgl_cmd(uint8_t opcode, uint64_t slba, uint32_t blocks, struct rig_sgl sgl);
uint16_t rig_io_sgl(struct rig *rig, uint8_t opcode, uint64_t slba, uint32_t blocks,
                    struct rig_sgl sgl);

#define RIG_ACCESSES 4096u
struct rig_access {
    uint64_t bus;
    uint32_t bytes;
    bool writes;
};

/* Listens until the rig is closed; count goes on where accesses does not. */
struct rig_trace {
    struct stream_reader reader;
    struct rig_access accesses[RIG_ACCESSES];
    uint32_t count;
};
void rig_trace_begin(struct rig *rig, struct rig_trace *trace);

#endif
