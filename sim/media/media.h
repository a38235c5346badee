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

enum media_kind { MEDIA_NULL, MEDIA_FIXED, MEDIA_PAGE_CACHE };

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
    uint64_t busy_ps;                   /* summed over units, dies for NAND */
};
void media_get_stats(const struct media *media, struct media_stats *stats);

#endif
