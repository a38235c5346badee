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
#define IO_TIMEOUT_MIN_MS  4u
#define IO_TIMEOUT_MAX_MS  3600000u
#define ADMIN_SEGMENTS_MAX 513u /* PRP1 and a list page of the smallest page size */
#define TRANSFER_MIN_BYTES (1u << NVME_PAGE_SHIFT_MIN)

static const struct nvme_config defaults = {
    .admin_depth = 32,
    .io_queues = 1,
    .io_depth = 256,
    .slots = 255,
    .cid = NVME_CID_LIFO,
    .cid_generation = true,
    .negotiate_queues = true,
    .sq_priority = 2,
    .full = NVME_FULL_REJECT,
    .read.direct_align_bytes = 1,
    .write.direct_align_bytes = 1,
    .copy = NVME_COPY_OPTIMISED,
    .dma_list = NVME_DMA_LIST_POOL,
    .list_pages = 1,
    .split = NVME_SPLIT_PARALLEL,
    .ring = NVME_RING_PER_BATCH,
    .cq_ring = NVME_CQ_RING_PER_DRAIN,
    .completion = NVME_COMPLETION_POLL,
    .irq = NVME_IRQ_NONE,
    .sgl_min_bytes = 32768,
    .burst_log2 = 3,
    .admin_requests = 4,
    .late = NVME_LATE_ABORT,
    .abort_timeout_ms = 5000,
    .recovery = NVME_RECOVERY_NONE,
    .reset_limit = 3,
    .after_reset = NVME_AFTER_RESET_FAIL,
    .aer_count = IF_EVENTS(1),
    .delete_queues = true,
    .admin_timeout_ms = 60000,
    .shutdown_timeout_ms = 10000,
};

void nvme_config_defaults(struct nvme_config *config)
{
    memcpy(config, &defaults, sizeof(*config));
}

/* A field that is a number or an enumeration, and what it may be; nothing but 0 if it asks for a
 * part that is left out (parts.h). A table instead of code, because that is half the size. */
struct limits {
    const char *name;
    uint32_t low, high;
    uint16_t offset;
    uint16_t bytes;
};
#define LIMITS(field, low, high)                                                                   \
    {                                                                                              \
#field, low, high, offsetof(struct nvme_config, field),                                    \
            sizeof(((struct nvme_config *)0)->field)                                               \
    }

static const struct limits all_limits[] = {
    LIMITS(admin_depth, 2, NVME_ADMIN_DEPTH_MAX),
    LIMITS(io_queues, 1, IO_QUEUES_MAX),
    LIMITS(io_depth, 2, UINT16_MAX),
    LIMITS(slots, 1, UINT16_MAX),
    LIMITS(cid_base, 0, CID_BASE_MAX),
    LIMITS(cid, 0, NVME_CID_LIFO),
    LIMITS(sq_priority, 0, 3),
    LIMITS(weighted, 0, IF_FEATURES(1)),
    LIMITS(burst_log2, 0, 7),
    LIMITS(full, 0, NVME_FULL_QUEUE),
    LIMITS(copy, 0, NVME_COPY_OPTIMISED),
    LIMITS(dma_list, 0, NVME_DMA_LIST_FRESH),
    LIMITS(list_pages, 1, LIST_PAGES_MAX),
    LIMITS(split, 0, NVME_SPLIT_PARALLEL),
    LIMITS(sgl, 0, IF_SGL(NVME_SGL_BY_SIZE)),
    LIMITS(ring, 0, NVME_RING_AT_POLL),
    LIMITS(cq_ring, 0, NVME_CQ_RING_PER_DRAIN),
    LIMITS(completion, 0, NVME_COMPLETION_INTERRUPT),
    LIMITS(irq, 0, NVME_IRQ_MSIX),
    LIMITS(shadow_doorbells, 0, IF_SHADOW(1)),
    LIMITS(coalescing, 0, IF_FEATURES(NVME_COALESCING_ADAPTIVE)),
    LIMITS(aer_count, 0, IF_EVENTS(NVME_AER_MAX)),
    LIMITS(admin_requests, 1, NVME_ADMIN_USERS_MAX),
    LIMITS(host_memory_bytes, 0, IF_FEATURES(UINT32_MAX)),
    LIMITS(host_behavior, 0, IF_FEATURES(1)),
    LIMITS(retries, 0, IF_RECOVERY(UINT8_MAX)),
    LIMITS(io_timeout_ms, 0, IF_RECOVERY(IO_TIMEOUT_MAX_MS)),
    LIMITS(late, 0, NVME_LATE_GIVE_UP),
    LIMITS(abort_timeout_ms, 1, TIMEOUT_MAX_MS),
    LIMITS(recovery, 0, IF_RECOVERY(NVME_RECOVERY_RESET)),
    LIMITS(reset_limit, 1, UINT8_MAX),
    LIMITS(after_reset, 0, NVME_AFTER_RESET_REISSUE),
    LIMITS(admin_timeout_ms, 1, TIMEOUT_MAX_MS),
    LIMITS(ready_min_ms, 0, TIMEOUT_MAX_MS),
    LIMITS(shutdown_timeout_ms, 1, TIMEOUT_MAX_MS),
};

static uint32_t field_value(const struct nvme_config *config, const struct limits *limits)
{
    const uint8_t *at = (const uint8_t *)config + limits->offset;
    uint32_t word;
    uint16_t half;

    switch (limits->bytes) {
    case sizeof(uint8_t):
        return *at;
    case sizeof(uint16_t):
        memcpy(&half, at, sizeof(half));
        return half;
    default:
        memcpy(&word, at, sizeof(word));
        return word;
    }
}

static bool transfer_ok(uint32_t bytes)
{
    return bytes == 0 || bytes >= TRANSFER_MIN_BYTES;
}

static bool power_of_two(uint32_t bytes)
{
    return bytes != 0 && (bytes & (bytes - 1)) == 0;
}

#define REQUIRE(name, condition)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #name;                                                                          \
    } while (0)

/* What one field alone, or in itself, does not say. */
static const char *check_rest(const struct nvme_config *c)
{
    REQUIRE(cid_base, c->cid_base == 0 || !c->cid_generation);
    REQUIRE(slots, c->slots < c->io_depth && (uint32_t)c->slots + c->cid_base <= CID_LIMIT);
    REQUIRE(bounce_bytes, (c->bounce_bytes & ((1u << NVME_PAGE_SHIFT_MIN) - 1)) == 0);
    REQUIRE(read.direct_align_bytes, power_of_two(c->read.direct_align_bytes));
    REQUIRE(write.direct_align_bytes, power_of_two(c->write.direct_align_bytes));
    REQUIRE(transfer_cap, transfer_ok(c->transfer_cap));
    REQUIRE(transfer_no_mdts, transfer_ok(c->transfer_no_mdts));
    REQUIRE(ring, c->ring != NVME_RING_AT_POLL || c->completion == NVME_COMPLETION_POLL);
    REQUIRE(irq, c->completion != NVME_COMPLETION_INTERRUPT || c->irq != NVME_IRQ_NONE);
    REQUIRE(io_timeout_ms, c->io_timeout_ms == 0 || c->io_timeout_ms >= IO_TIMEOUT_MIN_MS);
    return NULL;
}

int nvme_config_check(const struct nvme_config *config, const char **field)
{
    const char *wrong = NULL;

    for (size_t i = 0; !wrong && i < sizeof(all_limits) / sizeof(all_limits[0]); i++) {
        uint32_t value = field_value(config, &all_limits[i]);

        if (value < all_limits[i].low || value > all_limits[i].high)
            wrong = all_limits[i].name;
    }
    if (!wrong)
        wrong = check_rest(config);
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
    uint32_t length = nvme_slots_length(config);
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

        q->slots = arena_take(base, &used, length * sizeof(struct nvme_slot));
        q->data = arena_take(base, &used, length * sizeof(struct nvme_slot_data));
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
    nvme->unreachable = platform->dma_mask ? ~platform->dma_mask : 0;
    for (uint16_t i = 0; i < config->io_queues; i++) {
        nvme_queue_init(nvme, &nvme->queues[i], (uint16_t)(i + 1));
        nvme->queues[i].priority = config->sq_priority;
    }
    return nvme;
}
