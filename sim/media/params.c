/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The medium's parameters: their rows, and the checks of combinations. Called at creation only.
 */
#include "media/media.h"

#define PARAM_AS_ROWS struct media_params
#include "config/param_begin.h"
const struct param_row media_rows[] = {
#include "media/media.def"
};
#include "config/param_end.h"
const size_t media_row_count = sizeof media_rows / sizeof media_rows[0];

const char *media_params_check(const struct media_params *params, uint64_t capacity)
{
    (void)params, (void)capacity;
    return NULL;
}
