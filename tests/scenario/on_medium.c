/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/on_medium.h"

#include <check.h>

#include "engine/rng.h"
#include "media/store.h"

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* ---- a loss of power ---- */

static void written(void *ctx, uint64_t arg)
{
    (void)ctx;
    (void)arg;
}

uint64_t on_medium_power_loss(const struct machine_params *params)
{
    enum { WRITTEN = 4096 };
    uint64_t capacity = ctrl_params_capacity(&params->ctrl);
    uint64_t tag = 7, start_ps;
    struct engine *engine = engine_create(1);
    struct media *media = media_create(engine, &params->media, capacity);
    struct store *store = store_create(capacity);
    media_track_loss(media, store);
    store_put_tags(store, 0, &tag, 1);
    media_start(media, MEDIA_WRITE, 0, WRITTEN, written, NULL, 0, &start_ps);
    while (engine_step(engine))
        ;
    media_power_loss(media);
    ck_assert(store_get_tags(store, 0, &tag, 1));
    store_destroy(store);
    media_destroy(media);
    engine_destroy(engine);
    return tag;
}

/* ---- flash ---- */

struct flash_listener {
    struct engine *engine;
    uint64_t hash;
};

static void flash_listen(void *ctx, uint64_t arg)
{
    struct flash_listener *listener = ctx;
    const uint64_t words[] = {engine_now(listener->engine), arg};
    listener->hash = mix(listener->hash, words, sizeof words);
}

uint64_t on_medium_overwritten(const struct machine_params *params)
{
    enum { UNIT = 4096, OPERATIONS = 12000, PAUSE_PS = 60000000, STREAMS = 3, STREAMED = 192 };
    const uint64_t capacity = ctrl_params_capacity(&params->ctrl), units = capacity / UNIT;
    struct engine *engine = engine_create(1);
    struct flash_listener listener = {engine, 0};
    struct rng random;
    struct media *media = media_create(engine, &params->media, capacity);
    media_set_host_buffer(media, media_host_buffer_bytes(media));
    rng_init(&random, 1, "flash knobs");
    for (uint64_t i = 0; i < OPERATIONS; i++) {
        uint64_t unit = rng_below(&random, i % 3 == 0 ? units : units / 8);
        enum media_op op = i % 4 == 1 ? MEDIA_READ : MEDIA_WRITE;
        uint64_t start_ps;
        if (i % 1000 == 500)
            op = MEDIA_FLUSH;
        if (i % 1000 == 501)
            op = MEDIA_TRIM;
        media_start(media, op, unit * UNIT, op == MEDIA_FLUSH ? 0 : UNIT, flash_listen, &listener,
                    i, &start_ps);
        engine_run_until(engine, engine_now(engine) + rng_below(&random, PAUSE_PS));
    }
    for (uint64_t i = 0; i < STREAMED; i++) {
        uint64_t start_ps;
        media_start(media, MEDIA_READ, (i % STREAMS * (units / STREAMS) + i / STREAMS) * UNIT, UNIT,
                    flash_listen, &listener, i, &start_ps);
        engine_run_until(engine, engine_now(engine) + PAUSE_PS);
    }
    while (engine_step(engine))
        ;
    media_destroy(media);
    engine_destroy(engine);
    return listener.hash;
}
