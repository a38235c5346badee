/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that have ended with a status after which they are worth another try, at once or after
 * the delay that the controller asks for (NVMe 1.4 section 4.6.1: Do Not Retry and Command Retry
 * Delay; 5.21.1.22: the host must have said that it knows the latter). Called by io.c when the last
 * command of a request has ended, and by reap.c when time may have passed.
 */
#include "internal.h"

#if !defined(NVME_NO_RECOVERY)

#define RETRY_UNIT_NS (100u * NVME_NS_PER_MS) /* CRDT1 to CRDT3 (5.15.2.2) */

/* Generic status (4.6.1.2.1). Not: what is wrong with the command itself, what somebody has decided
 * (reservations, write protection), and Command Abort Requested of a cancelled one. */
static bool generic_worth(unsigned code)
{
    return code == 0x04 ||                 /* Data Transfer Error */
           code == 0x06 ||                 /* Internal Error */
           code == 0x07 ||                 /* Command Abort Requested: it was late */
           code == 0x21 || code == 0x22 || /* Command Interrupted, Transient Transport Error */
           code == 0x82;                   /* Namespace Not Ready */
}

/* Media and data integrity errors (4.6.1.2.3). Not: what the data themselves say. */
static bool media_worth(unsigned code)
{
    return code != 0x85 && /* Compare Failure */
           code != 0x86;   /* Access Denied */
}

static bool worth(uint16_t status)
{
    if (status == 0 || (status & NVME_STATUS_DNR))
        return false;
    switch (NVME_STATUS_TYPE(status)) {
    case NVME_SCT_GENERIC:
        return generic_worth(NVME_STATUS_CODE(status));
    case NVME_SCT_MEDIA:
        return media_worth(NVME_STATUS_CODE(status));
    default:
        return NVME_STATUS_TYPE(status) == NVME_SCT_PATH; /* 4.6.1.2.4 */
    }
}

/* True: the request does not end; its error and status stay with it until it begins again. */
bool nvme_retry(struct nvme_queue *queue, struct nvme_request *request)
{
    const struct nvme *nvme = queue->nvme;
    unsigned crd = nvme->info.retry_delays ? NVME_STATUS_CRD(request->status) : 0;

    if (request->op == NVME_OP_RAW || request->cancelled ||
        request->retries_used >= nvme->config.retries || !worth(request->status))
        return false;
    request->retries_used++;
    queue->stats.retries++;
    if (crd == 0) {
        nvme_io_again(queue, request);
        return true;
    }
    request->not_before_ns = nvme->ops->now_ns(nvme->ctx) +
                             (uint64_t)nvme->info.retry_delay_100ms[crd - 1] * RETRY_UNIT_NS;
    list_append(&queue->delayed, request);
    return true;
}

/* Those whose time has come are to be issued again. */
void nvme_retry_due(struct nvme_queue *queue, uint64_t now_ns)
{
    struct nvme_list all = queue->delayed;
    struct nvme_request *request;

    if (!all.first)
        return;
    list_init(&queue->delayed);
    while ((request = list_take(&all)))
        if (now_ns >= request->not_before_ns)
            nvme_io_again(queue, request);
        else
            list_append(&queue->delayed, request);
}

#endif
