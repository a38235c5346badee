/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Contents of data blocks. Every block that a workload writes carries a pattern of 512 bytes that
 * is a function of one 64-bit tag: which block of the device it was written to (low 32 bits, in
 * units of 512 bytes from the start of the namespace) and which request wrote it (high 32 bits;
 * request numbers only grow, so the number is the block's generation as well). A tag can stand for
 * the bytes wherever nobody looks at them one by one; both forms always mean the same contents.
 */
#ifndef ENGINE_PATTERN_H
#define ENGINE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#define PATTERN_BYTES 512u
#define PATTERN_ZERO  UINT64_C(0) /* the tag of 512 zero bytes: fresh memory, deallocated blocks */

static inline uint64_t pattern_tag(uint32_t request, uint32_t block)
{
    return (uint64_t)request << 32 | block;
}
static inline uint32_t pattern_block(uint64_t tag)
{
    return (uint32_t)tag;
}
static inline uint32_t pattern_request(uint64_t tag)
{
    return (uint32_t)(tag >> 32);
}

/* Write the 512 bytes that the tag stands for. Byte order independent. */
void pattern_expand(uint64_t tag, uint8_t bytes[PATTERN_BYTES]);
/* Find the tag of 512 bytes. False if they are not a whole, undamaged pattern. */
bool pattern_recognise(const uint8_t bytes[PATTERN_BYTES], uint64_t *tag);

#endif
