/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What configspace.c (header, accesses) and configspace_caps.c (capabilities) share.
 */
#ifndef PCIE_CONFIGSPACE_PRIVATE_H
#define PCIE_CONFIGSPACE_PRIVATE_H

#include "pcie/configspace.h"

static inline void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)value);
    put16(at + 2, (uint16_t)(value >> 16));
}

static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t get32(const uint8_t *at)
{
    return get16(at) | (uint32_t)get16(at + 2) << 16;
}

/* Write the capabilities' reset values, and the header's pointer to the first. */
void configspace_reset_capabilities(struct configspace *config);

/* A byte of a capability was written: old is what it held, written what came. Returns what that
 * changed, and corrects what the standard does not let stand. */
unsigned configspace_capability_written(struct configspace *config, unsigned offset, uint8_t old,
                                        uint8_t written);

/* What has to survive a function level reset (PCI Express Base 3.1, 6.6.2). */
struct configspace_kept {
    uint16_t device_control, link_control;
};
struct configspace_kept configspace_keep(const struct configspace *config);
void configspace_put_back(struct configspace *config, struct configspace_kept kept);
/* Sizes and tags as firmware leaves them: the largest that the function can have. */
void configspace_hand_over(struct configspace *config);

#endif
