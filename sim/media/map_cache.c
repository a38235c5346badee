/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cached segments of the map; see map_cache.h.
 */
#include "media/map_cache.h"

#include <stdlib.h>
#include <string.h>

#include "media/memory.h"

void map_cache_init(struct map_cache *cache, uint64_t bytes)
{
    uint64_t count = bytes / MAP_SEGMENT_BYTES;

    *cache = (struct map_cache){0};
    if (count == 0)
        return;
    cache->ways = count < MAP_CACHE_WAYS ? (uint32_t)count : MAP_CACHE_WAYS;
    cache->sets = (uint32_t)(count / cache->ways);
    cache->segments = media_allocate((size_t)cache->sets * cache->ways, sizeof *cache->segments);
    memset(cache->segments, 0xff, (size_t)cache->sets * cache->ways * sizeof *cache->segments);
}

void map_cache_free(struct map_cache *cache)
{
    free(cache->segments);
    cache->segments = NULL;
}

bool map_cache_use(struct map_cache *cache, uint32_t segment)
{
    uint32_t *set, at = 0;
    bool found;

    if (cache->segments == NULL)
        return false;
    set = &cache->segments[(size_t)(segment % cache->sets) * cache->ways];
    while (at < cache->ways - 1 && set[at] != segment)
        at++;
    found = set[at] == segment; /* else the last one goes */
    memmove(&set[1], &set[0], at * sizeof *set);
    set[0] = segment;
    return found;
}
