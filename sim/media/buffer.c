/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The write buffer; see buffer.h. When it is full, a write waits until the earliest program
 * operation has ended, whose end is known: so its slots are handed out ahead of time, together with
 * the time from which they can be used.
 */
#include "media/buffer.h"

#include <assert.h>
#include <stdlib.h>

#include "media/memory.h"
#include "media/model.h"
#include "media/store.h"

#define BLOCKS_OF_UNIT    8u
#define PARTS_PER_MILLION UINT64_C(1000000)
enum { DESTAGE_EAGER, DESTAGE_WATERMARK }; /* buffer_destage */

struct buffer_program {
    uint64_t end_ps;
    uint32_t first; /* slot */
};

struct buffer_promise {
    uint64_t end_ps;
    uint64_t version;
    uint32_t unit;
};

void buffer_init(struct write_buffer *buffer, struct ftl *ftl)
{
    const struct media_params *params = ftl->params;
    uint64_t count = params->buffer_size / FLASH_UNIT_BYTES;

    *buffer = (struct write_buffer){.ftl = ftl,
                                    .slot_count = (uint32_t)count,
                                    .slot_base = (uint32_t)(FTL_NOWHERE - count),
                                    .first_free = FTL_NOWHERE};
    buffer->slots = media_allocate(count, sizeof *buffer->slots);
    buffer->pending = media_allocate(count, sizeof *buffer->pending);
    buffer->programs = media_allocate(count, sizeof *buffer->programs);
    for (uint32_t i = buffer->slot_count; i-- > 0;) {
        buffer->slots[i].next = buffer->first_free;
        buffer->first_free = i;
    }
    buffer->high = ftl->flash.geometry.group_units;
    if (params->buffer_destage == DESTAGE_WATERMARK) {
        buffer->high = (uint32_t)(count * params->buffer_high / PARTS_PER_MILLION);
        buffer->low = (uint32_t)(count * params->buffer_low / PARTS_PER_MILLION);
    }
}

void buffer_free(struct write_buffer *buffer)
{
    free(buffer->slots);
    free(buffer->pending);
    free(buffer->programs);
    free(buffer->promises);
}

/* ---- operations under way: a heap ---- */

static void programs_push(struct write_buffer *buffer, struct buffer_program program)
{
    struct buffer_program *heap = buffer->programs;
    uint32_t at = buffer->program_count++;

    while (at > 0 && heap[(at - 1) / 2].end_ps > program.end_ps) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = program;
}

static struct buffer_program programs_pop(struct write_buffer *buffer)
{
    struct buffer_program *heap = buffer->programs;
    struct buffer_program first = heap[0], last = heap[--buffer->program_count];
    uint32_t at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= buffer->program_count)
            break;
        if (child + 1 < buffer->program_count && heap[child + 1].end_ps < heap[child].end_ps)
            child++;
        if (heap[child].end_ps >= last.end_ps)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

/* ---- slots ---- */

static void slot_free(struct write_buffer *buffer, uint32_t number)
{
    buffer->slots[number].state = SLOT_FREE;
    buffer->slots[number].next = buffer->first_free;
    buffer->first_free = number;
}

static void release_earliest(struct write_buffer *buffer)
{
    struct buffer_program program = programs_pop(buffer);
    uint32_t number = program.first;

    while (number != FTL_NOWHERE) {
        struct buffer_slot *slot = &buffer->slots[number];
        uint32_t next = slot->next;

        if (slot->unit != FTL_NOWHERE)
            table_set(&buffer->ftl->map, slot->unit, slot->copy);
        slot_free(buffer, number);
        number = next;
    }
}

void buffer_release(struct write_buffer *buffer, uint64_t now_ps)
{
    while (buffer->program_count > 0 && buffer->programs[0].end_ps <= now_ps)
        release_earliest(buffer);
}

static uint32_t pending_pop(struct write_buffer *buffer)
{
    uint32_t number = buffer->pending[buffer->pending_first];

    if (++buffer->pending_first == buffer->slot_count)
        buffer->pending_first = 0;
    buffer->pending_count--;
    return number;
}

static void promise(struct write_buffer *buffer, const struct buffer_slot *slot, uint64_t end_ps)
{
    if (buffer->promise_count == buffer->promise_capacity)
        buffer_settle(buffer, buffer->ftl->flash.now_ps);
    if (buffer->promise_count == buffer->promise_capacity) {
        buffer->promise_capacity = 2 * buffer->promise_capacity + BLOCKS_OF_UNIT;
        buffer->promises =
            media_reallocate(buffer->promises, buffer->promise_capacity * sizeof *buffer->promises);
    }
    buffer->promises[buffer->promise_count++] =
        (struct buffer_promise){end_ps, slot->version, slot->unit};
}

/* Slots at the front that are of no more use are free. */
static void pending_discard(struct write_buffer *buffer)
{
    while (buffer->pending_count > 0 &&
           buffer->slots[buffer->pending[buffer->pending_first]].unit == FTL_NOWHERE)
        slot_free(buffer, pending_pop(buffer));
}

/* One program operation from the oldest pending slots, of which at least one is of use; what is
 * missing is padding. when_ps: not before; their data may be there even later. */
static void program_oldest(struct write_buffer *buffer, uint64_t when_ps)
{
    struct ftl *ftl = buffer->ftl;
    uint32_t group = ftl->flash.geometry.group_units, count = 0, first = FTL_NOWHERE;
    uint32_t base = ftl_allocate_for_host(ftl, when_ps);
    uint64_t ready_ps = when_ps, end_ps;

    while (count < group && buffer->pending_count > 0) {
        uint32_t number = pending_pop(buffer);
        struct buffer_slot *slot = &buffer->slots[number];

        if (slot->unit == FTL_NOWHERE) {
            slot_free(buffer, number);
            continue;
        }
        ready_ps = media_later(ready_ps, slot->from_ps);
        if (!buffer_is_whole(slot)) /* read the rest of it, modify, write */
            ready_ps = media_later(ready_ps, flash_copy_read(&ftl->flash, ftl_die(ftl, slot->copy),
                                                             ftl_bit(ftl, slot->copy), 1,
                                                             media_later(when_ps, slot->from_ps)));
        ftl_place(ftl, slot->unit, base + count, slot->copy);
        slot->copy = base + count++;
        slot->blocks = BUFFER_ALL_BLOCKS;
        slot->state = SLOT_PROGRAMMING;
        slot->next = first;
        first = number;
        buffer->pending_live--;
    }
    end_ps = flash_program(&ftl->flash, ftl_die(ftl, base), ftl_row(ftl, base), ready_ps);
    buffer->programmed_ps = media_later(buffer->programmed_ps, end_ps);
    programs_push(buffer, (struct buffer_program){end_ps, first});
    for (uint32_t number = first; buffer->contents != NULL && number != FTL_NOWHERE;
         number = buffer->slots[number].next)
        promise(buffer, &buffer->slots[number], end_ps);
    ftl->stats.host_units += count;
    ftl->stats.padding_units += group - count;
    ftl_collect(ftl, group, when_ps);
}

static void destage(struct write_buffer *buffer, uint64_t now_ps)
{
    uint32_t group = buffer->ftl->flash.geometry.group_units;

    if (buffer->pending_live < buffer->high)
        return;
    while (buffer->pending_live >= group && buffer->pending_live > buffer->low)
        program_oldest(buffer, now_ps);
}

/* A slot, and from when on it can be used. */
static uint32_t slot_take(struct write_buffer *buffer, uint64_t *when_ps)
{
    uint32_t number;

    while (buffer->first_free == FTL_NOWHERE) {
        while (buffer->pending_live >= buffer->ftl->flash.geometry.group_units)
            program_oldest(buffer, *when_ps);
        pending_discard(buffer);
        if (buffer->first_free != FTL_NOWHERE)
            break;
        if (buffer->program_count == 0) /* the ring is full of little that is of use */
            program_oldest(buffer, *when_ps);
        buffer->free_from_ps = media_later(buffer->free_from_ps, buffer->programs[0].end_ps);
        release_earliest(buffer);
    }
    number = buffer->first_free;
    buffer->first_free = buffer->slots[number].next;
    *when_ps = media_later(*when_ps, buffer->free_from_ps);
    return number;
}

uint64_t buffer_write(struct write_buffer *buffer, uint32_t unit, uint8_t blocks, uint64_t now_ps)
{
    struct ftl *ftl = buffer->ftl;
    uint32_t entry = table_get(&ftl->map, unit), number, ring;
    struct buffer_slot *slot;

    if (!buffer_is_slot(buffer, entry) || buffer_slot(buffer, entry)->state != SLOT_PENDING) {
        number = slot_take(buffer, &now_ps);
        entry = table_get(&ftl->map, unit); /* making room may have moved it */
        slot = &buffer->slots[number];
        slot->unit = unit;
        slot->copy = entry;
        slot->blocks = 0;
        slot->from_ps = now_ps;
        if (buffer_is_slot(buffer, entry)) { /* being programmed: its data is merged here */
            slot->copy = buffer_slot(buffer, entry)->copy;
            buffer_slot(buffer, entry)->unit = FTL_NOWHERE;
            slot->blocks = BUFFER_ALL_BLOCKS;
        }
        slot->state = SLOT_PENDING;
        table_set(&ftl->map, unit, buffer->slot_base + number);
        ring = buffer->pending_first + buffer->pending_count++;
        buffer->pending[ring < buffer->slot_count ? ring : ring - buffer->slot_count] = number;
        buffer->pending_live++;
    } else {
        slot = buffer_slot(buffer, entry);
        now_ps = slot->from_ps = media_later(slot->from_ps, now_ps);
    }
    slot->blocks |= blocks;
    slot->version = buffer->contents == NULL ? 0 : store_version(buffer->contents);
    destage(buffer, now_ps);
    return now_ps;
}

void buffer_drop(struct write_buffer *buffer, uint32_t entry)
{
    struct buffer_slot *slot = buffer_slot(buffer, entry);

    if (slot->state == SLOT_PENDING)
        buffer->pending_live--;
    slot->unit = FTL_NOWHERE;
}

uint64_t buffer_drain(struct write_buffer *buffer, uint64_t now_ps)
{
    while (buffer->pending_live > 0)
        program_oldest(buffer, now_ps);
    return media_later(now_ps, buffer->programmed_ps);
}

/* ---- what survives ---- */

void buffer_settle(struct write_buffer *buffer, uint64_t now_ps)
{
    uint64_t contents_units = store_units(buffer->contents);
    size_t kept = 0;

    for (size_t i = 0; i < buffer->promise_count; i++) {
        const struct buffer_promise *one = &buffer->promises[i];
        uint64_t unit = (uint64_t)one->unit * BLOCKS_OF_UNIT;

        if (one->end_ps > now_ps) {
            buffer->promises[kept++] = *one;
        } else if (unit < contents_units) {
            uint64_t count = contents_units - unit;

            store_settle(buffer->contents, unit, count < BLOCKS_OF_UNIT ? count : BLOCKS_OF_UNIT,
                         one->version);
        }
    }
    buffer->promise_count = kept;
}

void buffer_power_loss(struct write_buffer *buffer)
{
    while (buffer->program_count > 0)
        release_earliest(buffer);
    while (buffer->pending_count > 0) {
        uint32_t number = pending_pop(buffer);
        const struct buffer_slot *slot = &buffer->slots[number];

        if (slot->unit != FTL_NOWHERE)
            table_set(&buffer->ftl->map, slot->unit, slot->copy);
        slot_free(buffer, number);
    }
    buffer->pending_live = 0;
    buffer->promise_count = 0;
    buffer->free_from_ps = buffer->programmed_ps = 0;
}
