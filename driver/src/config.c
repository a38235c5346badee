/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration: defaults, validation, and the layout of the arena that follows from it. Called
 * by whoever creates a controller, before any hardware is touched. Limits that the controller adds
 * (MQES, MDTS, granted queues) are applied at bring-up, in registers.c and bringup.c.
 */
#include "internal.h"

#define ARENA_ALIGN        64u
#define IO_QUEUES_MAX      NVME_QUEUES_MAX
#define CID_BASE_MAX       1023u
#define CID_LIMIT          65535u /* FFFFh is never used as a command identifier (4.2) */
#define LIST_PAGES_MAX     64u
#define TIMEOUT_MAX_MS     600000u
#define IO_TIMEOUT_MAX_MS  3600000u
#define ADMIN_SEGMENTS_MAX 513u /* PRP1 and a list page of the smallest page size */
#define TRANSFER_MIN_BYTES (1u << NVME_PAGE_SHIFT_MIN)

void nvme_config_defaults(struct nvme_config *config)
{
    memset(config, 0, sizeof(*config));
    config->admin_depth = 32;
    config->io_queues = 1;
    config->io_depth = 256;
    config->slots = 255;
    config->cid = NVME_CID_LIFO;
    config->negotiate_queues = true;
    config->sq_priority = 2;
    config->full = NVME_FULL_REJECT;
    config->read.direct_align_bytes = 1;
    config->write.direct_align_bytes = 1;
    config->copy = NVME_COPY_OPTIMISED;
    config->dma_list = NVME_DMA_LIST_POOL;
    config->list_pages = 1;
    config->split = NVME_SPLIT_PARALLEL;
    config->ring = NVME_RING_PER_BATCH;
    config->cq_ring = NVME_CQ_RING_PER_DRAIN;
    config->completion = NVME_COMPLETION_POLL;
    config->irq = NVME_IRQ_NONE;
    config->sgl_min_bytes = 32768;
    config->burst_log2 = 3;
    config->admin_requests = 4;
    config->late = NVME_LATE_ABORT;
    config->abort_timeout_ms = 5000;
    config->recovery = NVME_RECOVERY_NONE;
    config->reset_limit = 3;
    config->after_reset = NVME_AFTER_RESET_FAIL;
    config->aer_count = 1;
    config->delete_queues = true;
    config->admin_timeout_ms = 60000;
    config->ready_min_ms = 0;
    config->shutdown_timeout_ms = 10000;
}

static bool within(uint32_t value, uint32_t low, uint32_t high)
{
    return value >= low && value <= high;
}

static bool transfer_ok(uint32_t bytes)
{
    return bytes == 0 || bytes >= TRANSFER_MIN_BYTES;
}

static bool align_ok(uint32_t bytes)
{
    return bytes != 0 && (bytes & (bytes - 1)) == 0;
}

#define REQUIRE(name, condition)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #name;                                                                          \
    } while (0)

static const char *check_queues(const struct nvme_config *c)
{
    REQUIRE(admin_depth, within(c->admin_depth, 2, NVME_ADMIN_DEPTH_MAX));
    REQUIRE(io_queues, within(c->io_queues, 1, IO_QUEUES_MAX));
    REQUIRE(io_depth, within(c->io_depth, 2, UINT16_MAX));
    REQUIRE(slots, within(c->slots, 1, c->io_depth - 1u));
    REQUIRE(cid_base, c->cid_base <= CID_BASE_MAX);
    REQUIRE(slots, (uint32_t)c->slots + c->cid_base <= CID_LIMIT);
    REQUIRE(cid, c->cid == NVME_CID_LOWEST || c->cid == NVME_CID_LIFO);
    REQUIRE(sq_priority, c->sq_priority <= 3);
    REQUIRE(full, c->full == NVME_FULL_REJECT || c->full == NVME_FULL_QUEUE);
    return NULL;
}

static const char *check_data(const struct nvme_config *c)
{
    REQUIRE(bounce_bytes, (c->bounce_bytes & ((1u << NVME_PAGE_SHIFT_MIN) - 1)) == 0);
    REQUIRE(read.direct_align_bytes, align_ok(c->read.direct_align_bytes));
    REQUIRE(write.direct_align_bytes, align_ok(c->write.direct_align_bytes));
    REQUIRE(copy, c->copy == NVME_COPY_BYTES || c->copy == NVME_COPY_OPTIMISED);
    REQUIRE(dma_list, c->dma_list == NVME_DMA_LIST_POOL || c->dma_list == NVME_DMA_LIST_FRESH);
    REQUIRE(list_pages, within(c->list_pages, 1, LIST_PAGES_MAX));
    REQUIRE(transfer_cap, transfer_ok(c->transfer_cap));
    REQUIRE(transfer_no_mdts, transfer_ok(c->transfer_no_mdts));
    REQUIRE(split, c->split == NVME_SPLIT_SERIAL || c->split == NVME_SPLIT_PARALLEL);
    REQUIRE(sgl, (unsigned)c->sgl <= NVME_SGL_BY_SIZE);
    return NULL;
}

static const char *check_rest(const struct nvme_config *c)
{
    REQUIRE(ring, (unsigned)c->ring <= NVME_RING_AT_POLL);
    REQUIRE(ring, c->ring != NVME_RING_AT_POLL || c->completion == NVME_COMPLETION_POLL);
    REQUIRE(cq_ring, c->cq_ring == NVME_CQ_RING_PER_ENTRY || c->cq_ring == NVME_CQ_RING_PER_DRAIN);
    REQUIRE(completion,
            c->completion == NVME_COMPLETION_POLL || c->completion == NVME_COMPLETION_INTERRUPT);
    REQUIRE(irq, c->irq == NVME_IRQ_NONE || c->irq == NVME_IRQ_INTX || c->irq == NVME_IRQ_MSI ||
                     c->irq == NVME_IRQ_MSIX);
    REQUIRE(irq, c->completion != NVME_COMPLETION_INTERRUPT || c->irq != NVME_IRQ_NONE);
    REQUIRE(coalescing, (unsigned)c->coalescing <= NVME_COALESCING_ADAPTIVE);
    REQUIRE(admin_requests, within(c->admin_requests, 1, NVME_ADMIN_USERS_MAX));
    REQUIRE(aer_count, c->aer_count <= NVME_AER_MAX);
    REQUIRE(admin_timeout_ms, within(c->admin_timeout_ms, 1, TIMEOUT_MAX_MS));
    REQUIRE(ready_min_ms, c->ready_min_ms <= TIMEOUT_MAX_MS);
    REQUIRE(shutdown_timeout_ms, within(c->shutdown_timeout_ms, 1, TIMEOUT_MAX_MS));
    return NULL;
}

static const char *check_trouble(const struct nvme_config *c)
{
    REQUIRE(io_timeout_ms, c->io_timeout_ms == 0 || within(c->io_timeout_ms, 4, IO_TIMEOUT_MAX_MS));
    REQUIRE(late, (unsigned)c->late <= NVME_LATE_GIVE_UP);
    REQUIRE(abort_timeout_ms, within(c->abort_timeout_ms, 1, TIMEOUT_MAX_MS));
    REQUIRE(recovery, (unsigned)c->recovery <= NVME_RECOVERY_RESET);
    REQUIRE(reset_limit, c->reset_limit >= 1);
    REQUIRE(after_reset, (unsigned)c->after_reset <= NVME_AFTER_RESET_REISSUE);
    return NULL;
}

int nvme_config_check(const struct nvme_config *config, const char **field)
{
    const char *wrong = check_queues(config);

    if (!wrong)
        wrong = check_data(config);
    if (!wrong)
        wrong = check_rest(config);
    if (!wrong)
        wrong = check_trouble(config);
    if (field)
        *field = wrong;
    return wrong ? NVME_E_INVAL : NVME_OK;
}

/* Pages that one command can touch: PRP1 and what fits the list pages (all but the last page give
 * one entry to the chain, 4.3), or what the cap allows at the worst offset. In pages of 4 KiB, the
 * smallest there are: larger pages need fewer. */
uint32_t nvme_segments_max(const struct nvme_config *config)
{
    uint32_t entries = (1u << NVME_PAGE_SHIFT_MIN) / (uint32_t)sizeof(uint64_t);
    uint32_t most = config->list_pages * (entries - 1) + 2;

    if (config->transfer_cap && (config->transfer_cap >> NVME_PAGE_SHIFT_MIN) + 2 < most)
        most = (config->transfer_cap >> NVME_PAGE_SHIFT_MIN) + 2;
    return most;
}

/* ---- the arena ---- */

/* Give out the next `bytes`. With base NULL it only counts. */
static void *arena_take(uint8_t *base, size_t *used, size_t bytes)
{
    size_t at = *used;

    *used = (at + bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    return base ? base + at : NULL;
}

static size_t arena_lay_out(uint8_t *base, const struct nvme_config *config)
{
    size_t used = 0;
    uint32_t words = ((uint32_t)config->slots + 31) / 32;
    struct nvme *nvme = arena_take(base, &used, sizeof(struct nvme));
    struct nvme_queue *queues =
        arena_take(base, &used, config->io_queues * sizeof(struct nvme_queue));
    uint32_t admin_segments = nvme_segments_max(config);
    struct nvme_segment *segments;

    if (admin_segments > ADMIN_SEGMENTS_MAX)
        admin_segments = ADMIN_SEGMENTS_MAX;
    segments = arena_take(base, &used, admin_segments * sizeof(struct nvme_segment));
    if (nvme) {
        nvme->queues = queues;
        nvme->admin.segments = segments;
        nvme->admin.segments_max = admin_segments;
        nvme->admin.aer.deadline_ns = UINT64_MAX;
    }
    for (uint32_t i = 0; i < config->io_queues; i++) {
        struct nvme_queue spare;
        struct nvme_queue *q = base ? &queues[i] : &spare;

        q->slots = arena_take(base, &used, config->slots * sizeof(struct nvme_slot));
        q->data = arena_take(base, &used, config->slots * sizeof(struct nvme_slot_data));
        q->free_map = arena_take(base, &used, words * sizeof(uint32_t));
        q->free_map_top = arena_take(base, &used, ((words + 31) / 32) * sizeof(uint32_t));
        q->segments_max = nvme_segments_max(config);
        q->segments = arena_take(base, &used, q->segments_max * sizeof(struct nvme_segment));
    }
    return used;
}

size_t nvme_memory_size(const struct nvme_config *config)
{
    if (nvme_config_check(config, NULL) != NVME_OK)
        return 0;
    return arena_lay_out(NULL, config);
}

struct nvme *nvme_init(void *memory, size_t bytes, const struct nvme_platform *platform,
                       const struct nvme_config *config)
{
    struct nvme *nvme = memory;
    size_t needed = nvme_memory_size(config);

    if (needed == 0 || !memory || bytes < needed || ((uintptr_t)memory & (ARENA_ALIGN - 1)) != 0)
        return NULL;
    if (config->completion == NVME_COMPLETION_INTERRUPT && !platform->ops->irq_setup)
        return NULL;
    memset(memory, 0, needed);
    arena_lay_out(memory, config);
    nvme->config = *config;
    nvme->platform = platform;
    nvme->ops = platform->ops;
    nvme->ctx = platform->ctx;
    nvme->state = NVME_STATE_OFF;
    for (uint16_t i = 0; i < config->io_queues; i++)
        nvme_queue_init(nvme, &nvme->queues[i], (uint16_t)(i + 1));
    return nvme;
}
