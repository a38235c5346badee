/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host without a driver, for what no driver of this project does: registers and queue entries by
 * hand. It brings the controller up, asks for shadow doorbells, reuses a command identifier,
 * and deletes a queue with commands in flight.
 */
#ifndef TESTS_SCENARIO_BY_HAND_QUEUES_H
#define TESTS_SCENARIO_BY_HAND_QUEUES_H

#include "machine/machine.h"

/* Hash of the event stream and of host memory at the end. */
uint64_t by_hand_queues(const struct machine_params *params);

#endif
