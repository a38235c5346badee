/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See fixture.h. SCENARIO_PROFILES is the directory of the shipped profiles, given by the build.
 */
#include "scenario/fixture.h"

#include <check.h>
#include <stdio.h>

static void apply(struct fixture *fixture, struct diag *diag)
{
    bool good = config_apply(fixture->config, &fixture->params, diag);
    diag_print(diag, stderr);
    ck_assert_msg(good, "the configuration has errors");
    const char *wrong = run_params_check(&fixture->params);
    ck_assert_msg(wrong == NULL, "%s", wrong);
}

void fixture_open(struct fixture *fixture, const char *setup, const char *driver, const char *drive,
                  const char *host)
{
    const struct config_choice choice = {driver, drive, host};
    struct diag *diag = diag_create();
    fixture->config = config_create(run_param_table());
    config_add_directory(fixture->config, SCENARIO_PROFILES);
    config_load_setup(fixture->config, setup, &choice, diag);
    apply(fixture, diag);
    diag_destroy(diag);
    fixture->spec = (struct run_spec){
        .params = &fixture->params,
        .driver = config_member(fixture->config, CONFIG_DRIVER),
        .drive = config_member(fixture->config, CONFIG_DRIVE),
        .host = config_member(fixture->config, CONFIG_HOST),
        .options = {.seed = 1, .form = MEMORY_TAGS, .verify = true},
    };
}

void fixture_set(struct fixture *fixture, const char *assignment)
{
    struct diag *diag = diag_create();
    config_set(fixture->config, assignment, CONFIG_OPTION, diag);
    apply(fixture, diag);
    diag_destroy(diag);
}

void fixture_close(struct fixture *fixture)
{
    config_destroy(fixture->config);
}

struct result fixture_suite(struct fixture *fixture, const char *suite, uint64_t block_bytes)
{
    char message[RUN_MESSAGE_MAX] = "";
    struct result result;
    int error = run_suite(&fixture->spec, adb_find(suite), block_bytes, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    return result;
}
