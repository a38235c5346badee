/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What each CPU of a machine did in the timed part of a run, and what the CPUs cost each other.
 * Plain numbers, part of a result.
 */
#ifndef REPORT_USAGE_H
#define REPORT_USAGE_H

#include <stdint.h>
#include <stdio.h>

#include "pcie/record.h"

#define USAGE_CPUS_MAX 64

struct usage_cpu {
    uint64_t busy_ps, idle_ps;
    uint64_t interrupts; /* of split handlers the hard halves */
};

struct usage {
    uint32_t cpus;
    struct usage_cpu cpu[USAGE_CPUS_MAX];
    uint64_t spent_ps[CPU_USES]; /* by all CPUs */
    uint64_t soft_halves;
    uint64_t lock_takes, lock_waits,
        lock_wait_ps; /* the driver's locks; waits: held by another CPU */
    uint64_t wakes;   /* CPUs that slept, woken by others */
};

/* Of a CPU's time, the part in which it was not idle, 0..1; 0 if no time passed. */
double usage_busy(const struct usage *usage, unsigned cpu);

/* A line for each CPU, and one for the locks. */
void usage_print(FILE *file, const struct usage *usage);

struct json;
/* The members "cpus" and "locks" of an object that is open. */
void usage_json(struct json *json, const struct usage *usage);

#endif
