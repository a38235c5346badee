/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What parameters of the medium do that no run shows so far: the medium is asked without a machine
 * around it. Each returns a hash of what happened and when.
 */
#ifndef SCENARIO_ON_MEDIUM_H
#define SCENARIO_ON_MEDIUM_H

#include "machine/params.h"

/* No run loses power: what a write without a flush leaves. */
uint64_t on_medium_power_loss(const struct machine_params *params);

/* Nor does one write enough to keep a collector busy: random writes, reads, trims and flushes. */
uint64_t on_medium_overwritten(const struct machine_params *params);

#endif
