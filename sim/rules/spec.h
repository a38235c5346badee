/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the checker has read in NVM Express 1.4: offsets, bits and opcodes, by section. Its own
 * reading: the controller and the driver have theirs.
 */
#ifndef RULES_SPEC_H
#define RULES_SPEC_H

#include <stdbool.h>
#include <stdint.h>

/* 3.1, register map */
#define SPEC_CAP       0x00u
#define SPEC_VS        0x08u
#define SPEC_INTMS     0x0cu
#define SPEC_INTMC     0x10u
#define SPEC_CC        0x14u
#define SPEC_CSTS      0x1cu
#define SPEC_NSSR      0x20u
#define SPEC_AQA       0x24u
#define SPEC_ASQ       0x28u
#define SPEC_ACQ       0x30u
#define SPEC_DOORBELLS 0x1000u

/* 3.1.1, CAP: fields */
#define CAP_MQES(cap)   ((uint32_t)((cap)&0xffff))
#define CAP_CQR(cap)    ((cap) >> 16 & 1)
#define CAP_AMS(cap)    ((uint32_t)((cap) >> 17 & 3))
#define CAP_TO(cap)     ((uint32_t)((cap) >> 24 & 0xff))
#define CAP_DSTRD(cap)  ((uint32_t)((cap) >> 32 & 0xf))
#define CAP_CSS(cap)    ((uint32_t)((cap) >> 37 & 0xff))
#define CAP_MPSMIN(cap) ((uint32_t)((cap) >> 48 & 0xf))
#define CAP_MPSMAX(cap) ((uint32_t)((cap) >> 52 & 0xf))

/* 3.1.5, CC: fields */
#define CC_IS_ENABLED(cc) (((cc)&1u) != 0)
#define CC_CSS(cc)        ((cc) >> 4 & 7u)
#define CC_MPS(cc)        ((cc) >> 7 & 0xfu)
#define CC_AMS(cc)        ((cc) >> 11 & 7u)
#define CC_SHN(cc)        ((cc) >> 14 & 3u)
#define CC_IOSQES(cc)     ((cc) >> 16 & 0xfu)
#define CC_IOCQES(cc)     ((cc) >> 20 & 0xfu)
#define CC_PAGE(cc)       (UINT64_C(1) << (12 + CC_MPS(cc)))

/* 3.1.6, CSTS */
#define CSTS_IS_READY(csts) (((csts)&1u) != 0)
#define CSTS_IS_FATAL(csts) (((csts) >> 1 & 1u) != 0)
#define CSTS_SHST(csts)     ((csts) >> 2 & 3u)

/* PCI header (2.1.1), Command */
#define PCI_COMMAND        0x04u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u

/* 4.2 and 4.6: entries */
#define SQE_BYTES 64u
#define CQE_BYTES 16u

/* 5, admin opcodes */
#define ADMIN_DELETE_SQ       0x00u
#define ADMIN_CREATE_SQ       0x01u
#define ADMIN_GET_LOG         0x02u
#define ADMIN_DELETE_CQ       0x04u
#define ADMIN_CREATE_CQ       0x05u
#define ADMIN_IDENTIFY        0x06u
#define ADMIN_ABORT           0x08u
#define ADMIN_SET_FEATURES    0x09u
#define ADMIN_GET_FEATURES    0x0au
#define ADMIN_ASYNC_EVENT     0x0cu
#define ADMIN_DOORBELL_BUFFER 0x7cu
#define FEATURE_QUEUES        0x07u

/* 6, NVM opcodes */
#define NVM_OP_FLUSH        0x00u
#define NVM_OP_WRITE        0x01u
#define NVM_OP_READ         0x02u
#define NVM_OP_COMPARE      0x05u
#define NVM_OP_WRITE_ZEROES 0x08u
#define NVM_OP_DATASET      0x09u
#define NVM_OP_VERIFY       0x0cu

#define CQE_STATUS_CODE 0x7ffu /* SCT and SC in CQE_STATUS() */

static inline uint16_t spec_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t spec_get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t spec_get64(const uint8_t *p)
{
    return spec_get32(p) | (uint64_t)spec_get32(p + 4) << 32;
}

/* 4.2: fields of a submission entry */
#define SQE_OPCODE(e) ((e)[0])
#define SQE_FUSE(e)   ((e)[1] & 3u)
#define SQE_PSDT(e)   ((e)[1] >> 6 & 3u)
#define SQE_CID(e)    spec_get16((e) + 2)
#define SQE_NSID(e)   spec_get32((e) + 4)
#define SQE_PRP1(e)   spec_get64((e) + 24)
#define SQE_PRP2(e)   spec_get64((e) + 32)
#define SQE_CDW(e, n) spec_get32((e) + 4 * (n))
#define SQE_SLBA(e)   spec_get64((e) + 40)
#define SQE_NLB(e)    (spec_get16((e) + 48) + 1u) /* 1-based */

/* 4.6: fields of a completion entry */
#define CQE_SQHD(e)   spec_get16((e) + 8)
#define CQE_SQID(e)   spec_get16((e) + 10)
#define CQE_CID(e)    spec_get16((e) + 12)
#define CQE_STATUS(e) ((uint16_t)(spec_get16((e) + 14) >> 1)) /* without the phase tag */

#endif
