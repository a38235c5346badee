/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The mixed workload, and one run of it: requests of all kinds, sizes and ways of their data on two
 * queues, more than there are slots; their owner polls, steps, and resets a controller that has
 * failed or lets it wait too long. Each request must end once, as the fault allows; then a clean
 * batch must work, and all must come back. See campaign.h.
 */
#include "fault/campaign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/stream.h"
#include "host/memory.h"
#include "nvme/controller.h"
#include "pcie/record.h"

#define REQUESTS          64u
#define AT_A_TIME         24u
#define PATIENCE_PS       (UINT64_C(500) * 1000000000) /* without any progress */
#define POLL_PS           UINT64_C(2000000)
#define POLL_IDLE_PS      UINT64_C(100000000)
#define DO_NOT_RETRY      0x4000u /* (4.6.1) */
#define STATUS_MISCOMPARE 0x285u

struct job {
    struct nvme_request request;
    struct memory_area *area;
    struct nvme_vector vector[2];
    uint64_t number, flush_mark;
    uint32_t block, blocks;
    unsigned queue;
    bool before_strike;
    unsigned ended; /* times that done() was called since it was submitted */
};

struct run {
    struct world world;
    const struct campaign_kind *kind;
    struct ledger ledger;
    struct job jobs[AT_A_TIME];
    bool busy[AT_A_TIME]; /* with the core, or ended and not looked at */
    unsigned in_flight;
    uint64_t random;
    uint64_t number, ended; /* requests begun, ended */
    uint64_t progress_ps;
    bool power_lost, came_back, clean;
    unsigned failed, reset_failed;
    struct campaign_counts *counts;
    struct stream_reader reader;
    uint64_t room;
};

/* splitmix64 */
static uint32_t below(struct run *run, uint32_t limit)
{
    uint64_t x = run->random += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((x ^ x >> 31) >> 32) % limit;
}

/* ---- the end of a request ---- */

static void done(struct nvme_request *request)
{
    struct job *job = request->user;

    if (job->ended++ != 0)
        campaign_fail("request %" PRIu64 " ends a second time", job->number);
}

/* A block of the job's data; aligned as the buffer is, that is to 4 bytes. */
static uint8_t *block_at(const struct job *job, uint32_t index)
{
    return (uint8_t *)memory_pointer(job->area) +
           (job->request.flags & NVME_REQ_REGISTERED ? 0 : 512) +
           (size_t)index * CAMPAIGN_BLOCK_BYTES;
}

/* May it have ended so? */
static void judge_error(struct run *run, const struct job *job)
{
    const struct nvme_request *r = &job->request;
    const struct campaign_kind *kind = run->kind;
    uint16_t status = r->status & 0x7FF;

    run->failed++;
    if (r->error == NVME_E_STATUS) {
        if (r->op == NVME_OP_COMPARE && status == STATUS_MISCOMPARE && (kind->may & MAY_CORRUPT))
            return;
        if (run->world.config.retries != 0 && !(r->status & DO_NOT_RETRY) &&
            (kind->may & MAY_STATUS))
            campaign_fail("request %" PRIu64 " (kind %d) ends with status %03xh, and no retry",
                          job->number, (int)r->op, status);
        if ((kind->may & (MAY_STATUS | MAY_DISTURB)) && status == kind->status &&
            !(run->clean && (kind->may & MAY_STATUS)))
            return;
        campaign_fail("request %" PRIu64 " (kind %d) ends with status %03xh: %s", job->number,
                      (int)r->op, status, nvme_status_text(r->status));
    }
    run->reset_failed++;
    if ((r->error == NVME_E_STATE || r->error == NVME_E_TIMEOUT || r->error == NVME_E_GONE) &&
        (kind->may & MAY_RESET) && !run->clean)
        return;
    campaign_fail("request %" PRIu64 " (kind %d) ends with: %s", job->number, (int)r->op,
                  nvme_error_text(r->error));
}

static bool writes(enum nvme_op op)
{
    return op == NVME_OP_WRITE || op == NVME_OP_WRITE_ZEROES;
}

static void settle_job(struct run *run, struct job *job)
{
    const struct nvme_request *r = &job->request;
    bool good = r->error == NVME_OK;
    bool doubtful = false;

    if ((run->kind->may & MAY_LOSE) && world_struck(&run->world)) {
        if (!run->power_lost)
            ledger_power_lost(&run->ledger);
        run->power_lost = true;
        doubtful = job->before_strike;
    }
    if (!good)
        judge_error(run, job);
    for (uint32_t i = 0; writes(r->op) && i < job->blocks; i++)
        ledger_write(&run->ledger, job->block + i,
                     r->op == NVME_OP_WRITE ? ledger_tag(job->number, job->block + i) : 0,
                     job->number, good, (r->flags & NVME_REQ_FUA) != 0, doubtful);
    for (uint32_t i = 0; r->op == NVME_OP_READ && good && i < job->blocks; i++) {
        uint64_t words[CAMPAIGN_WORDS];

        memcpy(words, block_at(job, i), sizeof words);
        ledger_read(&run->ledger, job->block + i, words);
    }
    if (r->op == NVME_OP_FLUSH && good && !doubtful)
        ledger_flushed(&run->ledger, job->flush_mark);
    run->ended++;
}

/* ---- its beginning ---- */

static bool overlaps(const struct run *run, const struct job *job)
{
    for (unsigned i = 0; i < AT_A_TIME; i++) {
        const struct job *other = &run->jobs[i];

        if (run->busy[i] && other != job && other->block < job->block + job->blocks &&
            job->block < other->block + other->blocks &&
            (writes(job->request.op) || writes(other->request.op)))
            return true;
    }
    return false;
}

static void choose_range(struct run *run, struct job *job)
{
    static const uint32_t sizes[] = {1, 1, 2, 7, 8, 8, 16, 17, 40, 100};

    job->blocks = sizes[below(run, sizeof sizes / sizeof sizes[0])];
    job->block = below(run, CAMPAIGN_BLOCKS - job->blocks + 1);
}

static enum nvme_op choose_op(struct run *run)
{
    static const enum nvme_op ops[] = {NVME_OP_READ,    NVME_OP_READ,  NVME_OP_READ,
                                       NVME_OP_WRITE,   NVME_OP_WRITE, NVME_OP_WRITE,
                                       NVME_OP_WRITE,   NVME_OP_FLUSH, NVME_OP_WRITE_ZEROES,
                                       NVME_OP_COMPARE, NVME_OP_VERIFY};

    return ops[below(run, sizeof ops / sizeof ops[0])];
}

static bool has_data(enum nvme_op op)
{
    return op == NVME_OP_READ || op == NVME_OP_WRITE || op == NVME_OP_COMPARE;
}

/* Whole, in two pieces, unaligned, or registered. */
static void give_buffer(struct run *run, struct job *job)
{
    struct nvme_request *r = &job->request;
    size_t bytes = (size_t)job->blocks * CAMPAIGN_BLOCK_BYTES;
    struct memory *memory = host_memory(run->world.host);
    uint32_t way = below(run, 4);

    if (job->area)
        memory_free(memory, job->area);
    job->area = memory_alloc(memory, bytes + 512, way == 3 ? 4 : 4096, false, false);
    r->buffer = (uint8_t *)memory_pointer(job->area) + 512;
    if (way == 1 && bytes > 512) {
        job->vector[0] = (struct nvme_vector){r->buffer, 0, 512};
        job->vector[1] = (struct nvme_vector){(uint8_t *)r->buffer + 512, 0, (uint32_t)bytes - 512};
        r->vector = job->vector;
        r->vector_count = 2;
        r->flags |= NVME_REQ_VECTOR;
    } else if (way == 0) {
        r->flags |= NVME_REQ_REGISTERED;
        r->buffer = NULL;
        r->bus = memory_bus(job->area);
        memory_grant(job->area, 0, bytes, MEMORY_BOTH_WAYS);
    }
}

static void fill(struct run *run, struct job *job)
{
    for (uint32_t i = 0; i < job->blocks; i++) {
        uint64_t value = ledger_tag(job->number, job->block + i);

        if (job->request.op == NVME_OP_READ)
            value = UINT64_MAX;
        else if (job->request.op == NVME_OP_COMPARE)
            ledger_certain(&run->ledger, job->block + i, &value);
        for (uint32_t w = 0; w < CAMPAIGN_WORDS; w++)
            memcpy(block_at(job, i) + w * sizeof value, &value, sizeof value);
    }
}

/* A comparison only with what is known. */
static bool comparable(const struct run *run, const struct job *job)
{
    uint64_t tag;

    for (uint32_t i = 0; i < job->blocks; i++)
        if (!ledger_certain(&run->ledger, job->block + i, &tag))
            return false;
    return true;
}

static void make(struct run *run, struct job *job, enum nvme_op op)
{
    job->number = ++run->number;
    job->ended = 0;
    job->flush_mark = run->ended;
    job->before_strike = !world_struck(&run->world);
    if (op == NVME_OP_FLUSH)
        job->blocks = 0;
    job->request = (struct nvme_request){
        .op = op, .nsid = 1, .lba = job->block, .blocks = job->blocks, .done = done, .user = job};
    if (writes(op) && below(run, 4) == 0)
        job->request.flags = NVME_REQ_FUA;
    job->queue = below(run, nvme_get_info(run->world.nvme)->io_queues);
    if (has_data(op))
        give_buffer(run, job);
}

/* ---- the owner's loop ---- */

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
    for (unsigned i = 0; i < AT_A_TIME; i++) {
        if (!run->busy[i] || run->jobs[i].ended == 0)
            continue;
        run->busy[i] = false;
        run->in_flight--;
        settle_job(run, &run->jobs[i]);
    }
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
    if (r->op == NVME_OP_COMPARE && !comparable(run, job))
        r->op = NVME_OP_READ;
    if (has_data(r->op))
        fill(run, job);
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
        for (unsigned i = 0; i < AT_A_TIME; i++)
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
        make(run, job, op);
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
        choose_range(run, job);
        make(run, job, choose_op(run));
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

/* Whatever happened: what is there is what may be there, and everything works again. */
static bool clean_batch(struct run *run)
{
    if (!sweep(run, NVME_OP_READ))
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
    for (unsigned i = 0; i < nvme_get_info(run->world.nvme)->io_queues; i++)
        if (run->came_back && nvme_in_flight(nvme_get_queue(run->world.nvme, i)) != 0)
            campaign_fail("command identifiers of queue %u have not come back", i + 1);
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
    for (unsigned i = 0; i < AT_A_TIME; i++)
        if (run->jobs[i].area)
            memory_free(host_memory(run->world.host), run->jobs[i].area);
    end = how_it_ended(run);
    world_destroy(&run->world);
    free(run);
    return end;
}
