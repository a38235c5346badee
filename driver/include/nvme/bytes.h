/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Little-endian fields at any address, as Identify and log pages have them (NVMe 1.4 section 1.8),
 * read byte by byte: right on every machine. Used by the core, by driver/services and by whoever
 * looks into a page.
 */
#ifndef NVME_BYTES_H
#define NVME_BYTES_H

#include <stdint.h>

static inline uint32_t nvme_get_le16(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8);
}

static inline uint32_t nvme_get_le32(const uint8_t *p)
{
    return nvme_get_le16(p) | (nvme_get_le16(p + 2) << 16);
}

static inline uint64_t nvme_get_le64(const uint8_t *p)
{
    return (uint64_t)nvme_get_le32(p) | ((uint64_t)nvme_get_le32(p + 4) << 32);
}

#endif
