/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver core needs of the NVMe standard, as numbers: registers, queue entries, opcodes,
 * Identify fields and status codes. Section numbers are of NVM Express Base Specification 1.4.
 * Included by driver/src and its tests. The controller model has its own definitions on purpose: an
 * error here shows as a disagreement there. Left out: features that the core does not use (fabrics,
 * controller memory buffer, metadata).
 *
 * RO: read only. RW: read and write. W1S / W1C: writing a 1 sets / clears the bit, reading gives
 * the current value.
 */
#ifndef NVME_SPEC_H
#define NVME_SPEC_H

#include <stddef.h>
#include <stdint.h>

/* ---- registers (3.1), offsets in bytes from BAR0 ----------------------------------------------
 */

#define NVME_REG_CAP   0x00u /* RO, 64 bits: controller capabilities (3.1.1) */
#define NVME_REG_VS    0x08u /* RO: version (3.1.2) */
#define NVME_REG_INTMS 0x0Cu /* W1S: interrupt mask set (3.1.3) */
#define NVME_REG_INTMC 0x10u /* W1C: interrupt mask clear (3.1.4) */
#define NVME_REG_CC    0x14u /* RW: controller configuration (3.1.5) */
#define NVME_REG_CSTS  0x1Cu /* RO: controller status (3.1.6) */
#define NVME_REG_AQA   0x24u /* RW: admin queue attributes (3.1.8) */
#define NVME_REG_ASQ   0x28u /* RW, 64 bits: admin SQ base address (3.1.9) */
#define NVME_REG_ACQ   0x30u /* RW, 64 bits: admin CQ base address (3.1.10) */
#define NVME_REG_DOORBELL                                                                          \
    0x1000u /* W: SQ 0 tail; the others follow at the stride (3.1.24, 3.1.25) */

/* CAP (3.1.1) */
#define NVME_CAP_MQES(cap)    ((uint32_t)((cap)&0xFFFFu))    /* 15:00 entries per queue, 0-based */
#define NVME_CAP_CQR(cap)     ((uint32_t)((cap) >> 16) & 1u) /* 16 contiguous queues required */
#define NVME_CAP_AMS_WRR(cap) ((uint32_t)((cap) >> 17) & 1u) /* 17 weighted round robin (4.13) */
#define NVME_CAP_TO(cap)      ((uint32_t)((cap) >> 24) & 0xFFu) /* 31:24 RDY timeout, 500 ms units */
#define NVME_CAP_DSTRD(cap)   ((uint32_t)((cap) >> 32) & 0xFu)  /* 35:32 stride, 4 << DSTRD bytes */
#define NVME_CAP_CSS_NVM(cap) ((uint32_t)((cap) >> 37) & 1u)    /* 37 NVM command set */
#define NVME_CAP_MPSMIN(cap)  ((uint32_t)((cap) >> 48) & 0xFu)  /* 51:48 page >= 4096 << MPSMIN */
#define NVME_CAP_MPSMAX(cap)  ((uint32_t)((cap) >> 52) & 0xFu)  /* 55:52 page <= 4096 << MPSMAX */

/* CC (3.1.5) */
#define NVME_CC_EN           (1u << 0)
#define NVME_CC_CSS_NVM      (0u << 4)
#define NVME_CC_MPS_SHIFT    7
#define NVME_CC_AMS_RR       (0u << 11)
#define NVME_CC_AMS_WRR      (1u << 11) /* weighted round robin with urgent priority class */
#define NVME_CC_SHN_MASK     (3u << 14)
#define NVME_CC_SHN_NORMAL   (1u << 14)
#define NVME_CC_IOSQES_SHIFT 16
#define NVME_CC_IOCQES_SHIFT 20

/* CSTS (3.1.6) */
#define NVME_CSTS_RDY           (1u << 0)
#define NVME_CSTS_CFS           (1u << 1)
#define NVME_CSTS_SHST_MASK     (3u << 2)
#define NVME_CSTS_SHST_COMPLETE (2u << 2)

/* AQA (3.1.8): both sizes 0-based */
#define NVME_AQA_ASQS_SHIFT  0
#define NVME_AQA_ACQS_SHIFT  16
#define NVME_ADMIN_DEPTH_MAX 4096u
#define NVME_REGISTER_GONE   0xFFFFFFFFu /* what a read of an absent function returns */
#define NVME_PAGE_SHIFT_MIN  12u         /* MPS = 0 */

/* ---- queue entries ----------------------------------------------------------------------------
 */

/* Submission queue entry (4.2), little endian, in 64-bit pieces so that an entry is eight stores.
 */
struct nvme_sqe {
    uint64_t command_nsid; /* CDW0: opcode, flags, CID; CDW1: namespace */
    uint64_t cdw2_3;
    uint64_t metadata;
    uint64_t prp1; /* 4.3; or SGL1 (4.4): address */
    uint64_t prp2; /* or its length and type */
    uint64_t cdw10_11;
    uint64_t cdw12_13;
    uint64_t cdw14_15;
};
_Static_assert(sizeof(struct nvme_sqe) == 64, "4.2: 64 bytes");
_Static_assert(offsetof(struct nvme_sqe, prp1) == 24, "4.2: DPTR at byte 24");
_Static_assert(offsetof(struct nvme_sqe, cdw10_11) == 40, "4.2: CDW10 at byte 40");

/* Completion queue entry (4.6), little endian; written by the controller. */
struct nvme_cqe {
    uint32_t result;     /* DW0: command specific */
    uint32_t reserved;   /* DW1 */
    uint32_t sqhd_sqid;  /* DW2: SQ head pointer 15:00, SQ identifier 31:16 */
    uint32_t cid_status; /* DW3: CID 15:00, phase tag 16, status 31:17 */
};
_Static_assert(sizeof(struct nvme_cqe) == 16, "4.6: 16 bytes");
_Static_assert(offsetof(struct nvme_cqe, cid_status) == 12, "4.6: DW3 at byte 12");

#define NVME_SQE_LOG2         6u
#define NVME_CQE_LOG2         4u
#define NVME_SQE_CID_SHIFT    16
#define NVME_SQE_PSDT_SGL     (1u << 14) /* CDW0 15:14 = 01b: SGL, contiguous metadata (4.2) */
#define NVME_CQE_PHASE        (1u << 16)
#define NVME_CQE_STATUS_SHIFT 17

/* SGL descriptor (4.4): an address, and a qword of length and type. */
#define NVME_SGL_BYTES        16u
#define NVME_SGL_TYPE_SHIFT   60
#define NVME_SGL_BLOCK        0u /* data block */
#define NVME_SGL_SEGMENT      2u /* leads to a segment that leads to another one */
#define NVME_SGL_LAST_SEGMENT 3u

/* ---- commands ---------------------------------------------------------------------------------
 */

enum nvme_admin_opcode { /* section 5, figure of opcodes for admin commands */
                         NVME_ADMIN_DELETE_SQ = 0x00,       /* 5.6 */
                         NVME_ADMIN_CREATE_SQ = 0x01,       /* 5.4 */
                         NVME_ADMIN_GET_LOG_PAGE = 0x02,    /* 5.14 */
                         NVME_ADMIN_DELETE_CQ = 0x04,       /* 5.5 */
                         NVME_ADMIN_CREATE_CQ = 0x05,       /* 5.3 */
                         NVME_ADMIN_IDENTIFY = 0x06,        /* 5.15 */
                         NVME_ADMIN_ABORT = 0x08,           /* 5.1 */
                         NVME_ADMIN_SET_FEATURES = 0x09,    /* 5.21 */
                         NVME_ADMIN_ASYNC_EVENT = 0x0C,     /* 5.2 */
                         NVME_ADMIN_DOORBELL_BUFFERS = 0x7C /* 5.7 */
};

enum nvme_io_opcode {                              /* section 6 */
                      NVME_IO_FLUSH = 0x00,        /* 6.8 */
                      NVME_IO_WRITE = 0x01,        /* 6.15 */
                      NVME_IO_READ = 0x02,         /* 6.9 */
                      NVME_IO_COMPARE = 0x05,      /* 6.6 */
                      NVME_IO_WRITE_ZEROES = 0x08, /* 6.17 */
                      NVME_IO_DATASET = 0x09,      /* 6.7 */
                      NVME_IO_VERIFY = 0x0C        /* 6.14 */
};
#define NVME_OPCODE_DATA                                                                           \
    3u /* 1:0: direction of data, 0 = none, 1 to the controller, 2 from it                         \
        * (4.2) */
#define NVME_OPCODE_VENDOR 0x80u /* vendor specific from here on (6) */

enum nvme_identify_cns { /* 5.15 */
                         NVME_CNS_NAMESPACE = 0x00,
                         NVME_CNS_CONTROLLER = 0x01,
                         NVME_CNS_ACTIVE_LIST = 0x02
};

#define NVME_FEATURE_ARBITRATION    0x01u     /* 5.21.1.1 */
#define NVME_FEATURE_COALESCING     0x08u     /* Interrupt Coalescing (5.21.1.8) */
#define NVME_FEATURE_HOST_MEMORY    0x0Du     /* 5.21.1.13 */
#define NVME_FEATURE_HOST_BEHAVIOR  0x16u     /* 5.21.1.22 */
#define NVME_QPRIO_LOW              3u        /* 5.4 */
#define NVME_FEATURE_QUEUES         0x07u     /* Number of Queues (5.21.1.7) */
#define NVME_CREATE_PC              (1u << 0) /* CDW11: physically contiguous (5.3, 5.4) */
#define NVME_CREATE_CQ_IEN          (1u << 1) /* CDW11: interrupts enabled (5.3) */
#define NVME_CREATE_CQ_IV_SHIFT     16
#define NVME_CREATE_SQ_QPRIO_SHIFT  1
#define NVME_CREATE_SQ_CQID_SHIFT   16
#define NVME_RW_FUA                 (1u << 30) /* CDW12 (6.9, 6.15, 6.17) */
#define NVME_RW_BLOCKS_MAX          65536u     /* NLB: 16 bits, 0-based */
#define NVME_ZEROES_DEAC            (1u << 25) /* CDW12 (6.17) */
#define NVME_DATASET_AD             (1u << 2)  /* CDW11: deallocate (6.7) */
#define NVME_RANGE_BYTES            16u        /* attributes, blocks, first LBA (6.7) */
#define NVME_LOG_NUMDL_SHIFT        16         /* CDW10: dwords, 0-based (5.14) */
#define NVME_LOG_CHANGED_NAMESPACES 0x04u      /* 5.14.1.4 */
#define NVME_AER_LOG_SHIFT          16         /* DW0 23:16: log page that tells more (5.2.1) */

/* ---- Identify data (5.15), byte offsets into the 4096 bytes ------------------------------------
 */

#define NVME_IDENTIFY_BYTES   4096u
#define NVME_IDC_SN           4u   /* 20 bytes, ASCII */
#define NVME_IDC_MN           24u  /* 40 bytes, ASCII */
#define NVME_IDC_FR           64u  /* 8 bytes, ASCII */
#define NVME_IDC_MDTS         77u  /* 2^n pages of CAP.MPSMIN; 0 = no limit */
#define NVME_IDC_RTD3E        88u  /* 32 bits: time to enter RTD3, microseconds; 0 = not stated */
#define NVME_IDC_CRDT1        128u /* 3 times 16 bits: CRDT1 to CRDT3, units of 100 ms */
#define NVME_IDC_OACS         256u /* 16 bits */
#define NVME_IDC_OACS_SHADOW  (1u << 8) /* Doorbell Buffer Config */
#define NVME_IDC_ACL          258u      /* Abort commands at a time, 0-based */
#define NVME_IDC_AERL         259u      /* requests held, 0-based */
#define NVME_IDC_HMPRE        272u      /* 32 bits: host memory buffer preferred, units of 4 KiB */
#define NVME_IDC_HMMIN        276u      /* 32 bits: the least that is of use */
#define NVME_IDC_HMMINDS      332u      /* 32 bits: the least of one descriptor */
#define NVME_IDC_HMMAXD       336u      /* 16 bits: descriptors; 0 = no limit */
#define NVME_IDC_SQES         512u      /* 3:0 required, 7:4 largest, log2 bytes */
#define NVME_IDC_CQES         513u
#define NVME_IDC_NN           516u /* 32 bits: number of namespaces */
#define NVME_IDC_ONCS         520u /* 16 bits */
#define NVME_IDC_ONCS_COMPARE (1u << 0)
#define NVME_IDC_ONCS_DATASET (1u << 2)
#define NVME_IDC_ONCS_ZEROES  (1u << 3)
#define NVME_IDC_ONCS_VERIFY  (1u << 7)
#define NVME_IDC_VWC          525u
#define NVME_IDC_VWC_PRESENT  (1u << 0)
#define NVME_IDC_AWUN         526u /* 16 bits, blocks, 0-based (6.4) */
#define NVME_IDC_AWUPF        528u
#define NVME_IDC_SGLS         536u /* 32 bits */
#define NVME_IDC_SGLS_MASK    3u   /* 0 = none in I/O commands */
#define NVME_IDC_SGLS_BYTE    1u
#define NVME_IDC_SGLS_DWORD   2u

#define NVME_IDN_NSZE           0u /* 64 bits: blocks */
#define NVME_IDN_NSFEAT         24u
#define NVME_IDN_NSFEAT_ATOMICS (1u << 1) /* NAWUN and NAWUPF count, not AWUN and AWUPF */
#define NVME_IDN_NSFEAT_OPTIMAL (1u << 4) /* NPWG, NPWA, NPDG are stated */
#define NVME_IDN_NLBAF          25u       /* LBA formats, 0-based */
#define NVME_IDN_FLBAS          26u       /* 3:0 format in use */
#define NVME_IDN_FLBAS_MASK     0xFu
#define NVME_IDN_DPS            29u /* 2:0 protection type in use, 0 = none */
#define NVME_IDN_DPS_MASK       7u
#define NVME_IDN_DLFEAT         33u
#define NVME_IDN_DLFEAT_DEAC    (1u << 3) /* write zeroes can deallocate */
#define NVME_IDN_NAWUN          34u       /* 16 bits each, blocks, 0-based */
#define NVME_IDN_NAWUPF         36u
#define NVME_IDN_NABSN          38u /* 0 = no boundary */
#define NVME_IDN_NOIOB          46u /* not 0-based; 0 = none stated */
#define NVME_IDN_NPWG           64u
#define NVME_IDN_NPWA           66u
#define NVME_IDN_NPDG           68u
#define NVME_IDN_LBAF           128u /* 4 bytes each: 15:00 metadata bytes, 23:16 log2 of data bytes */
#define NVME_IDN_LBAF_BYTES     4u
#define NVME_IDN_LBAF_COUNT     16u
#define NVME_ACTIVE_LIST_MAX    1024u       /* CNS 02h: identifiers, increasing, ended by 0 */
#define NVME_NSID_MAX           0xFFFFFFFEu /* FFFFFFFFh means all (6.1) */
#define NVME_VERSION_1_1        0x00010100u /* the first with CNS 02h */
#define NVME_VERSION_1_2        0x00010200u /* the first with RTD3E */
#define NVME_VERSION_1_4        0x00010400u /* the first with Host Behavior Support and CRD */

/* ---- status (4.6.1): bits 7:0 code, 10:8 type, 12:11 CRD, 13 more, 14 do not retry
 * ---------------- */

#define NVME_STATUS_CODE(status) ((unsigned)(status)&0xFFu)
#define NVME_STATUS_TYPE(status) (((unsigned)(status) >> 8) & 7u)

#define NVME_STATUS_SCT_SC      0x7FFu
#define NVME_STATUS_ABORTED     0x007u /* generic: Command Abort Requested */
#define NVME_STATUS_CRD(status) (((unsigned)(status) >> 11) & 3u)
#define NVME_STATUS_DNR         (1u << 14)

enum nvme_status_type {
    NVME_SCT_GENERIC = 0,
    NVME_SCT_COMMAND = 1,
    NVME_SCT_MEDIA = 2,
    NVME_SCT_PATH = 3,
    NVME_SCT_VENDOR = 7
};

#endif
