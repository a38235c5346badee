/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The raw host's memory, callbacks, accesses and time; see host.h. Queues are in queues.c.
 */
#include "raw/host.h"

#include <stdlib.h>
#include <string.h>

#define FNV_PRIME UINT64_C(0x100000001b3)
#define FNV_START UINT64_C(0xcbf29ce484222325)

static void digest_bytes(struct raw_host *host, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        host->digest = (host->digest ^ ((const uint8_t *)bytes)[i]) * FNV_PRIME;
}

/* Bus addresses count from the host's memory, so that hosts with different memories compare. */
static void note(struct raw_host *host, uint8_t what, uint64_t where, uint64_t value)
{
    uint64_t words[] = {doorbell_now(host->world), what, where, value};

    digest_bytes(host, words, sizeof words);
    if (host->inside != NULL)
        host->inside(host);
}

static bool is_inside(const struct raw_host *host, uint64_t bus, uint64_t bytes)
{
    return bus >= host->bus && bytes <= RAW_BYTES && bus - host->bus <= RAW_BYTES - bytes;
}

static int dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct raw_host *host = ctx;

    host->dma_reads++;
    note(host, 'r', bus - host->bus, bytes);
    if (!is_inside(host, bus, bytes))
        return -1;
    memcpy(to, host->memory + (bus - host->bus), bytes);
    return 0;
}

static int dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct raw_host *host = ctx;

    host->dma_writes++;
    note(host, 'w', bus - host->bus, bytes);
    digest_bytes(host, from, bytes);
    if (!is_inside(host, bus, bytes))
        return -1;
    memcpy(host->memory + (bus - host->bus), from, bytes);
    return 0;
}

static void msi(void *ctx, uint64_t address, uint32_t data)
{
    struct raw_host *host = ctx;

    ck_assert_uint_eq(address, UINT64_C(0xfee00000) + 4 * data);
    host->messages++;
    host->message_ps = doorbell_now(host->world);
    note(host, 'm', address, data);
}

static void intx(void *ctx, bool asserted)
{
    struct raw_host *host = ctx;

    ck_assert(host->pin != asserted);
    host->pin = asserted;
    host->pin_rises += asserted;
    note(host, 'p', 0, asserted);
}

void raw_open(struct raw_host *host, struct doorbell_world *world, unsigned number,
              const char *const *settings, size_t setting_count)
{
    struct doorbell_device_config config = {
        .settings = settings,
        .setting_count = setting_count,
        .host = {dma_read, dma_write, msi, intx},
        .host_ctx = host,
    };

    memset(host, 0, sizeof *host);
    host->world = world;
    host->bus = UINT64_C(0x100000000) + number * 2 * RAW_BYTES; /* a gap in between */
    host->memory = calloc(1, RAW_BYTES);
    host->digest = FNV_START;
    host->budget = RAW_UNBOUND;
    ck_assert_ptr_nonnull(host->memory);
    ck_assert_msg(doorbell_device_create(world, &config, &host->device) == DOORBELL_OK, "%s",
                  doorbell_error_text(world));
}

void raw_close(struct raw_host *host)
{
    free(host->memory);
}

bool raw_stopped(const struct raw_host *host)
{
    return host->budget == 0;
}

uint32_t raw_read(struct raw_host *host, uint64_t offset)
{
    uint64_t value;

    ck_assert_int_eq(doorbell_bar_peek(host->device, 0, offset, 4, &value), DOORBELL_OK);
    return (uint32_t)value;
}

void raw_write(struct raw_host *host, uint64_t offset, unsigned size, uint64_t value)
{
    if (raw_stopped(host))
        return;
    ck_assert_int_eq(doorbell_bar_write(host->device, 0, offset, size, value), DOORBELL_OK);
}

uint32_t raw_config(struct raw_host *host, unsigned offset, unsigned size)
{
    uint32_t value;

    ck_assert_int_eq(doorbell_config_read(host->device, offset, size, &value), DOORBELL_OK);
    return value;
}

void raw_config_set(struct raw_host *host, unsigned offset, unsigned size, uint32_t value)
{
    if (raw_stopped(host))
        return;
    ck_assert_int_eq(doorbell_config_write(host->device, offset, size, value), DOORBELL_OK);
}

unsigned raw_capability(struct raw_host *host, uint8_t id)
{
    unsigned at = raw_config(host, 0x34, 1);

    while (at != 0 && raw_config(host, at, 1) != id)
        at = raw_config(host, at + 1, 1);
    return at;
}

bool raw_step(struct raw_host *host)
{
    if (raw_stopped(host))
        return false;
    if (host->budget != RAW_UNBOUND)
        host->budget--;
    return doorbell_step(host->world) == 1;
}

void raw_for(struct raw_host *host, uint64_t ps)
{
    uint64_t until_ps = doorbell_now(host->world) + ps;

    while (doorbell_next_event(host->world) <= until_ps) {
        if (!raw_step(host))
            return;
    }
    if (!raw_stopped(host))
        ck_assert_int_eq(doorbell_run_until(host->world, until_ps), DOORBELL_OK);
}

void raw_wait_csts(struct raw_host *host, uint32_t mask, uint32_t value)
{
    while ((raw_read(host, 0x1c) & mask) != value) {
        if (!raw_step(host)) {
            ck_assert_msg(raw_stopped(host), "CSTS is %xh and stays so", raw_read(host, 0x1c));
            return;
        }
    }
}
