/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts at the host: messages and the INTx pin set something pending at a CPU and wake it; the
 * handler runs there, between two steps of whatever the CPU does, and not while it holds a lock or
 * waits for one. A handler may have two halves: the hard one runs like that, the soft one when
 * nothing hard is left to do. Which vector goes to which CPU is set up in vectors.c.
 */
#include "host/host_state.h"

static unsigned lowest(uint64_t bits)
{
    unsigned bit = 0;
    while ((bits >> bit & 1u) == 0)
        bit++;
    return bit;
}

/* ---- arrival: called from events ---- */

void host_interrupt_msi(void *ctx, uint64_t address, uint32_t data)
{
    struct host *host = ctx;
    uint64_t offset = address - HOST_MSI_ADDRESS;
    uint64_t number = offset >> HOST_MSI_SHIFT;
    if (number >= host->p.cpus || offset % (1u << HOST_MSI_SHIFT) != 0 || data >= HOST_VECTORS)
        return; /* a message to nowhere: an ordinary memory write that nobody notices */
    struct host_cpu *cpu = &host->cpus[number];
    cpu->pending |= UINT64_C(1) << data;
    cpu->attention |= ATTENTION_MESSAGE;
    cpu_wake(cpu->cpu);
}

void host_interrupt_pin(struct host *host)
{
    struct host_cpu *cpu = &host->cpus[0];
    if (host->intx_enabled && host->intx_level)
        cpu->attention |= ATTENTION_INTX;
    else
        cpu->attention &= ~ATTENTION_INTX;
}

void host_interrupt_intx(void *ctx, bool asserted)
{
    struct host *host = ctx;
    host->intx_level = asserted;
    host_interrupt_pin(host);
    if (asserted && host->intx_enabled)
        cpu_wake(host->cpus[0].cpu);
}

static void soft_half_due(void *ctx, uint64_t vector)
{
    struct host_cpu *cpu = ctx;
    cpu->soft_pending |= UINT64_C(1) << vector;
    cpu->attention |= ATTENTION_SOFT;
    cpu_wake(cpu->cpu);
}

/* ---- delivery ---- */

static bool hard_is_due(const struct host_cpu *here)
{
    return (here->attention & ATTENTION_HARD) != 0;
}

static bool soft_is_due(const struct host_cpu *here)
{
    return (here->attention & ATTENTION_SOFT) != 0 && !here->in_soft;
}

bool host_can_deliver(const struct host *host)
{
    const struct host_cpu *here = host->here;
    return (hard_is_due(here) || soft_is_due(here)) && host->listening && here->holds == 0;
}

static unsigned take_vector(struct host_cpu *here)
{
    if (here->pending == 0)
        return 0; /* the pin */
    unsigned vector = lowest(here->pending);
    here->pending &= ~(UINT64_C(1) << vector);
    if (here->pending == 0)
        here->attention &= ~ATTENTION_MESSAGE;
    return vector;
}

static void run_hard(struct host *host, struct host_cpu *here)
{
    unsigned vector = take_vector(here);
    bool ours = false;
    here->holds++;
    here->roused++;
    here->interrupts++;
    host_spend(host, CPU_INTERRUPT, host->p.interrupt_entry);
    RECORD_EMIT(host->stream, host_now(host), here->number, RECORD_INTERRUPT, vector, 0, 0, 0);
    if (host->handler != NULL)
        host->handler(host->handler_ctx, vector);
    else if (host->hard != NULL)
        ours = host->hard(host->handler_ctx, vector);
    host_spend(host, CPU_INTERRUPT, host->p.interrupt_exit);
    here->holds--;
    if (!ours)
        return;
    if (host->p.softirq_latency == 0)
        soft_half_due(here, vector);
    else
        engine_after(host->engine, host->p.softirq_latency, soft_half_due, here, vector);
}

static void run_soft(struct host *host, struct host_cpu *here)
{
    unsigned vector = lowest(here->soft_pending);
    here->soft_pending &= ~(UINT64_C(1) << vector);
    if (here->soft_pending == 0)
        here->attention &= ~ATTENTION_SOFT;
    here->in_soft = true;
    here->roused++;
    here->soft_halves++;
    host_spend(host, CPU_INTERRUPT, host->p.softirq_entry); /* hard halves may come in here, */
    RECORD_EMIT(host->stream, host_now(host), here->number, RECORD_INTERRUPT, vector, 1, 0, 0);
    if (host->soft != NULL)
        host->soft(host->handler_ctx, vector); /* and in here */
    here->in_soft = false;
}

void host_deliver(struct host *host)
{
    struct host_cpu *here = host->here;
    while (host->listening && here->holds == 0) {
        if (hard_is_due(here))
            run_hard(host, here);
        else if (soft_is_due(here))
            run_soft(host, here);
        else
            break;
    }
}

/* ---- handlers ---- */

void host_set_interrupt_handler(struct host *host, void (*handler)(void *ctx, unsigned vector),
                                void *ctx)
{
    host->listening = handler != NULL;
    host->handler = handler;
    host->hard = NULL;
    host->soft = NULL;
    host->handler_ctx = ctx;
}

void host_set_split_handler(struct host *host, bool (*hard)(void *ctx, unsigned vector),
                            void (*soft)(void *ctx, unsigned vector), void *ctx)
{
    host->listening = hard != NULL;
    host->handler = NULL;
    host->hard = hard;
    host->soft = soft;
    host->handler_ctx = ctx;
}
