/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which segments of the map (4 KiB, 1,024 units) are in the drive's own memory, and which in the
 * host memory buffer: each a set-associative cache, least recently used out first. A drive with
 * memory for all of its map has none of this. That changed segments go back to the flash is not
 * modelled. Called by nand.c.
 */
#ifndef MEDIA_MAP_CACHE_H
#define MEDIA_MAP_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define MAP_SEGMENT_BYTES UINT32_C(4096)
#define MAP_SEGMENT_UNITS UINT32_C(1024)
#define MAP_CACHE_WAYS    8u

struct map_cache {
    uint32_t *segments; /* sets of `ways`, most recently used first; NULL: holds nothing */
    uint32_t sets, ways;
};

/* bytes 0: holds nothing. */
void map_cache_init(struct map_cache *cache, uint64_t bytes);
void map_cache_free(struct map_cache *cache);
/* Is the segment there? Afterwards it is, if there is room for anything. */
bool map_cache_use(struct map_cache *cache, uint32_t segment);

#endif
