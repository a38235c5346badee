/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Read buffer and read-ahead; see readahead.h. A frame holds one page, or those units of it that
 * have passed the channel. When they arrive is known when they are asked for, so a frame can be
 * found before it is full: whoever does waits for the same transfer.
 */
#include "media/readahead.h"

#include <stdlib.h>
#include <string.h>

#include "engine/clock.h"
#include "media/memory.h"
#include "media/model.h"

#define NONE UINT32_MAX

struct read_frame {
    uint64_t ready_ps; /* its last unit has arrived */
    uint32_t page;     /* NONE: holds nothing */
    uint32_t erases;   /* of the superblock, when the page was read */
    uint32_t units;    /* a mask of those that are here or on their way */
    uint32_t chained;  /* next of its bucket */
    uint32_t newer, older;
};
_Static_assert(FLASH_PAGE_UNITS_MAX <= 32, "a mask of the units of a page");

struct read_stream {
    uint64_t next;    /* byte at which it goes on; UINT64_MAX: none yet */
    uint64_t turn;    /* of its last request */
    uint64_t length;  /* requests so far */
    uint32_t reached; /* units before have been read ahead */
};

/* What the array of a die has sensed last. Whatever the die does next makes it busy for longer. */
struct read_register {
    uint64_t busy_ps; /* of the die, afterwards */
    uint32_t page;    /* NONE: nothing of use */
};

const char *read_ahead_check(const struct media_params *params)
{
    if (params->read_buffer != 0 && params->read_buffer < params->nand_page_size)
        return "media.read_buffer must be 0 or hold a page (media.nand_page_size)";
    if (params->read_ahead > params->read_buffer && params->read_buffer != 0)
        return "media.read_ahead must not be above media.read_buffer";
    return NULL;
}

void read_ahead_reset(struct read_ahead *ahead)
{
    memset(ahead->buckets, 0xff, ((size_t)ahead->bucket_mask + 1) * sizeof *ahead->buckets);
    for (uint32_t i = 0; i < ahead->frame_count; i++)
        ahead->frames[i] = (struct read_frame){.page = NONE,
                                               .newer = i == 0 ? NONE : i - 1,
                                               .older = i + 1 == ahead->frame_count ? NONE : i + 1};
    ahead->newest = 0;
    ahead->oldest = ahead->frame_count - 1;
    for (uint32_t i = 0; i < ahead->stream_count; i++)
        ahead->streams[i] = (struct read_stream){.next = UINT64_MAX};
    for (uint32_t i = 0; i < ahead->ftl->flash.geometry.dies; i++)
        ahead->registers[i].page = NONE;
    ahead->line = (struct media_line){0};
}

struct read_ahead *read_ahead_open(struct ftl *ftl)
{
    const struct media_params *params = ftl->params;
    struct read_ahead *ahead;

    if (params->read_buffer == 0)
        return NULL;
    ahead = media_allocate(1, sizeof *ahead);
    ahead->ftl = ftl;
    ahead->frame_count = (uint32_t)(params->read_buffer / params->nand_page_size);
    while (ahead->bucket_mask + 1 < ahead->frame_count)
        ahead->bucket_mask = 2 * ahead->bucket_mask + 1;
    ahead->stream_count = (uint32_t)params->read_streams;
    ahead->trigger = (uint32_t)params->read_trigger;
    ahead->ahead_bytes = params->read_ahead;
    ahead->latency_ps = params->buffer_latency;
    ahead->bandwidth = params->buffer_bandwidth;
    ahead->frames = media_allocate(ahead->frame_count, sizeof *ahead->frames);
    ahead->buckets = media_allocate((size_t)ahead->bucket_mask + 1, sizeof *ahead->buckets);
    ahead->streams = media_allocate(ahead->stream_count, sizeof *ahead->streams);
    ahead->registers = media_allocate(ftl->flash.geometry.dies, sizeof *ahead->registers);
    read_ahead_reset(ahead);
    return ahead;
}

void read_ahead_close(struct read_ahead *ahead)
{
    if (ahead == NULL)
        return;
    free(ahead->frames);
    free(ahead->buckets);
    free(ahead->streams);
    free(ahead->registers);
    free(ahead);
}

/* ---- frames ---- */

static uint32_t *bucket_of(struct read_ahead *ahead, uint32_t page)
{
    return &ahead->buckets[page & ahead->bucket_mask];
}

static uint32_t page_of(const struct read_ahead *ahead, uint32_t position)
{
    return position / ahead->ftl->flash.geometry.page_units;
}

static uint32_t erases_of(const struct read_ahead *ahead, uint32_t position)
{
    return ahead->ftl->superblocks[position / ahead->ftl->superblock_units].erases;
}

static void list_remove(struct read_ahead *ahead, uint32_t number)
{
    const struct read_frame *frame = &ahead->frames[number];

    *(frame->newer == NONE ? &ahead->newest : &ahead->frames[frame->newer].older) = frame->older;
    *(frame->older == NONE ? &ahead->oldest : &ahead->frames[frame->older].newer) = frame->newer;
}

static void list_add_newest(struct read_ahead *ahead, uint32_t number)
{
    struct read_frame *frame = &ahead->frames[number];

    frame->newer = NONE;
    frame->older = ahead->newest;
    *(ahead->newest == NONE ? &ahead->oldest : &ahead->frames[ahead->newest].newer) = number;
    ahead->newest = number;
}

static void unchain(struct read_ahead *ahead, uint32_t number)
{
    uint32_t *link = bucket_of(ahead, ahead->frames[number].page);

    while (*link != number)
        link = &ahead->frames[*link].chained;
    *link = ahead->frames[number].chained;
}

/* The frame of the page, if there is one, whatever it holds of it; it is the newest then. */
static struct read_frame *frame_find(struct read_ahead *ahead, uint32_t position)
{
    uint32_t page = page_of(ahead, position), number = *bucket_of(ahead, page);
    struct read_frame *frame;

    while (number != NONE && ahead->frames[number].page != page)
        number = ahead->frames[number].chained;
    if (number == NONE)
        return NULL;
    frame = &ahead->frames[number];
    if (frame->erases != erases_of(ahead, position)) {
        frame->erases = erases_of(ahead, position);
        frame->units = 0;
    }
    list_remove(ahead, number);
    list_add_newest(ahead, number);
    return frame;
}

/* Room for the page: the frame that was not used for longest, unless data is on its way to it. */
static struct read_frame *frame_take(struct read_ahead *ahead, uint32_t position)
{
    uint32_t number = ahead->oldest, *bucket;
    struct read_frame *frame = &ahead->frames[number];

    if (frame->ready_ps > ahead->ftl->flash.now_ps)
        return NULL;
    if (frame->page != NONE)
        unchain(ahead, number);
    frame->page = page_of(ahead, position);
    frame->erases = erases_of(ahead, position);
    frame->units = 0;
    bucket = bucket_of(ahead, frame->page);
    frame->chained = *bucket;
    *bucket = number;
    list_remove(ahead, number);
    list_add_newest(ahead, number);
    return frame;
}

static uint32_t mask_of(const struct read_ahead *ahead, uint32_t position, uint32_t units)
{
    return ((UINT32_C(1) << units) - 1) << position % ahead->ftl->flash.geometry.page_units;
}

/* ---- dies ---- */

/* Units of a page from its die, without sensing it if the die has sensed nothing since. */
static uint64_t from_die(struct read_ahead *ahead, uint32_t position, uint32_t units,
                         uint64_t ready_ps, uint64_t *start_ps)
{
    struct flash *flash = &ahead->ftl->flash;
    uint32_t die = ftl_die(ahead->ftl, position), page = page_of(ahead, position);
    struct read_register *reg = &ahead->registers[die];
    uint64_t end_ps;

    if (reg->page == page && reg->busy_ps == flash->dies[die].busy_ps) {
        ahead->stats.register_units += units;
        return flash_read_again(flash, die, units, ready_ps, start_ps);
    }
    end_ps = flash_read(flash, die, ftl_bit(ahead->ftl, position), units, ready_ps, start_ps);
    *reg = (struct read_register){flash->dies[die].busy_ps, page};
    return end_ps;
}

static void frame_fill(struct read_frame *frame, uint32_t mask, uint64_t end_ps)
{
    frame->ready_ps = media_later(frame->units == 0 ? 0 : frame->ready_ps, end_ps);
    frame->units |= mask;
}

uint64_t read_ahead_read(struct read_ahead *ahead, uint32_t position, uint32_t units,
                         uint64_t bytes, uint64_t ready_ps, uint64_t *start_ps)
{
    uint32_t mask = mask_of(ahead, position, units);
    struct read_frame *frame = frame_find(ahead, position);
    uint64_t end_ps;

    if (frame != NULL && (frame->units & mask) == mask) {
        ahead->stats.hit_units += units;
        *start_ps = ready_ps;
        return line_take(&ahead->line, ahead->ftl->flash.now_ps,
                         media_later(ready_ps + ahead->latency_ps, frame->ready_ps),
                         clock_transfer_ps(bytes, ahead->bandwidth));
    }
    end_ps = from_die(ahead, position, units, ready_ps, start_ps);
    if (frame == NULL)
        frame = frame_take(ahead, position);
    if (frame != NULL)
        frame_fill(frame, mask, end_ps);
    return end_ps;
}

/* ---- streams ---- */

/* The stream that goes on at `offset`, or the one that has rested for longest, begun anew. */
static struct read_stream *stream_of(struct read_ahead *ahead, uint64_t offset)
{
    struct read_stream *rested = &ahead->streams[0];

    for (uint32_t i = 0; i < ahead->stream_count; i++) {
        struct read_stream *stream = &ahead->streams[i];

        if (stream->next == offset)
            return stream;
        if (stream->turn < rested->turn)
            rested = stream;
    }
    *rested = (struct read_stream){0};
    return rested;
}

struct read_ahead_want read_ahead_want(struct read_ahead *ahead, uint64_t offset, uint64_t end)
{
    struct read_stream *stream = stream_of(ahead, offset);
    struct read_ahead_want want = {.stream = stream};
    uint64_t last = (end + ahead->ahead_bytes + FLASH_UNIT_BYTES - 1) / FLASH_UNIT_BYTES;

    stream->next = end;
    stream->turn = ++ahead->turn;
    if (++stream->length < ahead->trigger)
        return want;
    want.first = (uint32_t)((end + FLASH_UNIT_BYTES - 1) / FLASH_UNIT_BYTES);
    if (want.first < stream->reached)
        want.first = stream->reached;
    want.end = last < ahead->ftl->units ? (uint32_t)last : ahead->ftl->units;
    return want;
}

bool read_ahead_fetch(struct read_ahead *ahead, uint32_t position, uint32_t units,
                      uint64_t ready_ps)
{
    uint32_t mask = mask_of(ahead, position, units);
    struct read_frame *frame = frame_find(ahead, position);
    uint64_t start_ps;

    if (frame == NULL)
        frame = frame_take(ahead, position);
    if (frame == NULL)
        return false;
    if ((frame->units & mask) != mask) {
        frame_fill(frame, mask, from_die(ahead, position, units, ready_ps, &start_ps));
        ahead->stats.ahead_units += units;
    }
    return true;
}

void read_ahead_reached(struct read_stream *stream, uint32_t unit)
{
    stream->reached = unit;
}
