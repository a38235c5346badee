/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registers of the controller memory buffer (NVMe 1.4 sections 3.1.11, 3.1.12, 3.1.16, 3.1.17).
 */
#ifndef NVME_WIRE_CMB_H
#define NVME_WIRE_CMB_H

#include <stdint.h>

enum wire_cmb_register {
    REG_CMBLOC = 0x38,
    REG_CMBSZ = 0x3c,
    REG_CMBMSC = 0x50,
    REG_CMBSTS = 0x58
};

#define CAP_CMBS 57 /* bit position: CMBMSC and CMBSTS are there (3.1.1) */

/* CMBLOC: BIR is 0; bits 31:12 are the offset in size units. Queues lie wholly inside or outside
 * (CQMMS = 0) and are contiguous (CQPDS = 0); data and lists may be anywhere. */
#define CMBLOC_CDPMLS  UINT32_C(0x20) /* parts of one command's pointers and data in and outside */
#define CMBLOC_CDPCILS UINT32_C(0x40) /* lists inside for commands from a queue outside */

/* CMBSZ: bits 31:12 are the size in size units; SZU = 0: of 4 KiB. */
#define CMBSZ_SQS   UINT32_C(0x01)
#define CMBSZ_CQS   UINT32_C(0x02)
#define CMBSZ_LISTS UINT32_C(0x04)
#define CMBSZ_RDS   UINT32_C(0x08)
#define CMBSZ_WDS   UINT32_C(0x10)
#define CMB_UNIT    UINT64_C(4096)
#define CMB_SHIFT   12u

#define CMBMSC_CRE      UINT64_C(1) /* CMBLOC and CMBSZ say what there is */
#define CMBMSC_CMSE     UINT64_C(2) /* addresses from CBA on mean the buffer */
#define CMBMSC_CBA_MASK (~UINT64_C(0xfff))
#define CMBSTS_CBAI     UINT32_C(1) /* CBA cannot be */

#endif
