/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What link.c (rates, transfers reserved as a whole), link_paced.c (credits and data link layer
 * packets, packet by packet) and link_tlp.c (an event per packet) share.
 */
#ifndef PCIE_LINK_PRIVATE_H
#define PCIE_LINK_PRIVATE_H

#include "pcie/link.h"
#include "pcie/link_credit.h"

/* Times of bytes are kept as ps per byte in units of 2^-20 ps. */
#define LINK_FIXED_POINT 20

struct link_line {
    uint64_t free_ps; /* when all that was asked for would be sent, back to back */
    uint64_t latest_start_ps,
        latest_end_ps;  /* the latest reservation, joined with those it touches */
    uint64_t passed_ps; /* end of the latest that passed what was reserved (link_line_pass) */
    uint64_t busy_ps;
    uint64_t packets;
    uint64_t bytes;
};

/* Classes of packets that have credits of their own (2.6.1). */
enum link_class { LINK_POSTED, LINK_NONPOSTED, LINK_COMPLETION, LINK_CLASSES };

struct link_tlp;

struct link {
    struct link_params p;      /* with the sizes now in use */
    uint64_t completion_bytes; /* largest payload of a completion now in use */
    uint64_t *tag_free_ps;     /* ring: when the read request that holds each tag will be
                                * answered */
    uint64_t tag;              /* the next one, which is the one that is free first */
    uint64_t ps_per_byte;      /* fixed point; 0 = emulated */
    uint64_t packet_ps[2];     /* the longest packet of each direction on the wire */
    bool special;              /* emulated, or credits or data link layer packets are modelled */
    struct link_line line[2];  /* by enum link_direction */
    struct link_params limits; /* as created: sizes and tags may be set up to these */
    struct engine *engine;     /* for the functions with `_then` */
    struct link_tlp *tlp;      /* NULL at detail line */
    uint64_t dllp_ps;          /* one data link layer packet on the wire */
    uint64_t credit_back_ps;   /* from a packet sent until its credits are back */
    uint64_t unacked[2], unreturned[2]; /* packets sent since the last Ack, UpdateFC for them */
    struct link_credit credit[2][LINK_CLASSES];
};

static inline uint64_t link_packets(uint64_t bytes, uint64_t payload)
{
    return bytes == 0 ? 1 : (bytes + payload - 1) / payload;
}

static inline uint64_t link_wire_ps(const struct link *link, uint64_t bytes)
{
    /* In two digits, so that the product fits 64 bits for the longest transfer on one slow lane. */
    uint64_t low = bytes & ((UINT64_C(1) << LINK_FIXED_POINT) - 1);
    return (bytes >> LINK_FIXED_POINT) * link->ps_per_byte +
           (low * link->ps_per_byte >> LINK_FIXED_POINT);
}

/* Occupy a direction; returns when the last byte has left the sender. now_ps is when this is asked,
 * ready_ps when the packets are there to be sent, possibly later: a reservation in the future takes
 * capacity but does not close the line until then. Of reservations in the future only the latest is
 * remembered by its place, so that two of them do not share one. */
static inline uint64_t link_line_take(struct link_line *line, uint64_t now_ps, uint64_t ready_ps,
                                      uint64_t duration_ps, uint64_t packets, uint64_t bytes)
{
    uint64_t free_ps = line->free_ps > now_ps ? line->free_ps : now_ps;
    uint64_t start = free_ps > ready_ps ? free_ps : ready_ps;
    if (start < line->latest_end_ps && start + duration_ps > line->latest_start_ps)
        start = line->latest_end_ps;
    uint64_t end = start + duration_ps;
    if (start > line->latest_end_ps)
        line->latest_start_ps = start;
    if (start >= line->latest_end_ps)
        line->latest_end_ps = end;
    line->free_ps = free_ps + duration_ps;
    line->busy_ps += duration_ps;
    line->packets += packets;
    line->bytes += bytes;
    return end;
}

/* The same for packets without data, or nearly: read requests, register accesses, messages. Whoever
 * has reserved time for much data gives it to the link packet by packet, and such ones find their
 * place in between, in turns, behind the packet that is on the wire; what was reserved is sent so
 * much later. They keep their order among each other. packet_ps: the longest packet on the wire. */
static inline uint64_t link_line_pass(struct link_line *line, uint64_t now_ps, uint64_t ready_ps,
                                      uint64_t duration_ps, uint64_t packets, uint64_t bytes,
                                      uint64_t packet_ps)
{
    uint64_t start = ready_ps > now_ps ? ready_ps : now_ps;
    uint64_t end, left;
    if (start < line->passed_ps)
        start = line->passed_ps;
    if (line->free_ps <= start) {
        end = link_line_take(line, now_ps, start, duration_ps, packets, bytes);
        line->passed_ps = end;
        return end;
    }
    start += (line->free_ps - start) % packet_ps;
    left = line->free_ps - start;
    end = (packets - 1) * packet_ps;
    end = start + duration_ps + (end < left ? end : left);
    line->passed_ps = end;
    line->free_ps += duration_ps;
    line->busy_ps += duration_ps;
    line->packets += packets;
    line->bytes += bytes;
    return end;
}

/* ---- link_paced.c ---- */

void link_paced_init(struct link *link);
void link_paced_free(struct link *link);
/* Data credits of a packet. */
uint32_t link_data_credits(uint64_t bytes);
/* One packet with `bytes` of payload: wait for its credits and for the line, and let the other
 * direction carry what acknowledges it. Returns when its last byte has left the sender. */
uint64_t link_send(struct link *link, enum link_direction direction, enum link_class class,
                   uint64_t now_ps, uint64_t ready_ps, uint64_t bytes);
/* Transfers as in link.h, packet by packet; at once on an emulated link. */
uint64_t link_paced_write(struct link *link, enum link_direction direction, uint64_t now_ps,
                          uint64_t ready_ps, uint64_t bytes);
uint64_t link_paced_read(struct link *link, uint64_t now_ps, uint64_t ready_ps, uint64_t bytes);

/* ---- link_tlp.c ---- */

struct link_tlp *link_tlp_create(struct link *link, struct engine *engine);
void link_tlp_destroy(struct link_tlp *tlp);

#endif
