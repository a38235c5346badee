/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the tests of sim/pcie. The MSI-X table is tested beside the controller (tests/unit/nvme).
 */
#include <stdlib.h>

#include "unit/pcie/suites.h"

int main(void)
{
    SRunner *runner = srunner_create(suite_link());

    srunner_add_suite(runner, suite_link_pace());
    srunner_add_suite(runner, suite_link_rate());
    srunner_add_suite(runner, suite_link_tlp());
    srunner_add_suite(runner, suite_configspace());
    srunner_add_suite(runner, suite_msi());
    srunner_add_suite(runner, suite_port());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
