/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The suites of the bus interface's tests.
 */
#ifndef TESTS_DEVICE_SUITES_H
#define TESTS_DEVICE_SUITES_H

#include <check.h>

Suite *suite_world(void);
Suite *suite_create_device(void);
Suite *suite_access(void);
Suite *suite_many(void);

#endif
