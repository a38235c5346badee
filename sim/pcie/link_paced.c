/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets one by one, where something beside the wire may hold them up: flow-control credits (PCI
 * Express Base 3.1, 2.6.1), and Ack and UpdateFC packets of the data link layer that take time of
 * the other direction (3.5, 2.6.1.2). An idle direction carries those for nothing; in a busy one
 * everything behind them comes that much later.
 */
#include "pcie/link_private.h"

void link_paced_init(struct link *link)
{
    const struct link_params *p = &link->p;
    const uint64_t credits[LINK_CLASSES][2] = {
        [LINK_POSTED] = {p->posted_headers, p->posted_data},
        [LINK_NONPOSTED] = {p->nonposted_headers, 0}, /* no request here has data */
        [LINK_COMPLETION] = {p->completion_headers, p->completion_data},
    };

    link->dllp_ps = link_wire_ps(link, p->dllp_bytes);
    link->credit_back_ps = 2 * p->propagation + p->credit_return;
    link->special = p->ack_every != 0 || p->update_every != 0;
    for (unsigned direction = 0; direction < 2; direction++)
        for (unsigned class = 0; class < LINK_CLASSES; class ++) {
            link_credit_init(&link->credit[direction][class], credits[class][0], credits[class][1]);
            if (credits[class][0] != 0 || credits[class][1] != 0)
                link->special = true;
        }
}

void link_paced_free(struct link *link)
{
    for (unsigned direction = 0; direction < 2; direction++)
        for (unsigned class = 0; class < LINK_CLASSES; class ++)
            link_credit_free(&link->credit[direction][class]);
}

uint32_t link_data_credits(uint64_t bytes)
{
    return (uint32_t)((bytes + LINK_CREDIT_BYTES - 1) / LINK_CREDIT_BYTES);
}

/* One packet more; true when that makes `every` of them. */
static bool counts_up_to(uint64_t *packets, uint64_t every)
{
    if (every == 0 || ++*packets < every)
        return false;
    *packets = 0;
    return true;
}

/* sent_ps is when the packet has left. What the other direction has reserved for later than that
 * moves. */
static void acknowledge(struct link *link, enum link_direction direction, uint64_t sent_ps)
{
    struct link_line *back = &link->line[!direction];
    uint64_t ps = 0;

    if (counts_up_to(&link->unacked[direction], link->p.ack_every))
        ps += link->dllp_ps;
    if (counts_up_to(&link->unreturned[direction], link->p.update_every))
        ps += link->dllp_ps;
    back->free_ps += ps;
    if (back->latest_end_ps > sent_ps)
        back->latest_end_ps += ps;
    back->busy_ps += ps;
}

uint64_t link_send(struct link *link, enum link_direction direction, enum link_class class,
                   uint64_t now_ps, uint64_t ready_ps, uint64_t bytes)
{
    struct link_credit *credit = &link->credit[direction][class];
    uint64_t overhead =
        class == LINK_COMPLETION ? link->p.completion_overhead : link->p.packet_overhead;
    uint32_t data = link_data_credits(bytes);
    uint64_t sent;

    ready_ps = link_credit_take(credit, ready_ps, data);
    sent = link_line_take(&link->line[direction], now_ps, ready_ps,
                          link_wire_ps(link, bytes + overhead), 1, bytes);
    link_credit_return(credit, sent + link->credit_back_ps, data);
    acknowledge(link, direction, sent);
    return sent;
}

uint64_t link_paced_write(struct link *link, enum link_direction direction, uint64_t now_ps,
                          uint64_t ready_ps, uint64_t bytes)
{
    uint64_t sent;

    if (link->ps_per_byte == 0)
        return ready_ps;
    do {
        uint64_t part = bytes < link->p.max_payload ? bytes : link->p.max_payload;
        sent = link_send(link, direction, LINK_POSTED, now_ps, ready_ps, part);
        bytes -= part;
    } while (bytes > 0);
    return sent + link->p.propagation;
}

/* The completions of one request. */
static uint64_t answer(struct link *link, uint64_t now_ps, uint64_t ready_ps, uint64_t bytes)
{
    uint64_t sent;

    do {
        uint64_t part = bytes < link->completion_bytes ? bytes : link->completion_bytes;
        sent = link_send(link, LINK_DOWN, LINK_COMPLETION, now_ps, ready_ps, part);
        bytes -= part;
    } while (bytes > 0);
    return sent + link->p.propagation;
}

uint64_t link_paced_read(struct link *link, uint64_t now_ps, uint64_t ready_ps, uint64_t bytes)
{
    uint64_t answered;

    if (link->ps_per_byte == 0)
        return ready_ps;
    do {
        uint64_t part = bytes < link->p.max_read_request ? bytes : link->p.max_read_request;
        uint64_t tag_ps = link->tag_free_ps[link->tag];
        uint64_t sent = link_send(link, LINK_UP, LINK_NONPOSTED, now_ps,
                                  tag_ps > ready_ps ? tag_ps : ready_ps, 0);
        answered = answer(link, now_ps, sent + link->p.propagation + link->p.memory_latency, part);
        link->tag_free_ps[link->tag] = answered;
        if (++link->tag >= link->p.tags)
            link->tag = 0;
        bytes -= part;
    } while (bytes > 0);
    return answered;
}
