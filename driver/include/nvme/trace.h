/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Trace points of the core. Compiled with NVME_TRACING defined it calls the platform's trace
 * operation at each of them; without, there is nothing of them in the object code (test
 * trace-is-free). The macros are used by driver/src, the events by whoever implements the
 * operation.
 */
#ifndef NVME_TRACE_H
#define NVME_TRACE_H

/* qid: 0 for the admin queue and the controller. Called with the queue's lock held where there is
 * one; the operation calls nothing of the core. */
enum nvme_trace_event {
    NVME_TRACE_PHASE,      /* a: step of the state machine that begins (controller.c) */
    NVME_TRACE_FAILED,     /* a: -nvme_error */
    NVME_TRACE_RESET,      /* nvme_reset() */
    NVME_TRACE_RECOVER,    /* the core resets. a: -nvme_error, b: resets in a row before */
    NVME_TRACE_ADMIN_SEND, /* a: opcode, b: command identifier */
    NVME_TRACE_ADMIN_END,  /* a: command identifier, b: raw status */
    NVME_TRACE_ADMIN_LATE, /* a time-out. a: opcode, b: command identifier */
    NVME_TRACE_LATE,       /* a command is late. a: command identifier */
    NVME_TRACE_ABORT,      /* Abort is sent. a: the command's identifier */
    NVME_TRACE_SUBMIT,     /* a request is accepted. a: enum nvme_op, b: lba */
    NVME_TRACE_RING,       /* SQ tail doorbell. a: new tail, b: entries */
    NVME_TRACE_ENTRY,    /* a completion entry is consumed. a: command identifier, b: raw status */
    NVME_TRACE_END,      /* done() comes next. a: lba, b: raw status */
    NVME_TRACE_INTERRUPT /* was worked off. a: vector, b: entries consumed */
};

#if defined(NVME_TRACING)
#define NVME_TRACE(nvme, event, qid, a, b)                                                         \
    do {                                                                                           \
        if ((nvme)->ops->trace)                                                                    \
            (nvme)->ops->trace((nvme)->ctx, event, (uint16_t)(qid), (uint64_t)(a), (uint64_t)(b)); \
    } while (0)
/* NVME_TRACE_END for each of a list of requests. */
#define NVME_TRACE_ENDS(nvme, qid, list)                                                           \
    do {                                                                                           \
        for (const struct nvme_request *r = (list); r; r = r->next)                                \
            NVME_TRACE(nvme, NVME_TRACE_END, qid, r->lba, r->status);                              \
    } while (0)
#else
#define NVME_TRACE(nvme, event, qid, a, b)                                                         \
    do {                                                                                           \
    } while (0)
#define NVME_TRACE_ENDS(nvme, qid, list)                                                           \
    do {                                                                                           \
    } while (0)
#endif

#endif
