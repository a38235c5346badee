/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams of the link (pcie/link.h), and the ways of a command that differ where they take turns.
 */
#ifndef NVME_PACED_H
#define NVME_PACED_H

#include <stdint.h>

struct ctrl;
struct command;

/* What takes turns with each other on the link: each queue's reads of data, its writes of data and
 * completion entries, its reads of lists; and the units. Writes never share a stream with reads of
 * data, so they do not wait for tags (PCI Express Base 3.1, 2.4.1: posted requests pass others).
 * Stream numbers count modulo LINK_STREAMS: queues that are 16 apart share theirs. */
enum stream_use {
    STREAM_IN,   /* data from the host; by submission queue */
    STREAM_OUT,  /* data to the host and completion entries behind it; by completion queue */
    STREAM_LIST, /* PRP lists, SGL segments, list of the host memory buffer; by submission queue */
    STREAM_UNIT, /* what one unit issues in order; by enum stream_unit */
    STREAM_USES
};

enum stream_unit {
    UNIT_FETCH,  /* submission entries: their order is that of arbitration, across queues */
    UNIT_SHADOW, /* shadow doorbells and EventIdx: a look must not overtake a write */
    UNIT_MESSAGE /* interrupts: asked for when their entry has arrived, so behind nothing else */
};

static inline unsigned stream_of(enum stream_use use, uint32_t number)
{
    return number * STREAM_USES + use;
}

/* paced.c; all of it only while ctrl->paced.
 * paced_in: reads the data of cmd, given to the link at given_ps; transfer_data_arrived() follows,
 * not before engine_ps. paced_out: writes it, which moves cmd->complete_ps to the arrival of the
 * last byte. paced_entry: sends the entry of cmd, whose cq_slot is taken; it becomes visible behind
 * that data, in the order in which this is called, not before cmd->complete_ps. given_ps: not
 * before the data's, nor before that of the queue's entry before it. */
void paced_in(struct ctrl *ctrl, struct command *cmd, uint64_t given_ps, uint64_t engine_ps);
void paced_out(struct ctrl *ctrl, const struct command *cmd, uint64_t given_ps);
void paced_entry(struct ctrl *ctrl, const struct command *cmd, uint64_t given_ps);

#endif
