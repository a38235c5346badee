/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the two halves of the test double: fake.c calls fake_device.c through this.
 */
#ifndef TEST_DRIVER_FAKE_DEVICE_H
#define TEST_DRIVER_FAKE_DEVICE_H

#include <stdint.h>

void fake_device_create(void);
uint32_t fake_device_read(uint32_t offset);
void fake_device_write(uint32_t offset, uint32_t value);

#endif
