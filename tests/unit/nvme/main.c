/* SPDX-License-Identifier: BSD-2-Clause
 * Runs every suite of the controller model. */
#include <stdlib.h>

#include "unit/nvme/rig.h"

int main(void)
{
    SRunner *runner = srunner_create(suite_registers());
    int failed;

    srunner_add_suite(runner, suite_bus());
    srunner_add_suite(runner, suite_life());
    srunner_add_suite(runner, suite_admin());
    srunner_add_suite(runner, suite_abort());
    srunner_add_suite(runner, suite_queues());
    srunner_add_suite(runner, suite_nvm());
    srunner_add_suite(runner, suite_prp());
    srunner_add_suite(runner, suite_interrupt());
    srunner_add_suite(runner, suite_async());
    srunner_add_suite(runner, suite_timing());
    srunner_add_suite(runner, suite_records());
    srunner_add_suite(runner, suite_hostile());
    srunner_add_suite(runner, suite_shutdown());
    srunner_add_suite(runner, suite_cache());
    srunner_add_suite(runner, suite_compare());
    srunner_add_suite(runner, suite_fault());
    srunner_add_suite(runner, suite_fault_controller());
    srunner_add_suite(runner, suite_power_loss());
    srunner_add_suite(runner, suite_msi());
    srunner_add_suite(runner, suite_coalescing());
    srunner_add_suite(runner, suite_media_commands());
    srunner_add_suite(runner, suite_identify());
    srunner_add_suite(runner, suite_namespaces());
    srunner_add_suite(runner, suite_nsmgmt());
    srunner_add_suite(runner, suite_format());
    srunner_add_suite(runner, suite_arbitration());
    srunner_add_suite(runner, suite_fetch());
    srunner_add_suite(runner, suite_queue_delete());
    srunner_add_suite(runner, suite_cid());
    srunner_add_suite(runner, suite_shadow());
    srunner_add_suite(runner, suite_shadow_life());
    srunner_add_suite(runner, suite_shadow_race());
    srunner_add_suite(runner, suite_features());
    srunner_add_suite(runner, suite_feature_data());
    srunner_add_suite(runner, suite_host_memory());
    srunner_add_suite(runner, suite_keep_alive());
    srunner_add_suite(runner, suite_logs());
    srunner_add_suite(runner, suite_health());
    srunner_add_suite(runner, suite_firmware());
    srunner_add_suite(runner, suite_selftest());
    srunner_add_suite(runner, suite_claims());
    srunner_add_suite(runner, suite_namespace_life());
    srunner_add_suite(runner, suite_sgl());
    srunner_add_suite(runner, suite_lists());
    srunner_add_suite(runner, suite_engines());
    srunner_add_suite(runner, suite_paced());
    srunner_add_suite(runner, suite_paced_order());
    srunner_add_suite(runner, suite_cmb());
    srunner_add_suite(runner, suite_pointers_random());
    srunner_add_suite(runner, suite_crossings());
    srunner_add_suite(runner, suite_no_interrupt_lost());
    srunner_add_suite(runner, suite_exactly_once());
    srunner_add_suite(runner, suite_fault_language());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
