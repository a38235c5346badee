/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The simulated host: one CPU whose work costs time, its memory and caches, its interrupt input,
 * and the platform (nvme/platform.h) through which the driver core runs on it. Built by machine/;
 * the operating system's path to the driver is in os.h.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <nvme/platform.h>

#include "engine/clock.h"
#include "engine/cpu.h"
#include "host/cache.h"
#include "host/memory.h"
#include "pcie/port.h"
#include "pcie/record.h"

enum host_emulation { HOST_EMULATION_NONE, HOST_EMULATION_SINGLE_THREAD };
enum host_bounce_memory { HOST_BOUNCE_CACHED, HOST_BOUNCE_UNCACHED };

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct host_params {
#include "host/host.def"
};
#include "config/param_end.h"

extern const struct param_row host_rows[];
extern const size_t host_row_count;

struct host;

struct host_stats {
    uint64_t register_writes, register_reads;
    uint64_t bytes_copied, copies;
    uint64_t maps, unmaps, fresh_lists;
    struct cache_lines lines; /* maintained, by the state they were found in */
    uint64_t interrupts;
    uint64_t entry_looks;
    uint64_t spent_ps[CPU_USES];
};

/* The host runs its program on `cpu`, which belongs to a set on the same engine. form: how contents
 * of data buffers are held. Everything given must outlive it. */
struct host *host_create(struct engine *engine, struct pcie_port *port,
                         const struct host_params *params, const struct cache_params *cache,
                         enum memory_form form);
void host_destroy(struct host *host);
/* Before anything is called that takes time. */
void host_set_cpu(struct host *host, struct cpu *cpu);

/* For the driver core. */
const struct nvme_platform *host_platform(const struct host *host);
/* handler(ctx, vector) runs on the CPU when an interrupt is delivered: at the end of a call that
 * takes time, or out of idle; never from an event, never while a lock is held. NULL: nobody
 * listens, and what is pending waits. */
void host_set_interrupt_handler(struct host *host, void (*handler)(void *ctx, unsigned vector),
                                void *ctx);

/* Find the controller, place its BARs, let it access memory: what an operating system's PCI code
 * has done before a driver is started. 0, or a negative nvme_error with *why set. */
int host_enumerate(struct host *host, const char **why);

/* Identity in configuration space (PCI Local Bus 3.0 section 6.2.1, 6.2.4). */
struct host_pci_ids {
    uint16_t vendor, device, subsystem_vendor, subsystem;
};
struct host_pci_ids host_pci_ids(struct host *host);

struct memory *host_memory(struct host *host);
struct engine *host_engine(struct host *host);
const struct host_stats *host_get_stats(const struct host *host);

/* Time passes, for this use (enum record_cpu_use). */
void host_spend(struct host *host, enum record_cpu_use use, struct param_cost cost);
void host_spend_ps(struct host *host, enum record_cpu_use use, uint64_t ps);
uint64_t host_now(const struct host *host); /* ps */
/* Idle until an interrupt has been handled. False if nothing can ever happen any more. */
bool host_idle(struct host *host);
/* One turn of a loop that only looks at memory. */
void host_spin(struct host *host);
/* The program stores to all of [offset, offset + bytes) (memset). */
void host_fill(struct host *host, struct memory_area *area, size_t offset, size_t bytes);

#endif
