/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the driver's owner does, one row of the table each: polls, steps, interrupts, resets, admin
 * commands, and requests (driver_requests.c). It keeps the rules of nvme/nvme.h; whatever the
 * device does, what it is promised there must hold. See driver.h.
 */
#include "fuzz/driver.h"

#include <stdlib.h>
#include <string.h>

typedef void action(struct hostile *h, const struct hostile_record *r);

/* ---- polls and interrupts ---- */

static void ring(struct hostile *h, const struct hostile_record *r)
{
    nvme_ring(hostile_queue_of(h, r->a));
}

static void poll(struct hostile *h, const struct hostile_record *r)
{
    nvme_poll(hostile_queue_of(h, r->a), r->b & 7);
}

static void poll_quiet(struct hostile *h, const struct hostile_record *r)
{
    nvme_poll_quiet(hostile_queue_of(h, r->a), r->b & 7);
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
        nvme_cancel(hostile_queue_of(h, r->a), &request->request);
}

static void cancel_owner(struct hostile *h, const struct hostile_record *r)
{
    unsigned left = nvme_cancel_owner(hostile_queue_of(h, r->a), &h->serial);

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
    nvme_queue_set_cpu(hostile_queue_of(h, r->a), r->b);
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

    nvme_get_queue_stats(hostile_queue_of(h, r->a), &queue);
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
    {hostile_submit, true},
    {hostile_submit, true},
    {hostile_submit, true},
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

    if (actions[index].on_queue && !hostile_queue_of(h, record->a))
        return;
    hostile_begin_call(h);
    actions[index].run(h, record);
    if (h->locks != 0)
        hostile_fail("%u locks are held after a call", h->locks);
}
