/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judge of cache maintenance on machines whose devices do not look into the CPU's caches: rule D9.
 * Only the driver's own cached memory counts (bounce buffers, lists, rings where they are cached);
 * callers' buffers are maintained by map and unmap, which are the port's.
 */
#include "rules/judge.h"

#define PIECES_MOST 1024u /* more at a time are not watched */

struct piece {
    uint64_t bus, bytes;
};

struct pieces {
    struct piece piece[PIECES_MOST];
    uint32_t count;
};

struct cache_state {
    struct pieces cached; /* memory that this rule is about */
    struct pieces dirty;  /* stored to by the CPU, and not cleaned since */
    struct pieces stale;  /* written by the device, and not invalidated since */
};

static bool overlap(const struct piece *piece, uint64_t bus, uint64_t bytes)
{
    return bus < piece->bus + piece->bytes && piece->bus < bus + bytes;
}

static const struct piece *find(const struct pieces *pieces, uint64_t bus, uint64_t bytes)
{
    for (uint32_t i = 0; i < pieces->count; i++) {
        if (overlap(&pieces->piece[i], bus, bytes))
            return &pieces->piece[i];
    }
    return NULL;
}

static void add(struct pieces *pieces, uint64_t bus, uint64_t bytes)
{
    if (pieces->count < PIECES_MOST && bytes != 0)
        pieces->piece[pieces->count++] = (struct piece){bus, bytes};
}

/* Take [bus, bus + bytes) out; what sticks out at either end stays. */
static void cut(struct pieces *pieces, uint64_t bus, uint64_t bytes)
{
    for (uint32_t i = pieces->count; i-- > 0;) {
        const struct piece piece = pieces->piece[i];
        if (!overlap(&piece, bus, bytes))
            continue;
        pieces->piece[i] = pieces->piece[--pieces->count];
        if (piece.bus < bus)
            add(pieces, piece.bus, bus - piece.bus);
        if (piece.bus + piece.bytes > bus + bytes)
            add(pieces, bus + bytes, piece.bus + piece.bytes - (bus + bytes));
    }
}

static void judge_read(struct rules *rules, const struct cache_state *cache,
                       const struct stream_record *r)
{
    if (find(&cache->stale, r->c, r->b) != NULL)
        rules_complain(rules, RULE_D9, WHERE_CPU(r->source), "sync for the CPU before it reads",
                       "the CPU copies from %llxh, which the device has written and nobody has "
                       "invalidated",
                       (unsigned long long)r->c);
}

static void cache_record(struct rules *rules, const struct stream_record *r)
{
    struct cache_state *cache = judge_state(rules, &judge_cache);
    if (rules_setup(rules)->coherent)
        return;
    switch (r->kind) {
    case RECORD_DMA_ALLOC:
        if (r->d != 0)
            add(&cache->cached, r->b, r->c);
        break;
    case RECORD_DMA_FREE:
        cut(&cache->cached, r->b, r->c);
        cut(&cache->dirty, r->b, r->c);
        cut(&cache->stale, r->b, r->c);
        break;
    case RECORD_STORE:
        if (find(&cache->cached, r->b, r->c) != NULL) {
            cut(&cache->dirty, r->b, r->c);
            add(&cache->dirty, r->b, r->c);
        }
        break;
    case RECORD_SYNC:
        cut(r->a == 0 ? &cache->dirty : &cache->stale, r->b, r->c);
        break;
    case RECORD_DMA:
        if (r->a == 1 && find(&cache->cached, r->b, r->c) != NULL)
            add(&cache->stale, r->b, r->c);
        break;
    default:
        judge_read(rules, cache, r);
        break;
    }
}

/* Before the device reads it must be clean; before the device writes, too: a line that is written
 * back later would fall on what the device has written. */
static void cache_rung(struct rules *rules, struct picture_sq *sq,
                       const struct picture_command *command)
{
    const struct cache_state *cache = judge_state(rules, &judge_cache);
    (void)sq;
    for (uint32_t i = 0; cache->dirty.count > 0 && i < command->data.count; i++) {
        const struct picture_range *range = &command->data.ranges[i];
        if (find(&cache->dirty, range->bus, range->bytes) == NULL)
            continue;
        rules_complain(rules, RULE_D9, WHERE_COMMAND(rules_cpu(rules), command),
                       "sync for the device before the doorbell",
                       "%s at %llxh lies dirty in the CPU's cache when it is handed over",
                       range->is_list ? "a list" : "data", (unsigned long long)range->bus);
        return;
    }
}

const struct judge judge_cache = {
    .id = JUDGE_CACHE,
    .state_bytes = sizeof(struct cache_state),
    .kinds = UINT64_C(1) << RECORD_DMA_ALLOC | UINT64_C(1) << RECORD_DMA_FREE |
             UINT64_C(1) << RECORD_STORE | UINT64_C(1) << RECORD_SYNC | UINT64_C(1) << RECORD_DMA |
             UINT64_C(1) << RECORD_COPY,
    .record = cache_record,
    .rung = cache_rung,
};
