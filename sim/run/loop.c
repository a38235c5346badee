/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The closed loop; see loop.h. Requests of a job that writes never overlap: the standard leaves the
 * order of commands in flight open (NVMe 1.4, 6.4), so nobody could say what the block must hold
 * afterwards. A place that is drawn while it is busy is passed over for the next one that is not.
 */
#include "run/loop.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_BYTES    4096u
#define BITS          8u
#define LOOP_NAME_MAX 64

static bool place_is_busy(const struct loop *loop, uint64_t place)
{
    return (loop->busy[place / BITS] >> place % BITS & 1u) != 0;
}

static void place_toggle(struct loop *loop, uint64_t place)
{
    loop->busy[place / BITS] ^= (uint8_t)(1u << place % BITS);
}

static uint64_t loop_place(struct loop *loop)
{
    if (loop->bare)
        return rng_below(&loop->rng, loop->places); /* first_place is 0 */
    uint64_t place = loop->job.sequential ? loop->next_place : rng_below(&loop->rng, loop->places);
    if (loop->busy != NULL) {
        while (place_is_busy(loop, place))
            place = place + 1 == loop->places ? 0 : place + 1;
        place_toggle(loop, place);
    }
    loop->next_place = place + 1 == loop->places ? 0 : place + 1;
    return loop->first_place + place;
}

static enum nvme_op loop_op(struct loop *loop)
{
    uint64_t reads = loop->job.read_percent;
    if (reads == 100)
        return NVME_OP_READ;
    return reads != 0 && rng_below(&loop->rng, 100) < reads ? NVME_OP_READ : NVME_OP_WRITE;
}

/* What the oracle must know before a request, and after. */
static void loop_prepare(struct loop *loop, struct loop_slot *slot)
{
    uint32_t bytes = (uint32_t)loop->job.block_bytes;
    if (slot->request.op == NVME_OP_READ)
        machine_poison(loop->machine, slot->area, 0, bytes);
    else
        machine_stamp(loop->machine, slot->area, 0, slot->place * bytes, bytes, slot->number);
}

static void loop_verify(struct loop *loop, struct loop_slot *slot)
{
    uint32_t bytes = (uint32_t)loop->job.block_bytes;
    if (slot->request.op == NVME_OP_READ)
        machine_check(loop->machine, slot->area, 0, slot->place * bytes, bytes);
    else
        machine_written(loop->machine, slot->place * bytes, bytes, slot->number);
}

static void loop_free_slot(struct loop *loop, struct loop_slot *slot)
{
    loop->counts->ended++;
    slot->next_ready = loop->ready;
    loop->ready = slot;
}

static void loop_conclude(struct loop *loop, struct loop_slot *slot)
{
    if (loop->job.verify && slot->request.error == NVME_OK)
        loop_verify(loop, slot);
    if (loop->busy != NULL)
        place_toggle(loop, slot->place - loop->first_place);
    if (loop->meter != NULL)
        loop->meter->ended(loop->meter->ctx, slot, host_now(machine_host(loop->machine)));
}

static void loop_ended(void *ctx, struct nvme_request *request)
{
    struct loop *loop = ctx;
    struct loop_slot *slot = (struct loop_slot *)(void *)request; /* its first member */
    if (request->error != NVME_OK && loop->counts->error == NVME_OK)
        loop->counts->error = request->error;
    loop->under_way--;
    if (!loop->bare)
        loop_conclude(loop, slot);
    loop_free_slot(loop, slot);
}

static void read_back_ended(void *ctx, struct nvme_request *request)
{
    struct loop *loop = ctx;
    struct loop_slot *slot = (struct loop_slot *)(void *)request;
    if (request->error == NVME_OK)
        loop_verify(loop, slot);
    else if (loop->counts->error == NVME_OK)
        loop->counts->error = request->error;
    loop_free_slot(loop, slot);
}

/* The loops of a job that reads at random share all places; others have parts. */
static void loop_take_part(struct loop *loop, const struct loop_part *part)
{
    uint64_t all = loop->job.footprint / loop->job.block_bytes;
    loop->places = all;
    if (loop->job.read_percent == 100 && !loop->job.sequential)
        return;
    loop->first_place = all * part->cpu / part->cpus;
    loop->places = all * (part->cpu + 1) / part->cpus - loop->first_place;
}

static void loop_seed(struct loop *loop, unsigned cpu, const char *name)
{
    char own[LOOP_NAME_MAX];
    snprintf(own, sizeof own, cpu == 0 ? "%s" : "%s.%u", name, cpu);
    rng_init(&loop->rng, engine_seed(machine_engine(loop->machine)), own);
}

void loop_create(struct loop *loop, struct machine *machine, const struct loop_job *job,
                 const struct loop_part *part, const struct loop_meter *meter, const char *name)
{
    *loop = (struct loop){.machine = machine,
                          .job = *job,
                          .meter = meter,
                          .os = machine_os(machine, part->cpu),
                          .counts = part->counts,
                          .device_blocks =
                              (uint32_t)(job->block_bytes / machine_device(machine)->block_bytes)};
    loop->hints = os_wants_hints(loop->os);
    loop_take_part(loop, part);
    loop_seed(loop, part->cpu, name);
    loop->bare = job->read_percent == 100 && !job->sequential && !job->verify && meter == NULL;
    loop->slots = calloc(job->depth, sizeof *loop->slots);
    if (job->read_percent < 100)
        loop->busy = calloc(loop->places / BITS + 1, 1);
    if (loop->slots == NULL || (job->read_percent < 100 && loop->busy == NULL))
        abort();
    struct memory *memory = host_memory(machine_host(machine));
    enum memory_direction direction =
        job->read_percent == 100 ? MEMORY_FROM_DEVICE : MEMORY_BOTH_WAYS;
    for (uint64_t i = job->depth; i-- > 0;) {
        struct loop_slot *slot = &loop->slots[i];
        slot->area =
            memory_alloc(memory, job->block_bytes < PAGE_BYTES ? PAGE_BYTES : job->block_bytes,
                         PAGE_BYTES, true, false);
        if (!job->ordinary)
            memory_grant(slot->area, 0, job->block_bytes, direction);
        slot->next_ready = loop->ready;
        loop->ready = slot;
    }
}

void loop_destroy(struct loop *loop)
{
    free(loop->slots); /* the areas go with the machine: the driver may still hold some */
    free(loop->busy);
}

static int loop_submit(struct loop *loop, struct loop_slot *slot, enum nvme_op op, uint32_t hint,
                       void (*ended)(void *ctx, struct nvme_request *request))
{
    slot->request = (struct nvme_request){.op = op,
                                          .flags = NVME_REQ_REGISTERED,
                                          .nsid = 1,
                                          .blocks = loop->device_blocks,
                                          .lba = slot->place * loop->device_blocks,
                                          .bus = memory_bus(slot->area)};
    /* Or nothing to register: the driver has to bounce. */
    if (loop->job.ordinary || !memory_is_reachable(slot->area)) {
        slot->request.flags = 0;
        slot->request.buffer = memory_pointer(slot->area);
    }
    slot->request.flags |= hint;
    slot->number = machine_next_request(loop->machine);
    if (loop->job.verify)
        loop_prepare(loop, slot);
    loop->counts->started++;
    return os_start(loop->os, &slot->request, ended, loop);
}

/* The driver has no slot for the last request: its program has an error, and goes on. */
static void loop_refuse(struct loop *loop, struct loop_slot *slot)
{
    loop->counts->started--;
    loop->under_way--;
    if (loop->busy != NULL)
        place_toggle(loop, slot->place);
    if (loop->meter != NULL)
        loop->meter->refused(loop->meter->ctx, host_now(machine_host(loop->machine)));
    slot->number = 0; /* nothing was written or read there */
    slot->next_ready = loop->refused;
    loop->refused = slot;
}

/* Nothing but the limit of other loops can keep the next request from following at once; whoever
 * stops here kicks. */
static uint32_t loop_hint(const struct loop *loop, uint64_t limit)
{
    bool more = loop->job.burst ? loop->burst_left > 0 : loop->ready != NULL;
    return loop->hints && more && loop->counts->started + 1 < limit ? NVME_REQ_MORE : 0;
}

static int loop_start(struct loop *loop, uint64_t limit)
{
    struct loop_slot *slot = loop->ready;
    loop->ready = slot->next_ready;
    slot->place = loop_place(loop);
    loop->under_way++;
    if (loop->job.burst)
        loop->burst_left--;
    if (loop->meter != NULL) {
        slot->started_ps = host_now(machine_host(loop->machine));
        loop->meter->started(loop->meter->ctx, slot->started_ps);
    }
    int error = loop_submit(loop, slot, loop_op(loop), loop_hint(loop, limit), loop_ended);
    if (error != NVME_E_BUSY || !loop->job.burst)
        return error;
    loop_refuse(loop, slot);
    return NVME_OK;
}

/* A burst begins when nothing is under way any more. */
static void loop_begin_burst(struct loop *loop)
{
    loop->burst_left = loop->job.depth;
    while (loop->refused != NULL) {
        struct loop_slot *slot = loop->refused;
        loop->refused = slot->next_ready;
        slot->next_ready = loop->ready;
        loop->ready = slot;
    }
}

static bool loop_may_start(struct loop *loop)
{
    if (!loop->job.burst)
        return loop->ready != NULL;
    if (loop->burst_left == 0 && loop->under_way == 0)
        loop_begin_burst(loop);
    return loop->burst_left > 0;
}

int loop_run(struct loop *loop, uint64_t ended, uint64_t limit)
{
    struct loop_counts *counts = loop->counts;
    while (counts->ended < ended && counts->error == NVME_OK) {
        bool any = false;
        while (counts->started < limit && loop_may_start(loop)) {
            int error = loop_start(loop, limit);
            if (error != NVME_OK)
                return error;
            any = true;
        }
        if (any)
            os_kick(loop->os);
        else if (os_in_flight(loop->os) == 0)
            break; /* the rest are other loops' */
        else if (os_wait(loop->os) != NVME_OK)
            return NVME_E_TIMEOUT;
    }
    return counts->error;
}

int loop_drain(struct loop *loop)
{
    while (os_in_flight(loop->os) > 0 && loop->counts->error == NVME_OK)
        if (os_wait(loop->os) != NVME_OK)
            return NVME_E_TIMEOUT;
    return loop->counts->error;
}

int loop_read_back(struct loop *loop)
{
    loop->ready = NULL; /* every slot is free; the list is not needed any more */
    for (uint64_t i = 0; i < loop->job.depth; i++) {
        if (loop->slots[i].number == 0)
            continue; /* never used */
        int error = loop_submit(loop, &loop->slots[i], NVME_OP_READ, 0, read_back_ended);
        if (error != NVME_OK)
            return error;
    }
    os_kick(loop->os);
    return loop_drain(loop);
}
