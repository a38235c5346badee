/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs one suite of scenario tests: the one named by the build.
 */
#include <check.h>
#include <stdlib.h>

Suite *SCENARIO_SUITE(void);

int main(void)
{
    SRunner *runner = srunner_create(SCENARIO_SUITE());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
