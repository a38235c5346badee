/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A closed loop of block requests straight on the operating system's path: `depth` requests are
 * always on their way, and when one ends another begins (or all of them together, in bursts). No
 * file system. What is read is verified. One loop belongs to one CPU; loops.h has a loop for each.
 * For the files of sim/run only.
 */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include "engine/rng.h"
#include "machine/machine.h"

struct loop_job {
    uint64_t depth;        /* >= 1 */
    uint64_t block_bytes;  /* of every request; a multiple of the device's block */
    uint64_t footprint;    /* bytes at the start of the device; at least block_bytes */
    uint64_t read_percent; /* 0..100: how many of 100 requests are reads; the others write */
    bool sequential;       /* one place after the other, from 0 again at the end; else random */
    bool ordinary; /* the driver maps or copies buffers as it does those of any program; otherwise
                    * they are registered with the device once */
    bool burst;    /* all of `depth` begin together, and again when the last has ended; what the
                    * driver refuses for want of a slot is given up. Otherwise nothing may be
                    * refused */
    bool verify;   /* the machine verifies data: stamp what is written, check what is read */
};

struct loop_slot {
    struct nvme_request request;
    struct memory_area *area;
    struct loop_slot *next_ready;
    uint64_t place;      /* in blocks of the job, from the start of the device */
    uint64_t started_ps; /* set where there is a meter */
    uint32_t number;     /* of the request, as its pattern has it */
};

/* What the loops of a job have done together. */
struct loop_counts {
    uint64_t started, ended; /* requests */
    int error;               /* the first one, an nvme_error: all stop */
};

/* Where a loop belongs among the loops of a job. */
struct loop_part {
    unsigned cpu, cpus;
    struct loop_counts *counts;
};

/* Somebody who counts. All are called with the time at which the host begins the request or has
 * its end; never for requests of loop_read_back(). */
struct loop_meter {
    void (*started)(void *ctx, uint64_t now_ps);
    void (*ended)(void *ctx, const struct loop_slot *slot, uint64_t now_ps);
    void (*refused)(void *ctx, uint64_t now_ps); /* instead of an end; bursts only */
    void *ctx;
};

struct loop {
    struct machine *machine;
    struct loop_job job;
    const struct loop_meter *meter; /* NULL: nobody */
    struct os *os;
    struct loop_counts *counts;
    bool hints; /* requests that another follows say so */
    bool bare;  /* random reads that nobody meters or verifies: the workload of the speed benchmarks
                 */
    struct rng rng;
    struct loop_slot *slots, *ready;
    struct loop_slot *refused;      /* until the burst is over */
    uint64_t under_way, burst_left; /* requests; of this burst to begin */
    uint64_t first_place;           /* of its own part of the footprint, or 0 */
    uint64_t places, next_place;    /* counted from there */
    uint32_t device_blocks;         /* of one request */
    uint8_t *busy;                  /* bit per place under way; NULL if the job only reads */
};

/* The machine has been started. Random reads go anywhere in the footprint; other jobs have a part
 * of it for each loop, and all requests of one that writes must find different places there: its
 * part / block_bytes >= 2 * depth. name: of the random stream, which differs from loop to loop. */
void loop_create(struct loop *loop, struct machine *machine, const struct loop_job *job,
                 const struct loop_part *part, const struct loop_meter *meter, const char *name);
void loop_destroy(struct loop *loop);

/* Called on the loop's CPU. Go on until `ended` requests have ended, and begin no request after
 * number `limit` (both counted over all loops of the job, from their creation). NVME_OK, or the
 * nvme_error of a request or of the driver: requests may then still be the driver's. */
int loop_run(struct loop *loop, uint64_t ended, uint64_t limit);
/* Let what this loop has under way end. */
int loop_drain(struct loop *loop);
/* Read, and so verify, what the last request of every slot wrote or read. Only after
 * loop_drain(). */
int loop_read_back(struct loop *loop);

#endif
