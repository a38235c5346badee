/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What crosses the bus for Namespace Management, Namespace Attachment and Format NVM: opcodes,
 * fields and statuses, as the controller side reads NVM Express 1.4; see wire.h.
 */
#ifndef NVME_WIRE_NAMESPACE_H
#define NVME_WIRE_NAMESPACE_H

/* Admin opcodes (5.20, 5.19, 5.23). */
enum wire_namespace_opcode {
    ADMIN_NS_MANAGEMENT = 0x0d,
    ADMIN_NS_ATTACHMENT = 0x15,
    ADMIN_FORMAT_NVM = 0x80
};

/* Further CNS values of Identify (5.15.1, figure 244). */
enum wire_namespace_cns {
    CNS_ALLOCATED_LIST = 0x10,
    CNS_ALLOCATED_NAMESPACE = 0x11,
    CNS_ATTACHED_CONTROLLERS = 0x12,
    CNS_CONTROLLERS = 0x13,
    CNS_GRANULARITY = 0x16
};
#define IDENTIFY_CNTID(cdw10) ((uint16_t)((cdw10) >> 16))

/* Status: type << 8 | code, as in wire.h (4.6.1.2.1, 4.6.1.2.2). */
enum wire_namespace_status {
    STATUS_FORMAT_IN_PROGRESS = 0x084,
    STATUS_INVALID_FORMAT = 0x10a,
    STATUS_INSUFFICIENT_CAPACITY = 0x115,
    STATUS_NSID_UNAVAILABLE = 0x116,
    STATUS_ALREADY_ATTACHED = 0x118,
    STATUS_NOT_ATTACHED = 0x11a,
    STATUS_THIN_PROVISIONING = 0x11b,
    STATUS_CONTROLLER_LIST_INVALID = 0x11c,
    STATUS_ANA_GROUP_INVALID = 0x124
};

/* Identify Namespace (figure 245): byte offsets. Namespace Management's host-written structure has
 * its fields at the same places (figure 253). */
enum {
    ID_NSZE = 0,
    ID_NCAP = 8,
    ID_NUSE = 16,
    ID_NSFEAT = 24,
    ID_NLBAF = 25,
    ID_FLBAS = 26,
    ID_DPS = 29,
    ID_NMIC = 30,
    ID_FPI = 32,
    ID_DLFEAT = 33,
    ID_NOIOB = 46,
    ID_NVMCAP = 48,
    ID_ANAGRPID = 92,
    ID_NVMSETID = 100,
    ID_NGUID = 104,
    ID_EUI64 = 120,
    ID_LBAF0 = 128
};
#define NSFEAT_UIDREUSE     0x08u /* identifiers are never given to another namespace */
#define FLBAS_FORMAT(at)    ((at)&0x0fu)
#define NMIC_SHARED         0x01u
#define FPI_SUPPORTED       0x80u
#define DLFEAT_READS_ZEROES 0x01u /* what was deallocated */
#define DLFEAT_DEAC         0x08u /* Write Zeroes takes its Deallocate bit */
#define LBAF_BYTES          4u
#define LBAF_DATA_SIZE      16u /* bit position of LBADS */
#define NS_STRUCTURE_SIZE   4096u

/* Command dword 10 of Namespace Management and Attachment (5.20, 5.19): SEL. */
#define NS_SELECT(cdw10) ((cdw10)&0xfu)
enum { NS_CREATE = 0, NS_DELETE = 1, NS_ATTACH = 0, NS_DETACH = 1 };

/* Controller list (4.9). */
#define CONTROLLER_LIST_MAX 2047u

/* Format NVM, command dword 10 (figure 328). */
#define FORMAT_LBAF(cdw10) ((cdw10)&0xfu)
#define FORMAT_PI(cdw10)   ((cdw10) >> 5 & 7u)
#define FORMAT_SES(cdw10)  ((cdw10) >> 9 & 7u)
enum { SES_NONE = 0, SES_USER_DATA = 1 };

/* Identify Controller, OACS (figure 247) and CTRATT. */
#define OACS_FORMAT           0x0002u
#define OACS_NS_MANAGEMENT    0x0008u
#define CTRATT_NS_GRANULARITY 0x0080u
#define FNA_FORMAT_ALL        0x01u
#define FNA_ERASE_ALL         0x02u

#endif
