/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The CPU's data caches: two levels, set-associative, write-back, write-allocate, least recently
 * used line replaced; indexed by simulated bus addresses, so that results do not depend on the
 * allocator. A model of state and cost: which lines are there and dirty, and what each access
 * therefore costs beside the instructions. Contents are elsewhere (memory.h). When not enabled,
 * accesses cost nothing and every line counts as absent.
 */
#ifndef HOST_CACHE_H
#define HOST_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/param.h"
#include "engine/clock.h"

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct cache_params {
#include "host/cache.def"
};
#include "config/param_end.h"

extern const struct param_row cache_rows[];
extern const size_t cache_row_count;

/* NULL if good, else what is wrong with the geometry. */
const char *cache_params_check(const struct cache_params *params);

struct cache;

/* Costs in cycles are of `clock`, which must outlive the cache. */
struct cache *cache_create(const struct cache_params *params, struct clock_domain *clock);
void cache_destroy(struct cache *cache);

/* CPU loads or stores [address, address + bytes), sequentially. Returns the time it costs beyond
 * level-1 hits, ps. */
uint64_t cache_access(struct cache *cache, uint64_t address, uint64_t bytes, bool store);

enum cache_maintenance {
    CACHE_CLEAN,      /* write dirty lines back; they stay, clean */
    CACHE_INVALIDATE, /* drop lines without writing them back */
    CACHE_FLUSH       /* write back and drop */
};

struct cache_lines {
    uint64_t dirty, clean, absent; /* state in which the lines were found */
};

/* One maintenance call over [address, address + bytes), bytes >= 1. Returns its time, ps, and adds
 * the lines to *lines. */
uint64_t cache_maintain(struct cache *cache, enum cache_maintenance what, uint64_t address,
                        uint64_t bytes, struct cache_lines *lines);

/* A coherent device writes memory: its lines are dropped, at no cost to the CPU now. */
void cache_snoop_write(struct cache *cache, uint64_t address, uint64_t bytes);

enum cache_state { CACHE_ABSENT, CACHE_IS_CLEAN, CACHE_IS_DIRTY };
enum cache_state cache_line_state(const struct cache *cache, uint64_t address);

#endif
