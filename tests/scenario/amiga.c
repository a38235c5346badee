/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program's machine, its requests, and its power switch; see amiga.h.
 */
#include "scenario/amiga.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/clock.h"

#define PUMP_PS    (2 * PS_PER_US)
#define STEP_PS    (100 * PS_PER_US)
#define LATEST_PS  (60000 * PS_PER_MS) /* for anything to end */
#define CORE_ALIGN 64u

static void on_interrupt(void *ctx, unsigned vector)
{
    struct amiga *a = ctx;

    nvme_interrupt(a->nvme, vector);
}

/* A driver that knows nothing, on a machine that has just been switched on. */
static void start(struct amiga *a)
{
    const struct machine_params *params = &a->fixture.params.machine;
    struct nvme_config config;
    const char *why = "";
    size_t bytes;

    machine_driver_config(params, &config);
    a->polls = config.completion == NVME_COMPLETION_POLL;
    ck_assert_msg(host_enumerate(a->host, &why) == NVME_OK, "%s", why);
    bytes = nvme_memory_size(&config);
    ck_assert_uint_gt(bytes, 0);
    a->memory = aligned_alloc(CORE_ALIGN, (bytes + CORE_ALIGN - 1) / CORE_ALIGN * CORE_ALIGN);
    a->nvme = nvme_init(a->memory, bytes, host_platform(a->host), &config);
    ck_assert_ptr_nonnull(a->nvme);
    host_set_interrupt_handler(a->host, on_interrupt, a);
    ck_assert_int_eq(nvme_start_blocking(a->nvme), NVME_OK);
    ck_assert_uint_eq(nvme_namespace_count(a->nvme), 1);
    a->ns = nvme_get_namespace(a->nvme, 0);
    a->queue = nvme_get_queue(a->nvme, 0);
    a->capacity = a->ns->blocks * a->ns->block_bytes;
    ck_assert_uint_eq(a->ns->block_bytes, AMIGA_BLOCK);
}

void amiga_open(struct amiga *a, const struct amiga_case *which)
{
    uint64_t first;

    memset(a, 0, sizeof *a);
    fixture_open(&a->fixture, which->drive == NULL ? "amiga-pegasos2" : NULL, which->driver,
                 which->drive, which->host);
    for (unsigned i = 0; i < AMIGA_SETTINGS && which->settings[i] != NULL; i++)
        fixture_set(&a->fixture, which->settings[i]);
    fixture_set(&a->fixture, "media.capacitor=no"); /* what was not flushed can be lost */
    a->fixture.spec.options.form = MEMORY_BYTES;
    a->machine = machine_create(&a->fixture.params.machine, &a->fixture.spec.options);
    a->host = machine_host(a->machine);
    media_track_loss(machine_media(a->machine), ctrl_contents(machine_ctrl(a->machine), 1, &first));
    start(a);
}

void amiga_close(struct amiga *a)
{
    ck_assert_uint_eq(a->pending, 0);
    ck_assert_int_eq(nvme_stop_blocking(a->nvme), NVME_OK);
    ck_assert_uint_eq(memory_refused(host_memory(a->host)), 0);
    machine_destroy(a->machine);
    free(a->memory);
    fixture_close(&a->fixture);
}

void amiga_power_cut(struct amiga *a)
{
    ck_assert_uint_eq(a->pending, 0);
    ctrl_power_cycle(machine_ctrl(a->machine));
    free(a->memory);
    start(a);
}

/* ---- time ---- */

static void try_held(struct amiga *a)
{
    bool any = false;

    while (a->held != NULL && nvme_submit(a->queue, &a->held->request) == NVME_OK) {
        a->held = a->held->held_next;
        any = true;
    }
    if (any)
        nvme_ring(a->queue);
}

void amiga_pump(struct amiga *a)
{
    uint64_t now_ps;

    host_spend_ps(a->host, CPU_POLL, PUMP_PS);
    if (a->polls)
        nvme_poll(a->queue, 0);
    now_ps = host_now(a->host);
    if (now_ps >= a->next_step_ps) {
        ck_assert_int_eq(nvme_step(a->nvme, now_ps / PS_PER_NS), NVME_STATE_READY);
        a->next_step_ps = now_ps + STEP_PS;
    }
    try_held(a);
}

void amiga_wait(struct amiga *a)
{
    uint64_t latest_ps = host_now(a->host) + LATEST_PS;

    while (a->pending != 0) {
        ck_assert_msg(host_now(a->host) < latest_ps, "%u requests never ended", a->pending);
        amiga_pump(a);
    }
}

/* ---- requests ---- */

static void ended(struct nvme_request *request)
{
    struct amiga_io *io = request->user;

    io->ends++;
    ck_assert_uint_eq(io->ends, 1);
    io->amiga->pending--;
}

struct amiga_io *amiga_prepare(struct amiga *a, unsigned index, enum nvme_op op, uint64_t offset,
                               uint32_t bytes)
{
    struct amiga_io *io = &a->io[index];

    ck_assert_uint_lt(index, AMIGA_IOS);
    if (bytes != 0 && (io->area == NULL || memory_bytes(io->area) < bytes)) {
        if (io->area != NULL)
            memory_free(host_memory(a->host), io->area);
        /* AllocVecTags() without an alignment: 16 bytes. */
        io->area = memory_alloc(host_memory(a->host), bytes, 16, true, false);
        io->bytes = memory_pointer(io->area);
    }
    io->amiga = a;
    io->request = (struct nvme_request){.op = op,
                                        .nsid = a->ns->nsid,
                                        .lba = offset / AMIGA_BLOCK,
                                        .blocks = bytes / AMIGA_BLOCK,
                                        .buffer = bytes != 0 ? io->bytes : NULL,
                                        .done = ended,
                                        .user = io};
    return io;
}

void amiga_send(struct amiga_io *io)
{
    struct amiga *a = io->amiga;
    struct amiga_io **end = &a->held;
    int error = a->held != NULL ? NVME_E_BUSY : nvme_submit(a->queue, &io->request);

    io->ends = 0;
    io->held_next = NULL;
    a->pending++;
    if (error == NVME_E_BUSY) {
        a->refused++;
        while (*end != NULL)
            end = &(*end)->held_next;
        *end = io;
        return;
    }
    ck_assert_int_eq(error, NVME_OK);
}

void amiga_abort(struct amiga_io *io)
{
    for (struct amiga_io **at = &io->amiga->held; *at != NULL; at = &(*at)->held_next) {
        if (*at != io)
            continue;
        *at = io->held_next;
        io->request.error = NVME_E_CANCELLED;
        ended(&io->request);
        return;
    }
}

void amiga_kick(struct amiga *a)
{
    nvme_ring(a->queue);
}

int amiga_do(struct amiga *a, enum nvme_op op, uint64_t offset, uint32_t bytes)
{
    struct amiga_io *io = amiga_prepare(a, 0, op, offset, bytes);

    amiga_send(io);
    amiga_kick(a);
    amiga_wait(a);
    return io->request.error;
}

/* ---- contents ---- */

static uint8_t byte_at(uint32_t place, uint32_t seed)
{
    uint32_t mixed = (place / 4 + 1) * 2654435761u ^ seed * 2246822519u;

    return (uint8_t)(mixed >> place % 4 * 8);
}

void amiga_fill(uint8_t *bytes, uint32_t count, uint32_t seed)
{
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = byte_at(i, seed);
}

bool amiga_holds(const uint8_t *bytes, uint32_t count, uint32_t seed)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes[i] != byte_at(i, seed))
            return false;
    return true;
}
