/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flash: geometry, and the time of each operation on dies and channels. Knows nothing of what is
 * stored where. Called by the translation layer (ftl.h).
 *
 * A die does one thing at a time. Reads for the host go before background work that waits in the
 * die's queues (but not for longer than nand_defer), and of that, reads for copies before programs
 * and erases. The end of background work is promised when it is queued, as if nothing came that
 * overtakes it; what does makes later work of that die later instead.
 */
#ifndef MEDIA_FLASH_H
#define MEDIA_FLASH_H

#include "media/latency.h"
#include "media/line.h"
#include "media/media.h"

#define FLASH_UNIT_BYTES     UINT32_C(4096) /* what the map counts in */
#define FLASH_BITS_MAX       4u
#define FLASH_PAGE_UNITS_MAX 16u /* nand_page_size at most 64 KiB */

struct flash_geometry {
    uint32_t channels, dies; /* dies of all channels; die d is on channel d % channels */
    uint32_t bits;           /* of a cell */
    uint32_t page_units;     /* 4 KiB units of a page */
    uint32_t group_units;    /* of what one program operation writes: a page, or one of each bit, in
                                each plane */
    uint32_t group_pages;    /* the same in pages of all planes together */
    uint32_t rows;           /* program operations of a block */
};
void flash_geometry(struct flash_geometry *geometry, const struct media_params *params);

struct flash_op;

struct flash_queue { /* a ring */
    struct flash_op *ops;
    uint32_t first, count, capacity;
};

struct flash_die {
    struct flash_queue copies;   /* reads for copies */
    struct flash_queue programs; /* and erases */
    uint64_t copies_ps;          /* promised end of the last read for a copy */
    uint64_t tail_ps;            /* promised end of everything */
    uint64_t working_ps;         /* end of the background operation that has begun last */
    uint64_t work_limit_ps;      /* it is not suspended beyond */
    uint64_t reads_ps;           /* end of the last host read */
    uint64_t busy_ps;            /* array work so far */
};

struct flash_channel {
    struct media_line line;
    struct media_line promised; /* the same without what overtakes: for promises */
};

struct flash {
    struct flash_geometry geometry;
    uint64_t now_ps; /* of the call from outside: whoever makes it sets it first */
    struct flash_die *dies;
    struct flash_channel *channels;
    uint64_t read_ps[FLASH_BITS_MAX];
    uint64_t program_ps[FLASH_BITS_MAX]; /* [0] alone for one-shot programming */
    uint64_t erase_ps, command_ps, suspend_ps, defer_ps, unit_ps; /* unit_ps: 4 KiB on a channel */
    bool one_shot, cached, suspend;
    struct latency_table read_table; /* empty: read_ps[] */
    struct rng read_rng;
};

void flash_init(struct flash *flash, const struct media_params *params, uint64_t seed);
void flash_free(struct flash *flash);
/* Nothing is under way any more. */
void flash_reset(struct flash *flash);

/* A read for the host of `units` of one page, which holds cell bit number `bit`. Returns when the
 * data has passed the channel; *start_ps: when the die begins. As for all of these, nothing begins
 * before ready_ps, which is not before now_ps. */
uint64_t flash_read(struct flash *flash, uint32_t die, uint32_t bit, uint32_t units,
                    uint64_t ready_ps, uint64_t *start_ps);

/* More of the page that the die has sensed last, out of its register: passes the channel as soon as
 * the page is there. */
uint64_t flash_read_again(struct flash *flash, uint32_t die, uint32_t units, uint64_t ready_ps,
                          uint64_t *start_ps);

/* Background. Each returns the promised end. row: number of the program operation in its block. */
uint64_t flash_copy_read(struct flash *flash, uint32_t die, uint32_t bit, uint32_t units,
                         uint64_t ready_ps);
uint64_t flash_program(struct flash *flash, uint32_t die, uint32_t row, uint64_t ready_ps);
uint64_t flash_erase(struct flash *flash, uint32_t die, uint64_t ready_ps);

/* Time of one program operation of the slowest kind with its data, ps. */
uint64_t flash_program_most_ps(const struct flash *flash);

#endif
