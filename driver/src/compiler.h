/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the core would like of a compiler, and does without where it is not to be had.
 */
#ifndef NVME_SRC_COMPILER_H
#define NVME_SRC_COMPILER_H

#if defined(__GNUC__)
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TEMPLATE    static inline __attribute__((always_inline)) /* one copy per set of constants */
#define NOINLINE    __attribute__((noinline)) /* keeps the registers it needs out of its caller */
#else
#define LIKELY(x)   (x)
#define UNLIKELY(x) (x)
#define TEMPLATE    static inline
#define NOINLINE
#endif

#endif
