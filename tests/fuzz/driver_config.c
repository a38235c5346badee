/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration that an input asks for: a byte for each field of struct nvme_config, 0 for its
 * default, else one of its values, so that every combination of policies can be reached and an
 * input of zeroes is an ordinary driver; then what the platform is like. Values are those at which
 * something changes; what only makes rings and buffers larger stays small. See driver.h.
 */
#include "fuzz/driver.h"

struct field {
    uint16_t offset, bytes;
    uint8_t count;
    uint32_t values[8];
};
#define FIELD(name, count, ...)                                                                    \
    {                                                                                              \
        offsetof(struct nvme_config, name), sizeof(((struct nvme_config *)0)->name), count,        \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct field fields[] = {
    FIELD(admin_depth, 6, 2, 3, 4, 5, 8, 64),
    FIELD(io_queues, 4, 1, 2, 3, 64),
    FIELD(io_depth, 7, 2, 3, 4, 8, 9, 17, 64),
    FIELD(slots, 7, 1, 2, 3, 4, 8, 16, 63),
    FIELD(cid_base, 3, 0, 1, 1023),
    FIELD(cid, 2, NVME_CID_LOWEST, NVME_CID_LIFO),
    FIELD(negotiate_queues, 2, false, true),
    FIELD(cid_generation, 2, false, true),
    FIELD(sq_priority, 4, 0, 1, 2, 3),
    FIELD(weighted, 2, true, false),
    FIELD(burst_log2, 2, 0, 7),
    FIELD(full, 2, NVME_FULL_QUEUE, NVME_FULL_REJECT),
    FIELD(bounce_bytes, 4, 4096, 8192, 65536, 0),
    FIELD(read.direct_min_bytes, 4, 512, 4096, 65536, UINT32_MAX),
    FIELD(read.direct_align_bytes, 4, 4, 16, 512, 4096),
    FIELD(write.direct_min_bytes, 4, 512, 4096, 65536, UINT32_MAX),
    FIELD(write.direct_align_bytes, 4, 4, 16, 512, 4096),
    FIELD(copy, 2, NVME_COPY_BYTES, NVME_COPY_OPTIMISED),
    FIELD(dma_list, 2, NVME_DMA_LIST_FRESH, NVME_DMA_LIST_POOL),
    FIELD(list_pages, 3, 1, 2, 3),
    FIELD(transfer_cap, 5, 4096, 8192, 12288, 65536, UINT32_MAX),
    FIELD(transfer_no_mdts, 3, 4096, 131072, UINT32_MAX),
    FIELD(split, 2, NVME_SPLIT_SERIAL, NVME_SPLIT_PARALLEL),
    FIELD(split_at_boundary, 2, true, false),
    FIELD(sgl, 3, NVME_SGL_NEVER, NVME_SGL_WHERE_NEEDED, NVME_SGL_BY_SIZE),
    FIELD(sgl_min_bytes, 4, 0, 512, 4096, UINT32_MAX),
    FIELD(ring, 4, NVME_RING_PER_COMMAND, NVME_RING_PER_BATCH, NVME_RING_LAST, NVME_RING_AT_POLL),
    FIELD(cq_ring, 2, NVME_CQ_RING_PER_ENTRY, NVME_CQ_RING_PER_DRAIN),
    FIELD(completion, 2, NVME_COMPLETION_INTERRUPT, NVME_COMPLETION_POLL),
    FIELD(irq, 4, NVME_IRQ_MSIX, NVME_IRQ_MSI, NVME_IRQ_INTX, NVME_IRQ_NONE),
    FIELD(shadow_doorbells, 2, true, false),
    FIELD(drain_most, 3, 1, 2, 5),
    FIELD(coalescing, 3, NVME_COALESCING_OFF, NVME_COALESCING_FIXED, NVME_COALESCING_ADAPTIVE),
    FIELD(coalescing_entries, 3, 1, 7, 255),
    FIELD(coalescing_time_100us, 2, 1, 255),
    FIELD(poll_unmasks, 2, true, false),
    FIELD(aer_count, 4, 0, 1, 4, 16),
    FIELD(admin_requests, 3, 1, 2, 16),
    FIELD(host_memory_bytes, 3, 4096, 65536, UINT32_MAX),
    FIELD(host_behavior, 2, true, false),
    FIELD(flush_always, 2, true, false),
    FIELD(delete_queues, 2, false, true),
    FIELD(retries, 3, 1, 3, 255),
    FIELD(io_timeout_ms, 4, 4, 100, 3000, 30000),
    FIELD(late, 3, NVME_LATE_ABORT, NVME_LATE_RESET, NVME_LATE_GIVE_UP),
    FIELD(abort_timeout_ms, 3, 1, 10, 1000),
    FIELD(recovery, 2, NVME_RECOVERY_RESET, NVME_RECOVERY_NONE),
    FIELD(reset_limit, 3, 1, 2, 255),
    FIELD(after_reset, 2, NVME_AFTER_RESET_REISSUE, NVME_AFTER_RESET_FAIL),
    FIELD(admin_timeout_ms, 3, 1, 100, 5000),
    FIELD(ready_min_ms, 2, 1, 2000),
    FIELD(shutdown_timeout_ms, 2, 1, 100),
};
#define FIELDS (sizeof fields / sizeof fields[0])

static void put(struct nvme_config *config, const struct field *field, uint32_t value)
{
    uint8_t *at = (uint8_t *)config + field->offset;

    /* Numbers and enumerations of a machine on which the tests run: little endian or big. */
    switch (field->bytes) {
    case sizeof(uint8_t):
        *at = (uint8_t)value;
        break;
    case sizeof(uint16_t):
        *(uint16_t *)(void *)at = (uint16_t)value;
        break;
    default:
        *(uint32_t *)(void *)at = value;
        break;
    }
}

/* Bits of the platform's byte. */
#define LOCKS       0x01u
#define SPLIT_REGS  0x02u /* no 64-bit accesses */
#define NO_RELAX    0x04u
#define NO_IRQ      0x08u
#define LIMITED     0x10u /* 32-bit DMA */
#define NO_SCATTER  0x20u
#define NO_IRQ_MOVE 0x40u

void hostile_configure(struct hostile *h, struct hostile_input *input)
{
    uint8_t bits;

    nvme_config_defaults(&h->config);
    h->config.io_depth = 16;
    h->config.slots = 8;
    for (size_t i = 0; i < FIELDS; i++) {
        uint8_t byte = (uint8_t)hostile_take(input, 1);

        if (byte != 0)
            put(&h->config, &fields[i], fields[i].values[(byte - 1u) % fields[i].count]);
    }
    h->platform.flags = (unsigned)hostile_take(input, 1) & 7u;
    bits = (uint8_t)hostile_take(input, 1);
    h->vectors = 1 + (unsigned)hostile_take(input, 1) % HOSTILE_VECTORS;
    h->ops = hostile_ops;
    if (!(bits & LOCKS))
        h->ops.lock = h->ops.unlock = NULL;
    if (bits & SPLIT_REGS) {
        h->ops.read64 = NULL;
        h->ops.write64 = NULL;
    }
    if (bits & NO_RELAX)
        h->ops.relax = NULL;
    if (bits & NO_IRQ)
        h->ops.irq_setup = NULL;
    if (bits & NO_IRQ_MOVE)
        h->ops.irq_move = NULL;
    h->scatter = !(bits & NO_SCATTER);
    h->platform.dma_mask = bits & LIMITED ? UINT32_MAX : 0;
    h->platform.ops = &h->ops;
    h->platform.ctx = h;
}
