/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A drive that has been used before the run begins, made directly: nothing is written. Called once,
 * before the first operation.
 *
 * sequential: every unit has been written once, in order. The collector has had no work.
 *
 * random: the steady state of uniformly random overwriting. Full superblocks are equally old by
 * turns (one is filled, one is emptied), and each write hits any valid unit with the same
 * probability, so from one superblock to the next older one the valid share falls by a constant
 * ratio. The ratio follows from the total, which is every unit of the medium; it is found by
 * bisection. The oldest superblock is what the collector would empty next, so its valid share u
 * gives the write amplification 1 / (1 - u). (Desnoyers, "Analytic modeling of SSD write
 * performance", SYSTOR 2012, arrives at the same for greedy collection with large blocks.)
 */
#include <stdlib.h>

#include "media/ftl.h"
#include "media/memory.h"

enum { PRECONDITION_FRESH, PRECONDITION_SEQUENTIAL, PRECONDITION_RANDOM };

#define ONE (UINT64_C(1) << 32) /* fixed point: shares and ratios */

static void close_superblock(struct ftl *ftl, uint32_t number)
{
    ftl->superblocks[number].state = SUPERBLOCK_FULL;
    ftl->programs += ftl->superblock_units / ftl->flash.geometry.group_units;
    ftl->superblocks[number].closed = ftl->programs;
    ftl->free_count--;
}

static void put(struct ftl *ftl, uint32_t unit, uint32_t position)
{
    ftl_place(ftl, unit, position, FTL_NOWHERE);
    table_set(&ftl->map, unit, position);
}

static void fill_in_order(struct ftl *ftl)
{
    uint32_t group = ftl->flash.geometry.group_units;

    for (uint32_t unit = 0; unit < ftl->units; unit++)
        put(ftl, unit, unit);
    for (uint32_t i = 0; i < ftl->units / ftl->superblock_units; i++)
        close_superblock(ftl, i);
    if (ftl->units % ftl->superblock_units != 0) { /* the host goes on where it was */
        ftl->host.superblock = ftl->units / ftl->superblock_units;
        ftl->host.fill = (ftl->units % ftl->superblock_units + group - 1) / group * group;
        if (ftl->host.fill == ftl->superblock_units) {
            close_superblock(ftl, ftl->host.superblock);
            ftl->host.superblock = FTL_NOWHERE;
        } else {
            ftl->superblocks[ftl->host.superblock].state = SUPERBLOCK_OPEN;
            ftl->free_count--;
        }
    }
}

/* ---- steady state ---- */

/* Valid units of `count` superblocks, the newest first, each `ratio` of the one before; the newest
 * has lost half a step. Returns their sum. */
static uint64_t shares(uint64_t ratio, uint64_t each, uint32_t count, uint32_t *valid)
{
    uint64_t share = (ONE + ratio) / 2, sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t units = (each * share + ONE / 2) >> 32; /* each < 2^31 */

        if (valid != NULL)
            valid[i] = (uint32_t)units;
        sum += units;
        share = share * ratio >> 32;
    }
    return sum;
}

static void steady_shares(const struct ftl *ftl, uint32_t count, uint32_t *valid)
{
    uint64_t low = 0, high = ONE; /* the sum grows with the ratio */
    uint64_t sum;

    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;

        if (shares(middle, ftl->superblock_units, count, NULL) > ftl->units)
            high = middle;
        else
            low = middle;
    }
    sum = shares(low, ftl->superblock_units, count, valid);
    for (uint32_t i = 0; sum < ftl->units; i = (i + 1) % count) { /* what rounding left over */
        if (valid[i] < ftl->superblock_units) {
            valid[i]++;
            sum++;
        }
    }
}

/* Uniform below bound, up to one part in 2^32 / bound. */
static uint32_t draw(struct rng *rng, uint32_t bound)
{
    return (uint32_t)((rng_next(rng) >> 32) * bound >> 32);
}

static void fill_at_random(struct ftl *ftl, uint64_t seed)
{
    /* One superblock is being filled by the host and one by the collector soon: both are still
     * free, besides those at the collector's threshold. */
    uint32_t count = ftl->superblock_count - (uint32_t)ftl->params->ftl_gc_low - 1;
    uint32_t *valid = media_allocate(count, sizeof *valid);
    uint32_t *units = media_allocate(ftl->units, sizeof *units);
    uint32_t next = 0;
    struct rng rng;

    rng_init(&rng, seed, "media precondition");
    steady_shares(ftl, count, valid);
    for (uint32_t i = 0; i < ftl->units; i++) { /* a random order */
        uint32_t with = draw(&rng, i + 1);

        units[i] = units[with];
        units[with] = i;
    }
    for (uint32_t i = count; i-- > 0;) { /* the oldest first */
        uint32_t wanted = valid[i], left = ftl->superblock_units;
        uint32_t position = (count - 1 - i) * ftl->superblock_units;

        for (; wanted > 0; left--, position++) { /* any `wanted` positions, equally likely */
            if (draw(&rng, left) < wanted) {
                put(ftl, units[next++], position);
                wanted--;
            }
        }
        close_superblock(ftl, count - 1 - i);
    }
    free(valid);
    free(units);
}

void ftl_precondition(struct ftl *ftl, uint64_t seed)
{
    switch (ftl->params->precondition) {
    case PRECONDITION_SEQUENTIAL:
        fill_in_order(ftl);
        break;
    case PRECONDITION_RANDOM:
        fill_at_random(ftl, seed);
        break;
    default:
        break;
    }
}
