/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the tests of sim/engine.
 */
#include <stdlib.h>

#include "unit/engine/suites.h"

int main(void)
{
    SRunner *runner = srunner_create(suite_order());

    srunner_add_suite(runner, suite_queue());
    srunner_add_suite(runner, suite_growth());
    srunner_add_suite(runner, suite_clock());
    srunner_add_suite(runner, suite_random());
    srunner_add_suite(runner, suite_stats());
    srunner_add_suite(runner, suite_cpu());
    srunner_add_suite(runner, suite_fiber());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
