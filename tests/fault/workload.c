/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One run of the mixed workload: more requests than there are slots, on two queues; their owner
 * polls, steps, and resets a controller that has failed or lets it wait too long. Each request must
 * end once, as the fault allows; then a clean batch must work, and all must come back. See run.h.
 */
#include "fault/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "nvme/controller.h"
#include "pcie/record.h"

#define REQUESTS     64u
#define PATIENCE_PS  (UINT64_C(500) * 1000000000) /* without any progress */
#define POLL_PS      UINT64_C(2000000)
#define POLL_IDLE_PS UINT64_C(100000000)

/* ---- the owner's loop ---- */

static bool overlaps(const struct run *run, const struct job *job)
{
    for (unsigned i = 0; i < RUN_AT_A_TIME; i++) {
        const struct job *other = &run->jobs[i];

        if (run->busy[i] && other != job && other->block < job->block + job->blocks &&
            job->block < other->block + other->blocks &&
            (request_writes(job->request.op) || request_writes(other->request.op)))
            return true;
    }
    return false;
}

/* Entries, then what has ended. */
static void look(struct run *run)
{
    struct world *world = &run->world;
    uint64_t before = run->ended;

    for (unsigned i = 0; i < nvme_get_info(world->nvme)->io_queues; i++) {
        nvme_ring(nvme_get_queue(world->nvme, i));
        nvme_poll(nvme_get_queue(world->nvme, i), 0);
    }
    nvme_step(world->nvme, world_now(world) / 1000);
    for (unsigned i = 0; i < RUN_AT_A_TIME; i++) {
        if (!run->busy[i] || run->jobs[i].ended == 0)
            continue;
        run->busy[i] = false;
        run->in_flight--;
        judge_job(run, &run->jobs[i]);
    }
    judge_reset(run);
    if (run->ended != before)
        run->progress_ps = world_now(world);
}

/* A moment passes. False: the controller is gone for good. */
static bool pump(struct run *run)
{
    struct world *world = &run->world;
    bool idle = world_now(world) - run->progress_ps > 4 * POLL_IDLE_PS;

    look(run);
    if (nvme_state(world->nvme) == NVME_STATE_FAILED ||
        (nvme_state(world->nvme) == NVME_STATE_READY && run->in_flight != 0 &&
         world_now(world) - run->progress_ps > PATIENCE_PS)) {
        if (!(run->kind->may & MAY_RESET) || run->clean)
            campaign_fail("the controller has failed: %s",
                          nvme_error_text(nvme_failure(world->nvme, NULL)));
        run->came_back = world_recover(world);
        run->progress_ps = world_now(world);
        look(run);
        return run->came_back;
    }
    world_wait(world, idle ? POLL_IDLE_PS : POLL_PS);
    return true;
}

static bool begin(struct run *run, struct job *job)
{
    struct world *world = &run->world;
    struct nvme_request *r = &job->request;

    while (overlaps(run, job))
        if (!pump(run))
            return false;
    request_prepare(run, job);
    for (;;) {
        int error;

        while (nvme_state(world->nvme) != NVME_STATE_READY)
            if (!pump(run))
                return false;
        error = nvme_submit(nvme_get_queue(world->nvme, job->queue), r);
        if (error == NVME_OK)
            break;
        if (error != NVME_E_BUSY && error != NVME_E_STATE)
            campaign_fail("request %" PRIu64 " is refused: %s", job->number,
                          nvme_error_text(error));
        if (!pump(run))
            return false;
    }
    run->busy[job - run->jobs] = true;
    if (run->in_flight++ == 0)
        run->progress_ps = world_now(world);
    return true;
}

static struct job *free_job(struct run *run)
{
    for (;;) {
        for (unsigned i = 0; i < RUN_AT_A_TIME; i++)
            if (!run->busy[i])
                return &run->jobs[i];
        if (!pump(run))
            return NULL;
    }
}

static bool drain(struct run *run)
{
    while (run->in_flight != 0)
        if (!pump(run))
            return false;
    return true;
}

/* All blocks, one operation, in pieces of 64. */
static bool sweep(struct run *run, enum nvme_op op)
{
    for (uint32_t block = 0; block < CAMPAIGN_BLOCKS; block += 64) {
        struct job *job = free_job(run);

        if (!job)
            return false;
        job->block = block;
        job->blocks = 64;
        request_make(run, job, op);
        if (!begin(run, job))
            return false;
    }
    return drain(run);
}

static bool mixed(struct run *run)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct job *job = free_job(run);

        if (!job)
            return false;
        request_choose_range(run, job);
        request_make(run, job, request_choose_op(run));
        if (!begin(run, job))
            return false;
    }
    return drain(run);
}

/* Of the part in which faults strike. */
static void count(struct run *run)
{
    struct ctrl_stats stats;

    ctrl_get_stats(machine_ctrl(run->world.machine), &stats);
    run->counts->io = stats.commands;
    stream_remove(engine_stream(machine_engine(run->world.machine)), &run->reader);
}

/* A fault that lasts is over, and one that struck the last command has been noticed. */
static bool settle_down(struct run *run)
{
    if (run->kind->place == CAMPAIGN_WHILE)
        world_wait(&run->world, CAMPAIGN_WHILE_PS);
    do {
        if (!pump(run))
            return false;
    } while (nvme_state(run->world.nvme) != NVME_STATE_READY);
    return true;
}

/* Whatever happened: what is there is what may be there, and everything works again. */
static bool clean_batch(struct run *run)
{
    if (!sweep(run, NVME_OP_READ))
        return false;
    if (!settle_down(run))
        return false;
    run->clean = true; /* from here on nothing may go wrong */
    run->ledger.corrupt_allowed = false;
    if (run->counts)
        count(run);
    if (!sweep(run, NVME_OP_WRITE) || !sweep(run, NVME_OP_READ))
        return false;
    return true;
}

/* ---- one run ---- */

static void observe(void *ctx, const struct stream_record *record)
{
    struct run *run = ctx;
    struct campaign_counts *counts = run->counts;

    if (record->kind == RECORD_IRQ)
        counts->messages++;
    if (record->kind == RECORD_CSTS && (record->c & 1) != 0)
        counts->enables++;
    if (counts->moment_count != 0 && counts->moments[counts->moment_count - 1] >= record->time_ps)
        return;
    if (counts->moment_count == run->room) {
        run->room = run->room ? 2 * run->room : 1024;
        counts->moments = realloc(counts->moments, run->room * sizeof *counts->moments);
        if (!counts->moments)
            abort();
    }
    counts->moments[counts->moment_count++] = record->time_ps;
}

static void rule(const struct campaign_kind *kind, uint64_t at_event, uint64_t at_ps, char *text,
                 size_t bytes)
{
    static const char *const queues[] = {[CAMPAIGN_IO] = "",
                                         [CAMPAIGN_ADMIN] = "queue=0 ",
                                         [CAMPAIGN_ENABLE] = "",
                                         [CAMPAIGN_MESSAGE] = ""};

    text[0] = '\0';
    if (kind->place == CAMPAIGN_TIME)
        snprintf(text, bytes, "at=%" PRIu64 "ps : %s", at_ps, kind->action);
    else if (kind->place == CAMPAIGN_WHILE)
        snprintf(text, bytes, "after=%" PRIu64 "ps before=%" PRIu64 "ps : %s", at_ps,
                 at_ps + CAMPAIGN_WHILE_PS, kind->action);
    else if (kind->place != CAMPAIGN_NOWHERE)
        snprintf(text, bytes, "%snth=%" PRIu64 " : %s", queues[kind->place], at_event,
                 kind->action);
}

static enum campaign_end how_it_ended(const struct run *run)
{
    struct nvme *nvme = run->world.nvme;
    struct nvme_admin_stats admin;
    struct nvme_queue_stats queue;
    uint64_t aborts = 0, retries = 0;

    nvme_get_admin_stats(nvme, &admin);
    for (unsigned i = 0; i < nvme_get_info(nvme)->io_queues; i++) {
        nvme_get_queue_stats(nvme_get_queue(nvme, i), &queue);
        aborts += queue.aborts;
        retries += queue.retries;
    }
    return !run->came_back                               ? END_FAILED
           : run->world.resets != 0 || admin.resets != 0 ? END_RESET
           : run->failed != 0                            ? END_ERROR
           : aborts != 0                                 ? END_ABORTED
           : retries != 0                                ? END_RETRIED
                                                         : END_OK;
}

enum campaign_end campaign_run(const struct campaign_policy *policy,
                               const struct campaign_kind *kind, uint64_t at_event, uint64_t at_ps,
                               uint64_t seed, struct campaign_counts *counts)
{
    struct run *run = calloc(1, sizeof *run);
    enum campaign_end end;
    char faults[120];

    if (!run)
        abort();
    run->kind = kind;
    run->policy = policy;
    run->random = seed;
    run->counts = counts;
    rule(kind, at_event, at_ps, faults, sizeof faults);
    ledger_init(&run->ledger, (kind->may & MAY_CORRUPT) != 0);
    world_create(&run->world, policy, faults, seed);
    if (counts) {
        run->reader =
            (struct stream_reader){observe, run, UINT64_C(0x7FF) << RECORD_DOORBELL, NULL};
        stream_add(engine_stream(machine_engine(run->world.machine)), &run->reader);
    }
    run->came_back = world_start(&run->world);
    if (run->came_back)
        run->came_back = mixed(run) && clean_batch(run);
    if (!run->came_back && !(kind->may & MAY_NOT_COME))
        campaign_fail("the controller does not come back");
    judge_run(run);
    world_stop(&run->world);
    look(run); /* what the stop has ended */
    if (run->in_flight != 0)
        campaign_fail("%u requests have not ended after a stop", run->in_flight);
    if (world_has_refused(&run->world))
        campaign_fail("the device was led to memory that it was not granted");
    if (counts) {
        struct ctrl_stats stats;

        ctrl_get_stats(machine_ctrl(run->world.machine), &stats);
        counts->admin = stats.admin_commands; /* with those of the stop */
    }
    for (unsigned i = 0; i < RUN_AT_A_TIME; i++)
        if (run->jobs[i].area)
            memory_free(host_memory(run->world.host), run->jobs[i].area);
    end = how_it_ended(run);
    world_destroy(&run->world);
    free(run);
    return end;
}
