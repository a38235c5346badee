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

/* A cliff is measured on a drive scaled down to this, with the same dies, so that it takes seconds:
 * the time to the cliff scales with the capacity, the rates before and after do not. */
#define CLIFF_CAPACITY (UINT64_C(4) << 30)
#define CLIFF_DEPTH    32u
/* The cliff is where the capacity and the over-provisioning have been written once; after six
 * times the steady state is reached. A quarter of it is enough for the mean of the steady state. */
#define CLIFF_TIMES        6u
#define CLIFF_STEADY_SHARE 4u

/* Footprint where none is asked for. */
#define POINT_FOOTPRINT (UINT64_C(256) << 20)
#define BUFFER_TIMES    2u /* a write buffer is filled so often before the timed part */

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
        return params->machine.media.kind == MEDIA_NAND; /* the others do not collect garbage */
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

static bool has_states(const struct run_params *params)
{
    return params->machine.media.kind == MEDIA_NAND;
}

/* The state in which a load finds the drive where nothing else is said: the profile's. But what
 * sequential loads leave behind is a drive that was filled in order, however it was before. */
static enum drive_state natural_state(const struct run_params *params, bool sequential)
{
    enum drive_state state = (enum drive_state)params->machine.media.precondition;

    if (!has_states(params))
        return DRIVE_AS_IS;
    return sequential && state == DRIVE_STEADY ? DRIVE_FILLED : state;
}

static uint64_t point_footprint(const struct drive_plan *plan, const struct drive_cell *cell)
{
    uint64_t all = cell->config->params.machine.ctrl.namespace_size;
    uint64_t wanted = plan->footprint != 0 ? plan->footprint : POINT_FOOTPRINT;

    /* A steady state is one of writes everywhere. */
    if (plan->footprint == 0 && cell->point.state == DRIVE_STEADY &&
        cell->point.load.read_percent < 100)
        return all;
    return wanted < all ? wanted : all;
}

static uint64_t point_warm_ios(const struct drive_cell *cell, uint64_t ios)
{
    const struct media_params *media = &cell->config->params.machine.media;
    uint64_t warm = ios / WARM_PART + 2 * cell->point.depth;

    if (cell->point.load.read_percent < 100 && has_states(&cell->config->params))
        warm += BUFFER_TIMES * media->buffer_size / cell->point.block_bytes;
    return warm;
}

static struct drive_cell *add_point(struct drive_plan *plan, enum curve_kind kind,
                                    const struct cli_config *config,
                                    const struct datasheet_load *load, enum drive_state state,
                                    uint64_t depth, uint64_t block_bytes)
{
    struct drive_cell *cell = add(plan);
    uint64_t ios = plan->ios != 0 ? plan->ios : point_ios(block_bytes);
    if (state == DRIVE_AS_IS || !has_states(&config->params))
        state = natural_state(&config->params, load->sequential);
    *cell = (struct drive_cell){.point = {.kind = kind,
                                          .drive = config->drive,
                                          .load = *load,
                                          .depth = depth,
                                          .block_bytes = block_bytes,
                                          .state = state},
                                .config = config};
    cell->job = (struct run_load){.depth = depth,
                                  .block_bytes = block_bytes,
                                  .footprint = point_footprint(plan, cell),
                                  .read_percent = load->read_percent,
                                  .sequential = load->sequential,
                                  .warm_ios = point_warm_ios(cell, ios),
                                  .ios = ios};
    return cell;
}

static void add_depths(struct drive_plan *plan, const struct cli_config *config)
{
    static const char *const loads[] = {"rand-read", "rand-write"};
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (uint64_t depth = 1; depth <= DEPTH_MOST; depth *= 2)
            if (run_load_depth(&config->params, depth) == depth)
                add_point(plan, CURVE_DEPTH, config, datasheet_load_find(loads[i]), DRIVE_AS_IS,
                          depth, RANDOM_BLOCK);
}

static void add_blocks(struct drive_plan *plan, const struct cli_config *config)
{
    static const char *const loads[] = {"seq-read", "seq-write"};
    uint64_t least = run_load_least_block(&config->params);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (uint64_t block = least; block <= BLOCK_MOST; block *= 2)
            add_point(plan, CURVE_BLOCK, config, datasheet_load_find(loads[i]), DRIVE_AS_IS,
                      run_load_depth(&config->params, SEQUENTIAL_DEPTH), block);
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
            add_point(plan, CURVE_LINK, config, datasheet_load_find(loads[i].load), DRIVE_AS_IS,
                      run_load_depth(&config->params, loads[i].depth), loads[i].block_bytes)
                ->point.link = links[l];
}

static uint64_t cliff_capacity(const struct run_params *params)
{
    uint64_t all = params->machine.ctrl.namespace_size;

    /* Where the number of blocks is given, a smaller capacity would be more over-provisioning. */
    return all < CLIFF_CAPACITY || params->machine.media.nand_blocks != 0 ? all : CLIFF_CAPACITY;
}

static void add_cliff(struct drive_plan *plan, const struct cli_config *config)
{
    static const enum drive_state states[] = {DRIVE_FRESH, DRIVE_STEADY};
    uint64_t capacity = cliff_capacity(&config->params);
    uint64_t depth = run_load_depth(&config->params, CLIFF_DEPTH);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct drive_cell *cell =
            add_point(plan, CURVE_CLIFF, config, datasheet_load_find("rand-write"), states[i],
                      depth, RANDOM_BLOCK);
        cell->job.footprint = capacity; /* all of it, or there would be no cliff */
        if (states[i] == DRIVE_FRESH)
            cell->job.warm_ios = 0;
        if (plan->ios == 0)
            cell->job.ios = capacity / RANDOM_BLOCK * (states[i] == DRIVE_FRESH ? CLIFF_TIMES : 1) /
                            (states[i] == DRIVE_FRESH ? 1 : CLIFF_STEADY_SHARE);
    }
}

static void add_sheet(struct drive_plan *plan, const struct cli_config *config,
                      const struct datasheet_table *sheet)
{
    for (size_t i = 0; i < sheet->count; i++) {
        const struct datasheet_figure *figure = &sheet->figures[i];
        if (strcmp(figure->drive, config->drive) == 0)
            add_point(plan, CURVE_SHEET, config, &figure->load, figure->state,
                      run_load_depth(&config->params, figure->depth), figure->block_bytes)
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
        add_cliff(plan, config);
        break;
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
    struct machine_params *machine = &params.machine;
    if (cell->point.state != DRIVE_AS_IS)
        machine->media.precondition = cell->point.state;
    if (cell->point.kind == CURVE_CLIFF)
        machine->ctrl.namespace_size = cliff_capacity(&cell->config->params);
    if (cell->point.kind != CURVE_LINK)
        return params;
    if (cell->point.link.generation == 0) {
        machine->link.kind = LINK_EMULATED;
    } else {
        machine->link.generation = cell->point.link.generation;
        machine->link.lanes = cell->point.link.lanes;
    }
    return params;
}
