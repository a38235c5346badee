/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The core resets a controller that has failed (config.recovery; NVMe 1.4 section 7.3.2): the
 * phases are those of bring-up (controller.c has the diagram), and what is here is how often, and
 * what becomes of the requests. Called by controller.c. Left out: a device that is gone (registers
 * read as all ones), for which no reset is tried.
 */
#include "internal.h"

#if !defined(NVME_NO_RECOVERY)

#define RADIX_BITS 4u
#define RADIX      (1u << RADIX_BITS)
#define KEY_BITS   32u

static uint64_t completions(const struct nvme *nvme)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < nvme->config.io_queues; i++)
        sum += nvme->queues[i].stats.completions - nvme->queues[i].stats.protocol_errors;
    return sum;
}

/* A reset that fails counts as another failure. With reset_limit of them in a row, no command
 * having ended in between, there is one more disable, so that every request can end. */
bool nvme_recover(struct nvme *nvme, int error)
{
    uint64_t now = completions(nvme);

    if (nvme->config.recovery == NVME_RECOVERY_NONE || nvme->vanished ||
        (nvme->state != NVME_STATE_READY && nvme->state != NVME_STATE_RECOVERING) ||
        nvme->giving_up)
        return false;
    if (nvme->state == NVME_STATE_READY) {
        if (now != nvme->completions)
            nvme->resets = 0;
        nvme->completions = now;
        nvme->failure = error;
        nvme->failure_status = 0;
    }
    nvme->giving_up = nvme->resets == nvme->config.reset_limit;
    NVME_TRACE(nvme, NVME_TRACE_RECOVER, 0, -error, nvme->resets);
    if (!nvme->giving_up) {
        nvme->resets++;
        nvme->admin.stats.resets++;
    }
    nvme->state = NVME_STATE_RECOVERING;
    nvme_admin_open(nvme, false);
    for (uint32_t i = 0; i < nvme->config.io_queues; i++)
        nvme_queue_close(&nvme->queues[i], nvme->giving_up ? 0 : GATE_RECOVERING);
    nvme_enter(nvme, PHASE_PROBE);
    return true;
}

/* By not_before_ns, least first: eight passes over sixteen heaps, whatever their number. */
static void sort(struct nvme_list *list)
{
    struct nvme_list heaps[RADIX];
    struct nvme_request *request;

    for (unsigned shift = 0; shift < KEY_BITS && list->first; shift += RADIX_BITS) {
        for (unsigned i = 0; i < RADIX; i++)
            list_init(&heaps[i]);
        while ((request = list_take(list)))
            list_append(&heaps[(uint32_t)request->not_before_ns >> shift & (RADIX - 1)], request);
        for (unsigned i = 0; i < RADIX; i++)
            list_join(list, &heaps[i]);
    }
}

/* Is it to be sent again? One that was late brings the controller down, for all that is known: not
 * more often than resets in a row are allowed. */
static bool again(const struct nvme *nvme, struct nvme_request *request, bool late)
{
    if (nvme->config.after_reset != NVME_AFTER_RESET_REISSUE || request->op == NVME_OP_RAW ||
        request->cancelled || request->error != NVME_OK)
        return false;
    return !late || request->retries_used++ < nvme->config.reset_limit;
}

/* Requests of which something was issued leave the waiting list: they are found by their slots. */
static void forget_progress(struct nvme_queue *queue)
{
    struct nvme_list all = queue->waiting;
    struct nvme_request *request;

    if (!all.first)
        return;
    list_init(&queue->waiting);
    while ((request = list_take(&all)))
        if (request->pieces_in_flight == 1)
            list_append(&queue->waiting, request);
        else
            request->pieces_in_flight--;
}

/* The controller has nothing any more. What it had is sent again, before what waits, in the order
 * in which it was issued first; or it ends. */
static void collect(struct nvme_queue *queue)
{
    const struct nvme *nvme = queue->nvme;
    struct nvme_list sent, waiting;
    struct nvme_request *request;

    list_init(&sent);
    nvme_queue_lock(queue);
    note_peak(queue);
    forget_progress(queue);
    for (uint32_t i = 0; i <= queue->slot_mask; i++)
        if ((request = nvme_io_owner(queue, &queue->slots[i])) != NULL)
            request->not_before_ns = UINT32_MAX;
    for (uint32_t i = 0; i <= queue->slot_mask; i++) {
        struct nvme_slot *slot = &queue->slots[i];
        uint32_t age = slot->sequence - (uint32_t)queue->sequence; /* the older, the less */
        bool late = (slot->trouble & SLOT_LATE) != 0;

        if ((request = queue->data[i].request) != NULL) {
            nvme_data_finish(queue, &queue->data[i], false);
            if (!again(nvme, request, late))
                nvme_io_fail(request, late ? NVME_E_TIMEOUT : NVME_E_STATE, 0);
            if (age < request->not_before_ns)
                request->not_before_ns = age;
            if (--request->pieces_in_flight == 0)
                list_append(request->error == NVME_OK ? &sent : &queue->ended_list, request);
        }
        queue->data[i].request = NULL;
        slot->trouble = 0;
    }
    sort(&sent);
    waiting = queue->waiting;
    if (!waiting.first)
        list_init(&waiting);
    list_init(&queue->waiting);
    while ((request = list_take(&sent))) {
        nvme_io_again(queue, request);
        queue->stats.reissued++;
    }
    list_join(&queue->waiting, &waiting);
    queue->stats.quarantined = 0;
    queue->ended = queue->sequence;
    nvme_queue_unlock(queue);
    nvme_reap_settle(queue, 0);
}

/* After a recovery: requests were taken in without a look, or for namespaces as they were. None of
 * them has a command in flight. */
void nvme_recover_check_waiting(struct nvme_queue *queue)
{
    struct nvme_list all = queue->waiting;
    struct nvme_request *request;

    if (!all.first)
        return;
    list_init(&queue->waiting);
    while ((request = list_take(&all))) {
        nvme_io_fail(request, nvme_command_check(queue, request), 0);
        list_append(request->error == NVME_OK ? &queue->waiting : &queue->ended_list, request);
    }
}

void nvme_recover_disabled(struct nvme *nvme)
{
    /* First: a done() may call nvme_stop(), which shall count. */
    nvme_enter(nvme, nvme->giving_up ? PHASE_NONE : PHASE_ENABLE);
    if (nvme->giving_up) {
        nvme->state = NVME_STATE_FAILED;
        nvme->giving_up = false;
        nvme_end_everything(nvme, NVME_E_STATE);
        return;
    }
    for (uint32_t i = 0; i < nvme->config.io_queues; i++) {
        nvme->queues[i].sq_created = nvme->queues[i].cq_created = false;
        collect(&nvme->queues[i]);
    }
    nvme_admin_abort(nvme);
}

/* READY again. A queue that the controller grants no more cannot keep its requests. */
void nvme_recover_done(struct nvme *nvme)
{
    uint64_t now_ns = nvme->ops->now_ns(nvme->ctx);
    uint32_t granted = nvme->info.io_queues;

    nvme->failure = NVME_OK;
    for (uint32_t i = 0; i < nvme->config.io_queues; i++)
        if (i < granted) {
            nvme_reap_settle(&nvme->queues[i], now_ns);
        } else {
            nvme_queue_close(&nvme->queues[i], 0);
            nvme_queue_abort(&nvme->queues[i], NVME_E_STATE);
        }
}

#endif
