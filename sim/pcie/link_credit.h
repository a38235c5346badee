/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flow-control credits of one class of packets in one direction, as the sender counts them (PCI
 * Express Base 3.1, 2.6.1): a packet takes one header credit and a data credit per 16 bytes, and
 * they come back at a time that is known when it is sent.
 */
#ifndef PCIE_LINK_CREDIT_H
#define PCIE_LINK_CREDIT_H

#include <stdint.h>

#define LINK_CREDIT_BYTES 16u /* of data per credit (2.6.1) */

struct link_credit_sent {
    uint64_t back_ps; /* when the sender has them again */
    uint32_t data;    /* data credits */
};

struct link_credit {
    uint64_t headers, data;        /* advertised; 0 = infinite */
    struct link_credit_sent *sent; /* ring in the order of sending; NULL if both are infinite */
    uint32_t capacity, head, count;
    uint64_t data_out;
};

void link_credit_init(struct link_credit *credit, uint64_t headers, uint64_t data);
void link_credit_free(struct link_credit *credit);
/* When a packet with `data` data credits may go, at ready_ps or later. Changes nothing. */
uint64_t link_credit_when(const struct link_credit *credit, uint64_t ready_ps, uint32_t data);
/* The same, and take the credits; link_credit_return() must follow and say when they come back,
 * not before those of the packet before it. data is at most the advertised number. */
uint64_t link_credit_take(struct link_credit *credit, uint64_t ready_ps, uint32_t data);
void link_credit_return(struct link_credit *credit, uint64_t back_ps, uint32_t data);

#endif
