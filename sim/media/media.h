/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is behind the controller: how long the medium takes (a model chosen by profile) and what it
 * holds (media/store.h). The controller sees only this interface. Addresses are bytes on the
 * medium: where a namespace begins on it is the caller's affair. See docs/media.md.
 */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H

#include <stdbool.h>

#include "config/param.h"
#include "engine/engine.h"

enum media_kind { MEDIA_NULL, MEDIA_FIXED, MEDIA_PAGE_CACHE, MEDIA_NAND };

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct media_params {
#include "media/media.def"
};
#include "config/param_end.h"

extern const struct param_row media_rows[];
extern const size_t media_row_count;

/* What no single limit can say, for a medium of `capacity` addressable bytes. NULL if the
 * combination is good, else a sentence that names the keys and what is allowed (valid until the
 * next call). */
const char *media_params_check(const struct media_params *params, uint64_t capacity);

enum media_op {
    MEDIA_READ,
    MEDIA_WRITE,
    MEDIA_FLUSH,  /* ends when what was written before it is on what survives a loss of power */
    MEDIA_ZERO,   /* make it read as zeroes, without moving data */
    MEDIA_TRIM,   /* the contents are not needed any more */
    MEDIA_VERIFY, /* a read whose data stays in the device */
};

struct media;
struct store;

/* kind and everything else from params, which media_params_check() has found good; capacity in
 * bytes. Never NULL: exits with a message if out of memory. */
struct media *media_create(struct engine *engine, const struct media_params *params,
                           uint64_t capacity);
void media_destroy(struct media *media);

/* Start an operation on bytes [offset, offset + bytes), which lie inside the capacity; `done(ctx,
 * arg)` fires when it has ended (never from inside this call), and *start_ps tells when the medium
 * begins to work on it (waiting before that). Never fails. bytes is 0 for MEDIA_FLUSH, and may be 0
 * for every operation. */
void media_start(struct media *media, enum media_op op, uint64_t offset, uint64_t bytes,
                 engine_fn *done, void *ctx, uint64_t arg, uint64_t *start_ps);

/* How long a flush takes at most when nothing else is under way: what it adds to a shutdown, ps. */
uint64_t media_flush_ps(const struct media *media);

/* Whether what has been written survives a loss of power without a flush (media.capacitor). */
bool media_is_protected(const struct media *media);

/* Watch what a loss of power would take back of `contents`, whose unit 0 is byte 0 of the medium.
 * Costs time and memory for every change from now on. Call it once, before the first write. The
 * contents must outlive the medium's last call. A write's data must be in the contents when
 * media_start() is called for it. */
void media_track_loss(struct media *media, struct store *contents);
/* The power goes now and comes back at once: nothing is under way any more, volatile buffers are
 * empty, and the contents given to media_track_loss() are what they were when last safe. The caller
 * forgets operations under way: their done() still fires. */
void media_power_loss(struct media *media);

struct media_stats {
    uint64_t reads, writes, flushes, zeroes, trims, verifies;
    uint64_t bytes_read, bytes_written; /* by operations with data; verifies are not reads */
    uint64_t busy_ps;                   /* from beginning to end, summed over operations */
};
void media_get_stats(const struct media *media, struct media_stats *stats);

/* The host has lent `bytes` of its memory, or taken them back (0): segments of the map that a
 * controller without enough memory (ftl_map_cache) lets go are kept there. Nothing for other kinds.
 */
void media_set_host_buffer(struct media *media, uint64_t bytes);
/* How much of it would be of use: the whole map; 0 if none is. */
uint64_t media_host_buffer_bytes(const struct media *media);

/* What only `nand` has; units are unit_bytes. Write amplification is (host_units + copied_units +
 * padding_units) / host_units, or against what the host has written, which the buffer may have
 * merged. */
struct media_nand_stats {
    uint32_t unit_bytes, dies, superblocks, free_superblocks;
    uint64_t host_units;    /* programmed for the host */
    uint64_t copied_units;  /* programmed by the collector */
    uint64_t padding_units; /* programmed with nothing in them, by flushes */
    uint64_t trimmed_units;
    uint64_t erases;        /* of superblocks */
    uint64_t level_victims; /* superblocks emptied for wear alone */
    uint32_t wear_least, wear_most;
    uint64_t buffer_hits;    /* units read while in the write buffer */
    uint64_t read_hits;      /* units found in the read buffer or on their way to it */
    uint64_t register_units; /* units read without sensing: their page was in the die's register */
    uint64_t ahead_units;    /* units read ahead of a stream */
    uint64_t map_misses, host_map_hits;
    uint64_t busy_ps;      /* arrays at work, promised work included, summed over dies */
    uint64_t memory_bytes; /* of the map and its reverse */
};
/* False, and nothing is touched, for other kinds. */
bool media_get_nand_stats(const struct media *media, struct media_nand_stats *stats);
/* The same of one die; 0 for what is none. */
uint64_t media_die_busy_ps(const struct media *media, uint32_t die);

#endif
