/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The points of the curves; see drive_plan.h.
 */
#include "cli/drive_plan.h"

#include <stdlib.h>
#include <string.h>

/* Enough of a drive's traffic to be in a steady state, little enough to take a moment. */
#define POINT_BYTES     (UINT64_C(256) << 20)
#define POINT_IOS_LEAST 2000u
#define POINT_IOS_MOST  20000u
#define WARM_PART       10u /* one in so many requests of a point, and twice the depth */

#define DEPTH_MOST        256u
#define RANDOM_BLOCK      4096u
#define BLOCK_MOST        (UINT64_C(1) << 20)
#define SEQUENTIAL_DEPTH  32u
#define LINK_BLOCK        (UINT64_C(128) << 10) /* as most data sheets have it */
#define LINK_RANDOM_DEPTH 128u

/* In the order of their rates. The last one is none at all: the drive alone. */
static const struct curve_link links[] = {{2, 1}, {3, 1}, {3, 2}, {2, 4},
                                          {3, 4}, {4, 4}, {5, 4}, {0, 0}};
#define LINKS (sizeof links / sizeof links[0])

bool drive_plan_has(const struct run_params *params, enum curve_kind kind)
{
    switch (kind) {
    case CURVE_LINK:
        return params->machine.link.kind == LINK_PCIE;
    case CURVE_CLIFF:
        return false; /* no medium so far gets slower with what was written to it */
    case CURVE_DEPTH:
    case CURVE_BLOCK:
    case CURVE_SHEET:
    case CURVE_KINDS:
        break;
    }
    return true;
}

static struct drive_cell *add(struct drive_plan *plan)
{
    if (plan->count == plan->room) {
        plan->room = plan->room == 0 ? 64 : plan->room * 2;
        plan->cells = realloc(plan->cells, plan->room * sizeof *plan->cells);
        if (plan->cells == NULL)
            abort();
    }
    return &plan->cells[plan->count++];
}

static uint64_t point_ios(uint64_t block_bytes)
{
    uint64_t ios = POINT_BYTES / block_bytes;
    if (ios < POINT_IOS_LEAST)
        return POINT_IOS_LEAST;
    return ios > POINT_IOS_MOST ? POINT_IOS_MOST : ios;
}

/* A driver that refuses what it has no slot for cannot go deeper. */
static uint64_t reachable_depth(const struct run_params *params, uint64_t depth)
{
    const struct driver_params *driver = &params->machine.driver;
    return driver->full == NVME_FULL_REJECT && depth > driver->slots ? driver->slots : depth;
}

static struct drive_cell *add_point(struct drive_plan *plan, enum curve_kind kind,
                                    const struct cli_config *config,
                                    const struct datasheet_load *load, uint64_t depth,
                                    uint64_t block_bytes)
{
    struct drive_cell *cell = add(plan);
    uint64_t ios = plan->ios != 0 ? plan->ios : point_ios(block_bytes);
    uint64_t namespace_bytes = config->params.machine.ctrl.namespace_size;
    *cell = (struct drive_cell){
        .point = {.kind = kind,
                  .drive = config->drive,
                  .load = *load,
                  .depth = depth,
                  .block_bytes = block_bytes},
        .config = config,
        .job = {.depth = depth,
                .block_bytes = block_bytes,
                .footprint = plan->footprint < namespace_bytes ? plan->footprint : namespace_bytes,
                .read_percent = load->read_percent,
                .sequential = load->sequential,
                .warm_ios = ios / WARM_PART + 2 * depth,
                .ios = ios}};
    return cell;
}

static void add_depths(struct drive_plan *plan, const struct cli_config *config)
{
    static const char *const loads[] = {"rand-read", "rand-write"};
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (uint64_t depth = 1; depth <= DEPTH_MOST; depth *= 2)
            if (reachable_depth(&config->params, depth) == depth)
                add_point(plan, CURVE_DEPTH, config, datasheet_load_find(loads[i]), depth,
                          RANDOM_BLOCK);
}

static void add_blocks(struct drive_plan *plan, const struct cli_config *config)
{
    static const char *const loads[] = {"seq-read", "seq-write"};
    uint64_t least = run_load_least_block(&config->params);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (uint64_t block = least; block <= BLOCK_MOST; block *= 2)
            add_point(plan, CURVE_BLOCK, config, datasheet_load_find(loads[i]),
                      reachable_depth(&config->params, SEQUENTIAL_DEPTH), block);
}

static void add_links(struct drive_plan *plan, const struct cli_config *config)
{
    static const struct {
        const char *load;
        uint64_t depth, block_bytes;
    } loads[] = {{"rand-read", LINK_RANDOM_DEPTH, RANDOM_BLOCK},
                 {"seq-read", SEQUENTIAL_DEPTH, LINK_BLOCK},
                 {"seq-write", SEQUENTIAL_DEPTH, LINK_BLOCK}};
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (size_t l = 0; l < LINKS; l++)
            add_point(plan, CURVE_LINK, config, datasheet_load_find(loads[i].load),
                      reachable_depth(&config->params, loads[i].depth), loads[i].block_bytes)
                ->point.link = links[l];
}

static void add_sheet(struct drive_plan *plan, const struct cli_config *config,
                      const struct datasheet_table *sheet)
{
    for (size_t i = 0; i < sheet->count; i++) {
        const struct datasheet_figure *figure = &sheet->figures[i];
        if (strcmp(figure->drive, config->drive) == 0)
            add_point(plan, CURVE_SHEET, config, &figure->load,
                      reachable_depth(&config->params, figure->depth), figure->block_bytes)
                ->point.figure = figure;
    }
}

void drive_plan_add(struct drive_plan *plan, enum curve_kind kind, const struct cli_config *config,
                    const struct datasheet_table *sheet)
{
    switch (kind) {
    case CURVE_DEPTH:
        add_depths(plan, config);
        break;
    case CURVE_BLOCK:
        add_blocks(plan, config);
        break;
    case CURVE_LINK:
        add_links(plan, config);
        break;
    case CURVE_SHEET:
        add_sheet(plan, config, sheet);
        break;
    case CURVE_CLIFF:
    case CURVE_KINDS:
        break;
    }
}

void drive_plan_free(struct drive_plan *plan)
{
    free(plan->cells);
}

struct run_params drive_cell_params(const struct drive_cell *cell)
{
    struct run_params params = cell->config->params;
    if (cell->point.kind != CURVE_LINK)
        return params;
    if (cell->point.link.generation == 0) {
        params.machine.link.kind = LINK_EMULATED;
    } else {
        params.machine.link.generation = cell->point.link.generation;
        params.machine.link.lanes = cell->point.link.lanes;
    }
    return params;
}
