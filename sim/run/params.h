/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every parameter of a run: machine, file system and workload, in the one table from which the
 * parser, the command line, --help, --dump-config and the reference page come.
 */
#ifndef RUN_PARAMS_H
#define RUN_PARAMS_H

#include "machine/params.h"
#include "workload/params.h"

struct run_params {
    struct machine_params machine;
    struct fs_params fs;
    struct workload_params workload;
};

const struct param_table *run_param_table(void);

/* What no single limit can say. NULL if the combination is good, else a sentence that names the
 * keys and what is allowed (valid until the next call). */
const char *run_params_check(const struct run_params *params);

#endif
