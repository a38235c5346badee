/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The platform under a hostile device: each piece of DMA memory and each buffer is a heap block of
 * its own, so that the sanitizer sees the core run over its end; bus addresses are given once and
 * never again, so that what was given back is unknown to the device from then on. Every operation
 * is a moment at which an armed action of the device, or an interrupt, may happen (nvme/platform.h:
 * between any two operations while no lock is held). See driver.h.
 */
#include "fuzz/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#endif
#if defined(POISON)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

#define PAGE           4096u
#define BLOCKS_BUS     UINT64_C(0x10000000)
#define MAPS_BUS       UINT64_C(0x40000000)
#define REGISTERED_BUS UINT64_C(0xC0000000)
#define REGISTERED     UINT64_C(0x3FFFF000)   /* bytes */
#define HIGH           UINT64_C(0x7700000000) /* where 64 bits can be used */

void hostile_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("fuzz_driver: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

void *hostile_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);

    if (memory == NULL)
        abort();
    return memory;
}

static uint8_t *aligned(size_t bytes, size_t align)
{
    uint8_t *memory = aligned_alloc(align, (bytes + align - 1) & ~(align - 1));

    if (memory == NULL)
        abort();
    return memory;
}

uint8_t *hostile_buffer(size_t bytes, unsigned offset)
{
    size_t whole = (offset + bytes + PAGE) & ~(size_t)(PAGE - 1);
    uint8_t *memory = aligned(whole, PAGE);

    memset(memory, 0x5A, whole);
    ASAN_POISON_MEMORY_REGION(memory, offset);
    ASAN_POISON_MEMORY_REGION(memory + offset + bytes, whole - offset - bytes);
    return memory;
}

/* ---- moments ---- */

void hostile_begin_call(struct hostile *h)
{
    if (h->nested)
        return;
    h->calls = 0;
    h->relax_ns = 1000000;
}

static void moment(struct hostile *h)
{
    if (++h->calls > HOSTILE_CALLS_MAX)
        hostile_fail("one call of the core never ends: %u operations of the platform", h->calls);
    for (unsigned i = 0; i < HOSTILE_ARMED; i++) {
        if (h->armed[i].countdown == 0 || --h->armed[i].countdown != 0)
            continue;
        if (hostile_do_device(h, &h->armed[i].record))
            continue;
        if (h->ops.lock && h->locks == 0 && !h->nested)
            hostile_nested_interrupt(h, h->armed[i].record.a);
    }
}

/* ---- registers ---- */

static uint32_t read32(void *ctx, uint32_t offset)
{
    moment(ctx);
    return hostile_read(ctx, offset);
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
    moment(ctx);
    hostile_write(ctx, offset, value);
}

static uint64_t read64(void *ctx, uint32_t offset)
{
    uint64_t low;

    moment(ctx);
    low = hostile_read(ctx, offset);
    return low | (uint64_t)hostile_read(ctx, offset + 4) << 32;
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
    moment(ctx);
    hostile_write(ctx, offset, (uint32_t)value);
    hostile_write(ctx, offset + 4, (uint32_t)(value >> 32));
}

/* ---- rings ---- */

static void publish(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count)
{
    moment(ctx);
    if (sq->is_cq || first >= sq->depth || count == 0 || count >= sq->depth)
        hostile_fail("publish of %u entries from %u, of %u", count, first, sq->depth);
}

static uint32_t cq_load(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    moment(ctx);
    if (!cq->is_cq || slot >= cq->depth)
        hostile_fail("a look at completion entry %u of %u", slot, cq->depth);
    return ((const volatile struct nvme_cqe *)cq->entries)[slot].cid_status;
}

static void rmb(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    (void)cq;
    (void)slot;
    moment(ctx);
}

static void mb(void *ctx)
{
    moment(ctx);
}

/* ---- memory ---- */

static bool refuses(uint32_t *countdown)
{
    return *countdown != 0 && --*countdown == 0;
}

static uint64_t high(const struct hostile *h)
{
    return h->platform.dma_mask ? 0 : HIGH;
}

static int dma_alloc(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                     struct nvme_dma *out)
{
    struct hostile *h = ctx;
    struct hostile_block *block;

    moment(h);
    if (bytes == 0 || align < PAGE || align > 65536 || (align & (align - 1)) != 0)
        hostile_fail("dma_alloc of %zu bytes, aligned to %zu", bytes, align);
    if (refuses(&h->refuse_alloc) || bytes > HOSTILE_MEMORY_MAX - h->block_bytes)
        return NVME_E_NO_MEMORY;
    block = hostile_alloc(sizeof *block);
    block->cpu = aligned(bytes, align);
    memset(block->cpu, 0, bytes);
    ASAN_POISON_MEMORY_REGION(block->cpu + bytes, -bytes & (align - 1));
    block->bytes = bytes;
    block->use = use;
    h->next_block = (h->next_block + align - 1) & ~(uint64_t)(align - 1);
    block->bus = h->next_block;
    h->next_block += bytes + 65536;
    h->block_bytes += bytes;
    block->next = h->blocks;
    h->blocks = block;
    *out =
        (struct nvme_dma){.cpu = block->cpu, .bus = block->bus, .bytes = bytes, .platform = block};
    return NVME_OK;
}

static void free_poisoned(uint8_t *memory, size_t bytes)
{
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
    (void)bytes;
    free(memory);
}

static void dma_free(void *ctx, struct nvme_dma *dma)
{
    struct hostile *h = ctx;
    struct hostile_block **link = &h->blocks, *block;

    moment(h);
    while (*link && (*link)->cpu != dma->cpu)
        link = &(*link)->next;
    block = *link;
    if (!block || block->bus != dma->bus || block->bytes != dma->bytes || block != dma->platform)
        hostile_fail("dma_free of what dma_alloc did not give");
    *link = block->next;
    h->block_bytes -= block->bytes;
    free_poisoned(block->cpu, block->bytes);
    free(block);
}

static int map(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags,
               struct nvme_segment *segments, unsigned max, unsigned *count)
{
    struct hostile *h = ctx;
    uint32_t page = PAGE << (h->cc >> NVME_CC_MPS_SHIFT & 0xF);
    uint32_t offset = (uint32_t)((uintptr_t)buffer & (PAGE - 1));
    uint32_t pages = (uint32_t)((offset + bytes + page - 1) / page);
    struct hostile_map *entry;

    moment(h);
    if (bytes == 0 || max == 0)
        hostile_fail("map of %zu bytes into %u segments", bytes, max);
    if (refuses(&h->refuse_map))
        return h->platform.dma_mask ? NVME_E_UNSUPPORTED : NVME_E_NO_MEMORY;
    if (h->scatter && pages > max)
        return NVME_E_INVAL;
    entry = hostile_alloc(sizeof *entry);
    *entry =
        (struct hostile_map){h->maps, buffer, bytes, dir, flags, 0, page, h->scatter ? pages : 0};
    h->next_map = (h->next_map + page - 1) & ~(uint64_t)(page - 1);
    entry->bus = h->next_map;
    h->next_map += (uint64_t)(pages + 1) * 2 * page;
    h->maps = entry;
    *count = 0;
    for (size_t done = 0; done < bytes;) {
        size_t room = h->scatter ? page - (offset + done) % page : bytes;
        size_t part = bytes - done < room ? bytes - done : room;
        uint32_t index = (uint32_t)((offset + done) / page);

        segments[(*count)++] = (struct nvme_segment){
            entry->bus + (h->scatter ? (uint64_t)(pages - 1 - index) * 2 * page : 0) +
                (h->scatter ? (offset + done) % page : offset),
            (uint32_t)part};
        done += part;
    }
    return NVME_OK;
}

static void unmap(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags)
{
    struct hostile *h = ctx;
    struct hostile_map **link = &h->maps, *entry;

    moment(h);
    while (*link && ((*link)->buffer != buffer || (*link)->bytes != bytes || (*link)->dir != dir ||
                     (*link)->flags != flags))
        link = &(*link)->next;
    entry = *link;
    if (!entry)
        hostile_fail("unmap of %zu bytes that are not mapped", bytes);
    *link = entry->next;
    free(entry);
}

static void sync(void *ctx, const struct nvme_dma *dma, size_t offset, size_t bytes,
                 enum nvme_sync what)
{
    struct hostile *h = ctx;

    (void)what;
    moment(h);
    if (h->platform.flags & NVME_PLATFORM_COHERENT)
        hostile_fail("sync, although memory is coherent");
    if (offset > dma->bytes || bytes > dma->bytes - offset)
        hostile_fail("sync of [%zu, %zu) of %zu bytes", offset, offset + bytes, dma->bytes);
}

static void copy(void *ctx, void *to, const void *from, size_t bytes,
                 enum nvme_copy_routine routine)
{
    (void)routine;
    moment(ctx);
    if (bytes == 0)
        hostile_fail("a copy of nothing");
    memcpy(to, from, bytes);
}

static bool in_map(const struct hostile_map *entry, uint64_t bus, size_t bytes, uint8_t **at)
{
    uint64_t offset = (uintptr_t)entry->buffer & (PAGE - 1);
    uint64_t from = bus - entry->bus;

    if (bus < entry->bus)
        return false;
    if (entry->pages != 0) {
        uint64_t place = from / (2 * entry->page);

        if (place >= entry->pages || from % (2 * entry->page) + bytes > entry->page)
            return false;
        from = (entry->pages - 1 - place) * entry->page + from % (2 * entry->page);
    }
    if (from < offset || from - offset + bytes > entry->bytes)
        return false;
    *at = entry->buffer + (from - offset);
    return true;
}

bool hostile_resolve(struct hostile *h, uint64_t bus, size_t bytes, bool write, uint8_t **at)
{
    uint64_t registered = REGISTERED_BUS + high(h);

    *at = NULL;
    if (bus >= registered && bus - registered < REGISTERED && bytes <= REGISTERED)
        return true;
    for (struct hostile_block *block = h->blocks; block; block = block->next)
        if (bus >= block->bus && bus - block->bus + bytes <= block->bytes) {
            *at = block->cpu + (bus - block->bus);
            return true;
        }
    for (struct hostile_map *entry = h->maps; entry; entry = entry->next)
        if (in_map(entry, bus, bytes, at) &&
            entry->dir != (write ? NVME_TO_DEVICE : NVME_FROM_DEVICE))
            return true;
    return false;
}

uint64_t hostile_registered_bus(const struct hostile *h, uint32_t page, uint32_t offset)
{
    return REGISTERED_BUS + high(h) + (page & 0xFF) * UINT64_C(0x10000) + offset;
}

/* ---- the rest ---- */

static uint64_t now_ns(void *ctx)
{
    struct hostile *h = ctx;

    moment(h);
    return h->now_ns;
}

/* Longer from time to time, so that whoever waits for a deadline gets there. */
static void relax(void *ctx)
{
    struct hostile *h = ctx;

    moment(h);
    h->now_ns += h->relax_ns;
    h->relax_ns += h->relax_ns / 8;
    hostile_run_device(h);
}

static int irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors)
{
    struct hostile *h = ctx;

    moment(h);
    h->irq_on = mode != NVME_IRQ_NONE;
    if (!h->irq_on)
        return 0;
    if (vectors == 0)
        hostile_fail("no interrupt vectors are asked for");
    return (int)(vectors < h->vectors ? vectors : h->vectors);
}

static int irq_move(void *ctx, unsigned vector, unsigned cpu)
{
    struct hostile *h = ctx;

    moment(h);
    if (!h->irq_on || vector >= h->vectors)
        hostile_fail("vector %u, which was never granted, is moved", vector);
    return cpu % 4 == 0 ? NVME_OK : cpu % 4 == 1 ? NVME_E_UNSUPPORTED : NVME_E_INVAL;
}

static void lock(void *ctx, uint16_t qid)
{
    struct hostile *h = ctx;

    moment(h);
    if (qid >= HOSTILE_QUEUES || h->locked[qid])
        hostile_fail("the lock of queue %u is taken by who holds it", qid);
    h->locked[qid] = 1;
    h->locks++;
}

static void unlock(void *ctx, uint16_t qid)
{
    struct hostile *h = ctx;

    if (qid >= HOSTILE_QUEUES || !h->locked[qid])
        hostile_fail("the lock of queue %u is released and was not held", qid);
    h->locked[qid] = 0;
    h->locks--;
    moment(h);
}

const struct nvme_platform_ops hostile_ops = {
    .read32 = read32,
    .write32 = write32,
    .read64 = read64,
    .write64 = write64,
    .publish = publish,
    .cq_load = cq_load,
    .rmb = rmb,
    .mb = mb,
    .dma_alloc = dma_alloc,
    .dma_free = dma_free,
    .map = map,
    .unmap = unmap,
    .sync = sync,
    .copy = copy,
    .now_ns = now_ns,
    .relax = relax,
    .irq_setup = irq_setup,
    .irq_move = irq_move,
    .lock = lock,
    .unlock = unlock,
};

void hostile_platform_init(struct hostile *h)
{
    h->next_block = BLOCKS_BUS + high(h);
    h->next_map = MAPS_BUS + high(h);
}

/* After the last stop. */
void hostile_platform_end(struct hostile *h)
{
    if (h->maps)
        hostile_fail("a buffer of %zu bytes is still mapped", h->maps->bytes);
    if (h->blocks)
        hostile_fail("%zu bytes of DMA memory (use %d) are not given back", h->blocks->bytes,
                     (int)h->blocks->use);
    if (h->irq_on)
        hostile_fail("interrupts are still routed");
}
