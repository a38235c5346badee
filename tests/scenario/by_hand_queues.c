/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host without a driver; see by_hand_queues.h. Offsets and numbers are those of NVMe 1.4
 * sections 3.1, 4.2, 5.3 to 5.7.
 */
#include "scenario/by_hand_queues.h"

#include <check.h>
#include <string.h>

enum {
    PAGE = 4096,
    ASQ = 0,
    ACQ = PAGE,
    SQ = 2 * PAGE,
    CQ = 3 * PAGE,
    SHADOW = 4 * PAGE,
    EVENTIDX = 5 * PAGE,
    DATA = 6 * PAGE,
    MEMORY = 7 * PAGE
};
enum { ENTRIES = 16, ADMIN_CQE = 16, SQE = 64, READS = 6, IN_FLIGHT = 3 };

struct by_hand {
    struct engine *engine;
    struct pcie_port *port;
    uint8_t memory[MEMORY];
    uint32_t admin_tail;
    struct stream_reader reader;
    uint64_t hash;
};

static int memory_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct by_hand *host = ctx;
    memcpy(to, host->memory + bus, bytes);
    return PCIE_OK;
}

static int memory_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct by_hand *host = ctx;
    memcpy(host->memory + bus, from, bytes);
    return PCIE_OK;
}

static void no_msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)address, (void)data;
}

static void no_pin(void *ctx, bool asserted)
{
    (void)ctx, (void)asserted;
}

static void mix(struct by_hand *host, uint64_t word)
{
    host->hash = (host->hash ^ word) * UINT64_C(0x100000001b3);
}

static void listen(void *ctx, const struct stream_record *r)
{
    const uint64_t words[] = {r->time_ps, r->kind, r->a, r->b, r->c, r->d};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        mix(ctx, words[i]);
}

static void write_register(struct by_hand *host, uint64_t offset, unsigned size, uint64_t value)
{
    pcie_port_bar_write(host->port, engine_now(host->engine), 0, offset, size, value);
}

static void settle(struct by_hand *host)
{
    while (engine_step(host->engine))
        ;
}

static void put32(struct by_hand *host, uint32_t at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        host->memory[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_entry(struct by_hand *host, uint32_t at, uint32_t dword0, uint32_t prp1,
                      uint32_t prp2, uint32_t cdw10, uint32_t cdw11)
{
    memset(host->memory + at, 0, SQE);
    put32(host, at, dword0);
    put32(host, at + 4, 1); /* NSID; admin commands here do not look */
    put32(host, at + 24, prp1);
    put32(host, at + 32, prp2);
    put32(host, at + 40, cdw10);
    put32(host, at + 44, cdw11);
}

static void admin(struct by_hand *host, uint32_t opcode, uint32_t prp1, uint32_t prp2,
                  uint32_t cdw10, uint32_t cdw11)
{
    put_entry(host, ASQ + host->admin_tail * SQE, opcode, prp1, prp2, cdw10, cdw11);
    write_register(host, 0x1000, 4, ++host->admin_tail);
}

static void bring_up(struct by_hand *host)
{
    pcie_port_config_write(host->port, 4, 2, 6); /* memory space, bus master */
    write_register(host, 0x24, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    write_register(host, 0x28, 8, ASQ);
    write_register(host, 0x30, 8, ACQ);
    write_register(host, 0x14, 4, 4 << 20 | 6 << 16 | 1);
    settle(host);
    admin(host, 0x7c, SHADOW, EVENTIDX, 0, 0);
    settle(host);
    admin(host, 5, CQ, 0, (ENTRIES - 1) << 16 | 1, 1); /* polled: no interrupts */
    settle(host);
    admin(host, 1, SQ, 0, (ENTRIES - 1) << 16 | 1, 1 << 16 | 1);
    settle(host);
}

/* Reads with identifiers that come twice. */
static void submit(struct by_hand *host, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        put_entry(host, SQ + i * SQE, (i / 2) << 16 | 2, DATA, 0, 0, 0);
    put32(host, SHADOW + 2 * 4, first + count);
    write_register(host, 0x1008, 4, first + count);
}

uint64_t by_hand_queues(const struct machine_params *params)
{
    static const struct pcie_host_ops ops = {
        .dma_read = memory_read, .dma_write = memory_write, .msi = no_msi, .intx = no_pin};
    static struct by_hand host;
    const struct link_params link = {.kind = LINK_EMULATED};
    memset(&host, 0, sizeof host);
    host.engine = engine_create(1);
    host.port = pcie_port_create(host.engine, &link);
    struct media *media =
        media_create(host.engine, &params->media, ctrl_params_capacity(&params->ctrl));
    struct ctrl *ctrl = ctrl_create(host.engine, host.port, media, &params->ctrl, 0);
    pcie_port_attach_host(host.port, &ops, &host);
    host.reader = (struct stream_reader){listen, &host, UINT64_MAX, NULL};
    stream_add(engine_stream(host.engine), &host.reader);
    bring_up(&host);
    submit(&host, 0, READS);
    settle(&host);
    submit(&host, READS, IN_FLIGHT);
    engine_run_until(host.engine, engine_now(host.engine) + 10 * PS_PER_US);
    admin(&host, 0, 0, 0, 1, 0); /* Delete I/O Submission Queue */
    settle(&host);
    ck_assert_uint_ne(host.memory[ACQ + (host.admin_tail - 1) * ADMIN_CQE + 14] & 1, 0); /* done */
    for (size_t i = 0; i < MEMORY; i++)
        mix(&host, host.memory[i]);
    stream_remove(engine_stream(host.engine), &host.reader);
    ctrl_destroy(ctrl);
    media_destroy(media);
    pcie_port_destroy(host.port);
    engine_destroy(host.engine);
    return host.hash;
}
