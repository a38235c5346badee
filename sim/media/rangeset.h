/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A set of block numbers as ranges in order: blocks that cannot be read. Empty sets cost one
 * comparison; memory grows with the number of ranges, never with their length.
 */
#ifndef MEDIA_RANGESET_H
#define MEDIA_RANGESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t first, end; /* [first, end), first < end */
};

struct rangeset {
    struct range *ranges; /* in order, disjoint, never adjacent */
    size_t count, capacity;
};

/* A zeroed structure is the empty set. */
void rangeset_free(struct rangeset *set);
/* count >= 1 and first + count must not wrap, for all of these. */
void rangeset_add(struct rangeset *set, uint64_t first, uint64_t count);
void rangeset_remove(struct rangeset *set, uint64_t first, uint64_t count);
/* Is any of the blocks in the set? *which: the first one that is; may be NULL. */
bool rangeset_touches(const struct rangeset *set, uint64_t first, uint64_t count, uint64_t *which);
void rangeset_clear(struct rangeset *set);

#endif
