/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Results made by hand, with round figures, for the tests of the printers.
 */
#ifndef TEST_REPORT_FIXTURE_H
#define TEST_REPORT_FIXTURE_H

#include "report/report.h"

#define FIXTURE_SIZES 7
extern const uint64_t fixture_sizes[FIXTURE_SIZES];

struct fixture {
    struct result results[96];
    struct published_figure figures[8];
    struct published_table published;
    const char *drivers[REPORT_DRIVERS_MAX];
    char names[REPORT_DRIVERS_MAX][32];
    struct report report;
};

/* Two suites over all sizes and one without a size, with `drivers` drivers "drv-0", "drv-1", ...
 * Driver d at size i does (i + 1) * (d + 10) MiB/s. */
void fixture_make(struct fixture *fixture, size_t drivers);
/* Whole contents of a stream, NUL terminated, to be freed. */
char *fixture_text(FILE *file);

#endif
