/* SPDX-License-Identifier: BSD-2-Clause
 *
 * First-fit allocation over a sorted array of free runs. A benchmark volume has a handful of runs,
 * so linear moves are cheaper than any tree. Exits with a message when the process has no memory.
 */
#include "workload/space.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void insert_run(struct space *space, size_t at, struct space_run run)
{
    if (space->count == space->room) {
        space->room = space->room ? space->room * 2 : 16;
        space->runs = realloc(space->runs, space->room * sizeof(*space->runs));
        if (!space->runs) {
            fprintf(stderr, "doorbell: out of memory (free space of the modelled volume)\n");
            exit(4);
        }
    }
    memmove(&space->runs[at + 1], &space->runs[at], (space->count - at) * sizeof(*space->runs));
    space->runs[at] = run;
    space->count++;
}

static void remove_run(struct space *space, size_t at)
{
    space->count--;
    memmove(&space->runs[at], &space->runs[at + 1], (space->count - at) * sizeof(*space->runs));
}

/* Index of the first run that ends after `block`. */
static size_t find_run(const struct space *space, uint64_t block)
{
    size_t low = 0, high = space->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (space->runs[middle].start + space->runs[middle].blocks <= block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void space_init(struct space *space, uint64_t start, uint64_t blocks)
{
    *space = (struct space){0};
    if (blocks)
        insert_run(space, 0, (struct space_run){start, blocks});
    space->free_blocks = blocks;
}

void space_destroy(struct space *space)
{
    free(space->runs);
    *space = (struct space){0};
}

uint64_t space_free_from(const struct space *space, uint64_t start)
{
    const size_t at = find_run(space, start);

    if (at == space->count || space->runs[at].start > start)
        return 0;
    return space->runs[at].start + space->runs[at].blocks - start;
}

bool space_first_fit(const struct space *space, uint64_t blocks, struct space_run *run)
{
    *run = (struct space_run){0, 0};
    for (size_t i = 0; i < space->count; i++) {
        if (space->runs[i].blocks >= blocks) {
            *run = space->runs[i];
            return true;
        }
        if (space->runs[i].blocks > run->blocks)
            *run = space->runs[i];
    }
    return run->blocks != 0;
}

void space_take(struct space *space, uint64_t start, uint64_t blocks)
{
    const size_t at = find_run(space, start);
    struct space_run *run = &space->runs[at];

    assert(at < space->count && run->start <= start && start + blocks <= run->start + run->blocks);
    const uint64_t before = start - run->start;
    const uint64_t after = run->start + run->blocks - (start + blocks);

    space->free_blocks -= blocks;
    if (before && after) {
        run->blocks = before;
        insert_run(space, at + 1, (struct space_run){start + blocks, after});
    } else if (before) {
        run->blocks = before;
    } else if (after) {
        run->start = start + blocks;
        run->blocks = after;
    } else {
        remove_run(space, at);
    }
}

void space_give(struct space *space, uint64_t start, uint64_t blocks)
{
    const size_t at = find_run(space, start);

    if (!blocks)
        return;
    assert(at == space->count || start + blocks <= space->runs[at].start);
    const bool joins_before =
        at > 0 && space->runs[at - 1].start + space->runs[at - 1].blocks == start;
    const bool joins_after = at < space->count && space->runs[at].start == start + blocks;

    space->free_blocks += blocks;
    if (joins_before && joins_after) {
        space->runs[at - 1].blocks += blocks + space->runs[at].blocks;
        remove_run(space, at);
    } else if (joins_before) {
        space->runs[at - 1].blocks += blocks;
    } else if (joins_after) {
        space->runs[at].start = start;
        space->runs[at].blocks += blocks;
    } else {
        insert_run(space, at, (struct space_run){start, blocks});
    }
}
