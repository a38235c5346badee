/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Use of CPUs as text and as JSON; see usage.h.
 */
#include "report/usage.h"

#include <inttypes.h>

#include "report/json.h"

#define DECIMALS  2
#define PS_PER_US 1e6

double usage_busy(const struct usage *usage, unsigned cpu)
{
    double busy = (double)usage->cpu[cpu].busy_ps;
    double all = busy + (double)usage->cpu[cpu].idle_ps;

    return all > 0 ? busy / all : 0;
}

void usage_print(FILE *file, const struct usage *usage)
{
    for (unsigned cpu = 0; cpu < usage->cpus; cpu++)
        fprintf(file, "CPU %-2u busy %6.2f %%, %" PRIu64 " interrupts\n", cpu,
                100 * usage_busy(usage, cpu), usage->cpu[cpu].interrupts);
    fprintf(file,
            "locks: %" PRIu64 " taken, %" PRIu64 " waited for, %.3f us in all; %" PRIu64
            " CPUs woken by others\n",
            usage->lock_takes, usage->lock_waits, (double)usage->lock_wait_ps / PS_PER_US,
            usage->wakes);
}

static void write_cpu(struct json *json, const struct usage *usage, unsigned cpu)
{
    json_object_begin(json);
    json_key(json, "busy_percent");
    json_decimal(json, 100 * usage_busy(usage, cpu), DECIMALS);
    json_member_uint(json, "busy_ps", usage->cpu[cpu].busy_ps);
    json_member_uint(json, "idle_ps", usage->cpu[cpu].idle_ps);
    json_member_uint(json, "interrupts", usage->cpu[cpu].interrupts);
    json_object_end(json);
}

void usage_json(struct json *json, const struct usage *usage)
{
    json_key(json, "cpus");
    json_array_begin(json);
    for (unsigned cpu = 0; cpu < usage->cpus; cpu++)
        write_cpu(json, usage, cpu);
    json_array_end(json);
    json_key(json, "cpu_ps_by_use");
    json_object_begin(json);
    for (unsigned use = 0; use < CPU_USES; use++)
        json_member_uint(json, record_cpu_use_name(use), usage->spent_ps[use]);
    json_object_end(json);
    json_key(json, "locks");
    json_object_begin(json);
    json_member_uint(json, "taken", usage->lock_takes);
    json_member_uint(json, "waited_for", usage->lock_waits);
    json_member_uint(json, "wait_ps", usage->lock_wait_ps);
    json_object_end(json);
    json_member_uint(json, "cpus_woken", usage->wakes);
    json_member_uint(json, "soft_halves", usage->soft_halves);
}
