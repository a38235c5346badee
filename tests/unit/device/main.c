/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runner of the bus interface's tests.
 */
#include <stdlib.h>

#include "unit/device/suites.h"

int main(void)
{
    SRunner *runner = srunner_create(suite_world());
    int failed;

    srunner_add_suite(runner, suite_create_device());
    srunner_add_suite(runner, suite_access());
    srunner_add_suite(runner, suite_many());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
