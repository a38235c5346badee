/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver core costs per I/O, in instructions: reads at depth 32 on a ring of 64 with
 * registered buffers, on a platform of stubs and a device that is a function. No simulator. Run
 * under callgrind by driver_instructions.py, which counts submit_batch() and reap_batch() with all
 * that they call (platform stubs and callback included) and nothing else: the device and the
 * bring-up are not counted. Usage: driver_hot_path ROUNDS MODE, where MODE is
 *
 *   batched    4 KiB (PRP1 only), one SQ and one CQ doorbell per 32 commands
 *   unbatched  4 KiB, an SQ doorbell per command and a CQ doorbell per entry
 *   batched-call, unbatched-call   as these on a platform without NVME_PLATFORM_CQ_PLAIN
 *   large      128 KiB at 512 bytes into a page: 33 pages, so a PRP list of 32 entries; batched
 *
 * The device fetches every entry that was rung, then completes all of them in order, as controllers
 * that prefetch do; each completion therefore reports the same SQ head.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nvme/nvme.h>
#include <nvme/spec.h>

#define BATCH       32u
#define RING        64u
#define BLOCK       4096u
#define LARGE       32u  /* blocks of 128 KiB */
#define LARGE_START 512u /* bytes into the first page */
#define BLOCKS      (1u << 20)
#define ADMIN_DEPTH 8u
#define REGISTERS   0x2000u

#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

struct stub_queue {
    struct nvme_sqe *sq;
    struct nvme_cqe *cq;
    uint32_t depth, head, cq_tail, phase;
};

static uint32_t registers[REGISTERS / 4];
static struct stub_queue queues[2]; /* admin, I/O */
static uint64_t callbacks;

/* ---- platform ---- */

static uint32_t stub_read32(void *ctx, uint32_t offset)
{
    (void)ctx;
    return registers[offset / 4];
}

static void stub_write32(void *ctx, uint32_t offset, uint32_t value)
{
    (void)ctx;
    registers[offset / 4] = value;
}

static void stub_publish(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count)
{
    (void)ctx;
    (void)sq;
    (void)first;
    (void)count;
}

static uint32_t stub_cq_load(void *ctx, const struct nvme_ring *cq, uint16_t slot)
{
    (void)ctx;
    return ((const volatile struct nvme_cqe *)cq->entries)[slot].cid_status;
}

static int stub_alloc(void *ctx, size_t bytes, size_t align, enum nvme_dma_use use,
                      struct nvme_dma *out)
{
    (void)ctx;
    (void)use;
    out->cpu = aligned_alloc(align, (bytes + align - 1) / align * align);
    if (!out->cpu)
        return NVME_E_NO_MEMORY;
    memset(out->cpu, 0, bytes);
    out->bus = (uintptr_t)out->cpu;
    out->bytes = bytes;
    return NVME_OK;
}

static void stub_free(void *ctx, struct nvme_dma *dma)
{
    (void)ctx;
    free(dma->cpu);
}

static uint64_t stub_now(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct nvme_platform_ops ops = {.read32 = stub_read32,
                                             .write32 = stub_write32,
                                             .publish = stub_publish,
                                             .cq_load = stub_cq_load,
                                             .dma_alloc = stub_alloc,
                                             .dma_free = stub_free,
                                             .now_ns = stub_now};

/* ---- device ---- */

static uint32_t admin_command(const struct nvme_sqe *sqe)
{
    uint8_t *page = (uint8_t *)(uintptr_t)sqe->prp1;

    switch (sqe->command_nsid & 0xFF) {
    case NVME_ADMIN_IDENTIFY:
        memset(page, 0, NVME_IDENTIFY_BYTES);
        if ((sqe->cdw10_11 & 0xFF) == NVME_CNS_CONTROLLER) {
            page[NVME_IDC_SQES] = 0x66;
            page[NVME_IDC_CQES] = 0x44;
        } else if ((sqe->cdw10_11 & 0xFF) == NVME_CNS_ACTIVE_LIST) {
            page[0] = 1;
        } else {
            page[NVME_IDN_NSZE + 2] = BLOCKS >> 16;
            page[NVME_IDN_LBAF + 2] = 12;
        }
        break;
    case NVME_ADMIN_CREATE_CQ:
        queues[1].cq = (struct nvme_cqe *)page;
        queues[1].phase = 1;
        break;
    case NVME_ADMIN_CREATE_SQ:
        queues[1].sq = (struct nvme_sqe *)page;
        queues[1].depth = (uint32_t)(sqe->cdw10_11 >> 16 & 0xFFFF) + 1;
        break;
    default:
        break;
    }
    return 0;
}

static void device_run(unsigned qid)
{
    struct stub_queue *q = &queues[qid];
    uint32_t tail = registers[(NVME_REG_DOORBELL + qid * 8) / 4];

    while (q->head != tail) {
        const struct nvme_sqe *sqe = &q->sq[q->head];
        struct nvme_cqe *cqe = &q->cq[q->cq_tail];

        q->head = q->head + 1 == q->depth ? 0 : q->head + 1;
        cqe->result = qid == 0 ? admin_command(sqe) : 0;
        cqe->sqhd_sqid = (qid == 0 ? q->head : tail) | (qid << 16);
        cqe->cid_status = (uint32_t)(sqe->command_nsid >> 16 & 0xFFFF) | (q->phase << 16);
        if (++q->cq_tail == q->depth) {
            q->cq_tail = 0;
            q->phase ^= 1;
        }
    }
}

static int bring_up(struct nvme *nvme)
{
    enum nvme_state state = NVME_STATE_STARTING;

    registers[NVME_REG_CAP / 4] = RING - 1;
    registers[NVME_REG_CAP / 4 + 1] = 1u << 5; /* NVM command set */
    registers[NVME_REG_VS / 4] = 0x00010400;
    nvme_start(nvme);
    while (state == NVME_STATE_STARTING) {
        state = nvme_step(nvme, 0);
        registers[NVME_REG_CSTS / 4] = registers[NVME_REG_CC / 4] & 1;
        if (!queues[0].sq && (registers[NVME_REG_CC / 4] & 1)) {
            uint64_t sq =
                registers[NVME_REG_ASQ / 4] | ((uint64_t)registers[NVME_REG_ASQ / 4 + 1] << 32);
            uint64_t cq =
                registers[NVME_REG_ACQ / 4] | ((uint64_t)registers[NVME_REG_ACQ / 4 + 1] << 32);

            queues[0] = (struct stub_queue){(struct nvme_sqe *)(uintptr_t)sq,
                                            (struct nvme_cqe *)(uintptr_t)cq,
                                            ADMIN_DEPTH,
                                            0,
                                            0,
                                            1};
        }
        if (queues[0].sq)
            device_run(0);
    }
    return state == NVME_STATE_READY ? 0 : -1;
}

/* ---- what is measured ---- */

static void count_done(struct nvme_request *request)
{
    (void)request;
    callbacks++;
}

NOINLINE void submit_batch(struct nvme_queue *queue, struct nvme_request *requests);
NOINLINE unsigned reap_batch(struct nvme_queue *queue);

void submit_batch(struct nvme_queue *queue, struct nvme_request *requests)
{
    for (unsigned i = 0; i < BATCH; i++)
        if (nvme_submit(queue, &requests[i]) != NVME_OK)
            abort();
    nvme_ring(queue);
}

unsigned reap_batch(struct nvme_queue *queue)
{
    return nvme_poll(queue, 0);
}

struct mode {
    const char *name;
    bool unbatched, cq_call, large;
};

static const struct mode modes[] = {{.name = "batched"},
                                    {.name = "unbatched", .unbatched = true},
                                    {.name = "batched-call", .cq_call = true},
                                    {.name = "unbatched-call", .unbatched = true, .cq_call = true},
                                    {.name = "large", .large = true}};

static const struct mode *find_mode(const char *name)
{
    for (unsigned i = 0; i < sizeof(modes) / sizeof(*modes); i++)
        if (strcmp(name, modes[i].name) == 0)
            return &modes[i];
    return NULL;
}

static struct nvme *start(const struct mode *mode, void **memory)
{
    static struct nvme_platform platform = {
        .ops = &ops, .flags = NVME_PLATFORM_COHERENT | NVME_PLATFORM_LOADS_ORDERED};
    struct nvme_config config;
    struct nvme *nvme;

    platform.flags |= mode->cq_call ? 0 : NVME_PLATFORM_CQ_PLAIN;
    nvme_config_defaults(&config);
    config.admin_depth = ADMIN_DEPTH;
    config.io_depth = RING;
    config.slots = BATCH;
    config.aer_count = 0;
    config.negotiate_queues = false;
    config.ring = mode->unbatched ? NVME_RING_PER_COMMAND : NVME_RING_PER_BATCH;
    config.cq_ring = mode->unbatched ? NVME_CQ_RING_PER_ENTRY : NVME_CQ_RING_PER_DRAIN;
    *memory = aligned_alloc(64, (nvme_memory_size(&config) + 63) / 64 * 64);
    nvme = *memory ? nvme_init(*memory, nvme_memory_size(&config), &platform, &config) : NULL;
    return nvme && bring_up(nvme) == 0 ? nvme : NULL;
}

/* The caller's work: not counted. The device never looks at the data, so any address will do. */
static void prepare(struct nvme_request *requests, unsigned long round, const struct mode *mode)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct nvme_request *request = &requests[i];

        request->op = NVME_OP_READ;
        request->flags = NVME_REQ_REGISTERED;
        request->nsid = 1;
        request->blocks = mode->large ? LARGE : 1;
        request->lba = (round * BATCH + i) * 977 % (BLOCKS - LARGE);
        request->bus = (uint64_t)(i + 1) << 20 | (mode->large ? LARGE_START : 0);
        request->done = count_done;
    }
}

int main(int argc, char **argv)
{
    static struct nvme_request requests[BATCH];
    const struct mode *mode;
    struct nvme_queue_stats stats;
    struct nvme_queue *queue;
    struct nvme *nvme;
    unsigned long rounds;
    void *memory;

    mode = argc == 3 ? find_mode(argv[2]) : NULL;
    rounds = mode ? strtoul(argv[1], NULL, 10) : 0;
    if (rounds == 0) {
        fprintf(stderr, "usage: driver_hot_path ROUNDS "
                        "batched|unbatched|batched-call|unbatched-call|large\n");
        return 2;
    }
    nvme = start(mode, &memory);
    if (!nvme) {
        fprintf(stderr, "driver_hot_path: bring-up failed\n");
        return 1;
    }
    queue = nvme_get_queue(nvme, 0);
    for (unsigned long round = 0; round < rounds; round++) {
        prepare(requests, round, mode);
        submit_batch(queue, requests);
        device_run(1);
        if (reap_batch(queue) != BATCH) {
            fprintf(stderr, "driver_hot_path: completions are missing\n");
            return 1;
        }
    }
    nvme_get_queue_stats(queue, &stats);
    printf("callbacks %llu\n", (unsigned long long)callbacks);
    free(memory); /* the queue goes with it */
    /* What was counted is what was meant: nothing split, lists where they belong. */
    return callbacks == rounds * BATCH && stats.commands == rounds * BATCH &&
                   stats.prp_lists == (mode->large ? stats.commands : 0)
               ? 0
               : 1;
}
