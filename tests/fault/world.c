/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine that faults strike: a small drive, a host, the driver core on it, and between the two
 * a platform that counts what the core holds. Also what an operating system does around a driver:
 * wait, reset what has failed, give up in the end. See campaign.h.
 */
#include "fault/campaign.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "host/host.h"
#include "nvme/controller.h"
#include "run/params.h"

#define CORE_ALIGN  64u
#define MS_PS       UINT64_C(1000000000)
#define TRIES       8u
#define STEP_PS     (MS_PS / 10)
#define STEPS_MAX   200000u /* of one bring-up or shutdown: 20 s */
#define TIME_MAX_PS (UINT64_C(120000) * MS_PS)

static const char *const settings[] = {
    "link.kind=pcie",
    "media.kind=fixed",
    "media.read_latency=80 us",
    "media.write_latency=20 us",
    "media.flush_latency=100 us",
    "media.units=8",
    "ctrl.mdts=1",
    "ctrl.namespace_size=1 MiB",
    "ctrl.cap_to=2",
    "ctrl.max_io_queues=2",
    "ctrl.contexts=8",
    "host.memory_base=0x100000000",
};

/* What the core holds of the host; there is one world at a time. */
static struct {
    const struct nvme_platform_ops *ops;
    unsigned blocks, maps;
} held;

static int counted_alloc(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                         struct nvme_dma *out)
{
    int error = held.ops->dma_alloc(ctx, bytes, align, use, out);

    held.blocks += error == NVME_OK;
    return error;
}

static void counted_free(void *ctx, struct nvme_dma *dma)
{
    held.blocks--;
    held.ops->dma_free(ctx, dma);
}

static int counted_map(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags,
                       struct nvme_segment *segments, unsigned max, unsigned *count)
{
    int error = held.ops->map(ctx, buffer, bytes, dir, flags, segments, max, count);

    held.maps += error == NVME_OK;
    return error;
}

static void counted_unmap(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags)
{
    held.maps--;
    held.ops->unmap(ctx, buffer, bytes, dir, flags);
}

static void handle(void *ctx, unsigned vector)
{
    struct world *world = ctx;

    if (world->nvme)
        nvme_interrupt(world->nvme, vector);
}

static void configure(struct run_params *params, const char *faults)
{
    struct config *config = config_create(run_param_table());
    struct diag *diag = diag_create();
    char rule[300];
    bool good = true;

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        good &= config_set(config, settings[i], CONFIG_OPTION, diag);
    snprintf(rule, sizeof rule, "ctrl.faults=%s", faults);
    good &= config_set(config, rule, CONFIG_OPTION, diag);
    good &= config_apply(config, params, diag);
    diag_print(diag, stderr);
    if (!good || run_params_check(params) != NULL)
        campaign_fail("the machine cannot be configured: %s",
                      good ? run_params_check(params) : "see above");
    diag_destroy(diag);
    config_destroy(config);
}

static void set_driver(struct nvme_config *config, const struct campaign_policy *policy)
{
    nvme_config_defaults(config);
    config->io_queues = 2;
    config->io_depth = 16;
    config->slots = 8;
    config->bounce_bytes = 4096;
    config->read.direct_min_bytes = config->write.direct_min_bytes = 1024;
    config->read.direct_align_bytes = config->write.direct_align_bytes = 512;
    config->admin_timeout_ms = 200;
    config->shutdown_timeout_ms = 200;
    config->aer_count = 2;
    policy->set(config);
}

void world_create(struct world *world, const struct campaign_policy *policy, const char *faults,
                  uint64_t seed)
{
    static struct run_params params; /* large */
    const struct machine_options options = {.seed = seed, .form = MEMORY_BYTES, .verify = false};
    const char *why = NULL;
    size_t bytes;

    *world = (struct world){0};
    configure(&params, faults);
    world->machine = machine_create(&params.machine, &options);
    world->host = machine_host(world->machine);
    if (host_enumerate(world->host, &why) != NVME_OK)
        campaign_fail("no controller: %s", why);
    world->platform = *host_platform(world->host);
    held.ops = world->platform.ops;
    held.blocks = held.maps = 0;
    world->ops = *held.ops;
    world->ops.dma_alloc = counted_alloc;
    world->ops.dma_free = counted_free;
    world->ops.map = counted_map;
    world->ops.unmap = counted_unmap;
    world->platform.ops = &world->ops;
    set_driver(&world->config, policy);
    bytes = nvme_memory_size(&world->config);
    world->arena = aligned_alloc(CORE_ALIGN, (bytes + CORE_ALIGN) & ~(size_t)(CORE_ALIGN - 1));
    if (bytes == 0 || !world->arena)
        campaign_fail("the driver cannot be configured");
    world->nvme = nvme_init(world->arena, bytes, &world->platform, &world->config);
    host_set_interrupt_handler(world->host, handle, world);
}

void world_destroy(struct world *world)
{
    machine_destroy(world->machine);
    free(world->arena);
}

uint64_t world_now(const struct world *world)
{
    return host_now(world->host);
}

void world_wait(struct world *world, uint64_t ps)
{
    host_spend_ps(world->host, CPU_IDLE, ps);
    if (world_now(world) > TIME_MAX_PS)
        campaign_fail("the run has taken %llu simulated ms, and no end",
                      (unsigned long long)(world_now(world) / MS_PS));
}

bool world_struck(const struct world *world)
{
    struct ctrl_stats stats;

    ctrl_get_stats(machine_ctrl(world->machine), &stats);
    return stats.faults != 0;
}

bool world_has_refused(const struct world *world)
{
    return memory_refused(host_memory(world->host)) != 0;
}

/* READY, with the namespace: bring-up goes on without one that the controller does not describe. */
static bool usable(const struct world *world)
{
    return nvme_state(world->nvme) == NVME_STATE_READY && nvme_namespace_count(world->nvme) == 1;
}

/* Step until it has arrived somewhere. */
static enum nvme_state settle(struct world *world)
{
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        enum nvme_state state = nvme_step(world->nvme, world_now(world) / 1000);

        if (state == NVME_STATE_READY || state == NVME_STATE_FAILED || state == NVME_STATE_OFF)
            return state;
        world_wait(world, i < 1000 ? STEP_PS / 20 : STEP_PS);
    }
    campaign_fail("the driver is in state %d, and stays there", (int)nvme_state(world->nvme));
}

bool world_recover(struct world *world)
{
    const char *why;

    for (unsigned i = 0; i < TRIES; i++) {
        world->resets++;
        if (nvme_reset(world->nvme) != NVME_OK)
            campaign_fail("state %d, and a reset is refused", (int)nvme_state(world->nvme));
        settle(world);
        if (usable(world))
            return true;
        world_wait(world, 5 * MS_PS);
        host_enumerate(world->host, &why); /* a link that was down has reset the function */
    }
    return false;
}

bool world_start(struct world *world)
{
    nvme_start(world->nvme);
    settle(world);
    return usable(world) || world_recover(world);
}

void world_stop(struct world *world)
{
    unsigned tries = 0;

    do {
        if (tries++ == TRIES)
            campaign_fail("the driver cannot be stopped: state %d", (int)nvme_state(world->nvme));
        nvme_stop(world->nvme);
    } while (settle(world) != NVME_STATE_OFF);
    if (held.blocks != 0)
        campaign_fail("%u blocks of DMA memory were not given back", held.blocks);
    if (held.maps != 0)
        campaign_fail("%u buffers are still mapped", held.maps);
}
