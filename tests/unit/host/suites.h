/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One suite getter per file of tests of sim/host; main.c runs them all.
 */
#ifndef TESTS_HOST_SUITES_H
#define TESTS_HOST_SUITES_H

#include <check.h>

Suite *suite_memory(void);
Suite *suite_dma(void);
Suite *suite_reach(void);
Suite *suite_cache(void);
Suite *suite_platform(void);
Suite *suite_mapping(void);
Suite *suite_interrupt(void);
Suite *suite_vectors(void);
Suite *suite_lock(void);
Suite *suite_enumerate(void);
Suite *suite_os(void);

#endif
