/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worker processes; see pool.h. All job numbers lie in one pipe from which every worker takes the
 * next; all outcomes come back through another, each in one write below PIPE_BUF, so they never
 * mix.
 */
#include "run/pool.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 256

struct packet {
    uint32_t index;
    _Alignas(max_align_t) unsigned char outcome[POOL_OUTCOME_MAX];
};
#define PACKET_BYTES(outcome_bytes) (offsetof(struct packet, outcome) + (outcome_bytes))
_Static_assert(sizeof(struct packet) <= PIPE_BUF, "an outcome must be written in one piece");

static int read_whole(int fd, void *to, size_t bytes)
{
    size_t got = 0;
    while (got < bytes) {
        ssize_t n = read(fd, (char *)to + got, bytes - got);
        if (n == 0)
            return got == 0 ? 0 : -1;
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            got += (size_t)n;
    }
    return 1;
}

/* What all of a call's workers are given. */
struct pool {
    void (*work)(void *ctx, size_t index, void *outcome);
    void (*finished)(void *ctx, size_t done);
    void *ctx;
    unsigned char *outcomes;
    size_t outcome_bytes;
};

static void worker(const struct pool *pool, int jobs, int results)
{
    struct packet packet;
    const size_t bytes = PACKET_BYTES(pool->outcome_bytes);
    uint32_t index;
    while (read_whole(jobs, &index, sizeof index) == 1) {
        memset(&packet, 0, sizeof packet);
        packet.index = index;
        pool->work(pool->ctx, index, packet.outcome);
        if (write(results, &packet, bytes) != (ssize_t)bytes)
            _exit(1);
    }
    _exit(0);
}

static int run_here(const struct pool *pool, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *outcome = pool->outcomes + i * pool->outcome_bytes;
        memset(outcome, 0, pool->outcome_bytes);
        pool->work(pool->ctx, i, outcome);
        pool->finished(pool->ctx, i + 1);
    }
    return 0;
}

/* Every index in the pipe, at once: it holds at least 64 KiB on Linux, and POOL_JOBS_MAX * 4 bytes
 * is that. */
static int fill_jobs(int fd, size_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (write(fd, &i, sizeof i) != (ssize_t)sizeof i)
            return -1;
    return 0;
}

static int collect(const struct pool *pool, int results, size_t count)
{
    static struct packet packet;
    size_t done = 0;
    while (done < count && read_whole(results, &packet, PACKET_BYTES(pool->outcome_bytes)) == 1) {
        memcpy(pool->outcomes + packet.index * pool->outcome_bytes, packet.outcome,
               pool->outcome_bytes);
        pool->finished(pool->ctx, ++done);
    }
    return done == count ? 0 : -1;
}

int pool_run(size_t count, unsigned workers, void (*work)(void *ctx, size_t index, void *outcome),
             void (*finished)(void *ctx, size_t done), void *ctx, void *outcomes,
             size_t outcome_bytes, char message[RUN_MESSAGE_MAX])
{
    const struct pool pool = {work, finished, ctx, outcomes, outcome_bytes};
    int jobs[2], results[2];
    assert(outcome_bytes <= POOL_OUTCOME_MAX);
    if (workers > count)
        workers = (unsigned)count;
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    if (workers <= 1)
        return run_here(&pool, count);
    if (pipe(jobs) != 0 || pipe(results) != 0 || fill_jobs(jobs[1], count) != 0) {
        snprintf(message, RUN_MESSAGE_MAX, "cannot make a pipe: %s", strerror(errno));
        return -1;
    }
    close(jobs[1]);
    fflush(NULL); /* or every worker would print what is buffered */
    unsigned made = 0;
    for (; made < workers; made++) {
        pid_t pid = fork();
        if (pid < 0)
            break;
        if (pid == 0) {
            close(results[0]);
            worker(&pool, jobs[0], results[1]);
        }
    }
    close(jobs[0]);
    close(results[1]);
    int error = made == 0 ? -1 : collect(&pool, results[0], count);
    close(results[0]);
    for (unsigned i = 0; i < made; i++)
        wait(NULL);
    if (error != 0)
        snprintf(message, RUN_MESSAGE_MAX,
                 made == 0 ? "cannot make a worker process" : "a worker process died");
    return error;
}
