/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Several CPUs: a program on each, and waking one that sleeps. With one CPU a program is a call.
 */
#include "host/host_state.h"

#include <string.h>

#include <nvme/nvme.h>

unsigned host_cpus(const struct host *host)
{
    return (unsigned)host->p.cpus;
}

unsigned host_here(const struct host *host)
{
    return host->here->number;
}

void host_wake(struct host *host, unsigned number)
{
    struct host_cpu *cpu = &host->cpus[number];
    if (!cpu->asleep)
        return;
    cpu->asleep = false; /* for whoever else would wake it */
    host->stats.wakes++;
    host_spend(host, CPU_OS, host->p.ipi);
    cpu->roused++;
    cpu_wake(cpu->cpu);
}

/* ---- an end to polling ---- */

uint64_t host_news(const struct host *host)
{
    return cpu_set_news(host->set);
}

/* A CPU that began to look after the last thing that any device did, and found nothing, has nothing
 * in hand either. Once all of them have, or sleep, nobody will ever find anything. */
bool host_found_nothing(struct host *host, uint64_t news)
{
    if (!cpu_set_is_quiet(host->set))
        return false;
    if (host->p.cpus == 1)
        return true;
    host->here->barren = news + 1;
    for (unsigned i = 0; i < host->p.cpus; i++)
        if (!host->cpus[i].asleep && host->cpus[i].barren != host_news(host) + 1)
            return false;
    return true;
}

void host_found_something(struct host *host)
{
    host->here->barren = 0;
}

/* ---- a program on each ---- */

/* The last program has ended: let all CPUs see it. Nothing of the simulated world, so it is free.
 */
static void release_all(struct host *host)
{
    for (unsigned i = 0; i < host->p.cpus; i++) {
        host->cpus[i].roused++;
        cpu_wake(host->cpus[i].cpu);
    }
}

static void cpu_main(void *ctx)
{
    struct host_cpu *here = ctx;
    struct host *host = here->host;
    if (here->program->main != NULL)
        here->program->main(here->program->ctx);
    if (--host->programs_left == 0)
        release_all(host);
    while (host->programs_left > 0 && host_idle(host))
        ;
}

/* CPUs that will never go on may have been anywhere. */
static void forget_stuck(struct host *host)
{
    for (unsigned i = 0; i < host->p.cpus; i++) {
        struct host_cpu *cpu = &host->cpus[i];
        cpu->in_soft = cpu->asleep = false;
        cpu->holds = 0;
        cpu->barren = 0;
    }
    memset(host->locks, 0, sizeof host->locks);
}

int host_run(struct host *host, const struct host_program *programs)
{
    if (host->p.cpus == 1) {
        if (programs[0].main != NULL)
            programs[0].main(programs[0].ctx);
        return NVME_OK;
    }
    host->programs_left = (unsigned)host->p.cpus;
    for (unsigned i = 0; i < host->p.cpus; i++) {
        host->cpus[i].program = &programs[i];
        cpu_set_program(host->cpus[i].cpu, cpu_main, &host->cpus[i]);
    }
    int left = cpu_set_run(host->set);
    if (left == 0)
        return NVME_OK;
    forget_stuck(host);
    if (left > 0)
        RECORD_EMIT(host->stream, engine_now(host->engine), 0, RECORD_FORSAKEN, left, 0, 0, 0);
    return left < 0 ? NVME_E_UNSUPPORTED : NVME_E_TIMEOUT;
}
