/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the controller is: temperature, spare, wear, errors, and how long it has worked (the SMART /
 * Health log and the events that come from it). Outlives resets.
 */
#ifndef NVME_HEALTH_H
#define NVME_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;

#define HEALTH_PAGE_BYTES 512u

struct health {
    uint16_t temperature;  /* composite, kelvins */
    uint8_t spare_percent; /* of the spare capacity that is left */
    uint8_t used_percent;  /* of the endurance, up to 255 */
    uint8_t faults;        /* WARNING_RELIABILITY, _READ_ONLY, _BACKUP: told, not computed */
    uint8_t warnings;      /* all critical warnings as they stand */
    uint64_t power_cycles, unsafe_shutdowns, media_errors;
    uint64_t busy_since_ps, busy_ps; /* time with I/O commands in the controller */
    bool busy;
    /* time at or above the warning and the critical temperature, up to since_ps */
    uint64_t warm_ps, hot_ps, since_ps;
};

void health_init(struct ctrl *ctrl);
/* The first I/O command has come, the last has gone (command.c). */
void health_busy_begins(struct ctrl *ctrl);
void health_busy_ends(struct ctrl *ctrl);
/* Something that the critical warnings depend on has changed: new ones raise events. */
void health_check(struct ctrl *ctrl);
void health_power_cycle(struct ctrl *ctrl, bool unsafe);
uint64_t health_power_on_hours(const struct ctrl *ctrl);
void health_fill(struct ctrl *ctrl, uint8_t *page); /* HEALTH_PAGE_BYTES, zeroed */

#endif
