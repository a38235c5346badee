/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The block pattern; see pattern.h. Word 0 is the tag itself; every later word is a mix of the tag
 * and the word's number, so that a shifted, torn or half-old block is recognised as damaged.
 */
#include "engine/pattern.h"

#include <string.h>

#define WORDS (PATTERN_BYTES / 8)

static uint64_t pattern_word(uint64_t tag, unsigned index)
{
    if (tag == PATTERN_ZERO)
        return 0;
    if (index == 0)
        return tag;
    uint64_t z = tag + index * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return z ^ z >> 32;
}

static uint64_t load_le64(const uint8_t *from)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | from[i];
    return value;
}

void pattern_expand(uint64_t tag, uint8_t bytes[PATTERN_BYTES])
{
    for (unsigned w = 0; w < WORDS; w++) {
        uint64_t word = pattern_word(tag, w);
        for (unsigned i = 0; i < 8; i++)
            bytes[w * 8 + i] = (uint8_t)(word >> 8 * i);
    }
}

bool pattern_recognise(const uint8_t bytes[PATTERN_BYTES], uint64_t *tag)
{
    uint64_t candidate = load_le64(bytes);
    for (unsigned w = 1; w < WORDS; w++)
        if (load_le64(bytes + w * 8) != pattern_word(candidate, w))
            return false;
    *tag = candidate;
    return true;
}
