/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of this room: a simulation that runs out of it can only end, with a message.
 */
#ifndef MEDIA_MEMORY_H
#define MEDIA_MEMORY_H

#include <stddef.h>

/* Zeroed. Never NULL: exits with a message if out of memory. */
void *media_allocate(size_t count, size_t bytes);
/* What is added is not zeroed. bytes above 0. Never NULL, as above. */
void *media_reallocate(void *memory, size_t bytes);

#endif
