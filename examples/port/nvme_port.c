/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A complete port of the driver core to a small system (board.h): one CPU, no MMU, coherent memory,
 * one interrupt pin. docs/porting.md goes through it, one operation at a time.
 */
#include "nvme_port.h"

#include <string.h>

#include "board.h"

static struct nvme *attached;
static size_t pool_used;

static uint32_t port_read32(void *ctx, uint32_t offset)
{
    (void)ctx;
    return board_register_read(offset);
}

static void port_write32(void *ctx, uint32_t offset, uint32_t value)
{
    (void)ctx;
    board_register_write(offset, value);
}

static void port_publish(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count)
{
    (void)ctx, (void)sq, (void)first, (void)count;
    board_store_fence();
}

static uint32_t port_cq_load(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    (void)ctx;
    return ((const volatile uint32_t *)cq->entries)[slot * 4u + 3];
}

static void port_rmb(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    (void)ctx, (void)cq, (void)slot;
    board_load_fence();
}

static void port_mb(void *ctx)
{
    (void)ctx;
    board_full_fence();
}

/* Bring-up allocates, stop gives all of it back: a stack is enough. */
static int port_dma_alloc(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                          struct nvme_dma *out)
{
    size_t at = (pool_used + align - 1) & ~(align - 1);

    (void)ctx, (void)use;
    if (at > BOARD_POOL_BYTES || bytes > BOARD_POOL_BYTES - at)
        return NVME_E_NO_MEMORY;
    pool_used = at + bytes;
    memset(board_pool + at, 0, bytes);
    *out = (struct nvme_dma){board_pool + at, board_bus(board_pool + at), bytes, NULL};
    return NVME_OK;
}

static void port_dma_free(void *ctx, struct nvme_dma *dma)
{
    size_t at = (size_t)((uint8_t *)dma->cpu - board_pool);

    (void)ctx;
    if (at < pool_used)
        pool_used = at;
}

/* Callers' buffers outside the pool are out of the device's reach: the core bounces them. */
static int port_map(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags,
                    struct nvme_segment *segments, unsigned max, unsigned *count)
{
    (void)ctx, (void)dir, (void)flags;
    if (max == 0 || (uintptr_t)buffer < (uintptr_t)board_pool ||
        (uintptr_t)buffer - (uintptr_t)board_pool + bytes > BOARD_POOL_BYTES)
        return NVME_E_UNSUPPORTED;
    segments[0] = (struct nvme_segment){board_bus(buffer), (uint32_t)bytes};
    *count = 1;
    return NVME_OK;
}

static void port_unmap(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags)
{
    (void)ctx, (void)buffer, (void)bytes, (void)dir, (void)flags;
}

static void port_copy(void *ctx, void *to, const void *from, size_t bytes,
                      enum nvme_copy_routine routine)
{
    (void)ctx, (void)routine;
    memcpy(to, from, bytes);
}

static uint64_t port_now_ns(void *ctx)
{
    (void)ctx;
    return board_time_ns();
}

static void port_relax(void *ctx)
{
    (void)ctx;
    board_wait();
}

static void interrupt(void)
{
    if (attached)
        nvme_interrupt(attached, 0);
}

static int port_irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors)
{
    (void)ctx, (void)vectors;
    board_interrupt(mode == NVME_IRQ_INTX ? interrupt : NULL);
    return mode == NVME_IRQ_INTX || mode == NVME_IRQ_NONE ? 1 : NVME_E_UNSUPPORTED;
}

static void port_lock(void *ctx, uint16_t qid)
{
    (void)ctx, (void)qid;
    board_interrupts_off();
}

static void port_unlock(void *ctx, uint16_t qid)
{
    (void)ctx, (void)qid;
    board_interrupts_on();
}

static const struct nvme_platform_ops ops = {
    .read32 = port_read32,
    .write32 = port_write32,
    .publish = port_publish,
    .cq_load = port_cq_load,
    .rmb = port_rmb,
    .mb = port_mb,
    .dma_alloc = port_dma_alloc,
    .dma_free = port_dma_free,
    .map = port_map,
    .unmap = port_unmap,
    .copy = port_copy,
    .now_ns = port_now_ns,
    .relax = port_relax,
    .irq_setup = port_irq_setup,
    .lock = port_lock,
    .unlock = port_unlock,
};

const struct nvme_platform nvme_port_platform = {.ops = &ops, .flags = NVME_PLATFORM_COHERENT};

void nvme_port_attach(struct nvme *nvme)
{
    attached = nvme;
}
