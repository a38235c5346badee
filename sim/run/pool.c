/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worker processes; see pool.h. All job numbers lie in one pipe from which every worker takes the
 * next; all outcomes come back through another, each in one write below PIPE_BUF, so they never
 * mix.
 */
#include "run/pool.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 256

struct packet {
    uint32_t index;
    struct pool_outcome outcome;
};
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

static void worker(int jobs, int results,
                   void (*work)(void *ctx, size_t index, struct pool_outcome *outcome), void *ctx)
{
    struct packet packet;
    uint32_t index;
    while (read_whole(jobs, &index, sizeof index) == 1) {
        memset(&packet, 0, sizeof packet);
        packet.index = index;
        work(ctx, index, &packet.outcome);
        if (write(results, &packet, sizeof packet) != (ssize_t)sizeof packet)
            _exit(1);
    }
    _exit(0);
}

static int run_here(size_t count,
                    void (*work)(void *ctx, size_t index, struct pool_outcome *outcome),
                    void (*finished)(void *ctx, size_t done), void *ctx,
                    struct pool_outcome *outcomes)
{
    for (size_t i = 0; i < count; i++) {
        memset(&outcomes[i], 0, sizeof outcomes[i]);
        work(ctx, i, &outcomes[i]);
        finished(ctx, i + 1);
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

static int collect(int results, size_t count, void (*finished)(void *ctx, size_t done), void *ctx,
                   struct pool_outcome *outcomes)
{
    static struct packet packet;
    size_t done = 0;
    while (done < count && read_whole(results, &packet, sizeof packet) == 1) {
        outcomes[packet.index] = packet.outcome;
        finished(ctx, ++done);
    }
    return done == count ? 0 : -1;
}

int pool_run(size_t count, unsigned workers,
             void (*work)(void *ctx, size_t index, struct pool_outcome *outcome),
             void (*finished)(void *ctx, size_t done), void *ctx, struct pool_outcome *outcomes,
             char message[RUN_MESSAGE_MAX])
{
    int jobs[2], results[2];
    if (workers > count)
        workers = (unsigned)count;
    if (workers > WORKERS_MAX)
        workers = WORKERS_MAX;
    if (workers <= 1)
        return run_here(count, work, finished, ctx, outcomes);
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
            worker(jobs[0], results[1], work, ctx);
        }
    }
    close(jobs[0]);
    close(results[1]);
    int error = made == 0 ? -1 : collect(results[0], count, finished, ctx, outcomes);
    close(results[0]);
    for (unsigned i = 0; i < made; i++)
        wait(NULL);
    if (error != 0)
        snprintf(message, RUN_MESSAGE_MAX,
                 made == 0 ? "cannot make a worker process" : "a worker process died");
    return error;
}
