/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the CPUs did between two moments of a run (report/usage.h).
 */
#include "run/state.h"

void run_usage(struct machine *machine, struct usage *usage)
{
    struct host *host = machine_host(machine);
    const struct host_stats *total = host_get_stats(host);
    *usage = (struct usage){.cpus = host_cpus(host),
                            .soft_halves = total->soft_halves,
                            .lock_takes = total->lock_takes,
                            .lock_waits = total->lock_waits,
                            .lock_wait_ps = total->lock_wait_ps,
                            .wakes = total->wakes};
    for (unsigned use = 0; use < CPU_USES; use++)
        usage->spent_ps[use] = total->spent_ps[use];
    for (unsigned i = 0; i < usage->cpus; i++) {
        struct host_cpu_stats cpu;
        host_get_cpu_stats(host, i, &cpu);
        for (unsigned use = 0; use < CPU_USES; use++)
            *(use == CPU_IDLE ? &usage->cpu[i].idle_ps : &usage->cpu[i].busy_ps) +=
                cpu.spent_ps[use];
        usage->cpu[i].interrupts = cpu.interrupts;
    }
}

void run_usage_add(struct usage *sum, const struct usage *before, const struct usage *after)
{
    sum->cpus = after->cpus;
    sum->lock_takes += after->lock_takes - before->lock_takes;
    sum->lock_waits += after->lock_waits - before->lock_waits;
    sum->lock_wait_ps += after->lock_wait_ps - before->lock_wait_ps;
    sum->wakes += after->wakes - before->wakes;
    sum->soft_halves += after->soft_halves - before->soft_halves;
    for (unsigned use = 0; use < CPU_USES; use++)
        sum->spent_ps[use] += after->spent_ps[use] - before->spent_ps[use];
    for (unsigned i = 0; i < after->cpus; i++) {
        sum->cpu[i].busy_ps += after->cpu[i].busy_ps - before->cpu[i].busy_ps;
        sum->cpu[i].idle_ps += after->cpu[i].idle_ps - before->cpu[i].idle_ps;
        sum->cpu[i].interrupts += after->cpu[i].interrupts - before->cpu[i].interrupts;
    }
}
