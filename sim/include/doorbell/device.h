/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Doorbell's NVMe controller as a library: controllers on a simulated PCI Express bus, and the bus
 * as function calls. The host above supplies memory and takes interrupts; it can be a driver, a
 * simulator, or a page of code (examples/raw_host.c). The library knows nothing of it. This header
 * needs no other of the project's; docs/your-own-driver.md is the walk through.
 *
 * Time is simulated, a number of picoseconds. It passes only inside doorbell_run_until(),
 * doorbell_step() and doorbell_bar_read(); every other call happens at the present moment. While it
 * passes, controllers call the functions of struct doorbell_host. All calls happen on the caller's
 * thread; the library has no thread, no lock and no global state, so that several worlds may be
 * used by several threads, and one world by one at a time.
 *
 * The same calls with the same values give the same results on every machine.
 *
 * Return values: 0 or DOORBELL_OK for success, below 0 one of enum doorbell_error, with a sentence
 * about it from doorbell_error_text(). A call that fails changes nothing. If memory runs out, the
 * process ends with a message and exit code 4.
 *
 * "From a callback" below means: from inside a function of struct doorbell_host or from a trace
 * function. Where a function does not say that it may be called from there, it returns
 * DOORBELL_E_CONTEXT (or does nothing, if it has no error to return).
 *
 * Numbers are in the byte order of the calling machine; structures in host memory are
 * little-endian, as NVMe and PCI say.
 */
#ifndef DOORBELL_DEVICE_H
#define DOORBELL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DOORBELL_DEVICES_MAX 32               /* controllers in one world */
#define DOORBELL_NEVER       UINT64_MAX       /* "no event": later than any time */
#define DOORBELL_TIME_MAX    (UINT64_MAX / 2) /* ps; the latest time to run to, 106 days */

enum doorbell_error {
    DOORBELL_OK = 0,
    DOORBELL_E_INVAL = -1,   /* an argument is outside what the function says */
    DOORBELL_E_CONTEXT = -2, /* not allowed from a callback */
    DOORBELL_E_CONFIG = -3,  /* a profile or a setting is wrong; the text says which and where */
    DOORBELL_E_FULL = -4     /* there are DOORBELL_DEVICES_MAX controllers already */
};

struct doorbell_world;  /* simulated time and what happens in it */
struct doorbell_device; /* one controller: one PCI function on a link of its own */

/* ---- the host's side ------------------------------------------------------------------------- */

/* What a controller asks of the host. All four are called only while time passes (see above), at
 * the simulated moment at which the access reaches host memory (doorbell_now() tells it), in the
 * order in which a posted-write bus would deliver: the data of a read command, then its completion
 * entry, then the interrupt. None may be NULL. `ctx` is the host_ctx of struct
 * doorbell_device_config. */
struct doorbell_host {
    /* Copy bytes (1 to 2^32 - 1) from or to the bus address, all or nothing. Return 0, or anything
     * else if the host has no memory there or does not allow the access: the controller sees an
     * Unsupported Request (PCI Express Base 3.1, 2.3.1), and a command ends with an error or the
     * controller with CSTS.CFS. An access may touch any byte and cross any boundary. */
    int (*dma_read)(void *ctx, uint64_t bus, void *to, uint32_t bytes);
    int (*dma_write)(void *ctx, uint64_t bus, const void *from, uint32_t bytes);
    /* A message-signalled interrupt: the write of `data` to `address`, as the host programmed them.
     */
    void (*msi)(void *ctx, uint64_t address, uint32_t data);
    /* The level of the INTx pin has changed to `asserted`. Low to begin with. */
    void (*intx)(void *ctx, bool asserted);
};

/* ---- worlds ---------------------------------------------------------------------------------- */

/* A world at time 0 without controllers. seed: of everything random in a model; any value. Never
 * NULL. */
struct doorbell_world *doorbell_world_create(uint64_t seed);

/* Ends the world and all of its controllers; their handles are void. NULL is let pass. Does nothing
 * from a callback. */
void doorbell_world_destroy(struct doorbell_world *world);

/* One sentence about the latest call on this world or one of its controllers that failed (for
 * DOORBELL_E_CONFIG one or more lines, with file and line). Valid until the next one that fails; ""
 * if none has. May be called from a callback. */
const char *doorbell_error_text(const struct doorbell_world *world);

/* The present, ps. May be called from a callback. */
uint64_t doorbell_now(const struct doorbell_world *world);

/* When the next event happens, ps; DOORBELL_NEVER if nothing is under way (then time may pass, but
 * nothing will change without the host). May be called from a callback. */
uint64_t doorbell_next_event(const struct doorbell_world *world);

/* Let time pass until time_ps (at most DOORBELL_TIME_MAX, not before the present). Events at
 * time_ps itself happen. A host with events of its own calls this with the earlier of its own next
 * event and doorbell_next_event(). */
int doorbell_run_until(struct doorbell_world *world, uint64_t time_ps);

/* Let exactly one event happen, at its time. 1: it did; 0: there was none. */
int doorbell_step(struct doorbell_world *world);

/* Events that have happened since the world began. May be called from a callback. */
uint64_t doorbell_events(const struct doorbell_world *world);

/* ---- controllers ----------------------------------------------------------------------------- */

struct doorbell_device_config {
    /* A directory with a subdirectory "drives" of profiles NAME.ini, as installed under
     * PREFIX/share/doorbell/profiles. NULL: none, then profiles can be named by path only. */
    const char *profiles;
    /* The drive: the name of a profile, or its path (anything with a '/' or ending in ".ini").
     * NULL: every parameter at its built-in value. */
    const char *drive;
    /* setting_count strings "section.key=value" on top, the last one wins; the sections are "link",
     * "ctrl" and "media", docs/parameters.md lists the keys. NULL if setting_count is 0. */
    const char *const *settings;
    size_t setting_count;
    /* The host's functions (copied) and their first argument (any value). */
    struct doorbell_host host;
    void *host_ctx;
};

/* A controller in the state after power-on: memory space and bus mastering off, CC.EN = 0, its
 * namespace reading as zeroes. It lives as long as its world. Everything that config points to is
 * only read during the call. Each is a drive of its own: give those that one host sees serial
 * numbers of their own (ctrl.serial), from which SUBNQN and the namespaces' identifiers follow;
 * hosts refuse two drives of one name. On success *device is set. DOORBELL_E_INVAL: an argument or
 * a host function is NULL. DOORBELL_E_CONFIG, DOORBELL_E_FULL: see there. */
int doorbell_device_create(struct doorbell_world *world,
                           const struct doorbell_device_config *config,
                           struct doorbell_device **device);

/* 0 to DOORBELL_DEVICES_MAX - 1, in the order of creation; also the controller's CNTLID (NVMe 1.4,
 * 5.15.2.2). Nothing else in a controller depends on it. May be called from a callback. */
unsigned doorbell_device_index(const struct doorbell_device *device);

/* Conventional reset of the function, as by the secondary bus reset of the bridge above it (PCI
 * Express Base 3.1, 6.6.1): everything but the contents of the medium is as after power-on, and
 * register writes that are still on the link are lost. It has ended when the call returns; an
 * asserted INTx pin falls after the link's latency. */
int doorbell_device_reset(struct doorbell_device *device);

/* ---- configuration space ----------------------------------------------------------------------
 * offset: 0 to 4095, a multiple of size; size: 1, 2 or 4; value: no bits above size. Configuration
 * accesses take effect at once and take no time. What the function does not implement reads as zero
 * and ignores writes. */
int doorbell_config_read(struct doorbell_device *device, unsigned offset, unsigned size,
                         uint32_t *value);
int doorbell_config_write(struct doorbell_device *device, unsigned offset, unsigned size,
                          uint32_t value);

/* ---- registers ---------------------------------------------------------------------------------
 * bar: 0 to 5, the BAR's number (NVMe's registers are in BAR 0 with BAR 1 as its upper half);
 * offset: in that BAR, a multiple of size; size: 1, 2, 4 or 8; value: no bits above size. The
 * host's address decoding is the caller's: BAR contents do not matter here. An access where nothing
 * is, or while the command register does not enable memory space, is not an error: reads give all
 * ones in the size of the access, writes do nothing (PCI Express Base 3.1, 2.3.1). */

/* Timed write, posted: leaves the CPU now and returns at once. It takes effect at the controller
 * when it has travelled over the link, in the order of the writes; that is an event. (With
 * link.kind = emulated there is no link: it takes effect before the call returns.) */
int doorbell_bar_write(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                       uint64_t value);

/* Timed read: lets time pass for the whole round trip. The value is that at the moment at which the
 * request reaches the controller, behind all writes before it. */
int doorbell_bar_read(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                      uint64_t *value);

/* The same in parts, for a host whose own events go on during the round trip: send the request now
 * (*arrives_ps: when it reaches the controller); run to that time and take the value with
 * doorbell_bar_peek(); send the reply then (*done_ps: when the CPU has the value). */
int doorbell_bar_read_request(struct doorbell_device *device, uint64_t *arrives_ps);
int doorbell_bar_read_reply(struct doorbell_device *device, unsigned size, uint64_t *done_ps);

/* Functional accesses: at the controller now, without link or time. poke overtakes writes that are
 * still on the link. For debuggers, and for hosts that model the way to the device themselves. A
 * controller cannot tell them from accesses that travelled. */
int doorbell_bar_peek(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                      uint64_t *value);
int doorbell_bar_poke(struct doorbell_device *device, unsigned bar, uint64_t offset, unsigned size,
                      uint64_t value);

/* ---- looking inside -------------------------------------------------------------------------- */

/* Counts since creation; a reset does not clear them. For a part of a run, take the difference of
 * two. */
struct doorbell_stats {
    uint64_t register_reads, register_writes; /* that arrived; without doorbells */
    uint64_t sq_doorbells, cq_doorbells;      /* writes that arrived */
    uint64_t commands, admin_commands;        /* fetched: I/O commands, admin commands */
    uint64_t reads, writes, flushes;          /* of the I/O commands, those that were started */
    uint64_t bytes_read, bytes_written;       /* of logical blocks */
    uint64_t completions;                     /* completion entries written */
    uint64_t errors;                          /* of these, with a status other than success */
    uint64_t interrupts;                      /* messages sent, or the pin raised */
    uint64_t dma_errors;                      /* accesses that the host refused, or without bus
                                               * mastering */
    uint64_t cq_full_stalls, cq_full_ps;      /* completions that waited for room, and how long */
    uint64_t link_up_bytes, link_down_bytes;  /* payload towards the host, towards the device */
    uint64_t link_up_busy_ps, link_down_busy_ps;
    uint64_t media_busy_ps; /* summed over what the medium works on at the same time */
};

/* May be called from a callback. */
int doorbell_device_stats(const struct doorbell_device *device, struct doorbell_stats *stats);

/* One thing that happened inside a controller. `what` names it and says what the operands are:
 *   "doorbell" a: 0 SQ, 1 CQ; b: queue; c: value           when it arrives
 *   "fetch"    a: slot; b: command (CID not yet known: 0)  the read of an SQE begins
 *   "command"  a: opcode; b: command; c: SLBA (admin: CDW10); d: NSID << 32 | blocks
 *   "stage"    a: number; b: command; `detail` names it    a command enters a stage
 *   "dma"      a: 0 device reads, 1 writes; b: bus address; c: bytes; d: command
 *   "cqe"      a: CQ << 16 | slot; b: command; c: status; d: SQHD    visible in host memory
 *   "irq"      a: vector                                    message sent, pin raised
 *   "csts"     c: CSTS                                      it has changed
 * command: SQ << 16 | CID. Other names may appear in later versions. */
struct doorbell_event {
    uint64_t time_ps; /* of a "stage" may lie before doorbell_now(): a command has no CID before its
                       * entry was read */
    unsigned device;  /* index */
    const char *what;
    const char *detail; /* "" if there is none */
    uint32_t a;
    uint64_t b, c, d;
};

/* Call fn(ctx, event) for everything that happens in the world from now on; NULL: stop. Without it
 * nothing is recorded. fn is a callback. */
int doorbell_trace(struct doorbell_world *world,
                   void (*fn)(void *ctx, const struct doorbell_event *event), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
