/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's CPU time and memory; see host.h. Every passage of time on the CPU goes through
 * host_spend_ps() or host_idle(), which also are the only places where an interrupt is delivered.
 */
#include "host/host_state.h"

#define HOST_BUS_BITS 64u

#include <assert.h>
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

static void record_refused(const struct host *host, unsigned writes, uint64_t bus, uint32_t bytes)
{
    RECORD_EMIT(host->stream, engine_now(host->engine), 0, RECORD_REFUSED, writes, bus, bytes, 0);
}

static int host_dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct host *host = ctx;
    int error = memory_dma_read(host->memory, bus, to, bytes);
    if (error != PCIE_OK)
        record_refused(host, 0, bus, bytes);
    return error;
}

static int host_dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct host *host = ctx;
    int error = memory_dma_write(host->memory, bus, from, bytes);
    if (error != PCIE_OK)
        record_refused(host, 1, bus, bytes);
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
    if (params->dma_bits < HOST_BUS_BITS)
        memory_limit_reach(host->memory, (UINT64_C(1) << params->dma_bits) - 1);
    host->locks_cost = params->cpus > 1 || params->lock.amount != 0;
    host->cpus = calloc(params->cpus, sizeof *host->cpus);
    if (host->cpus == NULL)
        abort();
    for (unsigned i = 0; i < params->cpus; i++)
        host->cpus[i] = (struct host_cpu){.host = host, .number = i};
    host->here = &host->cpus[0];
    host->cache = cache_create(cache, &host->clock);
    /* Where DMA is not coherent, rings and lists are uncached; bounce memory too, or else the core
     * must say when it changes hands. */
    bool coherent = params->coherent || params->bounce_memory == HOST_BOUNCE_UNCACHED;
    host->platform = (struct nvme_platform){
        .ops = &host_platform_ops,
        .ctx = host,
        .flags = (coherent ? NVME_PLATFORM_COHERENT : 0u) |
                 (params->loads_ordered ? NVME_PLATFORM_LOADS_ORDERED : 0u),
        .dma_mask = params->dma_bits < HOST_BUS_BITS ? (UINT64_C(1) << params->dma_bits) - 1 : 0};
    pcie_port_attach_host(port, &host_ops, host);
    return host;
}

void host_destroy(struct host *host)
{
    if (host == NULL)
        return;
    memory_destroy(host->memory);
    cache_destroy(host->cache);
    free(host->cpus);
    free(host);
}

static void host_switched(void *ctx, unsigned number)
{
    struct host *host = ctx;
    host->here = &host->cpus[number];
    host->cpu = host->here->cpu;
}

void host_set_cpu(struct host *host, struct cpu *cpu)
{
    assert(cpu_number(cpu) < host->p.cpus);
    host->cpus[cpu_number(cpu)].cpu = cpu;
    if (cpu_number(cpu) != 0)
        return;
    host->cpu = cpu;
    host->set = cpu_set_of(cpu);
    cpu_set_on_switch(host->set, host_switched, host);
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

const struct host_stats *host_get_stats(struct host *host)
{
    struct host_stats *total = &host->stats;
    total->interrupts = total->soft_halves = 0;
    memset(total->spent_ps, 0, sizeof total->spent_ps);
    for (unsigned i = 0; i < host->p.cpus; i++) {
        const struct host_cpu *cpu = &host->cpus[i];
        total->interrupts += cpu->interrupts;
        total->soft_halves += cpu->soft_halves;
        for (unsigned use = 0; use < CPU_USES; use++)
            total->spent_ps[use] += cpu->spent_ps[use];
    }
    return total;
}

void host_get_cpu_stats(const struct host *host, unsigned number, struct host_cpu_stats *stats)
{
    const struct host_cpu *cpu = &host->cpus[number];
    *stats =
        (struct host_cpu_stats){.interrupts = cpu->interrupts, .soft_halves = cpu->soft_halves};
    memcpy(stats->spent_ps, cpu->spent_ps, sizeof stats->spent_ps);
}

uint64_t host_now(const struct host *host)
{
    return cpu_now(host->cpu);
}

/* ---- time ---- */

void host_account(struct host *host, enum record_cpu_use use, uint64_t ps)
{
    host->here->spent_ps[use] += ps;
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
    host_attend(host);
}

void host_spend(struct host *host, enum record_cpu_use use, struct param_cost cost)
{
    host_spend_ps(host, use, clock_cost(&host->clock, cost));
}

bool host_idle(struct host *host)
{
    struct host_cpu *here = host->here;
    uint64_t roused = here->roused;
    host_attend(host);
    while (here->roused == roused) {
        uint64_t from = cpu_now(here->cpu);
        here->asleep = true;
        bool woken = cpu_wait(here->cpu);
        here->asleep = false;
        if (cpu_now(here->cpu) != from)
            host_account(host, CPU_IDLE, cpu_now(here->cpu) - from);
        if (!woken)
            return false;
        if (here->roused != roused || host_can_deliver(host))
            host_spend(host, CPU_INTERRUPT, host->p.idle_exit);
    }
    return true;
}

static void host_alarm(void *ctx, uint64_t arg)
{
    struct host_cpu *cpu = ctx;
    (void)arg;
    cpu->roused++;
    cpu_wake(cpu->cpu);
}

bool host_idle_until(struct host *host, uint64_t time_ps)
{
    engine_handle alarm = engine_at(host->engine, time_ps, host_alarm, host->here, 0);
    bool woken = host_idle(host);
    engine_cancel(host->engine, alarm);
    return woken;
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
    host_record_store(host, memory_bus(area) + offset, bytes);
    host_spend_ps(host, CPU_WORKLOAD, ps);
}

void host_record_store(const struct host *host, uint64_t bus, size_t bytes)
{
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_STORE, 0, bus, bytes,
                0);
}
