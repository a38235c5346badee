/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/by_hand.h"

#include <check.h>
#include <string.h>

enum {
    MEMORY = 1 << 20,
    ASQ = 0x0000,
    ACQ = 0x1000,
    SQ = 0x2000,
    CQ = 0x3000,
    PAGE = 0x10000, /* of Identify */
    DATA = 0x20000,
    LOG = 0x30000,
    LIST = 0x40000,
    ENTRIES = 32
};

struct by_hand {
    struct engine *engine;
    struct pcie_port *port;
    uint16_t tail[2], head[2];
    uint32_t sgl_bytes; /* of the last SGL segment that PRP1 of the next command is; 0: a page */
    uint64_t hash;
};

static uint8_t memory[MEMORY];

static int memory_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    (void)ctx;
    if (bus > MEMORY || bytes > MEMORY - bus)
        return PCIE_E_ABORT;
    memcpy(to, memory + bus, bytes);
    return PCIE_OK;
}

static int memory_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    (void)ctx;
    if (bus > MEMORY || bytes > MEMORY - bus)
        return PCIE_E_ABORT;
    memcpy(memory + bus, from, bytes);
    return PCIE_OK;
}

static void no_msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx;
    (void)address;
    (void)data;
}

static void no_pin(void *ctx, bool asserted)
{
    (void)ctx;
    (void)asserted;
}

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *byte = data;

    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void settle(struct by_hand *host)
{
    while (engine_step(host->engine))
        ;
}

/* One command; what it has done and when goes into the hash. */
static void command(struct by_hand *host, unsigned queue, uint32_t opcode, uint32_t prp1,
                    uint32_t cdw10, uint32_t cdw11, uint32_t cdw12)
{
    uint8_t *sqe = memory + (queue == 0 ? ASQ : SQ) + 64 * host->tail[queue];
    uint8_t *cqe = memory + (queue == 0 ? ACQ : CQ) + 16 * host->head[queue];
    uint64_t doorbell = 0x1000 + 8 * queue, now;

    memset(sqe, 0, 64);
    put32(sqe, opcode);
    put32(sqe + 4, queue != 0 || opcode == 9 || opcode == 0x0d || opcode == 0x80); /* NSID */
    put32(sqe + 24, prp1);
    put32(sqe + 32, host->sgl_bytes);
    sqe[39] = host->sgl_bytes != 0 ? 0x30 : 0;
    put32(sqe + 40, cdw10);
    put32(sqe + 44, cdw11);
    put32(sqe + 48, cdw12);
    host->tail[queue] = (uint16_t)((host->tail[queue] + 1) % ENTRIES);
    pcie_port_bar_write(host->port, engine_now(host->engine), 0, doorbell, 4, host->tail[queue]);
    settle(host);
    host->head[queue] = (uint16_t)((host->head[queue] + 1) % ENTRIES);
    pcie_port_bar_write(host->port, engine_now(host->engine), 0, doorbell + 4, 4,
                        host->head[queue]);
    settle(host);
    now = engine_now(host->engine);
    host->hash = mix(mix(host->hash, cqe, 16), &now, sizeof now);
}

/* NVMe 1.4 sections 3.1 and 7.6.1 */
static void enable(struct by_hand *host)
{
    pcie_port_config_write(host->port, 4, 2, 6); /* memory space, bus master */
    pcie_port_bar_write(host->port, 0, 0, 0x24, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    pcie_port_bar_write(host->port, 0, 0, 0x28, 8, ASQ);
    pcie_port_bar_write(host->port, 0, 0, 0x30, 8, ACQ);
    pcie_port_bar_write(host->port, 0, 0, 0x14, 4, 4 << 20 | 6 << 16 | 1);
    settle(host);
}

/* 4.4: a block into two data blocks of a segment, PSDT = 01b. */
static void read_by_sgl(struct by_hand *host)
{
    put32(memory + LIST, DATA);
    put32(memory + LIST + 8, 100);
    put32(memory + LIST + 16, DATA + 100);
    put32(memory + LIST + 24, 412);
    host->sgl_bytes = 32;
    command(host, 1, 2 | 0x40 << 8, LIST, 64, 0, 0);
    host->sgl_bytes = 0;
}

/* CMBLOC and CMBSZ, once CMBMSC lets them be seen (3.1.11, 3.1.12, 3.1.16) */
static void look_at_buffer(struct by_hand *host)
{
    uint64_t value;

    pcie_port_bar_write(host->port, engine_now(host->engine), 0, 0x50, 4, 1);
    settle(host);
    value = pcie_port_bar_read(host->port, 0, 0x38, 8);
    host->hash = mix(host->hash, &value, sizeof value);
}

static void script(struct by_hand *host)
{
    for (uint16_t at = 0; at < 256; at += 4) {
        uint32_t dword = pcie_port_config_read(host->port, at, 4);

        host->hash = mix(host->hash, &dword, sizeof dword);
    }
    command(host, 0, 5, CQ, (ENTRIES - 1) << 16 | 1, 1, 0);
    command(host, 0, 1, SQ, (ENTRIES - 1) << 16 | 1, 1 << 16 | 1, 0);
    look_at_buffer(host);
    read_by_sgl(host);
    command(host, 1, 1, DATA, 0, 0, 7);            /* write 8 blocks */
    command(host, 1, 4, 0, 0, 0, 0);               /* the first cannot be read any more */
    command(host, 1, 2, DATA, 0, 0, 7);            /* so reading fails */
    command(host, 0, 2, LOG, 127 << 16 | 2, 0, 0); /* SMART */
    command(host, 0, 0x14, 0, 1, 0, 0);            /* a short device self-test, if there is one */
    command(host, 0, 0x80, 0, 0, 0, 0);            /* Format NVM, if there is such a thing */
    command(host, 0, 0x0d, 0, 1, 0, 0);            /* the namespace is deleted, if it can be */
}

uint64_t by_hand(const struct machine_params *params, bool io)
{
    static const struct pcie_host_ops ops = {
        .dma_read = memory_read, .dma_write = memory_write, .msi = no_msi, .intx = no_pin};
    const struct link_params link = {.kind = LINK_EMULATED};
    struct by_hand host = {.engine = engine_create(1)};
    struct media *media =
        media_create(host.engine, &params->media, ctrl_params_capacity(&params->ctrl));
    struct ctrl *ctrl;

    host.port = pcie_port_create(host.engine, &link);
    ctrl = ctrl_create(host.engine, host.port, media, &params->ctrl, 0);
    memset(memory, 0, sizeof memory);
    for (unsigned i = 0; i < 4096; i++)
        memory[DATA + i] = (uint8_t)(i * 7);
    pcie_port_attach_host(host.port, &ops, NULL);
    enable(&host);
    command(&host, 0, 6, PAGE, 1, 0, 0);                   /* Identify Controller */
    ck_assert_uint_ne(memory[PAGE] | memory[PAGE + 1], 0); /* VID */
    if (io)
        script(&host);
    else
        host.hash = 0;
    host.hash = mix(host.hash, memory + PAGE, MEMORY - PAGE);
    ctrl_destroy(ctrl);
    media_destroy(media);
    pcie_port_destroy(host.port);
    engine_destroy(host.engine);
    return host.hash;
}
