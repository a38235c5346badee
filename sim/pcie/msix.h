/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The MSI-X table and pending bits of one function (PCI Local Bus 3.0, 6.8.2 and 6.8.3; NVMe
 * 1.4, 2.4), as they lie in a BAR. Decides whether a vector's message may be sent, must stay
 * pending, or has become due by an unmask; sending, and its time, are the device's. The
 * capability's control word lives in configspace.c.
 */
#ifndef PCIE_MSIX_H
#define PCIE_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#define MSIX_ENTRY_BYTES 16u
#define MSIX_VECTORS_MAX 2048u

struct msix_entry {
    uint64_t address;
    uint32_t data;
    uint32_t control; /* bit 0: masked; the other bits are reserved and read as zero */
};

/* A pending vector has become deliverable; called once per vector, its pending bit already cleared.
 */
typedef void msix_due_fn(void *ctx, unsigned vector);

struct msix {
    struct msix_entry *table;
    uint64_t pending[MSIX_VECTORS_MAX / 64];
    uint16_t vectors; /* 0: the function has no MSI-X */
    bool enabled, function_masked;
    msix_due_fn *due;
    void *ctx;
};

/* vectors 0..MSIX_VECTORS_MAX. Every vector masked, as after a reset. */
void msix_init(struct msix *msix, unsigned vectors, msix_due_fn *due, void *ctx);
void msix_free(struct msix *msix);
/* As after a function reset: disabled, every vector masked, nothing pending. */
void msix_reset(struct msix *msix);

/* Message Control was written: enable is its bit 15, function_mask its bit 14. */
void msix_set_control(struct msix *msix, bool enable, bool function_mask);

/* Table and pending-bit array, offset from their starts, size 4 or 8 and aligned (6.8.2: other
 * sizes are undefined; here they read as all ones and write nothing). Offsets past the end read as
 * zero. */
uint64_t msix_table_read(const struct msix *msix, uint64_t offset, unsigned size);
void msix_table_write(struct msix *msix, uint64_t offset, unsigned size, uint64_t value);
uint64_t msix_pending_read(const struct msix *msix, uint64_t offset, unsigned size);

/* The device wants to send a vector's message. True: send *address, *data now. False: it is masked,
 * and now pending. Must be enabled and the vector below msix->vectors. */
bool msix_raise(struct msix *msix, unsigned vector, uint64_t *address, uint32_t *data);
/* The reason for a vector's message has gone (6.8.3.5): forget a pending one. */
void msix_withdraw(struct msix *msix, unsigned vector);

#endif
