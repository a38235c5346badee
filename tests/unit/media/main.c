/* SPDX-License-Identifier: BSD-2-Clause
 * Runs the tests of the media room. */
#include <stdlib.h>

#include "unit/media/suites.h"

int main(void)
{
    Suite *suite = suite_create("media");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, simple_cases());
    suite_add_tcase(suite, latency_cases());
    suite_add_tcase(suite, flash_cases());
    suite_add_tcase(suite, buffer_cases());
    suite_add_tcase(suite, ftl_cases());
    suite_add_tcase(suite, readahead_cases());
    suite_add_tcase(suite, store_cases());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
