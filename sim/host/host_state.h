/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host is, for the files of sim/host only.
 */
#ifndef HOST_HOST_STATE_H
#define HOST_HOST_STATE_H

#include "host/host.h"

#define HOST_VECTORS 64u

/* Message addresses that the simulated interrupt controller listens to: the number of the CPU lies
 * in bits 19:12 (HOST_MSI_SHIFT), and the vector of a message is its data. So it is with x86's
 * local APIC, a habit rather than a need. */
#define HOST_MSI_ADDRESS UINT64_C(0xfee00000)
#define HOST_MSI_SHIFT   12u

/* Queue identifiers whose completion queues can be told apart: the admin queue and 64 I/O queues.
 */
#define HOST_QUEUES 65u

struct host_cq_view {
    uint16_t head;
    bool phase_flipped; /* new entries carry phase tag 0 (odd laps) */
};

/* Why a CPU should look up from what it does; struct host_cpu.attention. */
#define ATTENTION_MESSAGE (1u << 0) /* pending != 0 */
#define ATTENTION_INTX    (1u << 1) /* CPU 0: the pin is up, and listened to */
#define ATTENTION_SOFT    (1u << 2) /* soft_pending != 0 */
#define ATTENTION_HARD    (ATTENTION_MESSAGE | ATTENTION_INTX)

struct host_cpu {
    struct host *host;
    struct cpu *cpu;
    unsigned number;
    unsigned attention;    /* ATTENTION_* */
    uint64_t pending;      /* bit per vector: message arrived */
    uint64_t soft_pending; /* bit per vector: the hard half is done, the soft half is due */
    unsigned holds;     /* reasons to hold interrupts back: locks held or waited for, a hard half */
    unsigned locks;     /* of these, locks that it has */
    uint64_t locked_ps; /* since when it has any */
    bool in_soft;
    bool asleep;
    uint64_t roused; /* what ends an idle: handlers run, wakes by other CPUs */
    uint64_t barren; /* 1 + the news since which it polls and finds nothing; 0: it does not */
    const struct host_program *program;
    uint64_t interrupts, soft_halves;
    uint64_t spent_ps[CPU_USES];
};

/* A spin lock with places in line (lock.c). */
struct host_lock {
    unsigned next, serving; /* places drawn; the one that may go on: next == serving: free */
    struct host_cpu *last;  /* who had it last: where its cache line is */
    struct host_cpu *line[HOST_CPUS_MAX]; /* who waits, at place % HOST_CPUS_MAX */
};

struct host {
    struct engine *engine;
    struct stream *stream;
    struct pcie_port *port;
    struct host_params p;
    struct clock_domain clock;
    struct cpu *cpu;       /* the one whose calls these are, */
    struct host_cpu *here; /* and what the host knows of it */
    struct host_cpu *cpus; /* p.cpus of them */
    struct cpu_set *set;   /* the engine's view of them */
    struct memory *memory;
    struct cache *cache;
    struct nvme_platform platform;
    struct host_stats stats;

    /* interrupts */
    bool listening;                              /* there is a handler: */
    void (*handler)(void *ctx, unsigned vector); /* whole; or the two halves: */
    bool (*hard)(void *ctx, unsigned vector);
    void (*soft)(void *ctx, unsigned vector);
    void *handler_ctx;
    bool intx_enabled, intx_level;
    enum nvme_irq_mode irq_mode;
    unsigned irq_vectors;        /* granted */
    uint8_t route[HOST_VECTORS]; /* CPU of each vector */

    /* several CPUs */
    bool locks_cost;        /* they are more than a count of depth */
    unsigned programs_left; /* of host_run() */
    struct host_lock locks[HOST_QUEUES];

    /* what enumeration found (config space offsets; 0 = none) */
    uint16_t msi_offset;
    unsigned msi_messages;
    bool msi_wide; /* 64-bit message address */
    uint16_t msix_offset;
    unsigned msix_vectors;
    unsigned msix_bar;
    uint32_t msix_table;

    /* for telling a new completion entry from one seen before: the phase tag that one would have */
    struct host_cq_view views[HOST_QUEUES];
};

void host_interrupt_msi(void *ctx, uint64_t address, uint32_t data);
void host_interrupt_intx(void *ctx, bool asserted);
/* Time passes in the middle of an operation: host_spend_ps() without its chance for an interrupt.
 */
void host_pass_ps(struct host *host, enum record_cpu_use use, uint64_t ps);
/* Time was spent in some other way than by the two functions above and below. */
void host_account(struct host *host, enum record_cpu_use use, uint64_t ps);
/* The pin as it is now, and whether anybody listens, for CPU 0. */
void host_interrupt_pin(struct host *host);
/* May anything be handled on the running CPU? */
bool host_can_deliver(const struct host *host);
/* Handle what can be handled. */
void host_deliver(struct host *host);
int host_irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors);
int host_irq_move(void *ctx, unsigned vector, unsigned cpu);
void host_lock(void *ctx, uint16_t qid);
void host_unlock(void *ctx, uint16_t qid);

extern const struct nvme_platform_ops host_platform_ops;

/* A chance for interrupts, at the end of every call that takes time. */
static inline void host_attend(struct host *host)
{
    if (host->here->attention != 0 && host->here->holds == 0)
        host_deliver(host);
}

#endif
