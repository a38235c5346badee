/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The board, simulated: its PCI function is a controller of libdoorbell-device, its time is
 * simulated time, and its only CPU is this program. Fences have nothing to do, because the program
 * and the controller take turns.
 */
#include "board.h"

#include <doorbell/device.h>

#include <stdio.h>
#include <string.h>

#define POOL_BUS     UINT64_C(0x40000000)
#define PS_PER_NS    1000u
#define WAIT_PS      UINT64_C(1000000) /* a little: 1 us */
#define INTX_DISABLE UINT32_C(0x400)   /* PCI Local Bus 3.0, 6.2.2 */
#define COMMAND      UINT32_C(0x0006)  /* memory space, bus master */
#define CLASS_NVME   UINT32_C(0x010802)

uint8_t board_pool[BOARD_POOL_BYTES];

static struct doorbell_world *world;
static struct doorbell_device *device;
static void (*interrupt_handler)(void);
static bool level, in_handler;
static unsigned off_depth;

static bool in_pool(uint64_t bus, uint32_t bytes)
{
    return bus >= POOL_BUS && bytes <= BOARD_POOL_BYTES &&
           bus - POOL_BUS <= BOARD_POOL_BYTES - bytes;
}

static int dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    (void)ctx;
    if (!in_pool(bus, bytes))
        return -1;
    memcpy(to, board_pool + (bus - POOL_BUS), bytes);
    return 0;
}

static int dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    (void)ctx;
    if (!in_pool(bus, bytes))
        return -1;
    memcpy(board_pool + (bus - POOL_BUS), from, bytes);
    return 0;
}

static void msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)address, (void)data; /* this board has a pin */
}

static void intx(void *ctx, bool asserted)
{
    (void)ctx;
    level = asserted;
}

/* The pin is a level: the handler runs as long as it is asserted, but not inside itself. */
static void deliver(void)
{
    while (level && interrupt_handler && off_depth == 0 && !in_handler) {
        in_handler = true;
        interrupt_handler();
        in_handler = false;
        doorbell_run_until(world, doorbell_now(world) + WAIT_PS);
    }
}

bool board_open(const char *profiles, const char *drive)
{
    const struct doorbell_device_config config = {
        .profiles = profiles, .drive = drive, .host = {dma_read, dma_write, msi, intx}};
    uint32_t class_code;

    world = doorbell_world_create(1);
    if (doorbell_device_create(world, &config, &device) != DOORBELL_OK) {
        fprintf(stderr, "%s\n", doorbell_error_text(world));
        return false;
    }
    doorbell_config_read(device, 0x08, 4, &class_code);
    doorbell_config_write(device, 0x04, 2, COMMAND | INTX_DISABLE);
    return class_code >> 8 == CLASS_NVME;
}

void board_close(void)
{
    doorbell_world_destroy(world);
}

uint32_t board_register_read(uint32_t offset)
{
    uint64_t value = UINT32_MAX;

    doorbell_bar_read(device, 0, offset, 4, &value);
    deliver();
    return (uint32_t)value;
}

void board_register_write(uint32_t offset, uint32_t value)
{
    doorbell_bar_write(device, 0, offset, 4, value);
}

uint64_t board_bus(const void *cpu)
{
    return POOL_BUS + (uint64_t)((const uint8_t *)cpu - board_pool);
}

void board_store_fence(void)
{
}

void board_load_fence(void)
{
}

void board_full_fence(void)
{
}

uint64_t board_time_ns(void)
{
    return doorbell_now(world) / PS_PER_NS;
}

void board_wait(void)
{
    uint64_t next = doorbell_next_event(world);
    uint64_t limit = doorbell_now(world) + WAIT_PS;

    doorbell_run_until(world, next < limit ? next : limit);
    deliver();
}

void board_interrupt(void (*handler)(void))
{
    interrupt_handler = handler;
    doorbell_config_write(device, 0x04, 2, COMMAND | (handler ? 0 : INTX_DISABLE));
}

void board_interrupts_off(void)
{
    off_depth++;
}

void board_interrupts_on(void)
{
    off_depth--;
    deliver();
}
