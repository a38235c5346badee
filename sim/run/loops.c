/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Closed loops on all CPUs; see loops.h.
 */
#include "run/loops.h"
#include "run/run.h"

#include <stdlib.h>

/* What one CPU is told to do. */
struct loop_order {
    struct loop *loop;
    int (*act)(struct loop *loop, uint64_t ended, uint64_t limit);
    uint64_t ended, limit;
    int error;
};

/* Of all CPUs, how many the fullest queue may have to serve. */
static uint64_t cpus_of_a_queue(const struct machine_params *p)
{
    uint64_t queues = p->driver.queue_choice == OS_QUEUE_FIRST ? 1 : machine_io_queues(p);
    return (p->host.cpus + queues - 1) / queues;
}

uint64_t loops_most_depth(const struct run_params *params)
{
    const struct machine_params *machine = &params->machine;
    if (machine->driver.full != NVME_FULL_REJECT)
        return UINT64_MAX;
    return machine->driver.slots / cpus_of_a_queue(machine);
}

const char *loops_check(const struct run_params *params, const struct loop_job *job)
{
    const struct machine_params *machine = &params->machine;
    uint64_t places = job->footprint / job->block_bytes / machine->host.cpus;
    if (job->read_percent < 100 && places < 2 * job->depth)
        return "--footprint: writes need room for twice as many blocks as are in flight";
    if (places == 0 && job->sequential)
        return "--footprint: every CPU (host.cpus) needs a block";
    if (!job->burst && job->depth > loops_most_depth(params))
        return machine->host.cpus == 1
                   ? "--depth is above driver.slots, and driver.full = reject"
                   : "--depth (of each CPU) is above its share of driver.slots, and driver.full = "
                     "reject";
    return NULL;
}

void loops_create(struct loops *loops, struct machine *machine, const struct loop_job *job,
                  const struct loop_meter *meter, const char *name)
{
    *loops = (struct loops){.machine = machine, .count = host_cpus(machine_host(machine))};
    loops->loop = calloc(loops->count, sizeof *loops->loop);
    if (loops->loop == NULL)
        abort();
    for (unsigned i = 0; i < loops->count; i++) {
        const struct loop_part part = {i, loops->count, &loops->counts};
        loop_create(&loops->loop[i], machine, job, &part, meter, name);
    }
}

void loops_destroy(struct loops *loops)
{
    for (unsigned i = 0; i < loops->count; i++)
        loop_destroy(&loops->loop[i]);
    free(loops->loop);
}

static void obey(void *ctx)
{
    struct loop_order *order = ctx;
    order->error = order->act(order->loop, order->ended, order->limit);
    /* Nobody may wait for requests that this one does not begin any more. */
    if (order->error != NVME_OK && order->loop->counts->error == NVME_OK)
        order->loop->counts->error = order->error;
}

static int on_all(struct loops *loops,
                  int (*act)(struct loop *loop, uint64_t ended, uint64_t limit), uint64_t ended,
                  uint64_t limit)
{
    struct loop_order orders[HOST_CPUS_MAX];
    struct host_program programs[HOST_CPUS_MAX];
    for (unsigned i = 0; i < loops->count; i++) {
        orders[i] = (struct loop_order){&loops->loop[i], act, ended, limit, NVME_OK};
        programs[i] = (struct host_program){obey, &orders[i]};
    }
    int error = host_run(machine_host(loops->machine), programs);
    return error != NVME_OK ? error : loops->counts.error;
}

static int act_drain(struct loop *loop, uint64_t ended, uint64_t limit)
{
    (void)ended;
    (void)limit;
    return loop_drain(loop);
}

static int act_read_back(struct loop *loop, uint64_t ended, uint64_t limit)
{
    (void)ended;
    (void)limit;
    return loop_read_back(loop);
}

int loops_run(struct loops *loops, uint64_t ended, uint64_t limit)
{
    return on_all(loops, loop_run, ended, limit);
}

int loops_drain(struct loops *loops)
{
    return on_all(loops, act_drain, 0, 0);
}

int loops_read_back(struct loops *loops)
{
    return on_all(loops, act_read_back, 0, 0);
}
