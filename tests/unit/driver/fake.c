/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The test double's platform half and its log; see fake.h. The device half is in fake_device.c.
 */
#include "fake.h"
#include "fake_device.h"

struct fake *fake;
static uint8_t *pool;
struct nvme_request *fake_ended[FAKE_REQUESTS * 4];
uint32_t fake_ended_count;

uint64_t fake_bus(const void *cpu)
{
    return FAKE_BUS + (uint64_t)((const uint8_t *)cpu - pool);
}

void *fake_cpu(uint64_t bus, size_t bytes)
{
    ck_assert_uint_ge(bus, FAKE_BUS);
    ck_assert_uint_le(bus + bytes, FAKE_BUS + FAKE_POOL);
    return pool + (bus - FAKE_BUS);
}

void *fake_buffer(size_t bytes, size_t align, size_t offset)
{
    size_t at = (fake->pool_used + align - 1) & ~(align - 1);

    fake->pool_used = (uint32_t)(at + bytes + offset);
    ck_assert_uint_le(fake->pool_used, FAKE_POOL);
    return pool + at + offset;
}

/* ---- platform ---- */

static void note(bool publish, uint32_t offset, uint64_t value)
{
    ck_assert_uint_lt(fake->log_count, FAKE_LOG);
    fake->log[fake->log_count++] = (struct fake_write){publish, offset, value};
}

static uint32_t op_read32(void *ctx, uint32_t offset)
{
    (void)ctx;
    ck_assert_uint_eq(offset % 4, 0);
    return fake->gone ? UINT32_MAX : fake_device_read(offset);
}

static void op_write32(void *ctx, uint32_t offset, uint32_t value)
{
    (void)ctx;
    ck_assert_uint_eq(offset % 4, 0);
    if (fake->before_write)
        fake->before_write(offset);
    note(false, offset, value);
    if (!fake->gone)
        fake_device_write(offset, value);
}

static void op_publish(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count)
{
    (void)ctx;
    ck_assert(!sq->is_cq);
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_lt(count, sq->depth);
    ck_assert_uint_lt(first, sq->depth);
    note(true, sq->qid, ((uint32_t)first << 16) | count);
}

static uint32_t op_cq_load(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    (void)ctx;
    ck_assert(cq->is_cq);
    ck_assert_uint_lt(slot, cq->depth);
    fake->cq_loads += cq->qid != 0;
    return ((const volatile struct nvme_cqe *)cq->entries)[slot].cid_status;
}

static void op_rmb(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    (void)ctx;
    (void)cq;
    (void)slot;
    fake->rmbs++;
}

static void op_mb(void *ctx)
{
    (void)ctx;
    fake->mbs++;
    if (fake->at_mb)
        fake->at_mb();
}

static int op_alloc(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                    struct nvme_dma *out)
{
    (void)ctx;
    (void)use;
    if (fake->alloc_limit != 0 && bytes > fake->alloc_limit)
        return NVME_E_NO_MEMORY;
    if (fake->alloc_fail_after >= 0 && fake->alloc_fail_after-- == 0)
        return NVME_E_NO_MEMORY;
    out->cpu = fake_buffer(bytes, align, 0);
    memset(out->cpu, 0, bytes);
    out->bus = fake_bus(out->cpu);
    out->bytes = bytes;
    out->platform = fake;
    fake->allocs++;
    fake->live_allocs++;
    return NVME_OK;
}

static void op_free(void *ctx, struct nvme_dma *dma)
{
    (void)ctx;
    ck_assert_ptr_eq(dma->platform, fake);
    /* The device may not be able to reach what is given back (7.3.2). */
    ck_assert(fake->gone || !(fake->csts & NVME_CSTS_RDY));
    fake->live_allocs--;
}

static int op_map(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags,
                  struct nvme_segment *segments, unsigned max, unsigned *count)
{
    uint64_t bus = fake_bus(buffer);
    struct fake_map entry = {buffer, bytes, dir};

    (void)ctx;
    if (fake->beyond && (const uint8_t *)buffer + bytes > fake->beyond)
        return NVME_E_UNSUPPORTED;
    if (fake->map_fail_after >= 0 && fake->map_fail_after-- == 0)
        return NVME_E_NO_MEMORY;
    fake->map_dir = dir;
    fake->map_flags = flags;
    *count = 0;
    while (bytes != 0) {
        size_t part = fake->split_segments ? FAKE_PAGE - bus % FAKE_PAGE : bytes;

        if (part > bytes)
            part = bytes;
        if (*count == max)
            return NVME_E_INVAL;
        segments[(*count)++] = (struct nvme_segment){bus, (uint32_t)part};
        bus += part;
        bytes -= part;
    }
    if (fake->bad_segments)
        segments[*count - 1].bytes -= 4;
    fake->maps++;
    ck_assert_uint_lt(fake->mapped, FAKE_MAPS);
    fake->live_maps[fake->mapped++] = entry;
    return NVME_OK;
}

static void op_unmap(void *ctx, void *buffer, size_t bytes, enum nvme_dir dir, unsigned flags)
{
    uint32_t i = 0;

    (void)ctx;
    ck_assert_uint_eq(flags, fake->map_flags);
    while (i < fake->mapped && (fake->live_maps[i].buffer != buffer ||
                                fake->live_maps[i].bytes != bytes || fake->live_maps[i].dir != dir))
        i++;
    ck_assert_uint_lt(i, fake->mapped); /* mapped with the same values, and not undone yet */
    fake->live_maps[i] = fake->live_maps[--fake->mapped];
    fake->unmaps++;
}

static void op_sync(void *ctx, const struct nvme_dma *dma, size_t offset, size_t bytes,
                    enum nvme_sync what)
{
    (void)ctx;
    ck_assert(!(fake->platform.flags & NVME_PLATFORM_COHERENT));
    ck_assert_uint_le(offset + bytes, dma->bytes);
    ck_assert_uint_lt(fake->sync_count, FAKE_LOG);
    fake->syncs[fake->sync_count++] = (struct fake_sync){(uint8_t *)dma->cpu + offset, bytes, what};
}

static void op_copy(void *ctx, void *to, const void *from, size_t bytes,
                    enum nvme_copy_routine routine)
{
    (void)ctx;
    ck_assert_uint_ge(bytes, 1);
    memcpy(to, from, bytes);
    fake->copies++;
    fake->copied_bytes += (uint32_t)bytes;
    fake->copy_routine = routine;
}

static uint64_t op_now(void *ctx)
{
    (void)ctx;
    return fake->now_ns;
}

static void op_relax(void *ctx)
{
    (void)ctx;
    fake->relaxes++;
    fake->now_ns += 1000000;
}

static int op_irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors)
{
    (void)ctx;
    fake->irq_mode = mode;
    fake->irq_vectors = vectors;
    fake->irq_calls++;
    return fake->irq_grant ? fake->irq_grant : (int)vectors;
}

static int op_irq_move(void *ctx, unsigned vector, unsigned cpu)
{
    (void)ctx;
    fake->moved_vector = vector;
    fake->moved_cpu = cpu;
    fake->irq_moves++;
    return fake->irq_move_error;
}

static void op_trace(void *ctx, unsigned event, uint16_t qid, uint64_t a, uint64_t b)
{
    (void)ctx;
    fake->traces[fake->trace_count++ % FAKE_LOG] = (struct fake_trace){event, qid, a, b};
}

static void op_lock(void *ctx, uint16_t qid)
{
    (void)ctx;
    (void)qid;
    ck_assert_int_eq(fake->lock_depth, 0); /* never nested */
    fake->lock_depth++;
    fake->locks++;
}

static void op_unlock(void *ctx, uint16_t qid)
{
    (void)ctx;
    (void)qid;
    ck_assert_int_eq(fake->lock_depth, 1);
    fake->lock_depth--;
}

static const struct nvme_platform_ops all_ops = {.read32 = op_read32,
                                                 .write32 = op_write32,
                                                 .publish = op_publish,
                                                 .cq_load = op_cq_load,
                                                 .rmb = op_rmb,
                                                 .mb = op_mb,
                                                 .dma_alloc = op_alloc,
                                                 .dma_free = op_free,
                                                 .map = op_map,
                                                 .unmap = op_unmap,
                                                 .sync = op_sync,
                                                 .copy = op_copy,
                                                 .now_ns = op_now,
                                                 .relax = op_relax,
                                                 .irq_setup = op_irq_setup,
                                                 .irq_move = op_irq_move,
                                                 .lock = op_lock,
                                                 .unlock = op_unlock,
                                                 .trace = op_trace};

/* ---- life of a test ---- */

void fake_create(void)
{
    fake = calloc(1, sizeof(*fake));
    pool = aligned_alloc(1u << 16, FAKE_POOL);
    ck_assert_ptr_nonnull(fake);
    ck_assert_ptr_nonnull(pool);
    fake->ops = all_ops;
    fake->platform =
        (struct nvme_platform){.ops = &fake->ops, .ctx = fake, .flags = NVME_PLATFORM_COHERENT};
    nvme_config_defaults(&fake->config);
    fake->config.io_depth = 16;
    fake->config.slots = 15;
#if !defined(NVME_NO_EVENTS)
    fake->config.aer_count = 2;
#endif
    fake->alloc_fail_after = fake->map_fail_after = -1;
    fake->now_ns = 1000;
    fake_ended_count = 0;
    fake_device_create();
}

void fake_unlock(void)
{
    fake->ops.lock = NULL;
    fake->ops.unlock = NULL;
}

void fake_init(void)
{
    size_t bytes = nvme_memory_size(&fake->config);

    ck_assert_uint_gt(bytes, 0);
    fake->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(fake->memory, 0x5A, bytes);
    fake->nvme = nvme_init(fake->memory, bytes, &fake->platform, &fake->config);
    ck_assert_ptr_nonnull(fake->nvme);
}

enum nvme_state fake_settle(enum nvme_state passing, uint64_t limit_ns)
{
    uint64_t end = fake->now_ns + limit_ns;
    enum nvme_state state;

    while ((state = nvme_step(fake->nvme, fake->now_ns)) == passing && fake->now_ns < end)
        fake->now_ns += 1000000;
    return state;
}

void fake_start(void)
{
    fake_init();
    ck_assert_int_eq(nvme_start_blocking(fake->nvme), NVME_OK);
    ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_READY);
    fake_forget();
}

/* Nothing leaks: stop, and look. */
void fake_destroy(void)
{
    if (fake->nvme) {
        fake->never_unready = fake->hold_admin = false;
        if (nvme_state(fake->nvme) == NVME_STATE_STOPPING)
            fake_settle(NVME_STATE_STOPPING, UINT64_MAX / 2);
        nvme_stop_blocking(fake->nvme);
        ck_assert_int_eq(nvme_state(fake->nvme), NVME_STATE_OFF);
        ck_assert_uint_eq(fake->live_allocs, 0);
        ck_assert_uint_eq(fake->mapped, 0);
        ck_assert_int_eq(fake->lock_depth, 0);
    }
    free(fake->memory);
    free(pool);
    free(fake);
    fake = NULL;
}

/* ---- the log ---- */

void fake_forget(void)
{
    fake->log_count = 0;
    fake->sync_count = 0;
}

uint32_t fake_writes(uint32_t offset)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < fake->log_count; i++)
        count += !fake->log[i].publish && fake->log[i].offset == offset;
    return count;
}

uint64_t fake_last(uint32_t offset)
{
    for (uint32_t i = fake->log_count; i-- > 0;)
        if (!fake->log[i].publish && fake->log[i].offset == offset)
            return fake->log[i].value;
    ck_abort_msg("no write to register %x", offset);
    return 0;
}

uint32_t fake_doorbell(uint32_t qid, bool cq)
{
    return NVME_REG_DOORBELL + (2 * qid + cq) * (4u << ((fake->cap >> 32) & 0xF));
}

/* ---- requests ---- */

static void ended(struct nvme_request *request)
{
    ck_assert_int_eq(fake->lock_depth, 0); /* done() is called with no lock held */
    ck_assert_uint_lt(fake_ended_count, FAKE_REQUESTS * 4);
    fake_ended[fake_ended_count++] = request;
    request->user = (void *)((uintptr_t)request->user + 1); /* how often it ended */
}

struct nvme_queue_stats fake_stats(const struct nvme_queue *queue)
{
    struct nvme_queue_stats stats;

    nvme_get_queue_stats(queue, &stats);
    return stats;
}

void fake_request(struct nvme_request *request, enum nvme_op op, uint64_t lba, uint32_t blocks,
                  void *buffer)
{
    memset(request, 0xEE, sizeof(*request)); /* the core must not rely on zeroes */
    request->op = op;
    request->flags = 0;
    request->nsid = 1;
    request->lba = lba;
    request->blocks = blocks;
    request->buffer = buffer;
    request->bus = 0;
    request->done = ended;
    request->user = NULL;
    request->owner = NULL;
    request->ranges = NULL;
    request->raw = NULL;
    request->vector_count = 0;
}

static void admin_ended(struct nvme_admin_request *request)
{
    ck_assert_int_eq(fake->lock_depth, 0);
    request->user = (void *)((uintptr_t)request->user + 1);
}

void fake_admin_request(struct nvme_admin_request *request, uint8_t opcode, void *buffer,
                        uint32_t bytes)
{
    memset(request, 0xEE, sizeof(*request));
    memset(&request->command, 0, sizeof(request->command));
    request->command.opcode = opcode;
    request->command.cdw10 = bytes;
    request->buffer = buffer;
    request->bytes = bytes;
    request->dir = opcode & 1 ? NVME_TO_DEVICE : NVME_FROM_DEVICE;
    request->timeout_ms = 0;
    request->done = admin_ended;
    request->user = NULL;
}

void fake_registered(struct nvme_request *request, enum nvme_op op, uint64_t lba, uint32_t blocks,
                     void *buffer)
{
    fake_request(request, op, lba, blocks, NULL);
    request->flags = NVME_REQ_REGISTERED;
    request->bus = fake_bus(buffer);
}
