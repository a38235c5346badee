/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A machine under the eyes of the checker (sim/rules): whoever builds a machine attaches one, and
 * asks for its verdict before the machine is taken down. Used by the runners and by tests that
 * build machines of their own.
 */
#ifndef RUN_JUDGED_H
#define RUN_JUDGED_H

#include "machine/machine.h"
#include "rules/rules.h"

/* All zero: the first violation ends the run. */
struct judged_options {
    enum rules_mode mode;
    const struct rules_suppressions *suppress; /* may be NULL */
    const char *again;                         /* the command line; may be NULL */
    bool
        special; /* faults are injected, or the run is too short for performance figures to count */
};

/* NULL with RULES_OFF. Before the machine is started; params are those it was created with. */
struct rules *judged_begin(struct machine *machine, const struct machine_params *params,
                           const struct judged_options *options);
/* The workload is over and the machine stopped. Fills the verdict (all zero if rules is NULL) and
 * destroys the checker, which must happen before the machine is destroyed. */
void judged_end(struct rules *rules, struct rules_verdict *verdict);

#endif
