/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host with several commands on its way, which knows what it has written: for each block all
 * versions, the last one that was acknowledged, and the last one that no loss of power may take. It
 * keeps to the rule that no two commands under way name the same block. One at a time.
 */
#ifndef TESTS_NVME_POWER_HOST_H
#define TESTS_NVME_POWER_HOST_H

#include "unit/nvme/rig.h"

struct power_medium {
    enum media_kind kind;
    bool large;     /* blocks of 4 KiB */
    bool protected; /* capacitor, no volatile cache */
    bool cache_off; /* by Set Features */
    bool watermark; /* destage between two levels */
    bool small;     /* the map is not all in memory, and the buffer is soon full */
};

/* A new drive, enabled, and nothing written. */
void power_host_begin(const struct power_medium *medium);
void power_host_end(void);
/* Runs so many events, giving commands in between: the same ones every time. */
void power_host_run(unsigned events);
/* A normal shutdown; what it let end is acknowledged, and safe with everything before it. */
void power_host_shut_down(void);
/* The power goes and comes back, and every block is compared with what it may be. Returns how many
 * blocks are older than what was acknowledged. */
unsigned power_host_lose(unsigned events);

#endif
