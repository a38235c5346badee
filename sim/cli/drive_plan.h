/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `doorbell bench drive` measures: the points of every curve, each with the load and the
 * machine that it takes. Used by cmd_drive.c only.
 */
#ifndef CLI_DRIVE_PLAN_H
#define CLI_DRIVE_PLAN_H

#include "cli/cli.h"
#include "report/curve.h"
#include "run/load.h"

struct drive_cell {
    struct curve_point point; /* without its result */
    const struct cli_config *config;
    struct run_load job;
};

struct drive_plan {
    struct drive_cell *cells;
    size_t count, room;
    uint64_t ios;       /* of every point; 0: by block size */
    uint64_t footprint; /* bytes, but for a cliff, which takes all; 0: as it suits each point */
};

/* Whether the drive can have such a curve at all: links need a link, a cliff a medium that gets
 * slower. */
bool drive_plan_has(const struct run_params *params, enum curve_kind kind);
/* Add the points of one curve of one drive. sheet: for CURVE_SHEET; figures of other drives are
 * passed over. */
void drive_plan_add(struct drive_plan *plan, enum curve_kind kind, const struct cli_config *config,
                    const struct datasheet_table *sheet);
void drive_plan_free(struct drive_plan *plan);

/* The parameters of a cell: its configuration's, with the cell's link and state, and for a cliff a
 * smaller capacity. */
struct run_params drive_cell_params(const struct drive_cell *cell);

#endif
