/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Just enough of an NVMe controller behind the rig's registers for the driver core to come up on:
 * admin commands are answered at once, I/O commands after a time that the test chooses, or never.
 * Not the simulator's controller: sim/host knows none.
 */
#ifndef TESTS_HOST_CONTROLLER_H
#define TESTS_HOST_CONTROLLER_H

#include "unit/host/rig.h"

#define CONTROLLER_NEVER UINT64_MAX

/* Put the controller behind rig's device. */
void controller_attach(void);
/* I/O commands complete this long after their doorbell, ps, with the completion queue's message if
 * asked. */
void controller_answer_after(uint64_t ps, bool message);
unsigned controller_commands(void); /* I/O commands seen */

#endif
