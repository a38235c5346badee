/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A world and its controllers, and what the files of this room ask of each other. The public face
 * is <doorbell/device.h>.
 */
#ifndef DEVICE_INTERNAL_H
#define DEVICE_INTERNAL_H

#include <doorbell/device.h>

#include "config/text.h"
#include "engine/engine.h"
#include "media/media.h"
#include "nvme/controller.h"
#include "pcie/port.h"

struct device_params {
    struct link_params link;
    struct ctrl_params ctrl;
    struct media_params media;
};

struct doorbell_device {
    struct doorbell_world *world;
    unsigned index;
    struct doorbell_host host;
    void *host_ctx;
    struct pcie_port *port;
    struct media *media;
    struct ctrl *ctrl;
};

struct doorbell_world {
    struct engine *engine;
    struct doorbell_device *devices[DOORBELL_DEVICES_MAX];
    unsigned device_count;
    unsigned callbacks; /* depth: the host is being called */
    char *error;
    struct stream_reader reader; /* reader.ctx NULL: no trace */
    void (*trace)(void *ctx, const struct doorbell_event *event);
    void *trace_ctx;
};

/* Remembers the sentence and returns the error. */
int world_fail(struct doorbell_world *world, int error, const char *format, ...) TEXT_PRINTF(3, 4);
/* For what may not be called from a callback: DOORBELL_OK, or the failure. */
int world_check_context(struct doorbell_world *world);

/* The drive's parameters from profile and settings; the failure, if they are wrong. */
int device_params_load(struct doorbell_world *world, const struct doorbell_device_config *config,
                       struct device_params *params);

void device_destroy(struct doorbell_device *device);

#endif
