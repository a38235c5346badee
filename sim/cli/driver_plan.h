/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `doorbell bench driver` measures: which drivers on which machine a curve compares where
 * nothing else is said, and its points, each with the load and the machine that it takes. Used by
 * cmd_driver.c only.
 */
#ifndef CLI_DRIVER_PLAN_H
#define CLI_DRIVER_PLAN_H

#include "cli/load_tasks.h"
#include "report/driver_curve.h"

struct driver_plan_machine {
    const char *drivers[2];
    const char *drive, *host;
};

struct driver_cell {
    struct driver_point point; /* without its result */
    const struct cli_config *config;
    struct run_load job;
};

struct driver_plan {
    struct driver_cell *cells;
    size_t count, room;
    uint64_t ios;       /* of every point; 0: as it suits each */
    uint64_t footprint; /* bytes; 0: 256 MiB */
};

const struct driver_plan_machine *driver_plan_machine(enum driver_curve_kind kind);
/* Add the points of one driver on one curve. */
void driver_plan_add(struct driver_plan *plan, enum driver_curve_kind kind,
                     const struct cli_config *config);
void driver_plan_free(struct driver_plan *plan);

#endif
