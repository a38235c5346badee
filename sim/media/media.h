/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is behind the controller: how long the medium takes (a model chosen by profile) and what it
 * holds (media/store.h). The controller sees only this interface. Hangs on engine alone.
 */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H

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

enum media_op { MEDIA_READ, MEDIA_WRITE, MEDIA_FLUSH, MEDIA_ZERO };

struct media;

/* kind and everything else from params. */
struct media *media_create(struct engine *engine, const struct media_params *params);
void media_destroy(struct media *media);

/* Start an operation on bytes [offset, offset + bytes); `done(ctx, arg)` fires when it has ended
 * (never from inside this call), and *start_ps tells when the medium begins to work on it (waiting
 * before that). Never fails. bytes may be 0 for MEDIA_FLUSH. */
void media_start(struct media *media, enum media_op op, uint64_t offset, uint32_t bytes,
                 engine_fn *done, void *ctx, uint64_t arg, uint64_t *start_ps);

/* How long a flush takes at most when nothing else is under way: what it adds to a shutdown. */
uint64_t media_flush_ps(const struct media *media);

struct media_stats {
    uint64_t reads, writes, flushes, zeroes;
    uint64_t bytes_read, bytes_written;
    uint64_t busy_ps; /* summed over units */
};
void media_get_stats(const struct media *media, struct media_stats *stats);

#endif
