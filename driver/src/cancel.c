/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that their caller wants back: one, or all of an owner. What waits inside the core ends
 * at the next poll; what the controller has is aborted (NVMe 1.4 section 5.1) and ends with its own
 * entry, because until then the controller may touch its memory. Called by the owner of the
 * requests, also from a done().
 */
#include "internal.h"

#if !defined(NVME_NO_RECOVERY)

struct target {
    const struct nvme_request *request; /* NULL: all of the owner's */
    const void *owner;
};

static bool hit(const struct target *target, const struct nvme_request *request)
{
    return target->request ? request == target->request : request->owner == target->owner;
}

/* Once per request. */
static void mark(struct nvme_queue *queue, struct nvme_request *request)
{
    queue->stats.cancelled += !request->cancelled;
    request->cancelled = true;
    if (request->blocks_left) /* the rest will not be issued */
        nvme_io_fail(request, NVME_E_CANCELLED, 0);
}

/* What waits for a slot, or to be tried again (then its error is what it ended with). */
static void cancel_list(struct nvme_queue *queue, struct nvme_list *list,
                        const struct target *target, bool waiting)
{
    struct nvme_list all = *list;
    struct nvme_request *request;

    if (!all.first)
        return;
    list_init(list);
    while ((request = list_take(&all)))
        if (!hit(target, request)) {
            list_append(list, request);
        } else {
            mark(queue, request);
            if (!waiting || --request->pieces_in_flight == 0)
                list_append(&queue->ended_list, request);
        }
}

/* Returns how many are still to end, under the lock. */
static unsigned cancel(struct nvme_queue *queue, const struct target *target)
{
    struct nvme_request *request;
    unsigned count = 0;

    cancel_list(queue, &queue->waiting, target, true);
    cancel_list(queue, &queue->delayed, target, false);
    for (request = queue->ended_list.first; request; request = request->next)
        count += hit(target, request);
    for (uint32_t i = 0; i <= queue->slot_mask; i++) {
        struct nvme_slot *slot = &queue->slots[i];

        request = slot_armed(queue, slot) ? slot->request : queue->data[i].request;
        if (!request || !hit(target, request))
            continue;
        nvme_io_owner(queue, slot);
        mark(queue, request);
        request->next_lba = 1; /* not counted yet */
        if (!(slot->trouble & (SLOT_ABORT_SENT | SLOT_ABORTED)))
            slot->trouble |= SLOT_ABORT_OWED;
        queue->watching = true;
    }
    for (uint32_t i = 0; i <= queue->slot_mask; i++) {
        request = queue->data[i].request;
        if (request && hit(target, request)) {
            count += (unsigned)request->next_lba;
            request->next_lba = 0;
        }
    }
    return count;
}

int nvme_cancel(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct target target = {request, NULL};
    unsigned count;

    nvme_queue_lock(queue);
    count = cancel(queue, &target);
    nvme_queue_unlock(queue);
    nvme_watch_abort(queue);
    return count ? NVME_OK : NVME_E_INVAL;
}

unsigned nvme_cancel_owner(struct nvme_queue *queue, const void *owner)
{
    const struct target target = {NULL, owner};
    unsigned count;

    if (!owner)
        return 0;
    nvme_queue_lock(queue);
    count = cancel(queue, &target);
    /* A poll that is calling done() just now may have some in its hands. */
    count += queue->delivering != 0;
    nvme_queue_unlock(queue);
    nvme_watch_abort(queue);
    return count;
}

#endif
