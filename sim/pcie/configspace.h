/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration space of one endpoint: a type 0 header (PCI Local Bus 3.0, 6.1), one 64-bit memory
 * BAR, and the capabilities PCI Express (PCI Express Base 3.1, 7.8) and MSI-X (PCI Local Bus 3.0,
 * 6.8.2) with the fields that NVMe 1.4 section 2 asks for. Holds values and says what a write
 * changed; acting on it is the device's. Leaves out power management, link registers (they read as
 * zero) and the extended space (reads as zero: no extended capabilities).
 */
#ifndef PCIE_CONFIGSPACE_H
#define PCIE_CONFIGSPACE_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIGSPACE_BYTES 256u

/* Offsets of the header. */
enum configspace_offset {
    CONFIGSPACE_VENDOR = 0x00,
    CONFIGSPACE_DEVICE = 0x02,
    CONFIGSPACE_COMMAND = 0x04,
    CONFIGSPACE_STATUS = 0x06,
    CONFIGSPACE_REVISION = 0x08,
    CONFIGSPACE_CLASS = 0x09,
    CONFIGSPACE_HEADER_TYPE = 0x0e,
    CONFIGSPACE_BAR0 = 0x10,
    CONFIGSPACE_BAR1 = 0x14,
    CONFIGSPACE_SUBSYSTEM_VENDOR = 0x2c,
    CONFIGSPACE_SUBSYSTEM = 0x2e,
    CONFIGSPACE_CAPABILITIES = 0x34,
    CONFIGSPACE_INTERRUPT_LINE = 0x3c,
    CONFIGSPACE_INTERRUPT_PIN = 0x3d
};

/* Command register (6.2.2) and status register (6.2.3). */
#define CONFIGSPACE_COMMAND_MEMORY       0x0002u
#define CONFIGSPACE_COMMAND_MASTER       0x0004u
#define CONFIGSPACE_COMMAND_INTX_DISABLE 0x0400u
#define CONFIGSPACE_STATUS_INTX          0x0008u
#define CONFIGSPACE_STATUS_CAPABILITIES  0x0010u

#define CONFIGSPACE_CAP_EXPRESS 0x10u
#define CONFIGSPACE_CAP_MSIX    0x11u

/* Message Control of MSI-X (6.8.2.3). */
#define CONFIGSPACE_MSIX_ENABLE        0x8000u
#define CONFIGSPACE_MSIX_FUNCTION_MASK 0x4000u

struct configspace_identity {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits */
    uint8_t revision;
    uint64_t bar0_bytes;   /* a power of two, at least 16 */
    uint16_t msix_vectors; /* 0: no MSI-X capability */
    uint32_t msix_table;   /* offset in BAR0, multiple of 8 */
    uint32_t msix_pending; /* the same */
};

struct configspace {
    uint8_t bytes[CONFIGSPACE_BYTES];
    uint8_t writable[CONFIGSPACE_BYTES]; /* bits that a write changes */
    struct configspace_identity identity;
    uint8_t express_at, msix_at; /* offsets of the capabilities; msix_at 0 = none */
};

/* What a write has changed, as bits. */
enum configspace_change {
    CONFIGSPACE_CHANGED_COMMAND = 1,
    CONFIGSPACE_CHANGED_MSIX = 2,
    CONFIGSPACE_FUNCTION_RESET = 4 /* Initiate Function Level Reset was written (Express 6.6.2) */
};

void configspace_init(struct configspace *config, const struct configspace_identity *identity);
/* As after a conventional or function level reset: command, BARs and MSI-X control cleared. */
void configspace_reset(struct configspace *config);

/* size 1, 2 or 4, offset aligned to it; anything else reads as all ones and writes nothing. Offsets
 * from 256 on read as zero. configspace_write returns enum configspace_change bits. */
uint32_t configspace_read(const struct configspace *config, uint16_t offset, unsigned size);
unsigned configspace_write(struct configspace *config, uint16_t offset, unsigned size,
                           uint32_t value);

uint16_t configspace_command(const struct configspace *config);
bool configspace_memory_enabled(const struct configspace *config);
bool configspace_bus_master(const struct configspace *config);
bool configspace_intx_disabled(const struct configspace *config);
uint16_t configspace_msix_control(const struct configspace *config); /* 0 without MSI-X */
/* Status bit 3: an INTx interrupt is pending inside the device, disabled or not (6.2.3). */
void configspace_set_intx_pending(struct configspace *config, bool pending);

#endif
