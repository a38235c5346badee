/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration space as bytes with a mask of the writable bits; what a write means beyond that is
 * told to the device as bits. The header is here, the capabilities in configspace_caps.c. See
 * configspace.h.
 */
#include "pcie/configspace.h"

#include <assert.h>
#include <string.h>

#include "pcie/configspace_private.h"

/* Low bits of a 64-bit memory BAR (6.2.5.1). */
#define BAR_MEMORY_64    0x04u
#define BAR_PREFETCHABLE 0x08u
#define BAR_FLAG_BITS    0x0fu

#define INTERRUPT_PIN_A 1u

static bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static bool is_sound(const struct configspace_identity *identity)
{
    return identity->bar0_bytes >= 16 && is_power_of_two(identity->bar0_bytes) &&
           (identity->cmb_bytes == 0 ||
            (identity->cmb_bytes >= 16 && is_power_of_two(identity->cmb_bytes))) &&
           (identity->msi_vectors == 0 ||
            (identity->msi_vectors <= 32 && is_power_of_two(identity->msi_vectors)));
}

static void reset_bar(struct configspace *config, unsigned at, uint64_t bytes, uint32_t flags)
{
    /* The bits below the size cannot be written: that is how software finds the size. */
    uint64_t mask = ~(bytes - 1) & ~(uint64_t)BAR_FLAG_BITS;

    put32(config->bytes + at, flags);
    put32(config->writable + at, (uint32_t)mask);
    put32(config->writable + at + 4, (uint32_t)(mask >> 32));
}

/* Keep what the hot path asks for where one load finds it. */
static void derive(struct configspace *config)
{
    uint16_t command = configspace_command(config);

    config->memory = !config->asleep && (command & CONFIGSPACE_COMMAND_MEMORY) != 0;
    config->master = !config->asleep && (command & CONFIGSPACE_COMMAND_MASTER) != 0;
}

void configspace_init(struct configspace *config, const struct configspace_identity *identity)
{
    assert(is_sound(identity));
    (void)is_sound; /* without assertions */
    config->identity = *identity;
    configspace_reset(config);
    configspace_hand_over(config);
}

void configspace_reset(struct configspace *config)
{
    const struct configspace_identity *identity = &config->identity;
    uint8_t *bytes = config->bytes;

    memset(bytes, 0, sizeof config->bytes);
    memset(config->writable, 0, sizeof config->writable);
    config->asleep = false;

    put16(bytes + CONFIGSPACE_VENDOR, identity->vendor);
    put16(bytes + CONFIGSPACE_DEVICE, identity->device);
    put16(config->writable + CONFIGSPACE_COMMAND,
          CONFIGSPACE_COMMAND_MEMORY | CONFIGSPACE_COMMAND_MASTER | CONFIGSPACE_COMMAND_PARITY |
              CONFIGSPACE_COMMAND_SERR | CONFIGSPACE_COMMAND_INTX_DISABLE);
    put16(bytes + CONFIGSPACE_STATUS, CONFIGSPACE_STATUS_CAPABILITIES);
    /* Revision and class share a dword; the class is its upper three bytes. */
    put32(bytes + CONFIGSPACE_REVISION, identity->class_code << 8 | identity->revision);
    /* Kept for old software, means nothing to an Express function (7.5.1.3). */
    config->writable[CONFIGSPACE_CACHE_LINE] = 0xff;
    put16(bytes + CONFIGSPACE_SUBSYSTEM_VENDOR, identity->subsystem_vendor);
    put16(bytes + CONFIGSPACE_SUBSYSTEM, identity->subsystem);
    config->writable[CONFIGSPACE_INTERRUPT_LINE] = 0xff;
    bytes[CONFIGSPACE_INTERRUPT_PIN] = INTERRUPT_PIN_A;
    reset_bar(config, CONFIGSPACE_BAR0, identity->bar0_bytes, BAR_MEMORY_64);
    if (identity->cmb_bytes > 0)
        reset_bar(config, CONFIGSPACE_BAR2, identity->cmb_bytes, BAR_MEMORY_64 | BAR_PREFETCHABLE);
    configspace_reset_capabilities(config);
    derive(config);
}

void configspace_function_reset(struct configspace *config)
{
    struct configspace_kept kept = configspace_keep(config);

    configspace_reset(config);
    configspace_put_back(config, kept);
}

static bool is_supported(uint16_t offset, unsigned size)
{
    return (size == 1 || size == 2 || size == 4) && offset % size == 0 &&
           offset < CONFIGSPACE_EXTENDED_BYTES;
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

unsigned configspace_write(struct configspace *config, uint16_t offset, unsigned size,
                           uint32_t value)
{
    unsigned changed = 0;

    if (!is_supported(offset, size) || offset + size > CONFIGSPACE_BYTES)
        return 0;
    for (unsigned i = 0; i < size; i++) {
        uint8_t *byte = &config->bytes[offset + i];
        uint8_t old = *byte, writable = config->writable[offset + i];
        uint8_t written = (uint8_t)(value >> i * 8);

        *byte = (uint8_t)((old & ~writable) | (written & writable));
        if (offset + i == CONFIGSPACE_COMMAND || offset + i == CONFIGSPACE_COMMAND + 1)
            changed |= CONFIGSPACE_CHANGED_COMMAND;
        else
            changed |= configspace_capability_written(config, offset + i, old, written);
    }
    if ((changed & CONFIGSPACE_CHANGED_COMMAND) != 0)
        derive(config);
    return changed;
}

uint16_t configspace_command(const struct configspace *config)
{
    return get16(config->bytes + CONFIGSPACE_COMMAND);
}

bool configspace_memory_enabled(const struct configspace *config)
{
    return config->memory;
}

bool configspace_bus_master(const struct configspace *config)
{
    return config->master;
}

bool configspace_intx_disabled(const struct configspace *config)
{
    return config->asleep || (configspace_command(config) & CONFIGSPACE_COMMAND_INTX_DISABLE) != 0;
}

bool configspace_asleep(const struct configspace *config)
{
    return config->asleep;
}

void configspace_set_intx_pending(struct configspace *config, bool pending)
{
    uint8_t *status = &config->bytes[CONFIGSPACE_STATUS];

    *status =
        (uint8_t)(pending ? *status | CONFIGSPACE_STATUS_INTX : *status & ~CONFIGSPACE_STATUS_INTX);
}
