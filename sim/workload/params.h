/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parameter structures of this room ([workload] and [fs]; see config/param.h) and the checks
 * that single limits cannot express. Read by the suites, the file system and the replayer; filled
 * by config. Conversions from text to these structures are not here.
 */
#ifndef WORKLOAD_PARAMS_H
#define WORKLOAD_PARAMS_H

#include "config/param.h"

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct workload_params {
#include "workload/workload.def"
};
#include "config/param_end.h"

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct fs_params {
#include "workload/fs.def"
};
#include "config/param_end.h"

extern const struct param_row workload_rows[];
extern const size_t workload_row_count;
extern const struct param_row fs_rows[];
extern const size_t fs_row_count;

/* NULL if good, else one sentence naming the key and what is allowed. */
const char *workload_params_check(const struct workload_params *params);
const char *fs_params_check(const struct fs_params *params);

#endif
