/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PCI Express link timing; see link.h. Each direction is a time line: a transfer takes the first
 * free time for all of its packets together. Lane rates and line codings: PCI Express Base 5.0
 * section 4.2 (8b/10b below 8 GT/s, 128b/130b from there on).
 */
#include "pcie/link.h"

#include <stdlib.h>

#include "engine/clock.h"
#include "pcie/link_private.h"

#define PARAM_AS_ROWS struct link_params
#include "config/param_begin.h"
const struct param_row link_rows[] = {
#include "pcie/link.def"
};
#include "config/param_end.h"
const size_t link_row_count = sizeof link_rows / sizeof link_rows[0];

static bool power_of_two(uint64_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

const char *link_params_check(const struct link_params *params)
{
    if (!power_of_two(params->lanes))
        return "link.lanes must be 1, 2, 4, 8 or 16";
    if (!power_of_two(params->max_payload))
        return "link.max_payload must be a power of two";
    if (!power_of_two(params->max_read_request))
        return "link.max_read_request must be a power of two";
    if (!power_of_two(params->completion_payload) ||
        params->completion_payload > params->max_payload)
        return "link.completion_payload must be a power of two and not above link.max_payload";
    if (!power_of_two(params->completion_boundary))
        return "link.completion_boundary must be 64 B or 128 B";
    if (params->posted_data != 0 && params->posted_data * LINK_CREDIT_BYTES < params->max_payload)
        return "link.posted_data must be 0 or hold link.max_payload: one credit for 16 bytes";
    /* Of 64-byte completions a 128-byte boundary makes larger ones. */
    if (params->completion_data != 0 &&
        (params->completion_data * LINK_CREDIT_BYTES < params->completion_payload ||
         params->completion_data * LINK_CREDIT_BYTES < params->completion_boundary))
        return "link.completion_data must be 0 or hold one completion: one credit for 16 bytes";
    return NULL;
}

struct lane_rate {
    uint64_t megatransfers_per_second;
    uint64_t line_bits, code_bytes; /* line coding: bits on the lane for these bytes of a packet */
};

static const struct lane_rate lane_rates[] = {
    {2500, 10, 1}, {5000, 10, 1}, {8000, 130, 16}, {16000, 130, 16}, {32000, 130, 16}};

#define PPM              UINT64_C(1000000)
#define LINK_SHORT_BYTES 8u /* a register, a message: they pass what is reserved for data */
#define ECRC_BYTES       4u /* TLP digest (2.7) */

/* Exact to the last place of the fixed point, so that a step of any parameter shows: the division
 * is done in two digits, because the numerator would not fit 64 bits at once. */
static uint64_t link_ps_per_byte(const struct link_params *params)
{
    enum { LOW_DIGIT = 5 };
    const struct lane_rate *rate = &lane_rates[params->generation - 1];
    uint64_t line_ps = rate->line_bits * PS_PER_US * PPM << (LINK_FIXED_POINT - LOW_DIGIT);
    uint64_t share = rate->code_bytes * rate->megatransfers_per_second * params->lanes *
                     (PPM - params->flow_overhead);
    return (line_ps / share << LOW_DIGIT) + (line_ps % share << LOW_DIGIT) / share;
}

struct link *link_create(const struct link_params *params)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        abort();
    link->p = link->limits = *params;
    link->special = params->kind == LINK_EMULATED;
    if (link->special)
        return link;
    if (params->ecrc) {
        link->p.packet_overhead += ECRC_BYTES;
        link->p.completion_overhead += ECRC_BYTES;
    }
    if (link->p.completion_payload < params->completion_boundary)
        link->p.completion_payload = params->completion_boundary;
    link->ps_per_byte = link_ps_per_byte(params);
    link->tag_free_ps = calloc(params->tags, sizeof *link->tag_free_ps);
    if (link->tag_free_ps == NULL)
        abort();
    link_set_sizes(link, UINT64_MAX, UINT64_MAX, UINT64_MAX);
    link_paced_init(link);
    return link;
}

void link_use_engine(struct link *link, struct engine *engine)
{
    link->engine = engine;
    if (link->p.kind != LINK_EMULATED && link->p.detail == LINK_TLP && link->tlp == NULL)
        link->tlp = link_tlp_create(link, engine);
}

bool link_is_paced(const struct link *link)
{
    return link->tlp != NULL;
}

void link_destroy(struct link *link)
{
    if (link == NULL)
        return;
    link_tlp_destroy(link->tlp);
    link_paced_free(link);
    free(link->tag_free_ps);
    free(link);
}

const struct link_params *link_limits(const struct link *link)
{
    return &link->limits;
}

static uint64_t smaller(uint64_t x, uint64_t y)
{
    return x < y ? x : y;
}

void link_set_sizes(struct link *link, uint64_t payload_bytes, uint64_t request_bytes,
                    uint64_t tags)
{
    struct link_params *p = &link->p;

    if (link->ps_per_byte == 0)
        return;
    p->max_payload = smaller(payload_bytes, link->limits.max_payload);
    p->max_read_request = smaller(request_bytes, link->limits.max_read_request);
    p->tags = smaller(tags, link->limits.tags);
    if (link->tag >= p->tags)
        link->tag = 0;
    /* A completion answers one request (2.3.1.1) and keeps to Max_Payload_Size (2.2.2). */
    link->completion_bytes =
        smaller(p->completion_payload, smaller(p->max_read_request, p->max_payload));
    link->packet_ps[LINK_UP] = link_wire_ps(link, p->max_payload + p->packet_overhead);
    link->packet_ps[LINK_DOWN] =
        link_wire_ps(link, link->completion_bytes + p->completion_overhead);
}

/* inline: see pcie_up_write(). That it uses static functions does no harm: the definition is
 * external. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wstatic-in-inline"
#endif
inline uint64_t link_write_later(struct link *link, enum link_direction direction, uint64_t now_ps,
                                 uint64_t ready_ps, uint32_t bytes)
{
    if (__builtin_expect(link->special, 0))
        return link_paced_write(link, direction, now_ps, ready_ps, bytes);
    uint64_t packets = link_packets(bytes, link->p.max_payload);
    uint64_t duration = link_wire_ps(link, bytes + packets * link->p.packet_overhead);
    if (bytes <= LINK_SHORT_BYTES)
        return link_line_pass(&link->line[direction], now_ps, ready_ps, duration, packets, bytes,
                              link->packet_ps[direction]) +
               link->p.propagation;
    return link_line_take(&link->line[direction], now_ps, ready_ps, duration, packets, bytes) +
           link->p.propagation;
}

uint64_t link_write(struct link *link, enum link_direction direction, uint64_t now_ps,
                    uint32_t bytes)
{
    return link_write_later(link, direction, now_ps, now_ps, bytes);
}

/* A request goes out only when a tag is free, that is, when the request that had it last has been
 * answered (PCI Express Base 2.2.6.2): with fewer tags than a round trip needs, the tags and not
 * the wire set the pace. Without want of tags, request i is answered at first_ps + i * step_ps.
 * Returns when the last one is. */
static uint64_t link_take_tags(struct link *link, uint64_t now_ps, uint64_t requests,
                               uint64_t round_trip_ps, uint64_t first_ps, uint64_t step_ps)
{
    uint64_t answered = first_ps;
    for (uint64_t i = 0; i < requests; i++) {
        uint64_t free_ps = link->tag_free_ps[link->tag];
        uint64_t paced = (free_ps > now_ps ? free_ps : now_ps) + round_trip_ps;
        answered = first_ps + i * step_ps;
        if (paced > answered)
            answered = paced;
        link->tag_free_ps[link->tag] = answered;
        if (++link->tag == link->p.tags)
            link->tag = 0;
    }
    return answered;
}

uint64_t link_read_by_device(struct link *link, uint64_t now_ps, uint32_t bytes)
{
    return link_read_later(link, now_ps, now_ps, bytes);
}

uint64_t link_read_later(struct link *link, uint64_t now_ps, uint64_t ready_ps, uint32_t bytes)
{
    if (__builtin_expect(link->special, 0))
        return link_paced_read(link, now_ps, ready_ps, bytes);
    const struct link_params *p = &link->p;
    uint64_t requests = link_packets(bytes, p->max_read_request);
    uint64_t request_ps = link_wire_ps(link, p->packet_overhead);
    struct link_line *up = &link->line[LINK_UP], *down = &link->line[LINK_DOWN];
    uint64_t requests_sent = link_line_pass(up, now_ps, ready_ps, requests * request_ps, requests,
                                            0, link->packet_ps[LINK_UP]);
    uint64_t first_sent = requests_sent - (requests - 1) * request_ps;
    uint64_t first_data = first_sent + p->propagation + p->memory_latency;

    uint64_t packets = link_packets(bytes, link->completion_bytes);
    uint64_t all_ps = link_wire_ps(link, bytes + packets * p->completion_overhead);
    uint64_t sent = link_line_take(down, now_ps, first_data, all_ps, packets, bytes);
    uint64_t one_ps = all_ps / requests;
    uint64_t round_trip = request_ps + 2 * p->propagation + p->memory_latency + one_ps;
    uint64_t first_arrival = sent + p->propagation - (requests - 1) * one_ps;
    return link_take_tags(link, ready_ps, requests, round_trip, first_arrival, one_ps);
}

uint64_t link_register_request(struct link *link, uint64_t now_ps)
{
    if (link->ps_per_byte == 0)
        return now_ps;
    if (link->special)
        return link_send(link, LINK_DOWN, LINK_NONPOSTED, now_ps, now_ps, 0) + link->p.propagation;
    return link_line_pass(&link->line[LINK_DOWN], now_ps, now_ps,
                          link_wire_ps(link, link->p.packet_overhead), 1, 0,
                          link->packet_ps[LINK_DOWN]) +
           link->p.propagation;
}

uint64_t link_register_reply(struct link *link, uint64_t now_ps, uint32_t bytes)
{
    if (link->ps_per_byte == 0)
        return now_ps;
    if (link->special)
        return link_send(link, LINK_UP, LINK_COMPLETION, now_ps, now_ps, bytes) +
               link->p.propagation;
    return link_line_take(&link->line[LINK_UP], now_ps, now_ps,
                          link_wire_ps(link, bytes + link->p.completion_overhead), 1, bytes) +
           link->p.propagation;
}

void link_get_stats(const struct link *link, struct link_stats *stats)
{
    const struct link_line *up = &link->line[LINK_UP], *down = &link->line[LINK_DOWN];
    *stats = (struct link_stats){.up_busy_ps = up->busy_ps,
                                 .down_busy_ps = down->busy_ps,
                                 .up_packets = up->packets,
                                 .down_packets = down->packets,
                                 .up_bytes = up->bytes,
                                 .down_bytes = down->bytes};
}
