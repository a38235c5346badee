/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver's owner does, one row of the table each: requests of every kind, polls, steps,
 * interrupts, resets, admin commands. It keeps the rules of nvme/nvme.h; whatever the device does,
 * what it is promised there must hold. Requests are heap blocks that done() frees, so that the core
 * cannot look at one afterwards. See driver.h.
 */
#include "fuzz/driver.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (96u << 10) /* of a buffer with memory behind it */
#define PARTS_MAX 8u

typedef void action(struct hostile *h, const struct hostile_record *r);

/* What done() does besides. */
enum { THEN_NOTHING, THEN_SUBMIT, THEN_STOP, THEN_RESET, THENS };

struct hostile_request *hostile_find(struct hostile *h, uint64_t serial)
{
    struct hostile_request *request = h->requests;

    while (request && request->serial != serial)
        request = request->next;
    return request;
}

/* One of those that were created; NULL if none has been yet. */
static struct nvme_queue *queue_of(struct hostile *h, unsigned a)
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

static void submit(struct hostile *h, const struct hostile_record *r);

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
        submit(h, &r);
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
static void submit(struct hostile *h, const struct hostile_record *r)
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
    error = nvme_submit(queue_of(h, r->a & 0x3F), q);
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

/* ---- polls and interrupts ---- */

static void ring(struct hostile *h, const struct hostile_record *r)
{
    nvme_ring(queue_of(h, r->a));
}

static void poll(struct hostile *h, const struct hostile_record *r)
{
    nvme_poll(queue_of(h, r->a), r->b & 7);
}

static void poll_quiet(struct hostile *h, const struct hostile_record *r)
{
    nvme_poll_quiet(queue_of(h, r->a), r->b & 7);
}

static void interrupt(struct hostile *h, const struct hostile_record *r)
{
    nvme_interrupt(h->nvme, r->a % HOSTILE_VECTORS);
}

static void interrupt_halves(struct hostile *h, const struct hostile_record *r)
{
    if (nvme_interrupt_claim(h->nvme, r->a % HOSTILE_VECTORS))
        nvme_interrupt_work(h->nvme, r->a % HOSTILE_VECTORS);
}

/* Between two operations of the platform, within any call of the core. */
void hostile_nested_interrupt(struct hostile *h, unsigned vector)
{
    h->nested = true;
    nvme_interrupt(h->nvme, vector % HOSTILE_VECTORS);
    h->nested = false;
}

/* ---- cancelling ---- */

static void cancel(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_request *request = h->requests;
    unsigned index = r->b & 15;

    for (; request && index != 0; index--)
        request = request->next;
    if (request)
        nvme_cancel(queue_of(h, r->a), &request->request);
}

static void cancel_owner(struct hostile *h, const struct hostile_record *r)
{
    unsigned left = nvme_cancel_owner(queue_of(h, r->a), &h->serial);

    if (left > h->config.slots && h->config.full == NVME_FULL_REJECT)
        hostile_fail("%u requests of one owner on %u slots", left, h->config.slots);
}

/* ---- the state machine ---- */

void hostile_step(struct hostile *h)
{
    hostile_begin_call(h);
    nvme_step(h->nvme, h->now_ns);
}

static void step(struct hostile *h, const struct hostile_record *r)
{
    h->now_ns += (uint64_t)r->b * r->b * 1000;
    hostile_step(h);
}

/* Until it is READY, or will not be. */
static void bring_up(struct hostile *h, const struct hostile_record *r)
{
    nvme_start(h->nvme);
    for (unsigned i = 0; i < 8 + 8u * r->a; i++) {
        enum nvme_state state;

        hostile_step(h);
        state = nvme_state(h->nvme);
        if (state == NVME_STATE_READY || state == NVME_STATE_OFF || state == NVME_STATE_FAILED)
            return;
        hostile_run_device(h);
        h->now_ns += 1000000;
    }
}

static void start(struct hostile *h, const struct hostile_record *r)
{
    (void)r;
    nvme_start(h->nvme);
}

static void stop(struct hostile *h, const struct hostile_record *r)
{
    (void)r;
    nvme_stop(h->nvme);
}

static void reset(struct hostile *h, const struct hostile_record *r)
{
    (void)r;
    nvme_reset(h->nvme);
}

static void blocking(struct hostile *h, const struct hostile_record *r)
{
    if (!h->ops.relax)
        return; /* time would stand still */
    switch (r->a % 3) {
    case 0:
        nvme_start_blocking(h->nvme);
        break;
    case 1:
        nvme_reset_blocking(h->nvme);
        break;
    default:
        nvme_stop_blocking(h->nvme);
        break;
    }
}

/* ---- admin commands ---- */

static void admin_done(struct nvme_admin_request *ended)
{
    struct hostile *h = ended->user;
    struct hostile_admin **link = &h->admins, *request;

    while (*link && &(*link)->request != ended)
        link = &(*link)->next;
    request = *link;
    if (!request)
        hostile_fail("done() for an admin request that is not with the core");
    if (h->locks != 0)
        hostile_fail("done() of an admin request under %u locks", h->locks);
    if (ended->error > 0 || ended->error < NVME_E_CANCELLED)
        hostile_fail("an admin request ends with error %d", ended->error);
    *link = request->next;
    free(request->memory);
    free(request);
}

static struct hostile_admin *admin_request(struct hostile *h, const struct hostile_record *r)
{
    static const uint8_t opcodes[] = {0x06, 0x0A, 0x0D, 0x10, 0x80, 0xC1, 0xC2, 0x08};
    static const uint32_t lengths[] = {0, 4096, 4, 512, 8192, 65536, 4100, 2};
    struct hostile_admin *request = hostile_alloc(sizeof *request);
    unsigned offset = (r->b & 7) * 512u + (r->b >> 3 & 3);

    request->request = (struct nvme_admin_request){
        .command = {.opcode = opcodes[r->a & 7], .nsid = r->a >> 6, .cdw10 = 1},
        .bytes = lengths[r->a >> 3 & 7],
        .dir = (enum nvme_dir)(r->b >> 5 & 1),
        .timeout_ms = r->b >> 8,
        .done = admin_done,
        .user = h};
    if (opcodes[r->a & 7] == NVME_ADMIN_IDENTIFY) { /* the device knows its length */
        request->request.bytes = NVME_IDENTIFY_BYTES;
        request->request.dir = NVME_FROM_DEVICE;
    }
    if (request->request.bytes != 0) {
        request->memory = hostile_buffer(request->request.bytes, offset);
        request->request.buffer = request->memory + offset;
    }
    return request;
}

static void admin(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_admin *request = admin_request(h, r);

    request->next = h->admins;
    h->admins = request;
    if (nvme_admin_submit(h->nvme, &request->request) == NVME_OK)
        return;
    if (h->admins != request)
        hostile_fail("an admin request that was refused is not where it was");
    h->admins = request->next;
    free(request->memory);
    free(request);
}

/* It may remain the core's afterwards, and nobody says until when. */
static void admin_blocking(struct hostile *h, const struct hostile_record *r)
{
    struct hostile_admin *request;

    if (!h->ops.relax || h->blocking)
        return;
    request = admin_request(h, r);
    h->blocking = request;
    nvme_admin_blocking(h->nvme, &request->request);
}

/* ---- namespaces, routing ---- */

static void update_namespace(struct hostile *h, const struct hostile_record *r)
{
    uint8_t *page;

    if (h->requests)
        return; /* none may be in flight */
    page = hostile_alloc(NVME_IDENTIFY_BYTES);
    page[NVME_IDN_NSZE + (r->b & 7)] = (uint8_t)(r->b >> 8);
    page[NVME_IDN_LBAF + 2] = (uint8_t)r->c;
    page[NVME_IDN_NOIOB] = (uint8_t)(r->c >> 8);
    nvme_update_namespace(h->nvme, r->a & 7, page);
    free(page);
}

static void set_cpu(struct hostile *h, const struct hostile_record *r)
{
    nvme_queue_set_cpu(queue_of(h, r->a), r->b);
}

static void set_priority(struct hostile *h, const struct hostile_record *r)
{
    nvme_set_priority(h->nvme, r->a, r->b & 7);
}

static void on_event(void *ctx, uint32_t result, const void *log, uint32_t bytes)
{
    struct hostile *h = ctx;
    const volatile uint8_t *at = log;

    if (h->locks != 0)
        hostile_fail("an event is reported under %u locks", h->locks);
    if ((bytes == 0) != (log == NULL) || (log && bytes < 512))
        hostile_fail("an event with %u bytes of its log page", bytes);
    if (at)
        (void)(at[0] + at[bytes - 1]);
    if ((result & 0xFF00) == 0xAA00 && !h->ending)
        nvme_stop(h->nvme);
    else if ((result & 0xFF00) == 0xBB00 && !h->ending)
        nvme_reset(h->nvme);
}

static void listen(struct hostile *h, const struct hostile_record *r)
{
    nvme_set_event_handler(h->nvme, (r->a & 1) ? NULL : on_event, h);
}

static void statistics(struct hostile *h, const struct hostile_record *r)
{
    struct nvme_queue_stats queue;
    struct nvme_admin_stats commands;

    nvme_get_queue_stats(queue_of(h, r->a), &queue);
    nvme_get_admin_stats(h->nvme, &commands);
    if (queue.in_flight_peak > h->config.slots)
        hostile_fail("%llu commands in flight at a time, of %u slots",
                     (unsigned long long)queue.in_flight_peak, h->config.slots);
}

/* ---- memory ---- */

static void refuse_memory(struct hostile *h, const struct hostile_record *r)
{
    h->refuse_alloc = r->a;
    h->refuse_map = r->b & 0xFF;
}

static const struct {
    action *run;
    bool on_queue; /* only once there is one */
} actions[] = {
    {submit, true},
    {submit, true},
    {submit, true},
    {ring, true},
    {poll, true},
    {step, false},
    {bring_up, false},
    {poll_quiet, true},
    {start, false},
    {stop, false},
    {reset, false},
    {interrupt, false},
    {admin, false},
    {blocking, false},
    {listen, false},
    {admin_blocking, false},
    {refuse_memory, false},
    {set_cpu, true},
    {statistics, true},
    {interrupt_halves, false},
    {update_namespace, false},
    {set_priority, false},
    {cancel, true},
    {cancel_owner, true},
    {step, false},
    {interrupt, false},
};
#define ACTIONS (sizeof actions / sizeof actions[0])

void hostile_do_host(struct hostile *h, const struct hostile_record *record)
{
    unsigned index = record->code % ACTIONS;

    if (actions[index].on_queue && !queue_of(h, record->a))
        return;
    hostile_begin_call(h);
    actions[index].run(h, record);
    if (h->locks != 0)
        hostile_fail("%u locks are held after a call", h->locks);
}
