/* SPDX-License-Identifier: BSD-2-Clause
 * The test cases of the media room, one getter per file. */
#ifndef UNIT_MEDIA_SUITES_H
#define UNIT_MEDIA_SUITES_H

#include <check.h>

TCase *buffer_cases(void);
TCase *flash_cases(void);
TCase *ftl_cases(void);
TCase *latency_cases(void);
TCase *readahead_cases(void);
TCase *simple_cases(void);
TCase *store_cases(void);

#endif
