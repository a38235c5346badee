/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two generators behind rand(). newlib: state' = state * 6364136223846793005 + 1 (mod 2^64), of
 * which bits 32..62 are the result. xoshiro256**: a stream of engine/rng.h, of which the upper 31
 * bits are the result. Called by the suites only.
 */
#include "workload/rand.h"

void workload_srand(struct workload_rand *rand, enum workload_rand_kind kind, uint64_t seed)
{
    rand->kind = kind;
    rand->state = seed;
    rng_init(&rand->rng, seed, "rand");
}

uint32_t workload_rand(struct workload_rand *rand)
{
    if (rand->kind == WORKLOAD_RAND_XOSHIRO)
        return (uint32_t)(rng_next(&rand->rng) >> 33);
    rand->state = rand->state * UINT64_C(6364136223846793005) + 1;
    return (uint32_t)(rand->state >> 32) & UINT32_C(0x7fffffff);
}
