/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The simulated host: CPUs whose work costs time, their memory and caches, interrupts and locks,
 * and the platform (nvme/platform.h) through which the driver core runs on them. Every call that
 * takes time takes that of the CPU that runs. Built by machine/; the operating system's path to the
 * driver is in os.h.
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

#define HOST_CPUS_MAX 64u /* of host.cpus */

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

/* Totals of all CPUs. */
struct host_stats {
    uint64_t register_writes, register_reads;
    uint64_t bytes_copied, copies;
    uint64_t maps, unmaps, fresh_lists;
    struct cache_lines lines; /* maintained, by the state they were found in */
    uint64_t interrupts;      /* handlers run; of split handlers the hard halves */
    uint64_t soft_halves;     /* run */
    uint64_t entry_looks;
    uint64_t lock_takes, lock_waits; /* locks taken; of these, held by another CPU at first */
    uint64_t lock_wait_ps;
    uint64_t wakes; /* of CPUs that slept, by others */
    uint64_t spent_ps[CPU_USES];
};

/* What one CPU did. */
struct host_cpu_stats {
    uint64_t interrupts, soft_halves;
    uint64_t spent_ps[CPU_USES];
};

/* form: how contents of data buffers are held. Everything given must outlive it. */
struct host *host_create(struct engine *engine, struct pcie_port *port,
                         const struct host_params *params, const struct cache_params *cache,
                         enum memory_form form);
void host_destroy(struct host *host);
/* The host's CPUs, host.cpus of them, on the same engine, in order of their numbers; before
 * anything is called that takes time. */
void host_set_cpu(struct host *host, struct cpu *cpu);

unsigned host_cpus(const struct host *host);
/* The CPU that runs. */
unsigned host_here(const struct host *host);

/* What a CPU is to do; main NULL: nothing. */
struct host_program {
    void (*main)(void *ctx);
    void *ctx;
};
/* Run a program on each CPU (one for each, in order), beginning now. A CPU whose program has
 * returned takes interrupts until the last one has. NVME_OK; NVME_E_TIMEOUT if some can never end,
 * because they wait and nothing is left that could wake them; NVME_E_UNSUPPORTED if several CPUs
 * cannot be had where this runs. */
int host_run(struct host *host, const struct host_program *programs);
/* The running CPU wakes another that sleeps; nothing happens to one that does not. */
void host_wake(struct host *host, unsigned cpu);

/* For the driver core. */
const struct nvme_platform *host_platform(const struct host *host);
/* handler(ctx, vector) runs on the CPU that the vector is routed to, when an interrupt is delivered
 * there: at the end of a call that takes time, or out of idle; never from an event, never while a
 * lock is held. NULL: nobody listens, and what is pending waits. */
void host_set_interrupt_handler(struct host *host, void (*handler)(void *ctx, unsigned vector),
                                void *ctx);
/* The same in two halves. hard() runs as a handler does and says whether the interrupt was ours;
 * then soft() is due, on the same CPU: once nothing hard is pending there and no lock is held. A
 * soft half can be interrupted by hard ones, not by another soft one. A vector that comes again
 * before its soft half begins gets one for both. */
void host_set_split_handler(struct host *host, bool (*hard)(void *ctx, unsigned vector),
                            void (*soft)(void *ctx, unsigned vector), void *ctx);

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
/* Up to date until time passes. */
const struct host_stats *host_get_stats(struct host *host);
void host_get_cpu_stats(const struct host *host, unsigned cpu, struct host_cpu_stats *stats);

/* Time passes, for this use (enum record_cpu_use). */
void host_spend(struct host *host, enum record_cpu_use use, struct param_cost cost);
void host_spend_ps(struct host *host, enum record_cpu_use use, uint64_t ps);
uint64_t host_now(const struct host *host); /* ps */
/* Idle until an interrupt has been handled on this CPU, or another CPU wakes it. False if nothing
 * can ever happen any more (with several CPUs host_run() returns then, and this never does). */
bool host_idle(struct host *host);
/* The same, or until a time, which must not lie in the past: an alarm. */
bool host_idle_until(struct host *host, uint64_t time_ps);
/* For loops that poll. How much devices have done so far: */
uint64_t host_news(const struct host *host);
/* The running CPU has looked for completions and found none, and when it began to look host_news()
 * was `news`. True: no device has anything left to do, and no other CPU is about to do anything
 * either, so there will never be one. */
bool host_found_nothing(struct host *host, uint64_t news);
/* It goes on with something else. */
void host_found_something(struct host *host);
/* One turn of a loop that only looks at memory. */
void host_spin(struct host *host);
/* The program stores to all of [offset, offset + bytes) (memset). */
void host_fill(struct host *host, struct memory_area *area, size_t offset, size_t bytes);
/* What a program has stored outside simulated time, for readers of the event stream. */
void host_record_store(const struct host *host, uint64_t bus, size_t bytes);

#endif
