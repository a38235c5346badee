/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worlds: time, the guard against calls from callbacks, error texts and the trace. See
 * <doorbell/device.h>. Controllers are in device.c.
 */
#include "device/internal.h"

#include <stdarg.h>
#include <stdlib.h>

#include "pcie/record.h"

struct doorbell_world *doorbell_world_create(uint64_t seed)
{
    struct doorbell_world *world = text_alloc(sizeof *world);

    world->engine = engine_create(seed);
    return world;
}

void doorbell_world_destroy(struct doorbell_world *world)
{
    if (world == NULL || world->callbacks > 0)
        return;
    for (unsigned i = 0; i < world->device_count; i++)
        device_destroy(world->devices[i]);
    engine_destroy(world->engine);
    free(world->error);
    free(world);
}

int world_fail(struct doorbell_world *world, int error, const char *format, ...)
{
    va_list arguments;

    free(world->error);
    va_start(arguments, format);
    world->error = text_format_list(format, arguments);
    va_end(arguments);
    return error;
}

int world_check_context(struct doorbell_world *world)
{
    if (world->callbacks == 0)
        return DOORBELL_OK;
    return world_fail(world, DOORBELL_E_CONTEXT,
                      "this call is not allowed from inside a function of the host");
}

const char *doorbell_error_text(const struct doorbell_world *world)
{
    return world->error == NULL ? "" : world->error;
}

uint64_t doorbell_now(const struct doorbell_world *world)
{
    return engine_now(world->engine);
}

uint64_t doorbell_next_event(const struct doorbell_world *world)
{
    return engine_next_time(world->engine);
}

uint64_t doorbell_events(const struct doorbell_world *world)
{
    return engine_fired(world->engine);
}

int doorbell_run_until(struct doorbell_world *world, uint64_t time_ps)
{
    int error = world_check_context(world);

    if (error != DOORBELL_OK)
        return error;
    if (time_ps < engine_now(world->engine))
        return world_fail(
            world, DOORBELL_E_INVAL, "cannot run until %llu ps: it is %llu ps already",
            (unsigned long long)time_ps, (unsigned long long)engine_now(world->engine));
    if (time_ps > DOORBELL_TIME_MAX)
        return world_fail(world, DOORBELL_E_INVAL,
                          "cannot run until %llu ps: DOORBELL_TIME_MAX is %llu ps",
                          (unsigned long long)time_ps, (unsigned long long)DOORBELL_TIME_MAX);
    engine_run_until(world->engine, time_ps);
    return DOORBELL_OK;
}

int doorbell_step(struct doorbell_world *world)
{
    int error = world_check_context(world);

    return error != DOORBELL_OK ? error : engine_step(world->engine);
}

static const char *detail_of(const struct stream_record *record)
{
    return record->kind == RECORD_STAGE ? record_stage_name(record->a) : "";
}

static void deliver(void *ctx, const struct stream_record *record)
{
    struct doorbell_world *world = ctx;
    const struct doorbell_event event = {.time_ps = record->time_ps,
                                         .device = record->source,
                                         .what = record_kind_name(record->kind),
                                         .detail = detail_of(record),
                                         .a = record->a,
                                         .b = record->b,
                                         .c = record->c,
                                         .d = record->d};

    world->callbacks++;
    world->trace(world->trace_ctx, &event);
    world->callbacks--;
}

int doorbell_trace(struct doorbell_world *world,
                   void (*fn)(void *ctx, const struct doorbell_event *event), void *ctx)
{
    int error = world_check_context(world);

    if (error != DOORBELL_OK)
        return error;
    if (world->reader.ctx != NULL)
        stream_remove(engine_stream(world->engine), &world->reader);
    world->reader = (struct stream_reader){.read = deliver, .kinds = UINT64_MAX};
    world->trace = fn;
    world->trace_ctx = ctx;
    if (fn != NULL) {
        world->reader.ctx = world;
        stream_add(engine_stream(world->engine), &world->reader);
    }
    return DOORBELL_OK;
}
