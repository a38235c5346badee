/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the tests of sim/host.
 */
#include <stdlib.h>

#include "unit/host/suites.h"

int main(void)
{
    SRunner *runner = srunner_create(suite_memory());

    srunner_add_suite(runner, suite_dma());
    srunner_add_suite(runner, suite_reach());
    srunner_add_suite(runner, suite_cache());
    srunner_add_suite(runner, suite_platform());
    srunner_add_suite(runner, suite_mapping());
    srunner_add_suite(runner, suite_interrupt());
    srunner_add_suite(runner, suite_vectors());
    srunner_add_suite(runner, suite_lock());
    srunner_add_suite(runner, suite_enumerate());
    srunner_add_suite(runner, suite_os());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
