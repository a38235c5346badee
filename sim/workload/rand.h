/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The C library's rand() as the benchmark programs call it: a number of 31 bits. Two generators by
 * name (parameter workload.rand): newlib's, which AmigaOS 4 programs are linked with, and
 * xoshiro256** for runs that want better low bits. Not for the model's own randomness.
 */
#ifndef WORKLOAD_RAND_H
#define WORKLOAD_RAND_H

#include <stdint.h>

#include "engine/rng.h"

/* In the order of the choices of workload.rand. */
enum workload_rand_kind { WORKLOAD_RAND_NEWLIB, WORKLOAD_RAND_XOSHIRO };

struct workload_rand {
    enum workload_rand_kind kind;
    uint64_t state; /* newlib's */
    struct rng rng; /* the other's */
};

/* srand(seed). A C program that never calls srand() has seed 1 (C11, 7.22.2.2). */
void workload_srand(struct workload_rand *rand, enum workload_rand_kind kind, uint64_t seed);
/* 0 .. 2^31 - 1. */
uint32_t workload_rand(struct workload_rand *rand);

#endif
