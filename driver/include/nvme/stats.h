/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the core counts. All counters grow from nvme_init() on and are never reset; two snapshots
 * subtract.
 */
#ifndef NVME_STATS_H
#define NVME_STATS_H

#include <stdint.h>

struct nvme;
struct nvme_queue;

struct nvme_queue_stats {
    uint64_t commands;     /* SQEs written */
    uint64_t completions;  /* CQEs consumed */
    uint64_t sq_doorbells; /* register writes of the SQ tail */
    uint64_t cq_doorbells; /* register writes of the CQ head; never the same value twice in a row */
    uint64_t shadow_updates;         /* doorbells moved in memory (config.shadow_doorbells) */
    uint64_t sq_skipped, cq_skipped; /* of these, no register write was wanted (EventIdx) */
    uint64_t unmask_writes;          /* INTMC writes of poll_unmasks */
    uint64_t polls;                  /* looks at the completion queue, by polls and by interrupts */
    uint64_t empty_polls;            /* of these, found nothing */
    uint64_t interrupts;             /* of the queue's vector, as far as they were worked off */
    uint64_t empty_interrupts; /* of these, found nothing in this queue: nobody's, or another's */
    uint64_t bounced, direct;  /* commands with data, by path */
    uint64_t bytes_bounced;    /* bytes copied */
    uint64_t bytes_read, bytes_written;
    uint64_t prp_lists;       /* commands that needed a PRP list */
    uint64_t prp_list_pages;  /* list pages filled */
    uint64_t sgls;            /* commands with an SGL */
    uint64_t splits;          /* requests that needed more than one command */
    uint64_t busy_rejects;    /* submits refused for want of a slot */
    uint64_t waits;           /* requests queued inside the core */
    uint64_t status_errors;   /* completions with an error status */
    uint64_t protocol_errors; /* completion entries that could not be true; none ends a request */
    uint64_t in_flight_peak;
    uint64_t timeouts;       /* commands that were late after one more look (io_timeout_ms) */
    uint64_t found_late;     /* commands that this look has found ended */
    uint64_t aborts;         /* Abort commands sent */
    uint64_t aborts_refused; /* that did not abort */
    uint64_t reissued;       /* requests sent again after a reset */
    uint64_t retries;        /* requests sent again for their status */
    uint64_t cancelled;      /* requests that nvme_cancel() and nvme_cancel_owner() found */
    uint64_t late_entries;   /* entries of commands that had been given up */
    uint64_t quarantined;    /* commands given up of which no entry has come: now, not a sum */
};
void nvme_get_queue_stats(const struct nvme_queue *queue, struct nvme_queue_stats *stats);

/* Admin and register traffic outside the I/O path. */
struct nvme_admin_stats {
    uint64_t commands, completions, doorbells, protocol_errors, async_events;
    uint64_t resets; /* by the core itself (config.recovery) */
};
void nvme_get_admin_stats(const struct nvme *nvme, struct nvme_admin_stats *stats);

#endif
