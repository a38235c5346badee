/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ledger of one block request: where every picosecond between its entry into the driver's path
 * and its return went, stage by stage. A reader of the event stream. CPU time is taken from what
 * the CPU says it spent time on; from a doorbell to the moment at which the completion entry is
 * seen, the stages of the command inside the device are what the request waits for, whatever the
 * CPU does meanwhile. Requests that were split go through one command after the other; where pieces
 * overlap, the part that is already accounted for is not counted again. The lines always add up to
 * the latency.
 */
#ifndef REPORT_LEDGER_H
#define REPORT_LEDGER_H

#include "pcie/record.h"

#define LEDGER_LINES_MAX 32

enum ledger_where { LEDGER_CPU, LEDGER_BUS, LEDGER_DEVICE };

struct ledger_line {
    const char *name;
    enum ledger_where where;
    uint64_t ps;
};

/* The result: lines in the order in which they first occurred. */
struct ledger {
    struct ledger_line lines[LEDGER_LINES_MAX];
    unsigned count;
    uint64_t latency_ps; /* RECORD_REQUEST to RECORD_REQUEST_DONE */
    uint64_t total_ps;   /* sum of the lines */
    uint64_t offset, bytes;
    unsigned op;
    unsigned commands;
    bool complete; /* the request was seen from beginning to end */
};

struct ledger_reader;

/* Watches the stream for request number `request` (RECORD_REQUEST.b) until it is done. block_bytes:
 * the namespace's, to tell which commands are the request's. */
struct ledger_reader *ledger_attach(struct stream *stream, uint64_t request, uint32_t block_bytes);
/* Makes the ledger of what was seen and detaches. */
void ledger_detach(struct ledger_reader *reader, struct ledger *ledger);

#endif
