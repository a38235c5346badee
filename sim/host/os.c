/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operating system paths; see os.h. The amigaos path follows the published description of
 * nvme.device (docs/drivers.md): BeginIO sends a message, the unit task harvests, takes the
 * message, submits, rings, harvests, and then polls, checking its signals and yielding at every
 * turn. Pieces of a split request are waited for in a tight loop without either.
 */
#include "host/os.h"

#include <stdlib.h>

#include "engine/clock.h"

#define PARAM_AS_ROWS struct os_params
#include "config/param_begin.h"
const struct param_row os_rows[] = {
#include "host/os.def"
};
#include "config/param_end.h"
const size_t os_row_count = sizeof os_rows / sizeof os_rows[0];

struct os {
    struct os_params p;
    struct os_config c;
    struct stream *stream;
    struct nvme_queue *queue; /* its own: where a choice begins */
    unsigned own;             /* the index of that */
    bool several_cpus;
    bool condemned;
    /* OS_QUEUE_STEAL, bit per queue: */
    uint64_t used;   /* may hold requests of ours */
    uint64_t unrung; /* has some that were not rung */
    /* hybrid_sleep: */
    uint64_t rung_ps; /* since when a first end is awaited; 0: none is */
    uint64_t mean_ps; /* of the times from there to that end, the latest counting an eighth */
    unsigned in_flight;
    uint64_t ended_count;
    void (*ended)(void *ctx, struct nvme_request *request);
    void *ended_ctx;
};

struct os *os_create(const struct os_params *params, const struct os_config *config)
{
    struct os *os = calloc(1, sizeof *os);
    if (os == NULL)
        abort();
    os->p = *params;
    os->c = *config;
    os->own = config->choice == OS_QUEUE_FIRST ? 0 : config->cpu % config->queue_count;
    os->queue = config->queues[os->own];
    if (config->cpu != 0 && config->stepper == OS_STEP_FIRST)
        os->c.step_ps = 0;
    os->stream = engine_stream(host_engine(config->host));
    os->several_cpus = host_cpus(config->host) > 1;
    return os;
}

void os_destroy(struct os *os)
{
    free(os);
}

static void os_spend(struct os *os, struct param_cost cost)
{
    host_spend(os->c.host, CPU_OS, cost);
}

bool os_wants_hints(const struct os *os)
{
    return os->c.ring == NVME_RING_LAST;
}

unsigned os_in_flight(const struct os *os)
{
    return os->in_flight;
}

/* ---- queues ---- */

/* The first queue from its own on that has a free slot, looked at without a lock; its own if none
 * has. */
static struct nvme_queue *os_steal(struct os *os)
{
    unsigned at = os->own;
    for (unsigned i = 0; i < os->c.queue_count; i++) {
        unsigned candidate = (os->own + i) % os->c.queue_count;
        if (nvme_in_flight(os->c.queues[candidate]) < os->c.slots) {
            at = candidate;
            break;
        }
    }
    os->used |= UINT64_C(1) << at;
    os->unrung |= UINT64_C(1) << at;
    return os->c.queues[at];
}

static struct nvme_queue *os_choose(struct os *os)
{
    return os->c.choice == OS_QUEUE_STEAL ? os_steal(os) : os->queue;
}

/* How long the first end after a doorbell takes (an exponential mean: it follows the load). */
static void os_note_rung(struct os *os)
{
    os->rung_ps = host_now(os->c.host);
}

static void os_note_end(struct os *os)
{
    if (os->rung_ps == 0)
        return;
    uint64_t took_ps = host_now(os->c.host) - os->rung_ps;
    os->rung_ps = 0;
    os->mean_ps = os->mean_ps == 0 ? took_ps : os->mean_ps - os->mean_ps / 8 + took_ps / 8;
}

static void os_ring(struct os *os)
{
    if (os->c.hybrid_sleep)
        os_note_rung(os);
    if (os->c.ring == NVME_RING_AT_POLL)
        return;
    if (os->c.choice != OS_QUEUE_STEAL) {
        nvme_ring(os->queue);
        return;
    }
    for (unsigned i = 0; i < os->c.queue_count; i++)
        if ((os->unrung >> i & 1u) != 0)
            nvme_ring(os->c.queues[i]);
    os->unrung = 0;
}

/* Look wherever requests of ours may be. */
static unsigned os_poll(struct os *os, unsigned (*poll)(struct nvme_queue *queue, unsigned max))
{
    if (os->c.choice != OS_QUEUE_STEAL)
        return poll(os->queue, 0);
    unsigned found = 0;
    for (unsigned i = 0; i < os->c.queue_count; i++)
        if ((os->used >> i & 1u) != 0)
            found += poll(os->c.queues[i], 0);
    return found;
}

/* ---- completions ---- */

/* The driver says that a request has ended. Whichever CPU this is, nobody sees the end before the
 * callback has. */
static void os_done(struct nvme_request *request)
{
    struct os *os = request->user;
    struct host *host = os->c.host;
    RECORD_EMIT_DATA(os->stream, host_now(host), host_here(host), RECORD_ENDED, request->error,
                     request->error == NVME_E_BUSY, request->status, 0, request);
    os_note_end(os);
    if (os->ended != NULL)
        os_spend(os, os->p.path == OS_DIRECT ? os->p.complete : os->p.reply);
    os->in_flight--;
    os->ended_count++;
    if (os->ended != NULL)
        os->ended(os->ended_ctx, request);
    if (os->several_cpus)
        host_wake(host, os->c.cpu);
}

/* When this CPU has to look again whether it is to step: soon, if another is at it. */
static uint64_t os_next_step(const struct os *os)
{
    const struct os_steps *steps = os->c.steps;
    return steps->running ? host_now(os->c.host) + os->c.step_ps : steps->next_ps;
}

/* The driver's housekeeping, if it is due and no other CPU is at it; a controller that recovers is
 * looked at more often. False: the controller has failed for good. */
static bool os_step(struct os *os)
{
    struct os_steps *steps = os->c.steps;
    if (steps->running || host_now(os->c.host) < steps->next_ps)
        return true;
    steps->running = true;
    steps->count[os->c.cpu]++;
    enum nvme_state state = nvme_step(os->c.nvme, host_now(os->c.host) / PS_PER_NS);
    uint64_t pause = os->c.step_ps;
    if (state == NVME_STATE_RECOVERING && pause > PS_PER_MS)
        pause = PS_PER_MS;
    steps->next_ps = host_now(os->c.host) + pause;
    steps->running = false;
    return state != NVME_STATE_FAILED;
}

/* Nothing is left that could end what this CPU waits for. */
static int os_forsaken(struct os *os)
{
    RECORD_EMIT(os->stream, host_now(os->c.host), host_here(os->c.host), RECORD_FORSAKEN,
                os->in_flight, 0, 0, 0);
    return NVME_E_TIMEOUT;
}

/* Look again until something has ended. */
static int os_poll_until(struct os *os, uint64_t ended_before, bool tight)
{
    bool last_chance = false;
    while (os->ended_count == ended_before) {
        uint64_t news = host_news(os->c.host);
        if (os->p.path == OS_AMIGAOS && !tight) {
            host_spend(os->c.host, CPU_POLL, os->p.check_signals);
            host_spend(os->c.host, CPU_POLL, os->p.yield);
        } else if (os->p.path == OS_DIRECT) {
            host_spend(os->c.host, CPU_POLL, os->p.poll_pause);
        }
        if (os_poll(os, nvme_poll) != 0) {
            last_chance = false; /* a piece of a split request: the next one is on its way */
        } else {
            if (last_chance && os->ended_count == ended_before)
                return os_forsaken(os);
            last_chance = host_found_nothing(os->c.host, news);
            if (os->c.step_ps != 0) {
                uint64_t next_ps = os_next_step(os);
                if (last_chance && next_ps > host_now(os->c.host))
                    host_spend_ps(os->c.host, CPU_POLL, next_ps - host_now(os->c.host));
                last_chance = !os_step(os);
            }
        }
    }
    host_found_something(os->c.host);
    return NVME_OK;
}

static int os_idle_until(struct os *os, uint64_t ended_before)
{
    while (os->ended_count == ended_before) {
        bool going = os->c.step_ps == 0
                         ? host_idle(os->c.host)
                         : os_step(os) && (os->ended_count != ended_before ||
                                           host_idle_until(os->c.host, os_next_step(os)));
        if (!going && os->ended_count == ended_before)
            return os_forsaken(os);
    }
    return NVME_OK;
}

static void os_spin(struct os *os, uint64_t ended_before)
{
    for (uint32_t i = 0; i < os->c.hybrid_spins && os->ended_count == ended_before; i++) {
        host_spin(os->c.host);
        os_poll(os, nvme_poll_quiet);
    }
}

/* Half of the time that it took so far: nothing will come before, and the CPU is free. */
static void os_sleep(struct os *os)
{
    uint64_t until_ps = os->rung_ps + os->mean_ps / 2;
    if (os->rung_ps != 0 && os->mean_ps != 0 && until_ps > host_now(os->c.host))
        host_idle_until(os->c.host, until_ps);
}

static int os_finish(struct os *os, uint64_t ended_before, bool split)
{
    os_spin(os, ended_before);
    if (os->c.interrupts)
        return os_idle_until(os, ended_before);
    if (os->c.hybrid_sleep)
        os_sleep(os);
    os_poll(os, nvme_poll);
    return os_poll_until(os, ended_before, split);
}

static void os_enter(struct os *os)
{
    if (os->p.path == OS_DIRECT) {
        os_spend(os, os->p.submit);
        return;
    }
    os_spend(os, os->p.begin_io);
    os_spend(os, os->p.task_switch);
    os_poll(os, nvme_poll_quiet); /* the unit task harvests before it takes a message */
    os_spend(os, os->p.dispatch);
}

static void os_return(struct os *os)
{
    if (os->p.path == OS_DIRECT) {
        os_spend(os, os->p.complete);
        return;
    }
    os_spend(os, os->p.reply);
    os_spend(os, os->p.task_switch);
}

static enum record_op record_op(enum nvme_op op)
{
    static const enum record_op ops[] = {
        [NVME_OP_READ] = RECORD_OP_READ,       [NVME_OP_WRITE] = RECORD_OP_WRITE,
        [NVME_OP_FLUSH] = RECORD_OP_FLUSH,     [NVME_OP_WRITE_ZEROES] = RECORD_OP_WRITE_ZEROES,
        [NVME_OP_COMPARE] = RECORD_OP_COMPARE, [NVME_OP_VERIFY] = RECORD_OP_VERIFY,
        [NVME_OP_RAW] = RECORD_OP_RAW,         [NVME_OP_DEALLOCATE] = RECORD_OP_DEALLOCATE,
    };
    return ops[op];
}

static void record_submit(struct os *os, const struct nvme_request *request)
{
    struct host *host = os->c.host;
    const struct nvme_namespace *ns = nvme_get_namespace(os->c.nvme, 0);
    bool plain = request->op <= NVME_OP_WRITE || request->op == NVME_OP_COMPARE;
    uint64_t bytes = plain ? (uint64_t)request->blocks * ns->block_bytes : 0;
    uint64_t bus = (request->flags & NVME_REQ_REGISTERED) != 0 ? request->bus : 0;
    size_t offset;
    if (bus == 0 && bytes != 0 && (request->flags & NVME_REQ_VECTOR) == 0) {
        struct memory_area *area =
            memory_find(host_memory(host), request->buffer, (size_t)bytes, &offset);
        bus = area == NULL ? 0 : memory_bus(area) + offset;
    }
    const struct record_submit more = {
        .identity = request,
        .nsid = request->nsid,
        .blocks = request->op == NVME_OP_FLUSH || request->op == NVME_OP_RAW ? 0 : request->blocks,
        .lba = request->lba,
        .registered = (request->flags & NVME_REQ_REGISTERED) != 0,
        .fua = (request->flags & NVME_REQ_FUA) != 0,
    };
    RECORD_EMIT_DATA(os->stream, host_now(host), host_here(host), RECORD_SUBMIT,
                     record_op(request->op), bus, bytes, 0, &more);
}

static int os_submit(struct os *os, struct nvme_request *request)
{
    struct host *host = os->c.host;
    if (os->condemned)
        return NVME_E_STATE;
    if (stream_wants(os->stream, RECORD_SUBMIT))
        record_submit(os, request);
    int error = nvme_submit(os_choose(os), request);
    RECORD_EMIT_DATA(os->stream, host_now(host), host_here(host), RECORD_SUBMITTED, error, 0, 0, 0,
                     request);
    return error;
}

int os_io(struct os *os, struct nvme_request *request)
{
    uint64_t before = os->ended_count;
    os->ended = NULL;
    request->done = os_done;
    request->user = os;
    os_enter(os);
    os->in_flight++; /* before the driver sees it: a completion interrupt may come inside the call
                      */
    int error = os_submit(os, request);
    if (error != NVME_OK) {
        os->in_flight--;
    } else {
        os_ring(os);
        error = os_finish(os, before, request->was_split);
        if (error == NVME_OK)
            error = request->error;
    }
    os_return(os);
    return error;
}

void os_condemn(struct os *os)
{
    os->condemned = true;
}

int os_start(struct os *os, struct nvme_request *request,
             void (*ended)(void *ctx, struct nvme_request *request), void *ctx)
{
    os->ended = ended;
    os->ended_ctx = ctx;
    request->done = os_done;
    request->user = os;
    if (os->p.path == OS_DIRECT) {
        os_spend(os, os->p.submit);
    } else {
        os_spend(os, os->p.begin_io);
        os_spend(os, os->p.dispatch);
    }
    os->in_flight++;
    int error = os_submit(os, request);
    if (error != NVME_OK)
        os->in_flight--;
    return error;
}

void os_kick(struct os *os)
{
    if (os->p.path == OS_AMIGAOS)
        os_spend(os, os->p.task_switch);
    os_ring(os);
}

int os_wait(struct os *os)
{
    uint64_t before = os->ended_count;
    if (os->in_flight == 0)
        return NVME_OK;
    return os_finish(os, before, false);
}
