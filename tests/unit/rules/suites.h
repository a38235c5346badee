/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checker's suites, one per file; main() is in test_rules.c.
 */
#ifndef TEST_RULES_SUITES_H
#define TEST_RULES_SUITES_H

#include <check.h>

Suite *suite_submit(void);
Suite *suite_command(void);
Suite *suite_request(void);
Suite *suite_data(void);
Suite *suite_lists(void);
Suite *suite_cache(void);
Suite *suite_complete(void);
Suite *suite_shadow(void);
Suite *suite_registers(void);
Suite *suite_queues(void);

#endif
