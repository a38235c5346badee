/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The four functions of the C library that the core may use, declared here because a freestanding
 * implementation need not have <string.h>. tests/check/freestanding.sh holds the core to them.
 */
#ifndef NVME_SRC_LIBC_H
#define NVME_SRC_LIBC_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#endif
