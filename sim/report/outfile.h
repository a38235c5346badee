/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Output files that are never half-written: everything goes to a temporary file in the same
 * directory, which takes the final name only when it is complete. Used by every printer that writes
 * files.
 */
#ifndef REPORT_OUTFILE_H
#define REPORT_OUTFILE_H

#include <stddef.h>
#include <stdio.h>

#define OUTFILE_PATH_MAX   4096
#define REPORT_MESSAGE_MAX 1024

struct outfile {
    FILE *file;
    char path[OUTFILE_PATH_MAX]; /* final name; "" if written in place */
    char temporary[OUTFILE_PATH_MAX];
    char name[OUTFILE_PATH_MAX]; /* as given, for messages */
};

/* "-" is standard output. What exists and is no regular file (a pipe, /dev/null) is written in
 * place; a symbolic link keeps pointing where it does. 0, or -1 and a message. */
int outfile_open(struct outfile *out, const char *path, char message[REPORT_MESSAGE_MAX]);
/* Complete it. 0, or -1 and a message: then nothing is left behind. */
int outfile_commit(struct outfile *out, char message[REPORT_MESSAGE_MAX]);
/* Leave no trace. */
void outfile_abandon(struct outfile *out);

/* Could this be opened? 0, or -1 and a message; changes nothing. */
int outfile_check(const char *path, char message[REPORT_MESSAGE_MAX]);
/* Remove the temporary files of this process; may be called from a signal handler that ends it. */
void outfile_remove_pending(void);

#endif
