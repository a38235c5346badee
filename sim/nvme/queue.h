/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queues as rings in host memory, their doorbells, arbitration and fetch. Shadow doorbells are in
 * shadow.h.
 */
#ifndef NVME_QUEUE_H
#define NVME_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_NONE 0xffffu

struct ctrl;
struct command;

/* Memory of a queue: contiguous, or a table of pages (CAP.CQR = 0, PC = 0; 4.3, 5.3). */
struct ring {
    uint64_t base;
    uint64_t *pages; /* NULL: contiguous */
    uint32_t size;   /* entries */
    uint8_t entry_log2;
    bool local;   /* in the controller memory buffer (cmb.c keeps it) */
    bool at_once; /* over the link, and that says at once when (not local, not ctrl->paced) */
};

struct sq {
    struct ring ring;
    bool exists, deleting, queued;
    bool watched; /* cids, or a shadow doorbell: watch.c wants to know what was fetched */
    bool awaited; /* cids, a deletion or a shutdown: complete_awaited() when a command ends */
    uint16_t cqid;
    uint16_t tail; /* doorbell */
    uint16_t seen; /* part of it that arbitration has seen */
    uint16_t next; /* next entry to fetch */
    uint16_t head; /* entries before it have been read: SQHD */
    uint16_t ready_next;
    uint8_t line;            /* enum fetch_line: where it stands in arbitration */
    uint32_t burst_left;     /* of the turn that is running */
    uint32_t in_flight;      /* fetch started, CQE not visible */
    uint32_t fused_first;    /* first half that waits for its second; NO_COMMAND */
    uint32_t stalled;        /* of these, completions without room in the CQ */
    uint32_t undecoded;      /* of these, not decoded; counted with ctrl.fetch_depth only */
    uint32_t delete_command; /* waits for in_flight to become 0; NO_COMMAND */
    uint64_t last_fetch_ps;  /* fetches of one queue end in order */
    uint64_t *rung_ps;       /* per slot: when its doorbell arrived */
    uint64_t *cids;          /* bit per CID that is outstanding; NULL: not watched */
};

struct cq {
    struct ring ring;
    bool exists, interrupts, phase;
    uint16_t vector;
    uint16_t head;                        /* doorbell */
    uint16_t tail;                        /* next slot to reserve */
    uint16_t visible;                     /* entries before it are in host memory */
    uint32_t users;                       /* SQs that complete here */
    uint32_t waiting_first, waiting_last; /* completions without room */
    uint64_t last_visible_ps;
};

struct queues {
    struct sq *sqs; /* max_io_queues + 1; [0] is the admin queue */
    struct cq *cqs;
    uint16_t granted;  /* I/O queues of each kind that may exist */
    uint16_t alive;    /* I/O queues of both kinds that do */
    bool watch_decode; /* watch_decoded() wants to be called */
};

/* Where a submission queue waits for its turn. Round robin has one line for all (4.13.1); weighted
 * round robin has one per priority, the admin queue before all others (4.13.2). */
enum fetch_line {
    LINE_FIRST, /* round robin: every queue; weighted: the admin queue */
    LINE_URGENT,
    LINE_HIGH,
    LINE_MEDIUM,
    LINE_LOW,
    FETCH_LINES
};

/* SQs with something to fetch, linked by ready_next; QUEUE_NONE. */
struct line {
    uint16_t first, last;
};

struct fetcher {
    struct line lines[FETCH_LINES];
    uint32_t lines_busy; /* bit per line that is not empty */
    bool scheduled;
    bool weighted;                 /* CC.AMS */
    bool depth_limited;            /* ctrl.fetch_depth or fetch_depth_total */
    bool issues_counted;           /* that, or more than one engine: watch_issued() */
    uint32_t burst_max;            /* commands of one turn */
    uint32_t credits[FETCH_LINES]; /* weighted: commands left in the round that is running */
    uint32_t undecoded;            /* of all queues; counted if depth_limited */
    uint64_t doorbell_latency_ps;
    uint64_t free_ps;     /* when the first fetch engine can issue its next read */
    uint64_t *engines_ps; /* the same per engine */
    uint32_t engine;      /* that one */
    uint8_t *entries;     /* one burst of them */
};

/* The queue whose turn it is. */
struct turn {
    uint16_t sqid;
    uint16_t before; /* who stands in front of it in the line, QUEUE_NONE if nobody */
    uint32_t most;   /* commands that may be fetched, at least 1 */
};

enum ring_move { RING_SAME, RING_MOVED, RING_INVALID };

/* `size` is not a power of two in general; positions are always below it. */
static inline uint16_t ring_advance(uint16_t at, uint32_t by, uint32_t size)
{
    uint32_t sum = at + by;

    return (uint16_t)(sum >= size ? sum - size : sum);
}
static inline uint32_t ring_distance(uint16_t from, uint16_t to, uint32_t size)
{
    return to >= from ? (uint32_t)(to - from) : to + size - from;
}

/* queues.c */
uint64_t ring_address(const struct ctrl *ctrl, const struct ring *ring, uint16_t slot);
void sq_open(struct ctrl *ctrl, uint16_t sqid, uint16_t cqid, struct ring ring);
void sq_close(struct ctrl *ctrl, uint16_t sqid);
void cq_open(struct ctrl *ctrl, uint16_t cqid, uint16_t vector, bool interrupts, struct ring ring);
void cq_close(struct ctrl *ctrl, uint16_t cqid);
void queues_close_all(struct ctrl *ctrl);
void queues_doorbell(struct ctrl *ctrl, uint64_t offset, uint32_t value);
/* A doorbell's new value, from the register or the shadow buffer, for a queue that exists. Invalid
 * ones change nothing; the event is the caller's. */
enum ring_move sq_move_tail(struct ctrl *ctrl, uint16_t sqid, uint32_t value);
enum ring_move cq_move_head(struct ctrl *ctrl, uint16_t cqid, uint32_t value);
bool queues_take_heads(const struct ctrl *ctrl); /* entries may be consumed: also while shut down */

/* fetch.c */
void fetch_init(struct ctrl *ctrl);
void fetch_free(struct ctrl *ctrl);
void fetch_reset(struct ctrl *ctrl);
void fetch_doorbell_seen(struct ctrl *ctrl, uint16_t sqid);
void fetch_run(struct ctrl *ctrl);

/* arbitration.c */
void arbitration_enable(struct ctrl *ctrl); /* CC.EN = 1: CC.AMS counts from now on */
void arbitration_join(struct ctrl *ctrl, uint16_t sqid);
void arbitration_leave(struct ctrl *ctrl, uint16_t sqid); /* if it stands in a line */
bool arbitration_pick(struct ctrl *ctrl, struct turn *turn);
/* count commands were fetched in this turn: the next one may be another's. */
void arbitration_served(struct ctrl *ctrl, const struct turn *turn, uint32_t count);

/* watch.c: what a submission queue's commands are watched for, if parameters ask for it */
void watch_init(struct ctrl *ctrl);
void watch_sq_open(struct ctrl *ctrl, struct sq *sq);
/* count entries of a queue will be read by a DMA read that is issued at issued_ps; if
 * ctrl->fetch.issues_counted. */
void watch_issued(struct ctrl *ctrl, struct sq *sq, uint32_t count, uint64_t issued_ps);
/* They have arrived; if sq->watched. first: the first command of the chain. */
void watch_arrived(struct ctrl *ctrl, uint16_t sqid, uint32_t first);
int32_t watch_room(const struct ctrl *ctrl, const struct sq *sq); /* may be fetched now */
void watch_cid_ended(struct sq *sq, const struct command *cmd);
/* False: it has ended already. To be called if ctrl->queues.watch_decode. */
bool watch_decoded(struct ctrl *ctrl, struct command *cmd);

/* queue_admin.c: a status or COMMAND_GOES_ON */
uint16_t queue_admin_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t admin_queue_pages_known(struct ctrl *ctrl, struct command *cmd);

/* complete.c */
/* A command of a queue has ended or stalls: a deletion or a shutdown may go on. */
void complete_awaited(struct ctrl *ctrl, uint16_t sqid);
void complete_waiting(struct ctrl *ctrl, struct cq *cq); /* the CQ has room again */

#endif
