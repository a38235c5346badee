/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The core's own state, shared by the files of driver/src and by nobody else. A controller is one
 * arena (config.c lays it out): struct nvme, then for each queue its slots. Nothing here is
 * allocated later, and nothing is global.
 *
 * Who writes what: a queue's members are written under that queue's lock; struct nvme's members by
 * nvme_start/stop/reset/step, which one context calls; struct nvme_admin under the lock of queue 0.
 */
#ifndef NVME_SRC_INTERNAL_H
#define NVME_SRC_INTERNAL_H

#include <nvme/bytes.h>
#include <nvme/nvme.h>
#include <nvme/spec.h>
#include <nvme/trace.h>

#include "byteorder.h"
#include "libc.h"

#if defined(__GNUC__)
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TEMPLATE    static inline __attribute__((always_inline)) /* one copy per set of constants */
#define NOINLINE    __attribute__((noinline)) /* keeps the registers it needs out of its caller */
#else
#define LIKELY(x)   (x)
#define UNLIKELY(x) (x)
#define TEMPLATE    static inline
#define NOINLINE
#endif

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

struct nvme_list { /* requests, linked through `next` */
    struct nvme_request *first;
    struct nvme_request **last;
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

/* ---- small helpers ---- */

static inline void queue_lock(const struct nvme *nvme, uint16_t qid)
{
    if (nvme->ops->lock)
        nvme->ops->lock(nvme->ctx, qid);
}

static inline void queue_unlock(const struct nvme *nvme, uint16_t qid)
{
    if (nvme->ops->unlock)
        nvme->ops->unlock(nvme->ctx, qid);
}

static inline void list_init(struct nvme_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static inline void list_append(struct nvme_list *list, struct nvme_request *request)
{
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}

static inline void list_prepend(struct nvme_list *list, struct nvme_request *request)
{
    request->next = list->first;
    if (!list->first)
        list->last = &request->next;
    list->first = request;
}

static inline struct nvme_request *list_take(struct nvme_list *list)
{
    struct nvme_request *request = list->first;

    if (request) {
        list->first = request->next;
        if (!list->first)
            list->last = &list->first;
    }
    return request;
}

static inline void list_join(struct nvme_list *list, struct nvme_list *tail)
{
    *list->last = tail->first;
    if (tail->first)
        list->last = tail->last;
    list_init(tail);
}

static inline bool nvme_coherent(const struct nvme *nvme)
{
    return (nvme->platform->flags & NVME_PLATFORM_COHERENT) != 0;
}

/* ---- config.c ---- */
uint32_t nvme_segments_max(const struct nvme_config *config); /* scratch entries of a mapping */

/* ---- controller.c ---- */
void nvme_enter(struct nvme *nvme, enum nvme_phase phase);
void nvme_end_everything(struct nvme *nvme, int error);

#if !defined(NVME_NO_RECOVERY)
/* ---- recover.c ---- */
bool nvme_recover(struct nvme *nvme, int error);           /* false: FAILED it is */
void nvme_recover_disabled(struct nvme *nvme);             /* RDY = 0 has been seen */
void nvme_recover_done(struct nvme *nvme);                 /* READY */
void nvme_recover_check_waiting(struct nvme_queue *queue); /* it opens */

/* ---- watch.c ---- */
void nvme_watch_start(struct nvme_queue *queue);
int nvme_watch(struct nvme *nvme);               /* NVME_OK, or why the controller has failed */
void nvme_watch_abort(struct nvme_queue *queue); /* send what is owed; under no lock */

/* ---- retry.c ---- */
bool nvme_retry(struct nvme_queue *queue, struct nvme_request *request);
void nvme_retry_due(struct nvme_queue *queue, uint64_t now_ns);
#endif

/* ---- bringup.c: one function per phase; each returns 1 when done, 0 to wait, or an nvme_error
 * ---- */
int nvme_admin_exchange(struct nvme *nvme, const struct nvme_command *command, uint64_t prp1);
int nvme_phase_identify(struct nvme *nvme);
int nvme_phase_active_list(struct nvme *nvme);
int nvme_phase_namespace(struct nvme *nvme);
int nvme_phase_queue_count(struct nvme *nvme);
int nvme_phase_create_cq(struct nvme *nvme);
int nvme_phase_create_sq(struct nvme *nvme);
int nvme_phase_delete_sq(struct nvme *nvme);
int nvme_phase_delete_cq(struct nvme *nvme);

/* ---- identify.c ---- */
int nvme_identify_controller(struct nvme *nvme, const uint8_t *id);
bool nvme_identify_namespace(struct nvme *nvme, struct nvme_ns *ns, uint32_t nsid,
                             const uint8_t *id);

#if !defined(NVME_NO_FEATURES)
/* ---- features.c ---- */
int nvme_phase_features(struct nvme *nvme);
int nvme_phase_take_back(struct nvme *nvme);
void nvme_host_memory_identify(struct nvme *nvme, const uint8_t *id); /* what it wants */
void nvme_host_memory_drop(struct nvme *nvme);
#endif

/* ---- registers.c ---- */
uint64_t nvme_read64(const struct nvme *nvme, uint32_t offset);
void nvme_write64(const struct nvme *nvme, uint32_t offset, uint64_t value);
int nvme_probe(struct nvme *nvme);
int nvme_enable(struct nvme *nvme);
uint64_t nvme_ready_timeout_ns(const struct nvme *nvme);
uint32_t nvme_read_csts(struct nvme *nvme);  /* notices a device that is gone */
bool nvme_weighted(const struct nvme *nvme); /* queues are served by priority class */
bool nvme_uses_masks(const struct nvme *nvme);

/* ---- memory.c ---- */
int nvme_dma_hold(struct nvme *nvme, struct nvme_dma *dma, size_t bytes, enum nvme_dma_use use);
void nvme_dma_drop(struct nvme *nvme, struct nvme_dma *dma);
void nvme_dma_sync(const struct nvme *nvme, const struct nvme_dma *dma, size_t bytes,
                   enum nvme_sync what);
void nvme_memory_ring(const struct nvme *nvme, struct nvme_ring *ring, const struct nvme_dma *dma,
                      uint16_t depth, uint16_t qid, bool is_cq);
int nvme_memory_admin(struct nvme *nvme);
int nvme_memory_queue(struct nvme *nvme, struct nvme_queue *queue);
void nvme_memory_release(struct nvme *nvme);

/* ---- admin.c ---- */
void nvme_admin_reset(struct nvme *nvme);
/* A command of the core's own: any opcode, while the admin queue lives (PHASE_IDENTIFY to
 * PHASE_DELETE_CQ, READY). request is the core's until it has ended. done may be NULL: then look at
 * error, which is NVME_ADMIN_PENDING until the end. Its data, if any, lies at prp1, in memory of
 * the core, at most to the end of that page; for more, set up a list. Deadlines count from the last
 * nvme_step(). NVME_OK, or NVME_E_BUSY: no slot, try at the next step. Under no lock. */
int nvme_admin_send_internal(struct nvme *nvme, struct nvme_admin_request *request, uint64_t prp1);
void nvme_admin_open(struct nvme *nvme, bool open);
unsigned nvme_admin_reap(struct nvme *nvme);
int nvme_admin_overdue(struct nvme *nvme);
void nvme_admin_abort(struct nvme *nvme);
void nvme_admin_put(struct nvme_admin *admin, struct nvme_admin_request *request, uint32_t index,
                    uint64_t prp1, uint64_t prp2);
void nvme_admin_ring(struct nvme *nvme, uint32_t first, uint32_t count);

#if !defined(NVME_NO_EVENTS)
/* ---- events.c ---- */
void nvme_event_take(struct nvme_admin *admin, uint32_t index, uint16_t status, uint32_t result);
void nvme_event_arm(struct nvme *nvme);
void nvme_event_look(struct nvme *nvme);
#endif

/* ---- cid.c ---- */
uint32_t nvme_slots_length(const struct nvme_config *config); /* of a queue's arrays */
void nvme_slots_init(struct nvme_queue *queue);
extern const struct nvme_slot_ops nvme_slots_lowest, nvme_slots_lifo;

/* ---- queue.c ---- */
void nvme_queue_init(struct nvme *nvme, struct nvme_queue *queue, uint16_t qid);
void nvme_queue_start(struct nvme_queue *queue); /* memory held: rings as after creation */
void nvme_queue_open(struct nvme_queue *queue);
void nvme_queue_close(struct nvme_queue *queue, uint32_t gate); /* GATE_RECOVERING or 0 */
void nvme_queue_gate(struct nvme_queue *queue, uint32_t gate);  /* all GATE_* as they are now */
void nvme_queue_use_namespace(struct nvme_queue *queue, const struct nvme_ns *ns);
void nvme_queue_abort(struct nvme_queue *queue, int error); /* end every request */
void nvme_call_done(struct nvme_request *first); /* the list's done(), with no lock held */

/* ---- doorbell.c ---- */
void nvme_doorbell_bind(struct nvme_queue *queue);
void nvme_doorbell_start(struct nvme_queue *queue);
uint64_t nvme_doorbell_count(const struct nvme_queue *queue);
void nvme_queue_ring(struct nvme_queue *queue); /* under the lock, queue open */

#if !defined(NVME_NO_FEATURES)
/* ---- coalescing.c ---- */
bool nvme_coalescing_begin(struct nvme *nvme, struct nvme_command *command); /* false: no command */
void nvme_coalescing_look(struct nvme *nvme);
#endif

#if !defined(NVME_NO_SHADOW)
/* ---- shadow.c ---- */
int nvme_phase_shadow(struct nvme *nvme);
#endif

/* ---- prp.c, sgl.c ---- */

/* Where lists of PRPs or SGL descriptors go, and the data pointer that came of it. */
struct nvme_dptr {
    uint64_t *list; /* CPU address of contiguous list pages */
    uint64_t list_bus;
    uint32_t list_pages; /* room */
    uint32_t page_shift;
    uint64_t prp1, prp2; /* out, CPU order; or SGL1 */
    uint32_t entries;    /* out: data entries in the list; SGL: descriptors, those that lead on
                          * included. Without gaps */
    uint32_t used_pages; /* out: list pages filled with PRPs */
    uint32_t fits;       /* out of PRPs, also when refused: bytes of the first segments that go
                          * together */
};
/* NVME_OK, or NVME_E_INVAL: segments that cannot be PRP entries, or more than the list holds. */
int nvme_prps_build(struct nvme_dptr *prps, const struct nvme_segment *segments, unsigned count);
#if !defined(NVME_NO_SGL)
/* NVME_OK, or NVME_E_INVAL: nothing, more than the list holds, or one of mask's bits in an address
 * or a length. */
int nvme_sgl_build(struct nvme_dptr *sgl, const struct nvme_segment *segments, unsigned count,
                   uint32_t mask);
#endif

/* ---- data.c ---- */
/* `offset` bytes into a caller's buffer; NULL, where the buffer is registered, may have one too. */
static inline void *nvme_data_at(void *buffer, size_t offset)
{
    return (void *)((uintptr_t)buffer + offset);
}

bool nvme_data_bounces(const struct nvme_config *config, enum nvme_dir dir, uintptr_t address,
                       uint32_t bytes, uint32_t dword_mask);
/* PRPs of these segments, with a slot's own list pages. NVME_OK or NVME_E_INVAL. */
int nvme_data_describe(struct nvme_queue *queue, const struct nvme_dma *list,
                       const struct nvme_segment *segments, unsigned count, struct nvme_dptr *dptr);
/* Make what data says reachable for the device, and describe it in sqe; sets data's flags. bytes
 * may become less, a multiple of unit (a power of two; 0: it may not). */
int nvme_data_prepare(struct nvme_queue *queue, struct nvme_slot_data *data, bool registered,
                      uint32_t unit, struct nvme_sqe *sqe);
/* Where the data ends: what comes next in the request's vector. */
void nvme_data_advance(const struct nvme_slot_data *data, struct nvme_request *request);
/* The command has ended. deliver: copy bounced data to the caller. */
void nvme_data_finish(struct nvme_queue *queue, struct nvme_slot_data *data, bool deliver);

/* ---- command.c ---- */
/* Whether a request is one that can be tried: NVME_OK, INVAL, RANGE or UNSUPPORTED. */
int nvme_command_check(struct nvme_queue *queue, const struct nvme_request *request);
/* What blocks_left begins with. */
uint32_t nvme_command_units(const struct nvme_request *request);
/* Issue the next command of a request that nvme_io_begin() has begun. BUSY: no slot. */
int nvme_command_issue(struct nvme_queue *queue, struct nvme_request *request);

/* ---- io.c ---- */
/* From a checked request's caller's fields alone: set the core's own and issue its first commands,
 * or have it wait. Under the lock, queue open. On an error nothing is in flight. */
int nvme_io_begin(struct nvme_queue *queue, struct nvme_request *request);
/* One command of a split or prepared request has ended. */
void nvme_io_piece_done(struct nvme_queue *queue, struct nvme_slot *slot, int error,
                        uint16_t status, uint32_t result);
void nvme_io_resume(struct nvme_queue *queue);
/* The request of the slot's command, NULL if there is none; a short-path command becomes one of the
 * general path, as which it can be watched, aborted and sent again. */
struct nvme_request *nvme_io_owner(struct nvme_queue *queue, struct nvme_slot *slot);
void nvme_io_fail(struct nvme_request *request, int error, uint16_t status); /* unless it has */
void nvme_io_again(struct nvme_queue *queue, struct nvme_request *request);  /* whole */

/* ---- reap.c ---- */
void nvme_reap_bind(struct nvme_queue *queue);
void nvme_reap_settle(struct nvme_queue *queue, uint64_t now_ns); /* all but the entries */

/* ---- hot helpers ---- */

/* The i-th of slot_count. */
static inline uint32_t slot_position(const struct nvme_queue *queue, uint32_t i)
{
    return (i + queue->cid_base) & queue->slot_mask;
}

/* A short-path command is in flight: slot->request is valid. */
static inline bool slot_armed(const struct nvme_queue *queue, const struct nvme_slot *slot)
{
    return ((slot->expect >> NVME_SQE_CID_SHIFT ^ (uint32_t)(slot - queue->slots)) &
            queue->slot_mask) == 0;
}

/* The stack of NVME_CID_LIFO. */
static inline struct nvme_slot *slot_pop(struct nvme_queue *queue)
{
    struct nvme_slot *slot = queue->free;

    if (LIKELY(slot != NULL))
        queue->free = slot->next_free;
    return slot;
}

static inline void slot_push(struct nvme_queue *queue, struct nvme_slot *slot)
{
    slot->next_free = queue->free;
    queue->free = slot;
}

/* The next SQE of the ring belongs to this slot; the caller fills it in place. Then the caller
 * looks whether turn() is due. */
static inline struct nvme_sqe *sqe_take(struct nvme_queue *queue, struct nvme_slot *slot)
{
    struct nvme_sqe *sqe = queue->sq_next;

    queue->sq_next = sqe + 1;
    slot->sequence = (uint32_t)queue->sequence;
    queue->sequence++;
    return sqe;
}

/* End of the ring, or a doorbell per command? One comparison in the common case for both. */
static inline bool sqe_turn_due(const struct nvme_queue *queue)
{
    return queue->sq_next == queue->sq_stop;
}

/* What the short path stores. The other words of an SQE are zero: nvme_queue_start() left them so,
 * and a command that uses them holds GATE_WORDS until the ring has gone round (command.c). */
static inline void sqe_fill(struct nvme_sqe *sqe, uint64_t command_nsid, uint64_t prp1,
                            uint64_t prp2, uint64_t lba, uint64_t cdw12)
{
    sqe->command_nsid = le64(command_nsid);
    sqe->prp1 = le64(prp1);
    sqe->prp2 = le64(prp2);
    sqe->cdw10_11 = le64(lba);
    sqe->cdw12_13 = le64(cdw12);
}

/* To be noted before the number falls. */
static inline void note_peak(struct nvme_queue *queue)
{
    uint64_t busy = queue->sequence - queue->ended;

    if (UNLIKELY(busy > queue->stats.in_flight_peak))
        queue->stats.in_flight_peak = busy;
}

#include "parts.h"

#endif
