/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of all parameters; see params.h.
 */
#include "run/params.h"

#define BASE(room) offsetof(struct run_params, room)
#define GROUPS     9

const struct param_table *run_param_table(void)
{
    /* The rooms' row counts are not constant expressions: the groups are filled when first asked.
     */
    static struct param_group groups[GROUPS];
    static struct param_table table;
    if (table.groups == NULL) {
        const struct param_group filled[GROUPS] = {
            {driver_rows, driver_row_count, BASE(machine.driver)},
            {link_rows, link_row_count, BASE(machine.link)},
            {ctrl_rows, ctrl_row_count, BASE(machine.ctrl)},
            {media_rows, media_row_count, BASE(machine.media)},
            {host_rows, host_row_count, BASE(machine.host)},
            {cache_rows, cache_row_count, BASE(machine.cache)},
            {os_rows, os_row_count, BASE(machine.os)},
            {fs_rows, fs_row_count, BASE(fs)},
            {workload_rows, workload_row_count, BASE(workload)},
        };
        for (unsigned i = 0; i < GROUPS; i++)
            groups[i] = filled[i];
        table = (struct param_table){groups, GROUPS, sizeof(struct run_params)};
    }
    return &table;
}

const char *run_params_check(const struct run_params *params)
{
    const char *wrong = machine_params_check(&params->machine);
    if (wrong == NULL)
        wrong = fs_params_check(&params->fs);
    if (wrong == NULL)
        wrong = workload_params_check(&params->workload);
    return wrong;
}
