/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The core's own state, shared by the files of driver/src and by nobody else. A controller is one
 * arena (config.c lays it out): struct nvme, then for each queue its slots. Nothing here is
 * allocated later, and nothing is global.
 *
 * Who writes what: a queue's members are written under that queue's lock; struct nvme's members by
 * nvme_start/stop/reset/step, which one context calls; struct nvme_admin under the lock of queue 0.
 */
#ifndef NVME_SRC_STATE_H
#define NVME_SRC_STATE_H

#include <nvme/nvme.h>
#include <nvme/spec.h>

#include "list.h"

#define NVME_NAMESPACES_MAX 128u /* further active namespaces are not offered */
#define NVME_QUEUES_MAX     64u
#define NVME_AER_MAX        16u
#define NVME_NS_PER_MS      1000000u

/* A namespace with what every request needs of it. */
struct nvme_ns {
    struct nvme_namespace public;
    uint32_t max_blocks;   /* longest command with data, blocks; 1..65536 */
    uint32_t zero_flags;   /* CDW12 of Write Zeroes that may deallocate (6.17) */
    uint32_t short_blocks; /* short path: up to one page; 0 if the namespace is smaller than that */
    uint64_t short_lba;    /* short path: largest start at which that many blocks still fit */
    uint8_t shift;         /* log2 of block_bytes */
};

/* What has to be undone when a slot's command ends. */
#define SLOT_BOUNCED (1u << 0) /* data went through the slot's bounce buffer */
#define SLOT_MAPPED  (1u << 1) /* the buffer was mapped: unmap */
/* What has gone wrong with it (watch.c, cancel.c). Such a command is always of the general path. */
#define SLOT_ABORT_OWED (1u << 2) /* an Abort is to be sent */
#define SLOT_ABORT_SENT                                                                            \
    (1u << 3)                  /* the controller has an Abort for this identifier: not used again */
#define SLOT_ABORTED (1u << 4) /* an Abort was sent; abort_deadline_ns counts */
#define SLOT_REFUSED (1u << 5) /* and did not abort */
#define SLOT_LATE    (1u << 6)
#define SLOT_GAVE_UP (1u << 7) /* the request has ended, the command has not: quarantine */

/* One command in flight. The low bits of a command identifier are the slot's position in the
 * queue's array, whose length is a power of two; with config.cid_generation the bits above them
 * count the slot's uses. 32 bytes on 64-bit machines. */
struct nvme_slot {
    struct nvme_request *request; /* of a short-path command, while `expect` is armed */
    struct nvme_slot *next_free;  /* NVME_CID_LIFO, while free */
    uint32_t sequence;            /* which SQE of the queue's life it was */
    uint32_t expect;              /* the identifier of this use, or of the last one, in its place in
                                   * CDW0: armed, which means that a short-path command is in
                                   * flight; else CID_ONE less, whose low bits are another slot's, so
                                   * that no entry that leads to this slot can be equal to it */
    uint32_t trouble;             /* SLOT_ABORT_OWED and on; 0 while free and as a rule */
    uint32_t unused;
};
#define CID_ONE (1u << NVME_SQE_CID_SHIFT)

/* The part of a slot that short-path commands do not touch. */
struct nvme_slot_data {
    struct nvme_request *request; /* of a general-path command in flight; else NULL */
    struct nvme_dma bounce;       /* bounce_bytes; not held when the policy has none */
    struct nvme_dma list;         /* list_pages pages: PRPs, SGL segments or ranges */
    /* The command's data: `bytes` from `offset` bytes into the first of vector[] on. */
    const struct nvme_vector *vector;
    struct nvme_vector whole; /* a buffer in one piece, as a vector */
    uint32_t offset, bytes;
    enum nvme_dir dir;
    uint64_t abort_deadline_ns;
    uint32_t flags; /* SLOT_BOUNCED, SLOT_MAPPED */
};

/* Reasons why a submit must take the general path. Changed by nvme_queue_gate() only. */
#define GATE_CLOSED  (1u << 0) /* the controller is not READY */
#define GATE_LOCKED  (1u << 1) /* the platform has locks */
#define GATE_WAITING (1u << 2) /* requests wait for a slot: no overtaking */
#define GATE_LOWEST  (1u << 3) /* NVME_CID_LOWEST: slots come from a bitmap */
#define GATE_POLICY  (1u << 4) /* SGLs by size, optimal boundaries, or a limit of bus addresses */
#define GATE_WORDS                                                                                 \
    (1u << 5) /* an SQE with words that the short path does not store is in the ring */
#define GATE_RECOVERING                                                                            \
    (1u << 6) /* closed, but not for long: requests may wait, unchecked                            \
               */

/* What the short path of nvme_submit() asks of a request, in the order in which it asks: the
 * namespace of the last request and the queue's gates made into a few numbers, so that a plain
 * request meets one comparison per member and no pointer. `blocks` is 0, and nothing passes, while
 * a gate is closed or there is no namespace. Written by nvme_queue_gate() and
 * nvme_queue_use_namespace(). */
struct nvme_short {
    uint32_t nsid;
    uint32_t page_mask;  /* page_bytes - 1 */
    uint64_t blocks;     /* up to one page */
    uint64_t lba;        /* largest start at which that many blocks still fit */
    uint64_t command[2]; /* opcode and nsid as in DW0-1, CPU order; by read, write */
    uint64_t moved[2];   /* blocks read, written; not yet in queue->bytes */
    uint32_t shift;      /* log2 of the block's bytes */
};

/* How far the commands had come at a time. */
struct nvme_mark {
    uint64_t time_ns, sequence;
};
#define MARKS 5u

/* An Abort command (5.1) with the controller. */
#define NVME_ABORTS_MAX 4u
struct nvme_abort {
    struct nvme_admin_request request;
    struct nvme_queue *queue; /* NULL: free */
    struct nvme_slot *slot;
};

/* How slots are handed out, chosen once at init (cid.c). take: NULL if there is none. */
struct nvme_queue;
struct nvme_slot_ops {
    void (*reset)(struct nvme_queue *queue);
    struct nvme_slot *(*take)(struct nvme_queue *queue);
    void (*give)(struct nvme_queue *queue, struct nvme_slot *slot);
};

struct nvme_queue {
    /* -- submit -- */
    struct nvme_short plain;
    uint32_t cid_arm; /* cid_step + CID_ONE: what a short-path command adds to a slot's `expect` */
    struct nvme_slot *free;   /* NVME_CID_LIFO: most recently freed first */
    struct nvme_sqe *sq_next; /* where the next SQE goes */
    struct nvme_sqe *sq_stop; /* after the SQE before this one turn() is due: the ring's last one,
                               * or every one where each command rings */
    int (*turn)(struct nvme_queue *queue); /* doorbell.c; always NVME_OK */
    uint64_t sequence;                     /* SQEs written since init: the next one's number */
    uint64_t bytes[2];                     /* read, written; indexed by enum nvme_op */
    /* -- doorbell -- */
    uint32_t gate;          /* GATE_*; 0 = the short path may be tried */
    uint16_t rung_tail;     /* ring index of the first SQE that was not rung */
    uint32_t sq_doorbell;   /* register offset */
    uint64_t rung_sequence; /* SQEs below this number were rung */
    struct nvme_ring sq;
    /* The platform's operations that the hot path calls, one load nearer than in its table. */
    void *ctx;
    void (*publish)(void *ctx, const struct nvme_ring *sq, uint16_t first, uint16_t count);
    uint32_t (*cq_load)(void *ctx, const struct nvme_ring *cq, uint16_t slot);
    /* How its doorbells are rung: write32, or shadow.c's. */
    void (*bell)(void *ctx, uint32_t offset, uint32_t value);
    void *bell_ctx;
    /* -- reap -- */
    struct nvme_ring cq;
    struct nvme_slot *slots;
    uint32_t slot_mask;   /* length of slots[] and data[], less 1 */
    uint32_t cq_phase;    /* NVME_CQE_PHASE, if that is what a new entry has */
    uint64_t trusted_dw2; /* reap.c: DW2 with which an entry needs no closer look: the last one, if
                           * it says that every command has been fetched; else what 32 bits
                           * cannot hold */
    uint32_t sqhd_sqid;   /* DW2 of the last plausible entry, CPU order */
    uint32_t cq_head;     /* next entry to look at */
    uint32_t cq_doorbell; /* register offset */
    uint32_t reap_kind;   /* reap.c's REAP_* */
    uint32_t depth;       /* entries of either ring */
    uint32_t drain_limit; /* entries of one poll: config.drain_most, or all that can be in flight:
                           * even a liar cannot hold us */
    uint64_t head_sequence; /* SQEs below this number are known to be fetched */
    uint64_t ended;         /* commands that are no longer in flight, of `sequence` */
    /* Consumes entries; one of reap.c's, by policies and platform. */
    unsigned (*reap)(struct nvme_queue *queue, unsigned limit);
    struct nvme_list done;   /* ended in this poll; empty in between */
    struct nvme_list resume; /* splits that may go on after this poll; empty in between */
    /* -- the rest -- */
    struct nvme *nvme;
    const struct nvme_ns *ns; /* of the last request; never NULL */
    uint32_t slot_count;      /* in use, of slot_mask + 1 */
    uint32_t cid_base;  /* position of the first one, and its identifier without generations */
    uint32_t cid_step;  /* a generation, in its place in CDW0; 0 without */
    uint64_t dataless;  /* commands without data */
    uint32_t words_end; /* GATE_WORDS: the SQE with this number makes the ring clean again */
    const struct nvme_slot_ops *slot_ops;
    uint32_t *free_map, *free_map_top; /* NVME_CID_LOWEST: bit set = free; one bit per word */
    uint32_t free_map_words;
    struct nvme_slot_data *data;
    struct nvme_segment *segments; /* scratch for one mapping */
    uint32_t segments_max;
    struct nvme_list waiting;    /* for a slot: requests, and splits that are not all issued */
    struct nvme_list ended_list; /* done() owed by the next poll */
    struct nvme_list delayed;    /* ended with an error, to be tried again at not_before_ns */
    uint32_t delivering;         /* polls that are calling done() now */
    struct nvme_dma sq_dma, cq_dma;
    uint32_t impossible;           /* entries for commands in flight: a reset is due */
    struct nvme_mark marks[MARKS]; /* watch.c; newest first, a quarter of io_timeout apart */
    uint32_t scanned;              /* commands before this one have been looked at */
    bool watching;                 /* slots have SLOT_* of a late or cancelled command */
    uint64_t seen_completions, seen_interrupts; /* coalescing.c: at its last look */
    bool ring_last, ring_at_poll;               /* NVME_RING_LAST, NVME_RING_AT_POLL */
    bool more;                   /* NVME_RING_LAST: whoever submits rings, or will be back */
    bool cq_created, sq_created; /* as the controller knows it */
    uint16_t vector;
    uint8_t priority;              /* QPRIO (5.4) */
    struct nvme_queue_stats stats; /* those counters that are not derived */
};

#define NVME_ADMIN_USERS_MAX 16u                         /* config.admin_requests */
#define NVME_ADMIN_AER       (1u + NVME_ADMIN_USERS_MAX) /* first slot of the event requests */
#define NVME_ADMIN_SLOTS     (NVME_ADMIN_AER + NVME_AER_MAX)
#define NVME_ADMIN_PENDING                                                                         \
    1 /* nvme_admin_request.error while the command is with the controller                         \
       */

/* One admin command in flight (admin.c says whose). */
struct nvme_admin_slot {
    struct nvme_admin_request *request; /* NULL = free */
    uint32_t sequence;                  /* which command of the queue's life it is */
    uint16_t cid;
    uint8_t data; /* admin.c's DATA_* */
};

struct nvme_admin {
    struct nvme_ring sq, cq;
    struct nvme_dma sq_dma, cq_dma;
    struct nvme_dma control; /* page 0: Identify and log data; then a page per user's slot */
    uint32_t sq_tail, sq_head, cq_head, cq_phase;
    uint32_t sequence, head_sequence; /* commands put; of these, known to be fetched */
    uint32_t user_slots;              /* of config.admin_requests, what the queue has room for */
    bool open;                        /* READY: the owner may send */
    bool broken; /* an impossible SQ head: nothing from this queue can be trusted */
    struct nvme_admin_slot slots[NVME_ADMIN_SLOTS];
    struct nvme_segment *segments; /* scratch for one mapping */
    uint32_t segments_max;
    struct nvme_admin_request own; /* of bring-up and shutdown */
    struct nvme_admin_request log; /* of housekeeping */
    struct nvme_admin_request aer; /* stands for all event requests: same command, never late */
    bool log_sent;
    uint16_t aer_count;            /* held by the controller or owed to it */
    uint32_t aer_owed;             /* bit per request to send (again) */
    uint32_t log_owed;             /* bit per request whose event names a log page that is still to
                                    * be read: until then its type stays silent (5.2) */
    uint32_t events[NVME_AER_MAX]; /* that event: dword 0 of its entry (5.2.1) */
    uint32_t log_event;            /* whose page housekeeping reads */
    struct nvme_admin_stats stats;
};

#define NVME_HOST_MEMORY_PIECES 16u

/* The host memory buffer (features.c). */
struct nvme_host_memory {
    uint32_t preferred, least, least_piece; /* as the controller wants it (5.15.2.2), bytes */
    uint32_t pieces_max;                    /* 0 = no limit */
    uint32_t count, bytes;                  /* held */
    bool lent; /* the controller has had it: there is something in it */
    struct nvme_dma list, pieces[NVME_HOST_MEMORY_PIECES];
};

/* Interrupt coalescing (coalescing.c). */
struct nvme_coalescing {
    bool on;
    uint8_t good_looks; /* in a row, while off */
    uint64_t looked_ns;
    struct nvme_admin_request request;
};

/* The steps of the state machine (controller.c has the diagram). */
enum nvme_phase {
    PHASE_NONE,
    PHASE_PROBE,
    PHASE_SETTLE,
    PHASE_DISABLE,
    PHASE_ENABLE,
    PHASE_IDENTIFY,
    PHASE_ACTIVE_LIST,
    PHASE_NAMESPACE,
    PHASE_FEATURES,
    PHASE_QUEUE_COUNT,
    PHASE_CREATE_CQ,
    PHASE_CREATE_SQ,
    PHASE_SHADOW,
    PHASE_RUNNING,
    PHASE_DELETE_SQ,
    PHASE_DELETE_CQ,
    PHASE_TAKE_BACK,
    PHASE_SHUTDOWN
};

struct nvme {
    struct nvme_config config;
    const struct nvme_platform *platform;
    const struct nvme_platform_ops *ops;
    void *ctx;
    enum nvme_state state;
    enum nvme_phase phase;
    bool entered;         /* the phase's opening action has been done */
    bool stopping;        /* PHASE_DISABLE leads to OFF, not to bring-up */
    bool giving_up;       /* reset_limit is reached: PHASE_DISABLE leads to FAILED */
    uint8_t resets;       /* in a row */
    uint64_t completions; /* of all queues, when the last recovery began */
    bool vanished;        /* registers read as all ones: the device cannot write memory */
    bool irq_on;
    int failure;
    uint16_t failure_status;
    uint64_t deadline_ns;
    uint64_t now_ns;      /* of the last nvme_step() */
    uint64_t shutdown_ns; /* what the device asks for (RTD3E), within reason; 0: nothing */
    struct nvme_info info;
    uint32_t page_shift;
    uint32_t held_page_shift; /* what DMA memory is aligned to */
    uint32_t doorbell_stride; /* bytes between doorbells */
    uint32_t vectors;
    uint32_t atomic_normal, atomic_power_fail; /* of namespaces that state none; 0-based */
    struct nvme_host_memory host_memory;
    unsigned feature;       /* of PHASE_FEATURES */
    bool sgl, sgl_by_size;  /* SGLs are used: where needed, by size too */
    bool boundaries;        /* commands end at optimal boundaries of a namespace */
    uint32_t dword_mask;    /* bits of an address that are zero for the device: 3 (4.3); 0 where
                             * SGLs may lie at any byte */
    uint64_t unreachable;   /* bits of a bus address beyond platform->dma_mask */
    uint16_t queues_wanted; /* after the controller's grant */
    uint16_t queue_index;   /* of create and delete */
    uint32_t list_count, list_next; /* nsids[]: found, identified */
    uint32_t ns_count;
    struct nvme_ns ns[NVME_NAMESPACES_MAX + 1]; /* the last one is never valid: an empty hint */
    uint32_t nsids[NVME_NAMESPACES_MAX];        /* found active, to be identified */
    struct nvme_admin admin;
    struct nvme_coalescing coalescing;
    struct nvme_dma shadow; /* shadow doorbells, then EventIdx: a page each (shadow.c) */
    struct nvme_abort aborts[NVME_ABORTS_MAX];
    void (*event)(void *ctx, uint32_t result, const void *log, uint32_t bytes); /* may be NULL */
    void *event_ctx;
    struct nvme_queue *queues; /* config.io_queues of them */
};

#endif
