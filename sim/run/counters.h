/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every counter of driver core, host and controller over the timed part of a run, in one table, the
 * driver's for each of its queues, and the drive's health at the end. Used by `doorbell stats`;
 * rows are declared once, below.
 */
#ifndef RUN_COUNTERS_H
#define RUN_COUNTERS_H

#include "machine/machine.h"
#include "run/run.h"

/* Of struct nvme_queue_stats. */
#define COUNTERS_DRIVER(X)                                                                         \
    X(commands, "commands submitted")                                                              \
    X(completions, "completion entries consumed")                                                  \
    X(sq_doorbells, "SQ tail doorbells, register writes")                                          \
    X(cq_doorbells, "CQ head doorbells, register writes")                                          \
    X(shadow_updates, "doorbells moved in memory")                                                 \
    X(sq_skipped, "SQ register writes that EventIdx has saved")                                    \
    X(cq_skipped, "CQ register writes that EventIdx has saved")                                    \
    X(unmask_writes, "INTMC writes at the end of a poll")                                          \
    X(polls, "looks at the completion queue")                                                      \
    X(empty_polls, "looks that found nothing")                                                     \
    X(interrupts, "interrupts worked off")                                                         \
    X(empty_interrupts, "interrupts with nothing for the queue")                                   \
    X(bounced, "commands through a bounce buffer")                                                 \
    X(direct, "commands with direct DMA")                                                          \
    X(bytes_bounced, "bytes copied by the driver")                                                 \
    X(bytes_read, "bytes of reads")                                                                \
    X(bytes_written, "bytes of writes")                                                            \
    X(prp_lists, "commands with a PRP list")                                                       \
    X(prp_list_pages, "PRP list pages filled")                                                     \
    X(sgls, "commands with an SGL")                                                                \
    X(splits, "requests of more than one command")                                                 \
    X(busy_rejects, "requests refused for want of a slot")                                         \
    X(waits, "requests that waited in the driver")                                                 \
    X(status_errors, "completions with an error status")                                           \
    X(protocol_errors, "completion entries that cannot be true")                                   \
    X(timeouts, "commands that were late")                                                         \
    X(found_late, "commands that one more look has found ended")                                   \
    X(aborts, "Abort commands sent")                                                               \
    X(aborts_refused, "Abort commands that did not abort")                                         \
    X(reissued, "requests sent again after a reset")                                               \
    X(retries, "requests sent again for their status")                                             \
    X(cancelled, "requests cancelled")                                                             \
    X(late_entries, "entries of commands given up")

/* Of struct nvme_admin_stats. */
#define COUNTERS_ADMIN(X)                                                                          \
    X(commands, "admin commands submitted")                                                        \
    X(completions, "their completion entries")                                                     \
    X(protocol_errors, "entries that cannot be true")                                              \
    X(async_events, "asynchronous events")                                                         \
    X(resets, "resets by the driver itself")

/* Of struct nvme_smart: SMART / Health Information (NVMe 1.4, 5.14.1.2) at the end of the run. */
#define COUNTERS_SMART(X)                                                                          \
    X(critical_warning, critical_warning, "critical warnings")                                     \
    X(temperature_k, temperature_k, "composite temperature, K")                                    \
    X(available_spare, available_spare, "available spare, %")                                      \
    X(spare_threshold, spare_threshold, "available spare threshold, %")                            \
    X(percentage_used, percentage_used, "life used, %")                                            \
    X(units_read, units_read.low, "data units read, thousands of 512 bytes")                       \
    X(units_written, units_written.low, "data units written, thousands of 512 bytes")              \
    X(host_reads, host_reads.low, "host read commands")                                            \
    X(host_writes, host_writes.low, "host write commands")                                         \
    X(power_cycles, power_cycles.low, "power cycles")                                              \
    X(power_on_hours, power_on_hours.low, "power-on hours")                                        \
    X(unsafe_shutdowns, unsafe_shutdowns.low, "unsafe shutdowns")                                  \
    X(media_errors, media_errors.low, "media and data integrity errors")                           \
    X(error_entries, error_entries.low, "error log entries")

/* Of struct host_stats. */
#define COUNTERS_HOST(X)                                                                           \
    X(interrupts, "interrupts delivered")                                                          \
    X(bytes_copied, "bytes copied by the CPU")

/* Of struct ctrl_stats. */
#define COUNTERS_CONTROLLER(X)                                                                     \
    X(sq_doorbells, "SQ tail doorbell writes that arrived")                                        \
    X(cq_doorbells, "CQ head doorbell writes that arrived")                                        \
    X(same_value_doorbells, "doorbell writes of the value already there")                          \
    X(register_writes, "other register writes")                                                    \
    X(register_reads, "register reads")                                                            \
    X(mask_writes, "INTMS writes")                                                                 \
    X(unmask_writes, "INTMC writes")                                                               \
    X(commands, "I/O commands fetched")                                                            \
    X(admin_commands, "admin commands fetched")                                                    \
    X(reads, "read commands")                                                                      \
    X(writes, "write commands")                                                                    \
    X(flushes, "flush commands")                                                                   \
    X(fetch_bursts, "DMA reads of submission entries")                                             \
    X(shadow_reads, "DMA reads of shadow doorbells")                                               \
    X(eventidx_writes, "DMA writes of EventIdx")                                                   \
    X(list_reads, "DMA reads of PRP lists and SGLs")                                               \
    X(completions, "completion entries written")                                                   \
    X(errors, "completions with an error status")                                                  \
    X(interrupts, "interrupts sent")                                                               \
    X(dma_errors, "accesses that the host refused")

enum counter_side { COUNTER_DRIVER, COUNTER_ADMIN, COUNTER_HOST, COUNTER_CONTROLLER };
#define COUNTER_SIDES 4

struct counter_row {
    enum counter_side side;
    const char *name, *text;
};
extern const struct counter_row counter_rows[];
extern const size_t counter_row_count;
struct counter_smart_row {
    const char *name, *text;
};
extern const struct counter_smart_row counter_smart_rows[]; /* COUNTERS_SMART_ROWS of them */

#define COUNTERS_QUEUES_MAX 64
#define COUNTERS_ROWS_MAX   64
#define COUNTERS_SMART_ROWS 14

/* The timed part of a run, or several. */
struct counters {
    struct machine *machine;
    unsigned queues;
    uint64_t requests; /* block requests */
    uint64_t total[COUNTERS_ROWS_MAX];
    uint64_t of_queue[COUNTERS_ROWS_MAX][COUNTERS_QUEUES_MAX]; /* rows of the driver */
    uint64_t peak[COUNTERS_QUEUES_MAX];                        /* in flight, over the whole run */
    uint64_t smart[COUNTERS_SMART_ROWS];
    int smart_error; /* an nvme_error: there is no SMART log */
};

/* Have a run count into this: sets the spec's callbacks. */
void counters_watch(struct counters *counters, struct run_spec *spec);

#endif
