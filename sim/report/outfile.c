/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Temporary file, then rename (POSIX rename() replaces in one step). See outfile.h.
 */
/* realpath() is of the X/Open part of POSIX. */
#define _XOPEN_SOURCE 700

#include "report/outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX ".part-XXXXXX"
#define MODE_ALL         0666

/* Temporary files that exist now, for outfile_remove_pending(). */
#define PENDING_MAX 16
static const char *volatile pending[PENDING_MAX];

static void pending_replace(const char *old, const char *by)
{
    for (unsigned i = 0; i < PENDING_MAX; i++) {
        if (pending[i] == old) {
            pending[i] = by;
            return;
        }
    }
}

void outfile_remove_pending(void)
{
    for (unsigned i = 0; i < PENDING_MAX; i++)
        if (pending[i])
            unlink(pending[i]);
}

static int complain(char message[REPORT_MESSAGE_MAX], const char *what, const char *name)
{
    snprintf(message, REPORT_MESSAGE_MAX, "cannot %s %.900s: %s", what, name, strerror(errno));
    return -1;
}

/* mkstemp() makes files for the owner only; give it what a plain open would have. */
static void set_mode(int fd)
{
    const mode_t mask = umask(0);

    umask(mask);
    (void)fchmod(fd, MODE_ALL & ~mask);
}

static void remove_temporary(struct outfile *out)
{
    unlink(out->temporary);
    pending_replace(out->temporary, NULL);
}

static int open_temporary(struct outfile *out, char message[REPORT_MESSAGE_MAX])
{
    const size_t length = strlen(out->path);

    if (length + sizeof(TEMPORARY_SUFFIX) > sizeof(out->temporary)) {
        errno = ENAMETOOLONG;
        return complain(message, "write", out->name);
    }
    memcpy(out->temporary, out->path, length);
    memcpy(out->temporary + length, TEMPORARY_SUFFIX, sizeof(TEMPORARY_SUFFIX));
    const int fd = mkstemp(out->temporary);
    if (fd < 0)
        return complain(message, "write", out->name);
    pending_replace(NULL, out->temporary);
    set_mode(fd);
    out->file = fdopen(fd, "w");
    if (!out->file) {
        close(fd);
        remove_temporary(out);
        return complain(message, "write", out->name);
    }
    return 0;
}

int outfile_open(struct outfile *out, const char *path, char message[REPORT_MESSAGE_MAX])
{
    struct stat status;

    memset(out, 0, sizeof(*out));
    if (path[0] == '\0') {
        errno = ENOENT;
        return complain(message, "write", "a file without a name");
    }
    if (strlen(path) >= sizeof(out->path)) {
        errno = ENAMETOOLONG;
        return complain(message, "write", path);
    }
    memcpy(out->name, path, strlen(path) + 1);
    if (strcmp(path, "-") == 0) {
        out->file = stdout;
        return 0;
    }
    if (stat(path, &status) != 0) {
        memcpy(out->path, path, strlen(path) + 1);
        return open_temporary(out, message);
    }
    if (!S_ISREG(status.st_mode)) {
        out->file = fopen(path, "w");
        return out->file ? 0 : complain(message, "write", path);
    }
    char *real = realpath(path, NULL);
    if (!real || strlen(real) >= sizeof(out->path)) {
        free(real);
        return complain(message, "write", path);
    }
    memcpy(out->path, real, strlen(real) + 1);
    free(real);
    return open_temporary(out, message);
}

int outfile_commit(struct outfile *out, char message[REPORT_MESSAGE_MAX])
{
    const int failed = fflush(out->file) != 0 || ferror(out->file);
    int closed = 0;

    if (failed)
        (void)complain(message, "write", out->name);
    if (out->file != stdout)
        closed = fclose(out->file);
    out->file = NULL;
    if (!failed && closed != 0)
        (void)complain(message, "write", out->name);
    if (!failed && closed == 0) {
        if (!out->path[0])
            return 0;
        if (rename(out->temporary, out->path) == 0) {
            pending_replace(out->temporary, NULL);
            return 0;
        }
        (void)complain(message, "write", out->name);
    }
    if (out->path[0])
        remove_temporary(out);
    return -1;
}

void outfile_abandon(struct outfile *out)
{
    if (out->file && out->file != stdout)
        fclose(out->file);
    if (out->path[0])
        remove_temporary(out);
    out->file = NULL;
}

int outfile_check(const char *path, char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;
    struct stat status;

    if (strcmp(path, "-") == 0)
        return 0;
    /* Opening a pipe only to close it would tell its reader that this was all. */
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
        else if (access(path, W_OK) == 0)
            return 0;
        return complain(message, "write", path);
    }
    if (outfile_open(&out, path, message) != 0)
        return -1;
    outfile_abandon(&out);
    return 0;
}
