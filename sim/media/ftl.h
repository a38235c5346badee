/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The translation layer: which unit of the medium (4 KiB) is where on the flash, superblocks (one
 * block of every plane of every die) that are written from start to end, and the collector that
 * empties them. A unit's newest data can also be in the write buffer (buffer.h), which keeps its
 * copy on the flash until the newer one is programmed. Called by nand.c and buffer.c.
 *
 * Positions on the flash: superblock * units of a superblock + place in the order of writing, which
 * fills a program operation of one die, then the same of the next die, channel by channel.
 */
#ifndef MEDIA_FTL_H
#define MEDIA_FTL_H

#include "media/flash.h"
#include "media/table.h"

#define FTL_NOWHERE UINT32_MAX

enum superblock_state { SUPERBLOCK_FREE, SUPERBLOCK_OPEN, SUPERBLOCK_FULL };

struct superblock {
    enum superblock_state state;
    uint32_t valid; /* units whose newest copy on the flash is here */
    uint32_t erases;
    uint64_t closed; /* program operations of the drive when it became full */
};

/* Where units are written next: the host's, and the collector's. */
struct ftl_stream {
    uint32_t superblock; /* FTL_NOWHERE: none is open */
    uint32_t fill;       /* units handed out of it */
};

struct collector {
    uint32_t victim; /* FTL_NOWHERE: none */
    uint32_t cursor; /* next unit of it */
    int64_t credit;  /* units of the host times `valid`, less units copied times `garbage` */
    uint32_t valid, garbage; /* of the victim, when it was chosen */
    bool levelling;          /* it was chosen for its low wear */
    uint32_t staged, base;   /* units copied to the program operation that begins at base */
    uint64_t ready_ps;       /* when the last of them has been read */
};

struct ftl_stats {
    uint64_t host_units;    /* programmed for the host */
    uint64_t copied_units;  /* programmed for the collector */
    uint64_t padding_units; /* programmed with nothing in them */
    uint64_t erases;        /* of superblocks */
    uint64_t level_victims; /* superblocks emptied for wear alone */
};

struct write_buffer;

struct ftl {
    const struct media_params *params;
    struct flash flash;
    uint32_t units;            /* of the medium */
    uint32_t superblock_units; /* of flash in a superblock */
    uint32_t superblock_count;
    uint32_t free_count;
    uint64_t programs;    /* operations so far: the clock of cost-benefit */
    struct table map;     /* unit to position, or to a slot of the buffer */
    struct table reverse; /* position to unit, as written */
    struct superblock *superblocks;
    struct ftl_stream host, copies;
    struct collector collector;
    struct write_buffer *buffer;
    struct ftl_stats stats;
};

/* Superblocks of a medium of `capacity` bytes, and why that cannot work, or NULL. */
uint64_t ftl_superblocks(const struct media_params *params, uint64_t capacity);
const char *ftl_params_check(const struct media_params *params, uint64_t capacity);

/* flash is initialised here as well. */
void ftl_init(struct ftl *ftl, const struct media_params *params, uint64_t capacity, uint64_t seed);
void ftl_free(struct ftl *ftl);

/* ---- positions ---- */

static inline uint32_t ftl_die(const struct ftl *ftl, uint32_t position)
{
    return position % ftl->superblock_units / ftl->flash.geometry.group_units %
           ftl->flash.geometry.dies;
}
static inline uint32_t ftl_row(const struct ftl *ftl, uint32_t position)
{
    return position % ftl->superblock_units / ftl->flash.geometry.group_units /
           ftl->flash.geometry.dies;
}
/* Which bit of its cells the page of a position holds. */
uint32_t ftl_bit(const struct ftl *ftl, uint32_t position);
/* Are both in the same page? */
static inline bool ftl_same_page(const struct ftl *ftl, uint32_t a, uint32_t b)
{
    return a / ftl->flash.geometry.page_units == b / ftl->flash.geometry.page_units;
}

/* ---- writing ---- */

/* Positions for one program operation, contiguous; opens a superblock where needed. */
uint32_t ftl_allocate(struct ftl *ftl, struct ftl_stream *stream);
/* The same for the host: may have to empty superblocks first, from ready_ps on. */
uint32_t ftl_allocate_for_host(struct ftl *ftl, uint64_t ready_ps);
/* The unit's newest copy on the flash is at `position` now, instead of at `old`. */
void ftl_place(struct ftl *ftl, uint32_t unit, uint32_t position, uint32_t old);
void ftl_invalidate(struct ftl *ftl, uint32_t position); /* nothing for FTL_NOWHERE */
/* The copy on the flash that a unit's entry in the map stands for, or FTL_NOWHERE. */
uint32_t ftl_copy_of(const struct ftl *ftl, uint32_t unit);

/* ---- collecting (collector.c) ---- */

/* `units` more are programmed for the host at ready_ps: collect in proportion, if at all. */
void ftl_collect(struct ftl *ftl, uint32_t units, uint64_t ready_ps);
/* Empty one superblock now, whatever it takes. */
void ftl_collect_one(struct ftl *ftl, uint64_t ready_ps);
/* The free superblock to open next: the one with the least wear, or with the most. */
uint32_t ftl_free_superblock(const struct ftl *ftl, bool worn);
/* Erase counts of all superblocks. */
void ftl_wear(const struct ftl *ftl, uint32_t *least, uint32_t *most);

/* ---- a drive that has been used (precondition.c) ---- */

void ftl_precondition(struct ftl *ftl, uint64_t seed);

#endif
