/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The port between one device and its host; see port.h. Posted register writes in flight wait in a
 * ring in the order in which they were sent; the link's time line keeps their arrivals in the same
 * order, so each arrival event takes the oldest.
 */
#include "pcie/port.h"

#include <stdlib.h>

struct posted_write {
    uint64_t offset;
    uint64_t value;
    uint8_t bar;
    uint8_t size; /* 0: lost on its way */
};

struct pcie_port {
    struct engine *engine;
    struct link *link;
    bool instant; /* emulated: an access is a function call */
    const struct pcie_host_ops *host;
    void *host_ctx;
    const struct pcie_device_ops *device;
    void *device_ctx;
    struct posted_write *posted; /* ring, capacity a power of two */
    uint32_t capacity, head, count;
};

#define FIRST_CAPACITY 64u

struct pcie_port *pcie_port_create(struct engine *engine, const struct link_params *params)
{
    struct pcie_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        abort();
    port->engine = engine;
    port->link = link_create(params);
    link_use_engine(port->link, engine);
    port->instant = params->kind == LINK_EMULATED;
    port->capacity = FIRST_CAPACITY;
    port->posted = calloc(port->capacity, sizeof *port->posted);
    if (port->posted == NULL)
        abort();
    return port;
}

void pcie_port_destroy(struct pcie_port *port)
{
    if (port == NULL)
        return;
    link_destroy(port->link);
    free(port->posted);
    free(port);
}

struct link *pcie_port_link(struct pcie_port *port)
{
    return port->link;
}

void pcie_port_attach_host(struct pcie_port *port, const struct pcie_host_ops *ops, void *ctx)
{
    port->host = ops;
    port->host_ctx = ctx;
}

void pcie_port_attach_device(struct pcie_port *port, const struct pcie_device_ops *ops, void *ctx)
{
    port->device = ops;
    port->device_ctx = ctx;
}

static void port_grow(struct pcie_port *port)
{
    struct posted_write *bigger = calloc(port->capacity * 2u, sizeof *bigger);
    if (bigger == NULL)
        abort();
    for (uint32_t i = 0; i < port->count; i++)
        bigger[i] = port->posted[(port->head + i) & (port->capacity - 1)];
    free(port->posted);
    port->posted = bigger;
    port->capacity *= 2;
    port->head = 0;
}

static void port_write_arrives(void *ctx, uint64_t arg)
{
    struct pcie_port *port = ctx;
    (void)arg;
    struct posted_write w = port->posted[port->head];
    port->head = (port->head + 1) & (port->capacity - 1);
    port->count--;
    if (w.size != 0)
        port->device->bar_write(port->device_ctx, w.bar, w.offset, w.size, w.value);
}

void pcie_port_lose_writes(struct pcie_port *port)
{
    for (uint32_t i = 0; i < port->count; i++)
        port->posted[(port->head + i) & (port->capacity - 1)].size = 0;
}

void pcie_port_bar_write_functional(struct pcie_port *port, unsigned bar, uint64_t offset,
                                    unsigned size, uint64_t value)
{
    port->device->bar_write(port->device_ctx, bar, offset, size, value);
}

void pcie_port_bar_write(struct pcie_port *port, uint64_t now_ps, unsigned bar, uint64_t offset,
                         unsigned size, uint64_t value)
{
    if (port->instant) {
        port->device->bar_write(port->device_ctx, bar, offset, size, value);
        return;
    }
    uint64_t arrival = link_write(port->link, LINK_DOWN, now_ps, size);
    if (port->count == port->capacity)
        port_grow(port);
    port->posted[(port->head + port->count++) & (port->capacity - 1)] =
        (struct posted_write){offset, value, (uint8_t)bar, (uint8_t)size};
    engine_at(port->engine, arrival, port_write_arrives, port, 0);
}

uint64_t pcie_port_read_request(struct pcie_port *port, uint64_t now_ps)
{
    return link_register_request(port->link, now_ps);
}

uint64_t pcie_port_bar_read(struct pcie_port *port, unsigned bar, uint64_t offset, unsigned size)
{
    return port->device->bar_read(port->device_ctx, bar, offset, size);
}

uint64_t pcie_port_read_reply(struct pcie_port *port, uint64_t now_ps, unsigned size)
{
    return link_register_reply(port->link, now_ps, size);
}

uint32_t pcie_port_config_read(struct pcie_port *port, uint16_t offset, unsigned size)
{
    return port->device->config_read(port->device_ctx, offset, size);
}

void pcie_port_config_write(struct pcie_port *port, uint16_t offset, unsigned size, uint32_t value)
{
    port->device->config_write(port->device_ctx, offset, size, value);
}

/* `inline` here and in link.c: part of every request, and gcc weighs what is called from many
 * places by its size alone unless told. The declaration in the header makes the definition
 * external. */
inline uint64_t pcie_up_write(struct pcie_port *port, uint64_t now_ps, uint32_t bytes)
{
    return link_write_later(port->link, LINK_UP, engine_now(port->engine), now_ps, bytes);
}

uint64_t pcie_up_read(struct pcie_port *port, uint64_t now_ps, uint32_t bytes)
{
    return link_read_later(port->link, engine_now(port->engine), now_ps, bytes);
}

void pcie_up_write_then(struct pcie_port *port, unsigned stream, uint64_t ready_ps, uint32_t bytes,
                        engine_fn *fn, void *ctx, uint64_t arg)
{
    link_write_then(port->link, LINK_UP, stream, ready_ps, bytes, fn, ctx, arg);
}

void pcie_up_read_then(struct pcie_port *port, unsigned stream, uint64_t ready_ps, uint32_t bytes,
                       engine_fn *fn, void *ctx, uint64_t arg)
{
    link_read_then(port->link, stream, ready_ps, bytes, fn, ctx, arg);
}

bool pcie_is_paced(const struct pcie_port *port)
{
    return link_is_paced(port->link);
}

void pcie_set_sizes(struct pcie_port *port, uint32_t payload_bytes, uint32_t request_bytes,
                    uint32_t tags)
{
    link_set_sizes(port->link, payload_bytes, request_bytes, tags);
}

struct pcie_link_identity pcie_link_identity(const struct pcie_port *port)
{
    const struct link_params *params = link_limits(port->link);

    if (params->kind == LINK_EMULATED)
        return (struct pcie_link_identity){0};
    return (struct pcie_link_identity){
        .generation = (uint8_t)params->generation,
        .lanes = (uint8_t)params->lanes,
        .payload_bytes = (uint16_t)params->max_payload,
        .request_bytes = (uint16_t)params->max_read_request,
        .tags = (uint16_t)params->tags,
    };
}

int pcie_dma_read(struct pcie_port *port, uint64_t bus, void *to, uint32_t bytes)
{
    return port->host->dma_read(port->host_ctx, bus, to, bytes);
}

int pcie_dma_write(struct pcie_port *port, uint64_t bus, const void *from, uint32_t bytes)
{
    return port->host->dma_write(port->host_ctx, bus, from, bytes);
}

bool pcie_dma_read_tags(struct pcie_port *port, const struct pcie_segment *segments, unsigned count,
                        uint64_t *tags, uint32_t ntags)
{
    return port->host->dma_read_tags != NULL &&
           port->host->dma_read_tags(port->host_ctx, segments, count, tags, ntags);
}

bool pcie_dma_write_tags(struct pcie_port *port, const struct pcie_segment *segments,
                         unsigned count, const uint64_t *tags, uint32_t ntags)
{
    return port->host->dma_write_tags != NULL &&
           port->host->dma_write_tags(port->host_ctx, segments, count, tags, ntags);
}

uint64_t *pcie_dma_place_tags(struct pcie_port *port, uint64_t bus, uint32_t bytes)
{
    return port->host->dma_place_tags == NULL
               ? NULL
               : port->host->dma_place_tags(port->host_ctx, bus, bytes);
}

void pcie_msi(struct pcie_port *port, uint64_t address, uint32_t data)
{
    port->host->msi(port->host_ctx, address, data);
}

void pcie_intx(struct pcie_port *port, bool asserted)
{
    port->host->intx(port->host_ctx, asserted);
}
