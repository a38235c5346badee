/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Admin commands from a running controller's owner: any of them, asynchronously, several at a time
 * (nvme_admin_submit()), and what is commonly asked for, as functions that fill such a request.
 * Those are in driver/services, which a port that only reads and writes need not link. Section
 * numbers are of NVM Express Base Specification 1.4.
 *
 * Calling context: nvme_admin_submit() from any context that may take the lock of queue 0; done()
 * is called by nvme_step() or by the interrupt handler of vector 0.
 */
#ifndef NVME_ADMIN_H
#define NVME_ADMIN_H

#include <nvme/error.h>
#include <nvme/request.h>

struct nvme;

/* One admin command; the caller's memory, the core's from submit until done(). */
struct nvme_admin_request {
    /* filled by the caller */
    struct nvme_command command;
    void *buffer;        /* up to a page: anywhere; longer: mapped, so a multiple of 4 */
    uint32_t bytes;      /* of data, a multiple of 4; 0 = none; at most nvme_info.max_transfer, and
                          * what one PRP list page describes (2 MiB with pages of 4 KiB) */
    enum nvme_dir dir;   /* of data */
    uint32_t timeout_ms; /* 0 = config.admin_timeout_ms */
    void (*done)(struct nvme_admin_request *request);
    void *user;
    /* filled by the core before done() */
    int error;       /* NVME_OK or an nvme_error */
    uint16_t status; /* raw status, phase tag stripped; 0 = success */
    uint32_t result; /* dword 0 of the completion entry */
    /* the core's own while in flight */
    struct nvme_admin_request *next;
    uint64_t deadline_ns;
};

/* Send it. NVME_OK: done() will be called exactly once, never from here. Otherwise an error and
 * done() will not be called: BUSY (admin_requests are in flight), STATE (not READY), INVAL, and
 * UNSUPPORTED where admin_depth leaves no room for any. A command that is late makes the controller
 * fail (there is no other end for it): its request ends with NVME_E_TIMEOUT when the reset or stop
 * that follows has seen RDY = 0. Others that are in flight then end with NVME_E_STATE, or with
 * NVME_E_GONE if the device has vanished. The core's own commands (queues, Abort, asynchronous
 * events, doorbell buffers) are refused with NVME_E_INVAL. */
int nvme_admin_submit(struct nvme *nvme, struct nvme_admin_request *request);
/* The same, stepping until it has ended; done and user are overwritten. Returns request->error. If
 * the controller fails meanwhile and does not recover by itself it is reset, because nothing else
 * ends the request; if that fails, too, the failure is returned, the state is FAILED, and the
 * request remains the core's until nvme_stop() or nvme_reset() has ended it. Not from an interrupt
 * handler, nor from done(). */
int nvme_admin_blocking(struct nvme *nvme, struct nvme_admin_request *request);

#if !defined(NVME_NO_EVENTS)
/* An asynchronous event (5.2): dword 0 of its completion entry, and the start of the log page that
 * it names, as it was read to make the controller tell the next one; NULL and 0 if that failed. At
 * least 512 bytes; the list of changed namespaces is whole. Called by nvme_step() with no lock
 * held; log is valid until it returns. May stop or reset the controller, or submit. The core does
 * nothing on its own about an event.
 * handler NULL: nobody wants to know; log pages are read all the same. To be set while nvme_step()
 * does not run. */
void nvme_set_event_handler(struct nvme *nvme,
                            void (*handler)(void *ctx, uint32_t result, const void *log,
                                            uint32_t bytes),
                            void *ctx);
#endif

#endif
