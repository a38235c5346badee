/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host is, for the files of sim/host only.
 */
#ifndef HOST_HOST_STATE_H
#define HOST_HOST_STATE_H

#include "host/host.h"

#define HOST_VECTORS 64u

/* Message address that the simulated interrupt controller listens to, and the vector of a message
 * is its data. The address is the one of x86's local APIC, a habit rather than a need. */
#define HOST_MSI_ADDRESS UINT64_C(0xfee00000)

/* Queue identifiers whose completion queues can be told apart: the admin queue and 64 I/O queues.
 */
#define HOST_QUEUES 65u

struct host_cq_view {
    uint16_t head;
    bool phase_flipped; /* new entries carry phase tag 0 (odd laps) */
};

struct host {
    struct engine *engine;
    struct stream *stream;
    struct pcie_port *port;
    struct host_params p;
    struct clock_domain clock;
    struct cpu *cpu;
    struct memory *memory;
    struct cache *cache;
    struct nvme_platform platform;
    struct host_stats stats;

    /* interrupts */
    void (*handler)(void *ctx, unsigned vector);
    void *handler_ctx;
    uint64_t pending; /* bit per vector: message arrived */
    bool intx_enabled, intx_level;
    bool in_handler;
    unsigned locked; /* locks held: interrupts are held back */
    uint64_t delivered;

    /* what enumeration found (config space offsets; 0 = none) */
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
/* Deliver what is pending, if nothing forbids it. */
void host_deliver(struct host *host);
int host_irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors);

extern const struct nvme_platform_ops host_platform_ops;

static inline bool host_can_deliver(const struct host *host)
{
    return (host->pending != 0 || (host->intx_enabled && host->intx_level)) &&
           host->handler != NULL && host->locked == 0 && !host->in_handler;
}

#endif
