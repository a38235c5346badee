/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random reads in a closed loop, straight on the operating system's path: no file system, buffers
 * registered once. The workload of the speed benchmarks; see run.h.
 */
#include "run/state.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/rng.h"

struct loop_slot {
    struct nvme_request request;
    struct memory_area *area;
    struct loop_slot *next_ready;
    uint64_t offset;
};

struct loop {
    struct machine *machine;
    struct loop_slot *ready;
    uint64_t ended;
    int error;
};

static void loop_ended(void *ctx, struct nvme_request *request)
{
    struct loop *loop = ctx;
    struct loop_slot *slot = (struct loop_slot *)(void *)request; /* its first member */
    if (request->error != NVME_OK)
        loop->error = request->error;
    else
        machine_check(loop->machine, slot->area, 0, slot->offset,
                      (uint32_t)memory_bytes(slot->area));
    loop->ended++;
    slot->next_ready = loop->ready;
    loop->ready = slot;
}

static struct loop_slot *slots_create(struct loop *loop, const struct run_random_read *job)
{
    struct loop_slot *slots = calloc(job->depth, sizeof *slots);
    if (slots == NULL)
        abort();
    struct memory *memory = host_memory(machine_host(loop->machine));
    for (uint64_t i = job->depth; i-- > 0;) {
        struct loop_slot *slot = &slots[i];
        slot->area = memory_alloc(memory, job->block_bytes, 4096, true, false);
        memory_grant(slot->area, 0, job->block_bytes, MEMORY_FROM_DEVICE);
        slot->next_ready = loop->ready;
        loop->ready = slot;
    }
    return slots;
}

static int loop_start(struct loop *loop, struct loop_slot *slot, const struct run_random_read *job,
                      uint64_t offset)
{
    uint32_t block = machine_device(loop->machine)->block_bytes;
    slot->offset = offset;
    slot->request = (struct nvme_request){.op = NVME_OP_READ,
                                          .flags = NVME_REQ_REGISTERED,
                                          .nsid = 1,
                                          .blocks = (uint32_t)(job->block_bytes / block),
                                          .lba = offset / block,
                                          .bus = memory_bus(slot->area)};
    machine_poison(loop->machine, slot->area, 0, (uint32_t)job->block_bytes);
    return os_start(machine_os(loop->machine), &slot->request, loop_ended, loop);
}

static int loop_run(struct loop *loop, const struct run_random_read *job, struct rng *rng)
{
    uint64_t started = 0, places = job->footprint / job->block_bytes;
    while (loop->ended < job->ios && loop->error == NVME_OK) {
        bool any = false;
        while (loop->ready != NULL && started < job->ios) {
            struct loop_slot *slot = loop->ready;
            loop->ready = slot->next_ready;
            machine_next_request(loop->machine);
            int error = loop_start(loop, slot, job, rng_below(rng, places) * job->block_bytes);
            if (error != NVME_OK)
                return error;
            started++;
            any = true;
        }
        if (any)
            os_kick(machine_os(loop->machine));
        else if (os_wait(machine_os(loop->machine)) != NVME_OK)
            return NVME_E_TIMEOUT;
    }
    return loop->error;
}

#define BLOCK_MOST (UINT64_C(1) << 30)

const char *run_random_read_check(const struct run_params *params,
                                  const struct run_random_read *job)
{
    if (job->block_bytes == 0 || job->block_bytes % 4096 != 0 || job->block_bytes > BLOCK_MOST)
        return "--block-size: random-read takes multiples of 4 KiB up to 1 GiB";
    if (job->footprint < job->block_bytes || job->footprint > params->machine.ctrl.namespace_size)
        return "--footprint: allowed: from one block to the whole namespace "
               "(ctrl.namespace_size)";
    if (params->machine.driver.full == NVME_FULL_REJECT &&
        job->depth > params->machine.driver.slots)
        return "--depth is above driver.slots, and driver.full = reject";
    return NULL;
}

int run_random_read(const struct run_spec *spec, const struct run_random_read *job,
                    struct result *result, char message[RUN_MESSAGE_MAX])
{
    struct run run;
    int error = run_begin(&run, spec, result, message);
    if (error != RUN_OK)
        return error;
    struct loop loop = {.machine = run.machine};
    struct rng rng;
    rng_init(&rng, spec->options.seed, "random-read");
    if (spec->options.verify)
        machine_prefill(run.machine, job->footprint);
    struct loop_slot *slots = slots_create(&loop, job);
    snprintf(result->suite, sizeof result->suite, "random-read");
    result->block_bytes = job->block_bytes;
    uint64_t from = host_now(machine_host(run.machine));
    run_timed_begin(&run);
    result->error = loop_run(&loop, job, &rng);
    run_timed_end(&run);
    if (result->error != NVME_OK) {
        snprintf(message, RUN_MESSAGE_MAX, "random-read ended early: %s",
                 nvme_error_text(result->error));
        error = RUN_E_WORKLOAD;
    }
    result->passes = 1;
    result->pass_ps[0] = host_now(machine_host(run.machine)) - from;
    result->pass_ops[0] = loop.ended;
    result->pass_bytes[0] = loop.ended * job->block_bytes;
    error = run_end(&run, error);
    free(slots);
    return error;
}
