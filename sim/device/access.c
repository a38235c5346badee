/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Accesses of the host to a controller: arguments are checked here, since the rooms below take them
 * for good. See <doorbell/device.h>.
 */
#include "device/internal.h"

#define CONFIG_SPACE_BYTES 4096u /* PCI Express Base 3.1, 7.2 */
#define BARS               6u
#define CONFIG_SIZE_MAX    4u
#define BAR_SIZE_MAX       8u

static int check_access(struct doorbell_device *device, uint64_t offset, unsigned size,
                        unsigned size_max, uint64_t value)
{
    int error = world_check_context(device->world);

    if (error != DOORBELL_OK)
        return error;
    if (size == 0 || size > size_max || (size & (size - 1)) != 0)
        return world_fail(device->world, DOORBELL_E_INVAL,
                          "an access of %u bytes; allowed: powers of two up to %u", size, size_max);
    if (offset % size != 0)
        return world_fail(device->world, DOORBELL_E_INVAL,
                          "offset %llxh is not a multiple of the size %u",
                          (unsigned long long)offset, size);
    if (size < sizeof value && value >> (8 * size) != 0)
        return world_fail(device->world, DOORBELL_E_INVAL, "value %llxh does not fit %u bytes",
                          (unsigned long long)value, size);
    return DOORBELL_OK;
}

static int check_config(struct doorbell_device *device, unsigned offset, unsigned size,
                        uint32_t value)
{
    if (offset >= CONFIG_SPACE_BYTES)
        return world_fail(device->world, DOORBELL_E_INVAL,
                          "configuration space ends at %u, before offset %u", CONFIG_SPACE_BYTES,
                          offset);
    return check_access(device, offset, size, CONFIG_SIZE_MAX, value);
}

static int check_bar(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                     uint64_t value)
{
    if (bar >= BARS)
        return world_fail(device->world, DOORBELL_E_INVAL, "BAR %u; allowed: 0 to %u", bar,
                          BARS - 1);
    return check_access(device, offset, size, BAR_SIZE_MAX, value);
}

static int check_result(struct doorbell_device *device, const void *result)
{
    if (result != NULL)
        return DOORBELL_OK;
    return world_fail(device->world, DOORBELL_E_INVAL, "nowhere to put the result");
}

int doorbell_config_read(struct doorbell_device *device, unsigned offset, unsigned size,
                         uint32_t *value)
{
    int error = check_config(device, offset, size, 0);

    if (error == DOORBELL_OK)
        error = check_result(device, value);
    if (error == DOORBELL_OK)
        *value = pcie_port_config_read(device->port, (uint16_t)offset, size);
    return error;
}

int doorbell_config_write(struct doorbell_device *device, unsigned offset, unsigned size,
                          uint32_t value)
{
    int error = check_config(device, offset, size, value);

    if (error == DOORBELL_OK)
        pcie_port_config_write(device->port, (uint16_t)offset, size, value);
    return error;
}

int doorbell_bar_write(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                       uint64_t value)
{
    int error = check_bar(device, bar, offset, size, value);

    if (error == DOORBELL_OK)
        pcie_port_bar_write(device->port, engine_now(device->world->engine), bar, offset, size,
                            value);
    return error;
}

int doorbell_bar_read_request(struct doorbell_device *device, uint64_t *arrives_ps)
{
    int error = world_check_context(device->world);

    if (error == DOORBELL_OK)
        error = check_result(device, arrives_ps);
    if (error == DOORBELL_OK)
        *arrives_ps = pcie_port_read_request(device->port, engine_now(device->world->engine));
    return error;
}

int doorbell_bar_read_reply(struct doorbell_device *device, unsigned size, uint64_t *done_ps)
{
    int error = check_access(device, 0, size, BAR_SIZE_MAX, 0);

    if (error == DOORBELL_OK)
        error = check_result(device, done_ps);
    if (error == DOORBELL_OK)
        *done_ps = pcie_port_read_reply(device->port, engine_now(device->world->engine), size);
    return error;
}

int doorbell_bar_peek(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                      uint64_t *value)
{
    int error = check_bar(device, bar, offset, size, 0);

    if (error == DOORBELL_OK)
        error = check_result(device, value);
    if (error == DOORBELL_OK)
        *value = pcie_port_bar_read(device->port, bar, offset, size);
    return error;
}

int doorbell_bar_poke(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                      uint64_t value)
{
    int error = check_bar(device, bar, offset, size, value);

    if (error == DOORBELL_OK)
        pcie_port_bar_write_functional(device->port, bar, offset, size, value);
    return error;
}

int doorbell_bar_read(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                      uint64_t *value)
{
    struct engine *engine = device->world->engine;
    int error = check_bar(device, bar, offset, size, 0);

    if (error == DOORBELL_OK)
        error = check_result(device, value);
    if (error != DOORBELL_OK)
        return error;
    engine_run_until(engine, pcie_port_read_request(device->port, engine_now(engine)));
    *value = pcie_port_bar_read(device->port, bar, offset, size);
    engine_run_until(engine, pcie_port_read_reply(device->port, engine_now(engine), size));
    return DOORBELL_OK;
}
