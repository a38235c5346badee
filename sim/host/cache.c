/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The data caches; see cache.h. Level 2 is not kept inclusive of level 1: a line's state is the
 * dirtier of what the two levels say, and a line dirty in level 1 moves to level 2 when it is
 * replaced.
 */
#include "host/cache.h"

#include <stdlib.h>
#include <string.h>

#define PARAM_AS_ROWS struct cache_params
#include "config/param_begin.h"
const struct param_row cache_rows[] = {
#include "host/cache.def"
};
#include "config/param_end.h"
const size_t cache_row_count = sizeof cache_rows / sizeof cache_rows[0];

/* A set is an array of line numbers in order of use, most recent first. */
struct cache_slot {
    uint64_t line; /* address / line size */
    bool valid;
    bool dirty;
};

struct cache_level {
    struct cache_slot *slots;
    uint64_t set_mask;
    unsigned ways;
};

/* Lines held, by groups of neighbouring lines: maintenance of a buffer that the caches do not hold,
 * the usual case, goes by groups instead of by lines. Groups share counters; that only hides some
 * empty ones. */
#define GROUP_LOG2 7u
#define GROUPS     4096u

struct cache {
    uint32_t held[GROUPS];
    struct cache_params p;
    struct clock_domain *clock;
    unsigned line_log2;
    struct cache_level level[2];
};

static bool power_of_two(uint64_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

const char *cache_params_check(const struct cache_params *p)
{
    if (!power_of_two(p->line))
        return "cache.line must be a power of two";
    if (p->l1_size % (p->l1_ways * p->line) != 0 ||
        !power_of_two(p->l1_size / (p->l1_ways * p->line)))
        return "cache.l1_size / (cache.l1_ways * cache.line), the number of sets, must be a power "
               "of two";
    if (p->l2_size % (p->l2_ways * p->line) != 0 ||
        !power_of_two(p->l2_size / (p->l2_ways * p->line)))
        return "cache.l2_size / (cache.l2_ways * cache.line), the number of sets, must be a power "
               "of two";
    return NULL;
}

static void level_init(struct cache_level *level, uint64_t size, uint64_t ways, uint64_t line)
{
    level->ways = (unsigned)ways;
    level->set_mask = size / (ways * line) - 1;
    level->slots = calloc(size / line, sizeof *level->slots);
    if (level->slots == NULL)
        abort();
}

struct cache *cache_create(const struct cache_params *params, struct clock_domain *clock)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        abort();
    cache->p = *params;
    cache->clock = clock;
    while (UINT64_C(1) << cache->line_log2 < params->line)
        cache->line_log2++;
    if (params->enabled) {
        level_init(&cache->level[0], params->l1_size, params->l1_ways, params->line);
        level_init(&cache->level[1], params->l2_size, params->l2_ways, params->line);
    }
    return cache;
}

void cache_destroy(struct cache *cache)
{
    if (cache == NULL)
        return;
    free(cache->level[0].slots);
    free(cache->level[1].slots);
    free(cache);
}

/* ---- one level ---- */

static struct cache_slot *level_set(const struct cache_level *level, uint64_t line)
{
    return level->slots + (line & level->set_mask) * level->ways;
}

static struct cache_slot *level_find(const struct cache_level *level, uint64_t line)
{
    struct cache_slot *set = level_set(level, line);
    for (unsigned i = 0; i < level->ways; i++)
        if (set[i].valid && set[i].line == line)
            return &set[i];
    return NULL;
}

/* Make a found slot the most recently used of its set. */
static struct cache_slot *level_touch(const struct cache_level *level, struct cache_slot *slot)
{
    struct cache_slot *set = level_set(level, slot->line);
    struct cache_slot found = *slot;
    memmove(set + 1, set, (size_t)(slot - set) * sizeof *set);
    set[0] = found;
    return set;
}

static uint32_t *held_at(struct cache *cache, uint64_t line)
{
    return &cache->held[(line >> GROUP_LOG2) & (GROUPS - 1)];
}

/* Put a line in; returns the one that had to go (not valid: none). */
static struct cache_slot level_insert(struct cache *cache, const struct cache_level *level,
                                      uint64_t line, bool dirty)
{
    struct cache_slot *set = level_set(level, line);
    unsigned at = 0;
    while (at < level->ways - 1 && set[at].valid)
        at++;
    struct cache_slot out = set[at];
    memmove(set + 1, set, at * sizeof *set);
    set[0] = (struct cache_slot){.line = line, .valid = true, .dirty = dirty};
    ++*held_at(cache, line);
    if (out.valid)
        --*held_at(cache, out.line);
    return out;
}

/* ---- accesses ---- */

/* Move a line that level 1 gave up into level 2; returns the cost. */
static uint64_t cache_give_down(struct cache *cache, struct cache_slot out)
{
    if (!out.valid || !out.dirty)
        return 0;
    struct cache_slot *below = level_find(&cache->level[1], out.line);
    if (below != NULL) {
        below->dirty = true;
        return 0;
    }
    struct cache_slot gone = level_insert(cache, &cache->level[1], out.line, true);
    return gone.valid && gone.dirty ? clock_cost(cache->clock, cache->p.write_back) : 0;
}

static uint64_t cache_line_access(struct cache *cache, uint64_t line, bool store)
{
    struct cache_slot *slot = level_find(&cache->level[0], line);
    if (slot != NULL) {
        slot = level_touch(&cache->level[0], slot);
        slot->dirty = slot->dirty || store;
        return 0;
    }
    uint64_t ps;
    struct cache_slot *below = level_find(&cache->level[1], line);
    if (below != NULL) {
        level_touch(&cache->level[1], below);
        ps = clock_cost(cache->clock, cache->p.l2_hit);
    } else {
        ps = clock_cost(cache->clock, cache->p.miss);
        struct cache_slot gone = level_insert(cache, &cache->level[1], line, false);
        if (gone.valid && gone.dirty)
            ps += clock_cost(cache->clock, cache->p.write_back);
    }
    return ps + cache_give_down(cache, level_insert(cache, &cache->level[0], line, store));
}

uint64_t cache_access(struct cache *cache, uint64_t address, uint64_t bytes, bool store)
{
    if (!cache->p.enabled || bytes == 0)
        return 0;
    uint64_t ps = 0, last = (address + bytes - 1) >> cache->line_log2;
    for (uint64_t line = address >> cache->line_log2; line <= last; line++)
        ps += cache_line_access(cache, line, store);
    return ps;
}

/* ---- maintenance ---- */

static enum cache_state cache_state_of(const struct cache *cache, uint64_t line)
{
    const struct cache_slot *upper = level_find(&cache->level[0], line);
    const struct cache_slot *lower = level_find(&cache->level[1], line);
    if ((upper != NULL && upper->dirty) || (lower != NULL && lower->dirty))
        return CACHE_IS_DIRTY;
    return upper != NULL || lower != NULL ? CACHE_IS_CLEAN : CACHE_ABSENT;
}

enum cache_state cache_line_state(const struct cache *cache, uint64_t address)
{
    return cache->p.enabled ? cache_state_of(cache, address >> cache->line_log2) : CACHE_ABSENT;
}

static void level_drop(struct cache *cache, struct cache_slot *slot)
{
    slot->valid = false;
    --*held_at(cache, slot->line);
}

static void cache_line_clean(struct cache *cache, uint64_t line, bool drop)
{
    for (unsigned i = 0; i < 2; i++) {
        struct cache_slot *slot = level_find(&cache->level[i], line);
        if (slot == NULL)
            continue;
        slot->dirty = false;
        if (drop)
            level_drop(cache, slot);
    }
}

/* n equal costs; in cycles they are converted together, which comes to the same. */
static uint64_t cache_cost_of(struct cache *cache, struct param_cost cost, uint64_t n)
{
    return cost.cycles ? clock_advance(cache->clock, cost.amount * n) : cost.amount * n;
}

/* The first line from `line` on whose group holds any, at most last + 1. */
static uint64_t cache_skip(struct cache *cache, uint64_t line, uint64_t last)
{
    while (line <= last && *held_at(cache, line) == 0)
        line = ((line >> GROUP_LOG2) + 1) << GROUP_LOG2;
    return line <= last ? line : last + 1;
}

uint64_t cache_maintain(struct cache *cache, enum cache_maintenance what, uint64_t address,
                        uint64_t bytes, struct cache_lines *lines)
{
    uint64_t first = address >> cache->line_log2;
    uint64_t last = (address + bytes - 1) >> cache->line_log2;
    struct cache_lines found = {0, 0, 0};
    if (!cache->p.enabled) {
        found.absent = last - first + 1;
    } else {
        for (uint64_t line = first; line <= last; line++) {
            uint64_t past = cache_skip(cache, line, last);
            found.absent += past - line;
            line = past;
            if (line > last)
                break;
            switch (cache_state_of(cache, line)) {
            case CACHE_IS_DIRTY:
                found.dirty++;
                break;
            case CACHE_IS_CLEAN:
                found.clean++;
                break;
            case CACHE_ABSENT:
                found.absent++;
                continue;
            }
            cache_line_clean(cache, line, what != CACHE_CLEAN);
        }
    }
    lines->dirty += found.dirty;
    lines->clean += found.clean;
    lines->absent += found.absent;
    /* Dropping a dirty line without writing it back costs what dropping a clean one does. */
    bool writes_back = what != CACHE_INVALIDATE;
    return clock_cost(cache->clock, cache->p.maintain_call) +
           cache_cost_of(cache, writes_back ? cache->p.maintain_dirty : cache->p.maintain_clean,
                         found.dirty) +
           cache_cost_of(cache, cache->p.maintain_clean, found.clean) +
           cache_cost_of(cache, cache->p.maintain_absent, found.absent);
}

void cache_snoop_write(struct cache *cache, uint64_t address, uint64_t bytes)
{
    if (!cache->p.enabled || bytes == 0)
        return;
    uint64_t last = (address + bytes - 1) >> cache->line_log2;
    for (uint64_t line = address >> cache->line_log2; line <= last; line++) {
        line = cache_skip(cache, line, last);
        if (line <= last)
            cache_line_clean(cache, line, true);
    }
}
