/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Timing of a PCI Express link: two directions, each a time line on which packets are reserved.
 * Follows PCI Express Base Specification 3.1 chapters 2 (packets) and 4 (line coding). Packets of
 * one transfer are reserved together; per-packet events do not exist at this level of detail.
 */
#ifndef PCIE_LINK_H
#define PCIE_LINK_H

#include "config/param.h"

enum link_kind { LINK_PCIE, LINK_EMULATED };

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

enum link_direction { LINK_DOWN, LINK_UP }; /* towards the device, towards the host */

/* Reserve a memory write of `bytes` of payload in a direction from now_ps on; time of arrival of
 * its last byte, propagation included. */
uint64_t link_write(struct link *link, enum link_direction direction, uint64_t now_ps,
                    uint32_t bytes);
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

struct link_stats {
    uint64_t up_busy_ps, down_busy_ps; /* occupancy of each direction */
    uint64_t up_packets, down_packets;
    uint64_t up_bytes, down_bytes; /* payload */
};
void link_get_stats(const struct link *link, struct link_stats *stats);

#endif
