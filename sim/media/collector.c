/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The garbage collector: empties one superblock after the other, in steps proportional to what the
 * host writes, so that the free superblocks stay at their threshold. Also wear levelling: when
 * erase counts drift apart, a superblock whose data never changes is emptied now and then, and its
 * data goes to a worn one.
 *
 * Copies are moved in the map when they are read; their program operation follows when one is full.
 * What is in between is in the drive's memory, which a loss of power does not take here.
 */
#include "media/buffer.h"
#include "media/ftl.h"
#include "media/model.h"

/* A superblock emptied for its wear alone may have no garbage: copies per unit of the host. */
#define LEVELLING_PACE 4u

void ftl_wear(const struct ftl *ftl, uint32_t *least, uint32_t *most)
{
    *least = UINT32_MAX;
    *most = 0;
    for (uint32_t i = 0; i < ftl->superblock_count; i++) {
        uint32_t erases = ftl->superblocks[i].erases;

        if (erases < *least)
            *least = erases;
        if (erases > *most)
            *most = erases;
    }
}

uint32_t ftl_free_superblock(const struct ftl *ftl, bool worn)
{
    uint32_t best = FTL_NOWHERE;

    for (uint32_t i = 0; i < ftl->superblock_count; i++) {
        const struct superblock *one = &ftl->superblocks[i];

        if (one->state != SUPERBLOCK_FREE)
            continue;
        if (best == FTL_NOWHERE || (worn ? one->erases > ftl->superblocks[best].erases
                                         : one->erases < ftl->superblocks[best].erases))
            best = i;
    }
    return best;
}

/* ---- choosing ---- */

static bool is_candidate(const struct ftl *ftl, uint32_t number)
{
    const struct collector *collector = &ftl->collector;

    return ftl->superblocks[number].state == SUPERBLOCK_FULL &&
           (collector->base == FTL_NOWHERE || collector->base / ftl->superblock_units != number);
}

/* The higher, the better to empty now. */
static uint64_t merit(const struct ftl *ftl, uint32_t number)
{
    const struct superblock *one = &ftl->superblocks[number];
    uint64_t garbage = ftl->superblock_units - one->valid;

    if (ftl->params->ftl_gc_policy == 0)
        return garbage;
    /* benefit / cost: (1 - u) * age / (1 + u) */
    return garbage * (ftl->programs - one->closed + 1) / (ftl->superblock_units + one->valid);
}

static uint32_t best_victim(const struct ftl *ftl)
{
    uint32_t best = FTL_NOWHERE;
    uint64_t most = 0;

    for (uint32_t i = 0; i < ftl->superblock_count; i++) {
        uint64_t value;

        if (!is_candidate(ftl, i) || ftl->superblocks[i].valid == ftl->superblock_units)
            continue;
        value = merit(ftl, i);
        if (best == FTL_NOWHERE || value > most) {
            best = i;
            most = value;
        }
    }
    return best;
}

/* The least worn one with data, if wear has drifted too far apart. Not twice in a row, and only
 * where a whole superblock can be copied without touching the reserve. */
static uint32_t still_victim(const struct ftl *ftl)
{
    uint32_t least, most, best = FTL_NOWHERE;

    if (ftl->params->ftl_wear_threshold == 0 || ftl->collector.levelling || ftl->free_count < 2)
        return FTL_NOWHERE;
    ftl_wear(ftl, &least, &most);
    if (most - least <= ftl->params->ftl_wear_threshold)
        return FTL_NOWHERE;
    for (uint32_t i = 0; i < ftl->superblock_count; i++) {
        if (is_candidate(ftl, i) &&
            (best == FTL_NOWHERE || ftl->superblocks[i].erases < ftl->superblocks[best].erases))
            best = i;
    }
    if (best != FTL_NOWHERE &&
        most - ftl->superblocks[best].erases > ftl->params->ftl_wear_threshold)
        return best;
    return FTL_NOWHERE;
}

static void choose(struct ftl *ftl)
{
    struct collector *collector = &ftl->collector;

    collector->victim = still_victim(ftl);
    collector->levelling = collector->victim != FTL_NOWHERE;
    if (collector->levelling)
        ftl->stats.level_victims++;
    else
        collector->victim = best_victim(ftl);
    collector->cursor = 0;
    collector->credit = 0;
    if (collector->victim == FTL_NOWHERE)
        return;
    collector->valid = ftl->superblocks[collector->victim].valid;
    collector->garbage = ftl->superblock_units - collector->valid;
    if (collector->levelling && collector->garbage < collector->valid / LEVELLING_PACE + 1)
        collector->garbage = collector->valid / LEVELLING_PACE + 1;
}

/* ---- copying ---- */

static void program_staged(struct ftl *ftl)
{
    struct collector *collector = &ftl->collector;

    flash_program(&ftl->flash, ftl_die(ftl, collector->base), ftl_row(ftl, collector->base),
                  collector->ready_ps);
    collector->base = FTL_NOWHERE;
    collector->staged = 0;
}

static void stage(struct ftl *ftl, uint32_t unit, uint32_t from)
{
    struct collector *collector = &ftl->collector;
    uint32_t entry, to;

    if (collector->base == FTL_NOWHERE) {
        collector->base = ftl_allocate(ftl, ftl->params->ftl_separate ? &ftl->copies : &ftl->host);
    }
    to = collector->base + collector->staged++;
    entry = table_get(&ftl->map, unit);
    ftl_place(ftl, unit, to, from);
    if (buffer_is_slot(ftl->buffer, entry))
        buffer_moved(ftl->buffer, entry, to);
    else
        table_set(&ftl->map, unit, to);
    ftl->stats.copied_units++;
    if (collector->staged == ftl->flash.geometry.group_units)
        program_staged(ftl);
}

static void erase(struct ftl *ftl, uint64_t ready_ps)
{
    struct collector *collector = &ftl->collector;
    struct superblock *victim = &ftl->superblocks[collector->victim];

    /* Each die has read what it held of it: the erase waits behind that in its queue. */
    for (uint32_t die = 0; die < ftl->flash.geometry.dies; die++)
        flash_erase(&ftl->flash, die, ready_ps);
    victim->state = SUPERBLOCK_FREE;
    victim->erases++;
    ftl->free_count++;
    ftl->stats.erases++;
    collector->victim = FTL_NOWHERE;
}

/* Copy up to `quota` units of the victim, whole pages at a time; erase it when nothing is left. */
static void copy(struct ftl *ftl, uint64_t quota, uint64_t ready_ps)
{
    struct collector *collector = &ftl->collector;
    struct superblock *victim = &ftl->superblocks[collector->victim];
    uint32_t first = collector->victim * ftl->superblock_units;
    uint32_t page_units = ftl->flash.geometry.page_units;
    uint64_t copied = 0;

    while (victim->valid > 0 && copied < quota) {
        uint32_t page = first + collector->cursor;
        uint32_t units[FLASH_PAGE_UNITS_MAX], from[FLASH_PAGE_UNITS_MAX];
        uint32_t count = 0;

        for (uint32_t position = page; position < page + page_units; position++) {
            uint32_t unit = table_get(&ftl->reverse, position);

            if (unit != TABLE_EMPTY && ftl_copy_of(ftl, unit) == position) {
                units[count] = unit;
                from[count++] = position;
            }
        }
        collector->cursor += page_units;
        if (count == 0)
            continue;
        if (collector->staged == 0)
            collector->ready_ps = ready_ps;
        collector->ready_ps =
            media_later(collector->ready_ps, flash_copy_read(&ftl->flash, ftl_die(ftl, page),
                                                             ftl_bit(ftl, page), count, ready_ps));
        for (uint32_t i = 0; i < count; i++) /* in the order of the page */
            stage(ftl, units[i], from[i]);
        copied += count;
    }
    if (victim->valid == 0)
        erase(ftl, ready_ps);
    collector->credit -= (int64_t)(copied * collector->garbage);
}

void ftl_collect(struct ftl *ftl, uint32_t units, uint64_t ready_ps)
{
    struct collector *collector = &ftl->collector;

    if (collector->victim == FTL_NOWHERE) {
        if (ftl->free_count > ftl->params->ftl_gc_low)
            return;
        choose(ftl);
        if (collector->victim == FTL_NOWHERE)
            return;
    }
    /* Its valid units are copied while the host writes as many as it has garbage: each superblock
     * that the host fills is replaced by one that is free. */
    collector->credit += (int64_t)((uint64_t)units * collector->valid);
    copy(ftl, collector->credit > 0 ? (uint64_t)collector->credit / collector->garbage : 0,
         ready_ps);
}

void ftl_collect_one(struct ftl *ftl, uint64_t ready_ps)
{
    if (ftl->collector.victim == FTL_NOWHERE)
        choose(ftl);
    copy(ftl, UINT64_MAX, ready_ps);
}
