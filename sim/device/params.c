/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A drive's parameters from its profile and the caller's settings, through the parser that the
 * command uses: the same files, limits and messages. Nothing is read from the environment.
 */
#include "device/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

#define BASE(room) offsetof(struct device_params, room)
#define GROUPS     3

/* The rooms' row counts are not constant expressions: the table is made for each use. */
static struct param_table device_table(struct param_group groups[GROUPS])
{
    groups[0] = (struct param_group){link_rows, link_row_count, BASE(link)};
    groups[1] = (struct param_group){ctrl_rows, ctrl_row_count, BASE(ctrl)};
    groups[2] = (struct param_group){media_rows, media_row_count, BASE(media)};
    return (struct param_table){groups, GROUPS, sizeof(struct device_params)};
}

static bool load(struct config *config, const struct doorbell_device_config *wanted,
                 struct device_params *params, struct diag *diag)
{
    const char *wrong;
    bool good = true;

    if (wanted->profiles != NULL)
        config_add_directory(config, wanted->profiles);
    if (wanted->drive != NULL)
        good = config_load_profile(config, CONFIG_DRIVE, wanted->drive, diag);
    for (size_t i = 0; i < wanted->setting_count; i++)
        good &= config_set(config, wanted->settings[i], CONFIG_OPTION, diag);
    if (!good || !config_apply(config, params, diag))
        return false;
    wrong = link_params_check(&params->link);
    if (wrong == NULL)
        wrong = ctrl_params_check(&params->ctrl);
    if (wrong == NULL)
        wrong = ctrl_media_params_check(&params->ctrl, &params->media);
    if (wrong != NULL)
        config_combination(config, wrong, diag);
    return wrong == NULL;
}

static int fail_with(struct doorbell_world *world, const struct diag *diag)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return world_fail(world, DOORBELL_E_CONFIG, "the configuration is wrong");
    diag_print(diag, out);
    fclose(out);
    while (bytes > 0 && text[bytes - 1] == '\n')
        text[--bytes] = '\0';
    world_fail(world, DOORBELL_E_CONFIG, "%s", text);
    free(text);
    return DOORBELL_E_CONFIG;
}

int device_params_load(struct doorbell_world *world, const struct doorbell_device_config *wanted,
                       struct device_params *params)
{
    struct param_group groups[GROUPS];
    struct param_table table = device_table(groups);
    struct config *config = config_create(&table);
    struct diag *diag = diag_create();
    int error = DOORBELL_OK;

    if (!load(config, wanted, params, diag))
        error = fail_with(world, diag);
    diag_destroy(diag);
    config_destroy(config);
    return error;
}
