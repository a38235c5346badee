/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's locks, one per queue: spin locks with places in line, so that they are had in
 * the order in which they were asked for. A CPU that holds a lock or waits for one takes no
 * interrupts. Waiting is time spent (CPU_LOCK), though no event is spent on a turn of the loop: the
 * CPU sleeps in the simulator until it is served, and nobody in the simulation can tell. With one
 * CPU a lock only holds interrupts back, at no cost unless host.lock says so.
 */
#include "host/host_state.h"

#include <assert.h>

static struct host_lock *lock_of(struct host *host, uint16_t qid)
{
    assert(qid < HOST_QUEUES);
    return &host->locks[qid];
}

static void wait_in_line(struct host *host, struct host_lock *lock, unsigned place)
{
    struct host_cpu *here = host->here;
    uint64_t from = cpu_now(here->cpu);
    host->stats.lock_waits++;
    lock->line[place % HOST_CPUS_MAX] = here;
    while (lock->serving != place) {
        /* Nobody left who could unlock: the driver has taken two locks in two orders. A CPU of
         * several does not come back from the wait then. */
        bool woken = cpu_wait(here->cpu);
        assert(woken);
        (void)woken;
    }
    uint64_t waited = cpu_now(here->cpu) - from;
    host->stats.lock_wait_ps += waited;
    if (waited != 0)
        host_account(host, CPU_LOCK, waited);
}

/* Apart, so that a lock that costs nothing takes the simulator little time either. */
static __attribute__((noinline)) void lock_at_a_cost(struct host *host, uint16_t qid)
{
    const struct host_cpu *here = host->here;
    struct host_lock *lock = lock_of(host, qid);
    unsigned place = lock->next++;
    if (lock->serving != place)
        wait_in_line(host, lock, place);
    uint64_t ps = clock_cost(&host->clock, host->p.lock);
    if (lock->last != NULL && lock->last != here)
        ps += clock_cost(&host->clock, host->p.lock_transfer);
    lock->last = host->here;
    host_pass_ps(host, CPU_LOCK, ps);
}

static void record_lock(const struct host *host, uint16_t qid, bool taken)
{
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_LOCK, qid, taken, 0, 0);
}

void host_lock(void *ctx, uint16_t qid)
{
    struct host *host = ctx;
    host->here->holds++;
    host->stats.lock_takes++;
    if (host->locks_cost)
        lock_at_a_cost(host, qid);
    record_lock(host, qid, true);
}

static __attribute__((noinline)) void serve_next(struct host_lock *lock)
{
    lock->serving++;
    if (lock->serving != lock->next)
        cpu_wake(lock->line[lock->serving % HOST_CPUS_MAX]->cpu);
}

void host_unlock(void *ctx, uint16_t qid)
{
    struct host *host = ctx;
    record_lock(host, qid, false);
    if (host->locks_cost)
        serve_next(lock_of(host, qid));
    struct host_cpu *here = host->here;
    if (--here->holds == 0 && here->attention != 0)
        host_deliver(host);
}
