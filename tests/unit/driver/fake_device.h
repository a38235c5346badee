/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the two halves of the test double: fake.c calls fake_device.c through this.
 */
#ifndef TEST_DRIVER_FAKE_DEVICE_H
#define TEST_DRIVER_FAKE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct nvme_sqe;

void fake_device_create(void);
uint32_t fake_device_read(uint32_t offset);
/* Returns false if the command stays with the controller. */
bool fake_device_admin(const struct nvme_sqe *sqe, uint32_t *result);
void fake_device_write(uint32_t offset, uint32_t value);

#endif
