/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The event stream: what happens in a run, as typed records, for whoever wants to read it (ledger,
 * checker, traces, statistics, timelines). Writers ask stream_wants() first, so that a stream that
 * nobody reads costs one predicted branch. The meaning of kinds and operands is in pcie/record.h;
 * this file only carries them.
 */
#ifndef ENGINE_STREAM_H
#define ENGINE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

struct stream_record {
    uint64_t time_ps;
    uint16_t kind;   /* 0..63 */
    uint16_t source; /* which CPU or controller, counted from 0 */
    uint32_t a;
    uint64_t b, c, d;
    const void *data; /* what some kinds add, valid while the record is delivered; else NULL */
};

struct stream_reader {
    void (*read)(void *ctx, const struct stream_record *record);
    void *ctx;
    uint64_t kinds;             /* bit k set: wants kind k */
    struct stream_reader *next; /* the stream's own */
};

struct stream {
    uint64_t wanted; /* union of the readers' kinds */
    struct stream_reader *readers;
};

/* Readers are called in the order in which they were added. The reader's memory stays the caller's
 * and must live until it is removed. While it is called, a reader may remove itself, but not
 * another. */
void stream_add(struct stream *stream, struct stream_reader *reader);
void stream_remove(struct stream *stream, struct stream_reader *reader);
void stream_deliver(const struct stream *stream, const struct stream_record *record);

static inline bool stream_wants(const struct stream *stream, unsigned kind)
{
    return __builtin_expect((stream->wanted >> kind & 1u) != 0, 0);
}

#endif
