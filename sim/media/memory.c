/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of this room; see memory.h.
 */
#include "media/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define EXIT_OUT_OF_MEMORY 4

static void *checked(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "doorbell: out of memory for the medium and its contents\n");
        exit(EXIT_OUT_OF_MEMORY);
    }
    return memory;
}

void *media_allocate(size_t count, size_t bytes)
{
    return checked(calloc(count, bytes));
}

void *media_reallocate(void *memory, size_t bytes)
{
    return checked(realloc(memory, bytes));
}
