/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Little-endian memory, as shared with the controller (NVMe 1.4 section 1.8: all structures are
 * little endian). Used by every file that touches queue entries, PRP lists or Identify data.
 * Registers are not concerned: the platform passes them as numbers.
 */
#ifndef NVME_SRC_BYTEORDER_H
#define NVME_SRC_BYTEORDER_H

#include <stdint.h>

#if defined(NVME_BIG_ENDIAN)
/* as given: 0 or 1 */
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define NVME_BIG_ENDIAN 1
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NVME_BIG_ENDIAN 0
#else
#error "the compiler does not say its byte order: define NVME_BIG_ENDIAN as 0 or 1"
#endif

#if defined(__GNUC__)
/* Where the machine swaps as it loads and stores, the compiler finds it. */
static inline uint32_t swap32(uint32_t v)
{
    return __builtin_bswap32(v);
}
#else
static inline uint32_t swap32(uint32_t v)
{
    return (v >> 24) | ((v >> 8) & 0xFF00u) | ((v & 0xFF00u) << 8) | (v << 24);
}
#endif

/* Two 32-bit swaps, so that 32-bit targets need no library helper. */
static inline uint64_t swap64(uint64_t v)
{
    return ((uint64_t)swap32((uint32_t)v) << 32) | swap32((uint32_t)(v >> 32));
}

/* Between CPU order and little endian; the same both ways. */
static inline uint32_t le32(uint32_t v)
{
    return NVME_BIG_ENDIAN ? swap32(v) : v;
}

static inline uint64_t le64(uint64_t v)
{
    return NVME_BIG_ENDIAN ? swap64(v) : v;
}

#endif
