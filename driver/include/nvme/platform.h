/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The line between the driver core and the world: everything that the core asks of the machine it
 * runs on. One object file of the core serves every port, because the world is a table of functions
 * with a context. Implemented by sim/host (simulated machine), by driver/ports (bare metal, VFIO)
 * and by anybody who ports the core; called only by driver/src.
 *
 * What the hot path may call, and nothing else: publish (once per ring of a doorbell), write32 (the
 * doorbell), cq_load (once per look at a completion entry, unless NVME_PLATFORM_CQ_PLAIN), rmb
 * (once per completion, unless NVME_PLATFORM_LOADS_ORDERED), map/unmap or sync for buffers that are
 * not registered, copy for bounced data, lock/unlock where given. The core stores submission
 * entries and PRP lists with plain stores into memory from dma_alloc; a checker finds them by
 * comparing memory at publish.
 *
 * Byte order: registers are passed as numbers (the port swaps); memory shared with the device is
 * little endian and the core swaps; cq_load returns the 32 bits as they lie in memory.
 */
#ifndef NVME_PLATFORM_H
#define NVME_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A ring shared with the controller (NVMe 1.4 section 4.1). Filled by the core at queue creation;
 * constant while the queue lives. */
struct nvme_ring {
    void *entries;      /* CPU address of entry 0 */
    uint64_t bus;       /* bus address of entry 0, page aligned */
    uint16_t depth;     /* entries, 2..65535 */
    uint16_t qid;       /* 0 = admin */
    uint8_t entry_log2; /* 6 for submission queues, 4 for completion queues */
    bool is_cq;
};

/* Direction of data, seen from the device. */
enum nvme_dir {
    NVME_TO_DEVICE,   /* device reads memory: write commands */
    NVME_FROM_DEVICE, /* device writes memory: read commands */
    NVME_BOTH_WAYS    /* rings and bounce buffers that live for ever */
};

/* What a piece of DMA memory is for; a port may place each kind differently. */
enum nvme_dma_use {
    NVME_DMA_SQ,         /* submission entries: CPU writes, device reads */
    NVME_DMA_CQ,         /* completion entries: device writes, CPU reads */
    NVME_DMA_LIST,       /* PRP lists: CPU writes, device reads */
    NVME_DMA_BOUNCE,     /* bounce buffers: both ways */
    NVME_DMA_CONTROL,    /* identify pages and other admin data: both ways */
    NVME_DMA_HOST_MEMORY /* lent to the controller for its own use (8.9): both ways; large */
};

/* Memory that both CPU and device reach, from dma_alloc. */
struct nvme_dma {
    void *cpu;      /* CPU address; NULL when nothing is held */
    uint64_t bus;   /* bus address; the block is contiguous for the device */
    size_t bytes;   /* size as asked for */
    void *platform; /* for the port's own use */
};

/* One run of bus addresses of a mapped buffer. All but the first start on a page boundary and all
 * but the last end on one (the page is CC.MPS), so that they can be PRP entries. */
struct nvme_segment {
    uint64_t bus;
    uint32_t bytes;
};

/* Flags of map and unmap. */
#define NVME_MAP_FRESH_LIST                                                                        \
    (1u << 0) /* allocate the list of DMA entries for this I/O and free it at                      \
               * unmap, instead of using the one that was preallocated */

/* Moments at which memory changes hands (as bus_dmamap_sync). */
enum nvme_sync {
    NVME_SYNC_FOR_DEVICE, /* CPU has written, or the device will: make the CPU's stores visible */
    NVME_SYNC_FOR_CPU     /* device has written: make it visible to the CPU */
};

enum nvme_copy_routine {
    NVME_COPY_BYTES,    /* one byte per iteration */
    NVME_COPY_OPTIMISED /* the platform's best */
};

enum nvme_irq_mode { NVME_IRQ_NONE, NVME_IRQ_INTX, NVME_IRQ_MSI, NVME_IRQ_MSIX };

/* Facts about the platform, in nvme_platform.flags. */
#define NVME_PLATFORM_COHERENT                                                                     \
    (1u << 0) /* device sees CPU stores without sync: the core skips sync                          \
               * for rings, lists and bounce memory */
#define NVME_PLATFORM_LOADS_ORDERED                                                                \
    (1u << 1) /* loads are not reordered, nor is a store before an earlier load: the core skips    \
               * rmb, and mb before a shadow CQ doorbell */
#define NVME_PLATFORM_CQ_PLAIN                                                                     \
    (1u << 2) /* completion entries are ordinary memory, and a load of it always sees what the     \
               * device has written: on I/O queues the core loads dword 3 itself, with one 32-bit  \
               * volatile access, instead of calling cq_load */

/* The operations. "May be NULL" is said where it holds; all others are required. None may call back
 * into the core, except that an interrupt handler of the port may run between any two operations
 * while no lock is held. All may be called from the context in which the core was called. */
struct nvme_platform_ops {
    /* Registers. offset: bytes from BAR0 (NVMe 1.4 section 3.1), aligned to the access. A device
     * that is gone reads as all ones. read64/write64 may be NULL: two 32-bit accesses, low word
     * first. */
    uint32_t (*read32)(void *ctx, uint32_t offset);
    void (*write32)(void *ctx, uint32_t offset, uint32_t value);
    uint64_t (*read64)(void *ctx, uint32_t offset);
    void (*write64)(void *ctx, uint32_t offset, uint64_t value);

    /* publish: all earlier stores of the core and of its caller are visible to the device before
     * any later register write or store to memory (a shadow doorbell): entries [first, first+count)
     * of this ring, modulo its depth, PRP lists, copied data, and data that the caller has stored
     * into registered buffers. A write fence and, on non-coherent machines, a clean of those
     * entries (lists and copied data had their sync; registered buffers are the caller's, see
     * NVME_REQ_REGISTERED). count 1..depth-1.
     */
    void (*publish)(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count);
    /* cq_load: dword 3 of the entry (command identifier and status with the phase tag), loaded
     * once, as one 32-bit access, fresh from memory. */
    uint32_t (*cq_load)(void *ctx, const struct nvme_ring *cq, uint16_t slot);
    /* rmb: all later loads, of the core (the rest of the entry, copied data) and of the caller (the
     * data that the device has written), are not older than cq_load's. */
    void (*rmb)(void *ctx, const struct nvme_ring *cq, uint16_t slot);
    /* mb: full barrier: all earlier loads and stores before all later ones (shadow doorbells;
     * needed only with config.shadow_doorbells). */
    void (*mb)(void *ctx);

    /* DMA memory. align: a power of two up to 64 KiB. Contents are zero, and no dirty cache line
     * covers them: a write-back later would fall on what the device has written. Returns 0 or
     * NVME_E_NO_MEMORY. Called during bring-up and shutdown only. */
    int (*dma_alloc)(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                     struct nvme_dma *out);
    void (*dma_free)(void *ctx, struct nvme_dma *dma);

    /* map: makes a caller's buffer reachable for the device in one direction until unmap, with the
     * cache maintenance that goes with it, and fills segments[0..*count). Returns 0, NVME_E_INVAL
     * (more than max segments), NVME_E_NO_MEMORY, or NVME_E_UNSUPPORTED (the device cannot reach
     * it: see dma_mask). unmap takes the same values. */
    int (*map)(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags,
               struct nvme_segment *segments, unsigned max, unsigned *count);
    void (*unmap)(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags);
    /* sync: memory from dma_alloc changes hands. FOR_DEVICE also comes before the device writes:
     * after it no dirty line covers those bytes. Not called when COHERENT. */
    void (*sync)(void *ctx, const struct nvme_dma *dma, size_t offset, size_t bytes,
                 enum nvme_sync what);
    /* copy: bounced data; the areas never overlap. bytes >= 1. */
    void (*copy)(void *ctx, void *to, const void *from, size_t bytes,
                 enum nvme_copy_routine routine);

    /* Time since some fixed start, ns; never goes back. */
    uint64_t (*now_ns)(void *ctx);
    /* relax: the caller is about to look again at something that has not changed. May be NULL. */
    void (*relax)(void *ctx);

    /* irq_setup: route `vectors` vectors (1 for INTx) and enable delivery; mode NONE undoes it, and
     * keeps the function from interrupting at all (PCI Command, Interrupt Disable; MSI and MSI-X
     * off). Returns the number of vectors granted, 1..vectors (not looked at for NONE), or a
     * negative error. The port's handler calls nvme_interrupt(). With a configuration that polls,
     * every bring-up and reset calls it with NONE and 0, because the admin queue always interrupts
     * (NVMe 1.4 section 7.5.1); it may be NULL then, and the core masks with INTMS instead. */
    int (*irq_setup)(void *ctx, enum nvme_irq_mode mode, unsigned vectors);
    /* irq_move: deliver a vector to another CPU from now on, while interrupts go on; no interrupt
     * is lost on the way, and one that is already on its way may still come to the old CPU. 0,
     * NVME_E_INVAL (no such vector or CPU), or NVME_E_UNSUPPORTED: not for this kind of interrupt
     * (INTx; MSI with several messages, which have one address). May be NULL. */
    int (*irq_move)(void *ctx, unsigned vector, unsigned cpu);

    /* Mutual exclusion with interrupt handlers and other CPUs for one queue (qid; 0 = admin): a
     * spin lock that holds interrupts back on its CPU. Both NULL when every call for a queue comes
     * from one context. */
    void (*lock)(void *ctx, uint16_t qid);
    void (*unlock)(void *ctx, uint16_t qid);

    /* trace: what happens (nvme/trace.h). Called only by a core compiled with NVME_TRACING. May be
     * NULL. */
    void (*trace)(void *ctx, unsigned event, uint16_t qid, uint64_t a, uint64_t b);
};

struct nvme_platform {
    const struct nvme_platform_ops *ops;
    void *ctx;
    unsigned flags;    /* NVME_PLATFORM_* */
    uint64_t dma_mask; /* highest bus address that the device can use, a power of two less one; 0:
                        * it can use all. Memory from dma_alloc lies below it; map returns
                        * NVME_E_UNSUPPORTED for a buffer that does not */
};

#endif
