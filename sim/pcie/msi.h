/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Message signalled interrupts of one function, 1 to 32 messages with masks and pending bits (PCI
 * Local Bus 3.0, 6.8.1 and 6.8.3; NVMe 1.4, 2.3). The capability's registers are the configuration
 * space's (configspace.h); this decides whether a vector's message may be sent, must stay pending,
 * or has become due by an unmask, and keeps the register of pending bits. Sending, and its time,
 * are the device's. The counterpart of msix.h.
 *
 * What the standard leaves open: a vector at or above the number of messages granted uses the
 * message of its low bits, as the message itself can name no more of it (6.8.3.4). Multiple Message
 * Enable above the capable number, or reserved, grants the capable number.
 */
#ifndef PCIE_MSI_H
#define PCIE_MSI_H

#include <stdbool.h>
#include <stdint.h>

#define MSI_MESSAGES_MAX 32u

struct configspace;

/* A pending message has become deliverable; called once per message, its pending bit already
 * cleared. message is below msi_granted(). */
typedef void msi_due_fn(void *ctx, unsigned message);

struct msi {
    struct configspace *config; /* holds the capability */
    uint64_t address;           /* the registers as last written */
    uint32_t data, mask;
    uint32_t pending; /* bit per message */
    uint8_t granted;  /* messages, a power of two; at least 1 */
    bool enabled;     /* never without the capability */
    msi_due_fn *due;
    void *ctx;
};

/* config: initialised before, and outlives msi; without an MSI capability nothing is ever enabled.
 */
void msi_init(struct msi *msi, struct configspace *config, msi_due_fn *due, void *ctx);
/* As after a function reset, called behind configspace_reset(): disabled, nothing pending. */
void msi_reset(struct msi *msi);

/* The capability was written (CONFIGSPACE_CHANGED_MSI): take over its registers, and hand over what
 * was waiting for a mask that is now clear. */
void msi_registers_written(struct msi *msi);

/* Messages that the host has granted; 1 while it has granted none. */
unsigned msi_granted(const struct msi *msi);

/* The device wants to send a vector's message. True: send *address, *data (16 bits) now. False: it
 * is masked, and now pending. Must be enabled. */
bool msi_raise(struct msi *msi, unsigned vector, uint64_t *address, uint32_t *data);
/* The reason for a vector's message has gone (6.8.3.5): forget a pending one. Vectors that share a
 * message share its pending bit. */
void msi_withdraw(struct msi *msi, unsigned vector);

#endif
