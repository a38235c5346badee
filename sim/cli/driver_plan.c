/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The points of drivers' curves; see driver_plan.h. What a machine is for which curve: CPUs need a
 * drive that more than one of them can keep busy; copies one that is faster than a CPU copies;
 * doorbells a guest, where each costs an exit, and a controller that can do without them; bursts a
 * drive that is slower than the CPU and has a short queue.
 */
#include "cli/driver_plan.h"

#include <stdlib.h>

#define CPUS_MOST    64u
#define CPUS_DEPTH   16u /* of each CPU */
#define COPIES_DEPTH 8u
#define BLOCK_MOST   (UINT64_C(1) << 20)
#define DEPTH_MOST   256u
#define BURST_LEAST  8u
#define BURST_MOST   1024u
#define RANDOM_BLOCK 4096u
#define FOOTPRINT    (UINT64_C(256) << 20)
#define IOS          20000u
#define COPIES_BYTES (UINT64_C(256) << 20) /* or fewer requests */
#define BURSTS       4u
#define WARM_PART    10u /* one in so many requests, and twice those in flight */

static const struct driver_plan_machine machines[DRIVER_CURVE_KINDS] = {
    [DRIVER_CURVE_CPUS] = {{"netbsd-msix", "netbsd-intx"}, "samsung-pm9a3", "generic"},
    [DRIVER_CURVE_COPIES] = {{"genode-slot", "genode-request-stream"}, "samsung-pm9a3", "generic"},
    [DRIVER_CURVE_DOORBELLS] = {{"linux", "linux-dbbuf"}, "qemu-nvme-dbbuf", "kvm-guest"},
    [DRIVER_CURVE_OVERLOAD] = {{"aros-current", "aros-reviewed"}, "worst-case", "generic"},
};

const struct driver_plan_machine *driver_plan_machine(enum driver_curve_kind kind)
{
    return &machines[kind];
}

static struct driver_cell *add(struct driver_plan *plan)
{
    if (plan->count == plan->room) {
        plan->room = plan->room == 0 ? 64 : plan->room * 2;
        plan->cells = realloc(plan->cells, plan->room * sizeof *plan->cells);
        if (plan->cells == NULL)
            abort();
    }
    return &plan->cells[plan->count++];
}

static void add_point(struct driver_plan *plan, const struct cli_config *config,
                      const struct driver_point *point, bool sequential)
{
    struct driver_cell *cell = add(plan);
    uint64_t in_flight = point->depth * point->cpus;
    uint64_t ios = plan->ios != 0 ? plan->ios : IOS;
    *cell = (struct driver_cell){*point, config, {0}};
    cell->point.driver = config->driver;
    cell->point.drive = config->drive;
    cell->point.host = config->host;
    if (plan->ios == 0 && ios > COPIES_BYTES / point->block_bytes)
        ios = COPIES_BYTES / point->block_bytes;
    cell->job = (struct run_load){.depth = point->depth,
                                  .block_bytes = point->block_bytes,
                                  .footprint = plan->footprint != 0 ? plan->footprint : FOOTPRINT,
                                  .read_percent = 100,
                                  .sequential = sequential,
                                  .ordinary = true,
                                  .warm_ios = ios / WARM_PART + 2 * in_flight,
                                  .ios = ios};
}

static void add_cpus(struct driver_plan *plan, const struct cli_config *config)
{
    struct run_params params = config->params;
    for (uint64_t cpus = 1; cpus <= CPUS_MOST; cpus *= 2) {
        params.machine.host.cpus = cpus;
        add_point(plan, config,
                  &(struct driver_point){.kind = DRIVER_CURVE_CPUS,
                                         .cpus = cpus,
                                         .depth = run_load_depth(&params, CPUS_DEPTH),
                                         .block_bytes = RANDOM_BLOCK},
                  false);
    }
}

static void add_copies(struct driver_plan *plan, const struct cli_config *config)
{
    for (uint64_t block = RANDOM_BLOCK; block <= BLOCK_MOST; block *= 2)
        add_point(plan, config,
                  &(struct driver_point){.kind = DRIVER_CURVE_COPIES,
                                         .cpus = config->params.machine.host.cpus,
                                         .depth = run_load_depth(&config->params, COPIES_DEPTH),
                                         .block_bytes = block},
                  true);
}

static void add_doorbells(struct driver_plan *plan, const struct cli_config *config)
{
    for (uint64_t depth = 1; depth <= DEPTH_MOST; depth *= 2)
        if (run_load_depth(&config->params, depth) == depth)
            add_point(plan, config,
                      &(struct driver_point){.kind = DRIVER_CURVE_DOORBELLS,
                                             .cpus = config->params.machine.host.cpus,
                                             .depth = depth,
                                             .block_bytes = RANDOM_BLOCK},
                      false);
}

static void add_overload(struct driver_plan *plan, const struct cli_config *config)
{
    for (uint64_t burst = BURST_LEAST; burst <= BURST_MOST; burst *= 2) {
        add_point(plan, config,
                  &(struct driver_point){.kind = DRIVER_CURVE_OVERLOAD,
                                         .cpus = config->params.machine.host.cpus,
                                         .depth = burst,
                                         .block_bytes = RANDOM_BLOCK},
                  false);
        struct run_load *job = &plan->cells[plan->count - 1].job;
        job->burst = true;
        job->warm_ios = burst;
        if (plan->ios == 0 && job->ios < BURSTS * burst)
            job->ios = BURSTS * burst;
    }
}

void driver_plan_add(struct driver_plan *plan, enum driver_curve_kind kind,
                     const struct cli_config *config)
{
    switch (kind) {
    case DRIVER_CURVE_CPUS:
        add_cpus(plan, config);
        break;
    case DRIVER_CURVE_COPIES:
        add_copies(plan, config);
        break;
    case DRIVER_CURVE_DOORBELLS:
        add_doorbells(plan, config);
        break;
    case DRIVER_CURVE_OVERLOAD:
        add_overload(plan, config);
        break;
    case DRIVER_CURVE_KINDS:
        break;
    }
}

void driver_plan_free(struct driver_plan *plan)
{
    free(plan->cells);
}
