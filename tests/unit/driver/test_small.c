/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the suites of the driver core that hold without any of the parts that a port may leave out
 * (<nvme/config.h>), and shows that whoever asks for one is refused. Built with all NVME_NO_* set.
 */
#include "fake.h"
#include "suites.h"

#include <stdlib.h>

/* The configuration is refused, and the field is named. */
#define REFUSED(name, value)                                                                       \
    do {                                                                                           \
        struct nvme_config config;                                                                 \
        const char *field = NULL;                                                                  \
        nvme_config_defaults(&config);                                                             \
        config.name = (value);                                                                     \
        ck_assert_int_eq(nvme_config_check(&config, &field), NVME_E_INVAL);                        \
        ck_assert_str_eq(field, #name);                                                            \
        ck_assert_uint_eq(nvme_memory_size(&config), 0);                                           \
    } while (0)

START_TEST(defaults_ask_for_no_part_that_is_missing)
{
    struct nvme_config config;

    nvme_config_defaults(&config);
    ck_assert_int_eq(nvme_config_check(&config, NULL), NVME_OK);
    ck_assert_uint_eq(config.aer_count, 0);
    ck_assert_uint_gt(nvme_memory_size(&config), 0);
}
END_TEST

START_TEST(asking_for_a_missing_part_is_refused_and_names_the_field)
{
    REFUSED(io_timeout_ms, 4);
    REFUSED(retries, 1);
    REFUSED(recovery, NVME_RECOVERY_RESET);
    REFUSED(shadow_doorbells, true);
    REFUSED(sgl, NVME_SGL_WHERE_NEEDED);
    REFUSED(sgl, NVME_SGL_BY_SIZE);
    REFUSED(coalescing, NVME_COALESCING_FIXED);
    REFUSED(coalescing, NVME_COALESCING_ADAPTIVE);
    REFUSED(host_memory_bytes, 1);
    REFUSED(host_behavior, true);
    REFUSED(weighted, true);
    REFUSED(aer_count, 1);
}
END_TEST

static Suite *suite_small(void)
{
    Suite *suite = suite_create("driver without its parts");
    TCase *tc = tcase_create("configuration");

    tcase_add_test(tc, defaults_ask_for_no_part_that_is_missing);
    tcase_add_test(tc, asking_for_a_missing_part_is_refused_and_names_the_field);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(suite_small());
    int failed;

    fake_disk_create();
    srunner_add_suite(runner, suite_bringup());
    srunner_add_suite(runner, suite_bringup_failures());
    srunner_add_suite(runner, suite_lifecycle());
    srunner_add_suite(runner, suite_io());
    srunner_add_suite(runner, suite_short());
    srunner_add_suite(runner, suite_queue());
    srunner_add_suite(runner, suite_prps());
    srunner_add_suite(runner, suite_faults());
    srunner_add_suite(runner, suite_interrupt());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
