/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bus between one device function and its host: the only place where the two meet. The device
 * side offers configuration space and BAR accesses; the host side offers DMA into its memory and
 * takes interrupts; the port in between adds the link's time. Neither side knows what the other is.
 *
 * Time and function are apart. Timing functions (pcie_up_write and friends) reserve the link's two
 * directions on a time line and say when something arrives; the functional DMA calls move bytes at
 * the moment at which they are called. A device therefore reserves, schedules its own event for
 * that time, and moves the bytes there.
 */
#ifndef PCIE_PORT_H
#define PCIE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "pcie/link.h"

/* A run of bus addresses. */
struct pcie_segment {
    uint64_t bus;
    uint32_t bytes;
};

enum pcie_error {
    PCIE_OK = 0,
    PCIE_E_ABORT = -1 /* no memory behind the address, or not allowed in this direction: the device
                       * sees Unsupported Request or Completer Abort (PCI Express Base, 2.3.1) */
};

/* What a host offers to a device. Functional and untimed. */
struct pcie_host_ops {
    /* bytes >= 1. All or nothing. */
    int (*dma_read)(void *ctx, uint64_t bus, void *to, uint32_t bytes);
    int (*dma_write)(void *ctx, uint64_t bus, const void *from, uint32_t bytes);
    /* Block contents as tags (engine/pattern.h), one per 512 bytes of the segments taken together.
     * Both may be NULL. dma_read_tags: true if the host holds all of it as tags and filled `tags`;
     * false: use dma_read (which also reports errors). dma_write_tags: true if it took them; false:
     * expand and use dma_write. */
    bool (*dma_read_tags)(void *ctx, const struct pcie_segment *segments, unsigned count,
                          uint64_t *tags, uint32_t ntags);
    bool (*dma_write_tags)(void *ctx, const struct pcie_segment *segments, unsigned count,
                           const uint64_t *tags, uint32_t ntags);
    /* Where the host holds the tags of these bytes, all of which the device writes now; NULL: use
     * dma_write_tags. May be NULL. */
    uint64_t *(*dma_place_tags)(void *ctx, uint64_t bus, uint32_t bytes);
    /* A message-signalled interrupt has arrived at the host. */
    void (*msi)(void *ctx, uint64_t address, uint32_t data);
    /* The level of the INTx pin has changed. */
    void (*intx)(void *ctx, bool asserted);
};

/* What a device offers to a host. Functional; called at the time at which the access arrives at the
 * device. offset is aligned to size. */
struct pcie_device_ops {
    uint32_t (*config_read)(void *ctx, uint16_t offset, unsigned size); /* size 1, 2, 4 */
    void (*config_write)(void *ctx, uint16_t offset, unsigned size,
                         uint32_t value); /* size 1, 2, 4 */
    /* size 1, 2, 4, 8; bar 0..5 is the BAR's number. Reads of nothing return all ones. */
    uint64_t (*bar_read)(void *ctx, unsigned bar, uint64_t offset, unsigned size);
    void (*bar_write)(void *ctx, unsigned bar, uint64_t offset, unsigned size, uint64_t value);
};

struct pcie_port;

struct pcie_port *pcie_port_create(struct engine *engine, const struct link_params *params);
void pcie_port_destroy(struct pcie_port *port);
/* The link inside, for statistics. */
struct link *pcie_port_link(struct pcie_port *port);
void pcie_port_attach_host(struct pcie_port *port, const struct pcie_host_ops *ops, void *ctx);
void pcie_port_attach_device(struct pcie_port *port, const struct pcie_device_ops *ops, void *ctx);

/* ---- for the host ---- */

/* Posted register write: travels downstream from now_ps and reaches the device's bar_write in
 * order. A link without latency delivers at once. */
void pcie_port_bar_write(struct pcie_port *port, uint64_t now_ps, unsigned bar, uint64_t offset,
                         unsigned size, uint64_t value);
/* The same at the device now, past the link and whatever is on it. */
void pcie_port_bar_write_functional(struct pcie_port *port, unsigned bar, uint64_t offset,
                                    unsigned size, uint64_t value);
/* The link goes down: register writes that are on it never arrive (PCI Express Base 3.1, 2.9.1). */
void pcie_port_lose_writes(struct pcie_port *port);
/* Register read: the two halves of a round trip. request: when it arrives at the device (behind all
 * posted writes). The host runs the engine to that time, calls pcie_port_bar_read for the value,
 * and then waits until pcie_port_read_reply's time. */
uint64_t pcie_port_read_request(struct pcie_port *port, uint64_t now_ps);
uint64_t pcie_port_bar_read(struct pcie_port *port, unsigned bar, uint64_t offset, unsigned size);
uint64_t pcie_port_read_reply(struct pcie_port *port, uint64_t now_ps, unsigned size);
/* Configuration accesses take no time (they happen at bring-up only). */
uint32_t pcie_port_config_read(struct pcie_port *port, uint16_t offset, unsigned size);
void pcie_port_config_write(struct pcie_port *port, uint16_t offset, unsigned size, uint32_t value);

/* ---- for the device: time ---- */

/* Upstream memory write of `bytes` (data of a read command, CQE, MSI), given to the link at now_ps:
 * time at which the last byte is in host memory. Writes arrive in the order given, but
 * those of 8 bytes or less pass longer ones whose packets are not sent yet (link.h). */
uint64_t pcie_up_write(struct pcie_port *port, uint64_t now_ps, uint32_t bytes);
/* Upstream memory read of `bytes` (SQE, PRP list, data of a write command): time at which the last
 * completion has arrived at the device. */
uint64_t pcie_up_read(struct pcie_port *port, uint64_t now_ps, uint32_t bytes);

/* The same with fn(ctx, arg) called at that time, ready_ps being now or later. At link.detail = tlp
 * transfers of different streams take turns on the link packet by packet (see link.h); at detail
 * line it is engine_at() of the above. */
void pcie_up_write_then(struct pcie_port *port, unsigned stream, uint64_t ready_ps, uint32_t bytes,
                        engine_fn *fn, void *ctx, uint64_t arg);
void pcie_up_read_then(struct pcie_port *port, unsigned stream, uint64_t ready_ps, uint32_t bytes,
                       engine_fn *fn, void *ctx, uint64_t arg);

/* Do they take turns? Does not change. If not, the event's time is that of the functions above, and
 * it may be better to know it at once. */
bool pcie_is_paced(const struct pcie_port *port);

/* What the link's ends can do, for the registers of the PCI Express capability (configspace.h). All
 * zero on an emulated link. */
struct pcie_link_identity {
    uint8_t generation, lanes;
    uint16_t payload_bytes, request_bytes, tags;
};
struct pcie_link_identity pcie_link_identity(const struct pcie_port *port);
/* Device Control was written or reset: sizes and tags from now on (configspace.h has them). */
void pcie_set_sizes(struct pcie_port *port, uint32_t payload_bytes, uint32_t request_bytes,
                    uint32_t tags);

/* ---- for the device: function ---- */

int pcie_dma_read(struct pcie_port *port, uint64_t bus, void *to, uint32_t bytes);
int pcie_dma_write(struct pcie_port *port, uint64_t bus, const void *from, uint32_t bytes);
bool pcie_dma_read_tags(struct pcie_port *port, const struct pcie_segment *segments, unsigned count,
                        uint64_t *tags, uint32_t ntags);
bool pcie_dma_write_tags(struct pcie_port *port, const struct pcie_segment *segments,
                         unsigned count, const uint64_t *tags, uint32_t ntags);
/* The short way for a single run of addresses: the caller puts its tags, one per 512 bytes, where
 * this says, or writes all of the run with pcie_dma_write() if it has no tags after all. NULL: the
 * run has no such place (and nothing was done). Valid until the next call of anything here. */
uint64_t *pcie_dma_place_tags(struct pcie_port *port, uint64_t bus, uint32_t bytes);
void pcie_msi(struct pcie_port *port, uint64_t address, uint32_t data);
void pcie_intx(struct pcie_port *port, bool asserted);

#endif
