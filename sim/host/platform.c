/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The platform of the simulated host: every operation of nvme/platform.h, with what it costs the
 * CPU and what it does to memory, caches and device. Called by the driver core only.
 */
#include "host/host_state.h"

#include <string.h>

#include <nvme/nvme.h>

#define PLATFORM_PAGE 4096u
#define CQE_DW3       12u
#define CQE_PHASE     (1u << 16) /* in dword 3 (4.6) */
#define REGISTER_CC   0x14u
#define CC_EN         1u

/* ---- registers ---- */

static void host_register_write(struct host *host, uint32_t offset, unsigned size, uint64_t value)
{
    host->stats.register_writes++;
    if (offset == REGISTER_CC && (value & CC_EN) == 0)
        memset(host->views, 0, sizeof host->views); /* rings begin again at slot 0, phase 1 */
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_REG_WRITE, size, offset,
                value, 0);
    if (host->p.emulation == HOST_EMULATION_SINGLE_THREAD) {
        /* The guest leaves translated code: what was held off runs first, then the access, then
         * what the access made due. */
        host_pass_ps(host, CPU_REGISTER, clock_cost(&host->clock, host->p.register_write));
        cpu_exit(host->cpu);
        pcie_port_bar_write(host->port, host_now(host), 0, offset, size, value);
        cpu_exit(host->cpu);
        host_spend_ps(host, CPU_REGISTER, 0); /* an interrupt may have become pending */
    } else {
        pcie_port_bar_write(host->port, host_now(host), 0, offset, size, value);
        host_spend(host, CPU_REGISTER, host->p.register_write);
    }
}

static uint64_t host_register_read(struct host *host, uint32_t offset, unsigned size)
{
    host->stats.register_reads++;
    host_pass_ps(host, CPU_REGISTER, clock_cost(&host->clock, host->p.register_read));
    cpu_exit(host->cpu);
    uint64_t arrives = pcie_port_read_request(host->port, host_now(host));
    if (arrives > host_now(host))
        host_pass_ps(host, CPU_REGISTER, arrives - host_now(host));
    cpu_exit(host->cpu); /* the device is at the time of the access, whatever holds it off */
    uint64_t value = pcie_port_bar_read(host->port, 0, offset, size);
    uint64_t back = pcie_port_read_reply(host->port, host_now(host), size);
    if (back > host_now(host))
        host_pass_ps(host, CPU_REGISTER, back - host_now(host));
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_REG_READ, size, offset,
                value, 0);
    host_spend_ps(host, CPU_REGISTER, 0); /* an interrupt that came meanwhile */
    return value;
}

static uint32_t platform_read32(void *ctx, uint32_t offset)
{
    return (uint32_t)host_register_read(ctx, offset, 4);
}

static void platform_write32(void *ctx, uint32_t offset, uint32_t value)
{
    host_register_write(ctx, offset, 4, value);
}

static uint64_t platform_read64(void *ctx, uint32_t offset)
{
    return host_register_read(ctx, offset, 8);
}

static void platform_write64(void *ctx, uint32_t offset, uint64_t value)
{
    host_register_write(ctx, offset, 8, value);
}

/* ---- rings ---- */

static struct param_cost times(struct param_cost cost, uint64_t n)
{
    cost.amount *= n;
    return cost;
}

static void platform_publish(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count)
{
    struct host *host = ctx;
    host_spend(host, CPU_BUILD, times(host->p.entry_build, count));
    host_spend(host, CPU_BUILD, host->p.publish);
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_PUBLISH, sq->qid, first,
                count, 0);
}

/* Handling an entry costs time, and only here can be seen that there is one to handle. */
static void host_note_entry(struct host *host, const struct nvme_ring *cq, uint16_t slot,
                            uint32_t raw)
{
    const uint8_t *b = (const uint8_t *)&raw;
    uint32_t word = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    struct host_cq_view *view = &host->views[cq->qid < HOST_QUEUES ? cq->qid : 0];
    if (slot != view->head || ((word & CQE_PHASE) != 0) == view->phase_flipped)
        return;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_CQE_SEEN, cq->qid, slot,
                word & 0xffffu, 0);
    if (++view->head == cq->depth) {
        view->head = 0;
        view->phase_flipped = !view->phase_flipped;
    }
    host_spend(host, CPU_COMPLETE, host->p.entry_consume);
}

static uint32_t platform_cq_load(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    struct host *host = ctx;
    host->stats.entry_looks++;
    host_spend(host, CPU_POLL, host->p.entry_look);
    uint32_t word;
    memcpy(&word, (const uint8_t *)cq->entries + ((size_t)slot << cq->entry_log2) + CQE_DW3,
           sizeof word);
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_CQ_LOAD, cq->qid, slot,
                word, 0);
    host_note_entry(host, cq, slot, word);
    return word;
}

static void platform_rmb(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    struct host *host = ctx;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_RMB, cq->qid, slot, 0,
                0);
    host_spend(host, CPU_POLL, host->p.read_barrier);
}

static void platform_mb(void *ctx)
{
    struct host *host = ctx;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_MB, 0, 0, 0, 0);
    host_spend(host, CPU_BUILD, host->p.publish);
}

/* ---- memory ---- */

static enum record_memory memory_use(enum nvme_dma_use use)
{
    static const enum record_memory uses[] = {
        [NVME_DMA_SQ] = RECORD_MEMORY_SQ,           [NVME_DMA_CQ] = RECORD_MEMORY_CQ,
        [NVME_DMA_LIST] = RECORD_MEMORY_LIST,       [NVME_DMA_BOUNCE] = RECORD_MEMORY_BOUNCE,
        [NVME_DMA_CONTROL] = RECORD_MEMORY_CONTROL, [NVME_DMA_HOST_MEMORY] = RECORD_MEMORY_HOST,
    };
    return uses[use];
}

static enum memory_direction direction_of(enum nvme_dir dir)
{
    return dir == NVME_TO_DEVICE     ? MEMORY_TO_DEVICE
           : dir == NVME_FROM_DEVICE ? MEMORY_FROM_DEVICE
                                     : MEMORY_BOTH_WAYS;
}

static int platform_dma_alloc(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                              struct nvme_dma *out)
{
    static const enum memory_direction directions[] = {
        [NVME_DMA_SQ] = MEMORY_TO_DEVICE,      [NVME_DMA_CQ] = MEMORY_FROM_DEVICE,
        [NVME_DMA_LIST] = MEMORY_TO_DEVICE,    [NVME_DMA_BOUNCE] = MEMORY_BOTH_WAYS,
        [NVME_DMA_CONTROL] = MEMORY_BOTH_WAYS, [NVME_DMA_HOST_MEMORY] = MEMORY_BOTH_WAYS,
    };
    struct host *host = ctx;
    bool bounce = use == NVME_DMA_BOUNCE;
    bool uncached = bounce ? host->p.bounce_memory == HOST_BOUNCE_UNCACHED : !host->p.coherent;
    struct memory_area *area = memory_alloc_reachable(host->memory, bytes, align, bounce, uncached);
    if (area == NULL)
        return NVME_E_NO_MEMORY;
    memory_grant(area, 0, bytes, directions[use]);
    *out = (struct nvme_dma){memory_pointer(area), memory_bus(area), bytes, area};
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_DMA_ALLOC,
                memory_use(use), out->bus, bytes, !host->p.coherent && !memory_is_uncached(area));
    return NVME_OK;
}

static void platform_dma_free(void *ctx, struct nvme_dma *dma)
{
    struct host *host = ctx;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_DMA_FREE, 0, dma->bus,
                dma->bytes, 0);
    memory_free(host->memory, dma->platform);
    *dma = (struct nvme_dma){NULL, 0, 0, NULL};
}

static void host_maintain(struct host *host, enum cache_maintenance what, uint64_t address,
                          size_t bytes)
{
    struct cache_lines before = host->stats.lines;
    uint64_t ps = cache_maintain(host->cache, what, address, bytes, &host->stats.lines);
    host_spend_ps(host, CPU_CACHE, ps);
    const struct cache_lines *after = &host->stats.lines;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_CACHE, what, address,
                (after->dirty - before.dirty) + (after->clean - before.clean) +
                    (after->absent - before.absent),
                0);
}

static unsigned pages_of(uint64_t bus, size_t bytes)
{
    return (unsigned)((bus % PLATFORM_PAGE + bytes + PLATFORM_PAGE - 1) / PLATFORM_PAGE);
}

static int platform_map(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags,
                        struct nvme_segment *segments, unsigned max, unsigned *count)
{
    struct host *host = ctx;
    size_t offset;
    struct memory_area *area = memory_find(host->memory, buffer, bytes, &offset);
    if (area == NULL || max == 0)
        return NVME_E_INVAL;
    if (!memory_is_reachable(area))
        return NVME_E_UNSUPPORTED;
    uint64_t bus = memory_bus(area) + offset;
    host_spend(host, CPU_MAP, host->p.map);
    host_spend(host, CPU_MAP, times(host->p.map_page, pages_of(bus, bytes)));
    host->stats.maps++;
    if ((flags & NVME_MAP_FRESH_LIST) != 0) {
        host_spend(host, CPU_MAP, host->p.list_alloc);
        host->stats.fresh_lists++;
    }
    if (!host->p.coherent)
        host_maintain(host, dir == NVME_TO_DEVICE ? CACHE_CLEAN : CACHE_FLUSH, bus, bytes);
    memory_grant(area, offset, bytes, direction_of(dir));
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_MAP, dir, bus, bytes,
                0);
    segments[0] = (struct nvme_segment){bus, (uint32_t)bytes}; /* areas are contiguous */
    *count = 1;
    return NVME_OK;
}

static void platform_unmap(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags)
{
    struct host *host = ctx;
    size_t offset;
    (void)flags; /* freeing the fresh list is part of list_alloc */
    struct memory_area *area = memory_find(host->memory, buffer, bytes, &offset);
    if (area == NULL || !memory_revoke(area, offset, bytes, direction_of(dir)))
        return;
    uint64_t bus = memory_bus(area) + offset;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_UNMAP, dir, bus, bytes,
                0);
    host_spend(host, CPU_MAP, host->p.unmap);
    host->stats.unmaps++;
    if (!host->p.coherent && dir != NVME_TO_DEVICE)
        host_maintain(host, CACHE_INVALIDATE, bus, bytes);
}

static void platform_sync(void *ctx, const struct nvme_dma *dma, size_t offset, size_t bytes,
                          enum nvme_sync what)
{
    const struct host *host = ctx;
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_SYNC,
                what == NVME_SYNC_FOR_CPU, dma->bus + offset, bytes, 0);
    if (memory_is_uncached(dma->platform))
        return;
    host_maintain(ctx, what == NVME_SYNC_FOR_DEVICE ? CACHE_CLEAN : CACHE_INVALIDATE,
                  dma->bus + offset, bytes);
}

static void platform_copy(void *ctx, void *to, const void *from, size_t bytes,
                          enum nvme_copy_routine routine)
{
    struct host *host = ctx;
    size_t to_offset, from_offset;
    struct memory_area *target = memory_find(host->memory, to, bytes, &to_offset);
    struct memory_area *source = memory_find(host->memory, from, bytes, &from_offset);
    if (target == NULL || source == NULL)
        return; /* not simulated memory: the data check will tell */
    bool uncached = memory_is_uncached(target) || memory_is_uncached(source);
    const struct host_params *p = &host->p;
    uint64_t rate = routine == NVME_COPY_BYTES
                        ? (uncached ? p->copy_byte_uncached : p->copy_byte_cached)
                        : (uncached ? p->copy_optimised_uncached : p->copy_optimised_cached);
    uint64_t ps = clock_cost(&host->clock, p->copy_call) + clock_transfer_ps(bytes, rate);
    if (!memory_is_uncached(source))
        ps += cache_access(host->cache, memory_bus(source) + from_offset, bytes, false);
    if (!memory_is_uncached(target))
        ps += cache_access(host->cache, memory_bus(target) + to_offset, bytes, true);
    memory_copy(target, to_offset, source, from_offset, bytes);
    host->stats.bytes_copied += bytes;
    host->stats.copies++;
    host_record_store(host, memory_bus(target) + to_offset, bytes);
    host_spend_ps(host, CPU_COPY, ps);
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_COPY, routine, bytes,
                memory_bus(source) + from_offset, 0);
}

/* ---- time ---- */

static uint64_t platform_now_ns(void *ctx)
{
    const struct host *host = ctx;
    return host_now(host) / PS_PER_NS;
}

static void platform_relax(void *ctx)
{
    struct host *host = ctx;
    host_spend(host, CPU_POLL, host->p.relax);
    cpu_exit(host->cpu); /* a wait that gives way: under emulation the devices get the thread */
}

const struct nvme_platform_ops host_platform_ops = {
    .read32 = platform_read32,
    .write32 = platform_write32,
    .read64 = platform_read64,
    .write64 = platform_write64,
    .publish = platform_publish,
    .cq_load = platform_cq_load,
    .rmb = platform_rmb,
    .mb = platform_mb,
    .dma_alloc = platform_dma_alloc,
    .dma_free = platform_dma_free,
    .map = platform_map,
    .unmap = platform_unmap,
    .sync = platform_sync,
    .copy = platform_copy,
    .now_ns = platform_now_ns,
    .relax = platform_relax,
    .irq_setup = host_irq_setup,
    .irq_move = host_irq_move,
    .lock = host_lock,
    .unlock = host_unlock,
};
