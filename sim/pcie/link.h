/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Timing of a PCI Express link: two directions, each a time line on which packets are reserved.
 * Follows PCI Express Base Specification 3.1 chapters 2 (packets, credits), 3 (acknowledgement) and
 * 4 (line coding).
 *
 * At link.detail = line the packets of a transfer are reserved together when it is asked for, and
 * its arrival is known at once. That approximates: a transfer is never interrupted by one that is
 * asked for later (a short one waits for the whole of a long one), requests of a read take the way
 * up before their tags are free, and Acks hold up what follows a transfer instead of falling
 * between its packets. Throughput is that of packets taking turns, and so is the latency of a link
 * that is not shared. At link.detail = tlp the transfers of the functions with `_then` go packet by
 * packet, an event each, and those of different streams take turns. The functions that return a
 * time reserve as a whole at either level: what they are given goes at the next boundary between
 * packets.
 */
#ifndef PCIE_LINK_H
#define PCIE_LINK_H

#include "config/param.h"
#include "engine/engine.h"

enum link_kind { LINK_PCIE, LINK_EMULATED };
enum link_detail { LINK_LINE, LINK_TLP };

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct link_params {
#include "pcie/link.def"
};
#include "config/param_end.h"

extern const struct param_row link_rows[];
extern const size_t link_row_count;

/* Checks what single limits cannot say. NULL if good, else one sentence naming the key and what is
 * allowed. */
const char *link_params_check(const struct link_params *params);

struct link;

struct link *link_create(const struct link_params *params);
void link_destroy(struct link *link);
/* The engine that the `_then` functions run on; they must not be called without. */
void link_use_engine(struct link *link, struct engine *engine);
/* Do the `_then` functions go packet by packet? Constant from link_use_engine() on. */
bool link_is_paced(const struct link *link);
/* As created, whatever the host has set since. */
const struct link_params *link_limits(const struct link *link);
/* What the host lets the device use (Device Control), each at most as created; transfers that were
 * asked for before keep what they had at detail line. Powers of two; tags >= 1. */
void link_set_sizes(struct link *link, uint64_t payload_bytes, uint64_t request_bytes,
                    uint64_t tags);

enum link_direction { LINK_DOWN, LINK_UP }; /* towards the device, towards the host */

/* Reserve a memory write of `bytes` of payload in a direction from now_ps on; time of arrival of
 * its last byte, propagation included. */
uint64_t link_write(struct link *link, enum link_direction direction, uint64_t now_ps,
                    uint32_t bytes);
/* Data waits for data that was reserved before. Read requests, register accesses and writes of 8
 * bytes or less do not: they go between its packets, in order among themselves. */
/* Reserve a memory read issued by the device (requests up, completions down); arrival of the last
 * completion. */
uint64_t link_read_by_device(struct link *link, uint64_t now_ps, uint32_t bytes);
/* The same for what is there to be sent only at ready_ps >= now_ps: the line stays open for others
 * until then. */
uint64_t link_write_later(struct link *link, enum link_direction direction, uint64_t now_ps,
                          uint64_t ready_ps, uint32_t bytes);
uint64_t link_read_later(struct link *link, uint64_t now_ps, uint64_t ready_ps, uint32_t bytes);
/* The two halves of a register read by the host: a request without payload down, a completion up.
 */
uint64_t link_register_request(struct link *link, uint64_t now_ps);
uint64_t link_register_reply(struct link *link, uint64_t now_ps, uint32_t bytes);

/* Transfers of one stream go in the order in which they become ready, equals in the order in which
 * they were asked for; at detail tlp, streams take turns packet by packet. A read request that
 * waits for a tag holds up what is behind it in its stream, writes too: writes want streams of
 * their own. Stream numbers count modulo LINK_STREAMS. What must stay behind something else (a
 * completion entry behind its data, a message behind its entry) belongs into the same stream, or is
 * asked for when the other has arrived. */
#define LINK_STREAMS 64u

/* As link_write_later and link_read_later, with fn(ctx, arg) called at the arrival. ready_ps is not
 * before the engine's now. Detail line: one event, the reservation as a whole. */
void link_write_then(struct link *link, enum link_direction direction, unsigned stream,
                     uint64_t ready_ps, uint32_t bytes, engine_fn *fn, void *ctx, uint64_t arg);
void link_read_then(struct link *link, unsigned stream, uint64_t ready_ps, uint32_t bytes,
                    engine_fn *fn, void *ctx, uint64_t arg);

struct link_stats {
    uint64_t up_busy_ps, down_busy_ps; /* occupancy of each direction */
    uint64_t up_packets, down_packets;
    uint64_t up_bytes, down_bytes; /* payload */
};
void link_get_stats(const struct link *link, struct link_stats *stats);

#endif
