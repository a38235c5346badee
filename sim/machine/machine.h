/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A machine: engine, link, controller, medium, host, an operating system path for each of its CPUs
 * and one instance of the driver core, put together from parameters. Its block device
 * (workload/block.h) is what workloads run on; every block that goes through it is stamped and
 * verified. Used by the runners (sim/run) and by tests.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "machine/params.h"
#include "workload/block.h"

struct machine;

struct machine_options {
    uint64_t seed;
    enum memory_form form; /* how contents are held; changes no figure */
    bool verify;           /* stamp what is written, check what is read */
};

/* params must have passed machine_params_check(); it and the options are copied. */
struct machine *machine_create(const struct machine_params *params,
                               const struct machine_options *options);
void machine_destroy(struct machine *machine);

/* Enumerate the bus and bring the controller up. NVME_OK, or an nvme_error with *why: one sentence,
 * valid while the machine lives. */
int machine_start(struct machine *machine, const char **why);
/* Orderly shutdown. NVME_OK or an nvme_error. */
int machine_stop(struct machine *machine);

/* Let no request enter the driver any more: each ends at once with NVME_E_STATE, so that a workload
 * ends early, as for any error. */
void machine_condemn(struct machine *machine);

/* The parts, for whoever wants to look inside. */
struct engine *machine_engine(struct machine *machine);
struct host *machine_host(struct machine *machine);
struct ctrl *machine_ctrl(struct machine *machine);
struct media *machine_media(struct machine *machine);
struct link *machine_link(struct machine *machine);
struct os *machine_os(struct machine *machine, unsigned cpu);        /* that CPU's path */
uint64_t machine_steps(const struct machine *machine, unsigned cpu); /* nvme_step() by that CPU */
struct nvme *machine_nvme(struct machine *machine);
unsigned machine_queues(const struct machine *machine); /* I/O queues created */
struct nvme_queue *machine_queue(struct machine *machine, unsigned index);

/* Valid after a successful start. Its calls are CPU 0's. */
struct block_device *machine_device(struct machine *machine);

/* Number the next request carries in its pattern, from 1. */
uint32_t machine_next_request(struct machine *machine);
/* Data oracle: what a request has written, what a read must find. offset and bytes in bytes on the
 * device, multiples of 512. */
void machine_stamp(struct machine *machine, struct memory_area *area, size_t area_offset,
                   uint64_t offset, uint32_t bytes, uint32_t request);
void machine_written(struct machine *machine, uint64_t offset, uint32_t bytes, uint32_t request);
void machine_zeroed(struct machine *machine, uint64_t offset, uint64_t bytes);
void machine_poison(struct machine *machine, struct memory_area *area, size_t area_offset,
                    uint32_t bytes);
void machine_check(struct machine *machine, struct memory_area *area, size_t area_offset,
                   uint64_t offset, uint32_t bytes);
/* Put pattern blocks on the medium as if request 1 had written all of [0, bytes), outside simulated
 * time: a filled drive to read from. */
void machine_prefill(struct machine *machine, uint64_t bytes);

struct machine_verdict {
    uint64_t blocks_verified, blocks_mismatched; /* device blocks */
    uint64_t requests;
    /* the first mismatch */
    uint64_t first_offset;
    uint64_t first_expected, first_found; /* tags; found is all ones if it was no pattern */
};
const struct machine_verdict *machine_verdict(const struct machine *machine);

/* Everything that is counted, since the start; subtract two for a part of a run. */
struct machine_snapshot {
    struct ctrl_stats ctrl;
    struct host_stats host;
    struct nvme_queue_stats queue; /* of all I/O queues; in_flight_peak: the highest */
    uint64_t requests;
};
void machine_snapshot(const struct machine *machine, struct machine_snapshot *snapshot);

#endif
