/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of shadow doorbells share: one queue of the fake device, started with them.
 */
#ifndef TESTS_DRIVER_SHADOW_RIG_H
#define TESTS_DRIVER_SHADOW_RIG_H

#include "fake.h"

#define NEVER 0xFFFFFFFFu /* an EventIdx that no tail passes */

extern struct shadow_rig {
    struct nvme_queue *queue;
    struct nvme_request requests[FAKE_REQUESTS];
    uint8_t *buffer;
} shadow;

/* Once the driver runs. */
void shadow_begin(void);
/* The driver with shadow doorbells, and shadow_begin(). */
void shadow_start(void);
/* Request i, a read of one block. */
void shadow_submit(uint32_t i);
/* The device stores an EventIdx. */
void shadow_arm(bool cq, uint32_t value);
/* Register writes of the doorbell since fake_forget(). */
uint32_t shadow_writes(bool cq);
/* One command: submit, ring, run, poll, the device taking the doorbells from the shadow. */
void shadow_one(uint32_t i);

#endif
