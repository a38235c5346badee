/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's interface: bring a controller up, submit block requests, reap completions, shut
 * down. Called by an operating system's block layer (or by sim/host, or by a bare-metal program).
 * The core never allocates memory after bring-up, never blocks and never sleeps: bring-up, reset
 * and shutdown are one state machine that the caller steps; nvme_start_blocking() and friends sit
 * on top.
 *
 * Calling context: unless a function says otherwise, calls for one queue must not overlap in time;
 * where an interrupt handler or another CPU may call too, the platform gives lock and unlock. What
 * moves the controller from state to state (nvme_start(), nvme_step(), nvme_reset(), nvme_stop()
 * and what is called "from the context that steps") may come from any CPU, and from another one
 * each time, but only one at a time, each seeing what the one before has stored; calls for queues
 * may come meanwhile. Section numbers are of NVM Express Base Specification 1.4.
 */
#ifndef NVME_NVME_H
#define NVME_NVME_H

#include <nvme/admin.h>
#include <nvme/config.h>
#include <nvme/error.h>
#include <nvme/platform.h>
#include <nvme/request.h>
#include <nvme/stats.h>

/* ---- the controller -------------------------------------------------------------------------- */

struct nvme;       /* one controller; lives in the caller's memory */
struct nvme_queue; /* one I/O queue pair */

enum nvme_state {
    NVME_STATE_OFF,       /* before nvme_start, after a completed stop */
    NVME_STATE_STARTING,  /* step it */
    NVME_STATE_READY,     /* I/O may be submitted */
    NVME_STATE_STOPPING,  /* step it */
    NVME_STATE_FAILED,    /* see nvme_failure(); nvme_reset() may bring it back */
    NVME_STATE_RECOVERING /* step it: a reset by the core itself (config.recovery) is under way */
};

struct nvme_namespace {
    uint32_t nsid;
    uint32_t block_bytes;      /* LBA data size */
    uint64_t blocks;           /* NSZE */
    uint32_t max_blocks;       /* of one command with data */
    uint32_t optimal_boundary; /* NOIOB, blocks; 0 = none stated (5.15.2.1) */
    uint32_t atomic_blocks; /* a write of up to so many is seen whole or not at all, also by other
                             * commands (NAWUN or AWUN, 6.4); >= 1 */
    uint32_t atomic_power_fail; /* and survives a loss of power whole (NAWUPF or AWUPF) */
    uint32_t atomic_boundary;   /* but not across multiples of this (NABSN); 0 = no boundary */
    uint32_t preferred_write_granularity;      /* NPWG, blocks; 0 = not stated */
    uint32_t preferred_write_alignment;        /* NPWA, blocks; 0 = not stated */
    uint32_t preferred_deallocate_granularity; /* NPDG, blocks; 0 = not stated */
    uint8_t format;                            /* index of the LBA format in use */
};

struct nvme_info {
    uint64_t cap;          /* CAP as read */
    uint32_t version;      /* VS as read */
    uint32_t page_bytes;   /* CC.MPS in use */
    uint32_t max_transfer; /* bytes per command, after MDTS, transfer_cap and list_pages */
    uint16_t io_queues;    /* created */
    uint16_t io_depth;     /* entries of each */
    uint16_t slots;        /* commands in flight per queue */
    bool volatile_write_cache;
    bool write_zeroes, compare, verify, deallocate; /* ONCS: the controller has the command */
    bool sgl;                                       /* SGLs may be used in I/O commands */
    bool shadow_doorbells;                          /* in use */
    bool retry_delays;                       /* CRD may be nonzero: Host Behavior Support is on */
    uint16_t retry_delay_100ms[3];           /* CRDT1 to CRDT3 (5.15.2.2) */
    uint16_t oacs, oncs;                     /* as read (5.15.2.2) */
    uint8_t abort_limit;                     /* ACL + 1 */
    uint64_t host_memory_bytes;              /* lent to the controller */
    uint32_t namespaces_max;                 /* NN */
    char serial[21], model[41], firmware[9]; /* blanks at the end removed, NUL terminated */
};

/* Bytes of memory (aligned to 64) that nvme_init() needs for this configuration; 0 if it is
 * invalid. */
size_t nvme_memory_size(const struct nvme_config *config);
/* Builds the driver's state in memory; touches no hardware. The platform and the memory must stay
 * until nvme_state() is OFF and no more calls are made; config is copied. NULL if the configuration
 * is invalid or the memory too small or not aligned to 64. */
struct nvme *nvme_init(void *memory, size_t bytes, const struct nvme_platform *platform,
                       const struct nvme_config *config);

/* Begin bring-up (7.6.1). NVME_OK or NVME_E_BUSY if not OFF. Registers must be reachable and bus
 * mastering enabled. */
int nvme_start(struct nvme *nvme);
/* Begin orderly shutdown (7.6.2); requests still in flight end with NVME_E_STATE. From any state.
 */
int nvme_stop(struct nvme *nvme);
/* Begin a controller reset and bring-up again (7.3.2); requests in flight end with NVME_E_STATE.
 * From READY or FAILED. */
int nvme_reset(struct nvme *nvme);
/* Do what can be done now and return the state; never waits. now_ns: the platform's time.
 *
 * While READY this is how failures are found: a device that is gone, a fatal status, a completion
 * entry that cannot be true. A request whose entry could not be true does not end before the reset
 * or stop that follows, so that a caller who only polls waits for it for ever: such a caller must
 * step too, every 100 ms to 1 s, and before it gives up on a request. That costs one register read
 * (CSTS) and one look at the admin completion queue. With io_timeout_ms also how late commands are
 * found, delayed retries begun, and the outcome of Aborts noticed: done() may be called from here.
 * Step every eighth of io_timeout_ms then, or oftener: the bound on when a late command is noticed
 * grows by twice the time between steps. */
enum nvme_state nvme_step(struct nvme *nvme, uint64_t now_ns);
enum nvme_state nvme_state(const struct nvme *nvme);
/* Why the state is FAILED: an nvme_error, and the raw status if it was NVME_E_STATUS (else 0). */
int nvme_failure(const struct nvme *nvme, uint16_t *status);

/* The same, stepping until done with the platform's relax() in between. NVME_OK or the failure. */
int nvme_start_blocking(struct nvme *nvme);
int nvme_stop_blocking(struct nvme *nvme);
int nvme_reset_blocking(struct nvme *nvme);

/* Valid while READY. */
const struct nvme_info *nvme_get_info(const struct nvme *nvme);
unsigned nvme_namespace_count(const struct nvme *nvme);
/* NULL: index is beyond the count, or the entry is of a namespace that is gone. */
const struct nvme_namespace *nvme_get_namespace(const struct nvme *nvme, unsigned index);
/* Take over what Identify Namespace (CNS 00h, 4096 bytes) says now: after a format, a creation or
 * attachment, a deletion, or an event that tells of one. The entry of a namespace stays where it
 * is; a new one takes a free one, or comes last. NVME_OK: the namespace can be used as described;
 * NVME_E_UNSUPPORTED: it is gone (a page of zeroes), or formatted in a way that the core does not
 * use, and is not offered any more; STATE, INVAL (nsid); NO_MEMORY: there are 128 already. No
 * request for this namespace may be in flight, or be submitted meanwhile; others may. From the
 * context that steps. nvme_refresh_namespace() in driver/services asks the controller first. */
int nvme_update_namespace(struct nvme *nvme, uint32_t nsid, const void *identify);
struct nvme_queue *nvme_get_queue(struct nvme *nvme, unsigned index); /* index 0..io_queues-1 */

/* ---- I/O ------------------------------------------------------------------------------------- */

/* Build the command(s) of a request in the ring. Rings the doorbell only if config.ring says so.
 * NVME_OK: done() will be called exactly once, later, from nvme_poll() (never from here). Otherwise
 * an error, and done() will not be called: INVAL, RANGE, BUSY, STATE, NO_MEMORY, UNSUPPORTED. While
 * RECOVERING a request waits inside the core, unchecked (full = queue; what is wrong with it comes
 * with done()), or is refused with BUSY. */
int nvme_submit(struct nvme_queue *queue, struct nvme_request *request);
/* Ring the SQ tail doorbell if anything was submitted since; does nothing otherwise. */
void nvme_ring(struct nvme_queue *queue);
/* Reap up to max completions (0 = all there are), ring the CQ head doorbell, call done() for every
 * request that ended. Returns the number of completion entries consumed. */
unsigned nvme_poll(struct nvme_queue *queue, unsigned max);
/* nvme_poll() without any register write other than doorbells: for spinning. */
unsigned nvme_poll_quiet(struct nvme_queue *queue, unsigned max);
/* For the port's interrupt handler: admin completions for vector 0, and the I/O queues on this
 * vector. Returns entries consumed (0: not ours, spurious, or the queues are closed: with pin or
 * MSI the vector then stays masked until the next bring-up). Of a vector, one at a time. */
unsigned nvme_interrupt(struct nvme *nvme, unsigned vector);
/* The same in two halves, for ports whose hard handler only schedules a soft one. Hard half: with
 * pin or MSI masks the vector; true: schedule the soft half for this vector; false: the controller
 * is OFF. It takes no lock, calls no done(), and does not look whose the interrupt was: on a shared
 * line a soft half may find nothing. Soft half: reaps and unmasks; returns entries consumed. The
 * hard half may come again at any time while the soft one runs or waits; then the soft half is to
 * run once more, after that. */
bool nvme_interrupt_claim(struct nvme *nvme, unsigned vector);
unsigned nvme_interrupt_work(struct nvme *nvme, unsigned vector);
/* Route the queue's vector to another CPU (platform irq_move), with all queues that share it, until
 * a stop, or a reset of a device that was gone. NVME_OK, NVME_E_STATE (not READY),
 * NVME_E_UNSUPPORTED (no irq_move, or no interrupts), or the platform's error. */
int nvme_queue_set_cpu(struct nvme_queue *queue, unsigned cpu);
/* QPRIO of one queue (0 urgent .. 3 low), from the next bring-up on. NVME_E_INVAL: no such queue or
 * class. */
int nvme_set_priority(struct nvme *nvme, unsigned index, uint8_t priority);

#if !defined(NVME_NO_RECOVERY)
/* Have a request end early. Waiting for a slot: it ends with NVME_E_CANCELLED at the next poll.
 * With the controller: an Abort command is sent, and the request ends when its own entry comes,
 * with whatever that says (success, or a status of Command Abort Requested as NVME_E_CANCELLED); no
 * entry is waited for longer than for any late command. NVME_OK: done() will be called, exactly
 * once, not from here. NVME_E_INVAL: it is not in flight on this queue. */
int nvme_cancel(struct nvme_queue *queue, struct nvme_request *request);
/* nvme_cancel() for every request of this owner (not NULL). Returns how many of them have not ended
 * yet; call nvme_poll() and this again until it returns 0: then the core holds nothing of theirs.
 * While a poll is calling done() it may have some of them in its hands, and this counts one more:
 * from inside done() it never returns 0. nvme_step() is what notices a controller that does not
 * answer. */
unsigned nvme_cancel_owner(struct nvme_queue *queue, const void *owner);
#endif
/* Commands in flight on the queue. */
unsigned nvme_in_flight(const struct nvme_queue *queue);

#endif
