/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Combinations of parameters that no limit of a single one can say, over all rooms of a machine;
 * see params.h. Each gives one sentence that begins with the key to change and its value, says what
 * is wrong and what is allowed; whoever read the configuration adds where the values came from
 * (config_combination()).
 */
#include "machine/params.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/units.h"
#include "engine/clock.h"

#define MESSAGE_MAX 320
#define BUS_BITS    64
#define REACH_LEAST (UINT64_C(256) << 20) /* the longest request of a trace */

static char message[MESSAGE_MAX];

static const char *say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return message;
}

struct text {
    char chars[UNITS_TEXT_MAX];
};

static struct text quantity(enum param_kind kind, uint64_t amount)
{
    const struct param_cost value = {amount, false};
    struct text text;
    units_print(kind, &value, text.chars);
    return text;
}

/* ---- the driver core ---- */

static const char *times_check(const struct driver_params *driver)
{
    const struct {
        const char *key;
        uint64_t value, unit;
    } times[] = {{"admin_timeout", driver->admin_timeout, PS_PER_MS},
                 {"shutdown_timeout", driver->shutdown_timeout, PS_PER_MS},
                 {"io_timeout", driver->io_timeout, PS_PER_MS},
                 {"abort_timeout", driver->abort_timeout, PS_PER_MS},
                 {"coalescing_time", driver->coalescing_time, MACHINE_COALESCING_UNIT_PS}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i].value % times[i].unit != 0)
            return say("driver.%s = %s: the driver counts in steps of %s; allowed: multiples of it",
                       times[i].key, quantity(PARAM_TIME, times[i].value).chars,
                       quantity(PARAM_TIME, times[i].unit).chars);
    return NULL;
}

static const char *slots_wrong(const struct driver_params *driver)
{
    if (driver->slots >= driver->io_depth)
        return say("driver.slots = %" PRIu64
                   ": one entry of a queue always stays empty; allowed: 1 "
                   "to %" PRIu64 " with driver.io_depth = %" PRIu64,
                   driver->slots, driver->io_depth - 1, driver->io_depth);
    return say("driver.slots = %" PRIu64
               ": the command identifiers would go beyond 65534; allowed: "
               "1 to %" PRIu64 " with driver.cid_base = %" PRIu64,
               driver->slots, UINT16_MAX - driver->cid_base, driver->cid_base);
}

static const char *size_wrong(const char *key, uint64_t bytes, const char *allowed)
{
    return say("driver.%s = %s; allowed: %s", key, quantity(PARAM_SIZE, bytes).chars, allowed);
}

/* The core names its field; say the same in terms of the parameter that it was made of. */
static const char *driver_check(const struct machine_params *p)
{
    const struct driver_params *driver = &p->driver;
    struct nvme_config config;
    const char *field;
    machine_driver_config(p, &config);
    if (nvme_config_check(&config, &field) == NVME_OK)
        return NULL;
    if (strcmp(field, "cid_base") == 0)
        return say("driver.cid_base = %" PRIu64
                   ": with driver.cid_generation = yes the high bits of "
                   "an identifier are not the slot's; allowed: 0, or 0 to 1023 with "
                   "driver.cid_generation = no",
                   driver->cid_base);
    if (strcmp(field, "slots") == 0)
        return slots_wrong(driver);
    if (strcmp(field, "bounce_bytes") == 0)
        return size_wrong(field, driver->bounce_bytes, "0 B to 2 MiB, multiples of 4 KiB");
    if (strcmp(field, "read.direct_align_bytes") == 0)
        return size_wrong("read_direct_align", driver->read_direct_align,
                          "1 B to 1 MiB, powers of two");
    if (strcmp(field, "write.direct_align_bytes") == 0)
        return size_wrong("write_direct_align", driver->write_direct_align,
                          "1 B to 1 MiB, powers of two");
    if (strcmp(field, "transfer_cap") == 0)
        return size_wrong(field, driver->transfer_cap, "0 B, or 4 KiB to 1 GiB");
    if (strcmp(field, "transfer_no_mdts") == 0)
        return size_wrong(field, driver->transfer_no_mdts, "0 B, or 4 KiB to 1 GiB");
    if (strcmp(field, "ring") == 0)
        return "driver.ring = at-poll: with driver.completion = interrupt nobody might ever poll; "
               "allowed: per-command, per-batch or last, or any with driver.completion = poll";
    if (strcmp(field, "io_timeout_ms") == 0)
        return say("driver.io_timeout = %s: shorter than the driver can notice; allowed: 0 s, or 4 "
                   "ms to 3600 s",
                   quantity(PARAM_TIME, driver->io_timeout).chars);
    return say("driver: the core does not take this %s", field);
}

static const char *priorities_check(const struct driver_params *driver)
{
    const char *wrong;
    if (machine_priority(driver->priorities, 0, &wrong) >= 0)
        return NULL;
    return say("driver.priorities: '%.40s' begins with no class; allowed: urgent, high, medium or "
               "low, up to %u of them, separated by commas",
               wrong, MACHINE_PRIORITIES_MAX);
}

/* ---- the driver and the rest of the machine ---- */

static const char *emulation_check(const struct machine_params *p)
{
    if (p->host.emulation == HOST_EMULATION_SINGLE_THREAD && p->link.kind != LINK_EMULATED)
        return "host.emulation = single-thread needs link.kind = emulated: one thread has no link "
               "to wait for (a host without it: --host generic)";
    if (p->host.emulation == HOST_EMULATION_SINGLE_THREAD && p->host.cpus > 1)
        return "host.emulation = single-thread needs host.cpus = 1: its one thread runs one CPU";
    return NULL;
}

static const char *interrupt_check(const struct machine_params *p)
{
    if (p->driver.completion == NVME_COMPLETION_INTERRUPT &&
        machine_irq_mode(&p->driver) == NVME_IRQ_MSIX && p->ctrl.msix_vectors == 0)
        return "driver.irq = msix needs ctrl.msix_vectors above 0 (this machine: driver.irq = "
               "intx)";
    if (p->driver.completion == NVME_COMPLETION_INTERRUPT &&
        machine_irq_mode(&p->driver) == NVME_IRQ_MSI && p->ctrl.msi_vectors == 0)
        return "driver.irq = msi needs ctrl.msi_vectors above 0 (this machine: driver.irq = intx "
               "or msix)";
    return NULL;
}

static const char *buffers_check(const struct machine_params *p)
{
    if (p->driver.registered_buffers && !p->host.coherent)
        return "driver.registered_buffers = yes needs host.coherent = yes: nobody would maintain "
               "the cache";
    return NULL;
}

/* Callers' buffers lie from memory_base on; those that the device cannot reach are copied. */
static const char *reach_check(const struct machine_params *p)
{
    uint64_t bits = p->host.dma_bits, needed = bits;
    while (needed < BUS_BITS && (p->host.memory_base + REACH_LEAST - 1) >> needed != 0)
        needed++;
    if (needed == bits || p->driver.bounce_bytes != 0)
        return NULL;
    return say("host.dma_bits = %" PRIu64 ": the device does not reach callers' buffers, which lie "
               "from host.memory_base = 0x%" PRIx64
               ", and driver.bounce_bytes = 0 B leaves nothing to copy through; allowed: %" PRIu64
               " to 64, or driver.bounce_bytes above 0 B",
               bits, p->host.memory_base, needed);
}

const char *machine_params_check(const struct machine_params *p)
{
    const char *wrong = link_params_check(&p->link);
    if (wrong == NULL)
        wrong = ctrl_params_check(&p->ctrl);
    if (wrong == NULL)
        wrong = ctrl_media_params_check(&p->ctrl, &p->media);
    if (wrong == NULL)
        wrong = cache_params_check(&p->cache);
    if (wrong == NULL)
        wrong = times_check(&p->driver);
    if (wrong == NULL)
        wrong = driver_check(p);
    if (wrong == NULL)
        wrong = priorities_check(&p->driver);
    if (wrong == NULL)
        wrong = emulation_check(p);
    if (wrong == NULL)
        wrong = interrupt_check(p);
    if (wrong == NULL)
        wrong = buffers_check(p);
    if (wrong == NULL)
        wrong = reach_check(p);
    return wrong;
}
