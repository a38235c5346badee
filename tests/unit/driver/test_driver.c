/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the suites of the driver core. Exit 0 if all passed.
 */
#include "fake.h"
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(suite_config());
    int failed;

    fake_disk_create();
    srunner_add_suite(runner, suite_bringup());
    srunner_add_suite(runner, suite_bringup_failures());
    srunner_add_suite(runner, suite_lifecycle());
    srunner_add_suite(runner, suite_io());
    srunner_add_suite(runner, suite_short());
    srunner_add_suite(runner, suite_queue());
    srunner_add_suite(runner, suite_prps());
    srunner_add_suite(runner, suite_data());
    srunner_add_suite(runner, suite_ops());
    srunner_add_suite(runner, suite_sgl());
    srunner_add_suite(runner, suite_vectors());
    srunner_add_suite(runner, suite_reach());
    srunner_add_suite(runner, suite_faults());
    srunner_add_suite(runner, suite_interrupt());
    srunner_add_suite(runner, suite_halves());
    srunner_add_suite(runner, suite_doorbell());
    srunner_add_suite(runner, suite_shadow());
    srunner_add_suite(runner, suite_shadow_rings());
    srunner_add_suite(runner, suite_coalescing());
    srunner_add_suite(runner, suite_trace());
    srunner_add_suite(runner, suite_events());
    srunner_add_suite(runner, suite_admin());
    srunner_add_suite(runner, suite_features());
    srunner_add_suite(runner, suite_services());

    srunner_add_suite(runner, suite_generation());
    srunner_add_suite(runner, suite_traps_rings());
    srunner_add_suite(runner, suite_traps_entries());
    srunner_add_suite(runner, suite_traps_data());
    srunner_add_suite(runner, suite_traps_life());

    srunner_add_suite(runner, suite_timeout());
    srunner_add_suite(runner, suite_recovery());
    srunner_add_suite(runner, suite_retry());
    srunner_add_suite(runner, suite_cancel());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
