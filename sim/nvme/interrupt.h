/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts of the controller: messages, the pin, coalescing.
 */
#ifndef NVME_INTERRUPT_H
#define NVME_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct ctrl;
struct cq;

struct vector {
    uint32_t active; /* CQs with interrupts enabled and unconsumed entries */
    bool scheduled;  /* a message is being prepared or on its way */
    uint64_t address;
    uint32_t data;
    uint32_t held;       /* completions that coalescing keeps back */
    engine_handle timer; /* when it no longer does; 0: none is kept back */
};

struct interrupts {
    struct vector *vectors;
    uint32_t count;
    /* pin and MSI: the interrupt status register of section 7.5.1, bit per vector below 32 */
    uint32_t causes;    /* active, and not kept back */
    uint32_t signalled; /* of those not masked by INTMS: what a message has been sent for */
    bool pin_sent, pin_scheduled;
    bool pin_seen; /* the level that has reached the host */
    /* Interrupt Coalescing (5.21.1.8) */
    bool coalescing;
    uint32_t threshold; /* completions */
    uint64_t time_ps;
};

void interrupt_init(struct ctrl *ctrl);
void interrupt_reset(struct ctrl *ctrl);
/* Vectors that Create I/O Completion Queue may name now (5.3). */
uint32_t interrupt_vectors(const struct ctrl *ctrl);
void interrupt_cqe(struct ctrl *ctrl, struct cq *cq, bool was_empty);
void interrupt_consumed(struct ctrl *ctrl, struct cq *cq); /* all entries of this queue are */
/* Some are, others of its vector are left: a host that counts on messages for them gets another
 * one. */
void interrupt_left(struct ctrl *ctrl, const struct cq *cq);
/* INTMS, INTMC or configuration space has changed. */
void interrupt_update(struct ctrl *ctrl);
void interrupt_vector_due(void *ctx, unsigned vector); /* unmasked with its message pending */
/* The coalescing feature has changed (5.21.1.8). */
void interrupt_coalescing_changed(struct ctrl *ctrl);

#endif
