/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the counters at the beginning and at the end of the timed part; see counters.h. What was
 * counted in between is added at the end, what there was is taken away at the beginning: unsigned
 * numbers do not mind in which order.
 */
#include "run/counters.h"

#include <string.h>

#define DRIVER_ROW(name, text)     {COUNTER_DRIVER, #name, text},
#define HOST_ROW(name, text)       {COUNTER_HOST, #name, text},
#define CONTROLLER_ROW(name, text) {COUNTER_CONTROLLER, #name, text},
const struct counter_row counter_rows[] = {COUNTERS_DRIVER(DRIVER_ROW) COUNTERS_HOST(HOST_ROW)
                                               COUNTERS_CONTROLLER(CONTROLLER_ROW)};
const size_t counter_row_count = sizeof counter_rows / sizeof counter_rows[0];
_Static_assert(sizeof counter_rows / sizeof counter_rows[0] <= COUNTERS_ROWS_MAX,
               "every row has a place");

/* sign 1 adds, UINT64_MAX takes away. */
static void count(struct counters *counters, uint64_t sign)
{
    struct machine *machine = counters->machine;
    struct machine_snapshot now;
    size_t row = 0;
    machine_snapshot(machine, &now);
    counters->queues = machine_queues(machine);
    counters->requests += sign * now.requests;
#define ADD_TOTAL(name, text) counters->total[row++] += sign * now.queue.name;
    COUNTERS_DRIVER(ADD_TOTAL)
#undef ADD_TOTAL
#define ADD_TOTAL(name, text) counters->total[row++] += sign * now.host.name;
    COUNTERS_HOST(ADD_TOTAL)
#undef ADD_TOTAL
#define ADD_TOTAL(name, text) counters->total[row++] += sign * now.ctrl.name;
    COUNTERS_CONTROLLER(ADD_TOTAL)
#undef ADD_TOTAL
    for (unsigned q = 0; q < counters->queues && q < COUNTERS_QUEUES_MAX; q++) {
        struct nvme_queue_stats stats;
        nvme_get_queue_stats(machine_queue(machine, q), &stats);
        row = 0;
#define ADD_QUEUE(name, text) counters->of_queue[row++][q] += sign * stats.name;
        COUNTERS_DRIVER(ADD_QUEUE)
#undef ADD_QUEUE
        counters->peak[q] = stats.in_flight_peak;
    }
}

static void begin(void *ctx, struct machine *machine)
{
    struct counters *counters = ctx;
    counters->machine = machine;
}

static void end(void *ctx, struct machine *machine)
{
    struct counters *counters = ctx;
    struct nvme_admin_stats stats;
    nvme_get_admin_stats(machine_nvme(machine), &stats);
    counters->admin_protocol_errors = stats.protocol_errors;
    counters->machine = NULL;
}

static void timed(void *ctx, bool begins)
{
    count(ctx, begins ? UINT64_MAX : 1);
}

void counters_watch(struct counters *counters, struct run_spec *spec)
{
    memset(counters, 0, sizeof *counters);
    spec->observe = begin;
    spec->unobserve = end;
    spec->timed = timed;
    spec->observe_ctx = counters;
}
