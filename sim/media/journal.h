/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a loss of power would take back: for each cell of a store, what each of its unsettled
 * changes overwrote, newest first. A table from cell to its list. Called by store.c only.
 */
#ifndef MEDIA_JOURNAL_H
#define MEDIA_JOURNAL_H

#include <stdint.h>

struct journal;

struct journal *journal_create(void); /* never NULL: exits with a message if out of memory */
void journal_destroy(struct journal *journal);

/* Count up; what is saved from now on belongs to this change. */
void journal_next_version(struct journal *journal);
uint64_t journal_version(const struct journal *journal);

/* What the cell holds before the change: eight tags, or bytes where one is no pattern. */
void journal_save_tags(struct journal *journal, uint64_t cell, const uint64_t *tags);
void journal_save_bytes(struct journal *journal, uint64_t cell, const uint8_t *bytes,
                        uint32_t count);

/* Changes of the cell, or of all cells, up to `version` cannot be taken back any more. */
void journal_settle(struct journal *journal, uint64_t cell, uint64_t version);
void journal_settle_all(struct journal *journal, uint64_t version);

/* Give each cell with unsettled changes what it held before the oldest of them, and forget them.
 * bytes is NULL if the tags are meant. */
typedef void journal_restore_fn(void *ctx, uint64_t cell, const uint64_t *tags,
                                const uint8_t *bytes);
void journal_take_back(struct journal *journal, journal_restore_fn *restore, void *ctx);

/* Saved changes, counted per cell. */
uint64_t journal_count(const struct journal *journal);

#endif
