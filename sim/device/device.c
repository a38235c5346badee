/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Controllers of a world: creation, and the host's functions wrapped so that a call back into the
 * library is noticed. See <doorbell/device.h>. Accesses are in access.c.
 */
#include "device/internal.h"

#include <stdlib.h>

/* ---- from the controller to the host ---- */

static int host_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct doorbell_device *device = ctx;
    int refused;

    device->world->callbacks++;
    refused = device->host.dma_read(device->host_ctx, bus, to, bytes);
    device->world->callbacks--;
    return refused == 0 ? PCIE_OK : PCIE_E_ABORT;
}

static int host_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct doorbell_device *device = ctx;
    int refused;

    device->world->callbacks++;
    refused = device->host.dma_write(device->host_ctx, bus, from, bytes);
    device->world->callbacks--;
    return refused == 0 ? PCIE_OK : PCIE_E_ABORT;
}

static void host_msi(void *ctx, uint64_t address, uint32_t data)
{
    struct doorbell_device *device = ctx;

    device->world->callbacks++;
    device->host.msi(device->host_ctx, address, data);
    device->world->callbacks--;
}

static void host_intx(void *ctx, bool asserted)
{
    struct doorbell_device *device = ctx;

    device->world->callbacks++;
    device->host.intx(device->host_ctx, asserted);
    device->world->callbacks--;
}

static const struct pcie_host_ops host_ops = {
    .dma_read = host_read,
    .dma_write = host_write,
    .msi = host_msi,
    .intx = host_intx,
};

/* ---- life ---- */

static struct doorbell_device *device_build(struct doorbell_world *world,
                                            const struct doorbell_device_config *config,
                                            const struct device_params *params)
{
    struct doorbell_device *device = text_alloc(sizeof *device);

    device->world = world;
    device->index = world->device_count;
    device->host = config->host;
    device->host_ctx = config->host_ctx;
    device->port = pcie_port_create(world->engine, &params->link);
    device->media =
        media_create(world->engine, &params->media, ctrl_params_capacity(&params->ctrl));
    pcie_port_attach_host(device->port, &host_ops, device);
    device->ctrl =
        ctrl_create(world->engine, device->port, device->media, &params->ctrl, device->index);
    return device;
}

int doorbell_device_create(struct doorbell_world *world,
                           const struct doorbell_device_config *config,
                           struct doorbell_device **device)
{
    struct device_params params;
    int error = world_check_context(world);

    if (error != DOORBELL_OK)
        return error;
    if (config == NULL || device == NULL || config->host.dma_read == NULL ||
        config->host.dma_write == NULL || config->host.msi == NULL || config->host.intx == NULL)
        return world_fail(world, DOORBELL_E_INVAL,
                          "a controller needs a configuration with all four functions of the host");
    for (size_t i = 0; i < config->setting_count; i++) {
        if (config->settings == NULL || config->settings[i] == NULL)
            return world_fail(world, DOORBELL_E_INVAL, "setting %zu of %zu is not there", i + 1,
                              config->setting_count);
    }
    if (world->device_count == DOORBELL_DEVICES_MAX)
        return world_fail(world, DOORBELL_E_FULL, "there are %d controllers already",
                          DOORBELL_DEVICES_MAX);
    error = device_params_load(world, config, &params);
    if (error != DOORBELL_OK)
        return error;
    *device = device_build(world, config, &params);
    world->devices[world->device_count++] = *device;
    return DOORBELL_OK;
}

void device_destroy(struct doorbell_device *device)
{
    ctrl_destroy(device->ctrl);
    media_destroy(device->media);
    pcie_port_destroy(device->port);
    free(device);
}

unsigned doorbell_device_index(const struct doorbell_device *device)
{
    return device->index;
}

int doorbell_device_reset(struct doorbell_device *device)
{
    int error = world_check_context(device->world);

    if (error != DOORBELL_OK)
        return error;
    pcie_port_lose_writes(device->port);
    ctrl_conventional_reset(device->ctrl);
    return DOORBELL_OK;
}

int doorbell_device_stats(const struct doorbell_device *device, struct doorbell_stats *stats)
{
    struct ctrl_stats ctrl;
    struct link_stats link;
    struct media_stats media;

    if (stats == NULL)
        return world_fail(device->world, DOORBELL_E_INVAL, "nowhere to put the statistics");
    ctrl_get_stats(device->ctrl, &ctrl);
    link_get_stats(pcie_port_link(device->port), &link);
    media_get_stats(device->media, &media);
    *stats = (struct doorbell_stats){
        .register_reads = ctrl.register_reads,
        .register_writes = ctrl.register_writes,
        .sq_doorbells = ctrl.sq_doorbells,
        .cq_doorbells = ctrl.cq_doorbells,
        .commands = ctrl.commands,
        .admin_commands = ctrl.admin_commands,
        .reads = ctrl.reads,
        .writes = ctrl.writes,
        .flushes = ctrl.flushes,
        .bytes_read = ctrl.bytes_read,
        .bytes_written = ctrl.bytes_written,
        .completions = ctrl.completions,
        .errors = ctrl.errors,
        .interrupts = ctrl.interrupts,
        .dma_errors = ctrl.dma_errors,
        .cq_full_stalls = ctrl.cq_full_stalls,
        .cq_full_ps = ctrl.cq_full_ps,
        .link_up_bytes = link.up_bytes,
        .link_down_bytes = link.down_bytes,
        .link_up_busy_ps = link.up_busy_ps,
        .link_down_busy_ps = link.down_busy_ps,
        .media_busy_ps = media.busy_ps,
    };
    return DOORBELL_OK;
}
