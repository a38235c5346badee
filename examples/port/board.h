/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a small system without an MMU gives its drivers: registers of one PCI function, a pool of
 * memory that the device reaches, barriers, a clock, and an interrupt. nvme_port.c is written
 * against this and nothing else. Here board.c implements it on the simulated controller; on a real
 * board it is a load, a store, a fence instruction and a timer register.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_POOL_BYTES (224u * 1024) /* with the driver's own state: 256 KiB */

/* Find and power the controller: memory space and bus mastering on. False: none. */
bool board_open(const char *profiles, const char *drive);
void board_close(void);

/* BAR0 of the controller, little-endian as the bus has it; the value is a number. */
uint32_t board_register_read(uint32_t offset);
void board_register_write(uint32_t offset, uint32_t value);

/* Memory that CPU and device share, at `board_bus()` for the device. Nothing else is reachable. */
extern uint8_t board_pool[BOARD_POOL_BYTES];
uint64_t board_bus(const void *cpu);

void board_store_fence(void); /* stores before it reach memory before register writes after it */
void board_load_fence(void);
void board_full_fence(void);

uint64_t board_time_ns(void);
void board_wait(void); /* until an interrupt, or a little */
/* Route the controller's pin to handler(), or to nobody (NULL). */
void board_interrupt(void (*handler)(void));
void board_interrupts_off(void);
void board_interrupts_on(void);

#endif
