/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Free space of the modelled volume: a sorted list of runs of blocks. Used by fs.c only; knows
 * nothing of files.
 */
#ifndef WORKLOAD_SPACE_H
#define WORKLOAD_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space_run {
    uint64_t start, blocks;
};

struct space {
    struct space_run *runs; /* ascending, never touching each other */
    size_t count, room;
    uint64_t free_blocks;
};

/* All of [start, start + blocks) is free. */
void space_init(struct space *space, uint64_t start, uint64_t blocks);
void space_destroy(struct space *space);

/* How many blocks are free in one piece from `start` on; 0 if start is taken. */
uint64_t space_free_from(const struct space *space, uint64_t start);
/* First run of at least `blocks`; if there is none, the first of the longest. False if nothing is
 * free. The run is not taken yet. */
bool space_first_fit(const struct space *space, uint64_t blocks, struct space_run *run);
/* Take blocks that are free (asserted). */
void space_take(struct space *space, uint64_t start, uint64_t blocks);
/* Give back blocks that are taken (asserted); merges with its neighbours. */
void space_give(struct space *space, uint64_t start, uint64_t blocks);

#endif
