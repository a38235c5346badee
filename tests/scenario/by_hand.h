/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host by hand, for what no workload does: registers, one queue pair, a script of commands.
 */
#ifndef SCENARIO_BY_HAND_H
#define SCENARIO_BY_HAND_H

#include "machine/machine.h"

/* A hash of everything that the host saw: Identify Controller, and with `io` all completions and
 * data of the script, and when they came. */
uint64_t by_hand(const struct machine_params *params, bool io);

#endif
