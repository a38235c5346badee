/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of one run share: its requests and how far they are.
 *
 *   request.c   makes a request: what, where, with which buffer
 *   judge.c     its end: whether it may have ended so, and what the blocks hold now
 *   workload.c  the owner of the driver, who submits, polls, steps and resets; one whole run
 *
 * Nobody else includes it; see campaign.h.
 */
#ifndef TESTS_FAULT_RUN_H
#define TESTS_FAULT_RUN_H

#include "engine/stream.h"
#include "fault/campaign.h"
#include "host/memory.h"

#define RUN_AT_A_TIME 24u

struct job {
    struct nvme_request request;
    struct memory_area *area;
    struct nvme_vector vector[2];
    uint64_t number, flush_mark;
    uint32_t block, blocks;
    unsigned queue;
    bool before_strike;
    unsigned ended; /* times that done() was called since it was submitted */
};

struct run {
    struct world world;
    const struct campaign_kind *kind;
    const struct campaign_policy *policy;
    struct ledger ledger;
    struct job jobs[RUN_AT_A_TIME];
    bool busy[RUN_AT_A_TIME]; /* with the core, or ended and not looked at */
    unsigned in_flight;
    uint64_t random;
    uint64_t number, ended; /* requests begun, ended */
    uint64_t progress_ps;
    bool power_lost, came_back, clean;
    unsigned failed; /* requests, by what they ended with: */
    unsigned status_failed, state_failed, timed_out, gone;
    uint64_t resets;       /* by the core, when it was last READY */
    uint64_t reset_number; /* last request that had begun when it was last seen READY */
    struct campaign_counts *counts;
    struct stream_reader reader;
    uint64_t room;
};

/* ---- request.c ---- */

/* Blocks at random. */
void request_choose_range(struct run *run, struct job *job);
enum nvme_op request_choose_op(struct run *run);
/* The request of job->block and job->blocks; its data is filled in when it is submitted. */
void request_make(struct run *run, struct job *job, enum nvme_op op);
/* A comparison with what is not known becomes a read; the data as it is now. */
void request_prepare(struct run *run, struct job *job);
bool request_writes(enum nvme_op op);
/* A block of the job's data; aligned as the buffer is, that is to 4 bytes. */
uint8_t *request_block(const struct job *job, uint32_t index);

/* ---- judge.c ---- */

/* The requests' done(). */
void judge_done(struct nvme_request *request);
/* A request that has ended. */
void judge_job(struct run *run, struct job *job);
/* After each look: is the controller READY, and has a reset left anything? */
void judge_reset(struct run *run);
/* The whole run. */
void judge_run(const struct run *run);

#endif
