/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests of the driver's owner, of every kind, and their ends. They are heap blocks that done()
 * frees, so that the core cannot look at one afterwards. See driver.h.
 */
#include "fuzz/driver.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (96u << 10) /* of a buffer with memory behind it */
#define PARTS_MAX 8u

/* What done() does besides. */
enum { THEN_NOTHING, THEN_SUBMIT, THEN_STOP, THEN_RESET, THENS };

struct hostile_request *hostile_find(struct hostile *h, uint64_t serial)
{
    struct hostile_request *request = h->requests;

    while (request && request->serial != serial)
        request = request->next;
    return request;
}

struct nvme_queue *hostile_queue_of(struct hostile *h, unsigned a)
{
    unsigned count = nvme_get_info(h->nvme)->io_queues;

    return count ? nvme_get_queue(h->nvme, a % count) : NULL;
}

static void free_request(struct hostile_request *request)
{
    free(request->memory);
    free(request->vector);
    free(request->ranges);
    free(request);
}

/* ---- the end of a request ---- */

static void check_success(const struct hostile *h, const struct hostile_request *request)
{
    enum nvme_op op = request->request.op;

    if (request->request.error != NVME_OK || h->wild || !request->tracked)
        return;
    if (request->request.status != 0)
        hostile_fail("a request ended well, with status %xh", request->request.status);
    if (op == NVME_OP_FLUSH)
        return;
    if (request->good_commands == 0)
        hostile_fail("request %llu of kind %d ended well, and the device never said so",
                     (unsigned long long)request->serial, (int)op);
    if (op != NVME_OP_RAW && op != NVME_OP_DEALLOCATE &&
        request->good_blocks < request->request.blocks)
        hostile_fail("request %llu ended well after %llu of its %u blocks",
                     (unsigned long long)request->serial, (unsigned long long)request->good_blocks,
                     request->request.blocks);
}

static void act_then(struct hostile *h, uint8_t then, uint64_t serial)
{
    struct hostile_record r = {0, (uint8_t)serial, (uint16_t)(serial * 517),
                               (uint32_t)serial * 2654435761u};

    /* Who steps may be in the midst of it: an interrupt must not. */
    if (h->ending || (h->nested && then != THEN_SUBMIT))
        return;
    switch (then) {
    case THEN_SUBMIT:
        r.c &= 0x00FFFFFF; /* and no more after that */
        hostile_submit(h, &r);
        break;
    case THEN_STOP:
        nvme_stop(h->nvme);
        break;
    case THEN_RESET:
        nvme_reset(h->nvme);
        break;
    default:
        break;
    }
}

static void done(struct nvme_request *ended)
{
    struct hostile *h = ended->user;
    struct hostile_request **link = &h->requests, *request;
    uint64_t serial;
    uint8_t then;

    while (*link && &(*link)->request != ended)
        link = &(*link)->next;
    request = *link;
    if (!request)
        hostile_fail("done() for a request that is not with the core");
    if (h->locks != 0)
        hostile_fail("done() under %u locks", h->locks);
    if (ended->error > 0 || ended->error < NVME_E_CANCELLED)
        hostile_fail("a request ends with error %d", ended->error);
    if (ended->error == NVME_E_STATUS && ended->status == 0)
        hostile_fail("a request ends with a status that says success");
    check_success(h, request);
    *link = request->next;
    serial = request->serial;
    then = request->then;
    free_request(request);
    act_then(h, then, serial);
}

/* ---- submission ---- */

static const struct nvme_namespace *namespace_of(struct hostile *h, unsigned index)
{
    const struct nvme_namespace *ns = NULL;

    if (nvme_state(h->nvme) == NVME_STATE_READY && nvme_namespace_count(h->nvme) != 0)
        ns = nvme_get_namespace(h->nvme, index % nvme_namespace_count(h->nvme));
    return ns;
}

/* Buffers: registered ones have no memory behind them. */
static void give_buffer(struct hostile *h, struct hostile_request *request, uint64_t bytes,
                        uint16_t b)
{
    static const uint16_t offsets[] = {0, 512, 4, 1, 4092, 64, 2048, 3584};
    unsigned offset = offsets[b >> 4 & 7];

    if (request->request.flags & NVME_REQ_REGISTERED) {
        request->request.bus = hostile_registered_bus(h, b, offset & ~3u);
        return;
    }
    request->memory = hostile_buffer((size_t)bytes, offset);
    request->request.buffer = request->memory + offset;
}

static void give_vector(struct hostile *h, struct hostile_request *request, uint64_t bytes,
                        uint16_t b)
{
    static const uint32_t parts[] = {512, 4096, 1, 4, 1000, 8192, 4, 65536};
    uint8_t *cpu = request->request.buffer;
    uint16_t count = 0;

    request->vector = hostile_alloc(PARTS_MAX * sizeof *request->vector);
    for (unsigned i = 0; bytes != 0; i++) {
        uint64_t part = parts[((unsigned)b + i * 3) % 8];

        if (part > bytes || count + 1u == PARTS_MAX)
            part = bytes;
        request->vector[count++] = (struct nvme_vector){
            cpu, hostile_registered_bus(h, b + 2 * i, (b & 8) && i != 0 ? 0 : 4 * (b & 0xFF)),
            (uint32_t)part};
        if (cpu)
            cpu += part;
        bytes -= part;
    }
    request->request.vector = request->vector;
    request->request.vector_count = count;
    request->request.buffer = NULL;
    request->request.flags |= NVME_REQ_VECTOR;
}

static void give_ranges(struct hostile_request *request, const struct hostile_record *r)
{
    uint16_t count = (r->b & 1) ? 1 + (r->b >> 4) % 300 : 0;

    if (count == 0)
        return;
    request->ranges = hostile_alloc(count * sizeof *request->ranges);
    for (uint16_t i = 0; i < count; i++)
        request->ranges[i] = (struct nvme_range){request->request.lba + i, 1};
    request->request.ranges = request->ranges;
    request->request.vector_count = count;
}

static void give_raw(struct hostile *h, struct hostile_request *request,
                     const struct hostile_record *r, uint64_t *bytes)
{
    static const uint8_t opcodes[] = {0x82, 0x81, 0x80, 0x02, 0x05, 0x00, 0x0C, 0x99};
    struct nvme_command *command = &request->raw.command;

    command->opcode = opcodes[r->c & 7];
    command->nsid = request->request.nsid;
    command->cdw10 = (uint32_t)request->request.lba;
    command->cdw11 = (uint32_t)(request->request.lba >> 32);
    *bytes = (command->opcode & NVME_OPCODE_DATA) == 0 ? 0 : 4u * (1 + (r->b >> 3));
    if (*bytes > nvme_get_info(h->nvme)->max_transfer)
        *bytes = 4;
    command->cdw14 = (uint32_t)*bytes;
    command->cdw15 = HOSTILE_RAW_TAG << 8;
    request->raw.bytes = (uint32_t)*bytes;
    request->raw.dir =
        (command->opcode & NVME_OPCODE_DATA) == 1 ? NVME_TO_DEVICE : NVME_FROM_DEVICE;
    request->request.raw = &request->raw;
}

static bool has_data(enum nvme_op op)
{
    return op == NVME_OP_READ || op == NVME_OP_WRITE || op == NVME_OP_COMPARE;
}

/* a: queue and namespace; b: buffer; c: operation, flags, length, and what done() does. */
void hostile_submit(struct hostile *h, const struct hostile_record *r)
{
    static const enum nvme_op ops[] = {
        NVME_OP_READ, NVME_OP_WRITE, NVME_OP_READ,         NVME_OP_WRITE,  NVME_OP_FLUSH,
        NVME_OP_READ, NVME_OP_WRITE, NVME_OP_WRITE_ZEROES, NVME_OP_VERIFY, NVME_OP_COMPARE,
        NVME_OP_READ, NVME_OP_WRITE, NVME_OP_DEALLOCATE,   NVME_OP_RAW};
    static const uint32_t blocks[] = {8, 1, 2, 16, 64, 129, 3, 70000};
    const struct nvme_namespace *ns = namespace_of(h, r->a >> 6);
    struct hostile_request *request = hostile_alloc(sizeof *request);
    struct nvme_request *q = &request->request;
    uint64_t bytes;
    int error;

    request->serial = ++h->serial;
    q->op = ops[(r->c & 0xFF) % (sizeof ops / sizeof ops[0])];
    q->flags =
        r->c >> 8 & (NVME_REQ_REGISTERED | NVME_REQ_FUA | NVME_REQ_MORE | NVME_REQ_NO_DEALLOCATE);
    q->nsid = ns ? ns->nsid : 1;
    q->blocks = blocks[r->c >> 16 & 7];
    q->lba = (request->serial << HOSTILE_LBA_SHIFT) + (r->c >> 19 & 0x1F);
    q->done = done;
    q->user = h;
    q->owner = (r->b & 0x100) ? &h->serial : NULL;
    request->tracked = ns && q->lba + q->blocks <= ns->blocks;
    if (ns && !request->tracked)
        q->lba = r->a & 0x3F;
    request->then = (uint8_t)((r->c >> 24) % THENS);
    bytes = has_data(q->op) ? (uint64_t)q->blocks * (ns ? ns->block_bytes : 512) : 0;
    if (bytes > BYTES_MAX && !(q->flags & NVME_REQ_REGISTERED)) {
        q->blocks = 1;
        bytes = ns ? ns->block_bytes : 512;
    }
    if (q->op == NVME_OP_RAW)
        give_raw(h, request, r, &bytes);
    if (q->op == NVME_OP_DEALLOCATE)
        give_ranges(request, r);
    if (bytes != 0)
        give_buffer(h, request, bytes, r->b);
    if (bytes != 0 && (r->c & 0x400))
        give_vector(h, request, bytes, r->b);
    request->next = h->requests;
    h->requests = request;
    error = nvme_submit(hostile_queue_of(h, r->a & 0x3F), q);
    if (error == NVME_OK)
        return; /* it may be gone by now */
    if (h->requests != request) {
        struct hostile_request **link = &h->requests;

        while (*link && *link != request)
            link = &(*link)->next;
        if (!*link)
            hostile_fail("done() for a request that was refused");
        *link = request->next;
    } else {
        h->requests = request->next;
    }
    free_request(request);
}
