/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request of the mixed workload: of all kinds and sizes, with its data in one piece, in two,
 * unaligned, or registered. See run.h.
 */
#include <string.h>

#include "fault/run.h"

/* splitmix64 */
static uint32_t below(struct run *run, uint32_t limit)
{
    uint64_t x = run->random += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((x ^ x >> 31) >> 32) % limit;
}

uint8_t *request_block(const struct job *job, uint32_t index)
{
    return (uint8_t *)memory_pointer(job->area) +
           (job->request.flags & NVME_REQ_REGISTERED ? 0 : 512) +
           (size_t)index * CAMPAIGN_BLOCK_BYTES;
}

bool request_writes(enum nvme_op op)
{
    return op == NVME_OP_WRITE || op == NVME_OP_WRITE_ZEROES;
}

void request_choose_range(struct run *run, struct job *job)
{
    static const uint32_t sizes[] = {1, 1, 2, 7, 8, 8, 16, 17, 40, 100};

    job->blocks = sizes[below(run, sizeof sizes / sizeof sizes[0])];
    job->block = below(run, CAMPAIGN_BLOCKS - job->blocks + 1);
}

enum nvme_op request_choose_op(struct run *run)
{
    static const enum nvme_op ops[] = {NVME_OP_READ,    NVME_OP_READ,  NVME_OP_READ,
                                       NVME_OP_WRITE,   NVME_OP_WRITE, NVME_OP_WRITE,
                                       NVME_OP_WRITE,   NVME_OP_FLUSH, NVME_OP_WRITE_ZEROES,
                                       NVME_OP_COMPARE, NVME_OP_VERIFY};

    return ops[below(run, sizeof ops / sizeof ops[0])];
}

static bool has_data(enum nvme_op op)
{
    return op == NVME_OP_READ || op == NVME_OP_WRITE || op == NVME_OP_COMPARE;
}

/* Whole, in two pieces, unaligned, or registered. */
static void give_buffer(struct run *run, struct job *job)
{
    struct nvme_request *r = &job->request;
    size_t bytes = (size_t)job->blocks * CAMPAIGN_BLOCK_BYTES;
    struct memory *memory = host_memory(run->world.host);
    uint32_t way = below(run, 4);

    if (job->area)
        memory_free(memory, job->area);
    job->area = memory_alloc(memory, bytes + 512, way == 3 ? 4 : 4096, false, false);
    r->buffer = (uint8_t *)memory_pointer(job->area) + 512;
    if (way == 1 && bytes > 512) {
        job->vector[0] = (struct nvme_vector){r->buffer, 0, 512};
        job->vector[1] = (struct nvme_vector){(uint8_t *)r->buffer + 512, 0, (uint32_t)bytes - 512};
        r->vector = job->vector;
        r->vector_count = 2;
        r->flags |= NVME_REQ_VECTOR;
    } else if (way == 0) {
        r->flags |= NVME_REQ_REGISTERED;
        r->buffer = NULL;
        r->bus = memory_bus(job->area);
        memory_grant(job->area, 0, bytes, MEMORY_BOTH_WAYS);
    }
}

static void fill(struct run *run, struct job *job)
{
    for (uint32_t i = 0; i < job->blocks; i++) {
        uint64_t value = ledger_tag(job->number, job->block + i);

        if (job->request.op == NVME_OP_READ)
            value = UINT64_MAX;
        else if (job->request.op == NVME_OP_COMPARE)
            ledger_certain(&run->ledger, job->block + i, &value);
        for (uint32_t w = 0; w < CAMPAIGN_WORDS; w++)
            memcpy(request_block(job, i) + w * sizeof value, &value, sizeof value);
    }
}

/* A comparison only with what is known. */
static bool comparable(const struct run *run, const struct job *job)
{
    uint64_t tag;

    for (uint32_t i = 0; i < job->blocks; i++)
        if (!ledger_certain(&run->ledger, job->block + i, &tag))
            return false;
    return true;
}

void request_make(struct run *run, struct job *job, enum nvme_op op)
{
    job->number = ++run->number;
    job->ended = 0;
    job->flush_mark = run->ended;
    job->before_strike = !world_struck(&run->world);
    if (op == NVME_OP_FLUSH)
        job->blocks = 0;
    job->request = (struct nvme_request){.op = op,
                                         .nsid = 1,
                                         .lba = job->block,
                                         .blocks = job->blocks,
                                         .done = judge_done,
                                         .user = job};
    if (request_writes(op) && below(run, 4) == 0)
        job->request.flags = NVME_REQ_FUA;
    job->queue = below(run, nvme_get_info(run->world.nvme)->io_queues);
    if (has_data(op))
        give_buffer(run, job);
}

void request_prepare(struct run *run, struct job *job)
{
    if (job->request.op == NVME_OP_COMPARE && !comparable(run, job))
        job->request.op = NVME_OP_READ;
    if (has_data(job->request.op))
        fill(run, job);
}
