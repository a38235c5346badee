/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The capabilities of configuration space: reset values, bits that can be written, and what the
 * fields mean. See configspace.h for the sections.
 */
#include <assert.h>

#include "pcie/configspace_private.h"

/* Where the capabilities lie; the list runs power management, MSI, MSI-X, Express. */
#define EXPRESS_AT    0x40u
#define EXPRESS_BYTES 0x3cu
#define MSIX_AT       0x80u
#define MSIX_BYTES    0x0cu
#define POWER_AT      0x90u
#define POWER_BYTES   0x08u
#define MSI_AT        0xa0u
#define MSI_BYTES     0x18u

static_assert(EXPRESS_AT + EXPRESS_BYTES <= MSIX_AT && MSIX_AT + MSIX_BYTES <= POWER_AT &&
                  POWER_AT + POWER_BYTES <= MSI_AT && MSI_AT + MSI_BYTES <= CONFIGSPACE_BYTES,
              "capabilities overlap");

/* Power management (Power Management 1.2, 3.2). */
enum { POWER_CAPABILITIES = 0x02, POWER_CONTROL = 0x04 };
#define POWER_VERSION_3     0x0003u /* no D1, D2 or PME, no auxiliary current */
#define POWER_STATE         0x03u
#define POWER_D0            0x00u
#define POWER_D3HOT         0x03u
#define POWER_NO_SOFT_RESET 0x08u

/* MSI, 64-bit address and masks per vector (PCI Local Bus 3.0, 6.8.1). */
enum {
    MSI_CONTROL = 0x02,
    MSI_ADDRESS = 0x04,
    MSI_ADDRESS_HIGH = 0x08,
    MSI_DATA = 0x0c,
    MSI_MASK = 0x10,
    MSI_PENDING = 0x14
};
#define MSI_ENABLE        0x0001u
#define MSI_CAPABLE_AT    1u
#define MSI_GRANTED_AT    4u
#define MSI_GRANTED_MASK  0x7u
#define MSI_ADDRESS_64    0x0080u
#define MSI_MASKABLE      0x0100u
#define MSI_ADDRESS_BITS  0xfffffffcu
#define MSI_GRANTED_LEAST 1u

/* PCI Express (7.8): offsets from its start. */
enum {
    EXPRESS_FLAGS = 0x02,
    EXPRESS_DEVICE_CAPABILITIES = 0x04,
    EXPRESS_DEVICE_CONTROL = 0x08,
    EXPRESS_LINK_CAPABILITIES = 0x0c,
    EXPRESS_LINK_CONTROL = 0x10,
    EXPRESS_LINK_STATUS = 0x12,
    EXPRESS_DEVICE_CAPABILITIES_2 = 0x24,
    EXPRESS_DEVICE_CONTROL_2 = 0x28,
    EXPRESS_LINK_CAPABILITIES_2 = 0x2c,
    EXPRESS_LINK_CONTROL_2 = 0x30,
    EXPRESS_LINK_STATUS_2 = 0x32
};
#define EXPRESS_VERSION_2 0x0002u /* endpoint: device/port type 0 */

/* Role-based error reporting, function level reset (NVMe 1.4 section 2.5.3 requires it). */
#define DEVICE_CAPABILITIES_VALUE 0x10008000u
#define DEVICE_EXTENDED_TAGS      0x0020u /* in the capabilities: supported */
#define CONTROL_WRITABLE          0x78efu /* error reporting, sizes, ordering, no snoop */
#define CONTROL_EXTENDED_TAGS     0x0100u
#define CONTROL_PAYLOAD_AT        5u
#define CONTROL_REQUEST_AT        12u
#define CONTROL_SIZE_MASK         0x7u
#define CONTROL_PAYLOAD           0x00e0u
#define CONTROL_FUNCTION_RESET    0x8000u
#define CONTROL_RESET_VALUE       0x2810u /* 128-byte payload, 512-byte reads, no snoop, relaxed */
#define SIZE_LEAST_BYTES          128u    /* of payload and read request: 000b */
#define SIZE_LARGEST              5u      /* 101b: 4096 bytes; above is reserved */
#define REQUEST_DEFAULT_BYTES     512u
#define TAGS_SHORT                32u  /* tags of 5 bits */
#define TAGS_EXTENDED             256u /* tags of 8 bits; more need 10-bit tags */
#define RELAXED_ORDERING          0x0010u

#define LINK_WIDTH_AT           4u
#define LINK_ASPM_COMPLIANT     UINT32_C(0x00400000) /* ASPM Optionality Compliance: required */
#define LINK_CONTROL_WRITABLE   0x00c8u /* completion boundary, common clock, extended synch */
#define LINK_SLOT_CLOCK         0x1000u
#define COMPLETION_TIMEOUT_OFF  0x0010u  /* Device Capabilities 2 and Control 2 */
#define TAGS_10_BIT_SUPPORTED   0x20000u /* Device Capabilities 2: requester */
#define TAGS_10_BIT_ENABLE      0x1000u
#define LINK_TARGET_SPEED       0x000fu
#define LINK_EQUALISED          0x001eu /* complete, phases 1 to 3 successful */
#define LINK_EQUALISED_FROM_GEN 3u
#define LINK_SPEED_VECTOR_AT    1u

static unsigned log2_of(uint32_t power)
{
    unsigned log2 = 0;

    while (power >> (log2 + 1) != 0)
        log2++;
    return log2;
}

static uint32_t largest_payload(const struct configspace *config)
{
    uint16_t bytes = config->identity.payload_bytes;
    return bytes == 0 ? SIZE_LEAST_BYTES : bytes;
}

static uint32_t largest_request(const struct configspace *config)
{
    uint16_t bytes = config->identity.request_bytes;
    return bytes == 0 ? REQUEST_DEFAULT_BYTES : bytes;
}

static uint32_t size_field(uint32_t bytes)
{
    return log2_of(bytes) - log2_of(SIZE_LEAST_BYTES);
}

static uint32_t link_generation(const struct configspace *config)
{
    return config->identity.link_generation == 0 ? 1u : config->identity.link_generation;
}

static uint32_t link_lanes(const struct configspace *config)
{
    return config->identity.link_lanes == 0 ? 1u : config->identity.link_lanes;
}

static void reset_power(struct configspace *config)
{
    uint8_t *at = config->bytes + POWER_AT;

    config->power_at = POWER_AT;
    at[0] = CONFIGSPACE_CAP_POWER;
    put16(at + POWER_CAPABILITIES, POWER_VERSION_3);
    at[POWER_CONTROL] = config->identity.soft_reset ? 0 : POWER_NO_SOFT_RESET;
    config->writable[POWER_AT + POWER_CONTROL] = POWER_STATE;
}

static void reset_msi(struct configspace *config)
{
    uint8_t *at = config->bytes + MSI_AT, *writable = config->writable + MSI_AT;
    unsigned messages = config->identity.msi_vectors;

    config->msi_at = MSI_AT;
    at[0] = CONFIGSPACE_CAP_MSI;
    put16(at + MSI_CONTROL,
          (uint16_t)(log2_of(messages) << MSI_CAPABLE_AT | MSI_ADDRESS_64 | MSI_MASKABLE));
    put16(writable + MSI_CONTROL, MSI_ENABLE | MSI_GRANTED_MASK << MSI_GRANTED_AT);
    put32(writable + MSI_ADDRESS, MSI_ADDRESS_BITS);
    put32(writable + MSI_ADDRESS_HIGH, UINT32_MAX);
    put16(writable + MSI_DATA, UINT16_MAX);
    put32(writable + MSI_MASK, UINT32_MAX >> (32 - messages));
}

static void reset_msix(struct configspace *config)
{
    const struct configspace_identity *identity = &config->identity;
    uint8_t *at = config->bytes + MSIX_AT;

    config->msix_at = MSIX_AT;
    at[0] = CONFIGSPACE_CAP_MSIX;
    put16(at + 2, (uint16_t)(identity->msix_vectors - 1));
    put32(at + 4, identity->msix_table); /* BAR indicator 0 in bits 2:0 */
    put32(at + 8, identity->msix_pending);
    put16(config->writable + MSIX_AT + 2, CONFIGSPACE_MSIX_ENABLE | CONFIGSPACE_MSIX_FUNCTION_MASK);
}

static void reset_express_link(struct configspace *config)
{
    uint8_t *at = config->bytes + EXPRESS_AT, *writable = config->writable + EXPRESS_AT;
    uint32_t generation = link_generation(config), lanes = link_lanes(config);
    uint32_t speed_and_width = generation | lanes << LINK_WIDTH_AT;

    put32(at + EXPRESS_LINK_CAPABILITIES, speed_and_width | LINK_ASPM_COMPLIANT);
    put16(writable + EXPRESS_LINK_CONTROL, LINK_CONTROL_WRITABLE);
    put16(at + EXPRESS_LINK_STATUS, (uint16_t)(speed_and_width | LINK_SLOT_CLOCK));
    put32(at + EXPRESS_LINK_CAPABILITIES_2, ((UINT32_C(1) << generation) - 1)
                                                << LINK_SPEED_VECTOR_AT);
    put16(at + EXPRESS_LINK_CONTROL_2, (uint16_t)generation);
    put16(writable + EXPRESS_LINK_CONTROL_2, LINK_TARGET_SPEED);
    put16(at + EXPRESS_LINK_STATUS_2, generation >= LINK_EQUALISED_FROM_GEN ? LINK_EQUALISED : 0);
}

static void reset_express(struct configspace *config)
{
    uint8_t *at = config->bytes + EXPRESS_AT, *writable = config->writable + EXPRESS_AT;
    bool extended = config->identity.tags > TAGS_SHORT;
    uint16_t control = CONTROL_RESET_VALUE;

    /* A function that never asks for more may say so from the start (7.8.4). */
    if (largest_request(config) < REQUEST_DEFAULT_BYTES)
        control = (uint16_t)((control & ~(CONTROL_SIZE_MASK << CONTROL_REQUEST_AT)) |
                             size_field(largest_request(config)) << CONTROL_REQUEST_AT);
    config->express_at = EXPRESS_AT;
    at[0] = CONFIGSPACE_CAP_EXPRESS;
    put16(at + EXPRESS_FLAGS, EXPRESS_VERSION_2);
    put32(at + EXPRESS_DEVICE_CAPABILITIES, DEVICE_CAPABILITIES_VALUE |
                                                (extended ? DEVICE_EXTENDED_TAGS : 0) |
                                                size_field(largest_payload(config)));
    /* Extended tags are on from the start, as the standard lets a function choose. */
    put16(at + EXPRESS_DEVICE_CONTROL, control | (extended ? CONTROL_EXTENDED_TAGS : 0));
    put16(writable + EXPRESS_DEVICE_CONTROL,
          CONTROL_WRITABLE | RELAXED_ORDERING | (extended ? CONTROL_EXTENDED_TAGS : 0));
    put32(at + EXPRESS_DEVICE_CAPABILITIES_2,
          COMPLETION_TIMEOUT_OFF |
              (config->identity.tags > TAGS_EXTENDED ? TAGS_10_BIT_SUPPORTED : 0));
    put16(writable + EXPRESS_DEVICE_CONTROL_2,
          COMPLETION_TIMEOUT_OFF |
              (config->identity.tags > TAGS_EXTENDED ? TAGS_10_BIT_ENABLE : 0));
    reset_express_link(config);
}

void configspace_reset_capabilities(struct configspace *config)
{
    const struct configspace_identity *identity = &config->identity;
    uint8_t *link = &config->bytes[CONFIGSPACE_CAPABILITIES];

    config->msi_at = config->msix_at = 0;
    reset_power(config);
    *link = POWER_AT;
    link = &config->bytes[POWER_AT + 1];
    if (identity->msi_vectors > 0) {
        reset_msi(config);
        *link = MSI_AT;
        link = &config->bytes[MSI_AT + 1];
    }
    if (identity->msix_vectors > 0) {
        reset_msix(config);
        *link = MSIX_AT;
        link = &config->bytes[MSIX_AT + 1];
    }
    reset_express(config);
    *link = EXPRESS_AT;
}

struct configspace_kept configspace_keep(const struct configspace *config)
{
    return (struct configspace_kept){
        .device_control = get16(config->bytes + EXPRESS_AT + EXPRESS_DEVICE_CONTROL),
        .link_control = get16(config->bytes + EXPRESS_AT + EXPRESS_LINK_CONTROL),
    };
}

void configspace_put_back(struct configspace *config, struct configspace_kept kept)
{
    uint8_t *control = config->bytes + EXPRESS_AT + EXPRESS_DEVICE_CONTROL;

    put16(control, (uint16_t)((get16(control) & ~CONTROL_PAYLOAD) |
                              (kept.device_control & CONTROL_PAYLOAD)));
    put16(config->bytes + EXPRESS_AT + EXPRESS_LINK_CONTROL, kept.link_control);
}

void configspace_hand_over(struct configspace *config)
{
    uint8_t *control = config->bytes + EXPRESS_AT + EXPRESS_DEVICE_CONTROL;
    uint32_t sizes = size_field(largest_payload(config)) << CONTROL_PAYLOAD_AT |
                     size_field(largest_request(config)) << CONTROL_REQUEST_AT;
    uint32_t mask = CONTROL_SIZE_MASK << CONTROL_PAYLOAD_AT | CONTROL_SIZE_MASK
                                                                  << CONTROL_REQUEST_AT;

    put16(control, (uint16_t)((get16(control) & ~mask) | sizes));
    if (config->identity.tags > TAGS_EXTENDED)
        put16(config->bytes + EXPRESS_AT + EXPRESS_DEVICE_CONTROL_2, TAGS_10_BIT_ENABLE);
}

static unsigned power_written(struct configspace *config, uint8_t old)
{
    uint8_t *control = &config->bytes[POWER_AT + POWER_CONTROL];
    uint8_t state = *control & POWER_STATE;

    if (state != POWER_D0 && state != POWER_D3HOT)
        *control = old;
    if (((*control ^ old) & POWER_STATE) == 0)
        return 0;
    config->asleep = state == POWER_D3HOT;
    return CONFIGSPACE_CHANGED_COMMAND |
           (!config->asleep && config->identity.soft_reset ? CONFIGSPACE_POWER_RESET : 0u);
}

unsigned configspace_capability_written(struct configspace *config, unsigned offset, uint8_t old,
                                        uint8_t written)
{
    if (offset == POWER_AT + POWER_CONTROL)
        return power_written(config, old);
    if (config->msi_at != 0 && offset >= MSI_AT + MSI_CONTROL && offset < MSI_AT + MSI_PENDING)
        return CONFIGSPACE_CHANGED_MSI;
    if (config->msix_at != 0 && (offset == MSIX_AT + 2 || offset == MSIX_AT + 3))
        return CONFIGSPACE_CHANGED_MSIX;
    /* The reset bit always reads as zero. */
    if (offset == EXPRESS_AT + EXPRESS_DEVICE_CONTROL + 1 &&
        (written & CONTROL_FUNCTION_RESET >> 8) != 0)
        return CONFIGSPACE_FUNCTION_RESET;
    if (offset == EXPRESS_AT + EXPRESS_DEVICE_CONTROL ||
        offset == EXPRESS_AT + EXPRESS_DEVICE_CONTROL + 1 ||
        offset == EXPRESS_AT + EXPRESS_DEVICE_CONTROL_2 + 1)
        return CONFIGSPACE_CHANGED_SIZES;
    return 0;
}

uint16_t configspace_msix_control(const struct configspace *config)
{
    return config->msix_at == 0 ? 0 : get16(config->bytes + config->msix_at + 2);
}

struct configspace_msi configspace_msi(const struct configspace *config)
{
    const uint8_t *at = config->bytes + MSI_AT;
    uint16_t control = get16(at + MSI_CONTROL);
    unsigned asked = 1u << (control >> MSI_GRANTED_AT & MSI_GRANTED_MASK);

    if (config->msi_at == 0)
        return (struct configspace_msi){.granted = MSI_GRANTED_LEAST};
    return (struct configspace_msi){
        .address = get32(at + MSI_ADDRESS) | (uint64_t)get32(at + MSI_ADDRESS_HIGH) << 32,
        .mask = get32(at + MSI_MASK),
        .data = get16(at + MSI_DATA),
        .granted =
            (uint8_t)(asked < config->identity.msi_vectors ? asked : config->identity.msi_vectors),
        .enabled = (control & MSI_ENABLE) != 0,
    };
}

void configspace_set_msi_pending(struct configspace *config, uint32_t pending)
{
    if (config->msi_at != 0)
        put32(config->bytes + MSI_AT + MSI_PENDING, pending);
}

static uint32_t allowed_size(const struct configspace *config, unsigned at, uint32_t largest)
{
    uint16_t control = get16(config->bytes + EXPRESS_AT + EXPRESS_DEVICE_CONTROL);
    unsigned field = control >> at & CONTROL_SIZE_MASK;
    uint32_t bytes = SIZE_LEAST_BYTES << (field < SIZE_LARGEST ? field : SIZE_LARGEST);

    return bytes < largest ? bytes : largest;
}

uint32_t configspace_payload_bytes(const struct configspace *config)
{
    return allowed_size(config, CONTROL_PAYLOAD_AT, largest_payload(config));
}

uint32_t configspace_request_bytes(const struct configspace *config)
{
    return allowed_size(config, CONTROL_REQUEST_AT, largest_request(config));
}

uint32_t configspace_tags(const struct configspace *config)
{
    const uint8_t *at = config->bytes + EXPRESS_AT;
    uint32_t allowed = TAGS_SHORT, tags = config->identity.tags;

    if ((get16(at + EXPRESS_DEVICE_CONTROL_2) & TAGS_10_BIT_ENABLE) != 0)
        allowed = tags;
    else if ((get16(at + EXPRESS_DEVICE_CONTROL) & CONTROL_EXTENDED_TAGS) != 0)
        allowed = TAGS_EXTENDED;
    return tags != 0 && tags < allowed ? tags : allowed;
}
