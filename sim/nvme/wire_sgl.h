/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scatter gather lists as they cross the bus (NVMe 1.4 section 4.4), and what Identify Controller
 * says of them (SGLS, 5.15.2.1).
 */
#ifndef NVME_WIRE_SGL_H
#define NVME_WIRE_SGL_H

#include <stdint.h>

#define SGL_DESCRIPTOR_BYTES 16u

/* The first qword is the address. Of the second one, bytes 8 to 11 are the length, byte 15 the
 * identifier. */
#define SGL_LENGTH(qword)  ((uint32_t)(qword))
#define SGL_TYPE(qword)    ((unsigned)((qword) >> 60))
#define SGL_SUBTYPE(qword) ((unsigned)((qword) >> 56 & 0xfu))

/* Types; keyed and transport data blocks belong to NVMe over Fabrics, Fh is the vendor's. */
enum wire_sgl_type {
    SGL_DATA_BLOCK = 0x0,
    SGL_BIT_BUCKET = 0x1,
    SGL_SEGMENT = 0x2,
    SGL_LAST_SEGMENT = 0x3
};
#define SGL_SUBTYPE_ADDRESS 0u
#define SGL_QWORD_BYTES     8u /* segments lie on one */
#define SGL_DWORD_MASK      3u

/* Bits 7:6 of the command's flags (PSDT, 4.2): PRPs; SGL, metadata at an address; SGL, metadata by
 * an SGL (there is no metadata, and SGLS bit 19 is clear). */
#define PSDT_SGL 0x40u

/* SGLS, bytes 539:536 of Identify Controller. */
#define SGLS_BYTE       UINT32_C(0x00000001)
#define SGLS_DWORD      UINT32_C(0x00000002)
#define SGLS_BIT_BUCKET UINT32_C(0x00010000)
#define SGLS_LONGER     UINT32_C(0x00040000)

#endif
