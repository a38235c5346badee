/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs gnuplot on a script of ours. Used by plot.c only.
 */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include <stddef.h>

#include "report/outfile.h"

/* Run <directory>/<slug>.gp inside the directory. The script writes <slug>.<image><ending> for each
 * image; these get their final names only if gnuplot succeeded. 0, or -1 and a message (gnuplot is
 * missing, failed, or left a file out). */
int gnuplot_run(const char *directory, const char *slug, const char *const *images, size_t count,
                char message[REPORT_MESSAGE_MAX]);

#endif
