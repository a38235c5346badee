/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every policy in which published drivers differ, as data: each field with unit, limit and what
 * zero means. Filled by whoever creates a controller; copied by nvme_init(). Section numbers are of
 * NVM Express Base Specification 1.4.
 */
#ifndef NVME_CONFIG_H
#define NVME_CONFIG_H

#include <nvme/platform.h>

/* ---- parts ----
 *
 * What a port may leave out to save code: macros for the compiler's command line, each by itself or
 * with others, the same for the core and for whoever includes these headers. nvme_config_check()
 * then refuses a configuration that asks for what is missing and names the field,
 * nvme_config_defaults() does not ask for it, and functions of the part are not declared.
 *
 * NVME_NO_RECOVERY: no time-outs of I/O commands, Abort, resets by the core itself, retries:
 * io_timeout_ms and retries are 0, recovery is NONE; no nvme_cancel(), nvme_cancel_owner().
 * Failures are still noticed, and the owner's nvme_reset() ends what is in flight.
 *
 * NVME_NO_SHADOW: no shadow doorbells: shadow_doorbells is false.
 *
 * NVME_NO_SGL: no scatter gather lists: sgl is NEVER.
 *
 * NVME_NO_FEATURES: no interrupt coalescing (coalescing is OFF), no host memory buffer
 * (host_memory_bytes is 0), host_behavior and weighted are false.
 *
 * NVME_NO_EVENTS: no asynchronous events: aer_count is 0; no nvme_set_event_handler().
 */

enum nvme_ring_policy {
    NVME_RING_PER_COMMAND, /* nvme_submit() rings the SQ tail doorbell itself */
    NVME_RING_PER_BATCH,   /* nvme_ring() rings once for all entries since the last ring */
    NVME_RING_LAST,   /* nvme_submit() rings unless the request has NVME_REQ_MORE; with the last
                       * free slot it always does, and when it refuses a request it rings what
                       * came before. So does nvme_ring() */
    NVME_RING_AT_POLL /* the next look at the completion queue rings first: nvme_poll(),
                       * nvme_poll_quiet(). nvme_ring() does, too. Not with interrupts: nobody
                       * might ever look */
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
/* Scatter gather lists (4.4), where the controller has them for I/O commands (SGLS, 5.15.2.2). PRPs
 * are taken where they are not allowed or not worthwhile. */
enum nvme_sgl_policy {
    NVME_SGL_NEVER,
    NVME_SGL_WHERE_NEEDED, /* where PRPs cannot describe the data, and bouncing would be the way out
                            */
    NVME_SGL_BY_SIZE,      /* and where its pieces are sgl_min_bytes long on average, or longer */
};
/* A command that has not ended after io_timeout_ms. First nvme_step() always looks at the
 * completion queue again (an interrupt may have been lost). */
enum nvme_late_policy {
    NVME_LATE_ABORT,  /* Abort (5.1); if that does not end it, as NVME_LATE_RESET */
    NVME_LATE_RESET,  /* the controller has failed: as `recovery` says */
    NVME_LATE_GIVE_UP /* Abort; then the request ends with NVME_E_TIMEOUT if the controller cannot
                       * touch the caller's memory any more (bounced data or none), and its command
                       * identifier stays out of use until the late entry comes or a reset; if it
                       * still can, as NVME_LATE_RESET */
};
/* When the controller has failed: fatal status, impossible entries, a time-out. */
enum nvme_recovery_policy {
    NVME_RECOVERY_NONE, /* state FAILED; the caller resets or stops */
    NVME_RECOVERY_RESET /* the core resets it, reset_limit times in a row at most */
};
/* Requests that were in flight when the controller was reset by the core itself. */
enum nvme_after_reset_policy {
    NVME_AFTER_RESET_FAIL,   /* end with NVME_E_STATE (NVME_E_TIMEOUT for the late one) */
    NVME_AFTER_RESET_REISSUE /* are sent again, whole and in their order, before those that wait;
                              * raw, cancelled and failed ones end; a late one that stays late ends
                              * with NVME_E_TIMEOUT after reset_limit tries */
};
/* Interrupt coalescing (5.21.1.8). */
enum nvme_coalescing_policy {
    NVME_COALESCING_OFF,   /* the feature is not touched */
    NVME_COALESCING_FIXED, /* coalescing_entries, coalescing_time_100us; without interrupts nothing
                            */
    NVME_COALESCING_ADAPTIVE /* nvme_step() switches between off and those two values by load,
                              * looking every 10 ms at most; a load that becomes shallow pays the
                              * time until the second look after that */
};
enum nvme_completion_policy { NVME_COMPLETION_POLL, NVME_COMPLETION_INTERRUPT };
enum nvme_dma_list_policy {
    NVME_DMA_LIST_POOL, /* preallocated per slot */
    NVME_DMA_LIST_FRESH /* NVME_MAP_FRESH_LIST at every direct I/O */
};

/* Which requests are copied through a bounce buffer. In this order: no bounce buffers (bounce_bytes
 * = 0) or longer than bounce_bytes: direct. Shorter than direct_min_bytes: bounce. Buffer address
 * (of any piece) not a multiple of direct_align_bytes: bounce. Otherwise direct. What cannot be
 * direct is bounced whatever the rules say, in several commands if it does not fit, and refused if
 * there are no bounce buffers: addresses that are not dword aligned (4.3), unless the controller
 * takes SGLs with them, and memory that the device cannot reach (nvme_platform.dma_mask).
 * Registered buffers (NVME_REQ_REGISTERED) are always direct. */
struct nvme_transfer_policy {
    uint32_t direct_min_bytes;   /* 0 = no lower limit */
    uint32_t direct_align_bytes; /* power of two; 1 = any */
};

struct nvme_config {
    /* queues */
    uint16_t admin_depth; /* entries, 2..4096 (section 3.1.8); used for SQ and CQ. One stays empty
                           * and one is the core's own; of the rest, asynchronous events take what
                           * they want (aer_count) and nvme_admin_submit() what is left, so that
                           * nothing is left at aer_count + 2: then it cannot be used */
    uint16_t io_queues;   /* queue pairs wanted, 1..64 */
    uint16_t io_depth;    /* entries wanted, 2..65535; lowered to CAP.MQES + 1 */
    uint16_t slots;       /* commands in flight per queue, 1..io_depth-1; lowered with the depth */
    uint16_t cid_base;    /* command identifier of slot 0; 0..1023; 0 with cid_generation */
    enum nvme_cid_policy cid;
    bool negotiate_queues; /* Set Features, Number of Queues, and respect the grant (5.21.1.7) */
    bool cid_generation; /* the unused high bits of a command identifier count the uses of its slot:
                          * an entry of an earlier use is known as such */
    uint8_t sq_priority; /* QPRIO of Create I/O SQ, 0 urgent .. 3 low (5.4); nvme_set_priority()
                          * for single queues */
    bool weighted;       /* choose weighted round robin with urgent class where CAP.AMS has it */
    uint8_t burst_log2;  /* with weighted: commands of a queue's turn, 0..7; 7 = no limit (4.13) */
    uint8_t weights[3];  /* with weighted: high, medium, low; 0-based (5.21.1.1) */
    enum nvme_full_policy full;
    /* data path */
    uint32_t bounce_bytes; /* bounce buffer per slot, multiple of the page size; 0 = none */
    struct nvme_transfer_policy read, write;
    enum nvme_copy_routine copy;
    enum nvme_dma_list_policy dma_list;
    uint16_t list_pages; /* pages per slot for PRP lists and SGL segments, 1..64, chained when more
                          * than one is needed */
    uint32_t transfer_cap;     /* longest command, bytes; 0 = what MDTS and list_pages allow */
    uint32_t transfer_no_mdts; /* longest command when the controller states no limit (MDTS = 0); 0
                                * = as transfer_cap */
    enum nvme_split_policy split;
    bool split_at_boundary; /* no command with data crosses the namespace's optimal boundary (NOIOB,
                             * 5.15.2.1) */
    enum nvme_sgl_policy sgl;
    uint32_t sgl_min_bytes; /* of NVME_SGL_BY_SIZE */
    /* doorbells and completion */
    enum nvme_ring_policy ring;
    enum nvme_cq_ring_policy cq_ring;
    enum nvme_completion_policy completion;
    enum nvme_irq_mode irq; /* used when completion = interrupt */
    bool shadow_doorbells;  /* Doorbell Buffer Config (5.7) where the controller has it */
    uint16_t drain_most;    /* entries consumed by one poll at most; 0 = all. An interrupt takes
                             * such portions of its vector's queues in turn until nothing is left:
                             * after each the CQ doorbell is rung and done() called */
    enum nvme_coalescing_policy coalescing;
    uint8_t coalescing_entries;    /* THR, 0-based: one more make an interrupt; 0 = no coalescing */
    uint8_t coalescing_time_100us; /* TIME; 0 = no coalescing */
    bool poll_unmasks; /* write INTMC = 1 at the end of every nvme_poll(), found or not */
    /* admin */
    uint8_t aer_count;          /* Asynchronous Event Requests held, 0..16, at most AERL + 1 */
    uint8_t admin_requests;     /* nvme_admin_submit(): in flight at a time, 1..16; fewer where
                                 * admin_depth leaves no more. A page of memory each */
    uint32_t host_memory_bytes; /* host memory buffer lent to the controller at most (HMPRE, 8.9);
                                 * 0 = none */
    bool host_behavior; /* Host Behavior Support (5.21.1.22): command retry delays are wanted */
    bool flush_always;  /* send Flush even if the controller has no volatile write cache */
    bool delete_queues; /* delete I/O queues at shutdown (5.5, 5.6) */
    /* when things go wrong */
    uint8_t retries; /* of a request whose status does not say Do Not Retry (4.6.1); the delay
                      * is what CRD says, if anything */
    uint32_t io_timeout_ms; /* 0 = none, or 4..3600000; noticed by nvme_step() after this time and
                             * before a quarter more */
    enum nvme_late_policy late;
    uint32_t abort_timeout_ms; /* from the Abort command to the next resort; 1..600000 */
    enum nvme_recovery_policy recovery;
    uint8_t reset_limit; /* resets without a completed command in between, 1..255; the failure after
                          * them is FAILED, after one more disable, and everything ends */
    enum nvme_after_reset_policy after_reset;
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

#endif
