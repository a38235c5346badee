/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration space of one endpoint function, as enumeration code finds it: a type 0 header (PCI
 * Local Bus 3.0, 6.1) with one or two 64-bit memory BARs, and a list of capabilities in the order
 * of NVMe 1.4 section 2: power management (PCI Power Management 1.2, 3.2; NVMe 1.4, 2.2), MSI and
 * MSI-X (PCI Local Bus 3.0, 6.8.1 and 6.8.2), PCI Express (PCI Express Base 3.1, 7.8). Holds values
 * and says what a write changed; acting on it is the device's. D3hot works through the accessors:
 * while the function sleeps, memory space and bus mastering read as off, and the pin as disabled.
 *
 * Leaves out: I/O space, an expansion ROM, D1, D2 and PME, active state power management, error
 * reporting (the enable bits are kept, nothing is ever logged), and extended capabilities (the
 * first dword of the extended space is zero, which says so: PCI Express Base 3.1, 7.9.1).
 *
 * Illegal accesses are defined: size other than 1, 2 or 4, or an offset not aligned to it, or from
 * 4096 on, reads as all ones and writes nothing; reserved and unassigned registers read as zero;
 * read-only bits keep their value whatever is written; a power state that the function does not
 * have is not entered (3.2.4); a size of payload or read request above the function's own is kept
 * in the register, and what the device uses is its own largest.
 */
#ifndef PCIE_CONFIGSPACE_H
#define PCIE_CONFIGSPACE_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIGSPACE_BYTES          256u  /* what has registers here */
#define CONFIGSPACE_EXTENDED_BYTES 4096u /* what can be addressed */

/* Offsets of the header. */
enum configspace_offset {
    CONFIGSPACE_VENDOR = 0x00,
    CONFIGSPACE_DEVICE = 0x02,
    CONFIGSPACE_COMMAND = 0x04,
    CONFIGSPACE_STATUS = 0x06,
    CONFIGSPACE_REVISION = 0x08,
    CONFIGSPACE_CLASS = 0x09,
    CONFIGSPACE_CACHE_LINE = 0x0c,
    CONFIGSPACE_HEADER_TYPE = 0x0e,
    CONFIGSPACE_BAR0 = 0x10,
    CONFIGSPACE_BAR1 = 0x14,
    CONFIGSPACE_BAR2 = 0x18,
    CONFIGSPACE_BAR3 = 0x1c,
    CONFIGSPACE_SUBSYSTEM_VENDOR = 0x2c,
    CONFIGSPACE_SUBSYSTEM = 0x2e,
    CONFIGSPACE_CAPABILITIES = 0x34,
    CONFIGSPACE_INTERRUPT_LINE = 0x3c,
    CONFIGSPACE_INTERRUPT_PIN = 0x3d
};

/* Command register (6.2.2) and status register (6.2.3). */
#define CONFIGSPACE_COMMAND_MEMORY       0x0002u
#define CONFIGSPACE_COMMAND_MASTER       0x0004u
#define CONFIGSPACE_COMMAND_PARITY       0x0040u
#define CONFIGSPACE_COMMAND_SERR         0x0100u
#define CONFIGSPACE_COMMAND_INTX_DISABLE 0x0400u
#define CONFIGSPACE_STATUS_INTX          0x0008u
#define CONFIGSPACE_STATUS_CAPABILITIES  0x0010u

#define CONFIGSPACE_CAP_POWER   0x01u
#define CONFIGSPACE_CAP_MSI     0x05u
#define CONFIGSPACE_CAP_EXPRESS 0x10u
#define CONFIGSPACE_CAP_MSIX    0x11u

/* Message Control of MSI-X (6.8.2.3). */
#define CONFIGSPACE_MSIX_ENABLE        0x8000u
#define CONFIGSPACE_MSIX_FUNCTION_MASK 0x4000u

#define CONFIGSPACE_CMB_BAR 2u /* number of the BAR of a controller memory buffer: BAR2/3 */

struct configspace_identity {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits */
    uint8_t revision;
    uint64_t bar0_bytes;   /* a power of two, at least 16 */
    uint64_t cmb_bytes;    /* BAR2, prefetchable: a power of two, at least 16; 0: no such BAR */
    uint16_t msix_vectors; /* 0: no MSI-X capability */
    uint32_t msix_table;   /* offset in BAR0, multiple of 8 */
    uint32_t msix_pending; /* the same */
    uint8_t msi_vectors;   /* 1, 2, 4, 8, 16, 32; 0: no MSI capability */
    /* true: going from D3hot to D0 is a reset of the function (No_Soft_Reset reads as 0) */
    bool soft_reset;
    /* The link, largest payload and read request that the function can have, and tags that it can
     * use; firmware has handed over with the largest. 0 in any: generation 1, one lane, 128 bytes,
     * 512 bytes, 32 tags. */
    uint8_t link_generation, link_lanes;
    uint16_t payload_bytes, request_bytes; /* powers of two, 128 to 4096 */
    uint16_t tags;
};

struct configspace {
    uint8_t bytes[CONFIGSPACE_BYTES];
    uint8_t writable[CONFIGSPACE_BYTES]; /* bits that a write changes */
    struct configspace_identity identity;
    /* Offsets of the capabilities; 0 = none. */
    uint8_t power_at, msi_at, msix_at, express_at;
    /* What the command register and the power state say together; kept for the hot path. */
    bool memory, master, asleep;
};

/* What a write has changed, as bits. */
enum configspace_change {
    CONFIGSPACE_CHANGED_COMMAND = 1, /* command register written, or the power state changed */
    CONFIGSPACE_CHANGED_MSIX = 2,
    CONFIGSPACE_FUNCTION_RESET = 4, /* Initiate Function Level Reset was written (Express 6.6.2) */
    CONFIGSPACE_CHANGED_MSI = 8,
    CONFIGSPACE_CHANGED_SIZES = 16, /* of payload or read request, or the use of extended tags */
    /* D3hot to D0 of a function with soft_reset: as a conventional reset (Power Management 5.4.1)
     */
    CONFIGSPACE_POWER_RESET = 32
};

/* identity is copied. As after power on, with sizes and tags as the firmware has left them. */
void configspace_init(struct configspace *config, const struct configspace_identity *identity);
/* As after a conventional reset: command, BARs, MSI and MSI-X control, sizes at the standard's
 * reset values (payload 128 bytes, requests of 512), D0. */
void configspace_reset(struct configspace *config);
/* As after a function level reset, which leaves the payload size and the link's controls alone
 * (6.6.2). */
void configspace_function_reset(struct configspace *config);

/* Accesses; see the top for illegal ones. configspace_write returns enum configspace_change bits.
 * At CONFIGSPACE_FUNCTION_RESET and CONFIGSPACE_POWER_RESET it is the caller who calls
 * configspace_function_reset() or configspace_reset(). */
uint32_t configspace_read(const struct configspace *config, uint16_t offset, unsigned size);
unsigned configspace_write(struct configspace *config, uint16_t offset, unsigned size,
                           uint32_t value);

uint16_t configspace_command(const struct configspace *config);      /* as written, asleep or not */
bool configspace_memory_enabled(const struct configspace *config);   /* no while asleep */
bool configspace_bus_master(const struct configspace *config);       /* no while asleep */
bool configspace_intx_disabled(const struct configspace *config);    /* yes while asleep */
bool configspace_asleep(const struct configspace *config);           /* in D3hot */
uint16_t configspace_msix_control(const struct configspace *config); /* 0 without MSI-X */
/* Status bit 3: an INTx interrupt is pending inside the device, disabled or not (6.2.3). */
void configspace_set_intx_pending(struct configspace *config, bool pending);

/* The MSI capability as the host has set it. */
struct configspace_msi {
    uint64_t address;
    uint32_t mask; /* bit per message */
    uint16_t data;
    uint8_t granted; /* messages, a power of two, at most msi_vectors; 1 without MSI */
    bool enabled;    /* false without MSI */
};
struct configspace_msi configspace_msi(const struct configspace *config);
/* The capability's pending bits, one per message. Nothing without MSI. */
void configspace_set_msi_pending(struct configspace *config, uint32_t pending);

/* What Device Control allows, and no more than the function can. */
uint32_t configspace_payload_bytes(const struct configspace *config);
uint32_t configspace_request_bytes(const struct configspace *config);
uint32_t configspace_tags(const struct configspace *config); /* 32 without extended tags */

#endif
