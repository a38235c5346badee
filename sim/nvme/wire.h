/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What crosses the bus, as the controller side reads the specification: register map, field
 * positions, opcodes, status codes. Deliberately not shared with the driver's spec.h: two
 * independent readings of NVM Express 1.4 check each other. Section numbers are of the Base
 * Specification 1.4. Structures in memory are read and written byte by byte through the helpers at
 * the end, so that no byte order of the machine matters.
 */
#ifndef NVME_WIRE_H
#define NVME_WIRE_H

#include <stdint.h>

/* Register offsets (3.1). */
enum wire_register {
    REG_CAP = 0x00,
    REG_VS = 0x08,
    REG_INTMS = 0x0c,
    REG_INTMC = 0x10,
    REG_CC = 0x14,
    REG_CSTS = 0x1c,
    REG_NSSR = 0x20,
    REG_AQA = 0x24,
    REG_ASQ = 0x28,
    REG_ACQ = 0x30,
    REG_DOORBELLS = 0x1000
};

/* CAP (3.1.1): bit positions. */
enum {
    CAP_CQR = 16,
    CAP_AMS = 17,
    CAP_TO = 24,
    CAP_DSTRD = 32,
    CAP_NSSRS = 36,
    CAP_CSS = 37,
    CAP_MPSMIN = 48,
    CAP_MPSMAX = 52
};
#define CAP_AMS_WEIGHTED   0x01u
#define CAP_CSS_NVM        0x01u
#define CAP_CSS_ADMIN_ONLY 0x80u

#define VS_1_3 UINT32_C(0x00010300)
#define VS_1_4 UINT32_C(0x00010400)

/* CC (3.1.5). */
#define CC_EN           UINT32_C(0x1)
#define CC_CSS(cc)      ((cc) >> 4 & 0x7u)
#define CC_MPS(cc)      ((cc) >> 7 & 0xfu)
#define CC_AMS(cc)      ((cc) >> 11 & 0x7u)
#define CC_SHN(cc)      ((cc) >> 14 & 0x3u)
#define CC_IOSQES(cc)   ((cc) >> 16 & 0xfu)
#define CC_IOCQES(cc)   ((cc) >> 20 & 0xfu)
#define CC_WRITABLE     UINT32_C(0x00fffff1)
#define AMS_ROUND_ROBIN 0u
#define AMS_WEIGHTED    1u /* with urgent priority class */
#define CSS_NVM         0u
#define CSS_ADMIN_ONLY  7u
#define SHN_NORMAL      1u
#define SHN_ABRUPT      2u

/* CSTS (3.1.6). */
#define CSTS_RDY           UINT32_C(0x01)
#define CSTS_CFS           UINT32_C(0x02)
#define CSTS_SHST_MASK     UINT32_C(0x0c)
#define CSTS_SHST_OCCURING UINT32_C(0x04)
#define CSTS_SHST_COMPLETE UINT32_C(0x08)
#define CSTS_NSSRO         UINT32_C(0x10)

#define NSSR_KEY UINT32_C(0x4e564d65) /* "NVMe" (3.1.7) */

/* AQA (3.1.8): sizes are 0's based. */
#define AQA_ASQS(aqa)       ((aqa)&0xfffu)
#define AQA_ACQS(aqa)       ((aqa) >> 16 & 0xfffu)
#define AQA_WRITABLE        UINT32_C(0x0fff0fff)
#define QUEUE_BASE_WRITABLE (~UINT64_C(0xfff)) /* ASQ, ACQ: bits 11:0 reserved (3.1.9, 3.1.10) */

#define PAGE_SHIFT_MIN 12u /* memory page of CC.MPS = 0 */
#define SQE_LOG2       6u
#define SQE_BYTES      64u
#define CQE_LOG2       4u
#define CQE_BYTES      16u

/* Submission entry (4.2): byte offsets of fields. */
enum {
    SQE_OPCODE = 0,
    SQE_FLAGS = 1,
    SQE_CID = 2,
    SQE_NSID = 4,
    SQE_PRP1 = 24,
    SQE_PRP2 = 32,
    SQE_CDW10 = 40
};
#define SQE_FUSE_MASK 0x03u /* in SQE_FLAGS */
#define SQE_PSDT_MASK 0xc0u

/* Completion entry (4.6). */
enum { CQE_DW0 = 0, CQE_SQHD = 8, CQE_SQID = 10, CQE_CID = 12, CQE_STATUS = 14 };

/* Admin opcodes (figure 139). */
enum wire_admin_opcode {
    ADMIN_DELETE_SQ = 0x00,
    ADMIN_CREATE_SQ = 0x01,
    ADMIN_GET_LOG_PAGE = 0x02,
    ADMIN_DELETE_CQ = 0x04,
    ADMIN_CREATE_CQ = 0x05,
    ADMIN_IDENTIFY = 0x06,
    ADMIN_ABORT = 0x08,
    ADMIN_SET_FEATURES = 0x09,
    ADMIN_GET_FEATURES = 0x0a,
    ADMIN_ASYNC_EVENT = 0x0c,
    ADMIN_DOORBELL_BUFFER = 0x7c
};
#define OACS_DOORBELL_BUFFER 0x0100u /* Identify Controller, OACS (figure 247) */

/* NVM opcodes (6). */
enum wire_nvm_opcode {
    NVM_FLUSH = 0x00,
    NVM_WRITE = 0x01,
    NVM_READ = 0x02,
    NVM_WRITE_UNCORRECTABLE = 0x04,
    NVM_COMPARE = 0x05,
    NVM_WRITE_ZEROES = 0x08,
    NVM_DATASET_MANAGEMENT = 0x09,
    NVM_VERIFY = 0x0c
};
#define NVM_CDW12_LIMITED_RETRY UINT32_C(0x80000000)
#define NVM_CDW12_FUA           UINT32_C(0x40000000)
#define NVM_CDW12_DEALLOCATE    UINT32_C(0x02000000) /* Write Zeroes (6.17) */
#define DSM_CDW11_DEALLOCATE    UINT32_C(0x4)        /* 6.7 */
#define DSM_RANGES(cdw10)       (((cdw10)&0xffu) + 1)
#define DSM_RANGE_BYTES         16u

/* Fused operations: FUSE field (4.2). */
enum { FUSE_NONE = 0, FUSE_FIRST = 1, FUSE_SECOND = 2 };

/* Status: type << 8 | code, as in bits 10:0 of the status field (4.6.1); DNR is its bit 14. */
enum wire_status {
    STATUS_SUCCESS = 0x000,
    STATUS_INVALID_OPCODE = 0x001,
    STATUS_INVALID_FIELD = 0x002,
    STATUS_CID_CONFLICT = 0x003,
    STATUS_DATA_TRANSFER_ERROR = 0x004,
    STATUS_POWER_LOSS = 0x005,
    STATUS_INTERNAL_ERROR = 0x006,
    STATUS_ABORT_REQUESTED = 0x007,
    STATUS_ABORTED_SQ_DELETION = 0x008,
    STATUS_ABORTED_FAILED_FUSED = 0x009,
    STATUS_ABORTED_MISSING_FUSED = 0x00a,
    STATUS_INVALID_NAMESPACE = 0x00b,
    STATUS_COMMAND_SEQUENCE = 0x00c,
    STATUS_SGL_SEGMENT_INVALID = 0x00d,
    STATUS_SGL_COUNT_INVALID = 0x00e,
    STATUS_SGL_LENGTH_INVALID = 0x00f,
    STATUS_SGL_TYPE_INVALID = 0x011,
    STATUS_CMB_USE_INVALID = 0x012,
    STATUS_PRP_OFFSET_INVALID = 0x013,
    STATUS_SGL_GRANULARITY_INVALID = 0x01e,
    STATUS_COMMAND_INTERRUPTED = 0x021,
    STATUS_TRANSPORT_ERROR = 0x022, /* transient */
    STATUS_LBA_OUT_OF_RANGE = 0x080,
    STATUS_NAMESPACE_NOT_READY = 0x082,
    STATUS_CQ_INVALID = 0x100,
    STATUS_QID_INVALID = 0x101,
    STATUS_QSIZE_INVALID = 0x102,
    STATUS_ABORT_LIMIT = 0x103,
    STATUS_ASYNC_LIMIT = 0x105,
    STATUS_VECTOR_INVALID = 0x108,
    STATUS_LOG_PAGE_INVALID = 0x109,
    STATUS_QUEUE_DELETION_INVALID = 0x10c,
    STATUS_FEATURE_NOT_SAVEABLE = 0x10d,
    STATUS_FEATURE_NOT_NAMESPACE_SPECIFIC = 0x10f,
    STATUS_UNRECOVERED_READ = 0x281,
    STATUS_COMPARE_FAILURE = 0x285
};
#define STATUS_TYPE_MASK 0x700u
#define STATUS_TYPE_PATH 0x300u
#define STATUS_DNR       0x4000u

/* Asynchronous events (5.2): type, information, log page. */
enum wire_event_type { EVENT_ERROR = 0, EVENT_TYPES = 8 };
enum wire_event_error { EVENT_INVALID_DOORBELL_REGISTER = 0, EVENT_INVALID_DOORBELL_VALUE = 1 };

enum wire_log_page { LOG_ERROR = 0x01, LOG_SMART = 0x02, LOG_FIRMWARE = 0x03 };

/* Identify CNS values (5.15). */
enum wire_cns {
    CNS_NAMESPACE = 0x00,
    CNS_CONTROLLER = 0x01,
    CNS_ACTIVE_LIST = 0x02,
    CNS_DESCRIPTORS = 0x03
};
#define IDENTIFY_BYTES 4096u

/* Feature identifiers (5.21.1). */
enum wire_feature {
    FEATURE_ARBITRATION = 0x01,
    FEATURE_POWER = 0x02,
    FEATURE_TEMPERATURE = 0x04,
    FEATURE_ERROR_RECOVERY = 0x05,
    FEATURE_WRITE_CACHE = 0x06,
    FEATURE_QUEUES = 0x07,
    FEATURE_COALESCING = 0x08,
    FEATURE_VECTOR = 0x09,
    FEATURE_ATOMICITY = 0x0a,
    FEATURE_ASYNC_EVENT = 0x0b
};

#define NSID_ALL   UINT32_C(0xffffffff)
#define CLASS_NVME UINT32_C(0x010802) /* section 2.1.5 */

static inline uint16_t wire_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}
static inline uint32_t wire_get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}
static inline uint64_t wire_get64(const uint8_t *at)
{
    return wire_get32(at) | (uint64_t)wire_get32(at + 4) << 32;
}
static inline void wire_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}
static inline void wire_put32(uint8_t *at, uint32_t value)
{
    wire_put16(at, (uint16_t)value);
    wire_put16(at + 2, (uint16_t)(value >> 16));
}
static inline void wire_put64(uint8_t *at, uint64_t value)
{
    wire_put32(at, (uint32_t)value);
    wire_put32(at + 4, (uint32_t)(value >> 32));
}

#endif
