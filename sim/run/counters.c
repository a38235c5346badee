/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the counters at the beginning and at the end of the timed part; see counters.h. What was
 * counted in between is added at the end, what there was is taken away at the beginning: unsigned
 * numbers do not mind in which order. The health log is read after the last timed part.
 */
#include "run/counters.h"

#include <string.h>

#include <nvme/services.h>

#define DRIVER_ROW(name, text)     {COUNTER_DRIVER, #name, text},
#define ADMIN_ROW(name, text)      {COUNTER_ADMIN, #name, text},
#define HOST_ROW(name, text)       {COUNTER_HOST, #name, text},
#define CONTROLLER_ROW(name, text) {COUNTER_CONTROLLER, #name, text},
const struct counter_row counter_rows[] = {COUNTERS_DRIVER(DRIVER_ROW) COUNTERS_ADMIN(
    ADMIN_ROW) COUNTERS_HOST(HOST_ROW) COUNTERS_CONTROLLER(CONTROLLER_ROW)};
const size_t counter_row_count = sizeof counter_rows / sizeof counter_rows[0];
_Static_assert(sizeof counter_rows / sizeof counter_rows[0] <= COUNTERS_ROWS_MAX,
               "every row has a place");

#define SMART_ROW(name, member, text) {#name, text},
const struct counter_smart_row counter_smart_rows[] = {COUNTERS_SMART(SMART_ROW)};
_Static_assert(sizeof counter_smart_rows / sizeof counter_smart_rows[0] == COUNTERS_SMART_ROWS,
               "as many as counters.h says");

/* sign 1 adds, UINT64_MAX takes away. */
static void count(struct counters *counters, uint64_t sign)
{
    struct machine *machine = counters->machine;
    struct nvme_admin_stats admin;
    struct machine_snapshot now;
    size_t row = 0;
    machine_snapshot(machine, &now);
    nvme_get_admin_stats(machine_nvme(machine), &admin);
    counters->queues = machine_queues(machine);
    counters->requests += sign * now.requests;
#define ADD_TOTAL(name, text) counters->total[row++] += sign * now.queue.name;
    COUNTERS_DRIVER(ADD_TOTAL)
#undef ADD_TOTAL
#define ADD_TOTAL(name, text) counters->total[row++] += sign * admin.name;
    COUNTERS_ADMIN(ADD_TOTAL)
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

/* The log page by way of the driver, as an owner of the drive would read it. */
static void read_smart(void *ctx, struct machine *machine)
{
    struct counters *counters = ctx;
    struct memory *memory = host_memory(machine_host(machine));
    struct memory_area *page =
        memory_alloc(memory, NVME_SMART_BYTES, NVME_SMART_BYTES, true, false);
    struct nvme_admin_request request = {0};
    struct nvme_smart smart;
    size_t row = 0;
    nvme_fill_get_log(&request, NVME_LOG_SMART, UINT32_MAX, 0, false, memory_pointer(page),
                      NVME_SMART_BYTES);
    counters->smart_error = nvme_admin_blocking(machine_nvme(machine), &request);
    if (counters->smart_error == NVME_OK) {
        nvme_read_smart(memory_pointer(page), &smart);
#define TAKE(name, member, text) counters->smart[row++] = smart.member;
        COUNTERS_SMART(TAKE)
#undef TAKE
    }
    memory_free(memory, page);
}

static void end(void *ctx, struct machine *machine)
{
    struct counters *counters = ctx;
    (void)machine;
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
    spec->ending = read_smart;
    spec->unobserve = end;
    spec->timed = timed;
    spec->observe_ctx = counters;
}
