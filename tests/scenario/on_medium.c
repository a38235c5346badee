/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/on_medium.h"

#include <check.h>

#include "media/store.h"

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
