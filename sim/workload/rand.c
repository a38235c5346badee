/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two generators behind rand(). newlib: state' = state * 6364136223846793005 + 1 (mod 2^64), of
 * which bits 32..62 are the result. xoshiro256**: Blackman and Vigna's generator, seeded through
 * splitmix64, of which the upper 31 bits are the result. Called by the suites only.
 */
#include "workload/rand.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t rotate_left(uint64_t value, unsigned count)
{
    return value << count | value >> (64 - count);
}

void workload_srand(struct workload_rand *rand, enum workload_rand_kind kind, uint64_t seed)
{
    uint64_t mix = seed;

    rand->kind = kind;
    rand->state[0] = seed;
    if (kind == WORKLOAD_RAND_XOSHIRO)
        for (unsigned i = 0; i < 4; i++)
            rand->state[i] = splitmix64(&mix);
}

static uint64_t xoshiro_next(uint64_t s[4])
{
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint32_t workload_rand(struct workload_rand *rand)
{
    if (rand->kind == WORKLOAD_RAND_XOSHIRO)
        return (uint32_t)(xoshiro_next(rand->state) >> 33);
    rand->state[0] = rand->state[0] * UINT64_C(6364136223846793005) + 1;
    return (uint32_t)(rand->state[0] >> 32) & UINT32_C(0x7fffffff);
}
