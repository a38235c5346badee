/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Published figures: a CSV file of the project (sim/profiles/published), read at run time, with the
 * columns set, version, suite, block_size_bytes, mib_per_s, source. Sets are kept apart because
 * they come from different sessions on different days; a comparison names the set that it uses.
 */
#ifndef REPORT_PUBLISHED_H
#define REPORT_PUBLISHED_H

#include <stddef.h>
#include <stdint.h>

#include "report/outfile.h"
#include "report/result.h"

#define PUBLISHED_TOTAL UINT64_MAX /* as a block size: the sum over the seven sizes */

struct published_figure {
    char set[RESULT_NAME_MAX];
    char driver[RESULT_NAME_MAX]; /* name of the driver profile */
    char suite[RESULT_NAME_MAX];
    uint64_t block_bytes;
    double mib_per_s;
};

struct published_table {
    struct published_figure *figures;
    size_t count;
};

/* 0, or -1 and "path:line: what is wrong; what is allowed" (then the table is empty). */
int published_read(struct published_table *table, const char *path,
                   char message[REPORT_MESSAGE_MAX]);
void published_free(struct published_table *table);
/* NULL if there is none (or no table). */
const struct published_figure *published_find(const struct published_table *table, const char *set,
                                              const char *driver, const char *suite,
                                              uint64_t block_bytes);

#endif
