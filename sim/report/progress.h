/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A progress bar for long work: on a terminal only, at most four times a second, with the time that
 * is left. Wall-clock time is used here and nowhere in results.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
    FILE *file;
    bool shown;
    uint64_t total, done;
    uint64_t start_ms, drawn_ms;
    bool drawn;
    uint64_t (*clock_ms)(void);
};

/* auto: only if `file` (standard error) is a terminal. */
void progress_begin(struct progress *progress, FILE *file, enum progress_mode mode, uint64_t total);
/* label: what is being worked on, may be NULL. done: 0..total, in units of the caller's choice. */
void progress_update(struct progress *progress, uint64_t done, const char *label);
/* Removes the bar. */
void progress_end(struct progress *progress);

#endif
