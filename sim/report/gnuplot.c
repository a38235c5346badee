/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fork and exec of gnuplot. What the child has to say (why exec failed, gnuplot's own messages)
 * comes back through a pipe and becomes part of the message. See gnuplot.h.
 */
#include "report/gnuplot.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENDING       ".part"
#define CANNOT_EXEC  127
#define CANNOT_CHDIR 126
#define SAID_MAX     512

static void run_child(const char *directory, const char *script, int to_parent)
{
    if (chdir(directory) != 0)
        _exit(CANNOT_CHDIR);
    if (dup2(to_parent, STDERR_FILENO) < 0 || dup2(to_parent, STDOUT_FILENO) < 0)
        _exit(CANNOT_CHDIR);
    close(to_parent);
    execlp("gnuplot", "gnuplot", "-e", "ending=\"" ENDING "\"", script, (char *)NULL);
    _exit(CANNOT_EXEC);
}

/* Everything that gnuplot says, its beginning kept. */
static void listen_to(int from_child, char said[SAID_MAX])
{
    size_t length = 0;
    char chunk[SAID_MAX];
    ssize_t got;

    while ((got = read(from_child, chunk, sizeof(chunk))) > 0 || (got < 0 && errno == EINTR)) {
        for (ssize_t i = 0; i < got && length < SAID_MAX - 1; i++)
            said[length++] = chunk[i] == '\n' ? ' ' : chunk[i];
    }
    said[length] = '\0';
}

static bool image_name(char path[OUTFILE_PATH_MAX], const char *directory, const char *slug,
                       const char *image, const char *ending)
{
    const int length =
        snprintf(path, OUTFILE_PATH_MAX, "%s/%s.%s%s", directory, slug, image, ending);

    return length > 0 && length < OUTFILE_PATH_MAX;
}

static int finish_images(const char *directory, const char *slug, const char *const *images,
                         size_t count, bool keep, char *message)
{
    char from[OUTFILE_PATH_MAX], to[OUTFILE_PATH_MAX];
    int error = 0;

    for (size_t i = 0; i < count; i++) {
        if (!image_name(from, directory, slug, images[i], ENDING) ||
            !image_name(to, directory, slug, images[i], ""))
            continue;
        if (!keep || error) {
            unlink(from);
        } else if (rename(from, to) != 0) {
            snprintf(message, REPORT_MESSAGE_MAX, "cannot write %.900s: %s", to, strerror(errno));
            error = -1;
        }
    }
    return error;
}

int gnuplot_run(const char *directory, const char *slug, const char *const *images, size_t count,
                char message[REPORT_MESSAGE_MAX])
{
    char script[OUTFILE_PATH_MAX], said[SAID_MAX];
    int channel[2], status = 0;

    if (!image_name(script, ".", slug, "gp", "") || pipe(channel) != 0) {
        snprintf(message, REPORT_MESSAGE_MAX, "cannot run gnuplot: %s", strerror(errno));
        return -1;
    }
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0) {
        snprintf(message, REPORT_MESSAGE_MAX, "cannot run gnuplot: %s", strerror(errno));
        close(channel[0]);
        close(channel[1]);
        return -1;
    }
    if (child == 0) {
        close(channel[0]);
        run_child(directory, script, channel[1]);
    }
    close(channel[1]);
    listen_to(channel[0], said);
    close(channel[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == CANNOT_EXEC)
        snprintf(
            message, REPORT_MESSAGE_MAX,
            "plots need gnuplot, which cannot be started; Debian has it as gnuplot-nox (data and "
            "script are in %.600s)",
            directory);
    else if (code != 0)
        snprintf(message, REPORT_MESSAGE_MAX, "gnuplot failed in %.400s: %s", directory, said);
    if (code != 0) {
        (void)finish_images(directory, slug, images, count, false, message);
        return -1;
    }
    return finish_images(directory, slug, images, count, true, message);
}
