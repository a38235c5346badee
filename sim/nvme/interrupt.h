/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts of the controller: vectors and the pin.
 */
#ifndef NVME_INTERRUPT_H
#define NVME_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

struct ctrl;
struct cq;

struct vector {
    uint32_t active; /* CQs with interrupts enabled and unconsumed entries */
    bool scheduled;  /* a message is being prepared or on its way */
    uint64_t address;
    uint32_t data;
};

struct interrupts {
    struct vector *vectors;
    uint32_t count;
    uint32_t pin_causes; /* bit per vector below 32 with active queues */
    bool pin_sent, pin_scheduled;
    bool pin_seen; /* the level that has reached the host */
};

void interrupt_init(struct ctrl *ctrl);
void interrupt_reset(struct ctrl *ctrl);
void interrupt_cqe(struct ctrl *ctrl, struct cq *cq, bool was_empty);
void interrupt_consumed(struct ctrl *ctrl, struct cq *cq); /* all entries are */
void interrupt_update_pin(struct ctrl *ctrl);
void interrupt_vector_due(void *ctx, unsigned vector); /* unmasked with its message pending */

#endif
