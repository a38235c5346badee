/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operating system between a program and the driver core: what it costs to bring a block
 * request to the driver, who looks for its completion, and what it costs to bring that back. Two
 * personalities: `direct`, where the caller itself enters the driver (and polls, or sleeps until
 * the interrupt), and `amigaos`, where a request is a message to a unit task that polls. Called by
 * machine/.
 */
#ifndef HOST_OS_H
#define HOST_OS_H

#include <nvme/nvme.h>

#include "host/host.h"

enum os_path { OS_DIRECT, OS_AMIGAOS };

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct os_params {
#include "host/os.def"
};
#include "config/param_end.h"

extern const struct param_row os_rows[];
extern const size_t os_row_count;

struct os;

/* Which queue a request goes to. */
enum os_queue_choice {
    OS_QUEUE_CPU,   /* that of the CPU, queues given out in turn */
    OS_QUEUE_FIRST, /* the first, with all others */
    OS_QUEUE_STEAL  /* that of the CPU, or the next one that has a free slot */
};

/* Which CPU calls nvme_step(): the first one, or whichever waits when it is due. */
enum os_stepper { OS_STEP_FIRST, OS_STEP_ANY };

/* What the CPUs share: nvme_step() is called by one at a time (nvme.h). All zero at first. */
struct os_steps {
    uint64_t next_ps; /* when it is due */
    bool running;
    uint64_t count[HOST_CPUS_MAX]; /* calls, by CPU */
};

struct os_config {
    struct host *host;
    unsigned cpu; /* on which the programs run that call this path */
    struct nvme *nvme;
    struct nvme_queue *const *queues;
    unsigned queue_count; /* 1..64 */
    unsigned slots;       /* of each queue */
    enum os_queue_choice choice;
    bool interrupts; /* completions are announced, and the host's handler calls nvme_interrupt();
                      * otherwise they are polled for */
    enum nvme_ring_policy ring; /* the driver's: with NVME_RING_AT_POLL nobody else rings */
    uint64_t step_ps; /* while a CPU waits it calls nvme_step() so often, which is how the driver
                       * notices time-outs and failures; 0: it does not */
    enum os_stepper stepper;
    struct os_steps *steps; /* one for all CPUs; must outlive it */
    uint32_t hybrid_spins; /* looks at the completion queue right after the doorbell, in a loop over
                            * memory alone */
    bool hybrid_sleep;     /* without interrupts: sleep for half the time that the first end after a
                            * doorbell takes on average, and poll only then */
};

/* One for each CPU. The queues must outlive it. */
struct os *os_create(const struct os_params *params, const struct os_config *config);
void os_destroy(struct os *os);

/* One request, from the program's call to its return. The request's done and user are the os's.
 * Returns request.error, the error of nvme_submit(), or NVME_E_TIMEOUT when nothing can complete it
 * any more (a lost completion: reported at once instead of polling for ever). */
int os_io(struct os *os, struct nvme_request *request);

/* The driver wants to know of each request whether another follows at once (NVME_REQ_MORE). */
bool os_wants_hints(const struct os *os);

/* Many requests at once. os_start brings one to the driver without ringing; os_kick rings for all
 * of them (where the driver batches) ; os_wait waits until at least one has ended: NVME_OK or
 * NVME_E_TIMEOUT as above. ended(ctx, request) is called for each, from inside os_kick or os_wait,
 * or from an interrupt during any call that takes time, or from wherever another CPU is when it
 * finds the completion; then this CPU is woken if it sleeps. */
int os_start(struct os *os, struct nvme_request *request,
             void (*ended)(void *ctx, struct nvme_request *request), void *ctx);
void os_kick(struct os *os);
int os_wait(struct os *os);
/* Requests started that have not ended. */
/* Refuse every request from now on, with NVME_E_STATE. */
void os_condemn(struct os *os);
unsigned os_in_flight(const struct os *os);

#endif
