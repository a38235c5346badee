/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queues as rings in host memory, their doorbells, arbitration and fetch.
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
};

struct sq {
    struct ring ring;
    bool exists, deleting, queued;
    bool awaited; /* a deletion or a shutdown wants to know when its commands end */
    uint16_t cqid;
    uint16_t tail; /* doorbell */
    uint16_t seen; /* part of it that arbitration has seen */
    uint16_t next; /* next entry to fetch */
    uint16_t head; /* entries before it have been read: SQHD */
    uint16_t ready_next;
    uint32_t burst_left;     /* of the turn that is running */
    uint32_t in_flight;      /* fetch started, CQE not visible */
    uint32_t fused_first;    /* first half that waits for its second; NO_COMMAND */
    uint32_t delete_command; /* waits for in_flight to become 0; NO_COMMAND */
    uint64_t last_fetch_ps;  /* fetches of one queue end in order */
    uint64_t *rung_ps;       /* per slot: when its doorbell arrived */
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
    uint16_t granted; /* I/O queues of each kind that may exist */
    uint16_t alive;   /* I/O queues of both kinds that do */
};

struct fetcher {
    uint16_t ready_first, ready_last; /* SQs with something to fetch; QUEUE_NONE */
    bool scheduled;
    uint32_t burst_max; /* commands of one turn */
    uint64_t doorbell_latency_ps;
    uint64_t free_ps; /* the fetch unit issues one read at a time */
    uint8_t *entries; /* one burst of them */
};

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

/* fetch.c */
void fetch_doorbell_seen(struct ctrl *ctrl, uint16_t sqid);
void fetch_run(struct ctrl *ctrl);
void fetch_forget(struct ctrl *ctrl, uint16_t sqid); /* takes it off the ready list */

/* queue_admin.c: a status or COMMAND_GOES_ON */
uint16_t queue_admin_execute(struct ctrl *ctrl, struct command *cmd);
uint16_t admin_queue_pages_known(struct ctrl *ctrl, struct command *cmd);

/* complete.c */
void complete_waiting(struct ctrl *ctrl, struct cq *cq); /* the CQ has room again */

#endif
