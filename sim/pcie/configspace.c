/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration space as bytes with a mask of the writable bits; what a write means beyond that is
 * told to the device as bits. See configspace.h.
 */
#include "pcie/configspace.h"

#include <assert.h>
#include <string.h>

#define EXPRESS_AT    0x40u
#define EXPRESS_BYTES 0x3cu
#define MSIX_AT       0x80u
#define MSIX_BYTES    0x0cu

/* Low bits of a 64-bit, non-prefetchable memory BAR (6.2.5.1). */
#define BAR_MEMORY_64 0x04u
#define BAR_FLAG_BITS 0x0fu

#define INTERRUPT_PIN_A 1u

/* PCI Express capability (7.8): offsets from its start. */
enum { EXPRESS_FLAGS = 0x02, EXPRESS_DEVICE_CAPABILITIES = 0x04, EXPRESS_DEVICE_CONTROL = 0x08 };
#define EXPRESS_VERSION_2 0x0002u /* endpoint: device/port type 0 */
/* Role-based error reporting, function level reset (NVMe 1.4 section 2.5.3 requires it). */
#define EXPRESS_DEVICE_CAPABILITIES_VALUE 0x10008000u
#define EXPRESS_CONTROL_WRITABLE          0x78ffu /* error reporting, payload and read request sizes */
#define EXPRESS_CONTROL_FUNCTION_RESET    0x8000u
#define EXPRESS_CONTROL_RESET_VALUE       0x2810u /* 512-byte reads, no snoop and relaxed ordering on */

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)value);
    put16(at + 2, (uint16_t)(value >> 16));
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static void init_bar(struct configspace *config)
{
    /* The bits below the size cannot be written: that is how software finds the size. */
    uint64_t mask = ~(config->identity.bar0_bytes - 1) & ~(uint64_t)BAR_FLAG_BITS;

    put32(config->bytes + CONFIGSPACE_BAR0, BAR_MEMORY_64);
    put32(config->writable + CONFIGSPACE_BAR0, (uint32_t)mask);
    put32(config->writable + CONFIGSPACE_BAR1, (uint32_t)(mask >> 32));
}

static void init_express(struct configspace *config, uint8_t next)
{
    uint8_t *at = config->bytes + EXPRESS_AT;

    config->express_at = EXPRESS_AT;
    at[0] = CONFIGSPACE_CAP_EXPRESS;
    at[1] = next;
    put16(at + EXPRESS_FLAGS, EXPRESS_VERSION_2);
    put32(at + EXPRESS_DEVICE_CAPABILITIES, EXPRESS_DEVICE_CAPABILITIES_VALUE);
    put16(at + EXPRESS_DEVICE_CONTROL, EXPRESS_CONTROL_RESET_VALUE);
    put16(config->writable + EXPRESS_AT + EXPRESS_DEVICE_CONTROL, EXPRESS_CONTROL_WRITABLE);
}

static void init_msix(struct configspace *config)
{
    const struct configspace_identity *identity = &config->identity;
    uint8_t *at = config->bytes + MSIX_AT;

    config->msix_at = MSIX_AT;
    at[0] = CONFIGSPACE_CAP_MSIX;
    at[1] = 0; /* last of the list */
    put16(at + 2, (uint16_t)(identity->msix_vectors - 1));
    put32(at + 4, identity->msix_table); /* BAR indicator 0 in bits 2:0 */
    put32(at + 8, identity->msix_pending);
    put16(config->writable + MSIX_AT + 2, CONFIGSPACE_MSIX_ENABLE | CONFIGSPACE_MSIX_FUNCTION_MASK);
}

void configspace_init(struct configspace *config, const struct configspace_identity *identity)
{
    assert(EXPRESS_AT + EXPRESS_BYTES <= MSIX_AT && MSIX_AT + MSIX_BYTES <= CONFIGSPACE_BYTES);
    assert(identity->bar0_bytes >= 16 && (identity->bar0_bytes & (identity->bar0_bytes - 1)) == 0);
    config->identity = *identity;
    configspace_reset(config);
}

void configspace_reset(struct configspace *config)
{
    const struct configspace_identity *identity = &config->identity;
    uint8_t *bytes = config->bytes;

    memset(bytes, 0, sizeof config->bytes);
    memset(config->writable, 0, sizeof config->writable);
    config->msix_at = 0;

    put16(bytes + CONFIGSPACE_VENDOR, identity->vendor);
    put16(bytes + CONFIGSPACE_DEVICE, identity->device);
    put16(config->writable + CONFIGSPACE_COMMAND, CONFIGSPACE_COMMAND_MEMORY |
                                                      CONFIGSPACE_COMMAND_MASTER |
                                                      CONFIGSPACE_COMMAND_INTX_DISABLE);
    put16(bytes + CONFIGSPACE_STATUS, CONFIGSPACE_STATUS_CAPABILITIES);
    /* Revision and class share a dword; the class is its upper three bytes. */
    put32(bytes + CONFIGSPACE_REVISION, identity->class_code << 8 | identity->revision);
    put16(bytes + CONFIGSPACE_SUBSYSTEM_VENDOR, identity->subsystem_vendor);
    put16(bytes + CONFIGSPACE_SUBSYSTEM, identity->subsystem);
    bytes[CONFIGSPACE_CAPABILITIES] = EXPRESS_AT;
    config->writable[CONFIGSPACE_INTERRUPT_LINE] = 0xff;
    bytes[CONFIGSPACE_INTERRUPT_PIN] = INTERRUPT_PIN_A;
    init_bar(config);
    init_express(config, identity->msix_vectors > 0 ? MSIX_AT : 0);
    if (identity->msix_vectors > 0)
        init_msix(config);
}

static bool is_supported(uint16_t offset, unsigned size)
{
    return (size == 1 || size == 2 || size == 4) && offset % size == 0;
}

uint32_t configspace_read(const struct configspace *config, uint16_t offset, unsigned size)
{
    uint32_t value = 0;

    if (!is_supported(offset, size))
        return UINT32_MAX;
    for (unsigned i = 0; i < size && offset + i < CONFIGSPACE_BYTES; i++)
        value |= (uint32_t)config->bytes[offset + i] << i * 8;
    return value;
}

static bool overlaps(unsigned at, unsigned bytes, uint16_t offset, unsigned size)
{
    return offset < at + bytes && at < offset + size;
}

unsigned configspace_write(struct configspace *config, uint16_t offset, unsigned size,
                           uint32_t value)
{
    unsigned changed = 0;
    unsigned reset_byte = config->express_at + EXPRESS_DEVICE_CONTROL + 1u;

    if (!is_supported(offset, size) || offset + size > CONFIGSPACE_BYTES)
        return 0;
    for (unsigned i = 0; i < size; i++) {
        uint8_t *byte = &config->bytes[offset + i];
        uint8_t writable = config->writable[offset + i];
        uint8_t written = (uint8_t)(value >> i * 8);

        *byte = (uint8_t)((*byte & ~writable) | (written & writable));
        /* The reset bit always reads as zero. */
        if (offset + i == reset_byte && (written & EXPRESS_CONTROL_FUNCTION_RESET >> 8) != 0)
            changed |= CONFIGSPACE_FUNCTION_RESET;
    }
    if (overlaps(CONFIGSPACE_COMMAND, 2, offset, size))
        changed |= CONFIGSPACE_CHANGED_COMMAND;
    if (config->msix_at != 0 && overlaps(config->msix_at + 2u, 2, offset, size))
        changed |= CONFIGSPACE_CHANGED_MSIX;
    return changed;
}

uint16_t configspace_command(const struct configspace *config)
{
    return get16(config->bytes + CONFIGSPACE_COMMAND);
}

bool configspace_memory_enabled(const struct configspace *config)
{
    return (configspace_command(config) & CONFIGSPACE_COMMAND_MEMORY) != 0;
}

bool configspace_bus_master(const struct configspace *config)
{
    return (configspace_command(config) & CONFIGSPACE_COMMAND_MASTER) != 0;
}

bool configspace_intx_disabled(const struct configspace *config)
{
    return (configspace_command(config) & CONFIGSPACE_COMMAND_INTX_DISABLE) != 0;
}

uint16_t configspace_msix_control(const struct configspace *config)
{
    return config->msix_at == 0 ? 0 : get16(config->bytes + config->msix_at + 2);
}

void configspace_set_intx_pending(struct configspace *config, bool pending)
{
    uint8_t *status = &config->bytes[CONFIGSPACE_STATUS];

    *status =
        (uint8_t)(pending ? *status | CONFIGSPACE_STATUS_INTX : *status & ~CONFIGSPACE_STATUS_INTX);
}
