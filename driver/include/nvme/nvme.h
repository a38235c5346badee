/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's interface: bring a controller up, submit block requests, reap completions, shut
 * down. Called by an operating system's block layer (or by sim/host, or by a bare-metal program).
 * The core never allocates memory after bring-up, never blocks and never sleeps: bring-up, reset
 * and shutdown are one state machine that the caller steps; nvme_start_blocking() and friends sit
 * on top.
 *
 * Calling context: unless a function says otherwise, calls for one queue must not overlap in time;
 * where an interrupt handler or another CPU may call too, the platform gives lock and unlock.
 * Section numbers are of NVM Express Base Specification 1.4.
 */
#ifndef NVME_NVME_H
#define NVME_NVME_H

#include <nvme/platform.h>

/* What a call can return. The raw NVMe status of a command travels beside it, in the request. */
enum nvme_error {
    NVME_OK = 0,
    NVME_E_INVAL = -1,     /* an argument breaks a rule stated at the function */
    NVME_E_NO_MEMORY = -2, /* the platform or the arena has none left */
    NVME_E_BUSY = -3,      /* no free slot (full = reject), or the wrong state for this call */
    NVME_E_STATE = -4,     /* the controller is not ready, or was stopped under the request */
    NVME_E_STATUS = -5,    /* the controller answered with an error: see request.status */
    NVME_E_TIMEOUT = -6,   /* a deadline passed */
    NVME_E_GONE = -7,      /* registers read as all ones, or CSTS.CFS is set */
    NVME_E_DEVICE = -8, /* the device broke the protocol (unknown CID, SQ head out of range, ...) */
    NVME_E_UNSUPPORTED = -9, /* the controller or this configuration cannot do it */
    NVME_E_RANGE = -10       /* LBA range outside the namespace */
};

/* One line of English for an error; never NULL. */
const char *nvme_error_text(int error);
/* Text of a raw status (section 4.6.1); never NULL ("unknown status" for codes not in the
 * standard). */
const char *nvme_status_text(uint16_t status);

/* ---- configuration: every policy in which published drivers differ --------------------------- */

enum nvme_ring_policy {
    NVME_RING_PER_COMMAND, /* nvme_submit() rings the SQ tail doorbell itself */
    NVME_RING_PER_BATCH    /* nvme_ring() rings once for all entries since the last ring */
};
enum nvme_cq_ring_policy {
    NVME_CQ_RING_PER_ENTRY, /* CQ head doorbell after every entry consumed */
    NVME_CQ_RING_PER_DRAIN  /* once per nvme_poll() that consumed anything */
};
enum nvme_cid_policy {
    NVME_CID_LOWEST, /* lowest free slot, linear scan */
    NVME_CID_LIFO    /* most recently freed slot first */
};
enum nvme_split_policy {
    NVME_SPLIT_SERIAL,  /* one piece of a split request at a time, each rung at once */
    NVME_SPLIT_PARALLEL /* as many pieces in flight as there are slots */
};
enum nvme_full_policy {
    NVME_FULL_REJECT, /* nvme_submit() returns NVME_E_BUSY */
    NVME_FULL_QUEUE   /* the request waits inside the core, first come first served */
};
enum nvme_completion_policy { NVME_COMPLETION_POLL, NVME_COMPLETION_INTERRUPT };
enum nvme_dma_list_policy {
    NVME_DMA_LIST_POOL, /* preallocated per slot */
    NVME_DMA_LIST_FRESH /* NVME_MAP_FRESH_LIST at every direct I/O */
};

/* Which requests are copied through a bounce buffer. In this order: no bounce buffers (bounce_bytes
 * = 0) or longer than bounce_bytes: direct. Shorter than direct_min_bytes: bounce. Buffer address
 * not a multiple of direct_align_bytes: bounce. Otherwise direct. A request whose address is not
 * dword aligned (section 4.3) is bounced whatever the rules say, or refused with NVME_E_INVAL if it
 * does not fit. Registered buffers (NVME_REQ_REGISTERED) are always direct. */
struct nvme_transfer_policy {
    uint32_t direct_min_bytes;   /* 0 = no lower limit */
    uint32_t direct_align_bytes; /* power of two; 1 = any */
};

struct nvme_config {
    /* queues */
    uint16_t admin_depth; /* entries, 2..4096 (section 3.1.8); used for SQ and CQ */
    uint16_t io_queues;   /* queue pairs wanted, 1..64 */
    uint16_t io_depth;    /* entries wanted, 2..65535; lowered to CAP.MQES + 1 */
    uint16_t slots;       /* commands in flight per queue, 1..io_depth-1; lowered with the depth */
    uint16_t cid_base;    /* command identifier of slot 0; 0..1023 */
    enum nvme_cid_policy cid;
    bool negotiate_queues; /* Set Features, Number of Queues, and respect the grant (5.21.1.7) */
    uint8_t sq_priority;   /* QPRIO of Create I/O SQ, 0 urgent .. 3 low (5.4) */
    enum nvme_full_policy full;
    /* data path */
    uint32_t bounce_bytes; /* bounce buffer per slot, multiple of the page size; 0 = none */
    struct nvme_transfer_policy read, write;
    enum nvme_copy_routine copy;
    enum nvme_dma_list_policy dma_list;
    uint16_t list_pages; /* PRP list pages per slot, 1..64, chained when more than one is needed */
    uint32_t transfer_cap;     /* longest command, bytes; 0 = what MDTS and list_pages allow */
    uint32_t transfer_no_mdts; /* longest command when the controller states no limit (MDTS = 0); 0
                                * = as transfer_cap */
    enum nvme_split_policy split;
    /* doorbells and completion */
    enum nvme_ring_policy ring;
    enum nvme_cq_ring_policy cq_ring;
    enum nvme_completion_policy completion;
    enum nvme_irq_mode irq; /* used when completion = interrupt */
    bool poll_unmasks;      /* write INTMC = 1 at the end of every nvme_poll(), found or not */
    /* admin */
    uint8_t aer_count;  /* Asynchronous Event Requests held, 0..16, at most AERL + 1 */
    bool flush_always;  /* send Flush even if the controller has no volatile write cache */
    bool delete_queues; /* delete I/O queues at shutdown (5.5, 5.6) */
    /* time */
    uint32_t admin_timeout_ms;    /* 1..600000 */
    uint32_t ready_min_ms;        /* floor under CAP.TO for CSTS.RDY waits; 0..600000 */
    uint32_t shutdown_timeout_ms; /* wait for CSTS.SHST; 1..600000. A controller that asks for more
                                   * (RTD3E, 5.15.2.2) gets it, up to a minute */
};

/* Sensible values for a machine with coherent memory; every field valid. */
void nvme_config_defaults(struct nvme_config *config);
/* NVME_OK, or NVME_E_INVAL with *field naming the first field that is out of its range. */
int nvme_config_check(const struct nvme_config *config, const char **field);

/* ---- the controller -------------------------------------------------------------------------- */

struct nvme;       /* one controller; lives in the caller's memory */
struct nvme_queue; /* one I/O queue pair */

enum nvme_state {
    NVME_STATE_OFF,      /* before nvme_start, after a completed stop */
    NVME_STATE_STARTING, /* step it */
    NVME_STATE_READY,    /* I/O may be submitted */
    NVME_STATE_STOPPING, /* step it */
    NVME_STATE_FAILED    /* see nvme_failure(); nvme_reset() may bring it back */
};

struct nvme_namespace {
    uint32_t nsid;
    uint32_t block_bytes; /* LBA data size */
    uint64_t blocks;      /* NSZE */
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
 * (CSTS) and one look at the admin completion queue. */
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
const struct nvme_namespace *nvme_get_namespace(const struct nvme *nvme, unsigned index);
struct nvme_queue *nvme_get_queue(struct nvme *nvme, unsigned index); /* index 0..io_queues-1 */

/* ---- I/O ------------------------------------------------------------------------------------- */

enum nvme_op { NVME_OP_READ, NVME_OP_WRITE, NVME_OP_FLUSH, NVME_OP_WRITE_ZEROES };

/* Request flags. */
#define NVME_REQ_REGISTERED                                                                        \
    (1u << 0)                  /* `bus` holds the bus address of the whole, device-contiguous,     \
                                * permanently mapped buffer: no map, no sync, no bounce, no        \
                                * translation. Where memory is not coherent the caller maintains   \
                                * its cache: clean before a write is submitted, clean or drop      \
                                * before a read is, drop after a read's done() */
#define NVME_REQ_FUA (1u << 1) /* Force Unit Access (NVM Command Set, Read and Write) */

/* One block request; the caller's memory, the core's from submit until done() is called. */
struct nvme_request {
    /* filled by the caller */
    enum nvme_op op;
    uint32_t flags;
    uint32_t nsid;
    uint32_t blocks; /* >= 1 for read, write, write zeroes; ignored for flush */
    uint64_t lba;
    void *buffer; /* blocks * block_bytes bytes; NULL allowed when REGISTERED */
    uint64_t bus;
    void (*done)(
        struct nvme_request *request); /* called by nvme_poll(), or by whatever ends the request */
    void *user;
    /* filled by the core before done() */
    int error; /* NVME_OK or an nvme_error */
    uint16_t
        status; /* raw status of the first command that failed, phase tag stripped; 0 = success */
    uint16_t pieces_in_flight; /* the core's own; here so that one store ends a plain request */
    uint32_t result;           /* dword 0 of the last completion entry */
    /* the core's own while in flight */
    struct nvme_request *next;
    uint64_t next_lba;
    uint32_t blocks_left;
    bool was_split; /* more than one command was or will be needed */
};

/* Build the command(s) of a request in the ring. Rings the doorbell only if the policy says so.
 * NVME_OK: done() will be called exactly once, later, from nvme_poll() (never from here). Otherwise
 * an error, and done() will not be called: INVAL, RANGE, BUSY, STATE, NO_MEMORY, UNSUPPORTED. */
int nvme_submit(struct nvme_queue *queue, struct nvme_request *request);
/* Ring the SQ tail doorbell if anything was submitted since; does nothing otherwise. */
void nvme_ring(struct nvme_queue *queue);
/* Reap up to max completions (0 = all there are), ring the CQ head doorbell, call done() for every
 * request that ended. Returns the number of completion entries consumed. */
unsigned nvme_poll(struct nvme_queue *queue, unsigned max);
/* nvme_poll() without any register write other than the CQ doorbell: for spinning. */
unsigned nvme_poll_quiet(struct nvme_queue *queue, unsigned max);
/* For the port's interrupt handler: admin completions for vector 0, and the I/O queues on this
 * vector. Returns entries consumed (0: not ours, spurious, or the queues are closed: with pin or
 * MSI the vector then stays masked until the next bring-up). */
unsigned nvme_interrupt(struct nvme *nvme, unsigned vector);
/* Commands in flight on the queue. */
unsigned nvme_in_flight(const struct nvme_queue *queue);

/* ---- statistics ------------------------------------------------------------------------------ */

struct nvme_queue_stats {
    uint64_t commands;    /* SQEs written */
    uint64_t completions; /* CQEs consumed */
    uint64_t sq_doorbells;
    uint64_t cq_doorbells;
    uint64_t unmask_writes;   /* INTMC writes of poll_unmasks */
    uint64_t polls;           /* calls of nvme_poll and nvme_poll_quiet */
    uint64_t empty_polls;     /* of these, found nothing */
    uint64_t bounced, direct; /* commands with data, by path */
    uint64_t bytes_bounced;   /* bytes copied */
    uint64_t bytes_read, bytes_written;
    uint64_t prp_lists;       /* commands that needed a PRP list */
    uint64_t prp_list_pages;  /* list pages filled */
    uint64_t splits;          /* requests that needed more than one command */
    uint64_t busy_rejects;    /* submits refused for want of a slot */
    uint64_t waits;           /* requests queued inside the core */
    uint64_t status_errors;   /* completions with an error status */
    uint64_t protocol_errors; /* completion entries that could not be true; none ends a request */
    uint64_t in_flight_peak;
};
void nvme_get_queue_stats(const struct nvme_queue *queue, struct nvme_queue_stats *stats);

/* Admin and register traffic outside the I/O path. */
struct nvme_admin_stats {
    uint64_t commands, completions, doorbells, protocol_errors, async_events;
};
void nvme_get_admin_stats(const struct nvme *nvme, struct nvme_admin_stats *stats);

#endif
