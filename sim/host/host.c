/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's CPU time and memory; see host.h. Every passage of time on the CPU goes through
 * host_spend_ps() or host_idle(), which also are the only places where an interrupt is delivered.
 */
#include "host/host_state.h"

#include <stdlib.h>
#include <string.h>

#define PARAM_AS_ROWS struct host_params
#include "config/param_begin.h"
const struct param_row host_rows[] = {
#include "host/host.def"
};
#include "config/param_end.h"
const size_t host_row_count = sizeof host_rows / sizeof host_rows[0];

/* ---- the port's host side ---- */

static int host_dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct host *host = ctx;
    return memory_dma_read(host->memory, bus, to, bytes);
}

static int host_dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct host *host = ctx;
    int error = memory_dma_write(host->memory, bus, from, bytes);
    if (error == PCIE_OK && host->p.coherent)
        cache_snoop_write(host->cache, bus, bytes);
    return error;
}

static bool host_dma_read_tags(void *ctx, const struct pcie_segment *segments, unsigned count,
                               uint64_t *tags, uint32_t ntags)
{
    struct host *host = ctx;
    return memory_dma_read_tags(host->memory, segments, count, tags, ntags);
}

static bool host_dma_write_tags(void *ctx, const struct pcie_segment *segments, unsigned count,
                                const uint64_t *tags, uint32_t ntags)
{
    struct host *host = ctx;
    if (!memory_dma_write_tags(host->memory, segments, count, tags, ntags))
        return false;
    if (host->p.coherent)
        for (unsigned i = 0; i < count; i++)
            cache_snoop_write(host->cache, segments[i].bus, segments[i].bytes);
    return true;
}

static uint64_t *host_dma_place_tags(void *ctx, uint64_t bus, uint32_t bytes)
{
    struct host *host = ctx;
    uint64_t *place = memory_dma_place_tags(host->memory, bus, bytes);
    if (place != NULL && host->p.coherent)
        cache_snoop_write(host->cache, bus, bytes);
    return place;
}

static const struct pcie_host_ops host_ops = {
    .dma_read = host_dma_read,
    .dma_write = host_dma_write,
    .dma_read_tags = host_dma_read_tags,
    .dma_write_tags = host_dma_write_tags,
    .dma_place_tags = host_dma_place_tags,
    .msi = host_interrupt_msi,
    .intx = host_interrupt_intx,
};

/* ---- life ---- */

struct host *host_create(struct engine *engine, struct pcie_port *port,
                         const struct host_params *params, const struct cache_params *cache,
                         enum memory_form form)
{
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL)
        abort();
    host->engine = engine;
    host->stream = engine_stream(engine);
    host->port = port;
    host->p = *params;
    clock_init(&host->clock, params->cpu_clock);
    host->memory = memory_create(params->memory_base, form);
    host->cache = cache_create(cache, &host->clock);
    /* Where DMA is not coherent, rings and lists are uncached; bounce memory too, or else the core
     * must say when it changes hands. */
    bool coherent = params->coherent || params->bounce_memory == HOST_BOUNCE_UNCACHED;
    host->platform =
        (struct nvme_platform){.ops = &host_platform_ops,
                               .ctx = host,
                               .flags = (coherent ? NVME_PLATFORM_COHERENT : 0u) |
                                        (params->loads_ordered ? NVME_PLATFORM_LOADS_ORDERED : 0u)};
    pcie_port_attach_host(port, &host_ops, host);
    return host;
}

void host_destroy(struct host *host)
{
    if (host == NULL)
        return;
    memory_destroy(host->memory);
    cache_destroy(host->cache);
    free(host);
}

void host_set_cpu(struct host *host, struct cpu *cpu)
{
    host->cpu = cpu;
}

const struct nvme_platform *host_platform(const struct host *host)
{
    return &host->platform;
}

struct memory *host_memory(struct host *host)
{
    return host->memory;
}

struct engine *host_engine(struct host *host)
{
    return host->engine;
}

const struct host_stats *host_get_stats(const struct host *host)
{
    return &host->stats;
}

uint64_t host_now(const struct host *host)
{
    return cpu_now(host->cpu);
}

/* ---- time ---- */

static void host_account(struct host *host, enum record_cpu_use use, uint64_t ps)
{
    host->stats.spent_ps[use] += ps;
    RECORD_EMIT(host->stream, cpu_now(host->cpu), cpu_number(host->cpu), RECORD_CPU_TIME, use, ps,
                0, 0);
}

void host_pass_ps(struct host *host, enum record_cpu_use use, uint64_t ps)
{
    if (ps == 0)
        return;
    cpu_spend(host->cpu, ps);
    host_account(host, use, ps);
    /* Only a CPU that holds devices off is ever ahead of the engine. */
    if (host->p.emulation == HOST_EMULATION_SINGLE_THREAD &&
        cpu_now(host->cpu) - engine_now(host->engine) > host->p.emulation_tick)
        cpu_exit(host->cpu);
}

void host_spend_ps(struct host *host, enum record_cpu_use use, uint64_t ps)
{
    host_pass_ps(host, use, ps);
    if (host_can_deliver(host))
        host_deliver(host);
}

void host_spend(struct host *host, enum record_cpu_use use, struct param_cost cost)
{
    host_spend_ps(host, use, clock_cost(&host->clock, cost));
}

bool host_idle(struct host *host)
{
    uint64_t delivered = host->delivered;
    if (host_can_deliver(host))
        host_deliver(host);
    while (host->delivered == delivered) {
        uint64_t from = cpu_now(host->cpu);
        bool woken = cpu_wait(host->cpu);
        if (cpu_now(host->cpu) != from)
            host_account(host, CPU_IDLE, cpu_now(host->cpu) - from);
        if (!woken)
            return false;
        if (host_can_deliver(host))
            host_spend(host, CPU_INTERRUPT, host->p.idle_exit);
    }
    return true;
}

void host_spin(struct host *host)
{
    host_spend(host, CPU_POLL, host->p.spin);
}

void host_fill(struct host *host, struct memory_area *area, size_t offset, size_t bytes)
{
    uint64_t ps =
        clock_cost(&host->clock, host->p.copy_call) + clock_transfer_ps(bytes, host->p.fill);
    if (!memory_is_uncached(area))
        ps += cache_access(host->cache, memory_bus(area) + offset, bytes, true);
    host_spend_ps(host, CPU_WORKLOAD, ps);
}
