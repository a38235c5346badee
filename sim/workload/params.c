/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameter rows of [workload] and [fs], made from workload.def and fs.def, and the checks of what
 * a minimum and a maximum cannot say. Used by config and by whoever starts a workload.
 */
#include "workload/params.h"

#define PARAM_AS_ROWS struct workload_params
#include "config/param_begin.h"
const struct param_row workload_rows[] = {
#include "workload/workload.def"
};
#include "config/param_end.h"
const size_t workload_row_count = sizeof(workload_rows) / sizeof(workload_rows[0]);

#define PARAM_AS_ROWS struct fs_params
#include "config/param_begin.h"
const struct param_row fs_rows[] = {
#include "workload/fs.def"
};
#include "config/param_end.h"
const size_t fs_row_count = sizeof(fs_rows) / sizeof(fs_rows[0]);

static bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

const char *workload_params_check(const struct workload_params *params)
{
    if (!is_power_of_two(params->buffer_alignment))
        return "workload.buffer_alignment must be a power of two";
    return NULL;
}

const char *fs_params_check(const struct fs_params *params)
{
    if (!is_power_of_two(params->block_size))
        return "fs.block_size must be a power of two";
    if (params->extend_unit == 0)
        return "fs.extend_unit must not be 0";
    if (params->copy_rate == 0)
        return "fs.copy_rate must not be 0";
    return NULL;
}
