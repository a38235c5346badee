/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's suites, one per file; main() is in test_driver.c.
 */
#ifndef TEST_DRIVER_SUITES_H
#define TEST_DRIVER_SUITES_H

#include <check.h>

Suite *suite_config(void);
Suite *suite_bringup(void);
Suite *suite_bringup_failures(void);
Suite *suite_lifecycle(void);
Suite *suite_io(void);
Suite *suite_short(void);
Suite *suite_queue(void);
Suite *suite_prps(void);
Suite *suite_data(void);
Suite *suite_ops(void);
Suite *suite_sgl(void);
Suite *suite_vectors(void);
Suite *suite_reach(void);
Suite *suite_faults(void);
Suite *suite_interrupt(void);
Suite *suite_halves(void);
Suite *suite_doorbell(void);
Suite *suite_shadow(void);
Suite *suite_shadow_rings(void);
Suite *suite_coalescing(void);
Suite *suite_trace(void);
Suite *suite_events(void);
Suite *suite_admin(void);
Suite *suite_features(void);
Suite *suite_services(void);

Suite *suite_generation(void);
Suite *suite_traps_rings(void);
Suite *suite_traps_entries(void);
Suite *suite_traps_data(void);
Suite *suite_traps_life(void);

Suite *suite_timeout(void);
Suite *suite_recovery(void);
Suite *suite_retry(void);
Suite *suite_cancel(void);

#endif
