/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The write buffer of a drive with flash: a slot of 4 KiB for each unit that has been written and
 * is not programmed yet, in the order of writing. While it is there, the unit's entry in the map
 * names the slot, and the slot remembers the unit's copy on the flash. Called by nand.c, ftl.c and
 * collector.c.
 */
#ifndef MEDIA_BUFFER_H
#define MEDIA_BUFFER_H

#include "media/ftl.h"

struct store;

#define BUFFER_ALL_BLOCKS 0xffu /* a mask of the eight 512-byte blocks of a unit */

enum buffer_slot_state { SLOT_FREE, SLOT_PENDING, SLOT_PROGRAMMING };

struct buffer_slot {
    uint64_t version; /* last change of the contents that is in it (store_version) */
    uint64_t from_ps; /* when its data is there: a full buffer makes it wait */
    uint32_t unit;    /* FTL_NOWHERE: written again or trimmed since, of no more use */
    uint32_t copy;    /* the unit's copy on the flash; while programming, the one being made */
    uint32_t next;    /* free slots; slots of one program operation */
    uint8_t blocks;   /* which of its blocks are here; the others are in the copy */
    uint8_t state;
};

struct buffer_program; /* a program operation under way */
struct buffer_promise; /* what becomes safe when */

struct write_buffer {
    struct ftl *ftl;
    struct buffer_slot *slots;
    uint32_t slot_count, slot_base; /* the map's entries for slots begin at slot_base */
    uint32_t first_free;
    uint32_t *pending; /* a ring of slots in the order of writing */
    uint32_t pending_first, pending_count;
    uint32_t pending_live;           /* of them still of use */
    uint32_t high, low;              /* levels of destaging, slots; eager: one operation and 0 */
    struct buffer_program *programs; /* a heap, earliest end first */
    uint32_t program_count;
    uint64_t free_from_ps;  /* slots free now can be used from then on */
    uint64_t programmed_ps; /* end of all operations so far */
    struct store *contents; /* NULL: nobody asks what is safe */
    struct buffer_promise *promises;
    size_t promise_count, promise_capacity;
};

void buffer_init(struct write_buffer *buffer, struct ftl *ftl);
void buffer_free(struct write_buffer *buffer);

/* Slots whose program operation has ended by now are free. */
void buffer_release(struct write_buffer *buffer, uint64_t now_ps);
/* Take `blocks` (a mask) of a unit. Returns when there is room for it: now, or a time to come. */
uint64_t buffer_write(struct write_buffer *buffer, uint32_t unit, uint8_t blocks, uint64_t now_ps);
/* Program everything. Returns when that has ended. */
uint64_t buffer_drain(struct write_buffer *buffer, uint64_t now_ps);
/* The unit's data is not needed any more. */
void buffer_drop(struct write_buffer *buffer, uint32_t entry);

/* Tell the contents what has been programmed by now. */
void buffer_settle(struct write_buffer *buffer, uint64_t now_ps);
/* Forget everything; units are what their copy on the flash says. */
void buffer_power_loss(struct write_buffer *buffer);

static inline bool buffer_is_slot(const struct write_buffer *buffer, uint32_t entry)
{
    return entry >= buffer->slot_base && entry != FTL_NOWHERE;
}
static inline struct buffer_slot *buffer_slot(const struct write_buffer *buffer, uint32_t entry)
{
    return &buffer->slots[entry - buffer->slot_base];
}
static inline uint32_t buffer_copy_of(const struct write_buffer *buffer, uint32_t entry)
{
    return buffer_slot(buffer, entry)->copy;
}
/* The collector has moved the copy. */
static inline void buffer_moved(struct write_buffer *buffer, uint32_t entry, uint32_t position)
{
    buffer_slot(buffer, entry)->copy = position;
}
/* Is all of the unit in the buffer? */
static inline bool buffer_is_whole(const struct buffer_slot *slot)
{
    return slot->blocks == BUFFER_ALL_BLOCKS || slot->copy == FTL_NOWHERE;
}

#endif
