/* SPDX-License-Identifier: BSD-2-Clause
 * Runs the tests of the configuration. */
#include <stdlib.h>

#include "unit/config/sample.h"

int main(void)
{
    SRunner *runner = srunner_create(suite_units());

    srunner_add_suite(runner, suite_values());
    srunner_add_suite(runner, suite_text());
    srunner_add_suite(runner, suite_ini());
    srunner_add_suite(runner, suite_profiles());
    srunner_add_suite(runner, suite_setups());
    srunner_add_suite(runner, suite_config());
    srunner_add_suite(runner, suite_table());
    srunner_add_suite(runner, suite_hostile());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
