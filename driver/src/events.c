/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asynchronous events (NVMe 1.4 section 5.2): the requests that the controller holds, the log page
 * that each event names, and the report to the controller's owner. Called by admin.c when an entry
 * comes, and by controller.c at each step while READY. Left out: what an event means; that is the
 * owner's business.
 */
#include "internal.h"

#if !defined(NVME_NO_EVENTS)

#define LOG_BYTES 512u /* reading the start of a log page is enough to re-arm its event (5.2) */

void nvme_set_event_handler(struct nvme *nvme,
                            void (*handler)(void *ctx, uint32_t result, const void *log,
                                            uint32_t bytes),
                            void *ctx)
{
    nvme->event = handler;
    nvme->event_ctx = ctx;
}

/* Under the lock of queue 0: an event (5.2.1), or the refusal to hold a request. */
void nvme_event_take(struct nvme_admin *admin, uint32_t index, uint16_t status, uint32_t result)
{
    if (status != 0)
        return; /* limit exceeded, or queue deleted: not sent again */
    admin->stats.async_events++;
    admin->aer_owed |= 1u << index;
    admin->log_owed |= 1u << index;
    admin->events[index] = result;
}

/* Send the Asynchronous Event Requests that are owed, with one doorbell; not those whose event's
 * log page is unread, which a second event would displace. */
void nvme_event_arm(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    uint32_t first, send, count = 0;

    nvme_admin_lock(nvme);
    first = admin->sq_tail;
    send = admin->aer_owed & ~admin->log_owed;
    admin->aer.command.opcode = NVME_ADMIN_ASYNC_EVENT;
    for (uint32_t i = 0; i < NVME_AER_MAX; i++)
        if (send & (1u << i)) {
            nvme_admin_put(admin, &admin->aer, NVME_ADMIN_AER + i, 0, 0);
            count++;
        }
    admin->aer_owed &= ~send;
    if (count)
        nvme_admin_ring(nvme, first, count);
    nvme_admin_unlock(nvme);
}

/* Ask for the start of the page that the oldest event names that is owed one: the whole of the list
 * of namespaces (5.14.1.4), which has no later chance to be read. False: none is owed. */
static bool send_log(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;
    struct nvme_admin_request *log = &admin->log;
    uint32_t index = 0, owed, page;

    nvme_admin_lock(nvme);
    owed = admin->log_owed;
    nvme_admin_unlock(nvme);
    if (owed == 0)
        return false;
    while (!(owed & (1u << index)))
        index++;
    admin->log_event = admin->events[index]; /* stays until the request is handed back */
    page = (admin->log_event >> NVME_AER_LOG_SHIFT) & 0xFFu;
    log->bytes = page == NVME_LOG_CHANGED_NAMESPACES ? NVME_IDENTIFY_BYTES : LOG_BYTES;
    log->command.opcode = NVME_ADMIN_GET_LOG_PAGE;
    log->command.nsid = UINT32_MAX;
    log->command.cdw10 = page | ((log->bytes / 4 - 1) << NVME_LOG_NUMDL_SHIFT);
    nvme_dma_sync(nvme, &admin->control, log->bytes, NVME_SYNC_FOR_DEVICE);
    admin->log_sent = nvme_admin_send_internal(nvme, log, admin->control.bus) == NVME_OK;
    if (admin->log_sent) { /* else busy: at the next step */
        nvme_admin_lock(nvme);
        admin->log_owed &= ~(1u << index);
        nvme_admin_unlock(nvme);
    }
    return true;
}

/* The page is here, or cannot be had: a log page that the controller does not have is no failure.
 */
static void report(struct nvme *nvme)
{
    const struct nvme_admin_request *log = &nvme->admin.log;
    bool good = log->error == NVME_OK;

    if (good)
        nvme_dma_sync(nvme, &nvme->admin.control, log->bytes, NVME_SYNC_FOR_CPU);
    if (nvme->event)
        nvme->event(nvme->event_ctx, nvme->admin.log_event, good ? nvme->admin.control.cpu : NULL,
                    good ? log->bytes : 0);
}

/* While READY, after a look at the admin queue: read the log page that each event names (until then
 * the controller keeps silent about that type, 5.2), one per step, and when none is left hand the
 * requests back. The owner's handler may stop or reset the controller: then this phase is over. */
void nvme_event_look(struct nvme *nvme)
{
    struct nvme_admin *admin = &nvme->admin;

    if (admin->log_sent) {
        if (admin->log.error == NVME_ADMIN_PENDING)
            return;
        admin->log_sent = false;
        report(nvme);
        if (nvme->phase != PHASE_RUNNING)
            return;
    }
    if (!send_log(nvme) && admin->aer_owed)
        nvme_event_arm(nvme);
}

#endif
