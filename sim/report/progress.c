/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The progress bar: one line, redrawn in place. See progress.h.
 */
#include "report/progress.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_MS  250u
#define BAR_WIDTH  30u
#define LINE_WIDTH 79

static uint64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, FILE *file, enum progress_mode mode, uint64_t total)
{
    *progress = (struct progress){.file = file, .total = total, .clock_ms = monotonic_ms};
    progress->shown = mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && isatty(fileno(file)));
    progress->start_ms = progress->clock_ms();
}

static void draw(struct progress *progress, uint64_t now_ms, const char *label)
{
    const uint64_t elapsed_ms = now_ms - progress->start_ms;
    const double share = progress->total ? (double)progress->done / (double)progress->total : 1.0;
    const unsigned filled = (unsigned)(share * BAR_WIDTH);
    char bar[BAR_WIDTH + 1];
    char left[32] = "--:--";

    for (unsigned i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    if (progress->done) {
        const uint64_t left_s = (uint64_t)((double)elapsed_ms * (1.0 / share - 1.0) / 1000.0 + 0.5);

        snprintf(left, sizeof(left), "%02" PRIu64 ":%02" PRIu64, left_s / 60, left_s % 60);
    }
    fprintf(progress->file, "\r[%s] %3u %%  %s left  %-24.24s", bar, (unsigned)(share * 100), left,
            label ? label : "");
    fflush(progress->file);
}

void progress_update(struct progress *progress, uint64_t done, const char *label)
{
    if (!progress->shown)
        return;
    const uint64_t now_ms = progress->clock_ms();
    progress->done = done < progress->total ? done : progress->total;
    if (progress->drawn && now_ms - progress->drawn_ms < REDRAW_MS)
        return;
    progress->drawn = true;
    progress->drawn_ms = now_ms;
    draw(progress, now_ms, label);
}

void progress_end(struct progress *progress)
{
    if (progress->shown && progress->drawn) {
        fprintf(progress->file, "\r%*s\r", LINE_WIDTH, "");
        fflush(progress->file);
    }
    progress->shown = false;
}
