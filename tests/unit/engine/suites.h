/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One suite getter per file of tests of sim/engine; main.c runs them all.
 */
#ifndef TESTS_ENGINE_SUITES_H
#define TESTS_ENGINE_SUITES_H

#include <check.h>

Suite *suite_order(void);
Suite *suite_queue(void);
Suite *suite_growth(void);
Suite *suite_clock(void);
Suite *suite_random(void);
Suite *suite_stats(void);
Suite *suite_cpu(void);
Suite *suite_fiber(void);

#endif
