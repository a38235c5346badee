/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the namespaces hold. Contents are kept as one 64-bit tag per unit of 512 bytes
 * (engine/pattern.h), and eight units that one request wrote as one (media/cell.h); a unit whose
 * bytes are not a whole pattern is kept as bytes. Both ways of putting and of getting mean the same
 * contents, so a caller may mix them. Memory is taken by chunks of 512 KiB of contents as units are
 * first written, so it is bounded by the footprint and not by the size: 8 bytes per 4 KiB where
 * whole cells are written, 80 more for a cell that is a mixture. Called by the controller only;
 * knows nothing of time and nothing of logical blocks: a 4 KiB block is eight units.
 *
 * Positions and counts are in units. A range must lie inside the store (asserted): whoever calls
 * has checked what the host asked for.
 */
#ifndef MEDIA_STORE_H
#define MEDIA_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct store;

/* A store of `bytes` (rounded down to whole units), all zero. Never NULL: exits with a message if
 * out of memory. */
struct store *store_create(uint64_t bytes);
void store_destroy(struct store *store);

/* Units the store can hold. */
uint64_t store_units(const struct store *store);

void store_put_tags(struct store *store, uint64_t unit, const uint64_t *tags, uint32_t count);
/* False if a unit of the range holds bytes that no tag stands for; `tags` is undefined then. */
bool store_get_tags(const struct store *store, uint64_t unit, uint64_t *tags, uint32_t count);

/* count * 512 bytes. */
void store_put_bytes(struct store *store, uint64_t unit, const uint8_t *bytes, uint32_t count);
void store_get_bytes(const struct store *store, uint64_t unit, uint8_t *bytes, uint32_t count);

/* Make the range read as zeroes; whole chunks give their memory back. */
void store_zero(struct store *store, uint64_t unit, uint64_t count);

/* Bytes of memory held for contents now, the directory of chunks and the journal not counted. */
uint64_t store_memory_bytes(const struct store *store);

/* --- What a loss of power leaves (media.h, media_track_loss()). Off until store_track() ---
 *
 * From then on each change has a number, counted up from 1, and what it overwrites is kept until
 * the change is settled: it has reached what survives. A loss takes back what is not. */

void store_track(struct store *store); /* a second call changes nothing */
/* Number of the last change; 0 before the first, and while nothing is tracked. */
uint64_t store_version(const struct store *store);
/* Changes up to number `version` are settled: all of them, or those to the range (whole cells of
 * eight units; a range that begins or ends inside one settles all of it). */
void store_settle_all(struct store *store, uint64_t version);
void store_settle(struct store *store, uint64_t unit, uint64_t count, uint64_t version);
/* Take back every change that is not settled, newest first; nothing is left unsettled. */
void store_revert(struct store *store);
/* Changes that a loss would take back now, counted per cell. */
uint64_t store_unsettled(const struct store *store);

#endif
