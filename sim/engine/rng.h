/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random streams, one per component and purpose: xoshiro256** seeded through splitmix64 from the
 * run's seed and the stream's name (both generators by Blackman and Vigna, public domain
 * algorithms). Adding a component or a draw in one never shifts the numbers of another.
 */
#ifndef ENGINE_RNG_H
#define ENGINE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *rng, uint64_t seed, const char *name);
uint64_t rng_next(struct rng *rng);
/* Uniform in [0, bound), without bias; bound >= 1. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

#endif
