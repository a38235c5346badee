/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Read buffer and read-ahead of a drive with flash: pages that have been read are kept, a stream of
 * requests that follow each other is found and read ahead of, and a page that is still in its die's
 * register is not sensed again. Called by nand.c, and only where media.read_buffer is not 0.
 *
 * Pages are known by their place on the flash, and a page never changes between two erases: so a
 * unit that was written or trimmed is not found here any more because the map says otherwise, and a
 * superblock's count of erases tells an old page from what was written in its place.
 */
#ifndef MEDIA_READAHEAD_H
#define MEDIA_READAHEAD_H

#include "media/ftl.h"

struct read_frame;  /* room for one page */
struct read_stream; /* requests that follow each other */
struct read_register;

struct read_ahead_stats {
    uint64_t hit_units;      /* units from the buffer, those included that were on their way */
    uint64_t register_units; /* from a die's register */
    uint64_t ahead_units;    /* read ahead */
};

struct read_ahead {
    struct ftl *ftl;
    struct read_frame *frames;
    uint32_t *buckets; /* of frames, by page */
    uint32_t frame_count, bucket_mask;
    uint32_t newest, oldest; /* frames by last use */
    struct read_stream *streams;
    uint32_t stream_count, trigger;
    uint64_t turn; /* requests so far: the age of streams */
    uint64_t ahead_bytes;
    uint64_t latency_ps, bandwidth;  /* of a hit: buffer_latency, buffer_bandwidth */
    struct media_line line;          /* the buffer's memory on its way to the host */
    struct read_register *registers; /* one for each die */
    struct read_ahead_stats stats;
};

/* NULL where media.read_buffer is 0. Parameters: checked by read_ahead_check(). */
struct read_ahead *read_ahead_open(struct ftl *ftl);
void read_ahead_close(struct read_ahead *ahead);
/* Why the parameters cannot work, or NULL. */
const char *read_ahead_check(const struct media_params *params);
/* Power is lost: buffer, registers and streams are empty. */
void read_ahead_reset(struct read_ahead *ahead);

/* A read for the host of `units` of one page from `position` on, of which it wants `bytes`, at
 * ready_ps (>= now). Returns when they are there; *start_ps: when somebody begins to work on it. */
uint64_t read_ahead_read(struct read_ahead *ahead, uint32_t position, uint32_t units,
                         uint64_t bytes, uint64_t ready_ps, uint64_t *start_ps);

/* What to read ahead after a request; units [first, end), empty if it belongs to no stream. */
struct read_ahead_want {
    uint32_t first, end;
    struct read_stream *stream;
};
/* Notes a request for bytes [offset, end) of the medium. */
struct read_ahead_want read_ahead_want(struct read_ahead *ahead, uint64_t offset, uint64_t end);
/* Reads `units` of a page ahead. False: there is no room, and nothing was done. */
bool read_ahead_fetch(struct read_ahead *ahead, uint32_t position, uint32_t units,
                      uint64_t ready_ps);
/* All units before `unit` have been read ahead. */
void read_ahead_reached(struct read_stream *stream, uint32_t unit);

#endif
